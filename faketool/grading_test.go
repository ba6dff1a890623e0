package faketool_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/lti"
)

const (
	itemsURL = platformURL + "/contexts/course-1/lineitems"
	itemURL  = itemsURL + "/item-1"
)

// book is the gradebook of a platform by hand. It keeps line items and takes every
// score, but for the requests that it answers in another way.
type book struct {
	mu      sync.Mutex
	items   []map[string]any
	size    int                                        // of a page; all when 0
	link    func(w http.ResponseWriter, next string)   // names the next page
	answers []func(http.ResponseWriter, *http.Request) // instead, the next requests in order; nil for the usual one
	results string
	calls   []call
}

// call is a request to the gradebook.
type call struct {
	request
	accept string
	body   map[string]any
}

func (c call) String() string { return c.method + " " + c.target }

func (b *book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := call{request: read(r), accept: r.Header.Get("Accept")}
	_ = json.Unmarshal([]byte(c.request.body), &c.body)
	b.calls = append(b.calls, c)
	if len(b.answers) > 0 {
		next := b.answers[0]
		b.answers = b.answers[1:]
		if next != nil {
			next(w, r)
			return
		}
	}
	b.serve(w, r, c)
}

func (b *book) serve(w http.ResponseWriter, r *http.Request, c call) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/scores"):
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/results"):
		_, _ = io.WriteString(w, b.results)
	case strings.HasSuffix(r.URL.Path, "/lineitems") && r.Method == http.MethodPost:
		c.body["id"] = fmt.Sprintf("%s/item-%d", itemsURL, len(b.items)+1)
		b.items = append(b.items, c.body)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(c.body)
	case strings.HasSuffix(r.URL.Path, "/lineitems"):
		b.list(w, r)
	case r.Method == http.MethodPut:
		b.items[0] = c.body
		_ = json.NewEncoder(w).Encode(c.body)
	case len(b.items) == 0:
		w.WriteHeader(http.StatusNotFound)
	default:
		_ = json.NewEncoder(w).Encode(b.items[0])
	}
}

func (b *book) list(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.URL.Query().Get("at"))
	end := len(b.items)
	at = min(at, end) // a page beyond the end has nothing
	if b.size > 0 && at+b.size < end {
		end = at + b.size
		query := r.URL.Query()
		query.Set("at", strconv.Itoa(end))
		b.link(w, itemsURL+"?"+query.Encode())
	}
	_ = json.NewEncoder(w).Encode(b.items[at:end])
}

