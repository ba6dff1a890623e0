package platformtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

// Keys of tools; the tests share these, too.
var (
	ToolKey    = sync.OnceValues(lti.NewKey)
	NewToolKey = sync.OnceValues(lti.NewKey)

	NewestToolKey = sync.OnceValues(lti.NewKey)
)

// ExamRoom is a platform with a clock that can be moved and with two tools that
// publish keys.
type ExamRoom struct {
	*Site
	T        *testing.T
	ToolKeys *KeyServer

	mu  sync.Mutex
	now time.Time
}

// KeyServer publishes the key set of a tool.
type KeyServer struct {
	*httptest.Server
	mu      sync.Mutex
	answer  http.HandlerFunc // in place of the keys
	keys    []jwk.Key
	fetches int
}

// ServeHTTP answers with the key set, or with what was set in its place.
func (k *KeyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fetches++
	if k.answer != nil {
		k.answer(w, r)
		return
	}
	set, err := lti.PublicSet(k.keys...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(set)
}

// Publish publishes these keys and no others.
func (k *KeyServer) Publish(keys ...jwk.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

// Answers lets the server answer otherwise than with the keys; with them again where it is nil.
func (k *KeyServer) Answers(answer http.HandlerFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = answer
}

// Asked is how often the key set was asked for.
func (k *KeyServer) Asked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fetches
}

// KeyOf makes a key; the test ends where it cannot be made.
func KeyOf(t *testing.T, make func() (jwk.Key, error)) jwk.Key {
	t.Helper()
	key, err := make()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return key
}

func serveKeys(t *testing.T, keys ...jwk.Key) *KeyServer {
	k := &KeyServer{keys: keys}
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

// NewExamRoom returns a platform whose tool publishes a key set.
func NewExamRoom(t *testing.T, changes ...func(*fakeplatform.Options)) *ExamRoom {
	t.Helper()
	room := &ExamRoom{T: t, now: Noon, ToolKeys: serveKeys(t, KeyOf(t, ToolKey))}
	room.Site = Serve(t, append([]func(*fakeplatform.Options){func(o *fakeplatform.Options) {
		o.Now = func() time.Time {
			room.mu.Lock()
			defer room.mu.Unlock()
			return room.now
		}
	}}, changes...)...)
	r := Registration()
	r.JWKSURL = room.ToolKeys.URL
	NewWithT(t).Expect(room.Register(r)).To(Succeed())
	NewWithT(t).Expect(room.Register(fakeplatform.Registration{
		ClientID: OtherClient, LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example/launch",
		RedirectURIs: []string{"https://b.example/launch"}, DeploymentIDs: []string{"1"}, JWKSURL: serveKeys(t, KeyOf(t, NewToolKey)).URL,
	})).To(Succeed())
	return room
}

// WithSessions lets a cookie say who is signed in.
func WithSessions(o *fakeplatform.Options) {
	o.SignedIn = func(r *http.Request) string {
		c, err := r.Cookie("account")
		if err != nil {
			return ""
		}
		return c.Value
	}
}

// SignIn signs an account in, for an application with sessions.
func (b Browser) SignIn(account string) {
	u, _ := url.Parse(PlatformURL)
	b.Client.Jar.SetCookies(u, []*http.Cookie{{Name: "account", Value: account}})
}

// Pass lets time pass.
func (room *ExamRoom) Pass(d time.Duration) {
	room.mu.Lock()
	defer room.mu.Unlock()
	room.now = room.now.Add(d)
}

// Proctored plans a launch into an exam.
func Proctored(change ...func(*fakeplatform.Plan)) fakeplatform.Plan {
	plan := fakeplatform.Plan{
		Message: lti.StartProctoring, User: Ada, ResourceLink: fakeplatform.ResourceLink{ID: "exam-7", Title: "Final exam"},
		About: proctoring.Exam{Actions: lti.Actions},
	}
	for _, c := range change {
		c(&plan)
	}
	return plan
}

// Attempt is a candidate's launch, in the candidate's browser, as far as the
// tool has been told of it.
type Attempt struct {
	Room *ExamRoom
	Browser
	Launch *fakeplatform.Launch
	Claims map[string]any // of LtiStartProctoring
}

// Attempt launches in a browser, a new one when there is none.
func (room *ExamRoom) Attempt(b *Browser, change ...func(*fakeplatform.Plan)) *Attempt {
	room.T.Helper()
	if b == nil {
		fresh := room.Browser(room.T)
		b = &fresh
	}
	l := room.Begins(room.T, Proctored(change...))
	request := AuthRequest(b.Login(l))
	if request.Get("client_id") == OtherClient {
		request.Set("redirect_uri", "https://b.example/launch")
	}
	_, fields := b.Authenticate(request).Form()
	_, claims := ClaimsOf(room.T, fields)
	return &Attempt{room, *b, l, claims}
}

// Message is a valid LtiStartAssessment.
func (s *Attempt) Message(changes ...func(lti.Claims)) lti.Claims {
	now := s.Room.Clock()
	claims := lti.Claims{
		"iss": s.Launch.Plan().ClientID, "aud": PlatformURL, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": lti.RandomString(),
		lti.ClaimMessageType: lti.StartAssessment, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: s.Claims[lti.ClaimDeploymentID],
		lti.ClaimSessionData: s.Claims[lti.ClaimSessionData], lti.ClaimResourceLink: s.Claims[lti.ClaimResourceLink],
		lti.ClaimAttemptNumber: s.Claims[lti.ClaimAttemptNumber],
	}
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	for _, change := range changes {
		change(claims)
	}
	return claims
}

// Clock is the platform's time.
func (room *ExamRoom) Clock() time.Time {
	room.mu.Lock()
	defer room.mu.Unlock()
	return room.now
}

// Sign signs claims with the tool's key.
func (s *Attempt) Sign(claims lti.Claims) string {
	s.t.Helper()
	key := KeyOf(s.t, ToolKey)
	if s.Launch.Plan().ClientID == OtherClient {
		key = KeyOf(s.t, NewToolKey)
	}
	jwt, err := lti.Sign(claims, key)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return jwt
}

// Post sends LtiStartAssessment from the browser of the attempt.
func (s *Attempt) Post(jwt string) Page {
	s.t.Helper()
	return s.Send(http.MethodPost, s.Claims[lti.ClaimStartAssessmentURL].(string), url.Values{"JWT": {jwt}})
}

// Start sends a message that may differ from a valid one.
func (s *Attempt) Start(changes ...func(lti.Claims)) Page {
	s.t.Helper()
	return s.Post(s.Sign(s.Message(changes...)))
}

// Starts starts the attempt, which has to succeed.
func (s *Attempt) Starts(changes ...func(lti.Claims)) *Attempt {
	s.t.Helper()
	p := s.Start(changes...)
	NewWithT(s.t).Expect(p.Status).To(Equal(http.StatusSeeOther), p.Body)
	NewWithT(s.t).Expect(p.Header.Get("Location")).To(Equal(proctoring.Of(s.Launch).ExamURL()))
	NewWithT(s.t).Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Running))
	return s
}

