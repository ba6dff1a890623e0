package fakeplatform

import (
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of the services do, and of which requests they make a difference.

// restrict lets the launch that has last offered the tool services, that of a part or that
// with grades, change what is granted.
func (p *Platform) restrict(a *application) {
	var latest *Launch
	latest, a.book, a.nth = p.grades.latestOf(a.clientID)
	if l := p.latestOfParts(a.clientID); l != nil && (latest == nil || l.planned.After(latest.planned)) {
		latest, a.launch, a.nth = l, l, 1
		l.granted.Range(func(any, any) bool {
			a.nth++
			return true
		})
	}
	if latest != nil && latest.plan.Fault != nil && latest.plan.Fault.tokens != nil {
		latest.plan.Fault.tokens(a)
	}
	if latest != nil {
		a.scopes = part.Granted.Pass(latest.carrier(), part.Grant{ClientID: a.clientID, Scopes: a.scopes}).Scopes
	}
}

const pageMediaType = "text/html; charset=utf-8"

// What follows says of which requests for access tokens a fault makes a difference.

// needsWhole refuses an assertion with a time that has a fraction of a second.
func needsWhole(name string) fault.Effect {
	return assertionRules.Add(func(a *application) error {
		if a.assertion.HasFraction(name) {
			return invalidClient(name + " is no integer")
		}
		return nil
	})
}

// refusesClaim refuses an assertion that has a claim.
func refusesClaim(name, says string) fault.Effect {
	return clientRules.Add(func(a *application) error {
		if _, sent := a.assertion.Claims[name]; sent && a.assertion.Header != nil {
			return invalidClient(says)
		}
		return nil
	})
}

func byGet(a *application) bool { return a.Method == http.MethodGet }

// awaitsTwin waits for a request with the same client assertion. By itself that shows nowhere.
var awaitsTwin = tokenRequestRead.ChangeAll(func(readApplication) bool { return false }, func(r readApplication) readApplication {
	if r.assertion.Compact != "" {
		r.alone = !r.platform.pairs.Meet(r.Context(), r.assertion.Compact)
	}
	return r
})

// hasTwin are those whose assertion may have come twice at the same time: nobody knows where
// nobody has waited.
func hasTwin(a *application) bool { return !a.alone }

// ofGrades says whether a grade service is among the scopes that are granted.
func ofGrades(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
}

// grants changes what is granted.
func grants(change func(a *application, scopes []string) []string) fault.Effect {
	return scopesGranted.Change(func(g grantedApplication) grantedApplication {
		g.scopes = change(g.application, g.scopes)
		return g
	})
}

// says changes the answer with the access token.
func saysOfToken(change func(a *application, members map[string]any)) fault.Effect {
	return tokenGranted.Change(func(g grantAnswer) grantAnswer {
		change(g.application, g.members)
		return g
	})
}

// refusesTokens answers in place of the platform where something is wrong.
func refusesTokens(when func(refusedApplication) bool, answer func(w http.ResponseWriter, why refusal)) fault.Effect {
	return tokenRefused.ChangeWhen(when, func(r refusedApplication) refusedApplication {
		r.instead = func(w http.ResponseWriter, _ *http.Request) { answer(w, r.why) }
		return r
	})
}

func crashes(w http.ResponseWriter, _ refusal) { crash(w) }

// errorOf is the body of an error without a description.
func errorOf(code string) map[string]string { return map[string]string{lti.ParamError: code} }

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

// What follows says of which access tokens a fault makes a difference.

// toGrades are requests to the grade services.
func toGrades(g *guarded) bool { return g.does != nil }

// toDo are requests that do one thing with the grade services.
func toDo(service Service, method string) func(*guarded) bool {
	return func(g *guarded) bool { return g.does != nil && g.does.service == service && g.does.method == method }
}

// without are requests that bring nothing along, and withOtherScheme those with an Authorization
// header of another scheme.
func withoutCredentials(g *guarded) bool { return g.Header.Get("Authorization") == "" }
func withOtherScheme(g *guarded) bool    { return !withoutCredentials(g) }

// withJWTOf are requests whose token is a JWT of somebody.
func withJWTOf(is func(p *Platform, issuer string) bool) func(*guarded) bool {
	return func(g *guarded) bool {
		issuer, _ := jwt.Read(g.token).Claims["iss"].(string)
		return is(g.platform, issuer)
	}
}

func and[T any](one, other func(T) bool) func(T) bool {
	return func(v T) bool { return one(v) && other(v) }
}
