package faketool

import (
	"encoding/json"
	"html"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
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

// examDefects are those of a tool that proctors.
var examDefects = []Fault{
	{Name: AcceptsMissingStartURL, Proves: "ap-tool-rejects-missing-start-assessment-url", Part: OfExams, Does: "sends the message to the platform's issuer where it has no start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(func(q *response) bool { return !q.has(lti.ClaimStartAssessmentURL) }), startMessage.Change(goesToIssuer)}},
	{Name: AcceptsEmptyStartURL, Proves: "ap-tool-rejects-missing-start-assessment-url", Part: OfExams, Does: "sends the message to the platform's issuer where start_assessment_url is empty", Effects: []fault.Effect{startURLSecure.Lift(func(q *response) bool { return q.members[lti.ClaimStartAssessmentURL] == "" }), startMessage.Change(goesToIssuer)}},
	{Name: AcceptsNumberAsStartURL, Proves: "ap-tool-rejects-missing-start-assessment-url", Part: OfExams, Does: "sends the message to the platform's issuer where start_assessment_url is a number", Effects: []fault.Effect{startURLSecure.Lift(acceptsNumberAsStartURL), startMessage.Change(goesToIssuer)}},
	{Name: AcceptsRelativeStartURL, Proves: "ap-tool-rejects-missing-start-assessment-url", Part: OfExams, Does: "takes a path for a start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme == "" }))}},
	{Name: AcceptsScriptAsStartURL, Proves: "ap-tool-rejects-missing-start-assessment-url", Part: OfExams, Does: "takes a URL of any scheme for a start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" }))}},
	{Name: AcceptsPlainStartURL, Proves: "ap-tool-rejects-http-start-assessment-url", Part: OfExams, Does: "sends the message over plain http", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme == "http" && u.Host != "" }))}},
	{Name: AcceptsMissingSessionData, Proves: "ap-tool-rejects-missing-session-data", Part: OfExams, Does: "begins a sitting without session_data", Effects: []fault.Effect{sessionDataGiven.Lift(func(q *response) bool { return !q.has(lti.ClaimSessionData) })}},
	{Name: AcceptsEmptySessionData, Proves: "ap-tool-rejects-missing-session-data", Part: OfExams, Does: "begins a sitting with empty session_data", Effects: []fault.Effect{sessionDataGiven.Lift(func(q *response) bool { return q.members[lti.ClaimSessionData] == "" })}},
	{Name: AcceptsNullSessionData, Proves: "ap-tool-rejects-missing-session-data", Part: OfExams, Does: "begins a sitting with session_data null", Effects: []fault.Effect{sessionDataGiven.Lift(acceptsNullSessionData)}},
	{Name: AcceptsObjectAsSessionData, Proves: "ap-tool-rejects-missing-session-data", Part: OfExams, Does: "begins a sitting with session_data that are no text", Effects: []fault.Effect{sessionDataGiven.Lift(acceptsObjectAsSessionData)}},
	{Name: AcceptsMissingAttempt, Proves: "ap-tool-rejects-missing-attempt-number", Part: OfExams, Does: "begins a sitting without attempt_number", Effects: []fault.Effect{attemptRead.Change(acceptsMissingAttempt)}},
	{Name: AcceptsNullAttempt, Proves: "ap-tool-rejects-missing-attempt-number", Part: OfExams, Does: "begins a sitting with attempt_number null", Effects: []fault.Effect{attemptRead.Change(acceptsNullAttempt)}},
	{Name: ReadsAttemptFromText, Proves: "ap-tool-rejects-invalid-attempt-number", Part: OfExams, Does: "takes the attempt_number in a string for a number", Effects: []fault.Effect{attemptRead.Change(readsAttemptFromText)}},
	{Name: CutsAttemptNumber, Proves: "ap-tool-rejects-invalid-attempt-number", Part: OfExams, Does: "cuts the fraction of an attempt_number off", Effects: []fault.Effect{attemptRead.Change(cutsAttemptNumber)}},
	{Name: TakesOddAttemptForFirst, Proves: "ap-tool-rejects-invalid-attempt-number", Part: OfExams, Does: "takes 1 for every attempt_number that is none", Effects: []fault.Effect{attemptRead.Change(takesOddAttemptForFirst)}},
	{Name: RepeatsOddAttempt, Proves: "ap-tool-rejects-invalid-attempt-number", Part: OfExams, Does: "sends back an attempt_number that is none just as it came", Effects: []fault.Effect{attemptRead.Change(repeatsOddAttempt)}},
	{Name: OverflowsAttemptNumber, Proves: "ap-tool-rejects-invalid-attempt-number", Part: OfExams, Does: "keeps 32 bits of attempt_number", Effects: []fault.Effect{attemptRead.Change(overflowsAttemptNumber)}},
	{Name: AcceptsMissingExamLink, Proves: "ap-tool-rejects-missing-resource-link", Part: OfExams, Does: "begins a sitting without resource link", Effects: []fault.Effect{examLinkGiven.Lift(func(q *response) bool { return !q.has(lti.ClaimResourceLink) })}},
	{Name: AcceptsExamLinkWithoutID, Proves: "ap-tool-rejects-missing-resource-link", Part: OfExams, Does: "begins a sitting with a resource link without id", Effects: []fault.Effect{examLinkGiven.Lift(acceptsExamLinkWithoutID)}},
	{Name: AcceptsEmptyExamLinkID, Proves: "ap-tool-rejects-missing-resource-link", Part: OfExams, Does: "begins a sitting with an empty resource link id", Effects: []fault.Effect{examLinkGiven.Lift(func(q *response) bool { return q.object(lti.ClaimResourceLink)["id"] == "" })}},
	{Name: AcceptsTextAsExamLink, Proves: "ap-tool-rejects-missing-resource-link", Part: OfExams, Does: "begins a sitting with a string as resource link", Effects: []fault.Effect{examLinkGiven.Lift(acceptsTextAsExamLink)}},
	{Name: AcceptsMissingCandidate, Proves: "ap-tool-rejects-missing-sub", Part: OfExams, Does: "begins a sitting without sub", Effects: []fault.Effect{candidateGiven.Lift(func(q *response) bool { return !q.has("sub") })}},
	{Name: AcceptsEmptyCandidate, Proves: "ap-tool-rejects-missing-sub", Part: OfExams, Does: "begins a sitting with an empty sub", Effects: []fault.Effect{candidateGiven.Lift(func(q *response) bool { return q.members["sub"] == "" })}},
	{Name: NeedsLearner, Proves: "ap-tool-ignores-roles", Part: OfExams, Does: "refuses a candidate without the role Learner", Effects: []fault.Effect{startsExam.Add(needs("The user is no learner.", func(q *response) bool { return slices.Contains(q.roles(), lti.RoleLearner) }))}},
	{Name: SendsTeachersToProctoring, Proves: "ap-tool-ignores-roles", Part: OfExams, Does: "opens the proctor's pages to a candidate with the role Instructor", Effects: []fault.Effect{candidateSeated.ChangeWhen(func(s seating) bool { return s.q.t.isTeacher(s.q.roles()) }, sendToProctoring)}},
	{Name: RefusesVendorClaims, Proves: "ap-tool-tolerates-unknown-content", Part: OfExams, Does: "refuses an exam with a claim of a vendor", Effects: []fault.Effect{startsExam.Add(needs("There is a claim that is unknown.", func(q *response) bool { return !q.hasVendorClaim() }))}},
	{Name: RefusesUnknownActions, Proves: "ap-tool-tolerates-unknown-content", Part: OfExams, Does: "refuses an exam with an action that it does not know", Effects: []fault.Effect{startsExam.Add(needs("There is an action that is unknown.", func(q *response) bool { return !q.hasUnknownAction() }))}},
	{Name: NeedsSettingsData, Proves: "ap-tool-tolerates-unknown-content", Part: OfExams, Does: "refuses proctoring_settings without data", Effects: []fault.Effect{startsExam.Add(needs("The settings have no data.", needsSettingsData))}},
	{Name: NeedsPresentation, Proves: "ap-tool-tolerates-unknown-content", Part: OfExams, Does: "refuses an exam without launch_presentation", Effects: []fault.Effect{startsExam.Add(needs("The claim launch_presentation is missing.", func(q *response) bool { return q.has(lti.ClaimLaunchPresentation) }))}},
	{Name: NeedsCandidateName, Proves: "ap-tool-tolerates-unknown-content", Part: OfExams, Does: "refuses a candidate without the claim name", Effects: []fault.Effect{startsExam.Add(needs("The candidate has no name.", func(q *response) bool { return q.has("name") }))}},
	{Name: KnowsExamsByClaims, Proves: "ap-tool-rejects-message-type-confusion", Part: OfExams, Does: "begins a sitting for every message with start_assessment_url", Effects: []fault.Effect{typeTaken.Change(knowsExamsByClaims)}},
	{Name: IgnoresCaseOfExamType, Proves: "ap-tool-rejects-message-type-confusion", Part: OfExams, Does: "ignores the case of LtiStartProctoring", Effects: []fault.Effect{typeTaken.Change(ignoresCaseOfExamType)}},
	{Name: TakesEndForStart, Proves: "ap-tool-rejects-message-type-confusion", Part: OfExams, Does: "begins a sitting for LtiEndAssessment with start_assessment_url", Effects: []fault.Effect{typeTaken.Change(takesEndForStart)}},
	{Name: AcceptsMissingExamType, Proves: "ap-tool-rejects-message-type-confusion", Part: OfExams, Does: "begins a sitting without message_type", Effects: []fault.Effect{typeTaken.Change(acceptsMissingExamType)}},
	{Name: OpensCheckInsByAddress, Proves: "ap-tool-keeps-parallel-sessions-apart", Part: OfExams, Does: "shows a check-in to every browser that knows its address", Effects: []fault.Effect{sittingOfBrowser.Lift(func(v sittingVisit) bool { return v.s != nil && v.open && v.r.Method == http.MethodGet })}},
	{Name: KeepsOneSitting, Proves: "ap-tool-keeps-parallel-sessions-apart", Part: OfExams, Does: "goes on with a browser's last sitting in every tab", Effects: []fault.Effect{sittingFound.ChangeWhen(func(v sittingVisit) bool { return v.lastOther() != nil }, takeLast)}},
	{Name: KeepsCancelledCandidate, Proves: "ap-tool-error-return", Part: OfExams, Does: "leaves a candidate who gives up on a page of its own", Effects: []fault.Effect{cancelled.Change(keepsCancelledCandidate)}},
	{Name: ReturnsWithoutReason, Proves: "ap-tool-error-return", Part: OfExams, Does: "sends a candidate who gives up back without saying why", Effects: []fault.Effect{cancelled.Change(returnsWithoutReason)}},
	{Name: AppendsSecondQuery, Proves: "ap-tool-error-return", Part: OfExams, Does: "adds a second ? to a return URL that has a query", Effects: []fault.Effect{cancelled.Change(appendSecondQuery)}},
	{Name: CrashesWithoutReturnURL, Proves: "ap-tool-error-return", Part: OfExams, Does: "answers with 500 where there is nowhere to return to", Effects: []fault.Effect{mayCancel.Add(crashesWithoutReturnURL)}},
	{Name: TrustsUnverifiedEmail, Proves: "ap-tool-ignores-unverified-email", Part: OfExams, Does: "vouches for an email whose email_verified is false", Effects: []fault.Effect{emailVerified.Change(trustsUnverifiedEmail)}},
	{Name: TrustsEmailWithoutFlag, Proves: "ap-tool-ignores-unverified-email", Part: OfExams, Does: "vouches for an email without email_verified", Effects: []fault.Effect{emailVerified.Change(trustsEmailWithoutFlag)}},
	{Name: SendsOtherMessageType, Proves: "ap-start-assessment-type-and-version", Part: OfExams, Does: "sends the message_type LtiStartAssessmentRequest", Effects: []fault.Effect{startsWithClaim(lti.ClaimMessageType, "LtiStartAssessmentRequest")}},
	{Name: SendsShortVersion, Proves: "ap-start-assessment-type-and-version", Part: OfExams, Does: "sends the version 1.3", Effects: []fault.Effect{startsWithClaim(lti.ClaimVersion, "1.3")}},
	{Name: PostsIDToken, Proves: "ap-start-assessment-form-post-jwt", Part: OfExams, Does: "posts the message as id_token", Effects: []fault.Effect{startMessage.Change(postsIDToken)}},
	{Name: SubmitsByGet, Proves: "ap-start-assessment-form-post-jwt", Part: OfExams, Does: "sends the message by GET", Effects: []fault.Effect{startMessage.Change(submitsByGet)}},
	{Name: PostsFurtherFields, Proves: "sec-tool-message-form", Part: OfExams, Does: "posts a field beside JWT", Effects: []fault.Effect{startMessage.Change(postsFurtherFields)}},
	{Name: DropsStartQuery, Proves: "ap-start-assessment-form-post-jwt", Part: OfExams, Does: "drops the query of start_assessment_url", Effects: []fault.Effect{startMessage.Change(dropsStartQuery)}},
	{Name: DecodesStartPath, Proves: "ap-start-assessment-form-post-jwt", Part: OfExams, Does: "decodes the path of start_assessment_url", Effects: []fault.Effect{startMessage.Change(decodesStartPath)}},
	{Name: SendsPlatformAsIssuer, Proves: "ap-start-assessment-iss-aud", Part: OfExams, Does: "sends the platform's issuer as iss", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"iss": s.sitting.registration.Issuer} })}},
	{Name: SendsClientIDAsAudience, Proves: "ap-start-assessment-iss-aud", Part: OfExams, Does: "sends its client_id as aud", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"aud": s.sitting.registration.ClientID} })}},
	{Name: SendsTokenURLAsAudience, Proves: "ap-start-assessment-iss-aud", Part: OfExams, Does: "sends the platform's token endpoint as aud", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"aud": s.sitting.registration.TokenURL} })}},
	{Name: TellsFractionsOfSeconds, Part: OfExams, Permitted: true, Does: "sends messages whose iat and exp have a fraction of a second", Effects: []fault.Effect{startsWith(tellsFractionsOfSeconds)}},
	{Name: SignsForADay, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "signs a message for a day", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"exp": s.now().Add(24 * time.Hour).Unix()} })}},
	{Name: OmitsMessageExpiry, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "leaves exp out of a message", Effects: []fault.Effect{startsWithClaim("exp", nil)}},
	{Name: OmitsMessageIssueTime, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "leaves iat out of a message", Effects: []fault.Effect{startsWithClaim("iat", nil)}},
	{Name: TellsMilliseconds, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "tells the times of a message in milliseconds", Effects: []fault.Effect{startsWith(tellsMilliseconds)}},
	{Name: OmitsMessageNonce, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "leaves nonce out of a message", Effects: []fault.Effect{startsWithClaim("nonce", nil)}},
	{Name: RepeatsNonceOfLaunch, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "sends the nonce of the launch back", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"nonce": s.sitting.nonce} })}},
	{Name: SendsConstantNonce, Proves: "ap-start-assessment-time-and-nonce", Part: OfExams, Does: "sends the same nonce in every message", Effects: []fault.Effect{startsWithClaim("nonce", "nonce-of-every-message")}},
	{Name: OmitsMessageKID, Proves: "ap-start-assessment-signature", Part: OfExams, Does: "does not name the key of a message", Effects: []fault.Effect{signsAs(signing.WithoutKID)}},
	{Name: SignsWithUnpublishedKey, Proves: "ap-start-assessment-signature", Part: OfExams, Does: "signs a message with a key that it does not publish", Effects: []fault.Effect{signsAs(signing.ByStranger)}},
	{Name: SignsWithPublicKey, Proves: "ap-start-assessment-signature", Part: OfExams, Does: "signs a message with HS256 and its public key", Effects: []fault.Effect{signsAs(signing.ByPublicKey)}},
	{Name: EmbedsKey, Proves: "sec-tool-message-signature", Part: OfExams, Does: "supplies its key in the header of a message", Effects: []fault.Effect{signsAs(signing.WithEmbeddedKey)}},
	{Name: SendsFirstDeployment, Proves: "ap-start-assessment-deployment-id", Part: OfExams, Does: "sends the first deployment of the platform", Effects: []fault.Effect{startsWith(sendsFirstDeployment)}},
	{Name: OmitsDeployment, Proves: "ap-start-assessment-deployment-id", Part: OfExams, Does: "leaves deployment_id out of a message", Effects: []fault.Effect{startsWithClaim(lti.ClaimDeploymentID, nil)}},
	{Name: TrimsSessionData, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "trims session_data", Effects: []fault.Effect{givesBack(strings.TrimSpace)}},
	{Name: EscapesSessionData, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "escapes session_data as HTML", Effects: []fault.Effect{givesBack(html.EscapeString)}},
	{Name: DecodesSessionData, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "URL-decodes session_data", Effects: []fault.Effect{givesBack(decodeAgain)}},
	{Name: ConvertsLineBreaks, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "makes LF of CRLF in session_data", Effects: []fault.Effect{givesBack(func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") })}},
	{Name: NormalisesSessionData, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "normalises the accents in session_data", Effects: []fault.Effect{givesBack(norm.NFC.String)}},
	{Name: LosesLettersBeyondBMP, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "loses the letters of session_data that take four bytes", Effects: []fault.Effect{givesBack(withoutLettersBeyondBMP)}},
	{Name: ReadsSessionDataAsJSON, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "sends session_data that look like JSON as JSON", Effects: []fault.Effect{startMessage.Change(readsSessionDataAsJSON)}},
	{Name: TakesSessionDataZeroForNone, Proves: "ap-start-assessment-session-data-unchanged", Part: OfExams, Does: "takes the session_data 0 for none", Effects: []fault.Effect{startsExam.Add(takesSessionDataZeroForNone)}},
	{Name: Keeps1024OfSessionData, Proves: "ap-start-assessment-session-data-long", Part: OfExams, Does: "keeps 1024 characters of session_data", Effects: []fault.Effect{givesBack(func(s string) string { return keeps(s, 1024) })}},
	{Name: Keeps4096OfSessionData, Proves: "ap-start-assessment-session-data-long", Part: OfExams, Does: "keeps 4096 characters of session_data", Effects: []fault.Effect{givesBack(func(s string) string { return keeps(s, 4096) })}},
	{Name: SendsLinkIDAlone, Proves: "ap-start-assessment-resource-link-unchanged", Part: OfExams, Does: "sends the id of the resource link alone", Effects: []fault.Effect{dropsOfLink(func(name string, _ any) bool { return name != "id" })}},
	{Name: DropsLinkDescription, Proves: "ap-start-assessment-resource-link-unchanged", Part: OfExams, Does: "drops the description of the resource link", Effects: []fault.Effect{dropsOfLink(func(name string, _ any) bool { return name == "description" })}},
	{Name: DropsEmptyDescription, Proves: "ap-start-assessment-resource-link-unchanged", Part: OfExams, Does: "drops an empty description of the resource link", Effects: []fault.Effect{dropsOfLink(func(name string, value any) bool { return name == "description" && value == "" })}},
	{Name: DropsUnknownMembers, Proves: "ap-start-assessment-resource-link-unchanged", Part: OfExams, Does: "drops the members of the resource link that it does not know", Effects: []fault.Effect{dropsOfLink(dropsUnknownMembers)}},
	{Name: AlwaysSendsFirstAttempt, Proves: "ap-start-assessment-attempt-number-unchanged", Part: OfExams, Does: "sends the attempt_number 1 whatever it was", Effects: []fault.Effect{startsWithClaim(lti.ClaimAttemptNumber, 1)}},
	{Name: SendsAttemptAsText, Proves: "ap-start-assessment-attempt-number-unchanged", Part: OfExams, Does: "sends attempt_number as a string", Effects: []fault.Effect{startsWith(sendsAttemptAsText)}},
	{Name: MakesUpName, Proves: "ap-start-assessment-verified-user-shape", Part: OfExams, Does: "sends the given name as name where it was told no name", Effects: []fault.Effect{userVerified.Change(makesUpName)}},
	{Name: SendsFullName, Proves: "ap-start-assessment-verified-user-shape", Part: OfExams, Does: "sends full_name in verified_user", Effects: []fault.Effect{verifiesWith("full_name", func(s *sitting) any { return s.shownName() })}},
	{Name: SendsVerifiedUserAsText, Proves: "ap-start-assessment-verified-user-shape", Part: OfExams, Does: "sends verified_user as a string", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{lti.ClaimVerifiedUser: s.sitting.shownName()} })}},
	{Name: SendsSubInVerifiedUser, Proves: "ap-start-assessment-verified-user-without-iss-sub", Part: OfExams, Does: "sends sub in verified_user", Effects: []fault.Effect{verifiesWith("sub", func(s *sitting) any { return s.sub })}},
	{Name: SendsIssuerInVerifiedUser, Proves: "ap-start-assessment-verified-user-without-iss-sub", Part: OfExams, Does: "sends iss in verified_user", Effects: []fault.Effect{verifiesWith("iss", func(s *sitting) any { return s.registration.Issuer })}},
	{Name: SendsPlatformsPicture, Proves: "ap-start-assessment-verified-user-own-picture", Part: OfExams, Does: "sends the platform's picture as the verified one", Effects: []fault.Effect{userVerified.Change(sendsPlatformsPicture)}},
	{Name: SendsEndReturnAsText, Proves: "ap-start-assessment-end-return-boolean", Part: OfExams, Does: "sends end_assessment_return as a string", Effects: []fault.Effect{startsWithClaim(lti.ClaimEndAssessmentReturn, "true")}},
	{Name: SendsEndReturnAsNumber, Proves: "ap-start-assessment-end-return-boolean", Part: OfExams, Does: "sends end_assessment_return as a number", Effects: []fault.Effect{startsWithClaim(lti.ClaimEndAssessmentReturn, 1)}},
	{Name: AnswersEndWith400, Proves: "ap-tool-handles-end-assessment", Part: OfExams, Does: "closes a sitting, but answers with 400", Effects: []fault.Effect{examEnded.Change(answersEndWith400)}},
	{Name: NeedsLinkAtEnd, Permitted: true, Part: OfExams, Does: "refuses LtiEndAssessment without resource link", Effects: []fault.Effect{endsExam.Add(needs("The message lacks a claim.", func(q *response) bool { return q.has(lti.ClaimResourceLink) }))}},
	{Name: NeedsPresentationAtEnd, Proves: "ap-tool-handles-end-assessment", Part: OfExams, Does: "refuses LtiEndAssessment without launch_presentation", Effects: []fault.Effect{endsExam.Add(needs("The message lacks a claim.", func(q *response) bool { return q.has(lti.ClaimLaunchPresentation) }))}},
	{Name: EndsNowhere, Proves: "ap-tool-handles-end-assessment", Part: OfExams, Does: "shows no way back at the end", Effects: []fault.Effect{endShown.Change(endsNowhere)}},
	{Name: LosesWayBackAtEnd, Proves: "ap-tool-handles-end-assessment", Part: OfExams, Does: "shows a button at the end that leads to 500", Effects: []fault.Effect{endShown.Change(losesWayBackAtEnd), leaves.Take(true, nil)}},
	{Name: EndsWithButton, Part: OfExams, Permitted: true, Does: "shows a button at the end that leads back by way of the tool", Effects: []fault.Effect{endShown.Change(endsWithButton), leaves.Take(true, nil)}},
	{Name: ShowsEndErrorUnescaped, Proves: "ap-tool-shows-end-error-safely", Part: OfExams, Does: "shows errormsg as it came", Effects: []fault.Effect{endShown.Change(showsEndErrorUnescaped)}},
	{Name: ShowsErrorLog, Proves: "ap-tool-shows-end-error-safely", Part: OfExams, Does: "shows errorlog to the candidate", Effects: []fault.Effect{endShown.Change(showsErrorLog)}},
	{Name: CrashesOnErrorOfOtherType, Proves: "ap-tool-shows-end-error-safely", Part: OfExams, Does: "answers with 500 where errormsg is no text", Effects: []fault.Effect{examEnded.Change(crashesOnErrorOfOtherType)}},
	{Name: ClosesByCandidateAlone, Proves: "ap-tool-rejects-bad-end-assessment", Part: OfExams, Does: "closes the candidate's sitting, whatever the attempt", Effects: []fault.Effect{attemptOver.Change(closesByCandidateAlone)}},
	{Name: ClosesForAnyCandidate, Proves: "ap-tool-rejects-bad-end-assessment", Part: OfExams, Does: "closes a sitting of the same assessment and attempt number, whoever the candidate is", Effects: []fault.Effect{attemptOver.Change(closesForAnyCandidate)}},
	{Name: ClosesWithoutAttempt, Proves: "ap-tool-rejects-bad-end-assessment", Part: OfExams, Does: "closes the candidate's sitting where there is no attempt_number", Effects: []fault.Effect{attemptOfEnd.Lift(func(q *response) bool { return !q.has(lti.ClaimAttemptNumber) }), attemptOver.Change(closesWithoutAttempt)}},
	{Name: ClosesWithoutCandidate, Proves: "ap-tool-rejects-bad-end-assessment", Part: OfExams, Does: "closes a sitting where there is no sub", Effects: []fault.Effect{candidateOfEnd.Lift(func(q *response) bool { return !q.has("sub") }), attemptOver.Change(closesWithoutCandidate)}},
	{Name: CrashesOnSecondEnd, Proves: "ap-tool-rejects-bad-end-assessment", Part: OfExams, Does: "answers LtiEndAssessment with 500 when it comes again", Effects: []fault.Effect{examEnded.Change(crashesOnSecondEnd)}},
	{Name: CrashesOnBadEnd, Proves: "ap-tool-rejects-bad-end-assessment", Part: OfExams, Does: "answers every LtiEndAssessment that it refuses with 500", Effects: []fault.Effect{responseJudged.ChangeWhen(crashesOnBadEndWhen, crashInstead)}},
	{Name: CrashesOnBadExam, Proves: "ap-tool-rejects-missing-start-assessment-url", Part: OfExams, Does: "answers every exam that it refuses with 500", Effects: []fault.Effect{responseJudged.ChangeWhen(func(a handling) bool { return a.err != nil && a.q.startsExam() }, crashInstead)}},
	{Name: SendsJSONMediaType, Proves: "ap-acs-tool-request-form", Part: OfExams, Does: "controls with the media type application/json", Effects: []fault.Effect{orderSaid.Change(sendsJSONMediaType)}},
	{Name: DropsControlQuery, Proves: "ap-acs-tool-request-form", Part: OfExams, Does: "drops the query of assessment_control_url", Effects: []fault.Effect{orderSaid.Change(dropsControlQuery)}},
	{Name: SendsOrderByPut, Proves: "ap-acs-tool-request-form", Part: OfExams, Does: "controls by PUT", Effects: []fault.Effect{orderSaid.Change(sendsOrderByPut)}},
	{Name: SendsClientIDAsUserIssuer, Proves: "ap-acs-tool-request-body", Part: OfExams, Does: "sends its client_id as user.iss", Effects: []fault.Effect{ordersWith(sendsClientIDAsUserIssuer)}},
	{Name: SendsAttemptAsTextInOrder, Proves: "ap-acs-tool-request-body", Part: OfExams, Does: "sends attempt_number as a string when it controls", Effects: []fault.Effect{ordersWith(sendsAttemptAsTextInOrder)}},
	{Name: SendsNulls, Proves: "ap-acs-tool-request-body", Part: OfExams, Does: "sends null for a reason that there is none of", Effects: []fault.Effect{ordersWith(func(o ordering) map[string]any { return map[string]any{"reason_code": null, "reason_msg": null} })}},
	{Name: EscapesIDs, Proves: "ap-acs-tool-request-body", Part: OfExams, Does: "URL-encodes the ids of the candidate and the assessment", Effects: []fault.Effect{ordersWith(escapesIDs)}},
	{Name: OmitsIncidentTime, Proves: "ap-acs-tool-request-body", Part: OfExams, Does: "leaves incident_time out", Effects: []fault.Effect{ordersWith(func(o ordering) map[string]any { return map[string]any{"incident_time": nil} })}},
	{Name: LabelsLocalTimeZ, Proves: "ap-acs-tool-incident-time", Part: OfExams, Does: "sends the local time as if it were UTC", Effects: []fault.Effect{ordersWith(labelsLocalTimeZ)}},
	{Name: SendsTimeWithoutZone, Proves: "ap-acs-tool-incident-time", Part: OfExams, Does: "sends incident_time without a zone", Effects: []fault.Effect{ordersWith(sendsTimeWithoutZone)}},
	{Name: SendsSeverityAsText, Proves: "ap-acs-tool-severity-and-extra-time", Part: OfExams, Does: "sends incident_severity as a string", Effects: []fault.Effect{ordersNumberAs("incident_severity", asText)}},
	{Name: SendsSeverityInPercent, Proves: "ap-acs-tool-severity-and-extra-time", Part: OfExams, Does: "sends incident_severity in percent", Effects: []fault.Effect{ordersNumberAs("incident_severity", inPercent)}},
	{Name: SendsExtraTimeAsText, Proves: "ap-acs-tool-severity-and-extra-time", Part: OfExams, Does: "sends extra_time as a string", Effects: []fault.Effect{ordersNumberAs("extra_time", asText)}},
	{Name: OffersEveryAction, Proves: "ap-acs-tool-respects-actions", Part: OfExams, Does: "offers every action to the proctor, whatever the platform listed", Effects: []fault.Effect{controlOffered.Change(offersEveryAction)}},
	{Name: GuessesControlURL, Proves: "ap-acs-tool-respects-actions", Part: OfExams, Does: "controls without the acs claim, at a URL that it guesses", Effects: []fault.Effect{controlOffered.Change(guessesControlURL)}},
	{Name: CrashesOnAnswerTypes, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "dies of an answer to a control request that is no object, or whose status is a number", Effects: []fault.Effect{crashesOf(isOfOtherTypes)}},
	{Name: CrashesOnAnswerMembers, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "dies of an answer to a control request with members that it does not know", Effects: []fault.Effect{crashesOf(hasUnknownMembers)}},
	{Name: RepeatsFailedOrders, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "sends what the platform did not take five times", Effects: []fault.Effect{orderRepeated.ChangeWhen(func(o ordered) bool { return o.err == nil && o.exchange.Status != http.StatusOK }, insist)}},
	{Name: InsistsWithoutScope, Proves: "ap-acs-tool-request-form", Part: OfExams, Does: "sends an order again and again where the platform grants it no scope", Effects: []fault.Effect{orderRepeated.ChangeWhen(func(o ordered) bool { return o.err != nil }, insist)}},
	{Name: EscapesControlToken, Proves: "sec-tool-access-token-use", Part: OfExams, Does: "escapes an access token as if it were a part of a URL, where it controls", Effects: []fault.Effect{orderSaid.Change(escapesControlToken)}},
	{Name: NeverRenewsToken, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "gives up where the platform takes its access token no more", Effects: []fault.Effect{renewsToken.Take(false, nil)}},
	{Name: RepeatsSpentToken, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "sends the access token again that the platform takes no more", Effects: []fault.Effect{tokenInstead.ChangeWhen(always, repeatSpent)}},
	{Name: CrashesOnEmptyAnswer, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "answers the proctor with 500 where the platform answers with 204", Effects: []fault.Effect{crashesOf(func(e *Exchange) bool { return e.Status == http.StatusNoContent })}},
	{Name: CrashesOnReset, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "answers the proctor with 500 where the platform does not answer", Effects: []fault.Effect{crashesOf(func(e *Exchange) bool { return e.Status == 0 })}},
	{Name: CrashesOnFailure, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "answers the proctor with 500 where the platform fails", Effects: []fault.Effect{crashesOf(func(e *Exchange) bool { return e.Status >= http.StatusInternalServerError })}},
	{Name: CrashesOnUnknownAttempt, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "answers the proctor with 500 where the platform knows no attempt", Effects: []fault.Effect{crashesOf(func(e *Exchange) bool { return e.Status == http.StatusNotFound })}},
	{Name: CrashesOnStatusNone, Proves: "ap-acs-tool-handles-answers", Part: OfExams, Does: "answers the proctor with 500 where the status is none", Effects: []fault.Effect{crashesOf(tellsOfNone)}},
	{Name: SendsClientSecret, Proves: "sec-tool-token-request", Part: OfExams, Does: "sends a client secret beside the assertion", Effects: []fault.Effect{tokenAsked.ChangeWhen(always, sendsClientSecret)}},
	{Name: SendsBasicHeader, Proves: "sec-tool-token-request", Part: OfExams, Does: "sends a Basic header beside the assertion", Effects: []fault.Effect{tokenAsked.ChangeWhen(always, sendsBasicHeader)}},
	{Name: LeavesUserOut, Part: OfExams, Permitted: true, Does: "sends no verified_user", Effects: []fault.Effect{startsWithClaim(lti.ClaimVerifiedUser, nil)}},
	{Name: AsksForNoEnd, Part: OfExams, Permitted: true, Does: "sends no end_assessment_return", Effects: []fault.Effect{startsWithClaim(lti.ClaimEndAssessmentReturn, nil)}},
	{Name: SendsAudienceArray, Part: OfExams, Permitted: true, Does: "sends aud as an array of one", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"aud": []string{s.sitting.registration.Issuer}} })}},
	{Name: StartsByItself, Part: OfExams, Permitted: true, Does: "asks nothing of the candidate at check-in", Effects: []fault.Effect{candidateSeated.ChangeWhen(always, startsByItself)}},
	{Name: ReturnsBadExams, Part: OfExams, Permitted: true, Does: "returns a candidate whose message is genuine, but not valid, to the platform", Effects: []fault.Effect{refusalTold.Change(returnsBadExams)}},
	{Name: ReturnsAtEnd, Part: OfExams, Permitted: true, Does: "sends the candidate to the return URL at the end", Effects: []fault.Effect{endAnswered.ChangeWhen(func(a handling) bool { return a.q.returnURL() != "" }, returnAtOnce)}},
	{Name: RefusesLargeAttempt, Part: OfExams, Permitted: true, Does: "refuses an attempt_number of more than 32 bits", Effects: []fault.Effect{attemptRead.Change(refusesLargeAttempt)}},
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

