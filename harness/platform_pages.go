package harness

import (
	"cmp"
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
	// ToLogin is set where it leads to a login that the fake tool holds, which the flow has
	// then, and Briefly where it need not: it is waited for as long as for a sign.
	ToLogin, Briefly bool
	// Stays is set where the user stays at the browser though the journey got stuck.
	Stays bool
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
		Actions: r.actionsFor(name, given), Screenshot: true, MarkerWait: r.PageWait(r.config.Timeout.PageSign.Std()), Also: r.visit("").Also, Read: map[string]agent.Reading{},
	}
	for _, m := range d.Markers {
		m.Selector, m.Text = given.inTarget(m.Selector), given.in(m.Text)
		journey.Markers = append(journey.Markers, m)
	}
	for name, reading := range d.Read {
		reading.Selector = given.inTarget(reading.Selector)
		journey.Read[name] = reading
	}
	if d.ToLogin {
		journey.Until = r.heldPages("")
	}
	if d.Briefly {
		journey.Patience = r.config.Timeout.PageSign.Std()
		for i, a := range journey.Actions {
			journey.Actions[i].Within = cmp.Or(a.Within, r.config.Timeout.Step.Std())
		}
	}
	since, began := r.Now(), time.Now()
	trip, err := r.makeJourney(ctx, seat, "the journey "+name, journey)
	if stuck, ok := errors.AsType[*JourneyError](err); ok && stuck.Step > stuck.Of {
		err = nil // all was done, and did not lead there
	}
	if s.keepStuck(err) && !d.Stays {
		r.leave(seat)
	}
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{ID: r.nextFlowID(), journey: "the journey " + name, Trip: trip, by: seat, tool: r.tool, picture: trip.Screenshot, arrivals: r.arrivedSince(since)}
	if login, held := r.tool.LoginAt(trip.Page.URL); held {
		flow.Login = login
	}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: d.Title}, began)
	s.Keep(flow)
	return flow, nil
}

// PageWait is how long a sign on a page is waited for: not at all on the pages of the
// embedded campus, which are whole when they have loaded.
func (r *PlatformRun) PageWait(patience time.Duration) time.Duration {
	if r.config.IsEmbedded() {
		return 0
	}
	return patience
}

// glance is how long something is looked for that need not be there.
func (r *PlatformRun) glance() time.Duration {
	return max(r.PageWait(r.config.Timeout.PageSign.Std()), leastPatience)
}

// By is the browser that the flow was seen in.
func (f *PlatformFlow) By() *Seat { return f.by }

// Link is what the flow launched.
func (f *PlatformFlow) Link() config.LaunchKind { return f.link }

// Peek is the answer's id_token for what no verdict rests on.
func (f *PlatformFlow) Peek() Message { return f.message }

// journeyBy finds the journey by which a user does something.
func (r *PlatformRun) journeyBy(user string, deed config.Deed) (string, bool) {
	return config.Config{Journeys: r.journeys}.JourneyOf(user, deed)
}

// Marker is the sign that the configuration names, under a name; none where it names none.
func Marker(name string, m config.Marker) []agent.Marker {
	if m.IsZero() {
		return nil
	}
	return []agent.Marker{{Name: name, Selector: m.Selector, Text: m.Text, URL: m.URL}}
}

// A Going is how a browser is sent to an address of the platform after a launch.
type Going struct {
	// Title says what it is for, in the report, and Fault what differs from what is valid.
	Title string
	Fault *faketool.Fault
	// Address is where it is sent, and By which browser; that of the launch when nil.
	Address string
	By      agent.User
	// Markers are the signs that are waited for as long as Patience, Also further ones.
	Markers  []agent.Marker
	Patience time.Duration
	Also     []agent.Marker
	// JWT is what it brings along; empty for nothing.
	JWT string
}

