package reports

import (
	"cmp"
	"encoding/csv"
	"io"
	"strings"

	"invigilator.example/results"
)

// CSV writes a line for each case, for spreadsheets (RFC 4180). What a spreadsheet would take
// for a formula begins with an apostrophe, which makes a text of it.
func CSV(w io.Writer, doc results.Document) error {
	out := csv.NewWriter(w)
	row := func(cells ...string) error {
		for i, text := range cells {
			cells[i] = inCell(text)
		}
		return out.Write(cells)
	}
	if err := row("verdict", "requirement", "case", "level", "profile", "side", "agent", "statement", "expected", "seen", "source", "section", "link", "subject"); err != nil {
		return err
	}
	for _, r := range doc.Requirements {
		observations := r.Observations
		if len(observations) == 0 {
			observations = []results.Observation{{Verdict: r.Verdict, Expected: r.Expect, Seen: "nothing was observed"}}
		}
		for _, o := range observations {
			if err := row(string(known(o.Verdict)), r.ID, cmp.Or(o.Case, results.Unprovoked), r.Level, r.Profile, r.Binds, string(o.Agent),
				r.Statement, o.Expected, o.Seen, r.Source, r.Section, r.Link, doc.Run.Subject.Name); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// inCell makes of a text one that a spreadsheet shows, and does not run.
func inCell(text string) string {
	text = shown(text)
	if begin := strings.TrimLeft(text, " \t\r\n"); begin != "" && strings.ContainsRune("=+-@|%", rune(begin[0])) {
		return "'" + text
	}
	return text
}
