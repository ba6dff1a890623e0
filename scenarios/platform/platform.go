// Package platform holds the specs that judge a platform: LTI Core 1.3, the
// 1EdTech Security Framework 1.0 and, in proctoring*.go, Proctoring Services 1.0,
// in grades*.go Assignment and Grade Services 2.0 and in review*.go the Submission
// Review Service 1.0, as a tool sees them. Importing it adds them to the program.
//
// To add a check: a row in requirements/core.yaml; a claim is judged by an entry
// in message.go, a reaction by a fault in faketool/stimuli.go that provokes it and
// an entry in reactions.go; and a fault in fakeplatform that breaks it. What takes
// several steps, users or links has a file of its own.
package platform

import (
	"context"

	"invigilator/harness"
	"invigilator/requirements"
	"invigilator/results"
)

// launches makes launches that have to work, one after the other. Where one does
// not, it keeps why the requirements could not be judged, and returns nil.
func launches(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus string, wanted ...harness.PlatformLaunch) []*harness.PlatformFlow {
	var flows []*harness.PlatformFlow
	for _, l := range wanted {
		flow, err := scene.Control(ctx, l)
		if scene.Unseen(id, stimulus, err, flow) {
			return nil
		}
		flows = append(flows, flow)
	}
	return flows
}

// absent is the verdict on a claim that the platform declares and does not send.
func absent(scene *harness.PlatformScenario, id requirements.ID, claim string, flows ...*harness.PlatformFlow) {
	scene.Observe(id, "", results.Failed, "", "The feature is declared, but no launch has the claim "+claim+".", flows...)
}
