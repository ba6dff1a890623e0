package proctoring_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

func TestStartAssessmentAnswersStartProctoring(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	b := e.Window()
	checkIn := e.CheckedIn(b, lti.Claims{
		"name": "<b>Ada</b>", "picture": tooltest.PlatformURL + "/ada.png", "email": "ada@school.example", "email_verified": true, "locale": "en",
		lti.ClaimStartAssessmentURL: tooltest.PlatformURL + "/st%2Fart/(x)'?a=1&b=%26&lt;=2&c=é",
	})
	g.Expect(checkIn.Find("#candidate").Text()).To(Equal("<b>Ada</b>"))
	g.Expect(checkIn.Find("h1").Text()).To(Equal("Algebra"))
	g.Expect(checkIn.Find("#attempt").Text()).To(Equal("1"))
	got, header, claims, _ := e.Message(b, checkIn)
	g.Expect(got.Method).To(Equal(http.MethodPost))
	g.Expect(got.Target).To(Or(Equal("/st%2Fart/(x)'?a=1&b=%26&lt;=2&c=é"), Equal("/st%2Fart/(x)'?a=1&b=%26&c=%C3%A9")))
	g.Expect(got.ContentType).To(Equal("application/x-www-form-urlencoded"))
	g.Expect(slices.Collect(maps.Keys(got.Form))).To(ConsistOf("JWT"))
	key, err := tooltest.ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(header).To(Equal(map[string]any{"alg": "RS256", "typ": "JWT", "kid": key.KeyID()}))
	nonce, picture := claims["nonce"], claims[lti.ClaimVerifiedUser].(map[string]any)["picture"].(string)
	g.Expect(nonce).To(MatchRegexp(`^[A-Za-z0-9_-]{22}$`))
	g.Expect(picture).To(HavePrefix(tooltest.ToolURL + "/pictures/"))
	g.Expect(b.Get(picture).Header.Get("Content-Type")).To(Equal("image/svg+xml"))
	g.Expect(claims).To(Equal(map[string]any{
		"iss": tooltest.ClientID, "aud": tooltest.PlatformURL, "iat": float64(tooltest.Noon.Unix()), "exp": float64(tooltest.Noon.Unix() + 300), "nonce": nonce,
		lti.ClaimMessageType: "LtiStartAssessment", lti.ClaimVersion: "1.3.0", lti.ClaimDeploymentID: "deployment-1",
		lti.ClaimSessionData: "data", lti.ClaimAttemptNumber: 1.0,
		lti.ClaimResourceLink: map[string]any{"id": "exam-7", "title": "Algebra"},
		lti.ClaimVerifiedUser: map[string]any{
			"name": "<b>Ada</b>", "given_name": "Ada", "email": "ada@school.example", "picture": picture,
		},
		lti.ClaimEndAssessmentReturn: true,
	}))
	_, _, again, _ := e.Message(b, checkIn)
	g.Expect(again["nonce"]).NotTo(Equal(nonce))
	g.Expect(e.Tool.Answers()[0].Accepted).To(BeTrue())
	g.Expect(e.Tool.Answers()).To(HaveLen(1), "check-in is no answer")
}

func TestWhatIsSentBackIsTheSameJSON(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	for name, value := range map[string]string{
		"8 KiB": strings.Repeat("aB3_-dEf", 1024), "markup": `<>&"'+/=%20\ <script>alert(1)</script>`, "space": "  x\t\n\r\n ",
		"unicode": "e\u0301 𝒳 山\u2028", "JSON": `{"a":1}`, "zero": "0",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			b := e.Window()
			_, _, claims, _ := e.Message(b, e.CheckedIn(b, lti.Claims{lti.ClaimSessionData: value}))
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
			b := e.Window()
			_, _, _, raw := e.Message(b, e.CheckedIn(b, lti.Claims{c.claim: json.RawMessage(c.value)}))
			NewWithT(t).Expect(string(raw[c.claim])).To(Equal(c.value))
		})
	}
}

func TestVerifiedUserRepeatsWhatWasChecked(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
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
			b := e.Window()
			_, _, claims, _ := e.Message(b, e.CheckedIn(b, c.claims))
			verified := claims[lti.ClaimVerifiedUser].(map[string]any)
			delete(verified, "picture")
			g.Expect(verified).To(Equal(c.want))
		})
	}
}

func TestMessagesThatBeginNoSitting(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
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
				shown := e.Launch(e.Window(), tooltest.With(tooltest.Starts(), change))
				g.Expect(shown.Status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)), shown.Text())
				g.Expect(shown.Why()).To(ContainSubstring(why))
				answers := e.Tool.Answers()
				g.Expect(answers[len(answers)-1].Accepted).To(BeFalse())
				g.Expect(answers[len(answers)-1].Why).To(Equal(shown.Why()))
			})
		}
	}
	posts, tokens, orders := e.Seen()
	NewWithT(t).Expect([]int{len(posts), len(tokens), len(orders)}).To(Equal([]int{0, 0, 0}))
}

