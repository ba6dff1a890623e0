package faketool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/lti"
)

// grant is an access token that is kept.
type grant struct {
	token   string
	scopes  []string  // that it is for
	expires time.Time // zero where the platform did not say
	jti     string    // of the assertion that it was asked for with
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
	kept, ok := t.keptGrant(key)
	if !ok || kept.token == spent || t.isExpired(kept) && part.RenewsExpired.Taken(t.carrier, scopes) {
		var last string
		if ok && kept.token == spent {
			last = kept.jti
		}
		var err error
		if kept, err = t.granted(ctx, of, scopes, last); err != nil {
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

// keptGrant returns an access token that is kept, and false where there is none.
func (t *Tool) keptGrant(key grantKey) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, ok := t.grants[key]
	return kept, ok
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

// granted asks for an access token. Where the last one was not taken, last is the jti that
// it was asked for with.
func (t *Tool) granted(ctx context.Context, of client, scopes []string, last string) (grant, error) {
	asked := t.opts.Now()
	said := part.AssertionSaid.Pass(t.carrier, part.Assertion{
		Core: partCore{t}, Of: of, Scopes: scopes, Last: last, Claims: lti.Claims{lti.ClaimDeploymentID: of.Deployment, "jti": lti.RandomString()},
	})
	token, err := t.token(ctx, of.Issuer, of.ClientID, TokenProbe{Scopes: scopes, With: said.Claims, Key: said.Key})
	if err != nil {
		return grant{}, err
	}
	answer := part.Grant{Token: token, Scopes: scopes, Access: token.AccessToken}
	if err := part.TokenGranted.First(t.carrier, answer); err != nil {
		return grant{}, err
	}
	g := grant{token: part.TokenKept.Pass(t.carrier, answer).Access, scopes: answer.For()}
	g.jti, _ = said.Claims["jti"].(string)
	if seconds, ok := token.ExpiresIn.(float64); ok {
		g.expires = asked.Add(time.Duration(min(max(seconds, 0), maxExpiry.Seconds()) * float64(time.Second)))
	}
	return g, nil
}
