package fakeplatform

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of the services do, and of which requests they make a difference.

// restrict lets the launch that has last offered the tool services, the exam or that
// with grades, change what is granted.
func (p *Platform) restrict(a *application) {
	var latest *Launch
	latest, a.book, a.nth = p.grades.latestOf(a.clientID)
	exams := p.exams(func(l *Launch, _ statement) bool {
		return l.plan.ClientID == a.clientID && l.plan.Message == lti.StartProctoring
	})
	if len(exams) > 0 && (latest == nil || exams[0].planned.After(latest.planned)) {
		latest, a.exam, a.nth = exams[0], exams[0], 1
		a.exam.granted.Range(func(any, any) bool {
			a.nth++
			return true
		})
	}
	if latest != nil && latest.plan.Fault != nil && latest.plan.Fault.tokens != nil {
		latest.plan.Fault.tokens(a)
	}
}

const pageMediaType = "text/html; charset=utf-8"

// A controlAnswer is the answer to a control request before it is made; the fault
// of a launch may change it.
type controlAnswer struct {
	first  bool       // to a request about the attempt
	fresh  bool       // the access token was granted since the exam was launched
	why    *refusal   // the request is refused
	status lti.Status // is told in place of the attempt's
	empty  bool       // nothing is told
	body   any        // is told instead; nil for nothing
	reset  bool       // the connection is closed instead
}

// stimulated is what the fault of the launch that a request is about makes of the
// answer.
func (p *Platform) stimulated(o *order) controlAnswer {
	if o.attempt == nil {
		return controlAnswer{}
	}
	o.attempt.mu.Lock()
	defer o.attempt.mu.Unlock()
	_, fresh := o.attempt.launch.granted.Load(o.token)
	answer := controlAnswer{first: o.attempt.controls == 0, fresh: fresh}
	o.attempt.controls++
	if f := o.attempt.launch.plan.Fault; f != nil && f.control != nil {
		f.control(&answer)
	}
	return answer
}

// shortReason is the longest reason_msg that a fault takes.
const shortReason = 255

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

// toControl are requests to the Assessment Control Service, and toGrades those to the grade
// services.
func toControl(g *guarded) bool { return g.isControl() }
func toGrades(g *guarded) bool  { return g.does != nil }

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

// What follows says of which control requests a fault makes a difference.

// readsControl changes what is read of a request whose body can be read.
func readsControl(change func(o *order, object map[string]any)) fault.Effect {
	return controlRead.Change(func(r readOrder) readOrder {
		if r.object != nil {
			change(r.order, r.object)
		}
		return r
	})
}

// addsMissing adds a member that a request lacks.
func addsMissing(name string, value func(o *order) any) fault.Effect {
	return readsControl(func(o *order, object map[string]any) {
		if _, sent := object[name]; !sent {
			object[name] = value(o)
		}
	})
}

// guessedTarget is what a request lacks, from the tool's latest exam.
func guessedTarget(o *order, object map[string]any) {
	user, _ := object["user"].(map[string]any)
	link, _ := object["resource_link"].(map[string]any)
	number, hasNumber := object["attempt_number"]
	latest := o.platform.exams(func(l *Launch, _ statement) bool { return l.plan.ClientID == o.known.clientID })
	if user["sub"] != nil && link["id"] != nil && hasNumber || len(latest) == 0 {
		return
	}
	if !hasNumber {
		number = json.Number(fmt.Sprint(latest[0].attempt.Number()))
	}
	object["user"] = map[string]any{"iss": o.platform.issuer, "sub": latest[0].plan.User.Sub}
	object["resource_link"] = map[string]any{"id": latest[0].plan.ResourceLink.ID}
	object["attempt_number"] = number
}

// refusesControl refuses a request that nothing else is wrong with.
func refusesControl(says string, when func(*order) bool) fault.Effect {
	return controlRules.Add(func(o *order) error {
		if when(o) {
			return invalidRequest("%s", says)
		}
		return nil
	})
}

// refusesType refuses a media type that is one of the service.
func refusesType(when func(name, sent string) bool) fault.Effect {
	return controlMediaTypeRules.Add(func(o *order) error {
		if when(mediaType(o.Request), o.Header.Get("Content-Type")) {
			return wrongControlType
		}
		return nil
	})
}

// asksFor are requests for an action that there is not.
func asksFor(is func(action lti.Action) bool) func(*order) bool {
	return func(o *order) bool { return !slices.Contains(lti.Actions, o.request.Action) && is(o.request.Action) }
}

var (
	emptyAction   = asksFor(func(action lti.Action) bool { return action == "" })
	unknownAction = asksFor(func(action lti.Action) bool { return action != "" })
)

// timeIs are requests whose incident_time is one like that.
func timeIs(is func(at string) bool) func(*order) bool {
	return func(o *order) bool {
		return incidentTimeGiven.Broken(o) == nil && o.object != nil && is(o.request.IncidentTime)
	}
}

// finds finds what a request is about among more exams, where nothing else is found.
func finds(which func(o *order, l *Launch, said statement) bool) fault.Effect {
	return controlTarget.Change(func(t targetedOrder) targetedOrder {
		if len(t.launches) == 0 {
			t.launches = t.platform.exams(func(l *Launch, said statement) bool { return which(t.order, l, said) })
		}
		return t
	})
}

// refusesToObey refuses an action in a state of the attempt.
func refusesToObey(when func(o *order, status lti.Status) bool, why func(status lti.Status) refusal) fault.Effect {
	return obeyedRules.Add(func(o *order) error {
		if status := o.attempt.settled(); when(o, status) {
			return why(status)
		}
		return nil
	})
}

func conflict(status lti.Status) refusal {
	return refusal{http.StatusConflict, lti.ErrorInvalidRequest, "the attempt is " + string(status)}
}

func anError(lti.Status) refusal { return failure }

// does changes what an action makes of an attempt.
func does(action lti.Action, to func(from lti.Status) lti.Status) fault.Effect {
	return attemptControlled.Change(func(c controlledAttempt) controlledAttempt {
		if c.action == action {
			c.to = to(c.from)
		}
		return c
	})
}

func nothing(from lti.Status) lti.Status { return from }

// tells tells another status of an attempt.
func tells(instead lti.Status, when func(o *order) bool, status lti.Status) fault.Effect {
	return statusTold.Change(func(t toldStatus) toldStatus {
		if t.status == status && when(t.order) {
			t.status = instead
		}
		return t
	})
}

// after are requests for an action.
func after(action lti.Action) func(*order) bool {
	return func(o *order) bool { return o.request.Action == action }
}

// refusesWith refuses with another status.
func refusesWith(status int, when func(o *order, why refusal) bool) fault.Effect {
	return controlRefused.Change(func(r refusedOrder) refusedOrder {
		if when(r.order, r.wrong[0]) {
			r.wrong[0].status = status
		}
		return r
	})
}

// forStatus are the requests that are refused with it.
func forStatus(status int) func(*order, refusal) bool {
	return func(_ *order, why refusal) bool { return why.status == status }
}

func forMalformed(o *order, why refusal) bool {
	return why.status == http.StatusBadRequest && o.object == nil
}

// answersControl changes the answer to a request.
func answersControl(change func(a *answeredOrder)) fault.Effect {
	return controlAnswered.Change(func(a answeredOrder) answeredOrder {
		change(&a)
		return a
	})
}
