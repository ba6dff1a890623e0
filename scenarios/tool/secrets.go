package tool

import (
	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// What a tool must let nobody know is looked for in every flow of the run: a scene that
// comes upon it keeps that itself. Here are those flows in which it would show first.
var _ = Describe("A tool, whose users come and go,", func() {
	It("keeps the tokens of the platform out of addresses", For("rfc6750-tool-tokens-not-in-addresses"), InBrowser, func(ctx SpecContext) {
		const id = "rfc6750-tool-tokens-not-in-addresses"
		scene := Scene()
		flow, err := scene.Launch(ctx, harness.Launch{Title: "a launch"})
		if scene.Unseen(id, "", err, flow) {
			return
		}
		if !scene.Accepted(flow) {
			scene.Observe(id, "", results.Inconclusive, "", "The launch was not accepted: "+flow.End()+".", flow)
			return
		}
		found(scene, id, "None of the addresses to which the launch has led has the id_token.", flow)
		if !scene.Run().Has(config.Grades) {
			return
		}
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if scene.Unseen(id, "", err, handed) {
			return
		}
		after, err := scene.Launch(ctx, harness.Launch{Title: "the learner's next launch, where the tool has an access token", User: work.Learner, Assignment: &work.Assignment, Stays: true})
		if !scene.Unseen(id, "", err, handed, after) && scene.Accepted(after) {
			found(scene, id, "None of the addresses has an access token.", handed, after)
		}
	})

	It("keeps their sessions from the platform", For("practice-tool-session-stays-secret"), InBrowser, func(ctx SpecContext) {
		const id = "practice-tool-session-stays-secret"
		scene := Scene()
		browser := scene.Open(ctx)
		defer browser.Close()
		exit := PlatformFault("exit-button")
		first, err := scene.Launch(ctx, harness.Launch{Title: "a user's launch", By: browser, Fault: &exit})
		if scene.Unseen(id, "", err, first) {
			return
		}
		flows := []*harness.Flow{first}
		if scene.Run().Tool().ReturnSelector != "" && first.OffersExit() {
			back, _, err := scene.TakeWayBack(ctx, "the way back", first, false)
			if scene.Unseen(id, "", err, first) {
				return
			}
			flows = append(flows, back)
		}
		next, err := scene.Launch(ctx, harness.Launch{Title: "the user's next launch", By: browser, LoggedIn: true})
		if scene.Unseen(id, "", err, first, next) {
			return
		}
		switch {
		case !scene.Accepted(first) || !scene.Accepted(next):
			scene.Observe(id, "", results.Inconclusive, "", "The launches were not both accepted: "+first.End()+"; "+next.End()+".", first, next)
		case !scene.Run().SeesSessions():
			scene.Observe(id, "", results.Skipped, "", "The tool sets no cookie that looks like that of a session.", first, next)
		default:
			found(scene, id, "Nothing that went to the platform has the value of such a cookie.", append(flows, next)...)
		}
	})
})

// found keeps that nothing was found which would have been kept already.
func found(scene *harness.Scenario, id requirements.ID, nothing string, flows ...*harness.Flow) {
	if !scene.Failed(id) {
		scene.Observe(id, "", results.Passed, "", nothing, flows...)
	}
}
