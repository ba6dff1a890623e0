package harness

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/harness/agent"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// TB is what a scenario needs of the test that it runs in: a way to stop when
// the harness itself has failed. Ginkgo's GinkgoT() and testing.TB have it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// An observer keeps what was observed in a scenario, and the evidence for it.
type observer[F witness] struct {
	base     *base
	tb       TB
	text     string // of the spec
	location string // of the spec, file:line
	fragment results.Fragment
	memory   memory // of parts

	hosts   []string // of the subject
	trouble []trouble
	served  map[part]bool // the parts that were used since they were last seen to work
	lost    bool          // a part has stopped working for good
	moved   bool          // something was seen since a valid launch worked
	proved  int           // so many observations had been made when one worked
	lasting []string      // flows that stay, whatever refers to them

	broken []requirements.ID // of the invariants that a flow did not keep, also where that is told already
}

// A witness is what was seen of a launch, of a tool or of a platform.
type witness interface {
	comparable
	// kept is what the document keeps of it, and its picture.
	kept() (results.Flow, []byte)
	// misread says why nothing can be said of what a check has looked at since it was
	// last asked: its message cannot be read, or is more than the run reads. It is
	// empty where nothing was in the way.
	misread() string
	// breach says whether it shows what is never a matter of good practice alone: a
	// message's script that ran on the subject's own pages, or a browser that was sent to
	// a stranger.
	breach() bool
	// keptWaiting says whether what it stands for keeps the subject waiting itself, so that
	// an answer that does not come in time does not show that the subject was away.
	keptWaiting() bool
}

// Breach is the verdict of a judgement that somebody has got at what is another's, such
// as a session: it fails whatever the level of the requirement, and the weight of the
// stimulus. It becomes [results.Failed] when it is observed, and so does each failure
// that a flow shows to be one.
const Breach results.Verdict = "breach"

// A reading keeps whether a message was read that cannot be: what a check makes of it
// means nothing.
type reading struct{ why string }

// note notes that a message was read.
func (r *reading) note(m Message) Message {
	if m.Problem != "" {
		r.why = m.Problem
	}
	return m
}

// take returns why nothing can be said of what was read since it was last asked.
func (r *reading) take() string {
	why := r.why
	r.why = ""
	if why == "" {
		return ""
	}
	return "The message cannot be read: " + why + "."
}

// tooMuch says that a trip ended because more came than the run reads; empty where it
// did not.
func tooMuch(t *agent.Trip) string {
	if t == nil || t.Ended != agent.TooLarge {
		return ""
	}
	return "More came than Invigilator reads: " + cmp.Or(t.Why, deaths[agent.TooLarge]) + "."
}

// keep adds a witness to the evidence.
func (s *observer[F]) keep(f F) {
	flow, picture := f.kept()
	s.moved = true
	if _, again := s.fragment.Flows[flow.ID]; !again {
		if says := troubleOf(flow, s.hosts); says != "" && (!f.keptWaiting() || flow.Ended != string(agent.TimedOut)) {
			s.away(says, flow.ID)
		}
	}
	if s.base != nil {
		flow, picture = s.base.fit(flow, picture)
	}
	s.fragment.Flows[flow.ID] = flow
	if flow.Page.Screenshot != "" {
		s.fragment.Screenshots[flow.Page.Screenshot] = picture
	}
}

// The bounds of the evidence of a process's part of a run: of its steps, and of its
// pictures. Beyond them only what was asked for is kept, and how it was answered.
const (
	maxEvidence = 64 << 20
	maxPictures = 64 << 20
)

// fit returns what there is room for of a flow and its picture.
func (r *base) fit(flow results.Flow, picture []byte) (results.Flow, []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.evidenceBytes += flow.Size(); r.evidenceBytes > maxEvidence {
		flow = flow.Thin()
		r.thinned++
	}
	if r.pictureBytes += len(picture); r.pictureBytes > maxPictures {
		flow.Page.Screenshot, picture = "", nil
	}
	return flow, picture
}

// emptyFragment is what there is before anything was seen.
func emptyFragment() results.Fragment {
	return results.Fragment{Flows: map[string]results.Flow{}, Screenshots: map[string][]byte{}}
}

