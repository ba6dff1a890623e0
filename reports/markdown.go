package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"

	"invigilator.example/results"
)

// Bounds of a summary: build servers refuse a long one.
const (
	mostRows = 400
	mostText = 200 // characters of a cell
)

// inert takes from a text all that Markdown, or a server that renders it,
// gives a meaning: markup, links, images, mentions and formulas.
var inert = strings.NewReplacer(
	`\`, "&#92;", "`", "&#96;", "|", "&#124;", "*", "&#42;", "_", "&#95;", "~", "&#126;",
	"[", "&#91;", "]", "&#93;", "!", "&#33;", "#", "&#35;", "$", "&#36;",
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
	"://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;",
	"@", "@\u2060", // a word joiner: no entity keeps a server from linking an address
)

func cell(text string) string { return inert.Replace(line(text, mostText)) }

// Markdown writes the summary that a build server shows on the page of a job:
// the verdict, the profiles, everything that did not pass, how to see it again.
func Markdown(w io.Writer, doc results.Document) error {
	var b bytes.Buffer
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	head := func(cells ...string) {
		row(cells...)
		fmt.Fprintf(&b, "|%s\n", strings.Repeat(" --- |", len(cells)))
	}

	subject := doc.Run.Subject
	fmt.Fprintf(&b, "## %s %s: %s (%s)\n\n", mark(doc.Outcome), cell(string(doc.Outcome)), cell(subject.Name), cell(subject.Side))
	fmt.Fprintf(&b, "Because: %s\n\n", cell(doc.Because))
	if g := doc.Gate; g != nil {
		fmt.Fprintf(&b, "%s by the terms of this run (status %d): %s\n\n", gateMark(g), g.Exit, cell(g.Because))
	}
	counts := tally(doc.Requirements)
	var tallies []string
	for _, v := range order {
		tallies = append(tallies, fmt.Sprintf("%d %s", counts[v], v))
	}
	fmt.Fprintf(&b, "%d requirements: %s. %d not covered by this version. %.1f seconds.\n", len(doc.Requirements),
		strings.Join(tallies, ", "), len(doc.NotCovered), doc.Run.Seconds)
	fmt.Fprintf(&b, "\nCarried by the agent %s.\n", cell(string(doc.Run.Agent.Kind)))
	for i, c := range doc.Run.Carriers {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "- flows of the kind %s by %s: %s\n", cell(c.Flows), cell(string(c.Agent)), cell(c.Why))
	}
	if doc.Run.Only != "" {
		fmt.Fprintf(&b, "\nThis run was limited to: %s\n", cell(doc.Run.Only))
	}

	if d := doc.Diagnosis; d != nil {
		of, profiles := "the subject", ""
		if d.Partial() {
			of, profiles = "a part of the subject", strings.Join(d.Profiles, ", ")
		}
		fmt.Fprintf(&b, "\n### Why %s could not be judged\n\n", of)
		for _, part := range [][2]string{
			{"Problem", d.Problem}, {"Profiles", profiles}, {"At", d.Step}, {"Sent", d.Sent}, {"Seen", d.Seen}, {"Look at", d.LookAt},
		} {
			if part[0] == "Profiles" && !d.Partial() {
				continue
			}
			fmt.Fprintf(&b, "- **%s:** %s\n", part[0], cell(part[1]))
		}
	}

	if g := doc.Gate; g != nil {
		for _, part := range gateParts(g) {
			if len(part.List) == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\n", part.Name)
			head("Requirement", "Case", "Verdict", "Before", "Why", "Seen")
			for _, red := range part.List[:min(len(part.List), mostRows)] {
				row(cell(red.Requirement), cell(red.Case), cell(string(red.Verdict)), cell(string(red.Before)), cell(red.Why), cell(red.Seen))
			}
		}
	}

	if len(doc.Profiles) > 0 {
		fmt.Fprint(&b, "\n### Profiles\n\n")
		columns := []string{"Profile", "Outcome"}
		for _, v := range order {
			columns = append(columns, string(v))
		}
		head(append(columns, "total", "not covered")...)
		for _, p := range doc.Profiles {
			cells := []string{cell(p.Name), mark(p.Outcome) + " " + cell(string(p.Outcome))}
			for _, v := range order {
				cells = append(cells, fmt.Sprint(p.Tally[v]))
			}
			row(append(cells, fmt.Sprint(p.Total), fmt.Sprint(p.NotCovered))...)
		}
	}

	if rows, first := notPassed(doc); len(rows) > 0 {
		fmt.Fprint(&b, "\n### Not passed\n\n")
		head("Verdict", "Requirement", "Case", "Expected", "Seen")
		for _, cells := range rows[:min(len(rows), mostRows)] {
			row(cells...)
		}
		if more := len(rows) - mostRows; more > 0 {
			fmt.Fprintf(&b, "\nAnd %d more, in the report.\n", more)
		}
		b.WriteString(diagrams(doc))
		fmt.Fprintf(&b, "\nSee one of them again:\n\n    %s\n", line(again(doc.Run, first), 2000))
	}
	fmt.Fprintf(&b, "\nRun it all again:\n\n    %s\n", line(cmp.Or(doc.Run.Again, doc.Run.Command), 2000))
	_, err := b.WriteTo(w)
	return err
}

