package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// lostKeySets is how often the fake platforms could not fetch a key set of the tool that they had
// fetched before.
func (r *Run) lostKeySets() int {
	n := r.platform.LostKeySets()
	if r.other != nil {
		n += r.other.LostKeySets()
	}
	return n
}

// ProctoringScenario begins a scenario whose launches are those of candidates into
// proctored exams: by LtiStartProctoring, and through the tool's check-in. The tool
// has accepted one when LtiStartAssessment comes.
func (r *Run) ProctoringScenario(tb TB, text, location string) *Scenario {
	s := r.Scenario(tb, text, location)
	s.kind = intoExam
	return s
}

// Candidate is somebody whom the tool has never seen, with a name that nobody
// else has.
func Candidate() fakeplatform.User {
	return Newcomer(Learner)
}

// Newcomer is somebody whom the tool has never seen, with a name that nobody else
// has; of the same kind as another user.
func Newcomer(like fakeplatform.User) fakeplatform.User {
	user, mark := like, lti.RandomString()[:8]
	user.Sub += "-" + mark
	user.FamilyName += " " + mark
	user.Name += " " + mark
	user.Email = mark + "." + user.Email
	user.SourcedID += ":" + mark
	return user
}

// examOf is what a launch into an exam says: what every platform can offer,
// where it does not say otherwise.
func (r *Run) examOf(e proctoring.Exam) proctoring.Exam {
	e.Attempt = cmp.Or(e.Attempt, 1)
	e.Settings = cmp.Or(e.Settings, r.tool.ProctoringSettings)
	if e.Actions == nil {
		e.Actions = lti.Actions
	}
	return e
}

// attend lets the user do something where a launch has led: goes through the tool's
// check-in, for example. A tool that asks nothing of a candidate is through already.
func (r *Run) attend(ctx context.Context, l Launch, f *Flow, began time.Time) error {
	deed := l.Does
	if l.Exam != nil && deed == "" {
		deed = config.CheckIn
	}
	if deed == "" || l.Stays || !r.mayAttend(l, f) {
		return nil
	}
	usual := r.visit("")
	refuses := slices.DeleteFunc(usual.Markers, func(m agent.Marker) bool { return m.Name != refusesMarker })
	journey := agent.Journey{In: agent.Here, Until: f.Launch.PlatformURL() + "/", Screenshot: true, Also: append(usual.Also, refuses...)}
	if deed != config.CheckIn {
		journey.Until = "" // it may end with the tool
	}
	// What shows at once whether there is a check-in is its first step, which takes a
	// tool as long as in a valid launch. What becomes of it may take longer.
	first := time.Duration(0)
	if l.Denied || l.Fault != nil && !l.Fault.Permitted {
		first = max(r.glance(), 2*r.firstStepTook(0))
	} else if deed == config.CheckIn {
		at := time.Now()
		journey.Tell = func(agent.Action) {
			if !at.IsZero() {
				r.firstStepTook(time.Since(at))
				at = time.Time{}
			}
		}
	}
	f.attended = true
	journey.Markers, journey.MarkerWait = r.outcomeSigns(deed), r.config.Timeout.PageSign.Std()
	f.tells = len(journey.Markers) > 0
	trip, err := r.do(ctx, l.By, deed, journey, first, append(slices.Clone(l.Words), wordsOn(f.Launch)...))
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		f.stuck = stuck
	} else if err != nil {
		return err
	}
	trip.Steps, trip.Took = slices.Concat(f.Trip.Steps, trip.Steps), f.Trip.Took+trip.Took
	trip.Aims = slices.Concat(f.Trip.Aims, trip.Aims)
	f.Trip, f.Record = trip, f.Launch.Record()
	f.evidence = r.evidence(f, l, began)
	return nil
}

// firstStepTook keeps how long the first step of a check-in took, and returns the longest
// time that one has taken.
func (r *Run) firstStepTook(d time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.firstStep = max(r.firstStep, d)
	return r.firstStep
}

// glance is how long something is looked for that should not be there.
func (r *Run) glance() time.Duration { return max(r.config.Timeout.PageSign.Std(), leastPatience) }

// leastPatience is how long at least.
const leastPatience = 500 * time.Millisecond

// mayAttend says whether there can be a check-in where the launch has led.
func (r *Run) mayAttend(l Launch, f *Flow) bool {
	held := l.Fault != nil && fakeplatform.HoldsAnswer(*l.Fault) && !l.Again
	return !held && f.Trip.Ended == agent.Settled && f.Trip.Page.Status < http.StatusBadRequest && len(proctoring.Seen(f.Record.Part).StartAssessments) == 0 &&
		!strings.HasPrefix(f.Trip.Page.URL, f.Launch.PlatformURL()+"/")
}

