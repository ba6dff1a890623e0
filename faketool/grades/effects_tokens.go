package grades

import (
	"maps"
	"net/http"
	"slices"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of access tokens for the grade services have in common.

// dozen bounds how often a fault sends a request.
const dozen = 12

// assertsWith says something else of the tool where a token for the grade services is asked
// for (Security Framework 1.0, 4.1.1).
func assertsWith(changes func(part.Assertion) lti.Claims) fault.Effect {
	return part.AssertionSaid.Change(func(a part.Assertion) part.Assertion {
		if ofGrades(a.Scopes) {
			part.Change(a.Claims, changes(a))
		}
		return a
	})
}

func forGrades(a part.Assertion) bool { return ofGrades(a.Scopes) }

// ofGrades says whether a token is for the grade services.
func ofGrades(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
}

// assertAsUnpublished signs with a key that nobody knows; one that cannot be made leaves the
// right one.
func assertAsUnpublished(a part.Assertion) part.Assertion {
	a.Key, _ = signing.StrangerKey()
	return a
}

// mindsGrant is the rule of faults that mind something in the grant of a token for the grade
// services.
func mindsGrant(says error, minds func(part.Grant) bool) fault.Effect {
	return part.TokenGranted.Add(func(g part.Grant) error {
		if ofGrades(g.Scopes) && minds(g) {
			return says
		}
		return nil
	})
}

// isOfOtherTypes says whether the token is no text, or its time is.
func isOfOtherTypes(g part.Grant) bool {
	_, isText := g.Token.Raw["access_token"].(string)
	_, timeIsText := g.Token.ExpiresIn.(string)
	return ofGrades(g.Scopes) && (!isText || timeIsText)
}

func crashOfGrant(part.Grant, error) error { return part.Crash{} }

// hasUnknownMembers says whether a grant has members that RFC 6749, 5.1, does not name.
func hasUnknownMembers(g part.Grant) bool {
	known := []string{"access_token", "token_type", "expires_in", lti.ParamScope}
	return slices.ContainsFunc(slices.Collect(maps.Keys(g.Token.Raw)), func(name string) bool { return !slices.Contains(known, name) })
}

// isReduced says whether a token is for less than was asked for.
func isReduced(g part.Grant) bool {
	return slices.ContainsFunc(g.Scopes, func(scope string) bool { return !slices.Contains(g.For(), scope) })
}

// isLong says whether a token for the grade services is longer than a fault takes.
func isLong(g part.Grant) bool { return ofGrades(g.Scopes) && len(g.Access) > shortToken }

// answeredWith says whether a request to a grade service was answered with a status.
func answeredWith(status int) func(part.Called) bool {
	return func(c part.Called) bool { return ofGrades(c.Scopes) && c.Status == status }
}

// stillAnsweredWith is the same for the first dozen times.
func stillAnsweredWith(status int) func(part.Called) bool {
	return func(c part.Called) bool { return answeredWith(status)(c) && c.Times < dozen }
}

// scoredWith says whether a score was answered for the first time, with a status.
func scoredWith(status int) func(part.Called) bool {
	return func(c part.Called) bool { return sendsScore(c.ServiceRequest) && c.Times == 1 && c.Status == status }
}

// withExpired says whether an access token was not taken that has expired.
func withExpired(c part.Called) bool { return answeredWith(http.StatusUnauthorized)(c) && c.Expired }

// forgets drops the access token of a request.
func forgets(c part.Called) part.Called {
	c.Drops = true
	return c
}

// hasToken says whether there is an access token for a request to a grade service.
func hasToken(h part.Holding) bool { return h.Has && ofGrades(h.Scopes) }

// carries changes how an access token for the grade services is sent.
func carries(changed func(part.ServiceRequest) part.ServiceRequest) fault.Effect {
	return part.TokenCarried.Change(func(c part.Call) part.Call {
		if ofGrades(c.Scopes) {
			c.ServiceRequest = changed(c.ServiceRequest)
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
