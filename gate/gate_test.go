package gate_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/gate"
	"invigilator.example/results"
)

var today = time.Date(2026, 3, 6, 23, 30, 0, 0, time.UTC)

// run is a document of requirements with one case each.
func run(requirements ...results.Requirement) results.Document {
	doc := results.Document{Schema: results.Schema, Outcome: results.Conformant, Because: "All passed.", Requirements: requirements}
	doc.Run.Subject = results.Subject{Name: "Example", Side: "tool"}
	for _, r := range requirements {
		switch {
		case r.Verdict == results.Failed:
			doc.Outcome, doc.Because = results.NotConformant, "Something failed."
		case r.Verdict == results.Inconclusive && r.Level == "MUST" && doc.Outcome == results.Conformant:
			doc.Outcome, doc.Because = results.NotShown, "Something was not shown."
		}
	}
	return doc
}

func of(id, level string, cases ...any) results.Requirement {
	r := results.Requirement{ID: id, Level: level}
	for i := 0; i < len(cases); i += 2 {
		name, verdict := cases[i].(string), cases[i+1].(results.Verdict)
		r.Observations = append(r.Observations, results.Observation{Requirement: id, Case: name, Verdict: verdict, Seen: "it was " + string(verdict)})
		if r.Verdict = results.Worst(verdict, r.Verdict); i == 0 {
			r.Verdict = verdict
		}
	}
	return r
}

func must(verdict results.Verdict) results.Requirement { return of("a-must", "MUST", "first", verdict) }
func should(verdict results.Verdict) results.Requirement {
	return of("a-should", "SHOULD", "first", verdict)
}

func waiver(id, stimulus, until string) results.Waiver {
	return results.Waiver{Requirement: id, Case: stimulus, Reason: "ticket 7", Until: until}
}

func TestWithoutTermsTheOutcomeDecides(t *testing.T) {
	g := NewWithT(t)
	for verdict, status := range map[results.Verdict]int{results.Passed: 0, results.Failed: 1, results.Inconclusive: 2} {
		doc := run(must(verdict))
		doc.Gate = gate.Decide(doc, gate.Terms{Today: today})
		g.Expect(doc.Gate).To(BeNil())
		g.Expect(doc.ExitCode()).To(Equal(status), string(verdict))
	}
}

