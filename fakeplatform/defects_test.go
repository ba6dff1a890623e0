package fakeplatform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// scene is an application on a platform, whose sessions decide.
type scene struct {
	*fakeplatform.Platform
	t     *testing.T
	names []string // of what is made anew for each launch, and their stand-ins

	mu      sync.Mutex
	cookies map[string][]*http.Cookie // by browser, whose tabs may ask at once
}

func newScene(t *testing.T, faults ...string) *scene {
	t.Helper()
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{
		URL: platformtest.PlatformURL, Keys: platformtest.SharedKeys(t)[:1], Now: func() time.Time { return platformtest.Noon }, Faults: faults, Watch: true,
		SignedIn: func(r *http.Request) string {
			c, err := r.Cookie("account")
			if err != nil {
				return ""
			}
			return c.Value
		},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Register(platformtest.Registration())).To(Succeed())
	g.Expect(p.Register(fakeplatform.Registration{
		ClientID: platformtest.OtherClient, LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example/launch",
		RedirectURIs: []string{"https://b.example/launch"}, DeploymentIDs: []string{"1"},
	})).To(Succeed())
	return &scene{Platform: p, t: t, cookies: map[string][]*http.Cookie{}}
}

// begin plans a launch of an account's user.
func (s *scene) begin(account string, changes ...func(*fakeplatform.Plan)) *fakeplatform.Launch {
	s.t.Helper()
	plan := fakeplatform.Plan{
		ClientID: platformtest.ClientID, User: platformtest.Accounts[account], Account: account, ReturnTo: platformtest.PlatformURL + "/course",
		ResourceLink: fakeplatform.ResourceLink{ID: "link-1", Title: "Introduction"}, TargetLinkURI: platformtest.TargetURI + "?chapter=1",
		Context: fakeplatform.Context{ID: "course-1", Title: "Analysis"},
	}
	for _, change := range changes {
		change(&plan)
	}
	l, err := s.Begin(plan)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	n := len(s.names) / 2
	s.names = append(s.names, strings.TrimPrefix(l.URL(), platformtest.PlatformURL+"/launch/"), fmt.Sprintf("LAUNCH-%d", n))
	return l
}

// ask sends a request from the browser in which an account is signed in, or
// nobody. Browsers are told apart by name, so that somebody can sign out.
func (s *scene) ask(browser, account, method, address string, params url.Values) platformtest.Page {
	s.t.Helper()
	g := NewWithT(s.t)
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(params.Encode())
	} else if params != nil {
		address += "?" + params.Encode()
	}
	r := httptest.NewRequest(method, address, body)
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if account != "" {
		r.AddCookie(&http.Cookie{Name: "account", Value: account})
	}
	s.mu.Lock()
	for _, c := range s.cookies[browser] {
		r.AddCookie(c)
	}
	s.mu.Unlock()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	s.mu.Lock()
	s.cookies[browser] = append(s.cookies[browser], w.Result().Cookies()...)
	s.mu.Unlock()
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(w.Body.Bytes()))
	g.Expect(err).NotTo(HaveOccurred())
	return platformtest.Page{T: s.t, Status: w.Code, Header: w.Header(), Body: w.Body.String(), Document: doc}
}

func (s *scene) start(account string, l *fakeplatform.Launch) url.Values {
	s.t.Helper()
	p := s.ask(account, account, http.MethodGet, l.URL(), nil)
	NewWithT(s.t).Expect(p.Status).To(Or(Equal(http.StatusOK), Equal(http.StatusFound)), p.Body)
	sent := l.Record().LoginInitiation
	NewWithT(s.t).Expect(sent).NotTo(BeNil())
	for _, name := range []string{"login_hint", "lti_message_hint"} {
		if value := sent.Params.Get(name); value != "" {
			s.names = append(s.names, value, strings.ToUpper(name), value[:len(value)-1], "NOT THE "+strings.ToUpper(name))
		}
	}
	request := platformtest.AuthRequest(sent.Params)
	request.Set("client_id", platformtest.ClientID)
	return request
}

