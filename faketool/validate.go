package faketool

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator/lti"
)

// leeway is how far the clocks of platform and tool may be apart.
const leeway = time.Minute

// validate checks the answer to an authentication request in full (Security
// Framework 1.0, 5.1.1.4 and 5.1.3; LTI Core 1.3, 5.3). A login is used up only
// by a token that passes every check, so that nobody can burn another's nonce.
// What could be read is returned along with the error.
func (t *Tool) validate(r *http.Request, form url.Values) (claims, *login, error) {
	token := form.Get(lti.ParamIDToken)
	if token == "" {
		return claims{}, nil, badRequest("The launch has no id_token.")
	}
	header, c, err := decode(token)
	if err != nil {
		if t.has(CrashesOnMalformedToken) {
			return claims{}, nil, &refusal{http.StatusInternalServerError, "null"}
		}
		return claims{}, nil, badRequest("The id_token cannot be read: %s.", err)
	}
	if sub, ok := c.members["sub"].(float64); ok && t.has(ReadsNumbersAsText) {
		c.members["sub"] = fmt.Sprint(sub)
	}
	begun, err := t.loginOf(r, form, c)
	if err != nil {
		return c, nil, err
	}
	begun = t.heldAgainst(c, begun)
	verified := func(begun *login, _ claims) error { return t.verifySignature(r, token, header, begun.registration) }
	if err := t.inReviews(SkipsSignatureOfReviews, verified)(begun, c); err != nil {
		return c, begun, err
	}
	if !c.isMessage() && t.has(AcceptsAnySignedToken) {
		c.verified = true
		return c, begun, nil
	}
	for _, check := range []func(*login, claims) error{t.inReviews(IgnoresIssuerOfReviews, t.checkIssuer), t.inReviews(IgnoresAudienceOfReviews, t.checkAudience)} {
		if err := check(begun, c); err != nil {
			return c, begun, err
		}
	}
	c.verified = true
	twin := t.meetsTwin(r, begun, NotesStateLate)
	checkNonce := func(begun *login, c claims) error { return t.checkNonce(r, begun, c, twin) }
	checks := []func(*login, claims) error{
		t.checkTimes, checkNonce, t.checkMessage, t.checkTarget, t.checkDeployment, t.checkUser, t.checkPickily,
	}
	switch {
	case t.isProctoring(c):
		checks = []func(*login, claims) error{t.checkTimes, checkNonce, t.checkProctoring, t.checkTarget, t.checkDeployment}
	case t.opensReview(c):
		checks = []func(*login, claims) error{
			t.inReviews(IgnoresExpiryOfReviews, t.checkTimes), t.inReviews(IgnoresNonceOfReviews, checkNonce), t.checkReview, t.checkTarget,
			t.inReviews(IgnoresDeploymentOfReviews, t.checkDeployment),
		}
	}
	for _, check := range checks {
		if err := check(begun, c); err != nil {
			return c, begun, err
		}
	}
	late := t.meetsTwin(r, begun, NotesUseLate)
	return c, begun, t.use(begun, c, late || twin && !t.usedWith(begun, c))
}

// meetsTwin waits, with a fault, for another launch with the same state, and says whether one
// has come at the same time. It is a fault of browsers that have a session.
func (t *Tool) meetsTwin(r *http.Request, begun *login, fault string) bool {
	if _, err := r.Cookie(sessionCookie); err != nil || !t.has(fault) {
		return false
	}
	t.mu.Lock()
	used := begun.used
	t.mu.Unlock()
	return !used && t.pairs.Meet(r.Context(), begun.nonce)
}

// usedWith says whether a login was used with the nonce of a token.
func (t *Tool) usedWith(begun *login, c claims) bool {
	nonce, _ := c.text("nonce")
	t.mu.Lock()
	defer t.mu.Unlock()
	return begun.usedWith == nonce
}

// use marks a login as used. Both of two launches that have come at the same time pass with a
// fault.
func (t *Tool) use(begun *login, c claims, twin bool) error {
	nonce, _ := c.text("nonce")
	t.mu.Lock()
	defer t.mu.Unlock()
	if begun.used && !twin && (nonce == begun.nonce || !t.has(AcceptsUsedState)) && !t.has(AcceptsLaunchTwice) && !t.takesAgain(c) {
		return unauthorized("This login has been used already.")
	}
	begun.used, begun.usedWith = true, nonce
	return nil
}

