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
	faketool.AsksForAllScopes:             {handed(scoreAlone), "scope/lineitem lti-ags"},
	faketool.AsksForControlScope:          {handed(nil), "lti-ap/scope/control.all"},
	faketool.GuessesGradebook:             {elsewhere, "GET /contexts/course-2/lineitems?type_id=3 "},
	faketool.ReadsUnannouncedLineItem:     {handed(scoreAlone), "GET /contexts/course-1/lineitems/item-1"},
	faketool.FetchesTokenEachTime:         {handedAgain, "1 tokens"},
	faketool.RenewsForNextRequest:         {handed(nil, withStatus(401)), "saved=false 1 tokens"},
	faketool.NeverRenewsGradeToken:        {handed(nil, withStatus(401)), "saved=false 1 tokens"},
	faketool.RenewsForever:                {handed(nil, repeated(withStatus(401), 20)...), "saved=false 12 tokens"},
	faketool.RepeatsJTI:                   {assertedAgain, "same jti: true"},
	faketool.SendsURLAsAssertionIssuer:    {asserted, `"iss":"` + toolURL + `"`},
	faketool.SignsAssertionAsUnpublished:  {assertedWith, "published: false"},
	faketool.CrashesOnNoContent:           {handed(nil, withStatus(http.StatusNoContent)), "500 1 tokens"},
	faketool.SignsAssertionForAnHour:      {asserted, fmt.Sprint(`"exp":`, noon.Add(time.Hour).Unix())},
	faketool.SignsFractionsOfSeconds:      {asserted, `.75`},
	faketool.SignsAssertionInMilliseconds: {asserted, fmt.Sprint(`"iat":`, noon.UnixMilli())},
	faketool.SignsAssertionBySlowClock:    {asserted, fmt.Sprint(`"iat":`, noon.Add(-time.Hour).Unix())},
	faketool.SendsIssueTimeAsText:         {asserted, `"iat":"`},
	faketool.EscapesToken:                 {authorized, "Bearer t-._~%2B%2F%3D1"},
	faketool.NeedsBearerSpelt:             {handed(nil), "saved=false"},
	faketool.PassesAccessTokensOn: {func(e *exam) string {
		e.hands("My essay", nil)
		return e.launch(e.window(), studies(nil)).url
	}, "&access_token=t-._~%2B%2F%3D1"},
	faketool.SendsTokenInURL:             {authorized, "/scores?access_token=t-._~%2B%2F%3D1"},
	faketool.CrashesOnReducedScope:       {reduced, "500"},
	faketool.KeepsExpiredToken:           {muchLater(withStatus(401)), "saved=false"},
	faketool.ForgetsExpiry:               {muchLater(), "0 tokens"},
	faketool.IgnoresRetryAfter:           {handed(nil, withStatus(429)), "saved=true"},
	faketool.CrashesOnTooManyRequests:    {handed(nil, withStatus(429)), "500"},
	faketool.CrashesOnUnavailable:        {handed(nil, repeated(withStatus(503), 9)...), "500"},
	faketool.NeedsExpiry:                 {grantedAs(`{"access_token":"x","token_type":"bearer"}`), "saved=false"},
	faketool.RefusesGrantMembers:         {grantedAs(`{"access_token":"x","token_type":"bearer","expires_in":3600,"refresh_token":"none"}`), "saved=false"},
	faketool.CutsLongTokens:              {grantedAs(`{"access_token":"` + strings.Repeat("x", 1100) + `","token_type":"bearer","expires_in":3600}`), "Bearer " + strings.Repeat("x", 1024) + "\n"},
	faketool.CrashesOnGrantTypes:         {grantedAs(`[17]`), "500"},
	faketool.StopsAtEmptyPages:           {searchedPastEmptyPage, "POST /contexts/course-1/lineitems?"},
	faketool.ChokesOnLongLabels:          {handed(itemAt(""), withBody(`[{"label":"`+strings.Repeat("ü", 101)+`"}]`)), "saved=false"},
	faketool.CrashesOnObjectsForLists:    {handed(itemAt(""), withBody(`{"lineItems":[]}`)), "500"},
	faketool.CrashesOnNullElements:       {handed(itemAt(""), withBody(`[null]`)), "500"},
	faketool.CrashesOnItemTypes:          {handed(itemAt(""), withBody(`[{"scoreMaximum":"10"}]`)), "500"},
	faketool.CrashesOnResultTypes:        {resultsOf(`[{"userId":"learner-1","resultScore":"9"}]`), "500"},
	faketool.CrashesOnLongComments:       {resultsOf(`[{"userId":"learner-1","comment":"` + strings.Repeat("ü", 501) + `"}]`), "500"},
	faketool.SendsItemAsJSON:             {newItem, "type_id=3 application/json ["},
	faketool.AsksForItemsAsJSON:          {newItem, "[application/json]"},
	faketool.SendsIDOfNewItem:            {newItem, `"id":"` + toolURL},
	faketool.SendsBlankLabel:             {newItem, `"label":" "`},
	faketool.OmitsMaximum:                {newItem, `"resourceLinkId":"link-1","submissionReview"`},
	faketool.SendsMaximumAsText:          {newItem, `"scoreMaximum":"10"`},
	faketool.SendsMaximumZero:            {newItem, `"scoreMaximum":0`},
	faketool.SendsNullTag:                {newItem, `"tag":null`},
	faketool.SendsStartWithoutZone:       {newItem, `"startDateTime":"2026-03-01T12:00:00"`},
	faketool.SendsNullsBack:              {renamedFrom(fullItem), `"tag":null`},
	faketool.DropsItemsQuery:             {newItem, "GET /contexts/course-1/lineitems?resource_id"},
	faketool.AddsSecondItemsQuery:        {newItem, "?type_id=3?resource_id"},
	faketool.ReadsFirstPage:              {searched(links["usual"], 2), "POST /contexts/course-1/lineitems?"},
	faketool.ReadsTwoPages:               {searched(links["usual"], 2), "POST /contexts/course-1/lineitems?"},
	faketool.TakesFirstLink:              {searched(links["next last"], 1), "saved=false"},
	faketool.TakesLastLink:               {searched(links["next first"], 1), "saved=false"},
	faketool.NeedsAbsoluteNext:           {searched(links["relative"], 1), "POST /contexts/course-1/lineitems?"},
	faketool.CrashesOnRelativeNext:       {searched(links["relative"], 1), "500"},
	faketool.WritesLinkUnescaped:         {handed(lti.Claims{lti.ClaimAGS: endpoint(""), lti.ClaimResourceLink: map[string]any{"id": "a+b&c"}}), "resource_link_id=a+b&c"},
	faketool.MakesItemForEachLearner:     {handedByAnother, "POST /contexts/course-1/lineitems?"},
	faketool.MakesItemForEachWork:        {handedBySame, "POST /contexts/course-1/lineitems?"},
	faketool.NeedsQuotedRelation:         {searched(links["unquoted"], 1), "POST /contexts/course-1/lineitems?"},
	faketool.FollowsLoops:                {searched(circle, 2), strings.Repeat("GET /contexts/course-1/lineitems?at=0  ["+lti.MediaTypeLineItemContainer+"] \n", 48)},
	faketool.WritesNextAnew:              {searched(marked, 1), "mark=a%2Fb"},
	faketool.RepeatsFilters:              {searched(links["usual"], 1), "type_id=3&type_id=3"},
	faketool.SendsLabelAndMaximum:        {renamedFrom(fullItem), `{"label":"New","scoreMaximum":7.5}`},
	faketool.DropsGradesReleased:         {renamedFrom(fullItem), `{"https://vendor.example/x":1,"id":"` + itemURL + `","label":"New","scoreMaximum":7.5}`},
	faketool.RoundsMaximum:               {renamedFrom(fullItem), `"scoreMaximum":7}`},
	faketool.ChokesOnVendorMembers:       {renamedFrom(fullItem), "saved=false"},
	faketool.ChokesOnNullMembers:         {renamedFrom(fullItem), "500"},
	faketool.NeedsDatesInUTC:             {renamedFrom(`{"id":"` + itemURL + `","label":"Old","scoreMaximum":10,"endDateTime":"2036-03-31T17:30:00-04:30"}`), "saved=false"},
	faketool.DropsItemQuery:              {renamedAt(itemURL + "?a=1"), "GET /contexts/course-1/lineitems/item-1  ["},
	faketool.NeedsCreated:                {handed(itemAt(""), nil, withBody(`{"id":"`+itemURL+`"}`)), "saved=false"},
	faketool.NeedsBareMediaType:          {handed(itemAt(""), withCharset), "saved=false"},
	faketool.AppendsScoresToURL:          {handed(itemAt(itemURL + "?a=1")), "POST /contexts/course-1/lineitems/item-1?a=1/scores"},
	faketool.DropsScoreQuery:             {handed(itemAt(itemURL + "?a=1")), "item-1/scores application"},
	faketool.LooksForScoresInURL:         {handed(itemAt(platformURL + "/contexts/scores/1")), "POST /contexts/scores/1 "},
	faketool.ChokesOnPort:                {handed(itemAt(strings.Replace(itemURL, ".com/", ".com:443/", 1))), "saved=false"},
	faketool.ReplacesPathInHost:          {handed(itemAt(platformURL + "/contexts/platform?a=1")), "saved=false 1 tokens\ntoken"},
	faketool.NeedsOKForScores:            {handed(nil), "saved=false"},
	faketool.ChokesOnScoreBody:           {handed(nil, withBody(`{}`)), "500"},
	faketool.RetriesCreatedScores:        {handed(nil, withStatus(201)), "}\nPOST /contexts/course-1/lineitems/item-1/scores"},
	faketool.RetriesAcceptedScores:       {handed(nil, withStatus(202)), "}\nPOST /contexts/course-1/lineitems/item-1/scores"},
	faketool.AlwaysSaysSaved:             {handed(nil, withStatus(400)), "saved=true"},
	faketool.NeverSaysSaved:              {handed(nil), "saved= "},
	faketool.SendsScoreAsJSON:            {handed(nil), "scores application/json ["},
	faketool.OmitsActivityProgress:       {handed(nil), `{"gradingProgress"`},
	faketool.SendsOtherActivityProgress:  {handed(nil), `"activityProgress":"Finished"`},
	faketool.OmitsGradingProgress:        {handed(nil), `"Submitted","submission"`},
	faketool.SendsGradingInLowerCase:     {handed(nil), `"pendingmanual"`},
	faketool.OmitsMaximumOfScore:         {graded("7"), `"scoreGiven":7,"scoringUserId"`},
	faketool.SendsMaximumOfScoreZero:     {graded("7"), `"scoreMaximum":0`},
	faketool.SendsPointsAsText:           {graded("7"), `"scoreGiven":"7"`},
	faketool.DropsZeroPoints:             {graded("0"), `"FullyGraded","scoringUserId"`},
	faketool.SendsZeroForUngraded:        {handed(nil), `"scoreGiven":0,"scoreMaximum":10`},
	faketool.SendsNullComment:            {handed(nil), `"comment":null`},
	faketool.SendsEmptyScoringUser:       {handed(nil), `"scoringUserId":""`},
	faketool.SendsNameOfLearner:          {handed(nil), `"userId":"Jude Wong"`},
	faketool.SendsWholeSeconds:           {handed(nil), `"timestamp":"2026-03-01T12:00:00Z"`},
	faketool.SendsTimestampWithoutZone:   {handed(nil), `"timestamp":"2026-03-01T12:00:00.000"`},
	faketool.SendsUnixTimestamp:          {handed(nil), `"timestamp":1772366400000`},
	faketool.LabelsLocalTimestampZ:       {handed(nil), `"timestamp":"2026-03-01T14:00:00.000Z"`},
	faketool.RepeatsTimestamp:            {handedAgain, `"timestamp":"2026-03-01T12:00:00.000Z"`},
	faketool.CountsTimestampDown:         {handedAgain, `"timestamp":"2026-03-01T11:59:59.999Z"`},
	faketool.RetriesWithEarlierTime:      {handed(nil, withStatus(503)), `"timestamp":"2026-03-01T11:59:59.000Z"`},
	faketool.CrashesOnNoResults:          {resultsOf("[]"), "500"},
	faketool.CrashesWithoutResultScore:   {resultsOf(`[{"userId":"learner-1"}]`), "500"},
	faketool.CrashesOnNullResultScore:    {resultsOf(`[{"userId":"learner-1","resultScore":null}]`), "500"},
	faketool.RefusesNullResultScore:      {resultsOf(`[{"userId":"learner-1","resultScore":null}]`), "not a number"},
	faketool.CrashesWithoutResultMaximum: {resultsOf(`[{"userId":"learner-1","resultScore":0.83}]`), "500"},
	faketool.TakesResultsOutOfHundred:    {resultsOf(`[{"userId":"learner-1","resultScore":0.83}]`), "0.83 of 100"},
	faketool.CrashesOnStrangersResult:    {resultsOf(`[{"userId":"learner-9"}]`), "500"},
	faketool.CrashesOnOverriddenResult:   {resultsOf(`[{"userId":"learner-1","resultScore":9}]`), "500"},
	faketool.AsksForOneScope:             {newItem, "2 tokens"},
	faketool.ReadsLineItemFirst:          {handed(nil), "GET /contexts/course-1/lineitems/item-1"},
	faketool.GivesUpOnUnavailable:        {handed(nil, withStatus(503)), "saved=false"},
	faketool.NamesCharsetOfItems:         {newItem, lti.MediaTypeLineItem + "; charset=utf-8 ["},
	faketool.PostsWithoutAccept:          {newItem, "type_id=3 " + lti.MediaTypeLineItem + " []"},
	faketool.AsksWithoutAccept:           {newItem, "  []"},
	faketool.LeavesLinkOut:               {renamedFrom(linkedItem), `{"id":"` + itemURL + `","label":"New","scoreMaximum":10}`},
	faketool.AcceptsJSONToo:              {newItem, "+json, application/json;q=0.5]"},
	faketool.SendsDates:                  {newItem, `"startDateTime":"2026-03-01T12:00:00Z"`},
	faketool.SearchesWithoutFilters:      {newItem, "GET /contexts/course-1/lineitems?type_id=3  ["},
	faketool.AsksForSmallPages:           {newItem, "type_id=3&limit=2&"},
	faketool.DropsVendorMembers:          {renamedFrom(fullItem), `{"gradesReleased":true,"id":"` + itemURL + `"`},
	faketool.SendsOffset:                 {handed(nil), `"timestamp":"2026-03-01T14:00:00.000000+02:00"`},
	faketool.RetriesWithNewTime:          {handed(nil, withStatus(503)), `"timestamp":"2026-03-01T12:00:00.001Z"`},
	faketool.SendsNullPoints:             {handed(nil), `"scoreGiven":null`},
	faketool.AddsComment:                 {handed(nil), `"comment":"Told`},
	faketool.ScoresOutOfHundred:          {graded("7"), `"scoreGiven":70,"scoreMaximum":100`},
	faketool.HidesStrangersResults:       {resultsOf(`[{"userId":"learner-9"}]`), "200 None"},
}

func TestEachDefectOfGradesShows(t *testing.T) {
	t.Parallel()
	expectShown(t, faketool.OfGrades, showsInGrades)
}

// expectShown expects each defect of a part to show where the table says, and a tool
// without it to ask for it there.
func expectShown(t *testing.T, part faketool.Part, shows map[string]struct {
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
		if f.Part == faketool.OfGrades || f.Part == faketool.OfReviews {
			NewWithT(t).Expect(slices.Contains(consulted, f.Name)).To(BeFalse(), f.Name)
		}
	}
}