// Exam returns the page of the assessment and the status that it shows.
func (s *Attempt) Exam() (Page, lti.Status) {
	s.t.Helper()
	p := s.Get(proctoring.Of(s.Launch).ExamURL())
	return p, lti.Status(p.Find("#exam").AttrOr("data-status", ""))
}

// Ending expects that a page sends the browser to an LtiEndAssessment, and
// returns its claims.
func (s *Attempt) Ending(p Page) map[string]any {
	s.t.Helper()
	NewWithT(s.t).Expect(p.Status).To(Equal(http.StatusSeeOther), p.Body)
	NewWithT(s.t).Expect(p.Header.Get("Location")).NotTo(Equal(proctoring.Of(s.Launch).ExamURL()))
	login := s.Get(p.Header.Get("Location"))
	NewWithT(s.t).Expect(login.Status).To(Equal(http.StatusFound), login.Body)
	u, err := url.Parse(login.Header.Get("Location"))
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	_, fields := s.Authenticate(AuthRequest(u.Query())).Form()
	_, claims := ClaimsOf(s.t, fields)
	NewWithT(s.t).Expect(claims).To(HaveKeyWithValue(lti.ClaimMessageType, lti.EndAssessment))
	return claims
}

// SetsClaim gives a claim another value, and leaves it out for nil.
func SetsClaim(name string, value any) func(lti.Claims) {
	return func(c lti.Claims) {
		if value == nil {
			delete(c, name)
			return
		}
		c[name] = value
	}
}

