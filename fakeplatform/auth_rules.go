package fakeplatform

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// authRules are what is checked of an authentication request, in the order in which it is
// told (Security Framework 1.0, 5.1.1.2; OpenID Connect Core 1.0, 3.1.2.1 and 3.1.2.6).
var authRules = &fault.List[*authRequest]{Name: "an authentication request", Rules: []*fault.Rule[*authRequest]{
	messageOfUser,
	scopeOnce, responseTypeOnce, responseModeOnce, promptOnce, clientIDOnce, redirectURIOnce, loginHintOnce, nonceOnce,
	asksForIDToken, asksForFormPost, asksForNoPrompt,
	clientOfLaunch, loginHintOfLaunch,
	stateNotRepeated, messageHintNotRepeated,
	messageHintOfLaunch,
	scopeWithOpenID, nonceGiven,
	redirectURIRegistered,
	userSignedIn,
}}

// Each parameter occurs once (RFC 6749, 3.1). What is missing has an error code of its own
// where there is one (OpenID Connect Core 1.0, 3.1.2.6).
var (
	scopeOnce        = once(lti.ParamScope, lti.ErrorInvalidScope)
	responseTypeOnce = once(lti.ParamResponseType, lti.ErrorUnsupportedResponseType)
	responseModeOnce = once(lti.ParamResponseMode, lti.ErrorInvalidRequest)
	promptOnce       = once(lti.ParamPrompt, lti.ErrorInvalidRequest)
	clientIDOnce     = once(lti.ParamClientID, lti.ErrorInvalidRequest)
	redirectURIOnce  = once(lti.ParamRedirectURI, lti.ErrorInvalidRequest)
	loginHintOnce    = once(lti.ParamLoginHint, lti.ErrorLoginRequired)
	nonceOnce        = once(lti.ParamNonce, lti.ErrorInvalidRequest)

	// These may be missing.
	stateNotRepeated       = notRepeated(lti.ParamState)
	messageHintNotRepeated = notRepeated(lti.ParamMessageHint)
)

// What has one value only (Security Framework 1.0, 5.1.1.2).
var (
	asksForIDToken  = valueIs(lti.ParamResponseType, lti.ErrorUnsupportedResponseType, lti.ResponseTypeIDToken)
	asksForFormPost = valueIs(lti.ParamResponseMode, lti.ErrorInvalidRequest, lti.ResponseModeFormPost)
	asksForNoPrompt = valueIs(lti.ParamPrompt, lti.ErrorInvalidRequest, lti.PromptNone)
)

