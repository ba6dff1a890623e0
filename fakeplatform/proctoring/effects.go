package proctoring

import (
	"encoding/json"
	"net/http"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of proctored exams do, and of which messages and exams they make a difference.

// highestNumber is that of any candidate's attempts at the same assessment.
func (e *Exams) highestNumber(of candidate) int {
	highest := 0
	for who, attempts := range e.attempts {
		for _, a := range attempts {
			if who.clientID == of.clientID && who.linkID == of.linkID {
				highest = max(highest, a.number)
			}
		}
	}
	return highest
}

func crashed(w http.ResponseWriter, _ *http.Request) {
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

// crashesOnMessage breaks down on a message.
func crashesOnMessage(when func(s *submission) bool) fault.Effect {
	return messageJudged.ChangeWhen(func(j judgedMessage) bool { return when(j.submission) }, func(j judgedMessage) judgedMessage {
		j.instead = crashed
		return j
	})
}

// lacksClaim are messages without a claim.
func lacksClaim(claim string) func(*submission) bool {
	return func(s *submission) bool {
		_, sent := s.Token.Claims[claim]
		return !sent
	}
}

// otherThan are messages whose claim is something else than it has to be.
func otherThan[T any](claim string) func(*submission) bool {
	return func(s *submission) bool {
		_, is := s.Token.Claims[claim].(T)
		return jwt.Member(s.Token.Claims, claim) != "" && !is
	}
}

func readableByGet(s *submission) bool { return s.Method == http.MethodGet && s.Token.Claims != nil }

func asIDToken(s *submission) bool { return s.Form.Has(lti.ParamIDToken) }

// needsWholeOfMessage refuses a message with a time that has a fraction of a second.
func needsWholeOfMessage(name string) fault.Effect {
	return messageRules.Add(func(s *submission) error {
		if s.Token.HasFraction(name) {
			return part.InvalidRequest("%s is no integer", name)
		}
		return nil
	})
}

// data is the session_data of a message, and expected that of the launch, "" where a stimulus
// sends none that is text.
func (s *submission) data() (data, expected string) {
	data, _ = s.Token.Claims[lti.ClaimSessionData].(string)
	_ = json.Unmarshal([]byte(s.launch.statement().sessionData), &expected)
	return data, expected
}

// lacksData are messages without session_data, or with null, and emptyData those with an empty
// one.
func lacksData(s *submission) bool { return s.Token.Claims[lti.ClaimSessionData] == nil }
func emptyData(s *submission) bool { return s.Token.Claims[lti.ClaimSessionData] == "" }

// likeData are messages whose session_data is like that of the launch.
func likeData(like func(data, expected string) bool) func(*submission) bool {
	return func(s *submission) bool {
		data, expected := s.data()
		return !lacksData(s) && !emptyData(s) && like(data, expected)
	}
}

// owner is another launch whose session_data a message has; nil for none.
func (s *submission) owner() *Launch {
	data := stated(s.Token.Claims).sessionData
	if lacksData(s) || emptyData(s) || data == s.launch.statement().sessionData {
		return nil
	}
	others := s.exams.find(func(l *Launch, of statement) bool { return l != s.launch && of.sessionData == data })
	if len(others) == 0 {
		return nil
	}
	return others[0]
}

// awaitsOther waits for another message for the same launch. By itself that shows nowhere.
var awaitsOther = messageRead.ChangeAll(func(readMessage) bool { return false }, func(r readMessage) readMessage {
	r.alone = !r.exams.pairs.Meet(r.Context(), r.launch.ID())
	return r
})

// late says whether the attempt was started meanwhile, by the same message before or by another
// one with the same session_data.
func (s startAnswer) late() (same, other bool) {
	l := s.launch
	if s.started || len(s.wrong) == 0 || l.attempt.startedBy() != l || l.attempt.Status() != lti.Running || !s.exams.isCandidates(s.Request, l) {
		return false, false
	}
	s.exams.mu.Lock()
	defer s.exams.mu.Unlock()
	same = s.exams.nonces.Used(l.Plan().ClientID, s.Nonce())
	return same, !same && len(s.wrong) == 1 && (s.wrong[0].Says == usedSessionData || s.wrong[0].Says == alreadyStarted)
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
		return !s.started && l.attempt.Status() == lti.None && s.exams.isCandidates(s.Request, l) && s.Token.Claims != nil
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
