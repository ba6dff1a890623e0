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
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/together"
)

// A PlatformScenario lets launches of the platform happen and keeps what was
// observed of them.
type PlatformScenario struct {
	observer[*PlatformFlow]
	run         *PlatformRun
	readMessage bool             // whether a verdict may rest on what an id_token says
	tokens      map[string]grant // by their scopes; asked for when they are needed
	offered     []string         // the sites of the services that launches offered
	closers     []func()
}

// Scenario begins a scenario.
func (r *PlatformRun) Scenario(tb TB, text, location string) *PlatformScenario {
	r.consulted(true)
	return r.scene(observer[*PlatformFlow]{base: &r.base, tb: tb, text: text, location: location, fragment: emptyFragment()})
}

func (r *PlatformRun) scene(o observer[*PlatformFlow]) *PlatformScenario {
	o.hosts = r.hostsOfPlatform()
	return &PlatformScenario{run: r, observer: o, tokens: map[string]grant{}}
}

// Finish ends the scenario and returns what it adds to the results.
func (s *PlatformScenario) Finish() results.Fragment {
	s.clear()
	s.fragment.Consulted = append(s.fragment.Consulted, s.run.consulted(s.readMessage)...)
	return s.finish()
}

// Drop takes back what was observed, since the scenario is done again, and ends it.
func (s *PlatformScenario) Drop() results.Fragment {
	s.drop()
	return s.Finish()
}

// AtEnd has something done when the scenario ends, such as what it has made taken away.
func (s *PlatformScenario) AtEnd(f func()) { s.closers = append(s.closers, f) }

// clear takes away what the scenario has made.
func (s *PlatformScenario) clear() {
	for _, f := range s.closers {
		f()
	}
	s.closers = nil
}

// Run returns the run that the scenario belongs to.
func (s *PlatformScenario) Run() *PlatformRun { return s.run }

// errPlatformGone says that the platform has stopped working altogether.
var errPlatformGone = errors.New("the platform has gone: no valid launch works any more")

// ErrNoLaunch says that a valid launch that a check stands on did not work.
var ErrNoLaunch = errors.New("the valid launch that this needs did not work")

// Launch makes a launch and keeps it as evidence.
func (s *PlatformScenario) Launch(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	held, err := s.hold(ctx, l)
	if err != nil {
		return nil, err
	}
	return s.Send(ctx, held, l)
}

// Hold makes a launch up to the login initiation. What is kept of it goes with
// the requests that are sent for it.
func (s *PlatformScenario) Hold(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	held, err := s.hold(ctx, l)
	if err == nil {
		s.Keep(held)
	}
	return held, err
}

func (s *PlatformScenario) hold(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	if s.run.Gone() {
		return nil, errPlatformGone
	}
	if err := s.run.Lacks(launches); err != nil && !isApart(l.Link) {
		return nil, err
	}
	held, err := s.run.hold(ctx, l)
	if s.keepStuck(err) && s.run.isOrdinary(l) {
		s.recover(ctx, nil, err)
	}
	return held, err
}

// isOrdinary says whether a launch begins like that which the preflight has seen work.
func (r *PlatformRun) isOrdinary(l PlatformLaunch) bool {
	return (l.User == "" || l.User == config.Learner) && l.Link == "" && l.By == nil && !l.Twice && !l.MayLack
}

// ordinary makes a launch like that which the preflight has seen work. Where it does not
// work, others are tried until one does or the platform has gone.
func (s *PlatformScenario) ordinary(ctx context.Context, title string) (*PlatformFlow, error) {
	first := s.run.first()
	if first == nil {
		return s.Control(ctx, PlatformLaunch{Title: title})
	}
	flow, err := first.Launch(ctx, s, PlatformLaunch{Title: title})
	if err != nil {
		s.recover(ctx, flow, err)
		return flow, err
	}
	s.worked()
	return flow, nil
}

// recover tries valid launches after one that did not work, until one does or the
// platform has gone.
func (s *PlatformScenario) recover(ctx context.Context, failed *PlatformFlow, why error) {
	if s.run.recovering || s.run.config.Embedded.SkipPreflight {
		return
	}
	var last *agent.Trip
	id := ""
	if failed != nil {
		last, id = failed.Trip, failed.ID
	}
	s.run.recovering = true
	defer func() { s.run.recovering = false }()
	s.revive(ctx, partLaunches, why.Error(), id, last, func(ctx context.Context) (*agent.Trip, bool) {
		flow, err := s.ordinary(ctx, "control: a valid launch, since the one before did not work")
		if flow == nil {
			return nil, false
		}
		return flow.Trip, err == nil
	})
}

