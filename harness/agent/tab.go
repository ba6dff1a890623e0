package agent

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/inspector"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"invigilator.example/results"
)

// What a page is given to be read, and what one is that has shown to be stuck,
// for that and for anything else.
const (
	readDeadline = 5 * time.Second
	lastDeadline = time.Second
)

// lingerDeadline is how long a page that is there may wait for pictures, scripts
// and the like that do not come.
const lingerDeadline = 3 * time.Second

// tab follows what happens in one tab of the browser. Its state is kept by
// listen, which sees the browser's events in their order.
type tab struct {
	ctx      context.Context
	cancel   context.CancelFunc // ends the context, for which the tab should be gone
	blocking bool               // third-party cookies
	changed  chan struct{}      // told of every change, at most one telling is kept

	mu        sync.Mutex
	began     time.Time
	url       string // where the visit went first
	inFrame   bool   // the journey is that of the first iframe, or of the one that it goes on in
	journey   bool   // all frames are watched together
	here      bool   // the visit goes on in a page that is there
	late      bool   // the window was open before it was followed
	until     string // how the address begins that the journey is to come to
	reached   cdp.FrameID
	secrets   []string // that no picture may show
	frames    map[cdp.FrameID]*frame
	around    map[cdp.FrameID]cdp.FrameID // the frame that each is in
	top       cdp.FrameID
	child     cdp.FrameID
	pages     int
	bytes     int64                      // of documents
	beside    int64                      // of what belongs to them
	said      int64                      // bytes written to the console
	moves     int                        // counts everything that moves, for the quiet
	windows   int                        // that pages opened by themselves
	parsed    bool                       // the top document is there, if not all that belongs to it
	inFlight  map[network.RequestID]bool // what scripts may be waiting for
	crashed   bool
	steps     []results.Step
	dropped   int
	exchanges map[network.RequestID]*exchange
	console   []string
	notes     []string
	aims      []string
}

// frame is the state of one frame's navigation.
type frame struct {
	url       string
	came      int // when it came there, by the tab's moves
	status    int
	committed bool   // a document has been shown since the visit began
	failed    bool   // that document is the browser's error page
	requested bool   // a page has asked to go on, and has not yet gone
	started   bool   // a navigation is under way
	loading   bool   // the page is being loaded
	download  bool   // the last answer is a file
	failure   string // the network error of the last document
}

// exchange is one request of the browser with the redirects that it led to.
type exchange struct {
	document  bool
	frame     cdp.FrameID
	committed bool // its answer became a page
	hops      []hop
	// What the network stack tells of each hop, apart from the page and
	// sometimes ahead of it.
	sent     []*network.EventRequestWillBeSentExtraInfo
	received []*network.EventResponseReceivedExtraInfo
}

// hop is one redirect of an exchange.
type hop struct {
	step   int
	cached bool // the network stack was not asked
}

// prepare opens the tab and turns on the events that it follows. The context
// bounds that; a tab that did not open in time is closed.
func (t *tab) prepare(ctx context.Context) error {
	defer context.AfterFunc(ctx, t.cancel)()
	if err := chromedp.Do(t.ctx); err != nil {
		return err
	}
	// chromedp follows the whole document with these. Nobody here asks for it,
	// it costs a command at every page, and a page that is stuck while it
	// floods the queue of such events would hold up every other tab.
	for _, off := range []cdp.Command[cdp.Empty, cdp.Empty]{css.Disable, dom.Disable, cdplog.Disable} {
		if _, err := chromedp.Call(t.ctx, off, cdp.Empty{}); err != nil {
			return err
		}
	}
	_, err := chromedp.Call(t.ctx, target.SetDiscoverTargets, target.SetDiscoverTargetsParams{Discover: false})
	if err != nil {
		return err
	}
	if err := t.watchAims(); err != nil {
		return err
	}
	_, err = chromedp.Call(t.ctx, network.Enable, network.EnableParams{
		MaxPostDataSize: new(int64(maxBody)),
		// Nobody asks for the bodies of answers: the browser need not keep them.
		MaxTotalBufferSize: new(int64(1)), MaxResourceBufferSize: new(int64(1)),
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.top = cdp.FrameID(chromedp.FromContext(t.ctx).Target.TargetID)
	return nil
}

//go:embed aims.js
var aimsScript string

// aimsBinding is the function by which that script tells what it sees.
const aimsBinding = "invigilatorAims"

// watchAims has each page tell where its forms lead before it goes there itself: a
// form that the browser does not submit is seen nowhere else.
func (t *tab) watchAims() error {
	const world = aimsBinding // of its own, where the page's scripts do not reach
	_, err := chromedp.Call(t.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: aimsBinding, ExecutionContextName: world})
	if err != nil {
		return err
	}
	_, err = chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: aimsScript, WorldName: world, RunImmediately: new(true),
	})
	return err
}

