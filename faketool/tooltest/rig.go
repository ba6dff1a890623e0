// Package tooltest is for the tests of the fake tool and its parts: a tool, a platform by hand
// that launches it, and browsers between them.
package tooltest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
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

	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/lti"
)

// Servers of httptest have a certificate for hosts below example.com.
const (
	PlatformURL = "https://platform.example.com"
	OtherURL    = "https://other.example.com"
	ToolURL     = "https://tool.example.com"
	ClientID    = "client-a"
)

// Keys are costly to make; the platforms and the tools of the tests share these.
var (
	PlatformKey = sync.OnceValues(lti.NewKey)
	OtherKey    = sync.OnceValues(lti.NewKey)
	ToolKey     = sync.OnceValues(lti.NewKey)
)

// Noon is when tests begin.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Served serves each host over TLS, as long as the test lasts, and leads to nobody
// else.
func Served(t *testing.T, hosts map[string]http.Handler) *http.Transport {
	t.Helper()
	sites := map[string]*httptest.Server{}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			site := sites[address]
			if site == nil {
				return nil, fmt.Errorf("nobody may go to %s", address)
			}
			return new(net.Dialer).DialContext(ctx, network, site.Listener.Addr().String())
		},
	}
	for host, handler := range hosts {
		site := httptest.NewTLSServer(handler)
		sites[host+":443"] = site
		// All of them have the same certificate.
		transport.TLSClientConfig = site.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	}
	transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		for _, site := range sites {
			site.Close()
		}
	})
	return transport
}

// A Page is what a browser shows.
type Page struct {
	URL    string
	Status int // 0 where nobody answered
	Header http.Header
	*goquery.Document
}

// Why returns why a launch was refused.
func (p Page) Why() string { return p.Find("#refused [role=alert]").Text() }

// ExpectLaunched expects the page of a launch of a resource link.
func ExpectLaunched(t *testing.T, p Page) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(p.Status).To(Equal(http.StatusOK), p.Why())
	g.Expect(p.URL).To(HavePrefix(ToolURL + faketool.ResourcePath + "?launch="))
	g.Expect(p.Find("#resource").Length()).To(Equal(1))
}

// ExpectRefused expects a page that says why a launch is refused.
func ExpectRefused(t *testing.T, p Page, status int, why string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(p.Status).To(Equal(status), p.Text())
	g.Expect(p.URL).To(HavePrefix(ToolURL))
	g.Expect(p.Why()).To(ContainSubstring(why))
	g.Expect(p.Find("#resource").Length()).To(BeZero())
}

// A Sight is what can be seen of a tool.
type Sight func(*Rig) string

// Raw is JSON as it is.
func Raw(s string) json.RawMessage { return json.RawMessage(s) }

// OutcomeOf is what a page says of the gradebook, or the status of a page that says
// nothing of it.
func OutcomeOf(shown Page) string {
	if saved, ok := shown.Find("#outcome").Attr("data-saved"); ok {
		return "saved=" + saved
	}
	return fmt.Sprint(shown.Status)
}

// Account is what reached the platform: scopes of tokens, and calls of the gradebook.
func (e *Rig) Account() string {
	var seen []string
	_, tokens, _ := e.Seen()
	for _, token := range tokens {
		seen = append(seen, "token "+strings.ReplaceAll(token.Form.Get("scope"), "https://purl.imsglobal.org/spec/", ""))
	}
	for _, c := range e.Book.Seen() {
		seen = append(seen, fmt.Sprintf("%s %s %s [%s] %s", c.Method, c.Target, c.ContentType, c.Accept, c.Request.Body))
	}
	return fmt.Sprint(len(tokens), " tokens\n", strings.Join(seen, "\n"))
}

// An Answer is one of the gradebook.
type Answer = func(http.ResponseWriter, *http.Request)

