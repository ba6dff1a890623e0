package lti_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/lti"
)

// Keys are costly to make; the tests share these.
var (
	sharedKey = sync.OnceValues(lti.NewKey)
	otherKey  = sync.OnceValues(lti.NewKey)
)

func keys(t *testing.T) (key, other jwk.Key) {
	t.Helper()
	g := NewWithT(t)
	key, err := sharedKey()
	g.Expect(err).NotTo(HaveOccurred())
	other, err = otherKey()
	g.Expect(err).NotTo(HaveOccurred())
	return key, other
}

func TestNewKeyIsForRS256(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, other := keys(t)
	g.Expect(key.KeyType()).To(Equal(jwa.RSA))
	g.Expect(key.Algorithm()).To(Equal(jwa.KeyAlgorithm(jwa.RS256)))
	g.Expect(key.KeyUsage()).To(Equal("sig"))
	g.Expect(key.KeyID()).NotTo(BeEmpty())
	g.Expect(key.KeyID()).NotTo(Equal(other.KeyID()))
	private, ok := key.(jwk.RSAPrivateKey)
	g.Expect(ok).To(BeTrue())
	g.Expect(len(private.N())*8).To(BeNumerically(">=", 2048), "RFC 7518, 3.3")
}

func TestPublicSetHoldsPublicMembersOnly(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, other := keys(t)
	set, err := lti.PublicSet(key, other)
	g.Expect(err).NotTo(HaveOccurred())
	body, err := json.Marshal(set)
	g.Expect(err).NotTo(HaveOccurred())

	var published struct{ Keys []map[string]string }
	g.Expect(json.Unmarshal(body, &published)).To(Succeed())
	g.Expect(published.Keys).To(HaveLen(2))
	for i, k := range []jwk.Key{key, other} {
		g.Expect(published.Keys[i]).To(HaveLen(6), "nothing else, no d, p, q, dp, dq or qi above all")
		g.Expect(published.Keys[i]).To(And(
			HaveKeyWithValue("kty", "RSA"), HaveKeyWithValue("alg", "RS256"), HaveKeyWithValue("use", "sig"),
			HaveKeyWithValue("kid", k.KeyID()), HaveKey("n"), HaveKeyWithValue("e", "AQAB"),
		))
	}
}

func TestPublicSetOfNoKeysIsEmpty(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	set, err := lti.PublicSet()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Marshal(set)).To(MatchJSON(`{"keys": []}`))
}

func TestSignVerifiesAgainstThePublicSet(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, other := keys(t)
	token, err := lti.Sign(lti.Claims{"sub": "user-1", lti.ClaimVersion: lti.Version}, key)
	g.Expect(err).NotTo(HaveOccurred())

	verify := func(keys ...jwk.Key) ([]byte, error) {
		set, err := lti.PublicSet(keys...)
		g.Expect(err).NotTo(HaveOccurred())
		return jws.Verify([]byte(token), jws.WithKeySet(set)) // by kid and alg
	}
	g.Expect(verify(other, key)).To(MatchJSON(`{"sub": "user-1", "` + lti.ClaimVersion + `": "1.3.0"}`))
	_, err = verify(other)
	g.Expect(err).To(HaveOccurred())

	header, claims, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(header).To(MatchJSON(`{"alg": "RS256", "typ": "JWT", "kid": "` + key.KeyID() + `"}`))
	g.Expect(claims).To(MatchJSON(`{"sub": "user-1", "` + lti.ClaimVersion + `": "1.3.0"}`))
}

