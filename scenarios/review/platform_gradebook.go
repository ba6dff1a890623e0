package review

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/services"
)

// noReview is seen where a platform may offer no reviews at all of what a tool has made.
const noReview = "No review is offered, not even when the work is handed in."

var _ = Describe("A platform's gradebook", func() {
	It("offers the review of work as far as its learner has come", For("sr-reviewable-status-respected"), func(ctx SpecContext) {
		const id = "sr-reviewable-status-respected"
		scene := In(PlatformScene())
		book := grades.Offered(ctx, scene.Scenario, id)
		if book == nil {
			return
		}
		item, err := scene.MakeLineItem(ctx, book, harness.Members{
			"resourceLinkId": book.ResourceLink(), "submissionReview": harness.Members{"reviewableStatus": []string{string(lti.Submitted), string(lti.Completed)}},
		})
		if AllUnseen(scene, id, err, book.Launch) {
			return
		}
		type seen struct {
			offered bool
			flows   []*harness.PlatformFlow
		}
		looked, reviewable := map[string]seen{}, false
		for i, progress := range []lti.ActivityProgress{"", lti.Started, lti.InProgress, lti.Submitted, lti.Completed} {
			stimulus := CasesOf(id)[i]
			flows := grades.LaunchedFor(item)
			if progress != "" {
				score := harness.Members{"activityProgress": string(progress), "gradingProgress": string(lti.NotReady)}
				if progress == lti.Submitted {
					score["gradingProgress"] = string(lti.PendingManual)
				}
				scored, err := scene.Graded(ctx, item, book.Sub(), score)
				if flows = append(flows, scored); scene.Unseen(id, stimulus, err, flows...) {
					continue
				}
			}
			offered, flow, err := scene.Offered(ctx, Review{Title: "a review: " + stimulus, Item: item})
			if flows = append(flows, flow); scene.Unseen(id, stimulus, err, flows...) {
				continue
			}
			looked[stimulus] = seen{offered, flows}
			reviewable = reviewable || offered
		}
		for i, stimulus := range CasesOf(id) {
			wanted := i > 2
			switch s, known := looked[stimulus]; {
			case !known:
			case !wanted && !reviewable:
				scene.Observe(id, stimulus, results.Inconclusive, "", noReview, s.flows...)
			default:
				scene.Check(id, stimulus, s.offered == wanted, "", map[bool]string{true: "The review is offered.", false: "The review is not offered."}[s.offered], s.flows...)
			}
		}
	})

	It("offers the review of a learner without any score, if asked to", For("sr-reviewable-status-none"), func(ctx SpecContext) {
		const id, stimulus = "sr-reviewable-status-none", "gradebook-status-none"
		scene := In(PlatformScene())
		book := grades.Offered(ctx, scene.Scenario, id)
		if book == nil {
			return
		}
		members := harness.Members{"resourceLinkId": book.ResourceLink(), "submissionReview": harness.Members{"reviewableStatus": []string{lti.ReviewableNone}}}
		made, err := scene.PostLineItem(ctx, book, stimulus, members)
		if scene.Unseen(id, stimulus, err, book.Launch, made) {
			return
		}
		if !made.Succeeded() {
			scene.Observe(id, stimulus, results.Failed, "", "The line item is refused: "+services.AnsweredWith(made), book.Launch, made)
			return
		}
		item := &gradebook.LineItem{Book: book, Made: made}
		item.ID, _ = made.Said()["id"].(string)
		item.Label, _ = made.Said()["label"].(string)
		offered, flow, err := scene.Offered(ctx, Review{Title: "a review of a learner without score", Item: item})
		if scene.Unseen(id, stimulus, err, book.Launch, made, flow) {
			return
		}
		if offered {
			scene.Observe(id, stimulus, results.Passed, "", "The review is offered.", book.Launch, made, flow)
			return
		}
		submitted := workFor(ctx, scene, id, stimulus, reviewedBy(nil))
		if submitted == nil {
			return
		}
		usual, control, err := scene.Offered(ctx, Review{Title: "control: a review of work that is handed in", Item: submitted})
		switch {
		case scene.Unseen(id, stimulus, err, book.Launch, made, flow, control):
		case !usual:
			scene.Observe(id, stimulus, results.Inconclusive, "", noReview, book.Launch, made, flow, control)
		default:
			scene.Observe(id, stimulus, results.Warned, "", "The review is not offered.", book.Launch, made, flow, control)
		}
	})

	It("names the review as the line item says", For("sr-label-shown"), func(ctx SpecContext) {
		const id = "sr-label-shown"
		scene := In(PlatformScene())
		for stimulus, label := range map[string]string{
			"gradebook-label-accents": "Öffne die Prüfung – 提出物を見る", "gradebook-label-markup": "Open <b>the</b> viewer",
			"gradebook-label-long": "Open the viewer " + strings.Repeat("of all that was handed in ", 12)[:284],
		} {
			item := workFor(ctx, scene, id, stimulus, reviewedBy(harness.Members{"label": label}))
			if item == nil {
				continue
			}
			page, err := scene.OpenGrades(ctx, config.Instructor, item, "")
			if scene.Unseen(id, stimulus, err, item.Made) {
				continue
			}
			offered, flow, err := scene.Offered(ctx, Review{Title: "the review with the label", Item: item})
			if scene.Unseen(id, stimulus, err, item.Made, page, flow) {
				continue
			}
			verdict, says := judgeLabel(label, page)
			if !offered {
				verdict, says = results.Failed, "The review is not offered."
			}
			scene.Observe(id, stimulus, verdict, "", says, item.Made, page, flow)
		}
	})

	It("shows that work waits for grading, and offers its review", For("sr-score-needs-grading-offered"), func(ctx SpecContext) {
		const id, stimulus = "sr-score-needs-grading-offered", "gradebook-needs-grading"
		scene := In(PlatformScene())
		book := grades.Offered(ctx, scene.Scenario, id)
		if book == nil {
			return
		}
		item, err := scene.Reviewed(ctx, book, nil)
		if scene.Unseen(id, stimulus, err, book.Launch) {
			return
		}
		score := harness.Members{"activityProgress": string(lti.Submitted), "gradingProgress": string(lti.PendingManual)}
		scored, err := scene.Score(ctx, item, "a score of work that waits for grading", book.Sub(), score, nil)
		flows := append(grades.LaunchedFor(item), scored)
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		if verdict, says := grades.Taken(scored); verdict != results.Passed {
			scene.Observe(id, stimulus, verdict, "", says, flows...)
			return
		}
		offered, review, err := scene.Offered(ctx, Review{Title: "the review of work that waits for grading", Item: item})
		if flows = append(flows, review); scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		scene.Check(id, stimulus, offered, "", map[bool]string{true: "The review is offered.", false: "The review is not offered."}[offered], flows...)
		if !grades.Unread(scene.Scenario) {
			result, err := scene.ResultOf(ctx, item, book.Sub(), grades.Blank)
			if !scene.Unseen(id, stimulus, err, flows...) {
				scene.Check(id, stimulus, grades.Blank(result), "", "The results: "+result.String()+".", append(flows, result.Flow)...)
			}
		}
		page, err := scene.OpenGrades(ctx, config.Instructor, item, "")
		switch {
		case scene.Unseen(id, stimulus, err, flows...):
		case !scene.ShowsWaiting():
			scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: platform.grading_pending is not set, so it cannot be seen in the gradebook.", append(flows, page)...)
		default:
			scene.Check(id, stimulus, gradebook.Waiting(page), "", map[bool]string{true: "The gradebook shows that the work waits.", false: "The gradebook does not show that the work waits."}[gradebook.Waiting(page)], append(flows, page)...)
		}
	})

	It("takes the grade of a review, and no older one", For("sr-regrade-accepted"), func(ctx SpecContext) {
		const id, later, earlier = "sr-regrade-accepted", "gradebook-regraded", "gradebook-regraded-earlier"
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, id)
		if item == nil {
			return
		}
		sub := item.Book.Sub()
		if _, err := scene.Graded(ctx, item, sub, grades.Points(4, 10)); AllUnseen(scene, id, err, grades.LaunchedFor(item)...) {
			return
		}
		regraded, err := scene.Score(ctx, item, "the grade of a review", sub, grades.Points(6.28, 10), nil)
		flows := append(grades.LaunchedFor(item), regraded)
		if AllUnseen(scene, id, err, flows...) {
			return
		}
		if verdict, says := grades.Taken(regraded); verdict != results.Passed {
			scene.Observe(id, later, verdict, "", says, flows...)
		} else {
			judgeRegraded(ctx, scene, item, id, later, flows...)
		}
		old := grades.Points(3, 10).With(harness.Members{"timestamp": gradebook.Timestamp(grades.TimeOf(regraded).Add(-time.Second))})
		stale, err := scene.PostScore(ctx, item, "a grade with an earlier timestamp", scene.NewScore(item, sub, old), nil)
		if !scene.Unseen(id, earlier, err, append(flows, stale)...) {
			verdict, says := services.OfNothing.Judge(stale)
			if stale.Succeeded() { // it must have no effect
				verdict = results.Passed
			}
			grades.JudgeUnmoved(ctx, scene.Scenario, item, id, earlier, verdict, says, 0.628, stale)
		}
	})
})

