package proctoring

import (
	"net/http"
	"slices"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// rules are those of every message that a tool signs.
var rules = toolmessage.RulesOf[*submission](lti.StartAssessment)

// What is checked of LtiStartAssessment, in the order in which it is told: how it was sent
// (Security Framework 1.0, 5.2.1), and what it says (Security Framework 1.0, 5.2.3; Proctoring
// Services 1.0, 4.3), where it can be read.
var (
	messageSentRules = &fault.List[*submission]{Name: "how LtiStartAssessment was sent", Rules: rules.Sent()}
	messageRules     = &fault.List[*submission]{Name: "LtiStartAssessment", Rules: slices.Concat(rules.Said(), []*fault.Rule[*submission]{
		sessionDataOfLaunch, sessionDataFresh,
		linkOfLaunch, attemptOfLaunch,
		verifiedUserObject,
		attemptNotStarted,
	})}
	// nonceTaken is checked with the exams locked, when the attempt is about to start.
	nonceTaken = &fault.Rule[*submission]{Name: "nonce is not used meanwhile", Broken: func(s *submission) error {
		if s.usedNonce() && !s.launch.Plan().Lenient {
			return part.InvalidRequest("nonce has been used already")
		}
		return nil
	}}
)

// It answers the launch: session_data is what this launch sent, and not too long ago
// (Proctoring Services 1.0, 3.3 and 4.3.1.4).
var (
	sessionDataOfLaunch = &fault.Rule[*submission]{Name: "session_data is that of the launch", Broken: func(s *submission) error {
		if stated(s.Token.Claims).sessionData != s.launch.statement().sessionData {
			return part.InvalidRequest("session_data is not that of the launch")
		}
		return nil
	}}
	sessionDataFresh = &fault.Rule[*submission]{Name: "session_data has not expired", Broken: func(s *submission) error {
		if s.age() > sessionDataLifetime {
			return part.InvalidRequest("session_data has expired")
		}
		return nil
	}}
)

// It is about the assessment and the attempt of the launch (Proctoring Services 1.0, 4.3.1.5
// and 4.3.1.6).
var (
	linkOfLaunch = &fault.Rule[*submission]{Name: "resource_link is that of the launch", Broken: func(s *submission) error {
		if _, isObject := s.Token.Claims[lti.ClaimResourceLink].(map[string]any); !isObject {
			return part.InvalidRequest("resource_link is missing or no object")
		}
		if stated(s.Token.Claims).linkID != s.launch.statement().linkID {
			return part.InvalidRequest("resource_link is not that of the launch")
		}
		return nil
	}}
	attemptOfLaunch = &fault.Rule[*submission]{Name: "attempt_number is that of the launch", Broken: func(s *submission) error {
		if stated(s.Token.Claims).attemptNumber == s.launch.statement().attemptNumber {
			return nil
		}
		if _, isInteger := jwt.Integer(s.Token.Claims[lti.ClaimAttemptNumber]); isInteger {
			return part.InvalidRequest("attempt_number is not that of the launch")
		}
		return part.InvalidRequest("attempt_number is missing or no integer")
	}}
)

var (
	// The platform holds the form alone of what the tool says of the candidate (Proctoring
	// Services 1.0, 4.3.2.1).
	verifiedUserObject = &fault.Rule[*submission]{Name: "verified_user is an object", Broken: func(s *submission) error {
		user, sent := s.Token.Claims[lti.ClaimVerifiedUser]
		if _, isObject := user.(map[string]any); sent && !isObject {
			return part.InvalidRequest("verified_user is no object")
		}
		return nil
	}}
	// An attempt starts once (Proctoring Services 1.0, 3.3).
	attemptNotStarted = &fault.Rule[*submission]{Name: "the attempt has not been started", Broken: func(s *submission) error {
		by := s.launch.attempt.startedBy()
		switch {
		case s.launch.attempt.mayRestart(), by == nil:
			return nil
		case by == s.launch:
			return part.InvalidRequest(usedSessionData)
		}
		return part.InvalidRequest("the attempt has been started by another launch")
	}}
)

// OfUser says whether the browser is the candidate's.
func (s *submission) OfUser() bool { return s.exams.isCandidates(s.Request, s.launch) }

// Deployment is what the launch said of the deployment.
func (s *submission) Deployment() string { return s.launch.statement().deploymentID }

// UsedNonce says whether the tool has used the nonce.
func (s *submission) UsedNonce() bool {
	s.exams.mu.Lock()
	defer s.exams.mu.Unlock()
	return s.usedNonce()
}

// usedNonce says whether the tool has used the nonce. It is called with the exams locked.
func (s *submission) usedNonce() bool {
	return s.Nonce() != "" && s.exams.nonces.Used(s.launch.Plan().ClientID, s.Nonce())
}

// age is how long ago the launch was planned.
func (s *submission) age() time.Duration { return s.exams.core.Now().Sub(s.launch.Planned()) }

// What passes the seams of the start of an assessment.
type (
	readMessage struct{ submission }
	// judgedMessage is a message of which is known what is wrong, and what is answered at once
	// instead.
	judgedMessage struct {
		*submission
		wrong   part.Refusals
		instead http.HandlerFunc
	}
	// startAnswer is the answer to a message that has started an attempt, or has not.
	startAnswer struct {
		*submission
		started bool
		wrong   part.Refusals
		instead http.HandlerFunc
	}
	// endWish is what a message says of the end of the attempt.
	endWish struct {
		*Launch
		claims map[string]any
		wants  bool
	}
)

var (
	messageRead   = &fault.Seam[readMessage]{Name: "LtiStartAssessment as it is read"}
	messageJudged = &fault.Seam[judgedMessage]{Name: "LtiStartAssessment that was judged"}
	startAnswered = &fault.Seam[startAnswer]{Name: "the answer to LtiStartAssessment"}
	// The tool is told of the end where it has asked for it (Proctoring Services 1.0, 4.3.2.2).
	// It is asked with the exams locked.
	endAsked = &fault.Step[endWish]{Name: "the tool is to be told of the end", Honest: func(e endWish) bool { return e.wants }}
)
