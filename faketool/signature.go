package faketool

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
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

// What is checked of the JWS, in this order (Security Framework 1.0, 5.1.3 (1)). Only RS256 is
// agreed on (5.1.3 (6), 6.3).
var hasSignature = &checks{Name: "the signature of an id_token", Rules: []*rule{
	extensionsKnown, keyNamed, keyPublished, algorithmAgreed, signatureVerified,
}}

// Security Framework 1.0, 5.1.3 (1).
var signedByPlatform = &rule{Name: "the id_token is signed by the platform", Broken: excused(part.SignedByPlatform, func(q *response) error {
	return hasSignature.First(q.t.carrier, q)
})}

// RFC 7515, 4.1.11: no extension is understood.
var extensionsKnown = &rule{Name: "the header has no critical extension", Broken: func(q *response) error {
	if _, critical := q.header["crit"]; critical {
		return unauthorized("The id_token has an extension that is not understood.")
	}
	return nil
}}

// Security Framework 1.0, 5.4.
var keyNamed = &rule{Name: "the header names a key", Broken: func(q *response) error {
	if q.kid() == "" {
		return unauthorized("The id_token names no key.")
	}
	return nil
}}

// Security Framework 1.0, 5.4 and 6.3.
var keyPublished = &rule{Name: "the platform publishes the key", Broken: func(q *response) error {
	var err error
	switch q.key, err = q.t.findKey(q); {
	case err != nil:
		return unauthorized("The platform's key set cannot be had: %s.", err)
	case q.key == nil:
		return unauthorized("The platform has no key %q.", q.kid())
	default:
		return nil
	}
}}

// Security Framework 1.0, 5.1.3 (6).
var algorithmAgreed = &rule{Name: "the algorithm is RS256", Broken: func(q *response) error {
	if q.algorithm() != jwa.RS256.String() {
		return unauthorized("The id_token is signed with %q instead of RS256.", q.algorithm())
	}
	return nil
}}

var signatureVerified = &rule{Name: "the signature is made with the key", Broken: func(q *response) error {
	if !q.verifiedBy(jwa.RS256, q.key) {
		return unauthorized("The signature of the id_token is not the platform's.")
	}
	return nil
}}

func (q *response) kid() string {
	kid, _ := q.header["kid"].(string)
	return kid
}

func (q *response) algorithm() string {
	alg, _ := q.header["alg"].(string)
	return alg
}

// verifiedBy says whether the id_token is signed with a key.
func (q *response) verifiedBy(alg jwa.SignatureAlgorithm, key any) bool {
	_, err := jws.Verify([]byte(q.form.Get(lti.ParamIDToken)), jws.WithKey(alg, key))
	return err == nil
}

// A search is for the platform's key that a header names, in one of its key sets.
type search struct {
	q       *response
	kept    bool // the set is one that the tool has kept
	expired bool // the set, for as long as the platform has said
	set     keySet
	key     jwk.Key // that was found; nil for none
}

// How the platform's key is looked for.
var (
	searchesKept = &fault.Step[search]{
		Name:   "looks for the key in the key set that it has kept",
		Honest: func(s search) bool { return s.kept && !s.expired },
	}
	fetchesAgain = &fault.Step[search]{Name: "fetches the key set", Honest: func(search) bool { return true }}
	keyFound     = &fault.Seam[search]{Name: "the key that is found in a key set"}
)

// findKey returns the platform's key that a header names, and none where there is none. The
// key set is fetched again when the key is new, so that a rotation needs no restart (OpenID
// Connect Core 1.0, 10.1.1), and when the platform says that it may have changed.
func (t *Tool) findKey(q *response) (jwk.Key, error) {
	from := q.begun.registration.JWKSURL
	t.mu.Lock()
	set, kept := t.keySets[from]
	t.mu.Unlock()
	s := search{q: q, kept: kept, expired: !t.opts.Now().Before(set.expires), set: set}
	if searchesKept.Taken(t.carrier, s) {
		if key := t.keyIn(s); key != nil {
			return key, nil
		}
	}
	if fetchesAgain.Taken(t.carrier, s) {
		fetched, err := t.fetchKeys(q.r, from)
		if err != nil {
			q.noKeys = true
			t.mu.Lock()
			t.unknownKeys[q.kid()] = true
			t.mu.Unlock()
			return nil, err
		}
		s.set = fetched
	}
	s.kept = false
	return t.keyIn(s), nil
}

// keyIn returns the key that is looked for in a key set.
func (t *Tool) keyIn(s search) jwk.Key {
	if named := s.set.named(s.q.kid()); len(named) > 0 {
		s.key = named[0]
	}
	return keyFound.Pass(t.carrier, s).key
}

// How a key set is fetched.
var (
	keyPatience = &fault.Seam[time.Duration]{Name: "how long a key set is waited for"}
	skipsKeys   = &fault.Step[keySet]{
		Name:   "leaves out the keys of a set that are of a kind yet to come",
		Honest: func(keySet) bool { return true }, // RFC 7517, 5
	}
	keysFetched = &fault.Seam[fetched]{Name: "a key set that is kept"}
)

// fetched is a key set that is kept instead of what the tool had from there. The tool's
// mutex is held.
type fetched struct {
	set, before keySet
}

// fetchKeys fetches a key set and remembers it for as long as it may be kept.
func (t *Tool) fetchKeys(r *http.Request, from string) (keySet, error) {
	client := *t.opts.Client
	client.Timeout = keyPatience.Pass(t.carrier, client.Timeout)
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
	set := keySet{expires: t.opts.Now().Add(maxAge(response.Header))}
	parsed, err := jwk.Parse(body)
	if err != nil && skipsKeys.Taken(t.carrier, set) {
		parsed, err = jwk.Parse(body, jwk.WithIgnoreParseError(true))
	}
	if err != nil {
		return keySet{}, err
	}
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
	set = keysFetched.Pass(t.carrier, fetched{set, t.keySets[from]}).set
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
