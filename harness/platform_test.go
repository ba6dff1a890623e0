package harness_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	"invigilator.example/secret"
	"invigilator.example/secret/secrettest"
)

func TestARealPlatformCanBeJudged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{}.Start(t)
	found, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.Flows).NotTo(BeEmpty())

	scene := run.Scenario(t, "a scenario", "here:1")
	flow, err := scene.Control(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).NotTo(HaveOccurred())
	iss, _ := flow.Message().Text("iss")
	g.Expect(iss).To(Equal(run.Platform().Issuer))
	scene.React(t.Context(), "oidc-auth-missing-nonce")
	scene.React(t.Context(), "sec-auth-login-hint-matches-session-user")
	verdicts := map[string]results.Verdict{}
	for _, o := range scene.Finish().Observations {
		verdicts[o.Case] = o.Verdict
		g.Expect(o.Flows).NotTo(BeEmpty(), o.Case)
	}
	g.Expect(verdicts).To(Equal(map[string]results.Verdict{
		"nonce-missing": results.Passed, "nonce-empty": results.Passed,
		"login-hint-missing": results.Passed, "login-hint-altered": results.Passed, "login-hint-of-other-user": results.Passed,
	}))
}

func TestWhatComesWhereItMustNotIsFound(t *testing.T) {
	t.Parallel()
	for fault, c := range map[string]struct {
		id       requirements.ID
		stimulus string
	}{
		"accepts-any-redirect-uri": {"sec-auth-redirect-uri-registered", "redirect-uri-foreign-host"},
		"accepts-empty-nonce":      {"oidc-auth-missing-nonce", "nonce-empty"},
		"sends-code":               {"oidc-auth-response-type", "response-type-code"},
		"truncates-state":          {"oidc-auth-state-echo", "state-long"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			scene := harnesstest.Campus{Faults: []string{fault}}.Start(t).Scenario(t, "a scenario", "here:1")
			scene.React(t.Context(), c.id, func(f *harness.PlatformFlow) (results.Verdict, string) {
				if f.Answer != nil && f.Answer.State != f.Request.Params.Get("state") {
					return results.Failed, "another state"
				}
				return results.Passed, ""
			})
			for _, o := range scene.Finish().Observations {
				if o.Case == c.stimulus {
					g.Expect(o.Verdict).To(Equal(results.Failed), o.Seen)
					return
				}
			}
			t.Error("the stimulus was not observed")
		})
	}
}

// heldBack holds the form of an answer back for a moment, as pages do that count down.
func heldBack(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/auth" {
			h.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = fmt.Fprint(w, strings.ReplaceAll(answer.Body.String(), "document.forms[0].submit()", "setTimeout(() => document.forms[0].submit(), 600)"))
	})
}

func TestAnAnswerMayComeLate(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Wrap: heldBack, Faults: []string{"accepts-empty-nonce"}, Change: func(c *config.Config) {
		c.Agent, c.Timeout.Launch, c.Timeout.Step = "browser", config.Duration(20*time.Second), config.Duration(10*time.Second)
	}}.Start(t)
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	scene := run.Scenario(t, "a scenario", "here:1")
	scene.React(t.Context(), "oidc-auth-missing-nonce")
	verdicts := map[string]results.Verdict{}
	for _, o := range scene.Finish().Observations {
		verdicts[o.Case] = o.Verdict
	}
	g.Expect(verdicts).To(Equal(map[string]results.Verdict{"nonce-missing": results.Passed, "nonce-empty": results.Failed}))
}

