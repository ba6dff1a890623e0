package faketool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
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

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

var learner = fakeplatform.User{Sub: "user-1", Name: "Ada Lovelace", Roles: []string{lti.RoleLearner}}

// pair is a platform and a tool that know each other, each on a site of its
// own, and another platform that the tool knows too.
type pair struct {
	platform  *fakeplatform.Platform
	other     *fakeplatform.Platform
	tool      *faketool.Tool
	transport *http.Transport
	noKeys    atomic.Bool  // the platform's key set cannot be had
	skew      atomic.Int64 // seconds by which the tool's clock is ahead of the platform's
	passed    atomic.Int64 // seconds that have passed for both
}

func newPair(t *testing.T, faults ...string) *pair {
	t.Helper()
	return newPairOf(t, faketool.Options{Faults: faults})
}

// newPairOf is a pair whose tool has other options, too.
func newPairOf(t *testing.T, opts faketool.Options) *pair {
	t.Helper()
	g := NewWithT(t)
	p := &pair{}
	platforms, others, tools := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	p.transport = tooltest.Served(t, map[string]http.Handler{"platform.example.com": platforms, "other.example.com": others, "tool.example.com": tools})
	clock := func() time.Time { return tooltest.Noon.Add(time.Duration(p.passed.Load()) * time.Second) }
	key := func(made func() (jwk.Key, error)) jwk.Key {
		key, err := made()
		g.Expect(err).NotTo(HaveOccurred())
		return key
	}
	var err error
	p.platform, err = fakeplatform.New(fakeplatform.Options{URL: tooltest.PlatformURL, Now: clock, Keys: []jwk.Key{key(tooltest.PlatformKey)}})
	g.Expect(err).NotTo(HaveOccurred())
	p.other, err = fakeplatform.New(fakeplatform.Options{URL: tooltest.OtherURL, Now: clock, Keys: []jwk.Key{key(tooltest.OtherKey)}})
	g.Expect(err).NotTo(HaveOccurred())
	opts.URL, opts.Key, opts.Watch, opts.OtherTool = tooltest.ToolURL, key(tooltest.ToolKey), true, faketool.OtherTool{ClientID: "client-b", RedirectURI: tooltest.OtherURL + "/launch"}
	opts.Client = &http.Client{Transport: p.transport, Timeout: 2 * time.Second} // the longest that a key set is waited for
	opts.Now = func() time.Time { return clock().Add(time.Duration(p.skew.Load()) * time.Second) }
	p.tool, err = faketool.New(opts)
	g.Expect(err).NotTo(HaveOccurred())
	platforms.Handle("/", p.platform)
	others.Handle("/", p.other)
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

	for _, platform := range []*fakeplatform.Platform{p.platform, p.other} {
		g.Expect(platform.Register(fakeplatform.Registration{
			ClientID: tooltest.ClientID, LoginURL: p.tool.LoginURL(), RedirectURIs: []string{p.tool.LaunchURL(), p.tool.QueryURI()},
			TargetLinkURI: p.tool.LaunchURL(), DeploymentIDs: []string{"deployment-1", "deployment-b"},
		})).To(Succeed())
	}
	g.Expect(p.tool.Register(registration())).To(Succeed())
	there := registration()
	there.Issuer, there.AuthURL, there.JWKSURL = tooltest.OtherURL, p.other.AuthURL(), tooltest.OtherURL+fakeplatform.JWKSPath
	g.Expect(p.tool.Register(there)).To(Succeed())
	return p
}

func registration() faketool.Registration {
	return faketool.Registration{
		Issuer: tooltest.PlatformURL, ClientID: tooltest.ClientID, AuthURL: tooltest.PlatformURL + fakeplatform.AuthPath,
		JWKSURL: tooltest.PlatformURL + fakeplatform.JWKSPath, DeploymentIDs: []string{"deployment-1", "deployment-b"},
	}
}

func (p *pair) begin(t *testing.T, plan fakeplatform.Plan) *fakeplatform.Launch {
	t.Helper()
	return beginAt(t, p.platform, plan)
}

// with begins a launch with a fault.
func (p *pair) with(t *testing.T, name string) *fakeplatform.Launch {
	t.Helper()
	f, ok := fakeplatform.FaultNamed(name)
	NewWithT(t).Expect(ok).To(BeTrue(), name)
	return p.begin(t, fakeplatform.Plan{Fault: &f})
}

func beginAt(t *testing.T, platform *fakeplatform.Platform, plan fakeplatform.Plan) *fakeplatform.Launch {
	t.Helper()
	plan.ClientID = tooltest.ClientID
	if plan.User.Sub == "" {
		plan.User = learner
	}
	l, err := platform.Begin(plan)
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

func (b browser) open(address string) tooltest.Page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	return b.do(r)
}

