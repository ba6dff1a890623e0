package fakeplatform

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// What services read of a request, how many requests of a kind are kept, and how
// long an access token is good (Security Framework 1.0, 7.1.1).
const (
	maxServiceBody     = 64 << 10
	maxServiceRecord   = 1000
	accessTokenExpires = time.Hour
)

// A TokenRequest is one to the token endpoint (Security Framework 1.0, 4.1.1).
type TokenRequest struct {
	Method, ContentType string
	// Addresses are those that it may have been sent to: the host is the one that it
	// names.
	Addresses []string
	Form      url.Values // of the body
	// AssertionHeader and AssertionClaims are what the client assertion says, and
	// nil where it cannot be read.
	AssertionHeader, AssertionClaims map[string]any
	ClientID                         string // of the client that the assertion has proved
	// Problems say what is not allowed in it.
	Problems []string
	// FormProblems are those of them that are of the request's form alone (Security
	// Framework 1.0, 4.1.1).
	FormProblems []string
	// ClientProblems are those of the form and of the client assertion, whatever was
	// asked for: it has not shown whose request it is.
	ClientProblems []string
	Granted        []string // scopes
	Status         int      // of the answer
	At             time.Time
}

// TokenRequests returns those that came from a tool, as far as that can be told of one
// with a mistake in it, in order and at most a thousand.
func (p *Platform) TokenRequests() []TokenRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.tokenRequests)
}

// application is a request for an access token while it is being judged.
type application struct {
	*http.Request
	platform  *Platform
	raw       string     // body and query, whatever form they have
	form      url.Values // of the body
	assertion jwt.Token
	clientID  string // that the assertion names
	scopes    []string
	offered   []*Launch // those that have last offered the tool services
	alone     bool      // for faults: no other one with the same assertion has come at the same time
}

// ofPart is what a part may know of the request.
func (a *application) ofPart() part.Application {
	return part.Application{Request: a.Request, Form: a.form, Scopes: a.scopes}
}

// serveToken is the token endpoint (Security Framework 1.0, 4.1; RFC 7523).
func (p *Platform) serveToken(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxServiceBody))
	if err != nil {
		body = nil // what cannot be read is missing
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm()
	a := &application{
		Request: r, platform: p, raw: string(body) + " " + r.URL.RawQuery, form: r.PostForm,
		assertion: jwt.Read(r.PostForm.Get(lti.ParamClientAssertion)),
	}
	a.clientID, _ = a.assertion.Claims["iss"].(string)
	formProblems := a.formProblems()
	*a = tokenRequestRead.Pass(p.carrier, readApplication{*a}).application
	wrong := append(part.RefusalsOf(tokenRequestRules.All(p.carrier, a)...), part.RefusalsOf(clientRules.All(p.carrier, a)...)...)
	proved := ""
	if p.isClient(a.clientID) {
		proof := part.RefusalsOf(assertionRules.All(p.carrier, a)...)
		if len(proof) == 0 {
			proved = a.clientID
		}
		wrong = append(wrong, proof...)
	}
	ofClient := wrong.Said()
	a.scopes = a.grantable()
	a.scopes = part.ScopesGranted.Pass(p.carrier, a.ofPart()).Scopes
	wrong = append(wrong, part.RefusalsOf(scopeRules.All(p.carrier, a)...)...)
	if judged := tokenRequestJudged.Pass(p.carrier, judgedApplication{application: a}); judged.instead != nil {
		judged.instead(w, r)
		return
	}
	grant := part.Grant{ClientID: a.clientID, Scopes: a.scopes, Nth: 1, Type: "Bearer", Expires: accessTokenExpires}
	if len(wrong) == 0 {
		grant = p.restricted(a, grant)
		a.scopes = grant.Scopes
	}
	if len(wrong) == 0 { // and meanwhile?
		wrong = part.RefusalsOf(jtiTaken.Check(p.carrier, a))
	}
	request := TokenRequest{
		Method: r.Method, ContentType: r.Header.Get("Content-Type"), Addresses: reachedAt(r), Form: maps.Clone(a.form), ClientID: proved,
		AssertionHeader: a.assertion.Header, AssertionClaims: a.assertion.Claims,
		Problems: wrong.Said(), FormProblems: formProblems, ClientProblems: ofClient, Status: http.StatusOK, At: p.opts.Now(),
	}
	var value string
	if len(wrong) > 0 {
		request.Status = wrong[0].Status
	} else {
		request.Granted = a.scopes
		value = p.grant(a, grant)
	}
	if p.isTools(a) {
		p.mu.Lock()
		if len(p.tokenRequests) < maxServiceRecord {
			p.tokenRequests = append(p.tokenRequests, request)
		}
		p.mu.Unlock()
	} else {
		p.unplanned(r, "a request for an access token that no tool of this platform has sent")
	}
	if len(wrong) > 0 {
		answer := tokenRefused.Pass(p.carrier, refusedApplication{application: a, why: wrong[0]})
		if answer.instead != nil {
			answer.instead(w, r)
			return
		}
		fail(w, wrong[0], http.MethodPost)
		return
	}
	answer := part.GrantSent.Pass(p.carrier, part.GrantAnswer{Application: a.ofPart(), MediaType: jsonMediaType, Caching: "no-store", Members: map[string]any{
		"access_token": value, "token_type": grant.Type, "expires_in": int(grant.Expires.Seconds()), lti.ParamScope: strings.Join(a.scopes, " "),
	}})
	var sent any = answer.Members
	if grant.Instead != nil {
		sent = grant.Instead(answer.Members)
	}
	part.Send(w, http.StatusOK, answer.MediaType, sent, answer.Caching)
}

