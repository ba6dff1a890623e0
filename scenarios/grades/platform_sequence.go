package grades

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
)

var _ = Describe("A platform, after something has changed,", func() {
	It("goes by the time at which a score was set, and by no other", For("ags-score-own-time"), func(ctx SpecContext) {
		const id = "ags-score-own-time"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		for _, stimulus := range CasesOf(id) {
			members := harness.Members{}
			if stimulus == "scores-queued-for-link" {
				members["resourceLinkId"] = book.ResourceLink()
			}
			item, err := scene.MakeLineItem(ctx, book, members)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			judgeOldScores(ctx, scene, item, id, stimulus)
		}
	})

	It("scales a score to the maximum that the line item has got", For("ags-score-scaling"), func(ctx SpecContext) {
		const id, stimulus = "ags-score-scaling", "score-after-change-of-maximum"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, harness.Members{"scoreMaximum": 20})
		if item == nil {
			return
		}
		_, err := booked(ctx, scene, item)
		if err == nil {
			err = changedTo(ctx, scene, item, harness.Members{"scoreMaximum": 40})
		}
		if scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
			return
		}
		flow, result, err := resultAfter(ctx, scene, item, Points(5, 10), Amounts(0.5))
		if !scene.Unseen(id, stimulus, err, append(LaunchedFor(item), flow)...) {
			scene.Check(id, stimulus, Amounts(0.5)(result), "", "After 5 of 10, for a line item whose maximum was changed from 20 to 40: "+result.String()+".", append(LaunchedFor(item), flow, result.Flow)...)
		}
	})

	It("forgets a line item that was removed", For("ags-lineitem-delete"), func(ctx SpecContext) {
		const id, stimulus = "ags-lineitem-delete", "item-made-again"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		if Unread(scene) {
			scene.Observe(id, stimulus, results.Skipped, "", "Not tried: without the feature results it cannot be seen whether it has some.", book.Launch)
			return
		}
		members := harness.Members{"label": "Invigilator " + lti.RandomString()[:10], "resourceId": lti.RandomString(), "tag": "again"}
		item, err := scene.MakeLineItem(ctx, book, members)
		if scene.Unseen(id, stimulus, err, book.Launch) {
			return
		}
		_, err = booked(ctx, scene, item)
		if scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
			return
		}
		removed, err := removal(ctx, scene, item, "the line item is removed")
		if err == nil && !removed.Succeeded() {
			err = fmt.Errorf("%w: the line item cannot be removed: HTTP %d", harness.ErrNoLaunch, removed.Exchange.Status)
		}
		if scene.Unseen(id, stimulus, err, append(LaunchedFor(item), removed)...) {
			return
		}
		again, err := scene.MakeLineItem(ctx, book, members)
		if scene.Unseen(id, stimulus, err, append(LaunchedFor(item), removed)...) {
			return
		}
		result, err := scene.ResultOf(ctx, again, book.Sub(), func(r gradebook.Result) bool { return !Blank(r) })
		if !scene.Unseen(id, stimulus, err, item.Made, removed, again.Made) {
			scene.Check(id, stimulus, Blank(result), "", "At the line item that was made again "+result.String()+".", item.Made, removed, again.Made, result.Flow)
		}
	})

	It("leaves other learners and line items alone", For("ags-score-touches-nobody-else"), func(ctx SpecContext) {
		const id = "ags-score-touches-nobody-else"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		for _, stimulus := range CasesOf(id) {
			judgeUntouched(ctx, scene, book, id, stimulus)
		}
	})

	It("shows people the points that it tells tools", For("ags-gradebook-shows-points"), InBrowser, func(ctx SpecContext) {
		const id = "ags-gradebook-shows-points"
		scene := gradebook.In(PlatformScene())
		if !scene.ShowsPoints() {
			for _, stimulus := range CasesOf(id) {
				scene.Observe(id, stimulus, results.Skipped, "", "platform.points_selector is not set: it names where the gradebook shows points.")
			}
			return
		}
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		for _, stimulus := range CasesOf(id) {
			score, awaited, shown := Points(8, 10), Amounts(0.8), Points(8, 10)
			switch stimulus {
			case "gradebook-zero":
				score, awaited, shown = Points(0, 10), Amounts(0), Points(0, 10)
			case "gradebook-cleared":
				_, err := scene.Graded(ctx, item, item.Book.Sub(), score)
				if scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
					continue
				}
				score = harness.Members{"activityProgress": string(lti.Initialized), "gradingProgress": string(lti.NotReady)}
				awaited, shown = Blank, nil
			}
			flow, err := scene.Graded(ctx, item, item.Book.Sub(), score)
			flows := append(LaunchedFor(item), flow)
			if scene.Unseen(id, stimulus, err, flows...) {
				continue
			}
			told := gradebook.Result{Members: harness.Members{"resultScore": shown["scoreGiven"], "resultMaximum": shown["scoreMaximum"]}}
			if !Unread(scene) { // whether that is right is another matter
				if told, err = scene.ResultOf(ctx, item, item.Book.Sub(), awaited); scene.Unseen(id, stimulus, err, flows...) {
					continue
				}
				flows = append(flows, told.Flow)
			}
			text, page, err := scene.PointsShown(ctx, config.Instructor, item, shows(told, item.Maximum))
			if !scene.Unseen(id, stimulus, err, flows...) {
				scene.Check(id, stimulus, shows(told, item.Maximum)(text), told.String(), fmt.Sprintf("The gradebook shows %q.", results.Bounded(text, 100)), append(flows, page)...)
			}
		}
	})
})

