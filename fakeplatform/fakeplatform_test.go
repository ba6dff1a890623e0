package fakeplatform_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
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
	"github.com/onsi/gomega/types"

	"invigilator/fakeplatform"
	"invigilator/lti"
	"invigilator/requirements"
)

const (
	// Servers of httptest have a certificate for this host, and their clients reach them by it.
	platformURL = "https://platform.example.com"
	// No tool answers here: the tests play its part.
	loginURL    = "https://tool.example/login?tenant=7"
	redirectURI = "https://tool.example/launch?tenant=7&step=2"
	targetURI   = "https://tool.example/target"
	clientID    = "client-a"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var learner = fakeplatform.User{Sub: "user-1", Name: "Ada Lovelace", Roles: []string{lti.RoleLearner}}

// Keys are costly to make; the tests share these.
var (
	firstKey  = sync.OnceValues(lti.NewKey)
	secondKey = sync.OnceValues(lti.NewKey)
)

func sharedKeys(t *testing.T) []jwk.Key {
	t.Helper()
	g := NewWithT(t)
	first, err := firstKey()
	g.Expect(err).NotTo(HaveOccurred())
	second, err := secondKey()
	g.Expect(err).NotTo(HaveOccurred())
	return []jwk.Key{first, second}
}

func registration() fakeplatform.Registration {
	return fakeplatform.Registration{
		ClientID: clientID, LoginURL: loginURL, TargetLinkURI: targetURI,
		RedirectURIs: []string{redirectURI, "https://tool.example/second"}, DeploymentIDs: []string{"deployment-1", "deployment-2"},
	}
}

// site is a platform on a server of its own, with one tool registered.
type site struct {
	*fakeplatform.Platform
	server    *httptest.Server
	mu        sync.Mutex
	unplanned []fakeplatform.Unplanned
}

func serve(t *testing.T) *site {
	t.Helper()
	s := &site{}
	p, err := fakeplatform.New(fakeplatform.Options{
		URL: platformURL, Keys: sharedKeys(t)[:1], Now: func() time.Time { return noon },
		OnUnplanned: func(u fakeplatform.Unplanned) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.unplanned = append(s.unplanned, u)
		},
	})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(p.Register(registration())).To(Succeed())
	s.Platform, s.server = p, httptest.NewTLSServer(p)
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) begin(t *testing.T, plan fakeplatform.Plan) *fakeplatform.Launch {
	t.Helper()
	if plan.ClientID == "" {
		plan.ClientID = clientID
	}
	if plan.User.Sub == "" {
		plan.User = learner
	}
	l, err := s.Begin(plan)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return l
}

// whys returns why requests were unplanned.
func (s *site) whys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	whys := []string{}
	for _, u := range s.unplanned {
		whys = append(whys, u.Method+" "+u.URL+": "+u.Why)
	}
	return whys
}

// browser keeps cookies but follows nothing by itself.
type browser struct {
	t      *testing.T
	client *http.Client
}

func (s *site) browser(t *testing.T) browser {
	jar, err := cookiejar.New(nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return browser{t, &http.Client{
		Jar: jar, Transport: s.server.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type page struct {
	t      *testing.T
	status int
	header http.Header
	body   string
	*goquery.Document
}

func (b browser) send(method, address string, params url.Values) page {
	b.t.Helper()
	g := NewWithT(b.t)
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(params.Encode())
	} else if params != nil {
		address += "?" + params.Encode()
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	g.Expect(err).NotTo(HaveOccurred())
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.client.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(raw))
	g.Expect(err).NotTo(HaveOccurred())
	return page{b.t, response.StatusCode, response.Header, string(raw), doc}
}

func (b browser) get(address string) page { b.t.Helper(); return b.send(http.MethodGet, address, nil) }

// form returns the page's only form, which a browser would submit by itself.
func (p page) form() (action string, fields url.Values) {
	p.t.Helper()
	g := NewWithT(p.t)
	g.Expect(p.status).To(Equal(http.StatusOK), p.body)
	form := p.Find("form")
	g.Expect(form.Length()).To(Equal(1), p.body)
	g.Expect(form.AttrOr("method", "")).To(Equal("post"))
	fields = url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) {
		fields.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return form.AttrOr("action", ""), fields
}

// login opens the launch and returns the parameters of its login initiation.
func (b browser) login(l *fakeplatform.Launch) url.Values {
	b.t.Helper()
	p := b.get(l.URL())
	if p.status == http.StatusOK {
		_, params := p.form()
		return params
	}
	NewWithT(b.t).Expect(p.status).To(Equal(http.StatusFound), p.body)
	u, err := url.Parse(p.header.Get("Location"))
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	return u.Query()
}

// authRequest is what a tool answers a login initiation with.
func authRequest(login url.Values) url.Values {
	request := url.Values{
		"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "prompt": {"none"},
		"client_id": login["client_id"], "redirect_uri": {redirectURI}, "login_hint": login["login_hint"],
		"state": {"state-1"}, "nonce": {"nonce-1"},
	}
	if hint, ok := login["lti_message_hint"]; ok {
		request["lti_message_hint"] = hint
	}
	return request
}

func (b browser) authenticate(request url.Values) page {
	b.t.Helper()
	return b.send(http.MethodGet, platformURL+fakeplatform.AuthPath, request)
}

// launch goes all the way and returns what the tool would receive.
func (b browser) launch(l *fakeplatform.Launch) (fields url.Values) {
	b.t.Helper()
	_, fields = b.authenticate(authRequest(b.login(l))).form()
	return fields
}

func claimsOf(t *testing.T, fields url.Values) (header, claims map[string]any) {
	t.Helper()
	g := NewWithT(t)
	h, c, err := lti.Decode(fields.Get("id_token"))
	g.Expect(err).NotTo(HaveOccurred(), "%v", fields)
	g.Expect(json.Unmarshal(h, &header)).To(Succeed())
	g.Expect(json.Unmarshal(c, &claims)).To(Succeed())
	return header, claims
}

func (s *site) fetchKeySet(t *testing.T) jwk.Set {
	t.Helper()
	p := s.browser(t).get(platformURL + fakeplatform.JWKSPath)
	NewWithT(t).Expect(p.status).To(Equal(http.StatusOK))
	set, err := jwk.Parse([]byte(p.body))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return set
}

func TestNewNeedsAnAbsoluteURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "platform.example.com", "/platform", "https://", "https://a b", ":"} {
		_, err := fakeplatform.New(fakeplatform.Options{URL: address, Keys: sharedKeys(t)})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("absolute URL")), "%q", address)
	}
}

func TestNewHasSensibleDefaults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{URL: platformURL})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Issuer()).To(Equal(platformURL))
	g.Expect(p.AuthURL()).To(Equal(platformURL + "/auth"))
	g.Expect(p.Keys()).To(HaveLen(1))

	p, err = fakeplatform.New(fakeplatform.Options{URL: platformURL, Issuer: "https://issuer.example", Keys: sharedKeys(t)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Issuer()).To(Equal("https://issuer.example"))
	g.Expect(p.Keys()).To(Equal(sharedKeys(t)))
}

func TestRegisterNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{URL: platformURL, Keys: sharedKeys(t)})
	g.Expect(err).NotTo(HaveOccurred())
	for missing, change := range map[string]func(*fakeplatform.Registration){
		"client_id":       func(r *fakeplatform.Registration) { r.ClientID = "" },
		"login URL":       func(r *fakeplatform.Registration) { r.LoginURL = "" },
		"target_link_uri": func(r *fakeplatform.Registration) { r.TargetLinkURI = "" },
		"redirect URIs":   func(r *fakeplatform.Registration) { r.RedirectURIs = nil },
		"deployment":      func(r *fakeplatform.Registration) { r.DeploymentIDs = nil },
	} {
		r := registration()
		change(&r)
		g.Expect(p.Register(r)).To(MatchError("fakeplatform: registration without " + missing))
		g.Expect(p.Register(fakeplatform.Registration{})).To(MatchError(ContainSubstring(missing)))
	}
	_, err = p.Begin(fakeplatform.Plan{ClientID: clientID, User: learner})
	g.Expect(err).To(HaveOccurred(), "nothing was registered")
}

func TestBeginRefusesWhatCannotBeLaunched(t *testing.T) {
	t.Parallel()
	s := serve(t)
	borrowing, found := fakeplatform.FaultNamed("state-of-other-browser")
	NewWithT(t).Expect(found).To(BeTrue())
	for says, plan := range map[string]fakeplatform.Plan{
		`no registration of client_id ""`:          {User: learner},
		`no registration of client_id "stranger"`:  {ClientID: "stranger", User: learner},
		`client "client-a" has no deployment "x"`:  {ClientID: clientID, DeploymentID: "x", User: learner},
		"state-of-other-browser needs another lau": {ClientID: clientID, User: learner, Fault: &borrowing},
	} {
		_, err := s.Begin(plan)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
	}
}

func TestLoginInitiation(t *testing.T) {
	t.Parallel()
	s := serve(t)
	want := url.Values{
		"iss": {platformURL}, "target_link_uri": {targetURI}, "client_id": {clientID}, "lti_deployment_id": {"deployment-1"},
	}
	hints := map[string]bool{}
	expect := func(t *testing.T, method string, params url.Values, l *fakeplatform.Launch) {
		t.Helper()
		g := NewWithT(t)
		g.Expect(l.Record().LoginInitiation).To(Equal(&fakeplatform.LoginInitiation{Method: method, URL: loginURL, Params: params}))
		for _, hint := range []string{"login_hint", "lti_message_hint"} {
			g.Expect(params[hint]).To(HaveLen(1))
			g.Expect(len(params.Get(hint))).To(BeNumerically(">", 20))
			g.Expect(hints).NotTo(HaveKey(params.Get(hint)), "each launch has its own")
			hints[params.Get(hint)] = true
		}
		rest := maps.Clone(params)
		rest.Del("login_hint")
		rest.Del("lti_message_hint")
		g.Expect(rest).To(Equal(want))
	}

	t.Run("by GET, keeping the query of the login URL", func(t *testing.T) {
		g := NewWithT(t)
		l := s.begin(t, fakeplatform.Plan{})
		g.Expect(l.Record().LoginInitiation).To(BeNil(), "nothing is sent before a browser opens the URL")
		p := s.browser(t).get(l.URL())
		g.Expect(p.status).To(Equal(http.StatusFound))
		u, err := url.Parse(p.header.Get("Location"))
		g.Expect(err).NotTo(HaveOccurred())
		params := u.Query()
		u.RawQuery = ""
		g.Expect(u.String()).To(Equal("https://tool.example/login"))
		g.Expect(params).To(HaveKeyWithValue("tenant", []string{"7"}))
		params.Del("tenant")
		expect(t, http.MethodGet, params, l)
	})
	t.Run("by POST", func(t *testing.T) {
		l := s.begin(t, fakeplatform.Plan{LoginByPost: true})
		p := s.browser(t).get(l.URL())
		action, params := p.form()
		NewWithT(t).Expect(action).To(Equal(loginURL))
		expect(t, http.MethodPost, params, l)
	})
	t.Run("by the method of a fault, whatever the plan says", func(t *testing.T) {
		for name, method := range map[string]string{"login-by-get": http.MethodGet, "login-by-post": http.MethodPost} {
			f, _ := fakeplatform.FaultNamed(name)
			l := s.begin(t, fakeplatform.Plan{Fault: &f, LoginByPost: method == http.MethodGet})
			s.browser(t).login(l)
			NewWithT(t).Expect(l.Record().LoginInitiation.Method).To(Equal(method))
		}
	})
	t.Run("in a session of the browser that scripts cannot read", func(t *testing.T) {
		g := NewWithT(t)
		cookie, err := http.ParseSetCookie(s.browser(t).get(s.begin(t, fakeplatform.Plan{}).URL()).header.Get("Set-Cookie"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect([]bool{cookie.HttpOnly, cookie.Secure, cookie.SameSite == http.SameSiteNoneMode}).To(HaveEach(true))
	})
	t.Run("to the deployment and target that the plan names", func(t *testing.T) {
		l := s.begin(t, fakeplatform.Plan{DeploymentID: "deployment-2", TargetLinkURI: targetURI + "/2"})
		b := s.browser(t)
		params := b.login(l)
		g := NewWithT(t)
		g.Expect(params.Get("lti_deployment_id")).To(Equal("deployment-2"))
		g.Expect(params.Get("target_link_uri")).To(Equal(targetURI + "/2"))
		_, fields := b.authenticate(authRequest(params)).form()
		_, claims := claimsOf(t, fields)
		g.Expect(claims).To(And(
			HaveKeyWithValue(lti.ClaimDeploymentID, "deployment-2"), HaveKeyWithValue(lti.ClaimTargetLinkURI, targetURI+"/2"),
		))
	})
	NewWithT(t).Expect(s.whys()).To(BeEmpty())
}

func TestAnswerIsAFormPost(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := serve(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{})
			_, _, err := l.Answer()
			g.Expect(err).To(MatchError(fakeplatform.ErrNotAnswered))
			_, asked := l.Request()
			g.Expect(asked).To(BeFalse())

			request := authRequest(b.login(l))
			p := b.send(method, s.AuthURL(), request)
			action, fields := p.form()
			g.Expect(action).To(Equal(redirectURI))
			g.Expect(fields).To(HaveLen(2))
			g.Expect(fields["state"]).To(Equal([]string{"state-1"}))
			g.Expect(fields["id_token"]).To(HaveLen(1))
			g.Expect(p.header.Get("Cache-Control")).To(Equal("no-store"))
			g.Expect(p.header.Get("Content-Type")).To(HavePrefix("text/html"))
			g.Expect(p.Find("script").Text()).To(Equal("document.forms[0].submit()"))

			answeredAt, answered, err := l.Answer()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(answeredAt).To(Equal(redirectURI))
			g.Expect(answered).To(Equal(fields))
			params, asked := l.Request()
			g.Expect(asked).To(BeTrue())
			g.Expect(params).To(Equal(request))
			g.Expect(l.Record().IDToken).To(Equal(fields.Get("id_token")))
			g.Expect(l.Record().AuthenticationRequests).To(Equal([]fakeplatform.AuthenticationRequest{{Method: method, Params: request}}))
			g.Expect(s.whys()).To(BeEmpty())
		})
	}
}

