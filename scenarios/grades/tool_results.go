package grades

import (
	"net/http"
	"regexp"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, reading the results,", func() {
	It("copes with all that they may say, or not", For("ags-tool-results-tolerant"), func(ctx SpecContext) {
		const id, ofOne = "ags-tool-results-tolerant", "results-without-maximum"
		const absent, null = "results-without-score", "results-score-null"
		scene := Scene()
		assignment := scene.Assign()
		work, handed, err := scene.HandIn(ctx, assignment, harness.Launch{})
		if err == nil && scene.Run().CanGrade() {
			_, err = scene.Grade(ctx, work, "7", harness.Launch{})
		}
		if AllUnseen(scene, id, err, handed) {
			return
		}
		usual, err := keptGradebook(ctx, scene, assignment, nil, "an instructor looks at the results", config.ReadResults)
		if err == nil && usual.Stuck() != nil {
			err = usual.Stuck() // it is the journey that is wrong
		}
		if AllUnseen(scene, id, err, usual) {
			return
		}
		showsAbsent := false // absent and null mean the same (Assignment and Grade Services 2.0, 3.3.4)
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := keptGradebook(ctx, scene, assignment, &f, "", config.ReadResults)
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			asked := scene.Await(ctx, flow, func(c grades.Call) bool {
				return c.Service == grades.Results && c.Status == http.StatusOK
			})
			text := flow.Trip.Page.Text
			if f.Name == absent {
				showsAbsent = flow.Stuck() == nil && asked && !pages.Crashed(flow)
			}
			switch {
			case !asked:
				scene.Observe(id, f.Name, results.Inconclusive, "", "The tool did not ask for the results: "+flow.End()+".", flow)
			case pages.Crashed(flow):
				scene.Observe(id, f.Name, results.Failed, "", "The user sees no page, or a server error: "+flow.End()+".", flow)
			case f.Name == "results-first-page-empty" && len(flow.CallsOf(http.MethodGet, grades.Results)) < 2:
				scene.Observe(id, f.Name, results.Failed, "", "The second page was not asked for: "+flow.End()+".", flow)
			case flow.Stuck() != nil && slices.Contains(counting, f.Name):
				scene.Observe(id, f.Name, results.Failed, "", "The user does not see the results: "+flow.Stuck().Error()+".", flow)
			case flow.Stuck() != nil && f.Name == null && showsAbsent:
				scene.Observe(id, f.Name, results.Failed, "", "The user does not see the results, as they do where resultScore is absent: "+flow.Stuck().Error()+".", flow)
			case flow.Stuck() != nil && slices.Contains(unreadable, f.Name):
				scene.Observe(id, f.Name, results.Passed, "", "The tool shows no results: "+flow.End()+".", flow)
			case flow.Stuck() != nil: // there may be nothing to show
				scene.Observe(id, f.Name, results.Inconclusive, "", "The page says something else than usual: "+flow.Stuck().Error()+".", flow)
			case f.Name == ofOne && ofMore.MatchString(text):
				scene.Observe(id, f.Name, results.Failed, "0.83 of 1", "It counts as "+ofMore.FindString(text)+".", flow)
			case f.Name == ofOne && !asPart.MatchString(text):
				scene.Observe(id, f.Name, results.Inconclusive, "0.83 of 1", "The page does not show the result: "+flow.End()+".", flow)
			default:
				scene.Observe(id, f.Name, results.Passed, "", flow.End()+".", flow)
			}
		}
	})
})

// counting are the stimuli in which a learner of the tool has points.
var counting = []string{"results-without-maximum", "results-overridden", "results-with-everything", "results-first-page-empty"}

// unreadable are the stimuli that are no list of results, which a tool may give up.
var unreadable = []string{"results-in-object", "results-with-null", "results-of-other-types"}

var (
	// ofMore matches 0.83 where it counts as a part of more than 1, and asPart where it
	// is shown in any way.
	ofMore = regexp.MustCompile(`\b0[.,]83\s*(of|/|out of)\s*(10|100)\b|\b(8[.,]3|0[.,]83)\s*%`)
	asPart = regexp.MustCompile(`0[.,]83|\b83\b|\b8[.,]3\b`)
)
