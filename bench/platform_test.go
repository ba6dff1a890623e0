package bench_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"invigilator.example/campus"
	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
)

// BenchmarkPlatformLaunch makes one launch of a campus by a journey, with evidence
// and pictures, and one through bare chromedp, in turn. Both begin at the list of
// courses, signed in already, click twice, come to the login that the fake tool
// holds, and go on to the launched tool.
func BenchmarkPlatformLaunch(b *testing.B) {
	ctx := b.Context()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	const password = "difference-engine"
	c, err := config.Load(config.Sources{
		Side: config.PlatformSide, Text: campus.Configuration, Environ: []string{"CAMPUS_URL=" + server.URL, "CAMPUS_PASSWORD=" + password},
		Settings: map[string]string{"fake_tool.listen": "127.0.0.1:0", "fake_tool.key_file": filepath.Join(b.TempDir(), "key.json"), "browser.idle_time": "0s"},
	})
	if err != nil {
		b.Fatal(err)
	}
	run, err := harness.StartPlatform(ctx, c, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	var tools []campus.Tool
	for _, known := range run.ToolRegistrations() {
		tools = append(tools, campus.Tool{
			ClientID: known.ClientID, LoginURL: known.LoginURL, RedirectURIs: known.RedirectURIs, TargetLinkURI: known.TargetLinkURI, JWKSURL: known.JWKSURL,
		})
	}
	if handler, err = campus.New(campus.Options{URL: server.URL, Password: password, Tools: tools}); err != nil {
		b.Fatal(err)
	}
	if _, err := run.Preflight(ctx); err != nil {
		b.Fatal(err)
	}
	scene := run.Scenario(b, "benchmark", "bench")
	bare := signedIn(b, startBare(b, run.Hosts()), server.URL, password)

	var ours, theirs []time.Duration
	for b.Loop() {
		began := time.Now()
		flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "a valid launch"})
		ours = append(ours, time.Since(began))
		if err != nil || !flow.Answer.Accepted || len(flow.Trip.Screenshot) == 0 {
			b.Fatal("the launch did not work, or left no screenshot", err)
		}
		began = time.Now()
		barePlatformLaunch(b, bare, server.URL, run.Tool())
		theirs = append(theirs, time.Since(began))
	}
	b.ReportMetric(0, "ns/op") // the sum of the two says nothing
	b.ReportMetric(milliseconds(median(ours)), "ms/harness")
	b.ReportMetric(milliseconds(median(theirs)), "ms/bare")
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "ratio")
}

// signedIn returns a tab in which the learner is signed in.
func signedIn(b *testing.B, browser context.Context, campus, password string) context.Context {
	tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	b.Cleanup(cancel)
	err := chromedp.Do(tab, chromedp.Navigate(campus+"/login"),
		chromedp.SendKeys(chromedp.CSS("[name=name]"), "ada"), chromedp.SendKeys(chromedp.CSS("[name=password]"), password),
		chromedp.Click(chromedp.CSS("#login button")), chromedp.WaitVisible(chromedp.CSS("#course-1")))
	if err != nil {
		b.Fatal(err)
	}
	return tab
}

// barePlatformLaunch makes the navigations of a launch and no more.
func barePlatformLaunch(b *testing.B, tab context.Context, campus string, tool *faketool.Tool) {
	err := chromedp.Do(tab, chromedp.Navigate(campus+"/courses"), chromedp.Click(chromedp.CSS("#course-1")),
		chromedp.Click(chromedp.CSS("#link-exercise-1")), chromedp.WaitVisible(chromedp.CSS("#held")))
	if err != nil {
		b.Fatal(err)
	}
	address, err := chromedp.Run(tab, chromedp.Location())
	if err != nil {
		b.Fatal(err)
	}
	login, ok := tool.LoginAt(address)
	if !ok {
		b.Fatal("no login is held at ", address)
	}
	address, err = login.Continue(faketool.Probe{})
	if err != nil {
		b.Fatal(err)
	}
	if err := chromedp.Do(tab, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#resource"))); err != nil {
		b.Fatal(err)
	}
}

// bareDeadline bounds all that bare chromedp does in one benchmark.
const bareDeadline = 5 * time.Minute

// startBare starts a browser of the same kind with the same flags.
func startBare(b *testing.B, hosts agent.Hosts) context.Context {
	options, err := agent.BrowserOptions{Hosts: hosts}.ExecOptions()
	if err != nil {
		b.Fatal(err)
	}
	bounded, cancel := context.WithTimeout(context.Background(), bareDeadline) // a page that never comes ends the benchmark
	b.Cleanup(cancel)
	allocator, cancel := chromedp.NewExecAllocator(bounded, options...)
	b.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	b.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		b.Fatal(err)
	}
	return browser
}
