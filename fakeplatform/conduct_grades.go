package fakeplatform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/lti"
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

// schemeless leaves the scheme out of an address.
func schemeless(value any) any {
	address, _ := value.(string)
	return strings.TrimPrefix(address, "https:")
}

// asTemplate puts a name in braces in the place of the context in an address.
func asTemplate(value any) any {
	address, _ := value.(string)
	before, _, _ := strings.Cut(address, ContextsPath)
	return before + ContextsPath + "/{context}/lineitems"
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
	known, _, more := strings.Cut(strings.ReplaceAll(q.key, ".", ";"), ";")
	switch {
	case foreign != nil:
		here := foreign.book.contextID == contextID
		trusted := q.Method == http.MethodGet && q.service == LineItem && here && p.trustsTool(q, contextID)
		if here && (p.lets(q.does.foreign) || p.takesAddress(q.Request, q.known.clientID)) || trusted ||
			!here && foreign.book.clientID != q.known.clientID && p.has(ChecksContextOfAddressAlone) {
			q.book, q.column = foreign.book, foreign
		}
	case more && p.grades.columns[known] != nil && p.has(ReadsBeginOfKeys):
		q.column = p.grades.columns[known]
		q.book = q.column.book
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

// trustsTool is the fault of showing a tool that a link of a context opens what others have
// there. It is called with the gradebooks locked.
func (p *Platform) trustsTool(q *gradeRequest, contextID string) bool {
	own := p.grades.books[shelf{q.known.clientID, contextID}]
	return own != nil && len(own.links) > 0 && p.has(TrustsToolsOfContext)
}

// foreignColumns is the fault of listing the line items of other tools, too.
func (p *Platform) foreignColumns(q *gradeRequest) (columns []*column) {
	for _, c := range p.grades.columns {
		if c.book != q.book && c.book.contextID == q.book.contextID && p.passes(q.URL.Query(), c.item) && (p.has(ListsForeignLineItems) || p.trustsTool(q, c.book.contextID)) {
			columns = append(columns, c)
		}
	}
	slices.SortFunc(columns, func(a, b *column) int { return a.number - b.number })
	return columns
}

// takesAddress says whether a fault takes something for the tool's own by how its
// address is written.
func (p *Platform) takesAddress(r *http.Request, clientID string) bool {
	return clientID != "" && r.URL.Query().Get(lti.ParamClientID) == clientID && p.has(TakesOwnerFromQuery) ||
		escapedOddly(r) && p.has(KnowsOwnersByPlainAddress)
}

// escapedOddly says whether an address has more escaped than it needs.
func escapedOddly(r *http.Request) bool {
	written := &url.URL{Path: r.URL.Path}
	return r.URL.EscapedPath() != written.EscapedPath()
}

// methodsOf are the method by which a request is done, and that whose scopes it needs: its
// own, but for the faults of obeying another one that it names, which some frameworks do.
func (p *Platform) methodsOf(q *gradeRequest) (done, guarded string) {
	own := q.Method
	if own == http.MethodPatch && q.service == LineItem && p.has(PatchesLineItems) {
		own = http.MethodPut
	}
	form := url.Values{}
	if mediaType(q.Request) == formMediaType {
		form, _ = url.ParseQuery(string(q.body))
	}
	for _, named := range []struct{ fault, method string }{
		{ObeysMethodOfHeader, cmp.Or(q.Header.Get("X-HTTP-Method-Override"), q.Header.Get("X-HTTP-Method"), q.Header.Get("X-Method-Override"))},
		{ObeysMethodOfQuery, q.URL.Query().Get("_method")},
		{ObeysMethodOfForm, form.Get("_method")},
	} {
		switch method := strings.ToUpper(named.method); {
		case method == "" || method == own:
		case p.has(ObeysNamedMethods):
			return method, method
		case p.has(named.fault):
			return method, own
		case p.has(ChecksNamedMethods):
			return own, method
		}
	}
	return own, own
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

// eachFifth is which of the requests of services faults put off.
const eachFifth = 5

// putsOff answers that there were too many requests, where a fault takes no more for now.
func (p *Platform) putsOff(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != TokenPath && !strings.HasPrefix(r.URL.Path, ContextsPath+"/") || p.requests.Add(1)%eachFifth != 0 {
		return false
	}
	for status, fault := range map[int]string{http.StatusTooManyRequests: LimitsRequests, http.StatusServiceUnavailable: LimitsRequestsFor503} {
		if p.has(fault) {
			w.Header().Set("Retry-After", "0")
			fail(w, refusal{status, lti.ErrorInvalidRequest, "there were too many requests"})
			return true
		}
	}
	return false
}

// takesMediaType says whether a fault takes a body of a media type that is none for it,
// and why one is not taken that is.
func (p *Platform) takesMediaType(q *gradeRequest, name string) (bool, *refusal) {
	ofLineItems := q.service == LineItems || q.service == LineItem
	refuses := func(status int) *refusal {
		return &refusal{status, lti.ErrorInvalidRequest, "the content type is " + q.Header.Get("Content-Type")}
	}
	switch sent := q.Header.Get("Content-Type"); {
	case q.service == Scores && name == q.does.takes && (strings.Contains(sent, ";") && p.has(RefusesScoreTypeParameters) || !strings.HasPrefix(sent, name) && p.has(ComparesScoreTypeCase)):
		return false, refuses(http.StatusUnsupportedMediaType)
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
		name == q.does.takes && strings.Contains(sent, ";") && p.has(RefusesLineItemCharset),
		name == q.does.takes && strings.Count(sent, ";") > 1 && p.has(RefusesTypeParameters),
		name == q.does.takes && !strings.HasPrefix(sent, name) && p.has(ComparesLineItemTypeCase):
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
	case strings.Contains(header, ",") && p.has(ComparesAccept):
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

// lets says whether the platform has a fault, where there is one of the kind.
func (p *Platform) lets(fault string) bool { return fault != "" && p.has(fault) }
