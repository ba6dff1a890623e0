package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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
	"invigilator.example/together"
)

// A PlatformLaunch says how a launch of the platform is made and probed. Its zero
// value is an ordinary launch of the learner with a valid authentication request.
type PlatformLaunch struct {
	// Title says what the launch is for, in the report.
	Title string
	// User is who launches, and Link what is launched; the learner and an
	// ordinary link when empty.
	User string
	Link config.LaunchKind
	// By is the browser that it is made in; the user's own when nil.
	By *Seat
	// Fault is what differs from a valid authentication request, and Other the
	// flow that it borrows from.
	Fault *faketool.Fault
	Other *PlatformFlow
	// Twice clicks twice where the journey's last step is a click.
	Twice bool
	// MayLack is set where the journey's last link need not be there: it is looked
	// for as long as a sign on a page, and not twice.
	MayLack bool
	// Words are those of the journey's steps that stand for something, each followed by what
	// it stands for.
	Words   []string
	gathers *together.Gathering
}

// A PlatformFlow is one login of the platform and all that was seen of it.
type PlatformFlow struct {
	ID      string
	Login   *faketool.Login // what the platform initiated
	Request faketool.Request
	// Answer is what came for the request at the fake tool; nil for nothing.
	Answer *faketool.Answer
	// Trip is what the browser saw after the request was sent.
	Trip *agent.Trip
	// Exchange is the request that the fake tool's server sent, and its answer; nil
	// where a browser went the way.
	Exchange *faketool.Exchange
	memory   memory // of parts
	message  Message
	reading
	noted    *bool // is set where somebody reads the message
	by       *Seat
	tool     *faketool.Tool
	arrivals []*faketool.Answer // all that reached the fake tools meanwhile
	strange  []results.Step     // what reached the stranger's site meanwhile
	shown    agent.Place        // where the launch is shown
	link     config.LaunchKind  // what was launched
	journey  string             // that led to no launch, or that does something else; empty where one led to a launch
	ledBy    []string           // see LedBy
	evidence results.Flow
	picture  []byte
}

// A Message is an id_token, read without any check.
type Message struct {
	Header, Claims map[string]any
	Raw            string
	Problem        string // why it could not be read
	// Cut is set where that is because it is longer than the run reads.
	Cut bool
}

// Text returns a claim that is a string, and false where it is none.
func (m Message) Text(claim string) (string, bool) {
	text, ok := m.Claims[claim].(string)
	return text, ok
}

// Audience returns the members of aud that are texts, and whether all of them are. It may
// be a text or an array of texts (RFC 7519, 4.1.3).
func (m Message) Audience() (members []string, all bool) {
	if aud, ok := m.Text("aud"); ok {
		return []string{aud}, true
	}
	listed, all := m.Claims["aud"].([]any)
	for _, member := range listed {
		text, ok := member.(string)
		if all = all && ok; ok {
			members = append(members, text)
		}
	}
	return members, all
}

// Object returns a claim that is an object; nil where it is none.
func (m Message) Object(claim string) map[string]any {
	object, _ := m.Claims[claim].(map[string]any)
	return object
}

func readMessage(token string) Message {
	m := Message{Raw: token}
	header, claims, err := lti.Decode(token)
	if strings.Count(token, ".") == 4 {
		err = errors.New("it has five parts, as one that is encrypted has")
	}
	if err == nil {
		err = errors.Join(lti.ReadJSON(header, &m.Header), lti.ReadJSON(claims, &m.Claims))
	}
	if err != nil {
		m.Problem = results.Bounded(strings.ReplaceAll(err.Error(), "\n", ", "), 300)
	}
	return m
}

// Message is the answer's id_token; its members are nil where it has none. What is made
// of one that cannot be read is observed as inconclusive.
func (f *PlatformFlow) Message() Message { return f.note(f.Signed()) }

// Signed is the answer's id_token for those who check that it is a JWT that is signed,
// whose matter it is where it cannot be read.
func (f *PlatformFlow) Signed() Message {
	if f.noted != nil {
		*f.noted = true
	}
	return f.message
}

