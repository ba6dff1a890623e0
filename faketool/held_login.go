package faketool

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// HeldPath begins the address of the page that shows a held login: HeldPath + "/" + id.
const HeldPath = "/held"

// A Login is one that a platform has initiated (Security Framework 1.0, 5.1.1.1).
type Login struct {
	tool *Tool
	// These do not change once the login is among the tool's.
	id           string // unguessable; names the login in URLs
	held         bool
	registration Registration
	params       url.Values // of the login initiation, in full
	initiation   Initiation
	refused      string
	bytes        int // that it takes, but for what is always small
	// These do, and the tool's mutex guards them.
	requests []Request
	prepared []*login
}

// A Probe says how a held login goes on.
type Probe struct {
	// Fault is what differs from a valid authentication request; nil for nothing.
	Fault *Fault
	// Other is the login that a fault with Borrows takes a value from.
	Other *Login
	// Post sends the request by a form POST instead of a redirect to a GET.
	Post bool
	// Gathers are those whose requests are sent at the same moment: the browser is sent on
	// when all of them have come to their addresses, or after some seconds. It is nil for
	// nobody.
	Gathers *together.Gathering
}

// LoginRecord is what the tool has seen and sent of a login so far. Its maps
// are not to be changed.
type LoginRecord struct {
	Initiation Initiation
	// Refused says why the tool refused the initiation, or would have refused the
	// one that it holds; empty where it did not.
	Refused string
	// Requests are the authentication requests that browsers were sent on with,
	// in the order in which they first were. One that is sent again is listed once.
	Requests []Request
	// Answers are those of [Tool.Answers] that belong to this login.
	Answers []*Answer
}

// Initiation is the request that began a login, as it reached the tool.
type Initiation struct {
	Method, Path string
	Query        url.Values
	Params       url.Values // query and body, as the tool reads them
	RawQuery     string
	ContentType  string
	InFrame      bool // the browser says that it shows the login in a frame
	At           time.Time
}

// Request is an authentication request (Security Framework 1.0, 5.1.1.2).
type Request struct {
	Method string
	URL    string // with the parameters, where Method is GET
	Params url.Values
	At     time.Time // when a browser was first sent on with it
}

// HoldLogins makes the tool hold every login that is initiated from now on, instead
// of answering it, even one that it would refuse. Without hold, it answers at
// once, as usual.
func (t *Tool) HoldLogins(hold bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holdsLogins = hold
}

// Logins returns the logins that platforms have initiated, the oldest first,
// held or not, and refused ones as well. The tool remembers the last 1000.
func (t *Tool) Logins() []*Login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.initiated)
}

// LoginAt returns the held login that an address of this tool shows, the URL of
// a page below [HeldPath], and false when there is none.
func (t *Tool) LoginAt(address string) (*Login, bool) {
	u, err := url.Parse(address)
	base, _ := url.Parse(t.opts.URL) // New has seen that it is a URL
	if err != nil || u.Scheme != base.Scheme || !strings.EqualFold(u.Host, base.Host) {
		return nil, false
	}
	page, below := strings.CutPrefix(u.Path, base.Path+HeldPath+"/")
	id, _, _ := strings.Cut(page, "/")
	if !below {
		return nil, false
	}
	return t.heldLogin(id)
}

func (t *Tool) heldLogin(id string) (*Login, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.initiated, func(l *Login) bool { return l.held && l.id == id })
	if i < 0 {
		return nil, false
	}
	return t.initiated[i], true
}

// remember adds a login to those of the tool. Where there is no room, another one is
// forgotten, so that answers to it belong to no login any more: first the oldest that
// nobody went on with because something is wrong with it, then any that nobody went on
// with, then any.
func (t *Tool) remember(l *Login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	bytes := 0
	for _, known := range t.initiated {
		bytes += known.bytes
	}
	l.bytes = l.size()
	for len(t.initiated) > 0 && (len(t.initiated) == t.opts.Remembers || bytes+l.bytes > t.opts.RemembersBytes) {
		oldest := slices.IndexFunc(t.initiated, func(known *Login) bool { return len(known.prepared) == 0 && known.refused != "" })
		if oldest < 0 {
			oldest = slices.IndexFunc(t.initiated, func(known *Login) bool { return len(known.prepared) == 0 })
		}
		oldest = max(0, oldest)
		for _, begun := range t.initiated[oldest].prepared {
			begun.of = nil
		}
		bytes -= t.initiated[oldest].bytes
		t.initiated = slices.Delete(t.initiated, oldest, oldest+1)
	}
	t.initiated = append(t.initiated, l)
}

// size is how many bytes a login takes; see [Login].
func (l *Login) size() int {
	i := l.initiation
	return len(i.Path) + len(i.RawQuery) + len(i.ContentType) + sizeOf(i.Query) + sizeOf(i.Params) + sizeOf(l.params)
}

