// Package gate decides what a run amounts to for who runs it. A team may want more than
// the specification requires (no SHOULD broken, a certain feature shown), or less for a
// while (a known failure that has a ticket), or only to know what has got worse since an
// earlier run. None of that changes a verdict: the gate stands beside them.
package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// Terms are what a run is held against. The zero value is what the specification requires.
type Terms struct {
	FailOn  []string // of [config.Failures]; what failed counts in any case
	Require []string // patterns of ids: of these a warning counts as a failure, and what is skipped as not shown
	Waivers []results.Waiver
	// Baseline is an earlier run; nil for none. What was as bad then does not count, and
	// what was better does, whatever the level.
	Baseline *results.Document
	// Today is the day on which waivers have to hold.
	Today time.Time
}

// None says whether there are no terms, so that the outcome alone decides.
func (t Terms) None() bool {
	return len(t.FailOn) == 0 && len(t.Require) == 0 && len(t.Waivers) == 0 && t.Baseline == nil
}

// Decide holds a run against terms; nil where there are none.
func Decide(doc results.Document, terms Terms) *results.Gate {
	if terms.None() {
		return nil
	}
	d := decision{Terms: terms, gate: &results.Gate{FailOn: terms.FailOn, Require: terms.Require, Red: []results.Red{}}, needed: map[int]bool{}}
	var before map[key]row
	if terms.Baseline != nil {
		run := terms.Baseline.Run
		d.gate.Baseline = &results.Baseline{
			Name: run.Subject.Name, Version: run.Version, Started: run.Started.UTC().Format(time.RFC3339), Differs: differs(run, doc.Run),
		}
		before = byKey(rows(*terms.Baseline))
	}
	now := rows(doc)
	for _, r := range now {
		old, had := before[r.key]
		d.judge(r, old, had)
	}
	d.required(doc, now)
	d.gone(doc, byKey(now))
	d.findings(doc)
	d.waivers(now)
	d.end(doc, now)
	return d.gate
}

// A key names what is compared between runs.
type key struct{ requirement, stimulus string }

// A row is the worst that was observed of one case of a requirement.
type row struct {
	key
	level    string
	verdict  results.Verdict
	withheld bool
	seen     string
}

// rows are the cases of a run, in its order. A verdict that no version ever wrote counts as
// an error, and a requirement of which nothing was observed is a case.
func rows(doc results.Document) []row {
	var list []row
	for _, r := range doc.Requirements {
		at := map[string]int{}
		for _, o := range r.Observations {
			verdict := results.Worst(o.Verdict)
			i, has := at[o.Case]
			if !has {
				i = len(list)
				at[o.Case] = i
				list = append(list, row{key: key{r.ID, o.Case}, level: r.Level, verdict: verdict, withheld: o.Withheld, seen: o.Seen})
				continue
			}
			list[i].withheld = list[i].withheld || o.Withheld
			if worst := results.Worst(list[i].verdict, verdict); worst != list[i].verdict {
				list[i].verdict, list[i].seen = worst, o.Seen
			}
		}
		if len(r.Observations) == 0 {
			list = append(list, row{key: key{r.ID, ""}, level: r.Level, verdict: results.Worst(r.Verdict)})
		}
	}
	return list
}

func byKey(list []row) map[key]row {
	found := map[key]row{}
	for _, r := range list {
		found[r.key] = r
	}
	return found
}

// decision is what [Decide] has come to so far.
type decision struct {
	Terms
	gate   *results.Gate
	status []int        // that each red ends the run with, in the order of gate.Red
	needed map[int]bool // the waivers that something needs, or that are told already
	left   int          // how much passed in the baseline, and is left out of a narrower run
}

// judge says of a case whether it counts.
func (d *decision) judge(r, before row, had bool) {
	red := results.Red{Requirement: r.requirement, Case: r.stimulus, Level: r.level, Verdict: r.verdict, Seen: r.seen}
	if had && before.verdict != r.verdict {
		red.Before = before.verdict
	}
	status, why := d.counts(r)
	was, _ := d.counts(before)
	if had && status == 0 && before.verdict == results.Passed && r.verdict != results.Passed {
		status, why = lost(r.verdict)
	}
	red.Why = why
	i := d.waiver(r)
	if i >= 0 && (status > 0 || r.verdict != results.Passed && r.verdict != results.Skipped) {
		d.needed[i] = true
	}
	switch {
	case status == unusable: // no waiver makes good what nobody has seen
		d.add(red, status)
	case status == 0:
		if had && was > 0 && r.verdict == results.Passed {
			red.Why = fmt.Sprintf("was %s in the baseline", before.verdict)
			d.gate.Mended = append(d.gate.Mended, red)
		}
	case i >= 0 && d.ended(i):
		red.Why = fmt.Sprintf("%s; its waiver ended on %s", why, d.Waivers[i].Until)
		d.add(red, status)
	case i >= 0:
		red.Why = fmt.Sprintf("waived until %s: %s", d.Waivers[i].Until, d.Waivers[i].Reason)
		d.gate.Waived = append(d.gate.Waived, red)
	case had && was > 0 && gravity[r.verdict] <= gravity[before.verdict]:
		red.Why = "was no better in the baseline"
		d.gate.Known = append(d.gate.Known, red)
	default:
		d.add(red, status)
	}
}

