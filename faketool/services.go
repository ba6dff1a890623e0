package faketool

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// An Exchange is a request of a service and what came of it.
type Exchange = part.Exchange

// A TokenProbe says how an access token is asked for.
type TokenProbe struct {
	// Fault is what differs from a valid request; nil for nothing.
	Fault *Fault
	// Scopes are those that are asked for.
	Scopes []string
	// With are further or other claims of the assertion; a nil value takes the
	// claim away.
	With lti.Claims
	// Key signs instead of the tool's own.
	Key jwk.Key
}

// A Token is what a token endpoint answered.
type Token = part.Token

// Token asks the token endpoint of a platform for an access token (Security
// Framework 1.0, 4.1.1). It fails only where nothing could be sent, and with
// [ErrUnchanged]; a refusal, or nobody's answer, is in what it returns.
func (t *Tool) Token(ctx context.Context, issuer, clientID string, p TokenProbe) (*Token, error) {
	token, err := t.token(ctx, issuer, clientID, p)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	return token, nil
}

func (t *Tool) token(ctx context.Context, issuer, clientID string, p TokenProbe) (*Token, error) {
	a, err := t.apply(issuer, clientID, p)
	if err != nil {
		return nil, err
	}
	token, err := t.ask(ctx, a)
	if err != nil {
		return nil, err
	}
	if a.twice && token.AccessToken != "" {
		return t.ask(ctx, a)
	}
	return token, nil
}

// draftToken is a request for an access token, with what differs from a valid one.
func (t *Tool) draftToken(issuer, clientID string, p TokenProbe) (part.TokenDraft, error) {
	registration, ok := t.registered(issuer, clientID)
	switch {
	case !ok:
		return part.TokenDraft{}, fmt.Errorf("no platform %q with client_id %q is registered", issuer, clientID)
	case registration.TokenURL == "":
		return part.TokenDraft{}, errors.New("the registration has no token endpoint")
	}
	now := t.opts.Now()
	d := part.TokenDraft{
		Core: partCore{t}, Platform: registration, Key: p.Key, Field: lti.ParamClientAssertion,
		Method: http.MethodPost, URL: registration.TokenURL, MediaType: mediaTypeForm,
		Claims: lti.Claims{
			"iss": clientID, "sub": clientID, "aud": cmp.Or(registration.TokenAudience, registration.TokenURL),
			"iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix(), "jti": lti.RandomString(),
		},
		Form: url.Values{
			lti.ParamGrantType:           {lti.GrantClientCredentials},
			lti.ParamClientAssertionType: {lti.AssertionTypeJWT},
			lti.ParamScope:               {strings.Join(p.Scopes, " ")},
		},
	}
	change(d.Claims, p.With)
	if f := p.Fault; f != nil {
		if !part.TokenAsked.Changed(f.Effects) {
			return d, fmt.Errorf("fault %s is none of a token request", f.Name)
		}
		if err := part.Apply(f, func() string { return snapshotOfToken(d) }, func() error {
			d = part.TokenAsked.Pass(fault.Carry(f.Effects...), d)
			return d.Err
		}); err != nil {
			return d, err
		}
	}
	return part.TokenAsked.Pass(t.carrier, d), nil
}

// tokenLifetime is how long what the tool signs may be used.
const tokenLifetime = signing.Lifetime

const mediaTypeForm = "application/x-www-form-urlencoded"

// snapshotOfToken is the same for the same request only.
func snapshotOfToken(d part.TokenDraft) string {
	claims, _ := json.Marshal(d.Claims) // signing tells of an error
	return fmt.Sprint(string(claims), d.Sign != nil, d.Key, d.Field, d.Form.Encode(), d.Method, d.URL, d.MediaType, d.Twice)
}

// An application is a request for an access token as it is sent, and as it is shown.
type application struct {
	method, to, body, mediaType string
	shownURL, shownBody         string
	basic                       string // the client_id in the header of a fault
	twice                       bool
}

