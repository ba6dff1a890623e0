package grades

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What several faults of the grade services have in common, and what takes more than a line
// of theirs.

// Changed returns members with others instead, of which nil takes one away; the same ones
// where that makes no difference.
func Changed(members, others map[string]any) map[string]any {
	now := maps.Clone(members)
	part.Change(now, others)
	if part.AsJSON(now) == part.AsJSON(members) {
		return members
	}
	return now
}

// Where the gradebook is.

// readsItems is a scope of a gradebook to read line items with; false where it offers none.
func (g *Gradebook) readsItems() (string, bool) {
	for _, scope := range []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem} {
		if g.Offers(scope) {
			return scope, true
		}
	}
	return lti.ScopeLineItemReadOnly, false
}

// offersItems says whether the platform lets line items be read.
func (d due) offersItems() bool {
	_, offered := d.book.readsItems()
	return offered
}

func (d due) hidesItems() bool { return !d.offersItems() }

// readsItem reads the line item. What comes of it is no matter.
func readsItem(d due) due {
	if scope, offered := d.book.readsItems(); offered {
		d.read(d.book, scope)
	} else {
		d.read(d.book.With(scope), scope)
	}
	return d
}

// guessed is where the line items of a course would be that offers none, if they were where
// those of the launch before are; empty where that cannot be guessed.
func (l seen) guessed() string {
	book, before, here := Offered(l.last), PlaceOf(l.last).Context, PlaceOf(l.launch).Context
	if Offered(l.launch) != nil || book == nil || before == "" || here == "" {
		return ""
	}
	if guessed := strings.Replace(book.LineItems, before, here, 1); guessed != book.LineItems {
		return guessed
	}
	return ""
}

func guessesGradebook(l seen) seen {
	scope := lti.ScopeLineItemReadOnly
	_, _ = l.t.call(l.ctx, Offered(l.last).With(scope), scope, part.ServiceRequest{Method: http.MethodGet, URL: l.guessed(), Accept: lti.MediaTypeLineItemContainer})
	return l
}

// Requests and answers.

const mediaTypeJSON = "application/json"

// requestsWith changes requests to the grade services where they are such ones.
func requestsWith(such func(part.ServiceRequest) bool, to func(*part.ServiceRequest)) fault.Effect {
	return requested.Change(func(r part.ServiceRequest) part.ServiceRequest {
		if such(r) {
			to(&r)
		}
		return r
	})
}

func isOfItems(mediaType string) bool {
	return mediaType == lti.MediaTypeLineItem || mediaType == lti.MediaTypeLineItemContainer
}

func sendsItem(r part.ServiceRequest) bool    { return isOfItems(r.MediaType) }
func sendsScore(r part.ServiceRequest) bool   { return r.MediaType == lti.MediaTypeScore }
func asksForItems(r part.ServiceRequest) bool { return isOfItems(r.Accept) }
func readsItems(r part.ServiceRequest) bool   { return asksForItems(r) && r.Method == http.MethodGet }
func writesItem(r part.ServiceRequest) bool   { return asksForItems(r) && r.Method != http.MethodGet }

// isOfItem says whether a request is for one line item that there is.
func isOfItem(r part.ServiceRequest) bool {
	return r.Accept == lti.MediaTypeLineItem && r.Method != http.MethodPost
}

func dropQuery(r *part.ServiceRequest) { r.URL, _, _ = strings.Cut(r.URL, "?") }

func acceptNothing(r *part.ServiceRequest) { r.Accept = "" }

// repeatsLater sends a score once more with another time.
func repeatsLater(by time.Duration) fault.Effect {
	return part.CallRepeated.Change(func(r part.ServiceRequest) part.ServiceRequest {
		members, _ := r.Body.(map[string]any)
		sent, _ := members["timestamp"].(string)
		if at, err := time.Parse(time.RFC3339Nano, sent); err == nil {
			r.Body = Changed(members, map[string]any{"timestamp": at.Add(by).Format(Instant)})
		}
		return r
	})
}

// chokesOn says an error of such answers of success.
func chokesOn(such func(answered) bool, says error) fault.Effect {
	return succeeded.Add(func(a answered) error {
		if such(a) {
			return says
		}
		return nil
	})
}

// crashesOnStatus breaks down where a grade service has answered with a status of failure.
func crashesOnStatus(status int) fault.Effect {
	return callSucceeded.Answer(func(a answered) bool { return a.Status == status }, func(answered, error) error { return part.Crash{} })
}

