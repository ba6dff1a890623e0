package fakeplatform

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"

	"invigilator/lti"
)

// A Fault is one named deviation from an ordinary valid launch. It changes one
// thing, and only just: a near miss shows what a tool checks, garbage only how
// it parses. Faults are chosen by name, never at random.
type Fault struct {
	Name string
	// Provokes is the id of the requirement whose reaction it provokes.
	Provokes string
	// Does says in one sentence what is different.
	Does string
	// Permitted is set where the specification allows the deviation, so that a
	// tool has to accept the launch.
	Permitted bool
	// Borrows is set where the fault takes a value from another launch, named
	// by Plan.Other.
	Borrows bool
	// Holds is set where the answer to the authentication request is kept back,
	// to be submitted from [Launch.DeliverURL].
	Holds bool

	// prepare runs when the launch is planned, login before the login
	// initiation is sent, claims before the token is signed, sign in place of
	// the platform's own signature, form before the answer is submitted.
	prepare func(*Platform) error
	login   func(*login)
	claims  func(*draft)
	sign    func(*draft) (string, error)
	form    func(*draft)
	// unsolicited answers without any authentication request.
	unsolicited bool
}

// HeldAnswer keeps the answer to the authentication request back: the login
// stays open, and [Launch.DeliverURL] submits the answer.
var HeldAnswer = Fault{
	Name: "answer-held", Permitted: true, Holds: true,
	Does: "keeps the answer to the authentication request back",
}

// EmptyAnswer is a launch that no tool accepts, to see what refusal looks like.
var EmptyAnswer = Fault{
	Name: "answer-empty",
	Does: "answers the authentication request with neither id_token nor state",
	form: func(d *draft) { d.form = url.Values{} },
}

// Faults returns every fault of the platform, by the requirement that it
// provokes and in the order in which they are meant to be tried.
func Faults() []Fault { return slices.Clone(faults) }

// FaultsFor returns the faults that provoke a requirement, in order.
func FaultsFor(requirement string) []Fault {
	var found []Fault
	for _, f := range faults {
		if f.Provokes == requirement {
			found = append(found, f)
		}
	}
	return found
}

// FaultNamed returns the fault of that name, and false when there is none.
func FaultNamed(name string) (Fault, bool) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return faults[i], true
}

// specialCharacters are those that a careless tool loses: the reserved ones of
// URLs and HTML, a space, and letters beyond ASCII.
const specialCharacters = `a+b/c=d%e&f#g"h<i 'j' ü 山`

