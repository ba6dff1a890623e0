package grades

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
)

// maxPages bounds how many pages of a list are read.
const maxPages = 50

// A listing is a list that is read page by page, as far as it has been read.
type listing struct {
	list       string // its address
	read       int    // how many pages
	seen       map[string]bool
	page       []json.RawMessage // the last that was read
	unreadable error             // why that cannot be read; nil where it can
	header     http.Header       // that it came with
	next       string            // where the next one is; empty where there is none
}

// How a list is read.
var (
	pageRead     = &fault.List[listing]{Name: "a page of a list", Rules: []*fault.Rule[listing]{pageIsList}}
	nextNamed    = &fault.Seam[listing]{Name: "where the next page of a list is"}
	goesOn       = &fault.Step[listing]{Name: "reads the next page of a list", Honest: func(l listing) bool { return l.next != "" }}
	nextFollowed = &fault.List[listing]{Name: "the way to the next page of a list", Rules: []*fault.Rule[listing]{pageIsNew, pageIsOfSite, pagesBounded}}
)

var pageIsList = &fault.Rule[listing]{Name: "a page is a list", Broken: func(l listing) error {
	if l.unreadable != nil {
		return errors.New("the platform's list is none")
	}
	return nil
}}

var pageIsNew = &fault.Rule[listing]{Name: "the next page is one that has not been read", Broken: func(l listing) error {
	if l.seen[l.next] {
		return errors.New("the platform's list leads back to where it was")
	}
	return nil
}}

// The access token goes to no other site than the list's.
var pageIsOfSite = &fault.Rule[listing]{Name: "the next page is at the site of the list", Broken: func(l listing) error {
	if siteOf(l.next) != siteOf(l.list) {
		return errors.New("the platform's list goes on at another site")
	}
	return nil
}}

var pagesBounded = &fault.Rule[listing]{Name: "a list has not too many pages", Broken: func(l listing) error {
	if l.read >= maxPages {
		return errors.New("the platform's list has too many pages")
	}
	return nil
}}

// eachOf reads a list page by page, to its end or until it is enough (Assignment
// and Grade Services 2.0, 3.2.4 and 3.3.6).
func (t *Grades) eachOf(ctx context.Context, g *Gradebook, scope, list, mediaType string, enough func(json.RawMessage) bool) error {
	for l, at := (listing{list: list, seen: map[string]bool{}}), list; ; at = l.next {
		e, err := t.call(ctx, g, scope, part.ServiceRequest{Method: http.MethodGet, URL: at, Accept: mediaType})
		if err != nil {
			return err
		}
		l.seen[at], l.header, l.page = true, e.Header, nil
		l.read++
		l.unreadable = json.Unmarshal(e.Body, &l.page)
		if err := pageRead.First(t.carrier, l); err != nil {
			return err
		}
		if slices.ContainsFunc(l.page, enough) {
			return nil
		}
		l.next, _ = t.core.NextPage(e.Header, at)
		l = nextNamed.Pass(t.carrier, l)
		if !goesOn.Taken(t.carrier, l) {
			return nil
		}
		if err := nextFollowed.First(t.carrier, l); err != nil {
			return err
		}
	}
}

// siteOf is the beginning of an address, up to its path.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
