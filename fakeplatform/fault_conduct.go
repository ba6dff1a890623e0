package fakeplatform

// The names of the defects of conduct: a missing check, or an answer that is
// put together wrongly. Some of them are only names here: LaxSessionCookie,
// OneTimeLinks and KeepsLinkIDOnCopy are for the application that is built on the platform, which
// asks for them with [Platform.Has], and AcceptsOldTLS is for whoever serves it.
const (
	GluesLoginQuery                  = "glues-login-query"
	DropsLoginQuery                  = "drops-login-query"
	PostsTokenBesides                = "posts-token-besides-login"
	OpensPrivateLinksByLTI11         = "opens-private-links-by-lti-1-1"
	OneTimeLinks                     = "one-time-links"
	RefusesAuthByGet                 = "refuses-auth-by-get"
	RefusesAuthByPost                = "refuses-auth-by-post"
	LaxSessionCookie                 = "lax-session-cookie"
	TellsToolsSessions               = "tells-tools-its-sessions"
	TellsToolsOfSessions             = "tells-tools-of-its-sessions"
	HintsAccounts                    = "hints-accounts-of-cookies"
	RepostsAuthByPost                = "reposts-auth-by-post"
	AcceptsAnyRedirectURI            = "accepts-any-redirect-uri"
	ComparesRedirectHost             = "compares-redirect-host"
	ComparesRedirectPrefix           = "compares-redirect-prefix"
	IgnoresRedirectCase              = "ignores-redirect-case"
	IgnoresRedirectQuery             = "ignores-redirect-query"
	IgnoresLoginInRedirectQuery      = "ignores-login-in-redirect-query"
	IgnoresRedirectSlash             = "ignores-redirect-slash"
	IgnoresRedirectPort              = "ignores-redirect-port"
	IgnoresRedirectScheme            = "ignores-redirect-scheme"
	IgnoresRedirectFragment          = "ignores-redirect-fragment"
	TakesUserinfoForHost             = "takes-userinfo-for-host"
	SendsErrorsToUnregisteredURI     = "sends-errors-to-unregistered-uri"
	RedirectsErrorsToUnregisteredURI = "redirects-errors-to-unregistered-uri"
	SendsErrorsForUnknownClient      = "sends-errors-for-unknown-client"
	RedirectsErrorsForUnknownClient  = "redirects-errors-for-unknown-client"
	PostsErrorsToScripts             = "posts-errors-to-scripts"
	RedirectsErrorsToScripts         = "redirects-errors-to-scripts"
	PostsErrorsBehindUserInfo        = "posts-errors-behind-user-info"
	RedirectsErrorsBehindUserInfo    = "redirects-errors-behind-user-info"
	PostsErrorsToUpperCase           = "posts-errors-to-upper-case"
	RedirectsErrorsToUpperCase       = "redirects-errors-to-upper-case"
	IgnoresClientID                  = "ignores-client-id"
	AcceptsMissingClientID           = "accepts-missing-client-id"
	TakesOtherClientForLaunchs       = "takes-other-client-for-launchs"
	TakesRedirectURIOfAnyClient      = "takes-redirect-uri-of-any-client"
	AnswersOtherClient               = "answers-other-client"
	AcceptsMissingNonce              = "accepts-missing-nonce"
	AcceptsEmptyNonce                = "accepts-empty-nonce"
	SaysLoginRequiredWithoutNonce    = "says-login-required-without-nonce"
	TruncatesNonce                   = "truncates-nonce"
	DecodesNonceTwice                = "decodes-nonce-twice"
	TrimsNonce                       = "trims-nonce"
	DropsNonceSpaces                 = "drops-nonce-spaces"
	AcceptsMissingResponseType       = "accepts-missing-response-type"
	IgnoresResponseType              = "ignores-response-type"
	SendsCode                        = "sends-code"
	SendsAccessToken                 = "sends-access-token"
	AcceptsTokenBeside               = "accepts-token-beside-id-token"
	AnswersInQuery                   = "answers-in-query"
	AnswersInFragment                = "answers-in-fragment"
	AnswersInQueryByDefault          = "answers-in-query-by-default"
	AnswersInFragmentByDefault       = "answers-in-fragment-by-default"
	PostsWhateverTheMode             = "posts-whatever-the-response-mode"
	AcceptsMissingResponseMode       = "accepts-missing-response-mode"
	AcceptsMissingScope              = "accepts-missing-scope"
	AcceptsScopeWithoutOpenID        = "accepts-scope-without-openid"
	RefusesFurtherScopes             = "refuses-further-scopes"
	AnswersWithoutSession            = "answers-without-session"
	ShowsLoginForm                   = "shows-login-form"
	SaysInvalidRequestWithoutSession = "says-invalid-request-without-session"
	AnswersEndedSession              = "answers-ended-session"
	AnswersEarlierUser               = "answers-earlier-user"
	AnswersOtherUsers                = "answers-other-users"
	ForgetsUserInOlderTab            = "forgets-user-in-older-tab"
	ForgetsTypeInOlderTab            = "forgets-message-type-in-older-tab"
	SwapsOverlappingUsers            = "swaps-overlapping-users"
	LaunchesLatestLink               = "launches-latest-link"
	KeepsOneToolPerUser              = "keeps-one-tool-per-user"
	MixesUsersAtOnce                 = "mixes-users-at-once"
	MixesTabsAtOnce                  = "mixes-tabs-at-once"
	SendsNonceOfLatestTab            = "sends-nonce-of-latest-tab"
	SendsStateOfLatestTab            = "sends-state-of-latest-tab"
	AcceptsMissingLoginHint          = "accepts-missing-login-hint"
	AcceptsUnknownLoginHint          = "accepts-unknown-login-hint"
	IgnoresLoginHint                 = "ignores-login-hint"
	LaunchesUserOfLoginHint          = "launches-user-of-login-hint"
	AcceptsMissingMessageHint        = "accepts-missing-message-hint"
	AcceptsUnknownMessageHint        = "accepts-unknown-message-hint"
	ComparesMessageHintPrefix        = "compares-message-hint-prefix"
	LaunchesOthersMessage            = "launches-others-message"
	TruncatesState                   = "truncates-state"
	DecodesStateTwice                = "decodes-state-twice"
	DropsStateZero                   = "drops-state-zero"
	DropsStateOnError                = "drops-state-on-error"
	NeedsState                       = "needs-state"
	InventsState                     = "invents-state"
	ShowsErrorsWith400               = "shows-errors-with-400"
	ShowsErrorsWith404               = "shows-errors-with-404"
	RedirectsErrors                  = "redirects-errors"
	CrashesOnResponseType            = "crashes-on-response-type"
	InventsErrorCode                 = "invents-error-code"
	SendsTokenWithError              = "sends-token-with-error"
	RefusesUnknownParameters         = "refuses-unknown-parameters"
	TakesFirstOfRepeated             = "takes-first-of-repeated"
	TakesLastOfRepeated              = "takes-last-of-repeated"
	AcceptsRepeatedNonce             = "accepts-repeated-nonce"
	AnswersLastRedirectURI           = "answers-last-redirect-uri"
	SendsFormByGet                   = "sends-form-by-get"
	SendsMultipartForm               = "sends-multipart-form"
	AnswersPrivateLaunchesAtLogin    = "answers-private-launches-at-login"
	DropsRedirectQuery               = "drops-redirect-query"
	SendsSessionState                = "sends-session-state"
	AllowsStoring                    = "allows-storing"
	SaysOnlyNoCache                  = "says-only-no-cache"
	WritesStateUnescaped             = "writes-state-unescaped"
	LeavesQuotesInState              = "leaves-quotes-in-state"
	ShowsStateUnescaped              = "shows-state-unescaped"
	IssuerWithQuery                  = "issuer-with-query"
	IssuerWithoutTLS                 = "issuer-without-tls"
	HidesMessage                     = "hides-message"
	HidesErrorMessage                = "hides-error-message"
	ShowsLog                         = "shows-log"
	ShowsErrorLog                    = "shows-error-log"
	HasNoReturnPage                  = "has-no-return-page"
	ShowsMessageUnescaped            = "shows-message-unescaped"
	ShowsErrorMessageUnescaped       = "shows-error-message-unescaped"
	ShowsMessagesAsMarkup            = "shows-messages-as-markup"
	SubstitutesNothing               = "substitutes-nothing"
	SubstitutesNotTheUser            = "substitutes-not-the-user"
	SubstitutesName                  = "substitutes-name"
	SubstitutesTitle                 = "substitutes-title"
	SubstitutesLabel                 = "substitutes-label"
	PassesOnCourseTitle              = "passes-on-course-title"
	EmptiesUnknownVariable           = "empties-unknown-variable"
	StripsUnknownVariable            = "strips-unknown-variable"
	DropsUnknownVariable             = "drops-unknown-variable"
	KeepsLinkIDOnCopy                = "keeps-link-id-on-copy"
	HasNoKeySet                      = "has-no-key-set"
	PublishesPage                    = "publishes-page-as-key-set"
	PublishesNoKeys                  = "publishes-no-keys"
	PublishesPrivateKey              = "publishes-private-key"
	PublishesSharedSecret            = "publishes-shared-secret"
	PublishesKeyWithoutExponent      = "publishes-key-without-exponent"
	PublishesKeyWithoutKID           = "publishes-key-without-kid"
	PublishesShortKey                = "publishes-short-key"
	PadsModulus                      = "pads-modulus"
	RepeatsKID                       = "repeats-kid"
	PublishesECKey                   = "publishes-ec-key"
	ReusesKID                        = "reuses-kid"
	WithdrawsOldKeyAtOnce            = "withdraws-old-key-at-once"
	AcceptsOldTLS                    = "accepts-old-tls"
)

