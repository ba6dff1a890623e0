package faketool

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What requests and messages say that a platform must not follow, run or take for its own.
const (
	// Stranger is a site that has nothing to do with the launch: no platform may
	// send a browser there.
	Stranger = part.Stranger
	// StrangerSub is the sub of a user whom no platform knows.
	StrangerSub = part.StrangerSub
	// ScriptRan is what markup in a request writes to the console where a platform
	// lets it run: no policy of the page keeps it from that.
	ScriptRan = part.ScriptRan
	// ScriptMarkup ends the attribute that it is written into.
	ScriptMarkup = part.ScriptMarkup
	script       = part.Script
)

// stimuli are what differs from valid requests and messages, by the requirement
// that it provokes.
var stimuli = slices.Concat(
	requestStimuli, redirectStimuli, clientStimuli, parameterStimuli, hintStimuli, stateStimuli,
	fault.Of(partFaults(parts), fault.Stimulus),
	scopeStimuli, assertionStimuli, tokenFormStimuli, bearerStimuli,
)

// requestStimuli are those of how the request is sent, and of parameters that
// it may have besides.
var requestStimuli = []Fault{
	{
		Name: "auth-request-by-get", Provokes: "oidc-auth-endpoint-get", Permitted: true,
		Does:    "sends the authentication request by a redirect, with the parameters in the query",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error { d.Post = false; return nil }),
	}, {
		Name: "auth-request-by-post", Provokes: "oidc-auth-endpoint-post", Permitted: true,
		Does:    "sends the authentication request by a form that submits itself by POST",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error { d.Post = true; return nil }),
	}, {
		Name: "unknown-parameters", Provokes: "rfc6749-auth-unknown-parameters-ignored", Permitted: true,
		Does: "adds parameters that the platform does not know, or knows from elsewhere",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			for name, value := range map[string]string{"foo": "bar", "ui_locales": "fr", "id_token_signed_response_alg": "RS256", lti.ParamLTIDeploymentID: "x"} {
				d.Params.Set(name, value)
			}
			return nil
		}),
	}, {
		Name: "foreign-redirect-uri-appended", Provokes: "rfc6749-auth-duplicate-parameters",
		Does: "sends a second, foreign redirect_uri after the right one",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			d.Params[lti.ParamRedirectURI] = []string{d.RedirectURI, Stranger + LaunchPath}
			return nil
		}),
	}, {
		Name: "foreign-redirect-uri-prepended", Provokes: "rfc6749-auth-duplicate-parameters",
		Does: "sends a second, foreign redirect_uri before the right one",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			d.Params[lti.ParamRedirectURI] = []string{Stranger + LaunchPath, d.RedirectURI}
			return nil
		}),
	}, {
		Name: "nonce-twice", Provokes: "rfc6749-auth-duplicate-parameters",
		Does:    "sends two different nonce values",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error { d.Params.Add(lti.ParamNonce, lti.RandomString()); return nil }),
	},
}

// QueryURI is a redirect URI of the tool that has a query of its own. A platform
// knows it where it is registered beside [Tool.LaunchURL].
func (t *Tool) QueryURI() string { return t.LaunchURL() + "?from=platform" }

