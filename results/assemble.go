package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/requirements"
)

// A Fragment is what one spec adds to the document.
type Fragment struct {
	Observations []Observation     `json:"observations"`
	Findings     []Finding         `json:"findings"`
	Flows        map[string]Flow   `json:"flows"`
	Screenshots  map[string][]byte `json:"screenshots"`
	// Strangers are requests that came to where the run listens and have nothing to do
	// with it, by what they asked for.
	Strangers map[string]int `json:"strangers,omitempty"`
	// Thinned is of how many flows headers and bodies were left out for want of room.
	Thinned int `json:"thinned,omitempty"`
	// Consulted are the faults of the embedded fake tool that would have made a
	// difference to what the spec saw.
	Consulted []string `json:"consulted,omitempty"`
	// Carriers are what was shown of kinds of flow.
	Carriers []Carrier `json:"carriers,omitempty"`
}

// Assemble makes the document of a run from the fragments of its specs.
// Selected are the requirements that the run was to judge; notCovered those
// that bind the subject and that no scenario checks. A selected requirement,
// or one of its stimuli, that nothing was observed of is inconclusive.
func Assemble(run Run, diagnosis *Diagnosis, selected, notCovered []requirements.Requirement, fragments []Fragment) Document {
	diagnosis = diagnosis.bounded()
	doc := Document{
		Schema: Schema, Run: run, Diagnosis: diagnosis,
		Requirements: []Requirement{}, NotCovered: []Uncovered{}, Findings: []Finding{}, Profiles: []Profile{},
		Flows: map[string]Flow{}, Screenshots: map[string][]byte{},
	}
	byRequirement, apart := map[string][]Observation{}, map[string]string{}
	doc.Run.Carriers = carriers(fragments)
	for _, c := range doc.Run.Carriers {
		for _, profile := range c.Profiles {
			if c.Agent == Browser {
				apart[profile] = c.Why
			}
		}
	}
	strangers, thinned := map[string]int{}, 0
	for _, f := range fragments {
		for _, o := range f.Observations {
			if r, _ := requirements.Default().Get(requirements.ID(o.Requirement)); run.Agent.Kind == Auto {
				o = o.doubted(apart[r.Profile])
			}
			o.Seen, o.Expected = Bounded(o.Seen, maxText), Bounded(o.Expected, maxText)
			byRequirement[o.Requirement] = append(byRequirement[o.Requirement], o)
		}
		for _, found := range f.Findings {
			found.Says = Bounded(found.Says, maxText)
			doc.Findings = append(doc.Findings, found)
		}
		doc.consulted(f)
		thinned += f.Thinned
		for kind, n := range f.Strangers {
			strangers[kind] += n
		}
		maps.Copy(doc.Flows, f.Flows)
		maps.Copy(doc.Screenshots, f.Screenshots)
	}
	if thinned += doc.fit(); thinned > 0 {
		doc.Findings = append(doc.Findings, Finding{Kind: "evidence-left-out", Says: fmt.Sprintf(
			"Of %d flows headers, bodies and pages were left out: the run has more evidence than a report holds.", thinned)})
	}
	if len(strangers) > 0 {
		doc.Findings = append(doc.Findings, Finding{Kind: "strangers", Says: tellStrangers(strangers)})
	}
	slices.SortStableFunc(doc.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Says, b.Says), cmp.Compare(a.Flow, b.Flow))
	})
	for _, r := range selected {
		doc.Requirements = append(doc.Requirements, judged(r, byRequirement[string(r.ID)], diagnosis))
	}
	doc.besides(byRequirement)
	for _, r := range notCovered {
		doc.NotCovered = append(doc.NotCovered, Uncovered{ID: string(r.ID), Profile: r.Profile, Level: string(r.Level), Statement: r.Statement})
	}
	doc.Profiles = profiles(doc.Requirements, doc.NotCovered)
	doc.Outcome, doc.Because = outcome(doc.Requirements)
	if run.Shard != nil {
		doc.Because = fmt.Sprintf("Shard %d of %d: %s", run.Shard.Index, run.Shard.Of, doc.Because)
	}
	// What failed beside a part that could not be judged has failed all the same.
	if diagnosis != nil && (!diagnosis.Partial() || doc.Outcome != NotConformant) {
		doc.Outcome, doc.Because = Unusable, diagnosis.Problem
	}
	for i, p := range doc.Profiles {
		if diagnosis.Concerns(p.Name) && (!diagnosis.Partial() || p.Outcome != NotConformant) {
			doc.Profiles[i].Outcome, doc.Profiles[i].Because = Unusable, diagnosis.Problem
		}
	}
	return doc
}

