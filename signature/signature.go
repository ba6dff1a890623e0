// Package signature says who vouches for a results document: a detached JWS (RFC 7515,
// appendix F) over its very bytes, in a file beside it. Its protected header names the digests
// of the reports beside the document, so that they are vouched for, too.
package signature

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/reports"
)

// digests is the member of the protected header that has the SHA-256 of the reports, in
// hexadecimal digits, by the names of their files.
const digests = "sha256"

// A Signer signs documents with a private key.
type Signer struct {
	key    jwk.Key
	public jwk.Key
	alg    jwa.SignatureAlgorithm
}

// least is how many bits the modulus of an RSA key has at least (RFC 7518, 3.3).
const least = 2048

// ReadSigner reads the private key of a file: a JWK, or PEM. No error says more of it than
// that it is of no use.
func ReadSigner(path string) (*Signer, error) {
	keys, err := read(path)
	if err != nil {
		return nil, err
	}
	if keys.Len() != 1 {
		return nil, fmt.Errorf("%s has %d keys: name a file with the one to sign with", path, keys.Len())
	}
	key, _ := keys.Key(0)
	if private, err := jwk.IsPrivateKey(key); err != nil || !private {
		return nil, fmt.Errorf("%s has a public key: to sign takes the private one", path)
	}
	alg, err := algorithm(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	public, err := published(key)
	if err != nil {
		return nil, fmt.Errorf("%s: its public key cannot be told", path)
	}
	return &Signer{key, public, alg}, nil
}

// Sign signs the document of a folder, and the reports that are beside it.
func (s *Signer) Sign(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, reports.Names[0]))
	if err != nil {
		return err
	}
	beside := map[string]string{}
	for _, file := range reported() {
		if report, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			beside[file] = reports.SHA256(report)
		}
	}
	header := jws.NewHeaders()
	for member, value := range map[string]any{jws.JWKKey: s.public, jws.KeyIDKey: s.public.KeyID(), jws.ContentTypeKey: "application/json", digests: beside} {
		if err := header.Set(member, value); err != nil {
			return fmt.Errorf("sign %s: %s cannot be said", reports.Names[0], member)
		}
	}
	signed, err := jws.Sign(nil, jws.WithKey(s.alg, s.key, jws.WithProtectedHeaders(header)), jws.WithDetachedPayload(text))
	if err != nil {
		return fmt.Errorf("sign %s: the key signs nothing by %s", reports.Names[0], s.alg)
	}
	return os.WriteFile(filepath.Join(dir, reports.Signature), append(signed, '\n'), 0o644)
}

// reported are the files that are made from a document.
func reported() []string {
	return slices.DeleteFunc(slices.Clone(reports.Names[1:]), func(name string) bool { return name == reports.Digest || name == reports.Signature })
}

// A Signed is what a signature says that holds.
type Signed struct {
	Key     string // its kid and thumbprint
	Alg     string
	Known   bool              // it is one of those given; otherwise it is that which the signature itself has
	Reports map[string]string // the digests of the reports, by their files
}

// ReadKeys reads public keys of a file: a JWK, a set of them, or PEM. Of private ones it
// takes the public part.
func ReadKeys(path string) (jwk.Set, error) {
	keys, err := read(path)
	if err != nil {
		return nil, err
	}
	public := jwk.NewSet()
	for i := range keys.Len() {
		key, _ := keys.Key(i)
		if key, err = published(key); err == nil {
			err = public.AddKey(key)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: key %d is none that verifies signatures", path, i+1)
		}
	}
	return public, nil
}

