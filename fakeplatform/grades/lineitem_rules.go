package grades

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A sentLineItem is a line item as a tool sends it, while it is being checked. A member that
// is null is missing.
type sentLineItem struct {
	registration part.Registration // of the tool
	isNew        bool              // it is to be made, rather than changed
	body         []byte
	object       map[string]any // nil where the body is none
}

// lineItemRules are what is checked of a line item that a tool sends, in the order in which it
// is told (Assignment and Grade Services 2.0, 3.2; Submission Review Service 1.0, on a per line
// item basis).
var lineItemRules = &fault.List[*sentLineItem]{Name: "a line item", Rules: []*fault.Rule[*sentLineItem]{
	lineItemReadable,
	labelText, resourceIDText, tagText, resourceLinkIDText, startText, endText,
	labelGiven,
	maximumNumber, maximumPositive, maximumGiven,
	startDate, endDate, endsAfterStart,
	gradesReleasedBoolean,
	reviewObject, reviewLabelText, reviewURLText, reviewableStatusArray, reviewableStatusKnown, reviewURLOfTool,
	reviewCustomObject, reviewCustomTexts,
}}

// Members of one type (3.2.7 to 3.2.14).
var (
	labelText             = typed("label", "string", isText)
	resourceIDText        = typed("resourceId", "string", isText)
	tagText               = typed("tag", "string", isText)
	resourceLinkIDText    = typed("resourceLinkId", "string", isText)
	startText             = typed("startDateTime", "string", isText)
	endText               = typed("endDateTime", "string", isText)
	gradesReleasedBoolean = typed("gradesReleased", "boolean", isBoolean)
	reviewObject          = typed("submissionReview", "object", isObject)
)

var (
	lineItemReadable = &fault.Rule[*sentLineItem]{Name: "the body is a JSON object", Broken: func(s *sentLineItem) error {
		if s.object == nil {
			return part.InvalidRequest("the body is no JSON object of at most %d bytes", maxBody)
		}
		return nil
	}}
	labelGiven = &fault.Rule[*sentLineItem]{Name: "label is not blank", Broken: func(s *sentLineItem) error {
		if s.object != nil && strings.TrimSpace(s.text("label")) == "" {
			return part.InvalidRequest("label is missing or blank")
		}
		return nil
	}}
	maximumNumber = &fault.Rule[*sentLineItem]{Name: "scoreMaximum is a number that points can be reckoned with", Broken: func(s *sentLineItem) error {
		maximum := s.object["scoreMaximum"]
		if _, is := numeric(maximum); maximum != nil && !is {
			return part.InvalidRequest("scoreMaximum is no number, or too large")
		}
		return nil
	}}
	maximumPositive = &fault.Rule[*sentLineItem]{Name: "scoreMaximum is above 0", Broken: func(s *sentLineItem) error {
		if n, ok := numeric(s.object["scoreMaximum"]); ok && n < 1/largest {
			return part.InvalidRequest("scoreMaximum is not above 0")
		}
		return nil
	}}
	maximumGiven = &fault.Rule[*sentLineItem]{Name: "scoreMaximum is given", Broken: func(s *sentLineItem) error {
		if s.object != nil && s.object["scoreMaximum"] == nil {
			return part.InvalidRequest("scoreMaximum is missing")
		}
		return nil
	}}
	startDate      = dateTime("startDateTime")
	endDate        = dateTime("endDateTime")
	endsAfterStart = &fault.Rule[*sentLineItem]{Name: "endDateTime is not before startDateTime", Broken: func(s *sentLineItem) error {
		start, starts := lti.Instant(s.text("startDateTime"))
		end, ends := lti.Instant(s.text("endDateTime"))
		if starts && ends && end.Before(start) {
			return part.InvalidRequest("endDateTime is before startDateTime")
		}
		return nil
	}}
)

