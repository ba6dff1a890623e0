package gradebook

import (
	"context"
	"errors"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// The services, as reports call them. That of results and that of scores are of one piece with
// that of line items, as far as is known.
const (
	lineItemService = "line item service"
	scoreService    = "score service"
	resultService   = "result service"
)

// GradeServices is the need of launches that offer the services.
const GradeServices harness.Need = "grade services"

func init() {
	harness.AddPart(harness.Part{
		Profile: requirements.Grades, Platform: preflight, Scopes: lti.GradeScopes, Tokens: "the grade services",
		Services: []harness.Service{
			{Name: lineItemService, Works: lineItemsWork},
			{Name: scoreService, Works: scoresWork, With: lineItemService},
			{Name: resultService, Works: resultsWork, With: lineItemService},
		},
	})
}

// lineItemsWork lists line items.
func lineItemsWork(ctx context.Context, scene *harness.PlatformScenario) (*harness.PlatformFlow, error) {
	s := In(scene)
	b, err := s.Gradebook(ctx, harness.PlatformLaunch{Title: "control: a valid launch"})
	if err != nil {
		return b.Launch, err
	}
	return lists(s.LineItems(ctx, b, "control: the line items", ""))
}

// scoresWork sends a score to a line item of the run's own, or to that of the launch.
func scoresWork(ctx context.Context, scene *harness.PlatformScenario) (*harness.PlatformFlow, error) {
	s := In(scene)
	item, err := s.controlItem(ctx)
	if err != nil {
		return nil, err
	}
	return s.Graded(ctx, item, item.Book.Sub(), harness.Members{"scoreGiven": 5, "scoreMaximum": harness.MaximumScore})
}

// resultsWork reads the results of such a line item.
func resultsWork(ctx context.Context, scene *harness.PlatformScenario) (*harness.PlatformFlow, error) {
	s := In(scene)
	item, err := s.controlItem(ctx)
	if err != nil {
		return nil, err
	}
	return lists(s.Results(ctx, item, "control: the results", ""))
}

// controlItem is the line item that those use.
func (s *Scenario) controlItem(ctx context.Context) (*LineItem, error) {
	b, err := s.Gradebook(ctx, harness.PlatformLaunch{Title: "control: a valid launch"})
	if err != nil {
		return nil, harness.NotTried(err)
	}
	item, err := s.GradedItem(ctx, b, nil)
	return item, harness.NotTried(err)
}

// lists is the flow of the last page of a list, nil where there is none, and why the service
// does not work that lists: what is wrong with how pages are linked is another check's.
func lists(l *Listing, err error) (*harness.PlatformFlow, error) {
	if l == nil || len(l.Flows) == 0 {
		return nil, err
	}
	last := l.Flows[len(l.Flows)-1]
	if _, isPage := listed(last); isPage && (errors.Is(err, errNotWhole) || errors.Is(err, errManyPages)) {
		return last, nil
	}
	return last, err
}
