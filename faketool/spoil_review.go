package faketool

import (
	"context"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"invigilator.example/lti"
)

// offersToGradeNothing are the faults of offering to grade where no work is shown.
func (t *Tool) offersToGradeNothing(l Launch) bool {
	return l.review.blank || t.has(OffersAnybodyToGrade) || t.has(OffersToGradeUnknownItem) || t.has(OffersToGradeNothing)
}

// spoilReview applies the faults of taking a review for what it is not.
func (t *Tool) spoilReview(l *Launch, c claims, begun *login) {
	item, _ := c.object(lti.ClaimAGS)["lineitem"].(string)
	l.review.blank = l.review.learner == "" && t.has(OpensFormWithoutLearner) || !isSecure(item) && t.has(OpensFormWithoutItem)
	if l.grades == nil {
		l.grades = &gradebook{of: l.platform}
		l.grades.of.deployment, _ = c.text(lti.ClaimDeploymentID)
	}
	if known := begun.registration.DeploymentIDs; len(known) > 0 && !slices.Contains(known, l.grades.of.deployment) {
		l.grades.of.deployment = known[0]
	}
	if l.grades.lineItem == "" { // a fault has let it pass
		l.grades.lineItem = t.lineItemAt(l.grades.of, l.place)
	}
	if u, err := url.Parse(begun.target); err == nil && u.Query().Get("chapter") != l.Chapter && t.has(OpensReviewOfLogin) {
		l.Chapter = u.Query().Get("chapter")
	}
	if l.review.learner == l.Sub {
		return
	}
	if l.review.name != l.Name && t.has(RenamesReviewer) {
		t.mu.Lock()
		t.renamed[t.userKey(c)] = l.review.name
		t.mu.Unlock()
	}
	if t.has(LogsInForUser) {
		learner := claims{members: maps.Clone(c.members)}
		learner.members["sub"] = l.review.learner
		account := t.number(t.users, t.userKey(learner))
		t.mu.Lock()
		t.users[t.userKey(c)] = account
		t.renamed[t.userKey(c)] = l.review.name
		t.mu.Unlock()
	}
}

// lineItemAt returns the line item that is known of a place; empty where none is.
func (t *Tool) lineItemAt(of client, at place) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.activities, func(a activity) bool { return a.of == of && a.place == at })
	if i < 0 {
		return ""
	}
	return t.activities[i].lineItem
}

// mayReview says whether a user may see everybody's work: teachers may.
func (t *Tool) mayReview(l Launch) bool {
	learns := slices.Contains(l.Roles, lti.RoleLearner)
	switch {
	case l.Teacher:
		return slices.Contains(l.Roles, lti.RoleInstructor) || slices.Contains(l.Roles, "Instructor") || !t.has(RefusesAssistants)
	case l.Sub == l.review.learner:
		return false
	default:
		return learns && t.has(LetsLearnersReview) || len(l.Roles) == 0 && t.has(LetsAnybodyReview) ||
			slices.Contains(l.review.roles, lti.RoleInstructor) && t.has(TakesRolesOfForUser)
	}
}

// mayGrade says whether a user may give points: who may see everybody's work.
func (t *Tool) mayGrade(l Launch) bool {
	return t.mayReview(l) || l.Sub == l.review.learner && t.has(LetsLearnersGrade)
}

// spoilPlace is what comes of a review of a line item that the tool does not know at
// that place: nothing, but for the faults. The tool's mutex is held.
func (t *Tool) spoilPlace(l Launch, known activity, isKnown bool) (work, bool, error) {
	wanted := work{of: l.grades.of, lineItem: l.grades.lineItem, sub: l.review.learner}
	inContext := place{context: l.place.context}.within(known.place)
	for _, spoil := range []struct {
		fault string
		when  bool
		opens func(work) bool
	}{
		{IgnoresPlaceOfItem, isKnown, wanted.sameAs},
		{IgnoresLinkOfItem, isKnown && inContext, wanted.sameAs},
		{KnowsLearnersAlone, !isKnown, func(w work) bool { return w.of == wanted.of && w.sub == wanted.sub }},
		{SharesItemsOfPlatforms, !isKnown, func(w work) bool { return w.lineItem == wanted.lineItem && w.sub == wanted.sub }},
	} {
		if one, found := t.lastWork(spoil.opens); found && spoil.when && t.has(spoil.fault) {
			return one, true, nil
		}
	}
	if !isKnown && t.has(CrashesOnUnknownItem) {
		return work{}, false, errCrash
	}
	if !isKnown && t.has(TellsUnknownItemsKindly) {
		return work{}, false, &refusal{http.StatusOK, errNotHere.why}
	}
	if t.has(OffersToGradeUnknownItem) {
		return work{}, false, nil
	}
	return work{}, false, errNotHere
}

