package campus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/goccy/go-yaml"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/campus"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
)

const (
	password = "difference engine"
	toolURL  = "https://tool.test"
	claims   = "https://purl.imsglobal.org/spec/lti/claim/"
)

// Keys are costly to make; all tests share this one.
var sharedKey = sync.OnceValues(lti.NewKey)

// site is a campus that is served.
type site struct {
	t      *testing.T
	g      *WithT
	campus *campus.Campus
	url    string
	server *httptest.Server
	begun  time.Time
	passed atomic.Int64 // seconds since the beginning
}

func (s *site) now() time.Time { return s.begun.Add(time.Duration(s.passed.Load()) * time.Second) }

func newSite(t *testing.T, faults ...string) *site {
	t.Helper()
	t.Parallel()
	s := &site{t: t, g: NewWithT(t), begun: time.Now()}
	key, err := sharedKey()
	s.g.Expect(err).NotTo(HaveOccurred())
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.campus.ServeHTTP(w, r) }))
	t.Cleanup(s.server.Close)
	s.url = s.server.URL
	s.campus, err = campus.New(campus.Options{
		URL: s.url, Password: password, Keys: []jwk.Key{key}, Faults: faults, Now: s.now, Client: &http.Client{Transport: toolKeys{}},
		Tools: []campus.Tool{
			{ClientID: "invigilator", LoginURL: toolURL + "/login?tenant=7", RedirectURIs: []string{toolURL + "/launch"}, TargetLinkURI: toolURL + "/launch", JWKSURL: toolURL + "/jwks"},
			{ClientID: "invigilator-2", LoginURL: "https://other-tool.test/login", RedirectURIs: []string{"https://other-tool.test/launch"}, TargetLinkURI: "https://other-tool.test/launch"},
		},
	})
	s.g.Expect(err).NotTo(HaveOccurred())
	return s
}

