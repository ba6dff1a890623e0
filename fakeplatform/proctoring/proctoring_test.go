package proctoring_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

var wantsEnd = platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, true)

func TestProctoredLaunchSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	g := NewWithT(t)
	no := false
	s := room.Attempt(nil, func(plan *fakeplatform.Plan) {
		plan.Context = fakeplatform.Context{ID: "course-1"}
		plan.About = proctoring.Exam{Settings: "video=on", Actions: []lti.Action{lti.Pause, lti.Resume}, Picture: "https://platform.example.com/ada.png", EmailVerified: &no}
	})
	g.Expect(s.Claims).To(And(
		HaveKeyWithValue(lti.ClaimMessageType, lti.StartProctoring), HaveKeyWithValue(lti.ClaimVersion, lti.Version),
		HaveKeyWithValue(lti.ClaimDeploymentID, "deployment-1"), HaveKeyWithValue("sub", platformtest.Ada.Sub),
		HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0), HaveKeyWithValue(lti.ClaimStartAssessmentURL, proctoring.Of(s.Launch).StartAssessmentURL()),
		HaveKeyWithValue(lti.ClaimSessionData, HaveLen(22)), HaveKeyWithValue(lti.ClaimProctoringSettings, map[string]any{"data": "video=on"}),
		HaveKeyWithValue(lti.ClaimACS, map[string]any{"actions": []any{"pause", "resume"}, "assessment_control_url": platformtest.PlatformURL + "/acs"}),
		HaveKeyWithValue("picture", "https://platform.example.com/ada.png"), HaveKeyWithValue("given_name", "Ada"),
		HaveKeyWithValue("email", platformtest.Ada.Email), HaveKeyWithValue("email_verified", false),
		HaveKeyWithValue(lti.ClaimRoles, []any{lti.RoleLearner}), HaveKeyWithValue(lti.ClaimTargetLinkURI, platformtest.TargetURI),
		HaveKey(lti.ClaimContext), HaveKey(lti.ClaimToolPlatform), HaveKeyWithValue("nonce", "nonce-1"),
	))
	g.Expect(s.Claims[lti.ClaimLaunchPresentation]).To(Equal(map[string]any{
		"document_target": "window", "return_url": s.Launch.ReturnURL(), "locale": "en",
	}))

	s = room.Attempt(nil, func(plan *fakeplatform.Plan) {
		plan.About = proctoring.Exam{SessionData: "a <b>", Attempt: 29}
		plan.HidePersonalData = true
	})
	g.Expect(s.Claims).To(And(HaveKeyWithValue(lti.ClaimSessionData, "a <b>"), HaveKeyWithValue(lti.ClaimAttemptNumber, 29.0)))
	for _, name := range []string{lti.ClaimACS, lti.ClaimProctoringSettings, "picture", "email", "email_verified", "name", lti.ClaimErrorMessage} {
		g.Expect(s.Claims).NotTo(HaveKey(name))
	}
	s = room.Attempt(nil)
	g.Expect(s.Claims).To(HaveKeyWithValue("email_verified", true))

	plain := room.Begins(t, fakeplatform.Plan{User: platformtest.Ada})
	g.Expect(proctoring.Of(plain).Attempt()).To(BeNil())
	_, claims := platformtest.ClaimsOf(t, room.Browser(t).Launch(plain))
	g.Expect(claims).NotTo(Or(HaveKey(lti.ClaimAttemptNumber), HaveKey("email_verified")), "a resource link launch is as it was")
}

func TestBeginRefusesWhatCannotBeProctored(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	for says, change := range map[string]func(*fakeplatform.Plan){
		`message type "LtiEndAssessment"`: func(p *fakeplatform.Plan) { p.Message = lti.EndAssessment },
		`message type "x"`:                func(p *fakeplatform.Plan) { p.Message = "x" },
		"launch of nobody":                func(p *fakeplatform.Plan) { p.User.Sub = "" },
		"a proctored launch of nobody":    func(p *fakeplatform.Plan) { p.Anonymous = true },
	} {
		plan := platformtest.Proctored(change)
		plan.ClientID = platformtest.ClientID
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
				changes = append(changes, platformtest.WithSessions)
			}
			room := platformtest.NewExamRoom(t, changes...)
			b := room.Browser(t)
			b.SignIn("ada")
			s := room.Attempt(&b, func(plan *fakeplatform.Plan) {
				plan.Account, plan.ReturnTo = "ada", platformtest.PlatformURL+"/course"
				platformtest.InExam(plan, func(e *proctoring.Exam) { e.Settings = "audio=on" })
			})
			attempt := proctoring.Of(s.Launch).Attempt()
			g.Expect(attempt.Status()).To(Equal(lti.None))
			p, status := s.Exam()
			g.Expect([]any{p.Status, status, p.Find("form").Length()}).To(Equal([]any{http.StatusOK, lti.None, 0}))

			room.Pass(15 * time.Minute)
			s.Starts(wantsEnd, platformtest.SetsClaim(lti.ClaimVerifiedUser, map[string]any{"name": "Ada <script>alert(1)</script>", "iss": "x", "sub": "sub-bob"}))
			g.Expect(attempt.WantsEnd()).To(BeTrue())
			g.Expect(proctoring.On(room).Current(platformtest.ClientID, "deployment-1", platformtest.Ada.Sub, "exam-7")).To(BeIdenticalTo(attempt))
			record := proctoring.Of(s.Launch).Record().StartAssessments
			g.Expect(record).To(HaveLen(1))
			g.Expect(record[0].Started).To(BeTrue())
			g.Expect(record[0].Problems).To(BeEmpty())
			g.Expect(record[0].Target).To(Equal(strings.TrimPrefix(proctoring.Of(s.Launch).StartAssessmentURL(), platformtest.PlatformURL)))
			g.Expect(record[0].Form).To(Equal(url.Values{"JWT": {record[0].JWT}}))

			p, status = s.Exam()
			g.Expect(status).To(Equal(lti.Running))
			g.Expect(p.Find("h1").Text()).To(Equal("Final exam"))
			g.Expect(p.Find("#time-left").Text()).To(Equal("60"))
			g.Expect(p.Find("#verified-name").Text()).To(Equal("Ada <script>alert(1)</script>"))
			g.Expect(p.Body).NotTo(ContainSubstring("<script>"))
			g.Expect(p.Find("#submit").Text()).To(Equal("Submit exam"))
			g.Expect(attempt.EndDue()).To(BeFalse())

			room.Pass(90 * time.Second)
			p, _ = s.Exam()
			g.Expect(p.Find("#time-left").Text()).To(Equal("59"))
			claims := s.Ending(s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{"answer": {"Ada"}}))
			g.Expect(attempt.Status()).To(Equal(lti.Complete))
			g.Expect(claims).To(And(
				HaveKeyWithValue("sub", platformtest.Ada.Sub), HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0), HaveKeyWithValue(lti.ClaimVersion, lti.Version),
				HaveKeyWithValue(lti.ClaimDeploymentID, "deployment-1"), HaveKeyWithValue(lti.ClaimTargetLinkURI, platformtest.TargetURI),
				HaveKeyWithValue(lti.ClaimResourceLink, s.Claims[lti.ClaimResourceLink]), HaveKey(lti.ClaimRoles),
				HaveKeyWithValue(lti.ClaimProctoringSettings, map[string]any{"data": "audio=on"}), HaveKey(lti.ClaimLaunchPresentation),
			))
			for _, absent := range []string{lti.ClaimSessionData, lti.ClaimStartAssessmentURL, lti.ClaimACS, lti.ClaimErrorMessage, lti.ClaimErrorLog} {
				g.Expect(claims).NotTo(HaveKey(absent))
			}
			p, status = s.Exam()
			g.Expect([]any{p.Status, status}).To(Equal([]any{http.StatusOK, lti.Complete}), "the tool is told once")
			g.Expect(p.Find("#complete").Text()).To(Equal("You have submitted your exam."))
			g.Expect(p.Find("form").Length()).To(BeZero())
			again := s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
			g.Expect(again.Header.Get("Location")).To(Equal(proctoring.Of(s.Launch).ExamURL()))

			presentation := claims[lti.ClaimLaunchPresentation].(map[string]any)
			g.Expect(s.Get(presentation["return_url"].(string)).Find("#return-to").AttrOr("href", "")).To(Equal(platformtest.PlatformURL + "/course"))
			g.Expect(room.Whys()).To(BeEmpty())
		})
	}
}

