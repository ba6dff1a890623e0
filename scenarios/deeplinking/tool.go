package deeplinking

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/deeplinking"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// everything is a request that takes all that there is.
var everything = deeplinking.Request{Types: lti.ItemTypes, Multiple: true, LineItems: true}

// A choice is what came of a launch in which a teacher was to choose content.
type choice struct {
	flow      *harness.Flow
	settings  map[string]any // that the request has sent
	responses []deeplinking.Response
}

// chooseIn launches a teacher of a course that no tool has seen, who chooses content.
func chooseIn(ctx context.Context, scene *harness.Scenario, l harness.Launch) (choice, error) {
	var c choice
	if err := scene.Run().MayTry(profile); err != nil {
		return c, err
	}
	mark := lti.RandomString()[:8]
	l.User, l.Does = harness.Newcomer(harness.Teacher), config.ChooseContent
	l.Plan = func(p *fakeplatform.Plan) {
		p.Message, p.About = lti.DeepLinkingRequest, everything
		p.Context = fakeplatform.Context{ID: "course-" + mark, Label: "AN-" + mark, Title: "Analytical Engines"}
		p.ResourceLink = fakeplatform.ResourceLink{}
	}
	if l.Title == "" {
		l.Title = l.Fault.Name + ": " + l.Fault.Does
	}
	var err error
	if c.flow, err = scene.Launch(ctx, l); err != nil {
		return c, err
	}
	if !c.flow.Answered() {
		return c, fmt.Errorf("%w: %s", harness.ErrNoLogin, c.flow.End())
	}
	c.settings = c.flow.Sent().Object(lti.ClaimDeepLinkingSettings)
	c.responses = deeplinking.Seen(c.flow.Record.Part).Responses
	return c, nil
}

// usual is the choice of a valid request.
func usual(ctx context.Context, scene *harness.Scenario) (choice, error) {
	return chooseIn(ctx, scene, harness.Launch{Title: "a teacher chooses content"})
}

// end says how it ended.
func (c choice) end() string {
	if stuck := c.flow.Stuck(); stuck != nil {
		return stuck.Error()
	}
	return c.flow.End()
}

// said is the first response that came, and false where none did.
func (c choice) said() (deeplinking.Response, bool) {
	if len(c.responses) == 0 {
		return deeplinking.Response{}, false
	}
	return c.responses[0], true
}

// items are those of the first response, as they came; nil where content_items is no list.
func (c choice) items() []any {
	r, _ := c.said()
	items, _ := r.Claims[lti.ClaimContentItems].([]any)
	return items
}

// preflightTool makes sure that a real tool sends content where a teacher chooses it.
func preflightTool(ctx context.Context, scene *harness.Scenario) (*results.Diagnosis, error) {
	c, err := usual(ctx, scene)
	if err != nil && !errors.Is(err, harness.ErrNoLogin) {
		return nil, err
	}
	d := &results.Diagnosis{
		Step: "content", Sent: "a valid LtiDeepLinkingRequest", Seen: c.flow.End(), FlowID: c.flow.ID,
		LookAt: fmt.Sprintf("The journey that does %s: do its steps lead from the page of LtiDeepLinkingRequest to the choice of an item, and back to the platform? Does the tool take deep linking at %s?",
			config.ChooseContent, scene.Run().Tool().LaunchURL),
	}
	switch {
	case len(c.responses) > 0:
		return nil, nil // what is wrong with it, scenarios see as well
	case err != nil:
		d.Problem = "The launch of a teacher who is to choose content is not accepted: " + err.Error() + "."
	case c.flow.Stuck() != nil:
		d.Problem = "A teacher could not choose content: " + c.flow.Stuck().Error() + "."
	default:
		d.Problem = "A teacher has chosen content, and no LtiDeepLinkingResponse came."
	}
	return d, nil
}

