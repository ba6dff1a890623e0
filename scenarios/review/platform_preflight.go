package review

import (
	"context"
	"errors"
	"fmt"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// reviews is the need of reviews that can be launched.
const reviews harness.Need = "reviews"

func init() {
	harness.AddPart(harness.Part{
		Profile: requirements.SubmissionReview, Needs: []string{requirements.Grades}, Platform: preflightPlatform, Controls: controls,
		Links: map[config.LaunchKind]requirements.ID{config.Review: "sr-through-oidc-login"},
	})
}

// controls are those of launches into a review.
func controls(ctx context.Context, scenario *harness.PlatformScenario, title string) ([]harness.Control, error) {
	scene := In(scenario)
	book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: title})
	if err != nil {
		return nil, err
	}
	item, err := scene.Reviewed(ctx, book, nil, book.Sub())
	if err != nil {
		return nil, err
	}
	return scene.Controls(ctx, scene.launchOf(Review{Title: title, Item: item}))
}

// preflightPlatform makes sure that a review can be launched from the gradebook.
func preflightPlatform(ctx context.Context, scenario *harness.PlatformScenario) (*results.Diagnosis, error) {
	scene, r := In(scenario), scenario.Run()
	book := scene.Preflighted()
	if book == nil {
		return nil, nil
	}
	item, err := scene.Reviewed(ctx, book, nil, book.Sub())
	if errors.Is(err, harness.ErrNoLaunch) { // which the requirements about line items and scores judge
		scene.Obstructed(&results.Diagnosis{
			Problem: "There is no work that could be reviewed: " + err.Error() + ".", Step: "review", FlowID: book.Launch.ID,
			Seen:   book.Claim(),
			LookAt: "What was sent to the grade services and how it was answered, in the report.",
		}, reviews)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ofReviews := []string{requirements.SubmissionReview}
	flow, err := scene.Review(ctx, Review{Title: "preflight: a review from the gradebook", Item: item})
	if stuck, ok := errors.AsType[*harness.JourneyError](err); ok {
		if readOnly := scene.MayWrite() != nil; readOnly && !stuck.AsksToSignIn() {
			scene.learned().nothingToReview = true // which need not be the journey's fault: the rest can be judged
			return nil, nil
		}
		if scene.CutsShort(stuck, reviews) {
			return nil, nil
		}
		d, _ := scene.StuckAt(err)
		if !stuck.AsksToSignIn() {
			learner, _ := r.User(config.Learner)
			d.LookAt = fmt.Sprintf("The picture in the report. Does the gradebook offer the review of the work of %s for %q, and do the steps of the journey lead there? {line_item} and {learner} stand for these names.",
				learner.Name, item.Label)
		}
		scene.Misconfigured(d, ofReviews, reviews)
		return nil, nil
	}
	if errors.Is(err, harness.ErrNoLaunch) && flow != nil && !flow.Launched() {
		scene.Obstructed(r.DiagnoseLaunch(ctx, flow), reviews)
		return nil, nil
	}
	if err != nil && !errors.Is(err, harness.ErrNoLaunch) {
		return nil, err
	}
	if d := r.DiagnoseMessage(flow); d != nil {
		scene.Obstructed(d)
		return nil, nil
	}
	if messageType, _ := flow.Message().Text(lti.ClaimMessageType); messageType == lti.ResourceLinkRequest && !Reviews(flow) {
		name, _ := r.JourneyTo(config.Instructor, config.Review)
		scene.Misconfigured(&results.Diagnosis{
			Problem: fmt.Sprintf("The journey %s leads to a launch, but not to a review: its message is %q.", name, results.Bounded(messageType, 100)),
			Step:    "review", Seen: flow.End(), FlowID: flow.ID,
			LookAt: "Do the journey's steps click the link of the gradebook that opens the learner's work, and has the tool been registered for " + lti.SubmissionReviewRequest + "?",
		}, ofReviews, reviews)
	}
	return nil, nil
}
