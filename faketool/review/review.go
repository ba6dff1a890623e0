// Package review is the part of the fake tool that opens what learners have handed in for
// those who review it (Submission Review Service 1.0). The works, and the gradebook that is
// told of points, are those of package grades.
package review

import (
	"embed"
	"fmt"
	"html/template"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "submission-review"

// path begins the addresses of works that are reviewed.
const path = "/review"

// Part opens works for review.
var Part = part.Part{Profile: Profile, Needs: []string{grades.Profile}, Paths: []string{path + "/"}, Mount: mount, Faults: slices.Concat(defects, stimuli)}

// Reviews are what a fake tool does about reviews.
type Reviews struct {
	core    part.Core
	carrier *fault.Carrier
	grades  *grades.Grades

	mu     sync.Mutex
	opened map[string]review    // by the id of the launch
	began  []string             // the ids of those, the oldest first
	taken  map[person]otherwise // for faults: whom the tool takes for somebody else
}

// person is who a user is to a platform.
type person struct{ issuer, sub string }

// otherwise is whom a fault takes somebody for.
type otherwise struct {
	name    string
	account int // the user's own when 0
}

func of(tool interface{ Part(profile string) any }) *Reviews { return tool.Part(Profile).(*Reviews) }

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	t := &Reviews{core: core, carrier: core.Carrier(), grades: grades.Of(core), opened: map[string]review{}, taken: map[person]otherwise{}}
	t.grades.NewItemsSay(func(item *lti.LineItem) { item.SubmissionReview = own(core) })
	mux.HandleFunc("GET "+path+"/{id}", t.serveReview)
	mux.HandleFunc("POST "+path+"/{id}/grade", grades.Patient(t.serveGrade))
	return part.Mounted{Own: t, Messages: []part.MessageType{{Type: lti.SubmissionReviewRequest, Rules: opensWork, Take: t.take}}}
}

// own says how the submissions of the tool's line items are reviewed (Submission Review
// Service 1.0, on a per line item basis).
func own(core part.Core) *lti.SubmissionReview {
	return &lti.SubmissionReview{
		ReviewableStatus: []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)},
		Label:            "Open the work", URL: core.LaunchURL(), Custom: map[string]string{"action": "review"},
	}
}

//go:embed pages.html.tmpl
var files embed.FS

var page = template.Must(template.ParseFS(files, "pages.html.tmpl")).Lookup("review")

// A review is a launch that opens a learner's work, and what the platform says along with
// it.
type review struct {
	part.Launch
	book          *grades.Gradebook
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
	Reviewer  part.Shown
	Chapter   string
	Leave     string // where a form leads that goes back; a link does where it is empty
	Learner   any
	LearnerID string
	HandedIn  bool
	Text      string
	Others    []string
	Custom    []parameter
	Grade     string // where the form goes; empty for none
}

// A rule is one thing that is checked of a message.
type rule = fault.Rule[*part.Message]

// What a message has to keep that opens a learner's work (Submission Review Service 1.0,
// LtiSubmissionReviewRequest claims).
var opensWork = &fault.List[*part.Message]{Name: "the message that opens a learner's work", Rules: []*rule{
	rolesGiven, reviewerGiven, learnerGiven, itemGiven,
}}

func badRequest(why string) error { return &part.Refusal{Status: http.StatusBadRequest, Why: why} }

// LTI Core 1.3, 5.3.7.
var rolesGiven = &rule{Name: "there are roles of the reviewer, however many", Broken: func(q *part.Message) error {
	if _, isList := q.Claims[lti.ClaimRoles].([]any); !isList {
		return badRequest("The message has no roles.")
	}
	return nil
}}

// Who looks at somebody's work has a name with the platform.
var reviewerGiven = &rule{Name: "the reviewer is named", Broken: func(q *part.Message) error {
	if sub, _ := q.Text("sub"); sub == "" {
		return badRequest("The message names no reviewer.")
	}
	return nil
}}

var learnerGiven = &rule{Name: "the learner is named whose work is reviewed", Broken: func(q *part.Message) error {
	if !learnerOf(q).ok {
		return badRequest("The message does not say whose work is reviewed.")
	}
	return nil
}}