// InExam changes what a plan says of the exam.
func InExam(plan *fakeplatform.Plan, change func(*proctoring.Exam)) {
	exam, _ := plan.About.(proctoring.Exam)
	change(&exam)
	plan.About = exam
}

// Forged signs the claims otherwise than the tool does.
func Forged(t *testing.T, claims lti.Claims, how string) string {
	t.Helper()
	g := NewWithT(t)
	key, stranger := KeyOf(t, ToolKey), KeyOf(t, NewToolKey)
	payload, err := json.Marshal(claims)
	g.Expect(err).NotTo(HaveOccurred())
	named := func(key jwk.Key, kid string) jwk.Key {
		renamed, err := key.Clone()
		g.Expect(err).NotTo(HaveOccurred())
		if kid == "" {
			g.Expect(renamed.Remove(jwk.KeyIDKey)).To(Succeed())
		} else {
			g.Expect(renamed.Set(jwk.KeyIDKey, kid)).To(Succeed())
		}
		return renamed
	}
	sign := func(key jwk.Key, header map[string]any) string {
		jwt, err := lti.SignPayload(payload, key, header)
		g.Expect(err).NotTo(HaveOccurred())
		return jwt
	}
	encode := base64.RawURLEncoding.EncodeToString
	public, err := key.PublicKey()
	g.Expect(err).NotTo(HaveOccurred())
	switch how {
	case "another key under the kid":
		return sign(named(stranger, key.KeyID()), nil)
	case "unknown kid":
		return sign(named(stranger, "unknown"), nil)
	case "no kid":
		return sign(named(key, ""), nil)
	case "jwk in the header":
		strangers, err := stranger.PublicKey()
		g.Expect(err).NotTo(HaveOccurred())
		return sign(named(stranger, key.KeyID()), map[string]any{jws.JWKKey: strangers})
	case "jku in the header":
		return sign(stranger, map[string]any{jws.JWKSetURLKey: serveKeys(t, stranger).URL})
	case "crit in the header":
		return sign(key, map[string]any{"crit": []string{"x"}, "x": 1})
	case "alg none":
		return encode([]byte(`{"alg":"none","kid":"`+key.KeyID()+`"}`)) + "." + encode(payload) + "."
	case "HS256 with the public key":
		pem, err := jwk.Pem(public)
		g.Expect(err).NotTo(HaveOccurred())
		header := jws.NewHeaders()
		g.Expect(header.Set(jws.KeyIDKey, key.KeyID())).To(Succeed())
		jwt, err := jws.Sign(payload, jws.WithKey(jwa.HS256, pem, jws.WithProtectedHeaders(header)))
		g.Expect(err).NotTo(HaveOccurred())
		return string(jwt)
	case "payload changed":
		parts := strings.Split(sign(key, nil), ".")
		return parts[0] + "." + encode(payload) + "x." + parts[2]
	case "claim changed":
		parts := strings.Split(sign(key, nil), ".")
		changed := maps.Clone(claims)
		changed["vendor"] = true
		payload, err := json.Marshal(changed)
		g.Expect(err).NotTo(HaveOccurred())
		return parts[0] + "." + encode(payload) + "." + parts[2]
	}
	t.Fatal(how)
	return ""
}

// Forgeries are the ways in which Forged makes a token that nobody may take.
var Forgeries = []string{
	"another key under the kid", "unknown kid", "no kid", "jwk in the header", "jku in the header", "crit in the header",
	"alg none", "HS256 with the public key", "payload changed", "claim changed",
}

// ForgedArray is a signed token whose payload is an array.
func ForgedArray(t *testing.T) string {
	t.Helper()
	jwt, err := lti.SignPayload([]byte("[]"), KeyOf(t, ToolKey), nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return jwt
}

// Reply is what a service answers.
type Reply struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   string
}