// HasMarkup says whether markup that came in a message is part of the page.
func (f *PlatformFlow) HasMarkup() bool { return f.Trip.Markers[markupMarker] }

func (f *PlatformFlow) breach() bool { return f.ScriptRan() || f.Strayed() }

// Strayed says whether the browser was sent to the stranger's site.
func (f *PlatformFlow) Strayed() bool {
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool {
		return s.URL == faketool.Stranger || strings.HasPrefix(s.URL, faketool.Stranger+"/") || strings.HasPrefix(s.URL, faketool.Stranger+"?")
	})
}

func (f *PlatformFlow) keptWaiting() bool { return false }

func (f *PlatformFlow) misread() string {
	why := f.take()
	if f.Answer != nil && f.Answer.Cut {
		return fmt.Sprintf("The answer has more than the %d KiB that Invigilator reads.", faketool.MaxKept>>10)
	}
	if f.Exchange != nil && errors.Is(f.Exchange.Err, faketool.ErrBeyond) {
		return "The answer cannot be judged: " + f.Exchange.Err.Error() + "."
	}
	return cmp.Or(why, tooMuch(f.Trip))
}

// kept is what the document keeps of the flow.
func (f *PlatformFlow) kept() (results.Flow, []byte) { return f.evidence, f.picture }

func (f *PlatformFlow) keeps() memory {
	if f.memory == nil {
		f.memory = memory{}
	}
	return f.memory
}

// NoAnswer says why the flow has come to no page.
func (f *PlatformFlow) NoAnswer() string { return deaths[f.Trip.Ended] }

// Launched says whether the platform answered the request with an id_token, in
// whatever way.
func (f *PlatformFlow) Launched() bool { return f.Answer != nil && f.Answer.IDToken != "" }

// mayLackGET says whether the platform may have refused the request for its method: one that
// answers POST only lacks GET, and can be judged on the rest.
func (f *PlatformFlow) mayLackGET() bool {
	return !f.Launched() && f.Trip.Page.Status >= http.StatusBadRequest
}

// Posted says whether that came as it has to: by form POST, and not in an address.
func (f *PlatformFlow) Posted() bool {
	return f.Launched() && !f.Answer.InURL && f.Answer.Method == http.MethodPost
}

// InFrame says whether the launch is shown in a frame of the platform's page.
func (f *PlatformFlow) InFrame() bool { return f.shown == agent.Frame }

// Beside are the authentication requests of other logins that the fake tool sent
// since this one was initiated.
func (f *PlatformFlow) Beside() []faketool.Request {
	since := f.Login.Record().Initiation.At.Add(-overlap)
	var beside []faketool.Request
	for _, other := range f.tool.Logins() {
		if record := other.Record(); other != f.Login && !record.Initiation.At.Before(since) {
			beside = append(beside, record.Requests...)
		}
	}
	return beside
}

// Uninvited says which id_tokens came before the tool had asked for any.
func (f *PlatformFlow) Uninvited() []string {
	var came []string
	for _, a := range f.arrivals {
		if a.IDToken != "" {
			came = append(came, fmt.Sprintf("an id_token came by %s to %s", a.Method, a.Path))
		}
	}
	return came
}

// Shows says whether the page that the flow ended on shows a text.
func (f *PlatformFlow) Shows(text string) bool {
	return strings.Contains(f.Trip.Page.Text+"\n"+f.Trip.Page.Title, text)
}

// ScriptRan says whether markup that the fake tool sent has run as a script.
func (f *PlatformFlow) ScriptRan() bool {
	return slices.ContainsFunc(f.Trip.Page.Console, func(line string) bool { return strings.Contains(line, faketool.ScriptRan) })
}

// End says in a sentence what the flow ended on.
func (f *PlatformFlow) End() string { return describe(f.Trip) }

