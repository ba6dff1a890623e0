package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// judgesGrades says whether grades or reviews are to be judged of a platform that
// declares them.
func (r *PlatformRun) judgesGrades() bool {
	return r.Has(config.Grades) && r.config.Judges(config.Grades) || r.Has(config.SubmissionReview) && r.config.Judges(config.SubmissionReview)
}

// preflightGrades makes sure that a real platform's gradebook can be judged: that a
// launch offers its grade services, that there is a token for its scopes, and that the
// journey to a review leads to one.
func (r *PlatformRun) preflightGrades(ctx context.Context, scene *PlatformScenario) error {
	if !r.judgesGrades() || r.missing[launches] != "" {
		return nil
	}
	book, err := scene.Gradebook(ctx, PlatformLaunch{Title: "preflight: a launch that offers the grade services"})
	if book.Launch != nil && book.Launch.Launched() && (errors.Is(err, ErrNoLaunch) || len(book.Scope) == 0) {
		scene.obstructed(&results.Diagnosis{
			Problem: "The learner's launch does not offer the grade services: it has no claim of Assignment and Grade Services that names scopes and a URL.",
			Step:    "grade services", Seen: offered(book.Launch), FlowID: book.Launch.ID,
			LookAt: "Is the tool allowed to use the grade services, in the platform's registration of it and, if there is such a setting, for the link?",
		}, gradeServices)
		return nil
	}
	if errors.Is(err, ErrNoLaunch) && book.Launch != nil {
		return r.diagnoseLaunch(ctx, book.Launch)
	}
	if d, ok := r.stuckAt(scene, err); ok {
		return d
	}
	if err != nil {
		return err
	}
	granted, err := r.preflightToken(ctx, scene, gradeTokens, book.Scope)
	if err != nil || !granted || !r.Has(config.SubmissionReview) || !r.config.Judges(config.SubmissionReview) {
		return err
	}
	return r.preflightReview(ctx, scene, book)
}

// offered is the claim of the grade services as a launch has it.
func offered(f *PlatformFlow) string {
	claim, ok := f.Message().Claims[lti.ClaimAGS]
	if !ok {
		return "no claim " + lti.ClaimAGS
	}
	encoded, _ := json.Marshal(claim) // which came as JSON
	return results.Bounded(fmt.Sprintf("%s: %s", lti.ClaimAGS, encoded), maxSaid)
}

// preflightReview makes sure that a review can be launched from the gradebook.
func (r *PlatformRun) preflightReview(ctx context.Context, scene *PlatformScenario, book *Gradebook) error {
	item, err := scene.Reviewed(ctx, book, nil, book.Sub())
	if errors.Is(err, ErrNoLaunch) { // which the requirements about line items and scores judge
		scene.obstructed(&results.Diagnosis{
			Problem: "There is no work that could be reviewed: " + err.Error() + ".", Step: "review", FlowID: book.Launch.ID,
			Seen:   offered(book.Launch),
			LookAt: "What was sent to the grade services and how it was answered, in the report.",
		}, reviews)
		return nil
	}
	if err != nil {
		return err
	}
	ofReviews := []string{requirements.SubmissionReview}
	flow, err := scene.Review(ctx, Review{Title: "preflight: a review from the gradebook", Item: item})
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		if !stuck.signIn && errors.Is(scene.mayWrite(), errReadOnly) {
			r.nothingToReview = true // which need not be the journey's fault: the rest can be judged
			return nil
		}
		if scene.cutsShort(stuck, reviews) {
			return nil
		}
		d, _ := r.stuckAt(scene, err)
		if !stuck.signIn {
			d.LookAt = fmt.Sprintf("The picture in the report. Does the gradebook offer the review of the work of %s for %q, and do the steps of the journey lead there? {line_item} and {learner} stand for these names.",
				r.users[config.Learner].Name, item.Label)
		}
		scene.misconfigured(d, ofReviews, reviews)
		return nil
	}
	if errors.Is(err, ErrNoLaunch) && flow != nil && !flow.Launched() {
		scene.obstructed(r.diagnoseLaunch(ctx, flow), reviews)
		return nil
	}
	if err != nil && !errors.Is(err, ErrNoLaunch) {
		return err
	}
	if d := r.diagnoseMessage(flow); d != nil {
		scene.obstructed(d)
		return nil
	}
	if messageType, _ := flow.Message().Text(lti.ClaimMessageType); messageType == lti.ResourceLinkRequest && !flow.Reviews() {
		name, _ := r.journeyTo(config.Instructor, config.Review)
		scene.misconfigured(&results.Diagnosis{
			Problem: fmt.Sprintf("The journey %s leads to a launch, but not to a review: its message is %q.", name, results.Bounded(messageType, 100)),
			Step:    "review", Seen: describe(flow.Trip), FlowID: flow.ID,
			LookAt: "Do the journey's steps click the link of the gradebook that opens the learner's work, and has the tool been registered for " + lti.SubmissionReviewRequest + "?",
		}, ofReviews, reviews)
	}
	return nil
}

// firstLink is what the preflight launches: an exam where launches of resource links
// are not judged, nor anything else that begins with one.
func (r *PlatformRun) firstLink() config.LaunchKind {
	if _, exams := r.journeyTo(config.Learner, config.Exam); r.config.Launches() || r.judgesGrades() || r.judgesParts() || !exams {
		return ""
	}
	return config.Exam
}
