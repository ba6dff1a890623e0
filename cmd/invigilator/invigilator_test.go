package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// program is the command, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "invigilator")
	if err == nil {
		program = filepath.Join(dir, "invigilator")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// run runs the command in a folder and returns what it printed and its status.
func run(t *testing.T, dir string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return runWith(t, dir, nil, args...)
}

// runWith runs the command with more in its environment.
func runWith(t *testing.T, dir string, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir, command.Env = dir, append(clean(), env...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// clean is the environment without what could configure a run.
func clean() []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "INVIGILATOR_") })
}

func TestExitStatus(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"conformant":                {[]string{"--agent", "http", "--only", "sec-tool-aud"}, 0, "CONFORMANT: The requirement passed."},
		"a required one failed":     {[]string{"--agent", "http", "--only", "sec-tool-aud", "--fault", "ignores-audience"}, 1, "failed  sec-tool-aud (MUST)"},
		"only a warning":            {[]string{"--agent", "http", "--only", "sec-tool-aud", "--fault", "refuses-audience-with-400"}, 0, "without HTTP 401"},
		"not shown":                 {[]string{"--agent", "http", "--only", "cert-tool-valid-launch"}, 2, "only in a browser"},
		"nothing shown":             {[]string{"--agent", "http", "--only", "practice-tool-works-in-cross-site-frame"}, 2, "Nothing was shown"},
		"a requirement nobody has":  {[]string{"--only", "sec-tool-everything"}, 3, `no requirement "sec-tool-everything"`},
		"one that is not checked":   {[]string{"--only", "practice-dr-tool-ssrf"}, 3, "no scenario of this version checks practice-dr-tool-ssrf"},
		"one of the platform's":     {[]string{"--only", "sec-login-initiation-iss"}, 3, "judge it with 'invigilator demo platform'"},
		"no shard of anything":      {[]string{"--shard", "3/2"}, 3, `shard: "3/2" is no shard of a run`},
		"a shard of too little":     {[]string{"--shard", "2/2", "--only", "sec-tool-aud"}, 3, "shard: nothing is left for 2/2"},
		"a shard with all of it":    {[]string{"--agent", "http", "--shard", "1/2", "--only", "sec-tool-aud"}, 0, "CONFORMANT: Shard 1 of 2: The requirement passed."},
		"a query":                   {[]string{"--agent", "http", "--filter", "sec-tool-aud && MUST"}, 0, "CONFORMANT: The requirement passed."},
		"a query of no language":    {[]string{"--filter", "launch &&"}, 3, "filter: "},
		"a query for nothing":       {[]string{"--filter", "launch && exams"}, 3, "nothing that binds a tool has all of (launch && exams)"},
		"a section":                 {[]string{"--agent", "http", "--section", "sec:5.1.3 (3)"}, 0, "CONFORMANT: "},
		"a section nobody has":      {[]string{"--section", "47.11"}, 3, `no requirement is from the section "47.11"`},
		"a source nobody has":       {[]string{"--section", "secc:5.1.3"}, 3, "did you mean sec?"},
		"a section and a profile":   {[]string{"--section", "ags:", "--profile", "launch"}, 3, "has all of (ags:) && (launch)"},
		"a requirement misspelt":    {[]string{"--only", "sec-tool-nonce-replay"}, 3, "did you mean sec-tool-nonce-replayed?"},
		"a fault misspelt":          {[]string{"--fault", "ignore-audience"}, 3, `no fault "ignore-audience"; did you mean ignores-audience?`},
		"a profile misspelt":        {[]string{"--profile", "lunch"}, 3, "did you mean launch?"},
		"a feature nobody knows":    {[]string{"--set", "features=telepathy"}, 3, `features.0: there is no feature "telepathy"`},
		"a crowd that is no number": {[]string{"--set", "concurrent_launches=many"}, 3, `concurrent_launches: "many" is not a whole number`},
		"a crowd of one":            {[]string{"--set", "concurrent_launches=1"}, 3, "concurrent_launches: "},
		"a crowd of two":            {[]string{"--agent", "http", "--only", "core-tool-parallel-users", "--set", "concurrent_launches=2"}, 0, "CONFORMANT"},
		"one platform for two":      {[]string{"--set", "fake_platform.other_url=https://platform.test"}, 3, "fake_platform.other_url: has the same host as fake_platform.url"},
		"a seed that is no number":  {[]string{"--seed", "oats"}, 3, `seed: "oats" is not a whole number`},
		"a seed below nothing":      {[]string{"--seed=-1"}, 3, "seed: "},
		"no verdict but verdicts":   {[]string{"--agent", "http", "--only", "sec-tool-aud", "--set", "embedded.only_verdicts=true"}, 0, "CONFORMANT"},
		"a published private key":   {[]string{"--agent", "http", "--only", "sec-tool-jwks", "--fault", "publishes-private-key"}, 1, "publishes the private members d"},
		"several bad keys":          {[]string{"--set", "tool.colour=red", "--set", "agent=lynx"}, 3, "tool.colour: unknown key"},
		"a value with a semicolon":  {[]string{"--agent", "http", "--only", "sec-tool-iss", "--set", "tool.name=a;b"}, 0, "a;b"},
		"an unknown fault":          {[]string{"--agent", "http", "--fault", "forgets-everything"}, 3, `no fault "forgets-everything"`},
		"no browser of that name":   {[]string{"--set", "browser.path=/no/browser"}, 3, "browser.path"},
		"an unknown flag":           {[]string{"--frobnicate"}, 3, "--frobnicate"},
		"a report nowhere":          {[]string{"--agent", "http", "--only", "sec-tool-iss", "--report", "/dev/null/report"}, 3, "report: the reports cannot be written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			stdout, stderr, status := run(t, t.TempDir(), append([]string{"demo", "tool"}, c.args...)...)
			g.Expect(status).To(Equal(c.status), stdout+stderr)
			g.Expect(stdout + stderr).To(ContainSubstring(c.says))
		})
	}
}

