package fakeplatform

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// AcceptsOldTLS is the name of a defect of whoever serves the platform.
const AcceptsOldTLS = "accepts-old-tls"

// conductDefects are the defects of conduct, and what is unusual, but allowed.
var conductDefects = []Fault{

	// Login initiation.
	{Name: "glues-login-query", Proves: "practice-login-url-query-preserved", Does: "appends its parameters with a second ? to a login URL that has a query", Effects: []fault.Effect{
		loginSent.Change(func(l loginAddress) loginAddress {
			if registered := l.registration.LoginURL; strings.Contains(registered, "?") {
				first, rest := url.Values{lti.ParamIssuer: l.login.Params[lti.ParamIssuer]}, maps.Clone(l.login.Params)
				rest.Del(lti.ParamIssuer)
				l.url = registered + "?" + first.Encode() + "&" + rest.Encode()
			}
			return l
		}),
	}},
	{Name: "drops-login-query", Proves: "practice-login-url-query-preserved", Does: "replaces the query of the login URL by its own parameters", Effects: []fault.Effect{
		loginSent.Change(func(l loginAddress) loginAddress {
			registered, _, _ := strings.Cut(l.registration.LoginURL, "?")
			l.url = registered + "?" + l.login.Params.Encode()
			return l
		}),
	}},
	{Name: "posts-token-besides-login", Proves: "sec-every-launch-starts-with-login", Does: "posts an id_token that nobody asked for from a hidden frame, beside the login initiation", Effects: []fault.Effect{tokenPostedBesides.Take(true, nil)}},
	{Name: "opens-private-links-by-lti-1-1", Proves: "sec-every-launch-starts-with-login", Does: "opens a link that shares no personal data with a form of LTI 1.1", Effects: []fault.Effect{opensAsLTI11(func(l *Launch) bool { return l.plan.Message == lti.ResourceLinkRequest && l.plan.HidePersonalData })}},
	{Name: "one-time-links", Proves: "practice-platform-link-opened-again", Needs: fault.Browser, Does: "shows links that launch once, until the page is loaded again", Effects: []fault.Effect{LinkServesOnce.Take(true, nil)}},

	// Authorization endpoint.
	{Name: "refuses-auth-by-get", Proves: "oidc-auth-endpoint-get", Does: "answers an authentication request by GET with 405", Effects: []fault.Effect{refusesMethod(http.MethodGet)}},
	{Name: "refuses-auth-by-post", Proves: "oidc-auth-endpoint-post", Does: "answers an authentication request by POST with 405", Effects: []fault.Effect{refusesMethod(http.MethodPost)}},
	{Name: "tells-tools-its-sessions", Proves: "practice-platform-session-stays-secret", Does: "tells the tool the cookie of the user's session in custom", Effects: []fault.Effect{
		SessionTold.Change(func(s ToldSession) ToldSession {
			s.Told = s.Cookie
			return s
		}),
	}},
	{Name: "tells-tools-of-its-sessions", Permitted: true, Does: "tells the tool in custom what is made of the user's session, and opens none", Effects: []fault.Effect{
		SessionTold.Change(func(s ToldSession) ToldSession {
			s.Told = s.Made
			return s
		}),
	}},
	{Name: "hints-accounts-of-cookies", Permitted: true, Does: "keeps who has signed in last in a cookie as well, and sends the same in login_hint", Effects: []fault.Effect{
		LastUserKept.Take(true, nil),
		loginHintMade.Change(func(m madeHint) madeHint {
			if m.plan.Account != "" {
				m.hint += "." + AccountID(m.plan.Account)
			}
			return m
		}),
	}},
	{Name: "lax-session-cookie", Proves: "oidc-auth-endpoint-post", Needs: fault.Browser, Does: "sets its session cookie with SameSite=Lax, which a browser withholds from a cross-site POST", Effects: []fault.Effect{
		SessionCookieSet.Change(func(c http.Cookie) http.Cookie {
			c.SameSite = http.SameSiteLaxMode
			return c
		}),
	}},
	{Name: "reposts-auth-by-post", Permitted: true, Does: "answers an authentication request by POST with a page that sends it once more from the platform's own site", Effects: []fault.Effect{
		authRead.ChangeWhen(func(r authReading) bool { return r.Method == http.MethodPost }, func(r authReading) authReading {
			if r.params.Has(reposted) {
				r.params.Del(reposted)
				return r
			}
			r.params.Set(reposted, "1")
			page := formPage{Action: r.platform.AuthURL(), Params: r.params}
			r.instead = func(w http.ResponseWriter, _ *http.Request) { writeForm(w, page) }
			return r
		}),
	}},

	// redirect_uri.
	{Name: "accepts-any-redirect-uri", Proves: "sec-auth-redirect-uri-registered", Does: "does not look at redirect_uri", Effects: []fault.Effect{redirectURIRegistered.Lift(func(q *authRequest) bool { return q.params.Get(lti.ParamRedirectURI) != "" })}},
	{Name: "takes-redirect-uri-of-any-client", Proves: "sec-auth-redirect-uri-registered", Does: "accepts a redirect_uri that is registered for another client", Effects: []fault.Effect{redirectURIRegistered.Lift(func(q *authRequest) bool { return q.platform.isRegistered(q.params.Get(lti.ParamRedirectURI)) })}},
	{Name: "compares-redirect-host", Proves: "oidc-redirect-uri-exact-match", Does: "compares only the host of redirect_uri", Effects: []fault.Effect{redirectURIRegistered.Lift(likeRegistered(func(asked, known *url.URL, _, _ string) bool { return asked.Hostname() == known.Hostname() }))}},
	{Name: "compares-redirect-prefix", Proves: "oidc-redirect-uri-exact-match", Does: "accepts a redirect_uri that begins with a registered one", Effects: []fault.Effect{redirectURIRegistered.Lift(likeRegistered(func(_, _ *url.URL, uri, registered string) bool { return strings.HasPrefix(uri, registered) }))}},
	{Name: "ignores-redirect-case", Proves: "oidc-redirect-uri-exact-match", Does: "ignores the case of redirect_uri", Effects: []fault.Effect{redirectURIRegistered.Lift(likeRegistered(func(_, _ *url.URL, uri, registered string) bool { return strings.EqualFold(uri, registered) }))}},
	{Name: "ignores-redirect-query", Proves: "oidc-redirect-uri-exact-match", Does: "ignores the query of redirect_uri", Effects: []fault.Effect{redirectURIRegistered.Lift(likeRegistered(func(asked, known *url.URL, _, _ string) bool { return withoutQuery(*asked) == withoutQuery(*known) }))}},
	{Name: "ignores-login-in-redirect-query", Proves: "oidc-redirect-uri-exact-match", Does: "ignores parameters of a login initiation in the query of redirect_uri", Effects: []fault.Effect{redirectURIRegistered.Lift(likeRegistered(func(asked, _ *url.URL, _, registered string) bool { return withoutLogin(*asked) == registered }))}},
	{Name: "ignores-redirect-slash", Proves: "oidc-redirect-uri-exact-match", Does: "ignores a slash at the end of redirect_uri", Effects: []fault.Effect{redirectURIRegistered.Lift(likeRegistered(func(asked, known *url.URL, _, _ string) bool { return withoutSlash(*asked) == withoutSlash(*known) }))}},
	{Name: "ignores-redirect-port", Proves: "oidc-redirect-uri-exact-match", Does: "ignores the port of redirect_uri", Effects: []fault.Effect{
		redirectURIRegistered.Lift(likeRegistered(func(asked, known *url.URL, _, _ string) bool {
			return asked.User == nil && asked.Hostname() == known.Hostname() && asked.Scheme == known.Scheme && asked.RequestURI() == known.RequestURI() && asked.Fragment == ""
		})),
	}},
	{Name: "ignores-redirect-scheme", Proves: "oidc-redirect-uri-exact-match", Does: "ignores the scheme of redirect_uri", Effects: []fault.Effect{
		redirectURIRegistered.Lift(likeRegistered(func(asked, known *url.URL, uri, registered string) bool {
			return strings.TrimPrefix(uri, asked.Scheme) == strings.TrimPrefix(registered, known.Scheme)
		})),
	}},
	{Name: "ignores-redirect-fragment", Proves: "oidc-redirect-uri-exact-match", Does: "ignores a fragment of redirect_uri", Effects: []fault.Effect{
		redirectURIRegistered.Lift(likeRegistered(func(asked, _ *url.URL, uri, registered string) bool {
			return strings.TrimSuffix(uri, "#"+asked.EscapedFragment()) == registered
		})),
	}},
	{Name: "takes-userinfo-for-host", Proves: "oidc-redirect-uri-exact-match", Does: "takes the user information of redirect_uri for its host", Effects: []fault.Effect{
		redirectURIRegistered.Lift(likeRegistered(func(_, known *url.URL, uri, _ string) bool {
			return strings.HasPrefix(uri, known.Scheme+"://"+known.Host+"@") || strings.HasPrefix(uri, known.Scheme+"://"+known.Hostname()+"@")
		})),
	}},
	{Name: "sends-errors-to-unregistered-uri", Proves: "rfc6749-no-open-redirect-on-error", Does: "looks for other mistakes before it looks at redirect_uri, and posts the error there", Effects: reportsTo(withOtherProblems)},
	{Name: "redirects-errors-to-unregistered-uri", Proves: "rfc6749-no-open-redirect-on-error", Does: "looks for other mistakes before it looks at redirect_uri, and redirects there with the error", Effects: redirectsTo(withOtherProblems)},
	{Name: "sends-errors-for-unknown-client", Proves: "rfc6749-no-open-redirect-on-error", Does: "posts an error to the redirect_uri of a client that it does not know", Effects: reportsForUnknownClient()},
	{Name: "redirects-errors-for-unknown-client", Proves: "rfc6749-no-open-redirect-on-error", Does: "redirects with an error to the redirect_uri of a client that it does not know", Effects: append(reportsForUnknownClient(), authError.ChangeWhen(func(a authErrorAnswer) bool { return ofUnknownClient(a.authRequest) }, byRedirect))},
	{Name: "posts-errors-to-scripts", Proves: "sec-auth-redirect-uri-registered", Does: "posts the error that a redirect_uri is not registered to that redirect_uri where it has no host, as javascript: and data: URLs", Effects: reportsTo(toScript)},
	{Name: "redirects-errors-to-scripts", Proves: "sec-auth-redirect-uri-registered", Does: "redirects with the error that a redirect_uri is not registered to that redirect_uri where it has no host, as javascript: and data: URLs", Effects: redirectsTo(toScript)},
	{Name: "posts-errors-behind-user-info", Proves: "oidc-redirect-uri-exact-match", Does: "posts the error that a redirect_uri is not registered to that redirect_uri where it has user information", Effects: reportsTo(toUserInfo)},
	{Name: "redirects-errors-behind-user-info", Proves: "oidc-redirect-uri-exact-match", Does: "redirects with the error that a redirect_uri is not registered to that redirect_uri where it has user information", Effects: redirectsTo(toUserInfo)},
	{Name: "posts-errors-to-upper-case", Proves: "oidc-redirect-uri-exact-match", Does: "posts the error that a redirect_uri is not registered to that redirect_uri where its host is in upper case", Effects: reportsTo(toUpperCase)},
	{Name: "redirects-errors-to-upper-case", Proves: "oidc-redirect-uri-exact-match", Does: "redirects with the error that a redirect_uri is not registered to that redirect_uri where its host is in upper case", Effects: redirectsTo(toUpperCase)},

	// client_id.
	{Name: "ignores-client-id", Proves: "oidc-auth-unknown-client", Does: "takes a client_id that it does not know, or none, for that of the launch", Effects: takesClient(always)},
	{Name: "accepts-missing-client-id", Proves: "oidc-auth-unknown-client", Does: "accepts a request without client_id", Effects: takesClient(func(c namedClient) bool { return c.params.Get(lti.ParamClientID) == "" })},
	{Name: "takes-other-client-for-launchs", Proves: "oidc-auth-unknown-client", Does: "takes another tool's client_id for that of the launch where redirect_uri is the launch's", Effects: []fault.Effect{
		clientNamed.Change(func(c namedClient) namedClient {
			if c.launch != nil && c.platform.isClient(c.params.Get(lti.ParamClientID)) && slices.Contains(c.launch.registration.RedirectURIs, c.params.Get(lti.ParamRedirectURI)) {
				c.known = true
			}
			return c
		}),
	}},
	{Name: "answers-other-client", Proves: "oidc-auth-unknown-client", Does: "sends a launch to whichever tool asks for it", Effects: []fault.Effect{
		clientNamed.Change(func(c namedClient) namedClient {
			clientID := c.params.Get(lti.ParamClientID)
			if other, is := c.platform.registrationOf(clientID); is && c.launch != nil && !c.known {
				c.registration, c.known, c.audience = other, true, clientID
			}
			return c
		}),
	}},

	// nonce.
	{Name: "accepts-missing-nonce", Proves: "oidc-auth-missing-nonce", Does: "accepts a request without nonce", Effects: []fault.Effect{nonceOnce.Lift(lacks(lti.ParamNonce))}},
	{Name: "accepts-empty-nonce", Proves: "oidc-auth-missing-nonce", Does: "accepts a request with an empty nonce", Effects: []fault.Effect{nonceGiven.Lift(nil)}},
	{Name: "says-login-required-without-nonce", Proves: "oidc-auth-missing-nonce", Does: "reports login_required where the nonce is missing", Effects: []fault.Effect{coded(func(a authErrorAnswer) bool {
		return strings.HasPrefix(a.why.Says, lti.ParamNonce) && len(a.problems) == 1
	}, lti.ErrorLoginRequired)}},
	{Name: "truncates-nonce", Proves: "sec-id-token-nonce-passthrough", Does: "keeps 128 characters of the nonce", Effects: []fault.Effect{changesNonce(func(s string) string { return s[:min(len(s), 128)] })}},
	{Name: "decodes-nonce-twice", Proves: "sec-id-token-nonce-passthrough", Does: "URL-decodes the nonce once too often", Effects: []fault.Effect{changesNonce(decodeAgain)}},
	{Name: "trims-nonce", Proves: "sec-id-token-nonce-passthrough", Does: "takes white space from the ends of the nonce", Effects: []fault.Effect{changesNonce(strings.TrimSpace)}},
	{Name: "drops-nonce-spaces", Proves: "sec-id-token-nonce-passthrough", Does: "takes every space out of the nonce", Effects: []fault.Effect{changesNonce(func(s string) string { return strings.ReplaceAll(s, " ", "") })}},

	// response_type, response_mode, scope.
	{Name: "accepts-missing-response-type", Proves: "oidc-auth-response-type", Does: "accepts a request without response_type", Effects: []fault.Effect{responseTypeOnce.Lift(lacks(lti.ParamResponseType))}},
	{Name: "ignores-response-type", Proves: "oidc-auth-response-type", Does: "sends an id_token whatever response_type asks for", Effects: []fault.Effect{asksForIDToken.Lift(nil)}},
	{Name: "sends-code", Proves: "oidc-auth-response-type", Does: "sends a code where response_type asks for one", Effects: answersWith("code", func() url.Values { return url.Values{"code": {lti.RandomString()}} })},
	{Name: "sends-access-token", Proves: "oidc-auth-response-type", Does: "sends an access token where response_type asks for one", Effects: answersWith("token", func() url.Values {
		return url.Values{"access_token": {lti.RandomString()}, "token_type": {"Bearer"}, "expires_in": {"3600"}}
	})},
	{Name: "accepts-token-beside-id-token", Proves: "oidc-auth-response-type", Does: "accepts the response_type id_token token", Effects: []fault.Effect{asksForIDToken.Lift(sends(lti.ParamResponseType, "id_token token"))}},
	{Name: "answers-in-query", Proves: "sec-auth-response-mode-form-post", Does: "sends the id_token in a query where response_mode asks for it", Effects: []fault.Effect{asksForFormPost.Lift(sends(lti.ParamResponseMode, "query")), byMode("query", intoQuery)}},
	{Name: "answers-in-fragment", Proves: "sec-auth-response-mode-form-post", Does: "sends the id_token in a fragment where response_mode asks for it", Effects: []fault.Effect{asksForFormPost.Lift(sends(lti.ParamResponseMode, "fragment")), byMode("fragment", intoFragment)}},
	{Name: "answers-in-query-by-default", Proves: "sec-auth-response-mode-form-post", Does: "sends the id_token in a query where response_mode is missing", Effects: []fault.Effect{responseModeOnce.Lift(lacks(lti.ParamResponseMode)), byMode("", intoQuery)}},
	{Name: "answers-in-fragment-by-default", Proves: "sec-auth-response-mode-form-post", Does: "sends the id_token in a fragment where response_mode is missing", Effects: []fault.Effect{responseModeOnce.Lift(lacks(lti.ParamResponseMode)), byMode("", intoFragment)}},
	{Name: "posts-whatever-the-response-mode", Permitted: true, Does: "posts the id_token whatever response_mode asks for", Effects: []fault.Effect{asksForFormPost.Lift(nil)}},
	{Name: "accepts-missing-response-mode", Permitted: true, Does: "posts the id_token where response_mode is missing, too", Effects: []fault.Effect{responseModeOnce.Lift(lacks(lti.ParamResponseMode))}},
	{Name: "accepts-missing-scope", Proves: "oidc-auth-scope-openid", Does: "accepts a request without scope", Effects: []fault.Effect{scopeOnce.Lift(lacks(lti.ParamScope))}},
	{Name: "accepts-scope-without-openid", Proves: "oidc-auth-scope-openid", Does: "accepts a scope without openid", Effects: []fault.Effect{scopeWithOpenID.Lift(nil)}},
	{Name: "refuses-further-scopes", Proves: "oidc-auth-scope-openid", Does: "refuses scopes that it does not know next to openid", Effects: []fault.Effect{
		authRules.Add(func(q *authRequest) error {
			scope := q.params.Get(lti.ParamScope)
			if scopes := strings.Fields(scope); len(q.params[lti.ParamScope]) == 1 && len(scopes) > 1 && slices.Contains(scopes, lti.ScopeOpenID) {
				return &part.Refusal{Code: lti.ErrorInvalidScope, Says: fmt.Sprintf("scope %q contains more than openid", scope)}
			}
			return nil
		}),
	}},

	// Sessions.
	{Name: "answers-without-session", Proves: "sec-auth-prompt-none-no-session", Does: "answers a browser in which nobody is signed in as if the launch's user were", Effects: []fault.Effect{userSignedIn.Lift(ofNobody)}},
	{Name: "shows-login-form", Proves: "sec-auth-prompt-none-no-session", Does: "asks a browser in which nobody is signed in to sign in", Effects: []fault.Effect{
		authError.ChangeWhen(noSession, func(a authErrorAnswer) authErrorAnswer {
			a.instead = func(w http.ResponseWriter, _ *http.Request) { render(w, http.StatusOK, "login", nil) }
			return a
		}),
	}},
	{Name: "says-invalid-request-without-session", Proves: "sec-auth-prompt-none-no-session", Does: "reports invalid_request where nobody is signed in", Effects: []fault.Effect{coded(noSession, lti.ErrorInvalidRequest)}},
	{Name: "answers-ended-session", Proves: "practice-platform-session-ended", Does: "answers the browser that began the launch after its user has signed out", Effects: []fault.Effect{userSignedIn.Lift(func(q *authRequest) bool { return q.account == "" && q.ofOwnSession() }), setsSession}},
	{Name: "answers-earlier-user", Proves: "practice-platform-session-ended", Does: "answers the browser that began the launch for its user after somebody else has signed in", Effects: []fault.Effect{userSignedIn.Lift(func(q *authRequest) bool { return q.account != "" && q.ofOwnSession() }), setsSession}},
	{Name: "answers-other-users", Proves: "practice-platform-session-ended", Does: "answers an authentication request, once more if need be, in the browser of another user", Effects: []fault.Effect{
		userSignedIn.Lift(func(q *authRequest) bool { return q.launch != nil && q.account != "" }), takenOnce.Lift(nil),
		answeredOnce.Lift(func(q *authRequest) bool { return q.account != "" && q.account != q.launch.plan.Account }),
	}},
	{Name: "swaps-overlapping-users", Proves: "core-platform-parallel-users", Does: "names the user of the launch that was started last", Effects: []fault.Effect{
		messagePlanned.Change(func(m plannedMessage) plannedMessage {
			if last := m.platform.last(); last != nil && last.plan.User.Sub != m.launch.plan.User.Sub {
				m.User = last.plan.User
			}
			return m
		}),
	}},
	{Name: "mixes-users-at-once", Proves: "core-platform-parallel-users", Does: "names the user of the request that it answers at the same time", Effects: []fault.Effect{mixesAtOnce(false, func(into *Plan, other Plan) { into.User = other.User })}},
	{Name: "mixes-tabs-at-once", Proves: "practice-platform-parallel-tabs", Does: "launches the link of the request that it answers at the same time, of the same user", Effects: []fault.Effect{mixesAtOnce(true, func(into *Plan, other Plan) { *into = into.message(other) })}},
	{Name: "launches-latest-link", Proves: "practice-platform-parallel-tabs", Does: "launches the link that the user has started last, in every tab", Effects: []fault.Effect{
		messagePlanned.ChangeWhen(func(m plannedMessage) bool { return m.launch.latestOf() != nil }, func(m plannedMessage) plannedMessage {
			m.Plan = m.message(m.launch.latestOf().plan)
			return m
		}),
	}},
	{Name: "keeps-one-tool-per-user", Proves: "practice-platform-parallel-tabs", Does: "refuses the request of a tool beside whose link the user has started that of another tool", Effects: []fault.Effect{
		answerRules.Add(func(q *authRequest) error {
			if q.launch == nil {
				return nil
			}
			if latest := q.launch.latestOf(); latest != nil && latest.plan.ClientID != q.launch.plan.ClientID {
				return part.InvalidRequest("the user is on the way to another tool")
			}
			return nil
		}),
	}},
	{Name: "forgets-user-in-older-tab", Proves: "practice-platform-parallel-tabs", Does: "sends no sub in the launch of a link beside which the user has started another", Effects: []fault.Effect{says(inOlderTab(without("sub")))}},
	{Name: "forgets-message-type-in-older-tab", Proves: "practice-platform-parallel-tabs", Does: "sends no message_type in the launch of a link beside which the user has started another", Effects: []fault.Effect{says(inOlderTab(without(lti.ClaimMessageType)))}},
	{Name: "sends-nonce-of-latest-tab", Proves: "practice-platform-parallel-tabs", Does: "sends the nonce of the launch that the user has started last, in every tab", Effects: []fault.Effect{echoesOfLatestTab(lti.ParamNonce)}},
	{Name: "sends-state-of-latest-tab", Proves: "practice-platform-parallel-tabs", Does: "sends the state of the launch that the user has started last, in every tab", Effects: []fault.Effect{echoesOfLatestTab(lti.ParamState)}},

	// login_hint, lti_message_hint.
	{Name: "accepts-missing-login-hint", Proves: "sec-auth-login-hint-matches-session-user", Does: "accepts a request without login_hint", Effects: []fault.Effect{loginHintOnce.Lift(lacks(lti.ParamLoginHint)), loginHintOfLaunch.Lift(sends(lti.ParamLoginHint, ""))}},
	{Name: "accepts-unknown-login-hint", Proves: "sec-auth-login-hint-matches-session-user", Does: "accepts a login_hint that it never sent", Effects: []fault.Effect{
		loginHintOfLaunch.Lift(func(q *authRequest) bool {
			hint := q.params.Get(lti.ParamLoginHint)
			return hint != "" && q.platform.started(lti.ParamLoginHint, hint) == nil
		}),
	}},
	{Name: "ignores-login-hint", Proves: "sec-auth-login-hint-matches-session-user", Does: "does not look at login_hint", Effects: []fault.Effect{loginHintOnce.Lift(lacks(lti.ParamLoginHint)), loginHintOfLaunch.Lift(nil)}},
	{Name: "launches-user-of-login-hint", Proves: "sec-auth-login-hint-matches-session-user", Does: "launches the user whom login_hint designates, whoever is signed in", Effects: []fault.Effect{
		loginHintOfLaunch.Lift(func(q *authRequest) bool { return q.otherUser() != nil }),
		messagePlanned.Change(func(m plannedMessage) plannedMessage {
			if other := m.otherUser(); other != nil {
				m.User = other.plan.User
			}
			return m
		}),
	}},
	{Name: "accepts-missing-message-hint", Proves: "practice-auth-message-hint-integrity", Does: "launches what the user has started last where lti_message_hint is missing", Effects: guesses(func(h hintedLaunch, hint string) *Launch {
		if hint != "" {
			return nil
		}
		h.platform.mu.Lock()
		defer h.platform.mu.Unlock()
		return h.platform.latest[h.account]
	})},
	{Name: "accepts-unknown-message-hint", Proves: "practice-auth-message-hint-integrity", Does: "goes by login_hint where it never sent the lti_message_hint", Effects: guesses(func(h hintedLaunch, hint string) *Launch {
		if hint == "" {
			return nil
		}
		return h.ownByLogin()
	})},
	{Name: "compares-message-hint-prefix", Proves: "practice-auth-message-hint-integrity", Does: "looks at the beginning of lti_message_hint only", Effects: guesses(func(h hintedLaunch, hint string) *Launch {
		own := h.ownByLogin()
		if own == nil || !strings.HasPrefix(hint, own.login.Params.Get(lti.ParamMessageHint)[:comparedOfHint]) {
			return nil
		}
		return own
	})},
	{Name: "launches-others-message", Proves: "practice-auth-message-hint-integrity", Does: "launches what lti_message_hint names, whoever it was for", Effects: []fault.Effect{
		launchHinted.Change(func(h hintedLaunch) hintedLaunch {
			if named, own := h.byMessage, h.ownByLogin(); named != nil && own != nil && named.plan.Account != h.account {
				plan := own.plan.message(named.plan)
				h.byMessage, h.plan = own, &plan
			}
			return h
		}), anyHint,
	}},

	// State and errors.
	{Name: "truncates-state", Proves: "oidc-auth-state-echo", Does: "keeps 255 characters of state", Effects: []fault.Effect{changesState(func(s string) string { return s[:min(len(s), 255)] })}},
	{Name: "decodes-state-twice", Proves: "oidc-auth-state-echo", Does: "URL-decodes state once too often", Effects: []fault.Effect{changesState(decodeAgain)}},
	{Name: "drops-state-zero", Proves: "oidc-auth-state-echo", Does: "takes the state 0 for none", Effects: []fault.Effect{inForm(withState(func(state string) bool { return state == "0" }), func(f *answerForm) { f.fields.Del(lti.ParamState) })}},
	{Name: "drops-state-on-error", Proves: "oidc-auth-state-echo", Does: "leaves state out of error responses", Effects: []fault.Effect{
		authError.Change(func(a authErrorAnswer) authErrorAnswer {
			a.params.Del(lti.ParamState)
			return a
		}),
	}},
	{Name: "needs-state", Proves: "oidc-auth-state-optional", Does: "refuses a request without state", Effects: []fault.Effect{
		authRules.Add(func(q *authRequest) error {
			if len(q.params[lti.ParamState]) == 0 {
				return part.InvalidRequest("state is missing")
			}
			return nil
		}),
	}},
	{Name: "invents-state", Proves: "oidc-auth-state-optional", Does: "sends a state where it received none", Effects: []fault.Effect{inForm(func(f sentForm) bool { return !f.fields.Has(lti.ParamState) }, func(f *answerForm) { f.fields.Set(lti.ParamState, lti.RandomString()) })}},
	{Name: "shows-errors-with-400", Proves: "oidc-auth-error-response", Does: "shows the user a page with 400 instead of reporting an error to the tool", Effects: []fault.Effect{authError.ChangeWhen(always, shown(http.StatusBadRequest))}},
	{Name: "shows-errors-with-404", Proves: "oidc-auth-error-response", Does: "shows the user a page with 404 instead of reporting an error to the tool", Effects: []fault.Effect{authError.ChangeWhen(always, shown(http.StatusNotFound))}},
	{Name: "redirects-errors", Proves: "oidc-auth-error-response", Does: "reports errors by a redirect with a query", Effects: []fault.Effect{authError.ChangeWhen(always, byRedirect)}},
	{Name: "crashes-on-response-type", Proves: "oidc-auth-error-response", Does: "answers response_type=code with 500", Effects: []fault.Effect{
		authError.ChangeWhen(askedForCode, func(a authErrorAnswer) authErrorAnswer {
			a.instead = func(w http.ResponseWriter, _ *http.Request) { crash(w) }
			return a
		}),
	}},
	{Name: "invents-error-code", Proves: "oidc-auth-error-response", Does: "reports response_type=code with an error code that is registered nowhere", Effects: []fault.Effect{coded(askedForCode, "bad_response_type")}},
	{Name: "sends-token-with-error", Proves: "oidc-auth-error-response", Does: "reports response_type=code as an error and sends the id_token all the same", Effects: []fault.Effect{
		authError.ChangeWhen(func(a authErrorAnswer) bool { return askedForCode(a) && a.launch != nil }, func(a authErrorAnswer) authErrorAnswer {
			if form, err := a.platform.mint(a.launch, a.authRequest.params, a.plan); err == nil {
				a.params.Set(lti.ParamIDToken, form.fields.Get(lti.ParamIDToken))
			}
			return a
		}),
	}},
	{Name: "refuses-unknown-parameters", Proves: "rfc6749-auth-unknown-parameters-ignored", Does: "refuses a request with a parameter that it does not know", Effects: []fault.Effect{
		authRules.Add(func(q *authRequest) error {
			for name := range q.params {
				if !slices.Contains(requestParameters, name) {
					return part.InvalidRequest("%s is unknown", name)
				}
			}
			return nil
		}),
	}},
	{Name: "takes-first-of-repeated", Proves: "rfc6749-auth-duplicate-parameters", Does: "takes the first value of a repeated parameter", Effects: []fault.Effect{
		repeated(func(r authReading, name string, values []string) authReading {
			r.params[name] = values[:1]
			return r
		}),
	}},
	{Name: "takes-last-of-repeated", Proves: "rfc6749-auth-duplicate-parameters", Does: "takes the last value of a repeated parameter", Effects: []fault.Effect{
		repeated(func(r authReading, name string, values []string) authReading {
			r.params[name] = values[len(values)-1:]
			return r
		}),
	}},
	{Name: "accepts-repeated-nonce", Proves: "rfc6749-auth-duplicate-parameters", Does: "takes the first of several nonces", Effects: []fault.Effect{
		repeated(func(r authReading, name string, values []string) authReading {
			if name == lti.ParamNonce {
				r.params[name] = values[:1]
			}
			return r
		}),
	}},
	{Name: "answers-last-redirect-uri", Proves: "rfc6749-auth-duplicate-parameters", Does: "checks the first redirect_uri and answers the last one", Effects: []fault.Effect{
		repeated(func(r authReading, name string, values []string) authReading {
			if name == lti.ParamRedirectURI {
				r.params[name], r.target = values[:1], values[len(values)-1]
			}
			return r
		}),
	}},

	// The page with the answer.
	{Name: "sends-form-by-get", Proves: "formpost-response-form", Does: "submits its form by GET, with id_token and state in the URL", Effects: []fault.Effect{inForm(always, func(f *answerForm) { f.page.Method = "get" })}},
	{Name: "sends-multipart-form", Proves: "formpost-response-form", Needs: fault.Browser, Does: "submits its form as multipart/form-data", Effects: []fault.Effect{inForm(always, func(f *answerForm) { f.page.Multipart = true })}},
	{Name: "answers-private-launches-at-login", Proves: "formpost-response-form", Does: "submits the form of a launch without personal data to the login URL", Effects: []fault.Effect{
		formSent.ChangeWhen(func(f sentForm) bool { return f.plan.HidePersonalData }, func(f sentForm) sentForm {
			f.action = f.launch.registration.LoginURL
			return f
		}),
	}},
	{Name: "drops-redirect-query", Proves: "formpost-response-form", Does: "submits its form to redirect_uri without its query", Effects: []fault.Effect{inForm(func(f sentForm) bool { return strings.Contains(f.action, "?") }, func(f *answerForm) { f.action, _, _ = strings.Cut(f.action, "?") })}},
	{Name: "sends-session-state", Permitted: true, Does: "sends a session_state beside id_token and state", Effects: []fault.Effect{inForm(always, func(f *answerForm) { f.fields.Set("session_state", lti.RandomString()) })}},
	{Name: "allows-storing", Proves: "formpost-response-not-stored", Does: "says nothing of storing the page with the id_token", Effects: []fault.Effect{inForm(always, func(f *answerForm) { f.page.Cache = "none" })}},
	{Name: "says-only-no-cache", Proves: "formpost-response-not-stored", Does: "says no-cache of the page with the id_token, but not no-store", Effects: []fault.Effect{inForm(always, func(f *answerForm) { f.page.Cache = "no-cache" })}},
	{Name: "writes-state-unescaped", Proves: "oidc-auth-state-echo", Does: "writes state into its form as it came", Effects: []fault.Effect{inForm(specialState, func(f *answerForm) { f.page.Raw = func(value string) string { return value } })}},
	{Name: "leaves-quotes-in-state", Proves: "oidc-auth-state-echo", Does: "escapes < and > of state, but not the quotes", Effects: []fault.Effect{inForm(specialState, func(f *answerForm) { f.page.Raw = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace })}},
	{Name: "shows-state-unescaped", Proves: "practice-form-post-values-escaped", Needs: fault.Browser, Does: "shows state as it came, beside the form that has it escaped", Effects: []fault.Effect{inForm(specialState, func(f *answerForm) { f.page.Shows = template.HTML("<p>" + f.fields.Get(lti.ParamState) + "</p>") })}},

	// Issuer.
	{Name: "issuer-with-query", Proves: "sec-id-token-iss", Does: "has an issuer identifier with a query", Effects: []fault.Effect{issuerSaid.Change(func(issuer string) string { return part.WithQuery(issuer, "tenant", "7") })}},
	{Name: "issuer-without-tls", Proves: "sec-id-token-iss", Does: "has an http URL for its issuer identifier", Effects: []fault.Effect{issuerSaid.Change(func(issuer string) string { return "http://" + strings.TrimPrefix(issuer, "https://") })}},

	// Return page.
	{Name: "hides-message", Proves: "core-return-url-parameters", Does: "does not show lti_msg", Effects: []fault.Effect{showsOnReturn(func(_ Return, page *returnPage) { page.Message = "" })}},
	{Name: "hides-error-message", Proves: "core-return-url-parameters", Does: "does not show lti_errormsg", Effects: []fault.Effect{showsOnReturn(func(_ Return, page *returnPage) { page.ErrorMessage = "" })}},
	{Name: "shows-log", Proves: "core-return-url-parameters", Does: "shows lti_log to the user", Effects: []fault.Effect{showsOnReturn(func(said Return, page *returnPage) { page.Log = said.Log })}},
	{Name: "shows-error-log", Proves: "core-return-url-parameters", Does: "shows lti_errorlog to the user", Effects: []fault.Effect{showsOnReturn(func(said Return, page *returnPage) { page.ErrorLog = said.ErrorLog })}},
	{Name: "has-no-return-page", Proves: "core-return-url-parameters", Does: "answers 404 at its return_url", Effects: []fault.Effect{failsOnReturn(always, func(w http.ResponseWriter) { refuse(w, http.StatusNotFound, "There is nothing here.") })}},
	{Name: "shows-message-unescaped", Proves: "practice-return-url-messages-escaped", Needs: fault.Browser, Does: "shows lti_msg as it came", Effects: []fault.Effect{showsOnReturn(func(said Return, page *returnPage) { page.Message = asMarkup(said.Message, said.Message) })}},
	{Name: "shows-messages-as-markup", Proves: "practice-return-url-messages-escaped", Does: "shows messages as markup, without its scripts", Effects: []fault.Effect{
		showsOnReturn(func(said Return, page *returnPage) {
			page.Message = asMarkup(said.Message, scripts.ReplaceAllString(said.Message, ""))
			page.ErrorMessage = asMarkup(said.ErrorMessage, scripts.ReplaceAllString(said.ErrorMessage, ""))
		}),
	}},
	{Name: "shows-error-message-unescaped", Proves: "practice-return-url-messages-escaped", Needs: fault.Browser, Does: "shows lti_errormsg as it came", Effects: []fault.Effect{showsOnReturn(func(said Return, page *returnPage) {
		page.ErrorMessage = asMarkup(said.ErrorMessage, said.ErrorMessage)
	})}},

	// Custom variables.
	{Name: "substitutes-nothing", Proves: "core-custom-variable-substitution", Does: "passes on the variables that it supports", Effects: []fault.Effect{resolves(supported, passedOn)}},
	{Name: "substitutes-not-the-user", Proves: "core-custom-variable-substitution", Does: "passes on $User.id", Effects: []fault.Effect{resolves(func(r part.Variable) bool { return r.Name == "$User.id" }, passedOn)}},
	{Name: "substitutes-name", Proves: "core-custom-variable-substitution", Does: "replaces $User.id by the user's name", Effects: []fault.Effect{
		resolves(ofVariable("$User.id"), func(r *part.Variable) {
			if name := r.Claims["name"]; name != nil {
				r.Value = fmt.Sprint(name)
			}
		}),
	}},
	{Name: "substitutes-title", Proves: "core-custom-variable-substitution", Does: "replaces $ResourceLink.id by the title", Effects: []fault.Effect{resolves(ofVariable("$ResourceLink.id"), func(r *part.Variable) { r.Value, _ = valueOf("$ResourceLink.title", r.Claims) })}},
	{Name: "substitutes-label", Proves: "core-custom-variable-substitution", Does: "replaces $Context.title by the label", Effects: []fault.Effect{
		resolves(ofVariable("$Context.title"), func(r *part.Variable) {
			context, _ := r.Claims[lti.ClaimContext].(map[string]any)
			r.Value = fmt.Sprint(context["label"])
		}),
	}},
	{Name: "passes-on-course-title", Permitted: true, Does: "passes on $Context.title, which it does not support", Effects: []fault.Effect{resolves(ofVariable("$Context.title"), passedOn)}},
	{Name: "empties-unknown-variable", Proves: "core-custom-variable-unsupported-unresolved", Does: "sends an empty string for a variable that it does not support", Effects: []fault.Effect{resolves(unsupported, emptied)}},
	{Name: "strips-unknown-variable", Proves: "core-custom-variable-unsupported-unresolved", Does: "passes on a variable that it does not support without its $", Effects: []fault.Effect{resolves(unsupported, func(r *part.Variable) { r.Value = strings.TrimPrefix(r.Name, "$") })}},
	{Name: "drops-unknown-variable", Proves: "core-custom-variable-unsupported-unresolved", Does: "leaves out a custom parameter with a variable that it does not support", Effects: []fault.Effect{resolves(unsupported, func(r *part.Variable) { r.Sent = false })}},
	{Name: "keeps-link-id-on-copy", Proves: "core-resource-link-id-changes-on-copy", Does: "keeps the id of a link that is copied", Effects: []fault.Effect{
		LinkIDOnCopy.Change(func(l CopiedLink) CopiedLink {
			l.ID = l.Original
			return l
		}),
	}},

	// Keys and transport.
	{Name: "has-no-key-set", Proves: "sec-jwks-published", Does: "answers 404 at its key set URL", Effects: []fault.Effect{publishesInstead(notFound)}},
	{Name: "publishes-page-as-key-set", Proves: "sec-jwks-published", Does: "publishes a page instead of its key set", Effects: []fault.Effect{publishesInstead(writes(pageMediaType, "<!DOCTYPE html><title>Keys</title><p>Please sign in.</p>"))}},
	{Name: "publishes-no-keys", Proves: "sec-jwks-published", Does: "publishes an empty key set", Effects: []fault.Effect{publishesInstead(writes(lti.MediaTypeJWKSet, `{"keys":[]}`))}},
	{Name: "publishes-private-key", Proves: "sec-jwks-no-private-members", Does: "publishes the private members of its keys", Effects: []fault.Effect{
		keySetPublished.ChangeWhen(always, func(k publishedKeys) publishedKeys {
			k.set.private = true
			return k
		}),
	}},
	{Name: "publishes-shared-secret", Proves: "sec-jwks-no-private-members", Does: "publishes a symmetric key beside its own", Effects: []fault.Effect{
		publishesToo(func(*keySet) (json.RawMessage, error) {
			return json.RawMessage(`{"kty":"oct","kid":"shared-secret","alg":"HS256","k":"` + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("secret", 6))) + `"}`), nil
		}),
	}},
	{Name: "publishes-key-without-exponent", Proves: "sec-jwks-published", Does: "publishes a second key without e", Effects: []fault.Effect{
		publishesToo(func(*keySet) (json.RawMessage, error) {
			return publicMembers(unpublishedKey, func(key map[string]any) { delete(key, "e") })
		}),
	}},
	{Name: "publishes-key-without-kid", Proves: "sec-jwks-published", Does: "publishes a second key without kid", Effects: []fault.Effect{
		publishesToo(func(*keySet) (json.RawMessage, error) {
			return publicMembers(unpublishedKey, func(key map[string]any) { delete(key, "kid") })
		}),
	}},
	{Name: "publishes-short-key", Proves: "sec-jwks-published", Does: "publishes a second key, of 1024 bits", Effects: []fault.Effect{
		publishesToo(func(*keySet) (json.RawMessage, error) {
			return publicMembers(shortKey, func(key map[string]any) { key["kid"], key["alg"], key["use"] = "short", "RS256", "sig" })
		}),
	}},
	{Name: "pads-modulus", Proves: "sec-jwks-published", Does: "pads the n of a second key", Effects: []fault.Effect{
		publishesToo(func(*keySet) (json.RawMessage, error) {
			return publicMembers(unpublishedKey, func(key map[string]any) {
				n, _ := key["n"].(string)
				key["n"] = n + strings.Repeat("=", (4-len(n)%4)%4)
			})
		}),
	}},
	{Name: "repeats-kid", Proves: "sec-jwks-published", Does: "publishes a second key under the kid of the first", Effects: []fault.Effect{
		publishesToo(func(set *keySet) (json.RawMessage, error) {
			return publicMembers(unpublishedKey, func(key map[string]any) { key["kid"] = set.keys[0].KeyID() })
		}),
	}},
	{Name: "publishes-ec-key", Permitted: true, Does: "publishes an EC key beside its own", Effects: []fault.Effect{publishesToo(func(*keySet) (json.RawMessage, error) { return publicMembers(ecKey, func(map[string]any) {}) })}},
	{Name: "reuses-kid", Proves: "sec-key-rotation", Does: "names its new key like the old one, which it replaces", Effects: []fault.Effect{
		keysRotated.ChangeWhen(always, func(r rotatedKeys) rotatedKeys {
			_ = r.key.Set(jwk.KeyIDKey, r.old[0].KeyID()) // a kid is a text
			r.old = nil                                   // a key set with two keys of one kid would be another defect
			return r
		}),
	}},
	{Name: "withdraws-old-key-at-once", Proves: "sec-key-rotation", Does: "withdraws the old key as soon as there is a new one", Effects: []fault.Effect{
		keysRotated.ChangeWhen(always, func(r rotatedKeys) rotatedKeys {
			r.old = nil
			return r
		}),
	}},
	{Name: AcceptsOldTLS, Proves: "sec-platform-tls", Does: "speaks TLS 1.0 and 1.1"},
}