func tellsFractionsOfSeconds(s starting) lti.Claims {
	return lti.Claims{"iat": fractional(s.now()), "exp": fractional(s.now().Add(tokenLifetime))}
}

func tellsMilliseconds(s starting) lti.Claims {
	return lti.Claims{"iat": s.now().UnixMilli(), "exp": s.now().Add(tokenLifetime).UnixMilli()}
}

func sendsFirstDeployment(s starting) lti.Claims {
	return lti.Claims{lti.ClaimDeploymentID: s.sitting.firstDeployment()}
}

func sendsAttemptAsText(s starting) lti.Claims {
	return lti.Claims{lti.ClaimAttemptNumber: string(s.sitting.raw[lti.ClaimAttemptNumber])}
}

func readsSessionDataAsJSON(s starting) starting {
	if data := s.draft.text(lti.ClaimSessionData); (strings.HasPrefix(data, "{") || strings.HasPrefix(data, "[")) && json.Valid([]byte(data)) {
		s.draft.claims[lti.ClaimSessionData] = json.RawMessage(data)
	}
	return s
}

func dropsUnknownMembers(name string, _ any) bool {
	return !slices.Contains([]string{"id", "title", "description"}, name)
}

func postsIDToken(s starting) starting {
	s.draft.field = lti.ParamIDToken
	return s
}