// besides adds what a shard has seen on the way of requirements that another one judges:
// what does not pass counts wherever it is seen.
func (d *Document) besides(byRequirement map[string][]Observation) {
	if d.Run.Shard == nil {
		return
	}
	for _, id := range d.Run.Shard.Elsewhere {
		r, known := requirements.Default().Get(requirements.ID(id))
		seen := slices.DeleteFunc(slices.Clone(byRequirement[id]), func(o Observation) bool { return o.Verdict == Passed || o.Verdict == Skipped })
		if known && len(seen) > 0 {
			r.Provoke = slices.DeleteFunc(slices.Clone(r.Provoke), func(s requirements.Stimulus) bool { // the other shard tries them
				return !slices.ContainsFunc(seen, func(o Observation) bool { return o.Case == s.Case })
			})
			d.Requirements = append(d.Requirements, judged(r, seen, d.Diagnosis))
		}
	}
	place := map[string]int{}
	for i, r := range requirements.Default().All() {
		place[string(r.ID)] = i
	}
	slices.SortStableFunc(d.Requirements, func(a, b Requirement) int { return cmp.Compare(place[a.ID], place[b.ID]) })
}

// carriers puts together what the processes of a run have shown of each kind of flow: plain
// HTTP carries one only where nothing has shown otherwise.
func carriers(fragments []Fragment) []Carrier {
	var all []Carrier
	for _, f := range fragments {
		all = append(all, f.Carriers...)
	}
	slices.SortStableFunc(all, func(a, b Carrier) int {
		return cmp.Or(cmp.Compare(a.Flows, b.Flows), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Why, b.Why)) // the browser comes first
	})
	return slices.CompactFunc(all, func(a, b Carrier) bool { return a.Flows == b.Flows })
}

// doubted is an observation that no longer passes where plain HTTP alone has seen it, and the
// subject is known to tell the agents apart, as why says; empty where it is not.
func (o Observation) doubted(why string) Observation {
	if why != "" && o.Agent == HTTP && o.Verdict == Passed {
		o.Verdict = Inconclusive
		o.Seen = fmt.Sprintf("Seen over plain HTTP alone, which says nothing of what a browser sees, since %s. Judge it with the agent browser. %s", why, o.Seen)
	}
	return o
}

// maxDocument bounds the evidence of a document, in bytes.
const maxDocument = 96 << 20

// fit makes flows thin where all are more than a document holds, the largest first,
// and returns how many.
func (d *Document) fit() (thinned int) {
	total := 0
	for _, flow := range d.Flows {
		total += flow.Size()
	}
	if total <= maxDocument {
		return 0
	}
	ids := slices.SortedFunc(maps.Keys(d.Flows), func(a, b string) int {
		return cmp.Or(cmp.Compare(d.Flows[b].Size(), d.Flows[a].Size()), cmp.Compare(a, b))
	})
	for _, id := range ids {
		if total <= maxDocument {
			break
		}
		thin := d.Flows[id].Thin()
		total += thin.Size() - d.Flows[id].Size()
		d.Flows[id] = thin
		thinned++
	}
	return thinned
}

// maxText bounds each text of a document that says what was seen.
const maxText = 8 << 10

// bounded returns a diagnosis that quotes no more than a document holds.
func (d *Diagnosis) bounded() *Diagnosis {
	if d == nil {
		return nil
	}
	b := *d
	for _, text := range []*string{&b.Problem, &b.Step, &b.Sent, &b.Seen, &b.LookAt} {
		*text = Bounded(*text, maxText)
	}
	return &b
}

// maxToldKinds is how many kinds of strangers' requests are told one by one.
const maxToldKinds = 5

// tellStrangers says how many requests of strangers there were, and which were the most.
func tellStrangers(strangers map[string]int) string {
	total, told := 0, []string{}
	for _, n := range strangers {
		total += n
	}
	kinds := slices.SortedFunc(maps.Keys(strangers), func(a, b string) int {
		return cmp.Or(cmp.Compare(strangers[b], strangers[a]), cmp.Compare(a, b))
	})
	for _, kind := range kinds[:min(len(kinds), maxToldKinds)] {
		told = append(told, fmt.Sprintf("%d %s", strangers[kind], kind))
	}
	if len(kinds) > maxToldKinds {
		told = append(told, "and more")
	}
	return fmt.Sprintf("%d requests of strangers came to where the run listens, and count for nothing: %s.", total, strings.Join(told, ", "))
}

// consulted keeps which faults mattered to the requirements of a fragment; what
// belongs to no spec matters to all of them, and is kept under no name.
func (d *Document) consulted(f Fragment) {
	if len(f.Consulted) == 0 {
		return
	}
	if d.Consulted == nil {
		d.Consulted = map[string][]string{}
	}
	ids := map[string]bool{}
	for _, o := range f.Observations {
		ids[o.Requirement] = true
	}
	if len(ids) == 0 {
		ids[""] = true
	}
	for id := range ids {
		d.Consulted[id] = slices.Compact(slices.Sorted(slices.Values(slices.Concat(d.Consulted[id], f.Consulted))))
	}
}

