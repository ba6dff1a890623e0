package fakeplatform

import (
	"net/url"
	"slices"
)

// listResults lists what the gradebook holds of the learners at a line item: who
// has no grade yet has a result without a score (Assignment and Grade Services 2.0,
// 3.3).
func (p *Platform) listResults(q *gradeRequest) gradeAnswer {
	query := q.URL.Query()
	found := slices.DeleteFunc(slices.Clone(q.column.rows), func(r *row) bool {
		return query.Has(paramUserID) && query.Get(paramUserID) != r.sub
	})
	rows, next, wrong := page(p, q, found, func(r *row) int { return r.number })
	results := []map[string]any{}
	for _, r := range rows {
		results = append(results, q.column.result(r))
	}
	return q.container(results, next, wrong)
}

// result is what is told of a learner.
func (c *column) result(r *row) map[string]any {
	result := map[string]any{
		"id": c.id + "/results?" + url.Values{paramUserID: {r.sub}}.Encode(), "scoreOf": c.id, "userId": r.sub,
		"resultMaximum": c.item.ScoreMaximum,
	}
	if points := c.points(r); points != nil && c.final(r) {
		result["resultScore"] = *points
	}
	if r.score.Comment != "" {
		result["comment"] = r.score.Comment
	}
	if r.score.ScoringUserID != "" {
		result["scoringUserId"] = r.score.ScoringUserID
	}
	return result
}
