package grades

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/services"
)

// rounding is how far a result may be from what was scored, as a part of the maximum.
const rounding = 0.01

// Amounts says whether a result is a part of the maximum.
func Amounts(fraction float64) func(gradebook.Result) bool {
	return func(r gradebook.Result) bool {
		is, has := r.Fraction()
		return has && math.Abs(is-fraction) < rounding
	}
}

// Blank says whether a result has no score.
func Blank(r gradebook.Result) bool {
	_, has := r.Members["resultScore"].(float64)
	return r.Wrong == "" && !has
}

// Points are the members of a score of so many points.
func Points(given, maximum float64) harness.Members {
	return harness.Members{"scoreGiven": given, "scoreMaximum": maximum}
}

// graded is the learner's gradebook and a line item to send scores for. Where there is
// none, it keeps why no stimulus of the requirement could be judged, and returns nil.
func graded(ctx SpecContext, scene *gradebook.Scenario, id requirements.ID, members harness.Members) *gradebook.LineItem {
	book := Offered(ctx, scene, id)
	if book == nil {
		return nil
	}
	item, err := scene.GradedItem(ctx, book, members)
	if AllUnseen(scene, id, err, book.Launch) {
		return nil
	}
	return item
}

// LaunchedFor is the launch of the gradebook that a line item is in, and what made
// the line item: evidence for all that is seen of it.
func LaunchedFor(item *gradebook.LineItem) []*harness.PlatformFlow {
	return []*harness.PlatformFlow{item.Book.Launch, item.Made}
}

// Unread says whether results cannot be read because the platform does not declare
// them.
func Unread(scene *gradebook.Scenario) bool { return scene.Undeclared("ags-results-list") != "" }

