package harness

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// A NullPeer is a server that does nothing a tool or a platform does. No check may
// pass with one, and where it takes the place of a subject that has worked until
// then, none may fail either.
type NullPeer struct {
	Name    string
	Does    string
	handler http.HandlerFunc
}

// NullPeers returns the null peers.
func NullPeers() []NullPeer { return slices.Clone(nullPeers) }

var nullPeers = []NullPeer{
	{"not-found", "answers 404 to everything", http.NotFound},
	{"blank", "answers 200 with a blank page to everything", page(http.StatusOK, "")},
	{"hangs-up", "cuts every connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{"never-answers", "takes every request and never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{"redirect-loop", "redirects every request to itself", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	}},
	{"maintenance", "answers 200 with a page that says it is down for maintenance", page(http.StatusOK, "<h1>Down for maintenance</h1><p>We will be back soon.</p>")},
	{"home", "redirects every request to its home page", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		page(http.StatusOK, "<h1>Welcome</h1><p>Choose a course.</p><nav><a href=\"/courses\">Courses</a></nav>")(w, r)
	}},
	{"sign-in", "answers 200 with a page to sign in on", page(http.StatusOK, "<h1>Sign in</h1><form method=\"post\"><label>User name <input name=\"user\"></label>"+
		"<label>Password <input type=\"password\" name=\"password\"></label><button>Sign in</button></form>")},
	{"scripts", "answers 200 with a page whose scripts print it again and again, and lead to another one", page(http.StatusOK,
		"<p>One moment.</p><script>setInterval(() => print(), 0); location.href = \"javascript:'<p>Gone.</p>'\"</script>")},
	{"no-content", "answers 204 to everything", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }},
	{"error", "answers 500 to everything", page(http.StatusInternalServerError, "<h1>Internal Server Error</h1>")},
	{"unavailable", "answers 503 to everything", page(http.StatusServiceUnavailable, "<h1>Service Unavailable</h1>")},
	{"too-many-requests", "answers 429 to everything", page(http.StatusTooManyRequests, "<h1>Too Many Requests</h1>")},
}

// page answers with a page.
func page(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		if body != "" {
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Example</title>"+body)
		}
	}
}

// partPaths are the paths of the parts of the embedded subjects whose place a null peer can
// take alone, and what they contain.
var partPaths = map[string][2]string{
	"token-endpoint": {fakeplatform.TokenPath, ""},
	"control":        {proctoring.ACSPath, ""},
	"grades":         {fakeplatform.ContextsPath, "/lineitems"},
	"memberships":    {fakeplatform.ContextsPath, "/memberships"},
	"key-set":        {faketool.JWKSPath, ""},
}

// takeover lets a null peer take the place of a subject, or of a part of it, after so many
// requests.
type takeover struct {
	subject  http.Handler
	peer     NullPeer
	part     string // of the subject; all of it when empty
	after    int64
	every    int64 // of the requests from then on, which are the null peer's
	asked    atomic.Int64
	answered atomic.Int64    // by the null peer
	told     int64           // of those, when a flow ended last
	flows    map[string]bool // the ids of those that ended afterwards, or that it had a part in
}

// takeOver returns the subject, or what the configuration puts in its place.
func (r *base) takeOver(subject http.Handler) http.Handler {
	if r.takenOver = newTakeover(r.config.Embedded, subject); r.takenOver == nil {
		return subject
	}
	return r.takenOver
}

// TakeOver returns what a configuration puts in the place of an embedded subject, the subject
// itself where it puts nothing there, and what says whether a null peer has answered yet.
func TakeOver(c config.Embedded, subject http.Handler) (http.Handler, func() bool) {
	t := newTakeover(c, subject)
	if t == nil {
		return subject, func() bool { return false }
	}
	return t, func() bool { return t.answered.Load() > 0 }
}

// newTakeover returns the null peer that is configured; nil where none is.
func newTakeover(c config.Embedded, subject http.Handler) *takeover {
	i := slices.IndexFunc(nullPeers, func(p NullPeer) bool { return p.Name == c.NullPeer })
	if i < 0 {
		return nil
	}
	return &takeover{
		subject: subject, peer: nullPeers[i], part: c.NullPeerPart, after: int64(c.NullPeerAfterRequests), every: int64(max(1, c.NullPeerEveryRequests)), flows: map[string]bool{},
	}
}

// ServeHTTP answers as the subject does, and from then on as the null peer.
func (t *takeover) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	of := partPaths[t.part]
	if !strings.HasPrefix(r.URL.Path, of[0]) || !strings.Contains(r.URL.Path, of[1]) {
		t.subject.ServeHTTP(w, r)
		return
	}
	if n := t.asked.Add(1) - t.after; n <= 0 || n%t.every != 0 {
		t.subject.ServeHTTP(w, r)
		return
	}
	t.answered.Add(1)
	t.peer.handler(w, r)
}

// ended takes down that a flow has ended.
func (t *takeover) ended(flow string) {
	if t == nil {
		return
	}
	n := t.answered.Load()
	if n > t.told || t.part == "" && n > 0 {
		t.flows[flow] = true
	}
	t.told = n
}

// shows says whether an observation rests on what was seen after the null peer has
// taken over: of a part of the subject, on a flow in which it has answered.
func (t *takeover) shows(o results.Observation) bool {
	if t == nil || t.answered.Load() == 0 {
		return false
	}
	return len(o.Flows) == 0 && t.part == "" || slices.ContainsFunc(o.Flows, func(id string) bool { return t.flows[id] })
}
