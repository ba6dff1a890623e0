package fakeplatform

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What is checked of a request for an access token, in the order in which it is told: how it
// was sent and what for, whom it names, that the client assertion is that client's, and what
// may be granted. The assertion is checked of a client that is known.
var (
	tokenRequestRules = &fault.List[*application]{Name: "a request for an access token", Rules: []*fault.Rule[*application]{
		tokenRequestByPost, tokenRequestAsForm, tokenParametersOnce, grantTypeGiven, grantTypeClientCredentials,
	}}
	clientRules = &fault.List[*application]{Name: "the client that asks for an access token", Rules: []*fault.Rule[*application]{
		assertionTypeJWT, assertionReadable, assertionIssuerKnown, assertionSubjectIsClient, clientIDOfAssertion,
	}}
	assertionRules = &fault.List[*application]{Name: "a client assertion", Rules: []*fault.Rule[*application]{
		assertionSigned, assertionForPlatform, assertionExpires, assertionNotExpired, assertionExpiresSoon, jtiGiven, jtiUnused,
	}}
	scopeRules = &fault.List[*application]{Name: "the scopes that are asked for", Rules: []*fault.Rule[*application]{scopeGrantable}}
)

// How it is sent, and what for (RFC 6749, 3.2 and 4.4.2; Security Framework 1.0, 4.1.1).
var (
	tokenRequestByPost = &fault.Rule[*application]{Name: "the request is a POST", Broken: func(a *application) error {
		if a.Method != http.MethodPost {
			return part.Refuse(http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, "the request is a "+a.Method+" instead of a POST")
		}
		return nil
	}}
	tokenRequestAsForm = &fault.Rule[*application]{Name: "the body is a form", Broken: func(a *application) error {
		if part.MediaType(a.Request) != part.FormMediaType {
			return part.InvalidRequest("the content type is %.100q instead of %s", a.Header.Get("Content-Type"), part.FormMediaType)
		}
		return nil
	}}
	tokenParametersOnce = &fault.Rule[*application]{Name: "no parameter is repeated", Broken: func(a *application) error {
		var repeated []error
		for _, name := range slices.Sorted(maps.Keys(a.form)) {
			if n := len(a.form[name]); n > 1 {
				repeated = append(repeated, part.InvalidRequest("%.100s occurs %d times", name, n))
			}
		}
		return errors.Join(repeated...)
	}}
	grantTypeGiven = &fault.Rule[*application]{Name: "grant_type is given", Broken: func(a *application) error {
		if a.form.Get(lti.ParamGrantType) == "" {
			return part.InvalidRequest("grant_type is missing")
		}
		return nil
	}}
	grantTypeClientCredentials = &fault.Rule[*application]{Name: "grant_type is client_credentials", Broken: func(a *application) error {
		if grant := a.form.Get(lti.ParamGrantType); grant != "" && grant != lti.GrantClientCredentials {
			return part.Refuse(http.StatusBadRequest, lti.ErrorUnsupportedGrantType, "grant_type is not "+lti.GrantClientCredentials)
		}
		return nil
	}}
)

// Whom the request names (RFC 7523, 2.2 and 3).
var (
	assertionTypeJWT = &fault.Rule[*application]{Name: "client_assertion_type is that of a JWT", Broken: func(a *application) error {
		if a.form.Get(lti.ParamClientAssertionType) != lti.AssertionTypeJWT {
			return invalidClient("client_assertion_type is not " + lti.AssertionTypeJWT)
		}
		return nil
	}}
	assertionReadable = &fault.Rule[*application]{Name: "client_assertion is a JWT", Broken: func(a *application) error {
		if !a.readable() {
			return invalidClient("client_assertion is missing or no JWT")
		}
		return nil
	}}
	assertionIssuerKnown = &fault.Rule[*application]{Name: "iss is the client_id of a tool", Broken: func(a *application) error {
		if a.readable() && !a.platform.isClient(a.clientID) {
			return invalidClient("iss is the client_id of no tool")
		}
		return nil
	}}
	assertionSubjectIsClient = &fault.Rule[*application]{Name: "sub is the client_id", Broken: func(a *application) error {
		if a.readable() && a.assertion.Claims["sub"] != a.clientID {
			return invalidClient("sub is not the client_id")
		}
		return nil
	}}
	clientIDOfAssertion = &fault.Rule[*application]{Name: "client_id is that of the assertion", Broken: func(a *application) error {
		if a.readable() && a.form.Has(lti.ParamClientID) && a.form.Get(lti.ParamClientID) != a.clientID {
			return invalidClient("client_id is not that of the assertion")
		}
		return nil
	}}
)

