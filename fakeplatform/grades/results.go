package grades

import (
	"net/url"
	"slices"

	"invigilator.example/lti"
)

// An entry is what the gradebook holds of a learner at a line item.
type entry struct {
	*column
	*row
}

// listResults lists what the gradebook holds of the learners at a line item: who
// has no grade yet has a result without a score (Assignment and Grade Services 2.0,
// 3.3).
func (g *Gradebooks) listResults(q *request) response {
	var found []entry
	for _, r := range q.column.rows {
		found = append(found, entry{q.column, r})
	}
	found = resultsFound.Pass(g.carrier(), foundResults{q, found}).found
	found = slices.DeleteFunc(found, func(e entry) bool { return !resultWanted.Taken(g.carrier(), wantedResult{q, e.sub}) })
	entries, next, wrong := page(g, q, found, func(e entry) int { return e.row.number })
	results := []map[string]any{}
	for _, e := range entries {
		for _, score := range scoresListed.Pass(g.carrier(), listedScores{e.row, []lti.Score{e.score}}).scores {
			results = append(results, g.result(e, score))
		}
	}
	return q.container(results, next, wrong)
}

// result is what is told of a learner.
func (g *Gradebooks) result(e entry, score lti.Score) map[string]any {
	result := map[string]any{
		"id": e.id + "/results?" + url.Values{paramUserID: {e.sub}}.Encode(), "scoreOf": e.id, "userId": e.sub,
		"resultMaximum": e.item.ScoreMaximum,
	}
	if points := g.points(e.column, score); points != nil && g.final(score) {
		result["resultScore"] = *points
	}
	if score.Comment != "" {
		result["comment"] = score.Comment
	}
	if score.ScoringUserID != "" {
		result["scoringUserId"] = score.ScoringUserID
	}
	return resultTold.Pass(g.carrier(), toldResult{e, result}).members
}
