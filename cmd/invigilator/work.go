package main

import (
	"os"

	"github.com/alecthomas/kong"

	"invigilator.example/harness/config"
	"invigilator.example/proof"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

// workCommand is what a proof starts: it judges embedded subjects, one after another.
type workCommand struct{}

// Run judges what is asked for on the standard input.
func (*workCommand) Run() error {
	answers := os.Stdout
	os.Stdout = os.Stderr // nothing may come between the answers
	return proof.Work(scenarios.UntilInterrupted(), os.Stdin, answers, judgeDemo)
}

// judgeDemo judges what 'invigilator demo' would, and leaves no reports.
func judgeDemo(job proof.Job) (results.Document, error) {
	var flags demonstrating
	parser, err := kong.New(&flags, kong.Vars{"profiles": ""})
	if err != nil {
		return results.Document{}, err
	}
	command, err := parser.Parse(job.Args)
	if err != nil {
		return results.Document{}, err
	}
	c, err := config.Load(config.Sources{Side: job.Side, Demo: true, Settings: settings(command)})
	if err == nil {
		err = scenarios.CheckSelection(c)
	}
	if err != nil {
		return results.Document{}, err
	}
	return scenarios.Document(c, "Invigilator")
}
