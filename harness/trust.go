package harness

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/together"
)

// readCAFile reads the certificates of ca_file.
func readCAFile(path string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" { // such as the key beside it
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %s: %w", path, err)
		}
		list = append(list, certificate)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("ca_file: %s has no certificate in PEM form (-----BEGIN CERTIFICATE-----)", path)
	}
	return list, nil
}

// Client is one that trusts what a run of that configuration does.
func Client(c config.Config) (*http.Client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if c.CAFile != "" {
		own, err := readCAFile(c.CAFile)
		if err != nil {
			return nil, err
		}
		for _, certificate := range own {
			roots.AddCert(certificate)
		}
	}
	return &http.Client{Transport: agent.Transport(agent.Hosts{Roots: roots}), Timeout: c.Timeout.Launch.Std()}, nil
}

// trust lets the run's clients trust the certificates of ca_file and what they have issued. A
// browser knows no such file: it is told the keys of the certificates that the hosts of some
// addresses have, where they are valid by that file.
func (r *base) trust(ctx context.Context, hosts *agent.Hosts, addresses ...string) error {
	if r.config.CAFile == "" {
		return nil
	}
	own, err := readCAFile(r.config.CAFile)
	if err != nil {
		return err
	}
	for _, certificate := range own {
		hosts.Roots.AddCert(certificate)
	}
	if r.configured() == results.HTTP {
		return nil
	}
	servers := map[string]string{} // an address of each
	for _, address := range addresses {
		if u, err := url.Parse(address); err == nil && u.Scheme == "https" && hosts.Addresses[u.Hostname()] == "" {
			servers[u.Host] = address
		}
	}
	transport := agent.Transport(*hosts)
	defer transport.CloseIdleConnections()
	var list []string
	for _, address := range servers {
		list = append(list, address)
	}
	pins, _ := together.Do(len(list), func(i int) (string, error) {
		return pinOf(ctx, transport, list[i], r.config.Timeout.Restart.Std()), nil
	})
	for _, pin := range pins {
		if pin != "" && !slices.Contains(hosts.SPKIs, pin) {
			hosts.SPKIs = append(hosts.SPKIs, pin)
		}
	}
	return nil
}

// pinOf is that of the certificate that a server has; empty where it has none that is valid. It
// waits for one that is away.
func pinOf(ctx context.Context, transport *http.Transport, address string, patience time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, max(patience, leastPatience))
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		leaf, err := certificateAt(ctx, transport, address)
		if err == nil {
			return pin(leaf)
		}
		if aboutCertificate(err, "") != "" { // waiting changes nothing
			return ""
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ""
		}
	}
}

// pin is how a browser is told of a public key.
func pin(certificate *x509.Certificate) string {
	spki := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(spki[:])
}

// certificateAt is the certificate of a server, which the transport trusts.
func certificateAt(ctx context.Context, transport *http.Transport, address string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	conn, err := transport.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	settings := transport.TLSClientConfig.Clone()
	settings.ServerName = u.Hostname()
	client := tls.Client(conn, settings)
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates[0], nil
}

// certificateProblem says what is wrong with the certificate of a server, and what to do; empty
// where this machine trusts it, or there is none. It asks the server once, for a few seconds.
func (r *base) certificateProblem(address string) string {
	if !strings.HasPrefix(address, "https:") {
		return ""
	}
	_, err := certificateAt(context.Background(), r.transport, address)
	return aboutCertificate(err, r.config.CAFile)
}

// untrusted is what to look at where the browser does not trust the certificate of a server.
func (r *base) untrusted(address string) string {
	if problem := r.certificateProblem(address); problem != "" {
		return problem
	}
	says := "This machine trusts the certificate of " + address + ", and the browser does not: it may have been served only after the browser had started."
	if r.config.Remote(r.process) != "" {
		return says + " A browser that runs already (browser.devtools_url) has to be told by itself which CA to trust."
	}
	return says + " Is it the same at each start? Then set ca_file to a PEM file with it."
}

// trustedBy is how a certificate is trusted that the system does not trust.
func trustedBy(file string) string {
	if file != "" {
		return "ca_file, " + file + ", has neither that certificate nor that of the CA that has issued it: add it."
	}
	return "set ca_file to a PEM file with that certificate, or with that of the CA that has issued it."
}

// aboutCertificate says what is wrong with a certificate that is not trusted, though there may
// be a ca_file; empty for an error of another kind.
func aboutCertificate(err error, file string) string {
	unknown, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	name, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isPlain := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case isUnknown && unknown.Cert != nil && unknown.Cert.Issuer.String() == unknown.Cert.Subject.String():
		return fmt.Sprintf("The certificate is self-signed (%s), and this machine does not trust it: %s", results.Bounded(unknown.Cert.Subject.String(), 200), trustedBy(file))
	case isUnknown && unknown.Cert != nil:
		return fmt.Sprintf("This machine does not trust the CA of the certificate, which is issued by %s: %s", results.Bounded(unknown.Cert.Issuer.String(), 200), trustedBy(file))
	case isUnknown:
		return "This machine does not trust the certificate: " + trustedBy(file)
	case isName:
		return fmt.Sprintf("The certificate is for another host: %s.", results.Bounded(name.Error(), 300))
	case isInvalid:
		return fmt.Sprintf("The certificate cannot be used: %s.", results.Bounded(invalid.Error(), 300))
	case isPlain:
		return "There is no TLS at that address: should it begin with http instead of https?"
	}
	return ""
}
