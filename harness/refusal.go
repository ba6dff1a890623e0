package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fault"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// React judges a requirement by launches with each fault of the platform that
// provokes it: a tool has to accept those that are permitted, and to refuse
// the others.
func (s *Scenario) React(ctx context.Context, id requirements.ID) {
	s.tb.Helper()
	var refused []Attempt
	for _, fault := range fakeplatform.FaultsFor(string(id)) {
		if fault.Permitted {
			s.MustAccept(ctx, id, fault.Name, Launch{Fault: &fault})
		} else {
			for _, forgery := range s.run.platform.Forgeries(fault) {
				refused = append(refused, s.Attempt(forgery))
			}
		}
	}
	s.MustRefuse(ctx, id, refused...)
}

// errGone says that the tool has stopped working altogether.
var errGone = errors.New("the tool has gone: no valid launch works any more")

// control makes a plain valid launch. Where it does not work, valid launches are tried
// until one does, or the tool has gone.
func (s *Scenario) control(ctx context.Context) (*Flow, error) {
	fetches := s.run.KeySetFetches()
	flow, err := s.tryControl(ctx, "control: a valid launch")
	if err != nil {
		return nil, err
	}
	if s.run.keySetChanged && !s.Accepted(flow) && s.waitToLook(ctx, fetches) {
		flow, err = s.tryControl(ctx, "control: a valid launch, after a while, since the tool did not look for the key")
		if err != nil {
			return nil, err
		}
	}
	s.run.keySetChanged = false
	if s.Accepted(flow) || s.run.config.Embedded.SkipPreflight {
		return flow, nil
	}
	why := s.run.baseline.acceptance(flow).Why
	s.revive(ctx, partLaunches, why, flow.ID, flow.Trip, func(ctx context.Context) (*agent.Trip, bool) {
		again, err := s.tryControl(ctx, "control: a valid launch, since the one before did not work")
		if err != nil {
			return nil, false
		}
		return again.Trip, s.Accepted(again)
	})
	return flow, nil
}

// tryControl makes a plain valid launch once.
func (s *Scenario) tryControl(ctx context.Context, title string) (*Flow, error) {
	l := s.ordinary()
	l.Title = title
	flow, err := s.Launch(ctx, l)
	if err != nil {
		return nil, err
	}
	flow.control, s.run.lastControl = true, nil
	if s.Accepted(flow) {
		s.run.lastControl = flow
		s.worked()
	} else if s.kind == toReview {
		s.run.standing = nil // the tool may have lost the work
	}
	return flow, nil
}

// ordinary is a valid launch of the scenario's kind. Where launches of resource links
// are not judged, they need not work: then it is one at an assignment, or into an exam.
func (s *Scenario) ordinary() Launch {
	switch s.ordinaryKind() {
	case s.kind:
		return Launch{}
	case withGrades:
		a := s.Assign()
		return Launch{Assignment: &a}
	default:
		return Launch{Exam: &proctoring.Exam{}}
	}
}

func (s *Scenario) ordinaryKind() launchKind {
	switch {
	case s.kind != plain || s.run.config.Launches():
		return s.kind
	case s.run.Has(config.Grades), s.run.judgesParts():
		return withGrades
	default:
		return intoExam
	}
}

// Settle decides whether what the scenario has observed stands, now that it has come
// to its end, and says whether it is to be done again; see [observer.settle].
func (s *Scenario) Settle(ctx context.Context, again bool) bool {
	if s.run.mayLaunch(s.ordinaryKind()) != nil {
		return false // none has to work
	}
	if s.run.lostKeySets() > s.lostSets {
		s.troubled("the platform could not fetch the tool's key set", "")
		s.uses(partKeySet)
	}
	return s.settle(again, func() string {
		if s.served[partKeySet] {
			if _, err := s.run.FetchKeySet(ctx, s.run.tool.JWKSURL); err != nil {
				return partGone{partKeySet, err.Error()}.Error()
			}
			s.proves(partKeySet)
		}
		control, err := s.control(ctx)
		if err != nil {
			return err.Error()
		}
		if r := s.run.baseline.acceptance(control); r.Kind != Accepted {
			return r.Why
		}
		return ""
	})
}

// fencePost is a valid launch with nothing but valid launches between it and
// what comes next: the end of the fence before, where there is one.
func (s *Scenario) fencePost(ctx context.Context) (*Flow, error) {
	if last := s.run.lastControl; last != nil && last.kind == s.kind {
		s.keep(last)
		return last, nil
	}
	return s.control(ctx)
}

