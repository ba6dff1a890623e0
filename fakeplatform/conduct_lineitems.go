package fakeplatform

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

	"invigilator.example/lti"
)

// The functions of this file apply the defects of line items, new or changed, and of
// their lists. Without a defect they do nothing.

// amendLineItem makes of what a tool sends what a fault takes it for, sets aside what
// is kept as it is, and refuses what a fault does not bear.
func (p *Platform) amendLineItem(q *gradeRequest) (aside map[string]any, wrong refusals) {
	isNew := q.service == LineItems
	if q.object == nil && isNew && (q.isArray() && p.has(TakesLineItemArrays) || len(q.body) == 0 && p.has(MakesLineItemsOfNothing)) {
		q.object = map[string]any{"label": "Untitled", "scoreMaximum": json.Number("100")}
	}
	if q.object == nil {
		return nil, nil
	}
	if label, _ := q.object["label"].(string); len([]rune(label)) > shortLabel && (isNew && p.has(RefusesLongLabels) || !isNew && p.has(RefusesLongLabelsInChanges)) {
		wrong.bad("label is too long")
	}
	if isNew {
		p.amendLabel(q.object)
		p.amendMaximum(q.object)
		p.losesMembers(q.object)
		wrong = append(wrong, p.narrowNumber(q.object["scoreMaximum"])...)
		if _, sent := q.object["id"]; sent && p.has(RefusesSuppliedIDs) {
			wrong.bad("a new line item has an id")
		}
		if q.object["resourceId"] == nil && p.has(AsksForResourceIDs) {
			wrong.bad("a new line item has no resourceId")
		}
		if q.object["tag"] == nil && p.has(AsksForTags) {
			wrong.bad("a new line item has no tag")
		}
		aside, wrong = p.amendDates(q.object, wrong)
		wrong = p.amendMemberTypes(q.object, aside, wrong)
	}
	p.amendExtensions(q, isNew, &wrong)
	return aside, wrong
}

func (p *Platform) amendLabel(object map[string]any) {
	label, sent := object["label"]
	text, isText := label.(string)
	blank := isText && text != "" && strings.TrimSpace(text) == ""
	if !sent && p.has(TakesMissingLabels) || isText && text == "" && p.has(TakesEmptyLabels) || blank && p.has(TakesBlankLabels) {
		object["label"] = "Untitled"
	}
	if sent && !isText && p.has(TakesLabelsOfOtherTypes) {
		object["label"] = jsonOf(object, "label")
	}
	if letters := []rune(text); len(letters) > shortLabel && p.has(CutsLongLabels) {
		object["label"] = string(letters[:shortLabel])
	}
}

// shortLabel is how many characters the longest label has that a fault takes, or keeps.
const shortLabel = 100

// amendMemberTypes deals with optional members of another type as a fault does.
func (p *Platform) amendMemberTypes(object, aside map[string]any, wrong refusals) refusals {
	for _, name := range []string{"tag", "resourceId", "startDateTime", "gradesReleased"} {
		value := object[name]
		_, isText := value.(string)
		_, isTruth := value.(bool)
		ofTruth := name == "gradesReleased"
		if value == nil || isText && !ofTruth || isTruth && ofTruth {
			continue
		}
		switch {
		case p.has(CrashesOnMembersOfOtherTypes):
			wrong = append(refusals{failure}, wrong...)
		case p.has(KeepsMembersOfOtherTypes):
			aside[name] = value
			delete(object, name)
		case p.has(IgnoresMembersOfOtherTypes), name == "startDateTime" && p.has(ReadsMembersOfOtherTypes):
			delete(object, name)
		case ofTruth && p.has(ReadsMembersOfOtherTypes):
			object[name] = value == "true"
		case p.has(ReadsMembersOfOtherTypes):
			object[name] = jsonOf(object, name)
		}
	}
	return wrong
}

// narrowNumber refuses numbers in a form that a fault does not take.
func (p *Platform) narrowNumber(value any) (wrong refusals) {
	number, _ := value.(json.Number)
	if strings.ContainsAny(number.String(), "eE") && p.has(ReadsNoExponents) || len(number.String()) > 17 && p.has(ReadsFewDigits) {
		wrong.bad("a number is in no form that is known")
	}
	return wrong
}

