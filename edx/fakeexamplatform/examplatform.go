// Package fakeexamplatform is a fake exam platform of the REST contract of edX: it asks a
// proctoring backend what edx-proctoring asks, in the same words, and takes the callbacks
// of the backend. It checks nothing of what it is answered, and keeps it for who does.
//
// What it sends passes seams, which a stimulus changes in one thing;
// [Platform.With] returns a platform that has one.
package fakeexamplatform

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" // what edx-proctoring makes pseudonyms with
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/edx"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Options say who the platform is, and which backend it asks.
type Options struct {
	// URL is where the backend finds the platform, without a slash at the end: lms_host.
	URL string
	// ClientID and ClientSecret are those of the backend's account at the platform, which
	// its callbacks are made with.
	ClientID, ClientSecret string
	// Backend is the one that the platform asks.
	Backend Backend
	// Client makes the requests. Nil is one that gives up after 20 seconds.
	Client *http.Client
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// A Backend is what a platform knows of one, by the names of its settings.
type Backend struct {
	BaseURL, ClientID, ClientSecret string
}

// A Platform is a fake exam platform. It is safe for concurrent use.
type Platform struct {
	*state
	faults *fault.Carrier
}

// state is what a platform and those with a stimulus have in common.
type state struct {
	o   Options
	key []byte // signs the tokens of the backend's account

	mu        sync.Mutex
	token     string
	expires   time.Time
	attempts  map[string]string // their statuses, by the backend's id
	callbacks []Callback
	asked     bool          // somebody has asked for a token, or made a callback
	refused   bool          // somebody was refused a token
	came      chan struct{} // is closed with each callback, and made anew
}

// New makes a platform. The error is for options that it cannot work with.
func New(o Options) (*Platform, error) {
	if u, err := url.Parse(o.Backend.BaseURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("fakeexamplatform: %q is no base URL", o.Backend.BaseURL)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 20 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Platform{state: &state{
		o: o, key: []byte(lti.RandomString()), attempts: map[string]string{}, came: make(chan struct{}),
	}}, nil
}

// With returns the same platform, as it is with a stimulus.
func (p *Platform) With(s fault.Fault) *Platform {
	return &Platform{state: p.state, faults: fault.Carry(s.Effects...)}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// An Answer is what a backend has answered.
type Answer struct {
	Status int // 0 when no answer came
	Header http.Header
	Body   []byte
	// JSON is what the body says, with numbers as [json.Number]; nil where Problem says why
	// it is no JSON.
	JSON    any
	Problem string
	// URL is where it came from in the end, after redirects.
	URL string
	// Err is why no answer came.
	Err error
	// TooLarge is set where the body is more than is read.
	TooLarge bool
}

// OK says whether the status is 2xx.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Refused says whether the status is 4xx, but none that says that the server is busy.
func (a Answer) Refused() bool {
	return a.Status >= 400 && a.Status < 500 && a.Status != http.StatusTooManyRequests
}

// Object is the JSON object that came; nil where none did.
func (a Answer) Object() map[string]any {
	object, _ := a.JSON.(map[string]any)
	return object
}

// Text is a member of the object that is a text; empty where there is none.
func (a Answer) Text(name string) string {
	text, _ := a.Object()[name].(string)
	return text
}

// ID is the member id as the platform stores it, whether it is a text or a number; empty
// where there is none.
func (a Answer) ID() string {
	switch id := a.Object()["id"].(type) {
	case string:
		return id
	case json.Number:
		return id.String()
	default:
		return ""
	}
}

// do makes a request and reads what is answered.
func (p *Platform) do(ctx context.Context, client *http.Client, method, address string, body io.Reader, header http.Header) Answer {
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return Answer{Err: err}
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		return Answer{Err: err}
	}
	defer func() { _ = response.Body.Close() }()
	a := Answer{Status: response.StatusCode, Header: response.Header, URL: response.Request.URL.String()}
	if a.Body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1)); err != nil {
		a.Err, a.Problem = err, "the answer breaks off"
		return a
	}
	if len(a.Body) > maxAnswer {
		a.Body, a.TooLarge, a.Problem = a.Body[:maxAnswer], true, "more came than is read"
		return a
	}
	a.JSON, a.Problem = readJSON(a.Body)
	return a
}

