package agent

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"invigilator.example/results"
)

//go:embed act.js
var actScript string

//go:embed hide.js
var hideScript string

// again is how long to wait before a page is asked again that went on while it
// was asked, where no event comes first.
const again = 100 * time.Millisecond

// journeys is what a browser's user keeps of the last visit or journey.
type journeys struct {
	windows []*tab // that it opened, besides the user's tab
	place   *place // where it ended
	lost    bool   // it ended in a page that is no longer there
	secrets []string
	whole   bool // they stay in what trips tell
}

// redaction takes out what the last journey's trips are not to tell.
func (j *journeys) redaction() redaction {
	if j.whole {
		return redaction{}
	}
	return redactionOf(j.secrets)
}

// place is a frame of a tab.
type place struct {
	tab   *tab
	frame cdp.FrameID
}

// place is where a visit shows what is to be looked at.
func (t *tab) place() *place {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &place{t, cmp.Or(t.watchedID(), t.top)}
}

// leave ends the visit or journey before: its windows close.
func (u *browserUser) leave() {
	for _, t := range u.windows {
		u.shut(t)
	}
	if u.tab != nil && u.tab.isGone() {
		u.shut(u.tab)
		u.tab = nil
	}
	u.journeys = journeys{}
}

// drop closes a tab that nothing can go on in.
func (u *browserUser) drop(t *tab) {
	if t == u.tab {
		u.tab = nil
	}
	u.windows = slices.DeleteFunc(u.windows, func(w *tab) bool { return w == t })
	u.place, u.lost = nil, true
	u.shut(t)
}

// keeps says whether a page is one that the user goes on in.
func (u *browserUser) keeps(id target.ID) bool {
	return slices.ContainsFunc(append([]*tab{u.tab}, u.windows...), func(t *tab) bool { return t != nil && t.id() == id })
}

// Go does what the journey says, see [User].
func (u *browserUser) Go(ctx context.Context, j Journey) (*Trip, error) {
	began := time.Now()
	deadline, cancel := context.WithTimeout(ctx, j.Deadline)
	defer cancel()
	w := &walk{user: u, journey: j, began: began, changed: make(chan struct{}, 1), queue: make(chan *target.Info, maxPages)}
	switch {
	case j.In != Here:
		u.leave()
		if err := u.ready(deadline); err != nil {
			return nil, whyNot(ctx, err)
		}
		w.tabs = []*tab{u.tab}
	case u.place != nil:
		w.beginHere()
	case u.lost:
		trip := u.nowhere("")
		trip.Stuck = &Stuck{Why: trip.Why}
		return trip, nil
	default:
		return nil, ErrNoJourney
	}
	trip, err := w.walk(deadline)
	if err != nil || ctx.Err() != nil {
		if u.tab != nil {
			u.drop(u.tab)
		}
		u.leave()
		return nil, whyNot(ctx, err)
	}
	trip.Took = time.Since(began)
	return trip, nil
}

// Forget clears the browser context.
func (u *browserUser) Forget(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, openDeadline)
	defer cancel()
	if u.tab != nil && u.tab.isGone() {
		u.drop(u.tab)
	}
	if err := u.ready(bounded); err != nil {
		return whyNot(ctx, err)
	}
	call, stop := u.tab.within(bounded)
	defer stop()
	_, err := chromedp.CallBrowser(call, storage.ClearCookies, storage.ClearCookiesParams{
		BrowserContextID: chromedp.FromContext(u.first.ctx).BrowserContextID,
	})
	if err == nil {
		_, err = chromedp.Call(call, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: "*", StorageTypes: "all"})
	}
	if err != nil {
		return fmt.Errorf("clear the browser context: %w", whyNot(ctx, err))
	}
	return nil
}

// goOn visits a page from where the last journey ended.
func (u *browserUser) goOn(ctx context.Context, began time.Time, v Visit) (*Trip, error) {
	if u.place == nil && !u.lost {
		return nil, ErrNoJourney
	}
	if u.place != nil && u.place.tab.isGone() {
		u.drop(u.place.tab)
	}
	if u.place == nil {
		return u.nowhere(v.URL), nil
	}
	t, id := u.place.tab, u.place.frame
	t.begin(began, v.URL, id != t.topID())
	t.mu.Lock()
	t.here, t.secrets = true, u.secrets
	if t.inFrame {
		t.child = id
	}
	t.mu.Unlock()
	if err := t.blockThirdPartyCookies(v.BlockThirdPartyCookies); err != nil {
		return nil, err
	}
	ended := Settled
	if _, err := t.evaluate(ctx, id, "void location.assign("+literal(v.URL)+")"); err != nil && !goneOn(err) {
		t.note("the page could not go on: %v", err)
		ended = Unreadable
		if ctx.Err() != nil {
			ended = TimedOut
		}
	}
	if ended == Settled {
		ended = t.rest(ctx, v.Quiet)
	}
	trip := t.tell(ctx, ended, v)
	u.redaction().trip(trip)
	t.mu.Lock()
	u.place.frame = t.watchedID()
	runaway := trip.Ended == RedirectLoop && t.pages > maxPages || t.windows > maxPages
	t.mu.Unlock()
	trip.In = u.placeOf(u.place)
	if trip.Ended != Settled && (runaway || !t.answers(u.place.frame)) {
		u.drop(t)
		return trip, nil
	}
	return trip, u.closeWindows(t)
}

