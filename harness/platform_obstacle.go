package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A need is something that checks of a platform stand on beside launches, and that the
// preflight may find missing. What needs it is not seen then, and the rest is judged.
type need string

const (
	launches      need = "launches"
	tokenEndpoint need = "token endpoint"
	controlTokens need = "access tokens for the control of exams"
	gradeTokens   need = "access tokens for the grade services"
	gradeServices need = "grade services"
	exams         need = "exams"
	startedExams  need = "exams that start"
	reviews       need = "reviews"
)

// errMissing says that the preflight has found something missing that a check needs.
var errMissing = errors.New("what this needs did not work in the preflight")

// lacks is an error that says why a need is missing; nil where it is not.
func (r *PlatformRun) lacks(needs ...need) error {
	for _, n := range needs {
		if why := r.missing[n]; why != "" {
			return fmt.Errorf("%w: %s", errMissing, results.Bounded(strings.TrimSuffix(why, "."), 1000))
		}
	}
	return nil
}

// tokensFor is what a token for scopes stands on.
func tokensFor(scopes []string) need {
	switch {
	case slices.Contains(scopes, lti.ScopeControl):
		return controlTokens
	case slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) }):
		return gradeTokens
	}
	return need("access tokens for " + strings.Join(scopes, " "))
}

// obstructed takes down what is in the way of a part of the run: it is told once, and
// what needs it says why it is not seen.
func (s *PlatformScenario) obstructed(d *results.Diagnosis, missing ...need) {
	s.find("preflight", d.Error(), d.FlowID)
	for _, n := range missing {
		s.run.missing[n] = d.Problem
	}
}

// misconfigured takes down what the configuration, or a server that is not there, has
// put in the way of some profiles. The first is the diagnosis of the run.
func (s *PlatformScenario) misconfigured(d *results.Diagnosis, profiles []string, missing ...need) {
	s.obstructed(d, missing...)
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
	err := r.preflightExam(ctx, scene)
	if err == nil {
		err = r.preflightServices(ctx, scene)
	}
	if err == nil {
		err = r.preflightGrades(ctx, scene)
	}
	if err == nil {
		err = r.preflightOfParts(ctx, scene)
	}
	scene.clear()
	return scene.fragment, err
}
