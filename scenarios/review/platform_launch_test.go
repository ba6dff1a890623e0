package review_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/faketool"
	toolgrades "invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/review"
	_ "invigilator.example/scenarios/tokens" // its preflight
)

// onlyGrades judges grades and reviews alone.
func onlyGrades(c *config.Config) {
	c.Profiles = []string{requirements.Grades, requirements.SubmissionReview}
	c.Timeout.PageSign = config.Duration(100 * time.Millisecond)
}

// gradeCalls records what is asked of the grade services of a campus.
type gradeCalls struct {
	mu   sync.Mutex
	made []string // methods and paths
}

func (c *gradeCalls) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, fakeplatform.ContextsPath) {
			c.mu.Lock()
			c.made = append(c.made, r.Method+" "+r.URL.Path)
			c.mu.Unlock()
		}
		h.ServeHTTP(w, r)
	})
}

func (c *gradeCalls) of(method string) (paths []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.made {
		if path, ok := strings.CutPrefix(call, method+" "); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

func TestARealPlatformsGradesCanBeJudged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var calls gradeCalls
	run := harnesstest.Campus{Change: onlyGrades, Wrap: calls.wrap}.Start(t)
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(calls.of(http.MethodDelete)).To(HaveLen(2), "the preflight leaves nothing behind")

	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.Reviewed(t.Context(), book, nil, book.Sub())
	g.Expect(err).NotTo(HaveOccurred())
	page, err := scene.OpenGrades(t.Context(), config.Instructor, item, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(gradebook.Waiting(page)).To(BeTrue())

	reviewed, err := scene.Review(t.Context(), review.Review{Item: item})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(reviewed.Message().Object(lti.ClaimForUser)["user_id"]).To(Equal(book.Sub()))
	g.Expect(reviewed.Message().Object(lti.ClaimAGS)["lineitem"]).To(Equal(item.ID))
	back, err := scene.Return(t.Context(), reviewed, page)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(review.LeadsTo(back, page)).To(BeTrue())

	offered, _, err := scene.Offered(t.Context(), review.Review{Item: item, Learner: config.SecondLearner})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(offered).To(BeFalse(), "the second learner has handed in nothing")
	offered, _, err = scene.Offered(t.Context(), review.Review{Item: item})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(offered).To(BeTrue())

	_, err = scene.Graded(t.Context(), item, book.Sub(), harness.Members{"scoreGiven": 9, "scoreMaximum": 12})
	g.Expect(err).NotTo(HaveOccurred())
	result, err := scene.ResultOf(t.Context(), item, book.Sub(), func(gradebook.Result) bool { return true })
	g.Expect(err).NotTo(HaveOccurred())
	fraction, _ := result.Fraction()
	g.Expect(fraction).To(Equal(0.75))
	page, err = scene.OpenGrades(t.Context(), config.Instructor, item, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]bool{gradebook.Waiting(page), page.Shows("7.5")}).To(Equal([]bool{false, true}))

	found := scene.Finish()
	g.Expect(found.Findings).To(BeEmpty(), "a review that is not offered is nothing to tell")
	g.Expect(calls.of(http.MethodDelete)).To(HaveLen(3))
	g.Expect(calls.of(http.MethodDelete)[2]).To(HaveSuffix(strings.TrimPrefix(item.ID, book.LineItems)))
}

func TestLineItemsGoAwayWhateverHappens(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var calls gradeCalls
	run := harnesstest.Campus{Change: onlyGrades, Wrap: calls.wrap}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	// One that nobody wanted to be made, and one that is gone already.
	posted := gradebook.Call{Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: book.LineItems, MediaType: lti.MediaTypeLineItem, Body: gradebook.Least(),
	}}
	_, err = scene.Call(t.Context(), book, posted)
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.MakeLineItem(t.Context(), book, nil)
	g.Expect(err).NotTo(HaveOccurred())
	remove := gradebook.Call{Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{Method: http.MethodDelete, URL: item.ID}}
	_, err = scene.Call(t.Context(), book, remove)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(scene.Finish().Findings).To(BeEmpty())
	g.Expect(calls.of(http.MethodDelete)).To(HaveLen(3))

	left := review.In(run.Scenario(t, "what is left", "here:1"))
	book, err = left.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	list, err := left.LineItems(t.Context(), book, "the line items", "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list.Elements).To(HaveExactElements(HaveKeyWithValue("label", "Exercise 1")))
}

func TestWhatMayBeLeftBehindIsTold(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		method string
		status int
		says   string
	}{
		"a line item whose making had no end": {http.MethodPost, http.StatusGatewayTimeout, `It is not known whether the line item "Essay" was made`},
		"a line item that stays":              {http.MethodDelete, http.StatusInternalServerError, "could not be removed"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == c.method && strings.Contains(r.URL.Path, "/lineitems") {
						w.WriteHeader(c.status)
						return
					}
					h.ServeHTTP(w, r)
				})
			}}.Start(t)
			scene := review.In(run.Scenario(t, "a scenario", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			g.Expect(err).NotTo(HaveOccurred())
			_, err = scene.PostLineItem(t.Context(), book, "a line item", harness.Members{"label": "Essay"})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(scene.Finish().Findings).To(HaveExactElements(And(HaveField("Kind", "left behind"), HaveField("Says", ContainSubstring(c.says)))))
		})
	}
}