// spoilChoice applies the faults of showing another work than the one that is asked
// for, while the tool's mutex is held.
func (t *Tool) spoilChoice(l Launch, one work, handedIn bool) (work, bool) {
	ofItem := func(w work) bool { return w.of == l.grades.of && w.lineItem == l.grades.lineItem }
	if l.review.learner == "" { // a fault has let it pass
		return t.lastWork(ofItem)
	}
	for _, spoil := range []struct {
		fault string
		when  bool
		opens func(work) bool
	}{
		{ShowsReviewersWork, handedIn, func(w work) bool { return ofItem(w) && w.sub == l.Sub }},
		{ShowsLastWork, handedIn, ofItem},
		{ShowsLearnersLastWork, handedIn, func(w work) bool { return w.of == one.of && w.sub == one.sub }},
		{ShowsAnyWorkInstead, !handedIn, ofItem},
	} {
		if other, found := t.lastWork(spoil.opens); found && other != one && spoil.when && t.has(spoil.fault) {
			return other, true
		}
	}
	return one, handedIn
}

// maxName is what some databases keep of a name.
const maxName = 255

// spoilReviewPage applies the faults of showing a work, and returns the status of
// the page.
func (t *Tool) spoilReviewPage(ctx context.Context, l Launch, one work, shown *reviewPage) (int, error) {
	name := l.review.name
	rightToLeft := func(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew) }
	switch {
	case l.ReturnURL == "" && t.has(CrashesWithoutWayBack),
		len(name) > maxName && t.has(CrashesOnLongName),
		strings.ContainsFunc(name, rightToLeft) && t.has(CrashesOnRightToLeft),
		!shown.HandedIn && t.has(CrashesOnUnknownLearner):
		return 0, errCrash
	}
	if l.ReturnURL != "" && t.has(OffersNoWayBack) {
		shown.Exit = ""
	}
	shown.Exit, shown.Leave = t.spoilExit(shown.Exit, ReviewsWithButton, LosesWayBackOfReview)
	if template.HTMLEscapeString(name) != name && t.has(ShowsLearnerUnescaped) {
		shown.Learner = template.HTML(name)
	}
	shown.Custom = slices.Clone(shown.Custom)
	for i, p := range shown.Custom {
		if value, _ := p.Value.(string); template.HTMLEscapeString(value) != value && t.has(ShowsCustomUnescaped) {
			shown.Custom[i].Value = template.HTML(value)
		}
	}
	if name != l.review.learner && t.has(ShowsLearnerID) {
		shown.LearnerID = l.review.learner
	}
	switch {
	case !shown.HandedIn:
		return t.spoilNothing(ctx, l)
	case l.Sub == l.review.learner && !l.Teacher && t.has(ScoresLearnersVisit):
		_ = t.postScore(ctx, l.grades, one, lti.Score{ActivityProgress: lti.Completed, GradingProgress: lti.Pending})
	}
	shown.Others = t.otherWorks(one)
	return http.StatusOK, nil
}

// spoilExit makes of the link that leads back a form that leads there by way of the tool,
// where it has one of two faults; with the second the tool does not know where to any more.
func (t *Tool) spoilExit(exit, button, loses string) (to, leave string) {
	switch {
	case exit == "":
		return "", ""
	case t.has(loses):
		return "", t.opts.URL + leavePath
	case t.has(button):
		return exit, t.opts.URL + leavePath
	}
	return exit, ""
}

// spoilNothing applies the faults of a review where nothing was handed in, and
// returns the status of the page.
func (t *Tool) spoilNothing(ctx context.Context, l Launch) (int, error) {
	if t.has(BeginsWorkOfUnknown) {
		begun := work{of: l.grades.of, lineItem: l.grades.lineItem, sub: l.review.learner, scores: &scoreClock{}}
		_ = t.postScore(ctx, l.grades, begun, lti.Score{ActivityProgress: lti.Initialized, GradingProgress: lti.NotReady})
	}
	if t.has(HidesUnknownLearners) {
		return http.StatusNotFound, nil
	}
	return http.StatusOK, nil
}

