package grades_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
)

func TestLaunchesOfferGrades(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	offered := room.Learns(platformtest.ClientID, platformtest.Ada)
	g.Expect(offered).To(And(
		HaveKeyWithValue("scope", ConsistOf(lti.ScopeLineItem, lti.ScopeLineItemReadOnly, lti.ScopeResultReadOnly, lti.ScopeScore)),
		HaveKeyWithValue("lineitems", platformtest.PlatformURL+"/contexts/course%2F7/lineitems"), HaveLen(2),
	))
	g.Expect(room.Learns(platformtest.ClientID, platformtest.Ada, func(p *fakeplatform.Plan) { p.Scopes = []string{lti.ScopeScore} })).
		To(HaveKeyWithValue("scope", ConsistOf(lti.ScopeScore)))
	g.Expect(room.Claims(platformtest.ClientID, platformtest.Ada, func(p *fakeplatform.Plan) { p.Offers = nil })).NotTo(HaveKey(lti.ClaimAGS))

	// The line item of the link is named as long as it is the only one.
	first := room.Makes(map[string]any{"resourceLinkId": "essay"})
	room.Makes(nil)
	g.Expect(room.Learns(platformtest.ClientID, platformtest.Ada)).To(HaveKeyWithValue("lineitem", first))
	g.Expect(room.Learns(platformtest.OtherClient, platformtest.Ada)).NotTo(HaveKey("lineitem"))
	second := room.Makes(map[string]any{"resourceLinkId": "essay"})
	g.Expect(room.Learns(platformtest.ClientID, platformtest.Ada)).NotTo(HaveKey("lineitem"))
	g.Expect(room.Asks(http.MethodDelete, first, "", "").Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Learns(platformtest.ClientID, platformtest.Ada)).To(HaveKeyWithValue("lineitem", second))

	_, err := room.Begin(fakeplatform.Plan{ClientID: platformtest.ClientID, User: platformtest.Ada, Offers: []string{grades.Profile}})
	g.Expect(err).To(MatchError(ContainSubstring("without context")))
}

func TestTokensOfGradeServices(t *testing.T) {
	t.Parallel()
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	all := map[string]struct {
		method, address string
		scopes          []string
	}{
		"list":    {http.MethodGet, room.LineItems, []string{lti.ScopeLineItem, lti.ScopeLineItemReadOnly}},
		"create":  {http.MethodPost, room.LineItems, []string{lti.ScopeLineItem}},
		"read":    {http.MethodGet, item, []string{lti.ScopeLineItem, lti.ScopeLineItemReadOnly}},
		"update":  {http.MethodPut, item, []string{lti.ScopeLineItem}},
		"delete":  {http.MethodDelete, item, []string{lti.ScopeLineItem}},
		"score":   {http.MethodPost, item + "/scores", []string{lti.ScopeScore}},
		"results": {http.MethodGet, item + "/results", []string{lti.ScopeResultReadOnly}},
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for _, scope := range append(slices.Clone(lti.GradeScopes), lti.ScopeControl) {
				if slices.Contains(c.scopes, scope) {
					continue
				}
				answer := room.Call(c.method, c.address, "", map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.ClientID, scope)})
				g.Expect(answer.Status).To(Equal(http.StatusForbidden), scope)
				g.Expect(answer.Header.Get("WWW-Authenticate")).To(And(HavePrefix("Bearer "), ContainSubstring(`error="insufficient_scope"`), ContainSubstring(c.scopes[0])))
				g.Expect(answer.JSON()).To(HaveKeyWithValue("error", lti.ErrorInsufficientScope))
			}
			for authorization, error := range map[string]string{
				"": "", "Basic YTpi": "", "Bearer x": lti.ErrorInvalidToken, "Bearer": "",
			} {
				answer := room.Call(c.method, c.address, "", map[string]string{"Authorization": authorization})
				g.Expect(answer.Status).To(Equal(http.StatusUnauthorized), authorization)
				g.Expect(answer.Header.Get("WWW-Authenticate")).To(And(HavePrefix("Bearer "), ContainSubstring(error)))
			}
			old := room.Scoped(platformtest.ClientID)
			room.Pass(time.Hour)
			answer := room.Call(c.method, c.address, "", map[string]string{"Authorization": "Bearer " + old})
			g.Expect(answer.Status).To(Equal(http.StatusUnauthorized))
			inQuery := room.Call(c.method, c.address+"?access_token="+room.Scoped(platformtest.ClientID), "", nil)
			g.Expect(inQuery.Status).To(Equal(http.StatusUnauthorized))
		})
	}
	NewWithT(t).Expect(grades.On(room).LineItems(platformtest.ClientID, platformtest.Algebra.ID)).To(HaveLen(1))
}

