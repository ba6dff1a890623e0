package messages

import (
	"fmt"
	"slices"
	"strings"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// The vocabularies of roles (LTI Core 1.3, A.2): what their URIs begin with, and
// the names that they have.
var roleVocabularies = map[string]string{
	"http://purl.imsglobal.org/vocab/lis/v2/system/person#": "Administrator None AccountAdmin Creator SysAdmin SysSupport User TestUser",
	"http://purl.imsglobal.org/vocab/lis/v2/institution/person#": "Administrator Faculty Guest None Other Staff Student Alumni Instructor Learner Member Mentor " +
		"Observer ProspectiveStudent",
	Membership: "Administrator ContentDeveloper Instructor Learner Mentor Manager Member Officer",
	"http://purl.imsglobal.org/vocab/lti/system/person#": "TestUser",
}

const (
	// Membership begins the roles in a context (LTI Core 1.3, A.2.3).
	Membership = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
	// subRole begins a sub-role: its principal role, # and its own name follow.
	subRole = "http://purl.imsglobal.org/vocab/lis/v2/membership/"
)

// known says whether a role is one of the vocabularies; a short name counts, as a
// deprecated one of them.
func known(role string) bool {
	if principal, name, found := strings.Cut(strings.TrimPrefix(role, subRole), "#"); found && strings.HasPrefix(role, subRole) {
		return name != "" && has(Membership, principal)
	}
	for prefix := range roleVocabularies {
		if name, found := strings.CutPrefix(role, prefix); found {
			return has(prefix, name)
		}
	}
	return has(Membership, role) || strings.HasPrefix(role, "urn:lti:role:ims/lis/") || strings.HasPrefix(role, "urn:lti:sysrole:ims/lis/") ||
		strings.HasPrefix(role, "urn:lti:instrole:ims/lis/") || strings.HasPrefix(role, "http://purl.imsglobal.org/vocab/lis/v2/person#")
}

func has(vocabulary, name string) bool {
	return slices.Contains(strings.Fields(roleVocabularies[vocabulary]), name)
}

// Teaches says whether a role is one of those who teach in the context, or run it. What
// somebody is in the institution says nothing of that (LTI Core 1.3, A.2.2 and A.2.3).
func Teaches(role string) bool {
	principal, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(role, Membership), subRole), "#")
	return slices.Contains([]string{"Instructor", "Administrator", "ContentDeveloper"}, principal)
}

// RolesOf returns the roles, and false where they are no array of texts.
func RolesOf(m harness.Message) ([]string, bool) {
	members, ok := m.Claims[lti.ClaimRoles].([]any)
	roles := []string{}
	for _, member := range members {
		role, isText := member.(string)
		ok = ok && isText
		roles = append(roles, role)
	}
	return roles, ok
}

// WrongRoles says what is wrong with the claim (LTI Core 1.3, 5.3.7).
func WrongRoles(m harness.Message) string {
	claim, present := m.Claims[lti.ClaimRoles]
	roles, ok := RolesOf(m)
	if !present {
		return "roles is missing"
	}
	if !ok {
		return fmt.Sprintf("roles is %s instead of an array of texts", lti.Wire(claim))
	}
	if slices.ContainsFunc(roles, known) {
		return ""
	}
	if len(roles) > 0 {
		return fmt.Sprintf("none of the roles %s is one of the vocabularies", lti.Wire(roles))
	}
	return ""
}

// DeprecatedRoles says which roles are not written as they should be (LTI Core
// 1.3, A.2 and A.2.3.1).
func DeprecatedRoles(m harness.Message) string {
	roles, _ := RolesOf(m)
	given := map[string]bool{}
	for _, role := range roles {
		given[role] = true
	}
	var wrong []string
	for _, role := range roles {
		switch {
		case !strings.Contains(role, "://"):
			wrong = append(wrong, fmt.Sprintf("%q is not a full URI", results.Bounded(role, 200)))
		case strings.HasPrefix(role, "http://purl.imsglobal.org/vocab/lis/v2/person#"):
			wrong = append(wrong, fmt.Sprintf("%q is deprecated", role))
		case strings.HasPrefix(role, subRole):
			principal, _, _ := strings.Cut(strings.TrimPrefix(role, subRole), "#")
			if !given[Membership+principal] {
				wrong = append(wrong, fmt.Sprintf("%q comes without %q", role, Membership+principal))
			}
		}
	}
	return strings.Join(wrong, "; ")
}
