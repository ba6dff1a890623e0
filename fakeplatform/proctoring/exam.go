package proctoring

import (
	_ "embed"
	"html/template"
	"math"
	"net/http"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

//go:embed exam.html.tmpl
var examTemplate string

var pageOfExam = template.Must(template.New("exam").Parse(examTemplate))

// An examPage is what the page of the assessment shows.
type examPage struct {
	Status   lti.Status
	Title    string
	Name     string // of the candidate, as the tool has verified it
	Shows    any    // for faults: more of what the tool has verified
	Picture  string // for faults: that which the tool has verified
	TimeLeft int    // minutes, the one that has begun included
	URL      string
	ReturnTo string
}

// examVisit is a request that has to come from a candidate's browser.
type examVisit struct {
	*http.Request
	launch *Launch
}

// account is that of the user who is signed in, where the application has sessions.
func (v examVisit) account() string {
	account, _ := v.launch.exams.core.Account(v.Request)
	return account
}

var (
	// The candidate takes the exam in the browser that was sent to the tool (Proctoring Services
	// 1.0, 3.3): the one in which the launch's user is signed in, or, without an application, the
	// one that began the launch.
	candidateSignedIn = &fault.Rule[examVisit]{Name: "the browser is the candidate's", Broken: func(v examVisit) error {
		if !v.launch.OfBrowser(v.Request) {
			return &part.Refusal{Status: http.StatusForbidden, Says: "Please sign in as the candidate whose exam this is."}
		}
		return nil
	}}
	examOfCandidate = &fault.Rule[examVisit]{Name: "the page of the assessment is the candidate's", Broken: func(v examVisit) error {
		return candidateSignedIn.Check(v.launch.exams.carrier(), v)
	}}
)

func (e *Exams) isCandidates(r *http.Request, l *Launch) bool {
	return candidateSignedIn.Check(e.carrier(), examVisit{r, l}) == nil
}

// attending says whether the browser is that of a candidate whose exam this is, by that rule,
// and refuses otherwise.
func (e *Exams) attending(w http.ResponseWriter, r *http.Request, l *Launch, may *fault.Rule[examVisit]) bool {
	if err := may.Check(e.carrier(), examVisit{r, l}); err != nil {
		e.core.Refuse(w, http.StatusForbidden, err.Error())
		return false
	}
	if http.NewCrossOriginProtection().Check(r) != nil {
		e.core.Refuse(w, http.StatusForbidden, "Exams are taken on the pages of the platform alone.")
		return false
	}
	return true
}

// shownExam is the page of the assessment, and what the tool says to have verified.
type shownExam struct {
	examPage
	verified map[string]any
}

// toldEnd is the news that an attempt has ended, of which the tool is told in a request of the
// candidate's.
type toldEnd struct {
	*http.Request
	problem *Problem
}

var (
	examShown = &fault.Seam[shownExam]{Name: "the page of the assessment"}
	// The tool is told of the end (Proctoring Services 1.0, 4.4).
	endTold = &fault.Step[toldEnd]{Name: "the tool is told of the end that it asks for", Honest: func(toldEnd) bool { return true }}
)

// serveExam shows the assessment. A candidate whose attempt has ended meanwhile
// is sent to the tool first, where it has asked for it.
func (e *Exams) serveExam(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !e.attending(w, r, l, examOfCandidate) {
		return
	}
	if e.leave(w, r, l.attempt, nil) {
		return
	}
	a := l.attempt
	a.mu.Lock()
	page := examPage{
		Status: a.settled(), Title: l.Plan().Title, Name: a.name,
		TimeLeft: int(math.Ceil(a.timeLeft().Minutes())), URL: l.ExamURL(), ReturnTo: l.Plan().ReturnTo,
	}
	page = examShown.Pass(e.carrier(), shownExam{page, a.verified}).examPage
	a.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pageOfExam.Execute(w, page) // the browser has gone if this fails
}

// leave sends the browser to the tool with the news that the attempt has ended,
// once, and says whether it has.
func (e *Exams) leave(w http.ResponseWriter, r *http.Request, a *Attempt, problem *Problem) bool {
	a.mu.Lock()
	due := a.endDue()
	a.toldEnd = a.toldEnd || due
	due = due && endTold.Taken(e.carrier(), toldEnd{r, problem})
	a.mu.Unlock()
	if !due {
		return false
	}
	l, err := e.core.Begin(lti.EndAssessment, End{a, problem})
	if err != nil {
		e.core.Refuse(w, http.StatusConflict, err.Error())
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
func (e *Exams) serveSubmit(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !e.attending(w, r, l, candidateSignedIn) {
		return
	}
	l.attempt.complete()
	if !e.leave(w, r, l.attempt, nil) {
		http.Redirect(w, r, l.ExamURL(), http.StatusSeeOther)
	}
}

// broken is the error that the platform does not handle.
var broken = Problem{
	Message: "The exam could not be continued.",
	Log:     "index out of range [1] with length 1 while the answers were stored",
}

// serveBreak fails, and the attempt with it.
func (e *Exams) serveBreak(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !e.attending(w, r, l, candidateSignedIn) {
		return
	}
	if !l.attempt.complete() {
		http.Redirect(w, r, l.ExamURL(), http.StatusSeeOther)
		return
	}
	if !e.leave(w, r, l.attempt, &broken) {
		e.core.Refuse(w, http.StatusConflict, broken.Message)
	}
}

// SubmitButton is the CSS selector of the button on the page of a running exam that
// hands it in.
const SubmitButton = "#submit"
