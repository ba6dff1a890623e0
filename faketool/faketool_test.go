package faketool_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/lestrrat-go/jwx/v2/jwk"
	. "github.com/onsi/gomega"

	"invigilator/fakeplatform"
	"invigilator/faketool"
	"invigilator/lti"
	"invigilator/requirements"
)

// Servers of httptest have a certificate for hosts below example.com.
const (
	platformURL = "https://platform.example.com"
	toolURL     = "https://tool.example.com"
	clientID    = "client-a"
)

var learner = fakeplatform.User{Sub: "user-1", Name: "Ada Lovelace", Roles: []string{lti.RoleLearner}}

// Keys are costly to make; the platforms of the tests share this one.
var platformKey = sync.OnceValues(lti.NewKey)

// pair is a platform and a tool that know each other, each on a site of its own.
type pair struct {
	platform  *fakeplatform.Platform
	tool      *faketool.Tool
	transport *http.Transport
	noKeys    atomic.Bool  // the platform's key set cannot be had
	skew      atomic.Int64 // seconds by which the tool's clock is ahead of the platform's
	passed    atomic.Int64 // seconds that have passed for both
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newPair(t *testing.T) *pair {
	t.Helper()
	g := NewWithT(t)
	p := &pair{}
	platforms, tools := http.NewServeMux(), http.NewServeMux()
	sites := map[string]*httptest.Server{
		"platform.example.com:443": httptest.NewTLSServer(platforms), "tool.example.com:443": httptest.NewTLSServer(tools),
	}
	p.transport = &http.Transport{
		TLSClientConfig: sites["tool.example.com:443"].Client().Transport.(*http.Transport).TLSClientConfig.Clone(),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, sites[address].Listener.Addr().String())
		},
	}
	p.transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	t.Cleanup(func() {
		p.transport.CloseIdleConnections()
		for _, site := range sites {
			site.Close()
		}
	})
	clock := func() time.Time { return noon.Add(time.Duration(p.passed.Load()) * time.Second) }
	key, err := platformKey()
	g.Expect(err).NotTo(HaveOccurred())
	p.platform, err = fakeplatform.New(fakeplatform.Options{URL: platformURL, Now: clock, Keys: []jwk.Key{key}})
	g.Expect(err).NotTo(HaveOccurred())
	p.tool, err = faketool.New(faketool.Options{
		URL: toolURL, Client: &http.Client{Transport: p.transport},
		Now: func() time.Time { return clock().Add(time.Duration(p.skew.Load()) * time.Second) },
	})
	g.Expect(err).NotTo(HaveOccurred())
	platforms.Handle("/", p.platform)
	platforms.HandleFunc("GET "+fakeplatform.JWKSPath, func(w http.ResponseWriter, r *http.Request) {
		if p.noKeys.Load() { // what comes with an error is not to be trusted
			set, _ := lti.PublicSet(p.platform.Keys()...)
			w.WriteHeader(http.StatusServiceUnavailable)
			_ = json.NewEncoder(w).Encode(set)
			return
		}
		p.platform.ServeHTTP(w, r)
	})
	tools.Handle("/", p.tool)

	g.Expect(p.platform.Register(fakeplatform.Registration{
		ClientID: clientID, LoginURL: p.tool.LoginURL(), RedirectURIs: []string{p.tool.LaunchURL()},
		TargetLinkURI: p.tool.LaunchURL(), DeploymentIDs: []string{"deployment-1"},
	})).To(Succeed())
	g.Expect(p.tool.Register(registration())).To(Succeed())
	return p
}

func registration() faketool.Registration {
	return faketool.Registration{
		Issuer: platformURL, ClientID: clientID, AuthURL: platformURL + fakeplatform.AuthPath,
		JWKSURL: platformURL + fakeplatform.JWKSPath, DeploymentIDs: []string{"deployment-1"},
	}
}

func (p *pair) begin(t *testing.T, plan fakeplatform.Plan) *fakeplatform.Launch {
	t.Helper()
	plan.ClientID = clientID
	if plan.User.Sub == "" {
		plan.User = learner
	}
	l, err := p.platform.Begin(plan)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return l
}

// browser keeps cookies, follows redirects and submits forms that submit themselves.
type browser struct {
	t *testing.T
	*http.Client
}

func (p *pair) browser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return browser{t, &http.Client{Jar: jar, Transport: p.transport}}
}