func TestAPlatform(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, stderr, status := run(t, dir, "demo", "platform", "--agent", "http", "--only", "sec-id-token-sub,oidc-auth-missing-nonce", "--fault", "accepts-empty-nonce")
	g.Expect(status).To(Equal(1), stdout+stderr)
	g.Expect(stdout).To(ContainSubstring("oidc-auth-missing-nonce"))
	doc := document(t, filepath.Join(dir, "invigilator-report", "platform"))
	g.Expect(doc.Run.Subject.Side).To(Equal("platform"))
	g.Expect(doc.Run.Command).To(Equal("invigilator demo platform --agent http --fault accepts-empty-nonce"))
	g.Expect(doc.Requirements).To(HaveLen(2))
	g.Expect(doc.NotCovered).To(HaveLen(8), "of the 233 that bind a platform, 225 are covered")

	_, stderr, status = run(t, dir, "demo", "platform", "--only", "sec-tool-iss")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("judge it with 'invigilator demo tool'"))
	_, stderr, status = run(t, dir, "demo", "platform", "--fault", "skips-signature")
	g.Expect(status).To(Equal(3), "a fault of the other side: %s", stderr)
}

func TestPicturesAreWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	if _, err := agent.FindBrowser(false); err != nil {
		t.Skip(err)
	}
	for name, kind := range map[string]string{"end.png": "png", "END.JPEG": "jpeg"} {
		g := NewWithT(t)
		dir := t.TempDir()
		stdout, stderr, status := run(t, dir, "demo", "journey", "learner-opens-link", "--picture", name)
		g.Expect(status).To(Equal(0), stderr)
		g.Expect(stdout).To(ContainSubstring("picture: " + name))
		file, err := os.Open(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		defer func() { _ = file.Close() }()
		size, format, err := image.DecodeConfig(file)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(format).To(Equal(kind))
		g.Expect(size.Width).To(Equal(640), "as wide as reports show it")
	}
}

