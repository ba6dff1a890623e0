package grades

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// lineItemDefects are the defects of the line item service (Assignment and Grade Services 2.0,
// 3.2), and what is unusual, but allowed.
var lineItemDefects = []fault.Fault{
	// Lists of line items.
	{Name: "lists-foreign-line-items", Proves: "ags-tool-isolation", Does: "lists the line items of all tools in a context", Effects: []fault.Effect{listsForeign(everyRequest)}},
	{Name: "lists-line-items-of-all-contexts", Proves: "ags-tool-isolation", Does: "lists the tool's line items of all contexts", Effects: []fault.Effect{
		lists(func(f *foundLineItems) {
			for at, book := range f.books.books {
				if at.clientID == f.book.clientID && at != f.book.shelf {
					f.columns = append(f.columns, book.columns...)
				}
			}
		}),
	}},
	{Name: "sends-null-for-no-line-items", Proves: "ags-lineitems-list", Does: "answers null where a context has no line items", Effects: []fault.Effect{
		answersRequests(ofNoLineItems, func(a *answeredRequest) { a.answer.body = []map[string]any(nil) }),
	}},
	{Name: "hides-empty-lists", Proves: "ags-lineitems-list", Does: "answers 404 where a context has no line items", Effects: []fault.Effect{
		answersRequests(ofNoLineItems, func(a *answeredRequest) {
			a.answer.why = &part.Refusal{Status: http.StatusNotFound, Code: lti.ErrorInvalidRequest, Says: "there are no line items"}
		}),
	}},
	{Name: "lists-line-items-as-json", Proves: "ags-lineitems-list", Does: "lists line items as application/json", Effects: []fault.Effect{answersRequests(listing, asJSONType)}},
	{Name: "leaves-labels-out-of-lists", Proves: "ags-lineitems-list", Does: "lists line items without label", Effects: []fault.Effect{
		showsLineItems(listing, func(s shownLineItem) { delete(s.members, "label") }),
	}},
	{Name: "lists-maximum-as-text", Proves: "ags-lineitems-list", Does: "lists line items whose scoreMaximum is a string", Effects: []fault.Effect{
		showsLineItems(listing, func(s shownLineItem) { s.members["scoreMaximum"] = jwt.Member(s.members, "scoreMaximum") }),
	}},
	{Name: "ignores-resource-link-filter", Proves: "ags-lineitems-filters", Does: "does not look at resource_link_id", Effects: []fault.Effect{ignoresFilter(paramResourceLinkID)}},
	{Name: "ignores-resource-id-filter", Proves: "ags-lineitems-filters", Does: "does not look at resource_id", Effects: []fault.Effect{ignoresFilter(paramResourceID)}},
	{Name: "ignores-tag-filter", Proves: "ags-lineitems-filters", Does: "does not look at tag", Effects: []fault.Effect{ignoresFilter(paramTag)}},
	{Name: "joins-filters", Proves: "ags-lineitems-filters", Does: "lists what one of several filters lets through", Effects: []fault.Effect{
		lineItemListed.Take(true, func(f filteredLineItem) bool { return f.passed > 0 }),
	}},
	{Name: "lists-all-without-match", Proves: "ags-lineitems-filters", Does: "lists all line items where none matches", Effects: []fault.Effect{
		lists(func(f *foundLineItems) {
			if len(f.columns) == 0 {
				f.columns = slices.Clone(f.book.columns)
			}
		}),
	}},
	{Name: "cuts-tags-at-ampersand", Proves: "ags-lineitems-filters", Does: "reads the tag that it filters by as far as an ampersand", Effects: readsTag(func(tag string) string {
		before, _, _ := strings.Cut(tag, "&")
		return before
	})},
	{Name: "drops-foreign-letters", Proves: "ags-lineitems-filters", Does: "drops letters beyond ASCII from the tag that it filters by", Effects: readsTag(inASCII)},
	{Name: "decodes-filters-twice", Proves: "ags-lineitems-filters", Does: "decodes twice what line items are filtered by", Effects: readsFilters(func(f filter) string {
		if twice, err := url.QueryUnescape(f.value); err == nil {
			return twice
		}
		return f.value
	})},
	{Name: "lists-nothing-dated", Proves: "ags-lineitem-create", Does: "leaves line items with dates out of lists", Effects: []fault.Effect{
		lists(func(f *foundLineItems) {
			f.columns = slices.DeleteFunc(f.columns, func(c *column) bool { return dated(c.members) })
		}),
	}},
	{Name: "lists-the-removed", Proves: "ags-lineitem-delete", Does: "lists a line item that was removed", Effects: []fault.Effect{
		lists(func(f *foundLineItems) {
			for _, c := range f.book.removed {
				if c.missed {
					f.columns = append(f.columns, c)
				}
			}
		}),
	}},

	// New line items.
	{Name: "answers-creation-with-200", Proves: "ags-lineitem-create", Does: "answers 200 when a line item has been made", Effects: []fault.Effect{
		answersRequests(making, func(a *answeredRequest) { a.answer.status = http.StatusOK }),
	}},
	{Name: "answers-creation-as-json", Proves: "ags-lineitem-create", Does: "answers a new line item as application/json", Effects: []fault.Effect{answersRequests(making, asJSONType)}},
	{Name: "leaves-ids-out-of-answers", Proves: "ags-lineitem-create", Does: "answers a new line item without id", Effects: []fault.Effect{
		showsLineItems(making, func(s shownLineItem) { delete(s.members, "id") }),
	}},
	{Name: "leaves-links-out-of-answers", Proves: "ags-lineitem-create", Does: "answers a new line item without resourceLinkId", Effects: []fault.Effect{
		showsLineItems(making, func(s shownLineItem) { delete(s.members, "resourceLinkId") }),
	}},
	{Name: "forgets-dates-after-answer", Proves: "ags-lineitem-create", Does: "answers a line item with dates that it does not keep", Effects: []fault.Effect{keepsLineItems(everyRequest, withoutDates)}},
	{Name: "forgets-tags-after-answer", Proves: "ags-lineitem-create", Does: "answers a new line item with a tag that it does not keep", Effects: []fault.Effect{
		keepsLineItems(making, func(members map[string]any) { delete(members, "tag") }),
	}},
	{Name: "takes-supplied-ids", Proves: "ags-lineitem-create", Does: "gives a new line item the id that was sent", Effects: []fault.Effect{
		makesLineItems(func(n *newLineItem) { n.key = n.suppliedKey() }),
	}},
	{Name: "merges-twins", Proves: "ags-lineitem-create", Does: "answers with the line item that it has where another with the same resourceId is asked for", Effects: []fault.Effect{
		makesLineItems(func(n *newLineItem) {
			asked := n.lineItem.item
			i := slices.IndexFunc(n.book.columns, func(c *column) bool {
				return asked.ResourceID != "" && asked.ResourceID == c.item.ResourceID && asked.ResourceLinkID == "" && c.item.ResourceLinkID == ""
			})
			if i >= 0 {
				n.instead = n.book.columns[i]
			}
		}),
	}},
	{Name: "revives-results", Proves: "ags-lineitem-delete", Does: "gives a line item that is made again the scores of the one that was removed", Effects: []fault.Effect{
		makesLineItems(func(n *newLineItem) {
			for _, c := range n.book.removed {
				if len(c.rows) > 0 && c.item.Label == n.lineItem.item.Label {
					n.rows = c.rows
				}
			}
		}),
	}},
	{Name: "loses-new-tags", Proves: "ags-lineitem-create", Does: "does not keep the tag of a new line item", Effects: []fault.Effect{readsNew(leavesOut("tag"))}},
	{Name: "loses-new-resource-ids", Proves: "ags-lineitem-create", Does: "does not keep the resourceId of a new line item", Effects: []fault.Effect{readsNew(leavesOut("resourceId"))}},
	{Name: "rounds-maximums", Proves: "ags-lineitem-create", Does: "rounds the scoreMaximum of a new line item", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			if n, ok := numeric(s.object["scoreMaximum"]); ok && n > 1 && n != math.Trunc(n) {
				s.object["scoreMaximum"] = json.Number(strconv.FormatFloat(math.Trunc(n), 'f', -1, 64))
			}
		}),
	}},
	{Name: "cuts-long-labels", Proves: "ags-lineitem-create", Does: "cuts the label of a new line item to 100 characters", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			if letters := []rune(s.text("label")); len(letters) > shortLabel {
				s.object["label"] = string(letters[:shortLabel])
			}
		}),
	}},
	{Name: "asks-for-resource-ids", Proves: "ags-lineitem-create", Does: "refuses a new line item without resourceId", Effects: []fault.Effect{
		refusesNew("a new line item has no resourceId", func(s *sentLineItem) bool { return s.object["resourceId"] == nil }),
	}},
	{Name: "asks-for-tags", Proves: "ags-lineitem-create", Does: "refuses a new line item without tag", Effects: []fault.Effect{
		refusesNew("a new line item has no tag", func(s *sentLineItem) bool { return s.object["tag"] == nil }),
	}},
	{Name: "refuses-long-labels", Proves: "ags-lineitem-create", Does: "refuses a new line item whose label has more than 100 characters", Effects: []fault.Effect{refusesNew("label is too long", hasLongLabel)}},
	{Name: "reads-no-exponents", Proves: "ags-lineitem-create", Does: "refuses numbers with an exponent", Effects: []fault.Effect{refusesNew(inNoForm, maximumIs(withExponent)), refusesScore(inNoForm, pointsAre(withExponent))}},
	{Name: "reads-few-digits", Proves: "ags-lineitem-create", Does: "refuses numbers with more than sixteen digits", Effects: []fault.Effect{refusesNew(inNoForm, maximumIs(withManyDigits)), refusesScore(inNoForm, pointsAre(withManyDigits))}},
	{Name: "leaves-dates-out", Permitted: true, Does: "keeps neither dates nor gradesReleased of line items", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) { withoutDates(s.object) }),
	}},
	{Name: "refuses-supplied-ids", Permitted: true, Does: "answers 400 to a new line item with an id", Effects: []fault.Effect{
		refusesNew("a new line item has an id", func(s *sentLineItem) bool {
			_, sent := s.object["id"]
			return sent
		}),
	}},
	{Name: "shows-missing-members-as-blank", Permitted: true, Does: "shows a blank tag, and null for other members that a line item does not have, where it is read", Effects: []fault.Effect{
		showsLineItems(reading, func(s shownLineItem) {
			for name, blank := range map[string]any{"tag": "", "resourceId": nil, "resourceLinkId": "", "startDateTime": nil, "endDateTime": ""} {
				if s.members[name] == nil {
					s.members[name] = blank
				}
			}
		}),
	}},

	// What a new line item has to say.
	{Name: "takes-missing-labels", Proves: "ags-lineitem-create-validation", Does: "makes up the label of a line item that has none", Effects: []fault.Effect{readsNew(makesUpMissing("label", "Untitled"))}},
	{Name: "takes-empty-labels", Proves: "ags-lineitem-create-validation", Does: "takes a line item with an empty label", Effects: []fault.Effect{
		labelGiven.Lift(func(s *sentLineItem) bool { return s.isNew && s.object["label"] == "" }),
	}},
	{Name: "takes-blank-labels", Proves: "ags-lineitem-create-validation", Does: "takes a line item whose label is of spaces alone", Effects: []fault.Effect{
		labelGiven.Lift(func(s *sentLineItem) bool { return s.isNew && s.text("label") != "" }),
	}},
	{Name: "takes-labels-of-other-types", Proves: "ags-lineitem-create-validation", Does: "takes a label that is no string for the text that it is written as", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			if label, sent := s.object["label"]; sent && !isText(label) {
				s.object["label"] = jwt.Member(s.object, "label")
			}
		}),
	}},
	{Name: "takes-missing-maximums", Proves: "ags-lineitem-create-validation", Does: "makes up the scoreMaximum of a line item that has none", Effects: []fault.Effect{readsNew(makesUpMissing("scoreMaximum", json.Number("100")))}},
	{Name: "takes-null-maximums", Proves: "ags-lineitem-create-validation", Does: "makes up the scoreMaximum of a line item where it is null", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			if maximum, sent := s.object["scoreMaximum"]; sent && maximum == nil {
				s.object["scoreMaximum"] = json.Number("100")
			}
		}),
	}},
	{Name: "takes-maximum-zero", Proves: "ags-lineitem-create-validation", Does: "takes a line item whose scoreMaximum is 0", Effects: []fault.Effect{takesMaximum(func(n float64) bool { return n == 0 })}},
	{Name: "takes-negative-maximums", Proves: "ags-lineitem-create-validation", Does: "takes a line item whose scoreMaximum is below 0", Effects: []fault.Effect{takesMaximum(func(n float64) bool { return n < 0 })}},
	{Name: "takes-maximums-as-text", Proves: "ags-lineitem-create-validation", Does: "takes a line item whose scoreMaximum is a string", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			if text, is := s.object["scoreMaximum"].(string); is {
				s.object["scoreMaximum"] = json.Number(text)
			}
		}),
	}},
	{Name: "takes-maximums-of-other-types", Proves: "ags-lineitem-create-validation", Does: "takes a scoreMaximum that is true, or an array, for 1", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			switch s.object["scoreMaximum"].(type) {
			case nil, string, json.Number:
			default:
				s.object["scoreMaximum"] = json.Number("1")
			}
		}),
	}},
	{Name: "takes-line-item-arrays", Proves: "ags-lineitem-create-validation", Does: "makes a line item of an array", Effects: []fault.Effect{makesUpLineItem(func(body []byte) bool {
		return json.Valid(body) && strings.HasPrefix(strings.TrimSpace(string(body)), "[")
	})}},
	{Name: "makes-line-items-of-nothing", Proves: "ags-lineitem-create-validation", Does: "makes a line item of an empty body", Effects: []fault.Effect{makesUpLineItem(func(body []byte) bool { return len(body) == 0 })}},
	{Name: "keeps-members-of-other-types", Proves: "ags-lineitem-create-validation", Does: "keeps optional members of a line item as they are, whatever their type is", Effects: []fault.Effect{
		tagText.Lift(isNewLineItem), resourceIDText.Lift(isNewLineItem), startText.Lift(isNewLineItem), gradesReleasedBoolean.Lift(isNewLineItem),
	}},
	{Name: "crashes-on-members-of-other-types", Proves: "ags-lineitem-create-validation", Does: "answers 500 to a line item with an optional member of another type", Effects: []fault.Effect{
		tagText.Answer(isNewLineItem, crashesOn), resourceIDText.Answer(isNewLineItem, crashesOn), startText.Answer(isNewLineItem, crashesOn), gradesReleasedBoolean.Answer(isNewLineItem, crashesOn),
	}},
	{Name: "reads-members-of-other-types", Proves: "ags-lineitem-create-validation", Does: "takes optional members of a line item for what they could mean, whatever their type is", Effects: []fault.Effect{
		readsOtherTypes(func(s *sentLineItem, name string) {
			switch name {
			case "startDateTime":
				delete(s.object, name)
			case "gradesReleased":
				s.object[name] = s.object[name] == "true"
			default:
				s.object[name] = jwt.Member(s.object, name)
			}
		}),
	}},
	{Name: "ignores-members-of-other-types", Permitted: true, Does: "leaves out optional members of a line item that are of another type", Effects: []fault.Effect{
		readsOtherTypes(func(s *sentLineItem, name string) { delete(s.object, name) }),
	}},
	{Name: "attaches-to-unknown-links", Proves: "ags-lineitem-create-resource-link", Does: "attaches a line item to a link that there is not", Effects: []fault.Effect{
		linkOfTool.Lift(ofNobodyHere),
	}},
	{Name: "attaches-to-links-of-other-tools", Proves: "ags-lineitem-create-resource-link", Does: "attaches a line item to a link of another tool", Effects: []fault.Effect{linkOfTool.Lift(linkIs(ofOtherTool))}},
	{Name: "attaches-to-links-elsewhere", Proves: "ags-lineitem-create-resource-link", Does: "attaches a line item to a link of the tool in another context", Effects: []fault.Effect{linkOfTool.Lift(linkIs(ofToolElsewhere))}},
	{Name: "ignores-unknown-links", Proves: "ags-lineitem-create-resource-link", Does: "makes a line item without resourceLinkId where the link is not the tool's", Effects: []fault.Effect{
		linkOfTool.Answer(nil, func(q *request, _ error) error {
			delete(q.lineItem.members, "resourceLinkId")
			q.lineItem.item.ResourceLinkID = ""
			return nil
		}),
	}},
	{Name: "says-bad-request-for-links", Permitted: true, Does: "answers 400 instead of 404 to a resourceLinkId that is not the tool's", Effects: []fault.Effect{
		linkOfTool.Answer(nil, func(_ *request, broken error) error { return part.InvalidRequest("%v", broken) }),
	}},

	// Changed and removed line items.
	{Name: "pretends-to-change", Proves: "ags-lineitem-update", Does: "answers a changed line item, and changes nothing", Effects: []fault.Effect{
		answersRequests(changing, func(a *answeredRequest) { a.undone = true }),
	}},
	{Name: "ignores-changes", Proves: "ags-lineitem-update", Does: "answers 200 with the line item as it was", Effects: []fault.Effect{
		answersRequests(changing, func(a *answeredRequest) { a.answer.body, a.undone = a.column.shown(), true }),
	}},
	{Name: "keeps-left-out-tags", Proves: "ags-lineitem-update", Does: "keeps a tag that is left out of a change", Effects: []fault.Effect{
		changes(func(c *changedLineItem) {
			if tag := c.column.item.Tag; tag != "" && c.draft.item.Tag == "" {
				c.draft.item.Tag, c.draft.members["tag"] = tag, tag
			}
		}),
	}},
	{Name: "echoes-sent-ids", Proves: "ags-lineitem-update", Does: "answers a change with the id that was sent", Effects: []fault.Effect{
		showsLineItems(changing, func(s shownLineItem) {
			if sent, _ := s.object["id"].(string); sent != "" {
				s.members["id"] = sent
			}
		}),
	}},
	{Name: "moves-to-other-links", Proves: "ags-lineitem-update", Does: "attaches a line item to another link", Effects: []fault.Effect{
		linkKept.Lift(nil),
		changes(func(c *changedLineItem) {
			if sent := c.draft.item.ResourceLinkID; sent != "" {
				c.link = sent
			}
		}),
	}},
	{Name: "answers-changes-with-204", Proves: "ags-lineitem-update", Does: "answers 204 to a change", Effects: []fault.Effect{
		answersRequests(changing, func(a *answeredRequest) {
			a.answer.status, a.answer.body = http.StatusNoContent, nil
			a.answer.header.Del("Content-Type")
		}),
	}},
	{Name: "refuses-long-labels-in-changes", Proves: "ags-lineitem-update", Does: "refuses a change to a label that has more than 100 characters", Effects: []fault.Effect{
		refusesLineItems("label is too long", func(s *sentLineItem) bool { return !s.isNew && hasLongLabel(s) }),
	}},
	{Name: "keeps-links-silently", Permitted: true, Does: "answers 200 to another resourceLinkId, and keeps the one that there is", Effects: []fault.Effect{linkKept.Lift(nil)}},
	{Name: "refuses-other-ids", Permitted: true, Does: "answers 400 to a change with another id", Effects: []fault.Effect{
		changedLineItemRules.Add(func(q *request) error {
			if id := q.object["id"]; id != nil && id != q.column.id {
				return part.InvalidRequest("id does not change")
			}
			return nil
		}),
	}},
	{Name: "pretends-to-delete-own", Proves: "ags-lineitem-delete", Does: "answers 204 when one of its own line items is to be removed, and keeps it", Effects: []fault.Effect{
		madeByTool.Lift(nil),
		removes(func(f *foundLineItems) {
			f.columns = slices.DeleteFunc(f.columns, func(c *column) bool { return c.own })
		}),
	}},
	{Name: "says-405-to-delete-own", Permitted: true, Does: "answers 405 when one of its own line items is to be removed", Effects: []fault.Effect{
		madeByTool.Answer(nil, func(_ *request, broken error) error {
			return part.Refuse(http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, broken.Error())
		}),
	}},
	{Name: "answers-deletion-with-200", Permitted: true, Does: "answers 200 when a line item has been removed", Effects: []fault.Effect{
		answersRequests(removing, func(a *answeredRequest) { a.answer.status = http.StatusOK }),
	}},

	// What a change does to scores, and to other line items.
	{Name: "stamps-grades-on-change-of-maximum", Proves: "ags-score-own-time", Does: "takes the change of a line item's maximum for the time of its scores", Effects: []fault.Effect{
		stampsGrades(func(was, is lti.LineItem) bool { return was.ScoreMaximum != is.ScoreMaximum }),
	}},
	{Name: "stamps-grades-on-change-of-label", Proves: "ags-score-own-time", Does: "takes the change of a line item's label for the time of its scores", Effects: []fault.Effect{
		stampsGrades(func(was, is lti.LineItem) bool { return was.Label != is.Label }),
	}},
	{Name: "changes-twins", Proves: "ags-score-touches-nobody-else", Does: "changes every line item with the same resourceId", Effects: []fault.Effect{
		alsoChanges(func(q *request) bool { return len(q.twins()) > 0 }, func(q *request) {
			for _, c := range q.twins() {
				c.item.Label, c.item.ScoreMaximum = q.lineItem.item.Label, q.lineItem.item.ScoreMaximum
				c.members["label"], c.members["scoreMaximum"] = q.lineItem.members["label"], q.lineItem.members["scoreMaximum"]
			}
		}),
	}},
	{Name: "removes-twins", Proves: "ags-score-touches-nobody-else", Does: "removes every line item with the same resourceId", Effects: []fault.Effect{
		removes(func(f *foundLineItems) { f.columns = append(f.columns, f.twins()...) }),
	}},

	// Dates.
	{Name: "drops-offsets-of-dates", Proves: "ags-lineitem-dates", Does: "takes the local time of a date for UTC", Effects: []fault.Effect{
		readsDates(func(at time.Time, text string) string {
			if offsetOf(at) != 0 {
				return at.Format(localTime+".999999999") + "Z"
			}
			return text
		}),
	}},
	{Name: "shifts-dates-in-utc", Proves: "ags-lineitem-dates", Does: "takes a date in UTC for one in its own zone", Effects: []fault.Effect{
		readsDates(func(at time.Time, text string) string {
			if offsetOf(at) == 0 {
				return at.Format(localTime) + "+01:00"
			}
			return text
		}),
	}},
	{Name: "drops-half-seconds", Proves: "ags-lineitem-dates", Does: "drops the fraction of a second of a date", Effects: []fault.Effect{
		readsDates(func(at time.Time, text string) string {
			if at.Nanosecond() != 0 {
				return at.Format(time.RFC3339)
			}
			return text
		}),
	}},
	{Name: "needs-whole-dates", Proves: "ags-lineitem-dates", Does: "refuses a new line item with a date that has a fraction of a second", Effects: []fault.Effect{
		refusesDates(func(at time.Time, text string) bool { return strings.Contains(text, ".") }),
	}},
	{Name: "refuses-dates-behind-utc", Proves: "ags-lineitem-dates", Does: "refuses a new line item with a date in a zone west of UTC", Effects: []fault.Effect{
		refusesDates(func(at time.Time, _ string) bool { return offsetOf(at) < 0 }),
	}},
	{Name: "refuses-dates-far-ahead", Proves: "ags-lineitem-dates", Does: "refuses a new line item with a date more than twelve hours ahead of UTC", Effects: []fault.Effect{
		refusesDates(func(at time.Time, _ string) bool { return offsetOf(at) > 12*time.Hour }),
	}},
	{Name: "crashes-on-dates-without-zone", Proves: "ags-lineitem-dates", Does: "answers 500 to a date without zone", Effects: ofDates(func(name string, isDate *fault.Rule[*sentLineItem]) fault.Effect {
		return isDate.Answer(dateIs(name, isLocal), crashesOn)
	})},
	{Name: "keeps-dates-without-zone", Proves: "ags-lineitem-dates", Does: "keeps a date without zone as it is", Effects: ofDates(func(name string, isDate *fault.Rule[*sentLineItem]) fault.Effect {
		return isDate.Lift(dateIs(name, isLocal))
	})},
	{Name: "crashes-on-date-words", Proves: "ags-lineitem-dates", Does: "answers 500 to a date that is a word", Effects: ofDates(func(name string, isDate *fault.Rule[*sentLineItem]) fault.Effect {
		return isDate.Answer(dateIs(name, isWord), crashesOn)
	})},
	{Name: "keeps-date-words", Proves: "ags-lineitem-dates", Does: "keeps a date that is a word", Effects: ofDates(func(name string, isDate *fault.Rule[*sentLineItem]) fault.Effect {
		return isDate.Lift(dateIs(name, isWord))
	})},
	{Name: "crashes-on-reversed-dates", Proves: "ags-lineitem-dates", Does: "answers 500 to a line item that ends before it starts", Effects: []fault.Effect{endsAfterStart.Answer(isNewLineItem, crashesOn)}},
	{Name: "takes-reversed-dates", Proves: "ags-lineitem-dates", Does: "takes a line item that ends before it starts", Effects: []fault.Effect{endsAfterStart.Lift(isNewLineItem)}},
	{Name: "ignores-wrong-dates", Permitted: true, Does: "leaves out what is no date", Effects: []fault.Effect{
		readsNew(func(s *sentLineItem) {
			for _, name := range dateMembers {
				if _, is := lti.Instant(s.text(name)); !is && isText(s.object[name]) {
					delete(s.object, name)
				}
			}
		}),
	}},

	// Members that no specification has.
	{Name: "refuses-extensions", Proves: "ags-lineitem-extensions", Does: "refuses a new line item with a member of a vendor", Effects: []fault.Effect{
		refusesMember(func(s *sentLineItem, name string) bool { return s.isNew && ofVendor(name) }),
	}},
	{Name: "refuses-extensions-in-changes", Proves: "ags-lineitem-extensions", Does: "refuses a change with a member of a vendor", Effects: []fault.Effect{
		refusesMember(func(s *sentLineItem, name string) bool { return !s.isNew && ofVendor(name) }),
	}},
	{Name: "refuses-deep-members", Proves: "ags-lineitem-extensions", Does: "refuses a line item with a member of a vendor that is more than three levels deep", Effects: []fault.Effect{
		refusesMember(func(s *sentLineItem, name string) bool {
			return s.isNew && ofVendor(name) && strings.Contains(jwt.Member(s.object, name), "[{")
		}),
	}},
	{Name: "drops-extensions", Permitted: true, Does: "keeps no members of vendors", Effects: []fault.Effect{
		readsItem(func(s *sentLineItem) {
			maps.DeleteFunc(s.object, func(name string, _ any) bool { return ofVendor(name) })
		}),
	}},
	{Name: "refuses-plain-members", Permitted: true, Does: "refuses a line item with an unknown member that is not named by a URL", Effects: []fault.Effect{
		refusesMember(func(_ *sentLineItem, name string) bool {
			return !ofVendor(name) && !slices.Contains(lineItemMembers, name)
		}),
	}},
	{Name: "refuses-submission-reviews", Proves: "sr-unsupported-platform-tolerates", Does: "refuses a line item with submissionReview", Effects: []fault.Effect{
		refusesLineItems("there is a submissionReview", func(s *sentLineItem) bool { return s.object["submissionReview"] != nil }),
	}},
}