func (a answered) isOfScore() bool { return sendsScore(a.request) }

// isOfItems says whether it is about line items.
func (a answered) isOfItems() bool {
	return strings.HasPrefix(a.request.Accept, lti.MediaTypeLineItem) || strings.HasPrefix(a.request.Accept, lti.MediaTypeLineItemContainer)
}

// hasMadeItemWithOK says whether a line item has been made, and the status is not that for it.
func (a answered) hasMadeItemWithOK() bool {
	return a.isOfItems() && a.request.Method == http.MethodPost && a.Status == http.StatusOK
}

// needsOKForScores takes no other status than 200 and 201 for success.
func needsOKForScores(a answered) error {
	if a.isOfScore() && a.Status != http.StatusOK && a.Status != http.StatusCreated {
		return fmt.Errorf("HTTP %d", a.Status)
	}
	return nil
}

// chokesOnItems says an error where the answer about line items has something.
func chokesOnItems(has *regexp.Regexp, says error) fault.Effect {
	return chokesOn(func(a answered) bool { return a.isOfItems() && has.Match(a.Body) }, says)
}

var (
	labelMember  = regexp.MustCompile(`"label"\s*:\s*"([^"]*)"`)
	textMaximum  = regexp.MustCompile(`"scoreMaximum"\s*:\s*"`)
	nullMember   = regexp.MustCompile(`:\s*null\b`)
	vendorMember = regexp.MustCompile(`"https?://[^"]*"\s*:`)
	offsetDate   = regexp.MustCompile(`DateTime"\s*:\s*"[^"]*[+-]\d\d:\d\d"`)
)

// What faults take at most of access tokens, labels and comments.
const (
	shortToken   = 1024
	shortLabel   = 100
	shortComment = 1000
)

// hasLongLabel says whether a line item has a label that is longer than a fault takes.
func (a answered) hasLongLabel() bool {
	return a.isOfItems() && slices.ContainsFunc(labelMember.FindAllSubmatch(a.Body, -1), func(found [][]byte) bool { return utf8.RuneCount(found[1]) > shortLabel })
}

// Lists.

// stops leaves the rest of a list unread.
func stops(when func(listing) bool) fault.Effect { return goesOn.Take(false, when) }

// leadsTo goes on elsewhere, where a list goes on.
func leadsTo(next func(listing) string) fault.Effect {
	return nextNamed.Change(func(l listing) listing {
		if l.next != "" {
			l.next = next(l)
		}
		return l
	})
}

// links are those of the last page, as they came.
func (l listing) links() string { return strings.Join(l.header.Values("Link"), ", ") }

// isRelative says whether the link to the next page is no whole address.
func (l listing) isRelative() bool {
	return l.next != "" && !strings.Contains(l.links(), "<"+l.next+">")
}

func (l listing) isUnquoted() bool { return !strings.Contains(l.links(), `"next"`) }

func (l listing) firstLink() string { return l.targetAt(strings.IndexByte(l.links(), '<')) }
func (l listing) lastLink() string  { return l.targetAt(strings.LastIndexByte(l.links(), '<')) }

// targetAt is what is between the bracket at a place and the next one.
func (l listing) targetAt(i int) string {
	target, _, _ := strings.Cut(l.links()[max(i, 0):], ">")
	return strings.TrimPrefix(target, "<")
}

func (l listing) nextAnew() string {
	u, err := url.Parse(l.next)
	if err != nil {
		return l.next
	}
	return strings.TrimSuffix(l.next, u.RawQuery) + u.Query().Encode()
}

func (l listing) nextWithFilters() string {
	_, query, _ := strings.Cut(l.list, "?")
	return part.WithQuery(l.next, query)
}

// isCircle says whether a list goes on for as long as a fault follows it.
func (l listing) isCircle() bool { return l.read < 4*maxPages }

func crashesOnRelativeNext(l listing) error {
	if l.isRelative() {
		return part.Crash{}
	}
	return nil
}

func crashesOnNullElements(l listing) error {
	if slices.ContainsFunc(l.page, isNull) {
		return part.Crash{}
	}
	return nil
}

// Line items.

// searches looks for line items otherwise.
func searches(to func(*itemSearch)) fault.Effect {
	return itemsAsked.Change(func(s itemSearch) itemSearch {
		to(&s)
		return s
	})
}

func dropItemsQuery(s *itemSearch) {
	s.items, _, _ = strings.Cut(s.items, "?")
	s.narrow()
}

