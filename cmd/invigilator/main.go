// Command invigilator judges LTI 1.3 implementations: see README.md, or
// invigilator --help.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/visible"
)

type cli struct {
	Tool         toolCommand         `cmd:"" help:"Judge a tool."`
	Platform     platformCommand     `cmd:"" help:"Judge a platform."`
	Backend      backendCommand      `cmd:"" help:"Judge a proctoring backend by the REST contract of edX."`
	Demo         demoCommand         `cmd:"" help:"Judge Invigilator's own fake tool and campus, to see what a run looks like."`
	Init         initCommand         `cmd:"" help:"Write a configuration to begin with, from what a tool or platform shows of itself."`
	Journey      journeyCommand      `cmd:"" help:"Make one of the configured journeys in the platform, and print each step and the id_token."`
	Check        checkCommand        `cmd:"" help:"Look whether a tool or platform can be judged, and what is in the way; judge nothing."`
	Serve        serveCommand        `cmd:"" help:"Keep the fakes up behind a page on this machine: compose a message with any stimulus, send it by your own browser, and watch."`
	Card         cardCommand         `cmd:"" help:"Print what to register in Moodle, Canvas, ltijs and others, in their own words."`
	Requirements requirementsCommand `cmd:"" help:"List the requirements of the catalogue."`
	Explain      explainCommand      `cmd:"" help:"Explain a requirement: what it says, how it is checked, and which faults prove the check."`
	Faults       faultsCommand       `cmd:"" help:"List the faults of the fake platform and of the fake tool."`
	Prove        proveCommand        `cmd:"" help:"Prove that every check can fail: run the suites against every fault of both fakes and against servers that do nothing."`
	Work         workCommand         `cmd:"" hidden:"" help:"Judge embedded subjects for a proof, as the standard input asks for."`
	Report       reportCommand       `cmd:"" help:"Write the reports of a results document again."`
	Verify       verifyCommand       `cmd:"" help:"Say whether a results document is as it was written, who has signed it, and whether the reports beside it are made from it."`
	Annotate     annotateCommand     `cmd:"" help:"Print what a run has found as annotations of a GitHub workflow, from its results document."`
	Badge        badgeCommand        `cmd:"" help:"Print the outcome of a run as a badge (SVG), from its results document."`
	Diff         diffCommand         `cmd:"" help:"Say what has changed between two runs, from their results documents. The exit status tells what has got worse."`
	Merge        mergeCommand        `cmd:"" help:"Put the results of the shards of a run together, and write the reports of the whole run."`
	Waive        waiveCommand        `cmd:"" help:"Print the waivers that would let a run pass, from its results document."`
	Schema       schemaCommand       `cmd:"" help:"Print the JSON Schema of the configuration file, or of results.json."`
	Version      kong.VersionFlag    `help:"Print the version."`
}

// exit is the error of a command that has said what there is to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// unusable is the status when harness or configuration is at fault.
var unusable = exit(results.Unusable.ExitCode())

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	parser, err := newParser(new(cli))
	if err != nil {
		complain("invigilator: %v\n", err)
		return int(unusable)
	}
	if len(args) == 0 { // as by a variable of a script that is not set
		parser.Exit = func(int) {}
		_, _ = parser.Parse([]string{"--help"}) // it prints, and is no command
		return int(unusable)
	}
	command, err := parser.Parse(args)
	if err == nil {
		err = notEmpty(command)
	}
	if err != nil {
		complain("invigilator: %s\n", results.Text(err.Error()))
		return int(unusable)
	}
	err = command.Run()
	var status exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	default:
		complain("invigilator: %s\n", strings.ReplaceAll(results.Text(err.Error()), "\n", "\n  "))
		return int(unusable)
	}
}

// newParser returns the parser of a command line.
func newParser(c *cli) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("invigilator"),
		kong.Description("Judges LTI 1.3 implementations end to end.\n\n"+
			"Exit status: 0 conformant as far as required, 1 something required failed, 2 something required could not be shown, "+
			"3 Invigilator failed, its configuration is wrong, or the subject cannot be reached."),
		kong.Vars{"version": scenarios.Version, "products": strings.Join(products(), ", "), "profiles": strings.Join(requirements.Profiles(), ", ")},
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
}

// stdout and stderr are where all goes that the command prints: much of it comes from
// the subject, and nothing of it may do more to a terminal than be read.
var stdout, stderr io.Writer = visible.Writer{To: os.Stdout}, visible.Writer{To: os.Stderr}

func say(format string, args ...any)      { _, _ = fmt.Fprintf(stdout, format, args...) }
func complain(format string, args ...any) { _, _ = fmt.Fprintf(stderr, format, args...) }