// oldScore is a score that a tool has set so long ago.
func oldScore(scene *gradebook.Scenario, item *gradebook.LineItem, ago time.Duration, given float64) harness.Members {
	return Points(given, 10).With(harness.Members{
		"userId": item.Book.Sub(), "timestamp": scene.Ago(ago),
		"activityProgress": string(lti.Completed), "gradingProgress": string(lti.FullyGraded),
	})
}

// judgeOldScores judges what becomes of scores that were set in the hour before they are
// sent, in their order.
func judgeOldScores(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) {
	change := map[string]harness.Members{
		"score-set-before-change-of-maximum": {"scoreMaximum": 20}, "score-set-before-change-of-label": {"label": item.Label + ", changed"},
	}[stimulus]
	flows := LaunchedFor(item)
	queue := []struct {
		ago   time.Duration
		given float64
	}{{60 * time.Minute, 8}, {40 * time.Minute, 3}, {20 * time.Minute, 5}}
	for i, score := range queue {
		flow, err := scene.PostScore(ctx, item, fmt.Sprintf("a score that was set %.0f minutes ago", score.ago.Minutes()), oldScore(scene, item, score.ago, score.given), nil)
		flows = append(flows, flow)
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		if verdict, says := Taken(flow); verdict != results.Passed {
			scene.Observe(id, stimulus, verdict, "", fmt.Sprintf("Of a score that was set %.0f minutes ago, later than all before: %s", score.ago.Minutes(), says), flows...)
			return
		}
		if i == 0 && change != nil {
			if err := changedTo(ctx, scene, item, change); scene.Unseen(id, stimulus, err, flows...) {
				return
			}
		}
	}
	if Unread(scene) {
		scene.Observe(id, stimulus, results.Passed, "", "Each score was taken; without the feature results nothing more can be seen.", flows...)
		return
	}
	counts := func(r gradebook.Result) bool { return Amounts(0.5)(r) || r.Members["resultScore"] == 5.0 } // how it is scaled is another matter
	result, err := scene.ResultOf(ctx, item, item.Book.Sub(), counts)
	if !scene.Unseen(id, stimulus, err, flows...) {
		scene.Check(id, stimulus, counts(result), "", "After 8, 3 and 5 of 10, in the order in which they were set: "+result.String()+".", append(flows, result.Flow)...)
	}
}

// changedTo puts other members in the place of some of a line item's. The error is
// [harness.ErrNoLaunch] where the platform does not take that.
func changedTo(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, members harness.Members) error {
	if item.Made == nil {
		return fmt.Errorf("%w: it is not the run's own, and is not changed", harness.ErrNoLaunch)
	}
	flow, err := scene.ChangeLineItem(ctx, item, "the line item is changed", item.Made.Said().With(members))
	if err == nil && !flow.Succeeded() {
		err = fmt.Errorf("%w: the line item cannot be changed: HTTP %d", harness.ErrNoLaunch, flow.Exchange.Status)
	}
	return err
}