func (b browser) post(address string, params url.Values) tooltest.Page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(params.Encode()))
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b browser) do(r *http.Request) tooltest.Page {
	b.t.Helper()
	g := NewWithT(b.t)
	response, err := b.Do(r)
	if failed := (*url.Error)(nil); errors.As(err, &failed) { // where nobody answers is a place, too
		nothing, err := goquery.NewDocumentFromReader(strings.NewReader(""))
		g.Expect(err).NotTo(HaveOccurred())
		return tooltest.Page{URL: failed.URL, Document: nothing}
	}
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	doc, err := goquery.NewDocumentFromReader(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	_, _ = io.Copy(io.Discard, response.Body)
	form := doc.Find("form")
	if form.Length() == 0 {
		return tooltest.Page{URL: response.Request.URL.String(), Status: response.StatusCode, Header: response.Header, Document: doc}
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
	g.Expect(b.open(l.URL()).Status).To(Equal(http.StatusOK))
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

func TestNewRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, address := range []string{"", "tool.example.com", "/tool", "https://", ":"} {
		_, err := faketool.New(faketool.Options{URL: address})
		g.Expect(err).To(MatchError(ContainSubstring("absolute URL")), "%q", address)
	}
	_, err := faketool.New(faketool.Options{URL: tooltest.ToolURL, Faults: []string{faketool.SkipsSignature, "no-such-fault", "nor-this"}})
	g.Expect(err).To(MatchError(And(ContainSubstring(`"no-such-fault"`), ContainSubstring(`"nor-this"`), Not(ContainSubstring(faketool.SkipsSignature)))))
}

func TestToolRegistersAndServesItsKey(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, err := tooltest.ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	tool, err := faketool.New(faketool.Options{URL: tooltest.ToolURL, Key: key})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{tool.LoginURL(), tool.LaunchURL(), tool.JWKSURL()}).To(Equal([]string{tooltest.ToolURL + "/login", tooltest.ToolURL + "/launch", tooltest.ToolURL + "/jwks"}))
	for missing, change := range map[string]func(*faketool.Registration){
		"issuer":                 func(r *faketool.Registration) { r.Issuer = "" },
		"client_id":              func(r *faketool.Registration) { r.ClientID = "" },
		"authorization endpoint": func(r *faketool.Registration) { r.AuthURL = "" },
		"key set URL":            func(r *faketool.Registration) { r.JWKSURL = "" },
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
	g.Expect(published.Keys).To(ConsistOf(And(HaveLen(6), HaveKeyWithValue("use", "sig"), HaveKeyWithValue("kid", key.KeyID()), HaveKey("n"), HaveKey("e"))))
	g.Expect(answer("/nothing").Code).To(Equal(http.StatusNotFound))
	g.Expect(answer("/launch").Code).To(Equal(http.StatusMethodNotAllowed), "a launch is a POST")
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
		tooltest.ExpectLaunched(t, shown)
		g.Expect(shown.Find("strong").Text()).To(Equal(`<b>Ada</b> & "co"`))
		g.Expect(shown.Find("h1").Text()).To(Equal("</h1><script>alert(2)</script> 山"))
		g.Expect(shown.Find("li").Map(func(_ int, li *goquery.Selection) string { return li.Text() })).
			To(Equal([]string{lti.RoleInstructor, `x"><script>alert(1)</script>`}))
		g.Expect(shown.Find("script, b").Length()).To(BeZero())
		g.Expect(shown.Find("#return").AttrOr("href", "")).To(HavePrefix(l.ReturnURL() + "?lti_msg="))
		g.Expect(shown.Header.Get("Cache-Control")).To(Equal("no-store"))

		requests := l.Record().AuthenticationRequests
		g.Expect(requests).To(HaveLen(1))
		g.Expect(requests[0].Problems).To(BeEmpty())
	})
	t.Run("with no more than required", func(t *testing.T) {
		g := NewWithT(t)
		l := p.begin(t, fakeplatform.Plan{User: fakeplatform.User{Sub: "user-2"}, ResourceLink: fakeplatform.ResourceLink{ID: "link-2"}, LoginByPost: true})
		shown := p.browser(t).open(l.URL())
		tooltest.ExpectLaunched(t, shown)
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
	login := b.still().open(p.tool.LoginURL() + "?" + url.Values{"iss": {tooltest.PlatformURL}, "login_hint": {"a"}, "target_link_uri": {tooltest.ToolURL}}.Encode())
	cookie, err := http.ParseSetCookie(login.Header.Get("Set-Cookie"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]bool{cookie.HttpOnly, cookie.Secure, cookie.Partitioned, cookie.SameSite == http.SameSiteNoneMode}).To(HaveEach(true))
}

func TestParallelLaunchesInOneBrowserDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	title := func(shown tooltest.Page) string { tooltest.ExpectLaunched(t, shown); return shown.Find("h1").Text() }
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
	g.Expect(title(b.open(shownFirst.URL))).To(Equal("First"))
	g.Expect(title(b.open(shownSecond.URL))).To(Equal("Second"))
	g.Expect(b.open(tooltest.ToolURL+faketool.ResourcePath).Find("h1").Text()).To(Equal("Second"), "the last one where the URL names none")

	other := p.browser(t)
	tooltest.ExpectRefused(t, other.open(shownFirst.URL), http.StatusUnauthorized, "Nobody has been launched")
	tooltest.ExpectRefused(t, other.open(tooltest.ToolURL+faketool.ResourcePath), http.StatusUnauthorized, "Nobody has been launched")
	site, err := url.Parse(tooltest.ToolURL)
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range b.Jar.Cookies(site) { // it can guess their names, but not their values
		other.Jar.SetCookies(site, []*http.Cookie{{Name: c.Name, Value: "guessed", Path: "/", Secure: true}})
	}
	tooltest.ExpectRefused(t, other.open(shownFirst.URL), http.StatusUnauthorized, "Nobody has been launched")
	tooltest.ExpectLaunched(t, other.open(p.begin(t, fakeplatform.Plan{}).URL()))
	tooltest.ExpectRefused(t, other.open(shownFirst.URL), http.StatusUnauthorized, "Nobody has been launched")
	tooltest.ExpectRefused(t, b.open(tooltest.ToolURL+faketool.ResourcePath+"?launch=x"), http.StatusUnauthorized, "Nobody has been launched")
}

func TestManyBrowsersAtOnce(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() { // a failed expectation ends this goroutine and fails the test
			name := "User " + strconv.Itoa(i)
			shown := p.browser(t).open(p.begin(t, fakeplatform.Plan{User: fakeplatform.User{Sub: "u", Name: name}, LoginByPost: i%2 == 0}).URL())
			tooltest.ExpectLaunched(t, shown)
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
			params := url.Values{"iss": {tooltest.PlatformURL}, "client_id": {tooltest.ClientID}, "login_hint": {"a"}, "target_link_uri": {p.tool.LaunchURL()}}
			c.change(params)
			b := p.browser(t).still()
			for _, answer := range []tooltest.Page{b.open(p.tool.LoginURL() + "?" + params.Encode()), b.post(p.tool.LoginURL(), params)} {
				if c.why == "" {
					g.Expect(answer.Status).To(Equal(http.StatusFound))
					g.Expect(answer.Header.Get("Location")).To(HavePrefix(tooltest.PlatformURL + "/auth?"))
				} else {
					tooltest.ExpectRefused(t, answer, http.StatusBadRequest, c.why)
					g.Expect(answer.Header).NotTo(Or(HaveKey("Set-Cookie"), HaveKey("Location")))
				}
			}
		})
	}
}

// refusedWith is how the tool refuses.
type refusedWith struct {
	status int
	why    string
}

