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

// changesToo returns what a fault changes beside a line item, and nothing to do without
// one.
func (p *Platform) changesToo(q *gradeRequest, made column) func() {
	was := q.column.item
	stamps := len(made.rows) > 0 && (made.item.ScoreMaximum != was.ScoreMaximum && p.has(StampsGradesOnChange) || made.item.Label != was.Label && p.has(StampsGradesOnRename))
	twins, stamp := p.twins(q, ChangesTwins), p.opts.Now().Add(-time.Second) // what is sent at once is later
	return func() {
		for _, r := range q.column.rows {
			if stamps {
				r.at = stamp
			}
		}
		for _, c := range twins {
			c.item.Label, c.item.ScoreMaximum = made.item.Label, made.item.ScoreMaximum
			c.members["label"], c.members["scoreMaximum"] = made.members["label"], made.members["scoreMaximum"]
		}
	}
}

// twins are the other line items with the same resourceId, for a fault; none without it.
func (p *Platform) twins(q *gradeRequest, fault string) []*column {
	own := q.column.item.ResourceID
	found := slices.DeleteFunc(slices.Clone(q.book.columns), func(c *column) bool { return c == q.column || c.item.ResourceID != own || own == "" })
	if len(found) == 0 || !p.has(fault) {
		return nil
	}
	return found
}

// revives gives a new line item the scores of one that was removed, for a fault.
func (p *Platform) revives(made *column) {
	for _, c := range made.book.removed {
		if len(c.rows) > 0 && c.item.Label == made.item.Label && p.has(RevivesResults) {
			made.rows = c.rows
		}
	}
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
