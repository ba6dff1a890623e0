package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A KeySet is what a subject publishes, and what is wrong with it.
type KeySet struct {
	Keys     []map[string]any // the members of each
	Problems []string
	// Private says which keys have members that nobody may publish.
	Private []string
	set     jwk.Set
}

// The bounds of what is read of a key set, and of the problems that are told of it.
const (
	maxKeySet   = 4 << 20
	maxProblems = 20
)

// ErrBeyond says that a subject has sent more than the run reads. That is the run's
// bound, and no fault of the subject.
var ErrBeyond = errors.New("that is more than Invigilator reads")

// Unread is the verdict on a requirement that needed what could not be read: it is not
// the subject's failure where that was more than the run reads, nor where it could be
// read before and the subject may be away.
func Unread(err error) results.Verdict {
	if errors.Is(err, ErrBeyond) || errors.Is(err, faketool.ErrBeyond) || errors.Is(err, errNoLonger) {
		return results.Inconclusive
	}
	return results.Failed
}

// leastBits is the least size of an RSA key (RFC 7518, 3.3).
const leastBits = 2048

// privateMembers are those of a JWK that nobody may publish (RFC 7518, 6).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// FetchKeySet fetches a key set as any other party would, and holds it against
// Security Framework 1.0, 6.2 and 6.3. The error is for one that cannot be read. Where
// its server is away, or it could be read before, it is waited for, for as long as
// timeout.restart; when it stays away it is no longer.
func (r *base) FetchKeySet(ctx context.Context, address string) (KeySet, error) {
	before := r.keySets[address]
	set, err := r.fetchKeySetOnce(ctx, address)
	if err == nil {
		delete(r.gone, partKeySet)
	}
	if err == nil || errors.Is(err, ErrBeyond) || !before && !errors.Is(err, errAway) {
		return set, err
	}
	if r.gone[partKeySet] == "" {
		r.awaitRecovery(ctx, nil, func(ctx context.Context) (*agent.Trip, bool) {
			set, err = r.fetchKeySet(ctx, address)
			return nil, err == nil
		})
	}
	if err != nil && before {
		r.goes(partKeySet, err.Error())
		err = fmt.Errorf("%w: %w", errNoLonger, err)
	}
	return set, err
}

// fetchKeySetOnce fetches a key set, and takes down whether it could be read.
func (r *base) fetchKeySetOnce(ctx context.Context, address string) (KeySet, error) {
	set, err := r.fetchKeySet(ctx, address)
	r.keySets[address] = r.keySets[address] || err == nil
	return set, err
}

// errAway says that a server gives no answer, or none for now, errNothing that it has
// nothing at that address, errPage that it has a page for people there, and errNoLonger
// that it has given a key set before.
var (
	errAway     = errors.New("its server is away")
	errNothing  = errors.New("there is nothing")
	errNoLonger = errors.New("it could be read before")
	errPage     = errors.New("there is a page instead of a key set")
)

func (r *base) fetchKeySet(ctx context.Context, address string) (KeySet, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Patience())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return KeySet{}, err
	}
	response, err := (&http.Client{Transport: r.transport}).Do(request)
	if err != nil {
		return KeySet{}, fmt.Errorf("%w: %w", errAway, err)
	}
	defer func() { _ = response.Body.Close() }()
	if slices.Contains(away, response.StatusCode) {
		return KeySet{}, fmt.Errorf("%w: HTTP %d", errAway, response.StatusCode)
	}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return KeySet{}, fmt.Errorf("%w: HTTP %d", errNothing, response.StatusCode)
	default:
		return KeySet{}, fmt.Errorf("HTTP %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return KeySet{}, err
	}
	if len(body) > maxKeySet {
		return KeySet{}, fmt.Errorf("it has more than %d MiB: %w", maxKeySet>>20, ErrBeyond)
	}
	var published struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := lti.ReadJSON(body, &published); err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return KeySet{}, errPage
	} else if err != nil {
		return KeySet{}, fmt.Errorf("not a JWK Set: %w", err)
	}
	set := KeySet{Keys: published.Keys}
	if len(published.Keys) == 0 {
		set.Problems = append(set.Problems, "there is no key")
	}
	seen := map[string]int{}
	for i, key := range published.Keys {
		for _, problem := range keyProblems(key) {
			set.Problems = append(set.Problems, fmt.Sprintf("key %d %s", i+1, problem))
		}
		if kid, _ := key["kid"].(string); kid != "" {
			if first, again := seen[kid]; again {
				set.Problems = append(set.Problems, fmt.Sprintf("key %d has the kid of key %d", i+1, first))
			}
			seen[kid] = i + 1
		}
		private := slices.DeleteFunc(slices.Clone(privateMembers), func(name string) bool { _, ok := key[name]; return !ok })
		if len(private) > 0 {
			set.Private = append(set.Private, fmt.Sprintf("key %d publishes the private members %s", i+1, strings.Join(private, ", ")))
		}
		if key["kty"] == "oct" {
			set.Private = append(set.Private, fmt.Sprintf("key %d is symmetric", i+1))
		}
	}
	set.Problems, set.Private = firstFew(set.Problems), firstFew(set.Private)
	// Keys that cannot be read have been told of; the others can be used.
	if set.set, err = jwk.Parse(body, jwk.WithIgnoreParseError(true)); err != nil {
		set.set = jwk.NewSet()
	}
	return set, nil
}

