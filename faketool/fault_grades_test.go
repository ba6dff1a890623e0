package faketool_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/review"
	"invigilator.example/lti"
)

// outcomeOf is what a page says of the gradebook, or the status of a page that says
// nothing of it.
func outcomeOf(shown page) string {
	if saved, ok := shown.Find("#outcome").Attr("data-saved"); ok {
		return "saved=" + saved
	}
	return fmt.Sprint(shown.status)
}

// account is what reached the platform: scopes of tokens, and calls of the gradebook.
func (e *exam) account() string {
	var seen []string
	_, tokens, _ := e.seen()
	for _, token := range tokens {
		seen = append(seen, "token "+strings.ReplaceAll(token.form.Get("scope"), "https://purl.imsglobal.org/spec/", ""))
	}
	for _, c := range e.book.seen() {
		seen = append(seen, fmt.Sprintf("%s %s %s [%s] %s", c.method, c.target, c.contentType, c.accept, c.request.body))
	}
	return fmt.Sprint(len(tokens), " tokens\n", strings.Join(seen, "\n"))
}

type answer = func(http.ResponseWriter, *http.Request)

// handed is what comes of work that is handed in.
func handed(changes lti.Claims, answers ...answer) sight {
	return func(e *exam) string {
		e.book.answer(answers...)
		return outcomeOf(e.hands("My essay", changes)) + " " + e.account()
	}
}

// handedAgain is what comes of work that is handed in a second time.
func handedAgain(e *exam) string {
	handed(nil)(e)
	return handed(nil)(e)
}

// handedByAnother is what comes of work that another learner hands in where there is a
// line item, and handedBySame of one that the same learner does.
func handedByAnother(e *exam) string {
	e.book.holds(own("link-1", nil))
	handed(lti.Claims{lti.ClaimAGS: endpoint("")})(e)
	return handed(lti.Claims{lti.ClaimAGS: endpoint(""), "sub": "learner-2"})(e)
}

func handedBySame(e *exam) string {
	e.book.holds(own("link-1", nil))
	handed(lti.Claims{lti.ClaimAGS: endpoint("")})(e)
	return handed(lti.Claims{lti.ClaimAGS: endpoint("")})(e)
}

// searched is what comes of work whose line item is the last of so many.
func searched(link func(http.ResponseWriter, string), others int) sight {
	return func(e *exam) string {
		var items []map[string]any
		for i := range others {
			items = append(items, own(fmt.Sprint("other-", i), nil))
		}
		e.book.size, e.book.link = 1, link
		e.book.holds(append(items, own("link-1", nil))...)
		return newItem(e)
	}
}

// graded is what comes of points that a teacher gives.
func graded(points string) sight {
	return func(e *exam) string {
		e.hands("My essay", nil)
		e.account()
		b := e.window()
		return outcomeOf(b.press(e.launch(b, reviews(nil)), "#grade", url.Values{"score": {points}})) + " " + e.account()
	}
}

// renamedFrom is what comes of another label for a line item.
func renamedFrom(item string) sight {
	return func(e *exam) string {
		e.book.answer(withBody(item), withStatus(http.StatusOK))
		b := e.window()
		return outcomeOf(b.press(e.launch(b, teaches(nil)), "#rename", url.Values{"label": {"New"}})) + " " + e.account()
	}
}

// renamedAt is what comes of another label for the line item at an address.
func renamedAt(address string) sight {
	return func(e *exam) string {
		e.book.answer(withBody(linkedItem), withStatus(http.StatusOK))
		b := e.window()
		return outcomeOf(b.press(e.launch(b, teaches(itemAt(address))), "#rename", url.Values{"label": {"New"}})) + " " + e.account()
	}
}

// resultsOf is what is shown of results.
func resultsOf(results string) sight {
	return func(e *exam) string {
		e.hands("My essay", nil)
		e.book.results = results
		b := e.window()
		shown := b.press(e.launch(b, teaches(nil)), "#read-results", nil)
		return fmt.Sprint(shown.status, " ", strings.Join(strings.Fields(shown.Find("#results ul, #unread [role=alert]").Text()), " "))
	}
}