// badMessages are changes of a valid message, and what is said of each.
var badMessages = map[string]struct {
	says    string
	changes []func(lti.Claims)
}{
	"session_data missing":          {"session_data is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimSessionData, nil)}},
	"session_data empty":            {"session_data is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimSessionData, "")}},
	"session_data altered":          {"session_data is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimSessionData, "x")}},
	"session_data null":             {"session_data is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimSessionData, json.RawMessage("null"))}},
	"session_data in an array":      {"session_data is not", []func(lti.Claims){func(c lti.Claims) { c[lti.ClaimSessionData] = []any{c[lti.ClaimSessionData]} }}},
	"attempt_number next":           {"attempt_number is not that", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimAttemptNumber, 2)}},
	"attempt_number 0":              {"attempt_number is not that", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimAttemptNumber, 0)}},
	"attempt_number a string":       {"attempt_number is missing or no", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimAttemptNumber, "1")}},
	"attempt_number 1.5":            {"attempt_number is missing or no", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimAttemptNumber, 1.5)}},
	"attempt_number missing":        {"attempt_number is missing", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimAttemptNumber, nil)}},
	"resource_link other":           {"resource_link is not that", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimResourceLink, map[string]any{"id": "exam-8"})}},
	"resource_link without id":      {"resource_link is not that", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimResourceLink, map[string]any{})}},
	"resource_link missing":         {"resource_link is missing", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimResourceLink, nil)}},
	"resource_link a string":        {"resource_link is missing or no", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimResourceLink, "exam-7")}},
	"deployment_id missing":         {"deployment_id is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimDeploymentID, nil)}},
	"deployment_id other":           {"deployment_id is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimDeploymentID, "deployment-2")}},
	"iss of another tool":           {"iss is not", []func(lti.Claims){platformtest.SetsClaim("iss", platformtest.OtherClient)}},
	"iss of the platform":           {"iss is not", []func(lti.Claims){platformtest.SetsClaim("iss", platformtest.PlatformURL)}},
	"iss missing":                   {"iss is not", []func(lti.Claims){platformtest.SetsClaim("iss", nil)}},
	"aud other":                     {"aud does not", []func(lti.Claims){platformtest.SetsClaim("aud", "https://other.example")}},
	"aud missing":                   {"aud does not", []func(lti.Claims){platformtest.SetsClaim("aud", nil)}},
	"aud of a number":               {"aud does not", []func(lti.Claims){platformtest.SetsClaim("aud", []any{1})}},
	"aud with somebody else":        {"aud names somebody", []func(lti.Claims){platformtest.SetsClaim("aud", []any{platformtest.PlatformURL, "https://stranger.example"})}},
	"exp past":                      {"has expired", []func(lti.Claims){platformtest.SetsClaim("exp", platformtest.Noon.Add(-10*time.Minute).Unix())}},
	"exp missing":                   {"exp is missing", []func(lti.Claims){platformtest.SetsClaim("exp", nil)}},
	"exp a string":                  {"exp is missing or no time", []func(lti.Claims){platformtest.SetsClaim("exp", "2126-01-01T00:00:00Z")}},
	"iat ahead":                     {"iat lies ahead", []func(lti.Claims){platformtest.SetsClaim("iat", platformtest.Noon.Add(24*time.Hour).Unix()), platformtest.SetsClaim("exp", platformtest.Noon.Add(25*time.Hour).Unix())}},
	"iat a week ago":                {"more than a day old", []func(lti.Claims){platformtest.SetsClaim("iat", platformtest.Noon.Add(-7*24*time.Hour).Unix())}},
	"iat missing":                   {"iat is missing", []func(lti.Claims){platformtest.SetsClaim("iat", nil)}},
	"nonce missing":                 {"nonce is missing", []func(lti.Claims){platformtest.SetsClaim("nonce", nil)}},
	"nonce empty":                   {"nonce is missing", []func(lti.Claims){platformtest.SetsClaim("nonce", "")}},
	"message_type of the launch":    {"message_type is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimMessageType, lti.StartProctoring)}},
	"message_type of deep linking":  {"message_type is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimMessageType, lti.DeepLinkingResponse)}},
	"message_type missing":          {"message_type is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimMessageType, nil)}},
	"version LTI-1p0":               {"version is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimVersion, "LTI-1p0")}},
	"version missing":               {"version is not", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimVersion, nil)}},
	"verified_user a string":        {"verified_user is no object", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimVerifiedUser, "Ada")}},
	"verified_user null":            {"verified_user is no object", []func(lti.Claims){platformtest.SetsClaim(lti.ClaimVerifiedUser, json.RawMessage("null"))}},
	"several mistakes, told in one": {"iss is not", []func(lti.Claims){platformtest.SetsClaim("iss", "x"), platformtest.SetsClaim("nonce", nil)}},
}

func TestStartAssessmentRefuses(t *testing.T) {
	t.Parallel()
	// Each is refused in one sitting, and the genuine message still starts it.
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil)
	refused := func(t *testing.T, p platformtest.Page, status int, says string) {
		t.Helper()
		g := NewWithT(t)
		g.Expect(p.Status).To(Equal(status), p.Body)
		g.Expect(p.Find("[role=alert]").Text()).To(ContainSubstring(says))
		g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.None))
	}
	for name, c := range badMessages {
		t.Run(name, func(t *testing.T) { refused(t, s.Start(c.changes...), http.StatusBadRequest, c.says) })
	}
	for _, how := range platformtest.Forgeries {
		t.Run(how, func(t *testing.T) {
			refused(t, s.Post(platformtest.Forged(t, s.Message(), how)), http.StatusBadRequest, "")
		})
	}
	jwt := s.Sign(s.Message())
	_, idToken, err := s.Launch.Answer()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	address := proctoring.Of(s.Launch).StartAssessmentURL()
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
		"claims that are no object": {url.Values{"JWT": {platformtest.ForgedArray(t)}}, "no JWT that can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s.Send(http.MethodPost, address, c.fields), http.StatusBadRequest, c.says)
		})
	}
	t.Run("by GET", func(t *testing.T) {
		p := s.Send(http.MethodGet, address, url.Values{"JWT": {jwt}})
		refused(t, p, http.StatusMethodNotAllowed, "instead of a POST")
		NewWithT(t).Expect(p.Header.Get("Allow")).To(Equal("POST"))
	})
	t.Run("as another content type", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"JWT": {jwt}}.Encode()))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		r.Header.Set("Content-Type", "text/plain")
		response, err := s.Client.Do(r)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		NewWithT(t).Expect(response.StatusCode).To(Equal(http.StatusBadRequest))
	})
	NewWithT(t).Expect(len(proctoring.Of(s.Launch).Record().StartAssessments)).To(Equal(20), "the record is bounded")
	s.Post(jwt)
	NewWithT(t).Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Running), "a refused message leaves the launch usable")

	t.Run("at a launch that is no exam's", func(t *testing.T) {
		l := room.Begins(t, fakeplatform.Plan{})
		NewWithT(t).Expect(s.Send(http.MethodPost, l.URL()+"/start-assessment", url.Values{"JWT": {jwt}}).Status).To(Equal(http.StatusNotFound))
		NewWithT(t).Expect(s.Get(l.URL() + "/exam").Status).To(Equal(http.StatusNotFound))
	})
}