var _ = Describe("A platform, sent a score,", func() {
	It("takes a valid one", For("ags-score-accept"), func(ctx SpecContext) {
		const id = "ags-score-accept"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		score := Points(7.5, 10)
		if teacher, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the instructor's launch", User: config.Instructor}); teacher.Launch != nil && teacher.Sub() != "" && (err == nil || teacher.Launch.Launched()) {
			score["scoringUserId"] = teacher.Sub()
		}
		_, _ = scene.Graded(ctx, item, item.Book.Sub(), Points(2, 10)) // which learns what times the platform takes
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := scene.Score(ctx, item, fault.Does, item.Book.Sub(), score, &fault)
			if scene.Unseen(id, fault.Name, err, item.Made, flow) {
				continue
			}
			flows := append(LaunchedFor(item), flow)
			if verdict, says := Taken(flow); verdict != results.Passed || fault.Name == "score-minimal" || Unread(scene) {
				scene.Observe(id, fault.Name, verdict, "", says, flows...)
				continue
			}
			fraction := 0.75
			if fault.Name == "score-negative-zero" {
				fraction = 0
			}
			result, err := scene.ResultOf(ctx, item, item.Book.Sub(), Amounts(fraction))
			if !scene.Unseen(id, fault.Name, err, flows...) {
				sent := SentMembers(flow)
				scene.Check(id, fault.Name, Amounts(fraction)(result), "", fmt.Sprintf("After %s of %s: %s.", lti.Wire(sent["scoreGiven"]), lti.Wire(sent["scoreMaximum"]), result), append(flows, result.Flow)...)
			}
		}
	})

	It("refuses what is not a valid score", For("ags-score-validation"), func(ctx SpecContext) {
		const id = "ags-score-validation"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			if _, err := booked(ctx, scene, item); scene.Unseen(id, fault.Name, err, LaunchedFor(item)...) {
				continue
			}
			flow, err := scene.PostScore(ctx, item, fault.Does, scene.NewScore(item, item.Book.Sub(), Points(3, 10)), &fault)
			if scene.Unseen(id, fault.Name, err, append(LaunchedFor(item), flow)...) {
				continue
			}
			verdict, says := services.Malformed.Judge(flow)
			JudgeUnmoved(ctx, scene, item, id, fault.Name, verdict, says, 0.8, flow)
		}
		_, err := scene.Graded(ctx, item, item.Book.Sub(), Points(9, 10))
		AllUnseen(scene, id, err, LaunchedFor(item)...)
	})

	It("goes by the timestamps of scores", For("ags-score-timestamp-order"), func(ctx SpecContext) {
		const id = "ags-score-timestamp-order"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		for _, stimulus := range CasesOf(id) {
			item, err := scene.GradedItem(ctx, book, nil)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			if stimulus == "score-one-millisecond-later" && scene.WholeSeconds() {
				scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: the platform accepts no times with fractions of a second.", book.Launch)
				continue
			}
			first, err := booked(ctx, scene, item)
			if scene.Unseen(id, stimulus, err, append(LaunchedFor(item), first)...) {
				continue
			}
			last, next := TimeOf(first), Points(5, 10)
			switch stimulus {
			case "score-earlier":
				next = Points(3, 10).With(harness.Members{"timestamp": gradebook.Timestamp(last.Add(-time.Second))})
			case "score-same-instant":
				next["timestamp"] = gradebook.Timestamp(last)
			case "score-same-instant-in-other-zone":
				next["timestamp"] = gradebook.Timestamp(last.In(time.FixedZone("", 2*60*60)))
			case "score-one-millisecond-later":
				next["timestamp"] = gradebook.Timestamp(last.Add(time.Millisecond))
			}
			var flow *harness.PlatformFlow
			if next["timestamp"] == nil {
				flow, err = scene.Score(ctx, item, stimulus, book.Sub(), next, nil)
			} else {
				flow, err = scene.PostScore(ctx, item, stimulus, scene.NewScore(item, book.Sub(), next), nil)
			}
			flows := append(LaunchedFor(item), first, flow)
			if scene.Unseen(id, stimulus, err, flows...) {
				continue
			}
			switch stimulus {
			case "score-earlier":
				verdict, says := services.OfNothing.Judge(flow)
				switch { // what counts is that it has no effect
				case flow.Succeeded() && Unread(scene):
					verdict, says = results.Inconclusive, "Not seen: the score was taken, but without the feature results it cannot be seen whether it counts."
				case flow.Succeeded():
					verdict = results.Passed
				}
				JudgeUnmoved(ctx, scene, item, id, stimulus, verdict, says, 0.8, flow)
			case "score-one-second-later", "score-one-millisecond-later":
				verdict, says := Taken(flow)
				if verdict != results.Passed || Unread(scene) {
					scene.Observe(id, stimulus, verdict, "", says, flows...)
					continue
				}
				result, err := scene.ResultOf(ctx, item, book.Sub(), Amounts(0.5))
				if !scene.Unseen(id, stimulus, err, flows...) {
					says := fmt.Sprintf("After 8 of 10 and, %s later, 5 of 10: %s.", TimeOf(flow).Sub(last), result)
					scene.Check(id, stimulus, Amounts(0.5)(result), "", says, append(flows, result.Flow)...)
				}
			default: // either is right
				scene.Check(id, stimulus, flow.Exchange.Status > 0 && flow.Exchange.Status < http.StatusInternalServerError, "", services.AnsweredWith(flow), flows...)
			}
		}
	})

	It("scales it to the line item's maximum", For("ags-score-scaling"), func(ctx SpecContext) {
		const id = "ags-score-scaling"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, harness.Members{"scoreMaximum": 20})
		if item == nil {
			return
		}
		for stimulus, score := range map[string][2]float64{"score-45-of-60": {45, 60}, "score-1-of-3": {1, 3}, "score-0-of-60": {0, 60}} {
			flow, result, err := resultAfter(ctx, scene, item, Points(score[0], score[1]), Amounts(score[0]/score[1]))
			if !scene.Unseen(id, stimulus, err, append(LaunchedFor(item), flow)...) {
				scene.Check(id, stimulus, Amounts(score[0]/score[1])(result), "", fmt.Sprintf("After %s of %s: %s.", lti.Wire(score[0]), lti.Wire(score[1]), result), append(LaunchedFor(item), flow, result.Flow)...)
			}
		}
	})

	It("takes more points than the maximum", For("ags-score-above-maximum"), func(ctx SpecContext) {
		const id, stimulus = "ags-score-above-maximum", "score-12-of-10"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		flow, err := scene.Score(ctx, item, stimulus, item.Book.Sub(), Points(12, 10), nil)
		flows := append(LaunchedFor(item), flow)
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		if verdict, says := Taken(flow); verdict != results.Passed || Unread(scene) {
			scene.Observe(id, stimulus, verdict, "", says, flows...)
			return
		}
		enough := func(r gradebook.Result) bool { is, has := r.Fraction(); return has && is > 1-rounding } // a gradebook may cap it
		result, err := scene.ResultOf(ctx, item, item.Book.Sub(), enough)
		if !scene.Unseen(id, stimulus, err, flows...) {
			scene.Check(id, stimulus, enough(result), "", "After 12 of 10: "+result.String()+".", append(flows, result.Flow)...)
		}
	})

	It("takes a score back where a later one has none", For("ags-score-absent-clears"), func(ctx SpecContext) {
		const id, stimulus = "ags-score-absent-clears", "score-taken-back"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		first, before, err := resultAfter(ctx, scene, item, Points(8, 10), Amounts(0.8))
		if err == nil && !Amounts(0.8)(before) {
			err = fmt.Errorf("%w: after 8 of 10 %s", harness.ErrNoLaunch, before)
		}
		if scene.Unseen(id, stimulus, err, append(LaunchedFor(item), first)...) {
			return
		}
		none := harness.Members{"activityProgress": string(lti.Initialized), "gradingProgress": string(lti.NotReady)}
		flow, result, err := resultAfter(ctx, scene, item, none, Blank)
		if !scene.Unseen(id, stimulus, err, append(LaunchedFor(item), first, flow)...) {
			scene.Check(id, stimulus, Blank(result), "", "After a score without scoreGiven: "+result.String()+".", append(LaunchedFor(item), first, flow, result.Flow)...)
		}
	})

	It("makes it final when it is fully graded", For("ags-score-grading-progress"), func(ctx SpecContext) {
		const id = "ags-score-grading-progress"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		for i, stimulus := range CasesOf(id) {
			progress := []lti.GradingProgress{lti.Pending, lti.PendingManual, lti.GradingFailed, lti.NotReady, lti.FullyGraded}[i]
			wanted := Blank
			if progress == lti.FullyGraded {
				wanted = Amounts(0.5)
			}
			score := Points(5, 10).With(harness.Members{"gradingProgress": string(progress)})
			flow, err := scene.Score(ctx, item, "5 of 10 with "+string(progress), item.Book.Sub(), score, nil)
			flows := append(LaunchedFor(item), flow)
			if scene.Unseen(id, stimulus, err, flows...) {
				continue
			}
			if verdict, says := Taken(flow); verdict != results.Passed {
				scene.Observe(id, stimulus, verdict, "", says, flows...)
				continue
			}
			result, err := scene.ResultOf(ctx, item, item.Book.Sub(), wanted)
			if !scene.Unseen(id, stimulus, err, flows...) {
				scene.Check(id, stimulus, wanted(result), "", fmt.Sprintf("After 5 of 10 with %s: %s.", progress, result), append(flows, result.Flow)...)
			}
		}
	})

	It("refuses a score of somebody who is not a learner there", For("ags-score-unknown-user"), func(ctx SpecContext) {
		const id = "ags-score-unknown-user"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		judge := func(stimulus, sub string, fault *faketool.Fault, flows ...*harness.PlatformFlow) {
			flow, err := scene.PostScore(ctx, item, "a score: "+stimulus, scene.NewScore(item, sub, Points(3, 10)), fault)
			flows = append(append(LaunchedFor(item), flows...), flow)
			if scene.Unseen(id, stimulus, err, flows...) {
				return
			}
			verdict, says := services.OfNothing.Judge(flow)
			if verdict == results.Passed && !Unread(scene) {
				list, err := scene.Results(ctx, item, "the results afterwards", "")
				if scene.Unseen(id, stimulus, err, flows...) {
					return
				}
				flows = append(flows, list.Flows...)
				for _, element := range WithScore(list) {
					// The line item of a link has the results of those who learn there.
					if item.Made != nil || reflect.DeepEqual(element["userId"], SentMembers(flow)["userId"]) && Amounts(0.3)(gradebook.Result{Members: element}) {
						verdict, says = results.Failed, fmt.Sprintf("It is in the results nevertheless: %s.", lti.Wire(element["userId"]))
					}
				}
			}
			scene.Observe(id, stimulus, verdict, "", says, flows...)
		}
		for _, fault := range faketool.FaultsFor(id) {
			judge(fault.Name, item.Book.Sub(), &fault)
		}
		teacher, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the instructor's launch", User: config.Instructor})
		if !scene.Unseen(id, "score-user-instructor", err, teacher) {
			sub, _ := teacher.Message().Text("sub")
			judge("score-user-instructor", sub, nil, teacher)
		}
		const outside = "score-user-of-other-context"
		name, known := scene.Outsider()
		if !known {
			err := fmt.Errorf("%w: of a user who launches %s and not %s", harness.ErrNoJourney, config.OtherCourse, config.ResourceLink)
			scene.Unseen(id, outside, err, item.Made)
			return
		}
		stranger, err := scene.Control(ctx, harness.PlatformLaunch{Title: "a launch of somebody in another course alone", User: name, Link: config.OtherCourse})
		if !scene.Unseen(id, outside, err, stranger) {
			sub, _ := stranger.Message().Text("sub")
			judge(outside, sub, nil, stranger)
		}
	})
})

