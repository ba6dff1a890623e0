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
	learner, name string   // the learner's id is empty for anybody's work: only faults have it
	roles         []string // of the learner
	custom        []parameter
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
	l = reviewOpened.Pass(t.carrier, opening{q, l}).launch
	http.Redirect(w, q.r, t.opts.URL+reviewPath+"/"+t.startSession(w, l), http.StatusSeeOther)
}

// opening is a launch that opens a learner's work.
type opening struct {
	q      *response
	launch Launch
}

var reviewOpened = &fault.Seam[opening]{Name: "the launch that opens a learner's work", Clone: func(o opening) opening {
	review := *o.launch.review
	o.launch.review = &review
	if o.launch.grades != nil {
		grades := *o.launch.grades
		o.launch.grades = &grades
	}
	return o
}}

// Who may do what with a learner's work.
var (
	showsWork  = &fault.Step[Launch]{Name: "shows a reviewer the work", Honest: func(l Launch) bool { return l.Teacher || l.ofOwnWork() }}
	takesGrade = &fault.Step[Launch]{Name: "lets a reviewer give points", Honest: func(l Launch) bool { return l.Teacher }}
)

// ofOwnWork says whether the reviewer is the learner.
func (l Launch) ofOwnWork() bool { return l.Sub == l.review.learner }

// reviewedWork is the work that a review shows.
type reviewedWork struct {
	t        *Tool
	launch   Launch
	item     activity // that the line item belongs to
	known    bool     // the tool knows that line item
	work     work
	handedIn bool // there is a work
}

// What is looked up for a review, while the tool's mutex is held.
var (
	findsWork = &fault.List[reviewedWork]{Name: "the line item of a review", Rules: []*fault.Rule[reviewedWork]{itemHere}}
	workFound = &fault.Seam[reviewedWork]{Name: "the work that is reviewed"}
)

var itemHere = &fault.Rule[reviewedWork]{Name: "the line item belongs to this place, as far as both are told", Broken: func(v reviewedWork) error {
	if !v.isHere() {
		return errNotHere
	}
	return nil
}}

func (v reviewedWork) isHere() bool { return v.known && v.launch.place.within(v.item.place) }

// wanted is what a review asks for: a work of that learner for that line item.
func (v reviewedWork) wanted() work {
	return work{of: v.launch.grades.of, lineItem: v.launch.grades.lineItem, sub: v.launch.review.learner}
}

// reviewed returns the work that a launch opens, and whether there is one. It
// fails where the user may not see it, and where the tool knows no such line item
// at that place.
func (t *Tool) reviewed(l Launch) (reviewedWork, error) {
	v := reviewedWork{t: t, launch: l}
	if !showsWork.Taken(t.carrier, l) {
		return v, &refusal{http.StatusForbidden, "This is not your work."}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	v.item, v.known = t.knownActivity(*l.grades)
	if err := findsWork.First(t.carrier, v); err != nil {
		return v, err
	}
	v.work, v.handedIn = t.lastWork(v.wanted().sameAs)
	return workFound.Pass(t.carrier, v), nil
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
	v, err := t.reviewed(l)
	if err != nil {
		t.refuse(w, t.leadingBack(l, err), "")
		return
	}
	shown := reviewPage{page: t.shown(l), Learner: l.review.name, Custom: l.review.custom, HandedIn: v.handedIn, Text: v.work.text}
	if v.handedIn && takesGrade.Taken(t.carrier, l) {
		shown.Grade = t.gradeForm(l)
	}
	s := reviewShowing{v, r, http.StatusOK, shown}
	if err := anyReview.First(t.carrier, s); err != nil {
		t.refuse(w, err, "")
		return
	}
	s = reviewSeen.Pass(t.carrier, s)
	t.render(w, s.status, "review", s.page)
}

// gradeForm is where the form for points goes.
func (t *Tool) gradeForm(l Launch) string { return t.resource(l) + "/grade" }

// reviewShowing is the page of a review.
type reviewShowing struct {
	reviewedWork
	r      *http.Request
	status int
	page   reviewPage
}

// What holds of the page of a review.
var (
	anyReview  = &fault.List[reviewShowing]{Name: "a review that can be shown"}
	reviewSeen = &fault.Seam[reviewShowing]{Name: "what the page of a review shows"}
	anyGrade   = &fault.List[Launch]{Name: "points that a reviewer gives"}
)

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
	l, err := t.launchFor(w, r, func(l Launch) bool { return l.review != nil && takesGrade.Taken(t.carrier, l) })
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	points, err := strconv.ParseFloat(strings.TrimSpace(r.PostForm.Get("score")), 64)
	if err != nil || !(points >= 0) || math.IsInf(points, 0) {
		t.refuse(w, badRequest("The points are no number from 0 on."), "")
		return
	}
	v, err := t.reviewed(l)
	if err == nil && !v.handedIn {
		err = &refusal{http.StatusNotFound, "Nothing has been handed in here."}
	}
	if err != nil {
		t.refuse(w, t.leadingBack(l, err), "")
		return
	}
	if err := anyGrade.First(t.carrier, l); err != nil {
		t.refuse(w, err, "")
		return
	}
	maximum := float64(scoreMaximum)
	t.tell(w, l, "graded", t.postScore(r.Context(), l.grades, v.work, lti.Score{
		ActivityProgress: lti.Completed, GradingProgress: lti.FullyGraded, ScoreGiven: &points, ScoreMaximum: &maximum, ScoringUserID: l.Sub,
	}))
}
