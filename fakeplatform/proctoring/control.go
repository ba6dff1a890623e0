package proctoring

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// What the service reads of a request, and how many of them are kept.
const (
	maxServiceBody   = 64 << 10
	maxServiceRecord = 1000
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
func (e *Exams) Controls() []Control {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.controls)
}

// order is a request to the Assessment Control Service while it is being judged.
type order struct {
	*http.Request
	exams    *Exams
	token    part.Token
	noToken  error // why the request has no access token that is good
	body     []byte
	object   map[string]any // nil where the body is none
	request  lti.ControlRequest
	attempt  *Attempt // nil where none is found
	response lti.ControlResponse
}

// serveControl is the Assessment Control Service (Proctoring Services 1.0, 5).
func (e *Exams) serveControl(w http.ResponseWriter, r *http.Request) {
	o := &order{Request: r, exams: e}
	o.token, o.noToken = e.core.Token(controlCame.Pass(e.carrier(), r), part.Need{Part: Profile})
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxServiceBody))
	o.body = body
	var tooLarge *http.MaxBytesError
	if err == nil || !errors.As(err, &tooLarge) {
		o.object = jwt.Object(body)
	}
	var wrong part.Refusals
	authorization := part.RefusalsOf(accessRules.First(e.carrier(), o))
	wrong = append(wrong, part.RefusalsOf(controlMethodRules.All(e.carrier(), o)...)...)
	wrong = append(wrong, authorization...)
	wrong = append(wrong, part.RefusalsOf(controlMediaTypeRules.All(e.carrier(), o)...)...)
	form := e.checkBody(o)
	wrong = append(wrong, form...)
	if len(authorization) == 0 && len(form) == 0 {
		wrong = append(wrong, e.checkTarget(o)...)
	}
	answer := e.stimulated(o)
	if len(wrong) == 0 && answer.why != nil {
		wrong = part.Refusals{*answer.why}
	}
	if len(wrong) == 0 {
		wrong = e.obey(o)
	}
	if len(wrong) > 0 {
		refused := controlRefused.Pass(e.carrier(), refusedOrder{o, wrong, o.response})
		wrong, o.response = refused.wrong, refused.response
	}

	control := Control{
		Method: r.Method, Target: r.RequestURI, ContentType: r.Header.Get("Content-Type"), Authorized: len(authorization) == 0,
		Token: o.token.Value, Scopes: o.token.Scopes, Body: o.body, Status: http.StatusOK, Problems: wrong.Said(), At: e.core.Now(),
	}
	switch {
	case len(wrong) > 0:
		control.Status = wrong[0].Status
	case answer.empty:
		control.Status = http.StatusNoContent
	}
	e.note(o, control)
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
		e.respond(w, o, answer.body)
		return
	}
	if why := wrong[0]; (why.Status == http.StatusUnauthorized || why.Status == http.StatusForbidden) && challenged.Taken(e.carrier(), o) {
		w.Header().Set("WWW-Authenticate", part.Challenge(why.Code, lti.ScopeControl))
	}
	part.Fail(w, wrong[0].Status, wrong[0].Code, wrong[0].Says, http.MethodPost)
}

// note keeps a request in the records of the platform and of the launches that
// it is about, as far as that can be told.
func (e *Exams) note(o *order, control Control) {
	user, _ := o.object["user"].(map[string]any)
	link, _ := o.object["resource_link"].(map[string]any)
	sub, linkID := jwt.Member(user, "sub"), jwt.Member(link, "id")
	about := e.find(func(_ *Launch, said statement) bool { return said.sub == sub && said.linkID == linkID })
	if len(about) == 0 && o.token.ClientID == "" {
		e.core.Unplanned(o.Request, "a request to the Assessment Control Service that has no access token of this platform, and is about no candidate of it")
		return
	}
	if len(about) == 0 {
		about = e.find(func(*Launch, statement) bool { return true })
	}
	for _, l := range about {
		l.mu.Lock()
		if len(l.record.Controls) < maxRecord {
			l.record.Controls = append(l.record.Controls, control)
		}
		l.mu.Unlock()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.controls) < maxServiceRecord {
		e.controls = append(e.controls, control)
	}
	close(e.controlled)
	e.controlled = make(chan struct{})
}