func searchWithoutFilters(s *itemSearch) {
	if len(s.wanted) > 0 {
		s.wanted = nil
		s.narrow()
	}
}

func askForSmallPages(s *itemSearch) {
	if s.wanted != nil {
		s.wanted = maps.Clone(s.wanted)
		s.wanted.Set("limit", "2")
		s.narrow()
	}
}

func writeLinkUnescaped(s *itemSearch) {
	link := s.wanted.Get("resource_link_id")
	s.address = strings.Replace(s.address, url.QueryEscape(link), link, 1)
}

func addSecondQuery(s *itemSearch) {
	if query := s.wanted.Encode(); query != "" && strings.Contains(s.items, "?") {
		s.address = s.items + "?" + query
	}
}

// knowsLearner says whether the learner has handed in work before at the place.
func (l looking) knowsLearner() bool {
	_, found := l.t.LastWork(func(w Work) bool { return w.Of == l.launch.book.Of && w.Sub == l.launch.Sub })
	return found
}

// MakesItemWith makes a line item with other members; nil takes one away.
func MakesItemWith(members func(Making) map[string]any) fault.Effect {
	return itemMade.Change(func(m Making) Making {
		m.Members = Changed(m.Members, members(m))
		return m
	})
}

// makesItemSaying makes a line item with another member that is always the same.
func makesItemSaying(name string, value any) fault.Effect {
	return MakesItemWith(func(Making) map[string]any { return map[string]any{name: value} })
}

// startsNow makes a line item with a time at which it begins.
func startsNow(format string) fault.Effect {
	return MakesItemWith(func(m Making) map[string]any {
		return map[string]any{"startDateTime": m.Core.Now().UTC().Format(format)}
	})
}

// putsWithout puts a line item back without some of its members.
func putsWithout(drops func(name string) bool) fault.Effect {
	return ItemPut.Change(func(p Putting) Putting {
		maps.DeleteFunc(p.Members, func(name string, _ json.RawMessage) bool { return drops(name) })
		return p
	})
}

// named says whether a member has a name.
func named(wanted string) func(string) bool {
	return func(name string) bool { return name == wanted }
}

func isVendors(name string) bool { return strings.Contains(name, "://") }

func roundMaximum(p Putting) Putting {
	var maximum float64
	_ = json.Unmarshal(p.Members["scoreMaximum"], &maximum)
	if maximum != float64(int(maximum)) {
		p.Members["scoreMaximum"] = json.RawMessage(strconv.Itoa(int(maximum)))
	}
	return p
}

// Scores.

// PostsTo posts scores to another address.
func PostsTo(to func(ScoresURL) string) fault.Effect {
	return scoresNamed.Change(func(s ScoresURL) ScoresURL {
		s.URL = to(s)
		return s
	})
}

// WithoutQuery is the address of scores where that of the line item has no query.
func (s ScoresURL) WithoutQuery() string {
	path, _, _ := strings.Cut(s.LineItem, "?")
	return path + "/scores"
}

func replacesPathInHost(s ScoresURL) string {
	path, query, has := strings.Cut(s.LineItem, "?")
	if has {
		query = "?" + query
	}
	part := path[strings.LastIndexByte(path, '/')+1:]
	return strings.Replace(path, part, part+"/scores", 1) + query
}

func looksForScoresInURL(s ScoresURL) string {
	if path, _, _ := strings.Cut(s.LineItem, "?"); strings.Contains(path, "/scores") {
		return s.LineItem
	}
	return s.URL
}

func chokesOnPort(s ScoresURL) error {
	if u, err := url.Parse(s.URL); err == nil && u.Port() != "" {
		return errors.New("the address of the line item cannot be read")
	}
	return nil
}

// Formats of times that are none of a score.
const (
	WholeSeconds = "2006-01-02T15:04:05Z"
	WithoutZone  = "2006-01-02T15:04:05.000"
)

// ScoresWith posts scores with other members; nil takes one away.
func ScoresWith(members func(Scoring) map[string]any) fault.Effect {
	return scoreSaid.Change(func(s Scoring) Scoring {
		s.Members = Changed(s.Members, members(s))
		return s
	})
}

// scoresSaying posts scores with another member that is always the same.
func scoresSaying(name string, value any) fault.Effect {
	return ScoresWith(func(Scoring) map[string]any { return map[string]any{name: value} })
}