// apply signs a request for an access token, with what differs from a valid one.
func (t *Tool) apply(issuer, clientID string, p TokenProbe) (application, error) {
	d, err := t.draftToken(issuer, clientID, p)
	if err != nil {
		return application{}, err
	}
	assertion, err := t.sign(d.Claims, d.Key, d.Sign)
	if err != nil {
		return application{}, err
	}
	shown := maps.Clone(d.Form)
	if d.Field != "" {
		d.Form.Set(d.Field, assertion)
		shown.Set(d.Field, assertion[:strings.LastIndexByte(assertion, '.')+1])
	}
	a := application{method: d.Method, to: d.URL, body: d.Form.Encode(), mediaType: d.MediaType, shownURL: d.URL, shownBody: shown.Encode(), basic: d.Basic, twice: d.Twice}
	if d.Method == http.MethodGet {
		a.to, a.body = withQuery(a.to, a.body), ""
		a.shownURL, a.shownBody = withQuery(a.shownURL, a.shownBody), ""
	}
	return a, nil
}

// request makes the request anew, with its body or with what reads it.
func (a application) request(ctx context.Context, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, a.method, a.to, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", a.mediaType)
	request.Header.Set("Accept", "application/json")
	if a.basic != "" {
		request.SetBasicAuth(a.basic, "secret")
	}
	return request, nil
}

// ask sends a request for an access token.
func (t *Tool) ask(ctx context.Context, a application) (*Token, error) {
	request, err := a.request(ctx, strings.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	return readAnswer(t.exchange(request, a.shownURL, a.shownBody)), nil
}

// readAnswer reads what a token endpoint has answered.
func readAnswer(e Exchange) *Token {
	token := &Token{Exchange: e}
	_ = json.Unmarshal(token.Body, &token.Raw) // nothing is said where it is none
	text := func(name string) string {
		s, _ := token.Raw[name].(string)
		return s
	}
	token.AccessToken, token.TokenType, token.Scope = text("access_token"), text("token_type"), text("scope")
	token.ExpiresIn, token.Error = token.Raw["expires_in"], text("error")
	return token
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// ErrBeyond says that a platform has sent more than the tool reads. That is the tool's
// bound, and no fault of the platform.
var ErrBeyond = errors.New("that is more than Invigilator reads")

// exchange sends a request and reads the beginning of the answer. It follows no
// redirect: what it sends is for nobody else.
func (t *Tool) exchange(request *http.Request, shownURL, shownBody string) Exchange {
	return t.exchangeBy(*t.opts.Client, request, shownURL, shownBody)
}

// exchangeBy is exchange by another client than the tool's.
func (t *Tool) exchangeBy(client http.Client, request *http.Request, shownURL, shownBody string) (e Exchange) {
	e = Exchange{
		Method: request.Method, URL: shownURL, RequestHeader: request.Header.Clone(), RequestBody: shownBody, At: t.opts.Now(),
	}
	began := time.Now()
	defer func() { e.Took = time.Since(began) }()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		err = failed.Err // without the URL, which may hold a token
	}
	if err != nil {
		e.Err = err
		return e
	}
	defer func() { _ = response.Body.Close() }()
	e.Status, e.Header, e.ContentType = response.StatusCode, response.Header, clip(response.Header.Get("Content-Type"))
	e.Body, e.Err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if len(e.Body) > maxAnswer {
		e.Body, e.Err = e.Body[:maxAnswer], fmt.Errorf("it has more than %d MiB: %w", maxAnswer>>20, ErrBeyond)
	}
	return e
}

// registered returns a registration by what it is known by.
func (t *Tool) registered(issuer, clientID string) (Registration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.registrations, func(r Registration) bool { return r.Issuer == issuer && r.ClientID == clientID })
	if i < 0 {
		return Registration{}, false
	}
	return t.registrations[i], true
}
