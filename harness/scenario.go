package harness

import (
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
	case errors.Is(err, agent.ErrNeedsBrowser), errors.Is(err, ErrNoLogin), errors.Is(err, errGone), errors.Is(err, errNotAsked):
		s.Observe(id, stimulus, results.Inconclusive, "", "Not seen: "+err.Error()+".", flows...)
	case errors.Is(err, ErrTooLong):
		s.Observe(id, stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", flows...)
	default:
		s.must(err)
	}
	return true
}

// LaunchTogether makes launches at the same time and keeps them as evidence.
func (s *Scenario) LaunchTogether(ctx context.Context, launches ...Launch) ([]*Flow, error) {
	if s.run.Gone() {
		return nil, errGone
	}
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

// Pass lets time pass; see [Run.Pass].
func (s *Scenario) Pass(ctx context.Context, d time.Duration) error { return s.run.Pass(ctx, d) }

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
	if len(r.Provoke) == 0 {
		s.Skip(id, "", r.Feature)
	}
	for _, stimulus := range r.Provoke {
		s.Skip(id, stimulus.Case, r.Feature)
	}
}

// Errored keeps that the harness failed before it could judge the requirements
// that the scenario is about. Stimuli that were judged keep their verdicts.
func (s *Scenario) Errored(ids []requirements.ID, why string) {
	for _, id := range ids {
		s.Observe(id, "", results.Errored, "", why)
	}
}
