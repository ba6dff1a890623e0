// Package tokens holds the specs that judge tools and platforms by the access tokens of
// services (1EdTech Security Framework 1.0, 4; RFC 6749, 6750 and 7523): platform.go those
// of platforms, tool.go those of tools. Importing it adds them to the program. Tokens are
// shown by the requests of a service, so it needs scenarios/grades and
// scenarios/proctoring: whichever the subject has will do.
//
// To add a check: a row in requirements/security.yaml or services.yaml; a stimulus of the
// fake on the other side; an entry of a table here; and a defect that it finds.
package tokens

import (
	"context"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/services"
)

func init() {
	harness.AddPart(harness.Part{Profile: requirements.Services, Apart: true, Platform: preflightPlatform})
}

// preflightPlatform makes sure that a real platform grants an access token, unless those who
// judge what it is for see to it.
func preflightPlatform(ctx context.Context, scene *harness.PlatformScenario) (*results.Diagnosis, error) {
	run := scene.Run()
	judges := func(profile string) bool { return run.Has(profile) && run.Config().Judges(profile) }
	scopes := []string{lti.ScopeControl}
	switch {
	case run.Has(config.ACS) && judges(requirements.Proctoring), !run.Has(config.ACS) && (judges(requirements.Grades) || judges(requirements.SubmissionReview)):
		return nil, nil
	case !run.Has(config.ACS):
		scopes, _ = services.Scopes(ctx, scene) // why there are none, scenarios see as well
		if len(scopes) == 0 {
			return nil, nil
		}
	}
	_, err := scene.PreflightToken(ctx, scopes)
	return nil, err
}
