package fakeplatform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Markup is what claims hold where a tool has to escape them. Where it does
// not, its page has an element with [MarkupID].
const (
	MarkupID = part.MarkupID
	// ScriptRan is what markup writes to the console where a tool lets it run.
	ScriptRan = part.ScriptRan
	Markup    = `"'></script><b id="` + MarkupID + `">no</b><script>window.invigilator = 1</script>`
)

// everyClaim adds what a message may have at most (LTI Core 1.3, 5.4, and appendix A). Texts
// have 200 characters, roles are of each vocabulary and of a vendor.
func everyClaim(d *draft) {
	text := part.Long("Übung № 7 – よくできました、")
	maps.Copy(d.claims, lti.Claims{
		"name": text, "given_name": text, "family_name": text, "middle_name": text, "locale": "en-GB", "zoneinfo": "Europe/Zurich",
		"email": "learner@" + strings.Repeat("school.", 20) + "example", "email_verified": true, "picture": "https://platform.example/" + strings.Repeat("p", 200),
		"website": "https://learner.example/", "birthdate": "0000-02-29", "updated_at": 1311280970,
		"address":                     map[string]any{"formatted": text, "country": "CH"},
		"https://claims.example/deep": part.Deep, "https://claims.example/text": text,
	})
	for _, member := range []string{"title", "label"} {
		set(d, lti.ClaimContext, member, text)
	}
	set(d, lti.ClaimContext, "type", []string{"http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering", "http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection", "https://claims.example/course"})
	set(d, lti.ClaimResourceLink, "title", text)
	set(d, lti.ClaimResourceLink, "description", text)
	for name, members := range map[string]map[string]any{
		lti.ClaimLaunchPresentation: {"width": 320, "height": 240, "locale": "en-GB"},
		lti.ClaimLIS: {
			"person_sourcedid": "school:" + strings.Repeat("7", 190), "course_offering_sourcedid": "school:CO-7", "course_section_sourcedid": "school:CS-7",
		},
		lti.ClaimToolPlatform: {
			"guid": "platform-guid", "name": text, "description": text, "contact_email": "support@platform.example", "url": "https://platform.example/",
			"product_family_code": "campus", "version": "1.0",
		},
	} {
		for member, value := range members {
			set(d, name, member, value)
		}
	}
	roles, _ := d.claims[lti.ClaimRoles].([]string)
	d.claims[lti.ClaimRoles] = append(slices.Clone(roles), furtherRoles...)
}

// furtherRoles are of each vocabulary that roles have, and give nobody further rights.
var furtherRoles = []string{
	"http://purl.imsglobal.org/vocab/lis/v2/membership/Learner#GuestLearner", "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student",
	"http://purl.imsglobal.org/vocab/lis/v2/institution/person#Learner", "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Other",
	"http://purl.imsglobal.org/vocab/lis/v2/system/person#User", "http://purl.imsglobal.org/vocab/lis/v2/system/person#None",
	"https://claims.example/roles#Reader", "urn:vendor:role:reader",
}

