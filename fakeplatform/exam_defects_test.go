package fakeplatform_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

// An examProbe is something that is asked of a platform about exams.
type examProbe func(*examRoom) string

// candidate launches somebody who is signed in into an exam.
func (room *examRoom) candidate(account string, changes ...func(*fakeplatform.Plan)) *sitting {
	room.t.Helper()
	b := room.browser(room.t)
	b.signIn(account)
	return room.candidateIn(b, account, changes...)
}

func (room *examRoom) candidateIn(b browser, account string, changes ...func(*fakeplatform.Plan)) *sitting {
	room.t.Helper()
	l := room.begin(room.t, proctored(append([]func(*fakeplatform.Plan){func(plan *fakeplatform.Plan) {
		plan.User, plan.Account, plan.ReturnTo = accounts[account], account, platformURL+"/course"
		inExam(plan, func(e *proctoring.Exam) { e.Settings = "strict" })
	}}, changes...)...))
	claims, _ := b.told(l.URL(), "nonce-of-start")
	return &sitting{room, b, l, claims}
}

// told follows a launch as far as its message, and says what belongs to it.
func (b browser) told(address, nonce string) (claims map[string]any, says string) {
	b.t.Helper()
	began := b.get(address)
	if began.header.Get("Location") == "" { // a launch of LTI 1.1
		_, fields := began.form()
		return nil, fmt.Sprintln("no login", fields["lti_message_type"])
	}
	u, err := url.Parse(began.header.Get("Location"))
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	request := authRequest(u.Query())
	request.Set("nonce", nonce)
	if request.Get("client_id") == otherClient {
		request.Set("redirect_uri", "https://b.example/launch")
	}
	p := b.authenticate(request)
	var how string
	var fields url.Values
	if p.header.Get("Location") != "" {
		how, fields = p.answer()
	} else {
		_, fields = p.form()
	}
	_, claims = claimsOf(b.t, fields)
	return claims, fmt.Sprintln(how, u.Query()["lti_deployment_id"], u.Query()["target_link_uri"], fields["state"])
}

// words are what a message says, without what is made anew for each launch.
func (s *sitting) words(claims map[string]any, names ...string) string {
	s.t.Helper()
	said := maps.Clone(claims)
	if data, ok := said[lti.ClaimSessionData].(string); ok {
		said[lti.ClaimSessionData] = len(data)
	}
	text, err := json.Marshal(said)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return strings.NewReplacer(append([]string{s.launch.URL(), "LAUNCH"}, names...)...).Replace(string(text))
}

// outcome says how a message was answered, and what has become of the attempt.
func (s *sitting) outcome(p page) string {
	s.t.Helper()
	says := fmt.Sprintln(p.status, p.header.Get("Location") != "", p.Find("#exam").Length(), proctoring.Of(s.launch).Attempt().Status())
	if p.status == http.StatusSeeOther {
		says += strings.Join(strings.Fields(s.get(p.header.Get("Location")).Find("main, body").Last().Text()), " ")
	}
	return says
}

// begun sends a message that may be refused.
func (s *sitting) begun(changes ...func(lti.Claims)) *sitting {
	s.t.Helper()
	s.start(changes...)
	return s
}

// shownTo is what the page of an exam that has started shows to who is signed in then.
func shownTo(account string) examProbe {
	return func(room *examRoom) string {
		s := room.candidate("ada").begun()
		s.signIn(account)
		shown, status := s.exam()
		return fmt.Sprint(shown.status, status)
	}
}

// sends is what comes of a message that a candidate's tool sends.
func sends(changes ...func(lti.Claims)) examProbe {
	return func(room *examRoom) string {
		s := room.candidate("ada")
		return s.outcome(s.start(changes...))
	}
}

// sessionData sends another one.
func sessionData(change func(string) any) examProbe {
	return sends(func(c lti.Claims) {
		if data, ok := c[lti.ClaimSessionData].(string); ok {
			c[lti.ClaimSessionData] = change(data)
		}
	})
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if upper := []rune(strings.ToUpper(string(r)))[0]; upper != r {
			return upper
		}
		return []rune(strings.ToLower(string(r)))[0]
	}, s)
}

