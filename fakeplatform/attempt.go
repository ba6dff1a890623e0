package fakeplatform

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// An Exam is what a proctored launch is about (Proctoring Services 1.0, 4.2).
type Exam struct {
	Attempt       int          // the attempt's number; that of the candidate's next one when 0
	SessionData   string       // made when empty
	Settings      string       // data of proctoring_settings; no claim when empty
	Actions       []lti.Action // that the Assessment Control Service offers; no claim when empty
	Minutes       int          // the time that the candidate has; an hour when 0
	Picture       string       // the platform's picture of the candidate; no claim when empty
	EmailVerified *bool        // goes with the user's email; true when nil
}

// examMinutes is the time that a candidate has where the plan says nothing.
const examMinutes = 60

// An ExamError is what ended an attempt where the platform did not expect it
// (Proctoring Services 1.0, 4.4).
type ExamError struct {
	Message string // for the candidate
	Log     string
}

// A candidate is who takes which assessment through which tool.
type candidate struct{ clientID, sub, linkID string }

// An Attempt is a candidate's attempt at an assessment. It is safe for
// concurrent use.
type Attempt struct {
	platform     *Platform
	deploymentID string
	number       int

	mu        sync.Mutex
	launch    *Launch // that started it; the latest one before
	status    lti.Status
	started   time.Time
	paused    time.Time      // when it was, while it is
	held      time.Duration  // by pauses that are over
	extraTime int            // minutes
	name      string         // of the candidate, as the tool has verified it
	verified  map[string]any // for faults: all that the tool says to have verified
	wantsEnd  bool
	toldEnd   bool
	incidents []lti.ControlRequest
	controls  int // requests that were found to be about it
	beside    int // for a fault: attempts that go on when this one is handed in
	skips     int // for a fault: numbers that the next attempt does not have
}

// ErrUnderWay says that a candidate has an attempt that has not ended yet, so
// that there is no next one.
var ErrUnderWay = errors.New("fakeplatform: the candidate has an attempt that is under way")

// numberedAttempt is the number of somebody's first attempt, and waitingAttempt the latest one,
// which was not started, when another launch comes. They are asked for with the platform locked.
type (
	numberedAttempt struct {
		*Platform
		who    candidate
		number int
	}
	waitingAttempt struct {
		*Platform
		who    candidate
		latest *Attempt
	}
)

var (
	firstNumber       = &fault.Seam[numberedAttempt]{Name: "the number of a candidate's first attempt"}
	attemptPassedOver = &fault.Step[waitingAttempt]{Name: "an attempt that was not started gives way to the next"}

	// Of an attempt that is locked.
	attemptRestarts = &fault.Step[*Attempt]{Name: "an attempt that is over begins once more"}
	endWanted       = &fault.Step[*Attempt]{Name: "the tool has asked to be told of the end", Honest: func(a *Attempt) bool { return a.wantsEnd }}
)

// mayRestart says whether an attempt that is over may begin once more.
func (a *Attempt) mayRestart() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return attemptRestarts.Taken(a.platform.carrier, a)
}

// attemptFor returns the attempt that a launch is about: the one that its plan
// names, or else the candidate's latest until it has been started, and then the
// next.
func (p *Platform) attemptFor(plan Plan) (*Attempt, error) {
	if plan.User.Sub == "" || plan.Anonymous {
		return nil, errors.New("fakeplatform: a proctored launch of nobody")
	}
	who := candidate{plan.ClientID, plan.User.Sub, plan.ResourceLink.ID}
	p.mu.Lock()
	defer p.mu.Unlock()
	number := plan.Exam.Attempt
	if latest := p.latestAttempt(who, plan.DeploymentID); number == 0 {
		number = firstNumber.Pass(p.carrier, numberedAttempt{p, who, 1}).number
		if latest != nil {
			switch latest.Status() {
			case lti.None:
				if !attemptPassedOver.Taken(p.carrier, waitingAttempt{p, who, latest}) {
					return latest, nil
				}
			case lti.Running, lti.Paused:
				return nil, ErrUnderWay
			}
			number = max(number, latest.number+1+latest.skips)
		}
	}
	for _, a := range p.attempts[who] {
		if a.deploymentID == plan.DeploymentID && a.number == number {
			return a, nil
		}
	}
	a := &Attempt{platform: p, deploymentID: plan.DeploymentID, number: number, status: lti.None}
	p.attempts[who] = append(p.attempts[who], a)
	return a, nil
}

// latestAttempt returns the one with the highest number, and nil for none. It
// is called with the platform locked.
func (p *Platform) latestAttempt(who candidate, deploymentID string) *Attempt {
	var latest *Attempt
	for _, a := range p.attempts[who] {
		if a.deploymentID == deploymentID && (latest == nil || a.number > latest.number) {
			latest = a
		}
	}
	return latest
}