// still makes the browser follow no redirect by itself.
func (b browser) still() browser {
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

type page struct {
	url    string
	status int
	header http.Header
	*goquery.Document
}

// why returns why a launch was refused.
func (p page) why() string { return p.Find("#refused [role=alert]").Text() }

func (b browser) open(address string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	return b.do(r)
}

func (b browser) post(address string, params url.Values) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(params.Encode()))
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b browser) do(r *http.Request) page {
	b.t.Helper()
	g := NewWithT(b.t)
	response, err := b.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	doc, err := goquery.NewDocumentFromReader(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	_, _ = io.Copy(io.Discard, response.Body)
	form := doc.Find("form")
	if form.Length() == 0 {
		return page{response.Request.URL.String(), response.StatusCode, response.Header, doc}
	}
	fields := url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) {
		fields.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return b.post(form.AttrOr("action", ""), fields)
}

// hold logs in and keeps back what the platform answered.
func (p *pair) hold(b browser) (l *fakeplatform.Launch, fields url.Values) {
	b.t.Helper()
	g := NewWithT(b.t)
	l = p.begin(b.t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer})
	g.Expect(b.open(l.URL()).status).To(Equal(http.StatusOK))
	_, answered, err := l.Answer()
	g.Expect(err).NotTo(HaveOccurred())
	fields = url.Values{}
	for name, values := range answered {
		fields[name] = append([]string{}, values...)
	}
	return l, fields
}

// resign changes claims of an answer and signs it again with the platform's key.
func (p *pair) resign(t *testing.T, fields url.Values, change func(lti.Claims)) {
	t.Helper()
	g := NewWithT(t)
	_, raw, err := lti.Decode(fields.Get("id_token"))
	g.Expect(err).NotTo(HaveOccurred())
	var claims lti.Claims
	g.Expect(json.Unmarshal(raw, &claims)).To(Succeed())
	change(claims)
	signed, err := lti.Sign(claims, p.platform.Keys()[0])
	g.Expect(err).NotTo(HaveOccurred())
	fields.Set("id_token", signed)
}

func expectLaunched(t *testing.T, p page) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(p.status).To(Equal(http.StatusOK), p.why())
	g.Expect(p.url).To(HavePrefix(toolURL + faketool.ResourcePath + "?launch="))
	g.Expect(p.Find("#resource").Length()).To(Equal(1))
}

func expectRefused(t *testing.T, p page, status int, why string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(p.status).To(Equal(status), p.Text())
	g.Expect(p.url).To(HavePrefix(toolURL))
	g.Expect(p.why()).To(ContainSubstring(why))
	g.Expect(p.Find("#resource").Length()).To(BeZero())
}

func TestNewRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, address := range []string{"", "tool.example.com", "/tool", "https://", ":"} {
		_, err := faketool.New(faketool.Options{URL: address})
		g.Expect(err).To(MatchError(ContainSubstring("absolute URL")), "%q", address)
	}
	_, err := faketool.New(faketool.Options{URL: toolURL, Faults: []string{faketool.SkipsSignature, "no-such-fault", "nor-this"}})
	g.Expect(err).To(MatchError(And(ContainSubstring(`"no-such-fault"`), ContainSubstring(`"nor-this"`), Not(ContainSubstring(faketool.SkipsSignature)))))
}

func TestToolRegistersAndServesItsKey(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	tool, err := faketool.New(faketool.Options{URL: toolURL})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{tool.LoginURL(), tool.LaunchURL(), tool.JWKSURL()}).To(Equal([]string{toolURL + "/login", toolURL + "/launch", toolURL + "/jwks"}))
	for missing, change := range map[string]func(*faketool.Registration){
		"issuer":                 func(r *faketool.Registration) { r.Issuer = "" },
		"client_id":              func(r *faketool.Registration) { r.ClientID = "" },
		"authorization endpoint": func(r *faketool.Registration) { r.AuthURL = "" },
		"key set URL":            func(r *faketool.Registration) { r.JWKSURL = "" },
		"deployment":             func(r *faketool.Registration) { r.DeploymentIDs = nil },
	} {
		r := registration()
		change(&r)
		g.Expect(tool.Register(r)).To(MatchError("faketool: registration without " + missing))
	}

	answer := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		tool.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	keySet := answer("/jwks")
	g.Expect(keySet.Header().Get("Content-Type")).To(Equal("application/jwk-set+json"))
	var published struct{ Keys []map[string]any }
	g.Expect(json.Unmarshal(keySet.Body.Bytes(), &published)).To(Succeed())
	g.Expect(published.Keys).To(ConsistOf(And(HaveLen(6), HaveKeyWithValue("use", "sig"), HaveKey("kid"), HaveKey("n"), HaveKey("e"))))
	g.Expect(answer("/nothing").Code).To(Equal(http.StatusNotFound))
	g.Expect(answer("/launch").Code).To(Equal(http.StatusNotFound), "a launch is a POST")
	g.Expect(answer("/favicon.ico").Code).To(Equal(http.StatusNoContent))
}

