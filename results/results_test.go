package results_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	. "github.com/onsi/gomega"

	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/results/resultstest"
)

// byGravity are the verdicts, the gravest first.
var byGravity = []results.Verdict{
	results.Failed, results.Errored, results.Inconclusive, results.Warned, results.Passed, results.Skipped,
}

func TestWorst(t *testing.T) {
	g := NewWithT(t)
	g.Expect(results.Worst()).To(Equal(results.Skipped))
	for i, graver := range byGravity {
		g.Expect(results.Worst(graver)).To(Equal(graver))
		for _, lighter := range byGravity[i:] {
			g.Expect(results.Worst(graver, lighter)).To(Equal(graver))
			g.Expect(results.Worst(lighter, graver, lighter)).To(Equal(graver))
		}
		g.Expect(results.Worst(byGravity[i:]...)).To(Equal(graver))
	}
}

func TestExitCode(t *testing.T) {
	for outcome, code := range map[results.Outcome]int{
		results.Conformant: 0, results.NotConformant: 1, results.NotShown: 2, results.Unusable: 3, "": 3, "anything": 3,
	} {
		NewWithT(t).Expect(outcome.ExitCode()).To(Equal(code), "%s", outcome)
	}
}

// requirement makes one, with stimuli named by their cases.
func requirement(id string, level requirements.Level, cases ...string) requirements.Requirement {
	r := requirements.Requirement{
		ID: requirements.ID(id), Level: level, Binds: requirements.Tool, Profile: "launch", Section: "1.2",
		Source: requirements.Source{Key: "s", Title: "A specification"}, Link: "https://spec.example/#" + id,
		Statement: "It " + id + ".", Expect: "What " + id + " expects.", Provoke: []requirements.Stimulus{},
	}
	for _, name := range cases {
		r.Provoke = append(r.Provoke, requirements.Stimulus{Case: name, Does: "does " + name})
	}
	return r
}

func in(profile string, r requirements.Requirement) requirements.Requirement {
	r.Profile = profile
	return r
}

// saw makes an observation; text is the requirement, or requirement/case.
func saw(text string, verdict results.Verdict, scenario string) results.Observation {
	id, name, _ := strings.Cut(text, "/")
	return results.Observation{
		Requirement: id, Case: name, Verdict: verdict, Scenario: scenario, Expected: "expected", Seen: "seen in " + scenario,
		Location: "file.go:1", Flows: []string{"flow of " + scenario},
	}
}

func fragment(observations ...results.Observation) results.Fragment {
	return results.Fragment{Observations: observations}
}

func assemble(selected []requirements.Requirement, fragments ...results.Fragment) results.Document {
	return results.Assemble(results.Run{}, nil, selected, nil, fragments)
}

// told are the observations of a requirement in short: case verdict @scenario.
func told(r results.Requirement) []string {
	var short []string
	for _, o := range r.Observations {
		short = append(short, strings.TrimSpace(fmt.Sprintf("%s %s @%s", o.Case, o.Verdict, o.Scenario)))
	}
	return short
}

func TestARequirementIsTakenFromTheCatalogue(t *testing.T) {
	g := NewWithT(t)
	doc := assemble([]requirements.Requirement{requirement("a", requirements.Must, "x")}, fragment(saw("a/x", results.Passed, "s")))
	want := saw("a/x", results.Passed, "s")
	want.Stimulus = "does x"
	g.Expect(cmp.Diff([]results.Requirement{{
		ID: "a", Profile: "launch", Level: "MUST", Binds: "tool", Source: "A specification", Section: "1.2",
		Link: "https://spec.example/#a", Statement: "It a.", Expect: "What a expects.",
		Verdict: results.Passed, Observations: []results.Observation{want},
	}}, doc.Requirements)).To(BeEmpty())
	g.Expect(doc.Schema).To(Equal(results.Schema))
}

func TestWhatWasNotObservedIsInconclusive(t *testing.T) {
	for name, test := range map[string]struct {
		of           requirements.Requirement
		observations []results.Observation
		verdict      results.Verdict
		told         []string
	}{
		"nothing observed": {
			requirement("a", requirements.Must), nil, results.Inconclusive, []string{"inconclusive @"},
		},
		"no stimulus tried": {
			requirement("a", requirements.Must, "x", "y"), nil, results.Inconclusive, []string{"x inconclusive @", "y inconclusive @"},
		},
		"one stimulus untried": {
			requirement("a", requirements.Must, "x", "y", "z"),
			[]results.Observation{saw("a/z", results.Passed, "s"), saw("a/x", results.Passed, "s")},
			results.Inconclusive, []string{"x passed @s", "y inconclusive @", "z passed @s"},
		},
		"one failed, one untried": {
			requirement("a", requirements.Must, "x", "y"), []results.Observation{saw("a/x", results.Failed, "s")},
			results.Failed, []string{"x failed @s", "y inconclusive @"},
		},
		"only seen unprovoked": {
			requirement("a", requirements.Must, "x"), []results.Observation{saw("a", results.Passed, "s")},
			results.Inconclusive, []string{"passed @s", "x inconclusive @"},
		},
		"a stimulus that it does not have": {
			requirement("a", requirements.Must, "x"), []results.Observation{saw("a/y", results.Passed, "s")},
			results.Inconclusive, []string{"y passed @s", "x inconclusive @"},
		},
		"all tried": {
			requirement("a", requirements.Must, "x", "y"),
			[]results.Observation{saw("a/x", results.Passed, "s"), saw("a/y", results.Skipped, "s")},
			results.Passed, []string{"x passed @s", "y skipped @s"},
		},
		"seen unprovoked": {
			requirement("a", requirements.Must), []results.Observation{saw("a", results.Warned, "s")}, results.Warned, []string{"warned @s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			doc := assemble([]requirements.Requirement{test.of}, fragment(test.observations...))
			g.Expect(doc.Requirements).To(HaveLen(1))
			r := doc.Requirements[0]
			g.Expect(r.Verdict).To(Equal(test.verdict))
			g.Expect(told(r)).To(Equal(test.told))
			for _, o := range r.Observations {
				g.Expect(o.Requirement).To(Equal("a"))
				g.Expect(o.Seen).NotTo(BeEmpty())
				if s, ok := test.of.Stimulus(o.Case); ok {
					g.Expect(o.Stimulus).To(Equal(s.Does))
				}
				if o.Scenario == "" {
					g.Expect(o.Expected).To(Equal("What a expects."))
					g.Expect(o.Seen).To(Equal("No scenario came as far as judging this."))
					g.Expect(o.Flows).To(BeEmpty())
					g.Expect(o.Flows).NotTo(BeNil(), "in JSON a list is a list")
				}
			}
		})
	}
}

