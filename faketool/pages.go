package faketool

import (
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"invigilator/lti"
)

//go:embed pages.html.tmpl
var pagesFS embed.FS

var pages = template.Must(template.ParseFS(pagesFS, "pages.html.tmpl"))

func (t *Tool) render(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if t.faults[ForbidsFraming] {
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	}
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // the browser has gone if this fails
}

// refuse shows why, or tells the platform where a return URL is given.
func (t *Tool) refuse(w http.ResponseWriter, err error, returnURL string) {
	r := &refusal{http.StatusInternalServerError, err.Error()}
	_ = errors.As(err, &r)
	if returnURL != "" {
		if u, err := url.Parse(returnURL); err == nil {
			q := u.Query()
			q.Set(lti.ParamErrorMessage, "The launch was refused.")
			q.Set(lti.ParamErrorLog, r.why)
			u.RawQuery = q.Encode()
			w.Header().Set("Location", u.String())
			w.WriteHeader(http.StatusSeeOther)
			return
		}
	}
	status := r.status
	switch {
	case t.faults[RefusesWith200]:
		status = http.StatusOK
	case t.faults[RefusesWith500]:
		status = http.StatusInternalServerError
	}
	t.render(w, status, "refused", r.why)
}

func (t *Tool) serveJWKS(w http.ResponseWriter, _ *http.Request) {
	set, err := lti.PublicSet(t.key)
	var body []byte
	if err == nil {
		body, err = json.Marshal(set)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	_, _ = w.Write(body)
}
