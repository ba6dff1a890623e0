package harness

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
)

// A Recorded journey is what a human has done in the platform, up to a launch.
type Recorded struct {
	// SignIn are the steps of the sign-in, where there was one: up to the first click after
	// a password. {username} and {password} stand in them.
	SignIn config.Steps
	// Username is what the human has signed in with, and Password the variable of the
	// environment for what the run does not know.
	Username, Password string
	Steps              config.Steps
}

// Record shows a browser's window with a page of the platform, and takes down what a human
// does there until a login initiation reaches the fake tool, the window is closed, or the
// context ends. Each step is told when it is done.
func (r *PlatformRun) Record(ctx context.Context, start string, tell func(step string)) (Recorded, error) {
	browser, ok := r.main.(*agent.Browser)
	if !ok {
		return Recorded{}, agent.ErrNeedsBrowser
	}
	done, err := browser.Record(ctx, agent.Recording{
		URL: start, Until: r.config.FakeTool.URL + faketool.HeldPath + "/",
		Tell: func(a agent.Recorded) {
			if a.Secret {
				a.Value = "${" + variableOf(a.Value) + "}"
			}
			tell(r.inWords(a.Action))
		},
	})
	return recordedOf(done, r.config.Hide), err
}

// recordedOf makes a journey of what was done. Hide puts the names of known secrets in their
// place.
func recordedOf(done []agent.Recorded, hide func(string) string) Recorded {
	var made Recorded
	secret := slices.IndexFunc(done, func(a agent.Recorded) bool { return a.Secret })
	begin := 0
	if secret >= 0 {
		made.Password = variableOf(done[secret].Value)
		for begin = secret + 1; begin < len(done) && done[begin-1].Verb != agent.Click; begin++ {
		}
		for i, a := range done[:begin] {
			step := stepOf(a.Action, hide)
			switch {
			case a.Secret:
				step.With = "{password}"
			case a.Verb == agent.Fill && i < secret && !slices.ContainsFunc(done[i+1:secret], func(a agent.Recorded) bool { return a.Verb == agent.Fill }):
				made.Username, step.With = step.With, "{username}"
			}
			made.SignIn = append(made.SignIn, step)
		}
		if begin < len(done) && done[begin].Verb != agent.Open { // the journey begins on a page of its own
			made.Steps = append(made.Steps, config.Step{Open: done[begin].Page})
		}
	}
	for _, a := range done[begin:] {
		made.Steps = append(made.Steps, stepOf(a.Action, hide))
	}
	return made
}

// stepOf is the step of a configuration that is an action.
func stepOf(a agent.Action, hide func(string) string) config.Step {
	// What pages show names no variable of the environment.
	a.Target, a.Frame = strings.ReplaceAll(a.Target, "${", "$${"), strings.ReplaceAll(a.Frame, "${", "$${")
	if !a.Secret {
		a.Value = hide(strings.ReplaceAll(a.Value, "${", "$${"))
	}
	step := config.Step{Frame: a.Frame}
	switch a.Verb {
	case agent.Open:
		step.Open = a.Target
	case agent.Fill:
		step.Fill, step.With = a.Target, a.Value
		if a.Secret {
			step.With = "${" + variableOf(a.Value) + "}"
		}
	case agent.Choose:
		step.Choose, step.Option = a.Target, a.Value
	default:
		step.Click = a.Target
	}
	return step
}

var noName = regexp.MustCompile(`[^A-Z0-9]+`)

// variableOf is the variable of the environment for a field that is called so.
func variableOf(field string) string {
	name := strings.Trim(noName.ReplaceAllString(strings.ToUpper(field), "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return strings.TrimSuffix("PASSWORD_"+name, "_")
	}
	return name
}

// YAML returns the journey as a part of a configuration: by the name of the journey, of a
// user, to a launch.
func (m Recorded) YAML(name, user string, launch config.LaunchKind) (string, error) {
	var all yaml.MapSlice
	if len(m.SignIn) > 0 {
		who := yaml.MapSlice{}
		if m.Username != "" {
			who = append(who, yaml.MapItem{Key: "username", Value: m.Username})
		}
		who = append(who, yaml.MapItem{Key: "password", Value: "${" + m.Password + "}"})
		all = append(all, yaml.MapItem{Key: "sign_in", Value: config.Ordered(m.SignIn)}, yaml.MapItem{Key: "users", Value: yaml.MapSlice{{Key: user, Value: who}}})
	}
	all = append(all, yaml.MapItem{Key: "journeys", Value: yaml.MapSlice{{Key: name, Value: yaml.MapSlice{
		{Key: "user", Value: user}, {Key: "launch", Value: string(launch)}, {Key: "steps", Value: config.Ordered(m.Steps)},
	}}}})
	text, err := yaml.MarshalWithOptions(all, yaml.Indent(2), yaml.IndentSequence(true))
	return string(text), err
}
