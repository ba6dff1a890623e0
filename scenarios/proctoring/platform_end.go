package proctoring

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
	"invigilator.example/scenarios/services"
)

// wantsEnd asks for LtiEndAssessment.
var wantsEnd = lti.Claims{lti.ClaimEndAssessmentReturn: true}

// endChecks are what every LtiEndAssessment is held against, beside the launch
// into the exam that it ends.
var endChecks = []struct {
	id    requirements.ID
	wrong func(r *harness.PlatformRun, exam, end *harness.PlatformFlow) string
}{
	{"ap-end-assessment-claims", wrongEndClaims},
	{"ap-end-assessment-fresh-oidc", func(_ *harness.PlatformRun, exam, end *harness.PlatformFlow) string {
		_, nonce := messages.SameNonce(end)
		_, state := messages.SameState(end)
		before, _ := exam.Message().Text("nonce")
		now, _ := end.Message().Text("nonce")
		switch {
		case nonce != "":
			return nonce
		case state != "":
			return state
		case before == now:
			return "the nonce is that of LtiStartProctoring"
		}
		return messages.WrongForm(end)
	}},
	{"ap-end-assessment-no-session-data", func(_ *harness.PlatformRun, _, end *harness.PlatformFlow) string {
		for _, claim := range []string{lti.ClaimSessionData, lti.ClaimStartAssessmentURL} {
			if value, has := end.Message().Claims[claim]; has {
				return fmt.Sprintf("%s is %s", claim, lti.Wire(value))
			}
		}
		return ""
	}},
	{"ap-end-assessment-error-claims", func(_ *harness.PlatformRun, _, end *harness.PlatformFlow) string {
		for _, claim := range []string{lti.ClaimErrorMessage, lti.ClaimErrorLog} {
			if value, has := end.Message().Claims[claim]; has {
				return fmt.Sprintf("%s is %s, though nothing had failed", claim, lti.Wire(value))
			}
		}
		return ""
	}},
	{"ap-claim-names-exact-platform", func(_ *harness.PlatformRun, _, end *harness.PlatformFlow) string { return wrongNames(end.Message()) }},
	{"ap-no-null-claims-platform", func(_ *harness.PlatformRun, _, end *harness.PlatformFlow) string { return emptyClaims(end.Message()) }},
	{"ap-start-proctoring-settings-shape", func(_ *harness.PlatformRun, exam, end *harness.PlatformFlow) string {
		before := exam.Message().Object(lti.ClaimProctoringSettings)["data"]
		now, repeated := end.Message().Object(lti.ClaimProctoringSettings)["data"]
		if repeated && !reflect.DeepEqual(before, now) {
			return fmt.Sprintf("proctoring_settings.data is %s, and was %s", lti.Wire(now), lti.Wire(before))
		}
		return ""
	}},
}

// ended is an exam that has ended by a journey, and the LtiEndAssessment that told
// of it. The error is [harness.ErrNoLaunch] where none came.
func ended(ctx SpecContext, scene *Scenario, by config.Deed) (exam, end *harness.PlatformFlow, err error) {
	if exam, err = scene.Running(ctx, "", wantsEnd); err != nil {
		return exam, nil, err
	}
	if end, err = scene.End(ctx, exam, Ending{By: by}); err == nil && !end.Launched() {
		err = fmt.Errorf("%w: LtiEndAssessment did not come: %s", harness.ErrNoLaunch, end.End())
	}
	return exam, end, err
}

// wrongEndClaims holds LtiEndAssessment against Proctoring Services 1.0, 4.4.1, and
// the message that the attempt began with.
func wrongEndClaims(r *harness.PlatformRun, exam, end *harness.PlatformFlow) string {
	if wrong := messages.FirstOf(r, end, messages.Constant(lti.ClaimMessageType, lti.EndAssessment), messages.Constant(lti.ClaimVersion, lti.Version)); wrong != "" {
		return wrong
	}
	before, now := exam.Message().Claims, end.Message().Claims
	for _, claim := range []string{"iss", "sub", lti.ClaimDeploymentID, lti.ClaimAttemptNumber} {
		if !reflect.DeepEqual(now[claim], before[claim]) {
			return fmt.Sprintf("%s is %s, and was %s in LtiStartProctoring", claim, lti.Wire(now[claim]), lti.Wire(before[claim]))
		}
	}
	if _, ok := now[lti.ClaimRoles].([]any); !ok {
		return fmt.Sprintf("roles is %s instead of an array", lti.Wire(now[lti.ClaimRoles]))
	}
	if target, sent := now[lti.ClaimTargetLinkURI], messages.Initiation(end).Params.Get(lti.ParamTargetLinkURI); target != sent || sent == "" {
		return fmt.Sprintf("target_link_uri is %s, and was %q in the login initiation", lti.Wire(target), sent)
	}
	// Whether the claim is required is uncertain, but it has to be the same.
	if link, has := now[lti.ClaimResourceLink]; has {
		members, _ := link.(map[string]any)
		if !reflect.DeepEqual(members["id"], exam.Message().Object(lti.ClaimResourceLink)["id"]) {
			return fmt.Sprintf("resource_link.id is %s, and was %q", lti.Wire(members["id"]), linkID(exam))
		}
	}
	return ""
}