func TestLineItemsAreMadeReadChangedAndRemoved(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	g.Expect(room.Gets(room.LineItems).Body).To(MatchJSON("[]"))

	full := map[string]any{
		"label": "Essay", "scoreMaximum": 7.5, "resourceId": "r-1", "tag": "grade", "resourceLinkId": "essay",
		"startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2026-03-06T22:05:02.5+01:00", "gradesReleased": false,
		"submissionReview": map[string]any{
			"reviewableStatus": []any{"None", "Submitted"}, "label": "Open", "url": "https://tool.example/review?a=b", "custom": map[string]any{"k": "a=b&c"}, "x": 1.0,
		},
		"https://vendor.example/x": map[string]any{"a": 1.0}, "plain": "y",
	}
	made := room.Asks(http.MethodPost, room.LineItems+"?type=x", lti.MediaTypeLineItem+"; charset=utf-8", platformtest.Text(t, full, map[string]any{"id": "https://tool.example/own", "null": nil}))
	g.Expect(made.Status).To(Equal(http.StatusCreated), made.Body)
	g.Expect(made.Header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItem))
	id := made.JSON()["id"].(string)
	g.Expect(id).To(HavePrefix(room.LineItems + "/"))
	full["id"] = id
	g.Expect(made.JSON()).To(Equal(full))
	g.Expect(room.Gets(id).JSON()).To(Equal(full))
	g.Expect(room.Gets(id + "?type=x").JSON()).To(Equal(full))
	g.Expect(room.Gets(room.LineItems).Array()).To(Equal([]map[string]any{full}))
	twin := room.Makes(map[string]any{"resourceId": "r-1"})
	g.Expect(twin).NotTo(Equal(id))

	g.Expect(grades.On(room).LineItems(platformtest.ClientID, platformtest.Algebra.ID)[0]).To(And(
		HaveField("ID", id), HaveField("ScoreMaximum", 7.5), HaveField("ResourceLinkID", "essay"),
		HaveField("SubmissionReview.URL", "https://tool.example/review?a=b"), HaveField("SubmissionReview.Custom", map[string]string{"k": "a=b&c"}),
	))

	changed := room.Asks(http.MethodPut, id, lti.MediaTypeLineItem, `{"id":"https://tool.example/own","label":"Novel","scoreMaximum":20}`)
	g.Expect(changed.Status).To(Equal(http.StatusOK))
	now := map[string]any{"id": id, "label": "Novel", "scoreMaximum": 20.0, "resourceLinkId": "essay"}
	g.Expect(changed.JSON()).To(Equal(now))
	g.Expect(room.Gets(id).JSON()).To(Equal(now))
	g.Expect(room.Asks(http.MethodPut, id, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"resourceLinkId": "other"})).Status).To(Equal(http.StatusBadRequest))
	g.Expect(room.Asks(http.MethodPut, twin, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"resourceLinkId": "essay"})).Status).To(Equal(http.StatusBadRequest))
	g.Expect(room.Gets(id).JSON()).To(Equal(now))

	removed := room.Asks(http.MethodDelete, id, "", "")
	g.Expect(removed.Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Gets(id).Status).To(Equal(http.StatusNotFound))
	g.Expect(room.Asks(http.MethodDelete, id, "", "").Status).To(Equal(http.StatusNotFound))
	g.Expect(grades.On(room).LineItems(platformtest.ClientID, platformtest.Algebra.ID)).To(HaveLen(1))
}

func TestLineItemsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	review := func(members map[string]any) map[string]any { return map[string]any{"submissionReview": members} }
	for name, members := range map[string]map[string]any{
		"no label": {"label": platformtest.Absent}, "empty label": {"label": ""}, "blank label": {"label": " \t "}, "label null": {"label": nil}, "label a number": {"label": 1},
		"no maximum": {"scoreMaximum": platformtest.Absent}, "maximum 0": {"scoreMaximum": 0}, "maximum below 0": {"scoreMaximum": -1},
		"maximum a text": {"scoreMaximum": "10"}, "maximum null": {"scoreMaximum": nil}, "maximum huge": {"scoreMaximum": 1e300},
		"no date": {"startDateTime": "not-a-date"}, "date without zone": {"endDateTime": "2026-03-06T20:05:02"}, "empty date": {"endDateTime": ""},
		"end before start": {"startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2026-03-06T20:05:01Z"},
		"released a text":  {"gradesReleased": "true"}, "tag a number": {"tag": 1}, "resourceId a number": {"resourceId": 1},
		"review a text": {"submissionReview": "yes"}, "status a text": review(map[string]any{"reviewableStatus": "Submitted"}),
		"unknown status": review(map[string]any{"reviewableStatus": []string{"Done"}}), "status a number": review(map[string]any{"reviewableStatus": []int{1}}),
		"review label a number": review(map[string]any{"label": 1}), "custom a text": review(map[string]any{"custom": "x"}),
		"custom a number": review(map[string]any{"custom": map[string]any{"a": 1}}),
		"script":          review(map[string]any{"url": "javascript:alert(1)"}), "without TLS": review(map[string]any{"url": "http://tool.example/review"}),
		"foreign": review(map[string]any{"url": "https://evil.example/review"}), "relative": review(map[string]any{"url": "/review"}), "empty URL": review(map[string]any{"url": ""}),
	} {
		for method, address := range map[string]string{http.MethodPost: room.LineItems, http.MethodPut: item} {
			answer := room.Asks(method, address, lti.MediaTypeLineItem, platformtest.LineItem(members))
			NewWithT(t).Expect(answer.Status).To(Equal(http.StatusBadRequest), "%s by %s", name, method)
			NewWithT(t).Expect(answer.JSON()).To(HaveKeyWithValue("error_description", Not(BeEmpty())))
		}
	}
	for _, body := range []string{"", "[]", "{", "null", `"x"`, platformtest.LineItem(nil) + "x", strings.Repeat(" ", 70_000) + platformtest.LineItem(nil)} {
		NewWithT(t).Expect(room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, body).Status).To(Equal(http.StatusBadRequest), "%.50q", body)
	}
	room.Claims(platformtest.ClientID, platformtest.Ada, func(p *fakeplatform.Plan) { p.Context.ID, p.ResourceLink.ID = "course/8", "link-of-8" })
	room.Claims(platformtest.OtherClient, platformtest.Ada, func(p *fakeplatform.Plan) { p.ResourceLink.ID = "link-of-other" })
	for _, link := range []string{"unknown", "link-of-8", "link-of-other"} {
		answer := room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"resourceLinkId": link}))
		NewWithT(t).Expect(answer.Status).To(Equal(http.StatusNotFound), link)
	}
	items := room.Gets(room.LineItems).Array()
	NewWithT(t).Expect(items).To(HaveLen(1))
	NewWithT(t).Expect(items[0]).To(Equal(map[string]any{"id": item, "label": "Essay", "scoreMaximum": 10.0}))
}

func TestLineItemsOfOthersAreOutOfReach(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	elsewhere := strings.Replace(item, "course%2F7", "course%2F8", 1)
	room.Claims(platformtest.ClientID, platformtest.Ada, func(p *fakeplatform.Plan) { p.Context.ID = "course/8" })
	other := room.Scoped(platformtest.OtherClient)
	for _, address := range []string{elsewhere, room.LineItems + "/unknown", room.LineItems + "/", room.LineItems + "/%00", item + "/x", item + "/scores/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			answer := room.Asks(method, address, lti.MediaTypeLineItem, platformtest.LineItem(nil))
			g.Expect(answer.Status).To(Or(Equal(http.StatusNotFound), Equal(http.StatusMethodNotAllowed)), "%s %s", method, address)
		}
	}
	for _, c := range []struct{ method, address, mediaType, body string }{
		{http.MethodGet, item, "", ""}, {http.MethodPut, item, lti.MediaTypeLineItem, platformtest.LineItem(nil)}, {http.MethodDelete, item, "", ""},
		{http.MethodPost, item + "/scores", lti.MediaTypeScore, room.Score(nil)}, {http.MethodGet, item + "/results", "", ""},
	} {
		answer := room.Call(c.method, c.address, c.body, map[string]string{"Authorization": "Bearer " + other, "Content-Type": c.mediaType})
		g.Expect(answer.Status).To(Equal(http.StatusNotFound), "%s %s", c.method, c.address)
	}
	g.Expect(room.Call(http.MethodGet, room.LineItems, "", map[string]string{"Authorization": "Bearer " + other}).Body).To(MatchJSON("[]"))
	g.Expect(room.Asks(http.MethodGet, platformtest.PlatformURL+"/contexts/unknown/lineitems", "", "").Status).To(Equal(http.StatusNotFound))
	g.Expect(room.Whys()).To(ContainElement(ContainSubstring("no tool has a gradebook")))
	g.Expect(room.Gets(item).Status).To(Equal(http.StatusOK))
	g.Expect(grades.On(room).Grade(item, platformtest.Jude.Sub)).To(BeZero())
}