func TestMessagesThatBeginASitting(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	for name, change := range map[string]lti.Claims{
		"no roles":   {lti.ClaimRoles: []string{}},
		"instructor": {lti.ClaimRoles: []string{lti.RoleInstructor}},
		"unknown":    {"https://vendor.example/claim/x": 1, lti.ClaimProctoringSettings: map[string]any{}, lti.ClaimACS: lti.ACS{Actions: []lti.Action{"teleport"}, ControlURL: tooltest.ControlURL}},
		"acs broken": {lti.ClaimACS: "x"},
		"minimal": {"name": nil, "given_name": nil, lti.ClaimLaunchPresentation: nil, lti.ClaimACS: nil,
			lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-7"}`)},
		"loopback":      {lti.ClaimStartAssessmentURL: "http://127.4.0.1:8080/start"},
		"loopback IPv6": {lti.ClaimStartAssessmentURL: "http://[::1]/start"},
		"localhost":     {lti.ClaimStartAssessmentURL: "http://LOCALHOST:8080/start"},
	} {
		t.Run(name, func(t *testing.T) {
			b := e.Window()
			e.CheckedIn(b, change)
			shown := b.Get(tooltest.ToolURL + proctoring.ProctorPath)
			tooltest.ExpectRefused(t, shown, http.StatusUnauthorized, "Nobody has been launched")
		})
	}
	b := e.Window()
	shown := e.Launch(b, tooltest.With(tooltest.Starts(), lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest}))
	tooltest.ExpectLaunched(t, shown)
}

func TestSittingsInOneBrowserAreKeptApart(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	b := e.Window()
	first := e.CheckedIn(b, nil)
	second := e.CheckedIn(b, lti.Claims{
		lti.ClaimSessionData: "other", lti.ClaimAttemptNumber: 2, lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-8"}`),
		lti.ClaimStartAssessmentURL: tooltest.PlatformURL + "/start-8", lti.ClaimDeploymentID: "deployment-b",
	})
	values := func(c map[string]any) []any {
		return []any{c[lti.ClaimSessionData], c[lti.ClaimAttemptNumber], c[lti.ClaimResourceLink].(map[string]any)["id"], c[lti.ClaimDeploymentID]}
	}
	got, _, claims, _ := e.Message(b, first)
	g.Expect(got.Target).To(Equal("/start?a=1&b=2"))
	g.Expect(values(claims)).To(Equal([]any{"data", 1.0, "exam-7", "deployment-1"}))
	got, _, claims, _ = e.Message(b, second)
	g.Expect(got.Target).To(Equal("/start-8"))
	g.Expect(values(claims)).To(Equal([]any{"other", 2.0, "exam-8", "deployment-b"}))

	stranger := e.Window()
	tooltest.ExpectRefused(t, stranger.Get(first.URL), http.StatusUnauthorized, "in this browser")
	tooltest.ExpectRefused(t, stranger.Press(first, "#start", nil), http.StatusUnauthorized, "in this browser")
	tooltest.ExpectRefused(t, stranger.Press(first, "#cancel", nil), http.StatusUnauthorized, "in this browser")
	tooltest.ExpectRefused(t, b.Get(tooltest.ToolURL+proctoring.CheckInPath), http.StatusUnauthorized, "in this browser")
	g.Expect(b.Get(first.URL).Find("#check-in").Length()).To(Equal(1))
	e.Pass(2 * time.Hour)
	e.Message(b, first)
}

func TestCandidateWhoCannotStartReturns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		presentation any
		want         string
	}{
		"with a query":    {map[string]any{"return_url": tooltest.ReturnURL + "?a=1&b=%26"}, "/back?a=1&b=%26&"},
		"without a query": {map[string]any{"return_url": tooltest.ReturnURL}, "/back?"},
		"nowhere":         {nil, ""},
		"to a script":     {map[string]any{"return_url": "javascript:alert(1)"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			e := tooltest.New(t)
			b := e.Window()
			checkIn := e.CheckedIn(b, lti.Claims{lti.ClaimLaunchPresentation: c.presentation})
			shown := b.Press(checkIn, "#cancel", nil)
			g.Expect(shown.Status).To(Equal(http.StatusOK))
			posts, _, _ := e.Seen()
			if c.want == "" {
				g.Expect(shown.Find("#cancelled").Length()).To(Equal(1))
				g.Expect(posts).To(BeEmpty())
			} else {
				g.Expect(posts).To(HaveLen(1))
				own, ok := strings.CutPrefix(posts[0].Target, c.want)
				g.Expect(ok).To(BeTrue(), posts[0].Target)
				query, err := url.ParseQuery(own)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(posts[0].Method).To(Equal(http.MethodGet))
				g.Expect(query).To(And(HaveLen(2), HaveKeyWithValue("lti_errormsg", ConsistOf(ContainSubstring("check-in was not completed"))), HaveKey("lti_errorlog")))
			}
			tooltest.ExpectRefused(t, b.Press(checkIn, "#start", nil), http.StatusConflict, "over")
			e.CheckedIn(b, nil) // again
		})
	}
}

