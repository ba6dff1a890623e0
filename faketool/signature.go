package faketool

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/cert"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// keyLifetime is how long a key set is kept that does not say so itself.
const keyLifetime = 10 * time.Minute

// keySet is a platform's key set as the tool keeps it.
type keySet struct {
	keys    []jwk.Key
	expires time.Time
}

// named returns the keys of that kid that can verify RS256.
func (s keySet) named(kid string) []jwk.Key {
	return slices.DeleteFunc(slices.Clone(s.keys), func(key jwk.Key) bool {
		return key.KeyID() != kid || key.KeyType() != jwa.RSA || key.KeyUsage() == jwk.ForEncryption.String()
	})
}

// verifySignature checks the JWS with the platform's key that its header names
// (Security Framework 1.0, 5.1.3 (1), 5.4 and 6.3). Only RS256 is agreed on,
// and no extension of JWS is understood (RFC 7515, 4.1.11).
func (t *Tool) verifySignature(r *http.Request, token string, header map[string]any, reg Registration) error {
	alg, _ := header["alg"].(string)
	if t.acceptsUnsigned(header) || t.trustsHeader(r, token, header) {
		return nil
	}
	if _, critical := header["crit"]; critical && !t.has(IgnoresCrit) {
		return unauthorized("The id_token has an extension that is not understood.")
	}
	if (alg == "RS384" || alg == "RS512" || alg == "ES256") && t.has(CrashesOnOtherAlgorithm) {
		panic(http.ErrAbortHandler)
	}
	kid, _ := header["kid"].(string)
	key, err := t.keyNamed(r, kid, reg)
	if err != nil {
		return err
	}
	if key == nil || t.acceptsHMAC(token, alg, key, reg.JWKSURL) || t.acceptsOtherAlgorithm(token, alg, key) {
		return nil
	}
	if alg != jwa.RS256.String() {
		return unauthorized("The id_token is signed with %q instead of RS256.", alg)
	}
	switch {
	case verifies(token, jwa.RS256, key), strings.HasSuffix(token, ".") && t.has(AcceptsEmptySignature), t.has(SkipsSignature):
		return nil
	default:
		return unauthorized("The signature of the id_token is not the platform's.")
	}
}

func verifies(token string, alg jwa.SignatureAlgorithm, key any) bool {
	_, err := jws.Verify([]byte(token), jws.WithKey(alg, key))
	return err == nil
}

// keyNamed returns the platform's key of that kid. The key set is fetched
// again when the kid is new, so that a rotation needs no restart (OpenID
// Connect Core 1.0, 10.1.1), and when the platform says that it may have
// changed. No key at all means, for a fault, that none is needed.
func (t *Tool) keyNamed(r *http.Request, kid string, reg Registration) (jwk.Key, error) {
	t.mu.Lock()
	set, cached := t.keySets[reg.JWKSURL]
	failed := t.unknownKeys[kid]
	t.mu.Unlock()
	switch {
	case kid == "" && len(set.keys) == 1 && t.has(TakesOnlyKeptKeyWithoutKID):
		return set.keys[0], nil
	case kid == "" && !t.has(TriesKeysWithoutKID) && !t.has(TriesOnlyKeyWithoutKID):
		return nil, unauthorized("The id_token names no key.")
	}
	fresh := cached && kid != "" && (t.opts.Now().Before(set.expires) || t.has(NeverFetchesKeysAgain) || t.has(KeepsWithdrawnKeys))
	if failed && t.has(RemembersKeyFailure) {
		return nil, unauthorized("The platform's key %q could not be had.", kid)
	}
	if fresh {
		if key, err := t.usable(set, kid); err != nil || key != nil {
			return key, err
		}
	}
	if !cached || !t.has(NeverFetchesKeysAgain) {
		fetched, err := t.fetchKeys(r, reg.JWKSURL)
		if err != nil && t.has(AcceptsWithoutKeys) {
			return nil, nil
		}
		if err != nil {
			t.mu.Lock()
			t.unknownKeys[kid] = true
			t.mu.Unlock()
			return nil, unauthorized("The platform's key set cannot be had: %s.", err)
		}
		set = fetched
	}
	if key, err := t.usable(set, kid); err != nil || key != nil {
		return key, err
	}
	if len(set.keys) > 0 && (kid != "" && t.has(TriesAnyKey) || kid == "" && (len(set.keys) == 1 || t.has(TriesKeysWithoutKID))) {
		return set.keys[0], nil
	}
	return nil, unauthorized("The platform has no key %q.", kid)
}

// usable returns the key of that kid, and none where there is none.
func (t *Tool) usable(set keySet, kid string) (jwk.Key, error) {
	first := slices.IndexFunc(set.keys, func(key jwk.Key) bool { return key.KeyID() == kid })
	if first < 0 {
		return nil, nil
	}
	keys := set.named(kid)
	if len(keys) == 0 {
		other := slices.IndexFunc(set.keys, func(key jwk.Key) bool { return key.KeyType() == jwa.RSA })
		switch {
		case t.has(AcceptsAnyAlgorithm):
			return set.keys[first], nil
		case other >= 0 && t.has(VerifiesByKeyTypeAlone):
			return set.keys[other], nil
		}
		return nil, nil
	}
	if set.keys[first] != keys[0] && t.has(TakesFirstKeyOfKID) {
		return set.keys[first], nil
	}
	if keys[0].Algorithm().String() == "" && t.has(NeedsAlgInKeySet) {
		return nil, unauthorized("The platform's key %q is for no algorithm.", kid)
	}
	return keys[0], nil
}

