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
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/lti"
	"invigilator.example/requirements"
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

func serve(t *testing.T, changes ...func(*fakeplatform.Options)) *site {
	t.Helper()
	s := &site{}
	options := fakeplatform.Options{
		URL: platformURL, Keys: sharedKeys(t)[:1], Now: func() time.Time { return noon }, Watch: true,
		OnUnplanned: func(u fakeplatform.Unplanned) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.unplanned = append(s.unplanned, u)
		},
	}
	for _, change := range changes {
		change(&options)
	}
	p, err := fakeplatform.New(options)
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

func faultNamed(t *testing.T, name string) *fakeplatform.Fault {
	t.Helper()
	f, ok := fakeplatform.FaultNamed(name)
	NewWithT(t).Expect(ok).To(BeTrue(), name)
	return &f
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

// answer returns how the page sends the tool the platform's answer, and what
// it says.
func (p page) answer() (how string, fields url.Values) {
	p.t.Helper()
	g := NewWithT(p.t)
	how, action := http.MethodGet, p.header.Get("Location")
	if action == "" {
		how = http.MethodPost
		action, fields = p.form()
	}
	u, err := url.Parse(action)
	g.Expect(err).NotTo(HaveOccurred())
	query := u.Query()
	u.RawQuery = url.Values{"tenant": query["tenant"], "step": query["step"]}.Encode()
	wanted, err := url.Parse(redirectURI)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(u.Query()).To(Equal(wanted.Query()), "the tool's own query is kept")
	g.Expect(u.Host + u.Path).To(Equal(wanted.Host + wanted.Path))
	query.Del("tenant")
	query.Del("step")
	if len(query) > 0 {
		g.Expect(fields).To(BeEmpty())
		return how + " with a query", query
	}
	return how, fields
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
	plain := s.begin(t, fakeplatform.Plan{})
	for says, plan := range map[string]fakeplatform.Plan{
		`no registration of client_id ""`:          {User: learner},
		`no registration of client_id "stranger"`:  {ClientID: "stranger", User: learner},
		`client "client-a" has no deployment "x"`:  {ClientID: clientID, DeploymentID: "x", User: learner},
		"state-of-other-browser needs another lau": {ClientID: clientID, User: learner, Fault: faultNamed(t, "state-of-other-browser")},
		"key-set-good-again: the other launch has": {ClientID: clientID, User: learner, Fault: faultNamed(t, "key-set-good-again"), Other: plain},
		"removed-key-after-5-seconds: the other l": {ClientID: clientID, User: learner, Fault: faultNamed(t, "removed-key-after-5-seconds"), Other: plain},
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
			l := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, name), LoginByPost: method == http.MethodGet})
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
			query := request
			if method == http.MethodPost {
				query = url.Values{}
			}
			g.Expect(l.Record().AuthenticationRequests).To(Equal([]fakeplatform.AuthenticationRequest{
				{Method: method, Params: request, Query: query, Path: "/auth"},
			}))
			g.Expect(s.whys()).To(BeEmpty())
		})
	}
}

func TestAuthorizationEndpointWithAQueryOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, address, path, tenant string }{
		{http.MethodGet, "/auth?tenant=7&", "/auth", "7"},
		{http.MethodPost, "/auth?tenant=7", "/auth", "7"},
		{http.MethodGet, "/auth%3Ftenant=7?", "/auth%3Ftenant=7", ""},
		{http.MethodPost, "/auth%3Ftenant=7", "/auth%3Ftenant=7", ""},
	} {
		t.Run(c.method+" "+c.address, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := serve(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{})
			request, address := authRequest(b.login(l)), platformURL+c.address
			params := maps.Clone(request)
			if c.method == http.MethodGet {
				address += request.Encode()
				request = nil
				if c.tenant != "" {
					params.Set("tenant", c.tenant)
				}
			}
			_, fields := b.send(c.method, address, request).form()
			g.Expect(fields).To(HaveKey("id_token"))
			asked := l.Record().AuthenticationRequests
			g.Expect(asked).To(HaveLen(1))
			g.Expect(asked[0].Params).To(Equal(params))
			g.Expect(asked[0].Query.Get("tenant")).To(Equal(c.tenant))
			g.Expect(asked[0].Query.Has("nonce")).To(Equal(c.method == http.MethodGet))
			g.Expect(asked[0].Path).To(Equal(c.path))
			g.Expect(asked[0].Problems).To(BeEmpty())
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
		"response_type code": "unsupported_response_type", "response_type with more": "unsupported_response_type", "response_type missing": "unsupported_response_type",
		"login_hint of others": "login_required", "login_hint missing": "login_required", "both hints gone": "login_required",
		"scope missing": "invalid_scope", "scope without openid": "invalid_scope", "scope openid as a part": "invalid_scope",
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
		if name == "other scheme" {
			continue // see below
		}
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

func TestALenientPlatformAnswersAtTheRegisteredURIOfTheOtherScheme(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	b, l := s.browser(t), s.begin(t, fakeplatform.Plan{Lenient: true})
	request := authRequest(b.login(l))
	request.Set("redirect_uri", strings.Replace(redirectURI, "https:", "http:", 1))
	action, fields := b.authenticate(request).form()
	g.Expect(action).To(Equal(redirectURI))
	g.Expect(fields).To(HaveKey("id_token"))
	g.Expect(l.Record().AuthenticationRequests[0].Problems).To(ContainElement(ContainSubstring("is not registered")))

	strict := s.begin(t, fakeplatform.Plan{})
	request = authRequest(b.login(strict))
	request.Set("redirect_uri", strings.Replace(redirectURI, "https:", "http:", 1))
	g.Expect(b.authenticate(request).status).To(Equal(http.StatusBadRequest))
}

func TestWhatAToolNeedsIsInEveryLaunch(t *testing.T) {
	t.Parallel()
	s := serve(t)
	alone, _ := fakeplatform.FaultNamed("required-claims-only")
	needs := fakeplatform.Needs{
		Custom: map[string]string{"id": "quiz-7", "link": "$ResourceLink.id"},
		Claims: map[string]any{lti.ClaimLIS: map[string]any{"course_section_sourcedid": "AN-1"}, "https://vendor.example/tier": 3},
	}
	for name, c := range map[string]struct {
		fault  *fakeplatform.Fault
		custom map[string]any
		lis    map[string]any
	}{
		"an ordinary one":            {nil, map[string]any{"id": "quiz-7", "link": "link-1", "chapter": "1"}, map[string]any{"course_section_sourcedid": "AN-1", "person_sourcedid": "s:1"}},
		"one with what it has to be": {&alone, map[string]any{"id": "quiz-7", "link": "link-1"}, map[string]any{"course_section_sourcedid": "AN-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.browser(t), s.begin(t, fakeplatform.Plan{
				User: fakeplatform.User{Sub: "user-1", SourcedID: "s:1", Roles: []string{lti.RoleLearner}}, Custom: map[string]string{"chapter": "1"}, Needs: needs, Fault: c.fault,
			})
			_, fields := b.authenticate(authRequest(b.login(l))).form()
			_, claims := claimsOf(t, fields)
			g.Expect(claims).To(HaveKeyWithValue(lti.ClaimCustom, Equal(c.custom)))
			g.Expect(claims).To(HaveKeyWithValue(lti.ClaimLIS, Equal(c.lis)))
			g.Expect(claims).To(HaveKeyWithValue("https://vendor.example/tier", BeNumerically("==", 3)))
		})
	}
	NewWithT(t).Expect(needs.Claims[lti.ClaimLIS]).To(HaveLen(1), "what was asked for stays as it is")
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
	open := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "hint-absent")})
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
		{http.MethodGet, "/auth%3Ftenant=7", made, 400},
		{http.MethodGet, "/authority%3Ftenant=7", made, 404},
		{http.MethodGet, "/auth/more", made, 404},
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
		RawQuery: url.Values{
			"lti_msg": {"<i>Well done</i> & bye"}, "lti_errormsg": {`"><script>alert(1)</script>`},
			"lti_log": {"log-for-admins"}, "lti_errorlog": {"errorlog-for-admins"},
		}.Encode(),
	}, {}}))

	b.get(l.ReturnURL() + "?" + fakeplatform.ReturnQuery + "&lti_msg=a%20+b")
	g.Expect(l.Record().Returns[2]).To(Equal(fakeplatform.Return{
		Message: "a  b", RawQuery: fakeplatform.ReturnQuery + "&lti_msg=a%20+b",
	}), "as it came")
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
		if f.Provokes == "" {
			g.Expect(f.Proves != "" || f.Permitted).To(BeTrue(), "%s: neither a stimulus nor a defect, nor permitted", f.Name)
			continue
		}

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
	for _, f := range []fakeplatform.Fault{
		fakeplatform.HeldAnswer, fakeplatform.EmptyAnswer, fakeplatform.Chapter1, fakeplatform.Chapter2, fakeplatform.NewKeySigns,
	} {
		g.Expect(names).NotTo(HaveKey(f.Name), "a means, no stimulus")
	}

	fakeplatform.Faults()[0].Name = "changed"
	g.Expect(fakeplatform.Faults()[0].Name).NotTo(Equal("changed"), "the caller has a copy")
}

