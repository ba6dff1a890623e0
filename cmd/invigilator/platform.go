package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator/harness"
	"invigilator/harness/config"
	"invigilator/lti"
	"invigilator/scenarios"
	_ "invigilator/scenarios/platform" // the specs
)

type platformCommand struct {
	judging `embed:""`
}

// Run judges the platform and says what came of it.
func (p *platformCommand) Run() error {
	c, err := p.load(config.PlatformSide, map[string]string{})
	if err != nil {
		return err
	}
	return p.judge(c, func(s scenarios.Subject) { introduceTool(s.(*harness.PlatformRun)) })
}

// introduceTool says what has to be registered in a real platform.
func introduceTool(r *harness.PlatformRun) {
	for i, known := range r.ToolRegistrations() {
		switch {
		case i == 0:
			fmt.Println("Register this tool in the platform:")
		case r.Has(config.MultipleTools):
			fmt.Println("Register as well, for the feature " + config.MultipleTools + ":")
		default:
			continue
		}
		fmt.Printf(`  client_id             %s (that the platform gives, or is given)
  login initiation URL  %s
  redirect URIs         %s
  target link URI       %s
  key set (JWKS) URL    %s
`, known.ClientID, known.LoginURL, strings.Join(known.RedirectURIs, " "), known.TargetLinkURI, known.JWKSURL)
		if pem, public, err := publicKey(known.Key); err == nil {
			fmt.Printf("Where it takes a key instead of a key set URL:\n%s%s\n\n", pem, public)
		}
	}
}

// publicKey returns the public half of a key as PEM and as a JWK.
func publicKey(key jwk.Key) (pem, encoded []byte, err error) {
	set, err := lti.PublicSet(key)
	if err != nil {
		return nil, nil, err
	}
	public, ok := set.Key(0)
	if !ok {
		return nil, nil, errors.New("no public key")
	}
	if pem, err = jwk.Pem(public); err != nil {
		return nil, nil, err
	}
	encoded, err = json.Marshal(public)
	return pem, encoded, err
}

type journeyCommand struct {
	Name     string `arg:"" help:"The journey, as the configuration names it."`
	LineItem string `help:"What {line_item} stands for in it: the label of a line item." placeholder:"LABEL"`
	Learner  string `help:"What {learner} stands for in it; the name of the user learner where nothing is said." placeholder:"NAME"`
	Config   string `help:"Configuration file (YAML). Without one, the journeys are those of the embedded campus." type:"path" placeholder:"FILE"`
	Headed   bool   `help:"Show the browser's window."`
	Agent    string `help:"browser, or http for a client without scripts." placeholder:"KIND"`
	Picture  string `help:"File for a picture of the page that it ends on." default:"invigilator-journey.jpg" placeholder:"FILE"`
}

// Run makes the journey and prints each step.
func (j *journeyCommand) Run() error {
	own := judging{Config: j.Config, Headed: j.Headed, Agent: j.Agent}
	c, err := own.load(config.PlatformSide, map[string]string{})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run, err := harness.StartPlatform(ctx, c, 1)
	if err != nil {
		return err
	}
	defer run.Close()
	given, err := j.words(run)
	if err != nil {
		return err
	}
	n := 0
	trip, err := run.Journey(ctx, j.Name, given, func(step string) {
		n++
		fmt.Printf("%2d  %s\n", n, step)
	})
	if errors.Is(err, harness.ErrNoJourney) {
		return fmt.Errorf("there is no journey %q; there are %s", j.Name, strings.Join(run.Journeys(), ", "))
	}
	stuck, isStuck := errors.AsType[*harness.JourneyError](err)
	switch {
	case isStuck:
		fmt.Fprintf(os.Stderr, "Stuck: %s\n", stuck)
		j.keep(stuck.Picture)
		return exit(1)
	case err != nil:
		return err
	}
	if strings.HasPrefix(trip.Page.URL, c.Tool.URL+"/") {
		fmt.Printf("The login initiation has reached the fake tool, in a %s.\n", trip.In)
	} else {
		fmt.Printf("It ended in a %s at %s\n", trip.In, c.Hide(trip.Page.URL))
	}
	j.keep(trip.Screenshot)
	return nil
}

// words are those that stand for something in the journey, each followed by what it
// stands for.
func (j *journeyCommand) words(run *harness.PlatformRun) ([]string, error) {
	learner, _ := run.User(config.Learner)
	given := []string{"{line_item}", j.LineItem, "{learner}", cmp.Or(j.Learner, learner.Name)}
	for i, flag := range map[int]string{0: "--line-item", 2: "--learner"} {
		if given[i+1] == "" && run.JourneyNames(j.Name, given[i]) {
			return nil, fmt.Errorf("the journey %s is about %s: say which with %s", j.Name, given[i], flag)
		}
	}
	return given, nil
}

// keep writes the picture of the page that the journey ended on.
func (j *journeyCommand) keep(picture []byte) {
	if len(picture) == 0 {
		return
	}
	if err := os.WriteFile(j.Picture, picture, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "no picture:", err)
		return
	}
	fmt.Println("picture:", j.Picture)
}