// redirectStimuli are those of the redirect_uri (OpenID Connect Core 1.0,
// 3.1.2.1; RFC 6749, 3.1.2.4). Near misses differ from the registered one.
var redirectStimuli = []Fault{
	{
		Name: "redirect-uri-with-query", Provokes: "formpost-response-form", Permitted: true,
		Does: "asks to be answered at the registered redirect URI that has a query",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			d.Params.Set(lti.ParamRedirectURI, toolOf(d.Core).QueryURI())
			return nil
		}),
	}, {
		Name: "redirect-uri-foreign-host", Provokes: "sec-auth-redirect-uri-registered",
		Does: "sends a redirect_uri at a stranger's site", Effects: part.AsksForLogin(set(lti.ParamRedirectURI, Stranger+LaunchPath)),
	}, {
		Name: "redirect-uri-javascript", Provokes: "sec-auth-redirect-uri-registered",
		Does: "sends a javascript: URL as redirect_uri", Effects: part.AsksForLogin(set(lti.ParamRedirectURI, "javascript:"+script)),
	}, {
		Name: "redirect-uri-data", Provokes: "sec-auth-redirect-uri-registered",
		Does: "sends a data: URL as redirect_uri", Effects: part.AsksForLogin(set(lti.ParamRedirectURI, "data:text/html,<script>"+script+"</script>")),
	}, {
		Name: "redirect-uri-of-other-tool", Provokes: "sec-auth-redirect-uri-registered",
		Does: "sends the redirect_uri of another tool with its own client_id", Effects: part.AsksForLogin(ofOtherTool(lti.ParamRedirectURI)),
	}, {
		Name: "redirect-uri-other-path", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with another path", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Path = strings.TrimSuffix(u.Path, LaunchPath) + "/other" })),
	}, {
		Name: "redirect-uri-appended-segment", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with a path segment appended", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Path += "/more" })),
	}, {
		Name: "redirect-uri-added-query", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with a query parameter added", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.RawQuery = "more=1" })),
	}, {
		Name: "redirect-uri-login-parameters", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with the parameters of the login initiation in its query, as a tool does that takes the address of its own login for it",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			query := maps.Clone(d.Initiation)
			maps.DeleteFunc(query, func(name string, _ []string) bool { return !slices.Contains(knownParameters, name) })
			return redirect(func(u *url.URL) { u.RawQuery = query.Encode() })(d)
		}),
	}, {
		Name: "redirect-uri-trailing-slash", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with a slash added", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Path += "/" })),
	}, {
		Name: "redirect-uri-other-scheme", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with http instead of https", Effects: part.AsksForLogin(redirect(func(u *url.URL) {
			if u.Scheme == "https" {
				u.Scheme = "http"
			} else {
				u.Scheme = "https"
			}
		})),
	}, {
		Name: "redirect-uri-other-port", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with another port", Effects: part.AsksForLogin(redirect(func(u *url.URL) {
			port := ":8443"
			if u.Port() == "8443" {
				port = ":9443"
			}
			u.Host = strings.TrimSuffix(u.Host, ":"+u.Port()) + port
		})),
	}, {
		Name: "redirect-uri-upper-case-path", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with its path in upper case", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Path = strings.ToUpper(u.Path) })),
	}, {
		Name: "redirect-uri-upper-case-host", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with its host in upper case", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Host = strings.ToUpper(u.Host) })),
	}, {
		Name: "redirect-uri-percent-encoded", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with one character of its path percent-encoded", Effects: part.AsksForLogin(redirect(func(u *url.URL) {
			u.RawPath = strings.TrimSuffix(u.EscapedPath(), LaunchPath) + "/%6Caunch"
		})),
	}, {
		Name: "redirect-uri-dot-segments", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri that leaves its path and comes back", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Path += "/.." + LaunchPath })),
	}, {
		Name: "redirect-uri-fragment", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with a fragment added", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Fragment = "more" })),
	}, {
		Name: "redirect-uri-subdomain", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri at a subdomain of the registered host", Effects: part.AsksForLogin(redirect(func(u *url.URL) { u.Host = "sub." + u.Host })),
	}, {
		Name: "redirect-uri-userinfo", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with the registered host as user information before a foreign host", Effects: part.AsksForLogin(redirect(func(u *url.URL) {
			u.User, u.Host = url.User(u.Hostname()), strangerHost
		})),
	}, {
		Name: "redirect-uri-host-suffix", Provokes: "oidc-redirect-uri-exact-match",
		Does: "sends a redirect_uri with the registered host as the beginning of a foreign one", Effects: part.AsksForLogin(redirect(func(u *url.URL) {
			u.Host = u.Hostname() + "." + strangerHost
		})),
	}, {
		Name: "known-client-foreign-redirect-uri", Provokes: "rfc6749-no-open-redirect-on-error",
		Does:    "sends a foreign redirect_uri with a mistake to report, the missing nonce",
		Effects: part.AsksForLogin(all(without(lti.ParamNonce), set(lti.ParamRedirectURI, Stranger+LaunchPath))),
	}, {
		Name: "unknown-client-foreign-redirect-uri", Provokes: "rfc6749-no-open-redirect-on-error",
		Does:    "sends a foreign redirect_uri with an unknown client_id and without nonce",
		Effects: part.AsksForLogin(all(without(lti.ParamNonce), set(lti.ParamRedirectURI, Stranger+LaunchPath), random(lti.ParamClientID))),
	}, {
		Name: "redirect-uri-missing", Provokes: "rfc6749-no-open-redirect-on-error",
		Does: "leaves redirect_uri out", Effects: part.AsksForLogin(without(lti.ParamRedirectURI)),
	},
}

