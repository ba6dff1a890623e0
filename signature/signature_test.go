package signature_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/signature"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Keys of each kind that can sign.
var (
	rsaKey   = must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, edKey = func() (ed25519.PublicKey, ed25519.PrivateKey) {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		return public, must(private, err)
	}()
)

func asPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(key any) string { return asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))) }
func pkix(key any) string  { return asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key))) }

func certificate(key *ecdsa.PrivateKey) string {
	of := &x509.Certificate{SerialNumber: big.NewInt(1)}
	return asPEM("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)))
}

func asJWK(key any, members map[string]any) string {
	made := must(jwk.FromRaw(key))
	for name, value := range members {
		if err := made.Set(name, value); err != nil {
			panic(err)
		}
	}
	return string(must(json.Marshal(made)))
}

func file(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "key")
	NewWithT(t).Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

// signed is a folder with a document that a key has signed, and its signature.
func signed(t *testing.T, key string) (dir string, signature_ []byte) {
	g := NewWithT(t)
	dir = t.TempDir()
	for name, text := range map[string]string{"results.json": "{\"a\": 1}\n", "report.html": "<p>", "notes.txt": "mine"} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)).To(Succeed())
	}
	signer, err := signature.ReadSigner(file(t, key))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(signer.Sign(dir)).To(Succeed())
	text, err := os.ReadFile(filepath.Join(dir, "results.json.jws"))
	g.Expect(err).NotTo(HaveOccurred())
	return dir, text
}

func TestWhoHasSignedIsKnown(t *testing.T) {
	for name, c := range map[string]struct{ private, public, alg, says string }{
		"RSA, PEM":           {pkcs8(rsaKey), pkix(&rsaKey.PublicKey), "RS256", ""},
		"RSA, PEM of PKCS 1": {asPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), pkix(&rsaKey.PublicKey), "RS256", ""},
		"RSA, JWK":           {asJWK(rsaKey, map[string]any{"kid": "ours", "alg": "PS256"}), asJWK(rsaKey.Public(), nil), "PS256", ""},
		"EC":                 {pkcs8(ecKey), pkix(ecKey.Public()), "ES256", ""},
		"Ed25519, a set":     {asJWK(edKey, map[string]any{"kid": "a \"kid\""}), `{"keys":[` + asJWK(rsaKey.Public(), nil) + "," + asJWK(edKey.Public(), map[string]any{"kid": "theirs"}) + "]}", "EdDSA", `"theirs", thumbprint `},
		"a certificate":      {pkcs8(ecKey), certificate(ecKey), "ES256", ""},
		"the private one":    {pkcs8(ecKey), pkcs8(ecKey), "ES256", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, text := signed(t, c.private)
			keys, err := signature.ReadKeys(file(t, c.public))
			g.Expect(err).NotTo(HaveOccurred())
			holds, err := signature.Verify(text, []byte("{\"a\": 1}\n"), keys)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect([]any{holds.Alg, holds.Known}).To(Equal([]any{c.alg, true}))
			g.Expect(holds.Key).To(HavePrefix(c.says))
			g.Expect(holds.Reports).To(HaveLen(1), "what is made from the document, and no other file")
			g.Expect(holds.Reports).To(HaveKeyWithValue("report.html", HaveLen(64)))

			holds, err = signature.Verify(text, []byte("{\"a\": 1}\n"), nil)
			g.Expect(err).NotTo(HaveOccurred(), "by the key that it has in itself")
			g.Expect(holds.Known).To(BeFalse())
			for _, changed := range []string{"{\"a\": 2}\n", "{\"a\": 1}", "{\"a\": 1}\r\n", ""} {
				for _, keys := range []jwk.Set{nil, keys} {
					_, err = signature.Verify(text, []byte(changed), keys)
					g.Expect(err).To(MatchError(ContainSubstring("the document was changed since")), changed)
				}
			}
			for _, key := range []any{rsaKey, ecKey, edKey} { // no private key is in the signature
				private := must(jwk.FromRaw(key))
				d, _ := private.Get("d")
				g.Expect(string(text)).NotTo(ContainSubstring(string(must(json.Marshal(d)))))
			}
			message := must(jws.Parse(text))
			g.Expect(jwk.IsPrivateKey(message.Signatures()[0].ProtectedHeaders().JWK())).To(BeFalse())
		})
	}
}

