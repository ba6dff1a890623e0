package faketool

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator/lti"
)

// leeway is how far the clocks of platform and tool may be apart.
const leeway = time.Minute

// claims are those of an id_token. Nothing in them is to be trusted before
// verified is set.
type claims struct {
	members  map[string]any
	verified bool // signature, issuer and audience have been checked
}

func (c claims) text(name string) (string, bool) {
	s, ok := c.members[name].(string)
	return s, ok
}

func (c claims) object(name string) map[string]any {
	o, _ := c.members[name].(map[string]any)
	return o
}

func (c claims) returnURL() string {
	s, _ := c.object(lti.ClaimLaunchPresentation)["return_url"].(string)
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}

func (c claims) launch() Launch {
	l := Launch{ReturnURL: c.returnURL()}
	l.Sub, _ = c.text("sub")
	l.Name, _ = c.text("name")
	l.ResourceLink, _ = c.object(lti.ClaimResourceLink)["title"].(string)
	if l.ResourceLink == "" {
		l.ResourceLink, _ = c.object(lti.ClaimResourceLink)["id"].(string)
	}
	roles, _ := c.members[lti.ClaimRoles].([]any)
	for _, role := range roles {
		if s, ok := role.(string); ok {
			l.Roles = append(l.Roles, s)
		}
	}
	return l
}

// validate checks the answer to an authentication request in full (Security
// Framework 1.0, 5.1.1.4 and 5.1.3; LTI Core 1.3, 5.3). A login is used up only
// by a token that passes every check, so that nobody can burn another's nonce.
func (t *Tool) validate(r *http.Request) (claims, error) {
	token := r.PostForm.Get(lti.ParamIDToken)
	if token == "" {
		return claims{}, badRequest("The launch has no id_token.")
	}
	header, members, err := decode(token)
	if err != nil {
		return claims{}, badRequest("The id_token cannot be read: %v.", err)
	}
	c := claims{members: members}
	begun, err := t.loginOf(r, c)
	if err != nil {
		return c, err
	}
	if err := t.verifySignature(r, token, header, begun.registration); err != nil {
		return c, err
	}
	for _, check := range []func(*login, claims) error{t.checkIssuer, t.checkAudience} {
		if err := check(begun, c); err != nil {
			return c, err
		}
	}
	c.verified = true
	for _, check := range []func(*login, claims) error{t.checkTimes, t.checkNonce, t.checkMessage, t.checkDeployment, t.checkUser} {
		if err := check(begun, c); err != nil {
			return c, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if begun.used && !t.faults[AcceptsLaunchTwice] {
		return c, unauthorized("This login has been used already.")
	}
	begun.used = true
	return c, nil
}

// decode reads header and claims without trusting either.
func decode(token string) (header, members map[string]any, err error) {
	h, c, err := lti.Decode(token)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(h, &header); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if err := json.Unmarshal(c, &members); err != nil {
		return nil, nil, fmt.Errorf("payload: %w", err)
	}
	return header, members, nil
}

// loginOf finds the login that the state belongs to and makes sure that it was
// begun in this browser (Security Framework 1.0, 5.1.1.4 and 7.3.1).
func (t *Tool) loginOf(r *http.Request, c claims) (*login, error) {
	states, present := r.PostForm[lti.ParamState]
	state := strings.Join(states, " ")
	nonce, _ := c.text("nonce")
	t.mu.Lock()
	begun, known := t.logins[state]
	byNonce, nonceKnown := t.byNonce[nonce]
	only := t.registrations[:min(1, len(t.registrations))]
	t.mu.Unlock()

	switch {
	case !present && t.faults[AcceptsMissingState], present && state == "" && t.faults[AcceptsEmptyState]:
		begun, known = byNonce, nonceKnown
	case state == "":
		return nil, unauthorized("The launch has no state.")
	case !known && t.faults[AcceptsUnknownState]:
		begun, known = byNonce, nonceKnown
	}
	if !known && !nonceKnown && t.faults[AcceptsUnsolicited] && len(only) > 0 {
		return &login{registration: only[0], nonce: nonce, expires: t.opts.Now().Add(loginLifetime)}, nil
	}
	if !known {
		return nil, unauthorized("The state belongs to no login of this tool.")
	}
	if t.opts.Now().After(begun.expires) {
		return nil, unauthorized("The login has taken too long.")
	}
	if !t.ownsLogin(r, begun) && !t.faults[IgnoresStateCookie] && !t.faults[SetsNoStateCookie] {
		return nil, unauthorized("The login was not begun in this browser, or its cookie was not sent.")
	}
	return begun, nil
}

// ownsLogin says whether the browser sent the cookie of the login.
func (t *Tool) ownsLogin(r *http.Request, begun *login) bool {
	return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool {
		return strings.HasPrefix(c.Name, cookieName("")) && subtle.ConstantTimeCompare([]byte(c.Value), []byte(begun.cookie)) == 1
	})
}

// verifySignature checks the JWS with the platform's key that its header names
// (Security Framework 1.0, 5.1.3 (1), 5.4 and 6.3). Only RS256 is agreed on.
func (t *Tool) verifySignature(r *http.Request, token string, header map[string]any, reg Registration) error {
	if t.acceptsUnsigned(header) {
		return nil
	}
	kid, _ := header["kid"].(string)
	key, err := t.keyNamed(r, kid, reg)
	if err != nil {
		return err
	}
	alg, _ := header["alg"].(string)
	if t.acceptsHMAC(token, alg, key) {
		return nil
	}
	if alg != jwa.RS256.String() {
		return unauthorized("The id_token is signed with %q instead of RS256.", alg)
	}
	if strings.HasSuffix(token, ".") && t.faults[AcceptsEmptySignature] || t.faults[SkipsSignature] {
		return nil
	}
	if _, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, key)); err != nil {
		return unauthorized("The signature of the id_token is not the platform's.")
	}
	return nil
}

