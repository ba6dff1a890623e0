package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/requirements"
	"invigilator.example/results"
)

// Failures are what may turn a run red: see [Config.FailOn].
var Failures = []string{string(results.Failed), string(results.Warned), string(results.Inconclusive), Findings}

// Findings is what a run tells of its subject beside the verdicts.
const Findings = "findings"

// termKeys are what turns a run red. An empty value, as of a variable that is not set, must
// not take that away.
var termKeys = []string{"fail_on", "require", "baseline"}

const emptyTerm = "is given but empty: give it a value, or leave it out"

// checkTerms finds what is wrong with what narrows a run, and with what turns it red.
func (c Config) checkTerms(p *problems) {
	for i, id := range c.Requirements {
		c.checkID(p, fmt.Sprintf("requirements.%d", i), id)
	}
	for i, id := range c.Require {
		c.checkID(p, fmt.Sprintf("require.%d", i), id)
	}
	for i, what := range c.FailOn {
		if !slices.Contains(Failures, what) {
			p.add(fmt.Sprintf("fail_on.%d", i), "nothing is called %q; %s", what, Choice(what, Failures))
		}
	}
	for i, w := range c.Waivers {
		key := fmt.Sprintf("waivers.%d.", i)
		c.checkID(p, key+"requirement", w.Requirement)
		if w.Case != "" && !c.knowsCase(w) {
			p.add(key+"case", "%s has no case %q; 'invigilator explain %s' lists them, and %q is what is seen unprovoked", w.Requirement, w.Case, w.Requirement, results.Unprovoked)
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
		says := fmt.Sprintf("there is no requirement %q; ", id)
		if best := nearest(id, ids); best != "" {
			says += "did you mean " + best + "? "
		}
		p.add(key, "%s'invigilator requirements' lists them", says)
	}
}

// demoWord begins the command that judges an embedded subject.
func (c Config) demoWord() string {
	if c.Demo {
		return "demo "
	}
	return ""
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
