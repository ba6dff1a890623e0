package reports

import "invigilator.example/results"

// A gatePart is a list of what a gate says, under its name.
type gatePart struct {
	Name string
	List []results.Red
}

// gateParts are all lists of a gate, what needs a reader first.
func gateParts(g *results.Gate) []gatePart {
	return []gatePart{
		{"Red", g.Red}, {"Waived", g.Waived}, {"As bad in the baseline", g.Known}, {"Mended since the baseline", g.Mended},
	}
}

// standing says what a gate makes of an observation: whether it counts, or is excused, and why.
func standing(g *results.Gate, requirement string, o results.Observation) (counts, excused bool, why string) {
	if g == nil {
		return false, false, ""
	}
	find := func(list []results.Red) bool {
		for _, red := range list {
			if red.Requirement == requirement && red.Case == o.Case && red.Verdict != "" && known(red.Verdict) == known(o.Verdict) {
				why = red.Why
				return true
			}
		}
		return false
	}
	counts = find(g.Red)
	return counts, !counts && (find(g.Waived) || find(g.Known)), why
}