// maxSent bounds how many requests the tool knows by state, nonce and cookie.
const maxSent = 5000

// forgetSent makes room for another request.
func (t *Tool) forgetSent() {
	if len(t.sent) < maxSent {
		return
	}
	oldest := t.sent[0]
	t.sent = slices.Delete(t.sent, 0, 1)
	delete(t.byCookie, oldest.cookie)
	if t.logins[oldest.state] == oldest {
		delete(t.logins, oldest.state)
	}
	for _, nonce := range oldest.request.Params[lti.ParamNonce] {
		if t.byNonce[nonce] == oldest {
			delete(t.byNonce, nonce)
		}
	}
}

// ID returns what names the login in URLs.
func (l *Login) ID() string { return l.id }

// Record returns what the tool has seen and sent of the login so far.
func (l *Login) Record() LoginRecord {
	t := l.tool
	t.mu.Lock()
	defer t.mu.Unlock()
	r := LoginRecord{Initiation: l.initiation, Refused: l.refused, Requests: slices.Clone(l.requests)}
	for _, a := range t.answers {
		if a.Login == l {
			r.Answers = append(r.Answers, a)
		}
	}
	return r
}

// ErrUnusable says that a message of the platform does not say where to go on.
var ErrUnusable = part.ErrUnusable

// ErrNoOtherTool says that a fault needs another tool that is registered with the
// platform, and its key ([Options.OtherTool]).
var ErrNoOtherTool = part.ErrNoOtherTool

// ErrUnchanged says that a fault makes no difference to the request or message
// at hand, because what it takes away or alters is not there, or what it borrows
// is the same.
var ErrUnchanged = part.ErrUnchanged

// Continue prepares an authentication request and returns the address on this
// tool that sends a browser to the platform with it: by a redirect, or by a
// form that submits itself. Each call is a request of its own, with a state and
// nonce of its own; each visit to the address sends the same one again.
//
// It fails where the login is not held, where the fault is a defect of the tool
// instead of a difference in the request or lacks what it needs, and with
// [ErrUnchanged].
func (l *Login) Continue(p Probe) (address string, err error) {
	if !l.held {
		return "", errors.New("faketool: the login is not held")
	}
	begun, err := l.tool.prepare(l, p)
	if err != nil {
		return "", fmt.Errorf("faketool: %w", err)
	}
	begun.gathers = p.Gathers
	l.tool.mu.Lock()
	defer l.tool.mu.Unlock()
	l.prepared = append(l.prepared, begun)
	return l.tool.opts.URL + HeldPath + "/" + l.id + "/go/" + strconv.Itoa(len(l.prepared)-1), nil
}

// prepare makes an authentication request for a login (Security Framework 1.0,
// 5.1.1.2), and changes in it what the probe says.
func (t *Tool) prepare(l *Login, p Probe) (*login, error) {
	made := loginMade.Pass(t.carrier, secrets{t, lti.RandomString(), lti.RandomString(), lti.RandomString()})
	d := part.AuthDraft{Core: partCore{t}, RedirectURI: t.LaunchURL(), Initiation: l.params, Post: p.Post, Params: url.Values{
		lti.ParamScope:        {lti.ScopeOpenID},
		lti.ParamResponseType: {lti.ResponseTypeIDToken},
		lti.ParamResponseMode: {lti.ResponseModeFormPost},
		lti.ParamPrompt:       {lti.PromptNone},
		lti.ParamClientID:     {l.registration.ClientID},
		lti.ParamRedirectURI:  {t.LaunchURL()},
		lti.ParamLoginHint:    {l.params.Get(lti.ParamLoginHint)},
		lti.ParamState:        {made.state},
		lti.ParamNonce:        {made.nonce},
	}}
	if p.Other != nil {
		d.Other = p.Other.params
	}
	if hint, ok := l.params[lti.ParamMessageHint]; ok {
		d.Params[lti.ParamMessageHint] = hint[:1]
	}
	d.Params = authenticationRequest.Pass(t.carrier, authRequest{l, d.Params}).params
	if p.Fault != nil {
		if err := vary(&d, p.Fault, p.Other != nil); err != nil {
			return nil, err
		}
	}

	request := Request{Method: http.MethodGet, Params: d.Params}
	inURL := d.Params
	if d.Post {
		request.Method, inURL = http.MethodPost, nil
	}
	to, err := t.endpoint(l, inURL)
	if err != nil {
		return nil, &part.Refusal{Status: http.StatusInternalServerError, Why: "The platform's authorization endpoint is no URL."}
	}
	request.URL = to
	return &login{
		registration: l.registration, state: d.Params.Get(lti.ParamState), nonce: d.Params.Get(lti.ParamNonce),
		target: l.params.Get(lti.ParamTargetLinkURI), deployment: l.params.Get(lti.ParamLTIDeploymentID), named: l.params.Get(lti.ParamClientID) != "",
		cookie: made.cookie, cookieName: cmp.Or(made.state, made.nonce), of: l, request: request,
	}, nil
}

