package faketool

import (
	"cmp"
	"context"
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

	"invigilator.example/lti"
)

// errCrash is what the tool dies of.
var errCrash = &refusal{http.StatusInternalServerError, "null"}

// asked returns the scopes that an access token is asked for where one is needed:
// all that are announced, but for the faults.
func (t *Tool) asked(g *gradebook, needed string) []string {
	scopes := g.scopes
	if len(scopes) > 1 && t.has(AsksForOneScope) {
		scopes = []string{needed}
	}
	if len(scopes) < len(lti.GradeScopes) && t.has(AsksForAllScopes) {
		scopes = lti.GradeScopes
	}
	if t.has(AsksForControlScope) {
		scopes = append(slices.Clone(scopes), lti.ScopeControl)
	}
	return scopes
}

// forget is the fault of keeping no access token.
func (t *Tool) forget(key grantKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, kept := t.grants[key]; kept && t.has(FetchesTokenEachTime) {
		delete(t.grants, key)
	}
}

// readFirst reads a line item before a score is posted there. What came of it is no
// matter.
func (t *Tool) readFirst(ctx context.Context, g *gradebook) {
	scope := lti.ScopeLineItemReadOnly
	if !g.offers(scope) && g.offers(lti.ScopeLineItem) {
		scope = lti.ScopeLineItem
	}
	switch {
	case g.offers(scope) && t.has(ReadsLineItemFirst):
	case !g.offers(scope) && t.has(ReadsUnannouncedLineItem):
		g = g.with(scope)
	default:
		return
	}
	_, _ = t.callGrades(ctx, g, scope, GradeRequest{Method: http.MethodGet, URL: g.lineItem, Accept: lti.MediaTypeLineItem})
}

// guessGradebook is the fault of looking for line items where a launch offers none:
// as if they were where those of the launch before are.
func (t *Tool) guessGradebook(ctx context.Context, before, l Launch) {
	if l.grades != nil || before.grades == nil || before.place.context == "" || l.place.context == "" {
		return
	}
	guessed := strings.Replace(before.grades.lineItems, before.place.context, l.place.context, 1)
	if guessed != before.grades.lineItems && t.has(GuessesGradebook) {
		scope := lti.ScopeLineItemReadOnly
		_, _ = t.callGrades(ctx, before.grades.with(scope), scope, GradeRequest{Method: http.MethodGet, URL: guessed, Accept: lti.MediaTypeLineItemContainer})
	}
}

const mediaTypeJSON = "application/json"

// spoilCall applies the faults of the headers of a request.
func (t *Tool) spoilCall(r *GradeRequest) {
	ofItems := func(mediaType string) bool {
		return mediaType == lti.MediaTypeLineItem || mediaType == lti.MediaTypeLineItemContainer
	}
	if ofItems(r.MediaType) {
		if t.has(NamesCharsetOfItems) {
			r.MediaType += "; charset=utf-8"
		}
		if t.has(SendsItemAsJSON) {
			r.MediaType = mediaTypeJSON
		}
	}
	if ofItems(r.Accept) {
		if t.has(AcceptsJSONToo) {
			r.Accept += ", " + mediaTypeJSON + ";q=0.5"
		}
		if t.has(AsksForItemsAsJSON) {
			r.Accept = mediaTypeJSON
		}
		if reads := r.Method == http.MethodGet; reads && t.has(AsksWithoutAccept) || !reads && t.has(PostsWithoutAccept) {
			r.Accept = ""
		}
	}
	if address, _, has := strings.Cut(r.URL, "?"); has && r.Accept == lti.MediaTypeLineItem && r.Method != http.MethodPost && t.has(DropsItemQuery) {
		r.URL = address
	}
	if r.MediaType == lti.MediaTypeScore && t.has(SendsScoreAsJSON) {
		r.MediaType = mediaTypeJSON
	}
}

