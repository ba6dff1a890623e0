//go:build unix

package main_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// files are those that a run leaves, the digest of the results last.
var files = []string{"junit.xml", "report.html", "results.json", "summary.md", "verdicts.csv", "results.json.sha256"}

// stalled is a tool that answers nothing: a run that judges it is in the middle of its
// first launch when asked is closed.
type stalled struct {
	*httptest.Server
	asked chan struct{}
}

func newStalled(t *testing.T) stalled {
	s := stalled{asked: make(chan struct{})}
	var once sync.Once
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(s.asked) })
		<-r.Context().Done()
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// going is a command that is running.
type going struct {
	*exec.Cmd
	dir, temp string
	said      *bytes.Buffer
}

// start begins a run that judges the tool, in a folder with the reports of an earlier one.
func (s stalled) start(t *testing.T, more ...string) going {
	t.Helper()
	return begin(t, append([]string{"tool", "--report", "out", "--login-url", s.URL + "/login", "--launch-url", s.URL + "/launch", "--set", "fake_platform.listen=127.0.0.1:0", "--set", "timeout.restart=1s"}, more...)...)
}

func begin(t *testing.T, args ...string) going {
	t.Helper()
	g := NewWithT(t)
	run := going{exec.CommandContext(t.Context(), program, args...), t.TempDir(), t.TempDir(), new(bytes.Buffer)}
	g.Expect(os.Mkdir(filepath.Join(run.dir, "out"), 0o755)).To(Succeed())
	for _, name := range files {
		write(t, filepath.Join(run.dir, "out"), name, "yesterday's, and green")
	}
	run.Dir, run.Env = run.dir, append(clean(), "TMPDIR="+run.temp)
	run.Stdout, run.Stderr = run.said, run.said
	g.Expect(run.Start()).To(Succeed())
	return run
}

// left are the names of what is in a folder.
func left(g *WithT, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// expectCutShort waits for the end of a run and wants a whole report that says why.
func (r going) expectCutShort(t *testing.T, why string) {
	t.Helper()
	g := NewWithT(t)
	_ = r.Wait()
	g.Expect(r.ProcessState.ExitCode()).To(Equal(3), r.said.String())
	g.Expect(r.said.String()).To(ContainSubstring(why))
	g.Expect(left(g, filepath.Join(r.dir, "out"))).To(ConsistOf(files))
	doc := document(t, filepath.Join(r.dir, "out"))
	g.Expect(doc.Outcome).To(Equal(results.Unusable))
	g.Expect(doc.Diagnosis.Problem).To(HavePrefix(why))
	for _, name := range files[:len(files)-1] {
		text, err := os.ReadFile(filepath.Join(r.dir, "out", name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(text)).To(ContainSubstring(why), name)
	}
	g.Expect(left(g, r.temp)).To(BeEmpty(), "nothing is left behind")
}

// heeded are those of the signals that do not stay ignored, as SIGHUP does where nohup has
// started the tests. It skips a test for which there are none.
func heeded(t *testing.T, signals ...os.Signal) []os.Signal {
	t.Helper()
	heard := slices.DeleteFunc(slices.Clone(signals), signal.Ignored)
	if len(heard) == 0 {
		t.Skip("the tests were started with these signals ignored")
	}
	return heard
}

func TestASignalEndsTheRunWithAReport(t *testing.T) {
	for name, signals := range map[string][]os.Signal{
		"Ctrl-C":             {os.Interrupt},
		"Ctrl-C twice":       {os.Interrupt, os.Interrupt, os.Interrupt},
		"terminated":         {syscall.SIGTERM},
		"terminal closed":    {syscall.SIGHUP},
		"one after another":  {syscall.SIGHUP, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP},
		"terminated and all": {syscall.SIGTERM, syscall.SIGTERM, os.Interrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signals := heeded(t, signals...)
			tool := newStalled(t)
			run := tool.start(t, "--agent", "http")
			<-tool.asked
			for _, s := range signals {
				_ = run.Process.Signal(s) // it may have ended
			}
			run.expectCutShort(t, "The run was cut short: it was interrupted")
		})
	}
}

// browsers returns the flags for a browser that tells its process.
func browser(t *testing.T) (flags []string, process func() int) {
	t.Helper()
	g := NewWithT(t)
	path, err := agent.FindBrowser(false)
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	told, script := filepath.Join(dir, "pid"), filepath.Join(dir, "browser")
	g.Expect(os.WriteFile(script, []byte("#!/bin/sh\necho $$ > "+told+"\nexec "+path+` "$@"`+"\n"), 0o700)).To(Succeed())
	return []string{"--set", "browser.path=" + script}, func() int {
		text, err := os.ReadFile(told)
		g.Expect(err).NotTo(HaveOccurred())
		id, err := strconv.Atoi(strings.TrimSpace(string(text)))
		g.Expect(err).NotTo(HaveOccurred())
		return id
	}
}

func TestALostBrowserEndsTheRunWithAReport(t *testing.T) {
	t.Parallel()
	tool := newStalled(t)
	flags, process := browser(t)
	run := tool.start(t, flags...)
	<-tool.asked
	NewWithT(t).Expect(syscall.Kill(process(), syscall.SIGKILL)).To(Succeed())
	run.expectCutShort(t, "The browser went away in the middle of the run.")
}

func TestASignalLeavesNoBrowser(t *testing.T) {
	t.Parallel()
	tool := newStalled(t)
	flags, process := browser(t)
	run := tool.start(t, flags...)
	<-tool.asked
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGTERM, os.Interrupt} {
		_ = run.Process.Signal(s)
	}
	run.expectCutShort(t, "The run was cut short: it was interrupted")
	NewWithT(t).Expect(syscall.Kill(process(), 0)).To(MatchError(syscall.ESRCH))
}

