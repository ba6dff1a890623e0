package lti

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// rsaBits is the least size that RFC 7518, 3.3 allows with RS256.
const rsaBits = 2048

// NewKey makes an RSA key pair for RS256 with a kid that no other key has
// (Security Framework 1.0, 6).
func NewKey() (jwk.Key, error) {
	raw, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key: %w", err)
	}
	key, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, fmt.Errorf("make a JWK of an RSA key: %w", err)
	}
	for name, value := range map[string]any{
		jwk.KeyIDKey:     RandomString(),
		jwk.AlgorithmKey: jwa.RS256,
		jwk.KeyUsageKey:  jwk.ForSignature,
	} {
		if err := key.Set(name, value); err != nil {
			return nil, fmt.Errorf("set %s of a key: %w", name, err)
		}
	}
	return key, nil
}

// maxPrepared bounds how many keys are kept prepared.
const maxPrepared = 200

// preparedKeys are RSA keys as they sign, by modulus and private exponent.
var preparedKeys = struct {
	sync.Mutex
	keys map[string]*rsa.PrivateKey
}{keys: map[string]*rsa.PrivateKey{}}

// prepared returns what a key signs with. To check an RSA key and to compute what it signs with
// takes a seventh of the time of a signature, and is done once.
func prepared(key jwk.Key) (any, error) {
	private, ok := key.(jwk.RSAPrivateKey)
	if !ok {
		return key, nil
	}
	id := string(private.N()) + " " + string(private.D())
	preparedKeys.Lock()
	defer preparedKeys.Unlock()
	if known := preparedKeys.keys[id]; known != nil {
		return known, nil
	}
	var raw rsa.PrivateKey
	if err := private.Raw(&raw); err != nil {
		return nil, err
	}
	raw.Precompute()
	if len(preparedKeys.keys) >= maxPrepared {
		clear(preparedKeys.keys)
	}
	preparedKeys.keys[id] = &raw
	return &raw, nil
}

// PublicSet returns the key set that publishes the public halves of the keys,
// without any private member.
func PublicSet(keys ...jwk.Key) (jwk.Set, error) {
	set := jwk.NewSet()
	for _, key := range keys {
		public, err := key.PublicKey()
		if err != nil {
			return nil, fmt.Errorf("public half of key %s: %w", key.KeyID(), err)
		}
		if err := set.AddKey(public); err != nil {
			return nil, fmt.Errorf("add key %s to the set: %w", key.KeyID(), err)
		}
	}
	return set, nil
}

// RandomString returns 128 random bits as base64url, good for a state, a
// nonce, a kid or any other name that nobody may guess.
func RandomString() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand.Read ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}
