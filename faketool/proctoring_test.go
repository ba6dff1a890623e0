package faketool_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
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

	"invigilator.example/faketool"
	"invigilator.example/faketool/part"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/lti"
)

const (
	startURL   = platformURL + "/start?a=1&b=2"
	returnURL  = platformURL + "/back"
	controlURL = platformURL + "/acs?at=1"
	tokenURL   = platformURL + "/token"
)

// request is one that the platform of an exam got.
type request struct {
	method, target, contentType, authorization string
	form                                       url.Values
	body                                       string
}

// exam is a tool, and a platform by hand that lets it proctor.
type exam struct {
	t         *testing.T
	tool      *faketool.Tool
	transport *http.Transport

	mu      sync.Mutex
	now     time.Time
	grant   string // what the token endpoint answers
	answers []func(http.ResponseWriter)
	posts   []request // to start_assessment_url and other pages
	tokens  []request
	orders  []request

	book book // has a mutex of its own
}

func newExam(t *testing.T, change ...func(*faketool.Registration)) *exam {
	t.Helper()
	return newExamOf(t, faketool.Options{}, change...)
}

// newExamOf is an exam whose tool has other options, too.
func newExamOf(t *testing.T, opts faketool.Options, change ...func(*faketool.Registration)) *exam {
	t.Helper()
	g := NewWithT(t)
	key, err := platformKey()
	g.Expect(err).NotTo(HaveOccurred())
	own, err := toolKey()
	g.Expect(err).NotTo(HaveOccurred())
	e := &exam{t: t, now: noon}
	platform, tool := http.NewServeMux(), http.NewServeMux()
	platform.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		set, _ := lti.PublicSet(key)
		_ = json.NewEncoder(w).Encode(set)
	})
	platform.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.tokens = append(e.tokens, read(r))
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
		e.orders = append(e.orders, read(r))
		if len(e.answers) > 0 {
			next := e.answers[0]
			e.answers = e.answers[1:]
			next(w)
			return
		}
		says(`{"status":"running"}`)(w)
	})
	platform.Handle("/contexts/", &e.book)
	platform.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.posts = append(e.posts, read(r))
	})
	e.transport = served(t, map[string]http.Handler{"platform.example.com": platform, "tool.example.com": tool})
	opts.URL, opts.Key, opts.Watch, opts.Client = toolURL, own, true, &http.Client{Transport: e.transport, Timeout: 5 * time.Second}
	opts.Now = func() time.Time {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.now
	}
	e.tool, err = faketool.New(opts)
	g.Expect(err).NotTo(HaveOccurred())
	tool.Handle("/", e.tool)
	known := faketool.Registration{
		Issuer: platformURL, ClientID: clientID, AuthURL: platformURL + "/auth", JWKSURL: platformURL + "/jwks", TokenURL: tokenURL,
		DeploymentIDs: []string{"deployment-1", "deployment-b"},
	}
	for _, c := range change {
		c(&known)
	}
	g.Expect(e.tool.Register(known)).To(Succeed())
	return e
}

func read(r *http.Request) request {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	return request{r.Method, r.RequestURI, r.Header.Get("Content-Type"), strings.Join(r.Header.Values("Authorization"), ", "), form, string(body)}
}

// says is an answer of the Assessment Control Service.
func says(body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", lti.MediaTypeControl)
		_, _ = io.WriteString(w, body)
	}
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

// answer makes the Assessment Control Service answer so, in order.
func (e *exam) answer(answers ...func(http.ResponseWriter)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers = answers
}

func (e *exam) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// seen returns what came since it was last asked.
func (e *exam) seen() (posts, tokens, orders []request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	posts, tokens, orders = e.posts, e.tokens, e.orders
	e.posts, e.tokens, e.orders = nil, nil, nil
	return posts, tokens, orders
}

// window is a browser that submits only the forms that submit themselves.
type window struct{ browser }

func (e *exam) window() window {
	e.t.Helper()
	jar, err := cookiejar.New(nil)
	NewWithT(e.t).Expect(err).NotTo(HaveOccurred())
	return window{browser{e.t, &http.Client{Jar: jar, Transport: e.transport}}}
}

