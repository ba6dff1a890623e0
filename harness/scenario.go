package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

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
}

// Scenario begins a scenario.
func (r *Run) Scenario(tb TB, text, location string) *Scenario {
	r.takeUnplanned() // what comes late from the scenario before is not this one's
	return &Scenario{run: r, tb: tb, text: text, location: location, fragment: fragment(nil)}
}

// Finish ends the scenario and returns what it adds to the results.
func (s *Scenario) Finish() results.Fragment {
	for _, u := range s.run.takeUnplanned() {
		s.find("unplanned-request", fmt.Sprintf("%s %s: %s", u.Method, results.Bounded(u.URL, 500), u.Why), "")
	}
	return s.fragment
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
	default:
		s.must(err)
	}
	return true
}

// Accepted says whether a launch that has to be accepted was.
func (s *Scenario) Accepted(f *Flow) bool {
	return f != nil && s.run.baseline.acceptance(f).Kind == Accepted
}

// MustAccept judges a stimulus by a launch that the tool has to accept.
func (s *Scenario) MustAccept(ctx context.Context, id requirements.ID, stimulus string, l Launch) {
	s.tb.Helper()
	if l.Title == "" {
		l.Title = stimulus
	}
	flow, err := s.Launch(ctx, l)
	if !s.Unseen(id, stimulus, err, flow) {
		s.MustBeAccepted(ctx, id, stimulus, flow)
	}
}

// MustBeAccepted judges a stimulus by a launch that was made with it. Where it
// was not accepted, a plain valid launch tells whether that is the stimulus's
// doing.
func (s *Scenario) MustBeAccepted(ctx context.Context, id requirements.ID, stimulus string, flow *Flow) {
	s.tb.Helper()
	switch reaction := s.run.baseline.acceptance(flow); reaction.Kind {
	case Accepted:
		s.Observe(id, stimulus, results.Passed, "", "Accepted: "+reaction.Why+".", flow)
	case Unclear:
		s.Observe(id, stimulus, results.Inconclusive, "", reaction.Why, flow)
	default:
		seen := fmt.Sprintf("Not accepted: %s. %s.", reaction.Why, describe(flow.Trip))
		control, err := s.control(ctx)
		if s.Unseen(id, stimulus, err, flow) {
			return
		}
		if s.run.baseline.acceptance(control).Kind != Accepted {
			s.Observe(id, stimulus, results.Inconclusive, "", seen+" A plain valid launch is not accepted either: "+control.Reaction.Why+".", flow, control)
			return
		}
		s.Observe(id, stimulus, results.Failed, "", seen, flow, control)
	}
}

// errGone says that the tool has stopped working altogether.
var errGone = errors.New("the tool has gone: it takes no connections, or gave no answer to several valid launches in a row")

// maxDead is how many valid launches in a row may get no answer before the
// tool counts as gone: a tool that hangs would else hold up the run for hours.
const maxDead = 3

// Gone says whether the tool has stopped working altogether. Without a
// preflight it need never have worked, and every scenario faces it all the same.
func (r *Run) Gone() bool { return r.dead >= maxDead && !r.config.Embedded.SkipPreflight }

// control makes a plain valid launch.
func (s *Scenario) control(ctx context.Context) (*Flow, error) {
	flow, err := s.Launch(ctx, Launch{Title: "control: a valid launch"})
	if err != nil {
		return nil, err
	}
	if flow.Reaction.Kind == Dead {
		s.run.dead++
	} else {
		s.run.dead = 0
	}
	return flow, nil
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
	Make   func(context.Context) (*Flow, error)
}

// Faulty returns an attempt for each fault of the platform that provokes a
// requirement.
func (s *Scenario) Faulty(id requirements.ID) []Attempt {
	var attempts []Attempt
	for _, fault := range fakeplatform.FaultsFor(string(id)) {
		attempts = append(attempts, s.Attempt(fault))
	}
	return attempts
}

// Attempt returns the attempt to launch with a fault. What the fault borrows
// comes from a login of another browser that is still open.
func (s *Scenario) Attempt(fault fakeplatform.Fault) Attempt {
	return Attempt{Stimulus: fault.Name, Make: func(ctx context.Context) (*Flow, error) {
		l := Launch{Title: fault.Name + ": " + fault.Does, Fault: &fault}
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

// MustRefuse judges a requirement by launches that the tool has to refuse. Each
// is fenced by valid launches: only between two that work does refused mean
// refused.
func (s *Scenario) MustRefuse(ctx context.Context, id requirements.ID, attempts ...Attempt) {
	s.tb.Helper()
	before, err := s.control(ctx)
	for _, a := range attempts {
		if s.Unseen(id, a.Stimulus, err) {
			continue
		}
		flow, err := a.Make(ctx)
		if s.Unseen(id, a.Stimulus, err, flow) {
			continue
		}
		after, err := s.control(ctx)
		if s.Unseen(id, a.Stimulus, err, before, flow) {
			continue
		}
		s.judgeRefusal(id, a, before, flow, after)
		before = after
	}
}

func (s *Scenario) judgeRefusal(id requirements.ID, a Attempt, before, flow, after *Flow) {
	s.tb.Helper()
	observe := func(v results.Verdict, seen string) { s.Observe(id, a.Stimulus, v, "", seen, flow, before, after) }
	reaction := s.run.baseline.refusal(flow)
	fenced := ""
	for _, control := range []*Flow{before, after} {
		if r := s.run.baseline.acceptance(control); r.Kind != Accepted {
			fenced = fmt.Sprintf("A valid launch beside this one was not accepted: %s.", r.Why)
		}
	}
	switch {
	case !flow.Answered():
		observe(results.Inconclusive, "The launch did not come as far as the id_token: "+describe(flow.Trip)+".")
	case reaction.Kind == Accepted:
		observe(results.Failed, "Accepted: "+reaction.Why+".")
	case reaction.Kind == Dead && fenced == "":
		observe(results.Failed, "Neither accepted nor refused: "+reaction.Why+".")
	case fenced != "":
		observe(results.Inconclusive, fenced+" So this launch's end says nothing: "+reaction.Why+".")
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

// Errored keeps that the harness failed before it could judge the requirements
// that the scenario is about. Stimuli that were judged keep their verdicts.
func (s *Scenario) Errored(ids []requirements.ID, why string) {
	for _, id := range ids {
		s.Observe(id, "", results.Errored, "", why)
	}
}
