package proctoring

import (
	"context"
	"fmt"
	"reflect"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

// Each fault of the fake platform that provokes one of these requirements is one
// launch into a proctored exam. What a tool has to refuse must not lead to
// LtiStartAssessment, between valid launches that do.
var _ = Describe("A proctoring tool, offered an exam that differs from a valid one in a single thing,", func() {
	of := func(id requirements.ID, what string) TableEntry { return Entry(what, For(id), id) }
	react := func(ctx SpecContext, id requirements.ID) { ProctoringScene().React(ctx, id) }

	DescribeTable("starts no assessment", react,
		of("ap-tool-rejects-missing-start-assessment-url", "no URL to start the assessment at"),
		of("ap-tool-rejects-http-start-assessment-url", "a URL to start the assessment at without TLS"),
		of("ap-tool-rejects-missing-session-data", "no session data"),
		of("ap-tool-rejects-missing-attempt-number", "no attempt number"),
		of("ap-tool-rejects-missing-resource-link", "no resource link"),
		of("ap-tool-rejects-missing-sub", "nobody to take the exam"),
		of("ap-tool-rejects-message-type-confusion", "another type of message"),
		of("ap-tool-verifies-id-token", "a message that is not genuine"),
	)

	DescribeTable("starts the assessment nevertheless", react,
		of("ap-tool-tolerates-unknown-content", "what it does not know, or does without"),
		of("ap-tool-numeric-date", "times with a fraction of a second"),
	)

	It("treats every launched user as a candidate", For("ap-tool-ignores-roles"), func(ctx SpecContext) {
		const id = "ap-tool-ignores-roles"
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			browser := scene.Open(ctx)
			scene.AtEnd(browser.Close)
			launched, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, By: browser, Fault: &f, Stays: true})
			if scene.Unseen(id, f.Name, err, launched) {
				continue
			}
			if launched.Teaches() {
				scene.Observe(id, f.Name, results.Failed, "", "The candidate is shown the page of a teacher.", launched)
			}
			flow, err := scene.GoOn(ctx, f.Name+": the check-in", launched, config.CheckIn)
			if !scene.Unseen(id, f.Name, err, launched, flow) {
				scene.MustBeAccepted(ctx, id, f.Name, flow)
			}
		}
	})

	It("coerces no attempt number", For("ap-tool-rejects-invalid-attempt-number"), func(ctx SpecContext) {
		const id = "ap-tool-rejects-invalid-attempt-number"
		scene := ProctoringScene()
		var refused []harness.Attempt
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			if len(flow.Started()) > 0 {
				wrong := changed(flow, lti.ClaimAttemptNumber)
				if wrong == "" && !f.Permitted {
					wrong = "it was sent back as it came, and not refused: " + lti.Wire(flow.Message().Claims[lti.ClaimAttemptNumber])
				}
				scene.Check(id, f.Name, wrong == "", "", Seen(wrong), flow)
				continue
			}
			refused = append(refused, harness.Attempt{Stimulus: f.Name, Make: again(flow)})
		}
		scene.MustRefuse(ctx, id, refused...)
	})
})

var _ = Describe("A proctoring tool, sending the candidate away,", func() {
	It("tells the platform why, at the return URL", For("ap-tool-error-return"), func(ctx SpecContext) {
		const id = "ap-tool-error-return"
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, Does: config.Cancel})
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			judgeCancelled(scene, id, f.Name, flow)
		}
	})
})

