package fakeplatform_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
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
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

// Keys of tools; the tests share these, too.
var (
	toolKey    = sync.OnceValues(lti.NewKey)
	newToolKey = sync.OnceValues(lti.NewKey)

	newestToolKey = sync.OnceValues(lti.NewKey)
)

// examRoom is a platform with a clock that can be moved and with two tools that
// publish keys.
type examRoom struct {
	*site
	t    *testing.T
	keys *keyServer

	mu  sync.Mutex
	now time.Time
}

// keyServer publishes the key set of a tool.
type keyServer struct {
	*httptest.Server
	mu      sync.Mutex
	answer  http.HandlerFunc // in place of the keys
	keys    []jwk.Key
	fetches int
}

func (k *keyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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

func (k *keyServer) publish(keys ...jwk.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

// answers lets the server answer otherwise than with the keys; with them again where it is nil.
func (k *keyServer) answers(answer http.HandlerFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = answer
}

func (k *keyServer) asked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fetches
}

func keyOf(t *testing.T, make func() (jwk.Key, error)) jwk.Key {
	t.Helper()
	key, err := make()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return key
}

func serveKeys(t *testing.T, keys ...jwk.Key) *keyServer {
	k := &keyServer{keys: keys}
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

func newExamRoom(t *testing.T, changes ...func(*fakeplatform.Options)) *examRoom {
	t.Helper()
	room := &examRoom{t: t, now: noon, keys: serveKeys(t, keyOf(t, toolKey))}
	room.site = serve(t, append([]func(*fakeplatform.Options){func(o *fakeplatform.Options) {
		o.Now = func() time.Time {
			room.mu.Lock()
			defer room.mu.Unlock()
			return room.now
		}
	}}, changes...)...)
	r := registration()
	r.JWKSURL = room.keys.URL
	NewWithT(t).Expect(room.Register(r)).To(Succeed())
	NewWithT(t).Expect(room.Register(fakeplatform.Registration{
		ClientID: otherClient, LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example/launch",
		RedirectURIs: []string{"https://b.example/launch"}, DeploymentIDs: []string{"1"}, JWKSURL: serveKeys(t, keyOf(t, newToolKey)).URL,
	})).To(Succeed())
	return room
}

// withSessions lets a cookie say who is signed in.
func withSessions(o *fakeplatform.Options) {
	o.SignedIn = func(r *http.Request) string {
		c, err := r.Cookie("account")
		if err != nil {
			return ""
		}
		return c.Value
	}
}

func (b browser) signIn(account string) {
	u, _ := url.Parse(platformURL)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "account", Value: account}})
}

func (room *examRoom) pass(d time.Duration) {
	room.mu.Lock()
	defer room.mu.Unlock()
	room.now = room.now.Add(d)
}

func proctored(change ...func(*fakeplatform.Plan)) fakeplatform.Plan {
	plan := fakeplatform.Plan{
		Message: lti.StartProctoring, User: ada, ResourceLink: fakeplatform.ResourceLink{ID: "exam-7", Title: "Final exam"},
		About: proctoring.Exam{Actions: lti.Actions},
	}
	for _, c := range change {
		c(&plan)
	}
	return plan
}

// sitting is a candidate's launch, in the candidate's browser, as far as the
// tool has been told of it.
type sitting struct {
	room *examRoom
	browser
	launch *fakeplatform.Launch
	claims map[string]any // of LtiStartProctoring
}

// sit launches in a browser, a new one when there is none.
func (room *examRoom) sit(b *browser, change ...func(*fakeplatform.Plan)) *sitting {
	room.t.Helper()
	if b == nil {
		fresh := room.browser(room.t)
		b = &fresh
	}
	l := room.begin(room.t, proctored(change...))
	request := authRequest(b.login(l))
	if request.Get("client_id") == otherClient {
		request.Set("redirect_uri", "https://b.example/launch")
	}
	_, fields := b.authenticate(request).form()
	_, claims := claimsOf(room.t, fields)
	return &sitting{room, *b, l, claims}
}

// message is a valid LtiStartAssessment.
func (s *sitting) message(changes ...func(lti.Claims)) lti.Claims {
	now := s.room.clock()
	claims := lti.Claims{
		"iss": s.launch.Plan().ClientID, "aud": platformURL, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": lti.RandomString(),
		lti.ClaimMessageType: lti.StartAssessment, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: s.claims[lti.ClaimDeploymentID],
		lti.ClaimSessionData: s.claims[lti.ClaimSessionData], lti.ClaimResourceLink: s.claims[lti.ClaimResourceLink],
		lti.ClaimAttemptNumber: s.claims[lti.ClaimAttemptNumber],
	}
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	for _, change := range changes {
		change(claims)
	}
	return claims
}

func (room *examRoom) clock() time.Time {
	room.mu.Lock()
	defer room.mu.Unlock()
	return room.now
}

func (s *sitting) sign(claims lti.Claims) string {
	s.t.Helper()
	key := keyOf(s.t, toolKey)
	if s.launch.Plan().ClientID == otherClient {
		key = keyOf(s.t, newToolKey)
	}
	jwt, err := lti.Sign(claims, key)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return jwt
}

func (s *sitting) post(jwt string) page {
	s.t.Helper()
	return s.send(http.MethodPost, s.claims[lti.ClaimStartAssessmentURL].(string), url.Values{"JWT": {jwt}})
}

// start sends a message that may differ from a valid one.
func (s *sitting) start(changes ...func(lti.Claims)) page {
	s.t.Helper()
	return s.post(s.sign(s.message(changes...)))
}

func (s *sitting) starts(changes ...func(lti.Claims)) *sitting {
	s.t.Helper()
	p := s.start(changes...)
	NewWithT(s.t).Expect(p.status).To(Equal(http.StatusSeeOther), p.body)
	NewWithT(s.t).Expect(p.header.Get("Location")).To(Equal(proctoring.Of(s.launch).ExamURL()))
	NewWithT(s.t).Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Running))
	return s
}

// exam returns the page of the assessment and the status that it shows.
func (s *sitting) exam() (page, lti.Status) {
	s.t.Helper()
	p := s.get(proctoring.Of(s.launch).ExamURL())
	return p, lti.Status(p.Find("#exam").AttrOr("data-status", ""))
}

// ending expects that a page sends the browser to an LtiEndAssessment, and
// returns its claims.
func (s *sitting) ending(p page) map[string]any {
	s.t.Helper()
	NewWithT(s.t).Expect(p.status).To(Equal(http.StatusSeeOther), p.body)
	NewWithT(s.t).Expect(p.header.Get("Location")).NotTo(Equal(proctoring.Of(s.launch).ExamURL()))
	login := s.get(p.header.Get("Location"))
	NewWithT(s.t).Expect(login.status).To(Equal(http.StatusFound), login.body)
	u, err := url.Parse(login.header.Get("Location"))
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	_, fields := s.authenticate(authRequest(u.Query())).form()
	_, claims := claimsOf(s.t, fields)
	NewWithT(s.t).Expect(claims).To(HaveKeyWithValue(lti.ClaimMessageType, lti.EndAssessment))
	return claims
}

func sets1(name string, value any) func(lti.Claims) {
	return func(c lti.Claims) {
		if value == nil {
			delete(c, name)
			return
		}
		c[name] = value
	}
}

var wantsEnd = sets1(lti.ClaimEndAssessmentReturn, true)

// inExam changes what a plan says of the exam.
func inExam(plan *fakeplatform.Plan, change func(*proctoring.Exam)) {
	exam, _ := plan.About.(proctoring.Exam)
	change(&exam)
	plan.About = exam
}

func TestProctoredLaunchSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	g := NewWithT(t)
	no := false
	s := room.sit(nil, func(plan *fakeplatform.Plan) {
		plan.Context = fakeplatform.Context{ID: "course-1"}
		plan.About = proctoring.Exam{Settings: "video=on", Actions: []lti.Action{lti.Pause, lti.Resume}, Picture: "https://platform.example.com/ada.png", EmailVerified: &no}
	})
	g.Expect(s.claims).To(And(
		HaveKeyWithValue(lti.ClaimMessageType, lti.StartProctoring), HaveKeyWithValue(lti.ClaimVersion, lti.Version),
		HaveKeyWithValue(lti.ClaimDeploymentID, "deployment-1"), HaveKeyWithValue("sub", ada.Sub),
		HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0), HaveKeyWithValue(lti.ClaimStartAssessmentURL, proctoring.Of(s.launch).StartAssessmentURL()),
		HaveKeyWithValue(lti.ClaimSessionData, HaveLen(22)), HaveKeyWithValue(lti.ClaimProctoringSettings, map[string]any{"data": "video=on"}),
		HaveKeyWithValue(lti.ClaimACS, map[string]any{"actions": []any{"pause", "resume"}, "assessment_control_url": platformURL + "/acs"}),
		HaveKeyWithValue("picture", "https://platform.example.com/ada.png"), HaveKeyWithValue("given_name", "Ada"),
		HaveKeyWithValue("email", ada.Email), HaveKeyWithValue("email_verified", false),
		HaveKeyWithValue(lti.ClaimRoles, []any{lti.RoleLearner}), HaveKeyWithValue(lti.ClaimTargetLinkURI, targetURI),
		HaveKey(lti.ClaimContext), HaveKey(lti.ClaimToolPlatform), HaveKeyWithValue("nonce", "nonce-1"),
	))
	g.Expect(s.claims[lti.ClaimLaunchPresentation]).To(Equal(map[string]any{
		"document_target": "window", "return_url": s.launch.ReturnURL(), "locale": "en",
	}))

	s = room.sit(nil, func(plan *fakeplatform.Plan) {
		plan.About = proctoring.Exam{SessionData: "a <b>", Attempt: 29}
		plan.HidePersonalData = true
	})
	g.Expect(s.claims).To(And(HaveKeyWithValue(lti.ClaimSessionData, "a <b>"), HaveKeyWithValue(lti.ClaimAttemptNumber, 29.0)))
	for _, name := range []string{lti.ClaimACS, lti.ClaimProctoringSettings, "picture", "email", "email_verified", "name", lti.ClaimErrorMessage} {
		g.Expect(s.claims).NotTo(HaveKey(name))
	}
	s = room.sit(nil)
	g.Expect(s.claims).To(HaveKeyWithValue("email_verified", true))

	plain := room.begin(t, fakeplatform.Plan{User: ada})
	g.Expect(proctoring.Of(plain).Attempt()).To(BeNil())
	_, claims := claimsOf(t, room.browser(t).launch(plain))
	g.Expect(claims).NotTo(Or(HaveKey(lti.ClaimAttemptNumber), HaveKey("email_verified")), "a resource link launch is as it was")
}

