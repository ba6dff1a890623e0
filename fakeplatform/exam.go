package fakeplatform

import (
	"math"
	"net/http"
	"slices"

	"invigilator/lti"
)

// A sitting is what the page of the assessment shows.
type sitting struct {
	Status   lti.Status
	Title    string
	Name     string // of the candidate, as the tool has verified it
	Shows    any    // for faults: more of what the tool has verified
	Picture  string // for faults: that which the tool has verified
	TimeLeft int    // minutes, the one that has begun included
	URL      string
	ReturnTo string
}

// isCandidates says whether a request comes from the browser in which the
// launch's user is signed in, or, without an application, from the one that
// began the launch.
func (p *Platform) isCandidates(r *http.Request, l *Launch) bool {
	if p.opts.SignedIn != nil {
		account := p.opts.SignedIn(r)
		return account == l.plan.Account || p.welcomes(account)
	}
	return slices.Contains(sessionsOf(r), l.session) || p.welcomes("")
}

// attending says whether the browser is that of a candidate whose exam this is,
// and refuses otherwise.
func (p *Platform) attending(w http.ResponseWriter, r *http.Request, l *Launch) bool {
	if l.attempt == nil {
		p.unplanned(r, "this launch is about no exam")
		refuse(w, http.StatusNotFound, "This launch is about no exam.")
		return false
	}
	if !p.isCandidates(r, l) {
		refuse(w, http.StatusForbidden, "Please sign in as the candidate whose exam this is.")
		return false
	}
	if http.NewCrossOriginProtection().Check(r) != nil {
		refuse(w, http.StatusForbidden, "Exams are taken on the pages of the platform alone.")
		return false
	}
	return true
}

// serveExam shows the assessment. A candidate whose attempt has ended meanwhile
// is sent to the tool first, where it has asked for it.
func (p *Platform) serveExam(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !p.showsToAnybody(r, l) && !p.attending(w, r, l) {
		return
	}
	if p.leave(w, r, l.attempt, nil) {
		return
	}
	a := l.attempt
	a.mu.Lock()
	page := sitting{
		Status: a.settled(), Title: l.plan.ResourceLink.Title, Name: a.name,
		TimeLeft: int(math.Ceil(a.timeLeft().Minutes())), URL: l.ExamURL(), ReturnTo: l.plan.ReturnTo,
	}
	p.spoilSitting(&page, a.verified)
	a.mu.Unlock()
	render(w, http.StatusOK, "exam", page)
}

// leave sends the browser to the tool with the news that the attempt has ended,
// once, and says whether it has.
func (p *Platform) leave(w http.ResponseWriter, r *http.Request, a *Attempt, problem *ExamError) bool {
	a.mu.Lock()
	due := a.endDue()
	a.toldEnd = a.toldEnd || due
	due = due && !p.keepsEndBack(r, problem)
	a.mu.Unlock()
	if !due {
		return false
	}
	l, err := p.BeginEnd(a, problem, nil)
	if err != nil {
		refuse(w, http.StatusConflict, err.Error())
		return true
	}
	http.Redirect(w, r, l.URL(), http.StatusSeeOther)
	return true
}

// complete ends an attempt that runs, and says whether it did.
func (a *Attempt) complete() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.settled() != lti.Running {
		return false
	}
	if a.beside > 0 {
		a.beside--
		return true
	}
	a.status = lti.Complete
	return true
}

// serveSubmit takes the candidate's answers.
func (p *Platform) serveSubmit(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !p.attending(w, r, l) {
		return
	}
	l.attempt.complete()
	if !p.leave(w, r, l.attempt, nil) {
		http.Redirect(w, r, l.ExamURL(), http.StatusSeeOther)
	}
}

// broken is the error that the platform does not handle.
var broken = ExamError{
	Message: "The exam could not be continued.",
	Log:     "index out of range [1] with length 1 while the answers were stored",
}

// serveBreak fails, and the attempt with it.
func (p *Platform) serveBreak(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !p.attending(w, r, l) {
		return
	}
	if !l.attempt.complete() {
		http.Redirect(w, r, l.ExamURL(), http.StatusSeeOther)
		return
	}
	if !p.leave(w, r, l.attempt, &broken) {
		refuse(w, http.StatusConflict, broken.Message)
	}
}

// SubmitButton is the CSS selector of the button on the page of a running exam that
// hands it in.
const SubmitButton = "#submit"