func (b window) do(method, address string, form url.Values) page {
	b.t.Helper()
	g := NewWithT(b.t)
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	g.Expect(err).NotTo(HaveOccurred())
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	doc, err := goquery.NewDocumentFromReader(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	shown := page{response.Request.URL.String(), response.StatusCode, response.Header, doc}
	if doc.Find("script").Length() == 0 {
		return shown
	}
	action, fields := formOf(doc.Find("form"))
	return b.do(http.MethodPost, action, fields)
}

func formOf(form *goquery.Selection) (action string, fields url.Values) {
	fields = url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) { fields.Add(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	return form.AttrOr("action", ""), fields
}

func (b window) get(address string) page { b.t.Helper(); return b.do(http.MethodGet, address, nil) }

// press submits the form of a button, with other values than those shown.
func (b window) press(p page, button string, with url.Values) page {
	b.t.Helper()
	form := p.Find(button).First().Closest("form")
	NewWithT(b.t).Expect(form.Length()).To(Equal(1), button+" in "+p.Text())
	action, fields := formOf(form)
	maps.Copy(fields, with)
	return b.do(http.MethodPost, action, fields)
}

// still is the window without what it does by itself.
func (b window) still() window {
	quiet := *b.Client
	quiet.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return window{browser{b.t, &quiet}}
}

// starts are the claims of a message that begins a sitting.
func starts() lti.Claims {
	return lti.Claims{
		"iss": platformURL, "aud": clientID, "sub": "candidate-1", "name": "Ada Lovelace", "given_name": "Ada",
		"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(),
		lti.ClaimMessageType: lti.StartProctoring, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: "deployment-1",
		lti.ClaimTargetLinkURI: toolURL + "/launch", lti.ClaimRoles: []string{lti.RoleLearner},
		lti.ClaimResourceLink:       json.RawMessage(`{"id":"exam-7","title":"Algebra"}`),
		lti.ClaimAttemptNumber:      json.RawMessage("1"),
		lti.ClaimSessionData:        "data",
		lti.ClaimStartAssessmentURL: startURL,
		lti.ClaimLaunchPresentation: map[string]any{"return_url": returnURL},
		lti.ClaimACS:                lti.ACS{Actions: lti.Actions, ControlURL: controlURL},
	}
}

// ends turns a message that begins a sitting into the one that ends it.
func ends(c lti.Claims) lti.Claims {
	c[lti.ClaimMessageType] = lti.EndAssessment
	for _, name := range []string{lti.ClaimSessionData, lti.ClaimStartAssessmentURL, lti.ClaimACS} {
		delete(c, name)
	}
	return c
}

// with changes claims; nil takes one away.
func with(c lti.Claims, changes lti.Claims) lti.Claims {
	for name, value := range changes {
		c[name] = value
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

// launch logs in and posts a message, until the browser stands still.
func (e *exam) launch(b window, c lti.Claims) page {
	e.t.Helper()
	return e.send(b, c, sending{target: toolURL + "/launch", key: platformKey, lasts: time.Hour})
}

// sending is how a message is sent.
type sending struct {
	target string // of the login initiation
	key    func() (jwk.Key, error)
	lasts  time.Duration
}

func (e *exam) send(b window, c lti.Claims, how sending) page {
	e.t.Helper()
	g := NewWithT(e.t)
	key, err := how.key()
	g.Expect(err).NotTo(HaveOccurred())
	quiet := b.still()
	login := url.Values{"iss": {platformURL}, "client_id": {clientID}, "login_hint": {"x"}, "target_link_uri": {how.target}}
	begun := quiet.get(toolURL + "/login?" + login.Encode())
	at := begun.header.Get("Location")
	if strings.HasPrefix(at, toolURL) { // it is held
		l, ok := e.tool.LoginAt(at)
		g.Expect(ok).To(BeTrue())
		at = quiet.get(address(e.t, l, faketool.Probe{})).header.Get("Location")
	}
	to, err := url.Parse(at)
	g.Expect(err).NotTo(HaveOccurred())
	if _, given := c["nonce"]; !given {
		c["nonce"] = to.Query().Get("nonce")
	}
	e.mu.Lock()
	c["iat"], c["exp"] = e.now.Unix(), e.now.Add(how.lasts).Unix()
	e.mu.Unlock()
	token, err := lti.Sign(c, key)
	g.Expect(err).NotTo(HaveOccurred())
	return b.do(http.MethodPost, toolURL+"/launch", url.Values{"id_token": {token}, "state": {to.Query().Get("state")}})
}

// seated is a launch that ends at check-in.
func (e *exam) seated(b window, changes lti.Claims) page {
	e.t.Helper()
	shown := e.launch(b, with(starts(), changes))
	g := NewWithT(e.t)
	g.Expect(shown.status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.url).To(HavePrefix(toolURL + proctoring.CheckInPath + "?sitting="))
	g.Expect(shown.Find("#check-in").Length()).To(Equal(1))
	return shown
}

// message presses start and returns what reached the platform.
func (e *exam) message(b window, checkIn page) (got request, header, claims map[string]any, raw map[string]json.RawMessage) {
	e.t.Helper()
	g := NewWithT(e.t)
	e.seen()
	b.press(checkIn, "#start", nil)
	posts, _, _ := e.seen()
	g.Expect(posts).To(HaveLen(1))
	header, claims, raw = opened(e.t, posts[0].form.Get("JWT"))
	return posts[0], header, claims, raw
}

// opened verifies a token of the tool and reads it.
func opened(t *testing.T, token string) (header, claims map[string]any, raw map[string]json.RawMessage) {
	t.Helper()
	g := NewWithT(t)
	key, err := toolKey()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = jws.Verify([]byte(token), jws.WithKey(jwa.RS256, public(t, key)))
	g.Expect(err).NotTo(HaveOccurred())
	h, c, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(h, &header)).To(Succeed())
	g.Expect(json.Unmarshal(c, &claims)).To(Succeed())
	g.Expect(json.Unmarshal(c, &raw)).To(Succeed())
	return header, claims, raw
}

func public(t *testing.T, key jwk.Key) jwk.Key {
	t.Helper()
	half, err := key.PublicKey()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return half
}

func TestStartAssessmentAnswersStartProctoring(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b := e.window()
	checkIn := e.seated(b, lti.Claims{
		"name": "<b>Ada</b>", "picture": platformURL + "/ada.png", "email": "ada@school.example", "email_verified": true, "locale": "en",
		lti.ClaimStartAssessmentURL: platformURL + "/st%2Fart/(x)'?a=1&b=%26&lt;=2&c=é",
	})
	g.Expect(checkIn.Find("#candidate").Text()).To(Equal("<b>Ada</b>"))
	g.Expect(checkIn.Find("h1").Text()).To(Equal("Algebra"))
	g.Expect(checkIn.Find("#attempt").Text()).To(Equal("1"))
	got, header, claims, _ := e.message(b, checkIn)
	g.Expect(got.method).To(Equal(http.MethodPost))
	g.Expect(got.target).To(Or(Equal("/st%2Fart/(x)'?a=1&b=%26&lt;=2&c=é"), Equal("/st%2Fart/(x)'?a=1&b=%26&c=%C3%A9")))
	g.Expect(got.contentType).To(Equal("application/x-www-form-urlencoded"))
	g.Expect(slices.Collect(maps.Keys(got.form))).To(ConsistOf("JWT"))
	key, err := toolKey()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(header).To(Equal(map[string]any{"alg": "RS256", "typ": "JWT", "kid": key.KeyID()}))
	nonce, picture := claims["nonce"], claims[lti.ClaimVerifiedUser].(map[string]any)["picture"].(string)
	g.Expect(nonce).To(MatchRegexp(`^[A-Za-z0-9_-]{22}$`))
	g.Expect(picture).To(HavePrefix(toolURL + "/pictures/"))
	g.Expect(b.get(picture).header.Get("Content-Type")).To(Equal("image/svg+xml"))
	g.Expect(claims).To(Equal(map[string]any{
		"iss": clientID, "aud": platformURL, "iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 300), "nonce": nonce,
		lti.ClaimMessageType: "LtiStartAssessment", lti.ClaimVersion: "1.3.0", lti.ClaimDeploymentID: "deployment-1",
		lti.ClaimSessionData: "data", lti.ClaimAttemptNumber: 1.0,
		lti.ClaimResourceLink: map[string]any{"id": "exam-7", "title": "Algebra"},
		lti.ClaimVerifiedUser: map[string]any{
			"name": "<b>Ada</b>", "given_name": "Ada", "email": "ada@school.example", "picture": picture,
		},
		lti.ClaimEndAssessmentReturn: true,
	}))
	_, _, again, _ := e.message(b, checkIn)
	g.Expect(again["nonce"]).NotTo(Equal(nonce))
	g.Expect(e.tool.Answers()[0].Accepted).To(BeTrue())
	g.Expect(e.tool.Answers()).To(HaveLen(1), "check-in is no answer")
}

func TestWhatIsSentBackIsTheSameJSON(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	for name, value := range map[string]string{
		"8 KiB": strings.Repeat("aB3_-dEf", 1024), "markup": `<>&"'+/=%20\ <script>alert(1)</script>`, "space": "  x\t\n\r\n ",
		"unicode": "e\u0301 𝒳 山\u2028", "JSON": `{"a":1}`, "zero": "0",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := e.window()
			_, _, claims, _ := e.message(b, e.seated(b, lti.Claims{lti.ClaimSessionData: value}))
			g.Expect(claims[lti.ClaimSessionData]).To(Equal(value))
		})
	}
	for name, c := range map[string]struct{ claim, value string }{
		"a surrogate":   {lti.ClaimSessionData, `"\ud800 x"`},
		"large":         {lti.ClaimAttemptNumber, "2147483648"},
		"a million":     {lti.ClaimAttemptNumber, "1000000"},
		"unknown":       {lti.ClaimResourceLink, `{"id":"x","description":"","https://vendor.example/x":[1.0,12345678901234567890,null]}`},
		"other numbers": {lti.ClaimResourceLink, `{"id":"x","n":1e2}`},
	} {
		t.Run(name, func(t *testing.T) {
			b := e.window()
			_, _, _, raw := e.message(b, e.seated(b, lti.Claims{c.claim: json.RawMessage(c.value)}))
			NewWithT(t).Expect(string(raw[c.claim])).To(Equal(c.value))
		})
	}
}

func TestVerifiedUserRepeatsWhatWasChecked(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	for name, c := range map[string]struct {
		claims lti.Claims
		want   map[string]any
	}{
		"nothing":          {lti.Claims{"name": nil, "given_name": nil}, map[string]any{}},
		"one name":         {lti.Claims{"name": nil}, map[string]any{"given_name": "Ada"}},
		"all names":        {lti.Claims{"family_name": "L", "middle_name": "K"}, map[string]any{"name": "Ada Lovelace", "given_name": "Ada", "family_name": "L", "middle_name": "K"}},
		"not text":         {lti.Claims{"name": 1, "given_name": ""}, map[string]any{}},
		"email alone":      {lti.Claims{"name": nil, "email": "a@b.example"}, map[string]any{"given_name": "Ada"}},
		"email unverified": {lti.Claims{"name": nil, "email": "a@b.example", "email_verified": false}, map[string]any{"given_name": "Ada"}},
		"verified as text": {lti.Claims{"name": nil, "email": "a@b.example", "email_verified": "true"}, map[string]any{"given_name": "Ada"}},
		"email verified":   {lti.Claims{"name": nil, "email": "a@b.example", "email_verified": true}, map[string]any{"given_name": "Ada", "email": "a@b.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := e.window()
			_, _, claims, _ := e.message(b, e.seated(b, c.claims))
			verified := claims[lti.ClaimVerifiedUser].(map[string]any)
			delete(verified, "picture")
			g.Expect(verified).To(Equal(c.want))
		})
	}
}

func TestMessagesThatBeginNoSitting(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	no := func(name string, values ...any) []lti.Claims {
		var all []lti.Claims
		for _, v := range values {
			all = append(all, lti.Claims{name: v})
		}
		return all
	}
	for why, changes := range map[string][]lti.Claims{
		"start_assessment_url": no(lti.ClaimStartAssessmentURL, nil, "", 7, "/start", "javascript:alert(1)", "data:text/html,x", "https://",
			"http://platform.example.com/start", "http://127.0.0.1.example.com/start", "//platform.example.com/start", " https://platform.example.com/", raw("null")),
		"session_data":      no(lti.ClaimSessionData, nil, "", raw("null"), raw("{}"), 1, raw(`["data"]`)),
		"attempt number":    no(lti.ClaimAttemptNumber, nil, raw("null"), 0, -1, 1.5, "1", "abc", true, raw("[1]"), raw("99999999999999999999")),
		"no resource link":  no(lti.ClaimResourceLink, nil, raw("{}"), raw(`{"id":""}`), "exam-7", raw(`{"id":7}`)),
		"names no candid":   no("sub", nil, "", 7, raw("null")),
		"version":           no(lti.ClaimVersion, nil, "LTI-1p0", 1.3),
		"message type":      no(lti.ClaimMessageType, nil, lti.StartAssessment, "ltistartproctoring"),
		"target_link_uri":   no(lti.ClaimTargetLinkURI, nil, "https://stranger.example"),
		"deployment":        no(lti.ClaimDeploymentID, nil, "other"),
		"issuer":            no("iss", "https://stranger.example"),
		"audience":          no("aud", "client-b"),
		"nonce":             no("nonce", "another"),
		"No such attempt":   no(lti.ClaimMessageType, lti.EndAssessment),
		"without an id":     {{lti.ClaimMessageType: lti.EndAssessment, lti.ClaimResourceLink: "exam-7"}},
		"The attempt numbe": {{lti.ClaimMessageType: lti.EndAssessment, lti.ClaimAttemptNumber: nil}},
	} {
		for _, change := range changes {
			t.Run(fmt.Sprint(why, change), func(t *testing.T) {
				g := NewWithT(t)
				shown := e.launch(e.window(), with(starts(), change))
				g.Expect(shown.status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)), shown.Text())
				g.Expect(shown.why()).To(ContainSubstring(why))
				answers := e.tool.Answers()
				g.Expect(answers[len(answers)-1].Accepted).To(BeFalse())
				g.Expect(answers[len(answers)-1].Why).To(Equal(shown.why()))
			})
		}
	}
	posts, tokens, orders := e.seen()
	NewWithT(t).Expect([]int{len(posts), len(tokens), len(orders)}).To(Equal([]int{0, 0, 0}))
}

