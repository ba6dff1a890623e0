package grades_test

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
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

// handedAgain is what comes of work that is handed in a second time.
func handedAgain(e *tooltest.Rig) string {
	tooltest.Handed(nil)(e)
	return tooltest.Handed(nil)(e)
}

// handedByAnother is what comes of work that another learner hands in where there is a
// line item, and handedBySame of one that the same learner does.
func handedByAnother(e *tooltest.Rig) string {
	e.Book.Holds(own("link-1", nil))
	tooltest.Handed(lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")})(e)
	return tooltest.Handed(lti.Claims{lti.ClaimAGS: tooltest.Endpoint(""), "sub": "learner-2"})(e)
}

func handedBySame(e *tooltest.Rig) string {
	e.Book.Holds(own("link-1", nil))
	tooltest.Handed(lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")})(e)
	return tooltest.Handed(lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")})(e)
}

// searched is what comes of work whose line item is the last of so many.
func searched(link func(http.ResponseWriter, string), others int) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		var items []map[string]any
		for i := range others {
			items = append(items, own(fmt.Sprint("other-", i), nil))
		}
		e.Book.Size, e.Book.Link = 1, link
		e.Book.Holds(append(items, own("link-1", nil))...)
		return tooltest.NewItem(e)
	}
}

// graded is what comes of points that a teacher gives.
func graded(points string) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.Hands("My essay", nil)
		e.Account()
		b := e.Window()
		return tooltest.OutcomeOf(b.Press(e.Launch(b, tooltest.Reviews(nil)), "#grade", url.Values{"score": {points}})) + " " + e.Account()
	}
}

// renamedAt is what comes of another label for the line item at an address.
func renamedAt(address string) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.Book.Answer(tooltest.WithBody(linkedItem), tooltest.WithStatus(http.StatusOK))
		b := e.Window()
		return tooltest.OutcomeOf(b.Press(e.Launch(b, tooltest.Teaches(tooltest.ItemAt(address))), "#rename", url.Values{"label": {"New"}})) + " " + e.Account()
	}
}

// resultsOf is what is shown of results.
func resultsOf(results string) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.Hands("My essay", nil)
		e.Book.Results = results
		b := e.Window()
		shown := b.Press(e.Launch(b, tooltest.Teaches(nil)), "#read-results", nil)
		return fmt.Sprint(shown.Status, " ", strings.Join(strings.Fields(shown.Find("#results ul, #unread [role=alert]").Text()), " "))
	}
}

// asserted is the assertion with which a token is asked for.
func asserted(e *tooltest.Rig) string {
	e.Hands("My essay", nil)
	_, tokens, _ := e.Seen()
	_, payload, err := lti.Decode(tokens[0].Form.Get("client_assertion"))
	NewWithT(e.T).Expect(err).NotTo(HaveOccurred())
	return string(payload)
}

// assertedWith is whether the key that an assertion is signed with is published.
func assertedWith(e *tooltest.Rig) string {
	e.Hands("My essay", nil)
	_, tokens, _ := e.Seen()
	header, _, err := lti.Decode(tokens[0].Form.Get("client_assertion"))
	NewWithT(e.T).Expect(err).NotTo(HaveOccurred())
	var named struct{ Kid string }
	NewWithT(e.T).Expect(json.Unmarshal(header, &named)).To(Succeed())
	keys := httptest.NewRecorder()
	e.Tool.ServeHTTP(keys, httptest.NewRequest(http.MethodGet, faketool.JWKSPath, nil))
	return fmt.Sprint("published: ", strings.Contains(keys.Body.String(), named.Kid))
}

// assertedAgain is whether two assertions have the same jti, where an access token is
// not taken.
func assertedAgain(e *tooltest.Rig) string {
	e.Book.Answer(tooltest.WithStatus(http.StatusUnauthorized))
	e.Hands("My essay", nil)
	_, tokens, _ := e.Seen()
	NewWithT(e.T).Expect(tokens).To(HaveLen(2))
	jti := func(r tooltest.Request) any { return tooltest.ClaimsOf(e.T, r.Form.Get("client_assertion"))["jti"] }
	return fmt.Sprint("same jti: ", jti(tokens[0]) == jti(tokens[1]))
}

