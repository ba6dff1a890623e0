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
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"invigilator/harness/agent"
	"invigilator/harness/config"
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

// config serves the certificate with TLS of that version and newer ones.
func (c *certificate) config(oldest uint16) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.tls}, MinVersion: oldest}
}

// sites are those that the run itself serves. They get their contents when
// they listen already.
type sites struct{ platform, other, tool switchable }

// byAddress serves two fakes at one address: the second one by the name that it
// was reached by, or below [config.OtherPath].
func byAddress(first, other http.Handler, otherHost string) http.Handler {
	below := http.StripPrefix(config.OtherPath, other)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == otherHost:
			other.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, config.OtherPath+"/"):
			below.ServeHTTP(w, r)
		default:
			first.ServeHTTP(w, r)
		}
	})
}

// serveStranger is a site that no launch should lead to.
func serveStranger(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html><title>Stranger</title><p>This site has nothing to do with the launch.</p>")
}

// switchable is a handler whose content comes later.
type switchable struct {
	ready   chan struct{}
	once    sync.Once
	handler http.Handler
}

func (s *switchable) init() { s.once.Do(func() { s.ready = make(chan struct{}) }) }

func (s *switchable) set(h http.Handler) {
	s.init()
	s.handler = h
	close(s.ready)
}

// ServeHTTP waits for the content.
func (s *switchable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	select {
	case <-s.ready:
		s.handler.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
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