func TestMediaTypesAndMethodsOfGradeServices(t *testing.T) {
	t.Parallel()
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	token := room.Scoped(platformtest.ClientID)
	for name, c := range map[string]struct {
		method, address, mediaType, accept string
		status                             int
	}{
		"parameters":          {http.MethodPost, room.LineItems, lti.MediaTypeLineItem + ";charset=utf-8", "", 201},
		"upper case":          {http.MethodPost, room.LineItems, strings.ToUpper(lti.MediaTypeLineItem), "", 201},
		"JSON":                {http.MethodPost, room.LineItems, "application/json", "", 201},
		"text":                {http.MethodPost, room.LineItems, "text/plain", "", 415},
		"none":                {http.MethodPost, room.LineItems, "", "", 415},
		"score as line item":  {http.MethodPost, item + "/scores", lti.MediaTypeLineItem, "", 415},
		"line item as score":  {http.MethodPut, item, lti.MediaTypeScore, "", 415},
		"accepts exactly":     {http.MethodGet, room.LineItems, "", lti.MediaTypeLineItemContainer, 200},
		"accepts several":     {http.MethodGet, room.LineItems, "", "text/html, " + lti.MediaTypeLineItemContainer + ";q=0.5", 200},
		"accepts anything":    {http.MethodGet, room.LineItems, "", "*/*", 200},
		"accepts JSON":        {http.MethodGet, room.LineItems, "", "application/json", 200},
		"accepts other":       {http.MethodGet, room.LineItems, "", "text/html", 406},
		"accepts all but it":  {http.MethodGet, room.LineItems, "", lti.MediaTypeLineItemContainer + ";q=0", 406},
		"accepts one":         {http.MethodGet, item, "", lti.MediaTypeLineItem, 200},
		"results as items":    {http.MethodGet, item + "/results", "", lti.MediaTypeLineItemContainer, 406},
		"patch":               {http.MethodPatch, item, lti.MediaTypeLineItem, "", 405},
		"post to an item":     {http.MethodPost, item, lti.MediaTypeLineItem, "", 405},
		"get scores":          {http.MethodGet, item + "/scores", "", "", 405},
		"delete the lot":      {http.MethodDelete, room.LineItems, "", "", 405},
		"another way to it":   {http.MethodGet, room.LineItems + "/scores" + strings.TrimPrefix(item, room.LineItems), "", "", 200},
		"results another way": {http.MethodGet, room.LineItems + "/scores" + strings.TrimPrefix(item, room.LineItems) + "/results", "", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			header := map[string]string{"Authorization": "Bearer " + token, "Content-Type": c.mediaType}
			if c.accept != "" {
				header["Accept"] = c.accept
			}
			answer := room.Call(c.method, c.address, platformtest.LineItem(nil), header)
			g.Expect(answer.Status).To(Equal(c.status), answer.Body)
			if c.status == 405 {
				g.Expect(answer.Header.Get("Allow")).NotTo(BeEmpty())
			}
		})
	}
}