func TestFaultsThatNeedANewKey(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var names []string
	for _, f := range append(fakeplatform.Faults(), fakeplatform.NewKeySigns, fakeplatform.HeldAnswer) {
		if fakeplatform.NewKey(f) {
			g.Expect(f.Permitted).To(BeTrue(), f.Name)
			names = append(names, f.Name)
		}
	}
	g.Expect(names).To(ConsistOf(
		"key-added", "old-key-removed", "key-set-with-extras", "key-set-without-alg", "key-set-unknown-kty", "key-set-same-kid-other-type", "key-set-good-again",
		"rs384", "rs512", "es256", "new-key-signs",
	))
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
	"target-link-with-query":     ContainElement("login target_link_uri = " + targetURI + "?chapter=1"),
	"target-link-not-registered": ContainElement("login target_link_uri = " + targetURI + "/chapter-1"),
	"target-chapter-1":           ContainElement("login target_link_uri = " + targetURI + "?chapter=1"),
	"target-chapter-2":           ContainElement("login target_link_uri = " + targetURI + "?chapter=2"),
	"iss-unknown-in-login":       ConsistOf("login iss = https://unknown-issuer.example"),
	"iss-missing-in-login":       ConsistOf("login iss is gone"),
	"endpoint-parameters": ConsistOf(
		"login authorization_endpoint = https://stranger.example/auth", "login redirect_uri = https://stranger.example/launch",
	),
	"login-hint-missing":            ConsistOf("login login_hint is gone"),
	"login-target-link-uri-missing": ContainElement("login target_link_uri is gone"),
	"unknown-parameters": ConsistOf(
		"login foo = bar", "login canvas_region = us-east-1", "login lti_storage_target = _parent", "login deployment_id = x",
	),
	"foreign-target-in-login-and-token": ConsistOf(
		"login target_link_uri = https://stranger.example/x", claim(lti.ClaimTargetLinkURI, "https://stranger.example/x"),
	),
	"foreign-target-in-login-only": ConsistOf("login target_link_uri = https://stranger.example/x"),
	"target-link-uri-of-other-resource": ConsistOf(
		"login target_link_uri = "+targetURI+"?chapter=1", claim(lti.ClaimTargetLinkURI, targetURI+"?chapter=2"),
	),
	"target-link-uri-on-foreign-host": ConsistOf(claim(lti.ClaimTargetLinkURI, "https://stranger.example/x")),
	"client-id-unknown":               ConsistOf("login client_id = clieat-a"),
	"client-id-unknown-alone":         ConsistOf("login client_id = clieat-a"),
	"client-id-absent":                ConsistOf("login client_id is gone"),
	"login-deployment-id-absent":      ConsistOf("login lti_deployment_id is gone"),
	"state-dropped":                   ConsistOf("state is gone"),
	"state-empty":                     ConsistOf("state = "),
	"state-random":                    ConsistOf(MatchRegexp(`^state = ` + random + `$`)),
	"state-altered":                   ConsistOf("state = staae-1"),
	"state-of-other-browser":          ConsistOf("state = other-state"),
	"claim-changed-after-signing":     ConsistOf(claim("sub", "usea-1"), "signature is another one"),
	"signature-last-byte-changed":     ConsistOf("signature ends in another byte"),
	"signature-empty":                 ConsistOf("signature is gone"),
	"signed-by-unpublished-key":       ConsistOf("signature is another one"),
	"alg-none-lower":                  ConsistOf(`header alg = "none"`, "signature is gone"),
	"alg-none-title":                  ConsistOf(`header alg = "None"`, "signature is gone"),
	"alg-none-upper":                  ConsistOf(`header alg = "NONE"`, "signature is gone"),
	"alg-none-mixed":                  ConsistOf(`header alg = "nOnE"`, "signature is gone"),
	"alg-absent":                      ConsistOf(`header alg is gone`, "signature is gone"),
	"alg-none-lower-keeps-signature":  ConsistOf(`header alg = "none"`),
	"alg-none-title-keeps-signature":  ConsistOf(`header alg = "None"`),
	"alg-none-upper-keeps-signature":  ConsistOf(`header alg = "NONE"`),
	"alg-none-mixed-keeps-signature":  ConsistOf(`header alg = "nOnE"`),
	"alg-absent-keeps-signature":      ConsistOf(`header alg is gone`),
	"hs256-public-key-pem":            ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PEM"),
	"hs256-public-key-pem-crlf":       ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PEM with CRLF"),
	"hs256-public-key-pem-trimmed":    ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the trimmed PEM"),
	"hs256-public-key-modulus":        ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the modulus"),
	"hs256-public-key-pkcs1-pem":      ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PKCS #1 PEM"),
	"hs256-public-key-der":            ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the DER"),
	"hs256-public-key-jwk":            ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the JWK"),
	"hs384-public-key-pem":            ConsistOf(`header alg = "HS384"`, "signature is an HS384 with the PEM"),
	"hs512-public-key-pem":            ConsistOf(`header alg = "HS512"`, "signature is an HS512 with the PEM"),
	"kid-unknown":                     ConsistOf(MatchRegexp(`^header kid = "` + random + `"$`)),
	"iss-missing":                     ConsistOf("claim iss is gone"),
	"iss-unknown":                     ConsistOf(claim("iss", "https://unknown-issuer.example")),
	"iss-trailing-slash":              ConsistOf(claim("iss", platformURL+"/")),
	"iss-upper-case-host":             ConsistOf(claim("iss", "https://PLATFORM.EXAMPLE.COM")),
	"iss-other-scheme":                ConsistOf(claim("iss", "http://platform.example.com")),
	"iss-array":                       ConsistOf(claim("iss", []string{platformURL})),
	"aud-missing":                     ConsistOf("claim aud is gone"),
	"aud-empty-array":                 ConsistOf(claim("aud", []string{})),
	"aud-other-client":                ConsistOf(claim("aud", "clieat-a")),
	"aud-tool-url":                    ConsistOf(claim("aud", targetURI)),
	"aud-other-case":                  ConsistOf(claim("aud", "Client-a")),
	"exp-past":                        ConsistOf(claim("exp", noon.Add(-10*time.Minute).Unix())),
	"exp-certification-suite":         ConsistOf(claim("iat", 11111), claim("exp", 22222)),
	"exp-missing":                     ConsistOf("claim exp is gone"),
	"exp-string":                      ConsistOf(claim("exp", fmt.Sprint(noon.Add(5*time.Minute).Unix()))),
	"exp-null":                        ConsistOf(claim("exp", nil)),
	"nonce-missing":                   ConsistOf("claim nonce is gone"),
	"nonce-empty":                     ConsistOf(claim("nonce", "")),
	"nonce-null":                      ConsistOf(claim("nonce", nil)),
	"nonce-random":                    ConsistOf(MatchRegexp(`^claim nonce = "` + random + `"$`)),
	"nonce-altered":                   ConsistOf(claim("nonce", "nonae-1")),
	"nonce-of-other-browser":          ConsistOf(claim("nonce", "other-nonce")),
	"message-type-unknown":            ConsistOf(claim(lti.ClaimMessageType, "LtiUnknownRequest")),
	"message-type-lower-case":         ConsistOf(claim(lti.ClaimMessageType, "ltiresourcelinkrequest")),
	"message-type-other-direction":    ConsistOf(claim(lti.ClaimMessageType, "LtiDeepLinkingResponse")),
	"deployment-id-missing":           ConsistOf("claim " + lti.ClaimDeploymentID + " is gone"),
	"deployment-id-empty":             ConsistOf(claim(lti.ClaimDeploymentID, "")),
	"teacher-with-unknown-role":       ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleUnknown})),
	"student-with-unknown-role":       ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleUnknown})),
	"aud-one-element-array":           ConsistOf(claim("aud", []string{clientID})),
	"aud-string-with-azp":             ConsistOf(claim("azp", clientID)),
	"aud-additional-without-azp":      ConsistOf(claim("aud", []string{clientID, "https://stranger.example"})),
	"aud-additional-reversed":         ConsistOf(claim("aud", []string{"https://stranger.example", clientID})),
	"aud-additional-with-azp":         ConsistOf(claim("aud", []string{clientID, "https://stranger.example"}), claim("azp", clientID)),
	"azp-other-client":                ConsistOf(claim("azp", "clieat-a")),
	"iat-missing":                     ConsistOf("claim iat is gone"),
	"iat-future":                      ConsistOf(claim("iat", noon.Add(time.Hour).Unix())),
	"iat-old":                         ConsistOf(claim("iat", noon.Add(-24*time.Hour).Unix())),
	"nbf-future":                      ConsistOf(claim("nbf", noon.Add(time.Hour).Unix())),
	"iat-nbf-slightly-ahead":          ConsistOf(claim("iat", noon.Unix()+30), claim("nbf", noon.Unix()+30)),
	"exp-just-past":                   ConsistOf(claim("iat", noon.Unix()-300), claim("exp", noon.Unix()-2)),
	"roles-string":                    ConsistOf(claim(lti.ClaimRoles, lti.RoleLearner)),
	"resource-link-string":            ConsistOf(claim(lti.ClaimResourceLink, "link-1")),
	"deployment-id-number":            ConsistOf(claim(lti.ClaimDeploymentID, 1)),
	"nonce-array":                     ConsistOf(claim("nonce", []string{"nonce-1"})),
	"aud-object":                      ConsistOf(claim("aud", map[string]string{"client_id": clientID})),
	"sub-number":                      ConsistOf(claim("sub", 17)),
	"token-16-kib":                    ConsistOf(HavePrefix("claim " + lti.ClaimCustom + " = ")),
	"token-64-kib":                    ConsistOf(HavePrefix("claim " + lti.ClaimCustom + " = ")),
	"token-200-kib":                   ConsistOf(HavePrefix("claim " + lti.ClaimCustom + " = ")),
	"required-claims-missing":         gone(lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimRoles),
	"message-type-missing":            gone(lti.ClaimMessageType),
	"message-type-empty":              ConsistOf(claim(lti.ClaimMessageType, "")),
	"version-certification-suite":     ConsistOf(claim(lti.ClaimVersion, "11.3")),
	"version-1-1":                     ConsistOf(claim(lti.ClaimVersion, "1.1")),
	"version-2-0-0":                   ConsistOf(claim(lti.ClaimVersion, "2.0.0")),
	"version-1-3":                     ConsistOf(claim(lti.ClaimVersion, "1.3")),
	"version-number":                  ConsistOf(claim(lti.ClaimVersion, 1.3)),
	"version-missing":                 gone(lti.ClaimVersion),
	"deployment-id-unknown":           ConsistOf(MatchRegexp(`/deployment_id = "` + random + `"$`)),
	"deployment-id-other-case":        ConsistOf(claim(lti.ClaimDeploymentID, "Deployment-1")),
	"deployment-id-too-long":          ConsistOf(MatchRegexp(`/deployment_id = "deployment-1.{255}"$`)),
	"resource-link-missing":           gone(lti.ClaimResourceLink),
	"resource-link-id-missing":        ConsistOf(claim(lti.ClaimResourceLink, map[string]string{"title": "Introduction"})),
	"resource-link-id-empty":          ConsistOf(ContainSubstring(`"id":""`)),
	"roles-missing":                   gone(lti.ClaimRoles),
	"sub-empty":                       ConsistOf(claim("sub", "")),
	"sub-absent":                      gone("sub"),
	"sub-null":                        ConsistOf(claim("sub", nil)),
	"anonymous-without-role":          gone("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS, claim(lti.ClaimRoles, []string{})),
	"anonymous-welcome":               gone("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS),
	"anonymous-learner":               gone("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS),
	"anonymous-after-other-user":      gone("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS),
	"target-link-uri-missing":         gone(lti.ClaimTargetLinkURI),
	"claims-at-their-largest": And(
		HaveLen(20), HaveEach(HavePrefix("claim ")), ContainElement(ContainSubstring("tool_platform")), ContainElement(ContainSubstring("urn:vendor:role:reader")),
	),
	"unknown-claims": ConsistOf(
		claim("https://claims.example/object", map[string]int{"a": 1}), claim("https://claims.example/array", []any{1, "b", nil}),
		claim("https://claims.example/number", 17.5), claim("https://claims.example/null", nil),
		claim("https://purl.imsglobal.org/spec/lti/claim/future", map[string]int{"version": 2}), claim("favourite_colour", "green"),
	),
	"unknown-members": ConsistOf(
		And(HavePrefix("claim "+lti.ClaimResourceLink), ContainSubstring(`"favourite_colour":"green"`), ContainSubstring(`"id":"link-1"`)),
		And(HavePrefix("claim "+lti.ClaimContext), ContainSubstring(`"favourite_colour":"green"`), ContainSubstring(`"id":"course-1"`)),
		And(HavePrefix("claim "+lti.ClaimLaunchPresentation), ContainSubstring(`"favourite_colour":"green"`), ContainSubstring(`own"`)),
	),
	"required-claims-only": gone(
		"name", "given_name", "family_name", "email", "locale", lti.ClaimLIS, lti.ClaimContext, lti.ClaimCustom,
		lti.ClaimToolPlatform, lti.ClaimLaunchPresentation, claim(lti.ClaimResourceLink, map[string]string{"id": "link-1"}),
	),
	"roles-empty":                       ConsistOf(claim(lti.ClaimRoles, []string{})),
	"instructor":                        ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstructor})),
	"learner":                           BeEmpty(), // as the valid launch is
	"instructor-with-institution-roles": ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleInstitutionStaff, lti.RoleInstitutionOther})),
	"sub-role-with-principal":           ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleTeachingAssistant, lti.RoleInstructor})),
	"role-foreign-uri":                  ConsistOf(claim(lti.ClaimRoles, []string{"https://stranger.example/Instructor"})),
	"instructor-with-system-role":       ConsistOf(claim(lti.ClaimRoles, []string{"http://purl.imsglobal.org/vocab/lis/v2/system/person#User", lti.RoleInstructor})),
	"role-system-only":                  ConsistOf(claim(lti.ClaimRoles, []string{"http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"})),
	"role-institution-only":             ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstitutionInstructor})),
	"role-near-miss":                    ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner + "Instructor"})),
	"role-learner-sub-role":             ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleLearnerInstructor})),
	"other-sub-same-email":              ConsistOf(claim("sub", "usea-1")),
	"same-sub-other-email":              ConsistOf(claim("email", "someone.else@school.example")),
	"error-after-validation":            ConsistOf(claim(lti.ClaimMessageType, "LtiUnknownRequest"), returnTo("the launch's own?course=7&x=a%20b#frag")),
	"exit-button":                       ConsistOf(returnTo("the launch's own?course=7&x=a%20b#frag")),
	"return-url-expired":                ConsistOf(claim("exp", noon.Unix()-600), returnTo("https://stranger.example/return")),
	"return-url-unknown-issuer":         ConsistOf(claim("iss", "https://unknown-issuer.example"), returnTo("https://stranger.example/return")),
	"return-url-bad-signature":          ConsistOf("signature ends in another byte", returnTo("https://stranger.example/return")),
	"unicode-claims": ConsistOf(
		claim("name", "Zoë 🦉 山田"), claim("given_name", "Zoë 🦉"), claim("family_name", "山田"),
		claim(lti.ClaimContext, map[string]any{"id": "course-1", "title": "مقدمة في المنطق", "type": []string{lti.ContextTypeCourseOffering}}),
		And(HavePrefix("claim "+lti.ClaimResourceLink), ContainSubstring("Übung № 1")),
		claim(lti.ClaimCustom, map[string]string{"chapter": "7", "greeting": "¡Olé! 👋🏽"}),
	),
	"script-in-claims": ConsistOf(
		claim("name", fakeplatform.Markup), claim("given_name", fakeplatform.Markup), claim("family_name", fakeplatform.Markup),
		claim(lti.ClaimContext, map[string]any{
			"id": "course-1", "label": fakeplatform.Markup, "title": fakeplatform.Markup, "type": []string{lti.ContextTypeCourseOffering},
		}),
		claim(lti.ClaimResourceLink, map[string]string{"id": "link-1", "title": fakeplatform.Markup, "description": fakeplatform.Markup}),
		claim(lti.ClaimCustom, map[string]string{"chapter": fakeplatform.Markup}),
	),
	// The certification guide's cases: what is personal, and to whom.
	"teacher-with-institution-roles": ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleInstitutionStaff, lti.RoleInstitutionOther})),
	"student-with-institution-roles": ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleInstitutionStudent, lti.RoleInstitutionOther})),
	"teacher-with-short-role":        ConsistOf(claim(lti.ClaimRoles, []string{"Instructor"})),
	"student-with-short-role":        ConsistOf(claim(lti.ClaimRoles, []string{"Learner"})),
	"teacher-with-custom-role":       ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleInstructor, "https://school.example/roles#Coach"})),
	"student-with-custom-role":       ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner, "https://school.example/roles#Coach"})),
	"teacher-with-empty-role":        ConsistOf(claim(lti.ClaimRoles, []string{""})),
	"student-with-empty-role":        ConsistOf(claim(lti.ClaimRoles, []string{""})),
	"teacher-without-role":           ConsistOf(claim(lti.ClaimRoles, []string{})),
	"student-without-role":           ConsistOf(claim(lti.ClaimRoles, []string{})),
	"teacher-with-email-only":        gone("name", "given_name", "family_name", teaches),
	"student-with-email-only":        gone("name", "given_name", "family_name"),
	"teacher-with-names-only":        gone("email", claim("middle_name", "Fairfax"), teaches),
	"student-with-names-only":        gone("email", claim("middle_name", "Fairfax")),
	"teacher-without-personal-data":  gone("name", "given_name", "family_name", "email", lti.ClaimLIS, teaches),
	"student-without-personal-data":  gone("name", "given_name", "family_name", "email", lti.ClaimLIS),
	"teacher-without-context":        gone(lti.ClaimContext, teaches),
	"student-without-context":        gone(lti.ClaimContext),
	// Where these lead: TestHeadersThatPointToAStrangersKey.
	"embedded-jwk":           strangersKey(`jwk = {"alg":"RS256",`),
	"foreign-jku":            strangersKey(`jku = "` + platformURL + `/stranger/`),
	"foreign-x5u":            strangersKey(`x5u = "` + platformURL + `/stranger/`),
	"embedded-x5c":           strangersKey(`x5c = ["MII`),
	"crit-unknown-extension": ConsistOf(`header crit = ["exp-x"]`, `header exp-x = 1`),
	// What is wrong with these is not in the answer, but in who submits it, when.
	"iss-unknown-in-both":                 ConsistOf(claim("iss", "https://unknown-issuer.example"), "login iss = https://unknown-issuer.example"),
	"iss-trailing-slash-in-both":          ConsistOf(claim("iss", platformURL+"/"), "login iss = "+platformURL+"/"),
	"aud-other-client-in-both":            ConsistOf(claim("aud", "clieat-a"), "login client_id = clieat-a"),
	"aud-other-client-without-login":      ConsistOf(claim("aud", "clieat-a"), "login client_id is gone"),
	"deployment-id-unknown-in-both":       ConsistOf(HavePrefix("claim "+lti.ClaimDeploymentID), HavePrefix("login lti_deployment_id = ")),
	"deployment-id-unknown-without-login": ConsistOf(HavePrefix("claim "+lti.ClaimDeploymentID), "login lti_deployment_id is gone"),
	"form-submitted-in-other-browser":     BeEmpty(),
	"form-submitted-after-login":          BeEmpty(),
	"form-submitted-during-login":         BeEmpty(),
	"replayed-with-same-state":            BeEmpty(),
	"replayed-later":                      BeEmpty(),
	"replayed-in-other-browser":           BeEmpty(),
	"unsolicited-id-token":                ConsistOf(MatchRegexp(`^state = `+random+`$`), MatchRegexp(`^claim nonce = "`+random+`"$`)),
	"replayed-in-new-login":               ConsistOf(claim("nonce", "other-nonce"), HavePrefix("claim "+lti.ClaimLaunchPresentation)),
	"replayed-in-next-login":              ConsistOf(claim("nonce", "other-nonce"), HavePrefix("claim "+lti.ClaimLaunchPresentation)),
	"state-reused":                        ConsistOf("state = other-state"),
	"replayed-at-once":                    BeEmpty(),
	// The other launch is one of the same platform here: TestTokenOfOtherPlatform.
	"token-of-other-platform":   ConsistOf(HavePrefix("claim " + lti.ClaimLaunchPresentation)),
	"aud-other-registration":    ConsistOf(HavePrefix("claim " + lti.ClaimLaunchPresentation)),
	"response-by-get":           ConsistOf("answer by GET with a query"),
	"response-in-query-of-post": ConsistOf("answer by POST with a query"),
	"error-with-state":          ConsistOf("id_token is gone", "error = login_required", "error_description = "+fakeplatform.Markup),
	"error-without-state":       ConsistOf("id_token is gone", "state is gone", "error = login_required", "error_description = "+fakeplatform.Markup),
	"error-with-id-token":       ConsistOf("error = login_required", "error_description = "+fakeplatform.Markup),
}

