package faketool_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/lti"
)

// openedReview is what a page shows of a review.
func openedReview(shown page) string {
	var seen []string
	for _, part := range []string{"#review", "#nothing", "#refused", "#resource"} {
		if shown.Find(part).Length() > 0 {
			seen = append(seen, part)
		}
	}
	return fmt.Sprintf("%d %s [%s] form=%d back=%d i=%d %s", shown.status, strings.Join(seen, " "), shown.Find("pre").Text(),
		shown.Find("#grade-form").Length(), shown.Find("#return").Length(), shown.Find("i").Length(), strings.Join(strings.Fields(shown.Find("main").Text()), " "))
}

// reviewed is what a review shows where two learners and the teacher have handed
// in work for a line item, and one of them for another.
func reviewed(changes lti.Claims) sight {
	return func(e *exam) string {
		e.handAll()
		shown := openedReview(e.launch(e.window(), reviews(changes)))
		return shown + " " + e.account()
	}
}

func leftReview(e *exam) string {
	e.handAll()
	return left(func() lti.Claims { return reviews(nil) })(e)
}

func (e *exam) handAll() {
	e.hands("first work", nil)
	e.hands("teacher's work", lti.Claims{"sub": "teacher-1"})
	e.hands("second work", lti.Claims{"sub": "learner-2"})
	e.hands("other work", lti.Claims{lti.ClaimAGS: endpoint(itemURL + "2"), lti.ClaimResourceLink: map[string]any{"id": "link-2"}})
	e.account()
}

func learnerIs(value any) lti.Claims { return lti.Claims{lti.ClaimForUser: value} }

func named(name string) lti.Claims {
	return learnerIs(map[string]any{"user_id": "learner-1", "name": name})
}

// itemIs is a review of another line item.
func itemIs(members string) lti.Claims { return lti.Claims{lti.ClaimAGS: raw(members)} }

// by is a review by a user with other roles, of the work of a learner.
func by(sub string, roles ...string) lti.Claims {
	return lti.Claims{"sub": sub, lti.ClaimRoles: append([]string{}, roles...)}
}

// afterwards is how the reviewer is launched after a review.
func afterwards(e *exam) string {
	e.hands("first work", nil)
	b := e.window()
	before := e.launch(b, teaches(nil))
	e.launch(b, reviews(named("Ada Byron")))
	after := e.launch(b, teaches(nil))
	return fmt.Sprint(before.Find("strong").Text(), " ", after.Find("strong").Text(), " ", before.Find("#user").Text() == after.Find("#user").Text())
}

// gradedTwice is what comes of points that a teacher gives twice.
func gradedTwice(changes lti.Claims) sight {
	return func(e *exam) string {
		e.hands("first work", changes)
		e.account()
		b := e.window()
		shown := e.launch(b, reviews(changes))
		var seen []string
		for range 2 {
			seen = append(seen, outcomeOf(b.press(shown, "#grade", url.Values{"score": {"7"}})), e.account())
		}
		return strings.Join(seen, " ")
	}
}

// twiceInOtherBrowser is what comes of a review that another browser sends again.
func twiceInOtherBrowser(e *exam) string {
	e.hands("first work", nil)
	e.launch(e.window(), reviews(nil))
	sent := e.tool.Arrivals()
	last := sent[len(sent)-1]
	return openedReview(e.window().do(http.MethodPost, toolURL+"/launch", last.Form))
}

// loginAt begins the login of a review with another target.
func loginAt(target string) sight {
	return func(e *exam) string {
		e.hands("first work", nil)
		b := e.window()
		return openedReview(e.send(b, reviews(nil), sending{target, platformKey, time.Hour}))
	}
}

// forged is a review that another key has signed.
func forged(e *exam) string {
	e.hands("first work", nil)
	return openedReview(e.send(e.window(), reviews(nil), sending{toolURL + "/launch", otherKey, time.Hour}))
}

// stateless is what comes of a review whose answer has no state.
func stateless(e *exam) string { return answeredWith(e, func(url.Values) {}) }

