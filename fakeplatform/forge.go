package fakeplatform

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/lestrrat-go/jwx/v2/cert"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// unpublishedKey is an attacker's key. One serves all platforms: nobody trusts it.
var unpublishedKey = sync.OnceValues(lti.NewKey)

// signAs signs with a key, but names another kid in the header.
func signAs(claims lti.Claims, key jwk.Key, kid string) (string, error) {
	renamed, err := withKID(key, kid)
	if err != nil {
		return "", err
	}
	return lti.Sign(claims, renamed)
}

// signAsUnpublished signs with a key that was never published, under the kid of
// the platform's.
func signAsUnpublished(d *draft) (string, error) {
	key, err := unpublishedKey()
	if err != nil {
		return "", err
	}
	return signAs(d.claims, key, d.key.KeyID())
}

// withKID returns the same key under another kid.
func withKID(key jwk.Key, kid string) (jwk.Key, error) {
	renamed, err := key.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy a key: %w", err)
	}
	if err := renamed.Set(jwk.KeyIDKey, kid); err != nil {
		return nil, fmt.Errorf("rename a key: %w", err)
	}
	return renamed, nil
}

// signWithHeader signs with further members in the header.
func signWithHeader(claims lti.Claims, key jwk.Key, header map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return lti.SignPayload(payload, key, header)
}

// signWithoutKID signs with the platform's key and names none.
func signWithoutKID(d *draft) (string, error) {
	nameless, err := d.key.Clone()
	if err != nil {
		return "", fmt.Errorf("copy a key: %w", err)
	}
	if err := nameless.Remove(jwk.KeyIDKey); err != nil {
		return "", err
	}
	return lti.Sign(d.claims, nameless)
}

// signAsBeside signs with the key that is not the platform's own.
func signAsBeside(d *draft) (string, error) { return lti.Sign(d.claims, d.launch.keySet.beside) }

// signAsStranger signs with a stranger's key and says in the header where it
// is to be found.
func signAsStranger(where func(*draft) (string, any, error)) func(*draft) (string, error) {
	return func(d *draft) (string, error) {
		key, err := unpublishedKey()
		if err != nil {
			return "", err
		}
		name, value, err := where(d)
		if err != nil {
			return "", err
		}
		return signWithHeader(d.claims, key, map[string]any{name: value, jws.KeyIDKey: key.KeyID()})
	}
}

// strangerCertificate is a certificate of the stranger's key, signed by itself.
var strangerCertificate = sync.OnceValues(func() ([]byte, error) {
	key, err := unpublishedKey()
	if err != nil {
		return nil, err
	}
	var private rsa.PrivateKey
	if err := key.Raw(&private); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stranger.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	return x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, &private)
})

func strangerChain() (*cert.Chain, error) {
	der, err := strangerCertificate()
	if err != nil {
		return nil, err
	}
	chain := &cert.Chain{}
	return chain, chain.Add([]byte(base64.StdEncoding.EncodeToString(der)))
}

// signEscaped writes every character beyond ASCII that has no place in the
// Latin alphabet as a JSON escape: those beyond 16 bits as a surrogate pair.
func signEscaped(d *draft) (string, error) {
	payload, err := json.Marshal(d.claims)
	if err != nil {
		return "", err
	}
	var escaped strings.Builder
	for _, r := range string(payload) {
		switch high, low := utf16.EncodeRune(r); {
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&escaped, `\u%04x\u%04x`, high, low)
		case unicode.Is(unicode.Han, r):
			fmt.Fprintf(&escaped, `\u%04x`, r)
		default:
			escaped.WriteRune(r)
		}
	}
	return lti.SignPayload([]byte(escaped.String()), d.key, nil)
}

// malformed signs as the platform does and then spoils the whole token.
func malformed(spoil func(string) string) func(*draft) (string, error) {
	return func(d *draft) (string, error) {
		token, err := lti.Sign(d.claims, d.key)
		return spoil(token), err
	}
}

