package fakeplatform

import "invigilator.example/lti"

// spoilGrade changes what comes of a score for work that can be reviewed: it is refused,
// forgotten, or neither.
func (p *Platform) spoilGrade(q *gradeRequest, current *row, why *refusal, forgets bool) (*refusal, bool) {
	if q.column.item.SubmissionReview == nil || current == nil {
		return why, forgets
	}
	final := func(s lti.Score) bool { return s.ScoreGiven != nil && s.GradingProgress == lti.FullyGraded }
	switch {
	case why != nil && q.score.at.Before(current.at) && p.has(TakesEarlierGrades):
		return nil, false
	case why == nil && final(q.score.Score) && final(current.score) && p.has(KeepsFirstGrades):
		return nil, true
	}
	return why, forgets
}