func (p *Platform) amendMaximum(object map[string]any) {
	maximum, sent := object["scoreMaximum"]
	text, isText := maximum.(string)
	number, isNumber := maximum.(json.Number)
	n, _ := number.Float64()
	switch {
	case !sent && p.has(TakesMissingMaximums), sent && maximum == nil && p.has(TakesNullMaximums):
		object["scoreMaximum"] = json.Number("100")
	case maximum != nil && !isText && !isNumber && p.has(TakesMaximumsOfOtherTypes):
		object["scoreMaximum"] = json.Number("1")
	case isText && p.has(TakesMaximumsAsText):
		object["scoreMaximum"] = json.Number(text)
	case isNumber && n == 0 && p.has(TakesMaximumZero), isNumber && n < 0 && p.has(TakesNegativeMaximums):
		object["scoreMaximum"] = json.Number("1")
	case isNumber && n > 1 && n != math.Trunc(n) && p.has(RoundsMaximums):
		object["scoreMaximum"] = json.Number(strconv.FormatFloat(math.Trunc(n), 'f', -1, 64))
	}
}

// losesMembers takes away what a fault does not keep of a new line item.
func (p *Platform) losesMembers(object map[string]any) {
	for name, fault := range map[string]string{"tag": LosesNewTags, "resourceId": LosesNewResourceIDs} {
		if object[name] != nil && p.has(fault) {
			delete(object, name)
		}
	}
	if dated(object) && p.has(LeavesDatesOut) {
		withoutDates(object)
	}
}

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

// amendDates makes of the dates of a new line item what a fault takes them for.
func (p *Platform) amendDates(object map[string]any, wrong refusals) (map[string]any, refusals) {
	aside := map[string]any{}
	crashes := func() { wrong = append(refusals{failure}, wrong...) }
	var dates []time.Time
	for _, name := range []string{"startDateTime", "endDateTime"} {
		text, isText := object[name].(string)
		at, err := time.Parse(time.RFC3339, text)
		_, notLocal := time.Parse(localTime, text)
		switch {
		case !isText:
		case err == nil:
			dates = append(dates, at)
			_, offset := at.Zone()
			if strings.Contains(text, ".") && p.has(NeedsWholeDates) || offset < 0 && p.has(RefusesDatesBehindUTC) ||
				offset > 12*60*60 && p.has(RefusesDatesFarAhead) {
				wrong.bad("%s is in no form that is known", name)
			}
			object[name] = p.readsDate(text, at)
		case notLocal == nil && p.has(CrashesOnDatesWithoutZone), notLocal != nil && p.has(CrashesOnDateWords):
			crashes()
		case notLocal == nil && p.has(KeepsDatesWithoutZone), notLocal != nil && p.has(KeepsDateWords):
			aside[name] = text
			delete(object, name)
		case p.has(IgnoresWrongDates):
			delete(object, name)
		}
	}
	if len(dates) == 2 && dates[1].Before(dates[0]) {
		switch {
		case p.has(CrashesOnReversedDates):
			crashes()
		case p.has(TakesReversedDates):
			aside["endDateTime"] = object["endDateTime"]
			delete(object, "endDateTime")
		}
	}
	return aside, wrong
}

// failure is that of a fault which does not bear something.
var failure = refusal{http.StatusInternalServerError, lti.ErrorInvalidRequest, "an error"}

// readsDate reads a date as a fault does.
func (p *Platform) readsDate(text string, at time.Time) string {
	_, offset := at.Zone()
	switch {
	case offset != 0 && p.has(DropsOffsetsOfDates):
		return at.Format(localTime+".999999999") + "Z"
	case offset == 0 && p.has(ShiftsDatesInUTC):
		return at.Format(localTime) + "+01:00"
	case at.Nanosecond() != 0 && p.has(DropsHalfSeconds):
		return at.Format(time.RFC3339)
	}
	return text
}

// lineItemMembers are those that a line item has by the specification (Assignment
// and Grade Services 2.0, 3.2; Submission Review Service 1.0).
var lineItemMembers = []string{
	"id", "label", "scoreMaximum", "resourceId", "tag", "resourceLinkId", "startDateTime", "endDateTime", "gradesReleased", "submissionReview",
}

