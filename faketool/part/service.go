package part

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Client is what the tool is to one platform.
type Client struct{ Issuer, ClientID, Deployment string }

// A ServiceRequest is one to a service of a platform.
type ServiceRequest struct {
	Method, URL string
	Token       string      // none is sent when empty
	MediaType   string      // of the body; no header when empty
	Accept      string      // no header when empty
	Header      http.Header // further headers
	// Body is sent as JSON, and as it is where it is a []byte; nothing when nil.
	Body any
}

// A Call is a request to a service of a platform, by the tool on its own account: with an
// access token that it keeps, or asks for.
type Call struct {
	Of     Client
	Scopes []string // that the token is asked for
	Needed string   // one of them
	ServiceRequest
}

// A Called is a call that was answered.
type Called struct {
	Call
	Status  int
	Times   int  // that this was the answer
	Expired bool // the access token has had its time
	Drops   bool // the access token is kept no more
}

// How the tool calls services on its own account.
var (
	KeepsToken   = &fault.Step[Holding]{Name: "sends the access token that it has, where it has one", Honest: func(Holding) bool { return true }}
	TokenCarried = &fault.Seam[Call]{Name: "a request with its access token"}
	CallAnswered = &fault.Seam[Called]{Name: "a request that was answered"}
	CallsAgain   = &fault.Step[Called]{Name: "sends a request once more", Honest: func(c Called) bool {
		return c.Times == 1 && (c.Status == http.StatusUnauthorized || c.Status == http.StatusServiceUnavailable)
	}}
	CallRepeated  = &fault.Seam[ServiceRequest]{Name: "a request that is sent once more"}
	RenewsExpired = &fault.Step[[]string]{Name: "asks for another access token where one has expired", Honest: func([]string) bool { return true }}
	AssertionSaid = &fault.Seam[Assertion]{Name: "what the tool says of itself where it asks for an access token", Clone: func(a Assertion) Assertion {
		a.Claims = maps.Clone(a.Claims)
		return a
	}}
	TokenGranted = &fault.List[Grant]{Name: "the answer of a token endpoint", Rules: []*fault.Rule[Grant]{TokenAnswered, TokenGiven}}
	TokenKept    = &fault.Seam[Grant]{Name: "the access token that is kept"}
)

// Holding is a call, before its access token is looked for.
type Holding struct {
	Call
	Has bool // the tool has an access token for it
}

// An Assertion is what the tool says of itself where it asks for an access token (Security
// Framework 1.0, 4.1.1).
type Assertion struct {
	Core   Core
	Of     Client
	Scopes []string
	// Last is the jti of the assertion that the last token was asked for with, where that
	// was not taken; empty where there was none.
	Last   string
	Claims lti.Claims
	Key    jwk.Key // the tool's own when nil
}

// A Token is what a token endpoint answered. Beside Exchange and Raw, all is
// empty where it was not said, or not as text.
type Token struct {
	Exchange
	AccessToken, TokenType, Scope string
	ExpiresIn                     any // as it came
	Error                         string
	Raw                           map[string]any
}

// A Grant is the answer of a token endpoint.
type Grant struct {
	Token  *Token
	Scopes []string // that were asked for
	Access string   // the token that is kept
}

// For are the scopes that a token is for. Where the platform does not say so, they are
// those that were asked for (RFC 6749, 5.1).
func (g Grant) For() []string {
	if _, said := g.Token.Raw["scope"]; said {
		return strings.Fields(g.Token.Scope)
	}
	return g.Scopes
}

// TokenAnswered is a rule of what a token endpoint answers.
var TokenAnswered = &fault.Rule[Grant]{Name: "the platform grants a token", Broken: func(g Grant) error {
	switch {
	case g.Token.Status == 0:
		return fmt.Errorf("nobody answered at the token endpoint: %w", g.Token.Err)
	case g.Token.Status != http.StatusOK:
		return fmt.Errorf("the platform grants no access token: HTTP %d %s", g.Token.Status, g.Token.Error[:min(len(g.Token.Error), 100)])
	default:
		return nil
	}
}}

// TokenGiven is another one (RFC 6749, 5.1; RFC 6750, 4).
var TokenGiven = &fault.Rule[Grant]{Name: "the token is one of bearers", Broken: func(g Grant) error {
	if g.Token.AccessToken == "" || !strings.EqualFold(g.Token.TokenType, Bearer) {
		return ErrNoToken
	}
	return nil
}}