// claimFaults are those of the message itself: it is signed as it should be.
var claimFaults = slices.Concat([]Fault{
	{
		Name: "iss-missing", Provokes: "sec-tool-iss",
		Proves: "sec-id-token-iss",
		Does:   "leaves iss out", Effects: []fault.Effect{says(without("iss"))},
	}, {
		Name: "iss-unknown", Provokes: "sec-tool-iss",
		Proves: "sec-id-token-iss",
		Does:   "names an issuer that the tool does not know", Effects: []fault.Effect{says(with("iss", "https://unknown-issuer.example"))},
	}, {
		Name: "iss-trailing-slash", Provokes: "sec-tool-iss",
		Proves:  "sec-id-token-iss",
		Does:    "adds a slash to iss, or takes away the one it has",
		Effects: []fault.Effect{says(changed("iss", part.ToggleSlash))},
	}, {
		Name: "iss-upper-case-host", Provokes: "sec-tool-iss",
		Proves:  "sec-id-token-iss",
		Does:    "writes the host of iss in upper case",
		Effects: []fault.Effect{says(changed("iss", upperCaseHost))},
	}, {
		Name: "iss-other-scheme", Provokes: "sec-tool-iss",
		Proves:  "sec-id-token-iss",
		Does:    "swaps https and http in iss",
		Effects: []fault.Effect{says(changed("iss", otherScheme))},
	}, {
		Name: "iss-array", Provokes: "sec-tool-iss",
		Proves:  "sec-id-token-iss",
		Does:    "sends iss as an array of one",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["iss"] = []any{d.claims["iss"]} })},
	}, {
		Name: "iss-unknown-in-both", Provokes: "sec-tool-iss", AlsoAtLogin: true,
		Does:    "names an issuer that the tool does not know, in the login initiation and in the id_token",
		Effects: []fault.Effect{initiates(setParam(lti.ParamIssuer, "https://unknown-issuer.example")), says(ofLogin("iss", lti.ParamIssuer))},
	}, {
		Name: "iss-trailing-slash-in-both", Provokes: "sec-tool-iss", AlsoAtLogin: true,
		Does:    "adds a slash to iss, or takes away the one it has, in the login initiation and in the id_token",
		Effects: []fault.Effect{initiates(changeParam(lti.ParamIssuer, part.ToggleSlash)), says(ofLogin("iss", lti.ParamIssuer))},
	}, {
		Name: "aud-missing", Provokes: "sec-tool-aud",
		Proves: "sec-id-token-aud",
		Does:   "leaves aud out", Effects: []fault.Effect{says(without("aud"))},
	}, {
		Name: "aud-empty-array", Provokes: "sec-tool-aud",
		Proves: "sec-id-token-aud",
		Does:   "sends aud as an empty array", Effects: []fault.Effect{says(with("aud", []string{}))},
	}, {
		Name: "aud-other-client", Provokes: "sec-tool-aud",
		Proves: "sec-id-token-aud",
		Does:   "names another client as the audience", Effects: []fault.Effect{says(changed("aud", part.Alter))},
	}, {
		Name: "aud-tool-url", Provokes: "sec-tool-aud",
		Proves:  "sec-id-token-aud",
		Does:    "names the tool's URL as the audience",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["aud"] = d.launch.registration.TargetLinkURI })},
	}, {
		Name: "aud-other-case", Provokes: "sec-tool-aud",
		Proves: "sec-id-token-aud",
		Does:   "changes the case of the client_id in aud", Effects: []fault.Effect{says(changed("aud", otherCase))},
	}, {
		Name: "aud-other-client-in-both", Provokes: "sec-tool-aud", AlsoAtLogin: true,
		Does:    "names another client in the login initiation and as the audience",
		Effects: []fault.Effect{initiates(changeParam(lti.ParamClientID, part.Alter)), says(ofLogin("aud", lti.ParamClientID))},
	}, {
		Name: "aud-other-client-without-login", Provokes: "sec-tool-aud", AlsoAtLogin: true,
		Does:    "names another client as the audience, and none in the login initiation",
		Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamClientID) }), says(changed("aud", part.Alter))},
	}, {
		Name: "exp-past", Provokes: "sec-tool-exp",
		Proves:  "sec-id-token-exp-iat",
		Does:    "sends a token that expired 10 minutes ago",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["exp"] = d.now.Unix() - 600 })},
	}, {
		Name: "exp-certification-suite", Provokes: "sec-tool-exp",
		Proves: "sec-id-token-exp-iat",
		Does:   "sends iat 11111 and exp 22222, as the certification suite does",
		Effects: []fault.Effect{says(func(d *draft) {
			d.claims["iat"], d.claims["exp"] = 11111, 22222
		})},
	}, {
		Name: "exp-missing", Provokes: "sec-tool-exp",
		Proves: "sec-id-token-exp-iat",
		Does:   "leaves exp out", Effects: []fault.Effect{says(without("exp"))},
	}, {
		Name: "exp-string", Provokes: "sec-tool-exp",
		Proves:  "sec-id-token-exp-iat",
		Does:    "sends exp as a string",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["exp"] = fmt.Sprint(d.claims["exp"]) })},
	}, {
		Name: "exp-null", Provokes: "sec-tool-exp",
		Proves: "sec-id-token-exp-iat",
		Does:   "sends exp as null", Effects: []fault.Effect{says(with("exp", nil))},
	}, {
		Name: "nonce-missing", Provokes: "sec-tool-nonce-missing",
		Proves: "sec-id-token-nonce-passthrough",
		Does:   "leaves nonce out", Effects: []fault.Effect{says(without("nonce"))},
	}, {
		Name: "nonce-empty", Provokes: "sec-tool-nonce-missing",
		Proves: "sec-id-token-nonce-passthrough",
		Does:   "sends an empty nonce", Effects: []fault.Effect{says(with("nonce", ""))},
	}, {
		Name: "nonce-null", Provokes: "sec-tool-nonce-missing",
		Proves: "sec-id-token-nonce-passthrough",
		Does:   "sends nonce as null", Effects: []fault.Effect{says(with("nonce", nil))},
	}, {
		Name: "nonce-random", Provokes: "oidc-tool-nonce-foreign",
		Proves:  "sec-id-token-nonce-passthrough",
		Does:    "sends a nonce that nobody issued",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["nonce"] = lti.RandomString() })},
	}, {
		Name: "nonce-altered", Provokes: "oidc-tool-nonce-foreign",
		Proves: "sec-id-token-nonce-passthrough",
		Does:   "changes one character of the nonce", Effects: []fault.Effect{says(changed("nonce", part.Alter))},
	}, {
		Name: "nonce-of-other-browser", Provokes: "oidc-tool-nonce-foreign", Borrows: fault.OtherLaunch,
		Does:    "sends the nonce that the tool issued to another browser and has not seen again",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["nonce"] = d.borrowed().Get(lti.ParamNonce) })},
	}, {
		Name: "nonce-of-other-login", Provokes: "oidc-tool-nonce-foreign", Needs: fault.State, Borrows: fault.OpenLogin,
		Does:    "sends the nonce of another login of the same browser that is still open",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["nonce"] = d.borrowed().Get(lti.ParamNonce) })},
	}, {
		Name: "state-of-other-login", Provokes: "oidc-tool-nonce-foreign", Needs: fault.State, Borrows: fault.OpenLogin,
		Does:    "sends the state of another login of the same browser that is still open, with this login's nonce",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, d.borrowed().Get(lti.ParamState)) })},
	}, {
		Name: "message-type-unknown", Provokes: "core-tool-message-type-unknown",
		Proves: "core-message-type-claim",
		Does:   "sends a message type that does not exist", Effects: []fault.Effect{says(with(lti.ClaimMessageType, "LtiUnknownRequest"))},
	}, {
		Name: "message-type-lower-case", Provokes: "core-tool-message-type-unknown",
		Proves:  "core-message-type-claim",
		Does:    "sends the message type in lower case",
		Effects: []fault.Effect{says(with(lti.ClaimMessageType, strings.ToLower(lti.ResourceLinkRequest)))},
	}, {
		Name: "message-type-other-direction", Provokes: "core-tool-message-type-unknown",
		Proves:  "core-message-type-claim",
		Does:    "sends a message type that goes from tools to platforms",
		Effects: []fault.Effect{says(with(lti.ClaimMessageType, lti.DeepLinkingResponse))},
	}, {
		Name: "deployment-id-missing", Provokes: "core-tool-deployment-id-missing",
		Proves: "core-deployment-id-claim",
		Does:   "leaves deployment_id out", Effects: []fault.Effect{says(without(lti.ClaimDeploymentID))},
	}, {
		Name: "deployment-id-empty", Provokes: "core-tool-deployment-id-missing",
		Proves: "core-deployment-id-claim",
		Does:   "sends an empty deployment_id", Effects: []fault.Effect{says(with(lti.ClaimDeploymentID, ""))},
	}, {
		Name: "aud-one-element-array", Provokes: "sec-tool-aud-array",
		Conduct:   true,
		Permitted: true,
		Does:      "sends aud as an array of one", Effects: []fault.Effect{says(audience(ownClient))},
	}, {
		Name: "aud-string-with-azp", Provokes: "sec-tool-aud-array",
		Conduct:   true,
		Permitted: true,
		Does:      "sends the client_id as azp, too", Effects: []fault.Effect{says(authorizedParty)},
	}, {
		Name: "aud-additional-without-azp", Provokes: "sec-tool-aud-untrusted-additional",
		Proves: "sec-id-token-aud",
		Does:   "adds an audience that the tool does not know", Effects: []fault.Effect{says(audience(ownClient, Stranger))},
	}, {
		Name: "aud-additional-reversed", Provokes: "sec-tool-aud-untrusted-additional",
		Does: "puts an audience that the tool does not know before the right one", Effects: []fault.Effect{says(audience(Stranger, ownClient))},
	}, {
		Name: "aud-additional-with-azp", Provokes: "sec-tool-aud-untrusted-additional",
		Conduct: true,
		Does:    "adds an audience that the tool does not know, and names the right client as azp",
		Effects: []fault.Effect{says(func(d *draft) {
			audience(ownClient, Stranger)(d)
			authorizedParty(d)
		})},
	}, {
		Name: "azp-other-client", Provokes: "sec-tool-azp-mismatch",
		Proves:  "sec-id-token-aud",
		Does:    "names another client as azp",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["azp"] = part.Alter(d.launch.plan.ClientID) })},
	}, {
		Name: "iat-missing", Provokes: "sec-tool-iat",
		Proves: "sec-id-token-exp-iat",
		Does:   "leaves iat out", Effects: []fault.Effect{says(without("iat"))},
	}, {
		Name: "iat-future", Provokes: "sec-tool-iat",
		Proves: "sec-id-token-exp-iat",
		Does:   "sends an iat one hour ahead", Effects: []fault.Effect{says(at("iat", 3600))},
	}, {
		Name: "iat-old", Provokes: "sec-tool-iat",
		Proves:    "sec-id-token-exp-iat",
		Permitted: true,
		Does:      "sends an iat one day back, with an exp still ahead", Effects: []fault.Effect{says(at("iat", -86400))},
	}, {
		Name: "nbf-future", Provokes: "rfc7519-tool-nbf",
		Does: "sends an nbf one hour ahead", Effects: []fault.Effect{says(at("nbf", 3600))},
	}, {
		Name: "iat-nbf-slightly-ahead", Provokes: "practice-tool-clock-skew", Permitted: true,
		Does: "sends iat and nbf 30 seconds ahead",
		Effects: []fault.Effect{says(func(d *draft) {
			at("iat", 30)(d)
			at("nbf", 30)(d)
		})},
	}, {
		Name: "exp-just-past", Provokes: "practice-tool-clock-skew", Permitted: true,
		Does: "sends a token that expired 2 seconds ago",
		Effects: []fault.Effect{says(func(d *draft) {
			at("iat", -300)(d)
			at("exp", -2)(d)
		})},
	}, {
		Name: "iat-with-fraction", Provokes: "rfc7519-tool-numeric-date",
		Conduct:   true,
		Permitted: true,
		Does:      "sends an iat with a fraction of a second", Effects: []fault.Effect{says(fraction("iat", -2))},
	}, {
		Name: "exp-with-fraction", Provokes: "rfc7519-tool-numeric-date",
		Conduct:   true,
		Permitted: true,
		Does:      "sends an exp with a fraction of a second", Effects: []fault.Effect{says(fraction("exp", 300))},
	}, {
		Name: "nbf-with-fraction", Provokes: "rfc7519-tool-numeric-date",
		Conduct:   true,
		Permitted: true,
		Does:      "sends an nbf of a minute ago with a fraction of a second", Effects: []fault.Effect{says(fraction("nbf", -60))},
	}, {
		Name: "roles-string", Provokes: "practice-tool-malformed-token",
		Proves: "core-roles-claim",
		Does:   "sends roles as a string", Effects: []fault.Effect{says(with(lti.ClaimRoles, lti.RoleLearner))},
	}, {
		Name: "resource-link-string", Provokes: "practice-tool-malformed-token",
		Proves: "core-resource-link-id-claim",
		Does:   "sends resource_link as a string", Effects: []fault.Effect{says(with(lti.ClaimResourceLink, "link-1"))},
	}, {
		Name: "deployment-id-number", Provokes: "practice-tool-malformed-token",
		Proves: "core-deployment-id-claim",
		Does:   "sends deployment_id as a number", Effects: []fault.Effect{says(with(lti.ClaimDeploymentID, 1))},
	}, {
		Name: "nonce-array", Provokes: "practice-tool-malformed-token",
		Proves:  "sec-id-token-nonce-passthrough",
		Does:    "sends the nonce as an array of one",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["nonce"] = []any{d.claims["nonce"]} })},
	}, {
		Name: "aud-object", Provokes: "practice-tool-malformed-token",
		Proves:  "sec-id-token-aud",
		Does:    "sends aud as an object",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["aud"] = map[string]any{"client_id": d.claims["aud"]} })},
	}, {
		Name: "sub-number", Provokes: "practice-tool-malformed-token",
		Proves: "sec-id-token-sub",
		Does:   "sends sub as a number", Effects: []fault.Effect{says(with("sub", 17))},
	}, {
		Name: "token-16-kib", Provokes: "practice-tool-large-token", Permitted: true,
		Does: "pads the id_token to 16 KiB with a custom parameter", Effects: []fault.Effect{says(padded(16 << 10))},
	}, {
		Name: "token-64-kib", Provokes: "practice-tool-large-token", Permitted: true,
		Does: "pads the id_token to 64 KiB with a custom parameter", Effects: []fault.Effect{says(padded(64 << 10))},
	}, {
		Name: "token-200-kib", Provokes: "practice-tool-large-token", Permitted: true,
		Does: "pads the id_token to 200 KiB with a custom parameter", Effects: []fault.Effect{says(padded(200 << 10))},
	}, {
		Name: "unicode-claims", Provokes: "practice-tool-unicode-claims", Permitted: true,
		Does: "sends names and titles with letters of several scripts and an emoji, some of them as JSON escapes",
		Effects: []fault.Effect{says(func(d *draft) {
			maps.Copy(d.claims, lti.Claims{"name": UnicodeGivenName + " 山田", "given_name": UnicodeGivenName, "family_name": "山田"})
			set(d, lti.ClaimContext, "title", "مقدمة في المنطق")
			set(d, lti.ClaimResourceLink, "title", "Übung № 1")
			set(d, lti.ClaimCustom, "greeting", "¡Olé! 👋🏽")
		}), signs(signEscaped)},
	}, {
		Name: "script-in-claims", Provokes: "practice-tool-claims-escaped", Permitted: true,
		Does: "sends markup with a script as names, titles and custom parameter",
		Effects: []fault.Effect{says(func(d *draft) {
			for _, name := range []string{"name", "given_name", "family_name"} {
				d.claims[name] = Markup
			}
			set(d, lti.ClaimContext, "title", Markup)
			set(d, lti.ClaimContext, "label", Markup)
			set(d, lti.ClaimResourceLink, "title", Markup)
			set(d, lti.ClaimResourceLink, "description", Markup)
			set(d, lti.ClaimCustom, "chapter", Markup)
		})},
	}, {
		Name: "header-good", Provokes: "cert-tool-not-an-lti-message",
		Does:    "sends a well signed JWT that says no more than name badltilaunch, as the certification suite does",
		Effects: []fault.Effect{says(func(d *draft) { d.claims = lti.Claims{"name": "badltilaunch"} })},
	}, {
		Name: "required-claims-missing", Provokes: "cert-tool-required-claims-missing",
		Proves: "core-message-type-claim",
		Does:   "leaves out message_type, version and roles", Effects: []fault.Effect{says(without(lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimRoles))},
	}, {
		Name: "message-type-missing", Provokes: "core-tool-message-type-missing",
		Proves: "core-message-type-claim",
		Does:   "leaves message_type out", Effects: []fault.Effect{says(without(lti.ClaimMessageType))},
	}, {
		Name: "message-type-empty", Provokes: "core-tool-message-type-missing",
		Proves: "core-message-type-claim",
		Does:   "sends an empty message_type", Effects: []fault.Effect{says(with(lti.ClaimMessageType, ""))},
	}, {
		Name: "version-certification-suite", Provokes: "core-tool-version-wrong",
		Proves: "core-version-claim",
		Does:   "sends version 11.3, as the certification suite does", Effects: []fault.Effect{says(with(lti.ClaimVersion, "11.3"))},
	}, {
		Name: "version-1-1", Provokes: "core-tool-version-wrong",
		Proves: "core-version-claim",
		Does:   "sends version 1.1", Effects: []fault.Effect{says(with(lti.ClaimVersion, "1.1"))},
	}, {
		Name: "version-2-0-0", Provokes: "core-tool-version-wrong",
		Proves: "core-version-claim",
		Does:   "sends version 2.0.0", Effects: []fault.Effect{says(with(lti.ClaimVersion, "2.0.0"))},
	}, {
		Name: "version-1-3", Provokes: "core-tool-version-wrong",
		Proves: "core-version-claim",
		Does:   "sends version 1.3", Effects: []fault.Effect{says(with(lti.ClaimVersion, "1.3"))},
	}, {
		Name: "version-number", Provokes: "core-tool-version-wrong",
		Proves: "core-version-claim",
		Does:   "sends the number 1.3 as version", Effects: []fault.Effect{says(with(lti.ClaimVersion, 1.3))},
	}, {
		Name: "version-missing", Provokes: "core-tool-version-missing",
		Proves: "core-version-claim",
		Does:   "leaves version out", Effects: []fault.Effect{says(without(lti.ClaimVersion))},
	}, {
		Name: "deployment-id-unknown", Provokes: "practice-tool-deployment-id-unknown",
		Proves:  "core-deployment-id-claim",
		Does:    "sends a deployment_id that nobody registered",
		Effects: []fault.Effect{says(func(d *draft) { d.claims[lti.ClaimDeploymentID] = lti.RandomString() })},
	}, {
		Name: "deployment-id-other-case", Provokes: "practice-tool-deployment-id-unknown",
		Proves: "core-login-optional-parameters-consistent",
		Does:   "changes the case of the deployment_id", Effects: []fault.Effect{says(changed(lti.ClaimDeploymentID, otherCase))},
	}, {
		Name: "deployment-id-too-long", Provokes: "practice-tool-deployment-id-unknown",
		Proves:  "core-deployment-id-claim",
		Does:    "sends a deployment_id of more than 255 characters that begins with the right one",
		Effects: []fault.Effect{says(changed(lti.ClaimDeploymentID, func(id string) string { return id + strings.Repeat("0", 255) }))},
	}, {
		Name: "deployment-id-unknown-in-both", Provokes: "practice-tool-deployment-id-unknown", AlsoAtLogin: true,
		Does:    "sends a deployment_id that nobody registered, in the login initiation and in the id_token",
		Effects: []fault.Effect{initiates(func(l *login) { l.Params.Set(lti.ParamLTIDeploymentID, lti.RandomString()) }), says(deploymentOfLogin)},
	}, {
		Name: "deployment-id-unknown-without-login", Provokes: "practice-tool-deployment-id-unknown", AlsoAtLogin: true,
		Does:    "sends a deployment_id that nobody registered, and none in the login initiation",
		Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamLTIDeploymentID) }), says(func(d *draft) { d.claims[lti.ClaimDeploymentID] = lti.RandomString() })},
	}, {
		Name: "resource-link-missing", Provokes: "core-tool-resource-link-missing",
		Proves: "core-resource-link-id-claim",
		Does:   "leaves resource_link out", Effects: []fault.Effect{says(without(lti.ClaimResourceLink))},
	}, {
		Name: "resource-link-id-missing", Provokes: "core-tool-resource-link-missing",
		Proves: "core-resource-link-id-claim",
		Does:   "leaves the id out of resource_link", Effects: []fault.Effect{says(with(lti.ClaimResourceLink, map[string]any{"title": "Introduction"}))},
	}, {
		Name: "resource-link-id-empty", Provokes: "core-tool-resource-link-missing",
		Proves:  "core-resource-link-id-claim",
		Does:    "sends an empty id in resource_link",
		Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimResourceLink, "id", "") })},
	}, {
		Name: "roles-missing", Provokes: "core-tool-roles-missing",
		Proves: "core-roles-claim",
		Does:   "leaves roles out", Effects: []fault.Effect{says(without(lti.ClaimRoles))},
	}, {
		Name: "sub-empty", Provokes: "core-tool-sub-missing",
		Proves: "sec-id-token-sub",
		Does:   "sends an empty sub beside name and email, as the certification suite does", Effects: []fault.Effect{says(with("sub", ""))},
	}, {
		Name: "sub-absent", Provokes: "core-tool-sub-missing",
		Proves: "sec-id-token-sub",
		Does:   "leaves sub out beside name and email", Effects: []fault.Effect{says(without("sub"))},
	}, {
		Name: "sub-null", Provokes: "core-tool-sub-missing",
		Proves: "sec-id-token-sub",
		Does:   "sends sub as null beside name and email", Effects: []fault.Effect{says(with("sub", nil))},
	}, {
		Name: "anonymous-without-role", Provokes: "core-tool-anonymous-launch", Permitted: true,
		Does: "sends neither sub nor anything else of the person, and no role", Effects: []fault.Effect{says(anonymous())},
	}, {
		Name: "anonymous-learner", Provokes: "core-tool-anonymous-launch", Permitted: true,
		Does: "sends neither sub nor anything else of the person, but the role of a learner", Effects: []fault.Effect{says(anonymous(lti.RoleLearner))},
	}, {
		Name: "anonymous-welcome", Provokes: "core-tool-anonymous-launch", Permitted: true,
		Does: "sends neither sub nor anything else of the person, to a tool that says that it lets such users in", Effects: []fault.Effect{says(anonymous(lti.RoleLearner))},
	}, {
		Name: "anonymous-after-other-user", Provokes: "core-tool-anonymous-launch", Permitted: true,
		Does: "sends neither sub nor anything else of the person, after a launch of another user in the same browser", Effects: []fault.Effect{says(anonymous(lti.RoleLearner))},
	}, {
		Name: "target-link-uri-missing", Provokes: "core-tool-target-link-uri-missing",
		Proves: "core-target-link-uri-claim",
		Does:   "leaves the claim target_link_uri out", Effects: []fault.Effect{says(without(lti.ClaimTargetLinkURI))},
	}, {
		Name: "unknown-claims", Provokes: "core-tool-unknown-claims-ignored",
		Proves:    "core-vendor-claims-are-urls",
		Permitted: true,
		Does:      "adds claims that nobody knows: an object, an array, a number, null, a future one of LTI, a short name",
		Effects: []fault.Effect{says(func(d *draft) {
			maps.Copy(d.claims, lti.Claims{
				"https://claims.example/object": map[string]any{"a": 1}, "https://claims.example/array": []any{1, "b", nil},
				"https://claims.example/number": 17.5, "https://claims.example/null": nil,
				"https://purl.imsglobal.org/spec/lti/claim/future": map[string]any{"version": 2}, "favourite_colour": "green",
			})
		})},
	}, {
		Name: "unknown-members", Provokes: "core-tool-unknown-claims-ignored",
		Conduct:   true,
		Permitted: true,
		Does:      "adds members that nobody knows to resource_link, context and launch_presentation",
		Effects: []fault.Effect{says(func(d *draft) {
			for _, claim := range []string{lti.ClaimResourceLink, lti.ClaimContext, lti.ClaimLaunchPresentation} {
				set(d, claim, "favourite_colour", "green")
				set(d, claim, "https://claims.example/member", []any{1, nil})
			}
		})},
	}, {
		Name: "claims-at-their-largest", Provokes: "core-tool-unknown-claims-ignored", Permitted: true,
		Does:    "sends all optional claims with all of their members, long texts, many roles and deep claims of vendors",
		Effects: []fault.Effect{says(everyClaim)},
	}, {
		Name: "required-claims-only", Provokes: "core-tool-optional-claims-absent", Permitted: true,
		Does: "sends the required claims and no others",
		Effects: []fault.Effect{says(func(d *draft) {
			required := []string{
				"iss", "aud", "sub", "iat", "exp", "nonce", lti.ClaimMessageType, lti.ClaimVersion,
				lti.ClaimDeploymentID, lti.ClaimTargetLinkURI, lti.ClaimResourceLink, lti.ClaimRoles,
			}
			maps.DeleteFunc(d.claims, func(name string, _ any) bool { return !slices.Contains(required, name) })
			d.claims[lti.ClaimResourceLink] = map[string]any{"id": d.launch.plan.ResourceLink.ID}
			d.plan.Needs.Keep(d.claims)
		})},
	}, {
		Name: "roles-empty", Provokes: "core-tool-roles-empty", Permitted: true,
		Does: "sends an empty array of roles", Effects: []fault.Effect{says(roles())},
	}, {
		Name: "instructor", Provokes: "core-tool-role-uris", Permitted: true,
		Does: "sends the role of an instructor of the context", Effects: []fault.Effect{says(roles(lti.RoleInstructor))},
	}, {
		Name: "learner", Provokes: "core-tool-role-uris", Permitted: true,
		Does: "sends the role of a learner of the context", Effects: []fault.Effect{says(roles(lti.RoleLearner))},
	}, {
		Name: "instructor-with-institution-roles", Provokes: "core-tool-role-uris", Permitted: true,
		Does: "sends the role of an instructor with roles in the institution", Effects: []fault.Effect{says(roles(lti.RoleInstructor, lti.RoleInstitutionStaff, lti.RoleInstitutionOther))},
	}, {
		Name: "instructor-with-system-role", Provokes: "core-tool-role-uris", Permitted: true,
		Does: "sends the role of an instructor with one in the system", Effects: []fault.Effect{says(roles(lti.RoleSystemUser, lti.RoleInstructor))},
	}, {
		Name: "sub-role-with-principal", Provokes: "core-tool-role-uris", Permitted: true,
		Does: "sends the sub-role of a teaching assistant with its principal role", Effects: []fault.Effect{says(roles(lti.RoleTeachingAssistant, lti.RoleInstructor))},
	}, {
		Name: "role-foreign-uri", Provokes: "practice-tool-role-escalation", Permitted: true,
		Does: "sends a role of a foreign vocabulary that ends in Instructor", Effects: []fault.Effect{says(roles(Stranger + "/Instructor"))},
	}, {
		Name: "role-institution-only", Provokes: "practice-tool-role-escalation", Permitted: true,
		Does: "sends the role of an instructor of the institution, and none in the context", Effects: []fault.Effect{says(roles(lti.RoleInstitutionInstructor))},
	}, {
		Name: "role-system-only", Provokes: "practice-tool-role-escalation", Permitted: true,
		Does: "sends the role of an administrator of the system, and none in the context", Effects: []fault.Effect{says(roles(roleSystemAdministrator))},
	}, {
		Name: "role-near-miss", Provokes: "practice-tool-role-escalation", Permitted: true,
		Does: "sends a role that the vocabulary lacks and that contains Instructor", Effects: []fault.Effect{says(roles(lti.RoleLearner + "Instructor"))},
	}, {
		Name: "role-learner-sub-role", Provokes: "practice-tool-role-escalation", Permitted: true,
		Does: "sends the role of a learner with a sub-role named Instructor", Effects: []fault.Effect{says(roles(lti.RoleLearner, lti.RoleLearnerInstructor))},
	}, {
		Name: "role-system-alone", Provokes: "core-tool-role-vocabularies", Permitted: true,
		Does: "sends a role of the system alone", Effects: []fault.Effect{says(roles(lti.RoleSystemUser))},
	}, {
		Name: "role-institution-alone", Provokes: "core-tool-role-vocabularies", Permitted: true,
		Does: "sends the role of a student of the institution alone", Effects: []fault.Effect{says(roles(lti.RoleInstitutionStudent))},
	}, {
		Name: "role-context-alone", Provokes: "core-tool-role-vocabularies", Permitted: true,
		Does: "sends the role of a member of the context alone", Effects: []fault.Effect{says(roles(lti.RoleMember))},
	}, {
		Name: "role-test-user", Provokes: "core-tool-role-vocabularies", Permitted: true,
		Does: "sends the role of a test user beside that of a learner", Effects: []fault.Effect{says(roles(lti.RoleLearner, lti.RoleTestUser))},
	}, {
		Name: "roles-of-each-vocabulary", Provokes: "core-tool-role-vocabularies", Permitted: true,
		Does:    "sends a role of each vocabulary, a sub-role and one of a vendor",
		Effects: []fault.Effect{says(roles(lti.RoleSystemUser, lti.RoleInstitutionStudent, lti.RoleLearner, lti.RoleMember, lti.RoleLearnerInstructor, Stranger+"/roles#Visitor"))},
	}, {
		Name: "other-sub-same-email", Provokes: "core-tool-user-identified-by-sub", Permitted: true,
		Does:    "sends another sub with the same name and email",
		Effects: []fault.Effect{says(func(d *draft) { d.claims["sub"] = part.Alter(d.launch.plan.User.Sub) })},
	}, {
		Name: "same-sub-other-email", Provokes: "core-tool-user-identified-by-sub", Permitted: true,
		Does: "sends the same sub with another email", Effects: []fault.Effect{says(with("email", "someone.else@school.example"))},
	}, {
		Name: "error-after-validation", Provokes: "core-tool-return-url",
		Does: "sends an unknown message type in a genuine token, with a return_url that has a query and a fragment",
		Effects: []fault.Effect{says(func(d *draft) {
			d.claims[lti.ClaimMessageType] = "LtiUnknownRequest"
			returnWithQuery(d)
		})},
	}, {
		Name: "exit-button", Provokes: "core-tool-return-url", Permitted: true,
		Does: "sends a return_url that has a query and a fragment", Effects: []fault.Effect{says(returnWithQuery)},
	}, {
		Name: "return-url-expired", Provokes: "practice-tool-return-url-unverified",
		Does: "sends a token that expired, with a return_url at a stranger's site",
		Effects: []fault.Effect{says(func(d *draft) {
			at("exp", -600)(d)
			returnToStranger(d)
		})},
	}, {
		Name: "return-url-unknown-issuer", Provokes: "practice-tool-return-url-unverified",
		Does: "names an unknown issuer, with a return_url at a stranger's site",
		Effects: []fault.Effect{says(func(d *draft) {
			d.claims["iss"] = "https://unknown-issuer.example"
			returnToStranger(d)
		})},
	}},
	personas("cert-tool-valid-unknown-role", "with-unknown-role", "with a role that is in no vocabulary added", addRoles(lti.RoleUnknown)),
	personas("cert-tool-valid-multiple-roles", "with-institution-roles", "with roles in the institution added", func(d *draft, role string) {
		own := lti.RoleInstitutionStaff
		if role == lti.RoleLearner {
			own = lti.RoleInstitutionStudent
		}
		roles(role, own, lti.RoleInstitutionOther)(d)
	}),
	personas("cert-tool-valid-short-role", "with-short-role", "with the deprecated short name of the role", func(d *draft, role string) {
		_, short, _ := strings.Cut(role, "#")
		roles(short)(d)
	}),
	personas("cert-tool-valid-custom-role", "with-custom-role", "with a role of the school's own added", addRoles("https://school.example/roles#Coach")),
	personas("cert-tool-valid-no-role", "with-empty-role", "with one role that is an empty string, as the certification suite sends it", func(d *draft, _ string) { roles("")(d) }),
	personas("cert-tool-valid-no-role", "without-role", "without a role", func(d *draft, _ string) { roles()(d) }),
	personas("cert-tool-valid-email-only", "with-email-only", "with no personal datum but the email", func(d *draft, _ string) { without(names...)(d) }),
	personas("cert-tool-valid-names-only", "with-names-only", "with names and no email", func(d *draft, _ string) {
		without("email")(d)
		with("middle_name", "Fairfax")(d)
	}),
	personas("cert-tool-valid-no-pii", "without-personal-data", "without names and email", func(d *draft, _ string) {
		without(append(names, "email")...)(d)
		withoutPerson(d)
	}),
	personas("cert-tool-valid-no-context", "without-context", "without the course", func(d *draft, _ string) { without(lti.ClaimContext)(d) }),
)

