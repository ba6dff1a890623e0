package platform

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
)

// checks are what every launch is held against.
var checks = []messages.Check{
	{"sec-login-initiation-iss", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		sent := messages.Initiation(f).Params[lti.ParamIssuer]
		iss, _ := f.Message().Text("iss")
		switch {
		case len(sent) != 1:
			return fmt.Sprintf("iss occurs %d times in the login initiation", len(sent))
		case sent[0] != r.Platform().Issuer:
			return fmt.Sprintf("iss is %q instead of %q in the login initiation", sent[0], r.Platform().Issuer)
		case sent[0] != iss:
			return fmt.Sprintf("iss is %q in the login initiation and %q in the id_token", sent[0], iss)
		}
		return ""
	}},
	{"sec-login-initiation-login-hint", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if sent := messages.Initiation(f).Params[lti.ParamLoginHint]; len(sent) != 1 || sent[0] == "" {
			return "login_hint is " + sentAs(sent)
		}
		return ""
	}},
	{"sec-login-initiation-target-link-uri", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		sent := messages.Initiation(f).Params[lti.ParamTargetLinkURI]
		if len(sent) != 1 {
			return fmt.Sprintf("target_link_uri occurs %d times", len(sent))
		}
		if u, err := url.Parse(sent[0]); err != nil || u.Host == "" {
			return fmt.Sprintf("target_link_uri %q is not an absolute URL", sent[0])
		}
		if sent[0] != r.Platform().TargetLinkURI {
			return fmt.Sprintf("target_link_uri is %q instead of %q", sent[0], r.Platform().TargetLinkURI)
		}
		return ""
	}},
	{"core-login-optional-parameters-consistent", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		params := messages.Initiation(f).Params
		deployment, _ := f.Message().Text(lti.ClaimDeploymentID)
		if sent, ok := params[lti.ParamLTIDeploymentID]; (ok || r.Has(config.DeploymentInLogin)) && (len(sent) != 1 || sent[0] != deployment) {
			return fmt.Sprintf("lti_deployment_id is %s, and deployment_id in the id_token %q", sentAs(sent), deployment)
		}
		sent, ok := params[lti.ParamClientID]
		switch {
		case !ok:
		case len(sent) != 1 || sent[0] != r.Platform().ClientID:
			return fmt.Sprintf("client_id is %s instead of %q", sentAs(sent), r.Platform().ClientID)
		case !slices.Contains(audienceOf(f.Message()), sent[0]):
			return fmt.Sprintf("client_id is %q, and aud %s", sent[0], lti.Wire(f.Message().Claims["aud"]))
		}
		return ""
	}},
	{"sec-auth-response-mode-form-post", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if messages.InURL(f) {
			return "the id_token stood in an address"
		}
		return ""
	}},
	{"formpost-response-form", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return messages.WrongForm(f) }},
	{"formpost-response-not-stored", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		page, ok := f.Carrier()
		if !ok {
			return "no page with the answer was seen"
		}
		for _, field := range page.ResponseHeader {
			if strings.EqualFold(field[0], "Cache-Control") && strings.Contains(strings.ToLower(field[1]), "no-store") {
				return ""
			}
		}
		return "what carried the id_token has no Cache-Control: no-store"
	}},
	{"oidc-auth-state-echo", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		_, says := messages.SameState(f)
		return says
	}},
	{"sec-id-token-nonce-passthrough", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		_, says := messages.SameNonce(f)
		return says
	}},
	{"sec-id-token-iss", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		iss, _ := f.Message().Text("iss")
		u, err := url.Parse(iss)
		switch {
		case iss != r.Platform().Issuer:
			return fmt.Sprintf("iss is %q instead of %q", iss, r.Platform().Issuer)
		case err != nil || strings.ContainsAny(iss, "?#"):
			return fmt.Sprintf("iss %q has a query or a fragment", iss)
		case u.Scheme != "https" && r.Has(config.TLS):
			return fmt.Sprintf("iss %q is not an https URL", iss)
		}
		return ""
	}},
	{"sec-id-token-sub", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		return messages.WrongIdentifier(f.Message().Claims["sub"], "sub")
	}},
	{"core-message-type-claim", messages.Constant(lti.ClaimMessageType, lti.ResourceLinkRequest)},
	{"core-version-claim", messages.Constant(lti.ClaimVersion, lti.Version)},
	{"core-deployment-id-claim", messages.WrongDeployment},
	{"core-target-link-uri-claim", messages.WrongTargetLink},
	{"core-resource-link-id-claim", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		link, ok := f.Message().Claims[lti.ClaimResourceLink].(map[string]any)
		if !ok {
			return "resource_link is not an object"
		}
		return messages.WrongIdentifier(link["id"], "resource_link.id")
	}},
	{"core-roles-claim", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return messages.WrongRoles(f.Message()) }},
	{"core-roles-full-uris", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		return messages.DeprecatedRoles(f.Message())
	}},
	{"cert-platform-no-extra-whitespace", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if paths := untrimmed(f.Message().Claims, ""); len(paths) > 0 {
			return "white space at the beginning or end of " + strings.Join(paths, ", ")
		}
		return ""
	}},
	{"core-vendor-claims-are-urls", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		var strange []string
		for name := range f.Message().Claims {
			if u, err := url.Parse(name); !slices.Contains(registeredClaims, name) && (err != nil || u.Scheme == "" || u.Host == "") {
				strange = append(strange, fmt.Sprintf("%q", results.Bounded(name, 100)))
			}
		}
		slices.Sort(strange)
		if len(strange) > 0 {
			return "claims that are neither registered nor a URL: " + strings.Join(strange, ", ")
		}
		return ""
	}},
}