func TestLaunchShowsWhoWasLaunched(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	t.Run("with everything, escaped", func(t *testing.T) {
		g := NewWithT(t)
		l := p.begin(t, fakeplatform.Plan{
			User:         fakeplatform.User{Sub: "user-1", Name: `<b>Ada</b> & "co"`, Roles: []string{lti.RoleInstructor, `x"><script>alert(1)</script>`}},
			ResourceLink: fakeplatform.ResourceLink{ID: "link-1", Title: "</h1><script>alert(2)</script> 山"},
		})
		shown := p.browser(t).open(l.URL())
		expectLaunched(t, shown)
		g.Expect(shown.Find("strong").Text()).To(Equal(`<b>Ada</b> & "co"`))
		g.Expect(shown.Find("h1").Text()).To(Equal("</h1><script>alert(2)</script> 山"))
		g.Expect(shown.Find("li").Map(func(_ int, li *goquery.Selection) string { return li.Text() })).
			To(Equal([]string{lti.RoleInstructor, `x"><script>alert(1)</script>`}))
		g.Expect(shown.Find("script, b").Length()).To(BeZero())
		g.Expect(shown.Find("#return").AttrOr("href", "")).To(Equal(l.ReturnURL()))
		g.Expect(shown.header.Get("Cache-Control")).To(Equal("no-store"))

		requests := l.Record().AuthenticationRequests
		g.Expect(requests).To(HaveLen(1))
		g.Expect(requests[0].Problems).To(BeEmpty())
	})
	t.Run("with no more than required", func(t *testing.T) {
		g := NewWithT(t)
		l := p.begin(t, fakeplatform.Plan{User: fakeplatform.User{Sub: "user-2"}, ResourceLink: fakeplatform.ResourceLink{ID: "link-2"}, LoginByPost: true})
		shown := p.browser(t).open(l.URL())
		expectLaunched(t, shown)
		g.Expect(shown.Find("strong").Text()).To(Equal("user-2"))
		g.Expect(shown.Find("h1").Text()).To(Equal("link-2"))
		g.Expect(shown.Find("li").Text()).To(Equal("without a role"))
	})
}

func TestEachLoginHasAStateANonceAndACookieOfItsOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	seen := map[string]bool{}
	for range 3 {
		l, _ := p.hold(b)
		request, _ := l.Request()
		for _, value := range []string{request.Get("state"), request.Get("nonce")} {
			g.Expect(len(value)).To(BeNumerically(">=", 22), "128 bits")
			g.Expect(seen).NotTo(HaveKey(value))
			seen[value] = true
		}
	}
	login := b.still().open(p.tool.LoginURL() + "?" + url.Values{"iss": {platformURL}, "login_hint": {"a"}, "target_link_uri": {toolURL}}.Encode())
	cookie, err := http.ParseSetCookie(login.header.Get("Set-Cookie"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]bool{cookie.HttpOnly, cookie.Secure, cookie.Partitioned, cookie.SameSite == http.SameSiteNoneMode}).To(HaveEach(true))
}

func TestParallelLaunchesInOneBrowserDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	title := func(shown page) string { expectLaunched(t, shown); return shown.Find("h1").Text() }
	hold := func(title string) *fakeplatform.Launch {
		l := p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer, ResourceLink: fakeplatform.ResourceLink{ID: title, Title: title}})
		b.open(l.URL())
		return l
	}
	first, second := hold("First"), hold("Second")
	shownFirst := b.open(first.DeliverURL())
	shownSecond := b.open(second.DeliverURL())
	g.Expect(title(shownFirst)).To(Equal("First"))
	g.Expect(title(shownSecond)).To(Equal("Second"))
	g.Expect(title(b.open(shownFirst.url))).To(Equal("First"))
	g.Expect(title(b.open(shownSecond.url))).To(Equal("Second"))
	g.Expect(b.open(toolURL+faketool.ResourcePath).Find("h1").Text()).To(Equal("Second"), "the last one where the URL names none")

	other := p.browser(t)
	expectRefused(t, other.open(shownFirst.url), http.StatusUnauthorized, "Nobody has been launched")
	expectRefused(t, other.open(toolURL+faketool.ResourcePath), http.StatusUnauthorized, "Nobody has been launched")
	site, err := url.Parse(toolURL)
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range b.Jar.Cookies(site) { // it can guess their names, but not their values
		other.Jar.SetCookies(site, []*http.Cookie{{Name: c.Name, Value: "guessed", Path: "/", Secure: true}})
	}
	expectRefused(t, other.open(shownFirst.url), http.StatusUnauthorized, "Nobody has been launched")
	expectLaunched(t, other.open(p.begin(t, fakeplatform.Plan{}).URL()))
	expectRefused(t, other.open(shownFirst.url), http.StatusUnauthorized, "Nobody has been launched")
	expectRefused(t, b.open(toolURL+faketool.ResourcePath+"?launch=x"), http.StatusUnauthorized, "Nobody has been launched")
}

func TestManyBrowsersAtOnce(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() { // a failed expectation ends this goroutine and fails the test
			name := "User " + strconv.Itoa(i)
			shown := p.browser(t).open(p.begin(t, fakeplatform.Plan{User: fakeplatform.User{Sub: "u", Name: name}, LoginByPost: i%2 == 0}).URL())
			expectLaunched(t, shown)
			NewWithT(t).Expect(shown.Find("strong").Text()).To(Equal(name))
		})
	}
	all.Wait()
}

func TestLoginInitiationThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	second := registration()
	second.Issuer = "https://two-clients.example"
	NewWithT(t).Expect(p.tool.Register(second)).To(Succeed())
	second.ClientID = "client-b"
	NewWithT(t).Expect(p.tool.Register(second)).To(Succeed())
	for name, c := range map[string]struct {
		change func(url.Values)
		why    string // none when it can be answered
	}{
		"nothing wrong":           {func(url.Values) {}, ""},
		"no client_id":            {func(v url.Values) { v.Del("client_id") }, ""},
		"one client of two":       {func(v url.Values) { v.Set("iss", second.Issuer) }, ""},
		"neither client of two":   {func(v url.Values) { v.Set("iss", second.Issuer); v.Del("client_id") }, "No platform"},
		"issuer unknown":          {func(v url.Values) { v.Set("iss", "https://<b>evil</b>.example") }, "https://<b>evil</b>.example"},
		"issuer missing":          {func(v url.Values) { v.Del("iss") }, "No platform"},
		"client_id unknown":       {func(v url.Values) { v.Set("client_id", "client-x") }, "client-x"},
		"login_hint missing":      {func(v url.Values) { v.Del("login_hint") }, "no login_hint"},
		"login_hint empty":        {func(v url.Values) { v.Set("login_hint", "") }, "no login_hint"},
		"target_link_uri missing": {func(v url.Values) { v.Del("target_link_uri") }, "no target_link_uri"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			params := url.Values{"iss": {platformURL}, "client_id": {clientID}, "login_hint": {"a"}, "target_link_uri": {p.tool.LaunchURL()}}
			c.change(params)
			b := p.browser(t).still()
			for _, answer := range []page{b.open(p.tool.LoginURL() + "?" + params.Encode()), b.post(p.tool.LoginURL(), params)} {
				if c.why == "" {
					g.Expect(answer.status).To(Equal(http.StatusFound))
					g.Expect(answer.header.Get("Location")).To(HavePrefix(platformURL + "/auth?"))
				} else {
					expectRefused(t, answer, http.StatusBadRequest, c.why)
					g.Expect(answer.header).NotTo(Or(HaveKey("Set-Cookie"), HaveKey("Location")))
				}
			}
		})
	}
}

