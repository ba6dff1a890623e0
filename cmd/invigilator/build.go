package main

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"

	"invigilator.example/requirements"
	"invigilator.example/results"
)

type annotateCommand struct {
	Results string `arg:"" help:"A results.json." type:"existingfile"`
}

// Help has examples.
func (*annotateCommand) Help() string {
	return examples("In a step of a workflow", "invigilator annotate out/results.json")
}

// Run prints what a run has found as GitHub's workflow commands, which it shows as
// annotations: errors for what counts against the run, warnings for what only warns, notices
// for what is waived.
func (c *annotateCommand) Run() error {
	doc, err := results.ReadFile(c.Results)
	if err != nil {
		return err
	}
	for _, kind := range []string{"error", "warning", "notice"} {
		found := annotations(doc)[kind]
		for i, a := range found {
			if i == maxAnnotations-1 && len(found) > maxAnnotations {
				say("::%s title=Invigilator::and %d more, in the report\n", kind, len(found)-i)
				break
			}
			say("::%s title=%s::%s\n", kind, property.Replace(oneLineOf(a.title)), data.Replace(oneLineOf(a.says)))
		}
	}
	return nil
}

// maxAnnotations is how many of a kind GitHub shows of a step.
const maxAnnotations = 10

// What workflow commands give a meaning to, in their text and in their properties.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func oneLineOf(text string) string { return results.Bounded(folded(text), 500) }

// An annotation is what is told of one verdict.
type annotation struct{ title, says string }

// annotations are those of a run, by kind.
func annotations(doc results.Document) map[string][]annotation {
	found := map[string][]annotation{}
	add := func(kind, title, says string) { found[kind] = append(found[kind], annotation{title, says}) }
	if d := doc.Diagnosis; d != nil {
		add("error", "Invigilator", d.Problem+" Look at: "+d.LookAt)
	}
	if g := doc.Gate; g != nil {
		for _, red := range g.Red {
			add("error", cmp.Or(red.Requirement, "finding"), strings.TrimSpace(red.Case+" "+red.Why+". "+red.Seen))
		}
		for _, waived := range g.Waived {
			add("notice", waived.Requirement, strings.TrimSpace(waived.Case+" "+waived.Why))
		}
		return found
	}
	for _, r := range doc.Requirements {
		kind := ""
		switch {
		case r.Verdict == results.Failed || r.Verdict == results.Errored, r.Verdict == results.Inconclusive && r.Level == string(requirements.Must):
			kind = "error"
		case r.Verdict == results.Warned:
			kind = "warning"
		}
		for _, o := range r.Observations {
			if kind != "" && o.Verdict == r.Verdict {
				add(kind, fmt.Sprintf("%s (%s) %s", r.ID, r.Level, r.Verdict), prefix(o.Case)+o.Seen)
				break // one for each requirement
			}
		}
	}
	return found
}

type badgeCommand struct {
	Results string `arg:"" help:"A results.json." type:"existingfile"`
}

// Help has examples.
func (*badgeCommand) Help() string {
	return examples("For a README", "invigilator badge out/results.json > badge.svg")
}

// badgeColours are those of outcomes, by the exit status.
var badgeColours = []string{"#2e7d32", "#c62828", "#b26a00", "#616161"}

// Run prints the outcome of a run as a picture (SVG), which needs nothing from elsewhere.
func (c *badgeCommand) Run() error {
	doc, err := results.ReadFile(c.Results)
	if err != nil {
		return err
	}
	label, outcome := "LTI 1.3 "+results.Bounded(folded(doc.Run.Subject.Side), 20), results.Bounded(folded(string(doc.Outcome)), 30)
	if doc.Gate != nil {
		outcome += ", by own terms " + map[bool]string{true: "green", false: "red"}[doc.Gate.Exit == 0]
	}
	colour := badgeColours[min(max(doc.ExitCode(), 0), len(badgeColours)-1)]
	left, right := 7*len([]rune(label))+12, 7*len([]rune(outcome))+12
	say(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="%[2]s: %[3]s">
<rect width="%[4]d" height="20" fill="#444"/><rect x="%[4]d" width="%[5]d" height="20" fill="%[6]s"/>
<g fill="#fff" font-family="Verdana,sans-serif" font-size="11"><text x="6" y="14">%[2]s</text><text x="%[7]d" y="14">%[3]s</text></g>
</svg>
`, left+right, escaped(label), escaped(outcome), left, right, colour, left+6)
	return nil
}

// escaped is a text within XML.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes all
	return b.String()
}