// refusedBecause says how the tool refuses a launch with a fault, by the fault's
// name or, unless it is permitted, by the requirement that it provokes: for the
// right reason, that is. Nothing at all means that it is launched.
var refusedBecause = map[string]refusedWith{
	"sec-tool-login-unknown-issuer":        {400, "No platform with issuer"},
	"sec-tool-login-missing-parameters":    {400, "has no login_hint"},
	"login-target-link-uri-missing":        {400, "has no target_link_uri"},
	"core-tool-login-client-id":            {400, `client_id "clieat-a"`},
	"foreign-target-in-login-and-token":    {400, "none of this tool"},
	"foreign-target-in-login-only":         {}, // only the token says where to go
	"core-tool-target-link-uri-from-token": {400, "none of this tool"},
	"sec-tool-state-missing":               {401, "has no state"},
	"sec-tool-state-foreign":               {401, "state belongs to no login"},
	"iss-unknown-in-both":                  {400, "No platform with issuer"},
	"iss-trailing-slash-in-both":           {400, "No platform with issuer"},
	"aud-other-client-in-both":             {400, "No platform with issuer"},
	"state-of-other-browser":               {401, "not begun in this browser"},
	"form-submitted-in-other-browser":      {401, "not begun in this browser"},
	"form-submitted-after-login":           {401, "not begun in this browser"},
	"form-submitted-during-login":          {401, "not begun in this browser"},
	"unsolicited-id-token":                 {401, "state belongs to no login"},
	"practice-tool-state-single-use":       {401, "nonce is not the one of this login"},
	"sec-tool-issuer-mix-up":               {401, "has no key"},
	"response-by-get":                      {405, "A launch is a POST"},
	"response-in-query-of-post":            {400, "no id_token"},
	"oidc-tool-error-response":             {400, "The platform refused the login: login_required"},
	"sec-tool-signature-tampered":          {401, "signature of the id_token is not"},
	"sec-tool-signature-wrong-key":         {401, "signature of the id_token is not"},
	"return-url-bad-signature":             {401, "signature of the id_token is not"},
	"sec-tool-alg-none":                    {401, "instead of RS256"},
	"cert-tool-alg-hmac-confusion":         {401, "instead of RS256"},
	"rs384":                                {401, "instead of RS256"}, // as is permitted, too
	"rs512":                                {401, "instead of RS256"},
	"es256":                                {401, "has no key"},
	"ps256":                                {401, "instead of RS256"},
	"eddsa":                                {401, "has no key"},
	"rs256-over-ec-kid":                    {401, "has no key"},
	"rfc7515-tool-crit-header":             {401, "extension that is not understood"},
	"sec-tool-embedded-key-not-trusted":    {401, "has no key"},
	"cert-tool-kid-unknown":                {401, "has no key"},
	"cert-tool-kid-missing":                {401, "names no key"},
	"practice-tool-removed-key":            {401, "has no key"},
	"sec-tool-jwks-unavailable":            {401, "key set cannot be had"},
	"key-set-empty":                        {401, "has no key"},
	"sec-tool-iss":                         {401, "The issuer"},
	"return-url-unknown-issuer":            {401, "The issuer"},
	"sec-tool-aud":                         {401, "The audience"},
	"sec-tool-aud-untrusted-additional":    {401, "The audience"},
	"sec-tool-azp-mismatch":                {401, "The audience"},
	"sec-tool-exp":                         {401, "no time of expiry"},
	"exp-past":                             {401, "has expired"},
	"exp-certification-suite":              {401, "has expired"},
	"return-url-expired":                   {401, "has expired"},
	"sec-tool-iat":                         {401, "no time of issue, or one to come"},
	"rfc7519-tool-nbf":                     {401, "not valid yet"},
	"sec-tool-nonce-missing":               {401, "has no nonce"},
	"oidc-tool-nonce-foreign":              {401, "nonce is not the one of this login"},
	"replayed-with-same-state":             {401, "used already"},
	"replayed-at-once":                     {401, "used already"},
	"replayed-later":                       {401, "used already"},
	"replayed-in-other-browser":            {401, "not begun in this browser"},
	"replayed-in-next-login":               {401, "nonce is not the one of this login"},
	"replayed-in-new-login":                {401, "nonce is not the one of this login"},
	"token-empty":                          {400, "no id_token"},
	"token-not-a-jwt":                      {400, "cannot be read"},
	"token-two-parts":                      {400, "cannot be read"},
	"token-five-parts":                     {400, "cannot be read"},
	"token-bad-base64url":                  {400, "cannot be read"},
	"token-payload-array":                  {400, "cannot be read"},
	"roles-string":                         {400, "no roles"},
	"resource-link-string":                 {400, "no resource link"},
	"deployment-id-number":                 {400, "The deployment"},
	"nonce-array":                          {401, "has no nonce"},
	"aud-object":                           {401, "The audience"},
	"sub-number":                           {400, "no user"},
	"header-empty":                         {401, "names no key"},
	"header-good":                          {401, "The issuer"},
	"cert-tool-required-claims-missing":    {400, "The message type"},
	"core-tool-message-type-missing":       {400, "The message type"},
	"core-tool-message-type-unknown":       {400, "The message type"},
	"error-after-validation":               {400, "The message type"},
	"core-tool-version-wrong":              {400, "The version"},
	"core-tool-version-missing":            {400, "The version is absent instead of 1.3.0."},
	"core-tool-deployment-id-missing":      {400, "The deployment"},
	"practice-tool-deployment-id-unknown":  {400, "The deployment"},
	"core-tool-resource-link-missing":      {400, "no resource link"},
	"core-tool-roles-missing":              {400, "no roles"},
	"core-tool-sub-missing":                {400, "no user"},
	"core-tool-target-link-uri-missing":    {400, "absent is none of this tool"},
}

// launchStimuli are those of a resource link launch.
func launchStimuli(of []fakeplatform.Fault) []fakeplatform.Fault {
	return slices.DeleteFunc(of, func(f fakeplatform.Fault) bool {
		r, _ := requirements.Default().Get(requirements.ID(f.Provokes))
		return r.Profile != requirements.Launch
	})
}

// anotherClient is another registration of the tool with the platform, of which the tool knows
// where a test says so.
const anotherClient = "another-client"

// lend makes the launch that a fault borrows from, none where it borrows nothing.
func (p *pair) lend(b browser, f fakeplatform.Fault) *fakeplatform.Launch {
	b.t.Helper()
	switch f.Name {
	case "replayed-in-new-login", "replayed-in-next-login", "state-reused":
		used := p.begin(b.t, fakeplatform.Plan{})
		b.open(used.URL())
		return used
	case "token-of-other-platform":
		return beginAt(b.t, p.other, fakeplatform.Plan{})
	case "aud-other-registration":
		g := NewWithT(b.t)
		g.Expect(p.platform.Register(fakeplatform.Registration{
			ClientID: anotherClient, LoginURL: p.tool.LoginURL(), RedirectURIs: []string{p.tool.LaunchURL()},
			TargetLinkURI: p.tool.LaunchURL(), DeploymentIDs: []string{"deployment-1"},
		})).To(Succeed())
		l, err := p.platform.Begin(fakeplatform.Plan{ClientID: anotherClient, User: learner})
		g.Expect(err).NotTo(HaveOccurred())
		return l
	case "key-set-good-again":
		broken := p.with(b.t, "key-set-500")
		defer broken.End()
		b.open(broken.URL())
		return broken
	case "removed-key-after-5-seconds", "removed-key-after-15-minutes":
		signed := p.begin(b.t, fakeplatform.Plan{Fault: &fakeplatform.NewKeySigns})
		defer signed.End()
		tooltest.ExpectLaunched(b.t, b.open(signed.URL()))
		p.passed.Add(map[bool]int64{true: 5, false: 15 * 60}[strings.Contains(f.Name, "-5-")])
		return signed
	}
	if f.Borrows == "" {
		return nil
	}
	if f.Borrows == fault.OpenLogin {
		open, _ := p.hold(b)
		return open
	}
	open, _ := p.hold(p.browser(b.t)) // a login that is still open elsewhere
	return open
}

