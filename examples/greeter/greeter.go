// Package greeter is a small LTI 1.3 tool, as somebody may be writing one: it greets who is
// launched. Its test shows how such a tool is tested with ltitest.
package greeter

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// A Platform is what the tool knows of the platform that launches it.
type Platform struct {
	Issuer, ClientID, AuthURL, JWKSURL string
	Client                             *http.Client // that fetches its keys; the default one when nil
}

// A Tool greets who is launched. It is an [http.Handler].
type Tool struct {
	URL string // where it is served; to be set before the first launch

	platform Platform
	mu       sync.Mutex
	logins   map[string]string // nonces by the state of the logins that are open
}

// New returns a tool of a platform.
func New(p Platform) *Tool {
	if p.Client == nil {
		p.Client = http.DefaultClient
	}
	return &Tool{platform: p, logins: map[string]string{}}
}

// ServeHTTP answers platforms and browsers.
func (t *Tool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		t.login(w, r)
	case "/launch":
		t.launch(w, r)
	default:
		http.NotFound(w, r)
	}
}

// stateCookie begins the name of the cookie by which a browser shows that it began a login.
const stateCookie = "greeter-state-"

// login answers a login initiation with an authentication request (Security Framework 1.0,
// 5.1.1).
func (t *Tool) login(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("iss") != t.platform.Issuer {
		http.Error(w, "No such platform.", http.StatusBadRequest)
		return
	}
	state, nonce := rand.Text(), rand.Text()
	t.mu.Lock()
	t.logins[state] = nonce
	t.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: stateCookie + state, Value: "1", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
	http.Redirect(w, r, t.platform.AuthURL+"?"+url.Values{
		"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "prompt": {"none"},
		"client_id": {t.platform.ClientID}, "redirect_uri": {t.URL + "/launch"}, "state": {state}, "nonce": {nonce},
		"login_hint": {r.FormValue("login_hint")}, "lti_message_hint": {r.FormValue("lti_message_hint")},
	}.Encode(), http.StatusFound)
}

// launch greets whom an id_token names.
func (t *Tool) launch(w http.ResponseWriter, r *http.Request) {
	token, err := t.check(r)
	if err != nil {
		http.Error(w, "Refused: "+err.Error(), http.StatusUnauthorized)
		return
	}
	name, _ := token.Get("name")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<title>Greeter</title><h1>Hello, %s</h1>", html.EscapeString(fmt.Sprint(name)))
}

// check takes an answer to a login of the same browser, once, and validates its id_token
// (Security Framework 1.0, 5.1.3).
func (t *Tool) check(r *http.Request) (jwt.Token, error) {
	state := r.PostFormValue("state")
	if _, err := r.Cookie(stateCookie + state); err != nil {
		return nil, errors.New("this login was begun in another browser")
	}
	t.mu.Lock()
	nonce, open := t.logins[state]
	delete(t.logins, state)
	t.mu.Unlock()
	if !open {
		return nil, errors.New("no login waits for this answer")
	}
	keys, err := jwk.Fetch(r.Context(), t.platform.JWKSURL, jwk.WithHTTPClient(t.platform.Client))
	if err != nil {
		return nil, err
	}
	return jwt.Parse([]byte(r.PostFormValue("id_token")), jwt.WithKeySet(keys), jwt.WithIssuer(t.platform.Issuer),
		jwt.WithAudience(t.platform.ClientID), jwt.WithRequiredClaim("exp"), jwt.WithClaimValue("nonce", nonce))
}
