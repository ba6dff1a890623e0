package requirements_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	. "github.com/onsi/gomega"

	"invigilator.example/requirements"
)

func TestDefaultIsComplete(t *testing.T) {
	g := NewWithT(t)
	bound := func(side requirements.Side) []requirements.Requirement {
		return requirements.Default().Select(func(r requirements.Requirement) bool { return r.Binds == side })
	}
	g.Expect(requirements.Default().All()).To(HaveLen(493))
	g.Expect(bound(requirements.Tool)).To(HaveLen(191))
	g.Expect(bound(requirements.Platform)).To(HaveLen(233))
	g.Expect(bound(requirements.Backend)).To(HaveLen(30))
	g.Expect(bound(requirements.ExamPlatform)).To(HaveLen(39))
}

func TestIDsAreStableForEver(t *testing.T) {
	g := NewWithT(t)
	golden, err := os.ReadFile("testdata/ids.txt")
	g.Expect(err).NotTo(HaveOccurred())
	known := map[requirements.ID]bool{}
	for id := range strings.Lines(string(golden)) {
		id := requirements.ID(strings.TrimSpace(id))
		r, found := requirements.Default().Get(id)
		g.Expect(found).To(BeTrue(), "%s: has gone", id)
		g.Expect(r.ID).To(Equal(id))
		known[id] = true
	}
	for _, r := range requirements.Default().All() {
		g.Expect(known).To(HaveKey(r.ID), "a new one has to be entered in testdata/ids.txt")
	}
}

func TestNamesAreSafeAsLabels(t *testing.T) {
	g := NewWithT(t)
	unsafe := func(c rune) bool { return strings.ContainsRune("&|!,()/", c) || unicode.IsSpace(c) }
	for _, r := range requirements.Default().All() {
		g.Expect(strings.ContainsFunc(string(r.ID), unsafe)).To(BeFalse(), "%s", r.ID)
		for _, s := range r.Provoke {
			g.Expect(strings.ContainsFunc(s.Case, unsafe)).To(BeFalse(), "%s: %s", r.ID, s.Case)
		}
	}
}

func TestEveryRequirementCanBeReadAtItsSource(t *testing.T) {
	g := NewWithT(t)
	for _, r := range requirements.Default().All() {
		if r.Source.Key != "practice" {
			g.Expect(r.Link).To(MatchRegexp(`^https?://\S+$`), "%s", r.ID)
			g.Expect(r.Link).To(HavePrefix(r.Source.URL), "%s", r.ID)
		}
	}
}

func TestARequirementBindsThoseWhoDeclareItsProfileAndItsFeature(t *testing.T) {
	g := NewWithT(t)
	for id, features := range map[requirements.ID][]string{
		"core-version-claim":                     nil,
		"core-context-claim":                     nil,
		"core-custom-variable-substitution":      {"custom-variables"},
		"sec-token-response":                     {"services"},
		"ap-start-proctoring-type-and-version":   {"proctoring"},
		"ap-start-assessment-end-return-boolean": {"proctoring"},
		"ap-tool-handles-end-assessment":         {"proctoring", "end-assessment"},
		"sr-for-user-required":                   {"submission-review"},
		"ags-lineitem-create":                    {"grades", "line-item-management"},
	} {
		r, _ := requirements.Default().Get(id)
		g.Expect(r.Features()).To(Equal(features), "%s", id)
	}
}

func TestStimulus(t *testing.T) {
	g := NewWithT(t)
	r, _ := requirements.Default().Get("practice-tool-works-in-cross-site-frame")
	s, found := r.Stimulus("frame-third-party-cookies-blocked")
	g.Expect(found).To(BeTrue())
	g.Expect(s.Weight).To(Equal(requirements.Warn))
	s, found = r.Stimulus("frame")
	g.Expect(found).To(BeTrue())
	g.Expect(s.Weight).To(Equal(requirements.Full))
	_, found = r.Stimulus("Frame")
	g.Expect(found).To(BeFalse())

	r, _ = requirements.Default().Get("core-tool-parallel-users")
	g.Expect(r.Level).To(Equal(requirements.Must))
	for _, name := range []string{"interleaved-users", "users-at-once"} {
		s, found = r.Stimulus(name)
		g.Expect(found).To(BeTrue(), name)
		g.Expect(s.Weight).To(Equal(requirements.Full), name)
	}
}

func TestGetUnknown(t *testing.T) {
	_, found := requirements.Default().Get("no-such-requirement")
	NewWithT(t).Expect(found).To(BeFalse())
}

func TestCallersCannotReorderTheCatalogue(t *testing.T) {
	g := NewWithT(t)
	first := requirements.Default().All()[0].ID
	requirements.Default().All()[0].ID = "changed"
	g.Expect(requirements.Default().All()[0].ID).To(Equal(first))
}

