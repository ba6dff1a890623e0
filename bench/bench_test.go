// Package bench measures what the harness adds to the browser's own work. Its
// figures are ratios within one run, since machines differ and are noisy.
package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// BenchmarkLaunch makes one isolated valid launch through the harness, with
// evidence and screenshot, and one through bare chromedp, in turn. Both open a
// browser context, go through login initiation, authentication request, form
// post and the tool's page, and close it.
func BenchmarkLaunch(b *testing.B) {
	ctx := b.Context()
	run, err := harness.Start(ctx, config.Demo(config.ToolSide), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	if _, err := run.Preflight(ctx); err != nil {
		b.Fatal(err)
	}
	bare := startBare(b, run.Hosts())
	scene := run.Scenario(b, "benchmark", "bench")

	var ours, theirs []time.Duration
	for b.Loop() {
		began := time.Now()
		flow, err := scene.Launch(ctx, harness.Launch{Title: "a valid launch"})
		ours = append(ours, time.Since(began))
		if err != nil || flow.Reaction.Kind != harness.Accepted || len(flow.Trip.Screenshot) == 0 {
			b.Fatal("the launch was not accepted, or left no screenshot", err)
		}
		began = time.Now()
		bareLaunch(b, bare, run)
		theirs = append(theirs, time.Since(began))
	}
	b.ReportMetric(0, "ns/op") // the sum of the two says nothing
	b.ReportMetric(milliseconds(median(ours)), "ms/harness")
	b.ReportMetric(milliseconds(median(theirs)), "ms/bare")
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "ratio")
}

// bareLaunch makes the navigations of a launch and no more.
func bareLaunch(b *testing.B, browser context.Context, run *harness.Run) {
	launch, err := run.Platform().Begin(fakeplatform.Plan{ClientID: run.Tool().ClientID, User: harness.Learner})
	if err != nil {
		b.Fatal(err)
	}
	tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer cancel()
	if err := chromedp.Do(tab); err != nil {
		b.Fatal(err)
	}
	loads := chromedp.Events(tab, page.LoadEventFired)
	if _, err := chromedp.Call(tab, page.Navigate, page.NavigateParams{URL: launch.URL()}); err != nil {
		b.Fatal(err)
	}
	for _, err := range loads {
		if err != nil {
			b.Fatal(err)
		}
		title, err := chromedp.Run(tab, chromedp.Title())
		if err != nil {
			b.Fatal(err)
		}
		if title == "Fake tool: launched" {
			return
		}
	}
	b.Fatal("the launch did not end on the tool's page")
}

// BenchmarkRun makes each embedded run with one and with two processes, in turn; with
// -short a part of each, to see that it can be made.
func BenchmarkRun(b *testing.B) {
	if testing.Short() {
		b.Setenv(config.Env("profiles"), "services")
	}
	dir := b.TempDir()
	ginkgo := filepath.Join(dir, "ginkgo")
	command(b, "go", "build", "-o", ginkgo, "github.com/onsi/ginkgo/v2/ginkgo")
	for _, side := range []string{"tool", "platform"} {
		b.Run(side, func(b *testing.B) {
			suite := filepath.Join(dir, side+".test")
			command(b, "go", "test", "-c", "-o", suite, "invigilator.example/scenarios/"+side)
			times := map[int][]time.Duration{}
			for b.Loop() {
				for _, processes := range []int{1, 2} {
					began := time.Now()
					command(b, ginkgo, fmt.Sprintf("--procs=%d", processes), "--randomize-all", suite)
					times[processes] = append(times[processes], time.Since(began))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(times[1]).Seconds(), "s/1-process")
			b.ReportMetric(median(times[2]).Seconds(), "s/2-processes")
			b.ReportMetric(float64(median(times[1]))/float64(median(times[2])), "times-faster")
		})
	}
}

// BenchmarkScale judges a quarter, a half and all of the requirements of each side without
// a browser, so that the harness's own cost shows: the CPU time of a flow must not grow
// with their number. The time of a run that judges one requirement alone is taken away,
// since each has it once.
func BenchmarkScale(b *testing.B) {
	program := filepath.Join(b.TempDir(), "invigilator")
	command(b, "go", "build", "-o", program, "invigilator.example/cmd/invigilator")
	for _, side := range []string{"tool", "platform"} {
		b.Run(side, func(b *testing.B) {
			covered := covered(b, program, side)
			perFlow, memory := map[int][]time.Duration{}, map[int]int64{}
			for b.Loop() {
				alone := judge(b, program, side, covered[:1])
				for _, part := range []int{4, 2, 1} {
					var some []string
					for i := 0; i < len(covered); i += part {
						some = append(some, covered[i])
					}
					run := judge(b, program, side, some)
					perFlow[part] = append(perFlow[part], (run.cpu-alone.cpu)/time.Duration(max(1, run.flows-alone.flows)))
					memory[part] = max(memory[part], run.memory)
				}
			}
			b.ReportMetric(0, "ns/op")
			for part, name := range map[int]string{4: "quarter", 2: "half", 1: "whole"} {
				b.ReportMetric(milliseconds(median(perFlow[part])), "ms-CPU/flow-"+name)
				b.ReportMetric(float64(memory[part]), "MB-"+name)
			}
		})
	}
}

// spent is what a run took: its CPU time, in MB its memory at most, and its flows.
type spent struct {
	cpu    time.Duration
	memory int64
	flows  int
}

// judge judges some requirements of an embedded subject.
func judge(b *testing.B, program, side string, ids []string) spent {
	b.Helper()
	report := b.TempDir()
	args := []string{"demo", side, "--agent", "http", "--report", report}
	for _, id := range ids {
		args = append(args, "--only", id)
	}
	c := exec.CommandContext(b.Context(), program, args...)
	_ = c.Run() // inconclusive where only a browser would do
	s := spent{cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime(), flows: flows(b, report)}
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.memory = usage.Maxrss / 1024
	}
	return s
}

// covered returns the requirements that are checked.
func covered(b *testing.B, program, side string) []string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), program, "requirements", "--side", side, "--covered", "--json").Output()
	if err != nil {
		b.Fatal(err)
	}
	var list []requirements.Requirement
	if err := json.Unmarshal(out, &list); err != nil {
		b.Fatal(err)
	}
	var ids []string
	for _, r := range list {
		ids = append(ids, string(r.ID))
	}
	return ids
}

// flows returns how many flows a run has made.
func flows(b *testing.B, report string) int {
	b.Helper()
	file, err := os.Open(filepath.Join(report, "results.json"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	doc, err := results.Read(file)
	if err != nil {
		b.Fatal(err)
	}
	return len(doc.Flows)
}

// BenchmarkProof proves a sample of the faults.
func BenchmarkProof(b *testing.B) {
	program := filepath.Join(b.TempDir(), "invigilator")
	command(b, "go", "build", "-o", program, "invigilator.example/cmd/invigilator")
	args := []string{"prove", "--side", "tool", "--report", b.TempDir()}
	faults := faketool.Defects()
	sample := 0
	for i := 0; i < len(faults); i += 8 {
		args = append(args, "--only", faults[i].Name)
		sample++
	}
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		command(b, program, args...)
		times = append(times, time.Since(began))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(times).Seconds()/float64(sample), "s/fault")
}

func command(b *testing.B, name string, args ...string) {
	b.Helper()
	c := exec.CommandContext(b.Context(), name, args...)
	c.Env = append(os.Environ(), config.Env("report")+"="+b.TempDir(), config.EnvPrefix+"DEMO=true")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
