package fakeplatform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of the grade services do, and of which requests they make a difference.

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

// namesLineItem changes which line item a launch names. It is called with the gradebooks
// locked.
func namesLineItem(change func(*namedLineItem)) fault.Effect {
	return lineItemNamed.Change(func(n namedLineItem) namedLineItem {
		change(&n)
		return n
	})
}

// wellFormed says whether the last part of a line item's id could be one.
func wellFormed(key string) bool {
	return key != "" && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func everyRequest(*gradeRequest) bool { return true }

// toService are the requests to some of the grade services.
func toService(services ...Service) func(*gradeRequest) bool {
	return func(q *gradeRequest) bool { return slices.Contains(services, q.service) }
}

var ofLineItems = toService(LineItems, LineItem)

// doing are the requests that do one thing with the grade services.
func doing(service Service, method string) func(*gradeRequest) bool {
	return func(q *gradeRequest) bool {
		return q.does != nil && q.does.service == service && q.does.method == method
	}
}

// obeys changes the method by which a request is done, and that whose scopes it needs, where
// it names another one than its own.
func obeys(named func(*gradeRequest) string, change func(m *methodsOfGrades, method string)) fault.Effect {
	return gradeMethods.Change(func(m methodsOfGrades) methodsOfGrades {
		if method := strings.ToUpper(named(m.gradeRequest)); method != "" && method != m.Method {
			change(&m, method)
		}
		return m
	})
}

func doneBy(m *methodsOfGrades, method string)    { m.done = method }
func guardedBy(m *methodsOfGrades, method string) { m.guarded = method }

func methodOfHeader(q *gradeRequest) string {
	return cmp.Or(q.Header.Get("X-HTTP-Method-Override"), q.Header.Get("X-HTTP-Method"), q.Header.Get("X-Method-Override"))
}

func methodOfQuery(q *gradeRequest) string { return q.URL.Query().Get("_method") }

func methodOfForm(q *gradeRequest) string {
	if part.MediaType(q.Request) != part.FormMediaType {
		return ""
	}
	form, _ := url.ParseQuery(string(q.body))
	return form.Get("_method")
}

// anyNamedMethod is the first method that a request names which is not its own.
func anyNamedMethod(q *gradeRequest) string {
	for _, named := range []string{methodOfHeader(q), methodOfQuery(q), methodOfForm(q)} {
		if named != "" && !strings.EqualFold(named, q.Method) {
			return named
		}
	}
	return ""
}

// findsLineItem finds a line item where the tool has none of that name. It is called with the
// gradebooks locked.
func findsLineItem(which func(*gradeRequest) *column) fault.Effect {
	return gradeTarget.Change(func(t targetedGrades) targetedGrades {
		if t.found == nil && t.book != nil && t.does != nil && t.service != LineItems {
			t.found = which(t.gradeRequest)
		}
		return t
	})
}

// findsForeign finds a line item that is not the tool's, in the context that the address
// names.
func findsForeign(when func(*gradeRequest) bool) fault.Effect {
	return findsLineItem(func(q *gradeRequest) *column {
		if c := q.platform.grades.columns[q.key]; c != nil && c.book.contextID == q.contextID() && when(q) {
			return c
		}
		return nil
	})
}

func (q *gradeRequest) contextID() string { return q.PathValue("context") }

// opensLinks says whether a link of the context opens the tool that asks. It is called with
// the gradebooks locked.
func (q *gradeRequest) opensLinks() bool {
	own := q.platform.grades.books[shelf{q.known.clientID, q.contextID()}]
	return own != nil && len(own.links) > 0
}

// ownerFromQuery says whether the query of an address names the tool that asks.
func ownerFromQuery(r *http.Request, clientID string) bool {
	return clientID != "" && r.URL.Query().Get(lti.ParamClientID) == clientID
}

// escapedOddly says whether an address has more escaped than it needs.
func escapedOddly(r *http.Request) bool {
	written := &url.URL{Path: r.URL.Path}
	return r.URL.EscapedPath() != written.EscapedPath()
}

// beginOfKey finds the line item whose key comes before a semicolon or a full stop.
func beginOfKey(q *gradeRequest) *column {
	known, _, more := strings.Cut(strings.ReplaceAll(q.key, ".", ";"), ";")
	if !more || q.platform.grades.columns[q.key] != nil {
		return nil
	}
	return q.platform.grades.columns[known]
}

// midway ends the addresses of line items where a fault has their names before the last
// part.
const midway = "/lineitem"

// withoutMidway takes that away from the path of a line item.
func withoutMidway(parts []string) []string {
	if len(parts) < 2 || "/"+parts[1] != midway {
		return parts
	}
	return append(parts[:1:1], parts[2:]...)
}

// notMidway are the requests whose address has something else in that place.
func notMidway(q *gradeRequest) bool {
	parts := strings.Split(strings.TrimPrefix(q.PathValue("rest"), string(Scores)+"/"), "/")
	return q.service != LineItems && (len(parts) < 2 || "/"+parts[1] != midway)
}

var noAddress = invalidRequest("this is no address of the grade services")

// limitsRequests puts each fifth request of the services off.
func limitsRequests(status int) fault.Effect {
	const each = 5
	return serviceBusy.Change(func(b busyService) busyService {
		if b.nth%each == 0 {
			b.status = status
		}
		return b
	})
}

// refusesAccept refuses what a tool accepts, which suits the service.
func refusesAccept(status int, when func(q *gradeRequest, accept string) bool) fault.Effect {
	return gradeFormRules.Add(func(q *gradeRequest) error {
		if q.service == LineItems && q.does != nil && q.does.gives != "" && when(q, q.accept()) {
			return refusal{status, lti.ErrorInvalidRequest, "Accept is " + q.accept()}
		}
		return nil
	})
}

func acceptIs(what string) func(*gradeRequest, string) bool {
	return func(_ *gradeRequest, accept string) bool { return accept == what }
}

// acceptsPages are the requests for a line item as a page.
func acceptsPages(q *gradeRequest) bool {
	return q.service == LineItem && strings.HasPrefix(q.accept(), "text/html")
}

// refusesBodyType refuses a media type that is one of the service.
func refusesBodyType(status int, when func(q *gradeRequest, name, sent string) bool) fault.Effect {
	return gradeFormRules.Add(func(q *gradeRequest) error {
		sent := q.Header.Get("Content-Type")
		if q.does != nil && q.does.takes != "" && when(q, part.MediaType(q.Request), sent) {
			return refusal{status, lti.ErrorInvalidRequest, "the content type is " + sent}
		}
		return nil
	})
}

// ofType are the requests of some services whose media type is theirs, and written like that.
func ofType(to func(*gradeRequest) bool, is func(name, sent string) bool) func(*gradeRequest, string, string) bool {
	return func(q *gradeRequest, name, sent string) bool { return to(q) && name == q.does.takes && is(name, sent) }
}

func withParameters(n int) func(name, sent string) bool {
	return func(_, sent string) bool { return strings.Count(sent, ";") >= n }
}

func inOtherCase(name, sent string) bool { return !strings.HasPrefix(sent, name) }

func lineItemAsJSON(q *gradeRequest, name, _ string) bool {
	return ofLineItems(q) && name == jsonMediaType
}

func lineItemAsText(q *gradeRequest) bool {
	return ofLineItems(q) && part.MediaType(q.Request) == "text/plain"
}

// isJSON says whether a body is, and a whole one.
func (q *gradeRequest) isJSON() bool { return json.Valid(q.body) }

// isArray says whether a body is an array.
func (q *gradeRequest) isArray() bool {
	return q.isJSON() && strings.HasPrefix(strings.TrimSpace(string(q.body)), "[")
}

// isBroken says whether there is a body that is no JSON.
func (q *gradeRequest) isBroken() bool { return len(q.body) > 0 && !q.isJSON() }

// isForeign says whether there is a line item of that name, of any tool. It is called with
// the gradebooks locked.
func (q *gradeRequest) isForeign() bool { return q.platform.grades.columns[q.key] != nil }

// refusesGrades refuses a request for another reason than the one that comes first. It is
// called with the gradebooks locked.
func refusesGrades(status int, when func(*gradeRequest) bool, change func(why *refusal)) fault.Effect {
	return gradeRefused.Change(func(r refusedGrades) refusedGrades {
		if r.wrong[0].status == status && when(r.gradeRequest) {
			change(&r.wrong[0])
		}
		return r
	})
}

// asStatus gives a refusal another status.
func asStatus(status int) func(*refusal) { return func(why *refusal) { why.status = status } }

func crashed(why *refusal) { *why = failure }

// malformedID are the requests for a line item by an id that could be none, and unknownID
// those by one that could, and that there never was. They are called with the gradebooks
// locked.
func malformedID(q *gradeRequest) bool {
	return q.service != LineItems && !q.isForeign() && !wellFormed(q.key)
}
func unknownID(q *gradeRequest) bool {
	return q.service != LineItems && q.book != nil && !q.isForeign() && wellFormed(q.key) && q.wasRemoved() == nil
}

func foreignID(q *gradeRequest) bool { return q.service != LineItems && q.isForeign() }

func removedTwice(q *gradeRequest) bool {
	return q.Method == http.MethodDelete && q.wasRemoved() != nil
}

// pretends answers a request that nothing is found for as if there were something.
func pretends(when func(*gradeRequest) bool) fault.Effect {
	return gradeRefused.Change(func(r refusedGrades) refusedGrades {
		if r.wrong[0].status == http.StatusNotFound && when(r.gradeRequest) {
			r.wrong, r.answer = r.wrong[1:], r.madeUp()
		}
		return r
	})
}

// madeUp is the answer to a request about something that there is not.
func (q *gradeRequest) madeUp() gradeAnswer {
	switch {
	case q.service == Results:
		return q.answer(http.StatusOK, []map[string]any{})
	case q.service == LineItem && q.Method != http.MethodDelete:
		return q.answer(http.StatusOK, map[string]any{"id": q.platform.opts.ServerURL + q.URL.EscapedPath(), "label": "Untitled", "scoreMaximum": 100})
	}
	return gradeAnswer{status: http.StatusNoContent}
}

// crashesOnLimit does not bear the limit of a list of line items.
func crashesOnLimit(when func(n int, err error) bool) fault.Effect {
	return containerRules.Add(func(q *gradeRequest) error {
		if n, err := q.limit(); q.service == LineItems && q.URL.Query().Get(paramLimit) != "" && when(n, err) {
			return failure
		}
		return nil
	})
}

// crashesOnOddLimit is the same of a limit that is none.
func crashesOnOddLimit(when func(n int, err error) bool) fault.Effect {
	return limitAboveZero.Answer(func(q *gradeRequest) bool {
		n, err := q.limit()
		return q.service == LineItems && q.URL.Query().Get(paramLimit) != "" && when(n, err)
	}, func(*gradeRequest, error) error { return failure })
}

// ignoresLimit sends all that is left of a container.
func ignoresLimit(service Service) fault.Effect {
	return pageSized.Change(func(s sizedPage) sizedPage {
		if s.service == service && s.URL.Query().Has(paramLimit) && s.limit < s.left {
			s.limit = s.left
		}
		return s
	})
}

func smallPages(s sizedPage) sizedPage {
	const most = 2
	if min(s.limit, s.left) > most {
		s.limit = most
	}
	return s
}

func emptyFirstPages(s sizedPage) sizedPage {
	if s.left > 0 && !s.URL.Query().Has(paramAfter) {
		s.limit = 0
	}
	return s
}

// addressesNext changes the address of the next page of a container, where there is one.
func addressesNext(service Service, change func(*nextPage)) fault.Effect {
	return nextPageAddressed.Change(func(n nextPage) nextPage {
		if n.service == service && n.query != nil {
			change(&n)
		}
		return n
	})
}

func noNextPage(n *nextPage) { n.query = nil }

func withoutFilters(n *nextPage) {
	for _, name := range []string{paramResourceLinkID, paramResourceID, paramTag} {
		n.query.Del(name)
	}
}

// endlessPages name a page after the last one.
func endlessPages(n nextPage) nextPage {
	if query := n.URL.Query(); n.service == LineItems && n.query == nil && query.Has(paramAfter) {
		before, _ := n.after()
		query.Set(paramAfter, strconv.Itoa(cmp.Or(n.at, before)))
		n.query = query
	}
	return n
}

// answersGrades changes the answer of a grade service. It is called with the gradebooks
// locked.
func answersGrades(when func(*gradeRequest) bool, change func(*answeredGrades)) fault.Effect {
	return gradeAnswered.Change(func(a answeredGrades) answeredGrades {
		if when(a.gradeRequest) {
			change(&a)
		}
		return a
	})
}

func asJSONType(a *answeredGrades) { a.answer.header.Set("Content-Type", jsonMediaType) }

func nextWithoutRelation(a *answeredGrades) {
	if links := a.answer.header["Link"]; len(links) > 0 {
		a.answer.header.Set("Link", strings.Split(links[0], ";")[0])
	}
}
