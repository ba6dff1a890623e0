package faketool

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator/lti"
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

// accessToken returns a token that is good for what is needed, one of the scopes:
// the one that is kept, as long as it is valid, or else a new one for all of them
// (Security Framework 1.0, 4.1). A new one is asked for in any case where spent is
// the one that is kept.
func (t *Tool) accessToken(ctx context.Context, of client, scopes []string, needed, spent string) (string, error) {
	key := grantOf(of, scopes)
	t.mu.Lock()
	kept, ok := t.grants[key]
	t.mu.Unlock()
	if !ok || kept.token == spent || t.isExpired(kept) && !t.keepsExpired(scopes) {
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

// isExpired says whether a token has had its time, as far as the platform said it.
func (t *Tool) isExpired(g grant) bool { return !g.expires.IsZero() && !t.opts.Now().Before(g.expires) }

const bearer = "Bearer"

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
	p := TokenProbe{Scopes: scopes, With: lti.Claims{lti.ClaimDeploymentID: of.deployment, "jti": lti.RandomString()}}
	t.spoilAssertion(of, &p, again)
	token, err := t.token(ctx, of.issuer, of.clientID, p)
	if err == nil && token.Status == http.StatusOK && ofGrades(scopes) {
		err = t.crashOfGrant(token)
	}
	switch {
	case err != nil:
		return grant{}, err
	case token.Status == 0:
		return grant{}, fmt.Errorf("nobody answered at the token endpoint: %w", token.Err)
	case token.Status != http.StatusOK:
		return grant{}, fmt.Errorf("the platform grants no access token: HTTP %d %s", token.Status, clipTo(token.Error, 100))
	case token.AccessToken == "" || !strings.EqualFold(token.TokenType, bearer), token.TokenType != bearer && ofGrades(scopes) && t.has(NeedsBearerSpelt):
		return grant{}, errors.New("the platform grants no access token that is known")
	}
	g := grant{token: token.AccessToken, scopes: scopes}
	if _, said := token.Raw["scope"]; said {
		g.scopes = strings.Fields(token.Scope)
	}
	missing := func(scope string) bool { return !slices.Contains(g.scopes, scope) }
	if slices.ContainsFunc(scopes, missing) && ofGrades(scopes) && t.has(CrashesOnReducedScope) {
		return grant{}, errCrash
	}
	if seconds, ok := token.ExpiresIn.(float64); ok {
		g.expires = asked.Add(time.Duration(min(max(seconds, 0), maxExpiry.Seconds()) * float64(time.Second)))
	}
	return g, nil
}
