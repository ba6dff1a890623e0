// Package platform holds the specs that judge a platform by launches: LTI Core
// 1.3 and the 1EdTech Security Framework 1.0, as a tool sees them. Importing it adds them
// to the program. Its test runs all specs of platforms, those of parts as well.
//
// To add a check: a row in requirements/core.yaml; a claim is judged by an entry
// in message.go, a reaction by a fault in faketool/stimuli.go that provokes it and
// an entry in reactions.go; and a fault in fakeplatform that breaks it. What takes
// several steps, users or links has a file of its own.
package platform

import (
	"context"
	"reflect"
	"slices"

	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
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

// possible makes launches that have to work, but for those after the first one that no
// journey leads to. Of one that does not work it keeps why; the others are returned.
func possible(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus string, wanted ...harness.PlatformLaunch) []*harness.PlatformFlow {
	var flows []*harness.PlatformFlow
	for i, l := range wanted {
		flow, err := scene.Control(ctx, l)
		if i > 0 && NoJourney(err) {
			continue
		}
		if !scene.Unseen(id, stimulus, err, flow) {
			flows = append(flows, flow)
		}
	}
	return flows
}

// same says whether two values of messages are the same. Each may be of any type, also a
// list or an object, which == cannot compare.
func same(a, b any) bool { return reflect.DeepEqual(a, b) }

// having are the launches that have a claim, which is optional: what is sent is judged,
// whatever the platform declares. Where none has it, it keeps that: the feature is
// declared and not shown, or does not bind the platform.
func having(scene *harness.PlatformScenario, id requirements.ID, feature, claim string, flows ...*harness.PlatformFlow) []*harness.PlatformFlow {
	sent := slices.DeleteFunc(slices.Clone(flows), func(f *harness.PlatformFlow) bool { return f.Message().Claims[claim] == nil })
	if len(sent) == 0 && len(flows) > 0 && !scene.Skip(id, "", feature) {
		scene.Observe(id, "", results.Failed, "", "The feature is declared, but no launch has the claim "+claim+".", flows...)
	}
	return sent
}