func TestWhatAnotherToolHasMadeGoesAwayAsWell(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: onlyGrades}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	other, token, err := scene.OtherTool(t.Context(), lti.ScopeLineItem)
	g.Expect(err).NotTo(HaveOccurred())
	made, err := scene.Call(t.Context(), book, gradebook.Call{Tool: other, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: book.LineItems, Token: token, MediaType: lti.MediaTypeLineItem, Body: gradebook.Least(),
	}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Exchange.Status).To(Equal(http.StatusCreated))
	g.Expect(scene.Finish().Findings).To(BeEmpty())

	left := review.In(run.Scenario(t, "what is left", "here:1"))
	_, err = left.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	read, err := left.Call(t.Context(), book, gradebook.Call{Tool: other, ServiceRequest: faketool.ServiceRequest{URL: made.Said()["id"].(string), Token: token}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read.Exchange.Status).To(Equal(http.StatusNotFound))
	left.Finish()
}

func TestAScoreOfAnotherToolGoesAwayAsThatTools(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var mu sync.Mutex
	var tokens []string
	run := harnesstest.Campus{Change: onlyGrades, Wrap: harnesstest.Spoiled(func(w http.ResponseWriter, r *http.Request, subject http.Handler) {
		if !strings.HasSuffix(r.URL.Path, "/scores") {
			subject.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		tokens = append(tokens, r.Header.Get("Authorization"))
	})}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	other, token, err := scene.OtherTool(t.Context(), lti.ScopeScore)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = scene.Call(t.Context(), book, gradebook.Call{Tool: other, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: toolgrades.Below(book.LineItem, "scores"), Token: token, MediaType: lti.MediaTypeScore,
		Body: scene.NewScore(&gradebook.LineItem{ID: book.LineItem, Book: book}, book.Sub(), nil),
	}})
	g.Expect(err).NotTo(HaveOccurred())
	scene.Finish()
	g.Expect(tokens).To(HaveExactElements("Bearer "+token, "Bearer "+token))
}

func TestNothingIsWrittenUnlessTheUserAllowsIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var calls gradeCalls
	run := harnesstest.Campus{Change: onlyGrades, Wrap: calls.wrap, Edit: func(yaml string) string { return strings.Replace(yaml, "allow_writes: true", "allow_writes: false", 1) }}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	list, err := scene.LineItems(t.Context(), book, "what may be read", "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list.Elements).To(HaveLen(1))

	_, made := scene.MakeLineItem(t.Context(), book, nil)
	_, graded := scene.GradedItem(t.Context(), book, nil)
	launched, err := scene.Reviewed(t.Context(), book, nil, book.Sub())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(launched.Label).To(Equal("Exercise 1"), "the line item that is there, as it is")
	_, scored := scene.Graded(t.Context(), launched, book.Sub(), nil)
	_, changed := scene.ChangeLineItem(t.Context(), launched, "a change", nil)
	_, specific := scene.Reviewed(t.Context(), book, harness.Members{}, book.Sub())
	for _, err := range []error{made, graded, scored, changed, specific} {
		g.Expect(scene.Unseen("ags-score-accept", "score-minimal", err)).To(BeTrue())
	}
	g.Expect(scene.Finish().Observations).To(HaveEach(And(
		HaveField("Verdict", results.Skipped), HaveField("Withheld", BeTrue()), HaveField("Seen", ContainSubstring("platform.allow_writes")),
	)))
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		g.Expect(calls.of(method)).To(BeEmpty())
	}
}