// browser is one that somebody uses. It stays on the campus: where it is led
// to a tool, it stops.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	s.g.Expect(err).NotTo(HaveOccurred())
	return &browser{site: s, client: &http.Client{
		Transport: s.server.Client().Transport, Jar: jar,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if !strings.HasPrefix(r.URL.String(), s.url+"/") {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// answer is a page, or where the browser was led to.
type answer struct {
	*http.Response
	page *goquery.Document
}

func (a answer) path() string    { return a.Request.URL.RequestURI() }
func (a answer) heading() string { return a.page.Find("h1").Text() }

func (b *browser) read(r *http.Response, err error) answer {
	b.t.Helper()
	b.g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = r.Body.Close() }()
	page, err := goquery.NewDocumentFromReader(r.Body)
	b.g.Expect(err).NotTo(HaveOccurred())
	return answer{r, page}
}

// open opens a page of the campus, which may be named by its whole address.
func (b *browser) open(path string) answer {
	b.t.Helper()
	return b.read(b.client.Get(b.url + strings.TrimPrefix(path, b.url)))
}

func (b *browser) post(path string, fields url.Values) answer {
	b.t.Helper()
	return b.read(b.client.PostForm(b.url+strings.TrimPrefix(path, b.url), fields))
}

// submit sends a form of a page with what it holds and what is filled in.
func (b *browser) submit(a answer, form string, fill url.Values) answer {
	b.t.Helper()
	f := a.page.Find(form)
	b.g.Expect(f.Length()).To(Equal(1), form)
	fields := url.Values{}
	f.Find("input, textarea").Each(func(_ int, field *goquery.Selection) {
		name, _ := field.Attr("name")
		id, _ := field.Attr("id")
		kind, _ := field.Attr("type")
		if kind != "hidden" {
			labels := f.Find(fmt.Sprintf("label[for=%q]", id)).Length() + field.Closest("label").Length()
			b.g.Expect(labels).To(Equal(1), "a label of "+name)
		}
		fields.Set(name, field.AttrOr("value", field.Text()))
	})
	for name := range fill {
		b.g.Expect(fields).To(HaveKey(name))
		fields[name] = fill[name]
	}
	return b.post(f.AttrOr("action", ""), fields)
}

func (b *browser) tries(name, password string) answer {
	b.t.Helper()
	return b.submit(b.open("/login"), "#login", url.Values{"name": {name}, "password": {password}})
}

// signedIn returns a new browser in which somebody has signed in.
func (s *site) signedIn(name string) *browser {
	s.t.Helper()
	b := s.browser()
	s.g.Expect(b.tries(name, password).StatusCode).To(Equal(http.StatusOK))
	return b
}

func button(text string) string { return fmt.Sprintf("form:has(button:contains(%q))", text) }

// begun is a login initiation as the tool gets it.
func (b *browser) begun(path string) (*url.URL, url.Values) {
	b.t.Helper()
	a := b.open(path)
	b.g.Expect(a.StatusCode).To(Equal(http.StatusFound), a.page.Text())
	u, err := a.Location()
	b.g.Expect(err).NotTo(HaveOccurred())
	return u, u.Query()
}

// asks sends the tool's authentication request and returns the fields of the form
// that answers it.
func (b *browser) asks(login url.Values) (fields map[string]string) {
	b.t.Helper()
	clientID := login.Get("client_id")
	redirect := map[string]string{"invigilator": toolURL + "/launch", "invigilator-2": "https://other-tool.test/launch"}[clientID]
	a := b.open("/auth?" + url.Values{
		"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "prompt": {"none"},
		"client_id": {clientID}, "redirect_uri": {redirect}, "state": {"state-1"}, "nonce": {"nonce-1"},
		"login_hint": login["login_hint"], "lti_message_hint": login["lti_message_hint"],
	}.Encode())
	fields = map[string]string{}
	a.page.Find("form input").Each(func(_ int, s *goquery.Selection) {
		fields[s.AttrOr("name", "")] = s.AttrOr("value", "")
	})
	return fields
}

// launched is what a launch says, and the key that signed it.
type launched struct {
	claims map[string]any
	kid    string
}

func (b *browser) launches(path string) launched {
	b.t.Helper()
	_, login := b.begun(path)
	return b.completes(login)
}

// completes does what is left of a launch and checks the signature.
func (b *browser) completes(login url.Values) launched {
	b.t.Helper()
	fields := b.asks(login)
	b.g.Expect(fields).To(And(HaveKeyWithValue("state", "state-1"), HaveKey("id_token")))
	set, err := jwk.Parse([]byte(b.open("/jwks").page.Text()))
	b.g.Expect(err).NotTo(HaveOccurred())
	payload, err := jws.Verify([]byte(fields["id_token"]), jws.WithKeySet(set))
	b.g.Expect(err).NotTo(HaveOccurred())
	var l launched
	b.g.Expect(json.Unmarshal(payload, &l.claims)).To(Succeed())
	header, _, err := lti.Decode(fields["id_token"])
	b.g.Expect(err).NotTo(HaveOccurred())
	var protected struct{ KID string }
	b.g.Expect(json.Unmarshal(header, &protected)).To(Succeed())
	l.kid = protected.KID
	return l
}

func TestSigningIn(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	a := b.open("/courses")
	s.g.Expect(a.path()).To(Equal("/login?next=%2Fcourses"))
	s.g.Expect(a.page.Find("nav, #user, #sign-out").Length()).To(BeZero())
	s.g.Expect(a.Header.Get("Cache-Control")).To(Equal("no-store"))
	s.g.Expect(a.Header.Get("X-Content-Type-Options")).To(Equal("nosniff"))
	s.g.Expect(a.Header.Get("Content-Security-Policy")).To(ContainSubstring("frame-ancestors 'self'"))

	for name, wrong := range map[string]string{"ada": "difference", "nobody": password, "": "", "mary": ""} {
		a = b.tries(name, wrong)
		s.g.Expect(a.StatusCode).To(Equal(http.StatusForbidden))
		s.g.Expect(a.page.Find("[role=alert]").Text()).To(Equal("Wrong user name or password."))
		s.g.Expect(a.page.Find("#name").AttrOr("value", "")).To(Equal(name))
		s.g.Expect(b.open("/courses").heading()).To(Equal("Welcome to Campus"))
	}
	// The page that says so can be used.
	a = b.submit(b.tries("ada", "wrong"), "#login", url.Values{"password": {password}})
	s.g.Expect(a.path()).To(Equal("/courses"))
	s.g.Expect(a.heading()).To(Equal("Your courses"))
	s.g.Expect(a.page.Find("#user").Text()).To(Equal("Ada Lovelace"))
	s.g.Expect(a.page.Find(".cards li").Length()).To(Equal(2))
	s.g.Expect(a.page.Find("a#course-1").Text()).To(Equal("Analytical Engines"))
	s.g.Expect(a.page.Find("a#course-2").Text()).To(Equal("Celestial Mechanics"))
	s.g.Expect(b.open("/").path()).To(Equal("/courses"))
	s.g.Expect(s.signedIn("root").open("/").path()).To(Equal("/admin"))

	a = b.submit(b.open("/course/1"), button("Sign out"), nil)
	s.g.Expect(a.path()).To(Equal("/login"))
	s.g.Expect(b.open("/course/1").path()).To(Equal("/login?next=%2Fcourse%2F1"))
}

// cookies returns those that signing in sets.
func cookies(s *site) map[string]*http.Cookie {
	b := s.browser()
	login := b.open("/login")
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	set := map[string]*http.Cookie{}
	for _, c := range append(login.Cookies(), b.submit(login, "#login", url.Values{"name": {"ada"}, "password": {password}}).Cookies()...) {
		set[c.Name] = c
	}
	return set
}

func TestCookies(t *testing.T) {
	s := newSite(t)
	set := cookies(s)
	s.g.Expect(set).To(HaveLen(2))
	for _, c := range set {
		s.g.Expect(c.HttpOnly && c.Secure && c.Path == "/").To(BeTrue(), c.Name)
	}
	s.g.Expect(set["campus_session"].SameSite).To(Equal(http.SameSiteNoneMode))
	s.g.Expect(set["campus_visitor"].SameSite).To(Equal(http.SameSiteLaxMode))
}

func TestFaultOneTimeLinks(t *testing.T) {
	s := newSite(t, "one-time-links")
	ada := s.signedIn("ada")
	ada.open("/course/1")
	ada.begun("/launch-link/1/exercise-1")
	s.g.Expect(ada.open("/launch-link/1/exercise-1").StatusCode).To(Equal(http.StatusConflict))
	ada.begun("/launch-link/1/exercise-2")
	ada.open("/course/1")
	ada.begun("/launch-link/1/exercise-1")
}

func TestFaultLaxSessionCookie(t *testing.T) {
	s := newSite(t, "lax-session-cookie")
	s.g.Expect(cookies(s)["campus_session"].SameSite).To(Equal(http.SameSiteLaxMode))
}

func TestSessionsEnd(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("ada")
	u, _ := url.Parse(s.url)
	i := slices.IndexFunc(b.client.Jar.Cookies(u), func(c *http.Cookie) bool { return c.Name == "campus_session" })
	stolen := b.client.Jar.Cookies(u)[i]
	replayed := func() string {
		thief := s.browser()
		thief.client.Jar.SetCookies(u, []*http.Cookie{stolen})
		return thief.open("/courses").heading()
	}
	s.g.Expect(replayed()).To(Equal("Your courses"))

	s.g.Expect(b.tries("grace", password).page.Find("#user").Text()).To(Equal("Grace Hopper"))
	s.g.Expect(replayed()).To(Equal("Welcome to Campus"), "signing in anew ends the session that was there")

	stolen = b.client.Jar.Cookies(u)[i]
	s.passed.Store(8*3600 - 60)
	s.g.Expect(replayed()).To(Equal("Your courses"))
	s.passed.Store(8 * 3600)
	s.g.Expect(replayed()).To(Equal("Welcome to Campus"))
	s.g.Expect(b.open("/courses").heading()).To(Equal("Welcome to Campus"))

	s.g.Expect(b.tries("grace", password).heading()).To(Equal("Your courses"))
	stolen = b.client.Jar.Cookies(u)[i]
	b.submit(b.open("/courses"), button("Sign out"), nil)
	s.g.Expect(replayed()).To(Equal("Welcome to Campus"), "signing out ends the session on the server")
}

func TestFormsNeedTheirToken(t *testing.T) {
	s := newSite(t)
	credentials := url.Values{"name": {"ada"}, "password": {password}}
	with := func(token string) url.Values {
		return url.Values{"name": credentials["name"], "password": credentials["password"], "csrf": {token}}
	}
	token := func(a answer) string { return a.page.Find("input[name=csrf]").First().AttrOr("value", "") }

	visitor, other := s.browser(), s.browser()
	own, others := token(visitor.open("/login")), token(other.open("/login"))
	s.g.Expect(own).NotTo(Equal(others))
	s.g.Expect(visitor.post("/login", credentials).StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(visitor.post("/login", with(others)).StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(s.browser().post("/login", with(own)).StatusCode).To(Equal(http.StatusForbidden), "no cookie")
	s.g.Expect(visitor.open("/courses").heading()).To(Equal("Welcome to Campus"))
	s.g.Expect(visitor.post("/login", with(own)).heading()).To(Equal("Your courses"))

	foreign := token(s.signedIn("mary").open("/courses"))
	for _, name := range []string{"mary", "root"} {
		b := s.signedIn(name)
		for _, path := range []string{"/logout", "/course/1/copy", "/course/1/exam/algebra", "/admin/keys", "/admin/tools", "/admin/links"} {
			for _, wrong := range []string{"", own, foreign} {
				a := b.post(path, url.Values{"csrf": {wrong}, "client_id": {"invigilator-2"}})
				s.g.Expect(a.StatusCode).To(Equal(http.StatusForbidden), path)
				s.g.Expect(a.page.Find("[role=alert]").Text()).To(HavePrefix("This form is out of date."), path)
			}
		}
		s.g.Expect(b.open("/").page.Find("#sign-out").Length()).To(Equal(1), "still signed in")
	}
	s.g.Expect(s.campus.Platform().Keys()).To(HaveLen(1))
	s.g.Expect(s.signedIn("mary").open("/courses").page.Find(".cards li").Length()).To(Equal(2))
	s.g.Expect(s.browser().post("/course/1/copy", url.Values{"csrf": {foreign}}).path()).To(Equal("/login"))
}

func TestBodiesAreBounded(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("root")
	a := b.submit(b.open("/admin"), "#register", url.Values{"redirect_uris": {strings.Repeat("x", 1<<20)}})
	s.g.Expect(a.StatusCode).To(Equal(http.StatusBadRequest))
}

func TestNextIsLocal(t *testing.T) {
	s := newSite(t)
	for next, want := range map[string]string{
		"/course/2":             "/course/2",
		"/course/1?a=b%2F%2Fc":  "/course/1?a=b%2F%2Fc",
		"":                      "/courses",
		"course/2":              "/courses",
		"//evil.test/":          "/courses",
		"///evil.test/":         "/courses",
		`/\evil.test/`:          "/courses",
		`\/evil.test/`:          "/courses",
		"https://evil.test/":    "/courses",
		"https:/course/2":       "/courses",
		"javascript:alert(1)":   "/courses",
		"/\t/evil.test/":        "/courses",
		"/\n/evil.test/":        "/courses",
		" //evil.test/":         "/courses",
		"/login\r\nX-Header: 1": "/courses",
	} {
		b := s.browser()
		a := b.open("/login?" + url.Values{"next": {next}}.Encode())
		fill := url.Values{"name": {"ada"}, "password": {password}}
		a = b.submit(a, "#login", fill)
		s.g.Expect(a.path()).To(Equal(want), "%q", next)
		// What somebody writes into the form itself is no better.
		fill.Set("next", next)
		s.g.Expect(b.submit(b.open("/login"), "#login", fill).path()).To(Equal(want), "%q", next)
	}
	// Whoever opens a link before signing in is launched after it.
	b := s.browser()
	a := b.submit(b.open("/launch-link/1/exercise-1"), "#login", url.Values{"name": {"ada"}, "password": {password}})
	s.g.Expect(a.Header.Get("Location")).To(HavePrefix(toolURL + "/login?"))
}

func TestCoursePages(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("ada")
	a := b.open("/course/1")
	s.g.Expect(a.heading()).To(Equal("Analytical Engines"))
	s.g.Expect(a.page.Find("#copy").Length()).To(BeZero())
	var titles []string
	a.page.Find("#links a").Each(func(_ int, link *goquery.Selection) {
		titles = append(titles, link.Text())
		_, newWindow := link.Attr("target")
		s.g.Expect(newWindow).To(Equal(link.AttrOr("id", "") == "link-window"))
	})
	s.g.Expect(titles).To(Equal([]string{
		"Exercise 1", "Exercise 2", "Exercise in a window", "Exercise on the page", "Exercise without personal data",
		"Anonymous survey", "Exercise with parameters", "Exercise in another tool",
	}))
	s.g.Expect(b.open("/course/2").page.Find(".cards a").Text()).To(Equal("Exercise 1"))

	frame := b.open(a.page.Find("#link-frame").AttrOr("href", ""))
	s.g.Expect(frame.path()).To(Equal("/course/1/link/frame/frame"))
	s.g.Expect(frame.page.Find("iframe").AttrOr("src", "")).To(Equal("/launch-link/1/frame"))

	slow := b.open(a.page.Find("#slow").AttrOr("href", ""))
	s.g.Expect(slow.page.Find("#late a").AttrOr("href", "")).To(Equal("/launch-link/1/exercise-1"), "for browsers without scripts")
	for path, mediaType := range map[string]string{
		slow.page.Find("script").AttrOr("src", ""): "text/javascript; charset=utf-8", "/style.css": "text/css; charset=utf-8",
	} {
		s.g.Expect(b.open(path).Header.Get("Content-Type")).To(Equal(mediaType))
	}

	for path, status := range map[string]int{
		"/course/9": 404, "/course/1/link/exercise-1/frame": 404, "/course/1/link/none/frame": 404, "/launch-link/1/none": 404,
		"/launch-link/9/exercise-1": 404, "/none": 404, "/launch/none": 404, "/favicon.ico": 204,
		"/logout": 404, "/admin": 403, "/course/1/copy": 404,
	} {
		s.g.Expect(b.open(path).StatusCode).To(Equal(status), path)
	}
	root := s.signedIn("root")
	s.g.Expect(root.open("/courses").page.Find(".cards a").Length()).To(BeZero())
	for _, path := range []string{"/course/1", "/course/1/slow", "/course/1/link/frame/frame", "/launch-link/1/exercise-1"} {
		s.g.Expect(root.open(path).StatusCode).To(Equal(http.StatusForbidden), path)
		s.g.Expect(s.browser().open(path).path()).To(Equal("/login?next=" + url.QueryEscape(path)))
	}
	s.g.Expect(b.post("/courses", nil).StatusCode).To(Equal(http.StatusMethodNotAllowed))
	head := b.read(b.client.Head(s.url + "/courses"))
	s.g.Expect(head.StatusCode).To(Equal(http.StatusOK))
}

func TestLaunches(t *testing.T) {
	s := newSite(t)
	link, context, custom := claims+"resource_link", claims+"context", claims+"custom"
	ada := map[string]any{"name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "email": "ada@campus.example"}
	roles := func(role string, elsewhere ...any) map[string]any {
		return map[string]any{claims + "roles": append([]any{"http://purl.imsglobal.org/vocab/lis/v2/membership#" + role}, elsewhere...)}
	}
	presentation := func(l launched) map[string]any { return l.claims[claims+"launch_presentation"].(map[string]any) }
	sub := s.signedIn("ada").launches("/launch-link/1/exercise-1").claims["sub"]
	for _, c := range []struct {
		user, path string
		want       []map[string]any
		without    []string
		target     string
	}{
		{"ada", "1/exercise-1", []map[string]any{ada, roles("Learner", lti.RoleInstitutionInstructor), {
			"sub": sub, claims + "deployment_id": "1", claims + "message_type": "LtiResourceLinkRequest", claims + "version": "1.3.0",
			claims + "target_link_uri": toolURL + "/launch", "iss": s.url, "aud": "invigilator", "nonce": "nonce-1",
			claims + "lis": map[string]any{"person_sourcedid": "campus.example:person:1815"},
		}}, []string{custom, claims + "role_scope_mentor"}, "window"},
		{"grace", "1/exercise-1", []map[string]any{roles("Learner"), {"name": "Grace Hopper", "email": "grace@campus.example"}}, nil, "window"},
		{"mary", "1/exercise-1", []map[string]any{roles("Instructor"), {"name": "Mary Somerville"}}, nil, "window"},
		{"annabella", "1/exercise-1", []map[string]any{roles("Mentor"), {
			"name": "Annabella Milbanke", claims + "role_scope_mentor": []any{sub},
		}}, nil, "window"},
		{"ada", "1/exercise-2", []map[string]any{ada, {"sub": sub, claims + "target_link_uri": toolURL + "/launch"}}, nil, "window"},
		{"ada", "2/exercise-1", []map[string]any{ada, {"sub": sub, claims + "deployment_id": "2"}}, nil, "window"},
		{"ada", "1/window", []map[string]any{ada}, nil, "window"},
		{"ada", "1/frame", []map[string]any{ada}, nil, "iframe"},
		{"ada", "1/private", []map[string]any{roles("Learner", lti.RoleInstitutionInstructor), {"sub": sub}}, []string{"name", "given_name", "family_name", "email"}, "window"},
		{"mary", "1/private", []map[string]any{roles("Instructor")}, []string{"name", "given_name", "family_name", "email"}, "window"},
		{"ada", "1/anonymous", nil, []string{"sub", "name", "given_name", "family_name", "email", claims + "lis"}, "window"},
		{"ada", "1/custom", []map[string]any{ada, {custom: map[string]any{
			"a": "Gq2eLr5M", "b": "course-1", "c": sub, "d": "Analytical Engines",
			"x": "$com.example.Nonexistent.var", "text": "plain text", "number": "42", "empty": "",
		}}}, nil, "window"},
	} {
		b := s.signedIn(c.user)
		u, login := b.begun("/launch-link/" + c.path)
		course, slug, _ := strings.Cut(c.path, "/")
		s.g.Expect(u.Scheme + "://" + u.Host + u.Path).To(Equal(toolURL + "/login"))
		s.g.Expect(login).To(And(
			HaveKeyWithValue("tenant", []string{"7"}), HaveKeyWithValue("iss", []string{s.url}),
			HaveKeyWithValue("client_id", []string{"invigilator"}), HaveKeyWithValue("target_link_uri", []string{toolURL + "/launch"}),
			HaveKeyWithValue("lti_deployment_id", []string{course}), HaveKey("login_hint"), HaveKey("lti_message_hint"),
		))
		l := b.completes(login)
		for _, want := range c.want {
			for name, value := range want {
				s.g.Expect(l.claims).To(HaveKeyWithValue(name, value), c.user+" "+c.path)
			}
		}
		for _, name := range c.without {
			s.g.Expect(l.claims).NotTo(HaveKey(name), c.user+" "+c.path)
		}
		// The page shows the link by the title that the message has.
		s.g.Expect(b.open("/course/" + course).page.Find("#link-" + slug).Text()).To(Equal(l.claims[link].(map[string]any)["title"]))
		s.g.Expect(l.claims[context]).To(HaveKeyWithValue("id", "course-"+course))
		s.g.Expect(presentation(l)).To(HaveKeyWithValue("document_target", c.target))
		returnURL := presentation(l)["return_url"].(string)
		back := b.open(returnURL)
		s.g.Expect(back.page.Find(fmt.Sprintf("a[href=%q]", s.url+"/course/"+course)).Length()).To(Equal(1), back.page.Text())
	}

	// No two links, and no two users, are mistaken for each other.
	seen := map[any]bool{}
	for _, path := range []string{
		"1/exercise-1", "1/exercise-2", "1/window", "1/frame", "1/private", "1/anonymous", "1/custom", "2/exercise-1",
	} {
		seen[s.signedIn("ada").launches("/launch-link/" + path).claims[link].(map[string]any)["id"]] = true
	}
	s.g.Expect(seen).To(HaveLen(8))
	for _, name := range []string{"ada", "grace", "mary", "annabella"} {
		seen[s.signedIn(name).launches("/launch-link/1/exercise-1").claims["sub"]] = true
	}
	s.g.Expect(seen).To(HaveLen(12))
}

func TestLaunchPagesMayBeFramed(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("ada")
	_, login := b.begun("/launch-link/1/frame")
	r := b.open("/auth?" + login.Encode())
	s.g.Expect(r.Header.Get("X-Frame-Options") + r.Header.Get("Content-Security-Policy")).To(BeEmpty())
}

func TestEveryClickBeginsALaunchOfItsOwn(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("ada")
	_, first := b.begun("/launch-link/1/exercise-1")
	_, second := b.begun("/launch-link/1/exercise-1")
	s.g.Expect(first.Get("lti_message_hint")).NotTo(Equal(second.Get("lti_message_hint")))
	s.g.Expect(b.completes(second).claims).To(HaveKeyWithValue("name", "Ada Lovelace"))
	s.g.Expect(b.completes(first).claims).To(HaveKeyWithValue("name", "Ada Lovelace"))

	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.g.Expect(b.open("/launch-link/1/exercise-1").Header.Get("Cache-Control")).To(Equal("no-store"))
}

func TestManyAtOnce(t *testing.T) {
	s := newSite(t)
	var all sync.WaitGroup
	for name, shown := range map[string]string{"ada": "Ada Lovelace", "grace": "Grace Hopper", "mary": "Mary Somerville"} {
		b := s.signedIn(name)
		for range 4 {
			all.Go(func() {
				_, login := b.begun("/launch-link/1/exercise-1")
				fields := b.asks(login)
				_, payload, err := lti.Decode(fields["id_token"])
				s.g.Expect(err).NotTo(HaveOccurred())
				s.g.Expect(string(payload)).To(ContainSubstring(shown))
			})
		}
	}
	all.Wait()
}

func TestAnotherUsersBrowserIsRefused(t *testing.T) {
	s := newSite(t)
	_, login := s.signedIn("ada").begun("/launch-link/1/exercise-1")
	for wrong, b := range map[string]*browser{"invalid_request": s.signedIn("grace"), "login_required": s.browser()} {
		fields := b.asks(login)
		s.g.Expect(fields).To(HaveKeyWithValue("error", wrong))
		s.g.Expect(fields).NotTo(HaveKey("id_token"), wrong)
	}
	b := s.signedIn("ada")
	_, login = b.begun("/launch-link/1/exercise-1")
	b.submit(b.open("/courses"), button("Sign out"), nil)
	fields := b.asks(login)
	s.g.Expect(fields).To(HaveKeyWithValue("error", "login_required"), "signed out meanwhile")
}

func TestCopyingACourse(t *testing.T) {
	s := newSite(t)
	mary, ada := s.signedIn("mary"), s.signedIn("ada")
	a := mary.submit(mary.open("/course/1"), button("Copy this course"), nil)
	s.g.Expect(a.path()).To(Equal("/course/3"))
	s.g.Expect(a.heading()).To(Equal("Analytical Engines (copy)"))
	a = mary.submit(a, button("Copy this course"), url.Values{"title": {" Engines <2> "}})
	s.g.Expect(a.heading()).To(Equal("Engines <2>"))

	a = ada.open("/courses")
	s.g.Expect(a.page.Find(".cards a").Length()).To(Equal(4))
	s.g.Expect(a.page.Find("#course-3").Text()).To(Equal("Analytical Engines (copy)"))
	copied := ada.open("/course/4")
	s.g.Expect(copied.page.Find("#links a").Length()).To(Equal(8))
	s.g.Expect(copied.page.Find("#copy").Length()).To(BeZero())

	ids, contexts := map[any]bool{}, map[any]bool{}
	for _, course := range []string{"1", "3", "4"} {
		l := ada.launches("/launch-link/" + course + "/exercise-1")
		resource, context := l.claims[claims+"resource_link"].(map[string]any), l.claims[claims+"context"].(map[string]any)
		ids[resource["id"]], contexts[context["id"]] = true, true
		s.g.Expect(resource).To(HaveKeyWithValue("title", "Exercise 1"))
		s.g.Expect(l.claims).To(HaveKeyWithValue(claims+"deployment_id", "1"))
	}
	s.g.Expect(ids).To(HaveLen(3))
	s.g.Expect(contexts).To(HaveLen(3))

	// A copy can be removed again, and nothing else.
	removed := mary.submit(mary.open("/course/3"), button("Remove this copy"), nil)
	s.g.Expect(removed.path()).To(Equal("/courses"))
	s.g.Expect(removed.page.Find(".cards a").Length()).To(Equal(3))
	s.g.Expect(mary.open("/course/3").StatusCode).To(Equal(http.StatusNotFound))
	own := mary.open("/course/1")
	s.g.Expect(own.page.Find("#remove").Length()).To(BeZero())
	s.g.Expect(mary.post("/course/1/remove", url.Values{"csrf": {own.page.Find("input[name=csrf]").AttrOr("value", "")}}).StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(mary.submit(mary.open("/course/1"), button("Copy this course"), nil).path()).To(Equal("/course/5"), "no id is given twice")
	mary.submit(mary.open("/course/5"), button("Remove this copy"), nil)

	// Learners may not, even with a token of theirs.
	token := ada.open("/course/1").page.Find("input[name=csrf]").AttrOr("value", "")
	s.g.Expect(ada.post("/course/1/copy", url.Values{"csrf": {token}}).StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(ada.open("/courses").page.Find(".cards a").Length()).To(Equal(3))
}

func TestFaultKeepsLinkIDOnCopy(t *testing.T) {
	s := newSite(t, "keeps-link-id-on-copy")
	mary := s.signedIn("mary")
	mary.submit(mary.open("/course/1"), button("Copy this course"), nil)
	link := func(course string) any {
		return mary.launches("/launch-link/" + course + "/exercise-1").claims[claims+"resource_link"]
	}
	s.g.Expect(link("3")).To(Equal(link("1")))
}

func TestANewKeySigns(t *testing.T) {
	s := newSite(t)
	root, ada := s.signedIn("root"), s.signedIn("ada")
	before := ada.launches("/launch-link/1/exercise-1").kid
	a := root.submit(root.open("/admin"), button("Make a new signing key"), nil)
	s.g.Expect(a.page.Find("[role=status]").Text()).To(Equal("New key in use."))
	s.g.Expect(root.open("/admin").page.Find("[role=status]").Length()).To(BeZero())
	s.g.Expect(ada.launches("/launch-link/1/exercise-1").kid).NotTo(Equal(before))
	s.g.Expect(ada.open("/jwks").page.Text()).To(ContainSubstring(before), "for launches that are under way")
}

func TestRegisteringTools(t *testing.T) {
	s := newSite(t)
	root, ada := s.signedIn("root"), s.signedIn("ada")
	rows := func(a answer) (rows []string) {
		a.page.Find("#tools tbody tr").Each(func(_ int, row *goquery.Selection) {
			rows = append(rows, row.Find("th").Text()+" "+row.Find("td").First().Text()+" "+row.Find(".used").Text())
		})
		return rows
	}
	a := root.open("/admin")
	s.g.Expect(rows(a)).To(Equal([]string{
		"invigilator https://tool.test/login?tenant=7 used by links", "invigilator-2 https://other-tool.test/login ",
	}))
	s.g.Expect(a.page.Find("dd").Map(func(_ int, s *goquery.Selection) string { return s.Text() })).To(Equal(
		[]string{s.url, s.url + "/auth", s.url + "/jwks", s.url + "/token", "1, 2"}))

	for name, fill := range map[string]url.Values{
		"nothing":          {},
		"no redirect URIs": {"client_id": {"x"}, "login_url": {"https://x.test/l"}, "target_link_uri": {"https://x.test/t"}},
		"a script":         {"client_id": {"x"}, "login_url": {"javascript:alert(1)"}, "target_link_uri": {"https://x.test/t"}, "redirect_uris": {"https://x.test/r"}},
		"a path":           {"client_id": {"x"}, "login_url": {"https://x.test/l"}, "target_link_uri": {"https://x.test/t"}, "redirect_uris": {"https://x.test/r\n/r"}},
	} {
		a := root.submit(root.open("/admin"), "#register", fill)
		s.g.Expect(a.StatusCode).To(Equal(http.StatusBadRequest), name)
		s.g.Expect(a.page.Find("[role=alert]").Text()).NotTo(BeEmpty(), name)
		s.g.Expect(a.page.Find("#client-id").AttrOr("value", "")).To(Equal(fill.Get("client_id")), "what was typed is kept")
		s.g.Expect(rows(a)).To(HaveLen(2), name)
	}

	a = root.submit(root.open("/admin"), "#register", url.Values{
		"client_id": {" invigilator "}, "login_url": {"https://new.test/login"}, "target_link_uri": {"https://new.test/start"},
		"redirect_uris": {"https://new.test/a\r\n\r\nhttps://new.test/b\r\n"},
	})
	s.g.Expect(a.page.Find("[role=status]").Text()).To(Equal("The tool is registered."))
	s.g.Expect(rows(a)).To(Equal([]string{
		"invigilator https://new.test/login used by links", "invigilator-2 https://other-tool.test/login ",
	}))
	u, login := ada.begun("/launch-link/1/exercise-1")
	s.g.Expect(u.Host).To(Equal("new.test"))
	s.g.Expect(login.Get("target_link_uri")).To(Equal("https://new.test/start"))

	a = root.submit(a, button("Use for links"), nil)
	s.g.Expect(rows(a)[1]).To(HaveSuffix("used by links"))
	s.g.Expect(rows(a)[0]).NotTo(HaveSuffix("used by links"))
	s.g.Expect(ada.launches("/launch-link/2/exercise-1").claims).To(And(
		HaveKeyWithValue("aud", "invigilator-2"), HaveKeyWithValue(claims+"deployment_id", "2")))
	token := a.page.Find("input[name=csrf]").First().AttrOr("value", "")
	s.g.Expect(root.post("/admin/links", url.Values{"csrf": {token}, "client_id": {"none"}}).StatusCode).To(Equal(http.StatusNotFound))
}

func TestAdministrationIsForRootAlone(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"ada", "mary", "annabella"} {
		b := s.signedIn(name)
		token := b.open("/courses").page.Find("input[name=csrf]").First().AttrOr("value", "")
		s.g.Expect(b.open("/admin").StatusCode).To(Equal(http.StatusForbidden))
		for _, path := range []string{"/admin/keys", "/admin/tools", "/admin/links"} {
			s.g.Expect(b.post(path, url.Values{"csrf": {token}, "client_id": {"invigilator-2"}}).StatusCode).To(Equal(http.StatusForbidden), path)
		}
	}
	s.g.Expect(s.browser().open("/admin").path()).To(Equal("/login?next=%2Fadmin"))
	s.g.Expect(s.campus.Platform().Keys()).To(HaveLen(1))
}

func TestACampusWithoutTools(t *testing.T) {
	s := newSite(t)
	var err error
	key, _ := sharedKey()
	s.campus, err = campus.New(campus.Options{URL: s.url, Password: password, Keys: []jwk.Key{key}})
	s.g.Expect(err).NotTo(HaveOccurred())
	s.g.Expect(s.signedIn("ada").open("/launch-link/1/exercise-1").StatusCode).To(Equal(http.StatusServiceUnavailable))
	root := s.signedIn("root")
	a := root.submit(root.open("/admin"), "#register", url.Values{
		"client_id": {"invigilator"}, "login_url": {toolURL + "/login"}, "target_link_uri": {toolURL}, "redirect_uris": {toolURL + "/launch"},
	})
	s.g.Expect(a.page.Find(".used").Length()).To(Equal(1))
	s.g.Expect(s.signedIn("ada").launches("/launch-link/1/exercise-1").claims).To(HaveKeyWithValue("aud", "invigilator"))
	s.g.Expect(s.signedIn("ada").open("/launch-link/1/other-tool").StatusCode).To(Equal(http.StatusServiceUnavailable), "there is no second one")
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for name, opts := range map[string]campus.Options{
		"no password": {URL: "https://campus.test"},
		"no URL":      {Password: password},
		"half a tool": {URL: "https://campus.test", Password: password, Tools: []campus.Tool{{ClientID: "x"}}},
	} {
		_, err := campus.New(opts)
		g.Expect(err).To(MatchError(HavePrefix("campus: ")), name)
	}
}

// configuration is the shape of campus.yaml.
type configuration struct {
	Platform, Registration map[string]any
	Features               []string
	SignIn                 []step `yaml:"sign_in"`
	Users                  map[string]person
	Journeys               map[string]struct {
		User, Launch, Does string
		Steps              []step
	}
}

type person struct {
	Name, ID, Email string
	GivenName       string `yaml:"given_name"`
	FamilyName      string `yaml:"family_name"`
	SignIn          []step `yaml:"sign_in"`
	Username        string
	Password        string
}

type step struct{ Open, Fill, With, Click, Choose, Option, Wait, Frame, Within, Agent string }

// walk makes the steps as a plain HTTP client does, following the first link or
// submitting the form of the button. It returns where it came to.
func (b *browser) walk(name string, steps []step) answer {
	var at answer
	filled := url.Values{}
	find := func(target, among string) *goquery.Selection {
		text, isText := strings.CutPrefix(target, "text=")
		if !isText {
			return at.page.Find(target)
		}
		return at.page.Find(among).FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.Contains(s.Text(), text) })
	}
	for i, step := range steps {
		if step.Agent == "browser" {
			continue
		}
		says := fmt.Sprintf("%s, step %d: %+v", name, i+1, step)
		switch {
		case step.Open != "":
			at = b.open(step.Open)
		case step.Fill != "":
			label := at.page.Find("label").FilterFunction(func(_ int, s *goquery.Selection) bool {
				return s.Text() == strings.TrimPrefix(step.Fill, "label=")
			})
			b.g.Expect(label.Length()).To(Equal(1), says)
			filled.Set(at.page.Find("#"+label.AttrOr("for", "")).AttrOr("name", ""), step.With)
		case step.Click != "":
			found := find(step.Click, "a, button")
			b.g.Expect(found.Length()).To(Equal(1), says)
			if goquery.NodeName(found) == "button" {
				at = b.submit(at, button(found.Text()), filled)
				filled = url.Values{}
			} else {
				at = b.open(found.AttrOr("href", ""))
			}
		case step.Wait != "":
			if part, ok := strings.CutPrefix(step.Wait, "url="); ok {
				b.g.Expect(at.path()).To(ContainSubstring(part), says)
			} else {
				b.g.Expect(find(step.Wait, "main *").Length()).NotTo(BeZero(), says)
			}
		default:
			b.t.Errorf("%s is no step that this test knows", says)
		}
		if at.Response != nil {
			b.g.Expect(at.StatusCode).To(BeNumerically("<", 400), says)
		}
	}
	if src, ok := at.page.Find("iframe").Attr("src"); ok {
		at = b.open(src)
	}
	return at
}

// TestConfiguration makes every journey of campus.yaml.
func TestConfiguration(t *testing.T) {
	s := newSite(t)
	filled := os.Expand(string(campus.Configuration), func(name string) string {
		value, ok := map[string]string{"CAMPUS_URL": s.url, "CAMPUS_PASSWORD": password}[name]
		s.g.Expect(ok).To(BeTrue(), name)
		return value
	})
	var c configuration
	s.g.Expect(yaml.UnmarshalWithOptions([]byte(filled), &c, yaml.Strict())).To(Succeed())
	s.g.Expect(c.Platform).To(Equal(map[string]any{
		"name": "Campus", "issuer": s.url, "auth_url": s.campus.Platform().AuthURL(), "jwks_url": s.url + "/jwks",
		"points_selector": `tr.grade[data-item="{line_item}"][data-learner="{learner}"] .result`,
		"token_url":       s.campus.Platform().TokenURL(),
		"exam_started":    map[string]any{"selector": started}, "exam_paused": map[string]any{"selector": paused}, "exam_duration": "1h",
		"allow_writes": true, "grading_pending": map[string]any{"selector": waiting},
	}))
	s.g.Expect(c.Registration).To(Equal(map[string]any{"client_id": "invigilator", "other_client_id": "invigilator-2", "deployment_id": "1"}))
	s.g.Expect(c.Users).To(HaveLen(6))

	_, err := grades.On(s.campus.Platform()).AddLineItem("invigilator", "course-1", lti.LineItem{
		Label: "Essay", ScoreMaximum: 5, SubmissionReview: &lti.SubmissionReview{ReviewableStatus: []string{lti.ReviewableNone}},
	})
	s.g.Expect(err).NotTo(HaveOccurred())
	copies := 0
	named := func(steps []step, learner person) []step {
		steps = slices.Clone(steps)
		words := strings.NewReplacer("{line_item}", "Essay", "{learner}", learner.Name, "{user_id}", learner.ID, "{unique}", fmt.Sprint("copy-", copies), "{title}", fmt.Sprint("Chosen ", copies))
		for i := range steps {
			for _, text := range []*string{&steps[i].Click, &steps[i].With, &steps[i].Wait} {
				*text = words.Replace(*text)
			}
		}
		return steps
	}

	kinds := map[string]int{}
	// exam makes the journey by which a user launches an exam or does something in it.
	exam := func(b *browser, user, kind string) answer {
		for name, j := range c.Journeys {
			if j.User == user && j.Launch+j.Does == kind {
				return b.walk(name, j.Steps)
			}
		}
		t.Fatalf("there is no journey of the %s: %s", user, kind)
		return answer{}
	}
	travel := func(name string) {
		j := c.Journeys[name]
		s.g.Expect(c.Users).To(HaveKey(j.User), name)
		user := c.Users[j.User]
		b := s.browser()
		signIn := user.SignIn
		if len(signIn) == 0 {
			own := strings.NewReplacer("{username}", user.Username, "{password}", user.Password)
			for _, step := range c.SignIn {
				step.With = own.Replace(step.With)
				signIn = append(signIn, step)
			}
		}
		b.walk("sign-in of "+j.User, signIn)
		var taken launched
		if strings.HasSuffix(j.Does, "-exam") {
			taken = b.led(exam(b, j.User, "exam"))
			s.g.Expect(b.starts(taken, lti.Claims{lti.ClaimEndAssessmentReturn: true}).page.Find(started).Length()).To(Equal(1), name)
		}
		learner := user
		if j.User == "instructor" {
			learner = c.Users["learner"]
		}
		at := b.walk(name, named(j.Steps, learner))
		kinds[j.Launch+j.Does]++
		s.g.Expect(j.Launch == "").NotTo(Equal(j.Does == ""), name)
		switch j.Does {
		case "":
		case "open-grades":
			s.g.Expect(at.page.Find("tr.grade").Length()).NotTo(BeZero(), name)
			return
		case "open-exam":
			s.g.Expect(at.page.Find(started).Length()).To(Equal(1), name)
			s.g.Expect(at.page.Find(paused).Length()).To(BeZero(), name)
			b.controls(taken, lti.Pause)
			at = b.walk(name, j.Steps)
			s.g.Expect(at.page.Find(started).Length()).To(BeZero(), name)
			s.g.Expect(at.page.Find(paused).Length()).To(Equal(1), name)
			b.controls(taken, lti.Resume)
			at = exam(b, j.User, "submit-exam")
			fallthrough
		case "submit-exam", "break-exam":
			ended := b.led(at).claims
			s.g.Expect(ended).To(HaveKeyWithValue(lti.ClaimMessageType, lti.EndAssessment), name)
			if j.Does == "break-exam" {
				s.g.Expect(ended).To(HaveKey(lti.ClaimErrorMessage), name)
			} else {
				s.g.Expect(ended).NotTo(HaveKey(lti.ClaimErrorMessage), name)
			}
			return
		default:
			return
		}
		s.g.Expect(at.page.Find(started).Length()).To(BeZero(), name)
		l := b.led(at)
		deployment := map[bool]any{false: c.Registration["deployment_id"], true: "2"}[j.Launch == "other-course" || j.Launch == "other-deployment"]
		client := c.Registration[map[bool]string{false: "client_id", true: "other_client_id"}[j.Launch == "other-tool"]]
		s.g.Expect(l.claims).To(And(HaveKeyWithValue("aud", client), HaveKeyWithValue(claims+"deployment_id", deployment)), name)
		message, special := map[string]string{"exam": lti.StartProctoring, "other-exam": lti.StartProctoring, "review": lti.SubmissionReviewRequest, "deep-linking": lti.DeepLinkingRequest}[j.Launch]
		if !special {
			message = lti.ResourceLinkRequest
		}
		s.g.Expect(l.claims).To(HaveKeyWithValue(lti.ClaimMessageType, message), name)
		if j.Launch == "review" {
			s.g.Expect(l.claims).To(HaveKeyWithValue(lti.ClaimForUser, HaveKeyWithValue("name", learner.Name)), name)
		}
		if j.Launch != "private" && j.Launch != "anonymous" {
			s.g.Expect(l.claims).To(And(
				HaveKeyWithValue("name", user.Name), HaveKeyWithValue("given_name", user.GivenName),
				HaveKeyWithValue("family_name", user.FamilyName), HaveKeyWithValue("email", user.Email),
			), name)
		}
	}
	// What is chosen is there before somebody opens it.
	chosen := func() {
		mary := s.signedIn("mary")
		mary.chooses(mary.launches("/course/1/content"), link(fmt.Sprint("Chosen ", copies)))
	}
	// The journeys are made twice: what one does must not be in the way of others.
	for range 2 {
		copies++
		chosen()
		travel("instructor-copies-course")
		for name := range c.Journeys {
			if name != "instructor-copies-course" && name != "instructor-removes-copy" {
				travel(name)
			}
		}
		travel("instructor-removes-copy")
	}
	for kind, times := range map[string]int{
		"resource-link": 5, "other-link": 1, "other-course": 2, "other-deployment": 1, "other-tool": 1, "copied-link": 1, "private": 2, "anonymous": 1,
		"custom": 1, "window": 1, "frame": 1, "rotate-keys": 1, "copy-course": 1, "remove-copy": 1, "sign-out": 1,
		"exam": 2, "other-exam": 1, "open-exam": 2, "submit-exam": 2, "break-exam": 1, "review": 3, "open-grades": 2,
		"deep-linking": 2, "add-content": 1, "chosen-link": 1,
	} {
		s.g.Expect(kinds).To(HaveKeyWithValue(kind, 2*times))
		delete(kinds, kind)
	}
	s.g.Expect(kinds).To(BeEmpty())
}

// TestReadmeNamesTheAccounts keeps the page in step with the program.
func TestReadmeNamesTheAccounts(t *testing.T) {
	s := newSite(t)
	readme, err := os.ReadFile("README.md")
	s.g.Expect(err).NotTo(HaveOccurred())
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(readme), -1)
	s.g.Expect(rows).To(HaveLen(6))
	for _, row := range rows {
		s.g.Expect(s.signedIn(row[1]).open("/").page.Find("#user").Text()).To(Equal(row[2]))
	}
}
