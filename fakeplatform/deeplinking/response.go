package deeplinking

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

func (c *Content) mount(mux *http.ServeMux) {
	mux.HandleFunc("/launch/{id}/content", c.core.WithLaunch(func(w http.ResponseWriter, r *http.Request, l part.Launch) {
		own, is := l.Kept().(*Launch)
		if !is {
			c.core.Unplanned(r, "this launch asks for no content")
			c.core.Refuse(w, http.StatusNotFound, "This launch asks for no content.")
			return
		}
		c.serveResponse(w, r, own)
	}))
}

// carrier carries the faults of the platform.
func (c *Content) carrier() *fault.Carrier { return c.core.Carrier(part.Place{}) }

// response is a request to a return URL while it is being judged.
type response struct {
	toolmessage.Message
	content *Content
	launch  *Launch
}

// OfUser says whether the browser is that of the user who was launched.
func (q *response) OfUser() bool { return q.launch.OfBrowser(q.Request) }

// Deployment is what the launch said of the deployment.
func (q *response) Deployment() string { return q.launch.statement().deployment }

// UsedNonce says whether the tool has used the nonce.
func (q *response) UsedNonce() bool {
	q.content.mu.Lock()
	defer q.content.mu.Unlock()
	return q.usedNonce()
}

// usedNonce is called with the content locked.
func (q *response) usedNonce() bool {
	return q.Nonce() != "" && q.content.nonces.Used(q.launch.Plan().ClientID, q.Nonce())
}

// items are those that were sent, as they came; none where content_items is no list.
func (q *response) items() []any {
	items, _ := q.Token.Claims[lti.ClaimContentItems].([]any)
	return items
}

// What is checked of LtiDeepLinkingResponse, in the order in which it is told: how it was sent
// and what it says as every message does, and what it says of the choice, where it can be read.
var (
	rules        = toolmessage.RulesOf[*response](lti.DeepLinkingResponse)
	sentRules    = &fault.List[*response]{Name: "how LtiDeepLinkingResponse was sent", Rules: rules.Sent()}
	messageRules = &fault.List[*response]{Name: "LtiDeepLinkingResponse as a message", Rules: rules.Said()}
	choiceRules  = &fault.List[*response]{Name: "the choice in LtiDeepLinkingResponse", Rules: []*fault.Rule[*response]{
		dataOfRequest, requestUnanswered, itemsListed, itemsFew,
	}}
)

var (
	// Data come back as they were sent (Deep Linking 2.0, 4.5.5).
	dataOfRequest = &fault.Rule[*response]{Name: "data are those of the request", Broken: func(q *response) error {
		if sent := q.launch.statement().data; sent != "" && jwt.Member(q.Token.Claims, lti.ClaimDeepLinkingData) != sent {
			return part.InvalidRequest("data are not those of the request")
		}
		return nil
	}}
	// It answers a request that is open, once.
	requestUnanswered = &fault.Rule[*response]{Name: "the request has not been answered", Broken: func(q *response) error {
		q.content.mu.Lock()
		defer q.content.mu.Unlock()
		return unansweredMeanwhile.Broken(q)
	}}
	// unansweredMeanwhile is checked with the content locked, when the items are about to be kept.
	unansweredMeanwhile = &fault.Rule[*response]{Name: "the request is not answered meanwhile", Broken: func(q *response) error {
		if q.launch.answered {
			return part.InvalidRequest("the request has been answered already")
		}
		return nil
	}}
	itemsListed = &fault.Rule[*response]{Name: "content_items is a list", Broken: func(q *response) error {
		value, sent := q.Token.Claims[lti.ClaimContentItems]
		if _, isList := value.([]any); sent && !isList {
			return part.InvalidRequest("content_items is no list")
		}
		return nil
	}}
	// One at most, unless several were asked for (Deep Linking 2.0, 4.4.1). Items of another
	// vocabulary do not count.
	itemsFew = &fault.Rule[*response]{Name: "there is one item at most where one was asked for", Broken: func(q *response) error {
		known := 0
		for _, item := range q.items() {
			if q.offered(item).known() {
				known++
			}
		}
		if known > 1 && !q.launch.statement().multiple {
			return part.InvalidRequest("there are %d items where one at most was asked for", known)
		}
		return nil
	}}
)

// offered is an item of the response.
func (q *response) offered(item any) offered {
	members, _ := item.(map[string]any)
	return offered{q, members}
}

