// Package proctoring is the part of the fake platform that lets candidates take proctored
// exams (Proctoring Services 1.0): it sends LtiStartProctoring and LtiEndAssessment, takes
// LtiStartAssessment, and has the Assessment Control Service.
//
// A launch into an exam has lti.StartProctoring as the message of its plan and is about an
// [Exam]. [Of] returns what the platform has seen of it, and [On] the exams of a platform.
package proctoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// Profile is that of the catalogue.
const Profile = "proctoring"

// ACSPath is that of the Assessment Control Service, below the platform's URL for servers.
const ACSPath = "/acs"

// Part is the service.
var Part = part.Part{
	Profile: Profile, Scopes: []string{lti.ScopeControl}, ServerPaths: []string{ACSPath},
	Keep: func(core part.Core) any {
		return &Exams{core: core, attempts: map[candidate][]*Attempt{}, nonces: jwt.Ledger{}, controlled: make(chan struct{})}
	},
	Mount:    func(mux *http.ServeMux, core part.Core) { examsOf(core).mount(mux) },
	Offering: func(core part.Core, clientID string) part.Launch { return examsOf(core).latest(clientID) },
	Messages: []part.Message{
		{Type: lti.StartProctoring, Memory: memory, Begin: begin},
		{Type: lti.EndAssessment, Memory: memory, Follows: started, Begin: end},
	},
	Faults: slices.Concat(examStimuli, controlStimuli, messageDefects, examDefects, controlDefects),
}

// Exams are the proctored exams of a platform. They are safe for concurrent use.
type Exams struct {
	core  part.Core
	pairs together.Pairs // for faults: messages that come twice at the same time

	mu         sync.Mutex
	launches   []*Launch                // the latest last
	attempts   map[candidate][]*Attempt // in the order in which they were made
	nonces     jwt.Ledger               // of the messages that started an attempt
	controls   []Control
	counted    int           // session data, for a fault
	controlled chan struct{} // closed when the next request to the Assessment Control Service has come
}

// On returns the proctored exams of a platform.
func On(platform interface{ Part(profile string) any }) *Exams {
	return platform.Part(Profile).(*Exams)
}

func examsOf(core part.Core) *Exams { return On(core) }

// carrier carries the faults of the platform.
func (e *Exams) carrier() *fault.Carrier { return e.core.Carrier(part.Place{}) }

// isTool says whether a tool is registered.
func (e *Exams) isTool(clientID string) bool {
	_, known := e.core.Registration(clientID)
	return known
}

// latest is the last launch of a tool into an exam; nil for none.
func (e *Exams) latest(clientID string) part.Launch {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range slices.Backward(e.launches) {
		if plan := l.Plan(); plan.ClientID == clientID && plan.Message == lti.StartProctoring {
			return l.Launch
		}
	}
	return nil
}

func (e *Exams) mount(mux *http.ServeMux) {
	mux.HandleFunc("/launch/{id}/start-assessment", e.withExam(e.serveStartAssessment))
	mux.HandleFunc("/launch/{id}/start-assessment/{odd...}", e.withExam(e.serveStartAssessment)) // of a fault
	mux.HandleFunc("GET /launch/{id}/exam", e.withExam(e.serveExam))
	mux.HandleFunc("POST /launch/{id}/exam/submit", e.withExam(e.serveSubmit))
	mux.HandleFunc("POST /launch/{id}/exam/break", e.withExam(e.serveBreak))
	mux.HandleFunc(ACSPath, e.serveControl)
}

// withExam finds the launch into an exam that the path names.
func (e *Exams) withExam(serve func(http.ResponseWriter, *http.Request, *Launch)) http.HandlerFunc {
	return e.core.WithLaunch(func(w http.ResponseWriter, r *http.Request, l part.Launch) {
		own, is := l.Kept().(*Launch)
		if !is {
			e.core.Unplanned(r, "this launch is about no exam")
			e.core.Refuse(w, http.StatusNotFound, "This launch is about no exam.")
			return
		}
		serve(w, r, own)
	})
}

