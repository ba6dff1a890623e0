package harness_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// forExams configures a fake tool that is served like a real one as its vendor
// would.
func forExams(journeys map[string]config.Journey) func(*config.Config) {
	return func(c *config.Config) {
		address := strings.TrimSuffix(c.Tool.LoginURL, "/login")
		c.Tool.JWKSURL = address + "/jwks"
		c.Features = []string{config.Proctoring, config.ACS, config.EndAssessment}
		c.Timeout.Step = config.Duration(time.Second)
		c.Timeout.PageSign = config.Duration(100 * time.Millisecond)
		c.Journeys = map[string]config.Journey{
			"checks-in": {Does: config.CheckIn, Steps: config.Steps{{Wait: "text=Algebra"}, {Click: "#start"}}},
			"flags": {Does: config.Flag, Steps: config.Steps{
				{Open: address + "/proctor?candidate={candidate}"}, {Wait: "text={candidate}"}, {Click: ".flag"}, {Wait: "#outcome"},
			}},
		}
		maps.Copy(c.Journeys, journeys)
	}
}

var algebra = fakeplatform.ResourceLink{ID: "exam-1", Title: "Algebra"}

func TestARealProctoringToolCanBeJudged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Change: func(c *config.Config) {
		forExams(nil)(c)
		c.Journeys["checks-in"] = config.Journey{Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}
	}}.Ready(t)
	scene := run.ProctoringScenario(t, "a scenario", "here:1")
	browser := scene.Open(t.Context())
	defer browser.Close()
	exam, err := scene.Launch(t.Context(), harness.Launch{By: browser, Link: algebra})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(exam.Reaction.Kind).To(Equal(harness.Accepted), exam.Reaction.Why)
	g.Expect(exam.Started()).To(HaveLen(1))
	messageType, _ := exam.Message().Text(lti.ClaimMessageType)
	g.Expect(messageType).To(Equal(lti.StartAssessment))
	g.Expect(exam.Started()[0].Problems).To(BeEmpty(), "the fake platform has verified it, its signature included")

	flagged, err := scene.Act(t.Context(), config.Flag, exam)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flagged.Controls()).To(HaveLen(1))
	g.Expect(flagged.Controls()[0].Status).To(Equal(http.StatusOK))
	_, err = scene.Act(t.Context(), config.Pause, exam)
	g.Expect(err).To(MatchError(harness.ErrNoJourney), "the vendor has not said how")

	ended, err := scene.End(t.Context(), "the end", exam, nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ended.Trip.Page.Status).To(Equal(http.StatusOK))
	g.Expect(ended.LeadsBack()).To(BeTrue())

	scene.React(t.Context(), "ap-tool-rejects-missing-session-data")
	for _, o := range scene.Finish().Observations {
		g.Expect(o.Verdict).To(Equal(results.Passed), "%s: %s", o.Case, o.Seen)
	}
}

// unsent is a tool that lets candidates check in, and then says thank you where an exam
// in geometry should start.
func unsent(tool http.Handler) http.Handler {
	var mu sync.Mutex
	geometry := map[string]bool{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(answer.Body.String(), "Geometry") {
			geometry[r.URL.Query().Get("sitting")] = true
		}
		if id, starts := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/start"), "/check-in/"); starts && geometry[id] {
			_, _ = fmt.Fprint(w, "<p>Thank you.</p>")
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func TestACheckInThatLeadsNowhereIsNoRefusal(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Wrap: unsent, Faults: []string{"accepts-missing-session-data"}, Change: func(c *config.Config) {
		forExams(map[string]config.Journey{"checks-in": {Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}})(c)
	}}.Ready(t)
	scene := run.ProctoringScenario(t, "a scenario", "here:1")
	const id = "ap-tool-rejects-missing-session-data"
	scene.MustRefuse(t.Context(), id, harness.Attempt{Stimulus: "session-data-absent", Make: func(ctx context.Context) (*harness.Flow, error) {
		return scene.Launch(ctx, harness.Launch{
			Fault: faultNamed(t, "session-data-absent"), Exam: &proctoring.Exam{}, Link: fakeplatform.ResourceLink{ID: "exam-2", Title: "Geometry"},
		})
	}})
	g.Expect(scene.Finish().Observations).To(ConsistOf(And(HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring("let into the check-in")))))
}

func TestAToolMayTakeNothingButExams(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{
		Change: func(c *config.Config) {
			forExams(nil)(c)
			c.Profiles = []string{requirements.Proctoring}
			c.Journeys["checks-in"] = config.Journey{Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}
		},
		Wrap: func(tool http.Handler) http.Handler { // of any other message it only says that it does not know it
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/resource" {
					http.Error(w, "unknown message type", http.StatusInternalServerError)
					return
				}
				tool.ServeHTTP(w, r)
			})
		},
	}.Start(t)
	found, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.Flows).To(HaveLen(1))
}

