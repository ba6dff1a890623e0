package grades

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Service is one of the grade services.
type Service string

// The grade services (Assignment and Grade Services 2.0, 3.2 to 3.4).
const (
	LineItems Service = "lineitems" // the container
	LineItem  Service = "lineitem"
	Scores    Service = "scores"
	Results   Service = "results"
)

// A Call is a request to the grade services.
type Call struct {
	Service                             Service
	ContextID, LineItem                 string // the latter is an id; empty for the container, and where there is no such item
	Method, Target, ContentType, Accept string
	// Authorized says whether the access token was one for what was asked. Token is
	// a secret while it lasts.
	Authorized bool
	Token      string
	Scopes     []string // of the access token
	Body       []byte   // at most 64 KiB
	Status     int      // of the answer; 0 where the connection was closed
	// Problems say what is not allowed in it.
	Problems []string
	At       time.Time
}

// Calls returns the requests to the grade services of a context, in order and
// at most a thousand.
func (g *Gradebooks) Calls(contextID string) []Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.calls[contextID])
}

// AwaitCalls waits until so many requests to the grade services of a context
// have been answered, and says whether they have: they have not when the context
// ends before.
func (g *Gradebooks) AwaitCalls(ctx context.Context, contextID string, n int) bool {
	for {
		g.mu.Lock()
		next, came := g.called, len(g.calls[contextID])
		g.mu.Unlock()
		if came >= n {
			return true
		}
		select {
		case <-next:
		case <-ctx.Done():
			return false
		}
	}
}

// request is a request to a grade service while it is being judged.
type request struct {
	*http.Request
	books    *Gradebooks
	token    part.Token
	service  Service
	key      string // of the line item, as the path has it
	body     []byte
	object   map[string]any       // nil where the body is none
	does     *operation           // nil where the service has no such method
	guarded  *operation           // whose scopes are asked for
	people   map[string]part.User // of the context; nil where these are all who were launched there
	book     *gradebook           // nil where there is none of the tool's
	column   *column              // nil where the tool has no such line item there
	lineItem lineItemDraft
	score    scoreDraft
}

// A response is the answer of a grade service before it is sent; the fault of
// the context's latest launch may change it.
type response struct {
	*http.Request
	books   *Gradebooks
	service Service
	fresh   bool          // the access token was granted since that launch
	nth     int           // of the calls of that service and method since that launch, from 1
	why     *part.Refusal // the request is refused, and without effect
	reset   bool          // the connection is closed instead, without effect
	status  int
	header  http.Header
	body    any // is sent as JSON: a map[string]any, or a []map[string]any for a container; nil for none

	effect func() // what the request changes; nil for nothing
}

// An operation is what a grade service does (Assignment and Grade Services 2.0,
// 3.2 to 3.4).
type operation struct {
	service Service
	method  string
	scopes  []string                                  // one of them is enough
	takes   string                                    // media type of the body
	gives   string                                    // media type of the answer
	read    func(*Gradebooks, *request) part.Refusals // reads the body
	do      func(*Gradebooks, *request) response
}

// The scopes that let a tool read line items, and write them.
var (
	readsLineItems  = []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem}
	writesLineItems = []string{lti.ScopeLineItem}
)

