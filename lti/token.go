package lti

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Claims are the members of a JWT's payload, by name.
type Claims map[string]any

// Sign returns the claims as a compact JWS, signed as [SignPayload] does.
func Sign(claims Claims, key jwk.Key) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	return SignPayload(payload, key, nil)
}

// SignPayload returns a payload as a compact JWS, signed with the key's
// algorithm. The protected header names the key by its kid (Security Framework
// 1.0, 6.3); it holds the further members, too.
func SignPayload(payload []byte, key jwk.Key, header map[string]any) (string, error) {
	protected := jws.NewHeaders()
	if err := protected.Set(jws.TypeKey, "JWT"); err != nil {
		return "", err
	}
	for name, value := range header {
		if err := protected.Set(name, value); err != nil {
			return "", fmt.Errorf("header %s: %w", name, err)
		}
	}
	if key.KeyID() != "" { // jwx writes that of a JWK itself, which a prepared key is not
		if err := protected.Set(jws.KeyIDKey, key.KeyID()); err != nil {
			return "", fmt.Errorf("header %s: %w", jws.KeyIDKey, err)
		}
	}
	by, err := prepared(key)
	if err != nil {
		return "", fmt.Errorf("key %s: %w", key.KeyID(), err)
	}
	token, err := jws.Sign(payload, jws.WithKey(key.Algorithm(), by, jws.WithProtectedHeaders(protected)))
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", key.KeyID(), err)
	}
	return string(token), nil
}

// Decode returns header and claims of a compact JWS as JSON, without checking
// anything: it is for showing what crossed the wire, never for trusting it.
// Whatever could be decoded is returned along with the error.
func Decode(token string) (header, claims json.RawMessage, err error) {
	parts := strings.Split(token, ".")
	var errs []error
	part := func(i int, name string) json.RawMessage {
		if i >= len(parts) {
			errs = append(errs, fmt.Errorf("no %s", name))
			return nil
		}
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is not base64url: %w", name, err))
			return nil
		}
		if !json.Valid(raw) {
			errs = append(errs, fmt.Errorf("%s is not JSON", name))
			return nil
		}
		return raw
	}
	header, claims = part(0, "header"), part(1, "payload")
	if len(parts) != 3 {
		errs = append(errs, fmt.Errorf("%d parts instead of 3", len(parts)))
	}
	return header, claims, errors.Join(errs...)
}
