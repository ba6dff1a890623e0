package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"invigilator.example/edx/fakebackend"
	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/spelling"
)

// demoCommand judges the embedded subjects, which nothing else leads to.
type demoCommand struct {
	Both     demoBothCommand     `cmd:"" default:"withargs" help:"Judge both, one after the other; so does 'invigilator demo' alone."`
	Tool     demoToolCommand     `cmd:"" help:"Judge the embedded fake tool."`
	Platform demoPlatformCommand `cmd:"" help:"Judge the embedded campus."`
	Backend  demoBackendCommand  `cmd:"" help:"Judge the embedded fake proctoring backend."`
	Journey  demoJourneyCommand  `cmd:"" help:"Make one of the journeys in the embedded campus, and print each step."`
}

// demonstrating is what the commands that judge an embedded subject have in common.
type demonstrating struct {
	Fault   []string `help:"Give the subject these faults; 'invigilator faults' lists them." placeholder:"NAME" key:"embedded.faults"`
	judging `embed:""`
}

func (d *demonstrating) judgeDemo(command *kong.Context, side config.Side) error {
	c, err := loadDemo(side, settings(command))
	if err != nil {
		return err
	}
	return d.judge(c, nil)
}

// loadDemo loads the configuration of a run that judges an embedded subject.
func loadDemo(side config.Side, given map[string]string) (config.Config, error) {
	c, err := load(config.Sources{Side: side, Demo: true, Settings: given})
	for _, name := range c.Embedded.Faults {
		if names := defectNames(side); err == nil && !slices.Contains(names, name) {
			says := spelling.Ask(name, names) + "'invigilator faults' lists them"
			if other := sideOf(name); other != "" {
				says = fmt.Sprintf("it is one of the %s: use 'invigilator demo %s'", other, other)
			}
			complain("invigilator: the fake %s has no fault %q; %s\n", side, name, says)
			err = unusable
		}
	}
	return c, err
}

// defectNames are the faults that the embedded subject of a side can have.
func defectNames(side config.Side) (names []string) {
	switch side {
	case config.ToolSide:
		for _, f := range faketool.Defects() {
			names = append(names, f.Name)
		}
		return names
	case config.BackendSide:
		for _, f := range fakebackend.Faults() {
			names = append(names, f.Name)
		}
		return names
	}
	for _, f := range fakeplatform.Defects() {
		names = append(names, f.Name)
	}
	return names
}

type demoToolCommand struct {
	demonstrating `embed:""`
}

// Run judges the embedded fake tool.
func (d *demoToolCommand) Run(command *kong.Context) error {
	return d.judgeDemo(command, config.ToolSide)
}

type demoPlatformCommand struct {
	demonstrating `embed:""`
}

// Run judges the embedded campus.
func (d *demoPlatformCommand) Run(command *kong.Context) error {
	return d.judgeDemo(command, config.PlatformSide)
}

type demoBackendCommand struct {
	demonstrating `embed:""`
}

// Run judges the embedded fake backend.
func (d *demoBackendCommand) Run(command *kong.Context) error {
	return d.judgeDemo(command, config.BackendSide)
}

type demoJourneyCommand struct {
	journeying `embed:""`
}

// Run makes a journey to the embedded campus's launches.
func (d *demoJourneyCommand) Run(command *kong.Context) error {
	return d.make(config.Sources{Side: config.PlatformSide, Demo: true, Settings: settings(command)})
}

type demoBothCommand struct {
	demonstrating `embed:""`
}

// gravity orders the exit statuses of several runs.
var gravity = []results.Outcome{results.Conformant, results.NotShown, results.NotConformant, results.Unusable}

// Run judges both embedded subjects, one after the other.
func (d *demoBothCommand) Run(command *kong.Context) error {
	interrupted := scenarios.UntilInterrupted()
	var runs []config.Config
	for _, side := range []config.Side{config.ToolSide, config.PlatformSide} {
		given, all := ofSide(side, settings(command)), settings(command)
		if all["requirements"] != "" && given["requirements"] == "" {
			continue // all that is to be judged binds the other side
		}
		c, err := loadDemo(side, given)
		if err != nil {
			return err
		}
		if c.Report != "" {
			c.Report = filepath.Join(c.Report, string(side))
		}
		if err := scenarios.Prepare(c.ReportFolder()); err != nil {
			return err
		}
		runs = append(runs, c)
	}
	worst := results.Conformant
	for i, c := range runs {
		if i > 0 && d.Format != jsonl {
			say("\n")
		}
		err := d.judge(c, nil)
		if interrupted.Err() != nil {
			return unusable // the run has said why
		}
		status, judged := errors.AsType[exit](err)
		if err != nil && !judged {
			return err
		}
		ended := slices.IndexFunc(gravity, func(o results.Outcome) bool { return o.ExitCode() == int(status) })
		worst = gravity[max(ended, slices.Index(gravity, worst))]
	}
	if worst != results.Conformant {
		return exit(worst.ExitCode())
	}
	return nil
}

// ofSide returns the settings for one side: of the requirements and faults those that
// are its own, or that nobody knows, so that it says so.
func ofSide(side config.Side, given map[string]string) map[string]string {
	for key, of := range map[string]func(string) config.Side{
		"requirements": boundBy, "require": boundBy,
		"embedded.faults": sideOf,
	} {
		var own []string
		for name := range strings.SplitSeq(given[key], ",") {
			if name = strings.TrimSpace(name); name != "" && (of(name) == "" || of(name) == side) {
				own = append(own, name)
			}
		}
		if given[key] = strings.Join(own, ","); given[key] == "" {
			delete(given, key)
		}
	}
	return given
}

// boundBy is the side that the requirements of an id or pattern bind; empty where there
// are none, or some of both.
func boundBy(id string) config.Side {
	var side config.Side
	for _, r := range requirements.Default().Named(id) {
		if side != "" && side != config.Side(r.Binds) {
			return ""
		}
		side = config.Side(r.Binds)
	}
	return side
}

// sideOf is the side of the embedded subject that has a fault; empty where none has, or several.
func sideOf(fault string) config.Side {
	var side config.Side
	for _, of := range []config.Side{config.ToolSide, config.PlatformSide, config.BackendSide} {
		if slices.Contains(defectNames(of), fault) {
			if side != "" {
				return ""
			}
			side = of
		}
	}
	return side
}