// spoilRetry applies the faults of what is sent once more: whether the time of a
// score is another one then.
func (t *Tool) spoilRetry(r *GradeRequest) {
	members, _ := r.Body.(map[string]any)
	sent, _ := members["timestamp"].(string)
	at, err := time.Parse(time.RFC3339Nano, sent)
	if err != nil {
		return
	}
	for fault, shift := range map[string]time.Duration{RetriesWithEarlierTime: -time.Second, RetriesWithNewTime: time.Millisecond} {
		if t.has(fault) {
			members["timestamp"] = at.Add(shift).Format(instant)
		}
	}
}

// misjudges says what a fault makes of the answer to a score that was taken.
func (t *Tool) misjudges(r GradeRequest, e *Exchange) error {
	if r.MediaType != lti.MediaTypeScore || e.Status/100 != 2 {
		return nil
	}
	switch {
	case len(e.Body) > 0 && t.has(ChokesOnScoreBody), len(e.Body) == 0 && t.has(CrashesOnNoContent):
		return errCrash
	case e.Status != http.StatusOK && e.Status != http.StatusCreated && t.has(NeedsOKForScores):
		return fmt.Errorf("HTTP %d", e.Status)
	}
	return nil
}

// crashOfCall is how the tool dies of what a grade service answered, if it does.
func (t *Tool) crashOfCall(e *Exchange) error {
	if e.Status == http.StatusTooManyRequests && t.has(CrashesOnTooManyRequests) || e.Status == http.StatusServiceUnavailable && t.has(CrashesOnUnavailable) {
		return errCrash
	}
	return nil
}