func list(b tooltest.Window, candidate string) tooltest.Page {
	b.T.Helper()
	return b.Get(tooltest.ToolURL + proctoring.ProctorPath + "?candidate=" + url.QueryEscape(candidate))
}

func TestProctorsControlAttempts(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	e.CheckedIn(e.Window(), lti.Claims{"sub": "cand/é<1>", lti.ClaimResourceLink: json.RawMessage(`{"id":"exam/山"}`), lti.ClaimAttemptNumber: 29})
	teacher := e.Proctor()
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
		e.Answer(tooltest.Says(c.answer))
		shown := teacher.Press(list(teacher, "é<1>"), c.button, c.with)
		g.Expect(shown.Status).To(Equal(http.StatusOK))
		g.Expect(shown.Find("#outcome [role=alert]").Text()).To(Equal(c.says))
		g.Expect(c.answer).To(ContainSubstring(shown.Find("#outcome").AttrOr("data-status", "none at all")))
		_, _, orders := e.Seen()
		g.Expect(orders).To(HaveLen(1))
		g.Expect([]string{orders[0].Method, orders[0].Target, orders[0].ContentType, orders[0].Authorization}).To(Equal([]string{
			http.MethodPost, "/acs?at=1", "application/vnd.ims.lti-ap.v1.control+json", "Bearer t-._~+/=1"}))
		g.Expect(orders[0].Body).To(MatchJSON(`{"user":{"iss":"` + tooltest.PlatformURL + `","sub":"cand/é<1>"},"resource_link":{"id":"exam/山"},` +
			`"attempt_number":29,"action":"` + c.button[1:] + `","incident_time":"2026-03-01T12:00:00Z"` + c.more + `}`))
	}
	for button, bad := range map[string]url.Values{
		".update": {"extra_time": {"-5"}}, ".flag": {"severity": {"1.1"}}, ".update ": {"extra_time": {"ten"}}, ".flag ": {"severity": {"NaN"}},
		".flag  ": {"reason_msg": {strings.Repeat("x", 5000)}},
	} {
		shown := teacher.Press(list(teacher, ""), strings.TrimSpace(button), bad)
		NewWithT(t).Expect(shown.Status).To(Equal(http.StatusBadRequest))
	}
	_, tokens, orders := e.Seen()
	NewWithT(t).Expect(tokens).To(BeEmpty())
	NewWithT(t).Expect(orders).To(BeEmpty())
}

