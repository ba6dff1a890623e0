package proctoring

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// vendorClaim is one that no platform knows.
const vendorClaim = "https://vendor.example/claim/camera"

// stimuli are what differs from valid messages and control requests, by the requirement
// that it provokes.
var stimuli = slices.Concat(
	loginStimuli,
	startStimuli, sessionStimuli, assessmentStimuli, partyStimuli, signatureStimuli, timeStimuli, typeStimuli,
	verifiedUserStimuli, endReturnStimuli,
	controlTokenStimuli, bodyStimuli, incidentTimeStimuli, mediaTypeStimuli,
)

// loginStimuli are those of the authentication request for an exam (Proctoring
// Services 1.0, 3.2).
var loginStimuli = []fault.Fault{
	{
		Name: "exam-redirect-uri-unregistered", Provokes: "ap-start-proctoring-through-oidc-login",
		Does: "sends a redirect_uri that is not registered",
		Effects: part.AsksForLogin(func(d *part.AuthDraft) error {
			d.Params.Set(lti.ParamRedirectURI, strings.TrimSuffix(d.RedirectURI, part.LaunchPath)+"/exam")
			return nil
		}),
	}, {
		Name: "exam-login-hint-of-other-user", Provokes: "ap-start-proctoring-through-oidc-login", Borrows: part.OtherCandidate,
		Does: "sends the login_hint of another candidate's launch", Effects: part.BorrowsAtLogin(lti.ParamLoginHint),
	}, {
		Name: "exam-nonce-missing", Provokes: "ap-start-proctoring-through-oidc-login",
		Does: "leaves nonce out", Effects: part.AsksForLogin(func(d *part.AuthDraft) error { d.Params.Del(lti.ParamNonce); return nil }),
	}, {
		Name: "exam-response-mode-query", Provokes: "ap-start-proctoring-through-oidc-login",
		Does: "asks for the answer in the query", Effects: part.AsksForLogin(func(d *part.AuthDraft) error { d.Params.Set(lti.ParamResponseMode, "query"); return nil }),
	},
}

// startStimuli are messages that start the assessment (Proctoring Services 1.0, 4.3).
var startStimuli = []fault.Fault{
	{
		Name: "start-valid", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does: "sends a valid message", Effects: message(toolmessage.Claim(nil)),
	}, {
		Name: "start-required-claims-alone", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does:    "sends the required claims alone",
		Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVerifiedUser: nil, lti.ClaimEndAssessmentReturn: nil})),
	}, {
		Name: "start-unknown-claim", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does: "adds a claim of a vendor", Effects: message(toolmessage.Claim(lti.Claims{vendorClaim: "x"})),
	}, {
		Name: "start-aud-array", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does: "sends aud as an array of one", Effects: message(toolmessage.AudienceArray),
	}, {
		Name: "start-verified-user-empty", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does: "sends an empty verified_user", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVerifiedUser: lti.Claims{}})),
	}, {
		Name: "start-iat-with-fraction", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does: "sends an iat with a fraction of a second", Effects: message(toolmessage.FractionOf("iat", -2)),
	}, {
		Name: "start-exp-with-fraction", Provokes: "ap-platform-accepts-valid-start-assessment", Permitted: true,
		Does: "sends an exp with a fraction of a second", Effects: message(toolmessage.FractionOf("exp", 240)),
	}, {
		Name: "iat-with-fraction", Provokes: "sec-platform-accepts-tool-message", Permitted: true,
		Does: "sends an iat with a fraction of a second", Effects: message(toolmessage.FractionOf("iat", -2)),
	}, {
		Name: "exp-with-fraction", Provokes: "sec-platform-accepts-tool-message", Permitted: true,
		Does: "sends an exp with a fraction of a second", Effects: message(toolmessage.FractionOf("exp", 240)),
	}, {
		Name: "aud-string", Provokes: "sec-platform-accepts-tool-message", Permitted: true,
		Does: "sends aud as a string, and a claim of a vendor", Effects: message(toolmessage.Claim(lti.Claims{vendorClaim: "x"})),
	}, {
		Name: "aud-array", Provokes: "sec-platform-accepts-tool-message", Permitted: true,
		Does: "sends aud as an array of one, and a claim of a vendor", Effects: message(toolmessage.All(toolmessage.AudienceArray, toolmessage.Claim(lti.Claims{vendorClaim: "x"}))),
	},
}

