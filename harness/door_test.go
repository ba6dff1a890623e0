package harness_test

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/faketool"
	"invigilator.example/fault"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// strangers send requests of many kinds to an address until they are stopped, which
// has to be after hundreds.
type strangers struct {
	sent  atomic.Int64
	state atomic.Pointer[string] // that once was one of the run's
	ended chan struct{}
	all   sync.WaitGroup
}

func disturb(address string) *strangers {
	s := &strangers{ended: make(chan struct{})}
	client := &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(method, path, contentType, body string) {
		r, err := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", contentType)
		if response, err := client.Do(r); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		s.sent.Add(1)
	}
	const form = "application/x-www-form-urlencoded"
	post := func(path string, v url.Values) { send(http.MethodPost, path, form, v.Encode()) }
	kinds := []func(){
		func() { send(http.MethodGet, "/", "", "") },
		func() { send(http.MethodHead, "/", "", "") },
		func() { send(http.MethodGet, "/healthz", "", "") },
		func() { send(http.MethodGet, "/favicon.ico", "", "") },
		func() { send(http.MethodGet, "/jwks", "", "") },
		func() { send(http.MethodGet, "/other/jwks", "", "") },
		func() { send(http.MethodGet, "/stranger/jwks", "", "") },
		func() { send(http.MethodGet, "/login", "", "") },
		func() {
			post("/login", url.Values{"iss": {"https://elsewhere.example"}, "login_hint": {"x"}, "target_link_uri": {"x"}})
		},
		func() { post("/launch", nil) },
		func() { post("/launch", url.Values{"id_token": {"a.b.c"}, "state": {"s"}}) },
		func() {
			post("/launch", url.Values{"id_token": {"x"}, "state": {*s.state.Load()}, "access_token": {"x"}})
		},
		func() { post("/launch", url.Values{"error": {"login_required"}}) },
		func() { post("/other/launch", url.Values{"id_token": {"a.b.c"}, "code": {"x"}}) },
		func() { send(http.MethodGet, "/launch?code=x&access_token=y", "", "") },
		func() {
			post("/auth", url.Values{"client_id": {"invigilator"}, "login_hint": {"x"}, "redirect_uri": {"https://elsewhere.example"}})
		},
		func() { post("/token", url.Values{"grant_type": {"password"}}) },
		func() { send(http.MethodPost, "/token", "application/json", "{}") },
		func() { send(http.MethodPost, "/acs", "application/json", `{"user":{"sub":"x"}}`) },
		func() { send(http.MethodGet, "/contexts/course-1/lineitems", "", "") },
		func() { send(http.MethodPost, "/other/token", form, "") },
		func() { // no HTTP at all
			if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
				_, _ = conn.Write([]byte("\x16\x03\x01\r\n\r\n"))
				_ = conn.Close()
			}
		},
	}
	s.state.Store(new(string))
	s.all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-s.ended:
				return
			default:
				kinds[i%len(kinds)]()
			}
		}
	})
	return s
}

// stop lets them go on until there were hundreds.
func (s *strangers) stop(t *testing.T) {
	t.Helper()
	NewWithT(t).Eventually(s.sent.Load, "20s").Should(BeNumerically(">", 300))
	close(s.ended)
	s.all.Wait()
}

// freeAddress is one of this machine that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		// Below those that the system gives to whoever asks for any, so that nobody
		// gets it meanwhile.
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if listener, err := net.Listen("tcp", address); err == nil {
			NewWithT(t).Expect(listener.Close()).To(Succeed())
			return address
		}
	}
	t.Fatal("no address is free")
	return ""
}

// publicURL is where browsers reach an address directly.
func publicURL(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return "http://localhost:" + port
}

// verdictsOf are the verdicts of fragments, with what was found beside, and the steps
// that the evidence has.
func verdictsOf(fragments ...results.Fragment) (verdicts map[string]results.Verdict, findings []string, strange int, steps []string) {
	verdicts = map[string]results.Verdict{}
	for _, f := range fragments {
		for _, o := range f.Observations {
			name := o.Requirement + " " + o.Case
			verdicts[name] = results.Worst(o.Verdict, cmp.Or(verdicts[name], results.Skipped))
		}
		for _, found := range f.Findings {
			findings = append(findings, found.Kind+": "+found.Says)
		}
		for _, n := range f.Strangers {
			strange += n
		}
		for _, flow := range f.Flows {
			for _, s := range flow.Steps {
				steps = append(steps, s.Method+" "+s.URL)
			}
		}
	}
	return verdicts, findings, strange, steps
}