// gone says in the words of differences that claims are missing, and nothing
// else differs but what is said in full.
func gone(claims ...string) types.GomegaMatcher {
	var differences []string
	for _, c := range claims {
		if !strings.HasPrefix(c, "claim ") {
			c = "claim " + c + " is gone"
		}
		differences = append(differences, c)
	}
	return ConsistOf(differences)
}

var teaches = claim(lti.ClaimRoles, []string{lti.RoleInstructor})

func returnTo(address string) string {
	return claim(lti.ClaimLaunchPresentation, map[string]string{"document_target": "window", "locale": "en", "return_url": address})
}

func strangersKey(header string) types.GomegaMatcher {
	return ConsistOf(HavePrefix("header "+header), MatchRegexp(`^header kid = "`+random+`"$`), "signature is another one")
}

// otherTokens are those that are no JWS with the claims of a launch: what they
// look like, and whether the platform has signed them.
var otherTokens = map[string]struct {
	pattern string
	genuine bool
}{
	"token-empty":         {`^$`, false},
	"token-not-a-jwt":     {`^abc$`, false},
	"token-two-parts":     {`^eyJ[\w-]+\.eyJ[\w-]+$`, false},
	"token-five-parts":    {`^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{342}\.e30\.e30$`, false},
	"token-bad-base64url": {`^eyJ[\w-]+\.%&!eyJ[\w-]+\.[\w-]{342}$`, false},
	"token-payload-array": {`^eyJ[\w-]+\.` + part(`["badltilaunch"]`) + `\.[\w-]{342}$`, true},
	"header-empty":        {`^` + part(`{}`) + `\.` + part(`{"name":"badltilaunch"}`) + `\.$`, false},
	"header-good":         {`^eyJ[\w-]+\.` + part(`{"name":"badltilaunch"}`) + `\.[\w-]{342}$`, true},
}

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// fullPlan is a launch with something in every claim that a fault may change.
func fullPlan() fakeplatform.Plan {
	return fakeplatform.Plan{
		User: fakeplatform.User{
			Sub: "user-1", Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Email: "ada@school.example",
			Locale: "en-GB", SourcedID: "sis-1", Roles: []string{lti.RoleLearner},
		},
		Context: fakeplatform.Context{ID: "course-1", Title: "Analysis"},
		Custom:  map[string]string{"chapter": "7"},
	}
}

