package agent

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"invigilator.example/results"
)

//go:embed record.js
var recordScript string

// recordBinding is the function by which that script tells what the human does; it is in a
// world of its own, where the page's scripts do not reach.
const recordBinding = "invigilatorRecord"

// A Recording says where a human begins to act in a window, and where that ends.
type Recording struct {
	URL string
	// Until is how the address begins that ends it, in the page, in a frame or in another
	// window. It ends as well when the window is closed, and with the context.
	Until string
	// Tell is told of each action; it may be nil.
	Tell func(Recorded)
	// Ready is told the context of the window, for those who act in it by themselves; it may
	// be nil.
	Ready func(context.Context)
}

// Recorded is what a human has done.
type Recorded struct {
	Action
	// Page is the address of the page that it was done on. The Value of a secret is what its
	// field is called: what was filled in has not left the page.
	Page string
}

// maxRecorded is how many actions are kept.
const maxRecorded = 500

// Record opens a window, and takes down what a human does there, as the actions of a journey
// that begins with opening the page. What is filled into the field of a secret is not among
// them.
func (b *Browser) Record(ctx context.Context, r Recording) ([]Recorded, error) {
	rec := &recorder{recording: r, frames: map[cdp.FrameID]within{}, contexts: map[runtime.ExecutionContextID]cdp.FrameID{}, jobs: make(chan func(context.Context), maxRecorded), done: make(chan struct{})}
	tab, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(rec.listen))
	defer cancel()
	if err := rec.prepare(tab); err != nil {
		return nil, fmt.Errorf("open a window: %w", whyNot(ctx, err))
	}
	listening, stop := context.WithCancel(tab)
	defer stop()
	if err := chromedp.ListenBrowser(listening, rec.listenWindows(tab)); err != nil {
		return nil, err
	}
	gone, err := chromedp.Detached(tab)
	if err != nil {
		return nil, err
	}
	rec.add(Recorded{Action: Action{Verb: Open, Target: r.URL}, Page: r.URL})
	opened, err := chromedp.Call(tab, page.Navigate, page.NavigateParams{URL: r.URL})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", results.URL(r.URL), whyNot(ctx, err))
	}
	rec.first = opened.LoaderID
	if r.Ready != nil {
		go r.Ready(tab)
	}
	for {
		select {
		case job := <-rec.jobs:
			job(tab)
			continue
		case <-rec.done:
		case <-gone:
		case <-ctx.Done():
		}
		break
	}
	for len(rec.jobs) > 0 { // what came last
		(<-rec.jobs)(tab)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.actions), nil
}

// recorder is a recording that goes on.
type recorder struct {
	recording Recording
	first     cdp.LoaderID
	jobs      chan func(context.Context) // what asks the browser something, one after the other
	done      chan struct{}

	mu       sync.Mutex
	ended    bool
	actions  []Recorded
	at       string // the page
	frames   map[cdp.FrameID]within
	contexts map[runtime.ExecutionContextID]cdp.FrameID
}

// within is a frame of a page: the selector of its element, and the frame around it.
type within struct {
	selector string
	around   cdp.FrameID
}

// prepare has a window tell what is done there.
func (r *recorder) prepare(tab context.Context) error {
	if err := chromedp.Do(tab); err != nil {
		return err
	}
	if _, err := chromedp.CallBrowser(tab, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: chromedp.FromContext(tab).BrowserContextID,
	}); err != nil {
		return err
	}
	if _, err := chromedp.Call(tab, runtime.AddBinding, runtime.AddBindingParams{Name: recordBinding, ExecutionContextName: recordBinding}); err != nil {
		return err
	}
	_, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: recordScript, WorldName: recordBinding, RunImmediately: new(true),
	})
	return err
}

// listenWindows follows the windows that open from the recorded one.
func (r *recorder) listenWindows(tab context.Context) func(any) {
	own := chromedp.FromContext(tab).BrowserContextID
	return func(ev any) {
		switch e := ev.(type) {
		case *target.EventTargetCreated:
			if e.TargetInfo.Type != "page" || e.TargetInfo.BrowserContextID != own || e.TargetInfo.OpenerID == "" {
				return
			}
			r.reach(e.TargetInfo.URL)
			r.ask(func(ctx context.Context) {
				window, _ := chromedp.NewContext(ctx, chromedp.WithTargetID(e.TargetInfo.TargetID), chromedp.WithDetachOnCancel(), chromedp.WithListener(r.listen))
				_ = r.prepare(window) // one that has closed again is not followed
			})
		case *target.EventTargetInfoChanged:
			if e.TargetInfo.BrowserContextID == own {
				r.reach(e.TargetInfo.URL)
			}
		}
	}
}

