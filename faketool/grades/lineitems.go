package grades

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What the tool says of its line items (Assignment and Grade Services 2.0, 3.2).
const (
	ownResource = "faketool-work" // the tool's own name of what is graded
	ownTag      = "work"
	// ScoreMaximum is that of the line items, and of the points that are given.
	ScoreMaximum = 10
	maxLabel     = 255
)

// lineItemOf returns the line item that the work of a launch belongs to: the one
// that the platform names, or else the tool's own for the resource link, which is
// made where there is none.
func (t *Grades) lineItemOf(ctx context.Context, l launch) (string, error) {
	if l.book.LineItem != "" {
		return l.book.LineItem, nil
	}
	found, err := t.findLineItem(ctx, l)
	if err != nil || !makesItem.Taken(t.carrier, looking{t, l, found}) {
		return found, err
	}
	return t.createLineItem(ctx, l)
}

// looking is what has come of looking for a line item.
type looking struct {
	t      *Grades
	launch launch
	found  string // its address; empty for none
}

// How line items are looked for, made and changed.
var (
	makesItem  = &fault.Step[looking]{Name: "makes a line item", Honest: func(l looking) bool { return l.found == "" }}
	itemsAsked = &fault.Seam[itemSearch]{Name: "the address of line items, with what is looked for"}
	itemMade   = &fault.Seam[Making]{Name: "a new line item"}
	keepsNull  = &fault.Step[json.RawMessage]{Name: "puts a member of a line item back that is null"}
	ItemPut    = &fault.Seam[Putting]{Name: "a line item that is put back", Clone: func(p Putting) Putting {
		p.Members = maps.Clone(p.Members)
		return p
	}}
)

// A Making is a line item that is to be made.
type Making struct {
	Core    part.Core
	Members map[string]any
}

// A Putting is a line item that is put back.
type Putting struct {
	Core    part.Core
	Members map[string]json.RawMessage
}

// itemSearch is the address of line items, narrowed to those that are looked for.
type itemSearch struct {
	items   string // the address of all of them
	wanted  url.Values
	address string
}

// searched adds what is looked for to the address of line items, whose own query stays.
func (t *Grades) searched(items string, wanted url.Values) string {
	s := itemSearch{items: items, wanted: wanted}
	s.narrow()
	return itemsAsked.Pass(t.carrier, s).address
}

func (s *itemSearch) narrow() {
	s.address = s.items
	if len(s.wanted) > 0 {
		s.address = part.WithQuery(s.items, s.wanted.Encode())
	}
}

// findLineItem looks for the tool's own line item of the resource link; empty where
// there is none.
func (t *Grades) findLineItem(ctx context.Context, l launch) (found string, err error) {
	if l.book.LineItems == "" {
		return "", errors.New("the platform names no line items")
	}
	scope := lti.ScopeLineItem
	if !l.book.Offers(scope) {
		scope = lti.ScopeLineItemReadOnly
	}
	list := t.searched(l.book.LineItems, url.Values{"resource_link_id": {PlaceOf(l.Launch).Link}, "resource_id": {ownResource}})
	err = t.eachOf(ctx, l.book, scope, list, lti.MediaTypeLineItemContainer, func(raw json.RawMessage) bool {
		var item lti.LineItem
		_ = json.Unmarshal(raw, &item) // what cannot be read is not the one
		if item.ResourceID == ownResource && item.ResourceLinkID == PlaceOf(l.Launch).Link && part.IsSecure(item.ID) {
			found = item.ID
		}
		return found != ""
	})
	return found, err
}

// createLineItem makes a line item for the resource link.
func (t *Grades) createLineItem(ctx context.Context, l launch) (string, error) {
	item := lti.LineItem{
		Label: cmp.Or(strings.TrimSpace(strings.ToValidUTF8(l.ResourceLink[:min(len(l.ResourceLink), maxLabel)], "")), "Work"), ScoreMaximum: ScoreMaximum,
		ResourceID: ownResource, Tag: ownTag, ResourceLinkID: PlaceOf(l.Launch).Link,
	}
	for _, say := range t.says {
		say(&item)
	}
	body, err := part.Members(item)
	if err != nil {
		return "", err
	}
	body = itemMade.Pass(t.carrier, Making{t.core, body}).Members
	e, err := t.call(ctx, l.book, lti.ScopeLineItem, part.ServiceRequest{
		Method: http.MethodPost, URL: t.searched(l.book.LineItems, nil), MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: body,
	})
	if err != nil {
		return "", err
	}
	var made lti.LineItem
	if err := json.Unmarshal(e.Body, &made); err != nil || !part.IsSecure(made.ID) {
		return "", errors.New("the platform does not say which line item it has made")
	}
	return made.ID, nil
}

// NewItemsSay adds to what new line items say. It is for parts that are mounted.
func (t *Grades) NewItemsSay(say func(*lti.LineItem)) { t.says = append(t.says, say) }

// serveRename gives the line item of a launch another label.
func (t *Grades) serveRename(w http.ResponseWriter, r *http.Request) {
	l, err := t.gradebookHere(w, r)
	if err != nil {
		t.core.Refuse(w, err)
		return
	}
	label := strings.TrimSpace(r.PostForm.Get("label"))
	if label == "" || len(label) > maxLabel {
		t.core.Refuse(w, badRequest("A label has 1 to %d letters.", maxLabel))
		return
	}
	t.Tell(w, "renamed", t.core.Page(l.Launch), t.rename(r.Context(), l, label))
}

// rename reads a line item and puts it back with another label, and otherwise as
// it came: also with the members that the tool does not know.
func (t *Grades) rename(ctx context.Context, l launch, label string) error {
	address, err := t.existingLineItem(ctx, l)
	if err != nil {
		return err
	}
	e, err := t.readItem(ctx, l.book, lti.ScopeLineItem, address)
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
	item = ItemPut.Pass(t.carrier, Putting{t.core, item}).Members
	_, err = t.call(ctx, l.book, lti.ScopeLineItem, part.ServiceRequest{
		Method: http.MethodPut, URL: address, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: item,
	})
	return err
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// readItem reads a line item.
func (t *Grades) readItem(ctx context.Context, g *Gradebook, scope, address string) (*part.Exchange, error) {
	return t.call(ctx, g, scope, part.ServiceRequest{Method: http.MethodGet, URL: address, Accept: lti.MediaTypeLineItem})
}

// existingLineItem returns the line item of a launch, and an error where there is none.
func (t *Grades) existingLineItem(ctx context.Context, l launch) (string, error) {
	if l.book.LineItem != "" {
		return l.book.LineItem, nil
	}
	found, err := t.findLineItem(ctx, l)
	if err == nil && found == "" {
		err = errors.New("there is no line item yet")
	}
	return found, err
}