// The requests to the line item service.
var (
	listing  = doing(LineItems, http.MethodGet)
	making   = doing(LineItems, http.MethodPost)
	reading  = doing(LineItem, http.MethodGet)
	changing = doing(LineItem, http.MethodPut)
	removing = doing(LineItem, http.MethodDelete)
)

// ofNoLineItems are the requests for a list where the tool has nothing in the context.
func ofNoLineItems(q *request) bool { return listing(q) && len(q.book.columns) == 0 }

// showsLineItems changes line items as the answers to requests have them.
func showsLineItems(when func(*request) bool, change func(shownLineItem)) fault.Effect {
	return lineItemShown.Change(func(s shownLineItem) shownLineItem {
		if when(s.request) {
			change(s)
		}
		return s
	})
}

// keepsLineItems changes what is kept of line items, beside what was answered.
func keepsLineItems(when func(*request) bool, change func(members map[string]any)) fault.Effect {
	return lineItemKept.Change(func(k keptLineItem) keptLineItem {
		if when(k.request) {
			change(k.members)
		}
		return k
	})
}

// alsoChanges changes something beside a line item that is changed. Both functions are called
// with the gradebooks locked.
func alsoChanges(when func(*request) bool, change func(*request)) fault.Effect {
	return lineItemKept.ChangeWhen(func(k keptLineItem) bool { return changing(k.request) && when(k.request) }, func(k keptLineItem) keptLineItem {
		change(k.request)
		return k
	})
}

