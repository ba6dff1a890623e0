package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"invigilator.example/results"
)

// BrowserOptions say which browser to use and how.
type BrowserOptions struct {
	// Path is the browser's executable; when empty the first of [Executables]
	// that is installed.
	Path string
	// Remote is the DevTools URL of a browser that runs already. Its flags are
	// its own; sites that only the harness knows cannot be reached from it. Its
	// pages may use the cameras, microphones and screens that it has.
	Remote string
	// Headed shows the browser's window.
	Headed bool
	Hosts  Hosts
}

// Executables are the browsers that are looked for, in this order: the
// headless shell is about three times as fast as the full browser.
var Executables = []string{
	"chromium-headless-shell", "chrome-headless-shell", "headless-shell", "headless_shell",
	"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome",
}

// openDeadline bounds what the browser does by itself: open and close tabs.
const openDeadline = 20 * time.Second

// ErrNoBrowser says that no browser is installed, and what to do about it.
var ErrNoBrowser = errors.New("no browser found: install Chromium (on Debian: apt-get install chromium-headless-shell), " +
	"or name one with browser.path, or a running one with browser.devtools_url; or judge over plain HTTP with --agent http, which leaves open what needs a browser")

// ErrNoWindow says that no browser is installed that can show a window.
var ErrNoWindow = errors.New("no browser found that shows a window: the headless shell has none; install Chromium or Chrome, or name one with browser.path")

