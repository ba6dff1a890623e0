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
	aside, wrong := p.amendLineItem(q)
	review, unsaid := p.amendReview(q)
	var found []refusal
	q.lineItem, found = p.readLineItem(q.object, registration)
	maps.Copy(q.lineItem.members, aside)
	p.spoilReview(&q.lineItem, review)
	return slices.Concat(wrong, unsaid, found)
}

// readLineItem reads a line item of the tool of a registration (Assignment and
// Grade Services 2.0, 3.2).
func (p *Platform) readLineItem(object map[string]any, registration Registration) (lineItemDraft, []refusal) {
	m := members{object: object}
	if object == nil {
		m.bad("the body is no JSON object of at most %d bytes", maxServiceBody)
		return lineItemDraft{}, m.refusals
	}
	item := lti.LineItem{
		Label: m.text("label"), ResourceID: m.text("resourceId"), Tag: m.text("tag"), ResourceLinkID: m.text("resourceLinkId"),
		StartDateTime: m.text("startDateTime"), EndDateTime: m.text("endDateTime"),
	}
	if strings.TrimSpace(item.Label) == "" {
		m.bad("label is missing or blank")
	}
	if maximum := m.maximum("scoreMaximum"); maximum == nil {
		m.bad("scoreMaximum is missing")
	} else {
		item.ScoreMaximum = *maximum
	}
	start, starts := m.date("startDateTime")
	end, ends := m.date("endDateTime")
	if starts && ends && end.Before(start) {
		m.bad("endDateTime is before startDateTime")
	}
	if value := object["gradesReleased"]; value != nil {
		released, ok := value.(bool)
		if !ok {
			m.bad("gradesReleased is no boolean")
		}
		item.GradesReleased = &released
	}
	if value := object["submissionReview"]; value != nil {
		var wrong refusals
		item.SubmissionReview, wrong = readSubmissionReview(value, registration)
		m.refusals = append(m.refusals, wrong...)
	}
	draft := lineItemDraft{members: maps.Clone(object), item: item}
	maps.DeleteFunc(draft.members, func(name string, value any) bool { return name == "id" || value == nil })
	return draft, m.refusals
}

// readSubmissionReview reads how submissions are reviewed (Submission Review
// Service 1.0, on a per line item basis).
func readSubmissionReview(value any, registration Registration) (*lti.SubmissionReview, refusals) {
	object, ok := value.(map[string]any)
	m := members{object: object}
	if !ok {
		m.bad("submissionReview is no object")
		return nil, m.refusals
	}
	review := &lti.SubmissionReview{Label: m.text("label"), URL: m.text("url")}
	if value := object["reviewableStatus"]; value != nil {
		list, ok := value.([]any)
		if !ok {
			m.bad("reviewableStatus is no array")
		}
		review.ReviewableStatus = []string{}
		for _, value := range list {
			status, _ := value.(string)
			if status != lti.ReviewableNone && !slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(status)) {
				m.bad("reviewableStatus has a value that there is not")
			}
			review.ReviewableStatus = append(review.ReviewableStatus, status)
		}
	}
	if object["url"] != nil && !registration.owns(review.URL) {
		m.bad("the url of submissionReview is none of the tool's")
	}
	if value := object["custom"]; value != nil {
		custom, ok := value.(map[string]any)
		if !ok {
			m.bad("the custom of submissionReview is no object")
		}
		review.Custom = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(custom)) {
			text, ok := custom[name].(string)
			if !ok {
				m.bad("custom parameter %.100q of submissionReview is no string", name)
			}
			review.Custom[name] = text
		}
	}
	return review, m.refusals
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

// shown is a line item as it is sent.
func (c *column) shown() map[string]any {
	item := maps.Clone(c.members)
	item["id"] = c.id
	return item
}

