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

	"invigilator.example/faketool/part"
	"invigilator.example/lti"
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
	// Strange is set where nothing shows that it has to do with the tool: it does not
	// come from a browser that the tool has sent to a platform or has launched, and
	// has neither state nor nonce of a request that waits for its answer. Anybody can
	// have sent it, and it belongs to no login.
	Strange bool
	// Cut is set where the body was longer than what is kept of it.
	Cut bool

	Accepted bool   // by the tool, as a launch
	Why      string // the tool did not, where it looked
	At       time.Time
}

// MaxKept bounds what is kept of a query and of a body.
const MaxKept = 256 << 10

// The bounds of all answers, and all logins, together, and of the answers that are
// strange.
const (
	maxKept    = MaxKept
	maxStrange = 50
)

// answering are the parameters that only an answer has (OpenID Connect Core
// 1.0, 3.1.2.5, 3.2.2.5 and 3.1.2.6).
var answering = []string{lti.ParamIDToken, lti.ParamError, "code", "access_token", lti.ParamState}

// ownPaths are the paths of the tool at which no answer is expected; where one
// ends with a slash, what is below it. Browsers ask for the last by themselves.
var ownPaths = []string{
	LoginPath, ResourcePath, JWKSPath, HeldPath + "/",
	leavePath, strangerKeysPath, "/favicon.ico",
}

// isOwn says whether no answer is expected at a path.
func isOwn(path string) bool {
	matches := func(own string) bool {
		return path == own || strings.HasSuffix(own, "/") && strings.HasPrefix(path, own)
	}
	return slices.ContainsFunc(ownPaths, matches) || slices.ContainsFunc(parts, func(p part.Part) bool { return slices.ContainsFunc(p.Paths, matches) })
}

// Answers returns everything that reached the tool as an answer, the oldest
// first: each request to the launch endpoint or to a path that is none of the
// tool's, and each request whose query or body holds id_token, error, code,
// access_token or state. The tool remembers the last 1000, as far as there is room for
// them, and of those that are strange the last 50.
func (t *Tool) Answers() []*Answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.answers)
}

// answerKey is the context key of what a request arrived as.
type answerKey struct{}

// noteAnswer remembers a request that may be an answer, before the tool looks at it.
func (t *Tool) noteAnswer(r *http.Request) {
	a := &Answer{
		Method: r.Method, Host: r.Host, Path: clip(r.URL.EscapedPath()), RawQuery: clip(r.URL.RawQuery),
		ContentType: clip(r.Header.Get("Content-Type")), Request: -1, At: t.opts.Now(),
	}
	a.Query, _ = url.ParseQuery(a.RawQuery) // what of it can be read
	a.Form, a.Cut = readForm(r)
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
	sent, launched := t.browserOf(r)
	begun, named := t.answered(a)
	switch {
	case !named:
		begun = sent // for want of anything else: the browser's own last request
	case sent == nil && !launched && begun.answered:
		begun = nil // whoever brings an old state may have read it anywhere
	}
	a.Strange = begun == nil && sent == nil && !launched
	if begun != nil {
		begun.answered = true
		if begun.of != nil {
			a.Login, a.Request = begun.of, begun.index
		}
	}
	t.keepAnswer(a)
	// In place: whoever serves the tool may look at what it parsed.
	*r = *r.WithContext(context.WithValue(r.Context(), answerKey{}, a))
}

// keepAnswer remembers an answer, and forgets others where there is no room: first
// those that are strange.
func (t *Tool) keepAnswer(a *Answer) {
	strange, bytes := 0, 0
	for _, known := range t.answers {
		bytes += known.size()
		if known.Strange {
			strange++
		}
	}
	isStrange := func(known *Answer) bool { return known.Strange }
	forget := func(i int) {
		bytes -= t.answers[i].size()
		t.answers = slices.Delete(t.answers, i, i+1)
	}
	if a.Strange && strange == maxStrange {
		forget(slices.IndexFunc(t.answers, isStrange))
	}
	for len(t.answers) > 0 && (len(t.answers) == t.opts.Remembers || bytes+a.size() > t.opts.RemembersBytes) {
		forget(max(0, slices.IndexFunc(t.answers, isStrange)))
	}
	t.answers = append(t.answers, a)
}

