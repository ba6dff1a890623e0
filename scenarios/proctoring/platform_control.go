package proctoring

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/services"
)

// acting makes an exam that is under way and offers an action. Where that is not so
// it keeps why, and returns nil.
func acting(ctx SpecContext, scene *Scenario, action lti.Action, id requirements.ID, stimuli ...string) *harness.PlatformFlow {
	exam, err := scene.Running(ctx, "", nil)
	for _, stimulus := range stimuli {
		if !scene.Unseen(id, stimulus, err, exam) && !OffersAction(exam, action) {
			scene.Observe(id, stimulus, results.Skipped, "", fmt.Sprintf("The platform does not offer %s.", action), exam)
		}
	}
	if err != nil || !OffersAction(exam, action) {
		return nil
	}
	return exam
}

// answered says what is wrong with the answer to a control request, which has to
// have one of some statuses.
func answered(f *harness.PlatformFlow, statuses ...lti.Status) string {
	answer, err := ControlAnswer(f)
	switch {
	case f.Exchange.Err != nil:
		return "no answer came: " + f.Exchange.Err.Error()
	case f.Exchange.Status != http.StatusOK:
		return fmt.Sprintf("HTTP %d", f.Exchange.Status)
	case err != nil:
		return "the answer cannot be read: " + err.Error()
	case !slices.Contains(statuses, answer.Status):
		return fmt.Sprintf("the status is %q instead of %s", answer.Status, quoted(statuses))
	}
	return ""
}

func quoted(statuses []lti.Status) string {
	var words []string
	for _, s := range statuses {
		words = append(words, fmt.Sprintf("%q", s))
	}
	return strings.Join(words, " or ")
}

// refused says what is wrong with an answer that has to be a client's error, or may
// be the true status of an attempt that nothing can be done to any more.
func refused(f *harness.PlatformFlow, statuses ...lti.Status) string {
	switch status := f.Exchange.Status; {
	case f.Exchange.Err != nil:
		return "no answer came: " + f.Exchange.Err.Error()
	case status >= 400 && status < 500:
		return ""
	case status == http.StatusOK && len(statuses) > 0:
		return answered(f, statuses...)
	default:
		return fmt.Sprintf("HTTP %d", status)
	}
}

