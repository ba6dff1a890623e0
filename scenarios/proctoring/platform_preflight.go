package proctoring

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// profile is that of the catalogue, and the feature that declares it.
const profile = requirements.Proctoring

// The needs of checks of exams, beside access tokens.
const (
	exams        harness.Need = profile // that can be launched
	startedExams harness.Need = "exams that start"
)

const throughLogin requirements.ID = "ap-start-proctoring-through-oidc-login"

func init() {
	harness.AddPart(harness.Part{
		Profile: profile, Apart: true, Scopes: []string{lti.ScopeControl}, Tokens: "the control of exams",
		Services: []harness.Service{{Name: controlService, Works: controlWorks}},
		Links:    map[config.LaunchKind]requirements.ID{config.Exam: throughLogin, config.OtherExam: throughLogin},
		Deeds:    map[config.Deed]requirements.ID{config.SubmitExam: "ap-end-assessment-fresh-oidc"},
		First:    config.Exam, Launch: launch, Tidy: tidy, Controls: controls, Platform: preflightPlatform,
	})
}

func launch(ctx context.Context, scene *harness.PlatformScenario, l harness.PlatformLaunch) (*harness.PlatformFlow, error) {
	return In(scene).Exam(ctx, l)
}

// tidy ends the attempts that are under way, that of the learner as well where an earlier run
// may have left it.
func tidy(ctx context.Context, scenario *harness.PlatformScenario, mayBeUnknown bool) error {
	scene := In(scenario)
	if mayBeUnknown {
		scene.attempts()[config.Learner] = true
	}
	var err error
	for _, user := range slices.Sorted(maps.Keys(scene.attempts())) {
		err = errors.Join(err, scene.tidy(ctx, user))
	}
	return err
}

// forgedStart is an LtiStartAssessment that every platform has to refuse.
const forgedStart = "start-payload-altered"

// controls are those of exams: a valid LtiStartAssessment, and one that has to be refused.
func controls(ctx context.Context, scenario *harness.PlatformScenario, title string) ([]harness.Control, error) {
	s := In(scenario)
	var made []harness.Control
	altered, _ := faketool.FaultNamed(forgedStart)
	for _, start := range []StartMessage{{Title: title + ", refused", Fault: &altered}, {Title: title}} {
		exam, err := s.Exam(ctx, harness.PlatformLaunch{Title: title})
		if err != nil {
			return made, err
		}
		flow, err := s.Start(ctx, exam, start)
		if err != nil {
			return made, err
		}
		of := "a valid LtiStartAssessment"
		if start.Fault != nil {
			of = "an LtiStartAssessment whose signature is bad"
		}
		if Started(flow) {
			_, _ = s.End(ctx, exam, Ending{Silent: true}) // the next exam ends what is under way
		}
		made = append(made, harness.PageControl(of, start.Fault != nil, Started(flow), flow, exam))
	}
	return made, nil
}

// preflightPlatform makes sure that a real platform's exam can be judged: that a genuine
// message starts it, and that there is an access token for its control where the platform has
// that.
func preflightPlatform(ctx context.Context, scenario *harness.PlatformScenario) (*results.Diagnosis, error) {
	scene, r := In(scenario), scenario.Run()
	if r.Lacks(exams) == nil {
		d, missing, err := obstacle(ctx, scene)
		switch {
		case err != nil:
			return nil, err
		case d == nil || r.Lacks(exams) != nil: // which is told
		case missing == exams && r.FirstLink() != "":
			d.Profiles = nil // nothing is judged that does not begin with an exam
			return nil, d
		case d.Profiles != nil:
			scene.Misconfigured(d, d.Profiles, missing)
		default:
			scene.Obstructed(d, missing)
		}
	}
	if !r.Has(config.ACS) || !r.Has(config.Services) {
		return nil, nil
	}
	_, err := scene.PreflightToken(ctx, []string{lti.ScopeControl})
	return nil, err
}

// obstacle is what is in the way of exams, and what is missing for it; nil where
// nothing is. Where it is the configuration's fault it names their profile.
func obstacle(ctx context.Context, scene *Scenario) (*results.Diagnosis, harness.Need, error) {
	r := scene.Run()
	exam, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "preflight: a valid launch into an exam"})
	if stuck, ok := errors.AsType[*harness.JourneyError](err); ok && scene.CutsShort(stuck, exams) {
		return nil, exams, nil
	}
	if errors.Is(err, harness.ErrNoLaunch) && exam != nil && !exam.Launched() {
		return r.DiagnoseLaunch(ctx, exam), exams, nil
	}
	if d, ok := scene.StuckAt(err, profile); ok {
		return d, exams, nil
	}
	if err != nil && !errors.Is(err, harness.ErrNoLaunch) {
		return nil, exams, err
	}
	if d := r.DiagnoseMessage(exam); d != nil {
		return d, startedExams, nil
	}
	before, err := scene.look(ctx, config.Learner, "preflight: the exam's page before the exam has started")
	if d, ok := scene.StuckAt(err, profile); ok {
		return d, exams, nil
	}
	if err != nil {
		return nil, exams, err
	}
	if before != nil && Started(before) {
		return &results.Diagnosis{
			Problem: "The page before the exam shows the sign platform.exam_started, too. So it cannot be seen when an exam has started.",
			Step:    "start of the assessment", Seen: before.End(), FlowID: before.ID, Profiles: []string{profile},
			LookAt: "Set platform.exam_started to a sign that only the page of a running exam has.",
		}, exams, nil
	}
	// The candidate is sent to the check-in again: looking may have led away from it.
	if before != nil {
		exam, err = scene.Exam(ctx, harness.PlatformLaunch{Title: "preflight: a valid launch into an exam"})
		if d, ok := scene.StuckAt(err, profile); ok {
			return d, exams, nil
		}
		if err != nil {
			return nil, exams, err
		}
	}
	flow, err := scene.Start(ctx, exam, StartMessage{Title: "preflight: LtiStartAssessment"})
	if errors.Is(err, faketool.ErrUnusable) {
		return &results.Diagnosis{
			Problem: "LtiStartProctoring cannot be answered: " + err.Error() + ".", Step: "LtiStartProctoring", Seen: exam.End(), FlowID: exam.ID,
			LookAt: "The message's start_assessment_url, in the report.",
		}, startedExams, nil
	}
	if err != nil {
		return nil, startedExams, err
	}
	d := &results.Diagnosis{Step: "start of the assessment", Sent: "LtiStartAssessment to " + Sent(flow).To, FlowID: flow.ID}
	switch {
	case flow.Trip.Ended != agent.Settled:
		d.Problem = "The platform did not answer LtiStartAssessment: " + flow.NoAnswer() + "."
		d.Seen, d.LookAt = flow.End(), "The platform's log at that time."
		return d, startedExams, nil
	case !Started(flow):
		d.Problem = "A valid LtiStartAssessment does not start the exam, or the page does not show that it has started."
		d.Seen = flow.End()
		d.LookAt = fmt.Sprintf("Does the page of a running exam show the sign platform.exam_started? And does the platform know the fake tool's key? It is in the %s", r.ToolKeySet())
		if flow.Trip.Page.Status >= http.StatusBadRequest && r.KeysFetched() {
			return d, startedExams, nil // it refuses, which the requirements about the message judge
		}
		d.Profiles = []string{profile}
		return d, exams, nil
	}
	_, err = scene.End(ctx, exam, Ending{Silent: true})
	if d, ok := scene.StuckAt(err, profile); ok {
		return d, exams, nil
	}
	return nil, exams, err
}
