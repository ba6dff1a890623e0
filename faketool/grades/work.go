package grades

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// workPath begins the addresses of what is done from a launch: hand work in, and
// look after the gradebook.
const workPath = "/work"

// Bounds of works and of the forms that they come in, in bytes.
const (
	maxWork = 64 << 10
	maxForm = 4 << 20
)

// A Place is where a launch happened: the ids of resource link and context, which
// are empty where the message names none.
type Place struct{ Link, Context string }

// PlaceOf is where a launch happened.
func PlaceOf(l part.Launch) Place {
	var p Place
	p.Link, _ = l.Claims.Object(lti.ClaimResourceLink)["id"].(string)
	p.Context, _ = l.Claims.Object(lti.ClaimContext)["id"].(string)
	return p
}

// Within says whether a place is the other one, as far as both are told.
func (p Place) Within(other Place) bool {
	return (p.Link == "" || other.Link == "" || p.Link == other.Link) &&
		(p.Context == "" || other.Context == "" || p.Context == other.Context)
}

// An Activity is what the tool knows of a line item.
type Activity struct {
	Of       part.Client
	LineItem string
	Place    Place
}

// A Work is what a learner handed in for a line item. It does not change: who
// hands in again has another one.
type Work struct {
	Of            part.Client
	LineItem, Sub string
	Name, Text    string
	scores        *scoreClock
}

// SameAs says whether both are by the same learner for the same line item.
func (w Work) SameAs(other Work) bool {
	return w.Of == other.Of && w.LineItem == other.LineItem && w.Sub == other.Sub
}

// A scoreClock tells the time of a learner's scores at a line item: each is later
// than the one before (Assignment and Grade Services 2.0, 3.4.9). It is locked
// while a score is sent, so that they arrive in their order.
type scoreClock struct {
	mu     sync.Mutex
	last   time.Time
	points *float64 // of the last score; nil where it had none
}

// Instant is the format of times in scores: finer than a second, and with a zone.
const Instant = "2006-01-02T15:04:05.000Z07:00"

// tick returns the time of the next score.
func (t *Grades) tick(c *scoreClock, grade bool) time.Time {
	next := latest(t.core.Now().UTC().Truncate(time.Millisecond), c.last.Add(time.Millisecond))
	c.last = scoreTimed.Pass(t.carrier, Timing{c.last, next, grade, c.points != nil}).Next
	return c.last
}

// A Timing is the time of a score, after that of the learner's last one, which is zero where
// there is none.
type Timing struct {
	Last, Next     time.Time
	Grade, Regrade bool // it has points, and the last one had
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A launch is one with the gradebook that it offers.
type launch struct {
	part.Launch
	book *Gradebook // nil for none
}

// handsIn says whether the user can hand in work here.
func handsIn(l part.Launch) bool {
	learns := slices.Contains(l.Roles, lti.RoleLearner) || !l.Teacher
	return Offered(l) != nil && l.ShownBy == "" && l.Sub != "" && learns
}

// keepsGrades says whether the user looks after the gradebook here.
func keepsGrades(l part.Launch) bool { return Offered(l) != nil && l.ShownBy == "" && l.Teacher }

// launched learns of a launch of a resource link.
func (t *Grades) launched(ctx context.Context, l part.Launch) {
	t.mu.Lock()
	last := t.last
	t.last = l
	t.mu.Unlock()
	launchSeen.Pass(t.carrier, seen{ctx, t, l, last})
	if book := Offered(l); book != nil {
		t.learn(*book, PlaceOf(l))
	}
}

// seen is a launch of a resource link, with the last one before it.
type seen struct {
	ctx          context.Context
	t            *Grades
	launch, last part.Launch
}

var launchSeen = &fault.Seam[seen]{Name: "a launch of a resource link, as the client of the grade services learns of it"}

// learn notes which activity a line item belongs to. What is known already stays.
func (t *Grades) learn(book Gradebook, at Place) {
	if book.LineItem == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.activities, book.isOf) {
		return
	}
	t.activities = appended(t.activities, Activity{book.Of, book.LineItem, at}, t.core.Remembers())
}

// Known returns the activity of a line item.
func (t *Grades) Known(g Gradebook) (Activity, bool) {
	return t.activityThat(g.isOf)
}

// isOf says whether an activity is that of the line item.
func (g Gradebook) isOf(a Activity) bool { return a.Of == g.Of && a.LineItem == g.LineItem }

// LineItemAt returns the line item that is known of a place; empty where none is.
func (t *Grades) LineItemAt(of part.Client, at Place) string {
	known, _ := t.activityThat(func(a Activity) bool { return a.Of == of && a.Place == at })
	return known.LineItem
}

func (t *Grades) activityThat(matches func(Activity) bool) (Activity, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.activities, matches)
	if i < 0 {
		return Activity{}, false
	}
	return t.activities[i], true
}

// Works returns what has been handed in, the oldest first.
func (t *Grades) Works() []Work {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.works)
}

// LastWork returns the last work of some, and whether there is one.
func (t *Grades) LastWork(matches func(Work) bool) (Work, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range slices.Backward(t.works) {
		if matches(one) {
			return one, true
		}
	}
	return Work{}, false
}