// awaitGone waits until the browser has closed the tab.
func (t *tab) awaitGone(ctx context.Context) {
	gone, err := chromedp.Detached(t.ctx)
	if err != nil {
		return
	}
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

// blockThirdPartyCookies turns the blocking on or off.
func (t *tab) blockThirdPartyCookies(block bool) error {
	if block == t.blocking {
		return nil
	}
	_, err := chromedp.Call(t.ctx, network.SetCookieControls, network.SetCookieControlsParams{EnableThirdPartyCookieRestriction: block})
	if err != nil {
		return fmt.Errorf("block third-party cookies: %w", err)
	}
	t.blocking = block
	return nil
}

// begin forgets what came before the visit.
func (t *tab) begin(at time.Time, url string, inFrame bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.url, t.inFrame, t.child = url, inFrame, ""
	t.journey, t.here, t.until, t.reached, t.secrets = false, false, "", "", nil
	t.frames, t.around = map[cdp.FrameID]*frame{}, map[cdp.FrameID]cdp.FrameID{}
	t.parsed = false
	t.renewLocked(at)
}

// renewLocked forgets the evidence, but not the pages that are shown.
func (t *tab) renewLocked(at time.Time) {
	t.began, t.windows, t.dropped = at, 0, 0
	t.pages, t.bytes, t.beside, t.said = 0, 0, 0, 0
	t.inFlight = map[network.RequestID]bool{}
	t.steps, t.console, t.notes, t.aims = nil, nil, nil, nil
	t.exchanges = map[network.RequestID]*exchange{}
}

// open sends the tab to a URL. Errors of the visited system show in the events.
func (t *tab) open(ctx context.Context, url string) Ending {
	call, cancel := t.within(ctx)
	defer cancel()
	_, err := chromedp.Call(call, page.Navigate, page.NavigateParams{URL: url})
	if ctx.Err() != nil {
		return TimedOut
	}
	if err != nil {
		t.note("the browser could not navigate: %v", err)
		return Unreadable
	}
	return Settled
}

// within returns a context for calls to the tab that ends with the other one, too.
func (t *tab) within(ctx context.Context) (context.Context, context.CancelFunc) {
	call, cancel := context.WithCancel(t.ctx)
	stop := context.AfterFunc(ctx, cancel)
	return call, func() { stop(); cancel() }
}

// note keeps a remark for the evidence.
func (t *tab) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noteLocked(format, args...)
}

func (t *tab) noteLocked(format string, args ...any) {
	if len(t.notes) < maxMessages {
		t.notes = append(t.notes, results.Bounded(fmt.Sprintf(format, args...), 500))
	}
}

// watched returns the frame whose journey it is, or nil while there is none.
func (t *tab) watched() *frame {
	if t.inFrame {
		return t.frames[t.child]
	}
	return t.frames[t.top]
}

func (t *tab) watchedID() cdp.FrameID {
	if t.inFrame {
		return t.child
	}
	return t.top
}

func (t *tab) frame(id cdp.FrameID) *frame {
	f := t.frames[id]
	if f == nil {
		f = &frame{}
		t.frames[id] = f
	}
	return f
}