func TestBeginRefusesWhatCannotBeProctored(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	for says, change := range map[string]func(*fakeplatform.Plan){
		`message type "LtiEndAssessment"`: func(p *fakeplatform.Plan) { p.Message = lti.EndAssessment },
		`message type "x"`:                func(p *fakeplatform.Plan) { p.Message = "x" },
		"launch of nobody":                func(p *fakeplatform.Plan) { p.User.Sub = "" },
		"a proctored launch of nobody":    func(p *fakeplatform.Plan) { p.Anonymous = true },
	} {
		plan := proctored(change)
		plan.ClientID = clientID
		_, err := room.Begin(plan)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
	}
}

func TestExamFromCheckInToReturn(t *testing.T) {
	t.Parallel()
	for name, sessions := range map[string]bool{"with its own cookies": false, "with the sessions of an application": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var changes []func(*fakeplatform.Options)
			if sessions {
				changes = append(changes, withSessions)
			}
			room := newExamRoom(t, changes...)
			b := room.browser(t)
			b.signIn("ada")
			s := room.sit(&b, func(plan *fakeplatform.Plan) {
				plan.Account, plan.ReturnTo = "ada", platformURL+"/course"
				inExam(plan, func(e *proctoring.Exam) { e.Settings = "audio=on" })
			})
			attempt := proctoring.Of(s.launch).Attempt()
			g.Expect(attempt.Status()).To(Equal(lti.None))
			p, status := s.exam()
			g.Expect([]any{p.status, status, p.Find("form").Length()}).To(Equal([]any{http.StatusOK, lti.None, 0}))

			room.pass(15 * time.Minute)
			s.starts(wantsEnd, sets1(lti.ClaimVerifiedUser, map[string]any{"name": "Ada <script>alert(1)</script>", "iss": "x", "sub": "sub-bob"}))
			g.Expect(attempt.WantsEnd()).To(BeTrue())
			g.Expect(proctoring.On(room).Current(clientID, "deployment-1", ada.Sub, "exam-7")).To(BeIdenticalTo(attempt))
			record := proctoring.Of(s.launch).Record().StartAssessments
			g.Expect(record).To(HaveLen(1))
			g.Expect(record[0].Started).To(BeTrue())
			g.Expect(record[0].Problems).To(BeEmpty())
			g.Expect(record[0].Target).To(Equal(strings.TrimPrefix(proctoring.Of(s.launch).StartAssessmentURL(), platformURL)))
			g.Expect(record[0].Form).To(Equal(url.Values{"JWT": {record[0].JWT}}))

			p, status = s.exam()
			g.Expect(status).To(Equal(lti.Running))
			g.Expect(p.Find("h1").Text()).To(Equal("Final exam"))
			g.Expect(p.Find("#time-left").Text()).To(Equal("60"))
			g.Expect(p.Find("#verified-name").Text()).To(Equal("Ada <script>alert(1)</script>"))
			g.Expect(p.body).NotTo(ContainSubstring("<script>"))
			g.Expect(p.Find("#submit").Text()).To(Equal("Submit exam"))
			g.Expect(attempt.EndDue()).To(BeFalse())

			room.pass(90 * time.Second)
			p, _ = s.exam()
			g.Expect(p.Find("#time-left").Text()).To(Equal("59"))
			claims := s.ending(s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{"answer": {"Ada"}}))
			g.Expect(attempt.Status()).To(Equal(lti.Complete))
			g.Expect(claims).To(And(
				HaveKeyWithValue("sub", ada.Sub), HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0), HaveKeyWithValue(lti.ClaimVersion, lti.Version),
				HaveKeyWithValue(lti.ClaimDeploymentID, "deployment-1"), HaveKeyWithValue(lti.ClaimTargetLinkURI, targetURI),
				HaveKeyWithValue(lti.ClaimResourceLink, s.claims[lti.ClaimResourceLink]), HaveKey(lti.ClaimRoles),
				HaveKeyWithValue(lti.ClaimProctoringSettings, map[string]any{"data": "audio=on"}), HaveKey(lti.ClaimLaunchPresentation),
			))
			for _, absent := range []string{lti.ClaimSessionData, lti.ClaimStartAssessmentURL, lti.ClaimACS, lti.ClaimErrorMessage, lti.ClaimErrorLog} {
				g.Expect(claims).NotTo(HaveKey(absent))
			}
			p, status = s.exam()
			g.Expect([]any{p.status, status}).To(Equal([]any{http.StatusOK, lti.Complete}), "the tool is told once")
			g.Expect(p.Find("#complete").Text()).To(Equal("You have submitted your exam."))
			g.Expect(p.Find("form").Length()).To(BeZero())
			again := s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
			g.Expect(again.header.Get("Location")).To(Equal(proctoring.Of(s.launch).ExamURL()))

			presentation := claims[lti.ClaimLaunchPresentation].(map[string]any)
			g.Expect(s.get(presentation["return_url"].(string)).Find("#return-to").AttrOr("href", "")).To(Equal(platformURL + "/course"))
			g.Expect(room.whys()).To(BeEmpty())
		})
	}
}