func TestEachFaultChangesOnlyWhatItSays(t *testing.T) {
	t.Parallel()
	s := serve(t)
	valid := observe(t, s, s.begin(t, fullPlan()))
	NewWithT(t).Expect(s.differences(t, valid, observe(t, s, s.begin(t, fullPlan())))).To(BeEmpty(), "a valid launch")
	stimuli := append(fakeplatform.Stimuli(), fakeplatform.Chapter1, fakeplatform.Chapter2)
	stimuli = slices.DeleteFunc(stimuli, func(f fakeplatform.Fault) bool {
		of, _, _ := strings.Cut(f.Provokes, "-")
		return slices.Contains([]string{"ap", "ags", "sr", "nrps", "dl"}, of) || f.Provokes == ofTokens // TestEachStimulusOfExams, TestEachStimulusOfGradesAndReviews, and those of parts
	})
	for name := range faultDiffers {
		NewWithT(t).Expect(stimuli).To(ContainElement(HaveField("Name", name)))
	}
	for _, f := range stimuli {
		tested := f.Provokes == "oidc-tool-key-rotation" || slices.ContainsFunc(keySetFaults, func(c keySetFault) bool { return c.name == f.Name })
		NewWithT(t).Expect(fakeplatform.ChangesKeySet(f)).To(Equal(tested), "%s: by TestKeyRotationFaults or TestKeySetFaults", f.Name)
		if tested {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			other := s.begin(t, fullPlan())
			b := s.browser(t)
			request := authRequest(b.login(other))
			request.Set("state", "other-state")
			request.Set("nonce", "other-nonce")
			b.authenticate(request)

			plan := fullPlan()
			plan.Fault, plan.Other = &f, other
			plan.Lenient = true // a login initiation that lacks something is answered with less, too
			faulty := observe(t, s, s.begin(t, plan))
			if faulty.login.Has("login_hint") && faulty.login.Get("client_id") == clientID {
				for _, asked := range faulty.launch.Record().AuthenticationRequests {
					g.Expect(asked.Problems).To(BeEmpty())
				}
			}
			if c, ok := otherTokens[f.Name]; ok {
				g.Expect(faulty.token).To(MatchRegexp(c.pattern))
				if c.genuine {
					g.Expect(s.signature(t, valid, faulty)).To(BeEmpty())
				}
				return
			}
			expected, ok := faultDiffers[f.Name]
			if !ok {
				expected = HaveLen(1) // what a near miss changes, unless said otherwise
			}
			if f.Name == "replayed-in-new-login" || f.Name == "replayed-in-next-login" {
				g.Expect(faulty.token).To(Equal(other.Record().IDToken))
			}
			g.Expect(s.differences(t, valid, faulty)).To(expected)
		})
	}
}

