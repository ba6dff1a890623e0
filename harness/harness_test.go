package harness_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// embedded begins a run against the embedded fake tool, over HTTP.
func embedded(t *testing.T, change func(*config.Config)) *harness.Run {
	t.Helper()
	g := NewWithT(t)
	c := config.Demo(config.ToolSide)
	c.Agent = "http"
	if change != nil {
		change(&c)
	}
	run, err := harness.Start(t.Context(), c, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	_, err = run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	return run
}

// faultNamed returns a fault of the platform.
func faultNamed(t *testing.T, name string) *fakeplatform.Fault {
	t.Helper()
	f, ok := fakeplatform.FaultNamed(name)
	NewWithT(t).Expect(ok).To(BeTrue(), name)
	return &f
}

func TestOneDiagnosis(t *testing.T) {
	redirectTo := func(target func(*http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target(r), http.StatusFound) }
	}
	page := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "<title>t</title><p>%s</p>", text) }
	}
	// apart answers launches with a token otherwise than all else.
	apart := func(launch, rest http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.PostFormValue("id_token") != "" {
				launch(w, r)
			} else {
				rest(w, r)
			}
		}
	}
	authentication := func(redirectURI string) http.HandlerFunc {
		return redirectTo(func(r *http.Request) string {
			q := r.URL.Query()
			return "https://platform.test/auth?scope=openid&response_type=id_token&response_mode=form_post&prompt=none&nonce=n0123456789abcdef&state=s" +
				"&client_id=" + q.Get("client_id") + "&login_hint=" + q.Get("login_hint") + "&lti_message_hint=" + q.Get("lti_message_hint") +
				"&redirect_uri=" + redirectURI
		})
	}
	for name, c := range map[string]struct {
		login, launch http.HandlerFunc
		problem, look string
	}{
		"a wrong login URL":          {http.NotFound, nil, "nothing at the login URL", "tool.login_url"},
		"an unknown registration":    {page("who are you?"), nil, "a page of its own instead of an authentication request", "client_id invigilator"},
		"another platform":           {redirectTo(func(*http.Request) string { return "https://platform.test/other" }), nil, "elsewhere", "authorization endpoint https://platform.test/auth"},
		"a foreign redirect URI":     {authentication("https://elsewhere.example/launch"), nil, "https://elsewhere.example/launch", "tool.redirect_uris"},
		"a redirect loop":            {redirectTo(func(r *http.Request) string { return r.URL.String() }), nil, "redirects endlessly", "log"},
		"a dropped connection":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "cannot be reached", "running"},
		"a wrong launch URL":         {nil, http.NotFound, "nothing at its redirect URI: HTTP 404", "tool.launch_url"},
		"a launch by GET alone":      {nil, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusMethodNotAllowed) }, "nothing at its redirect URI: HTTP 405", "tool.launch_url"},
		"a valid launch refused":     {nil, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, "does not accept a valid launch: HTTP 403", "That key set has not been fetched"},
		"a blank page":               {nil, func(http.ResponseWriter, *http.Request) {}, "does not show whether it accepts or refuses the launch", "registration"},
		"errors that look like it":   {nil, apart(page("your registration is unknown to us"), page("open this from your course, please")), "It cannot be seen whether it accepts or refuses both", "tool.launch_accepted"},
		"errors for tokens alone":    {nil, apart(page("your registration is unknown to us"), http.NotFound), "It cannot be seen whether it accepts or refuses both", "tool.launch_accepted"},
		"the same page for anything": {nil, page("welcome, everybody"), "acceptance cannot be told from refusal", "tool.launch_accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			defer server.Close()
			if c.login == nil {
				c.login = authentication(server.URL + "/launch")
			}
			mux.Handle("/login", c.login)
			if c.launch != nil {
				mux.Handle("/launch", c.launch)
			}
			_, err := harnesstest.Start(t, server.URL, nil).Preflight(t.Context())
			var d *results.Diagnosis
			g.Expect(errors.As(err, &d)).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.problem))
			g.Expect(d.LookAt).To(ContainSubstring(c.look))
			g.Expect(d.Sent).NotTo(BeEmpty())
			g.Expect(d.Seen).NotTo(BeEmpty())
		})
	}

	for name, c := range map[string]struct {
		subject             harnesstest.Tool
		problem, look, seen string
	}{
		"another client_id": {
			harnesstest.Tool{Faults: []string{faketool.IgnoresClientID}, Register: func(r *faketool.Registration) { r.ClientID = "another" }},
			`the client_id "another", but the login initiation named "invigilator"`, "registration.client_id", "HTTP 401",
		},
		"another issuer": {
			harnesstest.Tool{Register: func(r *faketool.Registration) { r.Issuer += "/" }}, "a page of its own", "Issuer https://platform.test, ", "No platform with issuer",
		},
		"another deployment_id": {
			harnesstest.Tool{Register: func(r *faketool.Registration) { r.DeploymentIDs = []string{"another"} }}, "does not accept a valid launch: HTTP 40", "deployment_id deployment-1", "deployment",
		},
		"a wrong target link": {
			harnesstest.Tool{Change: func(c *config.Config) { c.Tool.TargetLinkURI = c.Tool.LaunchURL + "/nothing" }, Wrap: func(tool http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == faketool.LaunchPath {
						http.Redirect(w, r, "/launch/nothing", http.StatusSeeOther)
						return
					}
					tool.ServeHTTP(w, r)
				})
			}},
			"nothing at the target link URI: HTTP 404", "tool.target_link_uri", "There is nothing at",
		},
		"a page with navigation": {
			harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == faketool.LaunchPath {
						w.WriteHeader(http.StatusForbidden)
						_, _ = fmt.Fprint(w, `<nav>Home Courses</nav><main><h1>Sorry</h1><p role="alert">unknown deployment</p></main>`)
						return
					}
					tool.ServeHTTP(w, r)
				})
			}},
			"does not accept a valid launch: HTTP 403", "That key set has not been fetched", `text "Sorry – unknown deployment"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			_, err := c.subject.Start(t).Preflight(t.Context())
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.problem))
			g.Expect(d.LookAt).To(ContainSubstring(c.look))
			g.Expect(d.Seen).To(ContainSubstring(c.seen))
		})
	}

	t.Run("nobody there", func(t *testing.T) {
		g := NewWithT(t)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		g.Expect(err).NotTo(HaveOccurred())
		address := listener.Addr().String()
		g.Expect(listener.Close()).To(Succeed())
		_, err = harnesstest.Start(t, "http://"+address, nil).Preflight(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("cannot be reached")))
	})

	t.Run("no answer", func(t *testing.T) {
		g := NewWithT(t)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer server.Close()
		run := harnesstest.Start(t, server.URL, func(c *config.Config) { c.Timeout.Launch = config.Duration(200 * time.Millisecond) })
		_, err := run.Preflight(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("no page in time")))
	})
}

// otherScheme has a tool ask for its answer at https, as one does that is reached so.
func otherScheme(tool http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		if to := answer.Header().Get("Location"); strings.Contains(to, "redirect_uri=http%3A") {
			w.Header().Set("Location", strings.Replace(to, "redirect_uri=http%3A", "redirect_uri=https%3A", 1))
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func TestARedirectURIOfTheOtherSchemeEndsNoRun(t *testing.T) {
	t.Parallel()
	const id = "sec-tool-auth-request-redirect-uri"
	t.Run("and the launch works", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		run := harnesstest.Tool{Wrap: otherScheme}.Ready(t)
		scene := run.Scenario(t, "a scenario", "here:1")
		flow, err := scene.Launch(t.Context(), harness.Launch{})
		g.Expect(err).NotTo(HaveOccurred())
		request, _ := flow.Request()
		g.Expect(request.Problems).To(ContainElement(ContainSubstring("is not registered")))
		g.Expect(scene.Accepted(flow)).To(BeTrue(), flow.End())
		g.Expect(run.BehindProxy(request.Params.Get("redirect_uri"))).To(ContainSubstring("X-Forwarded-Proto"))
		scene.React(t.Context(), "sec-tool-state-missing")
		for _, o := range scene.Finish().Observations {
			g.Expect(o.Verdict).To(Equal(results.Passed), o.Seen)
		}
	})
	t.Run("and the launch does not work", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		run := harnesstest.Tool{Wrap: otherScheme, Register: func(r *faketool.Registration) { r.DeploymentIDs = []string{"another"} }}.Start(t)
		found, err := run.Preflight(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found.Observations).To(ConsistOf(And(
			HaveField("Requirement", id), HaveField("Verdict", results.Failed), HaveField("Seen", ContainSubstring("X-Forwarded-Proto")), HaveField("Flows", HaveLen(1)),
		)))
		scene := run.Scenario(t, "a scenario", "here:1")
		scene.React(t.Context(), "sec-tool-state-missing")
		g.Expect(scene.Settle(t.Context(), false)).To(BeFalse())
		g.Expect(run.Gone()).To(BeFalse())
		for _, o := range scene.Finish().Observations {
			g.Expect(o.Verdict).To(Equal(results.Inconclusive), o.Seen)
			g.Expect(o.Seen).To(ContainSubstring("does not accept a valid launch"))
		}
	})
}

func TestWhatDiffersInTheSchemeAlone(t *testing.T) {
	t.Parallel()
	run := harnesstest.Start(t, "http://tool.example:3000", func(c *config.Config) { c.Tool.RedirectURIs = []string{"https://tool.example/b?x=1"} })
	for uri, hint := range map[string]string{
		"http://tool.example:3000/launch":  "",
		"https://tool.example/b?x=1":       "",
		"https://tool.example:3000/launch": "X-Forwarded-Proto",
		"https://tool.example/launch":      "X-Forwarded-Proto",
		"http://TOOL.example/b?x=1":        "X-Forwarded-Proto",
		"http://tool.example/b?x=2":        "",
		"https://tool.example/elsewhere":   "",
		"http://backend:8080/launch":       "X-Forwarded-Host",
		"javascript://tool.example/launch": "",
		"://":                              "",
		"":                                 "",
	} {
		g := NewWithT(t)
		if hint == "" {
			g.Expect(run.BehindProxy(uri)).To(BeEmpty(), uri)
		} else {
			g.Expect(run.BehindProxy(uri)).To(ContainSubstring(hint), uri)
		}
	}
}

// judge runs one refusal and returns its verdict and what was seen.
func judge(t *testing.T, run *harness.Run, id requirements.ID, only string) (results.Verdict, string) {
	t.Helper()
	g := NewWithT(t)
	scene := run.Scenario(t, "test", "here:1")
	for _, fault := range fakeplatform.FaultsFor(string(id)) {
		if fault.Name == only {
			scene.MustRefuse(t.Context(), id, scene.Attempt(fault))
		}
	}
	observations := scene.Finish().Observations
	g.Expect(observations).To(HaveLen(1))
	g.Expect(observations[0].Flows).NotTo(BeEmpty(), "a verdict has evidence")
	return observations[0].Verdict, observations[0].Seen
}

func TestJudgingByEffect(t *testing.T) {
	for name, c := range map[string]struct {
		faults  []string
		wrap    func(http.Handler) http.Handler
		verdict results.Verdict
		seen    string
	}{
		"refused with a status":              {nil, nil, results.Passed, "HTTP 401"},
		"refused with a page of status 200":  {[]string{faketool.RefusesWith200}, nil, results.Passed, "without id_token"},
		"accepted":                           {[]string{faketool.AcceptsEmptyNonce}, nil, results.Failed, "looks like that of a valid launch"},
		"accepted by a tool that shows 200s": {[]string{faketool.AcceptsEmptyNonce, faketool.RefusesWith200}, nil, results.Failed, "looks like that of a valid launch"},
		"refused in words only":              {[]string{faketool.StartsSessionBeforeChecking}, nil, results.Failed, "but the browser is logged in"},
		"refused with a server error":        {[]string{faketool.RefusesWith500}, nil, results.Warned, "HTTP 500"},
		"returned to the platform":           {[]string{faketool.ReturnsRefusals}, nil, results.Passed, "lti_errormsg"},
		"the connection dropped":             {nil, dropsRefusals, results.Failed, "connection was dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			verdict, seen := judge(t, harnesstest.Tool{Wrap: c.wrap, Faults: c.faults}.Ready(t), "sec-tool-nonce-missing", "nonce-empty")
			g.Expect(verdict).To(Equal(c.verdict), seen)
			g.Expect(seen).To(ContainSubstring(c.seen))
		})
	}
}

// dropsRefusals hangs up where the tool would refuse a launch.
func dropsRefusals(tool http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		if r.URL.Path == faketool.LaunchPath && answer.Code >= 400 && r.PostForm.Get("id_token") != "" {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// nonceless are attempts that every sound tool refuses, by stimuli of no name.
func nonceless(t *testing.T, scene *harness.Scenario, count int) []harness.Attempt {
	t.Helper()
	var attempts []harness.Attempt
	for i := range count {
		a := scene.Attempt(*faultNamed(t, "nonce-empty"))
		a.Stimulus = fmt.Sprintf("bad-%d", i+1)
		attempts = append(attempts, a)
	}
	return attempts
}

// diary tells the launches that reach a tool in their order: V for a valid one,
// B for one without a nonce, X for one without an audience.
type diary struct {
	mu   sync.Mutex
	told strings.Builder
}

func (d *diary) wrap(tool http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == faketool.LaunchPath {
			d.mu.Lock()
			d.told.WriteString(kindOf(r))
			d.mu.Unlock()
		}
		tool.ServeHTTP(w, r)
	})
}

// kindOf is the letter of a launch.
func kindOf(r *http.Request) string {
	_ = r.ParseForm()
	var claims struct{ Nonce, Aud string }
	_, encoded, _ := lti.Decode(r.PostForm.Get(lti.ParamIDToken))
	_ = json.Unmarshal(encoded, &claims)
	switch {
	case claims.Aud == "":
		return "X"
	case claims.Nonce == "":
		return "B"
	default:
		return "V"
	}
}

// tell returns what has come since it was last asked.
func (d *diary) tell() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.told.Reset()
	return d.told.String()
}

// verdicts are those of a scenario by their stimuli.
func verdicts(f results.Fragment) map[string]results.Verdict {
	found := map[string]results.Verdict{}
	for _, o := range f.Observations {
		if before, twice := found[o.Case]; twice {
			o.Verdict = results.Worst(o.Verdict, before)
		}
		found[o.Case] = o.Verdict
	}
	return found
}

const nonceMissing = requirements.ID("sec-tool-nonce-missing")

// refused lets the tool refuse a launch without a nonce, so that its way to do so is known
// and none has to be made again, and leaves no fence.
func refused(t *testing.T, run *harness.Run) *harness.Run {
	t.Helper()
	scene := run.Scenario(t, "before", "here:1")
	scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, 1)...)
	_, err := scene.Launch(t.Context(), harness.Launch{Fault: faultNamed(t, "nonce-empty")})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	scene.Finish()
	return run
}

func TestARefusalOfANewKindIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults  []string
		verdict results.Verdict
		want    string
	}{
		"refused for a moment by what is no page of the tool": {[]string{faketool.AcceptsEmptyNonce}, results.Failed, "VBVBXV"},
		"refused": {nil, results.Passed, "VBVBV"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var d diary
			var ill atomic.Bool
			run := harnesstest.Tool{Faults: c.faults, Change: patient, Wrap: func(tool http.Handler) http.Handler {
				return d.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == faketool.LaunchPath && kindOf(r) == "B" && ill.CompareAndSwap(true, false) {
						http.NotFound(w, r)
						return
					}
					tool.ServeHTTP(w, r)
				}))
			}}.Ready(t)
			d.tell()
			ill.Store(c.faults != nil)
			scene := run.Scenario(t, "test", "here:1")
			scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, 1)...)
			g.Expect(d.tell()).To(HavePrefix(c.want))
			g.Expect(scene.Finish().Observations).To(ConsistOf(HaveField("Verdict", c.verdict)))
		})
	}
}

func TestAFenceHoldsEight(t *testing.T) {
	var d diary
	run := refused(t, harnesstest.Tool{Wrap: d.wrap}.Ready(t))
	for count, want := range map[int]string{
		0: "", 1: "VBV", 2: "VBBV", 8: "VBBBBBBBBV", 9: "VBBBBBBBBVBV", 16: "VBBBBBBBBVBBBBBBBBV", 17: "VBBBBBBBBVBBBBBBBBVBV",
	} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			g := NewWithT(t)
			breach := run.Scenario(t, "between", "here:1")
			_, err := breach.Launch(t.Context(), harness.Launch{Fault: faultNamed(t, "nonce-empty")}) // so that no fence is left
			g.Expect(err).NotTo(HaveOccurred())
			breach.Finish()
			d.tell()

			scene := run.Scenario(t, "test", "here:1")
			scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, count)...)
			found := scene.Finish()
			g.Expect(d.tell()).To(Equal(want))
			g.Expect(found.Observations).To(HaveLen(count))
			ids := slices.Sorted(maps.Keys(found.Flows))
			for i, o := range found.Observations {
				g.Expect(o.Verdict).To(Equal(results.Passed), o.Seen)
				g.Expect(o.Case).To(Equal(fmt.Sprintf("bad-%d", i+1)))
				at := strings.LastIndex(want[:i+i/8+1], "V") // the post before it
				g.Expect(o.Flows).To(ConsistOf(ids[i+i/8+1], ids[at], ids[at+1+strings.Index(want[at+1:], "V")]))
			}
		})
	}
}

func TestFencesShareTheirPosts(t *testing.T) {
	var d diary
	run := harnesstest.Tool{Wrap: d.wrap}.Ready(t)
	held := new(fakeplatform.HeldAnswer)
	for _, c := range []struct {
		name    string
		between []harness.Launch
		want    string // of a fence that comes after a fence
	}{
		{"nothing between", nil, "BV"},
		{"a valid launch", []harness.Launch{{Title: "valid"}}, "VBV"},
		{"another user's", []harness.Launch{{User: harness.Teacher}}, "VBV"},
		{"a fault that is permitted", []harness.Launch{{Fault: faultNamed(t, "iat-old")}}, "VBV"},
		{"a login that is held", []harness.Launch{{Fault: held}}, "BV"},
		{"a bad launch", []harness.Launch{{Fault: faultNamed(t, "aud-missing")}}, "XVBV"},
		{"a bad launch before a valid one", []harness.Launch{{Fault: faultNamed(t, "aud-missing")}, {Title: "valid"}}, "XVVBV"},
		{"an answer submitted again", []harness.Launch{{Title: "first"}, {Again: true}}, "VVVBV"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			first := run.Scenario(t, "first", "here:1")
			first.MustRefuse(t.Context(), nonceMissing, nonceless(t, first, 1)...)
			first.Finish()
			d.tell()

			second := run.Scenario(t, "second", "here:2")
			var last *harness.Flow
			for _, l := range c.between {
				l.Other = last
				flow, err := second.Launch(t.Context(), l)
				g.Expect(err).NotTo(HaveOccurred())
				last = flow
			}
			second.MustRefuse(t.Context(), nonceMissing, nonceless(t, second, 1)...)
			found := second.Finish()
			g.Expect(d.tell()).To(Equal(c.want))
			g.Expect(found.Observations).To(ConsistOf(HaveField("Verdict", results.Passed)))
			g.Expect(found.Observations[0].Flows).To(HaveLen(3))
			for _, id := range found.Observations[0].Flows {
				g.Expect(found.Flows).To(HaveKey(id), "the evidence has the post that was reused")
			}
		})
	}
	t.Run("within a scenario", func(t *testing.T) {
		scene := run.Scenario(t, "test", "here:1")
		scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, 2)...)
		scene.MustRefuse(t.Context(), "sec-tool-aud", nonceless(t, scene, 3)...)
		NewWithT(t).Expect(d.tell()).To(Equal("BBVBBBV"), "after the post of the scenario before")
	})
}

// poison is a tool that, once it has been poisoned, fails the next launch that
// it would accept, and is well again.
type poison struct{ taken atomic.Bool }

func (p *poison) wrap(tool http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tool.ServeHTTP(answer, r)
		if r.URL.Path == faketool.LaunchPath && answer.Code < 400 && p.taken.CompareAndSwap(true, false) {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// gives makes an attempt one that poisons the tool.
func (p *poison) gives(a *harness.Attempt) {
	try := a.Make
	a.Make = func(ctx context.Context) (*harness.Flow, error) {
		flow, err := try(ctx)
		p.taken.Store(true)
		return flow, err
	}
}

func TestOnlyWhatBreaksAFenceIsLeftUnjudged(t *testing.T) {
	for _, c := range []struct {
		count, guilty int
		want          string
	}{
		{1, 1, "VBV"},
		{2, 2, "VBBV" + "VBVBV"},
		{3, 1, "VBBBV" + "VBV"},
		{5, 3, "VBBBBBV" + "VBVBVBV"},
		{8, 8, "VBBBBBBBBV" + "VBVBVBVBVBVBVBVBV"},
		{10, 3, "VBBBBBBBBV" + "VBVBVBV"},
		{10, 8, "VBBBBBBBBV" + "VBVBVBVBVBVBVBVBV"},
		{10, 10, "VBBBBBBBBVBBV" + "VBVBV"},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.guilty, c.count), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var p poison
			var d diary
			scene := refused(t, harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler { return d.wrap(p.wrap(tool)) }}.Ready(t)).Scenario(t, "test", "here:1")
			d.tell()
			attempts := nonceless(t, scene, c.count)
			p.gives(&attempts[c.guilty-1])
			scene.MustRefuse(t.Context(), nonceMissing, attempts...)
			found := scene.Finish()
			g.Expect(d.tell()).To(HavePrefix(c.want), "each gets a fence of its own")
			g.Expect(found.Observations).To(HaveLen(c.count))
			for i, o := range found.Observations {
				g.Expect(o.Case).To(Equal(fmt.Sprintf("bad-%d", i+1)))
				if i+1 != c.guilty {
					g.Expect(o.Verdict).To(Equal(results.Passed), "%s: %s", o.Case, o.Seen)
					continue
				}
				g.Expect(o.Verdict).To(Equal(results.Inconclusive), o.Seen)
				g.Expect(o.Seen).To(And(ContainSubstring("A valid launch before or after this one was not accepted: HTTP 503"), ContainSubstring("HTTP 401")))
			}
		})
	}
}

func TestNothingMoreIsTriedOfAToolThatHasGone(t *testing.T) {
	g := NewWithT(t)
	var broken atomic.Bool
	var d diary
	scene := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
		return d.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == faketool.LaunchPath && broken.Load() {
				http.Error(w, "out of order", http.StatusServiceUnavailable)
				return
			}
			tool.ServeHTTP(w, r)
		}))
	}}.Ready(t).Scenario(t, "test", "here:1")
	broken.Store(true)
	d.tell()
	scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, 3)...)
	g.Expect(scene.Settle(t.Context(), false)).To(BeFalse())
	found := scene.Finish()
	g.Expect(d.tell()).To(MatchRegexp("^V+$"), "valid launches are tried until timeout.restart is over")
	g.Expect(scene.Run().Gone()).To(BeTrue())
	g.Expect(found.Observations).To(And(HaveLen(3), HaveEach(HaveField("Verdict", results.Inconclusive))))
}

func TestAnAttemptThatCannotBeMadeIsNotJudged(t *testing.T) {
	g := NewWithT(t)
	var d diary
	scene := refused(t, harnesstest.Tool{Wrap: d.wrap}.Ready(t)).Scenario(t, "test", "here:1")
	d.tell()
	attempts := nonceless(t, scene, 4)
	for i, err := range []error{harness.ErrTooLong, fmt.Errorf("the second: %w", harness.ErrNoLogin), agent.ErrNeedsBrowser} {
		attempts[i].Make = func(context.Context) (*harness.Flow, error) { return nil, err }
	}
	scene.MustRefuse(t.Context(), nonceMissing, attempts...)
	found := scene.Finish()
	g.Expect(d.tell()).To(Equal("VBV"))
	g.Expect(verdicts(found)).To(Equal(map[string]results.Verdict{
		"bad-1": results.Skipped, "bad-2": results.Inconclusive, "bad-3": results.Inconclusive, "bad-4": results.Passed,
	}))
	for i, says := range []string{"timeout.expiry", "did not work", "only in a browser"} {
		g.Expect(found.Observations[i].Seen).To(ContainSubstring(says))
	}
	for _, o := range found.Observations {
		g.Expect(o.NeedsBrowser).To(Equal(o.Case == "bad-3"), o.Case)
	}
}

func TestSkippingWhatIsNotDeclared(t *testing.T) {
	g := NewWithT(t)
	const id = "core-tool-role-uris" // asks for role-based-view
	declared := func(c *config.Config) {
		c.Features, c.Tool.InstructorView.Selector = []string{config.RoleBasedView}, "#teacher"
	}
	role, _ := requirements.Default().Get(id)
	g.Expect(len(role.Provoke)).To(BeNumerically(">", 1))

	real := harnesstest.Tool{}.Start(t)
	g.Expect(real.Has(config.RoleBasedView)).To(BeFalse())
	scene := real.Scenario(t, "test", "here:1")
	g.Expect(scene.Skip(id, "learner", config.RoleBasedView)).To(BeTrue())
	g.Expect(scene.Finish().Observations).To(Equal([]results.Observation{{
		Requirement: id, Case: "learner", Verdict: results.Skipped, Expected: role.Expect,
		Seen: "The tool does not declare the feature role-based-view.", Scenario: "test", Location: "here:1", Flows: []string{},
	}}))

	scene = real.Scenario(t, "test", "here:1")
	scene.SkipAll(id)
	var cases []string
	found := scene.Finish()
	for _, o := range found.Observations {
		cases = append(cases, o.Case)
	}
	g.Expect(found.Observations).To(HaveEach(And(HaveField("Verdict", results.Skipped), HaveField("Seen", ContainSubstring("role-based-view")))))
	for _, stimulus := range role.Provoke {
		g.Expect(cases).To(ContainElement(stimulus.Case))
	}
	g.Expect(cases).To(HaveLen(len(role.Provoke)))

	scene = real.Scenario(t, "test", "here:1")
	scene.SkipAll("sec-tool-jwks") // which is judged without any stimulus
	g.Expect(scene.Finish().Observations).To(ConsistOf(And(
		HaveField("Case", ""), HaveField("Verdict", results.Skipped), HaveField("Seen", ContainSubstring("tool-jwks")),
	)))

	for name, run := range map[string]*harness.Run{"declared": harnesstest.Tool{Change: declared}.Start(t), "embedded": embedded(t, nil)} {
		scene := run.Scenario(t, "test", "here:1")
		g.Expect(run.Has(config.RoleBasedView)).To(BeTrue(), name)
		g.Expect(scene.Skip(id, "learner", config.RoleBasedView)).To(BeFalse(), name)
		scene.SkipAll(id)
		g.Expect(scene.Finish().Observations).To(BeEmpty(), name)
	}
}

// issued is when the token of a launch was issued.
func issued(g *WithT, f *harness.Flow) time.Time {
	_, claims, err := lti.Decode(f.Record.IDToken)
	g.Expect(err).NotTo(HaveOccurred())
	var times struct{ Iat int64 }
	g.Expect(json.Unmarshal(claims, &times)).To(Succeed())
	return time.Unix(times.Iat, 0)
}

func TestTimePassesForTheFakes(t *testing.T) {
	g := NewWithT(t)
	run := embedded(t, func(c *config.Config) { c.Timeout.Expiry = 0 })
	scene := run.Scenario(t, "test", "here:1")
	launch := func(l harness.Launch) *harness.Flow {
		t.Helper()
		flow, err := scene.Launch(t.Context(), l)
		g.Expect(err).NotTo(HaveOccurred())
		return flow
	}
	now := launch(harness.Launch{})
	g.Expect(scene.Accepted(now)).To(BeTrue())
	g.Expect(issued(g, now)).To(BeTemporally("~", time.Now(), time.Minute))

	began := time.Now()
	g.Expect(run.Pass(t.Context(), time.Hour)).To(Succeed())
	g.Expect(scene.Pass(t.Context(), 30*time.Minute)).To(Succeed())
	g.Expect(time.Since(began)).To(BeNumerically("<", time.Minute), "nobody waits")
	later := launch(harness.Launch{})
	g.Expect(scene.Accepted(later)).To(BeTrue(), "the clocks of both are put forward")
	g.Expect(issued(g, later)).To(BeTemporally("~", time.Now().Add(90*time.Minute), time.Minute))

	// A token that is made before time passes is too old after it.
	browser := scene.Open(t.Context())
	defer browser.Close()
	held := launch(harness.Launch{By: browser, Fault: new(fakeplatform.HeldAnswer)})
	g.Expect(run.Pass(t.Context(), 24*time.Hour)).To(Succeed())
	g.Expect(launch(harness.Launch{By: browser, Other: held, Again: true}).Reaction.Kind).To(Equal(harness.Refused))
	g.Expect(scene.Works(t.Context())).To(BeTrue())
}

func TestTimePassesForARealTool(t *testing.T) {
	g := NewWithT(t)
	const memory = 50 * time.Millisecond
	run := harnesstest.Tool{Change: func(c *config.Config) { c.Timeout.Expiry = config.Duration(memory) }}.Start(t)
	scene := run.Scenario(t, "test", "here:1")

	began := time.Now()
	g.Expect(scene.Pass(t.Context(), memory)).To(Succeed())
	g.Expect(time.Since(began)).To(BeNumerically(">=", memory), "it is waited for")
	flow, err := scene.Launch(t.Context(), harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(issued(g, flow)).To(BeTemporally("~", time.Now(), 30*time.Second))

	began = time.Now()
	g.Expect(run.Pass(t.Context(), memory+1)).To(MatchError(harness.ErrTooLong))
	g.Expect(run.Pass(t.Context(), 24*time.Hour)).To(MatchError(harness.ErrTooLong))
	g.Expect(time.Since(began)).To(BeNumerically("<", time.Minute))
	g.Expect(scene.Unseen(nonceMissing, "", run.Pass(t.Context(), time.Hour))).To(BeTrue())
	g.Expect(scene.Finish().Observations).To(ConsistOf(And(
		HaveField("Verdict", results.Skipped), HaveField("Seen", "Not tried: it needs more time to pass than timeout.expiry allows."),
	)))

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the user has had enough"))
	patient := harnesstest.Tool{Change: func(c *config.Config) { c.Timeout.Expiry = config.Duration(time.Hour) }}.Start(t)
	g.Expect(patient.Pass(ctx, time.Hour)).To(MatchError("the user has had enough"))
}

// crowd returns users who differ in what a page shows of them.
func crowd(count int) []fakeplatform.User {
	var users []fakeplatform.User
	for i := range count {
		name := fmt.Sprintf("Person-%c", 'A'+i)
		users = append(users, fakeplatform.User{Sub: "sub-" + name, Name: name, Roles: []string{lti.RoleLearner}})
	}
	return users
}

func TestACrowd(t *testing.T) {
	for _, kind := range []string{"http", "browser"} {
		t.Run(kind, func(t *testing.T) {
			if _, err := agent.FindBrowser(false); kind == "browser" && err != nil {
				t.Skip(err)
			}
			g := NewWithT(t)
			const size = 7
			var there atomic.Int32
			var meet atomic.Bool
			all := make(chan struct{})
			run := harnesstest.Tool{
				Change: func(c *config.Config) {
					c.Agent, c.Timeout.Launch, c.ConcurrentLaunches = kind, config.Duration(15*time.Second), size
				},
				Wrap: func(tool http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == faketool.LaunchPath && meet.Load() {
							if there.Add(1) == size {
								close(all)
							}
							select { // every launch waits until all the others have come
							case <-all:
							case <-r.Context().Done():
							}
						}
						tool.ServeHTTP(w, r)
					})
				},
			}.Ready(t)
			g.Expect(run.CrowdSize()).To(Equal(size))
			scene := run.Scenario(t, "test", "here:1")
			meet.Store(true)
			users := crowd(run.CrowdSize())
			flows, err := scene.LaunchCrowd(t.Context(), users)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(flows).To(HaveLen(size))
			ids := map[string]bool{}
			for i, flow := range flows {
				g.Expect(scene.Accepted(flow)).To(BeTrue(), flow.End())
				for _, user := range users {
					g.Expect(flow.Shows(user.Name)).To(Equal(user.Name == users[i].Name), "%s on the page of %s", user.Name, users[i].Name)
				}
				ids[flow.ID] = true
			}
			g.Expect(ids).To(HaveLen(size))
			scene.Observe("core-tool-parallel-users", "users-at-once", results.Passed, "", "", flows...)
			found := scene.Finish()
			g.Expect(found.Flows).To(HaveLen(size))
			for _, flow := range found.Flows {
				g.Expect(flow.Steps).To(HaveEach(HaveField("SeenBy", "http agent")), "over HTTP, and nothing of other launches")
			}
		})
	}
	t.Run("of nobody", func(t *testing.T) {
		flows, err := harnesstest.Tool{}.Start(t).Scenario(t, "test", "here:1").LaunchCrowd(t.Context(), nil)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(flows).To(BeEmpty())
	})
}

func TestReactions(t *testing.T) {
	large := func(answer http.HandlerFunc, bytes int64) func(http.Handler) http.Handler {
		return func(tool http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == faketool.LaunchPath && r.ContentLength > bytes {
					_, _ = io.Copy(io.Discard, r.Body)
					answer(w, r)
					return
				}
				tool.ServeHTTP(w, r)
			})
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "too large", code) }
	}
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	const most, some = 150 << 10, 10 << 10 // bytes that only token-200-kib has, and that all of them have
	for name, c := range map[string]struct {
		harnesstest.Tool
		last, others results.Verdict // on token-200-kib, which informs, and on the smaller ones
		says         string          // of the last
	}{
		"all accepted":                  {harnesstest.Tool{}, results.Passed, results.Passed, "Accepted: "},
		"the last refused":              {harnesstest.Tool{Wrap: large(status(http.StatusRequestEntityTooLarge), most)}, results.Passed, results.Passed, "Refused, as a tool may: HTTP 413"},
		"the last refused with a crash": {harnesstest.Tool{Wrap: large(status(http.StatusInternalServerError), most)}, results.Warned, results.Passed, "Not accepted: HTTP 500"},
		"hung up on the last":           {harnesstest.Tool{Wrap: large(hangUp, most)}, results.Warned, results.Passed, "connection was dropped"},
		"all refused":                   {harnesstest.Tool{Wrap: large(status(http.StatusRequestEntityTooLarge), some)}, results.Passed, results.Warned, "Refused, as a tool may: HTTP 413"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			scene := c.Ready(t).Scenario(t, "test", "here:1")
			scene.React(t.Context(), "practice-tool-large-token")
			found := scene.Finish()
			g.Expect(verdicts(found)).To(Equal(map[string]results.Verdict{"token-16-kib": c.others, "token-64-kib": c.others, "token-200-kib": c.last}))
			for _, o := range found.Observations {
				g.Expect(o.Flows).NotTo(BeEmpty())
				if o.Case == "token-200-kib" {
					g.Expect(o.Seen).To(ContainSubstring(c.says))
				}
			}
		})
	}
	t.Run("permitted and not", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		scene := harnesstest.Tool{Faults: []string{faketool.AcceptsFutureIssueTime}}.Ready(t).Scenario(t, "test", "here:1")
		scene.React(t.Context(), "sec-tool-iat")
		g.Expect(verdicts(scene.Finish())).To(Equal(map[string]results.Verdict{
			"iat-missing": results.Passed, "iat-future": results.Warned, "iat-old": results.Passed,
		}))
	})
	t.Run("a required one refused", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		scene := harnesstest.Tool{Faults: []string{faketool.RefusesAudienceArray}}.Ready(t).Scenario(t, "test", "here:1")
		flow := scene.MustAccept(t.Context(), "sec-tool-aud-array", "aud-one-element-array", harness.Launch{Fault: faultNamed(t, "aud-one-element-array")})
		g.Expect(flow).To(BeNil())
		found := scene.Finish()
		g.Expect(verdicts(found)).To(Equal(map[string]results.Verdict{"aud-one-element-array": results.Failed}))
		g.Expect(found.Observations[0].Flows).To(HaveLen(2), "a valid launch shows that it is the stimulus's doing")
	})
}

// What a tool takes for a secret may be any key that it has kept, whichever spec came before.
func TestAPublicKeyIsNoSecretWhicheverTheToolHasKept(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"accepts-public-key-as-secret", "accepts-first-key-as-secret"} {
		for rotations := range 3 {
			t.Run(fmt.Sprint(fault, " after rotations ", rotations), func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				run := embedded(t, func(c *config.Config) { c.Embedded.Faults = []string{fault} })
				for range rotations {
					g.Expect(run.Platform().AddKey()).To(Succeed())
				}
				scene := run.Scenario(t, "a scenario", "here:1")
				scene.React(t.Context(), "cert-tool-alg-hmac-confusion")
				failed := slices.ContainsFunc(scene.Finish().Observations, func(o results.Observation) bool { return o.Verdict == results.Failed })
				g.Expect(failed).To(BeTrue())
			})
		}
	}
}

func TestANewKey(t *testing.T) {
	for name, c := range map[string]struct {
		faults   []string
		reaction harness.Kind
	}{
		"looked for":     {nil, harness.Accepted},
		"not looked for": {[]string{faketool.NeverFetchesKeysAgain}, harness.Refused}, // and there is no time to wait
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var d diary
			run := harnesstest.Tool{Wrap: d.wrap, Faults: c.faults}.Ready(t)
			d.tell()
			fetches := run.Platform().KeySetFetches()
			g.Expect(fetches).To(BeNumerically(">", 0))
			scene := run.Scenario(t, "test", "here:1")
			flow, err := scene.LaunchWithNewKey(t.Context(), harness.Launch{Fault: new(fakeplatform.NewKeySigns)})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(flow.Reaction.Kind).To(Equal(c.reaction))
			g.Expect(run.Platform().KeySetFetches() > fetches).To(Equal(c.reaction == harness.Accepted))
			g.Expect(d.tell()).To(Equal("V"), "once")
		})
	}
}

func TestRegistrations(t *testing.T) {
	g := NewWithT(t)
	alone := harnesstest.Tool{}.Ready(t)
	g.Expect(alone.Registrations()).To(HaveLen(1))
	g.Expect(alone.Other()).To(BeNil())

	run := harnesstest.Tool{Change: func(c *config.Config) {
		c.Features = []string{config.MultiplePlatforms, config.MultipleClients, config.MultipleDeployments}
	}}.Ready(t)
	known := run.Registrations()
	g.Expect(known).To(HaveLen(3))
	g.Expect(known).To(HaveEach(HaveField("DeploymentIDs", []string{"deployment-1", "deployment-2"})))
	g.Expect([]string{known[0].ClientID, known[1].ClientID, known[2].ClientID}).To(Equal([]string{"invigilator", "invigilator-2", "invigilator"}))
	g.Expect(known[0].JWKSURL).To(Equal(known[1].JWKSURL))
	g.Expect(known[2].JWKSURL).To(Equal(run.OtherServerURL() + fakeplatform.JWKSPath))
	g.Expect(run.OtherServerURL()).To(Equal(run.ServerURL() + config.OtherPath))
	g.Expect(known[2].Platform).To(BeIdenticalTo(run.Other()))
	g.Expect(known[2].Platform.Issuer()).NotTo(Equal(known[0].Platform.Issuer()))

	scene := run.Scenario(t, "test", "here:1")
	for name, launch := range map[string]harness.Launch{
		"the first": {}, "another client": {ClientID: known[1].ClientID}, "another deployment": {DeploymentID: "deployment-2"},
		"another platform": {At: run.Other()}, "another platform's deployment": {At: run.Other(), DeploymentID: "deployment-2"},
	} {
		flow, err := scene.Launch(t.Context(), launch)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(scene.Accepted(flow)).To(BeTrue(), "%s: %s", name, flow.End())
		request, asked := flow.Request()
		g.Expect(asked).To(BeTrue())
		tenant := harness.FirstTenant
		if launch.ClientID != "" {
			tenant = harness.OtherTenant
		}
		g.Expect(request.Params.Get(harness.Tenant)).To(Equal(tenant), name)
	}
}

func TestWhatAPageShows(t *testing.T) {
	g := NewWithT(t)
	run := embedded(t, nil)
	scene := run.Scenario(t, "test", "here:1")
	learner, err := scene.Launch(t.Context(), harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	teacher, err := scene.Launch(t.Context(), harness.Launch{User: harness.Teacher, Link: fakeplatform.ResourceLink{ID: "another", Title: "Another"}})
	g.Expect(err).NotTo(HaveOccurred())
	again, err := scene.Launch(t.Context(), harness.Launch{Title: "the learner again"})
	g.Expect(err).NotTo(HaveOccurred())
	for _, mark := range []func(*harness.Flow) string{(*harness.Flow).UserMark, (*harness.Flow).ResourceMark} {
		g.Expect(mark(learner)).NotTo(BeEmpty())
		g.Expect(mark(teacher)).NotTo(BeEmpty())
		g.Expect(mark(learner)).NotTo(Equal(mark(teacher)))
		g.Expect(mark(learner)).To(Equal(mark(again)))
	}
	g.Expect([]bool{learner.Teaches(), teacher.Teaches(), again.Teaches()}).To(Equal([]bool{false, true, false}))
	g.Expect(learner.HasMarkup()).To(BeFalse())

	unescaped := embedded(t, func(c *config.Config) { c.Embedded.Faults = []string{faketool.ShowsNamesUnescaped} })
	scene = unescaped.Scenario(t, "test", "here:1")
	script, err := scene.Launch(t.Context(), harness.Launch{Fault: faultNamed(t, "script-in-claims")})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(script.HasMarkup()).To(BeTrue())
	g.Expect(scene.Finish().Consulted).To(BeEmpty(), "it is asked of a tool without faults")
}

func TestEvidenceIsWhatVerdictsReferTo(t *testing.T) {
	g := NewWithT(t)
	run := embedded(t, nil)
	scene := run.Scenario(t, "test", "here:1")
	var flows []*harness.Flow
	for range 3 {
		flow, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch"})
		g.Expect(err).NotTo(HaveOccurred())
		flows = append(flows, flow)
	}
	scene.Check(nonceMissing, "", true, "", "", flows[1], nil, flows[1])
	found := scene.Finish()
	g.Expect(found.Observations).To(ConsistOf(HaveField("Flows", []string{flows[1].ID})))
	g.Expect(found.Flows).To(And(HaveLen(1), HaveKey(flows[1].ID)))

	seen := map[string]int{}
	for _, step := range found.Flows[flows[1].ID].Steps {
		seen[step.SeenBy]++
	}
	g.Expect(seen).To(HaveKey("http agent, platform"))
	g.Expect(seen).To(HaveKey("http agent, tool"))
	g.Expect(seen).NotTo(HaveKey("http agent"), "every exchange of the agent was with one of the two, and is kept once")
	g.Expect(seen).NotTo(HaveKey("tool"))
}

func TestEvidenceHasWhatLedToALaunch(t *testing.T) {
	g := NewWithT(t)
	scene := embedded(t, nil).Scenario(t, "test", "here:1")
	borrowing := scene.Attempt(*faultNamed(t, "nonce-of-other-browser"))
	scene.MustRefuse(t.Context(), "oidc-tool-nonce-foreign", borrowing)
	found := scene.Finish()
	g.Expect(verdicts(found)).To(Equal(map[string]results.Verdict{"nonce-of-other-browser": results.Passed}))
	g.Expect(found.Observations[0].Flows).To(HaveLen(4), "two valid launches, the bad one and the login that it borrows from")
	g.Expect(found.Flows).To(HaveLen(4))
}

func TestOnlyVerdicts(t *testing.T) {
	g := NewWithT(t)
	scene := embedded(t, func(c *config.Config) { c.Embedded.OnlyVerdicts = true }).Scenario(t, "test", "here:1")
	scene.MustRefuse(t.Context(), nonceMissing, nonceless(t, scene, 2)...)
	found := scene.Finish()
	g.Expect(found.Observations).To(And(HaveLen(2), HaveEach(And(HaveField("Verdict", results.Passed), HaveField("Seen", Not(BeEmpty())), HaveField("Flows", BeEmpty())))))
	g.Expect(found.Flows).To(BeEmpty())
	g.Expect(found.Screenshots).To(BeEmpty())
}

// Keys take long to make, so that embedded runs that follow one another have the same.
func TestKeysOfTheFakes(t *testing.T) {
	g := NewWithT(t)
	first, next := embedded(t, nil), embedded(t, nil)
	key, other := first.Platform().Keys()[0], first.Other().Keys()[0]
	g.Expect(next.Platform().Keys()).To(ConsistOf(HaveField("KeyID()", key.KeyID())))
	g.Expect(next.Other().Keys()).To(ConsistOf(HaveField("KeyID()", other.KeyID())))
	g.Expect(key.KeyID()).NotTo(Equal(other.KeyID()))
	real := harnesstest.Tool{}.Start(t)
	g.Expect(real.Platform().Keys()).To(ConsistOf(HaveField("KeyID()", Not(Equal(key.KeyID())))), "the keys of a fake that a real subject knows are its own")
}

// published is a JWK Set of keys, each changed.
func published(g *WithT, change func(map[string]any), keys ...any) string {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	for i, raw := range keys {
		key, err := jwk.FromRaw(raw)
		g.Expect(err).NotTo(HaveOccurred())
		encoded, err := json.Marshal(key)
		g.Expect(err).NotTo(HaveOccurred())
		var members map[string]any
		g.Expect(json.Unmarshal(encoded, &members)).To(Succeed())
		members["kid"] = fmt.Sprintf("key-%d", i+1)
		if change != nil {
			change(members)
		}
		set.Keys = append(set.Keys, members)
	}
	encoded, err := json.Marshal(set)
	g.Expect(err).NotTo(HaveOccurred())
	return string(encoded)
}

func TestKeySets(t *testing.T) {
	g := NewWithT(t)
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	g.Expect(err).NotTo(HaveOccurred())
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	g.Expect(err).NotTo(HaveOccurred())
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	without := func(names ...string) func(map[string]any) {
		return func(key map[string]any) {
			for _, name := range names {
				delete(key, name)
			}
		}
	}
	with := func(name string, value any) func(map[string]any) {
		return func(key map[string]any) { key[name] = value }
	}
	for name, c := range map[string]struct {
		set      string
		count    int
		problems []string
	}{
		"one key":         {published(g, nil, good.PublicKey), 1, nil},
		"two of a kind":   {published(g, nil, good.PublicKey, good.PublicKey), 2, nil},
		"a curve":         {published(g, nil, curve.PublicKey), 1, nil},
		"unknown members": {published(g, with("issued", 7), good.PublicKey), 1, nil},
		"no key":          {`{"keys": []}`, 0, []string{"there is no key"}},
		"no list of keys": {`{}`, 0, []string{"there is no key"}},
		"null":            {`null`, 0, []string{"there is no key"}},
		"no kid":          {published(g, without("kid"), good.PublicKey), 1, []string{"key 1 has no kid"}},
		"an empty kid":    {published(g, with("kid", ""), good.PublicKey), 1, []string{"key 1 has no kid"}},
		"short keys":      {published(g, nil, good.PublicKey, short.PublicKey), 2, []string{"key 2 is an RSA key of 1024 bits instead of 2048 or more"}},
		"a private key":   {published(g, nil, good), 1, []string{"key 1 publishes the private members d, p, q, dp, dq, qi"}},
		"a private curve": {published(g, nil, curve.PublicKey, curve), 2, []string{"key 2 publishes the private members d"}},
		"a secret":        {published(g, nil, []byte("a secret that all may read")), 1, []string{"key 1 publishes the private members k", "key 1 is symmetric"}},
		"a part of one":   {published(g, without("d", "p", "q", "dp", "dq"), good), 1, []string{"key 1 publishes the private members qi"}},
		"several problems": {
			published(g, without("kid"), short), 1,
			[]string{"key 1 has no kid", "key 1 publishes the private members d, p, q, dp, dq, qi", "key 1 is an RSA key of 1024 bits instead of 2048 or more"},
		},
		"no modulus":      {published(g, without("n"), good.PublicKey), 1, []string{"key 1 is not a usable JWK"}},
		"an unknown type": {published(g, with("kty", "PQC"), good.PublicKey), 1, []string{"key 1 is not a usable JWK"}},
		"an empty key":    {`{"keys": [{}]}`, 1, []string{"key 1 has no kid", "key 1 is not a usable JWK"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.set) }))
			defer server.Close()
			found, err := harnesstest.Start(t, server.URL, nil).FetchKeySet(t.Context(), server.URL+"/jwks")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found.Keys).To(HaveLen(c.count))
			g.Expect(slices.Concat(found.Problems, found.Private)).To(ConsistOf(c.problems))
		})
	}
}

func TestKeySetsThatCannotBeRead(t *testing.T) {
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		says  string
	}{
		"not there":       {http.NotFound, "HTTP 404"},
		"a crash":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "HTTP 500"},
		"elsewhere":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) }, "10 redirects"},
		"no content":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "HTTP 204"},
		"empty":           {answer(""), "not a JWK Set"},
		"a page":          {answer("<!DOCTYPE html><title>Keys</title>"), "a page instead of a key set"},
		"a list":          {answer("[]"), "not a JWK Set"},
		"keys by name":    {answer(`{"keys": {"a": {}}}`), "not a JWK Set"},
		"numbers as keys": {answer(`{"keys": [1]}`), "not a JWK Set"},
		"half of it":      {answer(`{"keys": [{"kty":`), "not a JWK Set"},
		"far too long":    {answer(`{"keys": ["` + strings.Repeat("x", 2<<20) + `"]}`), "not a JWK Set"},
		"hung up":         {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"no answer":       {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			server := httptest.NewServer(c.serve)
			defer server.Close()
			run := harnesstest.Start(t, server.URL, func(c *config.Config) { c.Timeout.Launch = config.Duration(300 * time.Millisecond) })
			_, err := run.FetchKeySet(t.Context(), server.URL+"/jwks")
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
	t.Run("an address of no sense", func(t *testing.T) {
		_, err := harnesstest.Start(t, "http://127.0.0.1:1", nil).FetchKeySet(t.Context(), "http://[")
		NewWithT(t).Expect(err).To(HaveOccurred())
	})
}

func TestKeySetOfTheEmbeddedTool(t *testing.T) {
	for fault, problems := range map[string][]string{
		"": nil, faketool.PublishesPrivateKey: {"key 1 publishes the private members d, p, q, dp, dq, qi"},
		faketool.PublishesShortKey: {"key 1 is an RSA key of 1024 bits instead of 2048 or more"}, faketool.PublishesKeyWithoutKID: {"key 1 has no kid"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := embedded(t, func(c *config.Config) {
				if fault != "" {
					c.Embedded.Faults = []string{fault}
				}
			})
			found, err := run.FetchKeySet(t.Context(), run.Tool().JWKSURL)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found.Keys).To(HaveLen(1))
			g.Expect(slices.Concat(found.Problems, found.Private)).To(ConsistOf(problems))
		})
	}
}

func TestANestedKeySetCannotBeRead(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := embedded(t, func(c *config.Config) { c.Embedded.Faults = []string{faketool.NestsKeySet} })
	_, err := run.FetchKeySet(t.Context(), run.Tool().JWKSURL)
	g.Expect(err).To(MatchError(ContainSubstring("not a JWK Set")))
	g.Expect(harness.Unread(err)).To(Equal(results.Failed))
}

func TestTheRunWaitsForAToolThatDied(t *testing.T) {
	g := NewWithT(t)
	var deaths atomic.Int32
	run := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == faketool.LaunchPath && deaths.Add(1) == 6 { // after the five of the preflight
				panic(http.ErrAbortHandler)
			}
			tool.ServeHTTP(w, r)
		})
	}}.Ready(t)
	scene := run.Scenario(t, "test", "here:1")
	dead, err := scene.Launch(t.Context(), harness.Launch{Title: "meets a dying tool"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(dead.Reaction.Kind).To(Equal(harness.Dead))
	alive, err := scene.Launch(t.Context(), harness.Launch{Title: "meets it again"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(alive.Reaction.Kind).To(Equal(harness.Accepted))
	g.Expect(scene.Finish().Findings).To(ContainElement(HaveField("Kind", "dropped")))
}

func TestEvidenceHoldsNoSecrets(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var secrets []string
	run := harnesstest.Tool{Wrap: func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			for _, c := range r.Cookies() {
				if strings.HasPrefix(c.Name, "faketool_login_") {
					secrets = append(secrets, c.Value)
				}
			}
			mu.Unlock()
			tool.ServeHTTP(w, r)
		})
	}}.Ready(t)
	scene := run.Scenario(t, "test", "here:1")
	flow, err := scene.Launch(t.Context(), harness.Launch{Title: "a launch"})
	g.Expect(err).NotTo(HaveOccurred())
	scene.Observe(nonceMissing, "", results.Passed, "", "", flow)
	text := fmt.Sprint(scene.Finish())
	g.Expect(text).To(ContainSubstring("faketool_login_"))
	mu.Lock()
	defer mu.Unlock()
	g.Expect(secrets).NotTo(BeEmpty())
	for _, secret := range secrets {
		g.Expect(strings.Contains(text, secret)).To(BeFalse())
	}
}

// A feature that only some stimuli of a requirement need leaves the others to be tried.
func TestAStimulusMayNeedAFeatureThatItsRequirementDoesNot(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	const id = "core-tool-login-client-id"
	scene := harnesstest.Tool{}.Start(t).Scenario(t, "a scenario", "here:1")
	g.Expect(scene.Undeclared(id)).To(BeEmpty())
	g.Expect(scene.Unbound(id, "client-id-second")).To(BeTrue())
	g.Expect(scene.Unbound(id, "client-id-absent")).To(BeFalse())
	g.Expect(scene.Finish().Observations).To(ConsistOf(And(
		HaveField("Case", "client-id-second"), HaveField("Verdict", results.Skipped), HaveField("Seen", ContainSubstring(config.MultipleClients)),
	)))
}
