package main_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"invigilator.example/results"
)

// root is the folder of the repository.
var root = filepath.Join("..", "..")

// judgeInCI runs what the action and the template run, in a folder.
func judgeInCI(t *testing.T, dir string, env ...string) (said string, status int) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash here")
	}
	script, err := filepath.Abs(filepath.Join(root, "scripts", "judge"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), bash, script)
	command.Dir = dir
	command.Env = append(clean(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	command.Env = append(command.Env, env...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), command.ProcessState.ExitCode()
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func TestABuildServerIsTold(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	github := []string{"GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"), "GITHUB_OUTPUT=" + filepath.Join(dir, "outputs")}
	judge := func(env ...string) (string, int) {
		return judgeInCI(t, dir, append(append(env, "SIDE=demo tool"), github...)...)
	}
	says, status := judge("REPORT=last", "BASELINE=last.json", "ARGS=--agent http --only sec-tool-nonce-replayed")
	g.Expect(status).To(Equal(0), says)
	g.Expect(says).To(ContainSubstring("There is no last.json yet"))
	g.Expect(says).NotTo(ContainSubstring("::error"))
	g.Expect(read(t, dir, "outputs")).To(Equal("status=0\nreport=last\n"))
	g.Expect(read(t, dir, "summary")).To(Equal(read(t, dir, "last", "summary.md")))
	g.Expect(read(t, dir, "last", "badge.svg")).To(ContainSubstring(`aria-label="LTI 1.3 tool: conformant"`))

	says, status = judge("REPORT=out", "BASELINE=last/results.json", "ARGS=--agent http --only sec-tool-nonce-replayed --fault "+forgetful)
	g.Expect(status).To(Equal(1), says)
	g.Expect(says).To(ContainSubstring("::error title=sec-tool-nonce-replayed::replayed-in-next-login "))
	g.Expect(read(t, dir, "out", "badge.svg")).To(ContainSubstring("conformant, by own terms red"))

	says, status = judge("REPORT=bad", "ARGS=--agent http --only nobody")
	g.Expect(status).To(Equal(3), says)
	g.Expect(filepath.Join(dir, "bad")).NotTo(BeADirectory())

	for _, shard := range []string{"1", "2"} {
		says, status = judge("REPORT=shards/"+shard, "SHARD="+shard+"/2", "ARGS=--agent http --only sec-tool-aud,sec-tool-exp --fault ignores-audience")
		g.Expect(status).To(BeElementOf(0, 1), says)
	}
	says, status = judge("REPORT=merged", "MERGE=shards/*/results.json")
	g.Expect(status).To(Equal(1), says)
	g.Expect(document(t, filepath.Join(dir, "merged")).Run.Merged).To(Equal(2))
	says, status = judge("REPORT=merged", "MERGE=nowhere/*/results.json")
	g.Expect(status).To(Equal(3), says)
	g.Expect(says).To(ContainSubstring("nothing to merge"))

	// A subject that is not there.
	says, status = judgeInCI(t, dir, "REPORT=gone", "ARGS=--agent http --login-url http://127.0.0.1:1/l --launch-url http://127.0.0.1:1/l --set fake_platform.listen=127.0.0.1:0 --set timeout.restart=1s")
	g.Expect(status).To(Equal(3), says)
	g.Expect(read(t, dir, "gone", "badge.svg")).To(ContainSubstring("no verdict"))
}

// What a subject says gives no command to a build server, and ends no picture.
func TestAForeignDocumentGivesNoCommand(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	const hostile = "100%\n::set-output name=x::y\r\n::stop-commands::z, a: b </text><script>"
	doc := results.Document{Schema: results.Schema, Outcome: results.Outcome(hostile), Because: hostile, Diagnosis: &results.Diagnosis{Problem: hostile, LookAt: hostile}}
	doc.Run.Subject = results.Subject{Name: hostile, Side: hostile}
	for range 30 {
		doc.Requirements = append(doc.Requirements, results.Requirement{ID: hostile, Level: hostile, Verdict: results.Failed, Observations: []results.Observation{{Case: hostile, Verdict: results.Failed, Seen: hostile}}})
	}
	var text bytes.Buffer
	g.Expect(results.Write(&text, doc)).To(Succeed())
	write(t, dir, "results.json", text.String())
	stdout, stderr, status := run(t, dir, "annotate", "results.json")
	g.Expect(status).To(Equal(0), stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	g.Expect(lines).To(HaveLen(10), "as many as GitHub shows")
	g.Expect(lines).To(HaveEach(MatchRegexp(`^::error title=[^:,]*::`)))
	g.Expect(lines[9]).To(ContainSubstring("and 22 more"))
	g.Expect(lines[0]).To(ContainSubstring("100%25"))

	stdout, stderr, status = run(t, dir, "badge", "results.json")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(stdout).NotTo(ContainSubstring("<script"))
	decoder := xml.NewDecoder(strings.NewReader(stdout))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		g.Expect(err).NotTo(HaveOccurred())
	}
}

// documents are those of a YAML file.
func documents(t *testing.T, path ...string) (all []map[string]any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(read(t, path...)))
	for {
		var one map[string]any
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return all
		}
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		all = append(all, one)
	}
}