func TestARedirectURIThatRunsAsAScriptIsFound(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: func(c *config.Config) { c.Agent = "browser" }, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if to := r.FormValue("redirect_uri"); r.URL.Path == "/auth" && strings.HasPrefix(to, "javascript:") {
				w.Header().Set("Content-Type", "text/html")
				_, _ = fmt.Fprintf(w, `<form method="post" action='%s'></form><script>document.forms[0].submit()</script>`, to)
				return
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := run.Scenario(t, "a scenario", "here:1")
	const id = "sec-auth-redirect-uri-registered"
	scene.ReactTo(t.Context(), id, slices.DeleteFunc(faketool.FaultsFor(id), func(f faketool.Fault) bool { return f.Name != "redirect-uri-javascript" }))
	g.Expect(scene.Finish().Observations).To(ConsistOf(And(HaveField("Verdict", results.Failed), HaveField("Seen", ContainSubstring("ran as a script")))))
}

// Whatever the browser makes of it: what counts is where the answer is aimed.
func TestAnErrorThatIsAimedAtAnUnregisteredRedirectURIIsFound(t *testing.T) {
	for fault, stimulus := range map[string]string{
		"posts-errors-to-scripts": "redirect-uri-data", "redirects-errors-to-scripts": "redirect-uri-javascript",
		"posts-errors-behind-user-info": "redirect-uri-userinfo", "redirects-errors-to-upper-case": "redirect-uri-upper-case-host",
	} {
		for _, by := range []string{"browser", "http"} {
			t.Run(fault+", "+by, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				scene := harnesstest.Campus{Faults: []string{fault}, Change: func(c *config.Config) { c.Agent = by }}.Start(t).Scenario(t, "a scenario", "here:1")
				probe := faketool.Stimuli()[slices.IndexFunc(faketool.Stimuli(), func(f faketool.Fault) bool { return f.Name == stimulus })]
				scene.ReactTo(t.Context(), requirements.ID(probe.Provokes), []faketool.Fault{probe})
				g.Expect(scene.Finish().Observations).To(ConsistOf(And(HaveField("Verdict", results.Failed), HaveField("Seen", ContainSubstring("aimed at")))))
			})
		}
	}
}

// A platform that stops working must not pass for one that refuses.
func TestRefusalsCountOnlyWhileLaunchesWork(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var dead bool
	run := harnesstest.Campus{Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/auth" && (dead || r.URL.Query().Get("nonce") == "") {
				dead = true
				http.Error(w, "out of order", http.StatusBadRequest)
				return
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := run.Scenario(t, "a scenario", "here:1")
	scene.React(t.Context(), "oidc-auth-missing-nonce")
	observations := scene.Finish().Observations
	g.Expect(observations).To(HaveLen(2))
	g.Expect(observations).To(HaveEach(And(HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring("did not work")))))
}

