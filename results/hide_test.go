package results_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/secret"
	"invigilator.example/secret/secrettest"
)

// own are the fields that hold nothing but Invigilator's own words: no subject can write
// into them, and no secret changes them.
var own = map[string]bool{
	"Observation.Requirement": true, "Observation.Case": true, "Observation.Stimulus": true, "Observation.Verdict": true, "Observation.Scenario": true,
	"Observation.Location": true, "Observation.Agent": true, "Carrier.Flows": true, "Carrier.Profiles": true, "Carrier.Agent": true, "Observation.Flows": true, "Finding.Kind": true, "Finding.Scenario": true, "Finding.Flow": true, "Flow.ID": true, "Flow.Fault": true, "Flow.Ended": true,
	"Step.SeenBy": true, "Token.Name": true, "Page.Screenshot": true, "Fragment.Consulted": true, "Fragment.Screenshots": true,
	"Diagnosis.Step": true, "Diagnosis.Profiles": true, "Diagnosis.FlowID": true, "Subject.Side": true, "Subject.Faults": true,
}

// fill puts texts into every field, and look goes through them.
func fill(v reflect.Value, field string, text func(field string) string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text(field))
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			encoded, _ := json.Marshal(map[string]string{text(field): text(field), "https://purl.imsglobal.org/spec/lti/claim/tool_platform": "x"})
			v.SetBytes(encoded)
			return
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(text(field)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), field, text)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), field, text)
		}
	case reflect.Map:
		inner := reflect.New(v.Type().Elem()).Elem()
		fill(inner, field, text)
		v.Set(reflect.MakeMap(v.Type()))
		key := "id" // of flows and pictures
		if v.Type().Elem().Kind() == reflect.Int {
			key = text(field)
		}
		v.SetMapIndex(reflect.ValueOf(key), inner)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name, text)
		}
	}
}

func look(v reflect.Value, field string, see func(field, text string)) {
	switch v.Kind() {
	case reflect.String:
		see(field, v.String())
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			see(field, string(v.Bytes()))
			return
		}
		for i := range v.Len() {
			look(v.Index(i), field, see)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if v.Type().Elem().Kind() == reflect.Int {
				see(field, key.String())
			}
			look(v.MapIndex(key), field, see)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			look(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name, see)
		}
	}
}

// everything is what a spec leaves behind, with a text in every field.
type everything struct {
	Fragment  results.Fragment
	Diagnosis results.Diagnosis
	Subject   results.Subject
}

func (e everything) hide(hide func(string) string) everything {
	return everything{e.Fragment.Hide(hide), *e.Diagnosis.Hide(hide), e.Subject.Hide(hide)}
}

func TestNoFieldShowsASecret(t *testing.T) {
	for _, password := range []string{"Pa*s/s~w!rd", "pass\"wörd & <more>+%41", "difference-engine"} {
		hide := secret.New(map[string]string{password: "${PASSWORD}", password + "-2": "${OTHER}"})
		for name, write := range secrettest.Writings {
			t.Run(password+", "+name, func(t *testing.T) {
				g := NewWithT(t)
				var e everything
				fill(reflect.ValueOf(&e).Elem(), "", func(field string) string {
					if field == "Observation.Requirement" {
						return "sec-tool-aud"
					}
					return "see https://x.example/" + write(password) + " and " + write(password+"-2") + " there"
				})
				before, err := json.Marshal(e)
				g.Expect(err).NotTo(HaveOccurred())
				hidden := e.hide(hide.Hide)
				look(reflect.ValueOf(hidden), "", func(field, text string) {
					g.Expect(hide.Holds(text)).To(Equal(own[field] && field != "Observation.Requirement"), "%s: %s", field, text)
					if !own[field] && field != "Subject.Name" {
						g.Expect(text).NotTo(ContainSubstring(password), field)
						shown := strings.Contains(text, "${PASSWORD}") && strings.Contains(text, "${OTHER}") || strings.Contains(text, "authorization: Basic [") // or the whole field
						g.Expect(shown).To(BeTrue(), "%s: %s", field, text)
					}
				})
				_, err = json.Marshal(hidden)
				g.Expect(err).NotTo(HaveOccurred(), "claims are JSON")
				after, err := json.Marshal(e)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(string(after)).To(Equal(string(before)), "what was hidden stays as it was")
			})
		}
	}
}

