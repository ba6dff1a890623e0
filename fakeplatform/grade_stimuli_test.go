package fakeplatform_test

import (
	"testing"

	"invigilator/requirements"
)

// noGradeStimuli are the cases of grades and reviews that are no deviation of one
// launch or answer: who is launched, and what is done, makes them.
var noGradeStimuli = []string{
	"grades-token-reused", "score-url-plain", "score-earned-zero", "score-earned-above-maximum", "score-not-graded-yet", "score-twice-at-once",
	"for-user-id-long", "for-user-other-identity", "for-user-never-seen", "for-user-without-submission", "for-user-group", "reviewer-own-work",
	"review-each-of-four", "review-by-author", "review-with-return-url", "review-replayed", "graded-twice", "item-review-renamed",
	"registration-review-supported", // dynamic registration is not covered
}

func TestEveryCaseOfGradesAndReviewsForToolsIsAStimulus(t *testing.T) {
	t.Parallel()
	everyCaseIsAStimulus(t, requirements.Grades, noGradeStimuli)
	everyCaseIsAStimulus(t, requirements.SubmissionReview, noGradeStimuli)
}
