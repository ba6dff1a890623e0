// Package lti is the vocabulary that a platform and a tool share on the wire:
// names of message types, claims, roles and parameters, keys and JSON Web
// Tokens. It checks nothing: each side validates with code of its own, so that
// one side's mistake cannot hide the other's.
package lti

// Version is the value of the version claim (LTI Core 1.3, 5.3.2).
const Version = "1.3.0"

// Message types (LTI Core 1.3, 5.3.1; Deep Linking 2.0, 4.4 and 4.5; Proctoring Services
// 1.0, 4).
const (
	ResourceLinkRequest = "LtiResourceLinkRequest"
	DeepLinkingRequest  = "LtiDeepLinkingRequest"
	DeepLinkingResponse = "LtiDeepLinkingResponse"
	StartProctoring     = "LtiStartProctoring"
	StartAssessment     = "LtiStartAssessment"
	EndAssessment       = "LtiEndAssessment"
)

// ClaimPrefix begins the names of the claims that LTI defines.
const ClaimPrefix = "https://purl.imsglobal.org/spec/"

// Claims of an LTI message (LTI Core 1.3, 5.3 and 5.4).
const (
	ClaimMessageType        = "https://purl.imsglobal.org/spec/lti/claim/message_type"
	ClaimVersion            = "https://purl.imsglobal.org/spec/lti/claim/version"
	ClaimDeploymentID       = "https://purl.imsglobal.org/spec/lti/claim/deployment_id"
	ClaimTargetLinkURI      = "https://purl.imsglobal.org/spec/lti/claim/target_link_uri"
	ClaimResourceLink       = "https://purl.imsglobal.org/spec/lti/claim/resource_link"
	ClaimRoles              = "https://purl.imsglobal.org/spec/lti/claim/roles"
	ClaimContext            = "https://purl.imsglobal.org/spec/lti/claim/context"
	ClaimToolPlatform       = "https://purl.imsglobal.org/spec/lti/claim/tool_platform"
	ClaimLaunchPresentation = "https://purl.imsglobal.org/spec/lti/claim/launch_presentation"
	ClaimCustom             = "https://purl.imsglobal.org/spec/lti/claim/custom"
	ClaimLIS                = "https://purl.imsglobal.org/spec/lti/claim/lis"
	ClaimRoleScopeMentor    = "https://purl.imsglobal.org/spec/lti/claim/role_scope_mentor"
)

// Roles of the LIS vocabulary (LTI Core 1.3, A.2), and one that is in no
// vocabulary, as the certification suite sends it.
const (
	RoleInstructor = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
	RoleLearner    = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
	RoleMember     = "http://purl.imsglobal.org/vocab/lis/v2/membership#Member"
	RoleSystemUser = "http://purl.imsglobal.org/vocab/lis/v2/system/person#User"
	RoleTestUser   = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
	RoleUnknown    = "http://purl.imsglobal.org/vocab/lis/v2/uknownrole/unknown#Unknown"

	// A sub-role has a path of its own, and goes with its principal role.
	RoleTeachingAssistant = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"
	RoleLearnerInstructor = "http://purl.imsglobal.org/vocab/lis/v2/membership/Learner#Instructor"

	RoleInstitutionInstructor = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"
	RoleInstitutionStaff      = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Staff"
	RoleInstitutionStudent    = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"
	RoleInstitutionOther      = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Other"
)

// ContextTypeCourseOffering is a context type (LTI Core 1.3, A.1).
const ContextTypeCourseOffering = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"

// Parameters of the login initiation (Security Framework 1.0, 5.1.1.1; LTI Core 1.3, 4.1).
const (
	ParamIssuer          = "iss"
	ParamLoginHint       = "login_hint"
	ParamTargetLinkURI   = "target_link_uri"
	ParamMessageHint     = "lti_message_hint"
	ParamLTIDeploymentID = "lti_deployment_id"
	ParamStorageTarget   = "lti_storage_target" // LTI OIDC Login with LTI Client Side postMessages 0.1
	ParamClientID        = "client_id"
)

// Parameters of the authentication request and of the answer to it (Security
// Framework 1.0, 5.1.1.2 and 5.1.1.3; OpenID Connect Core 1.0, 3.1.2).
const (
	ParamScope            = "scope"
	ParamResponseType     = "response_type"
	ParamResponseMode     = "response_mode"
	ParamPrompt           = "prompt"
	ParamRedirectURI      = "redirect_uri"
	ParamState            = "state"
	ParamNonce            = "nonce"
	ParamIDToken          = "id_token"
	ParamError            = "error"
	ParamErrorDescription = "error_description"
)

// The values that an authentication request carries (Security Framework 1.0, 5.1.1.2).
const (
	ScopeOpenID          = "openid"
	ResponseTypeIDToken  = "id_token"
	ResponseModeFormPost = "form_post"
	PromptNone           = "none"
)

// Error codes of an OpenID Connect error response (OpenID Connect Core 1.0,
// 3.1.2.6; RFC 6749, 4.2.2.1).
const (
	ErrorInvalidRequest          = "invalid_request"
	ErrorUnsupportedResponseType = "unsupported_response_type"
	ErrorLoginRequired           = "login_required"
)

// Parameters that a tool may add to the return URL (LTI Core 1.3, 5.4.4). The
// user sees the first two, the last two are for logs.
const (
	ParamMessage      = "lti_msg"
	ParamErrorMessage = "lti_errormsg"
	ParamLog          = "lti_log"
	ParamErrorLog     = "lti_errorlog"
)

// ParamJWT is the form parameter of a message that a tool sends (Security
// Framework 1.0, 5.2.1).
const ParamJWT = "JWT"

// MediaTypeJWKSet is the media type of a key set (RFC 7517, 8.5.2).
const MediaTypeJWKSet = "application/jwk-set+json"
