package fakeplatform

// The names of the defects of the grade services (Assignment and Grade Services
// 2.0), and of the claim that offers them.
const (
	GradesWithoutToken      = "grades-without-token"
	TakesGradeTokenInQuery  = "takes-grade-token-in-query"
	TakesUnknownGradeTokens = "takes-unknown-grade-tokens"
	TakesExpiredGradeTokens = "takes-expired-grade-tokens"
	IgnoresGradeScopes      = "ignores-grade-scopes"
)