// authorized is how the score of work is sent.
func authorized(e *tooltest.Rig) string {
	shown := tooltest.OutcomeOf(e.Hands("My essay", nil))
	for _, c := range e.Book.Seen() {
		shown += " " + c.Target + " " + c.Authorization
	}
	return shown
}

// reduced is what comes of work where a token is for fewer scopes than were asked for.
func reduced(e *tooltest.Rig) string {
	e.Grants(`{"access_token":"x","token_type":"bearer","scope":"` + lti.ScopeScore + `"}`)
	return tooltest.Handed(nil)(e)
}

// grantedAs is what comes of work where a token endpoint answers so.
func grantedAs(answer string) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.Grants(answer)
		return authorized(e) + "\n"
	}
}

// searchedPastEmptyPage is what comes of work whose line item is on the page after one that
// has nothing.
func searchedPastEmptyPage(e *tooltest.Rig) string {
	e.Book.Holds(own("link-1", nil))
	return tooltest.Handed(lti.Claims{lti.ClaimAGS: tooltest.Endpoint("")}, emptyPage)(e)
}

// emptyPage leads to the first line item, and has nothing.
func emptyPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "<"+tooltest.PlatformURL+r.URL.RequestURI()+`&at=0>; rel="next"`)
	_, _ = w.Write([]byte("[]"))
}

// muchLater is what comes of work when the token has expired since the last one.
func muchLater(answers ...tooltest.Answer) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		tooltest.Handed(nil)(e)
		e.Pass(2 * time.Hour)
		return tooltest.Handed(nil, answers...)(e)
	}
}

// elsewhere is what reaches the platform when a learner who has handed in work goes on
// to a course without a gradebook.
func elsewhere(e *tooltest.Rig) string {
	e.Hands("My essay", nil)
	e.Account()
	e.Launch(e.Window(), tooltest.Studies(lti.Claims{lti.ClaimAGS: nil, lti.ClaimContext: map[string]any{"id": "course-2"}}))
	return e.Account()
}

var (
	scoreAlone  = lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeScore}, LineItem: tooltest.ItemURL}}
	circle      = func(w http.ResponseWriter, _ string) { w.Header().Set("Link", `<?at=0>; rel="next"`) }
	marked      = func(w http.ResponseWriter, next string) { w.Header().Set("Link", "<"+next+`&mark=a/b>; rel="next"`) }
	fullItem    = `{"id":"` + tooltest.ItemURL + `","label":"Old","scoreMaximum":7.5,"gradesReleased":true,"tag":null,"https://vendor.example/x":1}`
	linkedItem  = `{"id":"` + tooltest.ItemURL + `","label":"Old","scoreMaximum":10,"resourceLinkId":"link-1"}`
	withCharset = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", lti.MediaTypeLineItemContainer+"; charset=utf-8")
		_, _ = w.Write([]byte("[]"))
	}
)

