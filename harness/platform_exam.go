package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"invigilator.example/faketool"
	toolpart "invigilator.example/faketool/part"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/together"
)

// A StartMessage says how LtiStartAssessment is sent. Its zero value is a valid message,
// from the tab in which the candidate was launched.
type StartMessage struct {
	// Title says what the message is for, in the report.
	Title string
	// Fault is what differs from a valid message, and Other the exam that it
	// borrows from.
	Fault *faketool.Fault
	Other *PlatformFlow
	// With are further or other claims; one that is nil is taken away. The message
	// asks for no LtiEndAssessment unless they say so.
	With lti.Claims
	// By is the browser that sends it; the candidate's when nil.
	By agent.User
	// To is where it is sent instead of the start_assessment_url.
	To string
	// Again is the flow whose message is sent once more instead of a new one.
	Again *PlatformFlow
}

// Exam launches somebody into a proctored exam, up to LtiStartProctoring. An
// attempt that is under way is ended before. The error is [ErrNoLaunch] where the
// launch does not work.
func (s *PlatformScenario) Exam(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	if err := s.run.Lacks(exams); err != nil {
		return nil, err
	}
	if err := s.tidy(ctx, l.User); err != nil {
		return nil, err
	}
	if l.Link == "" {
		l.Link = config.Exam
	}
	if l.Title == "" {
		l.Title = "a launch into an exam"
	}
	flow, err := s.Control(ctx, l)
	if _, stuck := errors.AsType[*JourneyError](err); !stuck {
		return flow, err
	}
	// An attempt may be under way that the run does not know of: one that a message
	// has started which had to be refused, or that an earlier run has left behind.
	user := l.User
	if user == "" {
		user = config.Learner
	}
	s.run.underWay[user] = true
	if err := s.tidy(ctx, user); err != nil {
		return flow, err
	}
	return s.Control(ctx, l)
}

// HoldExam brings somebody as far as the login initiation of an exam, which the
// fake tool holds.
func (s *PlatformScenario) HoldExam(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	l.Link = config.Exam
	if err := s.run.Lacks(exams); err != nil {
		return nil, err
	}
	if err := s.tidy(ctx, l.User); err != nil {
		return nil, err
	}
	return s.Hold(ctx, l)
}

// Start sends LtiStartAssessment for an exam, and keeps what came of it.
func (s *PlatformScenario) Start(ctx context.Context, exam *PlatformFlow, st StartMessage) (*PlatformFlow, error) {
	message, err := s.run.startMessage(exam, st)
	if err != nil {
		return nil, err
	}
	flow, err := s.run.startExam(ctx, exam, st, message)
	if err != nil {
		return nil, err
	}
	s.keepStart(exam, flow)
	return flow, nil
}

// StartTogether sends LtiStartAssessment for an exam twice, from two tabs of the candidate's
// browser at the same moment: the same message, or two that differ in their nonces.
func (s *PlatformScenario) StartTogether(ctx context.Context, exam *PlatformFlow, title string, same bool) ([]*PlatformFlow, error) {
	tab := exam.by.NewTab()
	s.closers = append(s.closers, tab.Close)
	sent := []StartMessage{{Title: title + ", in the tab of the launch"}, {Title: title + ", in another tab", By: tab}}
	messages := make([]*toolmessage.Message, len(sent))
	for i, st := range sent {
		var err error
		if messages[i], err = s.run.startMessage(exam, st); err != nil {
			return nil, err
		}
	}
	if same {
		messages[1] = messages[0]
	}
	proctoring.Of(s.run.tool).Outbox.Together(len(messages), messages...)
	flows, err := together.Do(len(sent), func(i int) (*PlatformFlow, error) { return s.run.startExam(ctx, exam, sent[i], messages[i]) })
	for _, flow := range flows {
		if flow != nil {
			s.keepStart(exam, flow)
		}
	}
	return flows, err
}

// keepStart keeps what came of an LtiStartAssessment.
func (s *PlatformScenario) keepStart(exam, flow *PlatformFlow) {
	s.keep(flow)
	if flow.Started() && exam.link == config.Exam {
		s.run.underWay[exam.by.Name] = true
	}
}

// startMessage is the LtiStartAssessment that is sent for an exam.
func (r *PlatformRun) startMessage(exam *PlatformFlow, st StartMessage) (*toolmessage.Message, error) {
	if st.Again != nil {
		return st.Again.sent, nil
	}
	with := lti.Claims{lti.ClaimEndAssessmentReturn: nil}
	maps.Copy(with, st.With)
	probe := proctoring.MessageProbe{Fault: st.Fault, With: with, To: st.To}
	if st.Other != nil {
		probe.Other, probe.Earlier = st.Other.Answer, st.Other.sent
	}
	return proctoring.Of(r.tool).StartAssessment(exam.Answer, probe)
}

