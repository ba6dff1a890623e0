package faketool

import (
	"net/http"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// UnknownScope is one that no platform knows.
const UnknownScope = part.UnknownScope

// scopeStimuli are requests for access tokens with other scopes (RFC 6749, 3.3).
var scopeStimuli = []Fault{
	{
		Name: "scope-known", Provokes: "sec-token-scope-limits", Permitted: true,
		Does: "asks for a known scope", Effects: part.AsksForToken(asserts(nil)),
	}, {
		Name: "scope-known-and-unknown", Provokes: "sec-token-scope-limits", Permitted: true,
		Does: "asks for a known scope and an unknown one", Effects: part.AsksForToken(part.UnknownScopeToo),
	}, {
		Name: "scope-unknown", Provokes: "sec-token-scope-limits",
		Does: "asks for an unknown scope", Effects: part.AsksForToken(field(lti.ParamScope, UnknownScope)),
	}, {
		Name: "scope-missing", Provokes: "sec-token-scope-limits",
		Does: "leaves scope out", Effects: part.AsksForToken(field(lti.ParamScope)),
	},
}

// assertionStimuli are those of the assertion (Security Framework 1.0, 4.1.1;
// RFC 7523, 3).
var assertionStimuli = []Fault{
	{
		Name: "aud-other", Provokes: "sec-token-assertion-aud",
		Does: "sends another URL as aud", Effects: part.AsksForToken(asserts(lti.Claims{"aud": Stranger + "/token"})),
	}, {
		Name: "aud-missing", Provokes: "sec-token-assertion-aud",
		Does: "leaves aud out", Effects: part.AsksForToken(asserts(lti.Claims{"aud": nil})),
	}, {
		Name: "aud-client-id", Provokes: "sec-token-assertion-aud",
		Does:    "sends the tool's client_id as aud",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error { d.Claims["aud"] = d.Platform.ClientID; return nil }),
	}, {
		Name: "aud-string", Provokes: "sec-token-assertion-aud", Permitted: true,
		Does: "sends aud as a string", Effects: part.AsksForToken(asserts(nil)),
	}, {
		Name: "aud-array", Provokes: "sec-token-assertion-aud", Permitted: true,
		Does: "sends aud in an array, with another name of the platform",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error {
			d.Claims["aud"] = []any{d.Claims["aud"], d.Platform.Issuer}
			return nil
		}),
	}, {
		Name: "iss-platform", Provokes: "core-token-assertion-iss-sub",
		Does:    "sends the platform's issuer as iss",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error { d.Claims["iss"] = d.Platform.Issuer; return nil }),
	}, {
		Name: "sub-missing", Provokes: "core-token-assertion-iss-sub",
		Does: "leaves sub out", Effects: part.AsksForToken(asserts(lti.Claims{"sub": nil})),
	}, {
		Name: "sub-of-other-client", Provokes: "core-token-assertion-iss-sub",
		Does: "sends another registered tool's client_id as sub",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error {
			other := d.Core.OtherTool()
			if other.Key == nil {
				return ErrNoOtherTool
			}
			d.Claims["sub"] = other.ClientID
			return nil
		}),
	}, {
		Name: "client-id-unknown", Provokes: "core-token-assertion-iss-sub",
		Does: "sends an unknown client_id as iss and sub",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error {
			d.Claims["iss"] = lti.RandomString()
			d.Claims["sub"] = d.Claims["iss"]
			return nil
		}),
	}, {
		Name: "deployment-id-right", Provokes: "core-token-assertion-iss-sub", Permitted: true,
		Does: "adds the right deployment_id",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error {
			deployment := toolOf(d.Core).deploymentOf(d.Platform)
			if deployment == "" {
				return ErrUnchanged
			}
			d.Claims[lti.ClaimDeploymentID] = deployment
			return nil
		}),
	}, {
		Name: "exp-past", Provokes: "sec-token-assertion-expired",
		Does: "sends an assertion that expired ten minutes ago",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error {
			expired := d.Core.Now().Add(-10 * time.Minute)
			d.Claims["iat"], d.Claims["exp"] = expired.Add(-tokenLifetime).Unix(), expired.Unix()
			return nil
		}),
	}, {
		Name: "exp-missing", Provokes: "sec-token-assertion-expired",
		Does: "leaves exp out", Effects: part.AsksForToken(asserts(lti.Claims{"exp": nil})),
	}, {
		Name: "assertion-iat-with-fraction", Provokes: "rfc7519-token-assertion-numeric-date", Permitted: true,
		Does: "sends an iat with a fraction of a second", Effects: part.AsksForToken(func(d *part.TokenDraft) error { return fraction(d.Claims, d.Core, "iat", -2) }),
	}, {
		Name: "assertion-exp-with-fraction", Provokes: "rfc7519-token-assertion-numeric-date", Permitted: true,
		Does: "sends an exp with a fraction of a second", Effects: part.AsksForToken(func(d *part.TokenDraft) error { return fraction(d.Claims, d.Core, "exp", 240) }),
	}, {
		Name: "assertion-nbf-with-fraction", Provokes: "rfc7519-token-assertion-numeric-date", Permitted: true,
		Does: "sends an nbf of a minute ago with a fraction of a second", Effects: part.AsksForToken(func(d *part.TokenDraft) error { return fraction(d.Claims, d.Core, "nbf", -60) }),
	}, {
		Name: "jti-missing", Provokes: "sec-token-assertion-jti",
		Does: "leaves jti out", Effects: part.AsksForToken(asserts(lti.Claims{"jti": nil})),
	}, {
		Name: "assertion-replayed", Provokes: "sec-token-assertion-jti",
		Does: "sends a valid request twice", Effects: part.AsksForToken(func(d *part.TokenDraft) error { d.Twice = true; return nil }),
	}, {
		Name: "signed-by-unrelated-key", Provokes: "sec-token-assertion-signature",
		Does: "signs with a foreign key under the registered kid", Effects: part.AsksForToken(asserted(signing.ByStranger)),
	}, {
		Name: "signed-by-other-tool", Provokes: "sec-token-assertion-signature",
		Does: "signs with another registered tool's key",
		Effects: part.AsksForToken(func(d *part.TokenDraft) error {
			if d.Key = d.Core.OtherTool().Key; d.Key == nil {
				return ErrNoOtherTool
			}
			return nil
		}),
	}, {
		Name: "kid-unknown", Provokes: "sec-token-assertion-signature",
		Does: "signs with a foreign key under an unknown kid", Effects: part.AsksForToken(asserted(signing.ByUnknownKey)),
	}, {
		Name: "alg-none", Provokes: "sec-token-assertion-signature",
		Does: "leaves the signature out, with alg none", Effects: part.AsksForToken(asserted(signing.Unsigned)),
	}, {
		Name: "hs256-public-key-pem", Provokes: "sec-token-assertion-signature",
		Does: "signs with HS256 and the PEM text of the public key", Effects: part.AsksForToken(asserted(signing.ByPublicKey)),
	}, {
		Name: "payload-altered", Provokes: "sec-token-assertion-signature",
		Does: "changes the jti after signing", Effects: part.AsksForToken(asserted(signing.ChangedAfter("jti"))),
	},
}