// listen takes the events of the tab. It runs in the browser's loop: it only
// notes what happened, and leaves anything that calls the browser to others.
func (t *tab) listen(ev any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moves++
	switch e := ev.(type) {
	case *page.EventFrameAttached:
		t.around[e.FrameID] = e.ParentFrameID
		if e.ParentFrameID == t.top && t.child == "" && !t.journey {
			t.child = e.FrameID
		}
	case *page.EventFrameRequestedNavigation:
		if e.Disposition == page.ClientNavigationDispositionCurrentTab {
			t.frame(e.FrameID).requested = true
		}
	case *page.EventFrameStartedNavigating:
		if !strings.Contains(strings.ToLower(string(e.NavigationType)), "samedocument") {
			f := t.frame(e.FrameID)
			f.requested, f.started, f.download, f.failure = false, true, false, ""
		}
	case *page.EventFrameStartedLoading:
		t.frame(e.FrameID).loading = true
	case *page.EventFrameNavigated:
		t.emptyLocked(e.Frame.ID)
		f := t.frame(e.Frame.ID)
		f.started, f.committed, f.loading, f.download = false, true, true, false
		if x := t.exchanges[network.RequestID(e.Frame.LoaderID)]; x != nil {
			x.committed = true
		}
		f.url, f.failed = e.Frame.URL+e.Frame.URLFragment, e.Frame.UnreachableURL != ""
		if f.failed {
			f.url = e.Frame.UnreachableURL
		}
		if e.Frame.ID == t.watchedID() {
			t.pages++
			t.parsed = false
		}
		t.reachLocked(e.Frame.ID, f)
	case *page.EventNavigatedWithinDocument:
		if f := t.frames[e.FrameID]; f != nil && f.committed && !f.failed {
			f.url = e.URL
			t.reachLocked(e.FrameID, f)
		} else if t.here && e.FrameID == t.watchedID() && !t.frame(e.FrameID).started {
			f := t.frame(e.FrameID)
			f.url, f.committed, f.requested = e.URL, true, false
		}
	case *page.EventDomContentEventFired:
		t.parsed = true
	case *page.EventFrameStoppedLoading:
		// A navigation that ends without a document, as a download or a 204
		// does, is over as well.
		f := t.frame(e.FrameID)
		f.loading, f.started = false, false
	case *page.EventFrameDetached:
		t.detachedLocked(e.FrameID)
	case *page.EventWindowOpen:
		if !e.UserGesture { // that would be this agent's own
			if t.windows++; t.windows == 1 {
				t.noteLocked("the page opened a window: %s", e.URL)
			}
		}
	case *page.EventJavascriptDialogOpening:
		t.noteLocked("dialog (%s): %s", e.Type, e.Message)
		go t.answer(e.Type)
	case *inspector.EventTargetCrashed:
		t.crashed = true
	case *runtime.EventExceptionThrown:
		t.consoleLocked("exception: " + e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		t.listenConsole(e)
	case *runtime.EventBindingCalled:
		t.moves-- // nothing that moves
		if e.Name == aimsBinding && len(t.aims) < maxSteps {
			t.aims = append(t.aims, results.Bounded(e.Payload, maxBody))
		}
	case *network.EventRequestWillBeSent, *network.EventResponseReceived, *network.EventLoadingFailed,
		*network.EventDataReceived, *network.EventLoadingFinished,
		*network.EventRequestWillBeSentExtraInfo, *network.EventResponseReceivedExtraInfo:
		t.listenNetwork(ev)
	default:
		t.moves-- // nothing that a journey is made of
	}
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// emptyLocked takes the frames out of a frame whose document has made way for another.
// The browser itself may take a while, and not say so of each.
func (t *tab) emptyLocked(id cdp.FrameID) {
	for inner, outer := range t.around {
		if outer == id {
			t.detachedLocked(inner)
		}
	}
}

func (t *tab) detachedLocked(id cdp.FrameID) {
	delete(t.around, id)
	t.emptyLocked(id)
	switch {
	case t.journey || id != t.child:
		delete(t.frames, id)
	case t.here: // the frame's page took the place of the page around it
		t.inFrame = false
	}
}

// answer closes a dialog, since the page waits for that: it leaves the page
// where it is asked to stay, and agrees to nothing else.
func (t *tab) answer(dialog page.DialogType) {
	_, _ = chromedp.Call(t.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: dialog == page.DialogTypeBeforeunload})
}

func (t *tab) listenConsole(e *runtime.EventConsoleAPICalled) {
	// All tabs share one line to the browser: a page that floods it is stopped
	// like one that is too large.
	t.said += consoleCost
	for _, arg := range e.Args {
		t.said += int64(len(arg.Value))
	}
	if len(t.console) >= maxMessages || e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeWarning {
		return
	}
	var words []string
	for _, arg := range e.Args {
		words = append(words, string(arg.Value))
	}
	t.consoleLocked("console." + string(e.Type) + ": " + strings.Join(words, " "))
}

func (t *tab) consoleLocked(message string) {
	if len(t.console) < maxMessages {
		t.console = append(t.console, results.Bounded(message, 500))
	}
}

// listenNetwork keeps the exchanges of documents as steps.
func (t *tab) listenNetwork(ev any) {
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		t.listenRequest(e)
	case *network.EventRequestWillBeSentExtraInfo:
		if x := t.exchange(e.RequestID); x.document || len(x.sent) == 0 {
			x.sent = append(x.sent, e)
		}
	case *network.EventResponseReceivedExtraInfo:
		if x := t.exchange(e.RequestID); x.document || len(x.received) == 0 {
			x.received = append(x.received, e)
		}
	case *network.EventResponseReceived:
		t.listenLate(e)
		if s := t.lastStep(e.RequestID); s != nil {
			s.Status = int(e.Response.Status)
			setHeaderIfEmpty(&s.ResponseHeader, e.Response.Headers)
			f := t.frame(e.FrameID)
			f.status, f.failure = s.Status, ""
		}
	case *network.EventLoadingFinished:
		delete(t.inFlight, e.RequestID)
	case *network.EventLoadingFailed:
		delete(t.inFlight, e.RequestID)
		if s := t.lastStep(e.RequestID); s != nil {
			t.listenFailure(e, t.exchanges[e.RequestID], s)
		}
	case *network.EventDataReceived:
		if x := t.exchanges[e.RequestID]; x != nil && x.document {
			t.bytes += e.DataLength
		} else {
			t.beside += e.DataLength
		}
	}
}