// appended adds to a list of at most so many, which forgets its oldest one where it is full.
func appended[T any](list []T, one T, most int) []T {
	if len(list) >= most {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, one)
}

// serveSubmit takes work that a learner hands in, and tells the gradebook.
func (t *Grades) serveSubmit(w http.ResponseWriter, r *http.Request) {
	l, err := t.LaunchFor(w, r, handsIn)
	if err != nil {
		t.core.Refuse(w, err)
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
		t.core.Refuse(w, err)
		return
	}
	t.Tell(w, "submitted", t.core.Page(l), t.handIn(r.Context(), launch{l, Offered(l)}, text))
}

// LaunchFor returns the launch that a form belongs to, which has been read then.
func (t *Grades) LaunchFor(w http.ResponseWriter, r *http.Request, may func(part.Launch) bool) (part.Launch, error) {
	l, err := t.core.Launch(r, r.PathValue("id"))
	if err != nil {
		return part.Launch{}, err
	}
	if !may(l) {
		return part.Launch{}, &part.Refusal{Status: http.StatusForbidden, Why: "This is not for you."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return part.Launch{}, badRequest("The form cannot be read.")
	}
	return l, nil
}

// gradebookHere is the launch of somebody who looks after the gradebook.
func (t *Grades) gradebookHere(w http.ResponseWriter, r *http.Request) (launch, error) {
	l, err := t.LaunchFor(w, r, keepsGrades)
	return launch{l, Offered(l)}, err
}

// handIn keeps a work and posts the score that says so (Assignment and Grade
// Services 2.0, 3.4).
func (t *Grades) handIn(ctx context.Context, l launch, text string) error {
	now := t.core.Now()
	lineItem, err := t.lineItemOf(ctx, l)
	if err != nil {
		return err
	}
	at := *l.book
	at.LineItem = lineItem
	one := t.keepWork(l.Launch, at, text)
	scoreDue.Pass(t.carrier, due{&at, func(g *Gradebook, scope string) { _, _ = t.readItem(ctx, g, scope, g.LineItem) }})
	return t.Post(ctx, &at, one, lti.Score{
		ActivityProgress: lti.Submitted, GradingProgress: lti.PendingManual,
		Submission: &lti.Submission{StartedAt: l.At.UTC().Format(Instant), SubmittedAt: now.UTC().Format(Instant)},
	})
}

// keepWork keeps a work instead of the learner's last one.
func (t *Grades) keepWork(l part.Launch, at Gradebook, text string) Work {
	t.learn(at, PlaceOf(l))
	one := Work{at.Of, at.LineItem, l.Sub, l.Name, text, &scoreClock{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.IndexFunc(t.works, one.SameAs); i >= 0 {
		one.scores = t.works[i].scores
		t.works = slices.Delete(t.works, i, i+1)
	}
	t.works = appended(t.works, one, t.core.Remembers())
	return one
}

// Post tells the gradebook of a work: who has learned, and when, it says itself. It fails
// where the score is not taken.
func (t *Grades) Post(ctx context.Context, g *Gradebook, w Work, score lti.Score) error {
	if w.scores == nil { // nothing has been handed in
		w.scores = &scoreClock{}
	}
	w.scores.mu.Lock()
	defer w.scores.mu.Unlock()
	g = ScoreGoesTo.Pass(t.carrier, g)
	now := t.tick(w.scores, score.ScoreGiven != nil)
	score.UserID, score.Timestamp = w.Sub, now.Format(Instant)
	w.scores.points = score.ScoreGiven
	body, err := part.Members(score)
	if err != nil {
		return err
	}
	body = scoreSaid.Pass(t.carrier, Scoring{t.core, w, now, body}).Members
	to, err := t.scoresOf(w.LineItem, score.ScoreGiven != nil)
	if err != nil {
		return err
	}
	_, err = t.call(ctx, g, lti.ScopeScore, part.ServiceRequest{Method: http.MethodPost, URL: to, MediaType: lti.MediaTypeScore, Body: body})
	return err
}

// toldPage is what came of telling the gradebook something.
type toldPage struct {
	Page, Says, Back string
	Outcome          string // whether it was saved: true, false, or nothing
}

var outcomeTold = &fault.Seam[toldPage]{Name: "what a user is told of what came of it"}

// Tell shows whether the gradebook has taken what it was told, on a page of that id.
func (t *Grades) Tell(w http.ResponseWriter, page, back string, err error) {
	if errors.As(err, new(part.Crash)) {
		t.core.Refuse(w, err)
		return
	}
	shown := toldPage{Page: page, Back: back}
	shown.say(err)
	t.show(w, "told", outcomeTold.Pass(t.carrier, shown))
}

// say says whether the gradebook has taken what it was told.
func (p *toldPage) say(err error) {
	p.Says, p.Outcome = "Saved in the gradebook.", "true"
	if err != nil {
		p.Says, p.Outcome = fmt.Sprintf("Not saved in the gradebook: %s.", err), "false"
	}
}