// CurrentAttempt returns a candidate's latest attempt at the assessment of a
// resource link, and nil where there is none.
func (p *Platform) CurrentAttempt(clientID, deploymentID, sub, linkID string) *Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latestAttempt(candidate{clientID, sub, linkID}, deploymentID)
}

// BeginEnd plans the launch that tells the tool of the attempt's end (Proctoring
// Services 1.0, 4.4): that of an error where there is a problem. It goes as the
// launch that started the attempt went, but with the fault.
func (p *Platform) BeginEnd(a *Attempt, problem *ExamError, f *Fault) (*Launch, error) {
	a.mu.Lock()
	l := a.launch
	a.mu.Unlock()
	plan := l.plan
	plan.Message, plan.Fault = lti.EndAssessment, f
	ending, err := p.begin(plan, a, problem)
	if err != nil {
		return nil, fmt.Errorf("fakeplatform: tell of the end of attempt %d: %w", a.number, err)
	}
	return ending, nil
}

// Number returns the attempt's number, which begins with 1.
func (a *Attempt) Number() int { return a.number }

// Status returns the state that the attempt is in.
func (a *Attempt) Status() lti.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.settled()
}

// ExtraTime returns the minutes that the tool has added.
func (a *Attempt) ExtraTime() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.extraTime
}

// Incidents returns the latest of those that the tool has told of.
func (a *Attempt) Incidents() []lti.ControlRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.incidents)
}

// WantsEnd says whether the tool has asked to be told of the attempt's end.
func (a *Attempt) WantsEnd() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wantsEnd
}

// EndDue says whether the attempt has ended and its tool, which has asked for
// it, was not told yet. The candidate's next visit to [Attempt.ExamURL] does.
func (a *Attempt) EndDue() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.endDue()
}

// ExamURL returns the page of the assessment, for the browser of the launch
// that started the attempt.
func (a *Attempt) ExamURL() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.launch.ExamURL()
}

// offer makes a launch one that may start the attempt.
func (a *Attempt) offer(l *Launch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.launch == nil || a.status == lti.None {
		a.launch = l
	}
}

// start begins the attempt, once.
func (a *Attempt) start(l *Launch, name string, wantsEnd bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status != lti.None && !attemptRestarts.Taken(a.platform.carrier, a) {
		return false
	}
	a.launch, a.name, a.wantsEnd, a.toldEnd = l, name, wantsEnd, false
	a.status, a.started, a.held = lti.Running, a.platform.opts.Now(), 0
	return true
}

// startedBy returns the launch that started the attempt, and nil before.
func (a *Attempt) startedBy() *Launch {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == lti.None {
		return nil
	}
	return a.launch
}

// What follows is called with the attempt locked.

// settled returns the status: an attempt whose time is up is complete.
func (a *Attempt) settled() lti.Status {
	if a.status == lti.Running && a.timeLeft() <= 0 {
		a.status = lti.Complete
	}
	return a.status
}

// timeLeft is what the candidate has left. It stands still during a pause.
func (a *Attempt) timeLeft() time.Duration {
	now := a.platform.opts.Now()
	if a.status == lti.Paused {
		now = a.paused
	}
	minutes := cmp.Or(a.launch.plan.Exam.Minutes, examMinutes) + a.extraTime
	return time.Duration(minutes)*time.Minute - (now.Sub(a.started) - a.held)
}

// endDue says whether the tool is to be told of the end.
func (a *Attempt) endDue() bool {
	status := a.settled()
	over := status == lti.Complete || status == lti.Terminated
	return over && !a.toldEnd && endWanted.Taken(a.platform.carrier, a)
}

// maxExtraTime is how many minutes a tool may add in all.
const maxExtraTime = 7 * 24 * 60

// control does what a tool asks for (Proctoring Services 1.0, 5). An attempt
// that is not under way stays as it is.
func (a *Attempt) control(request lti.ControlRequest) {
	from := a.settled()
	to, underWay := from, from == lti.Running || from == lti.Paused
	switch request.Action {
	case lti.Pause:
		to = lti.Paused
	case lti.Resume:
		to = lti.Running
	case lti.Terminate:
		to = lti.Terminated
	}
	if !underWay {
		to = from
	}
	a.status = attemptControlled.Pass(a.platform.carrier, controlledAttempt{request.Action, from, to}).to
	switch {
	case from == lti.Running && a.status == lti.Paused:
		a.paused = a.platform.opts.Now()
	case from == lti.Paused && a.status == lti.Running:
		a.held += a.platform.opts.Now().Sub(a.paused)
	}
	switch {
	case underWay && request.Action == lti.Update:
		a.extraTime += *request.ExtraTime
	case underWay && request.Action == lti.Flag:
		a.incidents = last(append(a.incidents, request), maxRecord)
	}
}

// last returns the latest of what has been collected, at most n of them.
func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }
