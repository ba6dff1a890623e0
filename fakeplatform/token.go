package fakeplatform

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator/lti"
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

// accessToken is what the platform knows of one.
type accessToken struct {
	clientID string
	scopes   []string
	expires  time.Time
}

// application is a request for an access token while it is being judged.
type application struct {
	*http.Request
	raw       string     // body and query, whatever form they have
	form      url.Values // of the body
	assertion token
	clientID  string // that the assertion names
	scopes    []string
	// For faults: what the token is, and how it is granted.
	value     string // one is made when empty
	tokenType string
	expires   time.Duration
	answers   func(map[string]any) any // what is sent of it; nil for all
	nth       int                      // of those granted since the launch that has the fault, from 1
	book      *gradebook               // of that launch; nil for none
	exam      *Launch                  // that launch, where it is one into an exam
	twin      bool                     // another one with the same assertion has come at the same time
}

// The checks say what is wrong with an application, in the order in which it is
// told. Those of the assertion need a client that is known.
var (
	checkApplication = []func(*Platform, *application) []refusal{(*Platform).checkGrant, (*Platform).checkClient}
	checkAssertion   = []func(*Platform, *application) []refusal{(*Platform).checkProof, (*Platform).checkAudience, (*Platform).checkExpiry, (*Platform).checkJTI}
)

// serveToken is the token endpoint (Security Framework 1.0, 4.1; RFC 7523).
func (p *Platform) serveToken(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxServiceBody))
	if err != nil {
		body = nil // what cannot be read is missing
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm()
	a := &application{
		Request: r, raw: string(body) + " " + r.URL.RawQuery, form: r.PostForm, assertion: readToken(r.PostForm.Get(lti.ParamClientAssertion)), tokenType: "Bearer", expires: accessTokenExpires,
	}
	a.clientID, _ = a.assertion.claims["iss"].(string)
	p.awaitTwin(a)
	formProblems := a.formProblems()
	p.readOtherwise(a)
	var wrong []refusal
	for _, check := range checkApplication {
		wrong = append(wrong, check(p, a)...)
	}
	proved := ""
	if _, known := p.registrationOf(a.clientID); known {
		var proof []refusal
		for _, check := range checkAssertion {
			proof = append(proof, check(p, a)...)
		}
		if len(proof) == 0 {
			proved = a.clientID
		}
		wrong = append(wrong, proof...)
	}
	ofClient := said(wrong)
	wrong = append(wrong, p.checkScope(a)...)
	if len(wrong) == 0 && p.has(GrantsNobody) {
		wrong = append(wrong, invalidClient("the client assertion is not trusted"))
	}
	if p.has(CrashesOnTokenRequests) {
		crash(w)
		return
	}
	if len(wrong) == 0 {
		p.restrict(a)
	}
	if len(wrong) == 0 && !p.use(a) { // meanwhile
		wrong = append(wrong, invalidClient(usedJTI))
	}
	request := TokenRequest{
		Method: r.Method, ContentType: r.Header.Get("Content-Type"), Addresses: reachedAt(r), Form: maps.Clone(a.form), ClientID: proved,
		AssertionHeader: a.assertion.header, AssertionClaims: a.assertion.claims,
		Problems: said(wrong), FormProblems: formProblems, ClientProblems: ofClient, Status: http.StatusOK, At: p.opts.Now(),
	}
	var value string
	if len(wrong) > 0 {
		request.Status = wrong[0].status
	} else {
		request.Granted = a.scopes
		value = p.grant(a)
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
		if !p.failsTokenOtherwise(w, a, wrong[0]) {
			fail(w, wrong[0], http.MethodPost)
		}
		return
	}
	answer := map[string]any{
		"access_token": value, "token_type": a.tokenType, "expires_in": int(a.expires.Seconds()), lti.ParamScope: strings.Join(a.scopes, " "),
	}
	p.spoilGrant(a, answer)
	var sent any = answer
	if a.answers != nil {
		sent = a.answers(answer)
	}
	writeJSON(w, http.StatusOK, p.labelOfTokens(), sent, p.cachingOfTokens()...)
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
	assertions := []token{a.assertion}
	for _, compact := range jwts.FindAllString(a.raw, 3) {
		assertions = append(assertions, readToken(compact))
	}
	for _, assertion := range assertions {
		for _, claim := range []string{"iss", "sub"} {
			name, _ := assertion.claims[claim].(string)
			names = append(names, name)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		_, known := p.registrationOf(name)
		return known
	}) || slices.ContainsFunc(assertions, func(assertion token) bool { return p.signedByTool(a.Context(), assertion) })
}

