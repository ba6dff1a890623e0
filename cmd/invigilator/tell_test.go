package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/reports"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

func TestFailuresAreNextToThePromptAndAReasonIsToldOnce(t *testing.T) {
	g := NewWithT(t)
	requirement := func(id string, verdict results.Verdict, seen string) results.Requirement {
		return results.Requirement{ID: id, Level: "MUST", Verdict: verdict, Observations: []results.Observation{{Verdict: verdict, Seen: seen, Scenario: "some"}}}
	}
	doc := results.Document{Outcome: results.NotConformant, Because: "1 of 5 requirements failed.", Requirements: []results.Requirement{
		requirement("broken", results.Failed, "Accepted.\x1b[2J"),
		requirement("a", results.Skipped, "The tool does not declare the feature acs."),
		requirement("b", results.Skipped, "The tool does not declare the feature acs."),
		requirement("c", results.Skipped, "Not tried: it takes too long."),
		requirement("seldom", results.Warned, "It has no name."),
	}}
	tell := func(colours bool) string {
		var b bytes.Buffer
		summarize(screen{&b, colours}, doc, reports.Paths{HTML: "out/report.html"})
		return b.String()
	}
	plain := tell(false)
	g.Expect(plain).To(Equal(`skipped  2 requirements: The tool does not declare the feature acs.
skipped  c (MUST): Not tried: it takes too long.

warned  seldom (MUST)
    It has no name.

failed  broken (MUST)
    Accepted.\u001b[2J

NOT CONFORMANT: 1 of 5 requirements failed.
5 requirements: 1 failed, 1 warned, 3 skipped; 0 not covered by this version
, , 0.0 seconds
report: out/report.html
`))
	coloured := tell(true)
	g.Expect(coloured).To(And(ContainSubstring("\x1b[1;31mfailed\x1b[0m  broken"), ContainSubstring("\x1b[33mwarned\x1b[0m"), ContainSubstring(`Accepted.\u001b[2J`)))
	g.Expect(strings.NewReplacer("\x1b[0m", "", "\x1b[1;31m", "", "\x1b[33m", "", "\x1b[2m", "").Replace(coloured)).To(Equal(plain), "a colour tells nothing by itself")
}

func TestColoursAreForTerminalsOfThoseWhoWantThem(t *testing.T) {
	for _, c := range []struct {
		terminal, colours bool
		noColour, term    string
	}{
		{true, true, "", "xterm"}, {false, false, "", "xterm"}, {true, false, "1", "xterm"}, {true, false, "", "dumb"}, {true, true, "", ""},
	} {
		NewWithT(t).Expect(inColours(c.terminal, func(name string) string {
			return map[string]string{"NO_COLOR": c.noColour, "TERM": c.term}[name]
		})).To(Equal(c.colours), "%v", c)
	}
}

func TestALineAMinuteWhereNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var b bytes.Buffer
		w := watch(&b, false, aMinute)
		time.Sleep(90 * time.Second) // of the bubble's own clock
		synctest.Wait()
		g.Expect(b.String()).To(BeEmpty(), "nothing has begun")
		w.show(scenarios.Progress{Done: 3, Total: 9, Red: 1, Current: "A tool, told\nthe time"})
		time.Sleep(time.Minute)
		synctest.Wait()
		g.Expect(b.String()).To(Equal("after 2m0s: [3/9] 1 red A tool, told the time\n"))
		w.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		g.Expect(strings.Count(b.String(), "\n")).To(Equal(1))
	})
}
