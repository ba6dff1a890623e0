package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"

	"invigilator/results"
)

// jar is a cookie jar that treats a machine's own names as browsers do: what
// comes from there is trusted as if it came over HTTPS. It is bounded as theirs are.
type jar struct {
	mu    sync.Mutex
	inner *cookiejar.Jar
	kept  map[string][]keptCookie // by host, the oldest first
}

// keptCookie says how a cookie is forgotten.
type keptCookie struct {
	from               *url.URL
	name, domain, path string
}

// The bounds of a host's cookies: browsers keep about so many, and none that is larger.
const (
	maxCookies = 180
	maxCookie  = 4096
)

func (j *jar) empty() {
	inner, _ := cookiejar.New(nil) // which fails on no options
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inner, j.kept = inner, map[string][]keptCookie{}
}

// take keeps the cookies of an answer, one a line, and forgets the oldest of the host
// where there are more than browsers keep. Of thousands in one answer net/http itself
// would take none.
func (j *jar) take(u *url.URL, lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	u = trusted(u)
	host := u.Hostname()
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil || len(c.Name)+len(c.Value) > maxCookie || len(c.Path) > maxCookie || len(c.Domain) > maxCookie {
			continue
		}
		j.inner.SetCookies(u, []*http.Cookie{c})
		if c.MaxAge < 0 {
			j.kept[host] = slices.DeleteFunc(j.kept[host], func(k keptCookie) bool { return k.name == c.Name && k.domain == c.Domain && k.path == c.Path })
			continue
		}
		set := keptCookie{u, c.Name, c.Domain, c.Path}
		kept := slices.DeleteFunc(j.kept[host], func(k keptCookie) bool {
			return k.name == set.name && k.domain == set.domain && k.path == set.path
		})
		if kept = append(kept, set); len(kept) > maxCookies {
			oldest := kept[0]
			kept = slices.Delete(kept, 0, 1)
			j.inner.SetCookies(oldest.from, []*http.Cookie{{Name: oldest.name, Domain: oldest.domain, Path: oldest.path, MaxAge: -1}})
		}
		j.kept[host] = kept
	}
}

func (j *jar) Cookies(u *url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.inner.Cookies(trusted(u))
}

// trusted returns the URL that stands for one of the machine's own.
func trusted(u *url.URL) *url.URL {
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	if u.Scheme != "http" || host != "localhost" && !strings.HasSuffix(host, ".localhost") && (ip == nil || !ip.IsLoopback()) {
		return u
	}
	secure := *u
	secure.Scheme = "https"
	return &secure
}

// document is a page that an HTTP user has before them, with what they have
// filled in.
type document struct {
	url    *url.URL
	status int
	page   *goquery.Document
	frames []*inner
}

// inner is the page of an iframe.
type inner struct {
	element *goquery.Selection
	page    *document // nil where none came
}

func (d *document) base() *url.URL {
	if set, err := d.url.Parse(d.page.Find("base[href]").First().AttrOr("href", "")); err == nil {
		return set
	}
	return d.url
}

// The bounds of the frames of a page.
const (
	maxFrameDepth = 3
	maxFrames     = 10
)

// Forget empties the jar, which is that of all the user's tabs.
func (u *httpUser) Forget(context.Context) error {
	u.jar.empty()
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
			if _, ok := errors.AsType[refusal](err); !ok {
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
	if strings.HasPrefix(d.url.String(), prefix) {
		return d, nil
	}
	for _, f := range d.frames {
		if found, in := f.page.find(prefix); found != nil {
			return found, cmp.Or(in, f)
		}
	}
	return nil, nil
}

// refusal is an action that a page does not allow.
type refusal struct{ why string }

func (r refusal) Error() string { return r.why }

func refuse(format string, args ...any) error { return refusal{fmt.Sprintf(format, args...)} }

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
			return refuse("%s is no absolute URL", a.Target)
		}
		return w.load(ctx, request{method: http.MethodGet, url: a.Target}, nil)
	case Back:
		u := w.user
		if len(u.past) == 0 {
			return refuse("there is no page to go back to")
		}
		u.tab, u.past, w.from = u.past[len(u.past)-1], u.past[:len(u.past)-1], nil
		return nil
	case Fill, Click, Choose, Wait:
	default:
		return refuse("there is no action %q", a.Verb)
	}
	frame, err := w.frameOf(a.Frame)
	if err != nil {
		return err
	}
	d := w.user.tab
	where := " on the page"
	if frame != nil {
		d, w.acted = frame.page, frame
		where = " in the frame " + cmp.Or(a.Frame, "where the journey began")
	}
	if part, ok := strings.CutPrefix(a.Target, "url="); ok && a.Verb == Wait {
		if !strings.Contains(d.url.String(), part) {
			return refuse("the address is %s", d.url)
		}
		return nil
	}
	s := locate(d.page, a.Target)
	if s.Length() == 0 {
		return refuse("there is no %s%s", a.Target, where)
	}
	if a.Verb == Fill || a.Verb == Choose {
		s = controlOf(d.page, s)
	}
	if !isShown(s) {
		return refuse("%s is not visible", a.Target)
	}
	if a.Verb == Wait {
		return nil
	}
	if s.Is("[disabled]") || s.Closest("fieldset[disabled]").Length() > 0 && s.Is("input, select, textarea, button") {
		return refuse("%s is disabled", a.Target)
	}
	switch a.Verb {
	case Fill:
		return fill(s, a)
	case Choose:
		return choose(d.page, s, a)
	default:
		return w.click(ctx, d, frame, s, a)
	}
}