// lost is what it comes to that a case passed in the baseline, and has another verdict that
// would not count by itself.
func lost(verdict results.Verdict) (int, string) {
	if verdict == results.Warned {
		return 1, "passed in the baseline"
	}
	return 2, "passed in the baseline, and is no longer shown"
}

// counts returns the status that a case ends a run with by itself, 0 for none, and why.
func (d *decision) counts(r row) (int, string) {
	required, how := r.level == string(requirements.Must), "it is required"
	named := slices.ContainsFunc(d.Require, func(pattern string) bool { return requirements.Matches(pattern, r.requirement) })
	if named {
		required, how = true, "your configuration requires it"
	}
	switch r.verdict {
	case results.Failed:
		return 1, "failed"
	case results.Errored:
		return unusable, "Invigilator could not judge it"
	case results.Warned:
		if named {
			return 1, "warned, and " + how
		}
		if slices.Contains(d.FailOn, string(results.Warned)) {
			return 1, "warned, which fail_on names"
		}
	case results.Inconclusive:
		if required {
			return 2, "could not be shown, and " + how
		}
		if slices.Contains(d.FailOn, string(results.Inconclusive)) {
			return 2, "could not be shown, which fail_on names"
		}
	case results.Skipped:
		if named || required && r.withheld {
			return 2, "was not tried, and " + how
		}
	}
	return 0, ""
}

// gravity orders verdicts by how bad each is beside that of the baseline.
var gravity = map[results.Verdict]int{
	results.Passed: 0, results.Skipped: 1, results.Inconclusive: 1, results.Warned: 2, results.Failed: 3, results.Errored: 4,
}

// unusable is the status of what says nothing of the subject.
var unusable = results.Unusable.ExitCode()

// required finds what has to be shown and is no part of the run, nor of another shard of it.
func (d *decision) required(doc results.Document, now []row) {
	var elsewhere []string
	if doc.Run.Shard != nil {
		elsewhere = doc.Run.Shard.Elsewhere
	}
	for _, pattern := range d.Require {
		if slices.ContainsFunc(elsewhere, func(id string) bool { return requirements.Matches(pattern, id) }) {
			continue
		}
		if !slices.ContainsFunc(now, func(r row) bool { return requirements.Matches(pattern, r.requirement) }) {
			d.add(results.Red{Requirement: pattern, Why: "your configuration requires it, and this run does not judge it"}, 2)
		}
	}
}

// gone finds what passed in the baseline and is no part of a run that was to judge all.
func (d *decision) gone(doc results.Document, now map[key]row) {
	if d.Baseline == nil {
		return
	}
	for _, r := range rows(*d.Baseline) {
		if _, still := now[r.key]; still || r.verdict != results.Passed {
			continue
		}
		if doc.Run.Only != "" || doc.Run.Shard != nil {
			d.left++
			continue
		}
		d.add(results.Red{Requirement: r.requirement, Case: r.stimulus, Level: r.level, Before: r.verdict, Why: "passed in the baseline, and is no part of this run"}, 2)
	}
}

// differs says in what a baseline is of another run than one of the same subject in the
// same agent; empty where in nothing.
func differs(before, now results.Run) string {
	var what []string
	for _, part := range []struct{ name, before, now string }{
		{"subject", before.Subject.Name, now.Subject.Name}, {"agent", string(before.Agent.Kind), string(now.Agent.Kind)}, {"version of Invigilator", before.Version, now.Version},
	} {
		if part.before != part.now {
			what = append(what, fmt.Sprintf("another %s (%s)", part.name, results.Bounded(strings.Join(strings.Fields(part.before), " "), 100)))
		}
	}
	return strings.Join(what, ", ")
}

func (d *decision) add(red results.Red, status int) {
	d.gate.Red, d.status = append(d.gate.Red, red), append(d.status, status)
}

// waiver returns the index of a waiver of a case, one that is in force before one that has
// ended; -1 where there is none.
func (d *decision) waiver(r row) int {
	found := -1
	for i, w := range d.Waivers {
		if !waives(w, r) {
			continue
		}
		if !d.ended(i) {
			return i
		}
		found = i
	}
	return found
}

