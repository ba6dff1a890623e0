package fakeexamplatform_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/edx"
	"invigilator.example/edx/fakebackend"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/requirements"
)

// meet has both fakes know each other, with a clock that can be put forward. Requests counts
// those to the backend, by method and path.
func meet(t *testing.T) (p *fakeexamplatform.Platform, forward func(time.Duration), requests map[string]int) {
	t.Helper()
	g := NewWithT(t)
	var passed time.Duration
	now := func() time.Time { return time.Now().Add(passed) }
	requests = map[string]int{}
	var b *fakebackend.Backend
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests[r.Method+" "+r.URL.Path]++
		b.ServeHTTP(w, r)
	}))
	t.Cleanup(backend.Close)
	lms := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	t.Cleanup(lms.Close)
	var err error
	b, err = fakebackend.New(fakebackend.Options{
		URL: backend.URL, ClientID: "edx", ClientSecret: "secret-1", PlatformClientID: "vendor", PlatformClientSecret: "secret-2", Now: now,
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(b.Close)
	p, err = fakeexamplatform.New(fakeexamplatform.Options{
		URL: lms.URL, ClientID: "vendor", ClientSecret: "secret-2", Now: now,
		Backend: fakeexamplatform.Backend{BaseURL: backend.URL, ClientID: "edx", ClientSecret: "secret-1"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	return p, func(d time.Duration) { passed += d }, requests
}

var (
	ada  = fakeexamplatform.Learner{ID: 7, Name: "Ada Lovelace", Email: "ada@example.org"}
	exam = fakeexamplatform.Exam{ID: 1, Course: "course-v1:A+B+C", Content: "block", Name: "Exam", Minutes: 60, Practice: true}
)

func TestALearnerIsOnboardedAndMayTakeExams(t *testing.T) {
	g := NewWithT(t)
	p, _, _ := meet(t)
	practice, proctored := exam, exam
	proctored.Practice = false
	practice.ExternalID, proctored.ExternalID = p.Save(t.Context(), practice).ID(), p.Save(t.Context(), proctored).ID()
	g.Expect(p.Register(t.Context(), proctored, ada).Text("status")).To(Equal("onboarding_missing"))

	id := p.Register(t.Context(), practice, ada).ID()
	download := p.Attempt(t.Context(), practice.ExternalID, id).Text("download_url")
	g.Expect(p.Open(t.Context(), download).Status).To(Equal(http.StatusOK))
	await := func(what string) fakeexamplatform.Callback {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, err := p.Await(ctx, func(c fakeexamplatform.Callback) bool { return c.Attempt == id && c.What == what })
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(c.Status).To(Equal(http.StatusOK))
		return c
	}
	g.Expect(await(edx.Ready).Object()).To(HaveKeyWithValue("status", "ready"))
	p.Tell(t.Context(), practice.ExternalID, id, edx.StatusStarted)
	p.Tell(t.Context(), practice.ExternalID, id, edx.StatusSubmitted)
	g.Expect(await(edx.Reviewed).Object()).To(HaveKeyWithValue("status", "passed"))
	g.Expect(p.Register(t.Context(), proctored, ada).ID()).NotTo(BeEmpty())
	g.Expect(p.Onboarding(t.Context(), exam.Course, p.UserID(ada), "").Text("status")).To(Equal("approved-in-course"))
	g.Expect(p.Retire(t.Context(), p.UserID(ada)).JSON).To(BeTrue())
	g.Expect(p.Retire(t.Context(), p.UserID(ada)).JSON).To(BeFalse())
}

func TestATokenIsKeptUntilItEnds(t *testing.T) {
	g := NewWithT(t)
	p, forward, requests := meet(t)
	const tokens = "POST " + edx.TokenPath
	p.Config(t.Context(), "")
	p.Config(t.Context(), "")
	g.Expect(requests[tokens]).To(Equal(1))
	forward(time.Hour - 4*time.Second) // five seconds before its end it counts as expired
	g.Expect(p.Config(t.Context(), "").Status).To(Equal(http.StatusOK))
	g.Expect(requests[tokens]).To(Equal(2))
}

func TestStimuliAreRefusedOrPermittedByAGoodBackend(t *testing.T) {
	names := map[string]bool{}
	for _, s := range fakeexamplatform.Stimuli() {
		t.Run(s.Name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(names).NotTo(HaveKey(s.Name))
			names[s.Name] = true
			r, ok := requirements.Default().Get(requirements.ID(s.Provokes))
			g.Expect(ok).To(BeTrue())
			_, has := r.Stimulus(s.Name)
			g.Expect(has).To(BeTrue(), "%s has no such case", s.Provokes)
			p, _, _ := meet(t)
			practice := exam
			practice.ExternalID = p.Save(t.Context(), practice).ID()
			with := p.With(s)
			var answers []int
			switch s.Provokes {
			case "edx-token-bad-credentials":
				answers = append(answers, with.AskToken(t.Context()).Status, p.AskToken(t.Context()).Status)
			case "edx-instructor-verify":
				answers = append(answers, with.Dashboard(t.Context(), exam.Course, ada).Status, p.Dashboard(t.Context(), exam.Course, ada).Status)
			case "edx-attempt-create-200":
				answers = append(answers, with.Register(t.Context(), practice, ada).Status, p.Register(t.Context(), practice, ada).Status)
			default:
				answers = append(answers, with.Config(t.Context(), "").Status, p.Config(t.Context(), "").Status)
			}
			if s.Permitted {
				g.Expect(answers[0]).To(Equal(http.StatusOK))
			} else {
				g.Expect(answers[0]).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)))
			}
			g.Expect(answers[1]).To(Equal(http.StatusOK), "the platform itself is as before")
		})
	}
}

func TestCallbacksAreTakenAsThePlatformTakesThem(t *testing.T) {
	g := NewWithT(t)
	p, _, _ := meet(t)
	practice := exam
	practice.ExternalID = p.Save(t.Context(), practice).ID()
	id := p.Register(t.Context(), practice, ada).ID()
	lms := httptest.NewServer(p)
	t.Cleanup(lms.Close)
	form := url.Values{edx.GrantType: {edx.ClientCredentials}, edx.ClientID: {"vendor"}, edx.ClientSecret: {"secret-2"}}
	response, err := http.PostForm(lms.URL+edx.TokenPath, form)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.StatusCode).To(Equal(http.StatusOK))
	_ = response.Body.Close()
	form.Set(edx.ClientSecret, "another")
	response, err = http.PostForm(lms.URL+edx.TokenPath, form)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.StatusCode).To(Equal(http.StatusUnauthorized))
	_ = response.Body.Close()
	g.Expect(p.Refused()).To(BeTrue())
	for path, status := range map[string]int{
		edx.CallbacksPath + id + "/ready":                                http.StatusForbidden, // without a token
		"/api/v1/edx_proctoring/proctored_exam/attempt/" + id + "/ready": http.StatusNotFound,
	} {
		response, err := http.Post(lms.URL+path, "application/json", strings.NewReader(`{"status": "ready"}`))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(response.StatusCode).To(Equal(status), path)
		_ = response.Body.Close()
	}
	for _, c := range p.Callbacks() {
		g.Expect(fmt.Sprint(c.Unauthorized)).To(ContainSubstring("there is no Authorization"))
	}
}
