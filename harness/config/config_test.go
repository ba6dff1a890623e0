package config_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"invigilator.example/harness/config"
	"invigilator.example/requirements"
)

// file writes a configuration file and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "invigilator.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads a configuration that need not name a subject.
func load(s config.Sources) (config.Config, error) {
	c, err := config.Load(s)
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return c, err
	}
	return c, errors.Join(slices.DeleteFunc(slices.Clone(all.Unwrap()), func(problem error) bool {
		_, is := errors.AsType[*config.NoSubject](problem)
		return is
	})...)
}

// changed returns the defaults after a change.
func changed(change func(*config.Config)) config.Config {
	c := config.Default(config.ToolSide)
	change(&c)
	return c
}

// tree is a value as a reader of JSON sees it.
func tree(g *WithT, value any) map[string]any {
	encoded, err := json.Marshal(value)
	g.Expect(err).NotTo(HaveOccurred())
	var decoded map[string]any
	g.Expect(json.Unmarshal(encoded, &decoded)).To(Succeed())
	return decoded
}

// flat returns the leaves of a tree by their dotted keys.
func flat(in map[string]any, prefix string) map[string]any {
	out := map[string]any{}
	for name, value := range in {
		if inner, ok := value.(map[string]any); ok {
			maps.Copy(out, flat(inner, prefix+name+"."))
			continue
		}
		out[prefix+name] = value
	}
	return out
}

// described returns the leaves that a schema describes, by their dotted keys.
func described(schema map[string]any, prefix string) map[string]map[string]any {
	out := map[string]map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range properties {
		property := value.(map[string]any)
		items, _ := property["items"].(map[string]any)
		if _, either := property["oneOf"]; either || items["type"] == "object" {
			continue // a matter of files
		}
		if property["type"] != "object" {
			out[prefix+name] = property
			continue
		}
		maps.Copy(out, described(property, prefix+name+"."))
	}
	return out
}

// diff compares configurations but for where their values came from.
func diff(want, got any) string {
	return gocmp.Diff(want, got, cmpopts.IgnoreFields(config.Config{}, "File", "Given"), cmpopts.EquateEmpty())
}

// fakeTool is the fake tool of a configuration that says nothing of it.
var fakeTool = config.FakeTool{
	URL: "https://tool.test", OtherURL: "https://other-tool.test", Listen: "127.0.0.1:8766", KeyFile: "invigilator-tool-key.json",
}

// fakeExamPlatform is the fake exam platform of a configuration that says nothing of it.
var fakeExamPlatform = config.FakeExamPlatform{
	Listen: "127.0.0.1:8767", ClientID: "proctoring-backend", ClientSecret: "callbacks-of-the-backend",
}

func TestDefaults(t *testing.T) {
	g := NewWithT(t)
	want := config.Config{
		Side:     config.ToolSide,
		FakeTool: fakeTool, FakeExamPlatform: fakeExamPlatform,
		Registration: config.Registration{
			ClientID: "invigilator", DeploymentID: "deployment-1",
			OtherClientID: "invigilator-2", OtherDeploymentID: "deployment-2",
		},
		FakePlatform:       config.FakePlatform{URL: "https://platform.test", OtherURL: "https://other-platform.test", Listen: "127.0.0.1:8765"},
		Agent:              "auto",
		Browser:            config.Default(config.ToolSide).Browser, // tuned now and then
		Timeout:            config.Default(config.ToolSide).Timeout,
		ConcurrentLaunches: 40, ConcurrentScenarios: 2,
		Embedded: config.Embedded{NullPeerEveryRequests: 1},
	}
	g.Expect(diff(want, config.Default(config.ToolSide))).To(BeEmpty())
	loaded, err := load(config.Sources{})
	g.Expect(err).NotTo(HaveOccurred(), "nothing else has to be configured")
	g.Expect(diff(want, loaded)).To(BeEmpty())
	g.Expect(loaded.IsEmbedded()).To(BeFalse(), "the embedded subject has to be asked for")
	for key, span := range flat(tree(g, want.Timeout), "") {
		patience, err := time.ParseDuration(span.(string))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(patience).To(BeNumerically(">", 0), key)
	}
}

func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	g := NewWithT(t)
	defaults := flat(tree(g, config.Default(config.ToolSide)), "")
	for key, property := range described(tree(g, config.Schema()), "") {
		value, named := property["default"]
		switch {
		case strings.HasPrefix(key, "registration."): // they depend on the side
		case !named:
			g.Expect(defaults).To(HaveKey(key))
			g.Expect(slices.Contains([]any{nil, "", false}, defaults[key])).To(BeTrue(), "%s: the schema shows no default", key)
		case strings.HasPrefix(key, "timeout."), key == "browser.idle_time":
			shown, err := time.ParseDuration(value.(string))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(defaults).To(HaveKeyWithValue(key, shown.String()))
		default:
			g.Expect(defaults).To(HaveKeyWithValue(key, value))
		}
	}
}

func TestDefaultsCanBeWrittenIntoAFile(t *testing.T) {
	g := NewWithT(t)
	settings := map[string]string{}
	for key, property := range described(tree(g, config.Schema()), "") {
		if value, named := property["default"]; named {
			settings[key] = fmt.Sprint(value)
		}
	}
	g.Expect(settings).NotTo(BeEmpty())
	loaded, err := load(config.Sources{Settings: settings})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(diff(config.Default(config.ToolSide), loaded)).To(BeEmpty())
}

