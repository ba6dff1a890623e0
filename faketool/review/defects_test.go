package review_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool/review"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

// openedReview is what a page shows of a review.
func openedReview(shown tooltest.Page) string {
	var seen []string
	for _, part := range []string{"#review", "#nothing", "#refused", "#resource"} {
		if shown.Find(part).Length() > 0 {
			seen = append(seen, part)
		}
	}
	return fmt.Sprintf("%d %s [%s] form=%d back=%d i=%d %s", shown.Status, strings.Join(seen, " "), shown.Find("pre").Text(),
		shown.Find("#grade-form").Length(), shown.Find("#return").Length(), shown.Find("i").Length(), strings.Join(strings.Fields(shown.Find("main").Text()), " "))
}

// reviewed is what a review shows where two learners and the teacher have handed
// in work for a line item, and one of them for another.
func reviewed(changes lti.Claims) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.HandAll()
		shown := openedReview(e.Launch(e.Window(), tooltest.Reviews(changes)))
		return shown + " " + e.Account()
	}
}

func leftReview(e *tooltest.Rig) string {
	e.HandAll()
	return tooltest.Left(func() lti.Claims { return tooltest.Reviews(nil) })(e)
}

func learnerIs(value any) lti.Claims { return lti.Claims{lti.ClaimForUser: value} }

func named(name string) lti.Claims {
	return learnerIs(map[string]any{"user_id": "learner-1", "name": name})
}

// itemIs is a review of another line item.
func itemIs(members string) lti.Claims { return lti.Claims{lti.ClaimAGS: tooltest.Raw(members)} }

// by is a review by a user with other roles, of the work of a learner.
func by(sub string, roles ...string) lti.Claims {
	return lti.Claims{"sub": sub, lti.ClaimRoles: append([]string{}, roles...)}
}

// afterwards is how the reviewer is launched after a review.
func afterwards(e *tooltest.Rig) string {
	e.Hands("first work", nil)
	b := e.Window()
	before := e.Launch(b, tooltest.Teaches(nil))
	e.Launch(b, tooltest.Reviews(named("Ada Byron")))
	after := e.Launch(b, tooltest.Teaches(nil))
	return fmt.Sprint(before.Find("strong").Text(), " ", after.Find("strong").Text(), " ", before.Find("#user").Text() == after.Find("#user").Text())
}

// gradedTwice is what comes of points that a teacher gives twice.
func gradedTwice(changes lti.Claims) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.Hands("first work", changes)
		e.Account()
		b := e.Window()
		shown := e.Launch(b, tooltest.Reviews(changes))
		var seen []string
		for range 2 {
			seen = append(seen, tooltest.OutcomeOf(b.Press(shown, "#grade", url.Values{"score": {"7"}})), e.Account())
		}
		return strings.Join(seen, " ")
	}
}

// twiceInOtherBrowser is what comes of a review that another browser sends again.
func twiceInOtherBrowser(e *tooltest.Rig) string {
	e.Hands("first work", nil)
	e.Launch(e.Window(), tooltest.Reviews(nil))
	sent := e.Tool.Answers()
	last := sent[len(sent)-1]
	return openedReview(e.Window().Do(http.MethodPost, tooltest.ToolURL+"/launch", last.Form))
}

// loginAt begins the login of a review with another target.
func loginAt(target string) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.Hands("first work", nil)
		b := e.Window()
		return openedReview(e.Send(b, tooltest.Reviews(nil), tooltest.Sending{Target: target, Key: tooltest.PlatformKey, Lasts: time.Hour}))
	}
}

// forged is a review that another key has signed.
func forged(e *tooltest.Rig) string {
	e.Hands("first work", nil)
	return openedReview(e.Send(e.Window(), tooltest.Reviews(nil), tooltest.Sending{Target: tooltest.ToolURL + "/launch", Key: tooltest.OtherKey, Lasts: time.Hour}))
}

// stateless is what comes of a review whose answer has no state.
func stateless(e *tooltest.Rig) string { return answeredWith(e, func(url.Values) {}) }

