package fakeplatform

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator/lti"
)

// The functions of this file apply the defects of the services that the platform
// carries. Without a defect they do nothing.

// formProblems holds the form of a token request against Security Framework 1.0,
// 4.1.1.
func (a *application) formProblems() []string {
	var found []string
	is := func(name, got, wanted string) {
		if got != wanted {
			found = append(found, fmt.Sprintf("%s is %.100q instead of %q", name, got, wanted))
		}
	}
	is("the method", a.Method, http.MethodPost)
	is("the content type", mediaType(a.Request), formMediaType)
	is(lti.ParamGrantType, a.form.Get(lti.ParamGrantType), lti.GrantClientCredentials)
	is(lti.ParamClientAssertionType, a.form.Get(lti.ParamClientAssertionType), lti.AssertionTypeJWT)
	if a.assertion.header == nil || a.assertion.claims == nil {
		found = append(found, lti.ParamClientAssertion+" is missing or no JWT")
	}
	if len(strings.Fields(a.form.Get(lti.ParamScope))) == 0 {
		found = append(found, lti.ParamScope+" is missing or empty")
	}
	for _, name := range slices.Sorted(maps.Keys(a.form)) {
		if len(a.form[name]) > 1 {
			found = append(found, fmt.Sprintf("%.100s occurs %d times", name, len(a.form[name])))
		}
	}
	if a.form.Has("client_secret") {
		found = append(found, "there is a client_secret")
	}
	if a.Header.Get("Authorization") != "" {
		found = append(found, "there is an Authorization header")
	}
	return found
}

// readOtherwise reads an application as a fault would have it.
func (p *Platform) readOtherwise(a *application) {
	if a.Method == http.MethodGet && p.has(TakesTokenRequestsByGet) {
		a.form = a.URL.Query()
		a.assertion = readToken(a.form.Get(lti.ParamClientAssertion))
		a.clientID, _ = a.assertion.claims["iss"].(string)
	}
	sub, _ := a.assertion.claims["sub"].(string)
	if _, known := p.registrationOf(sub); known && sub != a.clientID && a.clientID != "" && !p.isClient(a.clientID) && p.has(IgnoresAssertionIssuer) {
		a.clientID = sub
	}
}

func (p *Platform) isClient(clientID string) bool {
	_, known := p.registrationOf(clientID)
	return known
}

func (p *Platform) takesAssertionAudience(a *application, aud []string) bool {
	return p.has(IgnoresAssertionAudience) || len(aud) == 0 && p.has(TakesAssertionsWithoutAudience) ||
		slices.Contains(aud, a.clientID) && p.has(TakesClientForAudience)
}

// needsWhole says which time a fault takes for none because it has a fraction; the
// faults are of iat, exp and nbf.
func (p *Platform) needsWhole(claims map[string]any, faults ...string) string {
	for i, fault := range faults {
		name := []string{"iat", "exp", "nbf"}[i]
		number, _ := claims[name].(json.Number)
		if strings.Contains(number.String(), ".") && p.has(fault) {
			return name + " is no integer"
		}
	}
	return ""
}

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

// failsTokenOtherwise reports what is wrong with an application as a fault would
// have it.
func (p *Platform) failsTokenOtherwise(w http.ResponseWriter, a *application, why refusal) bool {
	assertion := a.form.Has(lti.ParamClientAssertion)
	switch {
	case why.says == usedJTI && p.has(CrashesOnAssertionTwins) && a.twin:
		crash(w)
	case a.Method == http.MethodPost && !a.form.Has(lti.ParamGrantType) && p.has(CrashesWithoutGrantType),
		assertion && a.assertion.claims == nil && p.has(CrashesOnMalformedAssertion):
		crash(w)
	case p.has(AnswersTokenErrorsWith200):
		writeJSON(w, http.StatusOK, "application/json", map[string]string{lti.ParamError: why.code})
	case p.has(ForbidsTokenErrors):
		writeJSON(w, http.StatusForbidden, "application/json", map[string]string{lti.ParamError: why.code})
	case p.has(ForbidsWithMadeUpErrors):
		writeJSON(w, http.StatusForbidden, "application/json", map[string]string{lti.ParamError: "forbidden"})
	case p.has(LabelsTokenErrorsAsPage):
		writeJSON(w, why.status, pageMediaType, map[string]string{lti.ParamError: why.code})
	case p.has(MakesUpTokenErrors):
		writeJSON(w, why.status, "application/json", map[string]string{lti.ParamError: "token_request_failed"})
	case p.has(ShowsTokenErrorsAsPages):
		refuse(w, why.status, why.says)
	default:
		return false
	}
	return true
}

// carriesAny says whether the platform has one of several faults, which this does not ask
// for: what it leads to makes no difference by itself.
func (p *Platform) carriesAny(faults ...string) bool {
	return slices.ContainsFunc(faults, func(name string) bool { return p.faults[name] })
}

// awaitTwin waits, with a fault, for a request with the same client assertion.
func (p *Platform) awaitTwin(a *application) {
	if p.carriesAny(NotesAssertionsLate, CrashesOnAssertionTwins) && a.assertion.compact != "" {
		a.twin = p.pairs.Meet(a.Context(), a.assertion.compact)
	}
}

// takesAgain says whether a client assertion is taken that was used. It is called with the
// platform locked.
func (p *Platform) takesAgain(a *application) bool {
	return p.has(ReusesAssertions) || p.has(NotesAssertionsLate) && a.twin
}

// makeAccessToken makes a value that nobody can guess, or only nearly.
func (p *Platform) makeAccessToken() string {
	value := lti.RandomString()
	if p.has(MakesShortAccessTokens) {
		return value[:12]
	}
	return value
}

// spoilGrant changes the answer to a token request.
func (p *Platform) spoilGrant(a *application, answer map[string]any) {
	asked := strings.Fields(a.form.Get(lti.ParamScope))
	if p.has(SaysOtherTokenType) {
		answer["token_type"] = "mac"
	}
	if p.has(LeavesExpiryOut) {
		delete(answer, "expires_in")
	}
	if p.has(SaysExpiryAsText) {
		answer["expires_in"] = fmt.Sprint(answer["expires_in"])
	}
	if slices.Contains(asked, lti.ScopeControl) && !slices.Contains(asked, lti.ScopeScore) && p.has(GrantsMoreScopes) {
		answer[lti.ParamScope] = strings.Join(grantedScopes, " ")
	}
	if len(a.scopes) > 1 && p.has(DropsControlAmongOthers) {
		answer[lti.ParamScope] = lti.ScopeScore
	}
	p.spoilGradeGrant(a, answer)
	if p.has(OmitsGrantedScope) || len(a.scopes) == len(asked) && p.has(OmitsScopeAsAsked) {
		delete(answer, lti.ParamScope)
	}
}

const pageMediaType = "text/html; charset=utf-8"

// labelOfTokens is the media type of an answer that grants an access token.
func (p *Platform) labelOfTokens() string {
	if p.has(LabelsTokensAsPage) {
		return pageMediaType
	}
	return "application/json"
}

// cachingOfTokens is said of access tokens instead of no-store.
func (p *Platform) cachingOfTokens() []string {
	if p.has(AllowsStoringTokens) {
		return []string{"private"}
	}
	return nil
}

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
