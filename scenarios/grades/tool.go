package grades

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, sending a score,", func() {
	It("sends it to the line item's address with /scores added to the path", For("ags-tool-score-url"), func(ctx SpecContext) {
		const id, plain = "ags-tool-score-url", "score-url-plain"
		scene := Scene()
		usual := scored(ctx, scene, id, plain, nil)
		if usual == nil {
			return
		}
		JudgeScoreURL(scene, id, plain, usual)
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := handedIn(ctx, scene, scene.Assign(), &f)
			if !scene.Unseen(id, f.Name, err, flow) {
				JudgeScoreURL(scene, id, f.Name, flow)
			}
		}
	})

	It("says in it what the specification asks for", For("ags-tool-score-members"), InBrowser, func(ctx SpecContext) {
		const id, ungraded = "ags-tool-score-members", "score-not-graded-yet"
		scene := Scene()
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if scene.Unseen(id, ungraded, err, handed) {
			return
		}
		if scene.Await(ctx, handed, harness.IsScore) {
			score := ScoreOf(handed.Scores()[0])
			wrong := wrongScore(handed.Scores()[0], work)
			if given, isNumber := score["scoreGiven"].(float64); wrong == "" && isNumber && given == 0 && score["gradingProgress"] != string(lti.FullyGraded) {
				wrong = "scoreGiven is 0, though nobody has graded the work"
			}
			scene.Check(id, ungraded, wrong == "", "", Seen(wrong)+" "+Told(handed.Scores()[0]), handed)
		} else if denied := scene.Run().Denied(lti.GradeScopes...); !scene.Unseen(id, ungraded, denied, handed) {
			scene.Observe(id, ungraded, results.Skipped, "", "The tool sends no score before it is graded: "+handed.End()+".", handed)
		}
		for stimulus, points := range map[string]string{"score-earned-zero": "0", "score-earned-above-maximum": "12"} {
			flow, err := scene.Grade(ctx, work, points, harness.Launch{})
			if scene.Unseen(id, stimulus, err, flow) {
				continue
			}
			switch came := scene.Await(ctx, flow, harness.IsScore); {
			case !came && stimulus == "score-earned-above-maximum" && !pages.Crashed(flow) && scene.Run().Denied(lti.GradeScopes...) == nil:
				scene.Observe(id, stimulus, results.Skipped, "", "The tool lets nobody earn more than the maximum: "+flow.End()+".", flow)
			case !came:
				NoScore(scene, id, stimulus, results.Failed, flow)
			default:
				call := flow.Scores()[0]
				wrong := wrongScore(call, work)
				if _, given := ScoreOf(call)["scoreGiven"].(float64); wrong == "" && !given {
					wrong = "scoreGiven is missing"
				}
				scene.Check(id, stimulus, wrong == "", "", Seen(wrong)+" "+Told(call), flow)
			}
		}
	})

	It("says when it was set, each later than the one before", For("ags-tool-score-timestamp", "sr-tool-score-timestamp-grows"), func(ctx SpecContext) {
		const id, twice, inReview, graded = "ags-tool-score-timestamp", "score-twice-at-once", "sr-tool-score-timestamp-grows", "graded-twice"
		scene := Scene()
		both := func(observe func(id requirements.ID, stimulus string)) {
			observe(id, twice)
			if scene.Undeclared(inReview) == "" {
				observe(inReview, graded)
			} else {
				scene.SkipAll(inReview)
			}
		}
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		flows := []*harness.Flow{handed}
		calls := []grades.Call{}
		if err == nil && scene.Await(ctx, handed, harness.IsScore) {
			calls = handed.Scores()
		}
		canGrade, grades := scene.Run().CanGrade(), 0
		if err == nil && canGrade {
			var more []*harness.Flow
			more, err = gradedAtOnce(ctx, scene, work, nil, "7", "8")
			flows, grades = append(flows, more...), len(scoresOf(more))
			calls = append(calls, scoresOf(more)...)
		} else if err == nil {
			_, again, againErr := scene.HandIn(ctx, work.Assignment, harness.Launch{Title: "the learner hands in work once more", User: work.Learner})
			if againErr == nil {
				scene.Await(ctx, again, harness.IsScore)
			}
			flows, calls = append(flows, again), append(calls, again.Scores()...)
		}
		wrong := wrongTimestamps(calls, false)
		both(func(id requirements.ID, stimulus string) {
			switch {
			case scene.Unseen(id, stimulus, err, flows...):
			case len(calls) == 0 && scene.Unseen(id, stimulus, scene.Run().Denied(lti.GradeScopes...), flows...):
			case len(calls) < 2 && !canGrade:
				scene.Observe(id, stimulus, results.Skipped, "", fmt.Sprintf("%d scores came: the tool takes work only once, and nobody grades it.", len(calls)), flows...)
			case wrong != "":
				scene.Observe(id, stimulus, results.Failed, "", Seen(wrong), flows...)
			case canGrade && grades < 2:
				scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("%d scores came of a work that was graded twice.", grades), flows...)
			default:
				scene.Observe(id, stimulus, results.Passed, "", Seen(wrong), flows...)
			}
		})
	})

	It("says no earlier time when it sends one again", For("ags-tool-score-timestamp"), func(ctx SpecContext) {
		const id, stimulus = "ags-tool-score-timestamp", "score-retried-after-503"
		scene := Scene()
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{Fault: new(PlatformFault(stimulus))})
		failed := toldOfFailure(handed)
		if !failed && scene.Unseen(id, stimulus, err, handed) {
			return
		}
		flows, again := []*harness.Flow{handed}, []grades.Call(nil)
		if !scene.Await(ctx, handed, harness.IsTakenScore) && !failed && scene.Run().CanGrade() { // it is the reviewer who has to try again
			more, err := gradedAtOnce(ctx, scene, work, new(PlatformFault(stimulus)), "7", "7")
			if scene.Unseen(id, stimulus, err, append(flows, more...)...) {
				return
			}
			flows, again = append(flows, more...), scoresOf(more)
		}
		calls := append(handed.Scores(), again...)
		if len(calls) < 2 {
			scene.Observe(id, stimulus, results.Skipped, "", fmt.Sprintf("%d scores came: the tool does not try again.", len(calls)), flows...)
			return
		}
		wrong := wrongTimestamps(calls, true)
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flows...)
	})

	It("says in it when the work was handed in", For("sr-tool-score-submission-object"), func(ctx SpecContext) {
		const id = "sr-tool-score-submission-object"
		scene := Scene()
		_, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if scene.Unseen(id, "", err, handed) {
			return
		}
		if !scene.Await(ctx, handed, harness.IsScore) {
			NoScore(scene, id, "", results.Failed, handed)
			return
		}
		wrong := wrongSubmission(ScoreOf(handed.Scores()[0]))
		scene.Check(id, "", wrong == "", "", Seen(wrong)+" "+Told(handed.Scores()[0]), handed)
	})
})