func TestOrderFollowsTheCatalogue(t *testing.T) {
	g := NewWithT(t)
	selected := []requirements.Requirement{
		requirement("m", requirements.Must, "z", "a", "k"), requirement("b", requirements.Must), requirement("z", requirements.Must),
	}
	doc := assemble(selected,
		fragment(saw("z", results.Passed, "s2"), saw("m/k", results.Passed, "s2"), saw("m/a", results.Passed, "s2"), saw("b", results.Passed, "s2")),
		fragment(saw("b", results.Passed, "s1"), saw("m/a", results.Passed, "s1"), saw("m/z", results.Passed, "s1"), saw("m", results.Passed, "s1")),
	)
	var ids []string
	for _, r := range doc.Requirements {
		ids = append(ids, r.ID)
	}
	g.Expect(ids).To(Equal([]string{"m", "b", "z"}))
	g.Expect(told(doc.Requirements[0])).To(Equal([]string{"passed @s1", "z passed @s1", "a passed @s1", "a passed @s2", "k passed @s2"}))
	g.Expect(told(doc.Requirements[1])).To(Equal([]string{"passed @s1", "passed @s2"}))
}

func TestOneScenarioTellsInItsOwnOrder(t *testing.T) {
	g := NewWithT(t)
	first, second := saw("a", results.Passed, "s"), saw("a", results.Failed, "s")
	doc := assemble([]requirements.Requirement{requirement("a", requirements.Must)}, fragment(first, second))
	g.Expect(told(doc.Requirements[0])).To(Equal([]string{"passed @s", "failed @s"}))
}

func TestWhatWasNotSelectedIsLeftOut(t *testing.T) {
	g := NewWithT(t)
	doc := assemble([]requirements.Requirement{requirement("a", requirements.Must)},
		fragment(saw("a", results.Passed, "s"), saw("b", results.Failed, "s"), saw("", results.Errored, "s")))
	g.Expect(doc.Requirements).To(HaveLen(1))
	g.Expect(doc.Outcome).To(Equal(results.Conformant))
	g.Expect(written(g, doc)).NotTo(Or(ContainSubstring(`"b"`), ContainSubstring("failed"), ContainSubstring("errored")))
}

func TestWhatTheRunMayNotTryIsNotShown(t *testing.T) {
	withheld := saw("r0", results.Skipped, "s")
	withheld.Withheld = true
	for name, test := range map[string]struct {
		level   requirements.Level
		beside  results.Verdict
		want    results.Outcome
		because string
	}{
		"a MUST":               {requirements.Must, results.Passed, results.NotShown, "1 required of 2 requirements were not tried, for nothing may be written."},
		"a SHOULD":             {requirements.Should, results.Passed, results.Conformant, "The requirement passed."},
		"a MUST beside a skip": {requirements.Must, results.Skipped, results.NotShown, "Nothing was judged: 1 required were not tried, for nothing may be written."},
		"a MUST beside a fail": {requirements.Must, results.Failed, results.NotConformant, "1 of 1 requirements failed."},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			doc := assemble([]requirements.Requirement{requirement("r0", test.level), requirement("r1", requirements.Must)},
				results.Fragment{Observations: []results.Observation{withheld, saw("r1", test.beside, "s")}})
			g.Expect(doc.Outcome).To(Equal(test.want))
			g.Expect(doc.Because).To(HavePrefix(test.because))
		})
	}
}

func TestOutcome(t *testing.T) {
	type of struct {
		level   requirements.Level
		verdict results.Verdict
	}
	const must, should, may = requirements.Must, requirements.Should, requirements.May
	for name, test := range map[string]struct {
		of      []of
		want    results.Outcome
		because string
	}{
		"nothing selected":              {nil, results.Unusable, "Nothing was judged."},
		"all passed":                    {[]of{{must, results.Passed}, {should, results.Passed}, {may, results.Passed}}, results.Conformant, "All 3 requirements passed."},
		"a MUST failed":                 {[]of{{must, results.Passed}, {must, results.Failed}}, results.NotConformant, "1 of 2 requirements failed."},
		"everything failed":             {[]of{{must, results.Failed}, {must, results.Failed}}, results.NotConformant, "2 of 2 requirements failed."},
		"failed beside errored":         {[]of{{must, results.Errored}, {must, results.Failed}, {must, results.Inconclusive}}, results.NotConformant, "1 of 3 requirements failed."},
		"a SHOULD warned":               {[]of{{must, results.Passed}, {should, results.Warned}}, results.Conformant, "None of 2 requirements failed; 1 warn."},
		"a MUST warned":                 {[]of{{must, results.Warned}}, results.Conformant, "None of 1 requirements failed; 1 warn."},
		"a MUST inconclusive":           {[]of{{must, results.Passed}, {must, results.Inconclusive}}, results.NotShown, "1 required of 2 requirements could not be shown."},
		"a MUST skipped":                {[]of{{must, results.Passed}, {must, results.Skipped}}, results.Conformant, "The requirement passed. 1 skipped: a feature is not declared, it would take too long, or nothing may be written."},
		"all skipped":                   {[]of{{must, results.Skipped}, {may, results.Skipped}}, results.NotShown, "Nothing was judged but features that are not declared."},
		"failed beside skipped":         {[]of{{must, results.Skipped}, {must, results.Failed}, {must, results.Passed}}, results.NotConformant, "1 of 2 requirements failed. 1 skipped: a feature is not declared, it would take too long, or nothing may be written."},
		"inconclusive beside a warning": {[]of{{must, results.Inconclusive}, {should, results.Warned}}, results.NotShown, "1 required of 2 requirements could not be shown."},
		"a SHOULD inconclusive":         {[]of{{must, results.Passed}, {should, results.Inconclusive}}, results.Conformant, "1 that are only recommended were not shown."},
		"a MAY skipped":                 {[]of{{must, results.Passed}, {may, results.Skipped}}, results.Conformant, "The requirement passed. 1 skipped: a feature is not declared, it would take too long, or nothing may be written."},
		"a MUST errored":                {[]of{{must, results.Passed}, {must, results.Errored}}, results.Unusable, "The harness could not judge 1 of 2 requirements."},
		"a SHOULD errored":              {[]of{{must, results.Passed}, {should, results.Errored}}, results.Unusable, "The harness could not judge 1 of 2 requirements."},
		"errored beside inconclusive":   {[]of{{must, results.Errored}, {must, results.Inconclusive}}, results.Unusable, "The harness could not judge 1 of 2 requirements."},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var selected []requirements.Requirement
			var f results.Fragment
			for i, o := range test.of {
				id := fmt.Sprintf("r%d", i)
				selected = append(selected, requirement(id, o.level))
				f.Observations = append(f.Observations, saw(id, o.verdict, "s"))
			}
			doc := assemble(selected, f)
			g.Expect(doc.Outcome).To(Equal(test.want))
			g.Expect(doc.Because).To(HaveSuffix(test.because))
			if len(selected) > 0 {
				g.Expect(doc.Profiles).To(HaveLen(1))
				g.Expect(doc.Profiles[0].Outcome).To(Equal(test.want), "the only profile amounts to the same")
				g.Expect(doc.Profiles[0].Because).To(Equal(doc.Because))
			}
		})
	}
}

func TestNothingObservedIsNotConformant(t *testing.T) {
	NewWithT(t).Expect(assemble([]requirements.Requirement{requirement("a", requirements.Must)}).Outcome).To(Equal(results.NotShown))
}