func TestWhatComesLaterWins(t *testing.T) {
	const inFile = "tool:\n  name: file\nreport: file\nrequirements: [sec-tool-aud]\nbrowser: {headed: true}\ntimeout: {run: 1m}\n"
	environ := []string{
		"INVIGILATOR_TOOL_NAME=environment", "INVIGILATOR_REPORT=environment", "INVIGILATOR_REQUIREMENTS=sec-tool-login-csrf",
		"INVIGILATOR_BROWSER_HEADED=false", "INVIGILATOR_TIMEOUT_RUN=2m", "PATH=/bin", "INVIGILATORY=no",
	}
	settings := map[string]string{
		"tool.name": "setting", "report": "setting", "requirements": "sec-tool-nonce-*", "browser.headed": "true", "timeout.run": "3m",
	}
	only := map[string]string{"file": "sec-tool-aud", "environment": "sec-tool-login-csrf", "setting": "sec-tool-nonce-*"}
	from := func(name string, headed bool, run time.Duration) config.Config {
		return changed(func(c *config.Config) {
			c.Tool.Name, c.Report, c.Requirements, c.Browser.Headed = name, name, []string{only[name]}, headed
			c.Timeout.Run = config.Duration(run)
		})
	}
	for name, test := range map[string]struct {
		environ  []string
		settings map[string]string
		want     config.Config
	}{
		"file":                               {nil, nil, from("file", true, time.Minute)},
		"environment over file":              {environ, nil, from("environment", false, 2*time.Minute)},
		"settings over file":                 {nil, settings, from("setting", true, 3*time.Minute)},
		"settings over environment and file": {environ, settings, from("setting", true, 3*time.Minute)},
		"one key of each": {
			[]string{"INVIGILATOR_REPORT=environment"}, map[string]string{"tool.name": "setting"},
			changed(func(c *config.Config) {
				*c = from("file", true, time.Minute)
				c.Report, c.Tool.Name = "environment", "setting"
			}),
		},
		"empty text over text": {
			[]string{"INVIGILATOR_TOOL_NAME="}, map[string]string{"requirements": ""},
			changed(func(c *config.Config) {
				*c = from("file", true, time.Minute)
				c.Tool.Name, c.Requirements = "", []string{}
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			loaded, err := load(config.Sources{File: file(t, inFile), Environ: test.environ, Settings: test.settings})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(diff(test.want, loaded)).To(BeEmpty())
		})
	}
}

func TestASettingLeavesItsNeighboursAlone(t *testing.T) {
	g := NewWithT(t)
	loaded, err := load(config.Sources{
		File:     file(t, "tool:\n  name: file\n  launch_accepted: {text: welcome, selector: main}\n"),
		Environ:  []string{"INVIGILATOR_REGISTRATION_CLIENT_ID=client"},
		Settings: map[string]string{"tool.launch_accepted.text": "hello"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(diff(changed(func(c *config.Config) {
		c.Tool.Name, c.Registration.ClientID = "file", "client"
		c.Tool.LaunchAccepted = config.Marker{Text: "hello", Selector: "main"}
	}), loaded)).To(BeEmpty())
}

func TestEnvironmentNamesTheFile(t *testing.T) {
	g := NewWithT(t)
	named := []string{"INVIGILATOR_CONFIG=" + file(t, "report: named\n")}
	loaded, err := load(config.Sources{Environ: named})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(loaded.Report).To(Equal("named"))

	loaded, err = load(config.Sources{Environ: named, File: file(t, "report: given\n")})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(loaded.Report).To(Equal("given"), "a file that is given wins over the environment's")

	_, err = load(config.Sources{Environ: []string{"INVIGILATOR_CONFIG="}})
	g.Expect(err).To(MatchError("environment variable INVIGILATOR_CONFIG: is empty; it has to name a file"))
}

// A real tool, for what only holds beside one.
const realTool = "tool: {login_url: 'https://tool.example/login', launch_url: 'https://tool.example/launch'}\n"

func TestARealTool(t *testing.T) {
	g := NewWithT(t)
	loaded, err := load(config.Sources{File: file(t, `
tool:
  name: A tool
  login_url: https://tool.example/login
  launch_url: https://tool.example/launch
  redirect_uris: [https://tool.example/a, "http://localhost:3000/b"]
  target_link_uri: https://tool.example/items/7?x=1#y
  launch_accepted: {selector: "#work", text: Welcome, url: /work}
  launch_refused: {text: Sorry}
  protected_url: https://tool.example/me
  jwks_url: https://tool.example/keys?v=1
  instructor_view: {selector: "#grades"}
  user_selector: "#account"
  resource_selector: "h1 > .resource"
  return_selector: a.exit
registration: {client_id: abc-123, deployment_id: "1", other_client_id: abc-124, other_deployment_id: "2"}
fake_platform: {url: "https://lms.example:8443", other_url: "https://lms-2.example:8443", listen: "0.0.0.0:80"}
features: [role-based-view, user-marker, resource-marker, tool-jwks, tls]
agent: http
browser: {path: /opt/chrome, devtools_url: "ws://127.0.0.1:9222/devtools", headed: false, idle_time: 0s}
timeout: {launch: 1m30s, page_sign: 1.5s, restart: 2h, expiry: 0s, run: 250ms}
report: out
concurrent_launches: 250
concurrent_scenarios: 3
seed: 1152921504606846977
requirements: [oidc-tool-nonce-foreign]
`)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(loaded.IsEmbedded()).To(BeFalse())
	g.Expect(diff(config.Config{
		Side: config.ToolSide,
		Tool: config.Tool{
			Name: "A tool", LoginURL: "https://tool.example/login", LaunchURL: "https://tool.example/launch",
			RedirectURIs:  []string{"https://tool.example/a", "http://localhost:3000/b"},
			TargetLinkURI: "https://tool.example/items/7?x=1#y", JWKSURL: "https://tool.example/keys?v=1",
			LaunchAccepted: config.Marker{Selector: "#work", Text: "Welcome", URL: "/work"},
			LaunchRefused:  config.Marker{Text: "Sorry"}, ProtectedURL: "https://tool.example/me",
			InstructorView: config.Marker{Selector: "#grades"}, UserSelector: "#account", ResourceSelector: "h1 > .resource", ReturnSelector: "a.exit",
		},
		FakeTool: fakeTool, FakeExamPlatform: fakeExamPlatform,
		Registration: config.Registration{ClientID: "abc-123", DeploymentID: "1", OtherClientID: "abc-124", OtherDeploymentID: "2"},
		FakePlatform: config.FakePlatform{URL: "https://lms.example:8443", OtherURL: "https://lms-2.example:8443", Listen: "0.0.0.0:80"},
		Features:     []string{"role-based-view", "user-marker", "resource-marker", "tool-jwks", "tls"},
		Agent:        "http",
		Browser:      config.Browser{Path: "/opt/chrome", DevToolsURL: "ws://127.0.0.1:9222/devtools"},
		Timeout: config.Timeout{
			Launch: config.Duration(90 * time.Second), PageSign: config.Duration(1500 * time.Millisecond),
			Restart: config.Duration(2 * time.Hour), Step: config.Default(config.ToolSide).Timeout.Step, Callback: config.Default(config.ToolSide).Timeout.Callback, Run: config.Duration(250 * time.Millisecond),
		},
		Report: "out", ConcurrentLaunches: 250, ConcurrentScenarios: 3, Seed: 1<<60 + 1, Requirements: []string{"oidc-tool-nonce-foreign"},
		Embedded: config.Embedded{NullPeerEveryRequests: 1},
	}, loaded)).To(BeEmpty())
}

func TestAProblemNamesItsKey(t *testing.T) {
	for name, test := range map[string]struct {
		file     string
		environ  []string
		settings map[string]string
		want     []string // how each line of the error begins
	}{
		"unknown key at the top":      {file: "tools: {}\n", want: []string{"tools: unknown key"}},
		"unknown key in a section":    {file: "tool: {loginurl: x}\n", want: []string{"tool.loginurl: unknown key"}},
		"unknown key further in":      {file: "tool: {launch_accepted: {css: x}}\n", want: []string{"tool.launch_accepted.css: unknown key"}},
		"unknown keys side by side":   {file: "timeout: {a: 1, b: 2}\n", want: []string{"timeout.a: unknown key", "timeout.b: unknown key"}},
		"key in another case":         {file: "Tool: {name: x}\ntool: {Name: x}\n", want: []string{"Tool: unknown key", "tool.Name: unknown key"}},
		"dotted key":                  {file: "tool.name: x\n", want: []string{"tool.name: unknown key"}},
		"number as key":               {file: "1: x\n", want: []string{"1: unknown key"}},
		"number for text":             {file: "registration: {client_id: 12345}\n", want: []string{"registration.client_id: is a number instead of text: put it in quotes"}},
		"boolean for text":            {file: "report: true\n", want: []string{"report: is true or false instead of text"}},
		"text for boolean":            {file: "browser: {headed: yes}\n", want: []string{"browser.headed: is text instead of true or false"}},
		"text for list":               {file: "requirements: a\n", want: []string{"requirements: is text instead of a list"}},
		"unknown requirement":         {file: "requirements: [sec-tool-audd]\n", want: []string{"requirements.0: there is no requirement \"sec-tool-audd\"; did you mean sec-tool-aud?"}},
		"requirement of other side":   {file: "require: [sec-id-token-*]\n", want: []string{"require.0: sec-id-token-* is a requirement for a platform; judge it with 'invigilator platform'"}},
		"what turns it red":           {file: "fail_on: [warn]\n", want: []string{"fail_on.0: nothing is called \"warn\"; did you mean warned? There are failed, warned, inconclusive, findings"}},
		"no baseline after all":       {file: "baseline: ''\n", want: []string{"baseline: is given but empty"}},
		"a baseline that is not set":  {environ: []string{"INVIGILATOR_BASELINE=", "INVIGILATOR_FAIL_ON=", "INVIGILATOR_REQUIRE="}, want: []string{"baseline: is given but empty", "fail_on: is given but empty", "require: is given but empty"}},
		"waiver without a reason":     {file: "waivers: [{requirement: sec-tool-aud, until: 2027-01-31}]\n", want: []string{"waivers.0.reason: is needed"}},
		"waiver for ever":             {file: "waivers: [{requirement: sec-tool-aud, reason: a ticket}]\n", want: []string{"waivers.0.until: \"\" is not a day such as 2027-01-31"}},
		"waiver until no day":         {file: "waivers: [{requirement: sec-tool-aud, reason: a ticket, until: 2027-02-31}]\n", want: []string{"waivers.0.until: \"2027-02-31\" is not a day"}},
		"waiver of no requirement":    {file: "waivers: [{requirement: sec-tool-x*, reason: a ticket, until: 2027-01-31}]\n", want: []string{"waivers.0.requirement: there is no requirement \"sec-tool-x*\""}},
		"waiver of no case":           {file: "waivers: [{requirement: sec-tool-aud, case: aud-oter, reason: a ticket, until: 2027-01-31}]\n", want: []string{"waivers.0.case: sec-tool-aud has no case \"aud-oter\""}},
		"number in list":              {file: "requirements: [sec-tool-aud, 7]\n", want: []string{"requirements.1: is a number instead of text: put it in quotes"}},
		"list for section":            {file: "tool: [a]\n", want: []string{"tool: is a list instead of a section"}},
		"text for section":            {file: "tool: a\n", want: []string{"tool: is text instead of a section"}},
		"section for text":            {file: "agent: {a: b}\n", want: []string{"agent: "}},
		"null for sections":           {file: "tool:\nbrowser: ~\n", want: []string{"tool: is empty: write a section", "browser: is empty: write a section"}},
		"null for leaves":             {file: "requirements:\ntool:\n  name:\n", want: []string{"requirements: is empty: write a list", "tool.name: is empty: write text"}},
		"agent":                       {file: "agent: netscape\n", want: []string{"agent: \"netscape\" is unknown; there are auto, browser, http"}},
		"agent in another case":       {settings: map[string]string{"agent": "HTTP"}, want: []string{"agent: \"HTTP\" is unknown; did you mean http? There are auto, browser, http"}},
		"null peer":                   {environ: []string{"INVIGILATOR_EMBEDDED_NULL_PEER=quiet"}, want: []string{"embedded.null_peer: \"quiet\" is unknown; there are not-found, blank", "embedded: "}},
		"duration without sense":      {file: "timeout: {launch: soon}\n", want: []string{"timeout.launch: "}},
		"duration without unit":       {settings: map[string]string{"browser.idle_time": "250"}, want: []string{"browser.idle_time: "}},
		"duration as number":          {file: "timeout: {run: 5}\n", want: []string{"timeout.run: has no unit"}},
		"duration below nothing":      {file: "timeout: {page_sign: -1s}\n", want: []string{"timeout.page_sign: "}},
		"duration empty":              {environ: []string{"INVIGILATOR_TIMEOUT_RESTART="}, want: []string{"timeout.restart: "}},
		"visit of no time":            {file: "timeout: {launch: 0s}\n", want: []string{"timeout.launch: has to be more than 0s"}},
		"URLs of no sense":            {file: "tool: {login_url: a, launch_url: b, target_link_uri: c, protected_url: d, jwks_url: e}\n", want: []string{"tool.login_url: ", "tool.launch_url: ", "tool.target_link_uri: ", "tool.protected_url: ", "tool.jwks_url: "}},
		"URLs of another scheme":      {file: "tool: {target_link_uri: 'ftp://a/b', protected_url: 'javascript:alert(1)'}\n", want: []string{"tool.target_link_uri: ", "tool.protected_url: "}},
		"URLs without host":           {file: "tool: {target_link_uri: 'https:///a', protected_url: 'https://?a'}\n", want: []string{"tool.target_link_uri: ", "tool.protected_url: "}},
		"URL that does not parse":     {file: "tool: {protected_url: 'https://a b/'}\n", want: []string{"tool.protected_url: "}},
		"redirect URIs":               {file: "tool: {redirect_uris: ['https://a.example/', b, '/c']}\n", want: []string{"tool.redirect_uris.1: ", "tool.redirect_uris.2: "}},
		"platform with path":          {file: "fake_platform: {url: 'https://lms.example/lti'}\n", want: []string{"fake_platform.url: "}},
		"platform with slash":         {file: "fake_platform: {url: 'https://lms.example/'}\n", want: []string{"fake_platform.url: "}},
		"platform with query":         {file: "fake_platform: {url: 'https://lms.example?a'}\n", want: []string{"fake_platform.url: "}},
		"platform without scheme":     {file: "fake_platform: {url: lms.example}\n", want: []string{"fake_platform.url: "}},
		"platform empty":              {settings: map[string]string{"fake_platform.url": ""}, want: []string{"fake_platform.url: "}},
		"other platform with path":    {file: "fake_platform: {other_url: 'https://lms.example/lti'}\n", want: []string{"fake_platform.other_url: "}},
		"other platform empty":        {settings: map[string]string{"fake_platform.other_url": ""}, want: []string{"fake_platform.other_url: "}},
		"proxy that is none":          {file: "trusted_proxies: [10.0.0.0/8, proxy.example]\n", want: []string{"trusted_proxies.1: \"proxy.example\" is neither an IP address nor a network"}},
		"other platform the same":     {file: "fake_platform: {url: 'https://lms.example', other_url: 'https://lms.example'}\n", want: []string{"fake_platform.other_url: has the same host as fake_platform.url"}},
		"other platform in capitals":  {environ: []string{"INVIGILATOR_FAKE_PLATFORM_OTHER_URL=https://PLATFORM.test:8443"}, want: []string{"fake_platform.other_url: has the same host as fake_platform.url"}},
		"other client the same":       {file: "features: [multiple-clients-per-issuer]\n", environ: []string{"INVIGILATOR_REGISTRATION_OTHER_CLIENT_ID=invigilator"}, want: []string{"registration.other_client_id: is the same as the first one"}},
		"other platform the default":  {environ: []string{"INVIGILATOR_FAKE_PLATFORM_URL=https://other-platform.test"}, want: []string{"fake_platform.other_url: has the same host as fake_platform.url"}},
		"other client_id empty":       {file: "registration: {other_client_id: ''}\n", want: []string{"registration.other_client_id: "}},
		"other deployment_id empty":   {file: "registration: {other_deployment_id: ''}\n", want: []string{"registration.other_deployment_id: "}},
		"other deployment too long":   {settings: map[string]string{"registration.other_deployment_id": strings.Repeat("x", 256)}, want: []string{"registration.other_deployment_id: "}},
		"memory below nothing":        {file: "timeout: {expiry: -1s}\n", want: []string{"timeout.expiry: "}},
		"memory as number":            {file: "timeout: {expiry: 35}\n", want: []string{"timeout.expiry: has no unit"}},
		"crowd of one":                {file: "concurrent_launches: 1\n", want: []string{"concurrent_launches: "}},
		"crowd beyond counting":       {settings: map[string]string{"concurrent_launches": "5001"}, want: []string{"concurrent_launches: "}},
		"crowd of half a user":        {file: "concurrent_launches: 2.5\n", want: []string{"concurrent_launches: is a number instead of a whole number"}},
		"no scenario at once":         {file: "concurrent_scenarios: 0\n", want: []string{"concurrent_scenarios: "}},
		"too many at once":            {settings: map[string]string{"concurrent_scenarios": "21"}, want: []string{"concurrent_scenarios: "}},
		"crowd as text":               {file: "concurrent_launches: '40'\n", want: []string{"concurrent_launches: is text instead of a whole number"}},
		"crowd of nothing":            {file: "concurrent_launches:\n", want: []string{"concurrent_launches: is empty: write a whole number"}},
		"crowd that is no number":     {environ: []string{"INVIGILATOR_CONCURRENT_LAUNCHES=many"}, want: []string{"concurrent_launches: \"many\" is not a whole number"}},
		"crowd empty":                 {settings: map[string]string{"concurrent_launches": ""}, want: []string{"concurrent_launches: \"\" is not a whole number"}},
		"features as text":            {file: "features: tls\n", want: []string{"features: is text instead of a list"}},
		"features as numbers":         {file: "features: [1]\n", want: []string{"features.0: "}},
		"number for a mark":           {file: "tool: {user_selector: 1, resource_selector: 2, return_selector: 3}\n", want: []string{"tool.user_selector: is a number instead of text: put it in quotes", "tool.resource_selector: is a number instead of text: put it in quotes", "tool.return_selector: is a number instead of text: put it in quotes"}},
		"unknown key of teachers":     {file: "tool: {instructor_view: {css: x}}\n", want: []string{"tool.instructor_view.css: unknown key"}},
		"only verdicts by text":       {environ: []string{"INVIGILATOR_EMBEDDED_ONLY_VERDICTS=yes"}, want: []string{"embedded.only_verdicts: \"yes\" is neither true nor false"}},
		"remote browser":              {file: "browser: {devtools_url: 'chrome:9222'}\n", want: []string{"browser.devtools_url: "}},
		"login_url alone":             {file: "tool: {login_url: 'https://tool.example/login'}\n", want: []string{"tool.launch_url: is needed together with tool.login_url"}},
		"faults of a real tool":       {file: realTool + "embedded: {faults: [a]}\n", want: []string{"embedded"}},
		"null peer and a real tool":   {file: realTool + "embedded: {null_peer: blank}\n", want: []string{"embedded"}},
		"listen without port":         {file: "fake_platform: {listen: 127.0.0.1}\n", want: []string{"fake_platform.listen: "}},
		"listen without port, IPv6":   {file: "fake_platform: {listen: '::1'}\n", want: []string{"fake_platform.listen: "}},
		"listen empty":                {settings: map[string]string{"fake_platform.listen": ""}, want: []string{"fake_platform.listen: "}},
		"login in a URL":              {settings: map[string]string{"tool.protected_url": "https://a:b@tool.example/"}, want: []string{"tool.protected_url: must not contain a user name or password"}},
		"browser elsewhere":           {settings: map[string]string{"browser.devtools_url": "ws://b:1"}, want: []string{"fake_platform.url: only the run's own browser knows https://platform.test"}},
		"client_id empty":             {file: "registration: {client_id: ''}\n", want: []string{"registration.client_id: "}},
		"deployment_id empty":         {file: "registration: {deployment_id: ''}\n", want: []string{"registration.deployment_id: "}},
		"deployment_id too long":      {settings: map[string]string{"registration.deployment_id": strings.Repeat("x", 256)}, want: []string{"registration.deployment_id: "}},
		"unknown variable":            {environ: []string{"INVIGILATOR_TOOL_LOGINURL=x"}, want: []string{"environment variable INVIGILATOR_TOOL_LOGINURL: unknown key"}},
		"variable of a section":       {environ: []string{"INVIGILATOR_TOOL=x"}, want: []string{"environment variable INVIGILATOR_TOOL: unknown key"}},
		"variable in another case":    {environ: []string{"INVIGILATOR_tool_name=x"}, want: []string{"environment variable INVIGILATOR_tool_name: unknown key"}},
		"unknown setting":             {settings: map[string]string{"tool.loginurl": "x"}, want: []string{"tool.loginurl: unknown key"}},
		"setting of a section":        {settings: map[string]string{"tool": "x"}, want: []string{"tool: unknown key"}},
		"setting of the file":         {settings: map[string]string{"config": "x"}, want: []string{"config: unknown key"}},
		"setting that is no boolean":  {settings: map[string]string{"browser.headed": "maybe"}, want: []string{"browser.headed: \"maybe\" is neither true nor false"}},
		"variable that is no boolean": {environ: []string{"INVIGILATOR_EMBEDDED_SKIP_PREFLIGHT="}, want: []string{"embedded.skip_preflight: \"\" is neither true nor false"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := load(config.Sources{File: file(t, "report: r\n"), Environ: test.environ, Settings: test.settings})
			if test.file != "" {
				_, err = load(config.Sources{File: file(t, test.file), Environ: test.environ, Settings: test.settings})
			}
			expectProblems(g, err, test.want)
		})
	}
}

func TestAnEmptyClientIDIsNotSaidToLackLetters(t *testing.T) {
	_, err := load(config.Sources{Settings: map[string]string{"registration.client_id": ""}})
	NewWithT(t).Expect(err).To(MatchError(Not(ContainSubstring("letter"))))
}

// expectProblems wants an error with a line for each beginning, and no line with another.
func expectProblems(g *WithT, err error, beginnings []string) {
	g.Expect(err).To(HaveOccurred())
	lines := strings.Split(err.Error(), "\n")
	var known []types.GomegaMatcher
	for _, b := range beginnings {
		g.Expect(lines).To(ContainElement(HavePrefix(b)))
		known = append(known, HavePrefix(b))
	}
	g.Expect(lines).To(HaveEach(Or(known...)))
	g.Expect(lines).To(HaveEach(MatchRegexp(`: .*\w`)), "every problem is said in words")
	g.Expect(lines).NotTo(ContainElement(MatchRegexp(`\^\(|is no $`)), "not in those of a pattern")
}

func TestEveryProblemIsToldAtOnce(t *testing.T) {
	t.Run("of the schema and of all sources", func(t *testing.T) {
		_, err := load(config.Sources{
			File: file(t, `
tool: {login_url: nope, name: 7, redirect_uris: [1, 2], loginurl: x}
fake_platform: {url: "https://lms.example/path", port: 8765}
agent: netscape
timeout: {launch: soon}
browser: {headed: maybe, idle_time: 5}
concurrent_launches: many
features: [7]
colour: red
`),
			Environ:  []string{"INVIGILATOR_COLOUR=red", "INVIGILATOR_EMBEDDED_NULL_PEER=quiet", "INVIGILATOR_EMBEDDED_SKIP_PREFLIGHT=2"},
			Settings: map[string]string{"tool.colour": "red", "timeout.run": "long", "browser.devtools_url": "x"},
		})
		expectProblems(NewWithT(t), err, []string{
			"tool.login_url: ", "tool.name: ", "tool.redirect_uris.0: ", "tool.redirect_uris.1: ", "tool.loginurl: unknown key",
			"fake_platform.url: ", "fake_platform.port: unknown key", "agent: ", "timeout.launch: ", "browser.idle_time: ", "browser.headed: ",
			"concurrent_launches: ", "features.0: ", "colour: unknown key", "environment variable INVIGILATOR_COLOUR: unknown key", "embedded.null_peer: ",
			"embedded.skip_preflight: ", "tool.colour: unknown key", "timeout.run: ", "browser.devtools_url: ", "embedded: ", "tool.launch_url: is needed",
		})
	})
	t.Run("beyond the schema", func(t *testing.T) {
		_, err := load(config.Sources{
			File:     file(t, "tool: {login_url: 'https://tool.example/', protected_url: 'https:///', name: x, colour: red}\n"),
			Environ:  []string{"INVIGILATOR_FAKE_PLATFORM_LISTEN=8765", "INVIGILATOR_COLOUR=red", "INVIGILATOR_AGENT=netscape"},
			Settings: map[string]string{"embedded.faults": "a", "timeout.launch": "0s", "features": "tool-jwks,telepathy", "concurrent_launches": "x"},
		})
		expectProblems(NewWithT(t), err, []string{
			"tool.launch_url: is needed", "tool.protected_url: ", "tool.colour: unknown key", "fake_platform.listen: ",
			"environment variable INVIGILATOR_COLOUR: unknown key", "agent: ", "embedded", "timeout.launch: ",
			"tool.jwks_url: is needed", "features.1: ", "concurrent_launches: ",
		})
	})
}

func TestAFileThatCannotBeRead(t *testing.T) {
	for name, text := range map[string]string{
		"open bracket": "tool: {name: x\n", "tab": "tool:\n\tname: x\n", "unclosed quote": "report: \"x\n", "key twice": "report: a\nreport: b\n",
		"unknown alias": "tool: *nothing\n", "list": "- a\n- b\n", "text": "hello\n", "no text at all": "\x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			path := file(t, text)
			_, err := load(config.Sources{File: path})
			g.Expect(err).To(MatchError(And(ContainSubstring(path), ContainSubstring("is not YAML"))))
		})
	}
	t.Run("line", func(t *testing.T) {
		_, err := load(config.Sources{File: file(t, "agent: http\nreport: a\nreport: b\n")})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("[3:1]")), "it says where")
	})
	t.Run("missing", func(t *testing.T) {
		g := NewWithT(t)
		path := filepath.Join(t.TempDir(), "missing.yaml")
		for _, s := range []config.Sources{{File: path}, {Environ: []string{"INVIGILATOR_CONFIG=" + path}}} {
			_, err := load(s)
			g.Expect(err).To(MatchError(And(ContainSubstring("configuration file"), ContainSubstring(path))))
			g.Expect(err).To(MatchError(os.ErrNotExist))
		}
	})
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		_, err := load(config.Sources{File: dir})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(dir)))
	})
}