// forged signs the claims otherwise than the tool does.
func forged(t *testing.T, claims lti.Claims, how string) string {
	t.Helper()
	g := NewWithT(t)
	key, stranger := keyOf(t, toolKey), keyOf(t, newToolKey)
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

var forgeries = []string{
	"another key under the kid", "unknown kid", "no kid", "jwk in the header", "jku in the header", "crit in the header",
	"alg none", "HS256 with the public key", "payload changed", "claim changed",
}

// badMessages are changes of a valid message, and what is said of each.
var badMessages = map[string]struct {
	says    string
	changes []func(lti.Claims)
}{
	"session_data missing":          {"session_data is not", []func(lti.Claims){sets1(lti.ClaimSessionData, nil)}},
	"session_data empty":            {"session_data is not", []func(lti.Claims){sets1(lti.ClaimSessionData, "")}},
	"session_data altered":          {"session_data is not", []func(lti.Claims){sets1(lti.ClaimSessionData, "x")}},
	"session_data null":             {"session_data is not", []func(lti.Claims){sets1(lti.ClaimSessionData, json.RawMessage("null"))}},
	"session_data in an array":      {"session_data is not", []func(lti.Claims){func(c lti.Claims) { c[lti.ClaimSessionData] = []any{c[lti.ClaimSessionData]} }}},
	"attempt_number next":           {"attempt_number is not that", []func(lti.Claims){sets1(lti.ClaimAttemptNumber, 2)}},
	"attempt_number 0":              {"attempt_number is not that", []func(lti.Claims){sets1(lti.ClaimAttemptNumber, 0)}},
	"attempt_number a string":       {"attempt_number is missing or no", []func(lti.Claims){sets1(lti.ClaimAttemptNumber, "1")}},
	"attempt_number 1.5":            {"attempt_number is missing or no", []func(lti.Claims){sets1(lti.ClaimAttemptNumber, 1.5)}},
	"attempt_number missing":        {"attempt_number is missing", []func(lti.Claims){sets1(lti.ClaimAttemptNumber, nil)}},
	"resource_link other":           {"resource_link is not that", []func(lti.Claims){sets1(lti.ClaimResourceLink, map[string]any{"id": "exam-8"})}},
	"resource_link without id":      {"resource_link is not that", []func(lti.Claims){sets1(lti.ClaimResourceLink, map[string]any{})}},
	"resource_link missing":         {"resource_link is missing", []func(lti.Claims){sets1(lti.ClaimResourceLink, nil)}},
	"resource_link a string":        {"resource_link is missing or no", []func(lti.Claims){sets1(lti.ClaimResourceLink, "exam-7")}},
	"deployment_id missing":         {"deployment_id is not", []func(lti.Claims){sets1(lti.ClaimDeploymentID, nil)}},
	"deployment_id other":           {"deployment_id is not", []func(lti.Claims){sets1(lti.ClaimDeploymentID, "deployment-2")}},
	"iss of another tool":           {"iss is not", []func(lti.Claims){sets1("iss", otherClient)}},
	"iss of the platform":           {"iss is not", []func(lti.Claims){sets1("iss", platformURL)}},
	"iss missing":                   {"iss is not", []func(lti.Claims){sets1("iss", nil)}},
	"aud other":                     {"aud does not", []func(lti.Claims){sets1("aud", "https://other.example")}},
	"aud missing":                   {"aud does not", []func(lti.Claims){sets1("aud", nil)}},
	"aud of a number":               {"aud does not", []func(lti.Claims){sets1("aud", []any{1})}},
	"aud with somebody else":        {"aud names somebody", []func(lti.Claims){sets1("aud", []any{platformURL, "https://stranger.example"})}},
	"exp past":                      {"has expired", []func(lti.Claims){sets1("exp", noon.Add(-10*time.Minute).Unix())}},
	"exp missing":                   {"exp is missing", []func(lti.Claims){sets1("exp", nil)}},
	"exp a string":                  {"exp is missing or no time", []func(lti.Claims){sets1("exp", "2126-01-01T00:00:00Z")}},
	"iat ahead":                     {"iat lies ahead", []func(lti.Claims){sets1("iat", noon.Add(24*time.Hour).Unix()), sets1("exp", noon.Add(25*time.Hour).Unix())}},
	"iat a week ago":                {"more than a day old", []func(lti.Claims){sets1("iat", noon.Add(-7*24*time.Hour).Unix())}},
	"iat missing":                   {"iat is missing", []func(lti.Claims){sets1("iat", nil)}},
	"nonce missing":                 {"nonce is missing", []func(lti.Claims){sets1("nonce", nil)}},
	"nonce empty":                   {"nonce is missing", []func(lti.Claims){sets1("nonce", "")}},
	"message_type of the launch":    {"message_type is not", []func(lti.Claims){sets1(lti.ClaimMessageType, lti.StartProctoring)}},
	"message_type of deep linking":  {"message_type is not", []func(lti.Claims){sets1(lti.ClaimMessageType, lti.DeepLinkingResponse)}},
	"message_type missing":          {"message_type is not", []func(lti.Claims){sets1(lti.ClaimMessageType, nil)}},
	"version LTI-1p0":               {"version is not", []func(lti.Claims){sets1(lti.ClaimVersion, "LTI-1p0")}},
	"version missing":               {"version is not", []func(lti.Claims){sets1(lti.ClaimVersion, nil)}},
	"verified_user a string":        {"verified_user is no object", []func(lti.Claims){sets1(lti.ClaimVerifiedUser, "Ada")}},
	"verified_user null":            {"verified_user is no object", []func(lti.Claims){sets1(lti.ClaimVerifiedUser, json.RawMessage("null"))}},
	"several mistakes, told in one": {"iss is not", []func(lti.Claims){sets1("iss", "x"), sets1("nonce", nil)}},
}

func TestStartAssessmentRefuses(t *testing.T) {
	t.Parallel()
	// Each is refused in one sitting, and the genuine message still starts it.
	room := newExamRoom(t)
	s := room.sit(nil)
	refused := func(t *testing.T, p page, status int, says string) {
		t.Helper()
		g := NewWithT(t)
		g.Expect(p.status).To(Equal(status), p.body)
		g.Expect(p.Find("[role=alert]").Text()).To(ContainSubstring(says))
		g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.None))
	}
	for name, c := range badMessages {
		t.Run(name, func(t *testing.T) { refused(t, s.start(c.changes...), http.StatusBadRequest, c.says) })
	}
	for _, how := range forgeries {
		t.Run(how, func(t *testing.T) { refused(t, s.post(forged(t, s.message(), how)), http.StatusBadRequest, "") })
	}
	jwt := s.sign(s.message())
	_, idToken, err := s.launch.Answer()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	address := proctoring.Of(s.launch).StartAssessmentURL()
	for name, c := range map[string]struct {
		fields url.Values
		says   string
	}{
		"no JWT":                    {url.Values{}, "JWT occurs 0 times"},
		"not a JWT":                 {url.Values{"JWT": {"no JWT"}}, "no JWT that can be read"},
		"JWT twice":                 {url.Values{"JWT": {jwt, jwt}}, "JWT occurs 2 times"},
		"in the field id_token":     {url.Values{"id_token": {jwt}}, "JWT occurs 0 times"},
		"with an id_token beside":   {url.Values{"id_token": {jwt}, "JWT": {jwt}}, "the form has an id_token"},
		"the platform's own id_tok": {url.Values{"JWT": idToken["id_token"]}, "the tool has no key"},
		"claims that are no object": {url.Values{"JWT": {forgedArray(t)}}, "no JWT that can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s.send(http.MethodPost, address, c.fields), http.StatusBadRequest, c.says)
		})
	}
	t.Run("by GET", func(t *testing.T) {
		p := s.send(http.MethodGet, address, url.Values{"JWT": {jwt}})
		refused(t, p, http.StatusMethodNotAllowed, "instead of a POST")
		NewWithT(t).Expect(p.header.Get("Allow")).To(Equal("POST"))
	})
	t.Run("as another content type", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"JWT": {jwt}}.Encode()))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		r.Header.Set("Content-Type", "text/plain")
		response, err := s.client.Do(r)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		NewWithT(t).Expect(response.StatusCode).To(Equal(http.StatusBadRequest))
	})
	NewWithT(t).Expect(len(proctoring.Of(s.launch).Record().StartAssessments)).To(Equal(20), "the record is bounded")
	s.post(jwt)
	NewWithT(t).Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Running), "a refused message leaves the launch usable")

	t.Run("at a launch that is no exam's", func(t *testing.T) {
		l := room.begin(t, fakeplatform.Plan{})
		NewWithT(t).Expect(s.send(http.MethodPost, l.URL()+"/start-assessment", url.Values{"JWT": {jwt}}).status).To(Equal(http.StatusNotFound))
		NewWithT(t).Expect(s.get(l.URL() + "/exam").status).To(Equal(http.StatusNotFound))
	})
}

func forgedArray(t *testing.T) string {
	t.Helper()
	jwt, err := lti.SignPayload([]byte("[]"), keyOf(t, toolKey), nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return jwt
}

func TestStartAssessmentTakesWhatIsAllowed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(lti.Claims){
		"aud in an array":                 sets1("aud", []any{platformURL}),
		"an unknown claim":                sets1("https://vendor.example/x", map[string]any{"a": 1}),
		"verified_user empty":             sets1(lti.ClaimVerifiedUser, map[string]any{}),
		"another family name":             sets1(lti.ClaimVerifiedUser, map[string]any{"family_name": "Byron"}),
		"a name of 100 kB":                sets1(lti.ClaimVerifiedUser, map[string]any{"name": strings.Repeat("ä", 50_000)}),
		"names that are none":             sets1(lti.ClaimVerifiedUser, map[string]any{"name": 1, "given_name": nil}),
		"the platform's picture":          sets1(lti.ClaimVerifiedUser, map[string]any{"picture": "https://platform.example.com/ada.png"}),
		"end_assessment_return a string":  sets1(lti.ClaimEndAssessmentReturn, "true"),
		"end_assessment_return an object": sets1(lti.ClaimEndAssessmentReturn, map[string]any{}),
		"exp half a minute ago":           sets1("exp", noon.Add(-30*time.Second).Unix()),
		"iat half a minute ahead":         sets1("iat", noon.Add(30*time.Second).Unix()),
		"fractions of seconds":            sets1("iat", float64(noon.Unix())+0.5),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newExamRoom(t).sit(nil).starts(change)
			NewWithT(t).Expect(proctoring.Of(s.launch).Attempt().WantsEnd()).To(BeFalse())
			p, _ := s.exam()
			NewWithT(t).Expect(len([]rune(p.Find("#verified-name").Text()))).To(BeNumerically("<=", 200))
			NewWithT(t).Expect(p.body).NotTo(ContainSubstring("ada.png"))
		})
	}
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS512, jwa.PS256} {
		t.Run(alg.String(), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room := newExamRoom(t)
			key, err := keyOf(t, toolKey).Clone()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(key.Set(jwk.AlgorithmKey, alg)).To(Succeed())
			room.keys.publish(key)
			s := room.sit(nil)
			g.Expect(s.start().status).To(Equal(http.StatusBadRequest), "the key is not for RS256")
			jwt, err := lti.Sign(s.message(), key)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(s.post(jwt).status).To(Equal(http.StatusSeeOther))
		})
	}
}

func TestStartAssessmentIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	for name, sessions := range map[string]bool{"by its own cookies": false, "by the sessions of an application": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var changes []func(*fakeplatform.Options)
			if sessions {
				changes = append(changes, withSessions)
			}
			room := newExamRoom(t, changes...)
			browserOf := func(account string) *browser {
				b := room.browser(t)
				b.signIn(account)
				return &b
			}
			sit := func(b *browser, account string, change ...func(*fakeplatform.Plan)) *sitting {
				return room.sit(b, append([]func(*fakeplatform.Plan){func(p *fakeplatform.Plan) {
					p.Account, p.User = account, accounts[account]
				}}, change...)...)
			}
			adas := browserOf("ada")
			a, b := sit(adas, "ada"), sit(browserOf("bob"), "bob")
			other := sit(adas, "ada", func(p *fakeplatform.Plan) { p.ResourceLink.ID = "exam-8" })
			otherTool := sit(adas, "ada", func(p *fakeplatform.Plan) { p.ClientID = otherClient })
			jwt := a.sign(a.message())
			for name, b := range map[string]browser{"bob": b.browser, "nobody": room.browser(t)} {
				p := b.send(http.MethodPost, proctoring.Of(a.launch).StartAssessmentURL(), url.Values{"JWT": {jwt}})
				g.Expect(p.status).To(Equal(http.StatusForbidden), name)
				g.Expect(b.get(proctoring.Of(a.launch).ExamURL()).status).To(Equal(http.StatusForbidden), name)
				g.Expect(b.send(http.MethodPost, proctoring.Of(a.launch).ExamURL()+"/submit", url.Values{}).status).To(Equal(http.StatusForbidden), name)
			}
			for _, foreign := range []*sitting{b, other, otherTool} {
				data := foreign.claims[lti.ClaimSessionData]
				g.Expect(a.start(sets1(lti.ClaimSessionData, data)).status).To(Equal(http.StatusBadRequest))
				p := a.send(http.MethodPost, proctoring.Of(foreign.launch).StartAssessmentURL(), url.Values{"JWT": {jwt}})
				g.Expect(p.status).To(BeNumerically("~", 400, 3), "posted where another launch is answered")
			}
			g.Expect(a.post(jwt).status).To(Equal(http.StatusSeeOther), "the same message starts it where it belongs")
			for _, s := range []*sitting{b, other, otherTool} {
				g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.None))
				s.starts()
			}
		})
	}
}

func TestStartAssessmentServesOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	b := room.browser(t)
	first, second := room.sit(&b), room.sit(&b)
	g.Expect(second.claims[lti.ClaimSessionData]).NotTo(Equal(first.claims[lti.ClaimSessionData]))
	g.Expect(proctoring.Of(second.launch).Attempt()).To(BeIdenticalTo(proctoring.Of(first.launch).Attempt()), "it has not been started")

	jwt := first.sign(first.message(sets1("nonce", "once")))
	g.Expect(first.post(jwt).status).To(Equal(http.StatusSeeOther), "a later launch does not invalidate an earlier one")
	g.Expect(first.post(jwt).body).To(ContainSubstring("nonce has been used already"))
	g.Expect(first.start().body).To(ContainSubstring("session_data has been used already"))
	g.Expect(second.start().body).To(ContainSubstring("started by another launch"))
	g.Expect(proctoring.Of(first.launch).Attempt().ExamURL()).To(Equal(proctoring.Of(first.launch).ExamURL()))
	g.Expect(proctoring.Of(first.launch).Attempt().Status()).To(Equal(lti.Running))

	other := room.sit(&b, func(p *fakeplatform.Plan) { p.ResourceLink.ID = "exam-8" })
	g.Expect(other.start(sets1("nonce", "once")).body).To(ContainSubstring("nonce has been used already"))
	other.starts()

	first.send(http.MethodPost, proctoring.Of(first.launch).ExamURL()+"/submit", url.Values{})
	g.Expect(first.start().status).To(Equal(http.StatusBadRequest), "what has been submitted is not reopened")
	g.Expect(proctoring.Of(first.launch).Attempt().Status()).To(Equal(lti.Complete))
}

func TestSessionDataExpires(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	early, late := room.sit(nil), room.sit(nil, func(p *fakeplatform.Plan) { p.User = bob })
	room.pass(2 * time.Hour)
	room.begin(t, fakeplatform.Plan{}) // which forgets what is old
	early.starts()
	room.pass(time.Second)
	NewWithT(t).Expect(late.start().body).To(ContainSubstring("session_data has expired"))

	signedOut := newExamRoom(t, withSessions)
	b := signedOut.browser(t)
	b.signIn("ada")
	s := signedOut.sit(&b, func(p *fakeplatform.Plan) { p.Account = "ada" })
	b.signIn("")
	NewWithT(t).Expect(s.start().status).To(Equal(http.StatusForbidden))
	b.signIn("ada")
	s.starts()
}

func TestAttemptsAreNumbered(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	number := func(s *sitting) any { return s.claims[lti.ClaimAttemptNumber] }
	g.Expect(proctoring.On(room).Current(clientID, "deployment-1", ada.Sub, "exam-7")).To(BeNil())
	first := room.sit(nil)
	g.Expect(number(first)).To(Equal(1.0))
	first.get(first.launch.ReturnURL() + "?lti_errormsg=No&lti_errorlog=log")
	again := room.sit(nil)
	g.Expect(number(again)).To(Equal(1.0), "an attempt that was not started keeps its number")
	g.Expect(room.sit(nil, func(p *fakeplatform.Plan) { p.User = bob }).claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0))

	again.starts()
	plan := proctored()
	plan.ClientID = clientID
	_, err := room.Begin(plan)
	g.Expect(err).To(MatchError(proctoring.ErrUnderWay))
	again.send(http.MethodPost, proctoring.Of(again.launch).ExamURL()+"/submit", url.Values{})
	second := room.sit(nil).starts(wantsEnd)
	g.Expect(number(second)).To(Equal(2.0))
	g.Expect(second.ending(second.send(http.MethodPost, proctoring.Of(second.launch).ExamURL()+"/submit", url.Values{}))).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0))
	for _, other := range []func(*fakeplatform.Plan){
		func(p *fakeplatform.Plan) { p.ResourceLink.ID = "exam-8" },
		func(p *fakeplatform.Plan) { p.DeploymentID = "deployment-2" },
		func(p *fakeplatform.Plan) { p.ClientID = otherClient },
	} {
		g.Expect(number(room.sit(nil, other))).To(Equal(1.0))
	}

	chosen := func(n int) *sitting {
		return room.sit(nil, func(p *fakeplatform.Plan) { inExam(p, func(e *proctoring.Exam) { e.Attempt = n }) })
	}
	g.Expect(number(chosen(29).starts())).To(Equal(29.0))
	g.Expect(proctoring.Of(chosen(2).launch).Attempt()).To(BeIdenticalTo(proctoring.Of(second.launch).Attempt()))
	g.Expect(chosen(29).start().status).To(Equal(http.StatusBadRequest))
	g.Expect(proctoring.On(room).Current(clientID, "deployment-1", ada.Sub, "exam-7").Number()).To(Equal(29))
}

func TestTimeRunsOut(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	s := room.sit(nil, func(p *fakeplatform.Plan) { inExam(p, func(e *proctoring.Exam) { e.Minutes = 10 }) }).starts(wantsEnd)
	token := room.accessToken(clientID)
	room.pass(5 * time.Minute)
	room.control(token, s.order(lti.Pause))
	room.pass(time.Hour)
	p, status := s.exam()
	g.Expect(status).To(Equal(lti.Paused), "the clock stands still")
	g.Expect(p.Find("#paused").Text()).To(Equal("Your exam is paused."))
	g.Expect(p.Find("form").Length()).To(BeZero())
	s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
	g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Paused))

	token = room.accessToken(clientID)
	room.control(token, s.order(lti.Resume))
	p, _ = s.exam()
	g.Expect(p.Find("#time-left").Text()).To(Equal("5"))
	room.control(token, s.order(lti.Update, func(o map[string]any) { o["extra_time"] = 7 }))
	p, _ = s.exam()
	g.Expect(p.Find("#time-left").Text()).To(Equal("12"))
	room.pass(12*time.Minute - time.Second)
	g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Running))
	room.pass(time.Second)
	g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Complete))
	g.Expect(proctoring.Of(s.launch).Attempt().EndDue()).To(BeTrue())
	late := s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/break", url.Values{})
	g.Expect(late.header.Get("Location")).To(Equal(proctoring.Of(s.launch).ExamURL()), "what has ended does not break")
	p, _ = s.exam()
	g.Expect(s.ending(p)).NotTo(HaveKey(lti.ClaimErrorMessage))
	g.Expect(proctoring.Of(s.launch).Attempt().EndDue()).To(BeFalse())
	_, status = s.exam()
	g.Expect(status).To(Equal(lti.Complete))
	g.Expect(room.sit(nil).claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0))
}

func TestExamThatBreaks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	s := room.sit(nil).starts(wantsEnd)
	claims := s.ending(s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/break", url.Values{}))
	g.Expect(claims).To(And(
		HaveKeyWithValue(lti.ClaimErrorMessage, "The exam could not be continued."), HaveKeyWithValue(lti.ClaimErrorLog, ContainSubstring("index out of range")),
	))
	g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Complete))

	s = room.sit(nil).starts()
	p := s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/break", url.Values{})
	g.Expect(p.status).To(BeNumerically("<", 500))
	g.Expect(p.Find("[role=alert]").Text()).To(Equal("The exam could not be continued."))
	g.Expect(p.body).NotTo(ContainSubstring("index"))
	p, status := s.exam()
	g.Expect([]any{p.status, status}).To(Equal([]any{http.StatusOK, lti.Complete}))

	l, err := room.Begin(fakeplatform.Plan{Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(s.launch).Attempt(), Problem: &proctoring.Problem{Message: "m", Log: "l"}}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(proctoring.Of(l).Attempt()).To(BeIdenticalTo(proctoring.Of(s.launch).Attempt()))
	_, claims = claimsOf(t, s.browser.launch(l))
	g.Expect(claims).To(And(HaveKeyWithValue(lti.ClaimErrorMessage, "m"), HaveKeyWithValue(lti.ClaimErrorLog, "l")))
	g.Expect(s.send(http.MethodPost, proctoring.Of(l).StartAssessmentURL(), url.Values{"JWT": {s.sign(s.message())}}).status).To(Equal(http.StatusNotFound))
}

