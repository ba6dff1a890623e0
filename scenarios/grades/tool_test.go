package grades

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

func TestAScoreIsThatOfTheLearner(t *testing.T) {
	work := &harness.Work{Learner: fakeplatform.User{Sub: "7"}}
	judgetest.Hold(t, func(text string) string { return wrongScore(judgetest.Score(t, text), work) },
		row("as it has to be", "{}", ""), row("nothing given", `{"scoreGiven": "absent", "scoreMaximum": "absent"}`, ""), row("null taken back", `{"scoreGiven": null}`, ""), row("more than the maximum", `{"scoreGiven": 12}`, ""), row("no points", `{"scoreGiven": 0}`, ""), row("fractions", `{"scoreGiven": 0.1, "scoreMaximum": 0.5}`, ""),
		row("a comment, and more", `{"comment": "`+judgetest.Long+`", "https://tool.example/x": {"a": null}, "scoringUserId": "8"}`, ""),
		row("of somebody else", `{"userId": "8"}`, "userId is"), row("a number", `{"userId": 7}`, "userId is 7"), row("of nobody", `{"userId": null}`, "userId is absent"), row("null", `{"timestamp": null, "comment": null}`, "comment is null"),
		row("another case", `{"activityProgress": "completed"}`, "activityProgress is"), row("no progress", `{"gradingProgress": "absent"}`, "gradingProgress is absent"), row("an object", `{"gradingProgress": {}}`, "gradingProgress is {}"), row("no time", `{"timestamp": "absent"}`, "timestamp is missing"),
		row("a text as points", `{"scoreGiven": "8"}`, "scoreGiven is"), row("less than nothing", `{"scoreGiven": -1}`, "scoreGiven is -1"), row("points of nothing", `{"scoreMaximum": "absent"}`, "without scoreMaximum"), row("0 as maximum", `{"scoreMaximum": 0}`, "scoreMaximum is 0"), row("a text as maximum", `{"scoreMaximum": "10"}`, "scoreMaximum is"),
		row("an empty scorer", `{"scoringUserId": ""}`, "scoringUserId is"), row("a number as scorer", `{"scoringUserId": 8}`, "scoringUserId is 8"), row("a list", "[]", "not a JSON object"), row("nothing", "null", "not a JSON object"),
	)
	other := judgetest.Score(t, "{}")
	other.ContentType = "application/json"
	NewWithT(t).Expect(wrongScore(other, work)).To(ContainSubstring("Content-Type is"))
}

func TestTimestampsGrow(t *testing.T) {
	judge := func(again bool) func(string) string {
		return func(times string) string {
			var calls []grades.Call
			for _, at := range judgetest.JSON(t, times).([]any) {
				body, err := json.Marshal(map[string]any{"timestamp": at})
				if err != nil {
					t.Fatal(err)
				}
				calls = append(calls, grades.Call{Body: body, At: judgetest.Came})
			}
			return wrongTimestamps(calls, again)
		}
	}
	judgetest.Hold(t, judge(false),
		row("one", `["2026-11-21T10:15:30.250Z"]`, ""), row("none", "[]", ""), row("a comma", `["2026-11-21T10:15:30,2Z"]`, ""), row("two, in two zones", `["2026-11-21T10:15:30.250Z", "2026-11-21T11:15:30.251+0100"]`, ""), row("small letters", `["2026-11-21t10:15:30.250z"]`, ""), row("nine digits", `["2026-11-21T10:15:30.000000001Z", "2026-11-21T10:15:30.000000002Z"]`, ""),
		row("without a fraction", `["2026-11-21T10:15:30Z"]`, "without a fraction"), row("without a zone", `["2026-11-21T10:15:30.250"]`, "or a zone"), row("a number", "[1795256130.25]", "timestamp is"), row("none in one", "[null]", "timestamp is absent"), row("very long", `["`+judgetest.Long+`"]`, "timestamp is"),
		row("an hour off", `["2026-11-21T11:15:30.250Z"]`, "seconds away"), row("the same", `["2026-11-21T10:15:30.250Z", "2026-11-21T11:15:30.25+01:00"]`, "and was"), row("back", `["2026-11-21T10:15:30.250Z", "2026-11-21T10:15:30.249Z"]`, "and was"),
	)
	judgetest.Hold(t, judge(true), row("the same, sent again", `["2026-11-21T10:15:30.250Z", "2026-11-21T10:15:30.250Z"]`, ""), row("back", `["2026-11-21T10:15:30.250Z", "2026-11-21T10:15:30.249Z"]`, "and was"))
}

