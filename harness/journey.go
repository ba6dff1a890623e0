package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/visible"
)

// A JourneyError says at which step a journey got stuck.
type JourneyError struct {
	Journey string // its name
	Step    int    // the first is 1
	Of      int
	Doing   string // the step in words
	Why     string
	// Picture is a JPEG image of the page that it got stuck on, where there is one.
	Picture []byte
	page    results.Page
	steps   []results.Step
	ended   agent.Ending
	signIn  bool // the page asks the user to log in
}

// endedSession says whether the user's session seems to have ended: sites forget sessions in time.
func (e *JourneyError) endedSession() bool {
	return e.signIn || e.page.Status == http.StatusUnauthorized || e.page.Status == http.StatusForbidden
}

// AsksToSignIn says whether it got stuck on a page that asks the user to log in.
func (e *JourneyError) AsksToSignIn() bool { return e.signIn }

func (e *JourneyError) Error() string {
	if e.Step > e.Of {
		return fmt.Sprintf("%s reached its last step, but no launch: %s", e.Journey, e.Why)
	}
	return fmt.Sprintf("%s got stuck at step %d of %d (%s): %s", e.Journey, e.Step, e.Of, e.Doing, e.Why)
}

// ErrNoJourney says that no journey leads where a check has to go.
var ErrNoJourney = errors.New("no journey for it is configured")

// action returns what the agent does for a step.
func (r *base) action(s config.Step) agent.Action {
	a := agent.Action{Frame: s.Frame, Says: s.Human}
	a.Within, _ = time.ParseDuration(s.Within) // checked when it was read
	if s.Human != "" && a.Within == 0 {
		a.Within = humanPatience
	}
	switch {
	case s.Open != "":
		a.Verb, a.Target = agent.Open, s.Open
	case s.Fill != "":
		a.Verb, a.Target, a.Value = agent.Fill, s.Fill, s.With
	case s.Click != "":
		a.Verb, a.Target = agent.Click, s.Click
	case s.Choose != "":
		a.Verb, a.Target, a.Value = agent.Choose, s.Choose, s.Option
	default:
		a.Verb, a.Target = agent.Wait, s.Wait
	}
	a.Secret = r.config.Hiding().Holds(a.Value)
	return a
}

// inWords says what an action does, without its secrets.
func (r *base) inWords(a agent.Action) string {
	words := strings.TrimSpace(fmt.Sprintf("%s %s", a.Verb, a.Target))
	switch {
	case a.Verb == agent.Fill:
		words += " with " + a.Value
	case a.Verb == agent.Choose && a.Value != "":
		words += ", " + a.Value
	}
	if a.Frame != "" {
		words += " in the frame " + a.Frame
	}
	return r.config.Hide(words)
}

// humanPatience is how long a human has for what a step asks of one.
const humanPatience = 5 * time.Minute

// actionsOf returns what the run's agent does for steps, in which words stand for
// something.
func (r *base) actionsOf(steps config.Steps, given words) []agent.Action {
	var actions []agent.Action
	for _, step := range steps.By(string(r.Agent().Kind)) {
		actions = append(actions, r.action(step))
	}
	return given.fill(actions)
}

// uniqueWord stands for a text that no other journey has.
const uniqueWord = "{unique}"

func unique() string { return strings.ToLower(rand.Text()[:12]) }

// makeJourney makes a journey of that name, whose actions, end and signs are given.
// Where it gets stuck the error is a [*JourneyError]; then a picture is taken.
func (r *base) makeJourney(ctx context.Context, by agent.User, name string, j agent.Journey) (*agent.Trip, error) {
	asks := slices.ContainsFunc(j.Actions, func(a agent.Action) bool { return a.Says != "" })
	if (asks || len(j.Actions) == 0) && j.In != agent.Here && r.Agent().Kind == results.HTTP { // a human sits before a browser, or all steps are for one
		return nil, agent.ErrNeedsBrowser
	}
	j.Quiet, j.Whole = r.config.Browser.IdleTime.Std(), true // what is kept of it is rid of secrets when it is written down
	if j.Patience == 0 {
		j.Patience = r.config.Timeout.Step.Std()
	}
	j.Deadline = r.Patience() + j.Patience
	for _, a := range j.Actions {
		j.Deadline += max(j.Patience, a.Within)
	}
	if !r.config.Embedded.OnlyVerdicts { // else nothing of it is kept
		j.Secrets = slices.Collect(maps.Keys(r.config.Secrets))
	}
	j.Ask = func(a agent.Action) {
		fmt.Fprintf(os.Stderr, "\nYour turn, in the browser, within %s: %s\n", a.Within, visible.Text(a.Says))
	}
	trip, err := by.Go(ctx, j)
	if err != nil || trip.Stuck == nil {
		return trip, err
	}
	stuck := &JourneyError{
		Journey: name, Step: trip.Stuck.Action + 1, Of: len(j.Actions), Why: r.config.Hide(trip.Stuck.Why),
		Picture: trip.Screenshot, page: trip.Page, steps: trip.Steps, ended: trip.Ended, signIn: trip.Markers[signInMarker],
	}
	if trip.Stuck.Action < len(j.Actions) {
		stuck.Doing = r.inWords(j.Actions[trip.Stuck.Action])
	}
	return trip, stuck
}

// words are those that stand for something in the steps of journeys, each followed by
// what it stands for. What comes first holds.
type words []string

// fill puts what the words stand for into actions.
func (w words) fill(actions []agent.Action) []agent.Action {
	for i, a := range actions {
		actions[i].Target = w.inTarget(a.Target)
		if !a.Secret { // a password may have braces
			actions[i].Value = w.in(a.Value)
		}
		if a.Verb == agent.Open {
			actions[i].Target = w.quoted(url.QueryEscape).in(a.Target)
		}
	}
	return actions
}

func (w words) in(text string) string { return strings.NewReplacer(w...).Replace(text) }

// inTarget puts them into what is looked for on a page: into a CSS selector as into a
// string there.
func (w words) inTarget(target string) string {
	for _, plain := range []string{"text=", "label=", "url="} {
		if strings.HasPrefix(target, plain) {
			return w.in(target)
		}
	}
	return w.quoted(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace).in(target)
}

// quoted writes what the words stand for in another way.
func (w words) quoted(quote func(string) string) words {
	quoted := slices.Clone(w)
	for i := 1; i < len(quoted); i += 2 {
		quoted[i] = quote(quoted[i])
	}
	return quoted
}