func (t *tab) listenRequest(e *network.EventRequestWillBeSent) {
	if e.RedirectResponse != nil {
		if s := t.lastStep(e.RequestID); s != nil {
			s.Status = int(e.RedirectResponse.Status)
			setHeaderIfEmpty(&s.ResponseHeader, e.RedirectResponse.Headers)
			hops := t.exchanges[e.RequestID].hops
			hops[len(hops)-1].cached = !e.RedirectHasExtraInfo
		}
	}
	switch e.Type {
	case network.ResourceTypeXHR, network.ResourceTypeFetch, network.ResourceTypeScript:
		t.inFlight[e.RequestID] = true
	}
	if e.Type != network.ResourceTypeDocument {
		return
	}
	if len(t.steps) >= maxSteps {
		t.dropped++
		return
	}
	x := t.exchange(e.RequestID)
	x.document, x.frame = true, e.FrameID
	x.hops = append(x.hops, hop{step: len(t.steps)})
	var body strings.Builder
	for _, entry := range e.Request.PostDataEntries {
		body.Write(entry.Bytes)
	}
	t.steps = append(t.steps, results.Step{
		SeenBy: "browser", At: time.Since(t.began).Milliseconds(), Method: e.Request.Method,
		URL: results.Bounded(e.Request.URL+e.Request.URLFragment, maxBody), RequestHeader: results.Header(header(e.Request.Headers)),
		RequestBody: results.Bounded(body.String(), maxBody),
	})
}