func verified(user any) examProbe {
	return func(room *examRoom) string {
		s := room.candidate("ada")
		p := s.start(sets1(lti.ClaimVerifiedUser, user))
		exam, _ := s.exam()
		body, _ := exam.Find("main").Html()
		return s.outcome(p) + strings.NewReplacer(s.launch.URL(), "LAUNCH").Replace(body)
	}
}

// ended is what a tool is told of the end of an attempt.
func ended(by func(*sitting) page, changes ...func(lti.Claims)) examProbe {
	return func(room *examRoom) string {
		s := room.candidate("ada")
		started := s.start(changes...)
		if started.status != http.StatusSeeOther {
			return s.outcome(started)
		}
		return s.outcome(started) + s.endOf(by(s))
	}
}

func (s *sitting) endOf(p page) string {
	s.t.Helper()
	to := p.header.Get("Location")
	if to == "" || to == proctoring.Of(s.launch).ExamURL() {
		return fmt.Sprintln("not told", p.status)
	}
	claims, says := s.told(to, "nonce-of-end")
	return says + s.words(claims, to, "LAUNCH-OF-END")
}

func submitted(s *sitting) page {
	return s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/submit", url.Values{})
}

func terminated(s *sitting) page {
	s.room.control(s.room.accessToken(clientID), s.order(lti.Terminate))
	return s.get(proctoring.Of(s.launch).ExamURL())
}

// ordered is what comes of control requests for an attempt that runs.
func ordered(orders ...func(*sitting) reply) examProbe {
	return func(room *examRoom) string {
		s := room.candidate("ada")
		s.begun()
		var says strings.Builder
		for _, order := range orders {
			says.WriteString(s.controlled(order(s)))
		}
		return says.String()
	}
}

func (s *sitting) controlled(r reply) string {
	_, shown := s.exam()
	return fmt.Sprintln(r.status, r.header.Get("Content-Type"), r.header.Get("WWW-Authenticate"), strings.TrimSpace(r.body), shown)
}

func does(action lti.Action, changes ...func(map[string]any)) func(*sitting) reply {
	return func(s *sitting) reply {
		return s.room.control(s.room.accessToken(clientID), s.order(action, changes...))
	}
}

func member(name string, value any) func(map[string]any) {
	return func(body map[string]any) {
		if value == nil {
			delete(body, name)
			return
		}
		body[name] = value
	}
}

func inner(object, name string, value any) func(map[string]any) {
	return func(body map[string]any) { member(name, value)(body[object].(map[string]any)) }
}

// asked is a flag that is sent otherwise.
func asked(method, body, mediaType string) func(*sitting) reply {
	return func(s *sitting) reply {
		if body == "" {
			body = s.order(lti.Flag)
		}
		return s.room.call(method, platformURL+proctoring.ACSPath, strings.TrimPrefix(body, "-"), map[string]string{
			"Authorization": "Bearer " + s.room.accessToken(clientID), "Content-Type": mediaType,
		})
	}
}

func authorized(token func(*examRoom) string, inQuery bool) func(*sitting) reply {
	return func(s *sitting) reply {
		address, header := platformURL+proctoring.ACSPath, map[string]string{"Content-Type": lti.MediaTypeControl}
		if value := token(s.room); inQuery {
			address += "?access_token=" + value
		} else if value != "" {
			header["Authorization"] = "Bearer " + value
		}
		return s.room.call(http.MethodPost, address, s.order(lti.Flag), header)
	}
}

// granted is what comes of a token request.
func granted(claims func(lti.Claims), form ...func(url.Values)) examProbe {
	return func(room *examRoom) string {
		if claims == nil {
			claims = func(lti.Claims) {}
		}
		return grant(room.token(room.assertion(clientID, keyOf(room.t, toolKey), claims), form...))
	}
}

