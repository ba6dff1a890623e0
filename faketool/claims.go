package faketool

import (
	"crypto/subtle"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/lti"
)

// leeway is how far the clocks of platform and tool may be apart.
const leeway = time.Minute

// claims are those of an id_token. Nothing in them is to be trusted before
// verified is set.
type claims struct {
	members  part.Claims
	payload  json.RawMessage // as it came
	verified bool            // signature, issuer and audience have been checked
}

func (c claims) text(name string) (string, bool) { return c.members.Text(name) }

func (c claims) has(name string) bool { return c.members.Has(name) }

func (c claims) object(name string) map[string]any { return c.members.Object(name) }

func (c claims) messageType() string { return c.members.Type() }

func (c claims) returnURL() string { return c.members.ReturnURL() }

func (c claims) roles() []string { return c.members.Roles() }

// isMessage says whether there is any claim of LTI.
func (c claims) isMessage() bool {
	for name := range c.members {
		if strings.HasPrefix(name, lti.ClaimPrefix) {
			return true
		}
	}
	return false
}

// personal are the claims that tell of a person (OpenID Connect Core 1.0, 5.1).
var personal = []string{"name", "given_name", "middle_name", "family_name", "email"}

// isAnonymous says whether nothing is said of a person (LTI Core 1.3, 5.3.6.1).
func (c claims) isAnonymous() bool {
	return !c.has("sub") && !slices.ContainsFunc(personal, c.has)
}

// Security Framework 1.0, 5.1.3 (2).
var issuedByPlatform = &rule{Name: "iss is the platform that the login was begun for", Broken: excused(part.IssuedByPlatform, func(q *response) error {
	if iss, isText := q.text("iss"); !isText || iss != q.begun.registration.Issuer {
		return unauthorized("The issuer %s is not %q.", lti.Wire(q.members["iss"]), q.begun.registration.Issuer)
	}
	return nil
})}

// Security Framework 1.0, 5.1.3 (3).
var meantForTool = &rule{Name: "aud is this client, and nobody else", Broken: excused(part.MeantForTool, func(q *response) error {
	if audiences := q.audiences(); len(audiences) != 1 || audiences[0] != q.clientID() {
		return q.otherAudience()
	}
	return nil
})}

// Security Framework 1.0, 5.1.3 (5).
var authorizedParty = &rule{Name: "azp, where it is given, is this client", Broken: excused(part.AuthorizedParty, func(q *response) error {
	if q.has("azp") && q.members["azp"] != q.clientID() {
		return q.otherAudience()
	}
	return nil
})}

// audiences are those of a token, be they one or several (RFC 7519, 4.1.3).
func (c claims) audiences() []any {
	switch aud := c.members["aud"].(type) {
	case string:
		return []any{aud}
	case []any:
		return aud
	default:
		return nil
	}
}

// clientID is that of the login.
func (q *response) clientID() string { return q.begun.registration.ClientID }

func (q *response) otherAudience() error {
	return unauthorized("The audience %s is not %q.", lti.Wire(q.members["aud"]), q.clientID())
}

// Security Framework 1.0, 5.1.3 (7).
var expiryGiven = &rule{Name: "exp is a time", Broken: excused(part.ExpiryGiven, func(q *response) error {
	if _, isTime := seconds(q.members["exp"]); !isTime {
		return unauthorized("The id_token has no time of expiry.")
	}
	return nil
})}

// Security Framework 1.0, 5.1.3 (7).
var notExpired = &rule{Name: "exp is not past", Broken: excused(part.NotExpired, func(q *response) error {
	if expires, isTime := seconds(q.members["exp"]); isTime && q.now().After(expires.Add(leeway)) {
		return unauthorized("The id_token has expired.")
	}
	return nil
})}

// Security Framework 1.0, 5.1.3 (8).
var issuedByNow = &rule{Name: "iat is a time that is not to come", Broken: excused(part.IssuedByNow, func(q *response) error {
	if at, isTime := seconds(q.members["iat"]); !isTime || at.After(q.now().Add(leeway)) {
		return unauthorized("The id_token has no time of issue, or one to come.")
	}
	return nil
})}