func TestToolIsNotToldOfTheEndUnlessItAsks(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	for _, value := range []any{true, nil, false, "true", "false", 1, 0, []any{}, strings.Repeat("x", 10_000)} {
		s := room.sit(nil).starts(sets1(lti.ClaimEndAssessmentReturn, value))
		p := s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
		if value == true {
			s.ending(p)
			continue
		}
		NewWithT(t).Expect(p.header.Get("Location")).To(Equal(proctoring.Of(s.launch).ExamURL()), "%.20v", value)
	}
}

func TestExamIsNotSubmittedFromElsewhere(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newExamRoom(t).sit(nil).starts()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", nil)
	g.Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := s.client.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	g.Expect(response.StatusCode).To(Equal(http.StatusForbidden))
	g.Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Running))
}

func TestLenientPlatformStartsAllTheSame(t *testing.T) {
	t.Parallel()
	lenient := func(p *fakeplatform.Plan) { p.Lenient = true }
	room := newExamRoom(t)
	n := 0
	sit := func() *sitting {
		n++
		return room.sit(nil, lenient, func(p *fakeplatform.Plan) { inExam(p, func(e *proctoring.Exam) { e.Attempt = n }) })
	}
	expect := func(t *testing.T, s *sitting, p page, problem string) {
		t.Helper()
		NewWithT(t).Expect(p.status).To(Equal(http.StatusSeeOther), p.body)
		record := proctoring.Of(s.launch).Record().StartAssessments
		NewWithT(t).Expect(record[0].Started).To(BeTrue())
		NewWithT(t).Expect(record[0].Problems).To(ContainElement(ContainSubstring(problem)))
	}
	for name, c := range badMessages {
		t.Run(name, func(t *testing.T) {
			s := sit()
			changes := append([]func(lti.Claims){}, c.changes...)
			if strings.HasPrefix(name, "attempt_number next") {
				changes = []func(lti.Claims){sets1(lti.ClaimAttemptNumber, 1000)}
			}
			expect(t, s, s.start(changes...), c.says)
		})
	}
	s := sit()
	expect(t, s, s.send(http.MethodGet, proctoring.Of(s.launch).StartAssessmentURL(), url.Values{"JWT": {s.sign(s.message())}}), "instead of a POST")
	s = sit()
	expect(t, s, s.send(http.MethodPost, proctoring.Of(s.launch).StartAssessmentURL(), url.Values{"id_token": {s.sign(s.message())}}), "JWT occurs 0 times")
	s = sit()
	expect(t, s, s.post(forged(t, s.message(), "alg none")), "which the key is not for")
	s = sit()
	expect(t, s, room.browser(t).send(http.MethodPost, proctoring.Of(s.launch).StartAssessmentURL(), url.Values{"JWT": {s.sign(s.message())}}), "not that of the user whose launch this is")
	s = sit()
	NewWithT(t).Expect(s.post("no JWT").status).To(Equal(http.StatusBadRequest))
}

func TestToolWithoutKeySet(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]func(*fakeplatform.Options){"for tests alone": nil, "with users of its own": {withSessions}} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var unplanned []string
			room := newExamRoom(t, append(changes, func(o *fakeplatform.Options) {
				o.OnUnplanned = func(u fakeplatform.Unplanned) { unplanned = append(unplanned, u.Why) }
			})...)
			g.Expect(room.Register(registration())).To(Succeed())
			b := room.browser(t)
			b.signIn("ada")
			s := room.sit(&b, func(p *fakeplatform.Plan) { p.Account = "ada" })
			g.Expect(s.start().body).To(ContainSubstring("no key set of the tool is registered"))
			g.Expect(s.post(forged(t, s.message(), "alg none")).status).To(Equal(http.StatusBadRequest))

			for _, assertion := range []string{room.assertion(clientID, keyOf(t, toolKey)), forged(t, room.asserts(clientID), "alg none")} {
				unplanned = nil
				answer := room.token(assertion)
				g.Expect(answer.status).To(Equal(http.StatusUnauthorized))
				g.Expect(answer.body).To(And(ContainSubstring(`"error":"invalid_client"`), ContainSubstring("no key set of the tool is registered"), Not(ContainSubstring("access_token"))))
				g.Expect(unplanned).To(Equal([]string{jwt.ErrNoKeySet.Error()}), "whoever judges the tool is told")
			}
		})
	}
}

func TestToolKeysAreFetchedWhenTheyAreNeeded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	granted := func(key jwk.Key) bool {
		return room.token(room.assertion(clientID, key)).status == http.StatusOK
	}
	key := keyOf(t, toolKey)
	g.Expect([]bool{granted(key), granted(key)}).To(HaveEach(true))
	g.Expect(room.keys.asked()).To(Equal(1), "the key set is cached")

	added := keyOf(t, newToolKey)
	g.Expect(granted(added)).To(BeFalse())
	room.keys.publish(key, added)
	g.Expect(granted(added)).To(BeTrue(), "a new key is good as soon as it is published")

	room.keys.publish(added)
	g.Expect(granted(key)).To(BeTrue())
	room.pass(6 * time.Minute)
	g.Expect(granted(key)).To(BeFalse(), "a withdrawn one is not trusted for long")

	asked := room.keys.asked()
	for range 100 {
		g.Expect(granted(key)).To(BeFalse())
	}
	g.Expect(room.keys.asked()-asked).To(BeNumerically("<=", 30), "nobody can make it fetch without end")
	room.pass(11 * time.Second)
	room.keys.publish(key)
	g.Expect(granted(key)).To(BeTrue())

	lost := 0
	for name, answer := range map[string]http.HandlerFunc{
		"no such page": http.NotFound,
		"no key set":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			set, _ := lti.PublicSet(key)
			raw, _ := json.Marshal(set)
			_, _ = w.Write(append(raw, bytes.Repeat([]byte(" "), 4<<20)...))
		},
	} {
		refused := func(room *examRoom, key jwk.Key) {
			t.Helper()
			p := room.token(room.assertion(clientID, key))
			g.Expect([]any{p.status, p.json()["error"]}).To(Equal([]any{http.StatusUnauthorized, "invalid_client"}), name)
			g.Expect(p.body).To(ContainSubstring("cannot be had"))
		}
		room.pass(6 * time.Minute)
		room.keys.answers(answer)
		g.Expect(granted(key)).To(BeTrue(), "%s: nothing says that a known key is withdrawn", name)
		refused(room, added)
		lost += 2
		g.Expect(room.LostKeySets()).To(Equal(lost), name)

		stranger := newExamRoom(t)
		stranger.keys.answers(answer)
		refused(stranger, key)
		g.Expect(stranger.LostKeySets()).To(BeZero(), "%s: it was never there", name)
	}
	room.pass(6 * time.Minute)
	room.keys.answers(nil)
	room.keys.publish(added)
	g.Expect(granted(key)).To(BeFalse(), "it is withdrawn as soon as the key set is there again")
}

// reply is what a service answers.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (r reply) json() map[string]any {
	r.t.Helper()
	var object map[string]any
	NewWithT(r.t).Expect(json.Unmarshal([]byte(r.body), &object)).To(Succeed(), r.body)
	return object
}

