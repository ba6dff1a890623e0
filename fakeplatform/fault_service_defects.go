package fakeplatform

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// serviceDefects are the defects of the services, and what is unusual, but allowed.
var serviceDefects = []Fault{

	// Access tokens: what is granted.
	{Name: "allows-storing-access-tokens", Proves: "sec-token-response", Part: OfExams, Does: "says nothing of storing access tokens but that they are private", Effects: []fault.Effect{
		tokenGranted.Change(func(g grantAnswer) grantAnswer {
			g.caching = "private"
			return g
		}),
	}},
	{Name: "labels-access-tokens-as-page", Proves: "sec-token-response", Part: OfExams, Does: "says that the JSON of an access token is text/html", Effects: []fault.Effect{
		tokenGranted.Change(func(g grantAnswer) grantAnswer {
			g.mediaType = pageMediaType
			return g
		}),
	}},
	{Name: "labels-token-errors-as-page", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "says that the JSON of a token request's error is text/html", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why refusal) { part.Send(w, why.status, pageMediaType, errorOf(why.code)) })}},
	{Name: "makes-up-token-errors", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "answers malformed token requests with error codes of its own", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why refusal) {
		part.Send(w, why.status, jsonMediaType, errorOf("token_request_failed"))
	})}},
	{Name: "omits-granted-scope", Proves: "sec-token-scope-limits", Part: OfExams, Does: "does not say which scopes it grants, even where they are fewer than were asked for", Effects: []fault.Effect{saysOfToken(func(_ *application, members map[string]any) { delete(members, lti.ParamScope) })}},
	{Name: "omits-scope-as-asked", Proves: "sec-token-response", Part: OfExams, Does: "does not say which scopes it grants where they are those that were asked for", Effects: []fault.Effect{
		saysOfToken(func(a *application, members map[string]any) {
			if len(a.scopes) == len(a.asked()) {
				delete(members, lti.ParamScope)
			}
		}),
	}},
	{Name: "says-other-token-type", Proves: "sec-token-response", Part: OfExams, Does: "says that its access tokens are of type mac", Effects: []fault.Effect{saysOfToken(func(_ *application, members map[string]any) { members["token_type"] = "mac" })}},
	{Name: "leaves-expires-in-out", Proves: "sec-token-response", Part: OfExams, Does: "does not say when access tokens expire", Effects: []fault.Effect{saysOfToken(func(_ *application, members map[string]any) { delete(members, "expires_in") })}},
	{Name: "refuses-unknown-claims-of-assertions", Proves: "sec-token-response", Part: OfExams, Does: "refuses an assertion with claims that it does not know", Effects: []fault.Effect{refusesClaim("vendor_note", "the assertion has a claim that is unknown")}},
	{Name: "refuses-charset-of-token-requests", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "refuses a request for an access token whose media type has a charset", Effects: []fault.Effect{
		tokenRequestRules.Add(func(a *application) error {
			if strings.Contains(a.Header.Get("Content-Type"), ";") {
				return invalidRequest("the content type has parameters")
			}
			return nil
		}),
	}},
	{Name: "says-expires-in-as-text", Proves: "sec-token-response", Part: OfExams, Does: "sends expires_in as a string", Effects: []fault.Effect{saysOfToken(func(_ *application, members map[string]any) {
		members["expires_in"] = fmt.Sprint(members["expires_in"])
	})}},
	{Name: "makes-short-access-tokens", Proves: "sec-token-response", Part: OfExams, Does: "makes access tokens of 12 characters", Effects: []fault.Effect{accessTokenMade.Change(func(token string) string { return token[:12] })}},
	{Name: "grants-more-scopes", Proves: "sec-token-scope-limits", Part: OfExams, Does: "says that it grants scopes that nobody asked for", Effects: []fault.Effect{
		saysOfToken(func(a *application, members map[string]any) {
			if asked := a.asked(); slices.Contains(asked, lti.ScopeControl) && !slices.Contains(asked, lti.ScopeScore) {
				members[lti.ParamScope] = strings.Join(grantedScopes, " ")
			}
		}),
	}},
	{Name: "grants-control-with-scores", Proves: "sec-token-scope-limits", Part: OfExams, Does: "grants the control of exams to who asks for scores", Effects: []fault.Effect{
		grants(func(_ *application, scopes []string) []string {
			if slices.Equal(scopes, []string{lti.ScopeScore}) {
				scopes = append(scopes, lti.ScopeControl)
			}
			return scopes
		}),
	}},
	{Name: "grants-nobody", Proves: "sec-token-response", Part: OfExams, Does: "trusts no client assertion", Effects: []fault.Effect{scopeRules.Add(func(*application) error { return invalidClient("the client assertion is not trusted") })}},
	{Name: "crashes-on-token-requests", Proves: "ap-platform-rejects-message-type-confusion", Part: OfExams, Does: "answers 500 to every token request", Effects: []fault.Effect{
		tokenRequestJudged.ChangeWhen(always, func(j judgedApplication) judgedApplication {
			j.instead = func(w http.ResponseWriter, _ *http.Request) { crash(w) }
			return j
		}),
	}},
	{Name: "refuses-several-scopes", Proves: "sec-token-response", Part: OfExams, Does: "grants nothing where two scopes are asked for", Effects: []fault.Effect{
		grants(func(_ *application, scopes []string) []string {
			if len(scopes) > 1 {
				return nil
			}
			return scopes
		}),
	}},
	{Name: "drops-control-among-others", Proves: "ap-acs-platform-token-scope-grantable", Part: OfExams, Does: "does not grant the control of exams among other scopes", Effects: []fault.Effect{
		saysOfToken(func(a *application, members map[string]any) {
			if len(a.scopes) > 1 {
				members[lti.ParamScope] = lti.ScopeScore
			}
		}),
	}},
	{Name: "grants-unknown-scopes", Proves: "sec-token-scope-limits", Part: OfExams, Does: "grants scopes that there are not", Effects: []fault.Effect{
		grants(func(a *application, scopes []string) []string {
			for _, scope := range a.asked() {
				if !slices.Contains(scopes, scope) {
					scopes = append(scopes, scope)
				}
			}
			return scopes
		}),
	}},
	{Name: "grants-without-scope", Proves: "sec-token-scope-limits", Part: OfExams, Does: "grants every scope where none is asked for", Effects: []fault.Effect{
		grants(func(a *application, scopes []string) []string {
			if !a.form.Has(lti.ParamScope) {
				return slices.Clone(grantedScopes)
			}
			return scopes
		}),
	}},

	// Access tokens: who gets one.
	{Name: "answers-token-errors-with-200", Proves: "sec-token-scope-limits", Part: OfExams, Does: "reports the errors of token requests with 200", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why refusal) {
		part.Send(w, http.StatusOK, jsonMediaType, errorOf(why.code))
	})}},
	{Name: "shows-token-errors-as-pages", Proves: "sec-token-scope-limits", Part: OfExams, Does: "reports the errors of token requests as pages", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why refusal) { refuse(w, why.status, why.says) })}},
	{Name: "forbids-token-errors", Proves: "sec-token-scope-limits", Part: OfExams, Does: "reports the errors of token requests with 403", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why refusal) {
		part.Send(w, http.StatusForbidden, jsonMediaType, errorOf(why.code))
	})}},
	{Name: "forbids-with-made-up-errors", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "reports the errors of token requests with 403 and codes of its own", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, _ refusal) {
		part.Send(w, http.StatusForbidden, jsonMediaType, errorOf("forbidden"))
	})}},
	{Name: "ignores-assertion-audience", Proves: "sec-token-assertion-aud", Part: OfExams, Does: "does not look at aud of a client assertion", Effects: []fault.Effect{assertionForPlatform.Lift(nil)}},
	{Name: "takes-assertions-without-audience", Proves: "sec-token-assertion-aud", Part: OfExams, Does: "takes a client assertion without aud", Effects: []fault.Effect{assertionForPlatform.Lift(func(a *application) bool { return len(jwt.Audiences(a.assertion.Claims["aud"])) == 0 })}},
	{Name: "takes-client-for-audience", Proves: "sec-token-assertion-aud", Part: OfExams, Does: "takes a client assertion whose aud is the client_id", Effects: []fault.Effect{assertionForPlatform.Lift(func(a *application) bool {
		return slices.Contains(jwt.Audiences(a.assertion.Claims["aud"]), a.clientID)
	})}},
	{Name: "refuses-assertion-audience-arrays", Proves: "sec-token-assertion-aud", Part: OfExams, Does: "refuses a client assertion whose aud is an array", Effects: []fault.Effect{
		assertionRules.Add(func(a *application) error {
			if _, isText := a.assertion.Claims["aud"].(string); !isText && a.forPlatform() {
				return invalidClient("aud is no string")
			}
			return nil
		}),
	}},
	{Name: "ignores-assertion-issuer", Proves: "core-token-assertion-iss-sub", Part: OfExams, Does: "goes by sub of a client assertion alone", Effects: []fault.Effect{
		tokenRequestRead.Change(func(r readApplication) readApplication {
			if sub, _ := r.assertion.Claims["sub"].(string); r.platform.isClient(sub) && r.clientID != "" && !r.platform.isClient(r.clientID) {
				r.clientID = sub
			}
			return r
		}),
	}},
	{Name: "ignores-assertion-subject", Proves: "core-token-assertion-iss-sub", Part: OfExams, Does: "goes by iss of a client assertion alone", Effects: []fault.Effect{assertionSubjectIsClient.Lift(nil)}},
	{Name: "refuses-deployment-in-assertion", Proves: "core-token-assertion-iss-sub", Part: OfExams, Does: "refuses a client assertion with a deployment_id", Effects: []fault.Effect{refusesClaim(lti.ClaimDeploymentID, "the assertion has a deployment_id")}},
	{Name: "ignores-assertion-expiry", Proves: "sec-token-assertion-expired", Part: OfExams, Does: "takes a client assertion that has expired", Effects: []fault.Effect{assertionNotExpired.Lift(nil)}},
	{Name: "takes-assertions-without-expiry", Proves: "sec-token-assertion-expired", Part: OfExams, Does: "takes a client assertion without exp", Effects: []fault.Effect{assertionExpires.Lift(nil)}},
	{Name: "needs-whole-issue-time-of-assertions", Proves: "rfc7519-token-assertion-numeric-date", Part: OfExams, Does: "refuses a client assertion whose iat has a fraction of a second", Effects: []fault.Effect{needsWhole("iat")}},
	{Name: "needs-whole-expiry-of-assertions", Proves: "rfc7519-token-assertion-numeric-date", Part: OfExams, Does: "refuses a client assertion whose exp has a fraction of a second", Effects: []fault.Effect{needsWhole("exp")}},
	{Name: "needs-whole-not-before-of-assertions", Proves: "rfc7519-token-assertion-numeric-date", Part: OfExams, Does: "refuses a client assertion whose nbf has a fraction of a second", Effects: []fault.Effect{needsWhole("nbf")}},
	{Name: "takes-assertions-without-jti", Proves: "sec-token-assertion-jti", Part: OfExams, Does: "takes a client assertion without jti", Effects: []fault.Effect{jtiGiven.Lift(nil)}},
	{Name: "reuses-assertions", Proves: "sec-token-assertion-jti", Part: OfExams, Does: "takes a client assertion twice", Effects: []fault.Effect{jtiUnused.Lift(nil), jtiTaken.Lift(nil)}},
	{Name: "notes-assertions-late", Proves: "sec-token-assertion-jti", Part: OfExams, Does: "takes a client assertion twice that comes twice at the same time", Effects: []fault.Effect{awaitsTwin, jtiUnused.Lift(hasTwin), jtiTaken.Lift(hasTwin)}},
	{Name: "crashes-on-assertion-twins", Proves: "sec-token-assertion-jti", Part: OfExams, Does: "answers 500 to the second of two requests with one client assertion that come at the same time", Effects: []fault.Effect{awaitsTwin, refusesTokens(func(r refusedApplication) bool { return r.why.says == usedJTI && hasTwin(r.application) }, crashes)}},
	{Name: "ignores-assertion-signature", Proves: "sec-token-assertion-signature", Part: OfExams, Does: "does not verify the signature of a client assertion", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.Readable, jwt.Readable)}},
	{Name: "takes-unsigned-assertions", Proves: "sec-token-assertion-signature", Part: OfExams, Does: "takes a client assertion with alg none", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.WithoutAlg, jwt.WithoutAlg)}},
	{Name: "takes-assertions-with-hmac", Proves: "sec-token-assertion-signature", Part: OfExams, Does: "verifies a client assertion as an HMAC keyed with the tool's public key where the header says so", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.WithHMAC, jwt.FitsPublicKey)}},
	{Name: "takes-keys-of-other-tools", Proves: "sec-token-assertion-signature", Part: OfExams, Does: "verifies a client assertion with the keys of every tool", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.Signed, jwt.OfOtherTool)}},
	{Name: "fetches-tool-keys-once", Proves: "sec-token-key-rotation", Part: OfExams, Does: "fetches a tool's key set once", Effects: []fault.Effect{jwt.FetchesOnce}},
	{Name: "ignores-grant-type", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "takes any grant_type for client_credentials", Effects: []fault.Effect{grantTypeClientCredentials.Lift(nil)}},
	{Name: "takes-missing-grant-type", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "takes a token request without grant_type", Effects: []fault.Effect{grantTypeGiven.Lift(nil)}},
	{Name: "crashes-without-grant-type", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "answers 500 to a token request without grant_type", Effects: []fault.Effect{refusesTokens(func(r refusedApplication) bool { return r.Method == http.MethodPost && !r.form.Has(lti.ParamGrantType) }, crashes)}},
	{Name: "ignores-assertion-type", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "does not look at client_assertion_type", Effects: []fault.Effect{assertionTypeJWT.Lift(nil)}},
	{Name: "crashes-on-malformed-assertion", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "answers 500 to a client assertion that is no JWT", Effects: []fault.Effect{refusesTokens(func(r refusedApplication) bool {
		return r.form.Has(lti.ParamClientAssertion) && r.assertion.Claims == nil
	}, crashes)}},
	{Name: "takes-token-requests-by-get", Proves: "rfc6749-token-request-form", Part: OfExams, Does: "takes a token request by GET", Effects: []fault.Effect{
		tokenRequestByPost.Lift(byGet), tokenRequestAsForm.Lift(byGet),
		tokenRequestRead.Change(func(r readApplication) readApplication {
			if byGet(&r.application) {
				r.form = r.URL.Query()
				r.assertion = jwt.Read(r.form.Get(lti.ParamClientAssertion))
				r.clientID, _ = r.assertion.Claims["iss"].(string)
			}
			return r
		}),
	}},

	// The Assessment Control Service: access.
	{Name: "controls-without-token", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "obeys control requests without an access token", Effects: []fault.Effect{
		tokenGiven.Lift(toControl),
		finds(func(o *order, _ *Launch, said statement) bool {
			return o.known.clientID == "" && o.token == "" && o.names().sameAttempt(said)
		}),
	}},
	{Name: "takes-unknown-access-tokens", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "takes any text for an access token", Effects: []fault.Effect{
		tokenKnown.Lift(toControl),
		finds(func(o *order, _ *Launch, said statement) bool {
			return o.known.clientID == "" && o.token != "" && o.names().sameAttempt(said)
		}),
	}},
	{Name: "takes-expired-access-tokens", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "takes access tokens that have expired", Effects: []fault.Effect{tokenNotExpired.Lift(toControl)}},
	{Name: "ignores-token-scope", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "takes access tokens of any scope", Effects: []fault.Effect{tokenOfScope.Lift(toControl)}},
	{Name: "takes-access-token-in-query", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "takes an access token from the query", Effects: []fault.Effect{
		credentialsRead.Change(func(r readCredentials) readCredentials {
			if inQuery := r.URL.Query().Get("access_token"); r.isControl() && !r.bearer && inQuery != "" {
				r.token, r.bearer = inQuery, true
			}
			return r
		}),
	}},
	{Name: "forbids-without-access-token", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "answers 403 instead of 401 to a control request without the right access token", Effects: []fault.Effect{refusesWith(http.StatusForbidden, forStatus(http.StatusUnauthorized))}},
	{Name: "says-unauthorized-for-scope", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "answers 401 instead of 403 to an access token of another scope", Effects: []fault.Effect{refusesWith(http.StatusUnauthorized, forStatus(http.StatusForbidden))}},
	{Name: "challenges-nobody", Proves: "ap-acs-platform-authorisation", Part: OfExams, Does: "answers 401 without WWW-Authenticate", Effects: []fault.Effect{challenged.Take(false, func(g guard) bool { return g.does == nil })}},
	{Name: "controls-exams-of-other-tools", Proves: "ap-acs-platform-tool-isolation", Part: OfExams, Does: "lets each tool control the exams of all", Effects: []fault.Effect{finds(func(o *order, _ *Launch, said statement) bool {
		return o.known.clientID != "" && o.names().sameAttempt(said)
	})}},

	// The Assessment Control Service: what it does.
	{Name: "pauses-nothing", Proves: "ap-acs-platform-pause-resume", Part: OfExams, Does: "says paused, and lets the candidate go on", Effects: []fault.Effect{does(lti.Pause, nothing), tells(lti.Paused, after(lti.Pause), lti.Running)}},
	{Name: "says-running-when-paused", Proves: "ap-acs-platform-pause-resume", Part: OfExams, Does: "pauses an attempt, and says that it is running", Effects: []fault.Effect{tells(lti.Running, after(lti.Pause), lti.Paused)}},
	{Name: "says-paused-when-resumed", Proves: "ap-acs-platform-pause-resume", Part: OfExams, Does: "resumes an attempt, and says that it is paused", Effects: []fault.Effect{tells(lti.Paused, after(lti.Resume), lti.Running)}},
	{Name: "crashes-on-second-pause", Proves: "ap-acs-platform-pause-resume", Part: OfExams, Does: "answers 500 when an attempt is paused that is", Effects: []fault.Effect{refusesToObey(func(o *order, status lti.Status) bool { return status == lti.Paused && o.request.Action == lti.Pause }, anError)}},
	{Name: "refuses-needless-resume", Proves: "ap-acs-platform-pause-resume", Part: OfExams, Does: "refuses to resume an attempt that is running", Effects: []fault.Effect{refusesToObey(func(o *order, status lti.Status) bool { return status == lti.Running && o.request.Action == lti.Resume }, conflict)}},
	{Name: "terminates-nothing", Proves: "ap-acs-platform-terminate", Part: OfExams, Does: "says terminated, and lets the candidate go on", Effects: []fault.Effect{does(lti.Terminate, nothing), tells(lti.Terminated, after(lti.Terminate), lti.Running)}},
	{Name: "resumes-terminated", Proves: "ap-acs-platform-terminate", Part: OfExams, Does: "resumes an attempt that was terminated", Effects: []fault.Effect{
		does(lti.Resume, func(from lti.Status) lti.Status {
			if from == lti.Terminated || from == lti.Paused {
				return lti.Running
			}
			return from
		}),
	}},
	{Name: "starts-terminated", Proves: "ap-acs-platform-terminate", Part: OfExams, Does: "starts an attempt again that was terminated", Effects: []fault.Effect{attemptRestarts.Take(true, func(a *Attempt) bool { return a.status == lti.Terminated })}},
	{Name: "leaves-extra-time-out", Proves: "ap-acs-platform-update-extra-time", Part: OfExams, Does: "does not say how much time was added", Effects: []fault.Effect{answersControl(func(a *answeredOrder) { delete(a.members, "extra_time") })}},
	{Name: "refuses-no-extra-time", Proves: "ap-acs-platform-update-extra-time", Part: OfExams, Does: "refuses to add 0 minutes", Effects: []fault.Effect{
		refusesControl("extra_time is 0", func(o *order) bool {
			minutes, is := jwt.Integer(o.object["extra_time"])
			return is && minutes == 0
		}),
	}},
	{Name: "crashes-without-extra-time", Proves: "ap-acs-platform-update-extra-time", Part: OfExams, Does: "answers 500 to an update without extra_time", Effects: []fault.Effect{
		extraTimeGiven.Lift(nil),
		refusesToObey(func(o *order, _ lti.Status) bool { return extraTimeGiven.Broken(o) != nil }, anError),
	}},
	{Name: "terminates-flagged", Proves: "ap-acs-platform-flag", Part: OfExams, Does: "terminates an attempt with an incident", Effects: []fault.Effect{
		does(lti.Flag, func(from lti.Status) lti.Status {
			if from == lti.Running || from == lti.Paused {
				return lti.Terminated
			}
			return from
		}),
	}},
	{Name: "says-paused-when-flagged", Proves: "ap-acs-platform-flag", Part: OfExams, Does: "says that an attempt with a most severe incident is paused", Effects: []fault.Effect{
		tells(lti.Paused, func(o *order) bool {
			return o.request.Action == lti.Flag && o.request.IncidentSeverity != nil && *o.request.IncidentSeverity >= 1
		}, lti.Running),
	}},
	{Name: "refuses-long-reasons", Proves: "ap-acs-platform-flag", Part: OfExams, Does: "refuses a reason_msg of more than 255 bytes", Effects: []fault.Effect{refusesControl("reason_msg is too long", func(o *order) bool { return len(o.request.ReasonMessage) > shortReason })}},
	{Name: "controls-unoffered", Proves: "ap-acs-platform-advertised-actions", Part: OfExams, Does: "does what the launch did not offer", Effects: []fault.Effect{actionOffered.Lift(nil)}},
	{Name: "takes-unknown-actions", Proves: "ap-acs-platform-advertised-actions", Part: OfExams, Does: "answers 200 to an action that does not exist", Effects: []fault.Effect{actionKnown.Lift(unknownAction), actionOffered.Lift(unknownAction)}},
	{Name: "ignores-action-case", Proves: "ap-acs-platform-advertised-actions", Part: OfExams, Does: "ignores the case of action", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			action, _ := object["action"].(string)
			if lower := strings.ToLower(action); slices.Contains(lti.Actions, lti.Action(lower)) {
				object["action"] = lower
			}
		}),
	}},
	{Name: "takes-empty-action", Proves: "ap-acs-platform-advertised-actions", Part: OfExams, Does: "answers 200 to an empty action", Effects: []fault.Effect{actionKnown.Lift(emptyAction), actionOffered.Lift(emptyAction)}},
	{Name: "says-running-before-start", Proves: "ap-acs-platform-unknown-target", Part: OfExams, Does: "says that an attempt is running which has not begun", Effects: []fault.Effect{tells(lti.Running, always, lti.None)}},

	// The Assessment Control Service: what it is asked.
	{Name: "guesses-control-target", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes the tool's latest exam where a request does not say which one", Effects: []fault.Effect{readsControl(guessedTarget)}},
	{Name: "takes-missing-control-issuer", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "obeys a control request without user.iss", Effects: []fault.Effect{
		readsControl(func(o *order, object map[string]any) {
			if user, is := object["user"].(map[string]any); is && user["iss"] == nil {
				user["iss"] = o.platform.issuer
			}
		}),
	}},
	{Name: "takes-missing-action", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes a control request without action for a flag", Effects: []fault.Effect{addsMissing("action", func(*order) any { return string(lti.Flag) })}},
	{Name: "takes-missing-incident-time", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "obeys a control request without incident_time", Effects: []fault.Effect{addsMissing("incident_time", func(o *order) any { return o.platform.opts.Now().Format(time.RFC3339) })}},
	{Name: "takes-any-incident-time", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes any text for incident_time", Effects: []fault.Effect{
		incidentTimeGiven.Lift(func(o *order) bool {
			_, isText := o.object["incident_time"].(string)
			return isText
		}),
	}},
	{Name: "takes-incident-time-numbers", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes a number for incident_time", Effects: []fault.Effect{
		incidentTimeGiven.Lift(func(o *order) bool {
			value, sent := o.object["incident_time"]
			_, isText := value.(string)
			return sent && !isText
		}),
	}},
	{Name: "takes-any-severity", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes any incident_severity", Effects: []fault.Effect{severityInRange.Lift(nil)}},
	{Name: "takes-any-extra-time", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes any extra_time", Effects: []fault.Effect{extraTimeInRange.Lift(nil)}},
	{Name: "takes-text-attempt-numbers", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes an attempt_number that is a string from the tool's server", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			text, _ := object["attempt_number"].(string)
			if _, is := jwt.Integer(json.Number(text)); is {
				object["attempt_number"] = json.Number(text)
			}
		}),
	}},
	{Name: "takes-arrays-of-one-in-control", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes an array of one in a control request for what is in it", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			for name, value := range object {
				if list, _ := value.([]any); len(list) == 1 {
					object[name] = list[0]
				}
			}
		}),
	}},
	{Name: "truncates-attempt-numbers", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes an attempt_number with a fraction for the number before the point", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			if number, is := object["attempt_number"].(json.Number); is {
				whole, _, _ := strings.Cut(number.String(), ".")
				object["attempt_number"] = json.Number(whole)
			}
		}),
	}},
	{Name: "takes-any-reason", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "takes a reason_code and a reason_msg that are no strings", Effects: []fault.Effect{reasonCodeText.Lift(nil), reasonMessageText.Lift(nil)}},
	{Name: "crashes-on-arrays-in-control", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "answers 500 to a control request with an array in it", Effects: []fault.Effect{
		controlChecked.Change(func(c checkedOrder) checkedOrder {
			for _, value := range c.object {
				if _, isArray := value.([]any); isArray {
					c.wrong = append(refusals{failure}, c.wrong...)
					break
				}
			}
			return c
		}),
	}},
	{Name: "refuses-reasons-of-updates", Proves: "ap-acs-platform-update-extra-time", Part: OfExams, Does: "refuses an update that has a reason", Effects: []fault.Effect{refusesControl("reason_msg does not belong there", func(o *order) bool { return o.request.ReasonMessage != "" && o.request.Action == lti.Update })}},
	{Name: "crashes-on-malformed-control", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "answers 500 to a control request that is no JSON object", Effects: []fault.Effect{refusesWith(http.StatusInternalServerError, forMalformed)}},
	{Name: "hides-malformed-control", Proves: "ap-acs-platform-validates-body", Part: OfExams, Does: "answers 404 to a control request that is no JSON object", Effects: []fault.Effect{refusesWith(http.StatusNotFound, forMalformed)}},
	{Name: "needs-whole-incident-times", Proves: "ap-acs-platform-incident-time", Part: OfExams, Does: "refuses an incident_time with a fraction of a second", Effects: []fault.Effect{refusesControl("incident_time has a fraction", timeIs(func(at string) bool { return strings.Contains(at, ".") }))}},
	{Name: "needs-incident-times-in-utc", Proves: "ap-acs-platform-incident-time", Part: OfExams, Does: "refuses an incident_time with an offset", Effects: []fault.Effect{refusesControl("incident_time is not in UTC", timeIs(func(at string) bool { return !strings.HasSuffix(at, "Z") }))}},
	{Name: "says-unprocessable", Conduct: true, Part: OfExams, Permitted: true, Does: "answers 422 to a control request that lacks something", Effects: []fault.Effect{
		refusesWith(http.StatusUnprocessableEntity, func(o *order, why refusal) bool {
			return why.status == http.StatusBadRequest && o.object != nil && o.attempt == nil
		}),
	}},
	{Name: "ignores-control-issuer", Proves: "ap-acs-platform-unknown-target", Part: OfExams, Does: "does not look at user.iss", Effects: []fault.Effect{targetIssuer.Lift(nil)}},
	{Name: "ignores-control-link", Proves: "ap-acs-platform-unknown-target", Part: OfExams, Does: "does not look at resource_link of a control request", Effects: []fault.Effect{
		finds(func(o *order, l *Launch, said statement) bool {
			asked := o.names()
			return l.plan.ClientID == o.known.clientID && said.sub == asked.sub && said.attemptNumber == asked.attemptNumber
		}),
	}},
	{Name: "ignores-control-attempt", Proves: "ap-acs-platform-unknown-target", Part: OfExams, Does: "does not look at attempt_number of a control request", Effects: []fault.Effect{
		finds(func(o *order, l *Launch, said statement) bool {
			asked := o.names()
			return l.plan.ClientID == o.known.clientID && said.sub == asked.sub && said.linkID == asked.linkID
		}),
	}},
	{Name: "answers-unknown-targets", Proves: "ap-acs-platform-unknown-target", Part: OfExams, Does: "answers 200 for an attempt that does not exist", Effects: []fault.Effect{
		controlRefused.Change(func(r refusedOrder) refusedOrder {
			if r.wrong[0].status == http.StatusNotFound {
				r.wrong, r.response.Status = nil, lti.None
			}
			return r
		}),
	}},
	{Name: "crashes-on-unknown-target", Proves: "ap-acs-platform-unknown-target", Part: OfExams, Does: "answers 500 for an attempt that does not exist", Effects: []fault.Effect{refusesWith(http.StatusInternalServerError, forStatus(http.StatusNotFound))}},
	{Name: "says-bad-request-for-target", Conduct: true, Part: OfExams, Permitted: true, Does: "answers 400 for an attempt that does not exist", Effects: []fault.Effect{refusesWith(http.StatusBadRequest, forStatus(http.StatusNotFound))}},
	{Name: "refuses-control-of-ended", Conduct: true, Part: OfExams, Permitted: true, Does: "answers 409 for an attempt that is not under way", Effects: []fault.Effect{refusesToObey(func(_ *order, status lti.Status) bool { return status != lti.Running && status != lti.Paused }, conflict)}},

	// The Assessment Control Service: form.
	{Name: "answers-control-as-json", Proves: "ap-acs-platform-response-form", Part: OfExams, Does: "answers control requests as application/json", Effects: []fault.Effect{answersControl(func(a *answeredOrder) { a.mediaType = jsonMediaType })}},
	{Name: "answers-control-as-text", Proves: "ap-acs-platform-response-form", Part: OfExams, Does: "answers control requests as text/plain", Effects: []fault.Effect{answersControl(func(a *answeredOrder) { a.mediaType = "text/plain" })}},
	{Name: "says-suspended", Proves: "ap-acs-platform-response-form", Part: OfExams, Does: "says that an attempt is suspended which is paused", Effects: []fault.Effect{
		answersControl(func(a *answeredOrder) {
			if a.members["status"] == lti.Paused {
				a.members["status"] = "suspended"
			}
		}),
	}},
	{Name: "says-extra-time-as-text", Proves: "ap-acs-platform-response-form", Part: OfExams, Does: "sends extra_time as a string", Effects: []fault.Effect{
		answersControl(func(a *answeredOrder) {
			if minutes, sent := a.members["extra_time"]; sent {
				a.members["extra_time"] = fmt.Sprint(minutes)
			}
		}),
	}},
	{Name: "refuses-control-charset", Proves: "ap-acs-platform-accepts-media-type", Part: OfExams, Does: "refuses a control request whose media type has a charset", Effects: []fault.Effect{refusesType(func(name, sent string) bool { return name == lti.MediaTypeControl && strings.Contains(sent, ";") })}},
	{Name: "compares-media-type-case", Proves: "ap-acs-platform-accepts-media-type", Part: OfExams, Does: "refuses a control request whose media type is in upper case", Effects: []fault.Effect{refusesType(func(name, sent string) bool {
		return name == lti.MediaTypeControl && sent != name && !strings.Contains(sent, ";")
	})}},
	{Name: "refuses-control-as-json", Conduct: true, Part: OfExams, Permitted: true, Does: "refuses a control request that is application/json", Effects: []fault.Effect{refusesType(func(name, _ string) bool { return name == jsonMediaType })}},
	{Name: "takes-any-media-type", Proves: "ap-acs-platform-accepts-media-type", Part: OfExams, Does: "takes a control request of any media type", Effects: []fault.Effect{controlMediaType.Lift(nil)}},
	{Name: "says-bad-request-for-media-type", Proves: "ap-acs-platform-accepts-media-type", Part: OfExams, Does: "answers 400 instead of 415 to another media type", Effects: []fault.Effect{refusesWith(http.StatusBadRequest, forStatus(http.StatusUnsupportedMediaType))}},
	{Name: "controls-by-put", Proves: "ap-acs-platform-accepts-media-type", Part: OfExams, Does: "takes a control request by PUT", Effects: []fault.Effect{controlByPost.Lift(func(o *order) bool { return o.Method == http.MethodPut })}},
	{Name: "hides-control-by-method", Proves: "ap-acs-platform-accepts-media-type", Part: OfExams, Does: "answers 404 to control requests by other methods", Effects: []fault.Effect{refusesWith(http.StatusNotFound, func(o *order, _ refusal) bool { return o.Method != http.MethodPost })}},
}