func TestWhatIsInTheWayOfAPlatformIsSaidOnce(t *testing.T) {
	t.Parallel()
	replace := func(old, with string) func(string) string {
		return func(yaml string) string { return strings.Replace(yaml, old, with, 1) }
	}
	at := func(path string, serve http.HandlerFunc) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == path && r.Method == http.MethodGet {
					serve(w, r)
					return
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	for name, c := range map[string]struct {
		campus harnesstest.Campus
		says   []string
	}{
		"a wrong password": {harnesstest.Campus{Password: "not this one"}, []string{"The sign-in of learner got stuck at step 5 of 5 (wait text=Your courses)", "Wrong user name or password", "name and password"}},
		"a missing selector": {
			harnesstest.Campus{Edit: replace(`click: "#course-1"`, `click: "#course-9"`)},
			[]string{"learner-opens-link got stuck at step 2 of 3 (click #course-9)", "no #course-9", "Your courses", "invigilator journey learner-opens-link"},
		},
		"an unexpected page": {
			harnesstest.Campus{Wrap: at("/courses", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `<title>Consent</title><h1>We value your privacy</h1><button>Accept all</button>`)
			})},
			[]string{"The sign-in of learner got stuck", "We value your privacy"},
		},
		"a link that opens something else": {
			harnesstest.Campus{Edit: replace("click: text=Exercise 1", "click: text=Take the slow page")},
			[]string{"reached its last step, but no launch", "A slow page", "login initiation URL https://tool.test/login?tenant=7"},
		},
		"another redirect URI": {harnesstest.Campus{Redirect: "https://tool.test/callback"}, []string{"The redirect URI https://tool.test/launch is not registered", "page of its own instead of an id_token"}},
		"another redirect URI, which is not found": {
			harnesstest.Campus{Redirect: "https://tool.test/callback", Wrap: at("/auth", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = fmt.Fprint(w, `<title>Invalid request</title><h1>Invalid request</h1>`)
			})}, []string{"The redirect URI https://tool.test/launch is not registered", "Invalid request"},
		},
		"a request that is refused for something else": {
			harnesstest.Campus{Wrap: func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/auth" && strings.HasSuffix(r.FormValue("redirect_uri"), "/launch") {
						http.Error(w, "It is your turn later", http.StatusBadRequest)
						return
					}
					h.ServeHTTP(w, r)
				})
			}}, []string{"with a page of its own instead of an id_token.", "It is your turn later"},
		},
		"an issuer with a slash": {
			harnesstest.Campus{Change: func(c *config.Config) { c.Platform.Issuer += "/" }}, []string{"The configuration does not match the platform's launches", "platform.issuer"},
		},
		"another deployment": {
			harnesstest.Campus{Change: func(c *config.Config) { c.Registration.DeploymentID = "2" }}, []string{`registration.deployment_id is "2", but the launches say "1"`},
		},
		"another client_id, to which the platform does not object": {
			harnesstest.Campus{Change: func(c *config.Config) { c.Registration.ClientID = "invigilator-9" }, ClientID: "invigilator", Faults: []string{"ignores-client-id"}},
			[]string{`registration.client_id is "invigilator-9", but the launches say "invigilator"`},
		},
		"another link": {
			harnesstest.Campus{Change: func(c *config.Config) { c.FakeTool.TargetLinkURI = "https://tool.test/other" }, Target: "https://tool.test/launch?chapter=1"},
			[]string{`fake_tool.target_link_uri is "https://tool.test/other", but the launches say "https://tool.test/launch?chapter=1"`},
		},
		"no key set there": {
			harnesstest.Campus{Wrap: at("/jwks", http.NotFound)}, []string{"There is no key set at platform.jwks_url", "HTTP 404"},
		},
		"a page instead of a key set": {
			harnesstest.Campus{Change: func(c *config.Config) { c.Platform.JWKSURL += "s" }}, []string{"There is no key set at platform.jwks_url", "a page"},
		},
		"an authorization endpoint that is none": {
			harnesstest.Campus{Change: func(c *config.Config) { c.Platform.AuthURL += "orize" }}, []string{"nothing at the authorization endpoint", "platform.auth_url"},
		},
		"an authorization endpoint that hangs": {
			harnesstest.Campus{Wrap: at("/auth", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), Change: func(c *config.Config) { c.Timeout.Launch = config.Duration(200 * time.Millisecond) }},
			[]string{"did not answer a valid authentication request"},
		},
		"nobody there": {
			harnesstest.Campus{Wrap: func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
			}}, []string{"The sign-in of learner got stuck at step 1 of 5 (open", "Is the platform running"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			found, err := c.campus.Start(t).Preflight(t.Context())
			var d *results.Diagnosis
			g.Expect(errors.As(err, &d)).To(BeTrue(), "%v", err)
			for _, part := range c.says {
				g.Expect(d.Error()).To(ContainSubstring(part))
			}
			g.Expect(found.Flows).To(HaveKey(d.FlowID), "the evidence")
			g.Expect(d.Error()).NotTo(ContainSubstring("not this one"))
		})
	}
}