// FindBrowser returns the path of the browser to use, or [ErrNoBrowser]; of one
// that can show a window, or [ErrNoWindow], where that is wanted.
func FindBrowser(headed bool) (string, error) {
	for _, name := range Executables {
		if headed && strings.Contains(name, "headless") {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if headed {
		return "", ErrNoWindow
	}
	return "", ErrNoBrowser
}

// A flag of the browser with the reason for it.
type flag struct {
	name  string
	value any
	why   string
}

// flags are chosen one by one: chromedp's defaults are not used.
func flags(o BrowserOptions) []flag {
	rules := make([]string, 0, len(o.Hosts.Addresses))
	for host, address := range o.Hosts.Addresses {
		rules = append(rules, "MAP "+host+" "+address)
	}
	slices.Sort(rules)
	for _, host := range slices.Sorted(maps.Keys(o.Hosts.Addresses)) { // the first rule that fits counts
		rules = append(rules, "MAP *."+host+" ~NOTFOUND")
	}
	chosen := []flag{
		{"no-sandbox", true, "containers and root have no sandbox to offer"},
		{"no-first-run", true, "no welcome pages"},
		{"no-default-browser-check", true, "no questions"},
		{"disable-gpu", true, "no graphics card needed"},
		{"disable-gpu-compositing", true, "no graphics card needed"},
		{"disable-software-rasterizer", true, "no graphics card to be imitated"},
		{"disable-dev-shm-usage", true, "containers have a small /dev/shm"},
		{"disable-quic", true, "everything is seen as HTTP over TCP"},
		{"disable-background-networking", true, "only the launches' own requests"},
		{"disable-component-update", true, "only the launches' own requests"},
		{"disable-sync", true, "only the launches' own requests"},
		{"disable-default-apps", true, "only the launches' own requests"},
		{"disable-breakpad", true, "no crash reports to anybody"},
		{"disable-extensions", true, "nothing but the page"},
		{"disable-prompt-on-repost", true, "nobody is there to answer"},
		{"use-fake-device-for-media-stream", true, "a camera, a microphone and a screen for check-ins, wherever it runs"},
		{"use-fake-ui-for-media-stream", true, "pages that ask for these get them, nobody is there to answer"},
		{"disable-hang-monitor", true, "a page that hangs is for the harness to see"},
		{"disable-renderer-backgrounding", true, "tabs behind others run at full speed"},
		{"disable-backgrounding-occluded-windows", true, "tabs behind others run at full speed"},
		{"disable-background-timer-throttling", true, "tabs behind others run at full speed"},
		{"force-color-profile", "srgb", "the same screenshot everywhere"},
		{"hide-scrollbars", true, "the same screenshot everywhere"},
		{"password-store", "basic", "no keyring"},
		{"use-mock-keychain", true, "no keyring"},
		// Cookies, SameSite and framing rules do not depend on which process
		// renders a frame; one session then sees the frames of all sites.
		{"disable-site-isolation-trials", true, "frames of other sites are seen from the page's session"},
		{"disable-features", "IsolateOrigins,site-per-process,Translate,BackForwardCache,LocalNetworkAccessChecks", "frames of other sites are seen from the page's session, going back like going on, and sites on this machine from everywhere"},
	}
	if !o.Headed {
		chosen = append(chosen, flag{"headless", true, "no screen needed"}, flag{"mute-audio", true, "no sound"})
	}
	if len(rules) > 0 {
		chosen = append(chosen, flag{"host-resolver-rules", strings.Join(rules, ", "), "the embedded sites"})
	}
	if len(o.Hosts.SPKIs) > 0 {
		chosen = append(chosen, flag{"ignore-certificate-errors-spki-list", strings.Join(o.Hosts.SPKIs, ","), "the certificates of the embedded sites and of ca_file, and no others"})
	}
	return chosen
}

func (f flag) String() string {
	if f.value == true {
		return "--" + f.name
	}
	return fmt.Sprintf("--%s=%v", f.name, f.value)
}

// Browser is an [Agent] that drives Chromium.
type Browser struct {
	ctx    context.Context // of the browser; tabs descend from it
	cancel context.CancelFunc
	about  results.Agent
	ready  chan *browserUser // users opened ahead

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // what goes on in the background
}

// StartBrowser starts a browser, or connects to a remote one. The context
// bounds the start only.
func StartBrowser(ctx context.Context, o BrowserOptions) (*Browser, error) {
	allocator, cancelAllocator, err := allocate(o)
	if err != nil {
		return nil, err
	}
	browserCtx, cancelBrowser := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}), chromedp.WithLogf(func(string, ...any) {}))
	b := &Browser{ctx: browserCtx, ready: make(chan *browserUser, 1), about: results.Agent{Kind: "browser"}}
	b.cancel = sync.OnceFunc(func() { cancelBrowser(); cancelAllocator() })
	stop := context.AfterFunc(ctx, b.cancel)
	if err := chromedp.Do(browserCtx); err != nil {
		b.cancel()
		return nil, fmt.Errorf("the browser does not start: %w", whyNot(ctx, err))
	}
	version, err := chromedp.CallBrowser(browserCtx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		b.cancel()
		return nil, fmt.Errorf("the browser does not answer: %w", whyNot(ctx, err))
	}
	// Told of every window that opens; tabs are not told of each other.
	_, err = chromedp.CallBrowser(browserCtx, target.SetDiscoverTargets, target.SetDiscoverTargetsParams{Discover: true})
	if err != nil {
		b.cancel()
		return nil, fmt.Errorf("the browser does not answer: %w", whyNot(ctx, err))
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	b.about.Version = version.Product
	if o.Remote == "" {
		for _, f := range flags(o) {
			if f.name != "ignore-certificate-errors-spki-list" && f.name != "host-resolver-rules" {
				b.about.Flags = append(b.about.Flags, f.String()+"  ("+f.why+")")
			}
		}
	}
	b.wg.Go(b.openAhead)
	return b, nil
}

func allocate(o BrowserOptions) (context.Context, context.CancelFunc, error) {
	if o.Remote != "" {
		ctx, cancel := remote.NewAllocator(context.Background(), o.Remote)
		return ctx, cancel, nil
	}
	options, err := o.ExecOptions()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(options, withoutDOMEvents())...)
	return ctx, cancel, nil
}

// ExecOptions returns what the browser is started with, so that a bare chromedp
// can be compared with the harness: all its events come, since chromedp's own
// queries wait for those of the document. It fails where no browser is installed.
func (o BrowserOptions) ExecOptions() ([]chromedp.ExecAllocatorOption, error) {
	path := o.Path
	if path == "" {
		found, err := FindBrowser(o.Headed)
		if err != nil {
			return nil, err
		}
		path = found
	}
	if _, err := exec.LookPath(path); err != nil {
		return nil, fmt.Errorf("browser.path: %w", err)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.WindowSize(1024, 768)}
	for _, f := range flags(o) {
		options = append(options, chromedp.Flag(f.name, f.value))
	}
	return options, nil
}

