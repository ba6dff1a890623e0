package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// An Assignment is where learners hand in work: a resource link of a course in which
// the platform offers its grade services.
type Assignment struct {
	At     *fakeplatform.Platform
	Course fakeplatform.Context
	Link   fakeplatform.ResourceLink
	// Item is the line item that belongs to the link. It has no ID where there is none
	// yet, and the tool has to make one.
	Item lti.LineItem
}

// offer makes a launch one at the assignment.
func (a *Assignment) offer(plan *fakeplatform.Plan) {
	plan.Context, plan.ResourceLink, plan.Offers = a.Course, a.Link, append(plan.Offers, grades.Profile)
}

// A Work is what a learner has handed in.
type Work struct {
	Assignment
	Learner fakeplatform.User
	Text    string // nobody else has handed in the same
}

// NewAssignment is one that no tool has seen, in a course of its own and without a
// line item, at the first platform.
func (r *Run) NewAssignment() Assignment { return r.newAssignment(r.platform) }

func (r *Run) newAssignment(at *fakeplatform.Platform) Assignment {
	mark := lti.RandomString()[:8]
	return Assignment{
		At: at, Course: fakeplatform.Context{ID: "course-" + mark, Label: "AN-" + mark, Title: "Analytical Engines"},
		Link: fakeplatform.ResourceLink{ID: "essay-" + mark, Title: "Essay " + mark, Description: "On computable numbers"},
	}
}

// WithItem adds a line item to the gradebook, as the platform's own one for the
// assignment's link. What it does not say is as usual.
func (s *Scenario) WithItem(a Assignment, item lti.LineItem) Assignment {
	s.tb.Helper()
	a, err := s.run.withItem(a, item)
	s.Must(err)
	return a
}

func (r *Run) withItem(a Assignment, item lti.LineItem) (Assignment, error) {
	if item.Label == "" {
		item.Label = a.Link.Title
	}
	if item.ScoreMaximum == 0 {
		item.ScoreMaximum = MaximumScore
	}
	item.ResourceLinkID = a.Link.ID
	added, err := grades.On(a.At).AddLineItem(r.tool.ClientID, a.Course.ID, item)
	a.Item = added
	return a, err
}

// MaximumScore is that of line items that say nothing else.
const MaximumScore = 10

// Assign makes an assignment that no tool has seen, with a line item.
func (s *Scenario) Assign() Assignment {
	s.tb.Helper()
	return s.WithItem(s.run.NewAssignment(), lti.LineItem{})
}

// AssignAtOther makes one at the second platform.
func (s *Scenario) AssignAtOther() Assignment {
	s.tb.Helper()
	return s.WithItem(s.run.newAssignment(s.run.other), lti.LineItem{})
}

// AssignBeside makes one in the course of another.
func (s *Scenario) AssignBeside(other Assignment) Assignment {
	s.tb.Helper()
	a := s.run.newAssignment(other.At)
	a.Course = other.Course
	return s.WithItem(a, lti.LineItem{})
}

// HandIn launches a learner into an assignment, where work is handed in. It fails
// where that came to no end, and no score has come; then there is no work.
func (s *Scenario) HandIn(ctx context.Context, a Assignment, l Launch) (*Work, *Flow, error) {
	work := &Work{Assignment: a, Learner: l.User, Text: newText()}
	if work.Learner.Sub == "" {
		work.Learner = Newcomer(Learner)
	}
	s.run.texts = append(s.run.texts, work.Text)
	l.User, l.Assignment = work.Learner, &a
	l.Does, l.Words = config.Submit, []string{"{work}", work.Text}
	if l.Title == "" {
		l.Title = "a learner hands in work"
	}
	flow, err := s.Launch(ctx, l)
	switch {
	case err != nil:
		return nil, flow, err
	case slices.ContainsFunc(flow.Calls(), IsScore): // so it has the work, whatever its page says
		return work, flow, nil
	case s.run.Denied(lti.GradeScopes...) != nil && (flow.stuck != nil || flow.Reaction.Kind != Accepted):
		return nil, flow, s.run.Denied(lti.GradeScopes...)
	case flow.stuck != nil:
		return nil, flow, flow.stuck
	case !flow.Answered():
		return nil, flow, fmt.Errorf("%w: %s", ErrNoLogin, flow.End())
	case !flow.attended || flow.Reaction.Kind != Accepted:
		return nil, flow, fmt.Errorf("%w: %s", errNoWork, flow.End())
	}
	return work, flow, nil
}

