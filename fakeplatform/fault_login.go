package fakeplatform

import (
	"net/http"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// specialCharacters are those that a careless tool loses: the reserved ones of
// URLs and HTML, a space, and letters beyond ASCII.
const specialCharacters = `a+b/c=d%e&f#g"h<i 'j' ü 山`

// Stranger is a site that has nothing to do with the launch: no tool may send
// a browser there.
const Stranger = "https://stranger.example"

// loginFaults are those of the login initiation.
var loginFaults = []Fault{
	{
		Name: "login-by-get", Provokes: "sec-tool-login-get-and-post",
		Conduct:   true,
		Permitted: true,
		Does:      "sends the login initiation as a GET request with the parameters in the query",
		Effects:   []fault.Effect{initiates(func(l *login) { l.Method = http.MethodGet })},
	}, {
		Name: "login-by-post", Provokes: "sec-tool-login-get-and-post",
		Conduct:   true,
		Permitted: true,
		Does:      "sends the login initiation as a cross-site form POST",
		Effects:   []fault.Effect{initiates(func(l *login) { l.Method = http.MethodPost })},
	}, {
		Name: "hint-long", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:    "sends an lti_message_hint of 4,000 characters",
		Effects: []fault.Effect{initiates(extendParam(lti.ParamMessageHint, strings.Repeat("0123456789", 400)))},
	}, {
		Name: "hint-special-characters", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:    "sends an lti_message_hint with reserved, HTML and non-ASCII characters",
		Effects: []fault.Effect{initiates(extendParam(lti.ParamMessageHint, specialCharacters))},
	}, {
		Name: "hint-jwt", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does: "sends an lti_message_hint that is a JWT",
		Effects: []fault.Effect{initiates(func(l *login) {
			// Only its shape matters: three base64url parts, as platforms send them.
			l.Params.Set(lti.ParamMessageHint, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJtZXNzYWdlIjoi"+lti.RandomString()+"In0."+strings.Repeat(lti.RandomString(), 15))
		})},
	}, {
		Name: "hint-zero", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:    "sends the lti_message_hint 0, which some languages take for nothing",
		Effects: []fault.Effect{initiates(setParam(lti.ParamMessageHint, "0"))},
	}, {
		Name: "hint-absent", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:    "sends no lti_message_hint",
		Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamMessageHint) })},
	}, {
		Name: "login-hint-special-characters", Provokes: "sec-tool-login-hint-returned-unaltered", Permitted: true,
		Does:    "sends a login_hint with reserved, HTML and non-ASCII characters",
		Effects: []fault.Effect{initiates(extendParam(lti.ParamLoginHint, specialCharacters))},
	}, {
		Name: "login-hint-long", Provokes: "sec-tool-login-hint-returned-unaltered", Permitted: true,
		Does:    "sends a login_hint of 2,000 characters",
		Effects: []fault.Effect{initiates(extendParam(lti.ParamLoginHint, strings.Repeat("0123456789", 200)))},
	}, {
		Name: "login-hint-zero", Provokes: "sec-tool-login-hint-returned-unaltered", Permitted: true,
		Does:    "sends the login_hint 0, which some languages take for nothing",
		Effects: []fault.Effect{initiates(setParam(lti.ParamLoginHint, "0"))},
	}, {
		Name: "target-link-with-query", Provokes: "sec-tool-auth-request-redirect-uri", Permitted: true,
		Does: "sends a target_link_uri with a query, which is no registered redirect URI",
		Effects: []fault.Effect{initiates(func(l *login) {
			l.Params.Set(lti.ParamTargetLinkURI, part.WithQuery(l.Params.Get(lti.ParamTargetLinkURI), "chapter", "1"))
		})},
	}, {
		Name: "target-link-not-registered", Provokes: "sec-tool-auth-request-redirect-uri", Permitted: true,
		Does: "sends a target_link_uri with a further path segment, which is no registered redirect URI",
		Effects: []fault.Effect{initiates(func(l *login) {
			l.Params.Set(lti.ParamTargetLinkURI, strings.TrimSuffix(l.Params.Get(lti.ParamTargetLinkURI), "/")+"/chapter-1")
		})},
	},
	{
		Name: "iss-unknown-in-login", Provokes: "sec-tool-login-unknown-issuer",
		Proves:  "sec-login-initiation-iss",
		Does:    "sends the login initiation with the iss of a platform that the tool does not know",
		Effects: []fault.Effect{initiates(setParam(lti.ParamIssuer, "https://unknown-issuer.example"))},
	}, {
		Name: "iss-missing-in-login", Provokes: "sec-tool-login-unknown-issuer",
		Proves:  "sec-login-initiation-iss",
		Does:    "sends the login initiation without iss",
		Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamIssuer) })},
	}, {
		Name: "endpoint-parameters", Provokes: "sec-tool-login-unknown-issuer", Permitted: true,
		Does: "adds authorization_endpoint and redirect_uri at a stranger's site to the login initiation",
		Effects: []fault.Effect{initiates(func(l *login) {
			l.Params.Set("authorization_endpoint", Stranger+"/auth")
			l.Params.Set(lti.ParamRedirectURI, Stranger+"/launch")
		})},
	}, {
		Name: "login-hint-missing", Provokes: "sec-tool-login-missing-parameters",
		Proves: "sec-login-initiation-login-hint",
		Does:   "sends the login initiation without login_hint",
		Effects: []fault.Effect{loginHintOnce.Lift(func(q *authRequest) bool {
			return q.launch != nil && q.launch.login.Params.Get(lti.ParamLoginHint) == ""
		}), initiates(func(l *login) { l.Params.Del(lti.ParamLoginHint) })},
	}, {
		Name: "login-target-link-uri-missing", Provokes: "sec-tool-login-missing-parameters",
		Proves:  "sec-login-initiation-target-link-uri",
		Does:    "sends the login initiation without target_link_uri",
		Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamTargetLinkURI) })},
	}, {
		Name: "unknown-parameters", Provokes: "oidc-tool-login-unknown-parameters-ignored",
		Conduct:   true,
		Permitted: true,
		Does:      "adds parameters to the login initiation that LTI does not define, or that other specifications do",
		Effects: []fault.Effect{initiates(func(l *login) {
			for name, value := range map[string]string{"foo": "bar", "canvas_region": "us-east-1", "lti_storage_target": "_parent", "deployment_id": "x"} {
				l.Params.Set(name, value)
			}
		})},
	}, {
		Name: "foreign-target-in-login-and-token", Provokes: "oidc-tool-target-link-uri-no-open-redirect",
		Proves:  "sec-login-initiation-target-link-uri",
		Does:    "names a stranger's site as target_link_uri, in the login initiation and in the id_token",
		Effects: []fault.Effect{initiates(setParam(lti.ParamTargetLinkURI, Stranger+"/x"))},
	}, {
		Name: "foreign-target-in-login-only", Provokes: "oidc-tool-target-link-uri-no-open-redirect",
		Proves:  "sec-login-initiation-target-link-uri",
		Does:    "names a stranger's site as target_link_uri in the login initiation, and the right one in the id_token",
		Effects: []fault.Effect{initiates(setParam(lti.ParamTargetLinkURI, Stranger+"/x")), says(func(d *draft) { d.claims[lti.ClaimTargetLinkURI] = d.launch.registration.TargetLinkURI })},
	}, {
		Name: "target-link-uri-of-other-resource", Provokes: "core-tool-target-link-uri-from-token", Permitted: true,
		Does: "names one resource of the tool in the login initiation and another in the id_token",
		Effects: []fault.Effect{initiates(targetChapter("1")), says(func(d *draft) {
			d.claims[lti.ClaimTargetLinkURI] = part.WithQuery(d.launch.registration.TargetLinkURI, "chapter", "2")
		})},
	}, {
		Name: "target-link-uri-on-foreign-host", Provokes: "core-tool-target-link-uri-from-token",
		Proves: "core-target-link-uri-claim",
		Does:   "names the tool's resource in the login initiation and a stranger's site in the id_token", Effects: []fault.Effect{says(with(lti.ClaimTargetLinkURI, Stranger+"/x"))},
	}, {
		Name: "client-id-unknown", Provokes: "core-tool-login-client-id",
		Proves: "core-login-optional-parameters-consistent",
		Does:   "sends the login initiation with a client_id that the tool does not know", Effects: []fault.Effect{initiates(func(l *login) {
			l.Params.Set(lti.ParamClientID, part.Alter(l.Params.Get(lti.ParamClientID)))
		})},
	}, {
		Name: "client-id-unknown-alone", Provokes: "core-tool-login-client-id",
		Proves: "core-login-optional-parameters-consistent",
		Does:   "sends the login initiation with a client_id that is not the only one of the issuer", Effects: []fault.Effect{initiates(func(l *login) {
			l.Params.Set(lti.ParamClientID, part.Alter(l.Params.Get(lti.ParamClientID)))
		})},
	}, {
		Name: "client-id-absent", Provokes: "core-tool-login-client-id",
		Conduct:   true,
		Permitted: true,
		Does:      "sends the login initiation without client_id", Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamClientID) })},
	}, {
		Name: "login-deployment-id-absent", Provokes: "core-tool-login-client-id",
		Proves:    "core-login-optional-parameters-consistent", // of a platform that says that it sends it
		Permitted: true,
		Does:      "sends the login initiation without lti_deployment_id", Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamLTIDeploymentID) })},
	},
}

// Chapter1 and Chapter2 are valid launches of two resources of the tool, told
// apart by the query of their target_link_uri.
var (
	Chapter1 = Fault{Name: "target-chapter-1", Permitted: true, Does: "opens a resource of the tool", Effects: []fault.Effect{initiates(targetChapter("1"))}}
	Chapter2 = Fault{Name: "target-chapter-2", Permitted: true, Does: "opens another resource of the tool", Effects: []fault.Effect{initiates(targetChapter("2"))}}
)

func targetChapter(chapter string) func(*login) {
	return func(l *login) {
		l.Params.Set(lti.ParamTargetLinkURI, part.WithQuery(l.Params.Get(lti.ParamTargetLinkURI), "chapter", chapter))
	}
}

func setParam(name, value string) func(*login) {
	return func(l *login) { l.Params.Set(name, value) }
}

// extendParam keeps what makes the parameter unique, so that its launch can be
// told from others by it.
func extendParam(name, more string) func(*login) {
	return func(l *login) { l.Params.Set(name, l.Params.Get(name)+more) }
}

// ofLogin says in a claim what the login initiation says.
func ofLogin(claim, param string) func(*draft) {
	return func(d *draft) { d.claims[claim] = d.launch.login.Params.Get(param) }
}
