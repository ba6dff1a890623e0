package proctoring_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	platformproctoring "invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/proctoring"
)

func TestARealPlatformsExamsCanBeJudged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{}.Start(t)
	scene := proctoring.In(run.Scenario(t, "a scenario", "here:1"))
	exam, err := scene.Running(t.Context(), "", lti.Claims{lti.ClaimEndAssessmentReturn: true})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(proctoring.Started(exam)).To(BeTrue())

	paused, err := scene.Act(t.Context(), exam, proctoring.Call{Action: lti.Pause})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(proctoring.ControlAnswer(paused)).To(HaveField("Status", lti.Paused))
	looked, err := scene.Look(t.Context(), exam, "the exam's page")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]bool{proctoring.Started(looked), proctoring.Paused(looked)}).To(Equal([]bool{false, true}))
	_, err = scene.Act(t.Context(), exam, proctoring.Call{Action: lti.Resume})
	g.Expect(err).NotTo(HaveOccurred())

	end, err := scene.End(t.Context(), exam, proctoring.Ending{})
	g.Expect(err).NotTo(HaveOccurred())
	messageType, _ := end.Message().Text(lti.ClaimMessageType)
	g.Expect(messageType).To(Equal(lti.EndAssessment))

	again, err := scene.Start(t.Context(), exam, proctoring.StartMessage{Title: "the message of the attempt that has ended", Again: exam})
	g.Expect(err).NotTo(HaveOccurred())
	scene.MustNotStart(t.Context(), "ap-platform-rejects-replayed-session-data", proctoring.Attempted{Stimulus: "start-session-used-again", Exam: exam, Flow: again})
	found := scene.Finish()
	for _, o := range found.Observations {
		g.Expect(o.Verdict).To(Equal(results.Passed), o.Seen)
	}
	for _, flow := range found.Flows {
		for _, step := range flow.Steps {
			g.Expect(step.ResponseBody+step.RequestBody).NotTo(MatchRegexp(`"access_token":\s*"[A-Za-z0-9_-]{20}`), "of %s %s", step.Method, step.URL)
		}
	}
}

func TestAControlServiceShowsThatItWorksBeforeItIsTestedOtherwise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call proctoring.Call
		sent int
	}{
		"a call that shows it itself":    {proctoring.Call{}, 1},
		"a call with a token of its own": {proctoring.Call{Token: "wrong"}, 2},
		"a call for another action":      {proctoring.Call{Action: lti.Pause}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var mu sync.Mutex
			var tokens []string
			run := harnesstest.Campus{Wrap: harnesstest.Spoiled(func(w http.ResponseWriter, r *http.Request, subject http.Handler) {
				if strings.HasPrefix(r.URL.Path, platformproctoring.ACSPath) {
					mu.Lock()
					tokens = append(tokens, r.Header.Get("Authorization"))
					mu.Unlock()
				}
				subject.ServeHTTP(w, r)
			})}.Start(t)
			scene := proctoring.In(run.Scenario(t, "a scenario", "here:1"))
			exam, err := scene.Running(t.Context(), "", nil)
			g.Expect(err).NotTo(HaveOccurred())
			for range 2 {
				_, err = scene.Act(t.Context(), exam, c.call)
				g.Expect(err).NotTo(HaveOccurred())
			}
			g.Expect(tokens).To(HaveLen(c.sent+1), "it is learned once, where it is")
			g.Expect(tokens[0]).NotTo(HaveSuffix("wrong"), "by a valid request")
			scene.Finish()
		})
	}
}

func TestAnAttemptThatIsLeftBehindIsEndedFirst(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{}.Start(t)
	for range 2 { // the second scenario finds the attempt of the first under way
		scene := proctoring.In(run.Scenario(t, "a scenario", "here:1"))
		exam, err := scene.Running(t.Context(), "", nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(proctoring.Started(exam)).To(BeTrue())
	}
}

func TestOnlyTheMessageThatStartsAnExamIsBlamed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	scene := proctoring.In(harnesstest.Campus{Faults: []string{"takes-old-messages"}}.Start(t).Scenario(t, "a scenario", "here:1"))
	scene.ReactToStart(t.Context(), "ap-platform-rejects-expired-message")
	verdicts := map[string]results.Verdict{}
	for _, o := range scene.Finish().Observations {
		verdicts[o.Case] = o.Verdict
	}
	g.Expect(verdicts).To(Equal(map[string]results.Verdict{
		"start-exp-past": results.Passed, "start-exp-absent": results.Passed, "start-iat-ahead": results.Passed,
		"start-iat-old": results.Warned,
	}))
}

func TestWhatNeedsLongerThanTheUserAllowsIsSkipped(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	scene := harnesstest.Campus{}.Start(t).Scenario(t, "a scenario", "here:1")
	err := scene.Pass(t.Context(), time.Hour)
	g.Expect(scene.Unseen("rfc6750-access-token-enforced", "token-expired", err)).To(BeTrue())
	g.Expect(scene.Finish().Observations).To(HaveExactElements(HaveField("Verdict", results.Skipped)))
}

func TestWhatIsInTheWayOfExamsIsOneDiagnosisThatConcernsThemAlone(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		subject       harnesstest.Campus
		problem, look string
	}{
		"no key set": {harnesstest.Campus{Keyless: true}, "A valid LtiStartAssessment does not start the exam", "/jwks"},
		"another sign": {harnesstest.Campus{Edit: func(yaml string) string {
			return strings.ReplaceAll(yaml, "data-status=running", "data-status=walking")
		}},
			"does not start the exam", "platform.exam_started"},
		"another token endpoint": {harnesstest.Campus{Edit: func(yaml string) string { return strings.ReplaceAll(yaml, "CAMPUS_URL}/token", "CAMPUS_URL}/tokens") }},
			"grants the fake tool no access token", "platform.token_url"},
		"another journey": {harnesstest.Campus{Edit: func(yaml string) string { return strings.ReplaceAll(yaml, "Go to the check-in", "Begin") }},
			"takes-exam got stuck at step 2 of 2", "takes-exam"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			_, err := c.subject.Start(t).Preflight(t.Context())
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.problem))
			g.Expect(d.LookAt).To(ContainSubstring(c.look))
			g.Expect(d.Seen + d.Step).NotTo(BeEmpty())
			g.Expect(d.Profiles).To(ContainElement(requirements.Proctoring))
			g.Expect(d.Profiles).NotTo(ContainElement(requirements.Launch))
		})
	}
	t.Run("a platform that refuses every message", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		run := harnesstest.Campus{Wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := httptest.NewRecorder()
				if h.ServeHTTP(answer, r); r.PostFormValue("JWT") != "" {
					http.Error(w, "I do not like it", http.StatusBadRequest)
					return
				}
				maps.Copy(w.Header(), answer.Header())
				w.WriteHeader(answer.Code)
				_, _ = w.Write(answer.Body.Bytes())
			})
		}}.Start(t)
		found, err := run.Preflight(t.Context())
		g.Expect(err).NotTo(HaveOccurred(), "that is judged")
		g.Expect(found.Findings).To(ContainElement(HaveField("Says", ContainSubstring("does not start the exam"))))
		scene := proctoring.In(run.Scenario(t, "a scenario", "here:1"))
		scene.ReactToStart(t.Context(), "ap-platform-rejects-expired-message")
		g.Expect(scene.Finish().Observations).To(HaveEach(And(HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring("in the preflight")))))
	})
}