// listenLate keeps the answer to a request that was made before the window
// could be followed.
func (t *tab) listenLate(e *network.EventResponseReceived) {
	if !t.late || e.Type != network.ResourceTypeDocument || t.lastStep(e.RequestID) != nil || len(t.steps) >= maxSteps {
		return
	}
	x := t.exchange(e.RequestID)
	x.document, x.frame = true, e.FrameID
	x.hops = append(x.hops, hop{step: len(t.steps)})
	t.steps = append(t.steps, results.Step{
		SeenBy: "browser", At: time.Since(t.began).Milliseconds(), Method: http.MethodGet, URL: results.Bounded(e.Response.URL, maxBody),
		RequestHeader: results.Header(header(e.Response.RequestHeaders)),
		Note:          "requested before the new window could be observed: neither the method nor earlier requests are known",
	})
}

func (t *tab) listenFailure(e *network.EventLoadingFailed, x *exchange, s *results.Step) {
	f := t.frame(x.frame)
	f.failure = strings.TrimSpace(e.ErrorText + " " + string(e.BlockedReason))
	s.Note = joinNote(s.Note, f.failure)
	// The browser breaks off after the header of what it does not show.
	answered := s.Status != 0 && s.Status != http.StatusNoContent && s.Status != http.StatusResetContent
	f.download = e.ErrorText == aborted && answered && !x.committed
}

func (t *tab) exchange(id network.RequestID) *exchange {
	x := t.exchanges[id]
	if x == nil {
		x = &exchange{}
		t.exchanges[id] = x
	}
	return x
}

// lastStep returns the step of a request's last redirect, or nil where the
// request is not kept.
func (t *tab) lastStep(id network.RequestID) *results.Step {
	x := t.exchanges[id]
	if x == nil || len(x.hops) == 0 {
		return nil
	}
	return &t.steps[x.hops[len(x.hops)-1].step]
}

// tellSteps tells the steps with what the network stack says of them: the
// headers as they were on the wire, and the cookies that were held back.
func (t *tab) tellSteps(trip *Trip) {
	steps := slices.Clone(t.steps)
	for _, x := range t.exchanges {
		asked := slices.DeleteFunc(slices.Clone(x.hops), func(h hop) bool { return h.cached })
		for i, h := range asked {
			s := &steps[h.step]
			var request, response http.Header
			if i < len(x.sent) {
				request = header(x.sent[i].Headers)
				s.RequestHeader = results.Header(request)
				for _, c := range x.sent[i].AssociatedCookies {
					if len(c.BlockedReasons) > 0 && c.Cookie != nil {
						s.Note = joinNote(s.Note, fmt.Sprintf("cookie %s was not sent: %s", results.Bounded(c.Cookie.Name, 200), listed(c.BlockedReasons)))
					}
				}
			}
			if i < len(x.received) {
				response = header(x.received[i].Headers)
				s.ResponseHeader = results.Header(response)
				if s.Status == 0 && x.received[i].StatusCode/100 == 3 { // a redirect that the browser does not follow
					s.Status = int(x.received[i].StatusCode)
				}
				for _, c := range x.received[i].BlockedCookies {
					name, _, _ := strings.Cut(c.CookieLine, "=")
					s.Note = joinNote(s.Note, fmt.Sprintf("cookie %s was not stored: %s", results.Bounded(name, 200), listed(c.BlockedReasons)))
				}
			}
			trip.hide(s.URL, request, response)
		}
	}
	trip.Steps = append(trip.Steps, steps...)
}

func header(h network.Headers) http.Header {
	out := http.Header{}
	for name, value := range h {
		for line := range strings.SplitSeq(fmt.Sprint(value), "\n") {
			out.Add(name, results.Bounded(line, maxBody))
		}
	}
	return out
}

func setHeaderIfEmpty(fields *[][2]string, h network.Headers) {
	if len(*fields) == 0 {
		*fields = results.Header(header(h))
	}
}

func joinNote(a, b string) string {
	if a == "" {
		return b
	}
	if len(a) > maxNote {
		return a
	}
	return a + "; " + b
}

// state is what rest decides on.
type state struct {
	idle    bool // no navigation is under way
	atRest  bool // nor has any page asked for one
	waits   bool // a script may be waiting for an answer
	lingers bool // the page is there, and waits for what belongs to it
	ended   Ending
	moves   int
	crashed bool
}