func TestASubmissionIsBeforeItsScore(t *testing.T) {
	of := func(submission string) string {
		return `{"activityProgress": "Submitted", "timestamp": "2026-11-21T10:15:30.250Z", "submission": ` + submission + `}`
	}
	judgetest.Hold(t, func(text string) string { return wrongSubmission(judgetest.Object(t, text)) },
		row("handed in", of(`{"submittedAt": "2026-11-21T10:15:30.1Z"}`), ""), row("at that time", of(`{"submittedAt": "2026-11-21T11:15:30.25+01:00", "startedAt": "2026-11-21T10:15:30.250Z"}`), ""), row("completed", strings.Replace(of(`{"submittedAt": "2026-11-21T10:15:30.1Z"}`), "Submitted", "Completed", 1), ""),
		row("under way", `{"activityProgress": "InProgress"}`, "activityProgress is"), row("for review", `{"activityProgress": "Submitted", "submissionReview": null}`, "has submissionReview"), row("no submission", `{"activityProgress": "Submitted"}`, "submittedAt is absent"), row("a list", of("[]"), "submittedAt is absent"),
		row("whole seconds", of(`{"submittedAt": "2026-11-21T10:15:30Z"}`), "submittedAt is"), row("after the score", of(`{"submittedAt": "2026-11-21T10:15:30.251Z"}`), "after timestamp"), row("begun afterwards", of(`{"submittedAt": "2026-11-21T10:15:30.1Z", "startedAt": "2026-11-21T10:15:30.2Z"}`), "after submittedAt"), row("begun at null", of(`{"submittedAt": "2026-11-21T10:15:30.1Z", "startedAt": null}`), "startedAt is absent"),
	)
}

func TestARequestTakesWhatAnswersIt(t *testing.T) {
	judge := func(method string, service grades.Service) func(string) string {
		return func(accept string) string {
			wrong, harmful := wrongAccept(grades.Call{Method: method, Service: service, Accept: accept})
			if harmful {
				wrong = "harmful: " + wrong
			}
			return wrong
		}
	}
	judgetest.Hold(t, judge(http.MethodGet, grades.LineItems),
		row("the container", lti.MediaTypeLineItemContainer, ""), row("in capital letters", strings.ToUpper(lti.MediaTypeLineItemContainer), ""), row("among others", "text/html;q=0.1, "+lti.MediaTypeLineItemContainer+";q=0.9", ""),
		row("anything", "*/*", "Accept of GET"), row("nothing said", "", "Accept of GET"), row("one item", lti.MediaTypeLineItem, "harmful: Accept of GET"), row("JSON", "application/json", "harmful: "), row("very long", judgetest.Long, "harmful: "),
	)
	judgetest.Hold(t, judge(http.MethodPost, grades.LineItems), row("the item", lti.MediaTypeLineItem, ""), row("nothing said", "", ""), row("anything", "text/html, */*; q=0.8", ""), row("any application", "Application/*", ""), row("JSON", "application/json", "Accept of POST"), row("the container", lti.MediaTypeLineItemContainer, "Accept of POST"))
	judgetest.Hold(t, judge(http.MethodDelete, grades.LineItem), row("whatever", "text/html", ""))
}

