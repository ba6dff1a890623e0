package harness_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
)

// issue makes a certificate for this machine, issued by another one, and by itself where there
// is none.
func issue(t *testing.T, name string, by *tls.Certificate) *tls.Certificate {
	t.Helper()
	g := NewWithT(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, BasicConstraintsValid: true, IsCA: by == nil,
	}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	g.Expect(err).NotTo(HaveOccurred())
	leaf, err := x509.ParseCertificate(der)
	g.Expect(err).NotTo(HaveOccurred())
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// inPEM writes a certificate to a file, and returns the file's path.
func inPEM(t *testing.T, certificate *tls.Certificate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	NewWithT(t).Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
	return path
}

// startSecure begins a run against a fake tool that has a certificate.
func startSecure(t *testing.T, certificate *tls.Certificate, change func(*config.Config)) *harness.Run {
	t.Helper()
	g := NewWithT(t)
	var content harnesstest.Late
	server := httptest.NewUnstartedServer(&content)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	run := harnesstest.Start(t, server.URL, func(c *config.Config) {
		c.Tool.JWKSURL, c.Timeout.Launch = server.URL+faketool.JWKSPath, config.Duration(10*time.Second)
		change(c)
	})
	tool, err := faketool.New(faketool.Options{URL: server.URL, Key: harnesstest.SubjectKey(t, 0)})
	g.Expect(err).NotTo(HaveOccurred())
	for _, known := range run.Registrations() {
		g.Expect(tool.Register(faketool.Registration{
			Issuer: known.Platform.Issuer(), ClientID: known.ClientID, AuthURL: known.AuthURL, JWKSURL: known.JWKSURL, DeploymentIDs: known.DeploymentIDs, TokenURL: known.TokenURL,
		})).To(Succeed())
	}
	content.Set(tool)
	return run
}

func TestACertificateOfTheSubjectsOwnIsTrustedWhereItIsNamed(t *testing.T) {
	t.Parallel()
	authority, alone, stranger := issue(t, "Campus CA", nil), issue(t, "localhost", nil), issue(t, "Another CA", nil)
	issued := issue(t, "the tool", authority)
	for name, test := range map[string]struct {
		served, named *tls.Certificate
		want          string // what to look at; empty where launches work
	}{
		"of a CA that is named":         {served: issued, named: authority},
		"itself named":                  {served: issued, named: issued},
		"self-signed and named":         {served: alone, named: alone},
		"of a CA that nobody has named": {served: issued, want: "does not trust the CA of the certificate, which is issued by CN=Campus CA: set ca_file to a PEM file"},
		"self-signed":                   {served: alone, want: "The certificate is self-signed (CN=localhost), and this machine does not trust it: set ca_file"},
		"of another CA":                 {served: issued, named: stranger, want: "has neither that certificate nor that of the CA that has issued it: add it."},
	} {
		for _, by := range []string{"http", "browser"} {
			t.Run(name+", over "+by, func(t *testing.T) {
				if _, err := agent.FindBrowser(false); err != nil && by == "browser" {
					t.Skip(err)
				}
				g := NewWithT(t)
				run := startSecure(t, test.served, func(c *config.Config) {
					c.Timeout.Restart = config.Duration(100 * time.Millisecond)
					if c.Agent = by; test.named != nil {
						c.CAFile = inPEM(t, test.named)
					}
				})
				_, err := run.Preflight(t.Context())
				if test.want == "" {
					g.Expect(err).NotTo(HaveOccurred())
					for _, ready := range run.Reach(t.Context(), 0) {
						g.Expect(ready.Problem).To(BeNil())
					}
					return
				}
				g.Expect(err).To(MatchError(And(ContainSubstring("certificate"), ContainSubstring(test.want))))
				g.Expect(run.Reach(t.Context(), 0)[0].Problem).To(MatchError(ContainSubstring(test.want)))
			})
		}
	}
}

func TestACertificateOfAPlatformThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*issue(t, "Campus CA", nil)}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, by := range []string{"http", "browser"} {
		t.Run("over "+by, func(t *testing.T) {
			if _, err := agent.FindBrowser(false); err != nil && by == "browser" {
				t.Skip(err)
			}
			g := NewWithT(t)
			c, err := config.Load(config.Sources{Side: config.PlatformSide, Settings: map[string]string{
				"platform.issuer": server.URL, "platform.auth_url": server.URL + "/auth", "platform.jwks_url": server.URL + "/keys", "registration.client_id": "1",
				"fake_tool.listen": "127.0.0.1:0", "fake_tool.key_file": harnesstest.KeyFile(t), "timeout.restart": "100ms", "agent": by,
			}, Text: []byte("journeys: {opens: {user: learner, launch: resource-link, steps: [{open: '" + server.URL + "/link'}]}}")})
			g.Expect(err).NotTo(HaveOccurred())
			run, err := harness.StartPlatform(t.Context(), c, 1)
			g.Expect(err).NotTo(HaveOccurred())
			t.Cleanup(run.Close)
			_, err = run.Preflight(t.Context())
			g.Expect(err).To(MatchError(ContainSubstring("The certificate is self-signed (CN=Campus CA), and this machine does not trust it: set ca_file")))
		})
	}
}

func TestACAFileThatIsNoneIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"empty":         {"", "has no certificate in PEM form"},
		"a private key": {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "has no certificate in PEM form"},
		"broken":        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x509: malformed certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := config.Default(config.ToolSide)
			c.Agent, c.Tool.LoginURL, c.FakePlatform.Listen = "http", "https://127.0.0.1:1/login", "127.0.0.1:0"
			c.CAFile = filepath.Join(t.TempDir(), "ca.pem")
			g.Expect(os.WriteFile(c.CAFile, []byte(test.text), 0o600)).To(Succeed())
			_, err := harness.Start(t.Context(), c, 1)
			g.Expect(err).To(MatchError(And(HavePrefix("ca_file: "), ContainSubstring(test.want))))
		})
	}
}
