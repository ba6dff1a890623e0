package harness_test

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// An illness is what a subject does instead of its work, for so many requests.
type illness struct {
	does  http.HandlerFunc
	lasts atomic.Int64 // requests
}

// forEver is more requests than any run makes.
const forEver = 1 << 40

func (i *illness) wrap(subject http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.lasts.Add(-1) >= 0 {
			i.does(w, r)
			return
		}
		subject.ServeHTTP(w, r)
	})
}

// patient gives a subject the time that a busy machine needs.
func patient(c *config.Config) {
	c.Timeout.Launch, c.Timeout.Restart = config.Duration(20*time.Second), config.Duration(time.Minute)
}

// illnesses are what subjects do that have stopped working.
var illnesses = map[string]http.HandlerFunc{
	"is down for maintenance": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<title>Tool</title><h1>Down for maintenance</h1>")
	},
	"finds nothing":       http.NotFound,
	"has nothing to say":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	"has too much to do":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
	"is out of order":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"cuts the connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"leads elsewhere":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, faketool.Stranger, http.StatusFound) },
}

func TestWhatAToolDoesThatHasStoppedWorkingSaysNothing(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := illness{does: does}
			run := harnesstest.Tool{Wrap: ill.wrap}.Ready(t)
			scene := run.Scenario(t, "test", "here:1")
			before, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch that works"})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(scene.Works(t.Context())).To(BeTrue())
			scene.Observe("sec-tool-aud-array", "", results.Passed, "", "seen while it worked", before)
			g.Expect(scene.Works(t.Context())).To(BeTrue())

			ill.lasts.Store(forEver)
			scene.MustAccept(t.Context(), "core-tool-roles-empty", "roles-empty", harness.Launch{Fault: faultNamed(t, "roles-empty")})
			after, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch"})
			if err == nil { // else it is known already
				scene.Observe("sec-tool-iss", "", results.Failed, "", "seen while it did not", after)
			}
			scene.Observe("sec-tool-jwks", "", results.Failed, "", "no key set")
			g.Expect(scene.Settle(t.Context(), false)).To(BeFalse(), "it does not come back")
			g.Expect(run.Gone()).To(BeTrue())
			for _, o := range scene.Finish().Observations {
				if o.Requirement == "sec-tool-aud-array" {
					g.Expect(o.Verdict).To(Equal(results.Passed))
				} else {
					g.Expect(o.Verdict).To(Equal(results.Inconclusive), "%s: %s", o.Requirement, o.Seen)
				}
			}
		})
	}
}

func TestAScenarioIsDoneAgainWhenTheToolIsBack(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := illness{does: does}
			run := harnesstest.Tool{Wrap: ill.wrap, Change: patient}.Ready(t)
			scenario := func(again bool) (*harness.Scenario, bool) {
				scene := run.Scenario(t, "test", "here:1")
				scene.React(t.Context(), nonceMissing)
				scene.MustAccept(t.Context(), "core-tool-roles-empty", "roles-empty", harness.Launch{Fault: faultNamed(t, "roles-empty")})
				return scene, scene.Settle(t.Context(), again)
			}
			ill.lasts.Store(6)
			first, again := scenario(false)
			g.Expect(again).To(BeTrue())
			dropped := first.Drop()
			g.Expect(dropped.Observations).To(BeEmpty())
			g.Expect(dropped.Findings).To(ContainElement(HaveField("Kind", "away")), "the report tells of it")
			g.Expect(run.Gone()).To(BeFalse())

			second, again := scenario(true)
			g.Expect(again).To(BeFalse())
			g.Expect(second.Finish().Observations).To(And(HaveLen(4), HaveEach(HaveField("Verdict", results.Passed))))
		})
	}
}

func TestWhatGoesWrongAgainIsTheToolsOwnDoing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == faketool.LaunchPath && kindOf(r) != "V" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			tool.ServeHTTP(w, r)
		})
	}}.Ready(t)
	for _, again := range []bool{false, true} {
		scene := run.Scenario(t, "test", "here:1")
		scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, 1)...)
		g.Expect(scene.Settle(t.Context(), again)).To(Equal(!again), "twice, and no more")
		if !again {
			scene.Drop()
			continue
		}
		g.Expect(scene.Finish().Observations).To(ConsistOf(And(
			HaveField("Verdict", results.Warned), HaveField("Seen", ContainSubstring("503")),
		)))
	}
}

