package agent

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"invigilator/results"
)

// readDeadline bounds what is read of a page that may be stuck.
const readDeadline = 3 * time.Second

// tab follows what happens in one tab of the browser. Its state is kept by
// listen, which sees the browser's events in their order.
type tab struct {
	ctx     context.Context
	changed chan struct{} // told of every change, at most one telling is kept

	mu       sync.Mutex
	began    time.Time
	inFrame  bool // the journey is that of the first iframe
	frames   map[cdp.FrameID]*frame
	top      cdp.FrameID
	child    cdp.FrameID
	pages    int
	bytes    int64
	moves    int // counts everything that moves, for the quiet
	steps    []results.Step
	dropped  int
	requests map[network.RequestID][]int // steps of each request, one per redirect
	extras   map[network.RequestID]*extra
	console  []string
	notes    []string
	failure  string // the network error of the journey's last document
	download bool
}

// frame is the state of one frame's navigation.
type frame struct {
	url       string
	status    int
	committed bool // a document has been shown since the visit began
	failed    bool // that document is the browser's error page
	requested bool // a page has asked to go on, and has not yet gone
	started   bool // a navigation is under way
	loading   bool
}

// extra keeps what the network stack tells of a request apart from the page.
type extra struct{ requests, responses int }

func openedBy(opener target.ID) func(*target.Info) bool {
	return func(info *target.Info) bool { return info.OpenerID == opener }
}

// prepare opens the tab and turns on the events that it follows.
func (t *tab) prepare() error {
	if err := chromedp.Do(t.ctx); err != nil {
		return err
	}
	_, err := chromedp.Call(t.ctx, network.Enable, network.EnableParams{MaxPostDataSize: new(int64(maxBody))})
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.top = cdp.FrameID(chromedp.FromContext(t.ctx).Target.TargetID)
	t.mu.Unlock()
	// Without this a download would be written to the disk.
	_, err = chromedp.CallBrowser(t.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: chromedp.FromContext(t.ctx).BrowserContextID,
	})
	return err
}

func (t *tab) blockThirdPartyCookies() error {
	_, err := chromedp.Call(t.ctx, network.SetCookieControls, network.SetCookieControlsParams{EnableThirdPartyCookieRestriction: true})
	if err != nil {
		return fmt.Errorf("block third-party cookies: %w", err)
	}
	return nil
}

// begin forgets what came before the visit.
func (t *tab) begin(at time.Time, inFrame bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began, t.inFrame, t.child = at, inFrame, ""
	t.frames = map[cdp.FrameID]*frame{}
	t.pages, t.bytes, t.dropped, t.failure, t.download = 0, 0, 0, "", false
	t.steps, t.console, t.notes = nil, nil, nil
	t.requests, t.extras = map[network.RequestID][]int{}, map[network.RequestID]*extra{}
}

