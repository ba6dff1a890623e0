package grades

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of the grade services do, and of which requests they make a difference.

// inLinks changes what launches of resource links say.
func inLinks(does saying.Change) []fault.Effect {
	return []fault.Effect{saying.Effect(saying.In(lti.ResourceLinkRequest), does)}
}

// endpoint sends a member of the claim of the grade services, endpointWithout leaves it out,
// and endpointAs changes it, where there is one.
func endpoint(name string, value any) saying.Change { return saying.Member(lti.ClaimAGS, name, value) }

func endpointWithout(name string) saying.Change { return saying.WithoutMember(lti.ClaimAGS, name) }

func endpointAs(name string, change func(any) any) saying.Change {
	return saying.ChangedMember(lti.ClaimAGS, name, change)
}

// endpointURL changes an address of the grade services.
func endpointURL(name string, change func(string) string) saying.Change {
	return endpointAs(name, func(value any) any {
		if address, is := value.(string); is {
			return change(address)
		}
		return value
	})
}

func lineItemURL(change func(string) string) saying.Change { return endpointURL("lineitem", change) }

func alsoScope(scope string) func(any) any {
	return func(value any) any {
		scopes, _ := value.([]any)
		return append(slices.Clone(scopes), scope)
	}
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
	before, _, _ := strings.Cut(address, part.ContextsPath)
	return before + part.ContextsPath + "/{context}/lineitems"
}

// toTeachers changes what is offered of the grade services to those who teach.
func toTeachers(change saying.Change) saying.Change {
	return func(d *part.Saying) {
		if d.Claims[lti.ClaimAGS] != nil && slices.Contains(d.Plan.Roles, lti.RoleInstructor) {
			change(d)
		}
	}
}

