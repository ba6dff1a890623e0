package fakeplatform

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/lti"
)

// A scoreDraft is a score that a tool has sent.
type scoreDraft struct {
	lti.Score
	at time.Time
}

// takeScore reads the score that a tool sends (Assignment and Grade Services 2.0,
// 3.4).
func (p *Platform) takeScore(q *gradeRequest) []refusal {
	wrong := p.amendScore(q)
	if q.moot {
		return nil
	}
	m := members{object: q.object, refusals: wrong}
	if q.object == nil {
		m.bad("the body is no JSON object of at most %d bytes", maxServiceBody)
		return m.refusals
	}
	s := &q.score
	s.Score = lti.Score{
		UserID: m.text("userId"), Timestamp: m.text("timestamp"), Comment: m.text("comment"), ScoringUserID: m.text("scoringUserId"),
		ActivityProgress: one(&m, "activityProgress", lti.ActivityProgresses), GradingProgress: one(&m, "gradingProgress", lti.GradingProgresses),
		ScoreGiven: m.number("scoreGiven"), ScoreMaximum: m.maximum("scoreMaximum"),
	}
	if s.UserID == "" {
		m.bad("userId is missing or empty")
	}
	var dated bool
	if s.at, dated = m.date("timestamp"); !dated && s.Timestamp == "" {
		m.bad("timestamp is missing")
	}
	if s.ScoreGiven != nil && *s.ScoreGiven < 0 {
		m.bad("scoreGiven is below 0")
	}
	if s.ScoreGiven != nil && s.ScoreMaximum == nil {
		m.bad("there is a scoreGiven without scoreMaximum")
	}
	if value := q.object["submission"]; value != nil {
		object, ok := value.(map[string]any)
		if !ok {
			m.bad("submission is no object")
		}
		submission := members{object: object}
		submission.date("startedAt")
		submission.date("submittedAt")
		m.refusals = append(m.refusals, submission.refusals...)
	}
	return m.refusals
}

// improprieties are what a tool should have sent otherwise, though the platform
// takes it.
func (s scoreDraft) improprieties(object map[string]any) []string {
	var found []string
	if s.Timestamp != "" && !strings.ContainsAny(s.Timestamp, ".,") {
		found = append(found, "timestamp has no fraction of a second")
	}
	if _, sent := object["submissionReview"]; sent {
		found = append(found, "a score has a submissionReview")
	}
	return found
}

// record takes a score of a member that is later than the last one of that
// learner (Assignment and Grade Services 2.0, 3.4).
func (p *Platform) record(q *gradeRequest) gradeAnswer {
	if q.moot {
		return gradeAnswer{status: http.StatusNoContent}
	}
	sub := q.score.UserID
	_, known := q.book.users[sub]
	if q.people != nil {
		known = slices.Contains(q.people[sub].Roles, lti.RoleLearner)
	}
	if !known && !p.gradesStranger(q, sub) {
		return gradeAnswer{why: &refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "userId is no learner of this context"}}
	}
	current := q.column.row(sub)
	why, forgets := p.tooEarly(q, current)
	if why == nil {
		why = p.tooOld(q)
	}
	if why == nil && !forgets {
		why, forgets = p.spoilScore(&q.score.Score, current)
	}
	why, forgets = p.spoilGrade(q, current, why, forgets)
	switch {
	case why != nil:
		return gradeAnswer{why: why}
	case forgets:
		return gradeAnswer{status: http.StatusNoContent}
	}
	spills := p.spills(q)
	return gradeAnswer{status: http.StatusNoContent, effect: func() {
		spills()
		if current == nil {
			current = &row{sub: sub, number: p.grades.number()}
			q.column.rows = append(q.column.rows, current)
		} else {
			earlier := current.score
			current.earlier = &earlier
			if q.undated {
				q.score.at = current.at
			}
		}
		current.score, current.at = q.score.Score, q.score.at
		current.comment = cmp.Or(current.comment, q.score.Comment)
	}}
}
