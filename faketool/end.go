package faketool

import (
	"net/http"
	"slices"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What a message has to keep that an exam is over: it tells which attempt (Proctoring
// Services 1.0, 4.4.1).
var endsExam = &checks{Name: "the message that a proctored exam is over", Rules: []*rule{
	versionIs13, candidateOfEnd, attemptOfEnd, linkOfEnd,
}}

var candidateOfEnd = &rule{Name: "the candidate is named whose exam is over", Broken: candidateGiven.Broken}

var attemptOfEnd = &rule{Name: "the attempt number that is over is an integer from 1 on", Broken: func(q *response) error {
	if _, isNumber := q.attemptNumber(); !isNumber {
		return q.noAttempt()
	}
	return nil
}}

var linkOfEnd = &rule{Name: "the resource link, where there is one, has an id", Broken: func(q *response) error {
	if id, _ := q.object(lti.ClaimResourceLink)["id"].(string); q.has(lti.ClaimResourceLink) && id == "" {
		return badRequest("The message has a resource link without an id.")
	}
	return nil
}}

// What the end of an exam does.
var (
	attemptOver = &fault.Seam[sameAttempt]{Name: "whether an attempt is the one that is over"}
	examEnded   = &fault.Seam[ending]{Name: "what comes of the message that an exam is over"}
	endShown    = &fault.Seam[endShowing]{Name: "what a candidate sees after the assessment"}
	endAnswered = &fault.Seam[handling]{Name: "how a candidate is told that the exam is over"}
	leaves      = &fault.Step[string]{Name: "leads back to the platform by way of the tool"}
)

// sameAttempt says whether an attempt that is known is the one that is over.
type sameAttempt struct {
	known, over attempt
	same        bool
}

// ending is what comes of a message that an exam is over.
type ending struct {
	q      *response
	before bool // it was over before
	err    error
}

// endShowing is what a candidate sees after the assessment.
type endShowing struct {
	t            *Tool
	problem, log string // that the platform tells of
	page         endPage
}

// end finds the sitting that an EndAssessment message is about and closes it
// (Proctoring Services 1.0, 4.4). A message may come again, and does no harm.
// What belongs to no sitting closes none.
func (t *Tool) end(q *response) (*sitting, error) {
	over := attempt{of: clientOf(q.begun.registration)}
	over.of.deployment, _ = q.text(lti.ClaimDeploymentID)
	over.sub, _ = q.text("sub")
	over.number, _ = q.attemptNumber()
	over.link, _ = q.object(lti.ClaimResourceLink)["id"].(string)

	t.mu.Lock()
	found := slices.DeleteFunc(slices.Clone(t.sittings), func(s *sitting) bool { return !t.isOver(s.attempt(), over) })
	t.mu.Unlock()
	if here := slices.DeleteFunc(slices.Clone(found), func(s *sitting) bool { return !s.isHere(q.r) }); over.link == "" && len(here) > 0 {
		found = here
	}
	if len(found) == 0 {
		return nil, &refusal{http.StatusNotFound, "No such attempt is proctored here."}
	}
	last := found[len(found)-1]
	_, open := t.sittingNamed(last.id)
	t.finish(last)
	return last, examEnded.Pass(t.carrier, ending{q: q, before: !open}).err
}

// isOver says whether an attempt that is known is the one that is over. The message may
// lack the resource link.
func (t *Tool) isOver(known, over attempt) bool {
	if over.link == "" {
		known.link = ""
	}
	return attemptOver.Pass(t.carrier, sameAttempt{known, over, known == over}).same
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
func (t *Tool) showEnd(w http.ResponseWriter, q *response, over *sitting) {
	problem, _ := q.text(lti.ClaimErrorMessage)
	log, _ := q.text(lti.ClaimErrorLog)
	shown := endShown.Pass(t.carrier, endShowing{t, problem, log, endPage{Title: over.shownTitle(), Problem: clip(problem), Exit: q.returnURL()}})
	endAnswered.Pass(t.carrier, handling{q: q, by: func(w http.ResponseWriter) { t.render(w, http.StatusOK, "ended", shown.page) }}).by(w)
}

// leavePath is where the forms of faults lead back to the platform.
const leavePath = "/leave"

// serveLeave leads back to the platform, for a fault.
func (t *Tool) serveLeave(w http.ResponseWriter, r *http.Request) {
	to := r.PostFormValue("to")
	switch {
	case !leaves.Taken(t.carrier, to):
		t.serveNothing(w, r)
	case to == "":
		http.Error(w, "null", http.StatusInternalServerError)
	default:
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	}
}