// ErrNoToken says that a token endpoint has granted nothing that can be used.
var ErrNoToken = errors.New("the platform grants no access token that is known")

// A ServiceDraft is a request to a service that a stimulus may still change.
type ServiceDraft struct {
	Core Core
	ServiceRequest
	// Members are those of a body that is an object; numbers are of type
	// [json.Number]. They are sent instead of the body where they are not nil.
	Members map[string]any
	Bearing Bearing // of the access token
	Err     error   // why a stimulus cannot change it
}

// ServiceSaid is a seam that requests of services pass which stimuli change.
var ServiceSaid = &fault.Seam[ServiceDraft]{Name: "a request of a service", Clone: func(d ServiceDraft) ServiceDraft {
	d.Members = maps.Clone(d.Members)
	return d
}}

// ChangesService says whether one of these effects changes a request of a service.
func ChangesService(by []fault.Effect) bool { return ServiceSaid.Changed(by) || TokenSent.Changed(by) }

// Asks is the effect of a stimulus on a request of a service.
func Asks(change func(*ServiceDraft) error) []fault.Effect {
	return []fault.Effect{ServiceSaid.ChangeWhen(always, func(d ServiceDraft) ServiceDraft {
		d.Err = errors.Join(d.Err, change(&d))
		return d
	})}
}

func always[T any](T) bool { return true }

// A TokenDraft is a request for an access token, before it is signed (Security Framework
// 1.0, 4.1.1).
type TokenDraft struct {
	Core      Core
	Platform  Registration
	Claims    lti.Claims  // of the assertion
	Sign      signing.Way // nil for the right one
	Key       jwk.Key     // the tool's own when nil
	Field     string      // the parameter that holds the assertion; none when empty
	Form      url.Values
	Method    string
	URL       string
	MediaType string
	Basic     string // the client_id in a header of HTTP Basic; no header when empty
	Twice     bool   // what is answered is the second one, where the first was granted a token
	Err       error  // why a stimulus cannot change it
}

// TokenAsked is a seam that requests for access tokens pass.
var TokenAsked = &fault.Seam[TokenDraft]{Name: "the request for an access token", Clone: func(d TokenDraft) TokenDraft {
	d.Claims = maps.Clone(d.Claims)
	form := url.Values{}
	for name, values := range d.Form {
		form[name] = slices.Clone(values)
	}
	d.Form = form
	return d
}}

// AsksForToken is the effect of a stimulus on a request for an access token.
func AsksForToken(change func(*TokenDraft) error) []fault.Effect {
	return []fault.Effect{TokenAsked.ChangeWhen(always, func(d TokenDraft) TokenDraft {
		d.Err = errors.Join(d.Err, change(&d))
		return d
	})}
}

// An AuthDraft is an authentication request, before a browser is sent on with it (Security
// Framework 1.0, 5.1.1.2).
type AuthDraft struct {
	Core        Core
	RedirectURI string     // the registered one
	Initiation  url.Values // the parameters of the login initiation
	Other       url.Values // those of another one, to borrow from; nil where there is none
	Params      url.Values
	Post        bool  // it is sent by a form POST instead of a redirect to a GET
	Err         error // why a stimulus cannot change it
}

// AuthRequested is a seam that authentication requests pass which stimuli change.
var AuthRequested = &fault.Seam[AuthDraft]{Name: "an authentication request that is held"}

// AsksForLogin is the effect of a stimulus on an authentication request.
func AsksForLogin(change func(*AuthDraft) error) []fault.Effect {
	return []fault.Effect{AuthRequested.ChangeWhen(always, func(d AuthDraft) AuthDraft {
		d.Err = errors.Join(d.Err, change(&d))
		return d
	})}
}

// BorrowsAtLogin sends the hint that the other login was initiated with, where both have
// one.
func BorrowsAtLogin(name string) []fault.Effect {
	return AsksForLogin(func(d *AuthDraft) error {
		if other := d.Other.Get(name); other != "" && d.Params.Has(name) {
			d.Params.Set(name, other)
		}
		return nil
	})
}

// UnknownScope is one that no platform knows.
const UnknownScope = "https://purl.imsglobal.org/spec/x/scope/unknown"

// UnknownScopeToo asks for an unknown scope beside the others.
func UnknownScopeToo(d *TokenDraft) error {
	d.Form.Set(lti.ParamScope, d.Form.Get(lti.ParamScope)+" "+UnknownScope)
	return nil
}
