package grades

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

// maxRemoved bounds how many line items are remembered that a tool has removed.
const maxRemoved = 20

// maxColumns is how many line items a tool may have in a context.
const maxColumns = 1000

// A Grade is what the gradebook holds of a learner at a line item.
type Grade struct {
	Progress lti.ActivityProgress // empty where no score has come
	Grading  lti.GradingProgress
	Points   *float64 // scaled to the line item's maximum; nil where there is none
	Final    bool     // the points are the grade
	Comment  string
}

// Shown is what a page of the gradebook shows of a grade.
type Shown struct {
	Grade   Grade
	Item    lti.LineItem
	Points  string // as people write them; empty where there is no grade
	Waiting bool   // it says that work waits for grading
}

// GradeShown is passed by an application that shows the gradebook.
var GradeShown = &fault.Seam[Shown]{Name: "what a page of the gradebook shows of a grade"}

// Number writes points as people do.
func Number(points float64) string { return strconv.FormatFloat(points, 'f', -1, 64) }

// Gradebooks are those of all tools and contexts of a platform. They are safe for concurrent
// use.
type Gradebooks struct {
	core   part.Core
	alsoAt sync.Map // paths that stimuli have given line items, and their own

	mu      sync.Mutex
	books   map[shelf]*gradebook
	columns map[string]*column    // by the last part of their ids
	calls   map[string][]Call     // by the context
	latest  map[string]*gradebook // with the latest launch that offered grades, by the client
	called  chan struct{}         // closed when the next request has been answered
	counted int                   // columns and rows, in the order in which they were made
}

// A shelf is where a gradebook is found: each tool has one of its own in each
// context.
type shelf struct{ clientID, contextID string }

