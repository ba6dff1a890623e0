package proctoring

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// examMinutes is the time that a candidate has where the plan says nothing.
const examMinutes = 60

// A candidate is who takes which assessment through which tool.
type candidate struct{ clientID, sub, linkID string }

// An Attempt is a candidate's attempt at an assessment. It is safe for
// concurrent use.
type Attempt struct {
	exams        *Exams
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
// which was not started, when another launch comes. They are asked for with the exams locked.
type (
	numberedAttempt struct {
		*Exams
		who    candidate
		number int
	}
	waitingAttempt struct {
		*Exams
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
	return attemptRestarts.Taken(a.exams.carrier(), a)
}

// attemptFor returns the attempt that a launch is about: the one that its plan
// names, or else the candidate's latest until it has been started, and then the
// next.
func (e *Exams) attemptFor(plan part.Plan, exam Exam) (*Attempt, error) {
	if plan.Sub == "" {
		return nil, errors.New("fakeplatform: a proctored launch of nobody")
	}
	who := candidate{plan.ClientID, plan.Sub, plan.ResourceLink}
	e.mu.Lock()
	defer e.mu.Unlock()
	number := exam.Attempt
	if latest := e.latestAttempt(who, plan.DeploymentID); number == 0 {
		number = firstNumber.Pass(e.carrier(), numberedAttempt{e, who, 1}).number
		if latest != nil {
			switch latest.Status() {
			case lti.None:
				if !attemptPassedOver.Taken(e.carrier(), waitingAttempt{e, who, latest}) {
					return latest, nil
				}
			case lti.Running, lti.Paused:
				return nil, ErrUnderWay
			}
			number = max(number, latest.number+1+latest.skips)
		}
	}
	for _, a := range e.attempts[who] {
		if a.deploymentID == plan.DeploymentID && a.number == number {
			return a, nil
		}
	}
	a := &Attempt{exams: e, deploymentID: plan.DeploymentID, number: number, status: lti.None}
	e.attempts[who] = append(e.attempts[who], a)
	return a, nil
}

// latestAttempt returns the one with the highest number, and nil for none. It
// is called with the exams locked.
func (e *Exams) latestAttempt(who candidate, deploymentID string) *Attempt {
	var latest *Attempt
	for _, a := range e.attempts[who] {
		if a.deploymentID == deploymentID && (latest == nil || a.number > latest.number) {
			latest = a
		}
	}
	return latest
}

// Current returns a candidate's latest attempt at the assessment of a resource link, and nil
// where there is none.
func (e *Exams) Current(clientID, deploymentID, sub, linkID string) *Attempt {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.latestAttempt(candidate{clientID, sub, linkID}, deploymentID)
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
	if a.status != lti.None && !attemptRestarts.Taken(a.exams.carrier(), a) {
		return false
	}
	a.launch, a.name, a.wantsEnd, a.toldEnd = l, name, wantsEnd, false
	a.status, a.started, a.held = lti.Running, a.exams.core.Now(), 0
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
	now := a.exams.core.Now()
	if a.status == lti.Paused {
		now = a.paused
	}
	minutes := cmp.Or(a.launch.exam.Minutes, examMinutes) + a.extraTime
	return time.Duration(minutes)*time.Minute - (now.Sub(a.started) - a.held)
}

// endDue says whether the tool is to be told of the end.
func (a *Attempt) endDue() bool {
	status := a.settled()
	over := status == lti.Complete || status == lti.Terminated
	return over && !a.toldEnd && endWanted.Taken(a.exams.carrier(), a)
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
	a.status = attemptControlled.Pass(a.exams.carrier(), controlledAttempt{request.Action, from, to}).to
	switch {
	case from == lti.Running && a.status == lti.Paused:
		a.paused = a.exams.core.Now()
	case from == lti.Paused && a.status == lti.Running:
		a.held += a.exams.core.Now().Sub(a.paused)
	}
	switch {
	case underWay && request.Action == lti.Update:
		a.extraTime += *request.ExtraTime
	case underWay && request.Action == lti.Flag:
		a.incidents = append(a.incidents, request)
		a.incidents = a.incidents[max(0, len(a.incidents)-maxRecord):]
	}
}