// meet makes a launch with a fault and returns where it ends, and in which browser.
func (p *pair) meet(t *testing.T, f fakeplatform.Fault) (l *fakeplatform.Launch, b browser, shown tooltest.Page) {
	t.Helper()
	b = p.browser(t)
	l = p.begin(t, fakeplatform.Plan{Fault: &f, Other: p.lend(p.browserFor(b, f), f)})
	defer l.End()
	shown = b.open(l.URL())
	switch f.Name {
	case "replayed-in-other-browser", "form-submitted-in-other-browser":
		b = p.browser(t)
	case "form-submitted-after-login":
		b = p.browser(t)
		tooltest.ExpectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL()))
	case "form-submitted-during-login":
		b = p.browser(t)
		p.hold(b)
	case "replayed-later":
		p.passed.Add(60)
	case "replayed-with-same-state", "replayed-at-once", "state-reused-at-once":
	default:
		return l, b, shown
	}
	if !fakeplatform.HoldsAnswer(f) {
		tooltest.ExpectLaunched(t, shown)
	}
	return l, b, b.open(l.DeliverURL())
}

// browserFor returns the browser that the other launch of a fault is made in.
func (p *pair) browserFor(b browser, f fakeplatform.Fault) browser {
	if f.Borrows == fault.OpenLogin || slices.Contains([]string{"state-reused", "replayed-in-new-login", "replayed-in-next-login"}, f.Name) {
		return b
	}
	return p.browser(b.t)
}

func TestConformingToolAgainstEveryFaultOfThePlatform(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, f := range launchStimuli(fakeplatform.Stimuli()) { // one by one: some change the key set
		t.Run(f.Name, func(t *testing.T) {
			g := NewWithT(t)
			l, b, shown := p.meet(t, f)
			g.Expect(shown.Find("script, #" + fakeplatform.MarkupID).Length()).To(BeZero())
			g.Expect(p.platform.StrangerAsked()).To(BeZero())
			why, ok := refusedBecause[f.Name]
			if !ok && !f.Permitted {
				why, ok = refusedBecause[f.Provokes]
				g.Expect(ok).To(BeTrue(), "nothing is said of the tool's reaction")
			}
			if why == (refusedWith{}) {
				tooltest.ExpectLaunched(t, shown)
				g.Expect(l.Record().AuthenticationRequests[0].Problems).To(BeEmpty())
				return
			}
			tooltest.ExpectRefused(t, shown, why.status, why.why)
			launchedBefore := strings.HasPrefix(f.Name, "replayed-") && f.Name != "replayed-in-other-browser" || f.Name == "state-reused" || f.Name == "form-submitted-after-login"
			if !launchedBefore {
				tooltest.ExpectRefused(t, b.open(tooltest.ToolURL+faketool.ResourcePath), http.StatusUnauthorized, "Nobody has been launched")
			}
			tooltest.ExpectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL()))
		})
	}
	tooltest.ExpectRefused(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.EmptyAnswer}).URL()), http.StatusBadRequest, "no id_token")

	// To all this, every fault of the tool would have made a difference.
	consulted := p.tool.FaultsReached()
	var unasked []string
	for _, f := range faketool.Defects() {
		if f.Part == "" && !slices.Contains(consulted, f.Name) {
			unasked = append(unasked, f.Name)
		}
	}
	NewWithT(t).Expect(unasked).To(ConsistOf(
		faketool.PublishesShortKey, faketool.PublishesKeyWithoutKID, faketool.PublishesPrivateKey, faketool.NestsKeySet, // nobody asked for the key
		faketool.AcceptsOldTLS,                                      // the server's
		faketool.KnowsOneDeployment, faketool.SwapsOverlappingUsers, // only one deployment was launched, and one user at a time
		faketool.RefusesManyCookies, faketool.ForgetsOldLogins, // nor did a browser begin many logins
		faketool.GluesEndpointQuery, faketool.DropsEndpointQuery, faketool.EscapesEndpointQuery, // no authorization endpoint has a query
		faketool.AcceptsTokenOfOtherClient,                                   // nor does the tool know of another registration with the platform
		faketool.KeepsFirstUserOfBrowser, faketool.TakesAnonymousForLastUser, // no browser is launched as two users
		faketool.OpensPagesByAddress, // nor opens the page that another one was launched on
	))
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
		"aud an array of one":         {func(c lti.Claims) { c["aud"] = []string{tooltest.ClientID} }, 200},
		"aud an array of two":         {func(c lti.Claims) { c["aud"] = []string{tooltest.ClientID, "client-b"} }, 401},
		"azp the client":              {func(c lti.Claims) { c["azp"] = tooltest.ClientID }, 200},
		"azp somebody else":           {func(c lti.Claims) { c["azp"] = "client-b" }, 401},
		"exp no number":               {func(c lti.Claims) { c["exp"] = true }, 401},
		"iat missing":                 {func(c lti.Claims) { delete(c, "iat") }, 401},
		"nonce no string":             {func(c lti.Claims) { c["nonce"] = 1 }, 401},
		"message type missing":        {func(c lti.Claims) { delete(c, lti.ClaimMessageType) }, 400},
		"version missing":             {func(c lti.Claims) { delete(c, lti.ClaimVersion) }, 400},
		"version of another LTI":      {func(c lti.Claims) { c[lti.ClaimVersion] = "1.3.1" }, 400},
		"target_link_uri missing":     {func(c lti.Claims) { delete(c, lti.ClaimTargetLinkURI) }, 400},
		"target_link_uri no string":   {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = []string{tooltest.ToolURL} }, 400},
		"target_link_uri further in":  {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = tooltest.ToolURL + "/a/b?c=d" }, 200},
		"target_link_uri elsewhere":   {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = "https://evil.example/launch" }, 400},
		"target_link_uri longer host": {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = tooltest.ToolURL + ".evil.example/launch" }, 400},
		"target_link_uri a user name": {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = tooltest.ToolURL + "@evil.example/launch" }, 400},
		"target_link_uri other port":  {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = tooltest.ToolURL + ":8443/launch" }, 400},
		"target_link_uri no TLS":      {func(c lti.Claims) { c[lti.ClaimTargetLinkURI] = "http://tool.example.com/launch" }, 400},
		"resource_link missing":       {func(c lti.Claims) { delete(c, lti.ClaimResourceLink) }, 400},
		"resource_link id a number":   {func(c lti.Claims) { c[lti.ClaimResourceLink] = map[string]any{"id": 1} }, 400},
		"resource_link id null":       {func(c lti.Claims) { c[lti.ClaimResourceLink] = map[string]any{"id": nil} }, 400},
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
			g.Expect(shown.Status).To(Equal(c.status), shown.Why())
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
				tooltest.ExpectLaunched(t, shown)
			} else {
				tooltest.ExpectRefused(t, shown, http.StatusUnauthorized, c.why)
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
		shown := b.open(asked.Header.Get("Location"))
		if c.why == "" {
			tooltest.ExpectLaunched(t, shown)
		} else {
			tooltest.ExpectRefused(t, shown, http.StatusUnauthorized, c.why)
		}
	}
}