func (t *tab) state() state {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := state{ended: Settled, moves: t.moves, crashed: t.crashed}
	if f := t.watched(); f != nil {
		s.idle = (f.committed || f.failure != "") && !f.started && !f.loading
		s.atRest = s.idle && !f.requested
		s.waits = len(t.inFlight) > 0
		s.lingers = t.parsed && !t.inFrame && f.committed && f.loading && !f.started && !f.requested
		if s.atRest && f.download {
			s.ended = Download
		}
	}
	if t.journey {
		t.togetherLocked(&s)
	}
	switch {
	case t.crashed:
		s.ended = Unreadable
	case t.bytes > maxBytes, t.beside > maxBeside, t.said > maxSaid:
		s.ended = TooLarge
	case t.pages > maxPages, t.windows > maxPages:
		s.ended = RedirectLoop
	}
	return s
}

// rest waits until the journey has come to rest: the page is loaded, no page
// has asked to go on, and nothing has moved for as long as quiet.
func (t *tab) rest(ctx context.Context, quiet time.Duration) Ending {
	// Pages that never stop moving are looked at as they are, and so are those
	// that asked to go where the browser does not, or wait for what does not come.
	var patience, lingering <-chan time.Time
	gone := t.gone()
	for {
		s := t.state()
		if s.ended != Settled {
			return s.ended
		}
		switch {
		case !s.idle:
			patience = nil
		case patience == nil:
			patience = time.After(max(20*quiet, time.Second))
		}
		switch {
		case !s.lingers:
			lingering = nil
		case lingering == nil:
			lingering = time.After(lingerDeadline)
		}
		var still <-chan time.Time
		if s.atRest {
			if quiet == 0 {
				return Settled
			}
			if !s.waits {
				still = time.After(quiet)
			}
		}
		select {
		case <-t.changed:
		case <-still:
			if now := t.state(); now.moves == s.moves {
				return Settled
			}
		case <-patience:
			if t.state().idle {
				return Settled
			}
		case <-lingering:
			if t.state().lingers {
				t.note("the page was still loading when it was looked at")
				return Settled
			}
		case <-ctx.Done():
			return TimedOut
		case <-gone:
			return Unreadable
		case <-t.ctx.Done():
			return Unreadable
		}
	}
}

//go:embed read.js
var readScript string

// reading is what read.js returns.
type reading struct {
	URL      string            `json:"url"`
	Title    string            `json:"title"`
	Text     string            `json:"text"`
	HTML     string            `json:"html"`
	Skeleton string            `json:"skeleton"`
	Markers  map[string]bool   `json:"markers"`
	Read     map[string]string `json:"read"`
}

// tell reads the page that the journey ended on.
func (t *tab) tell(ctx context.Context, ended Ending, v Visit) *Trip {
	trip := &Trip{Ended: ended, Markers: map[string]bool{}}
	err := t.readAtRest(ctx, trip, v)
	if err != nil && trip.Ended == Settled {
		trip.Ended, trip.Why = Unreadable, "the page could not be read: "+err.Error()
		t.halt()
		_ = t.read(ctx, trip, v) // without the script that may have held it
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tellSteps(trip)
	trip.Dropped, trip.Aims = t.dropped, slices.Clone(t.aims)
	trip.Page.Console, trip.Page.Notes = slices.Clone(t.console), slices.Clone(t.notes)
	t.tellEnding(trip)
	return trip
}

// readAtRest reads the page. One that goes on while it is read is read again.
func (t *tab) readAtRest(ctx context.Context, trip *Trip, v Visit) error {
	for try := 1; ; try++ {
		trip.Loading = t.loads()
		if trip.Ended != Settled {
			t.halt()
		}
		before := t.pagesShown()
		err := t.read(ctx, trip, v)
		if trip.Ended != Settled || try == 3 || t.pagesShown() == before && t.state().idle {
			return err
		}
		trip.Ended = t.rest(ctx, v.Quiet)
	}
}

// tellEnding says where the journey ended and, where it did so badly, why.
func (t *tab) tellEnding(trip *Trip) {
	trip.Page.URL = cmp.Or(trip.Page.URL, t.url)
	f := t.watched()
	if f == nil {
		return
	}
	trip.Page.Status = f.status
	if f.failed || trip.Skeleton == "" { // there was nothing to read
		trip.Page.URL = results.Bounded(cmp.Or(f.url, t.lastURL()), maxBody)
	}
	if trip.Ended == Settled {
		trip.Ended = endingOf(f.failure)
	}
	if f.failed && !strings.Contains(f.failure, emptyError) {
		trip.Page.Status = 0
	}
	if t.crashed {
		trip.Why = "the page crashed"
	}
	if trip.Ended != Settled {
		trip.Why = cmp.Or(trip.Why, f.failure)
	}
}

// lastURL returns where the journey went last, without coming to a page.
func (t *tab) lastURL() string {
	for _, x := range t.exchanges {
		if n := len(x.hops); n > 0 && x.frame == t.watchedID() && x.hops[n-1].step == len(t.steps)-1 {
			return t.steps[len(t.steps)-1].URL
		}
	}
	return t.url
}

// loads says whether the page that is looked at is on its way.
func (t *tab) loads() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.watched()
	return f != nil && (f.started || f.loading) && !t.crashed
}

