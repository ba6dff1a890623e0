package faketool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// grant is an access token that is kept.
type grant struct {
	token   string
	scopes  []string  // that it is for
	expires time.Time // zero where the platform did not say
}

// grantKey tells the access tokens apart that are kept.
type grantKey struct {
	of     client
	scopes string // that were asked for
}

func grantOf(of client, scopes []string) grantKey { return grantKey{of, strings.Join(scopes, " ")} }

// maxExpiry bounds how long an access token is kept.
const maxExpiry = 24 * time.Hour

// How an access token is asked for, and kept.
var (
	renewsExpired = &fault.Step[[]string]{Name: "asks for another access token where one has expired", Honest: func([]string) bool { return true }}
	assertionSaid = &fault.Seam[asserting]{Name: "what the tool says of itself where it asks for an access token", Clone: func(a asserting) asserting {
		a.claims = maps.Clone(a.claims)
		return a
	}}
	tokenGranted = &fault.List[granting]{Name: "the answer of a token endpoint", Rules: []*fault.Rule[granting]{tokenAnswered, tokenGiven}}
	tokenKept    = &fault.Seam[granting]{Name: "the access token that is kept"}
)

// asserting is what the tool says of itself where it asks for an access token.
type asserting struct {
	t      *Tool
	of     client
	scopes []string
	again  bool // the last token was not taken
	claims lti.Claims
	key    jwk.Key // the tool's own when nil
}

// granting is the answer of a token endpoint.
type granting struct {
	token  *Token
	scopes []string // that were asked for
	access string
}

var tokenAnswered = &fault.Rule[granting]{Name: "the platform grants a token", Broken: func(g granting) error {
	switch {
	case g.token.Status == 0:
		return fmt.Errorf("nobody answered at the token endpoint: %w", g.token.Err)
	case g.token.Status != http.StatusOK:
		return fmt.Errorf("the platform grants no access token: HTTP %d %s", g.token.Status, clipTo(g.token.Error, 100))
	default:
		return nil
	}
}}

// RFC 6749, 5.1; RFC 6750, 4.
var tokenGiven = &fault.Rule[granting]{Name: "the token is one of bearers", Broken: func(g granting) error {
	if g.token.AccessToken == "" || !strings.EqualFold(g.token.TokenType, bearer) {
		return errNoToken
	}
	return nil
}}

var errNoToken = errors.New("the platform grants no access token that is known")

// accessToken returns a token that is good for what is needed, one of the scopes:
// the one that is kept, as long as it is valid, or else a new one for all of them
// (Security Framework 1.0, 4.1). A new one is asked for in any case where spent is
// the one that is kept.
func (t *Tool) accessToken(ctx context.Context, of client, scopes []string, needed, spent string) (string, error) {
	key := grantOf(of, scopes)
	t.mu.Lock()
	kept, ok := t.grants[key]
	t.mu.Unlock()
	if !ok || kept.token == spent || t.isExpired(kept) && renewsExpired.Taken(t.carrier, scopes) {
		var err error
		if kept, err = t.granted(ctx, of, scopes, spent != ""); err != nil {
			return "", err
		}
	}
	if !slices.Contains(kept.scopes, needed) {
		return "", fmt.Errorf("the platform does not grant the scope %s", needed)
	}
	t.mu.Lock()
	t.grants[key] = kept
	t.mu.Unlock()
	return kept.token, nil
}

// forget drops an access token that is kept.
func (t *Tool) forget(key grantKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.grants, key)
}

// isExpired says whether a token has had its time, as far as the platform said it.
func (t *Tool) isExpired(g grant) bool { return !g.expires.IsZero() && !t.opts.Now().Before(g.expires) }

const bearer = part.Bearer

// keptFor is an access token for a gradebook that is kept; empty for none.
func (t *Tool) keptFor(g *gradebook) string {
	if g == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, kept := range t.grants {
		if key.of == g.of {
			return kept.token
		}
	}
	return ""
}

// granted asks for an access token, again where the last one was not taken. Where the
// platform does not say its scope, it is the one that was asked for (RFC 6749, 5.1).
func (t *Tool) granted(ctx context.Context, of client, scopes []string, again bool) (grant, error) {
	asked := t.opts.Now()
	said := assertionSaid.Pass(t.carrier, asserting{
		t: t, of: of, scopes: scopes, again: again, claims: lti.Claims{lti.ClaimDeploymentID: of.deployment, "jti": lti.RandomString()},
	})
	if ofGrades(scopes) {
		t.mu.Lock()
		t.assertions[of], _ = said.claims["jti"].(string)
		t.mu.Unlock()
	}
	token, err := t.token(ctx, of.issuer, of.clientID, TokenProbe{Scopes: scopes, With: said.claims, Key: said.key})
	if err != nil {
		return grant{}, err
	}
	answer := granting{token, scopes, token.AccessToken}
	if err := tokenGranted.First(t.carrier, answer); err != nil {
		return grant{}, err
	}
	g := grant{token: tokenKept.Pass(t.carrier, answer).access, scopes: answer.granted()}
	if seconds, ok := token.ExpiresIn.(float64); ok {
		g.expires = asked.Add(time.Duration(min(max(seconds, 0), maxExpiry.Seconds()) * float64(time.Second)))
	}
	return g, nil
}

// granted are the scopes that a token is for.
func (g granting) granted() []string {
	if _, said := g.token.Raw["scope"]; said {
		return strings.Fields(g.token.Scope)
	}
	return g.scopes
}

// ofGrades says whether a token is for the grade services.
func ofGrades(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
}