var faults = slices.Concat([]Fault{
	{
		Name: "login-by-get", Provokes: "sec-tool-login-get-and-post", Permitted: true,
		Does:  "sends the login initiation as a GET request with the parameters in the query",
		login: func(l *login) { l.Method = http.MethodGet },
	}, {
		Name: "login-by-post", Provokes: "sec-tool-login-get-and-post", Permitted: true,
		Does:  "sends the login initiation as a cross-site form POST",
		login: func(l *login) { l.Method = http.MethodPost },
	}, {
		Name: "hint-long", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:  "sends an lti_message_hint of 4,000 characters",
		login: extendParam(lti.ParamMessageHint, strings.Repeat("0123456789", 400)),
	}, {
		Name: "hint-special-characters", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:  "sends an lti_message_hint with reserved, HTML and non-ASCII characters",
		login: extendParam(lti.ParamMessageHint, specialCharacters),
	}, {
		Name: "hint-jwt", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does: "sends an lti_message_hint that is a JWT",
		login: func(l *login) {
			// Only its shape matters: three base64url parts, as platforms send them.
			l.Params.Set(lti.ParamMessageHint, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJtZXNzYWdlIjoi"+lti.RandomString()+"In0."+strings.Repeat(lti.RandomString(), 15))
		},
	}, {
		Name: "hint-zero", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:  "sends the lti_message_hint 0, which some languages take for nothing",
		login: setParam(lti.ParamMessageHint, "0"),
	}, {
		Name: "hint-absent", Provokes: "core-tool-message-hint-returned-unaltered", Permitted: true,
		Does:  "sends no lti_message_hint",
		login: func(l *login) { l.Params.Del(lti.ParamMessageHint) },
	}, {
		Name: "login-hint-special-characters", Provokes: "sec-tool-login-hint-returned-unaltered", Permitted: true,
		Does:  "sends a login_hint with reserved, HTML and non-ASCII characters",
		login: extendParam(lti.ParamLoginHint, specialCharacters),
	}, {
		Name: "login-hint-long", Provokes: "sec-tool-login-hint-returned-unaltered", Permitted: true,
		Does:  "sends a login_hint of 2,000 characters",
		login: extendParam(lti.ParamLoginHint, strings.Repeat("0123456789", 200)),
	}, {
		Name: "login-hint-zero", Provokes: "sec-tool-login-hint-returned-unaltered", Permitted: true,
		Does:  "sends the login_hint 0, which some languages take for nothing",
		login: setParam(lti.ParamLoginHint, "0"),
	}, {
		Name: "target-link-with-query", Provokes: "sec-tool-auth-request-redirect-uri", Permitted: true,
		Does: "sends a target_link_uri with a query, which is no registered redirect URI",
		login: func(l *login) {
			l.Params.Set(lti.ParamTargetLinkURI, withQuery(l.Params.Get(lti.ParamTargetLinkURI), "chapter", "1"))
		},
	}, {
		Name: "target-link-not-registered", Provokes: "sec-tool-auth-request-redirect-uri", Permitted: true,
		Does: "sends a target_link_uri with a further path segment, which is no registered redirect URI",
		login: func(l *login) {
			l.Params.Set(lti.ParamTargetLinkURI, strings.TrimSuffix(l.Params.Get(lti.ParamTargetLinkURI), "/")+"/chapter-1")
		},
	}, {
		Name: "state-dropped", Provokes: "sec-tool-state-missing",
		Does: "leaves the state out of the answer",
		form: func(d *draft) { d.form.Del(lti.ParamState) },
	}, {
		Name: "state-empty", Provokes: "sec-tool-state-missing",
		Does: "sends an empty state",
		form: func(d *draft) { d.form.Set(lti.ParamState, "") },
	}, {
		Name: "state-random", Provokes: "sec-tool-state-foreign",
		Does: "sends a state that nobody issued",
		form: func(d *draft) { d.form.Set(lti.ParamState, lti.RandomString()) },
	}, {
		Name: "state-altered", Provokes: "sec-tool-state-foreign",
		Does: "sends the state with one character changed",
		form: func(d *draft) { d.form.Set(lti.ParamState, alter(d.form.Get(lti.ParamState))) },
	}, {
		Name: "state-of-other-browser", Provokes: "sec-tool-state-foreign", Borrows: true,
		Does: "sends the state that the tool issued to another browser",
		form: func(d *draft) { d.form.Set(lti.ParamState, d.borrowed().Get(lti.ParamState)) },
	}, {
		Name: "form-submitted-in-other-browser", Provokes: "sec-tool-login-csrf", Holds: true,
		Does: "has a browser that never logged in submit the answer to another browser's login",
	}, {
		Name: "unsolicited-id-token", Provokes: "sec-tool-login-csrf", unsolicited: true,
		Does: "submits an id_token out of the blue, with an invented state and nonce",
	}, {
		Name: "claim-changed-after-signing", Provokes: "sec-tool-signature-tampered",
		Does: "names another user after the token was signed",
		sign: func(d *draft) (string, error) {
			token, err := lti.Sign(d.claims, d.key)
			if err != nil {
				return "", err
			}
			d.claims["sub"] = alter(d.launch.plan.User.Sub)
			payload, err := encodePart(d.claims)
			if err != nil {
				return "", err
			}
			parts := strings.Split(token, ".")
			return parts[0] + "." + payload + "." + parts[2], nil
		},
	}, {
		Name: "signature-last-byte-changed", Provokes: "sec-tool-signature-tampered",
		Does: "changes the last byte of the signature",
		sign: changeSignature(func(signature []byte) []byte {
			signature[len(signature)-1] ^= 1
			return signature
		}),
	}, {
		Name: "signature-empty", Provokes: "sec-tool-signature-tampered",
		Does: "cuts the signature off",
		sign: changeSignature(func([]byte) []byte { return nil }),
	}, {
		Name: "signed-by-unpublished-key", Provokes: "sec-tool-signature-wrong-key",
		Does: "signs with a key that was never published, under the kid of the published one",
		sign: func(d *draft) (string, error) {
			key, err := unpublishedKey()
			if err != nil {
				return "", err
			}
			return signAs(d.claims, key, d.key.KeyID())
		},
	}},
	algNoneFaults(),
	[]Fault{
		hmacFault("hs256-public-key-pem", "PEM", jwa.HS256, publicPEM),
		hmacFault("hs256-public-key-pem-crlf", "PEM with CRLF line ends", jwa.HS256, publicPEMWithCRLF),
		hmacFault("hs256-public-key-pkcs1-pem", "PKCS #1 PEM", jwa.HS256, publicPKCS1PEM),
		hmacFault("hs256-public-key-der", "DER", jwa.HS256, publicDER),
		hmacFault("hs256-public-key-jwk", "JWK", jwa.HS256, publicJWK),
		hmacFault("hs384-public-key-pem", "PEM", jwa.HS384, publicPEM),
		hmacFault("hs512-public-key-pem", "PEM", jwa.HS512, publicPEM),
		{
			Name: "kid-unknown", Provokes: "cert-tool-kid-unknown",
			Does: "signs with the right key, but names a kid that the key set lacks",
			sign: func(d *draft) (string, error) { return signAs(d.claims, d.key, alter(d.key.KeyID())) },
		}, {
			Name: "key-added", Provokes: "oidc-tool-key-rotation", Permitted: true,
			Does:    "publishes a second key and signs with it at once",
			prepare: (*Platform).AddKey,
		}, {
			Name: "old-key-removed", Provokes: "oidc-tool-key-rotation", Permitted: true,
			Does:    "withdraws every key but the one that signs",
			prepare: func(p *Platform) error { p.RemoveOldKeys(); return nil },
		}, {
			Name: "iss-missing", Provokes: "sec-tool-iss",
			Does: "leaves iss out", claims: without("iss"),
		}, {
			Name: "iss-unknown", Provokes: "sec-tool-iss",
			Does: "names an issuer that the tool does not know", claims: with("iss", "https://unknown-issuer.example"),
		}, {
			Name: "iss-trailing-slash", Provokes: "sec-tool-iss",
			Does:   "adds a slash to iss, or takes away the one it has",
			claims: changed("iss", toggleSlash),
		}, {
			Name: "iss-upper-case-host", Provokes: "sec-tool-iss",
			Does:   "writes the host of iss in upper case",
			claims: changed("iss", upperCaseHost),
		}, {
			Name: "iss-other-scheme", Provokes: "sec-tool-iss",
			Does:   "swaps https and http in iss",
			claims: changed("iss", otherScheme),
		}, {
			Name: "iss-array", Provokes: "sec-tool-iss",
			Does:   "sends iss as an array of one",
			claims: func(d *draft) { d.claims["iss"] = []any{d.claims["iss"]} },
		}, {
			Name: "aud-missing", Provokes: "sec-tool-aud",
			Does: "leaves aud out", claims: without("aud"),
		}, {
			Name: "aud-empty-array", Provokes: "sec-tool-aud",
			Does: "sends aud as an empty array", claims: with("aud", []string{}),
		}, {
			Name: "aud-other-client", Provokes: "sec-tool-aud",
			Does: "names another client as the audience", claims: changed("aud", alter),
		}, {
			Name: "aud-tool-url", Provokes: "sec-tool-aud",
			Does:   "names the tool's URL as the audience",
			claims: func(d *draft) { d.claims["aud"] = d.launch.registration.TargetLinkURI },
		}, {
			Name: "aud-other-case", Provokes: "sec-tool-aud",
			Does: "changes the case of the client_id in aud", claims: changed("aud", otherCase),
		}, {
			Name: "exp-past", Provokes: "sec-tool-exp",
			Does:   "sends a token that expired 10 minutes ago",
			claims: func(d *draft) { d.claims["exp"] = d.now.Unix() - 600 },
		}, {
			Name: "exp-certification-suite", Provokes: "sec-tool-exp",
			Does: "sends iat 11111 and exp 22222, as the certification suite does",
			claims: func(d *draft) {
				d.claims["iat"], d.claims["exp"] = 11111, 22222
			},
		}, {
			Name: "exp-missing", Provokes: "sec-tool-exp",
			Does: "leaves exp out", claims: without("exp"),
		}, {
			Name: "exp-string", Provokes: "sec-tool-exp",
			Does:   "sends exp as a string",
			claims: func(d *draft) { d.claims["exp"] = fmt.Sprint(d.claims["exp"]) },
		}, {
			Name: "exp-null", Provokes: "sec-tool-exp",
			Does: "sends exp as null", claims: with("exp", nil),
		}, {
			Name: "nonce-missing", Provokes: "sec-tool-nonce-missing",
			Does: "leaves nonce out", claims: without("nonce"),
		}, {
			Name: "nonce-empty", Provokes: "sec-tool-nonce-missing",
			Does: "sends an empty nonce", claims: with("nonce", ""),
		}, {
			Name: "nonce-null", Provokes: "sec-tool-nonce-missing",
			Does: "sends nonce as null", claims: with("nonce", nil),
		}, {
			Name: "nonce-random", Provokes: "oidc-tool-nonce-foreign",
			Does:   "sends a nonce that nobody issued",
			claims: func(d *draft) { d.claims["nonce"] = lti.RandomString() },
		}, {
			Name: "nonce-altered", Provokes: "oidc-tool-nonce-foreign",
			Does: "changes one character of the nonce", claims: changed("nonce", alter),
		}, {
			Name: "nonce-of-other-browser", Provokes: "oidc-tool-nonce-foreign", Borrows: true,
			Does:   "sends the nonce that the tool issued to another browser and has not seen again",
			claims: func(d *draft) { d.claims["nonce"] = d.borrowed().Get(lti.ParamNonce) },
		}, {
			Name: "replayed-with-same-state", Provokes: "sec-tool-nonce-replayed",
			Does: "submits the same id_token and state twice from the same browser",
			// Its first answer is an ordinary one; the second comes from DeliverURL.
		}, {
			Name: "replayed-in-new-login", Provokes: "sec-tool-nonce-replayed", Borrows: true,
			Does: "answers a second login with the first one's id_token and the second one's state",
			form: func(d *draft) { d.form.Set(lti.ParamIDToken, d.launch.plan.Other.Record().IDToken) },
		}, {
			Name: "message-type-unknown", Provokes: "core-tool-message-type-unknown",
			Does: "sends a message type that does not exist", claims: with(lti.ClaimMessageType, "LtiUnknownRequest"),
		}, {
			Name: "message-type-lower-case", Provokes: "core-tool-message-type-unknown",
			Does:   "sends the message type in lower case",
			claims: with(lti.ClaimMessageType, strings.ToLower(lti.ResourceLinkRequest)),
		}, {
			Name: "message-type-other-direction", Provokes: "core-tool-message-type-unknown",
			Does:   "sends a message type that goes from tools to platforms",
			claims: with(lti.ClaimMessageType, lti.DeepLinkingResponse),
		}, {
			Name: "deployment-id-missing", Provokes: "core-tool-deployment-id-missing",
			Does: "leaves deployment_id out", claims: without(lti.ClaimDeploymentID),
		}, {
			Name: "deployment-id-empty", Provokes: "core-tool-deployment-id-missing",
			Does: "sends an empty deployment_id", claims: with(lti.ClaimDeploymentID, ""),
		}, {
			Name: "teacher-with-unknown-role", Provokes: "cert-tool-valid-unknown-role", Permitted: true,
			Does:   "adds a role that is in no vocabulary to a teacher's",
			claims: with(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleUnknown}),
		}, {
			Name: "student-with-unknown-role", Provokes: "cert-tool-valid-unknown-role", Permitted: true,
			Does:   "adds a role that is in no vocabulary to a student's",
			claims: with(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleUnknown}),
		},
	})

