package lti

// Parameters of the request by which a platform opens a tool's registration URL (Dynamic
// Registration 1.0, step 1).
const (
	ParamOpenIDConfiguration = "openid_configuration"
	ParamRegistrationToken   = "registration_token"
)

// Members of what platform and tool tell of themselves that LTI adds to OpenID Connect
// Discovery 1.0 and Dynamic Client Registration 1.0 (Dynamic Registration 1.0, steps 2 and 3).
const (
	PlatformConfiguration = "https://purl.imsglobal.org/spec/lti-platform-configuration"
	ToolConfiguration     = "https://purl.imsglobal.org/spec/lti-tool-configuration"
)

// CloseSubject is the subject of what a tool's page posts to its opener or parent at the end
// of a registration (Dynamic Registration 1.0, step 4).
const CloseSubject = "org.imsglobal.lti.close"

// Error codes of a registration endpoint (OpenID Connect Dynamic Client Registration 1.0, 3.3).
const (
	ErrorInvalidRedirectURI    = "invalid_redirect_uri"
	ErrorInvalidClientMetadata = "invalid_client_metadata"
)

// Values of client metadata (OpenID Connect Dynamic Client Registration 1.0, 2; Dynamic
// Registration 1.0, step 3).
const (
	ApplicationTypeWeb   = "web"
	GrantImplicit        = "implicit"
	AuthMethodPrivateKey = "private_key_jwt"
)

// GrantImplicitMisspelt is how some tools write [GrantImplicit], as they have found it in examples.
const GrantImplicitMisspelt = "impl" + "ict"
