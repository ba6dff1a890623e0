package grades

import (
	"net/http"
	"net/url"
	"testing"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

// FuzzBodies holds whatever a tool may send as a score or a line item against
// all that judges one. Each comes to an end, with a sentence that can be shown, and says
// the same of the same body.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		"{}", "null", "[]", `{"userId": "7", "timestamp": "2026-11-21T10:15:30.250Z", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": -0, "scoreMaximum": 1e308}`,
		`{"userId": [], "scoringUserId": {}, "submission": {"submittedAt": "9999-12-31T23:59:59.9Z", "startedAt": 7}, "activityProgress": "Submitted"}`,
		`{"label": "\u202e", "scoreMaximum": 0.1, "startDateTime": "2026-11-21T10:15", "tag": null, "submissionReview": {"url": "https://[", "custom": [], "reviewableStatus": [[]]}}`,
		`{"a":`, "\xff",
	} {
		f.Add([]byte(body), "/items?type_id=3&a;b", "text/html;;, */*")
	}
	f.Fuzz(func(t *testing.T, body []byte, target, media string) {
		judgetest.Steady(t, func() []string { return sentences(body, target, media) }, target, media)
	})
}

// sentences are those of all judges of what a tool sends.
func sentences(body []byte, target, media string) []string {
	work := &harness.Work{Learner: fakeplatform.User{Sub: "7"}}
	call := grades.Call{Service: grades.LineItems, Method: http.MethodPost, Target: target, Accept: media, ContentType: media, Body: body, At: judgetest.Came}
	scored := call
	scored.ContentType = lti.MediaTypeScore
	members := membersOf(body)
	accept, _ := wrongAccept(call)
	request := fakeplatform.TokenRequest{Form: url.Values{lti.ParamScope: {media}}}
	return []string{
		wrongScore(call, work), wrongScore(scored, work), wrongTimestamps([]grades.Call{call, call}, false), wrongSubmission(members),
		accept, nullMember(call), wrongItemRequest(call), wrongItemsTarget(call), lostMembers(lti.LineItem{Label: "x", StartDateTime: "2026-11-21T10:15:30Z"}, members), wrongSubmissionReview("http://x/", members["submissionReview"]),
		wrongScopes([]fakeplatform.TokenRequest{request}), Told(call),
	}
}
