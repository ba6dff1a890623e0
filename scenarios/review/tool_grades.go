package review

import (
	"fmt"
	"net/http"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	gradebook "invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, where a reviewer grades a learner's work,", func() {
	It("posts the score for the learner, to the line item of the review", For("sr-tool-score-for-learner"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-score-for-learner", "graded-lineitem-with-query"
		scene := ReviewScene()
		f := PlatformFault(stimulus)
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{Fault: &f})
		if scene.Unseen(id, stimulus, err, handed) {
			return
		}
		reviewer := harness.Newcomer(harness.Teacher)
		flow, err := scene.Grade(ctx, work, "7", harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, User: reviewer})
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		if !scene.Await(ctx, flow, harness.IsScore) && len(flow.Calls()) == 0 {
			gradebook.NoScore(scene, id, stimulus, results.Failed, flow)
			return
		}
		gradebook.JudgeScoreURL(scene, id, stimulus, flow)
		if len(flow.Scores()) > 0 {
			wrong := wrongGrade(flow.Scores()[0], work, reviewer)
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong)+" "+gradebook.Told(flow.Scores()[0]), flow)
		}
	})

	DescribeTable("does not confuse learners", func(ctx SpecContext, oneBrowser bool) {
		const id = "sr-tool-score-for-learner"
		scene := ReviewScene()
		assignment := scene.Assign()
		browser := scene.Open(ctx)
		defer browser.Close()
		reviewer := harness.Newcomer(harness.Teacher)
		var reviews []*harness.Flow
		var works []*harness.Work
		for i := range 2 {
			work, handed, err := scene.HandIn(ctx, assignment, harness.Launch{})
			if scene.Unseen(id, "", err, handed) {
				return
			}
			l := harness.Launch{Title: fmt.Sprintf("review %d of 2", i+1), Review: work, By: browser, User: reviewer}
			switch {
			case i == 1 && oneBrowser:
				l.By = browser.NewTab()
			case i == 1:
				l.By, l.User = scene.Open(ctx), harness.Newcomer(harness.Teacher)
				defer l.By.Close()
			}
			review, err := scene.Launch(ctx, l)
			if scene.Unseen(id, "", err, review) {
				return
			}
			works, reviews = append(works, work), append(reviews, review)
		}
		for i, review := range reviews {
			flow, err := scene.GoOn(ctx, fmt.Sprintf("the work of review %d is graded", i+1), review, config.Grade, "{score}", []string{"4", "9"}[i])
			if err == nil {
				err = gradebook.StuckWithoutScore(flow)
			}
			if scene.Unseen(id, "", err, reviews...) {
				return
			}
			if !scene.Await(ctx, flow, harness.IsScore) {
				gradebook.NoScore(scene, id, "", results.Inconclusive, reviews[i], flow)
				continue
			}
			wrong := wrongGrade(flow.Scores()[0], works[i], review.Launch.Plan().User)
			scene.Check(id, "", wrong == "", "", Seen(wrong)+" "+gradebook.Told(flow.Scores()[0]), reviews[i], flow)
		}
	},
		Entry("in two tabs of a browser", For("sr-tool-score-for-learner"), InBrowser, true),
		Entry("for two reviewers", For("sr-tool-score-for-learner"), false),
	)

	It("posts none that it may not", For("sr-tool-score-scope"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-score-scope", "endpoint-scope-readonly"
		scene := ReviewScene()
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if scene.Unseen(id, stimulus, err, handed) {
			return
		}
		f := PlatformFault(stimulus)
		shown, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Review: work, Fault: &f})
		if scene.Unseen(id, stimulus, err, shown) {
			return
		}
		if !shown.Answered() || pages.Crashed(shown) || !scene.Accepted(shown) {
			scene.MustBeAccepted(ctx, id, stimulus, shown)
			return
		}
		flow, err := scene.Grade(ctx, work, "7", harness.Launch{Title: "the reviewer tries to grade it", Fault: &f, Denied: true})
		if flow == nil {
			scene.Unseen(id, stimulus, err, shown)
			return
		}
		scene.Lingers(ctx, flow, harness.IsScore)
		wrong := ""
		for _, c := range flow.Scores() {
			if c.Status != http.StatusForbidden {
				wrong = fmt.Sprintf("a score came, and was answered with %d", c.Status)
			}
		}
		if pages.Crashed(flow) {
			wrong = "the reviewer sees no page, or a server error: " + flow.End()
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), shown, flow)
	})
})