var _ = Describe("A platform's control of an exam", func() {
	It("pauses it, and lets it go on", For("ap-acs-platform-pause-resume"), func(ctx SpecContext) {
		const id = "ap-acs-platform-pause-resume"
		scene := In(PlatformScene())
		stimuli := []string{"acs-pause", "acs-pause-again", "acs-resume", "acs-resume-again"}
		exam := acting(ctx, scene, lti.Pause, id, stimuli...)
		if exam == nil {
			return
		}
		for i, stimulus := range stimuli {
			action, status := lti.Pause, lti.Paused
			if i > 1 {
				action, status = lti.Resume, lti.Running
			}
			if !OffersAction(exam, action) {
				scene.Observe(id, stimulus, results.Skipped, "", fmt.Sprintf("The platform does not offer %s.", action), exam)
				continue
			}
			flow, err := scene.Act(ctx, exam, Call{Title: stimulus, Action: action})
			if scene.Unseen(id, stimulus, err, exam, flow) {
				continue
			}
			wrong := answered(flow, status)
			looked, err := scene.Look(ctx, exam, "the exam's page after "+string(action))
			if err != nil && !NoJourney(err) && scene.Unseen(id, stimulus, err, exam, flow) {
				continue
			}
			if paused := status == lti.Paused; wrong == "" && looked != nil && (Started(looked) == paused || scene.ShowsPause() && Paused(looked) != paused) {
				wrong = fmt.Sprintf("the candidate's page does not show it: %s", looked.End())
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, flow, looked)
		}
	})

	It("terminates it for good", For("ap-acs-platform-terminate"), func(ctx SpecContext) {
		const id = "ap-acs-platform-terminate"
		scene := In(PlatformScene())
		stimuli := []string{"acs-terminate", "terminate-again", "resume-after-terminate", "start-after-terminate"}
		exam := acting(ctx, scene, lti.Terminate, id, stimuli...)
		if exam == nil {
			return
		}
		over := func(stimulus string, wrong string, flow *harness.PlatformFlow) {
			looked, err := scene.Look(ctx, exam, "the exam's page after "+stimulus)
			if err != nil && !NoJourney(err) && scene.Unseen(id, stimulus, err, exam, flow) {
				return
			}
			if wrong == "" && looked != nil && Started(looked) {
				wrong = "the candidate can go on: " + looked.End()
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, flow, looked)
		}
		var unsent error // why nothing was terminated
		for _, stimulus := range stimuli[:3] {
			action := lti.Terminate
			if stimulus == "resume-after-terminate" {
				action = lti.Resume
			}
			flow, err := scene.Act(ctx, exam, Call{Title: stimulus, Action: action})
			if scene.Unseen(id, stimulus, err, exam, flow) {
				if stimulus == "acs-terminate" {
					unsent = err
				}
				continue
			}
			wrong := answered(flow, lti.Terminated)
			if stimulus != "acs-terminate" {
				wrong = refused(flow, lti.Terminated)
			}
			over(stimulus, wrong, flow)
		}
		if scene.Unseen(id, "start-after-terminate", unsent, exam) {
			return
		}
		flow, err := scene.Start(ctx, exam, StartMessage{Title: "LtiStartAssessment after terminate"})
		if !scene.Unseen(id, "start-after-terminate", err, exam, flow) {
			wrong := ""
			if Started(flow) {
				wrong = "the exam has started again"
			}
			over("start-after-terminate", wrong, flow)
		}
	})

	It("gives more time", For("ap-acs-platform-update-extra-time"), func(ctx SpecContext) {
		const id = "ap-acs-platform-update-extra-time"
		scene := In(PlatformScene())
		exam := acting(ctx, scene, lti.Update, id, "extra-time-10", "extra-time-0", "extra-time-absent", withEverything)
		if exam == nil {
			return
		}
		for _, c := range []struct {
			stimulus string
			minutes  *int
		}{{"extra-time-10", new(10)}, {"extra-time-0", new(0)}, {"extra-time-absent", nil}, {withEverything, new(10)}} {
			call := Call{Title: c.stimulus, Action: lti.Update, ExtraTime: c.minutes}
			if c.stimulus == withEverything {
				call.Severity, call.Reason = new(0.25), longReason
			}
			flow, err := scene.Act(ctx, exam, call)
			if scene.Unseen(id, c.stimulus, err, exam, flow) {
				continue
			}
			wrong := answered(flow, lti.Running)
			answer, _ := ControlAnswer(flow)
			switch {
			case c.minutes == nil && flow.Exchange.Status/100 == 4:
				wrong = ""
			case wrong == "" && c.minutes != nil && *c.minutes == 10 && (answer.ExtraTime == nil || *answer.ExtraTime < 10):
				wrong = "the answer does not say that there are 10 more minutes"
			}
			scene.Check(id, c.stimulus, wrong == "", "", Seen(wrong), exam, flow)
		}
	})

	It("notes incidents, and lets the attempt go on", For("ap-acs-platform-flag"), func(ctx SpecContext) {
		const id = "ap-acs-platform-flag"
		scene := In(PlatformScene())
		severities := map[string]float64{"flag-severity-0": 0, "flag-severity-half": 0.5, "flag-severity-1": 1, "flag-with-reason": 0.2}
		exam := acting(ctx, scene, lti.Flag, id, slices.Sorted(maps.Keys(severities))...)
		if exam == nil {
			return
		}
		for stimulus, severity := range severities {
			call := Call{Title: stimulus, Severity: &severity}
			if stimulus == "flag-with-reason" {
				call.Reason = longReason
			}
			flow, err := scene.Act(ctx, exam, call)
			if !scene.Unseen(id, stimulus, err, exam, flow) {
				wrong := answered(flow, lti.Running)
				scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, flow)
			}
		}
	})

	It("does what the launch offers, and nothing else", For("ap-acs-platform-advertised-actions", "ap-acs-platform-response-form"), func(ctx SpecContext) {
		const id, form = "ap-acs-platform-advertised-actions", "ap-acs-platform-response-form"
		scene := In(PlatformScene())
		exam, err := scene.Running(ctx, "", nil)
		for _, stimulus := range []string{"advertised-actions", "action-not-advertised", "action-unknown", "action-upper-case", "action-empty"} {
			scene.Unseen(id, stimulus, err, exam)
		}
		if scene.Unseen(form, "", err, exam) {
			return
		}
		for stimulus, action := range map[string]lti.Action{"action-unknown": "teleport", "action-upper-case": "PAUSE", "action-empty": ""} {
			flow, err := scene.Act(ctx, exam, Call{Title: stimulus, Change: func(r *lti.ControlRequest) { r.Action = action }})
			if !scene.Unseen(id, stimulus, err, exam, flow) {
				wrong := refused(flow)
				scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, flow)
			}
		}
		missing, status, ends := 0, lti.Running, false
		for _, action := range []lti.Action{lti.Flag, lti.Pause, lti.Resume, lti.Update, lti.Terminate} { // so that each finds an attempt that it fits
			stimulus := "advertised-actions"
			call := Call{Action: action}
			if action == lti.Update {
				call.ExtraTime = new(5)
			}
			offered := OffersAction(exam, action)
			if !offered {
				stimulus = "action-not-advertised"
				missing++
			}
			flow, err := scene.Act(ctx, exam, call)
			if scene.Unseen(id, stimulus, err, exam, flow) {
				continue
			}
			wrong := refused(flow)
			if offered {
				if next := map[lti.Action]lti.Status{lti.Pause: lti.Paused, lti.Resume: lti.Running, lti.Terminate: lti.Terminated}[action]; next != "" {
					status = next
				}
				wrong = answered(flow, status)
			}
			ends = action == lti.Terminate && offered && wrong == ""
			scene.Check(id, stimulus, wrong == "", "", fmt.Sprintf("%s: %s", action, Seen(wrong)), exam, flow)
			if offered {
				judgeResponse(scene, form, exam, flow)
			}
		}
		if missing > 0 {
			return
		}
		// All of them are offered; the exam with fewer, if there is one, tells the rest.
		const stimulus = "action-not-advertised"
		other, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "another exam", Link: config.OtherExam})
		i := slices.IndexFunc(lti.Actions, func(a lti.Action) bool { return err == nil && !OffersAction(other, a) })
		if err != nil || i < 0 || !ends || !OffersAction(other, lti.Terminate) { // no journey ends this exam
			scene.Observe(id, stimulus, results.Skipped, "", "The platform offers every action, in every exam that the run can end.", exam)
			return
		}
		started, err := scene.Start(ctx, other, StartMessage{Title: "LtiStartAssessment of the other exam"})
		if scene.Unseen(id, stimulus, err, other, started) {
			return
		}
		call := Call{Action: lti.Actions[i]}
		if call.Action == lti.Update {
			call.ExtraTime = new(5)
		}
		flow, err := scene.Act(ctx, other, call)
		if !scene.Unseen(id, stimulus, err, other, flow) {
			wrong := refused(flow)
			scene.Check(id, stimulus, wrong == "", "", fmt.Sprintf("%s: %s", call.Action, Seen(wrong)), other, flow)
		}
		_, err = scene.Act(ctx, other, Call{Action: lti.Terminate})
		scene.Unseen(id, stimulus, err, other)
	})

	It("needs a token for it", For("ap-acs-platform-authorisation"), func(ctx SpecContext) {
		const id = "ap-acs-platform-authorisation"
		scene := In(PlatformScene())
		exam := JudgeControlTokens(ctx, scene, id)
		if exam == nil {
			return
		}
		looked, err := scene.Look(ctx, exam, "the exam's page after the requests that had to be refused")
		if err == nil && !Started(looked) {
			scene.Observe(id, "acs-without-token", results.Failed, "", "One of the requests has had an effect: "+looked.End()+".", exam, looked)
		}
	})

	It("lets no tool touch the exams of another", For("ap-acs-platform-tool-isolation"), func(ctx SpecContext) {
		const id, stimulus = "ap-acs-platform-tool-isolation", "acs-of-other-tool"
		scene := In(PlatformScene())
		if scene.Unbound(id, stimulus) {
			return
		}
		exam, err := scene.Running(ctx, "", nil)
		if scene.Unseen(id, stimulus, err, exam) {
			return
		}
		other, token, err := scene.OtherTool(ctx, lti.ScopeControl)
		if scene.Unseen(id, stimulus, err, exam) {
			return
		}
		flow, err := scene.Act(ctx, exam, Call{Title: "another tool's request", Action: lti.Terminate, Tool: other, Token: token})
		if scene.Unseen(id, stimulus, err, exam, flow) {
			return
		}
		wrong := refused(flow)
		looked, err := scene.Look(ctx, exam, "the exam's page afterwards")
		if err != nil && !NoJourney(err) && scene.Unseen(id, stimulus, err, exam, flow) {
			return
		}
		if looked != nil && !Started(looked) {
			wrong = "the exam no longer goes on: " + looked.End()
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, flow, looked)
		judgeAdaptedControl(ctx, scene, id, "acs-address-adapted")
	})
})

