package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Gradebook is what a launch offers of the grade services (Assignment and Grade
// Services 2.0, 3.1), as far as the claim can be read.
type Gradebook struct {
	Launch *PlatformFlow
	lti.AGSEndpoint
}

// Sub is that of the user who was launched.
func (b *Gradebook) Sub() string {
	sub, _ := b.Launch.Message().Text("sub")
	return sub
}

// ResourceLink is the id of the link that was launched.
func (b *Gradebook) ResourceLink() string {
	id, _ := b.Launch.Message().Object(lti.ClaimResourceLink)["id"].(string)
	return id
}

// Members are those of a line item, of a score or of a result, as JSON has them.
type Members map[string]any

// With returns the members with others instead of some of them; those that are nil
// are left out.
func (m Members) With(others Members) Members {
	all := maps.Clone(m)
	maps.Copy(all, others)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// A LineItem is one that the run may send scores for.
type LineItem struct {
	ID    string // a URL
	Label string
	// Maximum is its scoreMaximum; 0 where that cannot be known.
	Maximum float64
	// Made is what made it; nil where it was there before.
	Made *PlatformFlow
	Book *Gradebook
}

// errReadOnly says that nothing may be written to the platform.
var errReadOnly = errors.New("the platform's gradebook may not be changed without platform.allow_writes")

// Disposable says whether what the platform has made itself may be taken away: it is
// the run's own.
func (r *PlatformRun) Disposable() bool { return r.config.IsEmbedded() }

// mayWrite says why nothing may be written to the platform's gradebook.
func (s *PlatformScenario) mayWrite() error {
	if s.run.config.IsEmbedded() || s.run.config.Platform.AllowWrites {
		return nil
	}
	return errReadOnly
}

// Gradebook makes a launch that has to work, and reads what it offers of the grade
// services. The error is [ErrNoLaunch] where it offers none.
func (s *PlatformScenario) Gradebook(ctx context.Context, l PlatformLaunch) (*Gradebook, error) {
	if err := s.run.lacks(gradeServices); err != nil {
		return &Gradebook{}, err
	}
	flow, err := s.Control(ctx, l)
	if err != nil {
		return &Gradebook{Launch: flow}, err
	}
	b := s.Offer(flow)
	if len(s.offered) == 0 {
		return b, fmt.Errorf("%w: it offers no grade services", ErrNoLaunch)
	}
	if b.LineItems != "" && s.run.mayLearn(partLineItems) {
		_, err := s.LineItems(ctx, b, "control: the line items before others", "")
		if err != nil && !isAny(err, ErrNoLaunch, errUndeclared, errMissing) { // what is wrong with them, scenarios see as well
			return b, err
		}
	}
	return b, nil
}

// Offer reads what a launch offers of the grade services.
func (s *PlatformScenario) Offer(flow *PlatformFlow) *Gradebook {
	b := &Gradebook{Launch: flow, AGSEndpoint: gradeClaim(flow.Message())}
	for _, address := range []string{b.LineItems, b.LineItem} {
		s.Offers(address)
	}
	return b
}

// gradeClaim reads the claim of the grade services, whatever is wrong with it.
func gradeClaim(m Message) (e lti.AGSEndpoint) {
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

// isOffered says whether an address is at the site of the grade services that a launch
// has offered.
func (s *PlatformScenario) isOffered(address string) bool {
	u, err := url.Parse(address)
	return err == nil && slices.Contains(s.offered, siteOf(u))
}

func siteOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// partOf is the feature that a scope belongs to.
var partOf = map[string]string{
	lti.ScopeLineItem: config.LineItemManagement, lti.ScopeLineItemReadOnly: config.LineItemManagement,
	lti.ScopeResultReadOnly: config.Results, lti.ScopeScore: config.Grades,
}

// ScopeOf returns the first of some scopes, each of which will do, that a launch
// offers.
func (s *PlatformScenario) ScopeOf(b *Gradebook, wanted ...string) (string, error) {
	for _, scope := range wanted {
		if slices.Contains(b.Scope, scope) {
			return scope, nil
		}
	}
	why := errUndeclared
	if s.run.Has(partOf[wanted[0]]) {
		why = ErrNoLaunch
	}
	return "", fmt.Errorf("%w: it does not offer the scope %s", why, wanted[0])
}

// A GradeCall is a request of the fake tool's server to a grade service.
type GradeCall struct {
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
// [ErrNoLaunch] where no whole answer came. A line item that it makes goes away when
// the scenario ends, and so does a score in a line item that was there before.
func (s *PlatformScenario) Call(ctx context.Context, b *Gradebook, c GradeCall) (*PlatformFlow, error) {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if err := s.mayWrite(); err != nil && c.Method != http.MethodGet {
		return nil, err
	}
	if !s.isOffered(c.URL) {
		return nil, fmt.Errorf("%w: %q is not at the site of the services that a launch offers", faketool.ErrUnusable, results.Bounded(c.URL, 300))
	}
	if c.Token == "" && len(c.Scopes) > 0 {
		var err error
		if c.Token, err = s.access(ctx, c.Scopes...); err != nil {
			return nil, err
		}
	}
	if s.run.wholeSeconds {
		c.Body = inWholeSeconds(c.Body)
	}
	ahead := isAhead(c.Body, s.run.now())
	flow, err := s.send(ctx, c)
	if errors.Is(err, errMayBeDone) && c.Method == http.MethodPost {
		s.tidyLater(b, c, flow, true)
	}
	if err != nil {
		return flow, err
	}
	if whole := inWholeSeconds(c.Body); c.Fault == nil && !ahead && flow.Exchange.Status == http.StatusBadRequest && !reflect.DeepEqual(whole, c.Body) {
		again := c
		again.Title, again.Body = c.Title+", in whole seconds", whole
		if taken, err := s.send(ctx, again); err == nil && taken.Succeeded() {
			s.run.wholeSeconds, flow = true, taken
		}
	}
	if flow.Exchange.Method == http.MethodPost {
		s.tidyLater(b, c, flow, flow.endUnknown())
	}
	return flow, unanswered(flow.Exchange)
}

// send sends a request to a grade service as it stands.
func (s *PlatformScenario) send(ctx context.Context, c GradeCall) (*PlatformFlow, error) {
	tool := c.Tool
	if tool == nil {
		tool = s.run.tool
	}
	return s.exchange(ctx, partOfGrades(c.URL), c.Title, c.Fault, func(ctx context.Context) (*faketool.Exchange, error) {
		return tool.Ask(ctx, c.ServiceRequest, faketool.ServiceProbe{Fault: c.Fault})
	})
}

// WholeSeconds says whether the platform has refused scores for the fractions of seconds in
// their times, so that they are sent without since then.
func (r *PlatformRun) WholeSeconds() bool { return r.wholeSeconds }

// fraction matches that of a second in a time of a score.
var fraction = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+`)

// isAhead says whether a score has a time that is still to come, for which it may be refused: cut
// to whole seconds it need not be.
func isAhead(body any, now time.Time) bool {
	score, _ := body.(Members)
	text, _ := score["timestamp"].(string)
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && at.After(now)
}

// inWholeSeconds cuts the fractions of seconds that the times of a score have; other
// bodies stay as they are.
func inWholeSeconds(body any) any {
	score, ok := body.(Members)
	if !ok || score["timestamp"] == nil {
		return body
	}
	cut := maps.Clone(score)
	for name, value := range score {
		switch value := value.(type) {
		case string:
			cut[name] = fraction.ReplaceAllString(value, "$1")
		case Members: // submission
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

// unanswered is an [ErrNoLaunch] where a request got no answer that says anything of
// the service: none, or the beginning of one.
func unanswered(e *faketool.Exchange) error {
	switch {
	case e.Status == 0, e.Status/100 == 2 && e.Err != nil:
		return fmt.Errorf("%w: no complete answer came from the service: %w", ErrNoLaunch, e.Err)
	}
	return nil
}

// Succeeded says whether a request of the fake tool's server was answered with a
// status of success.
func (f *PlatformFlow) Succeeded() bool { return f.Exchange.Status/100 == 2 }

// Said returns the members of the answer to a request of the fake tool's server;
// none where it is no object.
func (f *PlatformFlow) Said() Members {
	var m Members
	_ = json.Unmarshal(f.Exchange.Body, &m)
	return m
}

// tidyLater takes away, when the scenario ends, what a POST has made: a line item, or
// a score in a line item that is not the run's own. It may not be known whether it has.
func (s *PlatformScenario) tidyLater(b *Gradebook, c GradeCall, made *PlatformFlow, unknown bool) {
	var sent struct {
		Label  any
		UserID string
	}
	_ = json.Unmarshal([]byte(made.Exchange.RequestBody), &sent) // a body that is none says nothing
	switch ofItems := withoutQuery(c.URL) == withoutQuery(b.LineItems); {
	case ofItems && made.Succeeded():
		s.discardLater(b, c, made)
	case ofItems && unknown:
		s.find("left behind", fmt.Sprintf("It is not known whether the line item %s was made: it may be left in the gradebook.", lti.Wire(sent.Label)), made.ID)
	case !ofItems && strings.HasSuffix(withoutQuery(c.URL), "/scores") && sent.UserID != "" && (made.Succeeded() || unknown):
		s.clearLater(b, c, sent.UserID, made.ID)
	}
}

// endUnknown says whether a request may have had its effect though no answer of the
// service itself came.
func (f *PlatformFlow) endUnknown() bool {
	return slices.Contains([]int{0, http.StatusBadGateway, http.StatusGatewayTimeout}, f.Exchange.Status)
}

// discardLater takes away a line item that a request has made, when the scenario
// ends: as the tool that made it, which may be the only one that can.
func (s *PlatformScenario) discardLater(b *Gradebook, made GradeCall, flow *PlatformFlow) {
	remove := GradeCall{
		Title: "the run takes away its line item", Tool: made.Tool, Scopes: []string{lti.ScopeLineItem},
		ServiceRequest: faketool.ServiceRequest{Method: http.MethodDelete, URL: flow.ItemID()},
	}
	if made.Tool != nil {
		remove.Token = made.Token
	}
	s.tidied[grades.Below(remove.URL, "scores")] = true
	s.closers = append(s.closers, func() {
		s.takeAway(b, remove, fmt.Sprintf("The line item %s could not be removed.", results.Bounded(remove.URL, 300)), flow.ID)
	})
}

// clearLater takes away a user's score when the scenario ends, unless its line item
// goes away altogether: as the tool that sent it.
func (s *PlatformScenario) clearLater(b *Gradebook, sent GradeCall, sub, flow string) {
	scores := sent.URL
	key := scores + " " + sub
	if s.tidied[scores] || s.tidied[key] {
		return
	}
	s.tidied[key] = true
	s.closers = append(s.closers, func() {
		none := newScore(sub, s.run.later(scores, sub)).With(Members{"activityProgress": string(lti.Initialized), "gradingProgress": string(lti.NotReady)})
		clearing := GradeCall{Title: "the run takes away its score", Tool: sent.Tool, Scopes: []string{lti.ScopeScore}, ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: scores, MediaType: lti.MediaTypeScore, Body: none,
		}}
		if sent.Tool != nil {
			clearing.Token = sent.Token
		}
		s.takeAway(b, clearing, fmt.Sprintf("A score could not be removed: %s.", results.Bounded(scores, 300)), flow)
	})
}

// takeAway makes a request that takes something away, and tells where it is left behind.
func (s *PlatformScenario) takeAway(b *Gradebook, c GradeCall, left, made string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.run.Patience())
	defer cancel()
	if flow, _ := s.Call(ctx, b, c); flow == nil || !flow.Succeeded() && flow.Exchange.Status != http.StatusNotFound {
		s.find("left behind", left, made)
	}
}

// ItemID is the URL of the line item that an answer has made: what it says, or where
// it leads.
func (f *PlatformFlow) ItemID() string {
	if id, _ := f.Said()["id"].(string); id != "" {
		return id
	}
	return f.Exchange.Header.Get("Location")
}

// MakeLineItem makes a line item with the members, beside a label of its own and the
// scoreMaximum 10 where they do not say otherwise. Members that are nil are left out.
// The error is [ErrNoLaunch] where none is made.
func (s *PlatformScenario) MakeLineItem(ctx context.Context, b *Gradebook, members Members) (*LineItem, error) {
	if !s.run.Has(config.LineItemManagement) {
		return nil, fmt.Errorf("%w: the feature %s", errUndeclared, config.LineItemManagement)
	}
	flow, err := s.PostLineItem(ctx, b, "a line item of the run's own", members)
	if err == nil && !flow.Succeeded() {
		if asked := s.run.asked; s.LearnAsked(ctx, b) == nil && !maps.Equal(asked, s.run.asked) {
			flow, err = s.PostLineItem(ctx, b, "a line item of the run's own, with what the platform asks for", members)
		}
	}
	if err != nil {
		return nil, err
	}
	made := &LineItem{ID: flow.ItemID(), Made: flow, Book: b}
	made.Label, _ = flow.Said()["label"].(string)
	made.Maximum, _ = flow.Said()["scoreMaximum"].(float64)
	if !flow.Succeeded() || made.ID == "" {
		return nil, fmt.Errorf("%w: no line item can be made: %s", ErrNoLaunch, flow.Reply())
	}
	return made, nil
}

// PostLineItem asks for a line item; see [PlatformScenario.MakeLineItem].
func (s *PlatformScenario) PostLineItem(ctx context.Context, b *Gradebook, title string, members Members) (*PlatformFlow, error) {
	scope, err := s.ScopeOf(b, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	return s.postLineItem(ctx, b, title, scope, s.NewLineItem(members))
}

func (s *PlatformScenario) postLineItem(ctx context.Context, b *Gradebook, title, scope string, members Members) (*PlatformFlow, error) {
	return s.Call(ctx, b, GradeCall{Title: title, Scopes: []string{scope}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: b.LineItems, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members,
	}})
}

// NewLineItem are the members of a line item of the run's own: a label and a scoreMaximum,
// and what the platform asks for besides, as far as that is known.
func (s *PlatformScenario) NewLineItem(members Members) Members {
	return Least().With(s.run.asked).With(members)
}

// Least are the members that a line item of the run's own has to have (Assignment and
// Grade Services 2.0, 3.2.3).
func Least() Members {
	return Members{"label": "Invigilator " + lti.RandomString()[:10], "scoreMaximum": 10}
}

// mayBeAsked are members without which a platform may refuse a line item, though they
// are optional: none, each alone, and both.
var mayBeAsked = []Members{{}, {"resourceId": "invigilator"}, {"tag": "invigilator"}, {"resourceId": "invigilator", "tag": "invigilator"}}

// LearnAsked finds out, once in a run, which members the platform asks for in every line
// item. That it does is judged by the requirement about new line items; the others are
// judged with what works.
func (s *PlatformScenario) LearnAsked(ctx context.Context, b *Gradebook) error {
	if s.run.asked != nil {
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
			s.run.asked = members
			return nil
		}
	}
	s.run.asked = Members{} // nothing helps
	return nil
}

// GradedItem is a line item to send scores for: one of the run's own, or the one of
// the launch where the platform takes none from tools.
func (s *PlatformScenario) GradedItem(ctx context.Context, b *Gradebook, members Members) (*LineItem, error) {
	if err := s.mayWrite(); err != nil {
		return nil, err
	}
	if s.run.Has(config.LineItemManagement) {
		return s.MakeLineItem(ctx, b, members)
	}
	return s.launchedItem(ctx, b)
}

// launchedItem is the line item that a launch names.
func (s *PlatformScenario) launchedItem(ctx context.Context, b *Gradebook) (*LineItem, error) {
	if err := s.mayWrite(); b.LineItem == "" && err != nil {
		return nil, fmt.Errorf("%w, and the launch names no lineitem", err)
	}
	if b.LineItem == "" {
		return nil, fmt.Errorf("%w: it names no lineitem, and without the feature %s the run cannot make one", ErrNoLaunch, config.LineItemManagement)
	}
	item := &LineItem{ID: b.LineItem, Book: b}
	item.Label, _ = b.Launch.Message().Object(lti.ClaimResourceLink)["title"].(string)
	flow, err := s.ReadLineItem(ctx, item, "the line item that the launch names")
	switch {
	case errors.Is(err, errUndeclared): // it cannot be read
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
func (s *PlatformScenario) ReadLineItem(ctx context.Context, item *LineItem, title string) (*PlatformFlow, error) {
	scope, err := s.ScopeOf(item.Book, lti.ScopeLineItemReadOnly, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	return s.Call(ctx, item.Book, GradeCall{Title: title, Scopes: []string{scope}, ServiceRequest: faketool.ServiceRequest{URL: item.ID, Accept: lti.MediaTypeLineItem}})
}

// ChangeLineItem puts other members in the place of those of a line item.
func (s *PlatformScenario) ChangeLineItem(ctx context.Context, item *LineItem, title string, members Members) (*PlatformFlow, error) {
	return s.Call(ctx, item.Book, GradeCall{Title: title, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members.With(nil),
	}})
}

// A Listing is what a service lists, all of its pages together.
type Listing struct {
	Elements []Members
	Flows    []*PlatformFlow // of the pages
	Scopes   []string        // of the access token
	// Wrong says why it is not whole; empty where it is.
	Wrong string
}

// errNotWhole says that a list cannot be read to its end.
var errNotWhole = fmt.Errorf("%w: the list cannot be read", ErrNoLaunch)

// errManyPages says that a list has more pages than are read.
var errManyPages = fmt.Errorf("%w: the list has more pages than the %d that are read", ErrNoLaunch, maxListed)

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
// is [ErrNoLaunch]; [AsIs] makes it none.
func (s *PlatformScenario) List(ctx context.Context, b *Gradebook, title, address, accept, scope string) (*Listing, error) {
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
func (s *PlatformScenario) readPages(ctx context.Context, b *Gradebook, l *Listing, title, address, accept string) error {
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
		case len(seen) > 0 && !s.isOffered(next):
			l.Wrong = "the link to the next page leads elsewhere: " + results.Bounded(next, 300)
			return nil
		}
		seen[next] = true
		flow, err := s.Call(ctx, b, GradeCall{Title: title, Scopes: l.Scopes, ServiceRequest: faketool.ServiceRequest{URL: next, Accept: accept}})
		if err != nil {
			return err
		}
		l.Flows = append(l.Flows, flow)
		page, isPage := flow.listed()
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
func (f *PlatformFlow) listed() ([]Members, bool) {
	var page []Members
	err := json.Unmarshal(f.Exchange.Body, &page)
	return page, err == nil && page != nil && f.Exchange.Status == http.StatusOK
}

// LineItems lists those of a gradebook, with a query such as tag=x.
func (s *PlatformScenario) LineItems(ctx context.Context, b *Gradebook, title, query string) (*Listing, error) {
	scope, err := s.ScopeOf(b, lti.ScopeLineItemReadOnly, lti.ScopeLineItem)
	if err != nil {
		return nil, err
	}
	if b.LineItems == "" {
		return nil, fmt.Errorf("%w: it names no lineitems", ErrNoLaunch)
	}
	return s.List(ctx, b, title, WithQuery(b.LineItems, query), lti.MediaTypeLineItemContainer, scope)
}

// Results lists those of a line item, with a query such as limit=1.
func (s *PlatformScenario) Results(ctx context.Context, item *LineItem, title, query string) (*Listing, error) {
	if !s.run.Has(config.Results) {
		return nil, fmt.Errorf("%w: the feature %s", errUndeclared, config.Results)
	}
	scope, err := s.ScopeOf(item.Book, lti.ScopeResultReadOnly)
	if err != nil {
		return nil, err
	}
	return s.List(ctx, item.Book, title, WithQuery(grades.Below(item.ID, "results"), query), lti.MediaTypeResultContainer, scope)
}

// WithQuery adds to the query of a URL, which stays as it is.
func WithQuery(address, query string) string {
	switch {
	case query == "":
		return address
	case strings.Contains(address, "?"):
		return address + "&" + query
	default:
		return address + "?" + query
	}
}

// A Result is what a line item's results say of a user.
type Result struct {
	Members        // nil where there is none
	Wrong   string // why the results could not be read
	Flow    *PlatformFlow
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
func (s *PlatformScenario) ResultOf(ctx context.Context, item *LineItem, sub string, awaited func(Result) bool) (Result, error) {
	until := time.Now().Add(s.run.markerWait(s.run.config.Timeout.PageSign.Std()))
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
func (r *PlatformRun) Later(item *LineItem, sub string) time.Time {
	return r.later(grades.Below(item.ID, "scores"), sub)
}

func (r *PlatformRun) later(scores, sub string) time.Time {
	key, at := scores+" "+sub, r.now().UTC().Truncate(time.Millisecond)
	if next := r.scored[key].Add(time.Second); at.Before(next) {
		at = next
	}
	r.scored[key] = at
	return at
}

// Timestamp writes a time as scores have it (Assignment and Grade Services 2.0, 3.4).
func Timestamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") }

// NewScore are the members of a score of a user at a line item: later than all before,
// and the final one of a completed activity where they do not say otherwise. It has no
// points where they do not say how many.
func (r *PlatformRun) NewScore(item *LineItem, sub string, members Members) Members {
	if members["timestamp"] != nil {
		return newScore(sub, time.Time{}).With(members)
	}
	return newScore(sub, r.Later(item, sub)).With(members)
}

func newScore(sub string, at time.Time) Members {
	return Members{"userId": sub, "timestamp": Timestamp(at), "activityProgress": string(lti.Completed), "gradingProgress": string(lti.FullyGraded)}
}

// PostScore sends a score when its time has come, and keeps what came of it: a stimulus
// is wrong in one thing alone, and so not ahead of the clock.
func (s *PlatformScenario) PostScore(ctx context.Context, item *LineItem, title string, score Members, fault *faketool.Fault) (*PlatformFlow, error) {
	text, _ := score["timestamp"].(string)
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.After(s.run.now()) {
		if err := s.run.wait(ctx, at.Sub(s.run.now())); err != nil {
			return nil, err
		}
	}
	return s.postScore(ctx, item, title, score, fault)
}

func (s *PlatformScenario) postScore(ctx context.Context, item *LineItem, title string, score Members, fault *faketool.Fault) (*PlatformFlow, error) {
	scope, err := s.ScopeOf(item.Book, lti.ScopeScore)
	if err != nil {
		return nil, err
	}
	return s.Call(ctx, item.Book, GradeCall{Title: title, Scopes: []string{scope}, Fault: fault, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: grades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore, Body: score,
	}})
}

// Score sends a score that a platform has to take, apart from what a fault changes. One
// that is refused may have come too early for the platform: its clock may be slow, or
// somebody may have scored the same work. It is sent again when the clock is past its
// time, and once more a little later; what is returned is how the last was answered.
func (s *PlatformScenario) Score(ctx context.Context, item *LineItem, title, sub string, members Members, fault *faketool.Fault) (*PlatformFlow, error) {
	for _, pause := range s.run.patienceForScores() {
		at := s.run.Later(item, sub)
		flow, err := s.postScore(ctx, item, title, newScore(sub, at).With(members), fault)
		if err != nil && !errors.Is(err, errMayBeDone) || !flow.tooEarly(at.After(s.run.now())) { // one that counts already comes too early as well
			return flow, err
		}
		if err := s.run.wait(ctx, max(0, at.Sub(s.run.now()))+pause); err != nil {
			return flow, err
		}
		title += ", later"
	}
	flow, err := s.PostScore(ctx, item, title, s.run.NewScore(item, sub, members), fault)
	if err == nil && flow.tooEarly(false) {
		s.run.heedsNoTime = true
	}
	return flow, err
}

// patienceForScores is how long to wait before a score that was refused is sent again,
// each time. Where that has not helped before, it does not help.
func (r *PlatformRun) patienceForScores() []time.Duration {
	if r.heedsNoTime {
		return nil
	}
	return []time.Duration{time.Second, 4 * time.Second}
}

// tooEarly says whether a score may have been refused for its time: the specification
// names no status but 409 for that, and one that is ahead of the clock may be taken for
// a mistake.
func (f *PlatformFlow) tooEarly(ahead bool) bool {
	status := f.Exchange.Status
	return status == http.StatusConflict || ahead && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity)
}

// Graded sends a score of so many points that a platform has to take. The error is
// [ErrNoLaunch] where it does not.
func (s *PlatformScenario) Graded(ctx context.Context, item *LineItem, sub string, members Members) (*PlatformFlow, error) {
	flow, err := s.Score(ctx, item, "a valid score", sub, members, nil)
	if err == nil && !flow.Succeeded() {
		err = fmt.Errorf("%w: a valid score is refused: %s", ErrNoLaunch, flow.Reply())
	}
	return flow, err
}

// Outsider is a user who launches a link in another course and none in the ordinary
// one, and false where there is none.
func (r *PlatformRun) Outsider() (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(r.users)) {
		_, there := r.journeyTo(name, config.OtherCourse)
		if _, here := r.journeyTo(name, config.ResourceLink); there && !here {
			return name, true
		}
	}
	return "", false
}
