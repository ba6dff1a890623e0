package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/scenarios/backend"
)

// checkCommand looks whether a subject of the user's can be judged, and judges nothing.
type checkCommand struct {
	Config string            `help:"Configuration file (YAML). Default: invigilator.yaml in this folder, if there is one." placeholder:"FILE"`
	Side   string            `help:"tool, platform or backend, where the configuration names several." placeholder:"SIDE"`
	Wait   time.Duration     `help:"Wait so long for a subject that is starting, as in --wait 60s." placeholder:"TIME" default:"0s"`
	CAFile string            `name:"ca-file" help:"A PEM file with certificates to trust besides those of this machine: the subject's own, or of its CA." placeholder:"FILE" key:"ca_file"`
	Agent  string            `help:"auto, browser, or http for a client without scripts." placeholder:"KIND" key:"agent"`
	Headed bool              `help:"Show the browser's window." key:"browser.headed"`
	Set    map[string]string `help:"Set any key of the configuration, as in --set timeout.launch=5s." placeholder:"KEY=VALUE" mapsep:"none"`
}

// checked is a run whose preflight is made.
type checked interface {
	scenarios.Subject
	// Reach waits for the addresses of the subject.
	Reach(ctx context.Context, patience time.Duration) []harness.Readiness
}

// keyed is a run whose subject needs its key set.
type keyed interface {
	// KeySet is where the subject finds that of the run, and whether it has been fetched.
	KeySet() (address string, fetched bool)
}

// Run looks whether the subject can be judged.
func (k *checkCommand) Run(command *kong.Context) error {
	from := config.Sources{Side: config.Side(k.Side), File: expanded(k.Config), Folder: ".", Settings: settings(command), Environ: os.Environ()}
	if from.Side == "" {
		from.Side = config.SideOf(from)
	}
	if from.Side == "" {
		return errors.New("the configuration names several subjects: say which of them with --side")
	}
	if from.Side != config.ToolSide && from.Side != config.PlatformSide && from.Side != config.BackendSide {
		return fmt.Errorf("--side %s: there are %s, %s and %s", k.Side, config.ToolSide, config.PlatformSide, config.BackendSide)
	}
	c, err := load(from)
	if err != nil {
		return err
	}
	if err := k.check(c); err != nil {
		if _, said := errors.AsType[exit](err); said {
			return err
		}
		return errors.New(c.Hide(err.Error()))
	}
	return nil
}

func (k *checkCommand) check(c config.Config) error {
	stopped, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	ctx, cancel := context.WithTimeout(stopped, c.Timeout.Run.Std())
	defer cancel()
	c.Timeout.Restart = max(c.Timeout.Restart, config.Duration(k.Wait)) // what the run learns before its browser starts is waited for, too
	var subject checked
	var err error
	walk := func(context.Context, func(harness.Readiness)) error { return nil }
	switch c.Side {
	case config.PlatformSide:
		var run *harness.PlatformRun
		if run, err = harness.StartPlatform(ctx, c, 1); err == nil {
			subject, walk = run, run.Walk
		}
	case config.BackendSide:
		var run *backend.Run
		if run, err = backend.Start(ctx, c); err == nil {
			subject = run
		}
	default:
		var run *harness.Run
		if run, err = harness.Start(ctx, c, 1); err == nil {
			subject = run
		}
	}
	if err != nil {
		return err
	}
	defer subject.Close()

	say("%s\n", c.Hide(c.SubjectName()))
	t := told{hide: c.Hiding().Hide, works: "valid launches"}
	if c.Side == config.BackendSide {
		t.works = "an access token, and a valid call"
	}
	for _, ready := range subject.Reach(ctx, k.Wait) {
		t.tell(ready)
	}
	if !t.lacking { // else nothing leads to a launch
		if err := walk(ctx, t.tell); err != nil {
			return cmp.Or(context.Cause(stopped), err)
		}
		found, err := subject.Preflight(ctx)
		if subject.AgentGone() {
			return errors.New("the browser went away")
		}
		if err := t.preflight(found, err); err != nil {
			return cmp.Or(context.Cause(stopped), err)
		}
		if run, is := subject.(keyed); is {
			t.keySet(c.Side, run)
		}
	}
	return t.end(c)
}

// told is what a check has told.
type told struct {
	hide     func(string) string
	works    string // what the preflight has seen to work
	problems []string
	lacking  bool // something that no run can do without
	broken   int  // requirements that the subject breaks
}

func (t *told) tell(ready harness.Readiness) {
	if ready.Problem == nil {
		say("ok       %s\n", results.Text(t.hide(ready.What)))
		return
	}
	t.lacking = t.lacking || ready.Needed
	if slices.Contains(t.problems, ready.Problem.Problem) {
		return // the preflight has come upon it again
	}
	t.problems = append(t.problems, ready.Problem.Problem)
	say("problem  %s\n", ready.Problem.Hide(t.hide).Error())
}

// preflight tells what came of the launches; the error is what is no diagnosis.
func (t *told) preflight(found results.Fragment, err error) error {
	found = found.Hide(t.hide)
	for _, o := range found.Observations {
		if o.Verdict == results.Failed {
			t.broken++
			say("failed   %s %s\n", o.Requirement, results.Bounded(folded(o.Seen), 300))
		}
	}
	for _, f := range found.Findings {
		say("note     %s\n", results.Bounded(folded(f.Says), 300))
	}
	d, ok := errors.AsType[*results.Diagnosis](err)
	switch {
	case ok:
		t.tell(harness.Readiness{Problem: d, Needed: !d.Partial()})
	case err != nil:
		return err
	case t.broken == 0:
		say("ok       %s\n", t.works)
	}
	return nil
}

// keySet tells whether the subject has fetched the key set of the run. A tool needs it for every
// launch; a platform needs that of the tool only for what the tool signs.
func (t *told) keySet(side config.Side, run keyed) {
	address, fetched := run.KeySet()
	switch {
	case fetched:
		say("ok       the %s's server reaches the key set of the run, %s\n", side, address)
	case side == config.ToolSide && !t.lacking:
		say("note     Valid launches work, though nobody has fetched the key set %s: without it the tool can verify no signature.\n", address)
	case side == config.PlatformSide && !t.lacking:
		say("note     Nobody has fetched the fake tool's key set, %s: whether the platform's server reaches it shows only where the tool signs something.\n", address)
	}
}

// end says what it all amounts to.
func (t *told) end(c config.Config) error {
	command := "invigilator " + string(c.Side)
	if c.File != "" {
		command += " --config " + c.File
	}
	outcome := results.Conformant
	switch {
	case t.lacking:
		outcome = results.Unusable
		say("NOT READY: no run is possible as it is.\n")
	case t.broken > 0:
		outcome = results.NotConformant
		say("READY, and a requirement is broken already: %s\n", command)
	case len(t.problems) > 0:
		outcome = results.NotShown
		say("READY in part: what needs the above could not be judged by %s\n", command)
	default:
		say("READY: %s\n", command)
	}
	if outcome != results.Conformant {
		return exit(outcome.ExitCode())
	}
	return nil
}