// keyNamed returns the platform's key of that kid. The key set is fetched
// again when the kid is new, so that a rotation needs no restart (OpenID
// Connect Core 1.0, 10.1.1).
func (t *Tool) keyNamed(r *http.Request, kid string, reg Registration) (jwk.Key, error) {
	if kid == "" {
		return nil, unauthorized("The id_token names no key.")
	}
	t.mu.Lock()
	set, cached := t.keySets[reg.JWKSURL]
	t.mu.Unlock()
	if cached {
		if key, ok := set.LookupKeyID(kid); ok {
			return key, nil
		}
	}
	if !cached || !t.faults[NeverFetchesKeysAgain] {
		fetched, err := t.fetchKeys(r, reg.JWKSURL)
		if err != nil {
			return nil, unauthorized("The platform's key set cannot be had: %v.", err)
		}
		set = fetched
	}
	if key, ok := set.LookupKeyID(kid); ok {
		return key, nil
	}
	if key, ok := set.Key(0); ok && t.faults[TriesAnyKey] {
		return key, nil
	}
	return nil, unauthorized("The platform has no key %q.", kid)
}

func (t *Tool) fetchKeys(r *http.Request, from string) (jwk.Set, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := t.opts.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	set, err := jwk.Parse(body)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keySets[from] = set
	return set, nil
}

// checkIssuer holds iss against the platform that the login was begun for
// (Security Framework 1.0, 5.1.3 (2)).
func (t *Tool) checkIssuer(begun *login, c claims) error {
	iss, isText := c.text("iss")
	if list, ok := c.members["iss"].([]any); ok && len(list) > 0 && t.faults[AcceptsIssuerArray] {
		iss, isText = list[0].(string)
	}
	switch {
	case t.faults[IgnoresIssuer]:
		return nil
	case t.faults[ComparesIssuerLoosely] && loosely(iss) == loosely(begun.registration.Issuer):
		return nil
	case !isText || iss != begun.registration.Issuer:
		return unauthorized("The issuer %v is not %q.", c.members["iss"], begun.registration.Issuer)
	}
	return nil
}

func loosely(issuer string) string {
	_, rest, _ := strings.Cut(strings.ToLower(issuer), "://")
	return strings.TrimSuffix(rest, "/")
}

// checkAudience wants this client, and nobody else, as the audience (Security
// Framework 1.0, 5.1.3 (3) to (5)).
func (t *Tool) checkAudience(begun *login, c claims) error {
	var audiences []any
	switch aud := c.members["aud"].(type) {
	case string:
		audiences = []any{aud}
	case []any:
		audiences = aud
	case nil:
		if t.faults[AcceptsMissingAudience] {
			return nil
		}
	}
	clientID := begun.registration.ClientID
	matches := func(aud any) bool {
		s, ok := aud.(string)
		return ok && (s == clientID || t.faults[IgnoresCaseOfAudience] && strings.EqualFold(s, clientID))
	}
	if t.faults[IgnoresAudience] {
		return nil
	}
	azp, hasAZP := c.members["azp"]
	if len(audiences) != 1 || !matches(audiences[0]) || hasAZP && azp != clientID {
		err := unauthorized("The audience %v is not %q.", c.members["aud"], clientID)
		if t.faults[RefusesAudienceWith400] {
			err.status = http.StatusBadRequest
		}
		return err
	}
	return nil
}

// checkTimes wants a token that was issued and has not expired (Security
// Framework 1.0, 5.1.3 (7) and (8)).
func (t *Tool) checkTimes(_ *login, c claims) error {
	now := t.opts.Now()
	exp, present := c.members["exp"]
	if s, ok := exp.(string); ok && t.faults[ReadsExpiryFromText] {
		var seconds float64
		if _, err := fmt.Sscan(s, &seconds); err == nil {
			exp = seconds
		}
	}
	switch expires, isTime := seconds(exp); {
	case t.faults[IgnoresExpiry] && isTime,
		!present && t.faults[AcceptsMissingExpiry],
		present && exp == nil && t.faults[AcceptsNullExpiry]:
	case !isTime:
		return unauthorized("The id_token has no time of expiry.")
	case now.After(expires.Add(leeway)):
		return unauthorized("The id_token has expired.")
	}
	issued, isTime := seconds(c.members["iat"])
	if !isTime || issued.After(now.Add(leeway)) {
		return unauthorized("The id_token has no time of issue, or one to come.")
	}
	return nil
}