// handedIn is work that a learner has handed in, up to its score, or up to the score
// that a reviewer gives where the tool sends none before. What it was launched with
// otherwise is the fault's.
func handedIn(ctx SpecContext, scene *harness.Scenario, a harness.Assignment, f *fakeplatform.Fault) (*harness.Flow, error) {
	l := harness.Launch{Fault: f}
	if f != nil {
		l.Title = f.Name + ": " + f.Does
	}
	work, handed, err := scene.HandIn(ctx, a, l)
	if err != nil || scene.Await(ctx, handed, harness.IsScore) {
		return handed, err
	}
	if denied := scene.Run().Denied(lti.GradeScopes...); denied != nil {
		return handed, denied
	}
	if !scene.LearnItem(work) || !scene.Run().CanGrade() {
		return handed, nil
	}
	graded, err := scene.Grade(ctx, work, "7", l)
	if err == nil && scene.Await(ctx, graded, harness.IsScore) {
		return graded, nil
	}
	return handed, nil // what came of handing it in says more
}

// toldOfFailure says whether a journey ended on what the tool tells when the gradebook
// has not done what it was asked for, or has answered in another way than the tool knows.
func toldOfFailure(f *harness.Flow) bool {
	return f != nil && len(f.Calls()) > 0 && (f.Stuck() != nil || f.Reaction.Kind != harness.Accepted)
}

