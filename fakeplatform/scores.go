package fakeplatform

import (
	"cmp"
	"net/http"
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
	if q.object != nil {
		q.object = scoreRead.Pass(p.carrier, readScore{q, q.object}).object
	}
	m := members{object: q.object} // what is wrong with them is told by the rules
	q.score.Score = lti.Score{
		UserID: m.text("userId"), Timestamp: m.text("timestamp"), Comment: m.text("comment"), ScoringUserID: m.text("scoringUserId"),
		ActivityProgress: lti.ActivityProgress(m.text("activityProgress")), GradingProgress: lti.GradingProgress(m.text("gradingProgress")),
		ScoreGiven: m.number("scoreGiven"), ScoreMaximum: m.maximum("scoreMaximum"),
	}
	q.score.at, _ = m.date("timestamp")
	return refusalsOf(scoreRules.All(p.carrier, q))
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

// record takes a score of a learner that is later than the last one (Assignment and
// Grade Services 2.0, 3.4).
func (p *Platform) record(q *gradeRequest) gradeAnswer {
	r := recordedScore{q, q.column.row(q.score.UserID)}
	if wrong := refusalsOf([]error{recordRules.First(p.carrier, r)}); len(wrong) > 0 {
		return gradeAnswer{why: &wrong[0]}
	}
	answer := gradeAnswer{status: http.StatusNoContent}
	if scoreCounts.Taken(p.carrier, r) {
		kept := scoreKept.Pass(p.carrier, keptScore{r, q.score.Score, q.score.at})
		answer.effect = func() { p.keep(kept) }
	}
	return answer
}

// keep notes a score in the row of the learner.
func (p *Platform) keep(k keptScore) {
	r := k.current
	if r == nil {
		r = &row{sub: k.score.UserID, number: p.grades.number()}
		k.column.rows = append(k.column.rows, r)
	} else {
		earlier := r.score
		r.earlier = &earlier
	}
	r.score, r.at = k.score, k.at
	r.comment = cmp.Or(r.comment, k.score.Comment)
	scoreRecorded.Pass(p.carrier, k.recordedScore)
}