func TestTokensAreAskedForAndKept(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.CheckedIn(e.Window(), nil)
	teacher := e.Proctor()
	pause := func() (says string, tokens, orders []tooltest.Request) {
		says = teacher.Press(list(teacher, ""), ".pause", nil).Find("[role=alert]").Text()
		_, tokens, orders = e.Seen()
		return says, tokens, orders
	}
	_, tokens, _ := pause()
	g.Expect(tokens).To(HaveLen(1))
	form := tokens[0].Form
	g.Expect([]any{tokens[0].Method, tokens[0].ContentType, tokens[0].Authorization, len(form)}).To(Equal([]any{
		http.MethodPost, "application/x-www-form-urlencoded", "", 4}))
	g.Expect(form.Get("grant_type")).To(Equal("client_credentials"))
	g.Expect(form.Get("client_assertion_type")).To(Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
	g.Expect(form.Get("scope")).To(Equal(lti.ScopeControl))
	_, claims, _ := tooltest.Opened(t, form.Get("client_assertion"))
	jti := claims["jti"]
	g.Expect(jti).To(MatchRegexp(`^[A-Za-z0-9_-]{22}$`))
	g.Expect(claims).To(Equal(map[string]any{
		"iss": tooltest.ClientID, "sub": tooltest.ClientID, "aud": tooltest.TokenURL, "iat": float64(tooltest.Noon.Unix()), "exp": float64(tooltest.Noon.Unix() + 300), "jti": jti,
		lti.ClaimDeploymentID: "deployment-1",
	}))

	e.Pass(9 * time.Minute) // teachers' sessions last for ten
	_, tokens, _ = pause()
	g.Expect(tokens).To(BeEmpty(), "it is kept")
	e.Answer(tooltest.Status(http.StatusUnauthorized))
	says, tokens, orders := pause()
	g.Expect(says).To(ContainSubstring("running"))
	g.Expect(tokens).To(HaveLen(1))
	_, claims, _ = tooltest.Opened(t, tokens[0].Form.Get("client_assertion"))
	g.Expect(claims["jti"]).NotTo(Equal(jti))
	g.Expect(orders).To(HaveLen(2))
	e.Answer(tooltest.Status(http.StatusUnauthorized), tooltest.Status(http.StatusUnauthorized))
	says, tokens, orders = pause()
	g.Expect(says).To(Equal("The platform did not take it: HTTP 401."))
	g.Expect([]int{len(tokens), len(orders)}).To(Equal([]int{1, 2}), "not again and again")

	e.Grants(`{"access_token":"short","token_type":"Bearer","expires_in":5,"scope":"x ` + lti.ScopeControl + `"}`)
	e.Pass(2 * time.Hour)
	_, tokens, orders = pause()
	g.Expect(tokens).To(HaveLen(1), "the other has expired")
	g.Expect(orders[0].Authorization).To(Equal("Bearer short"))
	e.Pass(4 * time.Second)
	_, tokens, _ = pause()
	g.Expect(tokens).To(BeEmpty())
	e.Pass(time.Second)
	_, tokens, _ = pause()
	g.Expect(tokens).To(HaveLen(1))
}

func TestWhatThePlatformDoesNotTakeIsTold(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	e.CheckedIn(e.Window(), nil)
	teacher := e.Proctor()
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		says   string
	}{
		"404":   {tooltest.Status(http.StatusNotFound), "The platform did not take it: HTTP 404."},
		"500":   {tooltest.Status(http.StatusInternalServerError), "The platform did not take it: HTTP 500."},
		"204":   {tooltest.Status(http.StatusNoContent), "The platform did not take it: HTTP 204."},
		"reset": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "The platform did not take it: nobody answered"},
		"redirect": {func(w http.ResponseWriter) {
			w.Header().Set("Location", tooltest.StartURL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "HTTP 307"},
		"empty":   {tooltest.Says(""), "the answer is none of the service"},
		"a list":  {tooltest.Says(`["paused"]`), "the answer is none of the service"},
		"unknown": {tooltest.Says(`{"status":"<b>gone"}`), "no status that is known"},
	} {
		g := NewWithT(t)
		e.Answer(c.answer)
		shown := teacher.Press(list(teacher, ""), ".terminate", nil)
		g.Expect(shown.Find("#outcome").AttrOr("data-status", "")).To(Equal("failed"), name)
		g.Expect(shown.Find("[role=alert]").Text()).To(ContainSubstring(c.says), name)
		_, _, orders := e.Seen()
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
		fresh := tooltest.New(t)
		fresh.Grants(grant)
		fresh.CheckedIn(fresh.Window(), nil)
		b := fresh.Proctor()
		g.Expect(b.Press(list(b, ""), ".pause", nil).Find("[role=alert]").Text()).To(And(HavePrefix("The platform was not asked: "), ContainSubstring(says)))
		_, tokens, orders := fresh.Seen()
		g.Expect([]int{len(tokens), len(orders)}).To(Equal([]int{1, 0}), grant)
	}
	g := NewWithT(t)
	without := tooltest.New(t, func(r *faketool.Registration) { r.TokenURL = "" })
	without.CheckedIn(without.Window(), nil)
	b := without.Proctor()
	g.Expect(b.Press(list(b, ""), ".pause", nil).Find("[role=alert]").Text()).To(ContainSubstring("no token endpoint"))
}

func TestProctorsSeeWhatThePlatformOffers(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.CheckedIn(e.Window(), lti.Claims{"name": "All", "sub": "c-1"})
	e.CheckedIn(e.Window(), lti.Claims{"name": "One <b>", "sub": "c-2", lti.ClaimACS: lti.ACS{Actions: []lti.Action{"terminate", "teleport", "PAUSE"}, ControlURL: tooltest.ControlURL}})
	e.CheckedIn(e.Window(), lti.Claims{"name": "None", "sub": "c-3", lti.ClaimACS: nil})
	e.CheckedIn(e.Window(), lti.Claims{"name": nil, "sub": "c-4", lti.ClaimACS: lti.ACS{Actions: lti.Actions, ControlURL: "http://stranger.example/"}})
	teacher := e.Proctor()
	names := func(p tooltest.Page) []string {
		return p.Find(".sitting strong").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	}
	buttons := func(p tooltest.Page) []string {
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

	terminate, _ := tooltest.FormOf(list(teacher, "c-2").Find(".terminate").Closest("form"))
	for _, action := range []string{"pause", "teleport", "PAUSE"} {
		shown := teacher.Do(http.MethodPost, strings.TrimSuffix(terminate, "terminate")+action, nil)
		tooltest.ExpectRefused(t, shown, http.StatusNotFound, "does not offer")
	}
	tooltest.ExpectRefused(t, teacher.Do(http.MethodPost, tooltest.ToolURL+"/proctor/nobody/pause", nil), http.StatusNotFound, "no such sitting")
	for name, b := range map[string]tooltest.Window{"nobody": e.Window(), "a learner": e.Window()} {
		want := http.StatusUnauthorized
		if name == "a learner" {
			e.Launch(b, tooltest.With(tooltest.Starts(), lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest}))
			want = http.StatusForbidden
		}
		tooltest.ExpectRefused(t, b.Get(tooltest.ToolURL+"/proctor"), want, "")
		tooltest.ExpectRefused(t, b.Do(http.MethodPost, terminate, nil), want, "")
	}
	_, tokens, orders := e.Seen()
	g.Expect([]int{len(tokens), len(orders)}).To(Equal([]int{0, 0}))
	for i := range 60 {
		e.CheckedIn(e.Window(), lti.Claims{"name": fmt.Sprint("many ", i)})
	}
	many := names(list(teacher, "many"))
	g.Expect(many).To(HaveLen(50))
	g.Expect(many[0]).To(Equal("many 59"))
}

func TestEndClosesTheSittingItIsAbout(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
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
			b := e.Window()
			sub := "candidate " + name
			of := func(c lti.Claims) lti.Claims {
				if c["sub"] == "candidate-1" {
					c["sub"] = sub
				}
				return c
			}
			checkIn := e.Launch(b, of(tooltest.Starts()))
			g.Expect(checkIn.Find("#check-in").Length()).To(Equal(1))
			shown := e.Launch(b, of(tooltest.With(tooltest.Ends(tooltest.Starts()), c.change)))
			if !c.closes {
				g.Expect(shown.Status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)))
				g.Expect(b.Get(checkIn.URL).Find("#check-in").Length()).To(Equal(1), "it goes on")
				return
			}
			g.Expect(shown.Status).To(Equal(http.StatusOK), shown.Text())
			g.Expect(shown.Find("#ended h1").Text()).To(Equal("Algebra"))
			g.Expect(shown.Find("[role=alert]").Length()).To(BeZero())
			_, returns := c.change[lti.ClaimLaunchPresentation]
			g.Expect(shown.Find("#return").Length() == 1).To(Equal(!returns))
			tooltest.ExpectRefused(t, b.Get(checkIn.URL), http.StatusConflict, "over")
			tooltest.ExpectRefused(t, b.Press(checkIn, "#start", nil), http.StatusConflict, "over")
			teacher := e.Proctor()
			g.Expect(list(teacher, sub).Find("button").Length()).To(BeZero())
			g.Expect(e.Launch(b, of(tooltest.With(tooltest.Ends(tooltest.Starts()), c.change))).Status).To(Equal(http.StatusOK), "twice does no harm")
		})
	}
}