// borrowed returns the authentication request of the launch that the fault
// borrows from. Where none has come, the borrowed values are empty.
func (d *draft) borrowed() url.Values {
	params, _ := d.launch.plan.Other.Request()
	return params
}

func setParam(name, value string) func(*login) {
	return func(l *login) { l.Params.Set(name, value) }
}

// extendParam keeps what makes the parameter unique, so that its launch can be
// told from others by it.
func extendParam(name, more string) func(*login) {
	return func(l *login) { l.Params.Set(name, l.Params.Get(name)+more) }
}

func with(claim string, value any) func(*draft) {
	return func(d *draft) { d.claims[claim] = value }
}

func without(claim string) func(*draft) {
	return func(d *draft) { delete(d.claims, claim) }
}

func changed(claim string, change func(string) string) func(*draft) {
	return func(d *draft) {
		if s, ok := d.claims[claim].(string); ok {
			d.claims[claim] = change(s)
		}
	}
}

// alter changes one character in the middle, into another of the same kind.
func alter(s string) string {
	if s == "" {
		return "x"
	}
	b := []byte(s)
	i := len(b) / 2
	if b[i] == 'a' {
		b[i] = 'b'
	} else {
		b[i] = 'a'
	}
	return string(b)
}

func toggleSlash(s string) string {
	if trimmed, ok := strings.CutSuffix(s, "/"); ok {
		return trimmed
	}
	return s + "/"
}

func upperCaseHost(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return strings.ToUpper(s)
	}
	if host := strings.ToUpper(u.Host); host != u.Host {
		u.Host = host
		return u.String()
	}
	return strings.ToUpper(u.Scheme) + strings.TrimPrefix(s, u.Scheme) // a host without letters
}

func otherScheme(s string) string {
	if rest, ok := strings.CutPrefix(s, "https:"); ok {
		return "http:" + rest
	}
	return "https:" + strings.TrimPrefix(s, "http:")
}

// otherCase changes the case of the first letter; a name without a letter gets one.
func otherCase(s string) string {
	for i, r := range s {
		if upper := strings.ToUpper(string(r)); upper != string(r) {
			return s[:i] + upper + s[i+len(string(r)):]
		}
		if lower := strings.ToLower(string(r)); lower != string(r) {
			return s[:i] + lower + s[i+len(string(r)):]
		}
	}
	return s + "X"
}

func withQuery(rawURL, name, value string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}