// startExam sends it.
func (r *PlatformRun) startExam(ctx context.Context, exam *PlatformFlow, st StartMessage, message *toolmessage.Message) (*PlatformFlow, error) {
	visit := r.visit(message.Address)
	by := agent.User(exam.by)
	if st.By != nil {
		by = st.By
	} else {
		visit.In = agent.Here
	}
	visit.Markers = r.examMarkers()
	if picture, _ := exam.message.Text("picture"); picture != "" {
		visit.Also = append(visit.Also, agent.Marker{Name: pictureMarker, Selector: fmt.Sprintf("img[src=%q]", picture)})
	}
	visit.MarkerWait = r.markerWait(r.config.Timeout.PageSign.Std())
	if _, looks := r.journeyBy(exam.by.Name, config.OpenExam); st.Fault == nil || st.Fault.Permitted || !looks {
		visit.MarkerWait = r.markerWait(r.config.Timeout.Step.Std())
	}
	began := time.Now()
	trip, err := by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{
		ID: r.nextFlowID(), Login: exam.Login, Answer: exam.Answer, message: exam.message, noted: exam.noted,
		Trip: trip, by: exam.by, link: exam.link, tool: r.tool, sent: message, picture: trip.Screenshot,
	}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: st.Title, Fault: st.Fault}, began)
	flow.evidence.Tokens = []results.Token{tokenOf(lti.ParamJWT, message.JWT)}
	return flow, nil
}

const (
	startedMarker = "exam-started"
	pausedMarker  = "exam-paused"
	pictureMarker = "own-picture"
)

// markerWait is how long a sign is waited for: not at all on the pages of the
// embedded campus, which are whole when they have loaded.
func (r *PlatformRun) markerWait(patience time.Duration) time.Duration {
	if r.config.IsEmbedded() {
		return 0
	}
	return patience
}

// examMarkers are the signs of an exam that the candidate can take, and of one
// that is paused.
func (r *PlatformRun) examMarkers() []agent.Marker {
	return append(Marker(startedMarker, r.platform.ExamStarted), Marker(pausedMarker, r.platform.ExamPaused)...)
}

// Started says whether the page shows an exam that the candidate can take; one with
// an error status shows none.
func (f *PlatformFlow) Started() bool {
	return f.Trip.Markers[startedMarker] && f.Trip.Page.Status < http.StatusBadRequest
}

// Paused says whether the page shows an exam that is paused.
func (f *PlatformFlow) Paused() bool { return f.Trip.Markers[pausedMarker] }

// By is the browser that the flow was seen in.
func (f *PlatformFlow) By() *Seat { return f.by }

// ShowsPicture says whether the page shows the platform's own picture of the
// candidate, as the launch named it.
func (f *PlatformFlow) ShowsPicture() bool { return f.Trip.Markers[pictureMarker] }

// ShowsPause says whether the configuration tells what a paused exam shows.
func (r *PlatformRun) ShowsPause() bool { return !r.platform.ExamPaused.IsZero() }

// Sent is the LtiStartAssessment that the flow sent; nil where it sent none.
func (f *PlatformFlow) Sent() *toolmessage.Message { return f.sent }

// look lets the candidate look at the exam's page again; nil where no journey does
// so.
func (s *PlatformScenario) look(ctx context.Context, user, title string) (*PlatformFlow, error) {
	name, ok := s.run.journeyBy(user, config.OpenExam)
	if !ok {
		return nil, nil
	}
	seat, err := s.run.seat(ctx, user)
	if err != nil {
		return nil, err
	}
	return s.do(ctx, seat, name, title, "", false)
}

// Look lets the candidate of an exam look at its page again. The
// error is [ErrNoJourney] where no journey does so.
func (s *PlatformScenario) Look(ctx context.Context, exam *PlatformFlow, title string) (*PlatformFlow, error) {
	flow, err := s.look(ctx, exam.by.Name, title)
	if err == nil && flow == nil {
		return nil, fmt.Errorf("%w: does %s", ErrNoJourney, config.OpenExam)
	}
	if flow != nil && flow.Started() {
		s.run.underWay[exam.by.Name] = true
	}
	return flow, err
}

