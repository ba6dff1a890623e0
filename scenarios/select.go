package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A linkedSpec is one of those that the program has been linked with.
type linkedSpec struct {
	text   string
	labels []string
}

var linked = sync.OnceValue(func() []linkedSpec {
	var specs []linkedSpec
	for _, spec := range PreviewSpecs("Invigilator").SpecReports {
		specs = append(specs, linkedSpec{spec.FullText(), spec.Labels()})
	}
	return specs
})

// Covered returns the requirements that the linked specs check, with the text
// of the specs that do.
var Covered = sync.OnceValue(func() map[requirements.ID][]string {
	covered := map[requirements.ID][]string{}
	for _, spec := range linked() {
		for _, id := range named(spec.labels) {
			covered[id] = append(covered[id], spec.text)
		}
	}
	return covered
})

// named returns the requirements among the labels of a spec; Ginkgo adds labels
// of its own.
func named(labels []string) []requirements.ID {
	var ids []requirements.ID
	for _, label := range labels {
		if _, ok := requirements.Default().Get(requirements.ID(label)); ok {
			ids = append(ids, requirements.ID(label))
		}
	}
	return ids
}

// certification is the label of what the certification suite of 1EdTech is known to try.
const certification = "certification"

// labelsOf are the labels of a requirement: its id, the side that it binds, its level, its
// profile, and whether the certification suite tries it.
func labelsOf(r requirements.Requirement) []string {
	labels := []string{string(r.ID), string(r.Binds), string(r.Level), r.Profile}
	if r.Certification {
		labels = append(labels, certification)
	}
	return labels
}

// ofRequirements are all labels that requirements have.
var ofRequirements = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, r := range requirements.Default().All() {
		for _, label := range labelsOf(r) {
			all[label] = true
		}
	}
	return all
})

// sideFilter selects the specs of the configured side, which the program may not
// have been linked with alone, and of those the ones that are asked for.
func sideFilter(c config.Config) string {
	filter := string(c.Side)
	if narrow := anyOf(idsOf(c.Requirements, requirements.Default().Named), idsOf(c.Sections, requirements.Default().In), c.Profiles, query(c)); narrow != "" {
		filter += " && " + narrow
	}
	if c.Shard != "" {
		filter += " && " + anyOf(append(idsOfShard(c), "no-requirement"))
	}
	return filter
}

// idsOfShard are the requirements that the configured shard of a run judges. Those that one
// scenario judges together are together, so that no verdict rests on several shards; such
// groups come in the order of the catalogue, each into the shard that has the fewest
// scenarios so far. The split depends on what the run selects, and on nothing else.
func idsOfShard(c config.Config) []string {
	shard, err := config.ParseShard(c.Shard)
	if err != nil {
		return nil
	}
	groups := groupsOf(c.Side)
	specs := map[requirements.ID]int{} // by the group
	for _, spec := range linked() {
		if ids := named(spec.labels); len(ids) > 0 {
			specs[groups[ids[0]]]++
		}
	}
	in, load := map[requirements.ID]int{}, make([]int, shard.Of)
	var ids []string
	for _, r := range selectedBy(unsplit(c)) {
		group := groups[r.ID]
		if _, is := in[group]; !is {
			in[group] = slices.Index(load, slices.Min(load))
			load[in[group]] += specs[group]
		}
		if in[group] == shard.Index-1 {
			ids = append(ids, string(r.ID))
		}
	}
	return ids
}

// groupsOf names for each requirement of a side the group of those that are judged together.
func groupsOf(side config.Side) map[requirements.ID]requirements.ID {
	group := map[requirements.ID]requirements.ID{}
	for _, spec := range linked() {
		if !slices.Contains(spec.labels, string(side)) {
			continue
		}
		ids := named(spec.labels)
		for _, id := range ids {
			if group[id] == "" {
				group[id] = id
			}
		}
		for _, id := range ids {
			from, to := group[id], group[ids[0]]
			for member, of := range group {
				if of == from {
					group[member] = to
				}
			}
		}
	}
	return group
}

// unsplit is the configuration of the whole run that a shard is a part of.
func unsplit(c config.Config) config.Config {
	c.Shard = ""
	return c
}

// shardOf says which part of the run the configured one is; nil where it is all of it.
func shardOf(c config.Config) *results.Shard {
	shard, err := config.ParseShard(c.Shard)
	if err != nil || shard.Of == 0 {
		return nil
	}
	own, elsewhere := idsOfShard(c), []string{}
	for _, r := range selectedBy(unsplit(c)) {
		if !slices.Contains(own, string(r.ID)) {
			elsewhere = append(elsewhere, string(r.ID))
		}
	}
	return &results.Shard{Index: shard.Index, Of: shard.Of, Elsewhere: elsewhere}
}

