package proctoring_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

const (
	userClaim    = lti.ClaimVerifiedUser
	sessionClaim = lti.ClaimSessionData
	linkClaim    = lti.ClaimResourceLink
	numberClaim  = lti.ClaimAttemptNumber
	endClaim     = lti.ClaimEndAssessmentReturn
	placeClaim   = lti.ClaimDeploymentID
	vendorClaim  = "https://vendor.example/claim/camera"
)

// messages are what the stimuli of messages change in the claims. Signatures
// have a test of their own.
var messages = map[string]tooltest.Made{
	"start-valid": {}, "start-required-claims-alone": {userClaim: BeNil(), endClaim: BeNil()},
	"start-unknown-claim": {vendorClaim: Equal("x")}, "start-verified-user-empty": {userClaim: BeEmpty()},
	"start-aud-array": {"aud": HaveExactElements(tooltest.PlatformURL)},
	"aud-string":      {vendorClaim: Equal("x")}, "aud-array": {"aud": HaveExactElements(tooltest.PlatformURL), vendorClaim: Equal("x")},
	"start-iat-with-fraction": {"iat": Equal(tooltest.Seconds(-2) + 0.375)}, "start-exp-with-fraction": {"exp": Equal(tooltest.Seconds(240) + 0.375)},
	"iat-with-fraction": {"iat": Equal(tooltest.Seconds(-2) + 0.375)}, "exp-with-fraction": {"exp": Equal(tooltest.Seconds(240) + 0.375)},
	"start-session-absent": {sessionClaim: BeNil()}, "start-session-empty": {sessionClaim: Equal("")}, "start-session-null": {sessionClaim: BeNil()},
	"start-session-altered": {sessionClaim: Equal("Dauaä")}, "start-session-other-case": {sessionClaim: Equal("dATAÄ")},
	"start-session-truncated": {sessionClaim: Equal("Data")}, "start-session-array": {sessionClaim: HaveExactElements("Dataä")},
	"start-session-of-other-candidate": {sessionClaim: Equal("of another")}, "start-session-of-other-exam": {sessionClaim: Equal("of another")},
	"start-attempt-plus-one": {numberClaim: Equal(4.0)}, "start-attempt-earlier": {numberClaim: Equal(2.0)}, "start-attempt-zero": {numberClaim: Equal(0.0)},
	"start-attempt-string": {numberClaim: Equal("3")}, "start-attempt-absent": {numberClaim: BeNil()},
	"start-link-of-other-exam": {linkClaim: Equal(map[string]any{"id": "exam-8"})},
	"start-link-unknown":       {linkClaim: And(HaveKeyWithValue("id", tooltest.Unknown), HaveKeyWithValue("title", "Algebra"))},
	"start-link-absent":        {linkClaim: BeNil()}, "start-link-string": {linkClaim: Equal("exam-7")},
	"start-deployment-absent": {placeClaim: BeNil()}, "start-deployment-unknown": {placeClaim: tooltest.Unknown}, "start-deployment-other": {placeClaim: Equal("deployment-b")},
	"start-aud-other": {"aud": Equal("https://stranger.example")}, "start-aud-absent": {"aud": BeNil()},
	"start-iss-of-other-tool": {"iss": Equal("client-b")}, "start-iss-of-platform": {"iss": Equal(tooltest.PlatformURL)}, "start-iss-absent": {"iss": BeNil()},
	"iss-platform": {"iss": Equal(tooltest.PlatformURL)}, "iss-unknown": {"iss": tooltest.Unknown}, "iss-of-other-tool": {"iss": Equal("client-b")},
	"aud-other": {"aud": Equal("https://stranger.example")}, "aud-missing": {"aud": BeNil()},
	"aud-untrusted-additional": {"aud": HaveExactElements(tooltest.PlatformURL, "https://stranger.example")},
	"start-exp-past":           {"iat": Equal(tooltest.Seconds(-900)), "exp": Equal(tooltest.Seconds(-600))}, "start-exp-absent": {"exp": BeNil()},
	"start-iat-ahead": {"iat": Equal(tooltest.Seconds(86400)), "exp": Equal(tooltest.Seconds(86700))}, "start-iat-old": {"iat": Equal(tooltest.Seconds(-7 * 86400))},
	"exp-past": {"iat": Equal(tooltest.Seconds(-900)), "exp": Equal(tooltest.Seconds(-600))}, "exp-missing": {"exp": BeNil()},
	"exp-string":         {"exp": Equal(fmt.Sprint(tooltest.Noon.Unix() + 300))},
	"start-nonce-absent": {"nonce": BeNil()}, "start-nonce-used": {"nonce": Equal("of before")}, "nonce-missing": {"nonce": BeNil()},
	"start-type-deep-linking": {lti.ClaimMessageType: Equal("LtiDeepLinkingResponse")}, "start-version-old": {lti.ClaimVersion: Equal("LTI-1p0")},
	"deployment-id-missing": {placeClaim: BeNil()}, "deployment-id-unknown": {placeClaim: tooltest.Unknown}, "deployment-id-of-other-deployment": {placeClaim: Equal("deployment-b")},
	"message-type-missing": {lti.ClaimMessageType: BeNil()}, "message-type-unknown": {lti.ClaimMessageType: Equal("LtiUnknownResponse")},
	"message-type-other-direction": {lti.ClaimMessageType: Equal("LtiResourceLinkRequest")},
	"version-missing":              {lti.ClaimVersion: BeNil()}, "version-wrong": {lti.ClaimVersion: Equal("1.1")},
	"verified-user-absent": {userClaim: BeNil()}, "verified-user-empty": {userClaim: BeEmpty()}, "verified-user-string": {userClaim: Equal("Ada Strange")},
	"verified-user-other-name":       {userClaim: And(HaveKeyWithValue("family_name", "Strange"), HaveKeyWithValue("given_name", "Ada"), HaveLen(4))},
	"verified-user-long-name":        {userClaim: And(HaveKeyWithValue("name", HaveLen(100_000)), HaveLen(3))},
	"verified-user-script":           {userClaim: HaveEach(Or(HaveSuffix(`"><script>console.error(/invigilator-ran/.source)</script>`), HavePrefix(tooltest.ToolURL)))},
	"verified-user-platform-picture": {userClaim: And(HaveKeyWithValue("picture", tooltest.PlatformURL+"/ada.png"), HaveLen(3))},
	"verified-user-iss-sub":          {userClaim: And(HaveKeyWithValue("iss", tooltest.PlatformURL), HaveKeyWithValue("sub", faketool.StrangerSub), HaveLen(5))},
	"end-return-string-true":         {endClaim: Equal("true")}, "end-return-string-false": {endClaim: Equal("false")}, "end-return-one": {endClaim: Equal(1.0)},
	"end-return-zero": {endClaim: Equal(0.0)}, "end-return-null": {endClaim: BeNil()}, "end-return-array": {endClaim: Equal([]any{true})},
	"end-return-object": {endClaim: Equal(map[string]any{"value": true})}, "end-return-long": {endClaim: HaveLen(10_000)},
	// What these change is not in the claims.
	"start-parameter-missing": {}, "start-as-id-token": {}, "start-by-get": {}, "start-type-of-link": {}, "start-type-of-exam": {},
}