// stampsGrades gives the scores of a line item the time of a change.
func stampsGrades(when func(was, is lti.LineItem) bool) fault.Effect {
	return alsoChanges(func(q *request) bool { return len(q.column.rows) > 0 && when(q.column.item, q.lineItem.item) }, func(q *request) {
		for _, r := range q.column.rows {
			r.at = q.books.core.Now().Add(-time.Second) // what is sent at once is later
		}
	})
}

// lists changes which line items are listed. It is called with the gradebooks locked.
func lists(change func(*foundLineItems)) fault.Effect {
	return lineItemsFound.Change(func(f foundLineItems) foundLineItems {
		change(&f)
		return f
	})
}

// removes changes which line items are removed.
func removes(change func(*foundLineItems)) fault.Effect {
	return lineItemsRemoved.Change(func(f foundLineItems) foundLineItems {
		change(&f)
		return f
	})
}

// listsForeign lists the line items of other tools in the context, too.
func listsForeign(when func(*request) bool) fault.Effect {
	return lists(func(f *foundLineItems) {
		if !when(f.request) {
			return
		}
		var foreign []*column
		for _, c := range f.books.columns {
			if c.book != f.book && c.book.contextID == f.book.contextID && passes(nil, f.URL.Query(), c.item) {
				foreign = append(foreign, c)
			}
		}
		slices.SortFunc(foreign, func(a, b *column) int { return a.number - b.number })
		f.columns = append(f.columns, foreign...)
	})
}

