package fakeplatform

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator/lti"
)

// unpublishedKey is an attacker's key. One serves all platforms: nobody trusts it.
var unpublishedKey = sync.OnceValues(lti.NewKey)

// signAs signs with a key, but names another kid in the header.
func signAs(claims lti.Claims, key jwk.Key, kid string) (string, error) {
	renamed, err := key.Clone()
	if err != nil {
		return "", fmt.Errorf("copy a key: %w", err)
	}
	if err := renamed.Set(jwk.KeyIDKey, kid); err != nil {
		return "", fmt.Errorf("rename a key: %w", err)
	}
	return lti.Sign(claims, renamed)
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
				Name: spelling.name, Provokes: "sec-tool-alg-none",
				Does: "sends a token with " + spelling.says + " in its header and no signature",
				sign: func(d *draft) (string, error) { return unsigned(d, spelling.alg, keeps) },
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

// hmacFault takes the public key, which everybody knows, for the secret of an
// HMAC, in the form in which a careless tool would hold it.
func hmacFault(name, form string, alg jwa.SignatureAlgorithm, secret func(jwk.Key) ([]byte, error)) Fault {
	return Fault{
		Name: name, Provokes: "cert-tool-alg-hmac-confusion",
		Does: fmt.Sprintf("signs with %s and the platform's public key (%s) as the secret", alg, form),
		sign: func(d *draft) (string, error) {
			public, err := d.key.PublicKey()
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
			for name, value := range map[string]any{jws.TypeKey: "JWT", jws.KeyIDKey: d.key.KeyID()} {
				if err := header.Set(name, value); err != nil {
					return "", err
				}
			}
			token, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(header)))
			return string(token), err
		},
	}
}

func publicPEM(key jwk.Key) ([]byte, error) { return jwk.Pem(key) }

func publicPEMWithCRLF(key jwk.Key) ([]byte, error) {
	text, err := jwk.Pem(key)
	return []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), err
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