var _ = Describe("A platform, at the end of an exam,", func() {
	It("tells the tool, which has asked for it", For("ap-end-assessment-sent-when-requested"), func(ctx SpecContext) {
		const id = "ap-end-assessment-sent-when-requested"
		scene := In(PlatformScene())
		judge := func(stimulus string, exam *harness.PlatformFlow, e Ending) {
			end, err := scene.End(ctx, exam, e)
			if !scene.Unseen(id, stimulus, err, exam, end) {
				messageType, _ := end.Message().Text(lti.ClaimMessageType)
				scene.Check(id, stimulus, messageType == lti.EndAssessment, "", "What came: "+end.End()+".", exam, end)
			}
		}
		if exam, err := scene.Running(ctx, "", wantsEnd); !scene.Unseen(id, "end-by-submission", err, exam) {
			judge("end-by-submission", exam, Ending{})
		}

		if lasts := scene.ExamTime(); lasts == 0 {
			scene.Observe(id, "end-by-time", results.Skipped, "", "platform.exam_duration is not set: it says how long an attempt lasts.")
		} else if exam, err := scene.Running(ctx, "", wantsEnd); !scene.Unseen(id, "end-by-time", err, exam) {
			if !scene.Unseen(id, "end-by-time", scene.Pass(ctx, lasts+time.Minute), exam) {
				judge("end-by-time", exam, Ending{By: config.OpenExam})
			}
		}

		const terminated = "end-by-terminate"
		if scene.Unbound(id, terminated) {
			return
		}
		exam, err := scene.Running(ctx, "", wantsEnd)
		if scene.Unseen(id, terminated, err, exam) {
			return
		}
		if !OffersAction(exam, lti.Terminate) {
			scene.Observe(id, terminated, results.Skipped, "", "The platform does not offer to terminate.", exam)
			return
		}
		if flow, err := scene.Act(ctx, exam, Call{Action: lti.Terminate}); !scene.Unseen(id, terminated, err, exam, flow) {
			judge(terminated, exam, Ending{By: config.OpenExam})
		}
	})

	It("does not report it to a tool that has not asked", For("ap-end-assessment-not-sent-unrequested"), func(ctx SpecContext) {
		const id = "ap-end-assessment-not-sent-unrequested"
		scene := In(PlatformScene())
		silent := func(stimulus string, with lti.Claims) {
			exam, err := scene.Running(ctx, "", with)
			if scene.Unseen(id, stimulus, err, exam) {
				return
			}
			end, err := scene.End(ctx, exam, Ending{Silent: true})
			if !scene.Unseen(id, stimulus, err, exam, end) {
				scene.Check(id, stimulus, end.Login == nil, "", end.End()+".", exam, end)
			}
		}
		silent("end-return-absent", nil)
		silent("end-return-false", lti.Claims{lti.ClaimEndAssessmentReturn: false})
		exam, err := scene.Running(ctx, "", wantsEnd)
		if err == nil {
			_, err = scene.End(ctx, exam, Ending{})
		}
		if !scene.Unseen(id, "end-return-stale", err, exam) {
			silent("end-return-stale", lti.Claims{lti.ClaimEndAssessmentReturn: false})
		}
	})

	It("takes only true as the request to report it", For("ap-end-assessment-return-non-boolean"), func(ctx SpecContext) {
		const id = "ap-end-assessment-return-non-boolean"
		scene := In(PlatformScene())
		strict := []string{"end-return-string-false", "end-return-zero", "end-return-null"}
		// They are all the same candidate's: those that decide come first, after one that
		// wished to be told and one that did not. Where the wish outlasts its attempt, none
		// of them says anything.
		remembers := ""
		for _, wish := range []lti.Claims{wantsEnd, nil} {
			exam, err := scene.Running(ctx, "", wish)
			var end *harness.PlatformFlow
			if err == nil {
				end, err = scene.End(ctx, exam, Ending{Silent: wish == nil})
			}
			switch {
			case err != nil:
				remembers = "Not seen: an exam before it did not work: " + err.Error() + "."
			case wish == nil && end.Login != nil:
				remembers = "This shows nothing: after an attempt that asked for it, the platform reports the end of every attempt."
			}
		}
		faults := faketool.FaultsFor(id)
		slices.SortStableFunc(faults, func(a, b faketool.Fault) int {
			return cmp.Compare(slices.Index(strict, b.Name), slices.Index(strict, a.Name))
		})
		for _, fault := range faults {
			decides := slices.Contains(strict, fault.Name)
			if decides && remembers != "" {
				scene.Observe(id, fault.Name, results.Inconclusive, "", remembers)
				continue
			}
			exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
			if scene.Unseen(id, fault.Name, err, exam) {
				continue
			}
			flow, err := scene.Start(ctx, exam, StartMessage{Title: fault.Does, Fault: &fault})
			if scene.Unseen(id, fault.Name, err, exam, flow) {
				continue
			}
			if status := flow.Trip.Page.Status; !Started(flow) {
				scene.Check(id, fault.Name, status >= 400 && status < 500, "", "Not started: "+flow.End()+".", exam, flow)
				continue
			}
			end, err := scene.End(ctx, flow, Ending{Silent: true})
			if scene.Unseen(id, fault.Name, err, exam, flow) {
				continue
			}
			told := map[bool]string{true: "The tool was told of the end.", false: "The tool was not told of the end."}[end.Login != nil]
			scene.Check(id, fault.Name, end.Login == nil || !decides, "", told, exam, flow, end)
		}
	})

	It("says the same about the attempt as at its beginning", For(endChecked()...), func(ctx SpecContext) {
		scene := In(PlatformScene())
		keys, keysErr := scene.Run().FetchKeySet(ctx, scene.Run().Platform().JWKSURL)
		for attempt := range 2 {
			exam, end, err := ended(ctx, scene, config.SubmitExam)
			if fresh := requirements.ID("ap-end-assessment-fresh-oidc"); err == nil && scene.Undeclared(fresh) == "" {
				wrong := messages.WrongSignature(end, keys, keysErr)
				messages.JudgeSigned(scene.PlatformScenario, fresh, wrong, keysErr, end)
			}
			for _, c := range endChecks {
				stimulus := ""
				if c.id == "ap-end-assessment-claims" && attempt > 0 {
					stimulus = "end-of-second-attempt"
				}
				if scene.Undeclared(c.id) != "" {
					scene.SkipAll(c.id)
					continue
				}
				if !scene.Unseen(c.id, stimulus, err, exam, end) {
					wrong := c.wrong(scene.Run(), exam, end)
					scene.Check(c.id, stimulus, wrong == "", "", Seen(wrong), exam, end)
				}
			}
		}
	})

	It("has a place for the candidate to go to", For("ap-end-assessment-return-url"), func(ctx SpecContext) {
		const id, stimulus = "ap-end-assessment-return-url", "return-at-the-end"
		scene := In(PlatformScene())
		if scene.Skip(id, stimulus, config.ReturnURL) {
			return
		}
		exam, end, err := ended(ctx, scene, config.SubmitExam)
		if scene.Unseen(id, stimulus, err, exam, end) {
			return
		}
		if wrong := services.WrongURL(end.Message().Object(lti.ClaimLaunchPresentation)["return_url"], "launch_presentation.return_url"); wrong != "" {
			scene.Observe(id, stimulus, results.Failed, "", Seen(wrong), exam, end)
			return
		}
		back, err := scene.Return(ctx, end)
		if !scene.Unseen(id, stimulus, err, exam, end, back) {
			status := back.Trip.Page.Status
			scene.Check(id, stimulus, status > 0 && status < 500, "", "The candidate came to: "+back.End()+".", exam, end, back)
		}
	})

	It("says when it ended through an error", For("ap-end-assessment-error-claims"), func(ctx SpecContext) {
		const id, stimulus = "ap-end-assessment-error-claims", "exam-breaks"
		scene := In(PlatformScene())
		exam, end, err := ended(ctx, scene, config.BreakExam)
		if NoJourney(err) {
			scene.Observe(id, stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", exam)
			return
		}
		if scene.Unseen(id, stimulus, err, exam, end) {
			return
		}
		wrong := ""
		for _, claim := range []string{lti.ClaimErrorMessage, lti.ClaimErrorLog} {
			if text, ok := end.Message().Text(claim); !ok || text == "" {
				wrong = fmt.Sprintf("%s is %s", claim, lti.Wire(end.Message().Claims[claim]))
			}
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, end)
		names := wrongNames(end.Message())
		scene.Check("ap-claim-names-exact-platform", "", names == "", "", Seen(names), exam, end)
	})
})

func endChecked() []requirements.ID {
	var ids []requirements.ID
	for _, c := range endChecks {
		ids = append(ids, c.id)
	}
	return ids
}