// Unmoved judges a launch that had to lead to nothing, and did: where the tool
// died of it, or where what was to be refused never came to it, that says
// nothing good.
func (s *Scenario) Unmoved(ctx context.Context, id requirements.ID, stimulus string, needsAnswer bool, flow *Flow) {
	s.tb.Helper()
	works := s.Works(ctx)
	observe := func(v results.Verdict, seen string) {
		s.Observe(id, stimulus, v, "", seen+": "+flow.End()+".", flow)
	}
	switch {
	case !works:
		observe(results.Inconclusive, "No valid launch works after this one, so its result shows nothing")
	case flow.Reaction.Kind == Dead:
		observe(results.Failed, "The tool gave no answer")
	case needsAnswer && !flow.Answered():
		observe(results.Inconclusive, "The launch did not get as far as the id_token")
	case flow.Reaction.Crashed:
		observe(results.Warned, "The tool answered with a server error")
	default:
		observe(results.Passed, "It had no effect")
	}
}

// Works says whether a plain valid launch works, so that what went wrong before
// it can be told from a tool that has stopped working.
func (s *Scenario) Works(ctx context.Context) bool {
	control, err := s.control(ctx)
	return err == nil && s.Accepted(control)
}

// An Attempt is a launch that the tool has to refuse.
type Attempt struct {
	Stimulus string
	// Status, where set, is the HTTP status that the refusal has to have;
	// another one warns.
	Status int
	// AtLogin is set where the login initiation is what has to be refused.
	AtLogin bool
	// AlsoAtLogin is set where it may be.
	AlsoAtLogin bool
	// ElsewhereWillDo is set where any page will do that is not the resource's.
	ElsewhereWillDo bool
	// GradingWillDo is set where that page may offer to grade work that it does not show.
	GradingWillDo bool
	Make          func(context.Context) (*Flow, error)
	// Excuse, where set, says why a page that looks like that of an accepted launch is
	// none, and what to make of that; nothing where it is one.
	Excuse func(context.Context, *Flow) (results.Verdict, string)
}

// Attempt returns the attempt to launch with a fault. What the fault borrows
// comes from a login of another browser that is still open.
func (s *Scenario) Attempt(f fakeplatform.Fault) Attempt {
	return Attempt{Stimulus: f.Name, AlsoAtLogin: f.AlsoAtLogin, Make: func(ctx context.Context) (*Flow, error) {
		l := Launch{Title: f.Name + ": " + f.Does, Fault: &f}
		if f.After != nil {
			before, err := s.Acquaint(ctx, *f.After)
			if err != nil {
				return before, err
			}
			l.Other = before
		}
		if f.Borrows == fault.OpenLogin {
			l.By = s.Open(ctx)
			defer l.By.Close()
		}
		if f.Borrows != "" {
			other, err := s.login(ctx, Launch{Title: "a login of another browser, still open", By: l.By})
			if err != nil {
				return other, err
			}
			l.Other = other
		}
		return s.Launch(ctx, l)
	}}
}

// AttemptWithoutKey returns the attempt to launch with a new key that the tool
// cannot have. A tool that does not even look for it is given the time after
// which it would; only then is there something to see.
func (s *Scenario) AttemptWithoutKey(fault fakeplatform.Fault) Attempt {
	a := s.Attempt(fault)
	make := a.Make
	a.Make = func(ctx context.Context) (*Flow, error) {
		for again := false; ; again = true {
			fetches := s.run.KeySetFetches()
			flow, err := make(ctx)
			fetched, maybe := s.run.FetchedSince(fetches)
			if err != nil || !flow.Answered() || flow.Reaction.Kind != Refused || fetched > 0 || s.run.config.IsEmbedded() {
				return flow, err
			}
			// Where others fetch the key set, too, the tool is taken to have done so
			// after that time.
			if again && maybe == 0 {
				return flow, ErrNotAsked
			}
			if again {
				return flow, nil
			}
			if err := s.coolDown(ctx); err != nil && maybe > 0 {
				return flow, nil
			} else if err != nil {
				return flow, err
			}
		}
	}
	return a
}

// ErrNotAsked says that a tool refused a launch with a new key without looking
// for that key, so that it never met the key set that was prepared for it.
var ErrNotAsked = errors.New("the tool did not ask for the key set")

