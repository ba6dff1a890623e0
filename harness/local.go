package harness

import (
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"invigilator.example/harness/agent"
)

// ServeLocally serves sites, by their names, that only the run knows, over TLS. It returns
// what leads agents there, and what ends it. The error is for addresses that cannot be
// listened at.
func ServeLocally(sites map[string]http.Handler) (agent.Hosts, func(), error) {
	cert, err := newCertificate(slices.Sorted(maps.Keys(sites))...)
	if err != nil {
		return agent.Hosts{}, nil, err
	}
	hosts := cert.hosts()
	var servers []*http.Server
	end := func() {
		for _, server := range servers {
			_ = server.Close()
		}
	}
	for host, site := range sites {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			end()
			return agent.Hosts{}, nil, err
		}
		hosts.Addresses[host] = listener.Addr().String()
		servers = append(servers, serveOn(tls.NewListener(listener, cert.config(tls.VersionTLS12)), site))
	}
	return hosts, end, nil
}

// Listen serves a handler over plain HTTP at host:port until the server is closed, and
// returns the address, whose port is known then. The error is for one that is taken.
func Listen(address string, handler http.Handler) (*http.Server, net.Addr, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	return serveOn(listener, handler), listener.Addr(), nil
}

// serveOn serves what comes from strangers, with bounds.
func serveOn(listener net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{
		Handler: patiently(handler), ReadHeaderTimeout: bodyPatience, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxRequestHeader,
		WriteTimeout: time.Minute,
		ErrorLog:     log.New(io.Discard, "", 0), // what is wrong on the wire shows in the evidence
	}
	go func() { _ = server.Serve(listener) }()
	return server
}
