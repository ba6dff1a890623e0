package faketool

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// workPath begins the addresses of what is done from a launch: hand work in, and
// look after the gradebook.
const workPath = "/work"

// maxWork bounds the length of a work.
const maxWork = 64 << 10

// A place is where a launch happened: the ids of resource link and context, which
// are empty where the message names none.
type place struct{ link, context string }

func placeOf(c claims) place {
	var p place
	p.link, _ = c.object(lti.ClaimResourceLink)["id"].(string)
	p.context, _ = c.object(lti.ClaimContext)["id"].(string)
	return p
}

// within says whether a place is the other one, as far as both are told.
func (p place) within(other place) bool {
	return (p.link == "" || other.link == "" || p.link == other.link) &&
		(p.context == "" || other.context == "" || p.context == other.context)
}

// An activity is what the tool knows of a line item.
type activity struct {
	of       client
	lineItem string
	place    place
}

// A work is what a learner handed in for a line item. It does not change: who
// hands in again has another one.
type work struct {
	of            client
	lineItem, sub string
	name, text    string
	scores        *scoreClock
}

// sameAs says whether both are by the same learner for the same line item.
func (w work) sameAs(other work) bool {
	return w.of == other.of && w.lineItem == other.lineItem && w.sub == other.sub
}

// A scoreClock tells the time of a learner's scores at a line item: each is later
// than the one before (Assignment and Grade Services 2.0, 3.4.9). It is locked
// while a score is sent, so that they arrive in their order.
type scoreClock struct {
	mu     sync.Mutex
	last   time.Time
	points *float64 // of the last score; nil where it had none
}

// instant is the format of times in scores: finer than a second, and with a zone.
const instant = "2006-01-02T15:04:05.000Z07:00"

// tick returns the time of the next score.
func (t *Tool) tick(c *scoreClock, grade bool) time.Time {
	next := latest(t.opts.Now().UTC().Truncate(time.Millisecond), c.last.Add(time.Millisecond))
	c.last = scoreTimed.Pass(t.carrier, timing{c.last, next, grade, c.points != nil}).next
	return c.last
}