// signatures are the requirements that only a test of signatures is about.
var signatures = []string{"ap-platform-rejects-bad-signature", "sec-platform-tool-message-signature", "sec-token-assertion-signature"}

func TestEachStimulusOfAMessageChangesWhatItSays(t *testing.T) {
	t.Parallel()
	key, err := tooltest.OtherKey()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	e := tooltest.NewOf(t, faketool.Options{OtherTool: faketool.OtherTool{ClientID: "client-b", Key: key}})
	b := e.Window()
	a := e.Answered(b, tooltest.With(tooltest.Starts(), lti.Claims{numberClaim: 3, sessionClaim: "Dataä", "picture": tooltest.PlatformURL + "/ada.png"}))
	other := e.Answered(b, tooltest.With(tooltest.Starts(), lti.Claims{
		sessionClaim: "of another", linkClaim: json.RawMessage(`{"id":"exam-8"}`), numberClaim: 2, placeClaim: "deployment-b",
	}))
	earlier := &toolmessage.Message{Claims: lti.Claims{"nonce": "of before"}}
	valid, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	usual := tooltest.ClaimsOf(t, valid.JWT)
	for _, f := range faketool.Stimuli() {
		want, told := messages[f.Name]
		if !faketool.Changes(f, proctoring.StartAssessmentMessage) || slices.Contains(signatures, f.Provokes) && !told {
			continue
		}
		t.Run(f.Provokes+" "+f.Name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(told).To(BeTrue())
			m, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{Fault: &f, Other: other, Earlier: earlier})
			g.Expect(err).NotTo(HaveOccurred())
			own := []string{"nonce"}
			if user, ok := m.Claims[userClaim].(lti.Claims); want[userClaim] == nil && ok {
				g.Expect(user["picture"]).To(HavePrefix(tooltest.ToolURL + "/pictures/"))
				own = append(own, userClaim) // each check-in has a picture of its own
			}
			sent := tooltest.ClaimsOf(t, m.JWT)
			tooltest.ExpectMade(t, sent, usual, want, own...)
			switch f.Name {
			case "start-parameter-missing", "start-as-id-token", "start-type-of-link", "start-type-of-exam":
				g.Expect(m.Form).NotTo(HaveKeyWithValue("JWT", ConsistOf(m.JWT)))
			default:
				g.Expect(m.Form).To(And(HaveLen(1), HaveKeyWithValue("JWT", ConsistOf(m.JWT))))
			}
			g.Expect(m.Method == http.MethodGet).To(Equal(f.Name == "start-by-get"))
			g.Expect(m.To).To(Equal(tooltest.StartURL))
			if f.Name != "start-iss-of-other-tool" {
				tooltest.Opened(t, m.JWT)
			} else {
				expectSigned(t, m.JWT, key)
			}
		})
	}
}

