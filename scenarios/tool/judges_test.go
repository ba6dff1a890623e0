package tool

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/judgetest"
)

// row is what a claim, or a body, says in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

// long is a text that is longer than any sentence quotes.
var long = strings.Repeat("ab", 5000)

// token is a JWT with claims, which nobody has signed.
func token(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256"}`)) + "." + part(payload) + "." + part([]byte("signature"))
}

// object reads what a body says.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	members, _ := judgetest.JSON(t, text).(map[string]any)
	return members
}

// came is when what is judged came.
var came = time.Date(2026, 11, 21, 10, 15, 30, 250_000_000, time.UTC)

// exchange is a launch with the claims that were sent, and the message of the tool that came
// for it; its claims are those of the text, and what it repeats of the launch.
func exchange(t *testing.T, sent, answer string) *harness.Flow {
	t.Helper()
	claims := map[string]any{
		"nonce": "of the launch", "sub": "7", "name": "Ada", "picture": "https://lms.example/ada", "address": map[string]any{"country": "UK"},
		lti.ClaimStartAssessmentURL: "https://lms_1.example:8443/start/7?a=1", lti.ClaimSessionData: "data", lti.ClaimAttemptNumber: 1,
		lti.ClaimResourceLink: map[string]any{"id": "link"}, lti.ClaimACS: map[string]any{"assessment_control_url": "https://lms.example/exams/acs"},
	}
	maps.Copy(claims, object(t, sent))
	message := map[string]any{
		"iat": came.Unix(), "exp": came.Unix() + 300, "nonce": "of its own", "iss": "tool", "aud": "https://lms.example",
		lti.ClaimMessageType: lti.StartAssessment, lti.ClaimVersion: lti.Version,
	}
	for name, value := range object(t, answer) {
		if message[name] = value; value == "absent" {
			delete(message, name)
		}
	}
	jwt := token(t, message)
	f := &harness.Flow{}
	f.Record.IDToken = token(t, claims)
	f.Record.Part = proctoring.Record{StartAssessments: []proctoring.StartAssessment{{
		Method: http.MethodPost, ContentType: "application/x-www-form-urlencoded", Target: "/start/7?a=1", Form: url.Values{lti.ParamJWT: {jwt}}, JWT: jwt, At: came,
	}}}
	return f
}

func TestAMessageSaysWhatItIs(t *testing.T) {
	judgetest.Hold(t, func(text string) string { return wrongType(exchange(t, "{}", text).Message()) },
		row("as it has to be", "{}", ""), row("another version", `{"`+lti.ClaimVersion+`": "1.3"}`, "version"), row("a number", `{"`+lti.ClaimVersion+`": 1.3}`, "instead of"),
		row("another type", `{"`+lti.ClaimMessageType+`": "ltistartassessment"}`, "message_type"), row("none", `{"`+lti.ClaimMessageType+`": null}`, "absent instead of"), row("a list", `{"`+lti.ClaimMessageType+`": []}`, "instead of"),
	)
}

func TestAZPIsOneOfTheAudience(t *testing.T) {
	judgetest.Hold(t, func(text string) string { return wrongAZP(harness.Message{Claims: object(t, text)}) },
		row("none", `{"aud": "a"}`, ""), row("alone", `{"aud": "a", "azp": "a"}`, ""), row("in a list", `{"aud": ["b", "a"], "azp": "a"}`, ""),
		row("another", `{"aud": ["a"], "azp": "b"}`, "azp is"), row("another case", `{"aud": "a", "azp": "A"}`, "azp is"), row("null", `{"aud": "a", "azp": null}`, "azp is absent"),
		row("a list", `{"aud": [["a"]], "azp": ["a"]}`, "azp is"), row("no audience", `{"azp": "a"}`, "aud absent"), row("objects", `{"aud": {}, "azp": {}}`, "azp is {}"),
	)
}