// amendExtensions deals with members that no specification has as a fault does.
func (p *Platform) amendExtensions(q *gradeRequest, isNew bool, wrong *refusals) {
	for _, name := range slices.Sorted(maps.Keys(q.object)) {
		if slices.Contains(lineItemMembers, name) {
			continue
		}
		isURL := strings.Contains(name, "://")
		switch {
		case isURL && isNew && p.has(RefusesExtensions), isURL && !isNew && p.has(RefusesExtensionsInChanges), !isURL && p.has(RefusesPlainMembers):
			wrong.bad("there is a member %.100q", name)
		case isURL && isNew && strings.Contains(jsonOf(q.object, name), "[{") && p.has(RefusesDeepMembers):
			wrong.bad("the member %.100q is too deep", name)
		case isURL && p.has(DropsExtensions):
			delete(q.object, name)
		}
	}
	if q.object["submissionReview"] != nil && p.has(RefusesSubmissionReviews) {
		wrong.bad("there is a submissionReview")
	}
}

// takesLineItemLink says whether a fault attaches a line item to a link that is none of the
// tool's in the context, and why not. It is called with the gradebooks locked.
func (p *Platform) takesLineItemLink(q *gradeRequest, link string) (bool, *refusal) {
	fault := AttachesToUnknownLinks
	for at, book := range p.grades.books {
		switch {
		case !book.links[link]:
		case at.clientID == q.book.clientID:
			fault = AttachesToLinksElsewhere
		case at.contextID == q.book.contextID:
			fault = AttachesToLinksOfOtherTools
		}
	}
	why := refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "resourceLinkId is no link of the tool in this context"}
	switch {
	case p.has(fault):
		return true, nil
	case p.has(IgnoresUnknownLinks):
		delete(q.lineItem.members, "resourceLinkId")
		q.lineItem.item.ResourceLinkID = ""
		return true, nil
	case p.has(SaysBadRequestForLinks):
		why.status = http.StatusBadRequest
	}
	return false, &why
}

// twinOf returns the line item that a fault takes a new one for, and nil for none.
func (p *Platform) twinOf(q *gradeRequest) *column {
	asked := q.lineItem.item
	for _, c := range q.book.columns {
		if asked.ResourceID != "" && asked.ResourceID == c.item.ResourceID && asked.ResourceLinkID == "" && c.item.ResourceLinkID == "" && p.has(MergesTwins) {
			return c
		}
	}
	return nil
}

// suppliedID is the last part of the id that a tool sends with a new line item, and
// nothing where that is none.
func (p *Platform) suppliedID(q *gradeRequest) string {
	id, _ := q.object["id"].(string)
	key, below := strings.CutPrefix(id, p.lineItemsURL(q.book.contextID)+"/")
	if !below || !wellFormed(key) || p.grades.columns[key] != nil || !p.has(TakesSuppliedIDs) {
		return ""
	}
	return key
}

// keepsLink says how a fault deals with another resourceLinkId in a change: whether
// it is taken, or else refused.
func (p *Platform) keepsLink() (moves, refuses bool) {
	if p.has(MovesToOtherLinks) {
		return true, false
	}
	return false, !p.has(KeepsLinksSilently)
}

// readsFilter reads what a list is filtered by as a fault does.
func (p *Platform) readsFilter(name, value string) string {
	before, _, found := strings.Cut(value, "&")
	foreign := func(r rune) bool { return r > 127 }
	if twice, err := url.QueryUnescape(value); err == nil && twice != value && p.has(DecodesFiltersTwice) {
		return twice
	}
	switch {
	case name != paramTag:
	case found && p.has(CutsTagsAtAmpersand):
		return before
	case strings.ContainsFunc(value, foreign) && p.has(DropsForeignLetters):
		return strings.Map(func(r rune) rune {
			if foreign(r) {
				return -1
			}
			return r
		}, value)
	}
	return value
}

// spoilSelection changes which line items are listed. It is called with the
// gradebooks locked.
func (p *Platform) spoilSelection(q *gradeRequest, found []*column) []*column {
	if len(found) == 0 && len(q.book.columns) > 0 && p.has(ListsAllWithoutMatch) {
		return slices.Clone(q.book.columns)
	}
	if slices.ContainsFunc(found, func(c *column) bool { return dated(c.members) }) && p.has(ListsNothingDated) {
		found = slices.DeleteFunc(found, func(c *column) bool { return dated(c.members) })
	}
	for _, c := range q.book.removed {
		if c.missed && p.has(ListsTheRemoved) {
			found = append(found, c)
		}
		c.missed = false
	}
	for at, book := range p.grades.books {
		if at.clientID == q.book.clientID && at != q.book.shelf && len(book.columns) > 0 && p.has(ListsAllContexts) {
			found = append(found, book.columns...)
		}
	}
	return found
}