// signedByTool says whether an assertion is signed with a key of a tool that is
// registered, whomever it names. It asks for a key set only where none is known yet,
// so that nobody can make the platform ask without end.
func (p *Platform) signedByTool(ctx context.Context, assertion token) bool {
	kid, _ := assertion.header["kid"].(string)
	alg, _ := assertion.header["alg"].(string)
	if kid == "" || assertion.claims == nil {
		return false
	}
	p.mu.Lock()
	addresses := map[string]bool{}
	for _, registration := range p.registrations {
		addresses[registration.JWKSURL] = registration.JWKSURL != ""
	}
	p.mu.Unlock()
	for address, is := range addresses {
		if !is {
			continue
		}
		key := signing(p.knownKeys(ctx, address), kid)
		if key == nil {
			continue
		}
		if _, err := jws.Verify([]byte(assertion.compact), jws.WithKey(jwa.SignatureAlgorithm(alg), key)); err == nil {
			return true
		}
	}
	return false
}

// fail answers with an error (RFC 6749, 5.2), where only those methods are allowed.
func fail(w http.ResponseWriter, why refusal, methods ...string) {
	if why.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", strings.Join(methods, ", "))
	}
	writeJSON(w, why.status, "application/json", map[string]string{lti.ParamError: why.code, lti.ParamErrorDescription: why.says})
}

func writeJSON(w http.ResponseWriter, status int, contentType string, value any, cache ...string) {
	w.Header().Set("Content-Type", contentType)
	w.Header()["Cache-Control"] = append([]string{"no-store"}, cache...)[len(cache):]
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the tool has gone if this fails
}

// use notes that the assertion was used, once.
func (p *Platform) use(a *application) bool {
	jti, _ := a.assertion.claims["jti"].(string)
	exp, _ := instant(a.assertion.claims["exp"])
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.assertions.used(a.clientID, jti) && jti != "" && !p.takesAgain(a) {
		return false
	}
	p.assertions.add(a.clientID, jti, p.opts.Now(), exp.Add(leeway))
	return true
}

// grant makes an access token.
func (p *Platform) grant(a *application) string {
	value := cmp.Or(a.value, p.makeAccessToken())
	now := p.opts.Now()
	p.grades.grants(a.book, value)
	if a.exam != nil {
		a.exam.granted.Store(value, true)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.accessTokens, func(_ string, t accessToken) bool { return !now.Before(t.expires) })
	p.accessTokens[value] = accessToken{a.clientID, a.scopes, now.Add(a.expires)}
	return value
}

func invalidClient(says string) refusal {
	return refusal{status: http.StatusUnauthorized, code: lti.ErrorInvalidClient, says: says}
}

// checkGrant checks how the application was sent, and what for.
func (p *Platform) checkGrant(a *application) []refusal {
	var found refusals
	byGet := a.Method == http.MethodGet && p.has(TakesTokenRequestsByGet)
	if a.Method != http.MethodPost && !byGet {
		found = append(found, refusal{http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, "the request is a " + a.Method + " instead of a POST"})
	}
	if strings.Contains(a.Header.Get("Content-Type"), ";") && p.has(RefusesFormCharset) {
		found.bad("the content type has parameters")
	}
	if mediaType(a.Request) != formMediaType && !byGet {
		found.bad("the content type is %.100q instead of %s", a.Header.Get("Content-Type"), formMediaType)
	}
	for _, name := range slices.Sorted(maps.Keys(a.form)) {
		if len(a.form[name]) > 1 {
			found.bad("%.100s occurs %d times", name, len(a.form[name]))
		}
	}
	if grant := a.form.Get(lti.ParamGrantType); grant == "" {
		if !p.has(TakesMissingGrantType) {
			found.bad("grant_type is missing")
		}
	} else if grant != lti.GrantClientCredentials && !p.has(IgnoresGrantType) {
		found = append(found, refusal{http.StatusBadRequest, lti.ErrorUnsupportedGrantType, "grant_type is not " + lti.GrantClientCredentials})
	}
	return found
}

// checkClient checks that the application names a client that is known (RFC
// 7523, 2.2).
func (p *Platform) checkClient(a *application) []refusal {
	var found []refusal
	if a.form.Get(lti.ParamClientAssertionType) != lti.AssertionTypeJWT && !p.has(IgnoresAssertionType) {
		found = append(found, invalidClient("client_assertion_type is not "+lti.AssertionTypeJWT))
	}
	if a.assertion.header == nil || a.assertion.claims == nil {
		return append(found, invalidClient("client_assertion is missing or no JWT"))
	}
	if _, known := p.registrationOf(a.clientID); !known {
		found = append(found, invalidClient("iss is the client_id of no tool"))
	}
	if a.assertion.claims["sub"] != a.clientID && !p.has(IgnoresAssertionSubject) {
		found = append(found, invalidClient("sub is not the client_id"))
	}
	if _, sent := a.assertion.claims["vendor_note"]; sent && p.has(RefusesAssertionMembers) {
		found = append(found, invalidClient("the assertion has a claim that is unknown"))
	}
	if _, sent := a.assertion.claims[lti.ClaimDeploymentID]; sent && p.has(RefusesDeploymentInAssertion) {
		found = append(found, invalidClient("the assertion has a deployment_id"))
	}
	if a.form.Has(lti.ParamClientID) && a.form.Get(lti.ParamClientID) != a.clientID {
		found = append(found, invalidClient("client_id is not that of the assertion"))
	}
	return found
}

