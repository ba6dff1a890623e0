package fakeplatform

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// authRequest is an authentication request while it is being judged.
type authRequest struct {
	*http.Request
	platform *Platform
	params   url.Values
	account  string  // of the user who is signed in, where the application has sessions
	launch   *Launch // nil where none can be found
	plan     Plan    // of the message to be sent: the launch's
	// registration is that of the client_id, which is known where it is that of the launch;
	// where it is not, that of the launch.
	registration Registration
	known        bool
	// beganLaunch is set where the browser has begun the launch, as far as the platform has
	// sessions of its own, and sameBrowser where it is that of the launch's user.
	beganLaunch, sameBrowser bool
	othersHint               bool // of a fault: the message is that of another user's launch
	problems                 part.Refusals
	target                   string // where the answer goes; redirect_uri when empty
}

// serveAuth is the authorization endpoint, for GET and POST (OpenID Connect
// Core 1.0, 3.1.2.1).
func (p *Platform) serveAuth(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "The authentication request cannot be read.")
		return
	}
	q := &authRequest{Request: r, platform: p, params: lti.Unglued(r.URL.Query())}
	if r.Method == http.MethodPost {
		q.params = r.PostForm
	}
	read := authRead.Pass(p.carrier, authReading{authRequest: q, params: q.params})
	if read.instead != nil {
		read.instead(w, r)
		return
	}
	q.params, q.target = read.params, read.target
	p.findLaunch(q)
	if q.launch == nil && p.opts.SignedIn == nil {
		p.unplanned(r, "an authentication request that belongs to no launch of this platform")
		refuse(w, http.StatusBadRequest, "This authentication request belongs to no launch of this platform.")
		return
	}
	again := p.judge(q)

	// A redirect URI that is not registered is never answered, not even with
	// an error (RFC 6749, 3.1.2.4).
	if !p.mayAnswer(q) {
		refuse(w, http.StatusBadRequest, "The redirect_uri is not registered for this client_id.")
		return
	}
	if again != nil {
		p.unplanned(r, errGone.Error())
		p.fail(w, q, again)
		return
	}
	lenient := q.launch != nil && q.launch.plan.Lenient && (q.sameBrowser || p.opts.SignedIn == nil)
	if len(q.problems) > 0 && !lenient {
		p.fail(w, q, &q.problems[0])
		return
	}
	params := maps.Clone(q.params)
	params.Set(lti.ParamRedirectURI, q.target)
	response := authResponse.Pass(p.carrier, authAnswer{authRequest: q, answers: params})
	if response.instead != nil {
		writeForm(w, formPage{Action: q.target, Params: response.instead})
		return
	}
	if err := takenOnce.Check(p.carrier, q); err != nil { // meanwhile
		p.fail(w, q, err)
		return
	}
	p.answer(w, r, q.launch, response.answers, q.plan)
}

// take says whether the launch has not been taken yet, once.
func (l *Launch) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.taken
	l.taken = true
	return first
}

// judge says what is wrong with a request, keeps it in its launch's record and
// says whether the launch has been answered already.
func (p *Platform) judge(q *authRequest) (again error) {
	q.problems = part.RefusalsOf(authRules.All(p.carrier, q)...)
	l := q.launch
	if l == nil {
		return nil
	}
	l.mu.Lock()
	request := AuthenticationRequest{
		Method: q.Method, Params: q.params, Query: q.URL.Query(), Path: q.URL.EscapedPath(), Problems: q.problems.Said(),
	}
	if len(l.record.AuthenticationRequests) < maxRecord {
		l.record.AuthenticationRequests = append(l.record.AuthenticationRequests, request)
	}
	l.mu.Unlock()
	return answeredOnce.Check(p.carrier, q)
}

// findLaunch finds the launch that an authentication request is about, and whose it is:
// where the application has sessions, the one that lti_message_hint names.
func (p *Platform) findLaunch(q *authRequest) {
	if p.opts.SignedIn == nil {
		q.launch, q.beganLaunch = p.launchOf(q.Request, q.params)
	} else {
		q.account = p.opts.SignedIn(q.Request)
		hinted := launchHinted.Pass(p.carrier, hintedLaunch{
			authRequest: q,
			byMessage:   p.started(lti.ParamMessageHint, q.params.Get(lti.ParamMessageHint)),
			byLogin:     p.started(lti.ParamLoginHint, q.params.Get(lti.ParamLoginHint)),
		})
		hinted = hinted.forWhoeverIsSignedIn()
		q.launch = hinted.byMessage
		if q.launch == nil {
			p.unplanned(q.Request, "an authentication request that belongs to no launch of this platform")
		} else if q.plan = q.launch.plan; hinted.plan != nil {
			q.plan = *hinted.plan
		}
	}
	if l := q.launch; l != nil && q.plan.ClientID == "" {
		q.plan = l.plan
	}
	q.sameBrowser = userSignedIn.Check(p.carrier, q) == nil
	if q.launch != nil && q.sameBrowser && p.opts.SignedIn != nil {
		q.plan = messagePlanned.Pass(p.carrier, plannedMessage{q, q.plan}).Plan
	}
	clientID := q.params.Get(lti.ParamClientID)
	registration, known := p.registrationOf(clientID)
	if l := q.launch; l != nil && (!known || clientID != l.plan.ClientID) {
		registration, known = l.registration, false
	}
	client := clientNamed.Pass(p.carrier, namedClient{q, registration, known, q.plan.ClientID})
	q.registration, q.known, q.plan.ClientID = client.registration, client.known, client.audience
}

