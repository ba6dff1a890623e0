package faketool

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator/lti"
)

// An Answer is what reached the tool as the answer to an authentication
// request, or in place of one. It does not change; nor are its maps to be changed.
type Answer struct {
	Method, Host string
	Path         string // as it came, still escaped
	RawQuery     string
	ContentType  string
	Query, Form  url.Values // Form is the body, URL-encoded or multipart

	IDToken, State, Error string // from the body, or from the query where the body lacks them
	HasState              bool
	InURL                 bool // id_token is in the query

	Login   *Login // nil where it belongs to none
	Request int    // index into the login's Requests; -1 where it belongs to none

	Accepted bool   // by the tool, as a launch
	Why      string // the tool did not, where it looked
	At       time.Time
}

// maxKept bounds what is kept of a query and of a body.
const maxKept = 256 << 10

// answering are the parameters that only an answer has (OpenID Connect Core
// 1.0, 3.1.2.5, 3.2.2.5 and 3.1.2.6).
var answering = []string{lti.ParamIDToken, lti.ParamError, "code", "access_token", lti.ParamState}

// ownPaths are the paths of the tool at which no answer is expected; where one
// ends with a slash, what is below it. Browsers ask for the last by themselves.
var ownPaths = []string{
	LoginPath, ResourcePath, JWKSPath, HeldPath + "/", CheckInPath, CheckInPath + "/", picturesPath + "/",
	ProctorPath, ProctorPath + "/", workPath + "/", reviewPath + "/", MessagePath + "/", strangerKeysPath, "/favicon.ico",
}

// isOwn says whether no answer is expected at a path.
func isOwn(path string) bool {
	return slices.ContainsFunc(ownPaths, func(own string) bool {
		return path == own || strings.HasSuffix(own, "/") && strings.HasPrefix(path, own)
	})
}

// Arrivals returns everything that reached the tool as an answer, the oldest
// first: each request to the launch endpoint or to a path that is none of the
// tool's, and each request whose query or body holds id_token, error, code,
// access_token or state. The tool remembers the last 1000.
func (t *Tool) Arrivals() []*Answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.arrivals)
}

// arrivalKey is the context key of what a request arrived as.
type arrivalKey struct{}

// arrive records a request that may be an answer, before the tool looks at it.
func (t *Tool) arrive(r *http.Request) {
	a := &Answer{
		Method: r.Method, Host: r.Host, Path: clip(r.URL.EscapedPath()), RawQuery: clip(r.URL.RawQuery),
		ContentType: clip(r.Header.Get("Content-Type")), Request: -1, At: t.opts.Now(),
	}
	a.Query, _ = url.ParseQuery(a.RawQuery) // what of it can be read
	a.Form = readForm(r)
	holds := func(name string) bool { return a.Query.Has(name) || a.Form.Has(name) }
	if isOwn(r.URL.Path) && !slices.ContainsFunc(answering, holds) {
		return
	}
	value := func(name string) string {
		if a.Form.Has(name) {
			return a.Form.Get(name)
		}
		return a.Query.Get(name)
	}
	a.IDToken, a.State, a.Error = value(lti.ParamIDToken), value(lti.ParamState), value(lti.ParamError)
	a.HasState, a.InURL = holds(lti.ParamState), a.Query.Has(lti.ParamIDToken)

	t.mu.Lock()
	defer t.mu.Unlock()
	if begun := t.answered(a); begun != nil && begun.of != nil {
		a.Login, a.Request = begun.of, begun.index
	}
	if len(t.arrivals) == maxRecord {
		t.arrivals = slices.Delete(t.arrivals, 0, 1)
	}
	t.arrivals = append(t.arrivals, a)
	// In place: whoever serves the tool may look at what it parsed.
	*r = *r.WithContext(context.WithValue(r.Context(), arrivalKey{}, a))
}

// answered finds the request that an answer belongs to: the one whose state it
// carries, or else the one whose nonce its token has, or else the one that was
// sent last. A state that several requests have sent says too little alone.
func (t *Tool) answered(a *Answer) *login {
	var claims struct {
		Nonce string `json:"nonce"`
	}
	if _, payload, err := lti.Decode(a.IDToken); err == nil {
		_ = json.Unmarshal(payload, &claims) // no nonce where it is none
	}
	byNonce := t.byNonce[claims.Nonce]
	for _, state := range slices.Concat(a.Form[lti.ParamState], a.Query[lti.ParamState]) {
		if begun := t.ofState(state, byNonce); begun != nil {
			return begun
		}
	}
	if byNonce != nil {
		return byNonce
	}
	return t.sentLast
}

// ofState returns the request that sent a state: where several did, the one
// that is known by its nonce as well, or the last one.
func (t *Tool) ofState(state string, byNonce *login) *login {
	if byNonce != nil && byNonce.state == state && state != "" {
		return byNonce
	}
	return t.logins[state]
}

// judged notes what the tool makes of a request that arrived as an answer,
// before anybody is told: whoever has seen the page can read the verdict.
func (t *Tool) judged(r *http.Request, err error) {
	arrived, ok := r.Context().Value(arrivalKey{}).(*Answer)
	if !ok {
		return
	}
	a := *arrived // those who have it already may be reading it
	a.Accepted = err == nil
	if err != nil {
		a.Why = err.Error()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.arrivals, arrived); i >= 0 {
		t.arrivals[i] = &a
	}
}

// readForm reads the beginning of a body, in either encoding of a form, and
// leaves the whole for those who come after.
func readForm(r *http.Request) url.Values {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	whole := r.Body
	beginning, _ := io.ReadAll(io.LimitReader(whole, maxKept)) // an error comes again
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(beginning), whole), whole}
	mediaType, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "multipart/form-data":
		form, err := multipart.NewReader(bytes.NewReader(beginning), params["boundary"]).ReadForm(maxKept)
		if err != nil {
			return nil
		}
		_ = form.RemoveAll() // there are no files on disk: all of it fits
		return form.Value
	case "application/x-www-form-urlencoded", "":
		form, _ := url.ParseQuery(string(beginning)) // what of it can be read
		return form
	default:
		return nil
	}
}

func clip(s string) string { return s[:min(len(s), maxKept)] }

// fitting returns as many of the values as may be kept.
func fitting(values url.Values) url.Values {
	kept, room := url.Values{}, maxKept
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			if size := len(name) + len(value); size <= room {
				room -= size
				kept.Add(name, value)
			}
		}
	}
	return kept
}
