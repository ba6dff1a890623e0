package faketool

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/signing"
	"invigilator.example/lti"
)

// strangerKeysPath is where the stranger's key set is, for a header that leads there.
const strangerKeysPath = "/stranger/jwks"

// AddKey gives the tool another key. It is published at once, and signs from now
// on; the ones before stay published. To withdraw it is to publish and use it no
// more.
func (t *Tool) AddKey() (withdraw func(), err error) {
	key, err := lti.NewKey()
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = append(t.keys, key)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.keys = slices.DeleteFunc(t.keys, func(k jwk.Key) bool { return k == key })
	}, nil
}

// signingKey returns the key that signs.
func (t *Tool) signingKey() jwk.Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keys[len(t.keys)-1]
}

// sign makes a token of claims, in the right way where how is nil.
func (t *Tool) sign(claims lti.Claims, key jwk.Key, how signing.Way) (string, error) {
	if key == nil {
		key = t.signingKey()
	}
	return how.Sign(claims, key)
}

func serveStrangerKeys(w http.ResponseWriter, _ *http.Request) {
	key, err := signing.StrangerKey()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	set, err := lti.PublicSet(key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	_ = json.NewEncoder(w).Encode(set)
}
