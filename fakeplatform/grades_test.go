package fakeplatform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/lti"
)

// The people and the course of the tests of grades.
var (
	mary = fakeplatform.User{Sub: "teacher-1", Name: "Mary Somerville", GivenName: "Mary", Email: "mary@platform.example", Roles: []string{lti.RoleInstructor}}
	jude = fakeplatform.User{
		Sub: "learner-5", Name: "Jude Wong", GivenName: "Jude", FamilyName: "Wong", Email: "jude@platform.example",
		SourcedID: "sis:5", Roles: []string{lti.RoleLearner},
	}
	algebra = fakeplatform.Context{ID: "course/7", Title: "Algebra"}
)

// classroom is a platform with a course in which two tools have been launched.
type classroom struct {
	*examRoom
	lineItems string                 // the address of the first tool's line items
	tokens    map[string]scopedToken // by client and scopes
}

// A scopedToken is an access token and when it expires.
type scopedToken struct {
	value   string
	expires time.Time
}

func newClassroom(t *testing.T, changes ...func(*fakeplatform.Options)) *classroom {
	t.Helper()
	room := &classroom{examRoom: newExamRoom(t, changes...), tokens: map[string]scopedToken{}}
	room.lineItems = platformURL + "/contexts/course%2F7/lineitems"
	room.begin(t, inAlgebra(otherClient, ada))
	room.begin(t, inAlgebra(clientID, ada))
	room.begin(t, inAlgebra(clientID, jude))
	return room
}

// inAlgebra plans a launch of the course's link essay.
func inAlgebra(client string, user fakeplatform.User) fakeplatform.Plan {
	return fakeplatform.Plan{
		ClientID: client, User: user, Account: user.Sub, Context: algebra, Offers: []string{grades.Profile},
		ResourceLink: fakeplatform.ResourceLink{ID: "essay", Title: "Essay"},
	}
}

// learns launches the link essay, and returns what the tool learns of the grade
// services.
func (room *classroom) learns(client string, user fakeplatform.User, changes ...func(*fakeplatform.Plan)) map[string]any {
	room.t.Helper()
	claim, _ := room.claims(client, user, changes...)[lti.ClaimAGS].(map[string]any)
	return claim
}

func (room *classroom) claims(client string, user fakeplatform.User, changes ...func(*fakeplatform.Plan)) map[string]any {
	room.t.Helper()
	plan := inAlgebra(client, user)
	for _, change := range changes {
		change(&plan)
	}
	b := room.browser(room.t)
	b.signIn(plan.Account)
	request := authRequest(b.login(room.begin(room.t, plan)))
	if client == otherClient {
		request.Set("redirect_uri", "https://b.example/launch")
	}
	_, fields := b.authenticate(request).form()
	_, claims := claimsOf(room.t, fields)
	return claims
}

// scoped is an access token for these scopes, for all of the grade services when
// there are none.
func (room *classroom) scoped(client string, scopes ...string) string {
	room.t.Helper()
	if scopes == nil {
		scopes = lti.GradeScopes
	}
	name := client + " " + strings.Join(scopes, " ")
	if known := room.tokens[name]; room.clock().Before(known.expires) {
		return known.value
	}
	key := keyOf(room.t, toolKey)
	if client == otherClient {
		key = keyOf(room.t, newToolKey)
	}
	answer := room.token(room.assertion(client, key), func(form url.Values) { form.Set("scope", strings.Join(scopes, " ")) })
	NewWithT(room.t).Expect(answer.status).To(Equal(http.StatusOK), answer.body)
	value := answer.json()["access_token"].(string)
	room.tokens[name] = scopedToken{value, room.clock().Add(time.Hour)}
	return value
}

// asks is a request of the first tool's with a token for everything.
func (room *classroom) asks(method, address, mediaType, body string) reply {
	room.t.Helper()
	return room.call(method, address, body, map[string]string{"Authorization": "Bearer " + room.scoped(clientID), "Content-Type": mediaType})
}

func (room *classroom) gets(address string) reply {
	room.t.Helper()
	return room.asks(http.MethodGet, address, "", "")
}

// makes creates a line item, and returns its id.
func (room *classroom) makes(members map[string]any) string {
	room.t.Helper()
	answer := room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(members))
	if answer.status == http.StatusBadRequest { // for some defects it takes more than it should
		answer = room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(merged(map[string]any{"resourceId": "r", "tag": "t"}, members)))
	}
	NewWithT(room.t).Expect(answer.status).To(Or(Equal(http.StatusCreated), Equal(http.StatusOK)), answer.body)
	return answer.header.Get("Location")
}

// scores sends a score of Jude's.
func (room *classroom) scores(item string, members map[string]any) reply {
	room.t.Helper()
	return room.asks(http.MethodPost, item+"/scores", lti.MediaTypeScore, room.score(members))
}

// score is a final score of 8 of 10, later than those before.
func (room *classroom) score(members map[string]any) string {
	room.pass(time.Millisecond)
	return asJSON(room.t, map[string]any{
		"userId": jude.Sub, "timestamp": room.clock().Format("2006-01-02T15:04:05.000Z07:00"), "activityProgress": lti.Completed, "gradingProgress": lti.FullyGraded,
		"scoreGiven": 8, "scoreMaximum": 10,
	}, members)
}