func TestListsFromText(t *testing.T) {
	for text, want := range map[string][]string{
		"": {}, "a": {"a"}, "a,b": {"a", "b"}, " a , b ": {"a", "b"}, ",a,,b,": {"a", "b"}, "a b": {"a b"}, " , ": {},
	} {
		t.Run(text, func(t *testing.T) {
			g := NewWithT(t)
			for _, s := range []config.Sources{
				{Demo: true, Environ: []string{"INVIGILATOR_EMBEDDED_FAULTS=" + text}},
				{Demo: true, Settings: map[string]string{"embedded.faults": text}},
			} {
				loaded, err := load(s)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(loaded.Embedded.Faults).To(Equal(want))
			}
		})
	}
}

func TestTextIsKeptAsItIs(t *testing.T) {
	for _, text := range []string{"a=b", " a ", "true", "null", "1", "{a: b}", "a,b", "ä€𝄞", `"`} {
		g := NewWithT(t)
		loaded, err := load(config.Sources{Environ: []string{"INVIGILATOR_TOOL_NAME=" + text}, Settings: map[string]string{"report": text}})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect([]string{loaded.Tool.Name, loaded.Report}).To(HaveEach(text))
	}
}

func TestBooleansFromText(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "1": true, "T": true, "TRUE": true, "false": false, "0": false, "f": false} {
		t.Run(text, func(t *testing.T) {
			g := NewWithT(t)
			loaded, err := load(config.Sources{
				File:     file(t, "browser: {headed: "+map[bool]string{true: "false", false: "true"}[want]+"}\n"),
				Environ:  []string{"INVIGILATOR_BROWSER_HEADED=" + text},
				Settings: map[string]string{"embedded.skip_preflight": text},
			})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(loaded.Browser.Headed).To(Equal(want))
			g.Expect(loaded.Embedded.SkipPreflight).To(Equal(want))
		})
	}
	for _, text := range []string{"yes", "on", "2", "tru", "true,true", " true"} {
		_, err := load(config.Sources{Settings: map[string]string{"browser.headed": text}})
		expectProblems(NewWithT(t), err, []string{"browser.headed: "})
	}
}

