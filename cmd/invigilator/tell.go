package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"invigilator.example/harness/config"
	"invigilator.example/reports"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/visible"
)

// A teller tells of a run while it goes on, and how it has ended.
type teller interface {
	progress(scenarios.Progress)
	observed(results.Observation)
	// end is called once. The document has no schema where there is none.
	end(results.Document, reports.Paths)
}

// jsonl is the form in which events are printed, one a line.
const jsonl = "jsonl"

// newTeller returns the one of a form.
func newTeller(form string, c config.Config) teller {
	if form == jsonl {
		return &events{to: visible.Writer{To: os.Stdout}, subject: results.Subject{Name: c.Hide(c.SubjectName()), Side: string(c.Side), Embedded: c.IsEmbedded()}}
	}
	live := term.IsTerminal(int(os.Stderr.Fd()))
	return &text{
		at: watch(stderr, live, aMinute), screen: screen{os.Stdout, inColours(term.IsTerminal(int(os.Stdout.Fd())), os.Getenv)},
	}
}

// text tells of a run to people.
type text struct {
	at     *watched
	screen screen
}

func (t *text) progress(at scenarios.Progress) { t.at.show(at) }
func (*text) observed(results.Observation)     {}
func (t *text) end(doc results.Document, paths reports.Paths) {
	t.at.stop()
	if doc.Schema != "" {
		summarize(t.screen, doc, paths)
	}
}

// A screen is what people read the end of a run on. What is written to it has nothing that
// a terminal would obey, but for its own colours.
type screen struct {
	to      io.Writer
	colours bool
}

