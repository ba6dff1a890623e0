package tool

import (
	"net/http"
	"net/url"
	"testing"
	"unicode/utf8"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/lti"
)

// FuzzBodies holds whatever a tool may send as a score, a line item or a control request
// against all that judges one. Each comes to an end, with a sentence that can be shown, and
// says the same of the same body.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		"{}", "null", "[]", `{"userId": "7", "timestamp": "2026-11-21T10:15:30.250Z", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": -0, "scoreMaximum": 1e308}`,
		`{"userId": [], "scoringUserId": {}, "submission": {"submittedAt": "9999-12-31T23:59:59.9Z", "startedAt": 7}, "activityProgress": "Submitted"}`,
		`{"label": "\u202e", "scoreMaximum": 0.1, "startDateTime": "2026-11-21T10:15", "tag": null, "submissionReview": {"url": "https://[", "custom": [], "reviewableStatus": [[]]}}`,
		`{"user": {"iss": null}, "resource_link": [], "incident_time": "2026-11-21t10:15:30z", "incident_severity": 1e-300, "extra_time": 1e300, "action": ["update"]}`,
		`{"aud": [["a"]], "azp": {}, "iat": 1e308, "exp": -1e308}`, `{"a":`, "\xff",
	} {
		f.Add([]byte(body), "/items?type_id=3&a;b", "text/html;;, */*")
	}
	f.Fuzz(func(t *testing.T, body []byte, target, media string) {
		first, second := sentences(body, target, media), sentences(body, target, media)
		for i, sentence := range first {
			if utf8.ValidString(target) && utf8.ValidString(media) && !utf8.ValidString(sentence) {
				t.Errorf("%q: %q", body, sentence)
			}
			if sentence != second[i] {
				t.Errorf("%q: %q, and then %q", body, sentence, second[i])
			}
		}
	})
}

// sentences are those of all judges of what a tool sends.
func sentences(body []byte, target, media string) []string {
	work := &harness.Work{Learner: fakeplatform.User{Sub: "7"}}
	call := grades.Call{Service: grades.LineItems, Method: http.MethodPost, Target: target, Accept: media, ContentType: media, Body: body, At: came}
	scored := call
	scored.ContentType = lti.MediaTypeScore
	control := proctoring.Control{Target: target, ContentType: media, Body: body, At: came}
	members := membersOf(body)
	accept, _ := wrongAccept(call)
	request := fakeplatform.TokenRequest{Form: url.Values{lti.ParamScope: {media}}}
	m := harness.Message{Claims: members}
	return []string{
		wrongScore(call, work), wrongScore(scored, work), wrongGrade(call, work, fakeplatform.User{Sub: "r"}), wrongTimestamps([]grades.Call{call, call}, false), wrongSubmission(members),
		accept, nullMember(call), wrongItemRequest(call), wrongItemsTarget(call), lostMembers(lti.LineItem{Label: "x", StartDateTime: "2026-11-21T10:15:30Z"}, members), wrongSubmissionReview("http://x/", members["submissionReview"]),
		wrongIncidentTime(control), wrongNumbers(control), wrongAZP(m), wrongType(m), longLived(m), tokenElsewhere([]grades.Call{call}), wrongScopes([]fakeplatform.TokenRequest{request}), told(call), targetOf(target),
	}
}