func TestNumbersFromText(t *testing.T) {
	for text, want := range map[string]int{"2": 2, "40": 40, "5000": 5000, "+7": 7, "007": 7} {
		t.Run(text, func(t *testing.T) {
			g := NewWithT(t)
			for _, s := range []config.Sources{
				{Environ: []string{"INVIGILATOR_CONCURRENT_LAUNCHES=" + text}},
				{Settings: map[string]string{"concurrent_launches": text}},
				{File: file(t, "concurrent_launches: 9\n"), Environ: []string{"INVIGILATOR_CONCURRENT_LAUNCHES=" + text}},
				{File: file(t, "concurrent_launches: 9\n"), Environ: []string{"INVIGILATOR_CONCURRENT_LAUNCHES=8"}, Settings: map[string]string{"concurrent_launches": text}},
			} {
				loaded, err := load(s)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(loaded.ConcurrentLaunches).To(Equal(want))
			}
		})
	}
	for _, text := range []string{"", " 7", "7 ", "7.0", "7e1", "0x7", "seven", "7,8", "99999999999999999999"} {
		_, err := load(config.Sources{Settings: map[string]string{"concurrent_launches": text}})
		expectProblems(NewWithT(t), err, []string{fmt.Sprintf("concurrent_launches: %q is not a whole number", text)})
	}
	for _, text := range []string{"-7", "0", "1", "5001"} {
		_, err := load(config.Sources{Settings: map[string]string{"concurrent_launches": text}})
		expectProblems(NewWithT(t), err, []string{"concurrent_launches: "})
	}
}

