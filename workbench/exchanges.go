package workbench

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"

	"invigilator.example/capture"
	"invigilator.example/faketool"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// The bounds of what is kept and shown.
const (
	maxExchanges = 300
	maxBody      = 256 << 10
	maxShown     = 4 << 10
	maxFields    = 60
)

// exchanges are those that the fakes have seen, the oldest first.
type exchanges struct {
	mu      sync.Mutex
	list    []Exchange
	count   int
	changed chan struct{} // closed when there is another one
}

// An Exchange is one request to a fake and its answer, as it may be shown.
type Exchange struct {
	ID                 int
	At                 string
	From, To           string
	Method, Path       string
	Status             int
	Login              bool    // it began a login that is held
	Asked              []Field // what the query and the form of the request say
	Headers, Answered  [][2]string
	LeadsTo            string  // where the answer sends the browser on
	Leads              []Field // with what
	Title, Body, Media string
}

// A Field is a named value, and what it says where it is a token.
type Field struct {
	Name, Value           string
	Header, Claims, Wrong string // of a token
	Token                 bool
}

// wrap takes down what passes through a handler of a fake, which may hold logins.
func (e *exchanges) wrap(name, base string, holds bool, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1)) // what is not read is not shown
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
		kept := capture.NewAnswer(w, maxBody)
		handler.ServeHTTP(kept, r)
		if r.URL.Path == "/favicon.ico" {
			return
		}
		shown := Exchange{
			At: at.Format("15:04:05"), From: "server", To: name, Method: results.Bounded(r.Method, 20), Path: results.Bounded(r.URL.EscapedPath(), 300),
			Status: kept.Status, Headers: results.Header(r.Header), Answered: results.Header(w.Header()),
		}
		if strings.Contains(r.UserAgent(), "Mozilla/") {
			shown.From = "browser"
		}
		shown.Login = holds && r.URL.Path == faketool.LoginPath
		shown.Asked = fieldsOf(r.URL.Query())
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			form, _ := url.ParseQuery(string(body)) // what can be read
			shown.Asked = append(shown.Asked, fieldsOf(form)...)
		}
		shown.answer(w.Header(), kept.Body.Bytes(), base)
		e.add(shown)
	})
}

// answer takes down where an answer leads, or what it has.
func (x *Exchange) answer(header http.Header, body []byte, base string) {
	media, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	if location := header.Get("Location"); location != "" {
		x.leadTo(location)
		return
	}
	if len(body) == 0 {
		return
	}
	x.Media = results.Bounded(media, 100)
	if media != "text/html" {
		var indented bytes.Buffer
		if json.Indent(&indented, body, "", "  ") == nil {
			body = indented.Bytes()
		}
		x.Body = results.Text(results.Bounded(string(body), maxShown))
		return
	}
	page, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		return
	}
	x.Title = results.Bounded(strings.TrimSpace(page.Find("title").First().Text()), 200)
	form := page.Find("form[action]").First()
	if form.Length() == 0 || page.Find("form").Length() > 1 || form.Find("input[type=hidden]").Length() == 0 {
		return
	}
	if at, err := url.Parse(base); err == nil {
		if to, err := at.Parse(form.AttrOr("action", "")); err == nil {
			x.leadTo(to.String())
		}
	}
	sent := url.Values{}
	form.Find("input[name]").Each(func(_ int, input *goquery.Selection) { sent.Add(input.AttrOr("name", ""), input.AttrOr("value", "")) })
	x.Leads = append(x.Leads, fieldsOf(sent)...)
}

func (x *Exchange) leadTo(address string) {
	bare, query, _ := strings.Cut(address, "?")
	x.LeadsTo = results.Bounded(bare, 1000)
	params, _ := url.ParseQuery(query) // what can be read
	x.Leads = fieldsOf(params)
}

// fieldsOf are values as they may be shown, by name.
func fieldsOf(values url.Values) []Field {
	var list []Field
	for name, all := range values {
		for _, value := range all {
			list = append(list, fieldOf(name, value))
		}
	}
	slices.SortFunc(list, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return list[:min(len(list), maxFields)]
}

// fieldOf is a value as it may be shown: a secret is left out, and a token is decoded.
func fieldOf(name, value string) Field {
	f := Field{Name: results.Bounded(name, 200)}
	if header, claims, err := lti.Decode(value); err == nil || strings.Count(value, ".") == 2 && len(header) > 0 {
		f.Token, f.Value = true, "a token, decoded here without any check"
		f.Header, f.Claims = pretty(header), pretty(claims)
		if err != nil {
			f.Wrong = results.Bounded(err.Error(), 300)
		}
		return f
	}
	if len(results.SecretsOf("http://x/?"+url.Values{name: {value}}.Encode())) > 0 {
		f.Value = "[left out: a secret]"
		return f
	}
	f.Value = results.Text(results.Bounded(value, maxShown))
	return f
}

// pretty is JSON in lines, as it may be shown.
func pretty(text json.RawMessage) string {
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") != nil {
		return results.Text(results.Bounded(string(text), maxShown))
	}
	return results.Text(results.Bounded(indented.String(), maxShown))
}

func (e *exchanges) add(x Exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	x.ID = e.count
	e.list = append(e.list, x)
	if len(e.list) > maxExchanges {
		e.list = slices.Clone(e.list[len(e.list)-maxExchanges:])
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// since returns what has come after an exchange, and what is closed when there is more.
func (e *exchanges) since(id int) ([]Exchange, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	from := slices.IndexFunc(e.list, func(x Exchange) bool { return x.ID > id })
	if from < 0 {
		return nil, e.changed
	}
	return slices.Clone(e.list[from:]), e.changed
}
