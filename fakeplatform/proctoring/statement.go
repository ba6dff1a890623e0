package proctoring

import (
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/lti"
)

// A statement is what a message says of its exam, each value as JSON and none
// where the claim is missing. A tool repeats it, whatever a fault has made of it.
type statement struct {
	sub, linkID, attemptNumber, sessionData, deploymentID, nonce string
}

// stated reads it from claims.
func stated(claims map[string]any) statement {
	link, _ := claims[lti.ClaimResourceLink].(map[string]any)
	return statement{
		sub: jwt.Member(claims, "sub"), linkID: jwt.Member(link, "id"), attemptNumber: jwt.Member(claims, lti.ClaimAttemptNumber),
		sessionData: jwt.Member(claims, lti.ClaimSessionData), deploymentID: jwt.Member(claims, lti.ClaimDeploymentID), nonce: jwt.Member(claims, "nonce"),
	}
}
