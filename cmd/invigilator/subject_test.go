package main_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	. "github.com/onsi/gomega"

	"invigilator.example/results"
	"invigilator.example/results/resultstest"
)

// document reads the results that a run has left.
func document(t *testing.T, folder string) results.Document {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(folder, "results.json"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(resultstest.Valid(text)).To(Succeed())
	doc, err := results.Read(bytes.NewReader(text))
	g.Expect(err).NotTo(HaveOccurred())
	return doc
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	NewWithT(t).Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

const (
	toolFile     = "tool: {login_url: 'http://127.0.0.1:1/login', launch_url: 'http://127.0.0.1:1/launch'}\nfake_platform: {listen: '127.0.0.1:0'}\nagent: http\ntimeout: {restart: 50ms}\n"
	platformFile = "platform: {issuer: 'https://lms.example', auth_url: 'https://lms.example/auth', jwks_url: 'https://lms.example/keys'}\nregistration: {client_id: '7'}\njourneys: {opens: https://lms.example/7}\n"
)

// A run that says conformant of the embedded subject, because the real one was not named,
// would say so for ever.
func TestNothingIsJudgedUnasked(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  []string
		file string // in the folder
		says string
	}{
		"nothing said":             {args: []string{"tool"}, says: "tool.login_url"},
		"no platform said":         {args: []string{"platform"}, says: "platform.issuer"},
		"a journey in none":        {args: []string{"journey", "learner-opens-link"}, says: "platform.issuer"},
		"flags of unset variables": {args: []string{"tool", "--login-url", "", "--launch-url", ""}, says: "tool.login_url"},
		"settings of such":         {args: []string{"tool", "--set", "tool.login_url=", "--set", "tool.launch_url="}, says: "tool.login_url"},
		"an empty variable":        {args: []string{"tool"}, env: []string{"INVIGILATOR_TOOL_LOGIN_URL="}, says: "tool.login_url"},
		"one over the file's":      {args: []string{"tool"}, env: []string{"INVIGILATOR_TOOL_LOGIN_URL="}, file: toolFile, says: "tool.login_url"},
		"a flag over the file's":   {args: []string{"tool", "--login-url="}, file: toolFile, says: "tool.login_url"},
		"an empty file":            {args: []string{"tool"}, file: "\n", says: "tool.login_url"},
		"a platform's file":        {args: []string{"tool"}, file: platformFile, says: "platform.issuer is about a platform, which 'invigilator platform' judges"},
		"a tool's file":            {args: []string{"platform"}, file: toolFile, says: "tool.login_url is about a tool, which 'invigilator tool' judges"},
		"no file named":            {args: []string{"tool", "--config", ""}, file: toolFile, says: "--config is given but empty"},
		"no file named, in short":  {args: []string{"tool", "--config="}, file: toolFile, says: "--config is given but empty"},
		"no report named":          {args: []string{"demo", "tool", "--report", ""}, says: "--report (report) is given but empty"},
		"no requirement named":     {args: []string{"demo", "--only", ""}, says: "--only (requirements) is given but empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			dir := t.TempDir()
			if c.file != "" {
				write(t, dir, "invigilator.yaml", c.file)
			}
			stdout, stderr, status := runWith(t, dir, c.env, c.args...)
			g.Expect(status).To(Equal(3), stdout+stderr)
			g.Expect(stdout).To(BeEmpty())
			said := strings.Split(strings.TrimSpace(stderr), "\n")
			if c.file != "" && strings.HasPrefix(said[0], "configuration: ") {
				said = said[1:]
			}
			g.Expect(said).To(HaveExactElements(And(ContainSubstring(c.says), ContainSubstring("invigilator demo"))))
			g.Expect(filepath.Join(dir, "invigilator-report")).NotTo(BeADirectory())
		})
	}
	for _, asked := range []string{"INVIGILATOR_CONFIG=", "INVIGILATOR_DEMO=true", "INVIGILATOR_DEMO="} {
		stdout, stderr, status := runWith(t, t.TempDir(), []string{asked}, "tool")
		name, _, _ := strings.Cut(asked, "=")
		NewWithT(t).Expect(status).To(Equal(3), stdout)
		NewWithT(t).Expect(stderr).To(ContainSubstring("environment variable " + name + ": "))
	}
}

func TestTheFileInTheFolder(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	found := write(t, dir, "invigilator.yaml", toolFile+"report: found\n")
	stdout, stderr, status := run(t, dir, "tool")
	g.Expect(status).To(Equal(3), stdout+stderr)
	g.Expect(stderr).To(ContainSubstring("configuration: " + found))
	g.Expect(stdout).To(And(ContainSubstring("The tool cannot be reached."), ContainSubstring("127.0.0.1:1\n")), "the subject is named")
	g.Expect(document(t, filepath.Join(dir, "found")).Run.Command).To(Equal("invigilator tool --config invigilator.yaml"))

	write(t, dir, "other.yaml", toolFile+"report: other\n")
	_, _, status = run(t, dir, "tool", "--config", "other.yaml", "--client-id", "seven")
	g.Expect(status).To(Equal(3))
	g.Expect(document(t, filepath.Join(dir, "other")).Run.Command).To(Equal("invigilator tool --config other.yaml --client-id seven"))
	_, stderr, status = runWith(t, dir, []string{"INVIGILATOR_CONFIG=" + write(t, dir, "third.yaml", toolFile+"report: third\n")}, "tool")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).NotTo(ContainSubstring(found))
	g.Expect(filepath.Join(dir, "third", "results.json")).To(BeARegularFile())
}