func TestMessagesThatBeginASitting(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	for name, change := range map[string]lti.Claims{
		"no roles":   {lti.ClaimRoles: []string{}},
		"instructor": {lti.ClaimRoles: []string{lti.RoleInstructor}},
		"unknown":    {"https://vendor.example/claim/x": 1, lti.ClaimProctoringSettings: map[string]any{}, lti.ClaimACS: lti.ACS{Actions: []lti.Action{"teleport"}, ControlURL: controlURL}},
		"acs broken": {lti.ClaimACS: "x"},
		"minimal": {"name": nil, "given_name": nil, lti.ClaimLaunchPresentation: nil, lti.ClaimACS: nil,
			lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-7"}`)},
		"loopback":      {lti.ClaimStartAssessmentURL: "http://127.4.0.1:8080/start"},
		"loopback IPv6": {lti.ClaimStartAssessmentURL: "http://[::1]/start"},
		"localhost":     {lti.ClaimStartAssessmentURL: "http://LOCALHOST:8080/start"},
	} {
		t.Run(name, func(t *testing.T) {
			b := e.window()
			e.seated(b, change)
			shown := b.get(toolURL + proctoring.ProctorPath)
			expectRefused(t, shown, http.StatusUnauthorized, "Nobody has been launched")
		})
	}
	b := e.window()
	shown := e.launch(b, with(starts(), lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest}))
	expectLaunched(t, shown)
}

func TestSittingsInOneBrowserAreKeptApart(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b := e.window()
	first := e.seated(b, nil)
	second := e.seated(b, lti.Claims{
		lti.ClaimSessionData: "other", lti.ClaimAttemptNumber: 2, lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-8"}`),
		lti.ClaimStartAssessmentURL: platformURL + "/start-8", lti.ClaimDeploymentID: "deployment-b",
	})
	values := func(c map[string]any) []any {
		return []any{c[lti.ClaimSessionData], c[lti.ClaimAttemptNumber], c[lti.ClaimResourceLink].(map[string]any)["id"], c[lti.ClaimDeploymentID]}
	}
	got, _, claims, _ := e.message(b, first)
	g.Expect(got.target).To(Equal("/start?a=1&b=2"))
	g.Expect(values(claims)).To(Equal([]any{"data", 1.0, "exam-7", "deployment-1"}))
	got, _, claims, _ = e.message(b, second)
	g.Expect(got.target).To(Equal("/start-8"))
	g.Expect(values(claims)).To(Equal([]any{"other", 2.0, "exam-8", "deployment-b"}))

	stranger := e.window()
	expectRefused(t, stranger.get(first.url), http.StatusUnauthorized, "in this browser")
	expectRefused(t, stranger.press(first, "#start", nil), http.StatusUnauthorized, "in this browser")
	expectRefused(t, stranger.press(first, "#cancel", nil), http.StatusUnauthorized, "in this browser")
	expectRefused(t, b.get(toolURL+proctoring.CheckInPath), http.StatusUnauthorized, "in this browser")
	g.Expect(b.get(first.url).Find("#check-in").Length()).To(Equal(1))
	e.pass(2 * time.Hour)
	e.message(b, first)
}