// TimeOf is the timestamp of a score that was sent.
func TimeOf(score *harness.PlatformFlow) time.Time {
	text, _ := SentMembers(score)["timestamp"].(string)
	at, _ := time.Parse(time.RFC3339, text) // the run has written it
	return at
}

// Taken judges the answer to a valid score.
func Taken(f *harness.PlatformFlow) (results.Verdict, string) {
	switch f.Exchange.Status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return results.Passed, services.AnsweredWith(f)
	case 0:
		return results.Inconclusive, services.AnsweredWith(f)
	default:
		return results.Failed, "A valid score is refused: " + services.AnsweredWith(f)
	}
}

// resultAfter sends a valid score of the learner and reads the result; the error is
// [harness.ErrNoLaunch] where the score is refused.
func resultAfter(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, score harness.Members, awaited func(gradebook.Result) bool) (*harness.PlatformFlow, gradebook.Result, error) {
	flow, err := scene.Graded(ctx, item, item.Book.Sub(), score)
	if err != nil {
		return flow, gradebook.Result{}, err
	}
	result, err := scene.ResultOf(ctx, item, item.Book.Sub(), awaited)
	return flow, result, err
}

// booked sends a valid score of the learner, 8 of 10, and waits until it is in the results,
// where they can be read; the error is [harness.ErrNoLaunch] where it does not get there.
func booked(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem) (*harness.PlatformFlow, error) {
	score, fraction := Points(8, 10), 0.8
	if Unread(scene) {
		return scene.Graded(ctx, item, item.Book.Sub(), score)
	}
	flow, result, err := resultAfter(ctx, scene, item, score, Amounts(fraction))
	if err == nil && !Amounts(fraction)(result) {
		err = fmt.Errorf("%w: after a score of %s of the maximum %s", harness.ErrNoLaunch, lti.Wire(fraction), result)
	}
	return flow, err
}

