package fakeplatform

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// keyFaults are those of the key set.
var keyFaults = []Fault{
	{
		Name: "key-added", Provokes: "oidc-tool-key-rotation", Permitted: true,
		Does:    "publishes a second key and signs with it at once",
		Effects: []fault.Effect{changesKeys((*Platform).AddKey)},
	}, {
		Name: "old-key-removed", Provokes: "oidc-tool-key-rotation", Permitted: true,
		Does:    "withdraws every key but the one that signs",
		Effects: []fault.Effect{changesKeys(func(p *Platform) error { p.RemoveOldKeys(); return nil })},
	}, {
		Name: "removed-key-after-5-seconds", Provokes: "practice-tool-removed-key",
		Does: "signs with a key that was withdrawn 5 seconds ago", Borrows: fault.OtherLaunch, Effects: []fault.Effect{signs(signAsBeside), publishes(withdrawnKey)},
	}, {
		Name: "removed-key-after-15-minutes", Provokes: "practice-tool-removed-key",
		Does: "signs with a key that was withdrawn 15 minutes ago", Borrows: fault.OtherLaunch, Effects: []fault.Effect{signs(signAsBeside), publishes(withdrawnKey)},
	}, {
		Name: "key-set-with-extras", Provokes: "practice-tool-jwks-formats", Permitted: true,
		Does: "publishes keys of other kinds and members that nobody knows, and its own key last", Effects: []fault.Effect{publishes(keySetWithExtras)},
	}, {
		Name: "key-set-without-alg", Provokes: "practice-tool-jwks-formats", Permitted: true,
		Does: "publishes a new key without alg, and signs with it", Effects: []fault.Effect{publishes(keyWithoutAlg)},
	}, {
		Name: "key-set-unknown-kty", Provokes: "practice-tool-jwks-formats", Permitted: true,
		Does: "publishes a key of a kty that is yet to come, and then a new one that it signs with",
		Effects: []fault.Effect{publishes(func(_ *Launch, k *keySet) error {
			k.before = append(k.before, futureKey)
			return k.sign(freshKID(k.keys[0]))
		})},
	}, {
		Name: "key-set-same-kid-other-type", Provokes: "practice-tool-jwks-formats", Permitted: true,
		Does: "publishes an EC key under the kid of the signing key, before it",
		Effects: []fault.Effect{publishes(func(_ *Launch, k *keySet) error {
			if err := k.sign(freshKID(k.keys[0])); err != nil {
				return err
			}
			return k.publishEC(k.keys[0].KeyID())
		})},
	}, {
		Name: "key-set-500", Provokes: "sec-tool-jwks-unavailable",
		Does: "signs with a new key while the key set answers 500", Effects: []fault.Effect{publishes(unavailable(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "out of order", http.StatusInternalServerError)
		}))},
	}, {
		Name: "key-set-404", Provokes: "sec-tool-jwks-unavailable",
		Does: "signs with a new key while the key set answers 404", Effects: []fault.Effect{publishes(unavailable(http.NotFound))},
	}, {
		Name: "key-set-html", Provokes: "sec-tool-jwks-unavailable",
		Does: "signs with a new key while the key set answers 200 with a page", Effects: []fault.Effect{publishes(unavailable(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Maintenance</title><p>We will be back soon.</p>")
		}))},
	}, {
		Name: "key-set-empty", Provokes: "sec-tool-jwks-unavailable",
		Does: "signs with a new key while the key set has no keys", Effects: []fault.Effect{publishes(unavailable(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
			_, _ = io.WriteString(w, `{"keys": []}`)
		}))},
	}, {
		Name: "key-set-hangs", Provokes: "sec-tool-jwks-unavailable",
		Does: "signs with a new key while the key set does not answer for a minute", Needs: fault.Patience, Effects: []fault.Effect{publishes(unavailable(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Minute):
			}
		}))},
	}, {
		Name: "key-set-good-again", Provokes: "sec-tool-jwks-unavailable", Permitted: true, Borrows: fault.OtherLaunch,
		Does: "signs with the key of a launch whose key set could not be had, and publishes it",
		Effects: []fault.Effect{publishes(func(l *Launch, k *keySet) error {
			other := l.plan.Other.keySet
			if other == nil {
				return errNoOwnKey
			}
			return k.sign(other.keys[0], nil)
		})},
	},
}