func TestKeyRotationFaults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	old := s.Keys()[0]
	for _, c := range []struct {
		fault string
		keys  int
	}{{"key-added", 2}, {"old-key-removed", 1}} {
		l := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, c.fault)})
		fields := s.browser(t).launch(l)
		_, err := jws.Verify([]byte(fields.Get("id_token")), jws.WithKeySet(s.fetchKeySet(t)))
		g.Expect(err).NotTo(HaveOccurred(), c.fault)
		header, _ := claimsOf(t, fields)
		g.Expect(header["kid"]).NotTo(Equal(old.KeyID()), c.fault)
		l.End()
		g.Expect(s.Keys()).To(HaveLen(c.keys), "%s is for good", c.fault)
	}
}

type keySetFault struct {
	name string
	// published are the keys while the launch goes on, by kty, alg and whose
	// they are: the platform's own, its old one, or the one that the token names.
	published []string
	// verifies is set where a published key of the kid that the token names, or
	// of any where it names none, verifies it.
	verifies bool
}

// keySetFaults change what a platform with two keys publishes while the launch
// goes on. Where nothing is said of the keys, they cannot be had.
var keySetFaults = []keySetFault{
	{"new-key-signs", []string{"RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"rs384", []string{"RSA RS384 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"rs512", []string{"RSA RS512 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"es256", []string{"EC ES256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"ps256", []string{"RSA PS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"eddsa", []string{"OKP EdDSA named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"rs256-over-ec-kid", []string{"EC ES256 named", "RSA RS256 own", "RSA RS256 old"}, false},
	{"kid-missing-one-key", []string{"RSA RS256 own"}, true},
	{"kid-missing-two-keys", []string{"RSA RS256 own", "RSA RS256 other"}, true},
	{"removed-key-after-5-seconds", []string{"RSA RS256 own", "RSA RS256 old"}, false},
	{"removed-key-after-15-minutes", []string{"RSA RS256 own", "RSA RS256 old"}, false},
	{"key-set-with-extras", []string{
		"EC ES256 other", "OKP EdDSA other", "RSA - other", "RSA RSA-OAEP-256 other", "RSA RS256 other", "FUTURE RS256 other",
		"RSA RS256 old", "RSA RS256 own", "RSA RS256 named",
	}, true},
	{"key-set-without-alg", []string{"RSA RS256 own", "RSA RS256 old", "RSA - named"}, true},
	{"key-set-unknown-kty", []string{"FUTURE RS256 other", "RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"key-set-same-kid-other-type", []string{"EC ES256 named", "RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"key-set-good-again", []string{"RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"key-set-500", nil, false},
	{"key-set-404", nil, false},
	{"key-set-html", nil, false},
	{"key-set-empty", nil, false},
	{"key-set-hangs", nil, false},
}

func TestKeySetFaults(t *testing.T) {
	t.Parallel()
	s := serve(t, func(o *fakeplatform.Options) { o.Keys = sharedKeys(t) })
	before := s.browser(t).get(platformURL + "/jwks")
	named := append(fakeplatform.Faults(), fakeplatform.NewKeySigns)
	borrowsFrom := map[string]*fakeplatform.Fault{
		"key-set-good-again":          faultNamed(t, "key-set-500"),
		"removed-key-after-5-seconds": &fakeplatform.NewKeySigns, "removed-key-after-15-minutes": &fakeplatform.NewKeySigns,
	}
	for _, c := range keySetFaults { // one by one: they have the platform to themselves
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			i := slices.IndexFunc(named, func(f fakeplatform.Fault) bool { return f.Name == c.name })
			g.Expect(i).To(BeNumerically(">=", 0))
			plan := fakeplatform.Plan{Fault: &named[i]}
			own := s.Keys()
			var borrowed string // a token that is signed with the other launch's key
			if from := borrowsFrom[c.name]; from != nil {
				plan.Other = s.begin(t, fakeplatform.Plan{Fault: from})
				borrowed = s.browser(t).launch(plan.Other).Get("id_token")
				own = append(own, s.keySet(t).keys...)
				plan.Other.End()
			}
			l := s.begin(t, plan)
			token := s.browser(t).launch(l).Get("id_token")
			if c.published != nil {
				set := s.keySet(t)
				kid, known := headerOf(t, token)["kid"].(string)
				g.Expect(known).To(Equal(!strings.HasPrefix(c.name, "kid-missing-")))
				g.Expect(set.whose(s.Keys(), kid)).To(Equal(c.published))
				g.Expect(verifies(token, set.of(kid))).To(Equal(c.verifies))
				g.Expect(set.header.Get("Cache-Control")).To(Equal(map[bool]string{true: "max-age=1"}[c.name == "new-key-signs"]))
				own = append(own, set.keys...)
			}
			g.Expect(verifies(token, own)).To(BeTrue(), "the signature itself is a good one")
			if borrowed != "" {
				g.Expect(headerOf(t, token)).To(HaveKeyWithValue("kid", headerOf(t, borrowed)["kid"]))
			}
			_, ordinary := claimsOf(t, s.browser(t).launch(s.begin(t, fakeplatform.Plan{})))
			g.Expect(ordinary).To(HaveKey("sub"), "other launches go on meanwhile")

			l.End()
			g.Expect(s.browser(t).get(platformURL + "/jwks").body).To(Equal(before.body))
			header, _ := claimsOf(t, s.browser(t).launch(s.begin(t, fakeplatform.Plan{})))
			g.Expect(header).To(HaveKeyWithValue("kid", s.Keys()[0].KeyID()))
		})
	}
	NewWithT(t).Expect(s.whys()).To(BeEmpty())
}

func headerOf(t *testing.T, token string) map[string]any {
	t.Helper()
	header, _ := claimsOf(t, url.Values{"id_token": {token}})
	return header
}

// keySet is what the platform publishes.
type keySet struct {
	header http.Header
	raw    []map[string]any
	keys   []jwk.Key // those that can be read
}

func (s *site) keySet(t *testing.T) keySet {
	t.Helper()
	p := s.browser(t).get(platformURL + fakeplatform.JWKSPath)
	set := keySet{header: p.header}
	var published struct{ Keys []json.RawMessage }
	_ = json.Unmarshal([]byte(p.body), &published)
	for _, raw := range published.Keys {
		var members map[string]any
		NewWithT(t).Expect(json.Unmarshal(raw, &members)).To(Succeed())
		for _, private := range []string{"d", "p", "dp", "k"} {
			NewWithT(t).Expect(members).NotTo(HaveKey(private))
		}
		set.raw = append(set.raw, members)
		if key, err := jwk.ParseKey(raw); err == nil {
			set.keys = append(set.keys, key)
		}
	}
	return set
}

// whose describes the keys as [keySetFault] does.
func (k keySet) whose(platforms []jwk.Key, named string) []string {
	var list []string
	for _, key := range k.raw {
		alg, whose := key["alg"], "other"
		if alg == nil {
			alg = "-"
		}
		switch key["kid"] {
		case named:
			whose = "named"
		case platforms[0].KeyID():
			whose = "own"
		case platforms[1].KeyID():
			whose = "old"
		}
		list = append(list, fmt.Sprintf("%s %s %s", key["kty"], alg, whose))
	}
	return list
}

// of returns the keys of a kid, all of them where it is empty.
func (k keySet) of(kid string) []jwk.Key {
	return slices.DeleteFunc(slices.Clone(k.keys), func(key jwk.Key) bool { return kid != "" && key.KeyID() != kid })
}

// verifies says whether one of the keys verifies a token by the algorithm of
// its header.
func verifies(token string, keys []jwk.Key) bool {
	header, _, err := lti.Decode(token)
	var named struct{ Alg jwa.SignatureAlgorithm }
	if err != nil || json.Unmarshal(header, &named) != nil {
		return false
	}
	return slices.ContainsFunc(keys, func(key jwk.Key) bool {
		_, err := jws.Verify([]byte(token), jws.WithKey(named.Alg, key))
		return err == nil
	})
}

func TestKeySetThatCannotBeHad(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for name, c := range map[string]struct {
		status            int
		contentType, body string
	}{
		"key-set-500":   {500, "text/plain", "out of order"},
		"key-set-404":   {404, "text/plain", "404"},
		"key-set-html":  {200, "text/html", "<!DOCTYPE html>"},
		"key-set-empty": {200, "application/jwk-set+json", `{"keys": []}`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, name)})
			defer l.End()
			fetches := s.KeySetFetches()
			p := s.browser(t).get(platformURL + "/jwks")
			g.Expect(p.status).To(Equal(c.status))
			g.Expect(p.header.Get("Content-Type")).To(HavePrefix(c.contentType))
			g.Expect(p.body).To(HavePrefix(c.body))
			g.Expect(s.KeySetFetches()).To(Equal(fetches + 1))
		})
	}
	t.Run("key-set-hangs", func(t *testing.T) {
		g := NewWithT(t)
		l := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "key-set-hangs")})
		defer l.End()
		client := &http.Client{Transport: s.server.Client().Transport, Timeout: 200 * time.Millisecond}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformURL+"/jwks", nil)
		g.Expect(err).NotTo(HaveOccurred())
		response, err := client.Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		g.Expect(os.IsTimeout(err)).To(BeTrue(), "%v", err)
	})
}