func TestWhatTurnsARunRed(t *testing.T) {
	baseline := func(requirements ...results.Requirement) *results.Document {
		doc := run(requirements...)
		return &doc
	}
	unjudged := run(must(results.Inconclusive))
	unjudged.Outcome, unjudged.Because, unjudged.Diagnosis = results.Unusable, "Nobody is there.", &results.Diagnosis{Problem: "Nobody is there."}
	found := run(must(results.Passed))
	found.Findings = []results.Finding{{Kind: "unplanned-request", Says: "GET /", Scenario: "A tool"}, {Kind: "strangers", Says: "of the run"}, {Kind: "agents", Says: "of the run, too", Scenario: "A tool"}}
	narrow := run(should(results.Passed))
	narrow.Run.Only = "(a-should)"
	half := run(of("a", "MUST", "x", results.Passed, "y", results.Inconclusive))
	withheld := run(must(results.Skipped), should(results.Passed))
	withheld.Requirements[0].Observations[0].Withheld = true

	for name, test := range map[string]struct {
		doc                          results.Document
		terms                        gate.Terms
		status                       int
		red, waived, known, improved []string // ids
	}{
		"a failure, whatever is named":                    {doc: run(must(results.Failed)), terms: gate.Terms{FailOn: []string{"warned"}}, status: 1, red: []string{"a-must"}},
		"a failed recommendation":                         {doc: run(should(results.Failed)), terms: gate.Terms{FailOn: []string{"failed"}}, status: 1, red: []string{"a-should"}},
		"a warning that nobody named":                     {doc: run(must(results.Passed), should(results.Warned)), terms: gate.Terms{FailOn: []string{"failed"}}},
		"a warning that is named":                         {doc: run(should(results.Warned)), terms: gate.Terms{FailOn: []string{"warned"}}, status: 1, red: []string{"a-should"}},
		"what is not shown":                               {doc: run(must(results.Inconclusive), should(results.Passed)), terms: gate.Terms{FailOn: []string{"warned"}}, status: 2, red: []string{"a-must"}},
		"a recommendation that is not shown":              {doc: run(must(results.Passed), should(results.Inconclusive)), terms: gate.Terms{FailOn: []string{"warned"}}},
		"the same where it is named":                      {doc: run(must(results.Passed), should(results.Inconclusive)), terms: gate.Terms{FailOn: []string{"inconclusive"}}, status: 2, red: []string{"a-should"}},
		"what may not be tried":                           {doc: withheld, terms: gate.Terms{FailOn: []string{"warned"}}, status: 2, red: []string{"a-must"}},
		"a feature that nobody declares":                  {doc: run(must(results.Skipped), should(results.Passed)), terms: gate.Terms{FailOn: []string{"warned"}}},
		"one that has to be shown":                        {doc: run(must(results.Skipped), should(results.Passed)), terms: gate.Terms{Require: []string{"a-m*"}}, status: 2, red: []string{"a-must"}},
		"a recommendation that has to be kept":            {doc: run(must(results.Passed), should(results.Warned)), terms: gate.Terms{Require: []string{"a-should"}}, status: 1, red: []string{"a-should"}},
		"a failure before what is not shown":              {doc: run(must(results.Inconclusive), should(results.Failed)), terms: gate.Terms{FailOn: []string{"failed"}}, status: 1, red: []string{"a-should", "a-must"}},
		"our own error":                                   {doc: run(must(results.Errored)), terms: gate.Terms{FailOn: []string{"failed"}}, status: 3, red: []string{"a-must"}},
		"nothing judged":                                  {doc: unjudged, terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2099-01-01")}}, status: 3, waived: []string{"a-must"}},
		"findings that nobody named":                      {doc: found, terms: gate.Terms{FailOn: []string{"warned"}}},
		"findings of the subject":                         {doc: found, terms: gate.Terms{FailOn: []string{"findings"}}, status: 1, red: []string{""}},
		"findings of the baseline":                        {doc: found, terms: gate.Terms{FailOn: []string{"findings"}, Baseline: &found}, known: []string{""}},
		"a waiver":                                        {doc: run(must(results.Failed), should(results.Passed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-12-31")}}, waived: []string{"a-must"}},
		"a waiver on its last day":                        {doc: run(must(results.Failed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-*", "f?rst", "2026-03-06")}}, waived: []string{"a-must"}},
		"a waiver that has ended":                         {doc: run(must(results.Failed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-03-05")}}, status: 1, red: []string{"a-must"}},
		"one that has ended beside one that has not":      {doc: run(must(results.Failed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-03-05"), waiver("a-must", "", "2026-03-07")}}, status: 1, red: []string{"a-must"}, waived: []string{"a-must"}},
		"a waiver of another case":                        {doc: run(must(results.Failed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "second", "2026-12-31")}}, status: 1, red: []string{"a-must"}},
		"a waiver that nothing needs":                     {doc: run(must(results.Passed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-12-31")}}, status: 1, red: []string{"a-must"}},
		"a waiver of what is not passed, and is no red":   {doc: run(should(results.Warned)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-should", "", "2026-12-31")}}},
		"a waiver of what passed beside what was skipped": {doc: run(of("a", "MUST", "x", results.Passed, "y", results.Skipped)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a", "", "2026-12-31")}}, status: 1, red: []string{"a"}},
		"a waiver that has ended, of what was skipped":    {doc: run(of("a", "MUST", "x", results.Passed, "y", results.Skipped)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a", "y", "2020-01-01")}}, status: 1, red: []string{"a"}},
		"what is required, and not in the run":            {doc: run(should(results.Passed)), terms: gate.Terms{Require: []string{"a-must"}}, status: 2, red: []string{"a-must"}},
		"what passed before, and is not in the run":       {doc: run(should(results.Passed)), terms: gate.Terms{Baseline: baseline(must(results.Passed), should(results.Passed))}, status: 2, red: []string{"a-must"}},
		"the same where the run is narrower":              {doc: narrow, terms: gate.Terms{Baseline: baseline(must(results.Passed), should(results.Passed))}},
		"a warning that nobody could see before":          {doc: run(must(results.Passed), should(results.Warned)), terms: gate.Terms{FailOn: []string{"warned"}, Baseline: baseline(should(results.Inconclusive))}, status: 1, red: []string{"a-should"}},
		"our own error, waived":                           {doc: run(must(results.Errored), should(results.Failed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-*", "", "2026-12-31")}}, status: 3, red: []string{"a-must"}, waived: []string{"a-should"}},
		"our own error, as in the baseline":               {doc: run(must(results.Errored)), terms: gate.Terms{Baseline: baseline(must(results.Errored))}, status: 3, red: []string{"a-must"}},
		"a verdict that nobody knows":                     {doc: run(must("splendid")), terms: gate.Terms{FailOn: []string{"failed"}}, status: 3, red: []string{"a-must"}},
		"a failure of which nothing was observed":         {doc: run(results.Requirement{ID: "b", Level: "MUST", Verdict: results.Failed}), terms: gate.Terms{FailOn: []string{"failed"}}, status: 1, red: []string{"b"}},
		"as much shown as before":                         {doc: half, terms: gate.Terms{Baseline: &half}, known: []string{"a"}},
		"a waiver of what this run leaves out":            {doc: run(should(results.Passed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-12-31")}}},
		"a waiver of what could not be tried":             {doc: run(must(results.Skipped), should(results.Passed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-12-31")}}},
		"what is seen unprovoked":                         {doc: run(of("b", "MUST", "", results.Failed), should(results.Passed)), terms: gate.Terms{Waivers: []results.Waiver{waiver("b", "observed", "2026-12-31")}}, waived: []string{"b"}},
		"waived, and nothing shown":                       {doc: run(must(results.Inconclusive)), terms: gate.Terms{Waivers: []results.Waiver{waiver("a-must", "", "2026-12-31")}}, status: 2, waived: []string{"a-must"}},
		"as bad in the baseline":                          {doc: run(must(results.Failed), should(results.Passed)), terms: gate.Terms{Baseline: baseline(must(results.Failed))}, known: []string{"a-must"}},
		"better than the baseline, and not good":          {doc: run(must(results.Inconclusive), should(results.Passed)), terms: gate.Terms{Baseline: baseline(must(results.Failed))}, known: []string{"a-must"}},
		"worse than the baseline":                         {doc: run(must(results.Failed)), terms: gate.Terms{Baseline: baseline(must(results.Inconclusive))}, status: 1, red: []string{"a-must"}},
		"a recommendation that was kept":                  {doc: run(must(results.Passed), should(results.Warned)), terms: gate.Terms{Baseline: baseline(should(results.Passed))}, status: 1, red: []string{"a-should"}},
		"one that was not tried before":                   {doc: run(must(results.Passed), should(results.Warned)), terms: gate.Terms{Baseline: baseline(should(results.Skipped))}},
		"a recommendation that is lost from view":         {doc: run(must(results.Passed), should(results.Inconclusive)), terms: gate.Terms{Baseline: baseline(should(results.Passed))}, status: 2, red: []string{"a-should"}},
		"what the baseline did not know":                  {doc: run(must(results.Failed), should(results.Passed)), terms: gate.Terms{Baseline: baseline(should(results.Passed))}, status: 1, red: []string{"a-must"}},
		"what is mended":                                  {doc: run(must(results.Passed)), terms: gate.Terms{Baseline: baseline(must(results.Failed))}, improved: []string{"a-must"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			test.terms.Today = today
			got := gate.Decide(test.doc, test.terms)
			g.Expect(got.Exit).To(Equal(test.status), got.Because)
			g.Expect(got.Because).NotTo(BeEmpty())
			for _, list := range []struct {
				want []string
				got  []results.Red
			}{{test.red, got.Red}, {test.waived, got.Waived}, {test.known, got.Known}, {test.improved, got.Mended}} {
				ids := []string{}
				for _, red := range list.got {
					g.Expect(red.Why).NotTo(BeEmpty())
					ids = append(ids, red.Requirement)
				}
				g.Expect(ids).To(Equal(append([]string{}, list.want...)))
			}
		})
	}
}

func TestTheWorstOfACaseCounts(t *testing.T) {
	g := NewWithT(t)
	before, now := run(of("a", "MUST", "x", results.Passed, "x", results.Passed)), run(of("a", "MUST", "x", results.Passed, "x", results.Failed))
	g.Expect(gate.Compare(before, now)).To(Equal([]gate.Change{
		{Requirement: "a", Case: "x", Level: "MUST", Before: results.Passed, Now: results.Failed, Seen: "it was failed"},
	}))
	g.Expect(gate.Compare(now, now)).To(BeEmpty())
}

func TestWhatAChangeMeans(t *testing.T) {
	g := NewWithT(t)
	for change, kind := range map[[2]results.Verdict]gate.Kind{
		{results.Passed, results.Failed}: gate.Worse, {results.Warned, results.Failed}: gate.Worse, {results.Skipped, results.Failed}: gate.Worse,
		{results.Passed, results.Warned}: gate.Worse, {results.Skipped, results.Warned}: gate.Other, {results.Failed, results.Warned}: gate.Other,
		{results.Passed, results.Inconclusive}: gate.Unseen, {results.Passed, results.Skipped}: gate.Unseen,
		{results.Failed, results.Passed}: gate.Mended, {results.Inconclusive, results.Passed}: gate.Mended,
		{"", results.Failed}: gate.New, {results.Passed, ""}: gate.Gone,
	} {
		c := gate.Change{Before: change[0], Now: change[1]}
		g.Expect(c.Kind()).To(Equal(kind), "%s to %s", change[0], change[1])
		g.Expect(gate.Kinds).To(ContainElement(kind))
	}
}

func TestTheWaiversThatARunNeedsLetItPass(t *testing.T) {
	g := NewWithT(t)
	doc := run(of("a", "MUST", "x", results.Failed, "y", results.Passed, "", results.Inconclusive), should(results.Warned))
	for _, failOn := range [][]string{nil, {"warned"}} {
		if failOn != nil {
			doc.Gate = gate.Decide(doc, gate.Terms{FailOn: failOn, Today: today})
		}
		waivers := gate.Needed(doc, "ticket 7", "2026-12-31")
		g.Expect(waivers).To(HaveLen(2 + len(failOn)))
		held := gate.Decide(doc, gate.Terms{FailOn: failOn, Waivers: waivers, Today: today})
		g.Expect(held.Exit).To(Equal(0), held.Because)
		g.Expect(held.Red).To(BeEmpty())
	}
	doc = run(must(results.Passed))
	g.Expect(gate.Needed(doc, "", "2026-12-31")).To(BeEmpty())
}

func TestAVerdictThatNobodyKnowsIsNoPass(t *testing.T) {
	g := NewWithT(t)
	for _, odd := range []results.Verdict{"", "fine\nworse"} {
		doc := run(must(odd))
		g.Expect(gate.Compare(run(must(results.Passed)), doc)).To(ConsistOf(HaveField("Now", results.Errored)))
		g.Expect(gate.Decide(doc, gate.Terms{FailOn: []string{"failed"}, Today: today}).Red).To(ConsistOf(HaveField("Verdict", results.Errored)))
	}
}
