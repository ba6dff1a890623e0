package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// What docs/events.md says of the events is what they are.
func TestEvents(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	stdout, stderr, status := run(t, t.TempDir(), "demo", "tool", "--agent", "http", "--format", "jsonl", "--strict", "--only", "sec-tool-aud,sec-tool-iss", "--fault", "ignores-audience", "--set", "tool.name=\u202e##[group]")
	g.Expect(status).To(Equal(1), stderr)
	g.Expect(stderr).To(BeEmpty())
	var names []string
	var last map[string]any
	documented, err := os.ReadFile(filepath.Join("..", "..", "docs", "events.md"))
	g.Expect(err).NotTo(HaveOccurred())
	about := map[string]string{}
	for _, section := range strings.Split(string(documented), "\n## ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		about[strings.Trim(name, "`")] = text
	}
	verdicts := map[string]any{}
	for line := range strings.Lines(stdout) {
		last = nil
		g.Expect(json.Unmarshal([]byte(line), &last)).To(Succeed(), line)
		name, _ := last["event"].(string)
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
		g.Expect(about).To(HaveKey(name))
		for member := range last {
			g.Expect(about[name]+"`event`").To(ContainSubstring("`"+member+"`"), "%s of %s", member, name)
		}
		if name == "begin" {
			g.Expect(last["schema"]).To(Equal("invigilator/events/v1"))
			g.Expect(string(documented)).To(ContainSubstring("invigilator/events/v1"))
			g.Expect(line).To(ContainSubstring(`\u202e`))
		}
		if name == "verdict" {
			verdicts[last["requirement"].(string)] = last["verdict"]
			g.Expect(last["cases"]).NotTo(BeEmpty())
		}
	}
	g.Expect(names).To(Equal([]string{"begin", "scenario-begins", "observed", "scenario-ends", "scenario-begins", "observed", "scenario-ends", "verdict", "end"}))
	g.Expect(verdicts).To(Equal(map[string]any{"sec-tool-aud": "failed", "sec-tool-iss": "passed"}))
	g.Expect(last).To(And(HaveKeyWithValue("status", 1.0), HaveKeyWithValue("outcome", "not conformant"), HaveKey("gate")))

	// Of a subject that is not there the events tell so, and what is told to people goes elsewhere.
	stdout, stderr, status = run(t, t.TempDir(), "tool", "--agent", "http", "--format", "jsonl", "--login-url", "http://127.0.0.1:1/login", "--launch-url", "http://127.0.0.1:1/launch", "--set", "fake_platform.listen=127.0.0.1:0", "--set", "timeout.restart=1s", "--only", "sec-tool-aud")
	g.Expect(status).To(Equal(3), stdout+stderr)
	g.Expect(stderr).To(ContainSubstring("Register this platform"))
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	g.Expect(lines[0]).To(ContainSubstring(`"event":"begin"`))
	g.Expect(lines[len(lines)-1]).To(And(ContainSubstring(`"event":"end"`), ContainSubstring(`"diagnosis"`), ContainSubstring(`"status":3`)))
}