// do makes the journey in the tool that does something. What its words stand for is
// given in pairs. What its first step acts on is waited for so long, or as for any where
// first is 0.
func (r *Run) do(ctx context.Context, by agent.User, deed config.Deed, j agent.Journey, first time.Duration, given words) (*agent.Trip, error) {
	name, ok := r.config.JourneyFor(deed)
	if !ok {
		return nil, fmt.Errorf("%w: does %s", ErrNoJourney, deed)
	}
	j.Actions = r.actionsOf(r.config.Journeys[name].Steps, given)
	if first > 0 && len(j.Actions) > 0 {
		j.Actions[0].Seek = first
	}
	return r.makeJourney(ctx, by, "the journey "+name, j)
}

// wordsOn are the words of a journey that goes on from a launch, or acts on it.
func wordsOn(launch *fakeplatform.Launch) words {
	plan := launch.Plan()
	return words{"{candidate}", plan.User.Name, "{assessment}", plan.ResourceLink.Title, "{user_id}", plan.User.Sub, uniqueWord, unique()}
}

// Started are the messages that came for the launch to its start_assessment_url.
func (f *Flow) Started() []proctoring.StartAssessment {
	return proctoring.Seen(f.Record.Part).StartAssessments
}

// Message is the first LtiStartAssessment that came for the launch, read without
// any check. What is made of one that cannot be read is observed as inconclusive.
func (f *Flow) Message() Message { return f.note(f.Signed()) }

// Signed is that message for those who check that it is a JWT that is signed, whose
// matter it is where it cannot be read.
func (f *Flow) Signed() Message {
	if len(f.Started()) == 0 {
		return Message{}
	}
	return readMessage(f.Started()[0].JWT)
}

// Sent is what the launch's id_token said, read without any check.
func (f *Flow) Sent() Message { return readMessage(f.Record.IDToken) }

// carriesMessage says whether the browser sent a tool's message anywhere.
func (f *Flow) carriesMessage() bool {
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool {
		form, _ := url.ParseQuery(s.RequestBody) // what of it can be read
		query := url.Values{}
		if u, err := url.Parse(s.URL); err == nil {
			query = u.Query()
		}
		return slices.ContainsFunc(slices.Concat(form[lti.ParamJWT], query[lti.ParamJWT]), func(token string) bool {
			messageType, _ := readMessage(token).Text(lti.ClaimMessageType)
			return messageType == lti.StartAssessment
		})
	})
}

// leadsToScript says whether the tool leads to a start_assessment_url that has no host:
// no request shows that.
func (f *Flow) leadsToScript() bool {
	to, _ := f.Sent().Text(lti.ClaimStartAssessmentURL)
	u, err := url.Parse(to)
	return err == nil && u.Scheme != "" && u.Host == "" && f.AimedAt(to)
}

// ScriptRan says whether what a message said ran as a script.
func (f *Flow) ScriptRan() bool {
	return slices.ContainsFunc(f.Trip.Page.Console, func(line string) bool { return strings.Contains(line, fakeplatform.ScriptRan) })
}

// examReaction reads how a tool reacted to a launch into an exam.
func (f *Flow) examReaction() Reaction {
	switch {
	case len(f.Started()) > 0:
		return Reaction{Kind: Accepted, Why: "LtiStartAssessment came"}
	case f.carriesMessage():
		return Reaction{Kind: Accepted, Why: "the browser was sent elsewhere with LtiStartAssessment"}
	case f.ScriptRan():
		return Reaction{Kind: Accepted, Why: "content of the message ran as a script"}
	case f.leadsToScript():
		return Reaction{Kind: Accepted, Why: "a link or form of the page leads to that start_assessment_url"}
	}
	if refused, ok := f.refusal(); ok {
		return refused
	}
	why := "no LtiStartAssessment came"
	if f.stuck != nil {
		why += ": " + f.stuck.Error()
	}
	if f.attended && (f.stuck == nil || f.stuck.Step > 1) {
		return Reaction{Kind: Unclear, Why: "the candidate was let into the check-in, but " + why + "; set tool.launch_refused to a sign of refusal"}
	}
	return Reaction{Kind: Refused, bySilence: true, Why: why}
}

// acceptedExam is the reaction to a launch that has to be accepted: the exam has to
// begin.
func (f *Flow) acceptedExam() Reaction {
	if f.Reaction.Kind == Unclear {
		return Reaction{Kind: Refused, Why: f.Reaction.Why}
	}
	return f.Reaction
}