// unseen keeps that nothing is seen of some requirements, since a valid request did not lead to
// a response, and says whether that is so.
func unseen(scene *harness.Scenario, err error, c choice, ids ...requirements.ID) bool {
	_, came := c.said()
	if err == nil && came {
		return false
	}
	if err == nil && c.flow.Stuck() != nil {
		err = c.flow.Stuck()
	}
	for _, id := range ids {
		if err != nil {
			AllUnseen(scene, id, err, c.flow)
			continue
		}
		for _, stimulus := range CasesOf(id) {
			scene.Observe(id, stimulus, results.Inconclusive, "", "No LtiDeepLinkingResponse came: "+c.end()+".", c.flow)
		}
	}
	return true
}

var _ = Describe("A tool, letting a teacher choose content,", func() {
	It("sends what was chosen as the specification says", For("dl-response-shape", "dl-content-item-shape"), InBrowser, func(ctx SpecContext) {
		const shape, item = "dl-response-shape", "dl-content-item-shape"
		scene := Scene()
		c, err := usual(ctx, scene)
		if unseen(scene, err, c, shape, item) {
			return
		}
		wrong := wrongResponse(c)
		scene.Check(shape, "", wrong == "", "", Seen(wrong), c.flow)
		wrong = wrongItems(c)
		switch {
		case wrong == "" && len(c.items()) == 0:
			scene.Observe(item, "", results.Inconclusive, "", "No item was sent.", c.flow)
		default:
			scene.Check(item, "", wrong == "", "", Seen(wrong), c.flow)
		}
		for _, f := range fakeplatform.FaultsFor(shape) {
			one, err := chooseIn(ctx, scene, harness.Launch{Fault: &f})
			if scene.Unseen(shape, f.Name, err, one.flow) {
				continue
			}
			verdict, says := answered(one, wrongQuery)
			scene.Observe(shape, f.Name, verdict, "", says, one.flow)
		}
		const deployments = "deep-two-deployments"
		if scene.Skip(shape, deployments, config.MultipleDeployments) {
			return
		}
		other, err := chooseIn(ctx, scene, harness.Launch{Title: "a teacher of another deployment chooses content", DeploymentID: scene.Run().Registrations()[0].DeploymentIDs[1]})
		if !scene.Unseen(shape, deployments, err, other.flow) {
			verdict, says := answered(other, wrongResponse)
			scene.Observe(shape, deployments, verdict, "", says, c.flow, other.flow)
		}
	})

	It("gives data back, and sends what the platform takes", For("dl-response-data-unchanged", "dl-response-respects-settings"), func(ctx SpecContext) {
		scene := Scene()
		c, err := usual(ctx, scene)
		if unseen(scene, err, c, "dl-response-data-unchanged", "dl-response-respects-settings") {
			return
		}
		for id, wrong := range map[requirements.ID]func(choice) string{"dl-response-data-unchanged": wrongData, "dl-response-respects-settings": wrongChoice} {
			for _, f := range fakeplatform.FaultsFor(string(id)) {
				one, err := chooseIn(ctx, scene, harness.Launch{Fault: &f})
				if scene.Unseen(id, f.Name, err, one.flow) {
					continue
				}
				verdict, says := answered(one, wrong)
				if _, came := one.said(); !came && id == "dl-response-respects-settings" && one.flow.Trip.Page.Status < http.StatusInternalServerError {
					verdict, says = results.Inconclusive, "The teacher could choose nothing, and no response came: "+one.end()+"." // there may be nothing of the kind
				}
				scene.Observe(id, f.Name, verdict, "", says, c.flow, one.flow)
			}
		}
	})

	It("refuses a request that lacks what it needs", For("dl-tool-rejects-bad-request"), func(ctx SpecContext) {
		const id = "dl-tool-rejects-bad-request"
		scene := Scene()
		before, err := usual(ctx, scene)
		if unseen(scene, err, before, id) {
			return
		}
		type refused struct {
			stimulus string
			choice
		}
		var tried []refused
		for _, f := range fakeplatform.FaultsFor(id) {
			one, err := chooseIn(ctx, scene, harness.Launch{Fault: &f})
			if !scene.Unseen(id, f.Name, err, one.flow) {
				tried = append(tried, refused{f.Name, one})
			}
		}
		after, err := usual(ctx, scene)
		for _, one := range tried {
			verdict, says := reaction(one.choice)
			if _, came := after.said(); verdict == results.Passed && (err != nil || !came) {
				verdict, says = results.Inconclusive, "No valid request leads to a response after this one, so its refusal shows nothing."
			}
			scene.Observe(id, one.stimulus, verdict, "", says, before.flow, one.flow, after.flow)
		}
	})
})

