package reports_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"time"

	"invigilator.example/results"
)

// hostile is what a subject could send to break a report, or its reader.
const hostile = "<script>alert(1)</script><img src=https://evil.example/x.png onerror=alert(1)>" +
	` " onmouseover="alert(1) ' ]]> --> | ` + "`code` ``` \x00\x0b\x1b[31m \u202e\u200f\u061c\u2067\u2028\u009b \xff " +
	"{{.}} ![image](https://evil.example/y.png) [link](javascript:alert(1)) https://evil.example www.evil.example " +
	"someone@evil.example $x$ &amp; \\| \r\n# heading\n\n    </pre></textarea></style></svg>"

// sample is the record of a run that has every verdict, and a subject that
// answers with hostile strings wherever it can.
func sample() results.Document {
	long := strings.Repeat("all work and no play ", 5000)
	flow := func(id, title, shot string) results.Flow {
		return results.Flow{
			ID: id, Title: title, Ended: "settled", Millis: 130,
			Steps: []results.Step{
				{SeenBy: "browser", At: 0, Method: "GET", URL: "https://tool.example/login?iss=https://platform.test&login_hint=it's&target_link_uri=https://tool.example/launch",
					RequestHeader: [][2]string{{"Accept", "text/html"}}, Status: 302,
					ResponseHeader: [][2]string{{"Location", "https://platform.test/auth?state=" + hostile}, {"Set-Cookie", "state=1; SameSite=None"}}},
				{SeenBy: "platform", At: 31, Method: "POST", URL: "javascript:alert(1)//" + hostile, RequestBody: "id_token=" + hostile,
					Status: 200, ResponseHeader: [][2]string{{hostile, hostile}}, ResponseBody: hostile, Note: hostile},
				{SeenBy: "tool", At: 88, Method: "GET", URL: "https://tool.example/gone"},
			},
			Tokens: []results.Token{
				{Name: "id_token", Raw: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", Header: json.RawMessage(`{"alg":"RS256","kid":"key-1"}`),
					Claims: json.RawMessage(`{"sub":"<script>alert(1)</script>","aud":["client"],"aud":"again","url":"https://tool.example/?a=1&b=\u0026\\u0026"}`)},
				{Name: hostile, Raw: hostile, Problem: hostile},
			},
			Page: results.Page{URL: "https://tool.example/launch", Status: 200, Title: hostile, Text: hostile, Screenshot: shot,
				Console: []string{hostile}, Notes: []string{hostile}},
		}
	}
	observation := func(verdict results.Verdict, name, seen string, flows ...string) results.Observation {
		return results.Observation{Case: name, Stimulus: "an id_token that carries the nonce of another login", Verdict: verdict,
			Expected: "the launch is refused", Seen: seen, Scenario: "A tool validating the id_token refuses one that differs in a single thing",
			Location: "scenarios/core/validation.go:42", Flows: flows}
	}
	requirement := func(id, profile string, observations ...results.Observation) results.Requirement {
		var all []results.Verdict
		for i := range observations {
			observations[i].Requirement = id
			all = append(all, observations[i].Verdict)
		}
		return results.Requirement{ID: id, Profile: profile, Level: "MUST", Binds: "tool", Source: "1EdTech Security Framework 1.0", Section: "5.1.3",
			Link: "https://www.imsglobal.org/spec/security/v1p0/#authentication-response-validation", Statement: "The Tool must verify that the nonce has not been used before.",
			Expect: "the launch is refused", Verdict: results.Worst(all...), Observations: observations}
	}
	linked := func(r results.Requirement, link string) results.Requirement { r.Link = link; return r }

	return results.Document{
		Schema: results.Schema,
		Run: results.Run{
			Version: "0.1.0", Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600)), Seconds: 42.25, Processes: 2, Seed: 7,
			Subject: results.Subject{Name: "Example Tool", Side: "tool", URL: "https://tool.example/" + hostile, Faults: []string{"accepts-any-nonce"}},
			Agent:   results.Agent{Kind: "browser", Version: "HeadlessChrome/140", Flags: []string{"--site-per-process", "--headless"}},
			Only:    "nonce", Command: "invigilator judge --config tool.yaml",
		},
		Outcome: results.NotConformant,
		Because: "2 required requirements of core failed.",
		Profiles: []results.Profile{
			{Name: "core", Outcome: results.NotConformant, Because: "nonce-foreign failed", Total: 5, NotCovered: 2,
				Tally: map[results.Verdict]int{results.Failed: 2, results.Inconclusive: 1, results.Warned: 1, results.Passed: 1}},
			{Name: "proctoring", Outcome: results.Unusable, Because: "the harness failed", Total: 2,
				Tally: map[results.Verdict]int{results.Errored: 1, results.Skipped: 1}},
			{Name: "deep linking", Outcome: results.NotShown, Because: "nothing was selected"},
			{Name: "review", Outcome: results.NotShown, Because: "nothing was observed", Total: 1, Tally: map[results.Verdict]int{results.Skipped: 1}},
		},
		Requirements: []results.Requirement{
			requirement("core-passed", "core", observation(results.Passed, "", "the launch was accepted", "control"), observation(results.Passed, "as-array", "accepted", "control")),
			requirement("core-nonce-foreign", "core", observation(results.Failed, "nonce-of-another-login", "the page of the control launch, status 200", "control", "foreign"),
				observation(results.Passed, "nonce-missing", "status 401", "foreign")),
			linked(requirement("core-hostile", "core", observation(results.Failed, hostile, hostile, "control", "foreign")), "javascript://evil.example/%0aalert(1)"),
			requirement("core-unseen", "core", observation(results.Inconclusive, "blank", "the page differs from the control's and no signal speaks", "control", "foreign", "lost")),
			requirement("core-should", "core", observation(results.Warned, "http-200", long, "foreign")),
			linked(requirement("proctoring-errored", "proctoring", observation(results.Errored, "end", "the browser crashed", "foreign")), "data:text/html,<script>alert(1)</script>"),
			requirement("proctoring-optional", "proctoring", observation(results.Skipped, "", "end_assessment is not declared")),
			requirement("review-unobserved", "review"),
		},
		NotCovered: []results.Uncovered{{ID: "core-later", Profile: "core", Level: "MUST", Statement: hostile}, {ID: "core-much-later", Profile: "core", Level: "MAY", Statement: "Someday."}},
		Findings:   []results.Finding{{Kind: "unplanned-request", Says: hostile, Scenario: hostile, Flow: "foreign"}},
		Flows: map[string]results.Flow{
			"control": flow("control", "A launch as it should be", "red"),
			"foreign": flow("foreign", "The same with the nonce of another login: "+hostile, "green"),
			"third":   flow("third", "A launch whose picture is broken", "broken"),
			"fourth":  flow("fourth", "A launch that nobody blames", "blue"),
		},
		Screenshots: map[string][]byte{"red": picture(color.RGBA{200, 60, 60, 255}), "green": picture(color.RGBA{60, 160, 90, 255}), "blue": picture(color.RGBA{60, 90, 160, 255}), "broken": []byte(hostile)},
	}
}