// stampsScores posts scores with their time in another format.
func stampsScores(stamp func(now time.Time) any) fault.Effect {
	return ScoresWith(func(s Scoring) map[string]any { return map[string]any{"timestamp": stamp(s.Now)} })
}

// stampsScoresAs is the same with a layout of package time.
func stampsScoresAs(layout string) fault.Effect {
	return stampsScores(func(now time.Time) any { return now.Format(layout) })
}

// twoHoursAhead is a time in a zone other than UTC.
func twoHoursAhead(at time.Time) time.Time {
	return at.In(time.FixedZone("two hours ahead", 2*60*60))
}

// pointsWith posts points with other members.
func pointsWith(members func(given json.Number, points float64) map[string]any) fault.Effect {
	return ScoresWith(func(s Scoring) map[string]any {
		given, isGraded := s.Members["scoreGiven"].(json.Number)
		points, err := given.Float64()
		if !isGraded || err != nil {
			return nil
		}
		return members(given, points)
	})
}

// ungradedWith posts scores that have no points with other members.
func ungradedWith(members map[string]any) fault.Effect {
	return ScoresWith(func(s Scoring) map[string]any {
		if _, isGraded := s.Members["scoreGiven"].(json.Number); isGraded {
			return nil
		}
		return members
	})
}

func dropsZeroPoints(_ json.Number, points float64) map[string]any {
	if points == 0 {
		return map[string]any{"scoreGiven": nil, "scoreMaximum": nil}
	}
	return nil
}

func scoresOutOfHundred(_ json.Number, points float64) map[string]any {
	return map[string]any{"scoreGiven": points * 10, "scoreMaximum": 10 * ScoreMaximum}
}

func sendsGradingInLowerCase(s Scoring) map[string]any {
	grading, _ := s.Members["gradingProgress"].(string)
	return map[string]any{"gradingProgress": strings.ToLower(grading)}
}

// StampsNext posts a learner's further scores with another time, where they are such ones.
func StampsNext(such func(Timing) bool, with func(Timing) time.Time) fault.Effect {
	return scoreTimed.Change(func(s Timing) Timing {
		if !s.Last.IsZero() && (such == nil || such(s)) {
			s.Next = with(s)
		}
		return s
	})
}

// TimeBefore is that of the learner's last score.
func TimeBefore(s Timing) time.Time { return s.Last }

func saysSaved(p toldPage) toldPage {
	p.say(nil)
	return p
}

func saysNothing(p toldPage) toldPage {
	p.Says, p.Outcome = "Thank you.", ""
	return p
}

// Results.

// crashesOnResult breaks down at such a result.
func crashesOnResult(such func(result) bool) fault.Effect {
	return resultRead.Add(func(r result) error {
		if such(r) {
			return part.Crash{}
		}
		return nil
	})
}

func crashesOnNoResults(all []shownResult) error {
	if len(all) == 0 {
		return part.Crash{}
	}
	return nil
}

// score is what is said of it; false where nothing is.
func (r shownResult) score() (any, bool) {
	score, said := r.members["resultScore"]
	return score, said
}

func (r result) lacksScore() bool {
	_, said := r.score()
	return !said
}

func (r result) hasNullScore() bool {
	score, said := r.score()
	return said && score == nil
}

func (r result) hasScoreOfOtherType() bool {
	return !r.lacksScore() && !r.hasNullScore() && !r.HasScore
}

func (r result) lacksMaximum() bool { return r.members["resultMaximum"] == nil }

func refusesNullResultScore(r result) error {
	if r.hasNullScore() {
		return errors.New("resultScore is not a number")
	}
	return nil
}

func takesOutOfHundred(r result) result {
	if r.lacksMaximum() && r.HasScore {
		r.Maximum = 100
	}
	return r
}

// work is what the learner has handed in; nil where the tool knows of nothing.
func (r result) work() *Work {
	one, found := r.t.LastWork(Work{Of: r.of, LineItem: r.lineItem, Sub: r.UserID}.SameAs)
	if !found {
		return nil
	}
	return &one
}

func (r result) isStrangers() bool { return r.work() == nil }

// isOverridden says whether a result is not what the last score said.
func (r result) isOverridden() bool {
	one := r.work()
	if one == nil || !r.HasScore {
		return false
	}
	one.scores.mu.Lock()
	defer one.scores.mu.Unlock()
	points := one.scores.points
	return points == nil || *points/ScoreMaximum != r.Score/r.Maximum
}

// null is what a member that is there says nothing with.
var null = json.RawMessage("null")