// UnicodeGivenName is a given name that a careless tool garbles.
const UnicodeGivenName = "Zoë 🦉"

var names = []string{"name", "given_name", "middle_name", "family_name"}

// personas are the two cases of the certification guide that differ in who is
// launched.
func personas(provokes, suffix, does string, change func(d *draft, role string)) []Fault {
	one := func(name, who, role string) Fault {
		return Fault{
			Name: name + "-" + suffix, Provokes: provokes, Permitted: true, Does: "launches a " + who + " " + does,
			Effects: []fault.Effect{says(func(d *draft) {
				roles(role)(d)
				change(d, role)
			})},
		}
	}
	return []Fault{one("teacher", "teacher", lti.RoleInstructor), one("student", "student", lti.RoleLearner)}
}

func addRoles(more ...string) func(*draft, string) {
	return func(d *draft, role string) { roles(append([]string{role}, more...)...)(d) }
}

func roles(list ...string) func(*draft) {
	return with(lti.ClaimRoles, append([]string{}, list...))
}

// anonymous leaves out everything of the person (LTI Core 1.3, 5.3.6.1).
func anonymous(list ...string) func(*draft) {
	return func(d *draft) {
		without(append(names, "sub", "email", "locale")...)(d)
		withoutPerson(d)
		roles(list...)(d)
	}
}