// sessionStimuli are those of session_data (Proctoring Services 1.0, 3.3).
var sessionStimuli = []fault.Fault{
	{
		Name: "start-session-absent", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "leaves session_data out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimSessionData: nil})),
	}, {
		Name: "start-session-empty", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "sends empty session_data", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimSessionData: ""})),
	}, {
		Name: "start-session-altered", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "changes one character of session_data", Effects: message(sessionData(func(s string) any { return fault.Alter(s) })),
	}, {
		Name: "start-session-other-case", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "swaps the case of session_data", Effects: message(sessionData(func(s string) any { return strings.Map(otherCase, s) })),
	}, {
		Name: "start-session-truncated", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "leaves out the last character of session_data", Effects: message(sessionData(func(s string) any { return truncated(s) })),
	}, {
		Name: "start-session-null", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "sends session_data null", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimSessionData: toolmessage.Null})),
	}, {
		Name: "start-session-array", Provokes: "ap-platform-rejects-missing-or-altered-session-data",
		Does: "sends session_data in an array", Effects: message(sessionData(func(s string) any { return []string{s} })),
	}, {
		Name: "start-session-of-other-candidate", Provokes: "ap-platform-rejects-foreign-session-data", Borrows: part.OtherCandidate,
		Does: "sends the session_data of another candidate's launch", Effects: message(toolmessage.Borrow(lti.ClaimSessionData)),
	}, {
		Name: "start-session-of-other-exam", Provokes: "ap-platform-rejects-foreign-session-data", Borrows: part.OtherAssessment,
		Does: "sends the session_data of the candidate's launch of another assessment", Effects: message(toolmessage.Borrow(lti.ClaimSessionData)),
	},
}

// assessmentStimuli are those of the assessment, the attempt and the deployment
// (Proctoring Services 1.0, 4.3.1.3, 4.3.1.5 and 4.3.1.6).
var assessmentStimuli = []fault.Fault{
	{
		Name: "start-attempt-plus-one", Provokes: "ap-platform-rejects-changed-attempt-number",
		Does: "sends the attempt number that follows", Effects: message(numbered(func(n int) any { return n + 1 })),
	}, {
		Name: "start-attempt-earlier", Provokes: "ap-platform-rejects-changed-attempt-number", Borrows: part.EarlierAttempt,
		Does: "sends the number of an earlier attempt", Effects: message(toolmessage.Borrow(lti.ClaimAttemptNumber)),
	}, {
		Name: "start-attempt-zero", Provokes: "ap-platform-rejects-changed-attempt-number",
		Does: "sends the attempt number 0", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimAttemptNumber: 0})),
	}, {
		Name: "start-attempt-string", Provokes: "ap-platform-rejects-changed-attempt-number",
		Does: "sends the attempt number as a string", Effects: message(numbered(func(n int) any { return strconv.Itoa(n) })),
	}, {
		Name: "start-attempt-absent", Provokes: "ap-platform-rejects-changed-attempt-number",
		Does: "leaves attempt_number out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimAttemptNumber: nil})),
	}, {
		Name: "start-link-of-other-exam", Provokes: "ap-platform-rejects-changed-resource-link", Borrows: part.OtherAssessment,
		Does: "sends the resource link of another assessment", Effects: message(toolmessage.Borrow(lti.ClaimResourceLink)),
	}, {
		Name: "start-link-unknown", Provokes: "ap-platform-rejects-changed-resource-link",
		Does: "sends a resource link with an unknown id",
		Effects: message(func(d *toolmessage.Draft) error {
			link := d.Object(lti.ClaimResourceLink)
			if link != nil {
				link["id"] = lti.RandomString()
				d.Claims[lti.ClaimResourceLink] = link
			}
			return nil
		}),
	}, {
		Name: "start-link-absent", Provokes: "ap-platform-rejects-changed-resource-link",
		Does: "leaves resource_link out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimResourceLink: nil})),
	}, {
		Name: "start-link-string", Provokes: "ap-platform-rejects-changed-resource-link",
		Does: "sends the id of the resource link in its place",
		Effects: message(func(d *toolmessage.Draft) error {
			d.Claims[lti.ClaimResourceLink] = d.Object(lti.ClaimResourceLink)["id"]
			return nil
		}),
	}, {
		Name: "start-deployment-absent", Provokes: "ap-platform-rejects-wrong-deployment",
		Does: "leaves deployment_id out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimDeploymentID: nil})),
	}, {
		Name: "start-deployment-unknown", Provokes: "ap-platform-rejects-wrong-deployment",
		Does: "sends an unknown deployment_id", Effects: message(toolmessage.Unknown(lti.ClaimDeploymentID)),
	}, {
		Name: "start-deployment-other", Provokes: "ap-platform-rejects-wrong-deployment", Borrows: part.OtherDeployment,
		Does: "sends the deployment_id of another deployment", Effects: message(toolmessage.Borrow(lti.ClaimDeploymentID)),
	},
}

