package fakeplatform

import (
	"encoding/json"
	"slices"

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
		sub: jsonOf(claims, "sub"), linkID: jsonOf(link, "id"), attemptNumber: jsonOf(claims, lti.ClaimAttemptNumber),
		sessionData: jsonOf(claims, lti.ClaimSessionData), deploymentID: jsonOf(claims, lti.ClaimDeploymentID), nonce: jsonOf(claims, "nonce"),
	}
}

// jsonOf writes a member as JSON; nothing where it is missing.
func jsonOf(object map[string]any, member string) string {
	value, sent := object[member]
	if !sent {
		return ""
	}
	text, _ := json.Marshal(value) // what comes from JSON goes there again
	return string(text)
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