// An Exam is what a launch with LtiStartProctoring is about (Proctoring Services 1.0, 4.2).
type Exam struct {
	Attempt       int          // the attempt's number; that of the candidate's next one when 0
	SessionData   string       // made when empty
	Settings      string       // data of proctoring_settings; no claim when empty
	Actions       []lti.Action // that the Assessment Control Service offers; no claim when empty
	Minutes       int          // the time that the candidate has; an hour when 0
	Picture       string       // the platform's picture of the candidate; no claim when empty
	EmailVerified *bool        // goes with the user's email; true when nil
}

// An End is what a launch with LtiEndAssessment is about (Proctoring Services 1.0, 4.4): it
// tells the tool, in the candidate's browser, that an attempt has ended. It goes as the launch
// that started the attempt went.
type End struct {
	Attempt *Attempt
	Problem *Problem // that has ended it; nil for none
}

// A Problem is what ended an attempt where the platform did not expect it
// (Proctoring Services 1.0, 4.4).
type Problem struct {
	Message string // for the candidate
	Log     string
}

// A Launch is what the platform keeps of a launch into an exam, or of one that tells of its
// end. It is safe for concurrent use.
type Launch struct {
	part.Launch
	exams       *Exams
	exam        Exam
	attempt     *Attempt
	sessionData string   // that only its tool and its browser have
	problem     *Problem // that ended the attempt; nil for none

	mu     sync.Mutex
	record Record
	said   statement // what the message said of the exam, or will say
}

// A Record is what a launch has seen so far of the exam.
type Record struct {
	// StartAssessments are the requests to the launch's start_assessment_url.
	StartAssessments []StartAssessment
	// Controls are the requests to the Assessment Control Service that name the
	// launch's candidate and resource link, whatever else is wrong with them, and
	// those that came since the launch began and name nobody who is known.
	Controls []Control
}

// Of returns what the platform keeps of a launch, and nil where that is not proctored.
func Of(launch interface{ Part() any }) *Launch {
	l, _ := launch.Part().(*Launch)
	return l
}

// Seen returns the record in a record of the platform, and an empty one where that is of no
// exam.
func Seen(part any) Record {
	record, _ := part.(Record)
	return record
}

// Attempt returns the attempt that the launch is about, and nil where it is not proctored.
func (l *Launch) Attempt() *Attempt {
	if l == nil {
		return nil
	}
	return l.attempt
}

// StartAssessmentURL returns the launch's start_assessment_url (Proctoring
// Services 1.0, 4.2.1).
func (l *Launch) StartAssessmentURL() string { return l.URL() + "/start-assessment" }

// ExamURL returns the page of the assessment, for the candidate's browser.
func (l *Launch) ExamURL() string { return l.URL() + "/exam" }

// Record returns what the launch has seen so far.
func (l *Launch) Record() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Record{slices.Clone(l.record.StartAssessments), slices.Clone(l.record.Controls)}
}

// Seen returns the record for that of the platform.
func (l *Launch) Seen() any { return l.Record() }