// openAhead keeps a user ready, so that nobody waits for a new browser context.
func (b *Browser) openAhead() {
	for b.ctx.Err() == nil {
		u, err := b.open()
		if err != nil {
			u = &browserUser{failed: err}
		}
		select {
		case b.ready <- u:
		case <-b.ctx.Done():
			if err == nil {
				u.first.cancel() // nothing was visited, and the browser has gone
			}
			return
		}
	}
}

// open makes a browser context of its own with one tab.
func (b *Browser) open() (*browserUser, error) {
	tab := b.newTab(b.ctx, chromedp.WithNewBrowserContext())
	u := &browserUser{browser: b, first: tab, tab: tab, shutting: &sync.WaitGroup{}}
	ctx, cancel := context.WithTimeout(b.ctx, openDeadline)
	defer cancel()
	err := tab.prepare(ctx)
	if err == nil {
		var granted sync.WaitGroup // one round trip for all
		granted.Go(func() { grantMedia(tab.ctx) })
		err = denyDownloads(tab.ctx)
		granted.Wait()
	}
	if err != nil {
		tab.cancel()
		return nil, fmt.Errorf("open a browser context: %w", err)
	}
	return u, nil
}

// denyDownloads keeps the browser from writing files to the disk.
func denyDownloads(ctx context.Context) error {
	_, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
	})
	return err
}

// grantMedia lets the pages of a browser context use cameras, microphones and
// screens. Flags make the browser give them, but not say so to pages that look at
// their permissions first, and a remote browser has no such flags. A browser that
// does not know a permission goes without.
func grantMedia(ctx context.Context) {
	var granted sync.WaitGroup
	for _, name := range []string{"camera", "microphone", "display-capture"} {
		granted.Go(func() {
			_, _ = chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
				Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
				BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
			})
		})
	}
	granted.Wait()
}

// Open returns a user that was opened ahead.
func (b *Browser) Open(ctx context.Context) (User, error) {
	if b.ctx.Err() != nil {
		return nil, errGone
	}
	select {
	case u := <-b.ready:
		if u.failed != nil {
			return nil, u.failed
		}
		return u, nil
	case <-b.ctx.Done():
		return nil, errGone
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var errGone = errors.New("the browser has gone")

// About returns the browser's version and flags.
func (b *Browser) About() results.Agent { return b.about }

// Gone says whether the connection to the browser was lost before [Browser.Close].
func (b *Browser) Gone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	select {
	case <-chromedp.FromContext(b.ctx).Browser.LostConnection:
		return true
	case <-b.ctx.Done():
		return true
	default:
		return false
	}
}

// Close ends the browser.
func (b *Browser) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.wg.Wait()
}

// background does what nobody has to wait for but Close. Once the browser has
// gone there is nothing left that takes time.
func (b *Browser) background(do func()) {
	b.mu.Lock()
	closed := b.closed
	if !closed {
		b.wg.Go(do)
	}
	b.mu.Unlock()
	if closed {
		do()
	}
}

// newTab makes a tab; it opens with the first command.
func (b *Browser) newTab(parent context.Context, options ...chromedp.ContextOption) *tab {
	t := &tab{changed: make(chan struct{}, 1)}
	t.begin(time.Now(), "", false)
	t.ctx, t.cancel = chromedp.NewContext(parent, append(options, chromedp.WithListener(t.listen))...)
	return t
}

// browserUser is a [User] with a browser context of its own.
type browserUser struct {
	browser  *Browser
	first    *tab            // its context is that of all the user's tabs
	tab      *tab            // where the next visit goes; nil where the last one got stuck
	shutting *sync.WaitGroup // of all the user's tabs
	extra    bool            // a further tab of a user: the browser context is not its own
	failed   error
	journeys
}

