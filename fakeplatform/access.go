package fakeplatform

import (
	"net/http"
	"slices"
	"strings"

	"invigilator/lti"
)

// credentials are what a request to a service brings along.
type credentials struct {
	token  string
	bearer bool // there is one
	known  accessToken
}

// credentialsOf reads the first Authorization header. The case of a scheme's letters does
// not matter (RFC 9110, 11.1).
func (p *Platform) credentialsOf(r *http.Request) credentials {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	const bearer = "Bearer"
	known := strings.EqualFold(scheme, bearer) && (scheme == bearer || !p.has(ComparesCaseOfBearer))
	return credentials{token: strings.TrimSpace(token), bearer: found && known}
}

// A guard says what access token a service asks for.
type guard struct {
	scopes []string // one of them is enough; any token does where there is none
	negligence
}

// negligence names the faults of a service that asks for access tokens; none where
// it has none of a kind.
type negligence struct{ without, otherScheme, inQuery, unknown, own, ofTools, expired, otherScope string }

var ofControl = guard{[]string{lti.ScopeControl}, negligence{
	without: ControlsWithoutToken, otherScheme: ControlsWithoutToken, inQuery: TakesAccessTokenInQuery, unknown: TakesUnknownAccessTokens,
	expired: TakesExpiredAccessTokens, otherScope: IgnoresTokenScope,
}}

// ofGrades guards what a grade service does.
func ofGrades(o operation) guard {
	return guard{o.scopes, negligence{
		without: GradesWithoutToken, otherScheme: TakesBasicForGrades, unknown: TakesUnknownGradeTokens, own: TakesOwnTokensForGrades,
		ofTools: TakesToolTokensForGrades, expired: TakesExpiredGradeTokens, otherScope: o.lax,
	}}
}

// lets says whether the platform has a fault, where there is one of the kind.
func (p *Platform) lets(fault string) bool { return fault != "" && p.has(fault) }

// checkToken checks the access token, for which the Authorization header is the
// only place (RFC 6750, 2.1 and 3.1).
func (p *Platform) checkToken(r *http.Request, c *credentials, g guard) []refusal {
	if inQuery := r.URL.Query().Get("access_token"); !c.bearer && inQuery != "" && p.lets(g.inQuery) {
		c.token, c.bearer = inQuery, true
	}
	if !c.bearer {
		fault := g.without
		if r.Header.Get("Authorization") != "" {
			fault = g.otherScheme
		}
		if p.lets(fault) {
			return nil
		}
		return []refusal{{http.StatusUnauthorized, lti.ErrorInvalidRequest, "there is no access token in the Authorization header"}}
	}
	if len(r.Header.Values("Authorization")) > 1 {
		switch {
		case p.has(CrashesOnTwoTokens):
			return []refusal{failure}
		case !p.has(TakesFirstOfTwoTokens):
			return []refusal{{http.StatusBadRequest, lti.ErrorInvalidRequest, "there are two Authorization headers"}}
		}
	}
	p.mu.Lock()
	known, ok := p.accessTokens[c.token]
	p.mu.Unlock()
	if end, found := p.tokenEndingLike(c.token); !ok && found && p.has(KnowsTokensByTheirEnd) {
		known, ok = end, true
	}
	if !ok && (p.lets(g.unknown) || p.takesJWT(c.token, g.negligence)) {
		return nil
	}
	if !ok {
		return []refusal{{http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token is none of this platform's"}}
	}
	c.known = known
	if !p.opts.Now().Before(known.expires) && !p.lets(g.expired) {
		return []refusal{{http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token has expired"}}
	}
	allowed := len(g.scopes) == 0 || slices.ContainsFunc(g.scopes, func(scope string) bool { return slices.Contains(known.scopes, scope) })
	if !allowed && !p.lets(g.otherScope) {
		return []refusal{{http.StatusForbidden, lti.ErrorInsufficientScope, "the access token is not for " + strings.Join(g.scopes, " or ")}}
	}
	return nil
}

// challenge is what a client is told that lacks an access token of those scopes
// (RFC 6750, 3).
func challenge(why refusal, scopes []string) string {
	parameters := `Bearer realm="fakeplatform"`
	if why.code != lti.ErrorInvalidRequest { // it has sent one
		parameters += `, error="` + why.code + `"`
	}
	if why.code == lti.ErrorInsufficientScope {
		parameters += `, scope="` + strings.Join(scopes, " ") + `"`
	}
	return parameters
}

// tokenEndingLike returns an access token that ends as a text does, and whether there is
// one.
func (p *Platform) tokenEndingLike(text string) (accessToken, bool) {
	const compared = 8
	p.mu.Lock()
	defer p.mu.Unlock()
	for value, known := range p.accessTokens {
		if len(text) > compared && strings.HasSuffix(value, text[len(text)-compared:]) {
			return known, true
		}
	}
	return accessToken{}, false
}

// takesJWT says whether a fault takes a JWT for an access token: one of the
// platform's own, or one that a tool has signed.
func (p *Platform) takesJWT(token string, faults negligence) bool {
	issuer, _ := readToken(token).claims["iss"].(string)
	return issuer == p.opts.Issuer && p.lets(faults.own) || p.isClient(issuer) && p.lets(faults.ofTools)
}