func TestAMessageIsOfNowAndOfOneUse(t *testing.T) {
	at := func(iat, exp float64) string {
		return fmt.Sprintf(`{"iat": %f, "exp": %f}`, float64(came.Unix())+iat, float64(came.Unix())+exp)
	}
	judgetest.Hold(t, func(text string) string { return wrongTimes(exchange(t, "{}", text)) },
		row("as it has to be", "{}", ""), row("a clock behind", at(-300, -200), ""), row("a clock ahead", at(300, 301), ""), row("fractions", at(0.25, 0.5), ""), row("a year", at(0, 365*24*3600), ""),
		row("long ago", at(-301, 0), "seconds away"), row("not yet", at(301, 400), "seconds away"), row("no life", at(0, 0), "exp is 0 seconds after iat"), row("less", at(0, -1), "exp is -1 seconds"),
		row("in milliseconds", `{"exp": 1795342830000}`, "not in seconds"), row("texts", `{"iat": "1", "exp": "2"}`, "have to be numbers"), row("null", `{"exp": null}`, "have to be numbers"), row("huge", `{"iat": 1e308}`, "seconds away"),
		row("no nonce", `{"nonce": "absent"}`, "nonce is absent"), row("an empty one", `{"nonce": ""}`, `nonce is ""`), row("a number", `{"nonce": 7}`, "nonce is 7"), row("that of the launch", `{"nonce": "of the launch"}`, "that of LtiStartProctoring"),
		row("nearly that of the launch", `{"nonce": "of the Launch"}`, ""),
	)
	judgetest.Hold(t, func(text string) string { return longLived(exchange(t, "{}", text).Message()) },
		row("five minutes", "{}", ""), row("ten", at(0, 600), ""), row("a second more", at(0, 601), "exp is 601 seconds after iat"), row("no times", `{"iat": null, "exp": null}`, ""),
	)
}

func TestAMessageComesToItsAddress(t *testing.T) {
	post := func(sent string, change func(*proctoring.StartAssessment)) string {
		f := exchange(t, sent, "{}")
		change(&proctoring.Seen(f.Record.Part).StartAssessments[0])
		return wrongForm(f)
	}
	seen := judgetest.Seen[func(*proctoring.StartAssessment)]
	judgetest.Hold(t, func(change func(*proctoring.StartAssessment)) string { return post("{}", change) },
		seen("as it has to", func(*proctoring.StartAssessment) {}, ""), seen("with a charset", func(a *proctoring.StartAssessment) {
			a.ContentType = "Application/x-www-form-urlencoded;charset=utf-8"
		}, ""),
		seen("by GET", func(a *proctoring.StartAssessment) { a.Method = http.MethodGet }, "by GET"), seen("as JSON", func(a *proctoring.StartAssessment) { a.ContentType = "application/json" }, "Content-Type is"),
		seen("without the query", func(a *proctoring.StartAssessment) { a.Target = "/start/7" }, "instead of /start/7?a=1"), seen("with more of it", func(a *proctoring.StartAssessment) { a.Target += "&b=2" }, "went to"), seen("very far", func(a *proctoring.StartAssessment) { a.Target = "/" + long }, "went to"),
		seen("as id_token", func(a *proctoring.StartAssessment) { a.Form.Set(lti.ParamIDToken, "x") }, "as id_token"), seen("twice", func(a *proctoring.StartAssessment) { a.Form.Add(lti.ParamJWT, "x") }, "2 fields JWT"),
		seen("in small letters", func(a *proctoring.StartAssessment) { a.Form = url.Values{"jwt": {"x"}} }, "0 fields JWT"), seen("with a state", func(a *proctoring.StartAssessment) { a.Form.Set("state", "x") }, "further fields besides JWT: 1"),
	)
	for address, target := range map[string]string{
		"https://lms.example": "/", "https://lms.example?a=1": "/?a=1", "https://lms.example/a%2Fb?x=ä": "/a%2Fb?x=%C3%A4", "http://[::1]:9090/start": "/start", "http://user@lms_1:9090/": "/",
	} {
		sent, err := json.Marshal(map[string]string{lti.ClaimStartAssessmentURL: address})
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(post(string(sent), func(a *proctoring.StartAssessment) { a.Target = target })).To(BeEmpty(), address)
	}
}