// Handed is what comes of work that is handed in.
func Handed(changes lti.Claims, answers ...Answer) Sight {
	return func(e *Rig) string {
		e.Book.Answer(answers...)
		return OutcomeOf(e.Hands("My essay", changes)) + " " + e.Account()
	}
}

// ExpectShown expects each defect of a part to show where the table says, and a tool
// without it to ask for it there.
func ExpectShown(t *testing.T, part string, shows map[string]struct {
	In   Sight
	Says string
}) {
	t.Helper()
	for _, fault := range faketool.Defects() {
		if fault.Part != part {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			look, told := shows[fault.Name]
			g.Expect(told).To(BeTrue())
			faulty, conforming := NewOf(t, faketool.Options{Faults: []string{fault.Name}}), New(t)
			seen, usual := look.In(faulty), look.In(conforming)
			g.Expect(seen).NotTo(Equal(usual))
			g.Expect(conforming.Tool.FaultsReached()).To(ContainElement(fault.Name), "a tool without it asks for it")
			g.Expect(seen).To(ContainSubstring(look.Says))
			g.Expect(usual).NotTo(ContainSubstring(look.Says))
		})
	}
}

// HandAll hands in works of several people for two line items.
func (e *Rig) HandAll() {
	e.Hands("first work", nil)
	e.Hands("teacher's work", lti.Claims{"sub": "teacher-1"})
	e.Hands("second work", lti.Claims{"sub": "learner-2"})
	e.Hands("other work", lti.Claims{lti.ClaimAGS: Endpoint(ItemURL + "2"), lti.ClaimResourceLink: map[string]any{"id": "link-2"}})
	e.Account()
}

// Addresses of line items.
const (
	ItemsURL = PlatformURL + "/contexts/course-1/lineitems"
	ItemURL  = ItemsURL + "/item-1"
)

// A Book is the gradebook of a platform by hand. It keeps line items and takes every
// score, but for the requests that it answers in another way.
type Book struct {
	mu      sync.Mutex
	items   []map[string]any
	Size    int                                        // of a page; all when 0
	Link    func(w http.ResponseWriter, next string)   // names the next page
	answers []func(http.ResponseWriter, *http.Request) // instead, the next requests in order; nil for the usual one
	Results string
	calls   []Call
}

// A Call is a request to the gradebook.
type Call struct {
	Request
	Accept string
	Body   map[string]any
}

// String says what was called.
func (c Call) String() string { return c.Method + " " + c.Target }

// ServeHTTP answers the tool.
func (b *Book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := Call{Request: Read(r), Accept: r.Header.Get("Accept")}
	_ = json.Unmarshal([]byte(c.Request.Body), &c.Body)
	b.calls = append(b.calls, c)
	if len(b.answers) > 0 {
		next := b.answers[0]
		b.answers = b.answers[1:]
		if next != nil {
			next(w, r)
			return
		}
	}
	b.serve(w, r, c)
}

func (b *Book) serve(w http.ResponseWriter, r *http.Request, c Call) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/scores"):
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/results"):
		_, _ = io.WriteString(w, b.Results)
	case strings.HasSuffix(r.URL.Path, "/lineitems") && r.Method == http.MethodPost:
		c.Body["id"] = fmt.Sprintf("%s/item-%d", ItemsURL, len(b.items)+1)
		b.items = append(b.items, c.Body)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(c.Body)
	case strings.HasSuffix(r.URL.Path, "/lineitems"):
		b.list(w, r)
	case r.Method == http.MethodPut:
		b.items[0] = c.Body
		_ = json.NewEncoder(w).Encode(c.Body)
	case len(b.items) == 0:
		w.WriteHeader(http.StatusNotFound)
	default:
		_ = json.NewEncoder(w).Encode(b.items[0])
	}
}

func (b *Book) list(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.URL.Query().Get("at"))
	end := len(b.items)
	at = min(at, end) // a page beyond the end has nothing
	if b.Size > 0 && at+b.Size < end {
		end = at + b.Size
		query := r.URL.Query()
		query.Set("at", strconv.Itoa(end))
		b.Link(w, ItemsURL+"?"+query.Encode())
	}
	_ = json.NewEncoder(w).Encode(b.items[at:end])
}