// call sends a request as a tool's server does.
func (room *examRoom) call(method, address, body string, header map[string]string) reply {
	room.t.Helper()
	g := NewWithT(room.t)
	r, err := http.NewRequestWithContext(room.t.Context(), method, address, strings.NewReader(body))
	g.Expect(err).NotTo(HaveOccurred())
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := room.server.Client().Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	var raw bytes.Buffer
	_, err = raw.ReadFrom(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return reply{room.t, response.StatusCode, response.Header, raw.String()}
}

// assertion is that of a valid token request.
func (room *examRoom) assertion(clientID string, key jwk.Key, changes ...func(lti.Claims)) string {
	room.t.Helper()
	jwt, err := lti.Sign(room.asserts(clientID, changes...), key)
	NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
	return jwt
}

func (room *examRoom) asserts(clientID string, changes ...func(lti.Claims)) lti.Claims {
	now := room.clock()
	claims := lti.Claims{
		"iss": clientID, "sub": clientID, "aud": room.TokenURL(), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": lti.RandomString(),
	}
	for _, change := range changes {
		change(claims)
	}
	return claims
}

// token asks for an access token.
func (room *examRoom) token(assertion string, changes ...func(url.Values)) reply {
	room.t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "client_assertion": {assertion}, "scope": {lti.ScopeControl},
	}
	for _, change := range changes {
		change(form)
	}
	return room.call(http.MethodPost, room.TokenURL(), form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

func (room *examRoom) accessToken(client string) string {
	room.t.Helper()
	key := keyOf(room.t, toolKey)
	if client == otherClient {
		key = keyOf(room.t, newToolKey)
	}
	answer := room.token(room.assertion(client, key))
	NewWithT(room.t).Expect(answer.status).To(Equal(http.StatusOK), answer.body)
	return answer.json()["access_token"].(string)
}

func TestTokenEndpointGrants(t *testing.T) {
	t.Parallel()
	key := keyOf(t, toolKey)
	room := newExamRoom(t, func(o *fakeplatform.Options) { o.ServerURL = "https://example.com" })
	for name, c := range map[string]struct {
		claims func(lti.Claims)
		form   func(url.Values)
	}{
		"as usual":            {},
		"aud in an array":     {claims: sets1("aud", []any{room.TokenURL(), "https://other.example"})},
		"aud of the issuer":   {claims: sets1("aud", platformURL)},
		"aud as browsers see": {claims: sets1("aud", platformURL+"/token")},
		"with deployment_id":  {claims: sets1(lti.ClaimDeploymentID, "deployment-1")},
		"with client_id":      {form: func(f url.Values) { f.Set("client_id", clientID) }},
		"unknown scope beside": {form: func(f url.Values) {
			f.Set("scope", "https://purl.imsglobal.org/spec/x/scope/unknown "+lti.ScopeControl+" "+lti.ScopeControl)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			claims, form := c.claims, c.form
			if claims == nil {
				claims = func(lti.Claims) {}
			}
			if form == nil {
				form = func(url.Values) {}
			}
			answer := room.token(room.assertion(clientID, key, claims), form)
			g.Expect(answer.status).To(Equal(http.StatusOK), answer.body)
			g.Expect(answer.header.Get("Content-Type")).To(Equal("application/json"))
			g.Expect(answer.header.Get("Cache-Control")).To(Equal("no-store"))
			g.Expect(answer.json()).To(And(
				HaveKeyWithValue("access_token", HaveLen(22)), HaveKeyWithValue("token_type", "Bearer"),
				HaveKeyWithValue("expires_in", 3600.0), HaveKeyWithValue("scope", lti.ScopeControl), HaveLen(4),
			))
		})
	}
	requests := room.TokenRequests()
	g := NewWithT(t)
	g.Expect(requests).To(HaveLen(7))
	for _, r := range requests {
		g.Expect(r.ClientID).To(Equal(clientID))
		g.Expect(r.Granted).To(Equal([]string{lti.ScopeControl}))
		g.Expect(r.Problems).To(BeEmpty())
		g.Expect(r.AssertionHeader).To(HaveKeyWithValue("kid", key.KeyID()))
		g.Expect(r.AssertionClaims).To(HaveKeyWithValue("iss", clientID))
		g.Expect(r.Status).To(Equal(http.StatusOK))
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	key := keyOf(t, toolKey)
	room := newExamRoom(t)
	drops := func(name string) func(url.Values) { return func(f url.Values) { f.Del(name) } }
	puts := func(name string, values ...string) func(url.Values) { return func(f url.Values) { f[name] = values } }
	claim := func(name string, value any) string { return room.assertion(clientID, key, sets1(name, value)) }
	for name, c := range map[string]struct {
		assertion string
		form      func(url.Values)
		code      string
	}{
		"grant_type missing":        {form: drops("grant_type"), code: "invalid_request"},
		"grant_type password":       {form: puts("grant_type", "password"), code: "unsupported_grant_type"},
		"grant_type twice":          {form: puts("grant_type", "client_credentials", "client_credentials"), code: "invalid_request"},
		"assertion type missing":    {form: drops("client_assertion_type"), code: "invalid_client"},
		"assertion type wrong":      {form: puts("client_assertion_type", "jwt"), code: "invalid_client"},
		"assertion missing":         {form: drops("client_assertion"), code: "invalid_client"},
		"assertion no JWT":          {assertion: "no JWT", code: "invalid_client"},
		"assertion no object":       {assertion: forgedArray(t), code: "invalid_client"},
		"client_id of another":      {form: puts("client_id", otherClient), code: "invalid_client"},
		"scope missing":             {form: drops("scope"), code: "invalid_scope"},
		"scope unknown":             {form: puts("scope", "openid"), code: "invalid_scope"},
		"aud other":                 {assertion: claim("aud", "https://other.example/token"), code: "invalid_client"},
		"aud missing":               {assertion: claim("aud", nil), code: "invalid_client"},
		"aud client_id":             {assertion: claim("aud", clientID), code: "invalid_client"},
		"iss platform":              {assertion: claim("iss", platformURL), code: "invalid_client"},
		"iss missing":               {assertion: claim("iss", nil), code: "invalid_client"},
		"sub missing":               {assertion: claim("sub", nil), code: "invalid_client"},
		"sub of another":            {assertion: claim("sub", otherClient), code: "invalid_client"},
		"client unknown":            {assertion: room.assertion("unknown", key), code: "invalid_client"},
		"signed by another tool":    {assertion: room.assertion(clientID, keyOf(t, newToolKey)), code: "invalid_client"},
		"signed for another tool":   {assertion: room.assertion(otherClient, key), code: "invalid_client"},
		"exp past":                  {assertion: claim("exp", noon.Add(-10*time.Minute).Unix()), code: "invalid_client"},
		"exp missing":               {assertion: claim("exp", nil), code: "invalid_client"},
		"exp a string":              {assertion: claim("exp", "soon"), code: "invalid_client"},
		"exp far ahead":             {assertion: claim("exp", noon.Add(25*time.Hour).Unix()), code: "invalid_client"},
		"jti missing":               {assertion: claim("jti", nil), code: "invalid_client"},
		"jti a number":              {assertion: claim("jti", 1), code: "invalid_client"},
		"several mistakes, grant":   {assertion: claim("jti", nil), form: puts("grant_type", "x"), code: "unsupported_grant_type"},
		"several mistakes, no form": {form: func(f url.Values) { clear(f) }, code: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			if c.assertion == "" {
				c.assertion = room.assertion(clientID, key)
			}
			if c.form == nil {
				c.form = func(url.Values) {}
			}
			answer := room.token(c.assertion, c.form)
			status := http.StatusBadRequest
			if c.code == "invalid_client" {
				status = http.StatusUnauthorized
			}
			g.Expect([]any{answer.status, answer.json()["error"]}).To(Equal([]any{status, c.code}), answer.body)
			g.Expect(answer.header.Get("Cache-Control")).To(Equal("no-store"))
			if requests := room.TokenRequests(); len(requests) > 0 { // those without a form are nobody's
				g.Expect(requests[len(requests)-1].Problems).NotTo(BeEmpty())
				g.Expect(requests[len(requests)-1].Granted).To(BeEmpty())
			}
		})
	}
	for _, how := range forgeries {
		t.Run(how, func(t *testing.T) {
			answer := room.token(forged(t, room.asserts(clientID), how))
			NewWithT(t).Expect([]any{answer.status, answer.json()["error"]}).To(Equal([]any{http.StatusUnauthorized, "invalid_client"}))
		})
	}
	t.Run("used twice", func(t *testing.T) {
		jwt := room.assertion(clientID, key)
		NewWithT(t).Expect([]int{room.token(jwt).status, room.token(jwt).status}).To(Equal([]int{http.StatusOK, http.StatusUnauthorized}))
	})
	t.Run("by GET", func(t *testing.T) {
		answer := room.call(http.MethodGet, room.TokenURL()+"?grant_type=client_credentials", "", nil)
		NewWithT(t).Expect([]any{answer.status, answer.header.Get("Allow"), answer.json()["error"]}).To(Equal([]any{http.StatusMethodNotAllowed, "POST", "invalid_request"}))
	})
	t.Run("as JSON", func(t *testing.T) {
		answer := room.call(http.MethodPost, room.TokenURL(), "{}", map[string]string{"Content-Type": "application/json"})
		NewWithT(t).Expect([]any{answer.status, answer.json()["error"]}).To(Equal([]any{http.StatusBadRequest, "invalid_request"}))
	})
	t.Run("too much", func(t *testing.T) {
		answer := room.token(strings.Repeat("x", 1<<20))
		NewWithT(t).Expect(answer.status).To(BeNumerically("~", 400, 1))
	})
}

// order is a valid request to the Assessment Control Service.
func (s *sitting) order(action lti.Action, changes ...func(map[string]any)) string {
	s.t.Helper()
	body := map[string]any{
		"user":          map[string]any{"iss": platformURL, "sub": s.claims["sub"]},
		"resource_link": map[string]any{"id": s.claims[lti.ClaimResourceLink].(map[string]any)["id"]}, "attempt_number": s.claims[lti.ClaimAttemptNumber],
		"action": action, "incident_time": s.room.clock().Format(time.RFC3339),
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

// control sends a request to the Assessment Control Service.
// strangers are requests to the services that no tool has sent.
func (room *examRoom) strangers() []reply {
	unscoped := func(v url.Values) { v.Del("scope") }
	stranger := forged(room.t, room.asserts("nobody"), "alg none")
	return []reply{
		room.token("", unscoped), room.token("abc", unscoped), room.token(stranger, unscoped), room.call(http.MethodGet, platformURL+"/token", "", nil),
		room.call(http.MethodGet, platformURL+"/acs", "", nil), room.control("", "{}"), room.control("made-up", `{"user":{"sub":"x"}}`), room.control("", "no JSON"),
	}
}

func TestStrangersAreKeptOutOfTheRecords(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var mu sync.Mutex
	var told []fakeplatform.Unplanned
	room := newExamRoom(t, func(o *fakeplatform.Options) {
		o.OnUnplanned = func(u fakeplatform.Unplanned) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, u)
		}
	})
	s := room.sit(nil)
	for range 200 {
		for _, answer := range room.strangers() {
			g.Expect(answer.status).To(BeNumerically(">=", 400))
		}
	}
	g.Expect(room.TokenRequests()).To(BeEmpty())
	g.Expect(proctoring.On(room).Controls()).To(BeEmpty())
	g.Expect(proctoring.Of(s.launch).Record().Controls).To(BeEmpty())
	g.Expect(told).To(HaveLen(200 * 8))
	for _, u := range told {
		g.Expect(u.Known).To(BeFalse())
		g.Expect(u.Request).NotTo(BeNil())
	}

	g.Expect(room.token(room.assertion("nobody", keyOf(t, toolKey))).status).To(Equal(http.StatusUnauthorized), "signed by a tool that does not know its client_id")
	g.Expect(room.token(room.assertion(clientID, keyOf(t, newToolKey))).status).To(Equal(http.StatusUnauthorized), "of a tool that signs with another key")
	g.Expect(room.TokenRequests()).To(HaveLen(2))
	g.Expect(room.control(room.accessToken(clientID), "{}").status).To(Equal(http.StatusBadRequest), "of a tool that names nobody")
	g.Expect(proctoring.Of(s.launch).Record().Controls).To(HaveLen(1))
}

func (room *examRoom) control(token, body string) reply {
	room.t.Helper()
	return room.call(http.MethodPost, platformURL+proctoring.ACSPath, body, map[string]string{
		"Authorization": "Bearer " + token, "Content-Type": lti.MediaTypeControl,
	})
}

func TestControlServiceDoesWhatItIsAskedFor(t *testing.T) {
	t.Parallel()
	type step struct {
		action lti.Action
		says   string
	}
	give := func(minutes int) func(map[string]any) { return func(o map[string]any) { o["extra_time"] = minutes } }
	run := func(t *testing.T, room *examRoom, s *sitting, steps ...step) {
		t.Helper()
		token := room.accessToken(clientID)
		for i, step := range steps {
			answer := room.control(token, s.order(step.action))
			NewWithT(t).Expect(answer.status).To(Equal(http.StatusOK), answer.body)
			NewWithT(t).Expect(answer.header.Get("Content-Type")).To(Equal(lti.MediaTypeControl))
			NewWithT(t).Expect(answer.body).To(MatchJSON(step.says), "%d: %s", i, step.action)
		}
	}
	const none, running, paused, terminated, complete = `{"status":"none"}`, `{"status":"running"}`, `{"status":"paused"}`, `{"status":"terminated"}`, `{"status":"complete"}`
	t.Run("pause and resume", func(t *testing.T) {
		t.Parallel()
		room := newExamRoom(t)
		s := room.sit(nil).starts()
		run(t, room, s, step{lti.Pause, paused}, step{lti.Pause, paused}, step{lti.Flag, paused}, step{lti.Resume, running}, step{lti.Resume, running}, step{lti.Flag, running})
		NewWithT(t).Expect(proctoring.Of(s.launch).Record().Controls).To(HaveLen(6))
		control := proctoring.Of(s.launch).Record().Controls[0]
		NewWithT(t).Expect(control.Authorized).To(BeTrue())
		NewWithT(t).Expect(control.Scopes).To(Equal([]string{lti.ScopeControl}))
		NewWithT(t).Expect(control.Problems).To(BeEmpty())
		NewWithT(t).Expect(control.Body).To(MatchJSON(s.order(lti.Pause)))
		NewWithT(t).Expect([]any{control.Method, control.Target, control.Status}).To(Equal([]any{http.MethodPost, "/acs", http.StatusOK}))
		NewWithT(t).Expect(proctoring.On(room).Controls()).To(Equal(proctoring.Of(s.launch).Record().Controls))
	})
	t.Run("terminate", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room := newExamRoom(t)
		s := room.sit(nil).starts(wantsEnd)
		run(t, room, s, step{lti.Pause, paused}, step{lti.Terminate, terminated}, step{lti.Terminate, terminated}, step{lti.Resume, terminated}, step{lti.Update, terminated})
		g.Expect(s.start().status).To(Equal(http.StatusBadRequest))
		submitted := s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
		g.Expect(s.ending(submitted)).NotTo(HaveKey(lti.ClaimErrorMessage))
		p, status := s.exam()
		g.Expect([]any{status, p.Find("#terminated").Length(), p.Find("form").Length()}).To(Equal([]any{lti.Terminated, 1, 0}))
		g.Expect(room.sit(nil).claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0))
	})
	t.Run("update", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room := newExamRoom(t)
		s := room.sit(nil).starts()
		token := room.accessToken(clientID)
		for _, c := range []struct {
			minutes, status int
			says            string
		}{{0, 200, running}, {10, 200, `{"status":"running","extra_time":10}`}, {0, 200, `{"status":"running","extra_time":10}`}, {5, 200, `{"status":"running","extra_time":15}`}, {10_080, 400, ""}} {
			answer := room.control(token, s.order(lti.Update, give(c.minutes)))
			g.Expect(answer.status).To(Equal(c.status))
			if c.says != "" {
				g.Expect(answer.body).To(MatchJSON(c.says))
			}
		}
		run(t, room, s, step{lti.Flag, `{"status":"running","extra_time":15}`})
		g.Expect(proctoring.Of(s.launch).Attempt().ExtraTime()).To(Equal(15))
		p, _ := s.exam()
		g.Expect(p.Find("#time-left").Text()).To(Equal("75"))
	})
	t.Run("flag", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room := newExamRoom(t)
		s := room.sit(nil).starts()
		token := room.accessToken(clientID)
		for i := range 25 {
			answer := room.control(token, s.order(lti.Flag, func(o map[string]any) {
				o["incident_severity"], o["reason_code"], o["reason_msg"], o["vendor"] = float64(i%3)/2, fmt.Sprint(i), strings.Repeat("山", 700), true
			}))
			g.Expect(answer.body).To(MatchJSON(running))
		}
		incidents := proctoring.Of(s.launch).Attempt().Incidents()
		g.Expect(incidents).To(HaveLen(20), "the latest are kept")
		g.Expect(incidents[19].ReasonCode).To(Equal("24"))
		g.Expect(*incidents[19].IncidentSeverity).To(Equal(0.0))
		g.Expect(incidents[19].User).To(Equal(lti.ControlUser{Issuer: platformURL, Sub: ada.Sub}))
	})
	t.Run("not under way", func(t *testing.T) {
		t.Parallel()
		room := newExamRoom(t)
		s := room.sit(nil)
		run(t, room, s, step{lti.Pause, none}, step{lti.Terminate, none}, step{lti.Update, none})
		s.starts()
		s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
		run(t, room, s, step{lti.Resume, complete}, step{lti.Terminate, complete}, step{lti.Flag, complete})
		NewWithT(t).Expect(proctoring.Of(s.launch).Attempt().Incidents()).To(BeEmpty())
	})
}