// withForeignState is what comes of a review whose answer has the state of another
// browser's login.
func withForeignState(e *tooltest.Rig) string {
	return answeredWith(e, func(form url.Values) { form.Set("state", begunIn(e, e.Window()).Get("state")) })
}

// begunIn is the authentication request of a login that is begun in a browser.
func begunIn(e *tooltest.Rig, b tooltest.Window) url.Values {
	login := url.Values{"iss": {tooltest.PlatformURL}, "client_id": {tooltest.ClientID}, "login_hint": {"x"}, "target_link_uri": {tooltest.ToolURL + "/launch"}}
	to, err := url.Parse(b.Still().Get(tooltest.ToolURL + "/login?" + login.Encode()).Header.Get("Location"))
	NewWithT(e.T).Expect(err).NotTo(HaveOccurred())
	return to.Query()
}

// answeredWith is what comes of a review whose answer has no state, but what is added.
func answeredWith(e *tooltest.Rig, add func(form url.Values)) string {
	e.Hands("first work", nil)
	b := e.Window()
	g := NewWithT(e.T)
	c := tooltest.Reviews(lti.Claims{"nonce": begunIn(e, b).Get("nonce")})
	c["iat"], c["exp"] = e.Now().Unix(), e.Now().Add(time.Hour).Unix()
	key, err := tooltest.PlatformKey()
	g.Expect(err).NotTo(HaveOccurred())
	token, err := lti.Sign(c, key)
	g.Expect(err).NotTo(HaveOccurred())
	form := url.Values{"id_token": {token}}
	add(form)
	return openedReview(b.Do(http.MethodPost, tooltest.ToolURL+"/launch", form))
}

var (
	own1        = by("learner-1", lti.RoleLearner)
	withItem    = `{"scope":[],"lineitem":%q}`
	instructors = learnerIs(map[string]any{"user_id": "learner-1", "name": "Jude Wong", "roles": []string{lti.RoleInstructor}})
	fullReview  = `{"id":"` + tooltest.ItemURL + `","label":"Old","submissionReview":{"reviewableStatus":["None"],"label":"Look","custom":{"a":"b"}}}`
	readOnly    = lti.Claims{lti.ClaimAGS: lti.AGSEndpoint{Scope: []string{lti.ScopeLineItemReadOnly}, LineItem: tooltest.ItemURL}}
)

// gradedUnannounced is what comes of points where no scope for them is announced.
func gradedUnannounced(e *tooltest.Rig) string {
	e.Hands("first work", nil)
	e.Account()
	b := e.Window()
	return tooltest.OutcomeOf(b.Press(e.Launch(b, tooltest.Reviews(readOnly)), "#grade", url.Values{"score": {"7"}})) + " " + e.Account()
}

func both(claims ...lti.Claims) lti.Claims {
	all := lti.Claims{}
	for _, c := range claims {
		tooltest.With(all, c)
	}
	return all
}

