package fakeplatform

import (
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator/lti"
)

// sessionCookie begins the name of the cookie that ties a browser to a launch
// that it began. Each launch has one of its own, so that launches in several
// tabs of a browser do not disturb each other.
const sessionCookie = "fakeplatform_session_"

// The bounds of what the platform reads of a request, and of how many requests
// of one kind it keeps of a launch.
const (
	maxBody   = 1 << 20
	maxRecord = 20
)

func (p *Platform) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /launch/{id}", p.withLaunch(p.serveStart))
	mux.HandleFunc("GET /launch/{id}/frame", p.withLaunch(p.serveCoursePage))
	mux.HandleFunc("GET /launch/{id}/window", p.withLaunch(p.serveCoursePage))
	mux.HandleFunc("GET /launch/{id}/deliver", p.withLaunch(p.serveDelivery))
	mux.HandleFunc("GET /launch/{id}/return", p.withLaunch(p.serveReturn))
	mux.HandleFunc("GET "+AuthPath, p.serveAuth)
	mux.HandleFunc("POST "+AuthPath, p.serveAuth)
	mux.HandleFunc("GET "+JWKSPath, p.serveJWKS)
	mux.HandleFunc("GET "+StrangerKeysPath, p.serveStranger)
	mux.HandleFunc("GET "+StrangerCertificatePath, p.serveStranger)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		// A tool that escapes the question mark of the endpoint that it was
		// given still reaches it, so that this mistake hides no other.
		if strings.HasPrefix(r.URL.Path, AuthPath+"?") && (r.Method == http.MethodGet || r.Method == http.MethodPost) {
			p.serveAuth(w, r)
			return
		}
		p.unplanned(r, "the platform has nothing at this path")
		refuse(w, http.StatusNotFound, "There is nothing here.")
	})
	return mux
}

// withLaunch finds the launch that the path names; nobody can guess one.
func (p *Platform) withLaunch(serve func(http.ResponseWriter, *http.Request, *Launch)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		l := p.launches[r.PathValue("id")]
		p.mu.Unlock()
		if l == nil {
			p.unplanned(r, "no launch of this platform has this address")
			refuse(w, http.StatusNotFound, "No such launch.")
			return
		}
		serve(w, r, l)
	}
}

// serveStart sends the browser to the tool with the login initiation.
func (p *Platform) serveStart(w http.ResponseWriter, r *http.Request, l *Launch) {
	if err := p.start(l); err != nil {
		p.unplanned(r, err.Error())
		refuse(w, http.StatusGone, err.Error())
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie + l.id, Value: l.session, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode,
	})
	if f := l.plan.Fault; f != nil && f.unsolicited {
		p.answer(w, r, l, url.Values{
			lti.ParamRedirectURI: {l.registration.RedirectURIs[0]},
			lti.ParamNonce:       {lti.RandomString()},
			lti.ParamState:       {lti.RandomString()},
		})
		return
	}
	if l.login.Method == http.MethodPost {
		writeForm(w, l.registration.LoginURL, l.login.Params)
		return
	}
	u, err := url.Parse(l.registration.LoginURL)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "The tool's login URL is no URL.")
		return
	}
	query := u.Query()
	maps.Copy(query, l.login.Params)
	u.RawQuery = query.Encode()
	http.Redirect(w, r, u.String(), http.StatusFound)
}

func (p *Platform) serveCoursePage(w http.ResponseWriter, r *http.Request, l *Launch) {
	name := "frame"
	if strings.HasSuffix(r.URL.Path, "/window") {
		name = "window"
	}
	render(w, http.StatusOK, name, map[string]string{
		"URL": l.URL(), "Window": l.WindowName(), "Title": l.plan.ResourceLink.Title,
	})
}

// serveDelivery submits an answer that was given already, from this browser.
func (p *Platform) serveDelivery(w http.ResponseWriter, r *http.Request, l *Launch) {
	l.mu.Lock()
	form := l.form
	l.mu.Unlock()
	if form == nil {
		p.unplanned(r, "this launch has no answer to deliver")
		refuse(w, http.StatusNotFound, "This launch has no answer to deliver.")
		return
	}
	form.deliver(w, r)
}