// refusal reads a journey's end that speaks of a refusal, whatever the launch was
// for, and says whether it does.
func (f *Flow) refusal() (Reaction, bool) {
	switch f.Trip.Ended {
	case agent.Settled:
	case agent.Blocked:
		return Reaction{Kind: Refused, Why: "the browser refused to show the page: " + f.Trip.Why}, true
	default:
		return Reaction{Kind: Dead, Why: deaths[f.Trip.Ended] + brackets(f.Trip.Why)}, true
	}
	if n := len(f.Record.Returns); n > 0 && f.Record.Returns[n-1].ErrorMessage+f.Record.Returns[n-1].ErrorLog != "" {
		return Reaction{Kind: Refused, Why: "the tool returned the user to the platform with an error"}, true
	}
	if status := f.Trip.Page.Status; status >= http.StatusBadRequest {
		return Reaction{Kind: Refused, Crashed: status >= http.StatusInternalServerError, Why: fmt.Sprintf("HTTP %d", status)}, true
	}
	if f.Trip.Markers[refusesMarker] {
		return Reaction{Kind: Refused, Why: "the page shows the sign of a refused launch"}, true
	}
	return Reaction{}, false
}

// Offers says whether the message that the flow is about told of a way back.
func (f *Flow) Offers() bool {
	address, _ := f.Sent().Object(lti.ClaimLaunchPresentation)["return_url"].(string)
	return address != ""
}

// Fault is the name of the fault that the flow's launch carries; empty for none.
func (f *Flow) Fault() string { return f.evidence.Fault }

// Attended says whether the candidate has come to a page of the tool, and gone on
// from there, or tried to.
func (f *Flow) Attended() bool { return f.attended }

// Stuck is where the candidate came no further in the tool; nil where that did
// not happen.
func (f *Flow) Stuck() *JourneyError { return f.stuck }

// GoOn lets the user of a launch who has stayed where it led do something there, and
// keeps what came of it as a flow of its own. What words of the journey stand for is
// given in pairs.
func (s *Scenario) GoOn(ctx context.Context, title string, launched *Flow, deed config.Deed, words ...string) (*Flow, error) {
	flow, began := *launched, time.Now()
	flow.ID = s.run.nextFlowID()
	flow.Trip = new(*launched.Trip)
	flow.account = accountOf(launched.account.books, launched.account.contextID)
	if err := s.run.attend(ctx, Launch{Title: title, By: launched.by, Does: deed, Words: words}, &flow, began); err != nil {
		return nil, err
	}
	flow.account.close()
	flow.Record = flow.Launch.Record()
	flow.Reaction = s.run.baseline.reaction(&flow)
	s.keep(&flow)
	return &flow, nil
}

// proctorSeat returns the browser of the proctor, who signs in as the configuration
// says, or else is launched as an instructor.
func (s *Scenario) proctorSeat(ctx context.Context) (agent.User, error) {
	r := s.run
	if proctor := r.proctors[r.agent]; proctor != nil {
		return proctor, nil
	}
	by, err := r.Open(ctx)
	if err != nil {
		return nil, err
	}
	if steps := r.config.Users[config.Proctor].SignIn; len(steps) > 0 {
		_, err = r.makeJourney(ctx, by, "the sign-in of the proctor", agent.Journey{Actions: r.actionsOf(steps, words{uniqueWord, unique()}), Screenshot: true})
		if stuck, ok := errors.AsType[*JourneyError](err); ok {
			s.Tell("journey", stuck.Error(), "")
			err = fmt.Errorf("%w: %w", ErrNoLogin, stuck)
		}
	} else {
		var flow *Flow
		if flow, err = r.launch(ctx, Launch{Title: "the proctor's launch", By: by, User: Teacher}); err == nil && r.baseline.known && r.baseline.acceptance(flow).Kind != Accepted {
			s.keep(flow)
			err = fmt.Errorf("%w: the proctor's launch was not accepted: %s", ErrNoLogin, flow.End())
		}
	}
	if err != nil {
		by.Close()
		return nil, err
	}
	r.proctors[r.agent] = by
	return by, nil
}

