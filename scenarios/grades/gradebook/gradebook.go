// Package gradebook is the gradebook of a platform as a tool uses it by Assignment and Grade
// Services 2.0, in scenarios that judge the platform: line items, scores and results. Importing
// it adds no specs.
package gradebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Scenario is one of a platform's gradebook.
type Scenario struct {
	*harness.PlatformScenario
	tidied map[string]bool // the addresses of scores, with or without a sub, that are taken away in the end
}

// In is what a scenario of a platform can do with its gradebook.
func In(scene *harness.PlatformScenario) *Scenario {
	s := harness.Kept[Scenario](scene)
	s.PlatformScenario = scene
	return s
}

// A platform is what a run has learned of a platform's gradebook.
type platform struct {
	asked        harness.Members      // in every line item, though they are optional; nil while that is not known
	wholeSeconds bool                 // it refuses scores whose times have fractions of seconds
	scored       map[string]time.Time // of the last score that was sent, by its address and user
	heedsNoTime  bool                 // a score that was refused for its time was refused later as well
}

// learned is what the run has learned of it.
func (s *Scenario) learned() *platform {
	p := harness.Kept[platform](s.Run())
	if p.scored == nil {
		p.scored = map[string]time.Time{}
	}
	return p
}

// A Book is what a launch offers of the grade services (Assignment and Grade
// Services 2.0, 3.1), as far as the claim can be read.
type Book struct {
	Launch *harness.PlatformFlow
	lti.AGSEndpoint
}

// Sub is that of the user who was launched.
func (b *Book) Sub() string {
	sub, _ := b.Launch.Message().Text("sub")
	return sub
}

// ResourceLink is the id of the link that was launched.
func (b *Book) ResourceLink() string {
	id, _ := b.Launch.Message().Object(lti.ClaimResourceLink)["id"].(string)
	return id
}

// A LineItem is one that the run may send scores for.
type LineItem struct {
	ID    string // a URL
	Label string
	// Maximum is its scoreMaximum; 0 where that cannot be known.
	Maximum float64
	// Made is what made it; nil where it was there before.
	Made *harness.PlatformFlow
	Book *Book
}

// Disposable says whether what the platform has made itself may be taken away: it is
// the run's own.
func (s *Scenario) Disposable() bool { return s.Run().Config().IsEmbedded() }

// MayWrite says why nothing may be written to the platform's gradebook.
func (s *Scenario) MayWrite() error {
	if c := s.Run().Config(); c.IsEmbedded() || c.Platform.AllowWrites {
		return nil
	}
	return harness.Withheld("the platform's gradebook may not be changed without platform.allow_writes")
}

// Gradebook makes a launch that has to work, and reads what it offers of the grade
// services. The error is [harness.ErrNoLaunch] where it offers none.
func (s *Scenario) Gradebook(ctx context.Context, l harness.PlatformLaunch) (*Book, error) {
	if err := s.Run().Lacks(GradeServices); err != nil {
		return &Book{}, err
	}
	flow, err := s.Control(ctx, l)
	if err != nil {
		return &Book{Launch: flow}, err
	}
	b := s.Offer(flow)
	if !s.OffersServices() {
		return b, fmt.Errorf("%w: it offers no grade services", harness.ErrNoLaunch)
	}
	if b.LineItems != "" && s.Run().MayLearn(lineItemService) {
		_, err := s.LineItems(ctx, b, "control: the line items before others", "")
		seen := errors.Is(err, harness.ErrNoLaunch) || errors.Is(err, harness.ErrUndeclared) || errors.Is(err, harness.ErrMissing)
		if err != nil && !seen { // what is wrong with them, scenarios see as well
			return b, err
		}
	}
	return b, nil
}

// Offer reads what a launch offers of the grade services.
func (s *Scenario) Offer(flow *harness.PlatformFlow) *Book {
	b := &Book{Launch: flow, AGSEndpoint: gradeClaim(flow.Message())}
	for _, address := range []string{b.LineItems, b.LineItem} {
		s.Offers(address)
	}
	return b
}

// gradeClaim reads the claim of the grade services, whatever is wrong with it.
func gradeClaim(m harness.Message) (e lti.AGSEndpoint) {
	claim := m.Object(lti.ClaimAGS)
	e.LineItems, _ = claim["lineitems"].(string)
	e.LineItem, _ = claim["lineitem"].(string)
	scopes, _ := claim["scope"].([]any)
	if text, ok := claim["scope"].(string); ok {
		e.Scope = strings.Fields(text)
	}
	for _, scope := range scopes {
		if text, ok := scope.(string); ok {
			e.Scope = append(e.Scope, text)
		}
	}
	return e
}