// JudgeUnmoved adds to a judgement of a score's answer that the result has to stay
// what it was. Where no results can be read, the answer alone is judged.
func JudgeUnmoved(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string, verdict results.Verdict, says string, was float64, flow *harness.PlatformFlow) {
	flows := append(LaunchedFor(item), flow)
	if Unread(scene) {
		scene.Observe(id, stimulus, verdict, "", says, flows...)
		return
	}
	moved := func(r gradebook.Result) bool { return !Amounts(was)(r) }
	if !flow.Succeeded() {
		moved = func(gradebook.Result) bool { return true } // what was refused is not waited for
	}
	result, err := scene.ResultOf(ctx, item, item.Book.Sub(), moved)
	if scene.Unseen(id, stimulus, err, flows...) {
		return
	}
	if !Amounts(was)(result) {
		verdict, says = results.Failed, fmt.Sprintf("HTTP %d, and %s.", flow.Exchange.Status, result)
	}
	scene.Observe(id, stimulus, verdict, "", says, append(flows, result.Flow)...)
}

var _ = Describe("A platform's results", func() {
	It("are those of one line item, one of each user", For("ags-results-list"), func(ctx SpecContext) {
		const id = "ags-results-list"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		const separate, latest = "results-of-two-items", "results-after-two-scores"
		second, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the second learner's launch", User: config.SecondLearner})
		if !scene.Unseen(id, separate, err, second) {
			sub, _ := second.Message().Text("sub")
			judgeSeparate(ctx, scene, book, id, separate, sub, second)
		}
		item, err := scene.GradedItem(ctx, book, nil)
		if err == nil {
			_, err = scene.Graded(ctx, item, book.Sub(), Points(2, 10))
		}
		if err == nil {
			_, err = scene.Graded(ctx, item, book.Sub(), Points(6, 10))
		}
		if scene.Unseen(id, latest, err, book.Launch) {
			return
		}
		judgeResults(ctx, scene, item, id, latest, map[string]float64{book.Sub(): 0.6}, book.Launch)
	})

	It("can be those of one user, and go on where a page ends", For("ags-results-filter-and-paging"), func(ctx SpecContext) {
		const id = "ags-results-filter-and-paging"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		second, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the second learner's launch", User: config.SecondLearner})
		sub := ""
		if err == nil {
			sub, _ = second.Message().Text("sub")
			_, err = scene.Graded(ctx, item, sub, Points(3, 10))
		}
		if err == nil {
			_, err = scene.Graded(ctx, item, item.Book.Sub(), Points(7, 10))
		}
		if err == nil && !Unread(scene) {
			_, err = scene.ResultOf(ctx, item, item.Book.Sub(), Amounts(0.7)) // they may take their time
		}
		if AllUnseen(scene, id, err, append(LaunchedFor(item), second)...) {
			return
		}
		ofUser := queryOf("user_id", sub)
		for stimulus, c := range map[string]struct {
			query string
			users []string
		}{
			"results-of-user": {ofUser, []string{sub}}, "results-of-unknown-user": {queryOf("user_id", faketool.StrangerSub), nil},
			"results-limit-1": {"limit=1", []string{item.Book.Sub(), sub}}, "results-of-user-limit-1": {ofUser + "&limit=1", []string{sub}},
		} {
			list, err := gradebook.AsIs(scene.Results(ctx, item, stimulus, c.query))
			if scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
				continue
			}
			wrong := wrongUsers(list, c.users, item.Made != nil || strings.Contains(c.query, "user_id="))
			for _, page := range list.Flows {
				if n := countOf(page); wrong == "" && n > 1 {
					wrong = fmt.Sprintf("a page has %d elements", n)
				}
			}
			if stimulus == "results-of-unknown-user" && len(WithScore(list)) > 0 { // it ignores the filter, and tells of others
				scene.Observe(id, stimulus, harness.Breach, "", Seen(wrong), append(LaunchedFor(item), list.Flows...)...)
				continue
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(LaunchedFor(item), list.Flows...)...)
		}
	})
})