// nowhere tells of a user who has no page to go on from.
func (*browserUser) nowhere(url string) *Trip {
	return &Trip{
		Ended: Unreadable, Why: "the page that the user was on is no longer there", Markers: map[string]bool{},
		Page: results.Page{URL: url},
	}
}

func (u *browserUser) placeOf(p *place) Place {
	switch {
	case p.frame != p.tab.topID():
		return Frame
	case p.tab != u.tab:
		return Window
	default:
		return Tab
	}
}

// What a tab tells of itself.

func (t *tab) id() target.ID {
	if opened := chromedp.FromContext(t.ctx).Target; opened != nil {
		return opened.TargetID
	}
	return ""
}

func (t *tab) topID() cdp.FrameID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.top
}

// gone returns a channel that closes when the tab has closed.
func (t *tab) gone() <-chan struct{} {
	if chromedp.FromContext(t.ctx).Target == nil {
		return nil
	}
	gone, err := chromedp.Detached(t.ctx)
	if err != nil {
		return nil
	}
	return gone
}

func (t *tab) isGone() bool {
	select {
	case <-t.gone():
		return true
	default:
		return t.ctx.Err() != nil
	}
}

// answers says whether a frame can still be asked something.
func (t *tab) answers(id cdp.FrameID) bool {
	if t.state().crashed {
		return false
	}
	t.halt()
	ctx, cancel := context.WithTimeout(t.ctx, lastDeadline)
	defer cancel()
	_, err := t.evaluate(ctx, id, "1")
	return err == nil
}

// resume begins a journey in the page that the tab shows.
func (t *tab) resume(at time.Time, secrets []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renewLocked(at)
	t.journey, t.here, t.inFrame, t.child = true, false, false, ""
	t.until, t.reached, t.secrets = "", "", secrets
	for _, f := range t.frames {
		f.download, f.requested = false, false
	}
}

// act lets the next action have what one page may have.
func (t *tab) act() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pages, t.bytes, t.beside, t.said = 0, 0, 0, 0
}

// look makes one frame the one that is watched and told of.
func (t *tab) look(id cdp.FrameID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.journey = false
	t.inFrame, t.child = id != t.top, id
	if !t.inFrame {
		t.child = ""
	}
	if t.frames[id] == nil { // the empty page of a new tab
		t.frames[id] = &frame{url: "about:blank", committed: true}
	}
}

// togetherLocked is the state of all frames at once.
func (t *tab) togetherLocked(s *state) {
	s.idle, s.atRest = true, true
	for _, f := range t.frames {
		s.idle = s.idle && !f.started && !f.loading
		s.atRest = s.atRest && !f.requested
	}
	s.atRest = s.atRest && s.idle
	s.waits = len(t.inFlight) > 0
	top := t.frames[t.top]
	s.lingers = !s.idle && t.parsed && top != nil && top.committed && !top.started && !top.requested
	if s.atRest && top != nil && top.download {
		s.ended = Download
	}
}

// reachLocked notes where a frame came to, and whether the journey is to end there: it
// may go on at once.
func (t *tab) reachLocked(id cdp.FrameID, f *frame) {
	f.came = t.moves
	if t.until != "" && t.frames[t.reached] == nil && !f.failed && strings.HasPrefix(f.url, t.until) {
		t.reached = id
	}
}

// arrived returns the frame that is where the journey is to end: the last that came
// there of those that are, or else one that was there.
func (t *tab) arrived() (cdp.FrameID, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	is := func(f *frame) bool { return f != nil && f.committed && !f.failed && strings.HasPrefix(f.url, t.until) }
	if is(t.frames[t.top]) {
		return t.top, true
	}
	found, last := cdp.FrameID(""), -1
	for id, f := range t.frames {
		if is(f) && (f.came > last || f.came == last && id < found) {
			found, last = id, f.came
		}
	}
	if last >= 0 {
		return found, true
	}
	if t.reached != "" && t.frames[t.reached] != nil {
		return t.reached, true
	}
	return "", false
}