// withForeignState is what comes of a review whose answer has the state of another
// browser's login.
func withForeignState(e *exam) string {
	return answeredWith(e, func(form url.Values) { form.Set("state", begunIn(e, e.window()).Get("state")) })
}

// begunIn is the authentication request of a login that is begun in a browser.
func begunIn(e *exam, b window) url.Values {
	login := url.Values{"iss": {platformURL}, "client_id": {clientID}, "login_hint": {"x"}, "target_link_uri": {toolURL + "/launch"}}
	to, err := url.Parse(b.still().get(toolURL + "/login?" + login.Encode()).header.Get("Location"))
	NewWithT(e.t).Expect(err).NotTo(HaveOccurred())
	return to.Query()
}

// answeredWith is what comes of a review whose answer has no state, but what is added.
func answeredWith(e *exam, add func(form url.Values)) string {
	e.hands("first work", nil)
	b := e.window()
	g := NewWithT(e.t)
	c := reviews(lti.Claims{"nonce": begunIn(e, b).Get("nonce")})
	c["iat"], c["exp"] = e.now.Unix(), e.now.Add(time.Hour).Unix()
	key, err := platformKey()
	g.Expect(err).NotTo(HaveOccurred())
	token, err := lti.Sign(c, key)
	g.Expect(err).NotTo(HaveOccurred())
	form := url.Values{"id_token": {token}}
	add(form)
	return openedReview(b.do(http.MethodPost, toolURL+"/launch", form))
}

var (
	own1        = by("learner-1", lti.RoleLearner)
	withItem    = `{"scope":[],"lineitem":%q}`
	instructors = learnerIs(map[string]any{"user_id": "learner-1", "name": "Jude Wong", "roles": []string{lti.RoleInstructor}})
	fullReview  = `{"id":"` + itemURL + `","label":"Old","submissionReview":{"reviewableStatus":["None"],"label":"Look","custom":{"a":"b"}}}`
	readOnly    = lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeLineItemReadOnly}, LineItem: itemURL}}
)

// gradedUnannounced is what comes of points where no scope for them is announced.
func gradedUnannounced(e *exam) string {
	e.hands("first work", nil)
	e.account()
	b := e.window()
	return outcomeOf(b.press(e.launch(b, reviews(readOnly)), "#grade", url.Values{"score": {"7"}})) + " " + e.account()
}

func both(claims ...lti.Claims) lti.Claims {
	all := lti.Claims{}
	for _, c := range claims {
		with(all, c)
	}
	return all
}