func TestAVerifiedUserIsWhoWasSent(t *testing.T) {
	judgetest.Hold(t, func(text string) string {
		if text == "" {
			return wrongVerifiedUser(exchange(t, "{}", "{}"))
		}
		return wrongVerifiedUser(exchange(t, "{}", `{"`+lti.ClaimVerifiedUser+`": `+text+`}`))
	},
		row("nobody", "", ""), row("nothing of them", "{}", ""), row("the name, and a picture of its own", `{"picture": "https://tool.example/7", "name": "Ada"}`, ""), row("an object", `{"address": {"country": "UK"}}`, ""),
		row("sub and iss, which have a requirement of their own", `{"sub": "7", "iss": "x"}`, ""),
		row("another name", `{"name": "ada"}`, `name is "ada", and was sent as "Ada"`), row("what was not sent", `{"email": "a@l.example"}`, "was sent as absent"), row("a claim that there is not", `{"user_id": "7"}`, "not a claim of OpenID Connect"),
		row("several, in order", `{"name": 7, "email": null, "given_name": "A"}`, "given_name"), row("null", "null", "verified_user is absent"), row("a text", `"Ada"`, "verified_user is"), row("a very long name", `{"`+long+`": 1, "name": "`+long+`"}`, "not a claim of OpenID Connect"),
	)
}

// control is a request to the Assessment Control Service with members that are changed; "absent"
// takes one away.
func control(t *testing.T, text string) proctoring.Control {
	t.Helper()
	members := map[string]any{
		"user": map[string]any{"iss": "https://lms.example", "sub": "7"}, "resource_link": map[string]any{"id": "link"}, "attempt_number": 1,
		"action": "flag", "incident_time": "2026-11-21T10:15:30Z",
	}
	changed, isObject := judgetest.JSON(t, text).(map[string]any)
	for name, value := range changed {
		if members[name] = value; value == "absent" {
			delete(members, name)
		}
	}
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	if !isObject {
		body = []byte(text)
	}
	return proctoring.Control{Method: http.MethodPost, Target: "/exams/acs", ContentType: lti.MediaTypeControl, Authorized: true, Token: "t", Body: body, At: came}
}

func TestAControlRequestIsInForm(t *testing.T) {
	seen := judgetest.Seen[func(*proctoring.Control)]
	judgetest.Hold(t, func(change func(*proctoring.Control)) string {
		c := control(t, "{}")
		change(&c)
		return wrongControl(exchange(t, "{}", "{}"), c)
	},
		seen("as it has to be", func(*proctoring.Control) {}, ""), seen("with a charset", func(c *proctoring.Control) { c.ContentType = strings.ToUpper(c.ContentType) + ";charset=utf-8" }, ""),
		seen("by PUT", func(c *proctoring.Control) { c.Method = http.MethodPut }, "by PUT"), seen("as JSON", func(c *proctoring.Control) { c.ContentType = "application/json" }, "Content-Type is"),
		seen("to the end of the path", func(c *proctoring.Control) { c.Target = "/acs" }, "went to /acs"), seen("to nothing of it", func(c *proctoring.Control) { c.Target = "" }, "went to"), seen("with a query", func(c *proctoring.Control) { c.Target += "?a=1" }, "went to"),
		seen("without a token", func(c *proctoring.Control) { c.Authorized = false }, "no token"),
	)
}

func TestAControlRequestIsAboutItsCandidate(t *testing.T) {
	exam := exchange(t, "{}", "{}")
	judgetest.Hold(t, func(text string) string { return wrongIDs(exam, control(t, text)) },
		row("as it has to be", "{}", ""), row("another candidate", `{"user": {"sub": "8"}}`, `user.sub is "8"`), row("a number", `{"user": {"sub": 7}}`, "user.sub is 7"), row("nobody", `{"user": "absent"}`, "user.sub is absent"), row("a list", `{"user": []}`, "user.sub is absent"),
		row("another exam", `{"resource_link": {"id": "Link"}}`, "resource_link.id is"), row("an object as id", `{"resource_link": {"id": {}}}`, "resource_link.id is {}"), row("no object", `[]`, "user.sub is absent"),
	)
}

