package platform

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
)

var _ = Describe("A platform, launching its links,", func() {
	It("gives a link one id, and another link another", For("core-resource-link-id-stable-unique"), func(ctx SpecContext) {
		const id = "core-resource-link-id-stable-unique"
		scene := PlatformScene()
		flows := launches(ctx, scene, id, "", harness.PlatformLaunch{Title: "the learner's launch"}, harness.PlatformLaunch{Title: "the second learner's launch", User: config.SecondLearner})
		if flows == nil {
			return
		}
		scene.Check(id, "", same(messages.LinkOf(flows[0]), messages.LinkOf(flows[1])), "one id for one link", fmt.Sprintf("The link's id is %s and %s.", lti.Wire(messages.LinkOf(flows[0])), lti.Wire(messages.LinkOf(flows[1]))), flows...)
		other, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the learner's launch of another link", Link: config.OtherLink})
		if !scene.Unseen(id, "", err, other) {
			scene.Check(id, "", !same(messages.LinkOf(flows[0]), messages.LinkOf(other)), "another id for another link", fmt.Sprintf("The links' ids are %s and %s.", lti.Wire(messages.LinkOf(flows[0])), lti.Wire(messages.LinkOf(other))), flows[0], other)
		}
	})

	It("gives a copy of a link an id of its own", For("core-resource-link-id-changes-on-copy"), func(ctx SpecContext) {
		const id = "core-resource-link-id-changes-on-copy"
		scene := PlatformScene()
		original := usualLaunch(ctx, scene, id)
		if original == nil {
			return
		}
		// Where no journey copies the course there is a copy already.
		if err := scene.CopyCourse(ctx); !NoJourney(err) && scene.Unseen(id, "", err, original) {
			return
		}
		copied, err := scene.Control(ctx, harness.PlatformLaunch{Title: "launch of the copied link", Link: config.CopiedLink})
		if !scene.Unseen(id, "", err, copied) {
			scene.Check(id, "", !same(messages.LinkOf(copied), messages.LinkOf(original)), "", fmt.Sprintf("The link's id is %s, and that of its copy %s.", lti.Wire(messages.LinkOf(original)), lti.Wire(messages.LinkOf(copied))), original, copied)
		}
	})

	It("gives each deployment an id of its own", For("core-deployment-id-unique"), func(ctx SpecContext) {
		const id = "core-deployment-id-unique"
		scene := PlatformScene()
		flows := launches(ctx, scene, id, "", harness.PlatformLaunch{Title: "a launch"}, harness.PlatformLaunch{Title: "a launch of another deployment", Link: config.OtherDeployment})
		if flows == nil {
			return
		}
		first, other := flows[0].Message().Claims[lti.ClaimDeploymentID], flows[1].Message().Claims[lti.ClaimDeploymentID]
		scene.Check(id, "", !same(first, other), "", fmt.Sprintf("The deployments' ids are %s and %s.", lti.Wire(first), lti.Wire(other)), flows...)
	})

	It("keeps the deployment's id", For("core-deployment-id-claim"), func(ctx SpecContext) {
		const id = "core-deployment-id-claim"
		scene := PlatformScene()
		flows := launches(ctx, scene, id, "", harness.PlatformLaunch{Title: "a launch"}, harness.PlatformLaunch{Title: "another launch"})
		if flows != nil {
			scene.Check(id, "", len(textsOf(flows, lti.ClaimDeploymentID)) == 1, "the same deployment_id in every launch",
				fmt.Sprintf("deployment_id is %s.", strings.Join(textsOf(flows, lti.ClaimDeploymentID), ", ")), flows...)
		}
	})

	It("describes the course", For("core-context-claim"), func(ctx SpecContext) {
		const id = "core-context-claim"
		scene := PlatformScene()
		flows := having(scene, id, config.ContextClaim, lti.ClaimContext, possible(ctx, scene, id, "", harness.PlatformLaunch{Title: "a launch"},
			harness.PlatformLaunch{Title: "another launch"}, harness.PlatformLaunch{Title: "a launch of the second learner", User: config.SecondLearner})...)
		if len(flows) == 0 {
			return
		}
		for _, flow := range flows {
			scene.Check(id, "", wrongContext(flow.Message()) == "", "", Seen(wrongContext(flow.Message())), flow)
		}
		ids := each(flows, contextOf)
		scene.Check(id, "", len(ids) == 1, "one id for one course", fmt.Sprintf("The course's id is %s.", strings.Join(ids, " and ")), flows...)
		other, err := scene.Control(ctx, harness.PlatformLaunch{Title: "a launch in another course", Link: config.OtherCourse})
		if NoJourney(err) && scene.Skip(id, "", config.ContextClaim) || scene.Unseen(id, "", err, other) {
			return
		}
		scene.Check(id, "", !same(contextOf(flows[0]), contextOf(other)), "another id for another course",
			fmt.Sprintf("The courses' ids are %s and %s.", lti.Wire(contextOf(flows[0])), lti.Wire(contextOf(other))), flows[0], other)
	})

	It("names itself, always in the same way", For("core-tool-platform-guid"), func(ctx SpecContext) {
		const id = "core-tool-platform-guid"
		scene := PlatformScene()
		flows := having(scene, id, config.ToolPlatformClaim, lti.ClaimToolPlatform, possible(ctx, scene, id, "", harness.PlatformLaunch{Title: "a launch"},
			harness.PlatformLaunch{Title: "another launch"}, harness.PlatformLaunch{Title: "a launch of the second learner", User: config.SecondLearner})...)
		if len(flows) == 0 {
			return
		}
		guid := func(f *harness.PlatformFlow) any { return f.Message().Object(lti.ClaimToolPlatform)["guid"] }
		wrong := messages.WrongIdentifier(guid(flows[0]), "guid")
		scene.Check(id, "", wrong == "", "", Seen(wrong), flows[0])
		guids := each(flows, guid)
		scene.Check(id, "", len(guids) == 1, "one guid", fmt.Sprintf("guid is %s.", strings.Join(guids, " and ")), flows...)
	})

	It("tells how the launch is shown", For("core-launch-presentation"), InBrowser, func(ctx SpecContext) {
		const id = "core-launch-presentation"
		scene := PlatformScene()
		flows := possible(ctx, scene, id, "", harness.PlatformLaunch{Title: "a launch"},
			harness.PlatformLaunch{Title: "a launch in a frame", Link: config.InFrame}, harness.PlatformLaunch{Title: "a launch in a window", Link: config.InWindow})
		for _, flow := range having(scene, id, config.LaunchPresentation, lti.ClaimLaunchPresentation, flows...) {
			wrong := wrongPresentation(scene, flow)
			scene.Check(id, "", wrong == "", "", Seen(wrong), flow)
		}
	})

	It("sends custom parameters as texts", For("core-custom-values-are-strings", "core-custom-variable-unsupported-unresolved"), func(ctx SpecContext) {
		const strings_, unresolved = "core-custom-values-are-strings", "core-custom-variable-unsupported-unresolved"
		scene := PlatformScene()
		launch := harness.PlatformLaunch{Title: "a launch with custom parameters", Link: config.Custom}
		declared := scene.Undeclared(unresolved) == ""
		if !declared {
			scene.SkipAll(unresolved)
			launch = harness.PlatformLaunch{Title: "a launch"}
		}
		flow, err := scene.Control(ctx, launch)
		if scene.Unseen(strings_, "", err, flow) {
			if declared {
				scene.Unseen(unresolved, "", err, flow)
			}
			return
		}
		for _, flow := range having(scene, strings_, config.CustomParameters, lti.ClaimCustom, flow) {
			wrong := wrongCustom(flow.Message())
			scene.Check(strings_, "", wrong == "", "", Seen(wrong), flow)
		}
		custom := flow.Message().Object(lti.ClaimCustom)
		switch {
		case !declared:
		case len(custom) == 0:
			scene.Observe(unresolved, "", results.Inconclusive, "", "The launch has no custom parameters.", flow)
		default:
			scene.Check(unresolved, "", custom["x"] == Unsupported, "", fmt.Sprintf("The parameter x is %s.", lti.Wire(custom["x"])), flow)
		}
	})

	It("replaces variables", For("core-custom-variable-substitution"), func(ctx SpecContext) {
		const id = "core-custom-variable-substitution"
		scene := PlatformScene()
		for _, flow := range launches(ctx, scene, id, "", harness.PlatformLaunch{Title: "a launch with custom parameters", Link: config.Custom}) {
			custom, context := flow.Message().Object(lti.ClaimCustom), flow.Message().Object(lti.ClaimContext)
			var wrong []string
			for _, variable := range []struct {
				parameter, name string
				want            any
			}{
				{"a", "$ResourceLink.id", messages.LinkOf(flow)}, {"b", "$Context.id", context["id"]}, {"c", "$User.id", flow.Message().Claims["sub"]},
				{"d", "$Context.title", context["title"]},
			} {
				want, isText := variable.want.(string)
				if !isText {
					continue // without the claim there is nothing to compare with
				}
				// Which others than the first three a platform supports is its own matter.
				got := custom[variable.parameter]
				if got != want && (variable.name != "$Context.title" || got != variable.name) {
					wrong = append(wrong, fmt.Sprintf("%s is %s instead of %q", variable.name, lti.Wire(got), want))
				}
			}
			scene.Check(id, "", len(wrong) == 0, "", Seen(strings.Join(wrong, "; ")), flow)
		}
	})
})