func lineItem(members map[string]any) string {
	raw, _ := json.Marshal(merged(map[string]any{"label": "Essay", "scoreMaximum": 10}, members))
	return string(raw)
}

func asJSON(t *testing.T, objects ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(merged(objects...))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(raw)
}

// merged takes members of the later objects in place of the earlier ones, and none
// that are absent.
func merged(objects ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, object := range objects {
		maps.Copy(all, object)
	}
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == absent })
	return all
}

// absent stands for a member that is left out.
const absent = "absent"

func (r reply) array() []map[string]any {
	r.t.Helper()
	var all []map[string]any
	NewWithT(r.t).Expect(json.Unmarshal([]byte(r.body), &all)).To(Succeed(), r.body)
	return all
}

// result returns Jude's result at a line item, and nil for none.
func (room *classroom) result(item string) map[string]any {
	room.t.Helper()
	answer := room.gets(item + "/results?user_id=" + jude.Sub)
	NewWithT(room.t).Expect(answer.status).To(Equal(http.StatusOK), answer.body)
	if all := answer.array(); len(all) > 0 {
		return all[0]
	}
	return nil
}

func TestLaunchesOfferGrades(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	offered := room.learns(clientID, ada)
	g.Expect(offered).To(And(
		HaveKeyWithValue("scope", ConsistOf(lti.ScopeLineItem, lti.ScopeLineItemReadOnly, lti.ScopeResultReadOnly, lti.ScopeScore)),
		HaveKeyWithValue("lineitems", platformURL+"/contexts/course%2F7/lineitems"), HaveLen(2),
	))
	g.Expect(room.learns(clientID, ada, func(p *fakeplatform.Plan) { p.Scopes = []string{lti.ScopeScore} })).
		To(HaveKeyWithValue("scope", ConsistOf(lti.ScopeScore)))
	g.Expect(room.claims(clientID, ada, func(p *fakeplatform.Plan) { p.Offers = nil })).NotTo(HaveKey(lti.ClaimAGS))

	// The line item of the link is named as long as it is the only one.
	first := room.makes(map[string]any{"resourceLinkId": "essay"})
	room.makes(nil)
	g.Expect(room.learns(clientID, ada)).To(HaveKeyWithValue("lineitem", first))
	g.Expect(room.learns(otherClient, ada)).NotTo(HaveKey("lineitem"))
	second := room.makes(map[string]any{"resourceLinkId": "essay"})
	g.Expect(room.learns(clientID, ada)).NotTo(HaveKey("lineitem"))
	g.Expect(room.asks(http.MethodDelete, first, "", "").status).To(Equal(http.StatusNoContent))
	g.Expect(room.learns(clientID, ada)).To(HaveKeyWithValue("lineitem", second))

	_, err := room.Begin(fakeplatform.Plan{ClientID: clientID, User: ada, Offers: []string{grades.Profile}})
	g.Expect(err).To(MatchError(ContainSubstring("without context")))
}

func TestTokensOfGradeServices(t *testing.T) {
	t.Parallel()
	room := newClassroom(t)
	item := room.makes(nil)
	all := map[string]struct {
		method, address string
		scopes          []string
	}{
		"list":    {http.MethodGet, room.lineItems, []string{lti.ScopeLineItem, lti.ScopeLineItemReadOnly}},
		"create":  {http.MethodPost, room.lineItems, []string{lti.ScopeLineItem}},
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
				answer := room.call(c.method, c.address, "", map[string]string{"Authorization": "Bearer " + room.scoped(clientID, scope)})
				g.Expect(answer.status).To(Equal(http.StatusForbidden), scope)
				g.Expect(answer.header.Get("WWW-Authenticate")).To(And(HavePrefix("Bearer "), ContainSubstring(`error="insufficient_scope"`), ContainSubstring(c.scopes[0])))
				g.Expect(answer.json()).To(HaveKeyWithValue("error", lti.ErrorInsufficientScope))
			}
			for authorization, error := range map[string]string{
				"": "", "Basic YTpi": "", "Bearer x": lti.ErrorInvalidToken, "Bearer": "",
			} {
				answer := room.call(c.method, c.address, "", map[string]string{"Authorization": authorization})
				g.Expect(answer.status).To(Equal(http.StatusUnauthorized), authorization)
				g.Expect(answer.header.Get("WWW-Authenticate")).To(And(HavePrefix("Bearer "), ContainSubstring(error)))
			}
			old := room.scoped(clientID)
			room.pass(time.Hour)
			answer := room.call(c.method, c.address, "", map[string]string{"Authorization": "Bearer " + old})
			g.Expect(answer.status).To(Equal(http.StatusUnauthorized))
			inQuery := room.call(c.method, c.address+"?access_token="+room.scoped(clientID), "", nil)
			g.Expect(inQuery.status).To(Equal(http.StatusUnauthorized))
		})
	}
	NewWithT(t).Expect(grades.On(room).LineItems(clientID, algebra.ID)).To(HaveLen(1))
}

