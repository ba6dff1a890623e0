package proctoring

import (
	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// The whole story of one exam, with a picture of each stage in the report.
var _ = Describe("A platform, through a whole exam,", func() {
	It("starts it, does what the proctor asks, and tells the tool of its end", For("ap-platform-accepts-valid-start-assessment", "ap-end-assessment-sent-when-requested"), InBrowser, func(ctx SpecContext) {
		const start, end = "ap-platform-accepts-valid-start-assessment", "ap-end-assessment-sent-when-requested"
		scene := In(PlatformScene())
		exam, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a whole exam: the candidate is sent to the check-in"})
		if scene.Unseen(start, "", err, exam) || scene.Unseen(end, "", err, exam) {
			return
		}
		begun, err := scene.Start(ctx, exam, StartMessage{Title: "a whole exam: the candidate comes back, and it starts", With: wantsEnd})
		if scene.Unseen(start, "", err, exam, begun) || scene.Unseen(end, "", err, exam, begun) {
			return
		}
		if !Started(begun) {
			scene.Observe(start, "", results.Failed, "", "The exam has not started: "+begun.End()+".", exam, begun)
			scene.Observe(end, "", results.Inconclusive, "", "The exam has not started.", exam, begun)
			return
		}
		stages := []*harness.PlatformFlow{exam, begun}

		// What the platform offers to the proctor; requirements of their own judge it.
		for _, action := range []lti.Action{lti.Flag, lti.Pause, lti.Resume, lti.Update} {
			if scene.Undeclared("ap-acs-platform-flag") != "" || !OffersAction(exam, action) || action == lti.Pause && !OffersAction(exam, lti.Resume) {
				continue
			}
			call := Call{Title: "a whole exam: the proctor does " + string(action), Action: action}
			if action == lti.Update {
				call.ExtraTime = new(10)
			}
			flow, err := scene.Act(ctx, exam, call)
			if scene.Unseen(start, "", err, exam, begun) {
				return
			}
			stages = append(stages, flow)
			looked, err := scene.Look(ctx, begun, "a whole exam: what the candidate sees after "+string(action))
			if err == nil {
				stages = append(stages, looked)
			}
		}
		scene.Observe(start, "", results.Passed, "", "The exam has started: "+begun.End()+".", stages...)

		if scene.Undeclared(end) != "" {
			scene.SkipAll(end)
			return
		}
		ended, err := scene.End(ctx, begun, Ending{By: config.SubmitExam})
		if scene.Unseen(end, "", err, append(stages, ended)...) {
			return
		}
		messageType, _ := ended.Message().Text(lti.ClaimMessageType)
		scene.Check(end, "", messageType == lti.EndAssessment, "", "After the candidate has handed the exam in: "+ended.End()+".", append(stages, ended)...)
	})
})
