package platform

import (
	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// What a platform must let no tool know is looked for in every flow of the run: a scene
// that comes upon it keeps that itself.
var _ = Describe("A platform, whose users are signed in,", func() {
	It("keeps their sessions from tools", For("practice-platform-session-stays-secret"), InBrowser, func(ctx SpecContext) {
		const id = "practice-platform-session-stays-secret"
		scene := PlatformScene()
		// What another sign-in of the same user sets to the same value is no session.
		var seat *harness.Seat
		for range 2 {
			at, err := scene.SignIn(ctx, config.Learner)
			if scene.Unseen(id, "", err) {
				return
			}
			defer at.Close()
			seat = at
		}
		flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of a user who has just signed in", By: seat})
		switch {
		case scene.Unseen(id, "", err, flow):
		case !scene.Run().SeesSessions():
			scene.Observe(id, "", results.Skipped, "", "The platform sets no cookie that looks like that of a session, which differs from sign-in to sign-in.", flow)
		case !scene.Failed(id):
			scene.Observe(id, "", results.Passed, "", "Nothing that went to the tool has the value of such a cookie.", flow)
		}
	})
})