// fetchKeys fetches a key set and remembers it for as long as it may be kept.
func (t *Tool) fetchKeys(r *http.Request, from string) (keySet, error) {
	client := t.opts.Client
	if t.has(WaitsForKeys) {
		patient := *client
		patient.Timeout = 0
		client = &patient
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, from, nil)
	if err != nil {
		return keySet{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return keySet{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return keySet{}, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return keySet{}, err
	}
	parsed, err := jwk.Parse(body)
	if err != nil && !t.has(ChokesOnForeignKeys) {
		// Keys of kinds that are yet to come do no harm (RFC 7517, 5).
		parsed, err = jwk.Parse(body, jwk.WithIgnoreParseError(true))
	}
	if err != nil {
		return keySet{}, err
	}
	set := keySet{expires: t.opts.Now().Add(maxAge(response.Header))}
	for i := range parsed.Len() {
		if key, ok := parsed.Key(i); ok {
			set.keys = append(set.keys, key)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.IndexFunc(set.keys, func(key jwk.Key) bool { return key.KeyType() == jwa.RSA }); i >= 0 && t.firstKeys[from] == nil {
		t.firstKeys[from] = set.keys[i]
	}
	if t.has(KeepsWithdrawnKeys) {
		set.keys = append(set.keys, t.keySets[from].keys...)
	}
	t.keySets[from] = set
	return set, nil
}

// maxAge reads how long an answer may be kept (RFC 9111, 5.2.2.1).
func maxAge(header http.Header) time.Duration {
	for directive := range strings.SplitSeq(strings.ToLower(header.Get("Cache-Control")), ",") {
		directive = strings.TrimSpace(directive)
		if directive == "no-store" || directive == "no-cache" {
			return 0
		}
		if seconds, ok := strings.CutPrefix(directive, "max-age="); ok {
			if n, err := strconv.Atoi(seconds); err == nil {
				return min(time.Duration(n)*time.Second, keyLifetime)
			}
		}
	}
	return keyLifetime
}

// acceptsUnsigned are the faults that take an unsigned token for signed.
func (t *Tool) acceptsUnsigned(header map[string]any) bool {
	alg, present := header["alg"].(string)
	return alg == "none" && t.has(AcceptsAlgNone) ||
		alg != "none" && strings.EqualFold(alg, "none") && t.has(AcceptsAlgNoneInOtherSpelling) ||
		!present && len(header) > 0 && t.has(AcceptsMissingAlg)
}

// trustsHeader are the faults that look for keys where the token says.
func (t *Tool) trustsHeader(r *http.Request, token string, header map[string]any) bool {
	if embedded, ok := header["jwk"]; ok && t.has(TrustsEmbeddedKey) {
		raw, err := json.Marshal(embedded)
		if err != nil {
			return false
		}
		key, err := jwk.ParseKey(raw)
		return err == nil && verifies(token, jwa.RS256, key)
	}
	if from, ok := header["jku"].(string); ok && t.has(TrustsKeyURL) {
		set, err := t.fetchKeys(r, from)
		return err == nil && len(set.keys) > 0 && verifies(token, jwa.RS256, set.keys[0])
	}
	if from, ok := header["x5u"].(string); ok && t.has(FetchesCertificateURL) {
		if response, err := t.opts.Client.Get(from); err == nil {
			_ = response.Body.Close()
		}
	}
	if chain, ok := header["x5c"].([]any); ok && len(chain) > 0 && t.has(TrustsEmbeddedCertificate) {
		text, _ := chain[0].(string)
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return false
		}
		certificate, err := cert.Parse([]byte(base64.StdEncoding.EncodeToString(der)))
		return err == nil && verifies(token, jwa.RS256, certificate.PublicKey)
	}
	return false
}

// acceptsOtherAlgorithm is the fault of letting the published key choose.
func (t *Tool) acceptsOtherAlgorithm(token, alg string, key jwk.Key) bool {
	return alg != "" && alg == key.Algorithm().String() && alg != jwa.RS256.String() &&
		t.has(AcceptsAnyAlgorithm) && verifies(token, jwa.SignatureAlgorithm(alg), key)
}

// acceptsHMAC is the fault of taking the public key for an HMAC secret.
func (t *Tool) acceptsHMAC(token, alg string, key jwk.Key, from string) bool {
	if !strings.HasPrefix(alg, "HS") {
		return false
	}
	fits := func(key jwk.Key) bool {
		secret, err := jwk.Pem(key)
		return err == nil && verifies(token, jwa.SignatureAlgorithm(alg), secret)
	}
	t.mu.Lock()
	first := t.firstKeys[from]
	t.mu.Unlock()
	return fits(key) && t.has(AcceptsPublicKeyAsSecret) || first != nil && fits(first) && t.has(AcceptsFirstKeyAsSecret)
}