// asserted is the assertion with which a token is asked for.
func asserted(e *exam) string {
	e.hands("My essay", nil)
	_, tokens, _ := e.seen()
	_, payload, err := lti.Decode(tokens[0].form.Get("client_assertion"))
	NewWithT(e.t).Expect(err).NotTo(HaveOccurred())
	return string(payload)
}

// assertedWith is whether the key that an assertion is signed with is published.
func assertedWith(e *exam) string {
	e.hands("My essay", nil)
	_, tokens, _ := e.seen()
	header, _, err := lti.Decode(tokens[0].form.Get("client_assertion"))
	NewWithT(e.t).Expect(err).NotTo(HaveOccurred())
	var named struct{ Kid string }
	NewWithT(e.t).Expect(json.Unmarshal(header, &named)).To(Succeed())
	keys := httptest.NewRecorder()
	e.tool.ServeHTTP(keys, httptest.NewRequest(http.MethodGet, faketool.JWKSPath, nil))
	return fmt.Sprint("published: ", strings.Contains(keys.Body.String(), named.Kid))
}

// assertedAgain is whether two assertions have the same jti, where an access token is
// not taken.
func assertedAgain(e *exam) string {
	e.book.answer(withStatus(http.StatusUnauthorized))
	e.hands("My essay", nil)
	_, tokens, _ := e.seen()
	NewWithT(e.t).Expect(tokens).To(HaveLen(2))
	jti := func(r request) any { return claimsOf(e.t, r.form.Get("client_assertion"))["jti"] }
	return fmt.Sprint("same jti: ", jti(tokens[0]) == jti(tokens[1]))
}

// authorized is how the score of work is sent.
func authorized(e *exam) string {
	shown := outcomeOf(e.hands("My essay", nil))
	for _, c := range e.book.seen() {
		shown += " " + c.target + " " + c.authorization
	}
	return shown
}

// reduced is what comes of work where a token is for fewer scopes than were asked for.
func reduced(e *exam) string {
	e.mu.Lock()
	e.grant = `{"access_token":"x","token_type":"bearer","scope":"` + lti.ScopeScore + `"}`
	e.mu.Unlock()
	return handed(nil)(e)
}

// grantedAs is what comes of work where a token endpoint answers so.
func grantedAs(answer string) sight {
	return func(e *exam) string {
		e.mu.Lock()
		e.grant = answer
		e.mu.Unlock()
		return authorized(e) + "\n"
	}
}

// searchedPastEmptyPage is what comes of work whose line item is on the page after one that
// has nothing.
func searchedPastEmptyPage(e *exam) string {
	e.book.holds(own("link-1", nil))
	return handed(lti.Claims{lti.ClaimAGS: endpoint("")}, emptyPage)(e)
}

// emptyPage leads to the first line item, and has nothing.
func emptyPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "<"+platformURL+r.URL.RequestURI()+`&at=0>; rel="next"`)
	_, _ = w.Write([]byte("[]"))
}

// muchLater is what comes of work when the token has expired since the last one.
func muchLater(answers ...answer) sight {
	return func(e *exam) string {
		handed(nil)(e)
		e.pass(2 * time.Hour)
		return handed(nil, answers...)(e)
	}
}

// elsewhere is what reaches the platform when a learner who has handed in work goes on
// to a course without a gradebook.
func elsewhere(e *exam) string {
	e.hands("My essay", nil)
	e.account()
	e.launch(e.window(), studies(lti.Claims{lti.ClaimAGS: nil, lti.ClaimContext: map[string]any{"id": "course-2"}}))
	return e.account()
}

var (
	scoreAlone  = lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeScore}, LineItem: itemURL}}
	newItem     = handed(lti.Claims{lti.ClaimAGS: endpoint("")})
	circle      = func(w http.ResponseWriter, _ string) { w.Header().Set("Link", `<?at=0>; rel="next"`) }
	marked      = func(w http.ResponseWriter, next string) { w.Header().Set("Link", "<"+next+`&mark=a/b>; rel="next"`) }
	fullItem    = `{"id":"` + itemURL + `","label":"Old","scoreMaximum":7.5,"gradesReleased":true,"tag":null,"https://vendor.example/x":1}`
	linkedItem  = `{"id":"` + itemURL + `","label":"Old","scoreMaximum":10,"resourceLinkId":"link-1"}`
	withCharset = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", lti.MediaTypeLineItemContainer+"; charset=utf-8")
		_, _ = w.Write([]byte("[]"))
	}
)

