package proctoring

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/messages"
)

// row is what a claim, or a body, says in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

// exchange is a launch with the claims that were sent, and the message of the tool that came
// for it; its claims are those of the text, and what it repeats of the launch.
func exchange(t *testing.T, sent, answer string) *harness.Flow {
	t.Helper()
	claims := map[string]any{
		"nonce": "of the launch", "sub": "7", "name": "Ada", "picture": "https://lms.example/ada", "address": map[string]any{"country": "UK"},
		lti.ClaimStartAssessmentURL: "https://lms_1.example:8443/start/7?a=1", lti.ClaimSessionData: "data", lti.ClaimAttemptNumber: 1,
		lti.ClaimResourceLink: map[string]any{"id": "link"}, lti.ClaimACS: map[string]any{"assessment_control_url": "https://lms.example/exams/acs"},
	}
	maps.Copy(claims, judgetest.Object(t, sent))
	message := map[string]any{
		"iat": judgetest.Came.Unix(), "exp": judgetest.Came.Unix() + 300, "nonce": "of its own", "iss": "tool", "aud": "https://lms.example",
		lti.ClaimMessageType: lti.StartAssessment, lti.ClaimVersion: lti.Version,
	}
	for name, value := range judgetest.Object(t, answer) {
		if message[name] = value; value == "absent" {
			delete(message, name)
		}
	}
	jwt := judgetest.Unsigned(t, message)
	f := &harness.Flow{}
	f.Record.IDToken = judgetest.Unsigned(t, claims)
	f.Record.Part = proctoring.Record{StartAssessments: []proctoring.StartAssessment{{
		Method: http.MethodPost, ContentType: "application/x-www-form-urlencoded", Target: "/start/7?a=1", Form: url.Values{lti.ParamJWT: {jwt}}, JWT: jwt, At: judgetest.Came,
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
	judgetest.Hold(t, func(text string) string { return wrongAZP(harness.Message{Claims: judgetest.Object(t, text)}) },
		row("none", `{"aud": "a"}`, ""), row("alone", `{"aud": "a", "azp": "a"}`, ""), row("in a list", `{"aud": ["b", "a"], "azp": "a"}`, ""),
		row("another", `{"aud": ["a"], "azp": "b"}`, "azp is"), row("another case", `{"aud": "a", "azp": "A"}`, "azp is"), row("null", `{"aud": "a", "azp": null}`, "azp is absent"),
		row("a list", `{"aud": [["a"]], "azp": ["a"]}`, "azp is"), row("no audience", `{"azp": "a"}`, "aud absent"), row("objects", `{"aud": {}, "azp": {}}`, "azp is {}"),
	)
}

func TestAMessageIsOfNowAndOfOneUse(t *testing.T) {
	at := func(iat, exp float64) string {
		return fmt.Sprintf(`{"iat": %f, "exp": %f}`, float64(judgetest.Came.Unix())+iat, float64(judgetest.Came.Unix())+exp)
	}
	judgetest.Hold(t, func(text string) string { return wrongTimes(exchange(t, "{}", text)) },
		row("as it has to be", "{}", ""), row("a clock behind", at(-300, -200), ""), row("a clock ahead", at(300, 301), ""), row("fractions", at(0.25, 0.5), ""), row("a year", at(0, 365*24*3600), ""),
		row("long ago", at(-301, 0), "seconds away"), row("not yet", at(301, 400), "seconds away"), row("no life", at(0, 0), "exp is 0 seconds after iat"), row("less", at(0, -1), "exp is -1 seconds"),
		row("in milliseconds", `{"exp": 1795342830000}`, "not in seconds"), row("texts", `{"iat": "1", "exp": "2"}`, "have to be numbers"), row("null", `{"exp": null}`, "have to be numbers"), row("huge", `{"iat": 1e308}`, "seconds away"),
		row("no nonce", `{"nonce": "absent"}`, "nonce is absent"), row("an empty one", `{"nonce": ""}`, `nonce is ""`), row("a number", `{"nonce": 7}`, "nonce is 7"), row("that of the launch", `{"nonce": "of the launch"}`, "that of LtiStartProctoring"),
		row("nearly that of the launch", `{"nonce": "of the Launch"}`, ""),
	)
	judgetest.Hold(t, func(text string) string { return messages.LongLived(exchange(t, "{}", text).Message()) },
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
		seen("without the query", func(a *proctoring.StartAssessment) { a.Target = "/start/7" }, "instead of /start/7?a=1"), seen("with more of it", func(a *proctoring.StartAssessment) { a.Target += "&b=2" }, "went to"), seen("very far", func(a *proctoring.StartAssessment) { a.Target = "/" + judgetest.Long }, "went to"),
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
		row("several, in order", `{"name": 7, "email": null, "given_name": "A"}`, "given_name"), row("null", "null", "verified_user is absent"), row("a text", `"Ada"`, "verified_user is"), row("a very long name", `{"`+judgetest.Long+`": 1, "name": "`+judgetest.Long+`"}`, "not a claim of OpenID Connect"),
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
	return proctoring.Control{Method: http.MethodPost, Target: "/exams/acs", ContentType: lti.MediaTypeControl, Authorized: true, Token: "t", Body: body, At: judgetest.Came}
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
		row("seconds", "1795256130", "not an ISO 8601"), row("none", `"absent"`, "absent"), row("null", "null", "not an ISO 8601"), row("very long", `"`+judgetest.Long+`"`, "not an ISO 8601"), row("a list", `["2026-11-21T10:15:30Z"]`, "not an ISO 8601"),
	)
}

func TestSeverityAndTimeAreNumbers(t *testing.T) {
	judgetest.Hold(t, func(text string) string { return wrongNumbers(control(t, text)) },
		row("none", "{}", ""), row("the ends", `{"incident_severity": 0, "extra_time": 0}`, ""), row("1.0", `{"incident_severity": 1.0, "extra_time": 5.0}`, ""), row("very much time", `{"extra_time": 1e18}`, ""), row("update", `{"action": "update", "extra_time": 5}`, ""),
		row("percent", `{"incident_severity": 50}`, "incident_severity is 50"), row("less than none", `{"incident_severity": -0.1}`, "incident_severity is"), row("a text", `{"incident_severity": "0.5"}`, "incident_severity is"), row("null", `{"incident_severity": null}`, "incident_severity is absent"),
		row("half a minute", `{"extra_time": 0.5}`, "extra_time is 0.5"), row("less time", `{"extra_time": -5}`, "extra_time is -5"), row("a text as time", `{"extra_time": "5"}`, "extra_time is"), row("update without time", `{"action": "update"}`, "update has no extra_time"), row("no object", `"x"`, ""),
	)
}

func TestAUserSeesAPage(t *testing.T) {
	judgetest.Hold(t, func(status int) string {
		return wrongEnd(&harness.Flow{Trip: &agent.Trip{Page: results.Page{Status: status}}})
	},
		judgetest.Seen("a page", 200, ""), judgetest.Seen("sent on", 302, ""), judgetest.Seen("refused", 400, "Not taken"), judgetest.Seen("a server error", 500, "Not taken"), judgetest.Seen("nothing", 0, "Not taken"))
}

func TestAMessageSaysOfWhomAndForWhomItIs(t *testing.T) {
	run := judgetest.EmbeddedTool(t)
	clientID, issuer := run.Tool().ClientID, run.Platform().Issuer()
	with := func(iss, aud string) string { return fmt.Sprintf(`{"iss": %s, "aud": %s}`, iss, aud) }
	own, at := fmt.Sprintf("%q", clientID), fmt.Sprintf("%q", issuer)
	judgetest.Hold(t, func(text string) string { return wrongParties(run, harness.Message{Claims: judgetest.Object(t, text)}) },
		row("as it has to be", with(own, at), ""), row("in a list", with(own, "["+at+"]"), ""), row("beside another", with(own, `["x", 7, `+at+`]`), ""),
		row("another issuer", with(at, at), "iss is"), row("a list as issuer", with("["+own+"]", at), "iss is"), row("another audience", with(own, `"x"`), "aud is"), row("with a slash", with(own, fmt.Sprintf("%q", issuer+"/")), "aud is"), row("an object", with(own, "{}"), "aud is {}"), row("nothing", "{}", "iss is absent"),
	)

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
