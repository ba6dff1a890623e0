package faketool

import "slices"

// A Fault is one named defect of a tool: something it says wrong, or something
// it does not check. It is chosen by name, never at random.
type Fault struct {
	Name string
	// Breaks are the ids of the requirements that a tool with this fault does
	// not keep: all of them, and no others.
	Breaks []string
	// Does says in one sentence what is wrong.
	Does string
	// OnlyWarns is set where the defect is one that only warns.
	OnlyWarns bool
	// NeedsBrowser is set where only a browser shows the defect.
	NeedsBrowser bool
	// Permitted is set for a conduct that is unusual, but within the
	// specification but for what Breaks lists: it shows that those who judge
	// raise no false alarm.
	Permitted bool
}

// The names of the faults.
const (
	LoginOnlyByGet                = "login-only-by-get"
	LoginOnlyByPost               = "login-only-by-post"
	TruncatesMessageHint          = "truncates-message-hint"
	DecodesMessageHintTwice       = "decodes-message-hint-twice"
	DropsMessageHintZero          = "drops-message-hint-zero"
	InventsMessageHint            = "invents-message-hint"
	TruncatesLoginHint            = "truncates-login-hint"
	DecodesLoginHintTwice         = "decodes-login-hint-twice"
	DropsLoginHintZero            = "drops-login-hint-zero"
	OmitsPrompt                   = "omits-prompt"
	OmitsResponseMode             = "omits-response-mode"
	AsksForOtherScope             = "asks-for-other-scope"
	RepeatsClientID               = "repeats-client-id"
	AsksForTargetLinkURI          = "asks-for-target-link-uri"
	ShortNonce                    = "short-nonce"
	CountsNonce                   = "counts-nonce"
	TakesNonceFromClock           = "takes-nonce-from-clock"
	SendsStateAsNonce             = "sends-state-as-nonce"
	ShortState                    = "short-state"
	CountsState                   = "counts-state"
	SetsNoStateCookie             = "sets-no-state-cookie"
	AcceptsMissingState           = "accepts-missing-state"
	AcceptsEmptyState             = "accepts-empty-state"
	AcceptsUnknownState           = "accepts-unknown-state"
	IgnoresStateCookie            = "ignores-state-cookie"
	AcceptsUnsolicited            = "accepts-unsolicited"
	SkipsSignature                = "skips-signature"
	AcceptsEmptySignature         = "accepts-empty-signature"
	AcceptsAlgNone                = "accepts-alg-none"
	AcceptsAlgNoneInOtherSpelling = "accepts-alg-none-in-other-spelling"
	AcceptsMissingAlg             = "accepts-missing-alg"
	AcceptsPublicKeyAsSecret      = "accepts-public-key-as-secret"
	TriesAnyKey                   = "tries-any-key"
	NeverFetchesKeysAgain         = "never-fetches-keys-again"
	IgnoresIssuer                 = "ignores-issuer"
	ComparesIssuerLoosely         = "compares-issuer-loosely"
	AcceptsIssuerArray            = "accepts-issuer-array"
	IgnoresAudience               = "ignores-audience"
	AcceptsMissingAudience        = "accepts-missing-audience"
	IgnoresCaseOfAudience         = "ignores-case-of-audience"
	RefusesAudienceWith400        = "refuses-audience-with-400"
	IgnoresExpiry                 = "ignores-expiry"
	AcceptsMissingExpiry          = "accepts-missing-expiry"
	AcceptsNullExpiry             = "accepts-null-expiry"
	ReadsExpiryFromText           = "reads-expiry-from-text"
	AcceptsMissingNonce           = "accepts-missing-nonce"
	AcceptsEmptyNonce             = "accepts-empty-nonce"
	AcceptsUnknownNonce           = "accepts-unknown-nonce"
	AcceptsNonceOfAnyLogin        = "accepts-nonce-of-any-login"
	AcceptsLaunchTwice            = "accepts-launch-twice"
	AcceptsUsedNonce              = "accepts-used-nonce"
	IgnoresMessageType            = "ignores-message-type"
	IgnoresCaseOfMessageType      = "ignores-case-of-message-type"
	AcceptsMissingDeployment      = "accepts-missing-deployment"
	AcceptsEmptyDeployment        = "accepts-empty-deployment"
	ForbidsFraming                = "forbids-framing"
	StateCookieWithoutSameSite    = "cookies-without-samesite"
	StateCookieUnpartitioned      = "cookies-unpartitioned"
	NeedsOwnWindow                = "needs-own-window"
	RefusesTeachers               = "refuses-teachers"
	RefusesMiddleName             = "refuses-middle-name"
	RefusesUnknownRole            = "refuses-unknown-role"
	StartsSessionBeforeChecking   = "starts-session-before-checking"
	RefusesWith200                = "refuses-with-200"
	RefusesWith500                = "refuses-with-500"
	ReturnsRefusals               = "returns-refusals"
)