func TestLineItemsAreMadeReadChangedAndRemoved(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	g.Expect(room.gets(room.lineItems).body).To(MatchJSON("[]"))

	full := map[string]any{
		"label": "Essay", "scoreMaximum": 7.5, "resourceId": "r-1", "tag": "grade", "resourceLinkId": "essay",
		"startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2026-03-06T22:05:02.5+01:00", "gradesReleased": false,
		"submissionReview": map[string]any{
			"reviewableStatus": []any{"None", "Submitted"}, "label": "Open", "url": "https://tool.example/review?a=b", "custom": map[string]any{"k": "a=b&c"}, "x": 1.0,
		},
		"https://vendor.example/x": map[string]any{"a": 1.0}, "plain": "y",
	}
	made := room.asks(http.MethodPost, room.lineItems+"?type=x", lti.MediaTypeLineItem+"; charset=utf-8", asJSON(t, full, map[string]any{"id": "https://tool.example/own", "null": nil}))
	g.Expect(made.status).To(Equal(http.StatusCreated), made.body)
	g.Expect(made.header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItem))
	id := made.json()["id"].(string)
	g.Expect(id).To(HavePrefix(room.lineItems + "/"))
	full["id"] = id
	g.Expect(made.json()).To(Equal(full))
	g.Expect(room.gets(id).json()).To(Equal(full))
	g.Expect(room.gets(id + "?type=x").json()).To(Equal(full))
	g.Expect(room.gets(room.lineItems).array()).To(Equal([]map[string]any{full}))
	twin := room.makes(map[string]any{"resourceId": "r-1"})
	g.Expect(twin).NotTo(Equal(id))

	g.Expect(grades.On(room).LineItems(clientID, algebra.ID)[0]).To(And(
		HaveField("ID", id), HaveField("ScoreMaximum", 7.5), HaveField("ResourceLinkID", "essay"),
		HaveField("SubmissionReview.URL", "https://tool.example/review?a=b"), HaveField("SubmissionReview.Custom", map[string]string{"k": "a=b&c"}),
	))

	changed := room.asks(http.MethodPut, id, lti.MediaTypeLineItem, `{"id":"https://tool.example/own","label":"Novel","scoreMaximum":20}`)
	g.Expect(changed.status).To(Equal(http.StatusOK))
	now := map[string]any{"id": id, "label": "Novel", "scoreMaximum": 20.0, "resourceLinkId": "essay"}
	g.Expect(changed.json()).To(Equal(now))
	g.Expect(room.gets(id).json()).To(Equal(now))
	g.Expect(room.asks(http.MethodPut, id, lti.MediaTypeLineItem, lineItem(map[string]any{"resourceLinkId": "other"})).status).To(Equal(http.StatusBadRequest))
	g.Expect(room.asks(http.MethodPut, twin, lti.MediaTypeLineItem, lineItem(map[string]any{"resourceLinkId": "essay"})).status).To(Equal(http.StatusBadRequest))
	g.Expect(room.gets(id).json()).To(Equal(now))

	removed := room.asks(http.MethodDelete, id, "", "")
	g.Expect(removed.status).To(Equal(http.StatusNoContent))
	g.Expect(room.gets(id).status).To(Equal(http.StatusNotFound))
	g.Expect(room.asks(http.MethodDelete, id, "", "").status).To(Equal(http.StatusNotFound))
	g.Expect(grades.On(room).LineItems(clientID, algebra.ID)).To(HaveLen(1))
}

func TestLineItemsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	room := newClassroom(t)
	item := room.makes(nil)
	review := func(members map[string]any) map[string]any { return map[string]any{"submissionReview": members} }
	for name, members := range map[string]map[string]any{
		"no label": {"label": absent}, "empty label": {"label": ""}, "blank label": {"label": " \t "}, "label null": {"label": nil}, "label a number": {"label": 1},
		"no maximum": {"scoreMaximum": absent}, "maximum 0": {"scoreMaximum": 0}, "maximum below 0": {"scoreMaximum": -1},
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
		for method, address := range map[string]string{http.MethodPost: room.lineItems, http.MethodPut: item} {
			answer := room.asks(method, address, lti.MediaTypeLineItem, lineItem(members))
			NewWithT(t).Expect(answer.status).To(Equal(http.StatusBadRequest), "%s by %s", name, method)
			NewWithT(t).Expect(answer.json()).To(HaveKeyWithValue("error_description", Not(BeEmpty())))
		}
	}
	for _, body := range []string{"", "[]", "{", "null", `"x"`, lineItem(nil) + "x", strings.Repeat(" ", 70_000) + lineItem(nil)} {
		NewWithT(t).Expect(room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, body).status).To(Equal(http.StatusBadRequest), "%.50q", body)
	}
	room.claims(clientID, ada, func(p *fakeplatform.Plan) { p.Context.ID, p.ResourceLink.ID = "course/8", "link-of-8" })
	room.claims(otherClient, ada, func(p *fakeplatform.Plan) { p.ResourceLink.ID = "link-of-other" })
	for _, link := range []string{"unknown", "link-of-8", "link-of-other"} {
		answer := room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(map[string]any{"resourceLinkId": link}))
		NewWithT(t).Expect(answer.status).To(Equal(http.StatusNotFound), link)
	}
	items := room.gets(room.lineItems).array()
	NewWithT(t).Expect(items).To(HaveLen(1))
	NewWithT(t).Expect(items[0]).To(Equal(map[string]any{"id": item, "label": "Essay", "scoreMaximum": 10.0}))
}