// halt ends what the page loads and the script that it runs, so that even a
// page that is stuck can be read.
func (t *tab) halt() {
	if t.state().crashed || chromedp.FromContext(t.ctx).Target == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.ctx, lastDeadline)
	defer cancel()
	_, _ = chromedp.Call(ctx, runtime.TerminateExecution, cdp.Empty{})
	_, _ = chromedp.Call(ctx, page.StopLoading, cdp.Empty{})
}

// failed says whether the browser shows an error page of its own.
func (t *tab) failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.watched()
	return f != nil && f.failed
}

// opened returns how many windows pages have opened by themselves.
func (t *tab) opened() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.windows
}

func (t *tab) pagesShown() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pages
}

// The browser's network errors that mean something for the journey.
const (
	aborted    = "net::ERR_ABORTED"                    // by a download, an answer without a page, or another navigation
	emptyError = "net::ERR_HTTP_RESPONSE_CODE_FAILURE" // an error status without a page
)

// endingOf names what the browser's network error means for the journey.
func endingOf(failure string) Ending {
	switch {
	case failure == "", strings.Contains(failure, aborted), strings.Contains(failure, emptyError):
		return Settled
	case strings.Contains(failure, "ERR_TOO_MANY_REDIRECTS"):
		return RedirectLoop
	case strings.Contains(failure, "ERR_BLOCKED"):
		return Blocked
	case strings.Contains(failure, "ERR_RESPONSE_HEADERS_TOO_BIG"): // for the browser
		return TooLarge
	case strings.Contains(failure, "TIMED_OUT"):
		return TimedOut
	default:
		return Dropped
	}
}

// read takes title, text, structure and markers from a world of its own, where
// the page's scripts cannot lie about them, and then a screenshot. Before the
// journey has come to a page there is nothing to read: what the tab shows then
// is left over from another visit.
func (t *tab) read(ctx context.Context, trip *Trip, v Visit) error {
	t.mu.Lock()
	id, f, crashed := t.watchedID(), t.watched(), t.crashed
	nothing := crashed || f == nil || !f.committed
	failed := !nothing && f.status >= http.StatusBadRequest
	t.mu.Unlock()
	if nothing {
		return nil
	}
	markers, err := json.Marshal(append([]Marker{}, v.Markers...))
	if err != nil {
		return err
	}
	also, err := json.Marshal(append([]Marker{}, v.Also...))
	if err != nil {
		return err
	}
	readings, err := json.Marshal(v.Read)
	if err != nil {
		return err
	}
	if v.Read == nil {
		readings = []byte("{}")
	}
	// A page that is past its deadline gets a moment more, to show what it is.
	patience, wait := lastDeadline, time.Duration(0)
	if trip.Ended == Settled {
		patience, wait = readDeadline, v.MarkerWait
	}
	if failed {
		wait = 0 // an error says enough, no sign is to be expected
	}
	reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience+wait)
	defer cancel()
	raw, err := t.evaluate(reading, id, fmt.Sprintf("(%s)(%s, %s, %s, %d)", readScript, markers, also, readings, wait.Milliseconds()))
	if err != nil {
		return err
	}
	if err := trip.take(raw); err != nil {
		return err
	}
	if v.Screenshot {
		trip.Screenshot = t.screenshot(reading)
	}
	return nil
}