func (s *scene) auth(browser, account string, request url.Values) string {
	s.t.Helper()
	return s.says(s.ask(browser, account, http.MethodGet, platformtest.PlatformURL+fakeplatform.AuthPath, request))
}

// says puts an answer into words that are the same each time.
func (s *scene) says(p platformtest.Page) string {
	s.t.Helper()
	words := []string{fmt.Sprint(p.Status), p.Header.Get("Content-Type"), p.Header.Get("Cache-Control"), "to " + p.Header.Get("Location")}
	p.Find("form").Each(func(_ int, form *goquery.Selection) {
		fields := url.Values{}
		form.Find("input").Each(func(_ int, in *goquery.Selection) { fields.Add(in.AttrOr("name", ""), in.AttrOr("value", "")) })
		words = append(words, form.AttrOr("method", ""), form.AttrOr("enctype", ""), form.AttrOr("action", ""))
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			value := strings.Join(fields[name], " AND ")
			if name == "id_token" {
				value = s.token(value)
			}
			words = append(words, name+"="+value)
		}
	})
	words = append(words, strings.Join(strings.Fields(p.Find("body").Text()), " "))
	p.Find("script, img, iframe, a, input[type=password]").Each(func(_ int, e *goquery.Selection) {
		words = append(words, goquery.NodeName(e)+e.AttrOr("href", "")+e.AttrOr("src", "")+e.Text())
	})
	return strings.NewReplacer(s.names...).Replace(strings.Join(words, "\n"))
}

// token says what a token holds, and whether the key set verifies it.
func (s *scene) token(token string) string {
	header, claims, err := lti.Decode(token)
	verified := "unverified"
	published := s.ask("tool", "", http.MethodGet, platformtest.PlatformURL+fakeplatform.JWKSPath, nil)
	if set, err := jwk.Parse([]byte(published.Body)); err == nil {
		if _, err := jws.Verify([]byte(token), jws.WithKeySet(set)); err == nil {
			verified = "verified"
		}
	}
	h := string(header)
	for i, key := range s.Keys() {
		h = strings.ReplaceAll(h, key.KeyID(), fmt.Sprintf("KEY-%d", i))
	}
	var sorted map[string]any
	_ = json.Unmarshal(claims, &sorted)
	again, _ := json.Marshal(sorted)
	return fmt.Sprintln("id_token", h, string(again), verified, err)
}

// A probe is something that is asked of a platform.
type probe func(*scene) string

func launchOf(account string, changes ...func(*fakeplatform.Plan)) probe {
	return func(s *scene) string {
		l := s.begin(account, changes...)
		p := s.ask(account, account, http.MethodGet, l.URL(), nil)
		sent := l.Record().LoginInitiation
		s.names = append(s.names, sent.Params.Get("login_hint"), "LOGIN_HINT", sent.Params.Get("lti_message_hint"), "MESSAGE_HINT")
		if sent.Params.Get("login_hint") == "" {
			s.names = s.names[:len(s.names)-4]
		}
		login := s.says(p)
		request := platformtest.AuthRequest(sent.Params)
		request.Set("client_id", platformtest.ClientID)
		return login + "\n" + s.auth(account, account, request)
	}
}

// changedRequest is an authentication request with a mistake, or with a peculiarity.
func changedRequest(change func(url.Values)) probe {
	return func(s *scene) string {
		request := s.start("ada", s.begin("ada"))
		change(request)
		return s.auth("ada", "ada", request)
	}
}

func sets(name string, values ...string) probe {
	return changedRequest(func(r url.Values) {
		r.Del(name)
		if len(values) > 0 {
			r[name] = values
		}
	})
}

func returned(params url.Values) probe {
	return func(s *scene) string {
		return s.says(s.ask("ada", "ada", http.MethodGet, s.begin("ada").ReturnURL(), params))
	}
}

const evil = "https://evil.example/launch"

// otherHint is what begins like the right one and nobody has sent.
func otherHint(hint string) string { return hint[:max(0, len(hint)-1)] + "!" }

