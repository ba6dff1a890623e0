package gradebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/results"
)

// A Listing is what a service lists, all of its pages together.
type Listing struct {
	Elements []harness.Members
	Flows    []*harness.PlatformFlow // of the pages
	Scopes   []string                // of the access token
	// Wrong says why it is not whole; empty where it is.
	Wrong string
}

// errNotWhole says that a list cannot be read to its end.
var errNotWhole = fmt.Errorf("%w: the list cannot be read", harness.ErrNoLaunch)

// errManyPages says that a list has more pages than are read.
var errManyPages = fmt.Errorf("%w: the list has more pages than the %d that are read", harness.ErrNoLaunch, maxListed)

// AsIs is a list that the caller judges itself: what is wrong with it is no error.
func AsIs(l *Listing, err error) (*Listing, error) {
	if errors.Is(err, errNotWhole) {
		return l, nil
	}
	return l, err
}

// maxListed bounds how many pages of a list are read.
const maxListed = 60

// List reads a list with all of its pages. Where something is wrong with it, the error
// is [harness.ErrNoLaunch]; [AsIs] makes it none.
func (s *Scenario) List(ctx context.Context, b *Book, title, address, accept, scope string) (*Listing, error) {
	l := &Listing{Scopes: []string{scope}}
	if err := s.readPages(ctx, b, l, title, address, accept); err != nil {
		return l, err
	}
	if l.Wrong != "" {
		return l, fmt.Errorf("%w: %s", errNotWhole, l.Wrong)
	}
	return l, nil
}

// readPages reads the pages of a list, as far as nothing is wrong with them.
func (s *Scenario) readPages(ctx context.Context, b *Book, l *Listing, title, address, accept string) error {
	seen := map[string]bool{}
	for next := address; next != ""; {
		switch {
		case seen[next]:
			l.Wrong = "the link to the next page leads to an earlier page"
			return nil
		case len(seen) >= maxListed && l.distinct() < maxListed:
			l.Wrong = fmt.Sprintf("it has more than %d pages, of %d elements", maxListed, l.distinct())
			return nil
		case len(seen) >= maxListed:
			return errManyPages
		case len(seen) > 0 && !s.IsOffered(next):
			l.Wrong = "the link to the next page leads elsewhere: " + results.Bounded(next, 300)
			return nil
		}
		seen[next] = true
		flow, err := s.Call(ctx, b, Call{Title: title, Scopes: l.Scopes, ServiceRequest: faketool.ServiceRequest{URL: next, Accept: accept}})
		if err != nil {
			return err
		}
		l.Flows = append(l.Flows, flow)
		page, isPage := listed(flow)
		if !isPage {
			l.Wrong = "no array of objects came: " + flow.Reply()
			return nil
		}
		l.Elements = append(l.Elements, page...)
		next, _ = faketool.NextPage(flow.Exchange.Header, next)
	}
	return nil
}

// distinct is how many elements have ids of their own.
func (l *Listing) distinct() int {
	ids := map[string]bool{}
	for _, element := range l.Elements {
		ids[fmt.Sprint(element["id"])] = true
	}
	return len(ids)
}

// listed are the elements of an answer that has to be an array of objects, and false
// where it is none.
func listed(f *harness.PlatformFlow) ([]harness.Members, bool) {
	var page []harness.Members
	err := json.Unmarshal(f.Exchange.Body, &page)
	return page, err == nil && page != nil && f.Exchange.Status == http.StatusOK
}
