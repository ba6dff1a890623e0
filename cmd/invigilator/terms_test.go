package main_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// forgetful is a fault that only warns: the tool breaks a SHOULD.
const forgetful = "accepts-used-nonce-of-browser"

func TestARecommendationThatIsNoLongerKeptTurnsARunRed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	demo := func(report string, more ...string) (string, int) {
		stdout, stderr, status := run(t, dir, append([]string{"demo", "tool", "--agent", "http", "--only", "sec-tool-nonce-replayed", "--report", report}, more...)...)
		return stdout + stderr, status
	}
	says, status := demo("good")
	g.Expect(status).To(Equal(0), says)
	says, status = demo("bad", "--fault", forgetful)
	g.Expect(status).To(Equal(0), says)

	for _, terms := range [][]string{{"--baseline", "good/results.json"}, {"--fail-on", "warned"}, {"--strict"}, {"--strict", "--fail-on", "inconclusive"}, {"--require", "sec-tool-nonce-*"}} {
		says, status = demo("out", append(terms, "--fault", forgetful)...)
		g.Expect(status).To(Equal(1), says)
		g.Expect(says).To(And(ContainSubstring("CONFORMANT"), ContainSubstring("red  sec-tool-nonce-replayed replayed-in-next-login")), "%s", terms)
		for _, file := range []string{"report.html", "summary.md", "junit.xml", "results.json"} {
			text, err := os.ReadFile(filepath.Join(dir, "out", file))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).To(ContainSubstring("1 red"), file)
		}
	}
	says, status = demo("bad", "--baseline", "bad/results.json", "--fault", forgetful)
	g.Expect(status).To(Equal(3), says)
	g.Expect(says).To(ContainSubstring("what this run writes its own results to"))
	says, status = demo("out", "--require", "cs-oidc-tool-target-origin")
	g.Expect(status).To(Equal(3), says)
	g.Expect(says).To(ContainSubstring("require: no scenario of this version checks"))

	stdout, _, status := run(t, dir, "diff", "good/results.json", "bad/results.json")
	g.Expect(status).To(Equal(1), stdout)
	g.Expect(stdout).To(MatchRegexp("worse +sec-tool-nonce-replayed replayed-in-next-login \\(SHOULD\\)  passed -> warned"))
	stdout, _, status = run(t, dir, "diff", "bad/results.json", "good/results.json")
	g.Expect(status).To(Equal(0), stdout)
	g.Expect(stdout).To(MatchRegexp("mended +sec-tool-nonce-replayed replayed-in-next-login"))
}

func TestWaiversThatARunNeedsAreThoseThatItTakes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	judge := func(report string, more ...string) (string, int) {
		stdout, stderr, status := run(t, dir, append([]string{"demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--report", report}, more...)...)
		return stdout + stderr, status
	}
	says, status := judge("out", "--fault", "ignores-audience")
	g.Expect(status).To(Equal(1), says)
	waivers, _, status := run(t, dir, "waive", "out/results.json", "--reason", "ticket 7", "--for", "48h")
	g.Expect(status).To(Equal(0))
	g.Expect(waivers).To(And(HavePrefix("waivers:\n"), ContainSubstring("requirement: sec-tool-aud"), ContainSubstring("reason: ticket 7")))

	says, status = judge("clean")
	g.Expect(status).To(Equal(0), says)
	_, stderr, status := run(t, dir, "waive", "clean/results.json")
	g.Expect(status).To(Equal(0))
	g.Expect(stderr).To(ContainSubstring("nothing needs a waiver"))
}

func TestABaselineThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	_, _, status := run(t, dir, "demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--report", "tool")
	g.Expect(status).To(Equal(0))
	g.Expect(os.WriteFile(filepath.Join(dir, "page.json"), []byte("<html>"), 0o600)).To(Succeed())
	for baseline, says := range map[string]string{
		"nowhere.json": "baseline: open nowhere.json", "page.json": "baseline: page.json: ", "tool/results.json": "is about a tool, and this run judges a platform",
	} {
		stdout, stderr, status := run(t, dir, "demo", "platform", "--agent", "http", "--only", "sec-id-token-sub", "--baseline", baseline)
		g.Expect(status).To(Equal(3), stdout+stderr)
		g.Expect(stderr).To(ContainSubstring(says))
	}
}

func TestTwoRunsOfTheSameSubjectHaveNoDifference(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	for _, seed := range []string{"1", "2"} {
		stdout, stderr, status := run(t, dir, "demo", "--agent", "http", "--seed", seed, "--report", seed)
		g.Expect(status).To(Equal(2), stdout+stderr) // what needs a browser is not shown
	}
	for _, side := range []string{"tool", "platform"} {
		stdout, stderr, status := run(t, dir, "diff", filepath.Join("1", side, "results.json"), filepath.Join("2", side, "results.json"))
		g.Expect(stdout).To(ContainSubstring("no difference"), stderr)
		g.Expect(status).To(Equal(0))
	}
}
