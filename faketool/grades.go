package faketool

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A gradebook is what a platform offers of its grade services in a launch
// (Assignment and Grade Services 2.0, 3.1).
type gradebook struct {
	of                  client
	scopes              []string // that the platform announces, and the tool knows
	lineItems, lineItem string   // empty where the platform names none
}

// gradebookOf reads the claim; nil where there is none.
func gradebookOf(c claims, registration Registration) *gradebook {
	endpoint := c.object(lti.ClaimAGS)
	if endpoint == nil {
		return nil
	}
	g := &gradebook{of: clientOf(registration)}
	g.of.deployment, _ = c.text(lti.ClaimDeploymentID)
	announced, _ := endpoint["scope"].([]any)
	for _, scope := range lti.GradeScopes {
		if slices.Contains(announced, any(scope)) {
			g.scopes = append(g.scopes, scope)
		}
	}
	for name, to := range map[string]*string{"lineitems": &g.lineItems, "lineitem": &g.lineItem} {
		if address, _ := endpoint[name].(string); isSecure(address) {
			*to = address
		}
	}
	return g
}

// offers says whether the platform announces one of the scopes.
func (g *gradebook) offers(scopes ...string) bool {
	return g != nil && slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(g.scopes, scope) })
}

// with is the gradebook as if the platform had announced another scope, too.
func (g gradebook) with(scope string) *gradebook {
	g.scopes = append(slices.Clone(g.scopes), scope)
	return &g
}

// patience is how long a user waits for the platform's gradebook, however many
// requests it takes.
const patience = 30 * time.Second

// patient bounds how long a page takes that asks the platform.
func patient(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		serve(w, r.WithContext(ctx))
	}
}

// callGrades sends a request to a grade service, with an access token for all that
// the platform announces: the tool needs one token only. It fails where the
// answer is none of success.
func (t *Tool) callGrades(ctx context.Context, g *gradebook, scope string, r GradeRequest) (*Exchange, error) {
	if !g.offers(scope) {
		return nil, fmt.Errorf("the platform does not offer the scope %s", scope)
	}
	asked := scopesAsked.Pass(t.carrier, scoping{scope, g.scopes})
	r = gradeRequested.Pass(t.carrier, r)
	e, err := t.call(ctx, call{t, g.of, asked.scopes, scope, r})
	if err != nil {
		return nil, err
	}
	return e, gradesAnswered.First(t.carrier, answered{r, e})
}

// scoping is what a token is asked for where one is needed.
type scoping struct {
	needed string
	scopes []string // all that the platform announces
}

// answered is a request to a grade service with its answer.
type answered struct {
	request GradeRequest
	*Exchange
}

// How a grade service is asked, and what its answer has to be.
var (
	scopesAsked    = &fault.Seam[scoping]{Name: "the scopes that an access token for the grade services is asked for"}
	gradeRequested = &fault.Seam[GradeRequest]{Name: "a request to a grade service, before it has its access token"}
	gradesAnswered = &fault.List[answered]{Name: "the answer of a grade service", Rules: []*fault.Rule[answered]{callSucceeded}}
	callSucceeded  = &fault.Rule[answered]{Name: "a grade service has done what it was asked for", Broken: func(a answered) error { return a.failure() }}
)

// failure says why a request has not succeeded; nil where it has.
func (e *Exchange) failure() error {
	switch {
	case e.Status == 0:
		return fmt.Errorf("nobody answered: %w", e.Err)
	case e.Status < 200 || e.Status > 299:
		return fmt.Errorf("HTTP %d", e.Status)
	case e.Err != nil:
		return fmt.Errorf("the answer broke off: %w", e.Err)
	default:
		return nil
	}
}
