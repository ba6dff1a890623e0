package fakeplatform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator/lti"
)

// The functions of this file apply the defects of the grade services that the
// platform carries. Without a defect they do nothing.

// endpointAs sends a member of the claim of the grade services as a fault makes it,
// where there is one.
func endpointAs(name string, change func(any) any) func(*draft) {
	return func(d *draft) {
		if value, sent := object(d, lti.ClaimAGS)[name]; sent {
			endpoint(name, change(value))(d)
		}
	}
}

func alsoScope(scope string) func(any) any {
	return func(value any) any {
		scopes, _ := value.([]any)
		return append(slices.Clone(scopes), scope)
	}
}

func scopesAsText(value any) any {
	scopes, _ := value.([]any)
	return strings.Trim(fmt.Sprint(scopes), "[]")
}

// pathAlone takes away what comes before the path of a URL.
func pathAlone(value any) any {
	address, _ := value.(string)
	u, err := url.Parse(address)
	if err != nil {
		return value
	}
	return u.EscapedPath()
}

// toTeachers changes what is offered of the grade services to those who teach.
func toTeachers(change func(*draft)) func(*draft) {
	return func(d *draft) {
		if d.claims[lti.ClaimAGS] != nil && slices.Contains(d.plan.User.Roles, lti.RoleInstructor) {
			change(d)
		}
	}
}

func emptyLineItem(d *draft) {
	if claim := object(d, lti.ClaimAGS); claim["lineitems"] != nil && claim["lineitem"] == nil {
		endpoint("lineitem", "")(d)
	}
}

// namedLineItem is the line item that a launch names: the one that its link has.
// It is called with the gradebooks locked.
func (p *Platform) namedLineItem(book *gradebook, attached []*column) *column {
	switch {
	case len(attached) == 0 && len(book.columns) > 0 && p.has(NamesAnyLineItem):
		return book.columns[0]
	case len(attached) == 1 && (attached[0].own || !p.has(NamesOwnLineItemsAlone)),
		len(attached) > 1 && p.has(NamesFirstOfSeveral):
		return attached[0]
	}
	return nil
}