func TestSignPayloadSignsAnyBytesAndFurtherHeaders(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, other := keys(t)
	for _, payload := range []string{`["no claims"]`, `{"name": "\u5c71 山"}`, "no JSON", ""} {
		token, err := lti.SignPayload([]byte(payload), key, nil)
		g.Expect(err).NotTo(HaveOccurred())
		public, err := key.PublicKey()
		g.Expect(err).NotTo(HaveOccurred())
		verified, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, public))
		g.Expect(err).NotTo(HaveOccurred(), payload)
		g.Expect(string(verified)).To(Equal(payload), "byte for byte")
	}

	token, err := lti.SignPayload([]byte("{}"), key, map[string]any{"jku": "https://keys.example/jwks", "crit": []string{"x"}, "x": 1})
	g.Expect(err).NotTo(HaveOccurred())
	header, _, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(header).To(MatchJSON(`{
		"alg": "RS256", "typ": "JWT", "kid": "` + key.KeyID() + `", "jku": "https://keys.example/jwks", "crit": ["x"], "x": 1
	}`))
	nameless, err := other.Clone()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(nameless.Remove(jwk.KeyIDKey)).To(Succeed())
	token, err = lti.SignPayload([]byte("{}"), nameless, map[string]any{"typ": "at+jwt"})
	g.Expect(err).NotTo(HaveOccurred())
	header, _, err = lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(header).To(MatchJSON(`{"alg": "RS256", "typ": "at+jwt"}`), "a key without kid is not named")

	_, err = lti.SignPayload([]byte("{}"), key, map[string]any{"jku": 1})
	g.Expect(err).To(MatchError(ContainSubstring("header jku")))
}

func TestSignUsesTheAlgorithmOfTheKey(t *testing.T) {
	t.Parallel()
	rsaKey, _ := keys(t)
	ecRaw, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	_, edRaw, err := ed25519.GenerateKey(rand.Reader)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	made := func(raw any) jwk.Key {
		key, err := jwk.FromRaw(raw)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return key
	}
	for alg, key := range map[jwa.SignatureAlgorithm]jwk.Key{
		jwa.RS256: rsaKey, jwa.RS384: rsaKey, jwa.RS512: rsaKey, jwa.PS256: rsaKey, jwa.ES256: made(ecRaw), jwa.EdDSA: made(edRaw),
	} {
		t.Run(alg.String(), func(t *testing.T) {
			g := NewWithT(t)
			key, err := key.Clone()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(key.Set(jwk.AlgorithmKey, alg)).To(Succeed())
			g.Expect(key.Set(jwk.KeyIDKey, "key-1")).To(Succeed())
			token, err := lti.Sign(lti.Claims{"sub": "user-1"}, key)
			g.Expect(err).NotTo(HaveOccurred())
			header, _, err := lti.Decode(token)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(header).To(MatchJSON(`{"alg": "` + alg.String() + `", "typ": "JWT", "kid": "key-1"}`))
			set, err := lti.PublicSet(key)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(jws.Verify([]byte(token), jws.WithKeySet(set))).To(MatchJSON(`{"sub": "user-1"}`))
		})
	}
	t.Run("none", func(t *testing.T) {
		key, err := rsaKey.Clone()
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(key.Remove(jwk.AlgorithmKey)).To(Succeed())
		_, err = lti.Sign(lti.Claims{}, key)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(key.KeyID())))
	})
}

func TestSignNeedsClaimsThatAreJSONAndAPrivateKey(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, _ := keys(t)
	_, err := lti.Sign(lti.Claims{"sub": func() {}}, key)
	g.Expect(err).To(MatchError(ContainSubstring("encode claims")))
	public, err := key.PublicKey()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = lti.Sign(lti.Claims{}, public)
	g.Expect(err).To(MatchError(ContainSubstring(key.KeyID())))
}

