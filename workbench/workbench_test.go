package workbench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/workbench"
)

// bench is a workbench, and somebody who looks at its page.
type bench struct {
	*workbench.Workbench
	t      *testing.T
	client *http.Client
}

func start(t *testing.T, c config.Config) bench {
	t.Helper()
	w, err := workbench.Start(workbench.Options{Config: c, Listen: "127.0.0.1:0"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(w.Close)
	return bench{w, t, &http.Client{Timeout: 10 * time.Second}}
}

// get returns a page, which has to be there.
func (b bench) get(path string) string {
	b.t.Helper()
	g := NewWithT(b.t)
	response, err := b.client.Get(b.URL() + path)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	g.Expect(response.StatusCode).To(Equal(http.StatusOK))
	g.Expect(response.Header.Get("Content-Security-Policy")).To(And(HavePrefix("default-src 'none'; script-src 'self';"), ContainSubstring("frame-ancestors 'none'"), Not(ContainSubstring("unsafe"))))
	text, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

var tokenIn = regexp.MustCompile(`name="token" value="([^"]+)"`)

// post sends a form of the page, and returns the status, the page, and where the browser is sent.
func (b bench) post(path string, fields map[string]string, change func(*http.Request)) (int, string, string) {
	b.t.Helper()
	g := NewWithT(b.t)
	values := url.Values{"token": {tokenIn.FindStringSubmatch(b.get("/"))[1]}}
	for name, value := range fields {
		values.Set(name, value)
	}
	request, err := http.NewRequest(http.MethodPost, b.URL()+path, strings.NewReader(values.Encode()))
	g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(request)
	}
	response, err := b.client.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	_, to, _ := strings.Cut(response.Header.Get("Refresh"), "url=")
	return response.StatusCode, string(text), to
}

// travel goes where a browser is sent, and returns the page that it ends on.
func (b bench) travel(address string) string {
	b.t.Helper()
	g := NewWithT(b.t)
	user, err := agent.NewHTTP(agent.Hosts{}).Open(b.t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	trip, err := user.Visit(b.t.Context(), agent.Visit{URL: address, Deadline: 10 * time.Second})
	g.Expect(err).NotTo(HaveOccurred())
	return trip.Page.Text
}

func TestALaunchBetweenBothFakes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := start(t, config.Demo(config.ToolSide))
	g.Expect(b.get("/")).To(And(ContainSubstring("Both fakes, facing each other"), ContainSubstring("Nothing has come yet"), ContainSubstring(`value="version-missing"`)))

	status, _, to := b.post("/send", map[string]string{"user": "instructor"}, nil)
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(b.travel(to)).To(ContainSubstring("Launched as Charles Babbage"))
	status, _, to = b.post("/send", map[string]string{"stimulus": "version-missing"}, nil)
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(b.travel(to)).To(ContainSubstring("The version is absent"))
	_, _, to = b.post("/send", map[string]string{"message": lti.DeepLinkingRequest, "by_post": "yes"}, nil)
	g.Expect(b.travel(to)).To(ContainSubstring("Choose content"))

	g.Expect(b.get("/")).To(And(
		ContainSubstring("version-missing: leaves version out"), ContainSubstring("POST /login"), ContainSubstring("server to fake platform"), ContainSubstring("GET /jwks"),
		ContainSubstring("a token, decoded here without any check"), ContainSubstring("RS256"), ContainSubstring(lti.ClaimDeploymentID), Not(MatchRegexp(`eyJ[\w-]{20,}\.`)),
	))
	sent := b.get("/sent/2")
	g.Expect(sent).To(And(
		ContainSubstring("invigilator demo tool --only core-tool-version-missing"), ContainSubstring("requirements: [core-tool-version-missing]"),
		ContainSubstring("Authentication request, received"), ContainSubstring(lti.ClaimDeploymentID), Not(ContainSubstring(lti.ClaimVersion)),
	))
	again := regexp.MustCompile(`<pre tabindex="0">http://[^/]+(/\?[^<]+)</pre>`).FindStringSubmatch(sent)
	g.Expect(b.get(strings.ReplaceAll(again[1], "&amp;", "&"))).To(ContainSubstring(`(core-tool-version-missing)." selected`))
}

func TestALoginIsAnsweredAsSomebodyChooses(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := start(t, config.Demo(config.ToolSide))
	jar, err := cookiejar.New(nil)
	g.Expect(err).NotTo(HaveOccurred())
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	_, _, to := b.post("/begin", nil, nil)
	response, err := browser.Get(to)
	g.Expect(err).NotTo(HaveOccurred())
	_ = response.Body.Close()
	id := regexp.MustCompile(`name="login" value="([^"]+)"`).FindStringSubmatch(b.get("/"))
	g.Expect(id).NotTo(BeNil())
	status, says, _ := b.post("/go-on", map[string]string{"login": id[1], "stimulus": "version-missing"}, nil)
	g.Expect(status).To(Equal(http.StatusUnprocessableEntity))
	g.Expect(says).To(ContainSubstring("an authentication request has no stimulus"))
	_, _, to = b.post("/go-on", map[string]string{"login": id[1], "stimulus": "nonce-empty"}, nil)
	g.Expect(to).To(ContainSubstring("/held/" + id[1] + "/go/"))
	g.Expect(b.travel(to)).To(ContainSubstring("The platform refused the login"))
	g.Expect(b.get("/sent/1")).To(And(ContainSubstring("invigilator demo platform --only oidc-auth-missing-nonce"), ContainSubstring("answered with the error invalid_request")))
}

func TestExchangesComeAsTheyHappen(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := start(t, config.Demo(config.ToolSide))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL()+"/events?after=0", nil)
	g.Expect(err).NotTo(HaveOccurred())
	stream, err := http.DefaultClient.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = stream.Body.Close() }()
	g.Expect(stream.Header.Get("Content-Type")).To(Equal("text/event-stream"))
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	g.Expect(lines.Scan()).To(BeTrue()) // it is open
	_, _, to := b.post("/send", map[string]string{"stimulus": "version-missing"}, nil)
	b.travel(to)
	var seen strings.Builder
	for !strings.Contains(seen.String(), "POST /launch") && lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var part string
			g.Expect(json.Unmarshal([]byte(data), &part)).To(Succeed())
			seen.WriteString(part)
		}
	}
	g.Expect(seen.String()).To(And(ContainSubstring("GET /launch/"), ContainSubstring("GET /login"), ContainSubstring("GET /auth"), ContainSubstring("POST /launch")))
}