// ownClient stands for the client_id in a list of audiences.
const ownClient = ""

// audience sends several audiences.
func audience(list ...string) func(*draft) {
	return func(d *draft) {
		audiences := slices.Clone(list)
		for i, a := range audiences {
			if a == ownClient {
				audiences[i] = d.launch.plan.ClientID
			}
		}
		d.claims["aud"] = audiences
	}
}

func authorizedParty(d *draft) { d.claims["azp"] = d.launch.plan.ClientID }

// returnWithQuery gives the launch a return URL that has to be added to.
func returnWithQuery(d *draft) {
	set(d, lti.ClaimLaunchPresentation, "return_url", d.launch.ReturnURL()+"?"+ReturnQuery+"#frag")
}

// ReturnQuery is the query of the return URL in the faults of core-tool-return-url.
const ReturnQuery = part.ReturnQuery

func returnToStranger(d *draft) {
	set(d, lti.ClaimLaunchPresentation, "return_url", Stranger+"/return")
}

// padded makes the token at least so many bytes long.
func padded(size int) func(*draft) {
	return func(d *draft) { set(d, lti.ClaimCustom, "filler", strings.Repeat("0123456789abcdef", size*3/4/16)) }
}

func with(claim string, value any) func(*draft) {
	return func(d *draft) { d.claims[claim] = value }
}

