package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"invigilator/results"
)

// HTTP is an [Agent] without a browser: it follows redirects and submits the
// forms that submit themselves, but runs no script, and loads frames only on a
// journey.
type HTTP struct {
	transport *http.Transport
}

// NewHTTP returns an HTTP agent that finds the given hosts.
func NewHTTP(hosts Hosts) *HTTP {
	return &HTTP{transport: Transport(hosts)}
}

// Transport returns an HTTP transport that finds the given hosts and trusts
// their certificate besides the system's.
func Transport(hosts Hosts) *http.Transport {
	var dialer net.Dialer
	return &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: hosts.Roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: maxHeader,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			address, err := hosts.find(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, address)
		},
	}
}

// find returns where a host:port is served. No resolver is asked for the run's own
// names, however they are written, nor for what is below them.
func (h Hosts) find(address string) (string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if mapped, ok := h.Addresses[host]; ok {
		return mapped, nil
	}
	for own := range h.Addresses {
		if strings.HasSuffix(host, "."+own) {
			return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	}
	return address, nil
}

// Open returns a user with an empty cookie jar.
func (a *HTTP) Open(context.Context) (User, error) {
	jar := &jar{}
	jar.empty()
	return &httpUser{jar: jar, client: &http.Client{
		Transport:     a.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// About says that there is no browser.
func (a *HTTP) About() results.Agent { return results.Agent{Kind: "http"} }

// Gone is false: there is nothing that could end.
func (a *HTTP) Gone() bool { return false }

// Close drops idle connections.
func (a *HTTP) Close() { a.transport.CloseIdleConnections() }

type httpUser struct {
	jar    *jar
	client *http.Client

	tab   *document   // what the user's tab shows; nil at first
	past  []*document // what it showed before
	place Place       // where the last visit or journey ended; empty where none came before
	frame *inner      // which frame that is; nil for the page
	// secrets are those of the last journey.
	secrets []string
	whole   bool // they stay in what trips tell
}

// NewTab returns a user with the same cookies.
func (u *httpUser) NewTab() User { return &httpUser{jar: u.jar, client: u.client} }

// Close forgets the user.
func (u *httpUser) Close() {}

// Visit follows the page's redirects and forms. Frames and windows need a browser.
func (u *httpUser) Visit(ctx context.Context, v Visit) (*Trip, error) {
	if v.In == Frame || v.In == Window || v.BlockThirdPartyCookies {
		return nil, ErrNeedsBrowser
	}
	if v.In == Here && u.place == "" {
		return nil, ErrNoJourney
	}
	if v.In != Here {
		u.place, u.frame, u.secrets, u.whole = "", nil, nil, false
	}
	began := time.Now()
	deadline, cancel := context.WithTimeout(ctx, v.Deadline)
	defer cancel()
	j := &journey{user: u, trip: &Trip{Ended: Settled, Markers: map[string]bool{}}, began: began, visit: v}
	page, err := j.follow(deadline, request{method: http.MethodGet, url: v.URL})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		j.trip.Ended, j.trip.Why = endingOfError(err), results.Bounded(err.Error(), maxBody)
	}
	if page != nil {
		j.tell(page)
	}
	switch {
	case v.In == Here:
		j.trip.In = u.place
		u.redaction().trip(j.trip)
		if page != nil {
			u.show(page, u.frame)
		}
	case page != nil:
		u.tab, u.past, u.place = page, nil, Tab
	default:
		u.tab, u.past = nil, nil
	}
	j.trip.Took = time.Since(began)
	return j.trip, nil
}

// show shows a page in the tab, or in a frame of it.
func (u *httpUser) show(page *document, in *inner) {
	if in != nil {
		in.page = page
		return
	}
	if u.tab != nil {
		u.past = append(u.past, u.tab)
		u.past = u.past[max(0, len(u.past)-maxPages):]
	}
	u.tab = page
}

// request is what the journey does next.
type request struct {
	method string
	url    string
	form   url.Values
}

// journey is one visit of an HTTP user.
type journey struct {
	user  *httpUser
	trip  *Trip
	visit Visit
	began time.Time
	bytes int64
	notes []string
}

var (
	errTooLarge   = errors.New("more bytes than any page has")
	errLoop       = errors.New("more redirects than any launch has")
	errUnreadable = errors.New("the page could not be read")
)

func endingOfError(err error) Ending {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooLarge):
		return TooLarge
	case errors.Is(err, errLoop):
		return RedirectLoop
	case errors.Is(err, errUnreadable):
		return Unreadable
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return TimedOut
	default:
		return Dropped
	}
}

// follow goes on until a page leads nowhere by itself. It returns no page where
// a file came in place of one.
func (j *journey) follow(ctx context.Context, next request) (*document, error) {
	for range maxPages {
		j.trip.Page = results.Page{URL: results.Bounded(next.url, maxBody)}
		response, body, err := j.exchange(ctx, next)
		if response != nil {
			j.trip.Page.Status = response.StatusCode
		}
		if err != nil {
			return nil, err
		}
		if location := response.Header.Get("Location"); location != "" && response.StatusCode/100 == 3 {
			to, err := response.Request.URL.Parse(location)
			if err != nil {
				return nil, fmt.Errorf("redirect to %q: %w", location, err)
			}
			if response.StatusCode != http.StatusTemporaryRedirect && response.StatusCode != http.StatusPermanentRedirect {
				next.method, next.form = http.MethodGet, nil
			}
			if !isWeb(to) {
				return nil, fmt.Errorf("redirect to %q: no browser follows it", location)
			}
			next.url = to.String()
			continue
		}
		if isFile(response) {
			j.trip.Ended = Download
			return nil, nil
		}
		page, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnreadable, err)
		}
		j.aim(page)
		onward, ok := submission(page, response.Request.URL, j.visit.Quiet)
		if to, err := url.Parse(onward.url); ok && (err != nil || !isWeb(to)) {
			j.note("the page goes on to %s, which only a browser can make something of", onward.url)
			ok = false
		}
		if !ok {
			return &document{url: response.Request.URL, status: response.StatusCode, page: page}, nil
		}
		next = onward
	}
	return nil, errLoop
}

