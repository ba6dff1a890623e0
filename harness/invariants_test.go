package harness_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator/harness"
	"invigilator/harness/config"
	"invigilator/results"
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