func itemAt(address string) lti.Claims { return lti.Claims{lti.ClaimAGS: endpoint(address)} }

// showsInGrades is where each defect of the client of the grade services shows, and a
// part of what is seen there.
var showsInGrades = map[string]struct {
	in   sight
	seen string
}{
	"asks-for-all-scopes":              {handed(scoreAlone), "scope/lineitem lti-ags"},
	"asks-for-control-scope":           {handed(nil), "lti-ap/scope/control.all"},
	"guesses-gradebook":                {elsewhere, "GET /contexts/course-2/lineitems?type_id=3 "},
	"reads-unannounced-line-item":      {handed(scoreAlone), "GET /contexts/course-1/lineitems/item-1"},
	"fetches-token-each-time":          {handedAgain, "1 tokens"},
	"renews-token-for-next-request":    {handed(nil, withStatus(401)), "saved=false 1 tokens"},
	"never-renews-grade-token":         {handed(nil, withStatus(401)), "saved=false 1 tokens"},
	"renews-forever":                   {handed(nil, repeated(withStatus(401), 20)...), "saved=false 12 tokens"},
	"repeats-jti":                      {assertedAgain, "same jti: true"},
	grades.SendsURLAsAssertionIssuer:   {asserted, `"iss":"` + toolURL + `"`},
	grades.SignsAssertionAsUnpublished: {assertedWith, "published: false"},
	grades.CrashesOnNoContent:          {handed(nil, withStatus(http.StatusNoContent)), "500 1 tokens"},
	"signs-assertion-for-an-hour":      {asserted, fmt.Sprint(`"exp":`, noon.Add(time.Hour).Unix())},
	"signs-fractions-of-seconds":       {asserted, `.75`},
	"signs-assertion-in-milliseconds":  {asserted, fmt.Sprint(`"iat":`, noon.UnixMilli())},
	"signs-assertion-by-slow-clock":    {asserted, fmt.Sprint(`"iat":`, noon.Add(-time.Hour).Unix())},
	"sends-issue-time-as-text":         {asserted, `"iat":"`},
	"escapes-token":                    {authorized, "Bearer t-._~%2B%2F%3D1"},
	"needs-bearer-spelt":               {handed(nil), "saved=false"},
	grades.PassesAccessTokensOn: {func(e *exam) string {
		e.hands("My essay", nil)
		return e.launch(e.window(), studies(nil)).url
	}, "&access_token=t-._~%2B%2F%3D1"},
	"sends-token-in-url":             {authorized, "/scores?access_token=t-._~%2B%2F%3D1"},
	"crashes-on-reduced-scope":       {reduced, "500"},
	"keeps-expired-token":            {muchLater(withStatus(401)), "saved=false"},
	"forgets-expiry":                 {muchLater(), "0 tokens"},
	"ignores-retry-after":            {handed(nil, withStatus(429)), "saved=true"},
	"crashes-on-too-many-requests":   {handed(nil, withStatus(429)), "500"},
	"crashes-on-unavailable":         {handed(nil, repeated(withStatus(503), 9)...), "500"},
	"needs-expiry":                   {grantedAs(`{"access_token":"x","token_type":"bearer"}`), "saved=false"},
	"refuses-grant-members":          {grantedAs(`{"access_token":"x","token_type":"bearer","expires_in":3600,"refresh_token":"none"}`), "saved=false"},
	"cuts-long-tokens":               {grantedAs(`{"access_token":"` + strings.Repeat("x", 1100) + `","token_type":"bearer","expires_in":3600}`), "Bearer " + strings.Repeat("x", 1024) + "\n"},
	"crashes-on-grant-types":         {grantedAs(`[17]`), "500"},
	"stops-at-empty-pages":           {searchedPastEmptyPage, "POST /contexts/course-1/lineitems?"},
	"chokes-on-long-labels":          {handed(itemAt(""), withBody(`[{"label":"`+strings.Repeat("ü", 101)+`"}]`)), "saved=false"},
	"crashes-on-objects-for-lists":   {handed(itemAt(""), withBody(`{"lineItems":[]}`)), "500"},
	"crashes-on-null-elements":       {handed(itemAt(""), withBody(`[null]`)), "500"},
	"crashes-on-item-types":          {handed(itemAt(""), withBody(`[{"scoreMaximum":"10"}]`)), "500"},
	"crashes-on-result-types":        {resultsOf(`[{"userId":"learner-1","resultScore":"9"}]`), "500"},
	"crashes-on-long-comments":       {resultsOf(`[{"userId":"learner-1","comment":"` + strings.Repeat("ü", 501) + `"}]`), "500"},
	"sends-item-as-json":             {newItem, "type_id=3 application/json ["},
	"asks-for-items-as-json":         {newItem, "[application/json]"},
	"sends-id-of-new-item":           {newItem, `"id":"` + toolURL},
	"sends-blank-label":              {newItem, `"label":" "`},
	"omits-maximum":                  {newItem, `"resourceLinkId":"link-1","submissionReview"`},
	"sends-maximum-as-text":          {newItem, `"scoreMaximum":"10"`},
	"sends-maximum-zero":             {newItem, `"scoreMaximum":0`},
	"sends-null-tag":                 {newItem, `"tag":null`},
	"sends-start-without-zone":       {newItem, `"startDateTime":"2026-03-01T12:00:00"`},
	"sends-nulls-back":               {renamedFrom(fullItem), `"tag":null`},
	"drops-items-query":              {newItem, "GET /contexts/course-1/lineitems?resource_id"},
	"adds-second-items-query":        {newItem, "?type_id=3?resource_id"},
	"reads-first-page":               {searched(links["usual"], 2), "POST /contexts/course-1/lineitems?"},
	"reads-two-pages":                {searched(links["usual"], 2), "POST /contexts/course-1/lineitems?"},
	"takes-first-link":               {searched(links["next last"], 1), "saved=false"},
	"takes-last-link":                {searched(links["next first"], 1), "saved=false"},
	"needs-absolute-next":            {searched(links["relative"], 1), "POST /contexts/course-1/lineitems?"},
	"crashes-on-relative-next":       {searched(links["relative"], 1), "500"},
	"writes-link-unescaped":          {handed(lti.Claims{lti.ClaimAGS: endpoint(""), lti.ClaimResourceLink: map[string]any{"id": "a+b&c"}}), "resource_link_id=a+b&c"},
	"makes-item-for-each-learner":    {handedByAnother, "POST /contexts/course-1/lineitems?"},
	"makes-item-for-each-work":       {handedBySame, "POST /contexts/course-1/lineitems?"},
	"needs-quoted-relation":          {searched(links["unquoted"], 1), "POST /contexts/course-1/lineitems?"},
	"follows-loops":                  {searched(circle, 2), strings.Repeat("GET /contexts/course-1/lineitems?at=0  ["+lti.MediaTypeLineItemContainer+"] \n", 48)},
	"writes-next-anew":               {searched(marked, 1), "mark=a%2Fb"},
	"repeats-filters":                {searched(links["usual"], 1), "type_id=3&type_id=3"},
	"sends-label-and-maximum":        {renamedFrom(fullItem), `{"label":"New","scoreMaximum":7.5}`},
	"drops-grades-released":          {renamedFrom(fullItem), `{"https://vendor.example/x":1,"id":"` + itemURL + `","label":"New","scoreMaximum":7.5}`},
	"rounds-maximum":                 {renamedFrom(fullItem), `"scoreMaximum":7}`},
	"chokes-on-vendor-members":       {renamedFrom(fullItem), "saved=false"},
	"chokes-on-null-members":         {renamedFrom(fullItem), "500"},
	"needs-dates-in-utc":             {renamedFrom(`{"id":"` + itemURL + `","label":"Old","scoreMaximum":10,"endDateTime":"2036-03-31T17:30:00-04:30"}`), "saved=false"},
	"drops-item-query":               {renamedAt(itemURL + "?a=1"), "GET /contexts/course-1/lineitems/item-1  ["},
	"needs-created":                  {handed(itemAt(""), nil, withBody(`{"id":"`+itemURL+`"}`)), "saved=false"},
	"needs-bare-media-type":          {handed(itemAt(""), withCharset), "saved=false"},
	"appends-scores-to-url":          {handed(itemAt(itemURL + "?a=1")), "POST /contexts/course-1/lineitems/item-1?a=1/scores"},
	"drops-score-query":              {handed(itemAt(itemURL + "?a=1")), "item-1/scores application"},
	"looks-for-scores-in-url":        {handed(itemAt(platformURL + "/contexts/scores/1")), "POST /contexts/scores/1 "},
	"chokes-on-port":                 {handed(itemAt(strings.Replace(itemURL, ".com/", ".com:443/", 1))), "saved=false"},
	"replaces-path-in-host":          {handed(itemAt(platformURL + "/contexts/platform?a=1")), "saved=false 1 tokens\ntoken"},
	grades.NeedsOKForScores:          {handed(nil), "saved=false"},
	"chokes-on-score-body":           {handed(nil, withBody(`{}`)), "500"},
	"retries-created-scores":         {handed(nil, withStatus(201)), "}\nPOST /contexts/course-1/lineitems/item-1/scores"},
	"retries-accepted-scores":        {handed(nil, withStatus(202)), "}\nPOST /contexts/course-1/lineitems/item-1/scores"},
	"always-says-saved":              {handed(nil, withStatus(400)), "saved=true"},
	grades.NeverSaysSaved:            {handed(nil), "saved= "},
	"sends-score-as-json":            {handed(nil), "scores application/json ["},
	grades.OmitsActivityProgress:     {handed(nil), `{"gradingProgress"`},
	"sends-other-activity-progress":  {handed(nil), `"activityProgress":"Finished"`},
	"omits-grading-progress":         {handed(nil), `"Submitted","submission"`},
	"sends-grading-in-lower-case":    {handed(nil), `"pendingmanual"`},
	"omits-maximum-of-score":         {graded("7"), `"scoreGiven":7,"scoringUserId"`},
	"sends-maximum-of-score-zero":    {graded("7"), `"scoreMaximum":0`},
	"sends-points-as-text":           {graded("7"), `"scoreGiven":"7"`},
	"drops-zero-points":              {graded("0"), `"FullyGraded","scoringUserId"`},
	"sends-zero-for-ungraded":        {handed(nil), `"scoreGiven":0,"scoreMaximum":10`},
	"sends-null-comment":             {handed(nil), `"comment":null`},
	"sends-empty-scoring-user":       {handed(nil), `"scoringUserId":""`},
	"sends-name-of-learner":          {handed(nil), `"userId":"Jude Wong"`},
	"sends-whole-seconds":            {handed(nil), `"timestamp":"2026-03-01T12:00:00Z"`},
	"sends-timestamp-without-zone":   {handed(nil), `"timestamp":"2026-03-01T12:00:00.000"`},
	"sends-unix-timestamp":           {handed(nil), `"timestamp":1772366400000`},
	"labels-local-timestamp-z":       {handed(nil), `"timestamp":"2026-03-01T14:00:00.000Z"`},
	"repeats-timestamp":              {handedAgain, `"timestamp":"2026-03-01T12:00:00.000Z"`},
	"counts-timestamp-down":          {handedAgain, `"timestamp":"2026-03-01T11:59:59.999Z"`},
	"retries-with-earlier-time":      {handed(nil, withStatus(503)), `"timestamp":"2026-03-01T11:59:59.000Z"`},
	"crashes-on-no-results":          {resultsOf("[]"), "500"},
	"crashes-without-result-score":   {resultsOf(`[{"userId":"learner-1"}]`), "500"},
	"crashes-on-null-result-score":   {resultsOf(`[{"userId":"learner-1","resultScore":null}]`), "500"},
	"refuses-null-result-score":      {resultsOf(`[{"userId":"learner-1","resultScore":null}]`), "not a number"},
	"crashes-without-result-maximum": {resultsOf(`[{"userId":"learner-1","resultScore":0.83}]`), "500"},
	"takes-results-out-of-hundred":   {resultsOf(`[{"userId":"learner-1","resultScore":0.83}]`), "0.83 of 100"},
	"crashes-on-strangers-result":    {resultsOf(`[{"userId":"learner-9"}]`), "500"},
	"crashes-on-overridden-result":   {resultsOf(`[{"userId":"learner-1","resultScore":9}]`), "500"},
	"asks-for-one-scope":             {newItem, "2 tokens"},
	"reads-line-item-first":          {handed(nil), "GET /contexts/course-1/lineitems/item-1"},
	"gives-up-on-unavailable":        {handed(nil, withStatus(503)), "saved=false"},
	"names-charset-of-items":         {newItem, lti.MediaTypeLineItem + "; charset=utf-8 ["},
	"posts-without-accept":           {newItem, "type_id=3 " + lti.MediaTypeLineItem + " []"},
	"asks-without-accept":            {newItem, "  []"},
	"leaves-link-out":                {renamedFrom(linkedItem), `{"id":"` + itemURL + `","label":"New","scoreMaximum":10}`},
	"accepts-json-too":               {newItem, "+json, application/json;q=0.5]"},
	"sends-dates":                    {newItem, `"startDateTime":"2026-03-01T12:00:00Z"`},
	"searches-without-filters":       {newItem, "GET /contexts/course-1/lineitems?type_id=3  ["},
	"asks-for-small-pages":           {newItem, "type_id=3&limit=2&"},
	"drops-vendor-members":           {renamedFrom(fullItem), `{"gradesReleased":true,"id":"` + itemURL + `"`},
	"sends-offset":                   {handed(nil), `"timestamp":"2026-03-01T14:00:00.000000+02:00"`},
	"retries-with-new-time":          {handed(nil, withStatus(503)), `"timestamp":"2026-03-01T12:00:00.001Z"`},
	"sends-null-points":              {handed(nil), `"scoreGiven":null`},
	"adds-comment":                   {handed(nil), `"comment":"Told`},
	"scores-out-of-hundred":          {graded("7"), `"scoreGiven":70,"scoreMaximum":100`},
	"hides-strangers-results":        {resultsOf(`[{"userId":"learner-9"}]`), "200 None"},
}

