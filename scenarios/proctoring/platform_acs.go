package proctoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/harness"
	"invigilator.example/lti"
)

// controlService is what reports call the service.
const controlService = "Assessment Control Service"

// A Call is a request of the fake tool's server to a service of the platform.
// Its zero value flags an incident.
type Call struct {
	// Title says what the call is for, in the report.
	Title  string
	Action lti.Action
	// ExtraTime is sent with the action where it is set, in minutes.
	ExtraTime *int
	Severity  *float64
	// Reason is sent as reason_msg, with a code.
	Reason string
	// Fault is what differs from a valid request.
	Fault *faketool.Fault
	// Token is the access token; a valid one for control.all when empty.
	Token string
	// Change changes the request otherwise.
	Change func(*lti.ControlRequest)
	// Tool is the one that calls; the first when nil.
	Tool *faketool.Tool
	// URL is where the request goes; the assessment_control_url of the launch when empty.
	URL string
}

// ExamTime is how long an attempt at the exam lasts; 0 where that is not known.
func (s *Scenario) ExamTime() time.Duration { return s.Run().Platform().ExamDuration.Std() }

// Act sends a control request for the attempt of an exam, and keeps what came of it.
func (s *Scenario) Act(ctx context.Context, exam *harness.PlatformFlow, c Call) (*harness.PlatformFlow, error) {
	m := exam.Message()
	address, _ := m.Object(lti.ClaimACS)["assessment_control_url"].(string)
	if address == "" {
		return nil, fmt.Errorf("%w: it has no assessment_control_url", harness.ErrNoLaunch)
	}
	address = cmp.Or(c.URL, address)
	c.Action = cmp.Or(c.Action, lti.Flag)
	if err := s.learnControl(ctx, exam, c); err != nil {
		return nil, err
	}
	if c.Token == "" {
		var err error
		if c.Token, err = s.Access(ctx, lti.ScopeControl); err != nil {
			return nil, err
		}
	}
	attempt, _ := m.Claims[lti.ClaimAttemptNumber].(float64)
	sub, _ := m.Text("sub")
	link, _ := m.Object(lti.ClaimResourceLink)["id"].(string)
	request := lti.ControlRequest{
		User: lti.ControlUser{Issuer: s.Run().Platform().Issuer, Sub: sub}, ResourceLink: lti.ControlResourceLink{ID: link},
		AttemptNumber: int(attempt), Action: c.Action, ExtraTime: c.ExtraTime,
		IncidentTime: s.Run().Now().UTC().Format(time.RFC3339), IncidentSeverity: c.Severity,
	}
	if c.Action != lti.Update && c.Severity == nil {
		request.IncidentSeverity = new(0.5)
		request.ReasonCode = "1"
	}
	if c.Reason != "" {
		request.ReasonCode, request.ReasonMessage = "1", c.Reason
	}
	if c.Change != nil {
		c.Change(&request)
	}
	tool := c.Tool
	if tool == nil {
		tool = s.Run().Tool()
	}
	if c.Title == "" {
		c.Title = "control: " + string(c.Action)
	}
	flow, err := s.Exchange(ctx, harness.Sending{Title: c.Title, Service: controlService, Fault: c.Fault, Send: func(ctx context.Context) (*faketool.Exchange, error) {
		return proctoring.Of(tool).Control(ctx, address, c.Token, request, proctoring.ControlProbe{Fault: c.Fault})
	}})
	if err == nil {
		if answer, wrong := ControlAnswer(flow); wrong == nil {
			s.underWay = nil
			if answer.Status == lti.Running || answer.Status == lti.Paused {
				s.underWay = exam
			}
		}
	}
	return flow, err
}

// ControlAnswer is what the Assessment Control Service has said, and an error where it said
// nothing that is known.
func ControlAnswer(f *harness.PlatformFlow) (lti.ControlResponse, error) {
	return proctoring.ReadAnswer(f.Exchange)
}

// learnControl acts on an exam by a valid request, where it is not known whether the control
// service works at all and the call that follows would not tell.
func (s *Scenario) learnControl(ctx context.Context, exam *harness.PlatformFlow, c Call) error {
	valid, offered := Harmless(exam)
	if OffersAction(exam, lti.Resume) { // an attempt that goes on anyway stays what it is
		valid, offered = Call{Action: lti.Resume}, true
	}
	// A valid request of any action tells by itself. Another one before it might change what it finds.
	tells := c.Fault == nil && c.Change == nil && c.Token == "" && c.URL == "" && c.Tool == nil
	if !offered || valid.Action == lti.Pause || tells || !s.Run().MayLearn(controlService) {
		return nil
	}
	valid.Title = "control: a valid request before others"
	_, err := s.Act(ctx, exam, valid)
	if errors.Is(err, harness.ErrNoLaunch) || errors.Is(err, harness.ErrUndeclared) || errors.Is(err, harness.ErrMissing) { // the call that follows shows it as well
		return nil
	}
	return err
}

// controlWorks acts on an exam that is under way.
func controlWorks(ctx context.Context, scene *harness.PlatformScenario) (*harness.PlatformFlow, error) {
	s := In(scene)
	exam, err := s.Running(ctx, "", nil)
	if err != nil && !harness.IsGone(err) && s.underWay != nil { // what is paused is in the way of a new start
		exam, err = s.underWay, nil
	}
	if err != nil {
		return exam, harness.NotTried(err)
	}
	request, offered := Harmless(exam)
	if !offered {
		return exam, harness.ErrUndeclared
	}
	request.Title = "control: a valid request"
	flow, err := s.Act(ctx, exam, request)
	if err != nil {
		return flow, err
	}
	if _, wrong := ControlAnswer(flow); wrong != nil {
		return flow, fmt.Errorf("a valid request is not answered: %s", flow.Reply())
	}
	return flow, s.tidy(ctx, "")
}

// OffersAction says whether a launch offers an action of the Assessment Control Service.
func OffersAction(f *harness.PlatformFlow, action lti.Action) bool {
	actions, _ := f.Message().Object(lti.ClaimACS)["actions"].([]any)
	return slices.Contains(actions, any(string(action)))
}

// Harmless is a call for an action that a launch offers and that the attempt survives; false
// where there is none.
func Harmless(exam *harness.PlatformFlow) (Call, bool) {
	switch {
	case exam == nil:
		return Call{}, false
	case OffersAction(exam, lti.Flag):
		return Call{Action: lti.Flag}, true
	case OffersAction(exam, lti.Update):
		return Call{Action: lti.Update, ExtraTime: new(5)}, true
	case OffersAction(exam, lti.Pause):
		return Call{Action: lti.Pause}, true
	}
	return Call{}, false
}
