package fakeplatform

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator/lti"
)

// The functions of this file apply the defects of proctored exams that the
// platform carries. Without a defect they do nothing.

// firstNumber is that of the first attempt that somebody has not begun before.
// It is called with the platform locked.
func (p *Platform) firstNumber(who candidate) int {
	if highest := p.highestNumber(who); highest > 0 && p.has(SharesAttemptNumbers) {
		return highest + 1
	}
	return 1
}

// movesOn says whether an attempt that was not started gives way to the next.
func (p *Platform) movesOn(who candidate, latest *Attempt) bool {
	return p.has(CountsLaunches) || p.highestNumber(who) > latest.number && p.has(SharesAttemptNumbers)
}

// highestNumber is that of any candidate's attempts at the same assessment.
func (p *Platform) highestNumber(of candidate) int {
	highest := 0
	for who, attempts := range p.attempts {
		for _, a := range attempts {
			if who.clientID == of.clientID && who.linkID == of.linkID {
				highest = max(highest, a.number)
			}
		}
	}
	return highest
}

// makeSessionData makes the value that a launch is recognised by.
func (p *Platform) makeSessionData(plan Plan) string {
	switch {
	case plan.Message != lti.StartProctoring:
		return lti.RandomString()
	case p.has(CountsSessionData):
		p.mu.Lock()
		defer p.mu.Unlock()
		p.counted++
		return strconv.Itoa(100000 + p.counted)
	case p.has(SendsSubAsSessionData):
		return plan.User.Sub
	case p.has(SharesSessionData):
		return "check-in"
	}
	return lti.RandomString()
}

// restarts says whether an attempt that is over may begin once more. It is called
// with the attempt locked.
func (a *Attempt) restarts() bool {
	return a.settled() == lti.Complete && a.platform.has(ReusesSessionData) || a.status == lti.Terminated && a.platform.has(StartsTerminated)
}

func (a *Attempt) mayRestart() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.restarts()
}

// tells says whether the tool is told of the attempt's end. It is called with the
// attempt locked.
func (a *Attempt) tells() bool { return a.wantsEnd || a.platform.has(TellsEndUnasked) }

// keepsEndBack says whether the tool is not told all the same.
func (p *Platform) keepsEndBack(r *http.Request, problem *ExamError) bool {
	return p.has(TellsNoEnd) || r.Method == http.MethodGet && problem == nil && p.has(TellsOnlyOfSubmission)
}

// spoilSitting changes what the page of the assessment shows. It is called with
// the attempt locked.
func (p *Platform) spoilSitting(page *sitting, verified map[string]any) {
	if template.HTMLEscapeString(page.Name) != page.Name && p.has(ShowsVerifiedNameUnescaped) {
		page.Shows = template.HTML(page.Name)
	}
	if sub, _ := verified["sub"].(string); sub != "" && p.has(ShowsVerifiedSub) {
		page.Shows = sub
	}
	if picture, _ := verified["picture"].(string); picture != "" && p.has(ShowsVerifiedPicture) {
		page.Picture = picture
	}
}

// spoilExamReturn answers at the return URL of an exam in place of the platform.
func (p *Platform) spoilExamReturn(w http.ResponseWriter, l *Launch, said Return) bool {
	refused, over := l.plan.Message == lti.StartProctoring && said.ErrorMessage != "", l.plan.Message == lti.EndAssessment
	if refused && p.has(CrashesOnReturn) || over && p.has(CrashesOnReturnAtEnd) {
		crash(w)
		return true
	}
	return false
}

func crash(w http.ResponseWriter) {
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
}

// overlook forgets what is wrong with a message where a fault knows nothing of it.
func (p *Platform) overlook(s *submission, wrong []refusal) []refusal {
	own := s.token.compact != "" && s.token.compact == s.launch.Record().IDToken
	if len(wrong) > 0 && own && p.isCandidates(s.Request, s.launch) && s.launch.attempt.startedBy() == nil && p.has(TakesOwnToken) {
		return nil
	}
	return wrong
}

