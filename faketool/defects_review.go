package faketool

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// reviewDefects are those of a tool that opens learners' work for review.
var reviewDefects = []Fault{
	{Name: "accepts-missing-for-user", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens the last work of the line item where there is no for_user", Effects: opensLast(acceptsMissingForUser)},
	{Name: "accepts-empty-for-user", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens the last work of the line item where for_user is empty", Effects: opensLast(acceptsEmptyForUser)},
	{Name: "accepts-empty-learner", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens the last work of the line item where user_id is empty", Effects: opensLast(acceptsEmptyLearner)},
	{Name: "accepts-null-learner", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens the last work of the line item where user_id is null", Effects: opensLast(acceptsNullLearner)},
	{Name: "accepts-number-as-learner", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens the last work of the line item where user_id is a number", Effects: opensLast(acceptsNumberAsLearner)},
	{Name: "accepts-text-as-for-user", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "takes a string as for_user for the learner's id", Effects: []fault.Effect{learnerRead.Change(acceptsTextAsForUser)}},
	{Name: "takes-sub-of-for-user", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "takes sub in for_user for user_id", Effects: []fault.Effect{learnerRead.Change(takesSubOfForUser)}},
	{Name: "falls-back-on-reviewer", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens the reviewer's own work where nobody is named", Effects: []fault.Effect{learnerRead.Change(fallsBackOnReviewer)}},
	{Name: "accepts-missing-endpoint", Proves: "sr-tool-rejects-missing-line-item", Part: OfReviews, Does: "opens the learner's work at the resource link where there is no claim of the grade services", Effects: opensAtLink(func(q *response) bool { return !q.has(lti.ClaimAGS) })},
	{Name: "accepts-missing-line-item", Proves: "sr-tool-rejects-missing-line-item", Part: OfReviews, Does: "opens the learner's work at the resource link where there is no lineitem", Effects: opensAtLink(acceptsMissingLineItem)},
	{Name: "accepts-empty-line-item", Proves: "sr-tool-rejects-missing-line-item", Part: OfReviews, Does: "opens the learner's work at the resource link where lineitem is empty", Effects: opensAtLink(func(q *response) bool { return q.object(lti.ClaimAGS)["lineitem"] == "" })},
	{Name: "accepts-path-as-line-item", Proves: "sr-tool-rejects-missing-line-item", Part: OfReviews, Does: "opens the learner's work at the resource link where lineitem is no URL", Effects: opensAtLink(acceptsPathAsLineItem)},
	{Name: "opens-form-without-learner", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "opens an empty form for points where nobody is named", Effects: offersForm(ofAnybody, learnerRead.Change(opensFormWithoutLearner))},
	{Name: "opens-form-without-item", Proves: "sr-tool-rejects-missing-line-item", Part: OfReviews, Does: "opens an empty form for points where no line item is named", Effects: offersForm(namesNoItem, itemGiven.Lift(nil), reviewOpened.Change(withGradebook))},
	{Name: "needs-link-in-review", Proves: "sr-tool-accepts-without-resource-link", Part: OfReviews, Does: "refuses a review without a resource link", Effects: []fault.Effect{opensWork.Add(needs("The message has no resource link.", func(q *response) bool { return q.has(lti.ClaimResourceLink) }))}},
	{Name: "finds-activity-by-link", Proves: "sr-tool-accepts-without-resource-link", Part: OfReviews, Does: "finds nothing where a review has no resource link", Effects: []fault.Effect{findsWork.Add(findsActivityByLink)}},
	{Name: "needs-name-of-learner", Proves: "sr-tool-accepts-minimal-for-user", Part: OfReviews, Does: "refuses a review of a learner without a name", Effects: []fault.Effect{opensWork.Add(needs("The learner has no name.", needsNameOfLearner))}},
	{Name: "needs-roles-of-learner", Proves: "sr-tool-accepts-minimal-for-user", Part: OfReviews, Does: "refuses a review of a learner whose roles are empty", Effects: []fault.Effect{opensWork.Add(needs("The learner has no role.", needsRolesOfLearner))}},
	{Name: "refuses-members-of-for-user", Proves: "sr-tool-accepts-minimal-for-user", Part: OfReviews, Does: "refuses for_user with a member that it does not know", Effects: []fault.Effect{opensWork.Add(needs("There is a member that is unknown.", refusesMembersOfForUser))}},
	{Name: "cuts-learner-id", Proves: "sr-tool-accepts-minimal-for-user", Part: OfReviews, Does: "keeps 64 characters of user_id", Effects: []fault.Effect{learnerRead.Change(cutsLearnerID)}},
	{Name: "takes-learner-id-for-path", Proves: "sr-tool-accepts-minimal-for-user", Part: OfReviews, Does: "keeps what of user_id is in front of a slash", Effects: []fault.Effect{learnerRead.Change(takesLearnerIDForPath)}},
	{Name: "shows-reviewers-work", Proves: "sr-tool-shows-for-user-work", Part: OfReviews, Does: "shows reviewers their own work where they have handed in any", Effects: showsInstead(true, func(v reviewedWork, w work) bool { return v.isOfItem(w) && w.sub == v.launch.Sub })},
	{Name: "shows-last-work", Proves: "sr-tool-shows-for-user-work", Part: OfReviews, Does: "shows the work that was handed in last for the line item", Effects: showsInstead(true, reviewedWork.isOfItem)},
	{Name: "shows-learners-last-work", Proves: "sr-tool-shows-for-user-work", Part: OfReviews, Does: "shows the work that the learner handed in last, whatever the line item", Effects: showsInstead(true, reviewedWork.isOfLearner)},
	{Name: "shows-all-works", Proves: "sr-tool-shows-for-user-work", Part: OfReviews, Does: "shows the works of all learners at the line item", Effects: []fault.Effect{reviewShows(showsAllWorks)}},
	{Name: "crashes-on-unknown-learner", Proves: "sr-tool-unknown-learner", Part: OfReviews, Does: "answers a review of a learner who has handed in nothing with 500", Effects: crashesOnReview(nothingHandedIn)},
	{Name: "shows-any-work-instead", Proves: "sr-tool-unknown-learner", Part: OfReviews, Does: "shows another work where the learner has handed in nothing", Effects: showsInstead(false, reviewedWork.isOfItem)},
	{Name: "begins-work-of-unknown", Proves: "sr-tool-unknown-learner", Part: OfReviews, Does: "posts a score where the learner has handed in nothing", Effects: scoresVisit(nothingHandedIn, lti.Score{ActivityProgress: lti.Initialized, GradingProgress: lti.NotReady})},
	{Name: "knows-learners-alone", Proves: "sr-tool-unknown-line-item", Part: OfReviews, Does: "opens the learner's last work where the line item is unknown", Effects: opensElsewhere(ofUnknownItem, reviewedWork.isOfLearner)},
	{Name: "ignores-place-of-item", Proves: "sr-tool-unknown-line-item", Part: OfReviews, Does: "opens line items of other contexts and resource links", Effects: opensElsewhere(ofKnownItem, reviewedWork.isWanted)},
	{Name: "ignores-link-of-item", Proves: "sr-tool-unknown-line-item", Part: OfReviews, Does: "opens line items of other resource links in the same context", Effects: opensElsewhere(ofOtherLink, reviewedWork.isWanted)},
	{Name: "shares-items-of-platforms", Proves: "sr-tool-unknown-line-item", Part: OfReviews, Does: "opens line items of other platforms", Effects: opensElsewhere(ofUnknownItem, reviewedWork.isWantedOfAnyPlatform)},
	{Name: "crashes-on-unknown-item", Proves: "sr-tool-unknown-line-item", Part: OfReviews, Does: "answers a review of an unknown line item with 500", Effects: []fault.Effect{itemHere.Answer(ofUnknownItem, func(reviewedWork, error) error { return errCrash })}},
	{Name: "lets-learners-review", Proves: "sr-tool-learner-may-only-see-own", Part: OfReviews, Does: "shows everybody's work to every learner", Effects: letsReview(func(l Launch) bool { return slices.Contains(l.Roles, lti.RoleLearner) })},
	{Name: "lets-anybody-review", Proves: "sr-tool-learner-may-only-see-own", Part: OfReviews, Does: "shows everybody's work to users without a role", Effects: letsReview(func(l Launch) bool { return len(l.Roles) == 0 })},
	{Name: "offers-anybody-to-grade", Proves: "sr-tool-learner-may-only-see-own", Part: OfReviews, Does: "hides others' work from learners, and offers them to grade it", Effects: offersForm(func(v reviewedWork) bool { return v.launch.ofOthers() }, showsWork.Take(true, Launch.ofOthers))},
	{Name: "offers-to-grade-unknown-item", Proves: "sr-tool-unknown-line-item", Part: OfReviews, Does: "opens an empty form for points for a line item that it does not know", Effects: offersForm(func(v reviewedWork) bool { return !v.isHere() })},
	{Name: "opens-reviews-by-address", Proves: "sr-tool-learner-may-only-see-own", Part: OfReviews, Does: "shows the page of a review to every browser that knows its address", Effects: []fault.Effect{browserLaunched.Lift(func(v visit) bool { return v.known && v.launch.review != nil && v.r.Method == http.MethodGet })}},
	{Name: "lets-learners-grade", Proves: "sr-tool-learner-read-only", Part: OfReviews, Does: "lets learners grade their own work", Effects: []fault.Effect{takesGrade.Take(true, Launch.ofOwnWork)}},
	{Name: "scores-learners-visit", Proves: "sr-tool-learner-read-only", Part: OfReviews, Does: "posts a score when learners look at their own work", Effects: scoresVisit(ofLearnersVisit, lti.Score{ActivityProgress: lti.Completed, GradingProgress: lti.Pending})},
	{Name: "takes-roles-of-for-user", Proves: "sr-tool-roles-from-launch-not-for-user", Part: OfReviews, Does: "takes the roles in for_user for the reviewer's", Effects: letsReview(func(l Launch) bool { return slices.Contains(l.review.roles, lti.RoleInstructor) })},
	{Name: "needs-learners-roles", Proves: "sr-tool-roles-from-launch-not-for-user", Part: OfReviews, Does: "refuses teachers where for_user has no roles", Effects: []fault.Effect{opensWork.Add(needs("The learner's roles are missing.", needsLearnersRoles))}},
	{Name: "logs-in-for-user", Proves: "sr-tool-does-not-log-in-for-user", Part: OfReviews, Does: "takes the reviewer for the learner from then on", Effects: []fault.Effect{launchTaken.Change(renamedByReview), reviewOpened.ChangeWhen(ofOthersWork, takesAccount)}},
	{Name: "renames-reviewer", Proves: "sr-tool-does-not-log-in-for-user", Part: OfReviews, Does: "keeps the learner's name as the reviewer's", Effects: []fault.Effect{launchTaken.Change(renamedByReview), reviewOpened.ChangeWhen(ofOtherName, takesName)}},
	{Name: "shows-work-in-launch", Proves: "sr-tool-message-type-confusion", Part: OfReviews, Does: "shows the work of for_user in a launch of a resource link", Effects: []fault.Effect{resourceSeen.Change(showsWorkInLaunch)}},
	{Name: "knows-reviews-by-for-user", Proves: "sr-tool-message-type-confusion", Part: OfReviews, Does: "opens a review for every message of another type with for_user", Effects: []fault.Effect{typeTaken.Change(knowsReviewsByForUser)}},
	{Name: "opens-review-of-login", Proves: "sr-tool-honours-target-and-custom", Part: OfReviews, Does: "opens the target that the login initiation of a review names", Effects: []fault.Effect{reviewOpened.Change(opensReviewOfLogin)}},
	{Name: "skips-signature-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "does not verify the signature of a review", Effects: []fault.Effect{signedByPlatform.Lift((*response).opensWork)}},
	{Name: "ignores-audience-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "does not look at the audience of a review", Effects: []fault.Effect{meantForTool.Lift((*response).opensWork), authorizedParty.Lift((*response).opensWork)}},
	{Name: "ignores-issuer-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "does not look at the issuer of a review", Effects: []fault.Effect{issuedByPlatform.Lift((*response).opensWork)}},
	{Name: "ignores-state-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "goes by the nonce of a review alone, whichever login the state names", Effects: []fault.Effect{responseFor.ChangeWhen(ignoresStateOfReviewsWhen, goByNonce)}},
	{Name: "accepts-reviews-without-state", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "accepts a review without state", Effects: []fault.Effect{responseFor.ChangeWhen(acceptsReviewsWithoutStateWhen, goByNonce)}},
	{Name: "ignores-expiry-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "does not look at the times of a review", Effects: []fault.Effect{expiryGiven.Lift((*response).opensWork), notExpired.Lift((*response).opensWork), issuedByNow.Lift((*response).opensWork), notBefore.Lift((*response).opensWork)}},
	{Name: "ignores-nonce-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "does not look at the nonce of a review", Effects: []fault.Effect{nonceOfLogin.Lift((*response).opensWork)}},
	{Name: "ignores-deployment-of-reviews", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "does not look at the deployment of a review", Effects: []fault.Effect{deploymentKnown.Lift((*response).opensWork), reviewOpened.Change(takesKnownDeployment)}},
	{Name: "accepts-reviews-again", Proves: "sr-tool-verifies-id-token", Part: OfReviews, Does: "takes a review again, in any browser", Effects: []fault.Effect{loginOfBrowser.Lift((*response).opensWork), loginUnused.Lift((*response).opensWork)}},
	{Name: "grades-reviewer", Proves: "sr-tool-score-for-learner", Part: OfReviews, Does: "posts the reviewer's id as the learner's", Effects: []fault.Effect{gradesWith(func(s scoring) map[string]any { return map[string]any{"userId": s.members["scoringUserId"]} })}},
	{Name: "names-learner-as-grader", Proves: "sr-tool-score-for-learner", Part: OfReviews, Does: "posts the learner's id as the scoringUserId", Effects: []fault.Effect{gradesWith(func(s scoring) map[string]any { return map[string]any{"scoringUserId": s.members["userId"]} })}},
	{Name: "drops-query-of-grade", Proves: "sr-tool-score-for-learner", Part: OfReviews, Does: "drops the query of the line item where it posts a grade", Effects: []fault.Effect{postsTo(dropsQueryOfGrade)}},
	{Name: "grades-at-submission", Proves: "sr-tool-score-timestamp-grows", Part: OfReviews, Does: "posts a grade with the time of the score before it", Effects: []fault.Effect{stampsNext(func(s timing) bool { return s.grade }, timeBefore)}},
	{Name: "repeats-time-of-grade", Proves: "sr-tool-score-timestamp-grows", Part: OfReviews, Does: "posts another grade with the time of the first one", Effects: []fault.Effect{stampsNext(func(s timing) bool { return s.grade && s.regrade }, timeBefore)}},
	{Name: "grades-in-whole-seconds", Proves: "sr-tool-score-timestamp-grows", Part: OfReviews, Does: "posts grades with a time in whole seconds", Effects: []fault.Effect{gradesWith(func(s scoring) map[string]any { return map[string]any{"timestamp": s.now.Format(wholeSeconds)} })}},
	{Name: "posts-unannounced-score", Proves: "sr-tool-score-scope", Part: OfReviews, Does: "posts a grade where no scope for that is announced", Effects: []fault.Effect{scoreGoesTo.Change(postsUnannouncedScore)}},
	{Name: "crashes-without-score-scope", Proves: "sr-tool-score-scope", Part: OfReviews, Does: "answers a grade with 500 where no scope for it is announced", Effects: []fault.Effect{anyGrade.Add(crashesWithoutScoreScope)}},
	{Name: "omits-submission", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "posts no submission with the score of work that is handed in", Effects: []fault.Effect{submitsWith(func(scoring) map[string]any { return map[string]any{"submission": nil} })}},
	{Name: "starts-after-submission", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "posts that work was begun after it was handed in", Effects: []fault.Effect{submitsAt(-time.Minute, instant)}},
	{Name: "submits-in-future", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "posts that work was handed in after the score was set", Effects: []fault.Effect{submitsAt(time.Hour, instant)}},
	{Name: "submits-without-zone", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "posts times of a submission without a zone", Effects: []fault.Effect{submitsAt(0, withoutZone)}},
	{Name: "submits-in-whole-seconds", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "posts times of a submission in whole seconds", Effects: []fault.Effect{submitsAt(0, wholeSeconds)}},
	{Name: "submits-in-progress", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "posts that work is in progress when it is handed in", Effects: []fault.Effect{submitsWith(func(scoring) map[string]any { return map[string]any{"activityProgress": string(lti.InProgress)} })}},
	{Name: "scores-with-review", Proves: "sr-tool-score-submission-object", Part: OfReviews, Does: "puts submissionReview into scores", Effects: []fault.Effect{submitsWith(func(s scoring) map[string]any { return map[string]any{"submissionReview": s.t.ownReview()} })}},
	{Name: "sends-status-as-text", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "makes a line item whose reviewableStatus is text", Effects: []fault.Effect{makesReviewWith("reviewableStatus", string(lti.Submitted))}},
	{Name: "sends-unknown-status", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "makes a line item with a reviewableStatus of its own", Effects: []fault.Effect{makesReviewWith("reviewableStatus", []string{string(lti.Submitted), "Late"})}},
	{Name: "sends-relative-review-url", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "makes a line item whose review has a relative URL", Effects: []fault.Effect{makesReviewWith("url", LaunchPath)}},
	{Name: "sends-numbers-in-custom", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "makes a line item whose review has a number in custom", Effects: []fault.Effect{makesReviewWith("custom", map[string]any{"action": "review", "version": 2})}},
	{Name: "drops-review", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "puts a line item back without submissionReview", Effects: []fault.Effect{putsReviewWith(dropsReview)}},
	{Name: "drops-reviewable-status", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "puts a line item back without reviewableStatus", Effects: []fault.Effect{putsReviewWith(dropsReviewableStatus)}},
	{Name: "writes-review-anew", Proves: "sr-tool-publishes-valid-submission-review", Part: OfReviews, Does: "puts a line item back with a submissionReview of its own", Effects: []fault.Effect{putsReviewWith(writesReviewAnew)}},
	{Name: "offers-no-way-back", Proves: "sr-tool-returns", Part: OfReviews, Does: "shows no way back to the gradebook", Effects: []fault.Effect{reviewShows(func(s *reviewShowing) { s.page.Exit = "" })}},
	{Name: "loses-way-back-of-review", Proves: "sr-tool-returns", Part: OfReviews, Does: "shows a button for the way back to the gradebook that leads to 500", Effects: []fault.Effect{reviewShows(losesWayBackOfReview), leaves.Take(true, nil)}},
	{Name: "reviews-with-button", Part: OfReviews, Permitted: true, Does: "shows a button that leads back to the gradebook by way of the tool", Effects: []fault.Effect{reviewShows(leadsBackByForm), leaves.Take(true, nil)}},
	{Name: "crashes-without-way-back", Proves: "sr-tool-returns", Part: OfReviews, Does: "answers a review without return_url with 500", Effects: crashesOnReview(func(s reviewShowing) bool { return s.launch.ReturnURL == "" })},
	{Name: "shows-learner-unescaped", Proves: "sr-tool-escapes-for-user", Part: OfReviews, Does: "shows the learner's name as it came", Effects: []fault.Effect{reviewShows(showsLearnerUnescaped)}},
	{Name: "shows-custom-unescaped", Proves: "sr-tool-escapes-for-user", Part: OfReviews, Does: "shows the values of custom as they came", Effects: []fault.Effect{reviewShows(showsCustomUnescaped)}},
	{Name: "crashes-on-long-name", Proves: "sr-tool-escapes-for-user", Part: OfReviews, Does: "answers a review of a learner whose name has more than 255 letters with 500", Effects: crashesOnReview(func(s reviewShowing) bool { return len(s.launch.review.name) > maxName })},
	{Name: "crashes-on-right-to-left", Proves: "sr-tool-escapes-for-user", Part: OfReviews, Does: "answers a review of a learner whose name is written from right to left with 500", Effects: crashesOnReview(namedRightToLeft)},
	{Name: "crashes-on-bad-review", Proves: "sr-tool-rejects-missing-for-user", Part: OfReviews, Does: "answers every review whose message it refuses with 500", Effects: []fault.Effect{responseJudged.ChangeWhen(func(a handling) bool { return a.err != nil && (a.q.opensWork() || a.q.has(lti.ClaimForUser)) }, crashInstead)}},
	{Name: "omits-scoring-user", Part: OfReviews, Permitted: true, Does: "posts grades without saying who gave them", Effects: []fault.Effect{gradesWith(func(scoring) map[string]any { return map[string]any{"scoringUserId": nil} })}},
	{Name: "refuses-assistants", Part: OfReviews, Permitted: true, Does: "lets nobody review who has a sub-role of an instructor alone", Effects: []fault.Effect{showsWork.Take(false, func(l Launch) bool { return isAssistant(l) && !l.ofOwnWork() }), takesGrade.Take(false, isAssistant)}},
	{Name: "hides-unknown-learners", Part: OfReviews, Permitted: true, Does: "answers a review of a learner who has handed in nothing with 404", Effects: []fault.Effect{reviewShows(hidesUnknownLearners)}},
	{Name: "tells-unknown-items-kindly", Part: OfReviews, Permitted: true, Does: "answers a review of an unknown line item with 200, on a page that says so", Effects: []fault.Effect{itemHere.Answer(ofUnknownItem, func(_ reviewedWork, err error) error { return &refusal{http.StatusOK, err.Error()} })}},
	{Name: "returns-bad-reviews", Part: OfReviews, Permitted: true, Does: "sends the user back to the return URL where a genuine review is not complete", Effects: []fault.Effect{refusalTold.Change(returnsBadReviews)}},
	{Name: "omits-start", Part: OfReviews, Permitted: true, Does: "posts when work was handed in, but not when it was begun", Effects: []fault.Effect{submitsWith(omitsStart)}},
	{Name: "offers-to-grade-nothing", Part: OfReviews, Permitted: true, Does: "offers to grade a learner who has handed in nothing", Effects: []fault.Effect{reviewShows(offersToGradeNothing)}},
	{Name: "shows-learner-id", Part: OfReviews, Permitted: true, Does: "shows the learner's id beside the name", Effects: []fault.Effect{reviewShows(showsLearnerID)}},
}

func acceptsReviewsWithoutStateWhen(q *response) bool {
	return q.begun == nil && !q.form.Has(lti.ParamState) && q.opensWork() && q.loginOfNonce() != nil
}

func ignoresStateOfReviewsWhen(q *response) bool {
	return q.begun != nil && q.opensWork() && q.loginOfNonce() != nil && q.loginOfNonce() != q.begun
}

func returnsBadReviews(at refusalAt) refusalAt {
	if at.q.verified && at.q.opensWork() {
		at.url = at.q.returnURL()
	}
	return at
}

// showsWorkInLaunch heeds for_user in a launch of a resource link.
func showsWorkInLaunch(s showing) showing {
	l := s.page.Launch
	learner, _ := claims{members: l.message}.object(lti.ClaimForUser)["user_id"].(string)
	if learner == "" || l.review != nil || l.grades == nil {
		return s
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if one, found := s.t.lastWork(work{of: l.grades.of, lineItem: l.grades.lineItem, sub: learner}.sameAs); found {
		s.page.Work = one.text
	}
	return s
}

func knowsReviewsByForUser(t taken) taken {
	if t.Has(lti.ClaimForUser) && !slices.Contains(knownTypes, t.As) {
		t.As = lti.SubmissionReviewRequest
	}
	return t
}

func cutsLearnerID(l learnerSaid) learnerSaid {
	l.id = l.id[:min(len(l.id), 64)]
	return l
}

func takesLearnerIDForPath(l learnerSaid) learnerSaid {
	if before, _, hasSlash := strings.Cut(l.id, "/"); before != "" && hasSlash {
		l.id = before
	}
	return l
}

func acceptsMissingForUser(l learnerSaid) learnerSaid {
	l.ok = l.ok || !l.claims.has(lti.ClaimForUser)
	return l
}

func acceptsEmptyForUser(l learnerSaid) learnerSaid {
	if learner := l.learner(); learner != nil && len(learner) == 0 {
		l.ok = true
	}
	return l
}

func acceptsEmptyLearner(l learnerSaid) learnerSaid {
	if l.learner()["user_id"] == "" {
		l.ok = true
	}
	return l
}

func acceptsNullLearner(l learnerSaid) learnerSaid {
	if value, present := l.learner()["user_id"]; present && value == nil {
		l.ok = true
	}
	return l
}

func acceptsNumberAsLearner(l learnerSaid) learnerSaid {
	if _, isNumber := l.learner()["user_id"].(float64); isNumber {
		l.ok = true
	}
	return l
}

func acceptsTextAsForUser(l learnerSaid) learnerSaid {
	if text, _ := l.claims.text(lti.ClaimForUser); text != "" {
		l.id, l.ok = text, true
	}
	return l
}

func takesSubOfForUser(l learnerSaid) learnerSaid {
	if sub, _ := l.learner()["sub"].(string); sub != "" && !l.ok {
		if _, present := l.learner()["user_id"]; !present {
			l.id, l.ok = sub, true
		}
	}
	return l
}

func fallsBackOnReviewer(l learnerSaid) learnerSaid {
	if reviewer, _ := l.claims.text("sub"); reviewer != "" && !l.ok {
		l.id, l.ok = reviewer, true
	}
	return l
}

func opensFormWithoutLearner(l learnerSaid) learnerSaid {
	l.ok = true
	return l
}

func acceptsMissingLineItem(q *response) bool {
	endpoint := q.object(lti.ClaimAGS)
	_, present := endpoint["lineitem"]
	return endpoint != nil && !present
}

func acceptsPathAsLineItem(q *response) bool {
	item, _ := q.object(lti.ClaimAGS)["lineitem"].(string)
	return item != ""
}

func needsNameOfLearner(q *response) bool {
	return slices.ContainsFunc([]string{"name", "given_name", "family_name"}, func(name string) bool { return q.object(lti.ClaimForUser)[name] != nil })
}

func needsRolesOfLearner(q *response) bool {
	roles, given := q.object(lti.ClaimForUser)["roles"]
	return !given || len(textsOf(roles)) > 0
}

func needsLearnersRoles(q *response) bool {
	_, given := q.object(lti.ClaimForUser)["roles"]
	return given
}

func refusesMembersOfForUser(q *response) bool {
	return !slices.ContainsFunc(slices.Collect(maps.Keys(q.object(lti.ClaimForUser))), func(name string) bool { return strings.Contains(name, "://") })
}

func findsActivityByLink(v reviewedWork) error {
	if v.launch.place.link == "" {
		return errNotHere
	}
	return nil
}

func offersToGradeNothing(s *reviewShowing) {
	if !s.handedIn {
		s.page.Grade = s.t.gradeForm(s.launch)
	}
}

func ofLearnersVisit(s reviewShowing) bool {
	return s.handedIn && s.launch.ofOwnWork() && !s.launch.Teacher
}

func ofOthersWork(o opening) bool { return !o.launch.ofOwnWork() }

func ofOtherName(o opening) bool {
	return ofOthersWork(o) && o.launch.review.name != o.launch.Name
}

func opensReviewOfLogin(o opening) opening {
	o.launch.Chapter = chapterOf(o.q.begun.target)
	return o
}

func crashesWithoutScoreScope(l Launch) error {
	if !l.grades.offers(lti.ScopeScore) {
		return errCrash
	}
	return nil
}

func losesWayBackOfReview(s *reviewShowing) {
	leadsBackByForm(s)
	s.page.Exit = ""
}

func hidesUnknownLearners(s *reviewShowing) {
	if !s.handedIn {
		s.status = http.StatusNotFound
	}
}

func showsLearnerID(s *reviewShowing) {
	if s.launch.review.name != s.launch.review.learner {
		s.page.LearnerID = s.launch.review.learner
	}
}

func postsUnannouncedScore(g *gradebook) *gradebook {
	if g.offers(lti.ScopeScore) {
		return g
	}
	return g.with(lti.ScopeScore)
}

func omitsStart(s scoring) map[string]any {
	submission, _ := s.members["submission"].(map[string]any)
	return map[string]any{"submission": map[string]any{"submittedAt": submission["submittedAt"]}}
}

func dropsReview(p putting, _ map[string]json.RawMessage) { delete(p.members, "submissionReview") }

func dropsReviewableStatus(p putting, review map[string]json.RawMessage) {
	if _, given := review["reviewableStatus"]; given {
		delete(review, "reviewableStatus")
		p.members["submissionReview"] = json.RawMessage(asJSON(review))
	}
}

func writesReviewAnew(p putting, _ map[string]json.RawMessage) {
	p.members["submissionReview"] = json.RawMessage(asJSON(p.t.ownReview()))
}