// finish returns what the scenario adds to the results: all that was seen, which
// [results.Fragment.Hide] makes fit for a document.
func (s *observer[F]) finish() results.Fragment {
	s.tellGone()
	s.forget()
	for kind, n := range s.base.takeStrangers() { // it may have been finished before a further turn
		if s.fragment.Strangers == nil {
			s.fragment.Strangers = map[string]int{}
		}
		s.fragment.Strangers[kind] += n
	}
	s.fragment.Thinned += s.base.takeThinned()
	if s.base.config.Embedded.OnlyVerdicts {
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
func (s *observer[F]) forget() {
	wanted := map[string]bool{}
	for _, o := range s.fragment.Observations {
		for _, id := range o.Flows {
			wanted[id] = true
		}
	}
	for _, f := range s.fragment.Findings {
		wanted[f.Flow] = true
	}
	for _, id := range s.lasting {
		wanted[id] = true
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

// maxSaid bounds each text that says what was seen: what it quotes is the subject's.
const maxSaid = 4 << 10

// maxFindings bounds what a subject can fill the report with.
const maxFindings = 100

// Tell keeps a finding of a kind, which is no verdict: what it says, and the id of the flow
// that shows it; empty for none.
func (s *observer[F]) Tell(kind, says, flow string) {
	says = results.Bounded(says, maxSaid)
	if slices.ContainsFunc(s.fragment.Findings, func(f results.Finding) bool { return f.Kind == kind && f.Says == says && f.Flow == flow }) {
		return
	}
	switch n := len(s.fragment.Findings); {
	case n > maxFindings:
		return
	case n == maxFindings:
		kind, says, flow = "more", "and more findings than are kept", ""
	}
	s.fragment.Findings = append(s.fragment.Findings, results.Finding{Kind: kind, Says: says, Scenario: s.text, Flow: flow})
}

// Must ends the scenario where the harness itself has failed.
func (s *observer[F]) Must(err error) {
	if err != nil {
		s.tb.Helper()
		s.tb.Fatalf("Invigilator failed: %s", s.base.config.Hide(err.Error()))
	}
}

// Observe keeps a verdict on a requirement or on one stimulus of it. The
// verdict Failed becomes Warned where the requirement is none that a subject
// must keep, or where the stimulus only warns, and Inconclusive where a flow shows that the
// subject took no more requests; but a breach stays one.
func (s *observer[F]) Observe(id requirements.ID, stimulus string, verdict results.Verdict, expected, seen string, flows ...F) {
	s.tb.Helper()
	r, ok := requirements.Default().Get(id)
	if !ok {
		s.tb.Fatalf("no requirement %s in the catalogue", id)
	}
	if expected == "" {
		expected = r.Expect
	}
	expected, seen = results.Bounded(expected, maxSaid), results.Bounded(seen, maxSaid)
	o := results.Observation{
		Requirement: string(id), Case: stimulus, Verdict: verdict, Expected: expected, Seen: seen,
		Scenario: s.text, Location: s.location, Flows: []string{},
	}
	if verdict == results.Failed {
		o.Verdict = Failing(r, stimulus)
	}
	var none F
	grave := verdict == Breach || verdict == results.Failed && slices.ContainsFunc(flows, func(f F) bool { return f != none && f.breach() })
	if grave {
		verdict, o.Verdict = results.Failed, results.Failed
	}
	for _, f := range flows {
		if f == none {
			continue
		}
		flow, _ := f.kept()
		if by := carrierIn(flow); by == results.HTTP || o.Agent == "" {
			o.Agent = by
		}
		if host := limitedIn(flow, s.hosts); host != "" && verdict == results.Failed && !grave && o.Verdict != results.Inconclusive {
			o.Verdict = results.Inconclusive
			o.Seen = results.Bounded(fmt.Sprintf("%s has had too many requests (HTTP 429), so this shows nothing: %s Look at its limit, and %s.", host, o.Seen, raiseLimit), maxSaid)
		}
		if why := f.misread(); why != "" && slices.Contains([]results.Verdict{results.Passed, results.Failed, results.Warned}, verdict) {
			o.Verdict, o.Seen = results.Inconclusive, results.Bounded(why, maxSaid)
		}
		if !slices.Contains(o.Flows, flow.ID) {
			o.Flows = append(o.Flows, flow.ID)
		}
	}
	if o.Agent == results.HTTP && s.base.agent != s.base.plain {
		o.Agent = results.Both
	}
	o.AfterNullPeer = s.base.takenOver.shows(o)
	s.fragment.Observations = append(s.fragment.Observations, o)
}

// carrierIn is the agent that carried a flow; empty where none did.
func carrierIn(flow results.Flow) results.AgentKind {
	for _, step := range flow.Steps {
		switch by, _, _ := strings.Cut(step.SeenBy, ","); by {
		case "browser":
			return results.Browser
		case "http agent":
			return results.HTTP
		}
	}
	return ""
}

// Failed says whether the scenario has observed that a requirement is not kept, or one of
// its flows has shown it, which the run has told often enough already.
func (s *observer[F]) Failed(id requirements.ID) bool {
	return slices.Contains(s.broken, id) || slices.ContainsFunc(s.fragment.Observations, func(o results.Observation) bool {
		return o.Requirement == string(id) && (o.Verdict == results.Failed || o.Verdict == results.Warned)
	})
}

// Withhold keeps that the user does not let the run try a stimulus.
func (s *observer[F]) Withhold(id requirements.ID, stimulus, why string, flows ...F) {
	s.tb.Helper()
	s.Observe(id, stimulus, results.Skipped, "", why, flows...)
	s.fragment.Observations[len(s.fragment.Observations)-1].Withheld = true
}

// unseen keeps why a stimulus could not be judged.
func (s *observer[F]) unseen(id requirements.ID, stimulus string, why error, flows ...F) {
	s.tb.Helper()
	s.Observe(id, stimulus, results.Inconclusive, "", "Not seen: "+why.Error()+".", flows...)
	s.fragment.Observations[len(s.fragment.Observations)-1].NeedsBrowser = errors.Is(why, agent.ErrNeedsBrowser)
}

// Failing is the verdict on a requirement that is not kept, as a stimulus shows: Warned where
// it is none that a subject must keep, or where the stimulus only warns.
func Failing(r requirements.Requirement, stimulus string) results.Verdict {
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
func (s *observer[F]) Check(id requirements.ID, stimulus string, holds bool, expected, seen string, flows ...F) {
	s.tb.Helper()
	verdict := results.Failed
	if holds {
		verdict = results.Passed
	}
	s.Observe(id, stimulus, verdict, expected, seen, flows...)
}

// Undeclared returns the first feature that a requirement needs and the subject
// does not declare; empty where it declares them all.
func (s *observer[F]) Undeclared(id requirements.ID) string {
	r, _ := requirements.Default().Get(id)
	return s.base.Undeclared(r)
}

// Skip keeps that a stimulus is about a feature that the subject does not declare,
// and says whether that is so.
func (s *observer[F]) Skip(id requirements.ID, stimulus, feature string) bool {
	s.tb.Helper()
	if s.base.Has(feature) {
		return false
	}
	s.Observe(id, stimulus, results.Skipped, "", fmt.Sprintf("The %s does not declare the feature %s.", s.base.config.Side, feature))
	return true
}

// Unbound keeps that a stimulus needs a feature that the subject does not declare,
// which those of its requirement do not, and says whether that is so.
func (s *observer[F]) Unbound(id requirements.ID, stimulus string) bool {
	s.tb.Helper()
	r, _ := requirements.Default().Get(id)
	of, _ := r.Stimulus(stimulus)
	return of.Feature != "" && s.Skip(id, stimulus, of.Feature)
}

// SkipAll keeps that a requirement is about a feature that the subject does not
// declare.
func (s *observer[F]) SkipAll(id requirements.ID) {
	s.tb.Helper()
	r, _ := requirements.Default().Get(id)
	feature := s.base.Undeclared(r)
	if feature == "" {
		return
	}
	if len(r.Provoke) == 0 {
		s.Skip(id, "", feature)
	}
	for _, stimulus := range r.Provoke {
		s.Skip(id, stimulus.Case, feature)
	}
}

// Errored keeps that the harness failed before it could judge the requirements
// that the scenario is about. Stimuli that were judged keep their verdicts.
func (s *observer[F]) Errored(ids []requirements.ID, why string) {
	for _, id := range ids {
		s.Observe(id, "", results.Errored, "", why)
	}
}