// showsInReviews is where each defect of reviews shows, and a part of what is seen
// there.
var showsInReviews = map[string]struct {
	in   sight
	seen string
}{
	faketool.AcceptsMissingForUser:      {reviewed(learnerIs(nil)), "[second work]"},
	faketool.AcceptsEmptyForUser:        {reviewed(learnerIs(raw("{}"))), "[second work]"},
	faketool.AcceptsEmptyLearner:        {reviewed(learnerIs(raw(`{"user_id":""}`))), "[second work]"},
	faketool.AcceptsNullLearner:         {reviewed(learnerIs(raw(`{"user_id":null}`))), "[second work]"},
	faketool.AcceptsNumberAsLearner:     {reviewed(learnerIs(raw(`{"user_id":17}`))), "[second work]"},
	faketool.AcceptsTextAsForUser:       {reviewed(learnerIs("learner-1")), "[first work]"},
	faketool.TakesSubOfForUser:          {reviewed(learnerIs(raw(`{"sub":"learner-1"}`))), "[first work]"},
	faketool.FallsBackOnReviewer:        {reviewed(learnerIs(nil)), "[teacher's work]"},
	faketool.AcceptsMissingEndpoint:     {reviewed(lti.Claims{lti.ClaimAGS: nil}), "[first work]"},
	faketool.AcceptsMissingLineItem:     {reviewed(itemIs(`{"scope":[],"lineitems":"` + itemsURL + `"}`)), "[first work]"},
	faketool.AcceptsEmptyLineItem:       {reviewed(itemIs(fmt.Sprintf(withItem, ""))), "[first work]"},
	faketool.AcceptsPathAsLineItem:      {reviewed(itemIs(fmt.Sprintf(withItem, "/contexts/course-1/lineitems/item-1"))), "[first work]"},
	faketool.NeedsLinkInReview:          {reviewed(lti.Claims{lti.ClaimResourceLink: nil}), "400"},
	faketool.FindsActivityByLink:        {reviewed(lti.Claims{lti.ClaimResourceLink: nil}), "404"},
	faketool.NeedsNameOfLearner:         {reviewed(learnerIs(raw(`{"user_id":"learner-1"}`))), "400"},
	faketool.NeedsRolesOfLearner:        {reviewed(learnerIs(raw(`{"user_id":"learner-1","roles":[]}`))), "400"},
	faketool.RefusesMembersOfForUser:    {reviewed(learnerIs(raw(`{"user_id":"learner-1","https://vendor.example/x":1}`))), "400"},
	faketool.CutsLearnerID:              {longLearner, "#nothing"},
	faketool.TakesLearnerIDForPath:      {longLearner, "#nothing"},
	faketool.ShowsReviewersWork:         {reviewed(nil), "[teacher's work]"},
	faketool.ShowsLastWork:              {reviewed(nil), "[second work]"},
	faketool.ShowsLearnersLastWork:      {reviewed(nil), "[other work]"},
	faketool.ShowsAllWorks:              {reviewed(nil), "[first workteacher's worksecond work]"},
	faketool.CrashesOnUnknownLearner:    {reviewed(learnerIs(raw(`{"user_id":"group-17"}`))), "500"},
	faketool.ShowsAnyWorkInstead:        {reviewed(learnerIs(raw(`{"user_id":"group-17"}`))), "[second work]"},
	faketool.BeginsWorkOfUnknown:        {reviewed(learnerIs(raw(`{"user_id":"group-17"}`))), `"userId":"group-17"`},
	faketool.KnowsLearnersAlone:         {reviewed(itemIs(fmt.Sprintf(withItem, itemURL+"9"))), "[other work]"},
	faketool.IgnoresPlaceOfItem:         {reviewed(lti.Claims{lti.ClaimContext: raw(`{"id":"course-2"}`), lti.ClaimResourceLink: raw(`{"id":"link-9"}`)}), "[first work]"},
	faketool.IgnoresLinkOfItem:          {reviewed(lti.Claims{lti.ClaimResourceLink: raw(`{"id":"link-9"}`)}), "[first work]"},
	faketool.SharesItemsOfPlatforms:     {reviewed(lti.Claims{lti.ClaimDeploymentID: "deployment-b"}), "[first work]"},
	faketool.CrashesOnUnknownItem:       {reviewed(itemIs(fmt.Sprintf(withItem, itemURL+"9"))), "500"},
	faketool.LetsLearnersReview:         {reviewed(by("learner-2", lti.RoleLearner)), "[first work]"},
	faketool.LetsAnybodyReview:          {reviewed(by("learner-2")), "[first work]"},
	faketool.LetsLearnersGrade:          {reviewed(own1), "form=1"},
	faketool.ScoresLearnersVisit:        {reviewed(own1), `"Completed"`},
	faketool.TakesRolesOfForUser:        {reviewed(both(by("learner-2", lti.RoleLearner), instructors)), "[first work]"},
	faketool.NeedsLearnersRoles:         {reviewed(nil), "400"},
	faketool.LogsInForUser:              {afterwards, "Ida Rhodes Ada Byron false"},
	faketool.RenamesReviewer:            {afterwards, "Ida Rhodes Ada Byron true"},
	faketool.ShowsWorkInLaunch:          {reviewed(both(by("learner-2", lti.RoleLearner), lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest})), "#resource [first work]"},
	faketool.KnowsReviewsByForUser:      {reviewed(lti.Claims{lti.ClaimMessageType: "LtiUnknownRequest"}), "[first work]"},
	faketool.OpensReviewOfLogin:         {loginAt(toolURL + "/launch?chapter=2"), "chapter 2"},
	faketool.SkipsSignatureOfReviews:    {forged, "[first work]"},
	faketool.IgnoresAudienceOfReviews:   {reviewed(lti.Claims{"aud": "another"}), "[first work]"},
	faketool.IgnoresIssuerOfReviews:     {reviewed(lti.Claims{"iss": "https://unknown-issuer.example"}), "[first work]"},
	faketool.AcceptsReviewsWithoutState: {stateless, "[first work]"},
	faketool.IgnoresStateOfReviews:      {withForeignState, "[first work]"},
	faketool.IgnoresExpiryOfReviews:     {expired, "[first work]"},
	faketool.IgnoresNonceOfReviews:      {reviewed(lti.Claims{"nonce": "another"}), "[first work]"},
	faketool.IgnoresDeploymentOfReviews: {reviewed(lti.Claims{lti.ClaimDeploymentID: "deployment-9"}), "[first work]"},
	faketool.AcceptsReviewsAgain:        {twiceInOtherBrowser, "[first work]"},
	faketool.GradesReviewer:             {gradedTwice(nil), `"userId":"teacher-1"`},
	faketool.NamesLearnerAsGrader:       {gradedTwice(nil), `"scoringUserId":"learner-1"`},
	faketool.DropsQueryOfGrade:          {gradedTwice(itemAt(itemURL + "?a=1")), "item-1/scores application"},
	faketool.GradesAtSubmission:         {gradedTwice(nil), "12:00:00.000Z"},
	faketool.RepeatsTimeOfGrade:         {gradedTwice(nil), "saved=true 0 tokens\nPOST /contexts/course-1/lineitems/item-1/scores " + lti.MediaTypeScore + ` [] {"activityProgress":"Completed","gradingProgress":"FullyGraded","scoreGiven":7,"scoreMaximum":10,"scoringUserId":"teacher-1","timestamp":"2026-03-01T12:00:00.001Z","userId":"learner-1"} saved=true 0 tokens` + "\nPOST /contexts/course-1/lineitems/item-1/scores " + lti.MediaTypeScore + ` [] {"activityProgress":"Completed","gradingProgress":"FullyGraded","scoreGiven":7,"scoreMaximum":10,"scoringUserId":"teacher-1","timestamp":"2026-03-01T12:00:00.001Z"`},
	faketool.GradesInWholeSeconds:       {gradedTwice(nil), "12:00:00Z"},
	faketool.PostsUnannouncedScore:      {gradedUnannounced, "saved=true"},
	faketool.CrashesWithoutScoreScope:   {gradedUnannounced, "500"},
	faketool.OmitsSubmission:            {handed(nil), `"PendingManual","timestamp"`},
	faketool.StartsAfterSubmission:      {handed(nil), `"submittedAt":"2026-03-01T11:59:00.000Z"`},
	faketool.SubmitsInFuture:            {handed(nil), `"submittedAt":"2026-03-01T13:00:00.000Z"`},
	faketool.SubmitsWithoutZone:         {handed(nil), `"submittedAt":"2026-03-01T12:00:00.000"`},
	faketool.SubmitsInWholeSeconds:      {handed(nil), `"submittedAt":"2026-03-01T12:00:00Z"`},
	faketool.SubmitsInProgress:          {handed(nil), `"activityProgress":"InProgress"`},
	faketool.ScoresWithReview:           {handed(nil), `"submissionReview":{`},
	faketool.SendsStatusAsText:          {newItem, `"reviewableStatus":"Submitted"`},
	faketool.SendsUnknownStatus:         {newItem, `"reviewableStatus":["Submitted","Late"]`},
	faketool.SendsRelativeReviewURL:     {newItem, `"url":"/launch"`},
	faketool.SendsNumbersInCustom:       {newItem, `"version":2`},
	faketool.DropsReview:                {renamedFrom(fullReview), `{"id":"` + itemURL + `","label":"New"}`},
	faketool.DropsReviewableStatus:      {renamedFrom(fullReview), `"submissionReview":{"custom":{"a":"b"},"label":"Look"}`},
	faketool.WritesReviewAnew:           {renamedFrom(fullReview), "Open the work"},
	faketool.OffersNoWayBack:            {reviewed(nil), "back=0"},
	faketool.LosesWayBackOfReview:       {leftReview, "500"},
	faketool.ReviewsWithButton:          {leftReview, "303 " + returnURL},
	faketool.CrashesWithoutWayBack:      {reviewed(lti.Claims{lti.ClaimLaunchPresentation: nil}), "500"},
	faketool.ShowsLearnerUnescaped:      {reviewed(named("<i>Jude</i>")), "i=1"},
	faketool.ShowsCustomUnescaped:       {reviewed(lti.Claims{lti.ClaimCustom: map[string]any{"a": "<i>b</i>"}}), "i=1"},
	faketool.CrashesOnLongName:          {reviewed(named(strings.Repeat("x", 4096))), "500"},
	faketool.CrashesOnRightToLeft:       {reviewed(named("مريم")), "500"},
	faketool.CrashesOnBadReview:         {reviewed(learnerIs(nil)), "500"},
	faketool.OmitsScoringUser:           {gradedTwice(nil), `"scoreMaximum":10,"timestamp"`},
	faketool.RefusesAssistants:          {reviewed(by("teacher-1", lti.RoleTeachingAssistant)), "403"},
	faketool.HidesUnknownLearners:       {reviewed(learnerIs(raw(`{"user_id":"group-17"}`))), "404 #nothing"},
	faketool.TellsUnknownItemsKindly:    {reviewed(itemIs(fmt.Sprintf(withItem, itemURL+"9"))), "200 #refused"},
	faketool.ReturnsBadReviews:          {reviewed(learnerIs(nil)), "200  []"},
	faketool.OmitsStart:                 {handed(nil), `"submission":{"submittedAt"`},
	faketool.OpensFormWithoutLearner:    {reviewed(learnerIs(nil)), "200 #nothing [] form=1"},
	faketool.OpensFormWithoutItem:       {reviewed(lti.Claims{lti.ClaimAGS: nil}), "200 #nothing [] form=1"},
	faketool.OpensReviewsByAddress: {func(e *exam) string {
		e.hands("first work", nil)
		return openedReview(e.window().get(e.launch(e.window(), reviews(nil)).url))
	}, "200 #review [first work]"},
	faketool.OffersAnybodyToGrade:     {reviewed(by("learner-2", lti.RoleLearner)), "200 #nothing [] form=1"},
	faketool.OffersToGradeUnknownItem: {reviewed(itemIs(fmt.Sprintf(withItem, itemURL+"9"))), "200 #nothing [] form=1"},
	faketool.OffersToGradeNothing:     {reviewed(learnerIs(raw(`{"user_id":"group-17"}`))), "200 #nothing [] form=1"},
	faketool.ShowsLearnerID:           {reviewed(nil), "Jude Wong (learner-1)"},
}

// longLearner is what a review shows of a learner with a long id.
func longLearner(e *exam) string {
	id := strings.Repeat("a/b", 85)
	e.hands("long work", lti.Claims{"sub": id})
	return openedReview(e.launch(e.window(), reviews(learnerIs(map[string]any{"user_id": id}))))
}

// expired is what comes of a review that has expired on its way.
func expired(e *exam) string {
	e.hands("first work", nil)
	return openedReview(e.send(e.window(), reviews(nil), sending{toolURL + "/launch", platformKey, -time.Hour}))
}

func TestEachDefectOfReviewsShows(t *testing.T) {
	t.Parallel()
	expectShown(t, faketool.OfReviews, showsInReviews)
}
