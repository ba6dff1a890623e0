package proctoring_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

// An examProbe is something that is asked of a platform about exams.
type examProbe func(*platformtest.ExamRoom) string

// shownTo is what the page of an exam that has started shows to who is signed in then.
func shownTo(account string) examProbe {
	return func(room *platformtest.ExamRoom) string {
		s := room.Candidate("ada").Begun()
		s.SignIn(account)
		shown, status := s.Exam()
		return fmt.Sprint(shown.Status, status)
	}
}

// sends is what comes of a message that a candidate's tool sends.
func sends(changes ...func(lti.Claims)) examProbe {
	return func(room *platformtest.ExamRoom) string {
		s := room.Candidate("ada")
		return s.Outcome(s.Start(changes...))
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
	return func(room *platformtest.ExamRoom) string {
		s := room.Candidate("ada")
		p := s.Start(platformtest.SetsClaim(lti.ClaimVerifiedUser, user))
		exam, _ := s.Exam()
		body, _ := exam.Find("main").Html()
		return s.Outcome(p) + strings.NewReplacer(s.Launch.URL(), "LAUNCH").Replace(body)
	}
}

// ended is what a tool is told of the end of an attempt.
func ended(by func(*platformtest.Attempt) platformtest.Page, changes ...func(lti.Claims)) examProbe {
	return func(room *platformtest.ExamRoom) string {
		s := room.Candidate("ada")
		started := s.Start(changes...)
		if started.Status != http.StatusSeeOther {
			return s.Outcome(started)
		}
		return s.Outcome(started) + s.EndOf(by(s))
	}
}

func submitted(s *platformtest.Attempt) platformtest.Page {
	return s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/submit", url.Values{})
}

func terminated(s *platformtest.Attempt) platformtest.Page {
	s.Room.Control(s.Room.AccessToken(platformtest.ClientID), s.Order(lti.Terminate))
	return s.Get(proctoring.Of(s.Launch).ExamURL())
}

// ordered is what comes of control requests for an attempt that runs.
func ordered(orders ...func(*platformtest.Attempt) platformtest.Reply) examProbe {
	return func(room *platformtest.ExamRoom) string {
		s := room.Candidate("ada")
		s.Begun()
		var says strings.Builder
		for _, order := range orders {
			says.WriteString(s.Controlled(order(s)))
		}
		return says.String()
	}
}

func does(action lti.Action, changes ...func(map[string]any)) func(*platformtest.Attempt) platformtest.Reply {
	return func(s *platformtest.Attempt) platformtest.Reply {
		return s.Room.Control(s.Room.AccessToken(platformtest.ClientID), s.Order(action, changes...))
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
func asked(method, body, mediaType string) func(*platformtest.Attempt) platformtest.Reply {
	return func(s *platformtest.Attempt) platformtest.Reply {
		if body == "" {
			body = s.Order(lti.Flag)
		}
		return s.Room.Call(method, platformtest.PlatformURL+proctoring.ACSPath, strings.TrimPrefix(body, "-"), map[string]string{
			"Authorization": "Bearer " + s.Room.AccessToken(platformtest.ClientID), "Content-Type": mediaType,
		})
	}
}

func authorized(token func(*platformtest.ExamRoom) string, inQuery bool) func(*platformtest.Attempt) platformtest.Reply {
	return func(s *platformtest.Attempt) platformtest.Reply {
		address, header := platformtest.PlatformURL+proctoring.ACSPath, map[string]string{"Content-Type": lti.MediaTypeControl}
		if value := token(s.Room); inQuery {
			address += "?access_token=" + value
		} else if value != "" {
			header["Authorization"] = "Bearer " + value
		}
		return s.Room.Call(http.MethodPost, address, s.Order(lti.Flag), header)
	}
}

// granted is what comes of a token request.
func granted(claims func(lti.Claims), form ...func(url.Values)) examProbe {
	return func(room *platformtest.ExamRoom) string {
		if claims == nil {
			claims = func(lti.Claims) {}
		}
		return grant(room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey), claims), form...))
	}
}

