package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator/requirements"
	"invigilator/results"
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
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir = dir
	command.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "INVIGILATOR_") })
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

func TestExitStatus(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"conformant":               {[]string{"--agent", "http", "--only", "sec-tool-aud"}, 0, "CONFORMANT: The requirement passed."},
		"a required one failed":    {[]string{"--agent", "http", "--only", "sec-tool-aud", "--fault", "ignores-audience"}, 1, "failed  sec-tool-aud (MUST)"},
		"only a warning":           {[]string{"--agent", "http", "--only", "sec-tool-aud", "--fault", "refuses-audience-with-400"}, 0, "without HTTP 401"},
		"not shown":                {[]string{"--agent", "http", "--only", "cert-tool-valid-launch"}, 2, "only in a browser"},
		"nothing shown":            {[]string{"--agent", "http", "--only", "practice-tool-works-in-cross-site-frame"}, 2, "Nothing was shown"},
		"a requirement nobody has": {[]string{"--only", "sec-tool-everything"}, 3, `no requirement "sec-tool-everything"`},
		"one that is not checked":  {[]string{"--only", "sec-tool-tls"}, 3, "no scenario of this version checks sec-tool-tls"},
		"several bad keys":         {[]string{"--set", "tool.colour=red", "--set", "agent=lynx"}, 3, "tool.colour: unknown key"},
		"a value with a semicolon": {[]string{"--agent", "http", "--only", "sec-tool-iss", "--set", "tool.name=a;b"}, 0, "a;b"},
		"an unknown fault":         {[]string{"--agent", "http", "--fault", "forgets-everything"}, 3, `no fault "forgets-everything"`},
		"no browser of that name":  {[]string{"--set", "browser.path=/no/browser"}, 3, "browser.path"},
		"an unknown flag":          {[]string{"--frobnicate"}, 3, "--frobnicate"},
		"a report nowhere":         {[]string{"--agent", "http", "--only", "sec-tool-iss", "--report", "/dev/null/report"}, 3, "cannot be written"},
		"nobody there":             {[]string{"--agent", "http", "--set", "platform.listen=127.0.0.1:0", "--login-url", "http://127.0.0.1:1/login", "--launch-url", "http://127.0.0.1:1/launch"}, 3, "The tool cannot be reached."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			stdout, stderr, status := run(t, t.TempDir(), append([]string{"tool", "--yes"}, c.args...)...)
			g.Expect(status).To(Equal(c.status), stdout+stderr)
			g.Expect(stdout + stderr).To(ContainSubstring(c.says))
		})
	}
}

func TestReportsOfARun(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	_, _, status := run(t, dir, "tool", "--agent", "http", "--only", "sec-tool-exp", "--fault", "accepts-missing-expiry")
	g.Expect(status).To(Equal(1))
	file, err := os.Open(filepath.Join(dir, "invigilator-report", "results.json"))
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }()
	doc, err := results.Read(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(doc.Requirements).To(HaveLen(1))
	g.Expect(doc.Run.Command).To(Equal("invigilator tool --agent http --fault accepts-missing-expiry"))
	g.Expect(len(doc.NotCovered)).To(BeNumerically(">", 50))
	for _, o := range doc.Requirements[0].Observations {
		g.Expect(o.Flows).NotTo(BeEmpty(), "%s has evidence", o.Case)
		g.Expect(o.Location).To(MatchRegexp(`^scenarios/launch/\w+\.go:\d+$`))
		for _, id := range o.Flows {
			g.Expect(doc.Flows).To(HaveKey(id))
		}
	}

	// The same document makes the same reports.
	_, _, status = run(t, dir, "report", "invigilator-report/results.json", "--out", "again")
	g.Expect(status).To(Equal(0))
	for _, name := range []string{"report.html", "junit.xml", "summary.md", "results.json"} {
		first, err := os.ReadFile(filepath.Join(dir, "invigilator-report", name))
		g.Expect(err).NotTo(HaveOccurred())
		again, err := os.ReadFile(filepath.Join(dir, "again", name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(bytes.Equal(first, again)).To(BeTrue(), name)
	}
}

func TestCatalogue(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, _, status := run(t, dir, "requirements", "--side", "tool", "--level", "must", "--json")
	g.Expect(status).To(Equal(0))
	var list []requirements.Requirement
	g.Expect(json.Unmarshal([]byte(stdout), &list)).To(Succeed())
	g.Expect(list).To(HaveEach(And(HaveField("Binds", requirements.Tool), HaveField("Level", requirements.Must))))

	stdout, _, status = run(t, dir, "requirements", "--covered")
	g.Expect(status).To(Equal(0))
	g.Expect(strings.Count(stdout, "\n")).To(Equal(28), "27 and a heading")

	_, stderr, status := run(t, dir, "requirements", "--profile", "nonsense")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("no requirement"))

	stdout, _, status = run(t, dir, "explain", "sec-tool-aud")
	g.Expect(status).To(Equal(0))
	for _, part := range []string{"5.1.3 (3)", "https://www.imsglobal.org/spec/security/v1p0/", "aud-other-case", "ignores-audience", "an audience that it is not", "--only sec-tool-aud"} {
		g.Expect(stdout).To(ContainSubstring(part))
	}

	stdout, _, _ = run(t, dir, "faults", "--side", "platform")
	g.Expect(stdout).To(ContainSubstring("nonce-of-other-browser"))
	g.Expect(stdout).NotTo(ContainSubstring("ignores-audience"))

	stdout, _, _ = run(t, dir, "schema")
	g.Expect(json.Valid([]byte(stdout))).To(BeTrue())
}

func TestProof(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, _, status := run(t, dir, "prove", "--only", "accepts-empty-nonce", "--only", "not-found")
	g.Expect(status).To(Equal(0), stdout)
	g.Expect(stdout).To(ContainSubstring("The proof holds"))
	text, err := os.ReadFile(filepath.Join(dir, "invigilator-proof", "proof.json"))
	g.Expect(err).NotTo(HaveOccurred())
	var matrix struct {
		Rows []struct {
			Subject string
			Cells   map[string]struct{ Expected, Actual, Reason string }
		}
	}
	g.Expect(json.Unmarshal(text, &matrix)).To(Succeed())
	g.Expect(matrix.Rows).To(HaveLen(3), "a tool without faults comes first")
	for _, row := range matrix.Rows {
		switch cell := row.Cells["sec-tool-nonce-missing"]; row.Subject {
		case "":
			g.Expect(cell.Actual).To(Equal("passed"))
		case "accepts-empty-nonce":
			g.Expect(cell.Actual).To(Equal("failed"))
			g.Expect(cell.Reason).To(ContainSubstring("nonce-empty"))
		case "not-found":
			for id, cell := range row.Cells {
				g.Expect(cell.Actual).NotTo(Equal("passed"), id)
			}
		}
	}

	_, stderr, status := run(t, dir, "prove", "--only", "nonsense")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring(`no fault or null peer "nonsense"`))
}