var probes = map[string]probe{
	"launch":           launchOf("ada"),
	"launch a teacher": launchOf("bob"),
	"launch a mentor":  launchOf("mia"),
	"launch by POST":   launchOf("ada", func(plan *fakeplatform.Plan) { plan.LoginByPost = true }),
	"launch in a frame": launchOf("ada", func(plan *fakeplatform.Plan) {
		plan.Target = fakeplatform.IFrame
	}),
	"launch of another deployment": launchOf("ada", func(plan *fakeplatform.Plan) { plan.DeploymentID = "deployment-2" }),
	"launch in private":            launchOf("ada", func(plan *fakeplatform.Plan) { plan.HidePersonalData = true }),
	"launch anonymously":           launchOf("ada", func(plan *fakeplatform.Plan) { plan.Anonymous = true }),
	"launch with custom parameters": launchOf("ada", func(plan *fakeplatform.Plan) {
		plan.Context = fakeplatform.Context{ID: "course-1"}
		plan.Custom = map[string]string{
			"text": "chapter", "number": "7", "empty": "", "user": "$User.id", "course": "$Context.id", "title": "$Context.title",
			"link": "$ResourceLink.id", "unknown": "$com.example.Nonexistent.var",
		}
	}),
	"launch with the title of the course": launchOf("ada", func(plan *fakeplatform.Plan) {
		plan.Context = fakeplatform.Context{ID: "course-1", Title: "Analysis", Label: "AN"}
		plan.Custom = map[string]string{"title": "$Context.title"}
	}),
	"auth by POST": func(s *scene) string {
		return s.says(s.ask("ada", "ada", http.MethodPost, platformtest.PlatformURL+"/auth", s.start("ada", s.begin("ada"))))
	},

	"redirect_uri foreign":            sets("redirect_uri", evil),
	"redirect_uri missing":            sets("redirect_uri"),
	"redirect_uri other path":         sets("redirect_uri", "https://tool.example/other"),
	"redirect_uri segment":            sets("redirect_uri", "https://tool.example/second/more"),
	"redirect_uri query":              sets("redirect_uri", "https://tool.example/second?a=1"),
	"redirect_uri with login":         sets("redirect_uri", "https://tool.example/second?iss=a&login_hint=b"),
	"redirect_uri slash":              sets("redirect_uri", "https://tool.example/second/"),
	"redirect_uri scheme":             sets("redirect_uri", "http://tool.example/second"),
	"redirect_uri port":               sets("redirect_uri", "https://tool.example:8443/second"),
	"redirect_uri case":               sets("redirect_uri", "https://tool.example/SECOND"),
	"redirect_uri userinfo":           sets("redirect_uri", "https://tool.example@evil.example/second"),
	"redirect_uri fragment":           sets("redirect_uri", "https://tool.example/second#top"),
	"redirect_uri upper case host":    sets("redirect_uri", "https://TOOL.example/second"),
	"redirect_uri of another tool":    sets("redirect_uri", "https://b.example/launch"),
	"client_id of another tool alone": sets("client_id", platformtest.OtherClient),
	"redirect_uri script":             sets("redirect_uri", "javascript:alert(1)"),
	"redirect_uri foreign appended":   sets("redirect_uri", platformtest.RedirectURI, evil),
	"redirect_uri foreign first":      sets("redirect_uri", evil, platformtest.RedirectURI),
	"redirect_uri foreign, no nonce": changedRequest(func(r url.Values) {
		r.Set("redirect_uri", evil)
		r.Del("nonce")
	}),
	"redirect_uri foreign, no nonce, unknown client": changedRequest(func(r url.Values) {
		r.Set("redirect_uri", evil)
		r.Set("client_id", "unknown")
		r.Del("nonce")
	}),
	"client_id missing": sets("client_id"),
	"client_id unknown": sets("client_id", "unknown"),
	"client_id of another tool": changedRequest(func(r url.Values) {
		r.Set("client_id", platformtest.OtherClient)
		r.Set("redirect_uri", "https://b.example/launch")
	}),
	"nonce missing":                      sets("nonce"),
	"nonce empty":                        sets("nonce", ""),
	"nonce long":                         sets("nonce", strings.Repeat(" a+b/c=d%25&e ", 16)),
	"nonce twice":                        sets("nonce", "nonce-1", "nonce-2"),
	"response_type missing":              sets("response_type"),
	"response_type code":                 sets("response_type", "code"),
	"response_type token":                sets("response_type", "token"),
	"response_type id_token token":       sets("response_type", "id_token token"),
	"response_mode missing":              sets("response_mode"),
	"response_mode query":                sets("response_mode", "query"),
	"response_mode fragment":             sets("response_mode", "fragment"),
	"scope missing":                      sets("scope"),
	"scope profile":                      sets("scope", "profile"),
	"scope with more":                    sets("scope", "openid profile x-unknown"),
	"prompt missing":                     sets("prompt"),
	"state missing":                      sets("state"),
	"state long":                         sets("state", strings.Repeat("0123456789", 100)),
	"state special":                      sets("state", `<>"'&+%41ü`),
	"state zero":                         sets("state", "0"),
	"state script":                       sets("state", `"><script>window.__lti_xss=1</script>`),
	"login_hint missing":                 sets("login_hint"),
	"login_hint altered":                 changedRequest(func(r url.Values) { r.Set("login_hint", otherHint(r.Get("login_hint"))) }),
	"message hint missing":               sets("lti_message_hint"),
	"message hint altered":               changedRequest(func(r url.Values) { r.Set("lti_message_hint", otherHint(r.Get("lti_message_hint"))) }),
	"message hint altered at its begin":  changedRequest(func(r url.Values) { r.Set("lti_message_hint", "M"+r.Get("lti_message_hint")[1:]) }),
	"unknown parameters":                 sets("foo", "bar"),
	"login_hint of another user":         hintOfBob("login_hint"),
	"message hint of another user":       hintOfBob("lti_message_hint"),
	"both hints of another user":         hintOfBob("login_hint", "lti_message_hint"),
	"nobody is signed in":                func(s *scene) string { return s.auth("fresh", "", s.start("ada", s.begin("ada"))) },
	"somebody else is signed in":         func(s *scene) string { return s.auth("bob", "bob", s.start("ada", s.begin("ada"))) },
	"the user has signed out":            func(s *scene) string { return s.auth("ada", "", s.start("ada", s.begin("ada"))) },
	"the user has signed out for others": func(s *scene) string { return s.auth("ada", "bob", s.start("ada", s.begin("ada"))) },
	"once more": func(s *scene) string {
		request := s.start("ada", s.begin("ada"))
		s.auth("ada", "ada", request)
		return s.auth("ada", "ada", request)
	},
	"once more by another user": func(s *scene) string {
		request := s.start("ada", s.begin("ada"))
		s.auth("ada", "ada", request)
		return s.auth("bob", "bob", request)
	},
	"double click": func(s *scene) string {
		first, second := s.begin("ada"), s.begin("ada")
		s.start("ada", first)
		return fmt.Sprint(s.ask("ada", "ada", http.MethodGet, second.URL(), nil).Status)
	},
	"two users": func(s *scene) string {
		first, second := s.start("ada", s.begin("ada")), s.start("bob", s.begin("bob"))
		return s.auth("ada", "ada", first) + s.auth("bob", "bob", second)
	},
	"two tabs": func(s *scene) string {
		first := s.start("ada", s.begin("ada"))
		second := s.start("ada", s.begin("ada", func(plan *fakeplatform.Plan) {
			plan.ResourceLink.ID, plan.TargetLinkURI = "link-2", platformtest.TargetURI
		}))
		second.Set("state", "state-2")
		second.Set("nonce", "nonce-2")
		return s.auth("ada", "ada", second) + s.auth("ada", "ada", first)
	},

	"two users at once": func(s *scene) string {
		first, second := s.start("ada", s.begin("ada")), s.start("bob", s.begin("bob"))
		return platformtest.AtOnce(func() string { return s.auth("ada", "ada", first) }, func() string { return s.auth("bob", "bob", second) })
	},
	"two tabs at once": func(s *scene) string {
		first := s.start("ada", s.begin("ada"))
		second := s.start("ada", s.begin("ada", func(plan *fakeplatform.Plan) {
			plan.ResourceLink.ID, plan.TargetLinkURI = "link-2", platformtest.TargetURI
		}))
		// Their states and nonces are the same: who sends those of the other tab would show only where that has asked before.
		return platformtest.AtOnce(func() string { return "first: " + s.auth("ada", "ada", first) }, func() string { return "second: " + s.auth("ada", "ada", second) })
	},
	"two tabs of two tools": func(s *scene) string {
		first := s.start("ada", s.begin("ada"))
		s.start("ada", s.begin("ada", func(plan *fakeplatform.Plan) { plan.ClientID = platformtest.OtherClient }))
		return s.auth("ada", "ada", first)
	},

	"lti_msg":                  returned(url.Values{"lti_msg": {"Well done"}}),
	"lti_errormsg":             returned(url.Values{"lti_errormsg": {"Not well done"}}),
	"lti_log":                  returned(url.Values{"lti_log": {"log"}}),
	"lti_errorlog":             returned(url.Values{"lti_errorlog": {"errorlog"}}),
	"lti_msg with markup":      returned(url.Values{"lti_msg": {"<img src=x onerror=window.__lti_xss=1>"}}),
	"lti_errormsg with markup": returned(url.Values{"lti_errormsg": {"<img src=x onerror=window.__lti_xss=1>"}}),
	"return page of somebody": func(s *scene) string {
		return s.says(s.ask("bob", "bob", http.MethodGet, s.begin("ada").ReturnURL(), nil))
	},
	"launch of somebody":         func(s *scene) string { return s.says(s.ask("bob", "bob", http.MethodGet, s.begin("ada").URL(), nil)) },
	"launch without a session":   func(s *scene) string { return s.says(s.ask("", "", http.MethodGet, s.begin("ada").URL(), nil)) },
	"delivery of what was asked": deliveryAgain,
	"key set": func(s *scene) string {
		p := s.ask("tool", "", http.MethodGet, platformtest.PlatformURL+"/jwks", nil)
		return fmt.Sprintln(p.Status, p.Header.Get("Content-Type"), p.Body)
	},
	"key rotation": func(s *scene) string {
		NewWithT(s.t).Expect(s.AddKey()).To(Succeed())
		var set struct{ Keys []struct{ Kid string } }
		_ = json.Unmarshal([]byte(s.ask("tool", "", http.MethodGet, platformtest.PlatformURL+"/jwks", nil).Body), &set)
		return fmt.Sprintln(len(set.Keys), len(s.Keys()), s.Keys()[0].KeyID() == platformtest.SharedKeys(s.t)[0].KeyID(), launchOf("ada")(s))
	},
}

