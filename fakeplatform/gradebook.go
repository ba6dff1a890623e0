package fakeplatform

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// ContextsPath begins the addresses of the grade services (Assignment and Grade
// Services 2.0): ContextsPath + "/{context}/lineitems", and below it a line item,
// its scores and its results.
const ContextsPath = part.ContextsPath

// maxColumns is how many line items a tool may have in a context.
const maxColumns = 1000

// Grades say what a launch offers of the grade services (Assignment and Grade
// Services 2.0, 3.1).
type Grades struct {
	Scopes []string // all when nil
}

// A Grade is what the gradebook holds of a learner at a line item.
type Grade struct {
	Progress lti.ActivityProgress // empty where no score has come
	Grading  lti.GradingProgress
	Points   *float64 // scaled to the line item's maximum; nil where there is none
	Final    bool     // the points are the grade
	Comment  string
}

// gradebooks are those of all tools and contexts. What is in them is guarded by
// the mutex.
type gradebooks struct {
	mu      sync.Mutex
	books   map[shelf]*gradebook
	columns map[string]*column     // by the last part of their ids
	calls   map[string][]GradeCall // by the context
	latest  map[string]*gradebook  // with the latest launch that offered grades, by the client
	called  chan struct{}          // closed when the next request has been answered
	counted int                    // columns and rows, in the order in which they were made
}

// A shelf is where a gradebook is found: each tool has one of its own in each
// context.
type shelf struct{ clientID, contextID string }

// A gradebook is what a tool has in a context.
type gradebook struct {
	shelf
	links   map[string]bool // ids of the resource links that are the tool's
	users   map[string]User // who were launched or are reviewed there, by sub
	columns []*column
	removed []*column       // the latest of those that the tool has removed
	latest  *Launch         // that the tool was launched with there
	served  map[turn]int    // requests since then
	granted map[string]bool // access tokens since then, as long as it is the tool's latest one of all
}

// A turn is a kind of request.
type turn struct {
	service Service
	method  string
}

// A column is a line item with what has come of the learners.
type column struct {
	book    *gradebook
	key     string // the last part of its id
	id      string // its URL
	number  int
	own     bool           // the platform's, which no tool may delete
	missed  bool           // it was asked for after it had been removed
	members map[string]any // all that it was made of but its id
	item    lti.LineItem   // what is known of it
	rows    []*row
	first   float64 // its maximum at first
}

// A row is the latest score of a learner.
type row struct {
	sub    string
	number int
	score  lti.Score
	at     time.Time

	earlier *lti.Score // the one before; nil for none
	comment string     // the first one
}

func newGradebooks() gradebooks {
	return gradebooks{books: map[shelf]*gradebook{}, columns: map[string]*column{}, calls: map[string][]GradeCall{}, latest: map[string]*gradebook{}, called: make(chan struct{})}
}

// AddLineItem adds a line item to the gradebook that a tool has in a context, as
// the platform's own, and returns it with its id. It fails where a tool could not
// have made such a line item either.
func (p *Platform) AddLineItem(clientID, contextID string, item lti.LineItem) (lti.LineItem, error) {
	registration, known := p.registrationOf(clientID)
	if !known || contextID == "" {
		return lti.LineItem{}, fmt.Errorf("fakeplatform: client_id %q has no context %q", clientID, contextID)
	}
	raw, err := json.Marshal(item)
	if err != nil {
		return lti.LineItem{}, fmt.Errorf("fakeplatform: add a line item: %w", err)
	}
	sent := &sentLineItem{registration, true, raw, jwt.Object(raw)}
	if wrong := refusalsOf(lineItemRules.All(nil, sent)); len(wrong) > 0 {
		return lti.LineItem{}, fmt.Errorf("fakeplatform: add a line item: %s", strings.Join(said(wrong), "; "))
	}
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	book := p.grades.open(shelf{clientID, contextID})
	if len(book.columns) >= maxColumns {
		return lti.LineItem{}, errors.New("fakeplatform: the gradebook is full")
	}
	if item.ResourceLinkID != "" {
		book.links[item.ResourceLinkID] = true
	}
	made := p.newColumn(book, sent.draft(), "")
	made.own = true
	p.grades.insert(made)
	return made.item, nil
}

