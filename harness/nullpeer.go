package harness

import (
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"invigilator/results"
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

// takeover lets a null peer take the place of a subject after so many requests.
type takeover struct {
	subject http.Handler
	peer    NullPeer
	after   int64
	asked   atomic.Int64
	flows   map[string]bool // the ids of those that ended afterwards
}

// takeOver returns the subject, or what the configuration puts in its place.
func (r *base) takeOver(subject http.Handler) http.Handler {
	i := slices.IndexFunc(nullPeers, func(p NullPeer) bool { return p.Name == r.config.Embedded.NullPeer })
	if i < 0 {
		return subject
	}
	r.takenOver = &takeover{subject: subject, peer: nullPeers[i], after: int64(r.config.Embedded.NullPeerAfter), flows: map[string]bool{}}
	return r.takenOver
}

// ServeHTTP answers as the subject does, and from then on as the null peer.
func (t *takeover) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.asked.Add(1) <= t.after {
		t.subject.ServeHTTP(w, r)
		return
	}
	t.peer.handler(w, r)
}

// over says whether the null peer has answered a request.
func (t *takeover) over() bool { return t != nil && t.asked.Load() > t.after }

// shows says whether an observation rests on what was seen after the null peer has
// taken over.
func (t *takeover) shows(o results.Observation) bool {
	if !t.over() {
		return false
	}
	return len(o.Flows) == 0 || slices.ContainsFunc(o.Flows, func(id string) bool { return t.flows[id] })
}