// vary applies a stimulus to an authentication request; lent says whether there is another
// login to borrow from.
func vary(d *part.AuthDraft, f *Fault, lent bool) error {
	switch {
	case !part.AuthRequested.Changed(f.Effects):
		return fmt.Errorf("fault %s is none of an authentication request", f.Name)
	case f.Borrows != "" && !lent:
		return fmt.Errorf("fault %s needs another login to borrow from", f.Name)
	}
	return part.Apply(f, func() string { return d.Params.Encode() }, func() error {
		*d = part.AuthRequested.Pass(fault.Carry(f.Effects...), *d)
		return d.Err
	})
}

// send sends a browser to the platform with an authentication request. From its
// first time on, the request can be answered.
func (t *Tool) send(w http.ResponseWriter, r *http.Request, begun *login) {
	t.mu.Lock()
	if !begun.sent {
		begun.sent = true
		begun.request.At = t.opts.Now()
		begun.expires = begun.request.At.Add(loginLifetime)
		t.events++
		begun.event = t.events
		t.forgetSent()
		t.sent = append(t.sent, begun)
		t.byCookie[begun.cookie] = begun
		if begun.state != "" {
			t.logins[begun.state] = begun
		}
		for _, nonce := range begun.request.Params[lti.ParamNonce] {
			if nonce != "" {
				t.byNonce[nonce] = begun
			}
		}
		if begun.of != nil { // not forgotten meanwhile
			begun.index = len(begun.of.requests)
			begun.of.requests = append(begun.of.requests, begun.request)
		}
	}
	t.sendings++
	begun.sending = t.sendings
	t.mu.Unlock()
	t.forgetCookies(w, r)
	loginSent.Pass(t.carrier, sendingOff{t, begun, func(w http.ResponseWriter) {
		if by := t.sentByPart(begun); by != nil {
			by(w, r)
			return
		}
		t.sendByCookie(w, r, begun)
	}}).by(w)
}

// sendByCookie sends a browser to the platform that gets a cookie by which it proves that it has
// begun the login.
func (t *Tool) sendByCookie(w http.ResponseWriter, r *http.Request, begun *login) {
	if bindsToBrowser.Taken(t.carrier, begun) {
		http.SetCookie(w, t.cookie(t.cookieName(begun.cookieName), begun.cookie))
	}
	if begun.request.Method == http.MethodPost {
		t.render(w, http.StatusOK, "form", begun.request)
		return
	}
	http.Redirect(w, r, begun.request.URL, http.StatusFound)
}

// maxCookies is how many cookies of logins, of launches, and of each kind of a part's a
// browser keeps. Browsers forget cookies of a host that has many, the platform's among
// them where it has the same host.
const maxCookies = 40

// forgetCookies makes a browser forget its oldest cookies of each kind.
func (t *Tool) forgetCookies(w http.ResponseWriter, r *http.Request) {
	kinds := []string{loginCookie, sessionCookie + "_"}
	for _, one := range parts {
		kinds = append(kinds, one.Cookies...)
	}
	for _, prefix := range kinds {
		var own []string // the oldest first, as browsers send them
		for _, c := range r.Cookies() {
			if strings.HasPrefix(c.Name, prefix) {
				own = append(own, c.Name)
			}
		}
		most := cookiesKept.Pass(t.carrier, keeping{prefix, own, maxCookies}).most
		for _, name := range own[:max(0, len(own)-most)] {
			c := t.cookie(name, "")
			c.MaxAge = -1
			http.SetCookie(w, c)
		}
	}
}

// serveHeld shows that a login is held.
func (t *Tool) serveHeld(w http.ResponseWriter, r *http.Request) {
	if _, ok := t.heldLogin(r.PathValue("id")); !ok {
		t.serveNothing(w, r)
		return
	}
	t.render(w, http.StatusOK, "held", nil)
}

// serveContinue sends the browser on with a request that [Login.Continue] prepared.
func (t *Tool) serveContinue(w http.ResponseWriter, r *http.Request) {
	var begun *login
	if l, ok := t.heldLogin(r.PathValue("id")); ok {
		n, err := strconv.Atoi(r.PathValue("n"))
		t.mu.Lock()
		if err == nil && n >= 0 && n < len(l.prepared) {
			begun = l.prepared[n]
		}
		t.mu.Unlock()
	}
	if begun == nil {
		t.serveNothing(w, r)
		return
	}
	if begun.gathers != nil {
		begun.gathers.Meet(r.Context())
	}
	t.send(w, r, begun)
}
