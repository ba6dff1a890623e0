package jwt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A tool's keys are fetched again after a time, so that a withdrawn one is not
// trusted for long, and at once when a kid is unknown (Security Framework 1.0,
// 6.4): a new key is good as soon as it is published. Nobody can make the
// platform fetch without end.
const (
	keyLifetime = 5 * time.Minute
	fetchWindow = 10 * time.Second
	maxFetches  = 30 // within the window, of one key set
	maxKeySet   = 4 << 20
)

// Keys are the keys that tools publish, as a platform keeps them. They are safe for
// concurrent use.
type Keys struct {
	// Client fetches them, Now is the clock, and Carrier carries the platform's faults.
	Client  *http.Client
	Now     func() time.Time
	Carrier *fault.Carrier
	// Tools returns where the tools publish them, by client_id.
	Tools func() map[string]string

	mu   sync.Mutex
	sets map[string]*keySet // by the URL
	lost int
}

// keySet is a tool's key set as the platform keeps it.
type keySet struct {
	mu      sync.Mutex // held while the key set is fetched
	set     jwk.Set    // nil where none could be had
	fetched time.Time
	window  time.Time // when the fetches began to be counted
	fetches int
}

// algorithms are those that a tool may sign with: asymmetric ones, by the
// type of its key (Security Framework 1.0, 5.4).
var algorithms = map[jwa.KeyType][]jwa.SignatureAlgorithm{
	jwa.RSA: {jwa.RS256, jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512},
	jwa.EC:  {jwa.ES256, jwa.ES384, jwa.ES512},
	jwa.OKP: {jwa.EdDSA},
}

// ErrNoKeySet says that nothing that a tool has signed can be verified.
var ErrNoKeySet = errors.New("no key set of the tool is registered")

// A Kind is what a tool signs.
type Kind int

// The kinds: what proves a client to the token endpoint, and a message through the browser.
const (
	Assertion Kind = iota
	Message
)

// A Verification is what a signature is verified by.
type Verification struct {
	context.Context
	Keys     *Keys
	Token    Token
	Kind     Kind
	ClientID string // of the tool that has to have signed
	Wrong    error  // why it is not that tool's
}

// Verified is passed by what has become of each verification.
var Verified = &fault.Seam[Verification]{Name: "the signature of a JWT"}

// Verify checks the signature of a JWT with the key of a tool that its header
// names, and with no other key that the header may bring (Security Framework
// 1.0, 5.2.3 and 6.3).
func (k *Keys) Verify(ctx context.Context, kind Kind, t Token, clientID string) error {
	err := k.verify(ctx, t, k.Tools()[clientID])
	return Verified.Pass(k.Carrier, Verification{ctx, k, t, kind, clientID, err}).Wrong
}

func (k *Keys) verify(ctx context.Context, t Token, address string) error {
	if address == "" {
		return ErrNoKeySet
	}
	kid, alg := t.Named("kid"), t.Named("alg")
	if kid == "" {
		return errors.New("the JWT names no key")
	}
	if _, critical := t.Header["crit"]; critical {
		return errors.New("the JWT has an extension that is not understood")
	}
	key, err := k.key(ctx, address, kid)
	if err != nil {
		return err
	}
	signs := jwa.SignatureAlgorithm(alg)
	if !slices.Contains(algorithms[key.KeyType()], signs) || key.Algorithm().String() != "" && key.Algorithm().String() != alg {
		return fmt.Errorf("the JWT is signed with %q, which the key is not for", alg)
	}
	if !t.verifiesWith(key) {
		return errors.New("the signature of the JWT is not the tool's")
	}
	return nil
}

// verifiesWith says whether the signature is one with this key, by the algorithm that the
// header names.
func (t Token) verifiesWith(key jwk.Key) bool {
	_, err := jws.Verify([]byte(t.Compact), jws.WithKey(jwa.SignatureAlgorithm(t.Named("alg")), key))
	return err == nil
}

