package grades

import (
	"encoding/json"
	"html"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// scoreDefects are the defects of scores and results (Assignment and Grade Services 2.0, 3.3
// and 3.4), and what is unusual, but allowed.
var scoreDefects = []fault.Fault{
	// Scores.
	{Name: "refuses-fractions-of-seconds", Proves: "ags-score-accept", Does: "refuses a score whose timestamp has a fraction of a second", Effects: []fault.Effect{refusesTimestamps(func(at string) bool { return strings.Contains(at, ".") })}},
	{Name: "refuses-scores-without-points", Proves: "ags-score-accept", Does: "refuses a score without scoreGiven", Effects: []fault.Effect{refusesScore("there is no scoreGiven", func(q *request) bool { return q.object["scoreGiven"] == nil })}},
	{Name: "refuses-long-comments", Proves: "ags-score-accept", Does: "refuses a score with a long comment", Effects: []fault.Effect{
		refusesScore("comment is too long", func(q *request) bool {
			const longest = 1000
			comment, _ := q.object["comment"].(string)
			return len(comment) > longest
		}),
	}},
	{Name: "refuses-score-extensions", Proves: "ags-score-accept", Does: "refuses a score with a member of a vendor", Effects: []fault.Effect{
		refusesScore("there is a member that is named by a URL", func(q *request) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(q.object)), func(name string) bool { return strings.Contains(name, "://") })
		}),
	}},
	{Name: "refuses-submissions", Proves: "ags-score-accept", Does: "refuses a score that says when the work was handed in", Effects: []fault.Effect{refusesScore("there is a submission", func(q *request) bool { return q.object["submission"] != nil })}},
	{Name: "refuses-large-scores", Proves: "ags-score-accept", Does: "refuses a score whose scoreMaximum is above 1000", Effects: []fault.Effect{
		refusesScore("scoreMaximum is too large", func(q *request) bool {
			most, is := numberOf(q.object["scoreMaximum"])
			return is && most > 1000
		}),
	}},
	{Name: "crashes-on-negative-zeros", Proves: "ags-score-accept", Does: "answers 500 to a score of -0", Effects: []fault.Effect{
		scoreRules.Add(func(q *request) error {
			if q.object["scoreGiven"] == json.Number("-0") {
				return &part.Failure
			}
			return nil
		}),
	}},
	{Name: "refuses-score-type-parameters", Proves: "ags-score-accept", Does: "refuses a score whose media type has parameters", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(toService(Scores), withParameters(1)))}},
	{Name: "compares-score-type-case", Proves: "ags-score-accept", Does: "refuses a score whose media type is in upper case", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(toService(Scores), inOtherCase))}},
	{Name: "takes-points-in-arrays", Proves: "ags-score-validation", Does: "takes scoreGiven in an array", Effects: []fault.Effect{takesMember("scoreGiven", firstOfArray)}},
	{Name: "takes-maximums-of-scores-as-text", Proves: "ags-score-validation", Does: "takes scoreMaximum of a score as text", Effects: []fault.Effect{takesMember("scoreMaximum", textAsNumber)}},
	{Name: "takes-maximums-of-scores-true", Proves: "ags-score-validation", Does: "takes the scoreMaximum true of a score for 1", Effects: []fault.Effect{takesMember("scoreMaximum", trueAsOne)}},
	{Name: "takes-users-in-arrays", Proves: "ags-score-validation", Does: "takes userId in an array", Effects: []fault.Effect{takesMember("userId", firstOfArray)}},
	{Name: "takes-progress-of-other-types", Proves: "ags-score-validation", Does: "takes activityProgress and gradingProgress that are no strings for Completed and FullyGraded", Effects: []fault.Effect{takesMember("activityProgress", noTextAs(lti.Completed)), takesMember("gradingProgress", noTextAs(lti.FullyGraded))}},
	{Name: "takes-scoring-user-numbers", Proves: "ags-score-validation", Does: "takes a number as scoringUserId", Effects: []fault.Effect{takesMember("scoringUserId", numberAsText)}},
	{Name: "takes-submissions-as-text", Proves: "ags-score-validation", Does: "takes a submission that is a string", Effects: []fault.Effect{
		takesMember("submission", func(value any) (any, bool) {
			_, isText := value.(string)
			return nil, isText
		}),
	}},
	{Name: "crashes-on-scores-of-other-types", Proves: "ags-score-validation", Does: "answers 500 to a score with an array or object where none belongs", Effects: []fault.Effect{
		crashesOnNested("userId", userIDGiven), crashesOnNested("activityProgress", activityProgressKnown),
		crashesOnNested("gradingProgress", gradingProgressKnown), crashesOnNested("scoreGiven", scoreGivenInRange),
	}},
	{Name: "answers-scores-with-200", Permitted: true, Does: "answers 200 to a score, with an object", Effects: []fault.Effect{
		answersRequests(toService(Scores), func(a *answeredRequest) {
			a.answer.status, a.answer.header, a.answer.body = http.StatusOK, http.Header{"Content-Type": {jsonMediaType}}, map[string]any{}
		}),
	}},
	{Name: "answers-scores-with-201", Permitted: true, Does: "answers 201 to a score", Effects: []fault.Effect{answersRequests(toService(Scores), func(a *answeredRequest) { a.answer.status = http.StatusCreated })}},
	{Name: "answers-scores-with-202", Permitted: true, Does: "answers 202 to a score", Effects: []fault.Effect{answersRequests(toService(Scores), func(a *answeredRequest) { a.answer.status = http.StatusAccepted })}},
	{Name: "takes-scores-without-user", Proves: "ags-score-validation", Does: "answers 204 to a score without userId", Effects: []fault.Effect{
		pretendsToScore(func(q *request) bool {
			_, sent := q.object["userId"]
			return q.object != nil && !sent
		}),
	}},
	{Name: "takes-scores-without-timestamp", Proves: "ags-score-validation", Does: "takes a score without timestamp", Effects: takesUndated(func(value any) bool {
		_, isText := value.(string)
		return !isText
	})},
	{Name: "takes-scores-without-activity", Proves: "ags-score-validation", Does: "takes a score without activityProgress", Effects: []fault.Effect{
		takesMember("activityProgress", func(value any) (any, bool) {
			_, isText := value.(string)
			return string(lti.Completed), !isText
		}),
	}},
	{Name: "takes-scores-without-grading", Proves: "ags-score-validation", Does: "takes a score without gradingProgress", Effects: []fault.Effect{
		takesMember("gradingProgress", func(value any) (any, bool) {
			_, isText := value.(string)
			return string(lti.FullyGraded), !isText
		}),
	}},
	{Name: "takes-scores-without-maximum", Proves: "ags-score-validation", Does: "takes a score without scoreMaximum", Effects: []fault.Effect{
		readsScore(func(_ *request, object map[string]any) {
			_, given := numberOf(object["scoreGiven"])
			if _, most := numberOf(object["scoreMaximum"]); given && !most {
				object["scoreMaximum"] = json.Number("100")
			}
		}),
	}},
	{Name: "takes-negative-scores", Proves: "ags-score-validation", Does: "takes a score below 0", Effects: []fault.Effect{
		takesMember("scoreGiven", func(value any) (any, bool) {
			points, is := numberOf(value)
			return json.Number("0"), is && points < 0
		}),
	}},
	{Name: "takes-scores-of-zero", Proves: "ags-score-validation", Does: "takes a score whose scoreMaximum is 0", Effects: []fault.Effect{
		takesMember("scoreMaximum", func(value any) (any, bool) {
			most, is := numberOf(value)
			return json.Number("100"), is && most == 0
		}),
	}},
	{Name: "takes-unknown-activities", Proves: "ags-score-validation", Does: "takes a score with an unknown activityProgress", Effects: []fault.Effect{
		takesMember("activityProgress", func(value any) (any, bool) {
			activity, isText := value.(string)
			return string(lti.Completed), isText && !slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(activity))
		}),
	}},
	{Name: "ignores-case-of-grading", Proves: "ags-score-validation", Does: "ignores the case of gradingProgress", Effects: []fault.Effect{
		takesMember("gradingProgress", func(value any) (any, bool) {
			grading, _ := value.(string)
			for _, progress := range lti.GradingProgresses {
				if strings.EqualFold(grading, string(progress)) {
					return string(progress), true
				}
			}
			return nil, false
		}),
	}},
	{Name: "takes-timestamp-words", Proves: "ags-score-validation", Does: "takes a score whose timestamp is a word", Effects: takesUndated(func(value any) bool {
		text, isText := value.(string)
		_, err := time.Parse(time.RFC3339, text)
		return isText && err != nil
	})},
	{Name: "takes-score-arrays", Proves: "ags-score-validation", Does: "answers 204 to a score that is an array", Effects: []fault.Effect{pretendsToScore(func(q *request) bool { return q.object == nil && q.isArray() })}},
	{Name: "crashes-on-malformed-scores", Proves: "ags-score-validation", Does: "answers 500 to a score that is no JSON", Effects: []fault.Effect{refusesRequests(http.StatusBadRequest, and(toService(Scores), (*request).isBroken), crashed)}},
	{Name: "says-unprocessable-scores", Permitted: true, Does: "answers 422 instead of 400 to a score that is none", Effects: []fault.Effect{refusesRequests(http.StatusBadRequest, toService(Scores), asStatus(http.StatusUnprocessableEntity))}},
	{Name: "needs-three-digits", Proves: "ags-score-accept", Does: "refuses a timestamp whose fraction has not three digits", Effects: []fault.Effect{refusesTimestamps(func(at string) bool { return len(fractionOfSecond.FindString(at)) != len(".000") })}},
	{Name: "needs-timestamps-in-utc", Proves: "ags-score-accept", Does: "refuses a timestamp with an offset other than 0", Effects: []fault.Effect{
		refusesTimestamps(func(text string) bool {
			at, _ := time.Parse(time.RFC3339, text) // it is one
			_, offset := at.Zone()
			return offset != 0
		}),
	}},
	{Name: "needs-the-letter-z", Proves: "ags-score-accept", Does: "refuses a timestamp whose zone is not the letter Z", Effects: []fault.Effect{refusesTimestamps(func(at string) bool { return !strings.HasSuffix(at, "Z") })}},
	{Name: "takes-points-as-text", Proves: "ags-score-validation", Does: "takes scoreGiven as text", Effects: []fault.Effect{takesMember("scoreGiven", textAsNumber)}},
	{Name: "takes-points-true", Proves: "ags-score-validation", Does: "takes true for one point", Effects: []fault.Effect{takesMember("scoreGiven", trueAsOne)}},
	{Name: "takes-comment-numbers", Proves: "ags-score-validation", Does: "takes a number as comment", Effects: []fault.Effect{takesMember("comment", numberAsText)}},
	{Name: "takes-timestamp-numbers", Proves: "ags-score-validation", Does: "takes a number as timestamp", Effects: takesUndated(func(value any) bool {
		_, isNumber := value.(json.Number)
		return isNumber
	})},
	{Name: "takes-earlier-scores", Proves: "ags-score-timestamp-order", Does: "takes a score that is earlier than the last one", Effects: []fault.Effect{scoreLater.Lift(isEarlier)}},
	{Name: "waits-for-lower-scores", Proves: "ags-score-timestamp-order", Does: "takes a lower score only when it is later by a minute", Effects: []fault.Effect{
		refusesRecord(notLater, func(r recordedScore) bool {
			return isLater(r) && r.score.at.Sub(r.current.at) < time.Minute && lower(r.score.Score, r.current.score)
		}),
	}},
	{Name: "keeps-whole-seconds-of-scores", Proves: "ags-score-timestamp-order", Does: "keeps whole seconds of scores' times, and answers 409 to a score that is not later", Effects: []fault.Effect{
		refusesRecord(notLater, func(r recordedScore) bool {
			return isLater(r) && !r.score.at.Truncate(time.Second).After(r.current.at.Truncate(time.Second))
		}),
	}},
	{Name: "refuses-scores-of-the-future", Permitted: true, Does: "answers 400 to a score whose time is still to come", Effects: []fault.Effect{refusesRecord(noScore, func(r recordedScore) bool { return r.score.at.After(r.books.core.Now()) })}},
	{Name: "takes-scores-of-same-instant", Permitted: true, Does: "takes a score with the timestamp of the last one", Effects: []fault.Effect{scoreLater.Lift(func(r recordedScore) bool { return r.score.at.Equal(r.current.at) })}},
	{Name: "ignores-earlier-scores", Permitted: true, Does: "answers 204 to an earlier score, and keeps the later one", Effects: []fault.Effect{scoreLater.Lift(isEarlier), scoreCounts.Take(false, isEarlier)}},
	{Name: "says-bad-request-for-earlier-scores", Permitted: true, Does: "answers 400 to an earlier score", Effects: []fault.Effect{scoreLater.Answer(isEarlier, func(_ recordedScore, err error) error { return part.InvalidRequest("%s", err) })}},
	{Name: "refuses-old-scores", Proves: "ags-score-own-time", Does: "refuses a score that was set more than half an hour ago", Effects: []fault.Effect{refusesRecord(noScore, isOlder(30*time.Minute))}},
	{Name: "refuses-old-scores-of-links", Proves: "ags-score-own-time", Does: "refuses a score that was set before the launch, at a line item of a link", Effects: []fault.Effect{refusesRecord(noScore, and(isOlder(15*time.Minute), func(r recordedScore) bool { return r.column.item.ResourceLinkID != "" }))}},
	{Name: "scales-to-first-maximum", Proves: "ags-score-scaling", Does: "scales scores to the maximum that a line item had at first", Effects: []fault.Effect{
		scales(func(s scaledPoints) float64 {
			if s.first > 0 {
				return *s.score.ScoreGiven / *s.score.ScoreMaximum * s.first
			}
			return s.points
		}),
	}},
	{Name: "scores-the-class", Proves: "ags-score-touches-nobody-else", Does: "records a score for every learner of the line item who has one", Effects: []fault.Effect{
		scoresToo(func(r recordedScore) (others []*row) {
			for _, other := range r.column.rows {
				if other.sub != r.score.UserID {
					others = append(others, other)
				}
			}
			return others
		}),
	}},
	{Name: "scores-twins", Proves: "ags-score-touches-nobody-else", Does: "records a score at every line item with the same resourceId", Effects: []fault.Effect{
		scoresToo(func(r recordedScore) (others []*row) {
			for _, c := range r.twins() {
				if other := c.row(r.score.UserID); other != nil {
					others = append(others, other)
				}
			}
			return others
		}),
	}},
	{Name: "shows-dash-for-zero", Proves: "ags-gradebook-shows-points", Does: "shows a dash in the gradebook for a grade of 0", Effects: []fault.Effect{showsPoints(func(s Shown) (string, bool) { return "–", s.Grade.Final && *s.Grade.Points == 0 })}},
	{Name: "shows-tick-for-points", Proves: "ags-gradebook-shows-points", Does: "shows a tick in the gradebook for the points of a grade", Effects: []fault.Effect{showsPoints(func(s Shown) (string, bool) { return "✓", s.Grade.Final && *s.Grade.Points > 0 })}},
	{Name: "shows-percents", Permitted: true, Does: "shows points in the gradebook as parts of a hundred", Effects: []fault.Effect{
		showsPoints(func(s Shown) (string, bool) {
			if !s.Grade.Final || s.Item.ScoreMaximum == 100 {
				return "", false
			}
			return Number(*s.Grade.Points/s.Item.ScoreMaximum*100) + " %", true
		}),
	}},
	{Name: "shows-zero-for-none", Proves: "ags-gradebook-shows-points", Does: "shows 0 in the gradebook where there is no grade", Effects: []fault.Effect{
		showsPoints(func(s Shown) (string, bool) {
			return "0", !s.Grade.Final && s.Grade.Progress != "" && s.Grade.Points == nil
		}),
	}},
	{Name: "does-not-scale", Proves: "ags-score-scaling", Does: "takes scoreGiven for points of the line item", Effects: []fault.Effect{
		scales(func(s scaledPoints) float64 {
			if *s.score.ScoreMaximum != s.most {
				return *s.score.ScoreGiven
			}
			return s.points
		}),
	}},
	{Name: "rounds-points", Proves: "ags-score-scaling", Does: "rounds points", Effects: []fault.Effect{scales(func(s scaledPoints) float64 { return math.Round(s.points) })}},
	{Name: "blanks-zeros", Proves: "ags-score-scaling", Does: "takes 0 points for none", Effects: []fault.Effect{
		keepsScore(func(k *keptScore) {
			if k.score.ScoreGiven != nil && *k.score.ScoreGiven == 0 {
				k.score.ScoreGiven, k.score.ScoreMaximum = nil, nil
			}
		}),
	}},
	{Name: "refuses-bonus", Proves: "ags-score-above-maximum", Does: "refuses a score above its maximum", Effects: []fault.Effect{refusesRecord(noScore, hasBonus)}},
	{Name: "drops-bonus", Proves: "ags-score-above-maximum", Does: "answers 204 to a score above its maximum, and keeps the one before", Effects: []fault.Effect{scoreCounts.Take(false, hasBonus)}},
	{Name: "caps-bonus", Permitted: true, Does: "takes a score above its maximum for the maximum", Effects: []fault.Effect{
		readsScore(func(_ *request, object map[string]any) {
			points, given := numberOf(object["scoreGiven"])
			if most, is := numberOf(object["scoreMaximum"]); given && is && points > most {
				object["scoreGiven"] = object["scoreMaximum"]
			}
		}),
	}},
	{Name: "keeps-scores-taken-back", Proves: "ags-score-absent-clears", Does: "keeps the points when a later score has none", Effects: []fault.Effect{
		keepsScore(func(k *keptScore) {
			if k.score.ScoreGiven == nil && k.current != nil && k.current.score.ScoreGiven != nil {
				was := k.current.score
				k.score.ScoreGiven, k.score.ScoreMaximum, k.score.GradingProgress = was.ScoreGiven, was.ScoreMaximum, was.GradingProgress
			}
		}),
	}},
	{Name: "shows-pending", Proves: "ags-score-grading-progress", Does: "takes points that are Pending for final", Effects: []fault.Effect{takesForGrade(lti.Pending)}},
	{Name: "shows-pending-manual", Proves: "ags-score-grading-progress", Does: "takes points that are PendingManual for final", Effects: []fault.Effect{takesForGrade(lti.PendingManual)}},
	{Name: "shows-failed", Proves: "ags-score-grading-progress", Does: "takes points whose grading has Failed for final", Effects: []fault.Effect{takesForGrade(lti.GradingFailed)}},
	{Name: "shows-not-ready", Proves: "ags-score-grading-progress", Does: "takes points that are NotReady for final", Effects: []fault.Effect{takesForGrade(lti.NotReady)}},
	{Name: "keeps-not-ready", Proves: "ags-score-grading-progress", Does: "takes no points for final once they were NotReady", Effects: []fault.Effect{
		keepsScore(func(k *keptScore) {
			if k.current != nil && k.current.score.GradingProgress == lti.NotReady && k.score.GradingProgress == lti.FullyGraded {
				k.score.GradingProgress = lti.NotReady
			}
		}),
	}},
	{Name: "refuses-failed", Proves: "ags-score-grading-progress", Does: "refuses a score whose grading has Failed", Effects: []fault.Effect{refusesRecord(noScore, func(r recordedScore) bool { return r.score.GradingProgress == lti.GradingFailed })}},
	{Name: "grades-strangers", Proves: "ags-score-unknown-user", Does: "takes the score of somebody unknown", Effects: []fault.Effect{userLearns.Lift(func(r recordedScore) bool { return !teaches(r) && !isElsewhere(r) })}},
	{Name: "grades-users-elsewhere", Proves: "ags-score-unknown-user", Does: "takes the score of a member of another context", Effects: []fault.Effect{userLearns.Lift(func(r recordedScore) bool { return !teaches(r) && isElsewhere(r) })}},
	{Name: "grades-teachers", Proves: "ags-score-unknown-user", Does: "takes the score of somebody who teaches", Effects: []fault.Effect{userLearns.Lift(teaches)}},
	{Name: "grades-nobody", Proves: "ags-score-unknown-user", Does: "takes a score whose userId is empty", Effects: []fault.Effect{pretendsToScore(func(q *request) bool { return q.object["userId"] == "" })}},

	// Results.
	{Name: "mixes-results", Proves: "ags-results-list", Does: "lists the results of all of the tool's line items", Effects: []fault.Effect{
		resultsFound.Change(func(f foundResults) foundResults {
			for _, c := range f.book.columns {
				for _, r := range c.rows {
					if c != f.column {
						f.found = slices.Insert(f.found, 0, entry{c, r})
					}
				}
			}
			return f
		}),
	}},
	{Name: "lists-earlier-scores", Proves: "ags-results-list", Does: "lists the score before the last one, too", Effects: []fault.Effect{
		scoresListed.Change(func(l listedScores) listedScores {
			if l.earlier != nil {
				l.scores = append([]lti.Score{*l.earlier}, l.scores...)
			}
			return l
		}),
	}},
	{Name: "keeps-one-result", Proves: "ags-results-list", Does: "lists the latest result of a line item alone", Effects: []fault.Effect{
		resultsFound.Change(func(f foundResults) foundResults {
			f.found = f.found[max(0, len(f.found)-1):]
			return f
		}),
	}},
	{Name: "leaves-score-of-out", Proves: "ags-results-list", Does: "lists results without scoreOf", Effects: []fault.Effect{tellsResult(func(t toldResult) { delete(t.members, "scoreOf") })}},
	{Name: "names-score-of-by-path", Proves: "ags-results-list", Does: "names the line item of a result by its path", Effects: []fault.Effect{tellsResult(func(t toldResult) { t.members["scoreOf"] = pathAlone(t.members["scoreOf"]) })}},
	{Name: "leaves-result-ids-out", Proves: "ags-results-list", Does: "lists results without id", Effects: []fault.Effect{tellsResult(func(t toldResult) { delete(t.members, "id") })}},
	{Name: "lists-results-as-json", Proves: "ags-results-list", Does: "lists results as application/json", Effects: []fault.Effect{answersRequests(toService(Results), asJSONType)}},
	{Name: "leaves-result-comments-out", Proves: "ags-results-comment", Does: "lists results without the comments of scores", Effects: []fault.Effect{tellsResult(func(t toldResult) { delete(t.members, "comment") })}},
	{Name: "keeps-first-comments", Proves: "ags-results-comment", Does: "keeps the comment of the first score when a later one has another", Effects: []fault.Effect{tellsComment(func(t toldResult, _ string) string { return t.comment })}},
	{Name: "adds-to-result-comments", Permitted: true, Does: "lists comments as markup", Effects: []fault.Effect{tellsComment(func(_ toldResult, comment string) string { return "<p>" + html.EscapeString(comment) + "</p>" })}},
	{Name: "leaves-result-maximum-out", Permitted: true, Does: "sends results as parts of 1, without resultMaximum", Effects: []fault.Effect{
		tellsResult(func(t toldResult) {
			score, scored := t.members["resultScore"].(float64)
			if maximum, _ := t.members["resultMaximum"].(float64); scored {
				t.members["resultScore"] = score / maximum
				delete(t.members, "resultMaximum")
			}
		}),
	}},
	{Name: "sends-null-result-scores", Permitted: true, Does: "sends null as the resultScore of who has none", Effects: []fault.Effect{
		tellsResult(func(t toldResult) {
			if _, scored := t.members["resultScore"]; !scored {
				t.members["resultScore"] = nil
			}
		}),
	}},
	{Name: "ignores-user-filter", Proves: "ags-results-filter-and-paging", Does: "does not look at user_id", Effects: []fault.Effect{resultWanted.Take(true, nil)}},
	{Name: "lists-all-results-for-unknown-users", Proves: "ags-results-filter-and-paging", Does: "lists the results of all where user_id names nobody", Effects: []fault.Effect{
		resultWanted.Take(true, func(w wantedResult) bool {
			_, known := w.book.users[w.URL.Query().Get(paramUserID)]
			return !known
		}),
	}},
	{Name: "hides-unknown-results", Proves: "ags-results-filter-and-paging", Does: "answers 404 for the result of a user who has none", Effects: []fault.Effect{
		answersRequests(toService(Results), func(a *answeredRequest) {
			if results, _ := a.answer.body.([]map[string]any); len(results) == 0 && a.URL.Query().Has(paramUserID) {
				a.answer.why = &part.Refusal{Status: http.StatusNotFound, Code: lti.ErrorInvalidRequest, Says: "the user has no result"}
			}
		}),
	}},
	{Name: "ignores-result-limit", Proves: "ags-results-filter-and-paging", Does: "sends more results at once than limit says", Effects: []fault.Effect{ignoresLimit(Results)}},
	{Name: "sends-no-next-result", Proves: "ags-results-filter-and-paging", Does: "does not say where the rest of the results is", Effects: []fault.Effect{addressesNext(Results, noNextPage)}},
	{Name: "forgets-user-with-limit", Proves: "ags-results-filter-and-paging", Does: "does not look at user_id where there is a limit", Effects: []fault.Effect{resultWanted.Take(true, func(w wantedResult) bool { return w.URL.Query().Has(paramLimit) })}},
}