// Faults returns every fault of the tool.
func Faults() []Fault { return slices.Clone(faults) }

// FaultNamed returns the fault of that name, and false when there is none.
func FaultNamed(name string) (Fault, bool) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return faults[i], true
}

// refusals are the requirements that a tool keeps by refusing a launch.
var refusals = []string{
	"sec-tool-state-missing", "sec-tool-state-foreign", "sec-tool-login-csrf",
	"sec-tool-signature-tampered", "sec-tool-signature-wrong-key", "sec-tool-alg-none",
	"cert-tool-alg-hmac-confusion", "cert-tool-kid-unknown", "sec-tool-iss", "sec-tool-aud",
	"sec-tool-exp", "sec-tool-nonce-missing", "oidc-tool-nonce-foreign", "sec-tool-nonce-replayed",
	"core-tool-message-type-unknown", "core-tool-deployment-id-missing",
}

var faults = []Fault{
	{Name: LoginOnlyByGet, Breaks: []string{"sec-tool-login-get-and-post"}, Does: "answers a login initiation by POST with 405"},
	{Name: LoginOnlyByPost, Breaks: []string{"sec-tool-login-get-and-post"}, Does: "answers a login initiation by GET with 405"},
	{Name: TruncatesMessageHint, Breaks: []string{"core-tool-message-hint-returned-unaltered"}, Does: "keeps 255 characters of lti_message_hint"},
	{Name: DecodesMessageHintTwice, Breaks: []string{"core-tool-message-hint-returned-unaltered"}, Does: "URL-decodes lti_message_hint once too often"},
	{Name: DropsMessageHintZero, Breaks: []string{"core-tool-message-hint-returned-unaltered"}, Does: "takes the lti_message_hint 0 for none"},
	{Name: InventsMessageHint, Breaks: []string{"core-tool-message-hint-returned-unaltered"}, Does: "sends an lti_message_hint where it received none"},
	{Name: TruncatesLoginHint, Breaks: []string{"sec-tool-login-hint-returned-unaltered"}, Does: "keeps 255 characters of login_hint"},
	{Name: DecodesLoginHintTwice, Breaks: []string{"sec-tool-login-hint-returned-unaltered"}, Does: "URL-decodes login_hint once too often"},
	{Name: DropsLoginHintZero, Breaks: []string{"sec-tool-login-hint-returned-unaltered"}, Does: "takes the login_hint 0 for none"},
	{Name: OmitsPrompt, Breaks: []string{"sec-tool-auth-request-parameters"}, Does: "leaves prompt out of the authentication request"},
	{Name: OmitsResponseMode, Breaks: []string{"sec-tool-auth-request-parameters"}, Does: "leaves response_mode out of the authentication request"},
	{Name: AsksForOtherScope, Breaks: []string{"sec-tool-auth-request-parameters"}, Does: "asks for the scope profile instead of openid"},
	{Name: RepeatsClientID, Breaks: []string{"sec-tool-auth-request-parameters"}, Does: "sends client_id twice"},
	{Name: AsksForTargetLinkURI, Breaks: []string{"sec-tool-auth-request-redirect-uri"}, Does: "takes target_link_uri for its redirect_uri, registered or not"},
	{Name: ShortNonce, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "makes a nonce of 8 characters"},
	{Name: CountsNonce, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "makes a nonce by counting"},
	{Name: TakesNonceFromClock, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "makes a nonce from the time"},
	{Name: SendsStateAsNonce, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "sends the state as the nonce as well"},
	{Name: ShortState, Breaks: []string{"sec-tool-auth-request-state"}, Does: "makes a state of 8 characters"},
	{Name: CountsState, Breaks: []string{"sec-tool-auth-request-state"}, Does: "makes a state by counting"},
	{Name: SetsNoStateCookie, Breaks: []string{"sec-tool-auth-request-state", "sec-tool-login-csrf"}, Does: "binds the state to no browser"},
	{Name: AcceptsMissingState, Breaks: []string{"sec-tool-state-missing"}, Does: "accepts a launch without state"},
	{Name: AcceptsEmptyState, Breaks: []string{"sec-tool-state-missing"}, Does: "accepts a launch with an empty state"},
	{Name: AcceptsUnknownState, Breaks: []string{"sec-tool-state-foreign"}, Does: "accepts a state that it never issued"},
	{Name: IgnoresStateCookie, Breaks: []string{"sec-tool-login-csrf"}, Does: "does not ask whether the browser is the one that began the login"},
	{Name: AcceptsUnsolicited, Breaks: []string{"sec-tool-login-csrf"}, Does: "accepts a launch that answers no login"},
	{Name: SkipsSignature, Breaks: []string{"sec-tool-signature-tampered", "sec-tool-signature-wrong-key"}, Does: "looks at alg and kid, but not at the signature"},
	{Name: AcceptsEmptySignature, Breaks: []string{"sec-tool-signature-tampered"}, Does: "takes a token without signature for verified"},
	{Name: AcceptsAlgNone, Breaks: []string{"sec-tool-alg-none"}, Does: "accepts the algorithm none"},
	{Name: AcceptsAlgNoneInOtherSpelling, Breaks: []string{"sec-tool-alg-none"}, Does: "refuses none, but not None, NONE and nOnE"},
	{Name: AcceptsMissingAlg, Breaks: []string{"sec-tool-alg-none"}, Does: "accepts a header without alg"},
	{Name: AcceptsPublicKeyAsSecret, Breaks: []string{"cert-tool-alg-hmac-confusion"}, Does: "verifies an HMAC with the platform's public key as the secret"},
	{Name: TriesAnyKey, Breaks: []string{"cert-tool-kid-unknown"}, Does: "tries the first key where it does not know the kid"},
	{Name: NeverFetchesKeysAgain, Breaks: []string{"oidc-tool-key-rotation"}, Does: "fetches the platform's key set once and never again"},
	{Name: IgnoresIssuer, Breaks: []string{"sec-tool-iss"}, Does: "does not look at iss"},
	{Name: ComparesIssuerLoosely, Breaks: []string{"sec-tool-iss"}, Does: "ignores scheme, case and a trailing slash of iss"},
	{Name: AcceptsIssuerArray, Breaks: []string{"sec-tool-iss"}, Does: "accepts an array as iss"},
	{Name: IgnoresAudience, Breaks: []string{"sec-tool-aud"}, Does: "does not look at aud"},
	{Name: AcceptsMissingAudience, Breaks: []string{"sec-tool-aud"}, Does: "accepts a token without aud"},
	{Name: IgnoresCaseOfAudience, Breaks: []string{"sec-tool-aud"}, Does: "ignores the case of aud"},
	{Name: RefusesAudienceWith400, Breaks: []string{"sec-tool-aud"}, OnlyWarns: true, Does: "refuses a wrong aud with 400 instead of 401"},
	{Name: IgnoresExpiry, Breaks: []string{"sec-tool-exp"}, Does: "wants exp, but accepts expired tokens"},
	{Name: AcceptsMissingExpiry, Breaks: []string{"sec-tool-exp"}, Does: "accepts a token without exp"},
	{Name: AcceptsNullExpiry, Breaks: []string{"sec-tool-exp"}, Does: "takes exp null for never"},
	{Name: ReadsExpiryFromText, Breaks: []string{"sec-tool-exp"}, Does: "accepts exp as a string"},
	{Name: AcceptsMissingNonce, Breaks: []string{"sec-tool-nonce-missing"}, Does: "accepts a token without nonce"},
	{Name: AcceptsEmptyNonce, Breaks: []string{"sec-tool-nonce-missing"}, Does: "accepts a token with an empty nonce"},
	{Name: AcceptsUnknownNonce, Breaks: []string{"oidc-tool-nonce-foreign"}, Does: "accepts a nonce that it never sent"},
	{Name: AcceptsNonceOfAnyLogin, Breaks: []string{"oidc-tool-nonce-foreign"}, Does: "accepts the nonce of any login that is still open"},
	{Name: AcceptsLaunchTwice, Breaks: []string{"sec-tool-nonce-replayed"}, Does: "lets the same launch be submitted twice"},
	{Name: AcceptsUsedNonce, Breaks: []string{"sec-tool-nonce-replayed"}, Does: "accepts the nonce of an earlier launch in a new login"},
	{Name: IgnoresMessageType, Breaks: []string{"core-tool-message-type-unknown"}, Does: "takes every message for a resource link launch"},
	{Name: IgnoresCaseOfMessageType, Breaks: []string{"core-tool-message-type-unknown"}, Does: "ignores the case of the message type"},
	{Name: AcceptsMissingDeployment, Breaks: []string{"core-tool-deployment-id-missing"}, Does: "accepts a launch without deployment_id"},
	{Name: AcceptsEmptyDeployment, Breaks: []string{"core-tool-deployment-id-missing"}, Does: "accepts a launch with an empty deployment_id"},
	{Name: ForbidsFraming, Breaks: []string{"practice-tool-works-in-cross-site-frame"}, NeedsBrowser: true, Does: "sends X-Frame-Options: SAMEORIGIN"},
	{Name: StateCookieWithoutSameSite, Breaks: []string{"practice-tool-works-in-cross-site-frame"}, NeedsBrowser: true, Does: "sets its cookies without SameSite=None"},
	{Name: StateCookieUnpartitioned, Breaks: []string{"practice-tool-works-in-cross-site-frame"}, NeedsBrowser: true, Does: "sets its cookies without Partitioned"},
	{Name: NeedsOwnWindow, Breaks: []string{"cert-tool-valid-launch"}, NeedsBrowser: true, Does: "shows nothing in a window that another page opened"},
	{Name: RefusesTeachers, Breaks: []string{"cert-tool-valid-launch"}, Does: "launches students only"},
	{Name: RefusesMiddleName, Breaks: []string{"cert-tool-valid-launch"}, Does: "refuses a token with the claim middle_name"},
	{Name: RefusesUnknownRole, Breaks: []string{"cert-tool-valid-unknown-role"}, Does: "refuses a role that it does not know next to one that it does"},
	{Name: StartsSessionBeforeChecking, Breaks: refusals, Does: "shows a refusal, but has logged the user in already"},
	{Name: RefusesWith500, Breaks: refusals, OnlyWarns: true, Does: "answers every launch that it refuses with 500"},
	{Name: RefusesWith200, Breaks: []string{"sec-tool-aud"}, OnlyWarns: true, Permitted: true, Does: "shows every refusal with status 200; only a wrong aud has to be answered with 401"},
	{Name: ReturnsRefusals, Breaks: []string{}, Permitted: true, Does: "sends the user back to the platform's return URL where the token is genuine"},
}