// mayBeTaken are the stimuli whose access token a platform may take, or has to.
var mayBeTaken = []string{"acs-token-in-query", "token-in-query", "token-scheme-lower-case", "two-authorization-headers"}

// longReason is a reason of 2 kB, and withEverything the update that has one.
var longReason = strings.Repeat("Eine zweite Person ist im Raum – 部屋にもう一人。", 35)

const withEverything = "update-with-everything"

// JudgeControlTokens judges a requirement by requests to the control service without
// the right token, and returns the exam that they were about; nil where there was none.
func JudgeControlTokens(ctx SpecContext, scene *Scenario, id requirements.ID) *harness.PlatformFlow {
	exam, err := scene.Running(ctx, "", nil)
	if AllUnseen(scene, id, err, exam) {
		return nil
	}
	for _, stimulus := range CasesOf(id) {
		wrong := services.WithoutToken
		call := Call{Title: stimulus, Action: lti.Terminate}
		if mild, ok := Harmless(exam); ok && (!OffersAction(exam, lti.Terminate) || slices.Contains(mayBeTaken, stimulus)) {
			call.Action, call.ExtraTime = mild.Action, mild.ExtraTime // a platform may take a token from there
		}
		switch stimulus {
		case "acs-expired-token", "token-expired":
			token, lives, err := scene.Fresh(ctx, lti.ScopeControl)
			if err == nil {
				err = scene.Pass(ctx, lives+services.Leeway)
			}
			var next *harness.PlatformFlow
			if err == nil { // the time of the exam may be up as well
				next, err = scene.Running(ctx, "", nil)
			}
			if scene.Unseen(id, stimulus, err, exam, next) {
				continue
			}
			exam, call.Token = next, token
		case "acs-garbage-token", "token-random":
			call.Token = lti.RandomString()
		case "acs-other-scope", "token-of-other-scope":
			wrong = services.OfOtherScope
			flow, token, err := scene.Grant(ctx, "an access token for a scope of another service", faketool.TokenProbe{Scopes: []string{lti.ScopeScore}})
			if scene.Unseen(id, stimulus, err, exam, flow) {
				continue
			}
			if token.AccessToken == "" {
				scene.Observe(id, stimulus, results.Skipped, "", "The platform grants no token for the scope of another service alone.", flow)
				continue
			}
			call.Token = token.AccessToken
		default:
			fault, _ := faketool.FaultNamed(stimulus)
			call.Fault = &fault
		}
		flow, err := scene.Act(ctx, exam, call)
		if !scene.Unseen(id, stimulus, err, exam, flow) && !services.AnswersToken(scene.PlatformScenario, id, stimulus, flow, exam) {
			wrong.Observe(scene.PlatformScenario, id, stimulus, flow, exam)
		}
	}
	return exam
}