func TestCandidateWhoCannotStartReturns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		presentation any
		want         string
	}{
		"with a query":    {map[string]any{"return_url": returnURL + "?a=1&b=%26"}, "/back?a=1&b=%26&"},
		"without a query": {map[string]any{"return_url": returnURL}, "/back?"},
		"nowhere":         {nil, ""},
		"to a script":     {map[string]any{"return_url": "javascript:alert(1)"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			e := newExam(t)
			b := e.window()
			checkIn := e.seated(b, lti.Claims{lti.ClaimLaunchPresentation: c.presentation})
			shown := b.press(checkIn, "#cancel", nil)
			g.Expect(shown.status).To(Equal(http.StatusOK))
			posts, _, _ := e.seen()
			if c.want == "" {
				g.Expect(shown.Find("#cancelled").Length()).To(Equal(1))
				g.Expect(posts).To(BeEmpty())
			} else {
				g.Expect(posts).To(HaveLen(1))
				own, ok := strings.CutPrefix(posts[0].target, c.want)
				g.Expect(ok).To(BeTrue(), posts[0].target)
				query, err := url.ParseQuery(own)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(posts[0].method).To(Equal(http.MethodGet))
				g.Expect(query).To(And(HaveLen(2), HaveKeyWithValue("lti_errormsg", ConsistOf(ContainSubstring("check-in was not completed"))), HaveKey("lti_errorlog")))
			}
			expectRefused(t, b.press(checkIn, "#start", nil), http.StatusConflict, "over")
			e.seated(b, nil) // again
		})
	}
}

// proctor is the window of a teacher.
func (e *exam) proctor() window {
	e.t.Helper()
	b := e.window()
	shown := e.launch(b, with(starts(), lti.Claims{
		lti.ClaimMessageType: lti.ResourceLinkRequest, "sub": "teacher-1", lti.ClaimRoles: []string{lti.RoleInstructor},
	}))
	expectLaunched(e.t, shown)
	return b
}

func list(b window, candidate string) page {
	b.t.Helper()
	return b.get(toolURL + proctoring.ProctorPath + "?candidate=" + url.QueryEscape(candidate))
}

func TestProctorsControlAttempts(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	e.seated(e.window(), lti.Claims{"sub": "cand/é<1>", lti.ClaimResourceLink: json.RawMessage(`{"id":"exam/山"}`), lti.ClaimAttemptNumber: 29})
	teacher := e.proctor()
	for _, c := range []struct {
		button string
		with   url.Values
		answer string
		says   string
		more   string
	}{
		{".pause", nil, `{"status":"paused"}`, "The platform says: paused.", ""},
		{".resume", nil, `{"status":"running","extra_time":null}`, "The platform says: running.", ""},
		{".update", nil, `{"status":"running","extra_time":10}`, "The platform says: running, with 10 minutes more.", `,"extra_time":10`},
		{".update", url.Values{"extra_time": {"0"}}, `{"status":"none"}`, "The platform says: none.", `,"extra_time":0`},
		{".flag", nil, `{"status":"running"}`, "The platform says: running.", `,"incident_severity":0.5`},
		{".flag", url.Values{"severity": {"1"}, "reason_code": {"7"}, "reason_msg": {"“<two>”"}}, `{"status":"complete"}`, "The platform says: complete.",
			`,"incident_severity":1,"reason_code":"7","reason_msg":"“<two>”"`},
		{".terminate", nil, `{"status":"terminated"}`, "The platform says: terminated.", ""},
	} {
		g := NewWithT(t)
		e.answer(says(c.answer))
		shown := teacher.press(list(teacher, "é<1>"), c.button, c.with)
		g.Expect(shown.status).To(Equal(http.StatusOK))
		g.Expect(shown.Find("#outcome [role=alert]").Text()).To(Equal(c.says))
		g.Expect(c.answer).To(ContainSubstring(shown.Find("#outcome").AttrOr("data-status", "none at all")))
		_, _, orders := e.seen()
		g.Expect(orders).To(HaveLen(1))
		g.Expect([]string{orders[0].method, orders[0].target, orders[0].contentType, orders[0].authorization}).To(Equal([]string{
			http.MethodPost, "/acs?at=1", "application/vnd.ims.lti-ap.v1.control+json", "Bearer t-._~+/=1"}))
		g.Expect(orders[0].body).To(MatchJSON(`{"user":{"iss":"` + platformURL + `","sub":"cand/é<1>"},"resource_link":{"id":"exam/山"},` +
			`"attempt_number":29,"action":"` + c.button[1:] + `","incident_time":"2026-03-01T12:00:00Z"` + c.more + `}`))
	}
	for button, bad := range map[string]url.Values{
		".update": {"extra_time": {"-5"}}, ".flag": {"severity": {"1.1"}}, ".update ": {"extra_time": {"ten"}}, ".flag ": {"severity": {"NaN"}},
		".flag  ": {"reason_msg": {strings.Repeat("x", 5000)}},
	} {
		shown := teacher.press(list(teacher, ""), strings.TrimSpace(button), bad)
		NewWithT(t).Expect(shown.status).To(Equal(http.StatusBadRequest))
	}
	_, tokens, orders := e.seen()
	NewWithT(t).Expect(tokens).To(BeEmpty())
	NewWithT(t).Expect(orders).To(BeEmpty())
}

func TestTokensAreAskedForAndKept(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.seated(e.window(), nil)
	teacher := e.proctor()
	pause := func() (says string, tokens, orders []request) {
		says = teacher.press(list(teacher, ""), ".pause", nil).Find("[role=alert]").Text()
		_, tokens, orders = e.seen()
		return says, tokens, orders
	}
	_, tokens, _ := pause()
	g.Expect(tokens).To(HaveLen(1))
	form := tokens[0].form
	g.Expect([]any{tokens[0].method, tokens[0].contentType, tokens[0].authorization, len(form)}).To(Equal([]any{
		http.MethodPost, "application/x-www-form-urlencoded", "", 4}))
	g.Expect(form.Get("grant_type")).To(Equal("client_credentials"))
	g.Expect(form.Get("client_assertion_type")).To(Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
	g.Expect(form.Get("scope")).To(Equal(lti.ScopeControl))
	_, claims, _ := opened(t, form.Get("client_assertion"))
	jti := claims["jti"]
	g.Expect(jti).To(MatchRegexp(`^[A-Za-z0-9_-]{22}$`))
	g.Expect(claims).To(Equal(map[string]any{
		"iss": clientID, "sub": clientID, "aud": tokenURL, "iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 300), "jti": jti,
		lti.ClaimDeploymentID: "deployment-1",
	}))

	e.pass(9 * time.Minute) // teachers' sessions last for ten
	_, tokens, _ = pause()
	g.Expect(tokens).To(BeEmpty(), "it is kept")
	e.answer(status(http.StatusUnauthorized))
	says, tokens, orders := pause()
	g.Expect(says).To(ContainSubstring("running"))
	g.Expect(tokens).To(HaveLen(1))
	_, claims, _ = opened(t, tokens[0].form.Get("client_assertion"))
	g.Expect(claims["jti"]).NotTo(Equal(jti))
	g.Expect(orders).To(HaveLen(2))
	e.answer(status(http.StatusUnauthorized), status(http.StatusUnauthorized))
	says, tokens, orders = pause()
	g.Expect(says).To(Equal("The platform did not take it: HTTP 401."))
	g.Expect([]int{len(tokens), len(orders)}).To(Equal([]int{1, 2}), "not again and again")

	e.mu.Lock()
	e.grant = `{"access_token":"short","token_type":"Bearer","expires_in":5,"scope":"x ` + lti.ScopeControl + `"}`
	e.now = e.now.Add(2 * time.Hour)
	e.mu.Unlock()
	_, tokens, orders = pause()
	g.Expect(tokens).To(HaveLen(1), "the other has expired")
	g.Expect(orders[0].authorization).To(Equal("Bearer short"))
	e.pass(4 * time.Second)
	_, tokens, _ = pause()
	g.Expect(tokens).To(BeEmpty())
	e.pass(time.Second)
	_, tokens, _ = pause()
	g.Expect(tokens).To(HaveLen(1))
}

func TestAudienceOfAssertionsIsAgreedOn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t, func(r *faketool.Registration) { r.TokenAudience = "https://agreed.example" })
	_, err := e.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).NotTo(HaveOccurred())
	_, tokens, _ := e.seen()
	_, claims, _ := opened(t, tokens[0].form.Get("client_assertion"))
	g.Expect(claims["aud"]).To(Equal("https://agreed.example"))
}