// JSON is the body of an answer, as an object.
func (r Reply) JSON() map[string]any {
	r.t.Helper()
	var object map[string]any
	NewWithT(r.t).Expect(json.Unmarshal([]byte(r.Body), &object)).To(Succeed(), r.Body)
	return object
}

// Call sends a request as a tool's server does.
func (room *ExamRoom) Call(method, address, body string, header map[string]string) Reply {
	room.T.Helper()
	g := NewWithT(room.T)
	r, err := http.NewRequestWithContext(room.T.Context(), method, address, strings.NewReader(body))
	g.Expect(err).NotTo(HaveOccurred())
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := room.Server.Client().Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	var raw bytes.Buffer
	_, err = raw.ReadFrom(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return Reply{room.T, response.StatusCode, response.Header, raw.String()}
}

// Assertion is that of a valid token request.
func (room *ExamRoom) Assertion(clientID string, key jwk.Key, changes ...func(lti.Claims)) string {
	room.T.Helper()
	jwt, err := lti.Sign(room.Asserts(clientID, changes...), key)
	NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
	return jwt
}

// Asserts are the claims of a client assertion.
func (room *ExamRoom) Asserts(clientID string, changes ...func(lti.Claims)) lti.Claims {
	now := room.Clock()
	claims := lti.Claims{
		"iss": clientID, "sub": clientID, "aud": room.TokenURL(), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": lti.RandomString(),
	}
	for _, change := range changes {
		change(claims)
	}
	return claims
}

// Token asks for an access token.
func (room *ExamRoom) Token(assertion string, changes ...func(url.Values)) Reply {
	room.T.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "client_assertion": {assertion}, "scope": {lti.ScopeControl},
	}
	for _, change := range changes {
		change(form)
	}
	return room.Call(http.MethodPost, room.TokenURL(), form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

// AccessToken is one for the Assessment Control Service.
func (room *ExamRoom) AccessToken(client string) string {
	room.T.Helper()
	key := KeyOf(room.T, ToolKey)
	if client == OtherClient {
		key = KeyOf(room.T, NewToolKey)
	}
	answer := room.Token(room.Assertion(client, key))
	NewWithT(room.T).Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
	return answer.JSON()["access_token"].(string)
}

// Order is a valid request to the Assessment Control Service.
func (s *Attempt) Order(action lti.Action, changes ...func(map[string]any)) string {
	s.t.Helper()
	body := map[string]any{
		"user":          map[string]any{"iss": PlatformURL, "sub": s.Claims["sub"]},
		"resource_link": map[string]any{"id": s.Claims[lti.ClaimResourceLink].(map[string]any)["id"]}, "attempt_number": s.Claims[lti.ClaimAttemptNumber],
		"action": action, "incident_time": s.Room.Clock().Format(time.RFC3339),
	}
	if action == lti.Update {
		body["extra_time"] = 10
	}
	for _, change := range changes {
		change(body)
	}
	raw, err := json.Marshal(body)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return string(raw)
}

// Strangers are requests to the services that no tool has sent.
func (room *ExamRoom) Strangers() []Reply {
	unscoped := func(v url.Values) { v.Del("scope") }
	stranger := Forged(room.T, room.Asserts("nobody"), "alg none")
	return []Reply{
		room.Token("", unscoped), room.Token("abc", unscoped), room.Token(stranger, unscoped), room.Call(http.MethodGet, PlatformURL+"/token", "", nil),
		room.Call(http.MethodGet, PlatformURL+"/acs", "", nil), room.Control("", "{}"), room.Control("made-up", `{"user":{"sub":"x"}}`), room.Control("", "no JSON"),
	}
}

// Control sends a request to the Assessment Control Service.
func (room *ExamRoom) Control(token, body string) Reply {
	room.T.Helper()
	return room.Call(http.MethodPost, PlatformURL+proctoring.ACSPath, body, map[string]string{
		"Authorization": "Bearer " + token, "Content-Type": lti.MediaTypeControl,
	})
}
