package fakeplatform

// The names of the defects of what tools' servers ask for: access tokens (Security
// Framework 1.0, 4.1), and the Assessment Control Service (Proctoring Services 1.0,
// 5).
const (
	AllowsStoringTokens            = "allows-storing-access-tokens"
	OmitsGrantedScope              = "omits-granted-scope"
	OmitsScopeAsAsked              = "omits-scope-as-asked"
	SaysOtherTokenType             = "says-other-token-type"
	LeavesExpiryOut                = "leaves-expires-in-out"
	RefusesAssertionMembers        = "refuses-unknown-claims-of-assertions"
	RefusesFormCharset             = "refuses-charset-of-token-requests"
	TakesControlArrays             = "takes-arrays-of-one-in-control"
	TruncatesAttemptNumbers        = "truncates-attempt-numbers"
	TakesAnyReason                 = "takes-any-reason"
	CrashesOnControlArrays         = "crashes-on-arrays-in-control"
	RefusesReasonsOfUpdates        = "refuses-reasons-of-updates"
	SaysExpiryAsText               = "says-expires-in-as-text"
	LabelsTokensAsPage             = "labels-access-tokens-as-page"
	LabelsTokenErrorsAsPage        = "labels-token-errors-as-page"
	MakesUpTokenErrors             = "makes-up-token-errors"
	MakesShortAccessTokens         = "makes-short-access-tokens"
	GrantsMoreScopes               = "grants-more-scopes"
	GrantsControlWithScores        = "grants-control-with-scores"
	GrantsNobody                   = "grants-nobody"
	CrashesOnTokenRequests         = "crashes-on-token-requests"
	RefusesSeveralScopes           = "refuses-several-scopes"
	DropsControlAmongOthers        = "drops-control-among-others"
	GrantsUnknownScopes            = "grants-unknown-scopes"
	GrantsWithoutScope             = "grants-without-scope"
	AnswersTokenErrorsWith200      = "answers-token-errors-with-200"
	ForbidsTokenErrors             = "forbids-token-errors"
	ForbidsWithMadeUpErrors        = "forbids-with-made-up-errors"
	ShowsTokenErrorsAsPages        = "shows-token-errors-as-pages"
	IgnoresAssertionAudience       = "ignores-assertion-audience"
	TakesAssertionsWithoutAudience = "takes-assertions-without-audience"
	TakesClientForAudience         = "takes-client-for-audience"
	RefusesAssertionAudienceArrays = "refuses-assertion-audience-arrays"
	IgnoresAssertionIssuer         = "ignores-assertion-issuer"
	IgnoresAssertionSubject        = "ignores-assertion-subject"
	RefusesDeploymentInAssertion   = "refuses-deployment-in-assertion"
	IgnoresAssertionExpiry         = "ignores-assertion-expiry"
	TakesAssertionsWithoutExpiry   = "takes-assertions-without-expiry"
	NeedsWholeAssertionIssueTime   = "needs-whole-issue-time-of-assertions"
	NeedsWholeAssertionExpiry      = "needs-whole-expiry-of-assertions"
	NeedsWholeAssertionNotBefore   = "needs-whole-not-before-of-assertions"
	TakesAssertionsWithoutJTI      = "takes-assertions-without-jti"
	ReusesAssertions               = "reuses-assertions"
	NotesAssertionsLate            = "notes-assertions-late"
	CrashesOnAssertionTwins        = "crashes-on-assertion-twins"
	IgnoresAssertionSignature      = "ignores-assertion-signature"
	TakesUnsignedAssertions        = "takes-unsigned-assertions"
	TakesAssertionsWithHMAC        = "takes-assertions-with-hmac"
	TakesKeysOfOtherTools          = "takes-keys-of-other-tools"
	FetchesToolKeysOnce            = "fetches-tool-keys-once"
	IgnoresGrantType               = "ignores-grant-type"
	TakesMissingGrantType          = "takes-missing-grant-type"
	CrashesWithoutGrantType        = "crashes-without-grant-type"
	IgnoresAssertionType           = "ignores-assertion-type"
	CrashesOnMalformedAssertion    = "crashes-on-malformed-assertion"
	TakesTokenRequestsByGet        = "takes-token-requests-by-get"
	ControlsWithoutToken           = "controls-without-token"
	TakesUnknownAccessTokens       = "takes-unknown-access-tokens"
	TakesExpiredAccessTokens       = "takes-expired-access-tokens"
	IgnoresTokenScope              = "ignores-token-scope"
	TakesAccessTokenInQuery        = "takes-access-token-in-query"
	ForbidsWithoutToken            = "forbids-without-access-token"
	SaysUnauthorizedForScope       = "says-unauthorized-for-scope"
	ChallengesNobody               = "challenges-nobody"
	ControlsExamsOfOtherTools      = "controls-exams-of-other-tools"
	PausesNothing                  = "pauses-nothing"
	SaysRunningWhenPaused          = "says-running-when-paused"
	SaysPausedWhenResumed          = "says-paused-when-resumed"
	CrashesOnSecondPause           = "crashes-on-second-pause"
	RefusesNeedlessResume          = "refuses-needless-resume"
	TerminatesNothing              = "terminates-nothing"
	ResumesTerminated              = "resumes-terminated"
	StartsTerminated               = "starts-terminated"
	LeavesExtraTimeOut             = "leaves-extra-time-out"
	RefusesNoExtraTime             = "refuses-no-extra-time"
	CrashesWithoutExtraTime        = "crashes-without-extra-time"
	TerminatesFlagged              = "terminates-flagged"
	SaysPausedWhenFlagged          = "says-paused-when-flagged"
	RefusesLongReasons             = "refuses-long-reasons"
	ControlsUnoffered              = "controls-unoffered"
	TakesUnknownActions            = "takes-unknown-actions"
	IgnoresActionCase              = "ignores-action-case"
	TakesEmptyAction               = "takes-empty-action"
	SaysRunningBeforeStart         = "says-running-before-start"
	GuessesControlTarget           = "guesses-control-target"
	TakesMissingControlIssuer      = "takes-missing-control-issuer"
	TakesMissingAction             = "takes-missing-action"
	TakesMissingIncidentTime       = "takes-missing-incident-time"
	TakesAnyIncidentTime           = "takes-any-incident-time"
	TakesIncidentTimeNumbers       = "takes-incident-time-numbers"
	TakesAnySeverity               = "takes-any-severity"
	TakesAnyExtraTime              = "takes-any-extra-time"
	TakesTextAttemptNumbers        = "takes-text-attempt-numbers"
	CrashesOnMalformedControl      = "crashes-on-malformed-control"
	HidesMalformedControl          = "hides-malformed-control"
	NeedsWholeIncidentTimes        = "needs-whole-incident-times"
	NeedsIncidentTimesInUTC        = "needs-incident-times-in-utc"
	SaysUnprocessable              = "says-unprocessable"
	IgnoresControlIssuer           = "ignores-control-issuer"
	IgnoresControlLink             = "ignores-control-link"
	IgnoresControlAttempt          = "ignores-control-attempt"
	AnswersUnknownTargets          = "answers-unknown-targets"
	CrashesOnUnknownTarget         = "crashes-on-unknown-target"
	SaysBadRequestForTarget        = "says-bad-request-for-target"
	RefusesControlOfEnded          = "refuses-control-of-ended"
	AnswersControlAsJSON           = "answers-control-as-json"
	AnswersControlAsText           = "answers-control-as-text"
	SaysSuspended                  = "says-suspended"
	SaysExtraTimeAsText            = "says-extra-time-as-text"
	RefusesControlCharset          = "refuses-control-charset"
	ComparesMediaTypeCase          = "compares-media-type-case"
	RefusesControlAsJSON           = "refuses-control-as-json"
	TakesAnyMediaType              = "takes-any-media-type"
	SaysBadRequestForMediaType     = "says-bad-request-for-media-type"
	ControlsByPut                  = "controls-by-put"
	HidesControlByMethod           = "hides-control-by-method"
)