func TestDiagnosis(t *testing.T) {
	g := NewWithT(t)
	diagnosis := &results.Diagnosis{Step: "login", Sent: "GET /login", Seen: "HTTP 500", LookAt: "the log", Problem: "The tool's login does not answer."}
	selected := []requirements.Requirement{requirement("a", requirements.Must, "x", "y"), requirement("b", requirements.Should)}
	doc := results.Assemble(results.Run{}, diagnosis, selected, nil, nil)
	g.Expect(doc.Outcome).To(Equal(results.Unusable))
	g.Expect(doc.Outcome.ExitCode()).To(Equal(3))
	g.Expect(doc.Because).To(Equal(diagnosis.Problem))
	g.Expect(doc.Diagnosis).To(Equal(diagnosis))
	g.Expect(doc.Requirements).To(HaveLen(2))
	for _, r := range doc.Requirements {
		g.Expect(r.Verdict).To(Equal(results.Inconclusive), r.ID)
		for _, o := range r.Observations {
			g.Expect(o.Verdict).To(Equal(results.Inconclusive))
			g.Expect(o.Seen).To(Equal("Not tried: The tool's login does not answer."))
		}
	}
	g.Expect(told(doc.Requirements[0])).To(HaveLen(2))
	for _, p := range doc.Profiles {
		g.Expect(p.Outcome).NotTo(Equal(results.Conformant))
		g.Expect(p.Tally).To(Equal(map[results.Verdict]int{results.Inconclusive: 2}))
	}
	for _, part := range []string{diagnosis.Problem, "login", "GET /login", "HTTP 500", "the log"} {
		g.Expect(diagnosis.Error()).To(ContainSubstring(part))
	}
	diagnosis.Seen, diagnosis.Problem = "HTTP 200\n\nCONFORMANT: all\r\npassed", "Bad:\nCONFORMANT"
	g.Expect(diagnosis.Error()).To(Equal("Bad: CONFORMANT\n  at:      login\n  sent:    GET /login\n  seen:    HTTP 200 CONFORMANT: all passed\n  look at: the log"))
}

func TestADiagnosisTellsOnlyWhatIsKnown(t *testing.T) {
	g := NewWithT(t)
	d := &results.Diagnosis{Problem: "It has gone."}
	g.Expect(d.Error()).To(Equal("It has gone."))
	d.Seen = "nothing"
	g.Expect(d.Error()).To(Equal("It has gone.\n  seen:    nothing"))
}

func TestADiagnosisEndsEveryOutcome(t *testing.T) {
	diagnosis := &results.Diagnosis{Problem: "It has gone."}
	for _, verdict := range byGravity {
		doc := results.Assemble(results.Run{}, diagnosis, []requirements.Requirement{requirement("a", requirements.Must)}, nil,
			[]results.Fragment{fragment(saw("a", verdict, "s"))})
		NewWithT(t).Expect(doc.Outcome).To(Equal(results.Unusable), "%s", verdict)
	}
}

func TestProfiles(t *testing.T) {
	g := NewWithT(t)
	selected := []requirements.Requirement{
		in("services", requirement("s1", requirements.Must)), requirement("l1", requirements.Must), requirement("l2", requirements.Must),
		requirement("l3", requirements.Should), in("services", requirement("s2", requirements.Must)), requirement("l4", requirements.Must),
		in("keys", requirement("k1", requirements.Must)),
	}
	notCovered := []requirements.Requirement{
		requirement("l5", requirements.Should), in("services", requirement("s3", requirements.Must)), requirement("l6", requirements.Must),
	}
	doc := results.Assemble(results.Run{}, nil, selected, notCovered, []results.Fragment{fragment(
		saw("l1", results.Passed, "s"), saw("l2", results.Passed, "s"), saw("l3", results.Warned, "s"), saw("l4", results.Failed, "s"),
		saw("s1", results.Passed, "s"), saw("k1", results.Passed, "s"),
	)})
	g.Expect(cmp.Diff([]results.Profile{
		{Name: "keys", Outcome: results.Conformant, Because: "The requirement passed.", Tally: map[results.Verdict]int{results.Passed: 1}, Total: 1},
		{
			Name: "launch", Outcome: results.NotConformant, Because: "1 of 4 requirements failed.", Total: 4, NotCovered: 2,
			Tally: map[results.Verdict]int{results.Passed: 2, results.Warned: 1, results.Failed: 1},
		},
		{
			Name: "services", Outcome: results.NotShown, Because: "1 required of 2 requirements could not be shown.", Total: 2, NotCovered: 1,
			Tally: map[results.Verdict]int{results.Passed: 1, results.Inconclusive: 1},
		},
	}, doc.Profiles)).To(BeEmpty())
	g.Expect(doc.Outcome).To(Equal(results.NotConformant))
	g.Expect(cmp.Diff([]results.Uncovered{
		{ID: "l5", Profile: "launch", Level: "SHOULD", Statement: "It l5."},
		{ID: "s3", Profile: "services", Level: "MUST", Statement: "It s3."},
		{ID: "l6", Profile: "launch", Level: "MUST", Statement: "It l6."},
	}, doc.NotCovered)).To(BeEmpty())
}

func TestFindingsAreSorted(t *testing.T) {
	g := NewWithT(t)
	sorted := []results.Finding{
		{Scenario: "", Kind: "z", Says: "z"}, {Scenario: "a", Kind: "dropped", Says: "b", Flow: "2"}, {Scenario: "a", Kind: "dropped", Says: "c", Flow: "1"},
		{Scenario: "a", Kind: "unplanned", Says: "a"}, {Scenario: "b", Kind: "dropped", Says: "a"},
	}
	doc := assemble(nil,
		results.Fragment{Findings: []results.Finding{sorted[3], sorted[0], sorted[2]}}, results.Fragment{},
		results.Fragment{Findings: []results.Finding{sorted[4], sorted[1]}})
	g.Expect(cmp.Diff(sorted, doc.Findings)).To(BeEmpty())
}

func TestEvidenceIsMerged(t *testing.T) {
	g := NewWithT(t)
	doc := assemble(nil,
		results.Fragment{Flows: map[string]results.Flow{"1": {ID: "1"}, "2": {ID: "2"}}, Screenshots: map[string][]byte{"x": {1}, "y": {2}}},
		results.Fragment{},
		results.Fragment{Flows: map[string]results.Flow{"3": {ID: "3"}}, Screenshots: map[string][]byte{"y": {2}, "z": {3}}})
	g.Expect(doc.Flows).To(Equal(map[string]results.Flow{"1": {ID: "1"}, "2": {ID: "2"}, "3": {ID: "3"}}))
	g.Expect(doc.Screenshots).To(Equal(map[string][]byte{"x": {1}, "y": {2}, "z": {3}}))
}

func TestFragmentsAreLeftAsTheyAre(t *testing.T) {
	g := NewWithT(t)
	fragments := func() []results.Fragment {
		return []results.Fragment{{
			Observations: []results.Observation{saw("a/y", results.Passed, "s"), saw("a/x", results.Passed, "s")},
			Findings:     []results.Finding{{Kind: "b"}, {Kind: "a"}},
		}}
	}
	given := fragments()
	assemble([]requirements.Requirement{requirement("a", requirements.Must, "x", "y")}, given...)
	g.Expect(cmp.Diff(fragments(), given)).To(BeEmpty())
}