// A key set that is old, or lacks a key, is fetched again (Security Framework 1.0, 6.4).
var fetchedAgain = &fault.Step[*keySet]{Name: "a tool's key set is fetched again", Honest: func(*keySet) bool { return true }}

// key returns the key of that kid from a tool's key set.
func (k *Keys) key(ctx context.Context, address, kid string) (jwk.Key, error) {
	k.mu.Lock()
	keys := k.sets[address]
	if keys == nil {
		if k.sets == nil {
			k.sets = map[string]*keySet{}
		}
		keys = &keySet{}
		k.sets[address] = keys
	}
	k.mu.Unlock()

	keys.mu.Lock()
	defer keys.mu.Unlock()
	now := k.Now()
	known := signing(keys.set, kid)
	if known != nil && now.Before(keys.fetched.Add(keyLifetime)) {
		return known, nil
	}
	if keys.set != nil && !fetchedAgain.Taken(k.Carrier, keys) {
		if known != nil {
			return known, nil
		}
		return nil, fmt.Errorf("the tool had no key %.100q", kid)
	}
	if now.After(keys.window.Add(fetchWindow)) {
		keys.window, keys.fetches = now, 0
	}
	if keys.fetches >= maxFetches {
		return nil, fmt.Errorf("the tool has no key %.100q, and its key set was fetched %d times within %s", kid, maxFetches, fetchWindow)
	}
	keys.fetches++
	set, err := k.fetch(ctx, address)
	if err != nil && keys.set != nil { // it was there before: the tool may be away for a moment
		if set, err = k.fetch(ctx, address); err != nil {
			k.mu.Lock()
			k.lost++
			k.mu.Unlock()
		}
	}
	switch {
	case err != nil && known != nil:
		return known, nil // nothing says that it is withdrawn
	case err != nil:
		return nil, fmt.Errorf("the tool's key set cannot be had: %w", err)
	}
	keys.set, keys.fetched = set, now
	if key := signing(set, kid); key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("the tool has no key %.100q", kid)
}

// Lost is how often a tool's key set could not be fetched that had been fetched before.
func (k *Keys) Lost() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lost
}

// SignedByTool says whether a JWT is signed with a key of any tool, whomever it names. It
// asks for a key set only where none is known yet, so that nobody can make the platform ask
// without end.
func (k *Keys) SignedByTool(ctx context.Context, t Token) bool {
	if t.Named("kid") == "" || t.Claims == nil {
		return false
	}
	asked := map[string]bool{"": true}
	for _, address := range k.Tools() {
		if asked[address] {
			continue
		}
		asked[address] = true
		if key := signing(k.known(ctx, address), t.Named("kid")); key != nil && t.verifiesWith(key) {
			return true
		}
	}
	return false
}

// known returns a tool's key set as it was fetched last, and fetches it where it
// never was; nil where it cannot be had.
func (k *Keys) known(ctx context.Context, address string) jwk.Set {
	k.mu.Lock()
	keys := k.sets[address]
	k.mu.Unlock()
	if keys == nil {
		_, _ = k.key(ctx, address, "") // what counts is the set
		k.mu.Lock()
		keys = k.sets[address]
		k.mu.Unlock()
	}
	keys.mu.Lock()
	defer keys.mu.Unlock()
	return keys.set
}

// signing returns the key of that kid, if it is one for signatures.
func signing(set jwk.Set, kid string) jwk.Key {
	if set == nil {
		return nil
	}
	key, found := set.LookupKeyID(kid)
	if !found || key.KeyUsage() == jwk.ForEncryption.String() {
		return nil
	}
	return key
}

func (k *Keys) fetch(ctx context.Context, address string) (jwk.Set, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", address, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("GET %s: more than %d bytes", address, maxKeySet)
	}
	var published struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := lti.ReadJSON(body, &published); err != nil {
		return nil, fmt.Errorf("GET %s: it is no JWK Set: %w", address, err)
	}
	return jwk.Parse(body, jwk.WithIgnoreParseError(true))
}
