package harness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// grading configures a fake tool that is served like a real one as its vendor would.
func grading(journeys map[string]config.Journey) func(*config.Config) {
	return func(c *config.Config) {
		c.Tool.JWKSURL = strings.TrimSuffix(c.Tool.LoginURL, "/login") + "/jwks"
		c.Tool.ReturnSelector = "#return"
		c.Features = []string{config.SubmissionReview, config.LearnerReview, config.LineItemManagement, config.Results, config.SubmissionObject, config.ReturnURL}
		c.Profiles = []string{requirements.Grades, requirements.SubmissionReview}
		c.Timeout.Step = config.Duration(time.Second)
		c.Timeout.PageSign = config.Duration(100 * time.Millisecond)
		c.Journeys = map[string]config.Journey{
			"hands-in": {Does: config.Submit, Steps: config.Steps{{Fill: "#submit-form textarea", With: "{work}"}, {Click: "#submit"}, {Wait: "#submitted"}}},
			"grades":   {Does: config.Grade, Steps: config.Steps{{Fill: "#grade-form input", With: "{score}"}, {Click: "#grade"}, {Wait: "#graded"}}},
			"renames":  {Does: config.RenameLineItem, Steps: config.Steps{{Fill: "#rename-form input", With: "{label}"}, {Click: "#rename"}}},
			"reads":    {Does: config.ReadResults, Steps: config.Steps{{Click: "#read-results"}}},
		}
		maps.Copy(c.Journeys, journeys)
	}
}

func TestARealGradingToolCanBeJudged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Change: grading(nil)}.Ready(t)
	scene := run.ReviewScenario(t, "a scenario", "here:1")
	work, handed, err := scene.HandIn(t.Context(), scene.Assign(), harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(scene.Await(t.Context(), handed, harness.IsTakenScore)).To(BeTrue())
	g.Expect(handed.Scores()).To(ConsistOf(HaveField("Problems", BeEmpty())))
	g.Expect(work.Held()).To(And(HaveField("Progress", lti.Submitted), HaveField("Points", BeNil())))

	browser := scene.Open(t.Context())
	defer browser.Close()
	review, err := scene.Launch(t.Context(), harness.Launch{Review: work, By: browser})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(review.ShowsWork()).To(BeTrue(), review.End())
	g.Expect(scene.Accepted(review)).To(BeTrue())
	g.Expect(review.LeadsBack()).To(BeTrue())
	graded, err := scene.GoOn(t.Context(), "eight points", review, config.Grade, "{score}", "8")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(scene.Await(t.Context(), graded, harness.IsTakenScore)).To(BeTrue())
	g.Expect(work.Held()).To(And(HaveField("Points", HaveValue(Equal(8.0))), HaveField("Final", true)))
	back, err := scene.GoBack(t.Context(), "back", review)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back.Record.Returns).To(HaveLen(1))

	scene.React(t.Context(), "sr-tool-rejects-missing-line-item")
	scene.React(t.Context(), "sr-tool-accepts-minimal-for-user")
	found := scene.Finish()
	g.Expect(found.Observations).NotTo(BeEmpty())
	for _, o := range found.Observations {
		g.Expect(o.Verdict).To(Equal(results.Passed), "%s: %s", o.Case, o.Seen)
	}
	for _, flow := range found.Flows {
		for _, step := range flow.Steps {
			g.Expect(step.ResponseBody+step.RequestBody).NotTo(MatchRegexp(`"access_token":\s*"[A-Za-z0-9_-]{20}`), "of %s %s", step.Method, step.URL)
		}
	}
}

func TestAnothersWorkIsNotTheLearners(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	scene := harnesstest.Tool{Change: grading(nil)}.Ready(t).ReviewScenario(t, "a scenario", "here:1")
	assignment := scene.Assign()
	one, _, err := scene.HandIn(t.Context(), assignment, harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	other, _, err := scene.HandIn(t.Context(), assignment, harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	mixed := *one
	mixed.Learner = other.Learner // the tool shows what this one has handed in
	flow, err := scene.Launch(t.Context(), harness.Launch{Review: &mixed})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.ShowsWork()).To(BeFalse())
	g.Expect(flow.ShowsAnyWork()).To(BeTrue())
	g.Expect(flow.Reaction.Kind).To(Equal(harness.Accepted), "it did not refuse")
	g.Expect(scene.Accepted(flow)).To(BeFalse(), "what it shows is wrong")
}

func TestAToolMayTakeNothingButGradesAndReviews(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Change: grading(nil)}.Start(t)
	found, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.Flows).To(HaveLen(2), "work that is handed in, and its review")
}