// load goes to a page, in the tab or in a frame of it.
func (w *httpWalk) load(ctx context.Context, to request, in *inner) error {
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
	d.page.Find("iframe, frame").Each(func(_ int, s *goquery.Selection) {
		if *count++; *count > maxFrames || ctx.Err() != nil {
			return
		}
		f := &inner{element: s}
		d.frames = append(d.frames, f)
		if written, ok := s.Attr("srcdoc"); ok {
			if page, err := goquery.NewDocumentFromReader(strings.NewReader(written)); err == nil {
				f.page = &document{url: d.url, page: page}
			}
			return
		}
		src := strings.TrimSpace(s.AttrOr("src", ""))
		to, err := d.base().Parse(src)
		if err != nil || src == "" || to.Scheme != "http" && to.Scheme != "https" {
			return
		}
		page, err := w.follow(ctx, request{method: http.MethodGet, url: to.String()})
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
		return nil, refuse("no page is open")
	}
	if w.from != nil {
		d = w.from.page
	}
	if path == "" {
		return w.from, nil
	}
	var found *inner
	for selector := range strings.SplitSeq(path, " >> ") {
		element := d.page.Find(strings.TrimSpace(selector)).First()
		if element.Length() == 0 {
			return nil, refuse("there is no %s on the page", selector)
		}
		i := slices.IndexFunc(d.frames, func(f *inner) bool { return f.element.Nodes[0] == element.Nodes[0] })
		if i < 0 || d.frames[i].page == nil {
			return nil, refuse("the frame %s has no page", selector)
		}
		found = d.frames[i]
		d = found.page
	}
	return found, nil
}

const submitters = "button:not([type=button i]):not([type=reset i]), input[type=submit i], input[type=image i]"

// click does what a click does without scripts.
func (w *httpWalk) click(ctx context.Context, d *document, frame *inner, s *goquery.Selection, a Action) error {
	if link := s.Closest("a[href], area[href]"); link.Length() > 0 {
		to, err := d.base().Parse(strings.TrimSpace(link.AttrOr("href", "")))
		if err != nil {
			return refuse("%s leads nowhere: %v", a.Target, err)
		}
		if to.Scheme != "http" && to.Scheme != "https" {
			return refuse("%s leads to %s, which needs a browser", a.Target, to.Scheme)
		}
		if strings.HasPrefix(link.AttrOr("href", ""), "#") {
			return nil
		}
		return w.load(ctx, request{method: http.MethodGet, url: to.String()}, targetOf(link, frame))
	}
	if button := s.Closest(submitters); button.Length() > 0 {
		form := formOf(d.page, button)
		if form.Length() == 0 {
			return refuse("%s is in no form, and only scripts know what it does", a.Target)
		}
		to, err := submit(d, form, button)
		if err != nil {
			return err
		}
		return w.load(ctx, to, targetOf(form, frame))
	}
	if label := s.Closest("label"); label.Length() > 0 && !s.Is("input") {
		s = controlOf(d.page, label)
	}
	switch kind := strings.ToLower(s.AttrOr("type", "")); {
	case s.Is("input") && kind == "checkbox":
		if _, on := s.Attr("checked"); on {
			s.RemoveAttr("checked")
		} else {
			s.SetAttr("checked", "")
		}
		return nil
	case s.Is("input") && kind == "radio":
		check(d.page, s)
		return nil
	case s.Is("input, textarea, select, option, summary"):
		return nil
	default:
		return refuse("%s is no link and no button of a form, and only scripts know what it does", a.Target)
	}
}

// targetOf returns the frame in which a link or form of a frame opens, or nil
// for the tab. Windows are not told from tabs.
func targetOf(s *goquery.Selection, frame *inner) *inner {
	if target := strings.ToLower(s.AttrOr("target", "")); target == "" || target == "_self" {
		return frame
	}
	return nil
}

func formOf(page *goquery.Document, s *goquery.Selection) *goquery.Selection {
	if id, ok := s.Attr("form"); ok {
		return page.Find("form").FilterFunction(func(_ int, f *goquery.Selection) bool { return f.AttrOr("id", "") == id }).First()
	}
	return s.Closest("form")
}

// submit returns the request that a form's button makes.
func submit(d *document, form, button *goquery.Selection) (request, error) {
	attribute := func(name string) string {
		return button.AttrOr("form"+name, form.AttrOr(name, ""))
	}
	to, err := d.url.Parse(strings.TrimSpace(attribute("action")))
	if attribute("action") != "" {
		to, err = d.base().Parse(strings.TrimSpace(attribute("action")))
	}
	if err != nil {
		return request{}, refuse("the form leads nowhere: %v", err)
	}
	own := form.Find(fields)
	if id := form.AttrOr("id", ""); id != "" {
		own = own.AddSelection(d.page.Find(fields).FilterFunction(func(_ int, s *goquery.Selection) bool { return s.AttrOr("form", "") == id }))
	}
	fields := valuesOf(own)
	if name := button.AttrOr("name", ""); name != "" {
		if strings.EqualFold(button.AttrOr("type", ""), "image") {
			fields.Add(name+".x", "1")
			fields.Add(name+".y", "1")
		} else {
			fields.Add(name, button.AttrOr("value", ""))
		}
	}
	if strings.EqualFold(attribute("method"), "post") {
		return request{method: http.MethodPost, url: to.String(), form: fields}, nil
	}
	to.RawQuery = fields.Encode()
	return request{method: http.MethodGet, url: to.String()}, nil
}

func fill(s *goquery.Selection, a Action) error {
	kind := strings.ToLower(s.AttrOr("type", "text"))
	switch {
	case s.Is("[readonly]"):
		return refuse("%s is read-only", a.Target)
	case s.Is("textarea"):
		s.SetText(a.Value)
	case s.Is("input") && !slices.Contains([]string{"radio", "checkbox", "file", "submit", "button", "reset", "image", "hidden"}, kind):
		s.SetAttr("value", a.Value)
	default:
		return refuse("%s is no field to fill in but %s", a.Target, goquery.NodeName(s))
	}
	return nil
}

func choose(page *goquery.Document, s *goquery.Selection, a Action) error {
	kind := strings.ToLower(s.AttrOr("type", ""))
	switch {
	case s.Is("select"):
		options := s.Find("option")
		option := options.FilterFunction(func(_ int, o *goquery.Selection) bool { return o.AttrOr("value", squeeze(o.Text())) == a.Value })
		if option.Length() == 0 {
			option = options.FilterFunction(func(_ int, o *goquery.Selection) bool { return squeeze(o.Text()) == squeeze(a.Value) })
		}
		if option.Length() == 0 {
			return refuse("%s has no option %s", a.Target, a.Value)
		}
		if option.First().Is("[disabled]") {
			return refuse("the option %s of %s is disabled", a.Value, a.Target)
		}
		if !s.Is("[multiple]") {
			options.RemoveAttr("selected")
		}
		option.First().SetAttr("selected", "")
	case s.Is("input") && kind == "checkbox":
		s.SetAttr("checked", "")
	case s.Is("input") && kind == "radio":
		if a.Value != "" && s.AttrOr("value", "on") != a.Value {
			group := radios(page, s)
			found := group.FilterFunction(func(_ int, r *goquery.Selection) bool { return r.AttrOr("value", "on") == a.Value })
			if found.Length() == 0 {
				found = group.FilterFunction(func(_ int, r *goquery.Selection) bool { return squeeze(labelOf(page, r)) == squeeze(a.Value) })
			}
			if found.Length() == 0 {
				return refuse("%s has no choice %s", a.Target, a.Value)
			}
			s = found.First()
		}
		check(page, s)
	default:
		return refuse("%s is nothing to choose but %s", a.Target, goquery.NodeName(s))
	}
	return nil
}

// radios returns the radio buttons of which one at most is on.
func radios(page *goquery.Document, s *goquery.Selection) *goquery.Selection {
	form := formOf(page, s)
	return page.Find("input[type=radio i]").FilterFunction(func(_ int, r *goquery.Selection) bool {
		other := formOf(page, r)
		return r.AttrOr("name", "") == s.AttrOr("name", "") && slices.Equal(form.Nodes, other.Nodes)
	})
}

func check(page *goquery.Document, s *goquery.Selection) {
	radios(page, s).RemoveAttr("checked")
	s.SetAttr("checked", "")
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// isShown says whether markup hides an element.
func isShown(s *goquery.Selection) bool {
	if s.Is("input[type=hidden i]") {
		return false
	}
	hidden := s.Closest("[hidden]").Length() > 0
	s.Parents().AddSelection(s).Each(func(_ int, p *goquery.Selection) {
		style := strings.ToLower(strings.ReplaceAll(p.AttrOr("style", ""), " ", ""))
		hidden = hidden || strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")
	})
	return !hidden
}

// controlOf returns the field of a label, or else the element itself.
func controlOf(page *goquery.Document, s *goquery.Selection) *goquery.Selection {
	if !s.Is("label") {
		return s
	}
	var found *goquery.Selection
	if id, ok := s.Attr("for"); ok {
		found = page.Find("[id]").FilterFunction(func(_ int, e *goquery.Selection) bool { return e.AttrOr("id", "") == id })
	} else {
		found = s.Find("input, textarea, select")
	}
	if found.Length() == 0 {
		return s
	}
	return found.First()
}

func labelOf(page *goquery.Document, s *goquery.Selection) string {
	if around := s.Closest("label"); around.Length() > 0 {
		return around.Text()
	}
	id := s.AttrOr("id", "")
	return page.Find("label[for]").FilterFunction(func(_ int, l *goquery.Selection) bool { return id != "" && l.AttrOr("for", "") == id }).Text()
}

// rank says how well a text is the words: better ones are smaller.
func rank(said, words string) int {
	lower, low := strings.ToLower(said), strings.ToLower(words)
	switch {
	case said == words:
		return 0
	case strings.Contains(said, words):
		return 1
	case lower == low:
		return 2
	case strings.Contains(lower, low):
		return 3
	default:
		return 9
	}
}

// locate returns the element that a target names, as act.js does.
func locate(page *goquery.Document, target string) *goquery.Selection {
	if words, ok := strings.CutPrefix(target, "text="); ok {
		return locateText(page, squeeze(words))
	}
	if words, ok := strings.CutPrefix(target, "label="); ok {
		return locateLabel(page, squeeze(words))
	}
	found := page.Find(target)
	if seen := found.FilterFunction(func(_ int, s *goquery.Selection) bool { return isShown(s) }); seen.Length() > 0 {
		return seen.First()
	}
	return found.First()
}

// best keeps the element that a target means most likely.
type best struct {
	element *goquery.Selection
	score   [4]int
}

func (b *best) offer(s *goquery.Selection, score [4]int) {
	if b.element == nil || slices.Compare(score[:], b.score[:]) < 0 {
		b.element, b.score = s, score
	}
}

func (b *best) in(page *goquery.Document) *goquery.Selection {
	if b.element == nil {
		return page.Find("").Slice(0, 0)
	}
	return b.element
}

func locateText(page *goquery.Document, words string) *goquery.Selection {
	var b best
	const buttons = "input[type=submit i], input[type=button i], input[type=reset i], input[type=image i]"
	page.Find("body *").Not("script, style, noscript, template").Each(func(_ int, s *goquery.Selection) {
		said, kind := squeeze(s.Text()), 1
		if s.Is(buttons) {
			said = s.AttrOr("value", s.AttrOr("alt", "Submit"))
		}
		r := rank(said, words)
		if said == "" || r == 9 {
			return
		}
		if s.Is("a, button, label, summary, option, [role=button], [role=link], [role=tab], [role=menuitem], " + buttons) {
			kind = 0
		}
		hidden := 0
		if !isShown(s) {
			hidden = 1
		}
		score := [4]int{hidden, r, kind, len(said)}
		if b.element != nil && score == b.score { // of the same words the innermost
			b.element = s
			return
		}
		b.offer(s, score)
	})
	return b.in(page)
}

func locateLabel(page *goquery.Document, words string) *goquery.Selection {
	var b best
	offer := func(s *goquery.Selection, said string) {
		said = squeeze(said)
		r := min(rank(said, words), rank(strings.TrimRight(said, " :*"), words))
		if said == "" || r == 9 || s.Is("label") {
			return
		}
		hidden := 0
		if !isShown(s) {
			hidden = 1
		}
		b.offer(s, [4]int{hidden, r, len(said)})
	}
	page.Find("label").Each(func(_ int, l *goquery.Selection) { offer(controlOf(page, l), l.Text()) })
	page.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		offer(s, s.AttrOr("aria-label", ""))
		offer(s, s.AttrOr("placeholder", ""))
	})
	return b.in(page)
}

// redaction takes out what the last journey's trips are not to tell.
func (u *httpUser) redaction() redaction {
	if u.whole {
		return redaction{}
	}
	return redactionOf(u.secrets)
}
