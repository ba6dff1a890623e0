package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"invigilator.example/draft"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

// initCommand writes a configuration to begin with.
type initCommand struct {
	Tool     initToolCommand     `cmd:"" help:"Write the configuration for judging a tool."`
	Platform initPlatformCommand `cmd:"" help:"Write the configuration for judging a platform."`
}

// initiating is what the two have in common.
type initiating struct {
	Name    string `help:"What the report calls the subject." placeholder:"NAME"`
	Agent   string `help:"browser or http, for the first launch and for the runs." enum:",auto,browser,http" default:"" placeholder:"KIND"`
	Out     string `help:"The file to write." default:"invigilator.yaml" placeholder:"FILE"`
	Force   bool   `help:"Write over a file that is there."`
	Ask     bool   `help:"Ask for what is missing, though the standard input is no terminal."`
	answers *bufio.Reader
}

type initToolCommand struct {
	LoginURL     string `help:"The tool's login initiation endpoint." placeholder:"URL"`
	LaunchURL    string `help:"The tool's redirect URI; its answer to a login initiation tells it, too." placeholder:"URL"`
	JWKSURL      string `name:"jwks-url" help:"The tool's key set; it is looked for at usual addresses, too." placeholder:"URL"`
	ClientID     string `help:"The client_id in the tool's registration." default:"invigilator" placeholder:"ID"`
	DeploymentID string `help:"The deployment_id that the tool knows." default:"deployment-1" placeholder:"ID"`
	initiating   `embed:""`
}

type initPlatformCommand struct {
	Issuer       string `help:"The platform's issuer, or the address of its site." placeholder:"URL"`
	Product      string `help:"The platform's product, whose addresses are known, such as moodle; see 'invigilator card'." placeholder:"NAME"`
	AuthURL      string `help:"The authorization endpoint." placeholder:"URL"`
	JWKSURL      string `name:"jwks-url" help:"The key set." placeholder:"URL"`
	TokenURL     string `help:"The token endpoint." placeholder:"URL"`
	ClientID     string `help:"The client_id that the platform has given." placeholder:"ID"`
	DeploymentID string `help:"The deployment_id." placeholder:"ID"`
	SignIn       string `help:"The page on which users sign in, whose form is read." placeholder:"URL"`
	Username     string `help:"The learner's name to sign in with." placeholder:"NAME"`
	Password     string `help:"The variable of the environment that holds the learner's password: its name, such as ADA_PASSWORD." placeholder:"VARIABLE"`
	Page         string `help:"A page of the platform that launches the fake tool, or has the link that does." placeholder:"URL"`
	Link         string `help:"The words of that link." placeholder:"WORDS"`
	initiating   `embed:""`
}

// question is one that is asked where its answer is not given.
type question struct {
	answer *string
	says   string
}

// ask asks what is not known, where somebody is there to answer.
func (i *initiating) ask(questions ...question) {
	if !i.Ask && !term.IsTerminal(int(os.Stdin.Fd())) {
		return
	}
	if i.answers == nil {
		i.answers = bufio.NewReader(os.Stdin)
		say("Enter leaves out what you do not know.\n")
	}
	for _, q := range questions {
		if *q.answer != "" {
			continue
		}
		say("%s: ", q.says)
		line, err := i.answers.ReadString('\n')
		*q.answer = strings.TrimSpace(line)
		if err != nil {
			say("\n")
			return
		}
	}
}