func TestWhatJourneysInAToolNameAndLeaveToOneAgent(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Change: grading(map[string]config.Journey{"hands-in": {Does: config.Submit, Steps: config.Steps{
		{Click: "#no", Agent: "browser"}, {Fill: "#submit-form textarea", With: "{work} by {user_id}, {candidate}, {unique}", Agent: "http"}, {Click: "#submit"}, {Wait: "#submitted"},
	}}})}.Start(t)
	scene := run.Scenario(t, "a scenario", "here:1")
	uniques := map[string]bool{}
	for range 2 {
		work, handed, err := scene.HandIn(t.Context(), scene.Assign(), harness.Launch{})
		g.Expect(err).NotTo(HaveOccurred())
		user := handed.Launch.Plan().User
		sent := ""
		for _, step := range handed.Trip.Steps {
			form, _ := url.ParseQuery(step.RequestBody)
			for _, values := range form {
				if strings.HasPrefix(values[0], work.Text) {
					sent = values[0]
				}
			}
		}
		g.Expect(sent).To(HavePrefix(work.Text + " by " + user.Sub + ", " + user.Name + ", "))
		uniques[sent[strings.LastIndex(sent, " ")+1:]] = true
	}
	g.Expect(uniques).To(HaveLen(2))
}

func TestAScoreMayComeLater(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	queue := make(chan func(), 10)
	run := harnesstest.Tool{Change: grading(nil), Wrap: harnesstest.AtPath("/work/", func(w http.ResponseWriter, r *http.Request, tool http.Handler) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		r = r.WithContext(context.WithoutCancel(r.Context()))
		queue <- func() { tool.ServeHTTP(httptest.NewRecorder(), r) }
		_, _ = fmt.Fprint(w, `<p id="submitted">Thank you</p>`)
	})}.Start(t)
	scene := run.Scenario(t, "a scenario", "here:1")
	work, handed, err := scene.HandIn(t.Context(), scene.Assign(), harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(handed.Scores()).To(BeEmpty())
	g.Expect(scene.Lingers(t.Context(), handed, harness.IsScore)).To(BeFalse())
	go (<-queue)()
	g.Expect(scene.Await(t.Context(), handed, harness.IsTakenScore)).To(BeTrue())
	g.Expect(handed.Scores()).To(HaveLen(1))
	g.Expect(work.Held().Progress).To(Equal(lti.Submitted))
	scene.Observe("ags-tool-score-members", "", results.Passed, "", "It came.", handed)
	found := scene.Finish()
	var seen []string
	for _, step := range found.Flows[handed.ID].Steps {
		seen = append(seen, step.Method+" "+step.URL)
	}
	g.Expect(seen).To(ContainElement(And(HavePrefix("POST "), HaveSuffix("/scores"))), "what came late is evidence, too")
}

func TestWhatAToolTellsItsUserIsSeenByItsSigns(t *testing.T) {
	t.Parallel()
	signs := config.Journey{
		Does: config.Submit, Steps: config.Steps{{Fill: "#submit-form textarea", With: "{work}"}, {Click: "#submit"}},
		Saved: config.Marker{Text: "Saved in the gradebook."}, Failed: config.Marker{Selector: "#outcome", Text: "Not saved"},
	}
	for what, c := range map[string]struct {
		journeys map[string]config.Journey
		faults   []string
		outcome  harness.Outcome
		told     bool
	}{
		"saved":    {map[string]config.Journey{"hands-in": signs}, nil, harness.ToldSaved, true},
		"failed":   {map[string]config.Journey{"hands-in": signs}, []string{grades.NeedsOKForScores}, harness.NotSaved, true},
		"nothing":  {map[string]config.Journey{"hands-in": signs}, []string{grades.NeverSaysSaved}, harness.Untold, true},
		"no signs": {nil, nil, harness.Untold, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Tool{Change: grading(c.journeys), Faults: c.faults}.Ready(t)
			scene := run.Scenario(t, "a scenario", "here:1")
			_, handed, err := scene.HandIn(t.Context(), scene.Assign(), harness.Launch{})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(handed.Scores()).To(HaveLen(1))
			outcome, told := handed.Told()
			g.Expect(told).To(Equal(c.told))
			g.Expect(outcome).To(Equal(c.outcome))
		})
	}
}

