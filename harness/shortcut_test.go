package harness_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/requirements"
	"invigilator.example/results"
	_ "invigilator.example/scenarios/proctoring" // whose launches are shortcut, too
	_ "invigilator.example/scenarios/review"
)

// cutShort has requests to some paths answered with a page that posts a form to the tool.
func cutShort(method, path, field string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method || !strings.HasPrefix(r.URL.Path, path) {
				h.ServeHTTP(w, r)
				return
			}
			_, _ = fmt.Fprintf(w, `<body onload="document.forms[0].submit()"><form method="post" action="https://tool.test/launch">%s</form>`, field)
		})
	}
}

func TestALaunchThatNoLoginBeganIsTheDefectOfThePlatform(t *testing.T) {
	t.Parallel()
	const (
		ofLTI11 = `<input type="hidden" name="oauth_consumer_key" value="k"><input type="hidden" name="lti_message_type" value="basic-lti-launch-request"><input type="hidden" name="lti_version" value="LTI-1p0">`
		ofToken = `<input type="hidden" name="id_token" value="e30.e30.e30">`
	)
	for what, c := range map[string]struct {
		wrap     func(http.Handler) http.Handler
		profiles []string
		breaks   requirements.ID
		says     string
		links    bool // can be launched all the same
	}{
		"a link":              {cutShort(http.MethodGet, "/launch-link/", ofLTI11), []string{requirements.Launch}, "sec-every-launch-starts-with-login", `LTI 1.1 by POST https://tool.test/launch, with the lti_message_type "basic-lti-launch-request"`, false},
		"a link of LTI 1.3":   {cutShort(http.MethodGet, "/launch-link/", ofToken), []string{requirements.Launch}, "sec-every-launch-starts-with-login", "an id_token by POST https://tool.test/launch", false},
		"a review":            {cutShort(http.MethodGet, "/course/1/review/", ofLTI11), []string{requirements.Launch, requirements.SubmissionReview}, "sr-through-oidc-login", "instructor-reviews leads to a launch of LTI 1.1", true},
		"an exam":             {cutShort(http.MethodPost, "/course/1/exam/", ofLTI11), []string{requirements.Launch, requirements.Proctoring}, "ap-start-proctoring-through-oidc-login", "learner-takes-exam leads to a launch of LTI 1.1", true},
		"nothing but an exam": {cutShort(http.MethodPost, "/course/1/exam/", ofLTI11), []string{requirements.Proctoring}, "ap-start-proctoring-through-oidc-login", "learner-takes-exam leads to a launch of LTI 1.1", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Wrap: c.wrap, Change: func(cfg *config.Config) {
				cfg.Profiles, cfg.Timeout.PageSign = c.profiles, config.Duration(100*time.Millisecond)
			}}.Start(t)
			found, err := run.Preflight(t.Context())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found.Observations).To(ConsistOf(And(
				HaveField("Requirement", string(c.breaks)), HaveField("Verdict", results.Failed), HaveField("Seen", ContainSubstring(c.says)), HaveField("Flows", HaveLen(1)),
			)))
			scene := run.Scenario(t, "a scenario", "here:1")
			scene.React(t.Context(), "oidc-auth-missing-nonce")
			g.Expect(scene.Settle(t.Context(), false)).To(BeFalse())
			g.Expect(run.Gone()).To(BeFalse())
			want := map[bool]results.Verdict{true: results.Passed, false: results.Inconclusive}[c.links]
			g.Expect(scene.Finish().Observations).To(HaveEach(HaveField("Verdict", want)))
		})
	}
}

// another has a tool ask for its answer at another address in each login.
func another(query func(login url.Values, n int) string) func(http.Handler) http.Handler {
	return func(tool http.Handler) http.Handler {
		n := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			tool.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			if to, err := url.Parse(answer.Header().Get("Location")); err == nil && to.Query().Has("redirect_uri") {
				n++
				asked := to.Query()
				asked.Set("redirect_uri", asked.Get("redirect_uri")+"?"+query(r.URL.Query(), n))
				to.RawQuery = asked.Encode()
				w.Header().Set("Location", to.String())
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	}
}

func TestARedirectURIThatNobodyCanRegisterEndsNoRun(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		query func(url.Values, int) string
		says  string // nothing where the configuration may be wrong
	}{
		"that of the login":     {func(login url.Values, _ int) string { return login.Encode() }, "iss, login_hint, lti_deployment_id, lti_message_hint, target_link_uri of its own login initiation"},
		"one that counts":       {func(_ url.Values, n int) string { return fmt.Sprint("n=", n) }, "changes with every login"},
		"one that may be known": {func(url.Values, int) string { return "from=platform" }, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Tool{Wrap: another(c.query)}.Start(t)
			_, err := run.Preflight(t.Context())
			if c.says == "" {
				g.Expect(err).To(MatchError(ContainSubstring("not one of its redirect URIs")))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			scene := run.Scenario(t, "a scenario", "here:1")
			flow, err := scene.Launch(t.Context(), harness.Launch{})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(scene.Accepted(flow)).To(BeTrue(), flow.End())
			g.Expect(run.AboutRedirectURI(flow)).To(ContainSubstring(c.says))
		})
	}
}
