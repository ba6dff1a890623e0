package platform

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/messages"
)

// FuzzClaims holds whatever a platform may send as a message against all that judges one. Each
// comes to an end, with a sentence that can be shown, and says the same of the same message.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		"{}", "null", "[]", `{"aud": [["a"]], "azp": {}, "iat": 1e308, "exp": -1e308, "sub": []}`,
		`{"` + lti.ClaimRoles + `": [null, {}, "Learner", "http://purl.imsglobal.org/vocab/lis/v2/membership/#"], "` + lti.ClaimRoleScopeMentor + `": [[]]}`,
		`{"` + lti.ClaimContext + `": {"id": "x", "type": {}}, "` + lti.ClaimCustom + `": {"a": [{}]}, "` + lti.ClaimLaunchPresentation + `": {"locale": [], "height": "1"}}`,
		`{"` + lti.ClaimAGS + `": {"lineitems": "http://%zz", "lineitem": {}}}`,
		`{"https://vendor.example/x": null, "\u202e": " "}`,
		`{"n": [[]]}`,
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var claims map[string]any
		if json.Unmarshal(text, &claims) != nil {
			return
		}
		judgetest.Steady(t, func() []string { return sentences(claims) })
		if !sameKey(claims, claims) || !same(claims, claims) {
			t.Error("it is another than itself")
		}
	})
}

// sentences are those of all judges of messages.
func sentences(claims map[string]any) []string {
	m := harness.Message{Claims: claims}
	var all []string
	for _, judge := range []func(harness.Message) string{
		messages.WrongRoles, messages.DeprecatedRoles, wrongMentor, wrongCustom, wrongContext,
	} {
		all = append(all, judge(m))
	}
	address, _ := unresolved(m)
	audience, ofAudience := judgeAudience(m, "tool")
	_, ofTimes := judgeTimes(m, time.Unix(1_800_000_000, 0))
	all = append(all, address, string(audience), ofAudience, ofTimes)
	all = append(all, untrimmed(claims, "")...)
	return slices.Concat(all, lackingOf(m))
}
