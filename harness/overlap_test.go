package harness_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/results"
)

// sick is a subject that does something else for as long as that is set.
func sick(is *atomic.Bool, does http.HandlerFunc, paths ...string) harnesstest.Tool {
	return harnesstest.Tool{
		Change: func(c *config.Config) { c.Timeout.Expiry = config.Duration(time.Second) },
		Wrap: func(tool http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if is.Load() && (len(paths) == 0 || r.URL.Path == paths[0]) {
					does(w, r)
					return
				}
				tool.ServeHTTP(w, r)
			})
		},
	}
}

func TestOthersGoOnWhileAScenarioWaits(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := sick(new(atomic.Bool), http.NotFound).Ready(t)
	scene := run.Scenario(t, "one", "here:1")
	var other *harness.Scenario
	run.Overlap(func(wait func()) {
		other = run.Scenario(t, "other", "here:2")
		other.React(t.Context(), "core-tool-version-missing")
		wait()
	})
	g.Expect(scene.Works(t.Context())).To(BeTrue())
	g.Expect(scene.Pass(t.Context(), time.Millisecond)).To(Succeed())
	scene.React(t.Context(), "core-tool-version-missing")
	for _, s := range []*harness.Scenario{other, scene} {
		g.Expect(s.Settle(t.Context(), false)).To(BeFalse())
		observed := s.Finish().Observations
		g.Expect(observed).NotTo(BeEmpty())
		g.Expect(observed).To(HaveEach(HaveField("Verdict", results.Passed)))
	}
}

func TestAToolThatWasAwayWhileAScenarioWaitedIsAskedAgain(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var away atomic.Bool
	run := sick(&away, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }).Ready(t)
	scene := run.Scenario(t, "one", "here:1")
	scene.React(t.Context(), "core-tool-version-missing")
	run.Overlap(func(wait func()) {
		other := run.Scenario(t, "other", "here:2")
		away.Store(true)
		_, err := other.Launch(t.Context(), harness.Launch{Title: "a launch"})
		g.Expect(err).NotTo(HaveOccurred())
		away.Store(false)
		g.Expect(other.Settle(t.Context(), false)).To(BeTrue())
		wait()
	})
	g.Expect(scene.Pass(t.Context(), time.Millisecond)).To(Succeed())
	g.Expect(scene.Works(t.Context())).To(BeTrue())
	g.Expect(scene.Settle(t.Context(), false)).To(BeTrue(), "it may have been what the waiting one did")
	g.Expect(scene.Drop().Findings).To(ContainElement(HaveField("Says", And(ContainSubstring("others went on"), ContainSubstring("HTTP 503")))))
}

func TestNobodyGoesOnWhereTheToolMayNotKnowTheUsualKeys(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := sick(new(atomic.Bool), http.NotFound).Ready(t)
	asked := 0
	run.Overlap(func(wait func()) {
		asked++
		wait()
	})
	scene := run.Scenario(t, "one", "here:1")
	_, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch", Fault: faultNamed(t, "key-set-404")})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(scene.Pass(t.Context(), time.Millisecond)).To(Succeed())
	g.Expect(asked).To(Equal(0))
	g.Expect(scene.Works(t.Context())).To(BeTrue())
	g.Expect(scene.Pass(t.Context(), time.Millisecond)).To(Succeed())
	g.Expect(asked).To(Equal(1))
}

func TestAToolThatIsKeptWaitingIsThere(t *testing.T) {
	t.Parallel()
	for fault, again := range map[string]bool{"key-set-hangs": false, "aud-other-client": true} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var hangs atomic.Bool
			run := sick(&hangs, func(_ http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm() // until the body is read nobody tells that the client has gone
				<-r.Context().Done()
			}, faketool.LaunchPath).Ready(t)
			scene := run.Scenario(t, "test", "here:1")
			hangs.Store(true)
			flow, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch", Fault: faultNamed(t, fault)})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(flow.Reaction.Kind).To(Equal(harness.Dead))
			hangs.Store(false)
			g.Expect(scene.Settle(t.Context(), false)).To(Equal(again))
		})
	}
}