func TestALineItemIsAskedForInForm(t *testing.T) {
	judge := func(method string) func(string) string {
		return func(body string) string {
			return wrongItemRequest(grades.Call{Method: method, ContentType: "Application/vnd.ims.lis.v2.lineitem+json", Body: []byte(body)})
		}
	}
	judgetest.Hold(t, judge(http.MethodPost),
		row("the least", `{"label": "Essay", "scoreMaximum": 10}`, ""), row("half a point", `{"label": "Essay", "scoreMaximum": 0.5, "tag": null, "https://tool.example/x": []}`, ""), row("dates", `{"label": "E", "scoreMaximum": 1, "startDateTime": "2026-11-21T10:15:30+0100", "endDateTime": "2026-11-21t10:15z"}`, ""), row("null for dates", `{"label": "E", "scoreMaximum": 1, "startDateTime": null}`, ""),
		row("an id", `{"id": "x", "label": "E", "scoreMaximum": 1}`, "POST has an id"), row("a blank label", `{"label": "\t", "scoreMaximum": 1}`, "label is"), row("a number as label", `{"label": 7, "scoreMaximum": 1}`, "label is 7"), row("a text as maximum", `{"label": "E", "scoreMaximum": "1"}`, "scoreMaximum is"), row("0", `{"label": "E", "scoreMaximum": 0}`, "scoreMaximum is 0"),
		row("a date without a zone", `{"label": "E", "scoreMaximum": 1, "endDateTime": "2026-11-21T10:15:30"}`, "endDateTime is"), row("a number as date", `{"label": "E", "scoreMaximum": 1, "endDateTime": 7}`, "endDateTime is 7"), row("a list", "[]", "not a JSON object"), row("nothing", "", "not a JSON object"),
	)
	judgetest.Hold(t, judge(http.MethodPut), row("with its id", `{"id": "x", "label": "E", "scoreMaximum": 1}`, ""))
	judgetest.Hold(t, judge(http.MethodGet), row("no body", "", ""))
	NewWithT(t).Expect(wrongItemRequest(grades.Call{Method: http.MethodPost, ContentType: "application/json", Body: []byte("{}")})).To(ContainSubstring("Content-Type of POST"))

	judgetest.Hold(t, func(body string) string {
		return nullMember(grades.Call{Method: http.MethodPut, Body: []byte(body)})
	},
		row("none", `{"label": "", "tag": {}}`, ""), row("two, in order", `{"tag": null, "label": null}`, "label is null"), row("no object", "[null]", ""))

	judgetest.Hold(t, func(target string) string { return wrongItemsTarget(grades.Call{Target: target}) },
		row("kept", "/items?type_id=3", ""), row("with a filter before it", "/items?tag=x&type_id=3", ""), row("and behind it", "/items?type_id=3&limit=10", ""), row("lost", "/items", "not kept"), row("glued", "/items?type_id=3?tag=x", "not kept"), row("glued to the path", "/items&tag=x?type_id=3", "not kept"), row("twice", "/items?type_id=3&type_id=3", "not kept"), row("unreadable", "/items?%zz&type_id=3", "not kept"), row("very long", "/"+judgetest.Long, "not kept"),
	)
}

func TestALineItemKeepsWhatItHad(t *testing.T) {
	had := lti.LineItem{ID: "https://l.example/1", Label: "Old", ScoreMaximum: 7.5, Tag: "essay", ResourceLinkID: "link", StartDateTime: "2026-03-01T08:00:00Z", GradesReleased: new(true)}
	judgetest.Hold(t, func(text string) string { return lostMembers(had, judgetest.Object(t, text)) },
		row("all, with another label", `{"label": "New", "scoreMaximum": 7.5, "tag": "essay", "resourceLinkId": "link", "startDateTime": "2026-03-01T08:00:00Z", "gradesReleased": true}`, ""), row("without its link, and an instant in another zone", `{"label": "New", "scoreMaximum": 7.50, "tag": "essay", "startDateTime": "2026-03-01T09:00:00+0100", "gradesReleased": true, "x": 1}`, ""),
		row("another tag, and no date", `{"label": "New", "scoreMaximum": 7.5, "tag": "Essay", "gradesReleased": true}`, `startDateTime was "2026-03-01T08:00:00Z", and is missing; tag was`), row("another link", `{"label": "New", "scoreMaximum": 7.5, "tag": "essay", "resourceLinkId": "x", "startDateTime": "2026-03-01T08:00:00Z", "gradesReleased": true}`, "resourceLinkId was"),
		row("a text as maximum", `{"label": "New", "scoreMaximum": "7.5", "tag": "essay", "startDateTime": "2026-03-01T08:00:00Z", "gradesReleased": true}`, "scoreMaximum was 7.5"), row("no label", `{"scoreMaximum": 7.5, "tag": "essay", "startDateTime": "2026-03-01T08:00:00Z", "gradesReleased": true}`, "label is absent"), row("nothing", "null", "is missing"),
	)
}