// partyStimuli are those of iss and aud (Security Framework 1.0, 5.2.2).
var partyStimuli = []fault.Fault{
	{
		Name: "start-aud-other", Provokes: "ap-platform-rejects-wrong-iss-or-aud",
		Does: "sends another platform as aud", Effects: message(toolmessage.Claim(lti.Claims{"aud": part.Stranger})),
	}, {
		Name: "start-aud-absent", Provokes: "ap-platform-rejects-wrong-iss-or-aud",
		Does: "leaves aud out", Effects: message(toolmessage.Claim(lti.Claims{"aud": nil})),
	}, {
		Name: "start-iss-of-other-tool", Provokes: "ap-platform-rejects-wrong-iss-or-aud",
		Does: "sends a message of another registered tool, which signs it", Effects: message(toolmessage.All(toolmessage.OtherIssuer, toolmessage.SignedByOther)),
	}, {
		Name: "start-iss-of-platform", Provokes: "ap-platform-rejects-wrong-iss-or-aud",
		Does: "sends the platform's issuer as iss", Effects: message(toolmessage.PlatformIssuer),
	}, {
		Name: "start-iss-absent", Provokes: "ap-platform-rejects-wrong-iss-or-aud",
		Does: "leaves iss out", Effects: message(toolmessage.Claim(lti.Claims{"iss": nil})),
	}, {
		Name: "iss-platform", Provokes: "sec-platform-tool-message-iss-aud",
		Does: "sends the platform's issuer as iss", Effects: message(toolmessage.PlatformIssuer),
	}, {
		Name: "iss-unknown", Provokes: "sec-platform-tool-message-iss-aud",
		Does: "sends an unknown client_id as iss", Effects: message(toolmessage.Unknown("iss")),
	}, {
		Name: "iss-of-other-tool", Provokes: "sec-platform-tool-message-iss-aud",
		Does: "sends another registered tool's client_id as iss", Effects: message(toolmessage.OtherIssuer),
	}, {
		Name: "aud-other", Provokes: "sec-platform-tool-message-iss-aud",
		Does: "sends another URL as aud", Effects: message(toolmessage.Claim(lti.Claims{"aud": part.Stranger})),
	}, {
		Name: "aud-missing", Provokes: "sec-platform-tool-message-iss-aud",
		Does: "leaves aud out", Effects: message(toolmessage.Claim(lti.Claims{"aud": nil})),
	}, {
		Name: "aud-untrusted-additional", Provokes: "sec-platform-tool-message-iss-aud",
		Does:    "adds a stranger to aud",
		Effects: message(func(d *toolmessage.Draft) error { d.Claims["aud"] = []string{d.Issuer, part.Stranger}; return nil }),
	},
}