// checkProof checks that the assertion is the client's.
func (p *Platform) checkProof(a *application) []refusal {
	registration, _ := p.registrationOf(a.clientID)
	if err := p.verify(a.Context(), a.assertion, registration, ofAssertions); err != nil {
		if errors.Is(err, ErrNoKeySet) {
			p.unplanned(a.Request, ErrNoKeySet.Error())
		}
		return []refusal{invalidClient(err.Error())}
	}
	return nil
}

// checkAudience checks that the assertion is for this token endpoint.
func (p *Platform) checkAudience(a *application) []refusal {
	aud := audiences(a.assertion.claims["aud"])
	names := []string{p.TokenURL(), p.opts.URL + TokenPath, p.issuer}
	if p.opts.SignedIn == nil { // it is reached under more names than one, such as localhost and 127.0.0.1
		names = append(names, reachedAt(a.Request)...)
	}
	own := slices.ContainsFunc(names, func(own string) bool { return slices.Contains(aud, own) })
	if !own && !p.takesAssertionAudience(a, aud) {
		return []refusal{invalidClient("aud does not name this token endpoint")}
	}
	if _, isText := a.assertion.claims["aud"].(string); own && !isText && p.has(RefusesAssertionAudienceArrays) {
		return []refusal{invalidClient("aud is no string")}
	}
	return nil
}

// reachedAt are the addresses by which a request has come.
func reachedAt(r *http.Request) []string {
	return []string{"http://" + r.Host + r.URL.Path, "https://" + r.Host + r.URL.Path}
}

// checkExpiry checks that the assertion is a new one.
func (p *Platform) checkExpiry(a *application) []refusal {
	if found := p.needsWhole(a.assertion.claims, NeedsWholeAssertionIssueTime, NeedsWholeAssertionExpiry, NeedsWholeAssertionNotBefore); found != "" {
		return []refusal{invalidClient(found)}
	}
	now := p.opts.Now()
	exp, ok := instant(a.assertion.claims["exp"])
	if !ok {
		if p.has(TakesAssertionsWithoutExpiry) {
			return nil
		}
		return []refusal{invalidClient("exp is missing or no time")}
	}
	if now.After(exp.Add(leeway)) && !p.has(IgnoresAssertionExpiry) {
		return []refusal{invalidClient("the assertion has expired")}
	}
	if exp.After(now.Add(oldest)) {
		return []refusal{invalidClient("exp lies more than a day ahead")}
	}
	return nil
}

// usedJTI is why an assertion is refused that was used.
const usedJTI = "jti has been used already"

// checkJTI checks that the assertion has not been used yet.
func (p *Platform) checkJTI(a *application) []refusal {
	jti, _ := a.assertion.claims["jti"].(string)
	if jti == "" && p.has(TakesAssertionsWithoutJTI) {
		return nil
	}
	if jti == "" {
		return []refusal{invalidClient("jti is missing or empty")}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.assertions.used(a.clientID, jti) && !p.takesAgain(a) {
		return []refusal{invalidClient(usedJTI)}
	}
	return nil
}

// grantedScopes are those that a tool may have.
var grantedScopes = slices.Concat([]string{lti.ScopeControl}, lti.GradeScopes, scopesOf(parts))

// checkScope chooses the scopes that are granted: those asked for that there
// are.
func (p *Platform) checkScope(a *application) []refusal {
	for scope := range strings.FieldsSeq(a.form.Get(lti.ParamScope)) {
		if (slices.Contains(grantedScopes, scope) || p.has(GrantsUnknownScopes)) && !slices.Contains(a.scopes, scope) {
			a.scopes = append(a.scopes, scope)
		}
	}
	if !a.form.Has(lti.ParamScope) && p.has(GrantsWithoutScope) {
		a.scopes = slices.Clone(grantedScopes)
	}
	if slices.Equal(a.scopes, []string{lti.ScopeScore}) && p.has(GrantsControlWithScores) {
		a.scopes = append(a.scopes, lti.ScopeControl)
	}
	p.restrictGrades(a)
	if len(a.scopes) > 1 && p.has(RefusesSeveralScopes) {
		a.scopes = nil
	}
	if len(a.scopes) == 0 {
		return []refusal{{http.StatusBadRequest, lti.ErrorInvalidScope, "scope names nothing that this platform grants"}}
	}
	return nil
}
