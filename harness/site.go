package harness

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"

	"invigilator.example/harness/agent"
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
	return agent.Hosts{Addresses: map[string]string{}, Roots: roots, SPKIs: []string{pin(c.leaf)}}
}

// config serves the certificate with TLS of that version and newer ones.
func (c *certificate) config(oldest uint16) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.tls}, MinVersion: oldest}
}

// sites are those that the run itself serves. They get their contents when
// they listen already.
type sites struct{ platform, other, tool switchable }

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

// awaitServer waits until a server answers again. There is no event to wait for: it
// tries, at longer and longer intervals. That a connection is taken says nothing: a
// process that ends may take one more.
func (r *base) awaitServer(ctx context.Context, rawURL string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, max(patience, leastPatience))
	defer cancel()
	client := http.Client{Transport: r.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := answers(ctx, client, rawURL)
		if err == nil {
			return nil
		}
		if aboutCertificate(err, "") != "" { // waiting changes nothing
			return fmt.Errorf("it does not answer: %w", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

// answers says why a server does not answer; nil where it does.
func answers(ctx context.Context, client http.Client, rawURL string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if slices.Contains(away, response.StatusCode) {
		return errors.New(response.Status)
	}
	return nil
}
