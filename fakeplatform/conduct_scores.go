package fakeplatform

import (
	"encoding/json"
	"html"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"invigilator.example/lti"
)

// The functions of this file apply the defects of scores and results. Without a defect
// they do nothing.

// amendScore makes of what a tool sends what a fault takes it for, and refuses what a
// fault does not bear.
func (p *Platform) amendScore(q *gradeRequest) refusals {
	var wrong refusals
	if q.object == nil {
		q.moot = q.isArray() && p.has(TakesScoreArrays)
		return nil
	}
	user, hasUser := q.object["userId"]
	q.moot = !hasUser && p.has(TakesScoresWithoutUser) || user == "" && p.has(GradesNobody)
	at, dated := q.object["timestamp"].(string)
	_, err := time.Parse(time.RFC3339, at)
	_, isNumber := q.object["timestamp"].(json.Number)
	if !dated && p.has(TakesScoresWithoutTimestamp) || isNumber && p.has(TakesTimestampNumbers) || dated && err != nil && p.has(TakesTimestampWords) {
		q.undated = true
		q.object["timestamp"] = p.opts.Now().Format(time.RFC3339Nano)
	}
	wrong = append(wrong, p.amendTypes(q.object)...)
	wrong = append(wrong, p.narrowPoints(q.object)...)
	p.amendProgress(q.object)
	p.amendPoints(q.object)
	if dated && err == nil {
		wrong = append(wrong, p.narrowTimestamp(at)...)
	}
	comment, _ := q.object["comment"].(string)
	extended := slices.ContainsFunc(slices.Collect(maps.Keys(q.object)), func(name string) bool { return strings.Contains(name, "://") })
	switch {
	case q.object["scoreGiven"] == nil && p.has(RefusesScoresWithoutPoints):
		wrong.bad("there is no scoreGiven")
	case len(comment) > longComment && p.has(RefusesLongComments):
		wrong.bad("comment is too long")
	case strings.Contains(at, ".") && p.has(RefusesFractions):
		wrong.bad("timestamp has a fraction of a second")
	case extended && p.has(RefusesScoreExtensions):
		wrong.bad("there is a member that is named by a URL")
	case q.object["submission"] != nil && p.has(RefusesSubmissions):
		wrong.bad("there is a submission")
	}
	return wrong
}

// amendTypes takes members of another JSON type for what they are not, and breaks down
// where a fault does.
func (p *Platform) amendTypes(object map[string]any) (wrong refusals) {
	for _, name := range []string{"scoreGiven", "userId", "activityProgress", "gradingProgress"} {
		_, isArray := object[name].([]any)
		_, isObject := object[name].(map[string]any)
		if (isArray || isObject) && p.has(CrashesOnScoresOfOtherTypes) {
			wrong = append(wrong, failure)
		}
	}
	first := func(value any) (any, bool) {
		list, _ := value.([]any)
		if len(list) != 1 {
			return nil, false
		}
		return list[0], true
	}
	for _, lax := range []struct {
		member, fault string
		takes         func(value any) (any, bool)
	}{
		{"scoreGiven", TakesPointsAsText, func(value any) (any, bool) { text, is := value.(string); return json.Number(text), is }},
		{"scoreGiven", TakesPointsTrue, func(value any) (any, bool) { return json.Number("1"), value == true }},
		{"scoreGiven", TakesPointsInArrays, first}, {"userId", TakesUsersInArrays, first},
		{"scoreMaximum", TakesMaximumsOfScoresAsText, func(value any) (any, bool) { text, is := value.(string); return json.Number(text), is }},
		{"scoreMaximum", TakesMaximumsOfScoresTrue, func(value any) (any, bool) { return json.Number("1"), value == true }},
		{"activityProgress", TakesProgressOfOtherTypes, func(value any) (any, bool) { return string(lti.Completed), noText(value) }},
		{"gradingProgress", TakesProgressOfOtherTypes, func(value any) (any, bool) { return string(lti.FullyGraded), noText(value) }},
		{"scoringUserId", TakesScoringUserNumbers, func(value any) (any, bool) { number, is := value.(json.Number); return number.String(), is }},
		{"submission", TakesSubmissionsAsText, func(value any) (any, bool) { _, is := value.(string); return nil, is }},
		{"comment", TakesCommentNumbers, func(value any) (any, bool) { number, is := value.(json.Number); return number.String(), is }},
	} {
		if value, is := lax.takes(object[lax.member]); is && p.has(lax.fault) {
			object[lax.member] = value
		}
	}
	return wrong
}

