// Package gradebook is the gradebook of a platform as a tool uses it by Assignment and Grade
// Services 2.0, in scenarios that judge the platform: line items, scores and results. Importing
// it adds no specs.
package gradebook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// A Scenario is one of a platform's gradebook.
type Scenario struct {
	*harness.PlatformScenario
	tidied map[string]bool // the addresses of scores, with or without a sub, that are taken away in the end
}

// In is what a scenario of a platform can do with its gradebook.
func In(scene *harness.PlatformScenario) *Scenario {
	s := harness.Kept[Scenario](scene)
	s.PlatformScenario = scene
	return s
}

// A platform is what a run has learned of a platform's gradebook.
type platform struct {
	asked        harness.Members      // in every line item, though they are optional; nil while that is not known
	wholeSeconds bool                 // it refuses scores whose times have fractions of seconds
	scored       map[string]time.Time // of the last score that was sent, by its address and user
	heedsNoTime  bool                 // a score that was refused for its time was refused later as well
}

// learned is what the run has learned of it.
func (s *Scenario) learned() *platform {
	p := harness.Kept[platform](s.Run())
	if p.scored == nil {
		p.scored = map[string]time.Time{}
	}
	return p
}

// A Book is what a launch offers of the grade services (Assignment and Grade
// Services 2.0, 3.1), as far as the claim can be read.
type Book struct {
	Launch *harness.PlatformFlow
	lti.AGSEndpoint
}

// Sub is that of the user who was launched.
func (b *Book) Sub() string {
	sub, _ := b.Launch.Message().Text("sub")
	return sub
}

// ResourceLink is the id of the link that was launched.
func (b *Book) ResourceLink() string {
	id, _ := b.Launch.Message().Object(lti.ClaimResourceLink)["id"].(string)
	return id
}

// Disposable says whether what the platform has made itself may be taken away: it is
// the run's own.
func (s *Scenario) Disposable() bool { return s.Run().Config().IsEmbedded() }

// MayWrite says why nothing may be written to the platform's gradebook.
func (s *Scenario) MayWrite() error {
	if c := s.Run().Config(); c.IsEmbedded() || c.Platform.AllowWrites {
		return nil
	}
	return harness.Withheld("the platform's gradebook may not be changed without platform.allow_writes")
}

// Gradebook makes a launch that has to work, and reads what it offers of the grade
// services. The error is [harness.ErrNoLaunch] where it offers none.
func (s *Scenario) Gradebook(ctx context.Context, l harness.PlatformLaunch) (*Book, error) {
	if err := s.Run().Lacks(GradeServices); err != nil {
		return &Book{}, err
	}
	flow, err := s.Control(ctx, l)
	if err != nil {
		return &Book{Launch: flow}, err
	}
	b := s.Offer(flow)
	if !s.OffersServices() {
		return b, fmt.Errorf("%w: it offers no grade services", harness.ErrNoLaunch)
	}
	if b.LineItems != "" && s.Run().MayLearn(lineItemService) {
		_, err := s.LineItems(ctx, b, "control: the line items before others", "")
		seen := errors.Is(err, harness.ErrNoLaunch) || errors.Is(err, harness.ErrUndeclared) || errors.Is(err, harness.ErrMissing)
		if err != nil && !seen { // what is wrong with them, scenarios see as well
			return b, err
		}
	}
	return b, nil
}

// Offer reads what a launch offers of the grade services.
func (s *Scenario) Offer(flow *harness.PlatformFlow) *Book {
	b := &Book{Launch: flow, AGSEndpoint: gradeClaim(flow.Message())}
	for _, address := range []string{b.LineItems, b.LineItem} {
		s.Offers(address)
	}
	return b
}

// gradeClaim reads the claim of the grade services, whatever is wrong with it.
func gradeClaim(m harness.Message) (e lti.AGSEndpoint) {
	claim := m.Object(lti.ClaimAGS)
	e.LineItems, _ = claim["lineitems"].(string)
	e.LineItem, _ = claim["lineitem"].(string)
	scopes, _ := claim["scope"].([]any)
	if text, ok := claim["scope"].(string); ok {
		e.Scope = strings.Fields(text)
	}
	for _, scope := range scopes {
		if text, ok := scope.(string); ok {
			e.Scope = append(e.Scope, text)
		}
	}
	return e
}

// partOf is the feature that a scope belongs to.
var partOf = map[string]string{
	lti.ScopeLineItem: config.LineItemManagement, lti.ScopeLineItemReadOnly: config.LineItemManagement,
	lti.ScopeResultReadOnly: config.Results, lti.ScopeScore: config.Grades,
}

// ScopeOf returns the first of some scopes, each of which will do, that a launch
// offers.
func (s *Scenario) ScopeOf(b *Book, wanted ...string) (string, error) {
	for _, scope := range wanted {
		if slices.Contains(b.Scope, scope) {
			return scope, nil
		}
	}
	why := harness.ErrUndeclared
	if s.Run().Has(partOf[wanted[0]]) {
		why = harness.ErrNoLaunch
	}
	return "", fmt.Errorf("%w: it does not offer the scope %s", why, wanted[0])
}

// Outsider is a user who launches a link in another course and none in the ordinary
// one, and false where there is none.
func (s *Scenario) Outsider() (string, bool) {
	for _, name := range s.Run().Users() {
		there := s.Run().Launches(name, config.OtherCourse)
		if here := s.Run().Launches(name, config.ResourceLink); there && !here {
			return name, true
		}
	}
	return "", false
}
