package launch

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/fakeplatform"
	"invigilator/harness"
	"invigilator/harness/agent"
	"invigilator/results"
	. "invigilator/scenarios"
)

var _ = Describe("A tool, offered a valid launch,", func() {
	DescribeTable("accepts it", For("cert-tool-valid-launch"), func(ctx SpecContext, stimulus string, user fakeplatform.User, in agent.Place) {
		Scene().MustAccept(ctx, "cert-tool-valid-launch", stimulus, harness.Launch{User: user, In: in})
	},
		Entry("of a teacher", "teacher", harness.Teacher, agent.Tab),
		Entry("of a student", "student", harness.Learner, agent.Tab),
		Entry("in a new window", "new-window", harness.Learner, agent.Window),
	)

	DescribeTable("accepts it in a frame of another site", For("practice-tool-works-in-cross-site-frame"), func(ctx SpecContext, stimulus string, block bool) {
		Scene().MustAccept(ctx, "practice-tool-works-in-cross-site-frame", stimulus, harness.Launch{In: agent.Frame, BlockThirdPartyCookies: block})
	},
		Entry("with third-party cookies", "frame", false),
		Entry("without third-party cookies", "frame-third-party-cookies-blocked", true),
	)

	DescribeTable("accepts a role that it does not know next to one that it does", For("cert-tool-valid-unknown-role"), func(ctx SpecContext, name string, user fakeplatform.User) {
		Scene().MustAccept(ctx, "cert-tool-valid-unknown-role", name, harness.Launch{User: user, Fault: new(fault(name))})
	},
		Entry("of a teacher", "teacher-with-unknown-role", harness.Teacher),
		Entry("of a student", "student-with-unknown-role", harness.Learner),
	)

	It("fetches the key set again when a launch names a new key", For("oidc-tool-key-rotation"), func(ctx SpecContext) {
		const id = "oidc-tool-key-rotation"
		scene := Scene()
		platform := scene.Run().Platform()
		keys := platform.Keys()
		fetches := platform.KeySetFetches()

		flow := scene.MustAccept(ctx, id, "key-added", harness.Launch{Fault: new(fault("key-added"))})
		if flow == nil || flow.Reaction.Kind != harness.Accepted {
			// A tool that keeps to the old key must not fail other specs for it.
			platform.SetKeys(keys)
			scene.Observe(id, "old-key-removed", results.Inconclusive, "", "Not tried: the new key was not accepted while the old one was still published.", flow)
			return
		}
		fetched := platform.KeySetFetches() - fetches
		scene.Check(id, "key-added", fetched > 0, "a new request to the key set", fmt.Sprintf("%d requests to the key set", fetched), flow)
		removed := scene.MustAccept(ctx, id, "old-key-removed", harness.Launch{Fault: new(fault("old-key-removed"))})
		if removed == nil || removed.Reaction.Kind != harness.Accepted {
			platform.SetKeys(keys)
		}
	})
})