// tree asks the browser which frames there are.
func (t *tab) tree(ctx context.Context) ([]*cdp.Frame, error) {
	call, cancel := t.within(ctx)
	defer cancel()
	res, err := chromedp.Call(call, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	var frames []*cdp.Frame
	var add func(tree *page.FrameTree)
	add = func(tree *page.FrameTree) {
		frames = append(frames, tree.Frame)
		for _, child := range tree.ChildFrames {
			add(child)
		}
	}
	add(res.FrameTree)
	return frames, nil
}

// sync takes in the frames that were there before they were followed.
func (t *tab) sync(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	frames, err := t.tree(bounded)
	if err != nil {
		return // the page does not answer, which the next action tells
	}
	status := 0 // of the first, which is the page
	if raw, err := t.evaluate(bounded, t.topID(), `performance.getEntriesByType("navigation")[0]?.responseStatus || 0`); err == nil {
		_ = json.Unmarshal(raw, &status)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range frames {
		if f.ParentID != "" {
			t.around[f.ID] = f.ParentID
		}
		if known := t.frame(f.ID); !known.committed && f.URL != "about:blank" && f.URL != "" {
			known.url, known.committed, known.failed = f.URL+f.URLFragment, true, f.UnreachableURL != ""
			known.status = cmp.Or(known.status, status)
		} else if *known == (frame{}) {
			delete(t.frames, f.ID)
		}
		status = 0
	}
	t.parsed = t.parsed || t.frames[t.top] != nil && !t.frames[t.top].loading
}

// hide makes what shows a secret invisible in all frames.
func (t *tab) hide(ctx context.Context) error { return t.cover(ctx, true) }

// unhide shows it again.
func (t *tab) unhide() {
	ctx, cancel := context.WithTimeout(t.ctx, lastDeadline)
	defer cancel()
	_ = t.cover(ctx, false)
}

func (t *tab) cover(ctx context.Context, hide bool) error {
	script := fmt.Sprintf("(%s)(%s, %t)", hideScript, literal(t.secrets), hide)
	var err error
	for range 3 { // frames come and go
		var frames []*cdp.Frame
		if frames, err = t.tree(ctx); err != nil {
			return err
		}
		for _, f := range frames {
			if _, err = t.evaluate(ctx, f.ID, script); err != nil {
				break
			}
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// goneOn says whether a page went elsewhere while it was asked.
func goneOn(err error) bool {
	if errors.Is(err, chromedp.ErrTargetDetached) {
		return true
	}
	for _, part := range []string{"context was destroyed", "Cannot find context", "navigated or closed", "No frame for given id", "Promise was collected", "uniqueContextId not found", "Could not create isolated world"} {
		if strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}

// walk is one journey of a browser's user.
type walk struct {
	user    *browserUser
	journey Journey
	began   time.Time
	from    *place // where the user was; nil for the page of the tab
	secrets []string
	changed chan struct{}     // told when a window is followed
	queue   chan *target.Info // windows that opened

	mu      sync.Mutex
	tabs    []*tab // all, in the order in which they opened
	pending int    // windows that opened and are not followed yet
	opened  int
	seen    []target.ID // the windows that opened, whose own are followed, too
	missed  string      // why a window that opened is not among the tabs
	until   string      // of every tab, from the last action on

	frame cdp.FrameID // where the last action took place, if in a frame
	acted *tab
}

// problem says why an action was not done, and how that ended the journey.
type problem struct {
	why   string
	ended Ending
}

// beginHere begins where the user is: younger windows close, and what was secret
// there stays so.
func (w *walk) beginHere() {
	u := w.user
	all := append([]*tab{u.tab}, u.windows...)
	at := slices.Index(all, u.place.tab) + 1
	for _, t := range all[at:] {
		u.shut(t)
	}
	w.tabs, u.windows = all[:at:at], all[1:at]
	w.journey.Secrets = slices.Concat(w.journey.Secrets, u.secrets)
	w.from, w.acted, w.frame = u.place, u.place.tab, u.place.frame
}

func (w *walk) walk(ctx context.Context) (*Trip, error) {
	u := w.user
	w.secrets = w.journey.secretTexts()
	u.secrets, u.whole = w.secrets, w.journey.Whole
	for _, t := range w.tabs {
		t.resume(w.began, w.secrets)
		if !t.isGone() {
			t.sync(ctx)
		}
	}
	if w.from == nil { // elsewhere the browser stays as it is
		if err := u.tab.blockThirdPartyCookies(false); err != nil {
			return nil, err
		}
	}
	stop, err := w.followWindows(ctx)
	if err != nil {
		return nil, err
	}
	stuck, ended := w.actions(ctx)
	var at *place
	if stuck == nil && w.journey.Until != "" {
		if at = w.arrive(ctx); at == nil {
			stuck, ended = &Stuck{Action: len(w.journey.Actions)}, Settled
			if ctx.Err() != nil {
				ended = TimedOut
			}
		}
	}
	if at == nil {
		at = w.end()
	}
	trip := w.tell(ctx, at, stuck, ended)
	stop()
	w.settleUser(trip, at)
	w.mu.Lock()
	opened := w.opened
	w.mu.Unlock()
	if opened > 0 && u.place != nil {
		return trip, u.closeStrays(at.tab)
	}
	return trip, nil
}

// actions does one action after the other.
func (w *walk) actions(ctx context.Context) (*Stuck, Ending) {
	for i, a := range w.journey.Actions {
		last := i == len(w.journey.Actions)-1
		w.each((*tab).act)
		if last {
			w.seek()
		}
		w.journey.ask(a)
		if p := w.do(ctx, a); p != nil {
			if ctx.Err() != nil {
				p = &problem{why: "the journey took longer than " + w.journey.Deadline.String() + ": " + p.why, ended: TimedOut}
			}
			return &Stuck{Action: i, Why: p.why}, p.ended
		}
		w.journey.tell(a)
	}
	if len(w.journey.Actions) == 0 {
		w.seek()
	}
	return nil, Settled
}

// seek begins to look for where the journey is to end.
func (w *walk) seek() {
	w.mu.Lock()
	w.until = w.journey.Until
	w.mu.Unlock()
	w.each(func(t *tab) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.until = w.journey.Until
	})
}

func (w *walk) each(do func(*tab)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tabs {
		do(t)
	}
}

// current returns the youngest window that is open, or nil.
func (w *walk) current() *tab {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range slices.Backward(w.tabs) {
		if !t.isGone() {
			return t
		}
	}
	return nil
}

var errClosed = &problem{why: "every window of the user has closed", ended: Settled}

func (w *walk) do(ctx context.Context, a Action) *problem {
	w.frame, w.acted = "", nil
	bounded, cancel := context.WithTimeout(ctx, w.journey.within(a))
	defer cancel()
	t := w.current()
	if t == nil {
		return errClosed
	}
	shown := t.pagesShown()
	switch a.Verb {
	case Open:
		if u, err := url.Parse(a.Target); err != nil || !u.IsAbs() {
			return &problem{why: fmt.Sprintf("%s is not an absolute URL", a.Target), ended: Settled}
		}
		t.mu.Lock()
		t.url = a.Target
		t.mu.Unlock()
		w.from = nil
		switch ended := t.open(bounded, a.Target); {
		case ended == TimedOut && ctx.Err() == nil:
			return &problem{why: fmt.Sprintf("no answer from %s within %s", a.Target, w.journey.within(a)), ended: TimedOut}
		case ended != Settled:
			return &problem{why: "the browser could not go to " + a.Target, ended: ended}
		}
		return w.settle(ctx, a, shown)
	case Back:
		if err := t.back(bounded); err != nil {
			return &problem{why: err.Error(), ended: Settled}
		}
		return w.settle(ctx, a, shown)
	case Click, DoubleClick:
		ahead, p := w.click(ctx, a)
		if p == nil {
			p = w.settle(ctx, a, shown)
		}
		w.closeUnused(ahead)
		return p
	case Choose:
		if _, _, p := w.find(ctx, a); p != nil {
			return p
		}
		return w.settle(ctx, a, shown) // what is chosen may send the form
	case Fill, Wait:
		_, _, p := w.find(ctx, a)
		return p
	default:
		return &problem{why: fmt.Sprintf("there is no action %q", a.Verb), ended: Settled}
	}
}

// back goes to the page before.
func (t *tab) back(ctx context.Context) error {
	call, cancel := t.within(ctx)
	defer cancel()
	history, err := chromedp.Call(call, page.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		return fmt.Errorf("the browser cannot go back: %w", err)
	}
	if history.CurrentIndex < 1 || int(history.CurrentIndex) >= len(history.Entries) || history.Entries[history.CurrentIndex-1].URL == "about:blank" {
		return errors.New("there is no page to go back to")
	}
	_, err = chromedp.Call(call, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID})
	if err != nil {
		return fmt.Errorf("the browser cannot go back: %w", err)
	}
	return nil
}

// moment is how long an action may take to show that it leads to another page.
const moment = 50 * time.Millisecond

// settle lets what an action began come to rest. Until then the tab had shown
// that many pages; where it shows no further one, it may not have begun to.
func (w *walk) settle(ctx context.Context, a Action, shown int) *problem {
	bounded, cancel := context.WithTimeout(ctx, w.journey.within(a))
	defer cancel()
	for range maxPages {
		t := w.current()
		if t == nil {
			return errClosed
		}
		ended := t.rest(bounded, w.journey.Quiet)
		if ended == Settled && w.journey.Quiet < moment && (t.pagesShown() == shown || t != w.acted && w.acted != nil) {
			ended = t.rest(bounded, moment)
		}
		w.followed(bounded)
		if now := w.current(); now != t {
			continue // a window opened, or closed
		}
		return w.settled(ctx, a, t, ended)
	}
	return &problem{why: "windows open and close without end", ended: RedirectLoop}
}

// settled judges what an action led to. An error status of a page is none of
// its business.
func (w *walk) settled(ctx context.Context, a Action, t *tab, ended Ending) *problem {
	t.mu.Lock()
	f := t.frames[t.top]
	var top frame
	if f != nil {
		top = *f
	}
	t.mu.Unlock()
	if ended == TimedOut && ctx.Err() == nil && top.committed && !top.started {
		t.note("the page was still loading when the journey went on")
		ended = Settled
	}
	if ended == Settled {
		ended = endingOf(top.failure)
	}
	if ended == Settled && top.failed && !strings.Contains(top.failure, emptyError) {
		ended = Dropped
	}
	switch {
	case ended == Settled:
		return nil
	case ended == TimedOut:
		return &problem{why: fmt.Sprintf("after %s there was no answer within %s", describe(a), w.journey.within(a)), ended: ended}
	case top.failure != "":
		return &problem{why: fmt.Sprintf("after %s the browser says: %s", describe(a), top.failure), ended: ended}
	default:
		return &problem{why: fmt.Sprintf("after %s the journey ended: %s", describe(a), ended), ended: ended}
	}
}

func describe(a Action) string { return strings.TrimSpace(string(a.Verb) + " " + a.Target) }

// found is what act.js answers.
type found struct {
	Why    string  `json:"why"`
	Final  bool    `json:"final"` // no waiting will change that
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Window string  `json:"window"` // the name of the window that the element opens
}

// glance is how long a page is looked at before it is asked whether it is still
// the user's: a window may have opened in the meantime.
const glance = time.Second

// find waits for an action's target and does with it what a page can do; it
// returns the frames from the page to the target's, and what was found. A page
// that goes on in the meantime is looked at anew.
func (w *walk) find(ctx context.Context, a Action) ([]cdp.FrameID, found, *problem) {
	last := problem{why: "the page does not answer", ended: Settled}
	// A page that looks until the last moment needs another one to answer.
	until := time.Now().Add(cmp.Or(a.Seek, w.journey.within(a)))
	ctx, cancel := context.WithDeadline(ctx, until.Add(2*lastDeadline))
	defer cancel()
	for first := true; ctx.Err() == nil && (first || time.Now().Before(until)); first = false {
		t := w.current()
		if t == nil {
			return nil, found{}, errClosed
		}
		if t.state().crashed {
			return nil, found{}, &problem{why: "the page crashed", ended: Unreadable}
		}
		if w.acted != t { // once, a human may be at another window
			t.foreground(ctx, w)
		}
		w.acted, w.frame = t, ""
		now := time.Now().Add(glance)
		if now.After(until) {
			now = until
		}
		frames, f, err := w.lookIn(ctx, t, a, now)
		switch {
		case err != nil && ctx.Err() == nil:
			if !goneOn(err) {
				last.why = "the page could not be asked: " + err.Error()
			}
		case err != nil: // the page hangs, or nothing was asked at all
		case f.Why == "":
			return frames, f, nil
		case f.Final:
			return nil, found{}, &problem{why: f.Why, ended: Settled}
		default:
			last.why = f.Why
		}
		select {
		case <-t.changed:
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
	return nil, found{}, &last
}

// foreground brings the tab before the others, where browsers draw pages.
func (t *tab) foreground(ctx context.Context, w *walk) {
	w.mu.Lock()
	alone := len(w.tabs) < 2
	w.mu.Unlock()
	if alone {
		return
	}
	call, cancel := t.within(ctx)
	defer cancel()
	call, stop := context.WithTimeout(call, lastDeadline)
	defer stop()
	_, _ = chromedp.Call(call, page.BringToFront, cdp.Empty{})
}

// lookIn looks in the tab once.
func (w *walk) lookIn(ctx context.Context, t *tab, a Action, until time.Time) ([]cdp.FrameID, found, error) {
	frames, err := w.path(ctx, t)
	if err != nil {
		return nil, found{}, err
	}
	outer := len(frames) - 1
	where := " on the page"
	if outer > 0 {
		w.frame, where = frames[outer], " in the frame where the journey began"
	}
	var selectors []string
	if a.Frame != "" {
		selectors = strings.Split(a.Frame, " >> ")
	}
	for _, selector := range selectors {
		selector = strings.TrimSpace(selector)
		f, err := t.ask(ctx, frames[len(frames)-1], until, "frame", selector, nil)
		if err != nil || f.Why != "" {
			return nil, in(f, where), err
		}
		id, err := t.frameFound(ctx, frames[len(frames)-1])
		if err != nil {
			return nil, found{}, err
		}
		frames = append(frames, id)
		where = " in the frame " + a.Frame
		w.frame = id
	}
	verb := a.Verb
	if verb == DoubleClick {
		verb = "press"
	}
	f, err := t.ask(ctx, frames[len(frames)-1], until, string(verb), a.Target, a.Value)
	if err != nil || f.Why != "" {
		return nil, in(f, where), err
	}
	if a.Verb == Click || a.Verb == DoubleClick {
		for i, selector := range slices.Backward(selectors) {
			at, err := t.ask(ctx, frames[outer+i], until, "hit", strings.TrimSpace(selector), map[string]float64{"x": f.X, "y": f.Y})
			if err != nil || at.Why != "" {
				return nil, at, err
			}
			f.X, f.Y = at.X, at.Y
		}
		for i := outer - 1; i >= 0; i-- {
			if err := t.findFrame(ctx, frames[i], frames[i+1]); err != nil {
				return nil, found{}, err
			}
			at, err := t.ask(ctx, frames[i], until, "hit", "the frame where the journey began", map[string]float64{"x": f.X, "y": f.Y})
			if err != nil || at.Why != "" {
				return nil, at, err
			}
			f.X, f.Y = at.X, at.Y
		}
	}
	return frames, f, nil
}

// path returns the frames from the tab's page to the one that the journey began
// in, or only the page.
func (w *walk) path(ctx context.Context, t *tab) ([]cdp.FrameID, error) {
	top := t.topID()
	if w.from == nil || w.from.tab != t || w.from.frame == top {
		return []cdp.FrameID{top}, nil
	}
	frames, err := t.tree(ctx)
	if err != nil {
		return nil, err
	}
	around := map[cdp.FrameID]cdp.FrameID{}
	for _, f := range frames {
		around[f.ID] = f.ParentID
	}
	path := []cdp.FrameID{w.from.frame}
	for path[0] != top {
		outer, ok := around[path[0]]
		if !ok { // it has gone
			w.from = &place{t, top}
			return []cdp.FrameID{top}, nil
		}
		path = slices.Insert(path, 0, outer)
	}
	return path, nil
}

// findFrame makes the iframe of a frame the one that act.js has found in the
// frame around it.
func (t *tab) findFrame(ctx context.Context, around, id cdp.FrameID) error {
	call, cancel := t.within(ctx)
	defer cancel()
	world, err := chromedp.Call(call, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: around, WorldName: "invigilator"})
	if err != nil {
		return err
	}
	owner, err := chromedp.Call(call, dom.GetFrameOwner, dom.GetFrameOwnerParams{FrameID: id})
	if err != nil {
		return err
	}
	node, err := chromedp.Call(call, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: owner.BackendNodeID, ExecutionContextID: world.ExecutionContextID})
	if err != nil {
		return err
	}
	if node.Object == nil || node.Object.ObjectID == "" {
		return errors.New("the frame has gone: context was destroyed")
	}
	_, err = chromedp.Call(call, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		ObjectID: node.Object.ObjectID, FunctionDeclaration: "function() { globalThis.frameElementFound = this }",
	})
	return err
}

// in says where something is not.
func in(f found, where string) found {
	if strings.HasPrefix(f.Why, "there is no ") {
		f.Why += where
	}
	return f
}

// ask runs act.js in a frame, which looks as long as it may.
func (t *tab) ask(ctx context.Context, id cdp.FrameID, until time.Time, verb, selector string, value any) (found, error) {
	patience := max(0, time.Until(until))
	raw, err := t.evaluate(ctx, id, fmt.Sprintf("(%s)(%s, %s, %s, %d)", actScript, literal(verb), literal(selector), literal(value), patience.Milliseconds()))
	if err != nil {
		return found{}, err
	}
	var f found
	if err := json.Unmarshal(raw, &f); err != nil {
		return found{}, err
	}
	f.Why = results.Bounded(f.Why, 1000)
	return f, nil
}

// frameFound returns the frame of the iframe that act.js found.
func (t *tab) frameFound(ctx context.Context, id cdp.FrameID) (cdp.FrameID, error) {
	call, cancel := t.within(ctx)
	defer cancel()
	world, err := chromedp.Call(call, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: id, WorldName: "invigilator"})
	if err != nil {
		return "", err
	}
	res, err := chromedp.Call(call, runtime.Evaluate, runtime.EvaluateParams{Expression: "frameElementFound", ContextID: world.ExecutionContextID})
	if err != nil {
		return "", err
	}
	if res.Result == nil || res.Result.ObjectID == "" {
		return "", errors.New("the frame has gone: context was destroyed")
	}
	node, err := chromedp.Call(call, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: res.Result.ObjectID})
	if err != nil {
		return "", err
	}
	if node.Node == nil || node.Node.FrameID == "" {
		return "", errors.New("the iframe has no page")
	}
	return node.Node.FrameID, nil
}

// click clicks as a user does: at a point of the page.
//
// It returns the window that it opened ahead, if any.
func (w *walk) click(ctx context.Context, a Action) (*tab, *problem) {
	frames, f, p := w.find(ctx, a)
	if p != nil {
		return nil, p
	}
	t := w.acted
	id := frames[len(frames)-1]
	before := w.current()
	opened := w.openAhead(ctx, t, id, f)
	ahead := w.current()
	if !opened || ahead == before {
		ahead = nil
	}
	if opened {
		// The window may have come before the page.
		t.foreground(ctx, w)
	}
	pressing, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	err := t.press(pressing, f.X, f.Y, 1)
	if err == nil && a.Verb == DoubleClick {
		err = t.press(pressing, f.X, f.Y, 2)
	}
	if opened {
		t.restoreLink(ctx, id)
	}
	if err != nil && ctx.Err() == nil && pressing.Err() == nil && !goneOn(err) {
		return ahead, &problem{why: "the browser could not click " + a.Target + ": " + err.Error(), ended: Settled}
	}
	return ahead, nil // a page that does not take the click in time may be busy with it
}

// press is one click of the left button.
func (t *tab) press(ctx context.Context, x, y float64, count int64) error {
	call, cancel := t.within(ctx)
	defer cancel()
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			p.Button, p.ClickCount = input.MouseButtonLeft, count
		}
		if _, err := chromedp.Call(call, input.DispatchMouseEvent, p); err != nil {
			return whichever(ctx, err)
		}
	}
	return nil
}