func ignoresFilter(name string) fault.Effect {
	return filterPassed.Take(true, func(f filter) bool { return f.name == name })
}

// readsFilters takes what a list is filtered by for something else.
func readsFilters(read func(filter) string) []fault.Effect {
	return []fault.Effect{
		filterPassed.Take(true, func(f filter) bool { return read(f) == f.has }),
		filterPassed.Take(false, func(f filter) bool { return read(f) != f.has }),
	}
}

func readsTag(read func(tag string) string) []fault.Effect {
	return readsFilters(func(f filter) string {
		if f.name != paramTag {
			return f.value
		}
		return read(f.value)
	})
}

func inASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 127 {
			return -1
		}
		return r
	}, text)
}

// makesLineItems changes how a line item is made. It is called with the gradebooks locked.
func makesLineItems(change func(*newLineItem)) fault.Effect {
	return lineItemMade.Change(func(n newLineItem) newLineItem {
		change(&n)
		return n
	})
}

// suppliedKey is the last part of the id that a tool sends with a new line item, and
// nothing where that is none.
func (q *request) suppliedKey() string {
	id, _ := q.object["id"].(string)
	key, below := strings.CutPrefix(id, q.books.lineItemsURL(q.book.contextID)+"/")
	if !below || !wellFormed(key) || q.books.columns[key] != nil {
		return ""
	}
	return key
}