// Go sends a browser to an address after a launch, whose login and message are those of the
// flow. It may go on beside others; [PlatformScenario.Keep] keeps what came of it.
func (r *PlatformRun) Go(ctx context.Context, launched *PlatformFlow, g Going) (*PlatformFlow, error) {
	visit := r.visit(g.Address)
	by := g.By
	if by == nil {
		by, visit.In = launched.by, agent.Here
	}
	visit.Markers, visit.MarkerWait, visit.Also = g.Markers, g.Patience, append(visit.Also, g.Also...)
	began := time.Now()
	trip, err := by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{
		ID: r.nextFlowID(), Login: launched.Login, Answer: launched.Answer, message: launched.message, noted: launched.noted,
		Trip: trip, by: launched.by, link: launched.link, tool: r.tool, picture: trip.Screenshot,
	}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: g.Title, Fault: g.Fault}, began)
	if g.JWT != "" {
		flow.evidence.Tokens = []results.Token{tokenOf(lti.ParamJWT, g.JWT)}
	}
	return flow, nil
}

// LaunchIfOffered makes a launch that the platform may not offer, and says whether it does:
// whether the last step of the journey is there. The flow is what was seen, the page without
// it or the launch. Where the journey got stuck before its last step, or the platform was out
// of order, the error is a [*JourneyError]: that says nothing of the offer.
func (s *PlatformScenario) LaunchIfOffered(ctx context.Context, l PlatformLaunch) (bool, *PlatformFlow, error) {
	if s.run.Gone() {
		return false, nil, errPlatformGone
	}
	l.User, l.MayLack = cmp.Or(l.User, config.Learner), true
	held, err := s.run.hold(ctx, l)
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		flow := s.keepAbsent(stuck, l.Title)
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

// keepAbsent keeps the page on which something was not found that need not be there.
func (s *PlatformScenario) keepAbsent(stuck *JourneyError, title string) *PlatformFlow {
	flow := s.run.stuckFlow(stuck)
	flow.evidence.Title = title
	s.Keep(flow)
	return flow
}

// GoOn lets the user of a flow do something in the browser that it was seen in. Where it need not
// be possible, its pages are looked at only as long as for a sign. The error is [ErrNoJourney]
// where no journey of the user does so, and a [*JourneyError] where it does not get through; the
// flow is then the page that it got stuck on.
func (s *PlatformScenario) GoOn(ctx context.Context, from *PlatformFlow, deed config.Deed, title string, mayLack bool) (*PlatformFlow, error) {
	r := s.run
	name, ok := r.journeyBy(from.by.Name, deed)
	if !ok {
		return nil, fmt.Errorf("%w: user %s, does %s", ErrNoJourney, from.by.Name, deed)
	}
	journey := agent.Journey{Actions: r.actionsFor(name, nil), Screenshot: true, Also: r.visit("").Also}
	if mayLack {
		journey.Patience = r.glance()
	}
	began := time.Now()
	trip, err := r.makeJourney(ctx, from.by, "the journey "+name, journey)
	if stuck, is := errors.AsType[*JourneyError](err); is {
		return s.keepAbsent(stuck, title), err
	}
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{ID: r.nextFlowID(), journey: "the journey " + name, Trip: trip, by: from.by, tool: r.tool, picture: trip.Screenshot}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: title}, began)
	s.Keep(flow)
	return flow, nil
}

// OthersWith are the users beside one, by their names, whom a journey brings to a launch.
func (r *PlatformRun) OthersWith(link config.LaunchKind, beside string) []string {
	var others []string
	for _, j := range r.journeys {
		if _, known := r.users[j.User]; known && j.Launch == link && j.User != beside && !slices.Contains(others, j.User) {
			others = append(others, j.User)
		}
	}
	slices.Sort(others)
	return others
}

// Does says whether a journey of a user does something; of any user when empty.
func (r *PlatformRun) Does(user string, deed config.Deed) bool {
	if user == "" {
		_, ok := config.Config{Journeys: r.journeys}.JourneyFor(deed)
		return ok
	}
	_, ok := r.journeyBy(user, deed)
	return ok
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
	s.Keep(back)
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
		s.Keep(opened)
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
	look.Verb, look.Within = agent.Wait, r.glance()
	return slices.Insert(actions, len(actions)-1, look)
}

// Launches says whether a journey of a user launches something.
func (r *PlatformRun) Launches(user string, link config.LaunchKind) bool {
	_, ok := r.JourneyTo(user, link)
	return ok
}
