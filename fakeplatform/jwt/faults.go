package jwt

import (
	"encoding/json"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fault"
)

// What faults make of signatures, and of which JWTs they make a difference.

// Trusts takes a signature that is not the tool's where when says so and, of a platform that
// has the fault, is says so, too: that may fetch keys.
func Trusts(kind Kind, when, is func(Verification) bool) fault.Effect {
	return Verified.ChangeWhen(func(v Verification) bool {
		return v.Wrong != nil && v.Kind == kind && when(v)
	}, func(v Verification) Verification {
		if is(v) {
			v.Wrong = nil
		}
		return v
	})
}

// FetchesOnce fetches a tool's key set once.
var FetchesOnce = fetchedAgain.Take(false, nil)

// VerifiesByIssuer verifies a JWT by the keys of the tool that it says it is from.
func VerifiesByIssuer(kind Kind) fault.Effect {
	return Verified.ChangeWhen(func(v Verification) bool {
		iss := v.Token.Text("iss")
		_, known := v.Keys.Tools()[iss]
		return v.Kind == kind && iss != v.ClientID && known
	}, func(v Verification) Verification {
		v.Wrong = v.Keys.verify(v, v.Token, v.Keys.Tools()[v.Token.Text("iss")])
		return v
	})
}

// Readable says whether the JWT has claims.
func Readable(v Verification) bool { return v.Token.Claims != nil }

// WithoutAlg says whether the JWT claims to need no signature, and WithHMAC whether it has one
// that is symmetric.
func WithoutAlg(v Verification) bool { return strings.EqualFold(v.Token.Named("alg"), "none") }

// WithHMAC says whether the signature is a symmetric one.
func WithHMAC(v Verification) bool { return v.Token.Named("alg") == jwa.HS256.String() }

// Signed says whether a JWT is signed as its header says. Without alg or with a symmetric one
// other faults look at it.
func Signed(v Verification) bool { return !WithoutAlg(v) && !WithHMAC(v) }

// FitsPublicKey says whether the signature is an HMAC keyed with the PEM text of a key of the
// tool.
func FitsPublicKey(v Verification) bool {
	set, err := v.Keys.fetch(v, v.Keys.Tools()[v.ClientID])
	if err != nil {
		return false
	}
	for i := range set.Len() {
		key, _ := set.Key(i)
		secret, err := jwk.Pem(key)
		if err != nil {
			continue
		}
		if _, err := jws.Verify([]byte(v.Token.Compact), jws.WithKey(jwa.HS256, secret)); err == nil {
			return true
		}
	}
	return false
}

// verifies says whether the signature is one of a key set: of the key that is named, or of the
// first one.
func (t Token) verifies(set jwk.Set) bool {
	key, there := set.Key(0)
	if named, ok := set.LookupKeyID(t.Named("kid")); ok {
		key, there = named, true
	}
	return there && t.verifiesWith(key)
}

// WithOwnKey says whether the header brings the key that the JWT is signed with.
func WithOwnKey(v Verification) bool {
	member, sent := v.Token.Header["jwk"].(map[string]any)
	if !sent || !Signed(v) {
		return false
	}
	raw, _ := json.Marshal(map[string]any{"keys": []any{member}}) // has come as JSON
	set, err := jwk.Parse(raw)
	return err == nil && v.Token.verifies(set)
}

// WithKeyURL says whether the header points to a key set.
func WithKeyURL(v Verification) bool { return v.Token.Named("jku") != "" && Signed(v) }

// OfKeyURL says whether the JWT is signed with a key that its header points to.
func OfKeyURL(v Verification) bool {
	set, err := v.Keys.fetch(v, v.Token.Named("jku"))
	return err == nil && v.Token.verifies(set)
}

// OfOtherTool says whether the JWT is signed by another tool.
func OfOtherTool(v Verification) bool {
	tools := v.Keys.Tools()
	for _, address := range tools {
		if address == "" || address == tools[v.ClientID] {
			continue
		}
		if key, err := v.Keys.key(v, address, v.Token.Named("kid")); err == nil && v.Token.verifiesWith(key) {
			return true
		}
	}
	return false
}