func TestAJourneyThatGetsStuckLeavesAPicture(t *testing.T) {
	for name, page := range map[string]string{
		"an endless spinner": `<title>Loading</title><p id="spinner">Loading ...</p><script>setInterval(() => fetch("/courses?" + Math.random()), 20)</script>`,
		"a consent overlay": `<title>Courses</title><h1>Your courses</h1><a id="course-1" href="/course/1">Analytical Engines</a>` +
			`<div id="consent" style="position:fixed;inset:0;background:#fff">We value your privacy</div>`,
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			run := harnesstest.Campus{
				Change: func(c *config.Config) { c.Agent = "browser" },
				Wrap: func(h http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/courses" {
							w.Header().Set("Content-Type", "text/html")
							_, _ = fmt.Fprint(w, page)
							return
						}
						h.ServeHTTP(w, r)
					})
				},
			}.Start(t)
			found, err := run.Preflight(t.Context())
			var d *results.Diagnosis
			g.Expect(errors.As(err, &d)).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring("got stuck at step"))
			picture := found.Flows[d.FlowID].Page.Screenshot
			g.Expect(found.Screenshots[picture]).NotTo(BeEmpty())
		})
	}
}

// echo shows a secret in every way of writing it, wherever an answer can: in the page,
// its title, the names and the values of its header, and its cookies.
func echo(text string, h http.Handler) http.Handler {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(secrettest.Writings)) {
		all = append(all, secrettest.Writings[name](text))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		for i, written := range all {
			w.Header().Add(fmt.Sprintf("X-Echo-%d", i), strings.NewReplacer("\r", "", "\n", "").Replace(written))
		}
		w.Header().Add("X-"+hex.EncodeToString([]byte(text)), "a name")
		http.SetCookie(w, &http.Cookie{Name: "c" + hex.EncodeToString([]byte(text)), Value: url.QueryEscape(text)})
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		if strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") {
			_, _ = fmt.Fprintf(w, "<title>%s</title><p>%s</p>", html.EscapeString(text), html.EscapeString(strings.Join(all, " | ")))
		}
	})
}

func TestSecretsOfJourneysStayOutOfTheDocument(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path string
		only bool // the page itself is not shown
	}{
		"while it works": {}, "where the journey gets stuck": {"/courses", true}, "where a valid request is not answered": {"/auth", true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			hide := secret.New(map[string]string{harnesstest.Password: "${CAMPUS_PASSWORD}"})
			run := harnesstest.Campus{Wrap: func(h http.Handler) http.Handler {
				return echo(harnesstest.Password, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.only && r.URL.Path == c.path {
						w.Header().Set("Content-Type", "text/html; charset=utf-8")
						return
					}
					h.ServeHTTP(w, r)
				}))
			}}.Start(t)
			found, err := run.Preflight(t.Context())
			if c.only {
				var d *results.Diagnosis
				g.Expect(errors.As(err, &d)).To(BeTrue())
				says := d.Hide(hide.Hide).Error()
				g.Expect(says).To(ContainSubstring("${CAMPUS_PASSWORD}"), "the platform has shown it")
				g.Expect(hide.Holds(says)).To(BeFalse())
			} else {
				g.Expect(err).NotTo(HaveOccurred())
				scene := run.Scenario(t, "a scenario", "here:1")
				scene.React(t.Context(), "oidc-auth-missing-nonce")
				maps.Copy(found.Flows, scene.Finish().Flows)
			}
			g.Expect(found.Flows).NotTo(BeEmpty())
			shown := found.Hide(hide.Hide)
			for id, flow := range shown.Flows {
				g.Expect(fmt.Sprint(found.Flows[id])).To(ContainSubstring("wörd"))
				for written, write := range secrettest.Writings {
					g.Expect(strings.Contains(fmt.Sprint(flow), write(harnesstest.Password))).To(BeFalse(), written)
				}
				encoded, err := json.Marshal(flow)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(hide.Holds(string(encoded))).To(BeFalse())
				g.Expect(fmt.Sprint(flow)).To(ContainSubstring("${CAMPUS_PASSWORD}"))
			}
		})
	}
}

func TestTheKeyOfTheFakeToolLasts(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "key.json")
	first, err := harness.ToolKey(path)
	g.Expect(err).NotTo(HaveOccurred())
	again, err := harness.ToolKey(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.KeyID()).To(Equal(first.KeyID()))
	_, err = harness.ToolKey(filepath.Join(t.TempDir(), "no", "folder"))
	g.Expect(err).To(MatchError(ContainSubstring("fake_tool.key_file")))
}