// Verify holds a signature against the bytes of a document. Where keys are given it has to be
// of one of them; where none are, it has to be of the key that it has in itself, which says
// that nothing was changed since, and nothing of who it was.
func Verify(signature, text []byte, keys jwk.Set) (Signed, error) {
	signature = bytes.TrimSpace(signature)
	message, err := jws.Parse(signature, jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 || bytes.Count(signature, []byte(".")) != 2 || !bytes.Contains(signature, []byte("..")) {
		return Signed{}, errors.New("it is no detached JWS")
	}
	header := message.Signatures()[0].ProtectedHeaders()
	if len(header.Critical()) > 0 {
		return Signed{}, errors.New("it demands extensions that nobody knows here")
	}
	candidates := keys
	if keys == nil {
		if header.JWK() == nil {
			return Signed{}, errors.New("it does not say which key it is of: name the one that you expect by --key")
		}
		candidates = jwk.NewSet()
		if err := candidates.AddKey(header.JWK()); err != nil {
			return Signed{}, errors.New("the key that it has is none")
		}
	}
	for i := range candidates.Len() {
		key, _ := candidates.Key(i)
		if !slices.Contains(algorithms(key), header.Algorithm()) {
			continue
		}
		if _, err := jws.Verify(signature, jws.WithKey(header.Algorithm(), key), jws.WithDetachedPayload(text)); err == nil {
			return Signed{Key: name(key), Alg: header.Algorithm().String(), Known: keys != nil, Reports: told(header)}, nil
		}
	}
	if keys != nil {
		says := "it is of none of these keys, or the document was changed since"
		if own := header.JWK(); own != nil {
			says += fmt.Sprintf(" (it says that it is of the key %s)", name(own))
		}
		return Signed{}, errors.New(says)
	}
	return Signed{}, errors.New("the document was changed since it was signed")
}

// told are the digests of a header.
func told(header jws.Headers) map[string]string {
	value, _ := header.Get(digests)
	members, _ := value.(map[string]any)
	found := map[string]string{}
	for file, digest := range members {
		if digest, ok := digest.(string); ok {
			found[file] = digest
		}
	}
	return found
}

// read reads the keys of a file.
func read(path string) (jwk.Set, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	isPEM := bytes.Contains(text, []byte("-----BEGIN"))
	keys, err := jwk.Parse(text, jwk.WithPEM(isPEM))
	if err != nil || keys.Len() == 0 {
		what := "is neither a JWK nor PEM"
		if isPEM {
			what = "is PEM in which no key can be read: one that has a password has to be decrypted first"
		}
		return nil, fmt.Errorf("%s %s", path, what)
	}
	for i := range keys.Len() {
		key, _ := keys.Key(i)
		if len(algorithms(key)) == 0 {
			return nil, fmt.Errorf("%s has a key of the type %s: signatures that others can verify take RSA of at least %d bits, EC or Ed25519", path, key.KeyType(), least)
		}
	}
	return keys, nil
}

// published is the public part of a key, with the members that say which it is alone.
func published(key jwk.Key) (jwk.Key, error) {
	var raw any
	public, err := key.PublicKey()
	if err == nil {
		err = public.Raw(&raw)
	}
	if err != nil {
		return nil, err
	}
	bare, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, err
	}
	kid := key.KeyID()
	if kid == "" {
		kid = thumbprint(bare)
	}
	return bare, bare.Set(jwk.KeyIDKey, kid)
}

func thumbprint(key jwk.Key) string {
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// name names a key to people.
func name(key jwk.Key) string {
	thumb := thumbprint(key)
	if key.KeyID() == "" || key.KeyID() == thumb {
		return thumb
	}
	kid, _ := json.Marshal(key.KeyID()) // it is what somebody else says
	return fmt.Sprintf("%s, thumbprint %s", kid, thumb)
}

// algorithms are those by which keys of a type sign (RFC 7518, 3.1; RFC 8037, 3.1), the one
// that is taken where a key names none first; none for keys that both sides have.
func algorithms(key jwk.Key) []jwa.SignatureAlgorithm {
	switch key := key.(type) {
	case interface{ N() []byte }: // RSA
		if len(key.N())*8 < least {
			return nil
		}
	case interface {
		Crv() jwa.EllipticCurveAlgorithm
	}: // EC and OKP
		return ofCurve(key.Crv())
	default:
		return nil
	}
	return []jwa.SignatureAlgorithm{jwa.RS256, jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512}
}

func ofCurve(curve jwa.EllipticCurveAlgorithm) []jwa.SignatureAlgorithm {
	switch curve {
	case jwa.P256:
		return []jwa.SignatureAlgorithm{jwa.ES256}
	case jwa.P384:
		return []jwa.SignatureAlgorithm{jwa.ES384}
	case jwa.P521:
		return []jwa.SignatureAlgorithm{jwa.ES512}
	case jwa.Ed25519:
		return []jwa.SignatureAlgorithm{jwa.EdDSA}
	}
	return nil
}

// algorithm is the one that a key signs by: that which it names, or else the usual one.
func algorithm(key jwk.Key) (jwa.SignatureAlgorithm, error) {
	usual := algorithms(key)
	if key.Algorithm() == nil || key.Algorithm().String() == "" {
		return usual[0], nil
	}
	for _, alg := range usual {
		if alg.String() == key.Algorithm().String() {
			return alg, nil
		}
	}
	return "", fmt.Errorf("its key says alg %q, by which no key of its type signs", key.Algorithm().String())
}