func TestWhatIsInTheWayOfGradesIsOneDiagnosis(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		subject       harnesstest.Tool
		problem, look string
	}{
		"another way to hand in": {
			harnesstest.Tool{Change: grading(map[string]config.Journey{"hands-in": {Does: config.Submit, Steps: config.Steps{{Click: "text=Send it off"}}}})},
			"A learner could not hand in work: the journey hands-in got stuck at step 1 of 1", "does submit",
		},
		"no page to hand in at": {
			harnesstest.Tool{Change: grading(nil), Wrap: harnesstest.AtPath("/resource", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				http.Error(w, "no", http.StatusForbidden)
			})},
			"did not lead to a page where work can be handed in: HTTP 403", "key set",
		},
		"no key set": {
			harnesstest.Tool{Change: func(c *config.Config) {
				grading(nil)(c)
				c.Tool.JWKSURL += "/elsewhere"
			}},
			"key set cannot be read", "tool.jwks_url",
		},
		"no token endpoint": {
			harnesstest.Tool{Change: grading(nil), Register: func(r *faketool.Registration) { r.TokenURL = "" }},
			"did not even ask for an access token", "/token",
		},
		"another token endpoint": {
			harnesstest.Tool{Change: grading(nil), Register: func(r *faketool.Registration) { r.TokenURL += "/elsewhere" }},
			"did not even ask for an access token", "/token",
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			found, err := c.subject.Start(t).Preflight(t.Context())
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.problem))
			g.Expect(d.LookAt).To(ContainSubstring(c.look))
			g.Expect(d.Seen + d.Step).NotTo(BeEmpty())
			if d.FlowID != "" {
				g.Expect(found.Flows).To(HaveKey(d.FlowID), "its evidence is in the report")
			}
		})
	}
}

// What the tool does wrong beside its launches is for requirements to say: the preflight
// goes on, and only what needs it is left out.
func TestADefectOfAGradingToolEndsNoRun(t *testing.T) {
	t.Parallel()
	badAnswers := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/submit") }
	for what, c := range map[string]struct {
		subject harnesstest.Tool
		denied  string // why the tool gets no access token
		barred  string // why there are no reviews
		told    string // a finding
	}{
		"a key set within another one": {subject: harnesstest.Tool{Faults: []string{faketool.NestsKeySet}}, denied: "the tool's key set cannot be had"},
		"a key set without keys": {
			subject: harnesstest.Tool{Wrap: harnesstest.AtPath("/jwks", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { _, _ = fmt.Fprint(w, `{"keys":[]}`) })},
			denied:  "the tool has no key",
		},
		"a key set that fails": {
			subject: harnesstest.Tool{Wrap: harnesstest.AtPath("/jwks", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				http.Error(w, "null", http.StatusInternalServerError)
			})},
			denied: "500",
		},
		"an assertion of somebody else":   {subject: harnesstest.Tool{Faults: []string{grades.SendsURLAsAssertionIssuer}}, denied: "iss is the client_id of no tool"},
		"an assertion with a foreign key": {subject: harnesstest.Tool{Faults: []string{grades.SignsAssertionAsUnpublished}}, denied: "has no key"},
		"an assertion that ends in an error": {
			subject: harnesstest.Tool{Faults: []string{grades.SendsURLAsAssertionIssuer}, Wrap: failsAt(badAnswers)},
			denied:  "iss is the client_id of no tool", barred: "gets no access token",
		},
		"an answer that it dies of": {subject: harnesstest.Tool{Faults: []string{grades.CrashesOnNoContent}}, told: "A score came, but then the journey hands-in got stuck"},
		"a score that is refused": {
			subject: harnesstest.Tool{Faults: []string{grades.OmitsActivityProgress}, Wrap: failsAt(badAnswers)}, told: "A score came, but then",
		},
		"a review that shows something else": {
			subject: harnesstest.Tool{Wrap: harnesstest.AtPath("/review/", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				_, _ = fmt.Fprint(w, "<p>Reviews will come soon</p>")
			})},
			barred: "does not show it: HTTP 200", told: "tool.review_target_link_uri",
		},
		"a review that is refused": {
			subject: harnesstest.Tool{Wrap: harnesstest.AtPath("/review/", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				http.Error(w, "unknown message", http.StatusBadRequest)
			})},
			barred: "does not show it: HTTP 400", told: "LtiSubmissionReviewRequest",
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c.subject.Change = grading(nil)
			run := c.subject.Start(t)
			found, err := run.Preflight(t.Context())
			g.Expect(err).NotTo(HaveOccurred())
			if c.told != "" {
				g.Expect(found.Findings).To(ContainElement(HaveField("Says", ContainSubstring(c.told))))
			}
			scene := run.ReviewScenario(t, "a scenario", "here:1")
			_, handed, err := scene.HandIn(t.Context(), scene.Assign(), harness.Launch{})
			if c.barred == "" || c.denied == "" {
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				g.Expect(err).To(MatchError(harness.ErrNoToken))
			}
			if denied := run.Denied(lti.GradeScopes...); c.denied == "" {
				g.Expect(denied).NotTo(HaveOccurred())
				g.Expect(handed.Scores()).NotTo(BeEmpty())
			} else {
				g.Expect(denied).To(MatchError(ContainSubstring(c.denied)))
				g.Expect(run.Denied(lti.ScopeControl)).To(Succeed(), "nobody has asked for that")
			}
			_, err = scene.Launch(t.Context(), harness.Launch{})
			if c.barred == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(scene.Unseen("sr-tool-returns", "", err)).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(ConsistOf(And(HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring(c.barred)))))
		})
	}
}