func TestNumbersFromAFile(t *testing.T) {
	for text, want := range map[string]int{"2": 2, "5000": 5000, "40.0": 40, "0x28": 40, "1_000": 1000} {
		g := NewWithT(t)
		loaded, err := load(config.Sources{File: file(t, "concurrent_launches: "+text+"\n")})
		g.Expect(err).NotTo(HaveOccurred(), text)
		g.Expect(loaded.ConcurrentLaunches).To(Equal(want), text)
	}
}

func TestFeatures(t *testing.T) {
	g := NewWithT(t)
	g.Expect(config.Features(config.ToolSide)).NotTo(BeEmpty())
	for _, feature := range config.Features(config.ToolSide) {
		asked := requirements.Default().Select(func(r requirements.Requirement) bool {
			return r.Binds == requirements.Tool && (slices.Contains(r.Features(), feature) ||
				slices.ContainsFunc(r.Provoke, func(s requirements.Stimulus) bool { return s.Feature == feature }))
		})
		g.Expect(asked).NotTo(BeEmpty(), "%s: no requirement of a tool asks for it", feature)
	}
	config.Features(config.ToolSide)[0] = "changed"
	g.Expect(config.Features(config.ToolSide)).NotTo(ContainElement("changed"))
}

func TestHas(t *testing.T) {
	g := NewWithT(t)
	embedded, err := config.Load(config.Sources{Demo: true})
	g.Expect(err).NotTo(HaveOccurred())
	none, err := load(config.Sources{File: file(t, realTool)})
	g.Expect(err).NotTo(HaveOccurred())
	some, err := load(config.Sources{File: file(t, realTool+"features: [tls, return-url]\n")})
	g.Expect(err).NotTo(HaveOccurred())
	for _, feature := range config.Features(config.ToolSide) {
		g.Expect(embedded.Has(feature)).To(BeTrue(), "the embedded fake tool has %s", feature)
		g.Expect(none.Has(feature)).To(BeFalse(), feature)
		g.Expect(some.Has(feature)).To(Equal(feature == config.TLS || feature == config.ReturnURL), feature)
	}
	g.Expect(some.Has("telepathy")).To(BeFalse())
}

