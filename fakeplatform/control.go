package fakeplatform

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"invigilator/lti"
)

// A Control is a request to the Assessment Control Service (Proctoring Services
// 1.0, 5).
type Control struct {
	Method, Target, ContentType string
	// Authorized says whether the access token was one for the service. Token is
	// a secret while it lasts.
	Authorized bool
	Token      string
	Scopes     []string // of the access token
	Body       []byte   // at most 64 KiB
	Status     int      // of the answer
	// Problems say what is not allowed in it.
	Problems []string
	At       time.Time
}

// Controls returns the requests that came with an access token of the platform or are
// about a candidate of it, in order and at most a thousand.
func (p *Platform) Controls() []Control {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.controls)
}

// order is a request to the Assessment Control Service while it is being judged.
type order struct {
	*http.Request
	credentials
	body     []byte
	object   map[string]any // nil where the body is none
	request  lti.ControlRequest
	attempt  *Attempt // nil where none is found
	response lti.ControlResponse
	crashes  bool // for a fault
}

// serveControl is the Assessment Control Service (Proctoring Services 1.0, 5).
func (p *Platform) serveControl(w http.ResponseWriter, r *http.Request) {
	o := &order{Request: r, credentials: credentialsOf(r)}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxServiceBody))
	o.body = body
	var tooLarge *http.MaxBytesError
	if err == nil || !errors.As(err, &tooLarge) {
		o.object = asObject(body)
	}
	var wrong []refusal
	authorization := p.checkToken(r, &o.credentials, ofControl)
	wrong = append(wrong, p.checkMethod(o)...)
	wrong = append(wrong, authorization...)
	wrong = append(wrong, p.checkMediaType(o)...)
	form := p.checkBody(o)
	wrong = append(wrong, form...)
	if len(authorization) == 0 && len(form) == 0 {
		wrong = append(wrong, p.checkTarget(o)...)
	}
	answer := p.stimulated(o)
	if len(wrong) == 0 && answer.why != nil {
		wrong = []refusal{*answer.why}
	}
	if len(wrong) == 0 {
		wrong = p.obey(o)
	}
	wrong = p.spoilRefusal(o, wrong)

	control := Control{
		Method: r.Method, Target: r.RequestURI, ContentType: r.Header.Get("Content-Type"), Authorized: len(authorization) == 0,
		Token: o.token, Scopes: o.known.scopes, Body: o.body, Status: http.StatusOK, Problems: said(wrong), At: p.opts.Now(),
	}
	switch {
	case len(wrong) > 0:
		control.Status = wrong[0].status
	case answer.empty:
		control.Status = http.StatusNoContent
	}
	p.note(o, control)
	switch {
	case answer.reset:
		panic(http.ErrAbortHandler) // net/http drops the connection
	case control.Status == http.StatusNoContent:
		w.WriteHeader(http.StatusNoContent)
		return
	case len(wrong) == 0:
		if answer.status != "" {
			o.response.Status = answer.status
		}
		p.respond(w, o, answer.body)
		return
	}
	if why := wrong[0]; (why.status == http.StatusUnauthorized || why.status == http.StatusForbidden) && !p.has(ChallengesNobody) {
		w.Header().Set("WWW-Authenticate", challenge(why, ofControl.scopes))
	}
	fail(w, wrong[0], http.MethodPost)
}

// note keeps a request in the records of the platform and of the launches that
// it is about, as far as that can be told.
func (p *Platform) note(o *order, control Control) {
	user, _ := o.object["user"].(map[string]any)
	link, _ := o.object["resource_link"].(map[string]any)
	sub, linkID := jsonOf(user, "sub"), jsonOf(link, "id")
	about := p.exams(func(_ *Launch, said statement) bool { return said.sub == sub && said.linkID == linkID })
	if len(about) == 0 && o.known.clientID == "" {
		p.unplanned(o.Request, "a request to the Assessment Control Service that has no access token of this platform, and is about no candidate of it")
		return
	}
	if len(about) == 0 {
		about = p.exams(func(*Launch, statement) bool { return true })
	}
	for _, l := range about {
		l.mu.Lock()
		if len(l.record.Controls) < maxRecord {
			l.record.Controls = append(l.record.Controls, control)
		}
		l.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.controls) < maxServiceRecord {
		p.controls = append(p.controls, control)
	}
	close(p.controlled)
	p.controlled = make(chan struct{})
}

// AwaitControls waits until the launch's record has so many requests to the
// Assessment Control Service, and says whether it has: it has not when the context
// ends before.
func (l *Launch) AwaitControls(ctx context.Context, n int) bool {
	for {
		l.platform.mu.Lock()
		next := l.platform.controlled
		l.platform.mu.Unlock()
		if len(l.Record().Controls) >= n {
			return true
		}
		select {
		case <-next:
		case <-ctx.Done():
			return false
		}
	}
}

func (p *Platform) checkMethod(o *order) []refusal {
	if o.Method != http.MethodPost && (o.Method != http.MethodPut || !p.has(ControlsByPut)) {
		return []refusal{{http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, "the request is a " + o.Method + " instead of a POST"}}
	}
	return nil
}

func (p *Platform) checkMediaType(o *order) []refusal {
	if name := mediaType(o.Request); (name != lti.MediaTypeControl && name != "application/json") && !p.has(TakesAnyMediaType) || p.refusesMediaType(o, name) {
		return []refusal{{http.StatusUnsupportedMediaType, lti.ErrorInvalidRequest, "the content type is not " + lti.MediaTypeControl}}
	}
	return nil
}

