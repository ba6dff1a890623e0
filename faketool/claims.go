package faketool

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator/lti"
)

// claims are those of an id_token. Nothing in them is to be trusted before
// verified is set.
type claims struct {
	members  map[string]any
	payload  json.RawMessage // as it came
	verified bool            // signature, issuer and audience have been checked
}

func (c claims) text(name string) (string, bool) {
	s, ok := c.members[name].(string)
	return s, ok
}

func (c claims) has(name string) bool {
	_, ok := c.members[name]
	return ok
}

func (c claims) object(name string) map[string]any {
	o, _ := c.members[name].(map[string]any)
	return o
}

func (c claims) messageType() string {
	s, _ := c.text(lti.ClaimMessageType)
	return s
}

func (c claims) returnURL() string {
	s, _ := c.object(lti.ClaimLaunchPresentation)["return_url"].(string)
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}

func (c claims) roles() []string {
	return textsOf(c.members[lti.ClaimRoles])
}

// textsOf returns what is text in a list.
func textsOf(value any) []string {
	list, _ := value.([]any)
	var texts []string
	for _, one := range list {
		if s, ok := one.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// isMessage says whether there is any claim of LTI.
func (c claims) isMessage() bool {
	for name := range c.members {
		if strings.HasPrefix(name, lti.ClaimPrefix) {
			return true
		}
	}
	return false
}

// lacksAll says whether the claims are missing that every message has.
func (c claims) lacksAll() bool {
	return !c.has(lti.ClaimMessageType) && !c.has(lti.ClaimVersion) && !c.has(lti.ClaimRoles)
}

// personal are the claims that tell of a person (OpenID Connect Core 1.0, 5.1).
var personal = []string{"name", "given_name", "middle_name", "family_name", "email"}

// isAnonymous says whether nothing is said of a person (LTI Core 1.3, 5.3.6.1).
func (c claims) isAnonymous() bool {
	return !c.has("sub") && !slices.ContainsFunc(personal, c.has)
}

// checkIssuer holds iss against the platform that the login was begun for
// (Security Framework 1.0, 5.1.3 (2)).
func (t *Tool) checkIssuer(begun *login, c claims) error {
	iss, isText := c.text("iss")
	if list, ok := c.members["iss"].([]any); ok && len(list) > 0 && t.has(AcceptsIssuerArray) {
		iss, isText = list[0].(string)
	}
	switch {
	case isText && iss == begun.registration.Issuer,
		loosely(iss) == loosely(begun.registration.Issuer) && t.has(ComparesIssuerLoosely),
		t.has(IgnoresIssuer):
		return nil
	default:
		return unauthorized("The issuer %s is not %q.", lti.Wire(c.members["iss"]), begun.registration.Issuer)
	}
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
		if !t.has(RefusesAudienceArray) {
			audiences = aud
		}
	case nil:
		if t.has(AcceptsMissingAudience) {
			return nil
		}
	}
	clientID := begun.registration.ClientID
	matches := func(aud any) bool {
		s, ok := aud.(string)
		return ok && (s == clientID || strings.EqualFold(s, clientID) && t.has(IgnoresCaseOfAudience))
	}
	azp, hasAZP := c.members["azp"]
	further := len(audiences) > 1 && slices.ContainsFunc(audiences, matches)
	right := len(audiences) == 1 && matches(audiences[0]) && (!hasAZP || azp == clientID)
	switch {
	case right && (!hasAZP || !t.has(RefusesAuthorizedParty)),
		further && !hasAZP && t.has(LooksForAudience),
		further && matches(audiences[0]) && !hasAZP && t.has(TakesFirstAudience),
		further && azp == clientID && t.has(TrustsAuthorizedParty),
		!right && len(audiences) == 1 && matches(audiences[0]) && t.has(IgnoresAuthorizedParty),
		!right && len(audiences) == 1 && !begun.named && t.has(TakesAnyAudienceWithoutClient),
		!right && t.has(IgnoresAudience):
		return nil
	default:
		err := unauthorized("The audience %s is not %q.", lti.Wire(c.members["aud"]), clientID)
		if t.has(RefusesAudienceWith400) {
			err.status = http.StatusBadRequest
		}
		return err
	}
}

// checkTimes wants a token that was issued, is valid and has not expired
// (Security Framework 1.0, 5.1.3 (7) and (8); RFC 7519, 4.1.5).
func (t *Tool) checkTimes(_ *login, c claims) error {
	now := t.opts.Now()
	// past and ahead hold a time against the clock, which may be a little off.
	past := func(at time.Time) bool {
		return now.After(at.Add(leeway)) || now.After(at) && t.has(AllowsNoClockSkew)
	}
	ahead := func(at time.Time) bool {
		return at.After(now.Add(leeway)) || at.After(now) && t.has(AllowsNoClockSkew)
	}
	for _, whole := range []struct{ claim, fault string }{{"iat", NeedsWholeIssueTime}, {"exp", NeedsWholeExpiry}, {"nbf", NeedsWholeNotBefore}} {
		if at, isNumber := c.members[whole.claim].(float64); isNumber && at != math.Trunc(at) && t.has(whole.fault) {
			return unauthorized("%s is no whole number.", whole.claim)
		}
	}
	exp, present := c.members["exp"]
	if s, ok := exp.(string); ok && t.has(ReadsExpiryFromText) {
		var seconds float64
		if _, err := fmt.Sscan(s, &seconds); err == nil {
			exp = seconds
		}
	}
	switch expires, isTime := seconds(exp); {
	case isTime && (!past(expires) || t.has(IgnoresExpiry)),
		!present && t.has(AcceptsMissingExpiry),
		present && exp == nil && t.has(AcceptsNullExpiry):
	case !isTime:
		return unauthorized("The id_token has no time of expiry.")
	default:
		return unauthorized("The id_token has expired.")
	}
	switch issued, isTime := seconds(c.members["iat"]); {
	case isTime && !ahead(issued), !c.has("iat") && t.has(AcceptsMissingIssueTime), isTime && t.has(AcceptsFutureIssueTime):
	default:
		return unauthorized("The id_token has no time of issue, or one to come.")
	}
	if begins, isTime := seconds(c.members["nbf"]); c.has("nbf") && (!isTime || ahead(begins)) && !t.has(IgnoresNotBefore) {
		return unauthorized("The id_token is not valid yet.")
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
func (t *Tool) checkNonce(r *http.Request, begun *login, c claims, twin bool) error {
	nonce, isText := c.text("nonce")
	t.mu.Lock()
	other, known := t.byNonce[nonce]
	used, stateUsed := known && other.used, begun.used
	firstWithout := (c.members["nonce"] == nil || c.members["nonce"] == "") && !t.tookNoNonce && t.has(AcceptsMissingNonceOnce)
	t.tookNoNonce = t.tookNoNonce || firstWithout
	t.mu.Unlock()
	if isText && nonce != "" && subtle.ConstantTimeCompare([]byte(nonce), []byte(begun.nonce)) == 1 {
		return nil
	}
	switch {
	case firstWithout,
		!c.has("nonce") && t.has(AcceptsMissingNonce),
		isText && nonce == "" && t.has(AcceptsEmptyNonce),
		isText && nonce != "" && !known && t.has(AcceptsUnknownNonce),
		known && !used && t.has(AcceptsNonceOfAnyLogin),
		known && !used && !begun.used && t.ownsLogin(r, other) && t.has(AcceptsNonceOfOtherLogin),
		known && !used && stateUsed && t.has(AcceptsUsedState),
		known && !used && twin,
		used && other != begun && t.has(AcceptsUsedNonce),
		used && other != begun && t.ownsLogin(r, other) && t.has(AcceptsUsedNonceOfBrowser):
		return nil
	case !isText || nonce == "":
		return unauthorized("The id_token has no nonce.")
	default:
		return unauthorized("The nonce is not the one of this login.")
	}
}

// checkMessage wants a resource link launch with all that it requires (LTI
// Core 1.3, 5.3).
func (t *Tool) checkMessage(_ *login, c claims) error {
	messageType, _ := c.text(lti.ClaimMessageType)
	version, _ := c.text(lti.ClaimVersion)
	if c.lacksAll() && t.has(AcceptsMessageWithoutClaims) {
		return nil
	}
	switch {
	case messageType == lti.ResourceLinkRequest,
		strings.EqualFold(messageType, lti.ResourceLinkRequest) && t.has(IgnoresCaseOfMessageType),
		messageType != "" && t.has(IgnoresMessageType),
		!c.has(lti.ClaimMessageType) && t.has(AcceptsMissingMessageType),
		c.has(lti.ClaimMessageType) && messageType == "" && t.has(AcceptsEmptyMessageType):
	default:
		return badRequest("The message type is %s instead of %s.", lti.Wire(c.members[lti.ClaimMessageType]), lti.ResourceLinkRequest)
	}
	switch {
	case version == lti.Version,
		(version == "1.3" || c.members[lti.ClaimVersion] == 1.3) && t.has(ComparesVersionLoosely),
		c.has(lti.ClaimVersion) && t.has(IgnoresVersion),
		!c.has(lti.ClaimVersion) && t.has(AcceptsMissingVersion):
	default:
		return badRequest("The version is %s instead of %s.", lti.Wire(c.members[lti.ClaimVersion]), lti.Version)
	}
	value, hasID := c.object(lti.ClaimResourceLink)["id"]
	id, isText := value.(string)
	switch {
	case id != "",
		!hasID && (c.object(lti.ClaimResourceLink) != nil || !c.has(lti.ClaimResourceLink)) && t.has(AcceptsMissingResourceLink),
		isText && id == "" && t.has(AcceptsEmptyResourceLinkID):
		return nil
	default:
		return badRequest("The message has no resource link.")
	}
}

// checkTarget wants a target link that is this tool's: it is where the user
// will be sent (LTI Core 1.3, 5.3.4).
func (t *Tool) checkTarget(_ *login, c claims) error {
	target, _ := c.text(lti.ClaimTargetLinkURI)
	switch {
	case t.own(target), target != "" && t.has(RedirectsToTargetLink), !c.has(lti.ClaimTargetLinkURI) && t.has(AcceptsMissingTargetLinkURI):
		return nil
	default:
		return badRequest("The target_link_uri %s is none of this tool.", lti.Wire(c.members[lti.ClaimTargetLinkURI]))
	}
}

// checkDeployment wants a deployment that is registered (LTI Core 1.3, 5.3.3),
// where the registration names any.
func (t *Tool) checkDeployment(begun *login, c claims) error {
	id, isText := c.text(lti.ClaimDeploymentID)
	known := begun.registration.DeploymentIDs
	if slices.Index(known, id) > 0 && t.has(KnowsOneDeployment) {
		known = known[:1]
	}
	switch {
	case isText && slices.Contains(known, id), len(known) == 0 && id != "":
		return nil
	case id != "" && begun.deployment == id && t.has(TakesDeploymentOfLogin),
		id != "" && begun.deployment == "" && t.has(TakesAnyDeploymentWithoutLogins),
		!c.has(lti.ClaimDeploymentID) && t.has(AcceptsMissingDeployment),
		c.has(lti.ClaimDeploymentID) && id == "" && isText && t.has(AcceptsEmptyDeployment),
		id != "" && t.has(IgnoresDeployment):
		return nil
	}
	knows := func(one string) bool {
		return strings.EqualFold(one, id) && t.has(IgnoresCaseOfDeployment) ||
			len(id) > 255 && strings.HasPrefix(id, one) && t.has(TruncatesDeployment)
	}
	if !slices.ContainsFunc(known, knows) {
		return badRequest("The deployment %s is not registered.", lti.Wire(c.members[lti.ClaimDeploymentID]))
	}
	return nil
}

// checkUser wants roles, however many, and a user or nobody at all (LTI Core
// 1.3, 5.3.6 and 5.3.7).
func (t *Tool) checkUser(_ *login, c claims) error {
	_, isList := c.members[lti.ClaimRoles].([]any)
	switch {
	case isList, c.lacksAll() && t.has(AcceptsMessageWithoutClaims), !c.has(lti.ClaimRoles) && t.has(AcceptsMissingRoles):
	default:
		return badRequest("The message has no roles.")
	}
	sub, isText := c.text("sub")
	switch {
	case c.isAnonymous() && t.has(CrashesOnAnonymous):
		return &refusal{http.StatusInternalServerError, "null"}
	case c.isAnonymous() && t.has(DeclinesAnonymous):
		return badRequest("This tool is for users who are known.")
	case c.isAnonymous(), sub != "",
		!c.has("sub") && t.has(AcceptsMissingUser),
		c.has("sub") && isText && sub == "" && t.has(AcceptsEmptyUser):
		return nil
	default:
		return badRequest("The message has no user.")
	}
}

// checkPickily are the faults of being too strict.
func (t *Tool) checkPickily(_ *login, c claims) error {
	roles := c.roles()
	any := func(matches func(string) bool) bool { return slices.ContainsFunc(roles, matches) }
	for _, rule := range []struct {
		fault   string
		refuses bool
		says    string
	}{
		{RefusesUnknownRole, slices.Contains(roles, lti.RoleUnknown), "There is a role that is unknown."},
		{RefusesTeachers, slices.Equal(roles, []string{lti.RoleInstructor}), "This tool is for students."},
		{RefusesSeveralRoles, len(roles) > 2, "There are too many roles."},
		{RefusesSystemRoles, any(func(r string) bool { return strings.Contains(r, "/system/person#") }), "There is a role of the system."},
		{NeedsRoleInContext, slices.Equal(roles, []string{lti.RoleInstitutionStudent}), "The user has no role in the course."},
		{RefusesShortRole, any(func(r string) bool { return r == "Instructor" || r == "Learner" }), "There is a role that is no URI."},
		{RefusesCustomRole, any(func(r string) bool { return strings.Contains(r, "school.example") }), "There is a role of no vocabulary."},
		{NeedsRole, len(roles) == 0 && !c.isAnonymous(), "The user has no role."},
		{NeedsName, !c.has("name") && !c.isAnonymous(), "The user has no name."},
		{NeedsEmail, !c.has("email") && !c.isAnonymous(), "The user has no email."},
		{NeedsContext, !c.has(lti.ClaimContext), "The launch is in no course."},
		{NeedsPlatformClaim, !c.has(lti.ClaimToolPlatform), "The claim tool_platform is missing."},
		{NeedsCustom, !c.has(lti.ClaimCustom), "There are no custom parameters."},
		{NeedsResourceParameter, c.object(lti.ClaimCustom)["resource"] == nil, "The launch does not say which resource it opens."},
		{NeedsCourseNumber, c.object(lti.ClaimLIS)["course_offering_sourcedid"] == nil, "The launch does not say the number of the course."},
		{RefusesMiddleName, c.has("middle_name"), "The claim middle_name is unknown."},
		{RefusesLongTitles, isLong(c.object(lti.ClaimContext)["title"]), "The course has a title that is too long."},
		{RefusesManyRoles, len(roles) > manyRoles, "The user has too many roles."},
		{RefusesUnknownClaims, c.has("favourite_colour"), "There is a claim that is unknown."},
		{RefusesUnknownMembers, c.object(lti.ClaimResourceLink)["favourite_colour"] != nil, "There is a member that is unknown."},
	} {
		if rule.refuses && t.has(rule.fault) {
			return badRequest("%s", rule.says)
		}
	}
	return nil
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
