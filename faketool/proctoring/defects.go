package proctoring

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

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// defects are those of a tool that proctors.
var defects = []fault.Fault{
	{Name: "accepts-missing-start-url", Proves: "ap-tool-rejects-missing-start-assessment-url", Does: "sends the message to the platform's issuer where it has no start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(func(q *part.Message) bool { return !q.Has(lti.ClaimStartAssessmentURL) }), startMessage.Change(goesToIssuer)}},
	{Name: "accepts-empty-start-url", Proves: "ap-tool-rejects-missing-start-assessment-url", Does: "sends the message to the platform's issuer where start_assessment_url is empty", Effects: []fault.Effect{startURLSecure.Lift(func(q *part.Message) bool { return q.Claims[lti.ClaimStartAssessmentURL] == "" }), startMessage.Change(goesToIssuer)}},
	{Name: "accepts-number-as-start-url", Proves: "ap-tool-rejects-missing-start-assessment-url", Does: "sends the message to the platform's issuer where start_assessment_url is a number", Effects: []fault.Effect{startURLSecure.Lift(acceptsNumberAsStartURL), startMessage.Change(goesToIssuer)}},
	{Name: "accepts-relative-start-url", Proves: "ap-tool-rejects-missing-start-assessment-url", Does: "takes a path for a start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme == "" }))}},
	{Name: "accepts-script-as-start-url", Proves: "ap-tool-rejects-missing-start-assessment-url", Does: "takes a URL of any scheme for a start_assessment_url", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" }))}},
	{Name: "accepts-plain-start-url", Proves: "ap-tool-rejects-http-start-assessment-url", Does: "sends the message over plain http", Effects: []fault.Effect{startURLSecure.Lift(startURLIs(func(u *url.URL) bool { return u.Scheme == "http" && u.Host != "" }))}},
	{Name: "accepts-missing-session-data", Proves: "ap-tool-rejects-missing-session-data", Does: "begins a sitting without session_data", Effects: []fault.Effect{sessionDataGiven.Lift(func(q *part.Message) bool { return !q.Has(lti.ClaimSessionData) })}},
	{Name: "accepts-empty-session-data", Proves: "ap-tool-rejects-missing-session-data", Does: "begins a sitting with empty session_data", Effects: []fault.Effect{sessionDataGiven.Lift(func(q *part.Message) bool { return q.Claims[lti.ClaimSessionData] == "" })}},
	{Name: "accepts-null-session-data", Proves: "ap-tool-rejects-missing-session-data", Does: "begins a sitting with session_data null", Effects: []fault.Effect{sessionDataGiven.Lift(acceptsNullSessionData)}},
	{Name: "accepts-object-as-session-data", Proves: "ap-tool-rejects-missing-session-data", Does: "begins a sitting with session_data that are no text", Effects: []fault.Effect{sessionDataGiven.Lift(acceptsObjectAsSessionData)}},
	{Name: "accepts-missing-attempt-number", Proves: "ap-tool-rejects-missing-attempt-number", Does: "begins a sitting without attempt_number", Effects: []fault.Effect{attemptRead.Change(acceptsMissingAttempt)}},
	{Name: "accepts-null-attempt-number", Proves: "ap-tool-rejects-missing-attempt-number", Does: "begins a sitting with attempt_number null", Effects: []fault.Effect{attemptRead.Change(acceptsNullAttempt)}},
	{Name: "reads-attempt-number-from-text", Proves: "ap-tool-rejects-invalid-attempt-number", Does: "takes the attempt_number in a string for a number", Effects: []fault.Effect{attemptRead.Change(readsAttemptFromText)}},
	{Name: "cuts-attempt-number", Proves: "ap-tool-rejects-invalid-attempt-number", Does: "cuts the fraction of an attempt_number off", Effects: []fault.Effect{attemptRead.Change(cutsAttemptNumber)}},
	{Name: "takes-odd-attempt-for-first", Proves: "ap-tool-rejects-invalid-attempt-number", Does: "takes 1 for every attempt_number that is none", Effects: []fault.Effect{attemptRead.Change(takesOddAttemptForFirst)}},
	{Name: "repeats-odd-attempt", Proves: "ap-tool-rejects-invalid-attempt-number", Does: "sends back an attempt_number that is none just as it came", Effects: []fault.Effect{attemptRead.Change(repeatsOddAttempt)}},
	{Name: "overflows-attempt-number", Proves: "ap-tool-rejects-invalid-attempt-number", Does: "keeps 32 bits of attempt_number", Effects: []fault.Effect{attemptRead.Change(overflowsAttemptNumber)}},
	{Name: "accepts-missing-exam-link", Proves: "ap-tool-rejects-missing-resource-link", Does: "begins a sitting without resource link", Effects: []fault.Effect{examLinkGiven.Lift(func(q *part.Message) bool { return !q.Has(lti.ClaimResourceLink) })}},
	{Name: "accepts-exam-link-without-id", Proves: "ap-tool-rejects-missing-resource-link", Does: "begins a sitting with a resource link without id", Effects: []fault.Effect{examLinkGiven.Lift(acceptsExamLinkWithoutID)}},
	{Name: "accepts-empty-exam-link-id", Proves: "ap-tool-rejects-missing-resource-link", Does: "begins a sitting with an empty resource link id", Effects: []fault.Effect{examLinkGiven.Lift(func(q *part.Message) bool { return q.Object(lti.ClaimResourceLink)["id"] == "" })}},
	{Name: "accepts-text-as-exam-link", Proves: "ap-tool-rejects-missing-resource-link", Does: "begins a sitting with a string as resource link", Effects: []fault.Effect{examLinkGiven.Lift(acceptsTextAsExamLink)}},
	{Name: "accepts-missing-candidate", Proves: "ap-tool-rejects-missing-sub", Does: "begins a sitting without sub", Effects: []fault.Effect{candidateGiven.Lift(func(q *part.Message) bool { return !q.Has("sub") })}},
	{Name: "accepts-empty-candidate", Proves: "ap-tool-rejects-missing-sub", Does: "begins a sitting with an empty sub", Effects: []fault.Effect{candidateGiven.Lift(func(q *part.Message) bool { return q.Claims["sub"] == "" })}},
	{Name: "needs-learner", Proves: "ap-tool-ignores-roles", Does: "refuses a candidate without the role Learner", Effects: []fault.Effect{startsExam.Add(needs("The user is no learner.", func(q *part.Message) bool { return slices.Contains(q.Roles(), lti.RoleLearner) }))}},
	{Name: "sends-teachers-to-proctoring", Proves: "ap-tool-ignores-roles", Does: "opens the proctor's pages to a candidate with the role Instructor", Effects: []fault.Effect{checkInBegun.ChangeWhen(func(s begunCheckIn) bool { return slices.Contains(s.q.Roles(), lti.RoleInstructor) }, sendToProctoring)}},
	{Name: "refuses-vendor-claims", Proves: "ap-tool-tolerates-unknown-content", Does: "refuses an exam with a claim of a vendor", Effects: []fault.Effect{startsExam.Add(needs("There is a claim that is unknown.", func(q *part.Message) bool { return !hasVendorClaim(q) }))}},
	{Name: "refuses-unknown-actions", Proves: "ap-tool-tolerates-unknown-content", Does: "refuses an exam with an action that it does not know", Effects: []fault.Effect{startsExam.Add(needs("There is an action that is unknown.", func(q *part.Message) bool { return !hasUnknownAction(q) }))}},
	{Name: "needs-settings-data", Proves: "ap-tool-tolerates-unknown-content", Does: "refuses proctoring_settings without data", Effects: []fault.Effect{startsExam.Add(needs("The settings have no data.", needsSettingsData))}},
	{Name: "needs-presentation", Proves: "ap-tool-tolerates-unknown-content", Does: "refuses an exam without launch_presentation", Effects: []fault.Effect{startsExam.Add(needs("The claim launch_presentation is missing.", func(q *part.Message) bool { return q.Has(lti.ClaimLaunchPresentation) }))}},
	{Name: "needs-candidate-name", Proves: "ap-tool-tolerates-unknown-content", Does: "refuses a candidate without the claim name", Effects: []fault.Effect{startsExam.Add(needs("The candidate has no name.", func(q *part.Message) bool { return q.Has("name") }))}},
	{Name: "knows-exams-by-claims", Proves: "ap-tool-rejects-message-type-confusion", Does: "begins a sitting for every message with start_assessment_url", Effects: []fault.Effect{part.TypeTaken.Change(knowsExamsByClaims)}},
	{Name: "ignores-case-of-exam-type", Proves: "ap-tool-rejects-message-type-confusion", Does: "ignores the case of LtiStartProctoring", Effects: []fault.Effect{part.TypeTaken.Change(ignoresCaseOfExamType)}},
	{Name: "takes-end-for-start", Proves: "ap-tool-rejects-message-type-confusion", Does: "begins a sitting for LtiEndAssessment with start_assessment_url", Effects: []fault.Effect{part.TypeTaken.Change(takesEndForStart)}},
	{Name: "accepts-missing-exam-type", Proves: "ap-tool-rejects-message-type-confusion", Does: "begins a sitting without message_type", Effects: []fault.Effect{part.TypeTaken.Change(acceptsMissingExamType)}},
	{Name: "opens-check-ins-by-address", Proves: "ap-tool-keeps-parallel-sessions-apart", Does: "shows a check-in to every browser that knows its address", Effects: []fault.Effect{checkInOfBrowser.Lift(func(v checkInVisit) bool { return v.s != nil && v.open && v.r.Method == http.MethodGet })}},
	{Name: "keeps-one-sitting-per-browser", Proves: "ap-tool-keeps-parallel-sessions-apart", Does: "goes on with a browser's last sitting in every tab", Effects: []fault.Effect{checkInFound.ChangeWhen(func(v checkInVisit) bool { return v.lastOther() != nil }, takeLast)}},
	{Name: "keeps-cancelled-candidate", Proves: "ap-tool-error-return", Does: "leaves a candidate who gives up on a page of its own", Effects: []fault.Effect{cancelled.Change(keepsCancelledCandidate)}},
	{Name: "returns-without-reason", Proves: "ap-tool-error-return", Does: "sends a candidate who gives up back without saying why", Effects: []fault.Effect{cancelled.Change(returnsWithoutReason)}},
	{Name: "appends-second-query", Proves: "ap-tool-error-return", Does: "adds a second ? to a return URL that has a query", Effects: []fault.Effect{cancelled.Change(appendSecondQuery)}},
	{Name: "crashes-without-return-url", Proves: "ap-tool-error-return", Does: "answers with 500 where there is nowhere to return to", Effects: []fault.Effect{mayCancel.Add(crashesWithoutReturnURL)}},
	{Name: "trusts-unverified-email", Proves: "ap-tool-ignores-unverified-email", Does: "vouches for an email whose email_verified is false", Effects: []fault.Effect{emailVerified.Change(trustsUnverifiedEmail)}},
	{Name: "trusts-email-without-flag", Proves: "ap-tool-ignores-unverified-email", Does: "vouches for an email without email_verified", Effects: []fault.Effect{emailVerified.Change(trustsEmailWithoutFlag)}},
	{Name: "sends-other-message-type", Proves: "ap-start-assessment-type-and-version", Does: "sends the message_type LtiStartAssessmentRequest", Effects: []fault.Effect{startsWithClaim(lti.ClaimMessageType, "LtiStartAssessmentRequest")}},
	{Name: "sends-short-version", Proves: "ap-start-assessment-type-and-version", Does: "sends the version 1.3", Effects: []fault.Effect{startsWithClaim(lti.ClaimVersion, "1.3")}},
	{Name: "posts-id-token", Proves: "ap-start-assessment-form-post-jwt", Does: "posts the message as id_token", Effects: []fault.Effect{startMessage.Change(postsIDToken)}},
	{Name: "submits-by-get", Proves: "ap-start-assessment-form-post-jwt", Does: "sends the message by GET", Effects: []fault.Effect{startMessage.Change(submitsByGet)}},
	{Name: "posts-further-fields", Proves: "sec-tool-message-form", Does: "posts a field beside JWT", Effects: []fault.Effect{startMessage.Change(postsFurtherFields)}},
	{Name: "drops-start-query", Proves: "ap-start-assessment-form-post-jwt", Does: "drops the query of start_assessment_url", Effects: []fault.Effect{startMessage.Change(dropsStartQuery)}},
	{Name: "decodes-start-path", Proves: "ap-start-assessment-form-post-jwt", Does: "decodes the path of start_assessment_url", Effects: []fault.Effect{startMessage.Change(decodesStartPath)}},
	{Name: "sends-platform-as-issuer", Proves: "ap-start-assessment-iss-aud", Does: "sends the platform's issuer as iss", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"iss": s.checkIn.registration.Issuer} })}},
	{Name: "sends-client-id-as-audience", Proves: "ap-start-assessment-iss-aud", Does: "sends its client_id as aud", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"aud": s.checkIn.registration.ClientID} })}},
	{Name: "sends-token-url-as-audience", Proves: "ap-start-assessment-iss-aud", Does: "sends the platform's token endpoint as aud", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"aud": s.checkIn.registration.TokenURL} })}},
	{Name: "tells-fractions-of-seconds", Permitted: true, Does: "sends messages whose iat and exp have a fraction of a second", Effects: []fault.Effect{startsWith(tellsFractionsOfSeconds)}},
	{Name: "signs-for-a-day", Proves: "ap-start-assessment-time-and-nonce", Does: "signs a message for a day", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"exp": s.now().Add(24 * time.Hour).Unix()} })}},
	{Name: "omits-message-expiry", Proves: "ap-start-assessment-time-and-nonce", Does: "leaves exp out of a message", Effects: []fault.Effect{startsWithClaim("exp", nil)}},
	{Name: "omits-message-issue-time", Proves: "ap-start-assessment-time-and-nonce", Does: "leaves iat out of a message", Effects: []fault.Effect{startsWithClaim("iat", nil)}},
	{Name: "tells-milliseconds", Proves: "ap-start-assessment-time-and-nonce", Does: "tells the times of a message in milliseconds", Effects: []fault.Effect{startsWith(tellsMilliseconds)}},
	{Name: "omits-message-nonce", Proves: "ap-start-assessment-time-and-nonce", Does: "leaves nonce out of a message", Effects: []fault.Effect{startsWithClaim("nonce", nil)}},
	{Name: "repeats-nonce-of-launch", Proves: "ap-start-assessment-time-and-nonce", Does: "sends the nonce of the launch back", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"nonce": s.checkIn.nonce} })}},
	{Name: "sends-constant-nonce", Proves: "ap-start-assessment-time-and-nonce", Does: "sends the same nonce in every message", Effects: []fault.Effect{startsWithClaim("nonce", "nonce-of-every-message")}},
	{Name: "omits-message-kid", Proves: "ap-start-assessment-signature", Does: "does not name the key of a message", Effects: []fault.Effect{signsAs(signing.WithoutKID)}},
	{Name: "signs-with-unpublished-key", Proves: "ap-start-assessment-signature", Does: "signs a message with a key that it does not publish", Effects: []fault.Effect{signsAs(signing.ByStranger)}},
	{Name: "signs-with-public-key", Proves: "ap-start-assessment-signature", Does: "signs a message with HS256 and its public key", Effects: []fault.Effect{signsAs(signing.ByPublicKey)}},
	{Name: "embeds-key", Proves: "sec-tool-message-signature", Does: "supplies its key in the header of a message", Effects: []fault.Effect{signsAs(signing.WithEmbeddedKey)}},
	{Name: "sends-first-deployment", Proves: "ap-start-assessment-deployment-id", Does: "sends the first deployment of the platform", Effects: []fault.Effect{startsWith(sendsFirstDeployment)}},
	{Name: "omits-deployment", Proves: "ap-start-assessment-deployment-id", Does: "leaves deployment_id out of a message", Effects: []fault.Effect{startsWithClaim(lti.ClaimDeploymentID, nil)}},
	{Name: "trims-session-data", Proves: "ap-start-assessment-session-data-unchanged", Does: "trims session_data", Effects: []fault.Effect{givesBack(strings.TrimSpace)}},
	{Name: "escapes-session-data", Proves: "ap-start-assessment-session-data-unchanged", Does: "escapes session_data as HTML", Effects: []fault.Effect{givesBack(html.EscapeString)}},
	{Name: "decodes-session-data", Proves: "ap-start-assessment-session-data-unchanged", Does: "URL-decodes session_data", Effects: []fault.Effect{givesBack(decodeAgain)}},
	{Name: "converts-line-breaks", Proves: "ap-start-assessment-session-data-unchanged", Does: "makes LF of CRLF in session_data", Effects: []fault.Effect{givesBack(func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") })}},
	{Name: "normalises-session-data", Proves: "ap-start-assessment-session-data-unchanged", Does: "normalises the accents in session_data", Effects: []fault.Effect{givesBack(norm.NFC.String)}},
	{Name: "loses-letters-beyond-bmp", Proves: "ap-start-assessment-session-data-unchanged", Does: "loses the letters of session_data that take four bytes", Effects: []fault.Effect{givesBack(withoutLettersBeyondBMP)}},
	{Name: "reads-session-data-as-json", Proves: "ap-start-assessment-session-data-unchanged", Does: "sends session_data that look like JSON as JSON", Effects: []fault.Effect{startMessage.Change(readsSessionDataAsJSON)}},
	{Name: "takes-session-data-zero-for-none", Proves: "ap-start-assessment-session-data-unchanged", Does: "takes the session_data 0 for none", Effects: []fault.Effect{startsExam.Add(takesSessionDataZeroForNone)}},
	{Name: "keeps-1024-of-session-data", Proves: "ap-start-assessment-session-data-long", Does: "keeps 1024 characters of session_data", Effects: []fault.Effect{givesBack(func(s string) string { return keeps(s, 1024) })}},
	{Name: "keeps-4096-of-session-data", Proves: "ap-start-assessment-session-data-long", Does: "keeps 4096 characters of session_data", Effects: []fault.Effect{givesBack(func(s string) string { return keeps(s, 4096) })}},
	{Name: "sends-link-id-alone", Proves: "ap-start-assessment-resource-link-unchanged", Does: "sends the id of the resource link alone", Effects: []fault.Effect{dropsOfLink(func(name string, _ any) bool { return name != "id" })}},
	{Name: "drops-link-description", Proves: "ap-start-assessment-resource-link-unchanged", Does: "drops the description of the resource link", Effects: []fault.Effect{dropsOfLink(func(name string, _ any) bool { return name == "description" })}},
	{Name: "drops-empty-description", Proves: "ap-start-assessment-resource-link-unchanged", Does: "drops an empty description of the resource link", Effects: []fault.Effect{dropsOfLink(func(name string, value any) bool { return name == "description" && value == "" })}},
	{Name: "drops-unknown-members", Proves: "ap-start-assessment-resource-link-unchanged", Does: "drops the members of the resource link that it does not know", Effects: []fault.Effect{dropsOfLink(dropsUnknownMembers)}},
	{Name: "always-sends-first-attempt", Proves: "ap-start-assessment-attempt-number-unchanged", Does: "sends the attempt_number 1 whatever it was", Effects: []fault.Effect{startsWithClaim(lti.ClaimAttemptNumber, 1)}},
	{Name: "sends-attempt-as-text", Proves: "ap-start-assessment-attempt-number-unchanged", Does: "sends attempt_number as a string", Effects: []fault.Effect{startsWith(sendsAttemptAsText)}},
	{Name: "makes-up-name", Proves: "ap-start-assessment-verified-user-shape", Does: "sends the given name as name where it was told no name", Effects: []fault.Effect{userVerified.Change(makesUpName)}},
	{Name: "sends-full-name", Proves: "ap-start-assessment-verified-user-shape", Does: "sends full_name in verified_user", Effects: []fault.Effect{verifiesWith("full_name", func(s *checkIn) any { return s.shownName() })}},
	{Name: "sends-verified-user-as-text", Proves: "ap-start-assessment-verified-user-shape", Does: "sends verified_user as a string", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{lti.ClaimVerifiedUser: s.checkIn.shownName()} })}},
	{Name: "sends-sub-in-verified-user", Proves: "ap-start-assessment-verified-user-without-iss-sub", Does: "sends sub in verified_user", Effects: []fault.Effect{verifiesWith("sub", func(s *checkIn) any { return s.sub })}},
	{Name: "sends-issuer-in-verified-user", Proves: "ap-start-assessment-verified-user-without-iss-sub", Does: "sends iss in verified_user", Effects: []fault.Effect{verifiesWith("iss", func(s *checkIn) any { return s.registration.Issuer })}},
	{Name: "sends-platforms-picture", Proves: "ap-start-assessment-verified-user-own-picture", Does: "sends the platform's picture as the verified one", Effects: []fault.Effect{userVerified.Change(sendsPlatformsPicture)}},
	{Name: "sends-end-return-as-text", Proves: "ap-start-assessment-end-return-boolean", Does: "sends end_assessment_return as a string", Effects: []fault.Effect{startsWithClaim(lti.ClaimEndAssessmentReturn, "true")}},
	{Name: "sends-end-return-as-number", Proves: "ap-start-assessment-end-return-boolean", Does: "sends end_assessment_return as a number", Effects: []fault.Effect{startsWithClaim(lti.ClaimEndAssessmentReturn, 1)}},
	{Name: "answers-end-with-400", Proves: "ap-tool-handles-end-assessment", Does: "closes a sitting, but answers with 400", Effects: []fault.Effect{examEnded.Change(answersEndWith400)}},
	{Name: "needs-link-at-end", Permitted: true, Does: "refuses LtiEndAssessment without resource link", Effects: []fault.Effect{endsExam.Add(needs("The message lacks a claim.", func(q *part.Message) bool { return q.Has(lti.ClaimResourceLink) }))}},
	{Name: "needs-presentation-at-end", Proves: "ap-tool-handles-end-assessment", Does: "refuses LtiEndAssessment without launch_presentation", Effects: []fault.Effect{endsExam.Add(needs("The message lacks a claim.", func(q *part.Message) bool { return q.Has(lti.ClaimLaunchPresentation) }))}},
	{Name: "ends-nowhere", Proves: "ap-tool-handles-end-assessment", Does: "shows no way back at the end", Effects: []fault.Effect{endShown.Change(endsNowhere)}},
	{Name: "loses-way-back-at-end", Proves: "ap-tool-handles-end-assessment", Does: "shows a button at the end that leads to 500", Effects: []fault.Effect{endShown.Change(losesWayBackAtEnd), part.Leaves.Take(true, nil)}},
	{Name: "ends-with-button", Permitted: true, Does: "shows a button at the end that leads back by way of the tool", Effects: []fault.Effect{endShown.Change(endsWithButton), part.Leaves.Take(true, nil)}},
	{Name: "shows-end-error-unescaped", Proves: "ap-tool-shows-end-error-safely", Does: "shows errormsg as it came", Effects: []fault.Effect{endShown.Change(showsEndErrorUnescaped)}},
	{Name: "shows-error-log", Proves: "ap-tool-shows-end-error-safely", Does: "shows errorlog to the candidate", Effects: []fault.Effect{endShown.Change(showsErrorLog)}},
	{Name: "crashes-on-error-of-other-type", Proves: "ap-tool-shows-end-error-safely", Does: "answers with 500 where errormsg is no text", Effects: []fault.Effect{examEnded.Change(crashesOnErrorOfOtherType)}},
	{Name: "closes-by-candidate-alone", Proves: "ap-tool-rejects-bad-end-assessment", Does: "closes the candidate's sitting, whatever the attempt", Effects: []fault.Effect{attemptOver.Change(closesByCandidateAlone)}},
	{Name: "closes-for-any-candidate", Proves: "ap-tool-rejects-bad-end-assessment", Does: "closes a sitting of the same assessment and attempt number, whoever the candidate is", Effects: []fault.Effect{attemptOver.Change(closesForAnyCandidate)}},
	{Name: "closes-without-attempt", Proves: "ap-tool-rejects-bad-end-assessment", Does: "closes the candidate's sitting where there is no attempt_number", Effects: []fault.Effect{attemptOfEnd.Lift(func(q *part.Message) bool { return !q.Has(lti.ClaimAttemptNumber) }), attemptOver.Change(closesWithoutAttempt)}},
	{Name: "closes-without-candidate", Proves: "ap-tool-rejects-bad-end-assessment", Does: "closes a sitting where there is no sub", Effects: []fault.Effect{candidateOfEnd.Lift(func(q *part.Message) bool { return !q.Has("sub") }), attemptOver.Change(closesWithoutCandidate)}},
	{Name: "crashes-on-second-end", Proves: "ap-tool-rejects-bad-end-assessment", Does: "answers LtiEndAssessment with 500 when it comes again", Effects: []fault.Effect{examEnded.Change(crashesOnSecondEnd)}},
	{Name: "crashes-on-bad-end", Proves: "ap-tool-rejects-bad-end-assessment", Does: "answers every LtiEndAssessment that it refuses with 500", Effects: []fault.Effect{part.Judged.Change(crashesOnBadEnd)}},
	{Name: "crashes-on-bad-exam", Proves: "ap-tool-rejects-missing-start-assessment-url", Does: "answers every exam that it refuses with 500", Effects: []fault.Effect{part.Judged.Change(crashesOnBadExam)}},
	{Name: "sends-json-media-type", Proves: "ap-acs-tool-request-form", Does: "controls with the media type application/json", Effects: []fault.Effect{orderSaid.Change(sendsJSONMediaType)}},
	{Name: "drops-control-query", Proves: "ap-acs-tool-request-form", Does: "drops the query of assessment_control_url", Effects: []fault.Effect{orderSaid.Change(dropsControlQuery)}},
	{Name: "sends-order-by-put", Proves: "ap-acs-tool-request-form", Does: "controls by PUT", Effects: []fault.Effect{orderSaid.Change(sendsOrderByPut)}},
	{Name: "sends-client-id-as-user-issuer", Proves: "ap-acs-tool-request-body", Does: "sends its client_id as user.iss", Effects: []fault.Effect{ordersWith(sendsClientIDAsUserIssuer)}},
	{Name: "sends-attempt-as-text-in-order", Proves: "ap-acs-tool-request-body", Does: "sends attempt_number as a string when it controls", Effects: []fault.Effect{ordersWith(sendsAttemptAsTextInOrder)}},
	{Name: "sends-nulls", Proves: "ap-acs-tool-request-body", Does: "sends null for a reason that there is none of", Effects: []fault.Effect{ordersWith(func(o ordering) map[string]any {
		return map[string]any{"reason_code": toolmessage.Null, "reason_msg": toolmessage.Null}
	})}},
	{Name: "escapes-ids", Proves: "ap-acs-tool-request-body", Does: "URL-encodes the ids of the candidate and the assessment", Effects: []fault.Effect{ordersWith(escapesIDs)}},
	{Name: "omits-incident-time", Proves: "ap-acs-tool-request-body", Does: "leaves incident_time out", Effects: []fault.Effect{ordersWith(func(o ordering) map[string]any { return map[string]any{"incident_time": nil} })}},
	{Name: "labels-local-time-z", Proves: "ap-acs-tool-incident-time", Does: "sends the local time as if it were UTC", Effects: []fault.Effect{ordersWith(labelsLocalTimeZ)}},
	{Name: "sends-time-without-zone", Proves: "ap-acs-tool-incident-time", Does: "sends incident_time without a zone", Effects: []fault.Effect{ordersWith(sendsTimeWithoutZone)}},
	{Name: "sends-severity-as-text", Proves: "ap-acs-tool-severity-and-extra-time", Does: "sends incident_severity as a string", Effects: []fault.Effect{ordersNumberAs("incident_severity", asText)}},
	{Name: "sends-severity-in-percent", Proves: "ap-acs-tool-severity-and-extra-time", Does: "sends incident_severity in percent", Effects: []fault.Effect{ordersNumberAs("incident_severity", inPercent)}},
	{Name: "sends-extra-time-as-text", Proves: "ap-acs-tool-severity-and-extra-time", Does: "sends extra_time as a string", Effects: []fault.Effect{ordersNumberAs("extra_time", asText)}},
	{Name: "offers-every-action", Proves: "ap-acs-tool-respects-actions", Does: "offers every action to the proctor, whatever the platform listed", Effects: []fault.Effect{controlOffered.Change(offersEveryAction)}},
	{Name: "guesses-control-url", Proves: "ap-acs-tool-respects-actions", Does: "controls without the acs claim, at a URL that it guesses", Effects: []fault.Effect{controlOffered.Change(guessesControlURL)}},
	{Name: "crashes-on-answer-types", Proves: "ap-acs-tool-handles-answers", Does: "dies of an answer to a control request that is no object, or whose status is a number", Effects: []fault.Effect{crashesOf(isOfOtherTypes)}},
	{Name: "crashes-on-answer-members", Proves: "ap-acs-tool-handles-answers", Does: "dies of an answer to a control request with members that it does not know", Effects: []fault.Effect{crashesOf(hasUnknownMembers)}},
	{Name: "repeats-failed-orders", Proves: "ap-acs-tool-handles-answers", Does: "sends what the platform did not take five times", Effects: []fault.Effect{orderRepeated.ChangeWhen(func(o ordered) bool { return o.err == nil && o.exchange.Status != http.StatusOK }, insist)}},
	{Name: "insists-without-scope", Proves: "ap-acs-tool-request-form", Does: "sends an order again and again where the platform grants it no scope", Effects: []fault.Effect{orderRepeated.ChangeWhen(func(o ordered) bool { return o.err != nil }, insist)}},
	{Name: "escapes-control-token", Proves: "sec-tool-access-token-use", Does: "escapes an access token as if it were a part of a URL, where it controls", Effects: []fault.Effect{orderSaid.Change(escapesControlToken)}},
	{Name: "never-renews-token", Proves: "ap-acs-tool-handles-answers", Does: "gives up where the platform takes its access token no more", Effects: []fault.Effect{renewsToken.Take(false, nil)}},
	{Name: "repeats-spent-token", Proves: "ap-acs-tool-handles-answers", Does: "sends the access token again that the platform takes no more", Effects: []fault.Effect{tokenInstead.ChangeWhen(always, repeatSpent)}},
	{Name: "crashes-on-empty-answer", Proves: "ap-acs-tool-handles-answers", Does: "answers the proctor with 500 where the platform answers with 204", Effects: []fault.Effect{crashesOf(func(e *part.Exchange) bool { return e.Status == http.StatusNoContent })}},
	{Name: "crashes-on-reset", Proves: "ap-acs-tool-handles-answers", Does: "answers the proctor with 500 where the platform does not answer", Effects: []fault.Effect{crashesOf(func(e *part.Exchange) bool { return e.Status == 0 })}},
	{Name: "crashes-on-failure", Proves: "ap-acs-tool-handles-answers", Does: "answers the proctor with 500 where the platform fails", Effects: []fault.Effect{crashesOf(func(e *part.Exchange) bool { return e.Status >= http.StatusInternalServerError })}},
	{Name: "crashes-on-unknown-attempt", Proves: "ap-acs-tool-handles-answers", Does: "answers the proctor with 500 where the platform knows no attempt", Effects: []fault.Effect{crashesOf(func(e *part.Exchange) bool { return e.Status == http.StatusNotFound })}},
	{Name: "crashes-on-status-none", Proves: "ap-acs-tool-handles-answers", Does: "answers the proctor with 500 where the status is none", Effects: []fault.Effect{crashesOf(tellsOfNone)}},
	{Name: "leaves-user-out", Permitted: true, Does: "sends no verified_user", Effects: []fault.Effect{startsWithClaim(lti.ClaimVerifiedUser, nil)}},
	{Name: "asks-for-no-end", Permitted: true, Does: "sends no end_assessment_return", Effects: []fault.Effect{startsWithClaim(lti.ClaimEndAssessmentReturn, nil)}},
	{Name: "sends-audience-array", Permitted: true, Does: "sends aud as an array of one", Effects: []fault.Effect{startsWith(func(s starting) lti.Claims { return lti.Claims{"aud": []string{s.checkIn.registration.Issuer}} })}},
	{Name: "starts-by-itself", Permitted: true, Does: "asks nothing of the candidate at check-in", Effects: []fault.Effect{checkInBegun.ChangeWhen(always, startsByItself)}},
	{Name: "returns-bad-exams", Permitted: true, Does: "returns a candidate whose message is genuine, but not valid, to the platform", Effects: []fault.Effect{part.Judged.Change(returnsBadExams)}},
	{Name: "returns-at-end", Permitted: true, Does: "sends the candidate to the return URL at the end", Effects: []fault.Effect{endAnswered.ChangeWhen(func(g goodbye) bool { return g.q.ReturnURL() != "" }, returnAtOnce)}},
	{Name: "refuses-large-attempt", Permitted: true, Does: "refuses an attempt_number of more than 32 bits", Effects: []fault.Effect{attemptRead.Change(refusesLargeAttempt)}},
	{Name: "sends-client-secret", Proves: "sec-tool-token-request", Does: "sends a client secret beside the assertion", Effects: []fault.Effect{part.TokenAsked.ChangeWhen(always, sendsClientSecret)}},
	{Name: "sends-basic-header", Proves: "sec-tool-token-request", Does: "sends a Basic header beside the assertion", Effects: []fault.Effect{part.TokenAsked.ChangeWhen(always, sendsBasicHeader)}},
}

