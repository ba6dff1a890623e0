package fakeplatform

import (
	"slices"

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

// state keeps what the launch's message says.
func (l *Launch) state(claims lti.Claims) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = stated(claims)
}

func (l *Launch) statement() statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said
}

// exams returns the launches of exams that a condition holds for, the latest
// first.
func (p *Platform) exams(are func(*Launch, statement) bool) []*Launch {
	p.mu.Lock()
	begun := slices.Clone(p.begunExams)
	p.mu.Unlock()
	var found []*Launch
	for _, l := range slices.Backward(begun) {
		if are(l, l.statement()) {
			found = append(found, l)
		}
	}
	return found
}
