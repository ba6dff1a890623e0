package campus

import (
	"embed"
	"html/template"
	"net/http"
	"path"
)

//go:embed pages.html.tmpl style.css slow.js
var assets embed.FS

var pages = template.Must(template.ParseFS(assets, "pages.html.tmpl"))

// page is what every page shows, and Data what is its own.
type page struct {
	Title   string
	Account *account // nil where nobody has signed in
	CSRF    string
	Data    any
}

func (p page) User() string { return p.Account.user.Name }
func (p page) Admin() bool  { return p.Account.admin }

// policy lets pages load nothing from elsewhere but the tool in an iframe. It
// does not restrict form-action, which would hold for the redirects after a
// form, too: signing in may lead to a link that opens the tool.
const policy = "default-src 'self'; frame-src *; frame-ancestors 'self'; object-src 'none'; base-uri 'none'"

func (c *Campus) render(w http.ResponseWriter, status int, name string, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, name, p) // the browser has gone if this fails
}

func (c *Campus) renderFor(w http.ResponseWriter, s *session, name, title string, data any) {
	c.render(w, http.StatusOK, name, page{Title: title, Account: s.account, CSRF: c.csrf(s), Data: data})
}

// refuse says why something is not done; s is nil where nobody has signed in.
func (c *Campus) refuse(w http.ResponseWriter, s *session, status int, why string) {
	p := page{Title: http.StatusText(status), Data: why}
	if s != nil {
		p.Account, p.CSRF = s.account, c.csrf(s)
	}
	c.render(w, status, "refused", p)
}

// redirect leads on to another page, and lets no cache do so in its place:
// each visit to a link begins a launch of its own.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=300")
	http.ServeFileFS(w, r, assets, path.Base(r.URL.Path))
}
