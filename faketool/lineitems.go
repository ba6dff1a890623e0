package faketool

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What the tool says of its line items (Assignment and Grade Services 2.0, 3.2).
const (
	ownResource  = "faketool-work" // the tool's own name of what is graded
	ownTag       = "work"
	scoreMaximum = 10
	maxLabel     = 255
)

// lineItemOf returns the line item that the work of a launch belongs to: the one
// that the platform names, or else the tool's own for the resource link, which is
// made where there is none.
func (t *Tool) lineItemOf(ctx context.Context, l Launch) (string, error) {
	if l.grades.lineItem != "" {
		return l.grades.lineItem, nil
	}
	found, err := t.findLineItem(ctx, l)
	if err != nil || !makesItem.Taken(t.carrier, looking{t, l, found}) {
		return found, err
	}
	return t.createLineItem(ctx, l)
}

// looking is what has come of looking for a line item.
type looking struct {
	t      *Tool
	launch Launch
	found  string // its address; empty for none
}

// How line items are looked for, made and changed.
var (
	makesItem  = &fault.Step[looking]{Name: "makes a line item", Honest: func(l looking) bool { return l.found == "" }}
	itemsAsked = &fault.Seam[itemSearch]{Name: "the address of line items, with what is looked for"}
	itemMade   = &fault.Seam[making]{Name: "a new line item"}
	keepsNull  = &fault.Step[json.RawMessage]{Name: "puts a member of a line item back that is null"}
	itemPut    = &fault.Seam[putting]{Name: "a line item that is put back", Clone: func(p putting) putting {
		p.members = maps.Clone(p.members)
		return p
	}}
)

// making is a line item that is to be made.
type making struct {
	t       *Tool
	members map[string]any
}

// putting is a line item that is put back.
type putting struct {
	t       *Tool
	members map[string]json.RawMessage
}

// itemSearch is the address of line items, narrowed to those that are looked for.
type itemSearch struct {
	items   string // the address of all of them
	wanted  url.Values
	address string
}

// searched adds what is looked for to the address of line items, whose own query stays.
func (t *Tool) searched(items string, wanted url.Values) string {
	s := itemSearch{items: items, wanted: wanted}
	s.narrow()
	return itemsAsked.Pass(t.carrier, s).address
}

func (s *itemSearch) narrow() {
	s.address = s.items
	if len(s.wanted) > 0 {
		s.address = withQuery(s.items, s.wanted.Encode())
	}
}

// findLineItem looks for the tool's own line item of the resource link; empty where
// there is none.
func (t *Tool) findLineItem(ctx context.Context, l Launch) (found string, err error) {
	if l.grades.lineItems == "" {
		return "", errors.New("the platform names no line items")
	}
	scope := lti.ScopeLineItem
	if !l.grades.offers(scope) {
		scope = lti.ScopeLineItemReadOnly
	}
	list := t.searched(l.grades.lineItems, url.Values{"resource_link_id": {l.place.link}, "resource_id": {ownResource}})
	err = t.eachOf(ctx, l.grades, scope, list, lti.MediaTypeLineItemContainer, func(raw json.RawMessage) bool {
		var item lti.LineItem
		_ = json.Unmarshal(raw, &item) // what cannot be read is not the one
		if item.ResourceID == ownResource && item.ResourceLinkID == l.place.link && isSecure(item.ID) {
			found = item.ID
		}
		return found != ""
	})
	return found, err
}

// createLineItem makes a line item for the resource link, whose submissions are
// reviewed in this tool (Submission Review Service 1.0, on a per line item basis).
func (t *Tool) createLineItem(ctx context.Context, l Launch) (string, error) {
	item := lti.LineItem{
		Label: cmp.Or(strings.TrimSpace(strings.ToValidUTF8(clipTo(l.ResourceLink, maxLabel), "")), "Work"), ScoreMaximum: scoreMaximum,
		ResourceID: ownResource, Tag: ownTag, ResourceLinkID: l.place.link,
		SubmissionReview: t.ownReview(),
	}
	body, err := membersOf(item)
	if err != nil {
		return "", err
	}
	body = itemMade.Pass(t.carrier, making{t, body}).members
	e, err := t.callGrades(ctx, l.grades, lti.ScopeLineItem, GradeRequest{
		Method: http.MethodPost, URL: t.searched(l.grades.lineItems, nil), MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: body,
	})
	if err != nil {
		return "", err
	}
	var made lti.LineItem
	if err := json.Unmarshal(e.Body, &made); err != nil || !isSecure(made.ID) {
		return "", errors.New("the platform does not say which line item it has made")
	}
	return made.ID, nil
}

// ownReview says how the submissions of the tool's line items are reviewed.
func (t *Tool) ownReview() *lti.SubmissionReview {
	return &lti.SubmissionReview{
		ReviewableStatus: []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)},
		Label:            "Open the work", URL: t.LaunchURL(), Custom: map[string]string{"action": "review"},
	}
}

// serveRename gives the line item of a launch another label.
func (t *Tool) serveRename(w http.ResponseWriter, r *http.Request) {
	l, err := t.gradebookHere(w, r)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	label := strings.TrimSpace(r.PostForm.Get("label"))
	if label == "" || len(label) > maxLabel {
		t.refuse(w, badRequest("A label has 1 to %d letters.", maxLabel), "")
		return
	}
	t.tell(w, l, "renamed", t.rename(r.Context(), l, label))
}

// rename reads a line item and puts it back with another label, and otherwise as
// it came: also with the members that the tool does not know.
func (t *Tool) rename(ctx context.Context, l Launch, label string) error {
	address, err := t.existingLineItem(ctx, l)
	if err != nil {
		return err
	}
	e, err := t.readItem(ctx, l.grades, lti.ScopeLineItem, address)
	if err != nil {
		return err
	}
	var item map[string]json.RawMessage
	if err := json.Unmarshal(e.Body, &item); err != nil || item == nil {
		return errors.New("the platform's line item is none")
	}
	for name, value := range item {
		if isNull(value) && !keepsNull.Taken(t.carrier, value) { // says nothing, and some platforms refuse it
			delete(item, name)
		}
	}
	if item["label"], err = json.Marshal(label); err != nil {
		return err
	}
	item = itemPut.Pass(t.carrier, putting{t, item}).members
	_, err = t.callGrades(ctx, l.grades, lti.ScopeLineItem, GradeRequest{
		Method: http.MethodPut, URL: address, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: item,
	})
	return err
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// readItem reads a line item.
func (t *Tool) readItem(ctx context.Context, g *gradebook, scope, address string) (*Exchange, error) {
	return t.callGrades(ctx, g, scope, GradeRequest{Method: http.MethodGet, URL: address, Accept: lti.MediaTypeLineItem})
}

// existingLineItem returns the line item of a launch, and an error where there is none.
func (t *Tool) existingLineItem(ctx context.Context, l Launch) (string, error) {
	if l.grades.lineItem != "" {
		return l.grades.lineItem, nil
	}
	found, err := t.findLineItem(ctx, l)
	if err == nil && found == "" {
		err = errors.New("there is no line item yet")
	}
	return found, err
}
