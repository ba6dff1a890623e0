package proctoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"invigilator.example/faketool"
	toolpart "invigilator.example/faketool/part"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/together"
)

// A Scenario is one of a platform's proctored exams.
type Scenario struct {
	*harness.PlatformScenario
	underWay *harness.PlatformFlow // an exam that a control request has shown to go on, or to be paused
}

// In is what a scenario of a platform can do with its exams.
func In(scene *harness.PlatformScenario) *Scenario {
	s := harness.Kept[Scenario](scene)
	s.PlatformScenario = scene
	return s
}

// underWay are the users of a run with an attempt at the exam that has not been ended.
type underWay map[string]bool

func (s *Scenario) attempts() underWay {
	all := harness.Kept[underWay](s.Run())
	if *all == nil {
		*all = underWay{}
	}
	return *all
}

// A StartMessage says how LtiStartAssessment is sent. Its zero value is a valid message,
// from the tab in which the candidate was launched.
type StartMessage struct {
	// Title says what the message is for, in the report.
	Title string
	// Fault is what differs from a valid message, and Other the exam that it
	// borrows from.
	Fault *faketool.Fault
	Other *harness.PlatformFlow
	// With are further or other claims; one that is nil is taken away. The message
	// asks for no LtiEndAssessment unless they say so.
	With lti.Claims
	// By is the browser that sends it; the candidate's when nil.
	By agent.User
	// To is where it is sent instead of the start_assessment_url.
	To string
	// Again is the flow whose message is sent once more instead of a new one.
	Again *harness.PlatformFlow
}

