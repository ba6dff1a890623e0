package harness

import (
	"net/http"
	"slices"
)

// A NullPeer is a server that does nothing a tool does. No check may pass with one.
type NullPeer struct {
	Name    string
	Does    string
	handler http.HandlerFunc
}

// NullPeers returns the null peers.
func NullPeers() []NullPeer { return slices.Clone(nullPeers) }

var nullPeers = []NullPeer{
	{"not-found", "answers 404 to everything", http.NotFound},
	{"blank", "answers 200 with a blank page to everything", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
	}},
	{"hangs-up", "cuts every connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{"never-answers", "takes every request and never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{"redirect-loop", "redirects every request to itself", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	}},
}

func nullPeer(name string) http.Handler {
	i := slices.IndexFunc(nullPeers, func(p NullPeer) bool { return p.Name == name })
	if i < 0 {
		return http.NotFoundHandler()
	}
	return nullPeers[i].handler
}
