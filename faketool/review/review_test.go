package review_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

func TestWorkIsReviewedAndGraded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("My <b>essay</b>", nil)
	e.Submits("Another essay", lti.Claims{"sub": "learner-2"})
	e.Submits("Another item", lti.Claims{lti.ClaimAGS: tooltest.Endpoint(tooltest.ItemURL + "2"), lti.ClaimResourceLink: map[string]any{"id": "link-2"}})
	e.Book.Seen()
	b := e.Window()
	shown := e.Launch(b, tooltest.Reviews(nil))
	g.Expect(shown.Status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.Find("#review #work").Text()).To(Equal("My <b>essay</b>"))
	g.Expect(shown.Find("#for-user").Text()).To(Equal("Jude Wong"))
	g.Expect(shown.Find("#reviewer").Text()).To(Equal("Ida Rhodes"))
	g.Expect(shown.Find("#return").AttrOr("href", "")).To(HavePrefix(tooltest.ReturnURL))
	g.Expect(e.Book.Seen()).To(BeEmpty())

	for i, score := range []string{"0", "7.5", "12"} {
		tooltest.ExpectSaved(t, b.Press(shown, "#grade", url.Values{"score": {score}}), "graded")
		calls := e.Book.Seen()
		g.Expect(calls).To(HaveLen(1))
		points, _ := strconv.ParseFloat(score, 64)
		g.Expect(calls[0].Body).To(Equal(map[string]any{
			"userId": "learner-1", "scoringUserId": "teacher-1", "scoreGiven": points, "scoreMaximum": 10.0,
			"activityProgress": "Completed", "gradingProgress": "FullyGraded", "timestamp": fmt.Sprintf("2026-03-01T12:00:00.00%dZ", i+1),
		}))
	}
	g.Expect(b.Press(shown, "#grade", url.Values{"score": {"much"}}).Status).To(Equal(http.StatusBadRequest))
	g.Expect(b.Press(shown, "#grade", url.Values{"score": {"NaN"}}).Status).To(Equal(http.StatusBadRequest))
	g.Expect(e.Book.Seen()).To(BeEmpty())
	_, tokens, _ := e.Seen()
	g.Expect(tokens).To(HaveLen(1), "it is kept")

	other := e.Launch(e.Window(), tooltest.Reviews(lti.Claims{lti.ClaimForUser: map[string]any{"user_id": "learner-2"}, lti.ClaimResourceLink: nil}))
	g.Expect(other.Find("#work").Text()).To(Equal("Another essay"))
	g.Expect(other.Find("#for-user").Text()).To(Equal("learner-2"))
	nothing := e.Launch(e.Window(), tooltest.Reviews(lti.Claims{lti.ClaimForUser: map[string]any{"user_id": "group-17"}}))
	g.Expect(nothing.Status).To(Equal(http.StatusOK))
	g.Expect(nothing.Find("#nothing").Length()).To(Equal(1))
	g.Expect(nothing.Find("#grade-form").Length()).To(BeZero())
}

func TestReviewsShowNothingElse(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	e.Submits("My essay", nil)
	for name, changes := range map[string]lti.Claims{
		"unknown line item":    {lti.ClaimAGS: tooltest.Endpoint(tooltest.ItemURL + "9")},
		"of another link":      {lti.ClaimResourceLink: map[string]any{"id": "link-2"}},
		"of another context":   {lti.ClaimContext: map[string]any{"id": "course-2"}},
		"of other deployment":  {lti.ClaimDeploymentID: "deployment-b"},
		"no for_user":          {lti.ClaimForUser: nil},
		"no user_id":           {lti.ClaimForUser: map[string]any{}},
		"sub for user_id":      {lti.ClaimForUser: map[string]any{"sub": "learner-1"}},
		"user_id a number":     {lti.ClaimForUser: map[string]any{"user_id": 1}},
		"user_id null":         {lti.ClaimForUser: tooltest.Raw(`{"user_id":null}`)},
		"user_id empty":        {lti.ClaimForUser: map[string]any{"user_id": ""}},
		"for_user a string":    {lti.ClaimForUser: "learner-1"},
		"no endpoint":          {lti.ClaimAGS: nil},
		"no line item":         {lti.ClaimAGS: lti.AGSEndpoint{Scope: lti.GradeScopes, LineItems: tooltest.ItemsURL}},
		"line item no URL":     {lti.ClaimAGS: tooltest.Endpoint("item-1")},
		"line item no address": {lti.ClaimAGS: tooltest.Endpoint("https:item-1")},
		"no roles":             {lti.ClaimRoles: nil},
		"no reviewer":          {"sub": nil},
		"another version":      {lti.ClaimVersion: "1.3"},
		"another type":         {lti.ClaimMessageType: "LtiSubmissionReview"},
		"another learner":      {"sub": "learner-2", lti.ClaimRoles: []string{lti.RoleLearner}},
		"nobody of the course": {"sub": "learner-2", lti.ClaimRoles: []string{}},
		"learner's for_user roles": {"sub": "learner-2", lti.ClaimRoles: []string{lti.RoleLearner},
			lti.ClaimForUser: map[string]any{"user_id": "learner-1", "roles": []string{lti.RoleInstructor}}},
		"foreign target": {lti.ClaimTargetLinkURI: tooltest.PlatformURL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			shown := e.Launch(e.Window(), tooltest.Reviews(changes))
			g.Expect(shown.Status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)), shown.Text())
			g.Expect(shown.Text()).NotTo(ContainSubstring("My essay"))
		})
	}
}

func TestReviewsAreTheBrowsersOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("My essay", nil)
	teacher, stranger := e.Window(), e.Window()
	shown := e.Launch(teacher, tooltest.Reviews(nil))
	e.Launch(stranger, tooltest.Reviews(nil))
	g.Expect(stranger.Get(shown.URL).Status).To(Equal(http.StatusUnauthorized))
	e.Book.Seen()
	g.Expect(stranger.Press(shown, "#grade", url.Values{"score": {"1"}}).Status).To(Equal(http.StatusUnauthorized))
	g.Expect(e.Book.Seen()).To(BeEmpty())
	g.Expect(stranger.Get(tooltest.ToolURL + "/review/no-such-id").Status).To(Equal(http.StatusUnauthorized))

	own := e.Window()
	mine := e.Launch(own, tooltest.Reviews(lti.Claims{"sub": "learner-1", lti.ClaimRoles: []string{lti.RoleLearner}}))
	g.Expect(mine.Find("#work").Text()).To(Equal("My essay"))
	g.Expect(mine.Find("#grade-form").Length()).To(BeZero())
	g.Expect(own.Do(http.MethodPost, mine.URL+"/grade", url.Values{"score": {"10"}}).Status).To(Equal(http.StatusForbidden))
	g.Expect(e.Book.Seen()).To(BeEmpty())
	resource := own.Get(strings.Replace(mine.URL, "/review/", "/resource?launch=", 1))
	g.Expect(resource.Find("form").Length()).To(BeZero(), "work is handed in from launches of links")
	g.Expect(own.Get(strings.Replace(e.Launch(own, tooltest.Studies(nil)).URL, "/resource?launch=", "/review/", 1)).Status).To(Equal(http.StatusNotFound))
}

func TestOnlyWhatIsAnnouncedIsAskedFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("One", lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeScore, "https://vendor.example/scope"}, LineItem: tooltest.ItemURL}})
	_, tokens, _ := e.Seen()
	g.Expect(tokens).To(HaveLen(1))
	g.Expect(tokens[0].Form.Get("scope")).To(Equal(lti.ScopeScore))
	e.Book.Seen()

	for _, announced := range []lti.AGSEndpoint{
		{Scope: []string{lti.ScopeLineItemReadOnly}, LineItem: tooltest.ItemURL}, {Scope: []string{lti.ScopeScore}, LineItems: tooltest.ItemsURL}, {Scope: lti.GradeScopes},
	} {
		tooltest.ExpectNotSaved(t, e.Hands("Two", lti.Claims{lti.ClaimAGS: announced}), "submitted")
	}
	b := e.Window()
	shown := e.Launch(b, tooltest.Reviews(lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeLineItemReadOnly}, LineItem: tooltest.ItemURL}}))
	g.Expect(shown.Find("#work").Text()).To(Equal("Two"), "it is kept in the tool")
	tooltest.ExpectNotSaved(t, b.Press(shown, "#grade", url.Values{"score": {"1"}}), "graded")
	g.Expect(e.Launch(e.Window(), tooltest.Studies(lti.Claims{lti.ClaimAGS: nil})).Find("form").Length()).To(BeZero())
	_, tokens, _ = e.Seen()
	g.Expect(tokens).To(BeEmpty())
	g.Expect(e.Book.Seen()).To(BeEmpty())
}