// answer makes the gradebook answer so, in order.
func (b *book) answer(answers ...func(http.ResponseWriter, *http.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = answers
}

// holds makes the gradebook hold line items.
func (b *book) holds(items ...map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = items
}

// seen returns the requests since it was last asked.
func (b *book) seen() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

func withStatus(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func withBody(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// endpoint offers all grade services, and a line item.
func endpoint(lineItem string) lti.AGSEndpoint {
	return lti.AGSEndpoint{Scope: lti.GradeScopes, LineItems: itemsURL + "?type_id=3", LineItem: lineItem}
}

// studies are the claims of a learner's launch where there is a gradebook.
func studies(changes lti.Claims) lti.Claims {
	return with(lti.Claims{
		"iss": platformURL, "aud": clientID, "sub": "learner-1", "name": "Jude Wong",
		lti.ClaimMessageType: lti.ResourceLinkRequest, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: "deployment-1",
		lti.ClaimTargetLinkURI: toolURL + "/launch", lti.ClaimRoles: []string{lti.RoleLearner},
		lti.ClaimResourceLink:       map[string]any{"id": "link-1", "title": "Essay"},
		lti.ClaimContext:            map[string]any{"id": "course-1"},
		lti.ClaimLaunchPresentation: map[string]any{"return_url": returnURL},
		lti.ClaimAGS:                endpoint(itemURL),
	}, changes)
}

// teaches are those of an instructor's.
func teaches(changes lti.Claims) lti.Claims {
	return with(studies(lti.Claims{"sub": "teacher-1", "name": "Ida Rhodes", lti.ClaimRoles: []string{lti.RoleInstructor}}), changes)
}

// reviews are the claims of an instructor's message that opens a learner's work.
func reviews(changes lti.Claims) lti.Claims {
	return with(teaches(lti.Claims{
		lti.ClaimMessageType: lti.SubmissionReviewRequest,
		lti.ClaimForUser:     map[string]any{"user_id": "learner-1", "name": "Jude Wong"},
	}), changes)
}

// hands launches a learner who hands in work, and returns what is shown then.
func (e *exam) hands(text string, changes lti.Claims) page {
	e.t.Helper()
	b := e.window()
	return b.press(e.launch(b, studies(changes)), "#submit", url.Values{"work": {text}})
}

// submits is hands where all goes well.
func (e *exam) submits(text string, changes lti.Claims) {
	e.t.Helper()
	expectSaved(e.t, e.hands(text, changes), "submitted")
}

func expectSaved(t *testing.T, shown page, where string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(shown.status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.Find("#"+where+" #outcome").AttrOr("data-saved", "")).To(Equal("true"), shown.Text())
}

func expectNotSaved(t *testing.T, shown page, where string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(shown.status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.Find("#"+where+" #outcome").AttrOr("data-saved", "")).To(Equal("false"), shown.Text())
}

func TestWorkIsHandedInAndTold(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("My essay", nil)
	calls := e.book.seen()
	g.Expect(calls).To(HaveLen(1))
	g.Expect(calls[0].String()).To(Equal("POST /contexts/course-1/lineitems/item-1/scores"))
	g.Expect(calls[0].contentType).To(Equal(lti.MediaTypeScore))
	g.Expect(calls[0].authorization).To(Equal("Bearer t-._~+/=1"))
	g.Expect(calls[0].body).To(Equal(map[string]any{
		"userId": "learner-1", "timestamp": "2026-03-01T12:00:00.000Z", "activityProgress": "Submitted", "gradingProgress": "PendingManual",
		"submission": map[string]any{"startedAt": "2026-03-01T12:00:00.000Z", "submittedAt": "2026-03-01T12:00:00.000Z"},
	}))
	_, tokens, _ := e.seen()
	g.Expect(tokens).To(HaveLen(1))
	g.Expect(tokens[0].form.Get("scope")).To(Equal(strings.Join(lti.GradeScopes, " ")))
}

func TestWorkIsReviewedAndGraded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("My <b>essay</b>", nil)
	e.submits("Another essay", lti.Claims{"sub": "learner-2"})
	e.submits("Another item", lti.Claims{lti.ClaimAGS: endpoint(itemURL + "2"), lti.ClaimResourceLink: map[string]any{"id": "link-2"}})
	e.book.seen()
	b := e.window()
	shown := e.launch(b, reviews(nil))
	g.Expect(shown.status).To(Equal(http.StatusOK), shown.Text())
	g.Expect(shown.Find("#review #work").Text()).To(Equal("My <b>essay</b>"))
	g.Expect(shown.Find("#for-user").Text()).To(Equal("Jude Wong"))
	g.Expect(shown.Find("#reviewer").Text()).To(Equal("Ida Rhodes"))
	g.Expect(shown.Find("#return").AttrOr("href", "")).To(HavePrefix(returnURL))
	g.Expect(e.book.seen()).To(BeEmpty())

	for i, score := range []string{"0", "7.5", "12"} {
		expectSaved(t, b.press(shown, "#grade", url.Values{"score": {score}}), "graded")
		calls := e.book.seen()
		g.Expect(calls).To(HaveLen(1))
		points, _ := strconv.ParseFloat(score, 64)
		g.Expect(calls[0].body).To(Equal(map[string]any{
			"userId": "learner-1", "scoringUserId": "teacher-1", "scoreGiven": points, "scoreMaximum": 10.0,
			"activityProgress": "Completed", "gradingProgress": "FullyGraded", "timestamp": fmt.Sprintf("2026-03-01T12:00:00.00%dZ", i+1),
		}))
	}
	g.Expect(b.press(shown, "#grade", url.Values{"score": {"much"}}).status).To(Equal(http.StatusBadRequest))
	g.Expect(b.press(shown, "#grade", url.Values{"score": {"NaN"}}).status).To(Equal(http.StatusBadRequest))
	g.Expect(e.book.seen()).To(BeEmpty())
	_, tokens, _ := e.seen()
	g.Expect(tokens).To(HaveLen(1), "it is kept")

	other := e.launch(e.window(), reviews(lti.Claims{lti.ClaimForUser: map[string]any{"user_id": "learner-2"}, lti.ClaimResourceLink: nil}))
	g.Expect(other.Find("#work").Text()).To(Equal("Another essay"))
	g.Expect(other.Find("#for-user").Text()).To(Equal("learner-2"))
	nothing := e.launch(e.window(), reviews(lti.Claims{lti.ClaimForUser: map[string]any{"user_id": "group-17"}}))
	g.Expect(nothing.status).To(Equal(http.StatusOK))
	g.Expect(nothing.Find("#nothing").Length()).To(Equal(1))
	g.Expect(nothing.Find("#grade-form").Length()).To(BeZero())
}

func TestReviewsShowNothingElse(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	e.submits("My essay", nil)
	for name, changes := range map[string]lti.Claims{
		"unknown line item":    {lti.ClaimAGS: endpoint(itemURL + "9")},
		"of another link":      {lti.ClaimResourceLink: map[string]any{"id": "link-2"}},
		"of another context":   {lti.ClaimContext: map[string]any{"id": "course-2"}},
		"of other deployment":  {lti.ClaimDeploymentID: "deployment-b"},
		"no for_user":          {lti.ClaimForUser: nil},
		"no user_id":           {lti.ClaimForUser: map[string]any{}},
		"sub for user_id":      {lti.ClaimForUser: map[string]any{"sub": "learner-1"}},
		"user_id a number":     {lti.ClaimForUser: map[string]any{"user_id": 1}},
		"user_id null":         {lti.ClaimForUser: raw(`{"user_id":null}`)},
		"user_id empty":        {lti.ClaimForUser: map[string]any{"user_id": ""}},
		"for_user a string":    {lti.ClaimForUser: "learner-1"},
		"no endpoint":          {lti.ClaimAGS: nil},
		"no line item":         {lti.ClaimAGS: lti.AGSEndpoint{Scope: lti.GradeScopes, LineItems: itemsURL}},
		"line item no URL":     {lti.ClaimAGS: endpoint("item-1")},
		"line item no address": {lti.ClaimAGS: endpoint("https:item-1")},
		"no roles":             {lti.ClaimRoles: nil},
		"no reviewer":          {"sub": nil},
		"another version":      {lti.ClaimVersion: "1.3"},
		"another type":         {lti.ClaimMessageType: "LtiSubmissionReview"},
		"another learner":      {"sub": "learner-2", lti.ClaimRoles: []string{lti.RoleLearner}},
		"nobody of the course": {"sub": "learner-2", lti.ClaimRoles: []string{}},
		"learner's for_user roles": {"sub": "learner-2", lti.ClaimRoles: []string{lti.RoleLearner},
			lti.ClaimForUser: map[string]any{"user_id": "learner-1", "roles": []string{lti.RoleInstructor}}},
		"foreign target": {lti.ClaimTargetLinkURI: platformURL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			shown := e.launch(e.window(), reviews(changes))
			g.Expect(shown.status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)), shown.Text())
			g.Expect(shown.Text()).NotTo(ContainSubstring("My essay"))
		})
	}
}

func TestReviewsAreTheBrowsersOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("My essay", nil)
	teacher, stranger := e.window(), e.window()
	shown := e.launch(teacher, reviews(nil))
	e.launch(stranger, reviews(nil))
	g.Expect(stranger.get(shown.url).status).To(Equal(http.StatusUnauthorized))
	e.book.seen()
	g.Expect(stranger.press(shown, "#grade", url.Values{"score": {"1"}}).status).To(Equal(http.StatusUnauthorized))
	g.Expect(e.book.seen()).To(BeEmpty())
	g.Expect(stranger.get(toolURL + "/review/no-such-id").status).To(Equal(http.StatusUnauthorized))

	own := e.window()
	mine := e.launch(own, reviews(lti.Claims{"sub": "learner-1", lti.ClaimRoles: []string{lti.RoleLearner}}))
	g.Expect(mine.Find("#work").Text()).To(Equal("My essay"))
	g.Expect(mine.Find("#grade-form").Length()).To(BeZero())
	g.Expect(own.do(http.MethodPost, mine.url+"/grade", url.Values{"score": {"10"}}).status).To(Equal(http.StatusForbidden))
	g.Expect(e.book.seen()).To(BeEmpty())
	resource := own.get(strings.Replace(mine.url, "/review/", "/resource?launch=", 1))
	g.Expect(resource.Find("form").Length()).To(BeZero(), "work is handed in from launches of links")
	g.Expect(own.get(strings.Replace(e.launch(own, studies(nil)).url, "/resource?launch=", "/review/", 1)).status).To(Equal(http.StatusNotFound))
}