// answered judges a valid request that has to lead to a response, by what is wrong with that.
func answered(c choice, wrong func(choice) string) (results.Verdict, string) {
	if _, came := c.said(); !came {
		return results.Failed, "No LtiDeepLinkingResponse came: " + c.end() + "."
	}
	if wrong := wrong(c); wrong != "" {
		return results.Failed, Seen(wrong)
	}
	return results.Passed, "LtiDeepLinkingResponse came."
}

// reaction judges a request that has to be refused.
func reaction(c choice) (results.Verdict, string) {
	status := c.flow.Trip.Page.Status
	switch {
	case c.flow.ScriptRan():
		return harness.Breach, "Content of the message ran as a script."
	case c.leadsToScript():
		return results.Failed, "The tool leads to the script in deep_link_return_url."
	case len(c.items()) > 0:
		return results.Failed, fmt.Sprintf("LtiDeepLinkingResponse came with %d items.", len(c.items()))
	case len(c.responses) > 0:
		return results.Passed, "LtiDeepLinkingResponse came without items."
	case sentElsewhere(c):
		return results.Failed, "The browser was sent elsewhere with a message: " + c.end() + "."
	case status >= http.StatusInternalServerError, status == 0:
		return results.Warned, "Refused with a server error, or without an answer: " + c.end() + "."
	case status >= http.StatusBadRequest:
		return results.Passed, fmt.Sprintf("HTTP %d.", status)
	case c.flow.Reaction.Kind == harness.Refused:
		return results.Passed, c.flow.Reaction.Why + "."
	case c.flow.Stuck() != nil && c.flow.Stuck().Step == 1:
		return results.Passed, "There is nothing to choose from: " + c.end() + "."
	}
	return results.Inconclusive, "The teacher could choose, and no response came: " + c.end() + "."
}

// leadsToScript says whether the tool leads to a return URL that has no host.
func (c choice) leadsToScript() bool {
	to, _ := c.settings["deep_link_return_url"].(string)
	u, err := url.Parse(to)
	return err == nil && u.Scheme != "" && u.Host == "" && c.flow.AimedAt(to)
}

// sentElsewhere says whether the browser has posted a message to an address that is none of
// the launch's.
func sentElsewhere(c choice) bool {
	for _, s := range c.flow.Trip.Steps {
		form, _ := url.ParseQuery(s.RequestBody) // what of it can be read
		if form.Has(lti.ParamJWT) {
			return true
		}
	}
	return false
}

// wrongResponse says what is wrong with a response as a message.
func wrongResponse(c choice) string {
	r, _ := c.said()
	return strings.Join(r.MessageProblems, "; ")
}

// wrongQuery says what is wrong with a response to a return URL with a query.
func wrongQuery(c choice) string {
	r, _ := c.said()
	if _, query, _ := strings.Cut(r.Target, "?"); query != part.ReturnQuery {
		return fmt.Sprintf("the query of the return URL is %q instead of %q", results.Bounded(query, 200), part.ReturnQuery)
	}
	return wrongResponse(c)
}

// wrongData says what is wrong with the data of a response.
func wrongData(c choice) string {
	sent, wanted := c.settings["data"]
	r, _ := c.said()
	back, came := r.Claims[lti.ClaimDeepLinkingData]
	switch {
	case !wanted && came:
		return fmt.Sprintf("data is %s, though the request had none", results.Bounded(lti.Wire(back), 200))
	case wanted && !came:
		return "data is missing"
	case wanted && back != sent:
		return fmt.Sprintf("data is %s instead of %s", results.Bounded(lti.Wire(back), 200), results.Bounded(lti.Wire(sent), 200))
	}
	return ""
}