// wrongGrade says whose the score of a review is, where it is not the learner's. The
// reviewer need not be named in it.
func wrongGrade(c grades.Call, work *harness.Work, reviewer fakeplatform.User) string {
	score := gradebook.ScoreOf(c)
	if score["userId"] != work.Learner.Sub {
		return fmt.Sprintf("userId is %s instead of %q", lti.Wire(score["userId"]), work.Learner.Sub)
	}
	if scorer, sent := score["scoringUserId"]; sent && scorer != nil && scorer != reviewer.Sub {
		return fmt.Sprintf("scoringUserId is %s instead of %q", lti.Wire(scorer), reviewer.Sub)
	}
	return ""
}

// The whole story of one work, with a picture of each stage in the report.
var _ = Describe("A tool, from the work that is handed in to its grade,", func() {
	It("tells the gradebook, shows the work, takes the points and leads back", For("sr-tool-shows-for-user-work", "sr-tool-score-for-learner", "sr-tool-returns"), InBrowser, func(ctx SpecContext) {
		const shows, scores, returns = "sr-tool-shows-for-user-work", "sr-tool-score-for-learner", "sr-tool-returns"
		scene := ReviewScene()
		judged := []requirements.ID{shows, scores}
		if !scene.Unbound(returns, "review-with-return-url") {
			judged = append(judged, returns)
		}
		all := func(observe func(requirements.ID) bool) (unseen bool) {
			for _, id := range judged {
				if observe(id) {
					unseen = true
				}
			}
			return unseen
		}
		browser := scene.Open(ctx)
		defer browser.Close()
		reviewer := harness.Newcomer(harness.Teacher)
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{Title: "the whole story: a learner hands in work"})
		if all(func(id requirements.ID) bool { return scene.Unseen(id, "", err, handed) }) {
			return
		}
		scene.Await(ctx, handed, harness.IsTakenScore)
		review, err := scene.Launch(ctx, harness.Launch{Title: "the whole story: an instructor opens it from the gradebook", Review: work, By: browser, User: reviewer})
		if all(func(id requirements.ID) bool { return scene.Unseen(id, "", err, handed, review) }) {
			return
		}
		scene.MustBeAccepted(ctx, shows, "", review)
		graded, err := scene.GoOn(ctx, "the whole story: the instructor gives it points", review, config.Grade, "{score}", "8")
		if err == nil {
			err = gradebook.StuckWithoutScore(graded)
		}
		if !scene.Unseen(scores, "", err, handed, review, graded) {
			scene.Await(ctx, graded, harness.IsTakenScore)
			switch {
			case len(graded.Scores()) == 0:
				gradebook.NoScore(scene, scores, "", results.Failed, handed, review, graded)
			case wrongGrade(graded.Scores()[0], work, reviewer) != "":
				scene.Observe(scores, "", results.Failed, "", Seen(wrongGrade(graded.Scores()[0], work, reviewer)), handed, review, graded)
			case work.Held().Points == nil: // what is wrong with it otherwise is for other requirements to say
				scene.Observe(scores, "", results.Passed, "", "It is the learner's, though the gradebook holds no points: "+gradebook.Told(graded.Scores()[0]), handed, review, graded)
			default:
				scene.Observe(scores, "", results.Passed, "", fmt.Sprintf("The gradebook holds %s points for the learner.", lti.Wire(*work.Held().Points)), handed, review, graded)
			}
		}
		if !slices.Contains(judged, returns) {
			return
		}
		back, err := scene.GoBack(ctx, "the whole story: back in the gradebook", review)
		switch {
		case scene.Unseen(returns, "", err, review, back):
		case back == nil && review.LeadsBack(), back != nil && len(back.Record.Returns) > 0:
			scene.Observe(returns, "", results.Passed, "", "The page of the review leads back.", review, back)
		case back == nil && review.OffersExit(): // no link: the scenario that is about it presses it
		case back == nil:
			scene.Observe(returns, "", results.Failed, "", "The page of the review leads nowhere: "+review.End()+".", review)
		default:
			scene.Observe(returns, "", results.Failed, "", "The way back does not lead to the return URL: "+back.End()+".", review, back)
		}
	})
})
