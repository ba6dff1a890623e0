package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fault"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/together"
)

// A Scenario lets flows happen and keeps what was observed of them. One flow
// can settle many requirements; a bad verdict does not end the scenario.
type Scenario struct {
	observer[*Flow]
	run      *Run
	lostSets int        // fetches of the tool's key set by the platforms that failed when it began
	recent   []*Flow    // kept since an attempt began
	kind     launchKind // of its launches, where they do not say otherwise
	// unplanned are the unplanned requests up to its last wait.
	unplanned []fakeplatform.Unplanned
	closers   []func()
}

// Scenario begins a scenario.
func (r *Run) Scenario(tb TB, text, location string) *Scenario {
	r.consulted()
	r.takeUnplanned() // what comes late from the scenario before is not this one's
	return &Scenario{run: r, lostSets: r.lostKeySets(), observer: observer[*Flow]{
		base: &r.base, tb: tb, text: text, location: location, fragment: emptyFragment(),
		hosts: r.hostsOfTool(),
	}}
}

// AtEnd has something done when the scenario ends, such as a browser closed.
func (s *Scenario) AtEnd(f func()) { s.closers = append(s.closers, f) }

// Finish ends the scenario and returns what it adds to the results.
func (s *Scenario) Finish() results.Fragment {
	for _, f := range slices.Backward(s.closers) {
		f()
	}
	s.closers = nil
	for _, u := range append(s.unplanned, s.run.takeUnplanned()...) {
		if u.Why == jwt.ErrNoKeySet.Error() {
			s.Tell("no-key-set", "The tool asked for an access token and got none, since its key set is not known: set tool.jwks_url to its address.", "")
			continue
		}
		s.Tell("unplanned-request", fmt.Sprintf("%s %s: %s", u.Method, results.Bounded(u.URL, 500), u.Why), "")
	}
	s.fragment.Consulted = append(s.fragment.Consulted, s.run.consulted()...)
	return s.finish()
}

// Drop takes back what was observed, since the scenario is done again, and ends it.
func (s *Scenario) Drop() results.Fragment {
	s.drop()
	return s.Finish()
}

// Run returns the run that the scenario belongs to.
func (s *Scenario) Run() *Run { return s.run }

// Open returns a user with a fresh browser. Close it after use.
func (s *Scenario) Open(ctx context.Context) agent.User {
	s.tb.Helper()
	user, err := s.run.Open(ctx)
	s.Must(err)
	return user
}

// Launch makes a launch and keeps it as evidence.
func (s *Scenario) Launch(ctx context.Context, l Launch) (*Flow, error) {
	if s.run.Gone() {
		return nil, errGone
	}
	if err := s.run.mayLaunch(cmp.Or(l.kind(), s.kind)); err != nil {
		return nil, err
	}
	switch {
	case l.kind() != plain:
	case s.kind == intoExam:
		l.Exam = &proctoring.Exam{}
	case s.kind == toReview:
		work, err := s.Standing(ctx)
		if err != nil {
			return nil, err
		}
		l.Review = work
	}
	if l.Again || l.Fault != nil && !l.Fault.Permitted {
		s.run.lastControl = nil
	}
	if l.Fault != nil && fakeplatform.ChangesKeySet(*l.Fault) {
		s.run.keySetChanged = true
	}
	flow, err := s.run.launch(ctx, l)
	if flow != nil {
		s.keep(flow)
	}
	if err == nil && l.Fault != nil && l.Fault.Needs.Has(fault.State) {
		if request, asked := flow.Request(); asked && request.Params.Get(lti.ParamState) == "" {
			err = errStateless
		}
	}
	return flow, err
}

// errStateless says that nothing can be made of the state that the tool sent (Security
// Framework 1.0, 5.1.1.4: the answer has one where the request had one).
var errStateless = errors.New("the tool's authentication request has no state")

// Login brings a fresh browser as far as the platform's answer, which is held
// back: the tool's state and nonce are issued, and not yet used.
func (s *Scenario) Login(ctx context.Context, title string) (*Flow, error) {
	return s.login(ctx, Launch{Title: title})
}

// login is a [Scenario.Login] that may be made in a browser that is there.
func (s *Scenario) login(ctx context.Context, l Launch) (*Flow, error) {
	l.Fault = new(fakeplatform.HeldAnswer)
	flow, err := s.Launch(ctx, l)
	if err != nil {
		return nil, err
	}
	if _, asked := flow.Request(); !asked {
		return flow, ErrNoLogin
	}
	return flow, nil
}