// What it says of its reviews (Submission Review Service 1.0, on a per line item basis).
var (
	reviewLabelText       = typedOfReview("label", "string", isText)
	reviewURLText         = typedOfReview("url", "string", isText)
	reviewableStatusArray = typedOfReview("reviewableStatus", "array", isArray)
	reviewableStatusKnown = &fault.Rule[*sentLineItem]{Name: "each reviewableStatus is one that there is", Broken: func(s *sentLineItem) error {
		if !slices.ContainsFunc(s.reviewableStatus(), func(status any) bool { return !isReviewable(status) }) {
			return nil
		}
		return part.InvalidRequest("reviewableStatus has a value that there is not")
	}}
	reviewURLOfTool = &fault.Rule[*sentLineItem]{Name: "the url of submissionReview is one of the tool's", Broken: func(s *sentLineItem) error {
		if address := s.review()["url"]; address != nil && !s.ownsReviewURL() {
			return part.InvalidRequest("the url of submissionReview is none of the tool's")
		}
		return nil
	}}
	reviewCustomObject = typedOfReview("custom", "object", isObject)
	reviewCustomTexts  = &fault.Rule[*sentLineItem]{Name: "custom parameters of submissionReview are strings", Broken: func(s *sentLineItem) error {
		custom, _ := s.review()["custom"].(map[string]any)
		var wrong []error
		for _, name := range slices.Sorted(maps.Keys(custom)) {
			if !isText(custom[name]) {
				wrong = append(wrong, part.InvalidRequest("custom parameter %.100q of submissionReview is no string", name))
			}
		}
		return errors.Join(wrong...)
	}}
)

// typed is the rule that a member is of a type, where there is one.
func typed(name, of string, is func(any) bool) *fault.Rule[*sentLineItem] {
	return &fault.Rule[*sentLineItem]{Name: name + " is a JSON " + of, Broken: func(s *sentLineItem) error {
		if value := s.object[name]; value != nil && !is(value) {
			return part.InvalidRequest("%s is no %s", name, of)
		}
		return nil
	}}
}

// typedOfReview is the same of a member of submissionReview.
func typedOfReview(name, of string, is func(any) bool) *fault.Rule[*sentLineItem] {
	return &fault.Rule[*sentLineItem]{Name: name + " of submissionReview is a JSON " + of, Broken: func(s *sentLineItem) error {
		if value := s.review()[name]; value != nil && !is(value) {
			return part.InvalidRequest("the %s of submissionReview is no %s", name, of)
		}
		return nil
	}}
}

// dateTime is the rule that a member, where it is a string, is an instant with a zone.
func dateTime(name string) *fault.Rule[*sentLineItem] {
	return &fault.Rule[*sentLineItem]{Name: name + " is a date-time with zone", Broken: func(s *sentLineItem) error {
		text, sent := s.object[name].(string)
		if _, is := lti.Instant(text); !sent || is {
			return nil
		}
		if text == "" {
			return part.InvalidRequest("%s is empty", name)
		}
		return part.InvalidRequest("%s is no date-time with zone", name)
	}}
}

func isText(value any) bool {
	_, is := value.(string)
	return is
}

func isBoolean(value any) bool {
	_, is := value.(bool)
	return is
}

func isObject(value any) bool {
	_, is := value.(map[string]any)
	return is
}

func isArray(value any) bool {
	_, is := value.([]any)
	return is
}

// numeric reads a number that points can be reckoned with.
func numeric(value any) (float64, bool) {
	number, _ := value.(json.Number)
	n, err := number.Float64()
	return n, err == nil && math.Abs(n) <= largest
}

// isReviewable says whether a value of reviewableStatus is one that there is.
func isReviewable(value any) bool {
	status, _ := value.(string)
	return status == lti.ReviewableNone || slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(status))
}

// text is a member that is a string, and nothing where there is none.
func (s *sentLineItem) text(name string) string {
	text, _ := s.object[name].(string)
	return text
}

// review is submissionReview; nil where it is missing, or no object.
func (s *sentLineItem) review() map[string]any {
	review, _ := s.object["submissionReview"].(map[string]any)
	return review
}

func (s *sentLineItem) reviewableStatus() []any {
	status, _ := s.review()["reviewableStatus"].([]any)
	return status
}

func (s *sentLineItem) ownsReviewURL() bool {
	address, _ := s.review()["url"].(string)
	return s.registration.Owns(address)
}