// checkBody reads what the tool asks for, and checks it.
func (e *Exams) checkBody(o *order) part.Refusals {
	o.object = controlRead.Pass(e.carrier(), readOrder{o, o.object}).object
	o.read()
	return controlChecked.Pass(e.carrier(), checkedOrder{o, part.RefusalsOf(controlRules.All(e.carrier(), o)...)}).wrong
}

// read reads what the tool asks for, as far as it can be read.
func (o *order) read() {
	text := func(name string, members ...string) string {
		value, _ := o.member(name, members...).(string)
		return value
	}
	o.request.User = lti.ControlUser{Issuer: text("user", "iss"), Sub: text("user", "sub")}
	o.request.ResourceLink.ID = text("resource_link", "id")
	o.request.AttemptNumber, _ = jwt.Integer(o.object["attempt_number"])
	o.request.Action = lti.Action(text("action"))
	o.request.IncidentTime = text("incident_time")
	if _, sent := o.object["incident_severity"]; sent {
		severity, _ := o.severity()
		o.request.IncidentSeverity = &severity
	}
	o.request.ReasonCode, o.request.ReasonMessage = text("reason_code"), text("reason_msg")
	if _, sent := o.object["extra_time"]; sent || o.request.Action == lti.Update {
		minutes, _ := jwt.Integer(o.object["extra_time"])
		o.request.ExtraTime = &minutes
	}
}

// checkTarget finds the attempt, among those that were launched with the same
// tool, and checks that the launch offered the action.
func (e *Exams) checkTarget(o *order) part.Refusals {
	if err := targetIssuer.Check(e.carrier(), o); err != nil {
		return part.RefusalsOf(err)
	}
	said := o.names()
	own := e.find(func(l *Launch, of statement) bool {
		return l.Plan().ClientID == o.token.ClientID && said.sameAttempt(of)
	})
	if len(own) == 0 {
		others := e.find(func(_ *Launch, of statement) bool { return said.sameAttempt(of) })
		if len(others) > 0 && part.OthersServed.Taken(e.carrier(), part.Asking{Request: o.Request, ClientID: o.token.ClientID}) {
			own = others
		}
	}
	found := controlTarget.Pass(e.carrier(), targetedOrder{o, own}).launches
	if len(found) > 0 {
		o.attempt = found[0].attempt
	}
	return part.RefusalsOf(targetRules.First(e.carrier(), o))
}

// names is the candidate, the resource link and the attempt that a request names, as a message
// would say them.
func (o *order) names() statement {
	text := func(value any) string { return jwt.Member(map[string]any{"": value}, "") }
	return statement{sub: text(o.request.User.Sub), linkID: text(o.request.ResourceLink.ID), attemptNumber: text(o.request.AttemptNumber)}
}

// sameAttempt says whether two statements are about one attempt.
func (s statement) sameAttempt(other statement) bool {
	return s.sub == other.sub && s.linkID == other.linkID && s.attemptNumber == other.attemptNumber
}

// obey does what is asked for and says what has become of the attempt.
func (e *Exams) obey(o *order) part.Refusals {
	a := o.attempt
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := obeyedRules.First(e.carrier(), o); err != nil {
		return part.RefusalsOf(err)
	}
	a.control(o.request)
	o.response.Status = statusTold.Pass(e.carrier(), toldStatus{o, a.settled()}).status
	if a.extraTime > 0 {
		minutes := a.extraTime
		o.response.ExtraTime = &minutes
	}
	return nil
}

// respond tells what has become of the attempt.
func (e *Exams) respond(w http.ResponseWriter, o *order, instead any) {
	if instead != nil {
		part.Send(w, http.StatusOK, lti.MediaTypeControl, instead)
		return
	}
	members := map[string]any{"status": o.response.Status}
	if o.response.ExtraTime != nil {
		members["extra_time"] = *o.response.ExtraTime
	}
	answer := controlAnswered.Pass(e.carrier(), answeredOrder{o, members, lti.MediaTypeControl})
	part.Send(w, http.StatusOK, answer.mediaType, answer.members)
}
