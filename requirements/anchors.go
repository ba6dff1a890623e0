package requirements

import "strings"

// anchors are the fragments of the sections of documents, by their URLs, for requirements that name a section and no link.
// A section without one of its own has that of the section that it is in.
var anchors = map[string]map[string]string{
	"https://www.imsglobal.org/spec/security/v1p0/": {
		"4": "securing_web_services", "4.1": "using-json-web-tokens-with-oauth-2-0-client-credentials-grant",
		"5":       "message-security-and-message-signing",
		"5.1.1.1": "step-1-third-party-initiated-login", "5.1.1.2": "step-2-authentication-request", "5.1.1.3": "step-3-authentication-response",
		"5.1.2": "id-token", "5.1.3": "authentication-response-validation",
		"5.2.2": "tool-jwt", "5.2.3": "authentication-response-validation-0",
		"6.3": "h_key-set-url",
	},
	"https://www.imsglobal.org/spec/lti/v1p3/": {
		"3.2": "contexts-and-resources", "4.1.1": "lti_message_hint-login-parameter",
		"5.3": "required-message-claims", "5.3.1": "message-type-claim", "5.3.2": "lti-version-claim", "5.3.3": "lti-deployment-id-claim",
		"5.3.4": "target-link-uri", "5.3.5": "resource-link-claim", "5.3.6": "user-identity-claims", "5.3.7": "roles-claim",
		"5.4.1": "context-claim", "5.4.2": "platform-instance-claim", "5.4.4": "launch-presentation-claim",
		"5.4.6": "custom-properties-and-variable-substitution", "A.2": "role-vocabularies",
	},
	"https://www.imsglobal.org/spec/lti-ags/v2p0/": {
		"3.1": "assignment-and-grade-service-claim", "3.2": "line-item-service", "3.3": "result-service", "3.4": "score-publish-service",
	},
	"https://www.imsglobal.org/spec/lti-nrps/v2p0/": {
		"Claim for inclusion in LTI messages": "claim-for-inclusion-in-lti-messages", "Sharing of personal data": "sharing-of-personal-data",
		"Resource Link Membership Service": "resource-link-membership-service",
	},
	"https://www.imsglobal.org/spec/lti-sr/v1p0/": {"for_user claim": "for-user-claim"},
}

// anchored returns the URL of a document with the fragment of the first of its sections that a requirement names.
func anchored(base, section string) string {
	longest := ""
	for key := range anchors[base] {
		if rest, in := strings.CutPrefix(section, key); in && (rest == "" || strings.ContainsAny(rest[:1], ".,; (")) && len(key) > len(longest) {
			longest = key
		}
	}
	if longest == "" {
		return base
	}
	return base + "#" + anchors[base][longest]
}
