package deeplinking

import (
	"fmt"
	"slices"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// content is one thing that the tool has.
type content struct {
	ID, Title string
	item      lti.ContentItem
}

// contents are all that the tool has: one of each type, and a second link.
func contents(url string) []content {
	return []content{
		{"exercise", "Exercise", lti.ContentItem{
			Type: lti.ItemResourceLink, URL: url + "/launch?chapter=2", Title: "Exercise", Text: "Ten questions about engines.",
			Custom:    map[string]string{"chapter": "2", "link": "$ResourceLink.id"},
			Icon:      &lti.ItemPicture{URL: url + "/icon.png", Width: 16, Height: 16},
			LineItem:  &lti.ItemLineItem{ScoreMaximum: 10, ResourceID: "exercise", Tag: "practice"},
			Available: &lti.ItemPeriod{Start: "2026-01-01T00:00:00Z"},
		}},
		{"reading", "Reading", lti.ContentItem{Type: lti.ItemResourceLink, URL: url + "/launch?chapter=3", Title: "Reading"}},
		{"article", "Article", lti.ContentItem{Type: lti.ItemLink, URL: "https://library.example/notes-on-the-engine", Title: "Article"}},
		{"notes", "Notes", lti.ContentItem{Type: lti.ItemHTML, HTML: "<p>Notes on the <em>engine</em></p>", Title: "Notes"}},
		{"sheet", "Sheet", lti.ContentItem{Type: lti.ItemFile, URL: url + "/sheet.pdf", Title: "Sheet"}},
		{"drawing", "Drawing", lti.ContentItem{Type: lti.ItemImage, URL: url + "/icon.png", Title: "Drawing"}},
	}
}

// offer is what a user is offered: content of these types.
type offer struct {
	choice *choice
	types  []string
}

var contentOffered = &fault.Seam[offer]{Name: "the types of content that a user is offered"}

// offered are the contents that the platform takes (Deep Linking 2.0, 4.4.1).
func (l *Library) offered(c *choice) []content {
	types := contentOffered.Pass(l.core.Carrier(), offer{c, c.settings.types}).types
	return slices.DeleteFunc(contents(l.core.URL()), func(one content) bool { return !slices.Contains(types, one.item.Type) })
}

// chosen are the items of those ids, as far as the platform takes them.
func (l *Library) chosen(c *choice, ids []string) []lti.ContentItem {
	items := []lti.ContentItem{}
	for _, one := range l.offered(c) {
		if !slices.Contains(ids, one.ID) || len(items) > 0 && !c.settings.multiple {
			continue
		}
		if !c.settings.lineItems {
			one.item.LineItem = nil
		}
		items = append(items, one.item)
	}
	return items
}

// responding is a response before it is signed.
type responding struct {
	choice *choice
	draft  toolmessage.Draft
}

var responseSaid = &fault.Seam[responding]{Name: "the message with what was chosen", Clone: func(r responding) responding {
	r.draft = r.draft.Clone()
	return r
}}

// response is the message with these items (Deep Linking 2.0, 4.5).
func (l *Library) response(c *choice, items []lti.ContentItem) toolmessage.Draft {
	claims := lti.Claims{
		lti.ClaimMessageType: lti.DeepLinkingResponse, lti.ClaimDeploymentID: c.request.Claims[lti.ClaimDeploymentID], lti.ClaimContentItems: items,
	}
	if c.settings.data != nil {
		claims[lti.ClaimDeepLinkingData] = c.settings.data
	}
	if len(items) == 0 {
		claims[lti.ClaimDeepLinkingMessage] = "Nothing was chosen."
	}
	return toolmessage.New(l.core, c.platform, c.settings.returnURL, claims)
}

// A Probe says how a response is sent.
type Probe struct {
	// Fault is what differs from a valid message; nil for nothing.
	Fault *fault.Fault
	// Items are what is chosen; an exercise when nil.
	Items []lti.ContentItem
	// Other is the LtiDeepLinkingRequest that a fault with Borrows takes a value from.
	Other part.Received
	// Earlier is the message that a fault that needs one takes a value from.
	Earlier *toolmessage.Message
	// With are further or other claims; a nil value takes the claim away.
	With lti.Claims
}

// Respond prepares the message that answers a LtiDeepLinkingRequest, valid or not. Nothing is
// sent before a browser visits its address.
//
// It fails where what it answers is none of LtiDeepLinkingRequest, where the fault is none of a
// response or lacks what it needs, and with [part.ErrUnchanged].
func (l *Library) Respond(to part.Received, probe Probe) (*toolmessage.Message, error) {
	message, err := l.probe(to, probe)
	if err != nil {
		return nil, fmt.Errorf("deeplinking: %w", err)
	}
	l.Outbox.Keep(message)
	return message, nil
}

func (l *Library) probe(to part.Received, probe Probe) (*toolmessage.Message, error) {
	request, err := toolmessage.Answered(l.core, to, lti.DeepLinkingRequest)
	if err != nil {
		return nil, err
	}
	c := &choice{platform: request.Platform, request: request, settings: settingsOf(request)}
	items := probe.Items
	if items == nil {
		items = l.chosen(c, []string{"exercise"})
	}
	said := responding{c, l.response(c, items)}
	said.draft.Answers, said.draft.Earlier = request, probe.Earlier
	if probe.Other != nil {
		said.draft.Other, _ = probe.Other.Message() // what cannot be read has nothing to borrow
	}
	part.Change(said.draft.Claims, probe.With)
	if said, err = toolmessage.Vary(responseSaid, probe.Fault, said, func(r *responding) *toolmessage.Draft { return &r.draft }); err != nil {
		return nil, err
	}
	if !said.draft.Sendable() {
		return nil, fmt.Errorf("%w: nothing can be posted to its deep_link_return_url", part.ErrUnusable)
	}
	return l.Outbox.Message(&said.draft)
}