// Settle decides whether what the scenario has observed stands, now that it has come
// to its end, and says whether it is to be done again; see [observer.settle].
func (s *PlatformScenario) Settle(ctx context.Context, again bool) bool {
	return s.settle(again, func() string {
		if s.run.Lacks(launches) != nil {
			return "" // there are none that could stop to work
		}
		if why := s.servicesWork(ctx); why != "" {
			return why
		}
		if _, err := s.ordinary(ctx, "control: a valid launch at the end"); err != nil {
			return err.Error()
		}
		return ""
	})
}

// Keep keeps a flow as evidence.
func (s *PlatformScenario) Keep(flow *PlatformFlow) {
	s.keep(flow)
	s.breach(append(s.run.ofPlatform(flow), s.run.leaksOfPlatform(flow)...), flow)
}

// keepStuck keeps the page that a journey got stuck on, and says whether one did.
func (s *PlatformScenario) keepStuck(err error) bool {
	stuck, ok := errors.AsType[*JourneyError](err)
	if ok {
		flow := s.run.stuckFlow(stuck)
		s.Keep(flow)
		s.Tell("journey", stuck.Error(), flow.ID)
	}
	return ok
}

// stuckFlow is the evidence of a journey that got stuck.
func (r *PlatformRun) stuckFlow(e *JourneyError) *PlatformFlow {
	flow := &PlatformFlow{ID: r.nextFlowID(), journey: e.Journey, picture: e.Picture, Trip: &agent.Trip{Steps: e.steps, Page: e.page, Ended: e.ended, Why: e.Why}}
	flow.evidence = results.Flow{
		ID: flow.ID, Title: e.Journey, Why: e.Error(), Page: e.page, Steps: e.steps, Ended: "stuck",
	}
	if e.ended == agent.Dropped || e.ended == agent.TimedOut {
		flow.evidence.Ended = string(e.ended)
	}
	if len(e.Picture) > 0 {
		flow.evidence.Page.Screenshot = hashOf(e.Picture)
	}
	return flow
}

// Send sends an authentication request for a login that is held, and keeps what
// came of it.
func (s *PlatformScenario) Send(ctx context.Context, held *PlatformFlow, l PlatformLaunch) (*PlatformFlow, error) {
	flow, err := s.run.send(ctx, held, l)
	if err == nil {
		flow.noted = &s.readMessage
		s.Keep(flow)
	}
	return flow, err
}

// SendTogether sends valid authentication requests for logins that are held, each in its own
// browser or tab, at the same moment, and keeps what came of them.
func (s *PlatformScenario) SendTogether(ctx context.Context, title string, held ...*PlatformFlow) ([]*PlatformFlow, error) {
	l := PlatformLaunch{Title: title, gathers: together.Gather(len(held))}
	flows, err := together.Do(len(held), func(i int) (*PlatformFlow, error) { return s.run.send(ctx, held[i], l) })
	for _, flow := range flows {
		if flow != nil {
			flow.noted = &s.readMessage
			s.Keep(flow)
		}
	}
	return flows, err
}

// Open returns a user with a fresh browser, who is signed in nowhere. Close it
// after use.
func (s *PlatformScenario) Open(ctx context.Context) agent.User {
	s.tb.Helper()
	user, err := s.run.Open(ctx)
	s.Must(err)
	return user
}

// SignIn opens a browser of its own for a user, and signs the user in. Close it
// after use.
func (s *PlatformScenario) SignIn(ctx context.Context, user string) (*Seat, error) {
	seat, err := s.run.SignIn(ctx, user, nil)
	s.keepStuck(err)
	return seat, err
}

// SignInAt signs a user in in the browser of another, whose session it ends.
func (s *PlatformScenario) SignInAt(ctx context.Context, seat *Seat, user string) error {
	if err := s.EndSession(ctx, seat); err != nil {
		return err
	}
	tab := seat.NewTab()
	defer tab.Close()
	return s.run.signInAt(ctx, &Seat{User: tab, Name: user}, user, nil)
}