// failsAt has a tool end in a server error where it would have shown a page.
func failsAt(page func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !page(r) {
				tool.ServeHTTP(w, r)
				return
			}
			tool.ServeHTTP(httptest.NewRecorder(), r)
			http.Error(w, "null", http.StatusInternalServerError)
		})
	}
}

func TestNothingElseIsLeftWithoutReviews(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{
		Change: func(c *config.Config) {
			grading(nil)(c)
			c.Profiles = []string{requirements.SubmissionReview}
		},
		Wrap: harnesstest.AtPath("/review/", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(w, "no", http.StatusBadRequest)
		}),
	}.Start(t)
	_, err := run.Preflight(t.Context())
	g.Expect(err).To(MatchError(ContainSubstring("does not show it: HTTP 400")))
}

func TestStandingWorkIsHandedInAgainWhereItWasLost(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	gone := false
	run := harnesstest.Tool{Change: grading(nil), Wrap: harnesstest.AtPath("/review/", func(w http.ResponseWriter, r *http.Request, tool http.Handler) {
		if gone {
			gone = false
			http.Error(w, "it is lost", http.StatusNotFound)
			return
		}
		tool.ServeHTTP(w, r)
	})}.Ready(t)
	scene := run.ReviewScenario(t, "a scenario", "here:1")
	before, err := scene.Standing(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(scene.Works(t.Context())).To(BeTrue())
	g.Expect(scene.Standing(t.Context())).To(BeIdenticalTo(before))
	gone = true
	g.Expect(scene.Works(t.Context())).To(BeFalse())
	g.Expect(scene.Standing(t.Context())).NotTo(BeIdenticalTo(before))
	g.Expect(scene.Works(t.Context())).To(BeTrue())
}

func TestARefusedReviewThatKillsTheToolIsNoRefusal(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	scene := harnesstest.Tool{Change: grading(nil), Wrap: harnesstest.AtPath("/launch", func(w http.ResponseWriter, r *http.Request, tool http.Handler) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		if answer.Code == http.StatusBadRequest {
			answer.Code = http.StatusInternalServerError
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})}.Ready(t).ReviewScenario(t, "a scenario", "here:1")
	scene.React(t.Context(), "sr-tool-rejects-missing-line-item")
	observed := scene.Finish().Observations
	g.Expect(observed).NotTo(BeEmpty())
	for _, o := range observed {
		g.Expect(o.Verdict).To(Equal(results.Warned), "%s: %s", o.Case, o.Seen)
	}
	g.Expect(fakeplatform.FaultsFor("sr-tool-rejects-missing-line-item")).To(HaveLen(len(observed)))
}

// kindly is a tool that answers each refusal with status 200.
func kindly(tool http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		if answer.Code/100 == 4 {
			w.Header().Del("Content-Length")
			_, _ = fmt.Fprint(w, "<p>There is nothing to see here.</p>")
			return
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func TestAReviewPageWithoutWorkIsNoRefusalUntilItIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuses config.Marker
		verdict results.Verdict
	}{
		"no sign":            {verdict: results.Inconclusive},
		"the sign of a page": {config.Marker{Text: "nothing to see"}, results.Passed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Tool{Wrap: kindly, Change: func(config *config.Config) {
				grading(nil)(config)
				config.Tool.LaunchRefused = c.refuses
			}}.Ready(t)
			scene := run.ReviewScenario(t, "a scenario", "here:1")
			scene.React(t.Context(), "sr-tool-rejects-missing-line-item")
			found := scene.Finish().Observations
			g.Expect(found).NotTo(BeEmpty())
			for _, o := range found {
				g.Expect(o.Verdict).To(Equal(c.verdict), "%s: %s", o.Case, o.Seen)
			}
		})
	}
}

func TestAReviewThatOffersToGradeWasAccepted(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Faults: []string{"opens-form-without-item"}, Change: grading(nil)}.Ready(t)
	scene := run.ReviewScenario(t, "a scenario", "here:1")
	scene.React(t.Context(), "sr-tool-rejects-missing-line-item")
	found := scene.Finish().Observations
	g.Expect(found).NotTo(BeEmpty())
	for _, o := range found {
		g.Expect(o.Verdict).To(Equal(results.Failed), "%s: %s", o.Case, o.Seen)
		g.Expect(o.Seen).To(ContainSubstring("offers to grade"))
	}
}
