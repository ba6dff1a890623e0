package review

import (
	"testing"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/scenarios/judgetest"
)

// row is what a claim, or a body, says in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

func TestAGradeIsTheReviewers(t *testing.T) {
	work := &harness.Work{Learner: fakeplatform.User{Sub: "7"}}
	judgetest.Hold(t, func(text string) string {
		return wrongGrade(judgetest.Score(t, text), work, fakeplatform.User{Sub: "r"})
	},
		row("the reviewer", `{"scoringUserId": "r"}`, ""), row("nobody", "{}", ""), row("null", `{"scoringUserId": null}`, ""), row("the learner", `{"scoringUserId": "7"}`, "scoringUserId is"), row("a list", `{"scoringUserId": ["r"]}`, "scoringUserId is"), row("of the reviewer", `{"userId": "r"}`, "userId is"), row("no object", "7", "userId is absent"),
	)
}