// deliver sends the answer through the browser.
func (f *answerForm) deliver(w http.ResponseWriter, r *http.Request) {
	action, fields := f.action, f.fields
	if f.inQuery {
		u, err := url.Parse(action)
		if err != nil {
			refuse(w, http.StatusBadRequest, "The redirect_uri is no URL.")
			return
		}
		query := u.Query()
		maps.Copy(query, fields)
		u.RawQuery = query.Encode()
		action, fields = u.String(), url.Values{}
	}
	if f.method == http.MethodGet {
		http.Redirect(w, r, action, http.StatusSeeOther)
		return
	}
	writeForm(w, action, fields)
}

// serveReturn shows what the tool has to say to the user, and keeps the logs
// to itself (LTI Core 1.3, 5.4.4).
func (p *Platform) serveReturn(w http.ResponseWriter, r *http.Request, l *Launch) {
	q := r.URL.Query()
	ret := Return{
		Message:      q.Get(lti.ParamMessage),
		ErrorMessage: q.Get(lti.ParamErrorMessage),
		Log:          q.Get(lti.ParamLog),
		ErrorLog:     q.Get(lti.ParamErrorLog),
		RawQuery:     r.URL.RawQuery,
	}
	l.mu.Lock()
	if len(l.record.Returns) < maxRecord {
		l.record.Returns = append(l.record.Returns, ret)
	}
	l.mu.Unlock()
	render(w, http.StatusOK, "return", ret)
}

func (p *Platform) serveJWKS(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.keySetFetches++
	set := p.keySet
	if set == nil {
		set = &keySet{keys: slices.Clone(p.keys)}
	}
	p.mu.Unlock()
	if set.answer != nil {
		set.answer(w, r)
		return
	}
	body, err := set.marshal()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if set.maxAge != "" {
		w.Header().Set("Cache-Control", set.maxAge)
	}
	w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	_, _ = w.Write(body)
}

// serveStranger answers for the stranger to whose keys forged tokens point.
func (p *Platform) serveStranger(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.strangerAsked++
	p.mu.Unlock()
	key, err := unpublishedKey()
	var body []byte
	switch {
	case err != nil:
	case r.URL.Path == StrangerCertificatePath:
		body, err = strangerCertificate()
		body = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: body})
	default:
		body, err = (&keySet{keys: []jwk.Key{key}}).marshal()
		w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(body)
}

// serveAuth is the authorization endpoint, for GET and POST (OpenID Connect
// Core 1.0, 3.1.2.1).
func (p *Platform) serveAuth(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "The authentication request cannot be read.")
		return
	}
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		params = r.PostForm
	}
	l, sameBrowser := p.launchOf(r, params)
	if l == nil {
		p.unplanned(r, "an authentication request that belongs to no launch of this platform")
		refuse(w, http.StatusBadRequest, "This authentication request belongs to no launch of this platform.")
		return
	}

	problems := l.check(params)
	if !sameBrowser {
		problems = append(problems, problem{says: "the browser has no session of the user that login_hint designates", code: lti.ErrorLoginRequired})
	}
	l.mu.Lock()
	again := l.form != nil
	request := AuthenticationRequest{Method: r.Method, Params: params, Query: r.URL.Query(), Path: r.URL.Path}
	for _, pr := range problems {
		request.Problems = append(request.Problems, pr.says)
	}
	if len(l.record.AuthenticationRequests) < maxRecord {
		l.record.AuthenticationRequests = append(l.record.AuthenticationRequests, request)
	}
	l.mu.Unlock()

	// A redirect URI that is not registered is never answered, not even with
	// an error (RFC 6749, 3.1.2.4).
	if !l.mayAnswer(params) {
		refuse(w, http.StatusBadRequest, "The redirect_uri is not registered for this client_id.")
		return
	}
	if again {
		p.unplanned(r, errGone.Error())
		writeForm(w, params.Get(lti.ParamRedirectURI), url.Values{
			lti.ParamError: {lti.ErrorInvalidRequest}, lti.ParamErrorDescription: {errGone.Error()},
			lti.ParamState: params[lti.ParamState],
		})
		return
	}
	if len(problems) > 0 && !l.plan.Lenient {
		writeForm(w, params.Get(lti.ParamRedirectURI), url.Values{
			lti.ParamError: {problems[0].code}, lti.ParamErrorDescription: {problems[0].says},
			lti.ParamState: params[lti.ParamState],
		})
		return
	}
	p.answer(w, r, l, params)
}

// launchOf finds the launch that an authentication request belongs to. The
// hints name it; where a tool has changed both, its browser's session does.
func (p *Platform) launchOf(r *http.Request, params url.Values) (l *Launch, sameBrowser bool) {
	var sessions []string // of this browser, the latest last
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, sessionCookie) {
			sessions = append(sessions, c.Value)
		}
	}
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