// whole is a run with something of everything.
func whole() (results.Run, []requirements.Requirement, []requirements.Requirement, []results.Fragment) {
	run := results.Run{
		Version: "1.2.3", Subject: results.Subject{Name: "A tool", Side: "tool", URL: "https://tool.example", Embedded: true, Faults: []string{"f"}},
		Agent:   results.Agent{Kind: "browser", Version: "140", Flags: []string{"--headless"}},
		Started: time.Date(2026, 3, 1, 8, 0, 0, 123456789, time.UTC), Seconds: 12.5, Processes: 2, Seed: 1 << 60, Only: "a || b", Command: "invigilator tool",
	}
	selected := []requirements.Requirement{
		requirement("a", requirements.Must, "x", "y", "z"), requirement("b", requirements.Should), in("keys", requirement("c", requirements.Must)),
	}
	notCovered := []requirements.Requirement{in("services", requirement("d", requirements.May))}
	var fragments []results.Fragment
	for i, text := range []string{"a/x", "a/y", "b", "a/x", "c", "a", "b", "a/z"} {
		scenario := fmt.Sprintf("scenario %d", i)
		id := "flow of " + scenario
		fragments = append(fragments, results.Fragment{
			Observations: []results.Observation{saw(text, byGravity[i%len(byGravity)], scenario), saw("unselected", results.Failed, scenario)},
			Findings:     []results.Finding{{Kind: "kind", Says: "says", Scenario: scenario, Flow: id}, {Kind: "another", Says: "<script>&", Scenario: scenario}},
			Flows: map[string]results.Flow{id: {
				ID: id, Title: "for " + scenario, Fault: "f", Ended: "settled", Why: "w", Millis: 7, Dropped: 1,
				Steps: []results.Step{{
					SeenBy: "browser", At: 3, Method: "POST", URL: "https://tool.example/?a=b&c=<d>", Status: 302, Note: "note",
					RequestHeader: [][2]string{{"Accept", "text/html"}}, RequestBody: "a=b\x00\u2028", ResponseHeader: [][2]string{{"Location", "/"}}, ResponseBody: "<p>",
				}},
				Tokens: []results.Token{
					{Name: "id_token", Raw: "a.b.c", Header: json.RawMessage(`{"alg":"RS256"}`), Claims: json.RawMessage(`{"n":12345678901234567890,"a":["<",{}]}`)},
					{Name: "id_token", Raw: "x", Problem: "no JWT"},
				},
				Page: results.Page{
					URL: "https://tool.example/end", Status: 200, Title: "Ende gut 𝄞", Text: "</script>", Screenshot: scenario,
					Console: []string{"c"}, Notes: []string{"n"},
				},
			}},
			Screenshots: map[string][]byte{scenario: {0xff, 0xd8, byte(i)}, "shared": {0xff}},
		})
	}
	return run, selected, notCovered, fragments
}

func written(g *WithT, doc results.Document) string {
	var text bytes.Buffer
	g.Expect(results.Write(&text, doc)).To(Succeed())
	if doc.Outcome != "" { // a run has left it
		g.Expect(resultstest.Valid(text.Bytes())).To(Succeed())
	}
	return text.String()
}

// What a subject signs is kept as it came, and is still to be read by everybody.
func TestClaimsOfAnyKindMakeADocument(t *testing.T) {
	for claims, want := range map[string]string{
		`{"a":1,"a":2}`:                   `{"a":1,"a":2}`,
		"{\"a\":\"\xff\xc3\"}":            "{\"a\":\"\uFFFD\uFFFD\"}",
		`{"\ud800":"\uD83D\uDE00"}`:       `{"\ufffd":"\uD83D\uDE00"}`,
		`["\udc00\ud800","\\ud800"]`:      `["\ufffd\ufffd","\\ud800"]`,
		`["\ud800\ud800\udc00","\u2028"]`: `["\ufffd\ud800\udc00","\u2028"]`,
		"{":                               `"{"`,
		"no \xff JSON \x00":               `"no ` + "\uFFFD" + ` JSON \u0000"`,
	} {
		g := NewWithT(t)
		doc := results.Document{Schema: results.Schema, Flows: map[string]results.Flow{"f": {Tokens: []results.Token{{Claims: json.RawMessage(claims), Header: json.RawMessage(claims)}}}}}
		text := written(g, doc)
		g.Expect(utf8.ValidString(text)).To(BeTrue())
		read, err := results.Read(strings.NewReader(text))
		g.Expect(err).NotTo(HaveOccurred())
		var compact bytes.Buffer
		g.Expect(json.Compact(&compact, read.Flows["f"].Tokens[0].Claims)).To(Succeed())
		g.Expect(compact.String()).To(Equal(want))
		g.Expect(written(g, read)).To(Equal(text))
	}
}

func TestTheOrderOfFragmentsMakesNoDifference(t *testing.T) {
	g := NewWithT(t)
	run, selected, notCovered, fragments := whole()
	want := written(g, results.Assemble(run, nil, selected, notCovered, fragments))
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		shuffled := slices.Clone(fragments)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		g.Expect(cmp.Diff(want, written(g, results.Assemble(run, nil, selected, notCovered, shuffled)))).To(BeEmpty())
	}
}

// Evidence that crosses from one process to another is the same as before.
func TestFragmentsSurviveJSON(t *testing.T) {
	g := NewWithT(t)
	run, selected, notCovered, fragments := whole()
	encoded, err := json.Marshal(fragments)
	g.Expect(err).NotTo(HaveOccurred())
	var again []results.Fragment
	g.Expect(json.Unmarshal(encoded, &again)).To(Succeed())
	g.Expect(cmp.Diff(written(g, results.Assemble(run, nil, selected, notCovered, fragments)),
		written(g, results.Assemble(run, nil, selected, notCovered, again)))).To(BeEmpty())
}

// sameJSON compares JSON without its white space, which Write changes.
var sameJSON = cmp.FilterValues(func(a, b json.RawMessage) bool { return len(a)+len(b) > 0 },
	cmp.Transformer("compact", func(raw json.RawMessage) string {
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return string(raw)
		}
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(b.String())
	}))

func TestWriteThenRead(t *testing.T) {
	run, selected, notCovered, fragments := whole()
	for name, doc := range map[string]results.Document{
		"whole":     results.Assemble(run, nil, selected, notCovered, fragments),
		"diagnosis": results.Assemble(run, &results.Diagnosis{Step: "s", Sent: "s", Seen: "s", LookAt: "l", FlowID: "f", Problem: "p"}, selected, notCovered, nil),
		"nothing":   assemble(nil),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			text := written(g, doc)
			g.Expect(written(g, doc)).To(Equal(text), "the same bytes every time")
			again, err := results.Read(strings.NewReader(text))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(cmp.Diff(doc, again, sameJSON, cmpopts.EquateEmpty())).To(BeEmpty())
			g.Expect(cmp.Diff(text, written(g, again))).To(BeEmpty())
			g.Expect(text).NotTo(ContainSubstring("<"), "the text can stand in a script of a page")
			g.Expect(text).To(HaveSuffix("}\n"))
		})
	}
}