func TestKeySetIsFetchedWhenAKeyIsNew(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	launch := func() tooltest.Page { return p.browser(t).open(p.begin(t, fakeplatform.Plan{}).URL()) }

	p.noKeys.Store(true)
	tooltest.ExpectRefused(t, launch(), http.StatusUnauthorized, "key set cannot be had")
	b := p.browser(t)
	held, _ := p.hold(b)
	tooltest.ExpectRefused(t, b.open(held.DeliverURL()), http.StatusUnauthorized, "key set cannot be had")
	p.noKeys.Store(false)
	tooltest.ExpectLaunched(t, b.open(held.DeliverURL()))
	tooltest.ExpectLaunched(t, launch())
	g.Expect(p.platform.KeySetFetches()).To(Equal(1), "a known key is not fetched again")

	g.Expect(p.platform.AddKey()).To(Succeed())
	tooltest.ExpectLaunched(t, launch())
	p.noKeys.Store(true)
	tooltest.ExpectLaunched(t, launch())
	g.Expect(p.platform.KeySetFetches()).To(Equal(2))
}

func TestKeySetIsKeptAsLongAsItSays(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	launch := func() {
		t.Helper()
		tooltest.ExpectLaunched(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{}).URL()))
	}
	fetches := func(want int) { t.Helper(); g.Expect(p.platform.KeySetFetches()).To(Equal(want)) }

	launch()
	p.passed.Add(599)
	launch()
	fetches(1)
	p.passed.Add(1)
	launch()
	fetches(2) // it says nothing, and is kept for ten minutes

	signed := p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.NewKeySigns})
	tooltest.ExpectLaunched(t, p.browser(t).open(signed.URL()))
	fetches(3)
	signed.End()
	withdrawn, ok := fakeplatform.FaultNamed("removed-key-after-5-seconds")
	g.Expect(ok).To(BeTrue())
	again := func() tooltest.Page {
		return p.browser(t).open(p.begin(t, fakeplatform.Plan{Fault: &withdrawn, Other: signed}).URL())
	}
	tooltest.ExpectLaunched(t, again())
	fetches(3) // it may be kept for a second, which has not passed
	p.passed.Add(1)
	tooltest.ExpectRefused(t, again(), http.StatusUnauthorized, "has no key")
	fetches(4)
	launch()
}

func TestPageTellsTeachersFromLearners(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, c := range []struct {
		roles   []string
		teacher bool
	}{
		{[]string{lti.RoleInstructor}, true},
		{[]string{lti.RoleLearner, lti.RoleInstructor}, true},
		{[]string{lti.RoleTeachingAssistant}, true},
		{[]string{"Instructor"}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{lti.RoleLearner}, false},
		{[]string{"Learner"}, false},
		{[]string{lti.RoleLearner, lti.RoleLearnerInstructor}, false},
		{[]string{lti.RoleLearner + "Instructor"}, false},
		{[]string{lti.RoleInstitutionInstructor}, false},
		{[]string{fakeplatform.Stranger + "/Instructor"}, false},
		{[]string{"instructor"}, false},
	} {
		g := NewWithT(t)
		shown := p.browser(t).open(p.begin(t, fakeplatform.Plan{User: fakeplatform.User{Sub: "user-1", Roles: c.roles}}).URL())
		tooltest.ExpectLaunched(t, shown)
		g.Expect(shown.Find("#teacher").Length() == 1).To(Equal(c.teacher), "%v", c.roles)
		g.Expect(shown.Find("#learner").Length() == 1).NotTo(Equal(c.teacher), "%v", c.roles)
	}
}

func TestUsersAndLinksAreToldApart(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	marks := func(t *testing.T, l *fakeplatform.Launch) (user, link string) {
		t.Helper()
		shown := p.browser(t).open(l.URL())
		tooltest.ExpectLaunched(t, shown)
		user, link = shown.Find("#user").Text(), shown.Find("#link").Text()
		NewWithT(t).Expect(user).To(MatchRegexp(`^user-[1-9]\d*$`))
		NewWithT(t).Expect(link).To(MatchRegexp(`^link-[1-9]\d*$`))
		return user, link
	}
	ada := fakeplatform.User{Sub: "user-1", Email: "ada@school.example"}
	audArray, _ := fakeplatform.FaultNamed("aud-one-element-array")
	user, link := marks(t, p.begin(t, fakeplatform.Plan{User: ada}))
	for name, c := range map[string]struct {
		at                 *fakeplatform.Platform
		plan               fakeplatform.Plan
		sameUser, sameLink bool
	}{
		"the same again":              {p.platform, fakeplatform.Plan{}, true, true},
		"another name and email":      {p.platform, fakeplatform.Plan{User: fakeplatform.User{Sub: "user-1", Name: "Ada", Email: "a@b.example"}}, true, true},
		"another sub":                 {p.platform, fakeplatform.Plan{User: fakeplatform.User{Sub: "user-2", Email: ada.Email}}, false, true},
		"another link":                {p.platform, fakeplatform.Plan{ResourceLink: fakeplatform.ResourceLink{ID: "link-2"}}, true, false},
		"another title":               {p.platform, fakeplatform.Plan{ResourceLink: fakeplatform.ResourceLink{ID: "link-1", Title: "New"}}, true, true},
		"another course":              {p.platform, fakeplatform.Plan{Context: fakeplatform.Context{ID: "course-2"}}, true, true},
		"aud an array of one":         {p.platform, fakeplatform.Plan{User: ada, Fault: &audArray}, true, true},
		"another deployment":          {p.platform, fakeplatform.Plan{DeploymentID: "deployment-b"}, true, false},
		"another platform":            {p.other, fakeplatform.Plan{}, false, false},
		"another platform deployment": {p.other, fakeplatform.Plan{DeploymentID: "deployment-b"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			if c.plan.User.Sub == "" {
				c.plan.User = ada
			}
			otherUser, otherLink := marks(t, beginAt(t, c.at, c.plan))
			g.Expect(otherUser == user).To(Equal(c.sameUser))
			g.Expect(otherLink == link).To(Equal(c.sameLink))
			again, againLink := marks(t, beginAt(t, c.at, c.plan))
			g.Expect([]string{again, againLink}).To(Equal([]string{otherUser, otherLink}))
		})
	}
}

