// Package bench measures what the harness adds to the browser's own work. Its
// figures are ratios within one run, since machines differ and are noisy.
package bench_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"invigilator/fakeplatform"
	"invigilator/harness"
	"invigilator/harness/agent"
	"invigilator/harness/config"
)

// BenchmarkLaunch makes one isolated valid launch through the harness, with
// evidence and screenshot, and one through bare chromedp, in turn. Both open a
// browser context, go through login initiation, authentication request, form
// post and the tool's page, and close it.
func BenchmarkLaunch(b *testing.B) {
	ctx := b.Context()
	run, err := harness.Start(ctx, config.Default(), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	if _, err := run.Preflight(ctx); err != nil {
		b.Fatal(err)
	}
	bare := bareBrowser(b, run)
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

// bareBrowser starts a browser of the same kind with the same flags.
func bareBrowser(b *testing.B, run *harness.Run) context.Context {
	options, err := agent.BrowserOptions{Hosts: run.Hosts()}.ExecOptions()
	if err != nil {
		b.Fatal(err)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	b.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	b.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		b.Fatal(err)
	}
	return browser
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

// BenchmarkRun makes the embedded run with one and with two processes, in turn.
func BenchmarkRun(b *testing.B) {
	dir := b.TempDir()
	ginkgo := filepath.Join(dir, "ginkgo")
	suite := filepath.Join(dir, "launch.test")
	command(b, "go", "build", "-o", ginkgo, "github.com/onsi/ginkgo/v2/ginkgo")
	command(b, "go", "test", "-c", "-o", suite, "invigilator/scenarios/launch")
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
}

func command(b *testing.B, name string, args ...string) {
	b.Helper()
	c := exec.CommandContext(b.Context(), name, args...)
	c.Env = append(os.Environ(), config.Env("report")+"="+b.TempDir())
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
