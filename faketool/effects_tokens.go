package faketool

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of access tokens for the grade services have in common.

// dozen bounds how often a fault sends a request.
const dozen = 12

// assertsWith says something else of the tool where a token for the grade services is asked
// for (Security Framework 1.0, 4.1.1).
func assertsWith(changes func(asserting) lti.Claims) fault.Effect {
	return assertionSaid.Change(func(a asserting) asserting {
		if ofGrades(a.scopes) {
			change(a.claims, changes(a))
		}
		return a
	})
}

func (a asserting) now() time.Time { return a.t.opts.Now() }

func (a asserting) forGrades() bool { return ofGrades(a.scopes) }

// last is the jti of the last assertion; empty for none.
func (a asserting) last() string {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	return a.t.assertions[a.of]
}

// assertAsUnpublished signs with a key that nobody knows; one that cannot be made leaves the
// right one.
func assertAsUnpublished(a asserting) asserting {
	a.key, _ = signing.StrangerKey()
	return a
}

// mindsGrant is the rule of faults that mind something in the grant of a token for the grade
// services.
func mindsGrant(says error, minds func(granting) bool) fault.Effect {
	return tokenGranted.Add(func(g granting) error {
		if ofGrades(g.scopes) && minds(g) {
			return says
		}
		return nil
	})
}

// isOfOtherTypes says whether the token is no text, or its time is.
func (g granting) isOfOtherTypes() bool {
	_, isText := g.token.Raw["access_token"].(string)
	_, timeIsText := g.token.ExpiresIn.(string)
	return ofGrades(g.scopes) && (!isText || timeIsText)
}

func crashOfGrant(granting, error) error { return errCrash }

// hasUnknownMembers says whether a grant has members that RFC 6749, 5.1, does not name.
func (g granting) hasUnknownMembers() bool {
	known := []string{"access_token", "token_type", "expires_in", lti.ParamScope}
	return slices.ContainsFunc(slices.Collect(maps.Keys(g.token.Raw)), func(name string) bool { return !slices.Contains(known, name) })
}

// isReduced says whether a token is for less than was asked for.
func (g granting) isReduced() bool {
	return slices.ContainsFunc(g.scopes, func(scope string) bool { return !slices.Contains(g.granted(), scope) })
}

// isLong says whether a token for the grade services is longer than a fault takes.
func (g granting) isLong() bool { return ofGrades(g.scopes) && len(g.access) > shortToken }

// gradesAnswer says whether a request to a grade service was answered with a status.
func gradesAnswer(status int) func(calling) bool {
	return func(c calling) bool { return ofGrades(c.scopes) && c.status == status }
}

// gradesAnswerStill is the same for the first dozen times.
func gradesAnswerStill(status int) func(calling) bool {
	return func(c calling) bool { return gradesAnswer(status)(c) && c.times < dozen }
}

// scoredWith says whether a score was answered for the first time, with a status.
func scoredWith(status int) func(calling) bool {
	return func(c calling) bool { return c.sendsScore() && c.times == 1 && c.status == status }
}

// withExpired says whether an access token was not taken that has expired.
func withExpired(c calling) bool {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return gradesAnswer(http.StatusUnauthorized)(c) && c.t.isExpired(c.t.grants[c.grant()])
}

// forgetGrant forgets the access token of a request.
func forgetGrant(c calling) calling {
	c.t.forget(c.grant())
	return c
}

// hasToken says whether there is an access token for a request to a grade service.
func (c call) hasToken() bool {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	_, kept := c.t.grants[c.grant()]
	return kept && ofGrades(c.scopes)
}

// carries changes how an access token for the grade services is sent.
func carries(changed func(GradeRequest) GradeRequest) fault.Effect {
	return tokenCarried.Change(func(c call) call {
		if ofGrades(c.scopes) {
			c.GradeRequest = changed(c.GradeRequest)
		}
		return c
	})
}

// asks asks for a token for other scopes.
func asks(instead func(scoping) []string) fault.Effect {
	return scopesAsked.Change(func(a scoping) scoping {
		a.scopes = instead(a)
		return a
	})
}

func asksForOneScope(a scoping) []string {
	if len(a.scopes) > 1 {
		return []string{a.needed}
	}
	return a.scopes
}

func asksForAllScopes(a scoping) []string {
	if len(a.scopes) < len(lti.GradeScopes) {
		return lti.GradeScopes
	}
	return a.scopes
}

func asksForControlScope(a scoping) []string { return append(slices.Clone(a.scopes), lti.ScopeControl) }
