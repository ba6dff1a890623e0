package grades

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A lineItemDraft is what a tool wants a line item to be.
type lineItemDraft struct {
	members map[string]any // all but the id, those that nobody knows included
	item    lti.LineItem
}

// members reads those of a JSON object, and notes what is wrong with them. One that
// is null is missing.
type members struct {
	object map[string]any
	part.Refusals
}

// bad adds that something is not as it should be.
func (m *members) bad(format string, args ...any) {
	m.Refusals = append(m.Refusals, part.RefusalsOf(part.InvalidRequest(format, args...))...)
}

// text returns a member that is a string, and nothing where it is missing.
func (m *members) text(name string) string {
	value := m.object[name]
	text, ok := value.(string)
	if value != nil && !ok {
		m.bad("%s is no string", name)
	}
	return text
}

// number returns a member that is a number, and nil where it is missing.
func (m *members) number(name string) *float64 {
	value := m.object[name]
	if value == nil {
		return nil
	}
	number, _ := value.(json.Number)
	n, err := number.Float64()
	if err != nil || math.Abs(n) > largest {
		m.bad("%s is no number, or too large", name)
		return nil
	}
	return &n
}

// maximum returns a member that is a number above 0, and nil where it is missing.
func (m *members) maximum(name string) *float64 {
	n := m.number(name)
	if n != nil && *n < 1/largest {
		m.bad("%s is not above 0", name)
	}
	return n
}

// largest is what numbers may be at most, so that points can be reckoned with.
const largest = 1e12

// date returns a member that is a date-time with zone, and false where it is
// missing, or none.
func (m *members) date(name string) (time.Time, bool) {
	text := m.text(name)
	if text == "" {
		if _, sent := m.object[name].(string); sent {
			m.bad("%s is empty", name)
		}
		return time.Time{}, false
	}
	at, ok := lti.Instant(text)
	if !ok {
		m.bad("%s is no date-time with zone", name)
	}
	return at, ok
}

// one returns a member that is one of several strings.
func one[T ~string](m *members, name string, of []T) T {
	text := m.text(name)
	if !slices.Contains(of, T(text)) {
		m.bad("%s is missing or none that there is", name)
	}
	return T(text)
}

// takeLineItem reads the line item that a tool sends.
func (g *Gradebooks) takeLineItem(q *request) part.Refusals {
	registration, _ := g.core.Registration(q.token.ClientID)
	sent := lineItemRead.Pass(g.carrier(), sentLineItem{registration, q.service == LineItems, q.body, q.object})
	q.lineItem = sent.draft()
	return part.RefusalsOf(lineItemRules.All(g.carrier(), &sent)...)
}

// draft is what a line item says, as far as it is what it must be.
func (s *sentLineItem) draft() lineItemDraft {
	draft := lineItemDraft{members: maps.Clone(s.object), item: lti.LineItem{
		Label: s.text("label"), ResourceID: s.text("resourceId"), Tag: s.text("tag"), ResourceLinkID: s.text("resourceLinkId"),
		StartDateTime: s.text("startDateTime"), EndDateTime: s.text("endDateTime"),
	}}
	maps.DeleteFunc(draft.members, func(name string, value any) bool { return name == "id" || value == nil })
	draft.item.ScoreMaximum, _ = numeric(s.object["scoreMaximum"])
	if released, ok := s.object["gradesReleased"].(bool); ok {
		draft.item.GradesReleased = &released
	}
	if s.review() != nil {
		draft.item.SubmissionReview = s.submissionReview()
	}
	return draft
}

// submissionReview is how submissions are reviewed (Submission Review Service 1.0, on a per
// line item basis).
func (s *sentLineItem) submissionReview() *lti.SubmissionReview {
	said := s.review()
	review := &lti.SubmissionReview{}
	review.Label, _ = said["label"].(string)
	review.URL, _ = said["url"].(string)
	if said["reviewableStatus"] != nil {
		review.ReviewableStatus = []string{}
		for _, value := range s.reviewableStatus() {
			status, _ := value.(string)
			review.ReviewableStatus = append(review.ReviewableStatus, status)
		}
	}
	if custom, ok := said["custom"].(map[string]any); ok {
		review.Custom = map[string]string{}
		for name, value := range custom {
			review.Custom[name], _ = value.(string)
		}
	}
	return review
}

// shown is a line item with its id.
func (c *column) shown() map[string]any {
	item := maps.Clone(c.members)
	item["id"] = c.id
	return item
}

// shows is a line item as the answer to a request has it.
func (q *request) shows(c *column) map[string]any {
	return lineItemShown.Pass(q.books.carrier(), shownLineItem{q, c.shown()}).members
}