// errNoOwnKey says that a fault was to borrow the key of a launch that had none
// of its own.
var errNoOwnKey = errors.New("the other launch has no key of its own")

// keySet is what the platform publishes, and signs with, while one launch goes on.
type keySet struct {
	keys   []jwk.Key         // published; the first one signs
	before []json.RawMessage // further keys, published before them as they are
	beside jwk.Key           // a key that is not published, or is not the one that signs
	more   map[string]any    // further members of the key set
	plain  bool              // the keys are published without alg
	maxAge string            // what Cache-Control says of them

	// What a platform's defects add: further keys, published after them as they
	// are, and the private members of its own.
	after   []json.RawMessage
	private bool

	// answer, where set, is what a request for the key set gets.
	answer http.HandlerFunc
}

// sign lets a new key sign; the others stay published.
func (k *keySet) sign(key jwk.Key, err error) error {
	if err != nil {
		return err
	}
	k.keys = append([]jwk.Key{key}, k.keys...)
	return nil
}

// publishEC publishes a new EC key under a kid.
func (k *keySet) publishEC(kid string) error {
	key, err := newKey(jwa.ES256)
	if err != nil {
		return err
	}
	if err := key.Set(jwk.KeyIDKey, kid); err != nil {
		return err
	}
	k.beside = key
	return k.publish(key)
}

func (k *keySet) publish(key jwk.Key) error {
	public, err := key.PublicKey()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(public)
	k.before = append(k.before, raw)
	return err
}

// marshal returns the key set as it is published.
func (k *keySet) marshal() ([]byte, error) {
	keys := append([]json.RawMessage{}, k.before...)
	for _, key := range k.keys {
		public, err := key.PublicKey()
		if k.private {
			public, err = key.Clone()
		}
		if err != nil {
			return nil, err
		}
		if k.plain {
			if err := public.Remove(jwk.AlgorithmKey); err != nil {
				return nil, err
			}
		}
		raw, err := json.Marshal(public)
		if err != nil {
			return nil, err
		}
		keys = append(keys, raw)
	}
	set := map[string]any{"keys": append(keys, k.after...)}
	maps.Copy(set, k.more)
	return json.Marshal(set)
}

// freshKID returns the same key under a kid that nobody knows yet.
func freshKID(key jwk.Key) (jwk.Key, error) { return withKID(key, lti.RandomString()) }

// newKey makes a key for an algorithm.
func newKey(alg jwa.SignatureAlgorithm) (jwk.Key, error) {
	var raw any
	var err error
	switch alg {
	case jwa.ES256:
		raw, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwa.EdDSA:
		_, raw, err = ed25519.GenerateKey(rand.Reader)
	default:
		return lti.NewKey()
	}
	if err != nil {
		return nil, err
	}
	key, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, err
	}
	return key, errors.Join(key.Set(jwk.KeyIDKey, lti.RandomString()), key.Set(jwk.AlgorithmKey, alg), key.Set(jwk.KeyUsageKey, jwk.ForSignature))
}

func onlyKey(_ *Launch, k *keySet) error {
	k.keys = k.keys[:1]
	return nil
}

func secondKey(_ *Launch, k *keySet) error {
	other, err := unpublishedKey()
	if err != nil {
		return err
	}
	renamed, err := freshKID(other)
	k.keys = append(k.keys[:1:1], renamed)
	return err
}

// onlyNewKey and twoNewKeys are valid launches after which the tool knows a new key set.
var (
	onlyNewKey = Fault{Name: "only-new-key", Permitted: true, Does: "publishes a new key alone and signs with it", Effects: []fault.Effect{publishes(newKeys(onlyKey))}}
	twoNewKeys = Fault{Name: "two-new-keys", Permitted: true, Does: "publishes two new keys and signs with the first", Effects: []fault.Effect{publishes(newKeys(secondKey))}}
)

// newKeys publishes a new key, which signs, and what comes of the key set then.
func newKeys(then func(*Launch, *keySet) error) func(*Launch, *keySet) error {
	return func(l *Launch, k *keySet) error {
		k.maxAge = "max-age=1"
		other, err := unpublishedKey()
		if err != nil {
			return err
		}
		if err := k.sign(freshKID(other)); err != nil {
			return err
		}
		return then(l, k)
	}
}