func TestWhatThePlatformDoesNotTakeIsTold(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	e.seated(e.window(), nil)
	teacher := e.proctor()
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		says   string
	}{
		"404":   {status(http.StatusNotFound), "The platform did not take it: HTTP 404."},
		"500":   {status(http.StatusInternalServerError), "The platform did not take it: HTTP 500."},
		"204":   {status(http.StatusNoContent), "The platform did not take it: HTTP 204."},
		"reset": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "The platform did not take it: nobody answered"},
		"redirect": {func(w http.ResponseWriter) {
			w.Header().Set("Location", startURL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "HTTP 307"},
		"empty":   {says(""), "the answer is none of the service"},
		"a list":  {says(`["paused"]`), "the answer is none of the service"},
		"unknown": {says(`{"status":"<b>gone"}`), "no status that is known"},
	} {
		g := NewWithT(t)
		e.answer(c.answer)
		shown := teacher.press(list(teacher, ""), ".terminate", nil)
		g.Expect(shown.Find("#outcome").AttrOr("data-status", "")).To(Equal("failed"), name)
		g.Expect(shown.Find("[role=alert]").Text()).To(ContainSubstring(c.says), name)
		_, _, orders := e.seen()
		g.Expect(orders).To(HaveLen(1), name)
	}
	for grant, says := range map[string]string{
		`{"access_token":"x","token_type":"Bearer","expires_in":3600,"scope":""}`:      "does not grant the scope",
		`{"access_token":"x","token_type":"Bearer","expires_in":3600,"scope":"other"}`: "does not grant the scope",
		`{"access_token":"x","token_type":"mac"}`:                                      "no access token that is known",
		`{"error":"invalid_scope"}`:                                                    "no access token that is known",
		`no`:                                                                           "no access token that is known",
	} {
		g := NewWithT(t)
		fresh := newExam(t)
		fresh.grant = grant
		fresh.seated(fresh.window(), nil)
		b := fresh.proctor()
		g.Expect(b.press(list(b, ""), ".pause", nil).Find("[role=alert]").Text()).To(And(HavePrefix("The platform was not asked: "), ContainSubstring(says)))
		_, tokens, orders := fresh.seen()
		g.Expect([]int{len(tokens), len(orders)}).To(Equal([]int{1, 0}), grant)
	}
	g := NewWithT(t)
	without := newExam(t, func(r *faketool.Registration) { r.TokenURL = "" })
	without.seated(without.window(), nil)
	b := without.proctor()
	g.Expect(b.press(list(b, ""), ".pause", nil).Find("[role=alert]").Text()).To(ContainSubstring("no token endpoint"))
}

func TestProctorsSeeWhatThePlatformOffers(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.seated(e.window(), lti.Claims{"name": "All", "sub": "c-1"})
	e.seated(e.window(), lti.Claims{"name": "One <b>", "sub": "c-2", lti.ClaimACS: lti.ACS{Actions: []lti.Action{"terminate", "teleport", "PAUSE"}, ControlURL: controlURL}})
	e.seated(e.window(), lti.Claims{"name": "None", "sub": "c-3", lti.ClaimACS: nil})
	e.seated(e.window(), lti.Claims{"name": nil, "sub": "c-4", lti.ClaimACS: lti.ACS{Actions: lti.Actions, ControlURL: "http://stranger.example/"}})
	teacher := e.proctor()
	names := func(p page) []string {
		return p.Find(".sitting strong").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	}
	buttons := func(p page) []string {
		return p.Find("button").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("class", "") + ": " + s.Text() })
	}
	g.Expect(names(list(teacher, ""))).To(Equal([]string{"c-4", "None", "One <b>", "All"}))
	g.Expect(names(list(teacher, "One <"))).To(Equal([]string{"One <b>"}))
	g.Expect(names(list(teacher, "c-1"))).To(Equal([]string{"All"}))
	g.Expect(list(teacher, "<i>").Find("#proctor").Text()).To(ContainSubstring("Nobody called <i>"))
	g.Expect(buttons(list(teacher, "c-1"))).To(Equal([]string{"pause: Pause", "resume: Resume", "terminate: Terminate", "update: Give time", "flag: Flag"}))
	g.Expect(buttons(list(teacher, "c-2"))).To(Equal([]string{"terminate: Terminate"}))
	g.Expect(buttons(list(teacher, "c-3"))).To(BeEmpty())
	g.Expect(buttons(list(teacher, "c-4"))).To(BeEmpty())

	terminate, _ := formOf(list(teacher, "c-2").Find(".terminate").Closest("form"))
	for _, action := range []string{"pause", "teleport", "PAUSE"} {
		shown := teacher.do(http.MethodPost, strings.TrimSuffix(terminate, "terminate")+action, nil)
		expectRefused(t, shown, http.StatusNotFound, "does not offer")
	}
	expectRefused(t, teacher.do(http.MethodPost, toolURL+"/proctor/nobody/pause", nil), http.StatusNotFound, "no such sitting")
	for name, b := range map[string]window{"nobody": e.window(), "a learner": e.window()} {
		want := http.StatusUnauthorized
		if name == "a learner" {
			e.launch(b, with(starts(), lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest}))
			want = http.StatusForbidden
		}
		expectRefused(t, b.get(toolURL+"/proctor"), want, "")
		expectRefused(t, b.do(http.MethodPost, terminate, nil), want, "")
	}
	_, tokens, orders := e.seen()
	g.Expect([]int{len(tokens), len(orders)}).To(Equal([]int{0, 0}))
	for i := range 60 {
		e.seated(e.window(), lti.Claims{"name": fmt.Sprint("many ", i)})
	}
	many := names(list(teacher, "many"))
	g.Expect(many).To(HaveLen(50))
	g.Expect(many[0]).To(Equal("many 59"))
}