func TestFeaturesThatNobodyKnows(t *testing.T) {
	for name, source := range map[string]config.Sources{
		"embedded":    {File: file(t, "features: [tls, telepathy, '']\n")},
		"real":        {File: file(t, realTool+"features: [tls, telepathy, '']\n")},
		"setting":     {Settings: map[string]string{"features": "tls,telepathy,Tls"}},
		"environment": {Environ: []string{"INVIGILATOR_FEATURES=tls,telepathy,t l s"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(source)
			expectProblems(NewWithT(t), err, []string{`features.1: there is no feature "telepathy"`, "features.2: there is no feature "})
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(strings.Join(config.Features(config.ToolSide), ", "))), "it says which there are")
		})
	}
}

// toolFeatures are those of a tool, but for those of proctoring, grades and
// reviews, which need journeys and each other.
func toolFeatures() []string {
	return slices.DeleteFunc(config.Features(config.ToolSide), func(feature string) bool {
		return slices.Contains(needsJourneys, feature)
	})
}

var needsJourneys = []string{
	config.Proctoring, config.ACS, config.EndAssessment, config.VerifiedUser,
	config.Grades, config.LineItemManagement, config.Results, config.SubmissionObject, config.SubmissionReview, config.LearnerReview,
	config.NamesAndRoles, config.DeepLinking, config.DynamicRegistration,
}

