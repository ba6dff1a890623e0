package faketool

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Fault is one named deviation: a defect or an unusual conduct of the tool
// ([Options.Faults]), for the proof that those who judge tools find the one and accept the
// other; or a stimulus, one thing that differs from a valid authentication request, message
// or request of a service, to see how a platform reacts.
type Fault = fault.Fault

// The names of the faults of launches.
const (
	LoginOnlyByGet              = "login-only-by-get"
	LoginOnlyByPost             = "login-only-by-post"
	OmitsPrompt                 = "omits-prompt"
	ShortNonce                  = "short-nonce"
	CountsNonce                 = "counts-nonce"
	CountsState                 = "counts-state"
	SetsNoStateCookie           = "sets-no-state-cookie"
	AcceptsMissingState         = "accepts-missing-state"
	SkipsSignature              = "skips-signature"
	NeverFetchesKeysAgain       = "never-fetches-keys-again"
	IgnoresIssuer               = "ignores-issuer"
	RefusesAudienceWith400      = "refuses-audience-with-400"
	IgnoresExpiry               = "ignores-expiry"
	AcceptsEmptyNonce           = "accepts-empty-nonce"
	NotesUseLate                = "notes-use-late"
	IgnoresClientID             = "ignores-client-id"
	DropsEndpointQuery          = "drops-endpoint-query"
	GluesEndpointQuery          = "glues-endpoint-query"
	EscapesEndpointQuery        = "escapes-endpoint-query"
	RefusesManyCookies          = "refuses-many-cookies"
	KeepsOneLoginPerBrowser     = "keeps-one-login-per-browser"
	NotesStateLate              = "notes-state-late"
	AcceptsTokenOfOtherClient   = "accepts-token-of-other-client"
	IgnoresError                = "ignores-error"
	FetchesCertificateURL       = "fetches-certificate-url"
	WaitsForKeys                = "waits-for-keys"
	RefusesAudienceArray        = "refuses-audience-array"
	AcceptsFutureIssueTime      = "accepts-future-issue-time"
	IgnoresNotBefore            = "ignores-not-before"
	ShowsNamesUnescaped         = "shows-names-unescaped"
	KnowsOneDeployment          = "knows-one-deployment"
	TakesAnonymousForLastUser   = "takes-anonymous-for-last-user"
	KeepsFirstUserOfBrowser     = "keeps-first-user-of-browser"
	KnowsUsersByEmail           = "knows-users-by-email"
	KnowsUsersBySubAlone        = "knows-users-by-sub-alone"
	KnowsUsersByAllClaims       = "knows-users-by-all-claims"
	SwapsOverlappingLoginHints  = "swaps-overlapping-login-hints"
	DropsMessageHintOfPost      = "drops-message-hint-of-post"
	SwapsOverlappingUsers       = "swaps-overlapping-users"
	KnowsLinksByIDAlone         = "knows-links-by-id-alone"
	DropsReturnQuery            = "drops-return-query"
	AddsOwnReturnParameters     = "adds-own-return-parameters"
	AcceptsOldTLS               = "accepts-old-tls"
	ForgetsOldLogins            = "forgets-old-logins"
	PublishesShortKey           = "publishes-short-key"
	PublishesKeyWithoutKID      = "publishes-key-without-kid"
	NestsKeySet                 = "nests-key-set"
	NeedsResourceParameter      = "needs-resource-parameter"
	NeedsCourseNumber           = "needs-course-number"
	PublishesPrivateKey         = "publishes-private-key"
	ForbidsFraming              = "forbids-framing"
	StateCookieWithoutSameSite  = "cookies-without-samesite"
	StateCookieUnpartitioned    = "cookies-unpartitioned"
	NeedsOwnWindow              = "needs-own-window"
	StartsSessionBeforeChecking = "starts-session-before-checking"
	RefusesWith200              = "refuses-with-200"
	RefusesWith500              = "refuses-with-500"
	ReturnsRefusals             = "returns-refusals"
	ShowsOwnSessionInstead      = "shows-own-session-instead"
	ShowsClassmates             = "shows-classmates"
	NamesGuests                 = "names-guests"
	OpensPagesByAddress         = "opens-pages-by-address"
	NumbersPages                = "numbers-pages"
	KnowsUsersByAddresses       = "knows-users-by-addresses"
	PassesIDTokenOn             = "passes-id-token-on"
	TellsPlatformsSessions      = "tells-platforms-its-sessions"
	KeepsStateInCookie          = "keeps-state-in-cookie"
	TellsCookieInState          = "tells-cookie-in-state"
	KeepsStateInLocalStorage    = "keeps-state-in-local-storage"
	WritesReturnQueryAnew       = "writes-return-query-anew"
)

// Faults returns every fault: the defects of the tool, and then the stimuli for
// a platform, by the requirement that they provoke and in the order in which
// they are meant to be tried.
func Faults() []Fault { return slices.Clone(faults) }

// Defects returns the faults that a tool may carry, those of launches first.
func Defects() []Fault { return slices.Clone(defects) }

// Stimuli returns the faults that provoke a platform.
func Stimuli() []Fault { return slices.Clone(stimuli) }

// Sent is a kind of what a tool sends to a platform.
type Sent = part.Sent

// What a stimulus may change. Each goes by a method of its own.
const (
	AuthenticationRequest Sent = "authentication request"      // Login.Continue
	AccessTokenRequest    Sent = "request for an access token" // Tool.Token
	RequestOfService      Sent = "request of a service"        // Tool.Ask
)

// Changes says whether a stimulus changes what is sent: one may change requests of both
// services.
func Changes(f Fault, sent Sent) bool {
	switch sent {
	case AuthenticationRequest:
		return part.AuthRequested.Changed(f.Effects)
	case AccessTokenRequest:
		return part.TokenAsked.Changed(f.Effects)
	case RequestOfService:
		return part.ChangesService(f.Effects)
	default:
		return changesOfPart(f, sent)
	}
}

// FaultsFor returns the stimuli that provoke a requirement, in order.
func FaultsFor(requirement string) []Fault { return fault.Provoking(stimuli, requirement) }

var faults = slices.Concat(defects, stimuli)

// FaultNamed returns the fault of that name, and false when there is none.
// Several requirements may have a stimulus of one name: this is the first.
func FaultNamed(name string) (Fault, bool) { return fault.Named(faults, name) }

var defects = slices.Concat(launchDefects, fault.Of(partFaults(parts), fault.Defect|fault.Conduct))

