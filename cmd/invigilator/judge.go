package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"invigilator.example/harness/config"
	"invigilator.example/scenarios"
)

// named is what the commands that judge a subject of the user's have in common.
type named struct {
	Config string `help:"Configuration file (YAML). Default: invigilator.yaml in this folder, if there is one." placeholder:"FILE"`
	CAFile string `name:"ca-file" help:"A PEM file with certificates to trust besides those of this machine: the subject's own, or of its CA." placeholder:"FILE" key:"ca_file"`
	Yes    bool   `short:"y" help:"Do not wait until the registration is made."`
}

// judging is what the commands that judge a subject have in common.
type judging struct {
	Only    []string          `help:"Judge only these requirements: ids, or patterns such as sec-tool-*." placeholder:"ID" key:"requirements"`
	Section []string          `help:"Judge only these sections of specifications, with those in them: 5.1.1, sec:5.1.1, or sec: for all of a source; 'invigilator requirements' shows them." placeholder:"SECTION" key:"sections"`
	Filter  string            `help:"Judge only what a label query of Ginkgo selects, as in 'launch && MUST && !browser'." placeholder:"QUERY" key:"filter"`
	Profile []string          `help:"Judge only these profiles: ${profiles}." placeholder:"NAME" key:"profiles"`
	Agent   string            `help:"auto, browser, or http for a client without scripts. Auto: a browser where it can tell a difference, else http." placeholder:"KIND" key:"agent"`
	Seed    string            `help:"Run the scenarios in the order of this seed. Each report names the seed of its run." placeholder:"NUMBER" key:"seed"`
	Headed  bool              `help:"Show the browser's window." key:"browser.headed"`
	Shard   string            `help:"Make only a part of the run, as in 2/3 for the second of three; 'invigilator merge' puts them together." placeholder:"I/N" key:"shard"`
	Format  string            `help:"What is printed: text, or jsonl for events, one a line (docs/events.md)." enum:"text,jsonl" default:"text" placeholder:"FORM"`
	Set     map[string]string `help:"Set any key of the configuration, as in --set timeout.launch=5s." placeholder:"KEY=VALUE" mapsep:"none"`
	terms   `embed:""`
	signing `embed:""`
}

// terms are what a run is held against, and where that is told.
type terms struct {
	FailOn   []string `help:"What turns the run red beside what failed: warned, inconclusive, findings." placeholder:"WHAT" key:"fail_on"`
	Strict   bool     `help:"As --fail-on warned,inconclusive,findings."`
	Require  []string `help:"Requirements that have to be passed whatever their level: ids, or patterns such as sec-tool-*." placeholder:"ID" key:"require"`
	Baseline string   `help:"The results.json of an earlier run: only what has got worse since turns this one red." placeholder:"FILE" key:"baseline"`
	Report   string   `help:"Folder for the reports." placeholder:"DIR" key:"report"`
}

// notEmpty finds a flag that is given but empty, as by a variable of a script that is
// not set: it must not pass for one that is not given.
func notEmpty(command *kong.Context) error {
	for _, p := range command.Path {
		if p.Flag == nil {
			continue
		}
		values, many := command.FlagValue(p.Flag).([]string)
		text, one := command.FlagValue(p.Flag).(string)
		if one && text != "" || many && len(values) > 0 && !slices.Contains(values, "") || !one && !many {
			continue
		}
		says := "--" + p.Flag.Name
		if key := p.Flag.Tag.Get("key"); key != "" {
			says += " (" + key + ")"
		}
		return fmt.Errorf("%s is given but empty: give it a value, or leave it out; 'invigilator demo' judges Invigilator's own fakes", says)
	}
	return nil
}