// crashesOn says whether a message is too much for a fault.
func (p *Platform) crashesOn(s *submission) bool {
	claims := s.token.claims
	user, isObject := claims[lti.ClaimVerifiedUser].(map[string]any)
	name, _ := user["name"].(string)
	family, _ := user["family_name"].(string)
	_, isBool := claims[lti.ClaimEndAssessmentReturn].(bool)
	_, isLink := claims[lti.ClaimResourceLink].(map[string]any)
	has := func(name string) bool { return jsonOf(claims, name) != "" }
	return s.Method == http.MethodPost && claims == nil && p.has(CrashesOnMalformedMessage) ||
		has(lti.ClaimVerifiedUser) && !isObject && p.has(CrashesOnVerifiedUserText) ||
		len(name)+len(family) > longName && p.has(CrashesOnLongNames) ||
		has(lti.ClaimEndAssessmentReturn) && !isBool && p.has(CrashesOnEndReturn) ||
		has(lti.ClaimResourceLink) && !isLink && p.has(CrashesOnLinkText)
}

// answersStartOtherwise answers a message in place of the platform.
func (p *Platform) answersStartOtherwise(w http.ResponseWriter, s *submission, started bool, wrong []refusal) bool {
	l := s.launch
	switch {
	case started:
		if p.has(AnswersStartWithPage) {
			p.serveExam(w, s.Request, l)
			return true
		}
	case l.attempt.Status() == lti.None && p.isCandidates(s.Request, l) && s.token.claims != nil:
		if p.has(UsesAttemptUpOnRefusal) {
			l.attempt.start(l, "", false)
			l.attempt.complete()
		}
		if p.has(ForgetsLaunchOnRefusal) {
			l.mu.Lock()
			l.said.sessionData = "forgotten"
			l.mu.Unlock()
		}
	case len(wrong) > 0 && l.attempt.startedBy() == l && l.attempt.Status() == lti.Running && p.isCandidates(s.Request, l):
		return p.answersLateStart(w, s, wrong)
	}
	return false
}

// answersLateStart answers a message in place of the platform whose attempt was started by
// the same one before, or by another with the same session_data.
func (p *Platform) answersLateStart(w http.ResponseWriter, s *submission, wrong []refusal) bool {
	l := s.launch
	nonce, _ := s.token.claims["nonce"].(string)
	p.mu.Lock()
	same := p.nonces.used(l.plan.ClientID, nonce)
	p.mu.Unlock()
	late := !same && len(wrong) == 1 && (wrong[0].says == usedSessionData || wrong[0].says == alreadyStarted)
	switch {
	case same && p.has(TakesMessagesTwice), same && p.has(NotesMessagesLate) && s.twin, late && p.has(LeadsToRunningExam):
	case same && p.has(CrashesOnMessageTwins) && s.twin:
		crash(w)
		return true
	case late && p.has(KeepsBothAttempts) && s.twin:
		l.attempt.mu.Lock()
		l.attempt.beside++
		l.attempt.mu.Unlock()
	case late && p.has(CountsBothAttempts) && s.twin:
		l.attempt.mu.Lock()
		l.attempt.skips++
		l.attempt.mu.Unlock()
	default:
		return false
	}
	http.Redirect(w, s.Request, l.ExamURL(), http.StatusSeeOther)
	return true
}

// awaitOther waits, with a fault, for another message for the same launch.
func (p *Platform) awaitOther(s *submission) {
	if p.carriesAny(NotesMessagesLate, CrashesOnMessageTwins, KeepsBothAttempts, CountsBothAttempts) {
		s.twin = p.pairs.Meet(s.Context(), s.launch.id)
	}
}

// longName is more than anybody's name has.
const longName = 10000

// wishesEnd says whether the tool wants to be told of the end. It is called with
// the platform locked.
func (p *Platform) wishesEnd(l *Launch, claims map[string]any, wants bool) bool {
	value, sent := claims[lti.ClaimEndAssessmentReturn]
	text, _ := value.(string)
	if wants {
		return true
	}
	if sent && p.has(TakesPresenceForTrue) || text != "" && p.has(TakesTextForTrue) {
		return true
	}
	for _, a := range p.attempts[candidate{l.plan.ClientID, l.plan.User.Sub, l.plan.ResourceLink.ID}] {
		if a.number == l.attempt.number-1 && a.WantsEnd() && p.has(RemembersEndWish) {
			return true
		}
	}
	return false
}

// welcomes says whether it does not matter who sits an exam.
func (p *Platform) welcomes(account string) bool {
	if p.has(StartsExamsInAnyBrowser) {
		return true
	}
	if account == "" {
		return p.has(StartsExamsWithoutSession)
	}
	return p.has(StartsExamsOfOthers)
}

