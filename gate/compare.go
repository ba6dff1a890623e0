package gate

import (
	"cmp"

	"invigilator.example/results"
)

// A Change is a case whose verdict is another one in a later run. Before or Now is empty
// where the case is in one run alone.
type Change struct {
	Requirement, Case, Level string
	Before, Now              results.Verdict
	Seen                     string // in the later run; in the earlier one where it is in that alone
}

// Kind says what a change means.
func (c Change) Kind() Kind {
	switch {
	case c.Before == "":
		return New
	case c.Now == "":
		return Gone
	case c.Now == results.Failed || c.Now == results.Warned && c.Before == results.Passed:
		return Worse
	case c.Now == results.Passed:
		return Mended
	case c.Before == results.Passed:
		return Unseen
	default:
		return Other
	}
}

// A Kind is what a change means.
type Kind string

// The kinds of change, in the order in which somebody wants to know of them.
const (
	Worse  Kind = "worse"
	Unseen Kind = "no longer shown"
	Mended Kind = "mended"
	Other  Kind = "otherwise"
	New    Kind = "only in the later run"
	Gone   Kind = "only in the earlier run"
)

// Kinds are all kinds of change in that order.
var Kinds = []Kind{Worse, Unseen, Mended, Other, New, Gone}

// Compare returns the cases whose verdicts differ between two runs, in the order of the
// later run, and then those of the earlier one alone.
func Compare(earlier, later results.Document) []Change {
	var changes []Change
	old, now := rows(earlier), rows(later)
	before, after := byKey(old), byKey(now)
	for _, r := range now {
		if was := before[r.key]; was.verdict != r.verdict {
			changes = append(changes, Change{r.requirement, r.stimulus, r.level, was.verdict, r.verdict, r.seen})
		}
	}
	for _, r := range old {
		if _, still := after[r.key]; !still {
			changes = append(changes, Change{r.requirement, r.stimulus, r.level, r.verdict, "", r.seen})
		}
	}
	return changes
}

// Needed returns the waivers that would let a run pass by the terms that it was held
// against, one for each case that turns it red, as far as a waiver can.
func Needed(doc results.Document, reason, until string) []results.Waiver {
	g := doc.Gate
	if g == nil {
		g = Decide(doc, Terms{FailOn: []string{string(results.Failed)}})
	}
	var waivers []results.Waiver
	for _, red := range g.Red {
		if red.Verdict != "" && red.Verdict != results.Errored { // else it is a finding or a waiver, or ours
			waivers = append(waivers, results.Waiver{
				Requirement: red.Requirement, Case: cmp.Or(red.Case, results.Unprovoked), Reason: reason, Until: until,
			})
		}
	}
	return waivers
}