func TestEndWithoutALinkIsAboutTheBrowser(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	b, other := e.Window(), e.Window()
	here := e.CheckedIn(b, nil)
	there := e.CheckedIn(other, lti.Claims{lti.ClaimResourceLink: json.RawMessage(`{"id":"exam-8"}`)})
	g.Expect(e.Launch(b, tooltest.With(tooltest.Ends(tooltest.Starts()), lti.Claims{lti.ClaimResourceLink: nil})).Find("#ended h1").Text()).To(Equal("Algebra"))
	tooltest.ExpectRefused(t, b.Get(here.URL), http.StatusConflict, "over")
	g.Expect(other.Get(there.URL).Find("#check-in").Length()).To(Equal(1))
}

func TestEndShowsWhatWentWrong(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	for message, want := range map[any]string{
		"<script>alert(1)</script> \"it\"": "<script>alert(1)</script> \"it\"", strings.Repeat("x", 10_000): strings.Repeat("x", 10_000), 7: "", true: "",
	} {
		g := NewWithT(t)
		b := e.Window()
		e.CheckedIn(b, nil)
		shown := e.Launch(b, tooltest.With(tooltest.Ends(tooltest.Starts()), lti.Claims{lti.ClaimErrorMessage: message, lti.ClaimErrorLog: "TypeError at /exam"}))
		g.Expect(shown.Status).To(Equal(http.StatusOK))
		g.Expect(shown.Find("#ended [role=alert]").Text()).To(Equal(want))
		g.Expect(shown.Find("#return").AttrOr("href", "")).To(Equal(tooltest.ReturnURL))
		g.Expect(shown.Text()).NotTo(ContainSubstring("TypeError"))
	}
}

