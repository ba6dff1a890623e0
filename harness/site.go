package harness

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"time"

	"invigilator/harness/agent"
)

// certificate is the one that the run's own sites are served with. It exists
// only as long as the run; the browser is told to trust this key and no other.
type certificate struct {
	tls  tls.Certificate
	leaf *x509.Certificate
}

func newCertificate(hosts ...string) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for TLS: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &certificate{tls: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf: leaf}, nil
}

func (c *certificate) hosts() agent.Hosts {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AddCert(c.leaf)
	spki := sha256.Sum256(c.leaf.RawSubjectPublicKeyInfo)
	return agent.Hosts{Addresses: map[string]string{}, Roots: roots, SPKI: base64.StdEncoding.EncodeToString(spki[:])}
}

// serve answers on an address until the run is closed. With a certificate it
// speaks TLS.
func (r *Run) serve(address string, cert *certificate, handler http.Handler) (net.Addr, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		// What browsers and tools do wrong on the wire shows in the evidence.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	addr := listener.Addr()
	if cert != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert.tls}, MinVersion: tls.VersionTLS12})
	}
	go func() { _ = server.Serve(listener) }()
	r.onClose(func() { _ = server.Close() })
	return addr, nil
}

// awaitServer waits until a server takes connections again. There is no event
// to wait for: it tries, at longer and longer intervals.
func awaitServer(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), rawURL string, patience time.Duration) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		return err
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		conn, err := dial(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%s takes no connections: %w", address, err)
		}
	}
}