func TestOnlyWhatIsAnnouncedIsAskedFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("One", lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeScore, "https://vendor.example/scope"}, LineItem: itemURL}})
	_, tokens, _ := e.seen()
	g.Expect(tokens).To(HaveLen(1))
	g.Expect(tokens[0].form.Get("scope")).To(Equal(lti.ScopeScore))
	e.book.seen()

	for _, announced := range []lti.AGSEndpoint{
		{Scope: []string{lti.ScopeLineItemReadOnly}, LineItem: itemURL}, {Scope: []string{lti.ScopeScore}, LineItems: itemsURL}, {Scope: lti.GradeScopes},
	} {
		expectNotSaved(t, e.hands("Two", lti.Claims{lti.ClaimAGS: announced}), "submitted")
	}
	b := e.window()
	shown := e.launch(b, reviews(lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeLineItemReadOnly}, LineItem: itemURL}}))
	g.Expect(shown.Find("#work").Text()).To(Equal("Two"), "it is kept in the tool")
	expectNotSaved(t, b.press(shown, "#grade", url.Values{"score": {"1"}}), "graded")
	g.Expect(e.launch(e.window(), studies(lti.Claims{lti.ClaimAGS: nil})).Find("form").Length()).To(BeZero())
	_, tokens, _ = e.seen()
	g.Expect(tokens).To(BeEmpty())
	g.Expect(e.book.seen()).To(BeEmpty())
}

func TestTokensOfGradesAreRenewed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	count := func() (tokens, calls int) {
		_, asked, _ := e.seen()
		return len(asked), len(e.book.seen())
	}
	e.book.answer(withStatus(http.StatusUnauthorized))
	e.submits("Refused once", nil)
	tokens, calls := count()
	g.Expect([]int{tokens, calls}).To(Equal([]int{2, 2}))

	refused := withStatus(http.StatusUnauthorized)
	e.book.answer(refused, refused, refused, refused, refused)
	expectNotSaved(t, e.hands("Refused always", nil), "submitted")
	tokens, calls = count()
	g.Expect([]int{tokens, calls}).To(Equal([]int{1, 2}))

	e.pass(time.Hour)
	e.book.answer()
	e.submits("Expired", nil)
	tokens, calls = count()
	g.Expect([]int{tokens, calls}).To(Equal([]int{1, 1}))

	e.book.answer(withStatus(http.StatusTooManyRequests))
	expectNotSaved(t, e.hands("Too many", nil), "submitted")
	_, calls = count()
	g.Expect(calls).To(Equal(1))

	e.book.answer(withStatus(http.StatusServiceUnavailable))
	e.submits("Not available", nil)
	tried := e.book.seen()
	g.Expect(tried).To(HaveLen(2))
	g.Expect(tried[0].body).To(Equal(tried[1].body), "it is the same score")
	e.book.answer(withStatus(http.StatusServiceUnavailable), withStatus(http.StatusServiceUnavailable))
	expectNotSaved(t, e.hands("Not available", nil), "submitted")
}

func TestScoresGoBelowThePath(t *testing.T) {
	t.Parallel()
	for to, target := range map[string]string{
		"/contexts/9?type=x&y=1": "/contexts/9/scores?type=x&y=1", "/contexts/scores/9": "/contexts/scores/9/scores",
		"/contexts/a%2Fb": "/contexts/a%2Fb/scores", "/contexts/platform.example.com": "/contexts/platform.example.com/scores",
	} {
		e := newExam(t)
		e.hands("x", lti.Claims{lti.ClaimAGS: endpoint(platformURL + to)})
		calls := e.book.seen()
		NewWithT(t).Expect(calls).To(HaveLen(1))
		NewWithT(t).Expect(calls[0].target).To(Equal(target))
	}
}