func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	if _, err := agent.FindBrowser(false); err != nil {
		t.Skip(err)
	}
	g := NewWithT(t)
	b := start(t, config.Demo(config.ToolSide))
	browser, err := agent.StartBrowser(t.Context(), agent.BrowserOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(browser.Close)
	does := func(user agent.User, in agent.Place, actions ...agent.Action) {
		trip, err := user.Go(t.Context(), agent.Journey{In: in, Actions: actions, Quiet: 100 * time.Millisecond, Patience: 20 * time.Second, Deadline: 30 * time.Second})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(trip.Stuck).To(BeNil())
		g.Expect(trip.Page.Console).To(BeEmpty())
	}
	watches, err := browser.Open(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	does(watches, "", agent.Action{Verb: agent.Open, Target: b.URL()}, agent.Action{Verb: agent.Wait, Target: "text=live"})
	sends, err := browser.Open(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	does(sends, "", agent.Action{Verb: agent.Open, Target: b.URL()}, agent.Action{Verb: agent.Choose, Target: "label=What is wrong with it", Value: "version-missing"},
		agent.Action{Verb: agent.Wait, Target: "text=The fake platform leaves version out"}, agent.Action{Verb: agent.Click, Target: "text=Send it, in a new tab"},
		agent.Action{Verb: agent.Wait, Target: "text=The version is absent"})
	does(watches, agent.Here, agent.Action{Verb: agent.Wait, Target: "text=POST /launch"}, agent.Action{Verb: agent.Wait, Target: "text=version-missing: leaves version out"})
}

func TestNobodyElseCanUseThePage(t *testing.T) {
	t.Parallel()
	b := start(t, config.Demo(config.ToolSide))
	for name, test := range map[string]struct {
		fields map[string]string
		change func(*http.Request)
		status int
	}{
		"without the token": {fields: map[string]string{"token": ""}, status: http.StatusForbidden},
		"a wrong token":     {fields: map[string]string{"token": "x"}, status: http.StatusForbidden},
		"from another site": {change: func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, status: http.StatusForbidden},
		"of another origin": {change: func(r *http.Request) { r.Header.Set("Origin", "http://localhost:1") }, status: http.StatusForbidden},
		"by another name":   {change: func(r *http.Request) { r.Host = "evil.example" }, status: http.StatusMisdirectedRequest},
		"as the page":       {change: func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, status: http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, to := b.post("/send", test.fields, test.change)
			g := NewWithT(t)
			g.Expect(status).To(Equal(test.status))
			g.Expect(to != "").To(Equal(status == http.StatusOK))
		})
	}
	for _, path := range []string{"/", "/events", "/sent/1"} {
		request, err := http.NewRequest(http.MethodGet, b.URL()+path, nil)
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred())
		request.Host = "evil.example"
		response, err := b.client.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		_ = response.Body.Close()
		g.Expect(response.StatusCode).To(Equal(http.StatusMisdirectedRequest))
	}
}