func (trip *Trip) take(raw []byte) error {
	var r reading
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	trip.Page.URL, trip.Page.Title = results.Bounded(r.URL, maxBody), results.Bounded(r.Title, 500)
	trip.Page.Text = results.Bounded(r.Text, maxText)
	trip.Says = ""
	if document, err := goquery.NewDocumentFromReader(strings.NewReader(r.HTML)); err == nil {
		trip.Says = says(document, r.Text)
	}
	trip.Skeleton = results.Bounded(r.Skeleton, maxText)
	trip.Markers = r.Markers
	trip.Read = map[string]string{}
	for name, text := range r.Read {
		trip.Read[name] = results.Bounded(text, maxRead)
	}
	return nil
}

// evaluate runs an expression in an isolated world of a frame and returns its
// value as JSON. Where no frame is named it runs in the page's own world, as if
// the user had done something.
func (t *tab) evaluate(ctx context.Context, id cdp.FrameID, expression string) ([]byte, error) {
	return t.evaluateAs(ctx, id, expression, id == "")
}

func (t *tab) evaluateAs(ctx context.Context, id cdp.FrameID, expression string, gesture bool) ([]byte, error) {
	call, cancel := t.within(ctx)
	defer cancel()
	params := runtime.EvaluateParams{
		Expression: expression, ReturnByValue: new(true), AwaitPromise: new(true), UserGesture: new(gesture),
	}
	if id != "" {
		world, err := chromedp.Call(call, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: id, WorldName: "invigilator"})
		if err != nil {
			return nil, whichever(ctx, err)
		}
		params.ContextID = world.ExecutionContextID
	}
	res, err := chromedp.Call(call, runtime.Evaluate, params)
	if err != nil {
		return nil, whichever(ctx, err)
	}
	if e := res.ExceptionDetails; e != nil {
		if e.Exception != nil && e.Exception.Description != "" {
			return nil, errors.New(results.Bounded(e.Exception.Description, 500))
		}
		return nil, errors.New(e.Text)
	}
	return res.Result.Value, nil
}

// whichever prefers the reason why the context ended.
func whichever(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer in time: %w", context.Cause(ctx))
	}
	return err
}

func (t *tab) screenshot(ctx context.Context) []byte {
	call, cancel := t.within(ctx)
	defer cancel()
	if len(t.secrets) > 0 {
		defer t.unhide()
		if err := t.hide(call); err != nil {
			t.note("no screenshot, since secrets could not be hidden: %v", whichever(ctx, err))
			return nil
		}
	}
	shot, err := capture(call)
	if err != nil {
		t.note("no screenshot: %v", whichever(ctx, err))
		return nil
	}
	return shot.Data
}

// How pictures are taken: as wide as a report shows them (640 pixels of a window of 1024), in
// which a page's text can still be read.
const (
	pictureScale   = 0.625
	pictureQuality = 40
)

// capture takes a picture of what the window shows.
func capture(ctx context.Context) (page.CaptureScreenshotResult, error) {
	metrics, err := chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return page.CaptureScreenshotResult{}, err
	}
	view := metrics.CSSVisualViewport
	return chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatJpeg, Quality: new(int64(pictureQuality)), OptimizeForSpeed: new(true),
		Clip: &page.Viewport{X: view.PageX, Y: view.PageY, Width: view.ClientWidth, Height: view.ClientHeight, Scale: pictureScale},
	})
}

// listed writes the browser's reasons in a line.
func listed[T ~string](reasons []T) string {
	texts := make([]string, len(reasons))
	for i, reason := range reasons {
		texts[i] = string(reason)
	}
	return strings.Join(texts, ", ")
}