func TestAnIncidentIsOfNow(t *testing.T) {
	judgetest.Hold(t, func(at string) string { return wrongIncidentTime(control(t, `{"incident_time": `+at+`}`)) },
		row("in UTC", `"2026-11-21T10:15:30Z"`, ""), row("with a fraction", `"2026-11-21T10:15:30.125Z"`, ""), row("with nine digits", `"2026-11-21T10:15:30.123456789Z"`, ""), row("in another zone", `"2026-11-21T11:15:30+01:00"`, ""),
		row("behind", `"2026-11-21T06:45:30-03:30"`, ""), row("with a shorter offset", `"2026-11-21T11:15:30+0100"`, ""), row("in small letters", `"2026-11-21t10:15:30z"`, ""), row("five minutes ago", `"2026-11-21T10:10:31Z"`, ""),
		row("an hour ago", `"2026-11-21T09:15:30Z"`, "seconds away"), row("local time as UTC", `"2026-11-21T11:15:30Z"`, "seconds away"), row("without a zone", `"2026-11-21T10:15:30"`, "not an ISO 8601"), row("a day", `"2026-11-21"`, "not an ISO 8601"),
		row("seconds", "1795256130", "not an ISO 8601"), row("none", `"absent"`, "absent"), row("null", "null", "not an ISO 8601"), row("very long", `"`+long+`"`, "not an ISO 8601"), row("a list", `["2026-11-21T10:15:30Z"]`, "not an ISO 8601"),
	)
}

func TestSeverityAndTimeAreNumbers(t *testing.T) {
	judgetest.Hold(t, func(text string) string { return wrongNumbers(control(t, text)) },
		row("none", "{}", ""), row("the ends", `{"incident_severity": 0, "extra_time": 0}`, ""), row("1.0", `{"incident_severity": 1.0, "extra_time": 5.0}`, ""), row("very much time", `{"extra_time": 1e18}`, ""), row("update", `{"action": "update", "extra_time": 5}`, ""),
		row("percent", `{"incident_severity": 50}`, "incident_severity is 50"), row("less than none", `{"incident_severity": -0.1}`, "incident_severity is"), row("a text", `{"incident_severity": "0.5"}`, "incident_severity is"), row("null", `{"incident_severity": null}`, "incident_severity is absent"),
		row("half a minute", `{"extra_time": 0.5}`, "extra_time is 0.5"), row("less time", `{"extra_time": -5}`, "extra_time is -5"), row("a text as time", `{"extra_time": "5"}`, "extra_time is"), row("update without time", `{"action": "update"}`, "update has no extra_time"), row("no object", `"x"`, ""),
	)
}