func TestLineItemsOfOthersAreOutOfReach(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	item := room.makes(nil)
	elsewhere := strings.Replace(item, "course%2F7", "course%2F8", 1)
	room.claims(clientID, ada, func(p *fakeplatform.Plan) { p.Context.ID = "course/8" })
	other := room.scoped(otherClient)
	for _, address := range []string{elsewhere, room.lineItems + "/unknown", room.lineItems + "/", room.lineItems + "/%00", item + "/x", item + "/scores/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			answer := room.asks(method, address, lti.MediaTypeLineItem, lineItem(nil))
			g.Expect(answer.status).To(Or(Equal(http.StatusNotFound), Equal(http.StatusMethodNotAllowed)), "%s %s", method, address)
		}
	}
	for _, c := range []struct{ method, address, mediaType, body string }{
		{http.MethodGet, item, "", ""}, {http.MethodPut, item, lti.MediaTypeLineItem, lineItem(nil)}, {http.MethodDelete, item, "", ""},
		{http.MethodPost, item + "/scores", lti.MediaTypeScore, room.score(nil)}, {http.MethodGet, item + "/results", "", ""},
	} {
		answer := room.call(c.method, c.address, c.body, map[string]string{"Authorization": "Bearer " + other, "Content-Type": c.mediaType})
		g.Expect(answer.status).To(Equal(http.StatusNotFound), "%s %s", c.method, c.address)
	}
	g.Expect(room.call(http.MethodGet, room.lineItems, "", map[string]string{"Authorization": "Bearer " + other}).body).To(MatchJSON("[]"))
	g.Expect(room.asks(http.MethodGet, platformURL+"/contexts/unknown/lineitems", "", "").status).To(Equal(http.StatusNotFound))
	g.Expect(room.whys()).To(ContainElement(ContainSubstring("no tool has a gradebook")))
	g.Expect(room.gets(item).status).To(Equal(http.StatusOK))
	g.Expect(grades.On(room).Grade(item, jude.Sub)).To(BeZero())
}

func TestMediaTypesAndMethodsOfGradeServices(t *testing.T) {
	t.Parallel()
	room := newClassroom(t)
	item := room.makes(nil)
	token := room.scoped(clientID)
	for name, c := range map[string]struct {
		method, address, mediaType, accept string
		status                             int
	}{
		"parameters":          {http.MethodPost, room.lineItems, lti.MediaTypeLineItem + ";charset=utf-8", "", 201},
		"upper case":          {http.MethodPost, room.lineItems, strings.ToUpper(lti.MediaTypeLineItem), "", 201},
		"JSON":                {http.MethodPost, room.lineItems, "application/json", "", 201},
		"text":                {http.MethodPost, room.lineItems, "text/plain", "", 415},
		"none":                {http.MethodPost, room.lineItems, "", "", 415},
		"score as line item":  {http.MethodPost, item + "/scores", lti.MediaTypeLineItem, "", 415},
		"line item as score":  {http.MethodPut, item, lti.MediaTypeScore, "", 415},
		"accepts exactly":     {http.MethodGet, room.lineItems, "", lti.MediaTypeLineItemContainer, 200},
		"accepts several":     {http.MethodGet, room.lineItems, "", "text/html, " + lti.MediaTypeLineItemContainer + ";q=0.5", 200},
		"accepts anything":    {http.MethodGet, room.lineItems, "", "*/*", 200},
		"accepts JSON":        {http.MethodGet, room.lineItems, "", "application/json", 200},
		"accepts other":       {http.MethodGet, room.lineItems, "", "text/html", 406},
		"accepts all but it":  {http.MethodGet, room.lineItems, "", lti.MediaTypeLineItemContainer + ";q=0", 406},
		"accepts one":         {http.MethodGet, item, "", lti.MediaTypeLineItem, 200},
		"results as items":    {http.MethodGet, item + "/results", "", lti.MediaTypeLineItemContainer, 406},
		"patch":               {http.MethodPatch, item, lti.MediaTypeLineItem, "", 405},
		"post to an item":     {http.MethodPost, item, lti.MediaTypeLineItem, "", 405},
		"get scores":          {http.MethodGet, item + "/scores", "", "", 405},
		"delete the lot":      {http.MethodDelete, room.lineItems, "", "", 405},
		"another way to it":   {http.MethodGet, room.lineItems + "/scores" + strings.TrimPrefix(item, room.lineItems), "", "", 200},
		"results another way": {http.MethodGet, room.lineItems + "/scores" + strings.TrimPrefix(item, room.lineItems) + "/results", "", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			header := map[string]string{"Authorization": "Bearer " + token, "Content-Type": c.mediaType}
			if c.accept != "" {
				header["Accept"] = c.accept
			}
			answer := room.call(c.method, c.address, lineItem(nil), header)
			g.Expect(answer.status).To(Equal(c.status), answer.body)
			if c.status == 405 {
				g.Expect(answer.header.Get("Allow")).NotTo(BeEmpty())
			}
		})
	}
}

