package grades

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// stimuli are those of what a launch offers of the grade services, and of
// their answers (Assignment and Grade Services 2.0).
var stimuli = slices.Concat(
	saying.Accepted("ags-tool-requests-needed-scopes", saying.Always,
		saying.Case("endpoint-scope-score-alone", "offers the scope to send scores alone", endpoint("scope", []string{lti.ScopeScore})),
		saying.Case("endpoint-not-announced", "offers no grade services", saying.Without(lti.ClaimAGS)),
	),
	gradeAnswers("ags-tool-renews-token",
		graded{"grades-token-refused-once", "answers the first score with 401", nil, onlyFirst(refuseScores(http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token has been revoked"))},
		graded{"grades-token-refused-always", "answers everything with 401", nil, func(g *response) {
			g.why = revoked()
		}},
		graded{"grades-too-many-requests", "answers the first score with 429 and Retry-After", nil, onlyFirst(refuseScores(http.StatusTooManyRequests, lti.ErrorInvalidRequest, "there were too many requests", "Retry-After", "1"))},
		graded{"grades-unavailable", "answers scores with 503", nil, refuseScores(http.StatusServiceUnavailable, lti.ErrorInvalidRequest, "the gradebook is being maintained")},
	),
	saying.Accepted("ags-tool-lineitem-requests", saying.Always,
		saying.Case("items-url-with-query", "sends the address of the line items with a query", endpointURL("lineitems", func(s string) string { return part.WithQuery(s, "type_id", "3") })),
		saying.Case("item-url-with-query", "sends the address of a line item that is changed with a query", lineItemURL(withItemQuery)),
	),
	gradeAnswers("ags-tool-follows-paging",
		graded{"items-first-page-empty", "sends an empty first page of line items, which leads to the last one", hidesLineItem, func(g *response) {
			if g.page() == 1 {
				g.body = []map[string]any{}
				g.header.Set("Link", fmt.Sprintf(`<%s>; rel="next"`, g.atPage(lastPage)))
			}
		}},
		paging("items-wanted-on-page-3", "sends the line item on the third page", "Link", `<%[1]s>; rel="next"`),
		paging("items-link-next-first", "names the next page first among other links", "Link", `<%[1]s>; rel="next", <%[2]s>; rel="first", <%[3]s>; rel="last"`),
		paging("items-link-next-last", "names the next page last among other links", "Link", `<%[2]s>; rel="first", <%[3]s>; rel="last", <%[1]s>; rel="next"`),
		paging("items-link-lower-case", "names the next page in a header whose name is in lower case", "link", `<%[1]s>; rel="next"`),
		paging("items-link-relative", "names the next page by a relative URL", "Link", `<%[4]s>; rel="next"`),
		paging("items-link-unquoted", "names the next page without quotes around next", "Link", `<%[1]s>; rel=next`),
		graded{"items-link-loop", "names the first page as the one after the second", hidesLineItem, loops},
	),
	saying.Accepted("ags-tool-one-line-item", saying.Always,
		saying.Case("items-at-second-attempt", "names no line item where a learner hands in twice", hidesLineItem),
		saying.Case("items-at-second-launch", "names no line item when a learner is launched again", hidesLineItem),
		saying.Case("items-of-second-learner", "names no line item when another learner is launched", hidesLineItem),
	),
	gradeAnswers("ags-tool-tolerates-lineitem-content",
		graded{"item-with-all-members", "sends line items with a member of a vendor", nil, eachLineItem(func(item map[string]any) {
			item[VendorMember] = map[string]any{"colour": "green", "weights": []any{1, 2.5, nil}}
		})},
		graded{"item-with-null-members", "sends line items with null members", nil, eachLineItem(func(item map[string]any) {
			item["resourceId"], item["tag"], item["endDateTime"] = nil, nil, nil
		})},
		graded{"item-with-offset-dates", "sends line items whose dates have an offset", nil, eachLineItem(func(item map[string]any) {
			item["startDateTime"], item["endDateTime"] = "2026-03-01T10:00:00+02:00", "2036-03-31T17:30:00-04:30"
		})},
		graded{"item-answered-with-200", "answers that a line item was made with 200", nil, func(g *response) {
			if g.status == http.StatusCreated {
				g.status = http.StatusOK
			}
		}},
		graded{"item-answered-with-charset", "names a charset in the content type of its answers", nil, func(g *response) {
			if content := g.header.Get("Content-Type"); content != "" {
				g.header.Set("Content-Type", content+"; charset=utf-8")
			}
		}},
		graded{"items-with-everything", "sends line items with all members, long ones and those of vendors", nil, eachLineItem(func(item map[string]any) {
			maps.Copy(item, map[string]any{
				"label": part.Long("Übung № 7 – よくできました、"), "tag": part.Long("essay-"), "startDateTime": "2026-03-01T08:00:00.125Z", "endDateTime": "2036-03-31T22:00:00+02:00",
				"gradesReleased": false, "submissionReview": map[string]any{"reviewableStatus": []string{string(lti.Submitted)}, "label": part.Long("Открыть "), "custom": map[string]any{"a": "b"}},
				VendorMember: part.Deep, "https://vendor.example/text": part.Long("ö "),
			})
		})},
		graded{"items-in-object", "sends an object with line items where a list belongs", nil, ofList(LineItems, func(items []any) any {
			return map[string]any{"lineItems": items}
		})},
		graded{"items-with-null", "sends null and a string beside line items", nil, ofList(LineItems, besideNothing)},
		graded{"items-of-other-types", "sends line items with members of other types", nil, eachLineItem(func(item map[string]any) {
			item["scoreMaximum"], item["label"], item["tag"] = fmt.Sprint(item["scoreMaximum"]), nil, 17
		})},
	),
	saying.Accepted("ags-tool-score-url", saying.Always,
		saying.Case("score-url-with-query", "sends the address of the line item with a query", lineItemURL(withItemQuery)),
		saying.Case("score-url-below-scores", "sends an address of the line item in whose path scores comes before its last part", lineItemURL(belowScores)),
		saying.Case("score-url-with-port", "sends the address of the line item with its port", lineItemURL(withPort)),
	),
	[]fault.Fault{{
		Name: "score-url-path-in-host", Provokes: "ags-tool-score-url", Permitted: true,
		Does: "sends an address of the line item whose last part is a part of the host, too", Effects: []fault.Effect{pathInHost},
	}},
	gradeAnswers("ags-tool-score-answers",
		graded{"score-answered-with-200", "answers scores with 200 and an empty JSON object", nil, answerScores(http.StatusOK, map[string]any{})},
		graded{"score-answered-with-200-empty", "answers scores with 200 and no body", nil, answerScores(http.StatusOK, nil)},
		graded{"score-answered-with-201", "answers scores with 201", nil, answerScores(http.StatusCreated, nil)},
		graded{"score-answered-with-202", "answers scores with 202", nil, answerScores(http.StatusAccepted, nil)},
		graded{"score-answered-with-204", "answers scores with 204", nil, answerScores(http.StatusNoContent, nil)},
	),
	gradeAnswers("ags-tool-tells-outcome",
		graded{"score-taken", "takes scores, and answers them with 200", nil, answerScores(http.StatusOK, nil)},
		graded{"score-refused", "answers scores with 400", nil, refuseScores(http.StatusBadRequest, lti.ErrorInvalidRequest, "the gradebook is closed")},
	),
	gradeAnswers("ags-tool-score-timestamp",
		graded{"score-retried-after-503", "answers the first score with 503", nil, onlyFirst(refuseScores(http.StatusServiceUnavailable, lti.ErrorInvalidRequest, "the gradebook is being maintained"))},
	),
	gradeAnswers("ags-tool-results-tolerant",
		results("results-none", "sends an empty list of results", nil),
		results("results-without-score", "sends a result that has only what it must", map[string]any{}),
		results("results-score-null", "sends null as resultScore", map[string]any{"resultScore": nil, "resultMaximum": 10}),
		results("results-without-maximum", "sends resultScore without resultMaximum", map[string]any{"resultScore": ResultWithoutMaximum}),
		results("results-of-stranger", "sends the result of somebody unknown", map[string]any{"userId": "somebody-unknown", "resultScore": 7, "resultMaximum": 10}),
		results("results-overridden", "sends a result that an instructor has overridden", map[string]any{"resultScore": 3.5, "resultMaximum": 10, "comment": "Corrected by hand."}),
		results("results-with-everything", "sends a result with all members, long ones and those of vendors", map[string]any{
			"resultScore": 3.5, "resultMaximum": 10, "comment": strings.Repeat("Très bien – よくできました。", 120), "scoringUserId": "teacher-" + part.Long("1"),
			VendorMember: part.Deep, "https://vendor.example/text": part.Long("ö "),
		}),
		graded{"results-first-page-empty", "sends an empty first page of results, which leads to the second one", nil, func(g *response) {
			if g.service == Results && g.why == nil && !g.URL.Query().Has(paramPart) {
				g.body = []map[string]any{}
				g.header.Set("Link", fmt.Sprintf(`<%s>; rel="next"`, part.WithQuery(g.books.core.ServerURL()+g.URL.RequestURI(), paramPart, "2")))
			}
		}},
		graded{"results-in-object", "sends an object with results where a list belongs", nil, ofList(Results, func(results []any) any { return map[string]any{"results": results} })},
		graded{"results-with-null", "sends null and a string beside results", nil, ofList(Results, besideNothing)},
		results("results-of-other-types", "sends a result with members of other types", map[string]any{
			"resultScore": "3.5", "resultMaximum": "10", "userId": 17, "comment": map[string]any{"text": "Corrected by hand."},
		}),
	),
	tokenAnswers(
		granted{"token-opaque", "grants access tokens with all characters that one may have", func(a *part.Grant) { a.Value = lti.RandomString() + "-._~+/==" }},
		granted{"token-expires", "grants an access token for 5 seconds, and then ones for an hour", func(a *part.Grant) {
			if a.Nth == 1 {
				a.Expires = shortly
			}
		}},
		granted{"token-type-capitalised", "writes the type of access tokens with a capital letter", func(a *part.Grant) { a.Type = "Bearer" }},
		granted{"token-type-lower-case", "writes the type of access tokens in lower case", func(a *part.Grant) { a.Type = "bearer" }},
		granted{"token-type-upper-case", "writes the type of access tokens in upper case", func(a *part.Grant) { a.Type = "BEARER" }},
		granted{"token-without-expiry", "does not say when access tokens expire", answersGrant(func(answer map[string]any) any {
			delete(answer, "expires_in")
			return answer
		})},
		granted{"token-with-everything", "grants long access tokens, with members that a tool does not need", func(a *part.Grant) {
			a.Value = lti.RandomString() + strings.Repeat("x", 2<<10)
			answersGrant(func(answer map[string]any) any {
				maps.Copy(answer, map[string]any{"refresh_token": "none", "token_id": 17, "https://vendor.example/grant": part.Deep, "none": nil})
				return answer
			})(a)
		}},
		granted{"token-expiry-as-text", "says as text when access tokens expire", answersGrant(func(answer map[string]any) any {
			answer["expires_in"] = fmt.Sprint(answer["expires_in"])
			return answer
		})},
		granted{"token-a-number", "sends a number as access token", answersGrant(func(answer map[string]any) any {
			answer["access_token"] = 17
			return answer
		})},
		granted{"token-in-array", "grants access tokens in an array", answersGrant(func(answer map[string]any) any { return []any{answer} })},
		granted{"scope-reduced", "grants access tokens for 5 seconds, and without the scope to send scores where there are others", func(a *part.Grant) {
			a.Expires = shortly // so that the tool does not keep one for what comes later
			if rest := slices.DeleteFunc(slices.Clone(a.Scopes), func(scope string) bool { return scope == lti.ScopeScore }); len(rest) > 0 {
				a.Scopes = rest
			}
		}},
	),
	[]fault.Fault{{
		Name: "service-call-401-once", Provokes: ofTokens, Permitted: true, Does: "answers the first score, and the first control request, with 401",
		Effects: []fault.Effect{
			answering(onlyFirst(refuseScores(http.StatusUnauthorized, lti.ErrorInvalidToken, revoked().Says))),
			refusesServing(func(s part.Serving) bool { return s.First }),
		},
	}},
)

// revoked is why an access token is not taken any more.
func revoked() *part.Refusal {
	return &part.Refusal{Status: http.StatusUnauthorized, Code: lti.ErrorInvalidToken, Says: "the access token has been revoked"}
}

// refusesServing has the services of parts take an access token no more.
func refusesServing(when func(part.Serving) bool) fault.Effect {
	return part.Served.Change(func(s part.Serving) part.Serving {
		if when(s) {
			s.Why = revoked()
		}
		return s
	})
}

// ofTokens is the requirement of what tools do with access tokens.
const ofTokens = "sec-tool-access-token-use"

// shortly is how long an access token is good that is to expire soon.
const shortly = 5 * time.Second

// A granted stimulus is a change of how access tokens are granted.
type granted struct {
	name, does string
	tokens     func(*part.Grant)
}

// tokenAnswers are stimuli of access tokens. So that a tool asks for one, none that it
// had before is taken.
func tokenAnswers(stimuli ...granted) []fault.Fault {
	var faults []fault.Fault
	for _, s := range stimuli {
		faults = append(faults, fault.Fault{Name: s.name, Provokes: ofTokens, Permitted: true, Does: s.does + "; takes no earlier ones", Effects: []fault.Effect{
			part.Granted.Change(func(g part.Grant) part.Grant {
				s.tokens(&g)
				return g
			}),
			answering(func(r *response) {
				if !r.fresh {
					r.why = revoked()
				}
			}),
			refusesServing(func(s part.Serving) bool { return !s.Fresh }),
		}})
	}
	return faults
}

// answersGrant answers otherwise that an access token is granted.
func answersGrant(change func(map[string]any) any) func(*part.Grant) {
	return func(a *part.Grant) { a.Instead = change }
}

// ofList sends something else for a list.
func ofList(service Service, change func([]any) any) func(*response) {
	return func(g *response) {
		list, ok := g.body.([]map[string]any)
		if !ok || g.service != service {
			return
		}
		all := []any{}
		for _, one := range list {
			all = append(all, one)
		}
		g.body = change(all)
	}
}

// besideNothing has what is no object beside the elements of a list.
func besideNothing(list []any) any { return append([]any{nil, "none"}, list...) }

// VendorMember is a member of line items that is none of the specification's.
const VendorMember = "https://vendor.example/line-item/display"

// ResultWithoutMaximum is the resultScore that comes without resultMaximum: of 1
// (Assignment and Grade Services 2.0, 3.3.5).
const ResultWithoutMaximum = 0.83

// A graded stimulus is a change of what a launch says, nil for none, and of what
// the grade services answer.
type graded struct {
	name, does string
	claims     saying.Change
	grade      func(*response)
}

// answering changes what the grade services of a context answer.
func answering(change func(*response)) fault.Effect {
	return responseSent.Change(func(r response) response {
		change(&r)
		return r
	})
}

// gradeAnswers are stimuli that a tool copes with.
func gradeAnswers(requirement string, stimuli ...graded) []fault.Fault {
	var faults []fault.Fault
	for _, s := range stimuli {
		f := fault.Fault{Name: s.name, Provokes: requirement, Permitted: true, Does: s.does, Effects: []fault.Effect{answering(s.grade)}}
		if s.claims != nil {
			f.Effects = append(f.Effects, saying.Effect(saying.Always, s.claims))
		}
		faults = append(faults, f)
	}
	return faults
}

// refuseScores refuses scores, with headers given in pairs.
func refuseScores(status int, code, says string, header ...string) func(*response) {
	return func(g *response) {
		if g.service != Scores {
			return
		}
		g.why = &part.Refusal{Status: status, Code: code, Says: says}
		for pair := range slices.Chunk(header, 2) {
			g.header.Set(pair[0], pair[1])
		}
	}
}

// answerScores answers scores that are taken with a status and a body, nil for none.
func answerScores(status int, body any) func(*response) {
	return func(g *response) {
		if g.service != Scores || g.why != nil {
			return
		}
		g.status, g.body = status, body
		if body != nil {
			g.header.Set("Content-Type", jsonMediaType)
		}
	}
}

// onlyFirst changes the first answer of a kind alone.
func onlyFirst(change func(*response)) func(*response) {
	return func(g *response) {
		if g.nth == 1 {
			change(g)
		}
	}
}

// hidesLineItem leaves the tool to look for the line item.
var hidesLineItem = endpointWithout("lineitem")

// paging sends the line items that were asked for on the third page. The header is
// given with the URL of the next page, of the first and of the last one, and with
// that of the next page as a relative one.
func paging(name, does, header, format string) graded {
	return graded{name, does, hidesLineItem, func(g *response) {
		page := g.page()
		if page == 0 || page >= lastPage {
			return
		}
		g.body = g.otherLineItems()
		next := g.atPage(page + 1)
		g.header[header] = []string{fmt.Sprintf(format, next, g.atPage(1), g.atPage(lastPage), part.PathOf(next))}
	}}
}

// loops sends line items without end, and after a while none, so that a tool that
// would go on for ever comes to an end.
func loops(g *response) {
	page := g.page()
	switch {
	case page == 0:
	case g.nth > LoopEnds:
		g.why = &part.Refusal{Status: http.StatusServiceUnavailable, Code: lti.ErrorInvalidRequest, Says: "there were too many requests"}
	default:
		g.body = g.otherLineItems()
		g.header.Set("Link", fmt.Sprintf(`<%s>; rel="next"`, g.atPage(page%2+1)))
	}
}

// LoopEnds is how many pages there are in the stimulus items-link-loop before the
// platform refuses to send more.
const LoopEnds = 120

// lastPage is the one with the line items that were asked for.
const lastPage = 3

// paramPart names the page in the stimuli of paging. PageMark goes with it, and
// EndOfPages ends the address of the last page, to show whether a tool takes the
// address of the next page as it is.
const (
	paramPart  = "part"
	PageMark   = "mark=a%2Fb%20c:d"
	EndOfPages = PageMark + "&" + paramPart + "=3"
)

// page is the number of the page of line items that is asked for; 0 where none is.
func (g *response) page() int {
	if g.service != LineItems || g.Method != http.MethodGet || g.why != nil {
		return 0
	}
	page, err := strconv.Atoi(g.URL.Query().Get(paramPart))
	if err != nil {
		return 1
	}
	return page
}

// atPage is the address of another page of what was asked for.
func (g *response) atPage(page int) string {
	query := g.URL.Query()
	query.Del(paramPart)
	query.Del("mark")
	mark := strings.TrimPrefix(query.Encode()+"&"+PageMark, "&")
	if page > 1 {
		mark += fmt.Sprintf("&%s=%d", paramPart, page)
	}
	return g.address() + "?" + mark
}

// address is that of what was asked for, without its query.
func (g *response) address() string { return g.books.core.ServerURL() + g.URL.EscapedPath() }

// otherLineItems are some that no tool looks for. A tool that says which ones it
// wants gets none beside those.
func (g *response) otherLineItems() []map[string]any {
	items := []map[string]any{}
	if query := g.URL.Query(); query.Has("resource_link_id") || query.Has("resource_id") || query.Has("tag") {
		return items
	}
	for _, name := range []string{"other-1", "other-2"} {
		items = append(items, map[string]any{
			"id": g.address() + "/" + name, "label": "Another exercise", "scoreMaximum": 10, "resourceId": name, "resourceLinkId": "link-" + name,
		})
	}
	return items
}

// eachLineItem changes the line items of an answer.
func eachLineItem(change func(map[string]any)) func(*response) {
	return func(g *response) {
		switch body := g.body.(type) {
		case map[string]any:
			if g.service == LineItem || g.service == LineItems {
				change(body)
			}
		case []map[string]any:
			if g.service == LineItems {
				for _, item := range body {
					change(item)
				}
			}
		}
	}
}

// results sends a single result with such members, or none where they are nil. It
// is that of a learner whom the gradebook knows, where there is one.
func results(name, does string, members map[string]any) graded {
	return graded{name, does, nil, func(g *response) {
		known, ok := g.body.([]map[string]any)
		if g.service != Results || !ok {
			return
		}
		list := []map[string]any{}
		if members != nil {
			result := map[string]any{"id": g.address() + "/1", "scoreOf": strings.TrimSuffix(g.address(), "/"+string(Results)), "userId": "learner-unknown"}
			if len(known) > 0 {
				result["id"], result["scoreOf"], result["userId"] = known[0]["id"], known[0]["scoreOf"], known[0]["userId"]
			}
			maps.Copy(result, members)
			list = append(list, result)
		}
		g.body = list
		g.header.Del("Link")
	}}
}

// withItemQuery adds a query of its own to the address of a line item.
func withItemQuery(address string) string { return address + "?" + LineItemQuery }

// LineItemQuery is the query of line items in the stimuli that have one.
const LineItemQuery = "type=x&y=1"

// belowScores is the address under which the platform finds a line item, too.
func belowScores(address string) string {
	i := strings.LastIndexByte(address, '/')
	return address[:i] + "/" + string(Scores) + address[i:]
}

// withPort names the port that the scheme implies.
func withPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Port() != "" {
		return address
	}
	u.Host += map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return u.String()
}

// inHost names the line item by the first part of the host's name, and says which path that is
// instead of which.
func inHost(address string) (odd, path, own string, is bool) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", "", "", false
	}
	name, _, _ := strings.Cut(u.Hostname(), ".")
	odd = address[:strings.LastIndexByte(address, '/')+1] + name
	return odd, part.PathOf(odd), u.EscapedPath(), true
}