// open sends the tab to a URL. Errors of the visited system show in the events.
func (t *tab) open(ctx context.Context, url string) Ending {
	call, cancel := context.WithCancel(t.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	_, err := chromedp.Call(call, page.Navigate, page.NavigateParams{URL: url})
	if err != nil && ctx.Err() == nil {
		t.note("the browser could not navigate: %v", err)
		return Unreadable
	}
	if ctx.Err() != nil {
		return TimedOut
	}
	return Settled
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
		if e.ParentFrameID == t.top && t.child == "" {
			t.child = e.FrameID
		}
	case *page.EventFrameRequestedNavigation:
		if e.Disposition == page.ClientNavigationDispositionCurrentTab {
			t.frame(e.FrameID).requested = true
		}
	case *page.EventFrameStartedNavigating:
		if !strings.Contains(strings.ToLower(string(e.NavigationType)), "samedocument") {
			f := t.frame(e.FrameID)
			f.requested, f.started = false, true
		}
	case *page.EventFrameStartedLoading:
		t.frame(e.FrameID).loading = true
	case *page.EventFrameNavigated:
		f := t.frame(e.Frame.ID)
		f.started, f.committed, f.loading = false, true, true
		f.url, f.failed = e.Frame.URL+e.Frame.URLFragment, e.Frame.UnreachableURL != ""
		if f.failed {
			f.url = e.Frame.UnreachableURL
		}
		if e.Frame.ID == t.watchedID() {
			t.pages++
		}
	case *page.EventFrameStoppedLoading:
		// A navigation that ends without a document, as a download or a 204
		// does, is over as well.
		f := t.frame(e.FrameID)
		f.loading, f.started = false, false
	case *page.EventFrameDetached:
		if e.FrameID != t.child {
			delete(t.frames, e.FrameID)
		}
	case *page.EventJavascriptDialogOpening:
		t.noteLocked("dialog (%s): %s", e.Type, e.Message)
		go func() {
			_, _ = chromedp.Call(t.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: e.Type == page.DialogTypeBeforeunload})
		}()
	case *runtime.EventExceptionThrown:
		t.consoleLocked("exception: " + e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value))
			}
			t.consoleLocked("console." + string(e.Type) + ": " + strings.Join(words, " "))
		}
	case *network.EventRequestWillBeSent, *network.EventResponseReceived, *network.EventLoadingFailed,
		*network.EventDataReceived, *network.EventRequestWillBeSentExtraInfo, *network.EventResponseReceivedExtraInfo:
		t.listenNetwork(ev)
	default:
		t.moves-- // nothing that a journey is made of
	}
	select {
	case t.changed <- struct{}{}:
	default:
	}
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
		if e.RedirectResponse != nil {
			if s := t.lastStep(e.RequestID); s != nil {
				s.Status = int(e.RedirectResponse.Status)
				setHeaderIfEmpty(&s.ResponseHeader, e.RedirectResponse.Headers)
			}
		}
		if e.Type != network.ResourceTypeDocument {
			return
		}
		if len(t.steps) >= maxSteps {
			t.dropped++
			return
		}
		var body strings.Builder
		for _, entry := range e.Request.PostDataEntries {
			body.Write(entry.Bytes)
		}
		t.requests[e.RequestID] = append(t.requests[e.RequestID], len(t.steps))
		t.steps = append(t.steps, results.Step{
			SeenBy: "browser", At: time.Since(t.began).Milliseconds(), Method: e.Request.Method,
			URL: results.Bounded(e.Request.URL+e.Request.URLFragment, maxBody), RequestHeader: results.Header(header(e.Request.Headers)),
			RequestBody: results.Bounded(body.String(), maxBody),
		})
	case *network.EventRequestWillBeSentExtraInfo:
		x := t.extra(e.RequestID)
		if s := t.step(e.RequestID, x.requests); s != nil {
			s.RequestHeader = results.Header(header(e.Headers))
			for _, c := range e.AssociatedCookies {
				if len(c.BlockedReasons) > 0 && c.Cookie != nil {
					s.Note = joinNote(s.Note, fmt.Sprintf("cookie %s was not sent: %v", c.Cookie.Name, c.BlockedReasons))
				}
			}
		}
		x.requests++
	case *network.EventResponseReceivedExtraInfo:
		x := t.extra(e.RequestID)
		if s := t.step(e.RequestID, x.responses); s != nil {
			s.ResponseHeader = results.Header(header(e.Headers))
			for _, c := range e.BlockedCookies {
				name, _, _ := strings.Cut(c.CookieLine, "=")
				s.Note = joinNote(s.Note, fmt.Sprintf("cookie %s was not stored: %v", results.Bounded(name, 200), c.BlockedReasons))
			}
		}
		x.responses++
	case *network.EventResponseReceived:
		if s := t.lastStep(e.RequestID); s != nil {
			s.Status = int(e.Response.Status)
			setHeaderIfEmpty(&s.ResponseHeader, e.Response.Headers)
			t.frame(e.FrameID).status = s.Status
			if e.FrameID == t.watchedID() {
				t.failure = ""
			}
		}
	case *network.EventLoadingFailed:
		if s := t.lastStep(e.RequestID); s != nil && e.Type == network.ResourceTypeDocument {
			s.Note = joinNote(s.Note, strings.TrimSpace(e.ErrorText+" "+string(e.BlockedReason)))
			t.failure = strings.TrimSpace(e.ErrorText + " " + string(e.BlockedReason))
			if e.ErrorText == "net::ERR_ABORTED" && strings.HasPrefix(headerValue(s.ResponseHeader, "Content-Disposition"), "attachment") {
				t.download = true
			}
		}
	case *network.EventDataReceived:
		t.bytes += e.DataLength
	}
}

func (t *tab) extra(id network.RequestID) *extra {
	x := t.extras[id]
	if x == nil {
		x = &extra{}
		t.extras[id] = x
	}
	return x
}

func (t *tab) step(id network.RequestID, hop int) *results.Step {
	if hops := t.requests[id]; hop < len(hops) {
		return &t.steps[hops[hop]]
	}
	return nil
}

func (t *tab) lastStep(id network.RequestID) *results.Step { return t.step(id, len(t.requests[id])-1) }

func header(h network.Headers) http.Header {
	out := http.Header{}
	for name, value := range h {
		for _, line := range strings.Split(fmt.Sprint(value), "\n") {
			out.Add(name, results.Bounded(line, maxBody))
		}
	}
	return out
}

func headerValue(fields [][2]string, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
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
	return a + "; " + b
}

// state is what rest decides on.
type state struct {
	atRest bool
	ended  Ending
	moves  int
}

func (t *tab) state() state {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.watched()
	s := state{ended: Settled, moves: t.moves}
	switch {
	case t.bytes > maxBytes:
		s.ended = TooLarge
	case t.pages > maxPages:
		s.ended = RedirectLoop
	case t.download:
		s.ended = Download
	}
	s.atRest = f != nil && (f.committed || t.failure != "") && !f.requested && !f.started && !f.loading
	return s
}