// checkBody reads what the tool asks for.
func (p *Platform) checkBody(o *order) []refusal {
	found := p.unpacks(o)
	p.completes(o)
	if o.object == nil {
		found.bad("the body is no JSON object of at most %d bytes", maxServiceBody)
		return found
	}
	text := func(object map[string]any, member, name string) string {
		value, _ := object[member].(string)
		if value == "" {
			found.bad("%s is missing or no string", name)
		}
		return value
	}
	user, _ := o.object["user"].(map[string]any)
	link, _ := o.object["resource_link"].(map[string]any)
	if user == nil {
		found.bad("user is missing or no object")
	} else {
		o.request.User = lti.ControlUser{Issuer: text(user, "iss", "user.iss"), Sub: text(user, "sub", "user.sub")}
	}
	if link == nil {
		found.bad("resource_link is missing or no object")
	} else {
		o.request.ResourceLink.ID = text(link, "id", "resource_link.id")
	}
	number, ok := p.controlInteger(o.object["attempt_number"], TakesTextAttemptNumbers)
	if !ok {
		found.bad("attempt_number is missing or no integer")
	}
	o.request.AttemptNumber = number
	action, ok := o.object["action"].(string)
	action = p.readAction(o, action)
	if !ok {
		found.bad("action is missing or no string")
	} else if !slices.Contains(lti.Actions, lti.Action(action)) && !p.takesAction(action) {
		found.bad("there is no action %.100q", action)
	}
	o.request.Action = lti.Action(action)
	found = append(found, p.checkIncident(o)...)
	return append(found, p.checkExtraTime(o)...)
}

// checkIncident reads what has happened.
func (p *Platform) checkIncident(o *order) []refusal {
	var found refusals
	at, _ := o.object["incident_time"].(string)
	if _, err := time.Parse(time.RFC3339, at); err == nil && p.narrowIncidentTime(at) || err != nil && !p.takesIncidentTime(o) {
		found.bad("incident_time is missing or no date-time with zone")
	}
	o.request.IncidentTime = at
	if value, sent := o.object["incident_severity"]; sent {
		number, _ := value.(json.Number)
		severity, err := number.Float64()
		if (err != nil || severity < 0 || severity > 1) && !p.has(TakesAnySeverity) {
			found.bad("incident_severity is no number from 0 to 1")
		}
		o.request.IncidentSeverity = &severity
	}
	text := func(name string) string {
		value, ok := o.object[name].(string)
		if _, sent := o.object[name]; sent && !ok && !p.has(TakesAnyReason) {
			found.bad("%s is no string", name)
		}
		return value
	}
	o.request.ReasonCode, o.request.ReasonMessage = text("reason_code"), text("reason_msg")
	if len(o.request.ReasonMessage) > shortReason && p.has(RefusesLongReasons) || o.request.ReasonMessage != "" && o.request.Action == lti.Update && p.has(RefusesReasonsOfUpdates) {
		found.bad("reason_msg is too long, or does not belong there")
	}
	return found
}

// checkExtraTime reads the minutes that are added.
func (p *Platform) checkExtraTime(o *order) []refusal {
	var found refusals
	value, sent := o.object["extra_time"]
	if !sent {
		if o.request.Action == lti.Update && !p.crashesWithoutTime(o) {
			found.bad("extra_time is missing")
		}
		return found
	}
	minutes, ok := integer(value)
	if ok && minutes == 0 && p.has(RefusesNoExtraTime) {
		found.bad("extra_time is 0")
	}
	if (!ok || minutes < 0 || minutes > maxExtraTime) && !p.has(TakesAnyExtraTime) {
		found.bad("extra_time is no integer from 0 to %d", maxExtraTime)
	}
	o.request.ExtraTime = &minutes
	return found
}

// checkTarget finds the attempt, among those that were launched with the same
// tool, and checks that the launch offered the action.
func (p *Platform) checkTarget(o *order) []refusal {
	unknown := func(says string) []refusal {
		return []refusal{{http.StatusNotFound, lti.ErrorInvalidRequest, says}}
	}
	if o.request.User.Issuer != p.issuer && !p.has(IgnoresControlIssuer) {
		return unknown("user.iss is not this platform")
	}
	if found := p.target(o); len(found) > 0 {
		o.attempt = found[0].attempt
	}
	if o.attempt == nil {
		return unknown("no such attempt was launched with this tool")
	}
	o.attempt.mu.Lock()
	defer o.attempt.mu.Unlock()
	var found refusals
	if !slices.Contains(o.attempt.launch.plan.Exam.Actions, o.request.Action) && !p.has(ControlsUnoffered) && !p.takesAction(string(o.request.Action)) {
		found.bad("the launch did not offer the action %s", o.request.Action)
	}
	return found
}

// obey does what is asked for and says what has become of the attempt.
func (p *Platform) obey(o *order) []refusal {
	a := o.attempt
	a.mu.Lock()
	defer a.mu.Unlock()
	var found refusals
	if o.request.Action == lti.Update && a.extraTime+*o.request.ExtraTime > maxExtraTime {
		found.bad("extra_time makes more than %d minutes", maxExtraTime)
		return found
	}
	if wrong := p.balks(o); len(wrong) > 0 {
		return wrong
	}
	a.control(o.request)
	o.response.Status = p.reportedStatus(o)
	if a.extraTime > 0 && !p.has(LeavesExtraTimeOut) {
		minutes := a.extraTime
		o.response.ExtraTime = &minutes
	}
	return nil
}