// refusedBecause says why the tool refuses a launch with a fault, by the fault's
// name or by the requirement that it provokes: for the right reason, that is.
var refusedBecause = map[string]string{
	"sec-tool-state-missing":          "has no state",
	"sec-tool-state-foreign":          "state belongs to no login",
	"state-of-other-browser":          "not begun in this browser",
	"form-submitted-in-other-browser": "not begun in this browser",
	"unsolicited-id-token":            "state belongs to no login",
	"sec-tool-signature-tampered":     "signature of the id_token is not",
	"sec-tool-signature-wrong-key":    "signature of the id_token is not",
	"sec-tool-alg-none":               "instead of RS256",
	"cert-tool-alg-hmac-confusion":    "instead of RS256",
	"cert-tool-kid-unknown":           "has no key",
	"sec-tool-iss":                    "The issuer",
	"sec-tool-aud":                    "The audience",
	"sec-tool-exp":                    "no time of expiry",
	"exp-past":                        "has expired",
	"exp-certification-suite":         "has expired",
	"sec-tool-nonce-missing":          "has no nonce",
	"oidc-tool-nonce-foreign":         "nonce is not the one of this login",
	"replayed-with-same-state":        "used already",
	"replayed-in-new-login":           "nonce is not the one of this login",
	"core-tool-message-type-unknown":  "The message type",
	"core-tool-deployment-id-missing": "The deployment",
}

func TestConformingToolAgainstEveryFaultOfThePlatform(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, f := range fakeplatform.Faults() { // one by one: some change the key set
		t.Run(f.Name, func(t *testing.T) {
			g := NewWithT(t)
			b := p.browser(t)
			plan := fakeplatform.Plan{Fault: &f}
			switch {
			case f.Name == "replayed-in-new-login":
				plan.Other = p.begin(t, fakeplatform.Plan{})
				expectLaunched(t, b.open(plan.Other.URL()))
			case f.Borrows:
				plan.Other, _ = p.hold(p.browser(t)) // a login that is still open elsewhere
			}
			l := p.begin(t, plan)
			shown := b.open(l.URL())
			switch f.Name {
			case "form-submitted-in-other-browser":
				b = p.browser(t)
				shown = b.open(l.DeliverURL())
			case "replayed-with-same-state":
				expectLaunched(t, shown)
				shown = b.open(l.DeliverURL())
			}
			if f.Permitted {
				expectLaunched(t, shown)
				g.Expect(l.Record().AuthenticationRequests[0].Problems).To(BeEmpty())
				return
			}
			why, ok := refusedBecause[f.Name] // where nothing is said, any reason will do
			if !ok {
				why = refusedBecause[f.Provokes]
			}
			status := http.StatusUnauthorized
			if strings.HasPrefix(f.Provokes, "core-tool-") { // genuine, but not what was agreed on
				status = http.StatusBadRequest
			}
			expectRefused(t, shown, status, why)
			if !strings.HasPrefix(f.Name, "replayed-") { // there the browser has been launched before
				expectRefused(t, b.open(toolURL+faketool.ResourcePath), http.StatusUnauthorized, "Nobody has been launched")
			}
			expectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL()))
		})
	}
	expectRefused(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.EmptyAnswer}).URL()), http.StatusBadRequest, "no id_token")
}