// applications are what the stimuli of token requests change in the form and in
// the claims of the assertion.
var applications = map[string]tooltest.Made{
	"grades-scope-unknown": {"scope": Equal(lti.ScopeControl + " https://purl.imsglobal.org/spec/x/scope/unknown")},
	"scope-known":          {}, "scope-known-and-unknown": {"scope": Equal(lti.ScopeControl + " https://purl.imsglobal.org/spec/x/scope/unknown")},
	"scope-unknown": {"scope": Equal("https://purl.imsglobal.org/spec/x/scope/unknown")}, "scope-missing": {"scope": BeNil()},
	"aud-other": {"aud": Equal("https://stranger.example/token")}, "aud-missing": {"aud": BeNil()}, "aud-client-id": {"aud": Equal(tooltest.ClientID)},
	"aud-string": {}, "aud-array": {"aud": HaveExactElements(tooltest.TokenURL, tooltest.PlatformURL)},
	"iss-platform": {"iss": Equal(tooltest.PlatformURL)}, "sub-missing": {"sub": BeNil()}, "sub-of-other-client": {"sub": Equal("client-b")},
	"client-id-unknown": {"iss": tooltest.Unknown, "sub": tooltest.Unknown}, "deployment-id-right": {placeClaim: Equal("deployment-1")},
	"exp-past": {"iat": Equal(tooltest.Seconds(-900)), "exp": Equal(tooltest.Seconds(-600))}, "exp-missing": {"exp": BeNil()}, "jti-missing": {"jti": BeNil()},
	"assertion-iat-with-fraction": {"iat": Equal(tooltest.Seconds(-2) + 0.375)}, "assertion-exp-with-fraction": {"exp": Equal(tooltest.Seconds(240) + 0.375)},
	"assertion-nbf-with-fraction": {"nbf": Equal(tooltest.Seconds(-60) + 0.375)}, "assertion-replayed": {},
	"grant-type-password": {"grant_type": Equal("password")}, "grant-type-missing": {"grant_type": BeNil()},
	"assertion-type-wrong":   {"client_assertion_type": Equal("urn:ietf:params:oauth:client-assertion-type:saml2-bearer")},
	"assertion-type-missing": {"client_assertion_type": BeNil()},
	"assertion-missing":      {"iss": BeNil(), "sub": BeNil(), "aud": BeNil(), "iat": BeNil(), "exp": BeNil(), "jti": BeNil()},
	"assertion-not-a-jwt":    {"iss": BeNil(), "sub": BeNil(), "aud": BeNil(), "iat": BeNil(), "exp": BeNil(), "jti": BeNil()},
	"request-charset":        {"type": Equal("application/x-www-form-urlencoded; charset=UTF-8")},
	"request-by-get":         {"method": Equal(http.MethodGet), "body": BeEmpty()},
}