func TestJourney(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, stderr, status := run(t, dir, "demo", "journey", "learner-opens-link", "--agent", "http")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(stdout).To(ContainSubstring(" 8  click text=Exercise 1"))
	g.Expect(stdout).To(ContainSubstring("The login initiation has reached the fake tool, in a tab."))
	g.Expect(stdout).To(ContainSubstring("with ${CAMPUS_PASSWORD}"))
	g.Expect(stdout).To(ContainSubstring("no picture: only the agent browser takes pictures"))
	g.Expect(stdout).To(And(ContainSubstring(`"alg": "RS256"`), ContainSubstring(`"name": "Ada Lovelace"`), ContainSubstring(`"https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiResourceLinkRequest"`)))
	_, stderr, status = run(t, dir, "demo", "journey", "learner-opens-link", "--picture", "end.gif")
	g.Expect(stderr).To(ContainSubstring("--picture end.gif: a picture's name ends in .jpg or .png"))
	g.Expect(status).To(Equal(3))
	_, stderr, status = run(t, dir, "demo", "journey", "instructor-reviews", "--agent", "http")
	g.Expect(stderr).To(ContainSubstring("instructor-reviews contains {line_item}: name the line item with --line-item"))
	g.Expect(status).To(Equal(3))
	_, stderr, status = run(t, dir, "demo", "journey", "instructor-reviews", "--agent", "http", "--line-item", "Essay", "--learner", "Grace Hopper")
	g.Expect(stderr).To(ContainSubstring(`there is no tr.grade[data-item="Essay"][data-learner="Grace Hopper"] a.review on the page`))
	g.Expect(status).To(Equal(1))

	_, stderr, status = run(t, dir, "demo", "journey", "nowhere", "--agent", "http")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("learner-opens-link"))

	file := filepath.Join(dir, "platform.yaml")
	g.Expect(os.WriteFile(file, []byte("platform: {issuer: 'https://x.example', auth_url: 'https://x.example/auth'}\njourneys:\n  a: {user: nobody, steps: [{open: x, click: y}]}\nusers: {learner: {}}\n"), 0o600)).To(Succeed())
	_, stderr, status = run(t, dir, "platform", "--config", file)
	g.Expect(status).To(Equal(3))
	for _, part := range []string{
		"platform.jwks_url: is needed", "registration.client_id: is needed", `journeys.a.user: there is no user "nobody"`, "journeys.a.steps.0: a step has exactly one of",
	} {
		g.Expect(stderr).To(ContainSubstring(part))
	}
	g.Expect(os.WriteFile(file, []byte("platform: {issuer: '${NOWHERE}', auth_url: '${NOWHERE}/auth'}\n"), 0o600)).To(Succeed())
	_, stderr, status = run(t, dir, "platform", "--config", file)
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(Equal("The configuration is at fault:\n  platform.auth_url: the environment variable NOWHERE is not set; 2 keys name it (line 1)\n"))
}