// What follows says what faults of scores do, and of which they make a difference.

// showsPoints shows something else for points, where it says so.
func showsPoints(as func(Shown) (points string, is bool)) fault.Effect {
	return GradeShown.Change(func(s Shown) Shown {
		if points, is := as(s); is {
			s.Points = points
		}
		return s
	})
}

// readsScore changes what is read of a score that is a JSON object.
func readsScore(change func(q *request, object map[string]any)) fault.Effect {
	return scoreRead.Change(func(r readScore) readScore {
		change(r.request, r.object)
		return r
	})
}

// takesMember takes a member of a score for what it is not, where is says so.
func takesMember(name string, as func(value any) (taken any, is bool)) fault.Effect {
	return readsScore(func(_ *request, object map[string]any) {
		if taken, is := as(object[name]); is {
			object[name] = taken
		}
	})
}

func textAsNumber(value any) (any, bool) {
	text, is := value.(string)
	return json.Number(text), is
}

func numberAsText(value any) (any, bool) {
	number, is := value.(json.Number)
	return number.String(), is
}

func trueAsOne(value any) (any, bool) { return json.Number("1"), value == true }

func firstOfArray(value any) (any, bool) {
	if list, _ := value.([]any); len(list) == 1 {
		return list[0], true
	}
	return nil, false
}

