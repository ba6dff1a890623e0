package launch

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/harness"
	"invigilator/results"
	. "invigilator/scenarios"
)

var _ = Describe("A tool's endpoints", func() {
	It("speak TLS 1.2 or 1.3, and nothing older", For("sec-tool-tls"), func(ctx SpecContext) {
		const id = "sec-tool-tls"
		scene := Scene()
		if !scene.Works(ctx) {
			scene.Observe(id, "", results.Inconclusive, "", "No valid launch works at these endpoints.")
			return
		}
		for _, endpoint := range endpoints(scene) {
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" {
				scene.Observe(id, "", results.Failed, "", endpoint+" is not served over TLS.")
				continue
			}
			var spoken []string
			old := false
			for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
				speaks, err := handshake(ctx, scene.Run(), u, version)
				if err != nil {
					scene.Observe(id, "", results.Inconclusive, "", fmt.Sprintf("%s takes no connection: %v.", endpoint, err))
					return
				}
				if speaks {
					spoken = append(spoken, tls.VersionName(version))
					old = old || version < tls.VersionTLS12
				}
			}
			scene.Check(id, "", len(spoken) > 0 && !old, "", fmt.Sprintf("%s speaks %s.", endpoint, strings.Join(spoken, ", ")))
		}
	})

	It("publish keys that others can verify with, and no more", For("sec-tool-jwks"), func(ctx SpecContext) {
		const id = "sec-tool-jwks"
		scene := Scene()
		address := scene.Run().Tool().JWKSURL
		keys, err := harness.FetchKeySet(ctx, scene.Run(), address)
		if err != nil {
			verdict := results.Failed
			if !scene.Works(ctx) {
				verdict = results.Inconclusive
			}
			scene.Observe(id, "", verdict, "", fmt.Sprintf("The key set at %s cannot be read: %v.", address, err))
			return
		}
		scene.Check(id, "", len(keys.Problems) == 0, "", fmt.Sprintf("%d keys at %s. %s", keys.Count, address, strings.Join(keys.Problems, "; ")))
	})
})

// endpoints are those of the tool that others reach.
func endpoints(scene *harness.Scenario) []string {
	tool := scene.Run().Tool()
	list := append([]string{tool.LoginURL, tool.LaunchURL}, tool.RedirectURIs...)
	if tool.JWKSURL != "" {
		list = append(list, tool.JWKSURL)
	}
	// Endpoints of one host and port are one server.
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(endpoint string) bool {
		u, err := url.Parse(endpoint)
		if err != nil {
			return false
		}
		known := seen[u.Scheme+u.Host]
		seen[u.Scheme+u.Host] = true
		return known
	})
}

// handshake says whether a server agrees on one version of TLS. The error is
// for a server that cannot be reached.
func handshake(ctx context.Context, run *harness.Run, u *url.URL, version uint16) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, run.Patience())
	defer cancel()
	port := u.Port()
	if port == "" {
		port = "443"
	}
	conn, err := run.Transport().DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	var suites []uint16
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		suites = append(suites, suite.ID)
	}
	// Whom the certificate is for is not what is asked here.
	client := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CipherSuites: suites})
	return client.HandshakeContext(ctx) == nil, nil
}