// Genuine tokens whose content is not what was agreed on, beyond what the
// platform's faults do.
func TestToolHoldsEveryClaimAgainstItsRegistration(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, c := range map[string]struct {
		change func(lti.Claims)
		status int
	}{
		"nothing":                     {func(lti.Claims) {}, 200},
		"aud an array of one":         {func(c lti.Claims) { c["aud"] = []string{clientID} }, 200},
		"aud an array of two":         {func(c lti.Claims) { c["aud"] = []string{clientID, "client-b"} }, 401},
		"azp the client":              {func(c lti.Claims) { c["azp"] = clientID }, 200},
		"azp somebody else":           {func(c lti.Claims) { c["azp"] = "client-b" }, 401},
		"exp no number":               {func(c lti.Claims) { c["exp"] = true }, 401},
		"iat missing":                 {func(c lti.Claims) { delete(c, "iat") }, 401},
		"nonce no string":             {func(c lti.Claims) { c["nonce"] = 1 }, 401},
		"message type missing":        {func(c lti.Claims) { delete(c, lti.ClaimMessageType) }, 400},
		"version missing":             {func(c lti.Claims) { delete(c, lti.ClaimVersion) }, 400},
		"version of another LTI":      {func(c lti.Claims) { c[lti.ClaimVersion] = "1.3.1" }, 400},
		"target_link_uri missing":     {func(c lti.Claims) { delete(c, lti.ClaimTargetLinkURI) }, 400},
		"resource_link missing":       {func(c lti.Claims) { delete(c, lti.ClaimResourceLink) }, 400},
		"resource_link without id":    {func(c lti.Claims) { c[lti.ClaimResourceLink] = map[string]any{"title": "x"} }, 400},
		"deployment_id unknown":       {func(c lti.Claims) { c[lti.ClaimDeploymentID] = "deployment-2" }, 400},
		"roles missing":               {func(c lti.Claims) { delete(c, lti.ClaimRoles) }, 400},
		"roles no list":               {func(c lti.Claims) { c[lti.ClaimRoles] = lti.RoleLearner }, 400},
		"sub missing":                 {func(c lti.Claims) { delete(c, "sub") }, 400},
		"claims that nobody knows":    {func(c lti.Claims) { c["https://vendor.example/x"] = map[string]any{"a": nil} }, 200},
		"launch_presentation missing": {func(c lti.Claims) { delete(c, lti.ClaimLaunchPresentation) }, 200},
		"return_url that runs as a link": {func(c lti.Claims) {
			c[lti.ClaimLaunchPresentation] = map[string]any{"return_url": "javascript:alert(1)"}
		}, 200},
		"optional claims of another type": {func(c lti.Claims) { c["name"], c[lti.ClaimLaunchPresentation] = 1, "x" }, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b := p.browser(t)
			_, fields := p.hold(b)
			p.resign(t, fields, c.change)
			shown := b.post(p.tool.LaunchURL(), fields)
			g.Expect(shown.status).To(Equal(c.status), shown.why())
			g.Expect(shown.Find("a:not([href^='https://'])").Length()).To(BeZero(), "no link that runs or leads nowhere")
		})
	}
}

func TestClocksMayBeAMinuteApart(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, c := range []struct {
		name string
		skew int64
		why  string // none when it is accepted
	}{
		{"tool a minute behind", -60, ""},
		{"tool further behind", -61, "time of issue"},
		{"token a minute past its expiry", 360, ""},
		{"token further past its expiry", 361, "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.skew.Store(c.skew)
			shown := p.browser(t).open(p.begin(t, fakeplatform.Plan{}).URL())
			if c.why == "" {
				expectLaunched(t, shown)
			} else {
				expectRefused(t, shown, http.StatusUnauthorized, c.why)
			}
		})
	}
}

func TestALoginMayTakeTenMinutes(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, c := range []struct {
		takes int64
		why   string
	}{{600, ""}, {601, "too long"}} {
		b := p.browser(t)
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Path == fakeplatform.AuthPath {
				return http.ErrUseLastResponse
			}
			return nil
		}
		asked := b.open(p.begin(t, fakeplatform.Plan{}).URL()) // the user does something else
		p.passed.Add(c.takes)
		shown := b.open(asked.header.Get("Location"))
		if c.why == "" {
			expectLaunched(t, shown)
		} else {
			expectRefused(t, shown, http.StatusUnauthorized, c.why)
		}
	}
}

func TestKeySetIsFetchedWhenAKeyIsNew(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	launch := func() page { return p.browser(t).open(p.begin(t, fakeplatform.Plan{}).URL()) }

	p.noKeys.Store(true)
	expectRefused(t, launch(), http.StatusUnauthorized, "key set cannot be had")
	b := p.browser(t)
	held, _ := p.hold(b)
	expectRefused(t, b.open(held.DeliverURL()), http.StatusUnauthorized, "key set cannot be had")
	p.noKeys.Store(false)
	expectLaunched(t, b.open(held.DeliverURL()))
	expectLaunched(t, launch())
	g.Expect(p.platform.KeySetFetches()).To(Equal(1), "a known key is not fetched again")

	g.Expect(p.platform.AddKey()).To(Succeed())
	expectLaunched(t, launch())
	p.noKeys.Store(true)
	expectLaunched(t, launch())
	g.Expect(p.platform.KeySetFetches()).To(Equal(2))
}

