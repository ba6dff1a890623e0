package harness_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/results"
	"invigilator.example/scenarios/grades/gradebook"
)

// limiter refuses so many requests of the platform's services, or of the pages of a path.
type limiter struct {
	path   string
	status int
	after  string // Retry-After, where it is not empty
	left   atomic.Int64
}

func (l *limiter) wrap(subject http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, l.path) && l.left.Add(-1) >= 0 {
			if l.after != "" {
				w.Header().Set("Retry-After", l.after)
			}
			w.WriteHeader(l.status)
			return
		}
		subject.ServeHTTP(w, r)
	})
}

func TestWhatAPlatformTakesLaterIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*limiter{
		"429 of the token endpoint": {path: "/token", status: http.StatusTooManyRequests, after: "1"},
		"429 of a service":          {path: "/lineitems", status: http.StatusTooManyRequests, after: "1"},
		"429 without a time":        {path: "/lineitems", status: http.StatusTooManyRequests},
		"503 with a time":           {path: "/lineitems", status: http.StatusServiceUnavailable, after: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Wrap: l.wrap, Change: patient}.Ready(t)
			scene := gradebook.In(run.Scenario(t, "a scenario", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			g.Expect(err).NotTo(HaveOccurred())
			l.left.Store(2)
			flow, err := scene.Call(t.Context(), book, gradebook.Call{Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{URL: book.LineItems}})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(flow.Exchange.Status).To(Equal(http.StatusOK))
			scene.Observe("ags-lineitems-list", "items-accept-any", results.Passed, "", "a list", flow)
			g.Expect(scene.Settle(t.Context(), false)).To(BeFalse(), "nothing has to be done again")
			found := scene.Finish()
			g.Expect(found.Findings).To(ContainElement(And(HaveField("Kind", "limited"), HaveField("Says", ContainSubstring("timeout.restart")))))
			g.Expect(found.Observations).To(HaveEach(HaveField("Verdict", results.Passed)))
		})
	}
}

func TestWhatAPlatformNeverTakesSaysNothing(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*limiter{
		"429 of the token endpoint": {path: "/token", status: http.StatusTooManyRequests, after: "3600"},
		"429 of a service":          {path: "/lineitems", status: http.StatusTooManyRequests},
		"503 with a time":           {path: "/lineitems", status: http.StatusServiceUnavailable, after: "3600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Wrap: l.wrap}.Ready(t)
			scene := gradebook.In(run.Scenario(t, "a scenario", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			g.Expect(err).NotTo(HaveOccurred())
			l.left.Store(forEver)
			for range 3 { // which does not take three times as long
				_, err = scene.Call(t.Context(), book, gradebook.Call{Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{URL: book.LineItems}})
				g.Expect(err).To(And(MatchError(harness.ErrNoLaunch), MatchError(ContainSubstring("timeout.restart"))))
			}
			g.Expect(scene.Unseen("ags-lineitems-list", "items-accept-any", err)).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(HaveEach(HaveField("Verdict", results.Inconclusive)))
		})
	}
}

func TestAFailureOfASubjectThatTakesNoMoreSaysNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	l := &limiter{path: "/", status: http.StatusTooManyRequests}
	run := harnesstest.Tool{Wrap: l.wrap}.Ready(t)
	scene := run.Scenario(t, "test", "here:1")
	l.left.Store(forEver)
	flow, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch"})
	g.Expect(err).NotTo(HaveOccurred())
	scene.Observe("sec-tool-iss", "iss-missing", results.Failed, "", "it was accepted", flow)
	scene.Observe("sec-tool-iss", "iss-unknown", harness.Breach, "", "somebody got at it", flow)
	found := scene.Finish().Observations
	g.Expect(found[0]).To(And(HaveField("Verdict", results.Inconclusive), HaveField("Seen", And(ContainSubstring("too many requests"), ContainSubstring("it was accepted")))))
	g.Expect(found[1].Verdict).To(Equal(results.Failed))
}
