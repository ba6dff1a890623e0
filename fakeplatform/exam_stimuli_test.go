package fakeplatform_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// noStimuli are the cases that are none of one message or answer.
var noStimuli = []string{"other-tab", "other-browser", "three-messages", "two-deployments", "check-in-address-in-other-browser", "only-terminate-offered", "acs-claim-absent"}

func TestEveryCaseOfExamsForToolsIsAStimulus(t *testing.T) {
	t.Parallel()
	everyCaseIsAStimulus(t, requirements.Proctoring, noStimuli)
}

// everyCaseIsAStimulus holds the cases of a profile that bind tools, but some,
// against the stimuli.
func everyCaseIsAStimulus(t *testing.T, profile string, but []string) {
	t.Helper()
	g := NewWithT(t)
	for _, r := range requirements.Default().All() {
		if r.Binds != requirements.Tool || r.Profile != profile {
			continue
		}
		var cases, stimuli []string
		for _, s := range r.Provoke {
			if !slices.Contains(but, s.Case) {
				cases = append(cases, s.Case)
			}
		}
		for _, f := range fakeplatform.FaultsFor(string(r.ID)) {
			stimuli = append(stimuli, f.Name)
		}
		g.Expect(stimuli).To(ConsistOf(cases), string(r.ID))
	}
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
	"start-url-absent":              gone(lti.ClaimStartAssessmentURL),
	"start-url-javascript":          ConsistOf(claim(lti.ClaimStartAssessmentURL, `javascript:console.error(/invigilator-ran/.source)`)),
	"start-url-data":                ConsistOf(claim(lti.ClaimStartAssessmentURL, `data:text/html,<script>console.error(/invigilator-ran/.source)</script>`)),
	"start-url-plain-http":          ConsistOf(claim(lti.ClaimStartAssessmentURL, "http://stranger.example/start-assessment")),
	"attempt-number-large":          ConsistOf(claim(lti.ClaimAttemptNumber, 2147483648)),
	"attempt-number-numeric-string": ConsistOf(claim(lti.ClaimAttemptNumber, "1")),
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
	"exam-optional-claims-absent": gone("name", "given_name", "family_name", "email", "email_verified", "locale", lti.ClaimContext, lti.ClaimCustom,
		lti.ClaimToolPlatform, lti.ClaimLaunchPresentation, lti.ClaimLIS, lti.ClaimACS, lti.ClaimProctoringSettings,
		claim(lti.ClaimResourceLink, map[string]string{"id": "exam-7"})),
	"end-with-required-claims-alone": And(
		ContainElement("claim "+lti.ClaimResourceLink+` = {"id":"exam-7"}`), // title and description go
		HaveEach(Or(HaveSuffix(" is gone"), HavePrefix("claim "+lti.ClaimResourceLink))),
		ContainElements("claim name is gone", "claim "+lti.ClaimLaunchPresentation+" is gone", "claim "+lti.ClaimContext+" is gone", "claim "+lti.ClaimProctoringSettings+" is gone"),
	),
	"only-given-name":      gone("name", "family_name"),
	"no-names":             gone("name", "given_name", "family_name"),
	"ids-with-punctuation": ConsistOf(HavePrefix("claim sub = "), HavePrefix("claim "+lti.ClaimResourceLink+" = ")),
	"end-error-script":     ConsistOf(ContainSubstring(fakeplatform.ScriptRan), And(ContainSubstring(fakeplatform.ScriptRan), ContainSubstring(proctoring.LogOfError))),
	"end-error-quotes":     HaveLen(2),
	"end-error-long":       HaveLen(2),
	"end-error-types":      ConsistOf(claim(lti.ClaimErrorMessage, 500), claim(lti.ClaimErrorLog, map[string]string{"log": proctoring.LogOfError})),
	"no-scope-granted":     BeEmpty(),
}

func TestEachStimulusOfExams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	plan := func() fakeplatform.Plan {
		plan := fullPlan()
		plan.Message, plan.ResourceLink = lti.StartProctoring, fakeplatform.ResourceLink{ID: "exam-7", Title: "Final exam"}
		plan.About = proctoring.Exam{Attempt: 1, SessionData: "session-data", Settings: "strict", Actions: lti.Actions}
		return plan
	}
	see := func(t *testing.T, l *fakeplatform.Launch) observed {
		o := observe(t, s, l)
		if address, ok := o.claims[lti.ClaimStartAssessmentURL].(string); ok {
			o.claims[lti.ClaimStartAssessmentURL] = strings.Replace(address, l.URL(), "LAUNCH", 1)
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
			other := s.begin(t, plan())
			b := s.browser(t)
			request := authRequest(b.login(other))
			request.Set("state", "other-state")
			request.Set("nonce", "other-nonce")
			b.authenticate(request)

			start := plan()
			start.Fault, start.Other = &f, other
			valid := s.begin(t, plan())
			var faulty *fakeplatform.Launch
			if strings.HasPrefix(f.Name, "end-") {
				observe(t, s, valid)
				var err error
				faulty, err = s.Begin(fakeplatform.Plan{Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(valid).Attempt()}, Fault: &f})
				g.Expect(err).NotTo(HaveOccurred())
				valid, err = s.Begin(fakeplatform.Plan{Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(valid).Attempt()}})
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				faulty = s.begin(t, start)
			}
			was, is := see(t, valid), see(t, faulty)
			if f.Name == "exam-posted-twice" {
				g.Expect(is.fields).To(HaveKeyWithValue("id_token", HaveLen(1)))
				g.Expect(is.claims[lti.ClaimLaunchPresentation]).NotTo(Equal(was.claims[lti.ClaimLaunchPresentation]))
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
			g.Expect(s.differences(t, was, is)).To(expected)
		})
	}
}