var (
	// lti_message_hint goes back as it came (LTI Core 1.3, 4.1.1).
	messageOfUser = &fault.Rule[*authRequest]{Name: "the launch is one of the user who is signed in", Broken: func(q *authRequest) error {
		if q.launch != nil && q.account != "" && !q.sameBrowser {
			return part.InvalidRequest("lti_message_hint is that of another user's launch")
		}
		return nil
	}}
	messageHintOfLaunch = &fault.Rule[*authRequest]{Name: "lti_message_hint is that of the login initiation", Broken: func(q *authRequest) error {
		if q.launch == nil || q.params.Get(lti.ParamMessageHint) != q.launch.login.Params.Get(lti.ParamMessageHint) && !q.othersHint {
			return part.InvalidRequest("lti_message_hint is not the one of the login initiation")
		}
		return nil
	}}
	// The client is the tool that the launch is for (Security Framework 1.0, 5.1.1.2).
	clientOfLaunch = &fault.Rule[*authRequest]{Name: "client_id is that of the launch", Broken: func(q *authRequest) error {
		if q.launch == nil || q.known {
			return nil
		}
		return q.wants(lti.ParamClientID, lti.ErrorInvalidRequest, q.launch.plan.ClientID)
	}}
	// login_hint is that of the login initiation (Security Framework 1.0, 5.1.1.2).
	loginHintOfLaunch = &fault.Rule[*authRequest]{Name: "login_hint is that of the login initiation", Broken: func(q *authRequest) error {
		if q.launch == nil {
			return nil
		}
		return q.wants(lti.ParamLoginHint, lti.ErrorLoginRequired, q.launch.login.Params.Get(lti.ParamLoginHint))
	}}
	// The scope openid makes it a request of OpenID Connect (OpenID Connect Core 1.0, 3.1.2.1).
	scopeWithOpenID = &fault.Rule[*authRequest]{Name: "scope contains openid", Broken: func(q *authRequest) error {
		scope := q.params.Get(lti.ParamScope)
		if len(q.params[lti.ParamScope]) == 1 && !slices.Contains(strings.Fields(scope), lti.ScopeOpenID) {
			return &part.Refusal{Code: lti.ErrorInvalidScope, Says: fmt.Sprintf("scope %q does not contain openid", scope)}
		}
		return nil
	}}
	// The nonce is what the id_token is bound to (Security Framework 1.0, 5.1.1.2).
	nonceGiven = &fault.Rule[*authRequest]{Name: "nonce is not empty", Broken: func(q *authRequest) error {
		if len(q.params[lti.ParamNonce]) == 1 && q.params.Get(lti.ParamNonce) == "" {
			return part.InvalidRequest("nonce is empty")
		}
		return nil
	}}
	// redirect_uri is compared by simple string comparison (OpenID Connect Core 1.0, 3.1.2.1).
	redirectURIRegistered = &fault.Rule[*authRequest]{Name: "redirect_uri is registered", Broken: func(q *authRequest) error {
		uri := q.params.Get(lti.ParamRedirectURI)
		if len(q.params[lti.ParamRedirectURI]) == 1 && !slices.Contains(q.registration.RedirectURIs, uri) {
			return part.InvalidRequest("redirect_uri %q is not registered", uri)
		}
		return nil
	}}
	// With prompt=none nobody can sign in meanwhile (OpenID Connect Core 1.0, 3.1.2.6).
	userSignedIn = &fault.Rule[*authRequest]{Name: "the user is signed in", Broken: func(q *authRequest) error {
		signedIn := q.beganLaunch
		if q.platform.opts.SignedIn != nil {
			// Where nothing tells whose launch it was to be, that is the message hint's fault.
			signedIn = q.launch == nil && q.account != "" || q.launch != nil && q.account == q.launch.plan.Account
		}
		if !signedIn {
			return &part.Refusal{Code: lti.ErrorLoginRequired, Says: "the browser has no session of the user that login_hint designates"}
		}
		return nil
	}}
)

// answerRules say whether a request is answered, be it with an error (RFC 6749, 3.1.2.4 and
// 4.1.2.1). The user is told otherwise.
var answerRules = &fault.List[*authRequest]{Name: "where the answer goes", Rules: []*fault.Rule[*authRequest]{
	clientKnown, oneRedirectURI, answerRegistered,
}}

var (
	clientKnown = &fault.Rule[*authRequest]{Name: "client_id is that of the launch", Broken: func(q *authRequest) error {
		if !q.known {
			return part.InvalidRequest("client_id is not that of the launch")
		}
		return nil
	}}
	// With two of them nobody can say which one is meant.
	oneRedirectURI = &fault.Rule[*authRequest]{Name: "there is one redirect_uri", Broken: func(q *authRequest) error {
		uris := q.params[lti.ParamRedirectURI]
		if slices.ContainsFunc(uris, func(uri string) bool { return uri != uris[0] }) {
			return part.InvalidRequest("there are several redirect_uri")
		}
		return nil
	}}
	answerRegistered = &fault.Rule[*authRequest]{Name: "what is sent goes to a registered redirect_uri", Broken: func(q *authRequest) error {
		first := *q
		first.params = url.Values{lti.ParamRedirectURI: {q.params.Get(lti.ParamRedirectURI)}}
		return redirectURIRegistered.Check(q.platform.carrier, &first)
	}}
)