// judgeSeparate judges whether the results of two line items are kept apart.
func judgeSeparate(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, id requirements.ID, stimulus, second string, flows ...*harness.PlatformFlow) {
	var items []*gradebook.LineItem
	for range 2 {
		item, err := scene.MakeLineItem(ctx, book, nil)
		if scene.Unseen(id, stimulus, err, book.Launch) {
			return
		}
		items = append(items, item)
	}
	scores := []map[string]float64{{book.Sub(): 0.3, second: 0.4}, {book.Sub(): 0.9}}
	for i, item := range items {
		for sub, fraction := range scores[i] {
			if _, err := scene.Graded(ctx, item, sub, Points(fraction*10, 10)); scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
				return
			}
		}
	}
	for i, item := range items {
		judgeResults(ctx, scene, item, id, stimulus, scores[i], flows...)
	}
}

// judgeResults judges whether the results of a line item are some scores, by sub, and
// nothing else where the line item is the run's own.
func judgeResults(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string, scores map[string]float64, flows ...*harness.PlatformFlow) {
	for sub, fraction := range scores {
		if _, err := scene.ResultOf(ctx, item, sub, Amounts(fraction)); scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
			return
		}
	}
	list, err := gradebook.AsIs(scene.Results(ctx, item, "the results", ""))
	if scene.Unseen(id, stimulus, err, LaunchedFor(item)...) {
		return
	}
	var users []string
	for sub := range scores {
		users = append(users, sub)
	}
	wrong := wrongList(list.Flows[0], lti.MediaTypeResultContainer, false)
	if wrong == "" {
		wrong = wrongUsers(list, users, item.Made != nil)
	}
	for _, element := range list.Elements {
		result := gradebook.Result{Members: element}
		sub, _ := element["userId"].(string)
		fraction, ours := scores[sub]
		if wrong == "" {
			wrong = wrongResult(element, item.ID)
		}
		if wrong == "" && ours && !Amounts(fraction)(result) {
			wrong = fmt.Sprintf("after %s of 10 %s", lti.Wire(fraction*10), result)
		}
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(append(LaunchedFor(item), flows...), list.Flows...)...)
}