func postsFurtherFields(s starting) starting {
	s.draft.form.Set("tool", s.draft.tool.opts.URL)
	return s
}

func submitsByGet(s starting) starting {
	s.draft.method = http.MethodGet
	return s
}

func dropsStartQuery(s starting) starting {
	s.draft.to, _, _ = strings.Cut(s.draft.to, "?")
	return s
}

func decodesStartPath(s starting) starting {
	if u, err := url.Parse(s.draft.to); err == nil && u.RawPath != "" {
		u.RawPath = ""
		s.draft.to = u.String()
	}
	return s
}

func sendsClientIDAsUserIssuer(o ordering) map[string]any {
	return map[string]any{"user": lti.ControlUser{Issuer: o.sitting.registration.ClientID, Sub: o.sitting.sub}}
}

func sendsAttemptAsTextInOrder(o ordering) map[string]any {
	return map[string]any{"attempt_number": string(integer(o.sitting.number))}
}

func escapesIDs(o ordering) map[string]any {
	return map[string]any{"user": lti.ControlUser{Issuer: o.sitting.registration.Issuer, Sub: url.QueryEscape(o.sitting.sub)}, "resource_link": lti.ControlResourceLink{ID: url.QueryEscape(o.sitting.link)}}
}

func labelsLocalTimeZ(o ordering) map[string]any {
	return map[string]any{"incident_time": o.now().In(time.FixedZone("two hours ahead", 2*60*60)).Format("2006-01-02T15:04:05") + "Z"}
}

