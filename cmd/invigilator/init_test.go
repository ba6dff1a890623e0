package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestInitLooksAtThePlatform(t *testing.T) {
	g := NewWithT(t)
	url, env := served(t, 0)
	dir := t.TempDir()
	args := []string{
		"init", "platform", "--issuer", url, "--auth-url", url + "/auth", "--client-id", "invigilator", "--sign-in", url + "/login",
		"--username", "ada", "--password", "CAMPUS_PASSWORD", "--page", url + "/course/1", "--link", "Exercise 1",
	}
	stdout, stderr, status := runWith(t, dir, env, args...)
	g.Expect(status).To(Equal(0), stdout+stderr)
	g.Expect(stdout).To(And(ContainSubstring("A first launch has worked"), ContainSubstring("Now: invigilator check, and then: invigilator platform")))
	text, err := os.ReadFile(filepath.Join(dir, "invigilator.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(And(HavePrefix("# yaml-language-server: $schema=./invigilator.schema.json\n"), ContainSubstring("\n  - lti_message_hint\n"),
		ContainSubstring("# - grades    # needs platform.token_url"), ContainSubstring("jwks_url: "+url+"/jwks"), ContainSubstring("password: ${CAMPUS_PASSWORD}"), ContainSubstring(`deployment_id: "1"`)))
	g.Expect(stdout + stderr + string(text)).NotTo(ContainSubstring(campusPassword))
	g.Expect(filepath.Join(dir, "invigilator.schema.json")).To(BeARegularFile())
	stdout, stderr, status = runWith(t, dir, env, "check")
	g.Expect(status).To(Equal(0), stdout+stderr)

	_, stderr, status = runWith(t, dir, env, args...)
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("invigilator.yaml is there already"))
	again, err := os.ReadFile(filepath.Join(dir, "invigilator.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(text))
	_, stderr, status = runWith(t, dir, env, append(args, "--force")...)
	g.Expect(status).To(Equal(0), stderr)
}

func TestInitAsks(t *testing.T) {
	g := NewWithT(t)
	url, env := served(t, 0)
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), program, "init", "platform", "--ask", "--out", "mine.yaml")
	command.Dir, command.Env = dir, append(clean(), env...)
	command.Stdin = strings.NewReader(strings.Join([]string{url, "invigilator", "", url + "/course/1", "Exercise 1", url + "/auth"}, "\n") + "\n")
	out, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(And(ContainSubstring("The platform's issuer"), ContainSubstring("The authorization endpoint"), ContainSubstring("No first launch: the journey learner-opens-link got stuck"),
		ContainSubstring("invigilator check --config mine.yaml")))
	text, err := os.ReadFile(filepath.Join(dir, "mine.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(And(ContainSubstring("auth_url: "+url+"/auth"), ContainSubstring("# sign_in:"), ContainSubstring("click: text=Exercise 1")))
}

func TestInitOfAToolThatIsNotThere(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, stderr, status := run(t, dir, "init", "tool", "--login-url", "http://127.0.0.1:1/login")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(stdout).To(And(ContainSubstring("tool.login_url: there is no answer"), ContainSubstring("tool.launch_url: is needed"), ContainSubstring("invigilator check")))
	_, stderr, status = run(t, dir, "tool")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(And(ContainSubstring("tool.launch_url: is needed together with tool.login_url"), ContainSubstring("launch_url: http://127.0.0.1:1/launch")))
}