func TestLineItemsAreFoundOrMade(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("One", lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")})
	calls := e.Book.Seen()
	g.Expect(calls).To(HaveLen(3))
	g.Expect(calls[0].String()).To(Equal("GET /contexts/course-1/lineitems?type_id=3&resource_id=faketool-work&resource_link_id=link-1"))
	g.Expect(calls[0].Accept).To(Equal(lti.MediaTypeLineItemContainer))
	g.Expect(calls[1].String()).To(Equal("POST /contexts/course-1/lineitems?type_id=3"))
	g.Expect(calls[1].ContentType).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].Accept).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].Request.Body).To(MatchJSON(`{"label":"Essay","scoreMaximum":10,"resourceId":"faketool-work","tag":"work","resourceLinkId":"link-1",
		"submissionReview":{"reviewableStatus":["InProgress","Submitted","Completed"],"label":"Open the work","url":"` + tooltest.ToolURL + `/launch","custom":{"action":"review"}}}`))
	g.Expect(calls[2].String()).To(Equal("POST /contexts/course-1/lineitems/item-1/scores"))

	e.Submits("Two", lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")})
	calls = e.Book.Seen()
	g.Expect(calls).To(HaveLen(2), "it is found again")
	shown := e.Launch(e.Window(), tooltest.Reviews(lti.Claims{lti.ClaimResourceLink: nil}))
	g.Expect(shown.Find("#work").Text()).To(Equal("Two"))
}

func TestScoresGrowAlsoAtOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("One", nil)
	teacher := e.Window()
	shown := e.Launch(teacher, tooltest.Reviews(nil))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { teacher.Press(shown, "#grade", url.Values{"score": {strconv.Itoa(i)}}) })
		all.Go(func() { e.Hands("Again", nil) })
	}
	all.Wait()
	last := ""
	calls := e.Book.Seen()
	g.Expect(calls).To(HaveLen(17))
	for _, c := range calls {
		at, _ := c.Body["timestamp"].(string)
		g.Expect(at > last).To(BeTrue(), at+" after "+last)
		last = at
	}
}

func TestReviewersStayThemselves(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("My essay", nil)
	b := e.Window()
	account := e.Launch(b, tooltest.Teaches(nil)).Find("#user").Text()
	markup := "<img src=x onerror=alert(1)>"
	shown := e.Launch(b, tooltest.Reviews(lti.Claims{
		lti.ClaimForUser: map[string]any{"user_id": "learner-1", "name": markup}, lti.ClaimCustom: map[string]any{"action": markup},
		lti.ClaimTargetLinkURI: tooltest.ToolURL + "/launch?chapter=3",
	}))
	g.Expect(shown.Find("#user").Text()).To(Equal(account))
	g.Expect(shown.Find("#for-user").Text()).To(Equal(markup))
	g.Expect(shown.Find("#custom dd").Text()).To(Equal(markup))
	g.Expect(shown.Find("img").Length()).To(BeZero())
	g.Expect(shown.Text()).To(ContainSubstring("chapter 3"))
	g.Expect(e.Launch(b, tooltest.Teaches(nil)).Find("#resource strong").Text()).To(Equal("Ida Rhodes"))
	refused := e.Launch(b, tooltest.Reviews(lti.Claims{lti.ClaimAGS: tooltest.Endpoint(tooltest.ItemURL + "9")}))
	g.Expect(refused.Find("#return").AttrOr("href", "")).To(ContainSubstring("lti_errormsg="))
	g.Expect(e.Launch(b, tooltest.Reviews(lti.Claims{lti.ClaimLaunchPresentation: nil})).Find("#return").Length()).To(BeZero())
}

// A tool remembers the last launches, as many as it is to.
func TestOldLaunchesAreForgotten(t *testing.T) {
	t.Parallel()
	const most = 5
	g := NewWithT(t)
	e := tooltest.NewOf(t, faketool.Options{Remembers: most})
	b := e.Window()
	first := e.Launch(b, tooltest.Studies(nil))
	g.Expect(b.Get(first.URL).Status).To(Equal(http.StatusOK))
	g.Expect(b.Press(first, "#submit", url.Values{"work": {"My essay"}}).Status).To(Equal(http.StatusOK))
	for range most - 1 {
		e.Launch(e.Window().Still(), tooltest.Studies(nil))
	}
	g.Expect(b.Get(first.URL).Status).To(Equal(http.StatusOK))
	e.Launch(e.Window().Still(), tooltest.Studies(nil))
	g.Expect(b.Get(first.URL).Status).To(Equal(http.StatusUnauthorized))
	g.Expect(e.Launch(e.Window(), tooltest.Reviews(nil)).Find("#work").Text()).To(Equal("My essay"))
}