// Act lets the proctor act on the attempt of an exam, by the journey that does so,
// and keeps what came of it: the flow's record is the exam's, with the control
// requests that the tool sent meanwhile in [Flow.Controls].
func (s *Scenario) Act(ctx context.Context, deed config.Deed, exam *Flow) (*Flow, error) {
	if _, ok := s.run.config.JourneyFor(deed); !ok {
		return nil, fmt.Errorf("%w: does %s", ErrNoJourney, deed)
	}
	by, err := s.proctorSeat(ctx)
	if err != nil {
		return nil, err
	}
	before, began := len(proctoring.Of(exam.Launch).Record().Controls), time.Now()
	trip, err := s.run.do(ctx, by, deed, agent.Journey{Screenshot: true}, 0, wordsOn(exam.Launch))
	stuck, isStuck := errors.AsType[*JourneyError](err)
	if isStuck && stuck.endedSession() {
		by.Close()
		delete(s.run.proctors, s.run.agent)
		if by, err = s.proctorSeat(ctx); err != nil {
			return nil, err
		}
		trip, err = s.run.do(ctx, by, deed, agent.Journey{Screenshot: true}, 0, wordsOn(exam.Launch))
		stuck, isStuck = errors.AsType[*JourneyError](err)
	}
	if err != nil && !isStuck {
		return nil, err
	}
	if !isStuck {
		s.awaitControl(ctx, exam.Launch, before+1)
	}
	flow := &Flow{ID: s.run.nextFlowID(), Launch: exam.Launch, Record: exam.Launch.Record(), Trip: trip, by: by, stuck: stuck}
	flow.controls = proctoring.Seen(flow.Record.Part).Controls
	flow.controls = flow.controls[min(before, len(flow.controls)):]
	flow.evidence = s.run.evidence(flow, Launch{Title: fmt.Sprintf("the proctor: %s", deed)}, began)
	s.keep(flow)
	switch denied := s.run.Denied(lti.ScopeControl); {
	case denied != nil && len(flow.controls) == 0:
		return flow, denied
	case isStuck:
		return flow, stuck
	}
	return flow, nil
}

// awaitControl waits for the tool's server to send a control request: it need not
// do so before it answers the proctor.
func (s *Scenario) awaitControl(ctx context.Context, l *fakeplatform.Launch, n int) {
	ctx, cancel := context.WithTimeout(ctx, s.run.config.Timeout.PageSign.Std())
	defer cancel()
	proctoring.Of(l).AwaitControls(ctx, n)
}

// Controls are the control requests that came while the proctor acted. Those that
// the platform answered 401 are not among them where the tool then came with a
// token that holds: it may have kept one of an earlier run.
func (f *Flow) Controls() []proctoring.Control {
	denied := func(c proctoring.Control) bool { return c.Status == http.StatusUnauthorized }
	if first := slices.IndexFunc(f.controls, func(c proctoring.Control) bool { return !denied(c) }); first > 0 {
		return f.controls[first:]
	}
	return f.controls
}

// AllControls are those, and the ones before them that were answered 401.
func (f *Flow) AllControls() []proctoring.Control { return f.controls }

// Actions are the deeds of the proctor that the configuration tells how to do.
func (r *Run) Actions() []config.Deed {
	return slices.DeleteFunc(slices.Clone(config.Actions), func(d config.Deed) bool {
		_, ok := r.config.JourneyFor(d)
		return !ok
	})
}

// AtExam lets the candidate look at the platform's page of an exam that has begun,
// and do something there, and keeps what came of it.
func (s *Scenario) AtExam(ctx context.Context, title string, exam *Flow, actions ...agent.Action) (*Flow, error) {
	began := time.Now()
	trip, err := s.run.makeJourney(ctx, exam.by, "the exam", agent.Journey{
		Actions: append([]agent.Action{{Verb: agent.Open, Target: proctoring.Of(exam.Launch).ExamURL()}}, actions...), Screenshot: true,
	})
	if err != nil {
		return nil, err
	}
	flow := &Flow{ID: s.run.nextFlowID(), Launch: exam.Launch, Record: exam.Launch.Record(), Trip: trip, by: exam.by}
	flow.evidence = s.run.evidence(flow, Launch{Title: title}, began)
	s.keep(flow)
	return flow, nil
}

// End ends the exam of a flow with LtiEndAssessment, through the candidate's
// browser, and keeps what came of it.
func (s *Scenario) End(ctx context.Context, title string, exam *Flow, problem *proctoring.Problem, fault *fakeplatform.Fault) (*Flow, error) {
	ending, err := s.run.platform.Begin(fakeplatform.Plan{
		Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(exam.Launch).Attempt(), Problem: problem}, Fault: fault,
	})
	if err != nil {
		return nil, err
	}
	visit := s.run.visit(ending.URL())
	visit.Screenshot = true
	visit.Also = append(visit.Also, s.run.marksWaysBack(ending.ReturnURL())...)
	began := time.Now()
	trip, err := exam.by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &Flow{ID: s.run.nextFlowID(), Launch: ending, Record: ending.Record(), Trip: trip, by: exam.by}
	flow.Reaction = Reaction{Kind: Unclear, Why: describe(trip)}
	flow.evidence = s.run.evidence(flow, Launch{Title: title, Fault: fault}, began)
	s.keep(flow)
	return flow, nil
}
