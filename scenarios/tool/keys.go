package tool

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

var _ = Describe("A tool, looking for the platform's key,", func() {
	It("fetches the key set again when a launch names a new key", For("oidc-tool-key-rotation"), func(ctx SpecContext) {
		const id = "oidc-tool-key-rotation"
		scene := Scene()
		platform := scene.Run().Platform()
		keys := platform.Keys()
		fetches := scene.Run().KeySetFetches()
		var flows []*harness.Flow
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.LaunchWithNewKey(ctx, harness.Launch{Fault: &f})
			if scene.Unseen(id, f.Name, err, flow) {
				return
			}
			flows = append(flows, flow)
		}
		byTool, byAnybody := scene.Run().FetchedSince(fetches)
		if slices.ContainsFunc(flows, func(f *harness.Flow) bool { return !scene.Accepted(f) }) {
			// A tool that keeps to the old key must not fail other launches for it.
			platform.SetKeys(keys)
		} else {
			scene.Check(id, "key-added", byTool+byAnybody > 0, "a new request to the key set", fmt.Sprintf("%d requests to the key set", byTool+byAnybody), flows...)
		}
		for i, f := range fakeplatform.FaultsFor(id) {
			scene.MustBeAccepted(ctx, id, f.Name, flows[i])
		}
	})

	// withdrawn is an attempt with a key that a launch was accepted with, and
	// that has not been published since.
	withdrawn := func(scene *harness.Scenario, name string, ago time.Duration) harness.Attempt {
		f := PlatformFault(name)
		return harness.Attempt{Stimulus: name, Make: func(ctx context.Context) (*harness.Flow, error) {
			used, err := scene.Acquaint(ctx, fakeplatform.NewKeySigns)
			if err != nil {
				return used, err
			}
			if err := scene.Pass(ctx, ago); err != nil {
				return used, err
			}
			return scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, Other: used})
		}}
	}

	It("forgets a key that the platform has withdrawn", For("practice-tool-removed-key"), func(ctx SpecContext) {
		scene := Scene()
		scene.MustRefuse(ctx, "practice-tool-removed-key",
			withdrawn(scene, "removed-key-after-5-seconds", 5*time.Second),
			withdrawn(scene, "removed-key-after-15-minutes", 15*time.Minute),
		)
	})

	It("refuses a launch whose key cannot be had, and recovers", For("sec-tool-jwks-unavailable"), func(ctx SpecContext) {
		const id, again = "sec-tool-jwks-unavailable", "key-set-good-again"
		scene := Scene()
		var attempts []harness.Attempt
		for _, f := range fakeplatform.FaultsFor(id) {
			if !f.Permitted {
				attempts = append(attempts, scene.AttemptWithoutKey(f))
			}
		}
		scene.MustRefuse(ctx, id, attempts...)

		fetches := scene.Run().KeySetFetches()
		broken, err := scene.Launch(ctx, harness.Launch{Title: "a launch with a new key, while the key set answers 500", Fault: new(PlatformFault("key-set-500"))})
		if err == nil && !scene.Run().LookedForKey(fetches) {
			err = harness.ErrNotAsked
		}
		if !scene.Unseen(id, again, err, broken) {
			scene.MustAccept(ctx, id, again, harness.Launch{Fault: new(PlatformFault(again)), Other: broken})
		}
	})

	It("trusts no key that the token brings along or points to", For("sec-tool-embedded-key-not-trusted"), func(ctx SpecContext) {
		const id = "sec-tool-embedded-key-not-trusted"
		scene := Scene()
		platform := scene.Run().Platform()
		var attempts []harness.Attempt
		for _, f := range fakeplatform.FaultsFor(id) {
			a := scene.Attempt(f)
			launch := a.Make
			a.Make = func(ctx context.Context) (*harness.Flow, error) {
				asked := platform.StrangerAsked()
				flow, err := launch(ctx)
				if n := platform.StrangerAsked() - asked; err == nil && n > 0 {
					scene.Observe(id, f.Name, results.Failed, "", fmt.Sprintf("The tool asked for the stranger's key %d times.", n), flow)
				}
				return flow, err
			}
			attempts = append(attempts, a)
		}
		scene.MustRefuse(ctx, id, attempts...)
	})
})
