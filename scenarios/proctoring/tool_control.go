package proctoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

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

// controlChecks are what every control request of a tool is held against.
var controlChecks = []struct {
	id    requirements.ID
	wrong func(*harness.Run, *harness.Flow, proctoring.Control) string
}{
	{"ap-acs-tool-request-form", func(_ *harness.Run, f *harness.Flow, c proctoring.Control) string { return wrongControl(f, c) }},
	{"ap-acs-tool-request-body", wrongTarget},
	{"ap-acs-tool-incident-time", func(_ *harness.Run, _ *harness.Flow, c proctoring.Control) string { return wrongIncidentTime(c) }},
	{"ap-acs-tool-severity-and-extra-time", func(_ *harness.Run, _ *harness.Flow, c proctoring.Control) string { return wrongNumbers(c) }},
}

func controlled() []requirements.ID {
	ids := []requirements.ID{"sec-tool-token-request"}
	for _, c := range controlChecks {
		ids = append(ids, c.id)
	}
	return ids
}

var _ = Describe("A proctoring tool's control of the assessment", func() {
	It("is what the specification says, whatever the proctor does", For(controlled()...), func(ctx SpecContext) {
		scene := ProctoringScene()
		run := scene.Run()
		if scene.Skip("sec-tool-token-request", "", config.ACS) { // tools that send grades ask for tokens as well
			for _, c := range controlChecks {
				scene.SkipAll(c.id)
			}
			return
		}
		asked := len(run.Platform().TokenRequests())
		var flows []*harness.Flow
		for _, deed := range run.Actions() {
			exam := started(ctx, scene, "ap-acs-tool-request-form", "")
			if exam == nil {
				return
			}
			if deed == config.Resume && !paused(ctx, scene, exam) {
				continue
			}
			flow, err := scene.Act(ctx, deed, exam)
			if flow != nil {
				flows = append(flows, flow)
			}
			for _, c := range controlChecks {
				switch {
				case scene.Unseen(c.id, "", err, exam, flow):
				case len(flow.Controls()) == 0:
					scene.Observe(c.id, "", results.Inconclusive, "", fmt.Sprintf("No control request came for %s: %s.", deed, flow.End()), exam, flow)
				default:
					wrong := c.wrong(run, exam, flow.Controls()[0])
					scene.Check(c.id, "", wrong == "", "", fmt.Sprintf("%s: %s", deed, Seen(wrong)), exam, flow)
				}
			}
		}
		requests := run.Platform().TokenRequests()
		if asked == len(requests) && len(requests) > 0 { // a token that still held
			asked--
		}
		if asked == len(requests) {
			scene.Observe("sec-tool-token-request", "", results.Inconclusive, "", "The tool asked for no access token.", flows...)
		}
		for _, request := range requests[asked:] {
			scene.Check("sec-tool-token-request", "", len(request.FormProblems) == 0, "", Seen(strings.Join(request.FormProblems, "; ")), flows...)
		}
	})

	// Each is one exam whose proctor acts once.
	DescribeTable("is kept", func(ctx SpecContext, id requirements.ID, judge func(*harness.Flow, *harness.Flow) string) {
		scene := ProctoringScene()
		deed, ok := AnyAction(scene)
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			if !ok {
				scene.Observe(id, f.Name, results.Skipped, "", "No journey of a proctor is configured.")
				continue
			}
			exam, flow, err := Acted(ctx, scene, deed, &f)
			if scene.Unseen(id, f.Name, err, exam, flow) || NotStarted(scene, id, f.Name, exam) {
				continue
			}
			wrong := judge(exam, flow)
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), exam, flow)
		}
	},
		Entry("at its address and within its rights", For("ap-acs-tool-request-form"), requirements.ID("ap-acs-tool-request-form"), func(exam, flow *harness.Flow) string {
			switch {
			case flow.Trip.Page.Status >= http.StatusInternalServerError:
				return "the proctor sees a server error: " + flow.End()
			case exam.Fault() == "no-scope-granted" && len(flow.Controls()) > maxRefused:
				return fmt.Sprintf("%d control requests came without the scope for them", len(flow.Controls()))
			case exam.Fault() == "no-scope-granted":
				return ""
			case len(flow.Controls()) == 0:
				return "no control request came: " + flow.End()
			}
			return wrongControl(exam, flow.Controls()[0])
		}),
		Entry("to the candidate and the assessment of the launch", For("ap-acs-tool-request-body"), requirements.ID("ap-acs-tool-request-body"), func(exam, flow *harness.Flow) string {
			if len(flow.Controls()) == 0 {
				return "no control request came: " + flow.End()
			}
			return wrongIDs(exam, flow.Controls()[0])
		}),
	)

	It("is within what the platform offers", For("ap-acs-tool-respects-actions"), func(ctx SpecContext) {
		const id = "ap-acs-tool-respects-actions"
		scene := ProctoringScene()
		works := map[config.Deed]bool{}
		for _, deed := range scene.Run().Actions() {
			exam := started(ctx, scene, id, "only-terminate-offered")
			if exam == nil {
				return
			}
			if deed == config.Resume && !paused(ctx, scene, exam) {
				continue
			}
			flow, err := scene.Act(ctx, deed, exam)
			works[deed] = err == nil && len(flow.Controls()) > 0
		}
		for stimulus, offered := range map[string][]lti.Action{"only-terminate-offered": {lti.Terminate}, "acs-claim-absent": {}} {
			for _, deed := range scene.Run().Actions() {
				if slices.Contains(offered, lti.Action(deed)) {
					continue
				}
				if !works[deed] {
					scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("The proctor's journey for %s sends nothing where it is offered, either.", deed))
					continue
				}
				browser := scene.Open(ctx)
				exam, err := scene.Launch(ctx, harness.Launch{Title: stimulus, By: browser, Exam: &proctoring.Exam{Actions: offered}})
				if scene.Unseen(id, stimulus, err, exam) || NotStarted(scene, id, stimulus, exam) {
					browser.Close()
					continue
				}
				flow, err := scene.Act(ctx, deed, exam)
				browser.Close()
				if _, stuck := errors.AsType[*harness.JourneyError](err); (!stuck || flow == nil) && scene.Unseen(id, stimulus, err, exam, flow) {
					continue
				}
				scene.Check(id, stimulus, len(flow.Controls()) == 0, "", fmt.Sprintf("%d control requests came for %s, which the platform had not offered.", len(flow.Controls()), deed), exam, flow)
			}
		}
	})

	It("copes with every answer", For("ap-acs-tool-handles-answers"), func(ctx SpecContext) {
		const id = "ap-acs-tool-handles-answers"
		scene := ProctoringScene()
		deed, ok := AnyAction(scene)
		for _, f := range fakeplatform.FaultsFor(id) {
			if !ok {
				scene.Observe(id, f.Name, results.Skipped, "", "No journey of a proctor is configured.")
				continue
			}
			exam, flow, err := Acted(ctx, scene, deed, &f)
			if scene.Unseen(id, f.Name, err, exam, flow) || NotStarted(scene, id, f.Name, exam) {
				continue
			}
			wrong := ""
			switch n := len(flow.AllControls()); {
			case pages.Crashed(flow):
				wrong = "the proctor sees no page, or a server error: " + flow.End()
			case n == 0:
				wrong = "no control request came: " + flow.End()
			case f.Name == "answer-401-once" && (n != 2 || flow.AllControls()[1].Token == flow.AllControls()[0].Token):
				wrong = fmt.Sprintf("%d control requests came, not one more with a new token", n)
			case f.Name != "answer-401-once" && n > maxRefused:
				wrong = fmt.Sprintf("%d control requests came for one action", n)
			}
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), exam, flow)
		}
	})
})