// What a version before has written is read as what it says.
func TestReadTheSchemaBefore(t *testing.T) {
	g := NewWithT(t)
	run, selected, notCovered, fragments := whole()
	doc := results.Assemble(run, nil, selected, notCovered, fragments)
	before := doc
	before.Schema = "invigilator/results/v1"
	text, err := json.MarshalIndent(before, "", " ")
	g.Expect(err).NotTo(HaveOccurred())
	read, err := results.Read(bytes.NewReader(text))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmp.Diff(doc, read, sameJSON, cmpopts.EquateEmpty())).To(BeEmpty())
	g.Expect(cmp.Diff(written(g, doc), written(g, read))).To(BeEmpty())
}

// storedEvidence are the values that a document as it is written holds for its flows.
func storedEvidence(g *WithT, text string) (values []any) {
	var stored struct{ Evidence []byte }
	g.Expect(json.Unmarshal([]byte(text), &stored)).To(Succeed())
	unpacked, err := gzip.NewReader(bytes.NewReader(stored.Evidence))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.NewDecoder(unpacked).Decode(&values)).To(Succeed())
	return values
}

func TestEvidenceIsStoredOnce(t *testing.T) {
	g := NewWithT(t)
	doc := results.Document{Schema: results.Schema, Flows: map[string]results.Flow{}, Consulted: map[string][]string{"a": {"x", "y"}, "b": {"x", "y"}}}
	for i := range 50 {
		id := fmt.Sprint("f", i)
		doc.Flows[id] = results.Flow{
			ID: id, Title: id, Tokens: []results.Token{{Name: "id_token", Raw: "a.b.c", Claims: json.RawMessage(`{"sub":"ada"}`)}},
			Steps: []results.Step{{SeenBy: "tool", URL: "https://tool.example", ResponseHeader: [][2]string{{"Content-Type", "text/html"}}, ResponseBody: "the same page"}},
			Page:  results.Page{URL: "https://tool.example", Text: "the same page", Console: []string{"said"}, Notes: []string{"said"}},
		}
	}
	values := storedEvidence(g, written(g, doc))
	g.Expect(values[0]).To(BeNil(), "no value has the number that stands for none")
	g.Expect(values[1:]).To(ConsistOf(
		"https://tool.example", "the same page", "a.b.c", map[string]any{"sub": "ada"}, []any{"said"}, []any{"x", "y"}, []any{[]any{"Content-Type", "text/html"}},
		ConsistOf(HaveKeyWithValue("seen_by", "tool")), ConsistOf(HaveKeyWithValue("name", "id_token")),
	))
}

// A requirement, and a flow, is a line, so that those who look for one see it whole.
func TestWrittenInLines(t *testing.T) {
	g := NewWithT(t)
	run, selected, notCovered, fragments := whole()
	doc := results.Assemble(run, nil, selected, notCovered, fragments)
	lines := strings.Split(written(g, doc), "\n")
	for _, r := range doc.Requirements {
		g.Expect(lines).To(ContainElement(HavePrefix(`{"id":"` + r.ID + `"`)))
	}
	for id := range doc.Flows {
		g.Expect(lines).To(ContainElement(HavePrefix(`"` + id + `":{"id":"` + id + `"`)))
	}
	g.Expect(lines).To(ContainElements(`"screenshots":{`, `"run":{`))
}

func TestListsAreNeverNull(t *testing.T) {
	g := NewWithT(t)
	g.Expect(written(g, assemble(nil))).NotTo(ContainSubstring("null"))
	g.Expect(written(g, assemble([]requirements.Requirement{requirement("a", requirements.Must)}))).NotTo(ContainSubstring("null"))
}

func TestReadRefuses(t *testing.T) {
	g := NewWithT(t)
	text := written(g, assemble([]requirements.Requirement{requirement("a", requirements.Must)}))
	for name, test := range map[string]struct{ text, want string }{
		"a later schema":    {strings.Replace(text, results.Schema, "invigilator/results/v3", 1), `schema "invigilator/results/v3"`},
		"a longer schema":   {strings.Replace(text, results.Schema, results.Schema+"0", 1), `schema "` + results.Schema + `0"`},
		"another program's": {`{"schema":"sarif"}`, `schema "sarif"`},
		"no schema":         {`{}`, `schema ""`},
		"null":              {`null`, `schema ""`},
		"nothing":           {``, "results document: "},
		"garbage":           {`<html>`, "results document: "},
		"half a document":   {text[:len(text)/2], "results document: "},
		"no closing brace":  {strings.TrimSuffix(text, "}\n"), "results document: "},
		"a list":            {`[` + text + `]`, "results document: "},
		"wrong types":       {strings.Replace(text, `"verdict":"inconclusive"`, `"verdict":1`, 1), "results document: "},
		"broken image":      {strings.Replace(text, `"screenshots":{}`, `"screenshots":{"a":"%"}`, 1), "results document: "},
		"no compression":    {strings.Replace(text, `"screenshots":{}`, `"screenshots":{"a":"/9j/"}`, 1), "results document: screenshot a: "},
		"no evidence":       {regexp.MustCompile(`"evidence":"[^"]*"`).ReplaceAllString(text, `"evidence":""`), "results document: evidence: "},
		"lost evidence":     {strings.Replace(text, `"flows":{}`, `"flows":{"f":{"page":{"text":7}}}`, 1), "results document: there is no value 7 of the evidence"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			doc, err := results.Read(strings.NewReader(test.text))
			g.Expect(err).To(MatchError(And(HavePrefix("results document"), ContainSubstring(test.want))))
			g.Expect(cmp.Diff(results.Document{}, doc)).To(BeEmpty())
		})
	}
}

// small is a document as a stranger may write it: with these values, and flows that have
// the number 2 for their steps.
func small(g *WithT, values string, flows int, pictures ...string) string {
	pack := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(z.Close()).To(Succeed())
		return b.Bytes()
	}
	stored := map[string]any{"schema": results.Schema, "evidence": pack("[null," + values + "]")}
	all, packed := map[string]any{}, map[string]any{}
	for i := range flows {
		all[fmt.Sprint(i)] = map[string]any{"steps": 2}
	}
	for i, picture := range pictures {
		packed[fmt.Sprint(i)] = pack(picture)
	}
	stored["flows"], stored["screenshots"] = all, packed
	text, err := json.Marshal(stored)
	g.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// repeated is a list in JSON that has an element so many times.
func repeated(element string, times int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(element+",", times), ",") + "]"
}

