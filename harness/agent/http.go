package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"invigilator.example/results"
	"invigilator.example/scriptless"
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
		// Servers commonly end connections that were idle for 5 seconds. A request that meets
		// that end would be taken for one that the subject has dropped.
		IdleConnTimeout: 3 * time.Second,
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
	return &httpUser{jar: scriptless.NewJar(), client: &http.Client{
		Transport:     a.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// About says that there is no browser.
func (a *HTTP) About() results.Agent { return results.Agent{Kind: results.HTTP} }

// Gone is false: there is nothing that could end.
func (a *HTTP) Gone() bool { return false }

// Close drops idle connections.
func (a *HTTP) Close() { a.transport.CloseIdleConnections() }

type httpUser struct {
	jar    *scriptless.Jar
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
	page, err := j.follow(deadline, scriptless.Request{Method: http.MethodGet, URL: v.URL})
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

// journey is one visit of an HTTP user.
type journey struct {
	user  *httpUser
	trip  *Trip
	visit Visit
	began time.Time
	bytes int64
	notes []string
}

var errTooLarge = errors.New("more data than a page may have")

func endingOfError(err error) Ending {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooLarge):
		return TooLarge
	case errors.Is(err, scriptless.ErrLoop):
		return RedirectLoop
	case errors.Is(err, scriptless.ErrUnreadable):
		return Unreadable
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return TimedOut
	default:
		return Dropped
	}
}

// follow goes on until a page leads nowhere by itself. It returns no page where
// a file came in place of one.
func (j *journey) follow(ctx context.Context, next scriptless.Request) (*document, error) {
	page, err := scriptless.Follower{Exchange: j.exchange, Arrived: j.aim, Within: j.visit.Quiet}.Follow(ctx, next)
	switch {
	case errors.Is(err, scriptless.ErrFile):
		j.trip.Ended = Download
		return nil, nil
	case err != nil:
		return nil, err
	case page.Beyond != "":
		j.note("the page goes on to %s, which needs a browser", page.Beyond)
	}
	return &document{Page: page}, nil
}

// note keeps a remark for the evidence.
func (j *journey) note(format string, args ...any) {
	if len(j.notes) < maxMessages {
		j.notes = append(j.notes, results.Bounded(fmt.Sprintf(format, args...), 500))
	}
}

// aim keeps where the forms of a page lead.
func (j *journey) aim(page *scriptless.Page) {
	for _, name := range []string{"action", "formaction"} {
		page.Document.Find("form[action], [formaction]").EachWithBreak(func(_ int, s *goquery.Selection) bool {
			if aim := s.AttrOr(name, ""); aim != "" {
				j.trip.Aims = append(j.trip.Aims, results.Bounded(aim, maxBody))
			}
			return len(j.trip.Aims) < maxSteps
		})
	}
}

// exchange makes one request and keeps it as a step.
func (j *journey) exchange(ctx context.Context, next scriptless.Request) (*http.Response, []byte, error) {
	j.trip.Page = results.Page{URL: results.Bounded(next.URL, maxBody)}
	step := results.Step{
		SeenBy: "http agent", At: time.Since(j.began).Milliseconds(), Method: next.Method,
		URL: results.Bounded(next.URL, maxBody), RequestBody: results.Bounded(next.Form.Encode(), maxBody),
	}
	defer func() {
		if len(j.trip.Steps) < maxSteps {
			j.trip.Steps = append(j.trip.Steps, step)
		} else {
			j.trip.Dropped++
		}
	}()
	r, err := next.HTTP(ctx, j.user.jar)
	if err != nil {
		return nil, nil, err
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
	j.trip.Page.Status = response.StatusCode
	j.user.jar.Take(r.URL, response.Header["Set-Cookie"])
	j.trip.hide(next.URL, r.Header, response.Header)
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

// tell describes the page that the journey ended on. The page itself stays as it is.
func (j *journey) tell(d *document) {
	page, text := d.Bare()
	j.trip.Page = results.Page{
		URL: results.Bounded(d.URL.String(), maxBody), Status: d.Status,
		Title: results.Bounded(d.Title(), 500),
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
			(m.URL == "" || strings.Contains(d.URL.String(), m.URL))
	}
	j.trip.Read = map[string]string{}
	base := d.Base()
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