// heldAgainst is the fault of choosing the registration by the token.
func (t *Tool) heldAgainst(c claims, begun *login) *login {
	issuer, _ := c.text("iss")
	clientID, _ := c.text("aud")
	t.mu.Lock()
	i := slices.IndexFunc(t.registrations, func(r Registration) bool {
		return r.Issuer == issuer && r.ClientID == clientID
	})
	other := *begun
	if i >= 0 {
		other.registration = t.registrations[i]
	}
	t.mu.Unlock()
	switch own := begun.registration; {
	case i >= 0 && issuer != own.Issuer && t.has(AcceptsTokenOfAnyPlatform),
		i >= 0 && issuer == own.Issuer && clientID != own.ClientID && t.has(AcceptsTokenOfOtherClient):
		return &other
	}
	return begun
}

// decode reads header and claims without trusting either.
func decode(token string) (header map[string]any, c claims, err error) {
	h, payload, err := lti.Decode(token)
	if err != nil {
		return nil, claims{}, err
	}
	if err := lti.ReadJSON(h, &header); err != nil {
		return nil, claims{}, fmt.Errorf("header: %w", err)
	}
	if err := lti.ReadJSON(payload, &c.members); err != nil {
		return nil, claims{}, fmt.Errorf("payload: %w", err)
	}
	c.payload = payload
	return header, c, nil
}

// loginOf finds the login that the state belongs to and makes sure that it was
// begun in this browser (Security Framework 1.0, 5.1.1.4 and 7.3.1).
func (t *Tool) loginOf(r *http.Request, form url.Values, c claims) (*login, error) {
	states, present := form[lti.ParamState]
	state := strings.Join(states, " ")
	nonce, _ := c.text("nonce")
	t.mu.Lock()
	byNonce, nonceKnown := t.byNonce[nonce]
	begun := t.ofState(state, byNonce)
	known := begun != nil
	only := t.registrations[:min(1, len(t.registrations))]
	t.mu.Unlock()

	switch {
	case state == "" && nonceKnown && byNonce.state == "": // the request had none either
		begun, known = byNonce, true
	case !present && t.opensReview(c) && t.has(AcceptsReviewsWithoutState), !present && t.has(AcceptsMissingState), present && state == "" && t.has(AcceptsEmptyState):
		begun, known = byNonce, nonceKnown
	case state == "":
		return nil, unauthorized("The launch has no state.")
	case known && nonceKnown && begun != byNonce && t.opensReview(c) && t.has(IgnoresStateOfReviews):
		begun = byNonce
	case !known && t.has(AcceptsUnknownState):
		begun, known = byNonce, nonceKnown
	}
	if !known && !nonceKnown && len(only) > 0 && t.has(AcceptsUnsolicited) {
		return &login{registration: only[0], nonce: nonce, expires: t.opts.Now().Add(loginLifetime)}, nil
	}
	if !known {
		return nil, unauthorized("The state belongs to no login of this tool.")
	}
	if t.opts.Now().After(begun.expires) {
		return nil, unauthorized("The login has taken too long.")
	}
	if !t.ownsLogin(r, begun) && !t.takesOthersLogin(r) && !t.has(IgnoresStateCookie) && !t.has(SetsNoStateCookie) && !t.takesAgain(c) {
		return nil, errOtherBrowser
	}
	return begun, nil
}

var errOtherBrowser = unauthorized("The login was not begun in this browser, or its cookie was not sent.")

// takesOthersLogin is the fault of taking the answer to another browser's login in one that
// has cookies of its own.
func (t *Tool) takesOthersLogin(r *http.Request) bool {
	t.mu.Lock()
	sent, launched := t.browserOf(r)
	t.mu.Unlock()
	return launched && t.has(AcceptsOthersLoginAfterLaunch) || !launched && sent != nil && t.has(AcceptsOthersLoginDuringLogin)
}

// ownsLogin says whether the browser sent the cookie of the login, or what it has kept instead.
func (t *Tool) ownsLogin(r *http.Request, begun *login) bool {
	if bound := r.PostForm.Get(boundParam); bound != "" && subtle.ConstantTimeCompare([]byte(bound), []byte(begun.cookie)) == 1 && t.has(KeepsStateInLocalStorage) {
		return true
	}
	return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool {
		return strings.HasPrefix(c.Name, loginCookie) && subtle.ConstantTimeCompare([]byte(c.Value), []byte(begun.cookie)) == 1
	})
}