// judged puts a requirement together with what was observed of it.
func judged(r requirements.Requirement, observations []Observation, diagnosis *Diagnosis) Requirement {
	tried := map[string]bool{}
	for i := range observations {
		tried[observations[i].Case] = true
		if stimulus, ok := r.Stimulus(observations[i].Case); ok {
			observations[i].Stimulus = stimulus.Does
		}
	}
	missing := func(name, does string) Observation {
		why := "No scenario came as far as judging this."
		if diagnosis.Concerns(r.Profile) {
			why = "Not tried: " + diagnosis.Problem
		}
		return Observation{
			Requirement: string(r.ID), Case: name, Stimulus: does, Verdict: Inconclusive,
			Expected: r.Expect, Seen: why, Flows: []string{},
		}
	}
	for _, stimulus := range r.Provoke {
		if !tried[stimulus.Case] {
			observations = append(observations, missing(stimulus.Case, stimulus.Does))
		}
	}
	if len(observations) == 0 {
		observations = []Observation{missing("", "")}
	}
	order := func(o Observation) int {
		return slices.IndexFunc(r.Provoke, func(s requirements.Stimulus) bool { return s.Case == o.Case })
	}
	slices.SortStableFunc(observations, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Location, b.Location))
	})
	observations = slices.CompactFunc(observations, func(a, b Observation) bool { // several specs skip it for one reason
		return a.Verdict == Skipped && b.Verdict == Skipped && a.Case == b.Case && a.Seen == b.Seen
	})
	verdicts := make([]Verdict, len(observations))
	for i, o := range observations {
		verdicts[i] = o.Verdict
	}
	return Requirement{
		ID: string(r.ID), Profile: r.Profile, Level: string(r.Level), Binds: string(r.Binds),
		Source: r.Source.Title, Section: r.Section, Link: r.Link, Statement: r.Statement, Expect: r.Expect,
		Verdict: Worst(verdicts...), Observations: observations,
	}
}

func profiles(judged []Requirement, uncovered []Uncovered) []Profile {
	var names []string
	for _, r := range judged {
		names = append(names, r.Profile)
	}
	slices.Sort(names)
	list := []Profile{}
	for _, name := range slices.Compact(names) {
		own := slices.DeleteFunc(slices.Clone(judged), func(r Requirement) bool { return r.Profile != name })
		p := Profile{Name: name, Tally: map[Verdict]int{}, Total: len(own)}
		for _, r := range own {
			p.Tally[r.Verdict]++
		}
		for _, u := range uncovered {
			if u.Profile == name {
				p.NotCovered++
			}
		}
		p.Outcome, p.Because = outcome(own)
		list = append(list, p)
	}
	return list
}

// outcome sums up requirements: what is required is every MUST. A skipped
// requirement is about a feature that the subject does not have, and binds it
// not; but what the run was not allowed to try has not been shown.
func outcome(judged []Requirement) (Outcome, string) {
	count := map[Verdict]int{}
	notShown, withheld := 0, 0
	for _, r := range judged {
		count[r.Verdict]++
		if r.Level != string(requirements.Must) {
			continue
		}
		switch {
		case r.Verdict == Inconclusive:
			notShown++
		case slices.ContainsFunc(r.Observations, func(o Observation) bool { return o.Withheld }):
			withheld++
		}
	}
	skipped := ""
	if n := count[Skipped]; n > 0 {
		skipped = fmt.Sprintf(" %d skipped: a feature is not declared, it would take too long, or nothing may be written.", n)
	}
	switch total := len(judged) - count[Skipped]; {
	case total == 0 && withheld > 0:
		return NotShown, fmt.Sprintf("Nothing was judged: %d required were not tried, for nothing may be written.", withheld)
	case total == 0 && count[Skipped] > 0:
		return NotShown, "Nothing was judged but features that are not declared."
	case total == 0:
		return Unusable, "Nothing was judged."
	case count[Failed] > 0:
		return NotConformant, fmt.Sprintf("%d of %d requirements failed.", count[Failed], total) + skipped
	case count[Errored] > 0:
		return Unusable, fmt.Sprintf("The harness could not judge %d of %d requirements.", count[Errored], total) + skipped
	case notShown > 0:
		return NotShown, fmt.Sprintf("%d required of %d requirements could not be shown.", notShown, total) + skipped
	case withheld > 0:
		return NotShown, fmt.Sprintf("%d required of %d requirements were not tried, for nothing may be written.", withheld, len(judged)) + skipped
	case count[Passed]+count[Warned] == 0:
		return NotShown, fmt.Sprintf("Nothing was shown of %d requirements.", total) + skipped
	case count[Warned] > 0:
		return Conformant, fmt.Sprintf("None of %d requirements failed; %d warn.", total, count[Warned]) + skipped
	case count[Inconclusive] > 0:
		return Conformant, fmt.Sprintf("None of %d requirements failed; %d that are only recommended were not shown.", total, count[Inconclusive]) + skipped
	case total == 1:
		return Conformant, "The requirement passed." + skipped
	default:
		return Conformant, fmt.Sprintf("All %d requirements passed.", total) + skipped
	}
}
