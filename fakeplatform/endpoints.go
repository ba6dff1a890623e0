package fakeplatform

import (
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
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
	mux.HandleFunc("GET /launch/{id}/besides", p.withLaunch(p.serveBesides))
	mux.HandleFunc("GET /launch/{id}/return", p.withLaunch(p.serveReturn))
	mux.HandleFunc(TokenPath, p.serveToken)
	for _, one := range parts {
		if one.Mount != nil {
			one.Mount(mux, partCore{p})
		}
	}
	mux.HandleFunc("GET "+AuthPath, p.serveAuth)
	mux.HandleFunc("POST "+AuthPath, p.serveAuth)
	mux.HandleFunc("GET "+JWKSPath, p.serveJWKS)
	mux.HandleFunc("GET "+strangerPath+p.strangerID+"/jwks", p.serveStranger)
	mux.HandleFunc("GET "+strangerPath+p.strangerID+"/certificate", p.serveStranger)
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

// putsOff puts a request to a service off, where it takes none now.
func (p *Platform) putsOff(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != TokenPath && !strings.HasPrefix(r.URL.Path, part.ContextsPath+"/") {
		return false
	}
	busy := part.ServiceBusy.Pass(p.carrier, part.Busy{Nth: p.requests.Add(1)})
	if busy.Status == 0 {
		return false
	}
	w.Header().Set("Retry-After", "0")
	fail(w, part.Refusal{Status: busy.Status, Code: lti.ErrorInvalidRequest, Says: "there were too many requests"})
	return true
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
	if !p.admits(w, r, l) {
		return
	}
	if err := p.start(l); err != nil {
		p.unplanned(r, err.Error())
		refuse(w, http.StatusGone, err.Error())
		return
	}
	if l.setsSession() {
		http.SetCookie(w, &http.Cookie{
			Name: sessionCookie + l.id, Value: l.session, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode,
		})
	}
	if opener, is := l.kept.(part.Opener); is {
		http.Redirect(w, r, opener.Opens(), http.StatusFound)
		return
	}
	if answeredUnasked.Taken(l.carrier(), l) {
		p.answer(w, r, l, l.unsolicited(), l.plan)
		return
	}
	if part.OpenedAsLTI11.Taken(l.carrier(), partLaunch{l}) {
		writeForm(w, formPage{Action: l.registration.RedirectURIs[0], Params: l.legacy()})
		return
	}
	if tokenPostedBesides.Taken(p.carrier, l) {
		render(w, http.StatusOK, "besides", map[string]string{"Token": l.URL() + "/besides", "Login": p.loginURL(l)})
		return
	}
	if l.login.Method == http.MethodPost {
		writeForm(w, formPage{Action: l.registration.LoginURL, Params: l.login.Params})
		return
	}
	http.Redirect(w, r, p.loginURL(l), http.StatusFound)
}

// launchSession says whether a launch sets a cookie that ties the browser to it.
type launchSession struct {
	*Launch
	set bool
}

var sessionSet = &fault.Seam[launchSession]{Name: "the session of a launch"}

// setsSession says whether the launch's browser gets a cookie: where the application has no
// sessions of its own.
func (l *Launch) setsSession() bool {
	return sessionSet.Pass(l.platform.carrier, launchSession{l, l.platform.opts.SignedIn == nil}).set
}

// unsolicited is an authentication request that no tool has sent.
func (l *Launch) unsolicited() url.Values {
	return url.Values{
		lti.ParamRedirectURI: {l.registration.RedirectURIs[0]},
		lti.ParamNonce:       {lti.RandomString()},
		lti.ParamState:       {lti.RandomString()},
	}
}

// tokenPostedBesides is for faults alone: every launch begins with its login (Security Framework
// 1.0, 5.1.1).
var tokenPostedBesides = &fault.Step[*Launch]{Name: "an id_token is posted beside the login initiation"}

// loginAddress is where a login initiation by GET goes.
type loginAddress struct {
	*Launch
	url string
}

var loginSent = &fault.Seam[loginAddress]{Name: "the URL of a login initiation"}

// loginURL is where a login initiation by GET goes. The login URL's own query
// is kept.
func (p *Platform) loginURL(l *Launch) string {
	registered, own, _ := strings.Cut(l.registration.LoginURL, "?")
	query := l.login.Params.Encode()
	if own != "" {
		query = own + "&" + query
	}
	return loginSent.Pass(p.carrier, loginAddress{l, registered + "?" + query}).url
}

// serveBesides posts an id_token that no tool has asked for, from a hidden frame.
func (p *Platform) serveBesides(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !tokenPostedBesides.Taken(p.carrier, l) || !p.admits(w, r, l) {
		http.NotFound(w, r)
		return
	}
	form, err := p.mint(l, l.unsolicited(), l.plan)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	form.deliver(w, r)
}

// admits says whether the browser is that of the launch's user, as far as the
// application has sessions, and refuses otherwise.
func (p *Platform) admits(w http.ResponseWriter, r *http.Request, l *Launch) bool {
	if p.opts.SignedIn == nil || p.opts.SignedIn(r) == l.plan.Account {
		return true
	}
	refuse(w, http.StatusForbidden, "Please sign in as the user to whom this launch belongs.")
	return false
}

func (p *Platform) serveCoursePage(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !p.admits(w, r, l) {
		return
	}
	name := "frame"
	if strings.HasSuffix(r.URL.Path, "/window") {
		name = "window"
	}
	for _, one := range parts {
		if name == "window" || one.Frames == nil {
			continue
		}
		if page := one.Frames(partCore{p}, partLaunch{l}); page != nil {
			page(w, r)
			return
		}
	}
	page := map[string]any{"URL": l.URL(), "Window": l.WindowName(), "Title": l.plan.ResourceLink.Title}
	if opener, is := l.kept.(part.Opener); is {
		page["Beside"], page["Title"] = opener.Beside(), "Registration of a tool"
	}
	render(w, http.StatusOK, name, page)
}

// serveDelivery submits an answer that was given already, from this browser.
func (p *Platform) serveDelivery(w http.ResponseWriter, r *http.Request, l *Launch) {
	l.mu.Lock()
	form, g := l.form, l.gathers
	l.mu.Unlock()
	// An application's launches are delivered by nobody but their user's browser,
	// and once.
	if p.opts.SignedIn != nil {
		form = nil
	}
	if form == nil {
		p.unplanned(r, "this launch has no answer to deliver")
		refuse(w, http.StatusNotFound, "This launch has no answer to deliver.")
		return
	}
	if g != nil {
		g.Meet(r.Context())
	}
	form.deliver(w, r)
}

// deliver sends the answer through the browser.
func (f *answerForm) deliver(w http.ResponseWriter, r *http.Request) {
	page := f.page
	page.Action, page.Params = f.action, f.fields
	if f.inFragment {
		http.Redirect(w, r, f.action+"#"+f.fields.Encode(), http.StatusSeeOther)
		return
	}
	if f.inQuery {
		action, err := addQuery(f.action, f.fields)
		if err != nil {
			refuse(w, http.StatusBadRequest, "The redirect_uri is no URL.")
			return
		}
		page.Action, page.Params = action, url.Values{}
	}
	if f.method == http.MethodGet {
		http.Redirect(w, r, page.Action, http.StatusSeeOther)
		return
	}
	writeForm(w, page)
}

// addQuery adds parameters to those that a URL has.
func addQuery(address string, params url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	query := u.Query()
	maps.Copy(query, params)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// serveReturn shows what the tool has to say to the user, and keeps the logs
// to itself (LTI Core 1.3, 5.4.4).
func (p *Platform) serveReturn(w http.ResponseWriter, r *http.Request, l *Launch) {
	if !p.admits(w, r, l) {
		return
	}
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
	if of := part.Returned.Pass(l.carrier(), part.Return{Launch: partLaunch{l}, ErrorMessage: ret.ErrorMessage}); of.Instead != nil {
		of.Instead(w, r)
		return
	}
	answer := returnAnswered.Pass(p.carrier, returnAnswer{launch: l, said: ret, page: returnPage{
		Message: ret.Message, ErrorMessage: ret.ErrorMessage, ReturnTo: l.plan.ReturnTo,
	}})
	if answer.instead != nil {
		answer.instead(w, r)
		return
	}
	render(w, http.StatusOK, "return", answer.page)
}

// returnPage is what the return page shows. The logs are for faults; so is a message that is no
// text.
type returnPage struct {
	Message, ErrorMessage any
	Log, ErrorLog         string
	ReturnTo              string
}

// returnAnswer is the answer at a return URL.
type returnAnswer struct {
	launch  *Launch
	said    Return
	page    returnPage
	instead http.HandlerFunc
}

var returnAnswered = &fault.Seam[returnAnswer]{Name: "the return page"}

// publishedKeys is what is answered where the key set is asked for.
type publishedKeys struct {
	set     keySet
	instead http.HandlerFunc
}

var keySetPublished = &fault.Seam[publishedKeys]{Name: "the key set"}

func (p *Platform) serveJWKS(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.keySetFetches++
	var set keySet
	if p.keySet != nil {
		set = *p.keySet
	} else {
		set = keySet{keys: slices.Clone(p.keys)}
	}
	p.mu.Unlock()
	published := keySetPublished.Pass(p.carrier, publishedKeys{set: set})
	if published.instead != nil {
		published.instead(w, r)
		return
	}
	set = published.set
	if set.answer != nil {
		set.answer(w, r)
		return
	}
	p.publish(set.keys)
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
	case strings.HasSuffix(r.URL.Path, "/certificate"):
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