func TestAScoreIsThatOfTheLearner(t *testing.T) {
	work := &harness.Work{Learner: fakeplatform.User{Sub: "7"}}
	score := func(text string) grades.Call {
		members := map[string]any{"userId": "7", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "timestamp": "2026-11-21T10:15:30.250Z", "scoreGiven": 8, "scoreMaximum": 10}
		changed, isObject := judgetest.JSON(t, text).(map[string]any)
		for name, value := range changed {
			if members[name] = value; value == "absent" {
				delete(members, name)
			}
		}
		body, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if !isObject {
			body = []byte(text)
		}
		return grades.Call{ContentType: "Application/vnd.ims.lis.v1.score+json; charset=utf-8", Body: body}
	}
	judgetest.Hold(t, func(text string) string { return wrongScore(score(text), work) },
		row("as it has to be", "{}", ""), row("nothing given", `{"scoreGiven": "absent", "scoreMaximum": "absent"}`, ""), row("null taken back", `{"scoreGiven": null}`, ""), row("more than the maximum", `{"scoreGiven": 12}`, ""), row("no points", `{"scoreGiven": 0}`, ""), row("fractions", `{"scoreGiven": 0.1, "scoreMaximum": 0.5}`, ""),
		row("a comment, and more", `{"comment": "`+long+`", "https://tool.example/x": {"a": null}, "scoringUserId": "8"}`, ""),
		row("of somebody else", `{"userId": "8"}`, "userId is"), row("a number", `{"userId": 7}`, "userId is 7"), row("of nobody", `{"userId": null}`, "userId is absent"), row("null", `{"timestamp": null, "comment": null}`, "comment is null"),
		row("another case", `{"activityProgress": "completed"}`, "activityProgress is"), row("no progress", `{"gradingProgress": "absent"}`, "gradingProgress is absent"), row("an object", `{"gradingProgress": {}}`, "gradingProgress is {}"), row("no time", `{"timestamp": "absent"}`, "timestamp is missing"),
		row("a text as points", `{"scoreGiven": "8"}`, "scoreGiven is"), row("less than nothing", `{"scoreGiven": -1}`, "scoreGiven is -1"), row("points of nothing", `{"scoreMaximum": "absent"}`, "without scoreMaximum"), row("0 as maximum", `{"scoreMaximum": 0}`, "scoreMaximum is 0"), row("a text as maximum", `{"scoreMaximum": "10"}`, "scoreMaximum is"),
		row("an empty scorer", `{"scoringUserId": ""}`, "scoringUserId is"), row("a number as scorer", `{"scoringUserId": 8}`, "scoringUserId is 8"), row("a list", "[]", "not a JSON object"), row("nothing", "null", "not a JSON object"),
	)
	other := score("{}")
	other.ContentType = "application/json"
	NewWithT(t).Expect(wrongScore(other, work)).To(ContainSubstring("Content-Type is"))

	judgetest.Hold(t, func(text string) string { return wrongGrade(score(text), work, fakeplatform.User{Sub: "r"}) },
		row("the reviewer", `{"scoringUserId": "r"}`, ""), row("nobody", "{}", ""), row("null", `{"scoringUserId": null}`, ""), row("the learner", `{"scoringUserId": "7"}`, "scoringUserId is"), row("a list", `{"scoringUserId": ["r"]}`, "scoringUserId is"), row("of the reviewer", `{"userId": "r"}`, "userId is"), row("no object", "7", "userId is absent"),
	)
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
				calls = append(calls, grades.Call{Body: body, At: came})
			}
			return wrongTimestamps(calls, again)
		}
	}
	judgetest.Hold(t, judge(false),
		row("one", `["2026-11-21T10:15:30.250Z"]`, ""), row("none", "[]", ""), row("a comma", `["2026-11-21T10:15:30,2Z"]`, ""), row("two, in two zones", `["2026-11-21T10:15:30.250Z", "2026-11-21T11:15:30.251+0100"]`, ""), row("small letters", `["2026-11-21t10:15:30.250z"]`, ""), row("nine digits", `["2026-11-21T10:15:30.000000001Z", "2026-11-21T10:15:30.000000002Z"]`, ""),
		row("without a fraction", `["2026-11-21T10:15:30Z"]`, "without a fraction"), row("without a zone", `["2026-11-21T10:15:30.250"]`, "or a zone"), row("a number", "[1795256130.25]", "timestamp is"), row("none in one", "[null]", "timestamp is absent"), row("very long", `["`+long+`"]`, "timestamp is"),
		row("an hour off", `["2026-11-21T11:15:30.250Z"]`, "seconds away"), row("the same", `["2026-11-21T10:15:30.250Z", "2026-11-21T11:15:30.25+01:00"]`, "and was"), row("back", `["2026-11-21T10:15:30.250Z", "2026-11-21T10:15:30.249Z"]`, "and was"),
	)
	judgetest.Hold(t, judge(true), row("the same, sent again", `["2026-11-21T10:15:30.250Z", "2026-11-21T10:15:30.250Z"]`, ""), row("back", `["2026-11-21T10:15:30.250Z", "2026-11-21T10:15:30.249Z"]`, "and was"))
}

