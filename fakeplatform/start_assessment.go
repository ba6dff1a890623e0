package fakeplatform

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
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
	*http.Request
	platform *Platform
	launch   *Launch
	form     url.Values // of the body
	token    jwt.Token
	alone    bool // for faults: no other one for the launch has come at the same time
}

// serveStartAssessment starts the attempt when the tool lets the candidate in
// (Proctoring Services 1.0, 3.3 and 4.3). What it refuses changes nothing.
func (p *Platform) serveStartAssessment(w http.ResponseWriter, r *http.Request, l *Launch) {
	if l.plan.Message != lti.StartProctoring || r.PathValue("odd") != "" && l.plan.Fault == nil {
		p.unplanned(r, "this launch starts no assessment")
		refuse(w, http.StatusNotFound, "This launch starts no assessment.")
		return
	}
	s := p.read(w, r, l)
	s.alone = messageRead.Pass(p.carrier, readMessage{*s}).alone
	wrong := refusalsOf(messageSentRules.All(p.carrier, s))
	if s.token.Claims != nil {
		wrong = append(wrong, refusalsOf(messageRules.All(p.carrier, s))...)
	}
	lenient := l.plan.Lenient && s.token.Claims != nil && (p.opts.SignedIn == nil || p.isCandidates(r, l))
	judged := messageJudged.Pass(p.carrier, judgedMessage{submission: s, wrong: wrong})
	if judged.instead != nil {
		judged.instead(w, r)
		return
	}
	wrong = judged.wrong
	mayStart := len(wrong) == 0 || lenient
	started := mayStart && p.startAttempt(s, l)
	if mayStart && !started && len(wrong) == 0 { // meanwhile
		wrong = append(wrong, refusal{status: http.StatusConflict, says: alreadyStarted})
	}
	request := StartAssessment{
		Method: r.Method, ContentType: r.Header.Get("Content-Type"), Target: r.RequestURI, Form: s.form, JWT: s.token.Compact,
		Problems: said(wrong), Started: started, At: p.opts.Now(),
	}
	l.mu.Lock()
	if len(l.record.StartAssessments) < maxRecord {
		l.record.StartAssessments = append(l.record.StartAssessments, request)
	}
	l.mu.Unlock()
	if answer := startAnswered.Pass(p.carrier, startAnswer{submission: s, started: started, wrong: wrong}); answer.instead != nil {
		answer.instead(w, r)
		return
	}
	if !started {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
		}
		refuse(w, wrong[0].status, wrong[0].says)
		return
	}
	http.Redirect(w, r, l.ExamURL(), http.StatusSeeOther)
}

// read reads a submission, also one that is not in the form that it should
// have: its launch may be lenient.
func (p *Platform) read(w http.ResponseWriter, r *http.Request, l *Launch) *submission {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if mediaType(r) == "multipart/form-data" {
		_ = r.ParseMultipartForm(maxBody) // the body has no JWT if this fails
	} else {
		_ = r.ParseForm()
	}
	s := &submission{Request: r, platform: p, launch: l, form: r.PostForm}
	for _, found := range [][]string{
		s.form[lti.ParamJWT], s.form[lti.ParamIDToken], r.URL.Query()[lti.ParamJWT], r.URL.Query()[lti.ParamIDToken],
	} {
		if len(found) > 0 {
			s.token = jwt.Read(found[0])
			break
		}
	}
	return s
}

// startAttempt starts the launch's attempt, once, and notes that the message
// has been used.
func (p *Platform) startAttempt(s *submission, l *Launch) bool {
	claims := s.token.Claims
	wantsEnd, _ := claims[lti.ClaimEndAssessmentReturn].(bool)
	nonce, _ := claims["nonce"].(string)
	p.mu.Lock()
	defer p.mu.Unlock()
	if nonceTaken.Check(p.carrier, s) != nil {
		return false
	}
	if !l.attempt.start(l, verifiedName(claims), endAsked.Taken(p.carrier, endWish{l, claims, wantsEnd})) {
		return false
	}
	l.attempt.mu.Lock()
	l.attempt.verified, _ = claims[lti.ClaimVerifiedUser].(map[string]any)
	l.attempt.mu.Unlock()
	now := p.opts.Now()
	p.nonces.Add(l.plan.ClientID, nonce, now, now.Add(jwt.Oldest+2*jwt.Leeway))
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

func mediaType(r *http.Request) string {
	name, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return name
}

// formMediaType is that of a form which a browser posts.
const formMediaType = "application/x-www-form-urlencoded"

// Why a message is refused that has nothing wrong but that it comes too late.
const (
	usedSessionData = "session_data has been used already"
	alreadyStarted  = "The attempt has been started already."
)
