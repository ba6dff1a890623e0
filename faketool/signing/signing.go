// Package signing makes tokens of what a tool says: messages and assertions, in the right
// way and in wrong ones.
package signing

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Lifetime is how long what a tool signs may be used.
const Lifetime = 5 * time.Minute

// Fractional is a NumericDate with a fraction of a second, just before a time (RFC 7519, 2).
func Fractional(at time.Time) float64 { return float64(at.Unix()) - 0.25 }

// StrangerKey is one that nobody trusts. One serves all tools.
var StrangerKey = sync.OnceValues(lti.NewKey)

// A Way makes a token of claims, otherwise than [lti.Sign] does. The key is the one that
// would sign. The right way is nil.
type Way func(claims lti.Claims, key jwk.Key) (string, error)

// Sign makes a token of claims in this way.
func (w Way) Sign(claims lti.Claims, key jwk.Key) (string, error) {
	if w == nil {
		return lti.Sign(claims, key)
	}
	return w(claims, key)
}

// ByStranger signs with the stranger's key, under the kid of the right one.
func ByStranger(claims lti.Claims, key jwk.Key) (string, error) {
	return signAsStranger(claims, key.KeyID(), nil)
}

// ByUnknownKey signs with the stranger's key, under a kid that is published nowhere.
func ByUnknownKey(claims lti.Claims, _ jwk.Key) (string, error) {
	return signAsStranger(claims, lti.RandomString(), nil)
}

// ByEmbeddedKey signs with the stranger's key, which the header holds as jwk.
func ByEmbeddedKey(claims lti.Claims, _ jwk.Key) (string, error) {
	key, err := StrangerKey()
	if err != nil {
		return "", err
	}
	public, err := key.PublicKey()
	if err != nil {
		return "", err
	}
	return signAsStranger(claims, key.KeyID(), map[string]any{jws.JWKKey: public})
}

// ByKeyURL signs with the stranger's key, which is found at the jku of the header.
func ByKeyURL(jku string) Way {
	return func(claims lti.Claims, _ jwk.Key) (string, error) {
		key, err := StrangerKey()
		if err != nil {
			return "", err
		}
		return signAsStranger(claims, key.KeyID(), map[string]any{jws.JWKSetURLKey: jku})
	}
}

func signAsStranger(claims lti.Claims, kid string, header map[string]any) (string, error) {
	key, err := StrangerKey()
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

// Unsigned leaves the signature out and says so.
func Unsigned(claims lti.Claims, key jwk.Key) (string, error) {
	header, err := encodePart(map[string]any{"alg": jwa.NoSignature.String(), "typ": "JWT", "kid": key.KeyID()})
	if err != nil {
		return "", err
	}
	payload, err := encodePart(claims)
	return header + "." + payload + ".", err
}

// ByPublicKey signs with HS256 and takes the PEM of the public key for the secret.
func ByPublicKey(claims lti.Claims, key jwk.Key) (string, error) {
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

// Nothing is no token at all.
func Nothing(lti.Claims, jwk.Key) (string, error) { return "abc", nil }

// ChangedAfter changes one character of a claim after the token was signed.
func ChangedAfter(name string) Way {
	return func(claims lti.Claims, key jwk.Key) (string, error) {
		token, err := lti.Sign(claims, key)
		if err != nil {
			return "", err
		}
		changed := lti.Claims{}
		for claim, value := range claims {
			changed[claim] = value
			if claim == name {
				changed[claim] = fault.Alter(fmt.Sprint(value))
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

// WithoutKID signs with the right key and does not name it.
func WithoutKID(claims lti.Claims, key jwk.Key) (string, error) {
	nameless, err := key.Clone()
	if err != nil {
		return "", err
	}
	if err := nameless.Remove(jwk.KeyIDKey); err != nil {
		return "", err
	}
	return lti.Sign(claims, nameless)
}

// WithEmbeddedKey signs with the right key, which the header holds as jwk.
func WithEmbeddedKey(claims lti.Claims, key jwk.Key) (string, error) {
	public, err := key.PublicKey()
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return lti.SignPayload(payload, key, map[string]any{jws.JWKKey: public})
}

// AlteredToken is an access token that says something else: a JWT with one more claim
// under the old signature, or another text with one character changed.
func AlteredToken(token string) string {
	parts := strings.Split(token, ".")
	if _, claims, err := lti.Decode(token); err == nil && len(parts) == 3 {
		var members map[string]json.RawMessage
		if json.Unmarshal(claims, &members) == nil {
			members["altered"] = json.RawMessage("true")
			if payload, err := json.Marshal(members); err == nil {
				return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
			}
		}
	}
	return fault.Alter(token)
}
