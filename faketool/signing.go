package faketool

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/lti"
)

// strangerKeysPath is where the stranger's key set is, for a header that leads there.
const strangerKeysPath = "/stranger/jwks"

// strangerKey is one that nobody trusts. One serves all tools.
var strangerKey = sync.OnceValues(lti.NewKey)

// AddKey gives the tool another key. It is published at once, and signs from now
// on; the ones before stay published. To withdraw it is to publish and use it no
// more.
func (t *Tool) AddKey() (withdraw func(), err error) {
	key, err := lti.NewKey()
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = append(t.keys, key)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.keys = slices.DeleteFunc(t.keys, func(k jwk.Key) bool { return k == key })
	}, nil
}

// signingKey returns the key that signs.
func (t *Tool) signingKey() jwk.Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keys[len(t.keys)-1]
}

// A signing makes a token of claims, otherwise than [lti.Sign] does. Messages
// and assertions share them. The key is the one that would sign.
type signing func(t *Tool, claims lti.Claims, key jwk.Key) (string, error)

// sign makes a token of claims, in the right way where how is nil.
func (t *Tool) sign(claims lti.Claims, key jwk.Key, how signing) (string, error) {
	if key == nil {
		key = t.signingKey()
	}
	if how == nil {
		return lti.Sign(claims, key)
	}
	return how(t, claims, key)
}

// byStranger signs with the stranger's key, under the kid of the right one.
func byStranger(_ *Tool, claims lti.Claims, key jwk.Key) (string, error) {
	return signAsStranger(claims, key.KeyID(), nil)
}

// byUnknownKey signs with the stranger's key, under a kid that is published nowhere.
func byUnknownKey(_ *Tool, claims lti.Claims, _ jwk.Key) (string, error) {
	return signAsStranger(claims, lti.RandomString(), nil)
}

// byEmbeddedKey signs with the stranger's key, which the header holds as jwk.
func byEmbeddedKey(_ *Tool, claims lti.Claims, _ jwk.Key) (string, error) {
	key, err := strangerKey()
	if err != nil {
		return "", err
	}
	public, err := key.PublicKey()
	if err != nil {
		return "", err
	}
	return signAsStranger(claims, key.KeyID(), map[string]any{jws.JWKKey: public})
}

// byKeyURL signs with the stranger's key, which is found at the jku of the header.
func byKeyURL(t *Tool, claims lti.Claims, _ jwk.Key) (string, error) {
	key, err := strangerKey()
	if err != nil {
		return "", err
	}
	return signAsStranger(claims, key.KeyID(), map[string]any{jws.JWKSetURLKey: t.opts.URL + strangerKeysPath})
}

func signAsStranger(claims lti.Claims, kid string, header map[string]any) (string, error) {
	key, err := strangerKey()
	if err != nil {
		return "", err
	}
	renamed, err := key.Clone()
	if err != nil {
		return "", err
	}
	if err := renamed.Set(jwk.KeyIDKey, kid); err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return lti.SignPayload(payload, renamed, header)
}

// unsigned leaves the signature out and says so.
func unsigned(_ *Tool, claims lti.Claims, key jwk.Key) (string, error) {
	header, err := encodePart(map[string]any{"alg": jwa.NoSignature.String(), "typ": "JWT", "kid": key.KeyID()})
	if err != nil {
		return "", err
	}
	payload, err := encodePart(claims)
	return header + "." + payload + ".", err
}

// byPublicKey signs with HS256 and takes the PEM of the public key for the secret.
func byPublicKey(_ *Tool, claims lti.Claims, key jwk.Key) (string, error) {
	public, err := key.PublicKey()
	if err != nil {
		return "", err
	}
	secret, err := jwk.Pem(public)
	if err != nil {
		return "", err
	}
	symmetric, err := jwk.FromRaw(secret)
	if err != nil {
		return "", err
	}
	for name, value := range map[string]any{jwk.KeyIDKey: key.KeyID(), jwk.AlgorithmKey: jwa.HS256} {
		if err := symmetric.Set(name, value); err != nil {
			return "", err
		}
	}
	return lti.Sign(claims, symmetric)
}

// nothing is no token at all.
func nothing(*Tool, lti.Claims, jwk.Key) (string, error) { return "abc", nil }

// changedAfter changes one character of a claim after the token was signed.
func changedAfter(name string) signing {
	return func(_ *Tool, claims lti.Claims, key jwk.Key) (string, error) {
		token, err := lti.Sign(claims, key)
		if err != nil {
			return "", err
		}
		changed := lti.Claims{}
		for claim, value := range claims {
			changed[claim] = value
			if claim == name {
				changed[claim] = alter(fmt.Sprint(value))
			}
		}
		payload, err := encodePart(changed)
		parts := strings.Split(token, ".")
		return parts[0] + "." + payload + "." + parts[2], err
	}
}

// encodePart makes a part of a JWS.
func encodePart(part any) (string, error) {
	raw, err := json.Marshal(part)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

func serveStrangerKeys(w http.ResponseWriter, _ *http.Request) {
	key, err := strangerKey()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	set, err := lti.PublicSet(key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	_ = json.NewEncoder(w).Encode(set)
}
