package harness

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
)

// TLSVersions returns the versions of TLS that a server agrees on, and whether one
// of them is older than 1.2. The error is for a server that cannot be reached.
func (r *base) TLSVersions(ctx context.Context, u *url.URL) (spoken []string, old bool, err error) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		speaks, err := r.handshake(ctx, u, version)
		if err != nil {
			return nil, false, err
		}
		if speaks {
			spoken = append(spoken, tls.VersionName(version))
			old = old || version < tls.VersionTLS12
		}
	}
	return spoken, old, nil
}

// handshake says whether a server agrees on one version of TLS.
func (r *base) handshake(ctx context.Context, u *url.URL, version uint16) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Patience())
	defer cancel()
	port := u.Port()
	if port == "" {
		port = "443"
	}
	conn, err := r.transport.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
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