func TestIDTokenOfAFullPlan(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	l := s.begin(t, fakeplatform.Plan{
		User: fakeplatform.User{
			Sub: "user-9", Name: "Ada B. King", GivenName: "Ada", MiddleName: "B.", FamilyName: "King",
			Email: "ada@example.com", Locale: "en-GB", SourcedID: "sis-9", Roles: []string{lti.RoleInstructor, lti.RoleLearner},
		},
		ResourceLink: fakeplatform.ResourceLink{ID: "link-9", Title: "Notes", Description: "On the engine"},
		Context:      fakeplatform.Context{ID: "course-9", Label: "AE1", Title: "Analysis"},
		Custom:       map[string]string{"chapter": "7"},
		Target:       fakeplatform.IFrame,
	})
	fields := s.browser(t).launch(l)
	_, err := jws.Verify([]byte(fields.Get("id_token")), jws.WithKeySet(s.fetchKeySet(t)))
	g.Expect(err).NotTo(HaveOccurred())
	header, claims := claimsOf(t, fields)
	g.Expect(header).To(Equal(map[string]any{"alg": "RS256", "typ": "JWT", "kid": s.Keys()[0].KeyID()}))
	platform := claims[lti.ClaimToolPlatform]
	g.Expect(platform).To(HaveKeyWithValue("guid", Not(BeEmpty())))
	delete(claims, lti.ClaimToolPlatform)
	g.Expect(claims).To(Equal(map[string]any{
		"iss": platformURL, "aud": clientID, "sub": "user-9", "nonce": "nonce-1",
		"iat": float64(noon.Unix()), "exp": float64(noon.Add(5 * time.Minute).Unix()),
		"name": "Ada B. King", "given_name": "Ada", "middle_name": "B.", "family_name": "King",
		"email": "ada@example.com", "locale": "en-GB",
		lti.ClaimMessageType:        "LtiResourceLinkRequest",
		lti.ClaimVersion:            "1.3.0",
		lti.ClaimDeploymentID:       "deployment-1",
		lti.ClaimTargetLinkURI:      targetURI,
		lti.ClaimRoles:              []any{lti.RoleInstructor, lti.RoleLearner},
		lti.ClaimResourceLink:       map[string]any{"id": "link-9", "title": "Notes", "description": "On the engine"},
		lti.ClaimContext:            map[string]any{"id": "course-9", "label": "AE1", "title": "Analysis", "type": []any{lti.ContextTypeCourseOffering}},
		lti.ClaimCustom:             map[string]any{"chapter": "7"},
		lti.ClaimLIS:                map[string]any{"person_sourcedid": "sis-9"},
		lti.ClaimLaunchPresentation: map[string]any{"document_target": "iframe", "return_url": l.ReturnURL(), "locale": "en"},
	}))
}

func TestIDTokenOfAScantPlanLeavesOutWhatItLacks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	_, claims := claimsOf(t, s.browser(t).launch(s.begin(t, fakeplatform.Plan{
		User: fakeplatform.User{Sub: "user-2"}, ResourceLink: fakeplatform.ResourceLink{ID: "link-2"},
	})))
	g.Expect(slices.Collect(maps.Keys(claims))).To(ConsistOf(
		"iss", "aud", "sub", "nonce", "iat", "exp",
		lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimDeploymentID, lti.ClaimTargetLinkURI, lti.ClaimRoles,
		lti.ClaimResourceLink, lti.ClaimToolPlatform, lti.ClaimLaunchPresentation,
	))
	g.Expect(claims).To(HaveKeyWithValue(lti.ClaimRoles, BeEmpty()), "roles are required, even none (LTI Core 1.3, 5.3.7)")
	g.Expect(claims).To(HaveKeyWithValue(lti.ClaimResourceLink, Equal(map[string]any{"id": "link-2"})))
	g.Expect(claims).To(HaveKeyWithValue(lti.ClaimLaunchPresentation, HaveKeyWithValue("document_target", "window")))
}

func TestStateAndNonceAreEchoedByteForByte(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, value := range []string{
		"a", " a  b ", `"'><script>alert(1)</script>`, "`&amp;&#39;&quot;", "</form><form action=https://evil.example>", `{{.}}\`,
		"a+b%20c%2B&state=2;x=y", "ünï 山 🙂", strings.Repeat("0123456789", 100), strings.Repeat(`"<é>&`, 200),
	} {
		t.Run(value[:min(len(value), 12)], func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b := s.browser(t)
			request := authRequest(b.login(s.begin(t, fakeplatform.Plan{})))
			request.Set("state", value)
			request.Set("nonce", value)
			p := b.authenticate(request)
			action, fields := p.form()
			g.Expect(action).To(Equal(redirectURI))
			g.Expect(fields["state"]).To(Equal([]string{value}))
			g.Expect(p.Find("script").Length()).To(Equal(1), "nothing but the platform's own")
			_, claims := claimsOf(t, fields)
			g.Expect(claims).To(HaveKeyWithValue("nonce", value))
		})
	}
}

func TestWithoutAStateNoneIsAnswered(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	b := s.browser(t)
	request := authRequest(b.login(s.begin(t, fakeplatform.Plan{})))
	request.Del("state")
	_, fields := b.authenticate(request).form()
	g.Expect(fields).To(And(HaveLen(1), HaveKey("id_token")))
}

// requestFaults are the ways in which the tests spoil an authentication
// request. All of them still say where the tool wants its answer.
var requestFaults = func() map[string]func(url.Values) {
	faults := map[string]func(url.Values){
		"nonce empty":             func(r url.Values) { r.Set("nonce", "") },
		"scope without openid":    func(r url.Values) { r.Set("scope", "profile") },
		"scope openid as a part":  func(r url.Values) { r.Set("scope", "openid2") },
		"response_type code":      func(r url.Values) { r.Set("response_type", "code") },
		"response_type with more": func(r url.Values) { r.Set("response_type", "id_token token") },
		"response_mode query":     func(r url.Values) { r.Set("response_mode", "query") },
		"prompt login":            func(r url.Values) { r.Set("prompt", "login") },
		"login_hint of others":    func(r url.Values) { r.Set("login_hint", "someone") },
		"lti_message_hint gone":   func(r url.Values) { r.Del("lti_message_hint") },
		"lti_message_hint cut":    func(r url.Values) { r.Set("lti_message_hint", r.Get("lti_message_hint")[:9]) },
		"both hints gone":         func(r url.Values) { r.Del("lti_message_hint"); r.Del("login_hint") },
	}
	for _, name := range []string{"scope", "response_type", "response_mode", "prompt", "login_hint", "nonce"} {
		faults[name+" missing"] = func(r url.Values) { r.Del(name) }
	}
	for _, name := range []string{"scope", "response_type", "response_mode", "prompt", "login_hint", "nonce", "client_id", "redirect_uri"} {
		faults[name+" twice"] = func(r url.Values) { r.Add(name, r.Get(name)) }
	}
	return faults
}()

