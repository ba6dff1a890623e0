package fakeplatform

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

// A GradeCall is a request to the grade services.
type GradeCall struct {
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

// GradeCalls returns the requests to the grade services of a context, in order and
// at most a thousand.
func (p *Platform) GradeCalls(contextID string) []GradeCall {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	return slices.Clone(p.grades.calls[contextID])
}

// AwaitGradeCalls waits until so many requests to the grade services of a context
// have been answered, and says whether they have: they have not when the context
// ends before.
func (p *Platform) AwaitGradeCalls(ctx context.Context, contextID string, n int) bool {
	for {
		p.grades.mu.Lock()
		next, came := p.grades.called, len(p.grades.calls[contextID])
		p.grades.mu.Unlock()
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

// gradeRequest is a request to a grade service while it is being judged.
type gradeRequest struct {
	*http.Request
	credentials
	platform *Platform
	service  Service
	key      string // of the line item, as the path has it
	body     []byte
	object   map[string]any  // nil where the body is none
	does     *operation      // nil where the service has no such method
	guarded  *operation      // whose scopes are asked for
	people   map[string]User // of the context; nil where these are all who were launched there
	book     *gradebook      // nil where there is none of the tool's
	column   *column         // nil where the tool has no such line item there
	lineItem lineItemDraft
	score    scoreDraft
}

// A gradeAnswer is the answer of a grade service before it is sent; the fault of
// the context's latest launch may change it.
type gradeAnswer struct {
	*http.Request
	platform *Platform
	service  Service
	fresh    bool     // the access token was granted since that launch
	nth      int      // of the calls of that service and method since that launch, from 1
	why      *refusal // the request is refused, and without effect
	reset    bool     // the connection is closed instead, without effect
	status   int
	header   http.Header
	body     any // is sent as JSON: a map[string]any, or a []map[string]any for a container; nil for none

	effect func() // what the request changes; nil for nothing
}

// An operation is what a grade service does (Assignment and Grade Services 2.0,
// 3.2 to 3.4).
type operation struct {
	service Service
	method  string
	scopes  []string                                 // one of them is enough
	takes   string                                   // media type of the body
	gives   string                                   // media type of the answer
	read    func(*Platform, *gradeRequest) []refusal // reads the body
	do      func(*Platform, *gradeRequest) gradeAnswer
}

// The scopes that let a tool read line items, and write them.
var (
	readsLineItems  = []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem}
	writesLineItems = []string{lti.ScopeLineItem}
)

// operations are all that there are.
var operations = []operation{
	{
		service: LineItems, method: http.MethodGet, scopes: readsLineItems, gives: lti.MediaTypeLineItemContainer, do: (*Platform).listLineItems,
	}, {
		service: LineItems, method: http.MethodPost, scopes: writesLineItems, takes: lti.MediaTypeLineItem, gives: lti.MediaTypeLineItem,
		read: (*Platform).takeLineItem, do: (*Platform).createLineItem,
	}, {
		service: LineItem, method: http.MethodGet, scopes: readsLineItems, gives: lti.MediaTypeLineItem, do: (*Platform).showLineItem,
	}, {
		service: LineItem, method: http.MethodPut, scopes: writesLineItems, takes: lti.MediaTypeLineItem, gives: lti.MediaTypeLineItem,
		read: (*Platform).takeLineItem, do: (*Platform).replaceLineItem,
	}, {
		service: LineItem, method: http.MethodDelete, scopes: writesLineItems, do: (*Platform).deleteLineItem,
	}, {
		service: Scores, method: http.MethodPost, scopes: []string{lti.ScopeScore}, takes: lti.MediaTypeScore,
		read: (*Platform).takeScore, do: (*Platform).record,
	}, {
		service: Results, method: http.MethodGet, scopes: []string{lti.ScopeResultReadOnly}, gives: lti.MediaTypeResultContainer, do: (*Platform).listResults,
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

// pageSize is how many the platform sends at once.
const pageSize = 50

// putsOff puts a request to a service off, where it takes none now.
func (p *Platform) putsOff(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != TokenPath && !strings.HasPrefix(r.URL.Path, ContextsPath+"/") {
		return false
	}
	busy := serviceBusy.Pass(p.carrier, busyService{nth: p.requests.Add(1)})
	if busy.status == 0 {
		return false
	}
	w.Header().Set("Retry-After", "0")
	fail(w, refusal{busy.status, lti.ErrorInvalidRequest, "there were too many requests"})
	return true
}

// serveGrades is all of the grade services (Assignment and Grade Services 2.0).
func (p *Platform) serveGrades(w http.ResponseWriter, r *http.Request) {
	q := p.readGradeRequest(w, r)
	contextID := r.PathValue("context")
	q.people = p.peopleOf(contextID)
	authorization := p.checkToken(r, &q.credentials, q.guard())
	form := refusalsOf(gradeFormRules.All(p.carrier, q))
	if q.does != nil && q.does.read != nil {
		form = append(form, q.does.read(p, q)...)
	}
	wrong := append(refusalsOf(gradeMethodRules.All(p.carrier, q)), authorization...)

	p.grades.mu.Lock()
	if !p.grades.knows(contextID) {
		p.grades.mu.Unlock()
		p.unplanned(r, "no tool has a gradebook in this context")
		p.refuseGrades(w, q, refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "there is no such context"})
		return
	}
	p.findLineItem(q, contextID, len(authorization) == 0)
	wrong = append(wrong, refusalsOf(gradeTargetRules.All(p.carrier, q))...)
	wrong = append(wrong, form...)
	answer := p.answerGrades(q, &wrong)
	problems := append(said(wrong), q.improprieties()...)
	if len(wrong) == 0 && answer.why != nil {
		problems = append(problems, answer.why.says)
	}
	p.stimulateGrades(q, &answer)
	if answer.why == nil && !answer.reset && answer.effect != nil {
		answer.effect()
	}
	p.noteGradeCall(q, contextID, answer, len(authorization) == 0, problems)
	p.grades.mu.Unlock()

	switch {
	case answer.reset:
		panic(http.ErrAbortHandler) // net/http drops the connection
	case answer.why != nil:
		maps.Copy(w.Header(), answer.header)
		p.refuseGrades(w, q, *answer.why)
	default:
		answer.send(w)
	}
}

// answerGrades answers a request, with what is wrong with it.
func (p *Platform) answerGrades(q *gradeRequest, wrong *refusals) gradeAnswer {
	if len(*wrong) > 0 {
		refused := gradeRefused.Pass(p.carrier, refusedGrades{gradeRequest: q, wrong: *wrong})
		*wrong = refused.wrong
		if len(refused.wrong) > 0 {
			refused.answer.why = &refused.wrong[0]
		}
		return refused.answer
	}
	answer := q.does.do(p, q)
	if answer.why != nil {
		return answer
	}
	effect := answer.effect
	answer.effect = nil
	answered := gradeAnswered.Pass(p.carrier, answeredGrades{gradeRequest: q, answer: answer})
	if !answered.undone {
		answered.answer.effect = effect
	}
	return answered.answer
}

// readGradeRequest reads what is asked for. What follows lineitems in the path is
// empty for the container, or the last part of a line item's id and what is asked
// of it; the id may have something before that part.
func (p *Platform) readGradeRequest(w http.ResponseWriter, r *http.Request) *gradeRequest {
	q := &gradeRequest{Request: r, platform: p, service: LineItems, credentials: credentialsOf(r)}
	if below := r.PathValue("rest"); below != "" || strings.HasSuffix(r.URL.Path, "/") {
		q.service = LineItem
		parts := strings.Split(below, "/")
		if len(parts) > 1 && parts[0] == string(Scores) { // the id of a line item may look like that
			parts = parts[1:]
		}
		q.key = parts[0]
		parts = lineItemPathRead.Pass(p.carrier, parts)
		switch {
		case len(parts) == 2 && (parts[1] == string(Scores) || parts[1] == string(Results)):
			q.service = Service(parts[1])
		case len(parts) > 1:
			q.key = "" // there is nothing like it
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxServiceBody))
	q.body = body
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); !tooLarge {
		q.object = jwt.Object(body)
	}
	method := gradeMethods.Pass(p.carrier, methodsOfGrades{q, q.Method, q.Method})
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

// guard says what access token the request needs; any will do where the service has no
// such method.
func (q *gradeRequest) guard() guard {
	if q.guarded == nil {
		return guard{does: &operation{}}
	}
	return guard{q.guarded.scopes, q.guarded}
}

// findLineItem finds what the path names, among what is the tool's. Whether the tool may
// have what it asks for was said before. It is called with the gradebooks locked.
func (p *Platform) findLineItem(q *gradeRequest, contextID string, may bool) {
	if q.known.clientID != "" {
		q.book = p.grades.open(shelf{q.known.clientID, contextID})
	} else if may {
		q.book = p.grades.anybodys(contextID, q.key)
	}
	found := p.grades.columns[q.key]
	if found != nil && found.book != q.book {
		found = nil
	}
	if removed := q.wasRemoved(); removed != nil && q.Method == http.MethodGet && q.service == LineItem {
		removed.missed = true
	}
	if q.column = gradeTarget.Pass(p.carrier, targetedGrades{q, found}).found; q.column != nil {
		q.book = q.column.book
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

// wasRemoved returns the line item of that key which the tool has removed, and nil
// for none.
func (q *gradeRequest) wasRemoved() *column {
	if q.book == nil {
		return nil
	}
	i := slices.IndexFunc(q.book.removed, func(c *column) bool { return c.key == q.key })
	if i < 0 {
		return nil
	}
	return q.book.removed[i]
}

// jsonMediaType is that of any JSON.
const jsonMediaType = "application/json"

// improprieties are what a tool should have sent otherwise, though the platform
// takes it.
func (q *gradeRequest) improprieties() []string {
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

// stimulateGrades lets the fault of the context's latest launch change the answer.
func (p *Platform) stimulateGrades(q *gradeRequest, answer *gradeAnswer) {
	answer.Request, answer.platform, answer.service = q.Request, p, q.service
	if answer.header == nil {
		answer.header = http.Header{}
	}
	if q.book == nil || q.book.latest == nil {
		return
	}
	kind := turn{q.service, q.Method}
	q.book.served[kind]++
	answer.nth, answer.fresh = q.book.served[kind], q.book.granted[q.token]
	if f := q.book.latest.plan.Fault; f != nil && f.grade != nil {
		f.grade(answer)
	}
}

// noteGradeCall keeps a request in the record of its context.
func (p *Platform) noteGradeCall(q *gradeRequest, contextID string, answer gradeAnswer, authorized bool, problems []string) {
	call := GradeCall{
		Service: q.service, ContextID: contextID, Method: q.Method, Target: q.RequestURI,
		ContentType: q.Header.Get("Content-Type"), Accept: q.Header.Get("Accept"), Authorized: authorized, Token: q.token,
		Scopes: q.known.scopes, Body: q.body, Status: answer.status, Problems: problems, At: p.opts.Now(),
	}
	if c := p.grades.columns[q.key]; c != nil && c.book.contextID == contextID {
		call.LineItem = c.id
	}
	switch {
	case answer.reset:
		call.Status = 0
	case answer.why != nil:
		call.Status = answer.why.status
	}
	if len(p.grades.calls[contextID]) < maxServiceRecord {
		p.grades.calls[contextID] = append(p.grades.calls[contextID], call)
	}
	close(p.grades.called)
	p.grades.called = make(chan struct{})
}

// send sends the answer.
func (g gradeAnswer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), g.header)
	if g.body == nil {
		w.WriteHeader(g.status)
		return
	}
	part.Send(w, g.status, w.Header().Get("Content-Type"), g.body)
}

// refuseGrades answers with an error.
func (p *Platform) refuseGrades(w http.ResponseWriter, q *gradeRequest, why refusal) {
	var needed []string
	if q.does != nil {
		needed = q.does.scopes
	}
	if (why.status == http.StatusUnauthorized || why.code == lti.ErrorInsufficientScope) && challenged.Taken(p.carrier, q.guard()) {
		w.Header().Set("WWW-Authenticate", part.Challenge(why.code, strings.Join(needed, " ")))
	}
	var methods []string
	for _, o := range operations {
		if o.service == q.service {
			methods = append(methods, o.method)
		}
	}
	fail(w, why, methods...)
}