// good is a catalogue with one requirement, which the tests below spoil by replacing one text in it.
const good = `
spec: A specification
sources:
  - key: doc
    title: A document
    url: https://example.org/doc
requirements:
  - id: doc-one
    source: doc
    section: '1'
    link: '#one'
    binds: tool
    level: MUST
    statement: It works.
    provoke:
      - case: first
        does: Try it.
      - case: second
        does: Try it again.
        weight: warn
    expect: It works.
    confidence: high
`

func load(text string) (*requirements.Catalogue, error) {
	return requirements.Load(fstest.MapFS{"doc.yaml": {Data: []byte(text)}})
}

func TestLoad(t *testing.T) {
	g := NewWithT(t)
	catalogue, err := load(good)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(catalogue.All()).To(Equal([]requirements.Requirement{{
		ID:      "doc-one",
		Source:  requirements.Source{Key: "doc", Title: "A document", URL: "https://example.org/doc"},
		Section: "1", Link: "https://example.org/doc#one",
		Binds: requirements.Tool, Level: requirements.Must, Profile: "launch",
		Statement: "It works.", Expect: "It works.", Confidence: "high",
		Provoke: []requirements.Stimulus{
			{Case: "first", Does: "Try it."},
			{Case: "second", Does: "Try it again.", Weight: requirements.Warn},
		},
	}}))
}

func TestLoadTellsWhatIsWrong(t *testing.T) {
	stimuli := good[strings.Index(good, "    provoke:"):strings.Index(good, "    expect:")]
	for _, test := range []struct{ replace, by, problem string }{
		{"expect:", "colour: red\n    expect:", `doc.yaml: doc-one: unknown key "colour"`},
		{"weight: warn", "wait: warn", `doc.yaml: doc-one: second: unknown key "wait"`},
		{"key: doc", "key: doc\n    year: '2019'", `doc.yaml: doc: unknown key "year"`},
		{"spec:", "author: me\nspec:", `doc.yaml: unknown key "author"`},
		{"spec: A specification", "", "doc.yaml: no spec"},
		{"title: A document", "", "doc.yaml: doc: no title"},
		{"https://example.org/doc", "example.org/doc", `doc.yaml: doc: url "example.org/doc" is not an absolute`},
		{"sources:", "sources:\n  - {key: doc, title: Another}", "doc.yaml: doc: duplicate key"},
		{"id: doc-one", "section: '2'", "doc.yaml: "}, // a key twice in one mapping, found by the parser
		{"id: doc-one\n    source: doc", "source: doc", "doc.yaml: requirement 1: no id"},
		{"id: doc-one", "id: doc one", `doc.yaml: doc one: id "doc one" is not of a-z`},
		{"id: doc-one", "id: doc/one", `doc.yaml: doc/one: id "doc/one" is not of a-z`},
		{"source: doc", "source: other", `doc.yaml: doc-one: unknown source "other"`},
		{"source: doc", "", "doc.yaml: doc-one: no source"},
		{"section: '1'", "", "doc.yaml: doc-one: no section"},
		{"section: '1'", "section: 1", "doc.yaml: doc-one: section is a uint64, not a string"},
		{"'#one'", "'javascript:void'", `doc.yaml: doc-one: link "javascript:void" does not lead`},
		{"binds: tool", "binds: browser", `doc.yaml: doc-one: binds "browser" is not one of ["tool" "platform" "backend" "exam-platform"]`},
		{"level: MUST", "level: must", `doc.yaml: doc-one: level "must" is not one of ["MUST" "SHOULD" "MAY"]`},
		{"level: MUST", "", "doc.yaml: doc-one: no level"},
		{"level: MUST", "level: MUST\n    profile: lunch", `doc.yaml: doc-one: profile "lunch" is not one of`},
		{"statement: It works.", "", "doc.yaml: doc-one: no statement"},
		{"expect: It works.", "expect: ''", "doc.yaml: doc-one: no expect"},
		{"confidence: high", "confidence: total", `doc.yaml: doc-one: confidence "total" is not one of`},
		{"confidence: high", "confidence: high\n    cert: 'yes'", "doc.yaml: doc-one: cert is a string, not a bool"},
		{"case: second", "case: first", "doc.yaml: doc-one: first: duplicate case"},
		{"case: second", "case: The second", `doc.yaml: doc-one: The second: case "The second" is not of a-z`},
		{"case: second\n        does", "does", "doc.yaml: doc-one: stimulus 2: no case"},
		{"does: Try it again.", "", "doc.yaml: doc-one: second: no does"},
		{"weight: warn", "weight: heavy", `doc.yaml: doc-one: second: weight "heavy" is not one of ["warn" "information"]`},
		{"weight: warn", "feature: ''", "doc.yaml: doc-one: second: no feature"},
		{stimuli, "", "doc.yaml: doc-one: neither observe nor provoke"},
		{"case: first\n        does: Try it.", "just try", "doc.yaml: doc-one: stimulus 1: not a mapping"},
		{"requirements:" + strings.SplitAfter(good, "requirements:")[1], "requirements: []\n", "doc.yaml: no requirements"},
		{good, ": [", "doc.yaml: "},
	} {
		t.Run(test.problem, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(good).To(ContainSubstring(test.replace))
			_, err := load(strings.Replace(good, test.replace, test.by, 1))
			g.Expect(err).To(MatchError(HavePrefix("requirements: " + test.problem)))
			if !strings.HasSuffix(test.problem, ": ") { // the parser explains itself over several lines
				g.Expect(strings.Split(err.Error(), "\n")).To(HaveLen(1), "one fault, one problem")
			}
		})
	}
}