// EndSession ends the session of a user at a seat: by the journey that signs the
// user out, or else by forgetting the browser's cookies.
func (s *PlatformScenario) EndSession(ctx context.Context, seat *Seat) error {
	name, ok := config.Config{Journeys: s.run.journeys}.JourneyOf(seat.Name, config.SignOut)
	if !ok {
		return seat.Forget(ctx)
	}
	tab := seat.NewTab()
	defer tab.Close()
	_, err := s.run.travelTo(ctx, tab, "the journey "+name, s.run.actionsFor(name, nil), "", nil)
	return err
}

// NewTab is another tab of the browser in which a user stays signed in.
func (s *PlatformScenario) NewTab(ctx context.Context, user string) (*Seat, error) {
	seat, err := s.run.seat(ctx, user)
	if err != nil {
		return nil, err
	}
	return &Seat{User: seat.NewTab(), Name: user}, nil
}

// Do makes a journey that does something instead of launching. Words of its own that stand for
// something in its steps are each followed by what they stand for.
func (s *PlatformScenario) Do(ctx context.Context, deed config.Deed, given ...string) error {
	name, ok := config.Config{Journeys: s.run.journeys}.JourneyFor(deed)
	if !ok {
		return fmt.Errorf("%w: does %s", ErrNoJourney, deed)
	}
	_, err := s.run.Journey(ctx, name, given, func(string) {})
	s.keepStuck(err)
	return err
}

// CopyCourse makes the journey that copies the course. When the scenario ends the copy is
// taken away again, or the report tells that it is left behind.
func (s *PlatformScenario) CopyCourse(ctx context.Context) error {
	if err := s.Do(ctx, config.CopyCourse); err != nil {
		return err
	}
	s.closers = append(s.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*s.run.Patience())
		defer cancel()
		left := "the journey that does remove-copy got stuck"
		err := s.Do(ctx, config.RemoveCopy)
		if errors.Is(err, ErrNoJourney) {
			left = "no journey does remove-copy"
		}
		if err != nil {
			s.Tell("left behind", "A copy of the course is left behind: "+left+".", "")
		}
	})
	return nil
}

// ErrUndeclared says that a check is about something that the platform does not
// declare, or that this run does not judge.
var ErrUndeclared = errors.New("the platform does not declare it")

// Withheld is an error that says what the user does not let the run try.
type Withheld string

func (w Withheld) Error() string { return string(w) }

func isWithheld(err error) bool {
	_, withheld := errors.AsType[Withheld](err)
	return withheld
}

// ErrHealthy is what an error stands for beside [ErrNoLaunch] that does not show that the
// platform was away.
var ErrHealthy = errors.New("the platform works")