var launchDefects = []Fault{
	{Name: LoginOnlyByGet, Proves: "sec-tool-login-get-and-post", Does: "answers a login initiation by POST with 405", Effects: []fault.Effect{beginsLogin.Add(onlyBy(http.MethodGet))}},
	{Name: LoginOnlyByPost, Proves: "sec-tool-login-get-and-post", Does: "answers a login initiation by GET with 405", Effects: []fault.Effect{beginsLogin.Add(onlyBy(http.MethodPost))}},
	{Name: "truncates-message-hint", Proves: "core-tool-message-hint-returned-unaltered", Does: "keeps 255 characters of lti_message_hint", Effects: []fault.Effect{requestWith(lti.ParamMessageHint, truncate)}},
	{Name: "decodes-message-hint-twice", Proves: "core-tool-message-hint-returned-unaltered", Does: "URL-decodes lti_message_hint once too often", Effects: []fault.Effect{requestWith(lti.ParamMessageHint, decodeAgain)}},
	{Name: "drops-message-hint-zero", Proves: "core-tool-message-hint-returned-unaltered", Does: "takes the lti_message_hint 0 for none", Effects: []fault.Effect{requestWithout(lti.ParamMessageHint, "0")}},
	{Name: "invents-message-hint", Proves: "core-tool-message-hint-returned-unaltered", Does: "sends an lti_message_hint where it received none", Effects: []fault.Effect{authenticationRequest.Change(inventsMessageHint)}},
	{Name: "truncates-login-hint", Proves: "sec-tool-login-hint-returned-unaltered", Does: "keeps 255 characters of login_hint", Effects: []fault.Effect{requestWith(lti.ParamLoginHint, truncate)}},
	{Name: "decodes-login-hint-twice", Proves: "sec-tool-login-hint-returned-unaltered", Does: "URL-decodes login_hint once too often", Effects: []fault.Effect{requestWith(lti.ParamLoginHint, decodeAgain)}},
	{Name: "drops-login-hint-zero", Proves: "sec-tool-login-hint-returned-unaltered", Does: "takes the login_hint 0 for none", Effects: []fault.Effect{requestWithout(lti.ParamLoginHint, "0")}},
	{Name: OmitsPrompt, Proves: "sec-tool-auth-request-parameters", Does: "leaves prompt out of the authentication request", Effects: []fault.Effect{requestWithout(lti.ParamPrompt)}},
	{Name: "omits-response-mode", Proves: "sec-tool-auth-request-parameters", Does: "leaves response_mode out of the authentication request", Effects: []fault.Effect{requestWithout(lti.ParamResponseMode)}},
	{Name: "asks-for-other-scope", Proves: "sec-tool-auth-request-parameters", Does: "asks for the scope profile instead of openid", Effects: []fault.Effect{requestWith(lti.ParamScope, func(string) string { return "profile" })}},
	{Name: "repeats-client-id", Proves: "sec-tool-auth-request-parameters", Does: "sends client_id twice", Effects: []fault.Effect{authenticationRequest.Change(repeatsClientID)}},
	{Name: "asks-for-target-link-uri", Proves: "sec-tool-auth-request-redirect-uri", Does: "takes target_link_uri for its redirect_uri, registered or not", Effects: []fault.Effect{authenticationRequest.Change(asksForTargetLinkURI)}},
	{Name: "asks-for-plain-redirect-uri", Proves: "sec-tool-auth-request-redirect-uri", Does: "asks to be answered at http, as it is reached behind a proxy that ends TLS", Effects: []fault.Effect{requestWith(lti.ParamRedirectURI, func(uri string) string { return strings.Replace(uri, "https:", "http:", 1) })}},
	{Name: "keeps-login-in-redirect-uri", Proves: "sec-tool-auth-request-redirect-uri", Does: "keeps the parameters of the login initiation in its redirect_uri, as it was itself called with them", Effects: []fault.Effect{authenticationRequest.Change(keepsLoginInRedirectURI)}},
	{Name: ShortNonce, Proves: "sec-tool-auth-request-nonce", Does: "makes a nonce of 8 characters", Effects: []fault.Effect{loginMade.Change(shortNonce)}},
	{Name: CountsNonce, Proves: "sec-tool-auth-request-nonce", Does: "makes a nonce by counting", Effects: []fault.Effect{loginMade.ChangeWhen(always, countsNonce)}},
	{Name: "takes-nonce-from-clock", Proves: "sec-tool-auth-request-nonce", Does: "makes a nonce from the time", Effects: []fault.Effect{loginMade.Change(takesNonceFromClock)}},
	{Name: "sends-state-as-nonce", Proves: "sec-tool-auth-request-nonce", Does: "sends the state as the nonce as well", Effects: []fault.Effect{loginMade.Change(sendsStateAsNonce)}},
	{Name: "short-state", Proves: "sec-tool-auth-request-state", Does: "makes a state of 8 characters", Effects: []fault.Effect{loginMade.Change(shortState)}},
	{Name: CountsState, Proves: "sec-tool-auth-request-state", Does: "makes a state by counting", Effects: []fault.Effect{loginMade.ChangeWhen(always, countsState)}},
	{Name: "omits-state", Proves: "sec-tool-auth-request-state", Does: "sends no state, and knows a login by its cookie and nonce", Effects: []fault.Effect{loginMade.Change(omitsState), requestWithout(lti.ParamState)}},
	{Name: SetsNoStateCookie, Proves: "sec-tool-auth-request-state", Does: "binds the state to no browser", Effects: []fault.Effect{loginOfBrowser.Lift(nil), bindsToBrowser.Take(false, nil)}},
	{Name: AcceptsMissingState, Proves: "sec-tool-state-missing", Does: "accepts a launch without state", Effects: []fault.Effect{responseFor.ChangeWhen(acceptsMissingStateWhen, goByNonce)}},
	{Name: "accepts-empty-state", Proves: "sec-tool-state-missing", Does: "accepts a launch with an empty state", Effects: []fault.Effect{responseFor.ChangeWhen(acceptsEmptyStateWhen, goByNonce)}},
	{Name: "accepts-unknown-state", Proves: "sec-tool-state-foreign", Does: "accepts a state that it never issued", Effects: []fault.Effect{responseFor.ChangeWhen(func(q *response) bool { return q.begun == nil && q.state() != "" && q.loginOfNonce() != nil }, goByNonce)}},
	{Name: "ignores-state-cookie", Proves: "sec-tool-login-csrf", Does: "does not ask whether the browser is the one that began the login", Effects: []fault.Effect{loginOfBrowser.Lift(nil)}},
	{Name: "accepts-others-login-after-launch", Proves: "sec-tool-login-csrf", Does: "takes the answer to another browser's login in a browser that was launched before", Effects: []fault.Effect{loginOfBrowser.Lift(func(q *response) bool { return q.browser().launched })}},
	{Name: "accepts-others-login-during-login", Proves: "sec-tool-login-csrf", Does: "takes the answer to another browser's login in a browser whose own login is under way", Effects: []fault.Effect{loginOfBrowser.Lift(func(q *response) bool { return !q.browser().launched && q.browser().sent })}},
	{Name: "accepts-nonce-of-other-login", Proves: "oidc-tool-nonce-foreign", Does: "takes the nonce of any open login of the browser, whichever the state is of", Effects: []fault.Effect{nonceOfLogin.Lift(acceptsNonceOfOtherLogin)}},
	{Name: "accepts-used-nonce-of-browser", Proves: "sec-tool-nonce-replayed", Does: "takes a used nonce in the next login of its browser", Effects: []fault.Effect{nonceOfLogin.Lift(func(q *response) bool { return q.ofUsedLogin() && ownsLogin(q.r, q.loginOfNonce()) })}},
	{Name: "accepts-unsolicited", Proves: "sec-tool-login-csrf", Does: "accepts a launch that answers no login", Effects: []fault.Effect{responseFor.ChangeWhen(acceptsUnsolicitedWhen, goOnUnasked), loginOfBrowser.Lift(unasked)}},
	{Name: SkipsSignature, Proves: "sec-tool-signature-tampered", Does: "looks at alg and kid, but not at the signature", Effects: []fault.Effect{signatureVerified.Lift(nil)}},
	{Name: "accepts-empty-signature", Proves: "sec-tool-signature-tampered", Does: "takes a token without signature for verified", Effects: []fault.Effect{signatureVerified.Lift(func(q *response) bool { return strings.HasSuffix(q.form.Get(lti.ParamIDToken), ".") })}},
	{Name: "accepts-alg-none", Proves: "sec-tool-alg-none", Does: "accepts the algorithm none", Effects: []fault.Effect{signedByPlatform.Lift(func(q *response) bool { return q.algorithm() == "none" })}},
	{Name: "accepts-alg-none-in-other-spelling", Proves: "sec-tool-alg-none", Does: "refuses none, but not None, NONE and nOnE", Effects: []fault.Effect{signedByPlatform.Lift(acceptsAlgNoneInOtherSpelling)}},
	{Name: "accepts-missing-alg", Proves: "sec-tool-alg-none", Does: "accepts a header without alg", Effects: []fault.Effect{signedByPlatform.Lift(acceptsMissingAlg)}},
	{Name: "accepts-first-key-as-secret", Proves: "cert-tool-alg-hmac-confusion", Does: "verifies an HMAC with the first public key that it ever had as the secret", Effects: []fault.Effect{signedByPlatform.Lift(acceptsFirstKeyAsSecret)}},
	{Name: "accepts-public-key-as-secret", Proves: "cert-tool-alg-hmac-confusion", Does: "verifies an HMAC with the platform's public key as the secret", Effects: []fault.Effect{signedByPlatform.Lift(func(q *response) bool { return q.key != nil && q.signedWithSecret(q.key) })}},
	{Name: "tries-any-key", Proves: "cert-tool-kid-unknown", Does: "tries the first key where it does not know the kid", Effects: []fault.Effect{keyFound.ChangeWhen(func(s search) bool { return !s.kept && s.key == nil && len(s.set.keys) > 0 && s.q.kid() != "" }, takeFirstKey)}},
	{Name: NeverFetchesKeysAgain, Proves: "oidc-tool-key-rotation", Does: "fetches the platform's key set once and never again", Effects: []fault.Effect{searchesKept.Take(true, func(s search) bool { return s.kept }), fetchesAgain.Take(false, func(s search) bool { return s.kept })}},
	{Name: IgnoresIssuer, Proves: "sec-tool-iss", Does: "does not look at iss", Effects: []fault.Effect{issuedByPlatform.Lift(nil)}},
	{Name: "compares-issuer-loosely", Proves: "sec-tool-iss", Does: "ignores scheme, case and a trailing slash of iss", Effects: []fault.Effect{issuedByPlatform.Lift(comparesIssuerLoosely)}},
	{Name: "accepts-issuer-array", Proves: "sec-tool-iss", Does: "accepts an array as iss", Effects: []fault.Effect{issuedByPlatform.Lift(acceptsIssuerArray)}},
	{Name: "ignores-audience", Proves: "sec-tool-aud", Does: "does not look at aud", Effects: []fault.Effect{meantForTool.Lift(nil), authorizedParty.Lift(nil)}},
	{Name: "accepts-missing-audience", Proves: "sec-tool-aud", Does: "accepts a token without aud", Effects: []fault.Effect{meantForTool.Lift(func(q *response) bool { return q.members["aud"] == nil }), authorizedParty.Lift(func(q *response) bool { return q.members["aud"] == nil })}},
	{Name: "ignores-case-of-audience", Proves: "sec-tool-aud", Does: "ignores the case of aud", Effects: []fault.Effect{meantForTool.Lift(ignoresCaseOfAudience)}},
	{Name: RefusesAudienceWith400, Proves: "sec-tool-aud", Does: "refuses a wrong aud with 400 instead of 401", Effects: []fault.Effect{meantForTool.Answer(nil, withStatus400), authorizedParty.Answer(nil, withStatus400)}},
	{Name: IgnoresExpiry, Proves: "sec-tool-exp", Does: "wants exp, but accepts expired tokens", Effects: []fault.Effect{notExpired.Lift(nil)}},
	{Name: "accepts-missing-expiry", Proves: "sec-tool-exp", Does: "accepts a token without exp", Effects: []fault.Effect{expiryGiven.Lift(func(q *response) bool { return !q.has("exp") })}},
	{Name: "accepts-null-expiry", Proves: "sec-tool-exp", Does: "takes exp null for never", Effects: []fault.Effect{expiryGiven.Lift(func(q *response) bool { return q.has("exp") && q.members["exp"] == nil })}},
	{Name: "reads-expiry-from-text", Proves: "sec-tool-exp", Does: "accepts exp as a string", Effects: []fault.Effect{expiryGiven.Lift((*response).expiresInText)}},
	{Name: "accepts-missing-nonce", Proves: "sec-tool-nonce-missing", Does: "accepts a token without nonce", Effects: []fault.Effect{nonceOfLogin.Lift(func(q *response) bool { return !q.has("nonce") })}},
	{Name: "accepts-missing-nonce-once", Proves: "sec-tool-nonce-missing", Does: "looks in a nonce for a replay alone, so that the first token without one is accepted", Effects: []fault.Effect{nonceOfLogin.Answer(func(q *response) bool { return q.members["nonce"] == nil || q.members["nonce"] == "" }, acceptOnce)}},
	{Name: AcceptsEmptyNonce, Proves: "sec-tool-nonce-missing", Does: "accepts a token with an empty nonce", Effects: []fault.Effect{nonceOfLogin.Lift(func(q *response) bool { return q.members["nonce"] == "" })}},
	{Name: "accepts-unknown-nonce", Proves: "oidc-tool-nonce-foreign", Does: "accepts a nonce that it never sent", Effects: []fault.Effect{nonceOfLogin.Lift(func(q *response) bool { return q.nonce() != "" && q.loginOfNonce() == nil })}},
	{Name: "accepts-nonce-of-any-login", Proves: "oidc-tool-nonce-foreign", Does: "accepts the nonce of any login that is still open", Effects: []fault.Effect{nonceOfLogin.Lift((*response).ofOpenLogin)}},
	{Name: "accepts-launch-twice", Proves: "sec-tool-nonce-replayed", Does: "lets the same launch be submitted twice", Effects: []fault.Effect{loginUnused.Lift(nil)}},
	{Name: NotesUseLate, Proves: "sec-tool-nonce-replayed", Does: "notes that a login has been used a while after it has looked", Effects: []fault.Effect{responseValid.ChangeWhen(hasSession, meetTwinLate), loginUnused.Lift(func(q *response) bool { return q.late })}},
	{Name: "accepts-used-nonce", Proves: "sec-tool-nonce-replayed", Does: "accepts the nonce of an earlier launch in a new login", Effects: []fault.Effect{nonceOfLogin.Lift((*response).ofUsedLogin)}},
	{Name: "ignores-message-type", Proves: "core-tool-message-type-unknown", Does: "takes every message for a resource link launch", Effects: []fault.Effect{typeIsLink.Lift(func(q *response) bool { return q.messageType() != "" })}},
	{Name: "ignores-case-of-message-type", Proves: "core-tool-message-type-unknown", Does: "ignores the case of the message type", Effects: []fault.Effect{typeIsLink.Lift(func(q *response) bool { return strings.EqualFold(q.messageType(), lti.ResourceLinkRequest) })}},
	{Name: "accepts-missing-deployment", Proves: "core-tool-deployment-id-missing", Does: "accepts a launch without deployment_id", Effects: []fault.Effect{deploymentKnown.Lift(func(q *response) bool { return !q.has(lti.ClaimDeploymentID) })}},
	{Name: "accepts-empty-deployment", Proves: "core-tool-deployment-id-missing", Does: "accepts a launch with an empty deployment_id", Effects: []fault.Effect{deploymentKnown.Lift(func(q *response) bool { return q.members[lti.ClaimDeploymentID] == "" })}},
	{Name: "falls-back-on-first-platform", Proves: "sec-tool-login-unknown-issuer", Does: "begins a login for an issuer that it does not know, at the first platform that it does", Effects: []fault.Effect{registrationChosen.ChangeWhen(func(c choosing) bool { return len(c.registrations) > 0 && len(c.ofIssuer()) == 0 }, chooseFirst)}},
	{Name: "takes-endpoint-from-login", Proves: "sec-tool-login-unknown-issuer", Does: "sends the authentication request where a parameter of the login initiation says", Effects: []fault.Effect{endpointTaken.Change(takesEndpointFromLogin)}},
	{Name: "needs-no-login-hint", Proves: "sec-tool-login-missing-parameters", Does: "goes on without login_hint", Effects: []fault.Effect{hintGiven.Lift(nil)}},
	{Name: "needs-no-target-link-uri", Proves: "sec-tool-login-missing-parameters", Does: "goes on without target_link_uri in the login initiation", Effects: []fault.Effect{targetGiven.Lift(nil)}},
	{Name: "refuses-unknown-parameters", Proves: "oidc-tool-login-unknown-parameters-ignored", Does: "refuses a login initiation with a parameter that it does not know", Effects: []fault.Effect{beginsLogin.Add(refuseUnknownParameters)}},
	{Name: "redirects-to-target-link", Proves: "oidc-tool-target-link-uri-no-open-redirect", Does: "sends the user to whatever target_link_uri the token names", Effects: []fault.Effect{targetIsOwn.Lift(redirectsToTargetLink), userSentTo.Change(redirectsToTargetLink2)}},
	{Name: "redirects-to-target-of-login", Proves: "oidc-tool-target-link-uri-no-open-redirect", Does: "sends the user to whatever foreign target_link_uri the login initiation names", Effects: []fault.Effect{userSentTo.Change(redirectsToTargetOfLogin)}},
	{Name: "opens-target-of-login", Proves: "core-tool-target-link-uri-from-token", Does: "opens the resource that the login initiation names, whatever the token says", Effects: []fault.Effect{launchTaken.Change(opensTargetOfLogin)}},
	{Name: IgnoresClientID, Proves: "core-tool-login-client-id", Does: "takes the first registration of an issuer, whatever client_id the login initiation names", Effects: []fault.Effect{registrationChosen.ChangeWhen(ignoresClientIDWhen, chooseFirstOfIssuer)}},
	{Name: "takes-any-client-id-for-only", Proves: "core-tool-login-client-id", Does: "takes any client_id in a login initiation for that of the issuer's only registration", Effects: []fault.Effect{registrationChosen.ChangeWhen(func(c choosing) bool { return len(c.ofIssuer()) == 1 && c.clientIsNew() }, chooseFirstOfIssuer)}},
	{Name: "needs-client-id", Proves: "core-tool-login-client-id", Does: "refuses a login initiation without client_id", Effects: []fault.Effect{beginsLogin.Add(needsAtLogin(lti.ParamClientID))}},
	{Name: "needs-deployment-at-login", Proves: "core-tool-login-client-id", Does: "refuses a login initiation without lti_deployment_id", Effects: []fault.Effect{beginsLogin.Add(needsAtLogin(lti.ParamLTIDeploymentID))}},
	{Name: DropsEndpointQuery, Proves: "rfc6749-tool-auth-endpoint-query-retained", Does: "replaces the query of the authorization endpoint by its own", Effects: []fault.Effect{requestInURL.Change(dropsEndpointQuery)}},
	{Name: GluesEndpointQuery, Proves: "rfc6749-tool-auth-endpoint-query-retained", Does: "appends its parameters with a second ? to an authorization endpoint that has a query", Effects: []fault.Effect{requestInURL.Change(glueQuery)}},
	{Name: EscapesEndpointQuery, Proves: "rfc6749-tool-auth-endpoint-query-retained", Does: "escapes the question mark of the authorization endpoint's query", Effects: []fault.Effect{endpointTaken.Change(escapesEndpointQuery)}},
	{Name: RefusesManyCookies, Proves: "practice-tool-abandoned-logins", Does: "answers with 431 where the cookies of a request have more than two KiB", Effects: []fault.Effect{anyRequest.Add(refuseManyCookies)}},
	{Name: KeepsOneLoginPerBrowser, Proves: "practice-tool-parallel-launches", Does: "forgets a browser's login when it begins another", Effects: []fault.Effect{cookieOfLogin.Change(func(string) string { return "only" })}},
	{Name: "accepts-used-state", Proves: "practice-tool-state-single-use", Does: "accepts the state of an earlier launch with the nonce of another login", Effects: []fault.Effect{nonceOfLogin.Lift(func(q *response) bool { return q.ofOpenLogin() && q.t.isUsed(q.begun) }), loginUnused.Lift(func(q *response) bool { return q.nonce() != q.begun.nonce })}},
	{Name: NotesStateLate, Proves: "practice-tool-state-single-use", Does: "accepts a state twice, with the nonces of two logins, where both launches come at the same time", Effects: []fault.Effect{responseGenuine.ChangeWhen(hasSession, meetTwin), nonceOfLogin.Lift(func(q *response) bool { return q.twin && q.ofOpenLogin() }), loginUnused.Lift(func(q *response) bool { return q.twin && q.begun.usedWith != q.nonce() })}},
	{Name: "accepts-token-of-any-platform", Proves: "sec-tool-issuer-mix-up", Does: "holds a token against the platform that it names, not against the one that the login was begun for", Effects: []fault.Effect{responseHeld.ChangeWhen(func(q *response) bool { return q.named() >= 0 && !q.isOf("iss", q.begun.registration.Issuer) }, holdAgainstNamed)}},
	{Name: AcceptsTokenOfOtherClient, Proves: "sec-tool-aud", Does: "holds a token against the registration that its aud names, not against the one that the login was begun for", Effects: []fault.Effect{responseHeld.ChangeWhen(acceptsTokenOfOtherClientWhen, holdAgainstNamed)}},
	{Name: "accepts-launch-by-get", Proves: "practice-tool-id-token-only-by-post", Does: "accepts id_token and state from the query of a GET request", Effects: []fault.Effect{responsePosted.Lift(nil), parametersRead.ChangeWhen(acceptsLaunchByGetWhen, readQuery)}},
	{Name: "reads-launch-from-query", Proves: "practice-tool-id-token-only-by-post", Does: "accepts id_token and state from the query of a POST request", Effects: []fault.Effect{parametersRead.ChangeWhen(readsLaunchFromQueryWhen, readQuery)}},
	{Name: IgnoresError, Permitted: true, Does: "does not look at error where there is an id_token as well", Effects: []fault.Effect{loginGranted.Lift(func(q *response) bool { return q.form.Get(lti.ParamIDToken) != "" })}},
	{Name: "shows-error-unescaped", Proves: "oidc-tool-error-response", Does: "shows error_description as it came", Effects: []fault.Effect{errorShown.Change(showsErrorUnescaped)}},
	{Name: "crashes-on-error", Proves: "oidc-tool-error-response", Does: "answers an error response with 500", Effects: []fault.Effect{errorShown.Change(crashesOnError)}},
	{Name: "trusts-embedded-key", Proves: "sec-tool-embedded-key-not-trusted", Does: "verifies with the jwk of the header", Effects: []fault.Effect{signedByPlatform.Lift(func(q *response) bool { return q.verifiedByHeader("jwk") })}},
	{Name: "trusts-embedded-certificate", Proves: "sec-tool-embedded-key-not-trusted", Does: "verifies with the x5c of the header", Effects: []fault.Effect{signedByPlatform.Lift(func(q *response) bool { return q.verifiedByHeader("x5c") })}},
	{Name: "trusts-key-url", Proves: "sec-tool-embedded-key-not-trusted", Does: "verifies with the key that the header's jku leads to", Effects: []fault.Effect{signedByPlatform.Answer(trustsKeyURL, trustKeyURL)}},
	{Name: FetchesCertificateURL, Proves: "sec-tool-embedded-key-not-trusted", Does: "fetches the certificate that the header's x5u leads to, and trusts it not", Effects: []fault.Effect{responseRead.ChangeWhen(fetchesCertificateURLWhen, fetchCertificate)}},
	{Name: "accepts-any-algorithm", Proves: "sec11-tool-approved-algorithms", Does: "accepts every algorithm that the published key names", Effects: []fault.Effect{signedByPlatform.Lift(acceptsAnyAlgorithm), keyFound.ChangeWhen(func(s search) bool { return s.key == nil && s.first() != nil }, acceptsAnyAlgorithm2)}},
	{Name: "verifies-by-key-type-alone", Proves: "sec11-tool-approved-algorithms", Does: "tries the other keys where the named one does not fit the algorithm", Effects: []fault.Effect{keyFound.ChangeWhen(func(s search) bool { return s.key == nil && s.first() != nil && s.ofRSA() != nil }, verifiesByKeyTypeAlone)}},
	{Name: "crashes-on-other-algorithm", Proves: "sec11-tool-approved-algorithms", Does: "dies of a signature that is not RS256", Effects: []fault.Effect{responseRead.ChangeWhen(crashesOnOtherAlgorithmWhen, func(*response) *response { panic(http.ErrAbortHandler) })}},
	{Name: "ignores-crit", Proves: "rfc7515-tool-crit-header", Does: "does not look at crit", Effects: []fault.Effect{extensionsKnown.Lift(nil)}},
	{Name: "tries-keys-without-kid", Proves: "cert-tool-kid-missing", Does: "tries every key where the header names none", Effects: []fault.Effect{keyNamed.Lift(nil), searchesKept.Take(false, withoutName), keyFound.ChangeWhen(func(s search) bool { return withoutName(s) && s.key == nil && len(s.set.keys) > 0 }, takeFirstKey)}},
	{Name: "takes-only-kept-key-without-kid", Proves: "cert-tool-kid-missing", Does: "takes the only key of the key set that it has kept where the header names none, and fetches no other", Effects: []fault.Effect{keyNamed.Lift(func(q *response) bool { return len(q.keptKeys()) == 1 }), searchesKept.Take(true, withoutName), keyFound.ChangeWhen(func(s search) bool { return s.kept && withoutName(s) && s.key == nil && len(s.set.keys) == 1 }, takeFirstKey)}},
	{Name: "tries-only-key-without-kid", Proves: "cert-tool-kid-missing", Does: "takes the only key where the header names none", Effects: []fault.Effect{keyNamed.Lift(nil), searchesKept.Take(false, withoutName), keyFound.ChangeWhen(func(s search) bool { return withoutName(s) && s.key == nil && len(s.set.keys) == 1 }, takeFirstKey)}},
	{Name: "keeps-withdrawn-keys", Proves: "practice-tool-removed-key", Does: "keeps every key that it has ever fetched", Effects: []fault.Effect{searchesKept.Take(true, func(s search) bool { return s.kept }), keysFetched.ChangeWhen(func(f fetched) bool { return len(f.before.keys) > 0 }, keepsWithdrawnKeys)}},
	{Name: "needs-alg-in-key-set", Proves: "practice-tool-jwks-formats", Does: "cannot use a key that is published without alg", Effects: []fault.Effect{hasSignature.Add(needsAlgInKeySet)}},
	{Name: "chokes-on-foreign-keys", Proves: "practice-tool-jwks-formats", Does: "cannot read a key set with a key type that it does not know", Effects: []fault.Effect{skipsKeys.Take(false, nil)}},
	{Name: "takes-first-key-of-kid", Proves: "practice-tool-jwks-formats", Does: "takes the first key of a kid, whatever its type", Effects: []fault.Effect{keyFound.ChangeWhen(func(s search) bool { return s.key != nil && s.key != s.first() }, takesFirstKeyOfKID)}},
	{Name: "accepts-without-keys", Proves: "sec-tool-jwks-unavailable", Does: "skips the signature where the key set cannot be had", Effects: []fault.Effect{signedByPlatform.Lift(func(q *response) bool { return q.noKeys })}},
	{Name: WaitsForKeys, Proves: "sec-tool-jwks-unavailable", Does: "waits for the key set without end", Effects: []fault.Effect{keyPatience.Change(func(time.Duration) time.Duration { return 0 })}},
	{Name: "remembers-key-failure", Proves: "sec-tool-jwks-unavailable", Does: "never asks again for a key that it did not get", Effects: []fault.Effect{hasSignature.Add(remembersKeyFailure)}},
	{Name: RefusesAudienceArray, Proves: "sec-tool-aud-array", Does: "wants aud to be a string", Effects: []fault.Effect{isGenuine.Add(refusesAudienceArray)}},
	{Name: "refuses-authorized-party", Proves: "sec-tool-aud-array", Does: "refuses a token with azp", Effects: []fault.Effect{isGenuine.Add(refusesAuthorizedParty)}},
	{Name: "looks-for-audience", Proves: "sec-tool-aud-untrusted-additional", Does: "is content to be one audience among others", Effects: []fault.Effect{meantForTool.Lift(func(q *response) bool { return q.isAmongOthers() && !q.has("azp") })}},
	{Name: "takes-first-audience", Proves: "sec-tool-aud-untrusted-additional", Does: "looks at the first audience only", Effects: []fault.Effect{meantForTool.Lift(takesFirstAudience)}},
	{Name: "trusts-authorized-party", Proves: "sec-tool-aud-untrusted-additional", Does: "is content to be one audience among others where azp names it", Effects: []fault.Effect{meantForTool.Lift(func(q *response) bool { return q.isAmongOthers() && q.members["azp"] == q.clientID() })}},
	{Name: "ignores-authorized-party", Proves: "sec-tool-azp-mismatch", Does: "does not look at azp", Effects: []fault.Effect{authorizedParty.Lift(nil)}},
	{Name: "accepts-missing-issue-time", Proves: "sec-tool-iat", Does: "accepts a token without iat", Effects: []fault.Effect{issuedByNow.Lift(func(q *response) bool { return !q.has("iat") })}},
	{Name: AcceptsFutureIssueTime, Proves: "sec-tool-iat", Does: "accepts a token that is yet to be issued", Effects: []fault.Effect{issuedByNow.Lift(acceptsFutureIssueTime)}},
	{Name: IgnoresNotBefore, Proves: "rfc7519-tool-nbf", Does: "does not look at nbf", Effects: []fault.Effect{notBefore.Lift(nil)}},
	{Name: "allows-no-clock-skew", Proves: "practice-tool-clock-skew", Does: "takes the platform's clock for its own", Effects: []fault.Effect{isCurrent.Add(heldAgainstOwnClock)}},
	{Name: "needs-whole-issue-time", Proves: "rfc7519-tool-numeric-date", Does: "refuses an iat with a fraction of a second", Effects: []fault.Effect{isCurrent.Add(needsWhole("iat"))}},
	{Name: "needs-whole-expiry", Proves: "rfc7519-tool-numeric-date", Does: "refuses an exp with a fraction of a second", Effects: []fault.Effect{isCurrent.Add(needsWhole("exp"))}},
	{Name: "needs-whole-not-before", Proves: "rfc7519-tool-numeric-date", Does: "refuses an nbf with a fraction of a second", Effects: []fault.Effect{isCurrent.Add(needsWhole("nbf"))}},
	{Name: "crashes-on-malformed-token", Proves: "practice-tool-malformed-token", Does: "answers a token that it cannot read with 500", Effects: []fault.Effect{tokenReadable.Answer(nil, crash)}},
	{Name: "reads-numbers-as-text", Proves: "practice-tool-malformed-token", Does: "takes a number for text", Effects: []fault.Effect{responseRead.ChangeWhen(readsNumbersAsTextWhen, readsNumbersAsText)}},
	{Name: "limits-launch-to-32-kib", Proves: "practice-tool-large-token", Does: "reads 32 KiB of a launch", Effects: []fault.Effect{isResponse.Add(limitsLaunchTo32KiB)}},
	{Name: "garbles-unicode", Proves: "practice-tool-unicode-claims", Does: "shows UTF-8 as if it were Latin-1", Effects: []fault.Effect{launchTaken.Change(garblesUnicode)}},
	{Name: ShowsNamesUnescaped, Proves: "practice-tool-claims-escaped", Does: "shows the user's name as it came", Effects: []fault.Effect{resourceSeen.Change(showsNamesUnescaped)}},
	{Name: "accepts-any-signed-token", Proves: "cert-tool-not-an-lti-message", Does: "takes a genuine token without any claim of LTI for a launch", Effects: liftAll(func(q *response) bool { return !q.isMessage() }, issuedByPlatform, meantForTool, authorizedParty, expiryGiven, notExpired, issuedByNow, notBefore, nonceOfLogin, typeIsLink, versionIs13, linkGiven, rolesGiven, userGiven, targetIsOwn, deploymentKnown, loginUnused)},
	{Name: "accepts-message-without-claims", Proves: "cert-tool-required-claims-missing", Does: "takes a message without type, version and roles for a resource link launch", Effects: liftAll((*response).lacksAll, typeIsLink, versionIs13, linkGiven, rolesGiven)},
	{Name: "accepts-missing-message-type", Proves: "core-tool-message-type-missing", Does: "accepts a message without message_type", Effects: []fault.Effect{typeIsLink.Lift(func(q *response) bool { return !q.has(lti.ClaimMessageType) })}},
	{Name: "accepts-empty-message-type", Proves: "core-tool-message-type-missing", Does: "accepts an empty message_type", Effects: []fault.Effect{typeIsLink.Lift(func(q *response) bool { return q.has(lti.ClaimMessageType) && q.messageType() == "" })}},
	{Name: "ignores-version", Proves: "core-tool-version-wrong", Does: "wants a version, but takes any", Effects: []fault.Effect{versionIs13.Lift(func(q *response) bool { return q.opensLink() && q.has(lti.ClaimVersion) })}},
	{Name: "compares-version-loosely", Proves: "core-tool-version-wrong", Does: "accepts the versions 1.3 and 1.3.0, as text or as a number", Effects: []fault.Effect{versionIs13.Lift(comparesVersionLoosely)}},
	{Name: "accepts-missing-version", Proves: "core-tool-version-missing", Does: "accepts a message without version", Effects: []fault.Effect{versionIs13.Lift(func(q *response) bool { return q.opensLink() && !q.has(lti.ClaimVersion) })}},
	{Name: "takes-issuer-of-login", Proves: "sec-tool-iss", Does: "holds iss against that of the login initiation, whatever that is", Effects: []fault.Effect{registrationChosen.ChangeWhen(choosing.issuerIsNew, chooseWithIssuer)}},
	{Name: "takes-issuer-like-logins", Proves: "sec-tool-iss", Does: "holds iss against that of the login initiation, which only nearly has to be a registered one", Effects: []fault.Effect{registrationChosen.ChangeWhen(takesIssuerLikeLoginsWhen, chooseWithIssuer)}},
	{Name: "takes-client-id-of-login", Proves: "sec-tool-aud", Does: "holds aud against the client_id of the login initiation, whatever that is", Effects: []fault.Effect{registrationChosen.ChangeWhen(func(c choosing) bool { return c.issuer != "" && c.clientIsNew() }, chooseWithClientID)}},
	{Name: "takes-any-audience-without-client", Proves: "sec-tool-aud", Does: "takes any aud where the login initiation has no client_id to hold it against", Effects: []fault.Effect{meantForTool.Lift(namesAudienceAlone), authorizedParty.Lift(namesAudienceAlone)}},
	{Name: "takes-deployment-of-login", Proves: "practice-tool-deployment-id-unknown", Does: "holds deployment_id against that of the login initiation, whatever that is", Effects: []fault.Effect{deploymentKnown.Lift(func(q *response) bool { return q.deployment() != "" && q.begun.deployment == q.deployment() })}},
	{Name: "takes-any-deployment-without-logins", Proves: "practice-tool-deployment-id-unknown", Does: "takes any deployment_id where the login initiation has none to hold it against", Effects: []fault.Effect{deploymentKnown.Lift(func(q *response) bool { return q.deployment() != "" && q.begun.deployment == "" })}},
	{Name: "ignores-deployment", Proves: "practice-tool-deployment-id-unknown", Does: "wants a deployment_id, but takes any", Effects: []fault.Effect{deploymentKnown.Lift(func(q *response) bool { return q.deployment() != "" })}},
	{Name: "ignores-case-of-deployment", Proves: "practice-tool-deployment-id-unknown", Does: "ignores the case of deployment_id", Effects: []fault.Effect{deploymentKnown.Lift(func(q *response) bool { return q.nearlyRegistered(strings.EqualFold) })}},
	{Name: "truncates-deployment", Proves: "practice-tool-deployment-id-unknown", Does: "looks at the beginning of deployment_id only", Effects: []fault.Effect{deploymentKnown.Lift(truncatesDeployment)}},
	{Name: KnowsOneDeployment, Proves: "core-tool-multiple-deployments", Does: "knows the first deployment of a platform only", Effects: []fault.Effect{everyMessage.Add(knowsOneDeployment)}},
	{Name: "accepts-missing-resource-link", Proves: "core-tool-resource-link-missing", Does: "accepts a message without resource link", Effects: []fault.Effect{linkGiven.Lift(acceptsMissingResourceLink)}},
	{Name: "accepts-empty-resource-link-id", Proves: "core-tool-resource-link-missing", Does: "accepts an empty resource link id", Effects: []fault.Effect{linkGiven.Lift(func(q *response) bool { return q.object(lti.ClaimResourceLink)["id"] == "" })}},
	{Name: "accepts-missing-roles", Proves: "core-tool-roles-missing", Does: "accepts a message without roles", Effects: []fault.Effect{rolesGiven.Lift(func(q *response) bool { return q.opensLink() && !q.has(lti.ClaimRoles) })}},
	{Name: "accepts-missing-user", Proves: "core-tool-sub-missing", Does: "accepts a person without sub", Effects: []fault.Effect{userGiven.Lift(func(q *response) bool { return !q.has("sub") })}},
	{Name: "accepts-empty-user", Proves: "core-tool-sub-missing", Does: "accepts a person whose sub is empty", Effects: []fault.Effect{userGiven.Lift(func(q *response) bool { return q.members["sub"] == "" })}},
	{Name: "declines-anonymous", Proves: "core-tool-anonymous-launch", Does: "says that it lets anonymous users in, and declines them with a clear message", Effects: []fault.Effect{opensLink.Add(needs("This tool is for users who are known.", func(q *response) bool { return !q.isAnonymous() }))}},
	{Name: "crashes-on-anonymous", Proves: "core-tool-anonymous-launch", Does: "answers an anonymous launch with 500", Effects: []fault.Effect{opensLink.Add(crashesOnAnonymous)}},
	{Name: TakesAnonymousForLastUser, Proves: "core-tool-anonymous-launch", Does: "takes an anonymous user for the last one of the browser", Effects: []fault.Effect{launchTaken.Change(takesAnonymousForLastUser)}},
	{Name: "accepts-missing-target-link-uri", Proves: "core-tool-target-link-uri-missing", Does: "accepts a message without target_link_uri", Effects: []fault.Effect{targetIsOwn.Lift(func(q *response) bool { return !q.has(lti.ClaimTargetLinkURI) })}},
	{Name: "refuses-unknown-claims", Proves: "core-tool-unknown-claims-ignored", Does: "refuses a claim that it does not know", Effects: []fault.Effect{opensLink.Add(needs("There is a claim that is unknown.", func(q *response) bool { return !q.has("favourite_colour") }))}},
	{Name: "refuses-long-titles", Proves: "core-tool-unknown-claims-ignored", Does: "refuses a course whose title has more than 100 characters", Effects: []fault.Effect{opensLink.Add(needs("The course has a title that is too long.", func(q *response) bool { return !isLong(q.object(lti.ClaimContext)["title"]) }))}},
	{Name: "refuses-many-roles", Proves: "core-tool-unknown-claims-ignored", Does: "refuses a user who has more than six roles", Effects: []fault.Effect{opensLink.Add(needs("The user has too many roles.", func(q *response) bool { return len(q.roles()) <= manyRoles }))}},
	{Name: "refuses-unknown-members", Proves: "core-tool-unknown-claims-ignored", Does: "refuses a resource link with a member that it does not know", Effects: []fault.Effect{opensLink.Add(needs("There is a member that is unknown.", func(q *response) bool { return q.object(lti.ClaimResourceLink)["favourite_colour"] == nil }))}},
	{Name: "needs-platform-claim", Proves: "core-tool-optional-claims-absent", Does: "refuses a message without tool_platform", Effects: []fault.Effect{opensLink.Add(needs("The claim tool_platform is missing.", func(q *response) bool { return q.has(lti.ClaimToolPlatform) }))}},
	{Name: "needs-custom", Proves: "core-tool-optional-claims-absent", Does: "refuses a message without custom parameters", Effects: []fault.Effect{opensLink.Add(needs("There are no custom parameters.", func(q *response) bool { return q.has(lti.ClaimCustom) }))}},
	{Name: "needs-role", Proves: "core-tool-roles-empty", Does: "refuses an empty array of roles", Effects: []fault.Effect{opensLink.Add(needs("The user has no role.", func(q *response) bool { return len(q.roles()) > 0 || q.isAnonymous() }))}},
	{Name: "shows-learners-view", Proves: "core-tool-role-uris", Does: "shows everybody the learner's view", Effects: []fault.Effect{teaches.Change(showsLearnersView)}},
	{Name: "needs-only-role", Proves: "core-tool-role-uris", Does: "knows an instructor only by one single role", Effects: []fault.Effect{teaches.Change(needsOnlyRole)}},
	{Name: "stops-at-system-role", Proves: "core-tool-role-uris", Does: "knows no instructor who has a role in the system, too", Effects: []fault.Effect{teaches.Change(stopsAtSystemRole)}},
	{Name: "takes-administrators-for-teachers", Proves: "practice-tool-role-escalation", Does: "takes an administrator of the system for a teacher of every context", Effects: []fault.Effect{teaches.Change(takesAdministratorsForTeachers)}},
	{Name: "looks-for-instructor-in-role", Proves: "practice-tool-role-escalation", Does: "takes every role that contains Instructor for that of a teacher", Effects: []fault.Effect{teaches.Change(looksForInstructorInRole)}},
	{Name: KnowsUsersByEmail, Proves: "core-tool-user-identified-by-sub", Does: "knows a user by email", Effects: []fault.Effect{userKnownBy.Change(knowsUsersByEmail)}},
	{Name: KnowsUsersBySubAlone, Proves: "core-tool-user-identified-by-sub", Does: "takes the same sub at another platform for the same user", Effects: []fault.Effect{userKnownBy.Change(knowsUsersBySubAlone)}},
	{Name: KnowsUsersByAllClaims, Proves: "core-tool-user-identified-by-sub", Does: "takes a user with another email for another user", Effects: []fault.Effect{userKnownBy.Change(knowsUsersByAllClaims)}},
	{Name: SwapsOverlappingLoginHints, Proves: "sec-tool-login-hint-returned-unaltered", Does: "sends the login_hint of the login before where that one is still open", Effects: []fault.Effect{requestWithFormer(lti.ParamLoginHint)}},
	{Name: DropsMessageHintOfPost, Proves: "core-tool-message-hint-returned-unaltered", Does: "leaves lti_message_hint out where the login initiation came by POST", Effects: []fault.Effect{authenticationRequest.Change(dropsMessageHintOfPost)}},
	{Name: "shares-nonce-of-overlapping-logins", Proves: "sec-tool-auth-request-nonce", Does: "sends the nonce of the login before where that one is still open", Effects: []fault.Effect{requestWithFormer(lti.ParamNonce)}},
	{Name: "shares-state-of-overlapping-logins", Proves: "sec-tool-auth-request-state", Does: "sends the state of the login before where that one is still open", Effects: []fault.Effect{requestWithFormer(lti.ParamState)}},
	{Name: SwapsOverlappingUsers, Proves: "core-tool-parallel-users", Does: "shows the user of the launch before where two logins overlapped", Effects: []fault.Effect{launchTaken.ChangeWhen(func(l launching) bool { return l.q.begun != nil && l.q.begun.event < l.last.event }, swapsOverlappingUsers)}},
	{Name: KeepsFirstUserOfBrowser, Proves: "core-tool-parallel-users", Does: "keeps the session of the user before where another one is launched in the same browser", Effects: []fault.Effect{launchTaken.Change(keepsFirstUserOfBrowser)}},
	{Name: KnowsLinksByIDAlone, Proves: "core-tool-identifiers-scoped", Does: "takes the same resource link id in another deployment for the same link", Effects: []fault.Effect{linkKnownBy.Change(knowsLinksByIDAlone)}},
	{Name: DropsReturnQuery, Proves: "core-tool-return-url", Does: "replaces the query of the return URL by its own", Effects: []fault.Effect{returnedTo.Change(dropsReturnQuery)}},
	{Name: AddsOwnReturnParameters, Proves: "core-tool-return-url", Does: "adds a parameter of its own to the return URL", Effects: []fault.Effect{returnedTo.Change(addsOwnReturnParameters)}},
	{Name: "returns-unverified", Proves: "practice-tool-return-url-unverified", Does: "follows a return URL to a stranger's site in a token that it has not verified", Effects: []fault.Effect{refusalTold.Change(toStrangersSite)}},
	{Name: AcceptsOldTLS, Proves: "sec-tool-tls", Does: "speaks TLS 1.0 and 1.1"},
	{Name: "refuses-several-roles", Proves: "cert-tool-valid-multiple-roles", Does: "refuses more than two roles", Effects: []fault.Effect{opensLink.Add(needs("There are too many roles.", func(q *response) bool { return len(q.roles()) <= 2 }))}},
	{Name: "refuses-system-roles", Proves: "core-tool-role-vocabularies", Does: "refuses roles of the system", Effects: []fault.Effect{opensLink.Add(needs("There is a role of the system.", func(q *response) bool { return !q.hasRole("/system/person#") }))}},
	{Name: "needs-role-in-context", Proves: "core-tool-role-vocabularies", Does: "refuses a user whose only role is one of the institution", Effects: []fault.Effect{opensLink.Add(needs("The user has no role in the course.", func(q *response) bool { return !slices.Equal(q.roles(), []string{lti.RoleInstitutionStudent}) }))}},
	{Name: ForgetsOldLogins, Permitted: true, Does: "forgets all but a browser's latest ten logins", Effects: []fault.Effect{cookiesKept.Change(forgetsOldLogins)}},
	{Name: "refuses-short-role", Proves: "cert-tool-valid-short-role", Does: "refuses roles that are no URI", Effects: []fault.Effect{opensLink.Add(needs("There is a role that is no URI.", refusesShortRole))}},
	{Name: "refuses-custom-role", Proves: "cert-tool-valid-custom-role", Does: "refuses roles of a school's own", Effects: []fault.Effect{opensLink.Add(needs("There is a role of no vocabulary.", func(q *response) bool { return !q.hasRole("school.example") }))}},
	{Name: "needs-name", Proves: "cert-tool-valid-email-only", Does: "refuses a user without a name", Effects: []fault.Effect{opensLink.Add(needs("The user has no name.", func(q *response) bool { return q.has("name") || q.isAnonymous() }))}},
	{Name: "needs-email", Proves: "cert-tool-valid-names-only", Does: "refuses a user without an email", Effects: []fault.Effect{opensLink.Add(needs("The user has no email.", func(q *response) bool { return q.has("email") || q.isAnonymous() }))}},
	{Name: "needs-context", Proves: "cert-tool-valid-no-context", Does: "refuses a launch without a course", Effects: []fault.Effect{opensLink.Add(needs("The launch is in no course.", func(q *response) bool { return q.has(lti.ClaimContext) }))}},
	{Name: PublishesShortKey, Proves: "sec-tool-jwks", Does: "publishes an RSA key of 1024 bits", Effects: []fault.Effect{keysPublished.ChangeWhen(always, publishShortKey)}},
	{Name: PublishesKeyWithoutKID, Proves: "sec-tool-jwks", Does: "publishes a key without kid", Effects: []fault.Effect{keySetDocument.ChangeWhen(always, publishWithoutKID)}},
	{Name: NestsKeySet, Proves: "sec-tool-jwks", Does: "publishes its key set as the member keys of another one", Effects: []fault.Effect{keySetDocument.ChangeWhen(always, nestsKeySet)}},
	{Name: PublishesPrivateKey, Proves: "sec-tool-jwks", Does: "publishes the private members of its key", Effects: []fault.Effect{keySetDocument.ChangeWhen(always, publishPrivateKeys)}},
	{Name: ForbidsFraming, Proves: "practice-tool-works-in-cross-site-frame", Needs: fault.Browser, Does: "sends X-Frame-Options: SAMEORIGIN", Effects: []fault.Effect{headerSent.ChangeWhen(always, forbidsFraming)}},
	{Name: StateCookieWithoutSameSite, Proves: "practice-tool-works-in-cross-site-frame", Needs: fault.Browser, Does: "sets its cookies without SameSite=None", Effects: []fault.Effect{cookieSet.Change(stateCookieWithoutSameSite)}},
	{Name: StateCookieUnpartitioned, Proves: "practice-tool-works-in-cross-site-frame", Needs: fault.Browser, Does: "sets its cookies without Partitioned", Effects: []fault.Effect{cookieSet.Change(stateCookieUnpartitioned)}},
	{Name: NeedsOwnWindow, Proves: "cert-tool-valid-launch", Needs: fault.Browser, Does: "shows nothing in a window that another page opened", Effects: []fault.Effect{pageSent.Change(needsOwnWindow)}},
	{Name: "refuses-teachers", Proves: "cert-tool-valid-launch", Does: "launches students only", Effects: []fault.Effect{opensLink.Add(needs("This tool is for students.", func(q *response) bool { return !slices.Equal(q.roles(), []string{lti.RoleInstructor}) }))}},
	{Name: "refuses-middle-name", Proves: "cert-tool-valid-launch", Does: "refuses a token with the claim middle_name", Effects: []fault.Effect{opensLink.Add(needs("The claim middle_name is unknown.", func(q *response) bool { return !q.has("middle_name") }))}},
	{Name: "refuses-unknown-role", Proves: "cert-tool-valid-unknown-role", Does: "refuses a role that it does not know next to one that it does", Effects: []fault.Effect{opensLink.Add(needs("There is a role that is unknown.", func(q *response) bool { return !slices.Contains(q.roles(), lti.RoleUnknown) }))}},
	{Name: StartsSessionBeforeChecking, Proves: "sec-tool-state-missing", Does: "shows a refusal, but has logged the user in already", Effects: []fault.Effect{responseRefused.ChangeWhen(func(a handling) bool { return a.q.opensLink() }, startSessionFirst)}},
	{Name: RefusesWith500, Proves: "sec-tool-state-missing", Does: "answers every launch that it refuses with 500", Effects: []fault.Effect{statusTold.Change(func(int) int { return http.StatusInternalServerError })}},
	{Name: RefusesWith200, Proves: "sec-tool-aud", Permitted: true, Does: "shows every refusal with status 200; only a wrong aud has to be answered with 401", Effects: []fault.Effect{statusTold.Change(func(int) int { return http.StatusOK })}},
	{Name: ShowsOwnSessionInstead, Permitted: true, Does: "shows the session that a browser has where an answer to another browser's login comes", Effects: []fault.Effect{responseRefused.ChangeWhen(showsOwnSessionInsteadWhen, showOwnSession)}},
	{Name: ShowsClassmates, Permitted: true, Does: "lists who else was launched, beside the user", Effects: []fault.Effect{resourceSeen.ChangeWhen(always, showsClassmates)}},
	{Name: OpensPagesByAddress, Proves: "practice-tool-page-bound-to-browser", Does: "shows the page of a launch to every browser that knows its address", Effects: []fault.Effect{browserLaunched.Lift(opensByAddress)}},
	{Name: NumbersPages, Proves: "practice-tool-page-bound-to-browser", Does: "numbers the pages of launches, and shows them to every browser", Effects: []fault.Effect{idChosen.Change(numbersPages), browserLaunched.Lift(opensByAddress)}},
	{Name: PassesIDTokenOn, Proves: "rfc6750-tool-tokens-not-in-addresses", Does: "passes the id_token on to its own page in the address", Effects: []fault.Effect{userSentTo.Change(passesIDTokenOn)}},
	{Name: TellsPlatformsSessions, Proves: "practice-tool-session-stays-secret", Does: "tells the platform the cookie of the session when the user leaves", Effects: []fault.Effect{leavingSaid.ChangeWhen(func(l leaving) bool { return l.launch.cookie != "" }, tellsPlatformsSessions)}},
	{Name: KeepsStateInCookie, Permitted: true, Does: "keeps the state of a login in a cookie", Effects: []fault.Effect{loginMade.Change(keepsStateInCookie)}},
	{Name: TellsCookieInState, Permitted: true, Does: "begins the state of a login with the value of the cookie that binds it to the browser", Effects: []fault.Effect{loginMade.ChangeWhen(always, tellsCookieInState)}},
	{Name: KnowsUsersByAddresses, Permitted: true, Does: "knows those who are launched by an address that nobody can guess, and sets no cookie for them, but one of a load balancer for everybody", Effects: []fault.Effect{anyAnswer.ChangeWhen(always, setBalancerCookie), setsSession.Take(false, func(l Launch) bool { return l.ShownBy == "" }), browserLaunched.Lift(func(v visit) bool { return v.known && v.launch.ShownBy == "" })}},
	{Name: NamesGuests, Permitted: true, Does: "shows an account of their own to anonymous users", Effects: []fault.Effect{resourceSeen.Change(namesGuests)}},
	{Name: KeepsStateInLocalStorage, Permitted: true, Needs: fault.Browser, Does: "keeps what binds the state to a browser in localStorage, on a page in between, and sets no cookie for it", Effects: []fault.Effect{loginOfBrowser.Lift((*response).boundByStorage), responseTaken.ChangeWhen(func(a handling) bool { return a.q.form.Get(lti.ParamState) != "" && !a.q.form.Has(boundParam) }, readStorage), loginSent.ChangeWhen(func(s sendingOff) bool { return s.begun.request.Method != http.MethodPost }, keepInStorage)}},
	{Name: WritesReturnQueryAnew, Permitted: true, Does: "encodes the return URL's own query anew, with + for a space", Effects: []fault.Effect{returnedTo.Change(writeQueryAnew)}},
	{Name: NeedsResourceParameter, Permitted: true, Does: "cannot know its resource without the custom parameter resource, which the configuration of such a tool names", Effects: []fault.Effect{opensLink.Add(needs("The launch does not say which resource it opens.", func(q *response) bool { return q.object(lti.ClaimCustom)["resource"] != nil }))}},
	{Name: NeedsCourseNumber, Permitted: true, Does: "cannot be launched without the number of a course in the claim lis, which the configuration of such a tool names", Effects: []fault.Effect{opensLink.Add(needs("The launch does not say the number of the course.", func(q *response) bool { return q.object(lti.ClaimLIS)["course_offering_sourcedid"] != nil }))}},
	{Name: ReturnsRefusals, Permitted: true, Does: "sends the user back to the platform's return URL where the token is genuine", Effects: []fault.Effect{refusalTold.Change(returnsRefusals)}},
}

