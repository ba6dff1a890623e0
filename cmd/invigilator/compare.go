package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"invigilator.example/gate"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

type diffCommand struct {
	Earlier string `arg:"" help:"The results.json of the earlier run." type:"existingfile"`
	Later   string `arg:"" help:"That of the later one." type:"existingfile"`
}

// Run compares two runs. It ends with 0 where nothing has got worse, with 1 where something
// has, with 2 where something that passed is no longer shown, and with 3 where the two cannot
// be compared.
func (c *diffCommand) Run() error {
	earlier, err := results.ReadFile(c.Earlier)
	if err != nil {
		return err
	}
	if err := gate.Usable(c.Earlier, earlier); err != nil {
		return err
	}
	later, err := results.ReadFile(c.Later)
	if err != nil {
		return err
	}
	if earlier.Run.Subject.Side != later.Run.Subject.Side {
		return fmt.Errorf("%s is about a %s, and %s about a %s", c.Earlier, earlier.Run.Subject.Side, c.Later, later.Run.Subject.Side)
	}
	changes := gate.Compare(earlier, later)
	for _, kind := range gate.Kinds {
		for _, change := range changes {
			if change.Kind() == kind {
				say("%-24s%s (%s)  %s -> %s\n", kind, folded(change.Requirement+" "+change.Case), folded(change.Level), absent(change.Before), absent(change.Now))
				if kind == gate.Worse || kind == gate.Unseen {
					say("    %s\n", results.Bounded(folded(change.Seen), 300))
				}
			}
		}
	}
	if len(changes) == 0 {
		say("no difference: all verdicts are the same\n")
	}
	say("%s: %s -> %s\n", folded(later.Run.Subject.Name), folded(string(earlier.Outcome)), folded(string(later.Outcome)))
	g := gate.Decide(later, gate.Terms{Baseline: &earlier, Today: time.Now()})
	say("status %d: %s\n", g.Exit, folded(g.Because))
	if g.Exit != 0 {
		return exit(g.Exit)
	}
	return nil
}

// folded makes one line of a text: a document of another's must not end ours.
func folded(text string) string { return strings.Join(strings.Fields(text), " ") }

func absent(v results.Verdict) results.Verdict {
	if v == "" {
		return "absent"
	}
	return v
}

type waiveCommand struct {
	Results string        `arg:"" help:"A results.json." type:"existingfile"`
	Reason  string        `help:"Why all of this may pass; without it, each waiver still needs one." placeholder:"TEXT"`
	For     time.Duration `help:"How long from today." default:"720h"`
}

// Run prints the waivers that would let a run pass, as a configuration file has them.
func (c *waiveCommand) Run() error {
	doc, err := results.ReadFile(c.Results)
	if err != nil {
		return err
	}
	waivers := gate.Needed(doc, c.Reason, time.Now().UTC().Add(c.For).Format(time.DateOnly))
	if len(waivers) == 0 {
		complain("%s: nothing needs a waiver\n", c.Results)
		return nil
	}
	waivers = slices.DeleteFunc(waivers, func(w results.Waiver) bool {
		isKnown := known(w)
		if !isKnown {
			complain("left out: %s, case %s, which the catalogue of this version does not have\n", strconv.QuoteToASCII(w.Requirement), strconv.QuoteToASCII(w.Case))
		}
		return !isKnown
	})
	text, err := yaml.Marshal(map[string]any{"waivers": waivers})
	if err != nil {
		return err
	}
	say("%s", text)
	return nil
}

// known says whether the catalogue has what a waiver is about. What it has not may be a
// pattern of much else, or end a line, and no configuration takes it.
func known(w results.Waiver) bool {
	r, ok := requirements.Default().Get(requirements.ID(w.Requirement))
	return ok && (w.Case == results.Unprovoked || slices.ContainsFunc(r.Provoke, func(s requirements.Stimulus) bool { return s.Case == w.Case }))
}