func TestEachStimulusOfATokenRequestChangesWhatItSays(t *testing.T) {
	t.Parallel()
	key, err := tooltest.OtherKey()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	e := tooltest.NewOf(t, faketool.Options{OtherTool: faketool.OtherTool{ClientID: "client-b", Key: key}})
	ask := func(t *testing.T, f *faketool.Fault) (all []tooltest.Parts, came []tooltest.Request) {
		g := NewWithT(t)
		_, err := e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: f})
		g.Expect(err).NotTo(HaveOccurred())
		_, came, _ = e.Seen()
		for _, r := range came {
			form := r.Form
			if r.Method == http.MethodGet {
				form = queryOf(t, r.Target)
			}
			p := tooltest.Parts{"method": r.Method, "type": r.ContentType, "body": r.Body != ""}
			if r.Body == "" {
				p["body"] = ""
			}
			for name := range form {
				if name != "client_assertion" {
					p[name] = form.Get(name)
				}
			}
			if token := form.Get("client_assertion"); strings.Count(token, ".") == 2 {
				maps.Copy(p, tooltest.ClaimsOf(t, token))
			}
			all = append(all, p)
		}
		return all, came
	}
	usual, _ := ask(t, nil)
	for _, f := range faketool.Stimuli() {
		if !faketool.Changes(f, faketool.AccessTokenRequest) || slices.Contains(signatures, f.Provokes) && f.Name != "signed-by-other-tool" {
			continue
		}
		t.Run(f.Provokes+" "+f.Name, func(t *testing.T) {
			g := NewWithT(t)
			sent, came := ask(t, &f)
			if f.Name == "signed-by-other-tool" {
				expectSigned(t, came[0].Form.Get("client_assertion"), key)
				return
			}
			want, told := applications[f.Name]
			g.Expect(told).To(BeTrue())
			tooltest.ExpectMade(t, sent[0], usual[0], want, "jti")
			if f.Name == "assertion-replayed" {
				g.Expect(came).To(HaveLen(2))
				g.Expect(came[1]).To(Equal(came[0]))
			} else {
				g.Expect(came).To(HaveLen(1))
			}
		})
	}

	alone := tooltest.New(t, func(r *faketool.Registration) { r.DeploymentIDs = nil })
	for name, c := range map[string]struct {
		id  string
		why error
	}{
		"deployment-id-right":  {"core-token-assertion-iss-sub", faketool.ErrUnchanged},
		"signed-by-other-tool": {"sec-token-assertion-signature", faketool.ErrNoOtherTool},
	} {
		_, err := alone.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: tooltest.Provoking(t, c.id, name)})
		NewWithT(t).Expect(err).To(MatchError(c.why), name)
	}
	alone.Answered(alone.Window(), tooltest.Starts())
	_, err = alone.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: tooltest.Stimulus(t, "deployment-id-right")})
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "a message has named it")
}