// A gradebook is what a tool has in a context.
type gradebook struct {
	shelf
	links   map[string]bool // ids of the resource links that are the tool's
	users   map[string]bool // the subs of those who were launched or are reviewed there
	columns []*column
	removed []*column    // the latest of those that the tool has removed
	latest  part.Launch  // that the tool was launched with there; nil for none
	served  map[turn]int // requests since then
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

func newGradebooks(core part.Core) *Gradebooks {
	return &Gradebooks{core: core, books: map[shelf]*gradebook{}, columns: map[string]*column{}, calls: map[string][]Call{}, latest: map[string]*gradebook{}, called: make(chan struct{})}
}

// carrier carries the faults of the platform.
func (g *Gradebooks) carrier() *fault.Carrier { return g.core.Carrier(part.Place{}) }

// AddLineItem adds a line item to the gradebook that a tool has in a context, as
// the platform's own, and returns it with its id. It fails where a tool could not
// have made such a line item either.
func (g *Gradebooks) AddLineItem(clientID, contextID string, item lti.LineItem) (lti.LineItem, error) {
	registration, known := g.core.Registration(clientID)
	if !known || contextID == "" {
		return lti.LineItem{}, fmt.Errorf("fakeplatform: client_id %q has no context %q", clientID, contextID)
	}
	raw, err := json.Marshal(item)
	if err != nil {
		return lti.LineItem{}, fmt.Errorf("fakeplatform: add a line item: %w", err)
	}
	sent := &sentLineItem{registration, true, raw, jwt.Object(raw)}
	if wrong := part.RefusalsOf(lineItemRules.All(nil, sent)...); len(wrong) > 0 {
		return lti.LineItem{}, fmt.Errorf("fakeplatform: add a line item: %s", strings.Join(wrong.Said(), "; "))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	book := g.open(shelf{clientID, contextID})
	if len(book.columns) >= maxColumns {
		return lti.LineItem{}, errors.New("fakeplatform: the gradebook is full")
	}
	if item.ResourceLinkID != "" {
		book.links[item.ResourceLinkID] = true
	}
	made := g.newColumn(book, sent.draft(), "")
	made.own = true
	g.insert(made)
	return made.item, nil
}

// LineItems returns those that a tool has in a context, in the order in which
// they were made.
func (g *Gradebooks) LineItems(clientID, contextID string) []lti.LineItem {
	g.mu.Lock()
	defer g.mu.Unlock()
	var items []lti.LineItem
	if book := g.books[shelf{clientID, contextID}]; book != nil {
		for _, c := range book.columns {
			items = append(items, c.item)
		}
	}
	return items
}

// Grade returns what the gradebook holds of a learner at a line item, by its id.
func (g *Gradebooks) Grade(lineItem, sub string) Grade {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.column(lineItem)
	if c == nil {
		return Grade{}
	}
	r := c.row(sub)
	if r == nil {
		return Grade{}
	}
	points := g.points(c, r.score)
	return Grade{
		Progress: r.score.ActivityProgress, Grading: r.score.GradingProgress, Points: points,
		Final: points != nil && g.final(r.score), Comment: r.score.Comment,
	}
}

// An Item is a line item, and whose it is.
type Item struct {
	lti.LineItem
	ClientID, Context string
	Own               bool // the platform's, rather than one that the tool has made
}

// Item returns the line item with an id; false for none.
func (g *Gradebooks) Item(id string) (Item, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.column(id)
	if c == nil {
		return Item{}, false
	}
	return Item{c.item, c.book.clientID, c.book.contextID, c.own}, true
}

// Progress is how far the activity of a learner at a line item has come, by its id; false where
// no score has come.
func (g *Gradebooks) Progress(lineItem, sub string) (lti.ActivityProgress, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.column(lineItem); c != nil {
		if r := c.row(sub); r != nil {
			return r.score.ActivityProgress, true
		}
	}
	return "", false
}

// Learners are the subs of those who have a score at a line item, in the order of their first
// ones.
func (g *Gradebooks) Learners(lineItem string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var subs []string
	if c := g.column(lineItem); c != nil {
		for _, r := range c.rows {
			subs = append(subs, r.sub)
		}
	}
	return subs
}

// final says whether the points of a score are the grade.
func (g *Gradebooks) final(score lti.Score) bool { return pointsFinal.Taken(g.carrier(), score) }

// points returns what a score is of the line item's maximum, and nil for nothing
// (Assignment and Grade Services 2.0, 3.4).
func (g *Gradebooks) points(c *column, score lti.Score) *float64 {
	if score.ScoreGiven == nil {
		return nil
	}
	most := c.item.ScoreMaximum
	scaled := pointsScaled.Pass(g.carrier(), scaledPoints{score, most, c.first, *score.ScoreGiven / *score.ScoreMaximum * most})
	return &scaled.points
}

func (c *column) row(sub string) *row {
	i := slices.IndexFunc(c.rows, func(r *row) bool { return r.sub == sub })
	if i < 0 {
		return nil
	}
	return c.rows[i]
}

// AtLineItem is what a launch may be about: a line item, which is the one that it names.
type AtLineItem interface{ LineItemID() string }

// offer is the claim by which a launch offers the grade services (Assignment and Grade
// Services 2.0, 3.1). It names the line item that the launch is about, or that of the
// resource link where the link has exactly one.
func (g *Gradebooks) offer(plan part.Plan) map[string]any {
	scopes := plan.Scopes
	if scopes == nil {
		scopes = lti.GradeScopes
	}
	claim := map[string]any{"scope": slices.Clone(scopes), "lineitems": g.lineItemsURL(plan.Context)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if about, is := plan.About.(AtLineItem); is {
		claim["lineitem"] = about.LineItemID()
		return claim
	}
	book := g.books[shelf{plan.ClientID, plan.Context}]
	if book == nil || plan.ResourceLink == "" {
		return claim
	}
	var attached []*column
	for _, c := range book.columns {
		if c.item.ResourceLinkID == plan.ResourceLink {
			attached = append(attached, c)
		}
	}
	named := namedLineItem{book: book, attached: attached}
	if len(attached) == 1 {
		named.column = attached[0]
	}
	if named = lineItemNamed.Pass(g.carrier(), named); named.column != nil {
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

// launched notes, when a launch has begun, what the tool learns by it: its link and its
// user. A launch with a message of another service counts where it offers this one.
func (g *Gradebooks) launched(l part.Launch) {
	plan := l.Plan()
	offers := slices.Contains(plan.Offers, Profile)
	if plan.Context == "" || l.Kept() != nil && !offers {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	book := g.open(shelf{plan.ClientID, plan.Context})
	book.latest, book.served = l, map[turn]int{}
	if offers {
		g.latest[plan.ClientID] = book
	}
	if plan.ResourceLink != "" {
		book.links[plan.ResourceLink] = true
	}
	if plan.Sub != "" {
		book.users[plan.Sub] = true
	}
}

// Enroll notes that a tool is told of a person in a context, by the sub.
func (g *Gradebooks) Enroll(clientID, contextID, sub string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open(shelf{clientID, contextID}).users[sub] = true
}

// offering is the latest launch in the context in which a tool was offered grades last; nil
// where it was in none.
func (g *Gradebooks) offering(clientID string) part.Launch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if book := g.latest[clientID]; book != nil {
		return book.latest
	}
	return nil
}

// peopleOf returns those of a context by sub, and nil where these are all who have
// been launched there.
func (g *Gradebooks) peopleOf(contextID string) map[string]part.User {
	members, told := g.core.People(contextID)
	if !told {
		return nil
	}
	people := map[string]part.User{}
	for _, user := range members {
		people[user.Sub] = user
	}
	return people
}

// What follows is called with the gradebooks locked.

func (g *Gradebooks) open(at shelf) *gradebook {
	book := g.books[at]
	if book == nil {
		book = &gradebook{shelf: at, links: map[string]bool{}, users: map[string]bool{}, served: map[turn]int{}}
		g.books[at] = book
	}
	return book
}

// knows says whether there is a gradebook of that context.
func (g *Gradebooks) knows(contextID string) bool {
	for at := range g.books {
		if at.contextID == contextID {
			return true
		}
	}
	return false
}

// column returns the one of that id, and nil for none.
func (g *Gradebooks) column(id string) *column {
	for _, c := range g.columns {
		if c.id == id {
			return c
		}
	}
	return nil
}

// number counts what has an order.
func (g *Gradebooks) number() int {
	g.counted++
	return g.counted
}

// newColumn makes one of a draft that was read, with a key of its own when there is
// none. It is none of the gradebook's yet.
func (g *Gradebooks) newColumn(book *gradebook, draft lineItemDraft, key string) *column {
	c := &column{book: book, key: cmp.Or(key, lti.RandomString()), members: draft.members, item: draft.item}
	c.id = lineItemAddress.Pass(g.carrier(), g.lineItemsURL(book.contextID)+"/"+c.key)
	c.item.ID, c.first = c.id, c.item.ScoreMaximum
	return c
}

func (g *Gradebooks) insert(c *column) {
	c.number = g.number()
	c.book.columns = append(c.book.columns, c)
	g.columns[c.key] = c
}

func (g *Gradebooks) remove(c *column) {
	c.book.columns = slices.DeleteFunc(c.book.columns, func(known *column) bool { return known == c })
	c.book.removed = append(c.book.removed, c)
	c.book.removed = c.book.removed[max(0, len(c.book.removed)-maxRemoved):]
	delete(g.columns, c.key)
}

// lineItemsURL is the address of the line items of a context.
func (g *Gradebooks) lineItemsURL(contextID string) string {
	return g.core.ServerURL() + part.ContextsPath + "/" + url.PathEscape(contextID) + "/lineitems"
}

// page returns what a request for a container asks for, at most as many as the
// platform sends at once, and the address of the rest where there is more
// (Assignment and Grade Services 2.0, 3.2.4 and 3.3.6).
func page[T any](g *Gradebooks, q *request, all []T, number func(T) int) (shown []T, next string, wrong part.Refusals) {
	if wrong := part.RefusalsOf(containerRules.All(g.carrier(), q)...); len(wrong) > 0 {
		return nil, "", wrong
	}
	limit := pageSize
	if asked, err := q.limit(); err == nil && asked > 0 {
		limit = min(limit, asked)
	}
	after, _ := q.after() // a number, as was checked
	rest := slices.DeleteFunc(slices.Clone(all), func(one T) bool { return number(one) <= after })
	limit = pageSized.Pass(g.carrier(), sizedPage{q, limit, len(rest)}).limit
	shown = rest[:min(limit, len(rest))]
	on := nextPage{request: q}
	if len(shown) > 0 {
		on.at = number(shown[len(shown)-1])
	}
	if len(shown) < len(rest) {
		on.following, on.query = number(rest[len(shown)]), q.URL.Query()
		on.query.Set(paramAfter, strconv.Itoa(max(on.at, after)))
	}
	if on = nextPageAddressed.Pass(g.carrier(), on); on.query != nil {
		next = g.core.ServerURL() + q.URL.EscapedPath() + "?" + on.query.Encode()
	}
	return shown, next, nil
}