func TestEndClosesTheSittingItIsAbout(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	for name, c := range map[string]struct {
		change lti.Claims
		closes bool
	}{
		"as it began":               {nil, true},
		"without the resource link": {lti.Claims{lti.ClaimResourceLink: nil, lti.ClaimLaunchPresentation: nil}, true},
		"another attempt":           {lti.Claims{lti.ClaimAttemptNumber: 2}, false},
		"another candidate":         {lti.Claims{"sub": "candidate-2"}, false},
		"another link":              {lti.Claims{lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-8"}`)}, false},
		"another deployment":        {lti.Claims{lti.ClaimDeploymentID: "deployment-b"}, false},
		"nobody":                    {lti.Claims{"sub": nil}, false},
		"no attempt":                {lti.Claims{lti.ClaimAttemptNumber: nil}, false},
		"another nonce":             {lti.Claims{"nonce": "another"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := e.window()
			sub := "candidate " + name
			of := func(c lti.Claims) lti.Claims {
				if c["sub"] == "candidate-1" {
					c["sub"] = sub
				}
				return c
			}
			checkIn := e.launch(b, of(starts()))
			g.Expect(checkIn.Find("#check-in").Length()).To(Equal(1))
			shown := e.launch(b, of(with(ends(starts()), c.change)))
			if !c.closes {
				g.Expect(shown.status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)))
				g.Expect(b.get(checkIn.url).Find("#check-in").Length()).To(Equal(1), "it goes on")
				return
			}
			g.Expect(shown.status).To(Equal(http.StatusOK), shown.Text())
			g.Expect(shown.Find("#ended h1").Text()).To(Equal("Algebra"))
			g.Expect(shown.Find("[role=alert]").Length()).To(BeZero())
			_, returns := c.change[lti.ClaimLaunchPresentation]
			g.Expect(shown.Find("#return").Length() == 1).To(Equal(!returns))
			expectRefused(t, b.get(checkIn.url), http.StatusConflict, "over")
			expectRefused(t, b.press(checkIn, "#start", nil), http.StatusConflict, "over")
			teacher := e.proctor()
			g.Expect(list(teacher, sub).Find("button").Length()).To(BeZero())
			g.Expect(e.launch(b, of(with(ends(starts()), c.change))).status).To(Equal(http.StatusOK), "twice does no harm")
		})
	}
}