// showsInGrades is where each defect of the client of the grade services shows, and a
// part of what is seen there.
var showsInGrades = map[string]struct {
	In   tooltest.Sight
	Says string
}{
	"asks-for-all-scopes":              {tooltest.Handed(scoreAlone), "scope/lineitem lti-ags"},
	"asks-for-control-scope":           {tooltest.Handed(nil), "lti-ap/scope/control.all"},
	"guesses-gradebook":                {elsewhere, "GET /contexts/course-2/lineitems?type_id=3 "},
	"reads-unannounced-line-item":      {tooltest.Handed(scoreAlone), "GET /contexts/course-1/lineitems/item-1"},
	"fetches-token-each-time":          {handedAgain, "1 tokens"},
	"renews-token-for-next-request":    {tooltest.Handed(nil, tooltest.WithStatus(401)), "saved=false 1 tokens"},
	"never-renews-grade-token":         {tooltest.Handed(nil, tooltest.WithStatus(401)), "saved=false 1 tokens"},
	"renews-forever":                   {tooltest.Handed(nil, tooltest.Repeated(tooltest.WithStatus(401), 20)...), "saved=false 12 tokens"},
	"repeats-jti":                      {assertedAgain, "same jti: true"},
	grades.SendsURLAsAssertionIssuer:   {asserted, `"iss":"` + tooltest.ToolURL + `"`},
	grades.SignsAssertionAsUnpublished: {assertedWith, "published: false"},
	grades.CrashesOnNoContent:          {tooltest.Handed(nil, tooltest.WithStatus(http.StatusNoContent)), "500 1 tokens"},
	"signs-assertion-for-an-hour":      {asserted, fmt.Sprint(`"exp":`, tooltest.Noon.Add(time.Hour).Unix())},
	"signs-fractions-of-seconds":       {asserted, `.75`},
	"signs-assertion-in-milliseconds":  {asserted, fmt.Sprint(`"iat":`, tooltest.Noon.UnixMilli())},
	"signs-assertion-by-slow-clock":    {asserted, fmt.Sprint(`"iat":`, tooltest.Noon.Add(-time.Hour).Unix())},
	"sends-issue-time-as-text":         {asserted, `"iat":"`},
	"escapes-token":                    {authorized, "Bearer t-._~%2B%2F%3D1"},
	"needs-bearer-spelt":               {tooltest.Handed(nil), "saved=false"},
	grades.PassesAccessTokensOn: {func(e *tooltest.Rig) string {
		e.Hands("My essay", nil)
		return e.Launch(e.Window(), tooltest.Studies(nil)).URL
	}, "&access_token=t-._~%2B%2F%3D1"},
	"sends-token-in-url":             {authorized, "/scores?access_token=t-._~%2B%2F%3D1"},
	"crashes-on-reduced-scope":       {reduced, "500"},
	"keeps-expired-token":            {muchLater(tooltest.WithStatus(401)), "saved=false"},
	"forgets-expiry":                 {muchLater(), "0 tokens"},
	"ignores-retry-after":            {tooltest.Handed(nil, tooltest.WithStatus(429)), "saved=true"},
	"crashes-on-too-many-requests":   {tooltest.Handed(nil, tooltest.WithStatus(429)), "500"},
	"crashes-on-unavailable":         {tooltest.Handed(nil, tooltest.Repeated(tooltest.WithStatus(503), 9)...), "500"},
	"needs-expiry":                   {grantedAs(`{"access_token":"x","token_type":"bearer"}`), "saved=false"},
	"refuses-grant-members":          {grantedAs(`{"access_token":"x","token_type":"bearer","expires_in":3600,"refresh_token":"none"}`), "saved=false"},
	"cuts-long-tokens":               {grantedAs(`{"access_token":"` + strings.Repeat("x", 1100) + `","token_type":"bearer","expires_in":3600}`), "Bearer " + strings.Repeat("x", 1024) + "\n"},
	"crashes-on-grant-types":         {grantedAs(`[17]`), "500"},
	"stops-at-empty-pages":           {searchedPastEmptyPage, "POST /contexts/course-1/lineitems?"},
	"chokes-on-long-labels":          {tooltest.Handed(tooltest.ItemAt(""), tooltest.WithBody(`[{"label":"`+strings.Repeat("ü", 101)+`"}]`)), "saved=false"},
	"crashes-on-objects-for-lists":   {tooltest.Handed(tooltest.ItemAt(""), tooltest.WithBody(`{"lineItems":[]}`)), "500"},
	"crashes-on-null-elements":       {tooltest.Handed(tooltest.ItemAt(""), tooltest.WithBody(`[null]`)), "500"},
	"crashes-on-item-types":          {tooltest.Handed(tooltest.ItemAt(""), tooltest.WithBody(`[{"scoreMaximum":"10"}]`)), "500"},
	"crashes-on-result-types":        {resultsOf(`[{"userId":"learner-1","resultScore":"9"}]`), "500"},
	"crashes-on-long-comments":       {resultsOf(`[{"userId":"learner-1","comment":"` + strings.Repeat("ü", 501) + `"}]`), "500"},
	"sends-item-as-json":             {tooltest.NewItem, "type_id=3 application/json ["},
	"asks-for-items-as-json":         {tooltest.NewItem, "[application/json]"},
	"sends-id-of-new-item":           {tooltest.NewItem, `"id":"` + tooltest.ToolURL},
	"sends-blank-label":              {tooltest.NewItem, `"label":" "`},
	"omits-maximum":                  {tooltest.NewItem, `"resourceLinkId":"link-1","submissionReview"`},
	"sends-maximum-as-text":          {tooltest.NewItem, `"scoreMaximum":"10"`},
	"sends-maximum-zero":             {tooltest.NewItem, `"scoreMaximum":0`},
	"sends-null-tag":                 {tooltest.NewItem, `"tag":null`},
	"sends-start-without-zone":       {tooltest.NewItem, `"startDateTime":"2026-03-01T12:00:00"`},
	"sends-nulls-back":               {tooltest.RenamedFrom(fullItem), `"tag":null`},
	"drops-items-query":              {tooltest.NewItem, "GET /contexts/course-1/lineitems?resource_id"},
	"adds-second-items-query":        {tooltest.NewItem, "?type_id=3?resource_id"},
	"reads-first-page":               {searched(links["usual"], 2), "POST /contexts/course-1/lineitems?"},
	"reads-two-pages":                {searched(links["usual"], 2), "POST /contexts/course-1/lineitems?"},
	"takes-first-link":               {searched(links["next last"], 1), "saved=false"},
	"takes-last-link":                {searched(links["next first"], 1), "saved=false"},
	"needs-absolute-next":            {searched(links["relative"], 1), "POST /contexts/course-1/lineitems?"},
	"crashes-on-relative-next":       {searched(links["relative"], 1), "500"},
	"writes-link-unescaped":          {tooltest.Handed(lti.Claims{lti.ClaimAGS: tooltest.Endpoint(""), lti.ClaimResourceLink: map[string]any{"id": "a+b&c"}}), "resource_link_id=a+b&c"},
	"makes-item-for-each-learner":    {handedByAnother, "POST /contexts/course-1/lineitems?"},
	"makes-item-for-each-work":       {handedBySame, "POST /contexts/course-1/lineitems?"},
	"needs-quoted-relation":          {searched(links["unquoted"], 1), "POST /contexts/course-1/lineitems?"},
	"follows-loops":                  {searched(circle, 2), strings.Repeat("GET /contexts/course-1/lineitems?at=0  ["+lti.MediaTypeLineItemContainer+"] \n", 48)},
	"writes-next-anew":               {searched(marked, 1), "mark=a%2Fb"},
	"repeats-filters":                {searched(links["usual"], 1), "type_id=3&type_id=3"},
	"sends-label-and-maximum":        {tooltest.RenamedFrom(fullItem), `{"label":"New","scoreMaximum":7.5}`},
	"drops-grades-released":          {tooltest.RenamedFrom(fullItem), `{"https://vendor.example/x":1,"id":"` + tooltest.ItemURL + `","label":"New","scoreMaximum":7.5}`},
	"rounds-maximum":                 {tooltest.RenamedFrom(fullItem), `"scoreMaximum":7}`},
	"chokes-on-vendor-members":       {tooltest.RenamedFrom(fullItem), "saved=false"},
	"chokes-on-null-members":         {tooltest.RenamedFrom(fullItem), "500"},
	"needs-dates-in-utc":             {tooltest.RenamedFrom(`{"id":"` + tooltest.ItemURL + `","label":"Old","scoreMaximum":10,"endDateTime":"2036-03-31T17:30:00-04:30"}`), "saved=false"},
	"drops-item-query":               {renamedAt(tooltest.ItemURL + "?a=1"), "GET /contexts/course-1/lineitems/item-1  ["},
	"needs-created":                  {tooltest.Handed(tooltest.ItemAt(""), nil, tooltest.WithBody(`{"id":"`+tooltest.ItemURL+`"}`)), "saved=false"},
	"needs-bare-media-type":          {tooltest.Handed(tooltest.ItemAt(""), withCharset), "saved=false"},
	"appends-scores-to-url":          {tooltest.Handed(tooltest.ItemAt(tooltest.ItemURL + "?a=1")), "POST /contexts/course-1/lineitems/item-1?a=1/scores"},
	"drops-score-query":              {tooltest.Handed(tooltest.ItemAt(tooltest.ItemURL + "?a=1")), "item-1/scores application"},
	"looks-for-scores-in-url":        {tooltest.Handed(tooltest.ItemAt(tooltest.PlatformURL + "/contexts/scores/1")), "POST /contexts/scores/1 "},
	"chokes-on-port":                 {tooltest.Handed(tooltest.ItemAt(strings.Replace(tooltest.ItemURL, ".com/", ".com:443/", 1))), "saved=false"},
	"replaces-path-in-host":          {tooltest.Handed(tooltest.ItemAt(tooltest.PlatformURL + "/contexts/platform?a=1")), "saved=false 1 tokens\ntoken"},
	grades.NeedsOKForScores:          {tooltest.Handed(nil), "saved=false"},
	"chokes-on-score-body":           {tooltest.Handed(nil, tooltest.WithBody(`{}`)), "500"},
	"retries-created-scores":         {tooltest.Handed(nil, tooltest.WithStatus(201)), "}\nPOST /contexts/course-1/lineitems/item-1/scores"},
	"retries-accepted-scores":        {tooltest.Handed(nil, tooltest.WithStatus(202)), "}\nPOST /contexts/course-1/lineitems/item-1/scores"},
	"always-says-saved":              {tooltest.Handed(nil, tooltest.WithStatus(400)), "saved=true"},
	grades.NeverSaysSaved:            {tooltest.Handed(nil), "saved= "},
	"sends-score-as-json":            {tooltest.Handed(nil), "scores application/json ["},
	grades.OmitsActivityProgress:     {tooltest.Handed(nil), `{"gradingProgress"`},
	"sends-other-activity-progress":  {tooltest.Handed(nil), `"activityProgress":"Finished"`},
	"omits-grading-progress":         {tooltest.Handed(nil), `"Submitted","submission"`},
	"sends-grading-in-lower-case":    {tooltest.Handed(nil), `"pendingmanual"`},
	"omits-maximum-of-score":         {graded("7"), `"scoreGiven":7,"scoringUserId"`},
	"sends-maximum-of-score-zero":    {graded("7"), `"scoreMaximum":0`},
	"sends-points-as-text":           {graded("7"), `"scoreGiven":"7"`},
	"drops-zero-points":              {graded("0"), `"FullyGraded","scoringUserId"`},
	"sends-zero-for-ungraded":        {tooltest.Handed(nil), `"scoreGiven":0,"scoreMaximum":10`},
	"sends-null-comment":             {tooltest.Handed(nil), `"comment":null`},
	"sends-empty-scoring-user":       {tooltest.Handed(nil), `"scoringUserId":""`},
	"sends-name-of-learner":          {tooltest.Handed(nil), `"userId":"Jude Wong"`},
	"sends-whole-seconds":            {tooltest.Handed(nil), `"timestamp":"2026-03-01T12:00:00Z"`},
	"sends-timestamp-without-zone":   {tooltest.Handed(nil), `"timestamp":"2026-03-01T12:00:00.000"`},
	"sends-unix-timestamp":           {tooltest.Handed(nil), `"timestamp":1772366400000`},
	"labels-local-timestamp-z":       {tooltest.Handed(nil), `"timestamp":"2026-03-01T14:00:00.000Z"`},
	"repeats-timestamp":              {handedAgain, `"timestamp":"2026-03-01T12:00:00.000Z"`},
	"counts-timestamp-down":          {handedAgain, `"timestamp":"2026-03-01T11:59:59.999Z"`},
	"retries-with-earlier-time":      {tooltest.Handed(nil, tooltest.WithStatus(503)), `"timestamp":"2026-03-01T11:59:59.000Z"`},
	"crashes-on-no-results":          {resultsOf("[]"), "500"},
	"crashes-without-result-score":   {resultsOf(`[{"userId":"learner-1"}]`), "500"},
	"crashes-on-null-result-score":   {resultsOf(`[{"userId":"learner-1","resultScore":null}]`), "500"},
	"refuses-null-result-score":      {resultsOf(`[{"userId":"learner-1","resultScore":null}]`), "not a number"},
	"crashes-without-result-maximum": {resultsOf(`[{"userId":"learner-1","resultScore":0.83}]`), "500"},
	"takes-results-out-of-hundred":   {resultsOf(`[{"userId":"learner-1","resultScore":0.83}]`), "0.83 of 100"},
	"crashes-on-strangers-result":    {resultsOf(`[{"userId":"learner-9"}]`), "500"},
	"crashes-on-overridden-result":   {resultsOf(`[{"userId":"learner-1","resultScore":9}]`), "500"},
	"asks-for-one-scope":             {tooltest.NewItem, "2 tokens"},
	"reads-line-item-first":          {tooltest.Handed(nil), "GET /contexts/course-1/lineitems/item-1"},
	"gives-up-on-unavailable":        {tooltest.Handed(nil, tooltest.WithStatus(503)), "saved=false"},
	"names-charset-of-items":         {tooltest.NewItem, lti.MediaTypeLineItem + "; charset=utf-8 ["},
	"posts-without-accept":           {tooltest.NewItem, "type_id=3 " + lti.MediaTypeLineItem + " []"},
	"asks-without-accept":            {tooltest.NewItem, "  []"},
	"leaves-link-out":                {tooltest.RenamedFrom(linkedItem), `{"id":"` + tooltest.ItemURL + `","label":"New","scoreMaximum":10}`},
	"accepts-json-too":               {tooltest.NewItem, "+json, application/json;q=0.5]"},
	"sends-dates":                    {tooltest.NewItem, `"startDateTime":"2026-03-01T12:00:00Z"`},
	"searches-without-filters":       {tooltest.NewItem, "GET /contexts/course-1/lineitems?type_id=3  ["},
	"asks-for-small-pages":           {tooltest.NewItem, "type_id=3&limit=2&"},
	"drops-vendor-members":           {tooltest.RenamedFrom(fullItem), `{"gradesReleased":true,"id":"` + tooltest.ItemURL + `"`},
	"sends-offset":                   {tooltest.Handed(nil), `"timestamp":"2026-03-01T14:00:00.000000+02:00"`},
	"retries-with-new-time":          {tooltest.Handed(nil, tooltest.WithStatus(503)), `"timestamp":"2026-03-01T12:00:00.001Z"`},
	"sends-null-points":              {tooltest.Handed(nil), `"scoreGiven":null`},
	"adds-comment":                   {tooltest.Handed(nil), `"comment":"Told`},
	"scores-out-of-hundred":          {graded("7"), `"scoreGiven":70,"scoreMaximum":100`},
	"hides-strangers-results":        {resultsOf(`[{"userId":"learner-9"}]`), "200 None"},
}

func TestEachDefectOfGradesShows(t *testing.T) {
	t.Parallel()
	tooltest.ExpectShown(t, grades.Profile, showsInGrades)
}

// No defect of grades or reviews changes a launch.
func TestDefectsOfGradesAreNoneOfLaunches(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	tooltest.ExpectLaunched(t, e.Launch(e.Window(), tooltest.Studies(nil)))
	tooltest.ExpectLaunched(t, e.Launch(e.Window(), tooltest.Teaches(lti.Claims{lti.ClaimAGS: nil})))
	consulted := e.Tool.FaultsReached()
	for _, f := range faketool.Defects() {
		if f.Part == grades.Profile || f.Part == review.Profile {
			NewWithT(t).Expect(slices.Contains(consulted, f.Name)).To(BeFalse(), f.Name)
		}
	}
}