func TestAReviewIsOfferedInForm(t *testing.T) {
	judge := func(launchURL string) func(string) string {
		return func(text string) string { return wrongSubmissionReview(launchURL, judgetest.JSON(t, text)) }
	}
	judgetest.Hold(t, judge("https://tool.example/launch"),
		row("none", "null", ""), row("nothing of it", "{}", ""), row("whole", `{"reviewableStatus": ["None", "Submitted"], "label": "", "url": "https://tool.example/review?a=1", "custom": {"a": ""}, "x": null}`, ""), row("elsewhere, in capital letters", `{"url": "HTTPS://REVIEW.EXAMPLE"}`, ""), row("no status", `{"reviewableStatus": []}`, ""),
		row("another status", `{"reviewableStatus": ["Submitted", "Graded"]}`, "reviewableStatus is"), row("a text as status", `{"reviewableStatus": "Submitted"}`, "reviewableStatus is"), row("null as status", `{"reviewableStatus": null}`, "reviewableStatus is absent"), row("a number as label", `{"label": 7}`, "label of submissionReview is 7"),
		row("a path", `{"url": "/review"}`, "url of submissionReview is"), row("http", `{"url": "http://tool.example/review"}`, "url of"), row("a script", `{"url": "javascript:alert(1)"}`, "url of"), row("a number in custom", `{"custom": {"a": 7}}`, "custom of"), row("a list as custom", `{"custom": []}`, "custom of"), row("a list", "[]", "submissionReview is []"), row("very long", `"`+judgetest.Long+`"`, "submissionReview is"),
	)
	judgetest.Hold(t, judge("http://localhost:8080/launch"), row("http, as the tool itself", `{"url": "http://localhost:8080/review"}`, ""), row("without a host", `{"url": "http:///review"}`, "url of"))
}

func TestTokensAreRenewedAndOfTheirScopes(t *testing.T) {
	call := func(method, target, token string, status int) grades.Call {
		return grades.Call{Method: method, Target: target, Token: token, Status: status}
	}
	seen := judgetest.Seen[[]grades.Call]
	judgetest.Hold(t, NotRenewed,
		seen("none", nil, ""), seen("taken at once", []grades.Call{call("", "", "a", 200)}, ""), seen("again with another", []grades.Call{call("", "", "a", 401), call("", "", "b", 200)}, ""), seen("refused for something else", []grades.Call{call("", "", "a", 401), call("", "", "b", 404)}, ""),
		seen("again with the same", []grades.Call{call("", "", "a", 401), call("", "", "a", 200)}, "that had been refused"), seen("refused for good", []grades.Call{call("", "", "a", 401), call("", "", "b", 401)}, "2 scores came"),
	)
	judgetest.Hold(t, func(scope string) string {
		return wrongScopes([]fakeplatform.TokenRequest{{}, {Form: url.Values{lti.ParamScope: {scope}}}}, lti.ScopeScore, lti.ScopeLineItem)
	},
		row("some", lti.ScopeScore, ""), row("all, in another order, with spaces", "  "+lti.ScopeLineItem+"  "+lti.ScopeScore+" ", ""), row("none", "", ""), row("another", lti.ScopeScore+" "+lti.ScopeResultReadOnly, lti.ScopeResultReadOnly), row("another case", strings.ToUpper(lti.ScopeScore), "with the scope"), row("very long", judgetest.Long, "with the scope ab"),
	)
}
