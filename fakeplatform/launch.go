package fakeplatform

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// A User is a person with an account on the platform. Empty fields are not sent.
type User = part.User

// A ResourceLink is a link in a course (LTI Core 1.3, 5.3.5).
type ResourceLink struct {
	ID          string
	Title       string
	Description string
}

// A Context is the course that a link is in (LTI Core 1.3, 5.4.1).
type Context = part.Context

// Needs are what a tool has to be told in every launch to work at all, such as which of its
// resources a link opens: custom parameters, variables among them, and further claims.
// The members of a claim that is an object are added to those that the launch sends
// anyway. A launch with the required claims alone has them, too.
type Needs = part.Needs

// A Plan says what a launch sends. ClientID and User are required, the rest has a
// sensible default.
type Plan struct {
	ClientID      string // of the registration to launch
	DeploymentID  string // the registration's first one when empty
	User          User
	ResourceLink  ResourceLink
	Context       Context           // the claim is left out when ID is empty
	Custom        map[string]string // custom parameters
	Needs         Needs             // of the tool
	TargetLinkURI string            // the registration's when empty
	Target        DocumentTarget    // how the launch is shown; window when empty
	LoginByPost   bool              // send the login initiation as a form POST instead of a GET
	// Fault is the one thing that differs from a valid launch, if any.
	Fault *Fault
	// Other is the launch that a fault borrows a value from, or replays.
	Other *Launch
	// Lenient answers a faulty authentication request as well, wherever the
	// answer would still reach the tool, so that one mistake does not hide the
	// next: where redirect_uri has the other scheme, at the one that is registered.
	// What was wrong is in the record all the same.
	Lenient bool
	// Account is that of the user, as Options.SignedIn returns it. It is needed
	// where that is set.
	Account string
	// ReturnTo is the page of the application that the return page leads back
	// to; none when empty.
	ReturnTo string
	// HidePersonalData leaves out what identifies the user but sub.
	HidePersonalData bool
	// Anonymous leaves out sub, too (LTI Core 1.3, 5.3.6.1).
	Anonymous bool
	// Message is the type of the message: lti.ResourceLinkRequest when empty, or one of a
	// part, such as lti.StartProctoring. What its part says of where it leads comes first.
	Message string
	// About is what a message of a part is about, such as a [proctoring.Exam].
	About any
	// Offers are the parts, by their profiles, whose services the launch offers in the
	// plan's context, and Scopes those that it offers of them; all when nil.
	Offers, Scopes []string
	// Members are the people of the context, where there is no [Options.Members]; those
	// who have been launched there when nil.
	Members []User

	of *Launch // the launch whose plan it is, for a fault that mixes launches up
}

// A DocumentTarget says where a launch is shown (LTI Core 1.3, 5.4.4).
type DocumentTarget string

// The document targets that the platform can show.
const (
	Window DocumentTarget = "window"
	IFrame DocumentTarget = "iframe"
)

// A Launch is one that the platform began. Send a browser to its URL.
type Launch struct {
	platform     *Platform
	plan         Plan
	registration Registration
	id           string // unguessable; names the launch in URLs
	session      string // value of its cookie in the browser that began it
	planned      time.Time
	until        time.Time // when it is forgotten
	login        login
	keySet       *keySet // what is published while the launch goes on; nil when nothing special

	kept    part.Kept // what the part keeps of it whose message it has; nil for none
	granted sync.Map  // access tokens since then, as long as it is the latest that offers services

	mu      sync.Mutex
	record  Record
	form    *answerForm         // the answer, once there is one
	taken   bool                // an authentication request is being answered
	gathers *together.Gathering // of pages that wait for one another; nil for none
}

// Record is what a launch has seen so far, in the order of the protocol.
type Record struct {
	// LoginInitiation is what the browser was sent to the tool with.
	LoginInitiation *LoginInitiation
	// AuthenticationRequests are those that the tool answered with.
	AuthenticationRequests []AuthenticationRequest
	// IDToken is the token that the launch was answered with.
	IDToken string
	// Returns are the visits to the launch's return URL.
	Returns []Return
	// Part is what the part has seen whose message the launch has, such as a
	// [proctoring.Record].
	Part any
}