func TestAnonymousUserIsNobody(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	b := p.browser(t)
	tooltest.ExpectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL()))
	for _, f := range fakeplatform.FaultsFor("core-tool-anonymous-launch") {
		g := NewWithT(t)
		shown := b.open(p.with(t, f.Name).URL())
		tooltest.ExpectLaunched(t, shown)
		g.Expect(shown.Find("strong").Text()).To(Equal("anonymous"), f.Name)
		g.Expect(shown.Find("#user").Length()).To(BeZero(), f.Name)
		g.Expect(shown.Text()).NotTo(ContainSubstring(learner.Name), f.Name)
		g.Expect(shown.Find("#link").Length()).To(Equal(1), f.Name)
	}
}

func TestPageOpensTheResourceOfTheToken(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	chapter := func(l *fakeplatform.Launch) string {
		shown := p.browser(t).open(l.URL())
		tooltest.ExpectLaunched(t, shown)
		_, chapter, _ := strings.Cut(strings.Join(strings.Fields(shown.Find("p").Eq(1).Text()), " "), "chapter ")
		return chapter
	}
	g.Expect(chapter(p.begin(t, fakeplatform.Plan{}))).To(BeEmpty())
	g.Expect(chapter(p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.Chapter1}))).To(Equal("1."))
	g.Expect(chapter(p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.Chapter2}))).To(Equal("2."))
	g.Expect(chapter(p.with(t, "target-link-uri-of-other-resource"))).To(Equal("2."))
}

func TestReturnKeepsWhatTheReturnURLHas(t *testing.T) {
	t.Parallel()
	t.Run("by the link on the page", func(t *testing.T) {
		t.Parallel()
		for fault, own := range map[string]string{
			"": "lti_msg=", "exit-button": fakeplatform.ReturnQuery + "&lti_msg=",
			faketool.DropsReturnQuery: "lti_msg=", faketool.AddsOwnReturnParameters: fakeplatform.ReturnQuery + "&lti_msg=",
		} {
			g := NewWithT(t)
			var faults []string
			if _, ok := faketool.FaultNamed(fault); ok {
				faults = []string{fault}
			}
			p := newPair(t, faults...)
			l := p.begin(t, fakeplatform.Plan{})
			if fault != "" {
				l = p.with(t, "exit-button")
			}
			b := p.browser(t)
			shown := b.open(l.URL())
			tooltest.ExpectLaunched(t, shown)
			link := shown.Find("#return").AttrOr("href", "")
			g.Expect(link).To(HavePrefix(l.ReturnURL() + "?" + own))
			g.Expect(strings.HasSuffix(link, "#frag")).To(Equal(fault != ""), link)
			g.Expect(b.open(link).Status).To(Equal(http.StatusOK))
			returned := l.Record().Returns
			g.Expect(returned).To(HaveLen(1))
			g.Expect(returned[0].Message).To(Equal("You have left the tool."))
			g.Expect(strings.Contains(returned[0].RawQuery, "session=1")).To(Equal(fault == faketool.AddsOwnReturnParameters))
		}
	})
	t.Run("by a refusal", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		p := newPair(t, faketool.ReturnsRefusals)
		l := p.with(t, "error-after-validation")
		shown := p.browser(t).open(l.URL())
		g.Expect(shown.URL).To(And(HavePrefix(l.ReturnURL()+"?"+fakeplatform.ReturnQuery+"&"), HaveSuffix("#frag")))
		returned := l.Record().Returns
		g.Expect(returned).To(HaveLen(1))
		g.Expect(returned[0].ErrorMessage).To(Equal("The launch was refused."))
		g.Expect(returned[0].ErrorLog).To(ContainSubstring("The message type"))
		g.Expect(returned[0].RawQuery).To(HavePrefix(fakeplatform.ReturnQuery + "&lti_error"))
	})
	t.Run("never by a refusal of what is not genuine", func(t *testing.T) {
		t.Parallel()
		p := newPair(t, faketool.ReturnsRefusals)
		for _, name := range []string{"return-url-bad-signature", "return-url-unknown-issuer", "signature-empty", "aud-other-client"} {
			l := p.with(t, name)
			tooltest.ExpectRefused(t, p.browser(t).open(l.URL()), http.StatusUnauthorized, "")
			NewWithT(t).Expect(l.Record().Returns).To(BeEmpty(), name)
		}
	})
}

func TestEndpointKeepsItsQuery(t *testing.T) {
	t.Parallel()
	for fault, at := range map[string]struct{ path, tenant string }{
		"": {"/auth", "7"}, faketool.DropsEndpointQuery: {"/auth", ""}, faketool.GluesEndpointQuery: {"/auth", "7?scope=openid"}, faketool.EscapesEndpointQuery: {"/auth%3Ftenant=7", ""},
	} {
		g := NewWithT(t)
		p := newPair(t, slices.DeleteFunc([]string{fault}, func(f string) bool { return f == "" })...)
		r := registration()
		r.AuthURL += "?tenant=7"
		g.Expect(p.tool.Register(r)).To(Succeed())
		l := p.begin(t, fakeplatform.Plan{})
		tooltest.ExpectLaunched(t, p.browser(t).open(l.URL()))
		asked := l.Record().AuthenticationRequests
		g.Expect(asked).To(HaveLen(1))
		g.Expect(asked[0].Path).To(Equal(at.path), fault)
		g.Expect(asked[0].Query.Get("tenant")).To(Equal(at.tenant), fault)
	}
}

func TestFaultsReachedNamesTheFaultsThatWouldHaveMadeADifference(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	g.Expect(p.tool.FaultsReached()).To(BeEmpty(), "nothing was asked")
	tooltest.ExpectLaunched(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{}).URL()))
	valid := p.tool.FaultsReached()
	g.Expect(slices.IsSorted(valid)).To(BeTrue())
	g.Expect(valid).To(And(
		ContainElements(faketool.OmitsPrompt, faketool.ShortNonce, faketool.LoginOnlyByPost, faketool.SetsNoStateCookie),
		Not(ContainElement(BeElementOf(faketool.LoginOnlyByGet, faketool.SkipsSignature, faketool.IgnoresExpiry, faketool.AcceptsMissingState))),
	))
	g.Expect(p.tool.FaultsReached()).To(BeEmpty(), "they were taken")

	p.browser(t).open(p.with(t, "exp-past").URL())
	g.Expect(p.tool.FaultsReached()).To(And(ContainElement(faketool.IgnoresExpiry), Not(ContainElement(faketool.IgnoresNotBefore))))
	p.browser(t).open(p.with(t, "nbf-future").URL())
	g.Expect(p.tool.FaultsReached()).To(And(ContainElement(faketool.IgnoresNotBefore), Not(ContainElement(faketool.IgnoresExpiry))))
}

