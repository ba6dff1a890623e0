package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	_ "invigilator.example/scenarios/all" // the specs
)

type platformCommand struct {
	PublicURL string `help:"The address at which a tunnel or proxy leads browsers and the platform's server to this run. Default: only the run's own browser finds it." placeholder:"URL" key:"fake_tool.url"`
	named     `embed:""`
	judging   `embed:""`
}

// Run judges the platform and says what came of it.
func (p *platformCommand) Run(command *kong.Context) error {
	return p.named.judge(&p.judging, command, config.PlatformSide, func(s scenarios.Subject) { introduceTool(s.(*harness.PlatformRun)) })
}

// introduceTool says what has to be registered in a real platform.
func introduceTool(r *harness.PlatformRun) {
	for i, known := range r.ToolRegistrations() {
		switch {
		case i == 0:
			say("Register this tool in the platform:\n")
		case r.Has(config.MultipleTools):
			say("Register this tool, too, for the feature %s:\n", config.MultipleTools)
		default:
			continue
		}
		say(`  client_id             %s (as the platform gives it, or takes it from you)
  login initiation URL  %s
  redirect URIs         %s
  target link URI       %s
  key set (JWKS) URL    %s
`, known.ClientID, known.LoginURL, strings.Join(known.RedirectURIs, " "), known.TargetLinkURI, known.JWKSURL)
		if pem, public, err := publicKey(known.Key); err == nil {
			say("If the platform takes a public key instead of a key set URL, give it this one:\n%s%s\n\n", pem, public)
		}
	}
	say("'invigilator card' has this in the words of Moodle, Canvas and others.\n")
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

// journeyCommand makes a journey of a platform of the user's.
type journeyCommand struct {
	Config     string `help:"Configuration file (YAML). Default: invigilator.yaml in this folder, if there is one." placeholder:"FILE"`
	Record     bool   `help:"Show a browser's window, and print the YAML of the journey that you make in it."`
	Page       string `help:"With --record, the page to begin with. Default: the platform's issuer." placeholder:"URL"`
	User       string `help:"With --record, who makes the journey." default:"learner" placeholder:"NAME"`
	Launch     string `help:"With --record, what it launches." default:"resource-link" placeholder:"KIND"`
	journeying `embed:""`
}

// Run makes the journey and prints each step.
func (j *journeyCommand) Run(command *kong.Context) error {
	if j.Record {
		return j.record(config.Sources{Side: config.PlatformSide, File: expanded(j.Config), Folder: ".", Settings: settings(command)})
	}
	return j.make(config.Sources{Side: config.PlatformSide, File: expanded(j.Config), Folder: ".", Settings: settings(command)})
}

// record prints the journey that somebody makes in a browser's window.
func (j *journeyCommand) record(from config.Sources) error {
	c, err := loadLacking(from)
	if err != nil {
		return err
	}
	start := cmp.Or(j.Page, c.Platform.Issuer)
	if u, err := url.Parse(start); err != nil || u.Host == "" {
		return errors.New("--page: name the page of the platform to begin with")
	}
	c.Browser.Headed, c.Agent = c.Browser.DevToolsURL == "", "browser"
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	run, err := harness.StartPlatform(ctx, c, 1)
	if err != nil {
		return errors.New(c.Hide(err.Error()))
	}
	defer run.Close()
	complain("Make the journey in the window, from signing in to the launch.\n")
	n := 0
	made, err := run.Record(ctx, start, func(step string) {
		n++
		complain("%2d  %s\n", n, folded(step))
	})
	if err != nil {
		return errors.New(c.Hide(err.Error()))
	}
	text, err := made.YAML(j.Name, j.User, config.LaunchKind(j.Launch))
	if err == nil {
		say("%s", text)
	}
	return err
}

// journeying is what the commands that make a journey have in common.
type journeying struct {
	Name     string `arg:"" help:"The name of the journey in the configuration."`
	LineItem string `help:"The label of the line item that {line_item} stands for." placeholder:"LABEL"`
	Title    string `help:"The title of the content that {title} stands for." placeholder:"TITLE"`
	Learner  string `help:"The full name of the user whose name and id {learner} and {user_id} stand for. Default: the user learner, or the user who makes the journey." placeholder:"NAME"`
	Unique   string `help:"The text that {unique} stands for. Default: a new one." placeholder:"TEXT"`
	Headed   bool   `help:"Show the browser's window." key:"browser.headed"`
	Agent    string `help:"browser, which auto stands for as well, or http for a client without scripts." placeholder:"KIND" key:"agent"`
	Picture  string `help:"File for a picture of the last page; its name ends in .jpg or .png." default:"invigilator-journey.jpg" placeholder:"FILE"`
}

// Validate says where the name of the picture is none of one.
func (j *journeying) Validate() error {
	if kind := strings.ToLower(filepath.Ext(j.Picture)); kind != ".jpg" && kind != ".jpeg" && kind != ".png" {
		return fmt.Errorf("--picture %s: a picture's name ends in .jpg or .png", j.Picture)
	}
	return nil
}

// make makes the journey and prints each step.
func (j *journeying) make(from config.Sources) error {
	c, err := load(from)
	if err != nil {
		return err
	}
	err = j.travel(c)
	if _, said := errors.AsType[exit](err); err != nil && !said {
		return errors.New(c.Hide(err.Error()))
	}
	return err
}

func (j *journeying) travel(c config.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
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
	trip, flow, err := run.JourneyToLaunch(ctx, j.Name, given, func(step string) {
		n++
		say("%2d  %s\n", n, strings.Join(strings.Fields(step), " "))
	})
	if errors.Is(err, harness.ErrNoJourney) {
		return fmt.Errorf("there is no journey %q; there are %s", j.Name, strings.Join(run.Journeys(), ", "))
	}
	stuck, isStuck := errors.AsType[*harness.JourneyError](err)
	switch {
	case isStuck:
		complain("Stuck: %s\n", strings.Join(strings.Fields(stuck.Error()), " "))
		j.keep(stuck.Picture)
		return exit(1)
	case err != nil:
		return err
	}
	if flow == nil {
		say("It ended in a %s at %s\n", trip.In, c.Hide(trip.Page.URL))
		j.keep(trip.Screenshot)
		return nil
	}
	say("The login initiation has reached the fake tool, in a %s.\n", trip.In)
	j.keep(trip.Screenshot)
	if d := run.WhyNoLaunch(ctx, flow); d != nil {
		complain("%s\n", d.Hide(c.Hiding().Hide).Error())
		return exit(1)
	}
	message := flow.Message()
	say("The platform has sent an id_token. Its header and its claims, which nothing has checked:\n%s\n%s\n", shown(c, message.Header), shown(c, message.Claims))
	return nil
}

// shown is what a part of a message says, as it may be shown on a terminal.
func shown(c config.Config, part map[string]any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(part); err != nil {
		return err.Error() // what was read as JSON can be written
	}
	return results.Bounded(c.Hide(strings.TrimSuffix(text.String(), "\n")), maxShown)
}

// maxShown is how much of a part of a message is shown, in bytes.
const maxShown = 32 << 10

// words are those that stand for something in the journey, each followed by what it
// stands for, as far as the command says so.
func (j *journeying) words(run *harness.PlatformRun) ([]string, error) {
	var given []string
	for _, word := range []struct{ name, says, missing string }{
		{"{line_item}", j.LineItem, "name the line item with --line-item"}, {"{title}", j.Title, "give the title with --title"},
	} {
		if word.says != "" {
			given = append(given, word.name, word.says)
		} else if run.JourneyNames(j.Name, word.name) {
			return nil, fmt.Errorf("the journey %s contains %s: %s", j.Name, word.name, word.missing)
		}
	}
	if j.Learner != "" {
		given = append(given, run.WordsAbout(j.Learner)...)
	}
	if j.Unique != "" {
		given = append(given, "{unique}", j.Unique)
	}
	return given, nil
}

// keep writes the picture, a JPEG, of the page that the journey ended on.
func (j *journeying) keep(picture []byte) {
	if len(picture) == 0 {
		say("no picture: only the agent browser takes pictures\n")
		return
	}
	var err error
	if strings.EqualFold(filepath.Ext(j.Picture), ".png") {
		picture, err = asPNG(picture)
	}
	if err == nil {
		err = os.WriteFile(j.Picture, picture, 0o600)
	}
	if err != nil {
		complain("no picture: %v\n", err)
		return
	}
	say("picture: %s\n", j.Picture)
}

func asPNG(picture []byte) ([]byte, error) {
	decoded, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	flat := image.NewNRGBA(decoded.Bounds())
	draw.Draw(flat, flat.Bounds(), decoded, decoded.Bounds().Min, draw.Src)
	var encoded bytes.Buffer
	err = png.Encode(&encoded, flat)
	return encoded.Bytes(), err
}
