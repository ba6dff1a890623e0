package backend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/edx"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/fault"
	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

// A Scenario asks a backend, and keeps what was observed.
type Scenario struct {
	run            *Run
	tb             harness.TB
	text, location string
	fragment       results.Fragment
	flow           *results.Flow // the last one
	trouble        []string      // what showed that the backend was away
}

// scene begins the scenario of the current spec.
func scene() *Scenario {
	return scenarios.Enter(func(run scenarios.Subject, tb harness.TB, text, location string) *Scenario {
		r := run.(*Run)
		if r.embedded != nil {
			r.embedded.FaultsReached() // what came before is not this one's
		}
		return &Scenario{run: r, tb: tb, text: text, location: location, fragment: results.Fragment{Flows: map[string]results.Flow{}}}
	})
}

// platform begins a flow of that title, and returns the fake exam platform for it.
func (s *Scenario) platform(title string) *fakeexamplatform.Platform {
	s.keep()
	s.flow = s.run.begin(title, "")
	return s.run.platform
}

// with is [Scenario.platform] with a stimulus.
func (s *Scenario) with(stimulus fault.Fault) *fakeexamplatform.Platform {
	s.keep()
	s.flow = s.run.begin(stimulus.Name+": "+stimulus.Does, stimulus.Name)
	return s.run.platform.With(stimulus)
}

// stimulus is the one of a name.
func (s *Scenario) stimulus(name string) fault.Fault {
	s.tb.Helper()
	stimulus, ok := fakeexamplatform.StimulusNamed(name)
	if !ok {
		s.tb.Fatalf("there is no stimulus %s", name)
	}
	return stimulus
}

// keep keeps what was seen of the flow so far.
func (s *Scenario) keep() {
	if s.flow != nil {
		s.fragment.Flows[s.flow.ID] = s.run.kept(s.flow)
	}
}

// maxSaid bounds each text that says what was seen: what it quotes is the backend's.
const maxSaid = 4 << 10

// observe keeps a verdict on a requirement, or on a case of it.
func (s *Scenario) observe(id requirements.ID, stimulus string, verdict results.Verdict, seen string) {
	s.tb.Helper()
	r, ok := requirements.Default().Get(id)
	if !ok {
		s.tb.Fatalf("no requirement %s in the catalogue", id)
	}
	if verdict == results.Failed {
		verdict = harness.Failing(r, stimulus)
	}
	o := results.Observation{
		Requirement: string(id), Case: stimulus, Verdict: verdict, Expected: r.Expect, Seen: results.Bounded(seen, maxSaid),
		Scenario: s.text, Location: s.location, Flows: []string{}, AfterNullPeer: s.run.nullPeer(),
	}
	if s.flow != nil {
		o.Flows, o.Agent = []string{s.flow.ID}, results.HTTP
	}
	s.fragment.Observations = append(s.fragment.Observations, o)
}

// judge keeps Passed where nothing is wrong, and Failed else.
func (s *Scenario) judge(id requirements.ID, stimulus, wrong string) {
	s.tb.Helper()
	verdict := results.Failed
	if wrong == "" {
		verdict = results.Passed
	}
	s.observe(id, stimulus, verdict, scenarios.Seen(wrong))
}

// unseen keeps why a case could not be judged, and all those of the requirement where none
// is named.
func (s *Scenario) unseen(id requirements.ID, stimulus string, why error) {
	s.tb.Helper()
	verdict, seen := results.Inconclusive, "Not seen: "+strings.TrimSuffix(why.Error(), ".")+"."
	if errors.Is(why, errTooLong) {
		verdict, seen = results.Skipped, "Not tried: "+why.Error()+"."
	}
	r, _ := requirements.Default().Get(id)
	if stimulus == "" && len(r.Provoke) > 0 {
		for _, of := range r.Provoke {
			s.observe(id, of.Case, verdict, seen)
		}
		return
	}
	s.observe(id, stimulus, verdict, seen)
}

// blocked says whether an answer shows nothing, since none came, or since the backend was
// away, and keeps that of a case. What did not come in time is none either.
func (s *Scenario) blocked(a fakeexamplatform.Answer, id requirements.ID, stimulus string) bool {
	s.tb.Helper()
	why := s.away(a)
	if why == nil {
		return false
	}
	s.unseen(id, stimulus, why)
	return true
}

