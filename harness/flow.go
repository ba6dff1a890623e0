package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/dynamicregistration"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/fault"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// Learner and Teacher are the users that launches are made for, with what
// platforms usually send of a person.
var (
	Learner = fakeplatform.User{
		Sub: "learner-3f1c", Name: "Ada Byron", GivenName: "Ada", FamilyName: "Byron",
		Email: "ada.byron@school.example", Locale: "en-GB", SourcedID: "school.example:ada", Roles: []string{lti.RoleLearner},
	}
	Teacher = fakeplatform.User{
		Sub: "teacher-77b0", Name: "Mary Somerville", GivenName: "Mary", FamilyName: "Somerville",
		Email: "mary.somerville@school.example", Locale: "en-GB", SourcedID: "school.example:mary", Roles: []string{lti.RoleInstructor},
	}
)

var course = fakeplatform.Context{ID: "course-9a", Label: "AN-1", Title: "Analytical Engines"}

// A Launch says how a launch is made. Its zero value is a valid launch of the
// learner in a tab of a fresh browser.
type Launch struct {
	// Title says what the launch is for, in the report.
	Title string
	// By is the browser that it is made in; a fresh one when nil.
	By agent.User
	// User is who is launched; Learner when empty.
	User fakeplatform.User
	// Fault is what differs from a valid launch.
	Fault *fakeplatform.Fault
	// Other is the launch that the fault borrows from.
	Other *Flow
	// Again submits Other's answer once more instead of beginning a launch.
	Again bool
	// LoggedIn is set where the browser has been launched before, so that a
	// session of the tool shows nothing.
	LoggedIn bool
	// In is where the launch is shown.
	In agent.Place
	// BlockThirdPartyCookies makes the browser block them.
	BlockThirdPartyCookies bool
	// Quiet is how long nothing may move before the journey counts as at rest, where that is
	// longer than usual: pages may wait for what other windows answer.
	Quiet time.Duration
	// At is the platform that launches; the first one when nil.
	At *fakeplatform.Platform
	// ClientID, DeploymentID and Link are those of the launch; the first
	// registration's, and a usual link, when empty.
	ClientID, DeploymentID string
	Link                   fakeplatform.ResourceLink
	// Exam is set where the launch is one into a proctored exam; then the user is
	// a [Candidate] of its own when empty. Its zero value is an exam with all that
	// a platform can offer.
	Exam *proctoring.Exam
	// Assignment is set where the launch is one of a learner who hands in work, or of
	// an instructor who looks after the gradebook: the grade services are offered.
	Assignment *Assignment
	// Review is the work that the launch opens for review; then the user is Teacher
	// when empty.
	Review *Work
	// Plan changes what the platform plans, where the launch offers a part that has a
	// package of its own.
	Plan func(*fakeplatform.Plan)
	// Does is what the user does where that launch has led; of a candidate the
	// check-in when empty, and of others nothing. One who Stays does nothing.
	Does  config.Deed
	Stays bool
	// Denied is set where nobody should be able to do that: it is looked for only briefly.
	Denied bool
	// Words are what words of the tool's journey stand for, in pairs: "{work}", and
	// what the learner writes.
	Words []string
	// Together is set where other launches go on at the same time: what the
	// servers saw cannot be told apart then.
	Together bool
}

// A Flow is one journey and all that was seen of it.
type Flow struct {
	ID       string
	Launch   *fakeplatform.Launch
	Record   fakeplatform.Record
	Trip     *agent.Trip
	Reaction Reaction
	session  session // what the session page showed afterwards, where it was asked
	evidence results.Flow
	by       agent.User // whose browser it was
	kind     launchKind
	held     bool                 // against what holds in every flow
	control  bool                 // a valid launch like those of the preflight
	attended bool                 // something was done, or tried, where that had led
	stuck    *JourneyError        // in the tool, where the user came no further
	tells    bool                 // the configuration says how the tool tells what became of it
	controls []proctoring.Control // that came while a proctor acted
	review   *Work                // that the launch is to show
	texts    []string             // that learners of the run have handed in
	account  account              // of what the gradebook saw meanwhile
	reading
}

// A launchKind says what a launch is for, and with it what shows that the tool has
// accepted it.
type launchKind string

