package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"invigilator.example/results"
	"invigilator.example/scriptless"
)

// document is a page that an HTTP user has before them, with its frames.
type document struct {
	*scriptless.Page
	frames []*inner
}

// inner is the page of an iframe.
type inner struct {
	element *goquery.Selection
	page    *document // nil where none came
}

// The bounds of the frames of a page.
const (
	maxFrameDepth = 3
	maxFrames     = 10
)

// Forget empties the jar, which is that of all the user's tabs.
func (u *httpUser) Forget(context.Context) error {
	u.jar.Empty()
	return nil
}

// Go does what the journey says as far as that needs no scripts.
func (u *httpUser) Go(ctx context.Context, j Journey) (*Trip, error) {
	if slices.ContainsFunc(j.Actions, func(a Action) bool { return a.Verb == DoubleClick }) {
		return nil, ErrNeedsBrowser
	}
	if j.In == Here && u.place == "" {
		return nil, ErrNoJourney
	}
	began := time.Now()
	deadline, cancel := context.WithTimeout(ctx, j.Deadline)
	defer cancel()
	w := &httpWalk{journey: &journey{
		user: u, trip: &Trip{Ended: Settled, Markers: map[string]bool{}}, began: began,
		visit: Visit{Markers: j.Markers, Also: j.Also, Quiet: j.Quiet, Read: j.Read},
	}}
	trip := w.trip
	if j.In == Here {
		w.from, w.acted = u.frame, u.frame
		j.Secrets = slices.Concat(j.Secrets, u.secrets)
	}
	u.place, u.frame, u.secrets, u.whole = Tab, nil, j.secretTexts(), j.Whole
	for i, a := range j.Actions {
		w.bytes, w.acted = 0, nil
		j.ask(a)
		bounded, stop := context.WithTimeout(deadline, j.within(a))
		err := w.do(bounded, a)
		stop()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			trip.Stuck = &Stuck{Action: i, Why: results.Bounded(err.Error(), maxBody)}
			if _, ok := errors.AsType[scriptless.ActError](err); !ok {
				trip.Ended, trip.Why = endingOfError(err), results.Bounded(err.Error(), maxBody)
			}
			break
		}
		if trip.Ended != Settled {
			trip.Stuck = &Stuck{Action: i, Why: fmt.Sprintf("after %s the journey ended: %s", describe(a), trip.Ended)}
			break
		}
		j.tell(a)
	}
	failed := trip.Page // what no page came from
	shownDocument := u.tab
	if u.frame = w.acted; u.frame != nil {
		shownDocument = u.frame.page
	}
	if trip.Stuck == nil && j.Until != "" {
		if at, in := u.tab.find(j.Until); at != nil {
			shownDocument, u.frame = at, in
		} else {
			trip.Stuck = &Stuck{Action: len(j.Actions)}
		}
	}
	trip.Page = results.Page{}
	if trip.Ended != Settled {
		trip.Page = failed
	} else if shownDocument != nil {
		w.tell(shownDocument)
	}
	if u.frame != nil {
		u.place = Frame
	}
	trip.In = u.place
	redact := u.redaction()
	redact.trip(trip)
	if trip.Stuck != nil {
		if trip.Stuck.Action == len(j.Actions) && trip.Stuck.Why == "" {
			trip.Stuck.Why = fmt.Sprintf("the journey ended on %s, no page or frame came to %s", trip.Page.URL, redact.text(j.Until))
		}
		trip.Stuck.Why += "; " + shown(trip.Page, trip.Says, false)
	}
	trip.Took = time.Since(began)
	return trip, nil
}

// find returns the page whose address begins so, or nil, and the frame below that
// it is in.
func (d *document) find(prefix string) (*document, *inner) {
	if d == nil {
		return nil, nil
	}
	if strings.HasPrefix(d.URL.String(), prefix) {
		return d, nil
	}
	for _, f := range d.frames {
		if found, in := f.page.find(prefix); found != nil {
			return found, cmp.Or(in, f)
		}
	}
	return nil, nil
}

// httpWalk is one journey of an HTTP user.
type httpWalk struct {
	*journey
	from  *inner // the frame that the journey began in; nil for the page
	acted *inner // the frame that the last action took place in
}

