package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
)

// ReviewScenario begins a scenario whose launches open a learner's work for review
// by LtiSubmissionReviewRequest. The tool has accepted one when its page shows the
// work.
func (r *Run) ReviewScenario(tb TB, text, location string) *Scenario {
	s := r.Scenario(tb, text, location)
	s.kind = toReview
	return s
}

// Standing is a work that launches into reviews are about where it does not matter
// whose work it is. It is handed in once in a process.
func (s *Scenario) Standing(ctx context.Context) (*Work, error) {
	if s.run.standing != nil {
		return s.run.standing, nil
	}
	work, _, err := s.HandIn(ctx, s.Assign(), Launch{})
	if err != nil {
		return nil, err
	}
	s.run.standing = work
	return work, nil
}

// ShowsWork says whether the page shows the work that the launch was to open, and
// none of the others'.
func (f *Flow) ShowsWork() bool {
	return f.review != nil && f.Shows(f.review.Text) && f.otherWork() == ""
}

// ShowsAnyWork says whether the page shows what any learner has handed in.
func (f *Flow) ShowsAnyWork() bool { return slices.ContainsFunc(f.texts, f.Shows) }

// otherWork is somebody's work on the page that is not the one under review; empty
// where there is none.
func (f *Flow) otherWork() string {
	i := slices.IndexFunc(f.texts, func(text string) bool { return text != f.review.Text && f.Shows(text) })
	if i < 0 {
		return ""
	}
	return f.texts[i]
}

// reviewReaction reads how a tool reacted to a review.
func (f *Flow) reviewReaction() Reaction {
	switch {
	case f.ShowsWork():
		return Reaction{Kind: Accepted, Why: "the page shows the learner's work"}
	case f.ShowsAnyWork():
		return Reaction{Kind: Accepted, Why: "the page shows another work: " + f.otherWork()}
	}
	if refused, ok := f.refusal(); ok {
		return refused
	}
	return Reaction{Kind: Unclear, Why: fmt.Sprintf("HTTP %d, and the page shows no work, which alone is not a refusal: set tool.launch_refused to a sign of refusal", f.Trip.Page.Status)}
}

// acceptedReview is the reaction to a review that has to be accepted: it has to show
// the right work.
func (f *Flow) acceptedReview() Reaction {
	switch {
	case f.Reaction.Kind == Accepted && !f.ShowsWork():
		return Reaction{Kind: Refused, Why: f.Reaction.Why}
	case f.Reaction.Kind == Unclear:
		return Reaction{Kind: Refused, Why: fmt.Sprintf("HTTP %d, and the page shows no work", f.Trip.Page.Status)}
	}
	return f.Reaction
}

// lookForGrading finds out whether the page that a review has led to, which shows no
// work, offers to grade it: the reviewer goes as far as the points, and sends nothing.
// Only a review that was accepted leads there. A journey that goes to another page by
// its address says nothing of this one.
func (r *Run) lookForGrading(ctx context.Context, l Launch, f *Flow) error {
	name, ok := r.config.JourneyFor(config.Grade)
	if !ok {
		return nil
	}
	steps := r.config.Journeys[name].Steps
	last := slices.IndexFunc(steps, func(s config.Step) bool { return strings.Contains(s.With+s.Option, scoreWord) })
	if last < 0 || slices.ContainsFunc(steps[:last], func(s config.Step) bool { return s.Open != "" }) {
		return nil
	}
	j := agent.Journey{In: agent.Here, Actions: r.actionsOf(steps[:last+1], append(words{scoreWord, "0"}, wordsOn(f.Launch)...))}
	for i := range j.Actions {
		j.Actions[i].Within = r.glance()
	}
	trip, err := r.makeJourney(ctx, l.By, "the journey "+name+", as far as the points,", j)
	if _, stuck := errors.AsType[*JourneyError](err); stuck {
		return nil
	}
	if err != nil {
		return err
	}
	f.evidence.Steps = append(f.evidence.Steps, trip.Steps...)
	f.Reaction = Reaction{Kind: Accepted, offers: true, Why: fmt.Sprintf("the page shows no work, but offers to grade it: the journey %s comes as far as the points", name)}
	return nil
}

// assignmentReaction reads how a tool reacted to a launch at an assignment.
func (f *Flow) assignmentReaction() Reaction {
	if refused, ok := f.refusal(); ok {
		return refused
	}
	if f.stuck != nil {
		return Reaction{Kind: Unclear, Why: f.stuck.Error()}
	}
	return Reaction{Kind: Accepted, Why: fmt.Sprintf("HTTP %d", f.Trip.Page.Status)}
}

// LookAround visits the page that shows who is logged in, in the browser of a flow,
// and keeps what came of it: where no page is known that only launched users see, it
// is the one that the flow ended on, without its query.
func (s *Scenario) LookAround(ctx context.Context, title string, f *Flow) (*Flow, error) {
	ended, _, _ := strings.Cut(f.Trip.Page.URL, "#")
	ended, _, _ = strings.Cut(ended, "?")
	return s.look(ctx, title, cmp.Or(s.run.baseline.sessionURL, s.run.tool.ProtectedURL, ended), f, f.by)
}

// GoBack follows the way back to the platform that the page of a flow offers, and
// keeps what came of it. It returns nothing where the page offers none.
func (s *Scenario) GoBack(ctx context.Context, title string, f *Flow) (*Flow, error) {
	if f.Exit() == "" {
		return nil, nil
	}
	return s.look(ctx, title, f.Exit(), f, f.by)
}

// OpenAddress opens an address in the browser of a flow, and keeps what came of it.
func (s *Scenario) OpenAddress(ctx context.Context, title, address string, f *Flow) (*Flow, error) {
	return s.look(ctx, title, address, f, f.by)
}

// OpenElsewhere opens the address of the page that a flow has ended on in another browser,
// and keeps what came of it.
func (s *Scenario) OpenElsewhere(ctx context.Context, title string, f *Flow, by agent.User) (*Flow, error) {
	return s.look(ctx, title, f.Trip.Page.URL, f, by)
}

// look visits a page that has to do with a flow.
func (s *Scenario) look(ctx context.Context, title, address string, f *Flow, by agent.User) (*Flow, error) {
	visit := s.run.visit(address)
	visit.Markers, visit.Screenshot = nil, true
	began := time.Now()
	trip, err := by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &Flow{ID: s.run.nextFlowID(), Launch: f.Launch, Record: f.Launch.Record(), Trip: trip, by: by, review: f.review, texts: f.texts, account: f.account}
	flow.evidence = s.run.evidence(flow, Launch{Title: title}, began)
	s.keep(flow)
	return flow, nil
}