func sendsTimeWithoutZone(o ordering) map[string]any {
	return map[string]any{"incident_time": o.now().UTC().Format("2006-01-02T15:04:05")}
}

func sendsJSONMediaType(o ordering) ordering {
	o.draft.mediaType = "application/json"
	return o
}

func escapesControlToken(o ordering) ordering {
	o.draft.token = url.QueryEscape(o.draft.token)
	return o
}

func dropsControlQuery(o ordering) ordering {
	o.draft.url, _, _ = strings.Cut(o.draft.url, "?")
	return o
}

func sendsOrderByPut(o ordering) ordering {
	o.draft.method = http.MethodPut
	return o
}

func sendsClientSecret(d *assertionDraft) *assertionDraft {
	d.form.Set("client_secret", "secret")
	return d
}

func sendsBasicHeader(d *assertionDraft) *assertionDraft {
	d.basic = d.registration.ClientID
	return d
}

func crashesWithoutReturnURL(s *sitting) error {
	if s.returnURL != "" {
		return nil
	}
	return errCrash
}

func keepsCancelledCandidate(c cancelling) cancelling {
	c.to = ""
	return c
}

func returnsWithoutReason(c cancelling) cancelling {
	c.to = c.sitting.returnURL
	return c
}

func makesUpName(v verifying) verifying {
	if given, _ := v.claims.text("given_name"); given != "" {
		if name, _ := v.claims.text("name"); name == "" {
			v.user["name"] = given
		}
	}
	return v
}

func sendsPlatformsPicture(v verifying) verifying {
	if picture, _ := v.claims.text("picture"); picture != "" {
		v.user["picture"] = picture
	}
	return v
}

func trustsUnverifiedEmail(e verifiedEmail) verifiedEmail {
	e.verified = e.verified || e.sent
	return e
}

func trustsEmailWithoutFlag(e verifiedEmail) verifiedEmail {
	e.verified = e.verified || !e.sent
	return e
}

func guessesControlURL(o offering) offering {
	if !o.claims.has(lti.ClaimACS) && o.tokenURL != "" {
		o.url, o.actions = strings.TrimSuffix(o.tokenURL, "/token")+"/acs", lti.Actions
	}
	return o
}

func offersEveryAction(o offering) offering {
	if o.url != "" {
		o.actions = slices.Clone(lti.Actions)
	}
	return o
}