// isWeb says whether an address is one of a page on the web.
func isWeb(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// note keeps a remark for the evidence.
func (j *journey) note(format string, args ...any) {
	if len(j.notes) < maxMessages {
		j.notes = append(j.notes, results.Bounded(fmt.Sprintf(format, args...), 500))
	}
}

// aim keeps where the forms of a page lead.
func (j *journey) aim(page *goquery.Document) {
	for _, name := range []string{"action", "formaction"} {
		page.Find("form[action], [formaction]").EachWithBreak(func(_ int, s *goquery.Selection) bool {
			if aim := s.AttrOr(name, ""); aim != "" {
				j.trip.Aims = append(j.trip.Aims, results.Bounded(aim, maxBody))
			}
			return len(j.trip.Aims) < maxSteps
		})
	}
}

// isFile says whether a browser would not show the answer but save it.
func isFile(response *http.Response) bool {
	disposition, _, _ := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
	content, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return disposition == "attachment" || content == "application/octet-stream"
}

// exchange makes one request and keeps it as a step.
func (j *journey) exchange(ctx context.Context, next request) (*http.Response, []byte, error) {
	encoded := next.form.Encode()
	step := results.Step{
		SeenBy: "http agent", At: time.Since(j.began).Milliseconds(), Method: next.method,
		URL: results.Bounded(next.url, maxBody), RequestBody: results.Bounded(encoded, maxBody),
	}
	defer func() {
		if len(j.trip.Steps) < maxSteps {
			j.trip.Steps = append(j.trip.Steps, step)
		} else {
			j.trip.Dropped++
		}
	}()
	var body io.Reader
	if next.method == http.MethodPost {
		body = strings.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, next.method, next.url, body)
	if err != nil {
		return nil, nil, err
	}
	if next.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	for _, c := range j.user.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	step.RequestHeader = results.Header(r.Header)
	response, err := j.user.client.Do(r)
	if err != nil && strings.Contains(err.Error(), "response headers exceeded") { // net/http has no error of its own for it
		err = fmt.Errorf("%w: a header of more than %d KiB", errTooLarge, maxHeader>>10)
	}
	if err != nil {
		step.Note = results.Bounded(err.Error(), maxBody)
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	j.user.jar.take(r.URL, response.Header["Set-Cookie"])
	j.trip.hide(next.url, r.Header, response.Header)
	step.Status, step.ResponseHeader = response.StatusCode, results.Header(boundedHeader(response.Header))
	content, err := io.ReadAll(io.LimitReader(response.Body, maxBytes-j.bytes+1))
	j.bytes += int64(len(content))
	if err == nil && j.bytes > maxBytes {
		err = errTooLarge
	}
	if err != nil {
		step.Note = err.Error()
	}
	return response, content, err
}

// boundedHeader makes text of a header that may hold any bytes.
func boundedHeader(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		for _, value := range values {
			out[name] = append(out[name], results.Bounded(value, maxBody))
		}
	}
	return out
}

// submission returns what a page submits by itself: its first form where a
// script or the body's onload submits one, or a refresh that is due before the
// journey would count as at rest.
func submission(page *goquery.Document, base *url.URL, quiet time.Duration) (request, bool) {
	if content, ok := page.Find(`meta[http-equiv="refresh" i]`).Attr("content"); ok {
		if to, after, err := refresh(content, base); err == nil && after <= quiet {
			return request{method: http.MethodGet, url: to}, true
		}
	}
	says := func(code string) bool {
		return strings.Contains(code, "submit(") || strings.Contains(code, "requestSubmit(")
	}
	submits := says(page.Find("body").AttrOr("onload", ""))
	page.Find("script").Each(func(_ int, s *goquery.Selection) { submits = submits || says(s.Text()) })
	form := page.Find("form").First()
	if !submits || form.Length() == 0 {
		return request{}, false
	}
	to, err := base.Parse(form.AttrOr("action", ""))
	if err != nil {
		return request{}, false
	}
	if strings.EqualFold(form.AttrOr("method", "get"), "post") {
		return request{method: http.MethodPost, url: to.String(), form: fieldsOf(form)}, true
	}
	to.RawQuery = fieldsOf(form).Encode()
	return request{method: http.MethodGet, url: to.String()}, true
}

// refresh reads a refresh like "5; url=/next"; without a URL the page itself
// is loaded again.
func refresh(content string, base *url.URL) (string, time.Duration, error) {
	delay, rest, _ := strings.Cut(content, ";")
	seconds, err := strconv.ParseFloat(strings.TrimSpace(delay), 64)
	if err != nil {
		return "", 0, err
	}
	rest = strings.TrimSpace(rest)
	if name, value, found := strings.Cut(rest, "="); found && strings.EqualFold(strings.TrimSpace(name), "url") {
		rest = strings.TrimSpace(value)
	}
	to, err := base.Parse(strings.Trim(rest, `'"`))
	if err != nil {
		return "", 0, err
	}
	return to.String(), time.Duration(seconds * float64(time.Second)), nil
}

// fieldsOf returns what a script submits with a form: no buttons, and nothing
// that is off.
func fieldsOf(form *goquery.Selection) url.Values { return valuesOf(form.Find(fields)) }

const fields = "input[name], textarea[name], select[name]"

func valuesOf(s *goquery.Selection) url.Values {
	fields := url.Values{}
	s.Not("[disabled], fieldset[disabled] *").Each(func(_ int, s *goquery.Selection) {
		name, _ := s.Attr("name")
		_, checked := s.Attr("checked")
		switch kind := strings.ToLower(s.AttrOr("type", "")); {
		case goquery.NodeName(s) == "textarea":
			fields.Add(name, s.Text())
		case goquery.NodeName(s) == "select":
			addChosen(fields, name, s)
		case kind == "checkbox", kind == "radio":
			if checked {
				fields.Add(name, s.AttrOr("value", "on"))
			}
		case !slices.Contains([]string{"submit", "button", "image", "reset", "file"}, kind):
			fields.Add(name, s.AttrOr("value", ""))
		}
	})
	return fields
}

// addChosen adds the options of a select that are selected, or else the first.
func addChosen(fields url.Values, name string, s *goquery.Selection) {
	chosen := s.Find("option[selected]")
	if _, multiple := s.Attr("multiple"); !multiple && chosen.Length() == 0 {
		chosen = s.Find("option").First()
	}
	chosen.Each(func(_ int, o *goquery.Selection) { fields.Add(name, o.AttrOr("value", o.Text())) })
}

// blocks are elements that a browser puts on lines of their own.
const blocks = "address, article, aside, blockquote, br, dd, div, dl, dt, fieldset, footer, form, h1, h2, h3, h4, h5, h6, " +
	"header, hr, li, main, nav, ol, p, pre, section, table, td, th, tr, ul"

// tell describes the page that the journey ended on. The page itself stays as it is.
func (j *journey) tell(d *document) {
	page, at := goquery.CloneDocument(d.page), d.url
	page.Find("script, style, noscript").Remove()
	body := page.Find("body")
	body.Find(blocks).AfterHtml("\n")
	var lines []string
	for line := range strings.Lines(body.Text()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "\n")
	j.trip.Page = results.Page{
		URL: results.Bounded(at.String(), maxBody), Status: d.status,
		Title: results.Bounded(strings.TrimSpace(page.Find("title").First().Text()), 500),
		Text:  results.Bounded(text, maxText),
		Notes: j.notes,
	}
	j.trip.Says = says(page, "")
	var names []string
	page.Find("*").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		names = append(names, results.Bounded(goquery.NodeName(s), 100))
		return len(names) < 400
	})
	j.trip.Skeleton = results.Bounded(strings.Join(names, " "), maxText)
	for _, m := range slices.Concat(j.visit.Markers, j.visit.Also) {
		j.trip.Markers[m.Name] = (m.Selector == "" || page.Find(m.Selector).Length() > 0) &&
			(m.Text == "" || strings.Contains(text, m.Text)) &&
			(m.URL == "" || strings.Contains(at.String(), m.URL))
	}
	j.trip.Read = map[string]string{}
	base := d.base()
	for name, r := range j.visit.Read {
		found := page.Find(r.Selector).First()
		text, ok := strings.TrimSpace(found.Text()), found.Length() > 0
		if r.Attribute != "" {
			text, ok = found.Attr(r.Attribute)
			if r.Attribute == "href" || r.Attribute == "action" {
				to, err := base.Parse(strings.TrimSpace(text))
				if err != nil {
					continue
				}
				text = to.String()
			}
		}
		if ok {
			j.trip.Read[name] = results.Bounded(text, maxRead)
		}
	}
}