// noTextAs takes what is no string for a text.
func noTextAs[T ~string](text T) func(any) (any, bool) {
	return func(value any) (any, bool) {
		_, isText := value.(string)
		return string(text), value != nil && !isText
	}
}

// numberOf reads a member that is a number.
func numberOf(value any) (float64, bool) {
	number, _ := value.(json.Number)
	n, err := number.Float64()
	return n, err == nil
}

// takesUndated takes a score, whose timestamp is none, at any time, and leaves the time of the
// learner's last one.
func takesUndated(isNone func(timestamp any) bool) []fault.Effect {
	undated := func(r recordedScore) bool { return isNone(jwt.Object(r.body)["timestamp"]) }
	return []fault.Effect{
		readsScore(func(q *request, object map[string]any) {
			if isNone(object["timestamp"]) {
				object["timestamp"] = q.books.core.Now().Format(time.RFC3339Nano)
			}
		}),
		scoreLater.Lift(undated),
		keepsScore(func(k *keptScore) {
			if k.current != nil && undated(k.recordedScore) {
				k.at = k.current.at
			}
		}),
	}
}

// refusesScore refuses a score that nothing else is wrong with.
func refusesScore(says string, when func(*request) bool) fault.Effect {
	return scoreRules.Add(func(q *request) error {
		if q.object != nil && when(q) {
			return part.InvalidRequest("%s", says)
		}
		return nil
	})
}