const (
	plain      launchKind = ""           // a resource link: the baseline tells
	intoExam   launchKind = "exam"       // LtiStartAssessment comes
	withGrades launchKind = "assignment" // nothing speaks of a refusal
	toReview   launchKind = "review"     // the page shows the learner's work
)

func (l Launch) kind() launchKind {
	switch {
	case l.Exam != nil:
		return intoExam
	case l.Review != nil:
		return toReview
	case l.Assignment != nil, l.Plan != nil:
		return withGrades
	default:
		return plain
	}
}

// Request returns the parameters of the authentication request, and false
// where none came.
func (f *Flow) Request() (fakeplatform.AuthenticationRequest, bool) {
	if len(f.Record.AuthenticationRequests) == 0 {
		return fakeplatform.AuthenticationRequest{}, false
	}
	return f.Record.AuthenticationRequests[0], true
}

// Answered says whether the platform's answer was submitted to the tool.
func (f *Flow) Answered() bool { return len(f.Statuses()) > 0 }

// Led says whether the browser was led to an address that begins like this.
func (f *Flow) Led(prefix string) bool {
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool {
		return strings.HasPrefix(s.URL, prefix) && (len(s.URL) == len(prefix) || strings.ContainsAny(s.URL[len(prefix):len(prefix)+1], "/?#:"))
	}) || strings.HasPrefix(f.Trip.Page.URL, prefix)
}

// Shows says whether the page that the journey ended on shows a text.
func (f *Flow) Shows(text string) bool {
	return text != "" && strings.Contains(f.Trip.Page.Text+"\n"+f.Trip.Page.Title, text)
}

// ShowsBeginOf says whether it shows how a value of a message begins, as text: a page
// may cut what is long, and break it into lines.
func (f *Flow) ShowsBeginOf(value any) bool {
	words := strings.Fields(fmt.Sprint(value))
	page := strings.Join(strings.Fields(f.Trip.Page.Text), " ")
	begin := []rune(strings.Join(words, " "))
	return value != nil && strings.Contains(page, string(begin[:min(len(begin), 24)]))
}

// Statuses returns the HTTP statuses of the tool's answers to the launch, from
// the submitted answer on.
func (f *Flow) Statuses() []int {
	action, _, err := f.Launch.Answer()
	if err != nil {
		return nil
	}
	var statuses []int
	for _, s := range f.Trip.Steps {
		if len(statuses) > 0 || s.Method == http.MethodPost && SameURL(s.URL, action) || strings.Contains(s.URL, lti.ParamIDToken+"=") {
			statuses = append(statuses, s.Status)
		}
	}
	return statuses
}