func TestStartAssessmentTakesWhatIsAllowed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(lti.Claims){
		"aud in an array":                 platformtest.SetsClaim("aud", []any{platformtest.PlatformURL}),
		"an unknown claim":                platformtest.SetsClaim("https://vendor.example/x", map[string]any{"a": 1}),
		"verified_user empty":             platformtest.SetsClaim(lti.ClaimVerifiedUser, map[string]any{}),
		"another family name":             platformtest.SetsClaim(lti.ClaimVerifiedUser, map[string]any{"family_name": "Byron"}),
		"a name of 100 kB":                platformtest.SetsClaim(lti.ClaimVerifiedUser, map[string]any{"name": strings.Repeat("ä", 50_000)}),
		"names that are none":             platformtest.SetsClaim(lti.ClaimVerifiedUser, map[string]any{"name": 1, "given_name": nil}),
		"the platform's picture":          platformtest.SetsClaim(lti.ClaimVerifiedUser, map[string]any{"picture": "https://platform.example.com/ada.png"}),
		"end_assessment_return a string":  platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, "true"),
		"end_assessment_return an object": platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, map[string]any{}),
		"exp half a minute ago":           platformtest.SetsClaim("exp", platformtest.Noon.Add(-30*time.Second).Unix()),
		"iat half a minute ahead":         platformtest.SetsClaim("iat", platformtest.Noon.Add(30*time.Second).Unix()),
		"fractions of seconds":            platformtest.SetsClaim("iat", float64(platformtest.Noon.Unix())+0.5),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := platformtest.NewExamRoom(t).Attempt(nil).Starts(change)
			NewWithT(t).Expect(proctoring.Of(s.Launch).Attempt().WantsEnd()).To(BeFalse())
			p, _ := s.Exam()
			NewWithT(t).Expect(len([]rune(p.Find("#verified-name").Text()))).To(BeNumerically("<=", 200))
			NewWithT(t).Expect(p.Body).NotTo(ContainSubstring("ada.png"))
		})
	}
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS512, jwa.PS256} {
		t.Run(alg.String(), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room := platformtest.NewExamRoom(t)
			key, err := platformtest.KeyOf(t, platformtest.ToolKey).Clone()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(key.Set(jwk.AlgorithmKey, alg)).To(Succeed())
			room.ToolKeys.Publish(key)
			s := room.Attempt(nil)
			g.Expect(s.Start().Status).To(Equal(http.StatusBadRequest), "the key is not for RS256")
			jwt, err := lti.Sign(s.Message(), key)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(s.Post(jwt).Status).To(Equal(http.StatusSeeOther))
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
				changes = append(changes, platformtest.WithSessions)
			}
			room := platformtest.NewExamRoom(t, changes...)
			browserOf := func(account string) *platformtest.Browser {
				b := room.Browser(t)
				b.SignIn(account)
				return &b
			}
			sit := func(b *platformtest.Browser, account string, change ...func(*fakeplatform.Plan)) *platformtest.Attempt {
				return room.Attempt(b, append([]func(*fakeplatform.Plan){func(p *fakeplatform.Plan) {
					p.Account, p.User = account, platformtest.Accounts[account]
				}}, change...)...)
			}
			adas := browserOf("ada")
			a, b := sit(adas, "ada"), sit(browserOf("bob"), "bob")
			other := sit(adas, "ada", func(p *fakeplatform.Plan) { p.ResourceLink.ID = "exam-8" })
			otherTool := sit(adas, "ada", func(p *fakeplatform.Plan) { p.ClientID = platformtest.OtherClient })
			jwt := a.Sign(a.Message())
			for name, b := range map[string]platformtest.Browser{"bob": b.Browser, "nobody": room.Browser(t)} {
				p := b.Send(http.MethodPost, proctoring.Of(a.Launch).StartAssessmentURL(), url.Values{"JWT": {jwt}})
				g.Expect(p.Status).To(Equal(http.StatusForbidden), name)
				g.Expect(b.Get(proctoring.Of(a.Launch).ExamURL()).Status).To(Equal(http.StatusForbidden), name)
				g.Expect(b.Send(http.MethodPost, proctoring.Of(a.Launch).ExamURL()+"/submit", url.Values{}).Status).To(Equal(http.StatusForbidden), name)
			}
			for _, foreign := range []*platformtest.Attempt{b, other, otherTool} {
				data := foreign.Claims[lti.ClaimSessionData]
				g.Expect(a.Start(platformtest.SetsClaim(lti.ClaimSessionData, data)).Status).To(Equal(http.StatusBadRequest))
				p := a.Send(http.MethodPost, proctoring.Of(foreign.Launch).StartAssessmentURL(), url.Values{"JWT": {jwt}})
				g.Expect(p.Status).To(BeNumerically("~", 400, 3), "posted where another launch is answered")
			}
			g.Expect(a.Post(jwt).Status).To(Equal(http.StatusSeeOther), "the same message starts it where it belongs")
			for _, s := range []*platformtest.Attempt{b, other, otherTool} {
				g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.None))
				s.Starts()
			}
		})
	}
}

func TestStartAssessmentServesOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	b := room.Browser(t)
	first, second := room.Attempt(&b), room.Attempt(&b)
	g.Expect(second.Claims[lti.ClaimSessionData]).NotTo(Equal(first.Claims[lti.ClaimSessionData]))
	g.Expect(proctoring.Of(second.Launch).Attempt()).To(BeIdenticalTo(proctoring.Of(first.Launch).Attempt()), "it has not been started")

	jwt := first.Sign(first.Message(platformtest.SetsClaim("nonce", "once")))
	g.Expect(first.Post(jwt).Status).To(Equal(http.StatusSeeOther), "a later launch does not invalidate an earlier one")
	g.Expect(first.Post(jwt).Body).To(ContainSubstring("nonce has been used already"))
	g.Expect(first.Start().Body).To(ContainSubstring("session_data has been used already"))
	g.Expect(second.Start().Body).To(ContainSubstring("started by another launch"))
	g.Expect(proctoring.Of(first.Launch).Attempt().ExamURL()).To(Equal(proctoring.Of(first.Launch).ExamURL()))
	g.Expect(proctoring.Of(first.Launch).Attempt().Status()).To(Equal(lti.Running))

	other := room.Attempt(&b, func(p *fakeplatform.Plan) { p.ResourceLink.ID = "exam-8" })
	g.Expect(other.Start(platformtest.SetsClaim("nonce", "once")).Body).To(ContainSubstring("nonce has been used already"))
	other.Starts()

	first.Send(http.MethodPost, proctoring.Of(first.Launch).ExamURL()+"/submit", url.Values{})
	g.Expect(first.Start().Status).To(Equal(http.StatusBadRequest), "what has been submitted is not reopened")
	g.Expect(proctoring.Of(first.Launch).Attempt().Status()).To(Equal(lti.Complete))
}

func TestSessionDataExpires(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	early, late := room.Attempt(nil), room.Attempt(nil, func(p *fakeplatform.Plan) { p.User = platformtest.Bob })
	room.Pass(2 * time.Hour)
	room.Begins(t, fakeplatform.Plan{}) // which forgets what is old
	early.Starts()
	room.Pass(time.Second)
	NewWithT(t).Expect(late.Start().Body).To(ContainSubstring("session_data has expired"))

	signedOut := platformtest.NewExamRoom(t, platformtest.WithSessions)
	b := signedOut.Browser(t)
	b.SignIn("ada")
	s := signedOut.Attempt(&b, func(p *fakeplatform.Plan) { p.Account = "ada" })
	b.SignIn("")
	NewWithT(t).Expect(s.Start().Status).To(Equal(http.StatusForbidden))
	b.SignIn("ada")
	s.Starts()
}

func TestAttemptsAreNumbered(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	number := func(s *platformtest.Attempt) any { return s.Claims[lti.ClaimAttemptNumber] }
	g.Expect(proctoring.On(room).Current(platformtest.ClientID, "deployment-1", platformtest.Ada.Sub, "exam-7")).To(BeNil())
	first := room.Attempt(nil)
	g.Expect(number(first)).To(Equal(1.0))
	first.Get(first.Launch.ReturnURL() + "?lti_errormsg=No&lti_errorlog=log")
	again := room.Attempt(nil)
	g.Expect(number(again)).To(Equal(1.0), "an attempt that was not started keeps its number")
	g.Expect(room.Attempt(nil, func(p *fakeplatform.Plan) { p.User = platformtest.Bob }).Claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0))

	again.Starts()
	plan := platformtest.Proctored()
	plan.ClientID = platformtest.ClientID
	_, err := room.Begin(plan)
	g.Expect(err).To(MatchError(proctoring.ErrUnderWay))
	again.Send(http.MethodPost, proctoring.Of(again.Launch).ExamURL()+"/submit", url.Values{})
	second := room.Attempt(nil).Starts(wantsEnd)
	g.Expect(number(second)).To(Equal(2.0))
	g.Expect(second.Ending(second.Send(http.MethodPost, proctoring.Of(second.Launch).ExamURL()+"/submit", url.Values{}))).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0))
	for _, other := range []func(*fakeplatform.Plan){
		func(p *fakeplatform.Plan) { p.ResourceLink.ID = "exam-8" },
		func(p *fakeplatform.Plan) { p.DeploymentID = "deployment-2" },
		func(p *fakeplatform.Plan) { p.ClientID = platformtest.OtherClient },
	} {
		g.Expect(number(room.Attempt(nil, other))).To(Equal(1.0))
	}

	chosen := func(n int) *platformtest.Attempt {
		return room.Attempt(nil, func(p *fakeplatform.Plan) { platformtest.InExam(p, func(e *proctoring.Exam) { e.Attempt = n }) })
	}
	g.Expect(number(chosen(29).Starts())).To(Equal(29.0))
	g.Expect(proctoring.Of(chosen(2).Launch).Attempt()).To(BeIdenticalTo(proctoring.Of(second.Launch).Attempt()))
	g.Expect(chosen(29).Start().Status).To(Equal(http.StatusBadRequest))
	g.Expect(proctoring.On(room).Current(platformtest.ClientID, "deployment-1", platformtest.Ada.Sub, "exam-7").Number()).To(Equal(29))
}