// readJSON reads one JSON value, and says what is wrong where it is none.
func readJSON(body []byte) (value any, problem string) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	switch err := decoder.Decode(&value); {
	case len(bytes.TrimSpace(body)) == 0:
		return nil, "the body is empty"
	case err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		return nil, "the body is HTML instead of JSON"
	case err != nil:
		return nil, "the body is not JSON"
	}
	if decoder.More() {
		return nil, "the body is more than one JSON value"
	}
	return value, ""
}

// tokenForm is the form of a token request.
var tokenForm = &fault.Seam[url.Values]{Name: "the form of a token request", Clone: cloneForm}

func cloneForm(form url.Values) url.Values {
	copied := url.Values{}
	for name, values := range form {
		copied[name] = append([]string(nil), values...)
	}
	return copied
}

// AskToken asks the backend for an access token, whether the platform has one or not.
func (p *Platform) AskToken(ctx context.Context) Answer {
	form := tokenForm.Pass(p.faults, url.Values{
		edx.GrantType: {edx.ClientCredentials}, edx.ClientID: {p.o.Backend.ClientID},
		edx.ClientSecret: {p.o.Backend.ClientSecret}, edx.TokenType: {edx.JWT},
	})
	return p.do(ctx, p.o.Client, http.MethodPost, p.o.Backend.BaseURL+edx.TokenPath, strings.NewReader(form.Encode()),
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"*/*"}})
}

// Lifetime is how long a token is good that was answered: what expires_in says, even as a
// text, and a minute where it says nothing. It is false where there is no token.
func (a Answer) Lifetime() (time.Duration, bool) {
	if a.Text(edx.AccessToken) == "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(fmt.Sprint(a.Object()[edx.ExpiresIn]), 64)
	if err != nil || math.IsNaN(seconds) {
		return time.Minute, true
	}
	const most = 10 * 365 * 24 * 3600 // years: more is no use, and no duration
	return time.Duration(max(0, min(seconds, most)) * float64(time.Second)), true
}

// early is how long before its end a token is not used any more.
const early = 5 * time.Second