// judgedApart are those that take more than a look at the launch.
var judgedApart = []requirements.ID{
	"sec-id-token-signature", "sec-id-token-aud", "sec-id-token-exp-iat", "sec-every-launch-starts-with-login", "practice-login-url-query-preserved",
}

// checked are the requirements that a valid launch is held against without
// provoking anything.
func checked() []requirements.ID {
	ids := slices.Clone(judgedApart)
	for _, c := range checks {
		ids = append(ids, c.ID)
	}
	return ids
}

var _ = Describe("A platform's launch", func() {
	It("is what the specifications say, from the login initiation to the last claim", For(checked()...), InBrowser, func(ctx SpecContext) {
		scene := PlatformScene()
		run := scene.Run()
		keys, keysErr := run.FetchKeySet(ctx, run.Platform().JWKSURL)
		for _, l := range []harness.PlatformLaunch{
			{Title: "the learner's launch"}, {Title: "the instructor's launch", User: config.Instructor},
			{Title: "the learner's launch in a frame", Link: config.InFrame}, {Title: "the learner's launch in a window", Link: config.InWindow},
		} {
			flow, err := scene.Control(ctx, l)
			if flow != nil && flow.Launched() {
				err = nil // an id_token that cannot be read is judged, too
			}
			if NoJourney(err) && l.Title != "the learner's launch" {
				continue // one launch is enough where no more are configured
			}
			for _, c := range checks {
				if scene.Undeclared(c.ID) != "" {
					scene.SkipAll(c.ID)
					continue
				}
				if !scene.Unseen(c.ID, "", err, flow) {
					wrong := c.Wrong(run, flow)
					scene.Check(c.ID, "", wrong == "", "", Seen(wrong), flow)
				}
			}
			if err != nil {
				for _, id := range judgedApart {
					scene.Unseen(id, "", err, flow)
				}
				continue
			}
			judgeSignature(scene, flow, keys, keysErr)
			verdict, says := judgeAudience(flow.Message(), run.Platform().ClientID)
			scene.Observe("sec-id-token-aud", "", verdict, "", says, flow)
			verdict, says = judgeTimes(flow.Message(), flow.Answer.At)
			scene.Observe("sec-id-token-exp-iat", "", verdict, "", says, flow)
			judgeLoginURL(scene, flow)
			scene.Check("sec-every-launch-starts-with-login", "", messages.Initiation(flow).Path == faketool.LoginPath, "",
				fmt.Sprintf("The login was initiated by %s at %s.", messages.Initiation(flow).Method, messages.Initiation(flow).Path), flow)
		}
	})

	It("is answered at a redirect URI that has a query", For("formpost-response-form"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "formpost-response-form", "redirect-uri-with-query"
		scene := PlatformScene()
		if scene.Unbound(id, stimulus) {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := scene.Probe(ctx, fault)
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			if verdict, says := scene.Answered(flow); verdict != results.Passed {
				scene.Observe(id, stimulus, verdict, "", says, flow)
				return
			}
			wrong := messages.WrongForm(flow)
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
		}
	})

	It("sends no id_token for a login that the tool does not go on with", For("sec-every-launch-starts-with-login"), func(ctx SpecContext) {
		const id, stimulus = "sec-every-launch-starts-with-login", "login-not-continued"
		scene := PlatformScene()
		held, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "a login that is not gone on with"})
		if scene.Unseen(id, stimulus, err, held) {
			return
		}
		uninvited := held.Uninvited()
		scene.Check(id, stimulus, len(uninvited) == 0, "", Seen(strings.Join(uninvited, "; ")), held)
	})
})

// judgeSignature holds the token's header and signature against the key set.
func judgeSignature(scene *harness.PlatformScenario, f *harness.PlatformFlow, keys harness.KeySet, keysErr error) {
	const id = "sec-id-token-signature"
	if keysErr != nil {
		scene.Observe(id, "", harness.Unread(keysErr), "", fmt.Sprintf("The key set cannot be read: %s.", keysErr), f)
		return
	}
	wrong := keys.Verify(f.Signed())
	scene.Check(id, "", wrong == "", "", Seen(wrong), f)
	if wrong != "" {
		return
	}
	var embedded []string
	for _, member := range []string{"jku", "jwk", "x5u", "x5c"} {
		if _, ok := f.Signed().Header[member]; ok {
			embedded = append(embedded, member)
		}
	}
	if len(embedded) > 0 {
		scene.Observe(id, "", results.Warned, "no key in the header", "The header has "+strings.Join(embedded, ", ")+".", f)
	}
}

