package grades

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// A scoreDraft is a score that a tool has sent.
type scoreDraft struct {
	lti.Score
	at time.Time
}

// takeScore reads the score that a tool sends (Assignment and Grade Services 2.0,
// 3.4).
func (g *Gradebooks) takeScore(q *request) part.Refusals {
	if q.object != nil {
		q.object = scoreRead.Pass(g.carrier(), readScore{q, q.object}).object
	}
	m := members{object: q.object} // what is wrong with them is told by the rules
	q.score.Score = lti.Score{
		UserID: m.text("userId"), Timestamp: m.text("timestamp"), Comment: m.text("comment"), ScoringUserID: m.text("scoringUserId"),
		ActivityProgress: lti.ActivityProgress(m.text("activityProgress")), GradingProgress: lti.GradingProgress(m.text("gradingProgress")),
		ScoreGiven: m.number("scoreGiven"), ScoreMaximum: m.maximum("scoreMaximum"),
	}
	q.score.at, _ = m.date("timestamp")
	return part.RefusalsOf(scoreRules.All(g.carrier(), q)...)
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
func (g *Gradebooks) record(q *request) response {
	r := recordedScore{q, q.column.row(q.score.UserID)}
	if wrong := part.RefusalsOf(recordRules.First(g.carrier(), r)); len(wrong) > 0 {
		return response{why: &wrong[0]}
	}
	answer := response{status: http.StatusNoContent}
	if scoreCounts.Taken(g.carrier(), r) {
		kept := scoreKept.Pass(g.carrier(), keptScore{r, q.score.Score, q.score.at})
		answer.effect = func() { g.keep(kept) }
	}
	return answer
}

// keep notes a score in the row of the learner.
func (g *Gradebooks) keep(k keptScore) {
	r := k.current
	if r == nil {
		r = &row{sub: k.score.UserID, number: g.number()}
		k.column.rows = append(k.column.rows, r)
	} else {
		earlier := r.score
		r.earlier = &earlier
	}
	r.score, r.at = k.score, k.at
	r.comment = cmp.Or(r.comment, k.score.Comment)
	scoreRecorded.Pass(g.carrier(), k.recordedScore)
}
