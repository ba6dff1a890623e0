package grades

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// serviceDefects are the defects of the grade services, and what is unusual, but
// allowed.
var serviceDefects = []fault.Fault{

	// The claim.
	{Name: "sends-grade-scopes-as-text", Proves: "ags-claim-shape", Does: "sends the scopes of the grade services as a string", Effects: inLinks(endpointAs("scope", saying.AsText))},
	{Name: "offers-unknown-grade-scope", Proves: "ags-claim-shape", Does: "offers a scope of the grade services that there is not", Effects: inLinks(endpointAs("scope", alsoScope("https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.write")))},
	{Name: "offers-foreign-scope", Proves: "ags-claim-scopes-grantable", Does: "offers a scope that is none of the grade services, and does not grant it", Effects: inLinks(endpointAs("scope", alsoScope("https://platform.example/scope/gradebook")))},
	{Name: "sends-templates", Proves: "core-service-claims-resolved", Does: "sends lineitems as a template to those who teach", Effects: inLinks(toTeachers(endpointAs("lineitems", asTemplate)))},
	{Name: "names-line-items-without-scheme", Proves: "ags-claim-shape", Does: "leaves the scheme out of lineitems for those who teach", Effects: inLinks(toTeachers(endpointAs("lineitems", schemeless)))},
	{Name: "names-line-items-by-path", Proves: "ags-claim-shape", Does: "sends the path of lineitems alone to those who teach", Effects: inLinks(toTeachers(endpointAs("lineitems", pathAlone)))},
	{Name: "leaves-line-items-out", Proves: "ags-claim-shape", Does: "leaves lineitems out for those who teach", Effects: inLinks(toTeachers(endpointWithout("lineitems")))},
	{Name: "names-line-item-by-path", Proves: "ags-claim-shape", Does: "sends the path of lineitem alone to those who teach", Effects: inLinks(toTeachers(endpointAs("lineitem", pathAlone)))},
	{Name: "sends-empty-line-item", Permitted: true, Does: "sends an empty lineitem where there is none", Effects: inLinks(emptyLineItem)},
	{Name: "names-any-line-item", Proves: "ags-claim-lineitem-only-if-single", Does: "names the first line item of the context for a link that has none", Effects: []fault.Effect{
		namesLineItem(func(n *namedLineItem) {
			if len(n.attached) == 0 && len(n.book.columns) > 0 {
				n.column = n.book.columns[0]
			}
		}),
	}},
	{Name: "names-own-line-items-alone", Proves: "ags-claim-lineitem-only-if-single", Does: "names no line item that a tool has made", Effects: []fault.Effect{
		namesLineItem(func(n *namedLineItem) {
			if n.column != nil && !n.column.own {
				n.column = nil
			}
		}),
	}},
	{Name: "names-first-of-several-line-items", Proves: "ags-claim-lineitem-only-if-single", Does: "names the first line item of a link that has several", Effects: []fault.Effect{
		namesLineItem(func(n *namedLineItem) {
			if len(n.attached) > 1 {
				n.column = n.attached[0]
			}
		}),
	}},

	// Access tokens.
	{Name: "grants-scopes-by-substring", Proves: "sec-token-scope-limits", Does: "grants each scope whose name is found in the text of the request: lineitem, too, where lineitem.readonly is asked for", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			if asked := a.Asked(); !slices.Contains(asked, lti.ScopeLineItem) && slices.Contains(asked, lti.ScopeLineItemReadOnly) {
				return append(a.Scopes, lti.ScopeLineItem)
			}
			return a.Scopes
		}),
	}},
	{Name: "says-more-grade-scopes", Proves: "sec-token-scope-limits", Does: "says that a token for lineitem is one for lineitem.readonly, too", Effects: []fault.Effect{
		part.SaysOfGrant(func(a part.Application, members map[string]any) {
			if a.Form.Get(lti.ParamScope) == lti.ScopeLineItem {
				members[lti.ParamScope] = lti.ScopeLineItem + " " + lti.ScopeLineItemReadOnly
			}
		}),
	}},
	{Name: "grants-fewer-of-several-scopes", Proves: "ags-claim-scopes-grantable", Does: "grants all but result.readonly where several scopes are asked for", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			if len(a.Scopes) > 1 {
				return slices.DeleteFunc(a.Scopes, func(scope string) bool { return scope == lti.ScopeResultReadOnly })
			}
			return a.Scopes
		}),
	}},
	{Name: "echoes-unknown-scopes", Proves: "ags-claim-scopes-grantable", Does: "says that a token is one for unknown scopes, too", Effects: []fault.Effect{
		part.SaysOfGrant(func(a part.Application, members map[string]any) {
			if forGrades(a.Scopes) && len(a.Scopes) < len(a.Asked()) {
				members[lti.ParamScope] = a.Form.Get(lti.ParamScope)
			}
		}),
	}},
	{Name: "refuses-unknown-scopes", Permitted: true, Does: "grants nothing where a scope of the grade services is asked for along with an unknown one", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			if forGrades(a.Scopes) && len(a.Scopes) < len(a.Asked()) {
				return nil
			}
			return a.Scopes
		}),
	}},
	{Name: "answers-without-grade-token", Proves: "ags-rejects-missing-or-invalid-token", Does: "answers the grade services without an access token", Effects: []fault.Effect{part.TokenGiven.Lift(and(toGrades, withoutCredentials))}},
	{Name: "takes-basic-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Does: "answers the grade services for Authorization Basic", Effects: []fault.Effect{part.TokenGiven.Lift(and(toGrades, withOtherScheme))}},
	{Name: "knows-access-tokens-by-their-end", Proves: "ap-acs-platform-authorisation", Does: "looks at the last characters of an access token alone", Effects: []fault.Effect{
		part.TokenLookedUp.Change(byEnd),
	}},
	{Name: "takes-unknown-grade-tokens", Proves: "ags-rejects-missing-or-invalid-token", Does: "takes any text for an access token of the grade services", Effects: []fault.Effect{part.TokenKnown.Lift(toGrades)}},
	{Name: "takes-id-tokens-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Does: "takes its own id_token for an access token of the grade services", Effects: []fault.Effect{part.TokenKnown.Lift(and(toGrades, withJWTOf(ofPlatform)))}},
	{Name: "takes-tokens-of-tools-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Does: "takes what a tool has signed for an access token of the grade services", Effects: []fault.Effect{part.TokenKnown.Lift(and(toGrades, withJWTOf(ofTool)))}},
	{Name: "takes-expired-grade-tokens", Proves: "ags-rejects-missing-or-invalid-token", Does: "takes access tokens of the grade services that have expired", Effects: []fault.Effect{part.TokenNotExpired.Lift(toGrades)}},
	{Name: "forbids-without-grade-token", Proves: "ags-rejects-missing-or-invalid-token", Does: "answers 403 instead of 401 to a request of the grade services without a valid access token", Effects: []fault.Effect{refusesRequests(http.StatusUnauthorized, everyRequest, asStatus(http.StatusForbidden))}},
	{Name: "challenges-nobody-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Does: "answers 401 at the grade services without WWW-Authenticate", Effects: []fault.Effect{challenged.Take(false, nil)}},
	{Name: "creates-with-read-only-scope", Proves: "ags-rejects-insufficient-scope", Does: "makes line items with a token for other scopes of the grade services", Effects: []fault.Effect{part.TokenOfScope.Lift(toDo(LineItems, http.MethodPost))}},
	{Name: "changes-with-read-only-scope", Proves: "ags-rejects-insufficient-scope", Does: "changes line items with a token for other scopes of the grade services", Effects: []fault.Effect{part.TokenOfScope.Lift(toDo(LineItem, http.MethodPut))}},
	{Name: "deletes-with-read-only-scope", Proves: "ags-rejects-insufficient-scope", Does: "removes line items with a token for other scopes of the grade services", Effects: []fault.Effect{part.TokenOfScope.Lift(toDo(LineItem, http.MethodDelete))}},
	{Name: "scores-with-line-item-scope", Proves: "ags-rejects-insufficient-scope", Does: "takes scores with a token for other scopes of the grade services", Effects: []fault.Effect{part.TokenOfScope.Lift(toDo(Scores, http.MethodPost))}},
	{Name: "lists-results-with-score-scope", Proves: "ags-rejects-insufficient-scope", Does: "lists results with a token for other scopes of the grade services", Effects: []fault.Effect{part.TokenOfScope.Lift(toDo(Results, http.MethodGet))}},
	{Name: "lists-line-items-with-score-scope", Proves: "ags-rejects-insufficient-scope", Does: "lists line items with a token for other scopes of the grade services", Effects: []fault.Effect{part.TokenOfScope.Lift(toDo(LineItems, http.MethodGet))}},
	{Name: "says-unauthorized-for-grade-scope", Proves: "ags-rejects-insufficient-scope", Does: "answers 401 instead of 403 to a token for other scopes of the grade services", Effects: []fault.Effect{
		requestRefused.Change(func(r refusedRequest) refusedRequest {
			if r.wrong[0].Status == http.StatusForbidden && r.wrong[0].Code == lti.ErrorInsufficientScope {
				r.wrong[0].Status = http.StatusUnauthorized
			}
			return r
		}),
	}},
	{Name: "obeys-method-of-header-unchecked", Proves: "ags-rejects-insufficient-scope", Does: "asks for the scope of the method as it was sent, and obeys the one that a header names", Effects: []fault.Effect{obeys(methodOfHeader, doneBy)}},
	{Name: "obeys-method-of-query-unchecked", Proves: "ags-rejects-insufficient-scope", Does: "asks for the scope of the method as it was sent, and obeys the one that the query names", Effects: []fault.Effect{obeys(methodOfQuery, doneBy)}},
	{Name: "obeys-method-of-form-unchecked", Proves: "ags-rejects-insufficient-scope", Does: "asks for the scope of the method as it was sent, and obeys the one that a form names", Effects: []fault.Effect{obeys(methodOfForm, doneBy)}},
	{Name: "checks-named-methods", Proves: "ags-rejects-insufficient-scope", Does: "asks for the scope of the method that a header, the query or a form names, and obeys the one that was sent", Effects: []fault.Effect{obeys(anyNamedMethod, guardedBy)}},
	{Name: "obeys-named-methods", Permitted: true, Does: "obeys the method that a header, the query or a form names, and asks for its scope", Effects: []fault.Effect{obeys(anyNamedMethod, doneBy), obeys(anyNamedMethod, guardedBy)}},
	{Name: "compares-case-of-bearer", Proves: "rfc6750-access-token-enforced", Does: "knows the scheme of an access token only as Bearer", Effects: []fault.Effect{
		part.TokenPresented.Change(func(t part.Presented) part.Presented {
			t.Bearer = t.Bearer && strings.HasPrefix(t.Header.Get("Authorization"), "Bearer ")
			return t
		}),
	}},
	{Name: "crashes-on-two-access-tokens", Proves: "rfc6750-access-token-enforced", Does: "answers 500 to a request with two Authorization headers", Effects: []fault.Effect{
		part.TokenRefused.ChangeWhen(func(r part.TokenRefusal) bool { return part.TokenOnce.Broken(r.Presented) != nil }, func(r part.TokenRefusal) part.TokenRefusal {
			r.Why = &part.Failure
			return r
		}),
	}},
	{Name: "takes-first-of-two-access-tokens", Permitted: true, Does: "takes the first of two Authorization headers", Effects: []fault.Effect{part.TokenOnce.Lift(nil)}},

	// What belongs to others.
	{Name: "shows-foreign-line-items", Proves: "ags-tool-isolation", Does: "shows a tool the line items of others", Effects: []fault.Effect{findsForeign(doing(LineItem, http.MethodGet))}},
	{Name: "changes-foreign-line-items", Proves: "ags-tool-isolation", Does: "lets a tool change the line items of others", Effects: []fault.Effect{findsForeign(doing(LineItem, http.MethodPut))}},
	{Name: "deletes-foreign-line-items", Proves: "ags-tool-isolation", Does: "lets a tool remove the line items of others", Effects: []fault.Effect{findsForeign(doing(LineItem, http.MethodDelete))}},
	{Name: "scores-foreign-line-items", Proves: "ags-tool-isolation", Does: "takes a tool's scores for the line items of others", Effects: []fault.Effect{findsForeign(doing(Scores, http.MethodPost))}},
	{Name: "lists-foreign-results", Proves: "ags-tool-isolation", Does: "shows a tool the results of others", Effects: []fault.Effect{findsForeign(doing(Results, http.MethodGet))}},
	{Name: "trusts-tools-of-context", Proves: "ags-tool-isolation", Does: "shows a tool, once a link of a context has opened it, the line items of all tools there", Effects: []fault.Effect{
		findsForeign(and(doing(LineItem, http.MethodGet), (*request).opensLinks)), listsForeign((*request).opensLinks),
	}},
	{Name: "takes-owner-from-query", Proves: "ags-tool-isolation", Does: "takes the client_id in the query of an address for that of the tool that owns what is there", Effects: []fault.Effect{
		findsForeign(func(q *request) bool { return ownerFromQuery(q.Request, q.token.ClientID) }),
		part.OthersServed.Take(true, func(a part.Asking) bool {
			return a.ClientID != "" && a.URL.Query().Get(lti.ParamClientID) == a.ClientID
		}),
	}},
	{Name: "knows-owners-by-plain-address", Proves: "ags-tool-isolation", Does: "looks whose something is only where its address is written as usual", Effects: []fault.Effect{
		findsForeign(func(q *request) bool { return escapedOddly(q.Request) }),
		part.OthersServed.Take(true, func(a part.Asking) bool { return escapedOddly(a.Request) }),
	}},
	{Name: "checks-context-of-address-alone", Proves: "ags-tool-isolation", Does: "looks whether a tool may go to the context that the address of a line item names, and not whose the line item is", Effects: []fault.Effect{
		findsLineItem(func(q *request) *column {
			if c := q.books.columns[q.key]; c != nil && c.book.contextID != q.contextID() && c.book.clientID != q.token.ClientID {
				return c
			}
			return nil
		}),
	}},
	{Name: "reads-begin-of-line-item-keys", Proves: "ags-tool-isolation", Does: "reads the key of a line item as far as a semicolon or a full stop, and looks whose it is only where there is none", Effects: []fault.Effect{findsLineItem(beginOfKey)}},
	{Name: "says-bad-request-for-foreign-line-items", Proves: "ags-tool-isolation", Does: "answers 400 to a request for a line item of another tool", Effects: []fault.Effect{refusesRequests(http.StatusNotFound, foreignID, asStatus(http.StatusBadRequest))}},

	// Lists of line items.
	{Name: "refuses-any-type", Proves: "ags-lineitems-list", Does: "answers 406 to Accept: */*", Effects: []fault.Effect{refusesAccept(http.StatusNotAcceptable, acceptIs("*/*"))}},
	{Name: "crashes-on-accept-json", Proves: "ags-lineitems-list", Does: "answers 500 to Accept: application/json", Effects: []fault.Effect{refusesAccept(http.StatusInternalServerError, acceptIs(jsonMediaType))}},
	{Name: "refuses-accept-json", Permitted: true, Does: "answers 406 to Accept: application/json", Effects: []fault.Effect{refusesAccept(http.StatusNotAcceptable, acceptIs(jsonMediaType))}},
	{Name: "ignores-limit", Proves: "ags-lineitems-paging", Does: "sends more line items at once than limit says", Effects: []fault.Effect{ignoresLimit(LineItems)}},
	{Name: "sends-no-next", Proves: "ags-lineitems-paging", Does: "does not say where the rest of the line items is", Effects: []fault.Effect{addressesNext(LineItems, noNextPage)}},
	{Name: "sends-next-without-relation", Proves: "ags-lineitems-paging", Does: "does not say of the address of the next page what it is", Effects: []fault.Effect{answersRequests(toService(LineItems), nextWithoutRelation)}},
	{Name: "drops-filters-on-next-page", Proves: "ags-lineitems-paging", Does: "forgets the filters on the next page of line items", Effects: []fault.Effect{addressesNext(LineItems, withoutFilters)}},
	{Name: "repeats-pages", Proves: "ags-lineitems-paging", Does: "begins the next page with the last line item of the one before", Effects: []fault.Effect{addressesNext(LineItems, func(n *nextPage) { n.query.Set(paramAfter, strconv.Itoa(n.at-1)) })}},
	{Name: "skips-between-pages", Proves: "ags-lineitems-paging", Does: "leaves a line item out between two pages", Effects: []fault.Effect{addressesNext(LineItems, func(n *nextPage) { n.query.Set(paramAfter, strconv.Itoa(n.following)) })}},
	{Name: "never-ends-pages", Proves: "ags-lineitems-paging", Does: "names a next page after the last one", Effects: []fault.Effect{nextPageAddressed.Change(endlessPages)}},
	{Name: "crashes-on-limit-zero", Proves: "ags-lineitems-paging", Does: "answers 500 to limit=0", Effects: []fault.Effect{crashesOnOddLimit(func(n int, err error) bool { return err == nil && n == 0 })}},
	{Name: "crashes-on-negative-limit", Proves: "ags-lineitems-paging", Does: "answers 500 to a limit below 0", Effects: []fault.Effect{crashesOnOddLimit(func(n int, err error) bool { return err == nil && n < 0 })}},
	{Name: "crashes-on-limit-word", Proves: "ags-lineitems-paging", Does: "answers 500 to a limit that is no number", Effects: []fault.Effect{crashesOnOddLimit(func(_ int, err error) bool { return err != nil })}},
	{Name: "crashes-on-huge-limit", Proves: "ags-lineitems-paging", Does: "answers 500 to a limit of more than ten thousand", Effects: []fault.Effect{crashesOnLimit(func(n int, err error) bool { return err == nil && n > 10_000 })}},
	{Name: "ignores-odd-limits", Permitted: true, Does: "sends a page of the usual size where limit is odd", Effects: []fault.Effect{limitAboveZero.Lift(nil)}},
	{Name: "sends-small-pages", Permitted: true, Does: "sends two line items or results at once", Effects: []fault.Effect{pageSized.Change(smallPages)}},

	// New line items.
	{Name: "names-line-items-midway", Permitted: true, Does: "has /lineitem behind the name of a line item in its address, and answers 400 to addresses that have something else there", Effects: []fault.Effect{
		lineItemAddress.Change(func(address string) string { return address + midway }),
		lineItemPathRead.Change(withoutMidway),
		lineItemFound.Answer(notMidway, func(*request, error) error { return noAddress }),
		targetRules.Add(func(q *request) error {
			if notMidway(q) {
				return noAddress
			}
			return nil
		}),
	}},
	{Name: "crashes-on-malformed-line-items", Proves: "ags-lineitem-create-validation", Does: "answers 500 to a line item that is no JSON", Effects: []fault.Effect{refusesRequests(http.StatusBadRequest, and(ofLineItems, (*request).isBroken), crashed)}},
	{Name: "says-unprocessable-line-items", Permitted: true, Does: "answers 422 instead of 400 to a line item that is none", Effects: []fault.Effect{refusesRequests(http.StatusBadRequest, func(q *request) bool { return ofLineItems(q) && q.does != nil && q.does.read != nil }, asStatus(http.StatusUnprocessableEntity))}},

	// Changed and removed line items.
	{Name: "pretends-to-delete", Proves: "ags-lineitem-delete", Does: "shows a line item that was removed", Effects: []fault.Effect{
		findsLineItem(func(q *request) *column {
			if doing(LineItem, http.MethodGet)(q) {
				return q.wasRemoved()
			}
			return nil
		}),
	}},
	{Name: "deletes-twice", Proves: "ags-lineitem-delete", Does: "answers 204 when a line item is removed that is gone", Effects: []fault.Effect{pretends(removedTwice)}},
	{Name: "shows-unknown-line-items", Proves: "ags-lineitem-unknown", Does: "shows line items that there are not", Effects: []fault.Effect{pretends(and(unknownID, doing(LineItem, http.MethodGet)))}},
	{Name: "makes-unknown-line-items", Proves: "ags-lineitem-unknown", Does: "answers 200 when a line item is changed that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(LineItem, http.MethodPut)))}},
	{Name: "deletes-unknown-line-items", Proves: "ags-lineitem-unknown", Does: "answers 204 when a line item is removed that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(LineItem, http.MethodDelete)))}},
	{Name: "scores-unknown-line-items", Proves: "ags-lineitem-unknown", Does: "answers 204 to a score for a line item that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(Scores, http.MethodPost)))}},
	{Name: "lists-results-of-nothing", Proves: "ags-lineitem-unknown", Does: "lists no results of a line item that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(Results, http.MethodGet)))}},
	{Name: "crashes-on-malformed-ids", Proves: "ags-lineitem-unknown", Does: "answers 500 to the id of a line item that is none", Effects: []fault.Effect{refusesRequests(http.StatusNotFound, malformedID, crashed)}},
	{Name: "says-bad-request-for-malformed-ids", Permitted: true, Does: "answers 400 to the id of a line item that is none", Effects: []fault.Effect{refusesRequests(http.StatusNotFound, malformedID, asStatus(http.StatusBadRequest))}},
	{Name: "says-gone", Permitted: true, Does: "answers 410 instead of 404 for a line item that there is not", Effects: []fault.Effect{refusesRequests(http.StatusNotFound, unknownID, asStatus(http.StatusGone))}},

	// Media types, dates, extensions.
	{Name: "refuses-line-item-charset", Proves: "ags-lineitem-media-types", Does: "refuses a line item whose media type has a charset", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(ofLineItems, withParameters(1)))}},
	{Name: "crashes-on-line-items-as-json", Proves: "ags-lineitem-media-types", Does: "answers 500 to a line item that is application/json", Effects: []fault.Effect{refusesBodyType(http.StatusInternalServerError, lineItemAsJSON)}},
	{Name: "refuses-line-items-as-json", Permitted: true, Does: "answers 415 to a line item that is application/json", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, lineItemAsJSON)}},
	{Name: "takes-line-items-as-text", Proves: "ags-lineitem-media-types", Does: "takes a line item that is text/plain", Effects: []fault.Effect{bodyTypeKnown.Lift(lineItemAsText)}},
	{Name: "says-bad-request-for-types", Proves: "ags-lineitem-media-types", Does: "answers 400 instead of 415 to a line item of another media type", Effects: []fault.Effect{
		bodyTypeKnown.Answer(lineItemAsText, func(q *request, _ error) error {
			return part.InvalidRequest("the content type is %s", q.Header.Get("Content-Type"))
		}),
	}},
	{Name: "patches-line-items", Proves: "ags-lineitem-media-types", Does: "changes a line item by PATCH", Effects: []fault.Effect{
		methodRead.Change(func(m namedMethods) namedMethods {
			if m.Method == http.MethodPatch && m.service == LineItem {
				m.done, m.guarded = http.MethodPut, http.MethodPut
			}
			return m
		}),
	}},
	{Name: "hides-patch", Proves: "ags-lineitem-media-types", Does: "answers 404 to PATCH", Effects: []fault.Effect{refusesRequests(http.StatusMethodNotAllowed, func(q *request) bool { return q.Method == http.MethodPatch }, asStatus(http.StatusNotFound))}},
	{Name: "sends-line-items-as-pages", Proves: "ags-lineitem-media-types", Does: "answers a line item as text/html to who accepts that", Effects: []fault.Effect{
		answerAcceptable.Lift(acceptsPages),
		answersRequests(and(reading, acceptsPages), func(a *answeredRequest) { a.answer.header.Set("Content-Type", "text/html; charset=utf-8") }),
	}},
	{Name: "ignores-accept", Permitted: true, Does: "sends JSON to who accepts text/html", Effects: []fault.Effect{answerAcceptable.Lift(acceptsPages)}},
	{Name: "compares-line-item-type-case", Proves: "ags-lineitem-media-types", Does: "refuses a line item whose media type is in upper case", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(ofLineItems, inOtherCase))}},
	{Name: "refuses-type-parameters", Proves: "ags-lineitem-media-types", Does: "refuses a line item whose media type has more than one parameter", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(ofLineItems, withParameters(2)))}},
	{Name: "compares-accept", Proves: "ags-lineitems-list", Does: "refuses an Accept that lists several media types", Effects: []fault.Effect{refusesAccept(http.StatusNotAcceptable, func(_ *request, accept string) bool { return strings.Contains(accept, ",") })}},

	{Name: "sends-empty-first-pages", Permitted: true, Does: "sends an empty first page of a list, which leads to the rest", Effects: []fault.Effect{pageSized.Change(emptyFirstPages)}},
	{Name: "limits-requests", Permitted: true, Does: "answers each fifth request of a service with 429, and takes the next", Effects: []fault.Effect{limitsRequests(http.StatusTooManyRequests)}},
	{Name: "limits-requests-with-503", Permitted: true, Does: "answers each fifth request of a service with 503 and Retry-After, and takes the next", Effects: []fault.Effect{limitsRequests(http.StatusServiceUnavailable)}},
}