// AwaitControls waits until the launch's record has so many requests to the
// Assessment Control Service, and says whether it has: it has not when the context
// ends before.
func (l *Launch) AwaitControls(ctx context.Context, n int) bool {
	for {
		l.exams.mu.Lock()
		next := l.exams.controlled
		l.exams.mu.Unlock()
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

// madeSessionData is the value that a launch is recognised by (Proctoring Services 1.0, 4.2.1).
type madeSessionData struct {
	*Exams
	plan part.Plan
	data string
}

var sessionDataMade = &fault.Seam[madeSessionData]{Name: "the session_data of a launch"}

// begin begins a launch into an exam.
func begin(core part.Core, launch part.Launch) (part.Kept, error) {
	e, plan := examsOf(core), launch.Plan()
	exam, is := plan.About.(Exam)
	if !is && plan.About != nil {
		return nil, fmt.Errorf("fakeplatform: a launch into an exam is about a %T", plan.About)
	}
	attempt, err := e.attemptFor(plan, exam)
	if err != nil {
		return nil, err
	}
	l := &Launch{Launch: launch, exams: e, exam: exam, attempt: attempt}
	l.sessionData = cmp.Or(exam.SessionData, sessionDataMade.Pass(e.carrier(), madeSessionData{e, plan, lti.RandomString()}).data)
	attempt.offer(l)
	e.keep(l)
	return l, nil
}

// started is the launch that started the attempt which has ended.
func started(about any) (part.Launch, error) {
	end, is := about.(End)
	if !is || end.Attempt == nil {
		return nil, fmt.Errorf("fakeplatform: no launch begins with the message type %q: it tells of the end of an attempt", lti.EndAssessment)
	}
	end.Attempt.mu.Lock()
	defer end.Attempt.mu.Unlock()
	if end.Attempt.launch == nil {
		return nil, errors.New("fakeplatform: an end of an attempt that nobody was launched into")
	}
	return end.Attempt.launch.Launch, nil
}

// end begins a launch that tells of an attempt's end.
func end(core part.Core, launch part.Launch) (part.Kept, error) {
	about, _ := launch.Plan().About.(End)
	a := about.Attempt
	a.mu.Lock()
	l := &Launch{Launch: launch, exams: examsOf(core), exam: a.launch.exam, attempt: a, problem: about.Problem}
	l.sessionData = cmp.Or(l.exam.SessionData, lti.RandomString())
	a.mu.Unlock()
	l.exams.keep(l)
	return l, nil
}

// memory is how long a launch is kept, and known to the Assessment Control Service: an exam takes its
// time.
const memory = 24 * time.Hour

// keep keeps a launch, and drops those that are old.
func (e *Exams) keep(l *Launch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := 0
	for old < len(e.launches) && e.launches[old].Planned().Before(l.Planned().Add(-memory)) {
		old++
	}
	e.launches = append(slices.Delete(e.launches, 0, old), l)
}

// find returns the launches that a condition holds for, the latest first.
func (e *Exams) find(are func(*Launch, statement) bool) []*Launch {
	e.mu.Lock()
	launches := slices.Clone(e.launches)
	e.mu.Unlock()
	var found []*Launch
	for _, l := range slices.Backward(launches) {
		if are(l, l.statement()) {
			found = append(found, l)
		}
	}
	return found
}

// Claims adds what a message says in proctoring (Proctoring Services 1.0, 4.2
// and 4.4).
func (l *Launch) Claims(plan part.Plan, claims lti.Claims) {
	exam, is := plan.About.(Exam)
	if !is {
		exam = l.exam
	}
	claims[lti.ClaimAttemptNumber] = l.attempt.Number()
	if exam.Settings != "" {
		claims[lti.ClaimProctoringSettings] = map[string]any{"data": exam.Settings}
	}
	if exam.Picture != "" && plan.Personal {
		claims["picture"] = exam.Picture
	}
	if _, sent := claims["email"]; sent {
		claims["email_verified"] = exam.EmailVerified == nil || *exam.EmailVerified
	}
	if plan.Message == lti.EndAssessment {
		if l.problem != nil {
			claims[lti.ClaimErrorMessage], claims[lti.ClaimErrorLog] = l.problem.Message, l.problem.Log
		}
		return
	}
	claims[lti.ClaimStartAssessmentURL] = l.StartAssessmentURL()
	claims[lti.ClaimSessionData] = l.sessionData
	if len(exam.Actions) > 0 {
		claims[lti.ClaimACS] = map[string]any{
			"actions": slices.Clone(exam.Actions), "assessment_control_url": l.exams.core.ServerURL() + ACSPath,
		}
	}
}

// Says keeps what the launch's message says.
func (l *Launch) Says(claims lti.Claims) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = stated(claims)
}

func (l *Launch) statement() statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said
}

// maxRecord bounds how many requests of a kind a launch keeps.
const maxRecord = 20