func TestASubmissionIsBeforeItsScore(t *testing.T) {
	of := func(submission string) string {
		return `{"activityProgress": "Submitted", "timestamp": "2026-11-21T10:15:30.250Z", "submission": ` + submission + `}`
	}
	judgetest.Hold(t, func(text string) string { return wrongSubmission(object(t, text)) },
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
		row("anything", "*/*", "Accept of GET"), row("nothing said", "", "Accept of GET"), row("one item", lti.MediaTypeLineItem, "harmful: Accept of GET"), row("JSON", "application/json", "harmful: "), row("very long", long, "harmful: "),
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
		row("kept", "/items?type_id=3", ""), row("with a filter before it", "/items?tag=x&type_id=3", ""), row("and behind it", "/items?type_id=3&limit=10", ""), row("lost", "/items", "not kept"), row("glued", "/items?type_id=3?tag=x", "not kept"), row("glued to the path", "/items&tag=x?type_id=3", "not kept"), row("twice", "/items?type_id=3&type_id=3", "not kept"), row("unreadable", "/items?%zz&type_id=3", "not kept"), row("very long", "/"+long, "not kept"),
	)
}

func TestALineItemKeepsWhatItHad(t *testing.T) {
	had := lti.LineItem{ID: "https://l.example/1", Label: "Old", ScoreMaximum: 7.5, Tag: "essay", ResourceLinkID: "link", StartDateTime: "2026-03-01T08:00:00Z", GradesReleased: new(true)}
	judgetest.Hold(t, func(text string) string { return lostMembers(had, object(t, text)) },
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
		row("a path", `{"url": "/review"}`, "url of submissionReview is"), row("http", `{"url": "http://tool.example/review"}`, "url of"), row("a script", `{"url": "javascript:alert(1)"}`, "url of"), row("a number in custom", `{"custom": {"a": 7}}`, "custom of"), row("a list as custom", `{"custom": []}`, "custom of"), row("a list", "[]", "submissionReview is []"), row("very long", `"`+long+`"`, "submissionReview is"),
	)
	judgetest.Hold(t, judge("http://localhost:8080/launch"), row("http, as the tool itself", `{"url": "http://localhost:8080/review"}`, ""), row("without a host", `{"url": "http:///review"}`, "url of"))
}

func TestTokensAreWhereTheyBelong(t *testing.T) {
	call := func(method, target, token string, status int) grades.Call {
		return grades.Call{Method: method, Target: target, Token: token, Status: status}
	}
	seen := judgetest.Seen[[]grades.Call]
	judgetest.Hold(t, tokenElsewhere,
		seen("none", nil, ""), seen("in the header", []grades.Call{call("GET", "/items?my_token=1", "t", 200)}, ""), seen("in the query", []grades.Call{call("GET", "/items", "t", 200), call("GET", "/items?access_token=t", "t", 200)}, "in the query of GET"), seen("nowhere", []grades.Call{call("POST", "/scores", "", 401)}, "POST came without"),
	)
	judgetest.Hold(t, notRenewed,
		seen("none", nil, ""), seen("taken at once", []grades.Call{call("", "", "a", 200)}, ""), seen("again with another", []grades.Call{call("", "", "a", 401), call("", "", "b", 200)}, ""), seen("refused for something else", []grades.Call{call("", "", "a", 401), call("", "", "b", 404)}, ""),
		seen("again with the same", []grades.Call{call("", "", "a", 401), call("", "", "a", 200)}, "that had been refused"), seen("refused for good", []grades.Call{call("", "", "a", 401), call("", "", "b", 401)}, "2 scores came"),
	)
	judgetest.Hold(t, func(scope string) string {
		return wrongScopes([]fakeplatform.TokenRequest{{}, {Form: url.Values{lti.ParamScope: {scope}}}}, lti.ScopeScore, lti.ScopeLineItem)
	},
		row("some", lti.ScopeScore, ""), row("all, in another order, with spaces", "  "+lti.ScopeLineItem+"  "+lti.ScopeScore+" ", ""), row("none", "", ""), row("another", lti.ScopeScore+" "+lti.ScopeResultReadOnly, lti.ScopeResultReadOnly), row("another case", strings.ToUpper(lti.ScopeScore), "with the scope"), row("very long", long, "with the scope ab"),
	)
}

