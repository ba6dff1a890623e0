package harness

import (
	"net/http"
	"strings"

	"invigilator.example/results"
)

// twoFaced puts a subject that tells agents apart in the place of one with faults, where the
// configuration says so: what one agent meets has the faults, and what all others meet, servers
// among them, has none.
func (r *base) twoFaced(faulty http.Handler, honest func() (http.Handler, error)) (http.Handler, error) {
	met := results.AgentKind(r.config.Embedded.FaultsMetBy)
	if met == "" {
		return faulty, nil
	}
	other, err := honest()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if agentOf(q) == met {
			faulty.ServeHTTP(w, q)
		} else {
			other.ServeHTTP(w, q)
		}
	}), nil
}

// agentOf is the agent that made a request, as a server can tell: by how a browser asks for a
// page. It is empty where none did.
func agentOf(q *http.Request) results.AgentKind {
	switch {
	case strings.Contains(q.Header.Get("Accept-Encoding"), "br"):
		return results.Browser
	case strings.Contains(q.Header.Get("Accept"), "text/html"):
		return results.HTTP
	default:
		return ""
	}
}