func (s *Scenario) keep(flow *Flow) {
	s.recent = append(s.recent, flow)
	s.observer.keep(flow)
	if !flow.held {
		flow.held = true
		s.breach(append(s.run.ofTool(flow), s.run.leaksOfTool(flow)...), flow)
	}
	if flow.Reaction.Kind == Dead {
		s.Tell(string(flow.Trip.Ended), saidOf(flow.evidence.Title, flow.Reaction.Why), flow.ID)
	}
}

// Unseen keeps why a stimulus could not be judged, and says whether that is so.
// Errors of the harness itself end the scenario.
func (s *Scenario) Unseen(id requirements.ID, stimulus string, err error, flows ...*Flow) bool {
	s.tb.Helper()
	_, isStuck := errors.AsType[*JourneyError](err)
	switch {
	case err == nil:
		return false
	case errors.Is(err, ErrNoJourney), errors.Is(err, errStateless):
		s.Observe(id, stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", flows...)
	case isStuck, isAny(err, agent.ErrNeedsBrowser, ErrNoLogin, ErrNoScore, ErrNoToken, errNoWork, errBarred, errGone, ErrNotAsked):
		if (isStuck || isAny(err, ErrNoLogin, errNoWork)) && !errors.Is(err, ErrNoToken) {
			s.troubled(err.Error(), "")
		}
		s.unseen(id, stimulus, err, flows...)
	case errors.Is(err, ErrTooLong):
		s.Observe(id, stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", flows...)
	default:
		s.Must(err)
	}
	return true
}

// isAny says whether an error is one of several.
func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// LaunchTogether makes launches at the same time and keeps them as evidence. Answers that
// were held back are submitted at the same moment.
func (s *Scenario) LaunchTogether(ctx context.Context, launches ...Launch) ([]*Flow, error) {
	if s.run.Gone() {
		return nil, errGone
	}
	for _, l := range launches {
		if err := s.run.mayLaunch(l.kind()); err != nil {
			return nil, err
		}
	}
	var held []*fakeplatform.Launch
	for _, l := range launches {
		if l.Again {
			held = append(held, l.Other.Launch)
		}
	}
	fakeplatform.Together(len(held), held...)
	flows, err := together.Do(len(launches), func(i int) (*Flow, error) {
		l := launches[i]
		l.Together = true
		return s.run.launch(ctx, l)
	})
	for _, flow := range flows {
		if flow != nil {
			s.keep(flow)
		}
	}
	return flows, err
}

// LaunchCrowd launches users at the same time, over plain HTTP: many browsers at
// once would be slower than any crowd.
func (s *Scenario) LaunchCrowd(ctx context.Context, users []fakeplatform.User) ([]*Flow, error) {
	launches := make([]Launch, len(users))
	for i, user := range users {
		by, err := s.run.plain.Open(ctx)
		if err != nil {
			return nil, err
		}
		defer by.Close()
		launches[i] = Launch{Title: "launch of " + user.Name + " among others", User: user, By: by, LoggedIn: true}
	}
	return s.LaunchTogether(ctx, launches...)
}

// Pass lets time pass; see [Run.Pass]. Others may go on meanwhile.
func (s *Scenario) Pass(ctx context.Context, d time.Duration) (err error) {
	s.aside(func() { err = s.run.Pass(ctx, d) })
	return err
}

// Overlap has other scenarios go on while one waits: meanwhile runs a wait, and returns when
// that is over and no other is at work.
func (r *Run) Overlap(meanwhile func(wait func())) { r.meanwhile = meanwhile }

// aside waits, and lets other scenarios go on where there are such. They may have changed
// who carries the users, and have made launches that are no end of a fence of this one's. A
// subject that was away meanwhile may have been away for what this one did before. Where
// launches have met another key set than is usual, others wait until a valid one has shown
// that the tool still knows the usual keys.
func (s *Scenario) aside(wait func()) {
	r := s.run
	if r.meanwhile == nil || r.keySetChanged {
		wait()
		return
	}
	carrier, troubles := r.agent, r.troubles
	s.unplanned = append(s.unplanned, r.takeUnplanned()...)
	r.meanwhile(wait)
	r.agent, r.lastControl = carrier, nil
	if r.troubles > troubles {
		s.troubled("while this waited and others went on, "+r.lastTrouble, "")
	}
}

// LoginsByHTTP returns a user for many logins in a row that no page has to be
// seen of: one without a browser where the tool's login needs none.
func (s *Scenario) LoginsByHTTP(ctx context.Context) (agent.User, error) {
	user, err := s.run.plain.Open(ctx)
	if err != nil {
		return nil, err
	}
	flow, err := s.Launch(ctx, Launch{Title: "a login without a browser", By: user, LoggedIn: true, Fault: new(fakeplatform.HeldAnswer)})
	if err != nil {
		return nil, err
	}
	if _, asked := flow.Request(); asked {
		return user, nil
	}
	return s.run.Open(ctx)
}