// spoilCreation changes the answer to a new line item.
func (p *Platform) spoilCreation(q *gradeRequest, answer *gradeAnswer) {
	made, _ := answer.body.(map[string]any)
	switch {
	case p.has(AnswersCreationWith200):
		answer.status = http.StatusOK
	case p.has(LeavesIDsOutOfAnswers):
		delete(made, "id")
	case p.has(AnswersCreationAsJSON):
		answer.header.Set("Content-Type", jsonMediaType)
	case q.lineItem.item.ResourceLinkID != "" && p.has(LeavesLinksOutOfAnswers):
		delete(made, "resourceLinkId")
	case dated(made) && p.has(ForgetsDatesAfterAnswer):
		withoutDates(q.lineItem.members)
	case made["tag"] != nil && p.has(ForgetsTagsAfterAnswer):
		delete(q.lineItem.members, "tag")
	}
}

// spoilLineItems changes a list of line items.
func (p *Platform) spoilLineItems(q *gradeRequest, answer *gradeAnswer) {
	items, _ := answer.body.([]map[string]any)
	if len(q.book.columns) == 0 && len(items) == 0 {
		switch {
		case p.has(HidesEmptyLists):
			answer.why = &refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "there are no line items"}
		case p.has(SendsNullForNoLineItems):
			answer.body = []map[string]any(nil)
		}
	}
	if p.has(ListsLineItemsAsJSON) {
		answer.header.Set("Content-Type", jsonMediaType)
	}
	for _, item := range items {
		switch {
		case p.has(LeavesLabelsOutOfLists):
			delete(item, "label")
		case p.has(ListsMaximumAsText):
			item["scoreMaximum"] = jsonOf(item, "scoreMaximum")
		}
	}
}

// spoilLineItem changes the answer to a request about a line item.
func (p *Platform) spoilLineItem(q *gradeRequest, answer *gradeAnswer) {
	item, _ := answer.body.(map[string]any)
	sent, _ := q.object["id"].(string)
	switch q.Method {
	case http.MethodGet:
		if strings.HasPrefix(q.Header.Get("Accept"), "text/html") && p.has(SendsLineItemsAsPages) {
			answer.header.Set("Content-Type", "text/html; charset=utf-8")
		}
		if (item["tag"] == nil || item["resourceLinkId"] == nil || !dated(item)) && p.has(ShowsMissingAsBlank) {
			for name, blank := range map[string]any{"tag": "", "resourceId": nil, "resourceLinkId": "", "startDateTime": nil, "endDateTime": ""} {
				if item[name] == nil {
					item[name] = blank
				}
			}
		}
	case http.MethodDelete:
		if p.has(AnswersDeletionWith200) {
			answer.status = http.StatusOK
		}
	default:
		switch {
		case p.has(PretendsToChange):
			answer.effect = nil
		case p.has(IgnoresChanges):
			answer.body, answer.effect = q.column.shown(), nil
		case p.has(AnswersChangesWith204):
			answer.status, answer.body = http.StatusNoContent, nil
			answer.header.Del("Content-Type")
		case sent != "" && sent != q.column.id && p.has(EchoesSentIDs):
			item["id"] = sent
		case answer.effect != nil && dated(item) && p.has(ForgetsDatesAfterAnswer):
			change := answer.effect
			answer.effect = func() {
				change()
				withoutDates(q.column.members)
			}
		}
	}
}

// refusesToDeleteOwn says how one of the platform's own line items is kept.
func (p *Platform) refusesToDeleteOwn() gradeAnswer {
	why := refusal{http.StatusForbidden, lti.ErrorInvalidRequest, "the line item is the platform's"}
	switch {
	case p.has(PretendsToDeleteOwn):
		return gradeAnswer{status: http.StatusNoContent}
	case p.has(Says405ToDeleteOwn):
		why.status = http.StatusMethodNotAllowed
	}
	return gradeAnswer{why: &why}
}
