package faketool

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/cert"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What several faults have in common, and what takes more than a line of theirs.

func always[T any](T) bool { return true }

// liftAll lifts all of these rules.
func liftAll(when func(*response) bool, rules ...*rule) (effects []fault.Effect) {
	for _, r := range rules {
		effects = append(effects, r.Lift(when))
	}
	return effects
}

// needs is a rule of faults that are too strict.
func needs(says string, kept func(*response) bool) func(*response) error {
	return func(q *response) error {
		if kept(q) {
			return nil
		}
		return badRequest("%s", says)
	}
}

// errCrash is what the tool dies of.
var errCrash = &part.Refusal{Status: http.StatusInternalServerError, Why: "null"}

func crash(*response, error) error { return errCrash }

// What a message is there for.

func (q *response) opensLink() bool { return q.t.rulesOf(q.claims) == opensLink }

// lacksAll says whether the claims are missing that every message has.
func (q *response) lacksAll() bool {
	return !q.has(lti.ClaimMessageType) && !q.has(lti.ClaimVersion) && !q.has(lti.ClaimRoles)
}

// The login that a response answers.

// loginOfNonce is the login that has sent the nonce of the id_token; nil for none.
func (q *response) loginOfNonce() *login {
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	return q.t.byNonce[q.nonce()]
}

func goByNonce(q *response) *response {
	q.begun = q.loginOfNonce()
	return q
}

// firstRegistration is the first that the tool knows; nil where it knows none.
func (t *Tool) firstRegistration() *Registration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.registrations) == 0 {
		return nil
	}
	return &t.registrations[0]
}

// goOnUnasked makes up a login for a response that answers none, in a browser that began none.
func goOnUnasked(q *response) *response {
	q.begun = &login{registration: *q.t.firstRegistration(), nonce: q.nonce(), expires: q.now().Add(loginLifetime)}
	return q
}

// unasked says whether the login is made up.
func unasked(q *response) bool { return q.begun.cookie == "" }

// isUsed says whether a login has been used.
func (t *Tool) isUsed(begun *login) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return begun.used
}

// ofOpenLogin says whether the nonce is that of a login that waits for its answer.
func (q *response) ofOpenLogin() bool {
	other := q.loginOfNonce()
	return other != nil && !q.t.isUsed(other)
}

// ofUsedLogin says whether the nonce is that of another login, which has been used.
func (q *response) ofUsedLogin() bool {
	other := q.loginOfNonce()
	return other != nil && other != q.begun && q.t.isUsed(other)
}

// browserState says what a browser has done here before.
type browserState struct{ sent, launched bool }

func (q *response) browser() browserState {
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	sent, launched := q.t.browserOf(q.r)
	return browserState{sent != nil, launched}
}

// boundByStorage says whether a page has read in the browser's storage what binds the login.
func (q *response) boundByStorage() bool {
	bound := q.r.PostForm.Get(boundParam)
	return bound != "" && bound == q.begun.cookie
}

// hasSession says whether the browser has been launched before.
func hasSession(q *response) bool {
	_, err := q.r.Cookie(sessionCookie)
	return err == nil
}

// meet waits for another response to the same login, and says whether one has come at the
// same time.
func (q *response) meet() bool {
	return !q.t.isUsed(q.begun) && q.t.pairs.Meet(q.r.Context(), q.begun.nonce)
}

func meetTwin(q *response) *response {
	q.twin = q.meet()
	return q
}

func meetTwinLate(q *response) *response {
	q.late = q.meet()
	return q
}

// acceptOnce takes the first token without a nonce.
func acceptOnce(q *response, err error) error {
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	if q.t.tookNoNonce {
		return err
	}
	q.t.tookNoNonce = true
	return nil
}

// isOf says whether a claim is that text.
func (q *response) isOf(claim, value string) bool {
	text, _ := q.text(claim)
	return text == value
}

// named is the index of the registration that an id_token names; -1 for none.
func (q *response) named() int {
	issuer, _ := q.text("iss")
	clientID, _ := q.text("aud")
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	return slices.IndexFunc(q.t.registrations, func(r Registration) bool { return r.Issuer == issuer && r.ClientID == clientID })
}