func TestLineItemsAreFilteredAndComeInPages(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	const odd = "a & ü=#"
	var all []string
	for i := range 120 {
		members := map[string]any{"label": fmt.Sprint("Essay ", i), "tag": odd}
		if i%3 == 0 {
			members = map[string]any{"resourceId": "r-1", "resourceLinkId": "essay", "tag": "third"}
		}
		all = append(all, room.Makes(members))
	}
	ids := func(query url.Values) []string {
		t.Helper()
		address, found := room.LineItems+"?"+query.Encode(), []string{}
		for address != "" {
			answer := room.Gets(address)
			g.Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
			g.Expect(answer.Header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItemContainer))
			for _, item := range answer.Array() {
				found = append(found, item["id"].(string))
			}
			address = platformtest.NextPage(answer)
		}
		return found
	}
	third := slices.Clone(all)
	third = slices.DeleteFunc(third, func(id string) bool { return slices.Index(all, id)%3 != 0 })
	others := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(third, id) })
	g.Expect(ids(nil)).To(Equal(all))
	g.Expect(ids(url.Values{"limit": {"7"}, "type": {"x"}})).To(Equal(all))
	g.Expect(ids(url.Values{"limit": {"100000"}})).To(Equal(all))
	g.Expect(ids(url.Values{"limit": {"9"}, "tag": {odd}})).To(Equal(others))
	g.Expect(ids(url.Values{"limit": {"9"}, "resource_id": {"r-1"}})).To(Equal(third))
	g.Expect(ids(url.Values{"resource_link_id": {"essay"}, "tag": {"third"}, "resource_id": {"r-1"}})).To(Equal(third))
	g.Expect(ids(url.Values{"resource_link_id": {"essay"}, "tag": {odd}})).To(BeEmpty())
	g.Expect(ids(url.Values{"tag": {"nothing"}})).To(BeEmpty())
	g.Expect(platformtest.NextPage(room.Gets(room.LineItems+"?limit=120"))).NotTo(BeEmpty(), "the platform's own page size")
	for _, limit := range []string{"0", "-1", "abc", "", "1e3", "99999999999999999999"} {
		g.Expect(room.Gets(room.LineItems+"?limit="+limit).Status).To(Equal(http.StatusBadRequest), limit)
	}
	g.Expect(room.Gets(room.LineItems + "?after=x").Status).To(Equal(http.StatusBadRequest))

	// What goes away meanwhile makes nothing else go.
	first := room.Gets(room.LineItems + "?limit=3")
	g.Expect(room.Asks(http.MethodDelete, all[0], "", "").Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Gets(platformtest.NextPage(first)).Array()[0]).To(HaveKeyWithValue("id", all[3]))
}

func TestScores(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	g.Expect(room.Result(item)).To(BeNil())

	taken := room.Scores(item+"?type=x", nil) // what follows is no path
	g.Expect(taken.Status).To(Equal(http.StatusMethodNotAllowed))
	full := map[string]any{
		"comment": "ü", "scoringUserId": platformtest.Mary.Sub, "submission": map[string]any{"startedAt": "2026-03-01T10:00:00Z", "submittedAt": "2026-03-01T11:00:00Z"},
		"https://vendor.example/x": 1,
	}
	taken = room.Scores(item, full)
	g.Expect(taken.Status).To(Equal(http.StatusNoContent), taken.Body)
	g.Expect(room.Result(item)).To(And(
		HaveKeyWithValue("id", item+"/results?user_id="+platformtest.Jude.Sub), HaveKeyWithValue("scoreOf", item), HaveKeyWithValue("userId", platformtest.Jude.Sub),
		HaveKeyWithValue("resultScore", 8.0), HaveKeyWithValue("resultMaximum", 10.0), HaveKeyWithValue("comment", "ü"),
		HaveKeyWithValue("scoringUserId", platformtest.Mary.Sub), HaveLen(7),
	))
	points := 8.0
	g.Expect(grades.On(room).Grade(item, platformtest.Jude.Sub)).To(Equal(grades.Grade{
		Progress: lti.Completed, Grading: lti.FullyGraded, Points: &points, Final: true, Comment: "ü",
	}))

	for _, c := range []struct {
		members map[string]any
		points  any
	}{
		{map[string]any{"scoreGiven": 45, "scoreMaximum": 60}, 7.5},
		{map[string]any{"scoreGiven": 1, "scoreMaximum": 3}, BeNumerically("~", 10.0/3, 1e-9)},
		{map[string]any{"scoreGiven": 0, "scoreMaximum": 60}, 0.0},
		{map[string]any{"scoreGiven": 12}, 12.0},
		{map[string]any{"scoreGiven": platformtest.Absent, "scoreMaximum": platformtest.Absent}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.Pending}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.PendingManual}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.GradingFailed}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.NotReady}, nil},
		{map[string]any{"scoreGiven": 5}, 5.0},
	} {
		answer := room.Scores(item, c.members)
		g.Expect(answer.Status).To(Equal(http.StatusNoContent), "%v: %s", c.members, answer.Body)
		if c.points == nil {
			g.Expect(room.Result(item)).To(And(HaveKeyWithValue("userId", platformtest.Jude.Sub), Not(HaveKey("resultScore"))), "%v", c.members)
			g.Expect(grades.On(room).Grade(item, platformtest.Jude.Sub).Final).To(BeFalse())
			continue
		}
		g.Expect(room.Result(item)).To(HaveKeyWithValue("resultScore", c.points), "%v", c.members)
	}
	g.Expect(room.Asks(http.MethodPut, item, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"scoreMaximum": 20})).Status).To(Equal(http.StatusOK))
	g.Expect(room.Result(item)).To(And(HaveKeyWithValue("resultScore", 10.0), HaveKeyWithValue("resultMaximum", 20.0)))
	g.Expect(grades.On(room).Grade("https://tool.example/unknown", platformtest.Jude.Sub)).To(BeZero())
	g.Expect(grades.On(room).Grade(item, platformtest.Ada.Sub)).To(BeZero())
}