func TestReportsOfARun(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	_, _, status := run(t, dir, "demo", "tool", "--agent", "http", "--only", "sec-tool-exp", "--fault", "accepts-missing-expiry")
	g.Expect(status).To(Equal(1))
	doc := document(t, filepath.Join(dir, "invigilator-report", "tool"))
	g.Expect(doc.Requirements).To(HaveLen(1))
	g.Expect(doc.Run.Command).To(Equal("invigilator demo tool --agent http --fault accepts-missing-expiry"))
	g.Expect(doc.NotCovered).To(HaveLen(2), "of the 191 that bind a tool, 189 are covered")
	for _, o := range doc.Requirements[0].Observations {
		g.Expect(o.Flows).NotTo(BeEmpty(), "%s has evidence", o.Case)
		g.Expect(o.Location).To(MatchRegexp(`^scenarios/tool/\w+\.go:\d+$`))
		for _, id := range o.Flows {
			g.Expect(doc.Flows).To(HaveKey(id))
		}
	}

	// The same document makes the same reports.
	_, _, status = run(t, dir, "report", "invigilator-report/tool/results.json", "--out", "again")
	g.Expect(status).To(Equal(0))
	for _, name := range []string{"report.html", "junit.xml", "summary.md", "results.json"} {
		first, err := os.ReadFile(filepath.Join(dir, "invigilator-report", "tool", name))
		g.Expect(err).NotTo(HaveOccurred())
		again, err := os.ReadFile(filepath.Join(dir, "again", name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(bytes.Equal(first, again)).To(BeTrue(), name)
	}
}

func TestTheSeedSetsTheOrder(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	// Flows are numbered as they come.
	flows := func(seed string) (map[string][]string, results.Document) {
		dir := t.TempDir()
		_, stderr, status := run(t, dir, "demo", "tool", "--agent", "http", "--seed", seed, "--only", "sec-tool-aud,sec-tool-iss,sec-tool-exp,sec-tool-nonce-missing")
		g.Expect(status).To(Equal(0), stderr)
		doc := document(t, filepath.Join(dir, "invigilator-report", "tool"))
		found := map[string][]string{}
		for _, r := range doc.Requirements {
			for _, o := range r.Observations {
				found[o.Requirement+" "+o.Case] = o.Flows
			}
		}
		return found, doc
	}
	first, doc := flows("7")
	g.Expect(doc.Run.Seed).To(Equal(int64(7)))
	g.Expect(doc.Run.Command).To(Equal("invigilator demo tool --agent http --seed 7"))
	again, _ := flows("7")
	g.Expect(again).To(Equal(first))
	other, _ := flows("8")
	g.Expect(other).NotTo(Equal(first))
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, _, status := run(t, dir, "requirements", "--side", "tool", "--level", "must", "--json")
	g.Expect(status).To(Equal(0))
	var list []requirements.Requirement
	g.Expect(json.Unmarshal([]byte(stdout), &list)).To(Succeed())
	g.Expect(list).To(HaveEach(And(HaveField("Binds", requirements.Tool), HaveField("Level", requirements.Must))))

	stdout, _, status = run(t, dir, "requirements", "--side", "tool", "--covered")
	g.Expect(status).To(Equal(0))
	g.Expect(strings.Count(stdout, "\n")).To(Equal(190), "189 and a heading")

	stdout, _, status = run(t, dir, "requirements", "--side", "tool", "--covered", "--json")
	g.Expect(status).To(Equal(0))
	g.Expect(json.Unmarshal([]byte(stdout), &list)).To(Succeed())
	g.Expect(list).To(HaveLen(189))
	g.Expect(list).To(HaveEach(And(HaveField("Binds", requirements.Tool), HaveField("Profile", BeElementOf("launch", "proctoring", "tool-messages", "services", "grades", "submission-review", "names-and-roles", "deep-linking", "dynamic-registration", "platform-storage")))))

	_, stderr, status := run(t, dir, "requirements", "--profile", "nonsense")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("no requirement"))

	stdout, _, status = run(t, dir, "explain", "sec-tool-aud")
	g.Expect(status).To(Equal(0))
	for _, part := range []string{"5.1.3 (3)", "https://www.imsglobal.org/spec/security/v1p0/", "aud-other-case", "ignores-audience", "an audience that it is not", "--only sec-tool-aud"} {
		g.Expect(stdout).To(ContainSubstring(part))
	}

	stdout, _, status = run(t, dir, "explain", "core-tool-parallel-users")
	g.Expect(status).To(Equal(0))
	for _, part := range []string{"interleaved-users", "users-at-once", "many users at once", "none", "--only core-tool-parallel-users"} {
		g.Expect(stdout).To(ContainSubstring(part))
	}

	stdout, _, _ = run(t, dir, "faults", "--side", "platform")
	g.Expect(stdout).To(ContainSubstring("nonce-of-other-browser"))
	g.Expect(stdout).NotTo(ContainSubstring("skips-signature"))

	stdout, _, status = run(t, dir, "requirements", "--side", "platform", "--covered", "--json")
	g.Expect(status).To(Equal(0))
	g.Expect(json.Unmarshal([]byte(stdout), &list)).To(Succeed())
	g.Expect(list).To(HaveLen(225))
	stdout, _, status = run(t, dir, "explain", "oidc-redirect-uri-exact-match")
	g.Expect(status).To(Equal(0))
	for _, part := range []string{"redirect-uri-trailing-slash", "compares-redirect-host", "invigilator platform --only"} {
		g.Expect(stdout).To(ContainSubstring(part))
	}

	stdout, _, _ = run(t, dir, "schema")
	g.Expect(stdout).To(And(ContainSubstring("login_url"), Satisfy(func(text string) bool { return json.Valid([]byte(text)) })))
	stdout, _, status = run(t, dir, "schema", "results")
	g.Expect(status).To(Equal(0))
	g.Expect(stdout).To(Equal(string(results.JSONSchema)))
	_, stderr, status = run(t, dir, "schema", "result")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring(`must be one of "configuration","results"`))
}

