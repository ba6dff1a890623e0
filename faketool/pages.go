package faketool

import (
	"crypto/rand"
	"crypto/rsa"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator/faketool/part"
	"invigilator/lti"
)

//go:embed pages.html.tmpl
var pagesFS embed.FS

var pages = template.Must(template.ParseFS(pagesFS, "pages.html.tmpl"))

func (t *Tool) render(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if t.has(ForbidsFraming) {
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
		w.Header().Set("Location", t.returnWith(returnURL, url.Values{
			lti.ParamErrorMessage: {"The launch was refused."}, lti.ParamErrorLog: {r.why},
		}))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	status := r.status
	switch {
	case t.has(RefusesWith200):
		status = http.StatusOK
	case t.has(RefusesWith500):
		status = http.StatusInternalServerError
	}
	back := &wayBack{}
	_ = errors.As(err, &back)
	t.render(w, status, "refused", refusedPage{r.why, back.exit})
}

// wayBack is an error whose page leads back to the platform.
type wayBack struct {
	error
	exit string
}

func (b *wayBack) Unwrap() error { return b.error }

// refusedPage says why something is refused, and where the way back is.
type refusedPage struct {
	Why  any
	Exit string
}

// returnWith adds a message to the return URL, and leaves what it has of its
// own as it is (LTI Core 1.3, 5.4.4).
func (t *Tool) returnWith(returnURL string, message url.Values) string {
	u, err := url.Parse(returnURL)
	if err != nil {
		return ""
	}
	if t.has(AddsOwnReturnParameters) {
		message.Set("session", "1")
	}
	switch own := u.Query(); {
	case u.RawQuery == "", t.has(DropsReturnQuery):
		u.RawQuery = message.Encode()
	case own.Encode() != u.RawQuery && t.has(WritesReturnQueryAnew):
		maps.Copy(own, message)
		u.RawQuery = own.Encode()
	default:
		u.RawQuery += "&" + message.Encode()
	}
	return u.String()
}

// page is what the resource's page shows of a launch.
type page struct {
	Launch
	ShownName  any // of the user
	Classmates []string
	Account    string
	Exit       string
	Leave      string // as of endPage
	Work       string // of somebody; see [Tool.workInLaunch]
	// Submit, Rename and ReadResults are where the forms go; empty for none.
	Submit, Rename, ReadResults string
	Actions                     []part.Action // that parts offer
}

func (t *Tool) shown(l Launch) page {
	p := page{Launch: l, ShownName: l.Name}
	switch {
	case l.User > 0:
		p.Account = fmt.Sprintf("user-%d", l.User)
	case t.has(NamesGuests):
		p.Account = "guest"
	}
	if t.has(ShowsClassmates) {
		p.Classmates = t.classmates()
	}
	switch {
	case l.Name == "" && l.Sub == "":
		p.ShownName = "anonymous"
	case l.Name == "":
		p.ShownName = l.Sub
	case template.HTMLEscapeString(l.Name) != l.Name && t.has(ShowsNamesUnescaped):
		p.ShownName = template.HTML(l.Name)
	}
	p.Actions = t.actionsOf(l)
	at := t.opts.URL + workPath + "/" + l.id
	if l.handsIn() {
		p.Submit = at + "/submit"
	}
	if l.keepsGrades() {
		p.Rename, p.ReadResults = at+"/rename", at+"/results"
	}
	if l.ReturnURL != "" {
		message := url.Values{lti.ParamMessage: {"You have left the tool."}}
		if l.cookie != "" && t.has(TellsPlatformsSessions) {
			message.Set(lti.ParamLog, "session "+l.cookie)
		}
		p.Exit = t.returnWith(l.ReturnURL, message)
	}
	return p
}

// classmates are the names of those who were launched, each once.
func (t *Tool) classmates() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for _, l := range t.sessions {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (t *Tool) serveJWKS(w http.ResponseWriter, _ *http.Request) {
	body, err := t.publishedKeys()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	_, _ = w.Write(body)
}

func (t *Tool) publishedKeys() ([]byte, error) {
	t.mu.Lock()
	keys := slices.Clone(t.keys)
	t.mu.Unlock()
	switch {
	case t.has(PublishesPrivateKey):
		set := jwk.NewSet()
		for _, key := range keys {
			if err := set.AddKey(key); err != nil {
				return nil, err
			}
		}
		return json.Marshal(set)
	case t.has(PublishesShortKey):
		raw, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			return nil, err
		}
		if keys[0], err = jwk.FromRaw(raw); err != nil {
			return nil, err
		}
		if err := keys[0].Set(jwk.KeyIDKey, t.opts.Key.KeyID()); err != nil {
			return nil, err
		}
	}
	set, err := lti.PublicSet(keys...)
	if err != nil {
		return nil, err
	}
	if published, ok := set.Key(0); ok && t.has(PublishesKeyWithoutKID) {
		if err := published.Remove(jwk.KeyIDKey); err != nil {
			return nil, err
		}
	}
	if t.has(NestsKeySet) {
		return json.Marshal(map[string]any{"keys": set})
	}
	return json.Marshal(set)
}