// StuckWithoutScore is where a journey got stuck before a score came; nil where it got
// through, or one has come.
func StuckWithoutScore(f *harness.Flow) error {
	if f.Stuck() == nil || len(f.Scores()) > 0 {
		return nil
	}
	return f.Stuck()
}

// scored is work whose score has come; nil where none has, which is kept.
func scored(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string, f *fakeplatform.Fault) *harness.Flow {
	flow, err := handedIn(ctx, scene, scene.Assign(), f)
	if scene.Unseen(id, stimulus, err, flow) {
		return nil
	}
	if len(flow.Scores()) == 0 {
		NoScore(scene, id, stimulus, results.Inconclusive, flow)
		return nil
	}
	return flow
}

// NoScore keeps that no score has come where one had to: with that verdict, unless the
// tool gets no access token to send one with.
func NoScore(scene *harness.Scenario, id requirements.ID, stimulus string, verdict results.Verdict, flows ...*harness.Flow) {
	if !scene.Unseen(id, stimulus, scene.Run().Denied(lti.GradeScopes...), flows...) {
		scene.Observe(id, stimulus, verdict, "", "No score came: "+flows[len(flows)-1].End()+".", flows...)
	}
}

// gradedAtOnce has two reviews of a work opened, which are graded then one after the
// other.
func gradedAtOnce(ctx SpecContext, scene *harness.Scenario, work *harness.Work, f *fakeplatform.Fault, points ...string) (flows []*harness.Flow, err error) {
	if !scene.Run().CanGrade() {
		return nil, fmt.Errorf("%w: does %s", harness.ErrNoJourney, config.Grade)
	}
	var opened []*harness.Flow
	for range points {
		browser := scene.Open(ctx)
		defer browser.Close()
		flow, err := scene.Launch(ctx, harness.Launch{Title: "a review that will be graded", Review: work, By: browser, Fault: f})
		if err != nil {
			return append(flows, flow), err
		}
		opened = append(opened, flow)
	}
	for i, review := range opened {
		flow, err := scene.GoOn(ctx, "the reviewer gives "+points[i]+" points", review, config.Grade, "{score}", points[i])
		if err == nil {
			err = StuckWithoutScore(flow)
		}
		if err != nil {
			return append(flows, flow), err
		}
		flows = append(flows, flow)
	}
	scene.AwaitScores(ctx, flows[0], len(points)) // the others' came meanwhile
	return flows, nil
}

// scoresOf are those that came of reviews which were graded one after the other.
func scoresOf(graded []*harness.Flow) []grades.Call {
	if len(graded) == 0 {
		return nil
	}
	return graded[0].Scores() // all that came since the first was graded
}

// JudgeScoreURL judges where a score went.
func JudgeScoreURL(scene *harness.Scenario, id requirements.ID, stimulus string, flow *harness.Flow) {
	item, _ := flow.Sent().Object(lti.ClaimAGS)["lineitem"].(string)
	path, query, hasQuery := strings.Cut(item, "?")
	want := path + "/scores"
	if hasQuery {
		want += "?" + query
	}
	posts := slices.DeleteFunc(slices.Clone(flow.Calls()), func(c grades.Call) bool { return c.Method != http.MethodPost })
	if len(posts) == 0 {
		scene.Observe(id, stimulus, results.Failed, want, "No score came, though one came for an ordinary line item: "+flow.End()+".", flow)
		return
	}
	scene.Check(id, stimulus, strings.HasSuffix(want, posts[0].Target), want, "The score went to "+results.Bounded(posts[0].Target, 300)+".", flow)
}

// ScoreOf returns the members of a score.
func ScoreOf(c grades.Call) map[string]any { return membersOf(c.Body) }

// membersOf returns those of an object; none where it is no object.
func membersOf(body []byte) map[string]any {
	var members map[string]any
	_ = json.Unmarshal(body, &members) // no members where it is none
	return members
}

// Told shows what a request told.
func Told(c grades.Call) string {
	return "It was " + results.Bounded(string(c.Body), 400) + "."
}