// operations are all that there are.
var operations = []operation{
	{
		service: LineItems, method: http.MethodGet, scopes: readsLineItems, gives: lti.MediaTypeLineItemContainer, do: (*Gradebooks).listLineItems,
	}, {
		service: LineItems, method: http.MethodPost, scopes: writesLineItems, takes: lti.MediaTypeLineItem, gives: lti.MediaTypeLineItem,
		read: (*Gradebooks).takeLineItem, do: (*Gradebooks).createLineItem,
	}, {
		service: LineItem, method: http.MethodGet, scopes: readsLineItems, gives: lti.MediaTypeLineItem, do: (*Gradebooks).showLineItem,
	}, {
		service: LineItem, method: http.MethodPut, scopes: writesLineItems, takes: lti.MediaTypeLineItem, gives: lti.MediaTypeLineItem,
		read: (*Gradebooks).takeLineItem, do: (*Gradebooks).replaceLineItem,
	}, {
		service: LineItem, method: http.MethodDelete, scopes: writesLineItems, do: (*Gradebooks).deleteLineItem,
	}, {
		service: Scores, method: http.MethodPost, scopes: []string{lti.ScopeScore}, takes: lti.MediaTypeScore,
		read: (*Gradebooks).takeScore, do: (*Gradebooks).record,
	}, {
		service: Results, method: http.MethodGet, scopes: []string{lti.ScopeResultReadOnly}, gives: lti.MediaTypeResultContainer, do: (*Gradebooks).listResults,
	},
}

// The parameters that filter a container and ask for parts of it (Assignment and
// Grade Services 2.0, 3.2.4 and 3.3.6). The last one is the platform's own.
const (
	paramResourceLinkID = "resource_link_id"
	paramResourceID     = "resource_id"
	paramTag            = "tag"
	paramUserID         = "user_id"
	paramLimit          = "limit"
	paramAfter          = "after"
)

// What the services read of a request, and how many requests are kept of a context.
const (
	maxBody  = 64 << 10
	maxCalls = 1000
)

// pageSize is how many the platform sends at once.
const pageSize = 50

// serve is all of the grade services (Assignment and Grade Services 2.0).
func (g *Gradebooks) serve(w http.ResponseWriter, r *http.Request) {
	q := g.read(w, g.leadBack(r))
	contextID := r.PathValue("context")
	q.people = g.peopleOf(contextID)
	var noToken error
	q.token, noToken = g.core.Token(r, q.need())
	authorization := part.RefusalsOf(noToken)
	form := part.RefusalsOf(formRules.All(g.carrier(), q)...)
	if q.does != nil && q.does.read != nil {
		form = append(form, q.does.read(g, q)...)
	}
	wrong := append(part.RefusalsOf(methodRules.All(g.carrier(), q)...), authorization...)

	g.mu.Lock()
	if !g.knows(contextID) {
		g.mu.Unlock()
		g.core.Unplanned(r, "no tool has a gradebook in this context")
		g.refuse(w, q, part.Refusal{Status: http.StatusNotFound, Code: lti.ErrorInvalidRequest, Says: "there is no such context"})
		return
	}
	g.findLineItem(q, contextID, len(authorization) == 0)
	wrong = append(wrong, part.RefusalsOf(targetRules.All(g.carrier(), q)...)...)
	wrong = append(wrong, form...)
	answer := g.answer(q, &wrong)
	problems := append(wrong.Said(), q.improprieties()...)
	if len(wrong) == 0 && answer.why != nil {
		problems = append(problems, answer.why.Says)
	}
	g.stimulate(q, &answer)
	if answer.why == nil && !answer.reset && answer.effect != nil {
		answer.effect()
	}
	g.note(q, contextID, answer, len(authorization) == 0, problems)
	g.mu.Unlock()

	switch {
	case answer.reset:
		panic(http.ErrAbortHandler) // net/http drops the connection
	case answer.why != nil:
		maps.Copy(w.Header(), answer.header)
		g.refuse(w, q, *answer.why)
	default:
		answer.send(w)
	}
}

// answer answers a request, with what is wrong with it.
func (g *Gradebooks) answer(q *request, wrong *part.Refusals) response {
	if len(*wrong) > 0 {
		refused := requestRefused.Pass(g.carrier(), refusedRequest{request: q, wrong: *wrong})
		*wrong = refused.wrong
		if len(refused.wrong) > 0 {
			refused.answer.why = &refused.wrong[0]
		}
		return refused.answer
	}
	answer := q.does.do(g, q)
	if answer.why != nil {
		return answer
	}
	effect := answer.effect
	answer.effect = nil
	answered := requestAnswered.Pass(g.carrier(), answeredRequest{request: q, answer: answer})
	if !answered.undone {
		answered.answer.effect = effect
	}
	return answered.answer
}

