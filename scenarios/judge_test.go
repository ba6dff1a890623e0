package scenarios_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator/harness/config"
	"invigilator/results"
	"invigilator/scenarios"
	_ "invigilator/scenarios/tool"
)

// Whoever registers the platform in a tool takes as long as that takes.
func TestTheWaitForTheRegistrationCountsForNothing(t *testing.T) {
	g := NewWithT(t)
	c := config.Demo(config.ToolSide)
	c.Agent, c.Report, c.Only = "http", t.TempDir(), []string{"sec-tool-aud"}
	c.Patience.Run = config.Duration(5 * time.Second)
	doc, paths, err := scenarios.Judge(c, "a run that waits", scenarios.Hooks{
		Ready: func(_ context.Context, s scenarios.Subject) error {
			g.Expect(s.Subject().Name).To(Equal("the embedded fake tool (demo)"))
			<-time.After(c.Patience.Run.Std())
			return nil
		},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(doc.Diagnosis).To(BeNil())
	g.Expect(doc.Outcome).To(Equal(results.Conformant))
	g.Expect(doc.Run.Seconds).To(BeNumerically("<", 5))
	g.Expect(paths.HTML).To(BeARegularFile())
}