// expectUndisturbed judges a subject alone and with strangers, and expects the same.
func expectUndisturbed(t *testing.T, judge func(t *testing.T, address string, disturbed func() *strangers) []results.Fragment) {
	g := NewWithT(t)
	address := freeAddress(t)
	alone, findings, none, _ := verdictsOf(judge(t, address, func() *strangers { return nil })...)
	g.Expect(len(alone)).To(BeNumerically(">", 10))
	g.Expect(slices.Collect(maps.Values(alone))).To(ContainElement(results.Passed))
	g.Expect(none).To(BeZero())

	address = freeAddress(t)
	var crowd *strangers
	fragments := judge(t, address, func() *strangers {
		crowd = disturb(address)
		return crowd
	})
	verdicts, disturbedFindings, n, steps := verdictsOf(fragments...)
	g.Expect(verdicts).To(Equal(alone))
	g.Expect(disturbedFindings).To(ConsistOf(findings), "no line of its own for anybody")
	g.Expect(n).To(BeNumerically(">", 200))
	for _, foreign := range []string{"healthz", "elsewhere.example", "/stranger/jwks", "/other/launch"} {
		g.Expect(steps).NotTo(ContainElement(ContainSubstring(foreign)), "they are no evidence")
	}

	doc := results.Assemble(results.Run{}, nil, nil, nil, fragments)
	var told []string
	for _, f := range doc.Findings {
		if f.Kind == "strangers" {
			told = append(told, f.Says)
		}
	}
	g.Expect(told).To(ConsistOf(HavePrefix(fmt.Sprintf("%d requests of strangers", n))))
	g.Expect(len(told[0])).To(BeNumerically("<", 500))
}

func TestStrangersChangeNoVerdictOnATool(t *testing.T) {
	t.Parallel()
	for name, public := range map[string]bool{"at a private address": false, "at a public address": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectUndisturbed(t, func(t *testing.T, address string, disturbed func() *strangers) (found []results.Fragment) {
				g := NewWithT(t)
				run := harnesstest.Tool{Change: func(c *config.Config) {
					grading(nil)(c)
					c.Profiles = nil
					exams := *c
					forExams(nil)(&exams)
					c.Features = append(c.Features, exams.Features...)
					maps.Copy(c.Journeys, exams.Journeys)
					c.Journeys["checks-in"] = config.Journey{Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}
					c.FakePlatform.Listen = address
					if public {
						c.FakePlatform.URL = publicURL(address)
					}
				}}.Start(t)
				crowd := disturbed()
				preflight, err := run.Preflight(t.Context())
				g.Expect(err).NotTo(HaveOccurred())
				found = append(found, preflight)
				scene := run.Scenario(t, "launches", "here:1")
				for _, id := range []requirements.ID{"oidc-tool-nonce-foreign", "sec-tool-signature-wrong-key"} {
					scene.React(t.Context(), id)
				}
				for _, f := range fakeplatform.FaultsFor("sec-tool-embedded-key-not-trusted") {
					scene.MustRefuse(t.Context(), "sec-tool-embedded-key-not-trusted", scene.Attempt(f))
				}
				var attempts []harness.Attempt
				for _, f := range fakeplatform.FaultsFor("sec-tool-jwks-unavailable") {
					if !f.Permitted && !f.Needs.Has(fault.Patience) {
						attempts = append(attempts, scene.AttemptWithoutKey(f))
					}
				}
				scene.MustRefuse(t.Context(), "sec-tool-jwks-unavailable", attempts...)
				for _, f := range fakeplatform.FaultsFor("oidc-tool-key-rotation") {
					scene.MustAccept(t.Context(), "oidc-tool-key-rotation", f.Name, harness.Launch{Fault: &f})
				}
				g.Expect(run.Platform().StrangerAsked()).To(BeZero())
				found = append(found, scene.Finish())

				scene = run.ProctoringScenario(t, "exams", "here:2")
				exam, err := scene.Launch(t.Context(), harness.Launch{Link: algebra})
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(exam.Started()).To(HaveLen(1))
				flagged, err := scene.Act(t.Context(), config.Flag, exam)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(flagged.AllControls()).To(ConsistOf(HaveField("Problems", BeEmpty())))
				scene.React(t.Context(), "ap-tool-rejects-missing-session-data")
				found = append(found, scene.Finish())

				scene = run.ReviewScenario(t, "reviews", "here:3")
				work, handed, err := scene.HandIn(t.Context(), scene.Assign(), harness.Launch{})
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(scene.Await(t.Context(), handed, harness.IsTakenScore)).To(BeTrue())
				review, err := scene.Launch(t.Context(), harness.Launch{Review: work})
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(scene.Accepted(review)).To(BeTrue())
				for _, request := range run.Platform().TokenRequests() {
					g.Expect(request.Problems).To(BeEmpty())
				}
				if crowd != nil {
					crowd.stop(t)
				}
				return append(found, scene.Finish())
			})
		})
	}
}