// pointsAre are the scores that have a number which is written like that.
func pointsAre(written func(number string) bool) func(*request) bool {
	return func(q *request) bool {
		given, _ := q.object["scoreGiven"].(json.Number)
		maximum, _ := q.object["scoreMaximum"].(json.Number)
		return written(given.String()) || written(maximum.String())
	}
}

// fractionOfSecond matches one, as times are written.
var fractionOfSecond = regexp.MustCompile(`\.\d+`)

// refusesTimestamps refuses a score whose timestamp is one, and written like that.
func refusesTimestamps(written func(at string) bool) fault.Effect {
	return refusesScore("timestamp is in no form that is known", func(q *request) bool {
		at, _ := q.object["timestamp"].(string)
		_, err := time.Parse(time.RFC3339, at)
		return err == nil && written(at)
	})
}

// crashesOnNested does not bear an array or an object for a member.
func crashesOnNested(name string, rule *fault.Rule[*request]) fault.Effect {
	return rule.Answer(func(q *request) bool {
		switch q.object[name].(type) {
		case []any, map[string]any:
			return true
		}
		return false
	}, func(*request, error) error { return &part.Failure })
}

// pretendsToScore answers a score that is none as if it were one.
func pretendsToScore(when func(*request) bool) fault.Effect {
	return requestRefused.Change(func(r refusedRequest) refusedRequest {
		if r.service == Scores && r.wrong[0].Status == http.StatusBadRequest && when(r.request) {
			r.wrong, r.answer = nil, response{status: http.StatusNoContent}
		}
		return r
	})
}