// settings are the values that a command line gives to keys of the configuration: by
// flags that have one, and by --set. What --strict names comes on top of what they do.
func settings(command *kong.Context) map[string]string {
	given, strict := map[string]string{}, false
	for _, p := range command.Path {
		if p.Flag == nil {
			continue
		}
		value, key := command.FlagValue(p.Flag), p.Flag.Tag.Get("key")
		switch {
		case p.Flag.Name == "strict":
			strict = value == true
		case p.Flag.Name == "set":
			set, _ := value.(map[string]string)
			for key, value := range set {
				if _, flag := given[key]; !flag {
					given[key] = value
				}
			}
		case key != "":
			if list, ok := value.([]string); ok {
				value = strings.Join(list, ",")
			}
			given[key] = fmt.Sprint(value)
		}
	}
	for _, what := range config.Failures {
		if named := given["fail_on"]; strict && !slices.Contains(strings.Split(named, ","), what) {
			given["fail_on"] = strings.TrimPrefix(named+","+what, ",")
		}
	}
	return given
}

// load reads the configuration, says which file it was read from, and what is wrong.
func load(from config.Sources) (config.Config, error) {
	from.Environ = os.Environ()
	c, err := config.Load(from)
	if c.File != "" && from.File == "" {
		complain("configuration: %s\n", c.File)
	}
	if err == nil {
		err = scenarios.CheckSelection(c)
	}
	if err == nil && c.IsEmbedded() && !from.Demo {
		err = fmt.Errorf("environment variable %s: the demo is judged by 'invigilator demo %s', and by no other command", config.Env("demo"), c.Side)
	}
	if err != nil {
		problems := c.Hide(err.Error())
		if _, missing := errors.AsType[*config.NoSubject](err); missing && !strings.Contains(problems, "\n") {
			complain("invigilator: %s\n", problems)
		} else {
			complain("The configuration is at fault:\n%s\n", indent(problems))
		}
		if invalid, ok := errors.AsType[*config.Invalid](err); ok && invalid.Snippet != "" {
			complain("\nThis would add what is missing; replace the values by your own:\n\n%s\n", indent(c.Hide(invalid.Snippet)))
		}
		return c, unusable
	}
	return c, nil
}

// expanded is the path that a flag gives, with the user's home folder where it begins with ~.
func expanded(path string) string {
	if !strings.HasPrefix(path, "~") {
		return path
	}
	return kong.ExpandPath(path)
}

// judge judges a subject of the user's. What has to be registered is told first.
func (n *named) judge(j *judging, command *kong.Context, side config.Side, introduce func(scenarios.Subject)) error {
	c, err := load(config.Sources{Side: side, File: expanded(n.Config), Folder: ".", Settings: settings(command)})
	if err != nil {
		return err
	}
	if j.Format == jsonl { // nothing comes between the events
		stdout = stderr
	}
	return j.judge(c, func(ctx context.Context, s scenarios.Subject) error {
		introduce(s)
		if c.Registers() { // it has done so
			return nil
		}
		return n.wait(ctx)
	})
}

// judge runs the specs and says what they have found, in the form that a flag names. Ready
// is called before the subject is launched; it may be nil.
func (j *judging) judge(c config.Config, ready func(context.Context, scenarios.Subject) error) error {
	signer, err := j.signer()
	if err != nil {
		return err
	}
	teller := newTeller(j.Format, c)
	doc, paths, err := scenarios.Judge(c, "Invigilator", scenarios.Hooks{Ready: ready, Progress: teller.progress, Observed: teller.observed})
	if err == nil {
		paths, err = sign(signer, paths)
	}
	teller.end(doc, paths)
	if err != nil {
		return errors.New(c.Hide(err.Error()))
	}
	if code := doc.ExitCode(); code != 0 {
		return exit(code)
	}
	return nil
}

// wait lets somebody make the registration, where somebody is there to do so.
func (n *named) wait(ctx context.Context) error {
	if n.Yes || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	say("Press Enter when that is done (or start with --yes next time). ")
	answered := make(chan struct{})
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		close(answered)
	}()
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