// partOf is the feature that a scope belongs to.
var partOf = map[string]string{
	lti.ScopeLineItem: config.LineItemManagement, lti.ScopeLineItemReadOnly: config.LineItemManagement,
	lti.ScopeResultReadOnly: config.Results, lti.ScopeScore: config.Grades,
}

// ScopeOf returns the first of some scopes, each of which will do, that a launch
// offers.
func (s *Scenario) ScopeOf(b *Book, wanted ...string) (string, error) {
	for _, scope := range wanted {
		if slices.Contains(b.Scope, scope) {
			return scope, nil
		}
	}
	why := harness.ErrUndeclared
	if s.Run().Has(partOf[wanted[0]]) {
		why = harness.ErrNoLaunch
	}
	return "", fmt.Errorf("%w: it does not offer the scope %s", why, wanted[0])
}

// A Call is a request of the fake tool's server to a grade service.
type Call struct {
	// Title says what the call is for, in the report.
	Title string
	faketool.ServiceRequest
	// Scopes are those of the access token; none is sent where there is none and the
	// request has none.
	Scopes []string
	// Fault is what differs from the request.
	Fault *faketool.Fault
	// Tool is the one that calls; the first when nil.
	Tool *faketool.Tool
}

// Call sends a request to a grade service, and keeps what came of it; the error is
// [harness.ErrNoLaunch] where no whole answer came. A line item that it makes goes away when
// the scenario ends, and so does a score in a line item that was there before.
func (s *Scenario) Call(ctx context.Context, b *Book, c Call) (*harness.PlatformFlow, error) {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if err := s.MayWrite(); err != nil && c.Method != http.MethodGet {
		return nil, err
	}
	if s.learned().wholeSeconds {
		c.Body = inWholeSeconds(c.Body)
	}
	ahead := isAhead(c.Body, s.Run().Now())
	flow, err := s.Ask(ctx, c.request())
	if whole := inWholeSeconds(c.Body); err == nil && c.Fault == nil && !ahead && flow.Exchange.Status == http.StatusBadRequest && !reflect.DeepEqual(whole, c.Body) {
		again := c
		again.Title, again.Body = c.Title+", in whole seconds", whole
		if taken, failed := s.Ask(ctx, again.request()); failed == nil && taken.Succeeded() {
			s.learned().wholeSeconds, flow = true, taken
		}
	}
	if flow != nil && c.Method == http.MethodPost {
		s.tidyLater(b, c, flow, errors.Is(err, harness.ErrMayBeDone) || endUnknown(flow))
	}
	return flow, err
}

// request is the call to the service that its address is of (Assignment and Grade Services
// 2.0, 3.2 to 3.4).
func (c Call) request() harness.ServiceRequest {
	q := harness.ServiceRequest{Title: c.Title, ServiceRequest: c.ServiceRequest, Scopes: c.Scopes, Fault: c.Fault, Tool: c.Tool}
	switch path := harness.WithoutQuery(c.URL); {
	case strings.HasSuffix(path, "/scores"):
		q.Service = scoreService
	case strings.HasSuffix(path, "/results"):
		q.Service = resultService
	default:
		q.Service = lineItemService
		if c.Method == http.MethodPost {
			q.Leaves = "The first request may have made a line item, which is left in the gradebook."
		}
	}
	return q
}

// WholeSeconds says whether the platform has refused scores for the fractions of seconds in
// their times, so that they are sent without since then.
func (s *Scenario) WholeSeconds() bool { return s.learned().wholeSeconds }