func acceptsMissingStateWhen(q *response) bool {
	return q.begun == nil && !q.form.Has(lti.ParamState) && q.loginOfNonce() != nil
}

func acceptsEmptyStateWhen(q *response) bool {
	return q.begun == nil && q.form.Has(lti.ParamState) && q.state() == "" && q.loginOfNonce() != nil
}

func acceptsUnsolicitedWhen(q *response) bool {
	return q.begun == nil && q.state() != "" && q.loginOfNonce() == nil && q.t.firstRegistration() != nil
}

func acceptsTokenOfOtherClientWhen(q *response) bool {
	return q.named() >= 0 && q.isOf("iss", q.begun.registration.Issuer) && !q.isOf("aud", q.clientID())
}

func readsNumbersAsTextWhen(q *response) bool {
	_, isNumber := q.members["sub"].(float64)
	return isNumber
}

func readsNumbersAsText(q *response) *response {
	q.members["sub"] = fmt.Sprint(q.members["sub"])
	return q
}

func fetchesCertificateURLWhen(q *response) bool {
	_, given := q.header["x5u"].(string)
	return given
}

func crashesOnOtherAlgorithmWhen(q *response) bool {
	return slices.Contains([]string{"RS384", "RS512", "ES256"}, q.algorithm())
}

func acceptsAlgNoneInOtherSpelling(q *response) bool {
	return q.algorithm() != "none" && strings.EqualFold(q.algorithm(), "none")
}

