package gradebook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// A LineItem is one that the run may send scores for.
type LineItem struct {
	ID    string // a URL
	Label string
	// Maximum is its scoreMaximum; 0 where that cannot be known.
	Maximum float64
	// Made is what made it; nil where it was there before.
	Made *harness.PlatformFlow
	Book *Book
}

// ItemID is the URL of the line item that an answer has made: what it says, or where
// it leads.
func ItemID(f *harness.PlatformFlow) string {
	if id, _ := f.Said()["id"].(string); id != "" {
		return id
	}
	return f.Exchange.Header.Get("Location")
}

// MakeLineItem makes a line item with the members, beside a label of its own and the
// scoreMaximum 10 where they do not say otherwise. harness.Members that are nil are left out.
// The error is [harness.ErrNoLaunch] where none is made.
func (s *Scenario) MakeLineItem(ctx context.Context, b *Book, members harness.Members) (*LineItem, error) {
	if !s.Run().Has(config.LineItemManagement) {
		return nil, fmt.Errorf("%w: the feature %s", harness.ErrUndeclared, config.LineItemManagement)
	}
	flow, err := s.PostLineItem(ctx, b, "a line item of the run's own", members)
	if err == nil && !flow.Succeeded() {
		if asked := s.learned().asked; s.LearnAsked(ctx, b) == nil && !maps.Equal(asked, s.learned().asked) {
			flow, err = s.PostLineItem(ctx, b, "a line item of the run's own, with what the platform asks for", members)
		}
	}
	if err != nil {
		return nil, err
	}
	made := &LineItem{ID: ItemID(flow), Made: flow, Book: b}
	made.Label, _ = flow.Said()["label"].(string)
	made.Maximum, _ = flow.Said()["scoreMaximum"].(float64)
	if !flow.Succeeded() || made.ID == "" {
		return nil, fmt.Errorf("%w: no line item can be made: %s", harness.ErrNoLaunch, flow.Reply())
	}
	return made, nil
}

// PostLineItem asks for a line item; see [PlatformScenario.MakeLineItem].
func (s *Scenario) PostLineItem(ctx context.Context, b *Book, title string, members harness.Members) (*harness.PlatformFlow, error) {
	scope, err := s.ScopeOf(b, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	return s.postLineItem(ctx, b, title, scope, s.NewLineItem(members))
}

func (s *Scenario) postLineItem(ctx context.Context, b *Book, title, scope string, members harness.Members) (*harness.PlatformFlow, error) {
	return s.Call(ctx, b, Call{Title: title, Scopes: []string{scope}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: b.LineItems, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members,
	}})
}

// NewLineItem are the members of a line item of the run's own: a label and a scoreMaximum,
// and what the platform asks for besides, as far as that is known.
func (s *Scenario) NewLineItem(members harness.Members) harness.Members {
	return Least().With(s.learned().asked).With(members)
}

// Least are the members that a line item of the run's own has to have (Assignment and
// Grade Services 2.0, 3.2.3).
func Least() harness.Members {
	return harness.Members{"label": "Invigilator " + lti.RandomString()[:10], "scoreMaximum": 10}
}

// mayBeAsked are members without which a platform may refuse a line item, though they
// are optional: none, each alone, and both.
var mayBeAsked = []harness.Members{{}, {"resourceId": "invigilator"}, {"tag": "invigilator"}, {"resourceId": "invigilator", "tag": "invigilator"}}

// LearnAsked finds out, once in a run, which members the platform asks for in every line
// item. That it does is judged by the requirement about new line items; the others are
// judged with what works.
func (s *Scenario) LearnAsked(ctx context.Context, b *Book) error {
	if s.learned().asked != nil {
		return nil
	}
	for _, members := range mayBeAsked {
		scope, err := s.ScopeOf(b, lti.ScopeLineItem)
		if err != nil {
			return err
		}
		flow, err := s.postLineItem(ctx, b, "does a line item have to have more than a label and a maximum?", scope, Least().With(members))
		if err != nil {
			return err
		}
		if flow.Succeeded() {
			s.learned().asked = members
			return nil
		}
	}
	s.learned().asked = harness.Members{} // nothing helps
	return nil
}

// GradedItem is a line item to send scores for: one of the run's own, or the one of
// the launch where the platform takes none from tools.
func (s *Scenario) GradedItem(ctx context.Context, b *Book, members harness.Members) (*LineItem, error) {
	if err := s.MayWrite(); err != nil {
		return nil, err
	}
	if s.Run().Has(config.LineItemManagement) {
		return s.MakeLineItem(ctx, b, members)
	}
	return s.LaunchedItem(ctx, b)
}

// LaunchedItem is the line item that a launch names.
func (s *Scenario) LaunchedItem(ctx context.Context, b *Book) (*LineItem, error) {
	if err := s.MayWrite(); b.LineItem == "" && err != nil {
		return nil, fmt.Errorf("%w, and the launch names no lineitem", err)
	}
	if b.LineItem == "" {
		return nil, fmt.Errorf("%w: it names no lineitem, and without the feature %s the run cannot make one", harness.ErrNoLaunch, config.LineItemManagement)
	}
	item := &LineItem{ID: b.LineItem, Book: b}
	item.Label, _ = b.Launch.Message().Object(lti.ClaimResourceLink)["title"].(string)
	flow, err := s.ReadLineItem(ctx, item, "the line item that the launch names")
	switch {
	case errors.Is(err, harness.ErrUndeclared): // it cannot be read
		return item, nil
	case err != nil:
		return nil, err
	}
	if label, _ := flow.Said()["label"].(string); label != "" {
		item.Label = label
	}
	item.Maximum, _ = flow.Said()["scoreMaximum"].(float64)
	return item, nil
}

// ReadLineItem gets a line item.
func (s *Scenario) ReadLineItem(ctx context.Context, item *LineItem, title string) (*harness.PlatformFlow, error) {
	scope, err := s.ScopeOf(item.Book, lti.ScopeLineItemReadOnly, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	return s.Call(ctx, item.Book, Call{Title: title, Scopes: []string{scope}, ServiceRequest: faketool.ServiceRequest{URL: item.ID, Accept: lti.MediaTypeLineItem}})
}

// ChangeLineItem puts other members in the place of those of a line item.
func (s *Scenario) ChangeLineItem(ctx context.Context, item *LineItem, title string, members harness.Members) (*harness.PlatformFlow, error) {
	return s.Call(ctx, item.Book, Call{Title: title, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members.With(nil),
	}})
}

// LineItems lists those of a gradebook, with a query such as tag=x.
func (s *Scenario) LineItems(ctx context.Context, b *Book, title, query string) (*Listing, error) {
	scope, err := s.ScopeOf(b, lti.ScopeLineItemReadOnly, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	if b.LineItems == "" {
		return nil, fmt.Errorf("%w: it names no lineitems", harness.ErrNoLaunch)
	}
	return s.List(ctx, b, title, harness.WithQuery(b.LineItems, query), lti.MediaTypeLineItemContainer, scope)
}