func TestTimeRunsOut(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil, func(p *fakeplatform.Plan) { platformtest.InExam(p, func(e *proctoring.Exam) { e.Minutes = 10 }) }).Starts(wantsEnd)
	token := room.AccessToken(platformtest.ClientID)
	room.Pass(5 * time.Minute)
	room.Control(token, s.Order(lti.Pause))
	room.Pass(time.Hour)
	p, status := s.Exam()
	g.Expect(status).To(Equal(lti.Paused), "the clock stands still")
	g.Expect(p.Find("#paused").Text()).To(Equal("Your exam is paused."))
	g.Expect(p.Find("form").Length()).To(BeZero())
	s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
	g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Paused))

	token = room.AccessToken(platformtest.ClientID)
	room.Control(token, s.Order(lti.Resume))
	p, _ = s.Exam()
	g.Expect(p.Find("#time-left").Text()).To(Equal("5"))
	room.Control(token, s.Order(lti.Update, func(o map[string]any) { o["extra_time"] = 7 }))
	p, _ = s.Exam()
	g.Expect(p.Find("#time-left").Text()).To(Equal("12"))
	room.Pass(12*time.Minute - time.Second)
	g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Running))
	room.Pass(time.Second)
	g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Complete))
	g.Expect(proctoring.Of(s.Launch).Attempt().EndDue()).To(BeTrue())
	late := s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/break", url.Values{})
	g.Expect(late.Header.Get("Location")).To(Equal(proctoring.Of(s.Launch).ExamURL()), "what has ended does not break")
	p, _ = s.Exam()
	g.Expect(s.Ending(p)).NotTo(HaveKey(lti.ClaimErrorMessage))
	g.Expect(proctoring.Of(s.Launch).Attempt().EndDue()).To(BeFalse())
	_, status = s.Exam()
	g.Expect(status).To(Equal(lti.Complete))
	g.Expect(room.Attempt(nil).Claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0))
}

func TestExamThatBreaks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil).Starts(wantsEnd)
	claims := s.Ending(s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/break", url.Values{}))
	g.Expect(claims).To(And(
		HaveKeyWithValue(lti.ClaimErrorMessage, "The exam could not be continued."), HaveKeyWithValue(lti.ClaimErrorLog, ContainSubstring("index out of range")),
	))
	g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Complete))

	s = room.Attempt(nil).Starts()
	p := s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/break", url.Values{})
	g.Expect(p.Status).To(BeNumerically("<", 500))
	g.Expect(p.Find("[role=alert]").Text()).To(Equal("The exam could not be continued."))
	g.Expect(p.Body).NotTo(ContainSubstring("index"))
	p, status := s.Exam()
	g.Expect([]any{p.Status, status}).To(Equal([]any{http.StatusOK, lti.Complete}))

	l, err := room.Begin(fakeplatform.Plan{Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(s.Launch).Attempt(), Problem: &proctoring.Problem{Message: "m", Log: "l"}}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(proctoring.Of(l).Attempt()).To(BeIdenticalTo(proctoring.Of(s.Launch).Attempt()))
	_, claims = platformtest.ClaimsOf(t, s.Browser.Launch(l))
	g.Expect(claims).To(And(HaveKeyWithValue(lti.ClaimErrorMessage, "m"), HaveKeyWithValue(lti.ClaimErrorLog, "l")))
	g.Expect(s.Send(http.MethodPost, proctoring.Of(l).StartAssessmentURL(), url.Values{"JWT": {s.Sign(s.Message())}}).Status).To(Equal(http.StatusNotFound))
}

func TestToolIsNotToldOfTheEndUnlessItAsks(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	for _, value := range []any{true, nil, false, "true", "false", 1, 0, []any{}, strings.Repeat("x", 10_000)} {
		s := room.Attempt(nil).Starts(platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, value))
		p := s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
		if value == true {
			s.Ending(p)
			continue
		}
		NewWithT(t).Expect(p.Header.Get("Location")).To(Equal(proctoring.Of(s.Launch).ExamURL()), "%.20v", value)
	}
}

func TestExamIsNotSubmittedFromElsewhere(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.NewExamRoom(t).Attempt(nil).Starts()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", nil)
	g.Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := s.Client.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	g.Expect(response.StatusCode).To(Equal(http.StatusForbidden))
	g.Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Running))
}

func TestLenientPlatformStartsAllTheSame(t *testing.T) {
	t.Parallel()
	lenient := func(p *fakeplatform.Plan) { p.Lenient = true }
	room := platformtest.NewExamRoom(t)
	n := 0
	sit := func() *platformtest.Attempt {
		n++
		return room.Attempt(nil, lenient, func(p *fakeplatform.Plan) { platformtest.InExam(p, func(e *proctoring.Exam) { e.Attempt = n }) })
	}
	expect := func(t *testing.T, s *platformtest.Attempt, p platformtest.Page, problem string) {
		t.Helper()
		NewWithT(t).Expect(p.Status).To(Equal(http.StatusSeeOther), p.Body)
		record := proctoring.Of(s.Launch).Record().StartAssessments
		NewWithT(t).Expect(record[0].Started).To(BeTrue())
		NewWithT(t).Expect(record[0].Problems).To(ContainElement(ContainSubstring(problem)))
	}
	for name, c := range badMessages {
		t.Run(name, func(t *testing.T) {
			s := sit()
			changes := append([]func(lti.Claims){}, c.changes...)
			if strings.HasPrefix(name, "attempt_number next") {
				changes = []func(lti.Claims){platformtest.SetsClaim(lti.ClaimAttemptNumber, 1000)}
			}
			expect(t, s, s.Start(changes...), c.says)
		})
	}
	s := sit()
	expect(t, s, s.Send(http.MethodGet, proctoring.Of(s.Launch).StartAssessmentURL(), url.Values{"JWT": {s.Sign(s.Message())}}), "instead of a POST")
	s = sit()
	expect(t, s, s.Send(http.MethodPost, proctoring.Of(s.Launch).StartAssessmentURL(), url.Values{"id_token": {s.Sign(s.Message())}}), "JWT occurs 0 times")
	s = sit()
	expect(t, s, s.Post(platformtest.Forged(t, s.Message(), "alg none")), "which the key is not for")
	s = sit()
	expect(t, s, room.Browser(t).Send(http.MethodPost, proctoring.Of(s.Launch).StartAssessmentURL(), url.Values{"JWT": {s.Sign(s.Message())}}), "not that of the user whose launch this is")
	s = sit()
	NewWithT(t).Expect(s.Post("no JWT").Status).To(Equal(http.StatusBadRequest))
}

