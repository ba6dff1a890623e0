package launch

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/fakeplatform"
	"invigilator/harness"
	"invigilator/harness/agent"
	. "invigilator/scenarios"
)

var _ = Describe("A tool, offered a valid launch,", func() {
	DescribeTable("accepts it", For("cert-tool-valid-launch"), func(ctx SpecContext, stimulus string, user fakeplatform.User, in agent.Place) {
		Scene().MustAccept(ctx, "cert-tool-valid-launch", stimulus, harness.Launch{User: user, In: in})
	},
		Entry("of a teacher", "teacher", withMiddleName(harness.Teacher), agent.Tab),
		Entry("of a student", "student", withMiddleName(harness.Learner), agent.Tab),
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

		var flows []*harness.Flow
		accepted := true
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, f.Name, err, flow) {
				accepted = false
				break
			}
			flows = append(flows, flow)
			accepted = accepted && scene.Accepted(flow)
		}
		fetched := platform.KeySetFetches() - fetches
		if !accepted {
			// A tool that keeps to the old key must not fail other launches for it.
			platform.SetKeys(keys)
		}
		for i, flow := range flows {
			scene.MustBeAccepted(ctx, id, fakeplatform.FaultsFor(id)[i].Name, flow)
		}
		if accepted {
			scene.Check(id, "key-added", fetched > 0, "a new request to the key set", fmt.Sprintf("%d requests to the key set", fetched), flows...)
		}
	})
})

// withMiddleName completes the data that a platform may send of a person.
func withMiddleName(user fakeplatform.User) fakeplatform.User {
	user.MiddleName = "Fairfax"
	user.Name = user.GivenName + " " + user.MiddleName + " " + user.FamilyName
	return user
}