// showsInReviews is where each defect of reviews shows, and a part of what is seen
// there.
var showsInReviews = map[string]struct {
	In   tooltest.Sight
	Says string
}{
	"accepts-missing-for-user":      {reviewed(learnerIs(nil)), "[second work]"},
	"accepts-empty-for-user":        {reviewed(learnerIs(tooltest.Raw("{}"))), "[second work]"},
	"accepts-empty-learner":         {reviewed(learnerIs(tooltest.Raw(`{"user_id":""}`))), "[second work]"},
	"accepts-null-learner":          {reviewed(learnerIs(tooltest.Raw(`{"user_id":null}`))), "[second work]"},
	"accepts-number-as-learner":     {reviewed(learnerIs(tooltest.Raw(`{"user_id":17}`))), "[second work]"},
	"accepts-text-as-for-user":      {reviewed(learnerIs("learner-1")), "[first work]"},
	"takes-sub-of-for-user":         {reviewed(learnerIs(tooltest.Raw(`{"sub":"learner-1"}`))), "[first work]"},
	"falls-back-on-reviewer":        {reviewed(learnerIs(nil)), "[teacher's work]"},
	"accepts-missing-endpoint":      {reviewed(lti.Claims{lti.ClaimAGS: nil}), "[first work]"},
	"accepts-missing-line-item":     {reviewed(itemIs(`{"scope":[],"lineitems":"` + tooltest.ItemsURL + `"}`)), "[first work]"},
	"accepts-empty-line-item":       {reviewed(itemIs(fmt.Sprintf(withItem, ""))), "[first work]"},
	"accepts-path-as-line-item":     {reviewed(itemIs(fmt.Sprintf(withItem, "/contexts/course-1/lineitems/item-1"))), "[first work]"},
	"needs-link-in-review":          {reviewed(lti.Claims{lti.ClaimResourceLink: nil}), "400"},
	"finds-activity-by-link":        {reviewed(lti.Claims{lti.ClaimResourceLink: nil}), "404"},
	"needs-name-of-learner":         {reviewed(learnerIs(tooltest.Raw(`{"user_id":"learner-1"}`))), "400"},
	"needs-roles-of-learner":        {reviewed(learnerIs(tooltest.Raw(`{"user_id":"learner-1","roles":[]}`))), "400"},
	"refuses-members-of-for-user":   {reviewed(learnerIs(tooltest.Raw(`{"user_id":"learner-1","https://vendor.example/x":1}`))), "400"},
	"cuts-learner-id":               {longLearner, "#nothing"},
	"takes-learner-id-for-path":     {longLearner, "#nothing"},
	"shows-reviewers-work":          {reviewed(nil), "[teacher's work]"},
	"shows-last-work":               {reviewed(nil), "[second work]"},
	"shows-learners-last-work":      {reviewed(nil), "[other work]"},
	"shows-all-works":               {reviewed(nil), "[first workteacher's worksecond work]"},
	"crashes-on-unknown-learner":    {reviewed(learnerIs(tooltest.Raw(`{"user_id":"group-17"}`))), "500"},
	"shows-any-work-instead":        {reviewed(learnerIs(tooltest.Raw(`{"user_id":"group-17"}`))), "[second work]"},
	"begins-work-of-unknown":        {reviewed(learnerIs(tooltest.Raw(`{"user_id":"group-17"}`))), `"userId":"group-17"`},
	"knows-learners-alone":          {reviewed(itemIs(fmt.Sprintf(withItem, tooltest.ItemURL+"9"))), "[other work]"},
	"ignores-place-of-item":         {reviewed(lti.Claims{lti.ClaimContext: tooltest.Raw(`{"id":"course-2"}`), lti.ClaimResourceLink: tooltest.Raw(`{"id":"link-9"}`)}), "[first work]"},
	"ignores-link-of-item":          {reviewed(lti.Claims{lti.ClaimResourceLink: tooltest.Raw(`{"id":"link-9"}`)}), "[first work]"},
	"shares-items-of-platforms":     {reviewed(lti.Claims{lti.ClaimDeploymentID: "deployment-b"}), "[first work]"},
	"crashes-on-unknown-item":       {reviewed(itemIs(fmt.Sprintf(withItem, tooltest.ItemURL+"9"))), "500"},
	"lets-learners-review":          {reviewed(by("learner-2", lti.RoleLearner)), "[first work]"},
	"lets-anybody-review":           {reviewed(by("learner-2")), "[first work]"},
	"lets-learners-grade":           {reviewed(own1), "form=1"},
	"scores-learners-visit":         {reviewed(own1), `"Completed"`},
	"takes-roles-of-for-user":       {reviewed(both(by("learner-2", lti.RoleLearner), instructors)), "[first work]"},
	"needs-learners-roles":          {reviewed(nil), "400"},
	"logs-in-for-user":              {afterwards, "Ida Rhodes Ada Byron false"},
	"renames-reviewer":              {afterwards, "Ida Rhodes Ada Byron true"},
	"shows-work-in-launch":          {reviewed(both(by("learner-2", lti.RoleLearner), lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest})), "#resource [first work]"},
	"knows-reviews-by-for-user":     {reviewed(lti.Claims{lti.ClaimMessageType: "LtiUnknownRequest"}), "[first work]"},
	"opens-review-of-login":         {loginAt(tooltest.ToolURL + "/launch?chapter=2"), "chapter 2"},
	"skips-signature-of-reviews":    {forged, "[first work]"},
	"ignores-audience-of-reviews":   {reviewed(lti.Claims{"aud": "another"}), "[first work]"},
	"ignores-issuer-of-reviews":     {reviewed(lti.Claims{"iss": "https://unknown-issuer.example"}), "[first work]"},
	"accepts-reviews-without-state": {stateless, "[first work]"},
	"ignores-state-of-reviews":      {withForeignState, "[first work]"},
	"ignores-expiry-of-reviews":     {expired, "[first work]"},
	"ignores-nonce-of-reviews":      {reviewed(lti.Claims{"nonce": "another"}), "[first work]"},
	"ignores-deployment-of-reviews": {reviewed(lti.Claims{lti.ClaimDeploymentID: "deployment-9"}), "[first work]"},
	"accepts-reviews-again":         {twiceInOtherBrowser, "[first work]"},
	"grades-reviewer":               {gradedTwice(nil), `"userId":"teacher-1"`},
	"names-learner-as-grader":       {gradedTwice(nil), `"scoringUserId":"learner-1"`},
	"drops-query-of-grade":          {gradedTwice(tooltest.ItemAt(tooltest.ItemURL + "?a=1")), "item-1/scores application"},
	"grades-at-submission":          {gradedTwice(nil), "12:00:00.000Z"},
	"repeats-time-of-grade":         {gradedTwice(nil), "saved=true 0 tokens\nPOST /contexts/course-1/lineitems/item-1/scores " + lti.MediaTypeScore + ` [] {"activityProgress":"Completed","gradingProgress":"FullyGraded","scoreGiven":7,"scoreMaximum":10,"scoringUserId":"teacher-1","timestamp":"2026-03-01T12:00:00.001Z","userId":"learner-1"} saved=true 0 tokens` + "\nPOST /contexts/course-1/lineitems/item-1/scores " + lti.MediaTypeScore + ` [] {"activityProgress":"Completed","gradingProgress":"FullyGraded","scoreGiven":7,"scoreMaximum":10,"scoringUserId":"teacher-1","timestamp":"2026-03-01T12:00:00.001Z"`},
	"grades-in-whole-seconds":       {gradedTwice(nil), "12:00:00Z"},
	"posts-unannounced-score":       {gradedUnannounced, "saved=true"},
	"crashes-without-score-scope":   {gradedUnannounced, "500"},
	"omits-submission":              {tooltest.Handed(nil), `"PendingManual","timestamp"`},
	"starts-after-submission":       {tooltest.Handed(nil), `"submittedAt":"2026-03-01T11:59:00.000Z"`},
	"submits-in-future":             {tooltest.Handed(nil), `"submittedAt":"2026-03-01T13:00:00.000Z"`},
	"submits-without-zone":          {tooltest.Handed(nil), `"submittedAt":"2026-03-01T12:00:00.000"`},
	"submits-in-whole-seconds":      {tooltest.Handed(nil), `"submittedAt":"2026-03-01T12:00:00Z"`},
	"submits-in-progress":           {tooltest.Handed(nil), `"activityProgress":"InProgress"`},
	"scores-with-review":            {tooltest.Handed(nil), `"submissionReview":{`},
	"sends-status-as-text":          {tooltest.NewItem, `"reviewableStatus":"Submitted"`},
	"sends-unknown-status":          {tooltest.NewItem, `"reviewableStatus":["Submitted","Late"]`},
	"sends-relative-review-url":     {tooltest.NewItem, `"url":"/launch"`},
	"sends-numbers-in-custom":       {tooltest.NewItem, `"version":2`},
	"drops-review":                  {tooltest.RenamedFrom(fullReview), `{"id":"` + tooltest.ItemURL + `","label":"New"}`},
	"drops-reviewable-status":       {tooltest.RenamedFrom(fullReview), `"submissionReview":{"custom":{"a":"b"},"label":"Look"}`},
	"writes-review-anew":            {tooltest.RenamedFrom(fullReview), "Open the work"},
	"offers-no-way-back":            {reviewed(nil), "back=0"},
	"loses-way-back-of-review":      {leftReview, "500"},
	"reviews-with-button":           {leftReview, "303 " + tooltest.ReturnURL},
	"crashes-without-way-back":      {reviewed(lti.Claims{lti.ClaimLaunchPresentation: nil}), "500"},
	"shows-learner-unescaped":       {reviewed(named("<i>Jude</i>")), "i=1"},
	"shows-custom-unescaped":        {reviewed(lti.Claims{lti.ClaimCustom: map[string]any{"a": "<i>b</i>"}}), "i=1"},
	"crashes-on-long-name":          {reviewed(named(strings.Repeat("x", 4096))), "500"},
	"crashes-on-right-to-left":      {reviewed(named("مريم")), "500"},
	"crashes-on-bad-review":         {reviewed(learnerIs(nil)), "500"},
	"omits-scoring-user":            {gradedTwice(nil), `"scoreMaximum":10,"timestamp"`},
	"refuses-assistants":            {reviewed(by("teacher-1", lti.RoleTeachingAssistant)), "403"},
	"hides-unknown-learners":        {reviewed(learnerIs(tooltest.Raw(`{"user_id":"group-17"}`))), "404 #nothing"},
	"tells-unknown-items-kindly":    {reviewed(itemIs(fmt.Sprintf(withItem, tooltest.ItemURL+"9"))), "200 #refused"},
	"returns-bad-reviews":           {reviewed(learnerIs(nil)), "200  []"},
	"omits-start":                   {tooltest.Handed(nil), `"submission":{"submittedAt"`},
	"opens-form-without-learner":    {reviewed(learnerIs(nil)), "200 #nothing [] form=1"},
	"opens-form-without-item":       {reviewed(lti.Claims{lti.ClaimAGS: nil}), "200 #nothing [] form=1"},
	"opens-reviews-by-address": {func(e *tooltest.Rig) string {
		e.Hands("first work", nil)
		return openedReview(e.Window().Get(e.Launch(e.Window(), tooltest.Reviews(nil)).URL))
	}, "200 #review [first work]"},
	"offers-anybody-to-grade":      {reviewed(by("learner-2", lti.RoleLearner)), "200 #nothing [] form=1"},
	"offers-to-grade-unknown-item": {reviewed(itemIs(fmt.Sprintf(withItem, tooltest.ItemURL+"9"))), "200 #nothing [] form=1"},
	"offers-to-grade-nothing":      {reviewed(learnerIs(tooltest.Raw(`{"user_id":"group-17"}`))), "200 #nothing [] form=1"},
	"shows-learner-id":             {reviewed(nil), "Jude Wong (learner-1)"},
}

// longLearner is what a review shows of a learner with a long id.
func longLearner(e *tooltest.Rig) string {
	id := strings.Repeat("a/b", 85)
	e.Hands("long work", lti.Claims{"sub": id})
	return openedReview(e.Launch(e.Window(), tooltest.Reviews(learnerIs(map[string]any{"user_id": id}))))
}

// expired is what comes of a review that has expired on its way.
func expired(e *tooltest.Rig) string {
	e.Hands("first work", nil)
	return openedReview(e.Send(e.Window(), tooltest.Reviews(nil), tooltest.Sending{Target: tooltest.ToolURL + "/launch", Key: tooltest.PlatformKey, Lasts: -time.Hour}))
}

func TestEachDefectOfReviewsShows(t *testing.T) {
	t.Parallel()
	tooltest.ExpectShown(t, review.Profile, showsInReviews)
}