func TestAReviewThatIsNotThereDoesNotEndARunThatMayMakeNone(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: onlyGrades, Edit: func(yaml string) string { return strings.Replace(yaml, "allow_writes: true", "allow_writes: false", 1) }}.Start(t)
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())

	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = scene.Reviewed(t.Context(), book, nil, book.Sub())
	g.Expect(scene.Unseen("sr-for-user-required", "", err)).To(BeTrue())
	g.Expect(scene.Finish().Observations).To(HaveExactElements(And(
		HaveField("Verdict", results.Skipped), HaveField("Seen", ContainSubstring(`no review of the work of Ada Lovelace for "Exercise 1"`)),
	)))
}

// A platform that refuses fractions of seconds is sent none, but where that is judged.
func TestScoresAreSentInWholeSecondsWhereOthersAreRefused(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: onlyGrades, Faults: []string{"refuses-fractions-of-seconds"}}.Ready(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.GradedItem(t.Context(), book, nil)
	g.Expect(err).NotTo(HaveOccurred())
	for range 2 {
		flow, err := scene.Graded(t.Context(), item, book.Sub(), harness.Members{"scoreGiven": 9, "scoreMaximum": 12})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(flow.Exchange.RequestBody).To(MatchRegexp(`"timestamp":"[^"]*:\d\dZ"`))
	}
	fault, _ := faketool.FaultNamed("score-timestamp-with-fraction")
	flow, err := scene.PostScore(t.Context(), item, "with a fraction", scene.NewScore(item, book.Sub(), nil), &fault)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.Exchange.Status).To(Equal(http.StatusBadRequest))
	scene.Finish()
}

// A platform may offer reviews at the line items of its links alone, and may ask for more
// of a line item than it should: the rest is judged with what works.
func TestAGradebookIsJudgedByWhatWorks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: onlyGrades, Faults: []string{"reviews-own-line-items-alone", "asks-for-resource-ids"}}.Ready(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.Reviewed(t.Context(), book, nil, book.Sub())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(item.ID).To(Equal(book.LineItem))
	flow, err := scene.Review(t.Context(), review.Review{Item: item})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.Message().Object(lti.ClaimForUser)["user_id"]).To(Equal(book.Sub()))

	made, err := scene.MakeLineItem(t.Context(), book, harness.Members{"resourceLinkId": book.ResourceLink(), "submissionReview": review.AnySubmission})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Made.Said()["resourceId"]).NotTo(BeNil())
	_, _, err = scene.Offered(t.Context(), review.Review{Item: made})
	g.Expect(scene.Unseen("sr-reviewable-status-none", "gradebook-status-none", err)).To(BeTrue())
	g.Expect(scene.Finish().Observations).To(HaveExactElements(And(
		HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring("not at line items that a tool has made")),
	)))
	after := review.In(run.Scenario(t, "afterwards", "here:1"))
	book, err = after.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	list, err := after.LineItems(t.Context(), book, "what is left", "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list.Elements).To(HaveExactElements(HaveKeyWithValue("label", "Exercise 1")))
	after.Finish()
}

func TestTokensGoNowhereButToWhatALaunchOffers(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked int
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/lineitems") {
				w.Header().Set("Link", `<https://x.example>; rel="prev", <`+elsewhere.URL+`/more>; rel=next`)
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	list, err := scene.LineItems(t.Context(), book, "the line items", "")
	g.Expect(err).To(MatchError(ContainSubstring("leads elsewhere")))
	_, err = gradebook.AsIs(list, err)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list.Wrong).To(ContainSubstring("leads elsewhere"))
	_, err = scene.ReadLineItem(t.Context(), &gradebook.LineItem{ID: elsewhere.URL + "/1", Book: book}, "a line item elsewhere")
	g.Expect(err).To(MatchError(faketool.ErrUnusable))
	g.Expect(asked).To(BeZero())
	scene.Finish()
}