// realTool is a tool that is none of the fakes, and says what it likes.
func realTool(t *testing.T, answer http.HandlerFunc) config.Config {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c := config.Default(config.ToolSide)
	c.Tool.LoginURL, c.Tool.LaunchURL, c.FakePlatform.Listen = server.URL+"/login", server.URL+"/launch", "127.0.0.1:0"
	return c
}

func TestWhatTheSubjectSaysIsEscapedAndWithoutSecrets(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var b bench
	c := realTool(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("iss")+fakeplatform.AuthPath+"?client_secret=hunter-two-and-more&nonce=%3Cscript%3Ealert(1)%3C/script%3E&prompt=%22%3E%3Cimg%20src=x%3E", http.StatusFound)
	})
	b = start(t, c)
	facts := b.Registration()
	g.Expect(facts[0].Name).To(Equal("issuer"))
	g.Expect(b.get("/")).To(And(ContainSubstring("Register this in the tool"), ContainSubstring(facts[0].Value), Not(ContainSubstring("Answer a platform"))))
	_, _, to := b.post("/send", nil, nil)
	b.travel(to)
	page := b.get("/")
	g.Expect(page).To(And(ContainSubstring("&lt;script&gt;alert(1)"), ContainSubstring("[left out: a secret]")))
	g.Expect(page + b.get("/sent/1")).NotTo(Or(ContainSubstring("<script>alert"), ContainSubstring("<img"), ContainSubstring("hunter-two")))
	g.Expect(b.get("/sent/1")).To(ContainSubstring("Authentication request, received"))
	status, says, _ := b.post("/begin", nil, nil)
	g.Expect(status).To(Equal(http.StatusNotFound), says)
}

func TestALoginOfARealPlatformWaits(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := config.Default(config.PlatformSide)
	c.Platform.Issuer, c.Platform.AuthURL, c.Platform.JWKSURL, c.Registration.ClientID = "https://lms.example", "https://lms.example/auth", "https://lms.example/keys", "7"
	c.FakeTool.Listen = "127.0.0.1:0"
	b := start(t, c)
	login := b.Registration()[1]
	g.Expect(login.Name).To(Equal("login initiation URL"))
	g.Expect(b.travel(login.Value + "?" + url.Values{"iss": {"https://lms.example"}, "login_hint": {"1"}, "target_link_uri": {"https://tool.example"}, "client_id": {"7"}}.Encode())).To(ContainSubstring("waits"))
	g.Expect(b.get("/")).To(And(ContainSubstring("Login of "), ContainSubstring("https://tool.example"), Not(ContainSubstring("Launch the tool")), ContainSubstring(`data-login="yes"`)))
}
