package proctoring

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// examDefects are the defects of conduct in proctored exams, and what is unusual,
// but allowed.
var examDefects = []fault.Fault{

	// Attempts.
	{Name: "counts-launches", Proves: "ap-start-proctoring-attempt-number-integer", Does: "gives each launch into an exam an attempt of its own", Effects: []fault.Effect{attemptPassedOver.Take(true, nil)}},
	{Name: "shares-attempt-numbers", Proves: "ap-start-proctoring-attempt-number-integer", Does: "counts the attempts of all candidates together", Effects: []fault.Effect{
		firstNumber.Change(func(n numberedAttempt) numberedAttempt {
			if highest := n.highestNumber(n.who); highest > 0 {
				n.number = highest + 1
			}
			return n
		}),
		attemptPassedOver.Take(true, func(w waitingAttempt) bool { return w.highestNumber(w.who) > w.latest.number }),
	}},
	{Name: "sends-attempt-number-as-text", Proves: "ap-start-proctoring-attempt-number-integer", Does: "sends attempt_number as a string", Effects: []fault.Effect{
		saying.Effect(proctored, attemptText),
		finds(func(o *order, l *Launch, said statement) bool {
			asked := o.names()
			return l.Plan().ClientID == o.token.ClientID && said.sub == asked.sub && said.linkID == asked.linkID && o.request.AttemptNumber == 0 // an integer that is none
		}),
	}},
	{Name: "numbers-every-attempt-1", Proves: "ap-start-proctoring-attempt-number-integer", Does: "sends attempt_number 1 in every attempt", Effects: []fault.Effect{saying.Effect(proctored, saying.With(lti.ClaimAttemptNumber, 1))}},
	{Name: "forgets-session-data-after-10-minutes", Proves: "ap-start-proctoring-session-data-outlives-check-in", Does: "takes session_data for ten minutes", Effects: []fault.Effect{
		messageRules.Add(func(s *submission) error {
			if age := s.age(); age > shortLifetime && age <= sessionDataLifetime {
				return part.InvalidRequest("session_data has expired")
			}
			return nil
		}),
	}},
	{Name: "session-data-counter", Proves: "ap-start-proctoring-session-data-unguessable", Does: "counts its launches in session_data", Effects: []fault.Effect{
		makesData(func(m madeSessionData) string {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.counted++
			return strconv.Itoa(100000 + m.counted)
		}),
	}},
	{Name: "session-data-is-sub", Proves: "ap-start-proctoring-session-data-unguessable", Does: "sends the candidate's sub as session_data", Effects: []fault.Effect{makesData(func(m madeSessionData) string { return m.plan.Sub })}},
	{Name: "session-data-shared", Proves: "ap-start-proctoring-session-data-unguessable", Does: "sends the same session_data to everybody", Effects: []fault.Effect{makesData(func(madeSessionData) string { return "check-in" })}},
	{Name: "crashes-on-return-from-exam", Proves: "ap-start-proctoring-return-url", Does: "answers 500 when a candidate is sent back with an error", Effects: []fault.Effect{crashesOnReturn(func(r part.Return) bool { return starts(r.Launch) && r.ErrorMessage != "" })}},
	{Name: "crashes-on-return-at-end", Proves: "ap-end-assessment-return-url", Does: "answers 500 when a candidate is sent back at the end", Effects: []fault.Effect{crashesOnReturn(func(r part.Return) bool { return ends(r.Launch) })}},

	// LtiStartAssessment: who sends it, and how.
	{Name: "takes-messages-by-get", Proves: "ap-platform-rejects-message-type-confusion", Does: "takes LtiStartAssessment by GET", Effects: []fault.Effect{rules.ByPost.Lift(readableByGet), rules.AsForm.Lift(readableByGet), rules.Once.Lift(readableByGet), rules.NoIDToken.Lift(readableByGet)}},
	{Name: "takes-message-as-id-token", Proves: "ap-platform-rejects-message-type-confusion", Does: "takes LtiStartAssessment in the parameter id_token", Effects: []fault.Effect{rules.Once.Lift(asIDToken), rules.NoIDToken.Lift(asIDToken)}},
	{Name: "takes-own-id-token", Proves: "ap-platform-rejects-message-type-confusion", Does: "starts the exam with its own id_token", Effects: []fault.Effect{
		messageJudged.Change(func(j judgedMessage) judgedMessage {
			own := j.Token.Compact != "" && j.Token.Compact == j.launch.IDToken()
			if own && j.exams.isCandidates(j.Request, j.launch) && j.launch.attempt.startedBy() == nil {
				j.wrong = nil
			}
			return j
		}),
	}},
	{Name: "starts-exams-in-any-browser", Proves: "ap-platform-rejects-other-browser-session", Does: "does not look at the browser that an exam is started in", Effects: []fault.Effect{candidateSignedIn.Lift(nil)}},
	{Name: "starts-exams-of-others", Proves: "ap-platform-rejects-other-browser-session", Does: "lets whoever is signed in into anybody's exam", Effects: []fault.Effect{candidateSignedIn.Lift(func(v examVisit) bool { return v.account() != "" })}},
	{Name: "shows-exams-by-address", Proves: "ap-platform-rejects-other-browser-session", Does: "shows an exam that has started to every browser that knows its address", Effects: []fault.Effect{examOfCandidate.Lift(func(v examVisit) bool { return v.launch.attempt.Status() == lti.Running })}},
	{Name: "starts-exams-without-session", Proves: "ap-platform-rejects-other-browser-session", Does: "skips the comparison with the session where there is none", Effects: []fault.Effect{candidateSignedIn.Lift(func(v examVisit) bool { return v.account() == "" })}},
	{Name: "ignores-message-signature", Proves: "ap-platform-rejects-bad-signature", Does: "does not verify the signature of LtiStartAssessment", Effects: []fault.Effect{jwt.Trusts(jwt.Message, jwt.Readable, jwt.Readable)}},
	{Name: "takes-unsigned-messages", Proves: "ap-platform-rejects-bad-signature", Does: "takes LtiStartAssessment with alg none", Effects: []fault.Effect{jwt.Trusts(jwt.Message, jwt.WithoutAlg, jwt.WithoutAlg)}},
	{Name: "takes-messages-with-hmac", Proves: "ap-platform-rejects-bad-signature", Does: "verifies LtiStartAssessment as an HMAC keyed with the tool's public key where the header says so", Effects: []fault.Effect{jwt.Trusts(jwt.Message, jwt.WithHMAC, jwt.FitsPublicKey)}},
	{Name: "trusts-keys-in-messages", Proves: "ap-platform-rejects-bad-signature", Does: "verifies LtiStartAssessment with the jwk of its header", Effects: []fault.Effect{jwt.Trusts(jwt.Message, jwt.WithOwnKey, jwt.WithOwnKey)}},
	{Name: "trusts-key-urls-of-messages", Proves: "ap-platform-rejects-bad-signature", Does: "verifies LtiStartAssessment with a key set from the jku of its header", Effects: []fault.Effect{jwt.Trusts(jwt.Message, jwt.WithKeyURL, jwt.OfKeyURL)}},
	{Name: "crashes-on-malformed-message", Proves: "ap-platform-rejects-bad-signature", Does: "answers 500 to what is no JWT", Effects: []fault.Effect{crashesOnMessage(func(s *submission) bool { return s.Method == http.MethodPost && s.Token.Claims == nil })}},
	{Name: "ignores-message-issuer", Proves: "ap-platform-rejects-wrong-iss-or-aud", Does: "does not look at iss of LtiStartAssessment", Effects: []fault.Effect{rules.IssuerIsTool.Lift(nil)}},
	{Name: "takes-messages-without-issuer", Proves: "ap-platform-rejects-wrong-iss-or-aud", Does: "takes LtiStartAssessment without iss", Effects: []fault.Effect{rules.IssuerIsTool.Lift(lacksClaim("iss"))}},
	{Name: "takes-messages-of-other-tools", Proves: "ap-platform-rejects-wrong-iss-or-aud", Does: "takes LtiStartAssessment of any tool that it knows", Effects: []fault.Effect{
		jwt.VerifiesByIssuer(jwt.Message),
		rules.IssuerIsTool.Lift(func(s *submission) bool { return s.exams.isTool(s.Token.Text("iss")) }),
	}},
	{Name: "ignores-audience", Proves: "ap-platform-rejects-wrong-iss-or-aud", Does: "does not look at aud of LtiStartAssessment", Effects: []fault.Effect{rules.AudienceIsPlatform.Lift(nil)}},
	{Name: "takes-missing-audience", Proves: "ap-platform-rejects-wrong-iss-or-aud", Does: "takes LtiStartAssessment without aud", Effects: []fault.Effect{rules.AudienceIsPlatform.Lift(func(s *submission) bool { return len(jwt.Audiences(s.Token.Claims["aud"])) == 0 })}},
	{Name: "takes-further-audiences", Proves: "sec-platform-tool-message-iss-aud", Does: "takes LtiStartAssessment that is for a stranger, too", Effects: []fault.Effect{rules.AudienceAlone.Lift(nil)}},
	{Name: "refuses-audience-arrays", Proves: "ap-platform-accepts-valid-start-assessment", Does: "refuses LtiStartAssessment whose aud is an array", Effects: []fault.Effect{
		messageRules.Add(func(s *submission) error {
			own, further := s.Audience()
			if _, isText := s.Token.Claims["aud"].(string); own && !further && !isText {
				return part.InvalidRequest("aud is no string")
			}
			return nil
		}),
	}},
	{Name: "ignores-message-expiry", Proves: "ap-platform-rejects-expired-message", Does: "takes LtiStartAssessment that has expired", Effects: []fault.Effect{rules.NotExpired.Lift(nil)}},
	{Name: "takes-messages-without-expiry", Proves: "sec-platform-tool-message-expired", Does: "takes LtiStartAssessment without exp", Effects: []fault.Effect{rules.Expires.Lift(func(s *submission) bool { return s.Token.Claims["exp"] == nil })}},
	{Name: "takes-expiry-as-text", Proves: "sec-platform-tool-message-expired", Does: "takes LtiStartAssessment whose exp is a string", Effects: []fault.Effect{
		rules.Expires.Lift(func(s *submission) bool {
			_, isText := s.Token.Claims["exp"].(string)
			return isText
		}),
	}},
	{Name: "takes-messages-of-the-future", Proves: "ap-platform-rejects-expired-message", Does: "takes LtiStartAssessment whose iat lies ahead", Effects: []fault.Effect{rules.NotAhead.Lift(nil)}},
	{Name: "takes-old-messages", Proves: "ap-platform-rejects-expired-message", Does: "takes LtiStartAssessment that is a week old", Effects: []fault.Effect{rules.NotOld.Lift(nil)}},
	{Name: "takes-messages-without-nonce", Proves: "ap-platform-rejects-message-posted-twice", Does: "takes LtiStartAssessment without nonce", Effects: []fault.Effect{rules.NonceGiven.Lift(nil)}},
	{Name: "needs-whole-issue-time-of-messages", Proves: "ap-platform-accepts-valid-start-assessment", Does: "refuses LtiStartAssessment whose iat has a fraction of a second", Effects: []fault.Effect{needsWholeOfMessage("iat")}},
	{Name: "needs-whole-expiry-of-messages", Proves: "ap-platform-accepts-valid-start-assessment", Does: "refuses LtiStartAssessment whose exp has a fraction of a second", Effects: []fault.Effect{needsWholeOfMessage("exp")}},
	{Name: "reuses-nonces", Proves: "ap-platform-rejects-message-posted-twice", Does: "takes a new LtiStartAssessment with a nonce that was used", Effects: []fault.Effect{rules.NonceUnused.Lift(nil), nonceTaken.Lift(nil)}},
	{Name: "takes-messages-twice", Proves: "ap-platform-rejects-message-posted-twice", Does: "leads to the exam when the same LtiStartAssessment comes again", Effects: []fault.Effect{leadsToExam(sameMessage, nothingElse)}},
	{Name: "notes-messages-late", Proves: "ap-platform-rejects-message-posted-twice", Does: "takes LtiStartAssessment twice where it comes twice at the same time", Effects: []fault.Effect{awaitsOther, leadsToExam(atOnce(sameMessage), nothingElse)}},
	{Name: "crashes-on-message-twins", Proves: "ap-platform-rejects-message-posted-twice", Does: "answers 500 to one of two LtiStartAssessment that come at the same time and are the same", Effects: []fault.Effect{
		awaitsOther, startAnswered.ChangeWhen(atOnce(sameMessage), func(s startAnswer) startAnswer {
			s.instead = crashed
			return s
		}),
	}},

	// LtiStartAssessment: what it says.
	{Name: "ignores-message-type", Proves: "ap-platform-rejects-message-type-confusion", Does: "takes a message of any type for LtiStartAssessment", Effects: []fault.Effect{rules.Type.Lift(nil)}},
	{Name: "takes-messages-without-type", Proves: "core-platform-tool-message-lti-claims", Does: "takes a message without message_type for LtiStartAssessment", Effects: []fault.Effect{rules.Type.Lift(lacksClaim(lti.ClaimMessageType))}},
	{Name: "ignores-message-version", Proves: "ap-platform-rejects-message-type-confusion", Does: "takes LtiStartAssessment of any version", Effects: []fault.Effect{rules.Version.Lift(nil)}},
	{Name: "takes-messages-without-version", Proves: "core-platform-tool-message-lti-claims", Does: "takes LtiStartAssessment without version", Effects: []fault.Effect{rules.Version.Lift(lacksClaim(lti.ClaimVersion))}},
	{Name: "ignores-message-deployment", Proves: "ap-platform-rejects-wrong-deployment", Does: "does not look at deployment_id of LtiStartAssessment", Effects: []fault.Effect{rules.Deployment.Lift(nil)}},
	{Name: "takes-messages-without-deployment", Proves: "ap-platform-rejects-wrong-deployment", Does: "takes LtiStartAssessment without deployment_id", Effects: []fault.Effect{rules.Deployment.Lift(lacksClaim(lti.ClaimDeploymentID))}},
	{Name: "takes-messages-of-other-deployments", Proves: "ap-platform-rejects-wrong-deployment", Does: "takes LtiStartAssessment of any deployment of the tool", Effects: []fault.Effect{
		rules.Deployment.Lift(func(s *submission) bool {
			name, _ := s.Token.Claims[lti.ClaimDeploymentID].(string)
			return slices.Contains(s.launch.Registration().DeploymentIDs, name)
		}),
	}},
	{Name: "ignores-session-data", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "does not look at session_data", Effects: []fault.Effect{sessionDataOfLaunch.Lift(nil)}},
	{Name: "takes-missing-session-data", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "skips the comparison where session_data is missing", Effects: []fault.Effect{sessionDataOfLaunch.Lift(lacksData)}},
	{Name: "takes-empty-session-data", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "skips the comparison where session_data is empty", Effects: []fault.Effect{sessionDataOfLaunch.Lift(emptyData)}},
	{Name: "takes-session-data-in-array", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "takes session_data in an array", Effects: []fault.Effect{
		sessionDataOfLaunch.Lift(func(s *submission) bool {
			list, _ := s.Token.Claims[lti.ClaimSessionData].([]any)
			_, expected := s.data()
			return len(list) == 1 && list[0] == any(expected)
		}),
	}},
	{Name: "ignores-case-of-session-data", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "ignores the case of session_data", Effects: []fault.Effect{sessionDataOfLaunch.Lift(likeData(strings.EqualFold))}},
	{Name: "takes-begin-of-session-data", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "takes session_data without its end", Effects: []fault.Effect{sessionDataOfLaunch.Lift(likeData(func(data, expected string) bool { return data != "" && strings.HasPrefix(expected, data) }))}},
	{Name: "compares-begin-of-session-data", Proves: "ap-platform-rejects-missing-or-altered-session-data", Does: "compares the begin of session_data", Effects: []fault.Effect{
		sessionDataOfLaunch.Lift(likeData(func(data, expected string) bool {
			return len(data) >= comparedOfSessionData && len(expected) >= comparedOfSessionData && data[:comparedOfSessionData] == expected[:comparedOfSessionData]
		})),
	}},
	{Name: "starts-owners-of-session-data", Proves: "ap-platform-rejects-foreign-session-data", Does: "starts the exam that session_data were sent for, whoever sends them back, and refuses who did", Effects: []fault.Effect{
		messageJudged.ChangeWhen(func(j judgedMessage) bool { return j.Token.Claims != nil && j.owner() != nil }, func(j judgedMessage) judgedMessage {
			j.exams.startAttempt(j.submission, j.owner())
			return j
		}),
	}},
	{Name: "takes-session-data-of-others", Proves: "ap-platform-rejects-foreign-session-data", Does: "takes any session_data that it has sent", Effects: []fault.Effect{sessionDataOfLaunch.Lift(func(s *submission) bool { return s.owner() != nil })}},
	{Name: "takes-session-data-of-other-exams", Proves: "ap-platform-rejects-foreign-session-data", Does: "takes any session_data that it has sent for the candidate", Effects: []fault.Effect{
		sessionDataOfLaunch.Lift(func(s *submission) bool {
			owner := s.owner()
			return owner != nil && owner.statement().sub == s.launch.statement().sub
		}),
	}},
	{Name: "reuses-session-data", Proves: "ap-platform-rejects-replayed-session-data", Does: "opens a submitted attempt again for a new message with its session_data", Effects: []fault.Effect{attemptRestarts.Take(true, func(a *Attempt) bool { return a.settled() == lti.Complete })}},
	{Name: "keeps-both-attempts", Proves: "ap-platform-rejects-replayed-session-data", Does: "starts an attempt for each of two messages that come at the same time with the same session_data, so that one goes on when the other is handed in", Effects: []fault.Effect{awaitsOther, leadsToExam(atOnce(otherMessage), func(a *Attempt) { a.beside++ })}},
	{Name: "counts-both-attempts", Proves: "ap-platform-rejects-replayed-session-data", Does: "counts two attempts where two messages with the same session_data come at the same time", Effects: []fault.Effect{awaitsOther, leadsToExam(atOnce(otherMessage), func(a *Attempt) { a.skips++ })}},
	{Name: "leads-to-running-exam", Permitted: true, Does: "leads to the exam that is under way for a new message with its session_data", Effects: []fault.Effect{leadsToExam(otherMessage, nothingElse)}},
	{Name: "ignores-attempt-number", Proves: "ap-platform-rejects-changed-attempt-number", Does: "does not look at attempt_number of LtiStartAssessment", Effects: []fault.Effect{attemptOfLaunch.Lift(nil)}},
	{Name: "takes-messages-without-attempt", Proves: "ap-platform-rejects-changed-attempt-number", Does: "takes LtiStartAssessment without attempt_number", Effects: []fault.Effect{attemptOfLaunch.Lift(lacksClaim(lti.ClaimAttemptNumber))}},
	{Name: "takes-earlier-attempts", Proves: "ap-platform-rejects-changed-attempt-number", Does: "takes LtiStartAssessment of an earlier attempt", Effects: []fault.Effect{
		attemptOfLaunch.Lift(func(s *submission) bool {
			number, isInteger := jwt.Integer(s.Token.Claims[lti.ClaimAttemptNumber])
			return isInteger && number < s.launch.attempt.Number()
		}),
	}},
	{Name: "takes-attempt-number-as-text", Proves: "ap-platform-rejects-changed-attempt-number", Does: "takes attempt_number as a string", Effects: []fault.Effect{
		attemptOfLaunch.Lift(func(s *submission) bool {
			return stated(s.Token.Claims).attemptNumber == strconv.Quote(s.launch.statement().attemptNumber)
		}),
	}},
	{Name: "ignores-message-link", Proves: "ap-platform-rejects-changed-resource-link", Does: "does not look at resource_link of LtiStartAssessment", Effects: []fault.Effect{linkOfLaunch.Lift(nil)}},
	{Name: "takes-messages-without-link", Proves: "ap-platform-rejects-changed-resource-link", Does: "takes LtiStartAssessment without resource_link", Effects: []fault.Effect{linkOfLaunch.Lift(lacksClaim(lti.ClaimResourceLink))}},
	{Name: "crashes-on-link-text", Proves: "ap-platform-rejects-changed-resource-link", Does: "answers 500 where resource_link is a string", Effects: []fault.Effect{crashesOnMessage(otherThan[map[string]any](lti.ClaimResourceLink))}},
	{Name: "refuses-unknown-claims", Proves: "ap-platform-accepts-valid-start-assessment", Does: "refuses LtiStartAssessment with a claim that it does not know", Effects: []fault.Effect{
		messageRules.Add(func(s *submission) error {
			for name := range s.Token.Claims {
				if !slices.Contains(messageClaims, name) {
					return part.InvalidRequest("there are claims that are not known")
				}
			}
			return nil
		}),
	}},
	{Name: "needs-verified-user", Proves: "ap-platform-accepts-valid-start-assessment", Does: "refuses LtiStartAssessment without a verified user", Effects: []fault.Effect{
		messageRules.Add(func(s *submission) error {
			user, sent := s.Token.Claims[lti.ClaimVerifiedUser]
			if members, isObject := user.(map[string]any); (isObject || !sent) && len(members) == 0 {
				return part.InvalidRequest("verified_user is missing or empty")
			}
			return nil
		}),
	}},
	{Name: "crashes-on-verified-user-text", Proves: "ap-platform-checks-verified-user", Does: "answers 500 where verified_user is a string", Effects: []fault.Effect{crashesOnMessage(otherThan[map[string]any](lti.ClaimVerifiedUser))}},
	{Name: "crashes-on-long-names", Proves: "ap-platform-checks-verified-user", Does: "answers 500 to a very long name", Effects: []fault.Effect{
		crashesOnMessage(func(s *submission) bool {
			user, _ := s.Token.Claims[lti.ClaimVerifiedUser].(map[string]any)
			name, _ := user["name"].(string)
			family, _ := user["family_name"].(string)
			return len(name)+len(family) > longName
		}),
	}},
	{Name: "shows-verified-name-unescaped", Proves: "ap-platform-checks-verified-user", Needs: fault.Browser, Does: "shows the verified name as it came", Effects: []fault.Effect{
		showsOfExam(func(e *shownExam) {
			if template.HTMLEscapeString(e.Name) != e.Name {
				e.Shows = template.HTML(e.Name)
			}
		}),
	}},
	{Name: "shows-verified-sub", Proves: "ap-platform-rejects-own-picture-as-verified", Does: "shows the sub of verified_user as the candidate's", Effects: []fault.Effect{
		showsOfExam(func(e *shownExam) {
			if sub := e.verifiedText("sub"); sub != "" {
				e.Shows = sub
			}
		}),
	}},
	{Name: "shows-verified-picture", Proves: "ap-platform-rejects-own-picture-as-verified", Does: "shows its own picture as the one that the tool has verified", Effects: []fault.Effect{showsOfExam(func(e *shownExam) { e.Picture = e.verifiedText("picture") })}},
	{Name: "forgets-launch-on-refusal", Proves: "ap-platform-survives-failed-start", Does: "takes no further message after one that it refused", Effects: []fault.Effect{
		onRefusal(func(l *Launch) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.said.sessionData = "forgotten"
		}),
	}},
	{Name: "uses-attempt-up-on-refusal", Proves: "ap-platform-survives-failed-start", Does: "takes the attempt away when it refuses a message", Effects: []fault.Effect{
		onRefusal(func(l *Launch) {
			l.attempt.start(l, "", false)
			l.attempt.complete()
		}),
	}},
	{Name: "answers-start-with-page", Permitted: true, Does: "answers LtiStartAssessment with the exam instead of a redirect", Effects: []fault.Effect{
		startAnswered.ChangeWhen(func(s startAnswer) bool { return s.started }, func(s startAnswer) startAnswer {
			s.instead = func(w http.ResponseWriter, r *http.Request) { s.exams.serveExam(w, r, s.launch) }
			return s
		}),
	}},

	// The end.
	{Name: "tells-no-end", Proves: "ap-end-assessment-sent-when-requested", Does: "never tells of the end", Effects: []fault.Effect{endTold.Take(false, nil)}},
	{Name: "ends-exams-by-lti-1-1", Proves: "ap-end-assessment-sent-when-requested", Does: "tells of the end with a form of LTI 1.1", Effects: []fault.Effect{part.OpenedAsLTI11.Take(true, ends)}},
	{Name: "tells-only-of-submission", Proves: "ap-end-assessment-sent-when-requested", Does: "does not tell of an end that the candidate has not brought about", Effects: []fault.Effect{endTold.Take(false, func(e toldEnd) bool { return e.Method == http.MethodGet && e.problem == nil })}},
	{Name: "tells-end-unasked", Proves: "ap-end-assessment-not-sent-unrequested", Does: "tells of every end", Effects: []fault.Effect{endWanted.Take(true, nil)}},
	{Name: "remembers-end-wish", Proves: "ap-end-assessment-not-sent-unrequested", Does: "tells of the end because the tool had asked for it in the attempt before", Effects: []fault.Effect{
		endAsked.Take(true, func(e endWish) bool {
			before := e.exams.attempts[candidate{e.Plan().ClientID, e.Plan().Sub, e.Plan().ResourceLink}]
			return slices.ContainsFunc(before, func(a *Attempt) bool { return a.number == e.attempt.number-1 && a.WantsEnd() })
		}),
	}},
	{Name: "takes-presence-for-true", Proves: "ap-end-assessment-not-sent-unrequested", Does: "takes any end_assessment_return for true", Effects: []fault.Effect{
		endAsked.Take(true, func(e endWish) bool {
			_, sent := e.claims[lti.ClaimEndAssessmentReturn]
			return sent
		}),
	}},
	{Name: "takes-text-for-true", Proves: "ap-end-assessment-return-non-boolean", Does: "takes any text in end_assessment_return for true", Effects: []fault.Effect{
		endAsked.Take(true, func(e endWish) bool {
			text, _ := e.claims[lti.ClaimEndAssessmentReturn].(string)
			return text != ""
		}),
	}},
	{Name: "crashes-on-end-return", Proves: "ap-end-assessment-return-non-boolean", Does: "answers 500 where end_assessment_return is no boolean", Effects: []fault.Effect{crashesOnMessage(otherThan[bool](lti.ClaimEndAssessmentReturn))}},
}