// Exam launches somebody into a proctored exam, up to LtiStartProctoring. An
// attempt that is under way is ended before. The error is [harness.ErrNoLaunch] where the
// launch does not work.
func (s *Scenario) Exam(ctx context.Context, l harness.PlatformLaunch) (*harness.PlatformFlow, error) {
	if err := s.Run().Lacks(exams); err != nil {
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
	if _, stuck := errors.AsType[*harness.JourneyError](err); !stuck {
		return flow, err
	}
	// An attempt may be under way that the run does not know of: one that a message
	// has started which had to be refused, or that an earlier run has left behind.
	user := l.User
	if user == "" {
		user = config.Learner
	}
	s.attempts()[user] = true
	if err := s.tidy(ctx, user); err != nil {
		return flow, err
	}
	return s.Control(ctx, l)
}

// HoldExam brings somebody as far as the login initiation of an exam, which the
// fake tool holds.
func (s *Scenario) HoldExam(ctx context.Context, l harness.PlatformLaunch) (*harness.PlatformFlow, error) {
	l.Link = config.Exam
	if err := s.Run().Lacks(exams); err != nil {
		return nil, err
	}
	if err := s.tidy(ctx, l.User); err != nil {
		return nil, err
	}
	return s.Hold(ctx, l)
}

// Start sends LtiStartAssessment for an exam, and keeps what came of it.
func (s *Scenario) Start(ctx context.Context, exam *harness.PlatformFlow, st StartMessage) (*harness.PlatformFlow, error) {
	message, err := s.startMessage(exam, st)
	if err != nil {
		return nil, err
	}
	flow, err := s.startExam(ctx, exam, st, message)
	if err != nil {
		return nil, err
	}
	s.keepStart(exam, flow)
	return flow, nil
}

// StartTogether sends LtiStartAssessment for an exam twice, from two tabs of the candidate's
// browser at the same moment: the same message, or two that differ in their nonces.
func (s *Scenario) StartTogether(ctx context.Context, exam *harness.PlatformFlow, title string, same bool) ([]*harness.PlatformFlow, error) {
	tab := exam.By().NewTab()
	s.AtEnd(tab.Close)
	sent := []StartMessage{{Title: title + ", in the tab of the launch"}, {Title: title + ", in another tab", By: tab}}
	messages := make([]*toolmessage.Message, len(sent))
	for i, st := range sent {
		var err error
		if messages[i], err = s.startMessage(exam, st); err != nil {
			return nil, err
		}
	}
	if same {
		messages[1] = messages[0]
	}
	proctoring.Of(s.Run().Tool()).Outbox.Together(len(messages), messages...)
	flows, err := together.Do(len(sent), func(i int) (*harness.PlatformFlow, error) { return s.startExam(ctx, exam, sent[i], messages[i]) })
	for _, flow := range flows {
		if flow != nil {
			s.keepStart(exam, flow)
		}
	}
	return flows, err
}

// keepStart keeps what came of an LtiStartAssessment.
func (s *Scenario) keepStart(exam, flow *harness.PlatformFlow) {
	s.Keep(flow)
	if Started(flow) && exam.Link() == config.Exam {
		s.attempts()[exam.By().Name] = true
	}
}

// startMessage is the LtiStartAssessment that is sent for an exam.
func (s *Scenario) startMessage(exam *harness.PlatformFlow, st StartMessage) (*toolmessage.Message, error) {
	if st.Again != nil {
		return Sent(st.Again), nil
	}
	with := lti.Claims{lti.ClaimEndAssessmentReturn: nil}
	maps.Copy(with, st.With)
	probe := proctoring.MessageProbe{Fault: st.Fault, With: with, To: st.To}
	if st.Other != nil {
		probe.Other, probe.Earlier = st.Other.Answer, Sent(st.Other)
	}
	return proctoring.Of(s.Run().Tool()).StartAssessment(exam.Answer, probe)
}

// startExam sends it.
func (s *Scenario) startExam(ctx context.Context, exam *harness.PlatformFlow, st StartMessage, message *toolmessage.Message) (*harness.PlatformFlow, error) {
	g := harness.Going{
		Title: st.Title, Fault: st.Fault, Address: message.Address, By: st.By, Markers: s.examMarkers(), JWT: message.JWT,
		Patience: s.Run().PageWait(s.Run().Config().Timeout.PageSign.Std()),
	}
	if picture, _ := exam.Peek().Text("picture"); picture != "" {
		g.Also = []agent.Marker{{Name: pictureMarker, Selector: fmt.Sprintf("img[src=%q]", picture)}}
	}
	if st.Fault == nil || st.Fault.Permitted || !s.Run().Does(exam.By().Name, config.OpenExam) {
		g.Patience = s.Run().PageWait(s.Run().Config().Timeout.Step.Std())
	}
	flow, err := s.Run().Go(ctx, exam, g)
	if err == nil {
		harness.Kept[sending](flow).message = message
	}
	return flow, err
}

// OpenExam opens the address of an exam's page in a browser, and keeps what came of it.
func (s *Scenario) OpenExam(ctx context.Context, title string, exam *harness.PlatformFlow, by agent.User) (*harness.PlatformFlow, error) {
	flow, err := s.Run().Go(ctx, exam, harness.Going{
		Title: title, Address: exam.Trip.Page.URL, By: by, Markers: s.examMarkers(), Patience: s.Run().PageWait(s.Run().Config().Timeout.PageSign.Std()),
	})
	if err == nil {
		s.Keep(flow)
	}
	return flow, err
}

const (
	startedMarker = "exam-started"
	pausedMarker  = "exam-paused"
	pictureMarker = "own-picture"
)

// examMarkers are the signs of an exam that the candidate can take, and of one
// that is paused.
func (s *Scenario) examMarkers() []agent.Marker {
	subject := s.Run().Platform()
	return append(harness.Marker(startedMarker, subject.ExamStarted), harness.Marker(pausedMarker, subject.ExamPaused)...)
}

// Started says whether the page shows an exam that the candidate can take; one with
// an error status shows none.
func Started(f *harness.PlatformFlow) bool {
	return f.Trip.Markers[startedMarker] && f.Trip.Page.Status < http.StatusBadRequest
}

// Paused says whether the page shows an exam that is paused.
func Paused(f *harness.PlatformFlow) bool { return f.Trip.Markers[pausedMarker] }

// ShowsPicture says whether the page shows the platform's own picture of the
// candidate, as the launch named it.
func ShowsPicture(f *harness.PlatformFlow) bool { return f.Trip.Markers[pictureMarker] }

// ShowsPause says whether the configuration tells what a paused exam shows.
func (s *Scenario) ShowsPause() bool { return !s.Run().Platform().ExamPaused.IsZero() }

// Sent is the LtiStartAssessment that the flow sent; nil where it sent none.
func Sent(f *harness.PlatformFlow) *toolmessage.Message { return harness.Kept[sending](f).message }

// A sending is what a flow has sent.
type sending struct{ message *toolmessage.Message }

// look lets the candidate look at the exam's page again; nil where no journey does
// so.
func (s *Scenario) look(ctx context.Context, user, title string) (*harness.PlatformFlow, error) {
	if !s.Run().Does(user, config.OpenExam) {
		return nil, nil
	}
	return s.does(ctx, harness.Doing{Title: title, User: user, Does: config.OpenExam})
}

// does lets the candidate do something, and looks for the signs of an exam.
func (s *Scenario) does(ctx context.Context, d harness.Doing) (*harness.PlatformFlow, error) {
	d.Markers, d.Stays = s.examMarkers(), true
	return s.Perform(ctx, d)
}

// Look lets the candidate of an exam look at its page again. The
// error is [harness.ErrNoJourney] where no journey does so.
func (s *Scenario) Look(ctx context.Context, exam *harness.PlatformFlow, title string) (*harness.PlatformFlow, error) {
	flow, err := s.look(ctx, exam.By().Name, title)
	if err == nil && flow == nil {
		return nil, fmt.Errorf("%w: does %s", harness.ErrNoJourney, config.OpenExam)
	}
	if flow != nil && Started(flow) {
		s.attempts()[exam.By().Name] = true
	}
	return flow, err
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
func (s *Scenario) End(ctx context.Context, exam *harness.PlatformFlow, e Ending) (*harness.PlatformFlow, error) {
	if e.By == "" {
		e.By = config.SubmitExam
	}
	user := exam.By().Name
	flow, err := s.does(ctx, harness.Doing{
		Title: "the exam ends: " + string(e.By), User: user, Does: e.By, Briefly: e.Silent,
		ToLogin: !e.Silent || !s.Run().Config().IsEmbedded(), // the pages of the embedded campus are whole when they have loaded
	})
	if err != nil {
		return nil, err
	}
	delete(s.attempts(), user)
	if flow.Login != nil {
		if flow, err = s.Send(ctx, flow, harness.PlatformLaunch{Title: "LtiEndAssessment", User: user}); err != nil {
			return nil, err
		}
	}
	if e.Kept {
		return flow, nil
	}
	return flow, s.Reset(ctx, user)
}

// Resets says whether a journey makes the exam one that can be taken again.
func (s *Scenario) Resets() bool { return s.Run().Does("", config.ResetExam) }

// tidy ends the attempt that a user has under way, if any.
func (s *Scenario) tidy(ctx context.Context, user string) error {
	user = cmp.Or(user, config.Learner)
	if !s.attempts()[user] {
		return nil
	}
	delete(s.attempts(), user)
	if !s.Run().Does(user, config.SubmitExam) {
		return nil
	}
	_, err := s.does(ctx, harness.Doing{Title: "the exam is handed in", User: user, Does: config.SubmitExam})
	if _, stuck := errors.AsType[*harness.JourneyError](err); stuck {
		err = nil // it may have ended in another way
	}
	return errors.Join(err, s.Reset(ctx, user))
}

// Reset makes the exam one that a user can take again, where a journey has to do so.
func (s *Scenario) Reset(ctx context.Context, user string) error {
	if !s.Resets() {
		return nil
	}
	return s.Do(ctx, config.ResetExam, s.Run().WordsOf(user)...)
}

// ReactToStart judges a requirement by messages with each fault of the fake tool
// that provokes it: a platform has to start the exam for those that are permitted,
// and to refuse the others, as a genuine message shows that starts it.
func (s *Scenario) ReactToStart(ctx context.Context, id requirements.ID) {
	var refused []Attempted
	for _, fault := range faketool.FaultsFor(string(id)) {
		a, err := s.startWith(ctx, fault)
		switch {
		case s.Unseen(id, fault.Name, err, a.Exam, a.Flow):
		case fault.Permitted:
			s.Check(id, fault.Name, Started(a.Flow), "", startSeen(a.Flow), a.Exam, a.Flow)
		default:
			refused = append(refused, a)
		}
	}
	s.MustNotStart(ctx, id, refused...)
}

// startWith makes an exam, and sends its message with a fault. Where that borrows,
// another exam is made before: of another candidate, of another assessment, or an
// earlier attempt.
func (s *Scenario) startWith(ctx context.Context, fault faketool.Fault) (Attempted, error) {
	st := StartMessage{Title: "LtiStartAssessment: " + fault.Does, Fault: &fault}
	if fault.Borrows != "" {
		var err error
		if st.Other, err = s.lender(ctx, fault); err != nil {
			return Attempted{}, err
		}
	}
	exam, err := s.Exam(ctx, harness.PlatformLaunch{})
	if err != nil {
		return Attempted{Exam: exam}, err
	}
	a, err := s.Attempt(ctx, fault.Name, exam, st)
	if err != nil || fault.Borrows != toolpart.OtherCandidate || Started(a.Flow) {
		return a, err
	}
	if a.Theirs, err = s.look(ctx, config.SecondLearner, "the other candidate's page after that"); a.Theirs != nil && Started(a.Theirs) {
		s.attempts()[config.SecondLearner] = true
		return a, errors.Join(err, s.tidy(ctx, config.SecondLearner))
	}
	return a, err
}

// Attempt sends a message that a platform has to refuse, and looks at the exam's
// page afterwards: it might start without a word.
func (s *Scenario) Attempt(ctx context.Context, stimulus string, exam *harness.PlatformFlow, st StartMessage) (Attempted, error) {
	a := Attempted{Stimulus: stimulus, Exam: exam}
	var err error
	if a.Flow, err = s.Start(ctx, exam, st); err != nil || Started(a.Flow) || st.Fault != nil && st.Fault.Permitted {
		return a, err
	}
	if a.After, err = s.look(ctx, exam.By().Name, "the exam's page after that"); a.After != nil && Started(a.After) {
		s.attempts()[exam.By().Name] = true
	}
	return a, err
}

// lender is the exam that a fault borrows from.
func (s *Scenario) lender(ctx context.Context, fault faketool.Fault) (*harness.PlatformFlow, error) {
	switch fault.Borrows {
	case toolpart.OtherCandidate:
		return s.Exam(ctx, harness.PlatformLaunch{Title: "another candidate's launch into the exam", User: config.SecondLearner})
	case toolpart.OtherAssessment:
		tab, err := s.NewTab(ctx, config.Learner)
		if err != nil {
			return nil, err
		}
		s.AtEnd(tab.Close)
		return s.Exam(ctx, harness.PlatformLaunch{Title: "a launch into another exam", Link: config.OtherExam, By: tab})
	case toolpart.OtherDeployment:
		if !s.Run().Has(config.MultipleDeployments) {
			return nil, fmt.Errorf("%w: the feature %s", harness.ErrUndeclared, config.MultipleDeployments)
		}
		return s.Control(ctx, harness.PlatformLaunch{Title: "a launch of another deployment", Link: config.OtherDeployment})
	case toolpart.EarlierAttempt:
		exam, earlier, err := s.running(ctx, harness.PlatformLaunch{Title: "an earlier attempt"}, StartMessage{Title: "LtiStartAssessment of an earlier attempt"})
		if err == nil {
			_, err = s.End(ctx, exam, Ending{Silent: true})
		}
		return earlier, err
	default:
		return s.LinkLaunch(ctx, harness.PlatformLaunch{Title: "a launch of a resource link"})
	}
}

// LinkLaunch is a launch of a resource link that a check of exams needs; one that
// is not configured does not count where such launches are not judged.
func (s *Scenario) LinkLaunch(ctx context.Context, l harness.PlatformLaunch) (*harness.PlatformFlow, error) {
	flow, err := s.Control(ctx, l)
	if errors.Is(err, harness.ErrNoJourney) && !s.Run().Config().Launches() {
		return flow, fmt.Errorf("%w: launches of resource links are not judged", harness.ErrUndeclared)
	}
	return flow, err
}

// Attempted is a message that had to be refused, and what was sent it for.
type Attempted struct {
	Stimulus string
	Exam     *harness.PlatformFlow
	Flow     *harness.PlatformFlow
	// After is what the exam's page showed afterwards; nil where it was not seen.
	After *harness.PlatformFlow
	// Theirs is what the exam's page then showed to the candidate whose session data
	// were borrowed; nil where it was not seen.
	Theirs *harness.PlatformFlow
	// Others are flows that belong to it.
	Others []*harness.PlatformFlow
}

// MustNotStart judges messages that a platform has to refuse: none starts the exam,
// while a genuine one does.
func (s *Scenario) MustNotStart(ctx context.Context, id requirements.ID, attempts ...Attempted) {
	var refused []Attempted
	for _, a := range attempts {
		flows := append([]*harness.PlatformFlow{a.Exam, a.Flow, a.After}, a.Others...)
		switch status := a.Flow.Trip.Page.Status; {
		case Started(a.Flow):
			s.Observe(id, a.Stimulus, results.Failed, "", "The exam has started: "+a.Flow.End()+".", flows...)
		case a.After != nil && Started(a.After):
			s.Observe(id, a.Stimulus, results.Failed, "", "The exam is under way: "+a.After.End()+".", flows...)
		case a.Theirs != nil && Started(a.Theirs):
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
	exam, genuine, err := s.running(ctx, harness.PlatformLaunch{Title: "control: a launch into an exam"}, StartMessage{Title: "control: a genuine LtiStartAssessment"})
	for _, a := range refused {
		if !s.Unseen(id, a.Stimulus, err, a.Flow, genuine) {
			s.Observe(id, a.Stimulus, results.Passed, "", "The exam did not start: "+a.Flow.End()+".", append([]*harness.PlatformFlow{a.Exam, a.Flow, a.After, exam, genuine}, a.Others...)...)
		}
	}
	s.Must(s.tidy(ctx, config.Learner))
}

// crash is the verdict on a refusal by a server error: proctoring forbids it in so
// many words, the rest of LTI does not.
func (s *Scenario) crash(id requirements.ID) results.Verdict {
	if r, _ := requirements.Default().Get(id); r.Profile == requirements.Proctoring {
		return results.Failed
	}
	return results.Warned
}

// running makes an exam that a genuine message starts. The error is [harness.ErrNoLaunch]
// where it does not.
func (s *Scenario) running(ctx context.Context, l harness.PlatformLaunch, st StartMessage) (exam, flow *harness.PlatformFlow, err error) {
	if err := s.Run().Lacks(startedExams); err != nil {
		return nil, nil, err
	}
	if exam, err = s.Exam(ctx, l); err != nil {
		return exam, nil, err
	}
	if flow, err = s.Start(ctx, exam, st); err == nil && !Started(flow) {
		err = fmt.Errorf("%w: a genuine LtiStartAssessment does not start the exam: %s", harness.ErrNoLaunch, flow.End())
	}
	return exam, flow, err
}

// Running makes an exam that is under way. The message has further claims. The error
// is [harness.ErrNoLaunch] where it does not start.
func (s *Scenario) Running(ctx context.Context, user string, with lti.Claims) (*harness.PlatformFlow, error) {
	_, flow, err := s.running(ctx, harness.PlatformLaunch{User: user}, StartMessage{Title: "LtiStartAssessment", With: with})
	return flow, err
}

func startSeen(f *harness.PlatformFlow) string {
	if Started(f) {
		return "The exam has started."
	}
	return "The exam has not started: " + f.End() + "."
}

// Candidates are the names of the users who can be launched into the exam.
func (s *Scenario) Candidates() []string {
	return slices.DeleteFunc([]string{config.Learner, config.SecondLearner}, func(user string) bool { return !s.Run().Launches(user, config.Exam) })
}
