package faketool

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// UnknownScope is one that no platform knows.
const UnknownScope = "https://purl.imsglobal.org/spec/x/scope/unknown"

// scopeStimuli are requests for access tokens with other scopes (RFC 6749, 3.3).
var scopeStimuli = []Fault{
	{
		Name: "scope-known", Provokes: "sec-token-scope-limits", Permitted: true,
		Does: "asks for a known scope", assertion: asserts(nil),
	}, {
		Name: "scope-known-and-unknown", Provokes: "sec-token-scope-limits", Permitted: true,
		Does: "asks for a known scope and an unknown one", assertion: alsoUnknown,
	}, {
		Name: "scope-unknown", Provokes: "sec-token-scope-limits",
		Does: "asks for an unknown scope", assertion: field(lti.ParamScope, UnknownScope),
	}, {
		Name: "scope-missing", Provokes: "sec-token-scope-limits",
		Does: "leaves scope out", assertion: field(lti.ParamScope),
	},
}

// assertionStimuli are those of the assertion (Security Framework 1.0, 4.1.1;
// RFC 7523, 3).
var assertionStimuli = []Fault{
	{
		Name: "aud-other", Provokes: "sec-token-assertion-aud",
		Does: "sends another URL as aud", assertion: asserts(lti.Claims{"aud": Stranger + "/token"}),
	}, {
		Name: "aud-missing", Provokes: "sec-token-assertion-aud",
		Does: "leaves aud out", assertion: asserts(lti.Claims{"aud": nil}),
	}, {
		Name: "aud-client-id", Provokes: "sec-token-assertion-aud",
		Does:      "sends the tool's client_id as aud",
		assertion: func(d *assertionDraft) error { d.claims["aud"] = d.registration.ClientID; return nil },
	}, {
		Name: "aud-string", Provokes: "sec-token-assertion-aud", Permitted: true,
		Does: "sends aud as a string", assertion: asserts(nil),
	}, {
		Name: "aud-array", Provokes: "sec-token-assertion-aud", Permitted: true,
		Does: "sends aud in an array, with another name of the platform",
		assertion: func(d *assertionDraft) error {
			d.claims["aud"] = []any{d.claims["aud"], d.registration.Issuer}
			return nil
		},
	}, {
		Name: "iss-platform", Provokes: "core-token-assertion-iss-sub",
		Does:      "sends the platform's issuer as iss",
		assertion: func(d *assertionDraft) error { d.claims["iss"] = d.registration.Issuer; return nil },
	}, {
		Name: "sub-missing", Provokes: "core-token-assertion-iss-sub",
		Does: "leaves sub out", assertion: asserts(lti.Claims{"sub": nil}),
	}, {
		Name: "sub-of-other-client", Provokes: "core-token-assertion-iss-sub",
		Does: "sends another registered tool's client_id as sub",
		assertion: func(d *assertionDraft) error {
			other := d.tool.opts.OtherTool
			if other.Key == nil {
				return ErrNoOtherTool
			}
			d.claims["sub"] = other.ClientID
			return nil
		},
	}, {
		Name: "client-id-unknown", Provokes: "core-token-assertion-iss-sub",
		Does: "sends an unknown client_id as iss and sub",
		assertion: func(d *assertionDraft) error {
			d.claims["iss"] = lti.RandomString()
			d.claims["sub"] = d.claims["iss"]
			return nil
		},
	}, {
		Name: "deployment-id-right", Provokes: "core-token-assertion-iss-sub", Permitted: true,
		Does: "adds the right deployment_id",
		assertion: func(d *assertionDraft) error {
			deployment := d.tool.deploymentOf(d.registration)
			if deployment == "" {
				return ErrUnchanged
			}
			d.claims[lti.ClaimDeploymentID] = deployment
			return nil
		},
	}, {
		Name: "exp-past", Provokes: "sec-token-assertion-expired",
		Does: "sends an assertion that expired ten minutes ago",
		assertion: func(d *assertionDraft) error {
			expired := d.tool.opts.Now().Add(-10 * time.Minute)
			d.claims["iat"], d.claims["exp"] = expired.Add(-tokenLifetime).Unix(), expired.Unix()
			return nil
		},
	}, {
		Name: "exp-missing", Provokes: "sec-token-assertion-expired",
		Does: "leaves exp out", assertion: asserts(lti.Claims{"exp": nil}),
	}, {
		Name: "assertion-iat-with-fraction", Provokes: "rfc7519-token-assertion-numeric-date", Permitted: true,
		Does: "sends an iat with a fraction of a second", assertion: func(d *assertionDraft) error { return fraction(d.claims, d.tool, "iat", -2) },
	}, {
		Name: "assertion-exp-with-fraction", Provokes: "rfc7519-token-assertion-numeric-date", Permitted: true,
		Does: "sends an exp with a fraction of a second", assertion: func(d *assertionDraft) error { return fraction(d.claims, d.tool, "exp", 240) },
	}, {
		Name: "assertion-nbf-with-fraction", Provokes: "rfc7519-token-assertion-numeric-date", Permitted: true,
		Does: "sends an nbf of a minute ago with a fraction of a second", assertion: func(d *assertionDraft) error { return fraction(d.claims, d.tool, "nbf", -60) },
	}, {
		Name: "jti-missing", Provokes: "sec-token-assertion-jti",
		Does: "leaves jti out", assertion: asserts(lti.Claims{"jti": nil}),
	}, {
		Name: "assertion-replayed", Provokes: "sec-token-assertion-jti",
		Does: "sends a valid request twice", assertion: func(d *assertionDraft) error { d.twice = true; return nil },
	}, {
		Name: "signed-by-unrelated-key", Provokes: "sec-token-assertion-signature",
		Does: "signs with a foreign key under the registered kid", assertion: asserted(signing.ByStranger),
	}, {
		Name: "signed-by-other-tool", Provokes: "sec-token-assertion-signature",
		Does: "signs with another registered tool's key",
		assertion: func(d *assertionDraft) error {
			if d.key = d.tool.opts.OtherTool.Key; d.key == nil {
				return ErrNoOtherTool
			}
			return nil
		},
	}, {
		Name: "kid-unknown", Provokes: "sec-token-assertion-signature",
		Does: "signs with a foreign key under an unknown kid", assertion: asserted(signing.ByUnknownKey),
	}, {
		Name: "alg-none", Provokes: "sec-token-assertion-signature",
		Does: "leaves the signature out, with alg none", assertion: asserted(signing.Unsigned),
	}, {
		Name: "hs256-public-key-pem", Provokes: "sec-token-assertion-signature",
		Does: "signs with HS256 and the PEM text of the public key", assertion: asserted(signing.ByPublicKey),
	}, {
		Name: "payload-altered", Provokes: "sec-token-assertion-signature",
		Does: "changes the jti after signing", assertion: asserted(signing.ChangedAfter("jti")),
	},
}