// Answer makes the gradebook answer so, in order.
func (b *Book) Answer(answers ...func(http.ResponseWriter, *http.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = answers
}

// Holds makes the gradebook hold line items.
func (b *Book) Holds(items ...map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = items
}

// Seen returns the requests since it was last asked.
func (b *Book) Seen() []Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

// WithStatus answers with a status alone.
func WithStatus(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// WithBody answers with a body.
func WithBody(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// Endpoint offers all grade services, and a line item.
func Endpoint(lineItem string) lti.AGSEndpoint {
	return lti.AGSEndpoint{Scope: lti.GradeScopes, LineItems: ItemsURL + "?type_id=3", LineItem: lineItem}
}

// Studies are the claims of a learner's launch where there is a gradebook.
func Studies(changes lti.Claims) lti.Claims {
	return With(lti.Claims{
		"iss": PlatformURL, "aud": ClientID, "sub": "learner-1", "name": "Jude Wong",
		lti.ClaimMessageType: lti.ResourceLinkRequest, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: "deployment-1",
		lti.ClaimTargetLinkURI: ToolURL + "/launch", lti.ClaimRoles: []string{lti.RoleLearner},
		lti.ClaimResourceLink:       map[string]any{"id": "link-1", "title": "Essay"},
		lti.ClaimContext:            map[string]any{"id": "course-1"},
		lti.ClaimLaunchPresentation: map[string]any{"return_url": ReturnURL},
		lti.ClaimAGS:                Endpoint(ItemURL),
	}, changes)
}

// Teaches are those of an instructor's.
func Teaches(changes lti.Claims) lti.Claims {
	return With(Studies(lti.Claims{"sub": "teacher-1", "name": "Ida Rhodes", lti.ClaimRoles: []string{lti.RoleInstructor}}), changes)
}

// Reviews are the claims of an instructor's message that opens a learner's work.
func Reviews(changes lti.Claims) lti.Claims {
	return With(Teaches(lti.Claims{
		lti.ClaimMessageType: lti.SubmissionReviewRequest,
		lti.ClaimForUser:     map[string]any{"user_id": "learner-1", "name": "Jude Wong"},
	}), changes)
}

// Hands launches a learner who hands in work, and returns what is shown then.
func (e *Rig) Hands(text string, changes lti.Claims) Page {
	e.T.Helper()
	b := e.Window()
	return b.Press(e.Launch(b, Studies(changes)), "#submit", url.Values{"work": {text}})
}

// Submits is hands where all goes well.
func (e *Rig) Submits(text string, changes lti.Claims) {
	e.T.Helper()
	ExpectSaved(e.T, e.Hands(text, changes), "submitted")
}

// ExpectSaved expects a page that says that the gradebook was told.
func ExpectSaved(t *testing.T, shown Page, where string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(shown.Status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.Find("#"+where+" #outcome").AttrOr("data-saved", "")).To(Equal("true"), shown.Text())
}

// ExpectNotSaved expects one that says that it was not.
func ExpectNotSaved(t *testing.T, shown Page, where string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(shown.Status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.Find("#"+where+" #outcome").AttrOr("data-saved", "")).To(Equal("false"), shown.Text())
}

// Address prepares a request that nothing is wrong with.
func Address(t *testing.T, l *faketool.Login, probe faketool.Probe) string {
	t.Helper()
	to, err := l.Continue(probe)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return to
}

// Stimulus returns the one of that name.
func Stimulus(t *testing.T, name string) *faketool.Fault {
	t.Helper()
	f, ok := faketool.FaultNamed(name)
	NewWithT(t).Expect(ok).To(BeTrue(), name)
	return &f
}

// Provoking returns the stimulus of a requirement that has that name.
func Provoking(t *testing.T, id, name string) *faketool.Fault {
	t.Helper()
	of := faketool.FaultsFor(id)
	i := slices.IndexFunc(of, func(f faketool.Fault) bool { return f.Name == name })
	NewWithT(t).Expect(i).To(BeNumerically(">=", 0), id+" "+name)
	return &of[i]
}

// Addresses of the platform.
const (
	StartURL   = PlatformURL + "/start?a=1&b=2"
	ReturnURL  = PlatformURL + "/back"
	ControlURL = PlatformURL + "/acs?at=1"
	TokenURL   = PlatformURL + "/token"
)

// A Request is one that the platform of an exam got.
type Request struct {
	Method, Target, ContentType, Authorization string
	Form                                       url.Values
	Body                                       string
}

// A Rig is a tool, and a platform by hand that lets it proctor.
type Rig struct {
	T         *testing.T
	Tool      *faketool.Tool
	transport *http.Transport

	mu      sync.Mutex
	now     time.Time
	grant   string // what the token endpoint answers
	answers []func(http.ResponseWriter)
	posts   []Request // to start_assessment_url and other pages
	tokens  []Request
	orders  []Request

	Book Book // has a mutex of its own
}

// New is a tool, and its platform; what that is registered with can be changed.
func New(t *testing.T, change ...func(*faketool.Registration)) *Rig {
	t.Helper()
	return NewOf(t, faketool.Options{}, change...)
}

// NewOf is an exam whose tool has other options, too.
func NewOf(t *testing.T, opts faketool.Options, change ...func(*faketool.Registration)) *Rig {
	t.Helper()
	g := NewWithT(t)
	key, err := PlatformKey()
	g.Expect(err).NotTo(HaveOccurred())
	own, err := ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	e := &Rig{T: t, now: Noon}
	platform, tool := http.NewServeMux(), http.NewServeMux()
	platform.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		set, _ := lti.PublicSet(key)
		_ = json.NewEncoder(w).Encode(set)
	})
	platform.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.tokens = append(e.tokens, Read(r))
		grant := e.grant
		if grant == "" {
			grant = fmt.Sprintf(`{"access_token":"t-._~+/=%d","token_type":"bearer","expires_in":3600}`, len(e.tokens))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, grant)
	})
	platform.HandleFunc("/acs", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.orders = append(e.orders, Read(r))
		if len(e.answers) > 0 {
			next := e.answers[0]
			e.answers = e.answers[1:]
			next(w)
			return
		}
		Says(`{"status":"running"}`)(w)
	})
	platform.Handle("/contexts/", &e.Book)
	platform.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.posts = append(e.posts, Read(r))
	})
	e.transport = Served(t, map[string]http.Handler{"platform.example.com": platform, "tool.example.com": tool})
	opts.URL, opts.Key, opts.Watch, opts.Client = ToolURL, own, true, &http.Client{Transport: e.transport, Timeout: 5 * time.Second}
	opts.Now = e.Now
	e.Tool, err = faketool.New(opts)
	g.Expect(err).NotTo(HaveOccurred())
	tool.Handle("/", e.Tool)
	known := faketool.Registration{
		Issuer: PlatformURL, ClientID: ClientID, AuthURL: PlatformURL + "/auth", JWKSURL: PlatformURL + "/jwks", TokenURL: TokenURL,
		DeploymentIDs: []string{"deployment-1", "deployment-b"},
	}
	for _, c := range change {
		c(&known)
	}
	g.Expect(e.Tool.Register(known)).To(Succeed())
	return e
}

