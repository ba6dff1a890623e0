package grades_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

func TestWorkIsHandedInAndTold(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Submits("My essay", nil)
	calls := e.Book.Seen()
	g.Expect(calls).To(HaveLen(1))
	g.Expect(calls[0].String()).To(Equal("POST /contexts/course-1/lineitems/item-1/scores"))
	g.Expect(calls[0].ContentType).To(Equal(lti.MediaTypeScore))
	g.Expect(calls[0].Authorization).To(Equal("Bearer t-._~+/=1"))
	g.Expect(calls[0].Body).To(Equal(map[string]any{
		"userId": "learner-1", "timestamp": "2026-03-01T12:00:00.000Z", "activityProgress": "Submitted", "gradingProgress": "PendingManual",
		"submission": map[string]any{"startedAt": "2026-03-01T12:00:00.000Z", "submittedAt": "2026-03-01T12:00:00.000Z"},
	}))
	_, tokens, _ := e.Seen()
	g.Expect(tokens).To(HaveLen(1))
	g.Expect(tokens[0].Form.Get("scope")).To(Equal(strings.Join(lti.GradeScopes, " ")))
}

func TestTokensOfGradesAreRenewed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	count := func() (tokens, calls int) {
		_, asked, _ := e.Seen()
		return len(asked), len(e.Book.Seen())
	}
	e.Book.Answer(tooltest.WithStatus(http.StatusUnauthorized))
	e.Submits("Refused once", nil)
	tokens, calls := count()
	g.Expect([]int{tokens, calls}).To(Equal([]int{2, 2}))

	refused := tooltest.WithStatus(http.StatusUnauthorized)
	e.Book.Answer(refused, refused, refused, refused, refused)
	tooltest.ExpectNotSaved(t, e.Hands("Refused always", nil), "submitted")
	tokens, calls = count()
	g.Expect([]int{tokens, calls}).To(Equal([]int{1, 2}))

	e.Pass(time.Hour)
	e.Book.Answer()
	e.Submits("Expired", nil)
	tokens, calls = count()
	g.Expect([]int{tokens, calls}).To(Equal([]int{1, 1}))

	e.Book.Answer(tooltest.WithStatus(http.StatusTooManyRequests))
	tooltest.ExpectNotSaved(t, e.Hands("Too many", nil), "submitted")
	_, calls = count()
	g.Expect(calls).To(Equal(1))

	e.Book.Answer(tooltest.WithStatus(http.StatusServiceUnavailable))
	e.Submits("Not available", nil)
	tried := e.Book.Seen()
	g.Expect(tried).To(HaveLen(2))
	g.Expect(tried[0].Body).To(Equal(tried[1].Body), "it is the same score")
	e.Book.Answer(tooltest.WithStatus(http.StatusServiceUnavailable), tooltest.WithStatus(http.StatusServiceUnavailable))
	tooltest.ExpectNotSaved(t, e.Hands("Not available", nil), "submitted")
}

func TestScoresGoBelowThePath(t *testing.T) {
	t.Parallel()
	for to, target := range map[string]string{
		"/contexts/9?type=x&y=1": "/contexts/9/scores?type=x&y=1", "/contexts/scores/9": "/contexts/scores/9/scores",
		"/contexts/a%2Fb": "/contexts/a%2Fb/scores", "/contexts/platform.example.com": "/contexts/platform.example.com/scores",
	} {
		e := tooltest.New(t)
		e.Hands("x", lti.Claims{lti.ClaimAGS: tooltest.Endpoint(tooltest.PlatformURL + to)})
		calls := e.Book.Seen()
		NewWithT(t).Expect(calls).To(HaveLen(1))
		NewWithT(t).Expect(calls[0].Target).To(Equal(target))
	}
}

// own is the tool's line item for a link.
func own(link string, more map[string]any) map[string]any {
	item := map[string]any{"id": tooltest.ItemURL, "label": "Essay", "scoreMaximum": 10, "resourceId": "faketool-work", "resourceLinkId": link}
	maps.Copy(item, more)
	return item
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
		w.Header().Set("Link", "<"+strings.TrimPrefix(next, tooltest.PlatformURL)+`>; rel="next"`)
	},
	"query alone": func(w http.ResponseWriter, next string) {
		w.Header().Set("Link", "<"+strings.TrimPrefix(next, tooltest.ItemsURL)+`>; rel="next"`)
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
			e := tooltest.New(t)
			e.Book.Size, e.Book.Link = 1, link
			e.Book.Holds(own("link-2", map[string]any{"tag": nil}), own("link-3", nil), own("link-1", nil))
			e.Submits("One", lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")})
			calls := e.Book.Seen()
			g := NewWithT(t)
			g.Expect(calls).To(HaveLen(4))
			g.Expect(calls[2].Target).To(ContainSubstring("at=2"))
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
			e := tooltest.New(t)
			n := 0
			e.Book.Size, e.Book.Link = 1, func(w http.ResponseWriter, _ string) {
				n++
				w.Header().Set("Link", "<"+next(n)+`>; rel="next"`)
			}
			e.Book.Holds(own("link-2", nil), own("link-3", nil), own("link-3", nil))
			tooltest.ExpectNotSaved(t, e.Hands("One", lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")}), "submitted")
			g := NewWithT(t)
			calls := e.Book.Seen()
			g.Expect(len(calls)).To(BeNumerically("<=", 50))
			for _, c := range calls {
				g.Expect(c.Method).To(Equal(http.MethodGet), "it may be there all the same")
			}
		})
	}
}

