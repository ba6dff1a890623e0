package proctoring

import (
	"encoding/json"
	"testing"

	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/messages"
)

// FuzzControls holds whatever a tool may send as a control request, or as a message, against
// what judges one.
func FuzzControls(f *testing.F) {
	for _, body := range []string{
		"{}", "null", "[]", `{"user": {"iss": null}, "resource_link": [], "incident_time": "2026-11-21t10:15:30z", "incident_severity": 1e-300, "extra_time": 1e300, "action": ["update"]}`,
		`{"aud": [["a"]], "azp": {}, "iat": 1e308, "exp": -1e308}`, `{"a":`, "\xff",
	} {
		f.Add([]byte(body), "/items?type_id=3&a;b", "text/html;;, */*")
	}
	f.Fuzz(func(t *testing.T, body []byte, target, media string) {
		control := proctoring.Control{Target: target, ContentType: media, Body: body, At: judgetest.Came}
		var members map[string]any
		_ = json.Unmarshal(body, &members) // what is no object has none
		m := harness.Message{Claims: members}
		judgetest.Steady(t, func() []string {
			return []string{wrongIncidentTime(control), wrongNumbers(control), wrongAZP(m), wrongType(m), messages.LongLived(m), targetOf(target)}
		}, target, media)
	})
}

// FuzzClaims holds whatever a platform may send as a message against what judges one.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		"{}", "null", "[]", `{"` + lti.ClaimLaunchPresentation + `": {"locale": [], "height": "1"}}`,
		`{"` + lti.ClaimACS + `": {"actions": [[], "pause"], "assessment_control_url": "http://[::1"}, "` + lti.ClaimPrefix + `lti-ap/claim/x": null, "\u202e": " "}`,
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var claims map[string]any
		if json.Unmarshal(text, &claims) != nil {
			return
		}
		m := harness.Message{Claims: claims}
		judgetest.Steady(t, func() []string {
			return []string{wrongACS(m), wrongNames(m), emptyClaims(m), wrongSizeOrLocale(m.Object(lti.ClaimLaunchPresentation))}
		})
	})
}