// The rows that most defects of what an exam's messages say break.
const (
	breaksNulls   = "ap-no-null-claims-platform"
	breaksNames   = "ap-claim-names-exact-platform"
	breaksOIDC    = "ap-start-proctoring-through-oidc-login"
	breaksSize    = "ap-start-proctoring-presentation-size-and-locale"
	breaksACS     = "ap-start-proctoring-acs-claim-shape"
	breaksExit    = "ap-start-proctoring-return-url"
	breaksShape   = "ap-start-proctoring-settings-shape"
	breaksLearner = "ap-start-proctoring-roles"
	breaksEmail   = "ap-start-proctoring-email-with-verified-flag"
	breaksEnd     = "ap-end-assessment-claims"
	breaksFresh   = "ap-end-assessment-fresh-oidc"
	breaksError   = "ap-end-assessment-error-claims"
	breaksWayBack = "ap-end-assessment-return-url"
	breaksNoStart = "ap-end-assessment-no-session-data"
	breaksLinks   = "ap-start-proctoring-resource-link-identifies-assessment"
)

// messageDefects are those of what the messages of proctoring say, and what is
// unusual in them, but allowed. Tools need not notice them, so that they are no
// stimuli.
var messageDefects = []fault.Fault{
	startingWith("exam-version-1.3", "sends an exam of version 1.3", saying.With(lti.ClaimVersion, "1.3"), "ap-start-proctoring-type-and-version"),
	startingWith("exam-nonce-altered", "changes a character of the nonce in an exam", saying.Changed("nonce", part.Alter), breaksOIDC),
	{
		Name: "exam-answered-by-get", Proves: "ap-start-proctoring-through-oidc-login", Does: "sends id_token and state of an exam in a query",
		Effects: []fault.Effect{saying.Responds(proctored, func(a *part.Answer) { a.InQuery = true })},
	},
	{
		Name: "exam-deployment-id-altered-in-login", Proves: "ap-start-proctoring-deployment-id",
		Does: "changes a character of lti_deployment_id in the login initiation of an exam", Effects: []fault.Effect{part.LoginInitiated.Change(func(l part.Login) part.Login {
			if proctored(l.Launch) {
				l.Params.Set(lti.ParamLTIDeploymentID, part.Alter(l.Params.Get(lti.ParamLTIDeploymentID)))
			}
			return l
		})},
	},
	startingWith("exam-target-link-uri-slash", "adds a slash to target_link_uri in an exam", saying.Changed(lti.ClaimTargetLinkURI, part.ToggleSlash), "ap-start-proctoring-target-link-uri"),
	examWith("exam-link-id-per-attempt", "makes a resource_link id for each attempt", func(d *part.Saying) {
		set(d, lti.ClaimResourceLink, "id", fmt.Sprintf("%s-%d", d.Plan.ResourceLink, own(d.Launch).attempt.Number()))
	}, breaksLinks),
	examWith("exam-link-id-per-message", "makes a resource_link id for each message", func(d *part.Saying) {
		set(d, lti.ClaimResourceLink, "id", d.Plan.ResourceLink+"-"+d.ID())
	}, breaksLinks),
	startingWith("exam-link-without-title", "leaves the title out of the resource_link in an exam", func(d *part.Saying) {
		d.Claims[lti.ClaimResourceLink] = map[string]any{"id": d.Plan.ResourceLink}
	}, "ap-start-proctoring-resource-link-title"),
	{Name: "exam-signed-by-unpublished-key", Proves: "ap-start-proctoring-through-oidc-login", Does: "signs its messages about exams with a key that it does not publish", Effects: []fault.Effect{saying.Signs(proctored, part.ByUnpublishedKey)}},
	startingWith("start-url-without-scheme", "leaves the scheme out of start_assessment_url", saying.Changed(lti.ClaimStartAssessmentURL, func(s string) string {
		return strings.TrimPrefix(s, "https:")
	}), "ap-start-proctoring-start-assessment-url"),
	startingWith("exam-without-session-data", "leaves session_data out, and does not miss it", saying.Without(lti.ClaimSessionData),
		"ap-start-proctoring-session-data-present"),
	examWith("exam-sub-256-characters", "sends a sub of 256 characters in an exam", saying.Changed("sub", func(sub string) string { return sub + strings.Repeat("0", max(0, 256-len(sub))) }), "ap-start-proctoring-names-the-candidate"),
	startingWith("exam-roles-absent", "leaves roles out of an exam", saying.Without(lti.ClaimRoles), breaksLearner),
	startingWith("exam-roles-null", "sends null as roles in an exam", saying.With(lti.ClaimRoles, nil), breaksLearner),
	startingWith("exam-roles-without-learner", "sends the candidate's role in the institution alone", saying.Roles(lti.RoleInstitutionStudent), breaksLearner),
	startingWith("exam-family-name-left-out", "leaves family_name out of an exam", saying.Without("family_name"), "ap-start-proctoring-name-claims"),
	startingWith("exam-name-left-out", "leaves name out of an exam", saying.Without("name"), "ap-start-proctoring-name-claims"),
	startingWith("exam-email-flag-left-out", "sends email without email_verified", saying.Without("email_verified"), breaksEmail),
	startingWith("exam-email-flag-text", "sends email_verified as a string", func(d *part.Saying) {
		if _, sent := d.Claims["email"]; sent {
			d.Claims["email_verified"] = "true"
		}
	}, breaksEmail),
	startingWith("exam-return-url-absent", "sends no return_url in an exam", saying.WithoutReturnURL, breaksExit),
	startingWith("exam-presentation-empty", "sends an empty launch_presentation in an exam", saying.With(lti.ClaimLaunchPresentation, map[string]any{}), breaksExit),
	startingWith("exam-document-target-unknown", "sends a document_target that does not exist in an exam", presentation("document_target", "popup"), breaksSize),
	startingWith("exam-height-text", "sends a height as a string in an exam", presentation("height", "600px"), breaksSize),
	startingWith("exam-locale-malformed", "sends a locale with an underscore in an exam", presentation("locale", "en_GB"), breaksSize),
	startingWith("acs-null", "sends null as acs", saying.With(lti.ClaimACS, nil), breaksACS),
	startingWith("acs-actions-repeated", "offers an action twice", func(d *part.Saying) { offers(lti.Pause)(d) }, breaksACS),
	startingWith("acs-action-unknown", "offers an action that does not exist", offers("teleport"), breaksACS),
	startingWith("acs-url-without-scheme", "leaves the scheme out of assessment_control_url", controlURL(func(address string) string { return strings.TrimPrefix(address, "https:") }), breaksACS),
	startingWith("acs-url-as-template", "leaves a variable in assessment_control_url", controlURL(func(address string) string { return address + "?attempt={attempt}" }), "core-service-claims-resolved"),
	startingWith("settings-data-object", "sends an object as data of proctoring_settings", withSettings(func(data string) any {
		return map[string]any{"data": map[string]any{"profile": data}}
	}), breaksShape),
	startingWith("settings-text", "sends proctoring_settings as a string", withSettings(func(data string) any { return data }), breaksShape),
	endingWith("end-settings-altered", "changes a character of proctoring_settings at the end", withSettings(func(data string) any {
		return map[string]any{"data": part.Alter(data)}
	}), breaksShape),
	examWith("settings-under-other-prefix", "names proctoring_settings like a claim of LTI", renamed(lti.ClaimProctoringSettings, lti.ClaimPrefix+"lti/claim/proctoring_settings"), breaksNames),
	examWith("settings-name-with-space", "adds a space to the name of proctoring_settings", renamed(lti.ClaimProctoringSettings, lti.ClaimProctoringSettings+" "), breaksNames),
	examWith("exam-middle-name-null", "sends null as middle_name where there is none", func(d *part.Saying) {
		if _, sent := d.Claims["middle_name"]; !sent {
			d.Claims["middle_name"] = nil
		}
	}, breaksNulls),

	// LtiEndAssessment.
	endingWith("end-return-url-absent", "sends no return_url at the end", saying.WithoutReturnURL, breaksWayBack),
	endingWith("end-version-1.3", "tells of the end in version 1.3", saying.With(lti.ClaimVersion, "1.3"), breaksEnd),
	endingWith("end-type-resource-link", "tells of the end with a resource link launch", saying.With(lti.ClaimMessageType, lti.ResourceLinkRequest), breaksEnd),
	endingWith("end-attempt-number-1", "tells of the end of attempt 1, whichever it was", saying.With(lti.ClaimAttemptNumber, 1), breaksEnd),
	endingWith("end-attempt-number-text", "tells of the end with attempt_number as a string", attemptText, breaksEnd),
	endingWith("end-sub-altered", "changes a character of sub at the end", saying.Changed("sub", part.Alter), breaksEnd),
	endingWith("end-deployment-id-altered", "changes a character of deployment_id at the end", saying.Changed(lti.ClaimDeploymentID, part.Alter), breaksEnd),
	endingWith("end-roles-absent", "leaves roles out at the end", saying.Without(lti.ClaimRoles), breaksEnd),
	endingWith("end-target-link-uri-slash", "adds a slash to target_link_uri at the end", saying.Changed(lti.ClaimTargetLinkURI, part.ToggleSlash), breaksEnd),
	endingWith("end-link-id-altered", "changes a character of the resource_link id at the end", func(d *part.Saying) {
		set(d, lti.ClaimResourceLink, "id", part.Alter(d.Plan.ResourceLink))
	}, breaksEnd),
	endingWith("end-without-link", "leaves resource_link out at the end", saying.Without(lti.ClaimResourceLink), ""),
	endingWith("end-nonce-of-start", "repeats the nonce of the begin at the end", func(d *part.Saying) {
		if start := own(d.Launch).attempt.startedBy(); start != nil {
			d.Claims["nonce"] = strings.Trim(start.statement().nonce, `"`)
		}
	}, breaksFresh),
	endingWith("end-with-session-data", "repeats session_data and start_assessment_url at the end", func(d *part.Saying) {
		d.Claims[lti.ClaimSessionData], d.Claims[lti.ClaimStartAssessmentURL] = own(d.Launch).sessionData, own(d.Launch).StartAssessmentURL()
	}, breaksNoStart),
	endingWith("end-session-data-null", "sends null as session_data at the end", saying.With(lti.ClaimSessionData, nil), breaksNoStart),
	endingWith("end-error-always", "tells of an error at every end", func(d *part.Saying) {
		if own(d.Launch).problem == nil {
			failing("", "")(d)
		}
	}, breaksError),
	failingWith("end-error-message-left-out", "leaves errormsg out", saying.Without(lti.ClaimErrorMessage)),
	failingWith("end-error-log-left-out", "leaves errorlog out", saying.Without(lti.ClaimErrorLog)),
	failingWith("end-error-log-object", "sends an object as errorlog", saying.With(lti.ClaimErrorLog, map[string]any{"line": 7})),
	failingWith("end-error-names-with-spaces", "adds a space to the names of errormsg and errorlog", saying.Both(
		renamed(lti.ClaimErrorMessage, lti.ClaimErrorMessage+" "), renamed(lti.ClaimErrorLog, lti.ClaimErrorLog+" "),
	)),
	failingWith("end-error-names-of-deep-linking", "names errormsg and errorlog like those of deep linking", saying.Both(
		renamed(lti.ClaimErrorMessage, lti.ClaimPrefix+"lti-dl/claim/errormsg"), renamed(lti.ClaimErrorLog, lti.ClaimPrefix+"lti-dl/claim/errorlog"),
	)),

	// Unusual, but allowed.
	startingWith("start-url-with-fragment", "adds a fragment to start_assessment_url", saying.Changed(lti.ClaimStartAssessmentURL, func(s string) string { return s + "#start" }), ""),
	startingWith("acs-url-with-fragment", "adds a fragment to assessment_control_url", controlURL(func(address string) string { return address + "#control" }), ""),
	startingWith("exam-without-roles", "sends no role of a candidate", saying.Roles(), ""),
	examWith("exam-audience-array", "sends aud as an array of one, with azp", func(d *part.Saying) {
		d.Claims["aud"], d.Claims["azp"] = []string{d.Plan.ClientID}, d.Plan.ClientID
	}, ""),
	examWith("exam-vendor-claims", "sends claims of its own in an exam", saying.With("https://school.example/claims/exam", map[string]any{"room": "7b", "open_book": false}), ""),
	startingWith("exam-settings-without-data-beside", "sends a member of its own in proctoring_settings", func(d *part.Saying) {
		if _, sent := d.Claims[lti.ClaimProctoringSettings]; sent {
			set(d, lti.ClaimProctoringSettings, "https://school.example/claims/profile", "strict")
		}
	}, ""),
}

