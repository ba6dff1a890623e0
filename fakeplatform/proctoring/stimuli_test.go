package proctoring_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// noStimuli are the cases that are none of one message or answer.
var noStimuli = []string{"other-tab", "other-browser", "three-messages", "two-deployments", "check-in-address-in-other-browser", "only-terminate-offered", "acs-claim-absent"}

func TestEveryCaseOfExamsForToolsIsAStimulus(t *testing.T) {
	t.Parallel()
	platformtest.ExpectEveryCase(t, requirements.Proctoring, noStimuli)
}

// permitted are the requirements whose stimuli a tool has to accept; of the others
// only these.
var permitted = []string{
	"ap-tool-ignores-roles", "ap-tool-tolerates-unknown-content", "ap-tool-numeric-date", "ap-tool-error-return", "ap-tool-ignores-unverified-email", "ap-start-assessment-",
	"ap-tool-handles-end-assessment", "ap-tool-shows-end-error-safely", "ap-acs-tool-", "attempt-number-large", "end-twice",
}

// examDiffers says what each stimulus of an exam changes, in the words of
// differences; in one claim or place where it is not named.
var examDiffers = map[string]types.GomegaMatcher{
	"start-url-absent":              platformtest.LacksClaims(lti.ClaimStartAssessmentURL),
	"start-url-javascript":          ConsistOf(platformtest.HasClaim(lti.ClaimStartAssessmentURL, `javascript:console.error(/invigilator-ran/.source)`)),
	"start-url-data":                ConsistOf(platformtest.HasClaim(lti.ClaimStartAssessmentURL, `data:text/html,<script>console.error(/invigilator-ran/.source)</script>`)),
	"start-url-plain-http":          ConsistOf(platformtest.HasClaim(lti.ClaimStartAssessmentURL, "http://stranger.example/start-assessment")),
	"attempt-number-large":          ConsistOf(platformtest.HasClaim(lti.ClaimAttemptNumber, 2147483648)),
	"attempt-number-numeric-string": ConsistOf(platformtest.HasClaim(lti.ClaimAttemptNumber, "1")),
	"attempt-number-1":              BeEmpty(),
	"cancelled-without-query":       BeEmpty(),
	"end-with-everything":           BeEmpty(),
	"end-twice":                     BeEmpty(),
	"exam-signed-by-other-key":      ConsistOf("signature is another one"),
	"end-signed-by-other-key":       ConsistOf("signature is another one"),
	"exam-alg-none":                 ConsistOf(`header alg = "none"`, "signature is gone"),
	"exam-state-absent":             ConsistOf("state is gone"),
	"exam-state-foreign":            ConsistOf("state = other-state"),
	"exam-nonce-foreign":            ConsistOf(`claim nonce = "other-nonce"`),
	"exam-optional-claims-absent": platformtest.LacksClaims("name", "given_name", "family_name", "email", "email_verified", "locale", lti.ClaimContext, lti.ClaimCustom,
		lti.ClaimToolPlatform, lti.ClaimLaunchPresentation, lti.ClaimLIS, lti.ClaimACS, lti.ClaimProctoringSettings,
		platformtest.HasClaim(lti.ClaimResourceLink, map[string]string{"id": "exam-7"})),
	"end-with-required-claims-alone": And(
		ContainElement("claim "+lti.ClaimResourceLink+` = {"id":"exam-7"}`), // title and description go
		HaveEach(Or(HaveSuffix(" is gone"), HavePrefix("claim "+lti.ClaimResourceLink))),
		ContainElements("claim name is gone", "claim "+lti.ClaimLaunchPresentation+" is gone", "claim "+lti.ClaimContext+" is gone", "claim "+lti.ClaimProctoringSettings+" is gone"),
	),
	"only-given-name":      platformtest.LacksClaims("name", "family_name"),
	"no-names":             platformtest.LacksClaims("name", "given_name", "family_name"),
	"ids-with-punctuation": ConsistOf(HavePrefix("claim sub = "), HavePrefix("claim "+lti.ClaimResourceLink+" = ")),
	"end-error-script":     ConsistOf(ContainSubstring(fakeplatform.ScriptRan), And(ContainSubstring(fakeplatform.ScriptRan), ContainSubstring(proctoring.LogOfError))),
	"end-error-quotes":     HaveLen(2),
	"end-error-long":       HaveLen(2),
	"end-error-types":      ConsistOf(platformtest.HasClaim(lti.ClaimErrorMessage, 500), platformtest.HasClaim(lti.ClaimErrorLog, map[string]string{"log": proctoring.LogOfError})),
	"no-scope-granted":     BeEmpty(),
}

