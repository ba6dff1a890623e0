package proctoring

import (
	"net/http"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	. "invigilator.example/scenarios"
)

// The whole story of one exam, with a picture of each stage in the report.
var _ = Describe("A proctoring tool, through a whole exam,", func() {
	It("checks in, watches over the candidate and sees the candidate off", For("ap-start-assessment-session-data-unchanged", "ap-tool-handles-end-assessment"), InBrowser, func(ctx SpecContext) {
		const checkIn, end = "ap-start-assessment-session-data-unchanged", "ap-tool-handles-end-assessment"
		scene := ProctoringScene()
		browser := scene.Open(ctx)
		defer browser.Close()
		launched, err := scene.Launch(ctx, harness.Launch{Title: "a whole exam: the candidate is at the check-in", By: browser, Stays: true, Link: exam("Algebra")})
		if scene.Unseen(checkIn, "", err, launched) {
			return
		}
		begun, err := scene.GoOn(ctx, "a whole exam: the candidate checks in, and the exam starts", launched, config.CheckIn)
		if scene.Unseen(checkIn, "", err, launched, begun) || NotStarted(scene, checkIn, "", begun) {
			return
		}
		stages := []*harness.Flow{launched, begun}
		wrong := changed(begun, lti.ClaimSessionData)

		// The proctor does what the tool has journeys for; the candidate sees it.
		for _, deed := range []config.Deed{config.Flag, config.Pause, config.Resume, config.Update} {
			if deed == config.Pause && !slices.Contains(scene.Run().Actions(), config.Resume) {
				continue // the candidate could not hand the exam in
			}
			flow, err := scene.Act(ctx, deed, begun)
			if err != nil {
				continue // requirements of their own judge the control of an exam
			}
			looked, err := scene.AtExam(ctx, "a whole exam: what the candidate sees after "+string(deed), begun)
			if err == nil {
				stages = append(stages, flow, looked)
			}
		}
		scene.Check(checkIn, "", wrong == "", "", Seen(wrong), stages...)

		if scene.Undeclared(end) != "" {
			scene.SkipAll(end)
			return
		}
		ended, err := scene.AtExam(ctx, "a whole exam: the candidate hands it in", begun, agent.Action{Verb: agent.Click, Target: proctoring.SubmitButton})
		if scene.Unseen(end, "", err, append(stages, ended)...) {
			return
		}
		stages = append(stages, ended)
		switch status := ended.Trip.Page.Status; {
		case !proctoring.Of(begun.Launch).Attempt().WantsEnd():
			wrong = ""
			if proctoring.Of(begun.Launch).Attempt().Status() != lti.Complete {
				wrong = "the exam could not be handed in: " + ended.End()
			}
		case status == 0 || status >= http.StatusBadRequest:
			wrong = "LtiEndAssessment was not taken: " + ended.End()
		default:
			wrong = ""
		}
		scene.Check(end, "", wrong == "", "", Seen(wrong), stages...)
	})
})
