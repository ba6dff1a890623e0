package grades

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool whose score was answered", func() {
	It("takes every status of success for one", For("ags-tool-score-answers"), func(ctx SpecContext) {
		const id requirements.ID = "ags-tool-score-answers"
		scene := Scene()
		usual, err := handedIn(ctx, scene, scene.Assign(), nil)
		usually := 0
		if sentScore(usual) {
			scene.Lingers(ctx, usual, never)
			usually, err = len(usual.Scores()), nil
		}
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			if scene.Unseen(id, f.Name, err, usual) {
				continue
			}
			if usually == 0 {
				scene.Observe(id, f.Name, results.Inconclusive, "", "No score came: "+usual.End()+".", usual)
				continue
			}
			flow, err := handedIn(ctx, scene, scene.Assign(), &f)
			if sentScore(flow) {
				err = nil // what came of the answer is what is judged
			}
			if scene.Unseen(id, f.Name, err, usual, flow) {
				continue
			}
			scene.Lingers(ctx, flow, never)
			if !slices.ContainsFunc(flow.Scores(), harness.IsTakenScore) {
				scene.Observe(id, f.Name, results.Inconclusive, "", "The gradebook has not taken the score, so that no success was answered.", usual, flow)
				continue
			}
			if usual.Stuck() != nil && flow.Stuck() != nil && !pages.NoneSeen(flow) {
				scene.Observe(id, f.Name, results.Inconclusive, "", "The score came. But for every answer to it, "+flow.Stuck().Error()+".", usual, flow)
				continue
			}
			wrong := wrongAfterSuccess(flow, usually)
			says := Seen(wrong)
			if _, told := flow.Told(); wrong == "" && !told {
				says = "The tool went on. What it told its user was not judged: the configuration has no sign for it."
			}
			scene.Check(id, f.Name, wrong == "", "", says, usual, flow)
		}
	})

	It("tells its user whether it was saved", For("ags-tool-tells-outcome"), func(ctx SpecContext) {
		const id = "ags-tool-tells-outcome"
		scene := Scene()
		for _, f := range fakeplatform.FaultsFor(id) {
			stimulus := f.Name
			flow, err := handedIn(ctx, scene, scene.Assign(), &f)
			if sentScore(flow) {
				err = nil
			}
			if scene.Unseen(id, stimulus, err, flow) {
				continue
			}
			outcome, told := flow.Told()
			switch {
			case len(flow.Scores()) == 0:
				scene.Observe(id, stimulus, results.Inconclusive, "", "No score came: "+flow.End()+".", flow)
			case !told:
				scene.Observe(id, stimulus, results.Skipped, "", "The configuration has no sign of what the tool tells its user: saved or failed of the journey.", flow)
			case stimulus == "score-refused":
				scene.Check(id, stimulus, outcome != harness.ToldSaved, "", "The user was told "+string(outcome)+".", flow)
			case outcome == harness.NotSaved:
				scene.Observe(id, stimulus, results.Skipped, "", "The user was told "+string(outcome)+", which ags-tool-score-answers is about.", flow)
			default:
				scene.Check(id, stimulus, outcome == harness.ToldSaved, "", "The user was told "+string(outcome)+".", flow)
			}
		}
	})
})

// sentScore says whether a user came as far as a score of the tool's, however the
// journey ended then.
func sentScore(f *harness.Flow) bool { return f != nil && f.Attended() && len(f.Scores()) > 0 }

// never is no request: to wait for it is to wait for further ones.
func never(grades.Call) bool { return false }

// wrongAfterSuccess says what a tool makes of a score that was taken and that it
// usually sends so often.
func wrongAfterSuccess(f *harness.Flow, usually int) string {
	outcome, _ := f.Told()
	switch n := len(f.Scores()); {
	case pages.NoneSeen(f) || pages.Crashed(f):
		return "the score had come, and then " + f.End()
	case f.Stuck() != nil:
		return "the score had come, and then " + f.Stuck().Error()
	case n > usually:
		return fmt.Sprintf("the score was sent %d times instead of %d", n, usually)
	case outcome == harness.NotSaved:
		return "the score was taken, and the user was told that it was not saved"
	}
	return ""
}