func TestACheckInThatGetsStuckIsOneDiagnosis(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Change: forExams(map[string]config.Journey{
		"checks-in": {Does: config.CheckIn, Steps: config.Steps{{Click: "text=I agree"}}},
	})}.Start(t)
	_, err := run.Preflight(t.Context())
	d, ok := errors.AsType[*results.Diagnosis](err)
	g.Expect(ok).To(BeTrue(), "%v", err)
	g.Expect(d.Problem).To(And(ContainSubstring("step 1 of 1"), ContainSubstring("text=I agree")))
	g.Expect(d.LookAt).To(ContainSubstring("check-in"))
	g.Expect(d.Seen).To(ContainSubstring("HTTP 200"))
}

func TestAToolThatRefusesCandidatesIsJudgedOnTheRest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{
		Change: forExams(nil),
		Wrap: harnesstest.AtPath("/check-in", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(w, "we proctor no more", http.StatusInternalServerError)
		}),
	}.Start(t)
	found, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.Findings).To(ContainElement(And(HaveField("Kind", "not-tried"), HaveField("Says", ContainSubstring("did not lead to LtiStartAssessment: HTTP 500")))))
	exams := run.ProctoringScenario(t, "a scenario", "here:1")
	exams.React(t.Context(), "ap-tool-rejects-missing-session-data")
	g.Expect(exams.Settle(t.Context(), false)).To(BeFalse(), "nothing of it has to work")
	for _, o := range exams.Finish().Observations {
		g.Expect(o.Verdict).To(Equal(results.Inconclusive))
		g.Expect(o.Seen).To(ContainSubstring("did not work in the preflight"))
	}
	launches := run.Scenario(t, "a scenario", "here:1")
	launches.React(t.Context(), "sec-tool-state-missing")
	for _, o := range launches.Finish().Observations {
		g.Expect(o.Verdict).To(Equal(results.Passed), o.Seen)
	}
}

func TestAToolWithoutKeysIsOneDiagnosis(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	_, err := harnesstest.Tool{Change: func(c *config.Config) {
		forExams(map[string]config.Journey{"checks-in": {Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}})(c)
		c.Tool.JWKSURL += "/elsewhere"
	}}.Start(t).Preflight(t.Context())
	g.Expect(err).To(MatchError(And(ContainSubstring("key set cannot be read"), ContainSubstring("tool.jwks_url"))))
}

func TestATokenOfAnEarlierRunIsNoDefect(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := embedded(t, nil)
	scene := run.ProctoringScenario(t, "a scenario", "here:1")
	browser := scene.Open(t.Context())
	defer browser.Close()
	exam, err := scene.Launch(t.Context(), harness.Launch{By: browser, Fault: faultNamed(t, "answer-401-once")})
	g.Expect(err).NotTo(HaveOccurred())
	flow, err := scene.Act(t.Context(), config.Flag, exam)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.AllControls()).To(HaveLen(2))
	g.Expect(flow.Controls()).To(HaveExactElements(HaveField("Status", http.StatusOK)))
}

// A site forgets sessions in time, and a run is long.
func TestAProctorWhoseSessionHasEndedIsLaunchedAgain(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var forgotten sync.Map // the cookies of sessions
	run := harnesstest.Tool{
		Change: func(c *config.Config) {
			forExams(nil)(c)
			c.Journeys["checks-in"] = config.Journey{Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}
		},
		Wrap: func(tool http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/proctor") {
					if over, known := forgotten.LoadOrStore(r.Header.Get("Cookie"), false); known && over.(bool) {
						r.Header.Del("Cookie")
					}
				}
				tool.ServeHTTP(w, r)
			})
		},
	}.Ready(t)
	scene := run.ProctoringScenario(t, "a scenario", "here:1")
	browser := scene.Open(t.Context())
	defer browser.Close()
	exam, err := scene.Launch(t.Context(), harness.Launch{By: browser, Link: algebra})
	g.Expect(err).NotTo(HaveOccurred())
	for range 2 {
		flagged, err := scene.Act(t.Context(), config.Flag, exam)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(flagged.Controls()).To(HaveExactElements(HaveField("Status", http.StatusOK)))
		forgotten.Range(func(cookies, _ any) bool {
			forgotten.Store(cookies, true)
			return true
		})
	}
}

func TestACheckInThatTakesItsTimeToRefuseIsARefusal(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{
		Change: func(c *config.Config) {
			forExams(map[string]config.Journey{"checks-in": {Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}})(c)
			c.Timeout.Step = config.Duration(20 * time.Second)
		},
		Wrap: func(tool http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/start") { // longer than a sign on a page is waited for
					select {
					case <-time.After(700 * time.Millisecond):
					case <-r.Context().Done():
					}
					http.Error(w, "You may not take this exam.", http.StatusForbidden)
					return
				}
				tool.ServeHTTP(w, r)
			})
		},
	}.Start(t)
	scene := run.ProctoringScenario(t, "a scenario", "here:1")
	browser := scene.Open(t.Context())
	defer browser.Close()
	flow, err := scene.Launch(t.Context(), harness.Launch{By: browser, Link: algebra, Denied: true})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.Reaction).To(And(HaveField("Kind", harness.Refused), HaveField("Why", "HTTP 403")))
}