func deliveryAgain(s *scene) string {
	l := s.begin("ada")
	s.auth("ada", "ada", s.start("ada", l))
	return s.says(s.ask("ada", "ada", http.MethodGet, l.DeliverURL(), nil))
}

// hintOfBob is a request of Ada's with what a launch of Bob's was begun with.
func hintOfBob(names ...string) probe {
	return func(s *scene) string {
		bobs := s.start("bob", s.begin("bob", func(plan *fakeplatform.Plan) { plan.ResourceLink.ID = "link-of-bob" }))
		request := s.start("ada", s.begin("ada"))
		for _, name := range names {
			request.Set(name, bobs.Get(name))
		}
		return s.auth("ada", "ada", request)
	}
}

// TestEveryDefectShows holds each defect against the platform without it, in
// the probes in which that says that the defect would make a difference.
func TestEveryDefectShows(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	valid, consulted := map[string]string{}, map[string][]string{}
	for name, probe := range probes {
		s := newScene(t)
		valid[name] = probe(s)
		consulted[name] = s.FaultsReached()
		if name != "key rotation" {
			g.Expect(probe(newScene(t))).To(Equal(valid[name]), name)
		}
	}
	for _, f := range fakeplatform.Defects() {
		if slices.Contains(platformtest.ShownElsewhere, f.Name) || f.Part != "" { // TestEveryDefectOfExamsShows
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			var shown []string
			asked := 0
			want, exactly := shows[f.Name]
			for _, name := range slices.Sorted(maps.Keys(probes)) {
				// The issuer is settled before anything is asked.
				if slices.Contains(consulted[name], f.Name) || strings.HasPrefix(f.Name, "issuer-") && name == "launch" {
					asked++
					if probes[name](newScene(t, f.Name)) != valid[name] {
						shown = append(shown, name)
						if !exactly {
							break // that it shows is enough
						}
					}
				}
			}
			NewWithT(t).Expect(shown).NotTo(BeEmpty(), "in none of %d probes", asked)
			if exactly {
				NewWithT(t).Expect(shown).To(ConsistOf(want))
			}
		})
	}
}

func TestDefectsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, f := range fakeplatform.Defects() {
		g.Expect(f.Is(fault.Conduct)).To(Equal(f.Proves == ""), f.Name)
		if f.Is(fault.Conduct) {
			continue
		}
		r, ok := requirements.Default().Get(requirements.ID(f.Proves))
		g.Expect(ok).To(BeTrue(), "%s proves %q", f.Name, f.Proves)
		g.Expect(r.Binds).To(Equal(requirements.Platform), "%s proves %q", f.Name, f.Proves)
	}
}

func TestOnlyDefectsCanBeCarried(t *testing.T) {
	t.Parallel()
	for name, carried := range map[string]bool{
		"ignores-client-id": true, "aud-missing": true, "reposts-auth-by-post": true,
		"no-such-fault": false, "key-added": false, fakeplatform.HeldAnswer.Name: false,
	} {
		_, err := fakeplatform.New(fakeplatform.Options{URL: platformtest.PlatformURL, Keys: platformtest.SharedKeys(t)[:1], Faults: []string{name}})
		if carried {
			NewWithT(t).Expect(err).NotTo(HaveOccurred(), name)
		} else {
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(name)))
		}
	}
}

func TestFaultsReachedSaysWhatAnApplicationAsked(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newScene(t, "lax-session-cookie")
	cookie := fakeplatform.SessionCookieSet.Pass(s.Carrier(), http.Cookie{SameSite: http.SameSiteNoneMode})
	g.Expect(cookie.SameSite).To(Equal(http.SameSiteLaxMode))
	copied := fakeplatform.LinkIDOnCopy.Pass(s.Carrier(), fakeplatform.CopiedLink{Original: "essay", ID: "essay-2"})
	g.Expect(copied.ID).To(Equal("essay-2"))
	g.Expect(s.FaultsReached()).To(Equal([]string{"keeps-link-id-on-copy", "lax-session-cookie"}))
	g.Expect(s.FaultsReached()).To(BeEmpty())
}