// refusesRecord refuses a score that the gradebook takes otherwise.
func refusesRecord(why error, when func(recordedScore) bool) fault.Effect {
	return recordRules.Add(func(r recordedScore) error {
		if when(r) {
			return why
		}
		return nil
	})
}

var noScore = part.Refuse(http.StatusBadRequest, lti.ErrorInvalidRequest, "this is no score that the gradebook takes")

// isEarlier and isLater are the scores that are so compared to the last one.
func isEarlier(r recordedScore) bool { return r.current != nil && r.score.at.Before(r.current.at) }
func isLater(r recordedScore) bool   { return r.current != nil && r.score.at.After(r.current.at) }

// isOlder are the scores that were set so long before they are sent.
func isOlder(than time.Duration) func(recordedScore) bool {
	return func(r recordedScore) bool { return r.books.core.Now().Sub(r.score.at) > than }
}

// lower says whether a score has fewer points of the same maximum than another, but
// some.
func lower(score, than lti.Score) bool {
	return score.ScoreGiven != nil && than.ScoreGiven != nil && *score.ScoreMaximum == *than.ScoreMaximum &&
		*score.ScoreGiven > 0 && *score.ScoreGiven < *than.ScoreGiven
}

func hasBonus(r recordedScore) bool {
	return r.score.ScoreGiven != nil && *r.score.ScoreGiven > *r.score.ScoreMaximum
}