func grant(r reply) string {
	body := r.body
	var members map[string]any
	if json.Unmarshal([]byte(body), &members) == nil {
		if token, ok := members["access_token"].(string); ok {
			body = strings.ReplaceAll(body, token, fmt.Sprint("TOKEN-", len(token)))
		}
	}
	return fmt.Sprintln(r.status, r.header.Get("Content-Type"), r.header.Get("Cache-Control"), body)
}

func formSets(name string, values ...string) func(url.Values) {
	return func(form url.Values) {
		form.Del(name)
		if len(values) > 0 {
			form[name] = values
		}
	}
}

func forgedAssertion(how string) examProbe {
	return func(room *examRoom) string { return grant(room.token(forged(room.t, room.asserts(clientID), how))) }
}

func otherExam(plan *fakeplatform.Plan) {
	plan.ResourceLink = fakeplatform.ResourceLink{ID: "exam-8", Title: "Another exam"}
}

// atOnce is what comes of two requests that are made at the same time.
func atOnce(requests ...func() string) string {
	says := make([]string, len(requests))
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() { says[i] = request() })
	}
	all.Wait()
	slices.Sort(says) // either may have been the first
	return strings.Join(says, "")
}

// examProbes are what shows the defects of proctoring.
func examProbes() map[string]examProbe {
	const begins = "https://purl.imsglobal.org/spec/x/scope/unknown"
	all := map[string]examProbe{
		"an exam": func(room *examRoom) string {
			s := room.candidate("ada")
			again := room.begin(room.t, proctored(func(plan *fakeplatform.Plan) { plan.Account = "ada" }))
			_, says := s.told(again.URL(), "nonce")
			return says + s.words(s.claims)
		},
		"an exam without control": func(room *examRoom) string {
			s := room.candidate("ada", func(plan *fakeplatform.Plan) {
				inExam(plan, func(e *proctoring.Exam) { e.Actions = nil })
			})
			return s.words(s.claims)
		},
		"attempts": func(room *examRoom) string {
			number := func(s *sitting) string { return fmt.Sprintf("%#v ", s.claims[lti.ClaimAttemptNumber]) }
			says := number(room.candidate("ada")) + number(room.candidate("bob"))
			s := room.candidate("ada").begun()
			says += number(s)
			submitted(s)
			return says + number(room.candidate("ada")) + number(room.candidate("bob"))
		},
		"links": func(room *examRoom) string {
			first := room.candidate("ada").begun()
			submitted(first)
			second := room.candidate("ada")
			return fmt.Sprint(first.claims[lti.ClaimResourceLink], second.claims[lti.ClaimResourceLink])
		},
		"a session": func(room *examRoom) string {
			one, two, three := room.candidate("ada"), room.candidate("ada", otherExam), room.candidate("bob")
			data := func(s *sitting) any { return s.claims[lti.ClaimSessionData] }
			return fmt.Sprintln(len(fmt.Sprint(data(one))), data(one) == data(two), data(one) == data(three))
		},
		"return with an error": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.get(s.launch.ReturnURL() + "?lti_errormsg=no"))
		},

		"start": sends(), "start aud array": sends(sets1("aud", []any{platformURL})), "start unknown claim": sends(sets1("https://school.example/x", 1)),
		"start session case":             sessionData(func(s string) any { return swapCase(s) }),
		"start session truncated":        sessionData(func(s string) any { return s[:len(s)-3] }),
		"start session end":              sessionData(func(s string) any { return s[:len(s)-1] + "!" }),
		"start issue time with fraction": sends(sets1("iat", float64(noon.Unix())-0.5)), "start expiry with fraction": sends(sets1("exp", float64(noon.Unix())+60.5)),
		"start expiry as text": sends(sets1("exp", fmt.Sprint(noon.Add(time.Minute).Unix()))),
		"start session of another": func(room *examRoom) string {
			other, s := room.candidate("bob"), room.candidate("ada")
			outcome := s.outcome(s.start(sets1(lti.ClaimSessionData, other.claims[lti.ClaimSessionData])))
			return fmt.Sprintln(outcome, proctoring.Of(other.launch).Attempt().Status())
		},
		"start session of another exam": func(room *examRoom) string {
			other, s := room.candidate("ada", otherExam), room.candidate("ada")
			return s.outcome(s.start(sets1(lti.ClaimSessionData, other.claims[lti.ClaimSessionData])))
		},
		"start of another tool": func(room *examRoom) string {
			s := room.candidate("ada")
			jwt, err := lti.Sign(s.message(sets1("iss", otherClient)), keyOf(room.t, newToolKey))
			NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
			return s.outcome(s.post(jwt))
		},
		"start earlier attempt": func(room *examRoom) string {
			submitted(room.candidate("ada").begun())
			s := room.candidate("ada")
			return s.outcome(s.start(sets1(lti.ClaimAttemptNumber, 1)))
		},
		"signature of the launch": func(room *examRoom) string {
			set, err := lti.PublicSet(room.Keys()...)
			NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
			_, err = jws.Verify([]byte(room.candidate("ada").launch.Record().IDToken), jws.WithKeySet(set))
			return fmt.Sprint(err == nil)
		},
		"start by GET": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.send(http.MethodGet, proctoring.Of(s.launch).StartAssessmentURL(), url.Values{"JWT": {s.sign(s.message())}}))
		},
		"start as id_token": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.send(http.MethodPost, proctoring.Of(s.launch).StartAssessmentURL(), url.Values{"id_token": {s.sign(s.message())}}))
		},
		"start with own id_token": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.post(s.launch.Record().IDToken))
		},
		"start no JWT": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.post("abc"))
		},
		"start by another user": func(room *examRoom) string {
			s := room.candidate("ada")
			s.signIn("bob")
			return s.outcome(s.start())
		},
		"start by nobody": func(room *examRoom) string {
			s := room.candidate("ada")
			s.signIn("")
			return s.outcome(s.start())
		},
		"exam shown to another user": shownTo("bob"), "exam shown to nobody": shownTo(""),
		"start twice": func(room *examRoom) string {
			s := room.candidate("ada")
			jwt := s.sign(s.message())
			return s.outcome(s.post(jwt)) + s.outcome(s.post(jwt))
		},
		"start twice at once": func(room *examRoom) string {
			s := room.candidate("ada")
			jwt := s.sign(s.message())
			return atOnce(func() string { return fmt.Sprintln(s.post(jwt).status) }, func() string { return fmt.Sprintln(s.post(jwt).status) })
		},
		"start with two messages at once": func(room *examRoom) string {
			s := room.candidate("ada")
			one, two := s.sign(s.message()), s.sign(s.message(sets1("nonce", "another")))
			says := atOnce(func() string { return fmt.Sprintln(s.post(one).status) }, func() string { return fmt.Sprintln(s.post(two).status) })
			submitted(s)
			says += fmt.Sprintln(proctoring.Of(s.launch).Attempt().Status())
			submitted(s)
			return says + fmt.Sprintln(room.candidate("ada").claims[lti.ClaimAttemptNumber])
		},
		"start while it runs": func(room *examRoom) string {
			s := room.candidate("ada").begun()
			return s.outcome(s.start())
		},
		"start with a nonce that was used": func(room *examRoom) string {
			room.candidate("ada", otherExam).begun(sets1("nonce", "used"))
			s := room.candidate("ada")
			return s.outcome(s.start(sets1("nonce", "used")))
		},
		"start after the end": func(room *examRoom) string {
			s := room.candidate("ada").begun()
			submitted(s)
			return s.outcome(s.start())
		},
		"start after termination": func(room *examRoom) string {
			s := room.candidate("ada").begun()
			terminated(s)
			return s.outcome(s.start())
		},
		"start after 15 minutes": func(room *examRoom) string {
			s := room.candidate("ada")
			room.pass(15 * time.Minute)
			return s.outcome(s.start())
		},
		"start after a refusal": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.start(sets1(lti.ClaimSessionData, "x"))) + s.outcome(s.start())
		},
		"verified user": verified(map[string]any{"name": "Ada", "family_name": "Lovelace"}), "verified user empty": verified(map[string]any{}),
		"verified user long":         verified(map[string]any{"name": strings.Repeat("Ada ", 5000)}),
		"verified user with a tag":   verified(map[string]any{"name": "<b>Ada</b>"}),
		"verified user with sub":     verified(map[string]any{"sub": "sub-of-somebody"}),
		"verified user with picture": verified(map[string]any{"name": "Ada", "picture": "https://school.example/ada.png"}),

		"end": ended(submitted, wantsEnd), "end unasked": ended(submitted), "end declined": ended(submitted, sets1(lti.ClaimEndAssessmentReturn, false)),
		"end declined as text": ended(submitted, sets1(lti.ClaimEndAssessmentReturn, "false")), "end asked with 0": ended(submitted, sets1(lti.ClaimEndAssessmentReturn, 0)),
		"end by termination": ended(terminated, wantsEnd),
		"return at the end": func(room *examRoom) string {
			s := room.candidate("ada")
			s.start(wantsEnd)
			to := submitted(s).header.Get("Location")
			if to == "" || to == proctoring.Of(s.launch).ExamURL() {
				return "not told"
			}
			end, _ := s.told(to, "nonce-of-end")
			exit, _ := end[lti.ClaimLaunchPresentation].(map[string]any)["return_url"].(string)
			return s.outcome(s.get(exit))
		},
		"end by an error": ended(func(s *sitting) page {
			return s.send(http.MethodPost, proctoring.Of(s.launch).ExamURL()+"/break", url.Values{})
		}, wantsEnd),
		"end of the second attempt": func(room *examRoom) string {
			s := room.candidate("ada").begun(wantsEnd)
			says := s.endOf(submitted(s))
			s = room.candidate("ada").begun(wantsEnd)
			return says + s.endOf(submitted(s))
		},
		"end of the second attempt unasked": func(room *examRoom) string {
			submitted(room.candidate("ada").begun(wantsEnd))
			s := room.candidate("ada").begun()
			return s.endOf(submitted(s))
		},

		"control": ordered(does(lti.Flag), does(lti.Pause), does(lti.Pause), does(lti.Resume), does(lti.Resume), does(lti.Update), does(lti.Terminate), does(lti.Terminate), does(lti.Resume)),
		"control before the start": func(room *examRoom) string {
			s := room.candidate("ada")
			return s.controlled(does(lti.Flag)(s))
		},
		"control after the end": ordered(func(s *sitting) reply { submitted(s); return does(lti.Flag)(s) }),
		"control of what is not offered": func(room *examRoom) string {
			s := room.candidate("ada", func(plan *fakeplatform.Plan) {
				inExam(plan, func(e *proctoring.Exam) { e.Actions = []lti.Action{lti.Pause} })
			}).begun()
			return s.controlled(does(lti.Terminate)(s))
		},
		"control by another tool": ordered(func(s *sitting) reply { return s.room.control(s.room.accessToken(otherClient), s.order(lti.Terminate)) }),
		"control of an attempt without a number": func(room *examRoom) string {
			s := room.candidate("ada").begun()
			return s.controlled(does(lti.Flag, member("attempt_number", 0))(s))
		},
		"control by PUT": ordered(asked(http.MethodPut, "", lti.MediaTypeControl)), "control by GET": ordered(asked(http.MethodGet, "-", lti.MediaTypeControl)),
		"control without a token":           ordered(authorized(func(*examRoom) string { return "" }, false)),
		"control with a made-up token":      ordered(authorized(func(*examRoom) string { return "made-up" }, false)),
		"control with a token in the query": ordered(authorized(func(room *examRoom) string { return room.accessToken(clientID) }, true)),
		"control with a token of another scope": ordered(authorized(func(room *examRoom) string {
			return room.token(room.assertion(clientID, keyOf(room.t, toolKey)), formSets("scope", lti.ScopeScore)).json()["access_token"].(string)
		}, false)),
		"control with bearer in lower case": ordered(func(s *sitting) reply {
			return s.room.call(http.MethodPost, platformURL+proctoring.ACSPath, s.order(lti.Flag), map[string]string{
				"Content-Type": lti.MediaTypeControl, "Authorization": "bearer " + s.room.accessToken(clientID),
			})
		}),
		"control with an expired token": func(room *examRoom) string {
			token := room.accessToken(clientID)
			room.pass(time.Hour)
			s := room.candidate("ada").begun()
			return s.controlled(room.control(token, s.order(lti.Flag)))
		},

		"a token": granted(nil), "a token for two scopes": granted(nil, formSets("scope", lti.ScopeScore+" "+lti.ScopeControl)),
		"a token for an unknown scope, too": granted(nil, formSets("scope", lti.ScopeControl+" "+begins)),
		"a token for an unknown scope":      granted(nil, formSets("scope", begins)), "a token without scope": granted(nil, formSets("scope")),
		"a token aud other": granted(sets1("aud", "https://other.example")), "a token aud missing": granted(sets1("aud", nil)), "a token aud client": granted(sets1("aud", clientID)),
		"a token aud array": granted(func(c lti.Claims) { c["aud"] = []any{c["aud"], "https://other.example"} }),
		"a token iss other": granted(sets1("iss", platformURL)), "a token sub missing": granted(sets1("sub", nil)), "a token sub other": granted(sets1("sub", otherClient)),
		"a token unknown claim": granted(sets1("vendor_note", "x")),
		"a token deployment":    granted(sets1(lti.ClaimDeploymentID, "deployment-1")),
		"a token iat fraction":  granted(sets1("iat", float64(noon.Unix())-0.5)), "a token exp fraction": granted(sets1("exp", float64(noon.Unix())+60.5)),
		"a token nbf fraction": granted(sets1("nbf", float64(noon.Unix())-0.5)),
		"a token exp past":     granted(sets1("exp", noon.Add(-10*time.Minute).Unix())), "a token exp missing": granted(sets1("exp", nil)), "a token jti missing": granted(sets1("jti", nil)),
		"a token twice": func(room *examRoom) string {
			assertion := room.assertion(clientID, keyOf(room.t, toolKey))
			return grant(room.token(assertion)) + grant(room.token(assertion))
		},
		"a token twice at once": func(room *examRoom) string {
			assertion := room.assertion(clientID, keyOf(room.t, toolKey))
			asked := func() string { return grant(room.token(assertion)) }
			return atOnce(asked, asked)
		},
		"a token key of another tool": func(room *examRoom) string {
			return grant(room.token(room.assertion(clientID, keyOf(room.t, newToolKey))))
		},
		"a token new key": func(room *examRoom) string {
			says := grant(room.token(room.assertion(clientID, keyOf(room.t, toolKey))))
			fresh := keyOf(room.t, func() (jwk.Key, error) { return newestToolKey() })
			room.keys.publish(keyOf(room.t, toolKey), fresh)
			return says + grant(room.token(room.assertion(clientID, fresh)))
		},
		"a token grant_type password": granted(nil, formSets("grant_type", "password")), "a token grant_type missing": granted(nil, formSets("grant_type")),
		"a token assertion type": granted(nil, formSets("client_assertion_type", "x")), "a token assertion malformed": granted(nil, formSets("client_assertion", "abc")),
		"a token by a form with a charset": func(room *examRoom) string {
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "scope": {lti.ScopeControl},
				"client_assertion": {room.assertion(clientID, keyOf(room.t, toolKey))},
			}
			return grant(room.call(http.MethodPost, room.TokenURL(), form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}))
		},
		"a token by GET": func(room *examRoom) string {
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "scope": {lti.ScopeControl},
				"client_assertion": {room.assertion(clientID, keyOf(room.t, toolKey))},
			}
			return grant(room.call(http.MethodGet, room.TokenURL()+"?"+form.Encode(), "", nil))
		},
	}
	for name, bad := range badMessages {
		all["start "+name] = sends(bad.changes...)
	}
	for _, how := range forgeries {
		all["start "+how] = func(room *examRoom) string {
			s := room.candidate("ada")
			return s.outcome(s.post(forged(room.t, s.message(), how)))
		}
	}
	for _, how := range []string{"alg none", "HS256 with the public key", "claim changed"} {
		all["a token "+how] = forgedAssertion(how)
	}
	for name, change := range map[string]func(map[string]any){
		"user missing": member("user", nil), "user.iss missing": inner("user", "iss", nil), "user.iss other": inner("user", "iss", "https://other.example"),
		"user.sub unknown": inner("user", "sub", "nobody"), "resource_link missing": member("resource_link", nil), "resource_link unknown": inner("resource_link", "id", "exam-9"),
		"attempt_number missing": member("attempt_number", nil), "attempt_number 99": member("attempt_number", 99), "attempt_number text": member("attempt_number", "1"),
		"action missing": member("action", nil), "action unknown": member("action", "teleport"), "action upper case": member("action", "FLAG"), "action empty": member("action", ""),
		"incident_time fraction": member("incident_time", "2026-03-01T12:00:00.125Z"), "incident_time offset": member("incident_time", "2026-03-01T12:00:00+01:00"),
		"incident_time missing": member("incident_time", nil), "incident_time word": member("incident_time", "yesterday"), "incident_time number": member("incident_time", 1700000000),
		"action array": member("action", []any{"flag"}), "attempt_number fraction": member("attempt_number", 1.5), "reason number": member("reason_code", 1),
		"severity 1": member("incident_severity", 1.0), "severity 2": member("incident_severity", 2), "reason long": member("reason_msg", strings.Repeat("x", 2000)),
	} {
		all["control "+name] = ordered(does(lti.Flag, change))
	}
	for name, value := range map[string]any{"missing": nil, "0": 0, "negative": -5} {
		all["control extra_time "+name] = ordered(does(lti.Update, member("extra_time", value)))
	}
	all["control update with a reason"] = ordered(does(lti.Update, func(order map[string]any) { order["extra_time"], order["reason_msg"] = 5, "A phone rang." }))
	for _, body := range []string{"[]", "{}", "no JSON"} {
		all["control body "+body] = ordered(asked(http.MethodPost, body, lti.MediaTypeControl))
	}
	for _, mediaType := range []string{lti.MediaTypeControl + "; charset=UTF-8", strings.ToUpper(lti.MediaTypeControl), "application/json", "text/plain"} {
		all["control as "+mediaType] = ordered(asked(http.MethodPost, "", mediaType))
	}
	return all
}

