package scenarios_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	. "github.com/onsi/gomega"
)

// Whoever runs the specs with Ginkgo names the subject by variables of the environment.
func TestTheSpecsRunByGinkgo(t *testing.T) {
	suite := filepath.Join(t.TempDir(), "tool.test")
	out, err := exec.Command("go", "test", "-c", "-o", suite, "./tool").CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), string(out))
	run := func(t *testing.T, environ []string, flags ...string) (said string, ok bool) {
		t.Helper()
		command := exec.CommandContext(t.Context(), suite, append(flags, "-ginkgo.no-color")...)
		command.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "INVIGILATOR_") }), environ...)
		out, err := command.CombinedOutput()
		return string(out), err == nil
	}
	demo := func(more ...string) []string {
		return append([]string{"INVIGILATOR_DEMO=true", "INVIGILATOR_AGENT=http", "INVIGILATOR_REQUIREMENTS=sec-tool-aud", "INVIGILATOR_REPORT=" + t.TempDir()}, more...)
	}

	for name, c := range map[string]struct {
		environ []string
		flags   []string
		ok      bool
		says    string
	}{
		"a shard and a filter": {demo("INVIGILATOR_SHARD=1/2"), []string{"-ginkgo.label-filter=launch"}, false, "use INVIGILATOR_FILTER instead"},
		"nothing said":         {nil, []string{"-ginkgo.dry-run", "-ginkgo.v"}, true, "the embedded fake tool (demo)"},
		"the demo":             {demo(), []string{"-ginkgo.v"}, true, "the embedded fake tool (demo)"},
		"the demo with faults": {demo("INVIGILATOR_EMBEDDED_FAULTS=ignores-audience"), nil, false, "the embedded fake tool (demo), not conformant"},
		"anything else":        {[]string{"INVIGILATOR_AGENT=http"}, nil, false, "configuration: tool.login_url: is needed"},
		"an empty address":     {[]string{"INVIGILATOR_TOOL_LOGIN_URL="}, nil, false, "configuration: tool.login_url: is needed"},
		"an empty file":        {[]string{"INVIGILATOR_CONFIG="}, nil, false, "configuration: environment variable INVIGILATOR_CONFIG: is empty; it has to name a file"},
		"no demo":              {[]string{"INVIGILATOR_DEMO=0"}, nil, false, "configuration: tool.login_url: is needed"},
		"demo and subject":     {demo("INVIGILATOR_TOOL_LOGIN_URL=https://tool.example"), nil, false, "configuration: tool.login_url: is about your own tool"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			said, ok := run(t, c.environ, c.flags...)
			g.Expect(ok).To(Equal(c.ok), said)
			g.Expect(said).To(ContainSubstring(c.says))
			if strings.HasPrefix(c.says, "configuration: ") {
				g.Expect(strings.Count(said, "configuration: ")).To(Equal(1))
				g.Expect(said).To(MatchRegexp(`configuration: .*\nFAIL\n$`), "in one line")
			}
		})
	}

	t.Run("what the subject says only reads", func(t *testing.T) {
		g := NewWithT(t)
		const painted = "\x1b[2J\u202e\u009b1m{{green}}CONFORMANT{{/}}\r\n\u2028PASS\n"
		tool := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<title>"+painted+"</title>"+painted)
		}))
		defer tool.Close()
		said, ok := run(t, []string{
			"INVIGILATOR_TOOL_LOGIN_URL=" + tool.URL + "/login", "INVIGILATOR_TOOL_LAUNCH_URL=" + tool.URL + "/launch", "INVIGILATOR_TOOL_NAME=" + strings.TrimSpace(painted),
			"INVIGILATOR_AGENT=http", "INVIGILATOR_FAKE_PLATFORM_LISTEN=127.0.0.1:0", "INVIGILATOR_REPORT=" + t.TempDir(),
		})
		g.Expect(ok).To(BeFalse())
		g.Expect(said).To(ContainSubstring(`\u001b[2J\u202e\u009b1m{ {green}}CONFORMANT`))
		for _, r := range said {
			g.Expect(r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)).To(BeTrue(), "%U in %s", r, said)
		}
	})
}