// own is the tool's line item for a link.
func own(link string, more map[string]any) map[string]any {
	item := map[string]any{"id": itemURL, "label": "Essay", "scoreMaximum": 10, "resourceId": "faketool-work", "resourceLinkId": link}
	maps.Copy(item, more)
	return item
}

func TestLineItemsAreFoundOrMade(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("One", lti.Claims{lti.ClaimAGS: endpoint("")})
	calls := e.book.seen()
	g.Expect(calls).To(HaveLen(3))
	g.Expect(calls[0].String()).To(Equal("GET /contexts/course-1/lineitems?type_id=3&resource_id=faketool-work&resource_link_id=link-1"))
	g.Expect(calls[0].accept).To(Equal(lti.MediaTypeLineItemContainer))
	g.Expect(calls[1].String()).To(Equal("POST /contexts/course-1/lineitems?type_id=3"))
	g.Expect(calls[1].contentType).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].accept).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].request.body).To(MatchJSON(`{"label":"Essay","scoreMaximum":10,"resourceId":"faketool-work","tag":"work","resourceLinkId":"link-1",
		"submissionReview":{"reviewableStatus":["InProgress","Submitted","Completed"],"label":"Open the work","url":"` + toolURL + `/launch","custom":{"action":"review"}}}`))
	g.Expect(calls[2].String()).To(Equal("POST /contexts/course-1/lineitems/item-1/scores"))

	e.submits("Two", lti.Claims{lti.ClaimAGS: endpoint("")})
	calls = e.book.seen()
	g.Expect(calls).To(HaveLen(2), "it is found again")
	shown := e.launch(e.window(), reviews(lti.Claims{lti.ClaimResourceLink: nil}))
	g.Expect(shown.Find("#work").Text()).To(Equal("Two"))
}

// Links of the next page, as platforms write them.
var links = map[string]func(w http.ResponseWriter, next string){
	"usual": func(w http.ResponseWriter, next string) { w.Header().Set("Link", "<"+next+`>; rel="next"`) },
	"next first": func(w http.ResponseWriter, next string) {
		w.Header().Set("Link", "<"+next+`>; rel="next", </a?x=1,2>; rel="last"`)
	},
	"next last": func(w http.ResponseWriter, next string) {
		w.Header().Set("Link", `</a>; title="rel=next, <x>"; rel="first",<`+next+`>;rel="next"`)
	},
	"of its own": func(w http.ResponseWriter, next string) {
		w.Header().Add("Link", `</a>; rel="prev"`)
		w.Header().Add("Link", "<"+next+`>; rel="next"`)
	},
	"lower case": func(w http.ResponseWriter, next string) { w.Header()["link"] = []string{"<" + next + `>; rel="next"`} },
	"unquoted":   func(w http.ResponseWriter, next string) { w.Header().Set("Link", "<"+next+">;rel=next") },
	"upper case": func(w http.ResponseWriter, next string) { w.Header().Set("Link", "<"+next+">;REL=NEXT") },
	"relative": func(w http.ResponseWriter, next string) {
		w.Header().Set("Link", "<"+strings.TrimPrefix(next, platformURL)+`>; rel="next"`)
	},
	"query alone": func(w http.ResponseWriter, next string) {
		w.Header().Set("Link", "<"+strings.TrimPrefix(next, itemsURL)+`>; rel="next"`)
	},
	"two relations": func(w http.ResponseWriter, next string) {
		w.Header().Set("Link", "<"+next+`>; rel="last next"; title="a\"b"`)
	},
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	for name, link := range links {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExam(t)
			e.book.size, e.book.link = 1, link
			e.book.holds(own("link-2", map[string]any{"tag": nil}), own("link-3", nil), own("link-1", nil))
			e.submits("One", lti.Claims{lti.ClaimAGS: endpoint("")})
			calls := e.book.seen()
			g := NewWithT(t)
			g.Expect(calls).To(HaveLen(4))
			g.Expect(calls[2].target).To(ContainSubstring("at=2"))
			g.Expect(calls[3].String()).To(Equal("POST /contexts/course-1/lineitems/item-1/scores"))
		})
	}
}

func TestListsWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(int) string{
		"back to the beginning": func(int) string { return "?type_id=3&resource_id=faketool-work&resource_link_id=link-1" },
		"to itself":             func(int) string { return "?at=1" },
		"on and on":             func(i int) string { return fmt.Sprint("?at=1&n=", i) },
		"elsewhere":             func(int) string { return "https://stranger.example.com/" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExam(t)
			n := 0
			e.book.size, e.book.link = 1, func(w http.ResponseWriter, _ string) {
				n++
				w.Header().Set("Link", "<"+next(n)+`>; rel="next"`)
			}
			e.book.holds(own("link-2", nil), own("link-3", nil), own("link-3", nil))
			expectNotSaved(t, e.hands("One", lti.Claims{lti.ClaimAGS: endpoint("")}), "submitted")
			g := NewWithT(t)
			calls := e.book.seen()
			g.Expect(len(calls)).To(BeNumerically("<=", 50))
			for _, c := range calls {
				g.Expect(c.method).To(Equal(http.MethodGet), "it may be there all the same")
			}
		})
	}
}

func TestRenamedLineItemsKeepTheirMembers(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.book.answer(withBody(`{"id":"`+itemURL+`","label":"Old","scoreMaximum":7.50,"gradesReleased":false,"tag":null,"endDateTime":"2026-04-01T00:00:00Z",
		"submissionReview":{"reviewableStatus":["None"],"url":"`+toolURL+`/launch?a=1","custom":{"a":"b"},"x":1},"https://vendor.example/x":{"y":[1e400]}}`), withStatus(http.StatusOK))
	b := e.window()
	shown := e.launch(b, teaches(nil))
	expectSaved(t, b.press(shown, "#rename", url.Values{"label": {"New & better"}}), "renamed")
	calls := e.book.seen()
	g.Expect(calls).To(HaveLen(2))
	g.Expect(calls[0].String()).To(Equal("GET /contexts/course-1/lineitems/item-1"))
	g.Expect(calls[0].accept).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].method).To(Equal(http.MethodPut))
	g.Expect(calls[1].contentType).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].request.body).To(And(ContainSubstring(`"scoreMaximum":7.50`), ContainSubstring(`[1e400]`), ContainSubstring(`"gradesReleased":false`),
		ContainSubstring(`"custom":{"a":"b"}`), ContainSubstring(`"x":1`), ContainSubstring(`"label":"New \u0026 better"`), Not(ContainSubstring("tag"))))
	g.Expect(b.press(shown, "#rename", url.Values{"label": {" "}}).status).To(Equal(http.StatusBadRequest))

	e.book.answer(withStatus(http.StatusNotFound))
	expectNotSaved(t, b.press(shown, "#rename", url.Values{"label": {"x"}}), "renamed")
	shown = e.launch(b, teaches(lti.Claims{lti.ClaimAGS: endpoint("")}))
	expectNotSaved(t, b.press(shown, "#rename", url.Values{"label": {"x"}}), "renamed")
	student := e.window()
	launched := e.launch(student, studies(nil))
	g.Expect(launched.Find("#rename").Length()).To(BeZero())
	at := strings.Replace(launched.url, "/resource?launch=", "/work/", 1)
	for _, action := range []string{"/rename", "/results"} {
		g.Expect(student.do(http.MethodPost, at+action, url.Values{"label": {"x"}}).status).To(Equal(http.StatusForbidden))
	}
}