func TestStrictPlatformAnswersAFaultyRequestWithAnError(t *testing.T) {
	t.Parallel()
	s := serve(t)
	codes := map[string]string{ // all others are invalid_request
		"response_type code": "unsupported_response_type", "response_type with more": "unsupported_response_type",
		"login_hint of others": "login_required",
	}
	for name, spoil := range requestFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{})
			request := authRequest(b.login(l))
			request.Set("state", `<"ü">`)
			spoil(request)
			p := b.authenticate(request)
			action, fields := p.form()
			g.Expect(action).To(Equal(redirectURI))
			g.Expect(p.header.Get("Cache-Control")).To(Equal("no-store"))
			code := codes[name]
			if code == "" {
				code = "invalid_request"
			}
			g.Expect(fields).To(HaveKeyWithValue("error", []string{code}))
			g.Expect(fields.Get("error_description")).NotTo(BeEmpty())
			g.Expect(fields).To(HaveKeyWithValue("state", []string{`<"ü">`}))
			g.Expect(fields).To(HaveLen(3), "no id_token")

			record := l.Record()
			g.Expect(record.IDToken).To(BeEmpty())
			g.Expect(record.AuthenticationRequests).To(HaveLen(1))
			g.Expect(record.AuthenticationRequests[0].Problems).To(ContainElement(fields.Get("error_description")))
		})
	}
}

func TestStrictPlatformTakesWhatIsPermitted(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for name, change := range map[string]func(url.Values){
		"further scopes":              func(r url.Values) { r.Set("scope", "profile openid email") },
		"second redirect URI":         func(r url.Values) { r.Set("redirect_uri", "https://tool.example/second") },
		"parameters nobody knows":     func(r url.Values) { r.Set("display", "page") },
		"state that looks like a JWT": func(r url.Values) { r.Set("state", "eyJhbGciOiJub25lIn0.e30.") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{})
			request := authRequest(b.login(l))
			change(request)
			action, fields := b.authenticate(request).form()
			g.Expect(action).To(Equal(request.Get("redirect_uri")))
			g.Expect(fields).To(HaveKey("id_token"))
			g.Expect(l.Record().AuthenticationRequests[0].Problems).To(BeEmpty())
		})
	}
}

// foreign are redirect URIs to which nothing may be sent, not even leniently.
var foreign = map[string]string{
	"none": "", "other host": "https://evil.example/launch?tenant=7&step=2", "subdomain": "https://tool.example.evil.example/launch",
	"other scheme": "http://tool.example/launch?tenant=7&step=2", "other port": "https://tool.example:8443/launch?tenant=7&step=2",
	"user name": "https://tool.example@evil.example/launch", "script": "javascript:alert(1)//tool.example/launch", "relative": "/launch", "no URL": "https://tool.example:x/",
}

func TestNothingIsSentToARedirectURIThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	NewWithT(t).Expect(s.Register(fakeplatform.Registration{
		ClientID: "client-b", LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example",
		RedirectURIs: []string{"https://b.example/launch"}, DeploymentIDs: []string{"1"},
	})).To(Succeed())
	changes := map[string]func(url.Values){
		"client_id missing":             func(r url.Values) { r.Del("client_id") },
		"client_id of another tool":     func(r url.Values) { r.Set("client_id", "client-b") },
		"client_id unknown first":       func(r url.Values) { r["client_id"] = []string{"x", clientID} },
		"redirect_uri missing":          func(r url.Values) { r.Del("redirect_uri") },
		"redirect_uri of another tool":  func(r url.Values) { r.Set("redirect_uri", "https://b.example/launch") },
		"redirect_uri on the same host": func(r url.Values) { r.Set("redirect_uri", "https://tool.example/launch") },
		"redirect_uri foreign first":    func(r url.Values) { r["redirect_uri"] = []string{"https://evil.example", redirectURI} },
	}
	for name, uri := range foreign {
		changes["redirect_uri: "+name] = func(r url.Values) { r.Set("redirect_uri", uri) }
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{})
			request := authRequest(b.login(l))
			change(request)
			p := b.authenticate(request)
			g.Expect(p.status).To(Equal(http.StatusBadRequest))
			g.Expect(p.header).NotTo(HaveKey("Location"))
			g.Expect(p.Find("form, a, script").Length()).To(BeZero(), p.body)
			g.Expect(l.Record().IDToken).To(BeEmpty())
			g.Expect(l.Record().AuthenticationRequests[0].Problems).NotTo(BeEmpty())
		})
	}
}

func TestLenientPlatformAnswersFaultyRequestsAndSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	s := serve(t)
	changes := maps.Clone(requestFaults)
	changes["redirect_uri elsewhere on the same origin"] = func(r url.Values) { r.Set("redirect_uri", "https://tool.example/elsewhere") }
	changes["client_id unknown"] = func(r url.Values) { r.Set("client_id", "x") }
	changes["client_id missing"] = func(r url.Values) { r.Del("client_id") }
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{Lenient: true})
			request := authRequest(b.login(l))
			change(request)
			action, fields := b.authenticate(request).form()
			g.Expect(action).To(Equal(request.Get("redirect_uri")))
			_, claims := claimsOf(t, fields)
			g.Expect(claims).To(HaveKeyWithValue("aud", clientID), "who was launched does not depend on the request")
			g.Expect(claims).To(HaveKeyWithValue("nonce", request.Get("nonce")))
			problems := l.Record().AuthenticationRequests[0].Problems
			g.Expect(problems).NotTo(BeEmpty())
			g.Expect(problems).To(ContainElement(ContainSubstring(strings.TrimSuffix(strings.Fields(strings.Replace(name, "both hints", "login_hint", 1))[0], ":"))))
		})
	}
	for name, uri := range foreign {
		t.Run("never to a foreign redirect_uri: "+name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{Lenient: true})
			request := authRequest(b.login(l))
			request.Set("redirect_uri", uri)
			p := b.authenticate(request)
			g.Expect(p.status).To(Equal(http.StatusBadRequest))
			g.Expect(p.Find("form").Length()).To(BeZero())
			g.Expect(l.Record().IDToken).To(BeEmpty())
		})
	}
}

func TestAnotherBrowserHasToLogIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	others := map[string]browser{"without a session": s.browser(t), "with a session of its own": s.browser(t)}
	others["with a session of its own"].login(s.begin(t, fakeplatform.Plan{}))
	for name, other := range others {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			l := s.begin(t, fakeplatform.Plan{})
			request := authRequest(s.browser(t).login(l))
			action, fields := other.authenticate(request).form()
			g.Expect(action).To(Equal(redirectURI))
			g.Expect(fields).To(HaveKeyWithValue("error", []string{"login_required"}))
			g.Expect(fields).NotTo(HaveKey("id_token"))
			g.Expect(l.Record().IDToken).To(BeEmpty())
		})
	}
}

func TestALaunchIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := serve(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{Lenient: lenient})
			request := authRequest(b.login(l))
			_, first := b.authenticate(request).form()
			g.Expect(first).To(HaveKey("id_token"))
			g.Expect(s.whys()).To(BeEmpty())

			_, second := b.authenticate(request).form()
			g.Expect(second).To(And(HaveLen(3), HaveKeyWithValue("error", []string{"invalid_request"}), HaveKeyWithValue("state", []string{"state-1"})))
			g.Expect(s.whys()).To(ConsistOf(HavePrefix("GET /auth?")))
			g.Expect(l.Record().AuthenticationRequests).To(HaveLen(2))
			g.Expect(l.Record().IDToken).To(Equal(first.Get("id_token")))
		})
	}
}

func TestALaunchIsStartedOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	l := s.begin(t, fakeplatform.Plan{})
	s.browser(t).login(l)
	before := l.Record()
	p := s.browser(t).get(l.URL())
	g.Expect(p.status).To(Equal(http.StatusGone))
	g.Expect(p.header).NotTo(Or(HaveKey("Location"), HaveKey("Set-Cookie")))
	g.Expect(s.whys()).To(ConsistOf(HavePrefix("GET /launch/")))
	g.Expect(l.Record()).To(Equal(before))
}

func TestRequestsThatNoLaunchAccountsFor(t *testing.T) {
	t.Parallel()
	s := serve(t)
	absent, _ := fakeplatform.FaultNamed("hint-absent")
	open := s.begin(t, fakeplatform.Plan{Fault: &absent})
	s.browser(t).login(open)
	made := authRequest(url.Values{"client_id": {clientID}, "login_hint": {"user-1"}, "lti_message_hint": {"message-1"}})
	empty := authRequest(url.Values{"client_id": {clientID}, "login_hint": {""}, "lti_message_hint": {""}})
	for _, c := range []struct {
		method, path string
		params       url.Values
		status       int
	}{
		{http.MethodGet, "/", nil, 404},
		{http.MethodGet, "/nothing", nil, 404},
		{http.MethodPost, "/jwks", nil, 404},
		{http.MethodGet, "/launch", nil, 404},
		{http.MethodGet, "/launch/guessed", nil, 404},
		{http.MethodGet, "/launch/guessed/frame", nil, 404},
		{http.MethodGet, "/launch/guessed/window", nil, 404},
		{http.MethodGet, "/launch/guessed/return", nil, 404},
		{http.MethodGet, "/launch/guessed/deliver", nil, 404},
		{http.MethodGet, strings.TrimPrefix(open.DeliverURL(), platformURL), nil, 404}, // not answered yet
		{http.MethodGet, "/auth", nil, 400},
		{http.MethodGet, "/auth", made, 400},
		{http.MethodPost, "/auth", made, 400},
		{http.MethodGet, "/auth", empty, 400},
	} {
		g := NewWithT(t)
		before := len(s.whys())
		p := s.browser(t).send(c.method, platformURL+c.path, c.params)
		g.Expect(p.status).To(Equal(c.status), "%s %s", c.method, c.path)
		g.Expect(p.Find("form").Length()).To(BeZero())
		g.Expect(s.whys()[before:]).To(ConsistOf(HavePrefix(c.method+" "+c.path)), "told of once")
	}
	g := NewWithT(t)
	g.Expect(open.Record().AuthenticationRequests).To(BeEmpty())

	before := len(s.whys())
	g.Expect(s.browser(t).get(platformURL + "/favicon.ico").status).To(Equal(http.StatusNoContent))
	g.Expect(s.browser(t).send(http.MethodGet, platformURL+"/auth?a=%zz", nil).status).To(Equal(http.StatusBadRequest))
	g.Expect(s.whys()).To(HaveLen(before), "browsers ask for icons by themselves, and garbage is no request")
}

func TestCoursePagesLeadToTheLaunch(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	l := s.begin(t, fakeplatform.Plan{ResourceLink: fakeplatform.ResourceLink{ID: "1", Title: "<b>Week</b> 1"}})
	frame := s.browser(t).get(l.FrameURL())
	g.Expect(frame.Find("iframe").AttrOr("src", "")).To(Equal(l.URL()))
	window := s.browser(t).get(l.WindowURL())
	link := window.Find(fakeplatform.WindowLink)
	g.Expect(link.AttrOr("href", "")).To(Equal(l.URL()))
	g.Expect(link.AttrOr("target", "")).To(Equal(l.WindowName()))
	for _, p := range []page{frame, window} {
		g.Expect(p.Find("h1").Text()).To(Equal("<b>Week</b> 1"))
	}
	g.Expect(l.Record().LoginInitiation).To(BeNil(), "a course page begins nothing")
}

func TestReturnPageShowsMessagesAndKeepsLogs(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	l := s.begin(t, fakeplatform.Plan{})
	b := s.browser(t)
	p := b.send(http.MethodGet, l.ReturnURL(), url.Values{
		"lti_msg": {"<i>Well done</i> & bye"}, "lti_errormsg": {`"><script>alert(1)</script>`},
		"lti_log": {"log-for-admins"}, "lti_errorlog": {"errorlog-for-admins"},
	})
	g.Expect(p.status).To(Equal(http.StatusOK))
	g.Expect(p.Find("#lti_msg").Text()).To(Equal("<i>Well done</i> & bye"))
	g.Expect(p.Find("#lti_errormsg").Text()).To(Equal(`"><script>alert(1)</script>`))
	g.Expect(p.Find("i, script").Length()).To(BeZero())
	g.Expect(p.body).NotTo(ContainSubstring("for-admins"))

	p = b.get(l.ReturnURL())
	g.Expect(p.Find("#lti_msg, #lti_errormsg").Length()).To(BeZero())
	g.Expect(l.Record().Returns).To(Equal([]fakeplatform.Return{{
		Message: "<i>Well done</i> & bye", ErrorMessage: `"><script>alert(1)</script>`, Log: "log-for-admins", ErrorLog: "errorlog-for-admins",
	}, {}}))
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	keys := sharedKeys(t)
	kids := func() []string {
		set, kids := s.fetchKeySet(t), []string{}
		for i := range set.Len() {
			key, _ := set.Key(i)
			_, private := key.(jwk.RSAPrivateKey)
			g.Expect(private).To(BeFalse())
			kids = append(kids, key.KeyID())
		}
		return kids
	}
	signs := func() string {
		header, _ := claimsOf(t, s.browser(t).launch(s.begin(t, fakeplatform.Plan{})))
		return header["kid"].(string)
	}

	g.Expect(s.KeySetFetches()).To(BeZero())
	g.Expect(kids()).To(Equal([]string{keys[0].KeyID()}))
	g.Expect(s.browser(t).get(platformURL + "/jwks").header.Get("Content-Type")).To(Equal("application/jwk-set+json"))
	g.Expect(s.KeySetFetches()).To(Equal(2))

	s.SetKeys([]jwk.Key{keys[1], keys[0]})
	g.Expect(kids()).To(Equal([]string{keys[1].KeyID(), keys[0].KeyID()}))
	g.Expect(signs()).To(Equal(keys[1].KeyID()))

	g.Expect(s.AddKey()).To(Succeed())
	added := s.Keys()[0].KeyID()
	g.Expect(kids()).To(Equal([]string{added, keys[1].KeyID(), keys[0].KeyID()}))
	g.Expect(signs()).To(Equal(added))

	s.RemoveOldKeys()
	g.Expect(kids()).To(Equal([]string{added}))
	g.Expect(signs()).To(Equal(added))

	s.SetKeys(nil)
	g.Expect(kids()).To(Equal([]string{added}), "a platform always has a key")

	s.Keys()[0] = nil
	g.Expect(kids()).To(Equal([]string{added}), "the caller has a copy")
	g.Expect(s.KeySetFetches()).To(Equal(7))
}

func TestManyLaunchesAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	NewWithT(t).Expect(s.Register(fakeplatform.Registration{
		ClientID: "client-b", LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example",
		RedirectURIs: []string{redirectURI}, DeploymentIDs: []string{"deployment-1", "deployment-3"},
	})).To(Succeed())
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { // a failed expectation ends this goroutine and fails the test
			g := NewWithT(t)
			plan := fakeplatform.Plan{
				ClientID: []string{clientID, "client-b"}[i%2], User: fakeplatform.User{Sub: fmt.Sprint("user-", i%5)},
				ResourceLink: fakeplatform.ResourceLink{ID: fmt.Sprint("link-", i)}, LoginByPost: i%3 == 0,
			}
			if i%4 > 1 {
				plan.DeploymentID = []string{"deployment-2", "deployment-3"}[i%2]
			}
			l, b := s.begin(t, plan), s.browser(t)
			request := authRequest(b.login(l))
			request.Set("state", fmt.Sprint("state-", i))
			request.Set("nonce", fmt.Sprint("nonce-", i))
			_, fields := b.authenticate(request).form()
			g.Expect(fields.Get("state")).To(Equal(fmt.Sprint("state-", i)))
			_, claims := claimsOf(t, fields)
			deployment := plan.DeploymentID
			if deployment == "" {
				deployment = "deployment-1"
			}
			for name, want := range map[string]string{
				"aud": plan.ClientID, "sub": plan.User.Sub, "nonce": fmt.Sprint("nonce-", i), lti.ClaimDeploymentID: deployment,
			} {
				g.Expect(claims).To(HaveKeyWithValue(name, want))
			}
			g.Expect(claims).To(HaveKeyWithValue(lti.ClaimResourceLink, HaveKeyWithValue("id", fmt.Sprint("link-", i))))
			g.Expect(l.Record().IDToken).To(Equal(fields.Get("id_token")))
			s.fetchKeySet(t)
		})
	}
	all.Wait()
	NewWithT(t).Expect(s.whys()).To(BeEmpty())
	NewWithT(t).Expect(s.KeySetFetches()).To(Equal(20))
}

func TestFaultsAreNamedAndInTheCatalogue(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	names := map[string]bool{}
	for _, f := range fakeplatform.Faults() {
		g.Expect(names).NotTo(HaveKey(f.Name))
		names[f.Name] = true
		g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
		found, ok := fakeplatform.FaultNamed(f.Name)
		g.Expect(ok).To(BeTrue())
		g.Expect(found.Does).To(Equal(f.Does))

		requirement, ok := requirements.Default().Get(requirements.ID(f.Provokes))
		g.Expect(ok).To(BeTrue(), "%s provokes %q", f.Name, f.Provokes)
		g.Expect(requirement.Binds).To(Equal(requirements.Tool), f.Name)
		_, ok = requirement.Stimulus(f.Name)
		g.Expect(ok).To(BeTrue(), "%s is no case of %s", f.Name, f.Provokes)
		var same []string
		for _, other := range fakeplatform.FaultsFor(f.Provokes) {
			g.Expect(other.Provokes).To(Equal(f.Provokes))
			same = append(same, other.Name)
		}
		g.Expect(same).To(ContainElement(f.Name))
	}
	_, ok := fakeplatform.FaultNamed("no-such-fault")
	g.Expect(ok).To(BeFalse())
	g.Expect(fakeplatform.FaultsFor("no-such-requirement")).To(BeEmpty())
	for _, f := range []fakeplatform.Fault{fakeplatform.HeldAnswer, fakeplatform.EmptyAnswer} {
		g.Expect(names).NotTo(HaveKey(f.Name), "a means, no stimulus")
	}

	fakeplatform.Faults()[0].Name = "changed"
	g.Expect(fakeplatform.Faults()[0].Name).NotTo(Equal("changed"), "the caller has a copy")
}

// claim says in the words of differences that a claim has another value.
func claim(name string, value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return "claim " + name + " = " + string(raw)
}

const random = `[A-Za-z0-9_-]{22}`