// do makes a journey that does something, and keeps what came of it. The login that
// it may lead to, which Until names, is that of the flow.
// Where it need not lead to one, that is waited for only as long as for a sign.
func (s *PlatformScenario) do(ctx context.Context, by *Seat, name, title, until string, silent bool) (*PlatformFlow, error) {
	r := s.run
	since, began := r.Now(), time.Now()
	journey := agent.Journey{
		Actions: r.actionsFor(name, nil), Until: until, Screenshot: true,
		Markers: r.examMarkers(), MarkerWait: r.markerWait(r.config.Timeout.PageSign.Std()), Also: r.visit("").Also,
	}
	if silent {
		journey.Patience = r.config.Timeout.PageSign.Std()
		for i, a := range journey.Actions {
			journey.Actions[i].Within = cmp.Or(a.Within, r.config.Timeout.Step.Std())
		}
	}
	trip, err := r.makeJourney(ctx, by, "the journey "+name, journey)
	if stuck, ok := errors.AsType[*JourneyError](err); ok && stuck.Step > stuck.Of {
		err = nil // all was done, and did not lead there
	}
	if s.keepStuck(err); err != nil {
		return nil, err
	}
	flow := &PlatformFlow{ID: r.nextFlowID(), journey: "the journey " + name, Trip: trip, by: by, tool: r.tool, picture: trip.Screenshot, arrivals: r.arrivedSince(since)}
	if login, held := r.tool.LoginAt(trip.Page.URL); held {
		flow.Login = login
	}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: title}, began)
	s.keep(flow)
	return flow, nil
}

// journeyBy finds the journey by which a user does something.
func (r *PlatformRun) journeyBy(user string, deed config.Deed) (string, bool) {
	return config.Config{Journeys: r.journeys}.JourneyOf(user, deed)
}

// Ending says how a candidate comes to the end of an exam.
type Ending struct {
	// By is the journey that ends it, or that looks at it once it has ended;
	// [config.SubmitExam] when empty.
	By config.Deed
	// Silent is set where no LtiEndAssessment has to come, so that nothing is
	// waited for.
	Silent bool
	// Kept is set where the attempt is to stay as it is, and not to be reset.
	Kept bool
}

// End lets the candidate end an exam. Where LtiEndAssessment comes, the flow has
// its login and, by [PlatformScenario.Send], its message.
func (s *PlatformScenario) End(ctx context.Context, exam *PlatformFlow, e Ending) (*PlatformFlow, error) {
	if e.By == "" {
		e.By = config.SubmitExam
	}
	user := exam.by.Name
	name, ok := s.run.journeyBy(user, e.By)
	if !ok {
		return nil, fmt.Errorf("%w: user %s, does %s", ErrNoJourney, user, e.By)
	}
	seat, err := s.run.seat(ctx, user)
	if err != nil {
		return nil, err
	}
	until := s.run.heldPages(config.Exam)
	if e.Silent && s.run.config.IsEmbedded() {
		until = "" // its pages are whole when they have loaded
	}
	flow, err := s.do(ctx, seat, name, "the exam ends: "+string(e.By), until, e.Silent)
	if err != nil {
		return nil, err
	}
	delete(s.run.underWay, user)
	if flow.Login != nil {
		if flow, err = s.Send(ctx, flow, PlatformLaunch{Title: "LtiEndAssessment", User: user}); err != nil {
			return nil, err
		}
	}
	if e.Kept {
		return flow, nil
	}
	return flow, s.Reset(ctx, user)
}

// Resets says whether a journey makes the exam one that can be taken again.
func (r *PlatformRun) Resets() bool {
	_, ok := (config.Config{Journeys: r.journeys}).JourneyFor(config.ResetExam)
	return ok
}

// tidy ends the attempt that a user has under way, if any.
func (s *PlatformScenario) tidy(ctx context.Context, user string) error {
	if user == "" {
		user = config.Learner
	}
	if !s.run.underWay[user] {
		return nil
	}
	delete(s.run.underWay, user)
	name, ok := s.run.journeyBy(user, config.SubmitExam)
	if !ok {
		return nil
	}
	seat, err := s.run.seat(ctx, user)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, seat, name, "the exam is handed in", "", false)
	if _, stuck := errors.AsType[*JourneyError](err); stuck {
		err = nil // it may have ended in another way
	}
	return errors.Join(err, s.Reset(ctx, user))
}

// Reset makes the exam one that a user can take again, where a journey has to do so.
func (s *PlatformScenario) Reset(ctx context.Context, user string) error {
	if !s.run.Resets() {
		return nil
	}
	return s.doAbout(ctx, config.ResetExam, s.run.WordsOf(user))
}