func TestLoadTellsEverythingAtOnce(t *testing.T) {
	g := NewWithT(t)
	spoilt := strings.NewReplacer("level: MUST", "level: 'WON''T 100%d'", "weight: warn", "weight: heavy").Replace(good)
	_, err := requirements.Load(fstest.MapFS{
		"a.yaml": {Data: []byte(good)},
		"b.yaml": {Data: []byte(spoilt)},
		"c.yaml": {Data: []byte(strings.Replace(good, "confidence: high", "colour: red\n    size: 3", 1))},
	})
	g.Expect(err).To(HaveOccurred())
	g.Expect(strings.Split(err.Error(), "\n")).To(Equal([]string{
		`requirements: b.yaml: doc-one: level "WON'T 100%d" is not one of ["MUST" "SHOULD" "MAY"]`,
		`requirements: b.yaml: doc-one: second: weight "heavy" is not one of ["warn" "information"]`,
		`requirements: b.yaml: doc-one: duplicate id`,
		`requirements: c.yaml: doc-one: no confidence`,
		`requirements: c.yaml: doc-one: unknown key "colour"`,
		`requirements: c.yaml: doc-one: unknown key "size"`,
		`requirements: c.yaml: doc-one: duplicate id`,
	}))
}

func TestLoadNothing(t *testing.T) {
	_, err := requirements.Load(fstest.MapFS{"README.md": {}})
	NewWithT(t).Expect(err).To(MatchError("requirements: no *.yaml file"))
}

func TestRequirementAsJSON(t *testing.T) {
	g := NewWithT(t)
	r, _ := requirements.Default().Get("formpost-response-not-stored")
	text, err := json.Marshal(r)
	g.Expect(err).NotTo(HaveOccurred())
	var fields map[string]any
	g.Expect(json.Unmarshal(text, &fields)).To(Succeed())
	g.Expect(fields).To(HaveKeyWithValue("provoke", []any{}))
	g.Expect(fields).To(HaveKeyWithValue("link", r.Source.URL+"#FormPostResponseMode"))
	g.Expect(fields).NotTo(HaveKey("feature"))
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := requirements.Load(os.DirFS(".")); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSections(t *testing.T) {
	g := NewWithT(t)
	catalogue := requirements.Default()
	sections := func(of string) (found []string) {
		for _, r := range catalogue.In(of) {
			found = append(found, r.Source.Key+":"+r.Section)
		}
		return found
	}
	g.Expect(sections("sec:5.1.3")).To(And(ContainElements("sec:5.1.3 (1)", "sec:5.1.3 (9)"), HaveEach(HavePrefix("sec:5.1.3"))))
	g.Expect(sections("5.1.1")).To(And(ContainElements("sec:5.1.1.1", "sec:5.1.1.2"), Not(ContainElement(HavePrefix("sec:5.1.3")))))
	g.Expect(sections("ags:")).To(And(Not(BeEmpty()), HaveEach(HavePrefix("ags:"))))
	g.Expect(sections("FOR_USER claim")).To(And(Not(BeEmpty()), HaveEach(HaveSuffix(":for_user claim"))))
	g.Expect(sections("Step 3: Client Registration")).To(And(Not(BeEmpty()), HaveEach(HaveSuffix(":Step 3: Client Registration"))))
	g.Expect(sections("5.1.")).To(BeEmpty(), "half a number")
	g.Expect(sections("nowhere:5")).To(BeEmpty())
}

// A link leads to the very section, where its fragment is known.
func TestLinksLeadToSections(t *testing.T) {
	for id, want := range map[requirements.ID]string{
		"sec-tool-aud":                    "https://www.imsglobal.org/spec/security/v1p0/#authentication-response-validation",
		"sec-login-initiation-iss":        "https://www.imsglobal.org/spec/security/v1p0/#step-1-third-party-initiated-login",
		"core-resource-link-id-claim":     "https://www.imsglobal.org/spec/lti/v1p3/#resource-link-claim",
		"sec-tool-tls":                    "https://www.imsglobal.org/spec/security/v1p0/",
		"ags-lineitems-list":              "https://www.imsglobal.org/spec/lti-ags/v2p0/#line-item-service",
		"practice-tool-parallel-launches": "",
	} {
		r, _ := requirements.Default().Get(id)
		if r.Link != want {
			t.Errorf("%s (%s): %s, not %s", id, r.Section, r.Link, want)
		}
	}
}