// breaksGrants are the requirements that a platform breaks which grants no access token, and
// needTokens those that cannot be seen then.
var (
	breaksGrants = []string{"sec-token-response", "ap-acs-platform-token-scope-grantable"}
	needTokens   = append([]string{
		"sec-token-scope-limits", "sec-token-assertion-aud", "core-token-assertion-iss-sub", "sec-token-assertion-expired", "sec-token-assertion-jti",
		"sec-token-assertion-signature", "rfc6749-token-request-form", "rfc7519-token-assertion-numeric-date", "sec-token-key-rotation", "rfc6750-access-token-enforced",
		"ap-platform-accepts-valid-start-assessment", "ap-end-assessment-sent-when-requested",
	}, controlRows...)
)

// serviceDefects are the defects of the services, and what is unusual, but allowed.
var serviceDefects = []Fault{

	// Access tokens: what is granted.
	{Name: AllowsStoringTokens, Breaks: []string{"sec-token-response"}, Part: OfExams, Does: "says nothing of storing access tokens but that they are private"},
	{Name: LabelsTokensAsPage, Breaks: []string{"sec-token-response"}, Part: OfExams, Does: "says that the JSON of an access token is text/html"},
	{Name: LabelsTokenErrorsAsPage, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "says that the JSON of a token request's error is text/html"},
	{Name: MakesUpTokenErrors, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "answers malformed token requests with error codes of its own"},
	{Name: OmitsGrantedScope, Breaks: []string{"sec-token-scope-limits", "ags-claim-scopes-grantable"}, Warns: []string{"sec-token-response"}, Part: OfExams, Does: "does not say which scopes it grants, even where they are fewer than were asked for"},
	{Name: OmitsScopeAsAsked, Breaks: []string{"sec-token-response"}, OnlyWarns: true, Part: OfExams, Does: "does not say which scopes it grants where they are those that were asked for"},
	{Name: SaysOtherTokenType, Breaks: []string{"sec-token-response"}, Part: OfExams, Does: "says that its access tokens are of type mac"},
	{Name: LeavesExpiryOut, Breaks: []string{"sec-token-response"}, OnlyWarns: true, Part: OfExams, Does: "does not say when access tokens expire"},
	{Name: RefusesAssertionMembers, Breaks: []string{"sec-token-response"}, Part: OfExams, Does: "refuses an assertion with claims that it does not know"},
	{Name: RefusesFormCharset, Breaks: []string{"rfc6749-token-request-form"}, OnlyWarns: true, Part: OfExams, Does: "refuses a request for an access token whose media type has a charset"},
	{Name: SaysExpiryAsText, Breaks: []string{"sec-token-response"}, Part: OfExams, Does: "sends expires_in as a string"},
	{Name: MakesShortAccessTokens, Breaks: []string{"sec-token-response"}, Part: OfExams, OnlyWarns: true, Does: "makes access tokens of 12 characters"},
	{Name: GrantsMoreScopes, Breaks: []string{"sec-token-scope-limits"}, Part: OfExams, Does: "says that it grants scopes that nobody asked for"},
	{Name: GrantsControlWithScores, Breaks: []string{"sec-token-scope-limits", "ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, Does: "grants the control of exams to who asks for scores"},
	{Name: GrantsNobody, Breaks: breaksGrants, Hides: needTokens, Part: OfExams, Does: "trusts no client assertion"},
	{Name: CrashesOnTokenRequests, Breaks: append([]string{"ap-platform-rejects-message-type-confusion"}, breaksGrants...), Hides: needTokens, Part: OfExams, Does: "answers 500 to every token request"},
	{Name: RefusesSeveralScopes, Breaks: []string{"sec-token-response", "ap-acs-platform-token-scope-grantable"}, Part: OfExams, Does: "grants nothing where two scopes are asked for"},
	{Name: DropsControlAmongOthers, Breaks: []string{"ap-acs-platform-token-scope-grantable"}, Part: OfExams, Does: "does not grant the control of exams among other scopes"},
	{Name: GrantsUnknownScopes, Breaks: []string{"sec-token-scope-limits"}, Part: OfExams, Does: "grants scopes that there are not"},
	{Name: GrantsWithoutScope, Breaks: []string{"sec-token-scope-limits"}, Part: OfExams, Does: "grants every scope where none is asked for"},

	// Access tokens: who gets one.
	{Name: AnswersTokenErrorsWith200, Breaks: []string{"sec-token-scope-limits", "sec-token-assertion-aud", "core-token-assertion-iss-sub", "sec-token-assertion-expired", "sec-token-assertion-jti", "sec-token-assertion-signature", "rfc6749-token-request-form"}, Part: OfExams, Does: "reports the errors of token requests with 200"},
	{Name: ShowsTokenErrorsAsPages, Breaks: []string{"sec-token-scope-limits", "sec-token-assertion-aud", "core-token-assertion-iss-sub", "sec-token-assertion-expired", "sec-token-assertion-jti", "sec-token-assertion-signature", "rfc6749-token-request-form"}, Part: OfExams, Does: "reports the errors of token requests as pages"},
	{Name: ForbidsTokenErrors, Breaks: []string{"sec-token-scope-limits", "sec-token-assertion-aud", "core-token-assertion-iss-sub", "sec-token-assertion-expired", "sec-token-assertion-jti", "sec-token-assertion-signature", "rfc6749-token-request-form"}, Part: OfExams, OnlyWarns: true, Does: "reports the errors of token requests with 403"},
	{Name: ForbidsWithMadeUpErrors, Breaks: []string{"rfc6749-token-request-form"}, Warns: []string{"sec-token-scope-limits", "sec-token-assertion-aud", "core-token-assertion-iss-sub", "sec-token-assertion-expired", "sec-token-assertion-jti", "sec-token-assertion-signature"}, Part: OfExams, Does: "reports the errors of token requests with 403 and codes of its own"},
	{Name: IgnoresAssertionAudience, Breaks: []string{"sec-token-assertion-aud"}, Part: OfExams, Does: "does not look at aud of a client assertion"},
	{Name: TakesAssertionsWithoutAudience, Breaks: []string{"sec-token-assertion-aud"}, Part: OfExams, Does: "takes a client assertion without aud"},
	{Name: TakesClientForAudience, Breaks: []string{"sec-token-assertion-aud"}, Part: OfExams, Does: "takes a client assertion whose aud is the client_id"},
	{Name: RefusesAssertionAudienceArrays, Breaks: []string{"sec-token-assertion-aud"}, Part: OfExams, Does: "refuses a client assertion whose aud is an array"},
	{Name: IgnoresAssertionIssuer, Breaks: []string{"core-token-assertion-iss-sub"}, Part: OfExams, Does: "goes by sub of a client assertion alone"},
	{Name: IgnoresAssertionSubject, Breaks: []string{"core-token-assertion-iss-sub"}, Part: OfExams, Does: "goes by iss of a client assertion alone"},
	{Name: RefusesDeploymentInAssertion, Breaks: []string{"core-token-assertion-iss-sub"}, Part: OfExams, Does: "refuses a client assertion with a deployment_id"},
	{Name: IgnoresAssertionExpiry, Breaks: []string{"sec-token-assertion-expired"}, Part: OfExams, Does: "takes a client assertion that has expired"},
	{Name: TakesAssertionsWithoutExpiry, Breaks: []string{"sec-token-assertion-expired"}, Part: OfExams, Does: "takes a client assertion without exp"},
	{Name: NeedsWholeAssertionIssueTime, Breaks: []string{"rfc7519-token-assertion-numeric-date"}, Part: OfExams, Does: "refuses a client assertion whose iat has a fraction of a second"},
	{Name: NeedsWholeAssertionExpiry, Breaks: []string{"rfc7519-token-assertion-numeric-date"}, Part: OfExams, Does: "refuses a client assertion whose exp has a fraction of a second"},
	{Name: NeedsWholeAssertionNotBefore, Breaks: []string{"rfc7519-token-assertion-numeric-date"}, Part: OfExams, Does: "refuses a client assertion whose nbf has a fraction of a second"},
	{Name: TakesAssertionsWithoutJTI, Breaks: []string{"sec-token-assertion-jti"}, Part: OfExams, Does: "takes a client assertion without jti"},
	{Name: ReusesAssertions, Breaks: []string{"sec-token-assertion-jti"}, Part: OfExams, OnlyWarns: true, Does: "takes a client assertion twice"},
	{Name: NotesAssertionsLate, Breaks: []string{"sec-token-assertion-jti"}, Part: OfExams, OnlyWarns: true, Does: "takes a client assertion twice that comes twice at the same time"},
	{Name: CrashesOnAssertionTwins, Breaks: []string{"sec-token-assertion-jti"}, Part: OfExams, OnlyWarns: true, Does: "answers 500 to the second of two requests with one client assertion that come at the same time"},
	{Name: IgnoresAssertionSignature, Breaks: []string{"sec-token-assertion-signature"}, Part: OfExams, Does: "does not verify the signature of a client assertion"},
	{Name: TakesUnsignedAssertions, Breaks: []string{"sec-token-assertion-signature"}, Part: OfExams, Does: "takes a client assertion with alg none"},
	{Name: TakesAssertionsWithHMAC, Breaks: []string{"sec-token-assertion-signature"}, Part: OfExams, Does: "verifies a client assertion as an HMAC keyed with the tool's public key where the header says so"},
	{Name: TakesKeysOfOtherTools, Breaks: []string{"sec-token-assertion-signature"}, Part: OfExams, Does: "verifies a client assertion with the keys of every tool"},
	{Name: FetchesToolKeysOnce, Breaks: []string{"sec-token-key-rotation"}, Part: OfExams, Does: "fetches a tool's key set once"},
	{Name: IgnoresGrantType, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "takes any grant_type for client_credentials"},
	{Name: TakesMissingGrantType, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "takes a token request without grant_type"},
	{Name: CrashesWithoutGrantType, Breaks: []string{"rfc6749-token-request-form", "ap-platform-rejects-message-type-confusion"}, Part: OfExams, Does: "answers 500 to a token request without grant_type"},
	{Name: IgnoresAssertionType, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "does not look at client_assertion_type"},
	{Name: CrashesOnMalformedAssertion, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "answers 500 to a client assertion that is no JWT"},
	{Name: TakesTokenRequestsByGet, Breaks: []string{"rfc6749-token-request-form"}, Part: OfExams, Does: "takes a token request by GET"},

	// The Assessment Control Service: access.
	{Name: ControlsWithoutToken, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, Does: "obeys control requests without an access token"},
	{Name: TakesUnknownAccessTokens, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, Does: "takes any text for an access token"},
	{Name: TakesExpiredAccessTokens, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, Does: "takes access tokens that have expired"},
	{Name: IgnoresTokenScope, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, Does: "takes access tokens of any scope"},
	{Name: TakesAccessTokenInQuery, Breaks: []string{"ap-acs-platform-authorisation"}, Part: OfExams, OnlyWarns: true, Warns: []string{"rfc6750-access-token-enforced"}, Does: "takes an access token from the query"},
	{Name: ForbidsWithoutToken, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, OnlyWarns: true, Does: "answers 403 instead of 401 to a control request without the right access token"},
	{Name: SaysUnauthorizedForScope, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, OnlyWarns: true, Does: "answers 401 instead of 403 to an access token of another scope"},
	{Name: ChallengesNobody, Breaks: []string{"ap-acs-platform-authorisation", "rfc6750-access-token-enforced"}, Part: OfExams, OnlyWarns: true, Does: "answers 401 without WWW-Authenticate"},
	{Name: ControlsExamsOfOtherTools, Breaks: []string{"ap-acs-platform-tool-isolation"}, Part: OfExams, Does: "lets each tool control the exams of all"},

	// The Assessment Control Service: what it does.
	{Name: PausesNothing, Breaks: []string{"ap-acs-platform-pause-resume"}, Part: OfExams, Does: "says paused, and lets the candidate go on"},
	{Name: SaysRunningWhenPaused, Breaks: []string{"ap-acs-platform-pause-resume", "ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "pauses an attempt, and says that it is running"},
	{Name: SaysPausedWhenResumed, Breaks: []string{"ap-acs-platform-pause-resume", "ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "resumes an attempt, and says that it is paused"},
	{Name: CrashesOnSecondPause, Breaks: []string{"ap-acs-platform-pause-resume"}, Part: OfExams, Does: "answers 500 when an attempt is paused that is"},
	{Name: RefusesNeedlessResume, Breaks: []string{"ap-acs-platform-pause-resume"}, Part: OfExams, Does: "refuses to resume an attempt that is running"},
	{Name: TerminatesNothing, Breaks: []string{"ap-acs-platform-terminate"}, Part: OfExams, Warns: []string{"ap-end-assessment-sent-when-requested"}, Does: "says terminated, and lets the candidate go on"},
	{Name: ResumesTerminated, Breaks: []string{"ap-acs-platform-terminate"}, Part: OfExams, Does: "resumes an attempt that was terminated"},
	{Name: StartsTerminated, Breaks: []string{"ap-acs-platform-terminate"}, Part: OfExams, Does: "starts an attempt again that was terminated"},
	{Name: LeavesExtraTimeOut, Breaks: []string{"ap-acs-platform-update-extra-time"}, Part: OfExams, Does: "does not say how much time was added"},
	{Name: RefusesNoExtraTime, Breaks: []string{"ap-acs-platform-update-extra-time"}, Part: OfExams, Does: "refuses to add 0 minutes"},
	{Name: CrashesWithoutExtraTime, Breaks: []string{"ap-acs-platform-update-extra-time"}, Part: OfExams, Does: "answers 500 to an update without extra_time"},
	{Name: TerminatesFlagged, Breaks: []string{"ap-acs-platform-flag", "ap-acs-platform-advertised-actions"}, Part: OfExams, Hides: []string{"ap-end-assessment-sent-when-requested"}, Does: "terminates an attempt with an incident"},
	{Name: SaysPausedWhenFlagged, Breaks: []string{"ap-acs-platform-flag"}, Part: OfExams, Does: "says that an attempt with a most severe incident is paused"},
	{Name: RefusesLongReasons, Breaks: []string{"ap-acs-platform-flag", "ap-acs-platform-update-extra-time"}, Part: OfExams, Does: "refuses a reason_msg of more than 255 bytes"},
	{Name: ControlsUnoffered, Breaks: []string{"ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "does what the launch did not offer"},
	{Name: TakesUnknownActions, Breaks: []string{"ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "answers 200 to an action that does not exist"},
	{Name: IgnoresActionCase, Breaks: []string{"ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "ignores the case of action"},
	{Name: TakesEmptyAction, Breaks: []string{"ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "answers 200 to an empty action"},
	{Name: SaysRunningBeforeStart, Breaks: []string{"ap-acs-platform-unknown-target"}, Part: OfExams, Does: "says that an attempt is running which has not begun"},

	// The Assessment Control Service: what it is asked.
	{Name: GuessesControlTarget, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "takes the tool's latest exam where a request does not say which one"},
	{Name: TakesMissingControlIssuer, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "obeys a control request without user.iss"},
	{Name: TakesMissingAction, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "takes a control request without action for a flag"},
	{Name: TakesMissingIncidentTime, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "obeys a control request without incident_time"},
	{Name: TakesAnyIncidentTime, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "takes any text for incident_time"},
	{Name: TakesIncidentTimeNumbers, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "takes a number for incident_time"},
	{Name: TakesAnySeverity, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, OnlyWarns: true, Does: "takes any incident_severity"},
	{Name: TakesAnyExtraTime, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, OnlyWarns: true, Does: "takes any extra_time"},
	{Name: TakesTextAttemptNumbers, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, OnlyWarns: true, Does: "takes an attempt_number that is a string from the tool's server"},
	{Name: TakesControlArrays, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "takes an array of one in a control request for what is in it"},
	{Name: TruncatesAttemptNumbers, Breaks: []string{"ap-acs-platform-validates-body"}, OnlyWarns: true, Part: OfExams, Does: "takes an attempt_number with a fraction for the number before the point"},
	{Name: TakesAnyReason, Breaks: []string{"ap-acs-platform-validates-body"}, OnlyWarns: true, Part: OfExams, Does: "takes a reason_code and a reason_msg that are no strings"},
	{Name: CrashesOnControlArrays, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "answers 500 to a control request with an array in it"},
	{Name: RefusesReasonsOfUpdates, Breaks: []string{"ap-acs-platform-update-extra-time"}, Part: OfExams, Does: "refuses an update that has a reason"},
	{Name: CrashesOnMalformedControl, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, Does: "answers 500 to a control request that is no JSON object"},
	{Name: HidesMalformedControl, Breaks: []string{"ap-acs-platform-validates-body"}, Part: OfExams, OnlyWarns: true, Does: "answers 404 to a control request that is no JSON object"},
	{Name: NeedsWholeIncidentTimes, Breaks: []string{"ap-acs-platform-incident-time"}, Part: OfExams, Does: "refuses an incident_time with a fraction of a second"},
	{Name: NeedsIncidentTimesInUTC, Breaks: []string{"ap-acs-platform-incident-time"}, Part: OfExams, Does: "refuses an incident_time with an offset"},
	{Name: SaysUnprocessable, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "answers 422 to a control request that lacks something"},
	{Name: IgnoresControlIssuer, Breaks: []string{"ap-acs-platform-unknown-target"}, Part: OfExams, Does: "does not look at user.iss"},
	{Name: IgnoresControlLink, Breaks: []string{"ap-acs-platform-unknown-target"}, Part: OfExams, Does: "does not look at resource_link of a control request"},
	{Name: IgnoresControlAttempt, Breaks: []string{"ap-acs-platform-unknown-target"}, Part: OfExams, Does: "does not look at attempt_number of a control request"},
	{Name: AnswersUnknownTargets, Breaks: []string{"ap-acs-platform-unknown-target", "ap-acs-platform-tool-isolation"}, Part: OfExams, Does: "answers 200 for an attempt that does not exist"},
	{Name: CrashesOnUnknownTarget, Breaks: []string{"ap-acs-platform-unknown-target", "ap-acs-platform-tool-isolation"}, Part: OfExams, Does: "answers 500 for an attempt that does not exist"},
	{Name: SaysBadRequestForTarget, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "answers 400 for an attempt that does not exist"},
	{Name: RefusesControlOfEnded, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "answers 409 for an attempt that is not under way"},

	// The Assessment Control Service: form.
	{Name: AnswersControlAsJSON, Breaks: []string{"ap-acs-platform-response-form"}, Part: OfExams, OnlyWarns: true, Does: "answers control requests as application/json"},
	{Name: AnswersControlAsText, Breaks: []string{"ap-acs-platform-response-form"}, Part: OfExams, Does: "answers control requests as text/plain"},
	{Name: SaysSuspended, Breaks: []string{"ap-acs-platform-response-form", "ap-acs-platform-pause-resume", "ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "says that an attempt is suspended which is paused"},
	{Name: SaysExtraTimeAsText, Breaks: []string{"ap-acs-platform-response-form", "ap-acs-platform-update-extra-time", "ap-acs-platform-advertised-actions"}, Part: OfExams, Does: "sends extra_time as a string"},
	{Name: RefusesControlCharset, Breaks: []string{"ap-acs-platform-accepts-media-type"}, Part: OfExams, Does: "refuses a control request whose media type has a charset"},
	{Name: ComparesMediaTypeCase, Breaks: []string{"ap-acs-platform-accepts-media-type"}, Part: OfExams, Does: "refuses a control request whose media type is in upper case"},
	{Name: RefusesControlAsJSON, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "refuses a control request that is application/json"},
	{Name: TakesAnyMediaType, Breaks: []string{"ap-acs-platform-accepts-media-type"}, Part: OfExams, Does: "takes a control request of any media type"},
	{Name: SaysBadRequestForMediaType, Breaks: []string{"ap-acs-platform-accepts-media-type"}, Part: OfExams, OnlyWarns: true, Does: "answers 400 instead of 415 to another media type"},
	{Name: ControlsByPut, Breaks: []string{"ap-acs-platform-accepts-media-type"}, Part: OfExams, Does: "takes a control request by PUT"},
	{Name: HidesControlByMethod, Breaks: []string{"ap-acs-platform-accepts-media-type"}, Part: OfExams, OnlyWarns: true, Does: "answers 404 to control requests by other methods"},
}
