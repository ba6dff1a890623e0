package bench_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// BenchmarkExamLaunch carries a candidate into an exam through the harness, with
// evidence and pictures, and through bare chromedp, in turn. Both open a browser
// context, go through the launch to the tool's check-in, click once, and come back
// to the platform's page of the exam that has started.
func BenchmarkExamLaunch(b *testing.B) {
	ctx := b.Context()
	run, err := harness.Start(ctx, config.Demo(config.ToolSide), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	bare := startBare(b, run.Hosts())
	scene := run.ProctoringScenario(b, "benchmark", "bench")

	var ours, theirs []time.Duration
	for b.Loop() {
		began := time.Now()
		flow, err := scene.Launch(ctx, harness.Launch{Title: "an exam"})
		ours = append(ours, time.Since(began))
		if err != nil || flow.Reaction.Kind != harness.Accepted || len(flow.Trip.Screenshot) == 0 {
			b.Fatal("the exam did not start, or left no screenshot", err)
		}
		began = time.Now()
		launch, err := run.Platform().Begin(fakeplatform.Plan{
			Message: lti.StartProctoring, ClientID: run.Tool().ClientID, User: harness.Candidate(),
			About: proctoring.Exam{Attempt: 1, Actions: lti.Actions}, Lenient: true,
		})
		if err != nil {
			b.Fatal(err)
		}
		tab, closeTab := chromedp.NewContext(bare, chromedp.WithNewBrowserContext())
		err = chromedp.Do(tab, chromedp.Navigate(launch.URL()), chromedp.Click(chromedp.CSS("#start")), chromedp.WaitVisible(chromedp.CSS("#exam")))
		closeTab()
		if err != nil {
			b.Fatal(err)
		}
		theirs = append(theirs, time.Since(began))
	}
	b.ReportMetric(0, "ns/op") // the sum of the two says nothing
	b.ReportMetric(milliseconds(median(ours)), "ms/harness")
	b.ReportMetric(milliseconds(median(theirs)), "ms/bare")
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "ratio")
}
