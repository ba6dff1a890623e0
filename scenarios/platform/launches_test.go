package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/judgetest"
)

// embedded is a run that judges the embedded campus, and its scenario.
func embedded(t *testing.T) (*harness.PlatformRun, *harness.PlatformScenario) {
	t.Helper()
	g := NewWithT(t)
	c := config.Demo(config.PlatformSide)
	c.Agent = "http"
	run, err := harness.StartPlatform(t.Context(), c, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	_, err = run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	return run, run.Scenario(t, "launches", "launches_test.go:1")
}

// A change is a claim of a message with another value, in JSON; an empty one takes it away.
type change struct{ claim, value string }

// says is what a judge makes of a message, whose claims have other values while it looks.
func says(t *testing.T, f *harness.PlatformFlow, judge func() string, changes ...change) string {
	t.Helper()
	claims := f.Message().Claims
	before := maps.Clone(claims)
	defer func() { clear(claims); maps.Copy(claims, before) }()
	for _, c := range changes {
		if c.value == "" {
			delete(claims, c.claim)
		} else {
			claims[c.claim] = judgetest.JSON(t, c.value)
		}
	}
	return judge()
}

// holdChecks holds checks, each against a launch as it has to be and with claims that are
// changed.
func holdChecks(t *testing.T, run *harness.PlatformRun, flow *harness.PlatformFlow, all []check, rows ...judgetest.Row[change]) {
	t.Helper()
	for _, c := range all {
		judgetest.Hold(t, func(changed change) string {
			return says(t, flow, func() string { return c.wrong(run, flow) }, changed)
		}, judgetest.Seen(string(c.id)+": as it has to be", change{"https://lms.example/x", `{"a": null}`}, ""))
	}
	for _, row := range rows {
		id, what, _ := strings.Cut(row.What, ": ")
		i := slices.IndexFunc(all, func(c check) bool { return string(c.id) == id })
		if i < 0 {
			t.Fatalf("no check %s", id)
		}
		judgetest.Hold(t, func(changed change) string {
			return says(t, flow, func() string { return all[i].wrong(run, flow) }, changed)
		}, judgetest.Seen(id+": "+what, row.Given, row.Wrong))
	}
}

func TestLaunchesAreHeldAgainstEachCheck(t *testing.T) {
	run, scene := embedded(t)
	flow, err := scene.Control(t.Context(), harness.PlatformLaunch{Title: "a launch"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	seen := func(what, claim, value, wrong string) judgetest.Row[change] {
		return judgetest.Seen(what, change{claim, value}, wrong)
	}
	// The claim x of the row that holds for all is a vendor's.
	holdChecks(t, run, flow, checks,
		seen("sec-login-initiation-iss: another in the id_token", "iss", `"https://other.example"`, `"https://other.example" in the id_token`),
		seen("sec-login-initiation-iss: a list", "iss", `["`+run.Platform().Issuer+`"]`, "in the id_token"),
		seen("core-login-optional-parameters-consistent: another deployment", lti.ClaimDeploymentID, `"2"`, "deployment_id in the id_token"),
		seen("core-login-optional-parameters-consistent: a list of audiences", "aud", `["x", "`+run.Platform().ClientID+`"]`, ""),
		seen("core-login-optional-parameters-consistent: another audience", "aud", `"x"`, "and aud"),
		seen("sec-id-token-nonce-passthrough: another", "nonce", `"x"`, `The nonce is "x" instead of`),
		seen("sec-id-token-nonce-passthrough: none", "nonce", "", "no nonce that is a text"),
		seen("sec-id-token-nonce-passthrough: a number", "nonce", "7", "no nonce that is a text"),
		seen("sec-id-token-iss: with a slash", "iss", `"`+run.Platform().Issuer+`/"`, "instead of"),
		seen("sec-id-token-iss: none", "iss", "", `iss is "" instead of`),
		seen("sec-id-token-sub: none", "sub", "", "sub is missing"),
		seen("core-message-type-claim: another case", lti.ClaimMessageType, `"ltiresourcelinkrequest"`, "instead of"),
		seen("core-message-type-claim: none", lti.ClaimMessageType, "", "absent instead of"),
		seen("core-version-claim: a number", lti.ClaimVersion, "1.3", `1.3 instead of "1.3.0"`),
		seen("core-version-claim: without the last 0", lti.ClaimVersion, `"1.3"`, "instead of"),
		seen("core-deployment-id-claim: another", lti.ClaimDeploymentID, `"2"`, "instead of"),
		seen("core-deployment-id-claim: a number", lti.ClaimDeploymentID, "1", "instead of a text"),
		seen("core-target-link-uri-claim: another", lti.ClaimTargetLinkURI, `"https://tool.test/launch"`, "in the login initiation"),
		seen("core-target-link-uri-claim: none", lti.ClaimTargetLinkURI, "", "absent in the id_token"),
		seen("core-resource-link-id-claim: an id alone", lti.ClaimResourceLink, `{"id": "x"}`, ""),
		seen("core-resource-link-id-claim: no id", lti.ClaimResourceLink, `{"title": "x"}`, "resource_link.id is missing"),
		seen("core-resource-link-id-claim: a text", lti.ClaimResourceLink, `"x"`, "resource_link is not an object"),
		seen("core-roles-claim: none", lti.ClaimRoles, "", "roles is missing"),
		seen("core-roles-full-uris: a short name", lti.ClaimRoles, `["Learner"]`, "not a full URI"),
		seen("cert-platform-no-extra-whitespace: a space", "name", `"Ada "`, "beginning or end of name"),
		seen("core-vendor-claims-are-urls: a word", "course", `"x"`, `"course"`),
		seen("core-vendor-claims-are-urls: a registered claim", "auth_time", "7", ""),
		seen("core-vendor-claims-are-urls: a path", "/claims/x", `"x"`, `"/claims/x"`),
		seen("core-vendor-claims-are-urls: a long word", strings.Repeat("x", 5000), `"x"`, "neither registered nor a URL"),
	)

	t.Run("how the answer came", func(t *testing.T) {
		// came is the answer of the launch with something changed.
		came := func(change func(*faketool.Answer)) string {
			f, answer := *flow, *flow.Answer
			answer.Form = maps.Clone(answer.Form)
			if change != nil {
				change(&answer)
			}
			f.Answer = &answer
			return wrongForm(&f)
		}
		judgetest.Hold(t, came,
			judgetest.Seen[func(*faketool.Answer)]("as it has to", nil, ""),
			judgetest.Seen("with a charset", func(a *faketool.Answer) { a.ContentType = "Application/X-WWW-Form-Urlencoded; charset=UTF-8" }, ""),
			judgetest.Seen("with more fields", func(a *faketool.Answer) { a.Form["session_state"] = []string{"x", "y"} }, ""),
			judgetest.Seen("by GET", func(a *faketool.Answer) { a.Method = http.MethodGet }, "by GET"),
			judgetest.Seen("as multipart", func(a *faketool.Answer) { a.ContentType = "multipart/form-data; boundary=x" }, "Content-Type is"),
			judgetest.Seen("as a type that is none", func(a *faketool.Answer) { a.ContentType = ";;\u202e" }, "Content-Type is"),
			judgetest.Seen("without a state", func(a *faketool.Answer) { delete(a.Form, lti.ParamState) }, "not each one field"),
			judgetest.Seen("with two id_tokens", func(a *faketool.Answer) { a.Form[lti.ParamIDToken] = []string{"a", "b"} }, "not each one field"),
			judgetest.Seen("elsewhere", func(a *faketool.Answer) { a.Path += "/" }, "instead of"),
			judgetest.Seen("with a query", func(a *faketool.Answer) { a.RawQuery = strings.Repeat("a=b&", 5000) }, "instead of"),
		)
	})

	t.Run("the state", func(t *testing.T) {
		state := func(change func(*faketool.Answer)) string {
			f, answer := *flow, *flow.Answer
			change(&answer)
			f.Answer = &answer
			_, wrong := sameState(&f)
			return wrong
		}
		judgetest.Hold(t, state,
			judgetest.Seen("the same", func(*faketool.Answer) {}, ""),
			judgetest.Seen("none", func(a *faketool.Answer) { a.HasState = false }, "no state"),
			judgetest.Seen("in another case", func(a *faketool.Answer) { a.State = strings.ToUpper(a.State) + "X" }, "instead of"),
			judgetest.Seen("very long", func(a *faketool.Answer) { a.State = long }, "instead of"),
		)
		NewWithT(t).Expect(sameState(&harness.PlatformFlow{})).To(Equal(results.Passed), "nothing came")
	})

	t.Run("in an address", func(t *testing.T) {
		g := NewWithT(t)
		for address, in := range map[string]bool{
			"https://tool.test/launch?id_token=x": true, "https://tool.test/launch#state=1&id_token=x": true, "https://tool.test/launch?id_token=": true,
			"https://tool.test/launch?x=id_token": false, "https://tool.test/id_token": false, "https://tool.test/%zz?id_token=x": false, "": false,
			"https://tool.test/launch?my_id_token=x": false, "https://tool.test/launch?next=%3Fid_token%3Dx": false,
		} {
			g.Expect(inURL(&harness.PlatformFlow{Trip: &agent.Trip{Steps: []results.Step{{URL: address}}}})).To(Equal(in), address)
		}
	})
}

func TestExamsAreHeldAgainstEachCheck(t *testing.T) {
	run, scene := embedded(t)
	exam, err := scene.Exam(t.Context(), harness.PlatformLaunch{Title: "an exam"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	seen := func(what, claim, value, wrong string) judgetest.Row[change] {
		return judgetest.Seen(what, change{claim, value}, wrong)
	}
	// What is null in the row that holds for all is found by the check that is about it.
	all := slices.DeleteFunc(slices.Clone(examChecks), func(c check) bool { return c.id == "ap-no-null-claims-platform" })
	holdChecks(t, run, exam, all,
		seen("ap-start-proctoring-type-and-version: of a launch", lti.ClaimMessageType, `"LtiResourceLinkRequest"`, "instead of"),
		seen("ap-start-proctoring-type-and-version: another version", lti.ClaimVersion, `"1.3.1"`, "instead of"),
		seen("ap-start-proctoring-through-oidc-login: another nonce", "nonce", `"x"`, "The nonce is"),
		seen("ap-start-proctoring-deployment-id: another", lti.ClaimDeploymentID, `"2"`, "deployment_id is"),
		seen("ap-start-proctoring-target-link-uri: none", lti.ClaimTargetLinkURI, "", "target_link_uri is"),
		seen("ap-start-proctoring-resource-link-title: none", lti.ClaimResourceLink, `{"id": "x"}`, "no title"),
		seen("ap-start-proctoring-resource-link-title: a number", lti.ClaimResourceLink, `{"title": 7}`, "no title"),
		seen("ap-start-proctoring-start-assessment-url: a path", lti.ClaimStartAssessmentURL, `"/start"`, "instead of an absolute URL"),
		seen("ap-start-proctoring-session-data-present: very long", lti.ClaimSessionData, `"`+long+`"`, ""),
		seen("ap-start-proctoring-session-data-present: empty", lti.ClaimSessionData, `""`, "session_data is"),
		seen("ap-start-proctoring-session-data-present: an object", lti.ClaimSessionData, `{"a": 1}`, "session_data is"),
		seen("ap-start-proctoring-names-the-candidate: nobody", "sub", "", "sub is missing"),
		seen("ap-start-proctoring-roles: none", lti.ClaimRoles, "[]", ""),
		seen("ap-start-proctoring-roles: a teacher", lti.ClaimRoles, `["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]`, "without the context role Learner"),
		seen("ap-start-proctoring-roles: a text", lti.ClaimRoles, `"Learner"`, "instead of an array"),
		seen("ap-start-proctoring-name-claims: none", "given_name", "", "given_name is missing"),
		seen("ap-start-proctoring-name-claims: a number", "name", "7", "name is missing"),
		seen("ap-start-proctoring-email-with-verified-flag: no email", "email", "", ""),
		seen("ap-start-proctoring-email-with-verified-flag: not verified", "email_verified", "false", ""),
		seen("ap-start-proctoring-email-with-verified-flag: a text", "email_verified", `"true"`, `email_verified "true"`),
		seen("ap-start-proctoring-return-url: none", lti.ClaimLaunchPresentation, "{}", "return_url is missing"),
		seen("ap-start-proctoring-presentation-size-and-locale: no presentation", lti.ClaimLaunchPresentation, "", ""),
		seen("ap-start-proctoring-presentation-size-and-locale: a text as width", lti.ClaimLaunchPresentation, `{"width": "1"}`, "width is"),
		seen("ap-start-proctoring-acs-claim-shape: none", lti.ClaimACS, "", "no acs claim"),
		seen("ap-start-proctoring-settings-shape: without data", lti.ClaimProctoringSettings, `{"x": 1}`, ""),
		seen("ap-start-proctoring-settings-shape: an object as data", lti.ClaimProctoringSettings, `{"data": {}}`, "instead of a text"),
		seen("ap-start-proctoring-settings-shape: null as data", lti.ClaimProctoringSettings, `{"data": null}`, "instead of a text"),
		seen("ap-start-proctoring-settings-shape: a list", lti.ClaimProctoringSettings, "[]", "instead of an object"),
		seen("ap-claim-names-exact-platform: nearly one", lti.ClaimPrefix+"lti/claim/acs", "1", "not quite"),
	)
	t.Run("the number of the attempt", func(t *testing.T) {
		judgetest.Hold(t, func(number string) string {
			return says(t, exam, func() string { return wrongAttempt(exam, exam, 0) }, change{lti.ClaimAttemptNumber, number})
		},
			row("1", "1", ""), row("1.0", "1.0", ""), row("very many", "1e18", ""), row("0", "0", "from 1 on"), row("less", "-1", "from 1 on"), row("a half", "1.5", "from 1 on"),
			row("a text", `"1"`, "from 1 on"), row("none", "", "from 1 on"), row("null", "null", "from 1 on"), row("a list", "[1]", "from 1 on"),
		)
		NewWithT(t).Expect(wrongAttempt(exam, exam, 1)).To(ContainSubstring("attempt_number is 1, and then 1"))
	})
}

func TestTheAudienceIsTheTool(t *testing.T) {
	judge := func(text string) string {
		verdict, _ := judgeAudience(harness.Message{Claims: members(t, text)}, "tool")
		return string(verdict)
	}
	judgetest.Hold(t, judge,
		row("alone", `{"aud": "tool"}`, "passed"), row("in a list", `{"aud": ["tool"]}`, "passed"), row("with azp", `{"aud": "tool", "azp": "tool"}`, "passed"),
		row("beside another, with azp", `{"aud": ["x", "tool"], "azp": "tool"}`, "passed"), row("beside another, without", `{"aud": ["x", "tool"]}`, "warned"),
		row("twice, without azp", `{"aud": ["tool", "tool"]}`, "warned"),
		row("another azp", `{"aud": "tool", "azp": "x"}`, "failed"), row("null as azp", `{"aud": "tool", "azp": null}`, "failed"), row("a list as azp", `{"aud": "tool", "azp": ["tool"]}`, "failed"),
		row("another case", `{"aud": "Tool"}`, "failed"), row("a part", `{"aud": "tools"}`, "failed"), row("none", `{}`, "failed"), row("an empty list", `{"aud": []}`, "failed"),
		row("a number beside it", `{"aud": ["tool", 7]}`, "failed"), row("an object", `{"aud": {"tool": 1}}`, "failed"),
	)
}

func TestTimesAreInSecondsAndNow(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(iat, exp float64) string {
		return fmt.Sprintf(`{"iat": %f, "exp": %f}`, float64(now.Unix())+iat, float64(now.Unix())+exp)
	}
	judge := func(text string) string {
		verdict, says := judgeTimes(harness.Message{Claims: members(t, text)}, now)
		return string(verdict) + " " + says
	}
	judgetest.Hold(t, judge,
		row("five minutes", at(0, 300), "passed"), row("an hour, to the second", at(0, 3600), "passed"), row("a clock behind", at(-300, 60), "passed"), row("a clock ahead", at(300, 600), "passed"),
		row("fractions", at(-0.75, 60.25), "passed"), row("in the notation of large numbers", `{"iat": 1.8e9, "exp": 18000003e2}`, "passed"),
		row("a second more than an hour", at(0, 3601), "warned"), row("expired on the way", at(-60, -1), "warned"), row("to the second", at(-60, 0), "warned"),
		row("long ago", at(-301, 60), "failed"), row("not yet", at(301, 600), "failed"), row("no life", at(0, 0), "failed"), row("exp before iat", at(60, 30), "failed"), row("expired long ago", at(-290, -300), "failed"),
		row("exp in milliseconds", `{"iat": 1800000000, "exp": 1800000300000}`, "not in seconds"), row("both in milliseconds", `{"iat": 1800000000000, "exp": 1800000300000}`, "failed"),
		row("texts", `{"iat": "1800000000", "exp": "1800000300"}`, "have to be numbers"), row("none", "{}", "have to be numbers"), row("null", `{"iat": null, "exp": 1800000300}`, "have to be numbers"),
		row("a huge one", `{"iat": 1800000000, "exp": 1e308}`, "failed"),
	)
}

// answer is a flow that ended on what a service answered.
func answer(status int, body string, header ...string) *harness.PlatformFlow {
	e := &faketool.Exchange{Status: status, Body: []byte(body), Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		e.Header.Add(header[i], header[i+1])
	}
	if e.ContentType = e.Header.Get("Content-Type"); status == 0 {
		e.Err = errors.New("connection refused")
	}
	return &harness.PlatformFlow{Exchange: e, Trip: &agent.Trip{Why: "connection refused", Says: results.Bounded(body, 100)}}
}

func TestALIstIsAnArrayUnderItsMediaType(t *testing.T) {
	judge := func(f *harness.PlatformFlow) string { return wrongList(f, lti.MediaTypeLineItemContainer, false) }
	const container = lti.MediaTypeLineItemContainer
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, judge,
		seen("an empty one", answer(200, "[]", "Content-Type", container), ""), seen("a type in another case, with a charset", answer(200, ` [{}] `, "Content-Type", strings.ToUpper(container)+"; charset=utf-8"), ""),
		seen("another type", answer(200, "[]", "Content-Type", "application/json"), "the Content-Type is"), seen("no type", answer(200, "[]"), "the Content-Type is"), seen("that of one item", answer(200, "[]", "Content-Type", lti.MediaTypeLineItem), "the Content-Type is"),
		seen("an object", answer(200, `{"items": []}`, "Content-Type", container), "not an array of objects"), seen("null", answer(200, "null", "Content-Type", container), "not an array of objects"), seen("of numbers", answer(200, "[1]", "Content-Type", container), "not an array of objects"),
		seen("cut off", answer(200, `[{"id": "`, "Content-Type", container), "not an array of objects"), seen("markup", answer(200, "<p>"+long, "Content-Type", container), "not an array of objects"),
		seen("another status", answer(404, "[]", "Content-Type", container), "HTTP 404"), seen("created", answer(201, "[]", "Content-Type", container), "HTTP 201"), seen("nothing", answer(0, ""), "No answer came"),
	)
	NewWithT(t).Expect(wrongList(answer(200, "[]", "Content-Type", "application/json"), container, true)).To(BeEmpty())
	NewWithT(t).Expect(wrongLineItems(answer(200, `[{"id": "https://l.example/1", "label": "L", "scoreMaximum": 1}, null]`))).To(Equal("id is missing"))
}

func TestARequestIsRefusedByItsStatus(t *testing.T) {
	judge := func(m mistake) func(*harness.PlatformFlow) string {
		return func(f *harness.PlatformFlow) string { verdict, says := m.Judge(f); return string(verdict) + " " + says }
	}
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, judge(WithoutToken),
		seen("with a challenge", answer(401, "", "WWW-Authenticate", "Bearer"), "passed"), seen("with its parameters", answer(401, "", "WWW-Authenticate", `bearer realm="x", error="invalid_token"`), "passed"),
		seen("beside another, in one field", answer(401, "", "WWW-Authenticate", `Basic realm="x", Bearer error="invalid_token"`), "passed"),
		seen("beside another, in a field of its own", answer(401, "", "WWW-Authenticate", `Basic realm="x"`, "WWW-Authenticate", "Bearer"), "passed"),
		seen("without one", answer(401, ""), "warned"), seen("with another alone", answer(401, "", "WWW-Authenticate", `Basic realm="Bearer"`), "warned"), seen("with a word like it", answer(401, "", "WWW-Authenticate", "Bearers"), "warned"),
		seen("by another status", answer(403, "", "WWW-Authenticate", "Bearer"), "warned HTTP 403 instead of 401"), seen("taken", answer(200, ""), "failed"), seen("broken", answer(500, ""), "failed"), seen("sent away", answer(302, ""), "failed"),
		seen("too many", answer(429, ""), "inconclusive"), seen("no answer", answer(0, ""), "inconclusive"),
	)
	judgetest.Hold(t, judge(OfOthers), seen("403", answer(403, ""), "passed"), seen("404, so as to hide it", answer(404, ""), "passed"), seen("400", answer(400, ""), "warned"))
	judgetest.Hold(t, judge(ofNothing), seen("any", answer(418, ""), "passed"), seen("taken", answer(204, ""), "failed"))
}

// token is what a token endpoint answered.
func token(t *testing.T, f *harness.PlatformFlow) *faketool.Token {
	t.Helper()
	granted := &faketool.Token{Exchange: *f.Exchange}
	if json.Unmarshal(f.Exchange.Body, &granted.Raw) == nil {
		granted.AccessToken, _ = granted.Raw["access_token"].(string)
		granted.TokenType, _ = granted.Raw["token_type"].(string)
		granted.Scope, _ = granted.Raw["scope"].(string)
		granted.Error, _ = granted.Raw["error"].(string)
		granted.ExpiresIn = granted.Raw["expires_in"]
	}
	return granted
}

func TestATokenIsGrantedInForm(t *testing.T) {
	const body = `{"access_token": "a", "token_type": "Bearer", "expires_in": 3600}`
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return wrongGrantForm(token(t, f)) },
		seen("as it has to be", answer(200, body, "Content-Type", "application/json", "Cache-Control", "no-store"), ""), seen("with more", answer(200, body, "Content-Type", "Application/JSON;charset=UTF-8", "Cache-Control", "private, No-Store, max-age=0"), ""),
		seen("in two fields", answer(200, body, "Content-Type", "application/json", "Cache-Control", "private", "Cache-Control", "no-store"), ""),
		seen("small letters, no lifetime", answer(200, `{"token_type": "bearer"}`, "Content-Type", "application/json", "Cache-Control", "no-store"), ""),
		seen("a fraction of a second", answer(200, `{"token_type": "bearer", "expires_in": 3600.0}`, "Content-Type", "application/json", "Cache-Control", "no-store"), ""),
		seen("a text as lifetime", answer(200, `{"token_type": "bearer", "expires_in": "3600"}`, "Content-Type", "application/json", "Cache-Control", "no-store"), "expires_in is"),
		seen("another type", answer(200, `{"token_type": "mac"}`, "Content-Type", "application/json", "Cache-Control", "no-store"), `token_type is "mac"`), seen("no type", answer(200, `{"token_type": ["Bearer"]}`, "Content-Type", "application/json", "Cache-Control", "no-store"), `token_type is ""`),
		seen("to be kept", answer(200, body, "Content-Type", "application/json", "Cache-Control", "no-cache"), "no Cache-Control: no-store"), seen("no JSON", answer(200, body, "Content-Type", "text/html", "Cache-Control", "no-store"), "the Content-Type of the answer is"),
	)
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return wrongGrant(token(t, f)) },
		seen("granted", answer(200, body), ""), seen("refused", answer(400, `{"error": "invalid_scope"}`), "HTTP 400 invalid_scope"), seen("created", answer(201, body), "HTTP 201"),
		seen("a list as token", answer(200, `{"access_token": ["a"]}`), "no token was granted"), seen("very long", answer(400, `{"error": "`+long+`"}`), "no token was granted"), seen("no answer", answer(0, ""), "no answer came"),
	)
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return wrongErrorForm(token(t, f)) },
		seen("one of the codes", answer(400, `{"error": "invalid_client"}`, "Content-Type", "application/json"), ""), seen("in another case", answer(400, `{"error": "Invalid_Client"}`, "Content-Type", "application/json"), "not registered"),
		seen("none", answer(400, `{}`, "Content-Type", "application/json"), "not registered"), seen("no JSON", answer(400, `{"error": "invalid_client"}`, "Content-Type", "text/plain"), "the Content-Type of the answer is"),
	)
	byGet := token(t, answer(404, ""))
	byGet.Method = http.MethodGet
	NewWithT(t).Expect(wrongErrorForm(byGet)).To(BeEmpty())

	judgetest.Hold(t, func(f *harness.PlatformFlow) string {
		return beyond(token(t, f), []string{"a", "b"}, []string{"a", "b", "c"})
	},
		seen("all that it may", answer(200, `{"access_token": "t", "scope": "b a"}`), ""), seen("less", answer(200, `{"access_token": "t", "scope": " a  a "}`), ""), seen("nothing", answer(400, `{"scope": "c"}`), ""),
		seen("more", answer(200, `{"access_token": "t", "scope": "a c"}`), "granted c"), seen("more, by saying nothing", answer(200, `{"access_token": "t"}`), "granted c, since the answer has no scope"),
		seen("another case", answer(200, `{"access_token": "t", "scope": "A"}`), "granted A"), seen("very much more", answer(200, `{"access_token": "t", "scope": "`+long+`"}`), "granted ab"),
	)
}