// tokenFormStimuli are those of the form of a token request (RFC 6749, 4.4.2;
// RFC 7523, 2.2).
var tokenFormStimuli = []Fault{
	{
		Name: "grant-type-password", Provokes: "rfc6749-token-request-form",
		Does: "sends the grant_type password", assertion: field(lti.ParamGrantType, "password"),
	}, {
		Name: "grant-type-missing", Provokes: "rfc6749-token-request-form",
		Does: "leaves grant_type out", assertion: field(lti.ParamGrantType),
	}, {
		Name: "assertion-type-wrong", Provokes: "rfc6749-token-request-form",
		Does:      "sends the client_assertion_type of SAML",
		assertion: field(lti.ParamClientAssertionType, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
	}, {
		Name: "assertion-type-missing", Provokes: "rfc6749-token-request-form",
		Does: "leaves client_assertion_type out", assertion: field(lti.ParamClientAssertionType),
	}, {
		Name: "assertion-missing", Provokes: "rfc6749-token-request-form",
		Does: "leaves client_assertion out", assertion: func(d *assertionDraft) error { d.field = ""; return nil },
	}, {
		Name: "assertion-not-a-jwt", Provokes: "rfc6749-token-request-form",
		Does: "sends something that is no JWT", assertion: asserted(signing.Nothing),
	}, {
		Name: "request-by-get", Provokes: "rfc6749-token-request-form",
		Does: "sends the request by GET", assertion: func(d *assertionDraft) error { d.method = http.MethodGet; return nil },
	}, {
		Name: "request-charset", Provokes: "rfc6749-token-request-form", Permitted: true,
		Does: "names a charset in the content type of the request", assertion: func(d *assertionDraft) error { d.mediaType += "; charset=UTF-8"; return nil },
	},
}

// bearerStimuli are requests of services whose access token is not where it belongs
// (RFC 6750, 2.1).
var bearerStimuli = []Fault{
	{
		Name: "token-missing", Provokes: "rfc6750-access-token-enforced",
		Does: "sends no access token", control: withoutToken, grade: bearing(""),
	}, {
		Name: "token-in-query", Provokes: "rfc6750-access-token-enforced",
		Does: "sends the access token in the query", control: tokenInQuery, grade: tokenInGradeQuery,
	}, {
		Name: "token-scheme-lower-case", Provokes: "rfc6750-access-token-enforced", Permitted: true,
		Does:    "writes the scheme of the access token in lower case",
		control: func(d *controlDraft) error { d.authorization = inLowerCase(d.token); return nil },
		grade:   func(d *gradeDraft) error { d.authorization = inLowerCase(d.Token); return nil },
	}, {
		Name: "two-authorization-headers", Provokes: "rfc6750-access-token-enforced",
		Does:    "sends a second Authorization header, with a made-up access token",
		control: func(d *controlDraft) error { d.authorization = besideMadeUp(d.token); return nil },
		grade:   func(d *gradeDraft) error { d.authorization = besideMadeUp(d.Token); return nil },
	}, {
		Name: "acs-without-token", Provokes: "ap-acs-platform-authorisation",
		Does: "sends no access token", control: withoutToken,
	}, {
		Name: "acs-altered-token", Provokes: "ap-acs-platform-authorisation",
		Does: "sends an access token that it has altered", control: func(d *controlDraft) error {
			d.token = alteredToken(d.token)
			return nil
		},
	}, {
		Name: "acs-token-in-query", Provokes: "ap-acs-platform-authorisation",
		Does: "sends the access token in the query", control: tokenInQuery,
	},
}

// inLowerCase is an Authorization header with its scheme in lower case, which means the
// same (RFC 9110, 11.1).
func inLowerCase(token string) []string { return []string{"bearer " + token} }

// besideMadeUp are two Authorization headers, of which a request has one (RFC 6750, 2).
func besideMadeUp(token string) []string {
	return []string{bearer + " " + token, bearer + " " + lti.RandomString()}
}

// alteredToken is an access token that says something else: a JWT with one more claim
// under the old signature, or another text with one character changed.
func alteredToken(token string) string {
	parts := strings.Split(token, ".")
	if _, claims, err := lti.Decode(token); err == nil && len(parts) == 3 {
		var members map[string]json.RawMessage
		if json.Unmarshal(claims, &members) == nil {
			members["altered"] = json.RawMessage("true")
			if payload, err := json.Marshal(members); err == nil {
				return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
			}
		}
	}
	return fault.Alter(token)
}

// bodyStimuli are those of what a control request says (Proctoring Services 1.0, 5).
var bodyStimuli = []Fault{
	{
		Name: "control-without-user", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves user out", control: missing("user"),
	}, {
		Name: "control-without-user-iss", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves user.iss out", control: missing("user", "iss"),
	}, {
		Name: "control-without-user-sub", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves user.sub out", control: missing("user", "sub"),
	}, {
		Name: "control-without-resource-link", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves resource_link out", control: missing("resource_link"),
	}, {
		Name: "control-without-resource-link-id", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves resource_link.id out", control: missing("resource_link", "id"),
	}, {
		Name: "control-without-attempt-number", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves attempt_number out", control: missing("attempt_number"),
	}, {
		Name: "control-without-action", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves action out", control: missing("action"),
	}, {
		Name: "control-without-incident-time", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves incident_time out", control: missing("incident_time"),
	}, {
		Name: "incident-time-word", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a word as incident_time", control: says("incident_time", "yesterday"),
	}, {
		Name: "incident-time-impossible", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a date that there is not as incident_time", control: says("incident_time", "2026-13-45"),
	}, {
		Name: "incident-time-number", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a number as incident_time", control: says("incident_time", json.Number("1700000000")),
	}, {
		Name: "severity-negative", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a negative incident_severity", control: says("incident_severity", json.Number("-0.1")),
	}, {
		Name: "severity-above-one", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the incident_severity 1.1", control: says("incident_severity", json.Number("1.1")),
	}, {
		Name: "severity-word", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a word as incident_severity", control: says("incident_severity", "high"),
	}, {
		Name: "extra-time-negative", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a negative extra_time", control: says("extra_time", json.Number("-5")),
	}, {
		Name: "extra-time-fraction", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the extra_time 1.5", control: says("extra_time", json.Number("1.5")),
	}, {
		Name: "extra-time-word", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a word as extra_time", control: says("extra_time", "ten"),
	}, {
		Name: "attempt-number-as-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends attempt_number as a string",
		control: func(d *controlDraft) error {
			if n, ok := d.members["attempt_number"].(json.Number); ok {
				d.members["attempt_number"] = n.String()
			}
			return nil
		},
	}, {
		Name: "control-user-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a string as user", control: says("user", "candidate"),
	}, {
		Name: "control-link-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends resource_link in an array", control: saysInArray("resource_link"),
	}, {
		Name: "control-action-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends action in an array", control: saysInArray("action"),
	}, {
		Name: "attempt-number-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends attempt_number in an array", control: saysInArray("attempt_number"),
	}, {
		Name: "attempt-number-fraction", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an attempt_number with half an attempt more",
		control: func(d *controlDraft) error {
			n, _ := d.members["attempt_number"].(json.Number)
			return says("attempt_number", json.Number(n.String()+".5"))(d)
		},
	}, {
		Name: "severity-true", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the incident_severity true", control: says("incident_severity", true),
	}, {
		Name: "severity-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends incident_severity as a string", control: says("incident_severity", "0.5"),
	}, {
		Name: "extra-time-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends extra_time as a string", control: says("extra_time", "10"),
	}, {
		Name: "extra-time-true", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the extra_time true", control: says("extra_time", true),
	}, {
		Name: "reason-code-number", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a number as reason_code", control: says("reason_code", json.Number("1")),
	}, {
		Name: "reason-msg-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an array of one string as reason_msg", control: says("reason_msg", []any{"A phone rang."}),
	}, {
		Name: "body-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an array", control: sends("[]"),
	}, {
		Name: "body-empty-object", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an empty object", control: sends("{}"),
	}, {
		Name: "body-not-json", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a body that is no JSON", control: sends("{"),
	}, {
		Name: "body-empty", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an empty body", control: sends(""),
	},
}

// incidentTimeStimuli are forms of incident_time (Proctoring Services 1.0, 5).
var incidentTimeStimuli = []Fault{
	{
		Name: "incident-time-utc", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time in UTC, in whole seconds", control: incidentAt(time.RFC3339, 0),
	}, {
		Name: "incident-time-milliseconds", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time with three digits of a fraction", control: incidentAt("2006-01-02T15:04:05.000Z07:00", 0),
	}, {
		Name: "incident-time-microseconds", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time with six digits of a fraction", control: incidentAt("2006-01-02T15:04:05.000000Z07:00", 0),
	}, {
		Name: "incident-time-ahead", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time in a zone east of UTC", control: incidentAt(time.RFC3339, 5*time.Hour+45*time.Minute),
	}, {
		Name: "incident-time-behind", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time in a zone west of UTC", control: incidentAt(time.RFC3339, -3*time.Hour-30*time.Minute),
	},
}

// incidentAt sends the time of the tool's clock, less a second, as incident_time.
func incidentAt(format string, offset time.Duration) func(*controlDraft) error {
	return func(d *controlDraft) error {
		at := d.tool.opts.Now().Add(-time.Second).In(time.FixedZone("", int(offset.Seconds())))
		return says("incident_time", at.Format(format))(d)
	}
}

// mediaTypeStimuli are those of how a control request is sent (Proctoring
// Services 1.0, 5).
var mediaTypeStimuli = []Fault{
	{
		Name: "media-type-exact", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the control media type", control: typed(lti.MediaTypeControl),
	}, {
		Name: "media-type-charset", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the control media type with a charset", control: typed(lti.MediaTypeControl + "; charset=UTF-8"),
	}, {
		Name: "media-type-upper-case", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the control media type in upper case", control: typed(strings.ToUpper(lti.MediaTypeControl)),
	}, {
		Name: "media-type-json", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the media type application/json", control: typed("application/json"),
	}, {
		Name: "media-type-text", Provokes: "ap-acs-platform-accepts-media-type",
		Does: "sends the media type text/plain", control: typed("text/plain"),
	}, {
		Name: "acs-by-get", Provokes: "ap-acs-platform-accepts-media-type",
		Does:    "sends a GET request without body",
		control: func(d *controlDraft) error { d.method, d.body = http.MethodGet, []byte{}; return nil },
	}, {
		Name: "acs-by-put", Provokes: "ap-acs-platform-accepts-media-type",
		Does: "sends the request by PUT", control: func(d *controlDraft) error { d.method = http.MethodPut; return nil },
	},
}

// field sends a parameter with other values, or none.
func field(name string, values ...string) func(*assertionDraft) error {
	return func(d *assertionDraft) error {
		d.form[name] = values
		return nil
	}
}

// asserts sends other claims, and leaves out those that are nil.
func asserts(changes lti.Claims) func(*assertionDraft) error {
	return func(d *assertionDraft) error { change(d.claims, changes); return nil }
}

// fraction gives a claim a time between two seconds, so many after now, as a
// NumericDate may be (RFC 7519, 2).
func fraction(claims lti.Claims, t *Tool, claim string, seconds int64) error {
	claims[claim] = float64(t.opts.Now().Unix()+seconds) + 0.375
	return nil
}

func asserted(how signing.Way) func(*assertionDraft) error {
	return func(d *assertionDraft) error { d.sign = how; return nil }
}

// deploymentOf is one of a platform, which knows it: one that is registered, or
// that a message named; empty where there is none.
func (t *Tool) deploymentOf(r Registration) string {
	if len(r.DeploymentIDs) > 0 {
		return r.DeploymentIDs[0]
	}
	for _, a := range t.Answers() {
		_, c, err := decode(a.IDToken)
		if err != nil || a.Login == nil || clientOf(a.Login.registration) != clientOf(r) {
			continue
		}
		if deployment, _ := c.text(lti.ClaimDeploymentID); deployment != "" {
			return deployment
		}
	}
	return ""
}

// alsoUnknown asks for an unknown scope beside the others.
func alsoUnknown(d *assertionDraft) error {
	d.form.Set(lti.ParamScope, d.form.Get(lti.ParamScope)+" "+UnknownScope)
	return nil
}

func withoutToken(d *controlDraft) error { d.token = ""; return nil }

func tokenInQuery(d *controlDraft) error { d.tokenInURL = true; return nil }

// missing leaves out a member, or one of a member.
func missing(path ...string) func(*controlDraft) error {
	return func(d *controlDraft) error {
		members := d.members
		for _, name := range path[:len(path)-1] {
			members, _ = members[name].(map[string]any)
		}
		delete(members, path[len(path)-1])
		return nil
	}
}

// says sends another member.
func says(name string, value any) func(*controlDraft) error {
	return func(d *controlDraft) error { d.members[name] = value; return nil }
}

// saysInArray sends a member in an array.
func saysInArray(name string) func(*controlDraft) error {
	return func(d *controlDraft) error { return says(name, []any{d.members[name]})(d) }
}

// sends sends something else instead of all members.
func sends(body string) func(*controlDraft) error {
	return func(d *controlDraft) error { d.body = []byte(body); return nil }
}

func typed(mediaType string) func(*controlDraft) error {
	return func(d *controlDraft) error { d.mediaType = mediaType; return nil }
}