// serveResponse keeps what was chosen (Deep Linking 2.0, 4.5). What it refuses changes nothing.
func (c *Content) serveResponse(w http.ResponseWriter, r *http.Request, l *Launch) {
	q := &response{Message: toolmessage.Read(w, r, c.core, l), content: c, launch: l}
	wrong := part.RefusalsOf(sentRules.All(c.carrier(), q)...)
	var taken []Item
	if q.Token.Claims != nil {
		wrong = append(wrong, part.RefusalsOf(messageRules.All(c.carrier(), q)...)...)
	}
	ofMessage := wrong.Said()
	if q.Token.Claims != nil {
		wrong = append(wrong, part.RefusalsOf(choiceRules.All(c.carrier(), q)...)...)
		for _, item := range q.items() {
			o := q.offered(item)
			wrong = append(wrong, part.RefusalsOf(itemRules.All(c.carrier(), o)...)...)
			if len(wrong) == 0 && o.known() {
				taken = append(taken, o.item())
			}
		}
	}
	if len(wrong) == 0 {
		wrong = c.keep(q, taken)
	}
	if len(wrong) > 0 {
		taken = nil
	}
	l.mu.Lock()
	if len(l.record.Responses) < maxRecord {
		l.record.Responses = append(l.record.Responses, Response{
			Method: r.Method, ContentType: r.Header.Get("Content-Type"), Target: r.RequestURI, JWT: q.Token.Compact,
			Problems: wrong.Said(), MessageProblems: ofMessage, Claims: q.Token.Claims, Taken: taken, OK: len(wrong) == 0, At: c.core.Now(),
		})
	}
	l.mu.Unlock()
	answer := answered.Pass(c.carrier(), answer{response: q, wrong: wrong, page: q.page(taken)})
	switch {
	case answer.instead != nil:
		answer.instead(w, r)
	case len(wrong) > 0:
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
		}
		c.core.Refuse(w, wrong[0].Status, wrong[0].Says)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_ = pageOfChoice.Execute(w, answer.page) // the browser has gone if this fails
	}
}

// keep keeps items, once for each request, and notes that the response was used.
func (c *Content) keep(q *response, items []Item) part.Refusals {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := unansweredMeanwhile.Check(c.carrier(), q); err != nil {
		return part.RefusalsOf(err)
	}
	q.launch.answered = true
	for _, i := range items {
		if i.LineItem != nil { // tied to the link (Deep Linking 2.0, 3.2); a gradebook that is full takes none
			_, _ = grades.On(c.core).AddLineItem(i.ClientID, i.Context, lti.LineItem{
				Label: i.LineItem.Label, ScoreMaximum: i.LineItem.ScoreMaximum, ResourceID: i.LineItem.ResourceID, Tag: i.LineItem.Tag, ResourceLinkID: i.ID,
			})
		}
	}
	now := c.core.Now()
	c.nonces.Add(q.launch.Plan().ClientID, q.Nonce(), now, now.Add(jwt.Oldest+2*jwt.Leeway))
	c.items = append(c.items, items...)
	c.items = slices.Delete(c.items, 0, max(0, len(c.items)-maxItems))
	return nil
}

// answer is what a browser is answered that has brought a response.
type answer struct {
	*response
	wrong   part.Refusals
	page    page
	instead http.HandlerFunc // for faults
}

var answered = &fault.Seam[answer]{Name: "the answer to LtiDeepLinkingResponse", Clone: func(a answer) answer {
	a.page.Items = slices.Clone(a.page.Items)
	return a
}}

// page is what shows that items were kept.
type page struct {
	Message, ErrorMessage any // of the tool
	Items                 []shownItem
	ReturnTo              string
}

// A shownItem is an item as a page shows it: what the tool says is text, and a frame without an
// origin shows what it sends as HTML.
type shownItem struct {
	Type       string
	Title      any
	URL, Frame any
}

//go:embed choice.html.tmpl
var choiceTemplate string

var pageOfChoice = template.Must(template.New("choice").Parse(choiceTemplate))

func (q *response) page(taken []Item) page {
	text := func(claim string) any {
		if said := q.Token.Text(claim); said != "" {
			return bounded(said, maxText)
		}
		return nil
	}
	shown := page{Message: text(lti.ClaimDeepLinkingMessage), ErrorMessage: text(lti.ClaimDeepLinkingErrorMessage), ReturnTo: q.launch.Plan().ReturnTo}
	for _, i := range taken {
		s := shownItem{Type: i.Type, Title: i.Title}
		if i.Title == "" {
			s.Title = i.Type
		}
		if i.URL != "" && i.Type != lti.ItemResourceLink {
			s.URL = i.URL
		}
		if i.HTML != "" {
			s.Frame = i.HTML
		}
		shown.Items = append(shown.Items, s)
	}
	return shown
}