func TestNoCommandIsNoSuccess(t *testing.T) {
	g := NewWithT(t)
	stdout, stderr, status := run(t, t.TempDir())
	g.Expect(status).To(Equal(3), "as by a variable of a script that is not set")
	g.Expect(stdout + stderr).To(ContainSubstring("Usage: invigilator"))
}

func TestDemo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	write(t, dir, "invigilator.yaml", toolFile) // it is not about the demo
	stdout, stderr, status := runWith(t, dir, []string{"INVIGILATOR_AGENT=http"}, "demo", "--only", "sec-tool-aud", "--only", "oidc-auth-missing-nonce", "--fault", "accepts-empty-nonce")
	g.Expect(status).To(Equal(1), stdout+stderr)
	g.Expect(stdout).To(And(ContainSubstring("the embedded fake tool (demo), http"), ContainSubstring("the embedded campus (demo), http")))
	for side, want := range map[string]results.Outcome{"tool": results.Conformant, "platform": results.NotConformant} {
		folder := filepath.Join(dir, "invigilator-report", side)
		doc := document(t, folder)
		g.Expect(doc.Outcome).To(Equal(want), side)
		g.Expect(doc.Run.Subject.Embedded).To(BeTrue())
		g.Expect(doc.Run.Command).To(HavePrefix("invigilator demo " + side + " --agent http"))
		for _, name := range []string{"report.html", "junit.xml", "summary.md", "verdicts.csv", "results.json"} {
			text, err := os.ReadFile(filepath.Join(folder, name))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).To(ContainSubstring("(demo)"), name)
		}
	}
	_, _, status = run(t, dir, "demo", "--agent", "http", "--only", "sec-tool-aud", "--report", "out", "--set", "tool.name=Acme")
	g.Expect(status).To(Equal(0))
	g.Expect(document(t, filepath.Join(dir, "out", "tool")).Run.Subject.Name).To(Equal("Acme (demo)"))
	g.Expect(filepath.Join(dir, "out", "platform")).NotTo(BeADirectory(), "nothing of it was asked for")
	_, _, status = run(t, dir, "demo", "--agent", "http", "--set", "requirements=oidc-auth-missing-nonce,sec-tool-aud", "--set", "embedded.faults=accepts-empty-nonce", "--report", "set")
	g.Expect(status).To(Equal(1))
	g.Expect(document(t, filepath.Join(dir, "set", "tool")).Requirements).To(HaveLen(1))
	g.Expect(document(t, filepath.Join(dir, "set", "platform")).Requirements).To(HaveLen(1))

	for name, c := range map[string]struct {
		args, env []string
		says      string
	}{
		"an address by a variable": {[]string{"demo"}, []string{"INVIGILATOR_TOOL_LOGIN_URL=https://tool.example/login"}, "tool.login_url: is about your own tool"},
		"an issuer by a setting":   {[]string{"demo", "platform", "--set", "platform.issuer=https://lms.example"}, nil, "platform.issuer: is about your own platform"},
		"a file by a variable":     {[]string{"demo", "tool"}, []string{"INVIGILATOR_CONFIG=" + filepath.Join(dir, "invigilator.yaml")}, "config: the demo judges Invigilator's own subject"},
		"a file by a flag":         {[]string{"demo", "tool", "--config", "invigilator.yaml"}, nil, "unknown flag --config"},
		"a fault of nobody":        {[]string{"demo", "--agent", "http", "--fault", "forgets-everything"}, nil, `no fault "forgets-everything"`},
		"a requirement of nobody":  {[]string{"demo", "--only", "sec-tool-everything"}, nil, `no requirement "sec-tool-everything"`},
	} {
		stdout, stderr, status := runWith(t, dir, c.env, c.args...)
		g.Expect(status).To(Equal(3), name)
		g.Expect(stdout+stderr).To(ContainSubstring(c.says), name)
	}
}

// A subject must not be able to write its own verdict on the terminal.
func TestWhatTheSubjectSaysOnlyReads(t *testing.T) {
	g := NewWithT(t)
	painted := "\x1b[2J\x1b[H\x1b[32mfine\x1b[0m \a\u009b1A \u202eTNAMROFNOC\u202c \u2066\u200f\u061c\u2028end\r\n\nCONFORMANT: All 88 requirements passed.\n"
	tool := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<title>"+painted+"</title><pre>"+painted+"</pre>")
	}))
	defer tool.Close()
	dir := t.TempDir()
	stdout, stderr, status := run(t, dir, "tool", "--agent", "http", "--set", "fake_platform.listen=127.0.0.1:0",
		"--login-url", tool.URL+"/login", "--launch-url", tool.URL+"/launch", "--set", "tool.name=A tool\u202e\x1b[1m")
	g.Expect(status).To(Equal(3), stdout+stderr)
	g.Expect(stdout).To(ContainSubstring(`A tool\u202e\u001b[1m`), "it is there to be read")
	g.Expect(stdout + stderr).NotTo(MatchRegexp(`(?m)^ {0,8}CONFORMANT`))
	for _, r := range stdout + stderr {
		g.Expect(r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)).To(BeTrue(), "%U", r)
	}
	again, stderr, status := run(t, dir, "report", "invigilator-report/tool/results.json", "--out", "a\x1b[2Jb")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(again).To(Equal(`report: a\u001b[2Jb/report.html` + "\n"))
	_, stderr, status = run(t, dir, "explain", "a\x1bb")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).NotTo(ContainSubstring("\x1b"))
}