// clientStimuli are those of client_id (OpenID Connect Core 1.0, 3.1.2.2).
var clientStimuli = []Fault{
	{
		Name: "client-id-missing", Provokes: "oidc-auth-unknown-client",
		Does: "leaves client_id out", Effects: part.AsksForLogin(without(lti.ParamClientID)),
	}, {
		Name: "client-id-unknown", Provokes: "oidc-auth-unknown-client",
		Does: "sends a client_id that the platform does not know", Effects: part.AsksForLogin(random(lti.ParamClientID)),
	}, {
		Name: "client-id-of-other-tool-alone", Provokes: "oidc-auth-unknown-client",
		Does: "sends the client_id of another tool with its own redirect_uri", Effects: part.AsksForLogin(ofOtherTool(lti.ParamClientID)),
	}, {
		Name: "client-id-of-other-tool", Provokes: "oidc-auth-unknown-client",
		Does: "sends client_id and redirect_uri of another tool with the hints of this launch",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			other := d.Core.OtherTool()
			if other.ClientID == "" || other.RedirectURI == "" {
				return errors.New("no other tool is known")
			}
			d.Params.Set(lti.ParamClientID, other.ClientID)
			d.Params.Set(lti.ParamRedirectURI, other.RedirectURI)
			return nil
		}),
	}, {
		Name: "hints-of-other-tool", Provokes: "oidc-auth-unknown-client", Borrows: fault.OtherLaunch,
		Does: "sends client_id and redirect_uri of this tool with the hints of another tool's launch",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			for _, name := range []string{lti.ParamLoginHint, lti.ParamMessageHint} {
				d.Params.Del(name)
				if hint := d.Other.Get(name); hint != "" {
					d.Params.Set(name, hint)
				}
			}
			return nil
		}),
	},
}