// judgeResponse holds the form of an answer against Proctoring Services 1.0, 5.
func judgeResponse(scene *Scenario, id requirements.ID, exam, flow *harness.PlatformFlow) {
	content, _, _ := mime.ParseMediaType(flow.Exchange.ContentType)
	var members map[string]any
	err := json.Unmarshal(flow.Exchange.Body, &members)
	status, _ := members["status"].(string)
	extra, has := members["extra_time"]
	n, isNumber := extra.(float64)
	switch {
	case err != nil:
		scene.Observe(id, "", results.Failed, "", "The answer is not a JSON object.", exam, flow)
	case !slices.Contains(lti.Statuses, lti.Status(status)):
		scene.Observe(id, "", results.Failed, "", fmt.Sprintf("status is %s.", lti.Wire(members["status"])), exam, flow)
	case has && (!isNumber || n != float64(int(n))):
		scene.Observe(id, "", results.Failed, "", fmt.Sprintf("extra_time is %s.", lti.Wire(extra)), exam, flow)
	case content == "application/json":
		scene.Observe(id, "", results.Warned, "", "The Content-Type is application/json.", exam, flow)
	default:
		scene.Check(id, "", content == lti.MediaTypeControl, "", fmt.Sprintf("The Content-Type is %q.", results.Bounded(flow.Exchange.ContentType, 200)), exam, flow)
	}
}