func TestScoresThatAreNotTaken(t *testing.T) {
	t.Parallel()
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	NewWithT(t).Expect(room.Scores(item, nil).Status).To(Equal(http.StatusNoContent))
	for name, members := range map[string]map[string]any{
		"no userId": {"userId": platformtest.Absent}, "empty userId": {"userId": ""}, "userId a number": {"userId": 5},
		"no timestamp": {"timestamp": platformtest.Absent}, "timestamp a word": {"timestamp": "yesterday"}, "without zone": {"timestamp": "2026-03-01T12:00:00.5"}, "empty timestamp": {"timestamp": ""},
		"no activityProgress": {"activityProgress": platformtest.Absent}, "unknown activityProgress": {"activityProgress": "Done"},
		"no gradingProgress": {"gradingProgress": platformtest.Absent}, "gradingProgress in lower case": {"gradingProgress": "fullygraded"},
		"no maximum": {"scoreMaximum": platformtest.Absent}, "score below 0": {"scoreGiven": -1}, "maximum 0": {"scoreMaximum": 0}, "score a text": {"scoreGiven": "8"},
		"huge score": {"scoreGiven": 1e300}, "tiny maximum": {"scoreMaximum": 1e-300},
		"comment a number": {"comment": 1}, "submission a text": {"submission": "x"}, "submission without date": {"submission": map[string]any{"submittedAt": "x"}},
	} {
		answer := room.Scores(item, members)
		NewWithT(t).Expect(answer.Status).To(Equal(http.StatusBadRequest), "%s: %s", name, answer.Body)
	}
	for _, body := range []string{"[]", "x", ""} {
		NewWithT(t).Expect(room.Asks(http.MethodPost, item+"/scores", lti.MediaTypeScore, body).Status).To(Equal(http.StatusBadRequest), body)
	}
	NewWithT(t).Expect(room.Scores(item, map[string]any{"userId": "unknown"}).Status).To(Equal(http.StatusNotFound))
	NewWithT(t).Expect(room.Gets(item + "/results").Array()).To(HaveLen(1))
	NewWithT(t).Expect(room.Result(item)).To(HaveKeyWithValue("resultScore", 8.0))
}

