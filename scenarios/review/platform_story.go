package review

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/grades/gradebook"
)

// The whole story of one piece of work, with a picture of each stage in the report.
var _ = Describe("A platform, from work that is handed in to its grade,", func() {
	It("shows that it waits, opens its review, and takes the grade", For("sr-score-needs-grading-offered", "sr-for-user-id-is-learner-sub", "sr-regrade-accepted"), InBrowser, func(ctx SpecContext) {
		const offered, learner, regraded = "sr-score-needs-grading-offered", "sr-for-user-id-is-learner-sub", "sr-regrade-accepted"
		cases := map[requirements.ID]string{offered: "gradebook-needs-grading", learner: "for-user-after-own-launch", regraded: "gradebook-regraded"}
		scene := In(PlatformScene())
		var stages []*harness.PlatformFlow
		unseen := func(err error, ids ...requirements.ID) bool {
			for _, id := range ids {
				scene.Unseen(id, cases[id], err, stages...)
			}
			return err != nil
		}
		reached := func(flow *harness.PlatformFlow) { stages = append(stages, flow) }

		book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the story: the learner opens the link"})
		reached(book.Launch)
		if unseen(err, offered, learner, regraded) {
			return
		}
		item, err := scene.Reviewed(ctx, book, nil)
		if unseen(err, offered, learner, regraded) {
			return
		}
		handed, err := scene.HandIn(ctx, item, book.Sub())
		reached(item.Made)
		reached(handed)
		if unseen(err, offered, learner, regraded) {
			return
		}
		page, err := scene.OpenGrades(ctx, config.Instructor, item, "")
		reached(page)
		if NoJourney(err) {
			err = nil // the review shows that it is offered
		}
		if unseen(err, offered, learner, regraded) {
			return
		}
		if page != nil && scene.ShowsWaiting() {
			scene.Check(offered, cases[offered], gradebook.Waiting(page), "", fmt.Sprintf("The gradebook shows that the work waits: %t.", gradebook.Waiting(page)), stages...)
		}
		review, err := scene.Review(ctx, Review{Title: "the story: the instructor opens the work", Item: item})
		reached(review)
		if unseen(err, offered, learner, regraded) {
			return
		}
		scene.Observe(offered, cases[offered], results.Passed, "", "The review is offered.", stages...)
		scene.Check(learner, cases[learner], userOf(review) == book.Sub(), "", fmt.Sprintf("for_user.user_id is %q, and sub in the own launch %q.", userOf(review), book.Sub()), stages...)

		grade := grades.Points(6.28, 10).With(harness.Members{"scoringUserId": subOf(review)})
		scored, err := scene.Graded(ctx, item, book.Sub(), grade)
		reached(scored)
		if unseen(err, regraded) {
			return
		}
		if address, _ := review.Message().Object(lti.ClaimLaunchPresentation)["return_url"].(string); address != "" {
			back, err := scene.Return(ctx, review, page)
			reached(back)
			if unseen(err, regraded) {
				return
			}
		}
		judgeRegraded(ctx, scene, item, regraded, cases[regraded], stages...)
		if scene.Undeclared("sr-learner-self-review") != "" {
			return
		}
		own, err := scene.Review(ctx, Review{Title: "the story: the learner looks at the own work", Item: item, User: config.Learner})
		reached(own)
		if !unseen(err, learner) {
			same := userOf(own) == book.Sub() && subOf(own) == book.Sub()
			scene.Check(learner, cases[learner], same, "", fmt.Sprintf("for_user.user_id is %q and sub %q, and sub in the own launch %q.", userOf(own), subOf(own), book.Sub()), stages...)
		}
	})
})