// mayAnswer says whether an answer may go to the request's redirect URI: to one
// that is registered for its client_id, or, leniently, to the origin of one.
func (l *Launch) mayAnswer(params url.Values) bool {
	redirectURI := params.Get(lti.ParamRedirectURI)
	registered := slices.Contains(l.registration.RedirectURIs, redirectURI)
	if !l.plan.Lenient {
		return registered && params.Get(lti.ParamClientID) == l.plan.ClientID
	}
	asked, err := url.Parse(redirectURI)
	return err == nil && slices.ContainsFunc(l.registration.RedirectURIs, func(uri string) bool {
		u, err := url.Parse(uri)
		return err == nil && u.Scheme == asked.Scheme && u.Host == asked.Host
	})
}

// A problem is a way in which an authentication request departs from the
// specification, with the error code that says so.
type problem struct {
	says string
	code string
}

// check holds an authentication request against Security Framework 1.0, 5.1.1.2.
func (l *Launch) check(params url.Values) []problem {
	var problems []problem
	add := func(code, format string, args ...any) {
		problems = append(problems, problem{says: fmt.Sprintf(format, args...), code: code})
	}
	for _, name := range []string{
		lti.ParamScope, lti.ParamResponseType, lti.ParamResponseMode, lti.ParamPrompt,
		lti.ParamClientID, lti.ParamRedirectURI, lti.ParamLoginHint, lti.ParamNonce,
	} {
		if n := len(params[name]); n != 1 {
			add(lti.ErrorInvalidRequest, "%s occurs %d times instead of once", name, n)
		}
	}
	want := func(name, code, value string) {
		if got := params.Get(name); len(params[name]) == 1 && got != value {
			add(code, "%s is %q instead of %q", name, got, value)
		}
	}
	want(lti.ParamResponseType, lti.ErrorUnsupportedResponseType, lti.ResponseTypeIDToken)
	want(lti.ParamResponseMode, lti.ErrorInvalidRequest, lti.ResponseModeFormPost)
	want(lti.ParamPrompt, lti.ErrorInvalidRequest, lti.PromptNone)
	want(lti.ParamClientID, lti.ErrorInvalidRequest, l.plan.ClientID)
	want(lti.ParamLoginHint, lti.ErrorLoginRequired, l.login.Params.Get(lti.ParamLoginHint))
	for _, name := range []string{lti.ParamState, lti.ParamMessageHint} {
		if n := len(params[name]); n > 1 { // RFC 6749, 3.1
			add(lti.ErrorInvalidRequest, "%s occurs %d times", name, n)
		}
	}
	if got, sent := params.Get(lti.ParamMessageHint), l.login.Params.Get(lti.ParamMessageHint); got != sent {
		add(lti.ErrorInvalidRequest, "lti_message_hint is not the one of the login initiation")
	}
	if len(params[lti.ParamScope]) == 1 && !slices.Contains(strings.Fields(params.Get(lti.ParamScope)), lti.ScopeOpenID) {
		add(lti.ErrorInvalidRequest, "scope %q does not contain openid", params.Get(lti.ParamScope))
	}
	if len(params[lti.ParamNonce]) == 1 && params.Get(lti.ParamNonce) == "" {
		add(lti.ErrorInvalidRequest, "nonce is empty")
	}
	if got := params.Get(lti.ParamRedirectURI); len(params[lti.ParamRedirectURI]) == 1 && !slices.Contains(l.registration.RedirectURIs, got) {
		add(lti.ErrorInvalidRequest, "redirect_uri %q is not registered", got)
	}
	return problems
}

// answer mints the id_token and submits it through the browser, or keeps the
// answer back where the fault delivers it elsewhere.
func (p *Platform) answer(w http.ResponseWriter, r *http.Request, l *Launch, request url.Values) {
	form, err := p.mint(l, request)
	if err != nil {
		refuse(w, http.StatusInternalServerError, fmt.Sprintf("The id_token cannot be made: %v", err))
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

// ErrNotAnswered says that a launch has not come as far as its answer.
var ErrNotAnswered = errors.New("the launch has not been answered")

// Answer returns where the launch's answer goes and its fields, or
// [ErrNotAnswered].
func (l *Launch) Answer() (redirectURI string, fields url.Values, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.form == nil {
		return "", nil, ErrNotAnswered
	}
	return l.form.action, l.form.fields, nil
}