// may says whether the file may be written.
func (i *initiating) may() error {
	if _, err := os.Lstat(i.Out); err == nil && !i.Force {
		return fmt.Errorf("%s is there already: name another file with --out, or write over it with --force", i.Out)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// schemaFile is where editors find the schema, beside the configuration.
const schemaFile = "invigilator.schema.json"

// write writes the configuration, and the schema beside it.
func (i *initiating) write(text string) error {
	if err := i.may(); err != nil { // it may have come meanwhile
		return err
	}
	schema, err := json.MarshalIndent(config.Schema(), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(i.Out), schemaFile), append(schema, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(i.Out, []byte(text), 0o644); err != nil {
		return err
	}
	say("written: %s, and %s for editors\n", i.Out, schemaFile)
	return nil
}

// next says which commands come now.
func (i *initiating) next(side config.Side, missing error) {
	option := ""
	if i.Out != config.FileName {
		option = " --config " + i.Out
	}
	if missing != nil {
		say("Still missing, as the comments in it say:\n%s\n", indent(missing.Error()))
	}
	say("Now: invigilator check%s, and then: invigilator %s%s\n", option, side, option)
}

// drafted reads what is written, and says what it lacks.
func drafted(side config.Side, text string) (config.Config, error) {
	return config.Load(config.Sources{Side: side, Text: []byte(text), Environ: os.Environ()})
}

// Run looks at the tool and writes the configuration.
func (t *initToolCommand) Run() error {
	if err := t.may(); err != nil {
		return err
	}
	t.ask(question{&t.LoginURL, "The tool's login initiation endpoint, as in http://localhost:3000/login"},
		question{&t.LaunchURL, "Its redirect URI, where launches are posted, as in http://localhost:3000/launch"})
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	d := draft.Tool{
		Schema: "./" + schemaFile, Agent: t.Agent, Name: t.Name, LoginURL: t.LoginURL, LaunchURL: t.LaunchURL, JWKSURL: t.JWKSURL,
		ClientID: t.ClientID, DeploymentID: t.DeploymentID,
	}
	d.Look(ctx, config.Default(config.ToolSide).FakePlatform.URL)
	text, err := d.Write()
	if err != nil {
		return err
	}
	c, missing := drafted(config.ToolSide, text)
	if missing == nil && d.Registered() {
		d.Page = firstLaunch(ctx, c, &d)
		if text, err = d.Write(); err != nil {
			return err
		}
	}
	tellAllOf(d.Told)
	if err := t.write(text); err != nil {
		return err
	}
	t.next(config.ToolSide, missing)
	return nil
}

// tellAllOf says what was looked at.
func tellAllOf(told []string) {
	for _, line := range told {
		say("%s\n", results.Bounded(folded(line), 500))
	}
}

// firstLaunch makes the launches of the preflight, and says on which page a valid one ends.
func firstLaunch(ctx context.Context, c config.Config, d *draft.Tool) string {
	run, err := harness.Start(ctx, c, 1)
	if err != nil {
		d.Told = append(d.Told, "No launch was tried: "+err.Error()+".")
		return ""
	}
	defer run.Close()
	found, err := run.Preflight(ctx)
	if err != nil {
		problem := err.Error()
		if d, ok := errors.AsType[*results.Diagnosis](err); ok {
			problem = d.Problem
		}
		d.Told = append(d.Told, "A first launch did not work: "+problem+" 'invigilator check' says more.")
		return ""
	}
	d.Told = append(d.Told, "Launches work.")
	first := slices.Sorted(maps.Keys(found.Flows))
	if len(first) == 0 {
		return ""
	}
	page := found.Flows[first[0]].Page
	return fmt.Sprintf("The first launch ended at %s, on the page %q.", results.URL(page.URL), page.Title)
}

// Run looks at the platform and writes the configuration.
func (p *initPlatformCommand) Run() error {
	if err := p.may(); err != nil {
		return err
	}
	p.ask(question{&p.Issuer, "The platform's issuer, or the address of its site, as in https://lms.example"},
		question{&p.ClientID, "The client_id that it has given the fake tool"},
		question{&p.SignIn, "The page on which users sign in, as in https://lms.example/login"})
	if p.SignIn != "" {
		p.ask(question{&p.Username, "The learner's name to sign in with"}, question{&p.Password, "The variable of the environment that holds the password, as in ADA_PASSWORD"})
	}
	p.ask(question{&p.Page, "A page that launches the fake tool, or has the link that does"}, question{&p.Link, "The words of that link"})
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	d := draft.Platform{
		Schema: "./" + schemaFile, Agent: p.Agent, Name: p.Name, Issuer: p.Issuer, AuthURL: p.AuthURL, JWKSURL: p.JWKSURL, TokenURL: p.TokenURL,
		ClientID: p.ClientID, DeploymentID: p.DeploymentID, Username: p.Username, Password: strings.Trim(p.Password, "${}"), Page: p.Page, Link: p.Link,
	}
	if err := d.Look(ctx, p.Product, p.SignIn); err != nil {
		return err
	}
	p.ask(question{&d.AuthURL, "The authorization endpoint, as in https://lms.example/lti/auth"}, question{&d.JWKSURL, "The key set, as in https://lms.example/lti/keys"},
		question{&d.TokenURL, "The token endpoint, as in https://lms.example/lti/token"})
	text, err := d.Write()
	if err != nil {
		return err
	}
	c, missing := drafted(config.PlatformSide, text)
	if missing == nil {
		firstPlatformLaunch(ctx, c, &d)
		if text, err = d.Write(); err != nil {
			return err
		}
	}
	for i := range d.Told {
		d.Told[i] = c.Hide(d.Told[i])
	}
	tellAllOf(d.Told)
	if err := p.write(text); err != nil {
		return err
	}
	p.next(config.PlatformSide, missing)
	return nil
}

// firstPlatformLaunch makes the learner's journey, and takes down what its launch shows.
func firstPlatformLaunch(ctx context.Context, c config.Config, d *draft.Platform) {
	tell := func(format string, args ...any) { d.Told = append(d.Told, fmt.Sprintf(format, args...)) }
	run, err := harness.StartPlatform(ctx, c, 1)
	if err != nil {
		tell("No launch was tried: %v.", err)
		return
	}
	defer run.Close()
	name, _ := c.JourneyTo(config.Learner, config.ResourceLink)
	_, flow, err := run.JourneyToLaunch(ctx, name, nil, func(string) {})
	if err != nil {
		tell("No first launch: %v. To see it again: invigilator journey %s", err, name)
		return
	}
	if problem := run.WhyNoLaunch(ctx, flow); problem != nil {
		tell("No first launch: %s 'invigilator check' says more.", problem.Problem)
		return
	}
	tell("A first launch has worked; the features are those that it shows.")
	d.Learn(flow.Initiation(), flow.Message().Claims)
}