func changes(change func(*changedLineItem)) fault.Effect {
	return lineItemChanged.Change(func(c changedLineItem) changedLineItem {
		change(&c)
		return c
	})
}

// twins are the other line items with the same resourceId.
func (q *request) twins() []*column {
	own := q.column.item.ResourceID
	return slices.DeleteFunc(slices.Clone(q.book.columns), func(c *column) bool { return c == q.column || c.item.ResourceID != own || own == "" })
}

// readsItem changes what is read of a line item whose body can be read.
func readsItem(change func(*sentLineItem)) fault.Effect {
	return lineItemRead.Change(func(s sentLineItem) sentLineItem {
		if s.object != nil {
			change(&s)
		}
		return s
	})
}

func readsNew(change func(*sentLineItem)) fault.Effect {
	return readsItem(func(s *sentLineItem) {
		if s.isNew {
			change(s)
		}
	})
}

func isNewLineItem(s *sentLineItem) bool { return s.isNew }

func leavesOut(name string) func(*sentLineItem) {
	return func(s *sentLineItem) { delete(s.object, name) }
}

func makesUpMissing(name string, value any) func(*sentLineItem) {
	return func(s *sentLineItem) {
		if _, sent := s.object[name]; !sent {
			s.object[name] = value
		}
	}
}