// errNoWork says that a launch led to no work that was handed in.
var errNoWork = errors.New("no work could be handed in")

// ErrNoToken says that nothing of the tool can reach a service of the platform.
var ErrNoToken = errors.New("the tool gets no access token, because its request does not prove who it is")

// Denied says why none of the tool's requests for an access token to one of those scopes
// was granted so far, with [ErrNoToken]; nil where one was, or none was refused for what
// it says of the tool.
func (r *Run) Denied(scopes ...string) error {
	var last *fakeplatform.TokenRequest
	for _, request := range r.platform.TokenRequests() {
		asked := strings.Fields(request.Form.Get(lti.ParamScope))
		if len(asked) > 0 && !slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(asked, scope) }) {
			continue
		}
		if len(request.ClientProblems) == 0 {
			return nil
		}
		last = &request
	}
	if last == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNoToken, results.Bounded(strings.Join(last.ClientProblems, "; "), 500))
}

// CanGrade says whether the configuration tells how a reviewer gives points.
func (r *Run) CanGrade() bool {
	_, ok := r.config.JourneyFor(config.Grade)
	return ok && r.Has(config.SubmissionReview)
}

// scoreWord stands for the points in journeys.
const scoreWord = "{score}"

// Grade launches a reviewer into a work, who gives it points. It fails where that
// came to no end.
func (s *Scenario) Grade(ctx context.Context, work *Work, points string, l Launch) (*Flow, error) {
	if !s.run.CanGrade() {
		return nil, fmt.Errorf("%w: does %s", ErrNoJourney, config.Grade)
	}
	if l.Title == "" {
		l.Title = "an instructor gives the work " + points + " points"
	}
	l.Review, l.Does, l.Words = work, config.Grade, []string{scoreWord, points}
	flow, err := s.Launch(ctx, l)
	switch {
	case err != nil || slices.ContainsFunc(flow.Calls(), IsScore):
		return flow, err
	case flow.stuck != nil:
		return flow, flow.stuck
	case !flow.attended:
		return flow, fmt.Errorf("%w: the work was not opened for grading: %s", ErrNoLogin, flow.End())
	}
	return flow, nil
}

// An Outcome is what a tool tells its user of what it has sent to the gradebook.
type Outcome string

// The outcomes.
const (
	Untold    Outcome = "nothing"
	ToldSaved Outcome = "that it was saved"
	NotSaved  Outcome = "that it was not saved"
)

const (
	savedMarker  = "saved"
	failedMarker = "failed"
)

// outcomeSigns are those by which the journey that does something tells its outcome.
func (r *Run) outcomeSigns(deed config.Deed) []agent.Marker {
	name, _ := r.config.JourneyFor(deed)
	journey := r.config.Journeys[name]
	return append(Marker(savedMarker, journey.Saved), Marker(failedMarker, journey.Failed)...)
}

// Told is what the tool has told its user of the outcome, and false where the
// configuration has no sign by which that could be seen, or the user was not there.
func (f *Flow) Told() (Outcome, bool) {
	saved, failed := f.Trip.Markers[savedMarker], f.Trip.Markers[failedMarker]
	switch {
	case !f.tells:
		return Untold, false
	case failed && !saved:
		return NotSaved, true
	case saved && !failed:
		return ToldSaved, true
	default:
		return Untold, true
	}
}

// newText is what nobody has handed in yet. Neither a page nor its search for words
// that mean something changes it.
func newText() string {
	mark := strings.NewReplacer("-", "x", "_", "y").Replace(lti.RandomString())
	return "answer" + mark[:16]
}

// LearnItem fills in the line item of a work at an assignment that had none, if the
// tool has made one meanwhile, and says whether there is one now.
func (s *Scenario) LearnItem(work *Work) bool {
	items := grades.On(work.At).LineItems(s.run.tool.ClientID, work.Course.ID)
	if work.Item.ID == "" && len(items) == 1 {
		work.Item = items[0]
	}
	return work.Item.ID != ""
}

// Held is what the gradebook holds of a work.
func (w *Work) Held() grades.Grade { return grades.On(w.At).Grade(w.Item.ID, w.Learner.Sub) }

