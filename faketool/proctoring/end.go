package proctoring

import (
	"net/http"
	"slices"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What a message has to keep that an exam is over: it tells which attempt (Proctoring
// Services 1.0, 4.4.1).
var endsExam = &checks{Name: "the message that a proctored exam is over", Rules: []*rule{
	candidateOfEnd, attemptOfEnd, linkOfEnd,
}}

var candidateOfEnd = &rule{Name: "the candidate is named whose exam is over", Broken: candidateGiven.Broken}

var attemptOfEnd = &rule{Name: "the attempt number that is over is an integer from 1 on", Broken: func(q *part.Message) error {
	if _, isNumber := attemptNumber(q); !isNumber {
		return noAttempt(q)
	}
	return nil
}}

var linkOfEnd = &rule{Name: "the resource link, where there is one, has an id", Broken: func(q *part.Message) error {
	if id, _ := q.Object(lti.ClaimResourceLink)["id"].(string); q.Has(lti.ClaimResourceLink) && id == "" {
		return badRequest("The message has a resource link without an id.")
	}
	return nil
}}

// What the end of an exam does.
var (
	attemptOver = &fault.Seam[sameAttempt]{Name: "whether an attempt is the one that is over"}
	examEnded   = &fault.Seam[ending]{Name: "what comes of the message that an exam is over"}
	endShown    = &fault.Seam[endShowing]{Name: "what a candidate sees after the assessment"}
	endAnswered = &fault.Seam[goodbye]{Name: "how a candidate is told that the exam is over"}
)

// sameAttempt says whether an attempt that is known is the one that is over.
type sameAttempt struct {
	known, over attempt
	same        bool
}

// ending is what comes of a message that an exam is over.
type ending struct {
	q      *part.Message
	before bool // it was over before
	err    error
}

// endShowing is what a candidate sees after the assessment.
type endShowing struct {
	p            *Proctor
	problem, log string // that the platform tells of
	page         endPage
}

// A goodbye is how a candidate is told that the exam is over.
type goodbye struct {
	q  *part.Message
	by func(http.ResponseWriter)
}

// end finds the check-in that an EndAssessment message is about and closes it
// (Proctoring Services 1.0, 4.4). A message may come again, and does no harm.
// What belongs to no check-in closes none.
func (p *Proctor) end(q *part.Message) (func(http.ResponseWriter), error) {
	over := attempt{of: client{issuer: q.Platform.Issuer, clientID: q.Platform.ClientID}}
	over.of.deployment, _ = q.Text(lti.ClaimDeploymentID)
	over.sub, _ = q.Text("sub")
	over.number, _ = attemptNumber(q)
	over.link, _ = q.Object(lti.ClaimResourceLink)["id"].(string)

	p.mu.Lock()
	found := slices.DeleteFunc(slices.Clone(p.checkIns), func(s *checkIn) bool { return !p.isOver(s.attempt(), over) })
	p.mu.Unlock()
	if here := slices.DeleteFunc(slices.Clone(found), func(s *checkIn) bool { return !s.isHere(q.Request) }); over.link == "" && len(here) > 0 {
		found = here
	}
	if len(found) == 0 {
		return nil, &part.Refusal{Status: http.StatusNotFound, Why: "No such attempt is proctored here."}
	}
	last := found[len(found)-1]
	_, open := p.checkInNamed(last.id)
	p.finish(last)
	return func(w http.ResponseWriter) { p.showEnd(w, q, last) }, examEnded.Pass(p.core.Carrier(), ending{q: q, before: !open}).err
}

// isOver says whether an attempt that is known is the one that is over. The message may
// lack the resource link.
func (p *Proctor) isOver(known, over attempt) bool {
	if over.link == "" {
		known.link = ""
	}
	return attemptOver.Pass(p.core.Carrier(), sameAttempt{known, over, known == over}).same
}

// endPage is what a candidate sees after the assessment.
type endPage struct {
	Title     string
	Problem   any
	Log, Exit string
	Leave     string // where a form leads that goes back; a link does where it is empty
}

// showEnd shows that the assessment is over. What the platform says for the log
// is not for the candidate.
func (p *Proctor) showEnd(w http.ResponseWriter, q *part.Message, over *checkIn) {
	problem, _ := q.Text(lti.ClaimErrorMessage)
	log, _ := q.Text(lti.ClaimErrorLog)
	shown := endShown.Pass(p.core.Carrier(), endShowing{p, problem, log, endPage{Title: over.shownTitle(), Problem: clip(problem, maxShown), Exit: q.ReturnURL()}})
	endAnswered.Pass(p.core.Carrier(), goodbye{q, func(w http.ResponseWriter) { p.show(w, "ended", shown.page) }}).by(w)
}

// maxShown bounds what is shown of what the platform says.
const maxShown = 256 << 10