func errorOf(p platformtest.Page) (action, code string) {
	p.T.Helper()
	action, fields := p.Form()
	NewWithT(p.T).Expect(fields).NotTo(HaveKey("id_token"))
	return action, fields.Get("error")
}

func TestTheApplicationsSessionsDecide(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	NewWithT(t).Expect(s.Begin(fakeplatform.Plan{ClientID: platformtest.ClientID, User: platformtest.Ada})).Error().To(MatchError(ContainSubstring("without account")))
	for name, c := range map[string]struct {
		account string
		change  func(url.Values)
		code    string // of the error, none where it is answered
	}{
		"the user":                                {account: "ada"},
		"nobody":                                  {account: "", code: "login_required"},
		"somebody else":                           {account: "bob", code: "invalid_request"},
		"the user, without login_hint":            {account: "ada", change: func(r url.Values) { r.Del("login_hint") }, code: "login_required"},
		"the user, with another login_hint":       {account: "ada", change: func(r url.Values) { r.Set("login_hint", "sub-ada") }, code: "login_required"},
		"the user, without message hint":          {account: "ada", change: func(r url.Values) { r.Del("lti_message_hint") }, code: "invalid_request"},
		"the user, with a message hint of nobody": {account: "ada", change: func(r url.Values) { r.Set("lti_message_hint", "message") }, code: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := s.begin("ada")
			started := s.ask("ada", "ada", http.MethodGet, l.URL(), nil)
			g.Expect(started.Header).NotTo(HaveKey("Set-Cookie"))
			request := platformtest.AuthRequest(l.Record().LoginInitiation.Params)
			if c.change != nil {
				c.change(request)
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				p := s.ask("other", c.account, method, platformtest.PlatformURL+"/auth", request)
				if c.code == "" {
					_, fields := p.Form()
					g.Expect(fields).To(HaveKey("id_token"))
					_, claims := platformtest.ClaimsOf(t, fields)
					g.Expect(claims).To(HaveKeyWithValue("sub", platformtest.Ada.Sub))
					c.code = "invalid_request" // the launch is answered once
					continue
				}
				action, code := errorOf(p)
				g.Expect(action).To(Equal(platformtest.RedirectURI))
				g.Expect(code).To(Equal(c.code))
			}
			g.Expect(s.ask("ada", "ada", http.MethodGet, l.DeliverURL(), nil).Status).To(Equal(http.StatusNotFound), "the answer is not to be had again")
		})
	}
}