// pathInHost names the line item like that; the platform finds it there from then on.
var pathInHost = part.Said.ChangeAll(func(part.Saying) bool { return true }, func(s part.Saying) part.Saying {
	address, _ := saying.Object(&s, lti.ClaimAGS)["lineitem"].(string)
	if odd, path, own, is := inHost(address); is {
		On(s.Core()).alsoAt.Store(path, own)
		endpoint("lineitem", odd)(&s)
	}
	return s
})

// leadBack turns the address that a fault has given a line item into its own.
func (g *Gradebooks) leadBack(r *http.Request) *http.Request {
	container := r.URL.EscapedPath()[:strings.LastIndex(r.URL.EscapedPath(), "/lineitems")+len("/lineitems")]
	for _, below := range []string{"", "/" + string(Scores), "/" + string(Results)} {
		path, ends := strings.CutSuffix(r.URL.EscapedPath(), below)
		own, known := g.alsoAt.Load(path)
		if !ends || !known {
			continue
		}
		if u, err := url.Parse(own.(string) + below); err == nil {
			u.RawQuery = r.URL.RawQuery
			led := r.WithContext(r.Context())
			led.URL = u
			led.SetPathValue("rest", strings.TrimPrefix(u.EscapedPath(), container+"/"))
			return led
		}
	}
	return r
}
