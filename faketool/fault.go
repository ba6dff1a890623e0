package faketool

import (
	"slices"

	"invigilator/fault"
)

// A Fault is one named deviation. It is either a defect of the tool, something
// it says wrong or does not check, for the proof that those who judge tools
// find it; or a stimulus, one thing that differs from a valid authentication
// request, message or request of a service, to see how a platform reacts. It is
// chosen by name, never at random.
type Fault struct {
	Name string
	// Provokes is the id of the requirement whose reaction a stimulus provokes;
	// empty for a defect.
	Provokes string
	// Borrows is set where a stimulus takes a value from another login, named by
	// Probe.Other, or from another message, named by MessageProbe.Other. Lender
	// says whose that has to be.
	Borrows bool
	Lender  Lender
	// Repeats is set where a stimulus takes a value from an earlier message of the
	// tool, named by MessageProbe.Earlier.
	Repeats bool
	// Breaks are the ids of the requirements that a tool with this fault does
	// not keep: all of them, and no others.
	Breaks []string
	// Does says in one sentence what is wrong.
	Does string
	// Effects are what a defect does, at the rules and seams of the tool.
	Effects []fault.Effect
	// Hides are the ids of the requirements that cannot be judged of a tool with
	// this fault.
	Hides []string
	// OnlyWarns is set where the defect is one that only warns.
	OnlyWarns bool
	// Grave is set where what it breaks fails, and is not only warned of, whatever the
	// level of the requirement: somebody gets at what is another's.
	Grave bool
	// NeedsBrowser is set where only a browser shows the defect.
	NeedsBrowser bool
	// Part is what the fault is about.
	Part Part
	// Permitted is set for a conduct that is unusual, but within the
	// specification but for what Breaks lists: it shows that those who judge
	// raise no false alarm. For a stimulus, that the platform has to answer with
	// an id_token, or to do what a valid message or request asks for.
	Permitted bool

	// A stimulus has one of these, or both of the last two. They change the
	// authentication request, a message of the tool, the request for an access token,
	// the one of the Assessment Control Service, or one of a grade service.
	request   func(*draft) error
	message   func(*messageDraft) error
	assertion func(*assertionDraft) error
	control   func(*controlDraft) error
	grade     func(*gradeDraft) error

}

// A Part is a part of what the tool does that may be judged on its own: a profile
// of the requirements.
type Part string

// The parts.
const (
	OfLaunches Part = ""                  // of resource links, and what all launches have in common
	OfExams    Part = "proctoring"        // and the services that go with them
	OfGrades   Part = "grades"            // the client of the grade services
	OfReviews  Part = "submission-review" // of learners' work
)

// A Lender is a launch that a message borrows from, beside the one that it answers.
type Lender string

// The lenders.
const (
	OtherCandidate     Lender = "other-candidate"      // another candidate's launch into the assessment
	OtherAssessment    Lender = "other-assessment"     // the candidate's launch into another assessment
	OtherDeployment    Lender = "other-deployment"     // a launch of another deployment
	EarlierAttempt     Lender = "earlier-attempt"      // the candidate's attempt before, which was started
	ResourceLinkLaunch Lender = "resource-link-launch" // a launch without proctoring
)