// Token returns the access token that the platform has, and asks for one where it has none
// that lasts. The answer is what was asked for, if it was; Err tells that there is no token.
func (p *Platform) Token(ctx context.Context) (string, Answer) {
	p.mu.Lock()
	token, expires := p.token, p.expires
	p.mu.Unlock()
	if token != "" && p.o.Now().Before(expires) {
		return token, Answer{}
	}
	asked := p.o.Now()
	answer := (&Platform{state: p.state}).AskToken(ctx)
	lifetime, ok := answer.Lifetime()
	if !ok || !answer.OK() {
		if answer.Err == nil {
			answer.Err = fmt.Errorf("the backend issues no token: it answers %s", Describe(answer))
		}
		return "", answer
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token, p.expires = answer.Text(edx.AccessToken), asked.Add(lifetime-early)
	return p.token, answer
}

// Describe says in words how a backend has answered, without what it said.
func Describe(a Answer) string {
	switch {
	case a.Status == 0 && a.Err != nil:
		return "nothing: " + a.Err.Error()
	case a.Problem != "":
		return fmt.Sprintf("%d, and %s", a.Status, a.Problem)
	default:
		return strconv.Itoa(a.Status)
	}
}

// A call is one request to the API of a backend.
type call struct {
	method, path, query string
	authorization       string // of the header; none when empty
	language            string // Accept-Language; none when empty
	body                map[string]any
}

// apiCall is a call as it leaves the platform.
var apiCall = &fault.Seam[call]{Name: "a call of the backend's API"}

// call asks the backend's API. Where there is no token, the answer's Err says so.
func (p *Platform) call(ctx context.Context, c call) Answer {
	token, answer := p.Token(ctx)
	if answer.Err != nil {
		return Answer{Err: answer.Err}
	}
	c.authorization = edx.Scheme + " " + token
	c = apiCall.Pass(p.faults, c)
	header := http.Header{"Accept": {"*/*"}}
	if c.authorization != "" {
		header.Set("Authorization", c.authorization)
	}
	if c.language != "" {
		header.Set("Accept-Language", c.language)
	}
	var body io.Reader
	if c.body != nil {
		encoded, err := json.Marshal(c.body)
		if err != nil {
			return Answer{Err: err}
		}
		body = bytes.NewReader(encoded)
		header.Set("Content-Type", "application/json")
	}
	address := p.o.Backend.BaseURL + c.path
	if c.query != "" {
		address += "?" + c.query
	}
	return p.do(ctx, p.o.Client, c.method, address, body, header)
}

// language is that of the learner's pages, where nothing else is asked for.
const language = "en-us"

// Config asks for the configuration of the backend, in a language; the default one when empty.
func (p *Platform) Config(ctx context.Context, in string) Answer {
	if in == "" {
		in = language
	}
	return p.call(ctx, call{method: http.MethodGet, path: edx.ConfigPath, language: in})
}

// An Exam is one of a course, as the platform has it.
type Exam struct {
	ID         int
	ExternalID string // the backend's id of it; empty before it has given one
	Course     string
	Content    string
	Name       string
	Minutes    int
	Practice   bool
	Rules      map[string]bool // nil where none are configured
}

// payload is what a backend is told of an exam (edx_proctoring/serializers.py).
func (e Exam) payload() map[string]any {
	p := map[string]any{
		"id": e.ID, "course_id": e.Course, "content_id": e.Content, "external_id": nil, "exam_name": e.Name,
		"time_limit_mins": e.Minutes, "is_proctored": true, "is_practice_exam": e.Practice, "is_active": true,
		"due_date": nil, "hide_after_due": false, "backend": "invigilator",
	}
	if e.ExternalID != "" {
		p["external_id"] = e.ExternalID
	}
	if e.Rules != nil {
		p["rules"] = e.Rules
	}
	return p
}

// Save creates an exam where it has no id of the backend yet, and updates it else.
func (p *Platform) Save(ctx context.Context, e Exam) Answer {
	path := edx.ExamsPath
	if e.ExternalID != "" {
		path = edx.ExamPath(e.ExternalID)
	}
	return p.call(ctx, call{method: http.MethodPost, path: path, body: e.payload()})
}

// Exam asks for an exam by the backend's id of it. edx-proctoring never does.
func (p *Platform) Exam(ctx context.Context, id string) Answer {
	return p.call(ctx, call{method: http.MethodGet, path: edx.ExamPath(id)})
}

// A Learner is one who takes exams.
type Learner struct {
	ID    int
	Name  string
	Email string // null when empty
}

// UserID is the pseudonym of a learner for the backend: 40 hexadecimal digits.
func (p *Platform) UserID(l Learner) string {
	mac := hmac.New(sha1.New, p.key)
	_, _ = fmt.Fprintf(mac, "%d%s", l.ID, "invigilator")
	return hex.EncodeToString(mac.Sum(nil))
}

// Register registers a learner's attempt at an exam.
func (p *Platform) Register(ctx context.Context, e Exam, l Learner) Answer {
	body := map[string]any{
		"user_id": p.UserID(l), "full_name": l.Name, "email": nil, "lms_host": p.o.URL,
		"time_limit_mins": e.Minutes, "is_sample_attempt": e.Practice, "status": edx.StatusCreated,
	}
	if l.Email != "" {
		body["email"] = l.Email
	}
	a := p.call(ctx, call{method: http.MethodPost, path: edx.AttemptsPath(e.ExternalID), body: body})
	if id := a.ID(); id != "" && a.OK() {
		p.mu.Lock()
		p.attempts[id] = edx.StatusCreated
		p.mu.Unlock()
	}
	return a
}

// Attempt asks for an attempt.
func (p *Platform) Attempt(ctx context.Context, exam, attempt string) Answer {
	return p.call(ctx, call{method: http.MethodGet, path: edx.AttemptPath(exam, attempt), language: language})
}

// Tell tells the backend of the status of an attempt: started, submitted or error.
func (p *Platform) Tell(ctx context.Context, exam, attempt, status string) Answer {
	p.mu.Lock()
	p.attempts[attempt] = status
	p.mu.Unlock()
	return p.call(ctx, call{method: http.MethodPatch, path: edx.AttemptPath(exam, attempt), body: map[string]any{"status": status}})
}

// Delete deletes an attempt.
func (p *Platform) Delete(ctx context.Context, exam, attempt string) Answer {
	return p.call(ctx, call{method: http.MethodDelete, path: edx.AttemptPath(exam, attempt)})
}

// Retire has the backend delete a user, by the pseudonym of [Platform.UserID].
func (p *Platform) Retire(ctx context.Context, user string) Answer {
	return p.call(ctx, call{method: http.MethodDelete, path: edx.UserPath(user)})
}

// Onboarding asks for the onboarding statuses of a course, or of one learner of it by the
// pseudonym. Status is the filter, statuses joined by commas.
func (p *Platform) Onboarding(ctx context.Context, course, user, status string) Answer {
	query := url.Values{"status": {status}}
	if user != "" {
		query = url.Values{"user_id": {user}}
	}
	return p.call(ctx, call{method: http.MethodGet, path: edx.OnboardingPath(course), query: query.Encode()})
}

// dashboard is the link to the dashboard of a backend.
type dashboard struct {
	client string
	claims map[string]any
	secret []byte
	sign   func(payload, secret []byte) (string, error)
	alter  func(token string) string // what becomes of the token; nil leaves it
	absent bool                      // there is no token in the link
}

// instructorLink is a link to the dashboard as it leaves the platform.
var instructorLink = &fault.Seam[dashboard]{Name: "the link to the dashboard", Clone: func(d dashboard) dashboard {
	d.claims = maps.Clone(d.claims)
	return d
}}

// dashboardLifetime is how long a link to the dashboard is good: token_expiration_time.
const dashboardLifetime = time.Minute

// InstructorLink returns the address of the backend's dashboard for a course, with a token
// for a user of the platform.
func (p *Platform) InstructorLink(course string, user Learner) (string, error) {
	d := instructorLink.Pass(p.faults, dashboard{
		client: p.o.Backend.ClientID, secret: []byte(p.o.Backend.ClientSecret), sign: signHS256,
		claims: map[string]any{
			"course_id": course, "user": map[string]any{"id": p.UserID(user), "full_name": user.Name, "email": user.Email},
			"iss": p.o.Backend.ClientID, "jti": hex.EncodeToString([]byte(lti.RandomString())[:16]),
			"exp": float64(p.o.Now().Add(dashboardLifetime).UnixMilli()) / 1000,
		},
	})
	payload, err := json.Marshal(d.claims)
	if err != nil {
		return "", err
	}
	token, err := d.sign(payload, d.secret)
	if err != nil {
		return "", fmt.Errorf("sign the token of the dashboard: %w", err)
	}
	if d.alter != nil {
		token = d.alter(token)
	}
	address := p.o.Backend.BaseURL + edx.DashboardPath(d.client)
	if !d.absent {
		address += "?" + url.Values{"jwt": {token}}.Encode()
	}
	return address, nil
}

// Dashboard opens the dashboard for a course as the browser of a user would.
func (p *Platform) Dashboard(ctx context.Context, course string, user Learner) Answer {
	address, err := p.InstructorLink(course, user)
	if err != nil {
		return Answer{Err: err}
	}
	return p.Open(ctx, address)
}

// Open opens an address as a fresh browser would, such as that of a download.
func (p *Platform) Open(ctx context.Context, address string) Answer {
	browser := *p.o.Client
	browser.Jar, _ = cookiejar.New(nil) // which has no error
	return p.do(ctx, &browser, http.MethodGet, address, nil, http.Header{"Accept": {"text/html,*/*;q=0.8"}})
}

func signHS256(payload, secret []byte) (string, error) {
	token, err := jws.Sign(payload, jws.WithKey(jwa.HS256, secret))
	return string(token), err
}