func TestJourneysAreMadeByName(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{}.Start(t)
	var steps []string
	trip, err := run.Journey(t.Context(), "learner-opens-link", nil, func(step string) { steps = append(steps, step) })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(trip.Page.URL).To(HavePrefix("https://tool.test" + faketool.HeldPath))
	g.Expect(steps).To(HaveLen(8))
	g.Expect(steps[2]).To(Equal("fill label=Password with ${CAMPUS_PASSWORD}"))
	_, err = run.Journey(t.Context(), "nowhere", nil, func(string) {})
	g.Expect(err).To(MatchError(harness.ErrNoJourney))
	g.Expect(run.Journeys()).To(ContainElement("learner-signs-out"))
}

func TestWhatJourneysNameAndLeaveToOneAgent(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Edit: func(yaml string) string {
		return yaml + `
  a-copy:
    user: instructor
    does: copy-course
    steps: [{open: "${CAMPUS_URL}/courses?{unique}"}, {click: "#no", agent: browser}, {wait: h1, agent: http}]
  a-copied-link: {user: second-learner, launch: copied-link, steps: [{open: "${CAMPUS_URL}/courses?{unique}&{user_id}&{learner}"}]}
  a-reset: {user: instructor, does: reset-exam, steps: [{open: "${CAMPUS_URL}/courses?{unique}&{user_id}"}]}
`
	}}.Start(t)
	made := func(name string, given ...string) []string {
		var steps []string
		_, err := run.Journey(t.Context(), name, given, func(step string) { steps = append(steps, step) })
		if _, stuck := errors.AsType[*harness.JourneyError](err); !stuck {
			g.Expect(err).NotTo(HaveOccurred())
		}
		return steps[5:] // after the sign-in
	}
	query := func(steps []string) []string {
		_, query, _ := strings.Cut(steps[0], "?")
		return strings.Split(query, "&")
	}
	first, second := made("a-copy"), made("a-copy")
	g.Expect(first).To(HaveLen(2))
	g.Expect(first[1]).To(Equal("wait h1"))
	g.Expect(query(first)[0]).To(MatchRegexp("^[a-z0-9]{12}$"))
	g.Expect(query(second)).NotTo(Equal(query(first)))
	copied := query(made("a-copied-link"))
	g.Expect(copied).To(Equal([]string{query(second)[0], "grace", "Grace+Hopper"}), "those of who makes the journey, and of the last copy")
	g.Expect(query(made("a-reset"))[1]).To(Equal("ada"), "whose exam it is")
	g.Expect(query(made("a-reset", append(run.WordsAbout("Grace Hopper"), "{unique}", "x")...))).To(Equal([]string{"x", "grace"}))
}

func TestACopyOfACourseIsTakenAwayOrToldOf(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		edit func(string) string
		left []string
	}{
		"with a journey": {func(yaml string) string { return yaml }, nil},
		"without one":    {func(yaml string) string { return strings.Replace(yaml, "does: remove-copy", "does: open-grades", 1) }, []string{"no journey does remove-copy"}},
		"with one that gets stuck": {
			func(yaml string) string {
				return strings.Replace(yaml, "text=Remove this copy", "text=Throw this copy away", 1)
			}, []string{"got stuck"},
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			scene := harnesstest.Campus{Edit: c.edit}.Start(t).Scenario(t, "a scenario", "here:1")
			g.Expect(scene.CopyCourse(t.Context())).To(Succeed())
			_, err := scene.Control(t.Context(), harness.PlatformLaunch{Link: config.CopiedLink})
			g.Expect(err).NotTo(HaveOccurred())
			var left []string
			for _, f := range scene.Finish().Findings {
				if f.Kind == "left behind" {
					left = append(left, f.Says)
				}
			}
			g.Expect(left).To(HaveLen(len(c.left)))
			for i, says := range c.left {
				g.Expect(left[i]).To(And(ContainSubstring("A copy of the course is left behind"), ContainSubstring(says)))
			}
		})
	}
}