func TestEndWithoutALinkIsAboutTheBrowser(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b, other := e.window(), e.window()
	here := e.seated(b, nil)
	there := e.seated(other, lti.Claims{lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-8"}`)})
	g.Expect(e.launch(b, with(ends(starts()), lti.Claims{lti.ClaimResourceLink: nil})).Find("#ended h1").Text()).To(Equal("Algebra"))
	expectRefused(t, b.get(here.url), http.StatusConflict, "over")
	g.Expect(other.get(there.url).Find("#check-in").Length()).To(Equal(1))
}

func TestEndShowsWhatWentWrong(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	for message, want := range map[any]string{
		"<script>alert(1)</script> \"it\"": "<script>alert(1)</script> \"it\"", strings.Repeat("x", 10_000): strings.Repeat("x", 10_000), 7: "", true: "",
	} {
		g := NewWithT(t)
		b := e.window()
		e.seated(b, nil)
		shown := e.launch(b, with(ends(starts()), lti.Claims{lti.ClaimErrorMessage: message, lti.ClaimErrorLog: "TypeError at /exam"}))
		g.Expect(shown.status).To(Equal(http.StatusOK))
		g.Expect(shown.Find("#ended [role=alert]").Text()).To(Equal(want))
		g.Expect(shown.Find("#return").AttrOr("href", "")).To(Equal(returnURL))
		g.Expect(shown.Text()).NotTo(ContainSubstring("TypeError"))
	}
}

// answered holds a login and lets the platform answer it with a message.
func (e *exam) answered(b window, c lti.Claims) *faketool.Answer {
	e.t.Helper()
	e.tool.Hold(true)
	e.launch(b, c)
	answers := e.tool.Answers()
	a := answers[len(answers)-1]
	NewWithT(e.t).Expect(a.Login).NotTo(BeNil())
	return a
}

func TestProbingSendsTheMessageThatWasMade(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b := e.window()
	a := e.answered(b, starts())
	g.Expect(a.Accepted).To(BeTrue())
	m, err := proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Address).To(HavePrefix(toolURL + proctoring.MessagePath + "/"))
	g.Expect(m.Form).To(Equal(url.Values{"JWT": {m.JWT}}))
	g.Expect([]string{m.Method, m.To}).To(Equal([]string{http.MethodPost, startURL}))
	for range 2 {
		b.get(m.Address)
		posts, _, _ := e.seen()
		g.Expect(posts).To(HaveLen(1))
		g.Expect(posts[0].target).To(Equal("/start?a=1&b=2"))
		g.Expect(posts[0].form).To(Equal(m.Form))
	}
	_, claims, _ := opened(t, m.JWT)
	g.Expect(claims).To(And(HaveKeyWithValue("iss", clientID), HaveKeyWithValue(lti.ClaimSessionData, "data"), HaveKeyWithValue(lti.ClaimEndAssessmentReturn, true)))
	g.Expect(claims["nonce"]).To(Equal(m.Claims["nonce"]))

	other, err := proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{
		To: platformURL + "/elsewhere", With: lti.Claims{lti.ClaimEndAssessmentReturn: false, lti.ClaimVerifiedUser: nil, "vendor": "x"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	b.get(other.Address)
	posts, _, _ := e.seen()
	g.Expect(posts[0].target).To(Equal("/elsewhere"))
	_, claims, _ = opened(t, posts[0].form.Get("JWT"))
	g.Expect(claims).To(And(HaveKeyWithValue(lti.ClaimEndAssessmentReturn, false), Not(HaveKey(lti.ClaimVerifiedUser)), HaveKeyWithValue("vendor", "x")))
	g.Expect(claims["nonce"]).NotTo(Equal(m.Claims["nonce"]))
	g.Expect(b.get(toolURL + proctoring.MessagePath + "/nothing").status).To(Equal(http.StatusNotFound))

	ended := e.answered(b, ends(starts()))
	g.Expect(ended.Accepted).To(BeTrue(), ended.Why)
	bad := e.answered(b, with(starts(), lti.Claims{lti.ClaimAttemptNumber: "1", lti.ClaimSessionData: nil}))
	g.Expect(bad.Accepted).To(BeFalse())
	m, err = proctoring.Of(e.tool).StartAssessment(bad, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	_, claims, _ = opened(t, m.JWT)
	g.Expect(claims).To(And(HaveKeyWithValue(lti.ClaimAttemptNumber, "1"), Not(HaveKey(lti.ClaimSessionData))))

	for _, none := range []*faketool.Answer{nil, {}, {IDToken: "x"}, ended} {
		_, err = proctoring.Of(e.tool).StartAssessment(none, proctoring.MessageProbe{})
		g.Expect(err).To(MatchError(HavePrefix("proctoring: ")))
	}
	for _, to := range []string{"javascript:alert(1)", "/start", "ftp://platform.example.com/"} {
		_, err = proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{To: to})
		g.Expect(err).To(MatchError(ContainSubstring("nothing can be posted")))
	}
	unknown := *a
	unknown.Login = nil
	_, err = proctoring.Of(e.tool).StartAssessment(&unknown, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred(), "the message says who it is of")
}

func TestMessagesAreForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	const most = 5
	e := newExamOf(t, faketool.Options{Remembers: most})
	b := e.window()
	a := e.answered(b, starts())
	var first, second *toolmessage.Message
	for i := range most + 1 {
		m, err := proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{})
		g.Expect(err).NotTo(HaveOccurred())
		switch i {
		case 0:
			first = m
		case 1:
			second = m
		}
	}
	g.Expect(b.get(first.Address).status).To(Equal(http.StatusNotFound))
	g.Expect(b.get(second.Address).status).To(Equal(http.StatusOK))
}

func TestFaultsChangeAMessage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b := e.window()
	a := e.answered(b, starts())
	other := e.answered(b, with(starts(), lti.Claims{lti.ClaimSessionData: "of another"}))
	valid, err := proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	sent := func(p proctoring.MessageProbe) (*toolmessage.Message, request) {
		m, err := proctoring.Of(e.tool).StartAssessment(a, p)
		g.Expect(err).NotTo(HaveOccurred())
		e.seen()
		b.get(m.Address)
		posts, _, _ := e.seen()
		g.Expect(posts).To(HaveLen(1))
		return m, posts[0]
	}
	_, claims, _ := opened(t, first(sent(proctoring.MessageProbe{Fault: stimulus(t, "start-session-of-other-candidate").Stimulus(), Other: other})).JWT)
	g.Expect(claims[lti.ClaimSessionData]).To(Equal("of another"))
	_, claims, _ = opened(t, first(sent(proctoring.MessageProbe{Fault: stimulus(t, "start-nonce-used").Stimulus(), Other: other, Earlier: valid})).JWT)
	g.Expect(claims["nonce"]).To(Equal(valid.Claims["nonce"]))
	m, got := sent(proctoring.MessageProbe{Fault: stimulus(t, "start-by-get").Stimulus()})
	g.Expect([]string{got.method, got.target, got.body}).To(Equal([]string{http.MethodGet, "/start?a=1&b=2&JWT=" + m.JWT, ""}))
	m, got = sent(proctoring.MessageProbe{Fault: stimulus(t, "start-as-id-token").Stimulus()})
	g.Expect(got.form).To(Equal(url.Values{"id_token": {m.JWT}}))
	_, got = sent(proctoring.MessageProbe{Fault: stimulus(t, "start-parameter-missing").Stimulus()})
	g.Expect(got.form).To(BeEmpty())
	_, got = sent(proctoring.MessageProbe{Fault: stimulus(t, "start-type-of-exam").Stimulus()})
	g.Expect(got.form).To(Equal(url.Values{"JWT": {a.IDToken}}))
	_, got = sent(proctoring.MessageProbe{Fault: stimulus(t, "start-type-of-link").Stimulus(), Other: other})
	g.Expect(got.form).To(Equal(url.Values{"JWT": {other.IDToken}}))

	for fault, why := range map[*faketool.Fault]string{
		stimulus(t, "start-link-of-other-exam"): "needs another message",
		stimulus(t, "acs-by-put"):               "none of a message", stimulus(t, "nonce-missing"): "none of a message",
	} {
		_, err = proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{Fault: fault.Stimulus()})
		g.Expect(err).To(MatchError(ContainSubstring(why)))
	}
	_, err = proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{Fault: stimulus(t, "start-nonce-used").Stimulus(), Other: other})
	g.Expect(err).To(MatchError(ContainSubstring("needs an earlier message")))
	for name, why := range map[string]error{ // no other link or deployment, no picture, and no other tool
		"start-link-of-other-exam": faketool.ErrUnchanged, "start-deployment-other": faketool.ErrUnchanged,
		"verified-user-platform-picture": faketool.ErrUnchanged,
		"start-iss-of-other-tool":        faketool.ErrNoOtherTool, "iss-of-other-tool": faketool.ErrNoOtherTool,
	} {
		_, err = proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{Fault: stimulus(t, name).Stimulus(), Other: other})
		g.Expect(err).To(MatchError(why), name)
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestWaysOfSigning(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b := e.window()
	a := e.answered(b, starts())
	own, err := toolKey()
	g.Expect(err).NotTo(HaveOccurred())
	pem, err := jwk.Pem(public(t, own))
	g.Expect(err).NotTo(HaveOccurred())
	strangers, err := jwk.ParseString(b.get(toolURL + "/stranger/jwks").Text())
	g.Expect(err).NotTo(HaveOccurred())
	foreign, ok := strangers.Key(0)
	g.Expect(ok).To(BeTrue())
	verifies := func(token string, alg jwa.SignatureAlgorithm, key any) bool {
		_, err := jws.Verify([]byte(token), jws.WithKey(alg, key))
		return err == nil
	}
	const messages, assertions = "sec-platform-tool-message-signature", "sec-token-assertion-signature"
	for how, of := range map[string]map[string]string{ // names of stimuli, by what they provoke
		"stranger":    {messages: "signed-by-other-key", assertions: "signed-by-unrelated-key"},
		"unknown kid": {messages: "kid-unknown", assertions: "kid-unknown"},
		"jwk":         {messages: "embedded-jwk"},
		"jku":         {messages: "foreign-jku"},
		"none":        {messages: "alg-none", assertions: "alg-none"},
		"hs256":       {messages: "hs256-public-key-pem", assertions: "hs256-public-key-pem"},
		"altered":     {messages: "payload-changed-after-signing", assertions: "payload-altered"},
		"no JWT":      {"ap-platform-rejects-bad-signature": "start-no-jwt", "rfc6749-token-request-form": "assertion-not-a-jwt"},
	} {
		for id, name := range of {
			label := how + ": " + name
			var token string
			if fault := provoking(t, id, name); faketool.Changes(*fault) == "message" {
				m, err := proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{Fault: fault.Stimulus()})
				g.Expect(err).NotTo(HaveOccurred())
				token = m.JWT
			} else {
				_, err := e.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: fault})
				g.Expect(err).NotTo(HaveOccurred())
				_, asked, _ := e.seen()
				token = asked[0].form.Get("client_assertion")
			}
			if how == "no JWT" {
				g.Expect(token).To(Equal("abc"))
				continue
			}
			h, payload, err := lti.Decode(token)
			g.Expect(err).NotTo(HaveOccurred(), label)
			var header map[string]any
			g.Expect(json.Unmarshal(h, &header)).To(Succeed())
			g.Expect(string(payload)).To(ContainSubstring(clientID), label)
			g.Expect(verifies(token, jwa.RS256, public(t, own))).To(BeFalse(), label)
			switch how {
			case "stranger":
				g.Expect(header["kid"]).To(Equal(own.KeyID()))
				g.Expect(verifies(token, jwa.RS256, foreign)).To(BeTrue())
			case "unknown kid":
				g.Expect(header["kid"]).NotTo(Or(Equal(own.KeyID()), Equal(foreign.KeyID())))
				g.Expect(verifies(token, jwa.RS256, foreign)).To(BeTrue())
			case "jwk":
				g.Expect(header["jwk"]).To(And(HaveKey("n"), Not(HaveKey("d"))))
				g.Expect(verifies(token, jwa.RS256, foreign)).To(BeTrue())
			case "jku":
				g.Expect(header["jku"]).To(Equal(toolURL + "/stranger/jwks"))
				g.Expect(verifies(token, jwa.RS256, foreign)).To(BeTrue())
			case "none":
				g.Expect(header["alg"]).To(Equal("none"))
				g.Expect(token).To(HaveSuffix("."))
			case "hs256":
				g.Expect(header).To(And(HaveKeyWithValue("alg", "HS256"), HaveKeyWithValue("kid", own.KeyID())))
				g.Expect(verifies(token, jwa.HS256, pem)).To(BeTrue())
			}
		}
	}
}

