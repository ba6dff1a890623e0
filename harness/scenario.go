package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"invigilator/fakeplatform"
	"invigilator/harness/agent"
	"invigilator/requirements"
	"invigilator/results"
)

// TB is what a scenario needs of the test that it runs in: a way to stop when
// the harness itself has failed. Ginkgo's GinkgoT() and testing.TB have it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A Scenario lets flows happen and keeps what was observed of them. One flow
// can settle many requirements; a bad verdict does not end the scenario.
type Scenario struct {
	run      *Run
	tb       TB
	text     string // of the spec
	location string // of the spec, file:line
	fragment results.Fragment
	recent   []*Flow // kept since an attempt began
}

// Scenario begins a scenario.
func (r *Run) Scenario(tb TB, text, location string) *Scenario {
	r.consulted()
	r.takeUnplanned() // what comes late from the scenario before is not this one's
	return &Scenario{run: r, tb: tb, text: text, location: location, fragment: fragment(nil)}
}

// Finish ends the scenario and returns what it adds to the results.
func (s *Scenario) Finish() results.Fragment {
	for _, u := range s.run.takeUnplanned() {
		s.find("unplanned-request", fmt.Sprintf("%s %s: %s", u.Method, results.Bounded(u.URL, 500), u.Why), "")
	}
	s.fragment.Consulted = s.run.consulted()
	s.forget()
	if s.run.config.Embedded.OnlyVerdicts {
		clear(s.fragment.Flows)
		clear(s.fragment.Screenshots)
		for i := range s.fragment.Observations {
			s.fragment.Observations[i].Flows = []string{}
		}
	}
	return s.fragment
}

// forget leaves out the flows that nothing refers to: of fifty logins in a row
// the first and the last say enough.
func (s *Scenario) forget() {
	wanted := map[string]bool{}
	for _, o := range s.fragment.Observations {
		for _, id := range o.Flows {
			wanted[id] = true
		}
	}
	for _, f := range s.fragment.Findings {
		wanted[f.Flow] = true
	}
	pictures := map[string]bool{}
	for id, flow := range s.fragment.Flows {
		if wanted[id] {
			pictures[flow.Page.Screenshot] = true
		} else {
			delete(s.fragment.Flows, id)
		}
	}
	maps.DeleteFunc(s.fragment.Screenshots, func(name string, _ []byte) bool { return !pictures[name] })
}

// Run returns the run that the scenario belongs to.
func (s *Scenario) Run() *Run { return s.run }

// maxFindings bounds what a subject can fill the report with.
const maxFindings = 100

func (s *Scenario) find(kind, says, flow string) {
	switch n := len(s.fragment.Findings); {
	case n > maxFindings:
		return
	case n == maxFindings:
		kind, says, flow = "more", "and more findings than are kept", ""
	}
	s.fragment.Findings = append(s.fragment.Findings, results.Finding{Kind: kind, Says: says, Scenario: s.text, Flow: flow})
}

func (s *Scenario) must(err error) {
	if err != nil {
		s.tb.Helper()
		s.tb.Fatalf("the harness failed: %v", err)
	}
}

// Open returns a user with a fresh browser. Close it after use.
func (s *Scenario) Open(ctx context.Context) agent.User {
	s.tb.Helper()
	user, err := s.run.Open(ctx)
	s.must(err)
	return user
}

// Launch makes a launch and keeps it as evidence.
func (s *Scenario) Launch(ctx context.Context, l Launch) (*Flow, error) {
	if s.run.Gone() {
		return nil, errGone
	}
	if l.Again || l.Fault != nil && !l.Fault.Permitted {
		s.run.lastControl = nil
	}
	if l.Fault != nil && l.Fault.ChangesKeySet() {
		s.run.keySetChanged = true
	}
	flow, err := s.run.launch(ctx, l)
	if flow != nil {
		s.keep(flow)
	}
	return flow, err
}