func TestDecodeReturnsWhatCanBeReadAlongWithTheError(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	header, claims := encode([]byte(`{"alg":"none"}`)), encode([]byte(`{"sub":"ü?>"}`))
	for name, c := range map[string]struct {
		token         string
		header        bool // it is returned
		claims        bool
		errorContains string // no error when empty
	}{
		"three parts":                {header + "." + claims + ".c2ln", true, true, ""},
		"no signature":               {header + "." + claims + ".", true, true, ""},
		"a signature of any kind":    {header + "." + claims + ".!", true, true, ""},
		"nothing":                    {"", false, false, "no payload"},
		"header alone":               {header, true, false, "no payload"},
		"two parts":                  {header + "." + claims, true, true, "2 parts instead of 3"},
		"four parts":                 {header + "." + claims + ".a.b", true, true, "4 parts instead of 3"},
		"header no base64url":        {"{}." + claims + ".", false, true, "header is not base64url"},
		"header padded":              {header + "=." + claims + ".", false, true, "header is not base64url"},
		"header in the other base64": {"e30+." + claims + ".", false, true, "header is not base64url"},
		"header no JSON":             {encode([]byte("{")) + "." + claims + ".", false, true, "header is not JSON"},
		"payload no base64url":       {header + ".{}.", true, false, "payload is not base64url"},
		"payload no JSON":            {header + "." + encode([]byte("sub")) + ".", true, false, "payload is not JSON"},
		"payload empty":              {header + "..", true, false, "payload is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			h, c2, err := lti.Decode(c.token)
			if c.errorContains == "" {
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				g.Expect(err).To(MatchError(ContainSubstring(c.errorContains)))
			}
			if c.header {
				g.Expect(h).To(MatchJSON(`{"alg": "none"}`))
			} else {
				g.Expect(h).To(BeNil())
			}
			if c.claims {
				g.Expect(c2).To(MatchJSON(`{"sub": "ü?>"}`))
			} else {
				g.Expect(c2).To(BeNil())
			}
		})
	}
}

func TestDecodeNamesEveryMistake(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	_, _, err := lti.Decode("!.!")
	g.Expect(err).To(MatchError(And(ContainSubstring("header"), ContainSubstring("payload"), ContainSubstring("2 parts"))))
}

func TestRandomStringsAreLongURLSafeAndDifferent(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	seen := map[string]bool{}
	for range 1000 {
		s := lti.RandomString()
		raw, err := base64.RawURLEncoding.DecodeString(s)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(raw).To(HaveLen(16))
		g.Expect(strings.ContainsAny(s, "+/=")).To(BeFalse())
		seen[s] = true
	}
	g.Expect(seen).To(HaveLen(1000))
}

func TestInstantsOfISO8601AreReadWithTheirZone(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	want := time.Date(2026, 3, 6, 20, 5, 0, 0, time.UTC)
	for _, text := range []string{
		"2026-03-06T20:05:00Z", "2026-03-06T22:05:00+02:00", "2026-03-06T22:05:00+0200", "2026-03-06T22:05:00+02", "2026-03-06T20:05:00.000+0000",
		"2026-03-06T20:05:00,000Z", "2026-03-06T20:05Z", "2026-03-06T22:05+02:00", "2026-03-06t20:05:00z",
	} {
		at, ok := lti.Instant(text)
		g.Expect(ok).To(BeTrue(), text)
		g.Expect(at).To(BeTemporally("==", want), text)
	}
	for _, text := range []string{"", "yesterday", "2026-03-06", "2026-03-06T20:05:00", "2026-03-06T20:05:00.5", "1772827500", "2026-13-06T20:05:00Z", "2026-03-06T5:05:00Z", "2026-03-06T0:00Z", "2026-3-6T20:05:00Z", "2026-03-06T20:05:00.Z"} {
		_, ok := lti.Instant(text)
		g.Expect(ok).To(BeFalse(), text)
	}
}

func TestParametersBehindASecondQuestionMarkAreRead(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for raw, whole := range map[string]string{
		"tenant=7?iss=https%3A%2F%2Flms.example%3Fa%3Db&login_hint=x": "tenant=7&iss=https%3A%2F%2Flms.example%3Fa%3Db&login_hint=x",
		"tenant=7?scope=openid&state=a%3Fnonce%3Db":                   "tenant=7&scope=openid&state=a%3Fnonce%3Db",
		"tenant=7&iss=x":           "tenant=7&iss=x",
		"tenant=7?other=1&iss=x":   "tenant=7?other=1&iss=x",
		"tenant=7?iss=y&iss=x":     "tenant=7?iss=y&iss=x",
		"tenant=7?iss&iss=x":       "tenant=7?iss&iss=x",
		"redirect_uri=x?state=abc": "redirect_uri=x?state=abc",
		"":                         "",
	} {
		query, err := url.ParseQuery(raw)
		g.Expect(err).NotTo(HaveOccurred())
		want, err := url.ParseQuery(whole)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(lti.Unglued(query)).To(Equal(want), raw)
	}
}