// NewTab returns a user of the same browser context. The tab opens with its
// first visit.
func (u *browserUser) NewTab() User {
	return &browserUser{browser: u.browser, first: u.first, shutting: u.shutting, extra: true}
}

// Close disposes of the browser context and all its tabs, without waiting; of a
// further tab it closes only that.
func (u *browserUser) Close() {
	u.leave()
	if u.extra {
		if u.tab != nil {
			u.shut(u.tab)
			u.tab = nil
		}
		return
	}
	u.browser.background(func() {
		// Contexts go last: see shut.
		defer u.first.cancel()
		u.shutting.Wait()
		ctx, cancel := context.WithTimeout(u.first.ctx, openDeadline)
		defer cancel()
		_, _ = chromedp.CallBrowser(ctx, target.DisposeBrowserContext, target.DisposeBrowserContextParams{
			BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
		})
		if u.tab != nil {
			u.tab.awaitGone(ctx)
		}
	})
}

// Visit opens the page in the user's tab, or in a new one where that got stuck.
func (u *browserUser) Visit(ctx context.Context, v Visit) (*Trip, error) {
	began := time.Now()
	deadline, cancel := context.WithTimeout(ctx, v.Deadline)
	defer cancel()
	if v.In == Here {
		trip, err := u.goOn(deadline, began, v)
		if err != nil || ctx.Err() != nil {
			return nil, whyNot(ctx, err)
		}
		trip.Took = time.Since(began)
		return trip, nil
	}
	windows := u.windows
	u.leave()
	if v.In == Window { // one of the same name would be taken for the new one
		for _, w := range windows {
			w.awaitGone(deadline)
		}
	}
	if err := u.ready(deadline); err != nil {
		return nil, whyNot(ctx, err)
	}
	t := u.tab
	t.begin(began, v.URL, v.In == Frame)
	trip, err := u.travel(deadline, t, v)
	// A page that opens windows would do so until the next visit has begun.
	if err != nil || ctx.Err() != nil || trip.Ended != Settled || t.opened() > 0 {
		u.tab = nil
		u.leave()
		u.lost = true
		u.shut(t)
	}
	if err != nil || ctx.Err() != nil {
		return nil, whyNot(ctx, err)
	}
	trip.Took = time.Since(began)
	return trip, nil
}