// away are the statuses by which servers say that they cannot answer now.
var away = []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// away says why an answer shows nothing; nil where it shows something.
func (s *Scenario) away(a fakeexamplatform.Answer) error {
	var why error
	switch {
	case a.Err != nil:
		why = a.Err
	case a.TooLarge:
		return errors.New("more came than Invigilator reads")
	case slices.Contains(away, a.Status):
		why = fmt.Errorf("the backend answers HTTP %d", a.Status)
	default:
		return nil
	}
	if len(s.trouble) < 20 {
		s.trouble = append(s.trouble, results.Bounded(why.Error(), 500))
	}
	return why
}

// SkipAll keeps that a requirement is about a feature that the backend does not declare.
func (s *Scenario) SkipAll(id requirements.ID) {
	s.tb.Helper()
	r, _ := requirements.Default().Get(id)
	feature := s.run.Undeclared(r)
	if feature == "" {
		return
	}
	says := fmt.Sprintf("The backend does not declare the feature %s.", feature)
	if len(r.Provoke) == 0 {
		s.observe(id, "", results.Skipped, says)
	}
	for _, of := range r.Provoke {
		s.observe(id, of.Case, results.Skipped, says)
	}
}

// bound says whether a requirement binds the backend, and keeps that it does not where it
// needs a feature that is not declared.
func (s *Scenario) bound(id requirements.ID) bool {
	s.tb.Helper()
	r, _ := requirements.Default().Get(id)
	if s.run.Undeclared(r) == "" {
		return true
	}
	s.SkipAll(id)
	return false
}

// Errored keeps that the harness failed before it could judge the requirements.
func (s *Scenario) Errored(ids []requirements.ID, why string) {
	for _, id := range ids {
		s.observe(id, "", results.Errored, why)
	}
}

// judges says whether a verdict says something of the backend.
func judges(v results.Verdict) bool {
	return v == results.Passed || v == results.Failed || v == results.Warned
}

// Settle decides whether what was observed stands, and says whether the scenario is to be
// done again, since the backend was away meanwhile and is back.
func (s *Scenario) Settle(ctx context.Context, again bool) bool {
	rests := slices.ContainsFunc(s.fragment.Observations, func(o results.Observation) bool { return judges(o.Verdict) })
	if len(s.trouble) == 0 && !rests {
		return false
	}
	s.keep()
	s.flow = s.run.begin("whether the backend still works", "")
	wrong := s.run.gone
	if wrong == "" {
		wrong = s.run.works(ctx)
	}
	s.keep()
	switch {
	case wrong == "" && len(s.trouble) == 0:
		return false
	case wrong == "":
		return !again && !s.run.config.Embedded.SkipPreflight
	}
	s.trouble = append(s.trouble, wrong)
	if s.run.gone == "" && s.run.recovers(ctx) {
		if !again && !s.run.config.Embedded.SkipPreflight {
			return true
		}
	} else if s.run.gone == "" {
		s.run.gone = results.Bounded(wrong, 500)
	}
	for i := range s.fragment.Observations {
		if o := &s.fragment.Observations[i]; judges(o.Verdict) {
			o.Verdict = results.Inconclusive
			o.Seen = results.Bounded(fmt.Sprintf("The backend stopped working in the meantime (%s), so this shows nothing: %s", strings.TrimSuffix(wrong, "."), o.Seen), maxSaid)
		}
	}
	return false
}

// Doubts is about agents that see different things: here there is one.
func (s *Scenario) Doubts(bool) []harness.Doubt { return nil }

// Contested says that nothing is: see [Scenario.Doubts].
func (s *Scenario) Contested([]harness.Doubt) bool { return false }

// OnceMore has nothing to add: see [Scenario.Doubts].
func (s *Scenario) OnceMore(doubts []harness.Doubt) []harness.Doubt { return doubts }

// HoldAgainst has nothing to hold: see [Scenario.Doubts].
func (s *Scenario) HoldAgainst([]harness.Doubt, []string) {}