// That the assertion is the client's, for this platform, and a new one (RFC 7523, 3;
// Security Framework 1.0, 4.1.1).
var (
	assertionSigned = &fault.Rule[*application]{Name: "the assertion is signed by the client", Broken: func(a *application) error {
		err := a.platform.toolKeys.Verify(a.Context(), jwt.Assertion, a.assertion, a.clientID)
		if errors.Is(err, jwt.ErrNoKeySet) {
			a.platform.unplanned(a.Request, jwt.ErrNoKeySet.Error())
		}
		if err != nil {
			return invalidClient(err.Error())
		}
		return nil
	}}
	assertionForPlatform = &fault.Rule[*application]{Name: "aud names the token endpoint", Broken: func(a *application) error {
		if !a.forPlatform() {
			return invalidClient("aud does not name this token endpoint")
		}
		return nil
	}}
	assertionExpires = &fault.Rule[*application]{Name: "exp is a time", Broken: func(a *application) error {
		if _, is := jwt.Instant(a.assertion.Claims["exp"]); !is {
			return invalidClient("exp is missing or no time")
		}
		return nil
	}}
	assertionNotExpired = &fault.Rule[*application]{Name: "exp has not passed", Broken: func(a *application) error {
		if exp, is := jwt.Instant(a.assertion.Claims["exp"]); is && a.platform.opts.Now().After(exp.Add(jwt.Leeway)) {
			return invalidClient("the assertion has expired")
		}
		return nil
	}}
	assertionExpiresSoon = &fault.Rule[*application]{Name: "exp is near", Broken: func(a *application) error {
		if exp, is := jwt.Instant(a.assertion.Claims["exp"]); is && exp.After(a.platform.opts.Now().Add(jwt.Oldest)) {
			return invalidClient("exp lies more than a day ahead")
		}
		return nil
	}}
	jtiGiven = &fault.Rule[*application]{Name: "jti is given", Broken: func(a *application) error {
		if a.jti() == "" {
			return invalidClient("jti is missing or empty")
		}
		return nil
	}}
	jtiUnused = &fault.Rule[*application]{Name: "jti has not been used", Broken: func(a *application) error {
		a.platform.mu.Lock()
		defer a.platform.mu.Unlock()
		if a.jti() != "" && a.platform.assertions.Used(a.clientID, a.jti()) {
			return invalidClient(usedJTI)
		}
		return nil
	}}
	// jtiTaken notes that the assertion is used, once.
	jtiTaken = &fault.Rule[*application]{Name: "jti is not used meanwhile", Broken: func(a *application) error {
		exp, _ := jwt.Instant(a.assertion.Claims["exp"])
		p := a.platform
		p.mu.Lock()
		defer p.mu.Unlock()
		if a.jti() != "" && p.assertions.Used(a.clientID, a.jti()) {
			return invalidClient(usedJTI)
		}
		p.assertions.Add(a.clientID, a.jti(), p.opts.Now(), exp.Add(jwt.Leeway))
		return nil
	}}
)

// usedJTI is why an assertion is refused that was used.
const usedJTI = "jti has been used already"

// A scope that there is not is left out, unless it is the only one (RFC 6749, 3.3 and 5.2).
var scopeGrantable = &fault.Rule[*application]{Name: "scope names something that is granted", Broken: func(a *application) error {
	if len(a.scopes) == 0 {
		return part.Refuse(http.StatusBadRequest, lti.ErrorInvalidScope, "scope names nothing that this platform grants")
	}
	return nil
}}