// otherAlgorithms are signatures with a fitting key in the key set that a tool
// may accept, or must not.
func otherAlgorithms(algs ...jwa.SignatureAlgorithm) []Fault {
	var faults []Fault
	for _, alg := range algs {
		faults = append(faults, Fault{
			Name: strings.ToLower(alg.String()), Provokes: "sec11-tool-approved-algorithms",
			Permitted: alg != jwa.PS256 && alg != jwa.EdDSA,
			Does:      "signs with " + alg.String() + " and publishes a fitting key",
			Effects: []fault.Effect{publishes(func(_ *Launch, k *keySet) error {
				if alg == jwa.ES256 || alg == jwa.EdDSA {
					return k.sign(newKey(alg))
				}
				key, err := freshKID(k.keys[0])
				if err != nil {
					return err
				}
				return k.sign(key, key.Set(jwk.AlgorithmKey, alg))
			})},
		})
	}
	return faults
}

func flipLastByte(signature []byte) []byte {
	signature[len(signature)-1] ^= 1
	return signature
}

// changeSignature signs as the platform does and then changes the signature's bytes.
func changeSignature(change func([]byte) []byte) func(*draft) (string, error) {
	return func(d *draft) (string, error) {
		token, err := lti.Sign(d.claims, d.key)
		if err != nil {
			return "", err
		}
		i := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
		if err != nil {
			return "", err
		}
		return token[:i+1] + base64.RawURLEncoding.EncodeToString(change(signature)), nil
	}
}

// algNoneFaults are the spellings of an unsigned token, each without a
// signature and with the signature that the signed token had.
func algNoneFaults() []Fault {
	var faults []Fault
	for _, keeps := range []bool{false, true} {
		for _, spelling := range []struct{ name, alg, says string }{
			{"alg-none-lower", "none", "alg none"},
			{"alg-none-title", "None", "alg None"},
			{"alg-none-upper", "NONE", "alg NONE"},
			{"alg-none-mixed", "nOnE", "alg nOnE"},
			{"alg-absent", "", "no alg"},
		} {
			f := Fault{
				Name: spelling.name, Provokes: "sec-tool-alg-none", Proves: "sec-id-token-signature",
				Does:    "sends a token with " + spelling.says + " in its header and no signature",
				Effects: []fault.Effect{signs(func(d *draft) (string, error) { return unsigned(d, spelling.alg, keeps) })},
			}
			if keeps {
				f.Name += "-keeps-signature"
				f.Does = "sends a token with " + spelling.says + " in its header and the signature of the signed one"
			}
			faults = append(faults, f)
		}
	}
	return faults
}

// unsigned makes a token whose header claims that it needs no signature. It is
// put together by hand, since jwx makes no header without alg, nor alg none in
// another spelling.
func unsigned(d *draft, alg string, keepSignature bool) (string, error) {
	header := map[string]any{"typ": "JWT", "kid": d.key.KeyID()}
	if alg != "" {
		header["alg"] = alg
	}
	h, err := encodePart(header)
	if err != nil {
		return "", err
	}
	signed, err := lti.Sign(d.claims, d.key)
	if err != nil {
		return "", err
	}
	parts := strings.Split(signed, ".")
	if !keepSignature {
		parts[2] = ""
	}
	return h + "." + parts[1] + "." + parts[2], nil
}