// signatureStimuli are those of the signature (Security Framework 1.0, 5.2.3 and 6).
var signatureStimuli = []fault.Fault{
	{
		Name: "start-payload-altered", Provokes: "ap-platform-rejects-bad-signature",
		Does: "changes the nonce after signing", Effects: message(toolmessage.Signed(signing.ChangedAfter("nonce"))),
	}, {
		Name: "start-kid-unknown", Provokes: "ap-platform-rejects-bad-signature",
		Does: "signs with a foreign key under an unknown kid", Effects: message(toolmessage.Signed(signing.ByUnknownKey)),
	}, {
		Name: "start-alg-none", Provokes: "ap-platform-rejects-bad-signature",
		Does: "leaves the signature out, with alg none", Effects: message(toolmessage.Signed(signing.Unsigned)),
	}, {
		Name: "start-hs256-public-key", Provokes: "ap-platform-rejects-bad-signature",
		Does: "signs with HS256 and the PEM text of the public key", Effects: message(toolmessage.Signed(signing.ByPublicKey)),
	}, {
		Name: "start-embedded-jwk", Provokes: "ap-platform-rejects-bad-signature",
		Does: "signs with a foreign key that the header supplies as jwk", Effects: message(toolmessage.Signed(signing.ByEmbeddedKey)),
	}, {
		Name: "start-foreign-jku", Provokes: "ap-platform-rejects-bad-signature",
		Does: "signs with a foreign key that the jku of the header leads to", Effects: message(toolmessage.ByKeyURL),
	}, {
		Name: "start-no-jwt", Provokes: "ap-platform-rejects-bad-signature",
		Does: "sends something that is no JWT", Effects: message(toolmessage.Signed(signing.Nothing)),
	}, {
		Name: "start-parameter-missing", Provokes: "ap-platform-rejects-bad-signature",
		Does: "sends a form without JWT", Effects: message(toolmessage.InField("")),
	}, {
		Name: "payload-changed-after-signing", Provokes: "sec-platform-tool-message-signature",
		Does: "changes the nonce after signing", Effects: message(toolmessage.Signed(signing.ChangedAfter("nonce"))),
	}, {
		Name: "signed-by-other-key", Provokes: "sec-platform-tool-message-signature",
		Does: "signs with a foreign key under the registered kid", Effects: message(toolmessage.Signed(signing.ByStranger)),
	}, {
		Name: "kid-unknown", Provokes: "sec-platform-tool-message-signature",
		Does: "signs with a foreign key under an unknown kid", Effects: message(toolmessage.Signed(signing.ByUnknownKey)),
	}, {
		Name: "alg-none", Provokes: "sec-platform-tool-message-signature",
		Does: "leaves the signature out, with alg none", Effects: message(toolmessage.Signed(signing.Unsigned)),
	}, {
		Name: "hs256-public-key-pem", Provokes: "sec-platform-tool-message-signature",
		Does: "signs with HS256 and the PEM text of the public key", Effects: message(toolmessage.Signed(signing.ByPublicKey)),
	}, {
		Name: "embedded-jwk", Provokes: "sec-platform-tool-message-signature",
		Does: "signs with a foreign key that the header supplies as jwk", Effects: message(toolmessage.Signed(signing.ByEmbeddedKey)),
	}, {
		Name: "foreign-jku", Provokes: "sec-platform-tool-message-signature",
		Does: "signs with a foreign key that the jku of the header leads to", Effects: message(toolmessage.ByKeyURL),
	},
}

// timeStimuli are those of iat, exp and nonce (Security Framework 1.0, 5.2.2).
// What has expired was issued before it did.
var timeStimuli = []fault.Fault{
	{
		Name: "start-exp-past", Provokes: "ap-platform-rejects-expired-message",
		Does: "sends a message that expired ten minutes ago", Effects: message(toolmessage.Issued(-10*time.Minute - signing.Lifetime)),
	}, {
		Name: "start-exp-absent", Provokes: "ap-platform-rejects-expired-message",
		Does: "leaves exp out", Effects: message(toolmessage.Claim(lti.Claims{"exp": nil})),
	}, {
		Name: "start-iat-ahead", Provokes: "ap-platform-rejects-expired-message",
		Does: "sends a message that is issued in a day", Effects: message(toolmessage.Issued(24 * time.Hour)),
	}, {
		Name: "start-iat-old", Provokes: "ap-platform-rejects-expired-message",
		Does: "sends a message that was issued a week ago and has not expired",
		Effects: message(func(d *toolmessage.Draft) error {
			d.Claims["iat"] = d.Core.Now().AddDate(0, 0, -7).Unix()
			return nil
		}),
	}, {
		Name: "exp-past", Provokes: "sec-platform-tool-message-expired",
		Does: "sends a message that expired ten minutes ago", Effects: message(toolmessage.Issued(-10*time.Minute - signing.Lifetime)),
	}, {
		Name: "exp-missing", Provokes: "sec-platform-tool-message-expired",
		Does: "leaves exp out", Effects: message(toolmessage.Claim(lti.Claims{"exp": nil})),
	}, {
		Name: "exp-string", Provokes: "sec-platform-tool-message-expired",
		Does: "sends exp as a string",
		Effects: message(func(d *toolmessage.Draft) error {
			d.Claims["exp"] = strconv.FormatInt(d.Core.Now().Add(signing.Lifetime).Unix(), 10)
			return nil
		}),
	}, {
		Name: "start-nonce-absent", Provokes: "ap-platform-rejects-message-posted-twice",
		Does: "leaves nonce out", Effects: message(toolmessage.Claim(lti.Claims{"nonce": nil})),
	}, {
		Name: "start-nonce-used", Provokes: "ap-platform-rejects-message-posted-twice", Borrows: part.EarlierAttempt, Needs: fault.EarlierMessage,
		Does:    "sends the nonce of an earlier message",
		Effects: message(func(d *toolmessage.Draft) error { d.Claims["nonce"] = d.Earlier.Claims["nonce"]; return nil }),
	}, {
		Name: "nonce-missing", Provokes: "sec-platform-tool-message-nonce",
		Does: "leaves nonce out", Effects: message(toolmessage.Claim(lti.Claims{"nonce": nil})),
	},
}

