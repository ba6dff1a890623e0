package faketool

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A response is what came as the answer to an authentication request, while the tool
// checks it. What could be read of it stays when it is refused.
type response struct {
	claims
	t      *Tool
	r      *http.Request
	form   url.Values
	header map[string]any // of the id_token
	begun  *login         // that it answers; nil where it is not known
	key    jwk.Key        // of the platform, that the header names
	noKeys bool           // the platform's key set cannot be had
	twin   bool           // another one with its state has come at the same time: only faults wait for it
	late   bool           // the same, after all has been checked
}

// A rule is one thing that is checked of a response, and checks are those of one kind.
type (
	rule   = fault.Rule[*response]
	checks = fault.List[*response]
)

// What is checked of a response, in this order (Security Framework 1.0, 5.1.1.4 and 5.1.3;
// LTI Core 1.3, 5.3). Which rules the message has to keep depends on its type.
var (
	answersLogin = &checks{Name: "the answer to a login of this browser", Rules: []*rule{
		tokenSent, tokenReadable, stateSent, stateKnown, loginOpen, loginOfBrowser,
	}}
	isGenuine = &checks{Name: "an id_token of the platform for this tool", Rules: []*rule{
		signedByPlatform, issuedByPlatform, meantForTool, authorizedParty,
	}}
	isCurrent = &checks{Name: "an id_token that can be used now", Rules: []*rule{
		expiryGiven, notExpired, issuedByNow, notBefore, nonceOfLogin,
	}}
	opensLink = &checks{Name: "a resource link launch", Rules: []*rule{
		typeIsLink, versionIs13, linkGiven, rolesGiven, userGiven,
	}}
	everyMessage = &checks{Name: "a message", Rules: []*rule{targetIsOwn, deploymentKnown}}
)

// The seams that a response passes while it is checked.
var (
	responseRead    = &fault.Seam[*response]{Name: "a response whose id_token has been read"}
	responseFor     = &fault.Seam[*response]{Name: "a response whose login has been looked for"}
	responseHeld    = &fault.Seam[*response]{Name: "a response that is held against the registration of its login"}
	responseGenuine = &fault.Seam[*response]{Name: "a response that comes from its platform"}
	responseValid   = &fault.Seam[*response]{Name: "a response that is valid, before its login is used up"}
)

// validate checks the answer to an authentication request in full. A login is used up only
// by a token that passes every check, so that nobody can burn another's nonce.
func (t *Tool) validate(q *response) error {
	if err := answersLogin.First(t.carrier, q); err != nil {
		q.begun = nil
		return err
	}
	responseHeld.Pass(t.carrier, q)
	if err := isGenuine.First(t.carrier, q); err != nil {
		return err
	}
	q.verified = true
	responseGenuine.Pass(t.carrier, q)
	for _, rules := range []*checks{isCurrent, t.rulesOf(q.claims), everyMessage} {
		if err := rules.First(t.carrier, q); err != nil {
			return err
		}
	}
	responseValid.Pass(t.carrier, q)
	return t.use(q)
}

// rulesOf are those that a message of its type has to keep. Those of parts are in
// [keepsRulesOfPart].
func (t *Tool) rulesOf(c claims) *checks {
	if _, taken := t.takenByPart(c); taken {
		return ofPart
	}
	return opensLink
}

var ofPart = &checks{Name: "a message of a part", Rules: []*rule{versionIs13, keepsRulesOfPart}}

var keepsRulesOfPart = &rule{Name: "the message is what the part needs", Broken: func(q *response) error {
	of, _ := q.t.takenByPart(q.claims)
	return of.Rules.First(q.t.carrier, q.forParts())
}}

// taken is a message, and the type that the tool takes it for.
type taken = part.Typed

var typeTaken = part.TypeTaken

// kindOf is the type of a message, as the tool takes it, whatever the other claims (LTI
// Core 1.3, 5.3.1).
func (t *Tool) kindOf(c claims) string {
	return typeTaken.Pass(t.carrier, taken{Claims: c.members, As: c.messageType()}).As
}

// Security Framework 1.0, 5.1.1.3.
var tokenSent = &rule{Name: "an id_token is sent", Broken: func(q *response) error {
	if q.form.Get(lti.ParamIDToken) == "" {
		return badRequest("The launch has no id_token.")
	}
	return nil
}}