func TestOthersSeeNothingOfALaunch(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, account := range []string{"", "bob"} {
		g := NewWithT(t)
		l := s.begin("ada")
		for _, address := range []string{l.URL(), l.FrameURL(), l.WindowURL(), l.ReturnURL()} {
			p := s.ask("other", account, http.MethodGet, address, nil)
			g.Expect(p.Status).To(Equal(http.StatusForbidden), address)
			g.Expect(p.Header).NotTo(HaveKey("Location"))
		}
		g.Expect(l.Record().LoginInitiation).To(BeNil())
	}
	g := NewWithT(t)
	back := s.ask("ada", "ada", http.MethodGet, s.begin("ada").ReturnURL(), nil)
	g.Expect(back.Status).To(Equal(http.StatusOK))
	g.Expect(back.Find("#return-to").AttrOr("href", "")).To(Equal(platformtest.PlatformURL + "/course"))
	without := s.ask("ada", "ada", http.MethodGet, s.begin("ada", func(plan *fakeplatform.Plan) { plan.ReturnTo = "" }).ReturnURL(), nil)
	g.Expect(without.Find("a").Length()).To(BeZero())
}

func TestErrorsGoNowhereWhereClientOrRedirectURIAreNotRegistered(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for name, change := range map[string]func(url.Values){
		"unknown client": func(r url.Values) { r.Set("client_id", "unknown") },
		"other tool's client": func(r url.Values) {
			r.Set("client_id", platformtest.OtherClient)
			r.Set("redirect_uri", "https://b.example/launch")
		},
		"other tool's redirect_uri":      func(r url.Values) { r.Set("redirect_uri", "https://b.example/launch") },
		"two redirect_uris":              func(r url.Values) { r.Add("redirect_uri", evil) },
		"two, both registered":           func(r url.Values) { r.Add("redirect_uri", "https://tool.example/second") },
		"foreign, unknown message hint":  func(r url.Values) { r.Set("redirect_uri", evil); r.Set("lti_message_hint", "message") },
		"unknown client, unknown launch": func(r url.Values) { r.Set("client_id", "unknown"); r.Set("lti_message_hint", "message") },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			request := s.start("ada", s.begin("ada"))
			change(request)
			p := s.ask("ada", "ada", http.MethodGet, platformtest.PlatformURL+"/auth", request)
			g.Expect(p.Status).To(Equal(http.StatusBadRequest))
			g.Expect(p.Header).NotTo(HaveKey("Location"))
			g.Expect(p.Find("form, a, script").Length()).To(BeZero())
		})
	}
}

// claims launches and returns what the token says.
func (s *scene) claims(l *fakeplatform.Launch) map[string]any {
	s.t.Helper()
	_, fields := s.ask(l.ReturnURL(), "ada", http.MethodGet, platformtest.PlatformURL+"/auth", s.start("ada", l)).Form()
	_, claims := platformtest.ClaimsOf(s.t, fields)
	return claims
}