// listLineItems lists the tool's line items (Assignment and Grade Services 2.0,
// 3.2.4).
func (p *Platform) listLineItems(q *gradeRequest) gradeAnswer {
	query := q.URL.Query()
	found := slices.DeleteFunc(slices.Clone(q.book.columns), func(c *column) bool { return !p.passes(query, c.item) })
	found = append(p.spoilSelection(q, found), p.foreignColumns(q)...)
	columns, next, wrong := page(p, q, found, func(c *column) int { return c.number })
	items := []map[string]any{}
	for _, c := range columns {
		items = append(items, c.shown())
	}
	return q.container(items, next, wrong)
}

// passes says whether a line item passes all filters that there are.
func (p *Platform) passes(query url.Values, item lti.LineItem) bool {
	passed, failed := 0, 0
	for _, f := range []struct{ name, value, ignored string }{
		{paramResourceLinkID, item.ResourceLinkID, IgnoresResourceLinkFilter}, {paramResourceID, item.ResourceID, IgnoresResourceIDFilter},
		{paramTag, item.Tag, IgnoresTagFilter},
	} {
		switch {
		case !query.Has(f.name):
		case p.readsFilter(f.name, query.Get(f.name)) == f.value, p.has(f.ignored):
			passed++
		default:
			failed++
		}
	}
	return failed == 0 || passed > 0 && p.has(JoinsFilters)
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

// createLineItem makes a line item (Assignment and Grade Services 2.0, 3.2.5).
func (p *Platform) createLineItem(q *gradeRequest) gradeAnswer {
	if link := q.lineItem.item.ResourceLinkID; link != "" && !q.book.links[link] {
		if takes, why := p.takesLineItemLink(q, link); !takes {
			return gradeAnswer{why: why}
		}
	}
	if twin := p.twinOf(q); twin != nil {
		return q.answer(http.StatusCreated, twin.shown())
	}
	if len(q.book.columns) >= maxColumns {
		return gradeAnswer{why: &refusal{http.StatusConflict, lti.ErrorInvalidRequest, "the gradebook is full"}}
	}
	made := p.newColumn(q.book, q.lineItem, p.suppliedID(q))
	answer := q.answer(http.StatusCreated, made.shown())
	answer.header.Set("Location", made.id)
	p.revives(made)
	answer.effect = func() { p.grades.insert(made) }
	return answer
}

func (p *Platform) showLineItem(q *gradeRequest) gradeAnswer {
	return q.answer(http.StatusOK, q.column.shown())
}

// replaceLineItem changes a line item to what the tool has sent, but for what never
// changes: its id, and the resource link that it is attached to (Assignment and
// Grade Services 2.0, 3.2.6).
func (p *Platform) replaceLineItem(q *gradeRequest) gradeAnswer {
	link := q.column.item.ResourceLinkID
	if sent := q.lineItem.item.ResourceLinkID; sent != "" && sent != link {
		moves, refuses := p.keepsLink()
		if refuses {
			return gradeAnswer{why: &refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "resourceLinkId does not change"}}
		}
		if moves {
			link = sent
		}
	}
	if id := q.object["id"]; id != nil && id != q.column.id && p.has(RefusesOtherIDs) {
		return gradeAnswer{why: &refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "id does not change"}}
	}
	made := *q.column
	made.members, made.item = q.lineItem.members, q.lineItem.item
	if tag := q.column.item.Tag; tag != "" && made.item.Tag == "" && p.has(KeepsLeftOutTags) {
		made.item.Tag, made.members["tag"] = tag, tag
	}
	made.item.ID, made.item.ResourceLinkID = made.id, link
	delete(made.members, "resourceLinkId")
	if link != "" {
		made.members["resourceLinkId"] = link
	}
	p.keepsReview(q.column, &made)
	answer := q.answer(http.StatusOK, made.shown())
	changes := p.changesToo(q, made)
	answer.effect = func() {
		*q.column = made
		changes()
	}
	return answer
}

// deleteLineItem removes a line item that the tool has made.
func (p *Platform) deleteLineItem(q *gradeRequest) gradeAnswer {
	if q.column.own {
		return p.refusesToDeleteOwn()
	}
	removed := append(p.twins(q, RemovesTwins), q.column)
	return gradeAnswer{status: http.StatusNoContent, effect: func() {
		for _, c := range removed {
			p.grades.remove(c)
		}
	}}
}
