package fakeplatform

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
)

//go:embed pages.html.tmpl
var pagesFS embed.FS

var pages = template.Must(template.ParseFS(pagesFS, "pages.html.tmpl"))

func render(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // the browser has gone if this fails
}

func refuse(w http.ResponseWriter, status int, why string) { render(w, status, "refused", why) }

type field struct{ Name, Value string }

// writeForm sends a page whose form submits itself by POST (OAuth 2.0 Form
// Post Response Mode, 2).
func writeForm(w http.ResponseWriter, action string, params url.Values) {
	var fields []field
	for name, values := range params {
		for _, value := range values {
			fields = append(fields, field{name, value})
		}
	}
	slices.SortFunc(fields, func(a, b field) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	render(w, http.StatusOK, "form", map[string]any{"Action": action, "Fields": fields})
}