// fenceEvery is how many bad launches stand between two valid ones. Only
// where a fence breaks has each of them to get one of its own.
const fenceEvery = 8

// MustRefuse judges a requirement by launches that the tool has to refuse. They
// are fenced by valid launches: only between two that work does refused mean
// refused.
func (s *Scenario) MustRefuse(ctx context.Context, id requirements.ID, attempts ...Attempt) {
	s.tb.Helper()
	if len(attempts) == 0 {
		return
	}
	before, err := s.fencePost(ctx)
	for group := range slices.Chunk(attempts, fenceEvery) {
		before, err = s.refuseGroup(ctx, id, before, err, group)
	}
}

// refuseGroup makes the launches of one fence and returns its end, which is
// the beginning of the next.
func (s *Scenario) refuseGroup(ctx context.Context, id requirements.ID, before *Flow, broken error, group []Attempt) (*Flow, error) {
	s.tb.Helper()
	var launches []badLaunch
	for _, a := range group {
		if s.Unseen(id, a.Stimulus, broken) {
			continue
		}
		l, err := s.launchBadly(ctx, a, before)
		if !s.Unseen(id, a.Stimulus, err, l.flow) {
			launches = append(launches, l)
		}
	}
	after, err := s.control(ctx)
	if err == nil && !s.Accepted(after) && s.Accepted(before) && len(launches) > 1 {
		// Which of them broke the fence?
		before, err = s.fencePost(ctx)
		for _, l := range launches {
			before, err = s.refuseGroup(ctx, id, before, err, []Attempt{l.Attempt})
		}
		return before, err
	}
	for i := range launches {
		l := &launches[i]
		if err != nil || !s.surprises(l.flow, before, after) {
			continue
		}
		again, _ := s.launchBadly(ctx, l.Attempt, after)
		next, broken := s.control(ctx)
		if again.flow != nil && broken == nil && s.Accepted(next) {
			*l, after = again, next
			if s.run.baseline.refusal(l.flow).Kind == Refused {
				s.run.baseline.usual(l.flow)
			}
		}
	}
	for _, l := range launches {
		if s.Unseen(id, l.Stimulus, err, before, l.flow) {
			continue
		}
		if l.contrast != nil {
			s.Observe(id, l.Stimulus, results.Inconclusive, "", "The tool shows the page of an accepted launch, but by now it also shows it after an answer without id_token.", l.flow, l.contrast, before, after)
			continue
		}
		if l.Excuse != nil && s.run.baseline.refusal(l.flow).Kind == Accepted && s.brokenFence(before, after) == "" {
			if verdict, why := l.Excuse(ctx, l.flow); why != "" {
				s.Observe(id, l.Stimulus, verdict, "", why, slices.Concat([]*Flow{l.flow}, l.led, []*Flow{before, after})...)
				continue
			}
		}
		s.judgeRefusal(id, l.Attempt, l.flow, l.led, before, after)
	}
	if err == nil && !s.Accepted(after) && s.Accepted(before) {
		return s.fencePost(ctx) // the next fence needs a beginning that is whole
	}
	return after, err
}

// A badLaunch is one that the tool has to refuse, as it was made.
type badLaunch struct {
	Attempt
	flow *Flow
	led  []*Flow // what led to it
	// contrast is a launch without id_token right after it that is accepted, too; nil
	// where that is not so.
	contrast *Flow
}

// launchBadly makes a launch that the tool has to refuse.
func (s *Scenario) launchBadly(ctx context.Context, a Attempt, before *Flow) (badLaunch, error) {
	s.recent = nil
	flow, err := a.Make(ctx)
	l := badLaunch{Attempt: a, flow: flow, led: s.recent}
	if err == nil {
		l.contrast = s.acceptsAnything(ctx, flow, before)
	}
	return l, err
}

// surprises says whether a bad launch between valid ones that work has ended in a refusal
// of a kind that the tool has not shown yet. An error page that is none of the tool's own,
// while it is away for a moment, is no refusal; so such a launch is made again.
func (s *Scenario) surprises(flow, before, after *Flow) bool {
	b := &s.run.baseline
	return flow.kind == plain && b.known && s.brokenFence(before, after) == "" &&
		b.refusal(flow).Kind == Refused && flow.Trip.Ended == agent.Settled && !b.refusals[refusalOf(flow)]
}