// Drop takes back what was observed, since the scenario is done again, and ends it.
func (s *Scenario) Drop() results.Fragment {
	s.fragment.Observations = nil
	for _, says := range s.trouble {
		s.find("away", says+"; this was tried again when the backend worked")
	}
	return s.Finish()
}

func (s *Scenario) find(kind, says string) {
	flow := ""
	if s.flow != nil {
		flow = s.flow.ID
	}
	s.fragment.Findings = append(s.fragment.Findings, results.Finding{Kind: kind, Says: results.Bounded(says, maxSaid), Scenario: s.text, Flow: flow})
}

// Finish ends the scenario and returns what it adds to the results.
func (s *Scenario) Finish() results.Fragment {
	s.keep()
	if s.run.embedded != nil {
		s.fragment.Consulted = append(s.fragment.Consulted, s.run.embedded.FaultsReached()...)
	}
	wanted := map[string]bool{}
	for i, o := range s.fragment.Observations {
		if s.run.config.Embedded.OnlyVerdicts {
			s.fragment.Observations[i].Flows = []string{}
			continue
		}
		for _, id := range o.Flows {
			wanted[id] = true
		}
	}
	for _, f := range s.fragment.Findings {
		wanted[f.Flow] = true
	}
	maps.DeleteFunc(s.fragment.Flows, func(id string, _ results.Flow) bool { return !wanted[id] })
	return s.fragment
}

// Words that specs are written in.

// learner returns one of whom the backend has never heard.
func (s *Scenario) learner() fakeexamplatform.Learner {
	s.run.learners++
	return fakeexamplatform.Learner{ID: 4700 + s.run.learners, Name: "Ada Lovelace", Email: fmt.Sprintf("ada-%d@example.org", s.run.learners)}
}

// course is the one that exams belong to.
const course = "course-v1:Invigilator+Exams+2025"

// draft is an exam that the backend does not know yet.
func (s *Scenario) draft(practice bool) fakeexamplatform.Exam {
	s.run.exams++
	return fakeexamplatform.Exam{
		ID: 100 + s.run.exams, Course: course, Name: fmt.Sprintf("Exam %d", s.run.exams), Minutes: 60, Practice: practice,
		Content: fmt.Sprintf("block-v1:Invigilator+Exams+2025+type@sequential+block@%d", s.run.exams),
	}
}

// exam creates an exam. The error is why there is none.
func (s *Scenario) exam(ctx context.Context, practice bool) (fakeexamplatform.Exam, error) {
	e := s.draft(practice)
	a := s.run.platform.Save(ctx, e)
	if err := s.away(a); err != nil {
		return e, err
	}
	if e.ExternalID = a.ID(); e.ExternalID == "" || !a.OK() {
		return e, fmt.Errorf("an exam could not be created: the answer is %s, without an id", fakeexamplatform.Describe(a))
	}
	return e, nil
}

// An attempt is one that a learner makes at an exam.
type attempt struct {
	id      string
	exam    fakeexamplatform.Exam
	learner fakeexamplatform.Learner
}

// attempt registers an attempt of a new learner at a new exam: at a practice exam where the
// backend refuses who was not onboarded. The error is why there is none.
func (s *Scenario) attempt(ctx context.Context) (attempt, error) {
	made := attempt{learner: s.learner()}
	for _, practice := range []bool{false, true} {
		var err error
		if made.exam, err = s.exam(ctx, practice); err != nil {
			return made, err
		}
		a := s.run.platform.Register(ctx, made.exam, made.learner)
		if err := s.away(a); err != nil {
			return made, err
		}
		if made.id = a.ID(); made.id != "" && a.OK() {
			return made, nil
		}
		if !practice && a.OK() && a.Text("status") != "" {
			continue // refused until onboarded, whatever the word
		}
		return made, fmt.Errorf("an attempt could not be registered: the answer is %s, without an id", fakeexamplatform.Describe(a))
	}
	return made, errors.New("an attempt could not be registered, not even at a practice exam")
}

// submit starts and submits an attempt. The error is for a backend that is away.
func (s *Scenario) submit(ctx context.Context, a attempt) error {
	for _, status := range []string{edx.StatusStarted, edx.StatusSubmitted} {
		if err := s.away(s.run.platform.Tell(ctx, a.exam.ExternalID, a.id, status)); err != nil {
			return err
		}
	}
	return nil
}