// inColours says whether what is printed may have colours: on a terminal that can show
// them, where nobody has asked for none (no-color.org).
func inColours(terminal bool, getenv func(string) string) bool {
	return terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// Write writes a text as [visible.Writer] has it.
func (s screen) Write(text []byte) (int, error) { return visible.Writer{To: s.to}.Write(text) }

// The colours, as terminals number them (ECMA-48, 8.3.117).
const (
	bold   = "1"
	faint  = "2"
	red    = "1;31"
	green  = "1;32"
	yellow = "33"
)

// paint writes a text in a colour, where there are colours.
func (s screen) paint(colour, text string) {
	if s.colours && colour != "" {
		_, _ = io.WriteString(s.to, "\x1b["+colour+"m")
		defer func() { _, _ = io.WriteString(s.to, "\x1b[0m") }()
	}
	_, _ = io.WriteString(s, text)
}

func (s screen) printf(format string, args ...any) { _, _ = fmt.Fprintf(s, format, args...) }

// colourOf is that of a verdict or an outcome.
func colourOf[T ~string](word T) string {
	switch string(word) {
	case string(results.Failed), string(results.Errored), string(results.NotConformant), string(results.Unusable):
		return red
	case string(results.Inconclusive), string(results.Warned), string(results.NotShown):
		return yellow
	case string(results.Conformant), string(results.Passed):
		return green
	case string(results.Skipped):
		return faint
	default:
		return bold
	}
}

// verdictOrder is the order of verdicts, the gravest first.
var verdictOrder = []results.Verdict{results.Failed, results.Errored, results.Inconclusive, results.Warned, results.Skipped, results.Passed}

// summarize tells what did not pass, the gravest last and so next to the prompt, and then
// verdict, counts, time and where the report is.
func summarize(out screen, doc results.Document, paths reports.Paths) {
	counts := map[results.Verdict]int{}
	for _, r := range doc.Requirements {
		counts[r.Verdict]++
	}
	whole := doc.Diagnosis != nil && !doc.Diagnosis.Partial() // it says why nothing was judged
	if !whole {
		for _, verdict := range slices.Backward(verdictOrder) {
			if verdict != results.Passed && counts[verdict] > 0 {
				tellAll(out, doc, verdict)
				out.printf("\n")
			}
		}
	}
	if d := doc.Diagnosis; d != nil {
		out.printf("%s\n\n", d.Error())
	}
	var tally []string
	for _, verdict := range verdictOrder {
		if counts[verdict] > 0 {
			tally = append(tally, fmt.Sprintf("%d %s", counts[verdict], verdict))
		}
	}
	out.paint(colourOf(doc.Outcome), strings.ToUpper(string(doc.Outcome)))
	if !whole {
		out.printf(": %s\n", doc.Because)
		out.printf("%d requirements: %s; %d not covered by this version\n", len(doc.Requirements), strings.Join(tally, ", "), len(doc.NotCovered))
		agent := strings.TrimSpace(string(doc.Run.Agent.Kind) + " " + doc.Run.Agent.Version)
		out.printf("%s, %s, %.1f seconds\n", doc.Run.Subject.Name, agent, doc.Run.Seconds)
	} else {
		judged := len(doc.Requirements) - counts[results.Inconclusive]
		out.printf(": %d of %d requirements were judged\n%s\n", judged, len(doc.Requirements), doc.Run.Subject.Name)
	}
	tellGate(out, doc.Gate)
	if paths.HTML != "" {
		out.printf("report: %s\n", paths.HTML)
	}
	if paths.Signature != "" {
		out.printf("signed: %s\n", paths.Signature)
	}
}

// tellGate says what the terms of who runs it make of a run, where there are some.
func tellGate(out screen, g *results.Gate) {
	if g == nil {
		return
	}
	colour := green
	if g.Exit != 0 {
		colour = red
	}
	out.paint(colour, fmt.Sprintf("by your terms, status %d", g.Exit))
	out.printf(": %s\n", g.Because)
	for _, part := range []struct {
		name, colour string
		list         []results.Red
	}{{"red", red, g.Red}, {"waived", faint, g.Waived}, {"mended", green, g.Mended}} {
		for i, counts := range part.list {
			if i == maxReds {
				out.printf("  and %d more, in the report\n", len(part.list)-i)
				break
			}
			out.printf("  ")
			out.paint(part.colour, part.name)
			out.printf("  %s\n", oneLine(counts))
		}
	}
}

// maxReds is how many lines of a kind the gate tells; the report has all.
const maxReds = 30

// oneLine says what a verdict that counts is about, and why it does.
func oneLine(red results.Red) string {
	about := strings.TrimSpace(red.Requirement + " " + red.Case)
	if about == "" {
		about = results.Bounded(folded(red.Seen), 200)
	}
	return about + ": " + red.Why
}

// maxTold is how many observations of a requirement are told; the report has all.
const maxTold = 3

// tellAll lists the observations with a verdict. Of what was not judged at all for one
// reason, such as a feature that is not declared, it tells the reason once.
func tellAll(out screen, doc results.Document, verdict results.Verdict) {
	alike := map[string]int{}
	for _, r := range doc.Requirements {
		if why := reason(doc, r); r.Verdict == verdict && why != "" {
			alike[why]++
		}
	}
	for _, r := range doc.Requirements {
		if r.Verdict != verdict {
			continue
		}
		why := reason(doc, r)
		n := alike[why]
		if n > 1 {
			alike[why] = -1
			out.paint(colourOf(verdict), string(verdict))
			out.printf("  %d requirements: %s\n", n, results.Bounded(why, 300))
		}
		if n > 1 || n < 0 {
			continue
		}
		out.paint(colourOf(verdict), string(verdict))
		if n == 1 {
			out.printf("  %s (%s): %s\n", r.ID, r.Level, results.Bounded(why, 300))
			continue
		}
		out.printf("  %s (%s)\n", r.ID, r.Level)
		told := slices.DeleteFunc(slices.Clone(r.Observations), func(o results.Observation) bool { return o.Verdict == results.Passed })
		slices.SortStableFunc(told, func(a, b results.Observation) int { // the gravest first
			return cmp.Compare(slices.Index(verdictOrder, a.Verdict), slices.Index(verdictOrder, b.Verdict))
		})
		for i, o := range told {
			if i == maxTold {
				out.printf("    and %d more\n", len(told)-i)
				break
			}
			out.printf("    %s%s\n", prefix(o.Case), results.Bounded(folded(o.Seen), 300))
		}
	}
}

// reason is why a requirement was not judged at all, where that is one reason and others
// may share it: it was skipped, or nothing was tried.
func reason(doc results.Document, r results.Requirement) string {
	why := ""
	for _, o := range r.Observations {
		seen := folded(o.Seen)
		untried := o.Verdict == results.Inconclusive && o.Scenario == "" && doc.Diagnosis.Concerns(r.Profile)
		if o.Verdict != results.Skipped && !untried || why != "" && why != seen {
			return ""
		}
		why = seen
	}
	return why
}

func prefix(stimulus string) string {
	if stimulus == "" {
		return ""
	}
	return stimulus + ": "
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
