package proctoring

import (
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// LogOfError is what errorlog says in the stimuli of LtiEndAssessment: no page may
// show it.
const LogOfError = "invigilator: stack trace of the assessment"

// examStimuli are those of the messages of proctoring (Proctoring Services 1.0, 4.2
// and 4.4). Those of LtiEndAssessment are for launches about an [End].
var examStimuli = slices.Concat(
	refusedFor("ap-tool-rejects-missing-start-assessment-url",
		stimulus{"start-url-absent", "leaves start_assessment_url out", without(lti.ClaimStartAssessmentURL)},
		stimulus{"start-url-empty", "sends an empty start_assessment_url", with(lti.ClaimStartAssessmentURL, "")},
		stimulus{"start-url-number", "sends a number as start_assessment_url", with(lti.ClaimStartAssessmentURL, 7)},
		stimulus{"start-url-relative", "sends the path of start_assessment_url alone", changed(lti.ClaimStartAssessmentURL, func(s string) string {
			u, _ := url.Parse(s) // it is the platform's own
			return u.RequestURI()
		})},
		stimulus{"start-url-javascript", "sends a javascript: URL as start_assessment_url", with(lti.ClaimStartAssessmentURL, "javascript:"+part.Script)},
		stimulus{"start-url-data", "sends a data: URL as start_assessment_url", with(lti.ClaimStartAssessmentURL, "data:text/html,<script>"+part.Script+"</script>")},
	),
	refusedFor("ap-tool-rejects-http-start-assessment-url",
		stimulus{"start-url-plain-http", "sends an http URL of another host as start_assessment_url", with(lti.ClaimStartAssessmentURL, "http://stranger.example/start-assessment")},
	),
	refusedFor("ap-tool-rejects-missing-session-data",
		stimulus{"session-data-absent", "leaves session_data out", without(lti.ClaimSessionData)},
		stimulus{"session-data-empty", "sends an empty session_data", with(lti.ClaimSessionData, "")},
		stimulus{"session-data-null", "sends null as session_data", with(lti.ClaimSessionData, nil)},
		stimulus{"session-data-object", "sends an object as session_data", func(d *part.Saying) {
			d.Claims[lti.ClaimSessionData] = map[string]any{"token": d.Claims[lti.ClaimSessionData]}
		}},
	),
	refusedFor("ap-tool-rejects-missing-attempt-number",
		stimulus{"attempt-number-absent", "leaves attempt_number out", without(lti.ClaimAttemptNumber)},
		stimulus{"attempt-number-null", "sends null as attempt_number", with(lti.ClaimAttemptNumber, nil)},
	),
	refusedFor("ap-tool-rejects-invalid-attempt-number",
		stimulus{"attempt-number-zero", "sends 0 as attempt_number", with(lti.ClaimAttemptNumber, 0)},
		stimulus{"attempt-number-negative", "sends -1 as attempt_number", with(lti.ClaimAttemptNumber, -1)},
		stimulus{"attempt-number-fraction", "sends 1.5 as attempt_number", with(lti.ClaimAttemptNumber, 1.5)},
		stimulus{"attempt-number-numeric-string", `sends the string "1" as attempt_number`, with(lti.ClaimAttemptNumber, "1")},
		stimulus{"attempt-number-word", `sends the string "abc" as attempt_number`, with(lti.ClaimAttemptNumber, "abc")},
		stimulus{"attempt-number-true", "sends true as attempt_number", with(lti.ClaimAttemptNumber, true)},
	),
	acceptedFor("ap-tool-rejects-invalid-attempt-number",
		stimulus{"attempt-number-large", "sends 2147483648 as attempt_number", with(lti.ClaimAttemptNumber, int64(1)<<31)},
	),
	refusedFor("ap-tool-rejects-missing-resource-link",
		stimulus{"exam-link-absent", "leaves resource_link out of an exam", without(lti.ClaimResourceLink)},
		stimulus{"exam-link-without-members", "sends an empty resource_link in an exam", with(lti.ClaimResourceLink, map[string]any{})},
		stimulus{"exam-link-id-empty", "sends an empty id of the resource_link in an exam", examLink("id", "")},
		stimulus{"exam-link-string", "sends the id alone as resource_link in an exam", func(d *part.Saying) { d.Claims[lti.ClaimResourceLink] = d.Plan.ResourceLink }},
	),
	refusedFor("ap-tool-rejects-missing-sub",
		stimulus{"exam-sub-absent", "leaves sub out of an exam", without("sub")},
		stimulus{"exam-sub-empty", "sends an empty sub in an exam", with("sub", "")},
	),
	acceptedFor("ap-tool-ignores-roles",
		stimulus{"exam-roles-empty", "sends no role in an exam", roles()},
		stimulus{"exam-roles-instructor", "sends the role of an instructor alone in an exam", roles(lti.RoleInstructor)},
		stimulus{"exam-roles-administrator", "sends the system role of an administrator alone in an exam", roles(roleSystemAdministrator)},
		stimulus{"exam-roles-unknown", "sends a role of no vocabulary alone in an exam", roles(roleOfVendor)},
	),
	acceptedFor("ap-tool-tolerates-unknown-content",
		stimulus{"exam-vendor-claim", "sends a claim of a vendor in an exam", with("https://school.example/claims/room", map[string]any{"seat": 7})},
		stimulus{"exam-unknown-action", "offers an action that does not exist beside the known ones", offers("teleport")},
		stimulus{"exam-settings-without-data", "sends proctoring_settings without data", with(lti.ClaimProctoringSettings, map[string]any{"profile": "strict"})},
		stimulus{"exam-optional-claims-absent", "sends an exam with the required claims alone", requiredAlone},
	),
	acceptedFor("ap-tool-numeric-date",
		stimulus{"exam-iat-with-fraction", "sends an exam whose iat has a fraction of a second", fraction("iat", -2)},
		stimulus{"exam-exp-with-fraction", "sends an exam whose exp has a fraction of a second", fraction("exp", 300)},
	),
	refusedFor("ap-tool-rejects-message-type-confusion",
		stimulus{"exam-type-resource-link", "sends an exam with the message_type of a resource link launch", with(lti.ClaimMessageType, lti.ResourceLinkRequest)},
		stimulus{"exam-type-start-assessment", "sends an exam with the message_type of the tool's answer", with(lti.ClaimMessageType, lti.StartAssessment)},
		stimulus{"exam-type-lower-case", "sends an exam with its message_type in lower case", changed(lti.ClaimMessageType, strings.ToLower)},
		stimulus{"exam-type-end-assessment", "sends an exam with the message_type of its end", with(lti.ClaimMessageType, lti.EndAssessment)},
		stimulus{"exam-type-absent", "leaves message_type out of an exam", without(lti.ClaimMessageType)},
	),
	refusedFor("ap-tool-verifies-id-token",
		stimulus{"exam-aud-other", "sends an exam for another tool", changed("aud", part.Alter)},
		stimulus{"exam-iss-other", "sends an exam of another issuer", with("iss", "https://unknown-issuer.example")},
		stimulus{"exam-exp-past", "sends an exam that expired 10 minutes ago", at("exp", -600)},
		stimulus{"exam-deployment-unknown", "sends an exam of an unknown deployment", changed(lti.ClaimDeploymentID, part.Alter)},
	),
	[]fault.Fault{
		{
			Name: "exam-nonce-foreign", Provokes: "ap-tool-verifies-id-token", Borrows: true,
			Does: "sends an exam with the nonce of another login", InMessage: true, Effects: []fault.Effect{says(proctored, func(d *part.Saying) { d.Claims["nonce"] = d.Other().Get(lti.ParamNonce) })},
		}, {
			Name: "exam-signed-by-other-key", Provokes: "ap-tool-verifies-id-token",
			Does: "signs an exam with a key that was never published, under the kid of the published one", InMessage: true, Effects: []fault.Effect{signs(part.ByUnpublishedKey)},
		}, {
			Name: "exam-alg-none", Provokes: "ap-tool-verifies-id-token",
			Does: "sends an exam with alg none in its header and no signature", InMessage: true, Effects: []fault.Effect{signs(part.ByNothing)},
		}, {
			Name: "exam-state-absent", Provokes: "ap-tool-verifies-id-token",
			Does: "leaves the state out of the answer with an exam", Effects: []fault.Effect{responds(func(a *part.Answer) { a.Fields.Del(lti.ParamState) })},
		}, {
			Name: "exam-state-foreign", Provokes: "ap-tool-verifies-id-token", Borrows: true,
			Does: "sends an exam with the state of another login", Effects: []fault.Effect{responds(func(a *part.Answer) { a.Fields.Set(lti.ParamState, a.Other().Get(lti.ParamState)) })},
		}, {
			Name: "exam-posted-twice", Provokes: "ap-tool-verifies-id-token",
			Does: "answers with the id_token and state of the exam before, which another browser has posted", Effects: []fault.Effect{responds(func(a *part.Answer) { a.Fields = own(a.Launch).examBefore() })},
		},
	},
	acceptedFor("ap-tool-error-return",
		stimulus{"cancelled-with-query", "sends an exam whose return_url has a query and a fragment", returnWithQuery},
		stimulus{"cancelled-without-query", "sends an exam whose return_url has no query", func(*part.Saying) {}},
		stimulus{"cancelled-without-return-url", "sends an exam without return_url", withoutReturnURL},
	),
	acceptedFor("ap-tool-ignores-unverified-email",
		stimulus{"email-unverified", "says of the email that nobody has verified it", both(someEmail, with("email_verified", false))},
		stimulus{"email-flag-absent", "does not say whether somebody has verified the email", both(someEmail, without("email_verified"))},
	),
	acceptedFor("ap-start-assessment-form-post-jwt",
		stimulus{"start-url-odd", "sends a start_assessment_url with an escaped slash in its path, and in its query & and letters beyond ASCII", changed(lti.ClaimStartAssessmentURL, func(s string) string {
			return s + "/part%2Ftwo?a=1&b=x%26y&città=Zoë"
		})},
	),
	acceptedFor("ap-start-assessment-session-data-unchanged",
		stimulus{"session-data-punctuation", "sends session_data with punctuation", changed(lti.ClaimSessionData, func(s string) string { return s + `<>&"'+/=%20\` })},
		stimulus{"session-data-spaces", "sends session_data with spaces at its ends", changed(lti.ClaimSessionData, func(s string) string { return "  " + s + "  " })},
		stimulus{"session-data-line-breaks", "sends session_data with a newline, a tab and CRLF", changed(lti.ClaimSessionData, func(s string) string { return s + "\none\ttwo\r\nthree" })},
		stimulus{"session-data-unicode", "sends session_data with letters beyond the BMP and combining accents", changed(lti.ClaimSessionData, func(s string) string { return s + "🦉𝒳e\u0301" })},
		stimulus{"session-data-like-json", "sends session_data that looks like JSON", changed(lti.ClaimSessionData, func(s string) string { return `{"token": "` + s + `", "n": [1, 2.0]}` })},
		stimulus{"session-data-like-jwt", "sends session_data that looks like a JWT", changed(lti.ClaimSessionData, func(s string) string { return "eyJhbGciOiJIUzI1NiJ9.eyJhdHRlbXB0IjoxfQ." + s })},
		stimulus{"session-data-zero", "sends the string 0 as session_data", with(lti.ClaimSessionData, "0")},
	),
	acceptedFor("ap-start-assessment-session-data-long",
		stimulus{"session-data-2-kib", "sends session_data of 2 KiB", changed(lti.ClaimSessionData, filledTo(2<<10))},
		stimulus{"session-data-8-kib", "sends session_data of 8 KiB", changed(lti.ClaimSessionData, filledTo(8<<10))},
	),
	acceptedFor("ap-start-assessment-resource-link-unchanged",
		stimulus{"exam-link-title-and-description", "sends resource_link with id, title and description", both(examLink("title", "Final exam"), examLink("description", "Chapters 1 to 7"))},
		stimulus{"exam-link-empty-description", "sends resource_link with an empty description", examLink("description", "")},
		stimulus{"exam-link-further-member", "sends resource_link with a member that is named by a URL", examLink("https://school.example/claims/weight", 0.5)},
	),
	acceptedFor("ap-start-assessment-attempt-number-unchanged",
		stimulus{"attempt-number-1", "sends 1 as attempt_number", with(lti.ClaimAttemptNumber, 1)},
		stimulus{"attempt-number-2", "sends 2 as attempt_number", with(lti.ClaimAttemptNumber, 2)},
		stimulus{"attempt-number-29", "sends 29 as attempt_number", with(lti.ClaimAttemptNumber, 29)},
		stimulus{"attempt-number-1000000", "sends 1000000 as attempt_number", with(lti.ClaimAttemptNumber, 1000000)},
	),
	acceptedFor("ap-start-assessment-verified-user-shape",
		stimulus{"only-given-name", "sends given_name alone of the candidate's names", without("name", "middle_name", "family_name")},
		stimulus{"no-names", "sends no name of the candidate", without(names...)},
	),
	acceptedFor("ap-start-assessment-verified-user-own-picture",
		stimulus{"platform-picture", "sends the platform's picture of the candidate", with("picture", "https://school.example/pictures/candidate.png")},
	),

	// LtiEndAssessment.
	acceptedFor("ap-tool-handles-end-assessment",
		stimulus{"end-with-everything", "tells of the end with every claim", func(*part.Saying) {}},
		stimulus{"end-with-required-claims-alone", "tells of the end with the required claims and resource_link alone", requiredAlone},
	),
	acceptedFor("ap-tool-shows-end-error-safely",
		stimulus{"end-error-script", "tells of an error with a script", failing(part.ScriptMarkup, LogOfError+part.ScriptMarkup)},
		stimulus{"end-error-quotes", "tells of an error with quotes and entities", failing(`"It" isn't &lt;over&gt; &amp; <done`, LogOfError+` "'&lt;&quot;`)},
		stimulus{"end-error-long", "tells of an error in 10 kB", failing(strings.Repeat("It went on. ", 850), LogOfError+strings.Repeat(" and on", 1450))},
		stimulus{"end-error-types", "sends a number and an object as errormsg and errorlog", failing(500, map[string]any{"log": LogOfError})},
	),
	refusedFor("ap-tool-rejects-bad-end-assessment",
		stimulus{"end-attempt-absent", "tells of the end without attempt_number", without(lti.ClaimAttemptNumber)},
		stimulus{"end-attempt-other", "tells of the end of the attempt after this one", func(d *part.Saying) { d.Claims[lti.ClaimAttemptNumber] = own(d.Launch).attempt.Number() + 1 }},
		stimulus{"end-sub-other", "tells of the end of another candidate's attempt", changed("sub", part.Alter)},
		stimulus{"end-sub-absent", "tells of the end without sub", without("sub")},
	),
	[]fault.Fault{{
		Name: "end-signed-by-other-key", Provokes: "ap-tool-rejects-bad-end-assessment",
		Does: "tells of the end with a key that was never published, under the kid of the published one", InMessage: true, Effects: []fault.Effect{signs(part.ByUnpublishedKey)},
	}},
	acceptedFor("ap-tool-rejects-bad-end-assessment",
		stimulus{"end-twice", "tells of the end, which is told again", func(*part.Saying) {}},
	),
)

// Roles that stimuli send: of a vocabulary (LTI Core 1.3, A.2.1), and of none.
const (
	roleSystemAdministrator = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
	roleOfVendor            = "https://school.example/roles#Candidate"
)

// A stimulus is a change of the claims.
type stimulus struct {
	name, does string
	claims     change
}

// refusedFor are stimuli that a tool has to refuse, and acceptedFor those that it
// has to accept.
func refusedFor(requirement string, stimuli ...stimulus) []fault.Fault {
	var faults []fault.Fault
	for _, s := range stimuli {
		faults = append(faults, fault.Fault{
			Name: s.name, Provokes: requirement, Does: s.does, InMessage: true, Effects: []fault.Effect{says(proctored, s.claims)},
		})
	}
	return faults
}

func acceptedFor(requirement string, stimuli ...stimulus) []fault.Fault {
	faults := refusedFor(requirement, stimuli...)
	for i := range faults {
		faults[i].Permitted = true
	}
	return faults
}

// examBefore is the answer of the tool's latest exam before this one, where it was
// an ordinary one; nothing where there is none.
func (l *Launch) examBefore() url.Values {
	for _, before := range l.exams.find(func(b *Launch, _ statement) bool {
		return b != l && !b.Plan().Faulty && b.Plan().ClientID == l.Plan().ClientID && b.Plan().Message == lti.StartProctoring
	}) {
		if fields := before.Answered(); fields != nil {
			return fields
		}
	}
	return url.Values{}
}

func examLink(member string, value any) change {
	return func(d *part.Saying) { set(d, lti.ClaimResourceLink, member, value) }
}

// requiredAlone leaves out what no message of proctoring has to say.
func requiredAlone(d *part.Saying) {
	without(append([]string{
		"email", "email_verified", "locale", "picture", lti.ClaimContext, lti.ClaimCustom, lti.ClaimToolPlatform, lti.ClaimLaunchPresentation, lti.ClaimLIS,
		lti.ClaimACS, lti.ClaimProctoringSettings,
	}, names...)...)(d)
	d.Claims[lti.ClaimResourceLink] = map[string]any{"id": d.Plan.ResourceLink}
	d.Plan.Needs.Keep(d.Claims)
}

// returnWithQuery gives the launch a return URL that has to be added to.
func returnWithQuery(d *part.Saying) {
	object, _ := d.Claims[lti.ClaimLaunchPresentation].(map[string]any)
	address, _ := object["return_url"].(string)
	set(d, lti.ClaimLaunchPresentation, "return_url", address+"?"+part.ReturnQuery+"#frag")
}

func withoutReturnURL(d *part.Saying) {
	part.WithoutMember(d.Claims, lti.ClaimLaunchPresentation, "return_url")
}

// someEmail sends one where the candidate has none.
func someEmail(d *part.Saying) {
	if _, sent := d.Claims["email"]; !sent {
		d.Claims["email"] = "candidate@school.example"
	}
}

// filledTo adds characters up to a size.
func filledTo(size int) func(string) string {
	return func(s string) string {
		return s + strings.Repeat("0123456789abcdef", size/16)[:max(0, size-len(s))]
	}
}

// failing says that an error has ended the attempt.
func failing(message, log any) change {
	return both(with(lti.ClaimErrorMessage, message), with(lti.ClaimErrorLog, log))
}