func TestToolWithoutKeySet(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]func(*fakeplatform.Options){"for tests alone": nil, "with users of its own": {platformtest.WithSessions}} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var unplanned []string
			room := platformtest.NewExamRoom(t, append(changes, func(o *fakeplatform.Options) {
				o.OnUnplanned = func(u fakeplatform.Unplanned) { unplanned = append(unplanned, u.Why) }
			})...)
			g.Expect(room.Register(platformtest.Registration())).To(Succeed())
			b := room.Browser(t)
			b.SignIn("ada")
			s := room.Attempt(&b, func(p *fakeplatform.Plan) { p.Account = "ada" })
			g.Expect(s.Start().Body).To(ContainSubstring("no key set of the tool is registered"))
			g.Expect(s.Post(platformtest.Forged(t, s.Message(), "alg none")).Status).To(Equal(http.StatusBadRequest))

			for _, assertion := range []string{room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.ToolKey)), platformtest.Forged(t, room.Asserts(platformtest.ClientID), "alg none")} {
				unplanned = nil
				answer := room.Token(assertion)
				g.Expect(answer.Status).To(Equal(http.StatusUnauthorized))
				g.Expect(answer.Body).To(And(ContainSubstring(`"error":"invalid_client"`), ContainSubstring("no key set of the tool is registered"), Not(ContainSubstring("access_token"))))
				g.Expect(unplanned).To(Equal([]string{jwt.ErrNoKeySet.Error()}), "whoever judges the tool is told")
			}
		})
	}
}

func TestToolKeysAreFetchedWhenTheyAreNeeded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	granted := func(key jwk.Key) bool {
		return room.Token(room.Assertion(platformtest.ClientID, key)).Status == http.StatusOK
	}
	key := platformtest.KeyOf(t, platformtest.ToolKey)
	g.Expect([]bool{granted(key), granted(key)}).To(HaveEach(true))
	g.Expect(room.ToolKeys.Asked()).To(Equal(1), "the key set is cached")

	added := platformtest.KeyOf(t, platformtest.NewToolKey)
	g.Expect(granted(added)).To(BeFalse())
	room.ToolKeys.Publish(key, added)
	g.Expect(granted(added)).To(BeTrue(), "a new key is good as soon as it is published")

	room.ToolKeys.Publish(added)
	g.Expect(granted(key)).To(BeTrue())
	room.Pass(6 * time.Minute)
	g.Expect(granted(key)).To(BeFalse(), "a withdrawn one is not trusted for long")

	asked := room.ToolKeys.Asked()
	for range 100 {
		g.Expect(granted(key)).To(BeFalse())
	}
	g.Expect(room.ToolKeys.Asked()-asked).To(BeNumerically("<=", 30), "nobody can make it fetch without end")
	room.Pass(11 * time.Second)
	room.ToolKeys.Publish(key)
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
		refused := func(room *platformtest.ExamRoom, key jwk.Key) {
			t.Helper()
			p := room.Token(room.Assertion(platformtest.ClientID, key))
			g.Expect([]any{p.Status, p.JSON()["error"]}).To(Equal([]any{http.StatusUnauthorized, "invalid_client"}), name)
			g.Expect(p.Body).To(ContainSubstring("cannot be had"))
		}
		room.Pass(6 * time.Minute)
		room.ToolKeys.Answers(answer)
		g.Expect(granted(key)).To(BeTrue(), "%s: nothing says that a known key is withdrawn", name)
		refused(room, added)
		lost += 2
		g.Expect(room.LostKeySets()).To(Equal(lost), name)

		stranger := platformtest.NewExamRoom(t)
		stranger.ToolKeys.Answers(answer)
		refused(stranger, key)
		g.Expect(stranger.LostKeySets()).To(BeZero(), "%s: it was never there", name)
	}
	room.Pass(6 * time.Minute)
	room.ToolKeys.Answers(nil)
	room.ToolKeys.Publish(added)
	g.Expect(granted(key)).To(BeFalse(), "it is withdrawn as soon as the key set is there again")
}

func TestStrangersAreKeptOutOfTheRecords(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var mu sync.Mutex
	var told []fakeplatform.Unplanned
	room := platformtest.NewExamRoom(t, func(o *fakeplatform.Options) {
		o.OnUnplanned = func(u fakeplatform.Unplanned) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, u)
		}
	})
	s := room.Attempt(nil)
	for range 200 {
		for _, answer := range room.Strangers() {
			g.Expect(answer.Status).To(BeNumerically(">=", 400))
		}
	}
	g.Expect(room.TokenRequests()).To(BeEmpty())
	g.Expect(proctoring.On(room).Controls()).To(BeEmpty())
	g.Expect(proctoring.Of(s.Launch).Record().Controls).To(BeEmpty())
	g.Expect(told).To(HaveLen(200 * 8))
	for _, u := range told {
		g.Expect(u.Known).To(BeFalse())
		g.Expect(u.Request).NotTo(BeNil())
	}

	g.Expect(room.Token(room.Assertion("nobody", platformtest.KeyOf(t, platformtest.ToolKey))).Status).To(Equal(http.StatusUnauthorized), "signed by a tool that does not know its client_id")
	g.Expect(room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.NewToolKey))).Status).To(Equal(http.StatusUnauthorized), "of a tool that signs with another key")
	g.Expect(room.TokenRequests()).To(HaveLen(2))
	g.Expect(room.Control(room.AccessToken(platformtest.ClientID), "{}").Status).To(Equal(http.StatusBadRequest), "of a tool that names nobody")
	g.Expect(proctoring.Of(s.Launch).Record().Controls).To(HaveLen(1))
}

