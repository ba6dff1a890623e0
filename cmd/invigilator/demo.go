package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"invigilator/fakeplatform"
	"invigilator/faketool"
	"invigilator/harness/config"
	"invigilator/requirements"
	"invigilator/results"
	"invigilator/scenarios"
)

// demoCommand judges the embedded subjects, which nothing else leads to.
type demoCommand struct {
	Both     demoBothCommand     `cmd:"" default:"withargs" help:"Judge both, one after the other; so does 'invigilator demo' alone."`
	Tool     demoToolCommand     `cmd:"" help:"Judge the embedded fake tool."`
	Platform demoPlatformCommand `cmd:"" help:"Judge the embedded campus."`
	Journey  demoJourneyCommand  `cmd:"" help:"Make one of the journeys in the embedded campus, and print each step."`
}

// demonstrating is what the commands that judge an embedded subject have in common.
type demonstrating struct {
	Fault   []string `help:"Give the subject these faults; 'invigilator faults' lists them." placeholder:"NAME" key:"embedded.faults"`
	judging `embed:""`
}

func (*demonstrating) judge(command *kong.Context, side config.Side) error {
	c, err := load(config.Sources{Side: side, Demo: true, Settings: settings(command)})
	if err != nil {
		return err
	}
	return judge(c, nil)
}

type demoToolCommand struct {
	demonstrating `embed:""`
}

// Run judges the embedded fake tool.
func (d *demoToolCommand) Run(command *kong.Context) error {
	return d.judge(command, config.ToolSide)
}

type demoPlatformCommand struct {
	demonstrating `embed:""`
}

// Run judges the embedded campus.
func (d *demoPlatformCommand) Run(command *kong.Context) error {
	return d.judge(command, config.PlatformSide)
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

// Run judges both embedded subjects, each in a process of its own, since Ginkgo runs
// its specs once in a process.
func (d *demoBothCommand) Run(command *kong.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which runs once for each side: %w", err)
	}
	var runs [][]string
	for _, side := range []config.Side{config.ToolSide, config.PlatformSide} {
		given, all := ofSide(side, settings(command)), settings(command)
		if all["requirements"] != "" && given["requirements"] == "" {
			continue // all that is to be judged binds the other side
		}
		c, err := load(config.Sources{Side: side, Demo: true, Settings: given})
		if err != nil {
			return err
		}
		if c.Report != "" {
			given["report"] = filepath.Join(c.Report, string(side))
		}
		if err := scenarios.Prepare(c.ReportFolder()); err != nil {
			return err
		}
		args := []string{"demo", string(side)}
		for _, key := range slices.Sorted(maps.Keys(given)) {
			args = append(args, "--set", key+"="+given[key])
		}
		runs = append(runs, args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	worst := results.Conformant
	for i, args := range runs {
		if i > 0 {
			say("\n")
		}
		run := exec.CommandContext(ctx, program, args...)
		run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) } // it then ends by itself
		run.Stdout, run.Stderr = os.Stdout, os.Stderr
		err := run.Run()
		if ctx.Err() != nil {
			return unusable // the run has said why
		}
		if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
			return err
		}
		ended := slices.IndexFunc(gravity, func(o results.Outcome) bool { return o.ExitCode() == run.ProcessState.ExitCode() })
		if ended < 0 { // by a signal
			return fmt.Errorf("%s: %w", strings.Join(args[:2], " "), err)
		}
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
		"requirements": func(id string) config.Side {
			r, _ := requirements.Default().Get(requirements.ID(id))
			return config.Side(r.Binds)
		},
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

// sideOf is the side of the embedded subject that has a fault; empty where none has, or both.
func sideOf(fault string) config.Side {
	ofTool := slices.ContainsFunc(faketool.Defects(), func(f faketool.Fault) bool { return f.Name == fault })
	ofPlatform := slices.ContainsFunc(fakeplatform.Defects(), func(f fakeplatform.Fault) bool { return f.Name == fault })
	switch {
	case ofTool == ofPlatform:
		return ""
	case ofTool:
		return config.ToolSide
	default:
		return config.PlatformSide
	}
}