func without(claims ...string) func(*draft) {
	return func(d *draft) {
		for _, claim := range claims {
			delete(d.claims, claim)
		}
	}
}

// withoutPerson leaves the identifier of the person out of the claim lis, which is left
// out where it says nothing else.
func withoutPerson(d *draft) {
	said, _ := d.claims[lti.ClaimLIS].(map[string]any)
	rest := maps.Clone(said)
	delete(rest, "person_sourcedid")
	d.claims[lti.ClaimLIS] = rest
	if len(rest) == 0 {
		delete(d.claims, lti.ClaimLIS)
	}
}

// at sets a time to so many seconds from now.
func at(claim string, seconds int64) func(*draft) {
	return func(d *draft) { d.claims[claim] = d.now.Unix() + seconds }
}

// fraction is a time between two seconds, as a NumericDate may be (RFC 7519, 2).
func fraction(claim string, seconds int64) func(*draft) {
	return func(d *draft) { d.claims[claim] = float64(d.now.Unix()+seconds) + 0.375 }
}

// set sets a member of a claim that is an object, and makes the claim where
// there is none.
func set(d *draft, claim, member string, value any) { part.SetMember(d.claims, claim, member, value) }

func changed(claim string, change func(string) string) func(*draft) {
	return func(d *draft) {
		if s, ok := d.claims[claim].(string); ok {
			d.claims[claim] = change(s)
		}
	}
}

// roleSystemAdministrator is one of the vocabulary (LTI Core 1.3, A.2.1).
const roleSystemAdministrator = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