func TestAnotherKeyIsPublishedAndSigns(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	b := e.window()
	a := e.answered(b, starts())
	withdraw, err := e.tool.AddKey()
	g.Expect(err).NotTo(HaveOccurred())
	set, err := jwk.ParseString(b.get(toolURL + "/jwks").Text())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set.Len()).To(Equal(2))
	m, err := proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	added, _ := set.Key(1)
	_, err = jws.Verify([]byte(m.JWT), jws.WithKey(jwa.RS256, added))
	g.Expect(err).NotTo(HaveOccurred())
	withdraw()
	set, err = jwk.ParseString(b.get(toolURL + "/jwks").Text())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set.Len()).To(Equal(1))
	m, err = proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	opened(t, m.JWT)
	own, err := otherKey()
	g.Expect(err).NotTo(HaveOccurred())
	m, err = proctoring.Of(e.tool).StartAssessment(a, proctoring.MessageProbe{Key: own})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = jws.Verify([]byte(m.JWT), jws.WithKey(jwa.RS256, public(t, own)))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestProbingAsksForTokens(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	token, err := e.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{"a", "b"}, With: lti.Claims{"jti": nil, "x": 1}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{token.AccessToken, token.TokenType, token.Scope, token.ExpiresIn, token.Error}).To(Equal([]any{"t-._~+/=1", "bearer", "", 3600.0, ""}))
	g.Expect(token.Raw).To(HaveLen(3))
	g.Expect([]any{token.Method, token.URL, token.RequestHeader.Get("Content-Type"), token.Status, token.ContentType, token.Err, token.At}).To(Equal([]any{
		http.MethodPost, tokenURL, "application/x-www-form-urlencoded", 200, "application/json", nil, noon}))
	g.Expect(token.Took).To(BeNumerically(">", 0))
	_, tokens, _ := e.seen()
	g.Expect(tokens[0].form.Get("scope")).To(Equal("a b"))
	assertion := tokens[0].form.Get("client_assertion")
	_, claims, _ := opened(t, assertion)
	g.Expect(claims).To(And(Not(HaveKey("jti")), HaveKeyWithValue("x", 1.0)))
	shown, err := url.ParseQuery(token.RequestBody)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(shown.Get("client_assertion")).To(Equal(assertion[:strings.LastIndex(assertion, ".")+1]), "without signature")

	_, err = e.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: provoking(t, "core-token-assertion-iss-sub", "client-id-unknown")})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = e.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: stimulus(t, "assertion-missing")})
	g.Expect(err).NotTo(HaveOccurred())
	_, tokens, _ = e.seen()
	_, claims, _ = opened(t, tokens[0].form.Get("client_assertion"))
	g.Expect(claims["sub"]).To(And(Equal(claims["iss"]), Not(Equal(clientID))))
	g.Expect(tokens[1].form.Has("client_assertion")).To(BeFalse())

	_, err = e.tool.Token(t.Context(), platformURL, "nobody", faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).To(MatchError(ContainSubstring("registered")))
	_, err = e.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: stimulus(t, "acs-by-put")})
	g.Expect(err).To(MatchError(ContainSubstring("none of a token request")))
	without := newExam(t, func(r *faketool.Registration) { r.TokenURL = "" })
	_, err = without.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).To(MatchError(ContainSubstring("no token endpoint")))
	nowhere := newExam(t, func(r *faketool.Registration) { r.TokenURL = "https://nobody.example/token?x=1" })
	token, err = nowhere.tool.Token(t.Context(), platformURL, clientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(token.Status).To(BeZero())
	g.Expect(token.Err).To(MatchError(ContainSubstring("nobody may go")))
}

func TestProbingControlsAttempts(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	severity := 0.5
	order := lti.ControlRequest{
		User: lti.ControlUser{Issuer: platformURL, Sub: "candidate-1"}, ResourceLink: lti.ControlResourceLink{ID: "exam-7"},
		AttemptNumber: 1 << 60, Action: lti.Flag, IncidentTime: "x", IncidentSeverity: &severity,
	}
	sent := func(fault *faketool.Fault) (*part.Exchange, request) {
		got, err := proctoring.Of(e.tool).Control(t.Context(), controlURL, "secret", order, proctoring.ControlProbe{Fault: fault.Stimulus()})
		g.Expect(err).NotTo(HaveOccurred())
		_, _, orders := e.seen()
		g.Expect(orders).To(HaveLen(1))
		g.Expect(fmt.Sprint(got.URL, got.RequestBody)).NotTo(ContainSubstring("secret"))
		return got, orders[0]
	}
	e.answer(says(`{"status":"paused","extra_time":7}`))
	got, asked := sent(nil)
	g.Expect(asked.body).To(MatchJSON(got.RequestBody))
	g.Expect(asked.body).To(ContainSubstring(`"attempt_number":1152921504606846976`))
	g.Expect([]string{asked.method, asked.target, asked.contentType, asked.authorization}).To(Equal([]string{
		http.MethodPost, "/acs?at=1", lti.MediaTypeControl, "Bearer secret"}))
	g.Expect([]any{got.Status, got.ContentType, got.URL, got.RequestHeader}).To(Equal([]any{200, lti.MediaTypeControl, controlURL, http.Header{
		"Content-Type": {lti.MediaTypeControl}, "Accept": {lti.MediaTypeControl}, "Authorization": {"Bearer secret"}}}))
	answer, err := proctoring.ReadAnswer(got)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Status).To(Equal(lti.Paused))
	g.Expect(*answer.ExtraTime).To(Equal(7))

	_, asked = sent(stimulus(t, "acs-by-put"))
	g.Expect(asked.method).To(Equal(http.MethodPut))
	_, asked = sent(stimulus(t, "control-without-user"))
	g.Expect(asked.body).NotTo(ContainSubstring("user"))
	_, asked = sent(stimulus(t, "body-not-json"))
	g.Expect([]string{asked.body, asked.contentType}).To(Equal([]string{"{", lti.MediaTypeControl}))
	_, asked = sent(stimulus(t, "media-type-text"))
	g.Expect(asked.contentType).To(Equal("text/plain"))
	_, asked = sent(stimulus(t, "token-in-query"))
	g.Expect([]string{asked.target, asked.authorization}).To(Equal([]string{"/acs?at=1&access_token=secret", ""}))
	_, asked = sent(stimulus(t, "token-missing"))
	g.Expect(asked.authorization).To(BeEmpty())
	_, asked = sent(stimulus(t, "attempt-number-as-string"))
	g.Expect(asked.body).To(ContainSubstring(`"attempt_number":"1152921504606846976"`))
	e.answer(status(http.StatusForbidden))
	got, _ = sent(nil)
	_, err = proctoring.ReadAnswer(got)
	g.Expect(err).To(MatchError("HTTP 403"))

	got, err = proctoring.Of(e.tool).Control(t.Context(), "https://nobody.example/acs", "secret", order, proctoring.ControlProbe{Fault: stimulus(t, "token-in-query").Stimulus()})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.Err).To(And(HaveOccurred(), Not(MatchError(ContainSubstring("secret")))))
	for _, to := range []string{"", "/acs", "javascript:alert(1)", ":"} {
		_, err = proctoring.Of(e.tool).Control(t.Context(), to, "secret", order, proctoring.ControlProbe{})
		g.Expect(err).To(MatchError(HavePrefix("proctoring: ")))
	}
	_, err = proctoring.Of(e.tool).Control(t.Context(), controlURL, "secret", order, proctoring.ControlProbe{Fault: stimulus(t, "start-by-get").Stimulus()})
	g.Expect(err).To(MatchError(ContainSubstring("none of a control request")))
}