// showsToAnybody says whether a fault shows an exam that has started to a browser that is
// not its candidate's.
func (p *Platform) showsToAnybody(r *http.Request, l *Launch) bool {
	if l.attempt == nil || l.attempt.Status() != lti.Running || p.isCandidates(r, l) {
		return false
	}
	return p.has(ShowsExamsByAddress)
}

// senderOf returns the tool whose keys have to verify a message.
func (p *Platform) senderOf(s *submission) Registration {
	iss, _ := s.token.claims["iss"].(string)
	if sender, known := p.registrationOf(iss); known && iss != s.launch.plan.ClientID && p.has(TakesMessagesOfOtherTools) {
		return sender
	}
	return s.launch.registration
}

func (p *Platform) takesSender(s *submission) bool {
	iss, sent := s.token.claims["iss"]
	name, _ := iss.(string)
	_, known := p.registrationOf(name)
	return p.has(IgnoresMessageIssuer) || !sent && p.has(TakesMessagesWithoutIssuer) || known && p.has(TakesMessagesOfOtherTools)
}

func (p *Platform) takesExpiry(exp any) bool {
	_, isText := exp.(string)
	return exp == nil && p.has(TakesMessagesWithoutExpiry) || isText && p.has(TakesExpiryAsText)
}

func (p *Platform) takesType(s *submission) bool {
	_, sent := s.token.claims[lti.ClaimMessageType]
	return p.has(IgnoresMessageType) || !sent && p.has(TakesMessagesWithoutType)
}

func (p *Platform) takesVersion(s *submission) bool {
	_, sent := s.token.claims[lti.ClaimVersion]
	return p.has(IgnoresMessageVersion) || !sent && p.has(TakesMessagesWithoutVersion)
}

func (p *Platform) takesDeployment(s *submission) bool {
	deployment, sent := s.token.claims[lti.ClaimDeploymentID]
	name, _ := deployment.(string)
	other := slices.Contains(s.launch.registration.DeploymentIDs, name)
	return p.has(IgnoresMessageDeployment) || !sent && p.has(TakesMessagesWithoutDeployment) || other && p.has(TakesMessagesOfOtherDeployments)
}

// comparedOfSessionData is how much of session_data a fault compares.
const comparedOfSessionData = 8

// shortLifetime is how long session_data is good where that is too short.
const shortLifetime = 10 * time.Minute

func (p *Platform) takesSessionData(s *submission) bool {
	value, sent := s.token.claims[lti.ClaimSessionData]
	data, isText := value.(string)
	said := s.launch.statement()
	var expected string
	_ = json.Unmarshal([]byte(said.sessionData), &expected) // is no text where a stimulus says so
	list, _ := value.([]any)
	sameBegin := len(data) >= comparedOfSessionData && len(expected) >= comparedOfSessionData && data[:comparedOfSessionData] == expected[:comparedOfSessionData]
	if p.has(IgnoresSessionData) {
		return true
	}
	switch {
	case !sent, value == nil:
		return p.has(TakesMissingSessionData)
	case isText && data == "":
		return p.has(TakesEmptySessionData)
	case len(list) == 1 && list[0] == any(expected) && p.has(TakesSessionDataInArray),
		strings.EqualFold(data, expected) && p.has(IgnoresCaseOfSessionData),
		strings.HasPrefix(expected, data) && data != "" && p.has(TakesBeginOfSessionData),
		sameBegin && p.has(ComparesBeginOfSessionData):
		return true
	}
	others := p.exams(func(l *Launch, of statement) bool {
		return l != s.launch && of.sessionData == stated(s.token.claims).sessionData
	})
	if len(others) == 0 {
		return false
	}
	if p.has(StartsOwnersOfSessionData) {
		p.startAttempt(s, others[0])
	}
	return p.has(TakesSessionDataOfOthers) || others[0].statement().sub == said.sub && p.has(TakesSessionDataOfOtherExams)
}

func (p *Platform) takesLink(s *submission) bool {
	_, sent := s.token.claims[lti.ClaimResourceLink]
	return p.has(IgnoresMessageLink) || !sent && p.has(TakesMessagesWithoutLink)
}