// otherWorks is the fault of showing the others' works, too.
func (t *Tool) otherWorks(one work) (texts []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.works {
		if other.of == one.of && other.lineItem == one.lineItem && other.sub != one.sub && t.has(ShowsAllWorks) {
			texts = append(texts, other.text)
		}
	}
	return texts
}

// workInLaunch is the fault of heeding for_user in a launch of a resource link:
// empty without it.
func (t *Tool) workInLaunch(l Launch) string {
	if l.forUser == "" || l.review != nil || l.grades == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	one, found := t.lastWork(work{of: l.grades.of, lineItem: l.grades.lineItem, sub: l.forUser}.sameAs)
	if !found {
		return ""
	}
	return one.text
}

// spoilItemReview applies the faults of what a new line item says of its reviews.
func (t *Tool) spoilItemReview(item map[string]any) {
	review, _ := item["submissionReview"].(map[string]any)
	with := func(name string, value any) map[string]any {
		changed := maps.Clone(review)
		changed[name] = value
		return map[string]any{"submissionReview": changed}
	}
	t.spoilMembers(item, []spoiltMembers{
		{SendsStatusAsText, with("reviewableStatus", string(lti.Submitted))},
		{SendsUnknownStatus, with("reviewableStatus", []string{string(lti.Submitted), "Late"})},
		{SendsRelativeReviewURL, with("url", LaunchPath)},
		{SendsNumbersInCustom, with("custom", map[string]any{"action": "review", "version": 2})},
	})
}

// spoilRenamedReview applies the faults of putting back what a line item says of its
// reviews.
func (t *Tool) spoilRenamedReview(item map[string]json.RawMessage) {
	var review map[string]json.RawMessage
	if json.Unmarshal(item["submissionReview"], &review) != nil || review == nil {
		return
	}
	if _, has := review["reviewableStatus"]; has && t.has(DropsReviewableStatus) {
		delete(review, "reviewableStatus")
		item["submissionReview"] = json.RawMessage(asJSON(review))
	}
	if t.has(WritesReviewAnew) {
		item["submissionReview"] = json.RawMessage(asJSON(t.ownReview()))
	}
	if t.has(DropsReview) {
		delete(item, "submissionReview")
	}
}

// spoiltMembers are what a fault makes of some members; nil takes one away.
type spoiltMembers struct {
	fault   string
	members map[string]any
}

// spoilMembers applies faults to the members of a body, one after the other.
func (t *Tool) spoilMembers(body map[string]any, spoils []spoiltMembers) {
	for _, spoil := range spoils {
		changed := maps.Clone(body)
		change(changed, spoil.members)
		if asJSON(changed) != asJSON(body) && t.has(spoil.fault) {
			change(body, spoil.members)
		}
	}
}

// spoilGrade applies the faults of a score that a reviewer gives.
func (t *Tool) spoilGrade(score map[string]any, now time.Time) {
	if score["scoreGiven"] == nil || score["scoringUserId"] == nil {
		return
	}
	t.spoilMembers(score, []spoiltMembers{
		{GradesReviewer, map[string]any{"userId": score["scoringUserId"]}},
		{NamesLearnerAsGrader, map[string]any{"scoringUserId": score["userId"]}},
		{OmitsScoringUser, map[string]any{"scoringUserId": nil}},
		{GradesInWholeSeconds, map[string]any{"timestamp": now.Format(wholeSeconds)}},
	})
}

// spoilSubmission applies the faults of the score of work that is handed in.
func (t *Tool) spoilSubmission(score map[string]any, now time.Time) {
	submission, _ := score["submission"].(map[string]any)
	if submission == nil {
		return
	}
	until := func(submitted time.Time, format string) map[string]any {
		return map[string]any{"submission": map[string]any{"startedAt": now.Format(format), "submittedAt": submitted.Format(format)}}
	}
	t.spoilMembers(score, []spoiltMembers{
		{StartsAfterSubmission, until(now.Add(-time.Minute), instant)},
		{SubmitsInFuture, until(now.Add(time.Hour), instant)},
		{SubmitsWithoutZone, until(now, withoutZone)},
		{SubmitsInWholeSeconds, until(now, wholeSeconds)},
		{OmitsStart, map[string]any{"submission": map[string]any{"submittedAt": submission["submittedAt"]}}},
		{SubmitsInProgress, map[string]any{"activityProgress": string(lti.InProgress)}},
		{ScoresWithReview, map[string]any{"submissionReview": t.ownReview()}},
		{OmitsSubmission, map[string]any{"submission": nil}},
	})
}
