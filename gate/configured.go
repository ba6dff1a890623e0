package gate

import (
	"fmt"
	"slices"
	"time"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// Configured returns the terms that a configuration names, for a run of today. The error is
// for a baseline that cannot be read, or that is of no use to this run.
func Configured(c config.Config, today time.Time) (Terms, error) {
	terms := Terms{FailOn: c.FailOn, Require: c.Require, Waivers: slices.Clone(c.Waivers), Today: today}
	for i := range terms.Waivers { // it is shown
		terms.Waivers[i].Reason = results.Text(c.Hide(terms.Waivers[i].Reason))
	}
	if c.Baseline == "" {
		return terms, nil
	}
	doc, err := results.ReadFile(c.Baseline)
	switch {
	case err != nil:
		return terms, fmt.Errorf("baseline: %w", err)
	case doc.Run.Subject.Side != string(c.Side):
		return terms, fmt.Errorf("baseline: %s is about a %s, and this run judges a %s", c.Baseline, doc.Run.Subject.Side, c.Side)
	case doc.Diagnosis != nil && !doc.Diagnosis.Partial():
		return terms, fmt.Errorf("baseline: the run that left %s could not judge its subject: choose another", c.Baseline)
	}
	terms.Baseline = &doc
	return terms, nil
}
