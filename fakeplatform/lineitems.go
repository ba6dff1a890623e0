package fakeplatform

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

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
	refusals
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
func (p *Platform) takeLineItem(q *gradeRequest) []refusal {
	registration, _ := p.registrationOf(q.known.clientID)
	sent := lineItemRead.Pass(p.carrier, sentLineItem{registration, q.service == LineItems, q.body, q.object})
	q.lineItem = sent.draft()
	return refusalsOf(lineItemRules.All(p.carrier, &sent))
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

// owns says whether a URL is one at which the tool was registered: at one of its
// hosts, and by HTTPS unless the tool was registered without.
func (r Registration) owns(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return slices.ContainsFunc(append([]string{r.LoginURL, r.TargetLinkURI, r.ReviewURI}, r.RedirectURIs...), func(known string) bool {
		own, err := url.Parse(known)
		return err == nil && strings.EqualFold(own.Host, u.Host) && (u.Scheme == "https" || u.Scheme == "http" && own.Scheme == "http")
	})
}

// shown is a line item with its id.
func (c *column) shown() map[string]any {
	item := maps.Clone(c.members)
	item["id"] = c.id
	return item
}

// shows is a line item as the answer to a request has it.
func (q *gradeRequest) shows(c *column) map[string]any {
	return lineItemShown.Pass(q.platform.carrier, shownLineItem{q, c.shown()}).members
}

// listLineItems lists the tool's line items (Assignment and Grade Services 2.0,
// 3.2.4).
func (p *Platform) listLineItems(q *gradeRequest) gradeAnswer {
	query := q.URL.Query()
	found := slices.DeleteFunc(slices.Clone(q.book.columns), func(c *column) bool { return !passes(p.carrier, query, c.item) })
	found = lineItemsFound.Pass(p.carrier, foundLineItems{q, found}).columns
	for _, c := range q.book.removed {
		c.missed = false
	}
	columns, next, wrong := page(p, q, found, func(c *column) int { return c.number })
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
func (q *gradeRequest) container(all []map[string]any, next string, wrong []refusal) gradeAnswer {
	if len(wrong) > 0 {
		return gradeAnswer{why: &wrong[0]}
	}
	answer := q.answer(http.StatusOK, all)
	if next != "" {
		answer.header.Set("Link", "<"+next+`>; rel="next"`)
	}
	return answer
}

// answer is the usual one of what was asked for.
func (q *gradeRequest) answer(status int, body any) gradeAnswer {
	return gradeAnswer{status: status, header: http.Header{"Content-Type": {q.does.gives}}, body: body}
}

// refuses answers with the first of what is wrong.
func refuses(wrong refusals) gradeAnswer { return gradeAnswer{why: &wrong[0]} }

// createLineItem makes a line item (Assignment and Grade Services 2.0, 3.2.5).
func (p *Platform) createLineItem(q *gradeRequest) gradeAnswer {
	if wrong := refusalsOf(newLineItemRules.All(p.carrier, q)); len(wrong) > 0 {
		return refuses(wrong)
	}
	asked := lineItemMade.Pass(p.carrier, newLineItem{gradeRequest: q})
	if asked.instead != nil {
		return q.answer(http.StatusCreated, q.shows(asked.instead))
	}
	made := p.newColumn(q.book, q.lineItem, asked.key)
	made.rows = asked.rows
	answer := q.answer(http.StatusCreated, q.shows(made))
	answer.header.Set("Location", made.id)
	answer.effect = func() {
		made.members = lineItemKept.Pass(p.carrier, keptLineItem{q, made.members}).members
		p.grades.insert(made)
	}
	return answer
}

func (p *Platform) showLineItem(q *gradeRequest) gradeAnswer {
	return q.answer(http.StatusOK, q.shows(q.column))
}

// replaceLineItem changes a line item to what the tool has sent, but for what never
// changes: its id, and the resource link that it is attached to (Assignment and
// Grade Services 2.0, 3.2.6).
func (p *Platform) replaceLineItem(q *gradeRequest) gradeAnswer {
	if wrong := refusalsOf(changedLineItemRules.All(p.carrier, q)); len(wrong) > 0 {
		return refuses(wrong)
	}
	to := lineItemChanged.Pass(p.carrier, changedLineItem{q, q.lineItem, q.column.item.ResourceLinkID})
	made := *q.column
	made.members, made.item = to.draft.members, to.draft.item
	made.item.ID, made.item.ResourceLinkID = made.id, to.link
	delete(made.members, "resourceLinkId")
	if to.link != "" {
		made.members["resourceLinkId"] = to.link
	}
	answer := q.answer(http.StatusOK, q.shows(&made))
	answer.effect = func() {
		made.members = lineItemKept.Pass(p.carrier, keptLineItem{q, made.members}).members
		*q.column = made
	}
	return answer
}

// deleteLineItem removes a line item that the tool has made.
func (p *Platform) deleteLineItem(q *gradeRequest) gradeAnswer {
	if wrong := refusalsOf(removedLineItemRules.All(p.carrier, q)); len(wrong) > 0 {
		return refuses(wrong)
	}
	removed := lineItemsRemoved.Pass(p.carrier, foundLineItems{q, []*column{q.column}}).columns
	return gradeAnswer{status: http.StatusNoContent, effect: func() {
		for _, c := range removed {
			p.grades.remove(c)
		}
	}}
}