func TestLineItemsAreFilteredAndComeInPages(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	const odd = "a & ü=#"
	var all []string
	for i := range 120 {
		members := map[string]any{"label": fmt.Sprint("Essay ", i), "tag": odd}
		if i%3 == 0 {
			members = map[string]any{"resourceId": "r-1", "resourceLinkId": "essay", "tag": "third"}
		}
		all = append(all, room.makes(members))
	}
	ids := func(query url.Values) []string {
		t.Helper()
		address, found := room.lineItems+"?"+query.Encode(), []string{}
		for address != "" {
			answer := room.gets(address)
			g.Expect(answer.status).To(Equal(http.StatusOK), answer.body)
			g.Expect(answer.header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItemContainer))
			for _, item := range answer.array() {
				found = append(found, item["id"].(string))
			}
			address = next(answer)
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
	g.Expect(next(room.gets(room.lineItems+"?limit=120"))).NotTo(BeEmpty(), "the platform's own page size")
	for _, limit := range []string{"0", "-1", "abc", "", "1e3", "99999999999999999999"} {
		g.Expect(room.gets(room.lineItems+"?limit="+limit).status).To(Equal(http.StatusBadRequest), limit)
	}
	g.Expect(room.gets(room.lineItems + "?after=x").status).To(Equal(http.StatusBadRequest))

	// What goes away meanwhile makes nothing else go.
	first := room.gets(room.lineItems + "?limit=3")
	g.Expect(room.asks(http.MethodDelete, all[0], "", "").status).To(Equal(http.StatusNoContent))
	g.Expect(room.gets(next(first)).array()[0]).To(HaveKeyWithValue("id", all[3]))
}

// next returns where the rest of a container is.
func next(answer reply) string {
	link, found := strings.CutPrefix(answer.header.Get("Link"), "<")
	address, _, _ := strings.Cut(link, `>; rel="next"`)
	if !found {
		return ""
	}
	return address
}

func TestScores(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	item := room.makes(nil)
	g.Expect(room.result(item)).To(BeNil())

	taken := room.scores(item+"?type=x", nil) // what follows is no path
	g.Expect(taken.status).To(Equal(http.StatusMethodNotAllowed))
	full := map[string]any{
		"comment": "ü", "scoringUserId": mary.Sub, "submission": map[string]any{"startedAt": "2026-03-01T10:00:00Z", "submittedAt": "2026-03-01T11:00:00Z"},
		"https://vendor.example/x": 1,
	}
	taken = room.scores(item, full)
	g.Expect(taken.status).To(Equal(http.StatusNoContent), taken.body)
	g.Expect(room.result(item)).To(And(
		HaveKeyWithValue("id", item+"/results?user_id="+jude.Sub), HaveKeyWithValue("scoreOf", item), HaveKeyWithValue("userId", jude.Sub),
		HaveKeyWithValue("resultScore", 8.0), HaveKeyWithValue("resultMaximum", 10.0), HaveKeyWithValue("comment", "ü"),
		HaveKeyWithValue("scoringUserId", mary.Sub), HaveLen(7),
	))
	points := 8.0
	g.Expect(grades.On(room).Grade(item, jude.Sub)).To(Equal(grades.Grade{
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
		{map[string]any{"scoreGiven": absent, "scoreMaximum": absent}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.Pending}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.PendingManual}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.GradingFailed}, nil},
		{map[string]any{"scoreGiven": 5, "gradingProgress": lti.NotReady}, nil},
		{map[string]any{"scoreGiven": 5}, 5.0},
	} {
		answer := room.scores(item, c.members)
		g.Expect(answer.status).To(Equal(http.StatusNoContent), "%v: %s", c.members, answer.body)
		if c.points == nil {
			g.Expect(room.result(item)).To(And(HaveKeyWithValue("userId", jude.Sub), Not(HaveKey("resultScore"))), "%v", c.members)
			g.Expect(grades.On(room).Grade(item, jude.Sub).Final).To(BeFalse())
			continue
		}
		g.Expect(room.result(item)).To(HaveKeyWithValue("resultScore", c.points), "%v", c.members)
	}
	g.Expect(room.asks(http.MethodPut, item, lti.MediaTypeLineItem, lineItem(map[string]any{"scoreMaximum": 20})).status).To(Equal(http.StatusOK))
	g.Expect(room.result(item)).To(And(HaveKeyWithValue("resultScore", 10.0), HaveKeyWithValue("resultMaximum", 20.0)))
	g.Expect(grades.On(room).Grade("https://tool.example/unknown", jude.Sub)).To(BeZero())
	g.Expect(grades.On(room).Grade(item, ada.Sub)).To(BeZero())
}