// parameterStimuli are those of the parameters with a fixed value, and of nonce
// (Security Framework 1.0, 5.1.1.2; OpenID Connect Core 1.0, 3.2.2.1).
var parameterStimuli = []Fault{
	{
		Name: "nonce-missing", Provokes: "oidc-auth-missing-nonce",
		Does: "leaves nonce out", Effects: part.AsksForLogin(without(lti.ParamNonce)),
	}, {
		Name: "nonce-empty", Provokes: "oidc-auth-missing-nonce",
		Does: "sends an empty nonce", Effects: part.AsksForLogin(set(lti.ParamNonce, "")),
	}, {
		Name: "nonce-long-special-characters", Provokes: "sec-id-token-nonce-passthrough", Permitted: true,
		Does: "sends a nonce of 200 characters with reserved ones and spaces, the last one too",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			if err := extend(lti.ParamNonce, "+/=%2B& ", 199)(d); err != nil {
				return err
			}
			d.Params.Set(lti.ParamNonce, d.Params.Get(lti.ParamNonce)+" ")
			return nil
		}),
	}, {
		Name: "response-type-missing", Provokes: "oidc-auth-response-type",
		Does: "leaves response_type out", Effects: part.AsksForLogin(without(lti.ParamResponseType)),
	}, {
		Name: "response-type-code", Provokes: "oidc-auth-response-type",
		Does: "asks for a code", Effects: part.AsksForLogin(set(lti.ParamResponseType, "code")),
	}, {
		Name: "response-type-token", Provokes: "oidc-auth-response-type",
		Does: "asks for an access token", Effects: part.AsksForLogin(set(lti.ParamResponseType, "token")),
	}, {
		Name: "response-type-id-token-token", Provokes: "oidc-auth-response-type",
		Does: "asks for an access token as well", Effects: part.AsksForLogin(set(lti.ParamResponseType, "id_token token")),
	}, {
		Name: "response-type-code", Provokes: "oidc-auth-error-response",
		Does: "asks for a code", Effects: part.AsksForLogin(set(lti.ParamResponseType, "code")),
	}, {
		Name: "response-mode-missing", Provokes: "sec-auth-response-mode-form-post",
		Does: "leaves response_mode out", Effects: part.AsksForLogin(without(lti.ParamResponseMode)),
	}, {
		Name: "response-mode-query", Provokes: "sec-auth-response-mode-form-post",
		Does: "asks for the answer in the query", Effects: part.AsksForLogin(set(lti.ParamResponseMode, "query")),
	}, {
		Name: "response-mode-fragment", Provokes: "sec-auth-response-mode-form-post",
		Does: "asks for the answer in the fragment", Effects: part.AsksForLogin(set(lti.ParamResponseMode, "fragment")),
	}, {
		Name: "scope-missing", Provokes: "oidc-auth-scope-openid",
		Does: "leaves scope out", Effects: part.AsksForLogin(without(lti.ParamScope)),
	}, {
		Name: "scope-without-openid", Provokes: "oidc-auth-scope-openid",
		Does: "asks for the scope profile instead of openid", Effects: part.AsksForLogin(set(lti.ParamScope, "profile")),
	}, {
		Name: "scope-unknown-value-added", Provokes: "oidc-auth-scope-openid", Permitted: true,
		Does: "asks for further scopes, one of them unknown", Effects: part.AsksForLogin(set(lti.ParamScope, "openid profile x-unknown")),
	},
}

// hintStimuli are those of the hints that the platform sent (Security Framework
// 1.0, 5.1.1.2; LTI Core 1.3, 4.1.1).
var hintStimuli = []Fault{
	{
		Name: "login-hint-missing", Provokes: "sec-auth-login-hint-matches-session-user",
		Does: "leaves login_hint out", Effects: part.AsksForLogin(without(lti.ParamLoginHint)),
	}, {
		Name: "login-hint-altered", Provokes: "sec-auth-login-hint-matches-session-user",
		Does: "changes one character of login_hint", Effects: part.AsksForLogin(altered(lti.ParamLoginHint)),
	}, {
		Name: "login-hint-of-other-user", Provokes: "sec-auth-login-hint-matches-session-user", Borrows: fault.OtherLaunch,
		Does: "sends the login_hint of another user's launch", Effects: part.BorrowsAtLogin(lti.ParamLoginHint),
	}, {
		Name: "message-hint-missing", Provokes: "practice-auth-message-hint-integrity",
		Does: "leaves out the lti_message_hint that the platform sent", Effects: part.AsksForLogin(without(lti.ParamMessageHint)),
	}, {
		Name: "message-hint-altered", Provokes: "practice-auth-message-hint-integrity",
		Does: "changes one character of lti_message_hint", Effects: part.AsksForLogin(altered(lti.ParamMessageHint)),
	}, {
		Name: "message-hint-of-other-user", Provokes: "practice-auth-message-hint-integrity", Borrows: fault.OtherLaunch,
		Does: "sends the lti_message_hint of another user's launch", Effects: part.BorrowsAtLogin(lti.ParamMessageHint),
	}, {
		Name: "message-hint-of-other-link", Provokes: "practice-auth-message-hint-integrity", Borrows: fault.OtherLaunch,
		Does: "sends the lti_message_hint of the same user's launch of another link", Effects: part.BorrowsAtLogin(lti.ParamMessageHint),
	},
}