// typeStimuli are those of what the message is, and of how it is sent (LTI Core
// 1.3, 5.3.1 and 5.3.2; Security Framework 1.0, 5.2.1).
var typeStimuli = []fault.Fault{
	{
		Name: "start-type-of-link", Provokes: "ap-platform-rejects-message-type-confusion", Borrows: part.ResourceLinkLaunch,
		Does:    "sends back the id_token of a resource link launch",
		Effects: message(func(d *toolmessage.Draft) error { return toolmessage.SendBack(d, d.Other) }),
	}, {
		Name: "start-type-of-exam", Provokes: "ap-platform-rejects-message-type-confusion",
		Does:    "sends back the id_token of the launch into the exam",
		Effects: message(func(d *toolmessage.Draft) error { return toolmessage.SendBack(d, d.Answers) }),
	}, {
		Name: "start-type-deep-linking", Provokes: "ap-platform-rejects-message-type-confusion",
		Does: "sends the message_type LtiDeepLinkingResponse", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimMessageType: "LtiDeepLinkingResponse"})),
	}, {
		Name: "start-version-old", Provokes: "ap-platform-rejects-message-type-confusion",
		Does: "sends the version LTI-1p0", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVersion: "LTI-1p0"})),
	}, {
		Name: "start-as-id-token", Provokes: "ap-platform-rejects-message-type-confusion",
		Does: "sends the message as id_token", Effects: message(toolmessage.InField(lti.ParamIDToken)),
	}, {
		Name: "start-by-get", Provokes: "ap-platform-rejects-message-type-confusion",
		Does: "sends the message by GET", Effects: message(func(d *toolmessage.Draft) error { d.Method = http.MethodGet; return nil }),
	}, {
		Name: "deployment-id-missing", Provokes: "core-platform-tool-message-lti-claims",
		Does: "leaves deployment_id out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimDeploymentID: nil})),
	}, {
		Name: "deployment-id-unknown", Provokes: "core-platform-tool-message-lti-claims",
		Does: "sends an unknown deployment_id", Effects: message(toolmessage.Unknown(lti.ClaimDeploymentID)),
	}, {
		Name: "deployment-id-of-other-deployment", Provokes: "core-platform-tool-message-lti-claims", Borrows: part.OtherDeployment,
		Does: "sends the deployment_id of another deployment", Effects: message(toolmessage.Borrow(lti.ClaimDeploymentID)),
	}, {
		Name: "message-type-missing", Provokes: "core-platform-tool-message-lti-claims",
		Does: "leaves message_type out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimMessageType: nil})),
	}, {
		Name: "message-type-other-direction", Provokes: "core-platform-tool-message-lti-claims",
		Does: "sends the message_type of a launch", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimMessageType: lti.ResourceLinkRequest})),
	}, {
		Name: "message-type-unknown", Provokes: "core-platform-tool-message-lti-claims",
		Does: "sends an unknown message_type", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimMessageType: "LtiUnknownResponse"})),
	}, {
		Name: "version-missing", Provokes: "core-platform-tool-message-lti-claims",
		Does: "leaves version out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVersion: nil})),
	}, {
		Name: "version-wrong", Provokes: "core-platform-tool-message-lti-claims",
		Does: "sends the version 1.1", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVersion: "1.1"})),
	},
}

