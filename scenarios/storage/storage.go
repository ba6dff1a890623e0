// Package storage holds the specs that judge tools and platforms by LTI OIDC Login with LTI Client Side
// postMessages 0.1, LTI Client Side postMessages 0.1 and LTI postMessage Storage 0.1: launches whose
// state a platform keeps in the browser. Importing it adds them to the program.
//
// To add a check: a case in requirements/core.yaml; of a tool a stimulus in fakeplatform/storage, and of
// a platform the messages that a page of the fake tool posts, in platform.go; and a fault of the judged
// side, in defects.go of fakeplatform/storage or faketool/storage.
package storage

import (
	"context"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// profile is that of the catalogue, and the feature that declares it.
const profile = requirements.PlatformStorage

func init() {
	harness.AddPart(harness.Part{Profile: profile, Platform: preflightPlatform})
}

// preflightPlatform makes sure that a real platform can be led to a launch in a frame.
func preflightPlatform(ctx context.Context, scene *harness.PlatformScenario) (*results.Diagnosis, error) {
	_, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "a launch in a frame", Link: config.InFrame})
	return nil, err
}