// actWithFaults makes a control request with each fault of the fake tool that provokes a
// requirement, in one exam, which survives them, and lets each answer be judged.
func actWithFaults(ctx SpecContext, scene *Scenario, id requirements.ID, judge func(fault string, exam, flow *harness.PlatformFlow)) {
	exam, err := scene.Running(ctx, "", nil)
	for _, fault := range faketool.FaultsFor(string(id)) {
		if scene.Unseen(id, fault.Name, err, exam) {
			continue
		}
		call, ok := Harmless(exam)
		if !ok {
			scene.Observe(id, fault.Name, results.Skipped, "", "The platform offers no action that the attempt survives.", exam)
			continue
		}
		call.Title, call.Fault = fault.Does, &fault
		flow, err := scene.Act(ctx, exam, call)
		if !scene.Unseen(id, fault.Name, err, exam, flow) {
			judge(fault.Name, exam, flow)
		}
	}
}

var _ = Describe("A platform's control service", func() {
	// Each fault of the fake tool is one request that has to be refused.
	reject := func(ctx SpecContext, id requirements.ID) {
		scene := In(PlatformScene())
		exam, err := scene.Running(ctx, "", nil)
		for _, fault := range faketool.FaultsFor(string(id)) {
			if scene.Unseen(id, fault.Name, err, exam) {
				continue
			}
			call, ok := Harmless(exam)
			if strings.HasPrefix(fault.Name, "extra-time") {
				call, ok = Call{Action: lti.Update, ExtraTime: new(5)}, OffersAction(exam, lti.Update)
			}
			if !ok {
				scene.Observe(id, fault.Name, results.Skipped, "", "The platform does not offer the action.", exam)
				continue
			}
			call.Title, call.Fault = fault.Does, &fault
			flow, err := scene.Act(ctx, exam, call)
			if !scene.Unseen(id, fault.Name, err, exam, flow) {
				services.Malformed.Observe(scene.PlatformScenario, id, fault.Name, flow, exam)
			}
		}
	}
	DescribeTable("refuses", reject, Entry("bodies that are not what it expects", For("ap-acs-platform-validates-body"), requirements.ID("ap-acs-platform-validates-body")))

	It("takes the time of an incident in any form", For("ap-acs-platform-incident-time"), func(ctx SpecContext) {
		const id = "ap-acs-platform-incident-time"
		scene := In(PlatformScene())
		actWithFaults(ctx, scene, id, func(fault string, exam, flow *harness.PlatformFlow) {
			scene.Check(id, fault, flow.Exchange.Status == http.StatusOK, "", fmt.Sprintf("HTTP %d.", flow.Exchange.Status), exam, flow)
		})
	})

	It("takes the media type in any form, and no other", For("ap-acs-platform-accepts-media-type"), func(ctx SpecContext) {
		const id = "ap-acs-platform-accepts-media-type"
		scene := In(PlatformScene())
		actWithFaults(ctx, scene, id, func(fault string, exam, flow *harness.PlatformFlow) {
			switch ok := flow.Exchange.Status == http.StatusOK; {
			case fault == "media-type-text", fault == "media-type-json" && !ok:
				services.OfOtherType.Observe(scene.PlatformScenario, id, fault, flow, exam)
			case fault == "acs-by-get", fault == "acs-by-put":
				services.ByOtherMethod.Observe(scene.PlatformScenario, id, fault, flow, exam)
			default:
				scene.Check(id, fault, ok, "", services.AnsweredWith(flow), exam, flow)
			}
		})
	})

	It("knows only its own candidates", For("ap-acs-platform-unknown-target"), func(ctx SpecContext) {
		const id = "ap-acs-platform-unknown-target"
		scene := In(PlatformScene())
		exam, err := scene.Running(ctx, "", nil)
		judge := func(stimulus string, exam *harness.PlatformFlow, change func(*lti.ControlRequest), statuses ...lti.Status) {
			call, ok := Harmless(exam)
			if !ok {
				scene.Observe(id, stimulus, results.Skipped, "", "The platform offers no action that the attempt survives.", exam)
				return
			}
			call.Title, call.Change = stimulus, change
			flow, err := scene.Act(ctx, exam, call)
			if !scene.Unseen(id, stimulus, err, exam, flow) {
				wrong := refused(flow, statuses...)
				scene.Check(id, stimulus, wrong == "", "", Seen(wrong), exam, flow)
			}
		}
		for stimulus, change := range map[string]func(*lti.ControlRequest){
			"target-sub-unknown":  func(r *lti.ControlRequest) { r.User.Sub = "nobody-" + lti.RandomString() },
			"target-iss-other":    func(r *lti.ControlRequest) { r.User.Issuer = "https://platform.other.example" },
			"target-link-unknown": func(r *lti.ControlRequest) { r.ResourceLink.ID = lti.RandomString() },
			"target-attempt-99":   func(r *lti.ControlRequest) { r.AttemptNumber += 99 },
		} {
			if !scene.Unseen(id, stimulus, err, exam) {
				judge(stimulus, exam, change)
			}
		}
		if !scene.Unseen(id, "target-submitted", err, exam) {
			_, err := scene.End(ctx, exam, Ending{Silent: true})
			if !scene.Unseen(id, "target-submitted", err, exam) {
				judge("target-submitted", exam, nil, lti.Complete)
			}
		}
		waiting, err := scene.Exam(ctx, harness.PlatformLaunch{})
		if !scene.Unseen(id, "target-not-started", err, waiting) {
			judge("target-not-started", waiting, nil, lti.None)
		}
		// Somebody who takes no exams, or at least not this one.
		stranger, err := scene.LinkLaunch(ctx, harness.PlatformLaunch{Title: "a launch of the instructor", User: config.Instructor})
		if !scene.Unseen(id, "target-sub-without-attempt", err, stranger) && waiting != nil {
			sub, _ := stranger.Message().Text("sub")
			judge("target-sub-without-attempt", waiting, func(r *lti.ControlRequest) { r.User.Sub = sub })
		}
	})
})