// The names of the faults of launches.
const (
	LoginOnlyByGet                  = "login-only-by-get"
	LoginOnlyByPost                 = "login-only-by-post"
	TruncatesMessageHint            = "truncates-message-hint"
	DecodesMessageHintTwice         = "decodes-message-hint-twice"
	DropsMessageHintZero            = "drops-message-hint-zero"
	InventsMessageHint              = "invents-message-hint"
	TruncatesLoginHint              = "truncates-login-hint"
	DecodesLoginHintTwice           = "decodes-login-hint-twice"
	DropsLoginHintZero              = "drops-login-hint-zero"
	OmitsPrompt                     = "omits-prompt"
	OmitsResponseMode               = "omits-response-mode"
	AsksForOtherScope               = "asks-for-other-scope"
	RepeatsClientID                 = "repeats-client-id"
	AsksForTargetLinkURI            = "asks-for-target-link-uri"
	AsksForPlainRedirectURI         = "asks-for-plain-redirect-uri"
	KeepsLoginInRedirectURI         = "keeps-login-in-redirect-uri"
	ShortNonce                      = "short-nonce"
	CountsNonce                     = "counts-nonce"
	TakesNonceFromClock             = "takes-nonce-from-clock"
	SendsStateAsNonce               = "sends-state-as-nonce"
	ShortState                      = "short-state"
	CountsState                     = "counts-state"
	OmitsState                      = "omits-state"
	SetsNoStateCookie               = "sets-no-state-cookie"
	AcceptsMissingState             = "accepts-missing-state"
	AcceptsEmptyState               = "accepts-empty-state"
	AcceptsUnknownState             = "accepts-unknown-state"
	IgnoresStateCookie              = "ignores-state-cookie"
	AcceptsUnsolicited              = "accepts-unsolicited"
	SkipsSignature                  = "skips-signature"
	AcceptsEmptySignature           = "accepts-empty-signature"
	AcceptsAlgNone                  = "accepts-alg-none"
	AcceptsAlgNoneInOtherSpelling   = "accepts-alg-none-in-other-spelling"
	AcceptsMissingAlg               = "accepts-missing-alg"
	AcceptsFirstKeyAsSecret         = "accepts-first-key-as-secret"
	AcceptsPublicKeyAsSecret        = "accepts-public-key-as-secret"
	TriesAnyKey                     = "tries-any-key"
	NeverFetchesKeysAgain           = "never-fetches-keys-again"
	IgnoresIssuer                   = "ignores-issuer"
	ComparesIssuerLoosely           = "compares-issuer-loosely"
	AcceptsIssuerArray              = "accepts-issuer-array"
	IgnoresAudience                 = "ignores-audience"
	AcceptsMissingAudience          = "accepts-missing-audience"
	IgnoresCaseOfAudience           = "ignores-case-of-audience"
	RefusesAudienceWith400          = "refuses-audience-with-400"
	IgnoresExpiry                   = "ignores-expiry"
	AcceptsMissingExpiry            = "accepts-missing-expiry"
	AcceptsNullExpiry               = "accepts-null-expiry"
	ReadsExpiryFromText             = "reads-expiry-from-text"
	AcceptsMissingNonce             = "accepts-missing-nonce"
	AcceptsMissingNonceOnce         = "accepts-missing-nonce-once"
	AcceptsEmptyNonce               = "accepts-empty-nonce"
	AcceptsUnknownNonce             = "accepts-unknown-nonce"
	AcceptsOthersLoginAfterLaunch   = "accepts-others-login-after-launch"
	AcceptsOthersLoginDuringLogin   = "accepts-others-login-during-login"
	AcceptsNonceOfOtherLogin        = "accepts-nonce-of-other-login"
	AcceptsUsedNonceOfBrowser       = "accepts-used-nonce-of-browser"
	AcceptsNonceOfAnyLogin          = "accepts-nonce-of-any-login"
	AcceptsLaunchTwice              = "accepts-launch-twice"
	NotesUseLate                    = "notes-use-late"
	AcceptsUsedNonce                = "accepts-used-nonce"
	IgnoresMessageType              = "ignores-message-type"
	IgnoresCaseOfMessageType        = "ignores-case-of-message-type"
	AcceptsMissingDeployment        = "accepts-missing-deployment"
	AcceptsEmptyDeployment          = "accepts-empty-deployment"
	FallsBackOnFirstPlatform        = "falls-back-on-first-platform"
	TakesEndpointFromLogin          = "takes-endpoint-from-login"
	NeedsNoLoginHint                = "needs-no-login-hint"
	NeedsNoTargetLinkURI            = "needs-no-target-link-uri"
	RefusesUnknownParameters        = "refuses-unknown-parameters"
	RedirectsToTargetLink           = "redirects-to-target-link"
	RedirectsToTargetOfLogin        = "redirects-to-target-of-login"
	OpensTargetOfLogin              = "opens-target-of-login"
	IgnoresClientID                 = "ignores-client-id"
	NeedsClientID                   = "needs-client-id"
	NeedsDeploymentAtLogin          = "needs-deployment-at-login"
	StopsAtSystemRole               = "stops-at-system-role"
	TakesAdministratorsForTeachers  = "takes-administrators-for-teachers"
	TakesAnyClientIDForOnly         = "takes-any-client-id-for-only"
	DropsEndpointQuery              = "drops-endpoint-query"
	GluesEndpointQuery              = "glues-endpoint-query"
	EscapesEndpointQuery            = "escapes-endpoint-query"
	RefusesManyCookies              = "refuses-many-cookies"
	KeepsOneLoginPerBrowser         = "keeps-one-login-per-browser"
	AcceptsUsedState                = "accepts-used-state"
	NotesStateLate                  = "notes-state-late"
	AcceptsTokenOfAnyPlatform       = "accepts-token-of-any-platform"
	AcceptsTokenOfOtherClient       = "accepts-token-of-other-client"
	AcceptsLaunchByGet              = "accepts-launch-by-get"
	ReadsLaunchFromQuery            = "reads-launch-from-query"
	IgnoresError                    = "ignores-error"
	ShowsErrorUnescaped             = "shows-error-unescaped"
	CrashesOnError                  = "crashes-on-error"
	TrustsEmbeddedKey               = "trusts-embedded-key"
	TrustsEmbeddedCertificate       = "trusts-embedded-certificate"
	TrustsKeyURL                    = "trusts-key-url"
	FetchesCertificateURL           = "fetches-certificate-url"
	AcceptsAnyAlgorithm             = "accepts-any-algorithm"
	VerifiesByKeyTypeAlone          = "verifies-by-key-type-alone"
	CrashesOnOtherAlgorithm         = "crashes-on-other-algorithm"
	IgnoresCrit                     = "ignores-crit"
	TriesKeysWithoutKID             = "tries-keys-without-kid"
	TakesOnlyKeptKeyWithoutKID      = "takes-only-kept-key-without-kid"
	TriesOnlyKeyWithoutKID          = "tries-only-key-without-kid"
	KeepsWithdrawnKeys              = "keeps-withdrawn-keys"
	NeedsAlgInKeySet                = "needs-alg-in-key-set"
	ChokesOnForeignKeys             = "chokes-on-foreign-keys"
	TakesFirstKeyOfKID              = "takes-first-key-of-kid"
	AcceptsWithoutKeys              = "accepts-without-keys"
	WaitsForKeys                    = "waits-for-keys"
	RemembersKeyFailure             = "remembers-key-failure"
	RefusesAudienceArray            = "refuses-audience-array"
	RefusesAuthorizedParty          = "refuses-authorized-party"
	LooksForAudience                = "looks-for-audience"
	TakesFirstAudience              = "takes-first-audience"
	TrustsAuthorizedParty           = "trusts-authorized-party"
	IgnoresAuthorizedParty          = "ignores-authorized-party"
	AcceptsMissingIssueTime         = "accepts-missing-issue-time"
	AcceptsFutureIssueTime          = "accepts-future-issue-time"
	IgnoresNotBefore                = "ignores-not-before"
	AllowsNoClockSkew               = "allows-no-clock-skew"
	NeedsWholeIssueTime             = "needs-whole-issue-time"
	NeedsWholeExpiry                = "needs-whole-expiry"
	NeedsWholeNotBefore             = "needs-whole-not-before"
	CrashesOnMalformedToken         = "crashes-on-malformed-token"
	ReadsNumbersAsText              = "reads-numbers-as-text"
	LimitsLaunchTo32KiB             = "limits-launch-to-32-kib"
	GarblesUnicode                  = "garbles-unicode"
	ShowsNamesUnescaped             = "shows-names-unescaped"
	AcceptsAnySignedToken           = "accepts-any-signed-token"
	AcceptsMessageWithoutClaims     = "accepts-message-without-claims"
	AcceptsMissingMessageType       = "accepts-missing-message-type"
	AcceptsEmptyMessageType         = "accepts-empty-message-type"
	IgnoresVersion                  = "ignores-version"
	ComparesVersionLoosely          = "compares-version-loosely"
	AcceptsMissingVersion           = "accepts-missing-version"
	TakesIssuerOfLogin              = "takes-issuer-of-login"
	TakesIssuerLikeLogins           = "takes-issuer-like-logins"
	TakesClientIDOfLogin            = "takes-client-id-of-login"
	TakesAnyAudienceWithoutClient   = "takes-any-audience-without-client"
	TakesDeploymentOfLogin          = "takes-deployment-of-login"
	TakesAnyDeploymentWithoutLogins = "takes-any-deployment-without-logins"
	IgnoresDeployment               = "ignores-deployment"
	IgnoresCaseOfDeployment         = "ignores-case-of-deployment"
	TruncatesDeployment             = "truncates-deployment"
	KnowsOneDeployment              = "knows-one-deployment"
	AcceptsMissingResourceLink      = "accepts-missing-resource-link"
	AcceptsEmptyResourceLinkID      = "accepts-empty-resource-link-id"
	AcceptsMissingRoles             = "accepts-missing-roles"
	AcceptsMissingUser              = "accepts-missing-user"
	AcceptsEmptyUser                = "accepts-empty-user"
	CrashesOnAnonymous              = "crashes-on-anonymous"
	DeclinesAnonymous               = "declines-anonymous"
	TakesAnonymousForLastUser       = "takes-anonymous-for-last-user"
	KeepsFirstUserOfBrowser         = "keeps-first-user-of-browser"
	AcceptsMissingTargetLinkURI     = "accepts-missing-target-link-uri"
	RefusesUnknownClaims            = "refuses-unknown-claims"
	RefusesLongTitles               = "refuses-long-titles"
	RefusesManyRoles                = "refuses-many-roles"
	RefusesUnknownMembers           = "refuses-unknown-members"
	NeedsPlatformClaim              = "needs-platform-claim"
	NeedsRole                       = "needs-role"
	ShowsLearnersView               = "shows-learners-view"
	NeedsOnlyRole                   = "needs-only-role"
	LooksForInstructorInRole        = "looks-for-instructor-in-role"
	KnowsUsersByEmail               = "knows-users-by-email"
	KnowsUsersBySubAlone            = "knows-users-by-sub-alone"
	KnowsUsersByAllClaims           = "knows-users-by-all-claims"
	SwapsOverlappingLoginHints      = "swaps-overlapping-login-hints"
	DropsMessageHintOfPost          = "drops-message-hint-of-post"
	SharesNonceOfOverlappingLogins  = "shares-nonce-of-overlapping-logins"
	SharesStateOfOverlappingLogins  = "shares-state-of-overlapping-logins"
	SwapsOverlappingUsers           = "swaps-overlapping-users"
	KnowsLinksByIDAlone             = "knows-links-by-id-alone"
	DropsReturnQuery                = "drops-return-query"
	AddsOwnReturnParameters         = "adds-own-return-parameters"
	ReturnsUnverified               = "returns-unverified"
	AcceptsOldTLS                   = "accepts-old-tls"
	RefusesSeveralRoles             = "refuses-several-roles"
	RefusesSystemRoles              = "refuses-system-roles"
	NeedsRoleInContext              = "needs-role-in-context"
	ForgetsOldLogins                = "forgets-old-logins"
	RefusesShortRole                = "refuses-short-role"
	RefusesCustomRole               = "refuses-custom-role"
	NeedsName                       = "needs-name"
	NeedsEmail                      = "needs-email"
	NeedsContext                    = "needs-context"
	PublishesShortKey               = "publishes-short-key"
	PublishesKeyWithoutKID          = "publishes-key-without-kid"
	NestsKeySet                     = "nests-key-set"
	NeedsCustom                     = "needs-custom"
	NeedsResourceParameter          = "needs-resource-parameter"
	NeedsCourseNumber               = "needs-course-number"
	PublishesPrivateKey             = "publishes-private-key"
	ForbidsFraming                  = "forbids-framing"
	StateCookieWithoutSameSite      = "cookies-without-samesite"
	StateCookieUnpartitioned        = "cookies-unpartitioned"
	NeedsOwnWindow                  = "needs-own-window"
	RefusesTeachers                 = "refuses-teachers"
	RefusesMiddleName               = "refuses-middle-name"
	RefusesUnknownRole              = "refuses-unknown-role"
	StartsSessionBeforeChecking     = "starts-session-before-checking"
	RefusesWith200                  = "refuses-with-200"
	RefusesWith500                  = "refuses-with-500"
	ReturnsRefusals                 = "returns-refusals"
	ShowsOwnSessionInstead          = "shows-own-session-instead"
	ShowsClassmates                 = "shows-classmates"
	NamesGuests                     = "names-guests"
	OpensPagesByAddress             = "opens-pages-by-address"
	NumbersPages                    = "numbers-pages"
	KnowsUsersByAddresses           = "knows-users-by-addresses"
	PassesIDTokenOn                 = "passes-id-token-on"
	PassesAccessTokensOn            = "passes-access-tokens-on"
	TellsPlatformsSessions          = "tells-platforms-its-sessions"
	KeepsStateInCookie              = "keeps-state-in-cookie"
	TellsCookieInState              = "tells-cookie-in-state"
	KeepsStateInLocalStorage        = "keeps-state-in-local-storage"
	WritesReturnQueryAnew           = "writes-return-query-anew"
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
type Sent string

// What a stimulus may change. Each goes by a method of its own.
const (
	AuthenticationRequest  Sent = "authentication request"                    // Login.Continue
	StartAssessmentMessage Sent = "LtiStartAssessment message"                // Tool.StartAssessment
	AccessTokenRequest     Sent = "request for an access token"               // Tool.Token
	ControlServiceRequest  Sent = "request of the Assessment Control Service" // Tool.Control
	GradeServiceRequest    Sent = "request of a grade service"                // Tool.Grade
)

// Changes says whether a stimulus changes what is sent: one may change requests of both
// services.
func (f Fault) Changes(sent Sent) bool {
	switch sent {
	case AuthenticationRequest:
		return f.request != nil
	case StartAssessmentMessage:
		return f.message != nil
	case AccessTokenRequest:
		return f.assertion != nil
	case ControlServiceRequest:
		return f.control != nil
	case GradeServiceRequest:
		return f.grade != nil
	default:
		return false
	}
}

// FaultsFor returns the stimuli that provoke a requirement, in order.
func FaultsFor(requirement string) []Fault {
	return slices.DeleteFunc(slices.Clone(stimuli), func(f Fault) bool { return f.Provokes != requirement })
}

var faults = slices.Concat(defects, stimuli)

// FaultNamed returns the fault of that name, and false when there is none.
// Several requirements may have a stimulus of one name: this is the first.
func FaultNamed(name string) (Fault, bool) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return faults[i], true
}