// A small file must not make a large document, however it goes about it.
func TestReadIsBounded(t *testing.T) {
	const most = 1 << 20
	zeros := strings.Repeat("0", most*3/5)
	const places, unpacked = "takes more than 1048576 bytes where it belongs", "more than 1048576 bytes"
	for name, test := range map[string]struct {
		values   string
		flows    int
		pictures []string
		want     string
	}{
		"a header in many steps":       {repeated(`["a","`+zeros[:2000]+`"]`, 1) + "," + repeated(`{"request_header":1}`, 1000), 1, nil, places},
		"a body in many steps":         {`"` + zeros[:2000] + `",` + repeated(`{"request_body":1}`, 1000), 1, nil, places},
		"steps in many flows":          {`"",` + repeated(`{"note":"`+zeros[:200]+`"}`, 100), 100, nil, places},
		"what such steps have in them": {`"` + zeros[:2000] + `",` + repeated(`{"request_body":1}`, 100), 10, nil, places},
		"steps of nothing":             {`"",` + repeated("{}", 20000), 1, nil, places},
		"fields of nothing":            {repeated("[]", 50000) + `,[{"request_header":1}]`, 1, nil, places},
		"values of nothing":            {strings.Repeat("1,", 100000) + "1", 0, nil, places},
		"two pictures":                 {"[]", 0, []string{zeros, zeros}, unpacked},
		"evidence and a picture":       {`"` + zeros + `"`, 0, []string{zeros}, unpacked},
		"evidence":                     {`"` + zeros + zeros + `"`, 0, nil, unpacked},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			text := small(g, test.values, test.flows, test.pictures...)
			_, err := results.ReadWithin(strings.NewReader(text), most)
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
			_, err = results.ReadWithin(strings.NewReader(text), 16*most)
			g.Expect(err).NotTo(HaveOccurred())
		})
	}
}

// What is stored once is held once, too.
func TestEvidenceIsHeldOnce(t *testing.T) {
	g := NewWithT(t)
	doc, err := results.Read(strings.NewReader(small(g, `[["a","b"]],`+repeated(`{"request_header":1,"response_header":1}`, 2), 2)))
	g.Expect(err).NotTo(HaveOccurred())
	steps := doc.Flows["0"].Steps
	g.Expect(steps).To(HaveLen(2))
	g.Expect(&doc.Flows["1"].Steps[0]).To(BeIdenticalTo(&steps[0]))
	g.Expect(steps[0].RequestHeader).To(Equal([][2]string{{"a", "b"}}))
	g.Expect(&steps[0].ResponseHeader[0]).To(BeIdenticalTo(&steps[0].RequestHeader[0]))
	g.Expect(&steps[1].RequestHeader[0]).To(BeIdenticalTo(&steps[0].RequestHeader[0]))
}

// Evidence that is of another kind than its place is refused.
func TestReadRefusesEvidenceOfAnotherKind(t *testing.T) {
	for values, want := range map[string]string{
		`1,null`:                         "value 2 of the evidence: it is no list",
		`1,{"a":1}`:                      "value 2 of the evidence: it is no list",
		`1,[[]]`:                         "value 2 of the evidence: ",
		`1,[{"request_header":1}]`:       "value 1 of the evidence: it is no list",
		`"a",[{"request_header":2}]`:     "value 2 of the evidence: ",
		`[1],[{"request_body":1}]`:       "value 1 of the evidence: ",
		`1,[{"response_header":-1}]`:     "there is no value -1 of the evidence",
		`1,[]],[`:                        "evidence: something follows the list",
		`1,[1`:                           "evidence: ",
		`1,[{"request_body":1} "and"]`:   "evidence: ",
		`"a",[{"request_body":1}],"b`:    "evidence: ",
		`"a",[{"request_body":1}]] null`: "evidence: ",
	} {
		g := NewWithT(t)
		_, err := results.Read(strings.NewReader(small(g, values, 1)))
		g.Expect(err).To(MatchError(ContainSubstring(want)), values)
	}
}

func TestHeaderKeepsNoSecret(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   [][2]string
	}{
		"none":                {nil, nil},
		"nothing secret":      {http.Header{"Accept": {"text/html"}, "X-Cookie": {"a=b"}}, [][2]string{{"Accept", "text/html"}, {"X-Cookie", "a=b"}}},
		"cookie":              {http.Header{"Cookie": {"sid=SECRET"}}, [][2]string{{"Cookie", "sid=[6 characters]"}}},
		"cookies":             {http.Header{"Cookie": {"sid=SECRET; b=SECRET12;c=SECRET"}}, [][2]string{{"Cookie", "sid=[6 characters]; b=[8 characters]; c=[6 characters]"}}},
		"cookies, two lines":  {http.Header{"Cookie": {"b=SECRET", "a=SECRET"}}, [][2]string{{"Cookie", "b=[6 characters]; a=[6 characters]"}}},
		"many cookies":        {http.Header{"Cookie": {strings.Repeat("a=SECRET; ", 9) + "b=SECRET"}}, [][2]string{{"Cookie", strings.Repeat("a=[6 characters]; ", 8) + "and 2 more"}}},
		"cookie with equals":  {http.Header{"Cookie": {"sid=SECRET=SECRET=="}}, [][2]string{{"Cookie", "sid=[15 characters]"}}},
		"cookie without name": {http.Header{"Cookie": {"SECRET"}}, [][2]string{{"Cookie", "[6 characters]"}}},
		"cookie, empty name":  {http.Header{"Cookie": {"=SECRET"}}, [][2]string{{"Cookie", "=[6 characters]"}}},
		"cookie, no value":    {http.Header{"Cookie": {"sid="}}, [][2]string{{"Cookie", "sid=[0 characters]"}}},
		"cookie, quoted":      {http.Header{"Cookie": {`sid="SECRET;SECRET"`}}, [][2]string{{"Cookie", "sid=[7 characters]; [7 characters]"}}},
		"set": {
			http.Header{"Set-Cookie": {"sid=SECRET; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=None; Partitioned", "b=SECRET"}},
			[][2]string{{"Set-Cookie", "sid=[6 characters]; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=None; Partitioned"}, {"Set-Cookie", "b=[6 characters]"}},
		},
		"set, tightly":       {http.Header{"Set-Cookie": {"sid=SECRET;Path=/"}}, [][2]string{{"Set-Cookie", "sid=[6 characters];Path=/"}}},
		"set, no name":       {http.Header{"Set-Cookie": {"SECRET; Secure"}}, [][2]string{{"Set-Cookie", "[6 characters]; Secure"}}},
		"set, with equals":   {http.Header{"Set-Cookie": {"sid=SECRET=; Secure"}}, [][2]string{{"Set-Cookie", "sid=[7 characters]; Secure"}}},
		"authorization":      {http.Header{"Authorization": {"Bearer SECRET"}}, [][2]string{{"Authorization", "Bearer [6 characters]"}}},
		"to a proxy":         {http.Header{"Proxy-Authorization": {"Basic SECRET="}}, [][2]string{{"Proxy-Authorization", "Basic [7 characters]"}}},
		"empty":              {http.Header{"Authorization": {""}}, [][2]string{{"Authorization", "[0 characters]"}}},
		"lower case":         {http.Header{"cookie": {"sid=SECRET"}, "set-cookie": {"sid=SECRET; Secure"}, "authorization": {"SECRET"}, "proxy-authorization": {"SECRET"}}, [][2]string{{"authorization", "[6 characters]"}, {"cookie", "sid=[6 characters]"}, {"proxy-authorization", "[6 characters]"}, {"set-cookie", "sid=[6 characters]; Secure"}}},
		"capitals":           {http.Header{"COOKIE": {"sid=SECRET"}, "SET-COOKIE": {"sid=SECRET; Secure"}, "AUTHORIZATION": {"SECRET"}}, [][2]string{{"AUTHORIZATION", "[6 characters]"}, {"COOKIE", "sid=[6 characters]"}, {"SET-COOKIE", "sid=[6 characters]; Secure"}}},
		"alphabetical order": {http.Header{"C": {"2", "1"}, "A": {"3"}, "B": {"4"}}, [][2]string{{"A", "3"}, {"B", "4"}, {"C", "2"}, {"C", "1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := results.Header(test.header)
			g.Expect(fmt.Sprint(got)).NotTo(ContainSubstring("SECRET"))
			for i := range got {
				got[i][1] = lengths(got[i][1])
			}
			g.Expect(cmp.Diff(test.want, got)).To(BeEmpty())
		})
	}
}