// LoginInitiation is the request that starts a login (Security Framework 1.0, 5.1.1.1).
type LoginInitiation struct {
	Method string
	URL    string
	Params url.Values
}

// AuthenticationRequest is the tool's answer to a login initiation, as it
// reached the authorization endpoint (Security Framework 1.0, 5.1.1.2).
type AuthenticationRequest struct {
	Method string
	Params url.Values
	// Query is the query of the URL that it was sent to, and Path its path as it came,
	// still escaped.
	Query url.Values
	Path  string
	// Problems say what the specification does not allow in it.
	Problems []string
}

// A Return is a visit to the return URL, with what the tool said there (LTI
// Core 1.3, 5.4.4).
type Return struct {
	Message, ErrorMessage, Log, ErrorLog string
	// RawQuery is the whole query, as it came.
	RawQuery string
}

// AccountID is what a platform calls an account that keeps who has signed in last
// ([LastUserKept]): 22 characters, the same in every session.
func AccountID(account string) string {
	sum := sha256.Sum256([]byte(account))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// madeHint is the login_hint of a launch.
type madeHint struct {
	*Launch
	hint string
}

var loginHintMade = &fault.Seam[madeHint]{Name: "the login_hint of a launch"}

// Begin plans a launch. Nothing is sent before a browser opens the launch's URL.
func (p *Platform) Begin(plan Plan) (*Launch, error) {
	plan.Message = cmp.Or(plan.Message, lti.ResourceLinkRequest)
	ofPart := messageOf(plan.Message)
	if ofPart == nil && plan.Message != lti.ResourceLinkRequest {
		return nil, fmt.Errorf("fakeplatform: no launch begins with the message type %q", plan.Message)
	}
	if ofPart != nil && ofPart.Follows != nil {
		before, err := ofPart.Follows(plan.About)
		if err != nil {
			return nil, err
		}
		followed := before.(partLaunch).plan
		followed.Message, followed.About, followed.Fault = plan.Message, plan.About, plan.Fault
		plan = followed
	}
	registration, ok := p.registrationOf(plan.ClientID)
	registers := ofPart != nil && ofPart.Unregistered
	if !ok && !registers {
		return nil, fmt.Errorf("fakeplatform: no registration of client_id %q", plan.ClientID)
	}
	if p.opts.SignedIn != nil && plan.Account == "" {
		return nil, errors.New("fakeplatform: a plan without account, though the application has sessions")
	}
	if plan.DeploymentID == "" && !registers {
		plan.DeploymentID = registration.DeploymentIDs[0]
	}
	if !registers && !slices.Contains(registration.DeploymentIDs, plan.DeploymentID) {
		return nil, fmt.Errorf("fakeplatform: client %q has no deployment %q", plan.ClientID, plan.DeploymentID)
	}
	if len(plan.Offers) > 0 && plan.Context.ID == "" {
		return nil, errors.New("fakeplatform: a plan that offers services, but without context")
	}
	if ofPart != nil && ofPart.Leads != nil {
		to, err := ofPart.Leads(partCore{p}, plan.ofPart())
		if err != nil {
			return nil, err
		}
		plan.leadTo(to)
	} else if plan.ResourceLink == (ResourceLink{}) {
		plan.ResourceLink = ResourceLink{ID: "link-1", Title: "Introduction", Description: "The first exercise of the course"}
	}
	plan.leadTo(part.LaunchPlanned.Pass(p.carrier, part.Planned{Core: partCore{p}, Plan: plan.ofPart()}).Destination)
	plan.TargetLinkURI = cmp.Or(plan.TargetLinkURI, registration.Target(plan.Message))
	if plan.Target == "" {
		plan.Target = Window
	}
	l := &Launch{
		platform: p, plan: plan, registration: registration, id: lti.RandomString(), session: lti.RandomString(), planned: p.opts.Now(),
	}
	l.plan.of = l
	l.until = l.planned.Add(memory)
	if ofPart != nil && ofPart.Memory > 0 {
		l.until = l.planned.Add(ofPart.Memory)
	}
	if ofPart != nil {
		var err error
		if l.kept, err = ofPart.Begin(partCore{p}, partLaunch{l}); err != nil {
			return nil, err
		}
		l.kept.Says(l.claims(plan, url.Values{}, l.planned))
	}
	l.login = login{launch: l, Method: http.MethodGet, Params: url.Values{
		lti.ParamIssuer:          {p.opts.Issuer},
		lti.ParamLoginHint:       {"user-" + lti.RandomString()},
		lti.ParamTargetLinkURI:   {plan.TargetLinkURI},
		lti.ParamMessageHint:     {"message-" + lti.RandomString()},
		lti.ParamLTIDeploymentID: {plan.DeploymentID},
		lti.ParamClientID:        {plan.ClientID},
	}}
	l.login.Params[lti.ParamLoginHint][0] = loginHintMade.Pass(p.carrier, madeHint{l, l.login.Params.Get(lti.ParamLoginHint)}).hint
	if plan.LoginByPost {
		l.login.Method = http.MethodPost
	}
	for _, one := range parts {
		if one.Initiates != nil {
			one.Initiates(partCore{p}, partLaunch{l}, l.login.Params)
		}
	}
	target := plan.TargetLinkURI
	l.login = loginPrepared.Pass(l.carrier(), l.login)
	l.login.Params = part.LoginInitiated.Pass(l.carrier(), part.Login{Launch: partLaunch{l}, Params: l.login.Params}).Params
	if named := l.login.Params.Get(lti.ParamTargetLinkURI); named != target && (named != "" || plan.Fault != nil) {
		l.plan.TargetLinkURI = named // the message names the link that its login was begun for
	}
	if f := plan.Fault; f != nil {
		if f.Borrows != "" && plan.Other == nil {
			return nil, fmt.Errorf("fakeplatform: fault %s needs another launch to borrow from", f.Name)
		}
		// That of the launch alone: a platform that is judged publishes its own keys.
		published := keysOfLaunch.Pass(fault.Carry(f.Effects...), launchKeys{launch: l})
		if published.err != nil {
			return nil, fmt.Errorf("fakeplatform: fault %s: %w", f.Name, published.err)
		}
		l.keySet = published.set
	}
	for _, one := range parts {
		if one.Launched != nil {
			one.Launched(partCore{p}, partLaunch{l})
		}
	}
	p.taught.note(l)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(l.planned)
	p.launches[l.id] = l
	if l.keySet != nil {
		p.keySet = l.keySet
	}
	return l, nil
}

// leadTo leads the launch elsewhere. What goes with the resource link goes where that does not
// change.
func (plan *Plan) leadTo(to part.Destination) {
	if to.ResourceLink != plan.ResourceLink.ID {
		plan.ResourceLink = ResourceLink{ID: to.ResourceLink}
	}
	plan.TargetLinkURI, plan.Custom, plan.Offers = to.TargetLinkURI, to.Custom, to.Offers
}

// memory is how long a launch is kept, where its message says nothing else.
const memory = time.Hour

// forget drops the launches that are too old, so that they do not pile up in an application
// that is served for long.
func (p *Platform) forget(now time.Time) {
	for _, l := range p.launches {
		if !l.until.Before(now) {
			continue
		}
		delete(p.launches, l.id)
		delete(p.bySession, l.session)
		for _, h := range l.hints() {
			p.byHint[h] = slices.DeleteFunc(p.byHint[h], func(known *Launch) bool { return known == l })
			if len(p.byHint[h]) == 0 {
				delete(p.byHint, h)
			}
		}
		if p.latest[l.plan.Account] == l {
			delete(p.latest, l.plan.Account)
		}
	}
}

// End ends what the launch's fault changes beyond the launch: the key set is
// again that of the platform. A launch whose fault changes nothing of the kind
// need not be ended.
func (l *Launch) End() {
	l.platform.mu.Lock()
	defer l.platform.mu.Unlock()
	if l.keySet != nil && l.platform.keySet == l.keySet {
		l.platform.keySet = nil
	}
}

// PlatformURL returns the URL of the launch's platform.
func (l *Launch) PlatformURL() string { return l.platform.opts.URL }

// Plan returns what the launch was begun with, and its defaults.
func (l *Launch) Plan() Plan { return l.plan }

// URL returns where a browser begins the launch in the window it is in.
func (l *Launch) URL() string { return l.platform.opts.URL + "/launch/" + l.id }

// FrameURL returns a course page that shows the launch in an iframe.
func (l *Launch) FrameURL() string { return l.URL() + "/frame" }

// WindowURL returns a course page with a link, [Launch.WindowLink], that opens
// the launch in a window named [Launch.WindowName].
func (l *Launch) WindowURL() string { return l.URL() + "/window" }

// WindowName names the window that the launch opens in.
func (l *Launch) WindowName() string { return "lti-" + l.id }

// WindowLink is the CSS selector of the link on the page at [Launch.WindowURL].
const WindowLink = "#launch"

// DeliverURL returns a page that submits the launch's answer once more, from
// whichever browser opens it. It serves only after the platform has answered
// the authentication request, and for faults that deliver the answer elsewhere.
func (l *Launch) DeliverURL() string { return l.URL() + "/deliver" }

// Together makes the pages that submit launches' answers once more wait for one another: the
// next visits to their DeliverURL, n in all, are answered when all of them have come, or
// after some seconds. So browsers submit the answers, or one of them n times, at the same
// moment.
func Together(n int, launches ...*Launch) {
	g := together.Gather(n)
	for _, l := range launches {
		l.mu.Lock()
		l.gathers = g
		l.mu.Unlock()
	}
}

// ReturnURL returns the launch's return URL (LTI Core 1.3, 5.4.4).
func (l *Launch) ReturnURL() string { return l.URL() + "/return" }

// Part returns what the part keeps of the launch whose message it has, and nil for none.
func (l *Launch) Part() any { return l.kept }

// carrier carries the faults of the platform, and that of the launch.
func (l *Launch) carrier() *fault.Carrier { return l.platform.with(l.plan.Fault) }

// Record returns what the launch has seen so far.
func (l *Launch) Record() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.record
	if l.kept != nil {
		r.Part = l.kept.Seen()
	}
	r.AuthenticationRequests = slices.Clone(r.AuthenticationRequests)
	r.Returns = slices.Clone(r.Returns)
	return r
}

