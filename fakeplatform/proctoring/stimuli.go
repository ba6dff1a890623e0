package proctoring

import (
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// LogOfError is what errorlog says in the stimuli of LtiEndAssessment: no page may
// show it.
const LogOfError = "invigilator: stack trace of the assessment"

// examStimuli are those of the messages of proctoring (Proctoring Services 1.0, 4.2
// and 4.4). Those of LtiEndAssessment are for launches about an [End].
var examStimuli = slices.Concat(
	saying.Refused("ap-tool-rejects-missing-start-assessment-url", proctored,
		saying.Case("start-url-absent", "leaves start_assessment_url out", saying.Without(lti.ClaimStartAssessmentURL)),
		saying.Case("start-url-empty", "sends an empty start_assessment_url", saying.With(lti.ClaimStartAssessmentURL, "")),
		saying.Case("start-url-number", "sends a number as start_assessment_url", saying.With(lti.ClaimStartAssessmentURL, 7)),
		saying.Case("start-url-relative", "sends the path of start_assessment_url alone", saying.Changed(lti.ClaimStartAssessmentURL, func(s string) string {
			u, _ := url.Parse(s) // it is the platform's own
			return u.RequestURI()
		})),
		saying.Case("start-url-javascript", "sends a javascript: URL as start_assessment_url", saying.With(lti.ClaimStartAssessmentURL, "javascript:"+part.Script)),
		saying.Case("start-url-data", "sends a data: URL as start_assessment_url", saying.With(lti.ClaimStartAssessmentURL, "data:text/html,<script>"+part.Script+"</script>")),
	),
	saying.Refused("ap-tool-rejects-http-start-assessment-url", proctored,
		saying.Case("start-url-plain-http", "sends an http URL of another host as start_assessment_url", saying.With(lti.ClaimStartAssessmentURL, "http://stranger.example/start-assessment")),
	),
	saying.Refused("ap-tool-rejects-missing-session-data", proctored,
		saying.Case("session-data-absent", "leaves session_data out", saying.Without(lti.ClaimSessionData)),
		saying.Case("session-data-empty", "sends an empty session_data", saying.With(lti.ClaimSessionData, "")),
		saying.Case("session-data-null", "sends null as session_data", saying.With(lti.ClaimSessionData, nil)),
		saying.Case("session-data-object", "sends an object as session_data", func(d *part.Saying) {
			d.Claims[lti.ClaimSessionData] = map[string]any{"token": d.Claims[lti.ClaimSessionData]}
		}),
	),
	saying.Refused("ap-tool-rejects-missing-attempt-number", proctored,
		saying.Case("attempt-number-absent", "leaves attempt_number out", saying.Without(lti.ClaimAttemptNumber)),
		saying.Case("attempt-number-null", "sends null as attempt_number", saying.With(lti.ClaimAttemptNumber, nil)),
	),
	saying.Refused("ap-tool-rejects-invalid-attempt-number", proctored,
		saying.Case("attempt-number-zero", "sends 0 as attempt_number", saying.With(lti.ClaimAttemptNumber, 0)),
		saying.Case("attempt-number-negative", "sends -1 as attempt_number", saying.With(lti.ClaimAttemptNumber, -1)),
		saying.Case("attempt-number-fraction", "sends 1.5 as attempt_number", saying.With(lti.ClaimAttemptNumber, 1.5)),
		saying.Case("attempt-number-numeric-string", `sends the string "1" as attempt_number`, saying.With(lti.ClaimAttemptNumber, "1")),
		saying.Case("attempt-number-word", `sends the string "abc" as attempt_number`, saying.With(lti.ClaimAttemptNumber, "abc")),
		saying.Case("attempt-number-true", "sends true as attempt_number", saying.With(lti.ClaimAttemptNumber, true)),
	),
	saying.Accepted("ap-tool-rejects-invalid-attempt-number", proctored,
		saying.Case("attempt-number-large", "sends 2147483648 as attempt_number", saying.With(lti.ClaimAttemptNumber, int64(1)<<31)),
	),
	saying.Refused("ap-tool-rejects-missing-resource-link", proctored,
		saying.Case("exam-link-absent", "leaves resource_link out of an exam", saying.Without(lti.ClaimResourceLink)),
		saying.Case("exam-link-without-members", "sends an empty resource_link in an exam", saying.With(lti.ClaimResourceLink, map[string]any{})),
		saying.Case("exam-link-id-empty", "sends an empty id of the resource_link in an exam", examLink("id", "")),
		saying.Case("exam-link-string", "sends the id alone as resource_link in an exam", func(d *part.Saying) { d.Claims[lti.ClaimResourceLink] = d.Plan.ResourceLink }),
	),
	saying.Refused("ap-tool-rejects-missing-sub", proctored,
		saying.Case("exam-sub-absent", "leaves sub out of an exam", saying.Without("sub")),
		saying.Case("exam-sub-empty", "sends an empty sub in an exam", saying.With("sub", "")),
	),
	saying.Accepted("ap-tool-ignores-roles", proctored,
		saying.Case("exam-roles-empty", "sends no role in an exam", saying.Roles()),
		saying.Case("exam-roles-instructor", "sends the role of an instructor alone in an exam", saying.Roles(lti.RoleInstructor)),
		saying.Case("exam-roles-administrator", "sends the system role of an administrator alone in an exam", saying.Roles(roleSystemAdministrator)),
		saying.Case("exam-roles-unknown", "sends a role of no vocabulary alone in an exam", saying.Roles(roleOfVendor)),
	),
	saying.Accepted("ap-tool-tolerates-unknown-content", proctored,
		saying.Case("exam-vendor-claim", "sends a claim of a vendor in an exam", saying.With("https://school.example/claims/room", map[string]any{"seat": 7})),
		saying.Case("exam-unknown-action", "offers an action that does not exist beside the known ones", offers("teleport")),
		saying.Case("exam-settings-without-data", "sends proctoring_settings without data", saying.With(lti.ClaimProctoringSettings, map[string]any{"profile": "strict"})),
		saying.Case("exam-optional-claims-absent", "sends an exam with the required claims alone", requiredAlone),
	),
	saying.Accepted("ap-tool-numeric-date", proctored,
		saying.Case("exam-iat-with-fraction", "sends an exam whose iat has a fraction of a second", saying.Fraction("iat", -2)),
		saying.Case("exam-exp-with-fraction", "sends an exam whose exp has a fraction of a second", saying.Fraction("exp", 300)),
	),
	saying.Refused("ap-tool-rejects-message-type-confusion", proctored,
		saying.Case("exam-type-resource-link", "sends an exam with the message_type of a resource link launch", saying.With(lti.ClaimMessageType, lti.ResourceLinkRequest)),
		saying.Case("exam-type-start-assessment", "sends an exam with the message_type of the tool's answer", saying.With(lti.ClaimMessageType, lti.StartAssessment)),
		saying.Case("exam-type-lower-case", "sends an exam with its message_type in lower case", saying.Changed(lti.ClaimMessageType, strings.ToLower)),
		saying.Case("exam-type-end-assessment", "sends an exam with the message_type of its end", saying.With(lti.ClaimMessageType, lti.EndAssessment)),
		saying.Case("exam-type-absent", "leaves message_type out of an exam", saying.Without(lti.ClaimMessageType)),
	),
	saying.Refused("ap-tool-verifies-id-token", proctored,
		saying.Case("exam-aud-other", "sends an exam for another tool", saying.Changed("aud", part.Alter)),
		saying.Case("exam-iss-other", "sends an exam of another issuer", saying.With("iss", "https://unknown-issuer.example")),
		saying.Case("exam-exp-past", "sends an exam that expired 10 minutes ago", saying.At("exp", -600)),
		saying.Case("exam-deployment-unknown", "sends an exam of an unknown deployment", saying.Changed(lti.ClaimDeploymentID, part.Alter)),
	),
	[]fault.Fault{
		{
			Name: "exam-nonce-foreign", Provokes: "ap-tool-verifies-id-token", Borrows: fault.OtherLaunch,
			Does: "sends an exam with the nonce of another login", Effects: []fault.Effect{saying.Effect(proctored, func(d *part.Saying) { d.Claims["nonce"] = d.Other().Get(lti.ParamNonce) })},
		}, {
			Name: "exam-signed-by-other-key", Provokes: "ap-tool-verifies-id-token",
			Does: "signs an exam with a key that was never published, under the kid of the published one", Effects: []fault.Effect{saying.Signs(proctored, part.ByUnpublishedKey)},
		}, {
			Name: "exam-alg-none", Provokes: "ap-tool-verifies-id-token",
			Does: "sends an exam with alg none in its header and no signature", Effects: []fault.Effect{saying.Signs(proctored, part.ByNothing)},
		}, {
			Name: "exam-state-absent", Provokes: "ap-tool-verifies-id-token",
			Does: "leaves the state out of the answer with an exam", Effects: []fault.Effect{saying.Responds(proctored, func(a *part.Answer) { a.Fields.Del(lti.ParamState) })},
		}, {
			Name: "exam-state-foreign", Provokes: "ap-tool-verifies-id-token", Borrows: fault.OtherLaunch,
			Does: "sends an exam with the state of another login", Effects: []fault.Effect{saying.Responds(proctored, func(a *part.Answer) { a.Fields.Set(lti.ParamState, a.Other().Get(lti.ParamState)) })},
		}, {
			Name: "exam-posted-twice", Provokes: "ap-tool-verifies-id-token",
			Does: "answers with the id_token and state of the exam before, which another browser has posted", Effects: []fault.Effect{saying.Responds(proctored, func(a *part.Answer) { a.Fields = own(a.Launch).examBefore() })},
		},
	},
	saying.Accepted("ap-tool-error-return", proctored,
		saying.Case("cancelled-with-query", "sends an exam whose return_url has a query and a fragment", returnWithQuery),
		saying.Case("cancelled-without-query", "sends an exam whose return_url has no query", func(*part.Saying) {}),
		saying.Case("cancelled-without-return-url", "sends an exam without return_url", saying.WithoutReturnURL),
	),
	saying.Accepted("ap-tool-ignores-unverified-email", proctored,
		saying.Case("email-unverified", "says of the email that nobody has verified it", saying.Both(someEmail, saying.With("email_verified", false))),
		saying.Case("email-flag-absent", "does not say whether somebody has verified the email", saying.Both(someEmail, saying.Without("email_verified"))),
	),
	saying.Accepted("ap-start-assessment-form-post-jwt", proctored,
		saying.Case("start-url-odd", "sends a start_assessment_url with an escaped slash in its path, and in its query & and letters beyond ASCII", saying.Changed(lti.ClaimStartAssessmentURL, func(s string) string {
			return s + "/part%2Ftwo?a=1&b=x%26y&città=Zoë"
		})),
	),
	saying.Accepted("ap-start-assessment-session-data-unchanged", proctored,
		saying.Case("session-data-punctuation", "sends session_data with punctuation", saying.Changed(lti.ClaimSessionData, func(s string) string { return s + `<>&"'+/=%20\` })),
		saying.Case("session-data-spaces", "sends session_data with spaces at its ends", saying.Changed(lti.ClaimSessionData, func(s string) string { return "  " + s + "  " })),
		saying.Case("session-data-line-breaks", "sends session_data with a newline, a tab and CRLF", saying.Changed(lti.ClaimSessionData, func(s string) string { return s + "\none\ttwo\r\nthree" })),
		saying.Case("session-data-unicode", "sends session_data with letters beyond the BMP and combining accents", saying.Changed(lti.ClaimSessionData, func(s string) string { return s + "🦉𝒳e\u0301" })),
		saying.Case("session-data-like-json", "sends session_data that looks like JSON", saying.Changed(lti.ClaimSessionData, func(s string) string { return `{"token": "` + s + `", "n": [1, 2.0]}` })),
		saying.Case("session-data-like-jwt", "sends session_data that looks like a JWT", saying.Changed(lti.ClaimSessionData, func(s string) string { return "eyJhbGciOiJIUzI1NiJ9.eyJhdHRlbXB0IjoxfQ." + s })),
		saying.Case("session-data-zero", "sends the string 0 as session_data", saying.With(lti.ClaimSessionData, "0")),
	),
	saying.Accepted("ap-start-assessment-session-data-long", proctored,
		saying.Case("session-data-2-kib", "sends session_data of 2 KiB", saying.Changed(lti.ClaimSessionData, filledTo(2<<10))),
		saying.Case("session-data-8-kib", "sends session_data of 8 KiB", saying.Changed(lti.ClaimSessionData, filledTo(8<<10))),
	),
	saying.Accepted("ap-start-assessment-resource-link-unchanged", proctored,
		saying.Case("exam-link-title-and-description", "sends resource_link with id, title and description", saying.Both(examLink("title", "Final exam"), examLink("description", "Chapters 1 to 7"))),
		saying.Case("exam-link-empty-description", "sends resource_link with an empty description", examLink("description", "")),
		saying.Case("exam-link-further-member", "sends resource_link with a member that is named by a URL", examLink("https://school.example/claims/weight", 0.5)),
	),
	saying.Accepted("ap-start-assessment-attempt-number-unchanged", proctored,
		saying.Case("attempt-number-1", "sends 1 as attempt_number", saying.With(lti.ClaimAttemptNumber, 1)),
		saying.Case("attempt-number-2", "sends 2 as attempt_number", saying.With(lti.ClaimAttemptNumber, 2)),
		saying.Case("attempt-number-29", "sends 29 as attempt_number", saying.With(lti.ClaimAttemptNumber, 29)),
		saying.Case("attempt-number-1000000", "sends 1000000 as attempt_number", saying.With(lti.ClaimAttemptNumber, 1000000)),
	),
	saying.Accepted("ap-start-assessment-verified-user-shape", proctored,
		saying.Case("only-given-name", "sends given_name alone of the candidate's names", saying.Without("name", "middle_name", "family_name")),
		saying.Case("no-names", "sends no name of the candidate", saying.Without(names...)),
	),
	saying.Accepted("ap-start-assessment-verified-user-own-picture", proctored,
		saying.Case("platform-picture", "sends the platform's picture of the candidate", saying.With("picture", "https://school.example/pictures/candidate.png")),
	),

	// LtiEndAssessment.
	saying.Accepted("ap-tool-handles-end-assessment", proctored,
		saying.Case("end-with-everything", "tells of the end with every claim", func(*part.Saying) {}),
		saying.Case("end-with-required-claims-alone", "tells of the end with the required claims and resource_link alone", requiredAlone),
	),
	saying.Accepted("ap-tool-shows-end-error-safely", proctored,
		saying.Case("end-error-script", "tells of an error with a script", failing(part.ScriptMarkup, LogOfError+part.ScriptMarkup)),
		saying.Case("end-error-quotes", "tells of an error with quotes and entities", failing(`"It" isn't &lt;over&gt; &amp; <done`, LogOfError+` "'&lt;&quot;`)),
		saying.Case("end-error-long", "tells of an error in 10 kB", failing(strings.Repeat("It went on. ", 850), LogOfError+strings.Repeat(" and on", 1450))),
		saying.Case("end-error-types", "sends a number and an object as errormsg and errorlog", failing(500, map[string]any{"log": LogOfError})),
	),
	saying.Refused("ap-tool-rejects-bad-end-assessment", proctored,
		saying.Case("end-attempt-absent", "tells of the end without attempt_number", saying.Without(lti.ClaimAttemptNumber)),
		saying.Case("end-attempt-other", "tells of the end of the attempt after this one", func(d *part.Saying) { d.Claims[lti.ClaimAttemptNumber] = own(d.Launch).attempt.Number() + 1 }),
		saying.Case("end-sub-other", "tells of the end of another candidate's attempt", saying.Changed("sub", part.Alter)),
		saying.Case("end-sub-absent", "tells of the end without sub", saying.Without("sub")),
	),
	[]fault.Fault{{
		Name: "end-signed-by-other-key", Provokes: "ap-tool-rejects-bad-end-assessment",
		Does: "tells of the end with a key that was never published, under the kid of the published one", Effects: []fault.Effect{saying.Signs(proctored, part.ByUnpublishedKey)},
	}},
	saying.Accepted("ap-tool-rejects-bad-end-assessment", proctored,
		saying.Case("end-twice", "tells of the end, which is told again", func(*part.Saying) {}),
	),
)

// Roles that stimuli send: of a vocabulary (LTI Core 1.3, A.2.1), and of none.
const (
	roleSystemAdministrator = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
	roleOfVendor            = "https://school.example/roles#Candidate"
)

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

func examLink(member string, value any) saying.Change {
	return func(d *part.Saying) { set(d, lti.ClaimResourceLink, member, value) }
}

// requiredAlone leaves out what no message of proctoring has to say.
func requiredAlone(d *part.Saying) {
	saying.Without(append([]string{
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
func failing(message, log any) saying.Change {
	return saying.Both(saying.With(lti.ClaimErrorMessage, message), saying.With(lti.ClaimErrorLog, log))
}