func TestHeaderIsLeftAsItIs(t *testing.T) {
	h := http.Header{"Cookie": {"sid=SECRET"}}
	results.Header(h)
	NewWithT(t).Expect(h.Get("Cookie")).To(Equal("sid=SECRET"))
}

func TestBounded(t *testing.T) {
	for _, test := range []struct {
		text string
		max  int
		want string
	}{
		{"", 0, ""},
		{"", 5, ""},
		{"hello", 5, "hello"},
		{"hello", 6, "hello"},
		{"hello", 4, "hell [cut: 5 bytes in all]"},
		{"hello", 0, " [cut: 5 bytes in all]"},
		{"äöü", 6, "äöü"},
		{"äöü", 4, "äö [cut: 6 bytes in all]"},
		{"a\x00b", 3, "a\x00b"},
		{"a\xffb", 3, "a\uFFFDb"},
		{"a\xffbc", 3, "a\uFFFDb [cut: 4 bytes in all]"},
	} {
		NewWithT(t).Expect(results.Bounded(test.text, test.max)).To(Equal(test.want), "%q %d", test.text, test.max)
	}
}

func TestBoundedAtEveryByte(t *testing.T) {
	g := NewWithT(t)
	const text = "aä€𝄞 \x00\xf0\x9d\x84" // the last character is cut off already
	for limit := range len(text) + 2 {
		got := results.Bounded(text, limit)
		g.Expect(utf8.ValidString(got)).To(BeTrue(), "%d", limit)
		kept, mark, cut := strings.Cut(got, " [cut: ")
		g.Expect(cut).To(Equal(limit < len(text)), "%d", limit)
		if cut {
			g.Expect(mark).To(Equal(fmt.Sprintf("%d bytes in all]", len(text))))
		}
		kept = strings.TrimSuffix(kept, "\uFFFD") // for half a character
		g.Expect(text).To(HavePrefix(kept))
		g.Expect(len(kept)).To(BeNumerically("<=", limit))
		g.Expect(len(kept)).To(BeNumerically(">", min(limit, len(text))-utf8.UTFMax), "no more than half a character is lost")
	}
}

func TestAVerdictThatNobodyKnowsIsNoPass(t *testing.T) {
	g := NewWithT(t)
	g.Expect(results.Worst(results.Passed, "splendid")).To(Equal(results.Errored))
	g.Expect(results.Worst("")).To(Equal(results.Errored))
}

func TestADiagnosisLeavesNoProfileConformant(t *testing.T) {
	doc := results.Assemble(results.Run{}, &results.Diagnosis{Problem: "It has gone."}, []requirements.Requirement{
		requirement("a", requirements.Must), in("keys", requirement("b", requirements.Should)),
	}, nil, nil)
	for _, p := range doc.Profiles {
		NewWithT(t).Expect(p.Outcome).To(Equal(results.Unusable), p.Name)
	}
}

// What keeps some profiles from being judged takes none of the others along, and hides
// nothing that has failed.
func TestADiagnosisMayConcernSomeProfiles(t *testing.T) {
	diagnosis := &results.Diagnosis{Problem: "There is no token.", Profiles: []string{"services"}}
	for verdict, outcome := range map[results.Verdict]results.Outcome{results.Passed: results.Unusable, results.Failed: results.NotConformant} {
		g := NewWithT(t)
		doc := results.Assemble(results.Run{}, diagnosis, []requirements.Requirement{
			requirement("a", requirements.Must), requirement("missed", requirements.Must), in("services", requirement("b", requirements.Must)),
			in("keys", requirement("c", requirements.Must)),
		}, nil, []results.Fragment{fragment(saw("a", verdict, "s"), saw("c", results.Passed, "s"))})
		g.Expect(doc.Outcome).To(Equal(outcome))
		outcomes := map[string]results.Outcome{}
		for _, p := range doc.Profiles {
			outcomes[p.Name] = p.Outcome
		}
		g.Expect(outcomes).To(HaveKeyWithValue("services", results.Unusable))
		g.Expect(outcomes).To(HaveKeyWithValue("keys", results.Conformant))
		g.Expect(doc.Requirements[1].Observations[0].Seen).To(Equal("No scenario came as far as judging this."))
		g.Expect(doc.Requirements[2].Observations[0].Seen).To(Equal("Not tried: There is no token."))
	}
}

func TestScenariosOfTheSameNameKeepAnOrder(t *testing.T) {
	g := NewWithT(t)
	selected := []requirements.Requirement{requirement("a", requirements.Must)}
	one := results.Fragment{
		Observations: []results.Observation{{Requirement: "a", Scenario: "s", Verdict: results.Passed, Location: "f.go:1", Seen: "1", Flows: []string{"1"}}},
		Findings:     []results.Finding{{Kind: "k", Says: "s", Scenario: "s", Flow: "1"}},
	}
	two := results.Fragment{
		Observations: []results.Observation{{Requirement: "a", Scenario: "s", Verdict: results.Passed, Location: "f.go:2", Seen: "2", Flows: []string{"2"}}},
		Findings:     []results.Finding{{Kind: "k", Says: "s", Scenario: "s", Flow: "2"}},
	}
	g.Expect(cmp.Diff(written(g, assemble(selected, one, two)), written(g, assemble(selected, two, one)))).To(BeEmpty())
}

func TestReadNamesTheSchemaOfAnotherShape(t *testing.T) {
	_, err := results.Read(strings.NewReader(`{"requirements":{"a":1},"schema":"invigilator/results/v3"}`))
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring(`schema "invigilator/results/v3"`)))
}

func TestReadRefusesWhatFollows(t *testing.T) {
	g := NewWithT(t)
	for _, more := range []string{"garbage", "{}", "]"} {
		_, err := results.Read(strings.NewReader(written(g, assemble(nil)) + more))
		g.Expect(err).To(HaveOccurred(), more)
	}
}

func TestWhatIsNoAttributeOfACookieIsSecret(t *testing.T) {
	for _, value := range []string{`a="1;SECRET"; Path=/`, "a=1; Path=/; b=SECRET", "a=1; Path=/\nb=SECRET"} {
		NewWithT(t).Expect(fmt.Sprint(results.Header(http.Header{"Set-Cookie": {value}}))).NotTo(ContainSubstring("SECRET"), value)
	}
}