// What is no signature of the key is none, whatever it says of itself.
func TestForgeriesDoNotHold(t *testing.T) {
	g := NewWithT(t)
	document := []byte("{\"a\": 1}\n")
	dir, text := signed(t, pkcs8(rsaKey))
	g.Expect(dir).NotTo(BeEmpty())
	ours, err := signature.ReadKeys(file(t, pkix(rsaKey.Public())))
	g.Expect(err).NotTo(HaveOccurred())
	by := func(alg jwa.SignatureAlgorithm, key any, members map[string]any) string {
		header := jws.NewHeaders()
		for name, value := range members {
			g.Expect(header.Set(name, value)).To(Succeed())
		}
		return string(must(jws.Sign(nil, jws.WithKey(alg, key, jws.WithProtectedHeaders(header)), jws.WithDetachedPayload(document))))
	}
	whole := string(must(jws.Sign(document, jws.WithKey(jwa.RS256, rsaKey))))
	public := []byte(pkix(rsaKey.Public()))
	for name, forged := range map[string]string{
		"nothing":                        "",
		"no signature":                   "hello",
		"another key":                    by(jwa.ES256, ecKey, map[string]any{"kid": "ours"}),
		"the public key as a secret":     by(jwa.HS256, public, nil),
		"none":                           "eyJhbGciOiJub25lIn0..",
		"one that has the document":      whole,
		"an extension":                   by(jwa.RS256, rsaKey, map[string]any{"crit": []string{"b65"}, "b65": true}),
		"a signature that is cut":        strings.TrimSpace(string(text))[:len(text)-9],
		"two":                            strings.TrimSpace(string(text)) + " " + string(text),
		"a secret that it has in itself": by(jwa.HS256, []byte("secret"), map[string]any{"jwk": must(jwk.FromRaw([]byte("secret")))}),
	} {
		for _, keys := range []jwk.Set{ours, nil} {
			if name == "another key" && keys == nil {
				continue // it says which, and that is true
			}
			_, err := signature.Verify([]byte(forged), document, keys)
			g.Expect(err).To(HaveOccurred(), name)
		}
	}
}

// A key that cannot sign is told of before anything else is done, and nothing of it is shown.
func TestAKeyThatIsOfNoUse(t *testing.T) {
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	private := pkcs8(ecKey)
	for name, c := range map[string]struct{ text, says string }{
		"nothing":           {"", "is neither a JWK nor PEM"},
		"text":              {"hunter2-hunter2", "is neither a JWK nor PEM"},
		"a broken JWK":      {`{"kty":"EC","crv":"P-256","d":"hunter2-hunter2"}`, "is neither a JWK nor PEM"},
		"a broken PEM":      {private[:len(private)-60], "is PEM in which no key can be read"},
		"one with password": {"-----BEGIN ENCRYPTED PRIVATE KEY-----\naHVudGVyMi1odW50ZXIy\n-----END ENCRYPTED PRIVATE KEY-----\n", "one that has a password"},
		"a public one":      {pkix(ecKey.Public()), "has a public key"},
		"a secret":          {`{"kty":"oct","k":"aHVudGVyMi1odW50ZXIy"}`, "has a key of the type oct"},
		"a small one":       {pkcs8(small), "RSA of at least 2048 bits"},
		"two":               {`{"keys":[` + asJWK(ecKey, nil) + "," + asJWK(edKey, nil) + "]}", "has 2 keys"},
		"an alg that is no": {asJWK(ecKey, map[string]any{"alg": "RS256"}), `its key says alg "RS256"`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := signature.ReadSigner(file(t, c.text))
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
			g.Expect(err.Error()).NotTo(Or(ContainSubstring("hunter2"), ContainSubstring("aHVudGVyMi1o")))
		})
	}
	g := NewWithT(t)
	_, err := signature.ReadSigner(filepath.Join(t.TempDir(), "nowhere"))
	g.Expect(err).To(MatchError(os.ErrNotExist))
}