// ReactToStart judges a requirement by messages with each fault of the fake tool
// that provokes it: a platform has to start the exam for those that are permitted,
// and to refuse the others, as a genuine message shows that starts it.
func (s *PlatformScenario) ReactToStart(ctx context.Context, id requirements.ID) {
	s.tb.Helper()
	var refused []Attempted
	for _, fault := range faketool.FaultsFor(string(id)) {
		a, err := s.startWith(ctx, fault)
		switch {
		case s.Unseen(id, fault.Name, err, a.Exam, a.Flow):
		case fault.Permitted:
			s.Check(id, fault.Name, a.Flow.Started(), "", startSeen(a.Flow), a.Exam, a.Flow)
		default:
			refused = append(refused, a)
		}
	}
	s.MustNotStart(ctx, id, refused...)
}

// startWith makes an exam, and sends its message with a fault. Where that borrows,
// another exam is made before: of another candidate, of another assessment, or an
// earlier attempt.
func (s *PlatformScenario) startWith(ctx context.Context, fault faketool.Fault) (Attempted, error) {
	st := StartMessage{Title: "LtiStartAssessment: " + fault.Does, Fault: &fault}
	if fault.Borrows != "" {
		var err error
		if st.Other, err = s.lender(ctx, fault); err != nil {
			return Attempted{}, err
		}
	}
	exam, err := s.Exam(ctx, PlatformLaunch{})
	if err != nil {
		return Attempted{Exam: exam}, err
	}
	a, err := s.Attempt(ctx, fault.Name, exam, st)
	if err != nil || fault.Borrows != toolpart.OtherCandidate || a.Flow.Started() {
		return a, err
	}
	if a.Theirs, err = s.look(ctx, config.SecondLearner, "the other candidate's page after that"); a.Theirs != nil && a.Theirs.Started() {
		s.run.underWay[config.SecondLearner] = true
		return a, errors.Join(err, s.tidy(ctx, config.SecondLearner))
	}
	return a, err
}

// Attempt sends a message that a platform has to refuse, and looks at the exam's
// page afterwards: it might start without a word.
func (s *PlatformScenario) Attempt(ctx context.Context, stimulus string, exam *PlatformFlow, st StartMessage) (Attempted, error) {
	a := Attempted{Stimulus: stimulus, Exam: exam}
	var err error
	if a.Flow, err = s.Start(ctx, exam, st); err != nil || a.Flow.Started() || st.Fault != nil && st.Fault.Permitted {
		return a, err
	}
	if a.After, err = s.look(ctx, exam.by.Name, "the exam's page after that"); a.After != nil && a.After.Started() {
		s.run.underWay[exam.by.Name] = true
	}
	return a, err
}

// lender is the exam that a fault borrows from.
func (s *PlatformScenario) lender(ctx context.Context, fault faketool.Fault) (*PlatformFlow, error) {
	switch fault.Borrows {
	case toolpart.OtherCandidate:
		return s.Exam(ctx, PlatformLaunch{Title: "another candidate's launch into the exam", User: config.SecondLearner})
	case toolpart.OtherAssessment:
		tab, err := s.NewTab(ctx, config.Learner)
		if err != nil {
			return nil, err
		}
		s.closers = append(s.closers, tab.Close)
		return s.Exam(ctx, PlatformLaunch{Title: "a launch into another exam", Link: config.OtherExam, By: tab})
	case toolpart.OtherDeployment:
		if !s.run.Has(config.MultipleDeployments) {
			return nil, fmt.Errorf("%w: the feature %s", ErrUndeclared, config.MultipleDeployments)
		}
		return s.Control(ctx, PlatformLaunch{Title: "a launch of another deployment", Link: config.OtherDeployment})
	case toolpart.EarlierAttempt:
		exam, earlier, err := s.running(ctx, PlatformLaunch{Title: "an earlier attempt"}, StartMessage{Title: "LtiStartAssessment of an earlier attempt"})
		if err == nil {
			_, err = s.End(ctx, exam, Ending{Silent: true})
		}
		return earlier, err
	default:
		return s.LinkLaunch(ctx, PlatformLaunch{Title: "a launch of a resource link"})
	}
}

// LinkLaunch is a launch of a resource link that a check of exams needs; one that
// is not configured does not count where such launches are not judged.
func (s *PlatformScenario) LinkLaunch(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	flow, err := s.Control(ctx, l)
	if errors.Is(err, ErrNoJourney) && !s.run.config.Launches() {
		return flow, fmt.Errorf("%w: launches of resource links are not judged", ErrUndeclared)
	}
	return flow, err
}

