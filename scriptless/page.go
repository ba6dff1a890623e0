// Package scriptless is what a web page is to somebody whose browser runs no
// scripts: its text, its links and forms, and where it leads by itself. Forms
// that a script does nothing but submit are submitted, as the pages of an LTI
// launch need it. It makes no request and judges nothing.
package scriptless

import (
	"bytes"
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// A Page is one that somebody has before them, with what they have filled in.
type Page struct {
	URL      *url.URL
	Status   int // of the answer that it came with
	Document *goquery.Document
	// Beyond is the address that the page goes on to by itself where only a browser could
	// follow; empty for none.
	Beyond string
	// Where says in errors where something is looked for; "on the page" when empty.
	Where string
}

// Read reads a page that came from an address. The error is of a page that cannot
// be read.
func Read(from *url.URL, status int, html []byte) (*Page, error) {
	document, err := goquery.NewDocumentFromReader(bytes.NewReader(html))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return &Page{URL: from, Status: status, Document: document}, nil
}

// Base is what the page's relative addresses are relative to.
func (p *Page) Base() *url.URL {
	if set, err := p.URL.Parse(p.Document.Find("base[href]").First().AttrOr("href", "")); err == nil {
		return set
	}
	return p.URL
}

// Title is the page's title.
func (p *Page) Title() string { return strings.TrimSpace(p.Document.Find("title").First().Text()) }

// Blocks are the elements that a browser puts on lines of their own.
const Blocks = "address, article, aside, blockquote, br, dd, div, dl, dt, fieldset, footer, form, h1, h2, h3, h4, h5, h6, " +
	"header, hr, li, main, nav, ol, p, pre, section, table, td, th, tr, ul"

// Bare returns a copy of the page without its scripts and styles, and the text that
// it shows, line by line.
func (p *Page) Bare() (bare *goquery.Document, text string) {
	bare = goquery.CloneDocument(p.Document)
	bare.Find("script, style, noscript").Remove()
	body := bare.Find("body")
	body.Find(Blocks).AfterHtml("\n")
	var lines []string
	for line := range strings.Lines(body.Text()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return bare, strings.Join(lines, "\n")
}

// onward returns what the page does by itself: the request of its first form where a
// script or the body's onload submits one, or a refresh that is due within a time.
func (p *Page) onward(within time.Duration) (Request, bool) {
	if content, ok := p.Document.Find(`meta[http-equiv="refresh" i]`).Attr("content"); ok {
		if to, after, ok := refresh(content, p.URL); ok && after <= within {
			return Request{Method: "GET", URL: to}, true
		}
	}
	says := func(code string) bool {
		return strings.Contains(code, "submit(") || strings.Contains(code, "requestSubmit(")
	}
	submits := says(p.Document.Find("body").AttrOr("onload", ""))
	p.Document.Find("script").Each(func(_ int, s *goquery.Selection) { submits = submits || says(s.Text()) })
	form := p.Document.Find("form").First()
	if !submits || form.Length() == 0 {
		return Request{}, false
	}
	to, err := p.URL.Parse(form.AttrOr("action", ""))
	if err != nil {
		return Request{}, false
	}
	return sending(to, form.AttrOr("method", ""), valuesOf(form.Find(fields))), true
}

// refresh reads a refresh like "5; url=/next" as browsers do (HTML Standard, 4.2.5.3, shared
// declarative refresh steps), and says whether it is one: seconds that are cut to a whole
// number, and then an address. Without one the page itself is loaded again.
func refresh(content string, base *url.URL) (to string, after time.Duration, ok bool) {
	const space, digits, longest = " \t\n\f\r", "0123456789", 9
	content = strings.TrimLeft(content, space)
	rest := strings.TrimLeft(content, digits)
	whole := content[:len(content)-len(rest)]
	if whole == "" && !strings.HasPrefix(rest, ".") {
		return "", 0, false
	}
	if whole = strings.TrimLeft(whole, "0"); len(whole) > longest { // more than thirty years
		whole = strings.Repeat("9", longest)
	}
	seconds, _ := strconv.Atoi(cmp.Or(whole, "0"))
	after = time.Duration(seconds) * time.Second
	rest = strings.TrimLeft(rest, digits+".")
	if rest != "" && !strings.ContainsRune(space+";,", rune(rest[0])) {
		return "", 0, false
	}
	rest = strings.TrimLeft(rest, space)
	rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(rest, ";"), ","), space)
	if name, value, found := strings.Cut(rest, "="); found && strings.EqualFold(strings.TrimRight(name, space), "url") {
		rest = strings.TrimLeft(value, space)
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		rest, _, _ = strings.Cut(rest[1:], rest[:1])
	}
	next, err := base.Parse(strings.Trim(rest, space))
	if err != nil {
		return "", 0, false
	}
	return next.String(), after, true
}

// sending is the request that a form makes with its fields.
func sending(to *url.URL, method string, values url.Values) Request {
	if strings.EqualFold(method, "post") {
		return Request{Method: "POST", URL: to.String(), Form: values}
	}
	to.RawQuery = values.Encode()
	return Request{Method: "GET", URL: to.String()}
}

const fields = "input[name], textarea[name], select[name]"

// valuesOf returns what a script submits of fields: no buttons, and nothing that is off.
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