func TestOnlyLaterScoresCount(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	item, twin := room.Makes(nil), room.Makes(nil)
	at := func(timestamp string, given int) map[string]any {
		return map[string]any{"timestamp": timestamp, "scoreGiven": given}
	}
	g.Expect(room.Scores(item, at("2026-03-01T12:00:00.002Z", 8)).Status).To(Equal(http.StatusNoContent))
	for _, earlier := range []string{"2026-03-01T12:00:00.001Z", "2026-03-01T12:00:00.002Z", "2026-03-01T13:00:00.002+01:00", "2026-03-01T12:30:00+01:00"} {
		g.Expect(room.Scores(item, at(earlier, 3)).Status).To(Equal(http.StatusConflict), earlier)
		g.Expect(room.Result(item)).To(HaveKeyWithValue("resultScore", 8.0))
	}
	g.Expect(room.Scores(twin, at("2026-03-01T12:00:00.001Z", 3)).Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Scores(item, map[string]any{"userId": platformtest.Ada.Sub, "timestamp": "2026-03-01T12:00:00.001Z"}).Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Scores(item, at("2026-03-01T12:00:00.003Z", 5)).Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Result(item)).To(HaveKeyWithValue("resultScore", 5.0))
}

func TestOnlyLearnersOfTheContextAreGraded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked string
	room := platformtest.NewClassroom(t, func(o *fakeplatform.Options) {
		o.Members = func(contextID string) []fakeplatform.User {
			asked = contextID
			return []fakeplatform.User{platformtest.Jude, platformtest.Mary}
		}
	})
	item := room.Makes(nil)
	g.Expect(room.Scores(item, nil).Status).To(Equal(http.StatusNoContent))
	g.Expect(room.Scores(item, map[string]any{"userId": platformtest.Mary.Sub}).Status).To(Equal(http.StatusNotFound))
	g.Expect(room.Scores(item, map[string]any{"userId": platformtest.Ada.Sub}).Status).To(Equal(http.StatusNotFound))
	g.Expect(asked).To(Equal(platformtest.Algebra.ID))
}

func TestResults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	item, twin := room.Makes(nil), room.Makes(nil)
	learners := []fakeplatform.User{platformtest.Jude, platformtest.Ada, platformtest.Mary}
	room.Learns(platformtest.ClientID, platformtest.Mary)
	for i, user := range learners {
		g.Expect(room.Scores(item, map[string]any{"userId": user.Sub, "scoreGiven": i}).Status).To(Equal(http.StatusNoContent))
		g.Expect(room.Scores(item, map[string]any{"userId": user.Sub, "scoreGiven": i + 1}).Status).To(Equal(http.StatusNoContent))
	}
	all := room.Gets(item + "/results?type=x")
	g.Expect(all.Header.Get("Content-Type")).To(Equal(lti.MediaTypeResultContainer))
	g.Expect(all.Array()).To(HaveLen(3))
	g.Expect(room.Gets(twin + "/results").Body).To(MatchJSON("[]"))
	g.Expect(room.Gets(item + "/results?user_id=unknown").Body).To(MatchJSON("[]"))
	var users []any
	for address := item + "/results?limit=1"; address != ""; {
		answer := room.Gets(address)
		g.Expect(answer.Array()).To(HaveLen(1))
		users = append(users, answer.Array()[0]["userId"])
		address = platformtest.NextPage(answer)
	}
	g.Expect(users).To(Equal([]any{platformtest.Jude.Sub, platformtest.Ada.Sub, platformtest.Mary.Sub}))
	one := room.Gets(item + "/results?limit=1&user_id=" + platformtest.Ada.Sub)
	g.Expect(one.Array()).To(HaveLen(1))
	g.Expect(one.Array()[0]).To(And(HaveKeyWithValue("userId", platformtest.Ada.Sub), HaveKeyWithValue("resultScore", 2.0)))
	g.Expect(platformtest.NextPage(one)).To(BeEmpty())
	g.Expect(room.Gets(item + "/results?limit=0").Status).To(Equal(http.StatusBadRequest))
}

func TestThePlatformsOwnLineItems(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	own, err := grades.On(room).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Quiz", ScoreMaximum: 4, ResourceLinkID: "quiz"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(room.Gets(own.ID).JSON()).To(Equal(map[string]any{"id": own.ID, "label": "Quiz", "scoreMaximum": 4.0, "resourceLinkId": "quiz"}))
	g.Expect(room.Asks(http.MethodDelete, own.ID, "", "").Status).To(Equal(http.StatusForbidden))
	g.Expect(room.Gets(own.ID).Status).To(Equal(http.StatusOK))
	g.Expect(room.Scores(own.ID, nil).Status).To(Equal(http.StatusNoContent))
	g.Expect(grades.On(room).Grade(own.ID, platformtest.Jude.Sub).Points).To(HaveValue(Equal(3.2)))
	room.Makes(map[string]any{"resourceLinkId": "quiz"}) // the link that it names is the tool's
	_, err = grades.On(room).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Quiz"})
	g.Expect(err).To(MatchError(ContainSubstring("scoreMaximum")))
	_, err = grades.On(room).AddLineItem("unknown", platformtest.Algebra.ID, lti.LineItem{Label: "Quiz", ScoreMaximum: 1})
	g.Expect(err).To(HaveOccurred())
}