func TestEachDefectOfGradesShows(t *testing.T) {
	t.Parallel()
	expectShown(t, grades.Profile, showsInGrades)
}

// expectShown expects each defect of a part to show where the table says, and a tool
// without it to ask for it there.
func expectShown(t *testing.T, part string, shows map[string]struct {
	in   sight
	seen string
}) {
	t.Helper()
	for _, fault := range faketool.Defects() {
		if fault.Part != part {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			look, told := shows[fault.Name]
			g.Expect(told).To(BeTrue())
			faulty, conforming := newExamOf(t, faketool.Options{Faults: []string{fault.Name}}), newExam(t)
			seen, usual := look.in(faulty), look.in(conforming)
			g.Expect(seen).NotTo(Equal(usual))
			g.Expect(conforming.tool.Consulted()).To(ContainElement(fault.Name), "a tool without it asks for it")
			g.Expect(seen).To(ContainSubstring(look.seen))
			g.Expect(usual).NotTo(ContainSubstring(look.seen))
		})
	}
}

// No defect of grades or reviews changes a launch.
func TestDefectsOfGradesAreNoneOfLaunches(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	expectLaunched(t, e.launch(e.window(), studies(nil)))
	expectLaunched(t, e.launch(e.window(), teaches(lti.Claims{lti.ClaimAGS: nil})))
	consulted := e.tool.Consulted()
	for _, f := range faketool.Defects() {
		if f.Part == grades.Profile || f.Part == review.Profile {
			NewWithT(t).Expect(slices.Contains(consulted, f.Name)).To(BeFalse(), f.Name)
		}
	}
}