func TestResultsAreRead(t *testing.T) {
	t.Parallel()
	for results, seen := range map[string]string{
		"[]": "None",
		`[{"id":"a","scoreOf":"b","userId":"u1"},{"userId":"u2","resultScore":null,"resultMaximum":null}]`:        "u1: no grade u2: no grade",
		`[{"userId":"u1","resultScore":0.83},{"userId":"u2","resultScore":0,"resultMaximum":10,"comment":"<i>"}]`: "u1: 0.83 of 1 u2: 0 of 10, <i>",
		`[7,{"userId":8,"resultScore":"9"}]`:        ": no grade : no grade",
		`{"results":[]}`:                            "None",
		`[{"userId":"` + strings.Repeat("x", 1<<19): "None",
	} {
		g := NewWithT(t)
		e := newExam(t)
		e.book.results = results
		b := e.window()
		shown := b.press(e.launch(b, teaches(lti.Claims{lti.ClaimAGS: endpoint(itemURL + "?a=1")})), "#read-results", nil)
		g.Expect(shown.status).To(Equal(http.StatusOK))
		g.Expect(strings.Join(strings.Fields(shown.Find("#results ul, #unread ul").Text()), " ")).To(Equal(seen))
		g.Expect(shown.Find("[role=alert]").Length()).To(Equal(map[bool]int{true: 0, false: 1}[strings.HasSuffix(results, "]")]))
		calls := e.book.seen()
		g.Expect(calls).To(HaveLen(1))
		g.Expect(calls[0].target).To(Equal("/contexts/course-1/lineitems/item-1/results?a=1"))
		g.Expect(calls[0].accept).To(Equal(lti.MediaTypeResultContainer))
	}
}

func TestScoresGrowAlsoAtOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("One", nil)
	teacher := e.window()
	shown := e.launch(teacher, reviews(nil))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { teacher.press(shown, "#grade", url.Values{"score": {strconv.Itoa(i)}}) })
		all.Go(func() { e.hands("Again", nil) })
	}
	all.Wait()
	last := ""
	calls := e.book.seen()
	g.Expect(calls).To(HaveLen(17))
	for _, c := range calls {
		at, _ := c.body["timestamp"].(string)
		g.Expect(at > last).To(BeTrue(), at+" after "+last)
		last = at
	}
}

func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	g.Expect(e.hands(" \n", nil).status).To(Equal(http.StatusBadRequest))
	g.Expect(e.hands(strings.Repeat("x", 64<<10+1), nil).status).To(Equal(http.StatusBadRequest))
	g.Expect(e.book.seen()).To(BeEmpty())
}

func TestReviewersStayThemselves(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := newExam(t)
	e.submits("My essay", nil)
	b := e.window()
	account := e.launch(b, teaches(nil)).Find("#user").Text()
	markup := "<img src=x onerror=alert(1)>"
	shown := e.launch(b, reviews(lti.Claims{
		lti.ClaimForUser: map[string]any{"user_id": "learner-1", "name": markup}, lti.ClaimCustom: map[string]any{"action": markup},
		lti.ClaimTargetLinkURI: toolURL + "/launch?chapter=3",
	}))
	g.Expect(shown.Find("#user").Text()).To(Equal(account))
	g.Expect(shown.Find("#for-user").Text()).To(Equal(markup))
	g.Expect(shown.Find("#custom dd").Text()).To(Equal(markup))
	g.Expect(shown.Find("img").Length()).To(BeZero())
	g.Expect(shown.Text()).To(ContainSubstring("chapter 3"))
	g.Expect(e.launch(b, teaches(nil)).Find("#resource strong").Text()).To(Equal("Ida Rhodes"))
	refused := e.launch(b, reviews(lti.Claims{lti.ClaimAGS: endpoint(itemURL + "9")}))
	g.Expect(refused.Find("#return").AttrOr("href", "")).To(ContainSubstring("lti_errormsg="))
	g.Expect(e.launch(b, reviews(lti.Claims{lti.ClaimLaunchPresentation: nil})).Find("#return").Length()).To(BeZero())
}

// A tool remembers the last launches, as many as it is to.
func TestOldLaunchesAreForgotten(t *testing.T) {
	t.Parallel()
	const most = 5
	g := NewWithT(t)
	e := newExamOf(t, faketool.Options{Remembers: most})
	b := e.window()
	first := e.launch(b, studies(nil))
	g.Expect(b.get(first.url).status).To(Equal(http.StatusOK))
	g.Expect(b.press(first, "#submit", url.Values{"work": {"My essay"}}).status).To(Equal(http.StatusOK))
	for range most - 1 {
		e.launch(e.window().still(), studies(nil))
	}
	g.Expect(b.get(first.url).status).To(Equal(http.StatusOK))
	e.launch(e.window().still(), studies(nil))
	g.Expect(b.get(first.url).status).To(Equal(http.StatusUnauthorized))
	g.Expect(e.launch(e.window(), reviews(nil)).Find("#work").Text()).To(Equal("My essay"))
}