// holdAgainstNamed chooses the registration by the token.
func holdAgainstNamed(q *response) *response {
	i := q.named()
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	other := *q.begun
	other.registration = q.t.registrations[i]
	q.begun = &other
	return q
}

// Signatures and keys.

// signedWithSecret says whether a token has an HMAC with a public key as its secret.
func (q *response) signedWithSecret(key jwk.Key) bool {
	if !strings.HasPrefix(q.algorithm(), "HS") {
		return false
	}
	secret, err := jwk.Pem(key)
	return err == nil && q.verifiedBy(jwa.SignatureAlgorithm(q.algorithm()), secret)
}

// firstKey is the first that the tool ever had of the platform; nil for none.
func (q *response) firstKey() jwk.Key {
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	return q.t.firstKeys[q.begun.registration.JWKSURL]
}

// keptKeys are those that the tool has kept of the platform.
func (q *response) keptKeys() []jwk.Key {
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	return q.t.keySets[q.begun.registration.JWKSURL].keys
}

// failedBefore says whether the key could not be had once.
func (q *response) failedBefore() bool {
	q.t.mu.Lock()
	defer q.t.mu.Unlock()
	return q.t.unknownKeys[q.kid()]
}

// verifiedByHeader says whether a token is signed with the key that its header holds as jwk
// or x5c.
func (q *response) verifiedByHeader(member string) bool {
	switch held := q.header[member].(type) {
	case map[string]any:
		raw, err := json.Marshal(held)
		if err != nil {
			return false
		}
		key, err := jwk.ParseKey(raw)
		return err == nil && q.verifiedBy(jwa.RS256, key)
	case []any:
		if len(held) == 0 {
			return false
		}
		text, _ := held[0].(string)
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return false
		}
		certificate, err := cert.Parse([]byte(base64.StdEncoding.EncodeToString(der)))
		return err == nil && q.verifiedBy(jwa.RS256, certificate.PublicKey)
	default:
		return false
	}
}

func trustKeyURL(q *response, err error) error {
	from, _ := q.header["jku"].(string)
	if set, failed := q.t.fetchKeys(q.r, from); failed != nil || len(set.keys) == 0 || !q.verifiedBy(jwa.RS256, set.keys[0]) {
		return err
	}
	return nil
}

func fetchCertificate(q *response) *response {
	from, _ := q.header["x5u"].(string)
	if answer, err := q.t.opts.Client.Get(from); err == nil {
		_ = answer.Body.Close()
	}
	return q
}

// withoutName says whether the header names no key.
func withoutName(s search) bool { return s.q.kid() == "" }

func takeFirstKey(s search) search {
	s.key = s.set.keys[0]
	return s
}

// first is the first key of that name, whatever its kind; nil for none.
func (s search) first() jwk.Key {
	return s.keyThat(func(key jwk.Key) bool { return key.KeyID() == s.q.kid() })
}

// ofRSA is the first key of RSA, whatever its name; nil for none.
func (s search) ofRSA() jwk.Key {
	return s.keyThat(func(key jwk.Key) bool { return key.KeyType() == jwa.RSA })
}

func (s search) keyThat(matches func(jwk.Key) bool) jwk.Key {
	if i := slices.IndexFunc(s.set.keys, matches); i >= 0 {
		return s.set.keys[i]
	}
	return nil
}

func publishPrivateKeys(d keyDocument) keyDocument {
	set := jwk.NewSet()
	for _, key := range d.keys {
		_ = set.AddKey(key) // one that is there already
	}
	d.document = set
	return d
}

// publishShortKey publishes a key of RSA that is too short; one that cannot be made leaves
// the right one.
func publishShortKey(keys []jwk.Key) []jwk.Key {
	raw, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return keys
	}
	short, err := jwk.FromRaw(raw)
	if err != nil || short.Set(jwk.KeyIDKey, keys[0].KeyID()) != nil {
		return keys
	}
	return append([]jwk.Key{short}, keys[1:]...)
}

