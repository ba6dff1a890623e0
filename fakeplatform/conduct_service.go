package fakeplatform

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator/fault"
	"invigilator/lti"
)

// The functions of this file apply the defects of the services that the platform
// carries. Without a defect they do nothing.

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

// carriesAny says whether the platform has one of several faults, which this does not ask
// for: what it leads to makes no difference by itself.
func (p *Platform) carriesAny(faults ...string) bool {
	return slices.ContainsFunc(faults, func(name string) bool { return p.faults[name] })
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

// respond tells what has become of the attempt.
func (p *Platform) respond(w http.ResponseWriter, o *order, instead any) {
	if instead != nil {
		writeJSON(w, http.StatusOK, lti.MediaTypeControl, instead)
		return
	}
	answer := map[string]any{"status": o.response.Status}
	if o.response.ExtraTime != nil {
		answer["extra_time"] = *o.response.ExtraTime
		if p.has(SaysExtraTimeAsText) {
			answer["extra_time"] = fmt.Sprint(*o.response.ExtraTime)
		}
	}
	if o.response.Status == lti.Paused && p.has(SaysSuspended) {
		answer["status"] = "suspended"
	}
	contentType := lti.MediaTypeControl
	switch {
	case p.has(AnswersControlAsJSON):
		contentType = "application/json"
	case p.has(AnswersControlAsText):
		contentType = "text/plain"
	}
	writeJSON(w, http.StatusOK, contentType, answer)
}

// spoilRefusal changes why a request is not obeyed, or forgets it.
func (p *Platform) spoilRefusal(o *order, wrong []refusal) []refusal {
	if len(wrong) == 0 {
		return nil
	}
	why := &wrong[0]
	to := func(status int) []refusal {
		why.status = status
		return wrong
	}
	method := o.Method != http.MethodPost
	malformed := o.object == nil
	switch {
	case method && p.has(HidesControlByMethod):
		return to(http.StatusNotFound)
	case why.status == http.StatusUnauthorized && p.has(ForbidsWithoutToken):
		return to(http.StatusForbidden)
	case why.status == http.StatusForbidden && p.has(SaysUnauthorizedForScope):
		return to(http.StatusUnauthorized)
	case why.status == http.StatusUnsupportedMediaType && p.has(SaysBadRequestForMediaType):
		return to(http.StatusBadRequest)
	case why.status == http.StatusBadRequest && malformed && p.has(CrashesOnMalformedControl):
		return to(http.StatusInternalServerError)
	case why.status == http.StatusBadRequest && malformed && p.has(HidesMalformedControl):
		return to(http.StatusNotFound)
	case why.status == http.StatusBadRequest && !malformed && o.attempt == nil && p.has(SaysUnprocessable):
		return to(http.StatusUnprocessableEntity)
	case why.status == http.StatusNotFound && p.has(CrashesOnUnknownTarget):
		return to(http.StatusInternalServerError)
	case why.status == http.StatusNotFound && p.has(SaysBadRequestForTarget):
		return to(http.StatusBadRequest)
	case why.status == http.StatusNotFound && p.has(AnswersUnknownTargets):
		o.response.Status = lti.None
		return nil
	}
	return wrong
}

func (p *Platform) refusesMediaType(o *order, name string) bool {
	sent := o.Header.Get("Content-Type")
	switch {
	case name == "application/json":
		return p.has(RefusesControlAsJSON)
	case name != lti.MediaTypeControl:
		return false
	case sent != name && strings.Contains(sent, ";"):
		return p.has(RefusesControlCharset)
	case sent != name:
		return p.has(ComparesMediaTypeCase)
	}
	return false
}

// completes adds what a request lacks from the tool's latest exam.
func (p *Platform) completes(o *order) {
	if o.object == nil {
		return
	}
	guesses := func() map[string]any {
		user, isUser := o.object["user"].(map[string]any)
		link, isLink := o.object["resource_link"].(map[string]any)
		number, hasNumber := o.object["attempt_number"]
		if isUser && user["sub"] != nil && isLink && link["id"] != nil && hasNumber {
			return nil
		}
		latest := p.exams(func(l *Launch, _ statement) bool { return l.plan.ClientID == o.known.clientID })
		if len(latest) == 0 || !p.has(GuessesControlTarget) {
			return nil
		}
		if !hasNumber {
			number = json.Number(fmt.Sprint(latest[0].attempt.Number()))
		}
		return map[string]any{
			"user":          map[string]any{"iss": p.issuer, "sub": latest[0].plan.User.Sub},
			"resource_link": map[string]any{"id": latest[0].plan.ResourceLink.ID}, "attempt_number": number,
		}
	}
	maps.Copy(o.object, guesses())
	if user, ok := o.object["user"].(map[string]any); ok && user["iss"] == nil && p.has(TakesMissingControlIssuer) {
		user["iss"] = p.issuer
	}
	if _, sent := o.object["action"]; !sent && p.has(TakesMissingAction) {
		o.object["action"] = string(lti.Flag)
	}
	if _, sent := o.object["incident_time"]; !sent && p.has(TakesMissingIncidentTime) {
		o.object["incident_time"] = p.opts.Now().Format(time.RFC3339)
	}
}

// unpacks takes what is in arrays of one, and breaks down on arrays, as a fault does.
func (p *Platform) unpacks(o *order) (found refusals) {
	for _, name := range slices.Sorted(maps.Keys(o.object)) {
		list, isArray := o.object[name].([]any)
		switch {
		case !isArray:
		case p.has(CrashesOnControlArrays):
			found = append(found, failure)
		case len(list) == 1 && p.has(TakesControlArrays):
			o.object[name] = list[0]
		}
	}
	if number, is := o.object["attempt_number"].(json.Number); is && strings.Contains(number.String(), ".") && p.has(TruncatesAttemptNumbers) {
		whole, _, _ := strings.Cut(number.String(), ".")
		o.object["attempt_number"] = json.Number(whole)
	}
	return found
}

// controlInteger reads a JSON integer, or what a fault takes for one.
func (p *Platform) controlInteger(value any, fault string) (int, bool) {
	number, ok := integer(value)
	text, isText := value.(string)
	if !ok && isText {
		if number, ok = integer(json.Number(text)); ok && !p.has(fault) {
			return 0, false
		}
	}
	return number, ok
}

func (p *Platform) readAction(o *order, action string) string {
	if lower := strings.ToLower(action); lower != action && slices.Contains(lti.Actions, lti.Action(lower)) && p.has(IgnoresActionCase) {
		o.object["action"] = lower
		return lower
	}
	return action
}

// takesAction says whether an action that does not exist is one.
func (p *Platform) takesAction(action string) bool {
	switch {
	case slices.Contains(lti.Actions, lti.Action(action)):
		return false
	case action == "":
		return p.has(TakesEmptyAction)
	}
	return p.has(TakesUnknownActions)
}

func (p *Platform) takesIncidentTime(o *order) bool {
	value, sent := o.object["incident_time"]
	_, isText := value.(string)
	return isText && p.has(TakesAnyIncidentTime) || sent && !isText && p.has(TakesIncidentTimeNumbers)
}

// narrowIncidentTime says whether a fault does not take an incident_time that is one.
func (p *Platform) narrowIncidentTime(at string) bool {
	return strings.Contains(at, ".") && p.has(NeedsWholeIncidentTimes) || !strings.HasSuffix(at, "Z") && p.has(NeedsIncidentTimesInUTC)
}

// shortReason is the longest reason_msg that a fault takes.
const shortReason = 255

// crashesWithoutTime remembers that update without extra_time is too much.
func (p *Platform) crashesWithoutTime(o *order) bool {
	o.crashes = p.has(CrashesWithoutExtraTime)
	o.request.ExtraTime = new(int)
	return o.crashes
}

// target returns the launches that a request is about, the latest first.
func (p *Platform) target(o *order) []*Launch {
	text := func(value any) string { return jsonOf(map[string]any{"": value}, "") }
	sub, link, number := text(o.request.User.Sub), text(o.request.ResourceLink.ID), text(o.request.AttemptNumber)
	own := func(l *Launch) bool {
		return l.plan.ClientID == o.known.clientID || p.takesAddress(o.Request, o.known.clientID)
	}
	same := func(said statement) bool {
		return said.sub == sub && said.linkID == link && said.attemptNumber == number
	}
	if found := p.exams(func(l *Launch, said statement) bool { return own(l) && same(said) }); len(found) > 0 {
		return found
	}
	for fault, found := range map[string][]*Launch{
		ControlsExamsOfOtherTools: p.exams(func(_ *Launch, said statement) bool { return o.known.clientID != "" && same(said) }),
		ControlsWithoutToken:      p.exams(func(_ *Launch, said statement) bool { return o.known.clientID == "" && o.token == "" && same(said) }),
		TakesUnknownAccessTokens:  p.exams(func(_ *Launch, said statement) bool { return o.known.clientID == "" && o.token != "" && same(said) }),
		IgnoresControlLink:        p.exams(func(l *Launch, said statement) bool { return own(l) && said.sub == sub && said.attemptNumber == number }),
		IgnoresControlAttempt:     p.exams(func(l *Launch, said statement) bool { return own(l) && said.sub == sub && said.linkID == link }),
		SendsAttemptNumberAsText: p.exams(func(l *Launch, said statement) bool {
			return own(l) && said.sub == sub && said.linkID == link && o.request.AttemptNumber == 0 // an integer that is none
		}),
	} {
		if len(found) > 0 && p.has(fault) {
			return found
		}
	}
	return nil
}

// balks fails where a fault cannot do what is asked for. It is called with the
// attempt locked.
func (p *Platform) balks(o *order) []refusal {
	status, action := o.attempt.settled(), o.request.Action
	fails := []refusal{{http.StatusInternalServerError, lti.ErrorInvalidRequest, "an error"}}
	over := status != lti.Running && status != lti.Paused
	switch {
	case o.crashes, status == lti.Paused && action == lti.Pause && p.has(CrashesOnSecondPause):
		return fails
	case status == lti.Running && action == lti.Resume && p.has(RefusesNeedlessResume), over && p.has(RefusesControlOfEnded):
		return []refusal{{http.StatusConflict, lti.ErrorInvalidRequest, "the attempt is " + string(status)}}
	}
	return nil
}

// reportedStatus is what is told of the attempt. It is called with the attempt
// locked.
func (p *Platform) reportedStatus(o *order) lti.Status {
	status, action := o.attempt.settled(), o.request.Action
	severe := action == lti.Flag && o.request.IncidentSeverity != nil && *o.request.IncidentSeverity >= 1
	switch {
	case status == lti.Running && action == lti.Pause && p.has(PausesNothing),
		status == lti.Running && action == lti.Resume && p.has(SaysPausedWhenResumed),
		status == lti.Running && severe && p.has(SaysPausedWhenFlagged):
		return lti.Paused
	case status == lti.Running && action == lti.Terminate && p.has(TerminatesNothing):
		return lti.Terminated
	case status == lti.Paused && action == lti.Pause && p.has(SaysRunningWhenPaused),
		status == lti.None && p.has(SaysRunningBeforeStart):
		return lti.Running
	}
	return status
}

// What follows says of which requests for access tokens a fault makes a difference.

// fractional refuses a time that has a fraction of a second.
func fractional(claims map[string]any, name string) bool {
	number, _ := claims[name].(json.Number)
	return strings.Contains(number.String(), ".")
}

// needsWhole refuses an assertion with such a time.
func needsWhole(name string) fault.Effect {
	return assertionRules.Add(func(a *application) error {
		if fractional(a.assertion.claims, name) {
			return invalidClient(name + " is no integer")
		}
		return nil
	})
}

// refusesClaim refuses an assertion that has a claim.
func refusesClaim(name, says string) fault.Effect {
	return clientRules.Add(func(a *application) error {
		if _, sent := a.assertion.claims[name]; sent && a.assertion.header != nil {
			return invalidClient(says)
		}
		return nil
	})
}

func byGet(a *application) bool { return a.Method == http.MethodGet }

// awaitsTwin waits for a request with the same client assertion. By itself that shows nowhere.
var awaitsTwin = tokenRequestRead.ChangeAll(func(readApplication) bool { return false }, func(r readApplication) readApplication {
	if r.assertion.compact != "" {
		r.alone = !r.platform.pairs.Meet(r.Context(), r.assertion.compact)
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
		issuer, _ := readToken(g.token).claims["iss"].(string)
		return is(g.platform, issuer)
	}
}

func and[T any](one, other func(T) bool) func(T) bool {
	return func(v T) bool { return one(v) && other(v) }
}
