package faketool

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// reviewPath begins the addresses of works that are reviewed.
const reviewPath = "/review"

// A review is whose work a launch opens, and what the platform says along with it
// (Submission Review Service 1.0).
type review struct {
	learner, name string   // nobody's id stands for anybody: only faults have it
	roles         []string // of the learner
	custom        []parameter
	blank         bool // it is opened for nobody, or for no line item: only faults have it
}

// A parameter is one of custom.
type parameter struct {
	Name  string
	Value any
}

// reviewPage shows a work to who reviews it.
type reviewPage struct {
	page
	Learner   any
	LearnerID string
	HandedIn  bool
	Text      string
	Others    []string
	Custom    []parameter
	Grade     string // where the form goes; empty for none
}

// What a message has to keep that opens a learner's work (Submission Review Service 1.0,
// LtiSubmissionReviewRequest claims).
var opensWork = &checks{Name: "the message that opens a learner's work", Rules: []*rule{
	versionIs13, rolesGiven, reviewerGiven, learnerGiven, itemGiven,
}}

// Who looks at somebody's work has a name with the platform.
var reviewerGiven = &rule{Name: "the reviewer is named", Broken: func(q *response) error {
	if sub, _ := q.text("sub"); sub == "" {
		return badRequest("The message names no reviewer.")
	}
	return nil
}}

var learnerGiven = &rule{Name: "the learner is named whose work is reviewed", Broken: func(q *response) error {
	if !q.t.learnerOf(q.claims).ok {
		return badRequest("The message does not say whose work is reviewed.")
	}
	return nil
}}

// A resource link it need not belong to.
var itemGiven = &rule{Name: "the line item is named that is reviewed", Broken: func(q *response) error {
	if item, _ := q.object(lti.ClaimAGS)["lineitem"].(string); !isSecure(item) {
		return badRequest("The message does not say which line item is reviewed.")
	}
	return nil
}}

// learnerSaid is whose work a message opens, as for_user says.
type learnerSaid struct {
	claims claims
	id     string
	ok     bool // it says so
}

var learnerRead = &fault.Seam[learnerSaid]{Name: "the learner whose work a message opens"}

// learnerOf reads whose work a message opens. The id is empty where a fault makes it
// anybody's.
func (t *Tool) learnerOf(c claims) learnerSaid {
	id, _ := c.object(lti.ClaimForUser)["user_id"].(string)
	return learnerRead.Pass(t.carrier, learnerSaid{c, id, id != ""})
}

// reviewOf reads the claims of a review.
func (t *Tool) reviewOf(c claims) *review {
	learner := c.object(lti.ClaimForUser)
	text := func(name string) string {
		s, _ := learner[name].(string)
		return s
	}
	r := &review{name: text("name"), roles: textsOf(learner["roles"])}
	r.learner = t.learnerOf(c).id
	for _, other := range []string{strings.TrimSpace(text("given_name") + " " + text("family_name")), r.learner} {
		if r.name == "" {
			r.name = other
		}
	}
	custom := c.object(lti.ClaimCustom)
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		r.custom = append(r.custom, parameter{name, fmt.Sprint(custom[name])})
	}
	return r
}

// openReview leads a reviewer to the work. The session is the reviewer's own.
func (t *Tool) openReview(w http.ResponseWriter, q *response) {
	l := t.launchOf(q)
	l.review = t.reviewOf(q.claims)
	t.spoilReview(&l, q.claims, q.begun)
	http.Redirect(w, q.r, t.opts.URL+reviewPath+"/"+t.startSession(w, l), http.StatusSeeOther)
}

// reviewed returns the work that a launch opens, and whether there is one. It
// fails where the user may not see it, and where the tool knows no such line item
// of this platform at this place. Rights come from the launch alone.
func (t *Tool) reviewed(l Launch) (work, bool, error) {
	switch others := !t.mayReview(l) && l.Sub != l.review.learner; {
	case l.review.blank, others && t.has(OffersAnybodyToGrade):
		return work{}, false, nil
	case others:
		return work{}, false, &refusal{http.StatusForbidden, "This is not your work."}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.knownActivity(*l.grades)
	if !ok || !l.place.within(known.place) {
		return t.spoilPlace(l, known, ok)
	}
	if l.place.link == "" && t.has(FindsActivityByLink) {
		return work{}, false, errNotHere
	}
	one, handedIn := t.lastWork(work{of: l.grades.of, lineItem: l.grades.lineItem, sub: l.review.learner}.sameAs)
	one, handedIn = t.spoilChoice(l, one, handedIn)
	return one, handedIn, nil
}

var errNotHere = &refusal{http.StatusNotFound, "This line item is none of this tool here."}

// lastWork returns the last work of some while the tool's mutex is held, and whether
// there is one.
func (t *Tool) lastWork(matches func(work) bool) (work, bool) {
	for _, one := range slices.Backward(t.works) {
		if matches(one) {
			return one, true
		}
	}
	return work{}, false
}

func (t *Tool) serveReview(w http.ResponseWriter, r *http.Request) {
	l, err := t.launchHere(r, r.PathValue("id"))
	if err == nil && l.review == nil {
		err = &refusal{http.StatusNotFound, "Nothing is reviewed here."}
	}
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	one, handedIn, err := t.reviewed(l)
	if err != nil {
		t.refuse(w, t.leadingBack(l, err), "")
		return
	}
	shown := reviewPage{page: t.shown(l), Learner: l.review.name, Custom: l.review.custom, HandedIn: handedIn, Text: one.text}
	if handedIn && t.mayGrade(l) || !handedIn && t.offersToGradeNothing(l) {
		shown.Grade = t.resource(l) + "/grade"
	}
	status, err := t.spoilReviewPage(r.Context(), l, one, &shown)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	t.render(w, status, "review", shown)
}

// leadingBack offers a way back to the platform after an error, which is told there
// (LTI Core 1.3, 5.4.4).
func (t *Tool) leadingBack(l Launch, err error) error {
	if l.ReturnURL == "" {
		return err
	}
	return &wayBack{err, t.returnWith(l.ReturnURL, url.Values{lti.ParamErrorMessage: {"The work could not be opened."}, lti.ParamErrorLog: {err.Error()}})}
}

// serveGrade gives a work points.
func (t *Tool) serveGrade(w http.ResponseWriter, r *http.Request) {
	l, err := t.launchFor(w, r, func(l Launch) bool { return l.review != nil && t.mayGrade(l) })
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	points, err := strconv.ParseFloat(strings.TrimSpace(r.PostForm.Get("score")), 64)
	if err != nil || !(points >= 0) || math.IsInf(points, 0) {
		t.refuse(w, badRequest("The points are no number from 0 on."), "")
		return
	}
	one, handedIn, err := t.reviewed(l)
	if err == nil && !handedIn {
		err = &refusal{http.StatusNotFound, "Nothing has been handed in here."}
	}
	if err != nil {
		t.refuse(w, t.leadingBack(l, err), "")
		return
	}
	if !l.grades.offers(lti.ScopeScore) && t.has(CrashesWithoutScoreScope) {
		t.refuse(w, errCrash, "")
		return
	}
	maximum := float64(scoreMaximum)
	t.tell(w, l, "graded", t.postScore(r.Context(), l.grades, one, lti.Score{
		ActivityProgress: lti.Completed, GradingProgress: lti.FullyGraded, ScoreGiven: &points, ScoreMaximum: &maximum, ScoringUserID: l.Sub,
	}))
}
