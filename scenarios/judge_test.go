package scenarios_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	_ "invigilator.example/scenarios/platform"
	_ "invigilator.example/scenarios/tool"
)

// Whoever registers the platform in a tool takes as long as that takes.
func TestTheWaitForTheRegistrationCountsForNothing(t *testing.T) {
	g := NewWithT(t)
	c := config.Demo(config.ToolSide)
	c.Agent, c.Report, c.Requirements = "http", t.TempDir(), []string{"sec-tool-aud"}
	c.Timeout.Run = config.Duration(5 * time.Second)
	doc, paths, err := scenarios.Judge(c, "a run that waits", scenarios.Hooks{
		Ready: func(_ context.Context, s scenarios.Subject) error {
			g.Expect(s.Subject().Name).To(Equal("the embedded fake tool (demo)"))
			<-time.After(c.Timeout.Run.Std())
			return nil
		},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(doc.Diagnosis).To(BeNil())
	g.Expect(doc.Outcome).To(Equal(results.Conformant))
	g.Expect(doc.Run.Seconds).To(BeNumerically("<", 5))
	g.Expect(paths.HTML).To(BeARegularFile())
}

// A run knows nothing of those before it in the same process.
func TestRunsFollowOneAnother(t *testing.T) {
	g := NewWithT(t)
	verdicts := func(side config.Side, only string, faults ...string) (results.Document, map[string]results.Verdict) {
		c := config.Demo(side)
		c.Agent, c.Report, c.Requirements, c.Embedded.Faults = "http", filepath.Join(t.TempDir(), "out"), []string{only}, faults
		doc, err := scenarios.Document(c, "one run of several")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(c.Report).NotTo(BeADirectory(), "nobody wants reports")
		found := map[string]results.Verdict{}
		for _, r := range doc.Requirements {
			found[r.ID] = r.Verdict
		}
		return doc, found
	}
	const audience, issuer, nonce = "sec-tool-aud", "sec-tool-iss", "oidc-auth-missing-nonce"
	broken, found := verdicts(config.ToolSide, audience, "ignores-audience")
	g.Expect(found).To(Equal(map[string]results.Verdict{audience: results.Failed}))
	g.Expect(broken.Outcome).To(Equal(results.NotConformant))
	_, found = verdicts(config.ToolSide, audience)
	g.Expect(found).To(Equal(map[string]results.Verdict{audience: results.Passed}))
	unreachable, found := verdicts(config.ToolSide, audience, "forgets-everything")
	g.Expect(unreachable.Diagnosis.Problem).To(ContainSubstring("forgets-everything"))
	g.Expect(found).To(Equal(map[string]results.Verdict{audience: results.Inconclusive}))
	_, found = verdicts(config.PlatformSide, nonce, "accepts-empty-nonce")
	g.Expect(found).To(Equal(map[string]results.Verdict{nonce: results.Failed}))
	sound, found := verdicts(config.ToolSide, issuer)
	g.Expect(found).To(Equal(map[string]results.Verdict{issuer: results.Passed}))
	g.Expect(sound.Findings).To(BeEmpty())
	g.Expect(sound.Consulted).To(HaveKey(issuer))
	g.Expect(sound.Consulted).NotTo(HaveKey(audience))
}