// Unsupported is a variable that no platform supports: the custom parameter x of
// the link that the journey custom opens.
const Unsupported = "$com.example.Nonexistent.var"

// contextOf is the id of the launch's course.
func contextOf(f *harness.PlatformFlow) any { return f.Message().Object(lti.ClaimContext)["id"] }

// each are the different values that launches have of something.
func each(flows []*harness.PlatformFlow, of func(*harness.PlatformFlow) any) []string {
	var values []string
	for _, f := range flows {
		if value := lti.Wire(of(f)); !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}

// wrongCustom says what is wrong with the claim (LTI Core 1.3, 5.4.6).
func wrongCustom(m harness.Message) string {
	custom, ok := m.Claims[lti.ClaimCustom].(map[string]any)
	if !ok {
		return "custom is not an object"
	}
	var wrong []string
	for name, value := range custom {
		if _, ok := value.(string); !ok {
			text := "null" // it is there
			if value != nil {
				text = lti.Wire(value)
			}
			wrong = append(wrong, fmt.Sprintf("%s is %s", name, text))
		}
	}
	slices.Sort(wrong)
	return strings.Join(wrong, "; ")
}

// contextTypes are those of LTI Core 1.3, A.1, with their deprecated short names.
var contextTypes = []string{"CourseTemplate", "CourseOffering", "CourseSection", "Group"}

// wrongContext says what is wrong with the claim (LTI Core 1.3, 5.4.1).
func wrongContext(m harness.Message) string {
	context, ok := m.Claims[lti.ClaimContext].(map[string]any)
	if !ok {
		return "context is not an object"
	}
	if wrong := messages.WrongIdentifier(context["id"], "context.id"); wrong != "" {
		return wrong
	}
	types, there := context["type"]
	if !there {
		return ""
	}
	members, ok := types.([]any)
	for _, member := range members {
		name, _ := member.(string)
		name = strings.TrimPrefix(name, "http://purl.imsglobal.org/vocab/lis/v2/course#")
		if ok && slices.Contains(contextTypes, name) {
			return ""
		}
	}
	return fmt.Sprintf("context.type is %s, without a value of the vocabulary", lti.Wire(types))
}

// wrongPresentation says what is wrong with the claim (LTI Core 1.3, 5.4.4).
func wrongPresentation(scene *harness.PlatformScenario, f *harness.PlatformFlow) string {
	claim, there := f.Message().Claims[lti.ClaimLaunchPresentation]
	if !there {
		return ""
	}
	presentation, ok := claim.(map[string]any)
	if !ok {
		return "launch_presentation is not an object"
	}
	var wrong []string
	if target, there := presentation["document_target"]; there {
		shown := []any{"window", "frame"}
		if f.InFrame() {
			shown = []any{"iframe", "frame"}
		}
		switch {
		case !slices.Contains([]any{"frame", "iframe", "window"}, target):
			wrong = append(wrong, fmt.Sprintf("document_target is %s", lti.Wire(target)))
		case scene.Run().Agent().Kind == "browser" && !slices.Contains(shown, target):
			wrong = append(wrong, fmt.Sprintf("document_target is %s, and the launch is shown otherwise", lti.Wire(target)))
		}
	}
	for _, name := range []string{"height", "width"} {
		value, there := presentation[name]
		if _, number := value.(float64); there && !number {
			wrong = append(wrong, fmt.Sprintf("%s is %s instead of a number", name, lti.Wire(value)))
		}
	}
	if address, there := presentation["return_url"]; there {
		text, _ := address.(string)
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || scene.Run().Has(config.TLS)) {
			wrong = append(wrong, fmt.Sprintf("return_url is %s", lti.Wire(address)))
		}
	}
	return strings.Join(wrong, "; ")
}