func TestRenamedLineItemsKeepTheirMembers(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	e.Book.Answer(tooltest.WithBody(`{"id":"`+tooltest.ItemURL+`","label":"Old","scoreMaximum":7.50,"gradesReleased":false,"tag":null,"endDateTime":"2026-04-01T00:00:00Z",
		"submissionReview":{"reviewableStatus":["None"],"url":"`+tooltest.ToolURL+`/launch?a=1","custom":{"a":"b"},"x":1},"https://vendor.example/x":{"y":[1e400]}}`), tooltest.WithStatus(http.StatusOK))
	b := e.Window()
	shown := e.Launch(b, tooltest.Teaches(nil))
	tooltest.ExpectSaved(t, b.Press(shown, "#rename", url.Values{"label": {"New & better"}}), "renamed")
	calls := e.Book.Seen()
	g.Expect(calls).To(HaveLen(2))
	g.Expect(calls[0].String()).To(Equal("GET /contexts/course-1/lineitems/item-1"))
	g.Expect(calls[0].Accept).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].Method).To(Equal(http.MethodPut))
	g.Expect(calls[1].ContentType).To(Equal(lti.MediaTypeLineItem))
	g.Expect(calls[1].Request.Body).To(And(ContainSubstring(`"scoreMaximum":7.50`), ContainSubstring(`[1e400]`), ContainSubstring(`"gradesReleased":false`),
		ContainSubstring(`"custom":{"a":"b"}`), ContainSubstring(`"x":1`), ContainSubstring(`"label":"New \u0026 better"`), Not(ContainSubstring("tag"))))
	g.Expect(b.Press(shown, "#rename", url.Values{"label": {" "}}).Status).To(Equal(http.StatusBadRequest))

	e.Book.Answer(tooltest.WithStatus(http.StatusNotFound))
	tooltest.ExpectNotSaved(t, b.Press(shown, "#rename", url.Values{"label": {"x"}}), "renamed")
	shown = e.Launch(b, tooltest.Teaches(lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")}))
	tooltest.ExpectNotSaved(t, b.Press(shown, "#rename", url.Values{"label": {"x"}}), "renamed")
	student := e.Window()
	launched := e.Launch(student, tooltest.Studies(nil))
	g.Expect(launched.Find("#rename").Length()).To(BeZero())
	at := strings.Replace(launched.URL, "/resource?launch=", "/work/", 1)
	for _, action := range []string{"/rename", "/results"} {
		g.Expect(student.Do(http.MethodPost, at+action, url.Values{"label": {"x"}}).Status).To(Equal(http.StatusForbidden))
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
		e := tooltest.New(t)
		e.Book.Results = results
		b := e.Window()
		shown := b.Press(e.Launch(b, tooltest.Teaches(lti.Claims{lti.ClaimAGS: tooltest.Endpoint(tooltest.ItemURL + "?a=1")})), "#read-results", nil)
		g.Expect(shown.Status).To(Equal(http.StatusOK))
		g.Expect(strings.Join(strings.Fields(shown.Find("#results ul, #unread ul").Text()), " ")).To(Equal(seen))
		g.Expect(shown.Find("[role=alert]").Length()).To(Equal(map[bool]int{true: 0, false: 1}[strings.HasSuffix(results, "]")]))
		calls := e.Book.Seen()
		g.Expect(calls).To(HaveLen(1))
		g.Expect(calls[0].Target).To(Equal("/contexts/course-1/lineitems/item-1/results?a=1"))
		g.Expect(calls[0].Accept).To(Equal(lti.MediaTypeResultContainer))
	}
}

func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	g.Expect(e.Hands(" \n", nil).Status).To(Equal(http.StatusBadRequest))
	g.Expect(e.Hands(strings.Repeat("x", 64<<10+1), nil).Status).To(Equal(http.StatusBadRequest))
	g.Expect(e.Book.Seen()).To(BeEmpty())
}