// idsOf are those of the requirements that each name of a list stands for.
func idsOf(names []string, standsFor func(string) []requirements.Requirement) []string {
	var ids []string
	for _, name := range names {
		found := standsFor(name)
		if len(found) == 0 { // a name that nothing has, so that it does not select everything
			ids = append(ids, "no-requirement")
		}
		for _, r := range found {
			ids = append(ids, string(r.ID))
		}
	}
	return ids
}

// query is the user's own label query, where there is one.
func query(c config.Config) []string {
	if strings.TrimSpace(c.Filter) == "" {
		return nil
	}
	return []string{c.Filter}
}

// anyOf is the filter that selects what has a label of each list, but for the empty ones;
// empty where all are.
func anyOf(lists ...[]string) string {
	var filters []string
	for _, labels := range lists {
		if len(labels) > 0 {
			filters = append(filters, "("+strings.Join(labels, " || ")+")")
		}
	}
	return strings.Join(filters, " && ")
}

// narrowedTo is what a label filter says beyond the side.
func narrowedTo(filter string) string {
	switch filter {
	case string(settings.Side):
		return ""
	case sideFilter(settings):
		return anyOf(settings.Requirements, settings.Sections, settings.Profiles, query(settings))
	default:
		return filter
	}
}

// selects says whether a filter selects a requirement: one of its specs, and that for the
// sake of its own labels, not of those of another requirement that the spec judges, too.
func selects(matches func([]string) bool, r requirements.Requirement) bool {
	return slices.ContainsFunc(linked(), func(spec linkedSpec) bool {
		if !slices.Contains(spec.labels, string(r.ID)) || !matches(spec.labels) {
			return false
		}
		own := slices.DeleteFunc(slices.Clone(spec.labels), func(label string) bool { return ofRequirements()[label] })
		return matches(append(own, labelsOf(r)...))
	})
}

// selection returns the requirements that the run was to judge, and those that
// bind the subject and that no spec covers.
func selection(report Report) (selected, notCovered []requirements.Requirement) {
	config := report.SuiteConfig
	narrowed := len(config.FocusStrings)+len(config.SkipStrings)+len(config.FocusFiles)+len(config.SkipFiles) > 0
	ran := map[string]bool{}
	for _, spec := range report.SpecReports {
		for _, label := range spec.Labels() {
			ran[label] = ran[label] || !passedOver(spec)
		}
	}
	matches, err := types.ParseLabelFilter(config.LabelFilter)
	if err != nil {
		matches = func([]string) bool { return true }
	}
	for _, r := range requirements.Default().Select(func(r requirements.Requirement) bool { return string(r.Binds) == string(settings.Side) }) {
		switch {
		case covers[r.ID] == nil:
			notCovered = append(notCovered, r)
		case selects(matches, r) && (!narrowed || ran[string(r.ID)]):
			selected = append(selected, r)
		}
	}
	return selected, notCovered
}

// CheckSelection finds ids, sections and queries that no linked spec would answer to, since
// a run that judges nothing must not look like one that found nothing.
func CheckSelection(c config.Config) error {
	covered := Covered()
	var problems []error
	for _, list := range []struct {
		key       string
		names     []string
		standsFor func(string) []requirements.Requirement
	}{
		{"requirements", c.Requirements, requirements.Default().Named}, {"require", c.Require, requirements.Default().Named},
		{"sections", c.Sections, requirements.Default().In},
	} {
		for _, name := range list.names {
			if !slices.ContainsFunc(list.standsFor(name), func(r requirements.Requirement) bool {
				return string(r.Binds) == string(c.Side) && covered[r.ID] != nil
			}) {
				problems = append(problems, fmt.Errorf("%s: no scenario of this version checks %s", list.key, name))
			}
		}
	}
	for _, filter := range query(c) {
		if _, err := types.ParseLabelFilter(filter); err != nil {
			problems = append(problems, fmt.Errorf("filter: %q is no label query: %w", filter, err))
		}
	}
	if len(problems) == 0 && c.Shard != "" && len(idsOfShard(c)) == 0 && len(selectedBy(unsplit(c))) > 0 {
		problems = append(problems, fmt.Errorf("shard: nothing is left for %s, since what is to be judged has fewer parts that can be judged apart", c.Shard))
	}
	if len(problems) == 0 && len(selectedBy(c)) == 0 {
		problems = append(problems, fmt.Errorf("filter: nothing that binds a %s has all of %s", c.Side, anyOf(c.Requirements, c.Sections, c.Profiles, query(c))))
	}
	return errors.Join(problems...)
}

// selectedBy are the requirements that a configuration selects, of those that the linked
// specs check.
func selectedBy(c config.Config) []requirements.Requirement {
	matches, err := types.ParseLabelFilter(sideFilter(c))
	if err != nil {
		return nil
	}
	return requirements.Default().Select(func(r requirements.Requirement) bool {
		return string(r.Binds) == string(c.Side) && Covered()[r.ID] != nil && selects(matches, r)
	})
}
