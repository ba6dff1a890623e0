package proctoring

import (
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A proctoring tool, told that the assessment has ended,", func() {
	It("closes the attempt and lets the candidate go", For("ap-tool-handles-end-assessment"), func(ctx SpecContext) {
		const id = "ap-tool-handles-end-assessment"
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			ended := started(ctx, scene, id, f.Name)
			if ended == nil {
				continue
			}
			flow, err := scene.End(ctx, f.Name+": "+f.Does, ended, nil, &f)
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			if wrong := wrongEnd(flow); wrong != "" {
				scene.Observe(id, f.Name, results.Failed, "", wrong+".", ended, flow)
				continue
			}
			judgeLeaving(ctx, scene, id, f.Name, ended, flow)
		}
	})

	It("shows what went wrong as text, and keeps the log to itself", For("ap-tool-shows-end-error-safely"), InBrowser, func(ctx SpecContext) {
		const id = "ap-tool-shows-end-error-safely"
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			ended := started(ctx, scene, id, f.Name)
			if ended == nil {
				continue
			}
			problem := &proctoring.Problem{Message: "The assessment could not be continued.", Log: proctoring.LogOfError}
			flow, err := scene.End(ctx, f.Name+": "+f.Does, ended, problem, &f)
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			wrong, note := "", ""
			if !flow.ShowsBeginOf(flow.Sent().Claims[lti.ClaimErrorMessage]) {
				note = " For information: errormsg is not shown at all."
			}
			switch {
			case flow.ScriptRan(), flow.HasMarkup():
				wrong = "markup of the error is part of the page"
			case pages.Crashed(flow):
				wrong = flow.End()
			case flow.Shows(proctoring.LogOfError):
				wrong = "errorlog is shown to the candidate"
			}
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong)+note, ended, flow)
		}
	})

	It("closes no attempt that the message is not about", For("ap-tool-rejects-bad-end-assessment"), func(ctx SpecContext) {
		const id = "ap-tool-rejects-bad-end-assessment"
		const twice = "end-twice"
		scene := ProctoringScene()
		if exam := started(ctx, scene, id, twice); exam != nil {
			judgeEndTwice(ctx, scene, id, twice, exam)
		}
		open := openness(ctx, scene, id, twice)
		if open == nil {
			return
		}
		for _, f := range fakeplatform.FaultsFor(id) {
			if f.Name == twice {
				continue
			}
			exam := started(ctx, scene, id, f.Name)
			if exam == nil {
				continue
			}
			flow, err := scene.End(ctx, f.Name+": "+f.Does, exam, nil, &f)
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			wrong := ""
			if pages.Crashed(flow) {
				wrong = flow.End()
			}
			still, err := open(exam)
			if scene.Unseen(id, f.Name, err, exam, flow) {
				continue
			}
			if wrong == "" && !still {
				// Does the proctor get anywhere at all?
				fresh := started(ctx, scene, id, f.Name)
				if fresh == nil {
					continue
				}
				acting, err := open(fresh)
				if scene.Unseen(id, f.Name, err, exam, flow, fresh) {
					continue
				}
				if !acting {
					scene.Observe(id, f.Name, results.Inconclusive, "", "The proctor can act on no attempt any more.", exam, flow, fresh)
					continue
				}
				wrong = "what the proctor does to the attempt no longer reaches the platform: it has been closed"
			}
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), exam, flow)
		}
	})
})

// judgeEndTwice judges what comes of the same message a second time.
func judgeEndTwice(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string, exam *harness.Flow) {
	flows, wrong := []*harness.Flow{exam}, ""
	for range 2 {
		flow, err := scene.End(ctx, stimulus, exam, nil, new(PlatformFault(stimulus)))
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		if pages.Crashed(flow) {
			wrong = flow.End()
		}
		flows = append(flows, flow)
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flows...)
}

// judgeLeaving judges whether a candidate comes back to the platform from the page that
// LtiEndAssessment has led to, where the message has told of a way back.
func judgeLeaving(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string, exam, end *harness.Flow) {
	if !end.Offers() || end.Returned() {
		scene.Observe(id, stimulus, results.Passed, "", end.End()+".", exam, end)
		return
	}
	const expected = "a link or form that leads to launch_presentation.return_url"
	back, wrong, err := scene.TakeWayBack(ctx, "the way back from the end of the exam", end, true)
	switch {
	case scene.Unseen(id, stimulus, err, exam, end):
	case wrong != "":
		scene.Observe(id, stimulus, results.Failed, expected, Seen(wrong), exam, end, back)
	case end.LeadsBack(), back != nil && back.LeadsBack():
		scene.Observe(id, stimulus, results.Passed, expected, "The page leads back.", exam, end, back)
	case back == nil:
		scene.Observe(id, stimulus, results.Warned, expected, "The page leads nowhere: "+end.End()+".", exam, end)
	default:
		scene.Observe(id, stimulus, results.Warned, expected, "No way back was found (tool.return_selector can name it). What the page offers leads to: "+back.End()+".", exam, end, back)
	}
}

// started is an exam that has begun, whose candidate's browser stays open as long
// as the spec; nil where it did not begin, which is kept.
func started(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string) *harness.Flow {
	browser := scene.Open(ctx)
	scene.AtEnd(browser.Close)
	flow, err := scene.Launch(ctx, harness.Launch{Title: "an exam that begins", By: browser, Link: exam("Algebra")})
	if scene.Unseen(id, stimulus, err, flow) || NotStarted(scene, id, stimulus, flow) {
		return nil
	}
	return flow
}

// wrongEnd says whether a tool did not take LtiEndAssessment.
func wrongEnd(f *harness.Flow) string {
	if status := f.Trip.Page.Status; status == 0 || status >= http.StatusBadRequest {
		return "Not taken: " + f.End()
	}
	return ""
}

// openness finds out how to see whether an attempt is open to the tool: the proctor
// can act on it then, and cannot once it has ended. It is nil where that cannot be
// seen, which is kept of all stimuli but one that does without it.
func openness(ctx SpecContext, scene *harness.Scenario, id requirements.ID, without string) func(*harness.Flow) (bool, error) {
	skip := func(why string, flows ...*harness.Flow) {
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			if f.Name != without {
				scene.Observe(id, f.Name, results.Skipped, "", why, flows...)
			}
		}
	}
	deed, ok := AnyAction(scene)
	if scene.Undeclared("ap-acs-tool-request-form") != "" || !ok || deed != config.Flag && deed != config.Update {
		skip("Whether an attempt is open shows in what its proctor can do again and again, and the tool has no journey that flags or gives time.")
		return nil
	}
	acts := func(exam *harness.Flow) (bool, error) {
		flow, err := scene.Act(ctx, deed, exam)
		if flow == nil {
			return false, err
		}
		return len(flow.Controls()) > 0, nil // the journey may well get stuck where there is nothing to act on
	}
	ended := started(ctx, scene, id, "")
	if ended == nil {
		return nil
	}
	before, err := acts(ended)
	if err == nil && before {
		if _, err = scene.End(ctx, "LtiEndAssessment", ended, nil, nil); err == nil {
			var after bool
			if after, err = acts(ended); err == nil && !after {
				return acts
			}
		}
	}
	if err != nil {
		skip(fmt.Sprintf("Whether an attempt is open cannot be seen: %s.", err), ended)
	} else {
		skip("Whether an attempt is open cannot be seen: its proctor can act on it as well after its end, or not before it.", ended)
	}
	return nil
}
