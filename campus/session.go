package campus

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/lti"
)

const (
	sessionCookie = "campus_session"
	// visitorCookie tells apart the browsers in which nobody has signed in, so
	// that a login form serves only the browser that it was made for. Nothing
	// is kept of visitors: there may be any number of them.
	visitorCookie = "campus_visitor"

	sessionLifetime = 8 * time.Hour
	maxBody         = 64 << 10
)

// A session is one browser in which somebody has signed in.
type session struct {
	id      string
	account *account
	expires time.Time
	// launched are the links, by path, that were opened since a page last showed
	// them; the campus's sessionsMu guards it.
	launched map[string]bool
}

// sessionOf returns the session of a request's browser, or nil.
func (c *Campus) sessionOf(r *http.Request) *session {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	c.sessionsMu.Lock()
	defer c.sessionsMu.Unlock()
	s := c.sessions[cookie.Value]
	if s == nil || !c.opts.Now().Before(s.expires) {
		return nil
	}
	return s
}

// signedInAs returns the name of the account that is signed in, or nothing.
func (c *Campus) signedInAs(r *http.Request) string {
	if s := c.sessionOf(r); s != nil {
		return s.account.name
	}
	return ""
}

// begin makes a session in place of the one that the browser had, if any.
func (c *Campus) begin(w http.ResponseWriter, r *http.Request, a *account) {
	now := c.opts.Now()
	s := &session{id: lti.RandomString(), account: a, expires: now.Add(sessionLifetime)}
	old := c.sessionOf(r)
	c.sessionsMu.Lock()
	defer c.sessionsMu.Unlock()
	if old != nil {
		delete(c.sessions, old.id)
	}
	for id, s := range c.sessions {
		if !now.Before(s.expires) {
			delete(c.sessions, id)
		}
	}
	c.sessions[s.id] = s
	cookie := fakeplatform.SessionCookieSet.Pass(c.platform.Carrier(), *cookieOf(s.id))
	http.SetCookie(w, &cookie)
	if fakeplatform.LastUserKept.Taken(c.platform.Carrier(), a.name) {
		last := cookieOf(fakeplatform.AccountID(a.name))
		last.Name = "campus_last_user"
		http.SetCookie(w, last)
	}
}

// cookieOf returns the cookie of a session. It goes along with requests from
// other sites, for a tool sends the browser back here from an iframe or by a
// form, and the platform has to know who that is.
func cookieOf(id string) *http.Cookie {
	return &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode}
}

// token returns what the forms of a session, or of a visitor, carry to prove
// that they come from a page of the campus.
func (c *Campus) token(kind, of string) string {
	mac := hmac.New(sha256.New, c.secret)
	mac.Write([]byte(kind + "\x00" + of))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (c *Campus) csrf(s *session) string { return c.token(sessionCookie, s.id) }

// tellOfSession adds to the custom parameters of a launch what faults tell of a session.
func (c *Campus) tellOfSession(plan *fakeplatform.Plan, s *session) {
	session := fakeplatform.ToldSession{Cookie: s.id, Made: c.token("launch", s.id)}
	told := fakeplatform.SessionTold.Pass(c.platform.Carrier(), session).Told
	if told == "" {
		return
	}
	if plan.Custom == nil {
		plan.Custom = map[string]string{}
	}
	plan.Custom["session"] = told
}

type sessionHandler func(http.ResponseWriter, *http.Request, *session)

// signedIn sends those who have not signed in to the login page, and after it
// to the page that they asked for.
func (c *Campus) signedIn(serve sessionHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := c.sessionOf(r)
		switch {
		case s != nil:
			serve(w, r, s)
		case r.Method == http.MethodPost:
			redirect(w, r, "/login")
		default:
			redirect(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode())
		}
	}
}

// posted is signedIn for forms, which have to carry the session's token.
func (c *Campus) posted(serve sessionHandler) http.HandlerFunc {
	return c.signedIn(func(w http.ResponseWriter, r *http.Request, s *session) {
		if c.readForm(w, r, s, c.csrf(s)) {
			serve(w, r, s)
		}
	})
}

// readForm reads a form of a bounded size and refuses it without its token.
func (c *Campus) readForm(w http.ResponseWriter, r *http.Request, s *session, token string) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		c.refuse(w, s, http.StatusBadRequest, "This form cannot be read.")
		return false
	}
	if !hmac.Equal([]byte(r.PostForm.Get("csrf")), []byte(token)) {
		c.refuse(w, s, http.StatusForbidden, "This form is out of date. Go back, load the page again and repeat what you did.")
		return false
	}
	return true
}

// serveLogin shows the form, also to those who have signed in: somebody else
// may want to.
func (c *Campus) serveLogin(w http.ResponseWriter, r *http.Request) {
	visitor := ""
	if cookie, err := r.Cookie(visitorCookie); err == nil {
		visitor = cookie.Value
	}
	if visitor == "" {
		visitor = lti.RandomString()
		http.SetCookie(w, &http.Cookie{
			Name: visitorCookie, Value: visitor, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
		})
	}
	c.showLogin(w, http.StatusOK, loginForm{CSRF: c.token(visitorCookie, visitor), Next: localPath(r.URL.Query().Get("next"))})
}

// loginForm is what the login page shows.
type loginForm struct{ CSRF, Next, Name, Error string }

func (c *Campus) showLogin(w http.ResponseWriter, status int, form loginForm) {
	c.render(w, status, "login", page{Title: "Welcome", Data: form})
}

func (c *Campus) login(w http.ResponseWriter, r *http.Request) {
	visitor, err := r.Cookie(visitorCookie)
	if err != nil || visitor.Value == "" {
		c.refuse(w, nil, http.StatusForbidden, "This browser sent no cookie. Load the login page again.")
		return
	}
	token := c.token(visitorCookie, visitor.Value)
	if !c.readForm(w, r, nil, token) {
		return
	}
	name, next := r.PostForm.Get("name"), localPath(r.PostForm.Get("next"))
	a := c.accounts[name]
	// Digests, for they have the same length whatever was typed.
	given, want := sha256.Sum256([]byte(r.PostForm.Get("password"))), sha256.Sum256([]byte(c.opts.Password))
	if same := subtle.ConstantTimeCompare(given[:], want[:]) == 1; !same || a == nil {
		c.showLogin(w, http.StatusForbidden, loginForm{CSRF: token, Next: next, Name: name, Error: "Wrong user name or password."})
		return
	}
	c.begin(w, r, a)
	if next == "" {
		next = a.home()
	}
	redirect(w, r, next)
}

func (c *Campus) logout(w http.ResponseWriter, r *http.Request, s *session) {
	c.sessionsMu.Lock()
	delete(c.sessions, s.id)
	c.sessionsMu.Unlock()
	cookie := cookieOf("")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
	redirect(w, r, "/login")
}

// localPath returns a path of the campus as it is, and nothing for whatever
// could lead elsewhere: browsers read a backslash as a slash, and two slashes
// as the beginning of a host.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return ""
	}
	return next
}