// maxRefused is how many requests a tool may send for one action of the proctor.
const maxRefused = 3

// AnyAction returns something that the proctor can do and that does no harm to
// the attempt, if possible.
func AnyAction(scene *harness.Scenario) (config.Deed, bool) {
	actions := scene.Run().Actions()
	for _, deed := range []config.Deed{config.Flag, config.Update, config.Pause, config.Resume, config.Terminate} {
		if slices.Contains(actions, deed) {
			return deed, true
		}
	}
	return "", false
}

// Acted is an exam with a fault, and what came of its proctor's action.
func Acted(ctx SpecContext, scene *harness.Scenario, deed config.Deed, fault *fakeplatform.Fault) (exam, flow *harness.Flow, err error) {
	browser := scene.Open(ctx)
	defer browser.Close()
	exam, err = scene.Launch(ctx, harness.Launch{Title: fault.Name + ": " + fault.Does, By: browser, Fault: fault, Exam: &proctoring.Exam{}})
	if err != nil || len(exam.Started()) == 0 {
		return exam, nil, err
	}
	flow, err = scene.Act(ctx, deed, exam)
	if _, stuck := errors.AsType[*harness.JourneyError](err); stuck && flow != nil && flow.Trip.Page.Status != 0 && len(flow.Controls()) > 0 {
		err = nil // the proctor was told of the failure in other words than of success
	}
	return exam, flow, err
}

// paused lets the proctor pause an exam, and says whether it is.
func paused(ctx SpecContext, scene *harness.Scenario, exam *harness.Flow) bool {
	if !slices.Contains(scene.Run().Actions(), config.Pause) {
		return false
	}
	flow, err := scene.Act(ctx, config.Pause, exam)
	return err == nil && len(flow.Controls()) > 0
}

