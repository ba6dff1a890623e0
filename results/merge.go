package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/requirements"
)

// Merge puts the documents of the shards of a run together into that of the whole run: the
// same rows with the same verdicts as if it had not been split. What is missing was not
// judged, so that such a run is not conformant. The error is for documents that are no
// shards of one run. The gate is left to the caller.
func Merge(shards []Document) (Document, error) {
	if err := mergeable(shards); err != nil {
		return Document{}, err
	}
	shards = slices.SortedFunc(slices.Values(shards), func(a, b Document) int { return cmp.Compare(a.Run.Shard.Index, b.Run.Shard.Index) })
	run := shards[0].Run
	run.Merged, run.Shard, run.Seconds, run.Processes = run.Shard.Of, nil, 0, 0
	here, of := map[string]bool{}, map[string]bool{}
	var fragments []Fragment
	told := map[Finding]bool{}
	for _, doc := range shards {
		run.Seconds, run.Processes = run.Seconds+doc.Run.Seconds, run.Processes+doc.Run.Processes
		if doc.Run.Started.Before(run.Started) {
			run.Started = doc.Run.Started
		}
		for _, id := range ownOf(doc) {
			here[id], of[id] = true, true
		}
		for _, id := range doc.Run.Shard.Elsewhere {
			of[id] = true
		}
		fragments = append(fragments, doc.fragment(fmt.Sprintf("s%d-", doc.Run.Shard.Index), told))
	}
	catalogue := requirements.Default()
	selected := catalogue.Select(func(r requirements.Requirement) bool { return of[string(r.ID)] })
	notCovered := catalogue.Select(func(r requirements.Requirement) bool {
		return slices.ContainsFunc(shards[0].NotCovered, func(u Uncovered) bool { return u.ID == string(r.ID) })
	})
	doc := Assemble(run, mergedDiagnosis(shards, selected, here), selected, notCovered, fragments)
	for _, shard := range shards {
		for id, faults := range shard.Consulted {
			if doc.Consulted == nil {
				doc.Consulted = map[string][]string{}
			}
			doc.Consulted[id] = slices.Compact(slices.Sorted(slices.Values(slices.Concat(doc.Consulted[id], faults))))
		}
	}
	return doc, nil
}

// ownOf are the requirements that a shard was to judge.
func ownOf(doc Document) []string {
	var ids []string
	for _, r := range doc.Requirements {
		if !slices.Contains(doc.Run.Shard.Elsewhere, r.ID) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// mostShards bounds what a document may claim.
const mostShards = 1000

// mergeable says why documents are no shards of one run.
func mergeable(shards []Document) error {
	if len(shards) == 0 {
		return fmt.Errorf("there is nothing to merge")
	}
	var whole []string
	seen := map[int]bool{}
	for i, doc := range shards {
		s, first := doc.Run.Shard, shards[0].Run
		if s == nil || s.Index < 1 || s.Of < s.Index || s.Of > mostShards {
			return fmt.Errorf("document %d is of no shard: run it with --shard", i+1)
		}
		for _, same := range []struct{ what, a, b string }{
			{"split", fmt.Sprint(first.Shard.Of), fmt.Sprint(s.Of)}, {"version of Invigilator", first.Version, doc.Run.Version},
			{"subject", first.Subject.Side + " " + first.Subject.Name, doc.Run.Subject.Side + " " + doc.Run.Subject.Name},
			{"faults of the subject", fmt.Sprint(first.Subject.Faults), fmt.Sprint(doc.Run.Subject.Faults)},
			{"selection", first.Only, doc.Run.Only}, {"agent", string(first.Agent.Kind), string(doc.Run.Agent.Kind)},
		} {
			if same.a != same.b && (same.what != "agent" || same.a != "" && same.b != "") { // a run that could not begin has none
				return fmt.Errorf("documents 1 and %d are shards of different runs: another %s (%s, %s)", i+1, same.what, Bounded(oneLine(same.a), 100), Bounded(oneLine(same.b), 100))
			}
		}
		if seen[s.Index] {
			return fmt.Errorf("shard %d of %d is there twice", s.Index, s.Of)
		}
		seen[s.Index] = true
		all := slices.Sorted(slices.Values(slices.Concat(ownOf(doc), s.Elsewhere)))
		if whole == nil {
			whole = all
		}
		if !slices.Equal(whole, all) {
			return fmt.Errorf("documents 1 and %d are shards of different runs: they were to judge other requirements", i+1)
		}
	}
	return nil
}

// fragment is what a document has seen. The ids of its flows get a prefix, and findings that
// an earlier shard has told are left out.
func (d Document) fragment(prefix string, told map[Finding]bool) Fragment {
	f := Fragment{Flows: map[string]Flow{}, Screenshots: d.Screenshots, Carriers: d.Run.Carriers}
	for _, r := range d.Requirements {
		for _, o := range r.Observations {
			o.Requirement, o.Flows = r.ID, slices.Clone(o.Flows)
			for i := range o.Flows {
				o.Flows[i] = prefix + o.Flows[i]
			}
			f.Observations = append(f.Observations, o)
		}
	}
	for _, found := range d.Findings {
		if key := (Finding{Kind: found.Kind, Says: found.Says, Scenario: found.Scenario}); told[key] {
			continue
		} else {
			told[key] = true
		}
		if found.Flow != "" {
			found.Flow = prefix + found.Flow
		}
		f.Findings = append(f.Findings, found)
	}
	for id, flow := range maps.All(d.Flows) {
		flow.ID = prefix + id
		f.Flows[flow.ID] = flow
	}
	return f
}

// mergedDiagnosis says why a part of a split run could not be judged; nil where all was.
func mergedDiagnosis(shards []Document, selected []requirements.Requirement, here map[string]bool) *Diagnosis {
	var merged *Diagnosis
	var problems []string
	add := func(d Diagnosis, problem string, profiles []string) {
		problems = append(problems, problem)
		if merged == nil {
			merged = &d
			merged.Profiles = nil
		}
		merged.Profiles = append(merged.Profiles, profiles...)
	}
	of, there, wholes := shards[0].Run.Shard.Of, map[int]bool{}, 0
	for _, doc := range shards {
		there[doc.Run.Shard.Index] = true
		if doc.Diagnosis == nil {
			continue
		}
		profiles := slices.Clone(doc.Diagnosis.Profiles)
		if !doc.Diagnosis.Partial() {
			wholes++
			for _, r := range doc.Requirements {
				profiles = append(profiles, r.Profile)
			}
		}
		d := *doc.Diagnosis
		if d.FlowID != "" {
			d.FlowID = fmt.Sprintf("s%d-%s", doc.Run.Shard.Index, d.FlowID)
		}
		add(d, fmt.Sprintf("Shard %d of %d: %s", doc.Run.Shard.Index, of, d.Problem), profiles)
	}
	var lost []string
	for _, r := range selected {
		if !here[string(r.ID)] {
			lost = append(lost, r.Profile)
		}
	}
	for i := 1; i <= of; i++ {
		if !there[i] {
			add(Diagnosis{LookAt: "The job that was to make it."}, fmt.Sprintf("Shard %d of %d is missing.", i, of), lost)
		}
	}
	if merged == nil {
		return nil
	}
	merged.Problem = strings.Join(slices.Compact(problems), " ")
	slices.Sort(merged.Profiles)
	merged.Profiles = slices.Compact(merged.Profiles)
	if wholes == len(shards) { // nothing was judged at all
		merged.Profiles = nil
	}
	return merged
}