func grant(r platformtest.Reply) string {
	body := r.Body
	var members map[string]any
	if json.Unmarshal([]byte(body), &members) == nil {
		if token, ok := members["access_token"].(string); ok {
			body = strings.ReplaceAll(body, token, fmt.Sprint("TOKEN-", len(token)))
		}
	}
	return fmt.Sprintln(r.Status, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), body)
}

func forgedAssertion(how string) examProbe {
	return func(room *platformtest.ExamRoom) string {
		return grant(room.Token(platformtest.Forged(room.T, room.Asserts(platformtest.ClientID), how)))
	}
}

func otherExam(plan *fakeplatform.Plan) {
	plan.ResourceLink = fakeplatform.ResourceLink{ID: "exam-8", Title: "Another exam"}
}

// examProbes are what shows the defects of proctoring.
func examProbes() map[string]examProbe {
	const begins = "https://purl.imsglobal.org/spec/x/scope/unknown"
	all := map[string]examProbe{
		"an exam": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			again := room.Begins(room.T, platformtest.Proctored(func(plan *fakeplatform.Plan) { plan.Account = "ada" }))
			_, says := s.Told(again.URL(), "nonce")
			return says + s.Words(s.Claims)
		},
		"an exam without control": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada", func(plan *fakeplatform.Plan) {
				platformtest.InExam(plan, func(e *proctoring.Exam) { e.Actions = nil })
			})
			return s.Words(s.Claims)
		},
		"attempts": func(room *platformtest.ExamRoom) string {
			number := func(s *platformtest.Attempt) string { return fmt.Sprintf("%#v ", s.Claims[lti.ClaimAttemptNumber]) }
			says := number(room.Candidate("ada")) + number(room.Candidate("bob"))
			s := room.Candidate("ada").Begun()
			says += number(s)
			submitted(s)
			return says + number(room.Candidate("ada")) + number(room.Candidate("bob"))
		},
		"links": func(room *platformtest.ExamRoom) string {
			first := room.Candidate("ada").Begun()
			submitted(first)
			second := room.Candidate("ada")
			return fmt.Sprint(first.Claims[lti.ClaimResourceLink], second.Claims[lti.ClaimResourceLink])
		},
		"a session": func(room *platformtest.ExamRoom) string {
			one, two, three := room.Candidate("ada"), room.Candidate("ada", otherExam), room.Candidate("bob")
			data := func(s *platformtest.Attempt) any { return s.Claims[lti.ClaimSessionData] }
			return fmt.Sprintln(len(fmt.Sprint(data(one))), data(one) == data(two), data(one) == data(three))
		},
		"return with an error": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Get(s.Launch.ReturnURL() + "?lti_errormsg=no"))
		},

		"start": sends(), "start aud array": sends(platformtest.SetsClaim("aud", []any{platformtest.PlatformURL})), "start unknown claim": sends(platformtest.SetsClaim("https://school.example/x", 1)),
		"start session case":             sessionData(func(s string) any { return swapCase(s) }),
		"start session truncated":        sessionData(func(s string) any { return s[:len(s)-3] }),
		"start session end":              sessionData(func(s string) any { return s[:len(s)-1] + "!" }),
		"start issue time with fraction": sends(platformtest.SetsClaim("iat", float64(platformtest.Noon.Unix())-0.5)), "start expiry with fraction": sends(platformtest.SetsClaim("exp", float64(platformtest.Noon.Unix())+60.5)),
		"start expiry as text": sends(platformtest.SetsClaim("exp", fmt.Sprint(platformtest.Noon.Add(time.Minute).Unix()))),
		"start session of another": func(room *platformtest.ExamRoom) string {
			other, s := room.Candidate("bob"), room.Candidate("ada")
			outcome := s.Outcome(s.Start(platformtest.SetsClaim(lti.ClaimSessionData, other.Claims[lti.ClaimSessionData])))
			return fmt.Sprintln(outcome, proctoring.Of(other.Launch).Attempt().Status())
		},
		"start session of another exam": func(room *platformtest.ExamRoom) string {
			other, s := room.Candidate("ada", otherExam), room.Candidate("ada")
			return s.Outcome(s.Start(platformtest.SetsClaim(lti.ClaimSessionData, other.Claims[lti.ClaimSessionData])))
		},
		"start of another tool": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			jwt, err := lti.Sign(s.Message(platformtest.SetsClaim("iss", platformtest.OtherClient)), platformtest.KeyOf(room.T, platformtest.NewToolKey))
			NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
			return s.Outcome(s.Post(jwt))
		},
		"start earlier attempt": func(room *platformtest.ExamRoom) string {
			submitted(room.Candidate("ada").Begun())
			s := room.Candidate("ada")
			return s.Outcome(s.Start(platformtest.SetsClaim(lti.ClaimAttemptNumber, 1)))
		},
		"signature of the launch": func(room *platformtest.ExamRoom) string {
			set, err := lti.PublicSet(room.Keys()...)
			NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
			_, err = jws.Verify([]byte(room.Candidate("ada").Launch.Record().IDToken), jws.WithKeySet(set))
			return fmt.Sprint(err == nil)
		},
		"start by GET": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Send(http.MethodGet, proctoring.Of(s.Launch).StartAssessmentURL(), url.Values{"JWT": {s.Sign(s.Message())}}))
		},
		"start as id_token": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Send(http.MethodPost, proctoring.Of(s.Launch).StartAssessmentURL(), url.Values{"id_token": {s.Sign(s.Message())}}))
		},
		"start with own id_token": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Post(s.Launch.Record().IDToken))
		},
		"start no JWT": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Post("abc"))
		},
		"start by another user": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			s.SignIn("bob")
			return s.Outcome(s.Start())
		},
		"start by nobody": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			s.SignIn("")
			return s.Outcome(s.Start())
		},
		"exam shown to another user": shownTo("bob"), "exam shown to nobody": shownTo(""),
		"start twice": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			jwt := s.Sign(s.Message())
			return s.Outcome(s.Post(jwt)) + s.Outcome(s.Post(jwt))
		},
		"start twice at once": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			jwt := s.Sign(s.Message())
			return platformtest.AtOnce(func() string { return fmt.Sprintln(s.Post(jwt).Status) }, func() string { return fmt.Sprintln(s.Post(jwt).Status) })
		},
		"start with two messages at once": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			one, two := s.Sign(s.Message()), s.Sign(s.Message(platformtest.SetsClaim("nonce", "another")))
			says := platformtest.AtOnce(func() string { return fmt.Sprintln(s.Post(one).Status) }, func() string { return fmt.Sprintln(s.Post(two).Status) })
			submitted(s)
			says += fmt.Sprintln(proctoring.Of(s.Launch).Attempt().Status())
			submitted(s)
			return says + fmt.Sprintln(room.Candidate("ada").Claims[lti.ClaimAttemptNumber])
		},
		"start while it runs": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada").Begun()
			return s.Outcome(s.Start())
		},
		"start with a nonce that was used": func(room *platformtest.ExamRoom) string {
			room.Candidate("ada", otherExam).Begun(platformtest.SetsClaim("nonce", "used"))
			s := room.Candidate("ada")
			return s.Outcome(s.Start(platformtest.SetsClaim("nonce", "used")))
		},
		"start after the end": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada").Begun()
			submitted(s)
			return s.Outcome(s.Start())
		},
		"start after termination": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada").Begun()
			terminated(s)
			return s.Outcome(s.Start())
		},
		"start after 15 minutes": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			room.Pass(15 * time.Minute)
			return s.Outcome(s.Start())
		},
		"start after a refusal": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Start(platformtest.SetsClaim(lti.ClaimSessionData, "x"))) + s.Outcome(s.Start())
		},
		"verified user": verified(map[string]any{"name": "Ada", "family_name": "Lovelace"}), "verified user empty": verified(map[string]any{}),
		"verified user long":         verified(map[string]any{"name": strings.Repeat("Ada ", 5000)}),
		"verified user with a tag":   verified(map[string]any{"name": "<b>Ada</b>"}),
		"verified user with sub":     verified(map[string]any{"sub": "sub-of-somebody"}),
		"verified user with picture": verified(map[string]any{"name": "Ada", "picture": "https://school.example/ada.png"}),

		"end": ended(submitted, wantsEnd), "end unasked": ended(submitted), "end declined": ended(submitted, platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, false)),
		"end declined as text": ended(submitted, platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, "false")), "end asked with 0": ended(submitted, platformtest.SetsClaim(lti.ClaimEndAssessmentReturn, 0)),
		"end by termination": ended(terminated, wantsEnd),
		"return at the end": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			s.Start(wantsEnd)
			to := submitted(s).Header.Get("Location")
			if to == "" || to == proctoring.Of(s.Launch).ExamURL() {
				return "not told"
			}
			end, _ := s.Told(to, "nonce-of-end")
			exit, _ := end[lti.ClaimLaunchPresentation].(map[string]any)["return_url"].(string)
			return s.Outcome(s.Get(exit))
		},
		"end by an error": ended(func(s *platformtest.Attempt) platformtest.Page {
			return s.Send(http.MethodPost, proctoring.Of(s.Launch).ExamURL()+"/break", url.Values{})
		}, wantsEnd),
		"end of the second attempt": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada").Begun(wantsEnd)
			says := s.EndOf(submitted(s))
			s = room.Candidate("ada").Begun(wantsEnd)
			return says + s.EndOf(submitted(s))
		},
		"end of the second attempt unasked": func(room *platformtest.ExamRoom) string {
			submitted(room.Candidate("ada").Begun(wantsEnd))
			s := room.Candidate("ada").Begun()
			return s.EndOf(submitted(s))
		},

		"control": ordered(does(lti.Flag), does(lti.Pause), does(lti.Pause), does(lti.Resume), does(lti.Resume), does(lti.Update), does(lti.Terminate), does(lti.Terminate), does(lti.Resume)),
		"control before the start": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Controlled(does(lti.Flag)(s))
		},
		"control after the end": ordered(func(s *platformtest.Attempt) platformtest.Reply { submitted(s); return does(lti.Flag)(s) }),
		"control of what is not offered": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada", func(plan *fakeplatform.Plan) {
				platformtest.InExam(plan, func(e *proctoring.Exam) { e.Actions = []lti.Action{lti.Pause} })
			}).Begun()
			return s.Controlled(does(lti.Terminate)(s))
		},
		"control by another tool": ordered(func(s *platformtest.Attempt) platformtest.Reply {
			return s.Room.Control(s.Room.AccessToken(platformtest.OtherClient), s.Order(lti.Terminate))
		}),
		"control of an attempt without a number": func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada").Begun()
			return s.Controlled(does(lti.Flag, member("attempt_number", 0))(s))
		},
		"control by PUT": ordered(asked(http.MethodPut, "", lti.MediaTypeControl)), "control by GET": ordered(asked(http.MethodGet, "-", lti.MediaTypeControl)),
		"control without a token":           ordered(authorized(func(*platformtest.ExamRoom) string { return "" }, false)),
		"control with a made-up token":      ordered(authorized(func(*platformtest.ExamRoom) string { return "made-up" }, false)),
		"control with a token in the query": ordered(authorized(func(room *platformtest.ExamRoom) string { return room.AccessToken(platformtest.ClientID) }, true)),
		"control with a token of another scope": ordered(authorized(func(room *platformtest.ExamRoom) string {
			return room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey)), platformtest.SetsParam("scope", lti.ScopeScore)).JSON()["access_token"].(string)
		}, false)),
		"control with bearer in lower case": ordered(func(s *platformtest.Attempt) platformtest.Reply {
			return s.Room.Call(http.MethodPost, platformtest.PlatformURL+proctoring.ACSPath, s.Order(lti.Flag), map[string]string{
				"Content-Type": lti.MediaTypeControl, "Authorization": "bearer " + s.Room.AccessToken(platformtest.ClientID),
			})
		}),
		"control with an expired token": func(room *platformtest.ExamRoom) string {
			token := room.AccessToken(platformtest.ClientID)
			room.Pass(time.Hour)
			s := room.Candidate("ada").Begun()
			return s.Controlled(room.Control(token, s.Order(lti.Flag)))
		},

		"a token": granted(nil), "a token for two scopes": granted(nil, platformtest.SetsParam("scope", lti.ScopeScore+" "+lti.ScopeControl)),
		"a token for an unknown scope, too": granted(nil, platformtest.SetsParam("scope", lti.ScopeControl+" "+begins)),
		"a token for an unknown scope":      granted(nil, platformtest.SetsParam("scope", begins)), "a token without scope": granted(nil, platformtest.SetsParam("scope")),
		"a token aud other": granted(platformtest.SetsClaim("aud", "https://other.example")), "a token aud missing": granted(platformtest.SetsClaim("aud", nil)), "a token aud client": granted(platformtest.SetsClaim("aud", platformtest.ClientID)),
		"a token aud array": granted(func(c lti.Claims) { c["aud"] = []any{c["aud"], "https://other.example"} }),
		"a token iss other": granted(platformtest.SetsClaim("iss", platformtest.PlatformURL)), "a token sub missing": granted(platformtest.SetsClaim("sub", nil)), "a token sub other": granted(platformtest.SetsClaim("sub", platformtest.OtherClient)),
		"a token unknown claim": granted(platformtest.SetsClaim("vendor_note", "x")),
		"a token deployment":    granted(platformtest.SetsClaim(lti.ClaimDeploymentID, "deployment-1")),
		"a token iat fraction":  granted(platformtest.SetsClaim("iat", float64(platformtest.Noon.Unix())-0.5)), "a token exp fraction": granted(platformtest.SetsClaim("exp", float64(platformtest.Noon.Unix())+60.5)),
		"a token nbf fraction": granted(platformtest.SetsClaim("nbf", float64(platformtest.Noon.Unix())-0.5)),
		"a token exp past":     granted(platformtest.SetsClaim("exp", platformtest.Noon.Add(-10*time.Minute).Unix())), "a token exp missing": granted(platformtest.SetsClaim("exp", nil)), "a token jti missing": granted(platformtest.SetsClaim("jti", nil)),
		"a token twice": func(room *platformtest.ExamRoom) string {
			assertion := room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey))
			return grant(room.Token(assertion)) + grant(room.Token(assertion))
		},
		"a token twice at once": func(room *platformtest.ExamRoom) string {
			assertion := room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey))
			asked := func() string { return grant(room.Token(assertion)) }
			return platformtest.AtOnce(asked, asked)
		},
		"a token key of another tool": func(room *platformtest.ExamRoom) string {
			return grant(room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.NewToolKey))))
		},
		"a token new key": func(room *platformtest.ExamRoom) string {
			says := grant(room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey))))
			fresh := platformtest.KeyOf(room.T, func() (jwk.Key, error) { return platformtest.NewestToolKey() })
			room.ToolKeys.Publish(platformtest.KeyOf(room.T, platformtest.ToolKey), fresh)
			return says + grant(room.Token(room.Assertion(platformtest.ClientID, fresh)))
		},
		"a token grant_type password": granted(nil, platformtest.SetsParam("grant_type", "password")), "a token grant_type missing": granted(nil, platformtest.SetsParam("grant_type")),
		"a token assertion type": granted(nil, platformtest.SetsParam("client_assertion_type", "x")), "a token assertion malformed": granted(nil, platformtest.SetsParam("client_assertion", "abc")),
		"a token by a form with a charset": func(room *platformtest.ExamRoom) string {
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "scope": {lti.ScopeControl},
				"client_assertion": {room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey))},
			}
			return grant(room.Call(http.MethodPost, room.TokenURL(), form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}))
		},
		"a token by GET": func(room *platformtest.ExamRoom) string {
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "scope": {lti.ScopeControl},
				"client_assertion": {room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey))},
			}
			return grant(room.Call(http.MethodGet, room.TokenURL()+"?"+form.Encode(), "", nil))
		},
	}
	for name, bad := range badMessages {
		all["start "+name] = sends(bad.changes...)
	}
	for _, how := range platformtest.Forgeries {
		all["start "+how] = func(room *platformtest.ExamRoom) string {
			s := room.Candidate("ada")
			return s.Outcome(s.Post(platformtest.Forged(room.T, s.Message(), how)))
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
	room := func(t *testing.T, faults ...string) *platformtest.ExamRoom {
		return platformtest.NewExamRoom(t, platformtest.WithSessions, func(o *fakeplatform.Options) { o.Faults = faults })
	}
	probes := examProbes()
	valid, consulted := map[string]string{}, map[string][]string{}
	for name, probe := range probes {
		r := room(t)
		valid[name] = probe(r)
		consulted[name] = r.FaultsReached()
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