func TestEachStimulusOfExams(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	plan := func() fakeplatform.Plan {
		plan := platformtest.FullPlan()
		plan.Message, plan.ResourceLink = lti.StartProctoring, fakeplatform.ResourceLink{ID: "exam-7", Title: "Final exam"}
		plan.About = proctoring.Exam{Attempt: 1, SessionData: "session-data", Settings: "strict", Actions: lti.Actions}
		return plan
	}
	see := func(t *testing.T, l *fakeplatform.Launch) platformtest.Observed {
		o := platformtest.Observe(t, s, l)
		if address, ok := o.Claims[lti.ClaimStartAssessmentURL].(string); ok {
			o.Claims[lti.ClaimStartAssessmentURL] = strings.Replace(address, l.URL(), "LAUNCH", 1)
		}
		return o
	}
	for _, f := range fakeplatform.Stimuli() {
		if !strings.HasPrefix(f.Provokes, "ap-") {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			g.Expect(f.Permitted).To(Equal(slices.ContainsFunc(permitted, func(p string) bool { return strings.HasPrefix(f.Provokes, p) || f.Name == p })))
			other := s.Begins(t, plan())
			b := s.Browser(t)
			request := platformtest.AuthRequest(b.Login(other))
			request.Set("state", "other-state")
			request.Set("nonce", "other-nonce")
			b.Authenticate(request)

			start := plan()
			start.Fault, start.Other = &f, other
			valid := s.Begins(t, plan())
			var faulty *fakeplatform.Launch
			if strings.HasPrefix(f.Name, "end-") {
				platformtest.Observe(t, s, valid)
				var err error
				faulty, err = s.Begin(fakeplatform.Plan{Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(valid).Attempt()}, Fault: &f})
				g.Expect(err).NotTo(HaveOccurred())
				valid, err = s.Begin(fakeplatform.Plan{Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(valid).Attempt()}})
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				faulty = s.Begins(t, start)
			}
			was, is := see(t, valid), see(t, faulty)
			if f.Name == "exam-posted-twice" {
				g.Expect(is.Fields).To(HaveKeyWithValue("id_token", HaveLen(1)))
				g.Expect(is.Claims[lti.ClaimLaunchPresentation]).NotTo(Equal(was.Claims[lti.ClaimLaunchPresentation]))
				return
			}
			expected, ok := examDiffers[f.Name]
			switch {
			case ok:
			case strings.HasPrefix(f.Name, "answer-"):
				expected = BeEmpty()
			default:
				expected = HaveLen(1)
			}
			g.Expect(s.Differences(t, was, is)).To(expected)
		})
	}
}

func TestExamPostedTwiceIsTheOneBefore(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	g.Expect(s.Browser(t).Launch(s.Begins(t, platformtest.Proctored(func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, "exam-posted-twice") })))).To(BeEmpty(), "there is none")
	before := s.Browser(t).Launch(s.Begins(t, platformtest.Proctored()))
	g.Expect(s.Browser(t).Launch(s.Begins(t, platformtest.Proctored(func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, "exam-posted-twice") })))).To(Equal(before))
}

// oddities are stimuli that a tool answers with what it was sent.
var oddities = []string{
	"session-data-punctuation", "session-data-line-breaks", "session-data-like-json", "session-data-8-kib", "session-data-zero", "exam-link-further-member",
	"attempt-number-29", "attempt-number-large", "ids-with-punctuation", "exam-roles-empty", "exam-optional-claims-absent", "start-url-odd",
}

func TestWhatAToolRepeatsIsRight(t *testing.T) {
	t.Parallel()
	for _, name := range oddities {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			room := platformtest.NewExamRoom(t)
			s := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, name) })
			address, err := url.Parse(s.Claims[lti.ClaimStartAssessmentURL].(string))
			g.Expect(err).NotTo(HaveOccurred())
			address.RawQuery = strings.NewReplacer("à", "%C3%A0", "ë", "%C3%AB").Replace(address.RawQuery)
			p := s.Send(http.MethodPost, address.String(), url.Values{"JWT": {s.Sign(s.Message())}})
			g.Expect(p.Status).To(Equal(http.StatusSeeOther), p.Body)
			g.Expect(proctoring.Of(s.Launch).Record().StartAssessments).To(ConsistOf(And(HaveField("Problems", BeEmpty()), HaveField("Target", address.RequestURI()))))
			if _, offered := s.Claims[lti.ClaimACS]; offered {
				g.Expect(room.Control(room.AccessToken(platformtest.ClientID), s.Order(lti.Flag)).Status).To(Equal(http.StatusOK))
				g.Expect(proctoring.Of(s.Launch).Attempt().Incidents()).To(HaveLen(1))
			}
		})
	}
	t.Run("an odd address of a launch without a fault", func(t *testing.T) {
		s := platformtest.NewExamRoom(t).Attempt(nil)
		p := s.Send(http.MethodPost, proctoring.Of(s.Launch).StartAssessmentURL()+"/part%2Ftwo", url.Values{"JWT": {s.Sign(s.Message())}})
		NewWithT(t).Expect(p.Status).To(Equal(http.StatusNotFound))
	})
}