// Login brings a fresh browser as far as the platform's answer, which is held
// back: the tool's state and nonce are issued, and not yet used.
func (s *Scenario) Login(ctx context.Context, title string) (*Flow, error) {
	flow, err := s.Launch(ctx, Launch{Title: title, Fault: new(fakeplatform.HeldAnswer)})
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
	f := fragment([]*Flow{flow})
	s.fragment.Flows[flow.ID] = f.Flows[flow.ID]
	maps.Copy(s.fragment.Screenshots, f.Screenshots)
	if flow.Reaction.Kind == Dead {
		s.find(string(flow.Trip.Ended), fmt.Sprintf("%s: %s", flow.evidence.Title, flow.Reaction.Why), flow.ID)
	}
}

// Observe keeps a verdict on a requirement or on one stimulus of it. The
// verdict Failed becomes Warned where the requirement is none that a subject
// must keep, or where the stimulus only warns.
func (s *Scenario) Observe(id requirements.ID, stimulus string, verdict results.Verdict, expected, seen string, flows ...*Flow) {
	s.tb.Helper()
	r, ok := requirements.Default().Get(id)
	if !ok {
		s.tb.Fatalf("no requirement %s in the catalogue", id)
	}
	if expected == "" {
		expected = r.Expect
	}
	o := results.Observation{
		Requirement: string(id), Case: stimulus, Verdict: verdict, Expected: expected, Seen: seen,
		Scenario: s.text, Location: s.location, Flows: []string{},
	}
	if verdict == results.Failed {
		o.Verdict = failing(r, stimulus)
	}
	for _, f := range flows {
		if f != nil && !slices.Contains(o.Flows, f.ID) {
			o.Flows = append(o.Flows, f.ID)
		}
	}
	s.fragment.Observations = append(s.fragment.Observations, o)
}

// failing is the verdict on a requirement that is not kept.
func failing(r requirements.Requirement, stimulus string) results.Verdict {
	weight := requirements.Full
	if st, ok := r.Stimulus(stimulus); ok {
		weight = st.Weight
	}
	if r.Level != requirements.Must || weight != requirements.Full {
		return results.Warned
	}
	return results.Failed
}

// Check keeps Passed where a condition holds and Failed where it does not.
func (s *Scenario) Check(id requirements.ID, stimulus string, holds bool, expected, seen string, flows ...*Flow) {
	s.tb.Helper()
	verdict := results.Failed
	if holds {
		verdict = results.Passed
	}
	s.Observe(id, stimulus, verdict, expected, seen, flows...)
}

// Unseen keeps why a stimulus could not be judged, and says whether that is so.
// Errors of the harness itself end the scenario.
func (s *Scenario) Unseen(id requirements.ID, stimulus string, err error, flows ...*Flow) bool {
	s.tb.Helper()
	switch {
	case err == nil:
		return false
	case errors.Is(err, agent.ErrNeedsBrowser), errors.Is(err, ErrNoLogin), errors.Is(err, errGone):
		s.Observe(id, stimulus, results.Inconclusive, "", "Not seen: "+err.Error()+".", flows...)
	case errors.Is(err, ErrTooLong):
		s.Observe(id, stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", flows...)
	default:
		s.must(err)
	}
	return true
}

// Accepted says whether a launch that has to be accepted was.
func (s *Scenario) Accepted(f *Flow) bool {
	return f != nil && s.run.baseline.acceptance(f).Kind == Accepted
}

// LaunchTogether makes launches at the same time and keeps them as evidence.
func (s *Scenario) LaunchTogether(ctx context.Context, launches ...Launch) ([]*Flow, error) {
	flows, errs := make([]*Flow, len(launches)), make([]error, len(launches))
	var all sync.WaitGroup
	for i, l := range launches {
		l.Together = true
		all.Go(func() { flows[i], errs[i] = s.run.launch(ctx, l) })
	}
	all.Wait()
	for _, flow := range flows {
		if flow != nil {
			s.keep(flow)
		}
	}
	return flows, errors.Join(errs...)
}

// LaunchCrowd launches users at the same time, over plain HTTP: many browsers at
// once would be slower than any crowd.
func (s *Scenario) LaunchCrowd(ctx context.Context, users []fakeplatform.User) ([]*Flow, error) {
	launches := make([]Launch, len(users))
	for i, user := range users {
		by, err := s.run.crowd.Open(ctx)
		if err != nil {
			return nil, err
		}
		defer by.Close()
		launches[i] = Launch{Title: "launch of " + user.Name + " among others", User: user, By: by, LoggedIn: true}
	}
	return s.LaunchTogether(ctx, launches...)
}

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
			refused = append(refused, s.Attempt(fault))
		}
	}
	s.MustRefuse(ctx, id, refused...)
}

