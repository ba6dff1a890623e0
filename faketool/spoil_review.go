package faketool

import (
	"encoding/json"
	"maps"
	"time"

	"invigilator.example/lti"
)

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