// Read reads a request.
func Read(r *http.Request) Request {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	return Request{r.Method, r.RequestURI, r.Header.Get("Content-Type"), strings.Join(r.Header.Values("Authorization"), ", "), form, string(body)}
}

// Says is an answer of the Assessment Control Service.
func Says(body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", lti.MediaTypeControl)
		_, _ = io.WriteString(w, body)
	}
}

// Status answers with a status alone.
func Status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

// Answer makes the Assessment Control Service answer so, in order.
func (e *Rig) Answer(answers ...func(http.ResponseWriter)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers = answers
}

// Now is what time it is.
func (e *Rig) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// Pass lets time pass.
func (e *Rig) Pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// Seen returns what came since it was last asked.
func (e *Rig) Seen() (posts, tokens, orders []Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	posts, tokens, orders = e.posts, e.tokens, e.orders
	e.posts, e.tokens, e.orders = nil, nil, nil
	return posts, tokens, orders
}

// A Window is a browser that submits only the forms that submit themselves.
type Window struct {
	T *testing.T
	*http.Client
}

// Window is a new browser.
func (e *Rig) Window() Window {
	e.T.Helper()
	jar, err := cookiejar.New(nil)
	NewWithT(e.T).Expect(err).NotTo(HaveOccurred())
	return Window{e.T, &http.Client{Jar: jar, Transport: e.transport}}
}