func TestGradeCallsAreRecorded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	ended, end := context.WithCancel(t.Context())
	end()
	g.Expect(grades.On(room).AwaitCalls(t.Context(), platformtest.Algebra.ID, 0)).To(BeTrue())
	g.Expect(grades.On(room).AwaitCalls(ended, platformtest.Algebra.ID, 1)).To(BeFalse())
	came := make(chan bool)
	go func() { came <- grades.On(room).AwaitCalls(t.Context(), platformtest.Algebra.ID, 4) }()
	accepting := func(method, address, mediaType, accept, body string) {
		room.Call(method, address, body, map[string]string{
			"Authorization": "Bearer " + room.Scoped(platformtest.ClientID, lti.ScopeLineItem, lti.ScopeScore), "Content-Type": mediaType, "Accept": accept,
		})
	}
	accepting(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, lti.MediaTypeLineItem, platformtest.LineItem(nil))
	item := grades.On(room).LineItems(platformtest.ClientID, platformtest.Algebra.ID)[0].ID
	accepting(http.MethodPost, item+"/scores?type=x", lti.MediaTypeScore, "", room.Score(nil))
	accepting(http.MethodPost, item+"/scores", "application/json", "", `{"userId":5,"comment":null,"timestamp":"2026-03-01T12:00:00Z","submissionReview":{}}`)
	accepting(http.MethodGet, item+"/results", "", "", "")
	g.Expect(<-came).To(BeTrue())
	room.Call(http.MethodGet, room.LineItems, "", nil)
	accepting(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, "", platformtest.LineItem(map[string]any{"id": "x"}))

	calls := grades.On(room).Calls(platformtest.Algebra.ID)
	g.Expect(calls).To(HaveLen(6))
	g.Expect(calls[0]).To(And(
		HaveField("Service", grades.LineItems), HaveField("ContextID", platformtest.Algebra.ID), HaveField("LineItem", ""), HaveField("Method", http.MethodPost),
		HaveField("Target", "/contexts/course%2F7/lineitems"), HaveField("ContentType", lti.MediaTypeLineItem), HaveField("Accept", lti.MediaTypeLineItem),
		HaveField("Authorized", true), HaveField("Token", Not(BeEmpty())), HaveField("Scopes", ConsistOf(lti.ScopeLineItem, lti.ScopeScore)),
		HaveField("Body", MatchJSON(platformtest.LineItem(nil))), HaveField("Status", http.StatusCreated), HaveField("Problems", BeEmpty()), HaveField("At", Not(BeZero())),
	))
	g.Expect(calls[1]).To(And(
		HaveField("Service", grades.Scores), HaveField("LineItem", item), HaveField("Target", HaveSuffix("/scores?type=x")),
		HaveField("Status", http.StatusNoContent), HaveField("Problems", BeEmpty()),
	))
	g.Expect(calls[2]).To(And(HaveField("Status", http.StatusBadRequest), HaveField("Problems", ContainElements(
		ContainSubstring("userId"), ContainSubstring("activityProgress"), ContainSubstring("gradingProgress"),
		"the content type is application/json instead of "+lti.MediaTypeScore, "timestamp has no fraction of a second", "a score has a submissionReview", "comment is null",
	))))
	g.Expect(calls[3]).To(And(HaveField("Service", grades.Results), HaveField("Authorized", false), HaveField("Status", http.StatusForbidden)))
	g.Expect(calls[4]).To(And(HaveField("Authorized", false), HaveField("Status", http.StatusUnauthorized), HaveField("Token", "")))
	g.Expect(calls[3].Problems).To(ContainElement("Accept does not name " + lti.MediaTypeResultContainer))
	g.Expect(calls[5].Problems).To(ConsistOf("a new line item has an id"))
	g.Expect(grades.On(room).Calls("unknown")).To(BeEmpty())
}