// LineItems returns those that a tool has in a context, in the order in which
// they were made.
func (p *Platform) LineItems(clientID, contextID string) []lti.LineItem {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	var items []lti.LineItem
	if book := p.grades.books[shelf{clientID, contextID}]; book != nil {
		for _, c := range book.columns {
			items = append(items, c.item)
		}
	}
	return items
}

// Grade returns what the gradebook holds of a learner at a line item, by its id.
func (p *Platform) Grade(lineItem, sub string) Grade {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	c := p.grades.column(lineItem)
	if c == nil {
		return Grade{}
	}
	r := c.row(sub)
	if r == nil {
		return Grade{}
	}
	points := p.points(c, r.score)
	return Grade{
		Progress: r.score.ActivityProgress, Grading: r.score.GradingProgress, Points: points,
		Final: points != nil && p.final(r.score), Comment: r.score.Comment,
	}
}

// final says whether the points of a score are the grade.
func (p *Platform) final(score lti.Score) bool { return pointsFinal.Taken(p.carrier, score) }

// points returns what a score is of the line item's maximum, and nil for nothing
// (Assignment and Grade Services 2.0, 3.4).
func (p *Platform) points(c *column, score lti.Score) *float64 {
	if score.ScoreGiven == nil {
		return nil
	}
	most := c.item.ScoreMaximum
	scaled := pointsScaled.Pass(p.carrier, scaledPoints{score, most, c.first, *score.ScoreGiven / *score.ScoreMaximum * most})
	return &scaled.points
}

func (c *column) row(sub string) *row {
	i := slices.IndexFunc(c.rows, func(r *row) bool { return r.sub == sub })
	if i < 0 {
		return nil
	}
	return c.rows[i]
}

// offersGrades is the claim by which a launch offers the grade services
// (Assignment and Grade Services 2.0, 3.1). It names the line item under review, or
// that of the resource link where the link has exactly one.
func (p *Platform) offersGrades(plan Plan) map[string]any {
	scopes := plan.Grades.Scopes
	if scopes == nil {
		scopes = lti.GradeScopes
	}
	claim := map[string]any{"scope": slices.Clone(scopes), "lineitems": p.lineItemsURL(plan.Context.ID)}
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	if plan.Review.LineItem != "" {
		claim["lineitem"] = plan.Review.LineItem
		return claim
	}
	book := p.grades.books[shelf{plan.ClientID, plan.Context.ID}]
	if book == nil || plan.ResourceLink.ID == "" {
		return claim
	}
	var attached []*column
	for _, c := range book.columns {
		if c.item.ResourceLinkID == plan.ResourceLink.ID {
			attached = append(attached, c)
		}
	}
	named := namedLineItem{book: book, attached: attached}
	if len(attached) == 1 {
		named.column = attached[0]
	}
	if named = lineItemNamed.Pass(p.carrier, named); named.column != nil {
		claim["lineitem"] = named.column.id
	}
	return claim
}

// namedLineItem is the line item that a launch names, nil for none, among those of its link.
type namedLineItem struct {
	book     *gradebook
	attached []*column
	column   *column
}

var lineItemNamed = &fault.Seam[namedLineItem]{Name: "the line item that a launch names"}

// enroll notes, when a launch has begun, what the tool learns by it: its link and
// its people.
func (p *Platform) enroll(l *Launch) {
	if l.plan.Context.ID == "" || l.kept != nil {
		return
	}
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	book := p.grades.open(shelf{l.plan.ClientID, l.plan.Context.ID})
	book.latest, book.served, book.granted = l, map[turn]int{}, map[string]bool{}
	if l.plan.Grades != nil {
		p.grades.latest[l.plan.ClientID] = book
	}
	if id := l.plan.ResourceLink.ID; id != "" {
		book.links[id] = true
	}
	for _, user := range []User{l.plan.User, l.plan.Review.Learner} {
		if user.Sub != "" && !l.plan.Anonymous {
			book.users[user.Sub] = user
		}
	}
}

// latestOf returns the launch that offered a tool grades last, its gradebook, and
// which access token the next one will be since then. There is neither where no
// launch did.
func (g *gradebooks) latestOf(clientID string) (l *Launch, book *gradebook, nth int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if book = g.latest[clientID]; book == nil {
		return nil, nil, 0
	}
	return book.latest, book, len(book.granted) + 1
}