// RFC 7519, 4.1.5.
var notBefore = &rule{Name: "nbf, where it is given, is a time that is not to come", Broken: excused(part.NotBefore, func(q *response) error {
	if begins, isTime := seconds(q.members["nbf"]); q.has("nbf") && (!isTime || begins.After(q.now().Add(leeway))) {
		return unauthorized("The id_token is not valid yet.")
	}
	return nil
})}

func (q *response) now() time.Time { return q.t.opts.Now() }

// seconds reads a NumericDate (RFC 7519, 2).
func seconds(claim any) (time.Time, bool) {
	f, ok := claim.(float64)
	if !ok || math.Abs(f) > math.MaxInt32*100 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

// Security Framework 1.0, 5.1.3 (9); OpenID Connect Core 1.0, 3.2.2.11.
var nonceOfLogin = &rule{Name: "the nonce is the one that this login sent", Broken: excused(part.NonceOfLogin, func(q *response) error {
	switch nonce := q.nonce(); {
	case nonce == "":
		return unauthorized("The id_token has no nonce.")
	case subtle.ConstantTimeCompare([]byte(nonce), []byte(q.begun.nonce)) != 1:
		return unauthorized("The nonce is not the one of this login.")
	default:
		return nil
	}
})}

// LTI Core 1.3, 5.3.1.
var typeIsLink = &rule{Name: "the message type is that of a resource link launch", Broken: func(q *response) error {
	if q.messageType() != lti.ResourceLinkRequest {
		return badRequest("The message type is %s instead of %s.", lti.Wire(q.members[lti.ClaimMessageType]), lti.ResourceLinkRequest)
	}
	return nil
}}

// LTI Core 1.3, 5.3.2.
var versionIs13 = &rule{Name: "the version is 1.3.0", Broken: func(q *response) error {
	if version, _ := q.text(lti.ClaimVersion); version != lti.Version {
		return badRequest("The version is %s instead of %s.", lti.Wire(q.members[lti.ClaimVersion]), lti.Version)
	}
	return nil
}}

// LTI Core 1.3, 5.3.5.
var linkGiven = &rule{Name: "a resource link is named", Broken: func(q *response) error {
	if id, _ := q.object(lti.ClaimResourceLink)["id"].(string); id == "" {
		return badRequest("The message has no resource link.")
	}
	return nil
}}

// LTI Core 1.3, 5.3.4: it is where the user will be sent.
var targetIsOwn = &rule{Name: "the target link is this tool's", Broken: func(q *response) error {
	if target, _ := q.text(lti.ClaimTargetLinkURI); !q.t.own(target) {
		return badRequest("The target_link_uri %s is none of this tool.", lti.Wire(q.members[lti.ClaimTargetLinkURI]))
	}
	return nil
}}

// LTI Core 1.3, 5.3.3.
var deploymentKnown = &rule{Name: "the deployment is registered, where the registration names any", Broken: excused(part.DeploymentKnown, func(q *response) error {
	id, isText := q.text(lti.ClaimDeploymentID)
	known := q.begun.registration.DeploymentIDs
	if isText && slices.Contains(known, id) || len(known) == 0 && id != "" {
		return nil
	}
	return q.unknownDeployment()
})}

func (q *response) unknownDeployment() error {
	return badRequest("The deployment %s is not registered.", lti.Wire(q.members[lti.ClaimDeploymentID]))
}

// LTI Core 1.3, 5.3.7.
var rolesGiven = &rule{Name: "there are roles, however many", Broken: func(q *response) error {
	if _, isList := q.members[lti.ClaimRoles].([]any); !isList {
		return badRequest("The message has no roles.")
	}
	return nil
}}

// LTI Core 1.3, 5.3.6.
var userGiven = &rule{Name: "there is a user, or nobody at all", Broken: func(q *response) error {
	if sub, _ := q.text("sub"); sub == "" && !q.isAnonymous() {
		return badRequest("The message has no user.")
	}
	return nil
}}