func acceptsMissingAlg(q *response) bool {
	_, given := q.header["alg"].(string)
	return !given && len(q.header) > 0
}

func acceptsFirstKeyAsSecret(q *response) bool {
	return q.key != nil && q.firstKey() != nil && q.signedWithSecret(q.firstKey())
}

func trustsKeyURL(q *response) bool {
	_, given := q.header["jku"].(string)
	return given
}

func acceptsAnyAlgorithm(q *response) bool {
	return q.key != nil && q.algorithm() == q.key.Algorithm().String() && q.algorithm() != jwa.RS256.String() && q.verifiedBy(jwa.SignatureAlgorithm(q.algorithm()), q.key)
}

func acceptsAnyAlgorithm2(s search) search {
	s.key = s.first()
	return s
}

func verifiesByKeyTypeAlone(s search) search {
	s.key = s.ofRSA()
	return s
}

func keepsWithdrawnKeys(f fetched) fetched {
	f.set.keys = append(f.set.keys, f.before.keys...)
	return f
}

func needsAlgInKeySet(q *response) error {
	if q.key.Algorithm().String() != "" {
		return nil
	}
	return unauthorized("The platform's key %q is for no algorithm.", q.kid())
}

func takesFirstKeyOfKID(s search) search {
	s.key = s.first()
	return s
}

