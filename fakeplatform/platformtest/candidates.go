package platformtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

// Candidate launches somebody who is signed in into an exam.
func (room *ExamRoom) Candidate(account string, changes ...func(*fakeplatform.Plan)) *Attempt {
	room.T.Helper()
	b := room.Browser(room.T)
	b.SignIn(account)
	return room.candidateIn(b, account, changes...)
}

func (room *ExamRoom) candidateIn(b Browser, account string, changes ...func(*fakeplatform.Plan)) *Attempt {
	room.T.Helper()
	l := room.Begins(room.T, Proctored(append([]func(*fakeplatform.Plan){func(plan *fakeplatform.Plan) {
		plan.User, plan.Account, plan.ReturnTo = Accounts[account], account, PlatformURL+"/course"
		InExam(plan, func(e *proctoring.Exam) { e.Settings = "strict" })
	}}, changes...)...))
	claims, _ := b.Told(l.URL(), "nonce-of-start")
	return &Attempt{room, b, l, claims}
}

// Told follows a launch as far as its message, and says what belongs to it.
func (b Browser) Told(address, nonce string) (claims map[string]any, says string) {
	b.t.Helper()
	began := b.Get(address)
	if began.Header.Get("Location") == "" { // a launch of LTI 1.1
		_, fields := began.Form()
		return nil, fmt.Sprintln("no login", fields["lti_message_type"])
	}
	u, err := url.Parse(began.Header.Get("Location"))
	NewWithT(b.t).Expect(err).NotTo(HaveOccurred())
	request := AuthRequest(u.Query())
	request.Set("nonce", nonce)
	if request.Get("client_id") == OtherClient {
		request.Set("redirect_uri", "https://b.example/launch")
	}
	p := b.Authenticate(request)
	var how string
	var fields url.Values
	if p.Header.Get("Location") != "" {
		how, fields = p.Answer()
	} else {
		_, fields = p.Form()
	}
	_, claims = ClaimsOf(b.t, fields)
	return claims, fmt.Sprintln(how, u.Query()["lti_deployment_id"], u.Query()["target_link_uri"], fields["state"])
}

// Words are what a message says, without what is made anew for each launch.
func (s *Attempt) Words(claims map[string]any, names ...string) string {
	s.t.Helper()
	said := maps.Clone(claims)
	if data, ok := said[lti.ClaimSessionData].(string); ok {
		said[lti.ClaimSessionData] = len(data)
	}
	text, err := json.Marshal(said)
	NewWithT(s.t).Expect(err).NotTo(HaveOccurred())
	return strings.NewReplacer(append([]string{s.Launch.URL(), "LAUNCH"}, names...)...).Replace(string(text))
}

// Outcome says how a message was answered, and what has become of the attempt.
func (s *Attempt) Outcome(p Page) string {
	s.t.Helper()
	says := fmt.Sprintln(p.Status, p.Header.Get("Location") != "", p.Find("#exam").Length(), proctoring.Of(s.Launch).Attempt().Status())
	if p.Status == http.StatusSeeOther {
		says += strings.Join(strings.Fields(s.Get(p.Header.Get("Location")).Find("main, body").Last().Text()), " ")
	}
	return says
}

// Begun sends a message that may be refused.
func (s *Attempt) Begun(changes ...func(lti.Claims)) *Attempt {
	s.t.Helper()
	s.Start(changes...)
	return s
}

// EndOf is what a page says of the end of the attempt.
func (s *Attempt) EndOf(p Page) string {
	s.t.Helper()
	to := p.Header.Get("Location")
	if to == "" || to == proctoring.Of(s.Launch).ExamURL() {
		return fmt.Sprintln("not told", p.Status)
	}
	claims, says := s.Told(to, "nonce-of-end")
	return says + s.Words(claims, to, "LAUNCH-OF-END")
}

// Controlled is what came of a control request, and the state of the attempt.
func (s *Attempt) Controlled(r Reply) string {
	_, shown := s.Exam()
	return fmt.Sprintln(r.Status, r.Header.Get("Content-Type"), r.Header.Get("WWW-Authenticate"), strings.TrimSpace(r.Body), shown)
}

// SetsParam gives a parameter other values, and leaves it out without any.
func SetsParam(name string, values ...string) func(url.Values) {
	return func(form url.Values) {
		form.Del(name)
		if len(values) > 0 {
			form[name] = values
		}
	}
}

// AtOnce is what comes of two requests that are made at the same time.
func AtOnce(requests ...func() string) string {
	says := make([]string, len(requests))
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() { says[i] = request() })
	}
	all.Wait()
	slices.Sort(says) // either may have been the first
	return strings.Join(says, "")
}
