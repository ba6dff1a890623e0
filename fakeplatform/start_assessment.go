package fakeplatform

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator/lti"
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
	launch *Launch
	form   url.Values // of the body
	token  token
	twin   bool // for faults: another one for the launch has come at the same time
}

// The checks say what is wrong with a submission, in the order in which it is
// told. Those of the claims need some.
var (
	checkSent   = []func(*Platform, *submission) []refusal{(*Platform).checkRequest, (*Platform).checkBrowser, (*Platform).checkSigned}
	checkClaims = []func(*Platform, *submission) []refusal{
		(*Platform).checkParties, (*Platform).checkTimes, (*Platform).checkNonce, (*Platform).checkType, (*Platform).checkSession,
		(*Platform).checkAssessment, (*Platform).checkVerifiedUser, (*Platform).checkAttempt,
	}
)

// serveStartAssessment starts the attempt when the tool lets the candidate in
// (Proctoring Services 1.0, 3.3 and 4.3). What it refuses changes nothing.
func (p *Platform) serveStartAssessment(w http.ResponseWriter, r *http.Request, l *Launch) {
	if l.plan.Message != lti.StartProctoring || r.PathValue("odd") != "" && l.plan.Fault == nil {
		p.unplanned(r, "this launch starts no assessment")
		refuse(w, http.StatusNotFound, "This launch starts no assessment.")
		return
	}
	s := p.read(w, r, l)
	p.awaitOther(s)
	var wrong []refusal
	for _, check := range checkSent {
		wrong = append(wrong, check(p, s)...)
	}
	if s.token.claims != nil {
		for _, check := range checkClaims {
			wrong = append(wrong, check(p, s)...)
		}
	}
	lenient := l.plan.Lenient && s.token.claims != nil && (p.opts.SignedIn == nil || p.isCandidates(r, l))
	if p.crashesOn(s) {
		crash(w)
		return
	}
	wrong = p.overlook(s, wrong)
	mayStart := len(wrong) == 0 || lenient
	started := mayStart && p.startAttempt(s, l)
	if mayStart && !started && len(wrong) == 0 { // meanwhile
		wrong = append(wrong, refusal{status: http.StatusConflict, says: alreadyStarted})
	}
	request := StartAssessment{
		Method: r.Method, ContentType: r.Header.Get("Content-Type"), Target: r.RequestURI, Form: s.form, JWT: s.token.compact,
		Problems: said(wrong), Started: started, At: p.opts.Now(),
	}
	l.mu.Lock()
	if len(l.record.StartAssessments) < maxRecord {
		l.record.StartAssessments = append(l.record.StartAssessments, request)
	}
	l.mu.Unlock()
	if p.answersStartOtherwise(w, s, started, wrong) {
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
	s := &submission{Request: r, launch: l, form: r.PostForm}
	for _, found := range [][]string{
		s.form[lti.ParamJWT], s.form[lti.ParamIDToken], r.URL.Query()[lti.ParamJWT], r.URL.Query()[lti.ParamIDToken],
	} {
		if len(found) > 0 {
			s.token = readToken(found[0])
			break
		}
	}
	return s
}

// startAttempt starts the launch's attempt, once, and notes that the message
// has been used.
func (p *Platform) startAttempt(s *submission, l *Launch) bool {
	claims := s.token.claims
	wantsEnd, _ := claims[lti.ClaimEndAssessmentReturn].(bool)
	nonce, _ := claims["nonce"].(string)
	p.mu.Lock()
	defer p.mu.Unlock()
	if nonce != "" && p.nonces.used(l.plan.ClientID, nonce) && !l.plan.Lenient && !p.has(ReusesNonces) {
		return false
	}
	if !l.attempt.start(l, verifiedName(claims), p.wishesEnd(l, claims, wantsEnd)) {
		return false
	}
	l.attempt.mu.Lock()
	l.attempt.verified, _ = claims[lti.ClaimVerifiedUser].(map[string]any)
	l.attempt.mu.Unlock()
	now := p.opts.Now()
	p.nonces.add(l.plan.ClientID, nonce, now, now.Add(oldest+2*leeway))
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

// checkRequest checks how the message was sent (Security Framework 1.0, 5.2.1).
func (p *Platform) checkRequest(s *submission) []refusal {
	var found refusals
	byGet := s.Method == http.MethodGet && s.token.claims != nil && p.has(TakesMessagesByGet)
	if byGet {
		return nil
	}
	if s.Method != http.MethodPost {
		found = append(found, refusal{status: http.StatusMethodNotAllowed, says: "the request is a " + s.Method + " instead of a POST"})
	}
	if mediaType(s.Request) != formMediaType {
		found.bad("the content type is %.100q instead of %s", s.Header.Get("Content-Type"), formMediaType)
	}
	if s.form.Has(lti.ParamIDToken) && p.has(TakesIDTokenParameter) {
		return found
	}
	if n := len(s.form[lti.ParamJWT]); n != 1 {
		found.bad("JWT occurs %d times instead of once", n)
	}
	if s.form.Has(lti.ParamIDToken) {
		found.bad("the form has an id_token")
	}
	return found
}

// formMediaType is that of a form which a browser posts.
const formMediaType = "application/x-www-form-urlencoded"

// checkBrowser checks that the message comes from the browser of the candidate
// who was sent to the tool (Proctoring Services 1.0, 3.3).
func (p *Platform) checkBrowser(s *submission) []refusal {
	if !p.isCandidates(s.Request, s.launch) {
		return []refusal{{status: http.StatusForbidden, says: "the browser is not that of the candidate whose launch this is"}}
	}
	return nil
}

// checkSigned checks that the message can be read and is the tool's.
func (p *Platform) checkSigned(s *submission) []refusal {
	var found refusals
	if s.token.header == nil || s.token.claims == nil {
		found.bad("there is no JWT that can be read")
		return found
	}
	if err := p.verify(s.Context(), s.token, p.senderOf(s), ofMessages); err != nil {
		found.bad("%s", err)
	}
	return found
}

// checkParties checks who the message is from, and for whom (Security Framework
// 1.0, 5.2.3).
func (p *Platform) checkParties(s *submission) []refusal {
	var found refusals
	if s.token.claims["iss"] != s.launch.plan.ClientID && !p.takesSender(s) {
		found.bad("iss is not the client_id of the tool that was launched")
	}
	aud := audiences(s.token.claims["aud"])
	own := slices.Contains(aud, p.issuer)
	_, isText := s.token.claims["aud"].(string)
	further := slices.ContainsFunc(aud, func(name string) bool { return name != p.issuer })
	switch {
	case own && further && !p.has(TakesFurtherAudiences):
		found.bad("aud names somebody beside this platform")
	case own && !isText && p.has(RefusesAudienceArrays):
		found.bad("aud is no string")
	case !own && !p.has(IgnoresAudience) && (len(aud) > 0 || !p.has(TakesMissingAudience)):
		found.bad("aud does not name this platform")
	}
	return found
}

// checkTimes checks that the message is a new one (Security Framework 1.0, 5.2.3).
func (p *Platform) checkTimes(s *submission) []refusal {
	var found refusals
	if why := p.needsWhole(s.token.claims, NeedsWholeMessageIssueTime, NeedsWholeMessageExpiry); why != "" {
		found.bad("%s", why)
	}
	now := p.opts.Now()
	if exp, ok := instant(s.token.claims["exp"]); !ok {
		if !p.takesExpiry(s.token.claims["exp"]) {
			found.bad("exp is missing or no time")
		}
	} else if now.After(exp.Add(leeway)) && !p.has(IgnoresMessageExpiry) {
		found.bad("the message has expired")
	}
	iat, ok := instant(s.token.claims["iat"])
	if !ok {
		found.bad("iat is missing or no time")
		return found
	}
	if iat.After(now.Add(leeway)) && !p.has(TakesMessagesOfTheFuture) {
		found.bad("iat lies ahead")
	}
	if now.After(iat.Add(oldest)) && !p.has(TakesOldMessages) {
		found.bad("the message is more than a day old")
	}
	return found
}

// checkNonce checks that the message has a nonce, which starts one attempt at
// most (Security Framework 1.0, 5.2.3).
func (p *Platform) checkNonce(s *submission) []refusal {
	var found refusals
	nonce, _ := s.token.claims["nonce"].(string)
	if nonce == "" && !p.has(TakesMessagesWithoutNonce) {
		found.bad("nonce is missing or empty")
	}
	p.mu.Lock()
	used := p.nonces.used(s.launch.plan.ClientID, nonce)
	p.mu.Unlock()
	if used && nonce != "" && !p.has(ReusesNonces) {
		found.bad("nonce has been used already")
	}
	return found
}

// checkType checks what the message is (Proctoring Services 1.0, 4.3.1.1 to
// 4.3.1.3).
func (p *Platform) checkType(s *submission) []refusal {
	var found refusals
	if s.token.claims[lti.ClaimMessageType] != lti.StartAssessment && !p.takesType(s) {
		found.bad("message_type is not %s", lti.StartAssessment)
	}
	if s.token.claims[lti.ClaimVersion] != lti.Version && !p.takesVersion(s) {
		found.bad("version is not %s", lti.Version)
	}
	if stated(s.token.claims).deploymentID != s.launch.statement().deploymentID && !p.takesDeployment(s) {
		found.bad("deployment_id is not that of the launch")
	}
	return found
}

// checkSession checks that the message answers the launch: session_data is what
// this launch sent, and not too long ago (Proctoring Services 1.0, 3.3).
func (p *Platform) checkSession(s *submission) []refusal {
	var found refusals
	if stated(s.token.claims).sessionData != s.launch.statement().sessionData && !p.takesSessionData(s) {
		found.bad("session_data is not that of the launch")
	}
	switch age := p.opts.Now().Sub(s.launch.planned); {
	case age > sessionDataLifetime, age > shortLifetime && p.has(ForgetsSessionDataSoon):
		found.bad("session_data has expired")
	}
	return found
}

// checkAssessment checks that the message is about the assessment and the
// attempt of the launch (Proctoring Services 1.0, 4.3.1.5 and 4.3.1.6).
func (p *Platform) checkAssessment(s *submission) []refusal {
	var found refusals
	came, said := stated(s.token.claims), s.launch.statement()
	if _, isObject := s.token.claims[lti.ClaimResourceLink].(map[string]any); (!isObject || came.linkID != said.linkID) && !p.takesLink(s) {
		if isObject {
			found.bad("resource_link is not that of the launch")
		} else {
			found.bad("resource_link is missing or no object")
		}
	}
	if came.attemptNumber != said.attemptNumber && !p.takesAttemptNumber(s, came, said) {
		if _, isInteger := integer(s.token.claims[lti.ClaimAttemptNumber]); isInteger {
			found.bad("attempt_number is not that of the launch")
		} else {
			found.bad("attempt_number is missing or no integer")
		}
	}
	return found
}

// checkVerifiedUser checks the form alone of what the tool says of the candidate
// (Proctoring Services 1.0, 4.3.2.1).
func (p *Platform) checkVerifiedUser(s *submission) []refusal {
	var found refusals
	user, sent := s.token.claims[lti.ClaimVerifiedUser]
	members, isObject := user.(map[string]any)
	switch {
	case sent && !isObject:
		found.bad("verified_user is no object")
	case len(members) == 0 && p.has(NeedsVerifiedUser):
		found.bad("verified_user is missing or empty")
	}
	if p.refusesUnknownClaims(s) {
		found.bad("there are claims that are not known")
	}
	return found
}

// Why a message is refused that has nothing wrong but that it comes too late.
const (
	usedSessionData = "session_data has been used already"
	alreadyStarted  = "The attempt has been started already."
)

// checkAttempt checks that the attempt can still be started.
func (p *Platform) checkAttempt(s *submission) []refusal {
	var found refusals
	by := s.launch.attempt.startedBy()
	if s.launch.attempt.mayRestart() {
		return nil
	}
	if by == s.launch {
		found.bad(usedSessionData)
	}
	if by != nil && by != s.launch {
		found.bad("the attempt has been started by another launch")
	}
	return found
}