func emptyLineItem(d *part.Saying) {
	if claim := saying.Object(d, lti.ClaimAGS); claim["lineitems"] != nil && claim["lineitem"] == nil {
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

func everyRequest(*request) bool { return true }

// toService are the requests to some of the grade services.
func toService(services ...Service) func(*request) bool {
	return func(q *request) bool { return slices.Contains(services, q.service) }
}

var ofLineItems = toService(LineItems, LineItem)

// doing are the requests that do one thing with the grade services.
func doing(service Service, method string) func(*request) bool {
	return func(q *request) bool {
		return q.does != nil && q.does.service == service && q.does.method == method
	}
}

// obeys changes the method by which a request is done, and that whose scopes it needs, where
// it names another one than its own.
func obeys(named func(*request) string, change func(m *namedMethods, method string)) fault.Effect {
	return methodRead.Change(func(m namedMethods) namedMethods {
		if method := strings.ToUpper(named(m.request)); method != "" && method != m.Method {
			change(&m, method)
		}
		return m
	})
}

func doneBy(m *namedMethods, method string)    { m.done = method }
func guardedBy(m *namedMethods, method string) { m.guarded = method }

func methodOfHeader(q *request) string {
	return cmp.Or(q.Header.Get("X-HTTP-Method-Override"), q.Header.Get("X-HTTP-Method"), q.Header.Get("X-Method-Override"))
}

func methodOfQuery(q *request) string { return q.URL.Query().Get("_method") }

func methodOfForm(q *request) string {
	if part.MediaType(q.Request) != part.FormMediaType {
		return ""
	}
	form, _ := url.ParseQuery(string(q.body))
	return form.Get("_method")
}

// anyNamedMethod is the first method that a request names which is not its own.
func anyNamedMethod(q *request) string {
	for _, named := range []string{methodOfHeader(q), methodOfQuery(q), methodOfForm(q)} {
		if named != "" && !strings.EqualFold(named, q.Method) {
			return named
		}
	}
	return ""
}

// findsLineItem finds a line item where the tool has none of that name. It is called with the
// gradebooks locked.
func findsLineItem(which func(*request) *column) fault.Effect {
	return lineItemLookedUp.Change(func(t targetedRequest) targetedRequest {
		if t.found == nil && t.book != nil && t.does != nil && t.service != LineItems {
			t.found = which(t.request)
		}
		return t
	})
}

// findsForeign finds a line item that is not the tool's, in the context that the address
// names.
func findsForeign(when func(*request) bool) fault.Effect {
	return findsLineItem(func(q *request) *column {
		if c := q.books.columns[q.key]; c != nil && c.book.contextID == q.contextID() && when(q) {
			return c
		}
		return nil
	})
}

func (q *request) contextID() string { return q.PathValue("context") }

// opensLinks says whether a link of the context opens the tool that asks. It is called with
// the gradebooks locked.
func (q *request) opensLinks() bool {
	own := q.books.books[shelf{q.token.ClientID, q.contextID()}]
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
func beginOfKey(q *request) *column {
	known, _, more := strings.Cut(strings.ReplaceAll(q.key, ".", ";"), ";")
	if !more || q.books.columns[q.key] != nil {
		return nil
	}
	return q.books.columns[known]
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
func notMidway(q *request) bool {
	parts := strings.Split(strings.TrimPrefix(q.PathValue("rest"), string(Scores)+"/"), "/")
	return q.service != LineItems && (len(parts) < 2 || "/"+parts[1] != midway)
}

var noAddress = part.InvalidRequest("this is no address of the grade services")

// limitsRequests puts each fifth request of the services off.
func limitsRequests(status int) fault.Effect {
	const each = 5
	return part.ServiceBusy.Change(func(b part.Busy) part.Busy {
		if b.Nth%each == 0 {
			b.Status = status
		}
		return b
	})
}

// refusesAccept refuses what a tool accepts, which suits the service.
func refusesAccept(status int, when func(q *request, accept string) bool) fault.Effect {
	return formRules.Add(func(q *request) error {
		if q.service == LineItems && q.does != nil && q.does.gives != "" && when(q, q.accept()) {
			return part.Refuse(status, lti.ErrorInvalidRequest, "Accept is "+q.accept())
		}
		return nil
	})
}

func acceptIs(what string) func(*request, string) bool {
	return func(_ *request, accept string) bool { return accept == what }
}

// acceptsPages are the requests for a line item as a page.
func acceptsPages(q *request) bool {
	return q.service == LineItem && strings.HasPrefix(q.accept(), "text/html")
}

// refusesBodyType refuses a media type that is one of the service.
func refusesBodyType(status int, when func(q *request, name, sent string) bool) fault.Effect {
	return formRules.Add(func(q *request) error {
		sent := q.Header.Get("Content-Type")
		if q.does != nil && q.does.takes != "" && when(q, part.MediaType(q.Request), sent) {
			return part.Refuse(status, lti.ErrorInvalidRequest, "the content type is "+sent)
		}
		return nil
	})
}

// ofType are the requests of some services whose media type is theirs, and written like that.
func ofType(to func(*request) bool, is func(name, sent string) bool) func(*request, string, string) bool {
	return func(q *request, name, sent string) bool { return to(q) && name == q.does.takes && is(name, sent) }
}

func withParameters(n int) func(name, sent string) bool {
	return func(_, sent string) bool { return strings.Count(sent, ";") >= n }
}

func inOtherCase(name, sent string) bool { return !strings.HasPrefix(sent, name) }

func lineItemAsJSON(q *request, name, _ string) bool {
	return ofLineItems(q) && name == jsonMediaType
}

func lineItemAsText(q *request) bool {
	return ofLineItems(q) && part.MediaType(q.Request) == "text/plain"
}

// isJSON says whether a body is, and a whole one.
func (q *request) isJSON() bool { return json.Valid(q.body) }

// isArray says whether a body is an array.
func (q *request) isArray() bool {
	return q.isJSON() && strings.HasPrefix(strings.TrimSpace(string(q.body)), "[")
}

// isBroken says whether there is a body that is no JSON.
func (q *request) isBroken() bool { return len(q.body) > 0 && !q.isJSON() }

// isForeign says whether there is a line item of that name, of any tool. It is called with
// the gradebooks locked.
func (q *request) isForeign() bool { return q.books.columns[q.key] != nil }

// refusesRequests refuses a request for another reason than the one that comes first. It is
// called with the gradebooks locked.
func refusesRequests(status int, when func(*request) bool, change func(why *part.Refusal)) fault.Effect {
	return requestRefused.Change(func(r refusedRequest) refusedRequest {
		if r.wrong[0].Status == status && when(r.request) {
			change(&r.wrong[0])
		}
		return r
	})
}

// asStatus gives a refusal another status.
func asStatus(status int) func(*part.Refusal) { return func(why *part.Refusal) { why.Status = status } }

func crashed(why *part.Refusal) { *why = part.Failure }

// malformedID are the requests for a line item by an id that could be none, and unknownID
// those by one that could, and that there never was. They are called with the gradebooks
// locked.
func malformedID(q *request) bool {
	return q.service != LineItems && !q.isForeign() && !wellFormed(q.key)
}
func unknownID(q *request) bool {
	return q.service != LineItems && q.book != nil && !q.isForeign() && wellFormed(q.key) && q.wasRemoved() == nil
}

func foreignID(q *request) bool { return q.service != LineItems && q.isForeign() }

func removedTwice(q *request) bool {
	return q.Method == http.MethodDelete && q.wasRemoved() != nil
}

// pretends answers a request that nothing is found for as if there were something.
func pretends(when func(*request) bool) fault.Effect {
	return requestRefused.Change(func(r refusedRequest) refusedRequest {
		if r.wrong[0].Status == http.StatusNotFound && when(r.request) {
			r.wrong, r.answer = r.wrong[1:], r.madeUp()
		}
		return r
	})
}

// madeUp is the answer to a request about something that there is not.
func (q *request) madeUp() response {
	switch {
	case q.service == Results:
		return q.answer(http.StatusOK, []map[string]any{})
	case q.service == LineItem && q.Method != http.MethodDelete:
		return q.answer(http.StatusOK, map[string]any{"id": q.books.core.ServerURL() + q.URL.EscapedPath(), "label": "Untitled", "scoreMaximum": 100})
	}
	return response{status: http.StatusNoContent}
}

// crashesOnLimit does not bear the limit of a list of line items.
func crashesOnLimit(when func(n int, err error) bool) fault.Effect {
	return containerRules.Add(func(q *request) error {
		if n, err := q.limit(); q.service == LineItems && q.URL.Query().Get(paramLimit) != "" && when(n, err) {
			return &part.Failure
		}
		return nil
	})
}

// crashesOnOddLimit is the same of a limit that is none.
func crashesOnOddLimit(when func(n int, err error) bool) fault.Effect {
	return limitAboveZero.Answer(func(q *request) bool {
		n, err := q.limit()
		return q.service == LineItems && q.URL.Query().Get(paramLimit) != "" && when(n, err)
	}, func(*request, error) error { return &part.Failure })
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

// answersRequests changes the answer of a grade service. It is called with the gradebooks
// locked.
func answersRequests(when func(*request) bool, change func(*answeredRequest)) fault.Effect {
	return requestAnswered.Change(func(a answeredRequest) answeredRequest {
		if when(a.request) {
			change(&a)
		}
		return a
	})
}

func asJSONType(a *answeredRequest) { a.answer.header.Set("Content-Type", jsonMediaType) }

func nextWithoutRelation(a *answeredRequest) {
	if links := a.answer.header["Link"]; len(links) > 0 {
		a.answer.header.Set("Link", strings.Split(links[0], ";")[0])
	}
}

// What follows says of which access tokens a fault makes a difference.

// toGrades are requests to the grade services.
func toGrades(t *part.Presented) bool { return t.Part == Profile }

// toDo are requests that do one thing with the grade services.
func toDo(service Service, method string) func(*part.Presented) bool {
	return func(t *part.Presented) bool {
		does, is := t.For.(*operation)
		return is && does.service == service && does.method == method
	}
}

// withoutCredentials are requests that bring nothing along, and withOtherScheme those with an
// Authorization header of another scheme.
func withoutCredentials(t *part.Presented) bool { return t.Header.Get("Authorization") == "" }
func withOtherScheme(t *part.Presented) bool    { return !withoutCredentials(t) }

// withJWTOf are requests whose token is a JWT of somebody.
func withJWTOf(is func(core part.Core, issuer string) bool) func(*part.Presented) bool {
	return func(t *part.Presented) bool {
		issuer, _ := jwt.Read(t.Value).Claims["iss"].(string)
		return is(t.Core, issuer)
	}
}

func ofPlatform(core part.Core, issuer string) bool { return issuer == core.Issuer() }

func ofTool(core part.Core, issuer string) bool {
	_, known := core.Registration(issuer)
	return known
}

// byEnd finds an access token that ends as that of a request does.
func byEnd(t part.Presented) part.Presented {
	const compared = 8
	if t.Known || len(t.Value) <= compared {
		return t
	}
	if known, there := t.Core.TokenLike(func(value string) bool { return strings.HasSuffix(value, t.Value[len(t.Value)-compared:]) }); there {
		known.Value = t.Value
		t.Token, t.Known = known, true
	}
	return t
}

// forGrades says whether a grade service is among the scopes that are granted.
func forGrades(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
}

func and[T any](one, other func(T) bool) func(T) bool {
	return func(v T) bool { return one(v) && other(v) }
}
