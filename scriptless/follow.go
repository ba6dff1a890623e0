package scriptless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Request is what a link, a form or a redirect asks for.
type Request struct {
	Method string
	URL    string
	Form   url.Values // of a POST
}

// HTTP returns the request with the cookies of a jar, as browsers send it.
func (r Request) HTTP(ctx context.Context, jar *Jar) (*http.Request, error) {
	var body io.Reader
	if r.Method == http.MethodPost {
		body = strings.NewReader(r.Form.Encode())
	}
	made, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodPost {
		made.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	made.Header.Set("Accept", "text/html")
	// AddCookie writes them, each into a header of its own: it would copy the whole line for each.
	var pairs []string
	for _, c := range jar.Cookies(made.URL) {
		one := http.Request{Header: http.Header{}}
		one.AddCookie(c)
		pairs = append(pairs, one.Header.Get("Cookie"))
	}
	if len(pairs) > 0 {
		made.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	return made, nil
}

// Why nothing is shown at the end of the way.
var (
	ErrLoop       = errors.New("more redirects than a launch may have")
	ErrUnreadable = errors.New("the page could not be read")
	ErrFile       = errors.New("a file came in place of a page")
)

// MaxPages is how many documents a way may show one after the other.
const MaxPages = 40

// A Follower goes where answers and pages lead by themselves.
type Follower struct {
	// Exchange makes one request and follows no redirect. It returns the body as well.
	Exchange func(context.Context, Request) (*http.Response, []byte, error)
	// Arrived is told of every page on the way; it may be nil.
	Arrived func(*Page)
	// Within is how soon a refresh has to be due to be followed.
	Within time.Duration
}

// Follow goes on until a page leads nowhere by itself, and returns that page. It fails
// with the error of an exchange, with [ErrLoop], [ErrUnreadable] and [ErrFile], and
// where a redirect leads to what no browser follows.
func (f Follower) Follow(ctx context.Context, next Request) (*Page, error) {
	for range MaxPages {
		response, body, err := f.Exchange(ctx, next)
		if err != nil {
			return nil, err
		}
		at := response.Request.URL
		if location := response.Header.Get("Location"); location != "" && response.StatusCode/100 == 3 {
			to, err := at.Parse(location)
			if err != nil {
				return nil, fmt.Errorf("redirect to %q: %w", location, err)
			}
			if response.StatusCode != http.StatusTemporaryRedirect && response.StatusCode != http.StatusPermanentRedirect {
				next.Method, next.Form = http.MethodGet, nil
			}
			if !isWeb(to) {
				return nil, fmt.Errorf("redirect to %q: no browser follows it", location)
			}
			next.URL = to.String()
			continue
		}
		if isFile(response) {
			return nil, ErrFile
		}
		page, err := Read(at, response.StatusCode, body)
		if err != nil {
			return nil, err
		}
		if f.Arrived != nil {
			f.Arrived(page)
		}
		onward, ok := page.onward(f.Within)
		if to, err := url.Parse(onward.URL); ok && (err != nil || !isWeb(to)) {
			page.Beyond, ok = onward.URL, false
		}
		if !ok {
			return page, nil
		}
		next = onward
	}
	return nil, ErrLoop
}

// isWeb says whether an address is one of a page on the web.
func isWeb(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// isFile says whether a browser would not show the answer but save it.
func isFile(response *http.Response) bool {
	disposition, _, _ := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
	content, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return disposition == "attachment" || content == "application/octet-stream"
}