func TestBoundedKeepsWithinItsBound(t *testing.T) {
	g := NewWithT(t)
	g.Expect(results.Bounded("aäb", 2)).To(Equal("a [cut: 4 bytes in all]"))
	g.Expect(results.Bounded("𝄞", 3)).To(Equal(" [cut: 4 bytes in all]"))
}

func TestURLsKeepSecretsOut(t *testing.T) {
	g := NewWithT(t)
	g.Expect(lengths(results.URL("https://ada:pw@tool.example/work?ltiSessionId=abc&page=2&access_token=xyz"))).
		To(Equal("https://tool.example/work?ltiSessionId=[3+characters]&page=2&access_token=[3+characters]"))
	g.Expect(results.URL("https://tool.example/work?monkey=abc&sidebar=1")).To(Equal("https://tool.example/work?monkey=abc&sidebar=1"))
}

func TestWhatSeveralSpecsSkipIsToldOnce(t *testing.T) {
	g := NewWithT(t)
	skipped := func(scenario string) results.Observation {
		o := saw("a/x", results.Skipped, scenario)
		o.Seen = "The tool does not declare it."
		return o
	}
	doc := assemble([]requirements.Requirement{requirement("a", requirements.Must, "x")},
		fragment(skipped("one"), skipped("two"), saw("a/x", results.Skipped, "zero")), fragment(saw("a/x", results.Passed, "four"), saw("a/x", results.Passed, "four")))
	var seen []string
	for _, o := range doc.Requirements[0].Observations {
		seen = append(seen, o.Seen)
	}
	g.Expect(seen).To(ConsistOf("The tool does not declare it.", "seen in zero", "seen in four", "seen in four"))
}

func TestBodiesKeepSecretsOut(t *testing.T) {
	g := NewWithT(t)
	g.Expect(lengths(results.Body("SAMLResponse=abc&name=ada&csrf=xyz&id_token=e30"))).To(Equal("SAMLResponse=[3+characters]&name=ada&csrf=[3+characters]&id_token=e30"))
	for _, other := range []string{"", "no form", `{"user": "a=b"}`, "state=s&nonce=n"} {
		g.Expect(results.Body(other)).To(Equal(other))
	}
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	h := http.Header{"Cache-Control": {"no-store"}, "Content-Type": {"text/html"}}
	for i := range 10000 {
		h.Add("Set-Cookie", fmt.Sprintf("c%d=v; Path=/", i))
		h.Set(fmt.Sprintf("A-%d", i), strings.Repeat("x", 50))
	}
	h.Set("X-Long", strings.Repeat("x", 200<<10))
	fields := results.Header(h)
	size := 0
	for _, field := range fields {
		size += len(field[0]) + len(field[1])
	}
	g.Expect(size).To(BeNumerically("<", 34<<10))
	g.Expect(fields).To(ContainElements([2]string{"Cache-Control", "no-store"}, [2]string{"Content-Type", "text/html"}, [2]string{"Set-Cookie", "and 9980 more"}))
	last := fields[len(fields)-1]
	g.Expect(last[0]).To(Equal(results.LeftOut))
	g.Expect(last[1]).To(MatchRegexp(`^\d+ fields, \d+ bytes$`))
	g.Expect(results.Header(http.Header{"A": {"b"}})).To(Equal([][2]string{{"A", "b"}}), "what fits stays as it is")
}

func TestDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	f := results.Fragment{
		Flows:        map[string]results.Flow{},
		Findings:     []results.Finding{{Kind: "x", Says: strings.Repeat("x", 1<<20)}},
		Observations: []results.Observation{{Requirement: "sec-id-token-iss", Verdict: results.Failed, Seen: strings.Repeat("x", 3<<20)}},
	}
	for i := range 300 {
		f.Flows[fmt.Sprint(i)] = results.Flow{ID: fmt.Sprint(i), Steps: []results.Step{{Method: "GET", URL: "https://tool.example", Status: 200, ResponseBody: strings.Repeat("x", 1<<20)}}}
	}
	f.Flows["small"] = results.Flow{ID: "small", Steps: []results.Step{{Method: "GET", ResponseBody: "whole"}}}
	r, _ := requirements.Default().Get("sec-id-token-iss")
	doc := results.Assemble(results.Run{}, &results.Diagnosis{Problem: strings.Repeat("x", 1<<20)}, []requirements.Requirement{r}, nil, []results.Fragment{f})
	var written bytes.Buffer
	g.Expect(results.Write(&written, doc)).To(Succeed())
	g.Expect(written.Len()).To(BeNumerically("<", 100<<20))
	g.Expect(doc.Flows["small"].Steps[0].ResponseBody).To(Equal("whole"), "the largest go first")
	g.Expect(doc.Flows).To(HaveLen(301))
	g.Expect(doc.Flows["0"].Steps[0]).To(HaveField("URL", "https://tool.example"))
	g.Expect(doc.Findings).To(ContainElement(And(HaveField("Kind", "evidence-left-out"), HaveField("Says", HavePrefix("Of ")))))
	g.Expect(len(doc.Requirements[0].Observations[0].Seen)).To(BeNumerically("<", 9<<10))
}

func TestStrangersAreOneFinding(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	doc := results.Assemble(results.Run{}, nil, nil, nil, []results.Fragment{
		{Strangers: map[string]int{"GET /": 90, "POST /launch": 10}}, {Strangers: map[string]int{"GET /": 4}},
	})
	g.Expect(doc.Findings).To(ConsistOf(results.Finding{
		Kind: "strangers", Says: "104 requests of strangers came to where the run listens, and count for nothing: 94 GET /, 10 POST /launch.",
	}))
}

// testdata/v2.json was written by the first version that published the schema, with every member
// that it knew. It is never written anew: what it has is there, and means the same, as long as
// the schema has this number.
func TestWhatWasPublishedStays(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("testdata/v2.json")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(resultstest.Valid(text)).To(Succeed())
	doc, err := results.Read(bytes.NewReader(text))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(doc.Flows["a key"].Steps[0].ResponseHeader).To(Equal([][2]string{{"a ResponseHeader", "a ResponseHeader"}}))
	g.Expect(doc.Gate.Red[0].Before).To(Equal(results.Failed))

	for name, other := range map[string][2]string{
		"a verdict that is none":          {`"verdict":"failed"`, `"verdict":"splendid"`},
		"a member that nothing writes":    {`"because":`, `"why":"","because":`},
		"a member that is not there":      {`"because":"a Because",`, ``},
		"another type":                    {`"seed":1`, `"seed":"1"`},
		"another version":                 {results.Schema, "invigilator/results/v3"},
		"evidence that is not compressed": {`"evidence":"H4sI`, `"evidence":"AAAA`},
	} {
		g.Expect(string(text)).To(ContainSubstring(other[0]), name)
		g.Expect(resultstest.Valid([]byte(strings.ReplaceAll(string(text), other[0], other[1])))).NotTo(Succeed(), name)
	}
}