// listen takes in what a window tells.
func (r *recorder) listen(ev any) {
	switch e := ev.(type) {
	case *runtime.EventExecutionContextCreated:
		var about struct {
			FrameID cdp.FrameID `json:"frameId"`
		}
		if json.Unmarshal(e.Context.AuxData, &about) == nil {
			r.mu.Lock()
			r.contexts[e.Context.ID] = about.FrameID
			r.mu.Unlock()
		}
	case *page.EventFrameAttached:
		r.ask(func(ctx context.Context) { r.describe(ctx, e.FrameID, e.ParentFrameID) })
	case *page.EventFrameNavigated:
		address := e.Frame.URL + e.Frame.URLFragment
		r.reach(address)
		if e.Frame.ParentID != "" {
			return
		}
		r.mu.Lock()
		r.at = address
		r.mu.Unlock()
		r.ask(func(ctx context.Context) { r.typed(ctx, e.Frame.LoaderID, address) })
	case *runtime.EventBindingCalled:
		if e.Name != recordBinding {
			return
		}
		r.mu.Lock()
		in, at := r.contexts[e.ExecutionContextID], r.at
		r.mu.Unlock()
		r.ask(func(context.Context) { r.take(e.Payload, in, at) })
	}
}

// ask has something done that the listener must not wait for, in its turn.
func (r *recorder) ask(job func(context.Context)) {
	select {
	case r.jobs <- job:
	default: // a page that floods the recording is left out of it
	}
}

// reach ends the recording where an address is the one that it goes up to.
func (r *recorder) reach(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended && r.recording.Until != "" && strings.HasPrefix(address, r.recording.Until) {
		r.ended = true
		close(r.done)
	}
}

// typed takes down an address that the human has typed.
func (r *recorder) typed(ctx context.Context, loader cdp.LoaderID, address string) {
	if loader == r.first {
		return
	}
	history, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
	if err != nil || history.CurrentIndex < 0 || int(history.CurrentIndex) >= len(history.Entries) {
		return
	}
	entry := history.Entries[history.CurrentIndex]
	if entry.URL == address && slices.Contains([]string{"typed", "address_bar", "auto_bookmark", "keyword"}, string(entry.TransitionType)) {
		r.add(Recorded{Action: Action{Verb: Open, Target: address}, Page: address})
	}
}

// describe finds a selector for the element of a frame.
func (r *recorder) describe(ctx context.Context, id, around cdp.FrameID) {
	selector := "iframe"
	if owner, err := chromedp.Call(ctx, dom.GetFrameOwner, dom.GetFrameOwnerParams{FrameID: id}); err == nil {
		if node, err := chromedp.Call(ctx, dom.DescribeNode, dom.DescribeNodeParams{BackendNodeID: owner.BackendNodeID}); err == nil {
			selector = frameSelector(node.Node.Attributes)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames[id] = within{selector, around}
}

// frameSelector is a selector for an iframe that has attributes, names and values in turn.
func frameSelector(attributes []string) string {
	values := map[string]string{}
	for i := 0; i+1 < len(attributes); i += 2 {
		values[attributes[i]] = attributes[i+1]
	}
	for _, name := range []string{"id", "name", "title"} {
		if value := values[name]; value != "" && len(value) < 60 {
			quoted, _ := json.Marshal(value)
			return "iframe[" + name + "=" + string(quoted) + "]"
		}
	}
	return "iframe"
}

// take takes down an action that the script tells.
func (r *recorder) take(payload string, in cdp.FrameID, at string) {
	var told struct{ Verb, Target, Value, Secret string }
	if json.Unmarshal([]byte(payload), &told) != nil || len(payload) > maxNote {
		return
	}
	a := Action{Verb: Verb(told.Verb), Target: told.Target, Value: told.Value}
	if told.Secret != "" {
		a.Value, a.Secret = told.Secret, true
	}
	r.mu.Lock()
	var around []string
	for f, ok := r.frames[in]; ok && len(around) < 10; f, ok = r.frames[f.around] {
		around = append(around, f.selector)
	}
	r.mu.Unlock()
	slices.Reverse(around)
	a.Frame = strings.Join(around, " >> ")
	r.add(Recorded{Action: a, Page: at})
}

// add takes down an action. Of what is filled into a field twice the last holds.
func (r *recorder) add(a Recorded) {
	r.mu.Lock()
	n := len(r.actions)
	switch {
	case n > 0 && a.Verb == Fill && r.actions[n-1].Verb == Fill && r.actions[n-1].Target == a.Target && r.actions[n-1].Frame == a.Frame:
		r.actions[n-1] = a
	case n > 0 && a.Verb == Open && r.actions[n-1].Verb == Open && n > 1:
		r.actions[n-1] = a
	case n < maxRecorded:
		r.actions = append(r.actions, a)
	}
	r.mu.Unlock()
	if r.recording.Tell != nil {
		r.recording.Tell(a)
	}
}