// What stands behind a word like key or token and a colon is hidden in what a subject says.
func TestTitlesOfFlowsAreShown(t *testing.T) {
	g := NewWithT(t)
	for _, title := range []string{"key-set-hangs: answers no request for the key set", "token-empty: sends an empty id_token"} {
		shown := results.Fragment{Flows: map[string]results.Flow{"1": {Title: title, Why: title}}}.Hide(func(text string) string { return text })
		g.Expect(shown.Flows["1"].Title).To(Equal(title))
		g.Expect(shown.Flows["1"].Why).NotTo(Equal(title))
	}
}

// A password may be a word of ours.
func TestNothingOfOursIsTakenForASecret(t *testing.T) {
	g := NewWithT(t)
	aud, _ := requirements.Default().Get("sec-tool-aud")
	f := results.Fragment{
		Observations: []results.Observation{{
			Requirement: "sec-tool-aud", Case: "aud-foreign", Verdict: results.Passed, Expected: aud.Expect, Seen: "HTTP 401 from the tool: passed", Scenario: "A tool passed", Location: "tool/passed.go:1", Flows: []string{"passed-1"},
		}},
		Findings: []results.Finding{{Kind: "tool", Says: "passed", Scenario: "A tool"}},
		Flows: map[string]results.Flow{"passed-1": {ID: "passed-1", Ended: "settled", Steps: []results.Step{{SeenBy: "tool", Method: "GET", URL: "https://tool.test/passed"}}, Tokens: []results.Token{{
			Name: "id_token", Claims: json.RawMessage(`{"https://purl.imsglobal.org/spec/lti/claim/tool_platform":{"name":"the tool"},"exp":12345678,"n":1234}`),
		}}}},
		Consulted: []string{"tool"},
	}
	for _, password := range []string{"passed", "tool", "GET ", "settled", "aud-foreign", "id_token", "1234", "https", strings.Fields(aud.Expect)[1] + " "} {
		hide := secret.New(map[string]string{password: "${P}"}).Hide
		got := f.Hide(hide)
		encoded, err := json.Marshal(got)
		g.Expect(err).NotTo(HaveOccurred(), password)
		g.Expect(json.Unmarshal(encoded, new(results.Fragment))).To(Succeed(), password)
		o, want := got.Observations[0], f.Observations[0]
		o.Seen, want.Seen = "", ""
		g.Expect(o).To(Equal(want), password)
		g.Expect(got.Findings[0].Kind).To(Equal("tool"))
		flow := got.Flows["passed-1"]
		g.Expect([]string{flow.ID, flow.Ended, flow.Steps[0].SeenBy, flow.Steps[0].Method, flow.Tokens[0].Name, got.Consulted[0]}).To(Equal([]string{"passed-1", "settled", "tool", "GET", "id_token", "tool"}))
		g.Expect(string(flow.Tokens[0].Claims)).To(ContainSubstring("claim/tool_platform"), password)
	}
	got := f.Hide(secret.New(map[string]string{"passed": "${P}", "1234": "${N}"}).Hide)
	g.Expect(got.Observations[0].Seen).To(Equal("HTTP 401 from the tool: ${P}"))
	g.Expect(got.Flows["passed-1"].Steps[0].URL).To(Equal("https://tool.test/${P}"))
	g.Expect(string(got.Flows["passed-1"].Tokens[0].Claims)).To(HaveSuffix(`"exp":"${N}5678","n":"${N}"}`))
}

func TestTokensInErrorsAreHidden(t *testing.T) {
	g := NewWithT(t)
	none := func(text string) string { return text }
	d := (&results.Diagnosis{Problem: `The run could not begin: Get "https://tool.example/login?api_token=SECRET&a=1": EOF`, Sent: "GET https://tool.example/login?api_token=SECRET", Seen: "x", LookAt: "Is https://tool.example/login?api_token=SECRET (tool.login_url) there?"}).Hide(none)
	g.Expect(d.Error()).NotTo(ContainSubstring("SECRET"))
	g.Expect(lengths(d.Problem)).To(Equal(`The run could not begin: Get "https://tool.example/login?api_token=[6+characters]&a=1": EOF`))
	s := results.Subject{Name: "t", URL: "https://ada:SECRET@tool.example/login?api_token=SECRET"}.Hide(none)
	g.Expect(lengths(s.URL)).To(Equal("https://tool.example/login?api_token=[6+characters]"))
}