// HoldsAccessToken says whether a text has an access token that the launch's platform has
// granted, and that has not expired long since.
func (l *Launch) HoldsAccessToken(text string) bool {
	l.platform.mu.Lock()
	defer l.platform.mu.Unlock()
	for token := range l.platform.accessTokens {
		if strings.Contains(text, token) {
			return true
		}
	}
	return false
}

// jwts are what looks like a JWT, wherever it stands.
var jwts = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)

// isTools says whether an application is that of a tool that is registered, whatever
// is wrong with it: it asks for what only tools know of, names its client_id, or is
// signed by it. Any other can be anybody's.
func (p *Platform) isTools(a *application) bool {
	if slices.ContainsFunc(strings.Fields(a.form.Get(lti.ParamScope)), func(scope string) bool { return slices.Contains(grantedScopes, scope) }) {
		return true
	}
	names := []string{a.form.Get(lti.ParamClientID)}
	if user, _, ok := a.BasicAuth(); ok {
		names = append(names, user)
	}
	assertions := []jwt.Token{a.assertion}
	for _, compact := range jwts.FindAllString(a.raw, 3) {
		assertions = append(assertions, jwt.Read(compact))
	}
	for _, assertion := range assertions {
		for _, claim := range []string{"iss", "sub"} {
			name, _ := assertion.Claims[claim].(string)
			names = append(names, name)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		_, known := p.registrationOf(name)
		return known
	}) || slices.ContainsFunc(assertions, func(assertion jwt.Token) bool { return p.toolKeys.SignedByTool(a.Context(), assertion) })
}

// fail answers with an error (RFC 6749, 5.2), where only those methods are allowed.
func fail(w http.ResponseWriter, why part.Refusal, methods ...string) {
	part.Fail(w, why.Status, why.Code, why.Says, methods...)
}

// restricted lets the launch that has last offered the tool services change what is granted.
func (p *Platform) restricted(a *application, grant part.Grant) part.Grant {
	a.offered = p.offering(a.clientID)
	if len(a.offered) == 0 {
		return grant
	}
	latest := slices.MaxFunc(a.offered, func(one, other *Launch) int { return one.planned.Compare(other.planned) })
	latest.granted.Range(func(any, any) bool {
		grant.Nth++
		return true
	})
	return part.Granted.Pass(latest.carrier(), grant)
}

// grant makes an access token.
func (p *Platform) grant(a *application, grant part.Grant) string {
	value := cmp.Or(grant.Value, accessTokenMade.Pass(p.carrier, lti.RandomString()))
	now := p.opts.Now()
	for _, l := range a.offered {
		l.granted.Store(value, true)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.accessTokens, func(_ string, t part.Token) bool { return !now.Before(t.Expires) })
	p.accessTokens[value] = part.Token{Value: value, ClientID: a.clientID, Scopes: a.scopes, Expires: now.Add(grant.Expires)}
	return value
}

// last returns the latest of what has been collected, at most n of them.
func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }
