package faketool

import (
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"invigilator/fault"
	"invigilator/lti"
)

// The names of the faults of proctoring.
const (
	AcceptsMissingStartURL      = "accepts-missing-start-url"
	AcceptsEmptyStartURL        = "accepts-empty-start-url"
	AcceptsNumberAsStartURL     = "accepts-number-as-start-url"
	AcceptsRelativeStartURL     = "accepts-relative-start-url"
	AcceptsScriptAsStartURL     = "accepts-script-as-start-url"
	AcceptsPlainStartURL        = "accepts-plain-start-url"
	AcceptsMissingSessionData   = "accepts-missing-session-data"
	AcceptsEmptySessionData     = "accepts-empty-session-data"
	AcceptsNullSessionData      = "accepts-null-session-data"
	AcceptsObjectAsSessionData  = "accepts-object-as-session-data"
	AcceptsMissingAttempt       = "accepts-missing-attempt-number"
	AcceptsNullAttempt          = "accepts-null-attempt-number"
	ReadsAttemptFromText        = "reads-attempt-number-from-text"
	CutsAttemptNumber           = "cuts-attempt-number"
	TakesOddAttemptForFirst     = "takes-odd-attempt-for-first"
	OverflowsAttemptNumber      = "overflows-attempt-number"
	AcceptsMissingExamLink      = "accepts-missing-exam-link"
	AcceptsExamLinkWithoutID    = "accepts-exam-link-without-id"
	AcceptsEmptyExamLinkID      = "accepts-empty-exam-link-id"
	AcceptsTextAsExamLink       = "accepts-text-as-exam-link"
	AcceptsMissingCandidate     = "accepts-missing-candidate"
	AcceptsEmptyCandidate       = "accepts-empty-candidate"
	NeedsLearner                = "needs-learner"
	SendsTeachersToProctoring   = "sends-teachers-to-proctoring"
	RefusesVendorClaims         = "refuses-vendor-claims"
	RefusesUnknownActions       = "refuses-unknown-actions"
	NeedsSettingsData           = "needs-settings-data"
	NeedsPresentation           = "needs-presentation"
	NeedsCandidateName          = "needs-candidate-name"
	KnowsExamsByClaims          = "knows-exams-by-claims"
	IgnoresCaseOfExamType       = "ignores-case-of-exam-type"
	TakesEndForStart            = "takes-end-for-start"
	AcceptsMissingExamType      = "accepts-missing-exam-type"
	OpensCheckInsByAddress      = "opens-check-ins-by-address"
	KeepsOneSitting             = "keeps-one-sitting-per-browser"
	KeepsCancelledCandidate     = "keeps-cancelled-candidate"
	ReturnsWithoutReason        = "returns-without-reason"
	AppendsSecondQuery          = "appends-second-query"
	CrashesWithoutReturnURL     = "crashes-without-return-url"
	TrustsUnverifiedEmail       = "trusts-unverified-email"
	TrustsEmailWithoutFlag      = "trusts-email-without-flag"
	SendsOtherMessageType       = "sends-other-message-type"
	SendsShortVersion           = "sends-short-version"
	PostsIDToken                = "posts-id-token"
	SubmitsByGet                = "submits-by-get"
	PostsFurtherFields          = "posts-further-fields"
	DropsStartQuery             = "drops-start-query"
	DecodesStartPath            = "decodes-start-path"
	SendsPlatformAsIssuer       = "sends-platform-as-issuer"
	SendsClientIDAsAudience     = "sends-client-id-as-audience"
	SendsTokenURLAsAudience     = "sends-token-url-as-audience"
	TellsFractionsOfSeconds     = "tells-fractions-of-seconds"
	SignsForADay                = "signs-for-a-day"
	OmitsMessageExpiry          = "omits-message-expiry"
	OmitsMessageIssueTime       = "omits-message-issue-time"
	TellsMilliseconds           = "tells-milliseconds"
	OmitsMessageNonce           = "omits-message-nonce"
	RepeatsNonceOfLaunch        = "repeats-nonce-of-launch"
	SendsConstantNonce          = "sends-constant-nonce"
	OmitsMessageKID             = "omits-message-kid"
	SignsWithUnpublishedKey     = "signs-with-unpublished-key"
	SignsWithPublicKey          = "signs-with-public-key"
	EmbedsKey                   = "embeds-key"
	SendsFirstDeployment        = "sends-first-deployment"
	OmitsDeployment             = "omits-deployment"
	TrimsSessionData            = "trims-session-data"
	EscapesSessionData          = "escapes-session-data"
	DecodesSessionData          = "decodes-session-data"
	ConvertsLineBreaks          = "converts-line-breaks"
	NormalisesSessionData       = "normalises-session-data"
	LosesLettersBeyondBMP       = "loses-letters-beyond-bmp"
	ReadsSessionDataAsJSON      = "reads-session-data-as-json"
	TakesSessionDataZeroForNone = "takes-session-data-zero-for-none"
	Keeps1024OfSessionData      = "keeps-1024-of-session-data"
	Keeps4096OfSessionData      = "keeps-4096-of-session-data"
	SendsLinkIDAlone            = "sends-link-id-alone"
	DropsLinkDescription        = "drops-link-description"
	DropsEmptyDescription       = "drops-empty-description"
	DropsUnknownMembers         = "drops-unknown-members"
	AlwaysSendsFirstAttempt     = "always-sends-first-attempt"
	SendsAttemptAsText          = "sends-attempt-as-text"
	MakesUpName                 = "makes-up-name"
	SendsFullName               = "sends-full-name"
	SendsVerifiedUserAsText     = "sends-verified-user-as-text"
	SendsSubInVerifiedUser      = "sends-sub-in-verified-user"
	SendsIssuerInVerifiedUser   = "sends-issuer-in-verified-user"
	SendsPlatformsPicture       = "sends-platforms-picture"
	SendsEndReturnAsText        = "sends-end-return-as-text"
	SendsEndReturnAsNumber      = "sends-end-return-as-number"
	AnswersEndWith400           = "answers-end-with-400"
	NeedsLinkAtEnd              = "needs-link-at-end"
	NeedsPresentationAtEnd      = "needs-presentation-at-end"
	EndsNowhere                 = "ends-nowhere"
	EndsWithButton              = "ends-with-button"
	LosesWayBackAtEnd           = "loses-way-back-at-end"
	ShowsEndErrorUnescaped      = "shows-end-error-unescaped"
	ShowsErrorLog               = "shows-error-log"
	CrashesOnErrorOfOtherType   = "crashes-on-error-of-other-type"
	ClosesByCandidateAlone      = "closes-by-candidate-alone"
	ClosesForAnyCandidate       = "closes-for-any-candidate"
	ClosesWithoutAttempt        = "closes-without-attempt"
	ClosesWithoutCandidate      = "closes-without-candidate"
	CrashesOnSecondEnd          = "crashes-on-second-end"
	CrashesOnBadEnd             = "crashes-on-bad-end"
	CrashesOnBadExam            = "crashes-on-bad-exam"
	SendsJSONMediaType          = "sends-json-media-type"
	DropsControlQuery           = "drops-control-query"
	SendsOrderByPut             = "sends-order-by-put"
	SendsClientIDAsUserIssuer   = "sends-client-id-as-user-issuer"
	SendsAttemptAsTextInOrder   = "sends-attempt-as-text-in-order"
	SendsNulls                  = "sends-nulls"
	EscapesIDs                  = "escapes-ids"
	OmitsIncidentTime           = "omits-incident-time"
	LabelsLocalTimeZ            = "labels-local-time-z"
	SendsTimeWithoutZone        = "sends-time-without-zone"
	SendsSeverityAsText         = "sends-severity-as-text"
	SendsSeverityInPercent      = "sends-severity-in-percent"
	SendsExtraTimeAsText        = "sends-extra-time-as-text"
	OffersEveryAction           = "offers-every-action"
	GuessesControlURL           = "guesses-control-url"
	RepeatsFailedOrders         = "repeats-failed-orders"
	InsistsWithoutScope         = "insists-without-scope"
	NeverRenewsToken            = "never-renews-token"
	EscapesControlToken         = "escapes-control-token"
	RepeatsSpentToken           = "repeats-spent-token"
	CrashesOnEmptyAnswer        = "crashes-on-empty-answer"
	CrashesOnReset              = "crashes-on-reset"
	CrashesOnFailure            = "crashes-on-failure"
	CrashesOnUnknownAttempt     = "crashes-on-unknown-attempt"
	CrashesOnAnswerTypes        = "crashes-on-answer-types"
	CrashesOnAnswerMembers      = "crashes-on-answer-members"
	CrashesOnStatusNone         = "crashes-on-status-none"
	SendsClientSecret           = "sends-client-secret"
	SendsBasicHeader            = "sends-basic-header"
	LeavesUserOut               = "leaves-user-out"
	AsksForNoEnd                = "asks-for-no-end"
	SendsAudienceArray          = "sends-audience-array"
	StartsByItself              = "starts-by-itself"
	ReturnsBadExams             = "returns-bad-exams"
	ReturnsAtEnd                = "returns-at-end"
	RepeatsOddAttempt           = "repeats-odd-attempt"
	RefusesLargeAttempt         = "refuses-large-attempt"
)