// restrictGrades changes which scopes of the grade services are granted.
func (p *Platform) restrictGrades(a *application) {
	asked := strings.Fields(a.form.Get(lti.ParamScope))
	ofGrades := slices.ContainsFunc(a.scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
	if ofGrades && len(a.scopes) < len(asked) && p.has(RefusesUnknownScopes) {
		a.scopes = nil
	}
	if len(a.scopes) > 1 && slices.Contains(a.scopes, lti.ScopeResultReadOnly) && p.has(GrantsFewerOfSeveral) {
		a.scopes = slices.DeleteFunc(a.scopes, func(scope string) bool { return scope == lti.ScopeResultReadOnly })
	}
}

// spoilGradeGrant changes what is said of an access token for the grade services.
func (p *Platform) spoilGradeGrant(a *application, answer map[string]any) {
	asked := a.form.Get(lti.ParamScope)
	ofGrades := slices.ContainsFunc(a.scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
	switch {
	case asked == lti.ScopeLineItem && p.has(SaysMoreGradeScopes):
		answer[lti.ParamScope] = asked + " " + lti.ScopeLineItemReadOnly
	case ofGrades && len(a.scopes) < len(strings.Fields(asked)) && p.has(EchoesUnknownScopes):
		answer[lti.ParamScope] = asked
	}
}

// anybodys is the gradebook of a context that is used where an access token names no
// tool: that of the line item, or else of the tool that was launched there last. It
// is called with the gradebooks locked.
func (g *gradebooks) anybodys(contextID, key string) *gradebook {
	if c := g.columns[key]; c != nil && c.book.contextID == contextID {
		return c.book
	}
	var latest *gradebook
	for at, book := range g.books {
		if at.contextID == contextID && book.latest != nil && (latest == nil || book.latest.planned.After(latest.latest.planned)) {
			latest = book
		}
	}
	return latest
}

// wellFormed says whether the last part of a line item's id could be one.
func wellFormed(key string) bool {
	return key != "" && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// wasRemoved returns the line item of that key which the tool has removed, and nil
// for none.
func (q *gradeRequest) wasRemoved() *column {
	i := slices.IndexFunc(q.book.removed, func(c *column) bool { return c.key == q.key })
	if i < 0 {
		return nil
	}
	return q.book.removed[i]
}

// findsMore finds the line item that a fault lets a tool have. It is called with the
// gradebooks locked, where the tool has none of that key.
func (p *Platform) findsMore(q *gradeRequest, contextID string) {
	if q.does == nil || q.service == LineItems {
		return
	}
	foreign, removed := p.grades.columns[q.key], q.wasRemoved()
	switch {
	case foreign != nil:
		if foreign.book.contextID == contextID && p.lets(q.does.foreign) {
			q.book, q.column = foreign.book, foreign
		}
	case removed != nil:
		if q.Method == http.MethodGet && q.service == LineItem {
			removed.missed = true
			if p.has(PretendsToDelete) {
				q.column = removed
			}
		}
		q.moot = q.Method == http.MethodDelete && p.has(DeletesTwice)
	default:
		q.moot = wellFormed(q.key) && p.lets(q.does.unknown)
	}
}

// mootAnswer is that to a request about something that there is not.
func (p *Platform) mootAnswer(q *gradeRequest) gradeAnswer {
	switch {
	case q.service == Results:
		return q.answer(http.StatusOK, []map[string]any{})
	case q.service == LineItem && q.Method != http.MethodDelete:
		return q.answer(http.StatusOK, map[string]any{"id": p.opts.ServerURL + q.URL.EscapedPath(), "label": "Untitled", "scoreMaximum": 100})
	}
	return gradeAnswer{status: http.StatusNoContent}
}

// takesMediaType says whether a fault takes a body of a media type that is none for it,
// and why one is not taken that is.
func (p *Platform) takesMediaType(q *gradeRequest, name string) (bool, *refusal) {
	ofLineItems := q.service == LineItems || q.service == LineItem
	refuses := func(status int) *refusal {
		return &refusal{status, lti.ErrorInvalidRequest, "the content type is " + q.Header.Get("Content-Type")}
	}
	switch sent := q.Header.Get("Content-Type"); {
	case !ofLineItems:
	case name == "text/plain":
		if p.has(TakesLineItemsAsText) {
			return true, nil
		}
		if p.has(SaysBadRequestForTypes) {
			return false, refuses(http.StatusBadRequest)
		}
	case name == jsonMediaType && p.has(CrashesOnLineItemsAsJSON):
		return false, refuses(http.StatusInternalServerError)
	case name == jsonMediaType && p.has(RefusesLineItemsAsJSON),
		name == q.does.takes && strings.Contains(sent, ";") && p.has(RefusesLineItemCharset):
		return false, refuses(http.StatusUnsupportedMediaType)
	}
	return false, nil
}

// takesAccept is the same of what a tool accepts.
func (p *Platform) takesAccept(q *gradeRequest, header string) (bool, *refusal) {
	refuses := func(status int) *refusal {
		return &refusal{status, lti.ErrorInvalidRequest, "Accept is " + header}
	}
	switch {
	case q.service == LineItem && strings.HasPrefix(header, "text/html"):
		return p.has(IgnoresAccept) || p.has(SendsLineItemsAsPages), nil
	case q.service != LineItems:
	case header == "*/*" && p.has(RefusesAnyType), header == jsonMediaType && p.has(RefusesAcceptJSON):
		return false, refuses(http.StatusNotAcceptable)
	case header == jsonMediaType && p.has(CrashesOnAcceptJSON):
		return false, refuses(http.StatusInternalServerError)
	}
	return false, nil
}

// isJSON says whether a body is, and a whole one.
func (q *gradeRequest) isJSON() bool { return json.Valid(q.body) }

// isArray says whether a body is an array.
func (q *gradeRequest) isArray() bool {
	return q.isJSON() && strings.HasPrefix(strings.TrimSpace(string(q.body)), "[")
}

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
	if isNew {
		p.amendLabel(q.object)
		p.amendMaximum(q.object)
		p.losesMembers(q.object)
		if _, sent := q.object["id"]; sent && p.has(RefusesSuppliedIDs) {
			wrong.bad("a new line item has an id")
		}
		aside, wrong = p.amendDates(q.object, wrong)
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
}

func (p *Platform) amendMaximum(object map[string]any) {
	maximum, sent := object["scoreMaximum"]
	text, isText := maximum.(string)
	number, isNumber := maximum.(json.Number)
	n, _ := number.Float64()
	switch {
	case !sent && p.has(TakesMissingMaximums), sent && maximum == nil && p.has(TakesNullMaximums):
		object["scoreMaximum"] = json.Number("100")
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

// spoilGradeRefusal changes why a request is not answered.
func (p *Platform) spoilGradeRefusal(q *gradeRequest, wrong []refusal) {
	if len(wrong) == 0 {
		return
	}
	why := &wrong[0]
	foreign := p.grades.columns[q.key]
	switch why.status {
	case http.StatusUnauthorized:
		if p.has(ForbidsWithoutGradeToken) {
			why.status = http.StatusForbidden
		}
	case http.StatusForbidden:
		if why.code == lti.ErrorInsufficientScope && p.has(SaysUnauthorizedForGradeScope) {
			why.status = http.StatusUnauthorized
		}
	case http.StatusMethodNotAllowed:
		if q.Method == http.MethodPatch && p.has(HidesPatch) {
			why.status = http.StatusNotFound
		}
	case http.StatusNotFound:
		switch {
		case q.service == LineItems:
		case foreign != nil:
			if p.has(SaysBadRequestForForeign) {
				why.status = http.StatusBadRequest
			}
		case !wellFormed(q.key):
			switch {
			case p.has(CrashesOnMalformedIDs):
				*why = failure
			case p.has(SaysBadRequestForMalformedIDs):
				why.status = http.StatusBadRequest
			}
		case q.book != nil && q.wasRemoved() == nil && p.has(SaysGone):
			why.status = http.StatusGone
		}
	case http.StatusBadRequest:
		ofScores := q.service == Scores
		broken := len(q.body) > 0 && !q.isJSON()
		switch {
		case broken && ofScores && p.has(CrashesOnMalformedScores), broken && !ofScores && p.has(CrashesOnMalformedLineItems):
			*why = failure
		case ofScores && p.has(SaysUnprocessableScores), !ofScores && q.does != nil && q.does.read != nil && p.has(SaysUnprocessableLineItems):
			why.status = http.StatusUnprocessableEntity
		}
	}
}

// crashesOnLimit says whether a limit is too much for a fault.
func (p *Platform) crashesOnLimit(q *gradeRequest) bool {
	limit := q.URL.Query().Get(paramLimit)
	n, err := strconv.Atoi(limit)
	switch {
	case limit == "" || q.service != LineItems:
		return false
	case err != nil:
		return p.has(CrashesOnLimitWord)
	case n == 0:
		return p.has(CrashesOnLimitZero)
	case n < 0:
		return p.has(CrashesOnNegativeLimit)
	}
	return n > 10_000 && p.has(CrashesOnHugeLimit)
}

// readsFilter reads what a list is filtered by as a fault does.
func (p *Platform) readsFilter(name, value string) string {
	before, _, found := strings.Cut(value, "&")
	foreign := func(r rune) bool { return r > 127 }
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

// limits are the faults of containers that come in pages.
var limits = map[Service]struct{ ignores, noNext string }{
	LineItems: {IgnoresLimit, SendsNoNext}, Results: {IgnoresResultLimit, SendsNoNextResult},
}

// sizeOf is how many elements of a container are sent at once, of those that are left.
func (p *Platform) sizeOf(q *gradeRequest, limit, left int) int {
	asked := q.URL.Query().Has(paramLimit)
	switch {
	case asked && limit < left && p.has(limits[q.service].ignores):
		return left
	case min(limit, left) > smallPage && p.has(SendsSmallPages):
		return smallPage
	}
	return limit
}

const smallPage = 2

// spoilNext changes what the address of the next page says; at is the number of the
// last element of this page, and following that of the next one.
func (p *Platform) spoilNext(q *gradeRequest, query url.Values, at, following int) {
	if q.service != LineItems {
		return
	}
	switch {
	case p.has(RepeatsPages):
		query.Set(paramAfter, strconv.Itoa(at-1))
	case p.has(SkipsBetweenPages):
		query.Set(paramAfter, strconv.Itoa(following))
	}
	for _, name := range []string{paramResourceLinkID, paramResourceID, paramTag} {
		if query.Has(name) && p.has(DropsFiltersOnNextPage) {
			query.Del(name)
		}
	}
}

// spoilGradeAnswer changes an answer, or forgets what the request was to change. It
// is called with the gradebooks locked.
func (p *Platform) spoilGradeAnswer(q *gradeRequest, answer *gradeAnswer) {
	if answer.why != nil || q.moot {
		return
	}
	switch q.service {
	case LineItems:
		if q.Method == http.MethodPost {
			p.spoilCreation(q, answer)
		} else {
			p.spoilLineItems(q, answer)
		}
	case LineItem:
		p.spoilLineItem(q, answer)
	case Scores:
		p.spoilScoreAnswer(answer)
	case Results:
		p.spoilResults(q, answer)
	}
	if links := answer.header["Link"]; len(links) > 0 {
		switch {
		case p.has(limits[q.service].noNext):
			answer.header.Del("Link")
		case q.service == LineItems && p.has(SendsNextWithoutRelation):
			answer.header.Set("Link", strings.Split(links[0], ";")[0])
		}
	}
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

// amendScore makes of what a tool sends what a fault takes it for, and refuses what a
// fault does not bear.
func (p *Platform) amendScore(q *gradeRequest) refusals {
	var wrong refusals
	if q.object == nil {
		q.moot = q.isArray() && p.has(TakesScoreArrays)
		return nil
	}
	user, hasUser := q.object["userId"]
	q.moot = !hasUser && p.has(TakesScoresWithoutUser) || user == "" && p.has(GradesNobody)
	at, dated := q.object["timestamp"].(string)
	_, err := time.Parse(time.RFC3339, at)
	if !dated && p.has(TakesScoresWithoutTimestamp) || dated && err != nil && p.has(TakesTimestampWords) {
		q.undated = true
		q.object["timestamp"] = p.opts.Now().Format(time.RFC3339Nano)
	}
	p.amendProgress(q.object)
	p.amendPoints(q.object)
	comment, _ := q.object["comment"].(string)
	extended := slices.ContainsFunc(slices.Collect(maps.Keys(q.object)), func(name string) bool { return strings.Contains(name, "://") })
	switch {
	case q.object["scoreGiven"] == nil && p.has(RefusesScoresWithoutPoints):
		wrong.bad("there is no scoreGiven")
	case len(comment) > longComment && p.has(RefusesLongComments):
		wrong.bad("comment is too long")
	case extended && p.has(RefusesScoreExtensions):
		wrong.bad("there is a member that is named by a URL")
	case q.object["submission"] != nil && p.has(RefusesSubmissions):
		wrong.bad("there is a submission")
	}
	return wrong
}

// longComment is the longest comment that a fault takes.
const longComment = 1000

func (p *Platform) amendProgress(object map[string]any) {
	activity, hasActivity := object["activityProgress"].(string)
	grading, hasGrading := object["gradingProgress"].(string)
	known := slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(activity))
	if !hasActivity && p.has(TakesScoresWithoutActivity) || hasActivity && !known && p.has(TakesUnknownActivities) {
		object["activityProgress"] = string(lti.Completed)
	}
	if !hasGrading && p.has(TakesScoresWithoutGrading) {
		object["gradingProgress"] = string(lti.FullyGraded)
	}
	for _, progress := range lti.GradingProgresses {
		if strings.EqualFold(grading, string(progress)) && grading != string(progress) && p.has(IgnoresCaseOfGrading) {
			object["gradingProgress"] = string(progress)
		}
	}
}

func (p *Platform) amendPoints(object map[string]any) {
	given, isNumber := object["scoreGiven"].(json.Number)
	points, _ := given.Float64()
	maximum, hasMaximum := object["scoreMaximum"].(json.Number)
	most, _ := maximum.Float64()
	if isNumber && points < 0 && p.has(TakesNegativeScores) {
		object["scoreGiven"] = json.Number("0")
	}
	if isNumber && !hasMaximum && p.has(TakesScoresWithoutMaximum) || hasMaximum && most == 0 && p.has(TakesScoresOfZero) {
		object["scoreMaximum"] = json.Number("100")
	}
	if isNumber && hasMaximum && points > most && p.has(CapsBonus) {
		object["scoreGiven"] = maximum
	}
}

// gradesStranger says whether a fault takes the score of somebody who does not learn in the
// context. It is called with the gradebooks locked.
func (p *Platform) gradesStranger(q *gradeRequest, sub string) bool {
	if _, teaches := q.people[sub]; teaches {
		return p.has(GradesTeachers)
	}
	for _, book := range p.grades.books {
		if _, known := book.users[sub]; known {
			return p.has(GradesUsersElsewhere)
		}
	}
	return p.has(GradesStrangers)
}

// tooEarly says why a score is not taken that is not later than the last one, and nil
// where a fault takes it. Without effect is one that a fault takes and forgets.
func (p *Platform) tooEarly(q *gradeRequest, current *row) (why *refusal, forgets bool) {
	at := q.score.at
	refused := &refusal{http.StatusConflict, lti.ErrorInvalidRequest, "timestamp is not later than that of the last score"}
	switch {
	case current == nil || q.undated:
		return nil, false
	case at.After(current.at):
		if at.Sub(current.at) == time.Millisecond && lower(q.score.Score, current.score) && p.has(WaitsForLowerScores) {
			return refused, false
		}
		return nil, false
	case at.Equal(current.at):
		if p.has(TakesScoresOfSameInstant) {
			return nil, false
		}
	case p.has(TakesEarlierScores):
		return nil, false
	case p.has(IgnoresEarlierScores):
		return nil, true
	case p.has(SaysBadRequestForEarlier):
		refused.status = http.StatusBadRequest
	}
	return refused, false
}

// lower says whether a score has fewer points of the same maximum than another, but
// some.
func lower(score, than lti.Score) bool {
	return score.ScoreGiven != nil && than.ScoreGiven != nil && *score.ScoreMaximum == *than.ScoreMaximum &&
		*score.ScoreGiven > 0 && *score.ScoreGiven < *than.ScoreGiven
}

// spoilScore changes a score before it is kept, or refuses it, or forgets it.
func (p *Platform) spoilScore(score *lti.Score, current *row) (why *refusal, forgets bool) {
	bonus := score.ScoreGiven != nil && *score.ScoreGiven > *score.ScoreMaximum
	refused := &refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, "this is no score"}
	switch {
	case bonus && p.has(RefusesBonus), score.GradingProgress == lti.GradingFailed && p.has(RefusesFailed):
		return refused, false
	case bonus && p.has(DropsBonus):
		return nil, true
	case score.ScoreGiven != nil && *score.ScoreGiven == 0 && p.has(BlanksZeros):
		score.ScoreGiven, score.ScoreMaximum = nil, nil
	case score.ScoreGiven == nil && current != nil && current.score.ScoreGiven != nil && p.has(KeepsScoresTakenBack):
		was := current.score
		score.ScoreGiven, score.ScoreMaximum, score.GradingProgress = was.ScoreGiven, was.ScoreMaximum, was.GradingProgress
	}
	return nil, false
}

// spoilScoreAnswer answers a score that was taken in another way.
func (p *Platform) spoilScoreAnswer(answer *gradeAnswer) {
	switch {
	case p.has(AnswersScoresWith200):
		answer.status, answer.header, answer.body = http.StatusOK, http.Header{"Content-Type": {jsonMediaType}}, map[string]any{}
	case p.has(AnswersScoresWith201):
		answer.status = http.StatusCreated
	case p.has(AnswersScoresWith202):
		answer.status = http.StatusAccepted
	}
}

// spoilPoints reckons points as a fault does.
func (p *Platform) spoilPoints(score lti.Score, points float64, most float64) float64 {
	switch {
	case *score.ScoreMaximum != most && p.has(DoesNotScale):
		return *score.ScoreGiven
	case points != math.Round(points) && p.has(RoundsPoints):
		return math.Round(points)
	}
	return points
}

// finalToo are the faults that take points for final which are not.
var finalToo = map[lti.GradingProgress]string{
	lti.Pending: ShowsPending, lti.PendingManual: ShowsPendingManual, lti.GradingFailed: ShowsFailed, lti.NotReady: ShowsNotReady,
}

// spoilEntries changes whose results are listed. It is called with the gradebooks
// locked.
func (p *Platform) spoilEntries(q *gradeRequest, found []entry) []entry {
	for _, c := range q.book.columns {
		if c == q.column || len(c.rows) == 0 || !p.has(MixesResults) {
			continue
		}
		for _, r := range c.rows {
			found = slices.Insert(found, 0, entry{c, r})
		}
	}
	if len(found) > 1 && p.has(KeepsOneResult) {
		found = found[len(found)-1:]
	}
	return found
}

// filtersResult says whether a result is that of the user who is asked for.
func (p *Platform) filtersResult(query url.Values, sub string) bool {
	if !query.Has(paramUserID) || query.Get(paramUserID) == sub {
		return true
	}
	return p.has(IgnoresUserFilter) || query.Has(paramLimit) && p.has(ForgetsUserWithLimit)
}

// spoilResults changes a list of results.
func (p *Platform) spoilResults(q *gradeRequest, answer *gradeAnswer) {
	results, _ := answer.body.([]map[string]any)
	if len(results) == 0 && q.URL.Query().Has(paramUserID) && p.has(HidesUnknownResults) {
		answer.why = &refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "the user has no result"}
		return
	}
	if p.has(ListsResultsAsJSON) {
		answer.header.Set("Content-Type", jsonMediaType)
	}
	for _, result := range results {
		score, scored := result["resultScore"].(float64)
		maximum, _ := result["resultMaximum"].(float64)
		switch {
		case p.has(LeavesScoreOfOut):
			delete(result, "scoreOf")
		case p.has(NamesScoreOfByPath):
			result["scoreOf"] = pathAlone(result["scoreOf"])
		case p.has(LeavesResultIDsOut):
			delete(result, "id")
		case scored && p.has(LeavesResultMaximumOut):
			result["resultScore"] = score / maximum
			delete(result, "resultMaximum")
		case !scored && p.has(SendsNullResultScores):
			result["resultScore"] = nil
		}
	}
}

// earlierOf is the score before a learner's last one, where a fault lists it, too.
func (p *Platform) earlierOf(r *row) []lti.Score {
	if r.earlier == nil || !p.has(ListsEarlierScores) {
		return nil
	}
	return []lti.Score{*r.earlier}
}

// nextPage is where the page after the last one is, for a fault.
func (p *Platform) nextPage(q *gradeRequest, last int) (url.Values, bool) {
	query := q.URL.Query()
	if q.service != LineItems || !query.Has(paramAfter) || !p.has(NeverEndsPages) {
		return nil, false
	}
	before, _ := strconv.Atoi(query.Get(paramAfter))
	query.Set(paramAfter, strconv.Itoa(cmp.Or(last, before)))
	return query, true
}
