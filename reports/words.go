package reports

import (
	"fmt"
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