func encodePart(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode a part of a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// takenKey is a key whose public half is taken for the secret of an HMAC, and the kid that
// the token names.
type takenKey struct {
	key jwk.Key
	kid string
}

var keyTaken = &fault.Seam[takenKey]{Name: "the public key that is taken for the secret of an HMAC"}

// hmacFaults take a public key, which everybody knows, for the secret of an HMAC.
var hmacFaults = []Fault{
	hmacFault("hs256-public-key-pem", "PEM", jwa.HS256, publicPEM),
	hmacFault("hs256-public-key-pem-crlf", "PEM with CRLF line ends", jwa.HS256, publicPEMWithCRLF),
	hmacFault("hs256-public-key-pem-trimmed", "PEM without its last line end", jwa.HS256, publicPEMTrimmed),
	hmacFault("hs256-public-key-modulus", "its n alone", jwa.HS256, publicModulus),
	hmacFault("hs256-public-key-pkcs1-pem", "PKCS #1 PEM", jwa.HS256, publicPKCS1PEM),
	hmacFault("hs256-public-key-der", "DER", jwa.HS256, publicDER),
	hmacFault("hs256-public-key-jwk", "JWK", jwa.HS256, publicJWK),
	hmacFault("hs384-public-key-pem", "PEM", jwa.HS384, publicPEM),
	hmacFault("hs512-public-key-pem", "PEM", jwa.HS512, publicPEM),
}

// hmacFault is one of them, by the form in which a careless tool would hold the key.
func hmacFault(name, form string, alg jwa.SignatureAlgorithm, secret func(jwk.Key) ([]byte, error)) Fault {
	return Fault{
		Name: name, Provokes: "cert-tool-alg-hmac-confusion", Proves: "sec-id-token-signature",
		Does: fmt.Sprintf("signs with %s and the platform's public key (%s) as the secret", alg, form),
		Effects: []fault.Effect{signs(func(d *draft) (string, error) {
			taken := keyTaken.Pass(d.launch.carrier(), takenKey{d.key, d.key.KeyID()})
			public, err := taken.key.PublicKey()
			if err != nil {
				return "", err
			}
			key, err := secret(public)
			if err != nil {
				return "", fmt.Errorf("public key as %s: %w", form, err)
			}
			payload, err := json.Marshal(d.claims)
			if err != nil {
				return "", err
			}
			header := jws.NewHeaders()
			for name, value := range map[string]any{jws.TypeKey: "JWT", jws.KeyIDKey: taken.kid} {
				if err := header.Set(name, value); err != nil {
					return "", err
				}
			}
			token, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(header)))
			return string(token), err
		})},
	}
}

// maxOthers is how many other keys than the platform's own a forgery is tried with.
const maxOthers = 3

// Forgeries returns a fault, and where it takes a public key for a secret once more for
// each other key that the platform has published, the latest ones: nobody knows which of
// them a tool has kept, and by which kid it looks for it.
func (p *Platform) Forgeries(f Fault) []Fault {
	forgeries := []Fault{f}
	if !slices.ContainsFunc(hmacFaults, func(one Fault) bool { return one.Name == f.Name }) {
		return forgeries
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(p.published), func(key jwk.Key) bool { return key.KeyID() == p.keys[0].KeyID() })
	for _, key := range others[max(0, len(others)-maxOthers):] {
		for _, own := range []bool{false, true} {
			other := f
			other.Does += ", that of another key it has published, under " + map[bool]string{false: "the kid of its own", true: "that key's kid"}[own]
			other.Effects = append(slices.Clone(f.Effects), keyTaken.ChangeWhen(func(takenKey) bool { return true }, func(taken takenKey) takenKey {
				taken.key = key
				if own {
					taken.kid = key.KeyID()
				}
				return taken
			}))
			forgeries = append(forgeries, other)
		}
	}
	return forgeries
}

// publish remembers keys that have been published.
func (p *Platform) publish(keys []jwk.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range keys {
		known := slices.ContainsFunc(p.published, func(one jwk.Key) bool { return jwk.Equal(one, key) })
		if key.KeyType() == jwa.RSA && !known && len(p.published) < maxPublished {
			p.published = append(p.published, key)
		}
	}
}

// maxPublished bounds how many of them are remembered.
const maxPublished = 100

func publicPEM(key jwk.Key) ([]byte, error) { return jwk.Pem(key) }

func publicPEMWithCRLF(key jwk.Key) ([]byte, error) {
	text, err := jwk.Pem(key)
	return []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), err
}

func publicPEMTrimmed(key jwk.Key) ([]byte, error) {
	text, err := jwk.Pem(key)
	return bytes.TrimSpace(text), err
}

// publicModulus is n as a key set writes it (RFC 7518, 6.3.1.1).
func publicModulus(key jwk.Key) ([]byte, error) {
	public, err := rsaPublicKey(key)
	if err != nil {
		return nil, err
	}
	return []byte(base64.RawURLEncoding.EncodeToString(public.N.Bytes())), nil
}

func publicDER(key jwk.Key) ([]byte, error) {
	public, err := rsaPublicKey(key)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(public)
}

func publicPKCS1PEM(key jwk.Key) ([]byte, error) {
	public, err := rsaPublicKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(public)}), nil
}

func rsaPublicKey(key jwk.Key) (*rsa.PublicKey, error) {
	var public rsa.PublicKey
	if err := key.Raw(&public); err != nil {
		return nil, err
	}
	return &public, nil
}

func publicJWK(key jwk.Key) ([]byte, error) { return json.Marshal(key) }
