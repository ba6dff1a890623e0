package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"invigilator.example/gate"
	"invigilator.example/harness/config"
	"invigilator.example/reports"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

type mergeCommand struct {
	Results []string `arg:"" help:"The results.json of each shard." type:"existingfile"`
	Config  string   `help:"Configuration file (YAML) whose terms count: fail_on, require, waivers, baseline. Default: invigilator.yaml in this folder, if there is one." placeholder:"FILE"`
	terms   `embed:""`
	signing `embed:""`
}

// Run merges the documents and ends as the whole run would have.
func (m *mergeCommand) Run(command *kong.Context) error {
	signer, err := m.signer()
	if err != nil {
		return err
	}
	var shards []results.Document
	for _, path := range m.Results {
		doc, err := results.ReadFile(path)
		if err != nil {
			return err
		}
		shards = append(shards, doc)
	}
	doc, err := results.Merge(shards)
	if err != nil {
		return err
	}
	c, err := m.configured(command, doc)
	if err != nil {
		return err
	}
	held, err := gate.Configured(c, time.Now())
	if err != nil {
		return err
	}
	for _, shard := range shards { // what they were held against counts for the whole
		if shard.Gate != nil {
			held.FailOn, held.Require = slices.Concat(held.FailOn, shard.Gate.FailOn), slices.Concat(held.Require, shard.Gate.Require)
		}
	}
	for _, list := range []*[]string{&held.FailOn, &held.Require} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	doc.Gate = gate.Decide(doc, held)
	for _, path := range m.Results {
		if sameFile(path, filepath.Join(c.ReportFolder(), reports.Names[0])) {
			return fmt.Errorf("%s is what the merged results would be written over: name another folder with --report", path)
		}
	}
	if err := scenarios.Prepare(c.ReportFolder()); err != nil {
		return err
	}
	paths, err := reports.WriteAll(c.ReportFolder(), doc)
	if err == nil {
		paths, err = sign(signer, paths)
	}
	if err != nil {
		return err
	}
	summarize(screen{os.Stdout, inColours(term.IsTerminal(int(os.Stdout.Fd())), os.Getenv)}, doc, paths)
	if code := doc.ExitCode(); code != 0 {
		return exit(code)
	}
	return nil
}

// configured is the configuration whose terms count. One that names no subject has none but
// those of the command line: the documents say what was judged.
func (m *mergeCommand) configured(command *kong.Context, doc results.Document) (config.Config, error) {
	from := config.Sources{
		Side: config.Side(doc.Run.Subject.Side), Demo: doc.Run.Subject.Embedded, File: expanded(m.Config), Settings: settings(command), Environ: os.Environ(),
	}
	if !from.Demo {
		from.Folder = "."
	}
	c, err := config.Load(from)
	if _, missing := errors.AsType[*config.NoSubject](err); missing && !from.Demo && c.File == "" {
		from.Demo, from.Folder = true, ""
		c, err = config.Load(from)
	}
	if err == nil {
		err = scenarios.CheckSelection(unnarrowed(c))
	}
	if err != nil {
		complain("The configuration is at fault:\n%s\n", indent(c.Hide(err.Error())))
		return c, unusable
	}
	return c, nil
}

// unnarrowed is a configuration without what narrows a run: the documents say what did.
func unnarrowed(c config.Config) config.Config {
	c.Shard, c.Filter, c.Requirements, c.Sections, c.Profiles = "", "", nil, nil, nil
	return c
}

func sameFile(a, b string) bool {
	one, errA := os.Stat(a)
	other, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(one, other)
}
