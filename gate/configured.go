package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"invigilator.example/harness/config"
	"invigilator.example/reports"
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
	if err == nil {
		err = Usable(c.Baseline, doc)
	}
	switch {
	case err != nil:
		return terms, fmt.Errorf("baseline: %w", err)
	case sameFile(c.Baseline, filepath.Join(c.ReportFolder(), reports.Names[0])):
		return terms, fmt.Errorf("baseline: %s is what this run writes its own results to, so that the next run would be held against this one: keep it elsewhere, or set another report folder", c.Baseline)
	case doc.Run.Subject.Side != string(c.Side):
		return terms, fmt.Errorf("baseline: %s is about a %s, and this run judges a %s", c.Baseline, doc.Run.Subject.Side, c.Side)
	}
	terms.Baseline = &doc
	return terms, nil
}

// Usable says why the document of a file is none that another run can be held against.
func Usable(path string, doc results.Document) error {
	if doc.Outcome == results.Unusable && !doc.Diagnosis.Partial() {
		return fmt.Errorf("the run that left %s could not judge its subject: choose another", path)
	}
	return nil
}

func sameFile(a, b string) bool {
	one, errA := os.Stat(a)
	other, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(one, other)
}