// orders are what the stimuli of control requests change.
var orders = map[string]tooltest.Made{
	"token-missing": {"authorization": BeEmpty()}, "token-in-query": {"authorization": BeEmpty(), "target": Equal("/acs?at=1&access_token=secret")},
	"token-scheme-lower-case": {"authorization": Equal("bearer secret")}, "two-authorization-headers": {"authorization": MatchRegexp(`^Bearer secret, Bearer [A-Za-z0-9_-]{22}$`)},
	"control-user-string": {"user": Equal("candidate")}, "control-link-array": {"resource_link": Equal([]any{map[string]any{"id": "exam-7"}})},
	"control-action-array": {"action": Equal([]any{"flag"})}, "attempt-number-array": {"attempt_number": Equal([]any{3.0})}, "attempt-number-fraction": {"attempt_number": Equal(3.5)},
	"severity-true": {"incident_severity": BeTrue()}, "severity-string": {"incident_severity": Equal("0.5")}, "extra-time-string": {"extra_time": Equal("10")},
	"extra-time-true": {"extra_time": BeTrue()}, "reason-code-number": {"reason_code": Equal(1.0)}, "reason-msg-array": {"reason_msg": Equal([]any{"A phone rang."})},
	"acs-altered-token": {"authorization": MatchRegexp(`^Bearer sec[^r]et$`)},
	"acs-without-token": {"authorization": BeEmpty()}, "acs-token-in-query": {"authorization": BeEmpty(), "target": Equal("/acs?at=1&access_token=secret")},
	"control-without-user":             {"user": BeNil()},
	"control-without-user-iss":         {"user": Equal(map[string]any{"sub": "candidate-1"})},
	"control-without-user-sub":         {"user": Equal(map[string]any{"iss": tooltest.PlatformURL})},
	"control-without-resource-link":    {"resource_link": BeNil()},
	"control-without-resource-link-id": {"resource_link": BeEmpty()},
	"control-without-attempt-number":   {"attempt_number": BeNil()}, "control-without-action": {"action": BeNil()},
	"control-without-incident-time": {"incident_time": BeNil()}, "incident-time-word": {"incident_time": Equal("yesterday")},
	"incident-time-impossible": {"incident_time": Equal("2026-13-45")}, "incident-time-number": {"incident_time": Equal(1700000000.0)},
	"incident-time-utc": {"incident_time": Equal("2026-03-01T11:59:59Z")}, "incident-time-milliseconds": {"incident_time": Equal("2026-03-01T11:59:59.000Z")},
	"incident-time-microseconds": {"incident_time": Equal("2026-03-01T11:59:59.000000Z")}, "incident-time-ahead": {"incident_time": Equal("2026-03-01T17:44:59+05:45")},
	"incident-time-behind": {"incident_time": Equal("2026-03-01T08:29:59-03:30")},
	"severity-negative":    {"incident_severity": Equal(-0.1)}, "severity-above-one": {"incident_severity": Equal(1.1)}, "severity-word": {"incident_severity": Equal("high")},
	"extra-time-negative": {"extra_time": Equal(-5.0)}, "extra-time-fraction": {"extra_time": Equal(1.5)}, "extra-time-word": {"extra_time": Equal("ten")},
	"attempt-number-as-string": {"attempt_number": Equal("3")},
	"body-array":               {"body": Equal("[]")}, "body-empty-object": {"body": Equal("{}")}, "body-not-json": {"body": Equal("{")}, "body-empty": {"body": BeEmpty()},
	"media-type-exact": {}, "media-type-charset": {"type": Equal("application/vnd.ims.lti-ap.v1.control+json; charset=UTF-8")},
	"media-type-upper-case": {"type": Equal("APPLICATION/VND.IMS.LTI-AP.V1.CONTROL+JSON")}, "media-type-json": {"type": Equal("application/json")},
	"media-type-text": {"type": Equal("text/plain")}, "acs-by-get": {"method": Equal(http.MethodGet), "body": BeEmpty()}, "acs-by-put": {"method": Equal(http.MethodPut)},
}

func TestEachStimulusOfAControlRequestChangesWhatItSays(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	severity, minutes := 0.5, 10
	order := lti.ControlRequest{
		User: lti.ControlUser{Issuer: tooltest.PlatformURL, Sub: "candidate-1"}, ResourceLink: lti.ControlResourceLink{ID: "exam-7"},
		AttemptNumber: 3, Action: lti.Flag, IncidentTime: "2026-03-01T12:00:00Z", IncidentSeverity: &severity, ExtraTime: &minutes,
	}
	ask := func(t *testing.T, f *faketool.Fault) tooltest.Parts {
		_, err := proctoring.Of(e.Tool).Control(t.Context(), tooltest.ControlURL, "secret", order, proctoring.ControlProbe{Fault: f})
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		_, _, came := e.Seen()
		NewWithT(t).Expect(came).To(HaveLen(1))
		p := tooltest.Parts{"method": came[0].Method, "target": came[0].Target, "type": came[0].ContentType, "authorization": came[0].Authorization}
		if json.Unmarshal([]byte(came[0].Body), &p) != nil || came[0].Body == "{}" {
			p["body"] = came[0].Body
		}
		return p
	}
	usual := ask(t, nil)
	for _, f := range faketool.Stimuli() {
		if !faketool.Changes(f, proctoring.ControlServiceRequest) {
			continue
		}
		t.Run(f.Provokes+" "+f.Name, func(t *testing.T) {
			want, told := orders[f.Name]
			NewWithT(t).Expect(told).To(BeTrue())
			var members []string
			if want["body"] != nil { // has none of them
				members = []string{"user", "resource_link", "attempt_number", "action", "incident_time", "incident_severity", "extra_time"}
			}
			tooltest.ExpectMade(t, ask(t, &f), usual, want, members...)
		})
	}
}

// expectSigned wants a token to be signed with a key, and to name it.
func expectSigned(t *testing.T, token string, key jwk.Key) {
	t.Helper()
	header, _, err := lti.Decode(token)
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(header)).To(ContainSubstring(key.KeyID()))
	_, err = jws.Verify([]byte(token), jws.WithKey(jwa.RS256, tooltest.Public(t, key)))
	g.Expect(err).NotTo(HaveOccurred())
}

func queryOf(t *testing.T, target string) url.Values {
	t.Helper()
	u, err := url.Parse(target)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return u.Query()
}
