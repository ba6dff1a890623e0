package platformtest

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
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/lti"
)

// What is known of the platform and of its tool. Servers of httptest have a certificate for the
// platform's host, and their clients reach them by it; no tool answers, the tests play its part.
const (
	PlatformURL = "https://platform.example.com"
	LoginURL    = "https://tool.example/login?tenant=7"
	RedirectURI = "https://tool.example/launch?tenant=7&step=2"
	TargetURI   = "https://tool.example/target"
	ClientID    = "client-a"
)

// Noon is when most tests take place.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Learner is the user of most launches.
var Learner = fakeplatform.User{Sub: "user-1", Name: "Ada Lovelace", Roles: []string{lti.RoleLearner}}

// Keys are costly to make; the tests share these.
var (
	FirstKey  = sync.OnceValues(lti.NewKey)
	secondKey = sync.OnceValues(lti.NewKey)
)

// SharedKeys are the keys that the tests share.
func SharedKeys(t *testing.T) []jwk.Key {
	t.Helper()
	g := NewWithT(t)
	first, err := FirstKey()
	g.Expect(err).NotTo(HaveOccurred())
	second, err := secondKey()
	g.Expect(err).NotTo(HaveOccurred())
	return []jwk.Key{first, second}
}

// Registration is that of the tests' tool.
func Registration() fakeplatform.Registration {
	return fakeplatform.Registration{
		ClientID: ClientID, LoginURL: LoginURL, TargetLinkURI: TargetURI,
		RedirectURIs: []string{RedirectURI, "https://tool.example/second"}, DeploymentIDs: []string{"deployment-1", "deployment-2"},
	}
}

// Site is a platform on a server of its own, with one tool registered.
type Site struct {
	*fakeplatform.Platform
	Server    *httptest.Server
	mu        sync.Mutex
	unplanned []fakeplatform.Unplanned
}

// Serve serves a platform until the test ends.
func Serve(t *testing.T, changes ...func(*fakeplatform.Options)) *Site {
	t.Helper()
	s := &Site{}
	options := fakeplatform.Options{
		URL: PlatformURL, Keys: SharedKeys(t)[:1], Now: func() time.Time { return Noon }, Watch: true,
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
	NewWithT(t).Expect(p.Register(Registration())).To(Succeed())
	s.Platform, s.Server = p, httptest.NewTLSServer(p)
	t.Cleanup(s.Server.Close)
	return s
}

// Begins begins a launch of the tool; what the plan leaves out is usual.
func (s *Site) Begins(t *testing.T, plan fakeplatform.Plan) *fakeplatform.Launch {
	t.Helper()
	if plan.ClientID == "" {
		plan.ClientID = ClientID
	}
	if plan.User.Sub == "" {
		plan.User = Learner
	}
	l, err := s.Begin(plan)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return l
}

// Fault is the one of that name.
func Fault(t *testing.T, name string) *fakeplatform.Fault {
	t.Helper()
	f, ok := fakeplatform.FaultNamed(name)
	NewWithT(t).Expect(ok).To(BeTrue(), name)
	return &f
}

// Whys returns why requests were unplanned.
func (s *Site) Whys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	whys := []string{}
	for _, u := range s.unplanned {
		whys = append(whys, u.Method+" "+u.URL+": "+u.Why)
	}
	return whys
}

// Browser keeps cookies but follows nothing by itself.
type Browser struct {
	t      *testing.T
	Client *http.Client
}

