package platform

import (
	"context"

	"invigilator.example/harness"
	"invigilator.example/results"
)

// The mistakes that requests to the services of parts have in common with others, for
// the packages that judge those.
var (
	WithoutToken  = withoutToken
	OfOtherScope  = ofOtherScope
	ByOtherMethod = byOtherMethod
	OfOthers      = ofOthers
)

// Judge judges how a request with the mistake was answered.
func (m mistake) Judge(f *harness.PlatformFlow) (results.Verdict, string) { return m.judge(f) }

// WrongServiceURL says what is wrong with the address of a service, the member of a claim
// that has that name (LTI Core 1.3, 6.1); empty where nothing is.
func WrongServiceURL(value any, name string) string { return wrongServiceURL(value, name) }

// Expired is an access token for scopes whose time has run out.
func Expired(ctx context.Context, scene *harness.PlatformScenario, scopes []string) (string, error) {
	return expired(ctx, scene, scopes)
}
