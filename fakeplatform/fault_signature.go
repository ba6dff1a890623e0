package fakeplatform

import (
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// signatureFaults are those of the token around its claims: its parts, its
// header, its signature.
var signatureFaults = slices.Concat([]Fault{
	{
		Name: "claim-changed-after-signing", Provokes: "sec-tool-signature-tampered",
		Does: "names another user after the token was signed",
		sign: func(d *draft) (string, error) {
			token, err := lti.Sign(d.claims, d.key)
			if err != nil {
				return "", err
			}
			d.claims["sub"] = part.Alter(d.launch.plan.User.Sub)
			payload, err := encodePart(d.claims)
			if err != nil {
				return "", err
			}
			parts := strings.Split(token, ".")
			return parts[0] + "." + payload + "." + parts[2], nil
		},
	}, {
		Name: "signature-last-byte-changed", Provokes: "sec-tool-signature-tampered",
		Proves: "sec-id-token-signature",
		Does:   "changes the last byte of the signature",
		sign:   changeSignature(flipLastByte),
	}, {
		Name: "signature-empty", Provokes: "sec-tool-signature-tampered",
		Proves: "sec-id-token-signature",
		Does:   "cuts the signature off",
		sign:   changeSignature(func([]byte) []byte { return nil }),
	}, {
		Name: "signed-by-unpublished-key", Provokes: "sec-tool-signature-wrong-key",
		Proves: "sec-id-token-signature",
		Does:   "signs with a key that was never published, under the kid of the published one",
		sign:   signAsUnpublished,
	}},
	algNoneFaults(),
	[]Fault{
		hmacFault("hs256-public-key-pem", "PEM", jwa.HS256, publicPEM),
		hmacFault("hs256-public-key-pem-crlf", "PEM with CRLF line ends", jwa.HS256, publicPEMWithCRLF),
		hmacFault("hs256-public-key-pem-trimmed", "PEM without its last line end", jwa.HS256, publicPEMTrimmed),
		hmacFault("hs256-public-key-modulus", "its n alone", jwa.HS256, publicModulus),
		hmacFault("hs256-public-key-pkcs1-pem", "PKCS #1 PEM", jwa.HS256, publicPKCS1PEM),
		hmacFault("hs256-public-key-der", "DER", jwa.HS256, publicDER),
		hmacFault("hs256-public-key-jwk", "JWK", jwa.HS256, publicJWK),
		hmacFault("hs384-public-key-pem", "PEM", jwa.HS384, publicPEM),
		hmacFault("hs512-public-key-pem", "PEM", jwa.HS512, publicPEM),
	},
	[]Fault{{
		Name: "kid-unknown", Provokes: "cert-tool-kid-unknown",
		Proves: "sec-id-token-signature",
		Does:   "signs with the right key, but names a kid that the key set lacks",
		sign:   func(d *draft) (string, error) { return signAs(d.claims, d.key, part.Alter(d.key.KeyID())) },
	}, {
		Name: "kid-missing-one-key", Provokes: "cert-tool-kid-missing",
		Proves: "sec-id-token-signature",
		Does:   "signs with the only key of the key set, but names none", After: &onlyNewKey, keySet: asBefore(onlyKey), sign: signWithoutKID,
	}, {
		Name: "kid-missing-two-keys", Provokes: "cert-tool-kid-missing",
		Does: "signs with the first of two keys, but names none", After: &twoNewKeys, keySet: asBefore(secondKey), sign: signWithoutKID,
	}, {
		Name: "embedded-jwk", Provokes: "sec-tool-embedded-key-not-trusted",
		Proves: "sec-id-token-signature",
		Does:   "signs with a stranger's key, which the header holds as jwk",
		sign: signAsStranger(func(*draft) (string, any, error) {
			key, err := unpublishedKey()
			if err != nil {
				return "", nil, err
			}
			public, err := key.PublicKey()
			return jws.JWKKey, public, err
		}),
	}, {
		Name: "foreign-jku", Provokes: "sec-tool-embedded-key-not-trusted",
		Proves: "sec-id-token-signature",
		Does:   "signs with a stranger's key, which is found at the jku of the header",
		sign: signAsStranger(func(d *draft) (string, any, error) {
			return jws.JWKSetURLKey, d.launch.platform.strangerKeysURL(), nil
		}),
	}, {
		Name: "foreign-x5u", Provokes: "sec-tool-embedded-key-not-trusted",
		Does: "signs with a stranger's key, whose certificate is found at the x5u of the header",
		sign: signAsStranger(func(d *draft) (string, any, error) {
			return jws.X509URLKey, d.launch.platform.strangerCertificateURL(), nil
		}),
	}, {
		Name: "embedded-x5c", Provokes: "sec-tool-embedded-key-not-trusted",
		Does: "signs with a stranger's key, whose certificate the header holds as x5c",
		sign: signAsStranger(func(*draft) (string, any, error) {
			chain, err := strangerChain()
			return jws.X509CertChainKey, chain, err
		}),
	}, {
		Name: "crit-unknown-extension", Provokes: "rfc7515-tool-crit-header",
		Does: "names an extension as critical in the header that nobody knows",
		sign: func(d *draft) (string, error) {
			return signWithHeader(d.claims, d.key, map[string]any{jws.CriticalKey: []string{"exp-x"}, "exp-x": 1})
		},
	}, {
		Name: "rs256-over-ec-kid", Provokes: "sec11-tool-approved-algorithms",
		Does: "signs with RS256 and names the kid of an EC key", keySet: ecKeyBeside,
		sign: func(d *draft) (string, error) { return signAs(d.claims, d.key, d.launch.keySet.beside.KeyID()) },
	}, {
		Name: "token-empty", Provokes: "practice-tool-malformed-token",
		Does: "sends an empty id_token", sign: malformed(func(string) string { return "" }),
	}, {
		Name: "token-not-a-jwt", Provokes: "practice-tool-malformed-token",
		Does: "sends the id_token abc", sign: malformed(func(string) string { return "abc" }),
	}, {
		Name: "token-two-parts", Provokes: "practice-tool-malformed-token",
		Does: "cuts the signature off with its dot",
		sign: malformed(func(token string) string { return token[:strings.LastIndexByte(token, '.')] }),
	}, {
		Name: "token-five-parts", Provokes: "practice-tool-malformed-token",
		Does: "adds two parts to the token, as an encrypted one has",
		sign: malformed(func(token string) string { return token + ".e30.e30" }),
	}, {
		Name: "token-bad-base64url", Provokes: "practice-tool-malformed-token",
		Does: "puts characters into the payload that are not base64url",
		sign: malformed(func(token string) string { return strings.Replace(token, ".", ".%&!", 1) }),
	}, {
		Name: "token-payload-array", Provokes: "practice-tool-malformed-token",
		Does: "sends a well signed token whose payload is an array",
		sign: func(d *draft) (string, error) { return lti.SignPayload([]byte(`["badltilaunch"]`), d.key, nil) },
	}, {
		Name: "header-empty", Provokes: "cert-tool-not-an-lti-message",
		Does: "sends a token with an empty header that says no more than name badltilaunch, as the certification suite does",
		sign: malformed(func(string) string { return "e30.eyJuYW1lIjoiYmFkbHRpbGF1bmNoIn0." }),
	}, {
		Name: "return-url-bad-signature", Provokes: "practice-tool-return-url-unverified",
		Does: "sends a token with a bad signature and a return_url at a stranger's site", claims: returnToStranger,
		sign: changeSignature(flipLastByte),
	}},
	otherAlgorithms(jwa.RS384, jwa.RS512, jwa.ES256, jwa.PS256, jwa.EdDSA),
)