func TestABadTokenDoesNotUseUpTheLogin(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, change := range map[string]func(*testing.T, url.Values){
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
			change(t, fields)
			g.Expect(b.post(p.tool.LaunchURL(), fields).Status).To(BeElementOf(400, 401))
			g.Expect(p.browser(t).open(l.DeliverURL()).Status).To(Equal(401), "nor does another browser")
			tooltest.ExpectLaunched(t, b.open(l.DeliverURL()))
			tooltest.ExpectRefused(t, b.open(l.DeliverURL()), http.StatusUnauthorized, "used already")
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
	tooltest.ExpectRefused(t, shown, http.StatusBadRequest, `login_required <script>alert(1)</script> & "more"`)
	g.Expect(shown.Find("script").Length()).To(BeZero())

	for _, name := range []string{"error-with-state", "error-without-state", "error-with-id-token"} {
		shown := p.browser(t).open(p.with(t, name).URL())
		tooltest.ExpectRefused(t, shown, http.StatusBadRequest, "login_required "+fakeplatform.Markup)
		g.Expect(shown.Find("script, #"+fakeplatform.MarkupID).Length()).To(BeZero(), name)
	}

	// The same in full: the browser that asks has no session at the platform.
	l := p.begin(t, fakeplatform.Plan{})
	initiation := p.browser(t).still().open(l.URL()).Header.Get("Location")
	tooltest.ExpectRefused(t, p.browser(t).open(initiation), http.StatusBadRequest, "login_required")
}

func TestDefectsAreNamedAndProveWhatTheCatalogueKnows(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	names := map[string]bool{}
	for _, f := range faketool.Defects() {
		g.Expect(names).NotTo(HaveKey(f.Name))
		names[f.Name] = true
		g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
		g.Expect(f.Permitted || f.Proves != "").To(BeTrue(), "%s proves nothing", f.Name)
		if f.Proves != "" {
			requirement, ok := requirements.Default().Get(requirements.ID(f.Proves))
			g.Expect(ok).To(BeTrue(), "%s proves %q", f.Name, f.Proves)
			g.Expect(requirement.Binds).To(Equal(requirements.Tool), f.Name)
		}
		found, ok := faketool.FaultNamed(f.Name)
		g.Expect(ok).To(BeTrue())
		g.Expect(found).To(Equal(f))
	}
	_, ok := faketool.FaultNamed("no-such-fault")
	g.Expect(ok).To(BeFalse())
	declared := constants(t, "fault.go")
	for _, further := range []string{"grades/defects.go"} {
		maps.Copy(declared, constants(t, further))
	}
	for name := range declared {
		g.Expect(names).To(HaveKey(name), "each constant names a fault")
	}

	faketool.Defects()[0].Name = "changed"
	g.Expect(faketool.Defects()[0].Name).NotTo(Equal("changed"), "the caller has a copy")
}

// A launch of one user at one platform shows the others: these take more, or
// something else than a launch.
var shownOtherwise = []string{
	faketool.ShowsOwnSessionInstead, faketool.ShowsClassmates, faketool.NamesGuests, faketool.WritesReturnQueryAnew, faketool.IgnoresError, // TestUnusualConduct
	faketool.NeedsResourceParameter, faketool.NeedsCourseNumber, // TestToolThatNeedsToBeToldMore
	faketool.CountsNonce, faketool.CountsState, faketool.SetsNoStateCookie, faketool.KeepsOneLoginPerBrowser,
	faketool.NotesUseLate, faketool.NotesStateLate, faketool.RefusesManyCookies, faketool.ForgetsOldLogins, // once_test.go
	faketool.DropsEndpointQuery, faketool.GluesEndpointQuery, faketool.EscapesEndpointQuery, faketool.KnowsOneDeployment,
	faketool.FetchesCertificateURL, faketool.WaitsForKeys, faketool.TakesAnonymousForLastUser, faketool.IgnoresClientID,
	faketool.KnowsUsersByEmail, faketool.KnowsUsersBySubAlone, faketool.KnowsUsersByAllClaims, faketool.SwapsOverlappingUsers,
	faketool.KeepsFirstUserOfBrowser,   // TestAnotherUserInTheSameBrowser
	faketool.AcceptsTokenOfOtherClient, // TestTokenForAnotherRegistrationOfTheTool
	faketool.SwapsOverlappingLoginHints, faketool.DropsMessageHintOfPost,
	faketool.KnowsLinksByIDAlone, faketool.AcceptsOldTLS, faketool.PublishesShortKey, faketool.PublishesKeyWithoutKID,
	faketool.PublishesPrivateKey, faketool.NestsKeySet, faketool.ForbidsFraming, faketool.StateCookieWithoutSameSite, faketool.StateCookieUnpartitioned,
	faketool.NeedsOwnWindow, faketool.ReturnsRefusals,
	faketool.OpensPagesByAddress, faketool.NumbersPages, faketool.KnowsUsersByAddresses, faketool.PassesIDTokenOn, // addresses_test.go
	faketool.TellsPlatformsSessions, faketool.KeepsStateInCookie, faketool.TellsCookieInState,
	faketool.KeepsStateInLocalStorage, // TestToolThatKeepsItsStateInLocalStorage
}

// outcome says what can be seen of a launch with a fault of the platform.
func (p *pair) outcome(t *testing.T, f fakeplatform.Fault) string {
	t.Helper()
	l, b, shown := p.meet(t, f)
	request, _ := l.Request()
	back := strings.Replace(shown.Find("#return").AttrOr("href", ""), l.ReturnURL(), "", 1)
	return fmt.Sprint(
		shown.Status, strings.HasPrefix(shown.URL, tooltest.ToolURL), shown.Find("strong").Text(), shown.Find("#teacher").Length(),
		shown.Find("p").Eq(1).Contents().Last().Text(), shown.Find("#"+fakeplatform.MarkupID).Length(), back,
		len(request.Get("state")), len(request.Get("nonce")), request.Get("state") == request.Get("nonce"),
		b.open(tooltest.ToolURL+faketool.ResourcePath).Status,
	)
}

func TestEachFaultOfTheToolShows(t *testing.T) {
	t.Parallel()
	conforming := newPair(t)
	var one sync.Mutex
	known := map[string]string{}
	expected := func(t *testing.T, f fakeplatform.Fault) string {
		one.Lock()
		defer one.Unlock()
		if known[f.Name] == "" {
			known[f.Name] = conforming.outcome(t, f)
		}
		return known[f.Name]
	}
	for _, fault := range faketool.Defects() {
		if fault.Part != "" || slices.Contains(shownOtherwise, fault.Name) {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, fault.Name)
			stimuli := []fakeplatform.Fault{{Name: "none", Permitted: true}}
			stimuli = append(stimuli, launchStimuli(fakeplatform.FaultsFor(fault.Proves))...)
			stimuli = append(stimuli, launchStimuli(fakeplatform.Faults())...)
			for _, f := range stimuli {
				if f.Name != "key-set-hangs" && p.outcome(t, f) != expected(t, f) {
					return
				}
			}
			t.Errorf("%s: a launch with any of %d faults ends as with a conforming tool", fault.Does, len(stimuli))
		})
	}
}