// MustAccept judges a stimulus by a launch that the tool has to accept.
func (s *Scenario) MustAccept(ctx context.Context, id requirements.ID, stimulus string, l Launch) *Flow {
	s.tb.Helper()
	make := s.Launch
	if l.Fault != nil && l.Fault.NewKey() {
		make = s.LaunchWithNewKey
	}
	l.Title = cmp.Or(l.Title, stimulus)
	flow, err := make(ctx, l)
	if s.Unseen(id, stimulus, err, flow) || !s.MustBeAccepted(ctx, id, stimulus, flow) {
		return nil
	}
	return flow
}

// keyCooldown is how long libraries commonly wait before they fetch a key set
// again, however new the kid: long enough that a flood of unknown kids is none
// of fetches.
const keyCooldown = 31 * time.Second

// LaunchWithNewKey makes a launch that is signed with a key that the tool has
// not seen yet. Where the tool
// refuses it without having looked for that key, it is given the time after
// which it would.
func (s *Scenario) LaunchWithNewKey(ctx context.Context, l Launch) (*Flow, error) {
	l.Title = cmp.Or(l.Title, l.Fault.Name+": "+l.Fault.Does)
	fetches := s.run.platform.KeySetFetches()
	flow, err := s.Launch(ctx, l)
	if err != nil || flow.Reaction.Kind == Accepted || s.run.platform.KeySetFetches() > fetches {
		return flow, err
	}
	// The fake tool has no such habit.
	if waited := !s.run.config.IsEmbedded() && s.Pass(ctx, keyCooldown) == nil; !waited {
		return flow, nil
	}
	l.Title += " (again, after a while, since the tool did not look for the key)"
	return s.Launch(ctx, l)
}

// Pass lets time pass; see [Run.Pass].
func (s *Scenario) Pass(ctx context.Context, d time.Duration) error { return s.run.Pass(ctx, d) }

// MustBeAccepted judges a stimulus by a launch that was made with it, and says
// whether it was accepted. Where it was not, a plain valid launch tells whether
// that is the stimulus's doing.
func (s *Scenario) MustBeAccepted(ctx context.Context, id requirements.ID, stimulus string, flow *Flow) bool {
	s.tb.Helper()
	switch reaction := s.run.baseline.acceptance(flow); reaction.Kind {
	case Accepted:
		s.Observe(id, stimulus, results.Passed, "", "Accepted: "+reaction.Why+".", flow)
		return true
	case Unclear:
		s.Observe(id, stimulus, results.Inconclusive, "", reaction.Why, flow)
	default:
		seen := fmt.Sprintf("Not accepted: %s. %s.", reaction.Why, describe(flow.Trip))
		control, err := s.control(ctx)
		switch {
		case s.Unseen(id, stimulus, err, flow):
		case s.run.baseline.acceptance(control).Kind != Accepted:
			s.Observe(id, stimulus, results.Inconclusive, "", seen+" A plain valid launch is not accepted either: "+control.Reaction.Why+".", flow, control)
		case informs(id, stimulus) && reaction.Kind == Refused && !reaction.Crashed:
			s.Observe(id, stimulus, results.Passed, "", "Refused, as a tool may: "+reaction.Why+".", flow, control)
		default:
			s.Observe(id, stimulus, results.Failed, "", seen, flow, control)
		}
	}
	return false
}