func TestTheWayBackAddsWhatIsDefined(t *testing.T) {
	back := func(address string) func(string) string {
		sent, err := json.Marshal(map[string]any{lti.ClaimLaunchPresentation: map[string]string{"return_url": address}})
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return func(query string) string {
			return wrongReturn(exchange(t, string(sent), "{}"), fakeplatform.Return{RawQuery: query})
		}
	}
	judgetest.Hold(t, back("https://lms.example/return?course=1&a=b+c"),
		row("its own alone", "course=1&a=b%20c", ""), row("in another order, with all that is defined", "lti_log=x&a=b+c&lti_errorlog=&lti_errormsg=%C3%A4&lti_msg=y&course=1", ""), row("a semicolon in a text", "course=1&a=b+c&lti_errormsg=first;%20then", ""), row("a very long text", "course=1&a=b+c&lti_msg="+long, ""),
		row("lost", "lti_msg=x", "course of the return URL's own query is absent"), row("changed", "course=2&a=b+c", `course of the return URL's own query is "2"`), row("twice", "course=1&course=1&a=b+c", "course of the return URL's own query"), row("more", "course=1&a=b+c&state=x", "state is added"), row("in another case", "course=1&a=b+c&LTI_MSG=x", "LTI_MSG is added"), row("a text twice", "course=1&a=b+c&lti_msg=x&lti_msg=y", "lti_msg is added 2 times"), row("unreadable", "course=1&a=b+c&%zz", "cannot be read"),
	)
	judgetest.Hold(t, back("https://lms.example/return"), row("nothing", "", ""), row("a message", "lti_errormsg=x", ""))
}

func TestAUserSeesAPage(t *testing.T) {
	judgetest.Hold(t, func(status int) string {
		return wrongEnd(&harness.Flow{Trip: &agent.Trip{Page: results.Page{Status: status}}})
	},
		judgetest.Seen("a page", 200, ""), judgetest.Seen("sent on", 302, ""), judgetest.Seen("refused", 400, "Not taken"), judgetest.Seen("a server error", 500, "Not taken"), judgetest.Seen("nothing", 0, "Not taken"))
}

