package grades

import (
	"encoding/json"
	"testing"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/judgetest"
)

// FuzzClaims holds whatever a platform may send as a message, a line item or a result against
// all that judges one.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		"{}", "null", "[]", `{"id": {}, "label": [], "scoreMaximum": "1", "userId": {}, "scoreOf": [], "resultScore": [], "startDateTime": 1, "n": [[]]}`,
		`{"` + lti.ClaimAGS + `": {"scope": ["` + lti.ScopeLineItem + `", "https://["], "lineitems": "http://%zz", "lineitem": {}}}`,
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var claims map[string]any
		if json.Unmarshal(text, &claims) != nil {
			return
		}
		body, err := json.Marshal([]any{claims})
		if err != nil {
			t.Fatal(err)
		}
		list := &gradebook.Listing{Elements: []harness.Members{claims}}
		judgetest.Steady(t, func() []string {
			wrong, strange := WrongEndpoint(harness.Message{Claims: claims})
			name, forgotten := differing(claims, harness.Members{"id": "x"})
			verdict, _ := judgeDates("item-dates-utc", harness.Members{"startDateTime": "2026-03-06T20:05:02Z"}, claims)
			return []string{
				wrong, strange, WrongLineItem(claims), wrongResult(claims, "x"), wrongUsers(list, []string{"x"}, true), wrongLineItems(judgetest.Answer(200, string(body))), name, forgotten, string(verdict),
			}
		})
	})
}

// FuzzAddresses holds what a platform may name as an address against what another is made of.
func FuzzAddresses(f *testing.F) {
	for _, address := range []string{"https://lms.example/items?x=1#y", "http://127.0.0.1:9090", "https://:443", "//x", "https://a b/", "%zz", ""} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		for _, to := range []string{"https://lms.example/courses/2", address} {
			if got := moved(address, "https://lms.example/courses/1", to); got == address && got != "" {
				t.Errorf("%q is moved to itself", address)
			}
		}
	})
}