// makesUpLineItem takes a body that is no object for a line item.
func makesUpLineItem(when func(body []byte) bool) fault.Effect {
	return lineItemRead.Change(func(s sentLineItem) sentLineItem {
		if s.object == nil && s.isNew && when(s.body) {
			s.object = map[string]any{"label": "Untitled", "scoreMaximum": json.Number("100")}
		}
		return s
	})
}

// readsOtherTypes changes optional members of a new line item that are of another type.
func readsOtherTypes(change func(s *sentLineItem, name string)) fault.Effect {
	return readsNew(func(s *sentLineItem) {
		for name, is := range map[string]func(any) bool{"tag": isText, "resourceId": isText, "startDateTime": isText, "gradesReleased": isBoolean} {
			if value := s.object[name]; value != nil && !is(value) {
				change(s, name)
			}
		}
	})
}

// takesMaximum takes a maximum that is not above 0.
func takesMaximum(when func(float64) bool) fault.Effect {
	return maximumPositive.Lift(func(s *sentLineItem) bool {
		n, _ := numeric(s.object["scoreMaximum"])
		return s.isNew && when(n)
	})
}

// refusesLineItems refuses a line item that can be read.
func refusesLineItems(says string, when func(*sentLineItem) bool) fault.Effect {
	return lineItemRules.Add(func(s *sentLineItem) error {
		if s.object != nil && when(s) {
			return part.InvalidRequest("%s", says)
		}
		return nil
	})
}