// ready is a run that judges the embedded tool.
func ready(t *testing.T) *harness.Run {
	t.Helper()
	g := NewWithT(t)
	c := config.Demo(config.ToolSide)
	c.Agent = "http"
	run, err := harness.Start(t.Context(), c, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	return run
}

func TestWhatIsSignedSaysOfWhomAndForWhom(t *testing.T) {
	run := ready(t)
	clientID, issuer := run.Tool().ClientID, run.Platform().Issuer()
	with := func(iss, aud string) string { return fmt.Sprintf(`{"iss": %s, "aud": %s}`, iss, aud) }
	own, at := fmt.Sprintf("%q", clientID), fmt.Sprintf("%q", issuer)
	judgetest.Hold(t, func(text string) string { return wrongParties(run, harness.Message{Claims: object(t, text)}) },
		row("as it has to be", with(own, at), ""), row("in a list", with(own, "["+at+"]"), ""), row("beside another", with(own, `["x", 7, `+at+`]`), ""),
		row("another issuer", with(at, at), "iss is"), row("a list as issuer", with("["+own+"]", at), "iss is"), row("another audience", with(own, `"x"`), "aud is"), row("with a slash", with(own, fmt.Sprintf("%q", issuer+"/")), "aud is"), row("an object", with(own, "{}"), "aud is {}"), row("nothing", "{}", "iss is absent"),
	)

	known := run.Registrations()[0]
	assertion := func(text string) string {
		claims := map[string]any{"iss": known.ClientID, "sub": known.ClientID, "aud": known.TokenURL, "iat": came.Unix(), "exp": came.Unix() + 60, "jti": "x"}
		for name, value := range object(t, text) {
			if claims[name] = value; value == "absent" {
				delete(claims, name)
			}
		}
		return wrongAssertion(run, fakeplatform.TokenRequest{Form: url.Values{lti.ParamClientAssertion: {token(t, claims)}}, Addresses: []string{"https://lms.example/token"}, At: came})
	}
	time := func(iat, exp int64) string {
		return fmt.Sprintf(`{"iat": %d, "exp": %d}`, came.Unix()+iat, came.Unix()+exp)
	}
	judgetest.Hold(t, assertion,
		row("as it has to be", "{}", ""), row("in a list", `{"aud": ["x", "https://lms.example/token"]}`, ""), row("the issuer", `{"aud": `+at+`}`, ""), row("issued long ago", time(-3600, 60), ""), row("a clock ahead", time(300, 360), ""), row("expired within the skew", time(-600, -299), ""), row("a fraction", `{"iat": 1795256130.5, "exp": 1795256190.25}`, ""),
		row("another sub", `{"sub": "x"}`, "sub is"), row("a list as iss", `{"iss": []}`, "iss is []"), row("another audience", `{"aud": "https://lms.example/token/"}`, "aud is"), row("no audience", `{"aud": "absent"}`, "aud is absent"), row("lists of lists", `{"aud": [[]]}`, "aud is [[]]"), row("texts", `{"iat": "1"}`, "have to be numbers"),
		row("not yet", time(301, 400), "later than the time of receipt"), row("in milliseconds", fmt.Sprintf(`{"iat": %d, "exp": %d}`, came.UnixMilli(), came.UnixMilli()+60_000), "not in seconds"), row("no life", time(0, 0), "exp is 0 seconds"), row("for ever", time(0, 20*365*24*3600), "seconds after iat"), row("expired", time(-600, -300), "had expired"), row("no jti", `{"jti": ""}`, "jti is"), row("a number as jti", `{"jti": 7}`, "jti is 7"),
	)
	NewWithT(t).Expect(wrongAssertion(run, fakeplatform.TokenRequest{})).To(ContainSubstring("cannot be read"))

	exam := exchange(t, "{}", "{}")
	iss := `"user": {"iss": ` + at + `, "sub": "7"}`
	judgetest.Hold(t, func(text string) string { return wrongTarget(run, exam, control(t, text)) },
		row("as it has to be", `{`+iss+`}`, ""), row("with more", `{`+iss+`, "reason_msg": "", "https://tool.example/x": []}`, ""), row("1.0", `{`+iss+`, "attempt_number": 1.0}`, ""),
		row("null", `{"reason_msg": null, "extra_time": null}`, "extra_time is null"), row("null in an object", `{"resource_link": {"title": null, "id": null}}`, "resource_link.id is null"), row("another issuer", `{"user": {"iss": "x"}}`, "user.iss is"), row("a list as issuer", `{"user": {"iss": []}}`, "user.iss is []"),
		row("another candidate", `{"user": {"iss": `+at+`, "sub": "8"}}`, "user.sub is"), row("a text as number", `{`+iss+`, "attempt_number": "1"}`, "attempt_number is"), row("another action", `{`+iss+`, "action": "Flag"}`, "action is"), row("no time", `{`+iss+`, "incident_time": "absent"}`, "incident_time is missing"), row("a list", "[]", "not a JSON object"), row("nothing", "null", "not a JSON object"),
	)
	for _, id := range slices.Concat(checked(), controlled()) {
		_, known := requirements.Default().Get(id)
		NewWithT(t).Expect(known).To(BeTrue(), string(id))
	}
}
