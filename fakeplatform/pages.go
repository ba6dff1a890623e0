package fakeplatform

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed pages.html.tmpl
var pagesFS embed.FS

var pages = template.Must(template.ParseFS(pagesFS, "pages.html.tmpl"))

func render(w http.ResponseWriter, status int, page string, data any) {
	renderCached(w, status, page, "no-store", data)
}

func renderCached(w http.ResponseWriter, status int, page, cacheControl string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if cacheControl != "" {
		w.Header().Set("Cache-Control", cacheControl)
	}
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // the browser has gone if this fails
}

func refuse(w http.ResponseWriter, status int, why string) { render(w, status, "refused", why) }

// formPage is a page whose form submits itself by POST (OAuth 2.0 Form Post
// Response Mode, 2).
type formPage struct {
	Action string
	Params url.Values

	// What follows is for faults.
	Method    string                    // POST when empty
	Multipart bool                      // another encoding
	Raw       func(value string) string // how state is written into the page, in place of the template's escaping
	Shows     template.HTML             // in the page as it is
	Cache     string                    // in place of no-store; "none" for no header at all
}

// To is the address that the form leads to, whatever its scheme: whoever sends the page
// has seen to it that it is registered.
func (f formPage) To() template.URL { return template.URL(f.Action) }

type field struct {
	Name, Value string
	Raw         template.HTML // the whole element, in place of the others
}

// Fields are those of the form, in the order of their names.
func (f formPage) Fields() []field {
	var fields []field
	for name, values := range f.Params {
		for _, value := range values {
			made := field{Name: name, Value: value}
			if name == "state" && f.Raw != nil {
				made.Raw = template.HTML(`<input type="hidden" name="state" value="` + f.Raw(value) + `">`)
			}
			fields = append(fields, made)
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// writeForm sends the page.
func writeForm(w http.ResponseWriter, f formPage) {
	if f.Method == "" {
		f.Method = "post"
	}
	cache := "no-store"
	if f.Cache != "" {
		cache = strings.TrimPrefix(f.Cache, "none")
	}
	renderCached(w, http.StatusOK, "form", cache, f)
}