func TestAnswersOfTheControlServiceThatToolsCopeWith(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		status int
		body   string
	}{
		"answer-status-none": {200, `{"status":"none"}`}, "answer-status-running": {200, `{"status":"running"}`}, "answer-status-paused": {200, `{"status":"paused"}`},
		"answer-status-terminated": {200, `{"status":"terminated"}`}, "answer-status-complete": {200, `{"status":"complete"}`},
		"answer-404": {status: 404}, "answer-500": {status: 500}, "answer-204": {status: 204}, "no-scope-granted": {status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			room := platformtest.NewExamRoom(t)
			earlier := room.AccessToken(platformtest.ClientID)
			s := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, name) }).Starts()
			if name == "no-scope-granted" {
				answer := room.Control(earlier, s.Order(lti.Pause))
				g.Expect(answer.Status).To(Equal(http.StatusUnauthorized), "what was granted before is good no more")
				granted := room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.ToolKey)))
				g.Expect(granted.JSON()).To(HaveKeyWithValue("scope", ""))
				earlier = granted.JSON()["access_token"].(string)
			}
			answer := room.Control(earlier, s.Order(lti.Pause))
			g.Expect(answer.Status).To(Equal(want.status), answer.Body)
			if want.body != "" || want.status == http.StatusNoContent {
				g.Expect(strings.TrimSpace(answer.Body)).To(Equal(want.body))
			}
			other := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.User = platformtest.Bob }).Starts()
			g.Expect(room.Control(room.AccessToken(platformtest.ClientID), other.Order(lti.Flag)).JSON()).To(Equal(map[string]any{"status": "running"}), "another launch is answered as usual")
		})
	}
	t.Run("answer-401-once", func(t *testing.T) {
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, "answer-401-once") }).Starts()
		var statuses []int
		for range 3 {
			statuses = append(statuses, room.Control(room.AccessToken(platformtest.ClientID), s.Order(lti.Flag)).Status)
		}
		NewWithT(t).Expect(statuses).To(Equal([]int{401, 200, 200}))
		NewWithT(t).Expect(proctoring.Of(s.Launch).Attempt().Incidents()).To(HaveLen(2))
	})
	t.Run("answer-reset", func(t *testing.T) {
		g := NewWithT(t)
		room := platformtest.NewExamRoom(t)
		s := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, "answer-reset") }).Starts()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platformtest.PlatformURL+proctoring.ACSPath, strings.NewReader(s.Order(lti.Flag)))
		g.Expect(err).NotTo(HaveOccurred())
		r.Header.Set("Authorization", "Bearer "+room.AccessToken(platformtest.ClientID))
		r.Header.Set("Content-Type", lti.MediaTypeControl)
		response, err := room.Server.Client().Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		g.Expect(err).To(HaveOccurred())
		g.Expect(proctoring.Of(s.Launch).Record().Controls).To(HaveLen(1))
	})
}

func TestAwaitControls(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil).Starts()
	other := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.User = platformtest.Bob }).Starts()
	ended, end := context.WithCancel(t.Context())
	end()
	g.Expect(proctoring.Of(s.Launch).AwaitControls(ended, 0)).To(BeTrue(), "at once")
	g.Expect(proctoring.Of(s.Launch).AwaitControls(ended, 1)).To(BeFalse())

	token := room.AccessToken(platformtest.ClientID)
	came := make(chan bool)
	await := func(n int) { go func() { came <- proctoring.Of(s.Launch).AwaitControls(t.Context(), n) }() }
	for n, body := range []string{
		s.Order(lti.Flag),
		s.Order(lti.Flag, func(body map[string]any) { body["attempt_number"] = "one" }),
		s.Order("teleport"),
		"[]", // nobody knows whose it is
		s.Order(lti.Flag, func(body map[string]any) { body["user"] = map[string]any{"sub": "nobody"} }),
	} {
		await(n + 1)
		room.Control("no token", other.Order(lti.Flag))
		g.Consistently(came, "10ms").ShouldNot(Receive())
		room.Control(token, body)
		g.Eventually(came, "5s").Should(Receive(BeTrue()), body)
	}
	g.Expect(proctoring.Of(s.Launch).Record().Controls).To(HaveLen(5))
	g.Expect(proctoring.Of(other.Launch).Record().Controls).To(HaveLen(7))
	late := room.Attempt(nil, func(plan *fakeplatform.Plan) { plan.ResourceLink.ID = "exam-8" })
	g.Expect(proctoring.Of(late.Launch).Record().Controls).To(BeEmpty())
}

func TestWhatALaunchSaysOfItself(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	l := s.Begins(t, platformtest.Proctored())
	g.Expect(l.PlatformURL()).To(Equal(platformtest.PlatformURL))
	g.Expect(l.Plan()).To(And(HaveField("User.Sub", platformtest.Ada.Sub), HaveField("TargetLinkURI", platformtest.TargetURI), HaveField("Target", fakeplatform.Window)))
}

func TestTokensOfOtherScopesControlNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewExamRoom(t)
	s := room.Attempt(nil).Starts()
	for scope, status := range map[string]int{lti.ScopeScore: 403, lti.ScopeScore + " " + lti.ScopeControl: 200} {
		granted := room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.ToolKey)), func(form url.Values) { form.Set("scope", scope) }).JSON()
		g.Expect(granted).To(HaveKeyWithValue("scope", scope))
		g.Expect(room.Control(granted["access_token"].(string), s.Order(lti.Flag)).Status).To(Equal(status), scope)
	}
}