func TestAPlatformWithoutALinkForACheck(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Edit: func(yaml string) string {
		return strings.ReplaceAll(yaml, "launch: other-link", "launch: resource-link")
	}}.Start(t)
	scene := run.Scenario(t, "a scenario", "here:1")
	_, err := scene.Control(context.Background(), harness.PlatformLaunch{Link: config.OtherLink})
	g.Expect(scene.Unseen("core-resource-link-id-stable-unique", "", err)).To(BeTrue())
	g.Expect(scene.Finish().Observations).To(HaveEach(HaveField("Verdict", results.Inconclusive)))
}

// Two runs that begin together in a new folder must not each tell a platform of a key of
// their own.
func TestRunsThatBeginTogetherHaveOneKey(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "key.json")
	ids := make([]string, 6)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			if key, err := harness.ToolKey(path); err == nil {
				ids[i] = key.KeyID()
			}
		})
	}
	all.Wait()
	g.Expect(ids[0]).NotTo(BeEmpty())
	g.Expect(ids).To(HaveEach(ids[0]))
	entries, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(entries).To(HaveLen(1), "the key and nothing else")
	info, err := os.Stat(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
}

// garbled changes the id_token of each launch page of a platform.
func garbled(change func(string) string, when func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !when(r) {
				h.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			body := tokens.ReplaceAllStringFunc(answer.Body.String(), change)
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = fmt.Fprint(w, body)
		})
	}
}

// tokens are JWTs in a page.
var tokens = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)

func always(*http.Request) bool { return true }

func TestAnUnreadableMessageIsOneDiagnosis(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(string) string
		says   string
	}{
		"garbage":   {func(string) string { return "abc" }, "cannot be read"},
		"truncated": {func(token string) string { return token[:len(token)/2] }, "2 parts instead of 3"},
		"encrypted": {func(string) string { return "eyJhbGciOiJkaXIifQ.a.b.c.d" }, "encrypted"},
		"too long":  {func(token string) string { return token + strings.Repeat("x", 300<<10) }, "longer than Invigilator reads"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			found, err := harnesstest.Campus{Wrap: garbled(c.change, always)}.Start(t).Preflight(t.Context())
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.says))
			g.Expect(d.Seen).To(HavePrefix("id_token="))
			g.Expect(len(d.Seen)).To(BeNumerically("<", 400))
			g.Expect(found.Flows).To(HaveKey(d.FlowID))
		})
	}
}

func TestNothingIsJudgedByWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var garble atomic.Bool
	run := harnesstest.Campus{Wrap: garbled(func(string) string { return "abc" }, func(*http.Request) bool { return garble.Load() })}.Start(t)
	_, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	garble.Store(true)
	scene := run.Scenario(t, "a scenario", "here:1")
	flow, err := scene.Control(t.Context(), harness.PlatformLaunch{})
	g.Expect(err).To(MatchError(harness.ErrNoLaunch))
	g.Expect(flow.Launched()).To(BeTrue())
	_, keys := run.FetchKeySet(t.Context(), run.Platform().JWKSURL)
	g.Expect(keys).NotTo(HaveOccurred())

	iss, _ := flow.Message().Text("iss")
	scene.Check("sec-id-token-iss", "", iss == run.Platform().Issuer, "", "iss", flow)
	scene.Check("formpost-response-form", "", flow.Posted(), "", "the form was seen", flow)
	_ = flow.Message()
	scene.Check("cert-platform-no-extra-whitespace", "", true, "", "no claim", flow)
	scene.Check("sec-id-token-signature", "", flow.Signed().Problem == "", "", flow.Signed().Problem, flow)
	verdicts, _, _, _ := verdictsOf(scene.Finish())
	g.Expect(verdicts).To(Equal(map[string]results.Verdict{
		"sec-id-token-iss ": results.Inconclusive, "formpost-response-form ": results.Passed,
		"cert-platform-no-extra-whitespace ": results.Inconclusive, "sec-id-token-signature ": results.Failed,
	}))
}
