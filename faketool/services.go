package faketool

import (
	"bytes"
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

	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// An Exchange is a request of a service and what came of it.
type Exchange struct {
	// Method, URL, RequestHeader and RequestBody are what was sent. URL and body are
	// without access token and without the signature of an assertion; the header holds
	// the token where that is sent there.
	Method, URL   string
	RequestHeader http.Header
	RequestBody   string
	// Status is 0 where nobody answered, and Err says why. Body is the beginning
	// of the answer's; that of a token endpoint holds the access token.
	Status      int
	ContentType string
	Header      http.Header
	Body        []byte
	Err         error
	At          time.Time
	Took        time.Duration
}

// A TokenProbe says how an access token is asked for.
type TokenProbe struct {
	// Fault is what differs from a valid request; nil for nothing.
	Fault *Fault
	// Scopes are those that are asked for; the one of the Assessment Control
	// Service when there is none.
	Scopes []string
	// With are further or other claims of the assertion; a nil value takes the
	// claim away.
	With lti.Claims
	// Key signs instead of the tool's own.
	Key jwk.Key
}

// A Token is what a token endpoint answered. Beside Exchange and Raw, all is
// empty where it was not said, or not as text.
type Token struct {
	Exchange
	AccessToken, TokenType, Scope string
	ExpiresIn                     any // as it came
	Error                         string
	Raw                           map[string]any
}

// A ControlProbe says how the Assessment Control Service is asked.
type ControlProbe struct {
	// Fault is what differs from a valid request; nil for nothing.
	Fault *Fault
}

// assertionDraft is a request for an access token that a fault may still change.
type assertionDraft struct {
	tool      *Tool
	claims    lti.Claims  // of the assertion
	sign      signing.Way // nil for the right one
	key       jwk.Key     // the tool's own when nil
	field     string      // the parameter that holds the assertion; none when empty
	form      url.Values
	method    string
	url       string
	mediaType string
	basic     string // the client_id in the header of a fault
	twice     bool   // what is answered is the second one, where the first was granted a token

	registration Registration
}

// controlDraft is a request of the Assessment Control Service that a fault may
// still change.
type controlDraft struct {
	tool       *Tool
	members    map[string]any // numbers are of type [json.Number]
	body       []byte         // sent instead of the members where it is not nil
	method     string
	url        string
	mediaType  string // no header when empty
	token      string // none is sent when empty
	tokenInURL bool   // instead of the header

	authorization []string // are sent instead of the token where there are any
}

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
func (t *Tool) draftToken(issuer, clientID string, p TokenProbe) (*assertionDraft, error) {
	registration, ok := t.registered(issuer, clientID)
	switch {
	case !ok:
		return nil, fmt.Errorf("no platform %q with client_id %q is registered", issuer, clientID)
	case registration.TokenURL == "":
		return nil, errors.New("the registration has no token endpoint")
	}
	scopes := p.Scopes
	if len(scopes) == 0 {
		scopes = []string{lti.ScopeControl}
	}
	now := t.opts.Now()
	d := &assertionDraft{
		tool: t, registration: registration, key: p.Key, field: lti.ParamClientAssertion,
		method: http.MethodPost, url: registration.TokenURL, mediaType: mediaTypeForm,
		claims: lti.Claims{
			"iss": clientID, "sub": clientID, "aud": cmp.Or(registration.TokenAudience, registration.TokenURL),
			"iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix(), "jti": lti.RandomString(),
		},
		form: url.Values{
			lti.ParamGrantType:           {lti.GrantClientCredentials},
			lti.ParamClientAssertionType: {lti.AssertionTypeJWT},
			lti.ParamScope:               {strings.Join(scopes, " ")},
		},
	}
	change(d.claims, p.With)
	if f := p.Fault; f != nil {
		if f.assertion == nil {
			return nil, fmt.Errorf("fault %s is none of a token request", f.Name)
		}
		if err := f.changes(d.snapshot, func() error { return f.assertion(d) }); err != nil {
			return nil, err
		}
	}
	return tokenAsked.Pass(t.carrier, d), nil
}

var tokenAsked = &fault.Seam[*assertionDraft]{Name: "the request for an access token"}

const mediaTypeForm = "application/x-www-form-urlencoded"

// snapshot is the same for the same request only.
func (d *assertionDraft) snapshot() string {
	claims, _ := json.Marshal(d.claims) // signing tells of an error
	return fmt.Sprint(string(claims), d.sign != nil, d.key, d.field, d.form.Encode(), d.method, d.url, d.mediaType, d.twice)
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
	assertion, err := t.sign(d.claims, d.key, d.sign)
	if err != nil {
		return application{}, err
	}
	shown := maps.Clone(d.form)
	if d.field != "" {
		d.form.Set(d.field, assertion)
		shown.Set(d.field, assertion[:strings.LastIndexByte(assertion, '.')+1])
	}
	a := application{method: d.method, to: d.url, body: d.form.Encode(), mediaType: d.mediaType, shownURL: d.url, shownBody: shown.Encode(), basic: d.basic, twice: d.twice}
	if d.method == http.MethodGet {
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

// authorize gives a request its access token in the header, or other headers instead where
// there are any; none where the token stands in the URL.
func authorize(r *http.Request, instead []string, token string, inURL bool) {
	switch {
	case len(instead) > 0:
		r.Header["Authorization"] = instead
	case token != "" && !inURL:
		r.Header.Set("Authorization", bearer+" "+token)
	}
}

// withQuery adds to the query of a URL, which stays as it is.
func withQuery(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
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

// Control sends a request to the Assessment Control Service (Proctoring Services
// 1.0, 5). It fails only where nothing could be sent, and with [ErrUnchanged]; a
// refusal, or nobody's answer, is in what it returns.
func (t *Tool) Control(ctx context.Context, controlURL, accessToken string, request lti.ControlRequest, p ControlProbe) (*Exchange, error) {
	e, err := t.control(ctx, controlURL, accessToken, request, p)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	return e, nil
}

func (t *Tool) control(ctx context.Context, controlURL, accessToken string, request lti.ControlRequest, p ControlProbe) (*Exchange, error) {
	d, err := t.draftControl(controlURL, accessToken, request)
	if err != nil {
		return nil, err
	}
	if f := p.Fault; f != nil {
		if f.control == nil {
			return nil, fmt.Errorf("fault %s is none of a control request", f.Name)
		}
		if err := f.changes(d.snapshot, func() error { return f.control(d) }); err != nil {
			return nil, err
		}
	}
	return t.sendControl(ctx, d)
}

func (t *Tool) draftControl(controlURL, accessToken string, request lti.ControlRequest) (*controlDraft, error) {
	members, err := membersOf(request)
	return &controlDraft{
		tool: t, members: members, method: http.MethodPost, url: controlURL, mediaType: lti.MediaTypeControl, token: accessToken,
	}, err
}

// sendControl sends a request of the Assessment Control Service.
func (t *Tool) sendControl(ctx context.Context, d *controlDraft) (*Exchange, error) {
	body := d.body
	if body == nil {
		var err error
		if body, err = json.Marshal(d.members); err != nil {
			return nil, err
		}
	}
	to, err := d.target()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, d.method, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if d.mediaType != "" {
		r.Header.Set("Content-Type", d.mediaType)
	}
	r.Header.Set("Accept", lti.MediaTypeControl)
	authorize(r, d.authorization, d.token, d.tokenInURL)
	e := t.exchange(r, d.url, string(body))
	return &e, nil
}

// membersOf returns what a request says as its JSON, which a fault can change
// into what the request could not say.
func membersOf(request any) (map[string]any, error) {
	raw, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return members, decoder.Decode(&members)
}

// target is where the request goes: the URL as the platform wrote it, and the
// token where that belongs into it.
func (d *controlDraft) target() (string, error) {
	u, err := url.Parse(d.url)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: the URL of the control service is none", ErrUnusable)
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%w: nothing can be sent to %q", ErrUnusable, clip(d.url))
	case !d.tokenInURL:
		return d.url, nil
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += url.Values{"access_token": {d.token}}.Encode()
	return u.String(), nil
}

// snapshot is the same for the same request only.
func (d *controlDraft) snapshot() string {
	members, _ := json.Marshal(d.members) // sending tells of an error
	return fmt.Sprintf("%s %q %t %q %q %q %q %t %q", members, d.body, d.body == nil, d.method, d.url, d.mediaType, d.token, d.tokenInURL, d.authorization)
}

// Answer returns what the Assessment Control Service said, and an error where it
// said nothing that is known (Proctoring Services 1.0, 5).
func (e *Exchange) Answer() (lti.ControlResponse, error) {
	var answer lti.ControlResponse
	switch {
	case e.Status == 0:
		return answer, fmt.Errorf("nobody answered: %w", e.Err)
	case e.Status != http.StatusOK:
		return answer, fmt.Errorf("HTTP %d", e.Status)
	case e.Err != nil:
		return answer, fmt.Errorf("the answer broke off: %w", e.Err)
	}
	if err := json.Unmarshal(e.Body, &answer); err != nil {
		return lti.ControlResponse{}, errors.New("the answer is none of the service")
	}
	if !slices.Contains(lti.Statuses, answer.Status) {
		return lti.ControlResponse{}, errors.New("the answer has no status that is known")
	}
	return answer, nil
}

// How an order is sent.
var (
	orderSaid = &fault.Seam[ordering]{Name: "a control request", Clone: func(o ordering) ordering {
		o.draft.members = maps.Clone(o.draft.members)
		return o
	}}
	renewsToken   = &fault.Step[*Exchange]{Name: "asks for another access token where one is not taken", Honest: func(*Exchange) bool { return true }}
	tokenInstead  = &fault.Seam[renewing]{Name: "the access token that is sent after one that was not taken"}
	orderRepeated = &fault.Seam[ordered]{Name: "what came of an order that was sent"}
)

// ordering is a control request for a sitting.
type ordering struct {
	sitting *sitting
	draft   controlDraft
}

// renewing is the access token that is sent after one that was not taken.
type renewing struct {
	spent string
	renew func() (string, error)
}

// ordered is what came of an order.
type ordered struct {
	exchange *Exchange // nil where it could not be sent again
	err      error
	again    func() (*Exchange, error) // sends it once more
}

// order sends an order of a proctor to the platform. Where the platform does not
// take the access token any more, it is sent once more with a new one.
func (t *Tool) order(ctx context.Context, s *sitting, request lti.ControlRequest) (*Exchange, error) {
	token, err := t.controlToken(ctx, s, "")
	if err != nil {
		return nil, err
	}
	e, err := t.sendOrder(ctx, s, token, request)
	if err != nil {
		return nil, err
	}
	done := ordered{exchange: e, again: func() (*Exchange, error) { return t.sendOrder(ctx, s, token, request) }}
	if e.Status == http.StatusUnauthorized {
		if !renewsToken.Taken(t.carrier, e) {
			return e, nil
		}
		other, err := tokenInstead.Pass(t.carrier, renewing{token, func() (string, error) { return t.controlToken(ctx, s, token) }}).renew()
		if err == nil {
			return t.sendOrder(ctx, s, other, request)
		}
		done.exchange, done.err = nil, err
	}
	done = orderRepeated.Pass(t.carrier, done)
	return done.exchange, done.err
}

func (t *Tool) controlToken(ctx context.Context, s *sitting, spent string) (string, error) {
	return t.accessToken(ctx, s.client(), []string{lti.ScopeControl}, lti.ScopeControl, spent)
}

// sendOrder sends an order with an access token.
func (t *Tool) sendOrder(ctx context.Context, s *sitting, token string, request lti.ControlRequest) (*Exchange, error) {
	d, err := t.draftControl(s.controlURL, token, request)
	if err != nil {
		return nil, err
	}
	said := orderSaid.Pass(t.carrier, ordering{s, *d})
	return t.sendControl(ctx, &said.draft)
}