func TestControlServiceRefuses(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	s := room.sit(nil, func(p *fakeplatform.Plan) {
		inExam(p, func(e *proctoring.Exam) { e.Actions = []lti.Action{lti.Pause, lti.Update, lti.Flag} })
	}).starts()
	token := room.accessToken(clientID)
	refused := func(t *testing.T, answer reply, status int) {
		t.Helper()
		NewWithT(t).Expect(answer.status).To(Equal(status), answer.body)
		NewWithT(t).Expect(answer.json()).To(HaveKey("error"))
		NewWithT(t).Expect(proctoring.Of(s.launch).Attempt().Status()).To(Equal(lti.Running))
		NewWithT(t).Expect(proctoring.Of(s.launch).Attempt().ExtraTime()).To(BeZero())
		controls := proctoring.On(room).Controls()
		NewWithT(t).Expect(controls[len(controls)-1].Problems).NotTo(BeEmpty())
		NewWithT(t).Expect(controls[len(controls)-1].Status).To(Equal(status))
	}
	without := func(path ...string) func(map[string]any) {
		return func(o map[string]any) {
			for _, name := range path[:len(path)-1] {
				o = o[name].(map[string]any)
			}
			delete(o, path[len(path)-1])
		}
	}
	puts := func(name string, value any) func(map[string]any) { return func(o map[string]any) { o[name] = value } }
	for name, c := range map[string]struct {
		action lti.Action
		change func(map[string]any)
		status int
	}{
		"no user":                     {lti.Pause, without("user"), 400},
		"no user.iss":                 {lti.Pause, without("user", "iss"), 400},
		"no user.sub":                 {lti.Pause, without("user", "sub"), 400},
		"user a string":               {lti.Pause, puts("user", "ada"), 400},
		"no resource_link":            {lti.Pause, without("resource_link"), 400},
		"no resource_link.id":         {lti.Pause, without("resource_link", "id"), 400},
		"no attempt_number":           {lti.Pause, without("attempt_number"), 400},
		"attempt_number a string":     {lti.Pause, puts("attempt_number", "1"), 400},
		"attempt_number 1.5":          {lti.Pause, puts("attempt_number", 1.5), 400},
		"attempt_number null":         {lti.Pause, puts("attempt_number", nil), 400},
		"no action":                   {lti.Pause, without("action"), 400},
		"action empty":                {"", nil, 400},
		"action unknown":              {"teleport", nil, 400},
		"action in capitals":          {"PAUSE", nil, 400},
		"action not offered":          {lti.Terminate, nil, 400},
		"no incident_time":            {lti.Pause, without("incident_time"), 400},
		"incident_time yesterday":     {lti.Pause, puts("incident_time", "yesterday"), 400},
		"incident_time no date":       {lti.Pause, puts("incident_time", "2026-13-45"), 400},
		"incident_time without zone":  {lti.Pause, puts("incident_time", "2026-03-01T12:00:00"), 400},
		"incident_time a number":      {lti.Pause, puts("incident_time", 1700000000), 400},
		"incident_severity below":     {lti.Flag, puts("incident_severity", -0.1), 400},
		"incident_severity above":     {lti.Flag, puts("incident_severity", 1.1), 400},
		"incident_severity a string":  {lti.Flag, puts("incident_severity", "high"), 400},
		"incident_severity null":      {lti.Flag, puts("incident_severity", nil), 400},
		"reason_code a number":        {lti.Flag, puts("reason_code", 1), 400},
		"reason_msg an object":        {lti.Flag, puts("reason_msg", map[string]any{}), 400},
		"extra_time missing":          {lti.Update, without("extra_time"), 400},
		"extra_time below 0":          {lti.Update, puts("extra_time", -5), 400},
		"extra_time 1.5":              {lti.Update, puts("extra_time", 1.5), 400},
		"extra_time a string":         {lti.Update, puts("extra_time", "ten"), 400},
		"extra_time too large":        {lti.Update, puts("extra_time", 1e18), 400},
		"extra_time wrong with pause": {lti.Pause, puts("extra_time", "ten"), 400},
		"issuer unknown":              {lti.Pause, puts("user", map[string]any{"iss": "https://other.example", "sub": ada.Sub}), 404},
		"sub unknown":                 {lti.Pause, puts("user", map[string]any{"iss": platformURL, "sub": "nobody"}), 404},
		"resource_link unknown":       {lti.Pause, puts("resource_link", map[string]any{"id": "exam-8"}), 404},
		"attempt unknown":             {lti.Pause, puts("attempt_number", 99), 404},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(map[string]any) {}
			}
			refused(t, room.control(token, s.order(c.action, change)), c.status)
		})
	}
	for name, body := range map[string]string{
		"array": "[]", "empty object": "{}", "no JSON": "{", "nothing": "", "null": "null", "two objects": "{}{}",
		"NaN":      strings.Replace(s.order(lti.Flag, puts("incident_severity", 0.5)), "0.5", "NaN", 1),
		"too much": s.order(lti.Pause, puts("x", strings.Repeat("x", 64<<10))),
	} {
		t.Run("body "+name, func(t *testing.T) { refused(t, room.control(token, body), http.StatusBadRequest) })
	}
	t.Run("of another tool", func(t *testing.T) {
		refused(t, room.control(room.accessToken(otherClient), s.order(lti.Pause)), http.StatusNotFound)
	})
	pause := s.order(lti.Pause)
	for name, c := range map[string]struct {
		method, query, authorization, contentType string
		status                                    int
	}{
		"no token":         {status: 401},
		"token in query":   {query: "?access_token=" + token, status: 401},
		"garbage":          {authorization: "Bearer garbage", status: 401},
		"empty token":      {authorization: "Bearer ", status: 401},
		"another scheme":   {authorization: "Basic " + token, status: 401},
		"text/plain":       {authorization: "Bearer " + token, contentType: "text/plain", status: 415},
		"no media type":    {authorization: "Bearer " + token, contentType: " ", status: 415},
		"by GET":           {method: http.MethodGet, authorization: "Bearer " + token, status: 405},
		"by PUT":           {method: http.MethodPut, authorization: "Bearer " + token, status: 405},
		"GET, no token":    {method: http.MethodGet, status: 405},
		"text, no token":   {contentType: "text/plain", status: 401},
		"garbage by query": {query: "?access_token=x", authorization: "Bearer x", status: 401},
	} {
		t.Run(name, func(t *testing.T) {
			if c.method == "" {
				c.method = http.MethodPost
			}
			if c.contentType == "" {
				c.contentType = lti.MediaTypeControl
			}
			answer := room.call(c.method, platformURL+"/acs"+c.query, pause, map[string]string{"Authorization": c.authorization, "Content-Type": c.contentType})
			refused(t, answer, c.status)
			switch c.status {
			case 401:
				NewWithT(t).Expect(answer.header.Get("WWW-Authenticate")).To(HavePrefix("Bearer "))
			case 405:
				NewWithT(t).Expect(answer.header.Get("Allow")).To(Equal("POST"))
			}
		})
	}
	t.Run("expired token", func(t *testing.T) {
		s := room.sit(nil, func(p *fakeplatform.Plan) { p.User = bob }).starts()
		room.pass(59 * time.Minute)
		NewWithT(t).Expect(room.control(token, s.order(lti.Flag)).status).To(Equal(http.StatusOK))
		room.pass(time.Minute)
		answer := room.control(token, s.order(lti.Flag))
		NewWithT(t).Expect(answer.status).To(Equal(http.StatusUnauthorized))
		NewWithT(t).Expect(answer.header.Get("WWW-Authenticate")).To(ContainSubstring(`error="invalid_token"`))
	})
}