// WithScore are the results of a list that have a score: a platform may list learners who
// have none.
func WithScore(l *gradebook.Listing) []harness.Members {
	return slices.DeleteFunc(slices.Clone(l.Elements), func(result harness.Members) bool { return result["resultScore"] == nil })
}

// wrongUsers says what is wrong with results that have to be those of some users, once
// each, and of nobody else where alone is set. Who has no score does not matter.
func wrongUsers(l *gradebook.Listing, subs []string, alone bool) string {
	count := map[string]int{}
	for _, element := range WithScore(l) {
		sub, _ := element["userId"].(string)
		count[sub]++
	}
	if l.Wrong != "" {
		return l.Wrong
	}
	for _, sub := range slices.Sorted(maps.Keys(count)) {
		if count[sub] > 1 {
			return fmt.Sprintf("%s has %d results", results.Bounded(sub, 100), count[sub])
		}
	}
	for _, sub := range subs {
		if count[sub] == 0 {
			return fmt.Sprintf("there is no result of %s", results.Bounded(sub, 100))
		}
	}
	if alone && len(count) > len(subs) {
		return fmt.Sprintf("there are results of %d users instead of %d", len(count), len(subs))
	}
	return ""
}

// wrongResult says what is wrong with a result (Assignment and Grade Services 2.0, 3.3.3
// to 3.3.5).
func wrongResult(r harness.Members, lineItem string) string {
	id, _ := r["id"].(string)
	user, _ := r["userId"].(string)
	_, isNumber := r["resultScore"].(float64)
	maximum, isMaximum := r["resultMaximum"].(float64)
	switch {
	case id == "":
		return fmt.Sprintf("id is %s", lti.Wire(r["id"]))
	case user == "":
		return fmt.Sprintf("userId is %s", lti.Wire(r["userId"]))
	case r["scoreOf"] != lineItem:
		return fmt.Sprintf("scoreOf is %s instead of the line item's id", lti.Wire(r["scoreOf"]))
	case r["resultScore"] != nil && !isNumber:
		return fmt.Sprintf("resultScore is %s instead of a number", lti.Wire(r["resultScore"]))
	case r["resultMaximum"] != nil && (!isMaximum || maximum <= 0):
		return fmt.Sprintf("resultMaximum is %s", lti.Wire(r["resultMaximum"]))
	}
	return ""
}