func remembersKeyFailure(q *response) error {
	if !q.failedBefore() {
		return nil
	}
	return unauthorized("The platform's key %q could not be had.", q.kid())
}

func comparesIssuerLoosely(q *response) bool {
	iss, _ := q.text("iss")
	return loosely(iss) == loosely(q.begun.registration.Issuer)
}

func acceptsIssuerArray(q *response) bool {
	list, _ := q.members["iss"].([]any)
	return len(list) > 0 && list[0] == q.begun.registration.Issuer
}

func ignoresCaseOfAudience(q *response) bool {
	aud, _ := q.onlyAudience()
	return strings.EqualFold(aud, q.clientID())
}

func refusesAudienceArray(q *response) error {
	if _, isList := q.members["aud"].([]any); !isList {
		return nil
	}
	return q.otherAudience()
}

func refusesAuthorizedParty(q *response) error {
	if !q.has("azp") {
		return nil
	}
	return q.otherAudience()
}

func takesFirstAudience(q *response) bool {
	return q.isAmongOthers() && q.audiences()[0] == q.clientID() && !q.has("azp")
}

func acceptsFutureIssueTime(q *response) bool {
	_, isTime := seconds(q.members["iat"])
	return isTime
}

func acceptsNonceOfOtherLogin(q *response) bool {
	return q.ofOpenLogin() && !q.t.isUsed(q.begun) && ownsLogin(q.r, q.loginOfNonce())
}