// Request returns the parameters of the launch's first authentication request,
// and false when none has come.
func (l *Launch) Request() (url.Values, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.record.AuthenticationRequests) == 0 {
		return nil, false
	}
	return l.record.AuthenticationRequests[0].Params, true
}

// errGone is why a launch is not begun, or answered, twice.
var errGone = errors.New("this launch has been used already")

// start marks the login initiation as sent, once, and from then on finds the
// launch by its hints and by the session of its browser.
func (p *Platform) start(l *Launch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.record.LoginInitiation != nil {
		return errGone
	}
	l.record.LoginInitiation = &LoginInitiation{Method: l.login.Method, URL: l.registration.LoginURL, Params: l.login.Params}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bySession[l.session] = l
	for _, h := range l.hints() {
		p.byHint[h] = append(p.byHint[h], l)
	}
	p.latest[l.plan.Account] = l
	p.lastStarted = l
	return nil
}

// hints are those of the login initiation.
func (l *Launch) hints() []hint {
	return []hint{
		{lti.ParamMessageHint, l.login.Params.Get(lti.ParamMessageHint)},
		{lti.ParamLoginHint, l.login.Params.Get(lti.ParamLoginHint)},
	}
}

// A hint is a parameter of the login initiation that names its launch.
type hint struct{ name, value string }
