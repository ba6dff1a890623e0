package part

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Need is what access token a request to a service needs.
type Need struct {
	Part string // the profile of the service
	// Scopes are those of which one is enough; where there is none, the part looks at those of
	// the token itself.
	Scopes []string
	// For is what is asked for, in the terms of the part.
	For any
}

// Presented is the access token that a request to a service brings along, while it is being
// judged: its value, and what the platform knows of it.
type Presented struct {
	*http.Request
	Need
	Token
	Bearer bool // there is one
	Known  bool // it is one of the platform's
	Core   Core
}

// Present reads the first Authorization header. The case of a scheme's letters does not
// matter (RFC 9110, 11.1).
func Present(r *http.Request, need Need, core Core) Presented {
	scheme, value, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return Presented{
		Request: r, Need: need, Core: core, Token: Token{Value: strings.TrimSpace(value)}, Bearer: found && strings.EqualFold(scheme, "Bearer"),
	}
}

// What is checked of an access token, for which the Authorization header is the only place
// (RFC 6750, 2.1 and 3.1).
var (
	CredentialRules = &fault.List[*Presented]{Name: "the credentials of a request to a service", Rules: []*fault.Rule[*Presented]{TokenGiven, TokenOnce}}
	TokenRules      = &fault.List[*Presented]{Name: "an access token", Rules: []*fault.Rule[*Presented]{TokenKnown, TokenNotExpired, TokenOfScope}}

	TokenGiven = &fault.Rule[*Presented]{Name: "there is a bearer token", Broken: func(t *Presented) error {
		if !t.Bearer {
			return Refuse(http.StatusUnauthorized, lti.ErrorInvalidRequest, "there is no access token in the Authorization header")
		}
		return nil
	}}
	TokenOnce = &fault.Rule[*Presented]{Name: "there is one Authorization header", Broken: func(t *Presented) error {
		if t.Bearer && len(t.Header.Values("Authorization")) > 1 {
			return Refuse(http.StatusBadRequest, lti.ErrorInvalidRequest, "there are two Authorization headers")
		}
		return nil
	}}
	TokenKnown = &fault.Rule[*Presented]{Name: "the token is one of this platform's", Broken: func(t *Presented) error {
		if !t.Known {
			return Refuse(http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token is none of this platform's")
		}
		return nil
	}}
	TokenNotExpired = &fault.Rule[*Presented]{Name: "the token has not expired", Broken: func(t *Presented) error {
		if t.Known && !t.Core.Now().Before(t.Expires) {
			return Refuse(http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token has expired")
		}
		return nil
	}}
	TokenOfScope = &fault.Rule[*Presented]{Name: "the token is for what is asked for", Broken: func(t *Presented) error {
		if t.Known && len(t.Need.Scopes) > 0 && !slices.ContainsFunc(t.Need.Scopes, func(scope string) bool { return slices.Contains(t.Token.Scopes, scope) }) {
			return Refuse(http.StatusForbidden, lti.ErrorInsufficientScope, "the access token is not for "+strings.Join(t.Need.Scopes, " or "))
		}
		return nil
	}}
)

// A TokenRefusal is why an access token is refused; nil where it is not.
type TokenRefusal struct {
	*Presented
	Why error
}

// The seams of the check.
var (
	TokenPresented = &fault.Seam[Presented]{Name: "the credentials of a request to a service"}
	TokenLookedUp  = &fault.Seam[Presented]{Name: "what is known of an access token"}
	TokenRefused   = &fault.Seam[TokenRefusal]{Name: "the refusal of an access token"}
)

// An Application is a request for an access token.
type Application struct {
	*http.Request
	Form   url.Values // of the body
	Scopes []string   // that are granted
}

// Asked are the scopes that are asked for.
func (a Application) Asked() []string { return strings.Fields(a.Form.Get(lti.ParamScope)) }

// A Grant is an access token that is granted, as far as the launch that has last offered the
// tool services has a part in it.
type Grant struct {
	ClientID string
	Scopes   []string
	Nth      int           // of those since the launch, from 1
	Value    string        // one is made when empty
	Type     string        // token_type
	Expires  time.Duration // from now
	// Instead is what is sent in place of the members of the answer; nil for those.
	Instead func(members map[string]any) any
}

// A GrantAnswer is the answer with an access token (RFC 6749, 5.1).
type GrantAnswer struct {
	Application
	Members            map[string]any
	MediaType, Caching string
}

// Busy is a request to a service, the nth of all, with the status by which it is put off; 0 for
// none.
type Busy struct {
	Nth    int64
	Status int
}

// The seams of the token endpoint, and of all services.
var (
	ScopesGranted = &fault.Seam[Application]{Name: "the scopes that are granted", Clone: func(a Application) Application {
		a.Scopes = slices.Clone(a.Scopes)
		return a
	}}
	Granted   = &fault.Seam[Grant]{Name: "an access token that is granted"}
	GrantSent = &fault.Seam[GrantAnswer]{Name: "the answer with an access token", Clone: func(a GrantAnswer) GrantAnswer {
		a.Members = maps.Clone(a.Members)
		return a
	}}
	ServiceBusy = &fault.Seam[Busy]{Name: "whether a service takes a request now"}
)

// Grants is the effect of granting other scopes.
func Grants(change func(a Application) (scopes []string)) fault.Effect {
	return ScopesGranted.Change(func(a Application) Application {
		a.Scopes = change(a)
		return a
	})
}

// SaysOfGrant is the effect of changing the members of the answer with an access token.
func SaysOfGrant(change func(a Application, members map[string]any)) fault.Effect {
	return GrantSent.Change(func(a GrantAnswer) GrantAnswer {
		change(a.Application, a.Members)
		return a
	})
}