func TestExamPostedTwiceIsTheOneBefore(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	g.Expect(s.browser(t).launch(s.begin(t, proctored(func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, "exam-posted-twice") })))).To(BeEmpty(), "there is none")
	before := s.browser(t).launch(s.begin(t, proctored()))
	g.Expect(s.browser(t).launch(s.begin(t, proctored(func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, "exam-posted-twice") })))).To(Equal(before))
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
			room := newExamRoom(t)
			s := room.sit(nil, func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, name) })
			address, err := url.Parse(s.claims[lti.ClaimStartAssessmentURL].(string))
			g.Expect(err).NotTo(HaveOccurred())
			address.RawQuery = strings.NewReplacer("à", "%C3%A0", "ë", "%C3%AB").Replace(address.RawQuery)
			p := s.send(http.MethodPost, address.String(), url.Values{"JWT": {s.sign(s.message())}})
			g.Expect(p.status).To(Equal(http.StatusSeeOther), p.body)
			g.Expect(proctoring.Of(s.launch).Record().StartAssessments).To(ConsistOf(And(HaveField("Problems", BeEmpty()), HaveField("Target", address.RequestURI()))))
			if _, offered := s.claims[lti.ClaimACS]; offered {
				g.Expect(room.control(room.accessToken(clientID), s.order(lti.Flag)).status).To(Equal(http.StatusOK))
				g.Expect(proctoring.Of(s.launch).Attempt().Incidents()).To(HaveLen(1))
			}
		})
	}
	t.Run("an odd address of a launch without a fault", func(t *testing.T) {
		s := newExamRoom(t).sit(nil)
		p := s.send(http.MethodPost, proctoring.Of(s.launch).StartAssessmentURL()+"/part%2Ftwo", url.Values{"JWT": {s.sign(s.message())}})
		NewWithT(t).Expect(p.status).To(Equal(http.StatusNotFound))
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
			room := newExamRoom(t)
			earlier := room.accessToken(clientID)
			s := room.sit(nil, func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, name) }).starts()
			if name == "no-scope-granted" {
				answer := room.control(earlier, s.order(lti.Pause))
				g.Expect(answer.status).To(Equal(http.StatusUnauthorized), "what was granted before is good no more")
				granted := room.token(room.assertion(clientID, keyOf(t, toolKey)))
				g.Expect(granted.json()).To(HaveKeyWithValue("scope", ""))
				earlier = granted.json()["access_token"].(string)
			}
			answer := room.control(earlier, s.order(lti.Pause))
			g.Expect(answer.status).To(Equal(want.status), answer.body)
			if want.body != "" || want.status == http.StatusNoContent {
				g.Expect(strings.TrimSpace(answer.body)).To(Equal(want.body))
			}
			other := room.sit(nil, func(plan *fakeplatform.Plan) { plan.User = bob }).starts()
			g.Expect(room.control(room.accessToken(clientID), other.order(lti.Flag)).json()).To(Equal(map[string]any{"status": "running"}), "another launch is answered as usual")
		})
	}
	t.Run("answer-401-once", func(t *testing.T) {
		room := newExamRoom(t)
		s := room.sit(nil, func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, "answer-401-once") }).starts()
		var statuses []int
		for range 3 {
			statuses = append(statuses, room.control(room.accessToken(clientID), s.order(lti.Flag)).status)
		}
		NewWithT(t).Expect(statuses).To(Equal([]int{401, 200, 200}))
		NewWithT(t).Expect(proctoring.Of(s.launch).Attempt().Incidents()).To(HaveLen(2))
	})
	t.Run("answer-reset", func(t *testing.T) {
		g := NewWithT(t)
		room := newExamRoom(t)
		s := room.sit(nil, func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, "answer-reset") }).starts()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platformURL+proctoring.ACSPath, strings.NewReader(s.order(lti.Flag)))
		g.Expect(err).NotTo(HaveOccurred())
		r.Header.Set("Authorization", "Bearer "+room.accessToken(clientID))
		r.Header.Set("Content-Type", lti.MediaTypeControl)
		response, err := room.server.Client().Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		g.Expect(err).To(HaveOccurred())
		g.Expect(proctoring.Of(s.launch).Record().Controls).To(HaveLen(1))
	})
}