// fraction matches that of a second in a time of a score.
var fraction = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+`)

// isAhead says whether a score has a time that is still to come, for which it may be refused: cut
// to whole seconds it need not be.
func isAhead(body any, now time.Time) bool {
	score, _ := body.(harness.Members)
	text, _ := score["timestamp"].(string)
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && at.After(now)
}

// inWholeSeconds cuts the fractions of seconds that the times of a score have; other
// bodies stay as they are.
func inWholeSeconds(body any) any {
	score, ok := body.(harness.Members)
	if !ok || score["timestamp"] == nil {
		return body
	}
	cut := maps.Clone(score)
	for name, value := range score {
		switch value := value.(type) {
		case string:
			cut[name] = fraction.ReplaceAllString(value, "$1")
		case harness.Members: // submission
			inner := maps.Clone(value)
			for name, value := range value {
				if text, ok := value.(string); ok {
					inner[name] = fraction.ReplaceAllString(text, "$1")
				}
			}
			cut[name] = inner
		}
	}
	return cut
}

// tidyLater takes away, when the scenario ends, what a POST has made: a line item, or
// a score in a line item that is not the run's own. It may not be known whether it has.
func (s *Scenario) tidyLater(b *Book, c Call, made *harness.PlatformFlow, unknown bool) {
	var sent struct {
		Label  any
		UserID string
	}
	_ = json.Unmarshal([]byte(made.Exchange.RequestBody), &sent) // a body that is none says nothing
	switch ofItems := harness.WithoutQuery(c.URL) == harness.WithoutQuery(b.LineItems); {
	case ofItems && made.Succeeded():
		s.discardLater(b, c, made)
	case ofItems && unknown:
		s.Tell("left behind", fmt.Sprintf("It is not known whether the line item %s was made: it may be left in the gradebook.", lti.Wire(sent.Label)), made.ID)
	case !ofItems && strings.HasSuffix(harness.WithoutQuery(c.URL), "/scores") && sent.UserID != "" && (made.Succeeded() || unknown):
		s.clearLater(b, c, sent.UserID, made.ID)
	}
}

// endUnknown says whether a request may have had its effect though no answer of the
// service itself came.
func endUnknown(f *harness.PlatformFlow) bool {
	return slices.Contains([]int{0, http.StatusBadGateway, http.StatusGatewayTimeout}, f.Exchange.Status)
}

// discardLater takes away a line item that a request has made, when the scenario
// ends: as the tool that made it, which may be the only one that can.
func (s *Scenario) discardLater(b *Book, made Call, flow *harness.PlatformFlow) {
	remove := Call{
		Title: "the run takes away its line item", Tool: made.Tool, Scopes: []string{lti.ScopeLineItem},
		ServiceRequest: faketool.ServiceRequest{Method: http.MethodDelete, URL: ItemID(flow)},
	}
	if made.Tool != nil {
		remove.Token = made.Token
	}
	s.tidies(grades.Below(remove.URL, "scores"))
	s.AtEnd(func() {
		s.takeAway(b, remove, fmt.Sprintf("The line item %s could not be removed.", results.Bounded(remove.URL, 300)), flow.ID)
	})
}

// tidies notes what is taken away when the scenario ends.
func (s *Scenario) tidies(key string) {
	if s.tidied == nil {
		s.tidied = map[string]bool{}
	}
	s.tidied[key] = true
}

// clearLater takes away a user's score when the scenario ends, unless its line item
// goes away altogether: as the tool that sent it.
func (s *Scenario) clearLater(b *Book, sent Call, sub, flow string) {
	scores := sent.URL
	key := scores + " " + sub
	if s.tidied[scores] || s.tidied[key] {
		return
	}
	s.tidies(key)
	s.AtEnd(func() {
		none := newScore(sub, s.later(scores, sub)).With(harness.Members{"activityProgress": string(lti.Initialized), "gradingProgress": string(lti.NotReady)})
		clearing := Call{Title: "the run takes away its score", Tool: sent.Tool, Scopes: []string{lti.ScopeScore}, ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: scores, MediaType: lti.MediaTypeScore, Body: none,
		}}
		if sent.Tool != nil {
			clearing.Token = sent.Token
		}
		s.takeAway(b, clearing, fmt.Sprintf("A score could not be removed: %s.", results.Bounded(scores, 300)), flow)
	})
}

// takeAway makes a request that takes something away, and tells where it is left behind.
func (s *Scenario) takeAway(b *Book, c Call, left, made string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.Run().Patience())
	defer cancel()
	if flow, _ := s.Call(ctx, b, c); flow == nil || !flow.Succeeded() && flow.Exchange.Status != http.StatusNotFound {
		s.Tell("left behind", left, made)
	}
}

// ItemID is the URL of the line item that an answer has made: what it says, or where
// it leads.
func ItemID(f *harness.PlatformFlow) string {
	if id, _ := f.Said()["id"].(string); id != "" {
		return id
	}
	return f.Exchange.Header.Get("Location")
}

// MakeLineItem makes a line item with the members, beside a label of its own and the
// scoreMaximum 10 where they do not say otherwise. harness.Members that are nil are left out.
// The error is [harness.ErrNoLaunch] where none is made.
func (s *Scenario) MakeLineItem(ctx context.Context, b *Book, members harness.Members) (*LineItem, error) {
	if !s.Run().Has(config.LineItemManagement) {
		return nil, fmt.Errorf("%w: the feature %s", harness.ErrUndeclared, config.LineItemManagement)
	}
	flow, err := s.PostLineItem(ctx, b, "a line item of the run's own", members)
	if err == nil && !flow.Succeeded() {
		if asked := s.learned().asked; s.LearnAsked(ctx, b) == nil && !maps.Equal(asked, s.learned().asked) {
			flow, err = s.PostLineItem(ctx, b, "a line item of the run's own, with what the platform asks for", members)
		}
	}
	if err != nil {
		return nil, err
	}
	made := &LineItem{ID: ItemID(flow), Made: flow, Book: b}
	made.Label, _ = flow.Said()["label"].(string)
	made.Maximum, _ = flow.Said()["scoreMaximum"].(float64)
	if !flow.Succeeded() || made.ID == "" {
		return nil, fmt.Errorf("%w: no line item can be made: %s", harness.ErrNoLaunch, flow.Reply())
	}
	return made, nil
}

// PostLineItem asks for a line item; see [PlatformScenario.MakeLineItem].
func (s *Scenario) PostLineItem(ctx context.Context, b *Book, title string, members harness.Members) (*harness.PlatformFlow, error) {
	scope, err := s.ScopeOf(b, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	return s.postLineItem(ctx, b, title, scope, s.NewLineItem(members))
}

func (s *Scenario) postLineItem(ctx context.Context, b *Book, title, scope string, members harness.Members) (*harness.PlatformFlow, error) {
	return s.Call(ctx, b, Call{Title: title, Scopes: []string{scope}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: b.LineItems, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members,
	}})
}

// NewLineItem are the members of a line item of the run's own: a label and a scoreMaximum,
// and what the platform asks for besides, as far as that is known.
func (s *Scenario) NewLineItem(members harness.Members) harness.Members {
	return Least().With(s.learned().asked).With(members)
}

// Least are the members that a line item of the run's own has to have (Assignment and
// Grade Services 2.0, 3.2.3).
func Least() harness.Members {
	return harness.Members{"label": "Invigilator " + lti.RandomString()[:10], "scoreMaximum": 10}
}

// mayBeAsked are members without which a platform may refuse a line item, though they
// are optional: none, each alone, and both.
var mayBeAsked = []harness.Members{{}, {"resourceId": "invigilator"}, {"tag": "invigilator"}, {"resourceId": "invigilator", "tag": "invigilator"}}

// LearnAsked finds out, once in a run, which members the platform asks for in every line
// item. That it does is judged by the requirement about new line items; the others are
// judged with what works.
func (s *Scenario) LearnAsked(ctx context.Context, b *Book) error {
	if s.learned().asked != nil {
		return nil
	}
	for _, members := range mayBeAsked {
		scope, err := s.ScopeOf(b, lti.ScopeLineItem)
		if err != nil {
			return err
		}
		flow, err := s.postLineItem(ctx, b, "does a line item have to have more than a label and a maximum?", scope, Least().With(members))
		if err != nil {
			return err
		}
		if flow.Succeeded() {
			s.learned().asked = members
			return nil
		}
	}
	s.learned().asked = harness.Members{} // nothing helps
	return nil
}

// GradedItem is a line item to send scores for: one of the run's own, or the one of
// the launch where the platform takes none from tools.
func (s *Scenario) GradedItem(ctx context.Context, b *Book, members harness.Members) (*LineItem, error) {
	if err := s.MayWrite(); err != nil {
		return nil, err
	}
	if s.Run().Has(config.LineItemManagement) {
		return s.MakeLineItem(ctx, b, members)
	}
	return s.LaunchedItem(ctx, b)
}

// LaunchedItem is the line item that a launch names.
func (s *Scenario) LaunchedItem(ctx context.Context, b *Book) (*LineItem, error) {
	if err := s.MayWrite(); b.LineItem == "" && err != nil {
		return nil, fmt.Errorf("%w, and the launch names no lineitem", err)
	}
	if b.LineItem == "" {
		return nil, fmt.Errorf("%w: it names no lineitem, and without the feature %s the run cannot make one", harness.ErrNoLaunch, config.LineItemManagement)
	}
	item := &LineItem{ID: b.LineItem, Book: b}
	item.Label, _ = b.Launch.Message().Object(lti.ClaimResourceLink)["title"].(string)
	flow, err := s.ReadLineItem(ctx, item, "the line item that the launch names")
	switch {
	case errors.Is(err, harness.ErrUndeclared): // it cannot be read
		return item, nil
	case err != nil:
		return nil, err
	}
	if label, _ := flow.Said()["label"].(string); label != "" {
		item.Label = label
	}
	item.Maximum, _ = flow.Said()["scoreMaximum"].(float64)
	return item, nil
}

// ReadLineItem gets a line item.
func (s *Scenario) ReadLineItem(ctx context.Context, item *LineItem, title string) (*harness.PlatformFlow, error) {
	scope, err := s.ScopeOf(item.Book, lti.ScopeLineItemReadOnly, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	return s.Call(ctx, item.Book, Call{Title: title, Scopes: []string{scope}, ServiceRequest: faketool.ServiceRequest{URL: item.ID, Accept: lti.MediaTypeLineItem}})
}

// ChangeLineItem puts other members in the place of those of a line item.
func (s *Scenario) ChangeLineItem(ctx context.Context, item *LineItem, title string, members harness.Members) (*harness.PlatformFlow, error) {
	return s.Call(ctx, item.Book, Call{Title: title, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members.With(nil),
	}})
}

// A Listing is what a service lists, all of its pages together.
type Listing struct {
	Elements []harness.Members
	Flows    []*harness.PlatformFlow // of the pages
	Scopes   []string                // of the access token
	// Wrong says why it is not whole; empty where it is.
	Wrong string
}

// errNotWhole says that a list cannot be read to its end.
var errNotWhole = fmt.Errorf("%w: the list cannot be read", harness.ErrNoLaunch)

// errManyPages says that a list has more pages than are read.
var errManyPages = fmt.Errorf("%w: the list has more pages than the %d that are read", harness.ErrNoLaunch, maxListed)

// AsIs is a list that the caller judges itself: what is wrong with it is no error.
func AsIs(l *Listing, err error) (*Listing, error) {
	if errors.Is(err, errNotWhole) {
		return l, nil
	}
	return l, err
}

// maxListed bounds how many pages of a list are read.
const maxListed = 60

// List reads a list with all of its pages. Where something is wrong with it, the error
// is [harness.ErrNoLaunch]; [AsIs] makes it none.
func (s *Scenario) List(ctx context.Context, b *Book, title, address, accept, scope string) (*Listing, error) {
	l := &Listing{Scopes: []string{scope}}
	if err := s.readPages(ctx, b, l, title, address, accept); err != nil {
		return l, err
	}
	if l.Wrong != "" {
		return l, fmt.Errorf("%w: %s", errNotWhole, l.Wrong)
	}
	return l, nil
}

// readPages reads the pages of a list, as far as nothing is wrong with them.
func (s *Scenario) readPages(ctx context.Context, b *Book, l *Listing, title, address, accept string) error {
	seen := map[string]bool{}
	for next := address; next != ""; {
		switch {
		case seen[next]:
			l.Wrong = "the link to the next page leads to an earlier page"
			return nil
		case len(seen) >= maxListed && l.distinct() < maxListed:
			l.Wrong = fmt.Sprintf("it has more than %d pages, of %d elements", maxListed, l.distinct())
			return nil
		case len(seen) >= maxListed:
			return errManyPages
		case len(seen) > 0 && !s.IsOffered(next):
			l.Wrong = "the link to the next page leads elsewhere: " + results.Bounded(next, 300)
			return nil
		}
		seen[next] = true
		flow, err := s.Call(ctx, b, Call{Title: title, Scopes: l.Scopes, ServiceRequest: faketool.ServiceRequest{URL: next, Accept: accept}})
		if err != nil {
			return err
		}
		l.Flows = append(l.Flows, flow)
		page, isPage := listed(flow)
		if !isPage {
			l.Wrong = "no array of objects came: " + flow.Reply()
			return nil
		}
		l.Elements = append(l.Elements, page...)
		next, _ = faketool.NextPage(flow.Exchange.Header, next)
	}
	return nil
}

// distinct is how many elements have ids of their own.
func (l *Listing) distinct() int {
	ids := map[string]bool{}
	for _, element := range l.Elements {
		ids[fmt.Sprint(element["id"])] = true
	}
	return len(ids)
}

// listed are the elements of an answer that has to be an array of objects, and false
// where it is none.
func listed(f *harness.PlatformFlow) ([]harness.Members, bool) {
	var page []harness.Members
	err := json.Unmarshal(f.Exchange.Body, &page)
	return page, err == nil && page != nil && f.Exchange.Status == http.StatusOK
}

// LineItems lists those of a gradebook, with a query such as tag=x.
func (s *Scenario) LineItems(ctx context.Context, b *Book, title, query string) (*Listing, error) {
	scope, err := s.ScopeOf(b, lti.ScopeLineItemReadOnly, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	if b.LineItems == "" {
		return nil, fmt.Errorf("%w: it names no lineitems", harness.ErrNoLaunch)
	}
	return s.List(ctx, b, title, harness.WithQuery(b.LineItems, query), lti.MediaTypeLineItemContainer, scope)
}

// Results lists those of a line item, with a query such as limit=1.
func (s *Scenario) Results(ctx context.Context, item *LineItem, title, query string) (*Listing, error) {
	if !s.Run().Has(config.Results) {
		return nil, fmt.Errorf("%w: the feature %s", harness.ErrUndeclared, config.Results)
	}
	scope, err := s.ScopeOf(item.Book, lti.ScopeResultReadOnly)
	if err != nil {
		return nil, err
	}
	return s.List(ctx, item.Book, title, harness.WithQuery(grades.Below(item.ID, "results"), query), lti.MediaTypeResultContainer, scope)
}

// A Result is what a line item's results say of a user.
type Result struct {
	harness.Members        // nil where there is none
	Wrong           string // why the results could not be read
	Flow            *harness.PlatformFlow
}

// Fraction is the score as a part of the maximum, which is 1 where none is named
// (Assignment and Grade Services 2.0, 3.3.5), and false where there is no score.
func (r Result) Fraction() (float64, bool) {
	score, ok := r.Members["resultScore"].(float64)
	maximum, named := r.Members["resultMaximum"].(float64)
	if !named {
		maximum = 1
	}
	return score / maximum, ok && maximum > 0
}

// String says in words what the result is.
func (r Result) String() string {
	switch score, ok := r.Members["resultScore"]; {
	case r.Wrong != "":
		return "the results cannot be read: " + r.Wrong
	case r.Members == nil:
		return "there is no result"
	case !ok || score == nil:
		return "there is a result without a score"
	default:
		maximum, named := r.Members["resultMaximum"]
		if !named {
			maximum = "1, which is not said"
		}
		return fmt.Sprintf("the result is %s of %s", lti.Wire(score), lti.Wire(maximum))
	}
}

// ResultOf reads a user's result at a line item. A platform may take its time with
// scores: a real one is asked again until the result is what is awaited, or as
// long as for a sign on a page.
func (s *Scenario) ResultOf(ctx context.Context, item *LineItem, sub string, awaited func(Result) bool) (Result, error) {
	until := time.Now().Add(s.Run().PageWait(s.Run().Config().Timeout.PageSign.Std()))
	for {
		list, err := AsIs(s.Results(ctx, item, "the results", ""))
		if err != nil {
			return Result{}, err
		}
		r := Result{Wrong: list.Wrong, Flow: list.Flows[len(list.Flows)-1]}
		for _, element := range list.Elements {
			if element["userId"] == sub {
				r.Members = element
			}
		}
		if awaited(r) || !time.Now().Before(until) {
			return r, nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return r, context.Cause(ctx)
		}
	}
}

// askAgain is how long to wait before results are asked for again.
const askAgain = 250 * time.Millisecond

// Later returns the time of a user's next score at a line item: now, and a second or
// more after the one before, since a platform may keep whole seconds alone. The first
// is never ahead of the clock; further ones may be, where many come at once.
func (s *Scenario) Later(item *LineItem, sub string) time.Time {
	return s.later(grades.Below(item.ID, "scores"), sub)
}

func (s *Scenario) later(scores, sub string) time.Time {
	key, at := scores+" "+sub, s.Run().Now().UTC().Truncate(time.Millisecond)
	if next := s.learned().scored[key].Add(time.Second); at.Before(next) {
		at = next
	}
	s.learned().scored[key] = at
	return at
}

// Timestamp writes a time as scores have it (Assignment and Grade Services 2.0, 3.4).
func Timestamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") }

// NewScore are the members of a score of a user at a line item: later than all before,
// and the final one of a completed activity where they do not say otherwise. It has no
// points where they do not say how many.
func (s *Scenario) NewScore(item *LineItem, sub string, members harness.Members) harness.Members {
	if members["timestamp"] != nil {
		return newScore(sub, time.Time{}).With(members)
	}
	return newScore(sub, s.Later(item, sub)).With(members)
}

func newScore(sub string, at time.Time) harness.Members {
	return harness.Members{"userId": sub, "timestamp": Timestamp(at), "activityProgress": string(lti.Completed), "gradingProgress": string(lti.FullyGraded)}
}

// PostScore sends a score when its time has come, and keeps what came of it: a stimulus
// is wrong in one thing alone, and so not ahead of the clock.
func (s *Scenario) PostScore(ctx context.Context, item *LineItem, title string, score harness.Members, fault *faketool.Fault) (*harness.PlatformFlow, error) {
	text, _ := score["timestamp"].(string)
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.After(s.Run().Now()) {
		if err := s.Run().Wait(ctx, at.Sub(s.Run().Now())); err != nil {
			return nil, err
		}
	}
	return s.postScore(ctx, item, title, score, fault)
}

func (s *Scenario) postScore(ctx context.Context, item *LineItem, title string, score harness.Members, fault *faketool.Fault) (*harness.PlatformFlow, error) {
	scope, err := s.ScopeOf(item.Book, lti.ScopeScore)
	if err != nil {
		return nil, err
	}
	return s.Call(ctx, item.Book, Call{Title: title, Scopes: []string{scope}, Fault: fault, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: grades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore, Body: score,
	}})
}

// Score sends a score that a platform has to take, apart from what a fault changes. One
// that is refused may have come too early for the platform: its clock may be slow, or
// somebody may have scored the same work. It is sent again when the clock is past its
// time, and once more a little later; what is returned is how the last was answered.
func (s *Scenario) Score(ctx context.Context, item *LineItem, title, sub string, members harness.Members, fault *faketool.Fault) (*harness.PlatformFlow, error) {
	for _, pause := range s.patienceForScores() {
		at := s.Later(item, sub)
		flow, err := s.postScore(ctx, item, title, newScore(sub, at).With(members), fault)
		if err != nil && !errors.Is(err, harness.ErrMayBeDone) || !tooEarly(flow, at.After(s.Run().Now())) { // one that counts already comes too early as well
			return flow, err
		}
		if err := s.Run().Wait(ctx, max(0, at.Sub(s.Run().Now()))+pause); err != nil {
			return flow, err
		}
		title += ", later"
	}
	flow, err := s.PostScore(ctx, item, title, s.NewScore(item, sub, members), fault)
	if err == nil && tooEarly(flow, false) {
		s.learned().heedsNoTime = true
	}
	return flow, err
}

// patienceForScores is how long to wait before a score that was refused is sent again,
// each time. Where that has not helped before, it does not help.
func (s *Scenario) patienceForScores() []time.Duration {
	if s.learned().heedsNoTime {
		return nil
	}
	return []time.Duration{time.Second, 4 * time.Second}
}

// tooEarly says whether a score may have been refused for its time: the specification
// names no status but 409 for that, and one that is ahead of the clock may be taken for
// a mistake.
func tooEarly(f *harness.PlatformFlow, ahead bool) bool {
	status := f.Exchange.Status
	return status == http.StatusConflict || ahead && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity)
}

// Graded sends a score of so many points that a platform has to take. The error is
// [harness.ErrNoLaunch] where it does not.
func (s *Scenario) Graded(ctx context.Context, item *LineItem, sub string, members harness.Members) (*harness.PlatformFlow, error) {
	flow, err := s.Score(ctx, item, "a valid score", sub, members, nil)
	if err == nil && !flow.Succeeded() {
		err = fmt.Errorf("%w: a valid score is refused: %s", harness.ErrNoLaunch, flow.Reply())
	}
	return flow, err
}

// Outsider is a user who launches a link in another course and none in the ordinary
// one, and false where there is none.
func (s *Scenario) Outsider() (string, bool) {
	for _, name := range s.Run().Users() {
		there := s.Run().Launches(name, config.OtherCourse)
		if here := s.Run().Launches(name, config.ResourceLink); there && !here {
			return name, true
		}
	}
	return "", false
}