func TestWhatAToolNeedsInEveryLaunch(t *testing.T) {
	g := NewWithT(t)
	const tool = "tool:\n  login_url: https://tool.example/login\n  launch_url: https://tool.example/launch"
	loaded, err := load(config.Sources{File: file(t, tool+`
  custom: {id: quiz-7, link: $ResourceLink.id}
  claims:
    https://purl.imsglobal.org/spec/lti/claim/lis: {course_section_sourcedid: AN-1}
    https://vendor.example/tier: 3
`)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(loaded.Tool.Custom).To(Equal(map[string]string{"id": "quiz-7", "link": "$ResourceLink.id"}))
	g.Expect(loaded.Tool.Claims).To(HaveKeyWithValue("https://vendor.example/tier", BeNumerically("==", 3)))
	g.Expect(loaded.Tool.Claims).To(HaveKeyWithValue(ContainSubstring("lis"), Equal(map[string]any{"course_section_sourcedid": "AN-1"})))

	_, err = load(config.Sources{File: file(t, tool+"\n  custom: {id: 7}")})
	expectProblems(g, err, []string{"tool.custom"})
	_, err = load(config.Sources{File: file(t, tool+"\n  claims: {sub: me, nonce: x}")})
	expectProblems(g, err, []string{"tool.claims.nonce: cannot be set here: the run sets this claim itself", "tool.claims.sub: cannot be set here: the run sets this claim itself"})
}

func TestFeaturesThatNeedAKey(t *testing.T) {
	keys := map[string]string{ // the key that a feature needs, with a value
		config.RoleBasedView: "tool.instructor_view.text", config.UserMarker: "tool.user_selector",
		config.ResourceMarker: "tool.resource_selector", config.ToolJWKS: "tool.jwks_url",
	}
	for _, feature := range toolFeatures() {
		t.Run(feature, func(t *testing.T) {
			g := NewWithT(t)
			real := config.Sources{File: file(t, realTool), Settings: map[string]string{"features": feature}}
			key := keys[feature]
			if key == "" {
				_, err := load(real)
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			_, err := load(real)
			expectProblems(g, err, []string{strings.TrimSuffix(key, ".text") + ": is needed for the feature " + feature})

			_, err = config.Load(config.Sources{Demo: true, Settings: real.Settings})
			g.Expect(err).NotTo(HaveOccurred(), "the embedded fake tool has what it needs")

			real.Settings[key] = "https://tool.example/x"
			_, err = load(real)
			g.Expect(err).NotTo(HaveOccurred())
			delete(real.Settings, "features")
			_, err = load(real)
			g.Expect(err).NotTo(HaveOccurred(), "a key is welcome without its feature")
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := load(config.Sources{File: file(t, realTool), Settings: map[string]string{"features": strings.Join(toolFeatures(), ",")}})
		expectProblems(NewWithT(t), err, []string{"tool.instructor_view: ", "tool.user_selector: ", "tool.resource_selector: ", "tool.jwks_url: "})
	})
}

func TestTheEmbeddedFakeToolCanBeBroken(t *testing.T) {
	g := NewWithT(t)
	loaded, err := config.Load(config.Sources{Demo: true, Settings: map[string]string{
		"embedded.faults": "a,b", "embedded.faults_met_by": "browser", "embedded.null_peer": "hangs-up", "embedded.null_peer_after_requests": "7", "embedded.null_peer_part": "grades", "embedded.null_peer_every_requests": "3", "embedded.only_verdicts": "true", "embedded.skip_preflight": "true",
	}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(loaded.Embedded).To(Equal(config.Embedded{
		Faults: []string{"a", "b"}, FaultsMetBy: "browser", NullPeer: "hangs-up", NullPeerAfterRequests: 7, NullPeerPart: "grades", NullPeerEveryRequests: 3, OnlyVerdicts: true, SkipPreflight: true,
	}))
}

func TestSchema(t *testing.T) {
	g := NewWithT(t)
	schema := tree(g, config.Schema())
	compiler := validator.NewCompiler()
	g.Expect(compiler.AddResource("config.json", schema)).To(Succeed())
	compiled, err := compiler.Compile("config.json")
	g.Expect(err).NotTo(HaveOccurred())

	for _, text := range []string{
		`{}`, `{"tool":{}}`, `{"tool":{"login_url":""}}`, `{"requirements":[]}`, `{"timeout":{"run":"1h30m"}}`,
		`{"concurrent_launches":2}`, `{"concurrent_launches":5000}`, `{"features":["tls"]}`, `{"tool":{"jwks_url":""}}`, `{"embedded":{"only_verdicts":true}}`,
		`{"tool":{"login_url":"https://a.example/","redirect_uris":["https://b.example/"],"launch_accepted":{"text":"x"}},"agent":"http"}`,
	} {
		value, err := validator.UnmarshalJSON(strings.NewReader(text))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(compiled.Validate(value)).To(Succeed(), text)
	}
	refused := []string{`[]`, `"x"`, `null`, `{"agent":"netscape"}`, `{"requirements":"a"}`, `{"timeout":{"run":"1"}}`, `{"timeout":{"run":60}}`, `{"browser":{"headed":"true"}}`,
		`{"concurrent_launches":"40"}`, `{"concurrent_launches":2.5}`, `{"concurrent_launches":1}`, `{"concurrent_launches":5001}`, `{"features":"tls"}`, `{"embedded":{"only_verdicts":1}}`}
	objects := []string{`%`, `{"tool":%}`, `{"tool":{"launch_accepted":%}}`, `{"tool":{"launch_refused":%}}`, `{"tool":{"instructor_view":%}}`, `{"platform":%}`, `{"browser":%}`, `{"timeout":%}`, `{"embedded":%}`}
	for _, object := range objects {
		refused = append(refused, strings.ReplaceAll(object, "%", `{"nobody-knows":1}`))
	}
	for _, text := range refused {
		value, err := validator.UnmarshalJSON(strings.NewReader(text))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(compiled.Validate(value)).NotTo(Succeed(), text)
	}
}

func TestSchemaSaysWhatEveryKeyIsFor(t *testing.T) {
	g := NewWithT(t)
	var keys []string
	for key, property := range described(tree(g, config.Schema()), "") {
		g.Expect(property["description"]).To(BeAssignableToTypeOf(""), key)
		g.Expect(property["description"]).To(HaveSuffix("."), key)
		keys = append(keys, key)
	}
	slices.Sort(keys)
	g.Expect(config.Keys()).To(Equal(keys), "alphabetical, and those of the schema")
}

func TestEveryKeyCanBeSetFromEverySource(t *testing.T) {
	texts := map[string]string{
		"agent": "http", "embedded.null_peer": "blank", "embedded.faults_met_by": "http", "fake_platform.url": "https://lms.example", "fake_platform.listen": ":1", "browser.devtools_url": "http://b:1",
		"fake_platform.other_url": "https://other.example", "features": "tls", "concurrent_launches": "7", "concurrent_scenarios": "7", "seed": "7", "embedded.null_peer_after_requests": "7", "embedded.null_peer_every_requests": "7", "embedded.null_peer_part": "grades",
		"fail_on": "warned", "require": "sec-tool-nonce-*", "requirements": "sec-tool-aud", "sections": "sec:5.1.3", "filter": "launch && MUST", "shard": "2/3", "browser.pool": "http://b:1", "trusted_proxies": "10.0.0.0/8",
		"fake_tool.url": "https://tool.example", "fake_tool.other_url": "https://other.example", "fake_tool.listen": ":1",
		"fake_exam_platform.listen": ":1", "fake_exam_platform.url": "https://lms.example",
	}
	for _, key := range config.Keys() {
		g := NewWithT(t)
		text := texts[key]
		switch {
		case text != "":
		case key == "profiles":
			text = "proctoring"
		case strings.HasPrefix(key, "timeout."), key == "browser.idle_time", key == "platform.exam_duration":
			text = "7s"
		case strings.HasSuffix(key, "headed"), strings.HasSuffix(key, "preflight"), strings.HasSuffix(key, "verdicts"), strings.HasSuffix(key, "writes"), key == "backend.has_dashboard", key == "backend.supports_onboarding":
			text = "true"
		default:
			text = "https://tool.example/x"
		}
		other := map[string]string{} // what has to stand beside it
		switch key {
		case "tool.login_url":
			other["tool.launch_url"] = text
		case "tool.launch_url":
			other["tool.login_url"] = text
		case "browser.devtools_url", "browser.pool":
			other["fake_platform.url"] = "https://lms.example"
		}
		settings := map[string]string{key: text}
		environ := []string{config.Env(key) + "=" + text}
		for k, v := range other {
			settings[k] = v
			environ = append(environ, config.Env(k)+"="+v)
		}
		demo := strings.HasPrefix(key, "embedded.")
		set, err := load(config.Sources{Demo: demo, Settings: settings})
		g.Expect(err).NotTo(HaveOccurred(), key)
		fromEnvironment, err := load(config.Sources{Demo: demo, Environ: environ})
		g.Expect(err).NotTo(HaveOccurred(), key)
		g.Expect(diff(set, fromEnvironment)).To(BeEmpty(), key)

		before, after := flat(tree(g, config.Default(config.ToolSide)), ""), flat(tree(g, set), "")
		var differing []string
		for k := range after {
			if _, beside := other[k]; !beside && !reflect.DeepEqual(before[k], after[k]) {
				differing = append(differing, k)
			}
		}
		g.Expect(differing).To(ConsistOf(key), "setting %s changes it and nothing else", key)
	}
}

func TestEnv(t *testing.T) {
	g := NewWithT(t)
	g.Expect(config.Env("agent")).To(Equal("INVIGILATOR_AGENT"))
	g.Expect(config.Env("tool.login_url")).To(Equal("INVIGILATOR_TOOL_LOGIN_URL"))
	g.Expect(config.Env("tool.launch_accepted.text")).To(Equal("INVIGILATOR_TOOL_LAUNCH_ACCEPTED_TEXT"))
	seen := map[string]string{"INVIGILATOR_CONFIG": "the file's", "INVIGILATOR_DEMO": "the demo's"}
	for _, key := range config.Keys() {
		g.Expect(config.Env(key)).To(MatchRegexp(`^INVIGILATOR(_[A-Z]+)+$`))
		g.Expect(seen).NotTo(HaveKey(config.Env(key)), "%s has a variable of its own", key)
		seen[config.Env(key)] = key
	}
}

func TestPlatformOfTheRunsOwnBrowser(t *testing.T) {
	for platform, private := range map[string]bool{
		"https://platform.test": true, "http://platform.test": true, "https://platform.test:8443": true, "https://a.b.test": true,
		"https://lms.example": false, "https://platform.test.example": false, "https://platformtest": false, "https://test": false,
		"http://localhost:8765": false, "http://127.0.0.1:8765": false, "https://lms.example:8443": false,
	} {
		t.Run(platform, func(t *testing.T) {
			NewWithT(t).Expect(config.FakePlatform{URL: platform}.Private()).To(Equal(private))
		})
	}
}

func TestWhereTheToolsServerFindsThePlatforms(t *testing.T) {
	for name, test := range map[string]struct{ url, other, listen, want, wantOther string }{
		"default":          {listen: "127.0.0.1:8765", want: "http://localhost:8765", wantOther: "http://localhost:8765/other"},
		"another loopback": {listen: "127.8.8.8:80", want: "http://localhost:80", wantOther: "http://localhost:80/other"},
		"IPv6 loopback":    {listen: "[::1]:80", want: "http://localhost:80", wantOther: "http://localhost:80/other"},
		"everywhere":       {listen: "0.0.0.0:8765", want: "http://localhost:8765", wantOther: "http://localhost:8765/other"},
		"everywhere, IPv6": {listen: "[::]:8765", want: "http://localhost:8765", wantOther: "http://localhost:8765/other"},
		"no host":          {listen: ":8765", want: "http://localhost:8765", wantOther: "http://localhost:8765/other"},
		"localhost":        {listen: "localhost:8765", want: "http://localhost:8765", wantOther: "http://localhost:8765/other"},
		"address":          {listen: "192.0.2.7:8765", want: "http://192.0.2.7:8765", wantOther: "http://192.0.2.7:8765/other"},
		"IPv6 address":     {listen: "[2001:db8::7]:8765", want: "http://[2001:db8::7]:8765", wantOther: "http://[2001:db8::7]:8765/other"},
		"name":             {listen: "ci.internal:8765", want: "http://ci.internal:8765", wantOther: "http://ci.internal:8765/other"},
		"no port":          {listen: "127.0.0.1"},
		"public":           {url: "https://lms.example", listen: "127.0.0.1:8765", want: "https://lms.example", wantOther: "https://lms.example/other"},
		"public, with port": {
			url: "http://localhost:9999", other: "http://127.0.0.1:9999", listen: "0.0.0.0:8765",
			want: "http://localhost:9999", wantOther: "http://127.0.0.1:9999",
		},
		"the other one public":      {other: "https://b.example", listen: ":8765", want: "http://localhost:8765", wantOther: "https://b.example"},
		"both public, listen wrong": {url: "https://a.example", other: "https://b.example", listen: "?", want: "https://a.example", wantOther: "https://b.example"},
		"private, in capitals":      {url: "https://Platform.TEST", listen: ":1", want: "http://localhost:1", wantOther: "http://localhost:1/other"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := config.Default(config.ToolSide).FakePlatform
			p.URL, p.OtherURL, p.Listen = cmp.Or(test.url, p.URL), cmp.Or(test.other, p.OtherURL), test.listen
			g.Expect(p.ServerURL()).To(Equal(test.want))
			g.Expect(p.OtherServerURL()).To(Equal(test.wantOther))
		})
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"0s": 0, "250ms": 250 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "1h30m0s": 90 * time.Minute} {
		g := NewWithT(t)
		var d config.Duration
		g.Expect(json.Unmarshal([]byte(`"`+text+`"`), &d)).To(Succeed())
		g.Expect(d.Std()).To(Equal(want))
		encoded, err := json.Marshal(d)
		g.Expect(err).NotTo(HaveOccurred())
		var again config.Duration
		g.Expect(json.Unmarshal(encoded, &again)).To(Succeed())
		g.Expect(again).To(Equal(d))
	}
	for _, text := range []string{`""`, `"soon"`, `"5"`, `5`, `{}`} {
		var d config.Duration
		NewWithT(t).Expect(json.Unmarshal([]byte(text), &d)).NotTo(Succeed(), text)
	}
}

func TestMarkerIsZero(t *testing.T) {
	g := NewWithT(t)
	g.Expect(config.Marker{}.IsZero()).To(BeTrue())
	for _, m := range []config.Marker{{Selector: "a"}, {Text: "a"}, {URL: "a"}} {
		g.Expect(m.IsZero()).To(BeFalse())
	}
}

func TestAFileThatSaysNothing(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "white space": "\n  \n", "comment": "# nothing yet\n", "separator": "---\n", "braces": "{}\n"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			loaded, err := load(config.Sources{File: file(t, text)})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(diff(config.Default(config.ToolSide), loaded)).To(BeEmpty())
			loaded, err = load(config.Sources{File: file(t, text), Environ: []string{"INVIGILATOR_TOOL_NAME=x"}, Settings: map[string]string{"report": "y"}})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(loaded.Tool.Name + loaded.Report).To(Equal("xy"))
		})
	}
}

func TestADurationBeyondAllBoundsIsRefused(t *testing.T) {
	_, err := load(config.Sources{File: file(t, "timeout: {launch: 99999999999h}\n"+realTool)})
	expectProblems(NewWithT(t), err, []string{"timeout.launch: "})
}

func TestAWrongTypeHidesNoOtherProblem(t *testing.T) {
	_, err := load(config.Sources{File: file(t, "tool: {name: 3, login_url: 'https://tool.example/'}\nfake_platform: {listen: nowhere}\ntimeout: {run: long}\n")})
	expectProblems(NewWithT(t), err, []string{"tool.name: ", "tool.launch_url: is needed", "fake_platform.listen: ", "timeout.run: "})
}

func TestAnUnreadableFileHidesNoOtherProblem(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "missing.yaml"), file(t, "tool: {name: x\n")} {
		_, err := load(config.Sources{File: path, Environ: []string{"INVIGILATOR_COLOUR=red"}, Settings: map[string]string{"colour": "red"}})
		NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring(path), ContainSubstring("INVIGILATOR_COLOUR: unknown key"), ContainSubstring("colour: unknown key"))))
	}
}