func invalidClient(says string) error {
	return part.Refuse(http.StatusUnauthorized, lti.ErrorInvalidClient, says)
}

// readable says whether the assertion is a JWT.
func (a *application) readable() bool { return a.assertion.Readable() }

func (a *application) jti() string {
	return a.assertion.Text("jti")
}

// forPlatform says whether aud names this token endpoint, or the platform.
func (a *application) forPlatform() bool {
	p := a.platform
	names := []string{p.TokenURL(), p.opts.URL + TokenPath, p.issuer}
	if p.opts.SignedIn == nil { // it is reached under more names than one, such as localhost and 127.0.0.1
		names = append(names, reachedAt(a.Request)...)
	}
	aud := jwt.Audiences(a.assertion.Claims["aud"])
	return slices.ContainsFunc(names, func(own string) bool { return slices.Contains(aud, own) })
}

// reachedAt are the addresses by which a request has come.
func reachedAt(r *http.Request) []string {
	return []string{"http://" + r.Host + r.URL.Path, "https://" + r.Host + r.URL.Path}
}

// grantedScopes are those that a tool may have.
var grantedScopes = scopesOf(parts)

// asked are the scopes that are asked for.
func (a *application) asked() []string { return a.ofPart().Asked() }

// grantable are the scopes of those that there are, each once.
func (a *application) grantable() []string {
	var scopes []string
	for _, scope := range a.asked() {
		if slices.Contains(grantedScopes, scope) && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// formProblems holds the form of a token request against Security Framework 1.0,
// 4.1.1.
func (a *application) formProblems() []string {
	var found []string
	is := func(name, got, wanted string) {
		if got != wanted {
			found = append(found, fmt.Sprintf("%s is %.100q instead of %q", name, got, wanted))
		}
	}
	is("the method", a.Method, http.MethodPost)
	is("the content type", part.MediaType(a.Request), part.FormMediaType)
	is(lti.ParamGrantType, a.form.Get(lti.ParamGrantType), lti.GrantClientCredentials)
	is(lti.ParamClientAssertionType, a.form.Get(lti.ParamClientAssertionType), lti.AssertionTypeJWT)
	if a.assertion.Header == nil || a.assertion.Claims == nil {
		found = append(found, lti.ParamClientAssertion+" is missing or no JWT")
	}
	if len(strings.Fields(a.form.Get(lti.ParamScope))) == 0 {
		found = append(found, lti.ParamScope+" is missing or empty")
	}
	for _, name := range slices.Sorted(maps.Keys(a.form)) {
		if len(a.form[name]) > 1 {
			found = append(found, fmt.Sprintf("%.100s occurs %d times", name, len(a.form[name])))
		}
	}
	if a.form.Has("client_secret") {
		found = append(found, "there is a client_secret")
	}
	if a.Header.Get("Authorization") != "" {
		found = append(found, "there is an Authorization header")
	}
	return found
}

func (p *Platform) isClient(clientID string) bool {
	_, known := p.registrationOf(clientID)
	return known
}

// What passes the seams of the token endpoint.
type (
	readApplication struct{ application }
	// judgedApplication is one of which is known what is wrong with it, and what is answered
	// at once instead.
	judgedApplication struct {
		*application
		instead http.HandlerFunc
	}
	// refusedApplication is one that is granted nothing.
	refusedApplication struct {
		*application
		why     part.Refusal
		instead http.HandlerFunc
	}
)

// The seams of the token endpoint.
var (
	tokenRequestRead   = &fault.Seam[readApplication]{Name: "a request for an access token as it is read"}
	tokenRequestJudged = &fault.Seam[judgedApplication]{Name: "a request for an access token that was judged"}
	tokenRefused       = &fault.Seam[refusedApplication]{Name: "the refusal of an access token"}
	accessTokenMade    = &fault.Seam[string]{Name: "an access token"}
)
