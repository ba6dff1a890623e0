package fakeplatform

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator/lti"
)

// inquiry is an authentication request while it is being judged.
type inquiry struct {
	*http.Request
	params  url.Values
	account string  // of the user who is signed in, where the application has sessions
	launch  *Launch // nil where none can be found
	plan    Plan    // of the message to be sent: the launch's, but for a fault
	// sameBrowser is set where the browser may have this launch, and foreign
	// where lti_message_hint is that of another user's launch.
	sameBrowser, foreign bool
	problems             []problem

	// What follows is for faults: whether the message hint does not matter, where
	// the answer goes instead of redirect_uri, and whether an error is sent there
	// by a redirect.
	guessed   bool
	target    string
	redirects bool
}

// serveAuth is the authorization endpoint, for GET and POST (OpenID Connect
// Core 1.0, 3.1.2.1).
func (p *Platform) serveAuth(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "The authentication request cannot be read.")
		return
	}
	q := &inquiry{Request: r, params: lti.Unglued(r.URL.Query())}
	if r.Method == http.MethodPost {
		q.params = r.PostForm
	}
	if p.refusesMethod(w, q) {
		return
	}
	p.settleRepeated(q)
	if p.opts.SignedIn == nil {
		q.launch, q.sameBrowser = p.launchOf(r, q.params)
	} else {
		q.account = p.opts.SignedIn(r)
		p.findLaunch(q)
	}
	if q.launch == nil && p.opts.SignedIn == nil {
		p.unplanned(r, "an authentication request that belongs to no launch of this platform")
		refuse(w, http.StatusBadRequest, "This authentication request belongs to no launch of this platform.")
		return
	}
	if l := q.launch; l != nil && q.plan.ClientID == "" {
		q.plan = l.plan
	}
	again := p.judge(q)

	// A redirect URI that is not registered is never answered, not even with
	// an error (RFC 6749, 3.1.2.4).
	if !p.mayAnswer(q) {
		refuse(w, http.StatusBadRequest, "The redirect_uri is not registered for this client_id.")
		return
	}
	if again {
		p.unplanned(r, errGone.Error())
		p.fail(w, q, problem{says: errGone.Error(), code: lti.ErrorInvalidRequest})
		return
	}
	lenient := q.launch != nil && q.launch.plan.Lenient && (q.sameBrowser || p.opts.SignedIn == nil)
	if len(q.problems) > 0 && !lenient {
		p.fail(w, q, q.problems[0])
		return
	}
	if p.answersOtherwise(w, q) {
		return
	}
	params := maps.Clone(q.params)
	params.Set(lti.ParamRedirectURI, q.target)
	p.spoilRequest(q, params)
	if !q.launch.take() && !p.faults[AnswersOtherUsers] { // meanwhile
		p.fail(w, q, problem{says: errGone.Error(), code: lti.ErrorInvalidRequest})
		return
	}
	p.answer(w, r, q.launch, params, q.plan)
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
func (p *Platform) judge(q *inquiry) (again bool) {
	q.problems = p.check(q)
	if !q.sameBrowser {
		q.problems = append(q.problems, problem{says: "the browser has no session of the user that login_hint designates", code: lti.ErrorLoginRequired})
	}
	l := q.launch
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	request := AuthenticationRequest{Method: q.Method, Params: q.params, Query: q.URL.Query(), Path: q.URL.EscapedPath()}
	for _, pr := range q.problems {
		request.Problems = append(request.Problems, pr.says)
	}
	if len(l.record.AuthenticationRequests) < maxRecord {
		l.record.AuthenticationRequests = append(l.record.AuthenticationRequests, request)
	}
	if l.form == nil {
		return false
	}
	if q.account != "" && q.account != l.plan.Account && q.sameBrowser && p.has(AnswersOtherUsers) {
		return false
	}
	// A request of somebody else is answered as if there had been no other.
	return p.opts.SignedIn == nil || q.sameBrowser
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

// findLaunch finds the launch that lti_message_hint names, and says whether it
// is one of the user who is signed in in the browser.
func (p *Platform) findLaunch(q *inquiry) {
	messageHint := q.params.Get(lti.ParamMessageHint)
	l := p.started(lti.ParamMessageHint, messageHint)
	switch byLogin := p.started(lti.ParamLoginHint, q.params.Get(lti.ParamLoginHint)); {
	case l == nil && q.account != "":
		l = p.guessLaunch(q, byLogin)
	case l != nil && byLogin != nil && l.plan.Account != q.account && byLogin.plan.Account == q.account && p.has(LaunchesOthersMessage):
		q.plan, q.guessed = byLogin.plan.message(l.plan), true
		l = byLogin
	case p.opensByHint(q, l, byLogin):
		l = byLogin
	}
	if l == nil {
		p.unplanned(q.Request, "an authentication request that belongs to no launch of this platform")
		// Nothing tells whose launch it was to be; that is the message hint's
		// fault where somebody is signed in.
		q.sameBrowser = q.account != ""
		return
	}
	q.launch = l
	q.sameBrowser = q.account == l.plan.Account || p.trusts(q)
	q.foreign = !q.sameBrowser && q.account != ""
	if q.sameBrowser {
		p.mixLaunches(q)
	}
}

// A problem is a way in which an authentication request departs from the
// specification, with the error code that says so.
type problem struct {
	says string
	code string
}

// check holds an authentication request against Security Framework 1.0, 5.1.1.2.
func (p *Platform) check(q *inquiry) []problem {
	var problems []problem
	add := func(code, format string, args ...any) {
		problems = append(problems, problem{says: fmt.Sprintf(format, args...), code: code})
	}
	params := q.params
	if q.foreign {
		add(lti.ErrorInvalidRequest, "lti_message_hint is that of another user's launch")
	}
	registration, ownClient := p.clientOf(q)
	missing := map[string]string{ // codes other than invalid_request
		lti.ParamScope: lti.ErrorInvalidScope, lti.ParamResponseType: lti.ErrorUnsupportedResponseType, lti.ParamLoginHint: lti.ErrorLoginRequired,
	}
	for _, name := range []string{
		lti.ParamScope, lti.ParamResponseType, lti.ParamResponseMode, lti.ParamPrompt,
		lti.ParamClientID, lti.ParamRedirectURI, lti.ParamLoginHint, lti.ParamNonce,
	} {
		switch n := len(params[name]); {
		case n > 1:
			add(lti.ErrorInvalidRequest, "%s occurs %d times instead of once", name, n)
		case n == 0 && !p.doesWithout(q, name):
			code := missing[name]
			if code == "" {
				code = lti.ErrorInvalidRequest
			}
			add(code, "%s occurs 0 times instead of once", name)
		}
	}
	want := func(name, code, value string) {
		if got := params.Get(name); len(params[name]) == 1 && got != value && !p.takes(q, name, got) {
			add(code, "%s is %q instead of %q", name, got, value)
		}
	}
	want(lti.ParamResponseType, lti.ErrorUnsupportedResponseType, lti.ResponseTypeIDToken)
	want(lti.ParamResponseMode, lti.ErrorInvalidRequest, lti.ResponseModeFormPost)
	want(lti.ParamPrompt, lti.ErrorInvalidRequest, lti.PromptNone)
	if q.launch != nil {
		if !ownClient {
			want(lti.ParamClientID, lti.ErrorInvalidRequest, q.launch.plan.ClientID)
			registration = q.launch.registration
		}
		want(lti.ParamLoginHint, lti.ErrorLoginRequired, q.launch.login.Params.Get(lti.ParamLoginHint))
	}
	for _, name := range []string{lti.ParamState, lti.ParamMessageHint} {
		if n := len(params[name]); n > 1 { // RFC 6749, 3.1
			add(lti.ErrorInvalidRequest, "%s occurs %d times", name, n)
		}
	}
	if l, got := q.launch, params.Get(lti.ParamMessageHint); l == nil || got != l.login.Params.Get(lti.ParamMessageHint) && !q.guessed {
		add(lti.ErrorInvalidRequest, "lti_message_hint is not the one of the login initiation")
	}
	if scopes := strings.Fields(params.Get(lti.ParamScope)); len(params[lti.ParamScope]) == 1 {
		switch {
		case !slices.Contains(scopes, lti.ScopeOpenID):
			if !p.has(AcceptsScopeWithoutOpenID) {
				add(lti.ErrorInvalidScope, "scope %q does not contain openid", params.Get(lti.ParamScope))
			}
		case len(scopes) > 1 && p.has(RefusesFurtherScopes):
			add(lti.ErrorInvalidScope, "scope %q contains more than openid", params.Get(lti.ParamScope))
		}
	}
	if len(params[lti.ParamNonce]) == 1 && params.Get(lti.ParamNonce) == "" && !p.has(AcceptsEmptyNonce) {
		add(lti.ErrorInvalidRequest, "nonce is empty")
	}
	if len(params[lti.ParamState]) == 0 && p.has(NeedsState) {
		add(lti.ErrorInvalidRequest, "state is missing")
	}
	for name := range params {
		if !slices.Contains(requestParameters, name) && p.has(RefusesUnknownParameters) {
			add(lti.ErrorInvalidRequest, "%s is unknown", name)
		}
	}
	if l, got := q.launch, params.Get(lti.ParamRedirectURI); l != nil && len(params[lti.ParamRedirectURI]) == 1 && !p.registered(registration, got) {
		add(lti.ErrorInvalidRequest, "redirect_uri %q is not registered", got)
	}
	return problems
}

// requestParameters are those of an authentication request.
var requestParameters = []string{
	lti.ParamScope, lti.ParamResponseType, lti.ParamResponseMode, lti.ParamPrompt, lti.ParamClientID, lti.ParamRedirectURI,
	lti.ParamLoginHint, lti.ParamMessageHint, lti.ParamNonce, lti.ParamState,
}

// mayAnswer says whether an answer may go to the request's redirect URI: to one
// that is registered for its client_id, or, leniently, to the origin of one; where
// the request has the other scheme, to the one that is registered. Where it may, it
// sets the inquiry's target.
func (p *Platform) mayAnswer(q *inquiry) bool {
	redirectURI := q.params.Get(lti.ParamRedirectURI)
	if q.target == "" {
		q.target = redirectURI
	}
	if l := q.launch; l != nil && l.plan.Lenient {
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
	registration, ok := p.clientOf(q)
	if !ok && p.isKnown(q) {
		return false
	}
	if !ok {
		return p.mayReportTo(q, redirectURI, SendsErrorsForUnknownClient, RedirectsErrorsForUnknownClient)
	}
	// With two of them nobody can say which one is meant.
	if slices.ContainsFunc(q.params[lti.ParamRedirectURI], func(uri string) bool { return uri != redirectURI }) {
		return false
	}
	if !p.registered(registration, redirectURI) {
		others := slices.DeleteFunc(slices.Clone(q.problems), func(pr problem) bool { return strings.HasPrefix(pr.says, lti.ParamRedirectURI) })
		return len(others) > 0 && p.mayReportTo(q, redirectURI, SendsErrorsToUnregisteredURI, RedirectsErrorsToUnregisteredURI) ||
			p.reportsToItself(q, redirectURI)
	}
	return true
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

func (p *Platform) isKnown(q *inquiry) bool {
	_, known := p.registrationOf(q.params.Get(lti.ParamClientID))
	return known
}

func (p *Platform) registrationOf(clientID string) (Registration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	registration, known := p.registrations[clientID]
	return registration, known
}

// clientOf returns the registration of the request's client_id, if it is that
// of the launch.
func (p *Platform) clientOf(q *inquiry) (Registration, bool) {
	clientID := q.params.Get(lti.ParamClientID)
	registration, known := p.registrationOf(clientID)
	l := q.launch
	switch {
	case l != nil && p.forgetsTool(l):
	case l == nil || known && clientID == l.plan.ClientID:
		return registration, known
	case known && slices.Contains(l.registration.RedirectURIs, q.params.Get(lti.ParamRedirectURI)) && p.has(TakesOtherClientForLaunchs):
		return l.registration, true
	case known && p.has(AnswersOtherClient):
		q.plan.ClientID = clientID
		return registration, true
	case !known && p.takesClient(clientID):
		return l.registration, true
	}
	return Registration{}, false
}

// fail reports a problem to the tool (OpenID Connect Core 1.0, 3.1.2.6).
func (p *Platform) fail(w http.ResponseWriter, q *inquiry, pr problem) {
	params := url.Values{lti.ParamError: {pr.code}, lti.ParamErrorDescription: {pr.says}}
	if state := q.params[lti.ParamState]; len(state) > 0 && !p.has(DropsStateOnError) {
		params[lti.ParamState] = state[:1]
	}
	if p.failsOtherwise(w, q, pr, params) {
		return
	}
	writeForm(w, formPage{Action: q.target, Params: params})
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
	if f := l.plan.Fault; f != nil && f.Holds {
		render(w, http.StatusOK, "held", nil)
		return
	}
	form.deliver(w, r)
}