// A resource link it need not belong to.
var itemGiven = &rule{Name: "the line item is named that is reviewed", Broken: func(q *part.Message) error {
	if item, _ := q.Object(lti.ClaimAGS)["lineitem"].(string); !part.IsSecure(item) {
		return badRequest("The message does not say which line item is reviewed.")
	}
	return nil
}}

// learnerSaid is whose work a message opens, as for_user says.
type learnerSaid struct {
	claims part.Claims
	id     string
	ok     bool // it says so
}

var learnerRead = &fault.Seam[learnerSaid]{Name: "the learner whose work a message opens"}

// learnerOf reads whose work a message opens. The id is empty where a fault makes it
// anybody's.
func learnerOf(q *part.Message) learnerSaid {
	id, _ := q.Object(lti.ClaimForUser)["user_id"].(string)
	return learnerRead.Pass(q.Carrier, learnerSaid{q.Claims, id, id != ""})
}

// read reads the claims of a review.
func read(l part.Launch, q *part.Message) review {
	learner := q.Object(lti.ClaimForUser)
	text := func(name string) string {
		s, _ := learner[name].(string)
		return s
	}
	r := review{Launch: l, book: grades.Offered(l), name: text("name"), roles: part.Texts(learner["roles"]), learner: learnerOf(q).id}
	for _, other := range []string{strings.TrimSpace(text("given_name") + " " + text("family_name")), r.learner} {
		if r.name == "" {
			r.name = other
		}
	}
	custom := q.Object(lti.ClaimCustom)
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		r.custom = append(r.custom, parameter{name, fmt.Sprint(custom[name])})
	}
	return r
}

// take leads a reviewer to the work. The session is the reviewer's own.
func (t *Reviews) take(q *part.Message) (func(http.ResponseWriter), error) {
	return func(w http.ResponseWriter) {
		r := reviewOpened.Pass(t.carrier, opening{t, q, read(q.Open(w), q)}).review
		t.keep(r)
		http.Redirect(w, q.Request, t.address(r.Launch), http.StatusSeeOther)
	}, nil
}

// keep remembers a review.
func (t *Reviews) keep(r review) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.began) >= t.core.Remembers() {
		delete(t.opened, t.began[0])
		t.began = slices.Delete(t.began, 0, 1)
	}
	t.began = append(t.began, r.ID)
	t.opened[r.ID] = r
}

// reviewOf is the review of a launch; false where it is none.
func (t *Reviews) reviewOf(l part.Launch) (review, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.opened[l.ID]
	return r, ok
}

// address is where the work is that a launch opens.
func (t *Reviews) address(l part.Launch) string { return t.core.URL() + path + "/" + l.ID }

// opening is a launch that opens a learner's work.
type opening struct {
	t       *Reviews
	message *part.Message
	review  review
}

var reviewOpened = &fault.Seam[opening]{Name: "the launch that opens a learner's work", Clone: func(o opening) opening {
	if o.review.book != nil {
		book := *o.review.book
		o.review.book = &book
	}
	return o
}}

// Who may do what with a learner's work.
var (
	showsWork  = &fault.Step[review]{Name: "shows a reviewer the work", Honest: func(r review) bool { return r.Teacher || r.ofOwnWork() }}
	takesGrade = &fault.Step[review]{Name: "lets a reviewer give points", Honest: func(r review) bool { return r.Teacher }}
)

// ofOwnWork says whether the reviewer is the learner.
func (r review) ofOwnWork() bool { return r.Sub == r.learner }

// reviewedWork is the work that a review shows.
type reviewedWork struct {
	t        *Reviews
	review   review
	item     grades.Activity // that the line item belongs to
	known    bool            // the tool knows that line item
	work     grades.Work
	handedIn bool // there is a work
}

// What is looked up for a review.
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

func (v reviewedWork) isHere() bool {
	return v.known && grades.PlaceOf(v.review.Launch).Within(v.item.Place)
}

// wanted is what a review asks for: a work of that learner for that line item.
func (v reviewedWork) wanted() grades.Work {
	return grades.Work{Of: v.review.book.Of, LineItem: v.review.book.LineItem, Sub: v.review.learner}
}