// RFC 7519, 7.2.
var tokenReadable = &rule{Name: "the id_token is a JWT", Broken: func(q *response) error {
	var err error
	if q.header, q.claims, err = decode(q.form.Get(lti.ParamIDToken)); err != nil {
		return badRequest("The id_token cannot be read: %s.", err)
	}
	responseRead.Pass(q.t.carrier, q)
	q.begun = q.t.loginOf(q)
	responseFor.Pass(q.t.carrier, q)
	q.agreeOnLogin()
	return nil
}}

// Security Framework 1.0, 5.1.1.4; OpenID Connect Core 1.0, 3.2.2.5.
var stateSent = &rule{Name: "a state is sent", Broken: func(q *response) error {
	if q.begun == nil && q.state() == "" {
		return unauthorized("The launch has no state.")
	}
	return nil
}}

// Security Framework 1.0, 5.1.1.4.
var stateKnown = &rule{Name: "the state is one that this tool has sent", Broken: func(q *response) error {
	if q.begun == nil {
		return unauthorized("The state belongs to no login of this tool.")
	}
	return nil
}}

var loginOpen = &rule{Name: "the login is not too old", Broken: func(q *response) error {
	if q.t.opts.Now().After(q.begun.expires) {
		return unauthorized("The login has taken too long.")
	}
	return nil
}}

// Security Framework 1.0, 7.3.1.
var loginOfBrowser = &rule{Name: "the login was begun in this browser", Broken: excused(part.LoginOfBrowser, func(q *response) error {
	if !ownsLogin(q.r, q.begun) && !q.t.ownedByPart(q) {
		return errOtherBrowser
	}
	return nil
})}

var errOtherBrowser = unauthorized("The login was not begun in this browser, or its cookie was not sent.")

// Security Framework 1.0, 5.1.3 (9). The tool's mutex is held.
var loginUnused = &rule{Name: "the login has not been used before", Broken: excused(part.LoginUnused, func(q *response) error {
	if q.begun.used {
		return unauthorized("This login has been used already.")
	}
	return nil
})}

// use uses up the login.
func (t *Tool) use(q *response) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := loginUnused.Check(t.carrier, q); err != nil {
		return err
	}
	q.begun.used, q.begun.usedWith = true, q.nonce()
	return nil
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

// agreeOnLogin lets faults of parts go by the nonce where it is of another login than the
// state.
func (q *response) agreeOnLogin() {
	other := q.loginOfNonce()
	if other == nil || other == q.begun {
		return
	}
	a := part.Answering{Message: q.forParts(), As: q.t.kindOf(q.claims), HasState: q.form.Has(lti.ParamState), Known: q.begun != nil}
	if part.LoginFound.Pass(q.t.carrier, a).ByNonce {
		q.begun = other
	}
}

// excused is how a rule of all messages is broken, unless a fault of a part excuses it.
func excused(r part.Rule, broken func(*response) error) func(*response) error {
	return func(q *response) error {
		err := broken(q)
		if err != nil && part.Excused.Taken(q.t.carrier, part.Breach{Message: q.forParts(), As: q.t.kindOf(q.claims), Rule: r}) {
			return nil
		}
		return err
	}
}

// state is what was sent as state; empty for none.
func (q *response) state() string { return strings.Join(q.form[lti.ParamState], " ") }

// nonce is the one of the id_token; empty for none.
func (q *response) nonce() string {
	nonce, _ := q.text("nonce")
	return nonce
}

// loginOf finds the login that a response answers: the one that its state belongs to, or,
// where the request had none either, its nonce. It is nil where there is none.
func (t *Tool) loginOf(q *response) *login {
	t.mu.Lock()
	defer t.mu.Unlock()
	byNonce := t.byNonce[q.nonce()]
	if q.state() == "" {
		if byNonce != nil && byNonce.state == "" {
			return byNonce
		}
		return nil
	}
	return t.ofState(q.state(), byNonce)
}

// ownsLogin says whether the browser sent the cookie of the login.
func ownsLogin(r *http.Request, begun *login) bool {
	return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool {
		return strings.HasPrefix(c.Name, loginCookie) && subtle.ConstantTimeCompare([]byte(c.Value), []byte(begun.cookie)) == 1
	})
}