func TestScoresThatAreNotTaken(t *testing.T) {
	t.Parallel()
	room := newClassroom(t)
	item := room.makes(nil)
	NewWithT(t).Expect(room.scores(item, nil).status).To(Equal(http.StatusNoContent))
	for name, members := range map[string]map[string]any{
		"no userId": {"userId": absent}, "empty userId": {"userId": ""}, "userId a number": {"userId": 5},
		"no timestamp": {"timestamp": absent}, "timestamp a word": {"timestamp": "yesterday"}, "without zone": {"timestamp": "2026-03-01T12:00:00.5"}, "empty timestamp": {"timestamp": ""},
		"no activityProgress": {"activityProgress": absent}, "unknown activityProgress": {"activityProgress": "Done"},
		"no gradingProgress": {"gradingProgress": absent}, "gradingProgress in lower case": {"gradingProgress": "fullygraded"},
		"no maximum": {"scoreMaximum": absent}, "score below 0": {"scoreGiven": -1}, "maximum 0": {"scoreMaximum": 0}, "score a text": {"scoreGiven": "8"},
		"huge score": {"scoreGiven": 1e300}, "tiny maximum": {"scoreMaximum": 1e-300},
		"comment a number": {"comment": 1}, "submission a text": {"submission": "x"}, "submission without date": {"submission": map[string]any{"submittedAt": "x"}},
	} {
		answer := room.scores(item, members)
		NewWithT(t).Expect(answer.status).To(Equal(http.StatusBadRequest), "%s: %s", name, answer.body)
	}
	for _, body := range []string{"[]", "x", ""} {
		NewWithT(t).Expect(room.asks(http.MethodPost, item+"/scores", lti.MediaTypeScore, body).status).To(Equal(http.StatusBadRequest), body)
	}
	NewWithT(t).Expect(room.scores(item, map[string]any{"userId": "unknown"}).status).To(Equal(http.StatusNotFound))
	NewWithT(t).Expect(room.gets(item + "/results").array()).To(HaveLen(1))
	NewWithT(t).Expect(room.result(item)).To(HaveKeyWithValue("resultScore", 8.0))
}

func TestOnlyLaterScoresCount(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	item, twin := room.makes(nil), room.makes(nil)
	at := func(timestamp string, given int) map[string]any {
		return map[string]any{"timestamp": timestamp, "scoreGiven": given}
	}
	g.Expect(room.scores(item, at("2026-03-01T12:00:00.002Z", 8)).status).To(Equal(http.StatusNoContent))
	for _, earlier := range []string{"2026-03-01T12:00:00.001Z", "2026-03-01T12:00:00.002Z", "2026-03-01T13:00:00.002+01:00", "2026-03-01T12:30:00+01:00"} {
		g.Expect(room.scores(item, at(earlier, 3)).status).To(Equal(http.StatusConflict), earlier)
		g.Expect(room.result(item)).To(HaveKeyWithValue("resultScore", 8.0))
	}
	g.Expect(room.scores(twin, at("2026-03-01T12:00:00.001Z", 3)).status).To(Equal(http.StatusNoContent))
	g.Expect(room.scores(item, map[string]any{"userId": ada.Sub, "timestamp": "2026-03-01T12:00:00.001Z"}).status).To(Equal(http.StatusNoContent))
	g.Expect(room.scores(item, at("2026-03-01T12:00:00.003Z", 5)).status).To(Equal(http.StatusNoContent))
	g.Expect(room.result(item)).To(HaveKeyWithValue("resultScore", 5.0))
}

func TestOnlyLearnersOfTheContextAreGraded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked string
	room := newClassroom(t, func(o *fakeplatform.Options) {
		o.Members = func(contextID string) []fakeplatform.User {
			asked = contextID
			return []fakeplatform.User{jude, mary}
		}
	})
	item := room.makes(nil)
	g.Expect(room.scores(item, nil).status).To(Equal(http.StatusNoContent))
	g.Expect(room.scores(item, map[string]any{"userId": mary.Sub}).status).To(Equal(http.StatusNotFound))
	g.Expect(room.scores(item, map[string]any{"userId": ada.Sub}).status).To(Equal(http.StatusNotFound))
	g.Expect(asked).To(Equal(algebra.ID))
}

func TestResults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	item, twin := room.makes(nil), room.makes(nil)
	learners := []fakeplatform.User{jude, ada, mary}
	room.learns(clientID, mary)
	for i, user := range learners {
		g.Expect(room.scores(item, map[string]any{"userId": user.Sub, "scoreGiven": i}).status).To(Equal(http.StatusNoContent))
		g.Expect(room.scores(item, map[string]any{"userId": user.Sub, "scoreGiven": i + 1}).status).To(Equal(http.StatusNoContent))
	}
	all := room.gets(item + "/results?type=x")
	g.Expect(all.header.Get("Content-Type")).To(Equal(lti.MediaTypeResultContainer))
	g.Expect(all.array()).To(HaveLen(3))
	g.Expect(room.gets(twin + "/results").body).To(MatchJSON("[]"))
	g.Expect(room.gets(item + "/results?user_id=unknown").body).To(MatchJSON("[]"))
	var users []any
	for address := item + "/results?limit=1"; address != ""; {
		answer := room.gets(address)
		g.Expect(answer.array()).To(HaveLen(1))
		users = append(users, answer.array()[0]["userId"])
		address = next(answer)
	}
	g.Expect(users).To(Equal([]any{jude.Sub, ada.Sub, mary.Sub}))
	one := room.gets(item + "/results?limit=1&user_id=" + ada.Sub)
	g.Expect(one.array()).To(HaveLen(1))
	g.Expect(one.array()[0]).To(And(HaveKeyWithValue("userId", ada.Sub), HaveKeyWithValue("resultScore", 2.0)))
	g.Expect(next(one)).To(BeEmpty())
	g.Expect(room.gets(item + "/results?limit=0").status).To(Equal(http.StatusBadRequest))
}

