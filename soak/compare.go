package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// A judged thing is what a verdict is about. A scenario can come to several verdicts
// on one.
type judged struct{ requirement, stimulus, scenario string }

func (j judged) String() string {
	return strings.TrimSpace(j.requirement+" "+j.stimulus) + " (" + j.scenario + ")"
}

// observations returns those of a document by what they are about.
func observations(doc results.Document) map[judged][]results.Observation {
	found := map[judged][]results.Observation{}
	for _, r := range doc.Requirements {
		for _, o := range r.Observations {
			about := judged{r.ID, o.Case, o.Scenario}
			found[about] = append(found[about], o)
		}
	}
	return found
}

// verdicts returns those of observations, the same ones in the same order however
// they came.
func verdicts(list []results.Observation) []results.Verdict {
	var found []results.Verdict
	for _, o := range list {
		found = append(found, o.Verdict)
	}
	slices.Sort(found)
	return found
}

// A change is that two runs judge one thing in two ways.
type change struct {
	about      judged
	first, now []results.Observation // none where it was not judged
}

// changes holds a run against the first one and returns what differs, and how many
// verdicts were compared.
func changes(first, now results.Document) (differ []change, compared int) {
	before, after := observations(first), observations(now)
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, about := range slices.SortedFunc(maps.Keys(all), func(a, b judged) int { return cmp.Compare(a.String(), b.String()) }) {
		was, is := verdicts(before[about]), verdicts(after[about])
		compared += len(is)
		if !slices.Equal(was, is) {
			differ = append(differ, change{about, before[about], after[about]})
		}
	}
	return differ, compared
}

// tell says what a change is, with the observations of both runs.
func (c change) tell(out io.Writer) {
	_, _ = fmt.Fprintf(out, "  CHANGED %s\n", c.about)
	for _, run := range []struct {
		name string
		list []results.Observation
	}{{"first", c.first}, {"now", c.now}} {
		if len(run.list) == 0 {
			_, _ = fmt.Fprintf(out, "    %-6s not judged\n", run.name+":")
		}
		for _, o := range run.list {
			_, _ = fmt.Fprintf(out, "    %-6s %s: %s (%s; flows %s)\n", run.name+":", o.Verdict, strings.Join(strings.Fields(o.Seen), " "), o.Location, strings.Join(o.Flows, " "))
		}
	}
}

// A tally is what the runs amount to so far.
type tally struct {
	out   io.Writer
	load  int
	first map[config.Side]outcome

	mu                               sync.Mutex
	runs, compared, changed, unequal int // unequal runs are those that died, or in which a verdict changed
	memory                           map[config.Side]*memories
}

// memories are those of a side's runs, in the order in which they ended.
type memories struct{ start, end, peak []uint64 }

// begin takes the first run of a side and says whether others can be held against it.
func (t *tally) begin(first outcome) bool {
	if first.err != nil {
		_, _ = fmt.Fprintf(t.out, "%s, seed %d: %v\n", first.side, first.seed, first.err)
		return false
	}
	t.first[first.side] = first
	t.memory[first.side] = &memories{}
	_, all := changes(first.doc, first.doc)
	t.runs++
	t.line(first, fmt.Sprintf("%d verdicts on %d requirements", all, len(first.doc.Requirements)))
	return true
}

// add holds a further run against the first one of its side. The reports of one that
// is as the first was are of no use.
func (t *tally) add(made outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	if made.err != nil {
		t.unequal++
		_, _ = fmt.Fprintf(t.out, "%-9s seed %d  DIED: %v\n", made.side, made.seed, made.err)
		return
	}
	differ, compared := changes(t.first[made.side].doc, made.doc)
	t.compared += compared
	t.changed += len(differ)
	if len(differ) == 0 {
		_ = os.RemoveAll(made.folder)
		t.line(made, fmt.Sprintf("%d verdicts as in the first run", compared))
		return
	}
	t.unequal++
	t.line(made, fmt.Sprintf("%d of %d verdicts CHANGED; report: %s", len(differ), compared, made.folder))
	for _, c := range differ {
		c.tell(t.out)
	}
}

func (t *tally) line(made outcome, says string) {
	m := t.memory[made.side]
	m.start, m.end, m.peak = append(m.start, made.memory.Start), append(m.end, made.memory.End), append(m.peak, made.memory.Peak)
	_, _ = fmt.Fprintf(t.out, "%-9s seed %d  %5.1f s  in use %d MB, then %d MB; peak %d MB  %s\n", made.side, made.seed, made.took.Seconds(),
		megabytes(made.memory.Start), megabytes(made.memory.End), megabytes(made.memory.Peak), says)
}

func megabytes(bytes uint64) uint64 { return bytes >> 20 }

// sum says what the runs amount to and returns the exit status.
func (t *tally) sum(interrupted bool) int {
	_, _ = fmt.Fprintf(t.out, "\n%d runs, beside %d busy loops: %d verdicts compared, %d changed\n", t.runs, t.load, t.compared, t.changed)
	for _, side := range sides {
		m := t.memory[side]
		_, _ = fmt.Fprintf(t.out, "%s: in use after the preflight %s, at the end %s; peak of the process %s\n", side, spread(m.start), spread(m.end), spread(m.peak))
	}
	switch {
	case interrupted:
		_, _ = fmt.Fprintln(t.out, "It was interrupted.")
		return unusable
	case t.unequal > 0:
		_, _ = fmt.Fprintf(t.out, "%d of the runs differ from the first one of their side.\n", t.unequal)
		return changed
	default:
		return same
	}
}

// spread says between what the runs took, and how it went on.
func spread(bytes []uint64) string {
	return fmt.Sprintf("%d to %d MB (first %d, last %d)", megabytes(slices.Min(bytes)), megabytes(slices.Max(bytes)), megabytes(bytes[0]), megabytes(bytes[len(bytes)-1]))
}
