package lti

// Parameters of a token request (Security Framework 1.0, 4.1.1; RFC 7523, 2.2).
const (
	ParamGrantType           = "grant_type"
	ParamClientAssertionType = "client_assertion_type"
	ParamClientAssertion     = "client_assertion"

	GrantClientCredentials = "client_credentials"
	AssertionTypeJWT       = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// A TokenResponse is what a token endpoint grants (RFC 6749, 5.1).
type TokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	Scope       string `json:"scope,omitempty"`
}

// Error codes of a token endpoint and of a service (RFC 6749, 5.2; RFC 6750, 3.1).
const (
	ErrorInvalidClient        = "invalid_client"
	ErrorInvalidScope         = "invalid_scope"
	ErrorUnsupportedGrantType = "unsupported_grant_type"
	ErrorInvalidToken         = "invalid_token"
	ErrorInsufficientScope    = "insufficient_scope"
)