// judgeAdaptedControl judges whether another tool can control an exam by an address that
// it has made of the exam's.
func judgeAdaptedControl(ctx SpecContext, scene *Scenario, id requirements.ID, stimulus string) {
	exam, err := scene.Running(ctx, "", nil)
	if scene.Unseen(id, stimulus, err, exam) {
		return
	}
	other, token, err := scene.OtherTool(ctx, lti.ScopeControl)
	if scene.Unseen(id, stimulus, err, exam) {
		return
	}
	address, _ := exam.Message().Object(lti.ClaimACS)["assessment_control_url"].(string)
	addresses := services.Adapted(address, scene.Run().Platform().OtherClientID)
	for _, how := range slices.Sorted(maps.Keys(addresses)) {
		flow, err := scene.Act(ctx, exam, Call{Title: "another tool's request, the address " + how, Action: lti.Terminate, Tool: other, Token: token, URL: addresses[how]})
		if scene.Unseen(id, stimulus, err, exam, flow) {
			return
		}
		if flow.Succeeded() && flow.Said()["status"] == string(lti.Terminated) {
			scene.Observe(id, stimulus, results.Failed, "", "Another tool could end the exam: the address "+how+".", exam, flow)
			return
		}
	}
	looked, err := scene.Look(ctx, exam, "the exam's page afterwards")
	switch {
	case NoJourney(err):
		scene.Observe(id, stimulus, results.Passed, "", "No answer says that the exam is terminated.", exam)
	case !scene.Unseen(id, stimulus, err, exam, looked):
		scene.Check(id, stimulus, Started(looked), "", looked.End()+".", exam, looked)
	}
}