// copied keeps what is written.
type copied struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (c *copied) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copied) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

func TestNothingIsAcceptedWithoutAnIDToken(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	// From then on the login initiation leads to the page of an accepted launch.
	var broken atomic.Bool
	run := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
		var accepted atomic.Value
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if broken.Load() && r.URL.Path == faketool.LoginPath {
				w.Header().Set("Content-Type", "text/html")
				_, _ = fmt.Fprint(w, accepted.Load())
				return
			}
			page := copied{ResponseWriter: w}
			tool.ServeHTTP(&page, r)
			if r.Method == http.MethodGet && r.URL.Path == "/resource" && page.status/100 != 4 {
				accepted.Store(page.body.String())
			}
		})
	}}.Ready(t)
	broken.Store(true)
	scene := run.Scenario(t, "test", "here:1")
	flow, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.Reaction.Kind).To(Equal(harness.Accepted), "by its page: %s", flow.End())
	g.Expect(scene.Accepted(flow)).To(BeFalse())
}

func TestAValidLaunchIsLikeThoseOfThePreflight(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var broken atomic.Bool
	run := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if broken.Load() && r.URL.Path != faketool.LoginPath {
				w.Header().Set("Content-Type", "text/html")
				_, _ = fmt.Fprint(w, "<title>Fake tool</title><p>We are busy. Please try again.</p>")
				return
			}
			tool.ServeHTTP(w, r)
		})
	}}.Ready(t)
	broken.Store(true)
	scene := run.Scenario(t, "test", "here:1")
	g.Expect(scene.Works(t.Context())).To(BeFalse())
	g.Expect(run.Gone()).To(BeTrue())
}

func TestWhatAPlatformDoesThatHasStoppedWorkingSaysNothing(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := illness{does: does}
			run := harnesstest.Campus{Wrap: ill.wrap}.Ready(t)
			ill.lasts.Store(forEver)
			scene := run.Scenario(t, "test", "here:1")
			for _, id := range []requirements.ID{"oidc-auth-missing-nonce", "oidc-auth-state-optional"} {
				scene.React(t.Context(), id)
			}
			scene.Observe("sec-jwks-published", "", results.Failed, "", "no key set")
			g.Expect(scene.Settle(t.Context(), false)).To(BeFalse())
			g.Expect(run.Gone()).To(BeTrue())
			g.Expect(scene.Finish().Observations).To(And(Not(BeEmpty()), HaveEach(HaveField("Verdict", results.Inconclusive))))
		})
	}
}

func TestAScenarioIsDoneAgainWhenThePlatformIsBack(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := illness{does: does}
			run := harnesstest.Campus{Wrap: ill.wrap, Change: func(c *config.Config) {
				patient(c)
				c.Timeout.Step = config.Duration(300 * time.Millisecond)
			}}.Ready(t)
			scenario := func(again bool) (*harness.PlatformScenario, bool) {
				scene := run.Scenario(t, "test", "here:1")
				scene.React(t.Context(), "oidc-auth-missing-nonce")
				scene.React(t.Context(), "oidc-auth-state-optional")
				return scene, scene.Settle(t.Context(), again)
			}
			ill.lasts.Store(3) // the user cannot even sign in again
			first, again := scenario(false)
			g.Expect(again).To(BeTrue())
			g.Expect(first.Drop().Observations).To(BeEmpty())
			second, again := scenario(true)
			g.Expect(again).To(BeFalse())
			g.Expect(second.Finish().Observations).To(And(Not(BeEmpty()), HaveEach(HaveField("Verdict", results.Passed))))
		})
	}
}

func TestAPreflightIsMadeAgainWhenTheSubjectIsBack(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := illness{does: does}
			var asked atomic.Int64
			run := harnesstest.Tool{Change: patient, Wrap: func(tool http.Handler) http.Handler {
				sick := ill.wrap(tool)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) == 5 { // in the second launch
						ill.lasts.Store(3)
					}
					sick.ServeHTTP(w, r)
				})
			}}.Start(t)
			_, err := run.Preflight(t.Context())
			g.Expect(err).NotTo(HaveOccurred())
			scene := run.Scenario(t, "test", "here:1")
			scene.React(t.Context(), nonceMissing)
			g.Expect(scene.Finish().Observations).To(HaveEach(HaveField("Verdict", results.Passed)))
		})
	}
}