func refusesNew(says string, when func(*sentLineItem) bool) fault.Effect {
	return refusesLineItems(says, and(isNewLineItem, when))
}

// refusesMember refuses a line item with such a member.
func refusesMember(when func(s *sentLineItem, name string) bool) fault.Effect {
	return lineItemRules.Add(func(s *sentLineItem) error {
		for _, name := range slices.Sorted(maps.Keys(s.object)) {
			if when(s, name) {
				return part.InvalidRequest("there is a member %.100q", name)
			}
		}
		return nil
	})
}

// crashesOn does not bear what breaks a rule.
func crashesOn(*sentLineItem, error) error { return &part.Failure }

// shortLabel is how many characters the longest label has that a fault takes, or keeps.
const shortLabel = 100

func hasLongLabel(s *sentLineItem) bool { return len([]rune(s.text("label"))) > shortLabel }

// inNoForm is what is said of a number that is written in a way that a fault does not read.
const inNoForm = "a number is in no form that is known"

func withExponent(number string) bool   { return strings.ContainsAny(number, "eE") }
func withManyDigits(number string) bool { return len(number) > 17 }

func maximumIs(written func(number string) bool) func(*sentLineItem) bool {
	return func(s *sentLineItem) bool {
		number, _ := s.object["scoreMaximum"].(json.Number)
		return written(number.String())
	}
}