func TestKeySetEndsWithTheLaunchThatChangedIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	count := func() int { return len(s.keySet(t).keys) }
	ordinary := s.begin(t, fakeplatform.Plan{})
	first := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "rs384")})
	g.Expect(count()).To(Equal(2))
	ordinary.End()
	g.Expect(count()).To(Equal(2), "a launch that changed nothing ends nothing")
	second := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "key-set-empty")})
	g.Expect(count()).To(BeZero())
	first.End()
	g.Expect(count()).To(BeZero(), "the key set is another launch's by now")
	for range 2 {
		second.End()
		g.Expect(count()).To(Equal(1))
	}
	more := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "key-set-with-extras")})
	defer more.End()
	var set map[string]any
	g.Expect(json.Unmarshal([]byte(s.browser(t).get(platformURL+"/jwks").body), &set)).To(Succeed())
	g.Expect(set).To(And(HaveKey("keys"), HaveKey("issued_at"), HaveKey("publisher")))
}

func TestHeadersThatPointToAStrangersKey(t *testing.T) {
	t.Parallel()
	const serverURL = "https://server.example.com/platform"
	s := serve(t, func(o *fakeplatform.Options) { o.ServerURL = serverURL })
	g := NewWithT(t)
	// Only the tool's server asks at ServerURL; here the platform serves both.
	fetch := func(t *testing.T, address any) string {
		path, ok := strings.CutPrefix(fmt.Sprint(address), serverURL)
		NewWithT(t).Expect(ok).To(BeTrue(), "%v", address)
		p := s.browser(t).get(platformURL + path)
		NewWithT(t).Expect(p.status).To(Equal(http.StatusOK))
		return p.body
	}
	certified := func(t *testing.T, der []byte) any {
		certificate, err := x509.ParseCertificate(der)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return certificate.PublicKey
	}
	for _, c := range []struct {
		fault string
		asked int
		key   func(t *testing.T, header map[string]any) any
	}{
		{"embedded-jwk", 0, func(_ *testing.T, header map[string]any) any { return header["jwk"] }},
		{"foreign-jku", 1, func(t *testing.T, header map[string]any) any {
			var set struct{ Keys []any }
			NewWithT(t).Expect(json.Unmarshal([]byte(fetch(t, header["jku"])), &set)).To(Succeed())
			NewWithT(t).Expect(set.Keys).To(ConsistOf(HaveKeyWithValue("kid", header["kid"])))
			return set.Keys[0]
		}},
		{"foreign-x5u", 1, func(t *testing.T, header map[string]any) any {
			block, rest := pem.Decode([]byte(fetch(t, header["x5u"])))
			NewWithT(t).Expect(rest).To(BeEmpty())
			NewWithT(t).Expect(block.Type).To(Equal("CERTIFICATE"))
			return certified(t, block.Bytes)
		}},
		{"embedded-x5c", 0, func(t *testing.T, header map[string]any) any {
			NewWithT(t).Expect(header["x5c"]).To(HaveLen(1))
			der, err := base64.StdEncoding.DecodeString(header["x5c"].([]any)[0].(string))
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
			return certified(t, der)
		}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			g := NewWithT(t)
			token := s.browser(t).launch(s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, c.fault)})).Get("id_token")
			before := s.StrangerAsked()
			found := c.key(t, headerOf(t, token))
			if members, ok := found.(map[string]any); ok {
				g.Expect(members).NotTo(HaveKey("d"))
				raw, err := json.Marshal(members)
				g.Expect(err).NotTo(HaveOccurred())
				found, err = jwk.ParseKey(raw)
				g.Expect(err).NotTo(HaveOccurred())
			}
			_, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, found))
			g.Expect(err).NotTo(HaveOccurred(), "the stranger's key verifies the token")
			g.Expect(verifies(token, s.keySet(t).keys)).To(BeFalse(), "the platform's does not")
			g.Expect(s.StrangerAsked() - before).To(Equal(c.asked))
		})
	}
	g.Expect(s.AuthURL()).To(HavePrefix(platformURL))
	g.Expect(s.begin(t, fakeplatform.Plan{}).URL()).To(HavePrefix(platformURL), "browsers never get there")
	g.Expect(s.whys()).To(BeEmpty())
}