// stateStimuli are those of state (OpenID Connect Core 1.0, 3.1.2.1 and
// 3.2.2.5), and of values that end up in the form of the answer.
var stateStimuli = []Fault{
	{
		Name: "state-long", Provokes: "oidc-auth-state-echo", Permitted: true,
		Does: "sends a state of 1,000 characters", Effects: part.AsksForLogin(extend(lti.ParamState, "0123456789", 1000)),
	}, {
		Name: "state-special-characters", Provokes: "oidc-auth-state-echo", Permitted: true,
		Does:    "sends a state with reserved, HTML and non-ASCII characters",
		Effects: part.AsksForLogin(extend(lti.ParamState, specialCharacters, 0)),
	}, {
		Name: "state-zero", Provokes: "oidc-auth-state-echo", Permitted: true,
		Does: "sends the state 0, which some languages take for nothing", Effects: part.AsksForLogin(set(lti.ParamState, "0")),
	}, {
		Name: "state-missing", Provokes: "oidc-auth-state-optional", Permitted: true,
		Does: "leaves state out, which is only recommended", Effects: part.AsksForLogin(without(lti.ParamState)),
	}, {
		Name: "state-script", Provokes: "practice-form-post-values-escaped", Permitted: true,
		Does: "sends a state with a script element", Effects: part.AsksForLogin(extend(lti.ParamState, ScriptMarkup, 0)),
	}, {
		Name: "state-attribute", Provokes: "practice-form-post-values-escaped", Permitted: true,
		Does:    "sends a state with event handlers as attributes",
		Effects: part.AsksForLogin(extend(lti.ParamState, attributeMarkup, 0)),
	}, {
		Name: "redirect-uri-script", Provokes: "practice-form-post-values-escaped",
		Does: "sends a redirect_uri with a script element in its query",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			d.Params.Set(lti.ParamRedirectURI, d.RedirectURI+"?x="+ScriptMarkup)
			return nil
		}),
	},
}

// specialCharacters are those that a careless platform loses. What looks encoded
// is not: a platform that decodes or unescapes once too often shows.
const specialCharacters = `<>"'&lt;+%41é山`

// attributeMarkup ends the attribute that it is written into, and adds others
// to the element. The focus does not reach a hidden field; the second handler
// is one that runs there as well.
const attributeMarkup = `" onfocus=console.error('` + ScriptRan + `') autofocus` +
	` style=content-visibility:auto oncontentvisibilityautostatechange=console.error('` + ScriptRan + `') x="`

var strangerHost = strings.TrimPrefix(Stranger, "https://")

// ofOtherTool sends a parameter that is another tool's.
func ofOtherTool(name string) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error {
		other := d.Core.OtherTool()
		value := map[string]string{lti.ParamClientID: other.ClientID, lti.ParamRedirectURI: other.RedirectURI}[name]
		if other.ClientID == "" || value == "" {
			return ErrNoOtherTool
		}
		d.Params.Set(name, value)
		return nil
	}
}

func set(name, value string) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error { d.Params.Set(name, value); return nil }
}

func without(name string) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error { d.Params.Del(name); return nil }
}

func random(name string) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error { d.Params.Set(name, lti.RandomString()); return nil }
}

func all(changes ...func(*part.AuthDraft) error) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error {
		for _, change := range changes {
			if err := change(d); err != nil {
				return err
			}
		}
		return nil
	}
}

// extend keeps what makes the parameter unique, and adds to it once, or as
// often as it takes to have the length.
func extend(name, more string, length int) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error {
		value := d.Params.Get(name) + more
		if length > 0 {
			value = (value + strings.Repeat(more, length/len(more)))[:length-1] + "z" // no space at the end
		}
		d.Params.Set(name, value)
		return nil
	}
}

// redirect changes something in the registered redirect_uri.
func redirect(change func(*url.URL)) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error {
		u, err := url.Parse(d.RedirectURI)
		if err != nil {
			return err
		}
		change(u)
		d.Params.Set(lti.ParamRedirectURI, u.String())
		return nil
	}
}

// altered changes one character of a hint, where there is one.
func altered(name string) func(*part.AuthDraft) error {
	return func(d *part.AuthDraft) error {
		if d.Params.Has(name) {
			d.Params.Set(name, fault.Alter(d.Params.Get(name)))
		}
		return nil
	}
}

// toolOf is the tool of a core.
func toolOf(core part.Core) *Tool { return core.(partCore).Tool }
