package harness_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator/faketool"
	"invigilator/harness"
	"invigilator/harness/config"
	"invigilator/requirements"
	"invigilator/results"
)

// start begins a run, over HTTP, against a tool that is served elsewhere.
func start(t *testing.T, tool string, change func(*config.Config)) *harness.Run {
	t.Helper()
	c := config.Default()
	c.Agent = "http"
	c.Tool.LoginURL, c.Tool.LaunchURL = tool+"/login", tool+"/launch"
	c.Platform.Listen = "127.0.0.1:0"
	c.Patience.Visit = config.Duration(2 * time.Second)
	c.Patience.Restart = config.Duration(2 * time.Second)
	if change != nil {
		change(&c)
	}
	run, err := harness.Start(t.Context(), c, 1)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	return run
}

// late is a handler that gets its content after its server has started.
type late struct{ handler atomic.Pointer[http.Handler] }

func (l *late) set(h http.Handler) { l.handler.Store(&h) }

func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*l.handler.Load()).ServeHTTP(w, r) }

// startTool begins a run against a fake tool with faults that is served like
// a real one, and behind whatever wraps it.
func startTool(t *testing.T, wrap func(http.Handler) http.Handler, faults ...string) *harness.Run {
	t.Helper()
	g := NewWithT(t)
	var content late
	server := httptest.NewServer(&content)
	t.Cleanup(server.Close)
	run := start(t, server.URL, nil)
	tool, err := faketool.New(faketool.Options{URL: server.URL, Faults: faults})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tool.Register(faketool.Registration{
		Issuer: run.Platform().Issuer(), ClientID: run.Tool().ClientID, AuthURL: run.Platform().AuthURL(),
		JWKSURL: run.Registrations()[0].JWKSURL, DeploymentIDs: []string{run.Tool().DeploymentID},
	})).To(Succeed())
	if wrap == nil {
		wrap = func(h http.Handler) http.Handler { return h }
	}
	content.set(wrap(tool))
	return run
}

func TestOneDiagnosis(t *testing.T) {
	redirectTo := func(target func(*http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target(r), http.StatusFound) }
	}
	page := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "<title>t</title><p>%s</p>", text) }
	}
	authentication := func(redirectURI string) http.HandlerFunc {
		return redirectTo(func(r *http.Request) string {
			q := r.URL.Query()
			return "https://platform.test/auth?scope=openid&response_type=id_token&response_mode=form_post&prompt=none&nonce=n0123456789abcdef&state=s" +
				"&client_id=" + q.Get("client_id") + "&login_hint=" + q.Get("login_hint") + "&lti_message_hint=" + q.Get("lti_message_hint") +
				"&redirect_uri=" + redirectURI
		})
	}
	for name, c := range map[string]struct {
		login, launch http.HandlerFunc
		problem, look string
	}{
		"a wrong login URL":          {http.NotFound, nil, "nothing at the login URL", "tool.login_url"},
		"an unknown registration":    {page("who are you?"), nil, "a page of its own instead of an authentication request", "client_id invigilator"},
		"another platform":           {redirectTo(func(*http.Request) string { return "https://platform.test/other" }), nil, "elsewhere", "authorization endpoint https://platform.test/auth"},
		"a foreign redirect URI":     {authentication("https://elsewhere.example/launch"), nil, "https://elsewhere.example/launch", "tool.redirect_uris"},
		"a redirect loop":            {redirectTo(func(r *http.Request) string { return r.URL.String() }), nil, "redirects without end", "log"},
		"a dropped connection":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "cannot be reached", "running"},
		"a valid launch refused":     {nil, http.NotFound, "does not accept a valid launch: HTTP 404", "never fetched that key set"},
		"a blank page":               {nil, func(http.ResponseWriter, *http.Request) {}, "nothing that can be told from nothing", "registration"},
		"the same page for anything": {nil, page("welcome, everybody"), "acceptance cannot be told from refusal", "tool.accepts"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			defer server.Close()
			if c.login == nil {
				c.login = authentication(server.URL + "/launch")
			}
			mux.Handle("/login", c.login)
			if c.launch != nil {
				mux.Handle("/launch", c.launch)
			}
			_, err := start(t, server.URL, nil).Preflight(t.Context())
			var d *results.Diagnosis
			g.Expect(errors.As(err, &d)).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.problem))
			g.Expect(d.LookAt).To(ContainSubstring(c.look))
			g.Expect(d.Sent).NotTo(BeEmpty())
			g.Expect(d.Seen).NotTo(BeEmpty())
		})
	}

	t.Run("nobody there", func(t *testing.T) {
		g := NewWithT(t)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		g.Expect(err).NotTo(HaveOccurred())
		address := listener.Addr().String()
		g.Expect(listener.Close()).To(Succeed())
		_, err = start(t, "http://"+address, nil).Preflight(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("cannot be reached")))
	})

	t.Run("no answer", func(t *testing.T) {
		g := NewWithT(t)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer server.Close()
		run := start(t, server.URL, func(c *config.Config) { c.Patience.Visit = config.Duration(200 * time.Millisecond) })
		_, err := run.Preflight(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("no page in time")))
	})
}

