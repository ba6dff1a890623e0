package faketool

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// An initiating is a login initiation while the tool checks it.
type initiating struct {
	t      *Tool
	r      *http.Request
	params url.Values
	// unreadable says why the parameters cannot be read; nil where they can.
	unreadable error
	chosen     choosing
}

// choosing is the registration that a login initiation names, and those that the tool knows.
type choosing struct {
	issuer, clientID string
	registrations    []Registration
	registration     Registration
	known            bool
}

// What is checked of a login initiation, in this order (Security Framework 1.0, 5.1.1.1).
var beginsLogin = &fault.List[*initiating]{Name: "a login initiation", Rules: []*fault.Rule[*initiating]{
	initiationReadable, platformRegistered, hintGiven, targetGiven,
}}

var initiationReadable = &fault.Rule[*initiating]{Name: "the parameters can be read", Broken: func(q *initiating) error {
	if q.unreadable != nil {
		return badRequest("The login initiation cannot be read.")
	}
	return nil
}}

// LTI Core 1.3, 4.1.3.
var platformRegistered = &fault.Rule[*initiating]{Name: "issuer and client_id, where it is given, name one registration", Broken: func(q *initiating) error {
	if q.chosen = q.t.choose(q.params.Get(lti.ParamIssuer), q.params.Get(lti.ParamClientID)); !q.chosen.known {
		return badRequest("No platform with issuer %q and client_id %q is registered.", q.chosen.issuer, q.chosen.clientID)
	}
	return nil
}}

var hintGiven = &fault.Rule[*initiating]{Name: "there is a login_hint", Broken: func(q *initiating) error { return q.lacks(lti.ParamLoginHint) }}

var targetGiven = &fault.Rule[*initiating]{Name: "there is a target_link_uri", Broken: func(q *initiating) error { return q.lacks(lti.ParamTargetLinkURI) }}

// lacks says that a parameter is missing.
func (q *initiating) lacks(name string) error {
	if q.params.Get(name) == "" {
		return badRequest("The login initiation has no %s.", name)
	}
	return nil
}

var registrationChosen = &fault.Seam[choosing]{Name: "the registration that a login initiation names"}

// choose finds the registration that a login initiation names. Without
// a client_id the issuer's only registration serves (LTI Core 1.3, 4.1.3).
func (t *Tool) choose(issuer, clientID string) choosing {
	t.mu.Lock()
	c := choosing{issuer: issuer, clientID: clientID, registrations: slices.Clone(t.registrations)}
	t.mu.Unlock()
	if named := c.named(); len(named) == 1 {
		c.registration, c.known = named[0], true
	}
	return registrationChosen.Pass(t.carrier, c)
}

// named are the registrations that a login initiation may name.
func (c choosing) named() []Registration {
	return slices.DeleteFunc(slices.Clone(c.registrations), func(r Registration) bool {
		return r.Issuer != c.issuer || c.clientID != "" && r.ClientID != c.clientID
	})
}

// serveLogin answers a login initiation with an authentication request
// (Security Framework 1.0, 5.1.1.1 and 5.1.1.2).
func (t *Tool) serveLogin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	l, err := t.initiate(r)
	if err != nil && t.holdAnyway(l) {
		l.refused = err.Error()
		err = nil
	}
	var begun *login
	if err == nil && !l.held {
		if begun, err = t.prepare(l, Probe{}); err == nil {
			l.prepared = append(l.prepared, begun)
		}
	}
	if err != nil {
		l.refused = err.Error()
	}
	t.remember(l)
	switch {
	case err != nil:
		t.refuse(w, err, "")
	case l.held:
		http.Redirect(w, r, t.opts.URL+HeldPath+"/"+l.id, http.StatusSeeOther)
	default:
		t.send(w, r, begun)
	}
}