// tokenFormStimuli are those of the form of a token request (RFC 6749, 4.4.2;
// RFC 7523, 2.2).
var tokenFormStimuli = []Fault{
	{
		Name: "grant-type-password", Provokes: "rfc6749-token-request-form",
		Does: "sends the grant_type password", Effects: part.AsksForToken(field(lti.ParamGrantType, "password")),
	}, {
		Name: "grant-type-missing", Provokes: "rfc6749-token-request-form",
		Does: "leaves grant_type out", Effects: part.AsksForToken(field(lti.ParamGrantType)),
	}, {
		Name: "assertion-type-wrong", Provokes: "rfc6749-token-request-form",
		Does:    "sends the client_assertion_type of SAML",
		Effects: part.AsksForToken(field(lti.ParamClientAssertionType, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")),
	}, {
		Name: "assertion-type-missing", Provokes: "rfc6749-token-request-form",
		Does: "leaves client_assertion_type out", Effects: part.AsksForToken(field(lti.ParamClientAssertionType)),
	}, {
		Name: "assertion-missing", Provokes: "rfc6749-token-request-form",
		Does: "leaves client_assertion out", Effects: part.AsksForToken(func(d *part.TokenDraft) error { d.Field = ""; return nil }),
	}, {
		Name: "assertion-not-a-jwt", Provokes: "rfc6749-token-request-form",
		Does: "sends something that is no JWT", Effects: part.AsksForToken(asserted(signing.Nothing)),
	}, {
		Name: "request-by-get", Provokes: "rfc6749-token-request-form",
		Does: "sends the request by GET", Effects: part.AsksForToken(func(d *part.TokenDraft) error { d.Method = http.MethodGet; return nil }),
	}, {
		Name: "request-charset", Provokes: "rfc6749-token-request-form", Permitted: true,
		Does: "names a charset in the content type of the request", Effects: part.AsksForToken(func(d *part.TokenDraft) error { d.MediaType += "; charset=UTF-8"; return nil }),
	},
}

// bearerStimuli are requests of services whose access token is not where it belongs
// (RFC 6750, 2.1).
var bearerStimuli = []Fault{
	{
		Name: "token-missing", Provokes: "rfc6750-access-token-enforced",
		Does: "sends no access token", Effects: bears(func(b *part.Bearing) { b.Token = "" }),
	}, {
		Name: "token-in-query", Provokes: "rfc6750-access-token-enforced",
		Does: "sends the access token in the query", Effects: bears(func(b *part.Bearing) { b.InURL = true }),
	}, {
		Name: "token-scheme-lower-case", Provokes: "rfc6750-access-token-enforced", Permitted: true,
		Does:    "writes the scheme of the access token in lower case",
		Effects: bears(func(b *part.Bearing) { b.Headers = inLowerCase(b.Token) }),
	}, {
		Name: "two-authorization-headers", Provokes: "rfc6750-access-token-enforced",
		Does:    "sends a second Authorization header, with a made-up access token",
		Effects: bears(func(b *part.Bearing) { b.Headers = besideMadeUp(b.Token) }),
	},
}

// bears changes how the requests of parts carry their access tokens.
func bears(change func(*part.Bearing)) []fault.Effect {
	return []fault.Effect{part.TokenSent.ChangeWhen(always, func(b part.Bearing) part.Bearing {
		change(&b)
		return b
	})}
}

// inLowerCase is an Authorization header with its scheme in lower case, which means the
// same (RFC 9110, 11.1).
func inLowerCase(token string) []string { return []string{"bearer " + token} }

// besideMadeUp are two Authorization headers, of which a request has one (RFC 6750, 2).
func besideMadeUp(token string) []string {
	return []string{bearer + " " + token, bearer + " " + lti.RandomString()}
}

// field sends a parameter with other values, or none.
func field(name string, values ...string) func(*part.TokenDraft) error {
	return func(d *part.TokenDraft) error {
		d.Form[name] = values
		return nil
	}
}

// asserts sends other claims, and leaves out those that are nil.
func asserts(changes lti.Claims) func(*part.TokenDraft) error {
	return func(d *part.TokenDraft) error { change(d.Claims, changes); return nil }
}

// fraction gives a claim a time between two seconds, so many after now, as a
// NumericDate may be (RFC 7519, 2).
func fraction(claims lti.Claims, core part.Core, claim string, seconds int64) error {
	claims[claim] = float64(core.Now().Unix()+seconds) + 0.375
	return nil
}

func asserted(how signing.Way) func(*part.TokenDraft) error {
	return func(d *part.TokenDraft) error { d.Sign = how; return nil }
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

// clientID is one that a platform knows the tool by.
func (t *Tool) clientID() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.registrations) == 0 {
		return ""
	}
	return t.registrations[0].ClientID
}