func (w *httpWalk) do(ctx context.Context, a Action) error {
	switch a.Verb {
	case Open:
		if to, err := url.Parse(a.Target); err != nil || !to.IsAbs() {
			return scriptless.Cannot("%s is not an absolute URL", a.Target)
		}
		return w.load(ctx, scriptless.Request{Method: http.MethodGet, URL: a.Target}, nil)
	case Back:
		u := w.user
		if len(u.past) == 0 {
			return scriptless.Cannot("there is no page to go back to")
		}
		u.tab, u.past, w.from = u.past[len(u.past)-1], u.past[:len(u.past)-1], nil
		return nil
	case Fill, Click, Choose, Wait:
	default:
		return scriptless.Cannot("there is no action %q", a.Verb)
	}
	frame, err := w.frameOf(a.Frame)
	if err != nil {
		return err
	}
	d := w.user.tab
	if frame != nil {
		d, w.acted = frame.page, frame
		d.Where = "in the frame " + cmp.Or(a.Frame, "where the journey began")
	}
	switch part, ok := strings.CutPrefix(a.Target, "url="); {
	case ok && a.Verb == Wait:
		if !strings.Contains(d.URL.String(), part) {
			return scriptless.Cannot("the address is %s", d.URL)
		}
		return nil
	case a.Verb == Wait:
		return d.Find(a.Target)
	case a.Verb == Fill:
		return d.Fill(a.Target, a.Value)
	case a.Verb == Choose:
		return d.Choose(a.Target, a.Value)
	}
	to, err := d.Click(a.Target)
	if to == nil || err != nil {
		return err
	}
	return w.load(ctx, to.Request, shownIn(to.Target, frame))
}

// load goes to a page, in the tab or in a frame of it.
func (w *httpWalk) load(ctx context.Context, to scriptless.Request, in *inner) error {
	page, err := w.follow(ctx, to)
	if err != nil {
		return err
	}
	if page == nil {
		return nil // a file, as the trip says
	}
	count := 0
	w.loadFrames(ctx, page, 1, &count)
	w.user.show(page, in)
	if in == nil {
		w.from, w.acted = nil, nil
	}
	return ctx.Err()
}

// loadFrames loads the pages of a page's frames. What does not come is not there.
func (w *httpWalk) loadFrames(ctx context.Context, d *document, depth int, count *int) {
	if depth > maxFrameDepth {
		return
	}
	told := *w.trip // a frame that fails says nothing about the page
	d.Document.Find("iframe, frame").Each(func(_ int, s *goquery.Selection) {
		if *count++; *count > maxFrames || ctx.Err() != nil {
			return
		}
		f := &inner{element: s}
		d.frames = append(d.frames, f)
		if written, ok := s.Attr("srcdoc"); ok {
			if page, err := scriptless.Read(d.URL, 0, []byte(written)); err == nil {
				f.page = &document{Page: page}
			}
			return
		}
		src := strings.TrimSpace(s.AttrOr("src", ""))
		to, err := d.Base().Parse(src)
		if err != nil || src == "" || to.Scheme != "http" && to.Scheme != "https" {
			return
		}
		page, err := w.follow(ctx, scriptless.Request{Method: http.MethodGet, URL: to.String()})
		if err != nil || page == nil {
			return
		}
		f.page = page
		w.loadFrames(ctx, page, depth+1, count)
	})
	w.trip.Ended, w.trip.Page = told.Ended, told.Page
}

// frameOf returns the frame to act in, or nil for the page.
func (w *httpWalk) frameOf(path string) (*inner, error) {
	d := w.user.tab
	if d == nil {
		return nil, scriptless.Cannot("no page is open")
	}
	if w.from != nil {
		d = w.from.page
	}
	if path == "" {
		return w.from, nil
	}
	var found *inner
	for selector := range strings.SplitSeq(path, " >> ") {
		element := d.Document.Find(strings.TrimSpace(selector)).First()
		if element.Length() == 0 {
			return nil, scriptless.Cannot("there is no %s on the page", selector)
		}
		i := slices.IndexFunc(d.frames, func(f *inner) bool { return f.element.Nodes[0] == element.Nodes[0] })
		if i < 0 || d.frames[i].page == nil {
			return nil, scriptless.Cannot("the frame %s has no page", selector)
		}
		found = d.frames[i]
		d = found.page
	}
	return found, nil
}

// shownIn returns the frame in which what a link or form of a frame leads to is
// shown, or nil for the tab. Windows are not told from tabs.
func shownIn(target string, frame *inner) *inner {
	if target == "" || strings.EqualFold(target, "_self") {
		return frame
	}
	return nil
}

// redaction takes out what the last journey's trips are not to tell.
func (u *httpUser) redaction() redaction {
	if u.whole {
		return redaction{}
	}
	return redactionOf(u.secrets)
}
