package main_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// keyPair writes a private key and its public one, and returns what of the private one nobody may see.
func keyPair(t *testing.T, dir, name string) (secret string) {
	t.Helper()
	g := NewWithT(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	der, err := x509.MarshalPKCS8PrivateKey(private)
	g.Expect(err).NotTo(HaveOccurred())
	write(t, dir, name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	der, err = x509.MarshalPKIXPublicKey(public)
	g.Expect(err).NotTo(HaveOccurred())
	write(t, dir, name+"-public.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	return base64.StdEncoding.EncodeToString(private.Seed())
}

func TestWhoVouchesForAReport(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	secret := keyPair(t, dir, "ours")
	keyPair(t, dir, "theirs")
	stdout, stderr, status := run(t, dir, "demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--sign-key", "ours.pem", "--report", "out")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(stdout).To(ContainSubstring("signed: " + filepath.Join("out", "results.json.jws")))
	signature := read(t, dir, "out", "results.json.jws")
	first, _, _ := strings.Cut(signature, ".")
	header, err := base64.RawURLEncoding.DecodeString(first)
	g.Expect(err).NotTo(HaveOccurred())
	for _, text := range append(secretLeft(g, filepath.Join(dir, "out")), stdout, stderr, string(header)) {
		g.Expect(text).NotTo(Or(ContainSubstring(strings.TrimRight(secret, "=")), ContainSubstring("ours.pem"), ContainSubstring("sign-key")))
	}
	document(t, filepath.Join(dir, "out"))

	verify := func(args ...string) (string, int) {
		stdout, stderr, status := run(t, dir, append([]string{"verify"}, args...)...)
		return stdout + stderr, status
	}
	// altered is a copy of the folder in which a file is another one.
	altered := func(name string, alter func(string) string) string {
		copied := t.TempDir()
		g.Expect(os.CopyFS(copied, os.DirFS(filepath.Join(dir, "out")))).To(Succeed())
		path := filepath.Join(copied, name)
		if alter == nil {
			g.Expect(os.Remove(path)).To(Succeed())
		} else {
			g.Expect(os.WriteFile(path, []byte(alter(read(t, path))), 0o600)).To(Succeed())
		}
		return filepath.Join(copied, "results.json")
	}
	replaced := func(old, by string) func(string) string {
		return func(text string) string {
			g.Expect(text).To(ContainSubstring(old))
			return strings.Replace(text, old, by, 1)
		}
	}
	ours := []string{"--key", filepath.Join(dir, "ours-public.pem")}
	for name, c := range map[string]struct {
		document string
		args     []string
		status   int
		says     string
	}{
		"as it was written":           {"out/results.json", ours, 0, "signed by the key that you named"},
		"without a key":               {"out/results.json", nil, 0, "Whose key that is it does not say"},
		"another's key":               {"out/results.json", []string{"--key", "theirs-public.pem"}, 1, "it is of none of these keys"},
		"a key that is none":          {"out/results.json", []string{"--key", "out/summary.md"}, 3, "out/summary.md is neither a JWK nor PEM (--key)"},
		"another verdict":             {altered("results.json", replaced(`"verdict":"passed"`, `"verdict":"failed"`)), ours, 1, "or the document was changed since"},
		"the same in other bytes":     {altered("results.json", func(text string) string { return text + "\n" }), nil, 1, "results.json.sha256 has another digest"},
		"no document any more":        {altered("results.json", func(string) string { return "{}" }), nil, 1, "cannot be read"},
		"no digest":                   {altered("results.json.sha256", nil), ours, 0, "signed by the key that you named"},
		"no signature, and a key":     {altered("results.json.jws", nil), ours, 1, "it is not signed"},
		"no signature, and none":      {altered("results.json.jws", nil), nil, 0, "is what this version makes of it"},
		"a page that was changed":     {altered("report.html", replaced("conformant", "splendid")), nil, 1, "report.html was changed since it was signed"},
		"a page of another document":  {altered("report.html", replaced(`content="sha256:`, `content="sha256:0123456789abcdef`)), nil, 1, "report.html"},
		"no page":                     {altered("report.html", nil), ours, 0, "All that is here belongs together."},
		"a file that is not a report": {filepath.Join(dir, "out", "summary.md"), nil, 3, "cannot be read"},
	} {
		says, status := verify(append([]string{c.document}, c.args...)...)
		g.Expect(status).To(Equal(c.status), "%s: %s", name, says)
		g.Expect(says).To(ContainSubstring(c.says), name)
		g.Expect(strings.Contains(says, "belongs together.")).To(Equal(status == 0), name)
	}

	// Without a signature a report is held against what this version makes of the document.
	unsigned := altered("report.html", replaced("conformant", "splendid"))
	g.Expect(os.Remove(unsigned + ".jws")).To(Succeed())
	says, status := verify(unsigned)
	g.Expect(status).To(Equal(1), says)
	g.Expect(says).To(ContainSubstring("report.html is not what this version makes of the document"))

	// One of another version may be written in another way.
	old := altered("report.html", replaced("conformant", "splendid"))
	g.Expect(os.WriteFile(old, []byte(strings.Replace(read(t, old), `"version":"`, `"version":"0.0.9-`, 1)), 0o600)).To(Succeed())
	g.Expect(os.Remove(old + ".jws")).To(Succeed())
	_, _, status = run(t, dir, "report", old)
	g.Expect(status).To(Equal(0))
	page := filepath.Join(filepath.Dir(old), "report.html")
	g.Expect(os.WriteFile(page, []byte(strings.Replace(read(t, page), "conformant", "splendid", 1)), 0o600)).To(Succeed())
	says, status = verify(old)
	g.Expect(status).To(Equal(3), says)
	g.Expect(says).To(ContainSubstring("report.html: cannot be told"))

	// The reports are made again, and the document and its signature stay as they are.
	stdout, _, status = run(t, dir, "report", "out/results.json", "--out", "again")
	g.Expect(status).To(Equal(0), stdout)
	says, status = verify(append([]string{"again/results.json"}, ours...)...)
	g.Expect(status).To(Equal(0), says)
	_, _, status = run(t, dir, "report", "out/results.json", "--out", "theirs", "--sign-key", "theirs.pem")
	g.Expect(status).To(Equal(0))
	says, status = verify("theirs/results.json", "--key", "theirs-public.pem")
	g.Expect(status).To(Equal(0), says)

	// A run that is not signed leaves no signature of the one before, and a key that is none no run.
	_, _, status = run(t, dir, "demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--report", "out")
	g.Expect(status).To(Equal(0))
	g.Expect(filepath.Join(dir, "out", "results.json.jws")).NotTo(BeAnExistingFile())
	_, stderr, status = run(t, dir, "demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--sign-key", "ours-public.pem", "--report", "never")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("ours-public.pem has a public key: to sign takes the private one (--sign-key)"))
	g.Expect(filepath.Join(dir, "never")).NotTo(BeADirectory())
}