func TestControlServiceDoesWhatItIsAskedFor(t *testing.T) {
	t.Parallel()
	type step struct {
		action lti.Action
		says   string
	}
	give := func(minutes int) func(map[string]any) { return func(o map[string]any) { o["extra_time"] = minutes } }
	run := func(t *testing.T, room *platformtest.ExamRoom, s *platformtest.Attempt, steps ...step) {
		t.Helper()
		token := room.AccessToken(platformtest.ClientID)
		for i, step := range steps {
			answer := room.Control(token, s.Order(step.action))
			NewWithT(t).Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
			NewWithT(t).Expect(answer.Header.Get("Content-Type")).To(Equal(lti.MediaTypeControl))
			NewWithT(t).Expect(answer.Body).To(MatchJSON(step.says), "%d: %s", i, step.action)
		}
	}
	const none, running, paused, terminated, complete = `{"status":"none"}`, `{"status":"running"}`, `{"status":"paused"}`, `{"status":"terminated"}`, `{"status":"complete"}`
	t.Run("pause and resume", func(t *testing.T) {
		t.Parallel()
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil).Starts()
		run(t, room, s, step{lti.Pause, paused}, step{lti.Pause, paused}, step{lti.Flag, paused}, step{lti.Resume, running}, step{lti.Resume, running}, step{lti.Flag, running})
		NewWithT(t).Expect(proctoring.Of(s.Launch).Record().Controls).To(HaveLen(6))
		control := proctoring.Of(s.Launch).Record().Controls[0]
		NewWithT(t).Expect(control.Authorized).To(BeTrue())
		NewWithT(t).Expect(control.Scopes).To(Equal([]string{lti.ScopeControl}))
		NewWithT(t).Expect(control.Problems).To(BeEmpty())
		NewWithT(t).Expect(control.Body).To(MatchJSON(s.Order(lti.Pause)))
		NewWithT(t).Expect([]any{control.Method, control.Target, control.Status}).To(Equal([]any{http.MethodPost, "/acs", http.StatusOK}))
		NewWithT(t).Expect(proctoring.On(room).Controls()).To(Equal(proctoring.Of(s.Launch).Record().Controls))
	})
	t.Run("terminate", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil).Starts(wantsEnd)
		run(t, room, s, step{lti.Pause, paused}, step{lti.Terminate, terminated}, step{lti.Terminate, terminated}, step{lti.Resume, terminated}, step{lti.Update, terminated})
		g.Expect(s.Start().Status).To(Equal(http.StatusBadRequest))
		submitted := s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
		g.Expect(s.Ending(submitted)).NotTo(HaveKey(lti.ClaimErrorMessage))
		p, status := s.Exam()
		g.Expect([]any{status, p.Find("#terminated").Length(), p.Find("form").Length()}).To(Equal([]any{lti.Terminated, 1, 0}))
		g.Expect(room.Attempt(nil).Claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0))
	})
	t.Run("update", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil).Starts()
		token := room.AccessToken(platformtest.ClientID)
		for _, c := range []struct {
			minutes, status int
			says            string
		}{{0, 200, running}, {10, 200, `{"status":"running","extra_time":10}`}, {0, 200, `{"status":"running","extra_time":10}`}, {5, 200, `{"status":"running","extra_time":15}`}, {10_080, 400, ""}} {
			answer := room.Control(token, s.Order(lti.Update, give(c.minutes)))
			g.Expect(answer.Status).To(Equal(c.status))
			if c.says != "" {
				g.Expect(answer.Body).To(MatchJSON(c.says))
			}
		}
		run(t, room, s, step{lti.Flag, `{"status":"running","extra_time":15}`})
		g.Expect(proctoring.Of(s.Launch).Attempt().ExtraTime()).To(Equal(15))
		p, _ := s.Exam()
		g.Expect(p.Find("#time-left").Text()).To(Equal("75"))
	})
	t.Run("flag", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil).Starts()
		token := room.AccessToken(platformtest.ClientID)
		for i := range 25 {
			answer := room.Control(token, s.Order(lti.Flag, func(o map[string]any) {
				o["incident_severity"], o["reason_code"], o["reason_msg"], o["vendor"] = float64(i%3)/2, fmt.Sprint(i), strings.Repeat("山", 700), true
			}))
			g.Expect(answer.Body).To(MatchJSON(running))
		}
		incidents := proctoring.Of(s.Launch).Attempt().Incidents()
		g.Expect(incidents).To(HaveLen(20), "the latest are kept")
		g.Expect(incidents[19].ReasonCode).To(Equal("24"))
		g.Expect(*incidents[19].IncidentSeverity).To(Equal(0.0))
		g.Expect(incidents[19].User).To(Equal(lti.ControlUser{Issuer: platformtest.PlatformURL, Sub: platformtest.Ada.Sub}))
	})
	t.Run("not under way", func(t *testing.T) {
		t.Parallel()
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil)
		run(t, room, s, step{lti.Pause, none}, step{lti.Terminate, none}, step{lti.Update, none})
		s.Starts()
		s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
		run(t, room, s, step{lti.Resume, complete}, step{lti.Terminate, complete}, step{lti.Flag, complete})
		NewWithT(t).Expect(proctoring.Of(s.Launch).Attempt().Incidents()).To(BeEmpty())
	})
}

