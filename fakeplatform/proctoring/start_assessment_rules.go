package proctoring

import (
	"net/http"
	"slices"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What is checked of LtiStartAssessment, in the order in which it is told: how it was sent
// (Security Framework 1.0, 5.2.1), and what it says (Security Framework 1.0, 5.2.3; Proctoring
// Services 1.0, 4.3), where it can be read.
var (
	messageSentRules = &fault.List[*submission]{Name: "how LtiStartAssessment was sent", Rules: []*fault.Rule[*submission]{
		messageByPost, messageAsForm, messageOnce, noIDToken, messageOfCandidate, messageReadable, messageSigned,
	}}
	messageRules = &fault.List[*submission]{Name: "LtiStartAssessment", Rules: []*fault.Rule[*submission]{
		issuerIsTool, audienceAlone, audienceIsPlatform,
		messageExpires, messageNotExpired, messageIssued, messageNotAhead, messageNotOld,
		messageNonceGiven, messageNonceUnused,
		messageType, messageVersion, messageDeployment,
		sessionDataOfLaunch, sessionDataFresh,
		linkOfLaunch, attemptOfLaunch,
		verifiedUserObject,
		attemptNotStarted,
	}}
)

// How it was sent: by a form of the candidate's browser, with one JWT (Security Framework 1.0,
// 5.2.1; Proctoring Services 1.0, 3.3).
var (
	messageByPost = &fault.Rule[*submission]{Name: "the request is a POST", Broken: func(s *submission) error {
		if s.Method != http.MethodPost {
			return &part.Refusal{Status: http.StatusMethodNotAllowed, Says: "the request is a " + s.Method + " instead of a POST"}
		}
		return nil
	}}
	messageAsForm = &fault.Rule[*submission]{Name: "the body is a form", Broken: func(s *submission) error {
		if part.MediaType(s.Request) != part.FormMediaType {
			return part.InvalidRequest("the content type is %.100q instead of %s", s.Header.Get("Content-Type"), part.FormMediaType)
		}
		return nil
	}}
	messageOnce = &fault.Rule[*submission]{Name: "JWT occurs once", Broken: func(s *submission) error {
		if n := len(s.form[lti.ParamJWT]); n != 1 {
			return part.InvalidRequest("JWT occurs %d times instead of once", n)
		}
		return nil
	}}
	noIDToken = &fault.Rule[*submission]{Name: "there is no id_token", Broken: func(s *submission) error {
		if s.form.Has(lti.ParamIDToken) {
			return part.InvalidRequest("the form has an id_token")
		}
		return nil
	}}
	messageOfCandidate = &fault.Rule[*submission]{Name: "the browser is the candidate's", Broken: func(s *submission) error {
		if !s.exams.isCandidates(s.Request, s.launch) {
			return &part.Refusal{Status: http.StatusForbidden, Says: "the browser is not that of the candidate whose launch this is"}
		}
		return nil
	}}
	messageReadable = &fault.Rule[*submission]{Name: "there is a JWT", Broken: func(s *submission) error {
		if !s.readable() {
			return part.InvalidRequest("there is no JWT that can be read")
		}
		return nil
	}}
	messageSigned = &fault.Rule[*submission]{Name: "the JWT is signed by the tool that was launched", Broken: func(s *submission) error {
		if !s.readable() {
			return nil
		}
		if err := s.exams.core.Verify(s.Context(), s.token, s.launch.Plan().ClientID); err != nil {
			return part.InvalidRequest("%s", err)
		}
		return nil
	}}
)

// Who it is from, for whom, and when (Security Framework 1.0, 5.2.3).
var (
	issuerIsTool = &fault.Rule[*submission]{Name: "iss is the client_id of the tool", Broken: func(s *submission) error {
		if s.token.Claims["iss"] != s.launch.Plan().ClientID {
			return part.InvalidRequest("iss is not the client_id of the tool that was launched")
		}
		return nil
	}}
	audienceAlone = &fault.Rule[*submission]{Name: "aud names nobody beside this platform", Broken: func(s *submission) error {
		if own, further := s.audience(); own && further {
			return part.InvalidRequest("aud names somebody beside this platform")
		}
		return nil
	}}
	audienceIsPlatform = &fault.Rule[*submission]{Name: "aud names this platform", Broken: func(s *submission) error {
		if own, _ := s.audience(); !own {
			return part.InvalidRequest("aud does not name this platform")
		}
		return nil
	}}
	messageExpires = &fault.Rule[*submission]{Name: "exp is a time", Broken: func(s *submission) error {
		if _, is := jwt.Instant(s.token.Claims["exp"]); !is {
			return part.InvalidRequest("exp is missing or no time")
		}
		return nil
	}}
	messageNotExpired = &fault.Rule[*submission]{Name: "exp has not passed", Broken: func(s *submission) error {
		if exp, is := jwt.Instant(s.token.Claims["exp"]); is && s.exams.core.Now().After(exp.Add(jwt.Leeway)) {
			return part.InvalidRequest("the message has expired")
		}
		return nil
	}}
	messageIssued = &fault.Rule[*submission]{Name: "iat is a time", Broken: func(s *submission) error {
		if _, is := jwt.Instant(s.token.Claims["iat"]); !is {
			return part.InvalidRequest("iat is missing or no time")
		}
		return nil
	}}
	messageNotAhead = &fault.Rule[*submission]{Name: "iat does not lie ahead", Broken: func(s *submission) error {
		if iat, is := jwt.Instant(s.token.Claims["iat"]); is && iat.After(s.exams.core.Now().Add(jwt.Leeway)) {
			return part.InvalidRequest("iat lies ahead")
		}
		return nil
	}}
	messageNotOld = &fault.Rule[*submission]{Name: "iat is at most a day old", Broken: func(s *submission) error {
		if iat, is := jwt.Instant(s.token.Claims["iat"]); is && s.exams.core.Now().After(iat.Add(jwt.Oldest)) {
			return part.InvalidRequest("the message is more than a day old")
		}
		return nil
	}}
)

// The nonce starts one attempt at most (Security Framework 1.0, 5.2.3).
var (
	messageNonceGiven = &fault.Rule[*submission]{Name: "nonce is given", Broken: func(s *submission) error {
		if s.nonce() == "" {
			return part.InvalidRequest("nonce is missing or empty")
		}
		return nil
	}}
	messageNonceUnused = &fault.Rule[*submission]{Name: "nonce has not been used", Broken: func(s *submission) error {
		s.exams.mu.Lock()
		defer s.exams.mu.Unlock()
		if s.usedNonce() {
			return part.InvalidRequest("nonce has been used already")
		}
		return nil
	}}
	// nonceTaken is checked with the exams locked, when the attempt is about to start.
	nonceTaken = &fault.Rule[*submission]{Name: "nonce is not used meanwhile", Broken: func(s *submission) error {
		if s.usedNonce() && !s.launch.Plan().Lenient {
			return part.InvalidRequest("nonce has been used already")
		}
		return nil
	}}
)

// What it is (Proctoring Services 1.0, 4.3.1.1 to 4.3.1.3).
var (
	messageType = &fault.Rule[*submission]{Name: "message_type is LtiStartAssessment", Broken: func(s *submission) error {
		if s.token.Claims[lti.ClaimMessageType] != lti.StartAssessment {
			return part.InvalidRequest("message_type is not %s", lti.StartAssessment)
		}
		return nil
	}}
	messageVersion = &fault.Rule[*submission]{Name: "version is 1.3.0", Broken: func(s *submission) error {
		if s.token.Claims[lti.ClaimVersion] != lti.Version {
			return part.InvalidRequest("version is not %s", lti.Version)
		}
		return nil
	}}
	messageDeployment = &fault.Rule[*submission]{Name: "deployment_id is that of the launch", Broken: func(s *submission) error {
		if stated(s.token.Claims).deploymentID != s.launch.statement().deploymentID {
			return part.InvalidRequest("deployment_id is not that of the launch")
		}
		return nil
	}}
)

// It answers the launch: session_data is what this launch sent, and not too long ago
// (Proctoring Services 1.0, 3.3 and 4.3.1.4).
var (
	sessionDataOfLaunch = &fault.Rule[*submission]{Name: "session_data is that of the launch", Broken: func(s *submission) error {
		if stated(s.token.Claims).sessionData != s.launch.statement().sessionData {
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
		if _, isObject := s.token.Claims[lti.ClaimResourceLink].(map[string]any); !isObject {
			return part.InvalidRequest("resource_link is missing or no object")
		}
		if stated(s.token.Claims).linkID != s.launch.statement().linkID {
			return part.InvalidRequest("resource_link is not that of the launch")
		}
		return nil
	}}
	attemptOfLaunch = &fault.Rule[*submission]{Name: "attempt_number is that of the launch", Broken: func(s *submission) error {
		if stated(s.token.Claims).attemptNumber == s.launch.statement().attemptNumber {
			return nil
		}
		if _, isInteger := jwt.Integer(s.token.Claims[lti.ClaimAttemptNumber]); isInteger {
			return part.InvalidRequest("attempt_number is not that of the launch")
		}
		return part.InvalidRequest("attempt_number is missing or no integer")
	}}
)

var (
	// The platform holds the form alone of what the tool says of the candidate (Proctoring
	// Services 1.0, 4.3.2.1).
	verifiedUserObject = &fault.Rule[*submission]{Name: "verified_user is an object", Broken: func(s *submission) error {
		user, sent := s.token.Claims[lti.ClaimVerifiedUser]
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

func (s *submission) readable() bool { return s.token.Readable() }

// audience says whether aud names this platform, and somebody else.
func (s *submission) audience() (own, further bool) {
	aud := jwt.Audiences(s.token.Claims["aud"])
	issuer := s.exams.core.Issuer()
	return slices.Contains(aud, issuer), slices.ContainsFunc(aud, func(name string) bool { return name != issuer })
}

func (s *submission) nonce() string {
	return s.token.Text("nonce")
}

// usedNonce says whether the tool has used the nonce. It is called with the exams locked.
func (s *submission) usedNonce() bool {
	return s.nonce() != "" && s.exams.nonces.Used(s.launch.Plan().ClientID, s.nonce())
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