func TestVariablesAreReplacedByWhatTheMessageSays(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newScene(t)
	custom := map[string]string{
		"user": "$User.id", "course": "$Context.id", "course_title": "$Context.title", "link": "$ResourceLink.id", "title": "$ResourceLink.title",
		"unknown": "$com.example.Nonexistent.var", "case": "$user.id", "price": "5$", "dollar": "$", "plain": "User.id", "inside": "id $User.id",
	}
	configured := maps.Clone(custom)
	said := s.claims(s.begin("ada", func(plan *fakeplatform.Plan) { plan.Custom = custom }))
	g.Expect(said[lti.ClaimCustom]).To(Equal(map[string]any{
		"user": platformtest.Ada.Sub, "course": "course-1", "course_title": "Analysis", "link": "link-1", "title": "Introduction",
		"unknown": "$com.example.Nonexistent.var", "case": "$user.id", "price": "5$", "dollar": "$", "plain": "User.id", "inside": "id $User.id",
	}))
	g.Expect(custom).To(Equal(configured), "the plan is the caller's")

	said = s.claims(s.begin("ada", func(plan *fakeplatform.Plan) {
		plan.Custom, plan.Context, plan.Anonymous = custom, fakeplatform.Context{}, true
		plan.ResourceLink.Title = ""
	}))
	for _, name := range []string{"user", "course", "course_title", "title"} {
		g.Expect(said[lti.ClaimCustom]).To(HaveKeyWithValue(name, ""), "supported, but without a value")
	}
}

func TestWhatIsSaidOfTheUser(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newScene(t)
	of := func(change func(*fakeplatform.Plan)) map[string]any { return s.claims(s.begin("ada", change)) }
	person := []string{"name", "given_name", "family_name", "email", lti.ClaimLIS}
	full := of(func(*fakeplatform.Plan) {})
	private := of(func(plan *fakeplatform.Plan) { plan.HidePersonalData = true })
	anonymous := of(func(plan *fakeplatform.Plan) { plan.Anonymous = true })
	for _, claim := range person {
		g.Expect(full).To(HaveKey(claim))
		g.Expect(private).NotTo(HaveKey(claim))
		g.Expect(anonymous).NotTo(HaveKey(claim))
	}
	g.Expect(private).To(HaveKeyWithValue("sub", platformtest.Ada.Sub))
	g.Expect(anonymous).NotTo(HaveKey("sub"))
	g.Expect(anonymous).To(HaveKeyWithValue(lti.ClaimRoles, []any{lti.RoleLearner}))

	const mentor = "https://purl.imsglobal.org/spec/lti/claim/role_scope_mentor"
	as := func(roles ...string) map[string]any {
		return of(func(plan *fakeplatform.Plan) { plan.User.Mentees, plan.User.Roles = []string{"sub-1"}, roles })
	}
	g.Expect(as(lti.RoleLearner, platformtest.Mia.Roles[0])).To(HaveKeyWithValue(mentor, []any{"sub-1"}))
	g.Expect(as(lti.RoleLearner)).NotTo(HaveKey(mentor))
	g.Expect(full).NotTo(HaveKey(mentor))
}

func TestLaunchesAreForgottenAfterAnHour(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	now := platformtest.Noon
	p, err := fakeplatform.New(fakeplatform.Options{
		URL: platformtest.PlatformURL, Keys: platformtest.SharedKeys(t)[:1], Now: func() time.Time { return now }, SignedIn: func(*http.Request) string { return "ada" },
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Register(platformtest.Registration())).To(Succeed())
	s := &scene{Platform: p, t: t, cookies: map[string][]*http.Cookie{}}
	old := s.begin("ada")
	request := s.start("ada", old)
	status := func(l *fakeplatform.Launch) int {
		return s.ask("ada", "ada", http.MethodGet, l.ReturnURL(), nil).Status
	}

	now = platformtest.Noon.Add(time.Hour)
	younger := s.begin("ada")
	g.Expect(status(old)).To(Equal(http.StatusOK), "an hour is not over")
	now = platformtest.Noon.Add(time.Hour + time.Second)
	s.begin("ada")
	g.Expect(status(old)).To(Equal(http.StatusNotFound))
	g.Expect(status(younger)).To(Equal(http.StatusOK))
	_, code := errorOf(s.ask("ada", "ada", http.MethodGet, platformtest.PlatformURL+"/auth", request))
	g.Expect(code).To(Equal("invalid_request"))
}