func TestThePlatformsOwnLineItems(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	own, err := grades.On(room).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Quiz", ScoreMaximum: 4, ResourceLinkID: "quiz"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(room.gets(own.ID).json()).To(Equal(map[string]any{"id": own.ID, "label": "Quiz", "scoreMaximum": 4.0, "resourceLinkId": "quiz"}))
	g.Expect(room.asks(http.MethodDelete, own.ID, "", "").status).To(Equal(http.StatusForbidden))
	g.Expect(room.gets(own.ID).status).To(Equal(http.StatusOK))
	g.Expect(room.scores(own.ID, nil).status).To(Equal(http.StatusNoContent))
	g.Expect(grades.On(room).Grade(own.ID, jude.Sub).Points).To(HaveValue(Equal(3.2)))
	room.makes(map[string]any{"resourceLinkId": "quiz"}) // the link that it names is the tool's
	_, err = grades.On(room).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Quiz"})
	g.Expect(err).To(MatchError(ContainSubstring("scoreMaximum")))
	_, err = grades.On(room).AddLineItem("unknown", algebra.ID, lti.LineItem{Label: "Quiz", ScoreMaximum: 1})
	g.Expect(err).To(HaveOccurred())
}

func TestGradeCallsAreRecorded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	ended, end := context.WithCancel(t.Context())
	end()
	g.Expect(grades.On(room).AwaitCalls(t.Context(), algebra.ID, 0)).To(BeTrue())
	g.Expect(grades.On(room).AwaitCalls(ended, algebra.ID, 1)).To(BeFalse())
	came := make(chan bool)
	go func() { came <- grades.On(room).AwaitCalls(t.Context(), algebra.ID, 4) }()
	accepting := func(method, address, mediaType, accept, body string) {
		room.call(method, address, body, map[string]string{
			"Authorization": "Bearer " + room.scoped(clientID, lti.ScopeLineItem, lti.ScopeScore), "Content-Type": mediaType, "Accept": accept,
		})
	}
	accepting(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lti.MediaTypeLineItem, lineItem(nil))
	item := grades.On(room).LineItems(clientID, algebra.ID)[0].ID
	accepting(http.MethodPost, item+"/scores?type=x", lti.MediaTypeScore, "", room.score(nil))
	accepting(http.MethodPost, item+"/scores", "application/json", "", `{"userId":5,"comment":null,"timestamp":"2026-03-01T12:00:00Z","submissionReview":{}}`)
	accepting(http.MethodGet, item+"/results", "", "", "")
	g.Expect(<-came).To(BeTrue())
	room.call(http.MethodGet, room.lineItems, "", nil)
	accepting(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, "", lineItem(map[string]any{"id": "x"}))

	calls := grades.On(room).Calls(algebra.ID)
	g.Expect(calls).To(HaveLen(6))
	g.Expect(calls[0]).To(And(
		HaveField("Service", grades.LineItems), HaveField("ContextID", algebra.ID), HaveField("LineItem", ""), HaveField("Method", http.MethodPost),
		HaveField("Target", "/contexts/course%2F7/lineitems"), HaveField("ContentType", lti.MediaTypeLineItem), HaveField("Accept", lti.MediaTypeLineItem),
		HaveField("Authorized", true), HaveField("Token", Not(BeEmpty())), HaveField("Scopes", ConsistOf(lti.ScopeLineItem, lti.ScopeScore)),
		HaveField("Body", MatchJSON(lineItem(nil))), HaveField("Status", http.StatusCreated), HaveField("Problems", BeEmpty()), HaveField("At", Not(BeZero())),
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

// reviewed plans a review of Jude's work by Mary.
func reviewed(item string) func(*fakeplatform.Plan) {
	return func(p *fakeplatform.Plan) {
		p.Message, p.Offers, p.About = lti.SubmissionReviewRequest, nil, review.Submission{LineItem: item, Learner: jude}
	}
}

func TestReviewMessage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	item := room.makes(map[string]any{"resourceLinkId": "essay", "submissionReview": map[string]any{
		"url": "https://tool.example/review?a=b%20c", "custom": map[string]any{"action": "review", "family": "$ToolPlatform.productFamilyCode", "odd": "$com.example.Unknown"},
	}})
	claims := room.claims(clientID, mary, reviewed(item), func(p *fakeplatform.Plan) { p.Custom = map[string]string{"action": "play", "mode": "x"} })
	g.Expect(claims).To(And(
		HaveKeyWithValue(lti.ClaimMessageType, lti.SubmissionReviewRequest), HaveKeyWithValue(lti.ClaimVersion, lti.Version),
		HaveKeyWithValue("sub", mary.Sub), HaveKeyWithValue("name", mary.Name), HaveKeyWithValue(lti.ClaimRoles, ConsistOf(lti.RoleInstructor)),
		HaveKeyWithValue(lti.ClaimForUser, And(
			HaveKeyWithValue("user_id", jude.Sub), HaveKeyWithValue("name", jude.Name), HaveKeyWithValue("given_name", "Jude"), HaveKeyWithValue("family_name", "Wong"),
			HaveKeyWithValue("email", jude.Email), HaveKeyWithValue("person_sourcedid", "sis:5"), HaveKeyWithValue("roles", ConsistOf(lti.RoleLearner)), HaveLen(7),
		)),
		HaveKeyWithValue(lti.ClaimAGS, And(HaveKeyWithValue("lineitem", item), HaveKeyWithValue("lineitems", room.lineItems), HaveKeyWithValue("scope", HaveLen(4)))),
		HaveKeyWithValue(lti.ClaimTargetLinkURI, "https://tool.example/review?a=b%20c"),
		HaveKeyWithValue(lti.ClaimResourceLink, And(HaveKeyWithValue("id", "essay"), HaveKeyWithValue("title", "Essay"))),
		HaveKeyWithValue(lti.ClaimContext, HaveKeyWithValue("id", algebra.ID)),
		HaveKeyWithValue(lti.ClaimCustom, map[string]any{"action": "review", "mode": "x", "family": "invigilator", "odd": "$com.example.Unknown"}),
		HaveKeyWithValue(lti.ClaimLaunchPresentation, HaveKeyWithValue("return_url", HavePrefix(platformURL+"/launch/"))),
	))

	scant := room.claims(clientID, mary, reviewed(item), func(p *fakeplatform.Plan) {
		p.HidePersonalData, p.ResourceLink = true, fakeplatform.ResourceLink{}
	})
	g.Expect(scant).To(And(
		Not(HaveKey("name")), HaveKeyWithValue(lti.ClaimForUser, And(HaveKeyWithValue("user_id", jude.Sub), HaveKey("roles"), HaveLen(2))),
		HaveKeyWithValue(lti.ClaimResourceLink, map[string]any{"id": "essay"}),
	))

	// What is attached to nothing has no resource link, and a target of the registration's.
	loose := room.makes(map[string]any{"submissionReview": map[string]any{}})
	l := room.begin(t, func() fakeplatform.Plan { p := inAlgebra(clientID, mary); reviewed(loose)(&p); return p }())
	b := room.browser(t)
	login := b.login(l)
	g.Expect(login.Get("target_link_uri")).To(Equal(targetURI))
	_, fields := b.authenticate(authRequest(login)).form()
	_, claims = claimsOf(t, fields)
	g.Expect(claims).To(And(Not(HaveKey(lti.ClaimResourceLink)), Not(HaveKey(lti.ClaimCustom)), HaveKeyWithValue(lti.ClaimTargetLinkURI, targetURI)))
	r := registration()
	r.JWKSURL, r.TargetLinkURIs = room.keys.URL, map[string]string{lti.SubmissionReviewRequest: "https://tool.example/reviews"}
	g.Expect(room.Register(r)).To(Succeed())
	g.Expect(room.claims(clientID, mary, reviewed(loose))).To(HaveKeyWithValue(lti.ClaimTargetLinkURI, "https://tool.example/reviews"))
	g.Expect(room.claims(clientID, ada)).To(And(Not(HaveKey(lti.ClaimForUser)), Not(HaveKey(lti.ClaimCustom)), HaveKeyWithValue(lti.ClaimTargetLinkURI, targetURI)))
}

func TestReviewsThatAreNotBegun(t *testing.T) {
	t.Parallel()
	room := newClassroom(t)
	item := room.makes(nil)
	room.claims(clientID, ada, func(p *fakeplatform.Plan) { p.Context.ID = "course/8" })
	for name, change := range map[string]func(*fakeplatform.Plan){
		"unknown line item": func(p *fakeplatform.Plan) {
			p.About = review.Submission{LineItem: room.lineItems + "/unknown", Learner: jude}
		},
		"no line item":    func(p *fakeplatform.Plan) { p.About = review.Submission{Learner: jude} },
		"nobody":          func(p *fakeplatform.Plan) { p.About = review.Submission{LineItem: item} },
		"another context": func(p *fakeplatform.Plan) { p.Context.ID = "course/8" },
		"another tool":    func(p *fakeplatform.Plan) { p.ClientID = otherClient },
	} {
		plan := inAlgebra(clientID, mary)
		reviewed(item)(&plan)
		change(&plan)
		_, err := room.Begin(plan)
		NewWithT(t).Expect(err).To(HaveOccurred(), name)
	}
}

func TestReviewableByStatus(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := newClassroom(t)
	reviewable := func(asked any) (never, submitted bool) {
		item := room.makes(map[string]any{"submissionReview": asked})
		never = review.On(room).Offered(item, jude.Sub)
		g.Expect(room.scores(item, map[string]any{"activityProgress": lti.InProgress, "gradingProgress": lti.NotReady}).status).To(Equal(http.StatusNoContent))
		g.Expect(room.scores(item, map[string]any{"activityProgress": lti.Submitted, "gradingProgress": lti.PendingManual}).status).To(Equal(http.StatusNoContent))
		return never, review.On(room).Offered(item, jude.Sub)
	}
	for _, c := range []struct {
		review           any
		never, submitted bool
	}{
		{absent, false, false},
		{map[string]any{}, false, true},
		{map[string]any{"reviewableStatus": []string{}}, false, false},
		{map[string]any{"reviewableStatus": []string{"None"}}, true, false},
		{map[string]any{"reviewableStatus": []string{"Submitted", "Completed"}}, false, true},
		{map[string]any{"reviewableStatus": []string{"InProgress"}}, false, false},
	} {
		never, submitted := reviewable(c.review)
		g.Expect([]bool{never, submitted}).To(Equal([]bool{c.never, c.submitted}), "%v", c.review)
	}
	g.Expect(review.On(room).Offered("https://tool.example/unknown", jude.Sub)).To(BeFalse())
}
