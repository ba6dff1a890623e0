package fakeplatform

import (
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// signatureFaults are those of the token around its claims: its parts, its
// header, its signature.
var signatureFaults = slices.Concat([]Fault{
	{
		Name: "claim-changed-after-signing", Provokes: "sec-tool-signature-tampered",
		Does: "names another user after the token was signed",
		Effects: []fault.Effect{signs(func(d *draft) (string, error) {
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
		})},
	}, {
		Name: "signature-last-byte-changed", Provokes: "sec-tool-signature-tampered",
		Proves:  "sec-id-token-signature",
		Does:    "changes the last byte of the signature",
		Effects: []fault.Effect{signs(changeSignature(flipLastByte))},
	}, {
		Name: "signature-empty", Provokes: "sec-tool-signature-tampered",
		Proves:  "sec-id-token-signature",
		Does:    "cuts the signature off",
		Effects: []fault.Effect{signs(changeSignature(func([]byte) []byte { return nil }))},
	}, {
		Name: "signed-by-unpublished-key", Provokes: "sec-tool-signature-wrong-key",
		Proves:  "sec-id-token-signature",
		Does:    "signs with a key that was never published, under the kid of the published one",
		Effects: []fault.Effect{signs(signAsUnpublished)},
	}},
	algNoneFaults(),
	hmacFaults,
	[]Fault{{
		Name: "kid-unknown", Provokes: "cert-tool-kid-unknown",
		Proves:  "sec-id-token-signature",
		Does:    "signs with the right key, but names a kid that the key set lacks",
		Effects: []fault.Effect{signs(func(d *draft) (string, error) { return signAs(d.claims, d.key, part.Alter(d.key.KeyID())) })},
	}, {
		Name: "kid-missing-one-key", Provokes: "cert-tool-kid-missing",
		Proves: "sec-id-token-signature",
		Does:   "signs with the only key of the key set, but names none", After: &onlyNewKey, Effects: []fault.Effect{signs(signWithoutKID), publishes(asBefore(onlyKey))},
	}, {
		Name: "kid-missing-two-keys", Provokes: "cert-tool-kid-missing",
		Does: "signs with the first of two keys, but names none", After: &twoNewKeys, Effects: []fault.Effect{signs(signWithoutKID), publishes(asBefore(secondKey))},
	}, {
		Name: "embedded-jwk", Provokes: "sec-tool-embedded-key-not-trusted",
		Proves: "sec-id-token-signature",
		Does:   "signs with a stranger's key, which the header holds as jwk",
		Effects: []fault.Effect{signs(signAsStranger(func(*draft) (string, any, error) {
			key, err := unpublishedKey()
			if err != nil {
				return "", nil, err
			}
			public, err := key.PublicKey()
			return jws.JWKKey, public, err
		}))},
	}, {
		Name: "foreign-jku", Provokes: "sec-tool-embedded-key-not-trusted",
		Proves: "sec-id-token-signature",
		Does:   "signs with a stranger's key, which is found at the jku of the header",
		Effects: []fault.Effect{signs(signAsStranger(func(d *draft) (string, any, error) {
			return jws.JWKSetURLKey, d.launch.platform.strangerKeysURL(), nil
		}))},
	}, {
		Name: "foreign-x5u", Provokes: "sec-tool-embedded-key-not-trusted",
		Does: "signs with a stranger's key, whose certificate is found at the x5u of the header",
		Effects: []fault.Effect{signs(signAsStranger(func(d *draft) (string, any, error) {
			return jws.X509URLKey, d.launch.platform.strangerCertificateURL(), nil
		}))},
	}, {
		Name: "embedded-x5c", Provokes: "sec-tool-embedded-key-not-trusted",
		Does: "signs with a stranger's key, whose certificate the header holds as x5c",
		Effects: []fault.Effect{signs(signAsStranger(func(*draft) (string, any, error) {
			chain, err := strangerChain()
			return jws.X509CertChainKey, chain, err
		}))},
	}, {
		Name: "crit-unknown-extension", Provokes: "rfc7515-tool-crit-header",
		Does: "names an extension as critical in the header that nobody knows",
		Effects: []fault.Effect{signs(func(d *draft) (string, error) {
			return signWithHeader(d.claims, d.key, map[string]any{jws.CriticalKey: []string{"exp-x"}, "exp-x": 1})
		})},
	}, {
		Name: "rs256-over-ec-kid", Provokes: "sec11-tool-approved-algorithms",
		Does: "signs with RS256 and names the kid of an EC key", Effects: []fault.Effect{signs(func(d *draft) (string, error) { return signAs(d.claims, d.key, d.launch.keySet.beside.KeyID()) }), publishes(ecKeyBeside)},
	}, {
		Name: "token-empty", Provokes: "practice-tool-malformed-token",
		Does: "sends an empty id_token", Effects: []fault.Effect{signs(malformed(func(string) string { return "" }))},
	}, {
		Name: "token-not-a-jwt", Provokes: "practice-tool-malformed-token",
		Does: "sends the id_token abc", Effects: []fault.Effect{signs(malformed(func(string) string { return "abc" }))},
	}, {
		Name: "token-two-parts", Provokes: "practice-tool-malformed-token",
		Does:    "cuts the signature off with its dot",
		Effects: []fault.Effect{signs(malformed(func(token string) string { return token[:strings.LastIndexByte(token, '.')] }))},
	}, {
		Name: "token-five-parts", Provokes: "practice-tool-malformed-token",
		Does:    "adds two parts to the token, as an encrypted one has",
		Effects: []fault.Effect{signs(malformed(func(token string) string { return token + ".e30.e30" }))},
	}, {
		Name: "token-bad-base64url", Provokes: "practice-tool-malformed-token",
		Does:    "puts characters into the payload that are not base64url",
		Effects: []fault.Effect{signs(malformed(func(token string) string { return strings.Replace(token, ".", ".%&!", 1) }))},
	}, {
		Name: "token-payload-array", Provokes: "practice-tool-malformed-token",
		Does:    "sends a well signed token whose payload is an array",
		Effects: []fault.Effect{signs(func(d *draft) (string, error) { return lti.SignPayload([]byte(`["badltilaunch"]`), d.key, nil) })},
	}, {
		Name: "header-empty", Provokes: "cert-tool-not-an-lti-message",
		Does:    "sends a token with an empty header that says no more than name badltilaunch, as the certification suite does",
		Effects: []fault.Effect{signs(malformed(func(string) string { return "e30.eyJuYW1lIjoiYmFkbHRpbGF1bmNoIn0." }))},
	}, {
		Name: "return-url-bad-signature", Provokes: "practice-tool-return-url-unverified",
		Does: "sends a token with a bad signature and a return_url at a stranger's site", Effects: []fault.Effect{says(returnToStranger), signs(changeSignature(flipLastByte))},
	}},
	otherAlgorithms(jwa.RS384, jwa.RS512, jwa.ES256, jwa.PS256, jwa.EdDSA),
)
