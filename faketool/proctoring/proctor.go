package proctoring

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// maxListed bounds how many check-ins are listed.
const maxListed = 50

// maxReason bounds what a proctor may say of an incident.
const maxReason = 4096

// proctorPage lists check-ins.
type proctorPage struct {
	Candidate string
	CheckIns  []proctored
}

// proctored is a check-in in the list.
type proctored struct {
	Name, Sub, Title string
	Number           int
	Closed           bool
	Orders           []orderForm
}

// orderForm is an action that the platform offers.
type orderForm struct {
	Action lti.Action
	Label  string
	URL    string
}

// labels are what the actions are called on the page.
var labels = map[lti.Action]string{
	lti.Pause: "Pause", lti.Resume: "Resume", lti.Terminate: "Terminate", lti.Update: "Give time", lti.Flag: "Flag",
}

// outcomePage is what came of an order.
type outcomePage struct{ Status, Says, Back string }

// teacherHere returns the last launch in this browser, where it was a teacher's.
// Candidates have none, whatever their roles.
func (p *Proctor) teacherHere(r *http.Request) (part.Launch, error) {
	launch, err := p.core.Launch(r, "")
	if err != nil {
		return part.Launch{}, err
	}
	if !launch.Teacher {
		return part.Launch{}, &part.Refusal{Status: http.StatusForbidden, Why: "Only teachers proctor."}
	}
	return launch, nil
}

// watches says whether a check-in is one of the platform that a teacher was
// launched from.
func watches(l part.Launch, s *checkIn) bool {
	return s.registration.Issuer == l.Issuer && s.registration.ClientID == l.ClientID
}

func (p *Proctor) serveProctor(w http.ResponseWriter, r *http.Request) {
	teacher, err := p.teacherHere(r)
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	shown := proctorPage{Candidate: clip(r.URL.Query().Get("candidate"), maxShown)}
	p.mu.Lock()
	for _, s := range slices.Backward(p.checkIns) {
		if len(shown.CheckIns) == maxListed {
			break
		}
		if watches(teacher, s) && (strings.Contains(s.name, shown.Candidate) || strings.Contains(s.sub, shown.Candidate)) {
			shown.CheckIns = append(shown.CheckIns, p.proctored(s))
		}
	}
	p.mu.Unlock()
	p.show(w, "proctor", shown)
}

// proctored tells of a check-in while the tool's mutex is held.
func (p *Proctor) proctored(s *checkIn) proctored {
	one := proctored{Name: s.shownName(), Sub: s.sub, Title: s.shownTitle(), Number: s.number, Closed: s.closed}
	if !s.closed {
		for _, action := range s.actions {
			one.Orders = append(one.Orders, orderForm{action, labels[action], p.core.URL() + ProctorPath + "/" + s.id + "/" + string(action)})
		}
	}
	return one
}

// serveAction does what a proctor asks for to an attempt, through the platform's
// Assessment Control Service (Proctoring Services 1.0, 5).
func (p *Proctor) serveAction(w http.ResponseWriter, r *http.Request) {
	teacher, err := p.teacherHere(r)
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	s, open := p.checkInNamed(r.PathValue("id"))
	action := lti.Action(r.PathValue("action"))
	switch {
	case s == nil || !watches(teacher, s):
		err = &part.Refusal{Status: http.StatusNotFound, Why: "There is no such sitting."}
	case !open:
		err = &part.Refusal{Status: http.StatusConflict, Why: "This sitting is over."}
	case !slices.Contains(s.actions, action):
		err = &part.Refusal{Status: http.StatusNotFound, Why: "The platform does not offer this."}
	}
	if unreadable := r.ParseForm(); err == nil && unreadable != nil {
		err = badRequest("The order cannot be read.")
	}
	var request lti.ControlRequest
	if err == nil {
		request, err = p.orderOf(s, action, r.PostForm)
	}
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	shown, err := p.outcome(r, s, request)
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	p.show(w, "outcome", shown)
}

// orderOf reads what a proctor asks for.
func (p *Proctor) orderOf(s *checkIn, action lti.Action, form url.Values) (lti.ControlRequest, error) {
	request := lti.ControlRequest{
		User:          lti.ControlUser{Issuer: s.registration.Issuer, Sub: s.sub},
		ResourceLink:  lti.ControlResourceLink{ID: s.link},
		AttemptNumber: s.number,
		Action:        action,
		IncidentTime:  p.core.Now().Format(time.RFC3339),
	}
	switch action {
	case lti.Update:
		minutes, err := strconv.Atoi(form.Get("extra_time"))
		if err != nil || minutes < 0 {
			return request, badRequest("The extra time is no number of minutes.")
		}
		request.ExtraTime = &minutes
	case lti.Flag:
		severity, err := strconv.ParseFloat(form.Get("severity"), 64)
		if err != nil || !(severity >= 0 && severity <= 1) {
			return request, badRequest("The severity is no number from 0 to 1.")
		}
		request.IncidentSeverity = &severity
		request.ReasonCode, request.ReasonMessage = form.Get("reason_code"), form.Get("reason_msg")
		if len(request.ReasonCode)+len(request.ReasonMessage) > maxReason {
			return request, badRequest("The reason is too long.")
		}
	}
	return request, nil
}

// orderAnswered is empty: whatever the platform answers is told to the proctor.
var orderAnswered = &fault.List[*part.Exchange]{Name: "what came of an order"}

// outcome sends an order and tells what came of it.
func (p *Proctor) outcome(r *http.Request, s *checkIn, request lti.ControlRequest) (outcomePage, error) {
	shown := outcomePage{Status: "failed", Back: p.core.URL() + ProctorPath + "?candidate=" + url.QueryEscape(s.sub)}
	e, err := p.order(r.Context(), s, request)
	if err != nil {
		shown.Says = fmt.Sprintf("The platform was not asked: %s.", err)
		return shown, nil
	}
	if err := orderAnswered.First(p.core.Carrier(), e); err != nil {
		return shown, err
	}
	answer, err := ReadAnswer(e)
	if err != nil {
		shown.Says = fmt.Sprintf("The platform did not take it: %s.", err)
		return shown, nil
	}
	shown.Status = string(answer.Status)
	shown.Says = fmt.Sprintf("The platform says: %s.", answer.Status)
	if answer.ExtraTime != nil {
		shown.Says = fmt.Sprintf("The platform says: %s, with %d minutes more.", answer.Status, *answer.ExtraTime)
	}
	return shown, nil
}