// Unseen keeps why a stimulus could not be judged, and says whether that is so.
// Errors of the harness itself end the scenario.
func (s *PlatformScenario) Unseen(id requirements.ID, stimulus string, err error, flows ...*PlatformFlow) bool {
	s.tb.Helper()
	var stuck *JourneyError
	switch {
	case err == nil:
		return false
	case errors.Is(err, faketool.ErrUnchanged):
		s.Observe(id, stimulus, results.Skipped, "", "It would change nothing: the platform always sends the same value, or none.", flows...)
	case errors.Is(err, ErrTooLong), errors.Is(err, ErrUndeclared):
		s.Observe(id, stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", flows...)
	case isWithheld(err):
		s.Withhold(id, stimulus, "Not tried: "+err.Error()+".", flows...)
	case errors.Is(err, faketool.ErrNoOtherTool):
		s.Skip(id, stimulus, config.MultipleTools)
	case errors.Is(err, ErrMissing), IsGone(err):
		s.unseen(id, stimulus, err, flows...)
	case errors.As(err, &stuck), errors.Is(err, ErrNoJourney), errors.Is(err, ErrNoLaunch), errors.Is(err, faketool.ErrUnusable), errors.Is(err, errPlatformGone),
		errors.Is(err, agent.ErrNeedsBrowser):
		if stuck != nil || errors.Is(err, ErrNoLaunch) && !errors.Is(err, ErrHealthy) {
			s.troubled(err.Error(), "")
		}
		s.unseen(id, stimulus, err, flows...)
	default:
		s.Must(err)
	}
	return true
}

// Control makes an ordinary valid launch, which has to work. The error is
// [ErrNoLaunch] where it does not.
func (s *PlatformScenario) Control(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	if l.Title == "" {
		l.Title = "control: a valid launch"
	}
	flow, err := s.Launch(ctx, l)
	if err != nil {
		return nil, err
	}
	if !flow.Launched() {
		err := fmt.Errorf("%w: %s", ErrNoLaunch, flow.End())
		if s.run.isOrdinary(l) && l.Fault == nil {
			s.recover(ctx, flow, err)
		}
		return flow, err
	}
	if flow.message.Problem != "" {
		return flow, fmt.Errorf("%w: its id_token cannot be read: %s", ErrNoLaunch, flow.message.Problem)
	}
	s.run.works = true
	if s.run.isOrdinary(l) && l.Fault == nil {
		s.worked()
	}
	return flow, nil
}

// React judges a requirement by authentication requests with each fault of the
// fake tool that provokes it: a platform has to answer those that are permitted,
// and to refuse the others, between valid launches that work. The others launches
// are made by those who borrow from them.
func (s *PlatformScenario) React(ctx context.Context, id requirements.ID, judge ...func(*PlatformFlow) (results.Verdict, string)) {
	s.tb.Helper()
	s.ReactTo(ctx, id, faketool.FaultsFor(string(id)), judge...)
}

// ReactTo is [PlatformScenario.React] with some of the faults.
func (s *PlatformScenario) ReactTo(ctx context.Context, id requirements.ID, faults []faketool.Fault, judge ...func(*PlatformFlow) (results.Verdict, string)) {
	s.tb.Helper()
	s.ReactBy(ctx, id, faults, func(fault faketool.Fault, flow *PlatformFlow) (results.Verdict, string) {
		verdict, seen := s.Answered(flow)
		if !fault.Permitted {
			verdict, seen = s.Refused(flow)
		}
		for _, further := range judge {
			if v, says := further(flow); v == Breach || v != results.Passed && results.Worst(v, verdict) == v {
				verdict, seen = v, says
			}
		}
		return verdict, seen
	})
}

// ReactBy is [PlatformScenario.ReactTo] by a judgement of one's own.
func (s *PlatformScenario) ReactBy(ctx context.Context, id requirements.ID, faults []faketool.Fault, judge func(faketool.Fault, *PlatformFlow) (results.Verdict, string)) {
	s.tb.Helper()
	type refusal struct {
		stimulus, seen string
		flow           *PlatformFlow
	}
	var refusals []refusal
	if !s.run.works && slices.ContainsFunc(faults, func(f faketool.Fault) bool { return !f.Permitted }) {
		if before, err := s.Control(ctx, PlatformLaunch{Title: "control: a valid launch before"}); err != nil {
			for _, fault := range faults {
				s.Unseen(id, fault.Name, err, before)
			}
			return
		}
	}
	s.run.works = false
	for _, fault := range faults {
		flow, err := s.Probe(ctx, fault)
		if s.Unseen(id, fault.Name, err, flow) {
			continue
		}
		verdict, seen := judge(fault, flow)
		if verdict == results.Passed && !fault.Permitted {
			refusals = append(refusals, refusal{fault.Name, seen, flow})
			continue
		}
		s.Observe(id, fault.Name, verdict, "", seen, flow)
	}
	if len(refusals) == 0 {
		return
	}
	// Nothing that did not come means anything unless launches still work.
	after, err := s.Control(ctx, PlatformLaunch{Title: "control: a valid launch afterwards"})
	for _, r := range refusals {
		if !s.Unseen(id, r.stimulus, err, r.flow, after) {
			s.Observe(id, r.stimulus, results.Passed, "", r.seen, r.flow, after)
		}
	}
}

// Probe sends an authentication request with a fault. Where it borrows, the login
// that it borrows from is made before: that of another user, of another link, or of a link
// of another tool.
func (s *PlatformScenario) Probe(ctx context.Context, fault faketool.Fault) (*PlatformFlow, error) {
	launch := PlatformLaunch{Title: "probe: " + fault.Does, Fault: &fault}
	if fault.Borrows != "" {
		from := PlatformLaunch{Title: "a login to borrow from", User: config.SecondLearner}
		if link := lends(fault); link != "" {
			tab, err := s.NewTab(ctx, config.Learner)
			if err != nil {
				return nil, err
			}
			defer tab.Close()
			from = PlatformLaunch{Title: "a login of another link", Link: link, By: tab}
		}
		other, err := s.Hold(ctx, from)
		if err != nil {
			return nil, err
		}
		launch.Other = other
	}
	return s.Launch(ctx, launch)
}

// lends is the link of the same user from whose login a fault borrows; empty where it is
// that of another user.
func lends(fault faketool.Fault) config.LaunchKind {
	switch {
	case strings.Contains(fault.Name, "other-link"):
		return config.OtherLink
	case strings.Contains(fault.Name, "other-tool"):
		return config.OtherTool
	}
	return ""
}

// Answered judges a request that has to be answered with an id_token.
func (s *PlatformScenario) Answered(f *PlatformFlow) (results.Verdict, string) {
	switch {
	case f.Launched() && f.message.Problem != "":
		return results.Inconclusive, "An id_token came that cannot be read: " + f.message.Problem + "."
	case f.Launched():
		return results.Passed, "An id_token came."
	case f.Answer != nil && f.Answer.Error != "":
		return results.Failed, fmt.Sprintf("Refused with the error %q.", results.Bounded(f.Answer.Error, 100))
	case f.Trip.Ended == agent.TimedOut:
		return results.Inconclusive, "No answer came in time."
	case f.Trip.Page.Status == http.StatusTooManyRequests:
		return results.Inconclusive, "The platform has had too many requests: " + f.End() + "."
	default:
		return results.Failed, "No id_token came: " + f.End() + "."
	}
}

// Refused judges a request that has to be refused.
func (s *PlatformScenario) Refused(f *PlatformFlow) (results.Verdict, string) {
	if leaks := f.Leaks(); len(leaks) > 0 {
		return results.Failed, "Answered: " + strings.Join(leaks, "; ") + "."
	}
	if f.ScriptRan() {
		return results.Failed, "Content of the request ran as a script."
	}
	if uri := s.run.misdirected(f); uri != "" {
		return results.Failed, fmt.Sprintf("The answer was aimed at the redirect_uri %s, which is not registered.", results.Bounded(uri, 300))
	}
	switch status := f.Trip.Page.Status; {
	case f.Answer != nil && f.Answer.Error != "":
		return results.Passed, fmt.Sprintf("Refused with the error %q at the redirect_uri.", results.Bounded(f.Answer.Error, 100))
	case f.Trip.Ended == agent.TimedOut:
		return results.Inconclusive, "No answer came in time."
	case f.Trip.Ended == agent.Dropped && f.answeredByPlatform(s.run.authHost()) == 0:
		return results.Warned, "The platform closed the connection."
	case f.Trip.Ended == agent.RedirectLoop:
		return results.Warned, "No id_token came, but endless redirects."
	case f.Trip.Ended != agent.Settled && f.answeredByPlatform(s.run.authHost()) == 0:
		return results.Inconclusive, "Nothing came: " + f.End() + "."
	case status == http.StatusTooManyRequests:
		return results.Inconclusive, "The platform has had too many requests: " + f.End() + "."
	case status >= http.StatusInternalServerError:
		return results.Warned, "Refused, but with a server error: " + f.End() + "."
	default:
		return results.Passed, "No id_token came: " + f.End() + "."
	}
}

// answeredByPlatform returns the status of the platform's last answer after the
// request was sent; 0 for none.
func (f *PlatformFlow) answeredByPlatform(host string) int {
	for _, step := range slices.Backward(f.Trip.Steps) {
		if u, err := url.Parse(step.URL); err == nil && u.Host == host {
			return step.Status
		}
	}
	return 0
}

// misdirected returns a redirect_uri of the request that is not registered and that the
// answer went to, or was aimed at, whatever came of it; empty where there is none.
func (r *PlatformRun) misdirected(f *PlatformFlow) string {
	registered := func(same func(a, b string) bool, uri string) bool {
		clientID := f.Request.Params.Get(lti.ParamClientID)
		return slices.ContainsFunc(r.ToolRegistrations(), func(known ToolRegistration) bool {
			return (known.ClientID == clientID || r.isStrange(clientID)) && slices.ContainsFunc(known.RedirectURIs, func(address string) bool { return same(address, uri) })
		})
	}
	for _, uri := range f.Request.Params[lti.ParamRedirectURI] {
		switch {
		case registered(func(a, b string) bool { return a == b }, uri):
		case aimedAt(f.Trip, uri):
			return uri
		// Where a script sends the browser shows only in where it went, and there one
		// address cannot be told from another that means the same.
		case !registered(SameURL, uri) && r.wentTo(f, uri):
			return uri
		}
	}
	return ""
}

// isStrange says whether no tool of the run has a client_id.
func (r *PlatformRun) isStrange(clientID string) bool {
	return !slices.ContainsFunc(r.ToolRegistrations(), func(known ToolRegistration) bool { return known.ClientID == clientID })
}

// wentTo says whether the browser went to an address, whatever was added to its query.
func (r *PlatformRun) wentTo(f *PlatformFlow, uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return false
	}
	is := func(address string) bool {
		to, err := url.Parse(address)
		return err == nil && SameURL(WithoutQuery(address), WithoutQuery(uri)) && strings.Contains(to.RawQuery, u.RawQuery)
	}
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool { return is(s.URL) }) ||
		slices.ContainsFunc(f.arrivals, func(a *faketool.Answer) bool {
			return is(strings.SplitAfter(r.config.FakeTool.URL, "://")[0] + a.Host + a.Path + "?" + a.RawQuery)
		})
}

