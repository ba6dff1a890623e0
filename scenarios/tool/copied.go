package tool

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

// A tool's page has an address, which its user may pass on, and which stands in the history
// of the browser. Who knows it is not the user.
var _ = Describe("A tool, whose page's address is known to another browser,", func() {
	It("does not show it what is the user's", For("practice-tool-page-bound-to-browser"), func(ctx SpecContext) {
		const id, stimulus = "practice-tool-page-bound-to-browser", "page-address-in-other-browser"
		scene := Scene()
		user := harness.Newcomer(harness.Learner)
		judgeCopied(ctx, scene, id, stimulus, harness.Launch{Title: "a user's launch", User: user}, ofUser(user))
	})

	It("does not show it a candidate's check-in", For("ap-tool-keeps-parallel-sessions-apart"), func(ctx SpecContext) {
		const id, stimulus = "ap-tool-keeps-parallel-sessions-apart", "check-in-address-in-other-browser"
		scene := ProctoringScene()
		candidate := harness.Candidate()
		judgeCopied(ctx, scene, id, stimulus, harness.Launch{Title: "a candidate's launch, up to the check-in", User: candidate, Exam: &proctoring.Exam{}, Stays: true}, ofUser(candidate))
	})

	It("does not show it a learner's work", For("sr-tool-learner-may-only-see-own"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-learner-may-only-see-own", "review-address-in-other-browser"
		scene := ReviewScene()
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if !scene.Unseen(id, stimulus, err, handed) {
			judgeCopied(ctx, scene, id, stimulus, harness.Launch{Title: "an instructor's review", User: harness.Newcomer(harness.Teacher), Review: work}, (*harness.Flow).ShowsAnyWork)
		}
	})
})

// ofUser says whether a page shows something of a user.
func ofUser(user fakeplatform.User) func(*harness.Flow) bool {
	return func(f *harness.Flow) bool { return pages.ShowsUser(f, user) }
}

// judgeCopied judges whether the page that a launch has led to shows what is its user's in
// a browser that knows nothing but its address.
func judgeCopied(ctx context.Context, scene *harness.Scenario, id requirements.ID, stimulus string, l harness.Launch, shows func(*harness.Flow) bool) {
	browser, stranger := scene.Open(ctx), scene.Open(ctx)
	defer browser.Close()
	defer stranger.Close()
	l.By = browser
	own, err := scene.Launch(ctx, l)
	if scene.Unseen(id, stimulus, err, own) {
		return
	}
	opened, err := scene.OpenElsewhere(ctx, "the address of its page, in another browser", own, stranger)
	if scene.Unseen(id, stimulus, err, own) {
		return
	}
	again, err := scene.OpenAddress(ctx, "the address of its page, opened again by the user", own.Trip.Page.URL, own)
	switch {
	case scene.Unseen(id, stimulus, err, own, opened):
	case !shows(own):
		scene.Observe(id, stimulus, results.Skipped, "", "The page shows nothing that is its user's alone: "+own.End()+".", own)
	case shows(opened):
		verdict, says := pages.ShownElsewhere(own, again, opened)
		scene.Observe(id, stimulus, verdict, "", says+" "+Seen(opened.End()), own, opened, again)
	case !shows(again):
		scene.Observe(id, stimulus, results.Skipped, "", "The page has no address of its own: it shows nothing of the user when the user opens it again.", own, again)
	default:
		scene.Observe(id, stimulus, results.Passed, "", "The other browser is not shown it: "+opened.End()+".", own, opened, again)
	}
}