// judge runs one refusal and returns its verdict and what was seen.
func judge(t *testing.T, run *harness.Run, id requirements.ID, only string) (results.Verdict, string) {
	t.Helper()
	g := NewWithT(t)
	if _, err := run.Preflight(t.Context()); err != nil {
		t.Fatal(err)
	}
	scene := run.Scenario(t, "test", "here:1")
	for _, attempt := range scene.Faulty(id) {
		if attempt.Stimulus == only {
			scene.MustRefuse(t.Context(), id, attempt)
		}
	}
	observations := scene.Finish().Observations
	g.Expect(observations).To(HaveLen(1))
	g.Expect(observations[0].Flows).NotTo(BeEmpty(), "a verdict has evidence")
	return observations[0].Verdict, observations[0].Seen
}

func TestJudgingByEffect(t *testing.T) {
	for name, c := range map[string]struct {
		faults  []string
		wrap    func(http.Handler) http.Handler
		verdict results.Verdict
		seen    string
	}{
		"refused with a status":              {nil, nil, results.Passed, "HTTP 401"},
		"refused with a page of status 200":  {[]string{faketool.RefusesWith200}, nil, results.Passed, "without id_token"},
		"accepted":                           {[]string{faketool.AcceptsEmptyNonce}, nil, results.Failed, "looks like that of a valid launch"},
		"accepted by a tool that shows 200s": {[]string{faketool.AcceptsEmptyNonce, faketool.RefusesWith200}, nil, results.Failed, "looks like that of a valid launch"},
		"refused in words only":              {[]string{faketool.StartsSessionBeforeChecking}, nil, results.Failed, "logged in all the same"},
		"refused with a server error":        {[]string{faketool.RefusesWith500}, nil, results.Warned, "HTTP 500"},
		"returned to the platform":           {[]string{faketool.ReturnsRefusals}, nil, results.Passed, "lti_errormsg"},
		"the connection dropped":             {nil, dropsRefusals, results.Failed, "connection was dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			verdict, seen := judge(t, startTool(t, c.wrap, c.faults...), "sec-tool-nonce-missing", "nonce-empty")
			g.Expect(verdict).To(Equal(c.verdict), seen)
			g.Expect(seen).To(ContainSubstring(c.seen))
		})
	}
}

// dropsRefusals hangs up where the tool would refuse a launch.
func dropsRefusals(tool http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		if r.URL.Path == faketool.LaunchPath && answer.Code >= 400 && r.PostForm.Get("id_token") != "" {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func TestAFenceThatBreaksJudgesNothing(t *testing.T) {
	g := NewWithT(t)
	var once sync.Once
	var broken atomic.Bool
	run := startTool(t, func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if broken.Load() {
				http.Error(w, "out of order", http.StatusServiceUnavailable)
				return
			}
			tool.ServeHTTP(w, r)
		})
	})
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	scene := run.Scenario(t, "test", "here:1")
	attempt := scene.Faulty("sec-tool-nonce-missing")[0]
	try := attempt.Make
	attempt.Make = func(ctx context.Context) (*harness.Flow, error) {
		flow, err := try(ctx)
		once.Do(func() { broken.Store(true) }) // the launch after this one does not work
		return flow, err
	}
	scene.MustRefuse(t.Context(), "sec-tool-nonce-missing", attempt)
	g.Expect(scene.Finish().Observations).To(ConsistOf(HaveField("Verdict", results.Inconclusive)))
}

func TestTheRunWaitsForAToolThatDied(t *testing.T) {
	g := NewWithT(t)
	var deaths atomic.Int32
	run := startTool(t, func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == faketool.LaunchPath && deaths.Add(1) == 4 { // after the preflight's three
				panic(http.ErrAbortHandler)
			}
			tool.ServeHTTP(w, r)
		})
	})
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	scene := run.Scenario(t, "test", "here:1")
	dead, err := scene.Launch(t.Context(), harness.Launch{Title: "meets a dying tool"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(dead.Reaction.Kind).To(Equal(harness.Dead))
	alive, err := scene.Launch(t.Context(), harness.Launch{Title: "meets it again"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(alive.Reaction.Kind).To(Equal(harness.Accepted))
	g.Expect(scene.Finish().Findings).To(ContainElement(HaveField("Kind", "dropped")))
}

func TestEvidenceHoldsNoSecrets(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var secrets []string
	run := startTool(t, func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			for _, c := range r.Cookies() {
				if strings.HasPrefix(c.Name, "faketool_login_") {
					secrets = append(secrets, c.Value)
				}
			}
			mu.Unlock()
			tool.ServeHTTP(w, r)
		})
	})
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	scene := run.Scenario(t, "test", "here:1")
	_, err = scene.Launch(t.Context(), harness.Launch{Title: "a launch"})
	g.Expect(err).NotTo(HaveOccurred())
	text := fmt.Sprint(scene.Finish())
	g.Expect(text).To(ContainSubstring("faketool_login_"))
	mu.Lock()
	defer mu.Unlock()
	g.Expect(secrets).NotTo(BeEmpty())
	for _, secret := range secrets {
		g.Expect(strings.Contains(text, secret)).To(BeFalse())
	}
}