// waives says whether a waiver is about a case. Reports call what is seen unprovoked
// observed.
func waives(w results.Waiver, r row) bool {
	return requirements.Matches(w.Requirement, r.requirement) && (w.Case == "" || requirements.Matches(w.Case, cmp.Or(r.stimulus, results.Unprovoked)))
}

// ended says whether the last day of a waiver is over.
func (d *decision) ended(i int) bool { return d.Today.UTC().Format(time.DateOnly) > d.Waivers[i].Until }

// waivers finds those that have ended or that nothing needs: a list that is longer than
// what it excuses hides the next failure.
func (d *decision) waivers(now []row) {
	for i, w := range d.Waivers {
		about := slices.DeleteFunc(slices.Clone(now), func(r row) bool { return !waives(w, r) })
		passed := slices.ContainsFunc(about, func(r row) bool { return r.verdict == results.Passed })
		switch {
		case len(about) == 0:
		case d.ended(i) && !d.told(w):
			d.add(results.Red{Requirement: w.Requirement, Case: w.Case, Why: fmt.Sprintf("this waiver ended on %s: take it out", w.Until)}, 1)
		case !d.needed[i] && passed:
			d.add(results.Red{Requirement: w.Requirement, Case: w.Case, Why: "nothing needs this waiver any more: take it out"}, 1)
		}
	}
}

// told says whether something is red of which a waiver has ended.
func (d *decision) told(w results.Waiver) bool {
	return slices.ContainsFunc(d.gate.Red, func(red results.Red) bool {
		return red.Verdict != "" && waives(w, row{key: key{red.Requirement, red.Case}})
	})
}

// ofRun are the kinds of findings that tell what the run has done or could not do.
var ofRun = []string{"agents", "journey", "left behind", "limited", "not-tried", "preflight"}

// findings counts what the run tells of the subject beside its verdicts, where it is to.
func (d *decision) findings(doc results.Document) {
	if !slices.Contains(d.FailOn, config.Findings) {
		return
	}
	for _, f := range doc.Findings {
		told := func(other results.Finding) bool { return other.Kind == f.Kind && other.Says == f.Says }
		red := results.Red{Why: "a finding, which fail_on names", Seen: f.Says}
		switch {
		case f.Scenario == "", slices.Contains(ofRun, f.Kind): // about the run, not the subject
		case d.Baseline != nil && slices.ContainsFunc(d.Baseline.Findings, told):
			red.Why = "was told in the baseline"
			d.gate.Known = append(d.gate.Known, red)
		default:
			d.add(red, 1)
		}
	}
}

// end sums up.
func (d *decision) end(doc results.Document, now []row) {
	g := d.gate
	shown := slices.ContainsFunc(now, func(r row) bool {
		return r.verdict == results.Passed || r.verdict == results.Warned || r.verdict == results.Failed
	})
	switch {
	case doc.Outcome == results.Unusable && !doc.Diagnosis.Partial():
		g.Exit, g.Because = unusable, doc.Because
	case slices.Contains(d.status, 1):
		g.Exit, g.Because = results.NotConformant.ExitCode(), d.count()
	case doc.Diagnosis != nil:
		g.Exit, g.Because = unusable, doc.Diagnosis.Problem
	case slices.Contains(d.status, unusable):
		g.Exit, g.Because = unusable, d.count()
	case slices.Contains(d.status, 2):
		g.Exit, g.Because = results.NotShown.ExitCode(), d.count()
	case !shown:
		g.Exit, g.Because = results.NotShown.ExitCode(), "Nothing was shown."
	default:
		g.Because = d.count()
	}
	order := []int{1, unusable, 2}
	var sorted []results.Red
	for _, status := range order {
		for i, red := range g.Red {
			if d.status[i] == status {
				sorted = append(sorted, red)
			}
		}
	}
	g.Red = append([]results.Red{}, sorted...)
}

// count says how much counts against the run, and how much does not.
func (d *decision) count() string {
	says := "Nothing is red"
	if n := len(d.gate.Red); n > 0 {
		says = fmt.Sprintf("%d red", n)
	}
	for _, part := range []struct {
		n    int
		says string
	}{
		{len(d.gate.Waived), "waived"}, {len(d.gate.Known), "as bad in the baseline"}, {len(d.gate.Mended), "mended since the baseline"},
		{d.left, "of the baseline left out"},
	} {
		if part.n > 0 {
			says += fmt.Sprintf(", %d %s", part.n, part.says)
		}
	}
	if b := d.gate.Baseline; b != nil && b.Differs != "" {
		says += ". The baseline is of " + b.Differs
	}
	return says + "."
}