// firstFew bounds what is told of keys that may be many.
func firstFew(problems []string) []string {
	if more := len(problems) - maxProblems; more > 0 {
		return append(problems[:maxProblems:maxProblems], fmt.Sprintf("and %d more", more))
	}
	return problems
}

// Key returns the first key of a kid, and false where there is none.
func (k KeySet) Key(kid string) (jwk.Key, bool) { return k.set.LookupKeyID(kid) }

// Members returns those of the first key of a kid; nil where there is none.
func (k KeySet) Members(kid string) map[string]any {
	i := slices.IndexFunc(k.Keys, func(key map[string]any) bool { return key["kid"] == kid })
	if i < 0 {
		return nil
	}
	return k.Keys[i]
}

func keyProblems(members map[string]any) []string {
	var problems []string
	if kid, _ := members["kid"].(string); kid == "" {
		problems = append(problems, "has no kid")
	}
	for _, name := range []string{"n", "e"} {
		if text, ok := members[name].(string); ok && strings.ContainsAny(text, "=+/") {
			problems = append(problems, "has a member "+name+" that is not base64url without padding")
			return problems
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return append(problems, "cannot be read")
	}
	key, err := jwk.ParseKey(raw)
	if err != nil {
		return append(problems, "is not a usable JWK")
	}
	public, err := key.PublicKey()
	if err != nil {
		return append(problems, "has no public half")
	}
	if rsa, ok := public.(jwk.RSAPublicKey); ok {
		if bits := new(big.Int).SetBytes(rsa.N()).BitLen(); bits < leastBits {
			problems = append(problems, fmt.Sprintf("is an RSA key of %d bits instead of %d or more", bits, leastBits))
		}
	}
	return problems
}

// asymmetric are the algorithms that a signature may have: RS256, or another one
// that both parties have agreed on (Security Framework 1.0, 5.4 and 6.1).
var asymmetric = []jwa.SignatureAlgorithm{
	jwa.RS256, jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512, jwa.ES256, jwa.ES384, jwa.ES512, jwa.EdDSA,
}

// Verify says what is wrong with the header and the signature of a message;
// nothing where the key that it names verifies it.
func (k KeySet) Verify(m Message) string {
	if m.Problem != "" {
		return "the id_token cannot be read: " + m.Problem
	}
	alg, _ := m.Header["alg"].(string)
	kid, _ := m.Header["kid"].(string)
	algorithm := jwa.SignatureAlgorithm(alg)
	key, published := k.Key(kid)
	switch {
	case !slices.Contains(asymmetric, algorithm):
		return fmt.Sprintf("the algorithm is %q", alg)
	case kid == "":
		return "the header names no kid"
	case !published:
		return fmt.Sprintf("the key set has no key %q", kid)
	}
	if _, err := jws.Verify([]byte(m.Raw), jws.WithKey(algorithm, key)); err != nil {
		return fmt.Sprintf("the key %q does not verify the signature", kid)
	}
	return ""
}
