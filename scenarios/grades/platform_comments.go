package grades

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/lti"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
)

var _ = Describe("A platform's result", func() {
	It("has the comment of the score", For("ags-results-comment"), func(ctx SpecContext) {
		const id = "ags-results-comment"
		scene := gradebook.In(PlatformScene())
		item := graded(ctx, scene, id, nil)
		if item == nil {
			return
		}
		for i, stimulus := range []string{"result-comment", "result-later-comment"} {
			comment := "Well done, " + lti.RandomString()[:12]
			carries := func(r gradebook.Result) bool {
				said, _ := r.Members["comment"].(string)
				return strings.Contains(said, comment)
			}
			flow, result, err := resultAfter(ctx, scene, item, Points(float64(6+i), 10).With(harness.Members{"comment": comment}), carries)
			flows := append(LaunchedFor(item), flow)
			if scene.Unseen(id, stimulus, err, flows...) {
				continue
			}
			says := fmt.Sprintf("The comment was %q, and that of the result is %s.", comment, lti.Wire(result.Members["comment"]))
			if result.Members == nil {
				says = Seen(result.String())
			}
			scene.Check(id, stimulus, carries(result), "", says, append(flows, result.Flow)...)
		}
	})
})