// Requested returns the redirect_uri of the authentication request, and false
// where it had none.
func (f *PlatformFlow) Requested() (string, bool) {
	values := f.Request.Params[lti.ParamRedirectURI]
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// hold makes a journey up to the login initiation, which the fake tool holds.
func (r *PlatformRun) hold(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	if l.User == "" {
		l.User = config.Learner
	}
	if l.Link == "" {
		l.Link = config.ResourceLink
	}
	if l.Link == config.OtherTool && r.other == nil {
		return nil, faketool.ErrNoOtherTool
	}
	name, ok := r.JourneyTo(l.User, l.Link)
	if !ok {
		return nil, fmt.Errorf("%w: user %s, launch %s", ErrNoJourney, l.User, l.Link)
	}
	own := l.By == nil
	if own {
		seat, err := r.seat(ctx, l.User)
		if err != nil {
			return nil, err
		}
		l.By = seat
	}
	actions := r.actionsFor(name, l.Words)
	if l.MayLack {
		actions = r.glanceAt(actions)
	}
	if l.Twice {
		last := &actions[len(actions)-1]
		if last.Verb != agent.Click {
			return nil, errNoClick
		}
		last.Verb = agent.DoubleClick
	}
	held, err := r.holdBy(ctx, "the journey "+name, actions, l)
	stuck, isStuck := errors.AsType[*JourneyError](err)
	if !isStuck || !own || l.MayLack && !stuck.signIn {
		return held, err
	}
	// The session may have ended meanwhile: the user signs in again, once.
	if l.By, err = r.seat(ctx, l.User); err != nil {
		return nil, err
	}
	return r.holdBy(ctx, "the journey "+name, actions, l)
}

// holdBy makes the actions of a journey up to the login initiation.
func (r *PlatformRun) holdBy(ctx context.Context, name string, actions []agent.Action, l PlatformLaunch) (*PlatformFlow, error) {
	since, began := r.Now(), time.Now()
	trip, err := r.travelTo(ctx, l.By, name, actions, r.heldPages(l.Link), nil)
	if err != nil {
		if stuck, is := errors.AsType[*JourneyError](err); !is || !l.MayLack || stuck.signIn {
			r.leave(l.By)
		}
		return nil, err
	}
	return r.heldBy(trip, l, since, began)
}

// heldBy is the login that the fake tool holds where a trip has ended.
func (r *PlatformRun) heldBy(trip *agent.Trip, l PlatformLaunch, since, began time.Time) (*PlatformFlow, error) {
	tool := r.tool
	if l.Link == config.OtherTool {
		tool = r.other
	}
	login, ok := tool.LoginAt(trip.Page.URL)
	if !ok {
		return nil, fmt.Errorf("the fake tool holds no login at %s", trip.Page.URL)
	}
	flow := &PlatformFlow{ID: r.nextFlowID(), Login: login, tool: tool, Trip: trip, by: l.By, link: l.Link, ledBy: r.ledBy(trip.Steps), shown: trip.In, picture: trip.Screenshot}
	flow.arrivals = r.arrivedSince(since)
	flow.evidence = r.platformEvidence(flow, l, began)
	return flow, nil
}

// JourneyTo finds the journey that brings a user to a launch.
func (r *PlatformRun) JourneyTo(user string, link config.LaunchKind) (string, bool) {
	return config.Config{Journeys: r.journeys}.JourneyTo(user, link)
}

// send goes on with a login that the fake tool holds: where its journey ended,
// or in another browser.
func (r *PlatformRun) send(ctx context.Context, held *PlatformFlow, l PlatformLaunch) (*PlatformFlow, error) {
	probe := faketool.Probe{Fault: l.Fault, Gathers: l.gathers, Post: r.byPost && (l.Fault == nil || l.Fault.Provokes != "oidc-auth-endpoint-get")}
	if l.Other != nil {
		probe.Other = l.Other.Login
	}
	address, err := held.Login.Continue(probe)
	if err != nil {
		return nil, err
	}
	visit := r.visit(address)
	by := held.by
	if l.By == nil || l.By == held.by {
		visit.In = agent.Here
	} else {
		by = l.By
	}
	sent := len(held.Login.Record().Requests)
	since, began := r.Now(), time.Now()
	trip, err := by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{
		ID: r.nextFlowID(), Login: held.Login, Trip: trip, by: by, picture: trip.Screenshot, shown: held.shown, link: held.link, ledBy: held.ledBy,
		tool: held.tool, arrivals: r.arrivedSince(since),
	}
	record := held.Login.Record()
	n := len(record.Requests) - 1
	if n < sent {
		return nil, fmt.Errorf("%w: the page that held the login went away: %s", ErrNoLaunch, describe(trip))
	}
	flow.Request = record.Requests[n]
	flow.findAnswer(n)
	if visit.In == agent.Here && r.mayBeLate(flow, l) {
		if err := r.awaitLate(ctx, flow, since, l); err != nil {
			return nil, err
		}
		flow.findAnswer(n)
	}
	for _, step := range r.recorder.between(began, time.Now()) {
		if step.SeenBy == stranger {
			flow.strange = append(flow.strange, step)
		}
	}
	if flow.Answer != nil && flow.Answer.IDToken != "" {
		flow.message = readMessage(flow.Answer.IDToken)
		if flow.Answer.Cut {
			flow.message.Cut, flow.message.Problem = true, fmt.Sprintf("it came with more than the %d KiB that Invigilator reads", faketool.MaxKept>>10)
		}
	}
	flow.evidence = r.platformEvidence(flow, l, began)
	flow.evidence.Steps = slices.Concat(held.evidence.Steps, flow.evidence.Steps)
	flow.evidence.Millis += held.evidence.Millis
	return flow, nil
}

// findAnswer finds the arrival that answers the login's request of that number.
func (f *PlatformFlow) findAnswer(n int) {
	for _, a := range f.arrivals {
		if a.Login == f.Login && a.Request == n {
			f.Answer = a
		}
	}
}

// mayBeLate says whether a page that has come to rest may still send an answer:
// one that counts down, or asks its server something before it goes on. Where a
// platform says no by a status or an error there is nothing to wait for.
func (r *PlatformRun) mayBeLate(f *PlatformFlow, l PlatformLaunch) bool {
	return r.Agent().Kind != results.HTTP && f.Answer == nil && f.Trip.Ended == agent.Settled && f.Trip.Page.Status < http.StatusBadRequest && r.lateness(l) > 0
}

// lateness is how long a late answer is waited for: where one has to come as long
// as for a step of a journey, else as long as for a sign on a page.
func (r *PlatformRun) lateness(l PlatformLaunch) time.Duration {
	if l.Fault == nil || l.Fault.Permitted {
		return r.config.Timeout.Step.Std()
	}
	return r.config.Timeout.PageSign.Std()
}

// awaitLate waits for the browser to come to the fake tool after all.
func (r *PlatformRun) awaitLate(ctx context.Context, f *PlatformFlow, since time.Time, l PlatformLaunch) error {
	v, wait := r.visit(""), r.lateness(l)
	trip, err := f.by.Go(ctx, agent.Journey{
		In: agent.Here, Until: r.toolURL(f.link) + "/", Quiet: v.Quiet, Also: v.Also, Screenshot: true, Whole: true,
		Secrets: slices.Collect(maps.Keys(r.config.Secrets)), Patience: wait, Deadline: v.Deadline + wait,
	})
	if err != nil {
		return err
	}
	f.arrivals = r.arrivedSince(since)
	if trip.Stuck != nil {
		return nil // nothing came: the page is as it was
	}
	trip.Steps, trip.Took = slices.Concat(f.Trip.Steps, trip.Steps), f.Trip.Took+trip.Took
	trip.Aims = slices.Concat(f.Trip.Aims, trip.Aims)
	f.Trip, f.picture = trip, trip.Screenshot
	return nil
}

// overlap is how far apart two logins may begin to count as being open together.
const overlap = time.Minute

// arrivedSince are the answers that reached the fake tools since a time, which the
// run's clock tells as theirs does: by the browsers of the run, which alone find a
// private address, or, at a public one, with a sign that they have to do with it.
func (r *PlatformRun) arrivedSince(since time.Time) []*faketool.Answer {
	arrived := func(tool *faketool.Tool, address string) []*faketool.Answer {
		if tool == nil {
			return nil
		}
		return slices.DeleteFunc(tool.Answers(), func(a *faketool.Answer) bool {
			return a.At.Before(since) || a.Strange && !r.config.IsEmbedded() && !config.IsPrivate(address)
		})
	}
	return slices.Concat(arrived(r.tool, r.config.FakeTool.URL), arrived(r.other, r.config.FakeTool.OtherURL))
}

// platformEvidence puts together what agent, tool and platform saw.
func (r *PlatformRun) platformEvidence(f *PlatformFlow, l PlatformLaunch, began time.Time) results.Flow {
	e := results.Flow{
		ID: f.ID, Title: l.Title, Page: f.Trip.Page, Ended: string(f.Trip.Ended), Why: f.Trip.Why,
		Millis: f.Trip.Took.Milliseconds(), Dropped: f.Trip.Dropped,
	}
	if e.Title == "" {
		e.Title = "a launch"
	}
	e.Steps = merge(slices.Clone(f.Trip.Steps), r.recorder.between(began, began.Add(f.Trip.Took)))
	if l.Fault != nil {
		e.Fault = l.Fault.Name
	}
	if len(f.picture) > 0 {
		e.Page.Screenshot = hashOf(f.picture)
	}
	if f.message.Raw != "" {
		e.Tokens = []results.Token{tokenOf(lti.ParamIDToken, f.message.Raw)}
	}
	return e
}

// Leaks says where credentials went in a flow: each id_token for this request,
// wherever it was sent, and each code and access token that reached the fake tools,
// the stranger's site or the redirect_uri of the request. What a platform sends to
// itself, or to those who log its users in, is its own matter.
func (f *PlatformFlow) Leaks() []string {
	var leaks []string
	tell := func(method, address, what string) {
		if line := fmt.Sprintf("%s %s with %s", method, results.Bounded(WithoutQuery(address), 300), what); !slices.Contains(leaks, line) {
			leaks = append(leaks, line)
		}
	}
	asked, _ := f.Requested()
	for _, s := range slices.Concat(f.Trip.Steps, f.strange) {
		u, err := url.Parse(s.URL)
		if err != nil {
			continue
		}
		form, _ := url.ParseQuery(s.RequestBody)
		fragment, _ := url.ParseQuery(u.Fragment)
		ours := s.SeenBy == stranger || SameURL(WithoutQuery(s.URL), WithoutQuery(asked))
		for _, params := range []url.Values{u.Query(), fragment, form} {
			if f.isMine(params.Get(lti.ParamIDToken)) {
				tell(s.Method, s.URL, lti.ParamIDToken)
			}
			for _, name := range []string{"access_token", "code"} {
				if params.Get(name) != "" && ours {
					tell(s.Method, s.URL, name)
				}
			}
		}
	}
	for _, a := range f.arrivals {
		for _, name := range []string{lti.ParamIDToken, "access_token", "code"} {
			told := slices.ContainsFunc(leaks, func(line string) bool { return strings.HasSuffix(line, a.Path+" with "+name) })
			if !told && (a.Query.Get(name) != "" || a.Form.Get(name) != "") {
				tell(a.Method, a.Path+" of the fake tool", name)
			}
		}
	}
	return leaks
}

// isMine says whether an id_token is for this flow's request, and not one by which
// somebody else logs the platform's users in. One that cannot be read may be.
func (f *PlatformFlow) isMine(token string) bool {
	if token == "" {
		return false
	}
	m := readMessage(token)
	nonce, _ := m.Text("nonce")
	return m.Problem != "" || nonce == f.Request.Params.Get(lti.ParamNonce) || m.Claims[lti.ClaimMessageType] != nil
}

// Carrier is the exchange that brought the answer to the browser: the one before
// the browser went to the redirect URI. It is false where it did not go there.
func (f *PlatformFlow) Carrier() (results.Step, bool) {
	asked, _ := f.Requested()
	for i, s := range f.Trip.Steps {
		if i > 0 && SameURL(WithoutQuery(s.URL), WithoutQuery(asked)) {
			return f.Trip.Steps[i-1], true
		}
	}
	return results.Step{}, false
}

// WithoutQuery is an address up to its query or fragment.
func WithoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "#")
	address, _, _ = strings.Cut(address, "?")
	return address
}