// gateMark is the colour of a gate, in a word.
func gateMark(g *results.Gate) string {
	if g.Exit == 0 {
		return "Green"
	}
	return "Red"
}

// notPassed are the cells of every observation that did not pass, gravest
// first, and the requirement of the first of them. A requirement that nothing
// was observed of has a row too.
func notPassed(doc results.Document) (rows [][]string, first string) {
	for _, v := range order[:len(order)-1] { // Passed is the last
		for _, r := range doc.Requirements {
			observations := r.Observations
			if len(observations) == 0 {
				observations = []results.Observation{{Verdict: r.Verdict, Expected: r.Expect, Seen: "nothing was observed"}}
			}
			for _, o := range observations {
				if known(o.Verdict) != v {
					continue
				}
				first = cmp.Or(first, r.ID)
				rows = append(rows, []string{mark(v) + " " + string(v), cell(r.ID),
					cell(cmp.Or(o.Case, "observed")), cell(o.Expected), cell(o.Seen)})
			}
		}
	}
	return rows, first
}

// mostDiagrams is how many failures a summary draws.
const mostDiagrams = 3

// plain is all that a diagram says of a text: Mermaid gives a meaning to much else.
var plain = regexp.MustCompile(`[^A-Za-z0-9 /._-]+`)

// diagrams draws what was provoked where something failed, in the words of Mermaid, and says
// what was changed in the valid message.
func diagrams(doc results.Document) string {
	var b strings.Builder
	m, drawn := newMatcher(doc), map[string]bool{}
	for _, r := range doc.Requirements {
		for _, o := range r.Observations {
			flow, ok := m.stimulus(o)
			if o.Verdict != results.Failed || !ok || len(flow.Steps) == 0 || drawn[flow.ID] || len(drawn) == mostDiagrams {
				continue
			}
			drawn[flow.ID] = true
			fmt.Fprintf(&b, "\n### How %s failed: %s\n\n", cell(r.ID), cell(cmp.Or(o.Case, results.Unprovoked)))
			marked := -1
			if c := m.contrast(o); c != nil {
				marked = c.step
				does := "changed"
				if !c.Own {
					does = "other than in the nearest valid message"
				}
				for _, change := range c.Changes {
					fmt.Fprintf(&b, "- %s: %s, %s → %s\n", does, cell(change.Where), cell(cmp.Or(change.Was, "not there")), cell(cmp.Or(change.Is, "left out")))
				}
			}
			b.WriteString("\n~~~mermaid\nsequenceDiagram\n  participant B as browser\n  participant P as platform\n  participant T as tool\n")
			arrows, _ := m.arrows(flow, marked)
			for _, a := range arrows[:min(len(arrows), maxArrows)] {
				from, to := "BPT"[a.From], "BPT"[a.To]
				says := strings.TrimSpace(plain.ReplaceAllString(strings.ReplaceAll(a.Label, "://", "/"), " "))
				fmt.Fprintf(&b, "  %c->>%c: %s\n", from, to, cmp.Or(strings.ReplaceAll(says, "www.", "www "), "a request"))
				if a.Fault != "" {
					fmt.Fprintf(&b, "  Note over %c,%c: changed here, %s\n", from, to, plain.ReplaceAllString(line(a.Fault, 80), " "))
				}
				if a.Status > 0 {
					fmt.Fprintf(&b, "  %c-->>%c: %d\n", to, from, a.Status)
				}
			}
			b.WriteString("~~~\n")
		}
	}
	return b.String()
}

// maxArrows is how many exchanges of a flow a summary draws.
const maxArrows = 40
