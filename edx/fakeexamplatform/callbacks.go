package fakeexamplatform

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/edx"
)

// A Callback is a request to the platform that is none for a token.
type Callback struct {
	At           time.Time
	Method, Path string
	// Attempt is the id in the path; empty where the path is none of a callback.
	Attempt string
	// What is [edx.Ready] or [edx.Reviewed]; empty where the path is neither.
	What string
	// JSON is what the body says, with numbers as [json.Number]; Problem is why it is no JSON.
	JSON    any
	Problem string
	// Unauthorized is why the credentials are none that the platform takes; empty where they are.
	Unauthorized string
	// Status is what it was answered.
	Status int
}

// Object is the JSON object that came; nil where none did.
func (c Callback) Object() map[string]any {
	object, _ := c.JSON.(map[string]any)
	return object
}

// maxCallbacks bounds how many are kept.
const maxCallbacks = 1000

// Callbacks returns those that have come so far.
func (p *Platform) Callbacks() []Callback {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.callbacks)
}

// Reached says whether anything has come to the platform at all.
func (p *Platform) Reached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// Refused says whether somebody was refused a token, as for another client_secret.
func (p *Platform) Refused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// Await returns the first callback that is wanted, as soon as it has come. The error is the
// context's: it has not come.
func (p *Platform) Await(ctx context.Context, wanted func(Callback) bool) (Callback, error) {
	for {
		p.mu.Lock()
		i, came := slices.IndexFunc(p.callbacks, wanted), p.came
		var found Callback
		if i >= 0 {
			found = p.callbacks[i]
		}
		p.mu.Unlock()
		if i >= 0 {
			return found, nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return Callback{}, context.Cause(ctx)
		}
	}
}

// ServeHTTP answers as the platform: the token endpoint and the callbacks.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = true
	p.mu.Unlock()
	if r.URL.Path == edx.TokenPath && r.Method == http.MethodPost {
		p.issue(w, r)
		return
	}
	c := Callback{At: p.o.Now(), Method: r.Method, Path: r.URL.Path}
	if rest, is := strings.CutPrefix(r.URL.Path, edx.CallbacksPath); is && r.Method == http.MethodPost {
		if attempt, what, _ := strings.Cut(rest, "/"); what == edx.Ready || what == edx.Reviewed {
			c.Attempt, c.What = attempt, what
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		c.Problem = "the body cannot be read"
	} else {
		c.JSON, c.Problem = readJSON(body)
	}
	c.Unauthorized = p.unauthorized(r.Header.Get("Authorization"))
	var says any
	c.Status, says = p.react(c)
	p.mu.Lock()
	if len(p.callbacks) < maxCallbacks {
		p.callbacks = append(p.callbacks, c)
	}
	close(p.came)
	p.came = make(chan struct{})
	p.mu.Unlock()
	answer(w, c.Status, says)
}

// react does what a callback asks for, and says what it is answered
// (edx_proctoring/views.py).
func (p *Platform) react(c Callback) (status int, says any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.attempts[c.Attempt]
	detail := func(text string) map[string]any { return map[string]any{"detail": text} }
	switch {
	case c.What == "":
		return http.StatusNotFound, detail("Not found.")
	case c.Unauthorized != "":
		return http.StatusForbidden, detail("Authentication credentials were not provided.")
	case !known && c.What == edx.Ready:
		return http.StatusNotFound, detail("Attempt not found.")
	case !known:
		return http.StatusBadRequest, detail("Attempt not found.")
	case c.What == edx.Ready:
		if p.attempts[c.Attempt] == edx.StatusCreated {
			p.attempts[c.Attempt] = edx.StatusReady
		}
		return http.StatusOK, "OK"
	}
	review, isText := c.Object()["status"].(string)
	if !isText || !slices.Contains(edx.ReviewStatuses(), review) {
		return http.StatusBadRequest, detail("Unexpected status.")
	}
	p.attempts[c.Attempt] = review
	return http.StatusOK, "OK"
}

// tokenLifetime is how long the tokens of the platform last.
const tokenLifetime = time.Hour

// issue issues an access token to the account of the backend.
func (p *Platform) issue(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswer)
	id, secret := r.PostFormValue(edx.ClientID), r.PostFormValue(edx.ClientSecret)
	if user, password, ok := r.BasicAuth(); ok && id == "" { // Django OAuth Toolkit takes both
		id, secret = user, password
	}
	switch {
	case r.PostFormValue(edx.GrantType) != edx.ClientCredentials:
		answer(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	case id != p.o.ClientID || secret != p.o.ClientSecret:
		p.mu.Lock()
		p.refused = true
		p.mu.Unlock()
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	now := p.o.Now()
	payload, err := json.Marshal(map[string]any{"iss": p.o.URL, "aud": id, "sub": id, "iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix()})
	if err == nil {
		var token string
		if token, err = signHS256(payload, p.key); err == nil {
			answer(w, http.StatusOK, map[string]any{
				edx.AccessToken: token, edx.ExpiresIn: int(tokenLifetime.Seconds()), edx.TokenType: edx.Scheme, "scope": "read write",
			})
			return
		}
	}
	answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
}

// unauthorized says why the platform does not take what stands in Authorization.
func (p *Platform) unauthorized(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	switch {
	case header == "":
		return "there is no Authorization"
	case scheme != edx.Scheme:
		return "the word before the token is not " + edx.Scheme
	}
	payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.HS256, p.key))
	var claims struct {
		Exp int64 `json:"exp"`
	}
	switch {
	case err != nil || json.Unmarshal(payload, &claims) != nil:
		return "the token is none of the platform's"
	case !p.o.Now().Before(time.Unix(claims.Exp, 0)):
		return "the token has expired"
	}
	return ""
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, says any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(says)
}
