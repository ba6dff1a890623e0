package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// The runs of a soak are made by this program, which is the test here.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == judging {
		os.Exit(judge(os.Args[2:], os.Stderr))
	}
	os.Exit(m.Run())
}

func TestRunsAreMadeAndCompared(t *testing.T) {
	g := NewWithT(t)
	folder := t.TempDir()
	var out, errs bytes.Buffer
	status := soak(t.Context(), []string{"-runs", "2", "-load", "0", "-parallel", "2", "-seed", "7", "-profiles", "services", "-report", folder}, &out, &errs)
	g.Expect(status).To(Equal(same), out.String()+errs.String())
	g.Expect(out.String()).To(MatchRegexp(`tool +seed 7 .* in use [1-9]\d* MB, then [1-9]\d* MB; peak [1-9]\d* MB  \d\d verdicts on 3 requirements`))
	g.Expect(out.String()).To(MatchRegexp(`platform +seed 8 .* [1-9]\d verdicts as in the first run`))
	g.Expect(out.String()).To(MatchRegexp(`\n4 runs, beside 0 busy loops: [1-9]\d* verdicts compared, 0 changed\n`))
	left, err := os.ReadDir(folder)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(HaveEach(WithTransform(os.DirEntry.Name, HaveSuffix("-7"))), "the reports of the first runs alone are kept")
	g.Expect(left).To(HaveLen(2))
}

func TestWhatCannotBeSoaked(t *testing.T) {
	for name, args := range map[string][]string{
		"one run":                {"-runs", "1"},
		"a load below none":      {"-load", "-1"},
		"none at a time":         {"-parallel", "0"},
		"a seed that is no seed": {"-seed", "0"},
		"an argument":            {"twice"},
		"a profile nobody knows": {"-runs", "2", "-profiles", "telepathy", "-report", t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			NewWithT(t).Expect(soak(t.Context(), args, &out, &out)).To(Equal(unusable), out.String())
		})
	}
}

func TestTheLoadEndsWithTheSoak(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wait := load(ctx, 3)
	cancel()
	wait() // or the test runs out of time
}

// document is one of three verdicts, two of them on one thing.
func document() results.Document {
	observed := func(stimulus string, verdict results.Verdict, seen string) results.Observation {
		return results.Observation{Case: stimulus, Verdict: verdict, Scenario: "A tool refuses", Location: "tool.go:1", Seen: seen, Flows: []string{"01-0001"}}
	}
	return results.Document{Requirements: []results.Requirement{
		{ID: "sec-tool-aud", Observations: []results.Observation{observed("aud-foreign", results.Passed, "Refused."), observed("aud-foreign", results.Warned, "HTTP 400.")}},
		{ID: "sec-tool-exp", Observations: []results.Observation{observed("exp-past", results.Passed, "Refused\nas well.")}},
	}}
}

func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(now *results.Document)
		says   []string
	}{
		"nothing":     {func(*results.Document) {}, nil},
		"other words": {func(now *results.Document) { now.Requirements[0].Observations[0].Seen = "Refused by the login." }, nil},
		"another order": {func(now *results.Document) {
			both := now.Requirements[0].Observations
			both[0], both[1] = both[1], both[0]
		}, nil},
		"a verdict": {func(now *results.Document) { now.Requirements[1].Observations[0].Verdict = results.Failed }, []string{
			"CHANGED sec-tool-exp exp-past (A tool refuses)", "first: passed: Refused as well. (tool.go:1; flows 01-0001)", "now:   failed: Refused as well.",
		}},
		"one verdict of two": {func(now *results.Document) { now.Requirements[0].Observations[1].Verdict = results.Passed }, []string{"CHANGED sec-tool-aud aud-foreign", "first: warned: HTTP 400."}},
		"a verdict fewer":    {func(now *results.Document) { now.Requirements[0].Observations = now.Requirements[0].Observations[:1] }, []string{"CHANGED sec-tool-aud aud-foreign"}},
		"a case fewer":       {func(now *results.Document) { now.Requirements = now.Requirements[:1] }, []string{"CHANGED sec-tool-exp exp-past", "now:   not judged"}},
		"a case more": {func(now *results.Document) { now.Requirements[1].Observations[0].Case = "exp-missing" }, []string{
			"CHANGED sec-tool-exp exp-missing", "first: not judged", "CHANGED sec-tool-exp exp-past",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var out strings.Builder
			tally := &tally{out: &out, first: map[config.Side]outcome{}, memory: map[config.Side]*memories{}}
			for _, side := range sides {
				g.Expect(tally.begin(outcome{side: side, seed: 1, doc: document()})).To(BeTrue())
			}
			made := outcome{side: config.ToolSide, seed: 2, folder: t.TempDir(), doc: document()}
			c.change(&made.doc)
			tally.add(made)
			want := same
			if len(c.says) > 0 {
				want = changed
			}
			g.Expect(tally.sum(false)).To(Equal(want), out.String())
			for _, says := range c.says {
				g.Expect(out.String()).To(ContainSubstring(says))
			}
			_, err := os.Stat(made.folder)
			g.Expect(err == nil).To(Equal(want == changed), "the reports of a run that differs are kept, and no others")
			g.Expect(tally.sum(true)).To(Equal(unusable), "an interrupted soak is none")
		})
	}
}

func TestARunThatDies(t *testing.T) {
	g := NewWithT(t)
	var out strings.Builder
	tally := &tally{out: &out, first: map[config.Side]outcome{}, memory: map[config.Side]*memories{}}
	for _, side := range sides {
		g.Expect(tally.begin(outcome{side: side, seed: 1, doc: document()})).To(BeTrue())
	}
	tally.add(outcome{side: config.PlatformSide, seed: 2, err: errors.New("out of memory")})
	g.Expect(tally.sum(false)).To(Equal(changed))
	g.Expect(out.String()).To(ContainSubstring("platform  seed 2  DIED: out of memory"))

	g.Expect(tally.begin(outcome{side: config.ToolSide, seed: 1, err: errors.New("out of memory")})).To(BeFalse(), "nothing can be held against it")

	made := outcome{side: config.ToolSide, seed: 1, folder: t.TempDir()}
	g.Expect(made.make(t.Context(), "false", "")).To(MatchError(ContainSubstring("the process died")))
	g.Expect(made.make(t.Context(), "true", "")).To(MatchError(os.ErrNotExist), "it left nothing")
}