// namesIn are what a pattern finds in a text, without what is found twice.
func namesIn(text, pattern string) map[string]bool {
	found := map[string]bool{}
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	return found
}

func names[V any](of map[string]V) map[string]bool {
	all := map[string]bool{}
	for name := range of {
		all[name] = true
	}
	return all
}

// What the action and the template say to the script is what it listens to, and each of
// their inputs has an effect.
func TestTheFilesForBuildServersFitTheScript(t *testing.T) {
	g := NewWithT(t)
	script := namesIn(read(t, root, "scripts", "judge"), `(?m)^#   ([A-Z]+) `)
	g.Expect(names(script)).To(HaveKey("SHARD"))

	action := documents(t, root, "action.yml")[0]
	g.Expect(namesIn(read(t, root, "action.yml"), `inputs\.([a-z]+)`)).To(Equal(names(action["inputs"].(map[string]any))))
	heard := map[string]bool{}
	for _, step := range action["runs"].(map[string]any)["steps"].([]any) {
		step := step.(map[string]any)
		if step["id"] == "judge" {
			heard = names(step["env"].(map[string]any))
		}
		if script, ok := step["run"].(string); ok { // what a user passes is no part of a script
			g.Expect(script).NotTo(ContainSubstring("${{"))
			g.Expect(exec.CommandContext(t.Context(), "bash", "-n", "-c", script).Run()).To(Succeed())
		}
	}
	delete(heard, "ACTION")
	g.Expect(heard).To(Equal(script))

	template := documents(t, root, "templates", "gitlab.yml")
	g.Expect(template).To(HaveLen(2))
	inputs := template[0]["spec"].(map[string]any)["inputs"].(map[string]any)
	g.Expect(namesIn(read(t, root, "templates", "gitlab.yml"), `\$\[\[ inputs\.([a-z]+) \]\]`)).To(Equal(names(inputs)))
	for name, job := range template[1] {
		job := job.(map[string]any)
		for variable := range job["variables"].(map[string]any) {
			g.Expect(script).To(HaveKey(variable), name)
		}
		g.Expect(job["artifacts"]).To(HaveKeyWithValue("when", "always"), name)
		for _, line := range job["script"].([]any) {
			g.Expect(exec.CommandContext(t.Context(), "bash", "-n", "-c", line.(string)).Run()).To(Succeed(), name)
		}
	}
}

// What the definitions of packages and of the image take from the repository is there.
func TestThePackagesTakeWhatIsThere(t *testing.T) {
	g := NewWithT(t)
	packages := documents(t, root, ".goreleaser.yaml")[0]
	for _, of := range packages["nfpms"].([]any) {
		for _, content := range of.(map[string]any)["contents"].([]any) {
			g.Expect(filepath.Join(root, content.(map[string]any)["src"].(string))).To(BeARegularFile())
		}
	}
	for _, build := range packages["builds"].([]any) {
		g.Expect(filepath.Join(root, build.(map[string]any)["main"].(string))).To(BeADirectory())
	}
	for line := range strings.Lines(read(t, root, "Dockerfile")) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "COPY" || strings.HasPrefix(words[1], "--from") {
			continue
		}
		for _, from := range words[1 : len(words)-1] {
			_, err := os.Stat(filepath.Join(root, from))
			g.Expect(err).NotTo(HaveOccurred())
		}
	}
	image := namesIn(read(t, root, "Dockerfile"), `golang:([0-9.]+)`)
	module := namesIn(read(t, root, "go.mod"), `(?m)^go ([0-9]+\.[0-9]+)`)
	g.Expect(image).To(Equal(module))
}
