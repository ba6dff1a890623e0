package fakeplatform

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// tokenDefects are the defects of the token endpoint, and what is unusual, but allowed.
var tokenDefects = []Fault{

	// Access tokens: what is granted.
	{Name: "allows-storing-access-tokens", Proves: "sec-token-response", Part: AccessTokens, Does: "says nothing of storing access tokens but that they are private", Effects: []fault.Effect{
		part.GrantSent.Change(func(g part.GrantAnswer) part.GrantAnswer {
			g.Caching = "private"
			return g
		}),
	}},
	{Name: "labels-access-tokens-as-page", Proves: "sec-token-response", Part: AccessTokens, Does: "says that the JSON of an access token is text/html", Effects: []fault.Effect{
		part.GrantSent.Change(func(g part.GrantAnswer) part.GrantAnswer {
			g.MediaType = pageMediaType
			return g
		}),
	}},
	{Name: "labels-token-errors-as-page", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "says that the JSON of a token request's error is text/html", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why part.Refusal) {
		part.Send(w, why.Status, pageMediaType, errorOf(why.Code))
	})}},
	{Name: "makes-up-token-errors", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "answers malformed token requests with error codes of its own", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why part.Refusal) {
		part.Send(w, why.Status, jsonMediaType, errorOf("token_request_failed"))
	})}},
	{Name: "omits-granted-scope", Proves: "sec-token-scope-limits", Part: AccessTokens, Does: "does not say which scopes it grants, even where they are fewer than were asked for", Effects: []fault.Effect{part.SaysOfGrant(func(_ part.Application, members map[string]any) { delete(members, lti.ParamScope) })}},
	{Name: "omits-scope-as-asked", Proves: "sec-token-response", Part: AccessTokens, Does: "does not say which scopes it grants where they are those that were asked for", Effects: []fault.Effect{
		part.SaysOfGrant(func(a part.Application, members map[string]any) {
			if len(a.Scopes) == len(a.Asked()) {
				delete(members, lti.ParamScope)
			}
		}),
	}},
	{Name: "says-other-token-type", Proves: "sec-token-response", Part: AccessTokens, Does: "says that its access tokens are of type mac", Effects: []fault.Effect{part.SaysOfGrant(func(_ part.Application, members map[string]any) { members["token_type"] = "mac" })}},
	{Name: "leaves-expires-in-out", Proves: "sec-token-response", Part: AccessTokens, Does: "does not say when access tokens expire", Effects: []fault.Effect{part.SaysOfGrant(func(_ part.Application, members map[string]any) { delete(members, "expires_in") })}},
	{Name: "refuses-unknown-claims-of-assertions", Proves: "sec-token-response", Part: AccessTokens, Does: "refuses an assertion with claims that it does not know", Effects: []fault.Effect{refusesClaim("vendor_note", "the assertion has a claim that is unknown")}},
	{Name: "refuses-charset-of-token-requests", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "refuses a request for an access token whose media type has a charset", Effects: []fault.Effect{
		tokenRequestRules.Add(func(a *application) error {
			if strings.Contains(a.Header.Get("Content-Type"), ";") {
				return part.InvalidRequest("the content type has parameters")
			}
			return nil
		}),
	}},
	{Name: "says-expires-in-as-text", Proves: "sec-token-response", Part: AccessTokens, Does: "sends expires_in as a string", Effects: []fault.Effect{part.SaysOfGrant(func(_ part.Application, members map[string]any) {
		members["expires_in"] = fmt.Sprint(members["expires_in"])
	})}},
	{Name: "makes-short-access-tokens", Proves: "sec-token-response", Part: AccessTokens, Does: "makes access tokens of 12 characters", Effects: []fault.Effect{accessTokenMade.Change(func(token string) string { return token[:12] })}},
	{Name: "grants-nobody", Proves: "sec-token-response", Part: AccessTokens, Does: "trusts no client assertion", Effects: []fault.Effect{scopeRules.Add(func(*application) error { return invalidClient("the client assertion is not trusted") })}},
	{Name: "crashes-on-token-requests", Proves: "ap-platform-rejects-message-type-confusion", Part: AccessTokens, Does: "answers 500 to every token request", Effects: []fault.Effect{
		tokenRequestJudged.ChangeWhen(always, func(j judgedApplication) judgedApplication {
			j.instead = func(w http.ResponseWriter, _ *http.Request) { crash(w) }
			return j
		}),
	}},
	{Name: "refuses-several-scopes", Proves: "sec-token-response", Part: AccessTokens, Does: "grants nothing where two scopes are asked for", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			if len(a.Scopes) > 1 {
				return nil
			}
			return a.Scopes
		}),
	}},
	{Name: "grants-unknown-scopes", Proves: "sec-token-scope-limits", Part: AccessTokens, Does: "grants scopes that there are not", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			scopes := a.Scopes
			for _, scope := range a.Asked() {
				if !slices.Contains(scopes, scope) {
					scopes = append(scopes, scope)
				}
			}
			return scopes
		}),
	}},
	{Name: "grants-without-scope", Proves: "sec-token-scope-limits", Part: AccessTokens, Does: "grants every scope where none is asked for", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			if !a.Form.Has(lti.ParamScope) {
				return slices.Clone(grantedScopes)
			}
			return a.Scopes
		}),
	}},

	// Access tokens: who gets one.
	{Name: "answers-token-errors-with-200", Proves: "sec-token-scope-limits", Part: AccessTokens, Does: "reports the errors of token requests with 200", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why part.Refusal) {
		part.Send(w, http.StatusOK, jsonMediaType, errorOf(why.Code))
	})}},
	{Name: "shows-token-errors-as-pages", Proves: "sec-token-scope-limits", Part: AccessTokens, Does: "reports the errors of token requests as pages", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why part.Refusal) { refuse(w, why.Status, why.Says) })}},
	{Name: "forbids-token-errors", Proves: "sec-token-scope-limits", Part: AccessTokens, Does: "reports the errors of token requests with 403", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, why part.Refusal) {
		part.Send(w, http.StatusForbidden, jsonMediaType, errorOf(why.Code))
	})}},
	{Name: "forbids-with-made-up-errors", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "reports the errors of token requests with 403 and codes of its own", Effects: []fault.Effect{refusesTokens(always, func(w http.ResponseWriter, _ part.Refusal) {
		part.Send(w, http.StatusForbidden, jsonMediaType, errorOf("forbidden"))
	})}},
	{Name: "ignores-assertion-audience", Proves: "sec-token-assertion-aud", Part: AccessTokens, Does: "does not look at aud of a client assertion", Effects: []fault.Effect{assertionForPlatform.Lift(nil)}},
	{Name: "takes-assertions-without-audience", Proves: "sec-token-assertion-aud", Part: AccessTokens, Does: "takes a client assertion without aud", Effects: []fault.Effect{assertionForPlatform.Lift(func(a *application) bool { return len(jwt.Audiences(a.assertion.Claims["aud"])) == 0 })}},
	{Name: "takes-client-for-audience", Proves: "sec-token-assertion-aud", Part: AccessTokens, Does: "takes a client assertion whose aud is the client_id", Effects: []fault.Effect{assertionForPlatform.Lift(func(a *application) bool {
		return slices.Contains(jwt.Audiences(a.assertion.Claims["aud"]), a.clientID)
	})}},
	{Name: "refuses-assertion-audience-arrays", Proves: "sec-token-assertion-aud", Part: AccessTokens, Does: "refuses a client assertion whose aud is an array", Effects: []fault.Effect{
		assertionRules.Add(func(a *application) error {
			if _, isText := a.assertion.Claims["aud"].(string); !isText && a.forPlatform() {
				return invalidClient("aud is no string")
			}
			return nil
		}),
	}},
	{Name: "ignores-assertion-issuer", Proves: "core-token-assertion-iss-sub", Part: AccessTokens, Does: "goes by sub of a client assertion alone", Effects: []fault.Effect{
		tokenRequestRead.Change(func(r readApplication) readApplication {
			if sub, _ := r.assertion.Claims["sub"].(string); r.platform.isClient(sub) && r.clientID != "" && !r.platform.isClient(r.clientID) {
				r.clientID = sub
			}
			return r
		}),
	}},
	{Name: "ignores-assertion-subject", Proves: "core-token-assertion-iss-sub", Part: AccessTokens, Does: "goes by iss of a client assertion alone", Effects: []fault.Effect{assertionSubjectIsClient.Lift(nil)}},
	{Name: "refuses-deployment-in-assertion", Proves: "core-token-assertion-iss-sub", Part: AccessTokens, Does: "refuses a client assertion with a deployment_id", Effects: []fault.Effect{refusesClaim(lti.ClaimDeploymentID, "the assertion has a deployment_id")}},
	{Name: "ignores-assertion-expiry", Proves: "sec-token-assertion-expired", Part: AccessTokens, Does: "takes a client assertion that has expired", Effects: []fault.Effect{assertionNotExpired.Lift(nil)}},
	{Name: "takes-assertions-without-expiry", Proves: "sec-token-assertion-expired", Part: AccessTokens, Does: "takes a client assertion without exp", Effects: []fault.Effect{assertionExpires.Lift(nil)}},
	{Name: "needs-whole-issue-time-of-assertions", Proves: "rfc7519-token-assertion-numeric-date", Part: AccessTokens, Does: "refuses a client assertion whose iat has a fraction of a second", Effects: []fault.Effect{needsWhole("iat")}},
	{Name: "needs-whole-expiry-of-assertions", Proves: "rfc7519-token-assertion-numeric-date", Part: AccessTokens, Does: "refuses a client assertion whose exp has a fraction of a second", Effects: []fault.Effect{needsWhole("exp")}},
	{Name: "needs-whole-not-before-of-assertions", Proves: "rfc7519-token-assertion-numeric-date", Part: AccessTokens, Does: "refuses a client assertion whose nbf has a fraction of a second", Effects: []fault.Effect{needsWhole("nbf")}},
	{Name: "takes-assertions-without-jti", Proves: "sec-token-assertion-jti", Part: AccessTokens, Does: "takes a client assertion without jti", Effects: []fault.Effect{jtiGiven.Lift(nil)}},
	{Name: "reuses-assertions", Proves: "sec-token-assertion-jti", Part: AccessTokens, Does: "takes a client assertion twice", Effects: []fault.Effect{jtiUnused.Lift(nil), jtiTaken.Lift(nil)}},
	{Name: "notes-assertions-late", Proves: "sec-token-assertion-jti", Part: AccessTokens, Does: "takes a client assertion twice that comes twice at the same time", Effects: []fault.Effect{awaitsTwin, jtiUnused.Lift(hasTwin), jtiTaken.Lift(hasTwin)}},
	{Name: "crashes-on-assertion-twins", Proves: "sec-token-assertion-jti", Part: AccessTokens, Does: "answers 500 to the second of two requests with one client assertion that come at the same time", Effects: []fault.Effect{awaitsTwin, refusesTokens(func(r refusedApplication) bool { return r.why.Says == usedJTI && hasTwin(r.application) }, crashes)}},
	{Name: "ignores-assertion-signature", Proves: "sec-token-assertion-signature", Part: AccessTokens, Does: "does not verify the signature of a client assertion", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.Readable, jwt.Readable)}},
	{Name: "takes-unsigned-assertions", Proves: "sec-token-assertion-signature", Part: AccessTokens, Does: "takes a client assertion with alg none", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.WithoutAlg, jwt.WithoutAlg)}},
	{Name: "takes-assertions-with-hmac", Proves: "sec-token-assertion-signature", Part: AccessTokens, Does: "verifies a client assertion as an HMAC keyed with the tool's public key where the header says so", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.WithHMAC, jwt.FitsPublicKey)}},
	{Name: "takes-keys-of-other-tools", Proves: "sec-token-assertion-signature", Part: AccessTokens, Does: "verifies a client assertion with the keys of every tool", Effects: []fault.Effect{jwt.Trusts(jwt.Assertion, jwt.Signed, jwt.OfOtherTool)}},
	{Name: "fetches-tool-keys-once", Proves: "sec-token-key-rotation", Part: AccessTokens, Does: "fetches a tool's key set once", Effects: []fault.Effect{jwt.FetchesOnce}},
	{Name: "ignores-grant-type", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "takes any grant_type for client_credentials", Effects: []fault.Effect{grantTypeClientCredentials.Lift(nil)}},
	{Name: "takes-missing-grant-type", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "takes a token request without grant_type", Effects: []fault.Effect{grantTypeGiven.Lift(nil)}},
	{Name: "crashes-without-grant-type", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "answers 500 to a token request without grant_type", Effects: []fault.Effect{refusesTokens(func(r refusedApplication) bool { return r.Method == http.MethodPost && !r.form.Has(lti.ParamGrantType) }, crashes)}},
	{Name: "ignores-assertion-type", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "does not look at client_assertion_type", Effects: []fault.Effect{assertionTypeJWT.Lift(nil)}},
	{Name: "crashes-on-malformed-assertion", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "answers 500 to a client assertion that is no JWT", Effects: []fault.Effect{refusesTokens(func(r refusedApplication) bool {
		return r.form.Has(lti.ParamClientAssertion) && r.assertion.Claims == nil
	}, crashes)}},
	{Name: "takes-token-requests-by-get", Proves: "rfc6749-token-request-form", Part: AccessTokens, Does: "takes a token request by GET", Effects: []fault.Effect{
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
}
