package harness_test

import (
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// What holds in every flow is held against flows that are there for something else.
func TestWhatHoldsInEveryFlowIsHeldAgainstAll(t *testing.T) {
	t.Parallel()
	for fault, c := range map[string]struct {
		id      string
		verdict results.Verdict
	}{
		"swaps-overlapping-login-hints":      {"sec-tool-login-hint-returned-unaltered", results.Failed},
		"drops-message-hint-of-post":         {"core-tool-message-hint-returned-unaltered", results.Failed},
		"shares-nonce-of-overlapping-logins": {"sec-tool-auth-request-nonce", results.Failed},
		"shares-state-of-overlapping-logins": {"sec-tool-auth-request-state", results.Warned},
		"passes-id-token-on":                 {"rfc6750-tool-tokens-not-in-addresses", results.Warned},
		"":                                   {},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := embedded(t, func(c *config.Config) {
				if fault != "" {
					c.Embedded.Faults = []string{fault}
				}
			})
			scene := run.Scenario(t, "a scenario", "here:1")
			for range 3 {
				_, err := scene.Login(t.Context(), "a login that stays open")
				g.Expect(err).NotTo(HaveOccurred())
				_, err = scene.Launch(t.Context(), harness.Launch{Title: "another user's", User: harness.Teacher, Fault: faultNamed(t, "login-by-post")})
				g.Expect(err).NotTo(HaveOccurred())
			}
			observed := scene.Finish().Observations
			if fault == "" {
				g.Expect(observed).To(BeEmpty())
				return
			}
			g.Expect(observed).To(ConsistOf(And(HaveField("Requirement", c.id), HaveField("Verdict", c.verdict), HaveField("Flows", HaveLen(1)))), "once in a scenario")
		})
	}
}

// The flows of the preflight are held against it as well: of either side.
func TestWhatHoldsInEveryFlowIsHeldAgainstThePreflight(t *testing.T) {
	t.Parallel()
	failed := func(id string) types.GomegaMatcher {
		return ContainElement(And(HaveField("Requirement", id), HaveField("Verdict", results.Failed), HaveField("Flows", HaveLen(1))))
	}
	t.Run("of a tool", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		found, _ := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tool.ServeHTTP(withoutMessageHint{w}, r) })
		}}.Start(t).Preflight(t.Context())
		g.Expect(found.Observations).To(failed("core-tool-message-hint-returned-unaltered"))
	})
	t.Run("of a platform", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		found, err := harnesstest.Campus{Faults: []string{"sends-form-by-get"}}.Start(t).Preflight(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found.Observations).To(failed("sec-auth-response-mode-form-post"))
	})
	t.Run("which one without faults does not break", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		found, err := harnesstest.Tool{}.Start(t).Preflight(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found.Observations).To(BeEmpty())
		found, err = harnesstest.Campus{}.Start(t).Preflight(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found.Observations).To(BeEmpty())
	})
}

// withoutMessageHint takes the message hint out of where a browser is sent on to.
type withoutMessageHint struct{ http.ResponseWriter }

func (w withoutMessageHint) WriteHeader(status int) {
	if to, err := url.Parse(w.Header().Get("Location")); err == nil && status == http.StatusFound {
		query := to.Query()
		query.Del(lti.ParamMessageHint)
		to.RawQuery = query.Encode()
		w.Header().Set("Location", to.String())
	}
	w.ResponseWriter.WriteHeader(status)
}