// find returns the work that a review opens. It fails where the user may not see it, and
// where the tool knows no such line item at that place.
func (t *Reviews) find(r review) (reviewedWork, error) {
	v := reviewedWork{t: t, review: r}
	if !showsWork.Taken(t.carrier, r) {
		return v, &part.Refusal{Status: http.StatusForbidden, Why: "This is not your work."}
	}
	v.item, v.known = t.grades.Known(*r.book)
	if err := findsWork.First(t.carrier, v); err != nil {
		return v, err
	}
	v.work, v.handedIn = t.grades.LastWork(v.wanted().SameAs)
	return workFound.Pass(t.carrier, v), nil
}

var errNotHere = &part.Refusal{Status: http.StatusNotFound, Why: "This line item is none of this tool here."}

func (t *Reviews) serveReview(w http.ResponseWriter, r *http.Request) {
	l, err := t.core.Launch(r, r.PathValue("id"))
	opened, isReview := t.reviewOf(l)
	if err == nil && !isReview {
		err = &part.Refusal{Status: http.StatusNotFound, Why: "Nothing is reviewed here."}
	}
	if err != nil {
		t.core.Refuse(w, err)
		return
	}
	v, err := t.find(opened)
	if err != nil {
		t.core.Refuse(w, t.leadingBack(opened, err))
		return
	}
	shown := reviewPage{Reviewer: t.core.Shown(opened.Launch), Chapter: opened.Chapter, Learner: opened.name, Custom: opened.custom, HandedIn: v.handedIn, Text: v.work.Text}
	if v.handedIn && takesGrade.Taken(t.carrier, opened) {
		shown.Grade = t.gradeForm(opened)
	}
	s := reviewShowing{v, r, http.StatusOK, shown}
	if err := anyReview.First(t.carrier, s); err != nil {
		t.core.Refuse(w, err)
		return
	}
	s = reviewSeen.Pass(t.carrier, s)
	t.core.Show(w, s.status, page, s.page)
}

// gradeForm is where the form for points goes.
func (t *Reviews) gradeForm(r review) string { return t.address(r.Launch) + "/grade" }

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
	anyGrade   = &fault.List[review]{Name: "points that a reviewer gives"}
)

// leadingBack offers a way back to the platform after an error, which is told there
// (LTI Core 1.3, 5.4.4).
func (t *Reviews) leadingBack(r review, err error) error {
	if r.ReturnURL == "" {
		return err
	}
	return part.LeadingBack(err, t.core.Return(r.ReturnURL, url.Values{lti.ParamErrorMessage: {"The work could not be opened."}, lti.ParamErrorLog: {err.Error()}}))
}

// serveGrade gives a work points.
func (t *Reviews) serveGrade(w http.ResponseWriter, r *http.Request) {
	l, err := t.grades.LaunchFor(w, r, func(l part.Launch) bool {
		opened, isReview := t.reviewOf(l)
		return isReview && takesGrade.Taken(t.carrier, opened)
	})
	if err != nil {
		t.core.Refuse(w, err)
		return
	}
	points, err := strconv.ParseFloat(strings.TrimSpace(r.PostForm.Get("score")), 64)
	if err != nil || !(points >= 0) || math.IsInf(points, 0) {
		t.core.Refuse(w, badRequest("The points are no number from 0 on."))
		return
	}
	opened, _ := t.reviewOf(l)
	v, err := t.find(opened)
	if err == nil && !v.handedIn {
		err = &part.Refusal{Status: http.StatusNotFound, Why: "Nothing has been handed in here."}
	}
	if err != nil {
		t.core.Refuse(w, t.leadingBack(opened, err))
		return
	}
	if err := anyGrade.First(t.carrier, opened); err != nil {
		t.core.Refuse(w, err)
		return
	}
	maximum := float64(grades.ScoreMaximum)
	t.grades.Tell(w, "graded", t.address(l), t.grades.Post(r.Context(), opened.book, v.work, lti.Score{
		ActivityProgress: lti.Completed, GradingProgress: lti.FullyGraded, ScoreGiven: &points, ScoreMaximum: &maximum, ScoringUserID: l.Sub,
	}))
}