// judgeAudience holds aud and azp against the registration's client_id.
func judgeAudience(m harness.Message, clientID string) (results.Verdict, string) {
	audience := audienceOf(m)
	azp, hasAzp := m.Claims["azp"]
	aud := lti.Wire(m.Claims["aud"])
	switch {
	case !slices.Contains(audience, clientID):
		return results.Failed, fmt.Sprintf("aud, %s, does not contain %q.", aud, clientID)
	case hasAzp && azp != clientID:
		return results.Failed, fmt.Sprintf("azp is %s instead of %q.", lti.Wire(azp), clientID)
	case len(audience) > 1 && !hasAzp:
		return results.Warned, "aud has several members, and there is no azp."
	default:
		return results.Passed, fmt.Sprintf("aud is %s.", aud)
	}
}

// audienceOf returns the members of aud; none where one of them is no text.
func audienceOf(m harness.Message) []string {
	if audience, all := m.Audience(); all {
		return audience
	}
	return nil
}

// longLifetime is more than a launch takes.
const longLifetime = time.Hour

// judgeTimes holds iat and exp against the time at which the message came.
func judgeTimes(m harness.Message, came time.Time) (results.Verdict, string) {
	iat, iatIsNumber := m.Claims["iat"].(float64)
	exp, expIsNumber := m.Claims["exp"].(float64)
	at := float64(came.Unix())
	switch {
	case !iatIsNumber || !expIsNumber:
		return results.Failed, fmt.Sprintf("iat is %s and exp %s: both have to be numbers.", lti.Wire(m.Claims["iat"]), lti.Wire(m.Claims["exp"]))
	case math.Abs(iat-at) > messages.ClockSkew.Seconds():
		return results.Failed, fmt.Sprintf("iat is %.0f seconds away from the time of receipt.", iat-at)
	case exp <= iat || exp+messages.ClockSkew.Seconds() <= at:
		return results.Failed, fmt.Sprintf("exp is %.0f seconds after iat and %.0f after receipt.", exp-iat, exp-at)
	case exp <= at:
		return results.Warned, fmt.Sprintf("The token had expired %.0f seconds before it came: the clocks differ, or it lives too short.", at-exp)
	case exp-iat > messages.AnyLifetime.Seconds():
		return results.Failed, fmt.Sprintf("exp is %.0f seconds after iat: it is not in seconds.", exp-iat)
	case exp-iat > longLifetime.Seconds():
		return results.Warned, fmt.Sprintf("The token lives for %.0f seconds.", exp-iat)
	default:
		return results.Passed, fmt.Sprintf("The token lives for %.0f seconds.", exp-iat)
	}
}

// judgeLoginURL judges whether the query of the registered login URL was kept.
func judgeLoginURL(scene *harness.PlatformScenario, f *harness.PlatformFlow) {
	begun := messages.Initiation(f)
	tenant := begun.Query[harness.Tenant]
	holds := len(tenant) == 1 && tenant[0] == harness.FirstTenant && (begun.Params.Has(lti.ParamIssuer) || begun.Params.Has(lti.ParamTargetLinkURI))
	scene.Check("practice-login-url-query-preserved", "login-url-with-query", holds, "", fmt.Sprintf("%s is %s, and the query %q.", harness.Tenant, sentAs(tenant), begun.RawQuery), f)
}

// sentAs says how a parameter was sent: not at all, once, or several times.
func sentAs(values []string) string {
	if len(values) == 0 {
		return lti.Wire(nil)
	}
	written := make([]string, len(values))
	for i, value := range values {
		written[i] = lti.Wire(value)
	}
	return strings.Join(written, " and ")
}

// untrimmed returns where a text begins or ends with white space.
func untrimmed(value any, path string) []string {
	var paths []string
	switch value := value.(type) {
	case string:
		if strings.TrimSpace(value) != value {
			paths = append(paths, path)
		}
	case []any:
		for i, member := range value {
			paths = append(paths, untrimmed(member, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		for name, member := range value {
			paths = append(paths, untrimmed(member, strings.TrimPrefix(path+" "+name, " "))...)
		}
	}
	slices.Sort(paths)
	return paths
}

// registeredClaims are those of JWT and OpenID Connect (the IANA registry of JSON
// Web Token Claims, as far as a launch may have them).
var registeredClaims = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "auth_time", "at_hash", "c_hash", "acr", "amr", "sub_jwk", "sid",
	"scope", "client_id", "cnf", "txn", "act", "may_act", "events", "roles", "groups", "entitlements", "vot", "vtm",
	"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
	"email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at",
}