func TestTokenOfOtherPlatform(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	const otherURL = "https://other.example.com"
	key := sharedKeys(t)[1]
	otherPlatform, err := fakeplatform.New(fakeplatform.Options{URL: otherURL, Keys: []jwk.Key{key}})
	g.Expect(err).NotTo(HaveOccurred())
	there := registration()
	there.ClientID, there.DeploymentIDs = "client-there", []string{"deployment-there"}
	g.Expect(otherPlatform.Register(there)).To(Succeed())
	other, err := otherPlatform.Begin(fakeplatform.Plan{ClientID: "client-there", User: fakeplatform.User{Sub: "user-there"}})
	g.Expect(err).NotTo(HaveOccurred())

	fields := s.browser(t).launch(s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "token-of-other-platform"), Other: other}))
	g.Expect(fields.Get("state")).To(Equal("state-1"))
	g.Expect(verifies(fields.Get("id_token"), []jwk.Key{key})).To(BeTrue())
	header, claims := claimsOf(t, fields)
	g.Expect(header).To(HaveKeyWithValue("kid", key.KeyID()))
	for name, value := range map[string]any{
		"iss": otherURL, "aud": "client-there", "sub": "user-there", lti.ClaimDeploymentID: "deployment-there",
		"nonce": "nonce-1", "iat": float64(noon.Unix()), // of this login
	} {
		g.Expect(claims).To(HaveKeyWithValue(name, value))
	}
}

func TestPaddedTokensAreAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for name, size := range map[string]int{"token-16-kib": 16 << 10, "token-64-kib": 64 << 10, "token-200-kib": 200 << 10} {
		token := s.browser(t).launch(s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, name)})).Get("id_token")
		NewWithT(t).Expect(len(token)).To(And(BeNumerically(">=", size), BeNumerically("<", size+4<<10)), name)
	}
}

func TestUnicodeIsSentAsEscapesToo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	l := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, "unicode-claims")})
	token := s.browser(t).launch(l).Get("id_token")
	g.Expect(verifies(token, s.Keys())).To(BeTrue())
	_, payload, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(payload)).To(And(
		ContainSubstring(`"name":"Zoë \ud83e\udd89 \u5c71\u7530"`), ContainSubstring(`\ud83d\udc4b\ud83c\udffd`),
		ContainSubstring("Übung № 1"), ContainSubstring("مقدمة في المنطق"), Not(ContainSubstring("🦉")), Not(ContainSubstring("山")),
	))
	var claims struct{ Name string }
	g.Expect(json.Unmarshal(payload, &claims)).To(Succeed())
	g.Expect(claims.Name).To(Equal(fakeplatform.UnicodeGivenName + " 山田"))
}

func TestAnswerByGetAndInAQuery(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for name, how := range map[string]string{"response-by-get": "GET with a query", "response-in-query-of-post": "POST with a query"} {
		l, b := s.begin(t, fakeplatform.Plan{Fault: faultNamed(t, name)}), s.browser(t)
		for _, p := range []page{b.authenticate(authRequest(b.login(l))), s.browser(t).get(l.DeliverURL())} {
			g := NewWithT(t)
			got, fields := p.answer()
			g.Expect(got).To(Equal(how))
			g.Expect(fields).To(Equal(url.Values{"id_token": {l.Record().IDToken}, "state": {"state-1"}}))
		}
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
	answer         string // how it is sent
	fields         url.Values
	token          string
	header, claims map[string]any // nil where the token cannot be read
}

func observe(t *testing.T, s *site, l *fakeplatform.Launch) observed {
	t.Helper()
	b := s.browser(t)
	p := b.get(l.URL())
	o := observed{launch: l, method: l.Record().LoginInitiation.Method, login: l.Record().LoginInitiation.Params}
	if p.Find("form").AttrOr("action", "") != redirectURI { // else answered without a request
		p = b.authenticate(authRequest(o.login))
	}
	if p.status == http.StatusOK && p.Find("form").Length() == 0 {
		p = b.get(l.DeliverURL())
	}
	o.answer, o.fields = p.answer()
	o.token = o.fields.Get("id_token")
	if header, claims, err := lti.Decode(o.token); err == nil {
		_ = json.Unmarshal(header, &o.header)
		_ = json.Unmarshal(claims, &o.claims)
	}
	if presentation, ok := o.claims[lti.ClaimLaunchPresentation].(map[string]any); ok {
		presentation["return_url"] = strings.Replace(fmt.Sprint(presentation["return_url"]), l.ReturnURL(), "the launch's own", 1)
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
	if valid.answer != faulty.answer {
		found = append(found, "answer by "+faulty.answer)
	}
	if faulty.token == "" {
		found = append(found, "id_token is gone")
	} else {
		NewWithT(t).Expect(faulty.header).NotTo(BeNil(), faulty.token)
		compare("header ", valid.header, faulty.header, inJSON)
		compare("claim ", valid.claims, faulty.claims, inJSON)
		if says := s.signature(t, valid, faulty); says != "" {
			found = append(found, says)
		}
	}
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
	return found
}

// signature says in which way the signature is not the one that the platform's
// key makes over the token, or over the token with a valid launch's header.
func (s *site) signature(t *testing.T, valid, faulty observed) string {
	t.Helper()
	g := NewWithT(t)
	parts := strings.Split(faulty.token, ".")
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
	validHeader, _, _ := strings.Cut(valid.token, ".")
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
		"trimmed PEM":   bytes.TrimSpace(inPEM("PUBLIC KEY", pkix)),
		"modulus":       []byte(base64.RawURLEncoding.EncodeToString(key.N.Bytes())),
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