// asBefore publishes the key set of the launch before. Without one, as for a platform
// that is judged itself, it is made anew.
func asBefore(anew func(*Launch, *keySet) error) func(*Launch, *keySet) error {
	return func(l *Launch, k *keySet) error {
		switch other := l.plan.Other; {
		case other == nil:
			return anew(l, k)
		case other.keySet == nil:
			return errNoOwnKey
		default:
			*k = *other.keySet
			return nil
		}
	}
}

// ecKeyBeside publishes an EC key, and signs with the platform's own.
func ecKeyBeside(_ *Launch, k *keySet) error { return k.publishEC(lti.RandomString()) }

// withdrawnKey is the key that signed another launch, which is not published
// any more.
func withdrawnKey(l *Launch, k *keySet) error {
	if l.plan.Other.keySet == nil {
		return errNoOwnKey
	}
	k.beside = l.plan.Other.keySet.keys[0]
	return nil
}

// NewKeySigns is a valid launch that is signed with a new key, which is
// published beside the others only while the launch goes on. The key set says
// that it may be kept for a second.
var NewKeySigns = Fault{
	Name: "new-key-signs", Permitted: true, Does: "publishes a new key and signs with it",
	Effects: []fault.Effect{publishes(newKeys(func(*Launch, *keySet) error { return nil }))},
}

func unavailable(answer http.HandlerFunc) func(*Launch, *keySet) error {
	return func(_ *Launch, k *keySet) error {
		k.answer = answer
		return k.sign(freshKID(k.keys[0]))
	}
}

// keyWithoutAlg publishes a new key without alg behind the others.
func keyWithoutAlg(_ *Launch, k *keySet) error {
	for _, key := range k.keys {
		if err := k.publish(key); err != nil {
			return err
		}
	}
	fresh, err := freshKID(k.keys[0])
	k.keys, k.plain = []jwk.Key{fresh}, true
	return err
}

// futureKey is one of a type that no specification knows (RFC 7517, 5).
var futureKey = json.RawMessage(`{"kty":"FUTURE","kid":"future-1","alg":"RS256","use":"sig","q":"` + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("q", 32))) + `"}`)

// keySetWithExtras publishes what a tool has no use for beside a new key.
func keySetWithExtras(_ *Launch, k *keySet) error {
	for _, alg := range []jwa.SignatureAlgorithm{jwa.ES256, jwa.EdDSA} {
		key, err := newKey(alg)
		if err != nil {
			return err
		}
		if err := k.publish(key); err != nil {
			return err
		}
	}
	for _, change := range []func(jwk.Key) error{
		func(key jwk.Key) error {
			return errors.Join(key.Remove(jwk.AlgorithmKey), key.Remove(jwk.KeyUsageKey))
		},
		func(key jwk.Key) error {
			return errors.Join(key.Set(jwk.AlgorithmKey, jwa.RSA_OAEP_256), key.Set(jwk.KeyUsageKey, jwk.ForEncryption))
		},
		func(key jwk.Key) error {
			chain, err := strangerChain()
			return errors.Join(err, key.Set(jwk.X509CertChainKey, chain))
		},
	} {
		other, err := unpublishedKey()
		if err != nil {
			return err
		}
		key, err := freshKID(other)
		if err != nil {
			return err
		}
		if err := change(key); err != nil {
			return err
		}
		if err := k.publish(key); err != nil {
			return err
		}
	}
	k.before = append(k.before, futureKey)
	k.more = map[string]any{"issued_at": 1767225600, "publisher": map[string]any{"name": "Fake platform"}}
	for _, key := range k.keys[1:] {
		if err := k.publish(key); err != nil {
			return err
		}
	}
	own := k.keys[0]
	if err := k.publish(own); err != nil {
		return err
	}
	fresh, err := freshKID(own)
	k.keys = []jwk.Key{fresh}
	return err
}

// One short key and one EC key serve all platforms.
var (
	shortKey = sync.OnceValues(func() (jwk.Key, error) {
		raw, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			return nil, err
		}
		return jwk.FromRaw(raw)
	})
	ecKey = sync.OnceValues(func() (jwk.Key, error) { return newKey(jwa.ES256) })
)

// publicMembers returns the public half of a key, changed.
func publicMembers(made func() (jwk.Key, error), change func(map[string]any)) (json.RawMessage, error) {
	key, err := made()
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(public)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	change(members)
	return json.Marshal(members)
}