// teaches are the scores of who is of the context, and does not learn there; isElsewhere
// those of who is known in any.
func teaches(r recordedScore) bool {
	_, is := r.people[r.score.UserID]
	return is
}

func isElsewhere(r recordedScore) bool {
	for _, book := range r.books.books {
		if _, known := book.users[r.score.UserID]; known {
			return true
		}
	}
	return false
}

// isGrade says whether a score has points that are the grade.
func isGrade(s lti.Score) bool { return s.ScoreGiven != nil && s.GradingProgress == lti.FullyGraded }

// keepsScore changes what is kept of a score.
func keepsScore(change func(*keptScore)) fault.Effect {
	return scoreKept.Change(func(k keptScore) keptScore {
		change(&k)
		return k
	})
}

// scoresToo gives others the points of a score, where there are any. It keeps them in the
// gradebook.
func scoresToo(others func(recordedScore) []*row) fault.Effect {
	return scoreRecorded.ChangeWhen(func(r recordedScore) bool { return len(others(r)) > 0 }, func(r recordedScore) recordedScore {
		for _, other := range others(r) {
			other.score.ScoreGiven, other.score.ScoreMaximum = r.score.ScoreGiven, r.score.ScoreMaximum
		}
		return r
	})
}

// scales makes other points of a score.
func scales(points func(scaledPoints) float64) fault.Effect {
	return pointsScaled.Change(func(s scaledPoints) scaledPoints {
		s.points = points(s)
		return s
	})
}

// takesForGrade takes points for the grade whose grading has come no farther.
func takesForGrade(progress lti.GradingProgress) fault.Effect {
	return pointsFinal.Take(true, func(s lti.Score) bool { return s.ScoreGiven != nil && s.GradingProgress == progress })
}

// tellsResult changes what is told of a learner.
func tellsResult(change func(toldResult)) fault.Effect {
	return resultTold.Change(func(t toldResult) toldResult {
		change(t)
		return t
	})
}

// tellsComment changes the comment of a result that has one.
func tellsComment(change func(t toldResult, comment string) string) fault.Effect {
	return tellsResult(func(t toldResult) {
		if comment, told := t.members["comment"].(string); told {
			t.members["comment"] = change(t, comment)
		}
	})
}
