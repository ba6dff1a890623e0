package harness

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
)

// A Seat is a user of the platform at a browser of their own, signed in.
type Seat struct {
	agent.User
	Name string // of the user in the configuration
}

// A place is where a user stays signed in: in what carries the user.
type place struct {
	agent agent.Agent
	user  string
}

// errNoClick says that a journey has no link to click.
var errNoClick = fmt.Errorf("%w: the last step of the journey is not a click", ErrNoJourney)

// travelTo makes a journey that ends where Until says, or with its last action.
// A picture is taken for those who follow the steps: what launches end on has a
// picture of its own.
func (r *PlatformRun) travelTo(ctx context.Context, by agent.User, name string, actions []agent.Action, until string, tell func(agent.Action)) (*agent.Trip, error) {
	return r.makeJourney(ctx, by, name, agent.Journey{
		Actions: actions, Until: until, Also: r.visit("").Also, Screenshot: tell != nil, Tell: tell,
	})
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
	trip, err := r.travelTo(ctx, seat, "the sign-in of "+name, r.actionsOf(user.SignIn, append(r.WordsOf(name), uniqueWord, unique())), "", tell)
	if err == nil {
		r.sessions.learnSignIn(trip, r.ours, name)
	}
	return err
}

// seat returns the browser in which a user stays signed in.
func (r *PlatformRun) seat(ctx context.Context, name string) (*Seat, error) {
	at := place{r.agent, name}
	if seat := r.seats[at]; seat != nil {
		return seat, nil
	}
	seat, err := r.SignIn(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	r.seats[at] = seat
	return seat, nil
}

// leave gives up the browser of a user who no longer can be where a journey
// begins; the next journey signs in anew.
func (r *PlatformRun) leave(seat *Seat) {
	if seat == nil {
		return
	}
	if at := (place{r.agent, seat.Name}); r.seats[at] == seat {
		seat.Close()
		delete(r.seats, at)
	}
}

// Journey makes a journey by name, signing its user in before. Words that stand for
// something in its steps are followed by what they stand for.
//
// Each step is told when it is done.
func (r *PlatformRun) Journey(ctx context.Context, name string, given []string, tell func(step string)) (*agent.Trip, error) {
	trip, seat, err := r.journey(ctx, name, given, tell)
	if seat != nil {
		seat.Close()
	}
	return trip, err
}

// journey makes one, and returns where its user is then, who is to be closed; nil for nobody.
func (r *PlatformRun) journey(ctx context.Context, name string, given []string, tell func(step string)) (*agent.Trip, *Seat, error) {
	j, ok := r.journeys[name]
	if !ok {
		return nil, nil, fmt.Errorf("%w: %s", ErrNoJourney, name)
	}
	says := func(a agent.Action) { tell(r.inWords(a)) }
	seat, err := r.SignIn(ctx, j.User, says)
	if err != nil {
		return nil, nil, err
	}
	until := r.heldPages(j.Launch)
	if j.Does != "" {
		until = ""
	}
	trip, err := r.travelTo(ctx, seat, "the journey "+name, r.actionsFor(name, given), until, says)
	return trip, seat, err
}

// actionsFor returns what is done on a journey, with the words that are given and those
// that every journey has.
func (r *PlatformRun) actionsFor(name string, given words) []agent.Action {
	j, text := r.journeys[name], unique()
	switch {
	case j.Does == config.CopyCourse:
		r.copied = text
	case (j.Launch == config.CopiedLink || j.Does == config.RemoveCopy) && r.copied != "":
		text = r.copied
	}
	user := j.User
	if j.AboutLearner() {
		user = config.Learner
	}
	return r.actionsOf(j.Steps, slices.Concat(given, r.WordsOf(user), words{uniqueWord, text}))
}

// WordsOf are those for a user of the configuration, each followed by what it stands for.
func (r *PlatformRun) WordsOf(name string) []string {
	return words{"{learner}", r.users[name].Name, "{user_id}", r.users[name].ID}
}

// WordsAbout are those for a user by the name in the platform's records, each
// followed by what it stands for.
func (r *PlatformRun) WordsAbout(fullName string) []string {
	for name, user := range r.users {
		if user.Name == fullName {
			return r.WordsOf(name)
		}
	}
	return words{"{learner}", fullName, "{user_id}", ""}
}

// JourneyNames says whether a word stands in the steps of a journey.
func (r *PlatformRun) JourneyNames(name, word string) bool {
	return slices.ContainsFunc(r.actionsOf(r.journeys[name].Steps, nil), func(a agent.Action) bool {
		return strings.Contains(a.Target, word) || strings.Contains(a.Value, word)
	})
}

// heldPages are where a journey that launches leads: the fake tool's page of a
// login that it holds.
func (r *PlatformRun) heldPages(link config.LaunchKind) string {
	return r.toolURL(link) + faketool.HeldPath + "/"
}

// toolURL is where browsers find the fake tool that a link opens.
func (r *PlatformRun) toolURL(link config.LaunchKind) string {
	if link == config.OtherTool {
		return r.config.FakeTool.OtherURL
	}
	return r.config.FakeTool.URL
}

// AsksToSignIn says whether the flow ended on a page that asks the user to log
// in: one with a password field, or the one that users sign in on.
func (s *PlatformScenario) AsksToSignIn(f *PlatformFlow) bool {
	if f.Trip.Ended != agent.Settled || f.Trip.Page.Status >= http.StatusBadRequest {
		return false
	}
	return f.Trip.Markers[signInMarker] || slices.ContainsFunc(s.run.signInPages(), func(page string) bool {
		return SameURL(WithoutQuery(f.Trip.Page.URL), page)
	})
}

// signInPages are the pages that users open to sign in.
func (r *PlatformRun) signInPages() []string {
	var pages []string
	for _, user := range r.users {
		for _, step := range user.SignIn {
			if step.Open != "" {
				pages = append(pages, WithoutQuery(step.Open))
				break
			}
		}
	}
	return pages
}