// TestEveryDefectOfExamsShows holds each defect of proctoring against the platform
// without it, in the probes in which that says that the defect would make a
// difference.
func TestEveryDefectOfExamsShows(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := func(t *testing.T, faults ...string) *examRoom {
		return newExamRoom(t, withSessions, func(o *fakeplatform.Options) { o.Faults = faults })
	}
	probes := examProbes()
	valid, consulted := map[string]string{}, map[string][]string{}
	for name, probe := range probes {
		r := room(t)
		valid[name] = probe(r)
		consulted[name] = r.Consulted()
		g.Expect(probe(room(t))).To(Equal(valid[name]), name)
	}
	for _, f := range fakeplatform.Defects() {
		if f.Part != proctoring.Profile && f.Part != fakeplatform.AccessTokens {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			var shown []string
			asked := 0
			want, exactly := examShows[f.Name]
			for _, name := range slices.Sorted(maps.Keys(probes)) {
				if slices.Contains(consulted[name], f.Name) {
					asked++
					if probes[name](room(t, f.Name)) != valid[name] {
						shown = append(shown, name)
						if !exactly {
							break // that it shows is enough
						}
					}
				}
			}
			NewWithT(t).Expect(shown).NotTo(BeEmpty(), "in none of %d probes", asked)
			if exactly {
				NewWithT(t).Expect(shown).To(ConsistOf(want))
			}
		})
	}
}
