package fakeplatform

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of proctored exams do, and of which messages and exams they make a difference.

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

func crash(w http.ResponseWriter) {
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
}

// longName is more than anybody's name has.
const longName = 10000

// comparedOfSessionData is how much of session_data a fault compares.
const comparedOfSessionData = 8

// shortLifetime is how long session_data is good where that is too short.
const shortLifetime = 10 * time.Minute

// messageClaims are those that a message may have.
var messageClaims = []string{
	"iss", "aud", "azp", "iat", "nbf", "exp", "nonce", "jti", "sub", lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimDeploymentID, lti.ClaimSessionData,
	lti.ClaimResourceLink, lti.ClaimAttemptNumber, lti.ClaimVerifiedUser, lti.ClaimEndAssessmentReturn,
}

// trusts takes a signature that is not the tool's where when says so and, of a platform that
// has the fault, is says so, too: that may fetch keys.
func trusts(ofAssertion bool, when func(verification) bool, is func(verification) bool) fault.Effect {
	return signatureVerified.ChangeWhen(func(v verification) bool {
		return v.err != nil && v.ofAssertion == ofAssertion && when(v)
	}, func(v verification) verification {
		if is(v) {
			v.err = nil
		}
		return v
	})
}

func readable(v verification) bool { return v.token.claims != nil }

// header is a text in the header of the JWT.
func (v verification) header(name string) string {
	text, _ := v.token.header[name].(string)
	return text
}

func withoutAlg(v verification) bool { return strings.EqualFold(v.header("alg"), "none") }

func withHMAC(v verification) bool { return v.header("alg") == jwa.HS256.String() }

// fitsPublicKey says whether the signature is an HMAC keyed with the PEM text of a key of the
// tool.
func fitsPublicKey(v verification) bool {
	return v.platform.fitsPublicKey(v, v.token, v.registration.JWKSURL)
}

// signed says whether a JWT is signed as its header says. Without alg or with a symmetric one
// other faults look at it.
func signed(v verification) bool { return !withoutAlg(v) && !withHMAC(v) }

// verifies says whether the signature is one of a key set: of the key that is named, or of the
// first one.
func (v verification) verifies(set jwk.Set) bool {
	key, there := set.Key(0)
	if named, ok := set.LookupKeyID(v.header("kid")); ok {
		key, there = named, true
	}
	return there && v.verifiesWith(key)
}

func (v verification) verifiesWith(key jwk.Key) bool {
	_, err := jws.Verify([]byte(v.token.compact), jws.WithKey(jwa.SignatureAlgorithm(v.header("alg")), key))
	return err == nil
}

// withOwnKey says whether the header brings the key that the JWT is signed with.
func withOwnKey(v verification) bool {
	member, sent := v.token.header["jwk"].(map[string]any)
	if !sent || !signed(v) {
		return false
	}
	raw, _ := json.Marshal(map[string]any{"keys": []any{member}}) // has come as JSON
	set, err := jwk.Parse(raw)
	return err == nil && v.verifies(set)
}

func withKeyURL(v verification) bool { return v.header("jku") != "" && signed(v) }

// isOfKeyURL says whether the JWT is signed with a key that its header points to.
func isOfKeyURL(v verification) bool {
	set, err := v.platform.fetchKeys(v, v.header("jku"))
	return err == nil && v.verifies(set)
}