// wrongScore says what is wrong with a score for a work (Assignment and Grade
// Services 2.0, 3.4).
func wrongScore(c grades.Call, work *harness.Work) string {
	score := ScoreOf(c)
	if content, _, _ := mime.ParseMediaType(c.ContentType); content != lti.MediaTypeScore {
		return fmt.Sprintf("Content-Type is %q", results.Bounded(c.ContentType, 200))
	}
	if score == nil {
		return "the body is not a JSON object"
	}
	if score["userId"] != work.Learner.Sub {
		return fmt.Sprintf("userId is %s instead of %q", lti.Wire(score["userId"]), work.Learner.Sub)
	}
	for _, name := range slices.Sorted(maps.Keys(score)) {
		if score[name] == nil && name != "scoreGiven" {
			return name + " is null"
		}
	}
	activity, _ := score["activityProgress"].(string)
	grading, _ := score["gradingProgress"].(string)
	switch {
	case !slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(activity)):
		return "activityProgress is " + lti.Wire(score["activityProgress"])
	case !slices.Contains(lti.GradingProgresses, lti.GradingProgress(grading)):
		return "gradingProgress is " + lti.Wire(score["gradingProgress"])
	case score["timestamp"] == nil:
		return "timestamp is missing"
	}
	maximum, hasMaximum := score["scoreMaximum"].(float64)
	if value, sent := score["scoreMaximum"]; sent && (!hasMaximum || maximum <= 0) {
		return "scoreMaximum is " + lti.Wire(value)
	}
	if given := score["scoreGiven"]; given != nil {
		if points, isNumber := given.(float64); !isNumber || points < 0 {
			return "scoreGiven is " + lti.Wire(given)
		}
		if !hasMaximum {
			return "scoreGiven comes without scoreMaximum"
		}
	}
	if scorer, sent := score["scoringUserId"]; sent {
		if text, _ := scorer.(string); text == "" {
			return "scoringUserId is " + lti.Wire(scorer)
		}
	}
	return ""
}

// timestampSkew is how far a timestamp may be from the request that tells it.
const timestampSkew = 5 * time.Minute

// instantOf reads an instant of ISO 8601 that is finer than a second and has a zone.
func instantOf(value any) (time.Time, bool) {
	text, _ := value.(string)
	at, ok := lti.Instant(text)
	return at, ok && strings.ContainsAny(text, ".,")
}

// wrongTimestamps says what is wrong with the timestamps of a learner's scores, in
// the order in which they came. Where it is one score that was sent again, it may
// keep its own.
func wrongTimestamps(calls []grades.Call, again bool) string {
	var last time.Time
	for _, c := range calls {
		value := ScoreOf(c)["timestamp"]
		at, ok := instantOf(value)
		switch {
		case !ok:
			return "timestamp is " + lti.Wire(value) + ", without a fraction of a second or a zone"
		case at.Sub(c.At).Abs() > timestampSkew:
			return fmt.Sprintf("timestamp is %s, %.0f seconds away from the request", lti.Wire(value), at.Sub(c.At).Abs().Seconds())
		case at.Before(last), at.Equal(last) && !again:
			return fmt.Sprintf("timestamp is %s, and was %s before", lti.Wire(value), last.Format(time.RFC3339Nano))
		}
		last = at
	}
	return ""
}

// wrongSubmission says what is wrong with what a score says of handing in (Assignment
// and Grade Services 2.0, 3.4.10).
func wrongSubmission(score map[string]any) string {
	if progress := score["activityProgress"]; progress != string(lti.Submitted) && progress != string(lti.Completed) {
		return "activityProgress is " + lti.Wire(progress)
	}
	if _, sent := score["submissionReview"]; sent {
		return "the score has submissionReview"
	}
	submission, _ := score["submission"].(map[string]any)
	submitted, ok := instantOf(submission["submittedAt"])
	if !ok {
		return "submission.submittedAt is " + lti.Wire(submission["submittedAt"])
	}
	if value, sent := submission["startedAt"]; sent {
		started, ok := instantOf(value)
		switch {
		case !ok:
			return "submission.startedAt is " + lti.Wire(value)
		case started.After(submitted):
			return "submission.startedAt is after submittedAt"
		}
	}
	if at, ok := instantOf(score["timestamp"]); ok && submitted.After(at) {
		return "submission.submittedAt is after timestamp"
	}
	return ""
}