// faultDiffers says in which way alone the launch with a fault differs from a
// valid one.
var faultDiffers = map[string]types.GomegaMatcher{
	"login-by-get":                  BeEmpty(),
	"login-by-post":                 ConsistOf("login by POST"),
	"hint-long":                     ConsistOf(MatchRegexp(`^login lti_message_hint = message-` + random + `(0123456789){400}$`)),
	"hint-special-characters":       ConsistOf(MatchRegexp(`^login lti_message_hint = message-` + random + `a\+b/c=d%e&f#g"h<i 'j' ü 山$`)),
	"hint-jwt":                      ConsistOf(MatchRegexp(`^login lti_message_hint = eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{300,}$`)),
	"hint-zero":                     ConsistOf("login lti_message_hint = 0"),
	"hint-absent":                   ConsistOf("login lti_message_hint is gone"),
	"login-hint-special-characters": ConsistOf(MatchRegexp(`^login login_hint = user-` + random + `a\+b/c=d%e&f#g"h<i 'j' ü 山$`)),
	"login-hint-long":               ConsistOf(MatchRegexp(`^login login_hint = user-` + random + `(0123456789){200}$`)),
	"login-hint-zero":               ConsistOf("login login_hint = 0"),
	// The id_token may, and should, name the same target.
	"target-link-with-query":         ContainElement("login target_link_uri = " + targetURI + "?chapter=1"),
	"target-link-not-registered":     ContainElement("login target_link_uri = " + targetURI + "/chapter-1"),
	"state-dropped":                  ConsistOf("state is gone"),
	"state-empty":                    ConsistOf("state = "),
	"state-random":                   ConsistOf(MatchRegexp(`^state = ` + random + `$`)),
	"state-altered":                  ConsistOf("state = staae-1"),
	"state-of-other-browser":         ConsistOf("state = other-state"),
	"claim-changed-after-signing":    ConsistOf(claim("sub", "usea-1"), "signature is another one"),
	"signature-last-byte-changed":    ConsistOf("signature ends in another byte"),
	"signature-empty":                ConsistOf("signature is gone"),
	"signed-by-unpublished-key":      ConsistOf("signature is another one"),
	"alg-none-lower":                 ConsistOf(`header alg = "none"`, "signature is gone"),
	"alg-none-title":                 ConsistOf(`header alg = "None"`, "signature is gone"),
	"alg-none-upper":                 ConsistOf(`header alg = "NONE"`, "signature is gone"),
	"alg-none-mixed":                 ConsistOf(`header alg = "nOnE"`, "signature is gone"),
	"alg-absent":                     ConsistOf(`header alg is gone`, "signature is gone"),
	"alg-none-lower-keeps-signature": ConsistOf(`header alg = "none"`),
	"alg-none-title-keeps-signature": ConsistOf(`header alg = "None"`),
	"alg-none-upper-keeps-signature": ConsistOf(`header alg = "NONE"`),
	"alg-none-mixed-keeps-signature": ConsistOf(`header alg = "nOnE"`),
	"alg-absent-keeps-signature":     ConsistOf(`header alg is gone`),
	"hs256-public-key-pem":           ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PEM"),
	"hs256-public-key-pem-crlf":      ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PEM with CRLF"),
	"hs256-public-key-pkcs1-pem":     ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PKCS #1 PEM"),
	"hs256-public-key-der":           ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the DER"),
	"hs256-public-key-jwk":           ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the JWK"),
	"hs384-public-key-pem":           ConsistOf(`header alg = "HS384"`, "signature is an HS384 with the PEM"),
	"hs512-public-key-pem":           ConsistOf(`header alg = "HS512"`, "signature is an HS512 with the PEM"),
	"kid-unknown":                    ConsistOf(MatchRegexp(`^header kid = "` + random + `"$`)),
	"iss-missing":                    ConsistOf("claim iss is gone"),
	"iss-unknown":                    ConsistOf(claim("iss", "https://unknown-issuer.example")),
	"iss-trailing-slash":             ConsistOf(claim("iss", platformURL+"/")),
	"iss-upper-case-host":            ConsistOf(claim("iss", "https://PLATFORM.EXAMPLE.COM")),
	"iss-other-scheme":               ConsistOf(claim("iss", "http://platform.example.com")),
	"iss-array":                      ConsistOf(claim("iss", []string{platformURL})),
	"aud-missing":                    ConsistOf("claim aud is gone"),
	"aud-empty-array":                ConsistOf(claim("aud", []string{})),
	"aud-other-client":               ConsistOf(claim("aud", "clieat-a")),
	"aud-tool-url":                   ConsistOf(claim("aud", targetURI)),
	"aud-other-case":                 ConsistOf(claim("aud", "Client-a")),
	"exp-past":                       ConsistOf(claim("exp", noon.Add(-10*time.Minute).Unix())),
	"exp-certification-suite":        ConsistOf(claim("iat", 11111), claim("exp", 22222)),
	"exp-missing":                    ConsistOf("claim exp is gone"),
	"exp-string":                     ConsistOf(claim("exp", fmt.Sprint(noon.Add(5*time.Minute).Unix()))),
	"exp-null":                       ConsistOf(claim("exp", nil)),
	"nonce-missing":                  ConsistOf("claim nonce is gone"),
	"nonce-empty":                    ConsistOf(claim("nonce", "")),
	"nonce-null":                     ConsistOf(claim("nonce", nil)),
	"nonce-random":                   ConsistOf(MatchRegexp(`^claim nonce = "` + random + `"$`)),
	"nonce-altered":                  ConsistOf(claim("nonce", "nonae-1")),
	"nonce-of-other-browser":         ConsistOf(claim("nonce", "other-nonce")),
	"message-type-unknown":           ConsistOf(claim(lti.ClaimMessageType, "LtiUnknownRequest")),
	"message-type-lower-case":        ConsistOf(claim(lti.ClaimMessageType, "ltiresourcelinkrequest")),
	"message-type-other-direction":   ConsistOf(claim(lti.ClaimMessageType, "LtiDeepLinkingResponse")),
	"deployment-id-missing":          ConsistOf("claim " + lti.ClaimDeploymentID + " is gone"),
	"deployment-id-empty":            ConsistOf(claim(lti.ClaimDeploymentID, "")),
	"teacher-with-unknown-role":      ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleUnknown})),
	"student-with-unknown-role":      ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleUnknown})),
	// What is wrong with these is not in the answer, but in who submits it, when.
	"form-submitted-in-other-browser": BeEmpty(),
	"replayed-with-same-state":        BeEmpty(),
	"unsolicited-id-token":            ConsistOf(MatchRegexp(`^state = `+random+`$`), MatchRegexp(`^claim nonce = "`+random+`"$`)),
	"replayed-in-new-login":           ConsistOf(claim("nonce", "other-nonce")),
}

func TestEachFaultChangesOnlyWhatItSays(t *testing.T) {
	t.Parallel()
	s := serve(t)
	valid := observe(t, s, s.begin(t, fakeplatform.Plan{}))
	NewWithT(t).Expect(s.differences(t, valid, observe(t, s, s.begin(t, fakeplatform.Plan{})))).To(BeEmpty(), "a valid launch")
	for _, f := range fakeplatform.Faults() {
		if f.Provokes == "oidc-tool-key-rotation" {
			continue // these change the key set: TestKeyRotationFaults
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			other := s.begin(t, fakeplatform.Plan{})
			b := s.browser(t)
			request := authRequest(b.login(other))
			request.Set("state", "other-state")
			request.Set("nonce", "other-nonce")
			b.authenticate(request)

			faulty := observe(t, s, s.begin(t, fakeplatform.Plan{Fault: &f, Other: other}))
			expected, ok := faultDiffers[f.Name]
			if !ok {
				expected = HaveLen(1) // what a near miss changes, unless said otherwise
			}
			differences := s.differences(t, valid, faulty)
			if f.Name == "replayed-in-new-login" {
				g.Expect(faulty.fields.Get("id_token")).To(Equal(other.Record().IDToken))
				differences = slices.DeleteFunc(differences, func(d string) bool {
					return strings.HasPrefix(d, "claim "+lti.ClaimLaunchPresentation) // the other's return URL
				})
			}
			g.Expect(differences).To(expected)
		})
	}
}