func TestControlServiceRefuses(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil, func(p *fakeplatform.Plan) {
		platformtest.InExam(p, func(e *proctoring.Exam) { e.Actions = []lti.Action{lti.Pause, lti.Update, lti.Flag} })
	}).Starts()
	token := room.AccessToken(platformtest.ClientID)
	refused := func(t *testing.T, answer platformtest.Reply, status int) {
		t.Helper()
		NewWithT(t).Expect(answer.Status).To(Equal(status), answer.Body)
		NewWithT(t).Expect(answer.JSON()).To(HaveKey("error"))
		NewWithT(t).Expect(proctoring.Of(s.Launch).Attempt().Status()).To(Equal(lti.Running))
		NewWithT(t).Expect(proctoring.Of(s.Launch).Attempt().ExtraTime()).To(BeZero())
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
		"issuer unknown":              {lti.Pause, puts("user", map[string]any{"iss": "https://other.example", "sub": platformtest.Ada.Sub}), 404},
		"sub unknown":                 {lti.Pause, puts("user", map[string]any{"iss": platformtest.PlatformURL, "sub": "nobody"}), 404},
		"resource_link unknown":       {lti.Pause, puts("resource_link", map[string]any{"id": "exam-8"}), 404},
		"attempt unknown":             {lti.Pause, puts("attempt_number", 99), 404},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(map[string]any) {}
			}
			refused(t, room.Control(token, s.Order(c.action, change)), c.status)
		})
	}
	for name, body := range map[string]string{
		"array": "[]", "empty object": "{}", "no JSON": "{", "nothing": "", "null": "null", "two objects": "{}{}",
		"NaN":      strings.Replace(s.Order(lti.Flag, puts("incident_severity", 0.5)), "0.5", "NaN", 1),
		"too much": s.Order(lti.Pause, puts("x", strings.Repeat("x", 64<<10))),
	} {
		t.Run("body "+name, func(t *testing.T) { refused(t, room.Control(token, body), http.StatusBadRequest) })
	}
	t.Run("of another tool", func(t *testing.T) {
		refused(t, room.Control(room.AccessToken(platformtest.OtherClient), s.Order(lti.Pause)), http.StatusNotFound)
	})
	pause := s.Order(lti.Pause)
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
			answer := room.Call(c.method, platformtest.PlatformURL+"/acs"+c.query, pause, map[string]string{"Authorization": c.authorization, "Content-Type": c.contentType})
			refused(t, answer, c.status)
			switch c.status {
			case 401:
				NewWithT(t).Expect(answer.Header.Get("WWW-Authenticate")).To(HavePrefix("Bearer "))
			case 405:
				NewWithT(t).Expect(answer.Header.Get("Allow")).To(Equal("POST"))
			}
		})
	}
	t.Run("expired token", func(t *testing.T) {
		s := room.Attempt(nil, func(p *fakeplatform.Plan) { p.User = platformtest.Bob }).Starts()
		room.Pass(59 * time.Minute)
		NewWithT(t).Expect(room.Control(token, s.Order(lti.Flag)).Status).To(Equal(http.StatusOK))
		room.Pass(time.Minute)
		answer := room.Control(token, s.Order(lti.Flag))
		NewWithT(t).Expect(answer.Status).To(Equal(http.StatusUnauthorized))
		NewWithT(t).Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`error="invalid_token"`))
	})
}

func TestControlServiceTakesMediaTypesAndQueries(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil).Starts()
	token := room.AccessToken(platformtest.ClientID)
	for _, c := range []struct{ contentType, query, scheme string }{
		{lti.MediaTypeControl, "", "Bearer"}, {lti.MediaTypeControl + "; charset=UTF-8", "", "bearer"},
		{strings.ToUpper(lti.MediaTypeControl), "", "Bearer"}, {"application/json", "?tenant=7", "Bearer"},
	} {
		answer := room.Call(http.MethodPost, platformtest.PlatformURL+"/acs"+c.query, s.Order(lti.Flag), map[string]string{
			"Authorization": c.scheme + " " + token, "Content-Type": c.contentType,
		})
		NewWithT(t).Expect(answer.Body).To(MatchJSON(`{"status":"running"}`), c.contentType)
	}
}

func TestExamsOfManyCandidatesAtOnce(t *testing.T) {
	t.Parallel()
	room := platformtest.NewExamRoom(t)
	token := room.AccessToken(platformtest.ClientID)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := room.Attempt(nil, func(p *fakeplatform.Plan) { p.User.Sub = fmt.Sprintf("candidate-%d", i) })
			started := 0
			var posts sync.WaitGroup
			var mu sync.Mutex
			for range 4 {
				posts.Go(func() {
					if s.Start().Status == http.StatusSeeOther {
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
				posts.Go(func() { room.Control(token, s.Order(lti.Update)) })
				posts.Go(func() { s.Exam() })
				posts.Go(func() { s.Launch.Record() })
			}
			posts.Wait()
			if extra := proctoring.Of(s.Launch).Attempt().ExtraTime(); extra != 50 {
				t.Errorf("candidate %d has %d minutes more", i, extra)
			}
			s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
			if status := proctoring.Of(s.Launch).Attempt().Status(); status != lti.Complete {
				t.Errorf("the attempt of candidate %d is %s", i, status)
			}
		})
	}
	all.Wait()
}

func TestDefectsOfMessagesAreNotThoseOfProctoring(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t, func(o *fakeplatform.Options) {
		o.Faults = []string{"sub-shared", "jku-in-header", "target-link-uri-relative"}
	})
	_, claims := platformtest.ClaimsOf(t, room.Browser(t).Launch(room.Begins(t, fakeplatform.Plan{User: platformtest.Ada})))
	g.Expect(claims).To(HaveKeyWithValue("sub", "user"))
	room.FaultsReached()
	s := room.Attempt(nil)
	g.Expect(s.Claims).To(And(HaveKeyWithValue("sub", platformtest.Ada.Sub), HaveKeyWithValue(lti.ClaimTargetLinkURI, platformtest.TargetURI)))
	header, _ := platformtest.ClaimsOf(t, url.Values{"id_token": {s.Launch.Record().IDToken}})
	g.Expect(header).NotTo(HaveKey("jku"))
	g.Expect(s.Launch.Record().LoginInitiation.Params.Get("target_link_uri")).To(Equal(platformtest.TargetURI))
	g.Expect(room.FaultsReached()).NotTo(ContainElement("sub-shared"), "nobody asks where it makes no difference")
	s.Starts()

	stimulated := room.Begins(t, platformtest.Proctored(func(p *fakeplatform.Plan) {
		p.User, p.Fault = platformtest.Bob, platformtest.Fault(t, "version-missing")
	}))
	_, claims = platformtest.ClaimsOf(t, room.Browser(t).Launch(stimulated))
	g.Expect(claims).NotTo(HaveKey(lti.ClaimVersion), "a stimulus is sent with any message")
}