func (p *Platform) takesAttemptNumber(s *submission, came, said statement) bool {
	_, sent := s.token.claims[lti.ClaimAttemptNumber]
	number, isInteger := integer(s.token.claims[lti.ClaimAttemptNumber])
	return p.has(IgnoresAttemptNumber) || !sent && p.has(TakesMessagesWithoutAttempt) ||
		isInteger && number < s.launch.attempt.Number() && p.has(TakesEarlierAttempts) ||
		came.attemptNumber == strconv.Quote(said.attemptNumber) && p.has(TakesAttemptNumberAsText)
}

// messageClaims are those that a message may have.
var messageClaims = []string{
	"iss", "aud", "azp", "iat", "nbf", "exp", "nonce", "jti", "sub", lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimDeploymentID, lti.ClaimSessionData,
	lti.ClaimResourceLink, lti.ClaimAttemptNumber, lti.ClaimVerifiedUser, lti.ClaimEndAssessmentReturn,
}

func (p *Platform) refusesUnknownClaims(s *submission) bool {
	for name := range s.token.claims {
		if !slices.Contains(messageClaims, name) {
			return p.has(RefusesUnknownClaims)
		}
	}
	return false
}

// carelessness names the faults of whoever checks a signature: of messages, or of
// client assertions.
type carelessness struct{ ignores, unsigned, hmac, embedded, pointed, others string }

var (
	ofMessages = carelessness{
		ignores: IgnoresMessageSignature, unsigned: TakesUnsignedMessages, hmac: TakesMessagesWithHMAC,
		embedded: TrustsKeysInMessages, pointed: TrustsKeyURLsOfMessages,
	}
	ofAssertions = carelessness{
		ignores: IgnoresAssertionSignature, unsigned: TakesUnsignedAssertions, hmac: TakesAssertionsWithHMAC,
		others: TakesKeysOfOtherTools,
	}
)

// trustsAllTheSame says whether a signature that is not right does for a fault.
func (p *Platform) trustsAllTheSame(ctx context.Context, t token, registration Registration, careless carelessness) bool {
	alg, _ := t.header["alg"].(string)
	kid, _ := t.header["kid"].(string)
	signs := jwa.SignatureAlgorithm(alg)
	verifies := func(set jwk.Set) bool {
		key, found := set.Key(0)
		if named, ok := set.LookupKeyID(kid); ok {
			key, found = named, true
		}
		if !found {
			return false
		}
		_, err := jws.Verify([]byte(t.compact), jws.WithKey(signs, key))
		return err == nil
	}
	if t.claims != nil && p.has(careless.ignores) {
		return true
	}
	switch {
	case strings.EqualFold(alg, "none"):
		return p.has(careless.unsigned)
	case signs == jwa.HS256:
		return p.fitsPublicKey(ctx, t, registration.JWKSURL) && p.has(careless.hmac)
	}
	if member, sent := t.header["jwk"].(map[string]any); sent && careless.embedded != "" {
		raw, _ := json.Marshal(map[string]any{"keys": []any{member}}) // has come as JSON
		if set, err := jwk.Parse(raw); err == nil && verifies(set) && p.has(careless.embedded) {
			return true
		}
	}
	if address, _ := t.header["jku"].(string); address != "" && careless.pointed != "" && p.has(careless.pointed) {
		set, err := p.fetchKeys(ctx, address)
		return err == nil && verifies(set)
	}
	if careless.others != "" {
		p.mu.Lock()
		var addresses []string
		for _, other := range p.registrations {
			if other.JWKSURL != "" && other.JWKSURL != registration.JWKSURL {
				addresses = append(addresses, other.JWKSURL)
			}
		}
		p.mu.Unlock()
		for _, address := range addresses {
			if key, err := p.toolKey(ctx, address, kid); err == nil {
				if _, err := jws.Verify([]byte(t.compact), jws.WithKey(signs, key)); err == nil && p.has(careless.others) {
					return true
				}
			}
		}
	}
	return false
}

// fitsPublicKey says whether a token is an HMAC keyed with the PEM text of a key
// of the tool.
func (p *Platform) fitsPublicKey(ctx context.Context, t token, address string) bool {
	set, err := p.fetchKeys(ctx, address)
	if err != nil {
		return false
	}
	for i := range set.Len() {
		key, _ := set.Key(i)
		secret, err := jwk.Pem(key)
		if err != nil {
			continue
		}
		if _, err := jws.Verify([]byte(t.compact), jws.WithKey(jwa.HS256, secret)); err == nil {
			return true
		}
	}
	return false
}