func returnsBadExams(j part.Judgement) part.Judgement {
	if j.Err != nil && j.Genuine && j.As == lti.StartProctoring {
		j.Return = j.ReturnURL()
	}
	return j
}

// isExam says whether a message begins an exam, or looks like one that does.
func isExam(j part.Judgement) bool {
	return j.As == lti.StartProctoring || j.Has(lti.ClaimStartAssessmentURL)
}

func crashesOnBadExam(j part.Judgement) part.Judgement {
	if j.Err != nil && isExam(j) {
		j.Err = part.Crash{}
	}
	return j
}

func crashesOnBadEnd(j part.Judgement) part.Judgement {
	if j.Err != nil && !isExam(j) && j.As == lti.EndAssessment {
		j.Err = part.Crash{}
	}
	return j
}

func acceptsExamLinkWithoutID(q *part.Message) bool {
	link := q.Object(lti.ClaimResourceLink)
	_, hasID := link["id"]
	return link != nil && !hasID
}

func acceptsTextAsExamLink(q *part.Message) bool {
	_, isText := q.Text(lti.ClaimResourceLink)
	return isText
}

func takesSessionDataZeroForNone(q *part.Message) error {
	if q.Claims[lti.ClaimSessionData] != "0" {
		return nil
	}
	return errNoSessionData
}