func TestASecondDocumentIsNotIgnored(t *testing.T) {
	_, err := load(config.Sources{File: file(t, "report: a\n---\nreport: b\n")})
	NewWithT(t).Expect(err).To(HaveOccurred())
}

func TestASettingDoesNotHideAWrongSection(t *testing.T) {
	_, err := load(config.Sources{File: file(t, "tool: https://tool.example\n"), Settings: map[string]string{"tool.name": "x"}})
	expectProblems(NewWithT(t), err, []string{"tool: is text instead of a section"})
}

func TestURLsThatNoBrowserOpensAreRefused(t *testing.T) {
	for name, test := range map[string]struct{ file, want string }{
		"space in host":           {"fake_platform: {url: 'https://lms example'}\n", "fake_platform.url: "},
		"two ports":               {"fake_platform: {url: 'https://a:b:c'}\n", "fake_platform.url: "},
		"port alone":              {"fake_platform: {url: 'https://:80'}\n", "fake_platform.url: "},
		"login in URL":            {"fake_platform: {url: 'https://user:secret@lms.example'}\n", "fake_platform.url: "},
		"redirect by FTP":         {"tool: {redirect_uris: ['ftp://a.example/']}\n", "tool.redirect_uris.0: "},
		"redirect to a script":    {"tool: {redirect_uris: ['javascript://a.example/']}\n", "tool.redirect_uris.0: "},
		"redirect to nothing":     {"tool: {redirect_uris: ['']}\n", "tool.redirect_uris.0: "},
		"listen on an empty port": {"fake_platform: {listen: '127.0.0.1:'}\n", "fake_platform.listen: "},
		"listen beyond ports":     {"fake_platform: {listen: '127.0.0.1:99999'}\n", "fake_platform.listen: "},
		"other platform's ports":  {"fake_platform: {other_url: 'https://a:b:c'}\n", "fake_platform.other_url: "},
		"login in the other":      {"fake_platform: {other_url: 'https://user:secret@b.example'}\n", "fake_platform.other_url: "},
		"key set by FTP":          {"tool: {jwks_url: 'ftp://a.example/'}\n", "tool.jwks_url: "},
		"key set with a login":    {"tool: {jwks_url: 'https://a:b@tool.example/'}\n", "tool.jwks_url: must not contain a user name or password"},
		"key set at a port alone": {"tool: {jwks_url: 'https://:443/'}\n", "tool.jwks_url: "},
		"tool at a port alone":    {"tool: {protected_url: 'https://:443/'}\n", "tool.protected_url: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(config.Sources{File: file(t, test.file)})
			expectProblems(NewWithT(t), err, []string{test.want})
		})
	}
}

func TestAHostIsTheSameInAnyCase(t *testing.T) {
	NewWithT(t).Expect(config.FakePlatform{URL: "https://Platform.TEST"}.Private()).To(BeTrue())
}

func TestShardsTakeBrowsersFromThePoolInTurn(t *testing.T) {
	g := NewWithT(t)
	c := config.Default(config.ToolSide)
	g.Expect(c.Remote(1)).To(BeEmpty())
	c.Browser.Pool = []string{"http://a:1", "http://b:1", "http://c:1"}
	for shard, takes := range map[string]string{"": "http://a:1", "1/4": "http://a:1", "2/4": "http://b:1", "3/4": "http://c:1", "4/4": "http://a:1"} {
		c.Shard = shard
		g.Expect(c.Remote(1)).To(Equal(takes), shard)
	}
	c.Shard = "4/4"
	g.Expect(c.Remote(3)).To(Equal("http://c:1"), "the third process of the fourth shard")

	for _, wrong := range []string{"0/2", "3/2", "1", "1/", "/2", "a/b", "1/2/3", "-1/2", "1/1001"} {
		_, err := config.ParseShard(wrong)
		g.Expect(err).To(MatchError(ContainSubstring("no shard of a run")), wrong)
	}
	_, err := load(config.Sources{Settings: map[string]string{"browser.pool": "http://a:1,b:2", "browser.devtools_url": "http://c:1"}})
	g.Expect(err).To(MatchError(And(ContainSubstring(`browser.pool.1: "b:2" is not a valid ws`), ContainSubstring("leave one of them out"), ContainSubstring("fake_platform.url: "))))
}
