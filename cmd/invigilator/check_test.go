package main_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/campus"
)

const campusPassword = "difference-engine"

// served is a campus that answers 503 to so many requests before it has started, and the
// environment of those who judge it.
func served(t *testing.T, starting int64) (url string, env []string) {
	t.Helper()
	var handler atomic.Value
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= starting {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		handler.Load().(http.Handler).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := campus.New(campus.Options{URL: server.URL, Password: campusPassword, Tools: []campus.Tool{
		{
			ClientID: "invigilator", LoginURL: "https://tool.test/login?tenant=7", RedirectURIs: []string{"https://tool.test/launch", "https://tool.test/launch?from=platform"},
			TargetLinkURI: "https://tool.test/launch?chapter=1", JWKSURL: "http://127.0.0.1:1/jwks",
		},
		{
			ClientID: "invigilator-2", LoginURL: "https://other-tool.test/login", RedirectURIs: []string{"https://other-tool.test/launch"},
			TargetLinkURI: "https://other-tool.test/launch", JWKSURL: "http://127.0.0.1:1/other/jwks",
		},
	}})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	handler.Store(http.Handler(c))
	return server.URL, []string{
		"CAMPUS_URL=" + server.URL, "CAMPUS_PASSWORD=" + campusPassword, "INVIGILATOR_AGENT=http",
		"INVIGILATOR_FAKE_TOOL_LISTEN=127.0.0.1:0", "INVIGILATOR_TIMEOUT_STEP=300ms", "INVIGILATOR_TIMEOUT_RESTART=50ms",
	}
}

// launching is a configuration of the campus for launches alone.
func launching() string {
	text := string(campus.Configuration)
	_, rest, _ := strings.Cut(text, "\nregistration:")
	_, people, _ := strings.Cut(rest, "\n# All users")
	return "platform: {issuer: '${CAMPUS_URL}', auth_url: '${CAMPUS_URL}/auth', jwks_url: '${CAMPUS_URL}/jwks'}\n" +
		"registration: {client_id: invigilator, other_client_id: invigilator-2}\nfeatures: [multiple-tools]\n#" + people
}

func TestCheckWaitsForASubjectThatStarts(t *testing.T) {
	g := NewWithT(t)
	_, env := served(t, 12)
	dir := t.TempDir()
	write(t, dir, "invigilator.yaml", launching())
	stdout, stderr, status := runWith(t, dir, env, "check", "--wait", "60s")
	g.Expect(status).To(Equal(0), stdout+stderr)
	g.Expect(stdout).To(And(ContainSubstring("ok       platform.auth_url"), ContainSubstring("jwks: keys 1"), ContainSubstring("ok       the sign-in of second-learner"),
		ContainSubstring("ok       the journey learner-opens-link-in-frame"), ContainSubstring("ok       valid launches"), ContainSubstring("note     Nobody has fetched the fake tool's key set"), ContainSubstring("READY: invigilator platform --config ")))
	g.Expect(stdout + stderr).NotTo(Or(ContainSubstring(campusPassword), ContainSubstring("problem")))
	left, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range left {
		g.Expect(file.Name()).To(BeElementOf("invigilator.yaml", "invigilator-tool-key.json", "invigilator-tool-key-2.json"), "a check leaves no report")
	}
}

func TestCheckTellsAllThatIsInTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		change   *strings.Replacer
		starting int64
		status   int
		says     []string
	}{
		"what needs a journey": {
			strings.NewReplacer("click: text=Exercise 2", "click: text=Exercise 9", "with: grace", "with: grace", "username: mary", "username: nobody"), 0, 2,
			[]string{"The journey learner-opens-other-link got stuck at step 3", "The sign-in of instructor got stuck at step 5", "READY in part"},
		},
		"the learner": {
			strings.NewReplacer("username: ada", "username: nobody", "click: text=Exercise 9", "", "username: mary", "username: somebody"), 0, 3,
			[]string{"The sign-in of learner got stuck", "The sign-in of instructor got stuck", "NOT READY"},
		},
		"the addresses": {
			strings.NewReplacer("${CAMPUS_URL}/auth", "http://127.0.0.1:1/auth", "${CAMPUS_URL}/jwks", "${CAMPUS_URL}/keys"), 0, 3,
			[]string{"There is no answer at platform.auth_url", "There is no key set at platform.jwks_url", "NOT READY"},
		},
		"one that does not start": {strings.NewReplacer(), 1 << 60, 3, []string{"platform.auth_url: it does not answer: 503", "platform.jwks_url: it does not answer: 503", "--wait 60s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			_, env := served(t, c.starting)
			dir := t.TempDir()
			write(t, dir, "invigilator.yaml", c.change.Replace(launching()))
			stdout, stderr, status := runWith(t, dir, env, "check")
			g.Expect(status).To(Equal(c.status), stdout+stderr)
			for _, says := range c.says {
				g.Expect(stdout).To(ContainSubstring(says))
				g.Expect(strings.Count(stdout, "problem  "+says)).To(BeNumerically("<=", 1), "each is told once")
			}
			g.Expect(stdout + stderr).NotTo(ContainSubstring(campusPassword))
		})
	}
}

func TestCheckFindsTheSideInTheFile(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	write(t, dir, "invigilator.yaml", toolFile)
	stdout, stderr, status := run(t, dir, "check")
	g.Expect(status).To(Equal(3), stdout+stderr)
	g.Expect(stdout).To(And(ContainSubstring("no answer at tool.login_url"), ContainSubstring("no answer at tool.launch_url")))
	write(t, dir, "both.yaml", toolFile+platformFile)
	_, stderr, status = run(t, dir, "check", "--config", "both.yaml")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("--side"))
	_, stderr, status = run(t, dir, "check", "--side", "bridge")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("--side bridge: there are tool, platform and backend"))
	_, stderr, status = run(t, t.TempDir(), "check")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("tool.login_url: is needed"))
}