func TestTheAddressOfTheNextPageMayHaveCommas(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/lineitems") && !r.URL.Query().Has("fields") {
				w.Header().Set("Link", `<?fields=a,b>; title="one, two"; rel="next"`)
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	list, err := scene.LineItems(t.Context(), book, "the line items", "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list.Flows).To(HaveLen(2))
	g.Expect(list.Flows[1].Exchange.URL).To(HaveSuffix("?fields=a,b"))
	scene.Finish()
}

func TestWhatIsNotAnsweredIsNotSeen(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		says   string
	}{
		"a connection that breaks": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "no complete answer came"},
		"an answer without end": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("[" + strings.Repeat(" ", 5<<20) + "]"))
		}, "more than Invigilator reads"},
		"too many requests": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "HTTP 429"},
		"more pages than are read": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", `<?at=`+r.URL.Query().Get("at")+`1>; rel="next"`)
			_, _ = w.Write([]byte(`[{"id": "item-` + r.URL.Query().Get("at") + `"}]`))
		}, "more pages"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/lineitems") {
						c.answer(w, r)
						return
					}
					h.ServeHTTP(w, r)
				})
			}}.Start(t)
			scene := review.In(run.Scenario(t, "a scenario", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			g.Expect(err).NotTo(HaveOccurred())
			_, err = gradebook.AsIs(scene.LineItems(t.Context(), book, "the line items", ""))
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
			g.Expect(scene.Unseen("ags-lineitems-paging", "items-limit-1", err)).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(HaveExactElements(HaveField("Verdict", results.Inconclusive)))
		})
	}
}

func TestAListThatAddsNothingIsWrong(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/lineitems") {
				w.Header().Set("Link", `<?at=`+r.URL.Query().Get("at")+`1>; rel="next"`)
				_, _ = w.Write([]byte(`[{"id": "the same"}]`))
				return
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	list, err := gradebook.AsIs(scene.LineItems(t.Context(), book, "the line items", ""))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(list.Wrong).To(ContainSubstring("of 1 elements"))
	scene.Finish()
}

func TestAReviewIsNotOfferedOnlyWhereItsLastStepIsMissing(t *testing.T) {
	t.Parallel()
	const click = `      - click: tr.grade[data-item="{line_item}"][data-learner="{learner}"] a.review`
	for what, c := range map[string]harnesstest.Campus{
		"a step before it is missing": {Edit: func(yaml string) string {
			return strings.ReplaceAll(yaml, click, "      - click: text=No such menu\n"+click)
		}},
		"the gradebook is out of order": {Wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/grades") {
					http.Error(w, "later", http.StatusBadGateway)
					return
				}
				h.ServeHTTP(w, r)
			})
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c.Change = onlyGrades
			scene := review.In(c.Start(t).Scenario(t, "a scenario", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			g.Expect(err).NotTo(HaveOccurred())
			item, err := scene.Reviewed(t.Context(), book, nil)
			g.Expect(err).NotTo(HaveOccurred())
			_, _, err = scene.Offered(t.Context(), review.Review{Item: item})
			g.Expect(scene.Unseen("sr-for-user-required", "", err)).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(HaveExactElements(HaveField("Verdict", results.Inconclusive)))
		})
	}
}

// scoresAlone is a platform whose launches offer a line item and the scope of scores
// alone.
type scoresAlone struct {
	*fakeplatform.Platform
	item lti.LineItem
}

const courseOfScores = "course-9"