// openAhead opens the window that a link or form names, empty, and follows it
// before the click: so nothing of the journey is missed. A window without a
// name is given one for the click.
func (w *walk) openAhead(ctx context.Context, t *tab, id cdp.FrameID, f found) bool {
	if f.Window == "" {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	w.mu.Lock()
	before := w.opened
	name := f.Window
	if strings.HasPrefix(name, "_") {
		name = fmt.Sprintf("window-%d-%d", w.began.UnixMilli(), before)
	}
	w.mu.Unlock()
	raw, err := t.evaluateAs(bounded, id, fmt.Sprintf(`(() => {
		const {by, name} = opensWindow, w = window.open("", %[1]s);
		if (!w || w.top !== w) return false;
		Element.prototype.setAttribute.call(by, name, %[1]s);
		return true;
	})()`, literal(name)), true)
	if err != nil || string(raw) != "true" {
		return false // the click may open it all the same
	}
	w.followed(bounded)
	return true
}

// closeUnused closes the window that was opened ahead where the click led
// elsewhere.
func (w *walk) closeUnused(t *tab) {
	if t == nil {
		return
	}
	t.mu.Lock()
	used := t.frames[t.top] != nil
	t.mu.Unlock()
	if used {
		return
	}
	w.mu.Lock()
	w.tabs = slices.DeleteFunc(w.tabs, func(other *tab) bool { return other == t })
	w.mu.Unlock()
	w.user.shut(t)
}

// restoreLink puts the link back as it was.
func (t *tab) restoreLink(ctx context.Context, id cdp.FrameID) {
	bounded, cancel := context.WithTimeout(ctx, lastDeadline)
	defer cancel()
	_, _ = t.evaluate(bounded, id, `void (globalThis.opensWindow && Element.prototype.setAttribute.call(opensWindow.by, opensWindow.name, opensWindow.to))`)
}

// followWindows follows the windows that the journey's pages open, until it is
// stopped.
func (w *walk) followWindows(ctx context.Context) (stop func(), err error) {
	listening, cancel := context.WithCancel(w.user.first.ctx)
	own := chromedp.FromContext(w.user.first.ctx).BrowserContextID
	err = chromedp.ListenBrowser(listening, func(ev any) {
		e, ok := ev.(*target.EventTargetCreated)
		if !ok || e.TargetInfo.Type != "page" || e.TargetInfo.BrowserContextID != own {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		by := e.TargetInfo.OpenerID
		if !slices.Contains(w.seen, by) && !slices.ContainsFunc(w.tabs, func(t *tab) bool { return t.id() == by }) {
			return
		}
		select {
		case w.queue <- e.TargetInfo:
			w.pending++
			w.opened++
			w.seen = append(w.seen, e.TargetInfo.TargetID)
		default: // more than any journey opens; they close with the journey
		}
	})
	if err != nil {
		cancel()
		return nil, err
	}
	following, end := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case info := <-w.queue:
				w.follow(following, info)
			case <-following.Done():
				return
			}
		}
	})
	return func() { cancel(); end(); done.Wait() }, nil
}