func comparesVersionLoosely(q *response) bool {
	return q.opensLink() && (q.members[lti.ClaimVersion] == "1.3" || q.members[lti.ClaimVersion] == 1.3)
}

func acceptsMissingResourceLink(q *response) bool {
	link := q.object(lti.ClaimResourceLink)
	_, hasID := link["id"]
	return !hasID && (link != nil || !q.has(lti.ClaimResourceLink))
}

func crashesOnAnonymous(q *response) error {
	if !q.isAnonymous() {
		return nil
	}
	return crash(q, nil)
}

func redirectsToTargetLink(q *response) bool {
	target, _ := q.text(lti.ClaimTargetLinkURI)
	return target != ""
}

func redirectsToTargetLink2(s sendingTo) sendingTo {
	if target, _ := s.q.text(lti.ClaimTargetLinkURI); target != "" && !s.q.t.own(target) {
		s.url = target
	}
	return s
}

func redirectsToTargetOfLogin(s sendingTo) sendingTo {
	if target := s.q.begun.target; target != "" && !s.q.t.own(target) {
		s.url = target
	}
	return s
}

func knowsOneDeployment(q *response) error {
	if slices.Index(q.begun.registration.DeploymentIDs, q.deployment()) <= 0 {
		return nil
	}
	return q.unknownDeployment()
}