// whyNot prefers the reason why the context ended.
func whyNot(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ready makes sure that the user has a tab.
func (u *browserUser) ready(ctx context.Context) error {
	if u.tab != nil {
		return nil
	}
	t := u.browser.newTab(u.first.ctx)
	if err := t.prepare(ctx); err != nil {
		u.shut(t)
		return fmt.Errorf("open a tab: %w", err)
	}
	u.tab = t
	return nil
}

// shut closes a tab in the background. The browser closes it, not the tab's
// context: chromedp no longer takes the messages of a tab whose context has
// ended, and then a page that floods holds up all others.
func (u *browserUser) shut(t *tab) {
	u.shutting.Add(1)
	u.browser.background(func() {
		defer u.shutting.Done()
		t.halt() // a script that does not end would keep the tab
		ctx, cancel := context.WithTimeout(t.ctx, openDeadline)
		defer cancel()
		if opened := chromedp.FromContext(t.ctx).Target; opened != nil {
			_, _ = chromedp.CallBrowser(ctx, target.CloseTarget, target.CloseTargetParams{TargetID: opened.TargetID})
			t.awaitGone(ctx)
		}
	})
}

// travel goes where the visit leads and reads what is there.
func (u *browserUser) travel(ctx context.Context, t *tab, v Visit) (*Trip, error) {
	if err := t.blockThirdPartyCookies(v.BlockThirdPartyCookies); err != nil {
		return nil, err
	}
	ended := t.open(ctx, v.URL)
	if ended == Settled && v.In == Window {
		return u.travelInWindow(ctx, t, v)
	}
	if ended == Settled {
		ended = t.rest(ctx, v.Quiet)
	}
	trip := t.tell(ctx, ended, v)
	u.place = t.place()
	return trip, u.closeWindows(t)
}

// travelInWindow goes on in the window that the page's link opens, which stays
// until the next visit or journey leaves it. Where none opens, the page with the
// link tells why.
func (u *browserUser) travelInWindow(ctx context.Context, opener *tab, v Visit) (*Trip, error) {
	u.place = opener.place()
	if ended := opener.rest(ctx, 0); ended != Settled || opener.failed() {
		return opener.tell(ctx, ended, v), nil
	}
	window, err := u.clickIntoWindow(ctx, opener, v)
	if err != nil {
		ended := Unreadable
		if ctx.Err() != nil {
			ended = TimedOut
		}
		trip := opener.tell(ctx, ended, v)
		if trip.Ended == ended {
			trip.Why = err.Error()
		}
		return trip, nil
	}
	u.windows, u.place = []*tab{window}, window.place()
	return window.tell(ctx, window.rest(ctx, v.Quiet), v), nil
}

// clickIntoWindow opens an empty window under the name that the link targets,
// attaches to it, and only then clicks: so nothing of the journey is missed.
func (u *browserUser) clickIntoWindow(ctx context.Context, opener *tab, v Visit) (*tab, error) {
	call, cancel := opener.within(ctx)
	defer cancel()
	self := chromedp.FromContext(opener.ctx).Target.TargetID
	created := chromedp.BrowserEvents(call, target.TargetCreated)
	if _, err := opener.evaluate(ctx, "", fmt.Sprintf("void window.open('', %q)", v.WindowName)); err != nil {
		return nil, fmt.Errorf("open a window: %w", err)
	}
	var window *tab
	for ev, err := range created {
		if err != nil {
			return nil, fmt.Errorf("the window did not open: %w", err)
		}
		if ev.TargetInfo.OpenerID == self {
			window = u.browser.newTab(opener.ctx, chromedp.WithTargetID(ev.TargetInfo.TargetID))
			break
		}
	}
	if window == nil {
		return nil, errors.New("the window did not open")
	}
	err := window.prepare(ctx)
	if err == nil {
		err = window.blockThirdPartyCookies(v.BlockThirdPartyCookies)
	}
	if err == nil {
		window.begin(opener.began, v.URL, false)
		_, err = opener.evaluate(ctx, "", fmt.Sprintf("document.querySelector(%q).click()", v.Link))
	}
	if err != nil {
		u.shut(window)
		return nil, fmt.Errorf("click the link %s: %w", v.Link, err)
	}
	return window, nil
}

// closeWindows closes what the page opened by itself, so that it does not go on
// beside later visits.
func (u *browserUser) closeWindows(t *tab) error {
	if t.opened() == 0 {
		return nil
	}
	return u.closeStrays(t)
}

// closeStrays closes the windows that the tab's page and those opened, except
// those that the user goes on in.
func (u *browserUser) closeStrays(t *tab) error {
	call, cancel := context.WithTimeout(t.ctx, readDeadline)
	defer cancel()
	all, err := chromedp.Targets(call)
	if err != nil {
		return fmt.Errorf("list the windows: %w", err)
	}
	open := map[target.ID]bool{}
	for _, info := range all {
		open[info.TargetID] = true
	}
	own := chromedp.FromContext(t.ctx)
	doomed := map[target.ID]bool{}
	for before := -1; before < len(doomed); {
		before = len(doomed)
		for _, info := range all {
			// Tabs of the same person elsewhere were opened by nobody, and what
			// such a tab opened is theirs as long as it is there.
			by := info.OpenerID
			ours := by == own.Target.TargetID || by != "" && (!open[by] || doomed[by] || u.keeps(by))
			if ours && info.BrowserContextID == own.BrowserContextID && info.TargetID != own.Target.TargetID && info.Type == "page" && !u.keeps(info.TargetID) {
				doomed[info.TargetID] = true
			}
		}
	}
	for id := range doomed {
		_, _ = chromedp.CallBrowser(call, target.CloseTarget, target.CloseTargetParams{TargetID: id})
	}
	return nil
}