// judgeLabel judges whether a page shows a label as text, or words of its own.
func judgeLabel(label string, page *harness.PlatformFlow) (results.Verdict, string) {
	plain := strings.NewReplacer("<b>", "", "</b>", "").Replace(label)
	beginning := string([]rune(label)[:min(len([]rune(label)), 12)])
	switch {
	case page.Shows(label):
		return results.Passed, "The gradebook shows the label."
	case plain != label && page.Shows(plain):
		return results.Failed, "The gradebook shows the label, but treats its text as HTML."
	case page.Shows(beginning):
		return results.Passed, "The gradebook shows the beginning of the label."
	default:
		return results.Passed, "The gradebook names the review in words of its own."
	}
}

// judgeRegraded judges whether results and gradebook show the grade of a review, 6.28 of
// 10.
func judgeRegraded(ctx SpecContext, scene *Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string, flows ...*harness.PlatformFlow) {
	if !grades.Unread(scene.Scenario) {
		result, err := scene.ResultOf(ctx, item, item.Book.Sub(), grades.Amounts(0.628))
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		scene.Check(id, stimulus, grades.Amounts(0.628)(result), "", "After 4 and then 6.28 of 10: "+result.String()+".", append(flows, result.Flow)...)
	}
	page, err := scene.OpenGrades(ctx, config.Instructor, item, "")
	switch {
	case NoJourney(err) && !grades.Unread(scene.Scenario):
	case scene.Unseen(id, stimulus, err, flows...):
	case scene.ShowsWaiting() && gradebook.Waiting(page):
		scene.Observe(id, stimulus, results.Failed, "", "The gradebook shows that the work waits for grading.", append(flows, page)...)
	case scene.ShowsWaiting() || page.Shows("6.28"):
		scene.Observe(id, stimulus, results.Passed, "", fmt.Sprintf("The gradebook shows no work that waits; it shows 6.28: %t.", page.Shows("6.28")), append(flows, page)...)
	case grades.Unread(scene.Scenario):
		scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: the gradebook's page does not show the points, and the results are not declared.", append(flows, page)...)
	}
}
