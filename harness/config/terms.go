package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/spelling"
)

// Failures are what may turn a run red: see [Config.FailOn].
var Failures = []string{string(results.Failed), string(results.Warned), string(results.Inconclusive), Findings}

// Findings is what a run tells of its subject beside the verdicts.
const Findings = "findings"

// termKeys are what turns a run red, or narrows it. An empty value, as of a variable that is
// not set, must not take that away.
var termKeys = []string{"fail_on", "require", "baseline", "sections", "filter", "shard"}

const emptyTerm = "is given but empty: give it a value, or leave it out"

// checkTerms finds what is wrong with what narrows a run, and with what turns it red.
func (c Config) checkTerms(p *problems) {
	for i, id := range c.Requirements {
		c.checkID(p, fmt.Sprintf("requirements.%d", i), id)
	}
	for i, id := range c.Require {
		c.checkID(p, fmt.Sprintf("require.%d", i), id)
	}
	if _, err := ParseShard(c.Shard); err != nil {
		p.add("shard", "%s", err)
	}
	for i, section := range c.Sections {
		c.checkSection(p, fmt.Sprintf("sections.%d", i), section)
	}
	for i, what := range c.FailOn {
		if !slices.Contains(Failures, what) {
			p.add(fmt.Sprintf("fail_on.%d", i), "nothing is called %q; %s", what, spelling.Choice(what, Failures))
		}
	}
	for i, w := range c.Waivers {
		key := fmt.Sprintf("waivers.%d.", i)
		c.checkID(p, key+"requirement", w.Requirement)
		if w.Case != "" && !c.knowsCase(w) {
			p.add(key+"case", "%s has no case %q; %s'invigilator explain %s' lists them, and %q is what is seen unprovoked", w.Requirement, w.Case, spelling.Ask(w.Case, casesOf(w.Requirement)), w.Requirement, results.Unprovoked)
		}
		if strings.TrimSpace(w.Reason) == "" {
			p.add(key+"reason", "is needed: a waiver says why it is one")
		}
		if _, err := time.Parse(time.DateOnly, w.Until); err != nil {
			p.add(key+"until", "%q is not a day such as 2027-01-31", w.Until)
		}
	}
}

// checkID wants the id of a requirement for the judged side, or a pattern of some.
func (c Config) checkID(p *problems, key, id string) {
	catalogue := requirements.Default()
	found := catalogue.Named(id)
	switch own := func(r requirements.Requirement) bool { return string(r.Binds) == string(c.Side) }; {
	case slices.ContainsFunc(found, own):
	case len(found) > 0:
		p.add(key, "%s is a requirement for a %s; judge it with 'invigilator %s%s'", id, found[0].Binds, c.demoWord(), found[0].Binds)
	default:
		var ids []string
		for _, r := range catalogue.Select(own) {
			ids = append(ids, string(r.ID))
		}
		p.add(key, "there is no requirement %q; %s'invigilator requirements' lists them", id, spelling.Ask(id, ids))
	}
}

// checkSection wants a section that has requirements for the judged side.
func (c Config) checkSection(p *problems, key, section string) {
	if section == "" {
		p.add(key, "is empty")
		return
	}
	found := requirements.Default().In(section)
	if slices.ContainsFunc(found, func(r requirements.Requirement) bool { return string(r.Binds) == string(c.Side) }) {
		return
	}
	source, _, of := strings.Cut(section, ":")
	var sources []string
	for _, r := range requirements.Default().All() {
		if !slices.Contains(sources, r.Source.Key) {
			sources = append(sources, r.Source.Key)
		}
	}
	switch {
	case len(found) > 0:
		p.add(key, "no requirement of %s binds a %s", section, c.Side)
	case of && !slices.Contains(sources, source):
		p.add(key, "there is no source %q; %s", source, spelling.Choice(source, sources))
	default:
		p.add(key, "no requirement is from the section %q; 'invigilator requirements' shows those that there are", section)
	}
}

// demoWord begins the command that judges an embedded subject.
func (c Config) demoWord() string {
	if c.Demo {
		return "demo "
	}
	return ""
}

// casesOf are the cases of the requirements that a pattern stands for.
func casesOf(pattern string) []string {
	var cases []string
	for _, r := range requirements.Default().Named(pattern) {
		for _, stimulus := range r.Provoke {
			cases = append(cases, stimulus.Case)
		}
	}
	return cases
}

// knowsCase says whether a waiver's case is one of a requirement that it is about.
func (c Config) knowsCase(w results.Waiver) bool {
	for _, r := range requirements.Default().Named(w.Requirement) {
		if requirements.Matches(w.Case, results.Unprovoked) && r.Observe != "" {
			return true
		}
		for _, stimulus := range r.Provoke {
			if requirements.Matches(w.Case, stimulus.Case) {
				return true
			}
		}
	}
	return false
}