func TestAwaitControls(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	s := room.sit(nil).starts()
	other := room.sit(nil, func(plan *fakeplatform.Plan) { plan.User = bob }).starts()
	ended, end := context.WithCancel(t.Context())
	end()
	g.Expect(proctoring.Of(s.launch).AwaitControls(ended, 0)).To(BeTrue(), "at once")
	g.Expect(proctoring.Of(s.launch).AwaitControls(ended, 1)).To(BeFalse())

	token := room.accessToken(clientID)
	came := make(chan bool)
	await := func(n int) { go func() { came <- proctoring.Of(s.launch).AwaitControls(t.Context(), n) }() }
	for n, body := range []string{
		s.order(lti.Flag),
		s.order(lti.Flag, func(body map[string]any) { body["attempt_number"] = "one" }),
		s.order("teleport"),
		"[]", // nobody knows whose it is
		s.order(lti.Flag, func(body map[string]any) { body["user"] = map[string]any{"sub": "nobody"} }),
	} {
		await(n + 1)
		room.control("no token", other.order(lti.Flag))
		g.Consistently(came, "10ms").ShouldNot(Receive())
		room.control(token, body)
		g.Eventually(came, "5s").Should(Receive(BeTrue()), body)
	}
	g.Expect(proctoring.Of(s.launch).Record().Controls).To(HaveLen(5))
	g.Expect(proctoring.Of(other.launch).Record().Controls).To(HaveLen(7))
	late := room.sit(nil, func(plan *fakeplatform.Plan) { plan.ResourceLink.ID = "exam-8" })
	g.Expect(proctoring.Of(late.launch).Record().Controls).To(BeEmpty())
}

func TestWhatALaunchSaysOfItself(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := serve(t)
	l := s.begin(t, proctored())
	g.Expect(l.PlatformURL()).To(Equal(platformURL))
	g.Expect(l.Plan()).To(And(HaveField("User.Sub", ada.Sub), HaveField("TargetLinkURI", targetURI), HaveField("Target", fakeplatform.Window)))
}

func TestTokensOfOtherScopesControlNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newExamRoom(t)
	s := room.sit(nil).starts()
	for scope, status := range map[string]int{lti.ScopeScore: 403, lti.ScopeScore + " " + lti.ScopeControl: 200} {
		granted := room.token(room.assertion(clientID, keyOf(t, toolKey)), func(form url.Values) { form.Set("scope", scope) }).json()
		g.Expect(granted).To(HaveKeyWithValue("scope", scope))
		g.Expect(room.control(granted["access_token"].(string), s.order(lti.Flag)).status).To(Equal(status), scope)
	}
}

func TestFormProblemsOfTokenRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(url.Values)
		header map[string]string
		says   types.GomegaMatcher
	}{
		"none":            {says: BeEmpty()},
		"a bad assertion": {change: func(form url.Values) { form.Set("client_assertion", "abc") }, says: ConsistOf("client_assertion is missing or no JWT")},
		"grant_type":      {change: func(form url.Values) { form.Set("grant_type", "password") }, says: ConsistOf(HavePrefix("grant_type is"))},
		"assertion type":  {change: func(form url.Values) { form.Del("client_assertion_type") }, says: ConsistOf(HavePrefix("client_assertion_type is"))},
		"scope":           {change: func(form url.Values) { form.Set("scope", " ") }, says: ConsistOf("scope is missing or empty")},
		"twice":           {change: func(form url.Values) { form.Add("scope", "x") }, says: ConsistOf("scope occurs 2 times")},
		"a secret":        {change: func(form url.Values) { form.Set("client_secret", "x") }, says: ConsistOf("there is a client_secret")},
		"a password":      {header: map[string]string{"Authorization": "Basic eDp5"}, says: ConsistOf("there is an Authorization header")},
		"media type":      {header: map[string]string{"Content-Type": "application/json"}, says: ContainElement(HavePrefix("the content type is"))},
	} {
		t.Run(name, func(t *testing.T) {
			room := newExamRoom(t)
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "scope": {lti.ScopeControl},
				"client_assertion": {room.assertion(clientID, keyOf(t, toolKey))},
			}
			if c.change != nil {
				c.change(form)
			}
			header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			maps.Copy(header, c.header)
			room.call(http.MethodPost, room.TokenURL(), form.Encode(), header)
			NewWithT(t).Expect(room.TokenRequests()[0].FormProblems).To(c.says)
		})
	}
}