func TestKeyRotationFaults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	with := func(name string) *fakeplatform.Launch {
		f, ok := fakeplatform.FaultNamed(name)
		g.Expect(ok).To(BeTrue())
		return s.begin(t, fakeplatform.Plan{Fault: &f})
	}
	old := s.Keys()[0]
	for _, c := range []struct {
		fault string
		keys  int
	}{{"key-added", 2}, {"old-key-removed", 1}} {
		fields := s.browser(t).launch(with(c.fault))
		_, err := jws.Verify([]byte(fields.Get("id_token")), jws.WithKeySet(s.fetchKeySet(t)))
		g.Expect(err).NotTo(HaveOccurred(), c.fault)
		header, _ := claimsOf(t, fields)
		g.Expect(header["kid"]).NotTo(Equal(old.KeyID()), c.fault)
		g.Expect(s.Keys()).To(HaveLen(c.keys), c.fault)
	}
}

func TestHeldAnswerIsDeliveredOnDemand(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	b, l := s.browser(t), s.begin(t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer})
	held := b.authenticate(authRequest(b.login(l)))
	g.Expect(held.status).To(Equal(http.StatusOK))
	g.Expect(held.Find("form").Length()).To(BeZero())
	g.Expect(held.body).NotTo(ContainSubstring(l.Record().IDToken))
	for range 2 { // from any browser, as often as wanted
		action, fields := s.browser(t).get(l.DeliverURL()).form()
		g.Expect(action).To(Equal(redirectURI))
		g.Expect(fields.Get("id_token")).To(Equal(l.Record().IDToken))
		g.Expect(fields.Get("state")).To(Equal("state-1"))
	}
	g.Expect(s.whys()).To(BeEmpty())
}

func TestEmptyAnswerCarriesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	b := s.browser(t)
	action, fields := b.authenticate(authRequest(b.login(s.begin(t, fakeplatform.Plan{Fault: &fakeplatform.EmptyAnswer})))).form()
	g.Expect(action).To(Equal(redirectURI))
	g.Expect(fields).To(BeEmpty())
}

// observed is all that a tool sees of a launch.
type observed struct {
	launch         *fakeplatform.Launch
	method         string
	login          url.Values
	fields         url.Values
	header, claims map[string]any
}

func observe(t *testing.T, s *site, l *fakeplatform.Launch) observed {
	t.Helper()
	b := s.browser(t)
	start := b.get(l.URL())
	o := observed{launch: l, method: l.Record().LoginInitiation.Method, login: l.Record().LoginInitiation.Params}
	if action := start.Find("form").AttrOr("action", ""); action == redirectURI { // answered without a request
		_, o.fields = start.form()
	} else if p := b.authenticate(authRequest(o.login)); p.Find("form").Length() > 0 {
		_, o.fields = p.form()
	} else {
		_, o.fields = b.get(l.DeliverURL()).form()
	}
	o.header, o.claims = claimsOf(t, o.fields)
	if presentation, ok := o.claims[lti.ClaimLaunchPresentation].(map[string]any); ok && presentation["return_url"] == l.ReturnURL() {
		presentation["return_url"] = "the launch's own"
	}
	return o
}

// differences says in words what the second launch has other than the first.
func (s *site) differences(t *testing.T, valid, faulty observed) []string {
	t.Helper()
	found := []string{}
	if valid.method != faulty.method {
		found = append(found, "login by "+faulty.method)
	}
	compare := func(what string, a, b map[string]any, show func(any) string) {
		for name := range a {
			if _, ok := b[name]; !ok {
				found = append(found, what+name+" is gone")
			}
		}
		for name, value := range b {
			if old, ok := a[name]; !ok || show(old) != show(value) {
				found = append(found, what+name+" = "+show(value))
			}
		}
	}
	inJSON := func(v any) string { raw, _ := json.Marshal(v); return string(raw) }
	plain := func(v any) string { return strings.Join(v.([]string), " AND ") }
	compare("header ", valid.header, faulty.header, inJSON)
	compare("claim ", valid.claims, faulty.claims, inJSON)
	form := func(o observed) map[string]any {
		fields := map[string]any{}
		for name, values := range o.fields {
			if name != "id_token" {
				fields[name] = values
			}
		}
		return fields
	}
	compare("", form(valid), form(faulty), plain)
	login := func(o observed) map[string]any {
		params := map[string]any{}
		for name, values := range o.login {
			// Hints are made anew for each launch: only their length tells.
			if !strings.HasSuffix(name, "_hint") || len(values[0]) != len(valid.login.Get(name)) {
				params[name] = values
			} else {
				params[name] = []string{"an ordinary one"}
			}
		}
		return params
	}
	compare("login ", login(valid), login(faulty), plain)
	if says := s.signature(t, valid, faulty); says != "" {
		found = append(found, says)
	}
	return found
}

// signature says in which way the signature is not the one that the platform's
// key makes over the token, or over the token with a valid launch's header.
func (s *site) signature(t *testing.T, valid, faulty observed) string {
	t.Helper()
	g := NewWithT(t)
	parts := strings.Split(faulty.fields.Get("id_token"), ".")
	got, err := base64.RawURLEncoding.DecodeString(parts[2])
	g.Expect(err).NotTo(HaveOccurred())
	var key rsa.PrivateKey
	g.Expect(s.Keys()[0].Raw(&key)).To(Succeed())
	sign := func(header string) []byte {
		sum := sha256.Sum256([]byte(header + "." + parts[1]))
		signature, err := rsa.SignPKCS1v15(nil, &key, crypto.SHA256, sum[:])
		g.Expect(err).NotTo(HaveOccurred())
		return signature
	}
	validHeader, _, _ := strings.Cut(valid.fields.Get("id_token"), ".")
	own := sign(parts[0])
	last := len(own) - 1
	switch {
	case len(got) == 0:
		return "signature is gone"
	case bytes.Equal(got, own), bytes.Equal(got, sign(validHeader)):
		return ""
	case len(got) == len(own) && bytes.Equal(got[:last], own[:last]):
		return "signature ends in another byte"
	}
	pkix, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	g.Expect(err).NotTo(HaveOccurred())
	inPEM := func(name string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: name, Bytes: der}) }
	var published struct{ Keys []json.RawMessage }
	g.Expect(json.Unmarshal([]byte(s.browser(t).get(platformURL+"/jwks").body), &published)).To(Succeed())
	for name, secret := range map[string][]byte{
		"PEM":           inPEM("PUBLIC KEY", pkix),
		"PEM with CRLF": bytes.ReplaceAll(inPEM("PUBLIC KEY", pkix), []byte("\n"), []byte("\r\n")),
		"PKCS #1 PEM":   inPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey)),
		"DER":           pkix,
		"JWK":           published.Keys[0],
	} {
		for alg, newHash := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New} {
			mac := hmac.New(newHash, secret)
			mac.Write([]byte(parts[0] + "." + parts[1]))
			if hmac.Equal(got, mac.Sum(nil)) {
				return "signature is an " + alg + " with the " + name
			}
		}
	}
	return "signature is another one"
}
