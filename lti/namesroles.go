package lti

// ClaimNamesRoles is the claim that offers the members of a context (Names and Role
// Provisioning Services 2.0, "Claim for inclusion in LTI messages").
const ClaimNamesRoles = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

// NamesRolesVersion is the version of the service that the claim names.
const NamesRolesVersion = "2.0"

// What a tool needs to read the members of a context, and what they come as (Names and
// Role Provisioning Services 2.0, "Scope for access" and "Membership container media
// type").
const (
	ScopeMembership              = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
	MediaTypeMembershipContainer = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
)

// A MembershipStatus is that of a member; one without is active. Deleted is for lists
// of differences alone (Names and Role Provisioning Services 2.0, "Membership status").
type MembershipStatus string

// The statuses.
const (
	MemberActive   MembershipStatus = "Active"
	MemberInactive MembershipStatus = "Inactive"
	MemberDeleted  MembershipStatus = "Deleted"
)

// ContextRolePrefix begins the URIs of the roles in a context, which go by their simple
// names as well (LTI Core 1.3, A.2.3).
const ContextRolePrefix = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