// judgeUntouched judges whether what is done to one learner or line item leaves another
// as it was.
func judgeUntouched(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, id requirements.ID, stimulus string) {
	members := harness.Members{"resourceId": lti.RandomString(), "tag": "twins"}
	touched, err := scene.MakeLineItem(ctx, book, members)
	var other *gradebook.LineItem
	if err == nil {
		other, err = scene.MakeLineItem(ctx, book, members)
	}
	if err == nil && other.ID == touched.ID {
		err = fmt.Errorf("%w: the second line item is the first one", harness.ErrNoLaunch)
	}
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return
	}
	flows := []*harness.PlatformFlow{book.Launch, touched.Made, other.Made}
	watched, sub := other, book.Sub()
	if stimulus == "score-beside-second-learner" {
		second, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the second learner's launch", User: config.SecondLearner})
		if scene.Unseen(id, stimulus, err, append(flows, second)...) {
			return
		}
		sub, _ = second.Message().Text("sub")
		watched, flows = touched, append(flows, second)
	}
	_, err = scene.Graded(ctx, touched, book.Sub(), Points(3, 10))
	if err == nil {
		_, err = scene.Graded(ctx, watched, sub, Points(8, 10))
	}
	if err == nil && !Unread(scene) {
		var result gradebook.Result
		if result, err = scene.ResultOf(ctx, watched, sub, Amounts(0.8)); err == nil && !Amounts(0.8)(result) {
			err = fmt.Errorf("%w: after 8 of 10 %s", harness.ErrNoLaunch, result)
		}
	}
	var before *harness.PlatformFlow
	if err == nil {
		before, err = scene.ReadLineItem(ctx, watched, "the line item that is not touched")
	}
	if err == nil {
		switch stimulus {
		case "change-beside-other-item":
			err = changedTo(ctx, scene, touched, harness.Members{"scoreMaximum": 20, "label": touched.Label + ", changed"})
		case "removal-beside-other-item":
			_, err = removal(ctx, scene, touched, "a line item is removed")
		default:
			_, err = scene.Graded(ctx, touched, book.Sub(), Points(5, 10))
		}
	}
	if scene.Unseen(id, stimulus, err, flows...) {
		return
	}
	after, err := scene.ReadLineItem(ctx, watched, "the line item that was not touched")
	if scene.Unseen(id, stimulus, err, flows...) {
		return
	}
	flows, wrong := append(flows, before, after), ""
	changed, gone := differing(before.Said(), after.Said())
	switch changed = cmp.Or(changed, gone); {
	case !after.Succeeded():
		wrong = fmt.Sprintf("the line item that was not touched is answered with HTTP %d", after.Exchange.Status)
	case changed != "":
		wrong = changed + " of the line item that was not touched is another"
	case !Unread(scene):
		result, err := scene.ResultOf(ctx, watched, sub, func(r gradebook.Result) bool { return !Amounts(0.8)(r) })
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		if flows = append(flows, result.Flow); !Amounts(0.8)(result) {
			wrong = "after 8 of 10, and what was done to another, " + result.String()
		}
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flows...)
}

// number matches one that people write.
var number = regexp.MustCompile(`\d+([.,]\d+)?`)

// firstNumber is the first one in a text, and false where there is none.
func firstNumber(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Replace(number.FindString(text), ",", ".", 1), 64)
	return n, err == nil
}

// shows says whether a text shows a result: its points, as they are or as a part of the
// line item's maximum or of a hundred, or no number where it has none.
func shows(r gradebook.Result, maximum float64) func(string) bool {
	return func(text string) bool {
		n, some := firstNumber(text)
		fraction, has := r.Fraction()
		if !has {
			return !some
		}
		return some && (n == r.Members["resultScore"] || math.Abs(n-fraction*maximum) < maximum*rounding || math.Abs(n-fraction*100) < 100*rounding)
	}
}
