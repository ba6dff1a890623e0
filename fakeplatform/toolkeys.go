package fakeplatform

import (
	"bytes"
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
	toolKeyLifetime = 5 * time.Minute
	fetchWindow     = 10 * time.Second
	maxFetches      = 30 // within the window, of one key set
	maxKeySet       = 4 << 20
)

// toolKeys is a tool's key set as the platform keeps it.
type toolKeys struct {
	mu      sync.Mutex // held while the key set is fetched
	set     jwk.Set    // nil where none could be had
	fetched time.Time
	window  time.Time // when the fetches began to be counted
	fetches int
}

// toolAlgorithms are those that a tool may sign with: asymmetric ones, by the
// type of its key (Security Framework 1.0, 5.4).
var toolAlgorithms = map[jwa.KeyType][]jwa.SignatureAlgorithm{
	jwa.RSA: {jwa.RS256, jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512},
	jwa.EC:  {jwa.ES256, jwa.ES384, jwa.ES512},
	jwa.OKP: {jwa.EdDSA},
}

// A token is a JWT that a tool sent. Header and Claims are nil where they cannot
// be read.
type token struct {
	compact        string
	header, claims map[string]any
}

// readToken reads a JWT without trusting it.
func readToken(compact string) token {
	header, claims, _ := lti.Decode(compact) // what cannot be read is nil
	return token{compact, asObject(header), asObject(claims)}
}

// asObject reads a JSON object, with numbers as they are written, and returns
// nil for anything else.
func asObject(raw []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var object map[string]any
	if decoder.Decode(&object) != nil {
		return nil
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil
	}
	return object
}

// ErrNoKeySet says that nothing that a tool has signed can be verified.
var ErrNoKeySet = errors.New("no key set of the tool is registered")

// verification is what a signature is verified by.
type verification struct {
	context.Context
	platform     *Platform
	token        token
	registration Registration
	ofAssertion  bool  // the JWT is a client assertion, else a message
	err          error // why it is not the tool's
}

var signatureVerified = &fault.Seam[verification]{Name: "the signature of a JWT"}

// verify checks the signature of a JWT with the tool's key that its header
// names, and with no other key that the header may bring (Security Framework
// 1.0, 5.2.3 and 6.3).
func (p *Platform) verify(v verification) error {
	v.platform = p
	v.err = p.verifyWith(v, v.token, v.registration)
	return signatureVerified.Pass(p.carrier, v).err
}

func (p *Platform) verifyWith(ctx context.Context, t token, registration Registration) error {
	if registration.JWKSURL == "" {
		return ErrNoKeySet
	}
	kid, _ := t.header["kid"].(string)
	alg, _ := t.header["alg"].(string)
	if kid == "" {
		return errors.New("the JWT names no key")
	}
	if _, critical := t.header["crit"]; critical {
		return errors.New("the JWT has an extension that is not understood")
	}
	key, err := p.toolKey(ctx, registration.JWKSURL, kid)
	if err != nil {
		return err
	}
	signs := jwa.SignatureAlgorithm(alg)
	if !slices.Contains(toolAlgorithms[key.KeyType()], signs) || key.Algorithm().String() != "" && key.Algorithm().String() != alg {
		return fmt.Errorf("the JWT is signed with %q, which the key is not for", alg)
	}
	if _, err := jws.Verify([]byte(t.compact), jws.WithKey(signs, key)); err != nil {
		return errors.New("the signature of the JWT is not the tool's")
	}
	return nil
}

// A key set that is old, or lacks a key, is fetched again (Security Framework 1.0, 6.4).
var keysFetchedAgain = &fault.Step[*toolKeys]{Name: "a tool's key set is fetched again", Honest: func(*toolKeys) bool { return true }}

// toolKey returns the key of that kid from a tool's key set.
func (p *Platform) toolKey(ctx context.Context, address, kid string) (jwk.Key, error) {
	p.mu.Lock()
	keys := p.toolKeys[address]
	if keys == nil {
		keys = &toolKeys{}
		p.toolKeys[address] = keys
	}
	p.mu.Unlock()

	keys.mu.Lock()
	defer keys.mu.Unlock()
	now := p.opts.Now()
	known := signing(keys.set, kid)
	if known != nil && now.Before(keys.fetched.Add(toolKeyLifetime)) {
		return known, nil
	}
	if keys.set != nil && !keysFetchedAgain.Taken(p.carrier, keys) {
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
	set, err := p.fetchKeys(ctx, address)
	if err != nil && keys.set != nil { // it was there before: the tool may be away for a moment
		if set, err = p.fetchKeys(ctx, address); err != nil {
			p.mu.Lock()
			p.lostKeySets++
			p.mu.Unlock()
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

// LostKeySets is how often a tool's key set could not be fetched that had been fetched before.
func (p *Platform) LostKeySets() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lostKeySets
}

// knownKeys returns a tool's key set as it was fetched last, and fetches it where it
// never was; nil where it cannot be had.
func (p *Platform) knownKeys(ctx context.Context, address string) jwk.Set {
	p.mu.Lock()
	keys := p.toolKeys[address]
	p.mu.Unlock()
	if keys == nil {
		_, _ = p.toolKey(ctx, address, "") // what counts is the set
		p.mu.Lock()
		keys = p.toolKeys[address]
		p.mu.Unlock()
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

func (p *Platform) fetchKeys(ctx context.Context, address string) (jwk.Set, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := p.opts.Client.Do(request)
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

// A ledger knows what a client has used, until nobody can use it any more.
type ledger map[use]time.Time

// A use is a value that a client may use once.
type use struct{ clientID, value string }

func (l ledger) used(clientID, value string) bool {
	_, used := l[use{clientID, value}]
	return used
}

// add notes a value, and drops what need not be known any more.
func (l ledger) add(clientID, value string, now, until time.Time) {
	for known, expires := range l {
		if expires.Before(now) {
			delete(l, known)
		}
	}
	l[use{clientID, value}] = until
}

// leeway is by how much clocks may differ, and oldest how old a JWT may be.
const (
	leeway = time.Minute
	oldest = 24 * time.Hour
)

// instant reads a NumericDate (RFC 7519, 2).
func instant(value any) (time.Time, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// audiences reads the claim aud, which is a string or several.
func audiences(value any) []string {
	switch aud := value.(type) {
	case string:
		return []string{aud}
	case []any:
		var all []string
		for _, member := range aud {
			name, _ := member.(string)
			all = append(all, name)
		}
		return all
	}
	return nil
}

// integer reads a JSON integer.
func integer(value any) (int, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := number.Int64()
	return int(n), err == nil
}