// grants notes an access token in the gradebook of the launch since which it was
// granted, if there is any.
func (g *gradebooks) grants(book *gradebook, token string) {
	if book == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(book.granted) < maxServiceRecord {
		book.granted[token] = true
	}
}

// peopleOf returns those of a context by sub, and nil where these are all who have
// been launched there.
func (p *Platform) peopleOf(contextID string) map[string]User {
	if p.opts.Members == nil {
		return nil
	}
	people := map[string]User{}
	for _, user := range p.opts.Members(contextID) {
		people[user.Sub] = user
	}
	return people
}

// What follows is called with the gradebooks locked.

func (g *gradebooks) open(at shelf) *gradebook {
	book := g.books[at]
	if book == nil {
		book = &gradebook{shelf: at, links: map[string]bool{}, users: map[string]User{}, served: map[turn]int{}, granted: map[string]bool{}}
		g.books[at] = book
	}
	return book
}

// knows says whether there is a gradebook of that context.
func (g *gradebooks) knows(contextID string) bool {
	for at := range g.books {
		if at.contextID == contextID {
			return true
		}
	}
	return false
}

// column returns the one of that id, and nil for none.
func (g *gradebooks) column(id string) *column {
	for _, c := range g.columns {
		if c.id == id {
			return c
		}
	}
	return nil
}

// number counts what has an order.
func (g *gradebooks) number() int {
	g.counted++
	return g.counted
}

// newColumn makes one of a draft that was read, with a key of its own when there is
// none. It is none of the gradebook's yet.
func (p *Platform) newColumn(book *gradebook, draft lineItemDraft, key string) *column {
	c := &column{book: book, key: cmp.Or(key, lti.RandomString()), members: draft.members, item: draft.item}
	c.id = lineItemAddress.Pass(p.carrier, p.lineItemsURL(book.contextID)+"/"+c.key)
	c.item.ID, c.first = c.id, c.item.ScoreMaximum
	return c
}

func (g *gradebooks) insert(c *column) {
	c.number = g.number()
	c.book.columns = append(c.book.columns, c)
	g.columns[c.key] = c
}

func (g *gradebooks) remove(c *column) {
	c.book.columns = slices.DeleteFunc(c.book.columns, func(known *column) bool { return known == c })
	c.book.removed = last(append(c.book.removed, c), maxRecord)
	delete(g.columns, c.key)
}

// lineItemsURL is the address of the line items of a context.
func (p *Platform) lineItemsURL(contextID string) string {
	return p.opts.ServerURL + ContextsPath + "/" + url.PathEscape(contextID) + "/lineitems"
}

// page returns what a request for a container asks for, at most as many as the
// platform sends at once, and the address of the rest where there is more
// (Assignment and Grade Services 2.0, 3.2.4 and 3.3.6).
func page[T any](p *Platform, q *gradeRequest, all []T, number func(T) int) (shown []T, next string, wrong []refusal) {
	if wrong := refusalsOf(containerRules.All(p.carrier, q)); len(wrong) > 0 {
		return nil, "", wrong
	}
	limit := pageSize
	if asked, err := q.limit(); err == nil && asked > 0 {
		limit = min(limit, asked)
	}
	after, _ := q.after() // a number, as was checked
	rest := slices.DeleteFunc(slices.Clone(all), func(one T) bool { return number(one) <= after })
	limit = pageSized.Pass(p.carrier, sizedPage{q, limit, len(rest)}).limit
	shown = rest[:min(limit, len(rest))]
	on := nextPage{gradeRequest: q}
	if len(shown) > 0 {
		on.at = number(shown[len(shown)-1])
	}
	if len(shown) < len(rest) {
		on.following, on.query = number(rest[len(shown)]), q.URL.Query()
		on.query.Set(paramAfter, strconv.Itoa(max(on.at, after)))
	}
	if on = nextPageAddressed.Pass(p.carrier, on); on.query != nil {
		next = p.opts.ServerURL + q.URL.EscapedPath() + "?" + on.query.Encode()
	}
	return shown, next, nil
}