// account is the part of what a gradebook saw of the tool that belongs to a flow.
type account struct {
	books     *grades.Gradebooks
	contextID string
	from      int
	calls     []grades.Call
}

// accountOf begins an account of what comes from now on.
func accountOf(books *grades.Gradebooks, contextID string) account {
	return account{books: books, contextID: contextID, from: len(books.Calls(contextID))}
}

// close takes down what has come.
func (a *account) close() { a.calls = a.books.Calls(a.contextID)[a.from:] }

// Calls are the requests to the grade services of the flow's course that came
// meanwhile.
func (f *Flow) Calls() []grades.Call { return f.account.calls }

// Scores are those of them that post a score.
func (f *Flow) Scores() []grades.Call {
	return f.CallsOf(http.MethodPost, grades.Scores)
}

// CallsOf are those of a method and some services; none of a flow that is nil.
func (f *Flow) CallsOf(method string, services ...grades.Service) []grades.Call {
	if f == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.account.calls), func(c grades.Call) bool {
		return c.Method != method || !slices.Contains(services, c.Service)
	})
}

// IsScore says whether a request posts a score.
func IsScore(c grades.Call) bool {
	return c.Service == grades.Scores && c.Method == http.MethodPost
}

// IsTakenScore says whether a request posts a score that the gradebook has taken.
func IsTakenScore(c grades.Call) bool { return IsScore(c) && c.Status/100 == 2 }

// Await waits for a request to the grade services that the flow has brought about,
// which a tool need not send before it shows its page, and says whether it came.
func (s *Scenario) Await(ctx context.Context, f *Flow, wanted func(grades.Call) bool) bool {
	return s.await(ctx, f, s.run.config.Timeout.Step.Std(), anyOf(wanted))
}

// AwaitScores waits until so many scores have come since the flow began, and says
// whether they did.
func (s *Scenario) AwaitScores(ctx context.Context, f *Flow, n int) bool {
	return s.await(ctx, f, s.run.config.Timeout.Step.Std(), func([]grades.Call) bool { return len(f.Scores()) >= n })
}

// Lingers waits for one that should not come, for a shorter time, and says whether
// it did.
func (s *Scenario) Lingers(ctx context.Context, f *Flow, unwanted func(grades.Call) bool) bool {
	return s.await(ctx, f, s.run.config.Timeout.PageSign.Std(), anyOf(unwanted))
}

// anyOf says whether one of the requests that came is of a kind.
func anyOf(kind func(grades.Call) bool) func([]grades.Call) bool {
	return func(calls []grades.Call) bool { return slices.ContainsFunc(calls, kind) }
}

func (s *Scenario) await(ctx context.Context, f *Flow, patience time.Duration, enough func([]grades.Call) bool) bool {
	switch {
	case s.run.config.IsEmbedded():
		patience = 0 // the fake tool has sent everything before it answers
	case s.run.Denied(lti.GradeScopes...) != nil:
		patience = min(patience, s.run.config.Timeout.PageSign.Std())
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	known, since := len(f.account.calls), time.Now()
	came := false
	more := func() bool { // came of what the flow has brought about
		f.account.close()
		came = enough(f.account.calls)
		return !came
	}
	if more() {
		s.aside(func() {
			for f.account.books.AwaitCalls(ctx, f.account.contextID, f.account.from+len(f.account.calls)+1) && more() {
			}
		})
	}
	if len(f.account.calls) > known {
		f.evidence.Steps = append(f.evidence.Steps, slices.DeleteFunc(s.run.recorder.between(since, time.Now()), isOfLaunches)...)
		s.keep(f)
	}
	return came
}

// isOfLaunches says whether an exchange is one of launches, which others may make meanwhile.
func isOfLaunches(step results.Step) bool {
	u, err := url.Parse(step.URL)
	return err != nil || !fakeplatform.ForServers(strings.TrimPrefix(u.Path, config.OtherPath)) || strings.HasSuffix(u.Path, fakeplatform.JWKSPath)
}

// Made are the requests by which the tool has made line items meanwhile.
func (f *Flow) Made() []grades.Call {
	return f.CallsOf(http.MethodPost, grades.LineItems)
}

// AssertionOf is the client assertion of a request for an access token, read without
// any check.
func AssertionOf(r fakeplatform.TokenRequest) Message {
	return readMessage(r.Form.Get(lti.ParamClientAssertion))
}