// body returns the members of a control request.
func body(c proctoring.Control) map[string]any {
	var members map[string]any
	_ = json.Unmarshal(c.Body, &members) // no members where it is no object
	return members
}

// wrongControl holds the form of a control request against the launch that offered it.
func wrongControl(exam *harness.Flow, c proctoring.Control) string {
	offered, _ := exam.Sent().Object(lti.ClaimACS)["assessment_control_url"].(string)
	content, _, _ := mime.ParseMediaType(c.ContentType)
	switch {
	case c.Method != http.MethodPost:
		return "the control request came by " + c.Method
	case !sameTarget(targetOf(offered), c.Target):
		return fmt.Sprintf("the control request went to %s instead of %s", results.Bounded(c.Target, 300), offered)
	case content != lti.MediaTypeControl:
		return fmt.Sprintf("the Content-Type is %q", results.Bounded(c.ContentType, 200))
	case !c.Authorized:
		return "the control request had no token for control.all in its Authorization header that this run's platform has issued; a tool that keeps tokens may have one of an earlier run"
	}
	return ""
}

// wrongTarget says what is wrong with what a control request is about.
func wrongTarget(r *harness.Run, exam *harness.Flow, c proctoring.Control) string {
	members := body(c)
	if members == nil {
		return "the body is not a JSON object"
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] == nil {
			return name + " is null"
		}
		object, _ := members[name].(map[string]any)
		for _, member := range slices.Sorted(maps.Keys(object)) {
			if object[member] == nil {
				return name + "." + member + " is null"
			}
		}
	}
	user, _ := members["user"].(map[string]any)
	if user["iss"] != any(r.Platform().Issuer()) {
		return fmt.Sprintf("user.iss is %s instead of the issuer %q", lti.Wire(user["iss"]), r.Platform().Issuer())
	}
	if wrong := wrongIDs(exam, c); wrong != "" {
		return wrong
	}
	sent := exam.Sent().Claims[lti.ClaimAttemptNumber]
	action, _ := members["action"].(string)
	switch {
	case !reflect.DeepEqual(members["attempt_number"], sent):
		return fmt.Sprintf("attempt_number is %s instead of %s", lti.Wire(members["attempt_number"]), lti.Wire(sent))
	case !slices.Contains(lti.Actions, lti.Action(action)):
		return fmt.Sprintf("action is %s", lti.Wire(members["action"]))
	case members["incident_time"] == nil:
		return "incident_time is missing"
	}
	return ""
}

// wrongIDs compares the candidate and the assessment with those of the launch.
func wrongIDs(exam *harness.Flow, c proctoring.Control) string {
	members := body(c)
	user, _ := members["user"].(map[string]any)
	link, _ := members["resource_link"].(map[string]any)
	if sub := exam.Sent().Claims["sub"]; !reflect.DeepEqual(user["sub"], sub) {
		return fmt.Sprintf("user.sub is %s instead of %s", lti.Wire(user["sub"]), lti.Wire(sub))
	}
	if id := exam.Sent().Object(lti.ClaimResourceLink)["id"]; !reflect.DeepEqual(link["id"], id) {
		return fmt.Sprintf("resource_link.id is %s instead of %s", lti.Wire(link["id"]), lti.Wire(id))
	}
	return ""
}

// incidentSkew is how far an incident may be from the request that tells of it.
const incidentSkew = 5 * time.Minute

func wrongIncidentTime(c proctoring.Control) string {
	text, _ := body(c)["incident_time"].(string)
	at, ok := lti.Instant(text)
	switch {
	case !ok:
		return fmt.Sprintf("incident_time, %s, is not an ISO 8601 date-time with a zone", lti.Wire(body(c)["incident_time"]))
	case at.Sub(c.At).Abs() > incidentSkew:
		return fmt.Sprintf("incident_time, %s, is %.0f seconds away from the request", text, at.Sub(c.At).Abs().Seconds())
	}
	return ""
}

func wrongNumbers(c proctoring.Control) string {
	members := body(c)
	severity, told := members["incident_severity"]
	if n, ok := severity.(float64); told && (!ok || n < 0 || n > 1) {
		return fmt.Sprintf("incident_severity is %s", lti.Wire(severity))
	}
	extra, told := members["extra_time"]
	if n, ok := extra.(float64); told && (!ok || n < 0 || n != math.Trunc(n)) {
		return fmt.Sprintf("extra_time is %s", lti.Wire(extra))
	}
	if members["action"] == string(lti.Update) && !told {
		return "update has no extra_time"
	}
	return ""
}