// Attempted is a message that had to be refused, and what was sent it for.
type Attempted struct {
	Stimulus string
	Exam     *PlatformFlow
	Flow     *PlatformFlow
	// After is what the exam's page showed afterwards; nil where it was not seen.
	After *PlatformFlow
	// Theirs is what the exam's page then showed to the candidate whose session data
	// were borrowed; nil where it was not seen.
	Theirs *PlatformFlow
	// Others are flows that belong to it.
	Others []*PlatformFlow
}

// MustNotStart judges messages that a platform has to refuse: none starts the exam,
// while a genuine one does.
func (s *PlatformScenario) MustNotStart(ctx context.Context, id requirements.ID, attempts ...Attempted) {
	s.tb.Helper()
	var refused []Attempted
	for _, a := range attempts {
		flows := append([]*PlatformFlow{a.Exam, a.Flow, a.After}, a.Others...)
		switch status := a.Flow.Trip.Page.Status; {
		case a.Flow.Started():
			s.Observe(id, a.Stimulus, results.Failed, "", "The exam has started: "+a.Flow.End()+".", flows...)
		case a.After != nil && a.After.Started():
			s.Observe(id, a.Stimulus, results.Failed, "", "The exam is under way: "+a.After.End()+".", flows...)
		case a.Theirs != nil && a.Theirs.Started():
			s.Observe(id, a.Stimulus, results.Failed, "", "The exam of the other candidate is under way: "+a.Theirs.End()+".", append(flows, a.Theirs)...)
		case a.Flow.ScriptRan():
			s.Observe(id, a.Stimulus, results.Failed, "", "Content of the message ran as a script.", flows...)
		case status >= http.StatusInternalServerError:
			s.Observe(id, a.Stimulus, s.crash(id), "", "Refused, but with a server error: "+a.Flow.End()+".", flows...)
		case a.Flow.Trip.Ended != agent.Settled:
			s.Observe(id, a.Stimulus, results.Inconclusive, "", "No answer came: "+a.Flow.End()+".", flows...)
		default:
			refused = append(refused, a)
		}
	}
	if len(refused) == 0 {
		return
	}
	exam, genuine, err := s.running(ctx, PlatformLaunch{Title: "control: a launch into an exam"}, StartMessage{Title: "control: a genuine LtiStartAssessment"})
	for _, a := range refused {
		if !s.Unseen(id, a.Stimulus, err, a.Flow, genuine) {
			s.Observe(id, a.Stimulus, results.Passed, "", "The exam did not start: "+a.Flow.End()+".", append([]*PlatformFlow{a.Exam, a.Flow, a.After, exam, genuine}, a.Others...)...)
		}
	}
	s.must(s.tidy(ctx, config.Learner))
}

// crash is the verdict on a refusal by a server error: proctoring forbids it in so
// many words, the rest of LTI does not.
func (s *PlatformScenario) crash(id requirements.ID) results.Verdict {
	if r, _ := requirements.Default().Get(id); r.Profile == requirements.Proctoring {
		return results.Failed
	}
	return results.Warned
}

// running makes an exam that a genuine message starts. The error is [ErrNoLaunch]
// where it does not.
func (s *PlatformScenario) running(ctx context.Context, l PlatformLaunch, st StartMessage) (exam, flow *PlatformFlow, err error) {
	if err := s.run.Lacks(startedExams); err != nil {
		return nil, nil, err
	}
	if exam, err = s.Exam(ctx, l); err != nil {
		return exam, nil, err
	}
	if flow, err = s.Start(ctx, exam, st); err == nil && !flow.Started() {
		err = fmt.Errorf("%w: a genuine LtiStartAssessment does not start the exam: %s", ErrNoLaunch, flow.End())
	}
	return exam, flow, err
}

// Running makes an exam that is under way. The message has further claims. The error
// is [ErrNoLaunch] where it does not start.
func (s *PlatformScenario) Running(ctx context.Context, user string, with lti.Claims) (*PlatformFlow, error) {
	_, flow, err := s.running(ctx, PlatformLaunch{User: user}, StartMessage{Title: "LtiStartAssessment", With: with})
	return flow, err
}

func startSeen(f *PlatformFlow) string {
	if f.Started() {
		return "The exam has started."
	}
	return "The exam has not started: " + f.End() + "."
}

// Candidates are the names of the users who can be launched into the exam.
func (r *PlatformRun) Candidates() []string {
	return slices.DeleteFunc([]string{config.Learner, config.SecondLearner}, func(user string) bool {
		_, ok := r.JourneyTo(user, config.Exam)
		return !ok
	})
}