func TestProof(t *testing.T) {
	type matrix struct {
		Requirements []string
		Rows         []struct {
			Subject, Kind string
			Cells         map[string]struct{ Expected, Actual, Reason string }
		}
	}
	prove := func(t *testing.T, args ...string) matrix {
		t.Helper()
		g := NewWithT(t)
		dir := t.TempDir()
		stdout, _, status := run(t, dir, append([]string{"prove", "--side", "tool", "--only", "accepts-empty-nonce"}, args...)...)
		g.Expect(status).To(Equal(0), stdout)
		g.Expect(stdout).To(ContainSubstring("The proof holds"))
		text, err := os.ReadFile(filepath.Join(dir, "invigilator-proof", "proof.json"))
		g.Expect(err).NotTo(HaveOccurred())
		var m matrix
		g.Expect(json.Unmarshal(text, &m)).To(Succeed())
		g.Expect(m.Requirements).To(HaveLen(189))
		g.Expect(m.Rows[0].Kind).To(Equal("clean"), "a tool without faults comes first")
		g.Expect(m.Rows[0].Cells).To(HaveLen(189))
		g.Expect(m.Rows[0].Cells["sec-tool-nonce-missing"].Actual).To(Equal("passed"))
		g.Expect(m.Rows[1].Subject).To(Equal("accepts-empty-nonce"))
		for id, cell := range m.Rows[1].Cells {
			g.Expect(cell.Actual).To(Equal(cell.Expected), id)
			if id == "sec-tool-nonce-missing" {
				g.Expect(cell.Actual).To(Equal("failed"))
				g.Expect(cell.Reason).To(ContainSubstring("nonce-empty"))
			} else {
				g.Expect(cell.Actual).NotTo(Equal("failed"), id)
			}
		}
		return m
	}

	t.Run("by the scenarios that a fault can make a difference to", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		m := prove(t, "--only", "blank")
		g.Expect(m.Rows).To(HaveLen(6))
		g.Expect(m.Rows[1].Cells).To(HaveKey("sec-tool-nonce-missing"))
		g.Expect(len(m.Rows[1].Cells)).To(BeNumerically("<", 10))
		g.Expect(m.Rows[2].Subject).To(Equal("blank"))
		g.Expect(m.Rows[2].Cells).To(HaveLen(189))
		for id, cell := range m.Rows[2].Cells {
			g.Expect(cell.Actual).NotTo(Equal("passed"), id)
		}
		for _, row := range m.Rows[3:] {
			g.Expect(row.Subject).To(HavePrefix("blank after "))
			for id, cell := range row.Cells {
				g.Expect(cell.Actual).To(BeElementOf("passed", "inconclusive"), "what it has shown until then, %s", id)
			}
		}
	})

	t.Run("by every scenario", func(t *testing.T) {
		t.Parallel()
		m := prove(t, "--whole")
		NewWithT(t).Expect(m.Rows).To(HaveLen(2))
		NewWithT(t).Expect(m.Rows[1].Cells).To(HaveLen(94), "those of launches: the fault is one of theirs")
	})

	t.Run("of nothing", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		_, stderr, status := run(t, t.TempDir(), "prove", "--only", "nonsense")
		g.Expect(status).To(Equal(3))
		g.Expect(stderr).To(ContainSubstring(`no fault or null peer "nonsense"`))
	})
}

func TestABackend(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, stderr, status := run(t, dir, "demo", "backend")
	g.Expect(status).To(Equal(0), stdout+stderr)
	g.Expect(stdout).To(ContainSubstring("All 27 requirements passed."))
	doc, err := results.ReadFile(filepath.Join(dir, "invigilator-report", "backend", "results.json"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(doc.Run.Subject.Side).To(Equal("backend"))
	g.Expect(doc.NotCovered).To(HaveLen(3), "of the 30 that bind a backend, 27 are covered")

	stdout, stderr, status = run(t, dir, "demo", "backend", "--only", "edx-instructor-verify", "--fault", "ignores-dashboard-expiry")
	g.Expect(status).To(Equal(1), stdout+stderr)
	g.Expect(stdout).To(ContainSubstring("dashboard-token-expired"))

	_, stderr, status = run(t, dir, "backend", "--base-url", "http://127.0.0.1:1/", "--client-id", "edx", "--set", "backend.client_secret=abcdef")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("backend.base_url: ends with a slash"))

	stdout, _, status = run(t, dir, "explain", "edx-instructor-verify")
	g.Expect(status).To(Equal(0))
	for _, part := range []string{"fake exam-platform", "dashboard-token-unsigned", "fake backend", "takes-unsigned-dashboard-token", "invigilator demo backend --only"} {
		g.Expect(stdout).To(ContainSubstring(part))
	}
}