func publishWithoutKID(d keyDocument) keyDocument {
	if set, ok := d.document.(jwk.Set); ok {
		if published, ok := set.Key(0); ok {
			_ = published.Remove(jwk.KeyIDKey) // there is one
		}
	}
	return d
}

// Claims.

func loosely(issuer string) string {
	_, rest, _ := strings.Cut(strings.ToLower(issuer), "://")
	return strings.TrimSuffix(rest, "/")
}

// onlyAudience is the audience where there is one alone.
func (q *response) onlyAudience() (string, bool) {
	audiences := q.audiences()
	if len(audiences) != 1 {
		return "", false
	}
	aud, isText := audiences[0].(string)
	return aud, isText
}

// isAmongOthers says whether this client is one audience among others.
func (q *response) isAmongOthers() bool {
	audiences := q.audiences()
	return len(audiences) > 1 && slices.Contains(audiences, any(q.clientID()))
}

// namesAudienceAlone says whether there is one audience that nothing in the login initiation
// can be held against.
func namesAudienceAlone(q *response) bool { return len(q.audiences()) == 1 && !q.begun.named }

func withStatus400(_ *response, err error) error {
	return &part.Refusal{Status: http.StatusBadRequest, Why: err.Error()}
}

// heldAgainstOwnClock takes the platform's clock for the tool's own.
func heldAgainstOwnClock(q *response) error {
	now := q.now()
	if expires, _ := seconds(q.members["exp"]); now.After(expires) {
		return unauthorized("The id_token has expired.")
	}
	if at, _ := seconds(q.members["iat"]); at.After(now) {
		return unauthorized("The id_token has no time of issue, or one to come.")
	}
	if begins, _ := seconds(q.members["nbf"]); begins.After(now) {
		return unauthorized("The id_token is not valid yet.")
	}
	return nil
}

// needsWhole refuses a time with a fraction of a second.
func needsWhole(claim string) func(*response) error {
	return func(q *response) error {
		if at, isNumber := q.members[claim].(float64); isNumber && at != math.Trunc(at) {
			return unauthorized("%s is no whole number.", claim)
		}
		return nil
	}
}

// expiresInText says whether exp is text with a time that is not past.
func (q *response) expiresInText() bool {
	text, isText := q.members["exp"].(string)
	var at float64
	if _, err := fmt.Sscan(text, &at); !isText || err != nil {
		return false
	}
	expires, isTime := seconds(at)
	return isTime && !q.now().After(expires.Add(leeway))
}

// deployment is the one that the message names; empty for none.
func (q *response) deployment() string {
	id, _ := q.text(lti.ClaimDeploymentID)
	return id
}

// nearlyRegistered says whether the deployment is like one that is registered.
func (q *response) nearlyRegistered(like func(id, known string) bool) bool {
	return slices.ContainsFunc(q.begun.registration.DeploymentIDs, func(known string) bool { return like(q.deployment(), known) })
}

// hasRole says whether a role contains a text.
func (q *response) hasRole(text string) bool {
	return slices.ContainsFunc(q.roles(), func(role string) bool { return strings.Contains(role, text) })
}

// What faults take at most of titles, in characters, and of roles.
const (
	longTitle = 100
	manyRoles = 6
)

func isLong(title any) bool {
	text, _ := title.(string)
	return len([]rune(text)) > longTitle
}

// Launches.

// readQuery reads a response from the query as well.
func readQuery(q *response) *response {
	q.form = q.r.Form
	return q
}

// A storedLogin is what a page keeps of a login in the browser's storage, or reads there, and
// where it goes on to.
type storedLogin struct {
	Name, Value, URL string
	Params           url.Values // that are sent along
}

// boundParam carries what a page has read in the browser's storage.
const boundParam = "bound"

