package fakeplatform

import (
	"net/http"
	"slices"
	"time"

	"invigilator.example/lti"
)

// The functions of this file apply the defects of what follows from a request for other
// requests, and for other learners and line items. Without a defect they do nothing. They
// are called with the gradebooks locked.

// twins are the other line items with the same resourceId, for a fault; none without it.
func (p *Platform) twins(q *gradeRequest, fault string) []*column {
	own := q.column.item.ResourceID
	found := slices.DeleteFunc(slices.Clone(q.book.columns), func(c *column) bool { return c == q.column || c.item.ResourceID != own || own == "" })
	if len(found) == 0 || !p.has(fault) {
		return nil
	}
	return found
}

// How old a score may be that a fault takes, at any line item and at one of a link.
const (
	oldScore       = 30 * time.Minute
	oldScoreOfLink = 15 * time.Minute
)

// tooOld says why a fault does not take a score that was set before it was sent.
func (p *Platform) tooOld(q *gradeRequest) *refusal {
	refused := &refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "timestamp lies too far back"}
	switch ago := p.opts.Now().Sub(q.score.at); {
	case ago > oldScore && p.has(RefusesOldScores),
		ago > oldScoreOfLink && q.column.item.ResourceLinkID != "" && p.has(RefusesOldScoresOfLinks):
		return refused
	}
	return nil
}

// spills returns what a fault makes of other scores with one, and nothing to do without.
func (p *Platform) spills(q *gradeRequest) func() {
	var rows []*row
	for _, r := range q.column.rows {
		if r.sub != q.score.UserID {
			rows = append(rows, r)
		}
	}
	if len(rows) > 0 && !p.has(ScoresTheClass) {
		rows = nil
	}
	for _, c := range p.twins(q, ScoresTwins) {
		if r := c.row(q.score.UserID); r != nil {
			rows = append(rows, r)
		}
	}
	return func() {
		for _, r := range rows {
			r.score.ScoreGiven, r.score.ScoreMaximum = q.score.ScoreGiven, q.score.ScoreMaximum
		}
	}
}