// conductDefects are the defects of conduct, and what is unusual, but allowed.
var conductDefects = []Fault{

	// Login initiation.
	{Name: GluesLoginQuery, Breaks: []string{"practice-login-url-query-preserved"}, Does: "appends its parameters with a second ? to a login URL that has a query"},
	{Name: DropsLoginQuery, Breaks: []string{"practice-login-url-query-preserved"}, Does: "replaces the query of the login URL by its own parameters"},
	{Name: PostsTokenBesides, Breaks: []string{"sec-every-launch-starts-with-login"}, Does: "posts an id_token that nobody asked for from a hidden frame, beside the login initiation"},
	{Name: OpensPrivateLinksByLTI11, Breaks: []string{"sec-every-launch-starts-with-login"}, Hides: []string{"cert-platform-no-pii-launch", "sr-for-user-privacy"}, Does: "opens a link that shares no personal data with a form of LTI 1.1"},
	{Name: OneTimeLinks, Breaks: []string{"practice-platform-link-opened-again"}, NeedsBrowser: true, Does: "shows links that launch once, until the page is loaded again"},

	// Authorization endpoint.
	{Name: RefusesAuthByGet, Breaks: []string{"oidc-auth-endpoint-get"}, Does: "answers an authentication request by GET with 405"},
	{Name: RefusesAuthByPost, Breaks: []string{"oidc-auth-endpoint-post"}, Does: "answers an authentication request by POST with 405"},
	{Name: TellsToolsSessions, Breaks: []string{"practice-platform-session-stays-secret"}, Does: "tells the tool the cookie of the user's session in custom"},
	{Name: TellsToolsOfSessions, Breaks: []string{}, Permitted: true, Does: "tells the tool in custom what is made of the user's session, and opens none"},
	{Name: HintsAccounts, Breaks: []string{}, Permitted: true, Does: "keeps who has signed in last in a cookie as well, and sends the same in login_hint"},
	{Name: LaxSessionCookie, Breaks: []string{"oidc-auth-endpoint-post"}, NeedsBrowser: true, Does: "sets its session cookie with SameSite=Lax, which a browser withholds from a cross-site POST"},
	{Name: RepostsAuthByPost, Breaks: []string{}, Permitted: true, Does: "answers an authentication request by POST with a page that sends it once more from the platform's own site"},

	// redirect_uri.
	{Name: AcceptsAnyRedirectURI, Breaks: []string{"sec-auth-redirect-uri-registered", "oidc-redirect-uri-exact-match", "rfc6749-no-open-redirect-on-error", "ap-start-proctoring-through-oidc-login"}, Does: "does not look at redirect_uri"},
	{Name: TakesRedirectURIOfAnyClient, Breaks: []string{"sec-auth-redirect-uri-registered"}, Does: "accepts a redirect_uri that is registered for another client"},
	{Name: ComparesRedirectHost, Breaks: []string{"oidc-redirect-uri-exact-match", "ap-start-proctoring-through-oidc-login"}, Does: "compares only the host of redirect_uri"},
	{Name: ComparesRedirectPrefix, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "accepts a redirect_uri that begins with a registered one"},
	{Name: IgnoresRedirectCase, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores the case of redirect_uri"},
	{Name: IgnoresRedirectQuery, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores the query of redirect_uri"},
	{Name: IgnoresLoginInRedirectQuery, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores parameters of a login initiation in the query of redirect_uri"},
	{Name: IgnoresRedirectSlash, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores a slash at the end of redirect_uri"},
	{Name: IgnoresRedirectPort, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores the port of redirect_uri"},
	{Name: IgnoresRedirectScheme, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores the scheme of redirect_uri"},
	{Name: IgnoresRedirectFragment, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "ignores a fragment of redirect_uri"},
	{Name: TakesUserinfoForHost, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "takes the user information of redirect_uri for its host"},
	{Name: SendsErrorsToUnregisteredURI, Breaks: []string{"rfc6749-no-open-redirect-on-error"}, Does: "looks for other mistakes before it looks at redirect_uri, and posts the error there"},
	{Name: RedirectsErrorsToUnregisteredURI, Breaks: []string{"rfc6749-no-open-redirect-on-error"}, Does: "looks for other mistakes before it looks at redirect_uri, and redirects there with the error"},
	{Name: SendsErrorsForUnknownClient, Breaks: []string{"rfc6749-no-open-redirect-on-error"}, Does: "posts an error to the redirect_uri of a client that it does not know"},
	{Name: RedirectsErrorsForUnknownClient, Breaks: []string{"rfc6749-no-open-redirect-on-error"}, Does: "redirects with an error to the redirect_uri of a client that it does not know"},
	{Name: PostsErrorsToScripts, Breaks: []string{"sec-auth-redirect-uri-registered"}, Does: "posts the error that a redirect_uri is not registered to that redirect_uri where it has no host, as javascript: and data: URLs"},
	{Name: RedirectsErrorsToScripts, Breaks: []string{"sec-auth-redirect-uri-registered"}, Does: "redirects with the error that a redirect_uri is not registered to that redirect_uri where it has no host, as javascript: and data: URLs"},
	{Name: PostsErrorsBehindUserInfo, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "posts the error that a redirect_uri is not registered to that redirect_uri where it has user information"},
	{Name: RedirectsErrorsBehindUserInfo, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "redirects with the error that a redirect_uri is not registered to that redirect_uri where it has user information"},
	{Name: PostsErrorsToUpperCase, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "posts the error that a redirect_uri is not registered to that redirect_uri where its host is in upper case"},
	{Name: RedirectsErrorsToUpperCase, Breaks: []string{"oidc-redirect-uri-exact-match"}, Does: "redirects with the error that a redirect_uri is not registered to that redirect_uri where its host is in upper case"},

	// client_id.
	{Name: IgnoresClientID, Breaks: []string{"oidc-auth-unknown-client"}, Does: "takes a client_id that it does not know, or none, for that of the launch"},
	{Name: AcceptsMissingClientID, Breaks: []string{"oidc-auth-unknown-client"}, Does: "accepts a request without client_id"},
	{Name: TakesOtherClientForLaunchs, Breaks: []string{"oidc-auth-unknown-client"}, Does: "takes another tool's client_id for that of the launch where redirect_uri is the launch's"},
	{Name: AnswersOtherClient, Breaks: []string{"oidc-auth-unknown-client"}, Does: "sends a launch to whichever tool asks for it"},

	// nonce.
	{Name: AcceptsMissingNonce, Breaks: []string{"oidc-auth-missing-nonce", "ap-start-proctoring-through-oidc-login"}, Does: "accepts a request without nonce"},
	{Name: AcceptsEmptyNonce, Breaks: []string{"oidc-auth-missing-nonce"}, Does: "accepts a request with an empty nonce"},
	{Name: SaysLoginRequiredWithoutNonce, Breaks: []string{"oidc-auth-missing-nonce"}, Does: "reports login_required where the nonce is missing"},
	{Name: TruncatesNonce, Breaks: []string{"sec-id-token-nonce-passthrough"}, Does: "keeps 128 characters of the nonce"},
	{Name: DecodesNonceTwice, Breaks: []string{"sec-id-token-nonce-passthrough"}, Does: "URL-decodes the nonce once too often"},
	{Name: TrimsNonce, Breaks: []string{"sec-id-token-nonce-passthrough"}, Does: "takes white space from the ends of the nonce"},
	{Name: DropsNonceSpaces, Breaks: []string{"sec-id-token-nonce-passthrough"}, Does: "takes every space out of the nonce"},

	// response_type, response_mode, scope.
	{Name: AcceptsMissingResponseType, Breaks: []string{"oidc-auth-response-type"}, Does: "accepts a request without response_type"},
	{Name: IgnoresResponseType, Breaks: []string{"oidc-auth-response-type", "oidc-auth-error-response"}, Does: "sends an id_token whatever response_type asks for"},
	{Name: SendsCode, Breaks: []string{"oidc-auth-response-type", "oidc-auth-error-response"}, Does: "sends a code where response_type asks for one"},
	{Name: SendsAccessToken, Breaks: []string{"oidc-auth-response-type"}, Does: "sends an access token where response_type asks for one"},
	{Name: AcceptsTokenBeside, Breaks: []string{"oidc-auth-response-type"}, Does: "accepts the response_type id_token token"},
	{Name: AnswersInQuery, Breaks: []string{"sec-auth-response-mode-form-post", "ap-start-proctoring-through-oidc-login"}, Does: "sends the id_token in a query where response_mode asks for it"},
	{Name: AnswersInFragment, Breaks: []string{"sec-auth-response-mode-form-post"}, Does: "sends the id_token in a fragment where response_mode asks for it"},
	{Name: AnswersInQueryByDefault, Breaks: []string{"sec-auth-response-mode-form-post"}, Does: "sends the id_token in a query where response_mode is missing"},
	{Name: AnswersInFragmentByDefault, Breaks: []string{"sec-auth-response-mode-form-post"}, Does: "sends the id_token in a fragment where response_mode is missing"},
	{Name: PostsWhateverTheMode, Breaks: []string{}, Permitted: true, Does: "posts the id_token whatever response_mode asks for"},
	{Name: AcceptsMissingResponseMode, Breaks: []string{}, Permitted: true, Does: "posts the id_token where response_mode is missing, too"},
	{Name: AcceptsMissingScope, Breaks: []string{"oidc-auth-scope-openid"}, Does: "accepts a request without scope"},
	{Name: AcceptsScopeWithoutOpenID, Breaks: []string{"oidc-auth-scope-openid"}, Does: "accepts a scope without openid"},
	{Name: RefusesFurtherScopes, Breaks: []string{"oidc-auth-scope-openid"}, Does: "refuses scopes that it does not know next to openid"},

	// Sessions.
	{Name: AnswersWithoutSession, Breaks: []string{"sec-auth-prompt-none-no-session", "practice-platform-session-ended"}, Does: "answers a browser in which nobody is signed in as if the launch's user were"},
	{Name: ShowsLoginForm, Breaks: []string{"sec-auth-prompt-none-no-session"}, Does: "asks a browser in which nobody is signed in to sign in"},
	{Name: SaysInvalidRequestWithoutSession, Breaks: []string{"sec-auth-prompt-none-no-session"}, Does: "reports invalid_request where nobody is signed in"},
	{Name: AnswersEndedSession, Breaks: []string{"practice-platform-session-ended"}, Does: "answers the browser that began the launch after its user has signed out"},
	{Name: AnswersEarlierUser, Breaks: []string{"practice-platform-session-ended"}, Does: "answers the browser that began the launch for its user after somebody else has signed in"},
	{Name: AnswersOtherUsers, Breaks: []string{"practice-platform-session-ended"}, Does: "answers an authentication request, once more if need be, in the browser of another user"},
	{Name: SwapsOverlappingUsers, Breaks: []string{"core-platform-parallel-users"}, Does: "names the user of the launch that was started last"},
	{Name: MixesUsersAtOnce, Breaks: []string{"core-platform-parallel-users"}, Does: "names the user of the request that it answers at the same time"},
	{Name: MixesTabsAtOnce, Breaks: []string{"practice-platform-parallel-tabs"}, Does: "launches the link of the request that it answers at the same time, of the same user"},
	{Name: LaunchesLatestLink, Breaks: []string{"practice-platform-parallel-tabs"}, Does: "launches the link that the user has started last, in every tab"},
	{Name: KeepsOneToolPerUser, Breaks: []string{"practice-platform-parallel-tabs"}, Does: "refuses the request of a tool beside whose link the user has started that of another tool"},
	{Name: ForgetsUserInOlderTab, Breaks: []string{"practice-platform-parallel-tabs", "sec-id-token-sub"}, Does: "sends no sub in the launch of a link beside which the user has started another"},
	{Name: ForgetsTypeInOlderTab, Breaks: []string{"practice-platform-parallel-tabs", "core-message-type-claim"}, Does: "sends no message_type in the launch of a link beside which the user has started another"},
	{Name: SendsNonceOfLatestTab, Breaks: []string{"practice-platform-parallel-tabs", "sec-id-token-nonce-passthrough"}, Does: "sends the nonce of the launch that the user has started last, in every tab"},
	{Name: SendsStateOfLatestTab, Breaks: []string{"practice-platform-parallel-tabs", "oidc-auth-state-echo"}, Does: "sends the state of the launch that the user has started last, in every tab"},

	// login_hint, lti_message_hint.
	{Name: AcceptsMissingLoginHint, Breaks: []string{"sec-auth-login-hint-matches-session-user"}, Does: "accepts a request without login_hint"},
	{Name: AcceptsUnknownLoginHint, Breaks: []string{"sec-auth-login-hint-matches-session-user"}, Does: "accepts a login_hint that it never sent"},
	{Name: IgnoresLoginHint, Breaks: []string{"sec-auth-login-hint-matches-session-user", "ap-start-proctoring-through-oidc-login"}, Does: "does not look at login_hint"},
	{Name: LaunchesUserOfLoginHint, Breaks: []string{"sec-auth-login-hint-matches-session-user", "ap-start-proctoring-through-oidc-login"}, Does: "launches the user whom login_hint designates, whoever is signed in"},
	{Name: AcceptsMissingMessageHint, Breaks: []string{"practice-auth-message-hint-integrity"}, Does: "launches what the user has started last where lti_message_hint is missing"},
	{Name: AcceptsUnknownMessageHint, Breaks: []string{"practice-auth-message-hint-integrity"}, Does: "goes by login_hint where it never sent the lti_message_hint"},
	{Name: ComparesMessageHintPrefix, Breaks: []string{"practice-auth-message-hint-integrity"}, Does: "looks at the beginning of lti_message_hint only"},
	{Name: LaunchesOthersMessage, Breaks: []string{"practice-auth-message-hint-integrity"}, Does: "launches what lti_message_hint names, whoever it was for"},

	// State and errors.
	{Name: TruncatesState, Breaks: []string{"oidc-auth-state-echo"}, Does: "keeps 255 characters of state"},
	{Name: DecodesStateTwice, Breaks: []string{"oidc-auth-state-echo"}, Does: "URL-decodes state once too often"},
	{Name: DropsStateZero, Breaks: []string{"oidc-auth-state-echo"}, Does: "takes the state 0 for none"},
	{Name: DropsStateOnError, Breaks: []string{"oidc-auth-state-echo", "oidc-auth-error-response", "sec-auth-prompt-none-no-session"}, Does: "leaves state out of error responses"},
	{Name: NeedsState, Breaks: []string{"oidc-auth-state-optional"}, Does: "refuses a request without state"},
	{Name: InventsState, Breaks: []string{"oidc-auth-state-optional"}, Does: "sends a state where it received none"},
	{Name: ShowsErrorsWith400, Breaks: []string{"oidc-auth-error-response"}, OnlyWarns: true, Does: "shows the user a page with 400 instead of reporting an error to the tool"},
	{Name: ShowsErrorsWith404, Breaks: []string{"oidc-auth-error-response"}, OnlyWarns: true, Does: "shows the user a page with 404 instead of reporting an error to the tool"},
	{Name: RedirectsErrors, Breaks: []string{"oidc-auth-error-response"}, Does: "reports errors by a redirect with a query"},
	{Name: CrashesOnResponseType, Breaks: []string{"oidc-auth-error-response"}, Warns: []string{"oidc-auth-response-type"}, Does: "answers response_type=code with 500"},
	{Name: InventsErrorCode, Breaks: []string{"oidc-auth-error-response", "oidc-auth-response-type"}, Does: "reports response_type=code with an error code that is registered nowhere"},
	{Name: SendsTokenWithError, Breaks: []string{"oidc-auth-error-response", "oidc-auth-response-type"}, Does: "reports response_type=code as an error and sends the id_token all the same"},
	{Name: RefusesUnknownParameters, Breaks: []string{"rfc6749-auth-unknown-parameters-ignored"}, Does: "refuses a request with a parameter that it does not know"},
	{Name: TakesFirstOfRepeated, Breaks: []string{"rfc6749-auth-duplicate-parameters"}, OnlyWarns: true, Does: "takes the first value of a repeated parameter"},
	{Name: TakesLastOfRepeated, Breaks: []string{"rfc6749-auth-duplicate-parameters"}, OnlyWarns: true, Does: "takes the last value of a repeated parameter"},
	{Name: AcceptsRepeatedNonce, Breaks: []string{"rfc6749-auth-duplicate-parameters"}, OnlyWarns: true, Does: "takes the first of several nonces"},
	{Name: AnswersLastRedirectURI, Breaks: []string{"rfc6749-auth-duplicate-parameters"}, Does: "checks the first redirect_uri and answers the last one"},

	// The page with the answer.
	{Name: SendsFormByGet, Breaks: []string{"formpost-response-form", "sec-auth-response-mode-form-post", "oidc-auth-endpoint-get", "oidc-auth-endpoint-post", "ap-start-proctoring-through-oidc-login", "ap-end-assessment-fresh-oidc"}, Does: "submits its form by GET, with id_token and state in the URL"},
	{Name: SendsMultipartForm, Breaks: []string{"formpost-response-form", "ap-start-proctoring-through-oidc-login", "ap-end-assessment-fresh-oidc"}, NeedsBrowser: true, Does: "submits its form as multipart/form-data"},
	{Name: AnswersPrivateLaunchesAtLogin, Breaks: []string{"formpost-response-form"}, Does: "submits the form of a launch without personal data to the login URL"},
	{Name: DropsRedirectQuery, Breaks: []string{"formpost-response-form"}, Does: "submits its form to redirect_uri without its query"},
	{Name: SendsSessionState, Breaks: []string{}, Permitted: true, Does: "sends a session_state beside id_token and state"},
	{Name: AllowsStoring, Breaks: []string{"formpost-response-not-stored"}, Does: "says nothing of storing the page with the id_token"},
	{Name: SaysOnlyNoCache, Breaks: []string{"formpost-response-not-stored"}, Does: "says no-cache of the page with the id_token, but not no-store"},
	{Name: WritesStateUnescaped, Breaks: []string{"oidc-auth-state-echo"}, Hides: []string{"practice-form-post-values-escaped"}, Does: "writes state into its form as it came"},
	{Name: LeavesQuotesInState, Breaks: []string{"oidc-auth-state-echo"}, Hides: []string{"practice-form-post-values-escaped"}, Does: "escapes < and > of state, but not the quotes"},
	{Name: ShowsStateUnescaped, Breaks: []string{"practice-form-post-values-escaped"}, Grave: true, NeedsBrowser: true, Does: "shows state as it came, beside the form that has it escaped"},

	// Issuer.
	{Name: IssuerWithQuery, Breaks: []string{"sec-id-token-iss"}, Does: "has an issuer identifier with a query"},
	{Name: IssuerWithoutTLS, Breaks: []string{"sec-id-token-iss"}, Does: "has an http URL for its issuer identifier"},

	// Return page.
	{Name: HidesMessage, Breaks: []string{"core-return-url-parameters"}, Does: "does not show lti_msg"},
	{Name: HidesErrorMessage, Breaks: []string{"core-return-url-parameters"}, Does: "does not show lti_errormsg"},
	{Name: ShowsLog, Breaks: []string{"core-return-url-parameters"}, Does: "shows lti_log to the user"},
	{Name: ShowsErrorLog, Breaks: []string{"core-return-url-parameters"}, Does: "shows lti_errorlog to the user"},
	{Name: HasNoReturnPage, Breaks: []string{"core-return-url-parameters"}, Does: "answers 404 at its return_url"},
	{Name: ShowsMessageUnescaped, Breaks: []string{"practice-return-url-messages-escaped"}, Grave: true, NeedsBrowser: true, Does: "shows lti_msg as it came"},
	{Name: ShowsMessagesAsMarkup, Breaks: []string{"practice-return-url-messages-escaped"}, Does: "shows messages as markup, without its scripts"},
	{Name: ShowsErrorMessageUnescaped, Breaks: []string{"practice-return-url-messages-escaped", "ap-start-proctoring-return-url"}, Grave: true, NeedsBrowser: true, Does: "shows lti_errormsg as it came"},

	// Custom variables.
	{Name: SubstitutesNothing, Breaks: []string{"core-custom-variable-substitution"}, Does: "passes on the variables that it supports"},
	{Name: SubstitutesNotTheUser, Breaks: []string{"core-custom-variable-substitution"}, Does: "passes on $User.id"},
	{Name: SubstitutesName, Breaks: []string{"core-custom-variable-substitution"}, Does: "replaces $User.id by the user's name"},
	{Name: SubstitutesTitle, Breaks: []string{"core-custom-variable-substitution"}, Does: "replaces $ResourceLink.id by the title"},
	{Name: SubstitutesLabel, Breaks: []string{"core-custom-variable-substitution"}, Does: "replaces $Context.title by the label"},
	{Name: PassesOnCourseTitle, Breaks: []string{}, Permitted: true, Does: "passes on $Context.title, which it does not support"},
	{Name: EmptiesUnknownVariable, Breaks: []string{"core-custom-variable-unsupported-unresolved"}, Does: "sends an empty string for a variable that it does not support"},
	{Name: StripsUnknownVariable, Breaks: []string{"core-custom-variable-unsupported-unresolved"}, Does: "passes on a variable that it does not support without its $"},
	{Name: DropsUnknownVariable, Breaks: []string{"core-custom-variable-unsupported-unresolved"}, Does: "leaves out a custom parameter with a variable that it does not support"},
	{Name: KeepsLinkIDOnCopy, Breaks: []string{"core-resource-link-id-changes-on-copy"}, Does: "keeps the id of a link that is copied"},

	// Keys and transport.
	{Name: HasNoKeySet, Breaks: []string{"sec-jwks-published", "sec-id-token-signature"}, Hides: []string{"sec-jwks-no-private-members", "sec-key-rotation"}, Does: "answers 404 at its key set URL"},
	{Name: PublishesPage, Breaks: []string{"sec-jwks-published", "sec-id-token-signature"}, Hides: []string{"sec-jwks-no-private-members", "sec-key-rotation"}, Does: "publishes a page instead of its key set"},
	{Name: PublishesNoKeys, Breaks: []string{"sec-jwks-published", "sec-id-token-signature", "sec-key-rotation"}, Hides: []string{"sec-jwks-no-private-members"}, Does: "publishes an empty key set"},
	{Name: PublishesPrivateKey, Breaks: []string{"sec-jwks-no-private-members"}, Does: "publishes the private members of its keys"},
	{Name: PublishesSharedSecret, Breaks: []string{"sec-jwks-no-private-members"}, Does: "publishes a symmetric key beside its own"},
	{Name: PublishesKeyWithoutExponent, Breaks: []string{"sec-jwks-published"}, Does: "publishes a second key without e"},
	{Name: PublishesKeyWithoutKID, Breaks: []string{"sec-jwks-published"}, Does: "publishes a second key without kid"},
	{Name: PublishesShortKey, Breaks: []string{"sec-jwks-published"}, Does: "publishes a second key, of 1024 bits"},
	{Name: PadsModulus, Breaks: []string{"sec-jwks-published"}, Does: "pads the n of a second key"},
	{Name: RepeatsKID, Breaks: []string{"sec-jwks-published", "sec-key-rotation"}, Does: "publishes a second key under the kid of the first"},
	{Name: PublishesECKey, Breaks: []string{}, Permitted: true, Does: "publishes an EC key beside its own"},
	{Name: ReusesKID, Breaks: []string{"sec-key-rotation"}, Does: "names its new key like the old one, which it replaces"},
	{Name: WithdrawsOldKeyAtOnce, Breaks: []string{"sec-key-rotation"}, OnlyWarns: true, Does: "withdraws the old key as soon as there is a new one"},
	{Name: AcceptsOldTLS, Breaks: []string{"sec-platform-tls"}, Does: "speaks TLS 1.0 and 1.1"},
}
