package review

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// defects are those of a tool that opens learners' work for review.
var defects = []fault.Fault{
	{Name: "accepts-missing-for-user", Proves: "sr-tool-rejects-missing-for-user", Does: "opens the last work of the line item where there is no for_user", Effects: opensLast(acceptsMissingForUser)},
	{Name: "accepts-empty-for-user", Proves: "sr-tool-rejects-missing-for-user", Does: "opens the last work of the line item where for_user is empty", Effects: opensLast(acceptsEmptyForUser)},
	{Name: "accepts-empty-learner", Proves: "sr-tool-rejects-missing-for-user", Does: "opens the last work of the line item where user_id is empty", Effects: opensLast(acceptsEmptyLearner)},
	{Name: "accepts-null-learner", Proves: "sr-tool-rejects-missing-for-user", Does: "opens the last work of the line item where user_id is null", Effects: opensLast(acceptsNullLearner)},
	{Name: "accepts-number-as-learner", Proves: "sr-tool-rejects-missing-for-user", Does: "opens the last work of the line item where user_id is a number", Effects: opensLast(acceptsNumberAsLearner)},
	{Name: "accepts-text-as-for-user", Proves: "sr-tool-rejects-missing-for-user", Does: "takes a string as for_user for the learner's id", Effects: []fault.Effect{learnerRead.Change(acceptsTextAsForUser)}},
	{Name: "takes-sub-of-for-user", Proves: "sr-tool-rejects-missing-for-user", Does: "takes sub in for_user for user_id", Effects: []fault.Effect{learnerRead.Change(takesSubOfForUser)}},
	{Name: "falls-back-on-reviewer", Proves: "sr-tool-rejects-missing-for-user", Does: "opens the reviewer's own work where nobody is named", Effects: []fault.Effect{learnerRead.Change(fallsBackOnReviewer)}},
	{Name: "accepts-missing-endpoint", Proves: "sr-tool-rejects-missing-line-item", Does: "opens the learner's work at the resource link where there is no claim of the grade services", Effects: opensAtLink(func(q *part.Message) bool { return !q.Has(lti.ClaimAGS) })},
	{Name: "accepts-missing-line-item", Proves: "sr-tool-rejects-missing-line-item", Does: "opens the learner's work at the resource link where there is no lineitem", Effects: opensAtLink(acceptsMissingLineItem)},
	{Name: "accepts-empty-line-item", Proves: "sr-tool-rejects-missing-line-item", Does: "opens the learner's work at the resource link where lineitem is empty", Effects: opensAtLink(func(q *part.Message) bool { return q.Object(lti.ClaimAGS)["lineitem"] == "" })},
	{Name: "accepts-path-as-line-item", Proves: "sr-tool-rejects-missing-line-item", Does: "opens the learner's work at the resource link where lineitem is no URL", Effects: opensAtLink(acceptsPathAsLineItem)},
	{Name: "opens-form-without-learner", Proves: "sr-tool-rejects-missing-for-user", Does: "opens an empty form for points where nobody is named", Effects: offersForm(ofAnybody, learnerRead.Change(opensFormWithoutLearner))},
	{Name: "opens-form-without-item", Proves: "sr-tool-rejects-missing-line-item", Does: "opens an empty form for points where no line item is named", Effects: offersForm(namesNoItem, itemGiven.Lift(nil), reviewOpened.Change(withGradebook))},
	{Name: "needs-link-in-review", Proves: "sr-tool-accepts-without-resource-link", Does: "refuses a review without a resource link", Effects: []fault.Effect{opensWork.Add(needs("The message has no resource link.", func(q *part.Message) bool { return q.Has(lti.ClaimResourceLink) }))}},
	{Name: "finds-activity-by-link", Proves: "sr-tool-accepts-without-resource-link", Does: "finds nothing where a review has no resource link", Effects: []fault.Effect{findsWork.Add(findsActivityByLink)}},
	{Name: "needs-name-of-learner", Proves: "sr-tool-accepts-minimal-for-user", Does: "refuses a review of a learner without a name", Effects: []fault.Effect{opensWork.Add(needs("The learner has no name.", needsNameOfLearner))}},
	{Name: "needs-roles-of-learner", Proves: "sr-tool-accepts-minimal-for-user", Does: "refuses a review of a learner whose roles are empty", Effects: []fault.Effect{opensWork.Add(needs("The learner has no role.", needsRolesOfLearner))}},
	{Name: "refuses-members-of-for-user", Proves: "sr-tool-accepts-minimal-for-user", Does: "refuses for_user with a member that it does not know", Effects: []fault.Effect{opensWork.Add(needs("There is a member that is unknown.", refusesMembersOfForUser))}},
	{Name: "cuts-learner-id", Proves: "sr-tool-accepts-minimal-for-user", Does: "keeps 64 characters of user_id", Effects: []fault.Effect{learnerRead.Change(cutsLearnerID)}},
	{Name: "takes-learner-id-for-path", Proves: "sr-tool-accepts-minimal-for-user", Does: "keeps what of user_id is in front of a slash", Effects: []fault.Effect{learnerRead.Change(takesLearnerIDForPath)}},
	{Name: "shows-reviewers-work", Proves: "sr-tool-shows-for-user-work", Does: "shows reviewers their own work where they have handed in any", Effects: showsInstead(true, func(v reviewedWork, w grades.Work) bool { return v.isOfItem(w) && w.Sub == v.review.Sub })},
	{Name: "shows-last-work", Proves: "sr-tool-shows-for-user-work", Does: "shows the work that was handed in last for the line item", Effects: showsInstead(true, reviewedWork.isOfItem)},
	{Name: "shows-learners-last-work", Proves: "sr-tool-shows-for-user-work", Does: "shows the work that the learner handed in last, whatever the line item", Effects: showsInstead(true, reviewedWork.isOfLearner)},
	{Name: "shows-all-works", Proves: "sr-tool-shows-for-user-work", Does: "shows the works of all learners at the line item", Effects: []fault.Effect{reviewShows(showsAllWorks)}},
	{Name: "crashes-on-unknown-learner", Proves: "sr-tool-unknown-learner", Does: "answers a review of a learner who has handed in nothing with 500", Effects: crashesOnReview(nothingHandedIn)},
	{Name: "shows-any-work-instead", Proves: "sr-tool-unknown-learner", Does: "shows another work where the learner has handed in nothing", Effects: showsInstead(false, reviewedWork.isOfItem)},
	{Name: "begins-work-of-unknown", Proves: "sr-tool-unknown-learner", Does: "posts a score where the learner has handed in nothing", Effects: scoresVisit(nothingHandedIn, lti.Score{ActivityProgress: lti.Initialized, GradingProgress: lti.NotReady})},
	{Name: "knows-learners-alone", Proves: "sr-tool-unknown-line-item", Does: "opens the learner's last work where the line item is unknown", Effects: opensElsewhere(ofUnknownItem, reviewedWork.isOfLearner)},
	{Name: "ignores-place-of-item", Proves: "sr-tool-unknown-line-item", Does: "opens line items of other contexts and resource links", Effects: opensElsewhere(ofKnownItem, reviewedWork.isWanted)},
	{Name: "ignores-link-of-item", Proves: "sr-tool-unknown-line-item", Does: "opens line items of other resource links in the same context", Effects: opensElsewhere(ofOtherLink, reviewedWork.isWanted)},
	{Name: "shares-items-of-platforms", Proves: "sr-tool-unknown-line-item", Does: "opens line items of other platforms", Effects: opensElsewhere(ofUnknownItem, reviewedWork.isWantedOfAnyPlatform)},
	{Name: "crashes-on-unknown-item", Proves: "sr-tool-unknown-line-item", Does: "answers a review of an unknown line item with 500", Effects: []fault.Effect{itemHere.Answer(ofUnknownItem, func(reviewedWork, error) error { return part.Crash{} })}},
	{Name: "lets-learners-review", Proves: "sr-tool-learner-may-only-see-own", Does: "shows everybody's work to every learner", Effects: letsReview(func(l review) bool { return slices.Contains(l.Roles, lti.RoleLearner) })},
	{Name: "lets-anybody-review", Proves: "sr-tool-learner-may-only-see-own", Does: "shows everybody's work to users without a role", Effects: letsReview(func(l review) bool { return len(l.Roles) == 0 })},
	{Name: "offers-anybody-to-grade", Proves: "sr-tool-learner-may-only-see-own", Does: "hides others' work from learners, and offers them to grade it", Effects: offersForm(func(v reviewedWork) bool { return v.review.ofOthers() }, showsWork.Take(true, review.ofOthers))},
	{Name: "offers-to-grade-unknown-item", Proves: "sr-tool-unknown-line-item", Does: "opens an empty form for points for a line item that it does not know", Effects: offersForm(func(v reviewedWork) bool { return !v.isHere() })},
	{Name: "opens-reviews-by-address", Proves: "sr-tool-learner-may-only-see-own", Does: "shows the page of a review to every browser that knows its address", Effects: []fault.Effect{part.LetsIn.Take(true, func(v part.Visit) bool { return v.Known && v.Of.ShownBy == Profile && v.Method == http.MethodGet })}},
	{Name: "lets-learners-grade", Proves: "sr-tool-learner-read-only", Does: "lets learners grade their own work", Effects: []fault.Effect{takesGrade.Take(true, review.ofOwnWork)}},
	{Name: "scores-learners-visit", Proves: "sr-tool-learner-read-only", Does: "posts a score when learners look at their own work", Effects: scoresVisit(ofLearnersVisit, lti.Score{ActivityProgress: lti.Completed, GradingProgress: lti.Pending})},
	{Name: "takes-roles-of-for-user", Proves: "sr-tool-roles-from-launch-not-for-user", Does: "takes the roles in for_user for the reviewer's", Effects: letsReview(func(l review) bool { return slices.Contains(l.roles, lti.RoleInstructor) })},
	{Name: "needs-learners-roles", Proves: "sr-tool-roles-from-launch-not-for-user", Does: "refuses teachers where for_user has no roles", Effects: []fault.Effect{opensWork.Add(needs("The learner's roles are missing.", needsLearnersRoles))}},
	{Name: "logs-in-for-user", Proves: "sr-tool-does-not-log-in-for-user", Does: "takes the reviewer for the learner from then on", Effects: []fault.Effect{part.LaunchTaken.Change(takenFor), reviewOpened.ChangeWhen(ofOthersWork, takesAccount)}},
	{Name: "renames-reviewer", Proves: "sr-tool-does-not-log-in-for-user", Does: "keeps the learner's name as the reviewer's", Effects: []fault.Effect{part.LaunchTaken.Change(takenFor), reviewOpened.ChangeWhen(ofOtherName, takesName)}},
	{Name: "shows-work-in-launch", Proves: "sr-tool-message-type-confusion", Does: "shows the work of for_user in a launch of a resource link", Effects: []fault.Effect{part.PageShown.Change(showsWorkInLaunch)}},
	{Name: "knows-reviews-by-for-user", Proves: "sr-tool-message-type-confusion", Does: "opens a review for every message of another type with for_user", Effects: []fault.Effect{part.TypeTaken.Change(knowsReviewsByForUser)}},
	{Name: "opens-review-of-login", Proves: "sr-tool-honours-target-and-custom", Does: "opens the target that the login initiation of a review names", Effects: []fault.Effect{reviewOpened.Change(opensReviewOfLogin)}},
	{Name: "skips-signature-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "does not verify the signature of a review", Effects: []fault.Effect{part.Excuses(isReview, part.SignedByPlatform)}},
	{Name: "ignores-audience-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "does not look at the audience of a review", Effects: []fault.Effect{part.Excuses(isReview, part.MeantForTool, part.AuthorizedParty)}},
	{Name: "ignores-issuer-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "does not look at the issuer of a review", Effects: []fault.Effect{part.Excuses(isReview, part.IssuedByPlatform)}},
	{Name: "ignores-state-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "goes by the nonce of a review alone, whichever login the state names", Effects: []fault.Effect{part.LoginFound.ChangeWhen(ignoresStateOfReviewsWhen, goByNonce)}},
	{Name: "accepts-reviews-without-state", Proves: "sr-tool-verifies-id-token", Does: "accepts a review without state", Effects: []fault.Effect{part.LoginFound.ChangeWhen(acceptsReviewsWithoutStateWhen, goByNonce)}},
	{Name: "ignores-expiry-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "does not look at the times of a review", Effects: []fault.Effect{part.Excuses(isReview, part.ExpiryGiven, part.NotExpired, part.IssuedByNow, part.NotBefore)}},
	{Name: "ignores-nonce-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "does not look at the nonce of a review", Effects: []fault.Effect{part.Excuses(isReview, part.NonceOfLogin)}},
	{Name: "ignores-deployment-of-reviews", Proves: "sr-tool-verifies-id-token", Does: "does not look at the deployment of a review", Effects: []fault.Effect{part.Excuses(isReview, part.DeploymentKnown), reviewOpened.Change(takesKnownDeployment)}},
	{Name: "accepts-reviews-again", Proves: "sr-tool-verifies-id-token", Does: "takes a review again, in any browser", Effects: []fault.Effect{part.Excuses(isReview, part.LoginOfBrowser, part.LoginUnused)}},
	{Name: "grades-reviewer", Proves: "sr-tool-score-for-learner", Does: "posts the reviewer's id as the learner's", Effects: []fault.Effect{gradesWith(func(s grades.Scoring) map[string]any { return map[string]any{"userId": s.Members["scoringUserId"]} })}},
	{Name: "names-learner-as-grader", Proves: "sr-tool-score-for-learner", Does: "posts the learner's id as the scoringUserId", Effects: []fault.Effect{gradesWith(func(s grades.Scoring) map[string]any { return map[string]any{"scoringUserId": s.Members["userId"]} })}},
	{Name: "drops-query-of-grade", Proves: "sr-tool-score-for-learner", Does: "drops the query of the line item where it posts a grade", Effects: []fault.Effect{grades.PostsTo(dropsQueryOfGrade)}},
	{Name: "grades-at-submission", Proves: "sr-tool-score-timestamp-grows", Does: "posts a grade with the time of the score before it", Effects: []fault.Effect{grades.StampsNext(func(s grades.Timing) bool { return s.Grade }, grades.TimeBefore)}},
	{Name: "repeats-time-of-grade", Proves: "sr-tool-score-timestamp-grows", Does: "posts another grade with the time of the first one", Effects: []fault.Effect{grades.StampsNext(func(s grades.Timing) bool { return s.Grade && s.Regrade }, grades.TimeBefore)}},
	{Name: "grades-in-whole-seconds", Proves: "sr-tool-score-timestamp-grows", Does: "posts grades with a time in whole seconds", Effects: []fault.Effect{gradesWith(func(s grades.Scoring) map[string]any {
		return map[string]any{"timestamp": s.Now.Format(grades.WholeSeconds)}
	})}},
	{Name: "posts-unannounced-score", Proves: "sr-tool-score-scope", Does: "posts a grade where no scope for that is announced", Effects: []fault.Effect{grades.ScoreGoesTo.Change(postsUnannouncedScore)}},
	{Name: "crashes-without-score-scope", Proves: "sr-tool-score-scope", Does: "answers a grade with 500 where no scope for it is announced", Effects: []fault.Effect{anyGrade.Add(crashesWithoutScoreScope)}},
	{Name: "omits-submission", Proves: "sr-tool-score-submission-object", Does: "posts no submission with the score of work that is handed in", Effects: []fault.Effect{submitsWith(func(grades.Scoring) map[string]any { return map[string]any{"submission": nil} })}},
	{Name: "starts-after-submission", Proves: "sr-tool-score-submission-object", Does: "posts that work was begun after it was handed in", Effects: []fault.Effect{submitsAt(-time.Minute, grades.Instant)}},
	{Name: "submits-in-future", Proves: "sr-tool-score-submission-object", Does: "posts that work was handed in after the score was set", Effects: []fault.Effect{submitsAt(time.Hour, grades.Instant)}},
	{Name: "submits-without-zone", Proves: "sr-tool-score-submission-object", Does: "posts times of a submission without a zone", Effects: []fault.Effect{submitsAt(0, grades.WithoutZone)}},
	{Name: "submits-in-whole-seconds", Proves: "sr-tool-score-submission-object", Does: "posts times of a submission in whole seconds", Effects: []fault.Effect{submitsAt(0, grades.WholeSeconds)}},
	{Name: "submits-in-progress", Proves: "sr-tool-score-submission-object", Does: "posts that work is in progress when it is handed in", Effects: []fault.Effect{submitsWith(func(grades.Scoring) map[string]any { return map[string]any{"activityProgress": string(lti.InProgress)} })}},
	{Name: "scores-with-review", Proves: "sr-tool-score-submission-object", Does: "puts submissionReview into scores", Effects: []fault.Effect{submitsWith(func(s grades.Scoring) map[string]any { return map[string]any{"submissionReview": own(s.Core)} })}},
	{Name: "sends-status-as-text", Proves: "sr-tool-publishes-valid-submission-review", Does: "makes a line item whose reviewableStatus is text", Effects: []fault.Effect{makesReviewWith("reviewableStatus", string(lti.Submitted))}},
	{Name: "sends-unknown-status", Proves: "sr-tool-publishes-valid-submission-review", Does: "makes a line item with a reviewableStatus of its own", Effects: []fault.Effect{makesReviewWith("reviewableStatus", []string{string(lti.Submitted), "Late"})}},
	{Name: "sends-relative-review-url", Proves: "sr-tool-publishes-valid-submission-review", Does: "makes a line item whose review has a relative URL", Effects: []fault.Effect{makesReviewWith("url", part.LaunchPath)}},
	{Name: "sends-numbers-in-custom", Proves: "sr-tool-publishes-valid-submission-review", Does: "makes a line item whose review has a number in custom", Effects: []fault.Effect{makesReviewWith("custom", map[string]any{"action": "review", "version": 2})}},
	{Name: "drops-review", Proves: "sr-tool-publishes-valid-submission-review", Does: "puts a line item back without submissionReview", Effects: []fault.Effect{putsReviewWith(dropsReview)}},
	{Name: "drops-reviewable-status", Proves: "sr-tool-publishes-valid-submission-review", Does: "puts a line item back without reviewableStatus", Effects: []fault.Effect{putsReviewWith(dropsReviewableStatus)}},
	{Name: "writes-review-anew", Proves: "sr-tool-publishes-valid-submission-review", Does: "puts a line item back with a submissionReview of its own", Effects: []fault.Effect{putsReviewWith(writesReviewAnew)}},
	{Name: "offers-no-way-back", Proves: "sr-tool-returns", Does: "shows no way back to the gradebook", Effects: []fault.Effect{reviewShows(func(s *reviewShowing) { s.page.Reviewer.Exit = "" })}},
	{Name: "loses-way-back-of-review", Proves: "sr-tool-returns", Does: "shows a button for the way back to the gradebook that leads to 500", Effects: []fault.Effect{reviewShows(losesWayBackOfReview), part.Leaves.Take(true, nil)}},
	{Name: "reviews-with-button", Permitted: true, Does: "shows a button that leads back to the gradebook by way of the tool", Effects: []fault.Effect{reviewShows(leadsBackByForm), part.Leaves.Take(true, nil)}},
	{Name: "crashes-without-way-back", Proves: "sr-tool-returns", Does: "answers a review without return_url with 500", Effects: crashesOnReview(func(s reviewShowing) bool { return s.review.ReturnURL == "" })},
	{Name: "shows-learner-unescaped", Proves: "sr-tool-escapes-for-user", Does: "shows the learner's name as it came", Effects: []fault.Effect{reviewShows(showsLearnerUnescaped)}},
	{Name: "shows-custom-unescaped", Proves: "sr-tool-escapes-for-user", Does: "shows the values of custom as they came", Effects: []fault.Effect{reviewShows(showsCustomUnescaped)}},
	{Name: "crashes-on-long-name", Proves: "sr-tool-escapes-for-user", Does: "answers a review of a learner whose name has more than 255 letters with 500", Effects: crashesOnReview(func(s reviewShowing) bool { return len(s.review.name) > maxName })},
	{Name: "crashes-on-right-to-left", Proves: "sr-tool-escapes-for-user", Does: "answers a review of a learner whose name is written from right to left with 500", Effects: crashesOnReview(namedRightToLeft)},
	{Name: "crashes-on-bad-review", Proves: "sr-tool-rejects-missing-for-user", Does: "answers every review whose message it refuses with 500", Effects: []fault.Effect{part.Judged.ChangeWhen(func(j part.Judgement) bool {
		return j.Err != nil && (j.As == lti.SubmissionReviewRequest || j.Has(lti.ClaimForUser))
	}, crashInstead)}},
	{Name: "omits-scoring-user", Permitted: true, Does: "posts grades without saying who gave them", Effects: []fault.Effect{gradesWith(func(grades.Scoring) map[string]any { return map[string]any{"scoringUserId": nil} })}},
	{Name: "refuses-assistants", Permitted: true, Does: "lets nobody review who has a sub-role of an instructor alone", Effects: []fault.Effect{showsWork.Take(false, func(l review) bool { return isAssistant(l) && !l.ofOwnWork() }), takesGrade.Take(false, isAssistant)}},
	{Name: "hides-unknown-learners", Permitted: true, Does: "answers a review of a learner who has handed in nothing with 404", Effects: []fault.Effect{reviewShows(hidesUnknownLearners)}},
	{Name: "tells-unknown-items-kindly", Permitted: true, Does: "answers a review of an unknown line item with 200, on a page that says so", Effects: []fault.Effect{itemHere.Answer(ofUnknownItem, func(_ reviewedWork, err error) error { return &part.Refusal{Status: http.StatusOK, Why: err.Error()} })}},
	{Name: "returns-bad-reviews", Permitted: true, Does: "sends the user back to the return URL where a genuine review is not complete", Effects: []fault.Effect{part.Judged.Change(returnsBadReviews)}},
	{Name: "omits-start", Permitted: true, Does: "posts when work was handed in, but not when it was begun", Effects: []fault.Effect{submitsWith(omitsStart)}},
	{Name: "offers-to-grade-nothing", Permitted: true, Does: "offers to grade a learner who has handed in nothing", Effects: []fault.Effect{reviewShows(offersToGradeNothing)}},
	{Name: "shows-learner-id", Permitted: true, Does: "shows the learner's id beside the name", Effects: []fault.Effect{reviewShows(showsLearnerID)}},
}

func acceptsReviewsWithoutStateWhen(a part.Answering) bool {
	return a.As == lti.SubmissionReviewRequest && !a.Known && !a.HasState
}

func ignoresStateOfReviewsWhen(a part.Answering) bool {
	return a.As == lti.SubmissionReviewRequest && a.Known
}

func goByNonce(a part.Answering) part.Answering {
	a.ByNonce = true
	return a
}

func crashInstead(j part.Judgement) part.Judgement {
	j.Err = part.Crash{}
	return j
}

func returnsBadReviews(j part.Judgement) part.Judgement {
	if j.Err != nil && j.Genuine && j.As == lti.SubmissionReviewRequest {
		j.Return = j.ReturnURL()
	}
	return j
}

// showsWorkInLaunch heeds for_user in a launch of a resource link.
func showsWorkInLaunch(p part.Page) part.Page {
	learner, _ := p.Of.Claims.Object(lti.ClaimForUser)["user_id"].(string)
	book := grades.Offered(p.Of)
	if learner == "" || book == nil {
		return p
	}
	if one, found := grades.Of(p.Core).LastWork(grades.Work{Of: book.Of, LineItem: book.LineItem, Sub: learner}.SameAs); found {
		p.Texts = append(p.Texts, one.Text)
	}
	return p
}

// otherTypes are those of the other messages that a tool gets.
var otherTypes = []string{lti.ResourceLinkRequest, lti.StartProctoring, lti.EndAssessment}

func knowsReviewsByForUser(t part.Typed) part.Typed {
	if t.Has(lti.ClaimForUser) && !slices.Contains(otherTypes, t.As) {
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
	l.ok = l.ok || !l.claims.Has(lti.ClaimForUser)
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
	if text, _ := l.claims.Text(lti.ClaimForUser); text != "" {
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
	if reviewer, _ := l.claims.Text("sub"); reviewer != "" && !l.ok {
		l.id, l.ok = reviewer, true
	}
	return l
}

func opensFormWithoutLearner(l learnerSaid) learnerSaid {
	l.ok = true
	return l
}

func acceptsMissingLineItem(q *part.Message) bool {
	endpoint := q.Object(lti.ClaimAGS)
	_, present := endpoint["lineitem"]
	return endpoint != nil && !present
}

func acceptsPathAsLineItem(q *part.Message) bool {
	item, _ := q.Object(lti.ClaimAGS)["lineitem"].(string)
	return item != ""
}

func needsNameOfLearner(q *part.Message) bool {
	return slices.ContainsFunc([]string{"name", "given_name", "family_name"}, func(name string) bool { return q.Object(lti.ClaimForUser)[name] != nil })
}

func needsRolesOfLearner(q *part.Message) bool {
	roles, given := q.Object(lti.ClaimForUser)["roles"]
	return !given || len(part.Texts(roles)) > 0
}

func needsLearnersRoles(q *part.Message) bool {
	_, given := q.Object(lti.ClaimForUser)["roles"]
	return given
}

func refusesMembersOfForUser(q *part.Message) bool {
	return !slices.ContainsFunc(slices.Collect(maps.Keys(q.Object(lti.ClaimForUser))), func(name string) bool { return strings.Contains(name, "://") })
}

func findsActivityByLink(v reviewedWork) error {
	if grades.PlaceOf(v.review.Launch).Link == "" {
		return errNotHere
	}
	return nil
}

func offersToGradeNothing(s *reviewShowing) {
	if !s.handedIn {
		s.page.Grade = s.t.gradeForm(s.review)
	}
}

func ofLearnersVisit(s reviewShowing) bool {
	return s.handedIn && s.review.ofOwnWork() && !s.review.Teacher
}

func ofOthersWork(o opening) bool { return !o.review.ofOwnWork() }

func ofOtherName(o opening) bool {
	return ofOthersWork(o) && o.review.name != o.review.Name
}

func opensReviewOfLogin(o opening) opening {
	o.review.Chapter = part.ChapterOf(o.message.Target)
	return o
}

func crashesWithoutScoreScope(l review) error {
	if !l.book.Offers(lti.ScopeScore) {
		return part.Crash{}
	}
	return nil
}

func losesWayBackOfReview(s *reviewShowing) {
	leadsBackByForm(s)
	s.page.Reviewer.Exit = ""
}

func hidesUnknownLearners(s *reviewShowing) {
	if !s.handedIn {
		s.status = http.StatusNotFound
	}
}

func showsLearnerID(s *reviewShowing) {
	if s.review.name != s.review.learner {
		s.page.LearnerID = s.review.learner
	}
}

func postsUnannouncedScore(g *grades.Gradebook) *grades.Gradebook {
	if g.Offers(lti.ScopeScore) {
		return g
	}
	return g.With(lti.ScopeScore)
}

func omitsStart(s grades.Scoring) map[string]any {
	submission, _ := s.Members["submission"].(map[string]any)
	return map[string]any{"submission": map[string]any{"submittedAt": submission["submittedAt"]}}
}

func dropsReview(p grades.Putting, _ map[string]json.RawMessage) {
	delete(p.Members, "submissionReview")
}

func dropsReviewableStatus(p grades.Putting, review map[string]json.RawMessage) {
	if _, given := review["reviewableStatus"]; given {
		delete(review, "reviewableStatus")
		p.Members["submissionReview"] = json.RawMessage(part.AsJSON(review))
	}
}

func writesReviewAnew(p grades.Putting, _ map[string]json.RawMessage) {
	p.Members["submissionReview"] = json.RawMessage(part.AsJSON(own(p.Core)))
}

// learner is what for_user says; nil where it is no object.
func (l learnerSaid) learner() map[string]any { return l.claims.Object(lti.ClaimForUser) }