// listLineItems lists the tool's line items (Assignment and Grade Services 2.0,
// 3.2.4).
func (g *Gradebooks) listLineItems(q *request) response {
	query := q.URL.Query()
	found := slices.DeleteFunc(slices.Clone(q.book.columns), func(c *column) bool { return !passes(g.carrier(), query, c.item) })
	found = lineItemsFound.Pass(g.carrier(), foundLineItems{q, found}).columns
	for _, c := range q.book.removed {
		c.missed = false
	}
	columns, next, wrong := page(g, q, found, func(c *column) int { return c.number })
	items := []map[string]any{}
	for _, c := range columns {
		items = append(items, q.shows(c))
	}
	return q.container(items, next, wrong)
}

// passes says whether a line item passes all filters that there are.
func passes(c *fault.Carrier, query url.Values, item lti.LineItem) bool {
	var of filteredLineItem
	for _, f := range []filter{
		{paramResourceLinkID, query.Get(paramResourceLinkID), item.ResourceLinkID},
		{paramResourceID, query.Get(paramResourceID), item.ResourceID},
		{paramTag, query.Get(paramTag), item.Tag},
	} {
		switch {
		case !query.Has(f.name):
		case filterPassed.Taken(c, f):
			of.passed++
		default:
			of.failed++
		}
	}
	return lineItemListed.Taken(c, of)
}

// container answers with a page of a container.
func (q *request) container(all []map[string]any, next string, wrong part.Refusals) response {
	if len(wrong) > 0 {
		return response{why: &wrong[0]}
	}
	answer := q.answer(http.StatusOK, all)
	if next != "" {
		answer.header.Set("Link", "<"+next+`>; rel="next"`)
	}
	return answer
}

// answer is the usual one of what was asked for.
func (q *request) answer(status int, body any) response {
	return response{status: status, header: http.Header{"Content-Type": {q.does.gives}}, body: body}
}

// refuses answers with the first of what is wrong.
func refuses(wrong part.Refusals) response { return response{why: &wrong[0]} }

// createLineItem makes a line item (Assignment and Grade Services 2.0, 3.2.5).
func (g *Gradebooks) createLineItem(q *request) response {
	if wrong := part.RefusalsOf(newLineItemRules.All(g.carrier(), q)...); len(wrong) > 0 {
		return refuses(wrong)
	}
	asked := lineItemMade.Pass(g.carrier(), newLineItem{request: q})
	if asked.instead != nil {
		return q.answer(http.StatusCreated, q.shows(asked.instead))
	}
	made := g.newColumn(q.book, q.lineItem, asked.key)
	made.rows = asked.rows
	answer := q.answer(http.StatusCreated, q.shows(made))
	answer.header.Set("Location", made.id)
	answer.effect = func() {
		made.members = lineItemKept.Pass(g.carrier(), keptLineItem{q, made.members}).members
		g.insert(made)
	}
	return answer
}

func (g *Gradebooks) showLineItem(q *request) response {
	return q.answer(http.StatusOK, q.shows(q.column))
}

// replaceLineItem changes a line item to what the tool has sent, but for what never
// changes: its id, and the resource link that it is attached to (Assignment and
// Grade Services 2.0, 3.2.6).
func (g *Gradebooks) replaceLineItem(q *request) response {
	if wrong := part.RefusalsOf(changedLineItemRules.All(g.carrier(), q)...); len(wrong) > 0 {
		return refuses(wrong)
	}
	to := lineItemChanged.Pass(g.carrier(), changedLineItem{q, q.lineItem, q.column.item.ResourceLinkID})
	made := *q.column
	made.members, made.item = to.draft.members, to.draft.item
	made.item.ID, made.item.ResourceLinkID = made.id, to.link
	delete(made.members, "resourceLinkId")
	if to.link != "" {
		made.members["resourceLinkId"] = to.link
	}
	answer := q.answer(http.StatusOK, q.shows(&made))
	answer.effect = func() {
		made.members = lineItemKept.Pass(g.carrier(), keptLineItem{q, made.members}).members
		*q.column = made
	}
	return answer
}

// deleteLineItem removes a line item that the tool has made.
func (g *Gradebooks) deleteLineItem(q *request) response {
	if wrong := part.RefusalsOf(removedLineItemRules.All(g.carrier(), q)...); len(wrong) > 0 {
		return refuses(wrong)
	}
	removed := lineItemsRemoved.Pass(g.carrier(), foundLineItems{q, []*column{q.column}}).columns
	return response{status: http.StatusNoContent, effect: func() {
		for _, c := range removed {
			g.remove(c)
		}
	}}
}