// Do sends a request, and the forms that submit themselves.
func (b Window) Do(method, address string, form url.Values) Page {
	b.T.Helper()
	g := NewWithT(b.T)
	r, err := http.NewRequestWithContext(b.T.Context(), method, address, strings.NewReader(form.Encode()))
	g.Expect(err).NotTo(HaveOccurred())
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.Client.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	doc, err := goquery.NewDocumentFromReader(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	shown := Page{response.Request.URL.String(), response.StatusCode, response.Header, doc}
	if doc.Find("script").Length() == 0 {
		return shown
	}
	action, fields := FormOf(doc.Find("form"))
	return b.Do(http.MethodPost, action, fields)
}

// FormOf is where a form goes, and what it sends.
func FormOf(form *goquery.Selection) (action string, fields url.Values) {
	fields = url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) { fields.Add(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	return form.AttrOr("action", ""), fields
}

// Get opens an address.
func (b Window) Get(address string) Page { b.T.Helper(); return b.Do(http.MethodGet, address, nil) }

// Press submits the form of a button, with other values than those shown.
func (b Window) Press(p Page, button string, with url.Values) Page {
	b.T.Helper()
	form := p.Find(button).First().Closest("form")
	NewWithT(b.T).Expect(form.Length()).To(Equal(1), button+" in "+p.Text())
	action, fields := FormOf(form)
	maps.Copy(fields, with)
	return b.Do(http.MethodPost, action, fields)
}

// Still is the window without what it does by itself.
func (b Window) Still() Window {
	quiet := *b.Client
	quiet.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return Window{b.T, &quiet}
}

// Starts are the claims of a message that begins a check-in.
func Starts() lti.Claims {
	return lti.Claims{
		"iss": PlatformURL, "aud": ClientID, "sub": "candidate-1", "name": "Ada Lovelace", "given_name": "Ada",
		"iat": Noon.Unix(), "exp": Noon.Add(time.Hour).Unix(),
		lti.ClaimMessageType: lti.StartProctoring, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: "deployment-1",
		lti.ClaimTargetLinkURI: ToolURL + "/launch", lti.ClaimRoles: []string{lti.RoleLearner},
		lti.ClaimResourceLink:       json.RawMessage(`{"id":"exam-7","title":"Algebra"}`),
		lti.ClaimAttemptNumber:      json.RawMessage("1"),
		lti.ClaimSessionData:        "data",
		lti.ClaimStartAssessmentURL: StartURL,
		lti.ClaimLaunchPresentation: map[string]any{"return_url": ReturnURL},
		lti.ClaimACS:                lti.ACS{Actions: lti.Actions, ControlURL: ControlURL},
	}
}

// Ends turns a message that begins a check-in into the one that ends it.
func Ends(c lti.Claims) lti.Claims {
	c[lti.ClaimMessageType] = lti.EndAssessment
	for _, name := range []string{lti.ClaimSessionData, lti.ClaimStartAssessmentURL, lti.ClaimACS} {
		delete(c, name)
	}
	return c
}

// With changes claims; nil takes one away.
func With(c lti.Claims, changes lti.Claims) lti.Claims {
	for name, value := range changes {
		c[name] = value
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

// Launch logs in and posts a message, until the browser stands still.
func (e *Rig) Launch(b Window, c lti.Claims) Page {
	e.T.Helper()
	return e.Send(b, c, Sending{Target: ToolURL + "/launch", Key: PlatformKey, Lasts: time.Hour})
}

// A Sending is how a message is sent.
type Sending struct {
	Target string // of the login initiation
	Key    func() (jwk.Key, error)
	Lasts  time.Duration
}

// Send logs in and posts a message in some way, until the browser stands still.
func (e *Rig) Send(b Window, c lti.Claims, how Sending) Page {
	e.T.Helper()
	g := NewWithT(e.T)
	key, err := how.Key()
	g.Expect(err).NotTo(HaveOccurred())
	quiet := b.Still()
	login := url.Values{"iss": {PlatformURL}, "client_id": {ClientID}, "login_hint": {"x"}, "target_link_uri": {how.Target}}
	begun := quiet.Get(ToolURL + "/login?" + login.Encode())
	at := begun.Header.Get("Location")
	if strings.HasPrefix(at, ToolURL) { // it is held
		l, ok := e.Tool.LoginAt(at)
		g.Expect(ok).To(BeTrue())
		at = quiet.Get(Address(e.T, l, faketool.Probe{})).Header.Get("Location")
	}
	to, err := url.Parse(at)
	g.Expect(err).NotTo(HaveOccurred())
	if _, given := c["nonce"]; !given {
		c["nonce"] = to.Query().Get("nonce")
	}
	e.mu.Lock()
	c["iat"], c["exp"] = e.now.Unix(), e.now.Add(how.Lasts).Unix()
	e.mu.Unlock()
	token, err := lti.Sign(c, key)
	g.Expect(err).NotTo(HaveOccurred())
	return b.Do(http.MethodPost, ToolURL+"/launch", url.Values{"id_token": {token}, "state": {to.Query().Get("state")}})
}

// CheckedIn is a launch that ends at check-in.
func (e *Rig) CheckedIn(b Window, changes lti.Claims) Page {
	e.T.Helper()
	shown := e.Launch(b, With(Starts(), changes))
	g := NewWithT(e.T)
	g.Expect(shown.Status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.URL).To(HavePrefix(ToolURL + proctoring.CheckInPath + "?sitting="))
	g.Expect(shown.Find("#check-in").Length()).To(Equal(1))
	return shown
}

// Message presses start and returns what reached the platform.
func (e *Rig) Message(b Window, checkIn Page) (got Request, header, claims map[string]any, raw map[string]json.RawMessage) {
	e.T.Helper()
	g := NewWithT(e.T)
	e.Seen()
	b.Press(checkIn, "#start", nil)
	posts, _, _ := e.Seen()
	g.Expect(posts).To(HaveLen(1))
	header, claims, raw = Opened(e.T, posts[0].Form.Get("JWT"))
	return posts[0], header, claims, raw
}

// Opened verifies a token of the tool and reads it.
func Opened(t *testing.T, token string) (header, claims map[string]any, raw map[string]json.RawMessage) {
	t.Helper()
	g := NewWithT(t)
	key, err := ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = jws.Verify([]byte(token), jws.WithKey(jwa.RS256, Public(t, key)))
	g.Expect(err).NotTo(HaveOccurred())
	h, c, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(h, &header)).To(Succeed())
	g.Expect(json.Unmarshal(c, &claims)).To(Succeed())
	g.Expect(json.Unmarshal(c, &raw)).To(Succeed())
	return header, claims, raw
}

// Public is the public half of a key.
func Public(t *testing.T, key jwk.Key) jwk.Key {
	t.Helper()
	half, err := key.PublicKey()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return half
}

// Proctor is the window of a teacher.
func (e *Rig) Proctor() Window {
	e.T.Helper()
	b := e.Window()
	shown := e.Launch(b, With(Starts(), lti.Claims{
		lti.ClaimMessageType: lti.ResourceLinkRequest, "sub": "teacher-1", lti.ClaimRoles: []string{lti.RoleInstructor},
	}))
	ExpectLaunched(e.T, shown)
	return b
}

// Answered holds a login and lets the platform answer it with a message.
func (e *Rig) Answered(b Window, c lti.Claims) *faketool.Answer {
	e.T.Helper()
	e.Tool.HoldLogins(true)
	e.Launch(b, c)
	answers := e.Tool.Answers()
	a := answers[len(answers)-1]
	NewWithT(e.T).Expect(a.Login).NotTo(BeNil())
	return a
}

// Parts are what is sent: claims, members or parameters, by name.
type Parts map[string]any

// Made says what a stimulus sends otherwise, and all of it. A part that is not
// sent is nil.
type Made map[string]types.GomegaMatcher

// ExpectMade compares what is sent with what is sent usually, but for what
// differs each time.
func ExpectMade(t *testing.T, sent, usual Parts, want Made, own ...string) {
	t.Helper()
	g := NewWithT(t)
	names := slices.Concat(slices.Collect(maps.Keys(sent)), slices.Collect(maps.Keys(usual)))
	for _, name := range names {
		switch matches, changed := want[name]; {
		case changed:
			g.Expect(sent[name]).To(matches, name)
		case !slices.Contains(own, name):
			g.Expect(sent[name]).To(Equal(usual[name]), name)
		}
	}
	for name := range want {
		g.Expect(names).To(ContainElement(name))
		g.Expect(reflect.DeepEqual(sent[name], usual[name])).To(BeFalse(), name)
	}
}

// Unknown matches what is made up.
var Unknown = MatchRegexp(`^[A-Za-z0-9_-]{22}$`)

// Seconds is a NumericDate so many seconds after noon.
func Seconds(after int64) float64 { return float64(Noon.Unix() + after) }

// ItemAt is the claim of the grade services with a line item.
func ItemAt(address string) lti.Claims { return lti.Claims{lti.ClaimAGS: Endpoint(address)} }

// Repeated is the same several times.
func Repeated[T any](value T, times int) []T { return slices.Repeat([]T{value}, times) }

// Left is where the button leads that a page has for the way back.
func Left(claims func() lti.Claims) Sight {
	return func(e *Rig) string {
		b := e.Window()
		e.Launch(b, Starts())
		shown := e.Launch(b, claims())
		if shown.Find("button#return").Length() == 0 {
			return fmt.Sprint("no button, but links: ", shown.Find("a#return").Length())
		}
		gone := b.Still().Press(shown, "#return", nil)
		return strings.TrimSpace(fmt.Sprint(gone.Status, " ", gone.Header.Get("Location")))
	}
}

// RenamedFrom is what comes of another label for a line item.
func RenamedFrom(item string) Sight {
	return func(e *Rig) string {
		e.Book.Answer(WithBody(item), WithStatus(http.StatusOK))
		b := e.Window()
		return OutcomeOf(b.Press(e.Launch(b, Teaches(nil)), "#rename", url.Values{"label": {"New"}})) + " " + e.Account()
	}
}

// ClaimsOf reads a token without checking it.
func ClaimsOf(t *testing.T, token string) (c Parts) {
	t.Helper()
	_, payload, err := lti.Decode(token)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(json.Unmarshal(payload, &c)).To(Succeed())
	return c
}

// NewItem is what comes of work where a line item has to be made.
var NewItem = Handed(lti.Claims{lti.ClaimAGS: Endpoint("")})

// Grants makes the token endpoint answer so; as usual where it is empty.
func (e *Rig) Grants(answer string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.grant = answer
}