// launchOf finds the launch that an authentication request belongs to. The
// hints name it; where a tool has changed both, its browser's session does.
func (p *Platform) launchOf(r *http.Request, params url.Values) (l *Launch, sameBrowser bool) {
	sessions := sessionsOf(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range []string{lti.ParamMessageHint, lti.ParamLoginHint} {
		candidates := p.byHint[hint{name, params.Get(name)}]
		if len(candidates) == 0 || params.Get(name) == "" {
			continue
		}
		for _, l := range candidates {
			if slices.Contains(sessions, l.session) {
				return l, true
			}
		}
		return candidates[len(candidates)-1], false
	}
	for _, session := range slices.Backward(sessions) {
		if l := p.bySession[session]; l != nil {
			return l, true
		}
	}
	return nil, false
}

// sessionsOf returns those of the platform's own that a browser has, the latest
// last.
func sessionsOf(r *http.Request) []string {
	var sessions []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, sessionCookie) {
			sessions = append(sessions, c.Value)
		}
	}
	return sessions
}

// started returns the launch that was started with a hint, and nil for none.
func (p *Platform) started(name, value string) *Launch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if candidates := p.byHint[hint{name, value}]; len(candidates) > 0 && value != "" {
		return candidates[len(candidates)-1]
	}
	return nil
}

// mayAnswer says whether an answer may go to the request's redirect URI: to one
// that is registered for its client_id, or, leniently, to the origin of one; where
// the request has the other scheme, to the one that is registered. Where it may, it
// sets the request's target.
func (p *Platform) mayAnswer(q *authRequest) bool {
	redirectURI := q.params.Get(lti.ParamRedirectURI)
	if q.target == "" {
		q.target = redirectURI
	}
	l := q.launch
	if l == nil || !l.plan.Lenient {
		return answerRules.First(p.carrier, q) == nil
	}
	asked, err := url.Parse(redirectURI)
	if err == nil && slices.ContainsFunc(l.registration.RedirectURIs, func(uri string) bool {
		u, err := url.Parse(uri)
		return err == nil && u.Scheme == asked.Scheme && u.Host == asked.Host
	}) {
		return true
	}
	i := slices.IndexFunc(l.registration.RedirectURIs, func(uri string) bool { return DifferInScheme(uri, redirectURI) })
	if i >= 0 {
		q.target = l.registration.RedirectURIs[i]
	}
	return i >= 0
}

// DifferInScheme says whether two URLs are the same but for their scheme, http and
// https, and their port: a tool behind a proxy that ends TLS may see one and be
// reached by the other.
func DifferInScheme(a, b string) bool {
	one, errOne := url.Parse(a)
	other, errOther := url.Parse(b)
	if errOne != nil || errOther != nil || one.Hostname() == "" || one.Scheme == other.Scheme {
		return false
	}
	for _, u := range []*url.URL{one, other} {
		if u.Scheme != "http" && u.Scheme != "https" {
			return false
		}
		u.Scheme, u.Host = "", strings.ToLower(u.Hostname())
	}
	return one.String() == other.String()
}

func (p *Platform) registrationOf(clientID string) (Registration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	registration, known := p.registrations[clientID]
	return registration, known
}

// fail reports a problem to the tool (OpenID Connect Core 1.0, 3.1.2.6).
func (p *Platform) fail(w http.ResponseWriter, q *authRequest, err error) {
	why := part.RefusalsOf(err)[0]
	params := url.Values{lti.ParamError: {why.Code}, lti.ParamErrorDescription: {why.Says}}
	if state := q.params[lti.ParamState]; len(state) > 0 {
		params[lti.ParamState] = state[:1]
	}
	sent := authError.Pass(p.carrier, authErrorAnswer{authRequest: q, why: why, params: params})
	if sent.instead != nil {
		sent.instead(w, q.Request)
		return
	}
	writeForm(w, formPage{Action: q.target, Params: sent.params})
}

// answer mints the id_token and submits it through the browser, or keeps the
// answer back where the fault delivers it elsewhere.
func (p *Platform) answer(w http.ResponseWriter, r *http.Request, l *Launch, request url.Values, plan Plan) {
	form, err := p.mint(l, request, plan)
	if err != nil {
		refuse(w, http.StatusInternalServerError, fmt.Sprintf("The id_token cannot be made: %s", err))
		return
	}
	l.mu.Lock()
	l.form = form
	l.record.IDToken = form.fields.Get(lti.ParamIDToken)
	l.mu.Unlock()
	if answerHeld.Taken(l.carrier(), l) {
		render(w, http.StatusOK, "held", nil)
		return
	}
	form.deliver(w, r)
}

// requestParameters are those of an authentication request.
var requestParameters = []string{
	lti.ParamScope, lti.ParamResponseType, lti.ParamResponseMode, lti.ParamPrompt, lti.ParamClientID, lti.ParamRedirectURI,
	lti.ParamLoginHint, lti.ParamMessageHint, lti.ParamNonce, lti.ParamState,
}
