package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator/faketool"
	"invigilator/harness/agent"
	"invigilator/harness/config"
	"invigilator/results"
)

// A Seat is a user of the platform at a browser of their own, signed in.
type Seat struct {
	agent.User
	Name string // of the user in the configuration
}

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

func (e *JourneyError) Error() string {
	if e.Step > e.Of {
		return fmt.Sprintf("%s came to its end, but not to a launch: %s", e.Journey, e.Why)
	}
	return fmt.Sprintf("%s got stuck at step %d of %d (%s): %s", e.Journey, e.Step, e.Of, e.Doing, e.Why)
}

// errNoClick says that a journey has no link to click.
var errNoClick = fmt.Errorf("%w: the last step of the journey is no click", ErrNoJourney)

// ErrNoJourney says that no journey leads where a check has to go.
var ErrNoJourney = errors.New("no journey for it is configured")

// action returns what the agent does for a step.
func (r *base) action(s config.Step) agent.Action {
	a := agent.Action{Frame: s.Frame}
	a.Within, _ = time.ParseDuration(s.Within) // checked when it was read
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
	a.Secret = r.config.Hide(a.Value) != a.Value
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

// travel makes a journey. Where it gets stuck the error is a [*JourneyError]. A
// picture is taken there, and for those who follow the steps: what launches end
// on has a picture of its own.
func (r *PlatformRun) travel(ctx context.Context, by agent.User, name string, actions []agent.Action, until string, tell func(agent.Action)) (*agent.Trip, error) {
	v := r.visit("")
	j := agent.Journey{
		Actions: actions, Until: until, Quiet: v.Quiet, Also: v.Also, Screenshot: tell != nil, Tell: tell,
		Whole:    true, // what is kept of it is rid of secrets when it is written down
		Patience: r.config.Patience.Step.Std(),
		Deadline: v.Deadline + time.Duration(len(actions))*r.config.Patience.Step.Std(),
	}
	if !r.config.Embedded.OnlyVerdicts { // else nothing of it is kept
		j.Secrets = slices.Collect(maps.Keys(r.config.Secrets))
	}
	trip, err := by.Go(ctx, j)
	if err != nil || trip.Stuck == nil {
		return trip, err
	}
	stuck := &JourneyError{
		Journey: name, Step: trip.Stuck.Action + 1, Of: len(actions), Why: r.config.Hide(trip.Stuck.Why),
		Picture: trip.Screenshot, page: trip.Page, steps: trip.Steps, ended: trip.Ended, signIn: trip.Markers[signInMarker],
	}
	if trip.Stuck.Action < len(actions) {
		stuck.Doing = r.inWords(actions[trip.Stuck.Action])
	}
	return trip, stuck
}

// SignIn opens a browser for a user and signs the user in. Close it after use.
func (r *PlatformRun) SignIn(ctx context.Context, name string, tell func(agent.Action)) (*Seat, error) {
	by, err := r.Open(ctx)
	if err != nil {
		return nil, err
	}
	seat := &Seat{User: by, Name: name}
	if err := r.signInAt(ctx, seat, name, tell); err != nil {
		seat.Close()
		return nil, err
	}
	return seat, nil
}

// signInAt signs a user in at a seat.
func (r *PlatformRun) signInAt(ctx context.Context, seat *Seat, name string, tell func(agent.Action)) error {
	user := r.users[name]
	if len(user.SignIn) == 0 {
		return nil
	}
	var actions []agent.Action
	for _, step := range user.SignIn {
		actions = append(actions, r.action(step))
	}
	_, err := r.travel(ctx, seat, "the sign-in of "+name, actions, "", tell)
	return err
}

// seat returns the browser in which a user stays signed in.
func (r *PlatformRun) seat(ctx context.Context, name string) (*Seat, error) {
	if seat := r.seats[name]; seat != nil {
		return seat, nil
	}
	seat, err := r.SignIn(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	r.seats[name] = seat
	return seat, nil
}

// leave gives up the browser of a user who no longer can be where a journey
// begins; the next journey signs in anew.
func (r *PlatformRun) leave(seat *Seat) {
	if seat != nil && r.seats[seat.Name] == seat {
		seat.Close()
		delete(r.seats, seat.Name)
	}
}

// Journey makes a journey by name, signing its user in before.
//
// Each step is told when it is done.
func (r *PlatformRun) Journey(ctx context.Context, name string, tell func(step string)) (*agent.Trip, error) {
	j, ok := r.journeys[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNoJourney, name)
	}
	says := func(a agent.Action) { tell(r.inWords(a)) }
	seat, err := r.SignIn(ctx, j.User, says)
	if err != nil {
		return nil, err
	}
	defer seat.Close()
	until := r.heldPages()
	if j.Does != "" {
		until = ""
	}
	return r.travel(ctx, seat, "the journey "+name, r.actions(j), until, says)
}

func (r *PlatformRun) actions(j config.Journey) []agent.Action {
	var actions []agent.Action
	for _, step := range j.Steps {
		actions = append(actions, r.action(step))
	}
	return actions
}

// heldPages are where a journey that launches leads: the fake tool's page of a
// login that it holds.
func (r *PlatformRun) heldPages() string { return r.config.Tool.URL + faketool.HeldPath + "/" }

// AsksToSignIn says whether the flow ended on a page that asks the user to log
// in: one with a password field, or the one that users sign in on.
func (s *PlatformScenario) AsksToSignIn(f *PlatformFlow) bool {
	if f.Trip.Ended != agent.Settled || f.Trip.Page.Status >= http.StatusBadRequest {
		return false
	}
	return f.Trip.Markers[signInMarker] || slices.ContainsFunc(s.run.signInPages(), func(page string) bool {
		return sameURL(withoutQuery(f.Trip.Page.URL), page)
	})
}

// signInPages are the pages that users open to sign in.
func (r *PlatformRun) signInPages() []string {
	var pages []string
	for _, user := range r.users {
		for _, step := range user.SignIn {
			if step.Open != "" {
				pages = append(pages, withoutQuery(step.Open))
				break
			}
		}
	}
	return pages
}