// Nobody is to take yesterday's verdict for that of a run which came to nothing.
func TestAKilledRunLeavesNoOldReport(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	tool := newStalled(t)
	run := tool.start(t, "--agent", "http")
	<-tool.asked
	g.Expect(run.Process.Kill()).To(Succeed())
	_ = run.Wait()
	g.Expect(left(g, filepath.Join(run.dir, "out"))).To(BeEmpty())
}

func TestReportsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	// At the start nothing is judged.
	_, stderr, status := run(t, t.TempDir(), "demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--report", "/dev/null/report")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(MatchRegexp(`^invigilator: report: the reports cannot be written: .*\n$`))

	// At the end the verdict is told all the same.
	tool := newStalled(t)
	run := tool.start(t, "--agent", "http")
	<-tool.asked
	out := filepath.Join(run.dir, "out")
	g.Expect(os.RemoveAll(out)).To(Succeed())
	write(t, run.dir, "out", "in the way")
	tool.CloseClientConnections()
	_ = run.Wait()
	g.Expect(run.ProcessState.ExitCode()).To(Equal(3))
	g.Expect(run.said.String()).To(And(ContainSubstring("NO VERDICT: "), ContainSubstring("invigilator: report: the reports cannot be written: ")))
	g.Expect(run.said.String()).NotTo(ContainSubstring("report: /"))
}

func TestAProofThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range heeded(t, syscall.SIGTERM, syscall.SIGHUP) {
		g := NewWithT(t)
		run := begin(t, "prove", "--report", "out")
		var workers []string // of both sides, or the first
		g.Eventually(func() []string {
			found, _ := exec.CommandContext(t.Context(), "pgrep", "-P", strconv.Itoa(run.Process.Pid)).Output()
			workers = strings.Fields(string(found))
			return workers
		}).WithTimeout(20 * time.Second).ShouldNot(BeEmpty())
		g.Expect(run.Process.Signal(s)).To(Succeed())
		_ = run.Wait()
		for _, worker := range workers {
			id, err := strconv.Atoi(worker)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(syscall.Kill(id, 0)).To(MatchError(syscall.ESRCH))
		}
		g.Expect(run.ProcessState.ExitCode()).To(Equal(3), run.said.String())
		g.Expect(run.said.String()).To(Equal("invigilator: the proof was cut short: it was interrupted\n"))
		g.Expect(left(g, run.temp)).To(BeEmpty())
	}
}

func TestADemoThatIsInterruptedGoesOnWithNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := begin(t, "demo", "--agent", "http", "--report", "out")
	tool := filepath.Join(run.dir, "out", "tool")
	g.Expect(os.MkdirAll(filepath.Join(run.dir, "out", "platform"), 0o755)).To(Succeed())
	g.Eventually(func() error { _, err := os.Stat(tool); return err }).WithTimeout(20 * time.Second).Should(Succeed())
	g.Expect(run.Process.Signal(syscall.SIGTERM)).To(Succeed())
	_ = run.Wait()
	g.Expect(run.ProcessState.ExitCode()).To(Equal(3), run.said.String())
	g.Expect(left(g, filepath.Join(run.dir, "out", "platform"))).To(BeEmpty())
	g.Expect(left(g, run.temp)).To(BeEmpty())
}
