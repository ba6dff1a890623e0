package faketool

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

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What several faults of the grade services have in common, and what takes more than a line
// of theirs.

// changed returns members with others instead, of which nil takes one away; the same ones
// where that makes no difference.
func changed(members, others map[string]any) map[string]any {
	now := maps.Clone(members)
	change(now, others)
	if asJSON(now) == asJSON(members) {
		return members
	}
	return now
}

// Where the gradebook is.

// readsItems is a scope of a gradebook to read line items with; false where it offers none.
func (g *gradebook) readsItems() (string, bool) {
	for _, scope := range []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem} {
		if g.offers(scope) {
			return scope, true
		}
	}
	return lti.ScopeLineItemReadOnly, false
}

// offersItems says whether the platform lets line items be read.
func (d due) offersItems() bool {
	_, offered := d.grades.readsItems()
	return offered
}

func (d due) hidesItems() bool { return !d.offersItems() }

// readsItem reads the line item. What comes of it is no matter.
func readsItem(d due) due {
	if scope, offered := d.grades.readsItems(); offered {
		d.read(d.grades, scope)
	} else {
		d.read(d.grades.with(scope), scope)
	}
	return d
}

// guessed is where the line items of a course would be that offers none, if they were where
// those of the launch before are; empty where that cannot be guessed.
func (l launching) guessed() string {
	before, here := l.last.place.context, l.launch.place.context
	if !l.q.opensLink() || l.launch.grades != nil || l.last.grades == nil || before == "" || here == "" {
		return ""
	}
	if guessed := strings.Replace(l.last.grades.lineItems, before, here, 1); guessed != l.last.grades.lineItems {
		return guessed
	}
	return ""
}

func guessesGradebook(l launching) launching {
	scope := lti.ScopeLineItemReadOnly
	_, _ = l.q.t.callGrades(l.q.r.Context(), l.last.grades.with(scope), scope, GradeRequest{Method: http.MethodGet, URL: l.guessed(), Accept: lti.MediaTypeLineItemContainer})
	return l
}

// Requests and answers.

const mediaTypeJSON = "application/json"

// requestsWith changes requests to the grade services where they are such ones.
func requestsWith(such func(GradeRequest) bool, to func(*GradeRequest)) fault.Effect {
	return gradeRequested.Change(func(r GradeRequest) GradeRequest {
		if such(r) {
			to(&r)
		}
		return r
	})
}

func isOfItems(mediaType string) bool {
	return mediaType == lti.MediaTypeLineItem || mediaType == lti.MediaTypeLineItemContainer
}

func (r GradeRequest) sendsItem() bool    { return isOfItems(r.MediaType) }
func (r GradeRequest) sendsScore() bool   { return r.MediaType == lti.MediaTypeScore }
func (r GradeRequest) asksForItems() bool { return isOfItems(r.Accept) }
func (r GradeRequest) readsItems() bool   { return r.asksForItems() && r.Method == http.MethodGet }
func (r GradeRequest) writesItem() bool   { return r.asksForItems() && r.Method != http.MethodGet }

// isOfItem says whether a request is for one line item that there is.
func (r GradeRequest) isOfItem() bool {
	return r.Accept == lti.MediaTypeLineItem && r.Method != http.MethodPost
}

func dropQuery(r *GradeRequest) { r.URL, _, _ = strings.Cut(r.URL, "?") }

func acceptNothing(r *GradeRequest) { r.Accept = "" }

// repeatsLater sends a score once more with another time.
func repeatsLater(by time.Duration) fault.Effect {
	return callRepeated.Change(func(r GradeRequest) GradeRequest {
		members, _ := r.Body.(map[string]any)
		sent, _ := members["timestamp"].(string)
		if at, err := time.Parse(time.RFC3339Nano, sent); err == nil {
			r.Body = changed(members, map[string]any{"timestamp": at.Add(by).Format(instant)})
		}
		return r
	})
}

// chokesOn says an error of such answers of success.
func chokesOn(such func(answered) bool, says error) fault.Effect {
	return gradesAnswered.Add(func(a answered) error {
		if such(a) {
			return says
		}
		return nil
	})
}

// crashesOnStatus breaks down where a grade service has answered with a status of failure.
func crashesOnStatus(status int) fault.Effect {
	return callSucceeded.Answer(func(a answered) bool { return a.Status == status }, func(answered, error) error { return errCrash })
}

func (a answered) isOfScore() bool { return a.request.sendsScore() }

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
	return withQuery(l.next, query)
}

// isCircle says whether a list goes on for as long as a fault follows it.
func (l listing) isCircle() bool { return l.read < 4*maxPages }

func crashesOnRelativeNext(l listing) error {
	if l.isRelative() {
		return errCrash
	}
	return nil
}

