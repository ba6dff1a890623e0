package services

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/scenarios/grades/gradebook"
)

// AllScopes are those of [Scopes], and all others that the learner's launch offers where the
// platform declares grade services.
func AllScopes(ctx context.Context, scene *harness.PlatformScenario) ([]string, error) {
	scopes, err := Scopes(ctx, scene)
	if err != nil || !scene.Run().Has(config.ACS) || !scene.Run().Has(config.Grades) {
		return scopes, err
	}
	b, err := offered(ctx, scene)
	if errors.Is(err, harness.ErrNoJourney) {
		return scopes, nil
	}
	for _, scope := range b.Scope {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, err
}

// Scopes are some that the platform grants: those of the Assessment Control Service and of
// scores where the platform has the former, else those that the learner's launch offers.
func Scopes(ctx context.Context, scene *harness.PlatformScenario) ([]string, error) {
	if scene.Run().Has(config.ACS) {
		return []string{lti.ScopeControl, lti.ScopeScore}, nil
	}
	b, err := offered(ctx, scene)
	if err == nil && len(b.Scope) == 0 {
		err = fmt.Errorf("%w: it offers no scopes", harness.ErrNoLaunch)
	}
	return b.Scope, err
}

func offered(ctx context.Context, scene *harness.PlatformScenario) (*gradebook.Book, error) {
	return gradebook.In(scene).Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
}
