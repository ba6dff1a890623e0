package faketool

import (
	"html/template"
	"net/http"
	"slices"

	"invigilator/lti"
)

// checkEnd wants what tells which attempt is over, and nothing else (Proctoring
// Services 1.0, 4.4.1).
func (t *Tool) checkEnd(c claims) error {
	id, _ := c.object(lti.ClaimResourceLink)["id"].(string)
	_, isNumber := c.attemptNumber()
	switch sub, _ := c.text("sub"); {
	case sub == "" && (c.has("sub") || !t.has(ClosesWithoutCandidate)):
		return badRequest("The message names no candidate.")
	case !isNumber && (c.has(lti.ClaimAttemptNumber) || !t.has(ClosesWithoutAttempt)):
		return badRequest("The attempt number %s is none.", clipTo(string(c.raw(lti.ClaimAttemptNumber)), 100))
	case c.has(lti.ClaimResourceLink) && id == "":
		return badRequest("The message has a resource link without an id.")
	case !c.has(lti.ClaimResourceLink) && t.has(NeedsLinkAtEnd), !c.has(lti.ClaimLaunchPresentation) && t.has(NeedsPresentationAtEnd):
		return badRequest("The message lacks a claim.")
	default:
		return nil
	}
}

// end finds the sitting that an EndAssessment message is about and closes it
// (Proctoring Services 1.0, 4.4). A message may come again, and does no harm.
// What belongs to no sitting closes none.
func (t *Tool) end(r *http.Request, c claims, begun *login) (*sitting, error) {
	over := attempt{of: clientOf(begun.registration)}
	over.of.deployment, _ = c.text(lti.ClaimDeploymentID)
	over.sub, _ = c.text("sub")
	over.number, _ = c.attemptNumber()
	over.link, _ = c.object(lti.ClaimResourceLink)["id"].(string)

	t.mu.Lock()
	found := slices.DeleteFunc(slices.Clone(t.sittings), func(s *sitting) bool { return !t.isOver(s.attempt(), over) })
	t.mu.Unlock()
	if here := slices.DeleteFunc(slices.Clone(found), func(s *sitting) bool { return !s.isHere(r) }); over.link == "" && len(here) > 0 {
		found = here
	}
	if len(found) == 0 {
		return nil, &refusal{http.StatusNotFound, "No such attempt is proctored here."}
	}
	last := found[len(found)-1]
	if _, open := t.sittingNamed(last.id); !open && t.has(CrashesOnSecondEnd) {
		return nil, &refusal{http.StatusInternalServerError, "null"}
	}
	t.finish(last)
	_, isText := c.text(lti.ClaimErrorMessage)
	switch {
	case c.has(lti.ClaimErrorMessage) && !isText && t.has(CrashesOnErrorOfOtherType):
		return nil, &refusal{http.StatusInternalServerError, "null"}
	case t.has(AnswersEndWith400):
		return nil, badRequest("Messages of this type are unknown.")
	}
	return last, nil
}

// isOver says whether an attempt that is known is the one that is over. What the
// message lacks is no matter; it may lack the resource link alone.
func (t *Tool) isOver(known, over attempt) bool {
	if over.link == "" {
		known.link = ""
	}
	if over.sub == "" {
		known.sub = ""
	}
	if over.number == 0 {
		known.number = 0
	}
	sameCandidate, sameAttempt := known, known
	sameCandidate.link, sameCandidate.number = over.link, over.number
	sameAttempt.sub = over.sub
	return known == over || sameCandidate == over && t.has(ClosesByCandidateAlone) || sameAttempt == over && t.has(ClosesForAnyCandidate)
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
func (t *Tool) showEnd(w http.ResponseWriter, c claims, over *sitting) {
	problem, _ := c.text(lti.ClaimErrorMessage)
	log, _ := c.text(lti.ClaimErrorLog)
	shown := endPage{Title: over.shownTitle(), Problem: clip(problem), Exit: c.returnURL()}
	if template.HTMLEscapeString(problem) != problem && t.has(ShowsEndErrorUnescaped) {
		shown.Problem = template.HTML(problem)
	}
	if log != "" && t.has(ShowsErrorLog) {
		shown.Log = clip(log)
	}
	if shown.Exit != "" {
		if t.has(ReturnsAtEnd) {
			w.Header().Set("Location", shown.Exit)
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		if t.has(EndsNowhere) {
			shown.Exit = ""
		}
		shown.Exit, shown.Leave = t.spoilExit(shown.Exit, EndsWithButton, LosesWayBackAtEnd)
	}
	t.render(w, http.StatusOK, "ended", shown)
}

// spoilExit makes of the link that leads back a form that leads there by way of the tool,
// where it has one of two faults; with the second the tool does not know where to any more.
func (t *Tool) spoilExit(exit, button, loses string) (to, leave string) {
	switch {
	case exit == "":
		return "", ""
	case t.has(loses):
		return "", t.opts.URL + leavePath
	case t.has(button):
		return exit, t.opts.URL + leavePath
	}
	return exit, ""
}

// leavePath is where the forms of faults lead back to the platform.
const leavePath = "/leave"

// serveLeave leads back to the platform, for a fault.
func (t *Tool) serveLeave(w http.ResponseWriter, r *http.Request) {
	to := r.PostFormValue("to")
	switch {
	case !slices.ContainsFunc([]string{EndsWithButton, LosesWayBackAtEnd, ReviewsWithButton, LosesWayBackOfReview}, t.has):
		t.serveNothing(w, r)
	case to == "":
		http.Error(w, "null", http.StatusInternalServerError)
	default:
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	}
}
