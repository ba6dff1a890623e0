package proctoring

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/toolmessage"
	"invigilator.example/lti"
)

// sessionDataLifetime is how long a candidate may take to check in.
const sessionDataLifetime = 2 * time.Hour

// A StartAssessment is a request to a start_assessment_url (Proctoring Services
// 1.0, 4.3).
type StartAssessment struct {
	Method, ContentType string
	// Target is the request target as it came.
	Target string
	Form   url.Values // of the body
	JWT    string
	// Problems say what the specification does not allow in it.
	Problems []string
	Started  bool
	At       time.Time
}

// submission is a request to a start_assessment_url while it is being judged.
type submission struct {
	toolmessage.Message
	exams  *Exams
	launch *Launch
	alone  bool // for faults: no other one for the launch has come at the same time
}

// serveStartAssessment starts the attempt when the tool lets the candidate in
// (Proctoring Services 1.0, 3.3 and 4.3). What it refuses changes nothing.
func (e *Exams) serveStartAssessment(w http.ResponseWriter, r *http.Request, l *Launch) {
	if l.Plan().Message != lti.StartProctoring || r.PathValue("odd") != "" && !l.Plan().Faulty {
		e.core.Unplanned(r, "this launch starts no assessment")
		e.core.Refuse(w, http.StatusNotFound, "This launch starts no assessment.")
		return
	}
	s := &submission{Message: toolmessage.Read(w, r, e.core, l), exams: e, launch: l}
	s.alone = messageRead.Pass(e.carrier(), readMessage{*s}).alone
	wrong := part.RefusalsOf(messageSentRules.All(e.carrier(), s)...)
	if s.Token.Claims != nil {
		wrong = append(wrong, part.RefusalsOf(messageRules.All(e.carrier(), s)...)...)
	}
	_, sessions := e.core.Account(r)
	lenient := l.Plan().Lenient && s.Token.Claims != nil && (!sessions || e.isCandidates(r, l))
	judged := messageJudged.Pass(e.carrier(), judgedMessage{submission: s, wrong: wrong})
	if judged.instead != nil {
		judged.instead(w, r)
		return
	}
	wrong = judged.wrong
	mayStart := len(wrong) == 0 || lenient
	started := mayStart && e.startAttempt(s, l)
	if mayStart && !started && len(wrong) == 0 { // another one was quicker, and the rules say so now
		wrong = part.RefusalsOf(messageRules.All(e.carrier(), s)...)
		if len(wrong) == 0 {
			wrong = append(wrong, part.Refusal{Status: http.StatusConflict, Says: alreadyStarted})
		}
	}
	request := StartAssessment{
		Method: r.Method, ContentType: r.Header.Get("Content-Type"), Target: r.RequestURI, Form: s.Form, JWT: s.Token.Compact,
		Problems: wrong.Said(), Started: started, At: e.core.Now(),
	}
	l.mu.Lock()
	if len(l.record.StartAssessments) < maxRecord {
		l.record.StartAssessments = append(l.record.StartAssessments, request)
	}
	l.mu.Unlock()
	if answer := startAnswered.Pass(e.carrier(), startAnswer{submission: s, started: started, wrong: wrong}); answer.instead != nil {
		answer.instead(w, r)
		return
	}
	if !started {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
		}
		e.core.Refuse(w, wrong[0].Status, wrong[0].Says)
		return
	}
	http.Redirect(w, r, l.ExamURL(), http.StatusSeeOther)
}

// startAttempt starts the launch's attempt, once, and notes that the message
// has been used.
func (e *Exams) startAttempt(s *submission, l *Launch) bool {
	claims := s.Token.Claims
	wantsEnd, _ := claims[lti.ClaimEndAssessmentReturn].(bool)
	nonce := s.Nonce()
	e.mu.Lock()
	defer e.mu.Unlock()
	if nonceTaken.Check(e.carrier(), s) != nil {
		return false
	}
	if !l.attempt.start(l, verifiedName(claims), endAsked.Taken(e.carrier(), endWish{l, claims, wantsEnd})) {
		return false
	}
	l.attempt.mu.Lock()
	l.attempt.verified, _ = claims[lti.ClaimVerifiedUser].(map[string]any)
	l.attempt.mu.Unlock()
	now := e.core.Now()
	e.nonces.Add(l.Plan().ClientID, nonce, now, now.Add(jwt.Oldest+2*jwt.Leeway))
	return true
}

// maxName is how much of a name is shown.
const maxName = 200

// verifiedName returns the candidate's name as the tool has verified it. Nothing
// else of what the tool says of the user is kept: who the candidate is does not
// change, and the platform's own picture is no evidence (Proctoring Services
// 1.0, 4.3.2.1).
func verifiedName(claims map[string]any) string {
	user, _ := claims[lti.ClaimVerifiedUser].(map[string]any)
	name, _ := user["name"].(string)
	if name == "" {
		given, _ := user["given_name"].(string)
		family, _ := user["family_name"].(string)
		name = strings.TrimSpace(given + " " + family)
	}
	runes := []rune(name)
	return string(runes[:min(len(runes), maxName)])
}

// Why a message is refused that has nothing wrong but that it comes too late.
const (
	usedSessionData = "session_data has been used already"
	alreadyStarted  = "The attempt has been started already."
)