// What is checked of a new line item, and of one that is changed or removed, beside what is
// said of it (Assignment and Grade Services 2.0, 3.2.5 and 3.2.6).
var (
	newLineItemRules     = &fault.List[*request]{Name: "a new line item", Rules: []*fault.Rule[*request]{linkOfTool, gradebookNotFull}}
	changedLineItemRules = &fault.List[*request]{Name: "a change of a line item", Rules: []*fault.Rule[*request]{linkKept}}
	removedLineItemRules = &fault.List[*request]{Name: "the removal of a line item", Rules: []*fault.Rule[*request]{madeByTool}}

	linkOfTool = &fault.Rule[*request]{Name: "resourceLinkId is a link of the tool in the context", Broken: func(q *request) error {
		if link := q.lineItem.item.ResourceLinkID; link != "" && !q.book.links[link] {
			return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, "resourceLinkId is no link of the tool in this context")
		}
		return nil
	}}
	gradebookNotFull = &fault.Rule[*request]{Name: "the gradebook is not full", Broken: func(q *request) error {
		if len(q.book.columns) >= maxColumns {
			return part.Refuse(http.StatusConflict, lti.ErrorInvalidRequest, "the gradebook is full")
		}
		return nil
	}}
	// A line item stays with its link (3.2.6).
	linkKept = &fault.Rule[*request]{Name: "resourceLinkId does not change", Broken: func(q *request) error {
		if sent := q.lineItem.item.ResourceLinkID; sent != "" && sent != q.column.item.ResourceLinkID {
			return part.InvalidRequest("resourceLinkId does not change")
		}
		return nil
	}}
	madeByTool = &fault.Rule[*request]{Name: "the line item is none of the platform's own", Broken: func(q *request) error {
		if q.column.own {
			return part.Refuse(http.StatusForbidden, lti.ErrorInvalidRequest, "the line item is the platform's")
		}
		return nil
	}}
)

// What passes the seams of the line item service.
type (
	// newLineItem is one that is about to be made: the last part of its id, made up where it
	// is empty, what has come of the learners, and the line item that is answered instead; nil
	// for none.
	newLineItem struct {
		*request
		key     string
		rows    []*row
		instead *column
	}
	// changedLineItem is what a line item is changed to, and the link that it has then.
	changedLineItem struct {
		*request
		draft lineItemDraft
		link  string
	}
	// keptLineItem are the members that are kept of a line item, once it has been answered.
	keptLineItem struct {
		*request
		members map[string]any
	}
	// shownLineItem is a line item as an answer has it.
	shownLineItem struct {
		*request
		members map[string]any
	}
	// foundLineItems are those that are listed, on all pages, or removed.
	foundLineItems struct {
		*request
		columns []*column
	}
)

// The seams of the line item service.
var (
	lineItemRead = &fault.Seam[sentLineItem]{Name: "a line item as it is read", Clone: func(s sentLineItem) sentLineItem {
		s.object = maps.Clone(s.object)
		if review := s.review(); review != nil {
			s.object["submissionReview"] = maps.Clone(review)
		}
		return s
	}}
	lineItemMade    = &fault.Seam[newLineItem]{Name: "a line item that is made"}
	lineItemChanged = &fault.Seam[changedLineItem]{Name: "what a line item is changed to", Clone: func(c changedLineItem) changedLineItem {
		c.draft.members = maps.Clone(c.draft.members)
		return c
	}}
	lineItemKept = &fault.Seam[keptLineItem]{Name: "what is kept of a line item", Clone: func(k keptLineItem) keptLineItem {
		k.members = maps.Clone(k.members)
		return k
	}}
	lineItemShown = &fault.Seam[shownLineItem]{Name: "a line item as it is shown", Clone: func(s shownLineItem) shownLineItem {
		s.members = maps.Clone(s.members)
		return s
	}}
	lineItemsFound   = &fault.Seam[foundLineItems]{Name: "the line items that are listed", Clone: foundLineItems.clone}
	lineItemsRemoved = &fault.Seam[foundLineItems]{Name: "the line items that are removed", Clone: foundLineItems.clone}
)

func (f foundLineItems) clone() foundLineItems {
	f.columns = slices.Clone(f.columns)
	return f
}

// A filter is one that a list is asked for with, and what a line item has of it.
type filter struct{ name, value, has string }

// filteredLineItem says how many filters a line item passes, and how many it does not.
type filteredLineItem struct{ passed, failed int }

// What a list is filtered by (Assignment and Grade Services 2.0, 3.2.4).
var (
	filterPassed   = &fault.Step[filter]{Name: "a filter lets a line item through", Honest: func(f filter) bool { return f.value == f.has }}
	lineItemListed = &fault.Step[filteredLineItem]{Name: "a line item is listed", Honest: func(f filteredLineItem) bool { return f.failed == 0 }}
)