// acceptsAnything says, where a launch that has to be refused shows the page of an
// accepted one, whether the tool shows it right after that for an answer without id_token
// as well, which it did not in the preflight: then the page says nothing, since it may
// come from a cache. It returns that launch; nil where that is not so. The bad launch
// itself is not made again: a tool may well refuse it then as a replay.
func (s *Scenario) acceptsAnything(ctx context.Context, flow, before *Flow) *Flow {
	if flow.kind != plain || !s.run.baseline.known || s.run.baseline.refusal(flow).Kind != Accepted || s.brokenFence(before) != "" {
		return nil
	}
	contrast, err := s.Launch(ctx, Launch{Title: "contrast: an answer without id_token and state", Fault: new(fakeplatform.EmptyAnswer)})
	if err != nil || s.run.baseline.reaction(contrast).Kind != Accepted {
		return nil
	}
	s.troubled("an answer without id_token is accepted", contrast.ID)
	return contrast
}

func (s *Scenario) judgeRefusal(id requirements.ID, a Attempt, flow *Flow, led []*Flow, before, after *Flow) {
	s.tb.Helper()
	observe := func(v results.Verdict, seen string) {
		s.Observe(id, a.Stimulus, v, "", seen, slices.Concat([]*Flow{flow}, led, []*Flow{before, after})...)
	}
	reaction := s.run.baseline.refusal(flow)
	_, asked := flow.Request()
	early := a.AlsoAtLogin && !asked && !flow.Answered()
	switch fenced := s.brokenFence(before, after); {
	case !a.AtLogin && !early && !flow.Answered():
		observe(results.Inconclusive, "The launch did not get as far as the id_token: "+describe(flow.Trip)+".")
	case a.AtLogin && (asked || s.wentElsewhere(flow)):
		observe(results.Failed, "The tool went on with an authentication request: "+describe(flow.Trip)+".")
	case (a.AtLogin || early) && fenced == "" && reaction.Kind != Dead && !sameHost(flow.Trip.Page.URL, s.run.tool):
		observe(results.Inconclusive, "The browser was led elsewhere: "+describe(flow.Trip)+".")
	case a.ElsewhereWillDo && fenced == "" && (flow.Reaction.Kind == Unclear || a.GradingWillDo && flow.Reaction.offers) && flow.session != shown:
		observe(results.Passed, "Not accepted: "+describe(flow.Trip)+".")
	case reaction.Kind == Accepted && informs(id, a.Stimulus):
		observe(results.Passed, "Accepted, as a tool may: "+reaction.Why+".")
	case reaction.Kind == Accepted:
		observe(results.Failed, "Accepted: "+reaction.Why+".")
	case reaction.Kind == Dead && fenced == "":
		observe(results.Failed, "Neither accepted nor refused: "+reaction.Why+".")
	case fenced != "":
		observe(results.Inconclusive, fenced+" So this launch's result shows nothing: "+reaction.Why+".")
	case reaction.Kind == Unclear && (a.AtLogin || early):
		observe(results.Passed, "Not accepted: "+describe(flow.Trip)+".")
	case reaction.Kind == Unclear:
		observe(results.Inconclusive, reaction.Why)
	case flow.Trip.Page.Status == http.StatusTooManyRequests:
		observe(results.Inconclusive, "The tool has had too many requests: "+reaction.Why+".")
	case reaction.Crashed:
		observe(results.Warned, "Refused with a server error: "+reaction.Why+".")
	case a.Status != 0 && !early && !slices.Contains(flow.Statuses(), a.Status):
		observe(results.Warned, fmt.Sprintf("Refused, but without HTTP %d: %s.", a.Status, reaction.Why))
	default:
		observe(results.Passed, "Refused: "+reaction.Why+".")
	}
}

// wentElsewhere says whether the tool went on with the second platform in a login that
// the first one began.
func (s *Scenario) wentElsewhere(f *Flow) bool {
	other := s.run.other
	return other != nil && f.Launch.PlatformURL() != other.URL() && f.Led(other.URL())
}

// brokenFence says which of the valid launches around a bad one did not work,
// if any.
func (s *Scenario) brokenFence(controls ...*Flow) string {
	for _, control := range controls {
		if r := s.run.baseline.acceptance(control); r.Kind != Accepted {
			return fmt.Sprintf("A valid launch before or after this one was not accepted: %s.", r.Why)
		}
	}
	return ""
}