// SameURL compares URLs as browsers do, to whom a host has no case, a scheme has
// a port, no path is the path /, and who asks is no part of where.
func SameURL(a, b string) bool {
	normal := func(raw string) string {
		u, err := url.Parse(raw)
		if err != nil {
			return raw
		}
		u.Host = strings.TrimSuffix(strings.ToLower(u.Host), map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
		if u.Path == "" {
			u.Path = "/"
		}
		u.Fragment, u.User = "", nil
		return u.String()
	}
	return normal(a) == normal(b)
}

// End says in a sentence what the journey ended on.
func (f *Flow) End() string { return describe(f.Trip) }

// launch makes a launch and follows it to its end. It fails only where the
// harness itself does.
func (r *Run) launch(ctx context.Context, l Launch) (*Flow, error) {
	if l.By == nil {
		user, err := r.Open(ctx)
		if err != nil {
			return nil, err
		}
		defer user.Close()
		l.By = user
	}
	flow, err := r.travel(ctx, l)
	if err != nil {
		return nil, err
	}
	defer flow.Launch.End()
	flow.Reaction = r.baseline.reaction(flow)
	if flow.kind == toReview && flow.Reaction.Kind == Unclear && l.Does == "" {
		if err := r.lookForGrading(ctx, l, flow); err != nil {
			return nil, err
		}
	}
	if flow.kind == plain && (flow.Reaction.Kind == Refused || flow.Reaction.Kind == Unclear) && r.mayLookAgain(l) {
		if err := r.lookAgain(ctx, l.By, flow); err != nil {
			return nil, err
		}
	}
	if flow.Trip.Ended == agent.Dropped && flow.Reaction.Kind == Dead && !r.config.IsEmbedded() {
		if err := r.awaitServer(ctx, r.tool.LoginURL, r.config.Timeout.Restart.Std()); err != nil {
			flow.Reaction.Why += "; it has not come back: " + err.Error()
			if !l.Together { // a crowd of ours may be what the tool cannot bear
				r.goes(partLaunches, flow.Reaction.Why)
			}
		}
	}
	return flow, nil
}

// travel carries the launch through the agent.
func (r *Run) travel(ctx context.Context, l Launch) (*Flow, error) {
	started, visit, err := r.plan(l)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	account := accountOf(grades.On(l.platform(r)), started.Plan().Context.ID)
	trip, err := l.By.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &Flow{Launch: started, Record: started.Record(), Trip: trip, by: l.By, kind: l.kind(), review: l.Review, texts: r.texts, account: account}
	flow.ID = r.nextFlowID()
	flow.evidence = r.evidence(flow, l, began)
	if err := r.attend(ctx, l, flow, began); err != nil {
		return nil, err
	}
	flow.account.close()
	return flow, nil
}

// plan begins the launch on the platform and says where the agent has to go.
func (r *Run) plan(l Launch) (*fakeplatform.Launch, agent.Visit, error) {
	visit := r.visit("")
	visit.In, visit.BlockThirdPartyCookies = l.In, l.BlockThirdPartyCookies
	visit.Screenshot, visit.Quiet = true, max(visit.Quiet, l.Quiet)
	if l.Fault != nil && l.Fault.Needs.Has(fault.Patience) {
		visit.Deadline += visit.Deadline * 3 / 5 // half a minute, where a launch has 20 seconds
	}
	if l.Fault != nil && fakeplatform.HoldsAnswer(*l.Fault) && !l.Again {
		// It ends on a page of ours, where there is nothing to look for.
		visit.Screenshot, visit.Markers = false, nil
	}
	if l.Review != nil && l.Review.Text != "" {
		// A page may take its time to show the work.
		visit.Markers = append(slices.DeleteFunc(visit.Markers, func(m agent.Marker) bool { return m.Name == acceptsMarker }), agent.Marker{Name: workMarker, Text: l.Review.Text})
	}
	if l.Again {
		visit.URL = l.Other.Launch.DeliverURL()
		return l.Other.Launch, visit, nil
	}
	plan := fakeplatform.Plan{
		ClientID: r.tool.ClientID, User: l.User, Context: course, Fault: l.Fault, Lenient: true, LoginByPost: r.loginByPost,
		Custom: map[string]string{"chapter": "1"}, DeploymentID: l.DeploymentID, ResourceLink: l.Link,
		Needs: fakeplatform.Needs{Custom: r.tool.Custom, Claims: r.tool.Claims},
	}
	if l.ClientID != "" {
		plan.ClientID = l.ClientID
	}
	platform := l.platform(r)
	switch {
	case l.Exam != nil:
		plan.Message, plan.About = lti.StartProctoring, r.examOf(*l.Exam)
		plan.TargetLinkURI = r.tool.ProctoringTargetLinkURI
		if plan.User.Sub == "" {
			plan.User = Candidate()
		}
	case l.Review != nil:
		l.Review.offer(&plan)
		plan.Message, plan.About = lti.SubmissionReviewRequest, review.Submission{LineItem: l.Review.Item.ID, Learner: l.Review.Learner}
		if plan.User.Sub == "" {
			plan.User = Teacher
		}
	case l.Assignment != nil:
		l.Assignment.offer(&plan)
	}
	if plan.User.Sub == "" {
		plan.User = Learner
	}
	if l.In == agent.Frame {
		plan.Target = fakeplatform.IFrame
	}
	if l.Other != nil {
		plan.Other = l.Other.Launch
	}
	if l.Plan != nil {
		l.Plan(&plan)
	}
	if plan.Message == dynamicregistration.Registering {
		visit.Markers = nil // it is no page of a launch
	}
	started, err := platform.Begin(plan)
	if err != nil {
		return nil, visit, err
	}
	visit.Also = append(visit.Also, r.marksWaysBack(started.ReturnURL())...)
	switch l.In {
	case agent.Frame:
		visit.URL = started.FrameURL()
	case agent.Window:
		visit.URL, visit.Link, visit.WindowName = started.WindowURL(), fakeplatform.WindowLink, started.WindowName()
	default:
		visit.URL = started.URL()
	}
	return started, visit, nil
}

// platform is the one that launches.
func (l Launch) platform(r *Run) *fakeplatform.Platform {
	switch {
	case l.Review != nil && l.At == nil:
		return l.Review.At
	case l.Assignment != nil && l.At == nil:
		return l.Assignment.At
	}
	return cmp.Or(l.At, r.platform)
}

const (
	acceptsMarker = "accepts"
	refusesMarker = "refuses"
	workMarker    = "work"
	teacherMarker = "teacher"
	markupMarker  = "markup"

	userReading     = "user"
	resourceReading = "resource"
	exitReading     = "exit"
)

// UserMark is the page's mark of the user; empty where it has none.
func (f *Flow) UserMark() string { return f.Trip.Read[userReading] }

// ResourceMark is the page's mark of the resource; empty where it has none.
func (f *Flow) ResourceMark() string { return f.Trip.Read[resourceReading] }

// Exit is where the page's link back to the platform leads; empty where it has none.
func (f *Flow) Exit() string { return f.Trip.Read[exitReading] }

// teaches says whether the launch is one of an instructor, whose page may be
// another than that of the learner whom the preflight launched.
func (f *Flow) teaches() bool {
	var message struct {
		Roles []string `json:"https://purl.imsglobal.org/spec/lti/claim/roles"`
	}
	_, payload, _ := lti.Decode(f.Record.IDToken)
	if err := json.Unmarshal(payload, &message); err != nil {
		return false
	}
	return slices.ContainsFunc(message.Roles, func(role string) bool { return strings.Contains(role, "Instructor") })
}

// Teaches says whether the page is that of a teacher.
func (f *Flow) Teaches() bool { return f.Trip.Markers[teacherMarker] }

// HasMarkup says whether markup that came in a message is part of the page.
func (f *Flow) HasMarkup() bool { return f.Trip.Markers[markupMarker] }

// visit returns what every visit has in common.
func (r *Run) visit(url string) agent.Visit {
	p := r.config.Timeout
	v := agent.Visit{URL: url, Quiet: r.config.Browser.IdleTime.Std(), MarkerWait: p.PageSign.Std(), Deadline: p.Launch.Std()}
	v.Markers = append(Marker(acceptsMarker, r.tool.LaunchAccepted), Marker(refusesMarker, r.tool.LaunchRefused)...)
	v.Also = append(Marker(teacherMarker, r.tool.InstructorView), agent.Marker{Name: markupMarker, Selector: "#" + fakeplatform.MarkupID})
	v.Read = map[string]agent.Reading{}
	for name, r := range map[string]agent.Reading{
		userReading: {Selector: r.tool.UserSelector}, resourceReading: {Selector: r.tool.ResourceSelector},
		exitReading: {Selector: r.tool.ReturnSelector, Attribute: "href"},
	} {
		if r.Selector != "" {
			v.Read[name] = r
		}
	}
	return v
}

// evidence puts together what agent, platform and tool saw of a journey.
func (r *Run) evidence(f *Flow, l Launch, began time.Time) results.Flow {
	e := results.Flow{
		ID: f.ID, Title: l.Title, Page: f.Trip.Page, Ended: string(f.Trip.Ended), Why: f.Trip.Why,
		Millis: f.Trip.Took.Milliseconds(), Dropped: f.Trip.Dropped,
	}
	steps := slices.Clone(f.Trip.Steps)
	if !l.Together {
		steps = merge(steps, r.recorder.between(began, began.Add(f.Trip.Took)))
	}
	e.Steps = steps
	if l.Fault != nil {
		e.Fault = l.Fault.Name
	}
	if len(f.Trip.Screenshot) > 0 {
		e.Page.Screenshot = hashOf(f.Trip.Screenshot)
	}
	if f.Record.IDToken != "" {
		e.Tokens = []results.Token{tokenOf(lti.ParamIDToken, f.Record.IDToken)}
	}
	for _, came := range proctoring.Seen(f.Record.Part).StartAssessments {
		e.Tokens = append(e.Tokens, tokenOf(lti.ParamJWT, came.JWT))
	}
	return e
}

// tokenOf is what the document keeps of a token.
func tokenOf(name, token string) results.Token {
	t := results.Token{Name: name, Raw: token}
	header, claims, err := lti.Decode(token)
	t.Header, t.Claims = header, claims
	if err != nil {
		t.Problem = err.Error()
	}
	if len(token) > maxToken {
		t.Raw, t.Claims = results.Bounded(token, maxToken), nil
		t.Problem = fmt.Sprintf("%d bytes, of which the first are shown", len(token))
	}
	return t
}

// maxToken bounds what is kept of a token: some are padded on purpose.
const maxToken = 12 << 10

// merge adds what the servers saw to what the agent saw. An exchange that both
// saw alike is kept once, with the body that only the server has.
func merge(agents, servers []results.Step) []results.Step {
	var rest []results.Step
	for _, s := range servers {
		i := slices.IndexFunc(agents, func(a results.Step) bool {
			return a.Method == s.Method && a.URL == s.URL && a.Status == s.Status && !strings.Contains(a.SeenBy, ", ")
		})
		if i < 0 {
			rest = append(rest, s)
			continue
		}
		agents[i].SeenBy += ", " + s.SeenBy
		agents[i].ResponseBody = cmp.Or(agents[i].ResponseBody, s.ResponseBody)
		agents[i].RequestBody = cmp.Or(agents[i].RequestBody, s.RequestBody)
	}
	return slices.Concat(agents, rest)
}

// mayLookAgain says whether a visit to the session page tells something of a
// launch, and disturbs nothing: a login that is held back goes on later, and
// what a frame was given is not there in a tab.
func (r *Run) mayLookAgain(l Launch) bool {
	held := l.Fault != nil && fakeplatform.HoldsAnswer(*l.Fault) && !l.Again
	return r.baseline.sessionURL != "" && !l.LoggedIn && !held && l.In != agent.Frame
}

// lookAgain visits the page that only launched browsers see, to judge a launch
// by its effect: a browser that was refused must not be logged in, and where
// the launch's own page says nothing, this one may.
func (r *Run) lookAgain(ctx context.Context, by agent.User, f *Flow) error {
	trip, err := by.Visit(ctx, r.visit(r.baseline.sessionURL))
	if err != nil {
		return err
	}
	f.evidence.Steps = append(f.evidence.Steps, trip.Steps...)
	f.session = r.baseline.session(trip)
	if f.session != shown && f.session != somebody {
		return nil
	}
	// A tool may show everybody another page by now, such as one that says that it is
	// down for maintenance.
	fresh, err := r.Open(ctx)
	if err != nil {
		return err
	}
	defer fresh.Close()
	seen, err := fresh.Visit(ctx, r.visit(r.baseline.sessionURL))
	if err != nil {
		return err
	}
	if likenessOf(seen).shownBy(trip) {
		f.session = ""
	}
	return nil
}

func (f *Flow) misread() string { return cmp.Or(f.take(), tooMuch(f.Trip)) }

func (f *Flow) breach() bool {
	return f.ScriptRan() || f.HasMarkup() || f.Led(fakeplatform.Stranger)
}

// keptWaiting says whether the platform has kept the tool waiting for its key set. Whether the
// tool was there otherwise is shown by the valid launches around.
func (f *Flow) keptWaiting() bool {
	with := f.Launch.Plan().Fault
	return with != nil && with.Needs.Has(fault.Patience)
}

// kept is what the document keeps of the flow.
func (f *Flow) kept() (results.Flow, []byte) { return f.evidence, f.Trip.Screenshot }

// ErrNoLogin says that a launch did not come as far as it had to for a stimulus
// to be tried.
var ErrNoLogin = errors.New("the login that this needs did not work")

// ErrNoScore says that a score has not come that a stimulus needs, though the tool was
// there.
var ErrNoScore = errors.New("the score that this needs did not come")