func TestTokenForAnotherRegistrationOfTheTool(t *testing.T) {
	t.Parallel()
	other, ok := fakeplatform.FaultNamed("aud-other-registration")
	NewWithT(t).Expect(ok).To(BeTrue())
	for _, fault := range []string{"", faketool.AcceptsTokenOfOtherClient} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			p := newPairWith(t, fault)
			known := registration()
			known.ClientID = anotherClient
			NewWithT(t).Expect(p.tool.Register(known)).To(Succeed())
			_, _, shown := p.meet(t, other)
			if fault == "" {
				tooltest.ExpectRefused(t, shown, http.StatusUnauthorized, "The audience")
				NewWithT(t).Expect(p.tool.FaultsReached()).To(ContainElement(faketool.AcceptsTokenOfOtherClient))
			} else {
				tooltest.ExpectLaunched(t, shown)
			}
			tooltest.ExpectLaunched(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{}).URL()))
		})
	}
}

func TestAnotherUserInTheSameBrowser(t *testing.T) {
	t.Parallel()
	grace := fakeplatform.User{Sub: "user-2", Name: "Grace Hopper"}
	for fault, want := range map[string]string{"": grace.Name, faketool.KeepsFirstUserOfBrowser: learner.Name} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := newPairWith(t, fault)
			b := p.browser(t)
			launched := func(b browser, user fakeplatform.User) string {
				shown := b.open(p.begin(t, fakeplatform.Plan{User: user}).URL())
				tooltest.ExpectLaunched(t, shown)
				return shown.Find("strong").Text()
			}
			g.Expect(launched(b, learner)).To(Equal(learner.Name))
			p.tool.FaultsReached()
			g.Expect(launched(b, grace)).To(Equal(want))
			g.Expect(p.tool.FaultsReached()).To(ContainElement(faketool.KeepsFirstUserOfBrowser))
			g.Expect(launched(p.browser(t), grace)).To(Equal(grace.Name), "in a browser of her own")
		})
	}
}

func TestToolThatNeedsToBeToldMore(t *testing.T) {
	t.Parallel()
	for fault, needs := range map[string]fakeplatform.Needs{
		faketool.NeedsResourceParameter: {Custom: map[string]string{"resource": "$ResourceLink.id"}},
		faketool.NeedsCourseNumber:      {Claims: map[string]any{lti.ClaimLIS: map[string]any{"course_offering_sourcedid": "AN-1"}}},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, fault)
			alone, _ := fakeplatform.FaultNamed("required-claims-only")
			for _, f := range []*fakeplatform.Fault{nil, &alone} {
				tooltest.ExpectRefused(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{Fault: f}).URL()), http.StatusBadRequest, "The launch does not say")
				tooltest.ExpectLaunched(t, p.browser(t).open(p.begin(t, fakeplatform.Plan{Fault: f, Needs: needs}).URL()))
			}
		})
	}
}

func TestUnusualConduct(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stimulus string
		shows    func(tooltest.Page) string
		usually  string
		now      string
	}{
		faketool.ShowsClassmates:       {"teacher-without-role", func(p tooltest.Page) string { return p.Find("ol li").Text() }, "", "Ada Lovelace"},
		faketool.NamesGuests:           {"anonymous-learner", func(p tooltest.Page) string { return p.Find("#user").Text() }, "", "guest"},
		faketool.WritesReturnQueryAnew: {"exit-button", func(p tooltest.Page) string { return p.Find("#return").AttrOr("href", "") }, "?course=7&x=a%20b&", "x=a+b"},
		faketool.IgnoresError:          {"error-with-id-token", func(p tooltest.Page) string { return p.Find("strong").Text() }, "", "Ada Lovelace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			f, ok := fakeplatform.FaultNamed(c.stimulus)
			g.Expect(ok).To(BeTrue())
			for _, faults := range [][]string{nil, {name}} {
				p := newPair(t, faults...)
				shown := p.browser(t).open(p.begin(t, fakeplatform.Plan{Fault: &f}).URL())
				if f.Permitted || faults != nil {
					tooltest.ExpectLaunched(t, shown)
				}
				g.Expect(c.shows(shown)).To(ContainSubstring(map[bool]string{true: c.usually, false: c.now}[faults == nil]))
				if faults == nil {
					g.Expect(c.shows(shown)).NotTo(ContainSubstring(c.now))
				}
			}
		})
	}
}

// A page keeps in the browser's storage what binds the state, and another one reads it there.
func TestToolThatKeepsItsStateInLocalStorage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t, faketool.KeepsStateInLocalStorage)
	b := p.browser(t)
	l := p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer})
	stores := b.open(l.URL())
	g.Expect(stores.Header.Values("Set-Cookie")).To(BeEmpty())
	does := regexp.MustCompile(`setItem\(("[^"]*"), ("[^"]*")\); location.replace\(("[^"]*")\)`).FindStringSubmatch(stores.Find("script").Text())
	g.Expect(does).To(HaveLen(4))
	var said [3]string
	for i := range said {
		g.Expect(json.Unmarshal([]byte(does[i+1]), &said[i])).To(Succeed())
	}
	g.Expect(b.open(said[2]).Status).To(Equal(http.StatusOK))
	action, fields, err := l.Answer()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(said[0]).To(HaveSuffix(fields.Get(lti.ParamState)))
	for _, bound := range []string{"", "something else"} {
		fields.Set("bound", bound)
		tooltest.ExpectRefused(t, b.post(action, fields), http.StatusUnauthorized, "not begun in this browser")
	}
	fields.Del("bound")
	tooltest.ExpectRefused(t, b.post(action, fields), http.StatusUnauthorized, "not begun in this browser") // a page in between, whose form goes on without scripts
	fields.Set("bound", said[1])
	tooltest.ExpectLaunched(t, b.post(action, fields))
}

// constants returns the values of the untyped constants that a file declares.
func constants(t *testing.T, name string) map[string]bool {
	t.Helper()
	g := NewWithT(t)
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	g.Expect(err).NotTo(HaveOccurred())
	values := map[string]bool{}
	for _, d := range file.Decls {
		if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.CONST {
			for _, spec := range decl.Specs {
				if spec.(*ast.ValueSpec).Type != nil {
					continue
				}
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
	u, err := url.Parse(tooltest.ToolURL)
	g.Expect(err).NotTo(HaveOccurred())
	const times = 16
	codes := make([]int, times)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			r := httptest.NewRequest(http.MethodPost, tooltest.ToolURL+faketool.LaunchPath, strings.NewReader(fields.Encode()))
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