// size is how many bytes an answer takes, but for what is always small.
func (a *Answer) size() int {
	return 2*len(a.RawQuery) + len(a.Path) + len(a.Host) + len(a.ContentType) + sizeOf(a.Form)
}

func sizeOf(values url.Values) int {
	n := 0
	for name, all := range values {
		n += len(name)
		for _, value := range all {
			n += len(value) + 16
		}
	}
	return n
}

// browserOf returns the request that a browser was sent to a platform with last, by
// the cookies that it got with it, and says whether it has the cookie of a launch.
func (t *Tool) browserOf(r *http.Request) (sent *login, launched bool) {
	for _, c := range r.Cookies() {
		switch {
		case strings.HasPrefix(c.Name, loginCookie):
			if begun := t.byCookie[c.Value]; begun != nil && (sent == nil || begun.sending > sent.sending) {
				sent = begun
			}
		case c.Name == sessionCookie:
			_, launched = t.sessions[c.Value]
		}
	}
	return sent, launched
}

// Stranger says of a request that was served whether nothing shows that it has to do
// with the tool, so that anybody can have sent it: see [Answer]. A login that somebody
// initiates, and who asks for the key set, is none.
func (t *Tool) Stranger(r *http.Request) bool {
	if a, ok := r.Context().Value(answerKey{}).(*Answer); ok {
		return a.Strange
	}
	switch page, below := strings.CutPrefix(r.URL.Path, HeldPath+"/"); {
	case r.URL.Path == JWKSPath:
		return false
	case r.URL.Path == LoginPath:
		return !r.Form.Has(lti.ParamIssuer) && !r.Form.Has(lti.ParamLoginHint)
	case below:
		id, _, _ := strings.Cut(page, "/")
		_, known := t.heldLogin(id)
		return !known
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	sent, launched := t.browserOf(r)
	return sent == nil && !launched
}

// answered finds the request that an answer names: the one whose state it carries, or
// else the one whose nonce its token has. A state that several requests have sent says
// too little alone.
func (t *Tool) answered(a *Answer) (begun *login, named bool) {
	var claims struct {
		Nonce string `json:"nonce"`
	}
	if _, payload, err := lti.Decode(a.IDToken); err == nil {
		_ = json.Unmarshal(payload, &claims) // no nonce where it is none
	}
	byNonce := t.byNonce[claims.Nonce]
	for _, state := range slices.Concat(a.Form[lti.ParamState], a.Query[lti.ParamState]) {
		if begun := t.ofState(state, byNonce); begun != nil {
			return begun, true
		}
	}
	return byNonce, byNonce != nil
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
	arrived, ok := r.Context().Value(answerKey{}).(*Answer)
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
	if i := slices.Index(t.answers, arrived); i >= 0 {
		t.answers[i] = &a
	}
}

// readForm reads the beginning of a body, in either encoding of a form, and
// leaves the whole for those who come after. It says whether there is more of it.
func readForm(r *http.Request) (form url.Values, cut bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, false
	}
	whole := r.Body
	beginning, _ := io.ReadAll(io.LimitReader(whole, maxKept+1)) // an error comes again
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(beginning), whole), whole}
	if cut = len(beginning) > maxKept; cut {
		beginning = beginning[:maxKept]
	}
	mediaType, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "multipart/form-data":
		form, err := multipart.NewReader(bytes.NewReader(beginning), params["boundary"]).ReadForm(maxKept)
		if err != nil {
			return nil, cut
		}
		_ = form.RemoveAll() // there are no files on disk: all of it fits
		return form.Value, cut
	case "application/x-www-form-urlencoded", "":
		form, _ := url.ParseQuery(string(beginning)) // what of it can be read
		return form, cut
	default:
		return nil, cut
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