// readStorage answers a launch with a page that reads in the browser's storage whether the
// login was begun there, and sends the launch on with what it has read.
func readStorage(a handling) handling {
	q := a.q
	a.by = func(w http.ResponseWriter) {
		q.t.render(w, http.StatusOK, "from-storage", storedLogin{
			Name: loginCookie + q.form.Get(lti.ParamState), URL: q.t.opts.URL + q.r.URL.RequestURI(), Params: q.form,
		})
	}
	return a
}

// startSessionFirst logs the user in who is refused.
func startSessionFirst(a handling) handling {
	refuse := a.by
	a.by = func(w http.ResponseWriter) {
		a.q.t.startSession(w, a.q.t.launchOf(a.q))
		refuse(w)
	}
	return a
}

func showOwnSession(a handling) handling {
	a.by = func(w http.ResponseWriter) { http.Redirect(w, a.q.r, a.q.t.opts.URL+ResourcePath, http.StatusSeeOther) }
	return a
}

// toStrangersSite follows a return URL to where no platform has its endpoints.
func toStrangersSite(at refusalAt) refusalAt {
	to := at.q.returnURL()
	if u, err := url.Parse(to); err == nil && to != "" && !at.q.t.knownHost(u.Host) {
		at.url = to
	}
	return at
}

