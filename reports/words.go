package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/requirements"
	"invigilator.example/results"
)

// inWords says what the verdict on a profile amounts to, by what is required and what is
// recommended, and without the diagnosis of a run that could not judge it.
func inWords(p results.Profile, all []results.Requirement) string {
	count := map[string]map[results.Verdict]int{}
	total := map[string]int{}
	for _, r := range all {
		if r.Profile != p.Name {
			continue
		}
		if count[r.Level] == nil {
			count[r.Level] = map[results.Verdict]int{}
		}
		v := known(r.Verdict)
		count[r.Level][v]++
		if v != results.Skipped {
			total[r.Level]++
		}
	}
	must, should := string(requirements.Must), string(requirements.Should)
	var parts []string
	told := func(n int, says string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(says, n))
		}
	}
	switch n := count[must][results.Failed]; {
	case n > 0:
		parts = append(parts, fmt.Sprintf("%d of %d MUST requirements failed", n, total[must]))
	case total[must] == 0:
		parts = append(parts, "no MUST requirement was judged")
	case count[must][results.Passed]+count[must][results.Warned] == total[must] && total[must] == 1:
		parts = append(parts, "the one MUST requirement was shown")
	case count[must][results.Passed]+count[must][results.Warned] == total[must]:
		parts = append(parts, fmt.Sprintf("all %d MUST requirements were shown", total[must]))
	default:
		parts = append(parts, fmt.Sprintf("none of %d MUST requirements failed", total[must]))
	}
	told(count[must][results.Inconclusive], "%d could not be shown")
	told(count[must][results.Errored], "Invigilator failed to judge %d")
	if n := count[should][results.Failed] + count[should][results.Warned] + count[must][results.Warned]; n > 0 {
		parts = append(parts, plural(n, "warning", "warnings"))
	}
	told(count[should][results.Inconclusive], "%d SHOULD could not be shown")
	told(p.Tally[results.Skipped], "%d skipped")
	return strings.ToUpper(string(p.Outcome)[:min(1, len(p.Outcome))]) + string(p.Outcome)[min(1, len(p.Outcome)):] + ": " + strings.Join(parts, ", ") + "."
}

// A bar is a part of the chart of a profile: how many of its requirements have a verdict.
type bar struct {
	Verdict  results.Verdict
	N        int
	X, Width string // in percent of the whole
}

// chart are the parts of a bar that is as long as there are requirements.
func chart(tally map[results.Verdict]int) (bars []bar) {
	total, x := 0, 0
	for _, v := range order {
		total += max(tally[v], 0)
	}
	shares := slices.Clone(order)
	slices.Reverse(shares) // what passed comes first, as in a bar that fills
	for _, v := range shares {
		n := max(tally[v], 0)
		if n == 0 {
			continue
		}
		percent := func(n int) string { return fmt.Sprintf("%.2f%%", 100*float64(n)/float64(total)) }
		bars = append(bars, bar{v, n, percent(x), percent(n)})
		x += n
	}
	return bars
}

// standingOf says how a run stands to an earlier one and to what is waived, in a few words.
func standingOf(g *results.Gate) (since, waived string) {
	if g == nil {
		return "", ""
	}
	if len(g.Waived) > 0 {
		waived = plural(len(g.Waived), "verdict does", "verdicts do") + " not count by a waiver"
	}
	if g.Baseline == nil {
		return "", waived
	}
	worse := 0
	for _, red := range g.Red {
		if red.Before != "" {
			worse++
		}
	}
	return fmt.Sprintf("%s worse, %d mended, %d as bad as before", itoa(worse), len(g.Mended), len(g.Known)), waived
}

// An unchecked is a part of what the run says nothing of.
type unchecked struct {
	N         int
	What, Why string
	At        string // the id of its place in the page
}

// mostReasons is how many reasons are told of what has no verdict.
const mostReasons = 3

// Unchecked says what was not checked, and why, the reasons that most requirements have first.
func (p page) Unchecked() []unchecked {
	var parts []unchecked
	for _, of := range []struct {
		verdict results.Verdict
		what    string
	}{{results.Inconclusive, "could not be shown"}, {results.Skipped, "skipped"}} {
		if n := p.Counts[of.verdict]; n > 0 {
			parts = append(parts, unchecked{n, of.what, p.reasons(of.verdict), p.First[of.verdict]})
		}
	}
	if n := len(p.NotCovered); n > 0 {
		count := map[string]int{}
		for _, r := range p.NotCovered {
			count[r.Profile]++
		}
		var of []string
		for _, profile := range slices.Sorted(maps.Keys(count)) {
			of = append(of, fmt.Sprintf("%s %d", profile, count[profile]))
		}
		parts = append(parts, unchecked{n, "not covered", "this version of Invigilator has no check of " + strings.Join(of, ", ") + ".", "not-covered"})
	}
	return parts
}

// reasons are those for which requirements have a verdict, each once.
func (p page) reasons(verdict results.Verdict) string {
	count := map[string]int{}
	var order []string
	for _, r := range p.Requirements {
		if known(r.Verdict) != verdict {
			continue
		}
		why := "nothing was observed"
		for _, o := range r.Observations {
			if o.Verdict == verdict {
				why = line(strings.TrimSuffix(o.Seen, "."), 160)
				break
			}
		}
		if count[why]++; count[why] == 1 {
			order = append(order, why)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return count[b] - count[a] })
	var told []string
	for i, why := range order {
		if i == mostReasons {
			told = append(told, "and other reasons")
			break
		}
		if len(order) > 1 {
			why += fmt.Sprintf(" (%d)", count[why])
		}
		told = append(told, why)
	}
	return strings.Join(told, "; ") + "."
}
