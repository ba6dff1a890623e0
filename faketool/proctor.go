package faketool

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// ProctorPath is where teachers see who is proctored. Its parameter candidate
// narrows the list down.
const ProctorPath = "/proctor"

// maxListed bounds how many sittings are listed.
const maxListed = 50

// maxReason bounds what a proctor may say of an incident.
const maxReason = 4096

// proctorPage lists sittings.
type proctorPage struct {
	Candidate string
	Sittings  []proctored
}

// proctored is a sitting in the list.
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
func (t *Tool) teacherHere(r *http.Request) (Launch, error) {
	launch, err := t.launchHere(r, "")
	if err != nil {
		return Launch{}, err
	}
	if !launch.Teacher {
		return Launch{}, &refusal{http.StatusForbidden, "Only teachers proctor."}
	}
	return launch, nil
}

// watches says whether a sitting is one of the platform that a teacher was
// launched from.
func (l Launch) watches(s *sitting) bool { return clientOf(s.registration) == l.platform }

func (t *Tool) serveProctor(w http.ResponseWriter, r *http.Request) {
	teacher, err := t.teacherHere(r)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	shown := proctorPage{Candidate: clip(r.URL.Query().Get("candidate"))}
	t.mu.Lock()
	for _, s := range slices.Backward(t.sittings) {
		if len(shown.Sittings) == maxListed {
			break
		}
		if teacher.watches(s) && (strings.Contains(s.name, shown.Candidate) || strings.Contains(s.sub, shown.Candidate)) {
			shown.Sittings = append(shown.Sittings, t.proctored(s))
		}
	}
	t.mu.Unlock()
	t.render(w, http.StatusOK, "proctor", shown)
}

// proctored tells of a sitting while the tool's mutex is held.
func (t *Tool) proctored(s *sitting) proctored {
	p := proctored{Name: s.shownName(), Sub: s.sub, Title: s.shownTitle(), Number: s.number, Closed: s.closed}
	if !s.closed {
		for _, action := range s.actions {
			p.Orders = append(p.Orders, orderForm{action, labels[action], t.opts.URL + ProctorPath + "/" + s.id + "/" + string(action)})
		}
	}
	return p
}

// serveAction does what a proctor asks for to an attempt, through the platform's
// Assessment Control Service (Proctoring Services 1.0, 5).
func (t *Tool) serveAction(w http.ResponseWriter, r *http.Request) {
	teacher, err := t.teacherHere(r)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	s, open := t.sittingNamed(r.PathValue("id"))
	action := lti.Action(r.PathValue("action"))
	switch {
	case s == nil || !teacher.watches(s):
		err = &refusal{http.StatusNotFound, "There is no such sitting."}
	case !open:
		err = &refusal{http.StatusConflict, "This sitting is over."}
	case !slices.Contains(s.actions, action):
		err = &refusal{http.StatusNotFound, "The platform does not offer this."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if unreadable := r.ParseForm(); err == nil && unreadable != nil {
		err = badRequest("The order cannot be read.")
	}
	var request lti.ControlRequest
	if err == nil {
		request, err = t.orderOf(s, action, r.PostForm)
	}
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	shown, err := t.outcome(r, s, request)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	t.render(w, http.StatusOK, "outcome", shown)
}

// orderOf reads what a proctor asks for.
func (t *Tool) orderOf(s *sitting, action lti.Action, form url.Values) (lti.ControlRequest, error) {
	request := lti.ControlRequest{
		User:          lti.ControlUser{Issuer: s.registration.Issuer, Sub: s.sub},
		ResourceLink:  lti.ControlResourceLink{ID: s.link},
		AttemptNumber: s.number,
		Action:        action,
		IncidentTime:  t.opts.Now().Format(time.RFC3339),
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
var orderAnswered = &fault.List[*Exchange]{Name: "what came of an order"}

// outcome sends an order and tells what came of it.
func (t *Tool) outcome(r *http.Request, s *sitting, request lti.ControlRequest) (outcomePage, error) {
	shown := outcomePage{Status: "failed", Back: t.opts.URL + ProctorPath + "?candidate=" + url.QueryEscape(s.sub)}
	e, err := t.order(r.Context(), s, request)
	if err != nil {
		shown.Says = fmt.Sprintf("The platform was not asked: %s.", err)
		return shown, nil
	}
	if err := orderAnswered.First(t.carrier, e); err != nil {
		return shown, err
	}
	answer, err := e.Answer()
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