func crashesOnNullElements(l listing) error {
	if slices.ContainsFunc(l.page, isNull) {
		return errCrash
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
		s.wanted = cloneValues(s.wanted)
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
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	return slices.ContainsFunc(l.t.works, func(w work) bool { return w.of == l.launch.grades.of && w.sub == l.launch.Sub })
}

// makesItemWith makes a line item with other members; nil takes one away.
func makesItemWith(members func(making) map[string]any) fault.Effect {
	return itemMade.Change(func(m making) making {
		m.members = changed(m.members, members(m))
		return m
	})
}

// makesItemSaying makes a line item with another member that is always the same.
func makesItemSaying(name string, value any) fault.Effect {
	return makesItemWith(func(making) map[string]any { return map[string]any{name: value} })
}

// startsNow makes a line item with a time at which it begins.
func startsNow(format string) fault.Effect {
	return makesItemWith(func(m making) map[string]any {
		return map[string]any{"startDateTime": m.t.opts.Now().UTC().Format(format)}
	})
}

// putsWithout puts a line item back without some of its members.
func putsWithout(drops func(name string) bool) fault.Effect {
	return itemPut.Change(func(p putting) putting {
		maps.DeleteFunc(p.members, func(name string, _ json.RawMessage) bool { return drops(name) })
		return p
	})
}

// named says whether a member has a name.
func named(wanted string) func(string) bool {
	return func(name string) bool { return name == wanted }
}

func isVendors(name string) bool { return strings.Contains(name, "://") }

func roundMaximum(p putting) putting {
	var maximum float64
	_ = json.Unmarshal(p.members["scoreMaximum"], &maximum)
	if maximum != float64(int(maximum)) {
		p.members["scoreMaximum"] = json.RawMessage(strconv.Itoa(int(maximum)))
	}
	return p
}

// Scores.

// postsTo posts scores to another address.
func postsTo(to func(scoresURL) string) fault.Effect {
	return scoresNamed.Change(func(s scoresURL) scoresURL {
		s.url = to(s)
		return s
	})
}

// withoutQuery is the address of scores where that of the line item has no query.
func (s scoresURL) withoutQuery() string {
	path, _, _ := strings.Cut(s.lineItem, "?")
	return path + "/scores"
}

func dropsQueryOfGrade(s scoresURL) string {
	if s.grade {
		return s.withoutQuery()
	}
	return s.url
}

func replacesPathInHost(s scoresURL) string {
	path, query, has := strings.Cut(s.lineItem, "?")
	if has {
		query = "?" + query
	}
	part := path[strings.LastIndexByte(path, '/')+1:]
	return strings.Replace(path, part, part+"/scores", 1) + query
}

func looksForScoresInURL(s scoresURL) string {
	if path, _, _ := strings.Cut(s.lineItem, "?"); strings.Contains(path, "/scores") {
		return s.lineItem
	}
	return s.url
}

func chokesOnPort(s scoresURL) error {
	if u, err := url.Parse(s.url); err == nil && u.Port() != "" {
		return errors.New("the address of the line item cannot be read")
	}
	return nil
}

// Formats of times that are none of a score.
const (
	wholeSeconds = "2006-01-02T15:04:05Z"
	withoutZone  = "2006-01-02T15:04:05.000"
)

// scoresWith posts scores with other members; nil takes one away.
func scoresWith(members func(scoring) map[string]any) fault.Effect {
	return scoreSaid.Change(func(s scoring) scoring {
		s.members = changed(s.members, members(s))
		return s
	})
}

// scoresSaying posts scores with another member that is always the same.
func scoresSaying(name string, value any) fault.Effect {
	return scoresWith(func(scoring) map[string]any { return map[string]any{name: value} })
}

// stampsScores posts scores with their time in another format.
func stampsScores(stamp func(now time.Time) any) fault.Effect {
	return scoresWith(func(s scoring) map[string]any { return map[string]any{"timestamp": stamp(s.now)} })
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
	return scoresWith(func(s scoring) map[string]any {
		given, isGraded := s.members["scoreGiven"].(json.Number)
		points, err := given.Float64()
		if !isGraded || err != nil {
			return nil
		}
		return members(given, points)
	})
}

// ungradedWith posts scores that have no points with other members.
func ungradedWith(members map[string]any) fault.Effect {
	return scoresWith(func(s scoring) map[string]any {
		if _, isGraded := s.members["scoreGiven"].(json.Number); isGraded {
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
	return map[string]any{"scoreGiven": points * 10, "scoreMaximum": 10 * scoreMaximum}
}

func sendsGradingInLowerCase(s scoring) map[string]any {
	grading, _ := s.members["gradingProgress"].(string)
	return map[string]any{"gradingProgress": strings.ToLower(grading)}
}

// stampsNext posts a learner's further scores with another time, where they are such ones.
func stampsNext(such func(timing) bool, with func(timing) time.Time) fault.Effect {
	return scoreTimed.Change(func(s timing) timing {
		if !s.last.IsZero() && such(s) {
			s.next = with(s)
		}
		return s
	})
}

func timeBefore(s timing) time.Time { return s.last }

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
			return errCrash
		}
		return nil
	})
}

func crashesOnNoResults(all []shownResult) error {
	if len(all) == 0 {
		return errCrash
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
func (r result) work() *work {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	one, found := r.t.lastWork(work{of: r.of, lineItem: r.lineItem, sub: r.UserID}.sameAs)
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
	return points == nil || *points/scoreMaximum != r.Score/r.Maximum
}