// Browser returns a new browser.
func (s *Site) Browser(t *testing.T) Browser {
	jar, err := cookiejar.New(nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return Browser{t, &http.Client{
		Jar: jar, Transport: s.Server.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A Page is what a browser is answered with.
type Page struct {
	T      *testing.T
	Status int
	Header http.Header
	Body   string
	*goquery.Document
}

// Send sends a request with parameters, and follows no redirect.
func (b Browser) Send(method, address string, params url.Values) Page {
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
	response, err := b.Client.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(raw))
	g.Expect(err).NotTo(HaveOccurred())
	return Page{b.t, response.StatusCode, response.Header, string(raw), doc}
}

// Get opens an address.
func (b Browser) Get(address string) Page { b.t.Helper(); return b.Send(http.MethodGet, address, nil) }

// Form returns the page's only form, which a browser would submit by itself.
func (p Page) Form() (action string, fields url.Values) {
	p.T.Helper()
	g := NewWithT(p.T)
	g.Expect(p.Status).To(Equal(http.StatusOK), p.Body)
	form := p.Find("form")
	g.Expect(form.Length()).To(Equal(1), p.Body)
	g.Expect(form.AttrOr("method", "")).To(Equal("post"))
	fields = url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) {
		fields.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return form.AttrOr("action", ""), fields
}

// Answer returns how the page sends the tool the platform's answer, and what
// it says.
func (p Page) Answer() (how string, fields url.Values) {
	p.T.Helper()
	g := NewWithT(p.T)
	how, action := http.MethodGet, p.Header.Get("Location")
	if action == "" {
		how = http.MethodPost
		action, fields = p.Form()
	}
	u, err := url.Parse(action)
	g.Expect(err).NotTo(HaveOccurred())
	query := u.Query()
	u.RawQuery = url.Values{"tenant": query["tenant"], "step": query["step"]}.Encode()
	wanted, err := url.Parse(RedirectURI)
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

// Login opens the launch and returns the parameters of its login initiation.
func (b Browser) Login(l *fakeplatform.Launch) url.Values {
	b.t.Helper()
	p := b.Get(l.URL())
	if p.Status == http.StatusOK {
		_, params := p.Form()
		return params
	}
	NewWithT(b.t).Expect(p.Status).To(Equal(http.StatusFound), p.Body)
	u, err := url.Parse(p.Header.Get("Location"))
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	return u.Query()
}

// AuthRequest is what a tool answers a login initiation with.
func AuthRequest(login url.Values) url.Values {
	request := url.Values{
		"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "prompt": {"none"},
		"client_id": login["client_id"], "redirect_uri": {RedirectURI}, "login_hint": login["login_hint"],
		"state": {"state-1"}, "nonce": {"nonce-1"},
	}
	if hint, ok := login["lti_message_hint"]; ok {
		request["lti_message_hint"] = hint
	}
	return request
}

// Authenticate sends an authentication request.
func (b Browser) Authenticate(request url.Values) Page {
	b.t.Helper()
	return b.Send(http.MethodGet, PlatformURL+fakeplatform.AuthPath, request)
}

// Launch goes all the way and returns what the tool would receive.
func (b Browser) Launch(l *fakeplatform.Launch) (fields url.Values) {
	b.t.Helper()
	_, fields = b.Authenticate(AuthRequest(b.Login(l))).Form()
	return fields
}

// ClaimsOf are header and claims of the id_token in a form.
func ClaimsOf(t *testing.T, fields url.Values) (header, claims map[string]any) {
	t.Helper()
	g := NewWithT(t)
	h, c, err := lti.Decode(fields.Get("id_token"))
	g.Expect(err).NotTo(HaveOccurred(), "%v", fields)
	g.Expect(json.Unmarshal(h, &header)).To(Succeed())
	g.Expect(json.Unmarshal(c, &claims)).To(Succeed())
	return header, claims
}

// FetchKeySet fetches the platform's key set.
func (s *Site) FetchKeySet(t *testing.T) jwk.Set {
	t.Helper()
	p := s.Browser(t).Get(PlatformURL + fakeplatform.JWKSPath)
	NewWithT(t).Expect(p.Status).To(Equal(http.StatusOK))
	set, err := jwk.Parse([]byte(p.Body))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return set
}

// HasClaim says in the words of differences that a claim has another value.
func HasClaim(name string, value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return "claim " + name + " = " + string(raw)
}

// LacksClaims says in the words of differences that claims are missing, and nothing
// else differs but what is said in full.
func LacksClaims(claims ...string) types.GomegaMatcher {
	var differences []string
	for _, c := range claims {
		if !strings.HasPrefix(c, "claim ") {
			c = "claim " + c + " is gone"
		}
		differences = append(differences, c)
	}
	return ConsistOf(differences)
}

// FullPlan is a launch with something in every claim that a fault may change.
func FullPlan() fakeplatform.Plan {
	return fakeplatform.Plan{
		User: fakeplatform.User{
			Sub: "user-1", Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Email: "ada@school.example",
			Locale: "en-GB", SourcedID: "sis-1", Roles: []string{lti.RoleLearner},
		},
		Context: fakeplatform.Context{ID: "course-1", Title: "Analysis"},
		Custom:  map[string]string{"chapter": "7"},
	}
}

// KeySet is what the platform publishes.
type KeySet struct {
	Header http.Header
	raw    []map[string]any
	Keys   []jwk.Key // those that can be read
}

// KeySet is what the platform publishes now.
func (s *Site) KeySet(t *testing.T) KeySet {
	t.Helper()
	p := s.Browser(t).Get(PlatformURL + fakeplatform.JWKSPath)
	set := KeySet{Header: p.Header}
	var published struct{ Keys []json.RawMessage }
	_ = json.Unmarshal([]byte(p.Body), &published)
	for _, raw := range published.Keys {
		var members map[string]any
		NewWithT(t).Expect(json.Unmarshal(raw, &members)).To(Succeed())
		for _, private := range []string{"d", "p", "dp", "k"} {
			NewWithT(t).Expect(members).NotTo(HaveKey(private))
		}
		set.raw = append(set.raw, members)
		if key, err := jwk.ParseKey(raw); err == nil {
			set.Keys = append(set.Keys, key)
		}
	}
	return set
}

// Whose describes the keys as [keySetFault] does.
func (k KeySet) Whose(platforms []jwk.Key, named string) []string {
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

// Of returns the keys of a kid, all of them where it is empty.
func (k KeySet) Of(kid string) []jwk.Key {
	return slices.DeleteFunc(slices.Clone(k.Keys), func(key jwk.Key) bool { return kid != "" && key.KeyID() != kid })
}

// Observed is all that a tool sees of a launch.
type Observed struct {
	Launch         *fakeplatform.Launch
	method         string
	Login          url.Values
	answer         string // how it is sent
	Fields         url.Values
	Token          string
	header, Claims map[string]any // nil where the token cannot be read
}

// Observe is what is seen of a launch.
func Observe(t *testing.T, s *Site, l *fakeplatform.Launch) Observed {
	t.Helper()
	b := s.Browser(t)
	p := b.Get(l.URL())
	o := Observed{Launch: l, method: l.Record().LoginInitiation.Method, Login: l.Record().LoginInitiation.Params}
	if p.Find("form").AttrOr("action", "") != RedirectURI { // else answered without a request
		p = b.Authenticate(AuthRequest(o.Login))
	}
	if p.Status == http.StatusOK && p.Find("form").Length() == 0 {
		p = b.Get(l.DeliverURL())
	}
	o.answer, o.Fields = p.Answer()
	o.Token = o.Fields.Get("id_token")
	if header, claims, err := lti.Decode(o.Token); err == nil {
		_ = json.Unmarshal(header, &o.header)
		_ = json.Unmarshal(claims, &o.Claims)
	}
	if presentation, ok := o.Claims[lti.ClaimLaunchPresentation].(map[string]any); ok {
		presentation["return_url"] = strings.Replace(fmt.Sprint(presentation["return_url"]), l.ReturnURL(), "the launch's own", 1)
	}
	return o
}

// Differences says in words what the second launch has other than the first.
func (s *Site) Differences(t *testing.T, valid, faulty Observed) []string {
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
	if faulty.Token == "" {
		found = append(found, "id_token is gone")
	} else {
		NewWithT(t).Expect(faulty.header).NotTo(BeNil(), faulty.Token)
		compare("header ", valid.header, faulty.header, inJSON)
		compare("claim ", valid.Claims, faulty.Claims, inJSON)
		if says := s.Signature(t, valid, faulty); says != "" {
			found = append(found, says)
		}
	}
	form := func(o Observed) map[string]any {
		fields := map[string]any{}
		for name, values := range o.Fields {
			if name != "id_token" {
				fields[name] = values
			}
		}
		return fields
	}
	compare("", form(valid), form(faulty), plain)
	login := func(o Observed) map[string]any {
		params := map[string]any{}
		for name, values := range o.Login {
			// Hints are made anew for each launch: only their length tells.
			if !strings.HasSuffix(name, "_hint") || len(values[0]) != len(valid.Login.Get(name)) {
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

// Signature says in which way the signature is not the one that the platform's
// key makes over the token, or over the token with a valid launch's header.
func (s *Site) Signature(t *testing.T, valid, faulty Observed) string {
	t.Helper()
	g := NewWithT(t)
	parts := strings.Split(faulty.Token, ".")
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
	validHeader, _, _ := strings.Cut(valid.Token, ".")
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
	g.Expect(json.Unmarshal([]byte(s.Browser(t).Get(PlatformURL+"/jwks").Body), &published)).To(Succeed())
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