// timing is the time of a score, after that of the learner's last one, which is zero where
// there is none.
type timing struct {
	last, next     time.Time
	grade, regrade bool // it has points, and the last one had
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// handsIn says whether the user can hand in work here.
func (l Launch) handsIn() bool {
	learns := slices.Contains(l.Roles, lti.RoleLearner) || !l.Teacher
	return l.grades != nil && l.review == nil && l.Sub != "" && learns
}

// keepsGrades says whether the user looks after the gradebook here.
func (l Launch) keepsGrades() bool { return l.grades != nil && l.review == nil && l.Teacher }

// learn notes which activity the line item of a launch belongs to. What is known
// already stays.
func (t *Tool) learn(l Launch) {
	if l.grades == nil || l.grades.lineItem == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.knownActivity(*l.grades); !known {
		t.activities = appended(t.activities, activity{l.grades.of, l.grades.lineItem, l.place}, t.opts.Remembers)
	}
}

// knownActivity returns the activity of a line item while the tool's mutex is held.
func (t *Tool) knownActivity(g gradebook) (activity, bool) {
	i := slices.IndexFunc(t.activities, func(a activity) bool { return a.of == g.of && a.lineItem == g.lineItem })
	if i < 0 {
		return activity{}, false
	}
	return t.activities[i], true
}

// appended adds to a list of at most so many, which forgets its oldest one where it is full.
func appended[T any](list []T, one T, most int) []T {
	if len(list) >= most {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, one)
}

// serveSubmit takes work that a learner hands in, and tells the gradebook.
func (t *Tool) serveSubmit(w http.ResponseWriter, r *http.Request) {
	l, err := t.launchFor(w, r, Launch.handsIn)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	text := r.PostForm.Get("work")
	switch {
	case strings.TrimSpace(text) == "":
		err = badRequest("There is no work.")
	case len(text) > maxWork:
		err = badRequest("The work is too long.")
	}
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	t.tell(w, l, "submitted", t.handIn(r.Context(), l, text))
}

// launchFor returns the launch that a form belongs to, which has been read then.
func (t *Tool) launchFor(w http.ResponseWriter, r *http.Request, may func(Launch) bool) (Launch, error) {
	l, err := t.launchHere(r, r.PathValue("id"))
	if err != nil {
		return Launch{}, err
	}
	if !may(l) {
		return Launch{}, &refusal{http.StatusForbidden, "This is not for you."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return Launch{}, badRequest("The form cannot be read.")
	}
	return l, nil
}

// gradebookHere is the launch of somebody who looks after the gradebook.
func (t *Tool) gradebookHere(w http.ResponseWriter, r *http.Request) (Launch, error) {
	return t.launchFor(w, r, Launch.keepsGrades)
}

// handIn keeps a work and posts the score that says so (Assignment and Grade
// Services 2.0, 3.4).
func (t *Tool) handIn(ctx context.Context, l Launch, text string) error {
	now := t.opts.Now()
	lineItem, err := t.lineItemOf(ctx, l)
	if err != nil {
		return err
	}
	at := *l.grades
	at.lineItem = lineItem
	l.grades = &at
	one := t.keepWork(l, text)
	scoreDue.Pass(t.carrier, due{l.grades, func(g *gradebook, scope string) { _, _ = t.readItem(ctx, g, scope, g.lineItem) }})
	return t.postScore(ctx, l.grades, one, lti.Score{
		ActivityProgress: lti.Submitted, GradingProgress: lti.PendingManual,
		Submission: &lti.Submission{StartedAt: l.at.UTC().Format(instant), SubmittedAt: now.UTC().Format(instant)},
	})
}

// keepWork keeps a work instead of the learner's last one.
func (t *Tool) keepWork(l Launch, text string) work {
	t.learn(l)
	one := work{l.grades.of, l.grades.lineItem, l.Sub, l.Name, text, &scoreClock{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.IndexFunc(t.works, one.sameAs); i >= 0 {
		one.scores = t.works[i].scores
		t.works = slices.Delete(t.works, i, i+1)
	}
	t.works = appended(t.works, one, t.opts.Remembers)
	return one
}

// postScore tells the gradebook of a work.
func (t *Tool) postScore(ctx context.Context, g *gradebook, w work, score lti.Score) error {
	w.scores.mu.Lock()
	defer w.scores.mu.Unlock()
	g = scoreGoesTo.Pass(t.carrier, g)
	now := t.tick(w.scores, score.ScoreGiven != nil)
	score.UserID, score.Timestamp = w.sub, now.Format(instant)
	w.scores.points = score.ScoreGiven
	body, err := membersOf(score)
	if err != nil {
		return err
	}
	body = scoreSaid.Pass(t.carrier, scoring{t, w, now, body}).members
	to, err := t.scoresOf(w.lineItem, score.ScoreGiven != nil)
	if err != nil {
		return err
	}
	_, err = t.callGrades(ctx, g, lti.ScopeScore, GradeRequest{Method: http.MethodPost, URL: to, MediaType: lti.MediaTypeScore, Body: body})
	return err
}

// toldPage is what came of telling the gradebook something.
type toldPage struct {
	Page, Says, Back string
	Outcome          string // whether it was saved: true, false, or nothing
}

var outcomeTold = &fault.Seam[toldPage]{Name: "what a user is told of what came of it"}

// tell shows whether the gradebook has taken what it was told.
func (t *Tool) tell(w http.ResponseWriter, l Launch, page string, err error) {
	if errors.Is(err, errCrash) {
		t.refuse(w, err, "")
		return
	}
	shown := toldPage{Page: page, Back: t.resource(l)}
	shown.say(err)
	t.render(w, http.StatusOK, "told", outcomeTold.Pass(t.carrier, shown))
}

// say says whether the gradebook has taken what it was told.
func (p *toldPage) say(err error) {
	p.Says, p.Outcome = "Saved in the gradebook.", "true"
	if err != nil {
		p.Says, p.Outcome = fmt.Sprintf("Not saved in the gradebook: %s.", err), "false"
	}
}

// resource is where a launch has led.
func (t *Tool) resource(l Launch) string {
	if l.review != nil {
		return t.opts.URL + reviewPath + "/" + l.id
	}
	return t.opts.URL + ResourcePath + "?launch=" + l.id
}