// judgeCancelled judges how a tool sends a candidate away who has given up.
func judgeCancelled(scene *harness.Scenario, id requirements.ID, stimulus string, flow *harness.Flow) {
	_, offered := flow.Sent().Object(lti.ClaimLaunchPresentation)["return_url"]
	returns := flow.Record.Returns
	switch {
	case len(flow.Started()) > 0:
		scene.Observe(id, stimulus, results.Inconclusive, "", "LtiStartAssessment came, though the candidate had given up.", flow)
	case !flow.Attended():
		scene.Observe(id, stimulus, results.Inconclusive, "", "The candidate did not get as far as the check-in: "+flow.End()+".", flow)
	case flow.Stuck() != nil:
		scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: "+flow.Stuck().Error()+".", flow)
	case !offered && flow.Trip.Ended != agent.Settled, !offered && flow.Trip.Page.Status >= 500:
		scene.Observe(id, stimulus, results.Failed, "a page of the tool", flow.End()+".", flow)
	case !offered:
		scene.Observe(id, stimulus, results.Passed, "a page of the tool", flow.End()+".", flow)
	case len(returns) == 0:
		scene.Observe(id, stimulus, results.Failed, "", "The return URL was not visited: "+flow.End()+".", flow)
	default:
		last := returns[len(returns)-1]
		wrong := pages.WrongReturn(flow, last)
		if wrong == "" && last.ErrorMessage == "" && last.ErrorLog == "" {
			wrong = "neither lti_errormsg nor lti_errorlog says why"
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong)+" The query was "+results.Bounded(last.RawQuery, 500)+".", flow)
	}
}

var _ = Describe("A proctoring tool, with several exams at a time,", func() {
	const id = "ap-tool-keeps-parallel-sessions-apart"

	It("keeps those in one browser apart", For(id), InBrowser, func(ctx SpecContext) {
		scene := ProctoringScene()
		browser, candidate := scene.Open(ctx), harness.Candidate()
		defer browser.Close()
		overlap(ctx, scene, id, "other-tab", [2]harness.Launch{{By: browser, User: candidate}, {By: browser.NewTab(), User: candidate}})
	})

	It("keeps candidates apart", For(id), func(ctx SpecContext) {
		scene := ProctoringScene()
		one, other := scene.Open(ctx), scene.Open(ctx)
		defer one.Close()
		defer other.Close()
		overlap(ctx, scene, id, "other-browser", [2]harness.Launch{{By: one}, {By: other}})
	})
})

// overlap brings two launches up to their check-ins, and then goes through those in
// the same order: each message has to be that of its own launch.
func overlap(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string, launches [2]harness.Launch) {
	var launched []*harness.Flow
	for i, l := range launches {
		l.Title, l.Stays = fmt.Sprintf("exam %d of 2, up to the check-in", i+1), true
		l.Link, l.Exam = exam([]string{"Algebra", "Geometry"}[i]), &proctoring.Exam{Attempt: 2 + i}
		flow, err := scene.Launch(ctx, l)
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		launched = append(launched, flow)
	}
	for _, l := range launched {
		flow, err := scene.GoOn(ctx, "the check-in of one of two exams", l, config.CheckIn)
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		switch {
		case len(flow.Started()) > 0:
		case scene.Accepted(flow):
			scene.Observe(id, stimulus, results.Failed, "", "LtiStartAssessment went elsewhere than to this launch's start_assessment_url.", flow)
			continue
		default:
			scene.MustBeAccepted(ctx, id, stimulus, flow)
			continue
		}
		wrong := changed(flow, echoed...)
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
	}
}

// exam is a link to an exam that no tool has seen.
func exam(title string) fakeplatform.ResourceLink {
	return fakeplatform.ResourceLink{ID: "exam-" + lti.RandomString(), Title: title, Description: "The examination in " + title}
}

// echoed are the claims that a tool copies from LtiStartProctoring.
var echoed = []string{lti.ClaimSessionData, lti.ClaimResourceLink, lti.ClaimAttemptNumber, lti.ClaimDeploymentID}

// changed says which of some claims came back other than they were sent.
func changed(f *harness.Flow, claims ...string) string {
	sent, came := f.Sent().Claims, f.Message().Claims
	for _, claim := range claims {
		if !reflect.DeepEqual(sent[claim], came[claim]) {
			return fmt.Sprintf("%s was sent as %s and came back as %s", claim, lti.Wire(sent[claim]), lti.Wire(came[claim]))
		}
	}
	return ""
}

// again returns what makes a flow that has been made already.
func again(f *harness.Flow) func(context.Context) (*harness.Flow, error) {
	return func(context.Context) (*harness.Flow, error) { return f, nil }
}