// sessionOf is the launch that a browser has been here with before, if any.
func (t *Tool) sessionOf(r *http.Request) Launch {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return Launch{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sessions[cookie.Value]
}

// take takes a user for another one.
func (l *Launch) take(other Launch) { l.Sub, l.Name, l.User = other.Sub, other.Name, other.User }

// roleSystem begins the roles in the system (LTI Core 1.3, A.2.1).
const roleSystem = "http://purl.imsglobal.org/vocab/lis/v2/system/person#"

func ofSystem(role string) bool { return strings.HasPrefix(role, roleSystem) }

// garbled reads UTF-8 as Latin-1.
func garbled(s string) string {
	runes := make([]rune, 0, len(s))
	for _, b := range []byte(s) {
		runes = append(runes, rune(b))
	}
	return string(runes)
}

// opensByAddress says whether somebody knows the address of the page of a launch.
func opensByAddress(v visit) bool {
	return v.known && v.launch.ShownBy == "" && v.r.Method == http.MethodGet && v.r.URL.Query().Has("launch")
}

// setBalancerCookie sets a cookie that tells browsers apart, and nobody's session.
func setBalancerCookie(a reply) reply {
	http.SetCookie(a.w, a.t.cookie("balancer", lti.RandomString()))
	return a
}

// manyCookies is how many bytes of cookies a fault takes.
const manyCookies = 2 << 10

func refuseManyCookies(r *http.Request) error {
	if len(strings.Join(r.Header.Values("Cookie"), "; ")) <= manyCookies {
		return nil
	}
	return &part.Refusal{Status: http.StatusRequestHeaderFieldsTooLarge, Why: "The cookies are too large."}
}

// writeQueryAnew encodes a return URL's own query anew.
func writeQueryAnew(r returning) returning {
	if own := r.own.Query(); r.own.RawQuery != "" && own.Encode() != r.own.RawQuery {
		maps.Copy(own, r.message)
		r.query = own.Encode()
	}
	return r
}

// classmates are the names of those who were launched, each once.
func (t *Tool) classmates() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for _, l := range t.sessions {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Logins.

// ofIssuer are the registrations of the issuer that a login initiation names.
func (c choosing) ofIssuer() []Registration {
	return slices.DeleteFunc(slices.Clone(c.registrations), func(r Registration) bool { return r.Issuer != c.issuer })
}

// chooses is the registration that a login initiation is taken to name.
func (c choosing) chooses(r Registration) choosing {
	c.registration, c.known = r, true
	return c
}

func chooseFirst(c choosing) choosing { return c.chooses(c.registrations[0]) }

func chooseFirstOfIssuer(c choosing) choosing { return c.chooses(c.ofIssuer()[0]) }

func chooseWithIssuer(c choosing) choosing {
	r := c.registrations[0]
	r.Issuer = c.issuer
	return c.chooses(r)
}

func chooseWithClientID(c choosing) choosing {
	r := c.ofIssuer()[0]
	r.ClientID = c.clientID
	return c.chooses(r)
}

// issuerIsNew says whether a login initiation names an issuer, and none that is registered.
func (c choosing) issuerIsNew() bool {
	return c.issuer != "" && len(c.registrations) > 0 && len(c.ofIssuer()) == 0
}

// clientIsNew says whether a login initiation names a client_id that the issuer, which is
// registered, does not know the tool by.
func (c choosing) clientIsNew() bool { return len(c.ofIssuer()) > 0 && len(c.named()) == 0 }

// onlyBy is the rule of faults that a login initiation is made by one method.
func onlyBy(method string) func(*initiating) error {
	return func(q *initiating) error {
		if q.r.Method == method {
			return nil
		}
		return &part.Refusal{Status: http.StatusMethodNotAllowed, Why: "Logins by " + q.r.Method + " are not offered."}
	}
}

// needsAtLogin is the rule of faults that need more of a login initiation.
func needsAtLogin(name string) func(*initiating) error {
	return func(q *initiating) error { return q.lacks(name) }
}

// knownParameters are those of a login initiation.
var knownParameters = []string{
	lti.ParamIssuer, lti.ParamLoginHint, lti.ParamTargetLinkURI, lti.ParamMessageHint, lti.ParamLTIDeploymentID, lti.ParamClientID,
}

func refuseUnknownParameters(q *initiating) error {
	for name := range q.params {
		if !slices.Contains(knownParameters, name) {
			return badRequest("The parameter %s is unknown.", name)
		}
	}
	return nil
}

// requestWith changes a parameter of the authentication request, where it has one.
func requestWith(name string, change func(string) string) fault.Effect {
	return authenticationRequest.Change(func(a authRequest) authRequest {
		if was, ok := a.params[name]; ok {
			a.params.Set(name, change(was[0]))
		}
		return a
	})
}

// requestWithout leaves a parameter of the authentication request out, where it has one of
// these values; where there are none, whatever it has.
func requestWithout(name string, values ...string) fault.Effect {
	return authenticationRequest.Change(func(a authRequest) authRequest {
		if len(values) == 0 || slices.Contains(values, a.params.Get(name)) {
			a.params.Del(name)
		}
		return a
	})
}

// requestWithFormer sends a parameter of the login before where no answer to that one has
// come yet.
func requestWithFormer(name string) fault.Effect {
	return authenticationRequest.Change(func(a authRequest) authRequest {
		t := a.login.tool
		t.mu.Lock()
		defer t.mu.Unlock()
		if n := len(t.sent); n > 0 && !t.sent[n-1].answered {
			if value, ok := t.sent[n-1].request.Params[name]; ok {
				a.params[name] = value
			}
		}
		return a
	})
}

// truncate is what a database column of 255 characters does.
func truncate(s string) string { return s[:min(len(s), 255)] }

func decodeAgain(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return strings.ReplaceAll(s, "+", " ")
}

// count returns 1, 2, 3 and so on.
func (t *Tool) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counter++
	return t.counter
}

// keepInStorage sends a browser to the platform by a page that keeps what binds the login
// to it.
func keepInStorage(s sendingOff) sendingOff {
	s.by = func(w http.ResponseWriter) {
		s.t.render(w, http.StatusOK, "to-storage", storedLogin{Name: loginCookie + s.begun.state, Value: s.begun.cookie, URL: s.begun.request.URL})
	}
	return s
}

// fewCookies is how many cookies of logins a browser keeps with a fault.
const fewCookies = 10

// glueQuery appends the request with a second ? to an endpoint that has a query.
func glueQuery(a addressing) addressing {
	u, err := url.Parse(a.url)
	if err != nil || u.RawQuery == "" {
		return a
	}
	rest := maps.Clone(a.request)
	rest.Del(lti.ParamScope)
	a.query = u.Query().Encode() + "?" + url.Values{lti.ParamScope: {a.request.Get(lti.ParamScope)}}.Encode() + "&" + rest.Encode()
	return a
}