func TestARequestForATokenIsRefused(t *testing.T) {
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { verdict, _ := tokenRefused(token(t, f)); return string(verdict) },
		seen("400", answer(400, `{"error": "invalid_request"}`), "passed"), seen("401", answer(401, `{"error": "invalid_client"}`), "passed"), seen("another 4xx", answer(403, `{"error": "x"}`), "warned"),
		seen("without an error", answer(400, "{}"), "failed"), seen("a number as error", answer(400, `{"error": 7}`), "failed"), seen("an error by 200", answer(200, `{"error": "invalid_request"}`), "failed"), seen("granted", answer(400, `{"access_token": "t"}`), "failed"), seen("broken", answer(500, ""), "failed"),
		seen("too many", answer(429, ""), "inconclusive"), seen("no answer", answer(0, ""), "inconclusive"),
	)
}

func TestAControlRequestIsAnsweredWithTheStatus(t *testing.T) {
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return answered(f, lti.Paused, lti.Terminated) },
		seen("one of them", answer(200, `{"status": "paused", "extra_time": 0, "x": null}`), ""), seen("another", answer(200, `{"status": "running"}`), `the status is "running" instead of "paused" or "terminated"`),
		seen("another case", answer(200, `{"status": "Paused"}`), "cannot be read"), seen("a list", answer(200, `{"status": ["paused"]}`), "cannot be read"), seen("null", answer(200, "null"), "cannot be read"), seen("markup", answer(200, "<p>"), "cannot be read"),
		seen("accepted", answer(202, `{"status": "paused"}`), "HTTP 202"), seen("no answer", answer(0, ""), "no answer came"),
	)
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return refused(f, lti.Terminated) },
		seen("refused", answer(400, ""), ""), seen("told that it is over", answer(200, `{"status": "terminated"}`), ""), seen("told that it goes on", answer(200, `{"status": "running"}`), "the status is"),
		seen("broken", answer(503, ""), "HTTP 503"), seen("sent away", answer(301, ""), "HTTP 301"), seen("no answer", answer(0, ""), "no answer came"),
	)
	NewWithT(t).Expect(refused(answer(200, `{"status": "terminated"}`))).To(Equal("HTTP 200"))
}

func TestAnAddressIsAdaptedToAnother(t *testing.T) {
	g := NewWithT(t)
	const from, to = "https://lms.example/courses/1/items/7?tool=a", "https://lms.example/courses/2/items/8?tool=b"
	for address, want := range map[string]string{
		"https://lms.example/courses/1/items/9?tool=a": "https://lms.example/courses/2/items/9?tool=b", "https://lms.example/courses/1": "https://lms.example/courses/2",
		"https://lms.example/courses/3": "", "https://other.example/courses/1": "", "https://lms.example/courses/1%2F/items/7": "https://lms.example/courses/1%2F/items/8", ":": "", "": "",
	} {
		g.Expect(moved(address, from, to)).To(Equal(want), address)
	}
	g.Expect(moved(from, from, "https://lms.example/courses/2")).To(BeEmpty(), "which part stands for which cannot be told")
	for _, check := range slices.Concat(checks, examChecks) {
		_, known := requirements.Default().Get(check.id)
		g.Expect(known).To(BeTrue(), string(check.id))
	}
	g.Expect(url.ParseQuery(queryOf("tag", "a&b=c"))).To(Equal(url.Values{"tag": {"a&b=c"}}))
}
