package review

import (
	"encoding/json"
	"testing"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

// FuzzClaims holds whatever a platform may send as a request for a review, and a tool as the
// grade that follows, against what judges it.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		"{}", "null", "[]", `{"` + lti.ClaimForUser + `": {"https://x/y": 1, "user_id": "\ud800"}, "sub": []}`, `{"userId": [], "scoringUserId": {}}`, `{"a":`, "\xff",
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var claims map[string]any
		_ = json.Unmarshal(text, &claims) // what is no object has none
		m, grade := harness.Message{Claims: claims}, grades.Call{ContentType: lti.MediaTypeScore, Body: text}
		judgetest.Steady(t, func() []string {
			return []string{wrongForUser(m), otherIdentity(m, harness.Message{}), wrongGrade(grade, &harness.Work{Learner: fakeplatform.User{Sub: "7"}}, fakeplatform.User{Sub: "r"})}
		}, string(text))
	})
}