func TestABadTokenDoesNotUseUpTheLogin(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, spoil := range map[string]func(*testing.T, url.Values){
		"bad signature": func(_ *testing.T, fields url.Values) {
			signed := fields.Get("id_token")
			fields.Set("id_token", signed[:strings.LastIndexByte(signed, '.')+1]+"AAAA")
		},
		"no signature": func(_ *testing.T, fields url.Values) {
			signed := fields.Get("id_token")
			fields.Set("id_token", signed[:strings.LastIndexByte(signed, '.')+1])
		},
		"no token":     func(_ *testing.T, fields url.Values) { fields.Set("id_token", "a.b.c") },
		"token absent": func(_ *testing.T, fields url.Values) { fields.Del("id_token") },
		"genuine, but of another deployment": func(t *testing.T, fields url.Values) {
			p.resign(t, fields, func(c lti.Claims) { c[lti.ClaimDeploymentID] = "deployment-2" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b := p.browser(t)
			l, fields := p.hold(b)
			spoil(t, fields)
			g.Expect(b.post(p.tool.LaunchURL(), fields).status).To(BeElementOf(400, 401))
			g.Expect(p.browser(t).open(l.DeliverURL()).status).To(Equal(401), "nor does another browser")
			expectLaunched(t, b.open(l.DeliverURL()))
			expectRefused(t, b.open(l.DeliverURL()), http.StatusUnauthorized, "used already")
		})
	}
}

func TestOIDCErrorIsShownEscaped(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	shown := p.browser(t).post(p.tool.LaunchURL(), url.Values{
		"error": {"login_required"}, "error_description": {`<script>alert(1)</script> & "more"`}, "state": {"x"},
	})
	expectRefused(t, shown, http.StatusBadRequest, `login_required <script>alert(1)</script> & "more"`)
	g.Expect(shown.Find("script").Length()).To(BeZero())

	// The same in full: the browser that asks has no session at the platform.
	l := p.begin(t, fakeplatform.Plan{})
	initiation := p.browser(t).still().open(l.URL()).header.Get("Location")
	expectRefused(t, p.browser(t).open(initiation), http.StatusBadRequest, "login_required")
}

func TestFaultsAreNamedAndBreakWhatTheCatalogueKnows(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	names := map[string]bool{}
	for _, f := range faketool.Faults() {
		g.Expect(names).NotTo(HaveKey(f.Name))
		names[f.Name] = true
		g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
		g.Expect(f.Permitted || len(f.Breaks) > 0).To(BeTrue(), "%s breaks nothing", f.Name)
		broken := map[string]bool{}
		for _, id := range f.Breaks {
			requirement, ok := requirements.Default().Get(requirements.ID(id))
			g.Expect(ok).To(BeTrue(), "%s breaks %q", f.Name, id)
			g.Expect(requirement.Binds).To(Equal(requirements.Tool), f.Name)
			g.Expect(broken).NotTo(HaveKey(id), f.Name)
			broken[id] = true
		}
		found, ok := faketool.FaultNamed(f.Name)
		g.Expect(ok).To(BeTrue())
		g.Expect(found).To(Equal(f))
	}
	_, ok := faketool.FaultNamed("no-such-fault")
	g.Expect(ok).To(BeFalse())
	g.Expect(names).To(Equal(constants(t)), "each constant names a fault, and each fault has one")

	faketool.Faults()[0].Name = "changed"
	g.Expect(faketool.Faults()[0].Name).NotTo(Equal("changed"), "the caller has a copy")
}

// constants returns the values of the constants that fault.go declares.
func constants(t *testing.T) map[string]bool {
	t.Helper()
	g := NewWithT(t)
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	g.Expect(err).NotTo(HaveOccurred())
	values := map[string]bool{}
	for _, d := range file.Decls {
		if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.CONST {
			for _, spec := range decl.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					value, err := strconv.Unquote(v.(*ast.BasicLit).Value)
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(values).NotTo(HaveKey(value))
					values[value] = true
				}
			}
		}
	}
	return values
}

// The same launch, submitted many times at once, is accepted once.
func TestALaunchSubmittedManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	l := p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer})
	b.open(l.URL())
	_, fields, err := l.Answer()
	g.Expect(err).NotTo(HaveOccurred())
	u, err := url.Parse(toolURL)
	g.Expect(err).NotTo(HaveOccurred())
	const times = 16
	codes := make([]int, times)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			r := httptest.NewRequest(http.MethodPost, toolURL+faketool.LaunchPath, strings.NewReader(fields.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, c := range b.Jar.Cookies(u) {
				r.AddCookie(c)
			}
			answer := httptest.NewRecorder()
			p.tool.ServeHTTP(answer, r)
			codes[i] = answer.Code
		})
	}
	wg.Wait()
	slices.Sort(codes)
	g.Expect(codes[0]).To(Equal(http.StatusSeeOther))
	g.Expect(codes[1:]).To(HaveEach(http.StatusUnauthorized))
}