func truncatesDeployment(q *response) bool {
	return len(q.deployment()) > 255 && q.nearlyRegistered(strings.HasPrefix)
}

func refusesShortRole(q *response) bool {
	return !slices.Contains(q.roles(), "Instructor") && !slices.Contains(q.roles(), "Learner")
}

func acceptsLaunchByGetWhen(q *response) bool {
	return q.r.Method == http.MethodGet && q.r.URL.Query().Has(lti.ParamIDToken)
}

func readsLaunchFromQueryWhen(q *response) bool {
	return q.r.Method == http.MethodPost && q.r.URL.Query().Has(lti.ParamIDToken)
}

func limitsLaunchTo32KiB(q *response) error {
	if q.r.ContentLength <= 32<<10 {
		return nil
	}
	return errUnreadable
}

func showsErrorUnescaped(p errorPage) errorPage {
	p.why = template.HTML("The platform refused the login: " + p.q.form.Get(lti.ParamErrorDescription))
	return p
}

func crashesOnError(p errorPage) errorPage {
	p.status, p.why = http.StatusInternalServerError, "internal error"
	return p
}

func showsOwnSessionInsteadWhen(a handling) bool {
	_, none := a.q.t.launchHere(a.q.r, "")
	return none == nil && errors.Is(a.err, errOtherBrowser)
}