// crashOfList is what the tool says of a list that is none, or dies of.
func (t *Tool) crashOfList(fault string, says error) error {
	if t.has(fault) {
		return errCrash
	}
	return says
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// What faults take at most of access tokens, labels and comments.
const (
	shortToken   = 1024
	shortLabel   = 100
	shortComment = 1000
)

// hasLongLabel says whether a body has a label that is longer than a fault takes.
func hasLongLabel(body []byte) bool {
	return slices.ContainsFunc(labelMember.FindAllSubmatch(body, -1), func(found [][]byte) bool { return utf8.RuneCount(found[1]) > shortLabel })
}

var (
	labelMember  = regexp.MustCompile(`"label"\s*:\s*"([^"]*)"`)
	textMaximum  = regexp.MustCompile(`"scoreMaximum"\s*:\s*"`)
	nullMember   = regexp.MustCompile(`:\s*null\b`)
	vendorMember = regexp.MustCompile(`"https?://[^"]*"\s*:`)
	offsetDate   = regexp.MustCompile(`DateTime"\s*:\s*"[^"]*[+-]\d\d:\d\d"`)
)

// misread says what the tool cannot read of an answer about line items; nil where it
// can, as it should.
func (t *Tool) misread(r GradeRequest, e *Exchange) error {
	aboutItems := strings.HasPrefix(r.Accept, lti.MediaTypeLineItem) || strings.HasPrefix(r.Accept, lti.MediaTypeLineItemContainer)
	if e.Status/100 != 2 || !aboutItems {
		return nil
	}
	switch {
	case r.Method == http.MethodPost && e.Status == http.StatusOK && t.has(NeedsCreated):
		return errors.New("the platform has made no line item")
	case strings.Contains(e.ContentType, ";") && t.has(NeedsBareMediaType):
		return errors.New("the platform's line items are of another media type")
	case hasLongLabel(e.Body) && t.has(ChokesOnLongLabels):
		return errors.New("the platform's line item has a label that is too long")
	case textMaximum.Match(e.Body) && t.has(CrashesOnItemTypes):
		return errCrash
	case nullMember.Match(e.Body) && t.has(ChokesOnNullMembers):
		return errCrash
	case offsetDate.Match(e.Body) && t.has(NeedsDatesInUTC):
		return errors.New("a date of the platform's line item is not in UTC")
	case vendorMember.Match(e.Body) && t.has(ChokesOnVendorMembers):
		return errors.New("the platform's line item has members that are unknown")
	default:
		return nil
	}
}

// search is the address of line items, narrowed to those that are looked for.
func (t *Tool) search(items string, wanted url.Values) string {
	path, _, hasQuery := strings.Cut(items, "?")
	if hasQuery && t.has(DropsItemsQuery) {
		items = path
	}
	if len(wanted) > 0 && t.has(SearchesWithoutFilters) {
		wanted = nil
	}
	if wanted != nil && t.has(AsksForSmallPages) {
		wanted.Set("limit", "2")
	}
	link := wanted.Get("resource_link_id")
	query := wanted.Encode()
	if escaped := url.QueryEscape(link); escaped != link && t.has(WritesLinkUnescaped) {
		query = strings.Replace(query, escaped, link, 1)
	}
	switch {
	case query == "":
		return items
	case strings.Contains(items, "?") && t.has(AddsSecondItemsQuery):
		return items + "?" + query
	default:
		return withQuery(items, query)
	}
}

// spoilNext applies the faults of following a list to its next page.
func (t *Tool) spoilNext(header http.Header, list, next string, more bool) (string, bool) {
	links := strings.Join(header.Values("Link"), ", ")
	first, last := targetAt(links, strings.IndexByte(links, '<')), targetAt(links, strings.LastIndexByte(links, '<'))
	u, err := url.Parse(next)
	if err != nil {
		return next, more
	}
	_, query, _ := strings.Cut(list, "?")
	for _, spoil := range []struct {
		fault, next string
		more        bool
	}{
		{ReadsFirstPage, next, false},
		{TakesFirstLink, first, first != ""},
		{TakesLastLink, last, last != ""},
		{NeedsAbsoluteNext, next, !relative(header, next)},
		{NeedsQuotedRelation, next, strings.Contains(links, `"next"`)},
		{WritesNextAnew, strings.TrimSuffix(next, u.RawQuery) + u.Query().Encode(), more},
		{RepeatsFilters, withQuery(next, query), more},
	} {
		if more && (spoil.next != next || spoil.more != more) && t.has(spoil.fault) {
			return spoil.next, spoil.more
		}
	}
	return next, more
}

// makesAnother says whether a fault makes a line item where there is one already.
func (t *Tool) makesAnother(l Launch) bool {
	t.mu.Lock()
	knows := slices.ContainsFunc(t.works, func(w work) bool { return w.of == l.grades.of && w.sub == l.Sub })
	t.mu.Unlock()
	return t.has(MakesItemForEachWork) || !knows && t.has(MakesItemForEachLearner)
}

// relative says whether the link to the next page is no whole address.
func relative(header http.Header, next string) bool {
	return !strings.Contains(strings.Join(header.Values("Link"), ", "), "<"+next+">")
}

// targetAt is what is between the bracket at a place and the next one.
func targetAt(links string, i int) string {
	target, _, _ := strings.Cut(links[max(i, 0):], ">")
	return strings.TrimPrefix(target, "<")
}

// spoilItem applies the faults of a new line item.
func (t *Tool) spoilItem(item map[string]any) {
	t.spoilMembers(item, []spoiltMembers{
		{SendsIDOfNewItem, map[string]any{"id": t.opts.URL + "/work"}},
		{SendsBlankLabel, map[string]any{"label": " "}},
		{OmitsMaximum, map[string]any{"scoreMaximum": nil}},
		{SendsMaximumAsText, map[string]any{"scoreMaximum": strconv.Itoa(scoreMaximum)}},
		{SendsMaximumZero, map[string]any{"scoreMaximum": 0}},
		{SendsNullTag, map[string]any{"tag": null}},
		{SendsStartWithoutZone, map[string]any{"startDateTime": t.opts.Now().UTC().Format("2006-01-02T15:04:05")}},
		{SendsDates, map[string]any{"startDateTime": t.opts.Now().UTC().Format(time.RFC3339)}},
	})
}

// spoiltMembers are what a fault makes of some members; nil takes one away.
type spoiltMembers struct {
	fault   string
	members map[string]any
}

// spoilMembers applies faults to the members of a body, one after the other.
func (t *Tool) spoilMembers(body map[string]any, spoils []spoiltMembers) {
	for _, spoil := range spoils {
		changed := maps.Clone(body)
		change(changed, spoil.members)
		if asJSON(changed) != asJSON(body) && t.has(spoil.fault) {
			change(body, spoil.members)
		}
	}
}

// spoilRenamed applies the faults of putting a line item back.
func (t *Tool) spoilRenamed(item map[string]json.RawMessage) {
	var maximum float64
	_ = json.Unmarshal(item["scoreMaximum"], &maximum)
	if rounded := strconv.Itoa(int(maximum)); maximum != float64(int(maximum)) && t.has(RoundsMaximum) {
		item["scoreMaximum"] = json.RawMessage(rounded)
	}
	for fault, drops := range map[string]func(name string) bool{
		SendsLabelAndMaximum: func(name string) bool { return name != "label" && name != "scoreMaximum" },
		DropsGradesReleased:  func(name string) bool { return name == "gradesReleased" },
		LeavesLinkOut:        func(name string) bool { return name == "resourceLinkId" },
		DropsVendorMembers:   func(name string) bool { return strings.Contains(name, "://") },
	} {
		drop := func(name string, _ json.RawMessage) bool { return drops(name) }
		if slices.ContainsFunc(slices.Collect(maps.Keys(item)), drops) && t.has(fault) {
			maps.DeleteFunc(item, drop)
		}
	}
}

// scoresOf is where scores at a line item are posted to.
func (t *Tool) scoresOf(lineItem string, grade bool) (string, error) {
	to := Below(lineItem, "scores")
	path, query, _ := strings.Cut(lineItem, "?")
	part := path[strings.LastIndexByte(path, '/')+1:]
	for fault, spoilt := range map[string]string{
		AppendsScoresToURL:  lineItem + "/scores",
		DropsScoreQuery:     path + "/scores",
		ReplacesPathInHost:  strings.Replace(path, part, part+"/scores", 1) + withMark(query),
		LooksForScoresInURL: map[bool]string{true: lineItem, false: to}[strings.Contains(path, "/scores")],
	} {
		if spoilt != to && t.has(fault) {
			return spoilt, nil
		}
	}
	if query != "" && grade && t.has(DropsQueryOfGrade) {
		return path + "/scores", nil
	}
	if u, err := url.Parse(to); err == nil && u.Port() != "" && t.has(ChokesOnPort) {
		return "", errors.New("the address of the line item cannot be read")
	}
	return to, nil
}

func withMark(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

// Formats of times that are none of a score.
const (
	wholeSeconds = "2006-01-02T15:04:05Z"
	withoutZone  = "2006-01-02T15:04:05.000"
)

// spoilScore applies the faults of a score (Assignment and Grade Services 2.0, 3.4).
func (t *Tool) spoilScore(score map[string]any, w work, now time.Time) {
	local := now.In(time.FixedZone("two hours ahead", 2*60*60))
	grading, _ := score["gradingProgress"].(string)
	spoils := []spoiltMembers{
		{OmitsActivityProgress, map[string]any{"activityProgress": nil}},
		{SendsOtherActivityProgress, map[string]any{"activityProgress": "Finished"}},
		{OmitsGradingProgress, map[string]any{"gradingProgress": nil}},
		{SendsGradingInLowerCase, map[string]any{"gradingProgress": strings.ToLower(grading)}},
		{SendsNullComment, map[string]any{"comment": null}},
		{AddsComment, map[string]any{"comment": "Told by the fake tool."}},
		{SendsEmptyScoringUser, map[string]any{"scoringUserId": ""}},
		{SendsNameOfLearner, map[string]any{"userId": cmp.Or(w.name, w.sub)}},
		{SendsWholeSeconds, map[string]any{"timestamp": now.Format(wholeSeconds)}},
		{SendsTimestampWithoutZone, map[string]any{"timestamp": now.Format(withoutZone)}},
		{SendsUnixTimestamp, map[string]any{"timestamp": now.UnixMilli()}},
		{LabelsLocalTimestampZ, map[string]any{"timestamp": local.Format(withoutZone) + "Z"}},
		{SendsOffset, map[string]any{"timestamp": local.Format("2006-01-02T15:04:05.000000Z07:00")}},
	}
	given, isGraded := score["scoreGiven"].(json.Number)
	if points, err := given.Float64(); isGraded && err == nil {
		spoils = append(spoils,
			spoiltMembers{OmitsMaximumOfScore, map[string]any{"scoreMaximum": nil}},
			spoiltMembers{SendsMaximumOfScoreZero, map[string]any{"scoreMaximum": 0}},
			spoiltMembers{SendsPointsAsText, map[string]any{"scoreGiven": given.String()}},
			spoiltMembers{ScoresOutOfHundred, map[string]any{"scoreGiven": points * 10, "scoreMaximum": 10 * scoreMaximum}},
		)
		if points == 0 {
			spoils = append(spoils, spoiltMembers{DropsZeroPoints, map[string]any{"scoreGiven": nil, "scoreMaximum": nil}})
		}
	} else {
		spoils = append(spoils,
			spoiltMembers{SendsZeroForUngraded, map[string]any{"scoreGiven": 0, "scoreMaximum": scoreMaximum}},
			spoiltMembers{SendsNullPoints, map[string]any{"scoreGiven": null}},
		)
	}
	t.spoilMembers(score, spoils)
}

// spoilResults applies the faults of reading results at a line item.
func (t *Tool) spoilResults(of client, lineItem string, all []shownResult) ([]shownResult, error) {
	t.mu.Lock()
	works := slices.Clone(t.works)
	t.mu.Unlock()
	workOf := func(r shownResult) int {
		return slices.IndexFunc(works, work{of: of, lineItem: lineItem, sub: r.UserID}.sameAs)
	}
	if len(all) == 0 && t.has(CrashesOnNoResults) {
		return nil, errCrash
	}
	for i, r := range all {
		score, hasScore := r.members["resultScore"]
		switch {
		case !hasScore && t.has(CrashesWithoutResultScore),
			hasScore && score == nil && t.has(CrashesOnNullResultScore),
			hasScore && score != nil && !r.HasScore && t.has(CrashesOnResultTypes), len(r.Comment) > shortComment && t.has(CrashesOnLongComments),
			r.members["resultMaximum"] == nil && t.has(CrashesWithoutResultMaximum),
			workOf(r) < 0 && t.has(CrashesOnStrangersResult),
			workOf(r) >= 0 && r.HasScore && works[workOf(r)].scores.differs(r) && t.has(CrashesOnOverriddenResult):
			return nil, errCrash
		case hasScore && score == nil && t.has(RefusesNullResultScore):
			return nil, errors.New("resultScore is not a number")
		case r.members["resultMaximum"] == nil && r.HasScore && t.has(TakesResultsOutOfHundred):
			all[i].Maximum = 100
		}
	}
	if stranger := func(r shownResult) bool { return workOf(r) < 0 }; slices.ContainsFunc(all, stranger) && t.has(HidesStrangersResults) {
		all = slices.DeleteFunc(all, stranger)
	}
	return all, nil
}

// differs says whether a result is not what the last score said.
func (c *scoreClock) differs(r shownResult) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.points == nil || *c.points/scoreMaximum != r.Score/r.Maximum
}
