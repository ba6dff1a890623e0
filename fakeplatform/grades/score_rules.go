package grades

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What is checked of a score, in the order in which it is told (Assignment and Grade Services
// 2.0, 3.4): what it says, and then whether the gradebook takes it.
var (
	scoreRules = &fault.List[*request]{Name: "a score", Rules: []*fault.Rule[*request]{
		scoreReadable,
		userIDGiven, timestampGiven, activityProgressKnown, gradingProgressKnown,
		scoreGivenInRange, scoreMaximumAboveZero, scoreMaximumGiven,
		commentText, scoringUserText, submissionKnown,
	}}
	recordRules = &fault.List[recordedScore]{Name: "what the gradebook takes", Rules: []*fault.Rule[recordedScore]{userLearns, scoreLater}}
)

// What a score says (Assignment and Grade Services 2.0, 3.4.1 to 3.4.10). A member that is
// null is missing.
var (
	scoreReadable = &fault.Rule[*request]{Name: "the body is a JSON object", Broken: func(q *request) error {
		if q.object == nil {
			return part.InvalidRequest("the body is no JSON object of at most %d bytes", maxBody)
		}
		return nil
	}}
	userIDGiven = ofScore("userId is given", func(m *members) {
		if user := m.text("userId"); user == "" {
			m.bad("userId is missing or empty")
		}
	})
	timestampGiven = ofScore("timestamp is a date-time with zone", func(m *members) {
		if _, dated := m.date("timestamp"); !dated && len(m.Refusals) == 0 {
			m.bad("timestamp is missing")
		}
	})
	activityProgressKnown = ofScore("activityProgress is one that there is", func(m *members) { one(m, "activityProgress", lti.ActivityProgresses) })
	gradingProgressKnown  = ofScore("gradingProgress is one that there is", func(m *members) { one(m, "gradingProgress", lti.GradingProgresses) })
	scoreGivenInRange     = ofScore("scoreGiven is a number from 0 on", func(m *members) {
		if given := m.number("scoreGiven"); given != nil && *given < 0 {
			m.bad("scoreGiven is below 0")
		}
	})
	scoreMaximumAboveZero = ofScore("scoreMaximum is a number above 0", func(m *members) { m.maximum("scoreMaximum") })
	scoreMaximumGiven     = ofScore("scoreMaximum is given with scoreGiven", func(m *members) {
		if m.object["scoreGiven"] != nil && m.object["scoreMaximum"] == nil {
			m.bad("there is a scoreGiven without scoreMaximum")
		}
	})
	commentText     = ofScore("comment is a string", func(m *members) { m.text("comment") })
	scoringUserText = ofScore("scoringUserId is a string", func(m *members) { m.text("scoringUserId") })
	submissionKnown = ofScore("submission says when there was one", func(m *members) {
		value := m.object["submission"]
		if value == nil {
			return
		}
		object, is := value.(map[string]any)
		if !is {
			m.bad("submission is no object")
		}
		submission := members{object: object}
		submission.date("startedAt")
		submission.date("submittedAt")
		m.Refusals = append(m.Refusals, submission.Refusals...)
	})
)

// ofScore is a rule of the members of a score, where there is one.
func ofScore(name string, check func(*members)) *fault.Rule[*request] {
	return &fault.Rule[*request]{Name: name, Broken: func(q *request) error {
		if q.object == nil {
			return nil
		}
		m := &members{object: q.object}
		check(m)
		var broken []error
		for _, why := range m.Refusals {
			broken = append(broken, &why)
		}
		return errors.Join(broken...)
	}}
}

// A recordedScore is a score with the row of the learner; nil where none has come yet. The
// gradebooks are locked.
type recordedScore struct {
	*request
	current *row
}

// Whether the gradebook takes it (Assignment and Grade Services 2.0, 3.4).
var (
	userLearns = &fault.Rule[recordedScore]{Name: "userId is a learner of the context", Broken: func(r recordedScore) error {
		_, known := r.book.users[r.score.UserID]
		if r.people != nil {
			known = slices.Contains(r.people[r.score.UserID].Roles, lti.RoleLearner)
		}
		if !known {
			return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, "userId is no learner of this context")
		}
		return nil
	}}
	scoreLater = &fault.Rule[recordedScore]{Name: "timestamp is later than that of the last score", Broken: func(r recordedScore) error {
		if r.current != nil && !r.score.at.After(r.current.at) {
			return notLater
		}
		return nil
	}}
)

var notLater = part.Refuse(http.StatusConflict, lti.ErrorInvalidRequest, "timestamp is not later than that of the last score")

// What passes the seams of scores and results.
type (
	// readScore is a score as it is read.
	readScore struct {
		*request
		object map[string]any
	}
	// keptScore is what is kept of a score, and of when.
	keptScore struct {
		recordedScore
		score lti.Score
		at    time.Time
	}
	// scaledPoints are those of a score at a line item, whose maximum is most and was first.
	scaledPoints struct {
		score               lti.Score
		most, first, points float64
	}
	// foundResults are those that a request is about, before they are filtered.
	foundResults struct {
		*request
		found []entry
	}
	// wantedResult is that of a learner, where results are asked for.
	wantedResult struct {
		*request
		sub string
	}
	// listedScores are those of a learner that a list of results has.
	listedScores struct {
		*row
		scores []lti.Score
	}
	// toldResult is what is told of a learner.
	toldResult struct {
		entry
		members map[string]any
	}
)

var (
	scoreRead = &fault.Seam[readScore]{Name: "a score as it is read", Clone: func(r readScore) readScore {
		r.object = maps.Clone(r.object)
		return r
	}}
	scoreKept     = &fault.Seam[keptScore]{Name: "a score as it is kept"}
	scoreRecorded = &fault.Seam[recordedScore]{Name: "the gradebook with a new score"}
	scoreCounts   = &fault.Step[recordedScore]{Name: "a score that is taken is recorded", Honest: func(recordedScore) bool { return true }}
	pointsScaled  = &fault.Seam[scaledPoints]{Name: "the points of a score"}
	pointsFinal   = &fault.Step[lti.Score]{Name: "the points of a score are the grade", Honest: func(s lti.Score) bool { return s.GradingProgress == lti.FullyGraded }}

	resultsFound = &fault.Seam[foundResults]{Name: "the results of a line item", Clone: func(f foundResults) foundResults {
		f.found = slices.Clone(f.found)
		return f
	}}
	resultWanted = &fault.Step[wantedResult]{Name: "a result is one that is asked for", Honest: func(w wantedResult) bool {
		query := w.URL.Query()
		return !query.Has(paramUserID) || query.Get(paramUserID) == w.sub
	}}
	scoresListed = &fault.Seam[listedScores]{Name: "the scores of a learner that are listed"}
	resultTold   = &fault.Seam[toldResult]{Name: "a result", Clone: func(t toldResult) toldResult {
		t.members = maps.Clone(t.members)
		return t
	}}
)