func TestControlServiceTakesMediaTypesAndQueries(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	s := room.sit(nil).starts()
	token := room.accessToken(clientID)
	for _, c := range []struct{ contentType, query, scheme string }{
		{lti.MediaTypeControl, "", "Bearer"}, {lti.MediaTypeControl + "; charset=UTF-8", "", "bearer"},
		{strings.ToUpper(lti.MediaTypeControl), "", "Bearer"}, {"application/json", "?tenant=7", "Bearer"},
	} {
		answer := room.call(http.MethodPost, platformURL+"/acs"+c.query, s.order(lti.Flag), map[string]string{
			"Authorization": c.scheme + " " + token, "Content-Type": c.contentType,
		})
		NewWithT(t).Expect(answer.body).To(MatchJSON(`{"status":"running"}`), c.contentType)
	}
}

func TestExamsOfManyCandidatesAtOnce(t *testing.T) {
	t.Parallel()
	room := newExamRoom(t)
	token := room.accessToken(clientID)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := room.sit(nil, func(p *fakeplatform.Plan) { p.User.Sub = fmt.Sprintf("candidate-%d", i) })
			started := 0
			var posts sync.WaitGroup
			var mu sync.Mutex
			for range 4 {
				posts.Go(func() {
					if s.start().status == http.StatusSeeOther {
						mu.Lock()
						started++
						mu.Unlock()
					}
				})
			}
			posts.Wait()
			if started != 1 {
				t.Errorf("candidate %d has started %d times", i, started)
			}
			for range 5 {
				posts.Go(func() { room.control(token, s.order(lti.Update)) })
				posts.Go(func() { s.exam() })
				posts.Go(func() { s.launch.Record() })
			}
			posts.Wait()
			if extra := proctoring.Of(s.launch).Attempt().ExtraTime(); extra != 50 {
				t.Errorf("candidate %d has %d minutes more", i, extra)
			}
			s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
			if status := proctoring.Of(s.launch).Attempt().Status(); status != lti.Complete {
				t.Errorf("the attempt of candidate %d is %s", i, status)
			}
		})
	}
	all.Wait()
}

func TestDefectsOfMessagesAreNotThoseOfProctoring(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t, func(o *fakeplatform.Options) {
		o.Faults = []string{"sub-shared", "jku-in-header", "target-link-uri-relative"}
	})
	_, claims := claimsOf(t, room.browser(t).launch(room.begin(t, fakeplatform.Plan{User: ada})))
	g.Expect(claims).To(HaveKeyWithValue("sub", "user"))
	room.Consulted()
	s := room.sit(nil)
	g.Expect(s.claims).To(And(HaveKeyWithValue("sub", ada.Sub), HaveKeyWithValue(lti.ClaimTargetLinkURI, targetURI)))
	header, _ := claimsOf(t, url.Values{"id_token": {s.launch.Record().IDToken}})
	g.Expect(header).NotTo(HaveKey("jku"))
	g.Expect(s.launch.Record().LoginInitiation.Params.Get("target_link_uri")).To(Equal(targetURI))
	g.Expect(room.Consulted()).NotTo(ContainElement("sub-shared"), "nobody asks where it makes no difference")
	s.starts()

	stimulated := room.begin(t, proctored(func(p *fakeplatform.Plan) { p.User, p.Fault = bob, faultNamed(t, "version-missing") }))
	_, claims = claimsOf(t, room.browser(t).launch(stimulated))
	g.Expect(claims).NotTo(HaveKey(lti.ClaimVersion), "a stimulus is sent with any message")
}
