package bench_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// BenchmarkReviewLaunch opens a learner's work for review through the harness, with
// evidence and pictures, and through bare chromedp, in turn. Both open a browser
// context and go through the launch to the tool's page that shows the work.
func BenchmarkReviewLaunch(b *testing.B) {
	ctx := b.Context()
	run, err := harness.Start(ctx, config.Demo(config.ToolSide), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	bare := startBare(b, run.Hosts())
	scene := run.ReviewScenario(b, "benchmark", "bench")
	work, err := scene.Standing(ctx)
	if err != nil {
		b.Fatal(err)
	}

	var ours, theirs []time.Duration
	for b.Loop() {
		began := time.Now()
		flow, err := scene.Launch(ctx, harness.Launch{Title: "a review", Review: work})
		ours = append(ours, time.Since(began))
		if err != nil || flow.Reaction.Kind != harness.Accepted || len(flow.Trip.Screenshot) == 0 {
			b.Fatal("the work was not shown, or left no screenshot", err)
		}
		began = time.Now()
		launch, err := run.Platform().Begin(fakeplatform.Plan{
			Message: lti.SubmissionReviewRequest, ClientID: run.Tool().ClientID, User: harness.Teacher, Context: work.Course, ResourceLink: work.Link,
			About: review.Submission{LineItem: work.Item.ID, Learner: work.Learner}, Lenient: true,
		})
		if err != nil {
			b.Fatal(err)
		}
		tab, closeTab := chromedp.NewContext(bare, chromedp.WithNewBrowserContext())
		err = chromedp.Do(tab, chromedp.Navigate(launch.URL()), chromedp.WaitVisible(chromedp.CSS("#work")))
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