// rest waits until the journey has come to rest: the page is loaded, no page
// has asked to go on, and nothing has moved for as long as quiet.
func (t *tab) rest(ctx context.Context, quiet time.Duration) Ending {
	// Pages that never stop moving are looked at as they are.
	var patience <-chan time.Time
	for {
		s := t.state()
		if s.ended != Settled {
			return s.ended
		}
		var still <-chan time.Time
		if s.atRest {
			if quiet == 0 {
				return Settled
			}
			if patience == nil {
				patience = time.After(10 * quiet)
			}
			still = time.After(quiet)
		}
		select {
		case <-t.changed:
		case <-still:
			if now := t.state(); now.moves == s.moves {
				return Settled
			}
		case <-patience:
			return Settled
		case <-ctx.Done():
			return TimedOut
		case <-t.ctx.Done():
			return Unreadable
		}
	}
}

//go:embed read.js
var readScript string

// reading is what read.js returns.
type reading struct {
	URL      string          `json:"url"`
	Title    string          `json:"title"`
	Text     string          `json:"text"`
	Skeleton string          `json:"skeleton"`
	Markers  map[string]bool `json:"markers"`
}

// tell reads the page that the journey ended on.
func (t *tab) tell(ctx context.Context, ended Ending, v Visit) *Trip {
	trip := &Trip{Ended: ended, Markers: map[string]bool{}}
	if ended == TooLarge || ended == RedirectLoop || ended == TimedOut {
		stop, cancel := context.WithTimeout(t.ctx, readDeadline)
		_, _ = chromedp.Call(stop, page.StopLoading, cdp.Empty{})
		cancel()
	}
	for range 3 { // a page that goes on while it is read is read again
		before := t.pagesShown()
		t.read(ctx, trip, v)
		if ended != Settled || t.pagesShown() == before {
			break
		}
		if ended = t.rest(ctx, v.Quiet); ended != Settled {
			trip.Ended = ended
			break
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	trip.Steps, trip.Dropped = t.steps, t.dropped
	trip.Page.Console, trip.Page.Notes = t.console, t.notes
	if f := t.watched(); f != nil {
		trip.Page.Status = f.status
		if trip.Page.URL == "" || f.failed {
			trip.Page.URL = f.url
		}
		if f.failed && trip.Ended == Settled {
			trip.Ended = endingOf(t.failure)
			trip.Page.Status = 0
		}
	}
	if trip.Ended != Settled && trip.Why == "" {
		trip.Why = t.failure
	}
	return trip
}

func (t *tab) pagesShown() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pages
}

// endingOf names what the browser's network error means for the journey.
func endingOf(failure string) Ending {
	switch {
	case strings.Contains(failure, "ERR_TOO_MANY_REDIRECTS"):
		return RedirectLoop
	case strings.Contains(failure, "ERR_BLOCKED"):
		return Blocked
	case strings.Contains(failure, "ERR_TIMED_OUT"), strings.Contains(failure, "TIMED_OUT"):
		return TimedOut
	case strings.Contains(failure, "ERR_HTTP_RESPONSE_CODE_FAILURE"):
		return Settled // an error status without a page
	default:
		return Dropped
	}
}

// read takes title, text, structure and markers from a world of its own, where
// the page's scripts cannot lie about them, and then a screenshot.
func (t *tab) read(ctx context.Context, trip *Trip, v Visit) {
	markers, err := json.Marshal(v.Markers)
	if err != nil {
		trip.Why = err.Error()
		return
	}
	t.mu.Lock()
	id := t.watchedID()
	t.mu.Unlock()
	// A page that is past its deadline gets a moment more, to show what it is.
	reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), readDeadline+v.MarkerWait)
	defer cancel()
	raw, err := t.evaluate(reading, id, fmt.Sprintf("(%s)(%s, %d)", readScript, markers, v.MarkerWait.Milliseconds()))
	if err != nil {
		if trip.Ended == Settled {
			trip.Ended, trip.Why = Unreadable, "the page could not be read: "+err.Error()
		}
		return
	}
	if err := trip.take(raw); err != nil {
		trip.Ended, trip.Why = Unreadable, err.Error()
		return
	}
	if v.Screenshot {
		trip.Screenshot = t.screenshot(reading)
	}
}

func (trip *Trip) take(raw []byte) error {
	var r reading
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("the page could not be read: %w", err)
	}
	trip.Page.URL, trip.Page.Title = results.Bounded(r.URL, maxBody), results.Bounded(r.Title, 500)
	trip.Page.Text = results.Bounded(r.Text, maxText)
	trip.Skeleton = r.Skeleton
	trip.Markers = r.Markers
	return nil
}

// evaluate runs an expression in an isolated world of a frame, or in the page's
// own world where no frame is named, and returns its value as JSON.
func (t *tab) evaluate(ctx context.Context, id cdp.FrameID, expression string) ([]byte, error) {
	call, cancel := context.WithCancel(t.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	params := runtime.EvaluateParams{
		Expression: expression, ReturnByValue: new(true), AwaitPromise: new(true), UserGesture: new(true),
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
	if res.ExceptionDetails != nil {
		return nil, errors.New(res.ExceptionDetails.Text)
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
	call, cancel := context.WithCancel(t.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	shot, err := chromedp.Call(call, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatJpeg, Quality: new(int64(50)), OptimizeForSpeed: new(true),
	})
	if err != nil {
		t.note("no screenshot: %v", whichever(ctx, err))
		return nil
	}
	return shot.Data
}