// informs says whether a stimulus is only for the reader's information: a tool
// may accept or refuse it, as long as it does so in good order.
func informs(id requirements.ID, stimulus string) bool {
	r, _ := requirements.Default().Get(id)
	st, _ := r.Stimulus(stimulus)
	return st.Weight == requirements.Information
}

// errGone says that the tool has stopped working altogether.
var errGone = errors.New("the tool has gone: it takes no connections, or gave no answer to several valid launches in a row")

// maxDead is how many valid launches in a row may get no answer before the
// tool counts as gone: a tool that hangs would else hold up the run for hours.
const maxDead = 3

// Gone says whether the tool has stopped working altogether. Without a
// preflight it need never have worked, and every scenario faces it all the same.
func (r *Run) Gone() bool { return r.dead >= maxDead && !r.config.Embedded.SkipPreflight }

// LoginsByHTTP returns a user for many logins in a row that no page has to be
// seen of: one without a browser where the tool's login needs none.
func (s *Scenario) LoginsByHTTP(ctx context.Context) (agent.User, error) {
	user, err := s.run.crowd.Open(ctx)
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

// control makes a plain valid launch.
func (s *Scenario) control(ctx context.Context) (*Flow, error) {
	fetches := s.run.platform.KeySetFetches()
	flow, err := s.Launch(ctx, Launch{Title: "control: a valid launch"})
	if err != nil {
		return nil, err
	}
	if s.run.keySetChanged && flow.Reaction.Kind == Refused && !s.run.config.IsEmbedded() &&
		s.run.platform.KeySetFetches() == fetches && s.Pass(ctx, keyCooldown) == nil {
		flow, err = s.Launch(ctx, Launch{Title: "control: a valid launch, after a while, since the tool did not look for the key"})
		if err != nil {
			return nil, err
		}
	}
	s.run.keySetChanged = false
	s.run.lastControl = flow
	if flow.Reaction.Kind == Dead {
		s.run.dead++
	} else {
		s.run.dead = 0
	}
	return flow, nil
}

// fencePost is a valid launch with nothing but valid launches between it and
// what comes next: the end of the fence before, where there is one.
func (s *Scenario) fencePost(ctx context.Context) (*Flow, error) {
	if last := s.run.lastControl; last != nil && s.Accepted(last) {
		s.keep(last)
		return last, nil
	}
	return s.control(ctx)
}

// Skip keeps that a stimulus is about a feature that the tool does not declare,
// and says whether that is so.
func (s *Scenario) Skip(id requirements.ID, stimulus, feature string) bool {
	s.tb.Helper()
	if s.run.Has(feature) {
		return false
	}
	s.Observe(id, stimulus, results.Skipped, "", fmt.Sprintf("The tool does not declare the feature %s.", feature))
	return true
}

// SkipAll keeps that a requirement is about a feature that the tool does not
// declare.
func (s *Scenario) SkipAll(id requirements.ID) {
	s.tb.Helper()
	r, _ := requirements.Default().Get(id)
	cases := []string{""}
	if len(r.Provoke) > 0 {
		cases = nil
	}
	for _, stimulus := range r.Provoke {
		cases = append(cases, stimulus.Case)
	}
	for _, stimulus := range cases {
		s.Skip(id, stimulus, r.Feature)
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
	// ElsewhereWillDo is set where any page will do that is not the resource's.
	ElsewhereWillDo bool
	Make            func(context.Context) (*Flow, error)
}

// Attempt returns the attempt to launch with a fault. What the fault borrows
// comes from a login of another browser that is still open.
func (s *Scenario) Attempt(fault fakeplatform.Fault) Attempt {
	return Attempt{Stimulus: fault.Name, Make: func(ctx context.Context) (*Flow, error) {
		l := Launch{Title: fault.Name + ": " + fault.Does, Fault: &fault, Slow: fault.Name == "key-set-hangs"}
		if fault.Borrows {
			other, err := s.Login(ctx, "a login of another browser, still open")
			if err != nil {
				return other, err
			}
			l.Other = other
		}
		return s.Launch(ctx, l)
	}}
}

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
	type made struct {
		Attempt
		flow *Flow
		led  []*Flow // what led to it
	}
	var launches []made
	for _, a := range group {
		if s.Unseen(id, a.Stimulus, broken) {
			continue
		}
		s.recent = nil
		flow, err := a.Make(ctx)
		if !s.Unseen(id, a.Stimulus, err, flow) {
			launches = append(launches, made{a, flow, s.recent})
		}
	}
	after, err := s.control(ctx)
	if err == nil && !s.Accepted(after) && s.Accepted(before) && len(launches) > 1 {
		// Which of them broke the fence?
		before, err = s.control(ctx)
		for _, l := range launches {
			before, err = s.refuseGroup(ctx, id, before, err, []Attempt{l.Attempt})
		}
		return before, err
	}
	for _, l := range launches {
		if !s.Unseen(id, l.Stimulus, err, before, l.flow) {
			s.judgeRefusal(id, l.Attempt, l.flow, l.led, before, after)
		}
	}
	return after, err
}

func (s *Scenario) judgeRefusal(id requirements.ID, a Attempt, flow *Flow, led []*Flow, before, after *Flow) {
	s.tb.Helper()
	observe := func(v results.Verdict, seen string) {
		s.Observe(id, a.Stimulus, v, "", seen, slices.Concat([]*Flow{flow}, led, []*Flow{before, after})...)
	}
	reaction := s.run.baseline.refusal(flow)
	_, asked := flow.Request()
	switch fenced := s.brokenFence(before, after); {
	case !a.AtLogin && !flow.Answered():
		observe(results.Inconclusive, "The launch did not come as far as the id_token: "+describe(flow.Trip)+".")
	case a.AtLogin && asked:
		observe(results.Failed, "The tool went on with an authentication request: "+describe(flow.Trip)+".")
	case reaction.Kind == Accepted:
		observe(results.Failed, "Accepted: "+reaction.Why+".")
	case reaction.Kind == Dead && fenced == "":
		observe(results.Failed, "Neither accepted nor refused: "+reaction.Why+".")
	case fenced != "":
		observe(results.Inconclusive, fenced+" So this launch's end says nothing: "+reaction.Why+".")
	case reaction.Kind == Unclear && (a.AtLogin && sameHost(flow.Trip.Page.URL, s.run.tool) || a.ElsewhereWillDo):
		observe(results.Passed, "Not accepted: "+describe(flow.Trip)+".")
	case reaction.Kind == Unclear:
		observe(results.Inconclusive, reaction.Why)
	case reaction.Crashed:
		observe(results.Warned, "Refused with a server error: "+reaction.Why+".")
	case a.Status != 0 && !slices.Contains(flow.Statuses(), a.Status):
		observe(results.Warned, fmt.Sprintf("Refused, but without HTTP %d: %s.", a.Status, reaction.Why))
	default:
		observe(results.Passed, "Refused: "+reaction.Why+".")
	}
}

// brokenFence says which of the valid launches around a bad one did not work,
// if any.
func (s *Scenario) brokenFence(controls ...*Flow) string {
	for _, control := range controls {
		if r := s.run.baseline.acceptance(control); r.Kind != Accepted {
			return fmt.Sprintf("A valid launch beside this one was not accepted: %s.", r.Why)
		}
	}
	return ""
}

// Errored keeps that the harness failed before it could judge the requirements
// that the scenario is about. Stimuli that were judged keep their verdicts.
func (s *Scenario) Errored(ids []requirements.ID, why string) {
	for _, id := range ids {
		s.Observe(id, "", results.Errored, "", why)
	}
}