// authHost is the host of the platform's authorization endpoint.
func (r *PlatformRun) authHost() string {
	u, err := url.Parse(r.platform.AuthURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// ReturnWith opens the return URL of a launch with a message, as a tool does
// when its user leaves (LTI Core 1.3, 5.4.4).
func (s *PlatformScenario) ReturnWith(ctx context.Context, f *PlatformFlow, name, message string) (*PlatformFlow, error) {
	address, _ := f.Message().Object(lti.ClaimLaunchPresentation)["return_url"].(string)
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: it has no return_url", ErrNoLaunch)
	}
	addition := url.Values{name: {message}}.Encode()
	if u.RawQuery != "" {
		addition = u.RawQuery + "&" + addition
	}
	u.RawQuery = addition
	visit := s.run.visit(u.String())
	visit.In = agent.Here
	// A page may show the message a moment later.
	visit.Markers, visit.MarkerWait = []agent.Marker{{Name: "message", Text: message}}, s.run.config.Timeout.PageSign.Std()
	visit.Also = []agent.Marker{{Name: markupMarker, Selector: "#" + ReturnedMarkup}}
	began := time.Now()
	trip, err := f.by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	back := &PlatformFlow{ID: s.run.nextFlowID(), Login: f.Login, Trip: trip, by: f.by, picture: trip.Screenshot}
	back.evidence = s.run.platformEvidence(back, PlatformLaunch{Title: "return to the platform with " + name}, began)
	s.Keep(back)
	return back, nil
}

// ReturnedMarkup is the id of an element that is the platform's only where it takes a
// message for markup.
const ReturnedMarkup = "invigilator-returned"

// Again launches the learner without holding the login, goes back in the browser's
// history to the platform's page, and does the journey's last step once more.
func (s *PlatformScenario) Again(ctx context.Context) (*PlatformFlow, error) {
	name, ok := s.run.JourneyTo(config.Learner, config.ResourceLink)
	if !ok {
		return nil, ErrNoJourney
	}
	seat, err := s.NewTab(ctx, config.Learner)
	if err != nil {
		return nil, err
	}
	defer seat.Close()
	actions := s.run.actionsFor(name, nil)
	if last := actions[len(actions)-1]; last.Verb != agent.Click {
		return nil, errNoClick
	}
	if err := s.run.travelUnheld(ctx, seat, name, actions); err != nil {
		return nil, err
	}
	back := []agent.Action{{Verb: agent.Back}, actions[len(actions)-1]}
	held, err := s.run.holdBy(ctx, "the journey "+name+", again after going back,", back, PlatformLaunch{Title: "the link clicked again after going back", By: seat})
	if err != nil {
		return nil, err
	}
	return s.Send(ctx, held, PlatformLaunch{Title: "the link clicked again after going back"})
}

// travelUnheld makes a journey to the launched tool: pages that hold the login
// would be so many more to go back over.
func (r *PlatformRun) travelUnheld(ctx context.Context, by agent.User, name string, actions []agent.Action) error {
	r.tool.HoldLogins(false)
	defer r.tool.HoldLogins(true)
	_, err := r.travelTo(ctx, by, "the journey "+name, actions, r.config.FakeTool.URL+"/", nil)
	return err
}