// verifiedUserStimuli are those of verified_user (Proctoring Services 1.0,
// 4.3.2.1). The platform may start the assessment for each.
var verifiedUserStimuli = []fault.Fault{
	{
		Name: "verified-user-absent", Provokes: "ap-platform-checks-verified-user", Permitted: true,
		Does: "leaves verified_user out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVerifiedUser: nil})),
	}, {
		Name: "verified-user-empty", Provokes: "ap-platform-checks-verified-user", Permitted: true,
		Does: "sends an empty verified_user", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVerifiedUser: lti.Claims{}})),
	}, {
		Name: "verified-user-other-name", Provokes: "ap-platform-checks-verified-user", Permitted: true,
		Does: "sends another family name", Effects: message(verifiedAs(lti.Claims{"family_name": "Strange"})),
	}, {
		Name: "verified-user-string", Provokes: "ap-platform-checks-verified-user", Permitted: true,
		Does: "sends verified_user as a string", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimVerifiedUser: "Ada Strange"})),
	}, {
		Name: "verified-user-long-name", Provokes: "ap-platform-checks-verified-user", Permitted: true,
		Does: "sends a name of 100 kB", Effects: message(verifiedAs(lti.Claims{"name": strings.Repeat("Ada Strange ", 100_000/12+1)[:100_000]})),
	}, {
		Name: "verified-user-script", Provokes: "ap-platform-checks-verified-user", Permitted: true,
		Does:    "sends names with a script element",
		Effects: message(verifiedAs(lti.Claims{"name": "Ada" + part.ScriptMarkup, "given_name": "Ada" + part.ScriptMarkup, "family_name": "Strange" + part.ScriptMarkup})),
	}, {
		Name: "verified-user-platform-picture", Provokes: "ap-platform-rejects-own-picture-as-verified", Permitted: true,
		Does: "sends the platform's own picture as the verified one",
		Effects: message(func(d *toolmessage.Draft) error {
			picture, _ := d.Answers.Text("picture")
			if picture == "" {
				return part.ErrUnchanged
			}
			return verifiedAs(lti.Claims{"picture": picture})(d)
		}),
	}, {
		Name: "verified-user-iss-sub", Provokes: "ap-platform-rejects-own-picture-as-verified", Permitted: true,
		Does: "sends iss and sub of another user in verified_user",
		Effects: message(func(d *toolmessage.Draft) error {
			return verifiedAs(lti.Claims{"iss": d.Issuer, "sub": part.StrangerSub})(d)
		}),
	},
}

// endReturnStimuli are those of end_assessment_return (Proctoring Services 1.0,
// 4.3.2.2). The platform may start the assessment for each.
var endReturnStimuli = []fault.Fault{
	{
		Name: "end-return-string-true", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends the string true", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: "true"})),
	}, {
		Name: "end-return-string-false", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends the string false", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: "false"})),
	}, {
		Name: "end-return-one", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends the number 1", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: 1})),
	}, {
		Name: "end-return-zero", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends the number 0", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: 0})),
	}, {
		Name: "end-return-null", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends null", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: toolmessage.Null})),
	}, {
		Name: "end-return-array", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends true in an array", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: []any{true}})),
	}, {
		Name: "end-return-object", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends true in an object", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: lti.Claims{"value": true}})),
	}, {
		Name: "end-return-long", Provokes: "ap-end-assessment-return-non-boolean", Permitted: true,
		Does: "sends a string of 10 kB", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimEndAssessmentReturn: strings.Repeat("true ", 2000)})),
	},
}

// message changes the message that starts an assessment.
func message(change func(*toolmessage.Draft) error) []fault.Effect {
	return []fault.Effect{startMessage.ChangeWhen(always, func(s starting) starting {
		s.draft.Err = change(&s.draft)
		return s
	})}
}

// sessionData sends other session_data, where there is any.
func sessionData(change func(string) any) func(*toolmessage.Draft) error {
	return func(d *toolmessage.Draft) error {
		if s := d.Text(lti.ClaimSessionData); s != "" {
			d.Claims[lti.ClaimSessionData] = change(s)
		}
		return nil
	}
}

func otherCase(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}

// truncated leaves out the last character.
func truncated(s string) string {
	chars := []rune(s)
	return string(chars[:len(chars)-1])
}

// numbered sends another attempt number, where there is one.
func numbered(change func(int) any) func(*toolmessage.Draft) error {
	return func(d *toolmessage.Draft) error {
		n := 0
		if d.Read(lti.ClaimAttemptNumber, &n); n > 0 {
			d.Claims[lti.ClaimAttemptNumber] = change(n)
		}
		return nil
	}
}

// verifiedAs says something else of the candidate.
func verifiedAs(changes lti.Claims) func(*toolmessage.Draft) error {
	return func(d *toolmessage.Draft) error {
		user := lti.Claims{}
		maps.Copy(user, d.Object(lti.ClaimVerifiedUser))
		part.Change(user, changes)
		d.Claims[lti.ClaimVerifiedUser] = user
		return nil
	}
}