func TestProbingSendsTheMessageThatWasMade(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	b := e.Window()
	a := e.Answered(b, tooltest.Starts())
	g.Expect(a.Accepted).To(BeTrue())
	m, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Address).To(HavePrefix(tooltest.ToolURL + proctoring.MessagePath + "/"))
	g.Expect(m.Form).To(Equal(url.Values{"JWT": {m.JWT}}))
	g.Expect([]string{m.Method, m.To}).To(Equal([]string{http.MethodPost, tooltest.StartURL}))
	for range 2 {
		b.Get(m.Address)
		posts, _, _ := e.Seen()
		g.Expect(posts).To(HaveLen(1))
		g.Expect(posts[0].Target).To(Equal("/start?a=1&b=2"))
		g.Expect(posts[0].Form).To(Equal(m.Form))
	}
	_, claims, _ := tooltest.Opened(t, m.JWT)
	g.Expect(claims).To(And(HaveKeyWithValue("iss", tooltest.ClientID), HaveKeyWithValue(lti.ClaimSessionData, "data"), HaveKeyWithValue(lti.ClaimEndAssessmentReturn, true)))
	g.Expect(claims["nonce"]).To(Equal(m.Claims["nonce"]))

	other, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{
		To: tooltest.PlatformURL + "/elsewhere", With: lti.Claims{lti.ClaimEndAssessmentReturn: false, lti.ClaimVerifiedUser: nil, "vendor": "x"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	b.Get(other.Address)
	posts, _, _ := e.Seen()
	g.Expect(posts[0].Target).To(Equal("/elsewhere"))
	_, claims, _ = tooltest.Opened(t, posts[0].Form.Get("JWT"))
	g.Expect(claims).To(And(HaveKeyWithValue(lti.ClaimEndAssessmentReturn, false), Not(HaveKey(lti.ClaimVerifiedUser)), HaveKeyWithValue("vendor", "x")))
	g.Expect(claims["nonce"]).NotTo(Equal(m.Claims["nonce"]))
	g.Expect(b.Get(tooltest.ToolURL + proctoring.MessagePath + "/nothing").Status).To(Equal(http.StatusNotFound))

	ended := e.Answered(b, tooltest.Ends(tooltest.Starts()))
	g.Expect(ended.Accepted).To(BeTrue(), ended.Why)
	bad := e.Answered(b, tooltest.With(tooltest.Starts(), lti.Claims{lti.ClaimAttemptNumber: "1", lti.ClaimSessionData: nil}))
	g.Expect(bad.Accepted).To(BeFalse())
	m, err = proctoring.Of(e.Tool).StartAssessment(bad, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	_, claims, _ = tooltest.Opened(t, m.JWT)
	g.Expect(claims).To(And(HaveKeyWithValue(lti.ClaimAttemptNumber, "1"), Not(HaveKey(lti.ClaimSessionData))))

	for _, none := range []*faketool.Answer{nil, {}, {IDToken: "x"}, ended} {
		_, err = proctoring.Of(e.Tool).StartAssessment(none, proctoring.MessageProbe{})
		g.Expect(err).To(MatchError(HavePrefix("proctoring: ")))
	}
	for _, to := range []string{"javascript:alert(1)", "/start", "ftp://platform.example.com/"} {
		_, err = proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{To: to})
		g.Expect(err).To(MatchError(ContainSubstring("nothing can be posted")))
	}
	unknown := *a
	unknown.Login = nil
	_, err = proctoring.Of(e.Tool).StartAssessment(&unknown, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred(), "the message says who it is of")
}

func TestMessagesAreForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	const most = 5
	e := tooltest.NewOf(t, faketool.Options{Remembers: most})
	b := e.Window()
	a := e.Answered(b, tooltest.Starts())
	var first, second *toolmessage.Message
	for i := range most + 1 {
		m, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{})
		g.Expect(err).NotTo(HaveOccurred())
		switch i {
		case 0:
			first = m
		case 1:
			second = m
		}
	}
	g.Expect(b.Get(first.Address).Status).To(Equal(http.StatusNotFound))
	g.Expect(b.Get(second.Address).Status).To(Equal(http.StatusOK))
}