// refusals are the requirements that a tool keeps by refusing a launch, in a
// browser that it has not launched before.
var refusals = []string{
	"sec-tool-state-missing", "sec-tool-state-foreign", "sec-tool-login-csrf",
	"sec-tool-signature-tampered", "sec-tool-signature-wrong-key", "sec-tool-alg-none",
	"cert-tool-alg-hmac-confusion", "cert-tool-kid-unknown", "sec-tool-iss", "sec-tool-aud",
	"sec-tool-exp", "sec-tool-nonce-missing", "oidc-tool-nonce-foreign", "sec-tool-nonce-replayed",
	"core-tool-message-type-unknown", "core-tool-deployment-id-missing",
	"sec-tool-issuer-mix-up", "sec-tool-embedded-key-not-trusted",
	"sec11-tool-approved-algorithms", "rfc7515-tool-crit-header", "cert-tool-kid-missing",
	"practice-tool-removed-key", "sec-tool-jwks-unavailable", "sec-tool-aud-untrusted-additional",
	"sec-tool-azp-mismatch", "sec-tool-iat", "rfc7519-tool-nbf", "practice-tool-malformed-token",
	"cert-tool-required-claims-missing", "core-tool-message-type-missing",
	"core-tool-version-wrong", "core-tool-version-missing", "practice-tool-deployment-id-unknown",
	"core-tool-resource-link-missing", "core-tool-roles-missing",
	"core-tool-target-link-uri-missing",
}

// otherRefusals are those that it keeps by refusing something else, or a launch
// that says too little for a session to show anything.
var otherRefusals = []string{
	"sec-tool-login-unknown-issuer", "sec-tool-login-missing-parameters", "core-tool-login-client-id",
	"oidc-tool-error-response", "practice-tool-state-single-use", "practice-tool-id-token-only-by-post",
	"cert-tool-not-an-lti-message", "core-tool-sub-missing", "oidc-tool-target-link-uri-no-open-redirect",
	"core-tool-target-link-uri-from-token", "practice-tool-return-url-unverified", "core-tool-return-url",
}