// read reads what is asked for. What follows lineitems in the path is
// empty for the container, or the last part of a line item's id and what is asked
// of it; the id may have something before that part.
func (g *Gradebooks) read(w http.ResponseWriter, r *http.Request) *request {
	q := &request{Request: r, books: g, service: LineItems}
	if below := r.PathValue("rest"); below != "" || strings.HasSuffix(r.URL.Path, "/") {
		q.service = LineItem
		parts := strings.Split(below, "/")
		if len(parts) > 1 && parts[0] == string(Scores) { // the id of a line item may look like that
			parts = parts[1:]
		}
		q.key = parts[0]
		parts = lineItemPathRead.Pass(g.carrier(), parts)
		switch {
		case len(parts) == 2 && (parts[1] == string(Scores) || parts[1] == string(Results)):
			q.service = Service(parts[1])
		case len(parts) > 1:
			q.key = "" // there is nothing like it
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	q.body = body
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); !tooLarge {
		q.object = jwt.Object(body)
	}
	method := methodRead.Pass(g.carrier(), namedMethods{q, q.Method, q.Method})
	q.does, q.guarded = q.service.operation(method.done), q.service.operation(method.guarded)
	return q
}

// operation is what a service does by a method; nil for nothing.
func (s Service) operation(method string) *operation {
	i := slices.IndexFunc(operations, func(o operation) bool { return o.service == s && o.method == method })
	if i < 0 {
		return nil
	}
	return &operations[i]
}

// need is the access token that the request needs; any will do where the service has no such
// method.
func (q *request) need() part.Need {
	if q.guarded == nil {
		return part.Need{Part: Profile}
	}
	return part.Need{Part: Profile, Scopes: q.guarded.scopes, For: q.guarded}
}

// findLineItem finds what the path names, among what is the tool's. Whether the tool may
// have what it asks for was said before. It is called with the gradebooks locked.
func (g *Gradebooks) findLineItem(q *request, contextID string, may bool) {
	if q.token.ClientID != "" {
		q.book = g.open(shelf{q.token.ClientID, contextID})
	} else if may {
		q.book = g.anybodys(contextID, q.key)
	}
	found := g.columns[q.key]
	if found != nil && found.book != q.book {
		found = nil
	}
	if removed := q.wasRemoved(); removed != nil && q.Method == http.MethodGet && q.service == LineItem {
		removed.missed = true
	}
	if q.column = lineItemLookedUp.Pass(g.carrier(), targetedRequest{q, found}).found; q.column != nil {
		q.book = q.column.book
	}
}

// anybodys is the gradebook of a context that is used where an access token names no
// tool: that of the line item, or else of the tool that was launched there last. It
// is called with the gradebooks locked.
func (g *Gradebooks) anybodys(contextID, key string) *gradebook {
	if c := g.columns[key]; c != nil && c.book.contextID == contextID {
		return c.book
	}
	var latest *gradebook
	for at, book := range g.books {
		if at.contextID == contextID && book.latest != nil && (latest == nil || book.latest.Planned().After(latest.latest.Planned())) {
			latest = book
		}
	}
	return latest
}

// wasRemoved returns the line item of that key which the tool has removed, and nil
// for none.
func (q *request) wasRemoved() *column {
	if q.book == nil {
		return nil
	}
	i := slices.IndexFunc(q.book.removed, func(c *column) bool { return c.key == q.key })
	if i < 0 {
		return nil
	}
	return q.book.removed[i]
}

// challenged is whether who lacks an access token is told so by WWW-Authenticate (RFC 6750, 3).
var challenged = &fault.Step[*request]{Name: "who lacks an access token is told so", Honest: func(*request) bool { return true }}

// responseSent is passed while the latest launch of the context goes on.
var responseSent = &fault.Seam[response]{Name: "the answer of a grade service as it is sent", Clone: func(r response) response {
	r.header = r.header.Clone()
	return r
}}

// jsonMediaType is that of any JSON.
const jsonMediaType = "application/json"

// improprieties are what a tool should have sent otherwise, though the platform
// takes it.
func (q *request) improprieties() []string {
	if q.does == nil {
		return nil
	}
	var found []string
	if q.does.takes != "" && part.MediaType(q.Request) == jsonMediaType {
		found = append(found, "the content type is "+jsonMediaType+" instead of "+q.does.takes)
	}
	if q.Method == http.MethodGet && !strings.Contains(q.Header.Get("Accept"), q.does.gives) {
		found = append(found, "Accept does not name "+q.does.gives)
	}
	if _, sent := q.object["id"]; sent && q.service == LineItems {
		found = append(found, "a new line item has an id")
	}
	for _, name := range slices.Sorted(maps.Keys(q.object)) {
		if q.object[name] == nil && name != "scoreGiven" { // which is as good as none (Assignment and Grade Services 2.0, 3.4.4)
			found = append(found, fmt.Sprintf("%.100s is null", name))
		}
	}
	if q.service == Scores {
		found = append(found, q.score.improprieties(q.object)...)
	}
	return found
}

// stimulate lets the fault of the context's latest launch change the answer.
func (g *Gradebooks) stimulate(q *request, answer *response) {
	answer.Request, answer.books, answer.service = q.Request, g, q.service
	if answer.header == nil {
		answer.header = http.Header{}
	}
	if q.book == nil || q.book.latest == nil {
		return
	}
	kind := turn{q.service, q.Method}
	q.book.served[kind]++
	answer.nth, answer.fresh = q.book.served[kind], q.book.latest.Granted(q.token.Value)
	*answer = responseSent.Pass(q.book.latest.Carrier(), *answer)
}

// note keeps a request in the record of its context.
func (g *Gradebooks) note(q *request, contextID string, answer response, authorized bool, problems []string) {
	call := Call{
		Service: q.service, ContextID: contextID, Method: q.Method, Target: q.RequestURI,
		ContentType: q.Header.Get("Content-Type"), Accept: q.Header.Get("Accept"), Authorized: authorized, Token: q.token.Value,
		Scopes: q.token.Scopes, Body: q.body, Status: answer.status, Problems: problems, At: g.core.Now(),
	}
	if c := g.columns[q.key]; c != nil && c.book.contextID == contextID {
		call.LineItem = c.id
	}
	switch {
	case answer.reset:
		call.Status = 0
	case answer.why != nil:
		call.Status = answer.why.Status
	}
	if len(g.calls[contextID]) < maxCalls {
		g.calls[contextID] = append(g.calls[contextID], call)
	}
	close(g.called)
	g.called = make(chan struct{})
}

// send sends the answer.
func (g response) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), g.header)
	if g.body == nil {
		w.WriteHeader(g.status)
		return
	}
	part.Send(w, g.status, w.Header().Get("Content-Type"), g.body)
}

// refuse answers with an error.
func (g *Gradebooks) refuse(w http.ResponseWriter, q *request, why part.Refusal) {
	var needed []string
	if q.does != nil {
		needed = q.does.scopes
	}
	if (why.Status == http.StatusUnauthorized || why.Code == lti.ErrorInsufficientScope) && challenged.Taken(g.carrier(), q) {
		w.Header().Set("WWW-Authenticate", part.Challenge(why.Code, strings.Join(needed, " ")))
	}
	var methods []string
	for _, o := range operations {
		if o.service == q.service {
			methods = append(methods, o.method)
		}
	}
	part.Fail(w, why.Status, why.Code, why.Says, methods...)
}
