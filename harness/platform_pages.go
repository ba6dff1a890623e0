package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Doing is what a user does in the platform by a journey that launches nothing.
type Doing struct {
	// Title says what it is for, in the report.
	Title string
	// User is who does it, and Does what.
	User string
	Does config.Deed
	// Words are those of the journey that stand for something, each followed by what it
	// stands for; they stand in Markers and Read as well.
	Words []string
	// Markers are the signs that the page may show at its end, and Read what is read there.
	Markers []agent.Marker
	Read    map[string]agent.Reading
}

// Perform lets a user do something, and keeps what came of it. The error is [ErrNoJourney] where
// no journey of the user does so.
func (s *PlatformScenario) Perform(ctx context.Context, d Doing) (*PlatformFlow, error) {
	r, given := s.run, words(d.Words)
	name, ok := r.journeyBy(d.User, d.Does)
	if !ok {
		return nil, fmt.Errorf("%w: user %s, does %s", ErrNoJourney, d.User, d.Does)
	}
	seat, err := r.seat(ctx, d.User)
	if err != nil {
		return nil, err
	}
	journey := agent.Journey{
		Actions: r.actionsFor(name, given), Screenshot: true, MarkerWait: r.SignPatience(), Also: r.visit("").Also, Read: map[string]agent.Reading{},
	}
	for _, m := range d.Markers {
		m.Selector, m.Text = given.inTarget(m.Selector), given.in(m.Text)
		journey.Markers = append(journey.Markers, m)
	}
	for name, reading := range d.Read {
		reading.Selector = given.inTarget(reading.Selector)
		journey.Read[name] = reading
	}
	began := time.Now()
	trip, err := r.makeJourney(ctx, seat, "the journey "+name, journey)
	if s.keepStuck(err) {
		r.leave(seat)
	}
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{ID: r.nextFlowID(), Trip: trip, by: seat, tool: r.tool, picture: trip.Screenshot}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: d.Title}, began)
	s.keep(flow)
	return flow, nil
}

// SignPatience is how long a sign on a page is waited for: not at all on the pages of the
// embedded campus, which are whole when they have loaded.
func (r *PlatformRun) SignPatience() time.Duration {
	return r.markerWait(r.config.Timeout.PageSign.Std())
}

// Marker is the sign that the configuration names, under a name; none where it names none.
func Marker(name string, m config.Marker) []agent.Marker {
	if m.IsZero() {
		return nil
	}
	return []agent.Marker{{Name: name, Selector: m.Selector, Text: m.Text, URL: m.URL}}
}

// LaunchIfOffered makes a launch that the platform may not offer, and says whether it does:
// whether the last step of the journey is there. The flow is what was seen, the page without
// it or the launch. Where the journey got stuck before its last step, or the platform was out
// of order, the error is a [*JourneyError]: that says nothing of the offer.
func (s *PlatformScenario) LaunchIfOffered(ctx context.Context, l PlatformLaunch) (bool, *PlatformFlow, error) {
	if s.run.Gone() {
		return false, nil, errPlatformGone
	}
	l.MayLack = true
	held, err := s.run.hold(ctx, l)
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		flow := s.run.stuckFlow(stuck)
		flow.evidence.Title = l.Title
		s.keep(flow)
		if stuck.signIn || stuck.page.Status >= http.StatusInternalServerError || stuck.Step < s.run.stepsTo(l) {
			return false, flow, err
		}
		return false, flow, nil
	}
	if err != nil {
		return false, nil, err
	}
	flow, err := s.Send(ctx, held, l)
	return err == nil, flow, err
}

// stepsTo is how many steps the journey to a launch has.
func (r *PlatformRun) stepsTo(l PlatformLaunch) int {
	name, _ := r.JourneyTo(l.User, l.Link)
	return len(r.journeys[name].Steps)
}

// Return opens the return URL of a launch in the browser that was launched, and looks for
// signs on the page that it comes to.
func (s *PlatformScenario) Return(ctx context.Context, f *PlatformFlow, signs ...agent.Marker) (*PlatformFlow, error) {
	address, _ := f.Message().Object(lti.ClaimLaunchPresentation)["return_url"].(string)
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: it has no return_url", ErrNoLaunch)
	}
	visit := s.run.visit(address)
	visit.Also = append(visit.Also, signs...)
	began := time.Now()
	trip, err := f.by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	back := &PlatformFlow{ID: s.run.nextFlowID(), Login: f.Login, Trip: trip, by: f.by, picture: trip.Screenshot}
	back.evidence = s.run.platformEvidence(back, PlatformLaunch{Title: "return to the platform"}, began)
	s.keep(back)
	return back, nil
}

// Reopen opens, in the browser of another user, one of the platform's pages that led
// to the login of a launch, and goes on with the launch where it comes to one.
func (s *PlatformScenario) Reopen(ctx context.Context, address, user, title string) (*PlatformFlow, error) {
	seat, err := s.NewTab(ctx, user)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, seat.Close)
	since, began := s.run.Now(), time.Now()
	trip, err := seat.Visit(ctx, s.run.visit(address))
	if err != nil {
		return nil, err
	}
	opened := &PlatformFlow{
		ID: s.run.nextFlowID(), Trip: trip, by: seat, tool: s.run.tool, shown: trip.In, picture: trip.Screenshot, arrivals: s.run.arrivedSince(since),
	}
	opened.evidence = s.run.platformEvidence(opened, PlatformLaunch{Title: title}, began)
	login, held := s.run.tool.LoginAt(trip.Page.URL)
	if !held {
		s.keep(opened)
		return opened, nil
	}
	opened.Login = login
	return s.Send(ctx, opened, PlatformLaunch{Title: title, User: user})
}

// LedBy are the platform's pages that led to the login of a launch: what the user
// opened last, and what that redirected to.
func (f *PlatformFlow) LedBy() []string { return f.ledBy }

// ledBy finds the pages that led to the login initiation.
func (r *PlatformRun) ledBy(steps []results.Step) []string {
	at := slices.IndexFunc(steps, func(step results.Step) bool {
		return strings.HasPrefix(step.URL, r.config.FakeTool.URL+faketool.LoginPath)
	})
	var pages []string
	for i := at - 1; i >= 0 && steps[i].Method == http.MethodGet; i-- {
		if len(pages) > 0 && steps[i].Status/100 != 3 {
			break
		}
		pages = append(pages, steps[i].URL)
	}
	return pages
}

// glanceAt lets the last link of a journey be looked for as long as for a sign on a
// page, and then clicked with the usual patience.
func (r *PlatformRun) glanceAt(actions []agent.Action) []agent.Action {
	last := actions[len(actions)-1]
	if last.Verb != agent.Click {
		return actions
	}
	look := last
	look.Verb, look.Within = agent.Wait, max(r.markerWait(r.config.Timeout.PageSign.Std()), leastPatience)
	return slices.Insert(actions, len(actions)-1, look)
}

// Launches says whether a journey of a user launches something.
func (r *PlatformRun) Launches(user string, link config.LaunchKind) bool {
	_, ok := r.JourneyTo(user, link)
	return ok
}