// noText says whether there is a value that is no string.
func noText(value any) bool {
	_, isText := value.(string)
	return value != nil && !isText
}

// narrowPoints refuses points that are written, or as many, as a fault does not take.
func (p *Platform) narrowPoints(object map[string]any) refusals {
	wrong := append(p.narrowNumber(object["scoreGiven"]), p.narrowNumber(object["scoreMaximum"])...)
	given, _ := object["scoreGiven"].(json.Number)
	maximum, _ := object["scoreMaximum"].(json.Number)
	if most, err := maximum.Float64(); err == nil && most > 1000 && p.has(RefusesLargeScores) {
		wrong.bad("scoreMaximum is too large")
	}
	if given.String() == "-0" && p.has(CrashesOnNegativeZeros) {
		wrong = append(wrong, failure)
	}
	return wrong
}

// fractionOfSecond matches one, as times are written.
var fractionOfSecond = regexp.MustCompile(`\.\d+`)

// narrowTimestamp refuses a timestamp that is one in a form that a fault does not take.
func (p *Platform) narrowTimestamp(at string) (wrong refusals) {
	_, offset := timeOf(at).Zone()
	if len(fractionOfSecond.FindString(at)) != len(".000") && p.has(NeedsThreeDigits) ||
		offset != 0 && p.has(NeedsTimestampsInUTC) || !strings.HasSuffix(at, "Z") && p.has(NeedsTheLetterZ) {
		wrong.bad("timestamp is in no form that is known")
	}
	return wrong
}

// timeOf reads a time that is one.
func timeOf(text string) time.Time {
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// longComment is the longest comment that a fault takes.
const longComment = 1000

func (p *Platform) amendProgress(object map[string]any) {
	activity, hasActivity := object["activityProgress"].(string)
	grading, hasGrading := object["gradingProgress"].(string)
	known := slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(activity))
	if !hasActivity && p.has(TakesScoresWithoutActivity) || hasActivity && !known && p.has(TakesUnknownActivities) {
		object["activityProgress"] = string(lti.Completed)
	}
	if !hasGrading && p.has(TakesScoresWithoutGrading) {
		object["gradingProgress"] = string(lti.FullyGraded)
	}
	for _, progress := range lti.GradingProgresses {
		if strings.EqualFold(grading, string(progress)) && grading != string(progress) && p.has(IgnoresCaseOfGrading) {
			object["gradingProgress"] = string(progress)
		}
	}
}

func (p *Platform) amendPoints(object map[string]any) {
	given, isNumber := object["scoreGiven"].(json.Number)
	points, _ := given.Float64()
	maximum, hasMaximum := object["scoreMaximum"].(json.Number)
	most, _ := maximum.Float64()
	if isNumber && points < 0 && p.has(TakesNegativeScores) {
		object["scoreGiven"] = json.Number("0")
	}
	if isNumber && !hasMaximum && p.has(TakesScoresWithoutMaximum) || hasMaximum && most == 0 && p.has(TakesScoresOfZero) {
		object["scoreMaximum"] = json.Number("100")
	}
	if isNumber && hasMaximum && points > most && p.has(CapsBonus) {
		object["scoreGiven"] = maximum
	}
}

