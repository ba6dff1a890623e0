package ltitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"invigilator.example/scriptless"
)

// A Browser is that of one person. It keeps cookies, follows redirects and submits the
// forms that submit themselves, but runs no scripts, and loads no frames. It is not safe
// for concurrent use.
type Browser struct {
	jar    *scriptless.Jar
	client *http.Client
}

// NewBrowser returns a browser without cookies. The changes are for tools and platforms
// with certificates of their own, or with names that no resolver knows.
func NewBrowser(t TB, changes ...func(*http.Transport)) *Browser {
	t.Helper()
	transport := trusting(t)
	for _, change := range changes {
		change(transport)
	}
	return &Browser{jar: scriptless.NewJar(), client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A Page is where a browser has come to. What is clicked or filled in on it is named by a
// target: a CSS selector, "text=Words that are shown", or "label=Words of a field's label".
type Page struct {
	URL    string
	Status int // of the HTTP response
	Title  string
	Text   string // that it shows, line by line
	// Exchanges are those that led there from the page before, the last one included.
	Exchanges []Exchange

	browser *Browser
	page    *scriptless.Page
}

// An Exchange is a request of a browser and the response to it.
type Exchange struct {
	Method, URL   string
	RequestHeader http.Header
	Form          url.Values // of the request's body
	Status        int
	Header        http.Header
	Body          []byte
}

// maxPage bounds what is read of a page.
const maxPage = 10 << 20

// atOnce is how soon a page has to go on by a refresh for it to be followed.
const atOnce = 2 * time.Second

// Open goes to an address and on to wherever that leads by itself. It ends the test where
// no page comes; what a page says, and which status it comes with, is for the test to judge.
func (b *Browser) Open(t TB, address string) *Page {
	t.Helper()
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		fatalf(t, "open %q: it is no absolute URL", address)
	}
	return b.visit(t, scriptless.Request{Method: http.MethodGet, URL: address})
}

func (b *Browser) visit(t TB, first scriptless.Request) *Page {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var exchanges []Exchange
	follower := scriptless.Follower{Within: atOnce, Exchange: func(ctx context.Context, next scriptless.Request) (*http.Response, []byte, error) {
		exchange := Exchange{Method: next.Method, URL: next.URL, Form: next.Form}
		response, err := b.exchange(ctx, next, &exchange)
		exchanges = append(exchanges, exchange)
		return response, exchange.Body, err
	}}
	page, err := follower.Follow(ctx, first)
	if err != nil {
		fatalf(t, "%s %s: %s%s", first.Method, first.URL, plainly(err, exchanges), list(exchanges))
	}
	_, text := page.Bare()
	return &Page{
		URL: page.URL.String(), Status: page.Status, Title: page.Title(), Text: text, Exchanges: exchanges,
		browser: b, page: page,
	}
}

// exchange makes one request and notes what came of it.
func (b *Browser) exchange(ctx context.Context, next scriptless.Request, e *Exchange) (*http.Response, error) {
	r, err := next.HTTP(ctx, b.jar)
	if err != nil {
		return nil, err
	}
	e.RequestHeader = r.Header
	response, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	b.jar.Take(r.URL, response.Header["Set-Cookie"])
	e.Status, e.Header = response.StatusCode, response.Header
	e.Body, err = io.ReadAll(io.LimitReader(response.Body, maxPage+1))
	if err == nil && len(e.Body) > maxPage {
		err = fmt.Errorf("the page is larger than %d MiB", maxPage>>20)
	}
	return response, err
}

// plainly says why no page has come.
func plainly(err error, exchanges []Exchange) string {
	at := "it"
	if len(exchanges) > 0 {
		at = host(exchanges[len(exchanges)-1].URL)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing is served at %s", at)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s has not answered within %s", at, patience)
	default:
		return err.Error()
	}
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// list is what has been exchanged, one on a line of its own.
func list(exchanges []Exchange) string {
	var lines strings.Builder
	for _, e := range exchanges {
		lines.WriteString("\n\t" + e.String())
	}
	return lines.String()
}

// String says what was asked for, without parameters, and the status of the answer.
func (e Exchange) String() string {
	address, _, _ := strings.Cut(e.URL, "?")
	if e.Status == 0 {
		return fmt.Sprintf("%s %s: no answer", e.Method, clip(address))
	}
	return fmt.Sprintf("%s %s: %d", e.Method, clip(address), e.Status)
}

// clip bounds what is shown of a text.
func clip(s string) string {
	const most = 2000
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// String says how the browser came to the page, and what it shows.
func (p *Page) String() string {
	return fmt.Sprintf("%q, with status %d, shows:\n%s\nThe way there:%s", p.Title, p.Status, clip(p.Text), list(p.Exchanges))
}

// Has says whether the page shows a target.
func (p *Page) Has(target string) bool { return p.page.Find(target) == nil }

// Fill fills in a form field, and returns the page.
func (p *Page) Fill(t TB, target, value string) *Page {
	t.Helper()
	p.must(t, "fill in", target, p.page.Fill(target, value))
	return p
}

// Choose chooses an option of a select or a radio button, by its value or its text, or
// ticks a checkbox, and returns the page.
func (p *Page) Choose(t TB, target, value string) *Page {
	t.Helper()
	p.must(t, "choose", target, p.page.Choose(target, value))
	return p
}

// Click clicks a link or a button and returns the page that this leads to: the same one,
// where it leads nowhere.
func (p *Page) Click(t TB, target string) *Page {
	t.Helper()
	to, err := p.page.Click(target)
	p.must(t, "click", target, err)
	if to == nil {
		return p
	}
	return p.browser.visit(t, to.Request)
}

func (p *Page) must(t TB, do, target string, err error) {
	t.Helper()
	if err != nil {
		fatalf(t, "%s %s: %v. The page %s", do, target, err, p)
	}
}
