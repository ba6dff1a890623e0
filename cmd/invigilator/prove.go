package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"invigilator.example/harness/config"
	"invigilator.example/proof"
	"invigilator.example/reports"
	"invigilator.example/scenarios"
)

type proveCommand struct {
	Side     string   `help:"Only the checks of this side: tool, platform or backend." enum:",tool,platform,backend" default:"" placeholder:"SIDE"`
	Only     []string `help:"Only these faults and null peers." placeholder:"NAME"`
	Whole    bool     `help:"Run every scenario against every fault, also where the fault cannot make a difference."`
	Update   bool     `help:"Write down what was found as what is expected of each fault, in proof/expected of the source, to be reviewed."`
	Report   string   `help:"Folder for the kill matrix." default:"invigilator-proof" placeholder:"DIR"`
	Parallel int      `help:"How many suites run at the same time. 0 means two more than there are processors." default:"0"`
}

// Run proves the checks.
func (c *proveCommand) Run() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which the proof runs again: %w", err)
	}
	parallel := c.Parallel
	if parallel <= 0 {
		parallel = runtime.NumCPU() + 2 // some wait for what never comes
	}
	if err := reports.Prepare(c.Report, proof.Names...); err != nil {
		return fmt.Errorf("--report: the kill matrix cannot be written: %w", err)
	}
	update := ""
	if c.Update {
		update = filepath.FromSlash(proof.ExpectedFolder)
		if _, err := os.Stat(update); err != nil {
			complain("invigilator: --update: there is no %s here; call it from the root of Invigilator's source\n", proof.ExpectedFolder)
			return unusable
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	var sides []config.Side
	if c.Side != "" {
		sides = append(sides, config.Side(c.Side))
	}
	matrix, err := proof.Prove(ctx, proof.Options{
		Program: program, Sides: sides, Only: c.Only, Whole: c.Whole, Update: update, Parallel: parallel, Covered: scenarios.Covered(),
		Tell: func(row proof.Row) { say("%s\n", row) },
	})
	if err != nil {
		return err
	}
	paths, err := matrix.Write(c.Report)
	if err != nil {
		return err
	}
	say("\n%s\nkill matrix: %s\n", matrix.Summary(), paths.HTML)
	if c.Update {
		say("%s: %d lines added, %d removed; review them with git diff\n", proof.ExpectedFolder, matrix.Added, matrix.Removed)
	}
	for _, problem := range matrix.Problems {
		say("  %s\n", problem)
	}
	if len(matrix.Problems) > 0 {
		return exit(1)
	}
	return nil
}
