package fakeplatform

import (
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// credentials are what a request to a service brings along.
type credentials struct {
	token  string
	bearer bool // there is one
	known  accessToken
}

// credentialsOf reads the first Authorization header. The case of a scheme's letters does
// not matter (RFC 9110, 11.1).
func credentialsOf(r *http.Request) credentials {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return credentials{token: strings.TrimSpace(token), bearer: found && strings.EqualFold(scheme, "Bearer")}
}

// A guard says what access token a service asks for.
type guard struct {
	scopes []string   // one of them is enough; any token does where there is none
	does   *operation // of the grade services; nil where another service is guarded
}

// Who lacks an access token for the grade services is told so by WWW-Authenticate (RFC 6750, 3).
var challenged = &fault.Step[guard]{Name: "who lacks an access token is told so", Honest: func(guard) bool { return true }}

// guarded is a request to a service whose access token is being judged.
type guarded struct {
	*http.Request
	*credentials
	guard
	platform *Platform
	there    bool // the platform knows the token
}

// What is checked of an access token, for which the Authorization header is the only place
// (RFC 6750, 2.1 and 3.1).
var (
	credentialRules = &fault.List[*guarded]{Name: "the credentials of a request to a service", Rules: []*fault.Rule[*guarded]{tokenGiven, tokenOnce}}
	tokenRules      = &fault.List[*guarded]{Name: "an access token", Rules: []*fault.Rule[*guarded]{tokenKnown, tokenNotExpired, tokenOfScope}}

	tokenGiven = &fault.Rule[*guarded]{Name: "there is a bearer token", Broken: func(g *guarded) error {
		if !g.bearer {
			return refusal{http.StatusUnauthorized, lti.ErrorInvalidRequest, "there is no access token in the Authorization header"}
		}
		return nil
	}}
	tokenOnce = &fault.Rule[*guarded]{Name: "there is one Authorization header", Broken: func(g *guarded) error {
		if g.bearer && len(g.Header.Values("Authorization")) > 1 {
			return refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "there are two Authorization headers"}
		}
		return nil
	}}
	tokenKnown = &fault.Rule[*guarded]{Name: "the token is one of this platform's", Broken: func(g *guarded) error {
		if !g.there {
			return refusal{http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token is none of this platform's"}
		}
		return nil
	}}
	tokenNotExpired = &fault.Rule[*guarded]{Name: "the token has not expired", Broken: func(g *guarded) error {
		if g.there && !g.platform.opts.Now().Before(g.known.expires) {
			return refusal{http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token has expired"}
		}
		return nil
	}}
	tokenOfScope = &fault.Rule[*guarded]{Name: "the token is for what is asked for", Broken: func(g *guarded) error {
		if g.there && len(g.scopes) > 0 && !slices.ContainsFunc(g.scopes, func(scope string) bool { return slices.Contains(g.known.scopes, scope) }) {
			return refusal{http.StatusForbidden, lti.ErrorInsufficientScope, "the access token is not for " + strings.Join(g.scopes, " or ")}
		}
		return nil
	}}
)

// The seams of the check: what a request brings along, what is known of its token, and why it
// is refused; nil where it is not.
type (
	readCredentials struct {
		*http.Request
		guard
		credentials
	}
	knownToken struct {
		*guarded
		known accessToken
		there bool
	}
	guardRefusal struct {
		*guarded
		why error
	}
)

var (
	credentialsRead = &fault.Seam[readCredentials]{Name: "the credentials of a request to a service"}
	tokenLookedUp   = &fault.Seam[knownToken]{Name: "what is known of an access token"}
	guardRefused    = &fault.Seam[guardRefusal]{Name: "the refusal of an access token"}
)

// checkToken checks the access token of a request to a service.
func (p *Platform) checkToken(r *http.Request, c *credentials, what guard) []refusal {
	*c = credentialsRead.Pass(p.carrier, readCredentials{r, what, *c}).credentials
	g := &guarded{Request: r, credentials: c, guard: what, platform: p}
	err := credentialRules.First(p.carrier, g)
	if err == nil && c.bearer {
		p.mu.Lock()
		known, there := p.accessTokens[c.token]
		p.mu.Unlock()
		looked := tokenLookedUp.Pass(p.carrier, knownToken{g, known, there})
		c.known, g.there = looked.known, looked.there
		err = tokenRules.First(p.carrier, g)
	}
	return refusalsOf([]error{guardRefused.Pass(p.carrier, guardRefusal{g, err}).why})
}