// gated is a run that is held against the terms of who runs it.
func gated() results.Document {
	doc := sample()
	doc.Gate = &results.Gate{
		Exit: 1, Because: "2 count: " + hostile, FailOn: []string{"warned"}, Require: []string{"core-*"},
		Baseline: &results.Baseline{Name: hostile, Version: "0.1.0", Started: "2026-02-01T12:00:00Z", Differs: hostile},
		Red: []results.Red{
			{Requirement: "core-should", Case: "http-200", Verdict: results.Warned, Why: "warned, which fail_on names", Seen: hostile},
			{Requirement: "core-passed", Why: "nothing needs this waiver any more"},
		},
		Waived: []results.Red{
			{Requirement: "core-nonce-foreign", Case: "nonce-of-another-login", Verdict: results.Failed, Before: results.Passed, Why: "waived until 2026-12-31: " + hostile},
		},
	}
	return doc
}

// picture is a screenshot of a page that has but one colour.
func picture(c color.Color) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for i := range 320 * 200 {
		img.Set(i%320, i/320, c)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// words is a record in which each hostile word has a place of its own, that it
// is not lost where a report shortens.
func words() results.Document {
	r := results.Requirement{ID: "words", Profile: "core", Verdict: results.Failed}
	for word := range strings.FieldsSeq(hostile) {
		r.Observations = append(r.Observations, results.Observation{Case: word, Verdict: results.Failed, Expected: word, Seen: word})
	}
	return results.Document{Outcome: results.NotConformant, Requirements: []results.Requirement{r}}
}

// undone is the record of a run that could not begin.
func undone() results.Document {
	return results.Document{
		Schema: results.Schema, Outcome: results.Unusable, Because: "The subject cannot be reached.",
		Run: results.Run{Command: "invigilator judge", Subject: results.Subject{Name: hostile, Side: "tool"}},
		Diagnosis: &results.Diagnosis{Step: "login initiation", Sent: "GET https://tool.example/login", Seen: hostile,
			LookAt: "is the tool running?", FlowID: "control", Problem: "No answer came: " + hostile},
	}
}
