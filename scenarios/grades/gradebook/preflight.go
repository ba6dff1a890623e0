package gradebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// preflight makes sure that a real platform's gradebook can be judged: that a launch offers its
// grade services, and that there is a token for its scopes.
func preflight(ctx context.Context, scene *harness.PlatformScenario) (*results.Diagnosis, error) {
	book, err := In(scene).Gradebook(ctx, harness.PlatformLaunch{Title: "preflight: a launch that offers the grade services"})
	if book.Launch != nil && book.Launch.Launched() && (errors.Is(err, harness.ErrNoLaunch) || len(book.Scope) == 0) {
		scene.Obstructed(&results.Diagnosis{
			Problem: "The learner's launch does not offer the grade services: it has no claim of Assignment and Grade Services that names scopes and a URL.",
			Step:    "grade services", Seen: book.Claim(), FlowID: book.Launch.ID,
			LookAt: "Is the tool allowed to use the grade services, in the platform's registration of it and, if there is such a setting, for the link?",
		}, GradeServices)
		return nil, nil
	}
	if errors.Is(err, harness.ErrNoLaunch) && book.Launch != nil {
		return nil, scene.Run().DiagnoseLaunch(ctx, book.Launch)
	}
	if d, ok := scene.StuckAt(err); ok {
		return nil, d
	}
	if err != nil {
		return nil, err
	}
	harness.Kept[offered](scene).book = book
	_, err = scene.PreflightToken(ctx, book.Scope)
	return nil, err
}

// offered is what the preflight's launch has offered.
type offered struct{ book *Book }

// Preflighted is what the launch of the preflight has offered; nil where that cannot be used.
func (s *Scenario) Preflighted() *Book {
	if book := harness.Kept[offered](s.PlatformScenario).book; book != nil && s.Run().Lacks(harness.TokensFor(book.Scope)) == nil {
		return book
	}
	return nil
}

// Claim is the claim of the grade services as the launch has it.
func (b *Book) Claim() string {
	claim, ok := b.Launch.Message().Claims[lti.ClaimAGS]
	if !ok {
		return "no claim " + lti.ClaimAGS
	}
	encoded, _ := json.Marshal(claim) // which came as JSON
	return results.Bounded(fmt.Sprintf("%s: %s", lti.ClaimAGS, encoded), maxClaim)
}

// maxClaim bounds what is shown of it.
const maxClaim = 4 << 10