// initiate reads a login initiation. What could be read is returned along with
// the reason to refuse it.
func (t *Tool) initiate(r *http.Request) (*Login, error) {
	unreadable := r.ParseForm()
	params := lti.Unglued(r.Form)
	dest := r.Header.Get("Sec-Fetch-Dest")
	l := &Login{tool: t, id: lti.RandomString(), initiation: Initiation{
		Method: r.Method, Path: clip(r.URL.EscapedPath()), Query: fitting(r.URL.Query()), Params: fitting(params), RawQuery: clip(r.URL.RawQuery),
		ContentType: clip(r.Header.Get("Content-Type")), InFrame: dest == "iframe" || dest == "frame", At: t.opts.Now(),
	}}
	q := &initiating{t: t, r: r, params: params, unreadable: unreadable}
	if unreadable == nil {
		l.params = params
	}
	if err := beginsLogin.First(t.carrier, q); err != nil {
		return l, err
	}
	l.registration = q.chosen.registration
	t.mu.Lock()
	l.held = t.holdsLogins
	t.mu.Unlock()
	return l, nil
}

// holdAnyway holds a login that would be refused, where the tool holds logins:
// what is wrong with it is for those who judge the platform. The tool goes on as
// if the first platform that it knows had begun it.
func (t *Tool) holdAnyway(l *Login) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.holdsLogins || l.params == nil || len(t.registrations) == 0 {
		return false
	}
	l.held, l.registration = true, t.registrations[0]
	return true
}

// What the authentication request is made of.
var (
	loginMade             = &fault.Seam[secrets]{Name: "what a login is known by"}
	authenticationRequest = &fault.Seam[authRequest]{Name: "the authentication request", Clone: func(a authRequest) authRequest {
		a.params = cloneValues(a.params)
		return a
	}}
	endpointTaken  = &fault.Seam[addressing]{Name: "the authorization endpoint"}
	requestInURL   = &fault.Seam[addressing]{Name: "the query of the authorization endpoint with the request"}
	loginSent      = &fault.Seam[sendingOff]{Name: "how a browser is sent to the platform"}
	cookieOfLogin  = &fault.Seam[string]{Name: "the name that tells the cookies of logins apart"}
	cookieSet      = &fault.Seam[*http.Cookie]{Name: "a cookie", Clone: func(c *http.Cookie) *http.Cookie { other := *c; return &other }}
	cookiesKept    = &fault.Seam[keeping]{Name: "how many cookies a browser keeps"}
	bindsToBrowser = &fault.Step[*login]{Name: "sets the cookie that binds a login to the browser", Honest: func(*login) bool { return true }}
)

// secrets are what a login is known by.
type secrets struct {
	t                    *Tool
	cookie, state, nonce string
}

// authRequest is an authentication request for a login.
type authRequest struct {
	login  *Login
	params url.Values
}

// addressing is an authorization endpoint, and what is sent there in its query.
type addressing struct {
	login   *Login
	url     string // the platform's own
	request url.Values
	query   string
}

// sendingOff is how a browser is sent to the platform.
type sendingOff struct {
	t     *Tool
	begun *login
	by    func(http.ResponseWriter)
}

// keeping is how many of these cookies a browser keeps.
type keeping struct {
	prefix string
	own    []string
	most   int
}

func cloneValues(values url.Values) url.Values {
	clone := url.Values{}
	for name, all := range values {
		clone[name] = slices.Clone(all)
	}
	return clone
}

// endpoint adds the authentication request to the platform's authorization
// endpoint, whose own query is kept (RFC 6749, 3.1).
func (t *Tool) endpoint(l *Login, request url.Values) (string, error) {
	at := endpointTaken.Pass(t.carrier, addressing{login: l, url: l.registration.AuthURL, request: request})
	u, err := url.Parse(at.url)
	if err != nil {
		return "", err
	}
	query := u.Query()
	maps.Copy(query, request)
	at.query = query.Encode()
	u.RawQuery = requestInURL.Pass(t.carrier, at).query
	return u.String(), nil
}

// cookieName keeps the cookies of parallel logins apart; states and nonces of this tool
// are letters, digits and any of -_.
func (t *Tool) cookieName(state string) string {
	return loginCookie + cookieOfLogin.Pass(t.carrier, state)
}

const loginCookie = "faketool_login_"

const sessionCookie = "faketool_session"

// cookie makes one that comes back in a cross-site frame as well, also where
// third-party cookies are blocked.
func (t *Tool) cookie(name, value string) *http.Cookie {
	return cookieSet.Pass(t.carrier, &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: true,
		SameSite: http.SameSiteNoneMode, Partitioned: true, MaxAge: int(loginLifetime.Seconds()),
	})
}