func newScoresAlone(t *testing.T) (*scoresAlone, *harness.PlatformRun) {
	t.Helper()
	g := NewWithT(t)
	var content harnesstest.Late
	server := httptest.NewServer(&content)
	t.Cleanup(server.Close)
	configured, err := config.Load(config.Sources{
		Side: config.PlatformSide, Text: []byte(`
platform: {issuer: "` + server.URL + `", auth_url: "` + server.URL + `/auth", jwks_url: "` + server.URL + `/jwks", token_url: "` + server.URL + `/token", allow_writes: true}
registration: {client_id: scorer}
features: [grades]
profiles: [grades]
journeys: {learner-opens-link: "` + server.URL + `/open"}
`),
		Settings: map[string]string{"agent": "http", "fake_tool.listen": "127.0.0.1:0", "fake_tool.key_file": harnesstest.KeyFile(t), "timeout.step": "1s"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	run, err := harness.StartPlatform(t.Context(), configured, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	platform, err := fakeplatform.New(fakeplatform.Options{URL: server.URL})
	g.Expect(err).NotTo(HaveOccurred())
	known := run.ToolRegistrations()[0]
	g.Expect(platform.Register(fakeplatform.Registration{
		ClientID: "scorer", LoginURL: known.LoginURL, RedirectURIs: known.RedirectURIs, TargetLinkURI: known.TargetLinkURI, DeploymentIDs: []string{"1"}, JWKSURL: known.JWKSURL,
	})).To(Succeed())
	item, err := grades.On(platform).AddLineItem("scorer", courseOfScores, lti.LineItem{Label: "Essay", ScoreMaximum: 20, ResourceLinkID: "essay"})
	g.Expect(err).NotTo(HaveOccurred())
	mux := http.NewServeMux()
	mux.Handle("/", platform)
	mux.HandleFunc("/open", func(w http.ResponseWriter, r *http.Request) {
		launch, err := platform.Begin(fakeplatform.Plan{
			ClientID: "scorer", User: fakeplatform.User{Sub: "learner-1", Name: "Ada", Roles: []string{lti.RoleLearner}},
			ResourceLink: fakeplatform.ResourceLink{ID: "essay", Title: "Essay"}, Context: fakeplatform.Context{ID: courseOfScores},
			Offers: []string{grades.Profile}, Scopes: []string{lti.ScopeScore},
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, launch.URL(), http.StatusSeeOther)
	})
	content.Set(mux)
	return &scoresAlone{platform, item}, run
}

func TestAPlatformMayTakeNothingButScores(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	platform, run := newScoresAlone(t)
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.GradedItem(t.Context(), book, harness.Members{"scoreMaximum": 40})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(*item).To(And(HaveField("ID", platform.item.ID), HaveField("Label", "Essay"), HaveField("Made", BeNil())))
	_, err = scene.Call(t.Context(), book, gradebook.Call{Scopes: []string{lti.ScopeScore}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: toolgrades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore,
		Body: scene.NewScore(item, book.Sub(), harness.Members{"scoreGiven": 3, "scoreMaximum": 4}),
	}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(grades.On(platform).Grade(platform.item.ID, "learner-1").Points).To(HaveValue(Equal(15.0)))
	for _, err := range []error{
		second(scene.LineItems(t.Context(), book, "the line items", "")), second(scene.Results(t.Context(), item, "the results", "")),
		second(scene.MakeLineItem(t.Context(), book, nil)),
	} {
		g.Expect(scene.Unseen("ags-score-accept", "score-minimal", err)).To(BeTrue())
	}
	found := scene.Finish()
	g.Expect(found.Observations).To(HaveEach(HaveField("Verdict", results.Skipped)))
	g.Expect(grades.On(platform).Grade(platform.item.ID, "learner-1").Points).To(BeNil(), "the score is taken away again")
	calls := grades.On(platform).Calls(courseOfScores)
	g.Expect(slices.ContainsFunc(calls, func(c grades.Call) bool { return c.Service != grades.Scores })).To(BeFalse())
}

func second[T any](_ T, err error) error { return err }

// Access tokens are looked for where services alone are judged, too.
func TestAPlatformThatDoesNotKnowTheKeyIsJudgedOnLaunches(t *testing.T) {
	t.Parallel()
	for what, edit := range map[string]func(string) string{
		"with exams": func(yaml string) string { return yaml },
		"with grades": func(yaml string) string {
			return strings.NewReplacer("  - acs\n", "", "  - proctoring\n", "", "  - end-assessment\n", "", "  - verified-user\n", "", "  - proctoring-settings\n", "").Replace(yaml)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Keyless: true, Edit: edit, Change: func(c *config.Config) { c.Profiles = []string{requirements.Launch, requirements.Services} }}.Start(t)
			_, err := run.Preflight(t.Context())
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Profiles).To(Equal([]string{requirements.Services}))
			g.Expect(d.Problem).To(ContainSubstring("It seems not to know the tool's key"))
			scene := review.In(run.Scenario(t, "a scenario", "here:1"))
			_, _, err = scene.Grant(t.Context(), "a token", faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
			g.Expect(scene.Unseen("sec-token-response", "two-scopes", err)).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(HaveEach(HaveField("Verdict", results.Inconclusive)))
		})
	}
}

// What is in the way of a part of the run is told once. What needs it is not seen, and
// the rest is judged.
func TestWhatIsInTheWayOfAGradebookKeepsNothingElseFromBeingJudged(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) func(string) string {
		return func(yaml string) string { return strings.Replace(yaml, old, with, 1) }
	}
	token := func(serve http.HandlerFunc) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					serve(w, r)
					return
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	const reviews = "  instructor-reviews:\n    user: instructor\n    launch: review\n    steps:\n      - open: ${CAMPUS_URL}/course/1/grades\n"
	ofTokens := []string{"services", "grades", "submission-review"}
	for what, c := range map[string]struct {
		subject       harnesstest.Campus
		problem, look string
		profiles      []string // that cannot be judged by the configuration's fault
		onlyReviews   bool     // are not seen
	}{
		"a link without grades": {
			harnesstest.Campus{Edit: replace("click: text=Exercise 1", "click: text=Anonymous survey")}, "does not offer the grade services", "allowed to use the grade services", nil, false,
		},
		"another token endpoint": {
			harnesstest.Campus{Edit: replace("CAMPUS_URL}/token", "CAMPUS_URL}/tokens")}, "There is nothing at its token endpoint", "platform.token_url", ofTokens, false,
		},
		"no key set": {harnesstest.Campus{Keyless: true}, "the key set has not been fetched", "/jwks", ofTokens, false},
		"a token endpoint that is out of order": {
			harnesstest.Campus{Wrap: token(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })},
			"grants the fake tool no access tokens", "platform.token_url", nil, false,
		},
		"a token endpoint that trusts nobody": {
			harnesstest.Campus{Wrap: token(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"error": "unauthorized_client"}`))
			})}, "grants the fake tool no access tokens", "platform.token_url", nil, false,
		},
		"a token endpoint that hangs up": {
			harnesstest.Campus{Wrap: token(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}, "Its token endpoint cannot be reached", "platform.token_url", ofTokens, false,
		},
		"another journey to reviews": {
			harnesstest.Campus{Edit: replace(reviews+`      - click: tr.grade[data-item="{line_item}"]`, reviews+`      - click: tr.grades[data-item="{line_item}"]`)},
			`instructor-reviews got stuck at step 2 of 2 (click tr.grades[data-item="Invigilator `, `the work of Ada Lovelace for "Invigilator `, []string{"submission-review"}, true,
		},
		"a journey to another launch": {
			harnesstest.Campus{Edit: replace(reviews+`      - click: tr.grade[data-item="{line_item}"][data-learner="{learner}"] a.review`,
				strings.Replace(reviews, "/grades", "", 1)+"      - click: text=Exercise 1")},
			`its message is "LtiResourceLinkRequest"`, "link of the gradebook", []string{"submission-review"}, true,
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var calls gradeCalls
			served := c.subject.Wrap
			c.subject.Wrap = func(h http.Handler) http.Handler {
				if served != nil {
					h = served(h)
				}
				return calls.wrap(h)
			}
			c.subject.Change = func(c *config.Config) {
				onlyGrades(c)
				c.Profiles, c.Timeout.Restart = append(c.Profiles, requirements.Services), config.Duration(100*time.Millisecond)
			}
			run := c.subject.Start(t)
			found, err := run.Preflight(t.Context())
			if c.profiles == nil {
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				d, ok := errors.AsType[*results.Diagnosis](err)
				g.Expect(ok).To(BeTrue(), "%v", err)
				g.Expect(d.Profiles).To(ConsistOf(c.profiles))
				g.Expect(d.Problem).To(ContainSubstring(c.problem))
				g.Expect(d.LookAt).To(ContainSubstring(c.look))
				g.Expect(found.Flows).To(HaveKey(d.FlowID), "the evidence")
			}
			g.Expect(found.Findings).To(ContainElement(And(
				HaveField("Kind", "preflight"), HaveField("Says", And(ContainSubstring(c.problem), ContainSubstring(c.look))),
			)))

			scene := review.In(run.Scenario(t, "a scenario", "here:1"))
			scene.React(t.Context(), "oidc-auth-missing-nonce")
			g.Expect(scene.Finish().Observations).To(HaveEach(HaveField("Verdict", results.Passed)), "launches are judged")
			scene = review.In(run.Scenario(t, "a scenario", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			if err == nil && c.onlyReviews {
				_, err := scene.MakeLineItem(t.Context(), book, nil)
				g.Expect(err).NotTo(HaveOccurred(), "grades are judged")
			}
			var item *gradebook.LineItem
			if err == nil {
				item, err = scene.Reviewed(t.Context(), book, nil)
			}
			if err == nil {
				_, err = scene.Review(t.Context(), review.Review{Item: item})
			}
			g.Expect(scene.Unseen("sr-for-user-required", "", err)).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(HaveExactElements(And(
				HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring("did not work in the preflight")),
			)))
			var made int
			for _, post := range calls.of(http.MethodPost) {
				if !strings.HasSuffix(post, "/scores") {
					made++
				}
			}
			g.Expect(calls.of(http.MethodDelete)).To(HaveLen(made), "what was made is gone again")
		})
	}
}

func TestAScoreThatIsRefusedForItsTimeIsSentAgainLater(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var mu sync.Mutex
	var sent []time.Time
	run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/scores") {
				h.ServeHTTP(w, r)
				return
			}
			body, _ := io.ReadAll(r.Body)
			var score lti.Score
			_ = json.Unmarshal(body, &score)
			at, _ := time.Parse(time.RFC3339, score.Timestamp)
			mu.Lock()
			sent = append(sent, at)
			early := len(sent) == 1
			mu.Unlock()
			if early { // somebody has graded the work a moment ago, by a clock that is fast
				w.WriteHeader(http.StatusConflict)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.GradedItem(t.Context(), book, nil)
	g.Expect(err).NotTo(HaveOccurred())
	for _, given := range []float64{3, 8} {
		_, err = scene.Graded(t.Context(), item, book.Sub(), harness.Members{"scoreGiven": given, "scoreMaximum": 10})
		g.Expect(err).NotTo(HaveOccurred())
	}
	mu.Lock()
	defer mu.Unlock()
	g.Expect(sent).To(HaveLen(3))
	for i, at := range sent[1:] {
		g.Expect(at.Sub(sent[i])).To(BeNumerically(">=", time.Second))
	}
	g.Expect(sent[0]).To(BeTemporally("~", time.Now(), time.Minute))
	scene.Finish()
}

func TestAGradebookMayBeBehindARedirect(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked atomic.Value // the path that the journey opens
	run := harnesstest.Campus{Change: onlyGrades, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, _ := asked.Load().(string)
			switch {
			case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/grades"):
				asked.Store(r.URL.Path)
				http.Redirect(w, r, "/books/7?of="+url.QueryEscape(r.URL.Path), http.StatusFound)
			case r.URL.Path == "/books/7":
				r.URL.Path, r.URL.RawQuery = r.URL.Query().Get("of"), ""
				r.RequestURI = r.URL.Path
				h.ServeHTTP(w, r)
			case strings.HasSuffix(r.URL.Path, "/return"):
				w.Header().Set("Content-Type", "text/html")
				_, _ = fmt.Fprintf(w, `<!DOCTYPE html><title>Back</title><p>You are back. <a href="%s">Grades</a></p>`, path)
			default:
				h.ServeHTTP(w, r)
			}
		})
	}}.Start(t)
	scene := review.In(run.Scenario(t, "a scenario", "here:1"))
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	item, err := scene.Reviewed(t.Context(), book, nil, book.Sub())
	g.Expect(err).NotTo(HaveOccurred())
	page, err := scene.OpenGrades(t.Context(), config.Instructor, item, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(page.Trip.Page.URL).To(ContainSubstring("/books/7"))
	reviewed, err := scene.Review(t.Context(), review.Review{Item: item})
	g.Expect(err).NotTo(HaveOccurred())
	back, err := scene.Return(t.Context(), reviewed, page)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(review.LeadsTo(back, page)).To(BeTrue(), back.End())
	scene.Finish()
}