func TestStrangersChangeNoVerdictOnAPlatform(t *testing.T) {
	t.Parallel()
	for name, public := range map[string]bool{"at a private address": false, "at a public address": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectUndisturbed(t, func(t *testing.T, address string, disturbed func() *strangers) (found []results.Fragment) {
				g := NewWithT(t)
				run := harnesstest.Campus{Change: func(c *config.Config) {
					c.FakeTool.Listen = address
					if public {
						c.FakeTool.URL = publicURL(address)
					}
				}}.Start(t)
				crowd := disturbed()
				preflight, err := run.Preflight(t.Context())
				g.Expect(err).NotTo(HaveOccurred())
				found = append(found, preflight)
				for _, login := range run.Tool().Logins() {
					if sent := login.Record().Requests; len(sent) > 0 && crowd != nil {
						crowd.state.Store(new(sent[0].Params.Get("state")))
					}
				}
				scene := run.Scenario(t, "launches", "here:1")
				for range 3 {
					held, err := scene.Hold(t.Context(), harness.PlatformLaunch{})
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(held.Uninvited()).To(BeEmpty())
				}
				for _, id := range []requirements.ID{
					"oidc-auth-missing-nonce", "sec-auth-login-hint-matches-session-user", "sec-auth-redirect-uri-registered", "oidc-auth-state-echo", "oidc-auth-response-type",
				} {
					scene.React(t.Context(), id, func(f *harness.PlatformFlow) (results.Verdict, string) {
						if leaks := f.Leaks(); len(leaks) > 0 && !f.Launched() {
							return results.Failed, strings.Join(leaks, "; ")
						}
						return results.Passed, ""
					})
				}
				for _, a := range run.Tool().Answers() {
					if a.Login != nil && !a.Strange {
						g.Expect(a.Form.Get("access_token")).To(BeEmpty(), "of a stranger")
					}
				}
				if crowd != nil {
					crowd.stop(t)
				}
				return append(found, scene.Finish())
			})
		})
	}
}

func TestTheDoorServesServersAlone(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, address, path string) int {
		response, err := http.Get("http://" + address + path)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		_ = response.Body.Close()
		return response.StatusCode
	}
	for name, public := range map[string]bool{"private": false, "public": true} {
		t.Run("a tool, "+name, func(t *testing.T) {
			g := NewWithT(t)
			address := freeAddress(t)
			harnesstest.Campus{Change: func(c *config.Config) {
				c.FakeTool.Listen = address
				if public {
					c.FakeTool.URL = publicURL(address)
				}
			}}.Start(t)
			g.Expect(get(t, address, faketool.JWKSPath)).To(Equal(http.StatusOK))
			g.Expect(get(t, address, "/other"+faketool.JWKSPath)).To(Equal(http.StatusOK), "the campus has two tools")
			launch := http.StatusNotFound
			if public {
				launch = http.StatusMethodNotAllowed
			}
			g.Expect(get(t, address, faketool.LaunchPath)).To(Equal(launch))
			g.Expect(get(t, address, "/other"+faketool.LaunchPath)).To(Equal(http.StatusNotFound), "it is private")
		})
		t.Run("a platform, "+name, func(t *testing.T) {
			g := NewWithT(t)
			address := freeAddress(t)
			harnesstest.Start(t, "http://localhost:1", func(c *config.Config) {
				c.FakePlatform.Listen = address
				if public {
					c.FakePlatform.URL = publicURL(address)
				}
			})
			g.Expect(get(t, address, fakeplatform.JWKSPath)).To(Equal(http.StatusOK))
			g.Expect(get(t, address, fakeplatform.TokenPath)).To(Equal(http.StatusMethodNotAllowed))
			g.Expect(get(t, address, proctoring.ACSPath)).To(Equal(http.StatusMethodNotAllowed))
			auth := http.StatusNotFound
			if public {
				auth = http.StatusBadRequest
			}
			g.Expect(get(t, address, fakeplatform.AuthPath)).To(Equal(auth))
			g.Expect(get(t, address, "/other"+fakeplatform.JWKSPath)).To(Equal(http.StatusNotFound), "there is no second one")
		})
	}
}