func TestFaultsChangeAMessage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	b := e.Window()
	a := e.Answered(b, tooltest.Starts())
	other := e.Answered(b, tooltest.With(tooltest.Starts(), lti.Claims{lti.ClaimSessionData: "of another"}))
	valid, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	sent := func(p proctoring.MessageProbe) (*toolmessage.Message, tooltest.Request) {
		m, err := proctoring.Of(e.Tool).StartAssessment(a, p)
		g.Expect(err).NotTo(HaveOccurred())
		e.Seen()
		b.Get(m.Address)
		posts, _, _ := e.Seen()
		g.Expect(posts).To(HaveLen(1))
		return m, posts[0]
	}
	_, claims, _ := tooltest.Opened(t, first(sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-session-of-other-candidate"), Other: other})).JWT)
	g.Expect(claims[lti.ClaimSessionData]).To(Equal("of another"))
	_, claims, _ = tooltest.Opened(t, first(sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-nonce-used"), Other: other, Earlier: valid})).JWT)
	g.Expect(claims["nonce"]).To(Equal(valid.Claims["nonce"]))
	m, got := sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-by-get")})
	g.Expect([]string{got.Method, got.Target, got.Body}).To(Equal([]string{http.MethodGet, "/start?a=1&b=2&JWT=" + m.JWT, ""}))
	m, got = sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-as-id-token")})
	g.Expect(got.Form).To(Equal(url.Values{"id_token": {m.JWT}}))
	_, got = sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-parameter-missing")})
	g.Expect(got.Form).To(BeEmpty())
	_, got = sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-type-of-exam")})
	g.Expect(got.Form).To(Equal(url.Values{"JWT": {a.IDToken}}))
	_, got = sent(proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-type-of-link"), Other: other})
	g.Expect(got.Form).To(Equal(url.Values{"JWT": {other.IDToken}}))

	for fault, why := range map[*faketool.Fault]string{
		tooltest.Stimulus(t, "start-link-of-other-exam"): "needs another message",
		tooltest.Stimulus(t, "acs-by-put"):               "none of a message", tooltest.Stimulus(t, "nonce-missing"): "none of a message",
	} {
		_, err = proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{Fault: fault})
		g.Expect(err).To(MatchError(ContainSubstring(why)))
	}
	_, err = proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{Fault: tooltest.Stimulus(t, "start-nonce-used"), Other: other})
	g.Expect(err).To(MatchError(ContainSubstring("needs an earlier message")))
	for name, why := range map[string]error{ // no other link or deployment, no picture, and no other tool
		"start-link-of-other-exam": faketool.ErrUnchanged, "start-deployment-other": faketool.ErrUnchanged,
		"verified-user-platform-picture": faketool.ErrUnchanged,
		"start-iss-of-other-tool":        faketool.ErrNoOtherTool, "iss-of-other-tool": faketool.ErrNoOtherTool,
	} {
		_, err = proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{Fault: tooltest.Stimulus(t, name), Other: other})
		g.Expect(err).To(MatchError(why), name)
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestWaysOfSigning(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	b := e.Window()
	a := e.Answered(b, tooltest.Starts())
	own, err := tooltest.ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	pem, err := jwk.Pem(tooltest.Public(t, own))
	g.Expect(err).NotTo(HaveOccurred())
	strangers, err := jwk.ParseString(b.Get(tooltest.ToolURL + "/stranger/jwks").Text())
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
			if fault := tooltest.Provoking(t, id, name); faketool.Changes(*fault, proctoring.StartAssessmentMessage) {
				m, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{Fault: fault})
				g.Expect(err).NotTo(HaveOccurred())
				token = m.JWT
			} else {
				_, err := e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: fault})
				g.Expect(err).NotTo(HaveOccurred())
				_, asked, _ := e.Seen()
				token = asked[0].Form.Get("client_assertion")
			}
			if how == "no JWT" {
				g.Expect(token).To(Equal("abc"))
				continue
			}
			h, payload, err := lti.Decode(token)
			g.Expect(err).NotTo(HaveOccurred(), label)
			var header map[string]any
			g.Expect(json.Unmarshal(h, &header)).To(Succeed())
			g.Expect(string(payload)).To(ContainSubstring(tooltest.ClientID), label)
			g.Expect(verifies(token, jwa.RS256, tooltest.Public(t, own))).To(BeFalse(), label)
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
				g.Expect(header["jku"]).To(Equal(tooltest.ToolURL + "/stranger/jwks"))
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
	e := tooltest.New(t)
	b := e.Window()
	a := e.Answered(b, tooltest.Starts())
	withdraw, err := e.Tool.AddKey()
	g.Expect(err).NotTo(HaveOccurred())
	set, err := jwk.ParseString(b.Get(tooltest.ToolURL + "/jwks").Text())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set.Len()).To(Equal(2))
	m, err := proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	added, _ := set.Key(1)
	_, err = jws.Verify([]byte(m.JWT), jws.WithKey(jwa.RS256, added))
	g.Expect(err).NotTo(HaveOccurred())
	withdraw()
	set, err = jwk.ParseString(b.Get(tooltest.ToolURL + "/jwks").Text())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set.Len()).To(Equal(1))
	m, err = proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{})
	g.Expect(err).NotTo(HaveOccurred())
	tooltest.Opened(t, m.JWT)
	own, err := tooltest.OtherKey()
	g.Expect(err).NotTo(HaveOccurred())
	m, err = proctoring.Of(e.Tool).StartAssessment(a, proctoring.MessageProbe{Key: own})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = jws.Verify([]byte(m.JWT), jws.WithKey(jwa.RS256, tooltest.Public(t, own)))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestProbingControlsAttempts(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	severity := 0.5
	order := lti.ControlRequest{
		User: lti.ControlUser{Issuer: tooltest.PlatformURL, Sub: "candidate-1"}, ResourceLink: lti.ControlResourceLink{ID: "exam-7"},
		AttemptNumber: 1 << 60, Action: lti.Flag, IncidentTime: "x", IncidentSeverity: &severity,
	}
	sent := func(fault *faketool.Fault) (*part.Exchange, tooltest.Request) {
		got, err := proctoring.Of(e.Tool).Control(t.Context(), tooltest.ControlURL, "secret", order, proctoring.ControlProbe{Fault: fault})
		g.Expect(err).NotTo(HaveOccurred())
		_, _, orders := e.Seen()
		g.Expect(orders).To(HaveLen(1))
		g.Expect(fmt.Sprint(got.URL, got.RequestBody)).NotTo(ContainSubstring("secret"))
		return got, orders[0]
	}
	e.Answer(tooltest.Says(`{"status":"paused","extra_time":7}`))
	got, asked := sent(nil)
	g.Expect(asked.Body).To(MatchJSON(got.RequestBody))
	g.Expect(asked.Body).To(ContainSubstring(`"attempt_number":1152921504606846976`))
	g.Expect([]string{asked.Method, asked.Target, asked.ContentType, asked.Authorization}).To(Equal([]string{
		http.MethodPost, "/acs?at=1", lti.MediaTypeControl, "Bearer secret"}))
	g.Expect([]any{got.Status, got.ContentType, got.URL, got.RequestHeader}).To(Equal([]any{200, lti.MediaTypeControl, tooltest.ControlURL, http.Header{
		"Content-Type": {lti.MediaTypeControl}, "Accept": {lti.MediaTypeControl}, "Authorization": {"Bearer secret"}}}))
	answer, err := proctoring.ReadAnswer(got)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answer.Status).To(Equal(lti.Paused))
	g.Expect(*answer.ExtraTime).To(Equal(7))

	_, asked = sent(tooltest.Stimulus(t, "acs-by-put"))
	g.Expect(asked.Method).To(Equal(http.MethodPut))
	_, asked = sent(tooltest.Stimulus(t, "control-without-user"))
	g.Expect(asked.Body).NotTo(ContainSubstring("user"))
	_, asked = sent(tooltest.Stimulus(t, "body-not-json"))
	g.Expect([]string{asked.Body, asked.ContentType}).To(Equal([]string{"{", lti.MediaTypeControl}))
	_, asked = sent(tooltest.Stimulus(t, "media-type-text"))
	g.Expect(asked.ContentType).To(Equal("text/plain"))
	_, asked = sent(tooltest.Stimulus(t, "token-in-query"))
	g.Expect([]string{asked.Target, asked.Authorization}).To(Equal([]string{"/acs?at=1&access_token=secret", ""}))
	_, asked = sent(tooltest.Stimulus(t, "token-missing"))
	g.Expect(asked.Authorization).To(BeEmpty())
	_, asked = sent(tooltest.Stimulus(t, "attempt-number-as-string"))
	g.Expect(asked.Body).To(ContainSubstring(`"attempt_number":"1152921504606846976"`))
	e.Answer(tooltest.Status(http.StatusForbidden))
	got, _ = sent(nil)
	_, err = proctoring.ReadAnswer(got)
	g.Expect(err).To(MatchError("HTTP 403"))

	got, err = proctoring.Of(e.Tool).Control(t.Context(), "https://nobody.example/acs", "secret", order, proctoring.ControlProbe{Fault: tooltest.Stimulus(t, "token-in-query")})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.Err).To(And(HaveOccurred(), Not(MatchError(ContainSubstring("secret")))))
	for _, to := range []string{"", "/acs", "javascript:alert(1)", ":"} {
		_, err = proctoring.Of(e.Tool).Control(t.Context(), to, "secret", order, proctoring.ControlProbe{})
		g.Expect(err).To(MatchError(HavePrefix("proctoring: ")))
	}
	_, err = proctoring.Of(e.Tool).Control(t.Context(), tooltest.ControlURL, "secret", order, proctoring.ControlProbe{Fault: tooltest.Stimulus(t, "start-by-get")})
	g.Expect(err).To(MatchError(ContainSubstring("none of a control request")))
}
