package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// A KeySet is what a subject publishes, and what is wrong with it.
type KeySet struct {
	Count    int
	Problems []string
}

// maxKeySet bounds what is read of a key set.
const maxKeySet = 1 << 20

// leastBits is the least size of an RSA key (RFC 7518, 3.3).
const leastBits = 2048

// privateMembers are those of a JWK that nobody may publish (RFC 7518, 6).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// FetchKeySet fetches a key set as any other party would, and holds it against
// Security Framework 1.0, 6.2 and 6.3. The error is for one that cannot be read.
func FetchKeySet(ctx context.Context, r *Run, address string) (KeySet, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Patience())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return KeySet{}, err
	}
	response, err := (&http.Client{Transport: r.transport}).Do(request)
	if err != nil {
		return KeySet{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return KeySet{}, fmt.Errorf("HTTP %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet))
	if err != nil {
		return KeySet{}, err
	}
	var published struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(body, &published); err != nil {
		return KeySet{}, fmt.Errorf("not a JWK Set: %w", err)
	}
	set := KeySet{Count: len(published.Keys)}
	if len(published.Keys) == 0 {
		set.Problems = append(set.Problems, "there is no key")
	}
	for i, key := range published.Keys {
		for _, problem := range keyProblems(key) {
			set.Problems = append(set.Problems, fmt.Sprintf("key %d %s", i+1, problem))
		}
	}
	return set, nil
}

func keyProblems(members map[string]any) []string {
	var problems []string
	if kid, _ := members["kid"].(string); kid == "" {
		problems = append(problems, "has no kid")
	}
	private := slices.DeleteFunc(slices.Clone(privateMembers), func(name string) bool { _, ok := members[name]; return !ok })
	if len(private) > 0 {
		problems = append(problems, "publishes the private members "+strings.Join(private, ", "))
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return append(problems, "cannot be read")
	}
	key, err := jwk.ParseKey(raw)
	if err != nil {
		return append(problems, "is no JWK that can be used")
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
