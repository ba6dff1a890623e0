package backend

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/edx"
	"invigilator.example/edx/fakebackend"
	"invigilator.example/harness/config"
	"invigilator.example/results"
)

const (
	clientID = "edx"
	password = "a-secret-of-the-test"
)

// preflight makes the preflight of a run that judges a backend at a handler.
func preflight(t *testing.T, handler http.Handler, change func(*config.Config)) error {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := config.Default(config.BackendSide)
	c.Backend = config.Backend{BaseURL: server.URL, ClientID: clientID, ClientSecret: password}
	c.FakeExamPlatform.Listen = "127.0.0.1:0"
	if change != nil {
		change(&c)
	}
	r, err := Start(t.Context(), c)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(r.Close)
	_, err = r.Preflight(t.Context())
	return err
}

// genuine is a fake backend, behind what changes how it is asked and answers.
func genuine(t *testing.T, faults ...string) *fakebackend.Backend {
	t.Helper()
	b, err := fakebackend.New(fakebackend.Options{URL: "http://backend.example", ClientID: clientID, ClientSecret: password, Faults: faults})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(b.Close)
	return b
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte("<!DOCTYPE html><h1>Welcome</h1>"))
}

func TestWhatIsInTheWayHasOneDiagnosis(t *testing.T) {
	dated := func(by time.Duration) http.HandlerFunc {
		b := genuine(t)
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
			b.ServeHTTP(w, r)
		}
	}
	b := genuine(t)
	for name, c := range map[string]struct {
		handler http.Handler
		change  func(*config.Config)
		says    string
	}{
		"nothing":                    {b, nil, ""},
		"a clock half a minute off":  {dated(30 * time.Second), nil, ""},
		"a clock an hour ahead":      {dated(time.Hour), nil, "The clock of the backend is 1h0m0s ahead."},
		"a clock an hour behind":     {dated(-time.Hour), nil, "The clock of the backend is 1h0m0s behind."},
		"another client_secret":      {b, func(c *config.Config) { c.Backend.ClientSecret += "x" }, "The backend refuses the credentials."},
		"another, answered with 200": {genuine(t, "answers-bad-credentials-with-200"), func(c *config.Config) { c.Backend.ClientID += "x" }, "without an access_token"},
		"another path":               {b, func(c *config.Config) { c.Backend.BaseURL += "/api" }, "has no token endpoint"},
		"pages alone":                {http.HandlerFunc(page), nil, "answers a token request with a page"},
		"a configuration in HTML": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == edx.ConfigPath {
				page(w, r)
				return
			}
			b.ServeHTTP(w, r)
		}), nil, "answers a call of its API with a page instead of JSON"},
		"another word before the token": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+r.Header.Get("Authorization"))
			b.ServeHTTP(w, r)
		}), nil, "refuses the token that it has just issued"},
		"nobody": {b, func(c *config.Config) { c.Backend.BaseURL = "http://127.0.0.1:1" }, "The backend cannot be reached."},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := preflight(t, c.handler, c.change)
			if c.says == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.says))
			g.Expect(d.LookAt).NotTo(BeEmpty())
			text, err := json.Marshal(d)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).NotTo(ContainSubstring(password))
		})
	}
}

// What is expected to come back is in the evidence when it is known.
func TestACallbackIsInTheFlowThatWaitedForIt(t *testing.T) {
	g := NewWithT(t)
	r, err := Start(t.Context(), config.Demo(config.BackendSide))
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(r.Close)
	s := &Scenario{run: r, tb: t, fragment: results.Fragment{Flows: map[string]results.Flow{}}}
	s.platform("a review")
	made, err := s.attempt(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.exam.Practice).To(BeTrue(), "nobody has been onboarded")
	g.Expect(s.submit(t.Context(), made)).To(Succeed())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, came := s.await(ctx, made.id, edx.Reviewed, "edx-review-callback")
	g.Expect(came).To(BeTrue())
	g.Expect(wrongReview(c)).To(BeEmpty())
	g.Expect(c.Status).To(Equal(http.StatusOK))
	g.Expect(r.kept(s.flow).Steps).To(ContainElement(And(HaveField("URL", HaveSuffix(c.Path)), HaveField("Status", http.StatusOK), HaveField("RequestBody", ContainSubstring(`"comments"`)))))
	g.Expect(r.works(t.Context())).To(BeEmpty())
}
