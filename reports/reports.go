// Package reports renders the record of a run for those who read it: a page
// for people, JUnit for build servers, Markdown for the summary of a job.
//
// Each report is a pure function of one [results.Document]: the same document
// gives the same bytes. Nearly every string in a document comes from a
// stranger's system, so each report escapes all of them in its own way and
// turns none into markup, a link or an image.
package reports

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"invigilator/results"
)

// order is that in which reports show verdicts: what needs a reader first.
var order = []results.Verdict{
	results.Failed, results.Errored, results.Inconclusive, results.Warned, results.Skipped, results.Passed,
}

// marks go beside a verdict or an outcome, which is never told by colour alone.
var marks = map[string]string{
	string(results.Failed):       "✗",
	string(results.Errored):      "‼",
	string(results.Inconclusive): "?",
	string(results.Warned):       "!",
	string(results.Skipped):      "–",
	string(results.Passed):       "✓",

	string(results.Conformant):    "✓",
	string(results.NotConformant): "✗",
	string(results.NotShown):      "?",
	string(results.Unusable):      "‼",
}

func mark[T ~string](word T) string { return cmp.Or(marks[string(word)], "?") }

// known is the verdict itself, or Errored for one that no version ever wrote:
// a report must not lose a requirement, nor take it for passed.
func known(v results.Verdict) results.Verdict {
	if _, ok := marks[string(v)]; ok {
		return v
	}
	return results.Errored
}

// tally counts the requirements by verdict.
func tally(requirements []results.Requirement) map[results.Verdict]int {
	counts := map[results.Verdict]int{}
	for _, r := range requirements {
		counts[known(r.Verdict)]++
	}
	return counts
}

// again is the command that judges one requirement once more.
func again(run results.Run, id string) string { return run.Command + " --only " + id }

// printable keeps what a reader can see and replaces what could deceive him:
// control characters, broken UTF-8 and the marks that reverse the order of text.
func printable(r rune) rune {
	if unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) || unicode.Is(unicode.Bidi_Control, r) {
		return unicode.ReplacementChar
	}
	return r
}

// line makes one line of a text, of at most so many characters.
func line(text string, most int) string {
	runes := []rune(strings.Map(printable, strings.Join(strings.Fields(text), " ")))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// web is the address if it is one that a browser may open, else empty.
func web(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return address
}

// Paths are the files that [WriteAll] wrote.
type Paths struct{ JSON, HTML, JUnit, Markdown string }

// WriteAll writes the document and every report of it into a directory, which
// it creates where there is none. A file appears whole or not at all.
func WriteAll(dir string, doc results.Document) (paths Paths, err error) {
	paths = Paths{
		JSON:     filepath.Join(dir, "results.json"),
		HTML:     filepath.Join(dir, "report.html"),
		JUnit:    filepath.Join(dir, "junit.xml"),
		Markdown: filepath.Join(dir, "summary.md"),
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Paths{}, fmt.Errorf("reports: %w", err)
	}
	for _, report := range []struct {
		path  string
		write func(io.Writer, results.Document) error
	}{
		{paths.JSON, results.Write},
		{paths.HTML, HTML},
		{paths.JUnit, JUnit},
		{paths.Markdown, Markdown},
	} {
		if err := replace(report.path, func(w io.Writer) error { return report.write(w, doc) }); err != nil {
			return Paths{}, fmt.Errorf("reports: %s: %w", report.path, err)
		}
	}
	return paths, nil
}

// replace writes a file beside the path and moves it there when it is whole.
func replace(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".*-"+filepath.Base(path))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // fails once it was moved, as it should
	if err := cmp.Or(write(file), file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