func returnsRefusals(at refusalAt) refusalAt {
	if at.q.verified {
		at.url = at.q.returnURL()
	}
	return at
}

func passesIDTokenOn(s sendingTo) sendingTo {
	s.url += "&id_token=" + s.q.form.Get(lti.ParamIDToken)
	return s
}

func garblesUnicode(l launching) launching {
	l.launch.Name = garbled(l.launch.Name)
	return l
}

func opensTargetOfLogin(l launching) launching {
	if l.q.begun != nil {
		l.launch.Chapter = part.ChapterOf(l.q.begun.target)
	}
	return l
}

func takesAnonymousForLastUser(l launching) launching {
	if l.launch.Sub == "" {
		l.launch.take(l.q.t.sessionOf(l.q.r))
	}
	return l
}

func keepsFirstUserOfBrowser(l launching) launching {
	if before := l.q.t.sessionOf(l.q.r); l.launch.Sub != "" && before.Sub != "" && before.Sub != l.launch.Sub {
		l.launch.take(before)
	}
	return l
}

func swapsOverlappingUsers(l launching) launching {
	l.launch.take(l.last)
	return l
}

func knowsUsersByEmail(k knownBy) knownBy {
	if email, given := k.claims.text("email"); given {
		k.key = email
	}
	return k
}

func knowsUsersBySubAlone(k knownBy) knownBy {
	k.key, _ = k.claims.text("sub")
	return k
}

func knowsUsersByAllClaims(k knownBy) knownBy {
	email, _ := k.claims.text("email")
	k.key += fmt.Sprintf(" %q", email)
	return k
}

func knowsLinksByIDAlone(k knownBy) knownBy {
	k.key, _ = k.claims.object(lti.ClaimResourceLink)["id"].(string)
	return k
}

func stopsAtSystemRole(t teaching) teaching {
	t.teacher = t.teacher && !slices.ContainsFunc(t.roles, ofSystem)
	return t
}

func takesAdministratorsForTeachers(t teaching) teaching {
	t.teacher = t.teacher || slices.Contains(t.roles, roleSystem+"Administrator")
	return t
}

func looksForInstructorInRole(t teaching) teaching {
	t.teacher = t.teacher || slices.ContainsFunc(t.roles, func(role string) bool { return strings.Contains(role, "Instructor") })
	return t
}

func showsLearnersView(t teaching) teaching {
	t.teacher = false
	return t
}

func needsOnlyRole(t teaching) teaching {
	t.teacher = t.teacher && len(t.roles) == 1
	return t
}

func numbersPages(n naming) naming {
	if n.launch.ShownBy == "" {
		n.id = strconv.Itoa(n.launch.event)
	}
	return n
}

func forbidsFraming(h http.Header) http.Header {
	h.Set("X-Frame-Options", "SAMEORIGIN")
	return h
}

func needsOwnWindow(page string) string {
	if page == "resource" {
		page = "resource-in-own-window"
	}
	return page
}

func addsOwnReturnParameters(r returning) returning {
	r.query += "&session=1"
	return r
}

func dropsReturnQuery(r returning) returning {
	r.query = r.message.Encode()
	return r
}

func namesGuests(s showing) showing {
	if s.page.User == 0 {
		s.page.Account = "guest"
	}
	return s
}

func showsClassmates(s showing) showing {
	s.page.Classmates = s.t.classmates()
	return s
}

func showsNamesUnescaped(s showing) showing {
	if name := s.page.Name; template.HTMLEscapeString(name) != name {
		s.page.ShownName = template.HTML(name)
	}
	return s
}

func tellsPlatformsSessions(l leaving) leaving {
	l.message.Set(lti.ParamLog, "session "+l.launch.cookie)
	return l
}

func nestsKeySet(d keyDocument) keyDocument {
	d.document = map[string]any{"keys": d.document}
	return d
}

func takesIssuerLikeLoginsWhen(c choosing) bool {
	return c.issuerIsNew() && loosely(c.registrations[0].Issuer) == loosely(c.issuer)
}

func ignoresClientIDWhen(c choosing) bool {
	return c.clientID != "" && len(c.ofIssuer()) > 0 && c.ofIssuer()[0].ClientID != c.clientID
}

func shortState(s secrets) secrets {
	s.state = s.state[:8]
	return s
}

func omitsState(s secrets) secrets {
	s.state = ""
	return s
}

func countsState(s secrets) secrets {
	s.state = fmt.Sprintf("state-%016d", s.t.count())
	return s
}

func shortNonce(s secrets) secrets {
	s.nonce = s.nonce[:8]
	return s
}

func countsNonce(s secrets) secrets {
	s.nonce = fmt.Sprintf("nonce-%016d", s.t.count())
	return s
}

func takesNonceFromClock(s secrets) secrets {
	s.nonce = fmt.Sprintf("nonce-%020d", s.t.opts.Now().UnixNano())
	return s
}

func sendsStateAsNonce(s secrets) secrets {
	s.nonce = s.state
	return s
}

func tellsCookieInState(s secrets) secrets {
	s.state = s.cookie + "." + lti.RandomString()
	return s
}

func keepsStateInCookie(s secrets) secrets {
	s.cookie = s.state
	return s
}

func inventsMessageHint(a authRequest) authRequest {
	if !a.params.Has(lti.ParamMessageHint) {
		a.params.Set(lti.ParamMessageHint, "none")
	}
	return a
}

func dropsMessageHintOfPost(a authRequest) authRequest {
	if a.login.initiation.Method == http.MethodPost {
		a.params.Del(lti.ParamMessageHint)
	}
	return a
}

func repeatsClientID(a authRequest) authRequest {
	a.params.Add(lti.ParamClientID, a.params.Get(lti.ParamClientID))
	return a
}

func asksForTargetLinkURI(a authRequest) authRequest {
	a.params.Set(lti.ParamRedirectURI, a.login.params.Get(lti.ParamTargetLinkURI))
	return a
}

func keepsLoginInRedirectURI(a authRequest) authRequest {
	a.params.Set(lti.ParamRedirectURI, a.params.Get(lti.ParamRedirectURI)+"?"+a.login.params.Encode())
	return a
}

func takesEndpointFromLogin(a addressing) addressing {
	if named := a.login.params.Get("authorization_endpoint"); named != "" {
		a.url = named
	}
	return a
}

func escapesEndpointQuery(a addressing) addressing {
	a.url = strings.ReplaceAll(a.url, "?", "%3F")
	return a
}

func dropsEndpointQuery(a addressing) addressing {
	a.query = a.request.Encode()
	return a
}

func stateCookieUnpartitioned(c *http.Cookie) *http.Cookie {
	c.Partitioned = false
	return c
}

func stateCookieWithoutSameSite(c *http.Cookie) *http.Cookie {
	c.SameSite, c.Partitioned = 0, false
	return c
}

func forgetsOldLogins(k keeping) keeping {
	if k.prefix == loginCookie && len(k.own) > fewCookies {
		k.most = fewCookies
	}
	return k
}