// gradesStranger says whether a fault takes the score of somebody who does not learn in the
// context. It is called with the gradebooks locked.
func (p *Platform) gradesStranger(q *gradeRequest, sub string) bool {
	if _, teaches := q.people[sub]; teaches {
		return p.has(GradesTeachers)
	}
	for _, book := range p.grades.books {
		if _, known := book.users[sub]; known {
			return p.has(GradesUsersElsewhere)
		}
	}
	return p.has(GradesStrangers)
}

// tooEarly says why a score is not taken that is not later than the last one, and nil
// where a fault takes it. Without effect is one that a fault takes and forgets.
func (p *Platform) tooEarly(q *gradeRequest, current *row) (why *refusal, forgets bool) {
	at := q.score.at
	refused := &refusal{http.StatusConflict, lti.ErrorInvalidRequest, "timestamp is not later than that of the last score"}
	switch {
	case at.After(p.opts.Now()) && p.has(RefusesFutureScores):
		return &refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "timestamp is still to come"}, false
	case current == nil || q.undated:
		return nil, false
	case at.After(current.at):
		later := at.Sub(current.at)
		switch {
		case later < time.Minute && lower(q.score.Score, current.score) && p.has(WaitsForLowerScores),
			later < time.Second && !at.Truncate(time.Second).After(current.at.Truncate(time.Second)) && p.has(KeepsWholeSeconds):
			return refused, false
		}
		return nil, false
	case at.Equal(current.at):
		if p.has(TakesScoresOfSameInstant) {
			return nil, false
		}
	case p.has(TakesEarlierScores):
		return nil, false
	case p.has(IgnoresEarlierScores):
		return nil, true
	case p.has(SaysBadRequestForEarlier):
		refused.status = http.StatusBadRequest
	}
	return refused, false
}

// lower says whether a score has fewer points of the same maximum than another, but
// some.
func lower(score, than lti.Score) bool {
	return score.ScoreGiven != nil && than.ScoreGiven != nil && *score.ScoreMaximum == *than.ScoreMaximum &&
		*score.ScoreGiven > 0 && *score.ScoreGiven < *than.ScoreGiven
}

// spoilScore changes a score before it is kept, or refuses it, or forgets it.
func (p *Platform) spoilScore(score *lti.Score, current *row) (why *refusal, forgets bool) {
	bonus := score.ScoreGiven != nil && *score.ScoreGiven > *score.ScoreMaximum
	refused := &refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "this is no score"}
	switch {
	case bonus && p.has(RefusesBonus), score.GradingProgress == lti.GradingFailed && p.has(RefusesFailed):
		return refused, false
	case bonus && p.has(DropsBonus):
		return nil, true
	case current != nil && current.score.GradingProgress == lti.NotReady && score.GradingProgress == lti.FullyGraded && p.has(KeepsNotReady):
		score.GradingProgress = lti.NotReady
	case score.ScoreGiven != nil && *score.ScoreGiven == 0 && p.has(BlanksZeros):
		score.ScoreGiven, score.ScoreMaximum = nil, nil
	case score.ScoreGiven == nil && current != nil && current.score.ScoreGiven != nil && p.has(KeepsScoresTakenBack):
		was := current.score
		score.ScoreGiven, score.ScoreMaximum, score.GradingProgress = was.ScoreGiven, was.ScoreMaximum, was.GradingProgress
	}
	return nil, false
}

// spoilScoreAnswer answers a score that was taken in another way.
func (p *Platform) spoilScoreAnswer(answer *gradeAnswer) {
	switch {
	case p.has(AnswersScoresWith200):
		answer.status, answer.header, answer.body = http.StatusOK, http.Header{"Content-Type": {jsonMediaType}}, map[string]any{}
	case p.has(AnswersScoresWith201):
		answer.status = http.StatusCreated
	case p.has(AnswersScoresWith202):
		answer.status = http.StatusAccepted
	}
}

