package platform

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/lti"
)

// FuzzClaims holds whatever a platform may send as a message against all that judges one. Each
// comes to an end, with a sentence that can be shown, and says the same of the same message.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		"{}", "null", "[]", `{"aud": [["a"]], "azp": {}, "iat": 1e308, "exp": -1e308, "sub": []}`,
		`{"` + lti.ClaimRoles + `": [null, {}, "Learner", "http://purl.imsglobal.org/vocab/lis/v2/membership/#"], "` + lti.ClaimRoleScopeMentor + `": [[]]}`,
		`{"` + lti.ClaimContext + `": {"id": "x", "type": {}}, "` + lti.ClaimCustom + `": {"a": [{}]}, "` + lti.ClaimLaunchPresentation + `": {"locale": [], "height": "1"}}`,
		`{"` + lti.ClaimAGS + `": {"scope": ["` + lti.ScopeLineItem + `", "https://["], "lineitems": "http://%zz", "lineitem": {}}, "` + lti.ClaimForUser + `": {"https://x/y": 1, "user_id": "\ud800"}}`,
		`{"` + lti.ClaimACS + `": {"actions": [[], "pause"], "assessment_control_url": "http://[::1"}, "` + lti.ClaimPrefix + `lti-ap/claim/x": null, "\u202e": " "}`,
		`{"id": {}, "label": [], "scoreMaximum": "1", "userId": {}, "scoreOf": [], "resultScore": [], "startDateTime": 1, "n": [[]]}`,
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var claims map[string]any
		if json.Unmarshal(text, &claims) != nil {
			return
		}
		first, second := sentences(t, claims), sentences(t, claims)
		for i, sentence := range first {
			if !utf8.ValidString(sentence) {
				t.Errorf("%q: %q", text, sentence)
			}
			if sentence != second[i] {
				t.Errorf("%q: %q, and then %q", text, sentence, second[i])
			}
		}
	})
}

// sentences are those of all judges of messages, line items, results and answers.
func sentences(t *testing.T, claims map[string]any) []string {
	t.Helper()
	m := harness.Message{Claims: claims}
	var all []string
	for _, judge := range []func(harness.Message) string{
		wrongRoles, deprecatedRoles, wrongMentor, wrongCustom, wrongContext, wrongACS, wrongNames, emptyClaims, wrongForUser,
	} {
		all = append(all, judge(m))
	}
	wrong, strange := wrongEndpoint(m)
	address, _ := unresolved(m)
	audience, ofAudience := judgeAudience(m, "tool")
	_, ofTimes := judgeTimes(m, time.Unix(1_800_000_000, 0))
	all = append(all, wrong, strange, address, string(audience), ofAudience, ofTimes, wrongSizeOrLocale(m.Object(lti.ClaimLaunchPresentation)), otherIdentity(m, harness.Message{}))
	all = append(all, untrimmed(claims, "")...)
	body, err := json.Marshal([]any{claims})
	if err != nil {
		t.Fatal(err)
	}
	list := &harness.Listing{Elements: []harness.Members{claims}}
	name, forgotten := differing(claims, harness.Members{"id": "x"})
	verdict, _ := judgeDates("item-dates-utc", harness.Members{"startDateTime": "2026-03-06T20:05:02Z"}, claims)
	granted := &faketool.Token{ExpiresIn: claims["exp"]}
	all = append(all, wrongLineItem(claims), wrongResult(claims, "x"), wrongUsers(list, []string{"x"}, true), wrongLineItems(answer(200, string(body))), name, forgotten, string(verdict), wrongGrantForm(granted))
	if !sameKey(claims, claims) || !same(claims, claims) {
		t.Error("it is another than itself")
	}
	return slices.Concat(all, lackingOf(m))
}

// FuzzAddresses holds what a platform may name as an address against what judges one.
func FuzzAddresses(f *testing.F) {
	for _, address := range []string{"https://lms.example/items?x=1#y", "http://127.0.0.1:9090", "HTTP://LOCALHOST", "https://:443", "//x", "javascript:x", "https://[::1%25eth0]/", "http://127.1", "https://a b/", "%zz", ""} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		wrong := WrongServiceURL(address, "lineitems")
		if !utf8.ValidString(wrong) && utf8.ValidString(address) {
			t.Errorf("%q: %q", address, wrong)
		}
		for _, to := range []string{"https://lms.example/courses/2", address} {
			if got := moved(address, "https://lms.example/courses/1", to); got == address && got != "" {
				t.Errorf("%q is moved to itself", address)
			}
		}
	})
}