// follow attaches to a window. A page that goes elsewhere meanwhile breaks that
// off, as the first pages of a launch do; it is then attached to anew.
func (w *walk) follow(ctx context.Context, info *target.Info) {
	bounded, cancel := context.WithTimeout(ctx, openDeadline)
	defer cancel()
	t, err := w.attach(bounded, info)
	for tries := 1; err != nil && goneOn(err) && bounded.Err() == nil && tries < maxPages; tries++ {
		t, err = w.attach(bounded, info)
	}
	if err != nil {
		w.user.closeWindow(info.TargetID)
	}
	w.mu.Lock()
	w.pending--
	if err == nil {
		w.tabs = append(w.tabs, t)
	} else {
		w.missed = "a window that opened could not be followed: " + whichever(bounded, err).Error()
	}
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// attach tries once to follow a window.
func (w *walk) attach(ctx context.Context, info *target.Info) (*tab, error) {
	t := w.user.browser.newTab(w.user.first.ctx, chromedp.WithTargetID(info.TargetID), chromedp.WithDetachOnCancel())
	t.begin(w.began, info.URL, false)
	w.mu.Lock()
	until := w.until
	w.mu.Unlock()
	t.mu.Lock()
	t.journey, t.late, t.secrets, t.until = true, true, w.secrets, until
	t.mu.Unlock()
	if err := t.prepare(ctx); err != nil {
		t.detach()
		return nil, err
	}
	t.sync(ctx)
	return t, nil
}

// detach no longer follows the tab, whose page stays. The context goes last: see
// shut.
func (t *tab) detach() {
	if attached := chromedp.FromContext(t.ctx).Target; attached != nil {
		ctx, cancel := context.WithTimeout(t.ctx, openDeadline)
		defer cancel()
		_, _ = chromedp.CallBrowser(ctx, target.DetachFromTarget, target.DetachFromTargetParams{SessionID: attached.SessionID})
		t.awaitGone(ctx)
	}
	t.cancel()
}

// closeWindow closes a window that nobody follows.
func (u *browserUser) closeWindow(id target.ID) {
	ctx, cancel := context.WithTimeout(u.first.ctx, lastDeadline)
	defer cancel()
	_, _ = chromedp.CallBrowser(ctx, target.CloseTarget, target.CloseTargetParams{TargetID: id})
}

// followed waits until all windows that have opened are followed.
func (w *walk) followed(ctx context.Context) {
	for {
		w.mu.Lock()
		pending := w.pending
		w.mu.Unlock()
		if pending == 0 {
			return
		}
		select {
		case <-w.changed:
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
	}
}

// arrive waits until a page or frame is where the journey is to end.
func (w *walk) arrive(ctx context.Context) *place {
	bounded, cancel := context.WithTimeout(ctx, w.journey.within(Action{}))
	defer cancel()
	for {
		w.mu.Lock()
		tabs := slices.Clone(w.tabs)
		w.mu.Unlock()
		for _, t := range slices.Backward(tabs) {
			if t.isGone() {
				continue
			}
			if id, ok := t.arrived(); ok {
				return &place{t, id}
			}
		}
		var changed <-chan struct{}
		if t := w.current(); t != nil {
			changed = t.changed
		}
		select {
		case <-changed:
		case <-w.changed:
		case <-time.After(again): // other windows
		case <-bounded.Done():
			return nil
		}
	}
}

// end is where the last action took place, or nil where no window is left.
func (w *walk) end() *place {
	t := w.current()
	if t == nil {
		return nil
	}
	if w.frame != "" && w.acted == t {
		t.mu.Lock()
		there := t.frames[w.frame] != nil
		t.mu.Unlock()
		if there {
			return &place{t, w.frame}
		}
	}
	return &place{t, t.topID()}
}

// tell tells where the journey ended, and of all its windows what they did.
func (w *walk) tell(ctx context.Context, at *place, stuck *Stuck, ended Ending) *Trip {
	trip := &Trip{Ended: ended, Markers: map[string]bool{}}
	if at != nil {
		at.tab.foreground(context.WithoutCancel(ctx), w)
		at.tab.look(at.frame)
		// A page that never has loaded is told as it is.
		bounded, cancel := context.WithTimeout(ctx, min(w.journey.within(Action{}), 2*lingerDeadline))
		defer cancel()
		if stuck == nil && w.journey.Until != "" {
			ended = at.tab.rest(bounded, w.journey.Quiet)
			if ended == TimedOut && ctx.Err() == nil {
				at.tab.note("the page was still loading when it was looked at")
				ended = Settled
			}
		}
		trip = at.tab.tell(bounded, ended, Visit{
			Markers: w.journey.Markers, Also: w.journey.Also, MarkerWait: w.journey.MarkerWait, Quiet: w.journey.Quiet, Read: w.journey.Read, Screenshot: w.journey.Screenshot || stuck != nil,
		})
		if ended == Settled && trip.Ended == TimedOut && trip.Why == "" && ctx.Err() == nil {
			trip.Ended = Settled
		}
		at.tab.mu.Lock()
		if at.frame != at.tab.top && at.tab.frames[at.frame] == nil {
			at.frame = at.tab.top
		}
		at.tab.mu.Unlock()
		trip.In = w.user.placeOf(at)
	}
	trip.Steps, trip.Hidden, trip.Dropped, trip.Aims, trip.Page.Console, trip.Page.Notes = nil, nil, 0, nil, nil, nil
	w.each(func(t *tab) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.tellSteps(trip)
		trip.Dropped += t.dropped
		trip.Aims = append(trip.Aims, t.aims...)
		trip.Page.Console = append(trip.Page.Console, t.console...)
		trip.Page.Notes = append(trip.Page.Notes, t.notes...)
	})
	slices.SortStableFunc(trip.Steps, func(a, b results.Step) int { return int(a.At - b.At) })
	if n := len(trip.Steps); n > maxSteps {
		trip.Steps, trip.Dropped = trip.Steps[:maxSteps], trip.Dropped+n-maxSteps
	}
	w.mu.Lock()
	missed := w.missed
	w.mu.Unlock()
	if missed != "" {
		trip.Page.Notes = append(trip.Page.Notes, missed)
	}
	trip.Page.Console = trip.Page.Console[:min(len(trip.Page.Console), maxMessages)]
	trip.Page.Notes = trip.Page.Notes[:min(len(trip.Page.Notes), maxMessages)]
	redact := w.user.redaction()
	if stuck != nil {
		trip.Stuck = stuck
		page := trip.Page
		page.Text, page.Title, page.URL = redact.text(page.Text), redact.text(page.Title), redact.text(page.URL)
		if stuck.Action == len(w.journey.Actions) && stuck.Why == "" {
			stuck.Why = fmt.Sprintf("the journey ended on %s, no page or frame came to %s%s", page.URL, w.journey.Until, w.elsewhere())
		}
		if missed != "" {
			stuck.Why += "; " + missed
		}
		stuck.Why += "; " + shown(page, redact.text(trip.Says), trip.Loading)
	}
	redact.trip(trip)
	return trip
}

// elsewhere tells of the frames whose page did not come.
func (w *walk) elsewhere() string {
	var b strings.Builder
	w.each(func(t *tab) {
		t.mu.Lock()
		defer t.mu.Unlock()
		for id, f := range t.frames {
			if id != t.top && f.failed && b.Len() < 1000 {
				fmt.Fprintf(&b, "; the frame of %s: %s", results.Bounded(f.url, 300), f.failure)
			}
		}
	})
	return b.String()
}

// settleUser leaves the user where the journey ended.
func (w *walk) settleUser(trip *Trip, at *place) {
	u := w.user
	u.windows = nil
	for _, t := range w.tabs[1:] {
		if t.isGone() {
			u.shut(t)
		} else {
			u.windows = append(u.windows, t)
		}
	}
	u.place = at
	switch {
	case at == nil:
		u.lost = true
		if u.tab != nil {
			u.drop(u.tab)
		}
	case trip.Ended != Settled && !at.tab.answers(at.frame), trip.Ended == RedirectLoop, trip.Ended == TooLarge:
		u.drop(at.tab)
	}
}