var defects = slices.Concat(launchDefects, examDefects, gradeDefects, reviewDefects, partFaults(parts))

var launchDefects = []Fault{
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
	{Name: AsksForTargetLinkURI, Breaks: []string{"sec-tool-auth-request-redirect-uri", "oidc-tool-target-link-uri-no-open-redirect"}, Does: "takes target_link_uri for its redirect_uri, registered or not"},
	{Name: AsksForPlainRedirectURI, Breaks: []string{"sec-tool-auth-request-redirect-uri"}, Does: "asks to be answered at http, as it is reached behind a proxy that ends TLS"},
	{Name: KeepsLoginInRedirectURI, Breaks: []string{"sec-tool-auth-request-redirect-uri"}, Does: "keeps the parameters of the login initiation in its redirect_uri, as it was itself called with them"},
	{Name: ShortNonce, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "makes a nonce of 8 characters"},
	{Name: CountsNonce, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "makes a nonce by counting"},
	{Name: TakesNonceFromClock, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "makes a nonce from the time"},
	{Name: SendsStateAsNonce, Breaks: []string{"sec-tool-auth-request-nonce"}, Does: "sends the state as the nonce as well"},
	{Name: ShortState, Breaks: []string{"sec-tool-auth-request-state"}, Does: "makes a state of 8 characters"},
	{Name: CountsState, Breaks: []string{"sec-tool-auth-request-state"}, Does: "makes a state by counting"},
	{Name: OmitsState, Breaks: []string{"sec-tool-auth-request-state"}, Hides: []string{"sec-tool-state-missing", "sec-tool-state-foreign", "practice-tool-state-single-use"}, Does: "sends no state, and knows a login by its cookie and nonce"},
	{Name: SetsNoStateCookie, Breaks: []string{"sec-tool-auth-request-state", "sec-tool-login-csrf"}, Does: "binds the state to no browser"},
	{Name: AcceptsMissingState, Breaks: []string{"sec-tool-state-missing", "ap-tool-verifies-id-token"}, Does: "accepts a launch without state"},
	{Name: AcceptsEmptyState, Breaks: []string{"sec-tool-state-missing"}, Does: "accepts a launch with an empty state"},
	{Name: AcceptsUnknownState, Breaks: []string{"sec-tool-state-foreign"}, Does: "accepts a state that it never issued"},
	{Name: IgnoresStateCookie, Breaks: []string{"sec-tool-login-csrf"}, Does: "does not ask whether the browser is the one that began the login"},
	{Name: AcceptsOthersLoginAfterLaunch, Breaks: []string{"sec-tool-login-csrf"}, Does: "takes the answer to another browser's login in a browser that was launched before"},
	{Name: AcceptsOthersLoginDuringLogin, Breaks: []string{"sec-tool-login-csrf"}, Does: "takes the answer to another browser's login in a browser whose own login is under way"},
	{Name: AcceptsNonceOfOtherLogin, Breaks: []string{"oidc-tool-nonce-foreign"}, Does: "takes the nonce of any open login of the browser, whichever the state is of"},
	{Name: AcceptsUsedNonceOfBrowser, Breaks: []string{"sec-tool-nonce-replayed"}, Does: "takes a used nonce in the next login of its browser"},
	{Name: AcceptsUnsolicited, Breaks: []string{"sec-tool-login-csrf"}, Does: "accepts a launch that answers no login"},
	{Name: SkipsSignature, Breaks: []string{"sec-tool-signature-tampered", "sec-tool-signature-wrong-key", "ap-tool-verifies-id-token", "ap-tool-rejects-bad-end-assessment"}, Hides: []string{"practice-tool-return-url-unverified"}, Does: "looks at alg and kid, but not at the signature"},
	{Name: AcceptsEmptySignature, Breaks: []string{"sec-tool-signature-tampered"}, Does: "takes a token without signature for verified"},
	{Name: AcceptsAlgNone, Breaks: []string{"sec-tool-alg-none", "ap-tool-verifies-id-token"}, Does: "accepts the algorithm none"},
	{Name: AcceptsAlgNoneInOtherSpelling, Breaks: []string{"sec-tool-alg-none"}, Does: "refuses none, but not None, NONE and nOnE"},
	{Name: AcceptsMissingAlg, Breaks: []string{"sec-tool-alg-none"}, Does: "accepts a header without alg"},
	{Name: AcceptsFirstKeyAsSecret, Breaks: []string{"cert-tool-alg-hmac-confusion"}, Does: "verifies an HMAC with the first public key that it ever had as the secret"},
	{Name: AcceptsPublicKeyAsSecret, Breaks: []string{"cert-tool-alg-hmac-confusion"}, Does: "verifies an HMAC with the platform's public key as the secret"},
	{Name: TriesAnyKey, Breaks: []string{"cert-tool-kid-unknown"}, Does: "tries the first key where it does not know the kid"},
	{Name: NeverFetchesKeysAgain, Breaks: []string{"oidc-tool-key-rotation"}, Hides: []string{"cert-tool-kid-missing", "practice-tool-jwks-formats", "sec-tool-jwks-unavailable", "practice-tool-removed-key"}, Does: "fetches the platform's key set once and never again"},
	{Name: IgnoresIssuer, Breaks: []string{"sec-tool-iss", "ap-tool-verifies-id-token"}, Hides: []string{"practice-tool-return-url-unverified"}, Does: "does not look at iss"},
	{Name: ComparesIssuerLoosely, Breaks: []string{"sec-tool-iss"}, Does: "ignores scheme, case and a trailing slash of iss"},
	{Name: AcceptsIssuerArray, Breaks: []string{"sec-tool-iss"}, Does: "accepts an array as iss"},
	{Name: IgnoresAudience, Breaks: []string{"sec-tool-aud", "sec-tool-aud-untrusted-additional", "sec-tool-azp-mismatch", "practice-tool-malformed-token", "ap-tool-verifies-id-token"}, Does: "does not look at aud"},
	{Name: AcceptsMissingAudience, Breaks: []string{"sec-tool-aud"}, Does: "accepts a token without aud"},
	{Name: IgnoresCaseOfAudience, Breaks: []string{"sec-tool-aud"}, Does: "ignores the case of aud"},
	{Name: RefusesAudienceWith400, Breaks: []string{"sec-tool-aud", "sec-tool-aud-untrusted-additional"}, OnlyWarns: true, Does: "refuses a wrong aud with 400 instead of 401"},
	{Name: IgnoresExpiry, Breaks: []string{"sec-tool-exp", "ap-tool-verifies-id-token"}, Hides: []string{"practice-tool-return-url-unverified"}, Does: "wants exp, but accepts expired tokens"},
	{Name: AcceptsMissingExpiry, Breaks: []string{"sec-tool-exp"}, Does: "accepts a token without exp"},
	{Name: AcceptsNullExpiry, Breaks: []string{"sec-tool-exp"}, Does: "takes exp null for never"},
	{Name: ReadsExpiryFromText, Breaks: []string{"sec-tool-exp"}, Does: "accepts exp as a string"},
	{Name: AcceptsMissingNonce, Breaks: []string{"sec-tool-nonce-missing"}, Does: "accepts a token without nonce"},
	{Name: AcceptsMissingNonceOnce, Breaks: []string{"sec-tool-nonce-missing"}, Does: "looks in a nonce for a replay alone, so that the first token without one is accepted"},
	{Name: AcceptsEmptyNonce, Breaks: []string{"sec-tool-nonce-missing"}, Does: "accepts a token with an empty nonce"},
	{Name: AcceptsUnknownNonce, Breaks: []string{"oidc-tool-nonce-foreign"}, Does: "accepts a nonce that it never sent"},
	{Name: AcceptsNonceOfAnyLogin, Breaks: []string{"oidc-tool-nonce-foreign", "ap-tool-verifies-id-token"}, Does: "accepts the nonce of any login that is still open"},
	{Name: AcceptsLaunchTwice, Breaks: []string{"sec-tool-nonce-replayed"}, Does: "lets the same launch be submitted twice"},
	{Name: NotesUseLate, Breaks: []string{"sec-tool-nonce-replayed"}, Does: "notes that a login has been used a while after it has looked"},
	{Name: AcceptsUsedNonce, Breaks: []string{"sec-tool-nonce-replayed"}, Does: "accepts the nonce of an earlier launch in a new login"},
	{Name: IgnoresMessageType, Breaks: []string{"core-tool-message-type-unknown"}, Does: "takes every message for a resource link launch"},
	{Name: IgnoresCaseOfMessageType, Breaks: []string{"core-tool-message-type-unknown"}, Does: "ignores the case of the message type"},
	{Name: AcceptsMissingDeployment, Breaks: []string{"core-tool-deployment-id-missing"}, Does: "accepts a launch without deployment_id"},
	{Name: AcceptsEmptyDeployment, Breaks: []string{"core-tool-deployment-id-missing"}, Does: "accepts a launch with an empty deployment_id"},
	{Name: FallsBackOnFirstPlatform, Breaks: []string{"sec-tool-login-unknown-issuer"}, Does: "begins a login for an issuer that it does not know, at the first platform that it does"},
	{Name: TakesEndpointFromLogin, Breaks: []string{"sec-tool-login-unknown-issuer"}, Does: "sends the authentication request where a parameter of the login initiation says"},
	{Name: NeedsNoLoginHint, Breaks: []string{"sec-tool-login-missing-parameters"}, Does: "goes on without login_hint"},
	{Name: NeedsNoTargetLinkURI, Breaks: []string{"sec-tool-login-missing-parameters"}, Does: "goes on without target_link_uri in the login initiation"},
	{Name: RefusesUnknownParameters, Breaks: []string{"oidc-tool-login-unknown-parameters-ignored"}, Does: "refuses a login initiation with a parameter that it does not know"},
	{Name: RedirectsToTargetLink, Breaks: []string{"oidc-tool-target-link-uri-no-open-redirect", "core-tool-target-link-uri-from-token"}, Grave: true, Does: "sends the user to whatever target_link_uri the token names"},
	{Name: RedirectsToTargetOfLogin, Breaks: []string{"oidc-tool-target-link-uri-no-open-redirect"}, Does: "sends the user to whatever foreign target_link_uri the login initiation names"},
	{Name: OpensTargetOfLogin, Breaks: []string{"core-tool-target-link-uri-from-token"}, Does: "opens the resource that the login initiation names, whatever the token says"},
	{Name: IgnoresClientID, Breaks: []string{"core-tool-login-client-id"}, Does: "takes the first registration of an issuer, whatever client_id the login initiation names"},
	{Name: TakesAnyClientIDForOnly, Breaks: []string{"core-tool-login-client-id"}, OnlyWarns: true, Does: "takes any client_id in a login initiation for that of the issuer's only registration"},
	{Name: NeedsClientID, Breaks: []string{"core-tool-login-client-id"}, Hides: []string{"sec-tool-aud"}, Does: "refuses a login initiation without client_id"},
	{Name: NeedsDeploymentAtLogin, Breaks: []string{"core-tool-login-client-id"}, Hides: []string{"practice-tool-deployment-id-unknown"}, Does: "refuses a login initiation without lti_deployment_id"},
	{Name: DropsEndpointQuery, Breaks: []string{"rfc6749-tool-auth-endpoint-query-retained"}, Does: "replaces the query of the authorization endpoint by its own"},
	{Name: GluesEndpointQuery, Breaks: []string{"rfc6749-tool-auth-endpoint-query-retained"}, Does: "appends its parameters with a second ? to an authorization endpoint that has a query"},
	{Name: EscapesEndpointQuery, Breaks: []string{"rfc6749-tool-auth-endpoint-query-retained"}, Does: "escapes the question mark of the authorization endpoint's query"},
	{Name: RefusesManyCookies, Breaks: []string{"practice-tool-abandoned-logins"}, Does: "answers with 431 where the cookies of a request have more than two KiB"},
	{Name: KeepsOneLoginPerBrowser, Breaks: []string{"practice-tool-parallel-launches"}, Hides: []string{"practice-tool-state-single-use"}, Does: "forgets a browser's login when it begins another"},
	{Name: AcceptsUsedState, Breaks: []string{"practice-tool-state-single-use"}, Does: "accepts the state of an earlier launch with the nonce of another login"},
	{Name: NotesStateLate, Breaks: []string{"practice-tool-state-single-use"}, Does: "accepts a state twice, with the nonces of two logins, where both launches come at the same time"},
	{Name: AcceptsTokenOfAnyPlatform, Breaks: []string{"sec-tool-issuer-mix-up"}, Does: "holds a token against the platform that it names, not against the one that the login was begun for"},
	{Name: AcceptsTokenOfOtherClient, Breaks: []string{"sec-tool-aud"}, OnlyWarns: true, Does: "holds a token against the registration that its aud names, not against the one that the login was begun for"},
	{Name: AcceptsLaunchByGet, Breaks: []string{"practice-tool-id-token-only-by-post"}, Does: "accepts id_token and state from the query of a GET request"},
	{Name: ReadsLaunchFromQuery, Breaks: []string{"practice-tool-id-token-only-by-post"}, Does: "accepts id_token and state from the query of a POST request"},
	{Name: IgnoresError, Breaks: []string{}, Permitted: true, Does: "does not look at error where there is an id_token as well"},
	{Name: ShowsErrorUnescaped, Breaks: []string{"oidc-tool-error-response"}, Does: "shows error_description as it came"},
	{Name: CrashesOnError, Breaks: []string{"oidc-tool-error-response"}, OnlyWarns: true, Does: "answers an error response with 500"},
	{Name: TrustsEmbeddedKey, Breaks: []string{"sec-tool-embedded-key-not-trusted"}, Does: "verifies with the jwk of the header"},
	{Name: TrustsEmbeddedCertificate, Breaks: []string{"sec-tool-embedded-key-not-trusted"}, Does: "verifies with the x5c of the header"},
	{Name: TrustsKeyURL, Breaks: []string{"sec-tool-embedded-key-not-trusted"}, Does: "verifies with the key that the header's jku leads to"},
	{Name: FetchesCertificateURL, Breaks: []string{"sec-tool-embedded-key-not-trusted"}, Does: "fetches the certificate that the header's x5u leads to, and trusts it not"},
	{Name: AcceptsAnyAlgorithm, Breaks: []string{"sec11-tool-approved-algorithms"}, Does: "accepts every algorithm that the published key names"},
	{Name: VerifiesByKeyTypeAlone, Breaks: []string{"sec11-tool-approved-algorithms"}, Does: "tries the other keys where the named one does not fit the algorithm"},
	{Name: CrashesOnOtherAlgorithm, Breaks: []string{"sec11-tool-approved-algorithms"}, Does: "dies of a signature that is not RS256"},
	{Name: IgnoresCrit, Breaks: []string{"rfc7515-tool-crit-header"}, Does: "does not look at crit"},
	{Name: TriesKeysWithoutKID, Breaks: []string{"cert-tool-kid-missing"}, Does: "tries every key where the header names none"},
	{Name: TakesOnlyKeptKeyWithoutKID, Breaks: []string{"cert-tool-kid-missing"}, Does: "takes the only key of the key set that it has kept where the header names none, and fetches no other"},
	{Name: TriesOnlyKeyWithoutKID, Breaks: []string{"cert-tool-kid-missing"}, Does: "takes the only key where the header names none"},
	{Name: KeepsWithdrawnKeys, Breaks: []string{"practice-tool-removed-key"}, Does: "keeps every key that it has ever fetched"},
	{Name: NeedsAlgInKeySet, Breaks: []string{"practice-tool-jwks-formats"}, Does: "cannot use a key that is published without alg"},
	{Name: ChokesOnForeignKeys, Breaks: []string{"practice-tool-jwks-formats"}, Does: "cannot read a key set with a key type that it does not know"},
	{Name: TakesFirstKeyOfKID, Breaks: []string{"practice-tool-jwks-formats"}, Does: "takes the first key of a kid, whatever its type"},
	{Name: AcceptsWithoutKeys, Breaks: []string{"sec-tool-jwks-unavailable"}, Does: "skips the signature where the key set cannot be had"},
	{Name: WaitsForKeys, Breaks: []string{"sec-tool-jwks-unavailable"}, OnlyWarns: true, Does: "waits for the key set without end"},
	{Name: RemembersKeyFailure, Breaks: []string{"sec-tool-jwks-unavailable"}, Does: "never asks again for a key that it did not get"},
	{Name: RefusesAudienceArray, Breaks: []string{"sec-tool-aud-array"}, Does: "wants aud to be a string"},
	{Name: RefusesAuthorizedParty, Breaks: []string{"sec-tool-aud-array"}, Does: "refuses a token with azp"},
	{Name: LooksForAudience, Breaks: []string{"sec-tool-aud-untrusted-additional"}, Does: "is content to be one audience among others"},
	{Name: TakesFirstAudience, Breaks: []string{"sec-tool-aud-untrusted-additional"}, Does: "looks at the first audience only"},
	{Name: TrustsAuthorizedParty, Breaks: []string{"sec-tool-aud-untrusted-additional"}, OnlyWarns: true, Does: "is content to be one audience among others where azp names it"},
	{Name: IgnoresAuthorizedParty, Breaks: []string{"sec-tool-azp-mismatch"}, Does: "does not look at azp"},
	{Name: AcceptsMissingIssueTime, Breaks: []string{"sec-tool-iat"}, Does: "accepts a token without iat"},
	{Name: AcceptsFutureIssueTime, Breaks: []string{"sec-tool-iat"}, Does: "accepts a token that is yet to be issued"},
	{Name: IgnoresNotBefore, Breaks: []string{"rfc7519-tool-nbf"}, Does: "does not look at nbf"},
	{Name: AllowsNoClockSkew, Breaks: []string{"practice-tool-clock-skew"}, Does: "takes the platform's clock for its own"},
	{Name: NeedsWholeIssueTime, Breaks: []string{"rfc7519-tool-numeric-date", "ap-tool-numeric-date", "sr-tool-numeric-date"}, Does: "refuses an iat with a fraction of a second"},
	{Name: NeedsWholeExpiry, Breaks: []string{"rfc7519-tool-numeric-date", "ap-tool-numeric-date", "sr-tool-numeric-date"}, Does: "refuses an exp with a fraction of a second"},
	{Name: NeedsWholeNotBefore, Breaks: []string{"rfc7519-tool-numeric-date"}, Does: "refuses an nbf with a fraction of a second"},
	{Name: CrashesOnMalformedToken, Breaks: []string{"practice-tool-malformed-token"}, Does: "answers a token that it cannot read with 500"},
	{Name: ReadsNumbersAsText, Breaks: []string{"practice-tool-malformed-token"}, Does: "takes a number for text"},
	{Name: LimitsLaunchTo32KiB, Breaks: []string{"practice-tool-large-token"}, Does: "reads 32 KiB of a launch"},
	{Name: GarblesUnicode, Breaks: []string{"practice-tool-unicode-claims"}, Does: "shows UTF-8 as if it were Latin-1"},
	{Name: ShowsNamesUnescaped, Breaks: []string{"practice-tool-claims-escaped"}, Grave: true, Does: "shows the user's name as it came"},
	{Name: AcceptsAnySignedToken, Breaks: []string{"cert-tool-not-an-lti-message"}, Does: "takes a genuine token without any claim of LTI for a launch"},
	{Name: AcceptsMessageWithoutClaims, Breaks: []string{"cert-tool-required-claims-missing"}, Does: "takes a message without type, version and roles for a resource link launch"},
	{Name: AcceptsMissingMessageType, Breaks: []string{"core-tool-message-type-missing"}, Does: "accepts a message without message_type"},
	{Name: AcceptsEmptyMessageType, Breaks: []string{"core-tool-message-type-missing"}, Does: "accepts an empty message_type"},
	{Name: IgnoresVersion, Breaks: []string{"core-tool-version-wrong"}, Does: "wants a version, but takes any"},
	{Name: ComparesVersionLoosely, Breaks: []string{"core-tool-version-wrong"}, Does: "accepts the versions 1.3 and 1.3.0, as text or as a number"},
	{Name: AcceptsMissingVersion, Breaks: []string{"core-tool-version-missing"}, Does: "accepts a message without version"},
	{Name: TakesIssuerOfLogin, Breaks: []string{"sec-tool-iss", "sec-tool-login-unknown-issuer"}, Does: "holds iss against that of the login initiation, whatever that is"},
	{Name: TakesIssuerLikeLogins, Breaks: []string{"sec-tool-iss"}, Does: "holds iss against that of the login initiation, which only nearly has to be a registered one"},
	{Name: TakesClientIDOfLogin, Breaks: []string{"sec-tool-aud", "core-tool-login-client-id"}, Does: "holds aud against the client_id of the login initiation, whatever that is"},
	{Name: TakesAnyAudienceWithoutClient, Breaks: []string{"sec-tool-aud"}, Does: "takes any aud where the login initiation has no client_id to hold it against"},
	{Name: TakesDeploymentOfLogin, Breaks: []string{"practice-tool-deployment-id-unknown"}, Does: "holds deployment_id against that of the login initiation, whatever that is"},
	{Name: TakesAnyDeploymentWithoutLogins, Breaks: []string{"practice-tool-deployment-id-unknown"}, Does: "takes any deployment_id where the login initiation has none to hold it against"},
	{Name: IgnoresDeployment, Breaks: []string{"practice-tool-deployment-id-unknown", "ap-tool-verifies-id-token"}, Does: "wants a deployment_id, but takes any"},
	{Name: IgnoresCaseOfDeployment, Breaks: []string{"practice-tool-deployment-id-unknown"}, Does: "ignores the case of deployment_id"},
	{Name: TruncatesDeployment, Breaks: []string{"practice-tool-deployment-id-unknown"}, Does: "looks at the beginning of deployment_id only"},
	{Name: KnowsOneDeployment, Breaks: []string{"core-tool-multiple-deployments", "core-tool-identifiers-scoped"}, Does: "knows the first deployment of a platform only"},
	{Name: AcceptsMissingResourceLink, Breaks: []string{"core-tool-resource-link-missing"}, Does: "accepts a message without resource link"},
	{Name: AcceptsEmptyResourceLinkID, Breaks: []string{"core-tool-resource-link-missing"}, Does: "accepts an empty resource link id"},
	{Name: AcceptsMissingRoles, Breaks: []string{"core-tool-roles-missing"}, Does: "accepts a message without roles"},
	{Name: AcceptsMissingUser, Breaks: []string{"core-tool-sub-missing"}, Does: "accepts a person without sub"},
	{Name: AcceptsEmptyUser, Breaks: []string{"core-tool-sub-missing"}, Does: "accepts a person whose sub is empty"},
	{Name: DeclinesAnonymous, Breaks: []string{"core-tool-anonymous-launch"}, Does: "says that it lets anonymous users in, and declines them with a clear message"},
	{Name: CrashesOnAnonymous, Breaks: []string{"core-tool-anonymous-launch"}, Does: "answers an anonymous launch with 500"},
	{Name: TakesAnonymousForLastUser, Breaks: []string{"core-tool-anonymous-launch"}, Does: "takes an anonymous user for the last one of the browser"},
	{Name: AcceptsMissingTargetLinkURI, Breaks: []string{"core-tool-target-link-uri-missing"}, Does: "accepts a message without target_link_uri"},
	{Name: RefusesUnknownClaims, Breaks: []string{"core-tool-unknown-claims-ignored"}, Does: "refuses a claim that it does not know"},
	{Name: RefusesLongTitles, Breaks: []string{"core-tool-unknown-claims-ignored"}, Does: "refuses a course whose title has more than 100 characters"},
	{Name: RefusesManyRoles, Breaks: []string{"core-tool-unknown-claims-ignored"}, Does: "refuses a user who has more than six roles"},
	{Name: RefusesUnknownMembers, Breaks: []string{"core-tool-unknown-claims-ignored"}, Does: "refuses a resource link with a member that it does not know"},
	{Name: NeedsPlatformClaim, Breaks: []string{"core-tool-optional-claims-absent"}, Does: "refuses a message without tool_platform"},
	{Name: NeedsCustom, Breaks: []string{"core-tool-optional-claims-absent"}, Does: "refuses a message without custom parameters"},
	{Name: NeedsRole, Breaks: []string{"core-tool-roles-empty", "cert-tool-valid-no-role"}, Does: "refuses an empty array of roles"},
	{Name: ShowsLearnersView, Breaks: []string{"core-tool-role-uris"}, Hides: []string{"practice-tool-role-escalation"}, Does: "shows everybody the learner's view"},
	{Name: NeedsOnlyRole, Breaks: []string{"core-tool-role-uris"}, Does: "knows an instructor only by one single role"},
	{Name: StopsAtSystemRole, Breaks: []string{"core-tool-role-uris"}, Does: "knows no instructor who has a role in the system, too"},
	{Name: TakesAdministratorsForTeachers, Breaks: []string{"practice-tool-role-escalation"}, Does: "takes an administrator of the system for a teacher of every context"},
	{Name: LooksForInstructorInRole, Breaks: []string{"practice-tool-role-escalation"}, Does: "takes every role that contains Instructor for that of a teacher"},
	{Name: KnowsUsersByEmail, Breaks: []string{"core-tool-user-identified-by-sub"}, Does: "knows a user by email"},
	{Name: KnowsUsersBySubAlone, Breaks: []string{"core-tool-user-identified-by-sub"}, Does: "takes the same sub at another platform for the same user"},
	{Name: KnowsUsersByAllClaims, Breaks: []string{"core-tool-user-identified-by-sub"}, Does: "takes a user with another email for another user"},
	{Name: SwapsOverlappingLoginHints, Breaks: []string{"sec-tool-login-hint-returned-unaltered"}, Does: "sends the login_hint of the login before where that one is still open"},
	{Name: DropsMessageHintOfPost, Breaks: []string{"core-tool-message-hint-returned-unaltered"}, Does: "leaves lti_message_hint out where the login initiation came by POST"},
	{Name: SharesNonceOfOverlappingLogins, Breaks: []string{"sec-tool-auth-request-nonce", "oidc-tool-nonce-foreign"}, Does: "sends the nonce of the login before where that one is still open"},
	{Name: SharesStateOfOverlappingLogins, Breaks: []string{"sec-tool-auth-request-state", "sec-tool-state-foreign", "oidc-tool-nonce-foreign", "practice-tool-state-single-use"}, Does: "sends the state of the login before where that one is still open"},
	{Name: SwapsOverlappingUsers, Breaks: []string{"core-tool-parallel-users"}, Does: "shows the user of the launch before where two logins overlapped"},
	{Name: KeepsFirstUserOfBrowser, Breaks: []string{"core-tool-parallel-users"}, Does: "keeps the session of the user before where another one is launched in the same browser"},
	{Name: KnowsLinksByIDAlone, Breaks: []string{"core-tool-identifiers-scoped"}, Does: "takes the same resource link id in another deployment for the same link"},
	{Name: DropsReturnQuery, Breaks: []string{"core-tool-return-url", "ap-tool-error-return"}, Does: "replaces the query of the return URL by its own"},
	{Name: AddsOwnReturnParameters, Breaks: []string{"core-tool-return-url", "ap-tool-error-return"}, Does: "adds a parameter of its own to the return URL"},
	{Name: ReturnsUnverified, Breaks: []string{"practice-tool-return-url-unverified"}, Grave: true, Does: "follows a return URL to a stranger's site in a token that it has not verified"},
	{Name: AcceptsOldTLS, Breaks: []string{"sec-tool-tls"}, Does: "speaks TLS 1.0 and 1.1"},
	{Name: RefusesSeveralRoles, Breaks: []string{"cert-tool-valid-multiple-roles", "core-tool-role-uris", "core-tool-role-vocabularies", "core-tool-unknown-claims-ignored"}, Does: "refuses more than two roles"},
	{Name: RefusesSystemRoles, Breaks: []string{"core-tool-role-vocabularies", "core-tool-role-uris", "practice-tool-role-escalation", "core-tool-unknown-claims-ignored"}, Does: "refuses roles of the system"},
	{Name: NeedsRoleInContext, Breaks: []string{"core-tool-role-vocabularies"}, Does: "refuses a user whose only role is one of the institution"},
	{Name: ForgetsOldLogins, Breaks: []string{}, Permitted: true, Does: "forgets all but a browser's latest ten logins"},
	{Name: RefusesShortRole, Breaks: []string{"cert-tool-valid-short-role"}, Does: "refuses roles that are no URI"},
	{Name: RefusesCustomRole, Breaks: []string{"cert-tool-valid-custom-role"}, Does: "refuses roles of a school's own"},
	{Name: NeedsName, Breaks: []string{"cert-tool-valid-email-only", "cert-tool-valid-no-pii", "core-tool-optional-claims-absent"}, Does: "refuses a user without a name"},
	{Name: NeedsEmail, Breaks: []string{"cert-tool-valid-names-only", "cert-tool-valid-no-pii", "core-tool-optional-claims-absent"}, Does: "refuses a user without an email"},
	{Name: NeedsContext, Breaks: []string{"cert-tool-valid-no-context", "core-tool-optional-claims-absent"}, Does: "refuses a launch without a course"},
	{Name: PublishesShortKey, Breaks: []string{"sec-tool-jwks"}, Does: "publishes an RSA key of 1024 bits"},
	{Name: PublishesKeyWithoutKID, Breaks: []string{"sec-tool-jwks"}, Does: "publishes a key without kid"},
	{Name: NestsKeySet, Breaks: []string{"sec-tool-jwks"}, Does: "publishes its key set as the member keys of another one"},
	{Name: PublishesPrivateKey, Breaks: []string{"sec-tool-jwks"}, Does: "publishes the private members of its key"},
	{Name: ForbidsFraming, Breaks: []string{"practice-tool-works-in-cross-site-frame"}, NeedsBrowser: true, Does: "sends X-Frame-Options: SAMEORIGIN"},
	{Name: StateCookieWithoutSameSite, Breaks: []string{"practice-tool-works-in-cross-site-frame"}, NeedsBrowser: true, Does: "sets its cookies without SameSite=None"},
	{Name: StateCookieUnpartitioned, Breaks: []string{"practice-tool-works-in-cross-site-frame"}, NeedsBrowser: true, Does: "sets its cookies without Partitioned"},
	{Name: NeedsOwnWindow, Breaks: []string{"cert-tool-valid-launch"}, NeedsBrowser: true, Does: "shows nothing in a window that another page opened"},
	{Name: RefusesTeachers, Breaks: []string{"cert-tool-valid-launch", "cert-tool-valid-email-only", "cert-tool-valid-names-only", "cert-tool-valid-no-pii", "cert-tool-valid-no-context", "core-tool-role-uris"}, Hides: []string{"core-tool-anonymous-launch", "practice-tool-role-escalation"}, Does: "launches students only"},
	{Name: RefusesMiddleName, Breaks: []string{"cert-tool-valid-launch", "cert-tool-valid-names-only", "core-tool-unknown-claims-ignored"}, Does: "refuses a token with the claim middle_name"},
	{Name: RefusesUnknownRole, Breaks: []string{"cert-tool-valid-unknown-role"}, Does: "refuses a role that it does not know next to one that it does"},
	{Name: StartsSessionBeforeChecking, Breaks: refusals, Does: "shows a refusal, but has logged the user in already"},
	{Name: RefusesWith500, Breaks: slices.Concat(refusals, otherRefusals), OnlyWarns: true, Does: "answers every launch that it refuses with 500"},
	{Name: RefusesWith200, Breaks: []string{"sec-tool-aud", "sec-tool-aud-untrusted-additional"}, OnlyWarns: true, Permitted: true, Does: "shows every refusal with status 200; only a wrong aud has to be answered with 401"},
	{Name: ShowsOwnSessionInstead, Breaks: []string{}, Permitted: true, Does: "shows the session that a browser has where an answer to another browser's login comes"},
	{Name: ShowsClassmates, Breaks: []string{}, Permitted: true, Does: "lists who else was launched, beside the user"},
	{Name: OpensPagesByAddress, Breaks: []string{"practice-tool-page-bound-to-browser"}, Does: "shows the page of a launch to every browser that knows its address"},
	{Name: NumbersPages, Breaks: []string{"practice-tool-page-bound-to-browser"}, Grave: true, Does: "numbers the pages of launches, and shows them to every browser"},
	{Name: PassesIDTokenOn, Breaks: []string{"rfc6750-tool-tokens-not-in-addresses"}, Does: "passes the id_token on to its own page in the address"},
	{Name: PassesAccessTokensOn, Breaks: []string{"rfc6750-tool-tokens-not-in-addresses"}, Part: OfGrades, Does: "passes an access token on to its own page in the address"},
	{Name: TellsPlatformsSessions, Breaks: []string{"practice-tool-session-stays-secret"}, Does: "tells the platform the cookie of the session when the user leaves"},
	{Name: KeepsStateInCookie, Breaks: []string{}, Permitted: true, Does: "keeps the state of a login in a cookie"},
	{Name: TellsCookieInState, Breaks: []string{}, Permitted: true, Does: "begins the state of a login with the value of the cookie that binds it to the browser"},
	{Name: KnowsUsersByAddresses, Breaks: []string{}, Permitted: true, Does: "knows those who are launched by an address that nobody can guess, and sets no cookie for them, but one of a load balancer for everybody"},
	{Name: NamesGuests, Breaks: []string{}, Permitted: true, Does: "shows an account of their own to anonymous users"},
	{Name: KeepsStateInLocalStorage, Breaks: []string{}, Permitted: true, NeedsBrowser: true, Does: "keeps what binds the state to a browser in localStorage, on a page in between, and sets no cookie for it"},
	{Name: WritesReturnQueryAnew, Breaks: []string{}, Permitted: true, Does: "encodes the return URL's own query anew, with + for a space"},
	{Name: NeedsResourceParameter, Breaks: []string{}, Permitted: true, Does: "cannot know its resource without the custom parameter resource, which the configuration of such a tool names"},
	{Name: NeedsCourseNumber, Breaks: []string{}, Permitted: true, Does: "cannot be launched without the number of a course in the claim lis, which the configuration of such a tool names"},
	{Name: ReturnsRefusals, Breaks: []string{}, Hides: []string{"sec-tool-nonce-replayed"}, Permitted: true, Does: "sends the user back to the platform's return URL where the token is genuine"},
}