// isOfOtherTool says whether the JWT is signed by another tool.
func isOfOtherTool(v verification) bool {
	p := v.platform
	p.mu.Lock()
	var addresses []string
	for _, other := range p.registrations {
		if other.JWKSURL != "" && other.JWKSURL != v.registration.JWKSURL {
			addresses = append(addresses, other.JWKSURL)
		}
	}
	p.mu.Unlock()
	return slices.ContainsFunc(addresses, func(address string) bool {
		key, err := p.toolKey(v, address, v.header("kid"))
		return err == nil && v.verifiesWith(key)
	})
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

// crashesOnMessage breaks down on a message.
func crashesOnMessage(when func(s *submission) bool) fault.Effect {
	return messageJudged.ChangeWhen(func(j judgedMessage) bool { return when(j.submission) }, func(j judgedMessage) judgedMessage {
		j.instead = func(w http.ResponseWriter, _ *http.Request) { crash(w) }
		return j
	})
}

// lacksClaim are messages without a claim.
func lacksClaim(claim string) func(*submission) bool {
	return func(s *submission) bool {
		_, sent := s.token.claims[claim]
		return !sent
	}
}

// otherThan are messages whose claim is something else than it has to be.
func otherThan[T any](claim string) func(*submission) bool {
	return func(s *submission) bool {
		_, is := s.token.claims[claim].(T)
		return jsonOf(s.token.claims, claim) != "" && !is
	}
}

func readableByGet(s *submission) bool { return s.Method == http.MethodGet && s.token.claims != nil }

func asIDToken(s *submission) bool { return s.form.Has(lti.ParamIDToken) }

// issuerOf is who a JWT says that it is from.
func issuerOf(t token) string {
	iss, _ := t.claims["iss"].(string)
	return iss
}

// verifiesByIssuer verifies a message by the keys of the tool that it says it is from.
var verifiesByIssuer = signatureVerified.ChangeWhen(func(v verification) bool {
	iss := issuerOf(v.token)
	return !v.ofAssertion && iss != v.registration.ClientID && v.platform.isClient(iss)
}, func(v verification) verification {
	sender, _ := v.platform.registrationOf(issuerOf(v.token))
	v.err = v.platform.verifyWith(v, v.token, sender)
	return v
})

// needsWholeOfMessage refuses a message with a time that has a fraction of a second.
func needsWholeOfMessage(name string) fault.Effect {
	return messageRules.Add(func(s *submission) error {
		if fractional(s.token.claims, name) {
			return invalidRequest("%s is no integer", name)
		}
		return nil
	})
}

// data is the session_data of a message, and expected that of the launch, "" where a stimulus
// sends none that is text.
func (s *submission) data() (data, expected string) {
	data, _ = s.token.claims[lti.ClaimSessionData].(string)
	_ = json.Unmarshal([]byte(s.launch.statement().sessionData), &expected)
	return data, expected
}

// lacksData are messages without session_data, or with null, and emptyData those with an empty
// one.
func lacksData(s *submission) bool { return s.token.claims[lti.ClaimSessionData] == nil }
func emptyData(s *submission) bool { return s.token.claims[lti.ClaimSessionData] == "" }

// likeData are messages whose session_data is like that of the launch.
func likeData(like func(data, expected string) bool) func(*submission) bool {
	return func(s *submission) bool {
		data, expected := s.data()
		return !lacksData(s) && !emptyData(s) && like(data, expected)
	}
}

// owner is another launch whose session_data a message has; nil for none.
func (s *submission) owner() *Launch {
	data := stated(s.token.claims).sessionData
	if lacksData(s) || emptyData(s) || data == s.launch.statement().sessionData {
		return nil
	}
	others := s.platform.exams(func(l *Launch, of statement) bool { return l != s.launch && of.sessionData == data })
	if len(others) == 0 {
		return nil
	}
	return others[0]
}

// awaitsOther waits for another message for the same launch. By itself that shows nowhere.
var awaitsOther = messageRead.ChangeAll(func(readMessage) bool { return false }, func(r readMessage) readMessage {
	r.alone = !r.platform.pairs.Meet(r.Context(), r.launch.id)
	return r
})

// late says whether the attempt was started meanwhile, by the same message before or by another
// one with the same session_data.
func (s startAnswer) late() (same, other bool) {
	l := s.launch
	if s.started || len(s.wrong) == 0 || l.attempt.startedBy() != l || l.attempt.Status() != lti.Running || !s.platform.isCandidates(s.Request, l) {
		return false, false
	}
	s.platform.mu.Lock()
	defer s.platform.mu.Unlock()
	same = s.platform.nonces.used(l.plan.ClientID, s.nonce())
	return same, !same && len(s.wrong) == 1 && (s.wrong[0].says == usedSessionData || s.wrong[0].says == alreadyStarted)
}

func sameMessage(s startAnswer) bool {
	same, _ := s.late()
	return same
}

func otherMessage(s startAnswer) bool {
	_, other := s.late()
	return other
}

// atOnce are those that may have come at the same time: nobody knows where nobody has waited.
func atOnce(is func(startAnswer) bool) func(startAnswer) bool {
	return func(s startAnswer) bool { return !s.alone && is(s) }
}

// leadsToExam leads the browser to the exam all the same.
func leadsToExam(when func(startAnswer) bool, and func(a *Attempt)) fault.Effect {
	return startAnswered.ChangeWhen(when, func(s startAnswer) startAnswer {
		a := s.launch.attempt
		a.mu.Lock()
		defer a.mu.Unlock()
		and(a)
		s.instead = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.launch.ExamURL(), http.StatusSeeOther)
		}
		return s
	})
}

func nothingElse(*Attempt) {}

// onRefusal does something where a message of the candidate has not started the attempt.
func onRefusal(do func(*Launch)) fault.Effect {
	return startAnswered.ChangeWhen(func(s startAnswer) bool {
		l := s.launch
		return !s.started && l.attempt.Status() == lti.None && s.platform.isCandidates(s.Request, l) && s.token.claims != nil
	}, func(s startAnswer) startAnswer {
		do(s.launch)
		return s
	})
}

// showsOfExam changes what the page of the assessment shows.
func showsOfExam(change func(e *shownExam)) fault.Effect {
	return examShown.Change(func(e shownExam) shownExam {
		change(&e)
		return e
	})
}

// verifiedText is a text of what the tool says to have verified of the candidate.
func (e shownExam) verifiedText(name string) string {
	text, _ := e.verified[name].(string)
	return text
}

// makesData makes another value that a launch is recognised by.
func makesData(make func(madeSessionData) string) fault.Effect {
	return sessionDataMade.ChangeWhen(func(m madeSessionData) bool { return m.plan.Message == lti.StartProctoring }, func(m madeSessionData) madeSessionData {
		m.data = make(m)
		return m
	})
}
