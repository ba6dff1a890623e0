package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A Need is something that checks of a platform stand on beside launches, and that the
// preflight may find missing. What needs it is not seen then, and the rest is judged.
type Need string

const (
	launches      Need = "launches"
	tokenEndpoint Need = "token endpoint"
)

// ErrMissing says that the preflight has found something missing that a check needs.
var ErrMissing = errors.New("what this needs did not work in the preflight")

// Lacks is an error that says why a need is missing; nil where it is not.
func (r *PlatformRun) Lacks(needs ...Need) error {
	for _, n := range needs {
		if why := r.missing[n]; why != "" {
			return fmt.Errorf("%w: %s", ErrMissing, results.Bounded(strings.TrimSuffix(why, "."), 1000))
		}
	}
	return nil
}

// TokensFor is what a token for scopes stands on.
func TokensFor(scopes []string) Need {
	for _, p := range parts {
		if slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(p.Scopes, scope) }) {
			return p.tokens()
		}
	}
	return Need("access tokens for " + strings.Join(scopes, " "))
}

// tokens is the need of access tokens for a part's services.
func (p Part) tokens() Need { return Need("access tokens for " + p.Tokens) }

// tokensOfParts are those needs of all parts.
func tokensOfParts() []Need {
	var all []Need
	for _, p := range parts {
		if len(p.Scopes) > 0 {
			all = append(all, p.tokens())
		}
	}
	return all
}

// Obstructed takes down what is in the way of a part of the run: it is told once, and
// what needs it says why it is not seen.
func (s *PlatformScenario) Obstructed(d *results.Diagnosis, missing ...Need) {
	s.Tell("preflight", d.Error(), d.FlowID)
	for _, n := range missing {
		s.run.missing[n] = d.Problem
	}
}

// Misconfigured takes down what the configuration, or a server that is not there, has
// put in the way of some profiles. The first is the diagnosis of the run.
func (s *PlatformScenario) Misconfigured(d *results.Diagnosis, profiles []string, missing ...Need) {
	s.Obstructed(d, missing...)
	judged := slices.DeleteFunc(profiles, func(profile string) bool { return !s.run.config.Judges(profile) })
	if d.Profiles = judged; len(judged) > 0 && s.run.partly == nil {
		s.run.partly = d
	}
}

// ofServices are the profiles that need access tokens.
func (r *PlatformRun) ofServices() []string {
	profiles := []string{requirements.Services}
	if r.Has(config.ACS) {
		profiles = append(profiles, requirements.Proctoring)
	}
	return append(profiles, requirements.Grades, requirements.SubmissionReview)
}

// preflightParts makes sure that what a real platform has beside launches can be judged. What is
// in the way of one part keeps no other from being judged. The error is one of the
// harness, or a [*results.Diagnosis] where launches do not work any more.
func (r *PlatformRun) preflightParts(ctx context.Context, scene *PlatformScenario) (results.Fragment, error) {
	if r.config.IsEmbedded() {
		return scene.fragment, nil
	}
	err := r.preflightOfParts(ctx, scene)
	scene.clear()
	return scene.fragment, err
}