var (
	// A launch is answered once, but for requests of somebody else, which are refused as if
	// there had been no other.
	answeredOnce = &fault.Rule[*authRequest]{Name: "the launch has not been answered", Broken: func(q *authRequest) error {
		q.launch.mu.Lock()
		defer q.launch.mu.Unlock()
		if q.launch.form != nil && (q.sameBrowser || q.platform.opts.SignedIn == nil) {
			return part.InvalidRequest("%s", errGone)
		}
		return nil
	}}
	takenOnce = &fault.Rule[*authRequest]{Name: "no other request of the launch is being answered", Broken: func(q *authRequest) error {
		if !q.launch.take() {
			return part.InvalidRequest("%s", errGone)
		}
		return nil
	}}
)

// once is the rule that a parameter occurs once, with the error code that says that it is
// missing.
func once(name, missing string) *fault.Rule[*authRequest] {
	return &fault.Rule[*authRequest]{Name: name + " occurs once", Broken: func(q *authRequest) error {
		n := len(q.params[name])
		if n == 1 {
			return nil
		}
		code := lti.ErrorInvalidRequest
		if n == 0 {
			code = missing
		}
		return &part.Refusal{Code: code, Says: fmt.Sprintf("%s occurs %d times instead of once", name, n)}
	}}
}

func notRepeated(name string) *fault.Rule[*authRequest] {
	return &fault.Rule[*authRequest]{Name: name + " is not repeated", Broken: func(q *authRequest) error {
		if n := len(q.params[name]); n > 1 {
			return part.InvalidRequest("%s occurs %d times", name, n)
		}
		return nil
	}}
}

// valueIs is the rule that a parameter has a value.
func valueIs(name, code, value string) *fault.Rule[*authRequest] {
	return &fault.Rule[*authRequest]{Name: name + " is " + value, Broken: func(q *authRequest) error { return q.wants(name, code, value) }}
}

// wants says whether a parameter that occurs once has another value.
func (q *authRequest) wants(name, code, value string) error {
	if got := q.params.Get(name); len(q.params[name]) == 1 && got != value {
		return &part.Refusal{Code: code, Says: fmt.Sprintf("%s is %q instead of %q", name, got, value)}
	}
	return nil
}

// What passes the seams of the authorization endpoint.
type (
	// authReading is what is read of a request, and what is answered at once instead.
	authReading struct {
		*authRequest
		params  url.Values
		target  string
		instead http.HandlerFunc
	}
	// hintedLaunch is the launch that lti_message_hint names, and that of login_hint; nil for
	// none. The plan of the message is that of the launch when nil.
	hintedLaunch struct {
		*authRequest
		byMessage, byLogin *Launch
		plan               *Plan
	}
	// plannedMessage is what a launch is answered with.
	plannedMessage struct {
		*authRequest
		Plan
	}
	// namedClient is the client of a request, whether it is that of the launch, and whom the
	// message is for.
	namedClient struct {
		*authRequest
		registration Registration
		known        bool
		audience     string
	}
	// authAnswer is what the answer takes from the request, and what is sent instead.
	authAnswer struct {
		*authRequest
		answers, instead url.Values
	}
	// authErrorAnswer is an error as the tool is told of it.
	authErrorAnswer struct {
		*authRequest
		why     part.Refusal
		params  url.Values
		instead http.HandlerFunc
	}
)

// The seams of the authorization endpoint.
var (
	authRead = &fault.Seam[authReading]{Name: "an authentication request as it is read", Clone: func(r authReading) authReading {
		r.params = maps.Clone(r.params)
		return r
	}}
	launchHinted   = &fault.Seam[hintedLaunch]{Name: "the launch that the hints name"}
	messagePlanned = &fault.Seam[plannedMessage]{Name: "the message that a launch is answered with"}
	clientNamed    = &fault.Seam[namedClient]{Name: "the client that a request is of"}
	authResponse   = &fault.Seam[authAnswer]{Name: "an authentication response", Clone: func(a authAnswer) authAnswer {
		a.answers = maps.Clone(a.answers)
		return a
	}}
	authError = &fault.Seam[authErrorAnswer]{Name: "an authentication error response", Clone: func(a authErrorAnswer) authErrorAnswer {
		a.params = maps.Clone(a.params)
		return a
	}}
)