func acceptsNullSessionData(q *part.Message) bool {
	return q.Has(lti.ClaimSessionData) && q.Claims[lti.ClaimSessionData] == nil
}

func acceptsObjectAsSessionData(q *part.Message) bool {
	_, isText := q.Text(lti.ClaimSessionData)
	return q.Claims[lti.ClaimSessionData] != nil && !isText
}

func acceptsNumberAsStartURL(q *part.Message) bool {
	_, isNumber := q.Claims[lti.ClaimStartAssessmentURL].(float64)
	return isNumber
}

func needsSettingsData(q *part.Message) bool {
	return q.Object(lti.ClaimProctoringSettings) == nil || q.Object(lti.ClaimProctoringSettings)["data"] != nil
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
	if !a.message.Has(lti.ClaimAttemptNumber) {
		a.number, a.ok = 0, true
	}
	return a
}

func acceptsNullAttempt(a attemptSaid) attemptSaid {
	if a.message.Has(lti.ClaimAttemptNumber) && a.value() == nil {
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

func ignoresCaseOfExamType(t part.Typed) part.Typed {
	if looksLikeStart(t) && strings.EqualFold(t.As, lti.StartProctoring) {
		t.As = lti.StartProctoring
	}
	return t
}

func takesEndForStart(t part.Typed) part.Typed {
	if looksLikeStart(t) && t.As == lti.EndAssessment {
		t.As = lti.StartProctoring
	}
	return t
}

func acceptsMissingExamType(t part.Typed) part.Typed {
	if looksLikeStart(t) && !t.Has(lti.ClaimMessageType) {
		t.As = lti.StartProctoring
	}
	return t
}

func knowsExamsByClaims(t part.Typed) part.Typed {
	if looksLikeStart(t) {
		t.As = lti.StartProctoring
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
		e.err = part.Crash{}
	}
	return e
}

func crashesOnErrorOfOtherType(e ending) ending {
	if _, isText := e.q.Text(lti.ClaimErrorMessage); e.q.Has(lti.ClaimErrorMessage) && !isText {
		e.err = part.Crash{}
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
	s.page.Log = clip(s.log, maxShown)
	return s
}

func endsNowhere(s endShowing) endShowing {
	s.page.Exit = ""
	return s
}

func endsWithButton(s endShowing) endShowing {
	if s.page.Exit != "" {
		s.page.Leave = s.p.core.URL() + part.LeavePath
	}
	return s
}

func losesWayBackAtEnd(s endShowing) endShowing {
	if s.page.Exit != "" {
		s.page.Exit, s.page.Leave = "", s.p.core.URL()+part.LeavePath
	}
	return s
}

func startsByItself(s begunCheckIn) begunCheckIn {
	s.by = func(w http.ResponseWriter) { s.p.sendStart(w, s.q.Request, s.checkIn) }
	return s
}

func tellsFractionsOfSeconds(s starting) lti.Claims {
	return lti.Claims{"iat": signing.Fractional(s.now()), "exp": signing.Fractional(s.now().Add(signing.Lifetime))}
}

func tellsMilliseconds(s starting) lti.Claims {
	return lti.Claims{"iat": s.now().UnixMilli(), "exp": s.now().Add(signing.Lifetime).UnixMilli()}
}

func sendsFirstDeployment(s starting) lti.Claims {
	return lti.Claims{lti.ClaimDeploymentID: s.checkIn.firstDeployment()}
}

func sendsAttemptAsText(s starting) lti.Claims {
	return lti.Claims{lti.ClaimAttemptNumber: string(s.checkIn.raw[lti.ClaimAttemptNumber])}
}

func readsSessionDataAsJSON(s starting) starting {
	if data := s.draft.Text(lti.ClaimSessionData); (strings.HasPrefix(data, "{") || strings.HasPrefix(data, "[")) && json.Valid([]byte(data)) {
		s.draft.Claims[lti.ClaimSessionData] = json.RawMessage(data)
	}
	return s
}

func dropsUnknownMembers(name string, _ any) bool {
	return !slices.Contains([]string{"id", "title", "description"}, name)
}

func postsIDToken(s starting) starting {
	s.draft.Field = lti.ParamIDToken
	return s
}

func postsFurtherFields(s starting) starting {
	s.draft.Form.Set("tool", s.draft.Core.URL())
	return s
}

func submitsByGet(s starting) starting {
	s.draft.Method = http.MethodGet
	return s
}

func dropsStartQuery(s starting) starting {
	s.draft.To, _, _ = strings.Cut(s.draft.To, "?")
	return s
}

func decodesStartPath(s starting) starting {
	if u, err := url.Parse(s.draft.To); err == nil && u.RawPath != "" {
		u.RawPath = ""
		s.draft.To = u.String()
	}
	return s
}

func sendsClientIDAsUserIssuer(o ordering) map[string]any {
	return map[string]any{"user": lti.ControlUser{Issuer: o.checkIn.registration.ClientID, Sub: o.checkIn.sub}}
}

func sendsAttemptAsTextInOrder(o ordering) map[string]any {
	return map[string]any{"attempt_number": string(integer(o.checkIn.number))}
}

func escapesIDs(o ordering) map[string]any {
	return map[string]any{"user": lti.ControlUser{Issuer: o.checkIn.registration.Issuer, Sub: url.QueryEscape(o.checkIn.sub)}, "resource_link": lti.ControlResourceLink{ID: url.QueryEscape(o.checkIn.link)}}
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
	o.draft.bearing.Token = url.QueryEscape(o.draft.bearing.Token)
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

func crashesWithoutReturnURL(s *checkIn) error {
	if s.returnURL != "" {
		return nil
	}
	return part.Crash{}
}

func keepsCancelledCandidate(c cancelling) cancelling {
	c.to = ""
	return c
}

func returnsWithoutReason(c cancelling) cancelling {
	c.to = c.checkIn.returnURL
	return c
}

func makesUpName(v verifying) verifying {
	if given, _ := v.message.Text("given_name"); given != "" {
		if name, _ := v.message.Text("name"); name == "" {
			v.user["name"] = given
		}
	}
	return v
}

func sendsPlatformsPicture(v verifying) verifying {
	if picture, _ := v.message.Text("picture"); picture != "" {
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
	if !o.message.Has(lti.ClaimACS) && o.tokenURL != "" {
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

func sendsClientSecret(d part.TokenDraft) part.TokenDraft {
	d.Form.Set("client_secret", "secret")
	return d
}

func sendsBasicHeader(d part.TokenDraft) part.TokenDraft {
	d.Basic = d.Platform.ClientID
	return d
}