// seconds reads a NumericDate (RFC 7519, 2).
func seconds(claim any) (time.Time, bool) {
	f, ok := claim.(float64)
	if !ok || math.Abs(f) > math.MaxInt32*100 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

// checkNonce wants the nonce that this login sent (OpenID Connect Core 1.0, 3.2.2.11).
func (t *Tool) checkNonce(begun *login, c claims) error {
	nonce, isText := c.text("nonce")
	_, present := c.members["nonce"]
	t.mu.Lock()
	other, known := t.byNonce[nonce]
	used := known && other.used
	t.mu.Unlock()
	switch {
	case !present && t.faults[AcceptsMissingNonce],
		isText && nonce == "" && t.faults[AcceptsEmptyNonce],
		isText && nonce != "" && !known && t.faults[AcceptsUnknownNonce],
		known && !used && t.faults[AcceptsNonceOfAnyLogin],
		used && other != begun && t.faults[AcceptsUsedNonce]:
		return nil
	case !isText || nonce == "":
		return unauthorized("The id_token has no nonce.")
	case subtle.ConstantTimeCompare([]byte(nonce), []byte(begun.nonce)) != 1:
		return unauthorized("The nonce is not the one of this login.")
	}
	return nil
}

// checkMessage wants a resource link launch with all that it requires (LTI
// Core 1.3, 5.3).
func (t *Tool) checkMessage(_ *login, c claims) error {
	messageType, _ := c.text(lti.ClaimMessageType)
	sameType := messageType == lti.ResourceLinkRequest ||
		t.faults[IgnoresCaseOfMessageType] && strings.EqualFold(messageType, lti.ResourceLinkRequest) ||
		t.faults[IgnoresMessageType] && messageType != ""
	if !sameType {
		return badRequest("The message type is %v instead of %s.", c.members[lti.ClaimMessageType], lti.ResourceLinkRequest)
	}
	if version, _ := c.text(lti.ClaimVersion); version != lti.Version {
		return badRequest("The version is %v instead of %s.", c.members[lti.ClaimVersion], lti.Version)
	}
	if target, _ := c.text(lti.ClaimTargetLinkURI); target == "" {
		return badRequest("The message has no target_link_uri.")
	}
	if id, _ := c.object(lti.ClaimResourceLink)["id"].(string); id == "" {
		return badRequest("The message has no resource link.")
	}
	return nil
}

// checkDeployment wants a deployment that is registered (LTI Core 1.3, 5.3.3).
func (t *Tool) checkDeployment(begun *login, c claims) error {
	id, isText := c.text(lti.ClaimDeploymentID)
	_, present := c.members[lti.ClaimDeploymentID]
	switch {
	case !present && t.faults[AcceptsMissingDeployment], present && id == "" && t.faults[AcceptsEmptyDeployment]:
		return nil
	case !isText || !slices.Contains(begun.registration.DeploymentIDs, id):
		return badRequest("The deployment %v is not registered.", c.members[lti.ClaimDeploymentID])
	}
	return nil
}

// checkUser wants roles, however many, and a user (LTI Core 1.3, 5.3.6 and 5.3.7).
func (t *Tool) checkUser(_ *login, c claims) error {
	list, ok := c.members[lti.ClaimRoles].([]any)
	if !ok {
		return badRequest("The message has no roles.")
	}
	for _, role := range list {
		switch {
		case role == lti.RoleUnknown && t.faults[RefusesUnknownRole]:
			return badRequest("The role %v is unknown.", role)
		case role == lti.RoleInstructor && len(list) == 1 && t.faults[RefusesTeachers]:
			return badRequest("This tool is for students.")
		}
	}
	if sub, _ := c.text("sub"); sub == "" {
		return badRequest("The message has no user.")
	}
	if _, ok := c.members["middle_name"]; ok && t.faults[RefusesMiddleName] {
		return badRequest("The claim middle_name is unknown.")
	}
	return nil
}

// acceptsUnsigned are the faults that take an unsigned token for signed.
func (t *Tool) acceptsUnsigned(header map[string]any) bool {
	alg, present := header["alg"].(string)
	return alg == "none" && t.faults[AcceptsAlgNone] ||
		alg != "none" && strings.EqualFold(alg, "none") && t.faults[AcceptsAlgNoneInOtherSpelling] ||
		!present && t.faults[AcceptsMissingAlg]
}

// acceptsHMAC is the fault of taking the public key for an HMAC secret.
func (t *Tool) acceptsHMAC(token, alg string, key jwk.Key) bool {
	if !t.faults[AcceptsPublicKeyAsSecret] || !strings.HasPrefix(alg, "HS") {
		return false
	}
	secret, err := jwk.Pem(key)
	if err != nil {
		return false
	}
	_, err = jws.Verify([]byte(token), jws.WithKey(jwa.SignatureAlgorithm(alg), secret))
	return err == nil
}