// examWith is a defect of every message of proctoring; startingWith is one of
// LtiStartProctoring, endingWith of LtiEndAssessment and failingWith of one that
// tells of an error. It is a conduct that is allowed where it proves nothing.
func examWith(name, does string, claims saying.Change, proves string) fault.Fault {
	return ofMessage(name, does, proctored, claims, proves)
}

func startingWith(name, does string, claims saying.Change, proves string) fault.Fault {
	return ofMessage(name, does, starts, claims, proves)
}

func endingWith(name, does string, claims saying.Change, proves string) fault.Fault {
	return ofMessage(name, does, ends, claims, proves)
}

func failingWith(name, does string, claims saying.Change) fault.Fault {
	return ofMessage(name, does, fails, claims, breaksError)
}

func ofMessage(name, does string, of func(part.Launch) bool, claims saying.Change, proves string) fault.Fault {
	return fault.Fault{Name: name, Does: does, Proves: proves, Permitted: proves == "", Effects: []fault.Effect{saying.Effect(of, claims)}}
}

// renamed sends a claim under another name.
func renamed(claim, name string) saying.Change {
	return func(d *part.Saying) {
		if value, sent := d.Claims[claim]; sent {
			delete(d.Claims, claim)
			d.Claims[name] = value
		}
	}
}

// withSettings sends proctoring_settings otherwise, where they are sent.
func withSettings(settings func(data string) any) saying.Change {
	return func(d *part.Saying) {
		if _, sent := d.Claims[lti.ClaimProctoringSettings]; sent {
			d.Claims[lti.ClaimProctoringSettings] = settings(own(d.Launch).exam.Settings)
		}
	}
}

// attemptText sends attempt_number as a string.
func attemptText(d *part.Saying) {
	d.Claims[lti.ClaimAttemptNumber] = fmt.Sprint(d.Claims[lti.ClaimAttemptNumber])
}