// examRefusals are the requirements that a tool keeps by refusing an exam.
var examRefusals = []string{
	"ap-tool-rejects-missing-start-assessment-url",
	"ap-tool-rejects-http-start-assessment-url",
	"ap-tool-rejects-missing-session-data",
	"ap-tool-rejects-missing-attempt-number",
	"ap-tool-rejects-invalid-attempt-number",
	"ap-tool-rejects-missing-resource-link",
	"ap-tool-rejects-missing-sub",
	"ap-tool-rejects-message-type-confusion",
	"ap-tool-verifies-id-token",
}

// examDefects are those of a tool that proctors.
var examDefects = []Fault{
	{Name: AcceptsMissingStartURL, Breaks: []string{"ap-tool-rejects-missing-start-assessment-url"}, Part: OfExams, Does: "sends the message to the platform's issuer where it has no start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(func(q *response) bool { return !q.has(lti.ClaimStartAssessmentURL) })}},
	{Name: AcceptsEmptyStartURL, Breaks: []string{"ap-tool-rejects-missing-start-assessment-url"}, Part: OfExams, Does: "sends the message to the platform's issuer where start_assessment_url is empty", Effects: []fault.Effect{startURLSecure.Lift(func(q *response) bool { return q.members[lti.ClaimStartAssessmentURL] == "" })}},
	{Name: AcceptsNumberAsStartURL, Breaks: []string{"ap-tool-rejects-missing-start-assessment-url"}, Part: OfExams, Does: "sends the message to the platform's issuer where start_assessment_url is a number", Effects: []fault.Effect{startURLSecure.Lift(acceptsNumberAsStartURL)}},
	{Name: AcceptsRelativeStartURL, Breaks: []string{"ap-tool-rejects-missing-start-assessment-url"}, Part: OfExams, Does: "takes a path for a start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme == "" }))}},
	{Name: AcceptsScriptAsStartURL, Breaks: []string{"ap-tool-rejects-missing-start-assessment-url"}, Part: OfExams, Does: "takes a URL of any scheme for a start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" }))}},
	{Name: AcceptsPlainStartURL, Breaks: []string{"ap-tool-rejects-http-start-assessment-url"}, Part: OfExams, Does: "sends the message over plain http", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme == "http" && u.Host != "" }))}},
	{Name: AcceptsMissingSessionData, Breaks: []string{"ap-tool-rejects-missing-session-data"}, Part: OfExams, Does: "begins a sitting without session_data", Effects: []fault.Effect{sessionDataGiven.Lift(func(q *response) bool { return !q.has(lti.ClaimSessionData) })}},
	{Name: AcceptsEmptySessionData, Breaks: []string{"ap-tool-rejects-missing-session-data"}, Part: OfExams, Does: "begins a sitting with empty session_data", Effects: []fault.Effect{sessionDataGiven.Lift(func(q *response) bool { return q.members[lti.ClaimSessionData] == "" })}},
	{Name: AcceptsNullSessionData, Breaks: []string{"ap-tool-rejects-missing-session-data"}, Part: OfExams, Does: "begins a sitting with session_data null", Effects: []fault.Effect{sessionDataGiven.Lift(acceptsNullSessionData)}},
	{Name: AcceptsObjectAsSessionData, Breaks: []string{"ap-tool-rejects-missing-session-data"}, Part: OfExams, Does: "begins a sitting with session_data that are no text", Effects: []fault.Effect{sessionDataGiven.Lift(acceptsObjectAsSessionData)}},
	{Name: AcceptsMissingAttempt, Breaks: []string{"ap-tool-rejects-missing-attempt-number"}, Part: OfExams, Does: "begins a sitting without attempt_number", Effects: []fault.Effect{attemptRead.Change(acceptsMissingAttempt)}},
	{Name: AcceptsNullAttempt, Breaks: []string{"ap-tool-rejects-missing-attempt-number"}, Part: OfExams, Does: "begins a sitting with attempt_number null", Effects: []fault.Effect{attemptRead.Change(acceptsNullAttempt)}},
	{Name: ReadsAttemptFromText, Breaks: []string{"ap-tool-rejects-invalid-attempt-number"}, Part: OfExams, Does: "takes the attempt_number in a string for a number", Effects: []fault.Effect{attemptRead.Change(readsAttemptFromText)}},
	{Name: CutsAttemptNumber, Breaks: []string{"ap-tool-rejects-invalid-attempt-number"}, Part: OfExams, Does: "cuts the fraction of an attempt_number off", Effects: []fault.Effect{attemptRead.Change(cutsAttemptNumber)}},
	{Name: TakesOddAttemptForFirst, Breaks: []string{"ap-tool-rejects-invalid-attempt-number"}, Part: OfExams, Does: "takes 1 for every attempt_number that is none", Effects: []fault.Effect{attemptRead.Change(takesOddAttemptForFirst)}},
	{Name: RepeatsOddAttempt, Breaks: []string{"ap-tool-rejects-invalid-attempt-number"}, Part: OfExams, Does: "sends back an attempt_number that is none just as it came", Effects: []fault.Effect{attemptRead.Change(repeatsOddAttempt)}},
	{Name: OverflowsAttemptNumber, Breaks: []string{"ap-tool-rejects-invalid-attempt-number"}, Part: OfExams, Does: "keeps 32 bits of attempt_number", Effects: []fault.Effect{attemptRead.Change(overflowsAttemptNumber)}},
	{Name: AcceptsMissingExamLink, Breaks: []string{"ap-tool-rejects-missing-resource-link"}, Part: OfExams, Does: "begins a sitting without resource link", Effects: []fault.Effect{examLinkGiven.Lift(func(q *response) bool { return !q.has(lti.ClaimResourceLink) })}},
	{Name: AcceptsExamLinkWithoutID, Breaks: []string{"ap-tool-rejects-missing-resource-link"}, Part: OfExams, Does: "begins a sitting with a resource link without id", Effects: []fault.Effect{examLinkGiven.Lift(acceptsExamLinkWithoutID)}},
	{Name: AcceptsEmptyExamLinkID, Breaks: []string{"ap-tool-rejects-missing-resource-link"}, Part: OfExams, Does: "begins a sitting with an empty resource link id", Effects: []fault.Effect{examLinkGiven.Lift(func(q *response) bool { return q.object(lti.ClaimResourceLink)["id"] == "" })}},
	{Name: AcceptsTextAsExamLink, Breaks: []string{"ap-tool-rejects-missing-resource-link"}, Part: OfExams, Does: "begins a sitting with a string as resource link", Effects: []fault.Effect{examLinkGiven.Lift(acceptsTextAsExamLink)}},
	{Name: AcceptsMissingCandidate, Breaks: []string{"ap-tool-rejects-missing-sub"}, Part: OfExams, Does: "begins a sitting without sub", Effects: []fault.Effect{candidateGiven.Lift(func(q *response) bool { return !q.has("sub") })}},
	{Name: AcceptsEmptyCandidate, Breaks: []string{"ap-tool-rejects-missing-sub"}, Part: OfExams, Does: "begins a sitting with an empty sub", Effects: []fault.Effect{candidateGiven.Lift(func(q *response) bool { return q.members["sub"] == "" })}},
	{Name: NeedsLearner, Breaks: []string{"ap-tool-ignores-roles"}, Part: OfExams, Does: "refuses a candidate without the role Learner", Effects: []fault.Effect{startsExam.Add(needs("The user is no learner.", func(q *response) bool { return slices.Contains(q.roles(), lti.RoleLearner) }))}},
	{Name: SendsTeachersToProctoring, Breaks: []string{"ap-tool-ignores-roles"}, Part: OfExams, Does: "opens the proctor's pages to a candidate with the role Instructor", Effects: []fault.Effect{candidateSeated.ChangeWhen(func(s seating) bool { return s.q.t.isTeacher(s.q.roles()) }, sendToProctoring)}},
	{Name: RefusesVendorClaims, Breaks: []string{"ap-tool-tolerates-unknown-content"}, Part: OfExams, Does: "refuses an exam with a claim of a vendor", Effects: []fault.Effect{startsExam.Add(needs("There is a claim that is unknown.", func(q *response) bool { return !q.hasVendorClaim() }))}},
	{Name: RefusesUnknownActions, Breaks: []string{"ap-tool-tolerates-unknown-content"}, Part: OfExams, Does: "refuses an exam with an action that it does not know", Effects: []fault.Effect{startsExam.Add(needs("There is an action that is unknown.", func(q *response) bool { return !q.hasUnknownAction() }))}},
	{Name: NeedsSettingsData, Breaks: []string{"ap-tool-tolerates-unknown-content"}, Part: OfExams, Does: "refuses proctoring_settings without data", Effects: []fault.Effect{startsExam.Add(needs("The settings have no data.", needsSettingsData))}},
	{Name: NeedsPresentation, Breaks: []string{"ap-tool-tolerates-unknown-content"}, Part: OfExams, Does: "refuses an exam without launch_presentation", Effects: []fault.Effect{startsExam.Add(needs("The claim launch_presentation is missing.", func(q *response) bool { return q.has(lti.ClaimLaunchPresentation) }))}},
	{Name: NeedsCandidateName, Breaks: []string{"ap-tool-tolerates-unknown-content", "ap-start-assessment-verified-user-shape"}, Part: OfExams, Does: "refuses a candidate without the claim name", Effects: []fault.Effect{startsExam.Add(needs("The candidate has no name.", func(q *response) bool { return q.has("name") }))}},
	{Name: KnowsExamsByClaims, Breaks: []string{"ap-tool-rejects-message-type-confusion"}, Part: OfExams, Does: "begins a sitting for every message with start_assessment_url", Effects: []fault.Effect{typeTaken.Change(knowsExamsByClaims)}},
	{Name: IgnoresCaseOfExamType, Breaks: []string{"ap-tool-rejects-message-type-confusion"}, Part: OfExams, Does: "ignores the case of LtiStartProctoring", Effects: []fault.Effect{typeTaken.Change(ignoresCaseOfExamType)}},
	{Name: TakesEndForStart, Breaks: []string{"ap-tool-rejects-message-type-confusion"}, Part: OfExams, Does: "begins a sitting for LtiEndAssessment with start_assessment_url", Effects: []fault.Effect{typeTaken.Change(takesEndForStart)}},
	{Name: AcceptsMissingExamType, Breaks: []string{"ap-tool-rejects-message-type-confusion"}, Part: OfExams, Does: "begins a sitting without message_type", Effects: []fault.Effect{typeTaken.Change(acceptsMissingExamType)}},
	{Name: OpensCheckInsByAddress, Breaks: []string{"ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "shows a check-in to every browser that knows its address"},
	{Name: KeepsOneSitting, Breaks: []string{"ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "goes on with a browser's last sitting in every tab"},
	{Name: KeepsCancelledCandidate, Breaks: []string{"ap-tool-error-return"}, Part: OfExams, Does: "leaves a candidate who gives up on a page of its own"},
	{Name: ReturnsWithoutReason, Breaks: []string{"ap-tool-error-return"}, Part: OfExams, Does: "sends a candidate who gives up back without saying why"},
	{Name: AppendsSecondQuery, Breaks: []string{"ap-tool-error-return"}, Part: OfExams, Does: "adds a second ? to a return URL that has a query"},
	{Name: CrashesWithoutReturnURL, Breaks: []string{"ap-tool-error-return"}, Part: OfExams, Does: "answers with 500 where there is nowhere to return to"},
	{Name: TrustsUnverifiedEmail, Breaks: []string{"ap-tool-ignores-unverified-email"}, Part: OfExams, Does: "vouches for an email whose email_verified is false"},
	{Name: TrustsEmailWithoutFlag, Breaks: []string{"ap-tool-ignores-unverified-email"}, Part: OfExams, Does: "vouches for an email without email_verified"},
	{Name: SendsOtherMessageType, Breaks: []string{"ap-start-assessment-type-and-version", "sec-tool-message-claims"}, Part: OfExams, Does: "sends the message_type LtiStartAssessmentRequest"},
	{Name: SendsShortVersion, Breaks: []string{"ap-start-assessment-type-and-version", "sec-tool-message-claims"}, Part: OfExams, Does: "sends the version 1.3"},
	{Name: PostsIDToken, Breaks: []string{"ap-start-assessment-form-post-jwt", "sec-tool-message-form"}, Part: OfExams, Does: "posts the message as id_token"},
	{Name: SubmitsByGet, Breaks: []string{"ap-start-assessment-form-post-jwt", "sec-tool-message-form"}, Part: OfExams, Does: "sends the message by GET"},
	{Name: PostsFurtherFields, Breaks: []string{"sec-tool-message-form"}, Part: OfExams, Does: "posts a field beside JWT"},
	{Name: DropsStartQuery, Breaks: []string{"ap-start-assessment-form-post-jwt"}, Part: OfExams, Does: "drops the query of start_assessment_url"},
	{Name: DecodesStartPath, Breaks: []string{"ap-start-assessment-form-post-jwt"}, Part: OfExams, Does: "decodes the path of start_assessment_url"},
	{Name: SendsPlatformAsIssuer, Breaks: []string{"ap-start-assessment-iss-aud", "sec-tool-message-claims"}, Part: OfExams, Does: "sends the platform's issuer as iss"},
	{Name: SendsClientIDAsAudience, Breaks: []string{"ap-start-assessment-iss-aud", "sec-tool-message-claims"}, Part: OfExams, Does: "sends its client_id as aud"},
	{Name: SendsTokenURLAsAudience, Breaks: []string{"ap-start-assessment-iss-aud", "sec-tool-message-claims"}, Part: OfExams, Does: "sends the platform's token endpoint as aud"},
	{Name: TellsFractionsOfSeconds, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "sends messages whose iat and exp have a fraction of a second"},
	{Name: SignsForADay, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, OnlyWarns: true, Does: "signs a message for a day"},
	{Name: OmitsMessageExpiry, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, Does: "leaves exp out of a message"},
	{Name: OmitsMessageIssueTime, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, Does: "leaves iat out of a message"},
	{Name: TellsMilliseconds, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, Does: "tells the times of a message in milliseconds"},
	{Name: OmitsMessageNonce, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, Does: "leaves nonce out of a message"},
	{Name: RepeatsNonceOfLaunch, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, Does: "sends the nonce of the launch back"},
	{Name: SendsConstantNonce, Breaks: []string{"ap-start-assessment-time-and-nonce", "sec-tool-message-claims"}, Part: OfExams, Does: "sends the same nonce in every message"},
	{Name: OmitsMessageKID, Breaks: []string{"ap-start-assessment-signature", "sec-tool-message-signature"}, Part: OfExams, Does: "does not name the key of a message"},
	{Name: SignsWithUnpublishedKey, Breaks: []string{"ap-start-assessment-signature", "sec-tool-message-signature"}, Part: OfExams, Does: "signs a message with a key that it does not publish"},
	{Name: SignsWithPublicKey, Breaks: []string{"ap-start-assessment-signature", "sec-tool-message-signature"}, Part: OfExams, Does: "signs a message with HS256 and its public key"},
	{Name: EmbedsKey, Breaks: []string{"sec-tool-message-signature"}, Part: OfExams, Does: "supplies its key in the header of a message"},
	{Name: SendsFirstDeployment, Breaks: []string{"ap-start-assessment-deployment-id"}, Part: OfExams, Does: "sends the first deployment of the platform"},
	{Name: OmitsDeployment, Breaks: []string{"ap-start-assessment-deployment-id", "sec-tool-message-claims", "ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "leaves deployment_id out of a message"},
	{Name: TrimsSessionData, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "trims session_data"},
	{Name: EscapesSessionData, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "escapes session_data as HTML"},
	{Name: DecodesSessionData, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "URL-decodes session_data"},
	{Name: ConvertsLineBreaks, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "makes LF of CRLF in session_data"},
	{Name: NormalisesSessionData, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "normalises the accents in session_data"},
	{Name: LosesLettersBeyondBMP, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "loses the letters of session_data that take four bytes"},
	{Name: ReadsSessionDataAsJSON, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "sends session_data that look like JSON as JSON"},
	{Name: TakesSessionDataZeroForNone, Breaks: []string{"ap-start-assessment-session-data-unchanged"}, Part: OfExams, Does: "takes the session_data 0 for none", Effects: []fault.Effect{startsExam.Add(takesSessionDataZeroForNone)}},
	{Name: Keeps1024OfSessionData, Breaks: []string{"ap-start-assessment-session-data-long"}, Part: OfExams, Does: "keeps 1024 characters of session_data"},
	{Name: Keeps4096OfSessionData, Breaks: []string{"ap-start-assessment-session-data-long"}, Part: OfExams, Does: "keeps 4096 characters of session_data"},
	{Name: SendsLinkIDAlone, Breaks: []string{"ap-start-assessment-resource-link-unchanged", "ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "sends the id of the resource link alone"},
	{Name: DropsLinkDescription, Breaks: []string{"ap-start-assessment-resource-link-unchanged", "ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "drops the description of the resource link"},
	{Name: DropsEmptyDescription, Breaks: []string{"ap-start-assessment-resource-link-unchanged"}, Part: OfExams, OnlyWarns: true, Does: "drops an empty description of the resource link"},
	{Name: DropsUnknownMembers, Breaks: []string{"ap-start-assessment-resource-link-unchanged"}, Part: OfExams, OnlyWarns: true, Does: "drops the members of the resource link that it does not know"},
	{Name: AlwaysSendsFirstAttempt, Breaks: []string{"ap-start-assessment-attempt-number-unchanged", "ap-tool-rejects-invalid-attempt-number", "ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "sends the attempt_number 1 whatever it was"},
	{Name: SendsAttemptAsText, Breaks: []string{"ap-start-assessment-attempt-number-unchanged", "ap-tool-rejects-invalid-attempt-number", "ap-tool-keeps-parallel-sessions-apart"}, Part: OfExams, Does: "sends attempt_number as a string"},
	{Name: MakesUpName, Breaks: []string{"ap-start-assessment-verified-user-shape"}, Part: OfExams, Does: "sends the given name as name where it was told no name"},
	{Name: SendsFullName, Breaks: []string{"ap-start-assessment-verified-user-shape"}, Part: OfExams, Does: "sends full_name in verified_user"},
	{Name: SendsVerifiedUserAsText, Breaks: []string{"ap-start-assessment-verified-user-shape"}, Part: OfExams, Does: "sends verified_user as a string"},
	{Name: SendsSubInVerifiedUser, Breaks: []string{"ap-start-assessment-verified-user-without-iss-sub"}, Part: OfExams, Does: "sends sub in verified_user"},
	{Name: SendsIssuerInVerifiedUser, Breaks: []string{"ap-start-assessment-verified-user-without-iss-sub"}, Part: OfExams, Does: "sends iss in verified_user"},
	{Name: SendsPlatformsPicture, Breaks: []string{"ap-start-assessment-verified-user-own-picture"}, Part: OfExams, Does: "sends the platform's picture as the verified one"},
	{Name: SendsEndReturnAsText, Breaks: []string{"ap-start-assessment-end-return-boolean"}, Part: OfExams, Does: "sends end_assessment_return as a string"},
	{Name: SendsEndReturnAsNumber, Breaks: []string{"ap-start-assessment-end-return-boolean"}, Part: OfExams, Does: "sends end_assessment_return as a number"},
	{Name: AnswersEndWith400, Breaks: []string{"ap-tool-handles-end-assessment"}, Part: OfExams, Does: "closes a sitting, but answers with 400", Effects: []fault.Effect{examEnded.Change(answersEndWith400)}},
	{Name: NeedsLinkAtEnd, Breaks: []string{}, Permitted: true, Part: OfExams, Does: "refuses LtiEndAssessment without resource link", Effects: []fault.Effect{endsExam.Add(needs("The message lacks a claim.", func(q *response) bool { return q.has(lti.ClaimResourceLink) }))}},
	{Name: NeedsPresentationAtEnd, Breaks: []string{"ap-tool-handles-end-assessment"}, Part: OfExams, Does: "refuses LtiEndAssessment without launch_presentation", Effects: []fault.Effect{endsExam.Add(needs("The message lacks a claim.", func(q *response) bool { return q.has(lti.ClaimLaunchPresentation) }))}},
	{Name: EndsNowhere, Breaks: []string{"ap-tool-handles-end-assessment"}, Part: OfExams, OnlyWarns: true, Does: "shows no way back at the end", Effects: []fault.Effect{endShown.Change(endsNowhere)}},
	{Name: LosesWayBackAtEnd, Breaks: []string{"ap-tool-handles-end-assessment"}, Part: OfExams, Does: "shows a button at the end that leads to 500", Effects: []fault.Effect{endShown.Change(losesWayBackAtEnd), leaves.Take(true, nil)}},
	{Name: EndsWithButton, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "shows a button at the end that leads back by way of the tool", Effects: []fault.Effect{endShown.Change(endsWithButton), leaves.Take(true, nil)}},
	{Name: ShowsEndErrorUnescaped, Breaks: []string{"ap-tool-shows-end-error-safely"}, Part: OfExams, Does: "shows errormsg as it came", Effects: []fault.Effect{endShown.Change(showsEndErrorUnescaped)}},
	{Name: ShowsErrorLog, Breaks: []string{"ap-tool-shows-end-error-safely"}, Part: OfExams, Does: "shows errorlog to the candidate", Effects: []fault.Effect{endShown.Change(showsErrorLog)}},
	{Name: CrashesOnErrorOfOtherType, Breaks: []string{"ap-tool-shows-end-error-safely"}, Part: OfExams, Does: "answers with 500 where errormsg is no text", Effects: []fault.Effect{examEnded.Change(crashesOnErrorOfOtherType)}},
	{Name: ClosesByCandidateAlone, Breaks: []string{"ap-tool-rejects-bad-end-assessment"}, Part: OfExams, Does: "closes the candidate's sitting, whatever the attempt", Effects: []fault.Effect{attemptOver.Change(closesByCandidateAlone)}},
	{Name: ClosesForAnyCandidate, Breaks: []string{"ap-tool-rejects-bad-end-assessment"}, Part: OfExams, Does: "closes a sitting of the same assessment and attempt number, whoever the candidate is", Effects: []fault.Effect{attemptOver.Change(closesForAnyCandidate)}},
	{Name: ClosesWithoutAttempt, Breaks: []string{"ap-tool-rejects-bad-end-assessment"}, Part: OfExams, Does: "closes the candidate's sitting where there is no attempt_number", Effects: []fault.Effect{attemptOfEnd.Lift(func(q *response) bool { return !q.has(lti.ClaimAttemptNumber) }), attemptOver.Change(closesWithoutAttempt)}},
	{Name: ClosesWithoutCandidate, Breaks: []string{"ap-tool-rejects-bad-end-assessment"}, Part: OfExams, Does: "closes a sitting where there is no sub", Effects: []fault.Effect{candidateOfEnd.Lift(func(q *response) bool { return !q.has("sub") }), attemptOver.Change(closesWithoutCandidate)}},
	{Name: CrashesOnSecondEnd, Breaks: []string{"ap-tool-rejects-bad-end-assessment"}, Part: OfExams, Does: "answers LtiEndAssessment with 500 when it comes again", Effects: []fault.Effect{examEnded.Change(crashesOnSecondEnd)}},
	{Name: CrashesOnBadEnd, Breaks: []string{"ap-tool-rejects-bad-end-assessment"}, Part: OfExams, Does: "answers every LtiEndAssessment that it refuses with 500", Effects: []fault.Effect{responseJudged.ChangeWhen(crashesOnBadEndWhen, crashInstead)}},
	{Name: CrashesOnBadExam, Breaks: examRefusals, Part: OfExams, OnlyWarns: true, Does: "answers every exam that it refuses with 500", Effects: []fault.Effect{responseJudged.ChangeWhen(func(a handling) bool { return a.err != nil && a.q.startsExam() }, crashInstead)}},
	{Name: SendsJSONMediaType, Breaks: []string{"ap-acs-tool-request-form"}, Part: OfExams, Does: "controls with the media type application/json"},
	{Name: DropsControlQuery, Breaks: []string{"ap-acs-tool-request-form"}, Part: OfExams, Does: "drops the query of assessment_control_url"},
	{Name: SendsOrderByPut, Breaks: []string{"ap-acs-tool-request-form", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "controls by PUT"},
	{Name: SendsClientIDAsUserIssuer, Breaks: []string{"ap-acs-tool-request-body", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends its client_id as user.iss"},
	{Name: SendsAttemptAsTextInOrder, Breaks: []string{"ap-acs-tool-request-body", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends attempt_number as a string when it controls"},
	{Name: SendsNulls, Breaks: []string{"ap-acs-tool-request-body", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends null for a reason that there is none of"},
	{Name: EscapesIDs, Breaks: []string{"ap-acs-tool-request-body"}, Part: OfExams, Does: "URL-encodes the ids of the candidate and the assessment"},
	{Name: OmitsIncidentTime, Breaks: []string{"ap-acs-tool-request-body", "ap-acs-tool-incident-time", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "leaves incident_time out"},
	{Name: LabelsLocalTimeZ, Breaks: []string{"ap-acs-tool-incident-time"}, Part: OfExams, Does: "sends the local time as if it were UTC"},
	{Name: SendsTimeWithoutZone, Breaks: []string{"ap-acs-tool-incident-time", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends incident_time without a zone"},
	{Name: SendsSeverityAsText, Breaks: []string{"ap-acs-tool-severity-and-extra-time", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends incident_severity as a string"},
	{Name: SendsSeverityInPercent, Breaks: []string{"ap-acs-tool-severity-and-extra-time", "ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends incident_severity in percent"},
	{Name: SendsExtraTimeAsText, Breaks: []string{"ap-acs-tool-severity-and-extra-time"}, Part: OfExams, Does: "sends extra_time as a string"},
	{Name: OffersEveryAction, Breaks: []string{"ap-acs-tool-respects-actions"}, Part: OfExams, Does: "offers every action to the proctor, whatever the platform listed"},
	{Name: GuessesControlURL, Breaks: []string{"ap-acs-tool-respects-actions"}, Part: OfExams, Does: "controls without the acs claim, at a URL that it guesses"},
	{Name: CrashesOnAnswerTypes, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "dies of an answer to a control request that is no object, or whose status is a number"},
	{Name: CrashesOnAnswerMembers, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "dies of an answer to a control request with members that it does not know"},
	{Name: RepeatsFailedOrders, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "sends what the platform did not take five times"},
	{Name: InsistsWithoutScope, Breaks: []string{"ap-acs-tool-request-form"}, Part: OfExams, Does: "sends an order again and again where the platform grants it no scope"},
	{Name: EscapesControlToken, Breaks: []string{"sec-tool-access-token-use"}, Part: OfExams, Does: "escapes an access token as if it were a part of a URL, where it controls"},
	{Name: NeverRenewsToken, Breaks: []string{"ap-acs-tool-handles-answers", "sec-tool-access-token-use"}, Part: OfExams, Does: "gives up where the platform takes its access token no more"},
	{Name: RepeatsSpentToken, Breaks: []string{"ap-acs-tool-handles-answers", "sec-tool-access-token-use"}, Part: OfExams, Does: "sends the access token again that the platform takes no more"},
	{Name: CrashesOnEmptyAnswer, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "answers the proctor with 500 where the platform answers with 204"},
	{Name: CrashesOnReset, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "answers the proctor with 500 where the platform does not answer"},
	{Name: CrashesOnFailure, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "answers the proctor with 500 where the platform fails"},
	{Name: CrashesOnUnknownAttempt, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "answers the proctor with 500 where the platform knows no attempt"},
	{Name: CrashesOnStatusNone, Breaks: []string{"ap-acs-tool-handles-answers"}, Part: OfExams, Does: "answers the proctor with 500 where the status is none"},
	{Name: SendsClientSecret, Breaks: []string{"sec-tool-token-request"}, Part: OfExams, Does: "sends a client secret beside the assertion"},
	{Name: SendsBasicHeader, Breaks: []string{"sec-tool-token-request"}, Part: OfExams, Does: "sends a Basic header beside the assertion"},
	{Name: LeavesUserOut, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "sends no verified_user"},
	{Name: AsksForNoEnd, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "sends no end_assessment_return"},
	{Name: SendsAudienceArray, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "sends aud as an array of one"},
	{Name: StartsByItself, Breaks: []string{}, Part: OfExams, Permitted: true, Hides: []string{"ap-tool-error-return"}, Does: "asks nothing of the candidate at check-in", Effects: []fault.Effect{candidateSeated.ChangeWhen(always, startsByItself)}},
	{Name: ReturnsBadExams, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "returns a candidate whose message is genuine, but not valid, to the platform", Effects: []fault.Effect{refusalTold.Change(returnsBadExams)}},
	{Name: ReturnsAtEnd, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "sends the candidate to the return URL at the end", Effects: []fault.Effect{endAnswered.ChangeWhen(func(a handling) bool { return a.q.returnURL() != "" }, returnAtOnce)}},
	{Name: RefusesLargeAttempt, Breaks: []string{}, Part: OfExams, Permitted: true, Does: "refuses an attempt_number of more than 32 bits", Effects: []fault.Effect{attemptRead.Change(refusesLargeAttempt)}},
}

func returnsBadExams(at refusalAt) refusalAt {
	if at.q.verified && at.q.t.kindOf(at.q.claims) == lti.StartProctoring {
		at.url = at.q.returnURL()
	}
	return at
}

func crashesOnBadEndWhen(a handling) bool {
	return a.err != nil && !a.q.startsExam() && a.q.t.kindOf(a.q.claims) == lti.EndAssessment
}

func acceptsExamLinkWithoutID(q *response) bool {
	link := q.object(lti.ClaimResourceLink)
	_, hasID := link["id"]
	return link != nil && !hasID
}

func acceptsTextAsExamLink(q *response) bool {
	_, isText := q.text(lti.ClaimResourceLink)
	return isText
}

func takesSessionDataZeroForNone(q *response) error {
	if q.members[lti.ClaimSessionData] != "0" {
		return nil
	}
	return q.noSessionData()
}

func acceptsNullSessionData(q *response) bool {
	return q.has(lti.ClaimSessionData) && q.members[lti.ClaimSessionData] == nil
}

func acceptsObjectAsSessionData(q *response) bool {
	_, isText := q.text(lti.ClaimSessionData)
	return q.members[lti.ClaimSessionData] != nil && !isText
}

func acceptsNumberAsStartURL(q *response) bool {
	_, isNumber := q.members[lti.ClaimStartAssessmentURL].(float64)
	return isNumber
}

func needsSettingsData(q *response) bool {
	return q.object(lti.ClaimProctoringSettings) == nil || q.object(lti.ClaimProctoringSettings)["data"] != nil
}

func overflowsAttemptNumber(a attemptSaid) attemptSaid {
	if a.ok && a.number > math.MaxInt32 {
		a.number = int(int32(a.number))
		a.sent = integer(a.number)
	}
	return a
}

func refusesLargeAttempt(a attemptSaid) attemptSaid {
	a.ok = a.ok && a.number <= math.MaxInt32
	return a
}

func acceptsMissingAttempt(a attemptSaid) attemptSaid {
	if !a.claims.has(lti.ClaimAttemptNumber) {
		a.number, a.ok = 0, true
	}
	return a
}

func acceptsNullAttempt(a attemptSaid) attemptSaid {
	if a.claims.has(lti.ClaimAttemptNumber) && a.value() == nil {
		a.number, a.ok = 0, true
	}
	return a
}

func readsAttemptFromText(a attemptSaid) attemptSaid {
	if text, _ := a.value().(string); !a.ok {
		if n, err := strconv.Atoi(text); err == nil {
			a.sent, a.number, a.ok = integer(n), n, true
		}
	}
	return a
}

func cutsAttemptNumber(a attemptSaid) attemptSaid {
	if n, _ := a.value().(float64); !a.ok && n > 1 {
		a.sent, a.number, a.ok = integer(int(n)), int(n), true
	}
	return a
}

func takesOddAttemptForFirst(a attemptSaid) attemptSaid {
	if !a.ok && a.value() != nil {
		a.sent, a.number, a.ok = integer(1), 1, true
	}
	return a
}

func repeatsOddAttempt(a attemptSaid) attemptSaid {
	if !a.ok && a.value() != nil {
		a.number, a.ok = 0, true
	}
	return a
}

func ignoresCaseOfExamType(t taken) taken {
	if t.startsExam() && strings.EqualFold(t.kind, lti.StartProctoring) {
		t.kind = lti.StartProctoring
	}
	return t
}

func takesEndForStart(t taken) taken {
	if t.startsExam() && t.kind == lti.EndAssessment {
		t.kind = lti.StartProctoring
	}
	return t
}

func acceptsMissingExamType(t taken) taken {
	if t.startsExam() && !t.claims.has(lti.ClaimMessageType) {
		t.kind = lti.StartProctoring
	}
	return t
}

func knowsExamsByClaims(t taken) taken {
	if t.startsExam() {
		t.kind = lti.StartProctoring
	}
	return t
}

func closesWithoutCandidate(a sameAttempt) sameAttempt {
	if a.over.sub == "" {
		a.over.sub = a.known.sub
		a.same = a.known == a.over
	}
	return a
}

func closesWithoutAttempt(a sameAttempt) sameAttempt {
	if a.over.number == 0 {
		a.over.number = a.known.number
		a.same = a.known == a.over
	}
	return a
}

func closesByCandidateAlone(a sameAttempt) sameAttempt {
	known := a.known
	known.link, known.number = a.over.link, a.over.number
	a.same = a.same || known == a.over
	return a
}

func closesForAnyCandidate(a sameAttempt) sameAttempt {
	known := a.known
	known.sub = a.over.sub
	a.same = a.same || known == a.over
	return a
}

func crashesOnSecondEnd(e ending) ending {
	if e.before {
		e.err = crash(e.q, e.err)
	}
	return e
}

func crashesOnErrorOfOtherType(e ending) ending {
	if _, isText := e.q.text(lti.ClaimErrorMessage); e.q.has(lti.ClaimErrorMessage) && !isText {
		e.err = crash(e.q, e.err)
	}
	return e
}

func answersEndWith400(e ending) ending {
	e.err = badRequest("Messages of this type are unknown.")
	return e
}

func showsEndErrorUnescaped(s endShowing) endShowing {
	if template.HTMLEscapeString(s.problem) != s.problem {
		s.page.Problem = template.HTML(s.problem)
	}
	return s
}

func showsErrorLog(s endShowing) endShowing {
	s.page.Log = clip(s.log)
	return s
}

func endsNowhere(s endShowing) endShowing {
	s.page.Exit = ""
	return s
}

func endsWithButton(s endShowing) endShowing {
	if s.page.Exit != "" {
		s.page.Leave = s.t.opts.URL + leavePath
	}
	return s
}

func losesWayBackAtEnd(s endShowing) endShowing {
	if s.page.Exit != "" {
		s.page.Exit, s.page.Leave = "", s.t.opts.URL+leavePath
	}
	return s
}

func startsByItself(s seating) seating {
	s.by = func(w http.ResponseWriter) { s.q.t.sendStart(w, s.q.r, s.sitting) }
	return s
}