// linkIs are the requests for a new line item at a link that is found elsewhere.
func linkIs(at func(q *request, at shelf) bool) func(*request) bool {
	return func(q *request) bool {
		for there, book := range q.books.books {
			if book.links[q.lineItem.item.ResourceLinkID] && at(q, there) {
				return true
			}
		}
		return false
	}
}

func ofToolElsewhere(q *request, at shelf) bool { return at.clientID == q.book.clientID }
func ofOtherTool(q *request, at shelf) bool {
	return at.clientID != q.book.clientID && at.contextID == q.book.contextID
}

// ofNobodyHere are the requests for one at a link that is neither the tool's nor another's in the context.
func ofNobodyHere(q *request) bool {
	return !linkIs(ofToolElsewhere)(q) && !linkIs(ofOtherTool)(q)
}

var dateMembers = []string{"startDateTime", "endDateTime"}

func dated(members map[string]any) bool {
	return members["startDateTime"] != nil || members["endDateTime"] != nil || members["gradesReleased"] != nil
}

func withoutDates(members map[string]any) {
	for _, name := range []string{"startDateTime", "endDateTime", "gradesReleased"} {
		delete(members, name)
	}
}

// localTime is how a date without zone is written.
const localTime = "2006-01-02T15:04:05"

func isLocal(text string) bool {
	_, err := time.Parse(localTime, text)
	return err == nil
}

func isWord(text string) bool { return !isLocal(text) }

// ofDates are effects on what is checked of each of the two dates.
func ofDates(effect func(name string, isDate *fault.Rule[*sentLineItem]) fault.Effect) []fault.Effect {
	return []fault.Effect{effect("startDateTime", startDate), effect("endDateTime", endDate)}
}

// dateIs are new line items with such a date.
func dateIs(name string, is func(text string) bool) func(*sentLineItem) bool {
	return func(s *sentLineItem) bool { return s.isNew && is(s.text(name)) }
}

// offsetOf is how far a time is written ahead of UTC.
func offsetOf(at time.Time) time.Duration {
	_, seconds := at.Zone()
	return time.Duration(seconds) * time.Second
}

// readsDates changes the dates of a new line item.
func readsDates(read func(at time.Time, text string) string) fault.Effect {
	return readsNew(func(s *sentLineItem) {
		for _, name := range dateMembers {
			if at, is := s.date(name); is {
				s.object[name] = read(at, s.text(name))
			}
		}
	})
}

// date is a date as RFC 3339 writes it, in its zone.
func (s *sentLineItem) date(name string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, s.text(name))
	return at, err == nil
}

// refusesDates refuses a new line item with such a date.
func refusesDates(when func(at time.Time, text string) bool) fault.Effect {
	return refusesNew("a date is in no form that is known", func(s *sentLineItem) bool {
		return slices.ContainsFunc(dateMembers, func(name string) bool {
			at, is := s.date(name)
			return is && when(at, s.text(name))
		})
	})
}

// lineItemMembers are those that a line item has by the specification (Assignment
// and Grade Services 2.0, 3.2; Submission Review Service 1.0).
var lineItemMembers = []string{
	"id", "label", "scoreMaximum", "resourceId", "tag", "resourceLinkId", "startDateTime", "endDateTime", "gradesReleased", "submissionReview",
}

// ofVendor says whether a member is one of a vendor, which are named by URLs.
func ofVendor(name string) bool { return strings.Contains(name, "://") }