// spoilPoints reckons points as a fault does.
func (p *Platform) spoilPoints(score lti.Score, points float64, most float64) float64 {
	switch {
	case *score.ScoreMaximum != most && p.has(DoesNotScale):
		return *score.ScoreGiven
	case points != math.Round(points) && p.has(RoundsPoints):
		return math.Round(points)
	}
	return points
}

// finalToo are the faults that take points for final which are not.
var finalToo = map[lti.GradingProgress]string{
	lti.Pending: ShowsPending, lti.PendingManual: ShowsPendingManual, lti.GradingFailed: ShowsFailed, lti.NotReady: ShowsNotReady,
}

// spoilEntries changes whose results are listed. It is called with the gradebooks
// locked.
func (p *Platform) spoilEntries(q *gradeRequest, found []entry) []entry {
	for _, c := range q.book.columns {
		if c == q.column || len(c.rows) == 0 || !p.has(MixesResults) {
			continue
		}
		for _, r := range c.rows {
			found = slices.Insert(found, 0, entry{c, r})
		}
	}
	if len(found) > 1 && p.has(KeepsOneResult) {
		found = found[len(found)-1:]
	}
	return found
}

// filtersResult says whether a result is that of the user who is asked for.
func (p *Platform) filtersResult(q *gradeRequest, query url.Values, sub string) bool {
	if !query.Has(paramUserID) || query.Get(paramUserID) == sub {
		return true
	}
	_, known := q.book.users[query.Get(paramUserID)]
	return !known && p.has(ListsAllForStrangers) || p.has(IgnoresUserFilter) || query.Has(paramLimit) && p.has(ForgetsUserWithLimit)
}

// spoilResults changes a list of results.
func (p *Platform) spoilResults(q *gradeRequest, answer *gradeAnswer) {
	results, _ := answer.body.([]map[string]any)
	if len(results) == 0 && q.URL.Query().Has(paramUserID) && p.has(HidesUnknownResults) {
		answer.why = &refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "the user has no result"}
		return
	}
	if p.has(ListsResultsAsJSON) {
		answer.header.Set("Content-Type", jsonMediaType)
	}
	for _, result := range results {
		score, scored := result["resultScore"].(float64)
		maximum, _ := result["resultMaximum"].(float64)
		switch {
		case p.has(LeavesScoreOfOut):
			delete(result, "scoreOf")
		case p.has(NamesScoreOfByPath):
			result["scoreOf"] = pathAlone(result["scoreOf"])
		case p.has(LeavesResultIDsOut):
			delete(result, "id")
		case scored && p.has(LeavesResultMaximumOut):
			result["resultScore"] = score / maximum
			delete(result, "resultMaximum")
		case !scored && p.has(SendsNullResultScores):
			result["resultScore"] = nil
		}
	}
}

// earlierOf is the score before a learner's last one, where a fault lists it, too.
func (p *Platform) earlierOf(r *row) []lti.Score {
	if r.earlier == nil || !p.has(ListsEarlierScores) {
		return nil
	}
	return []lti.Score{*r.earlier}
}

// spoilComment changes the comment that a result has. The first one of the learner at the
// line item is kept for that.
func (p *Platform) spoilComment(r *row, comment string) string {
	switch {
	case comment == "":
	case p.has(LeavesResultCommentsOut):
		return ""
	case r.comment != comment && p.has(KeepsFirstComments):
		return r.comment
	case p.has(AddsToResultComments):
		return "<p>" + html.EscapeString(comment) + "</p>"
	}
	return comment
}

// narrowNumber refuses numbers in a form that a fault does not take.
func (p *Platform) narrowNumber(value any) (wrong refusals) {
	number, _ := value.(json.Number)
	if withExponent(number.String()) && p.has("reads-no-exponents") || withManyDigits(number.String()) && p.has("reads-few-digits") {
		wrong.bad(inNoForm)
	}
	return wrong
}
