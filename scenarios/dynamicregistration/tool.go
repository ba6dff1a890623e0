package dynamicregistration

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/dynamicregistration"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// register has the tool register itself.
func register(ctx context.Context, scene *harness.Scenario, q harness.Registering) (*harness.Flow, error) {
	if err := scene.Run().MayTry(profile); err != nil {
		return nil, err
	}
	if q.Title == "" && q.Fault != nil {
		q.Title = q.Fault.Name + ": " + q.Fault.Does
	}
	return scene.Register(ctx, q)
}

// usual is a valid registration.
func usual(ctx context.Context, scene *harness.Scenario) (*harness.Flow, error) {
	return register(ctx, scene, harness.Registering{Title: "the tool registers itself"})
}

// seen is what the platform has seen of a registration.
func seen(f *harness.Flow) dynamicregistration.Record { return dynamicregistration.Seen(f.Record.Part) }

// end says how it ended.
func end(f *harness.Flow) string {
	if stuck := f.Stuck(); stuck != nil {
		return stuck.Error()
	}
	return f.End()
}

// came says whether a registration was sent.
func came(f *harness.Flow) bool { return f != nil && len(seen(f).Requests) > 0 }

// preflightTool makes sure that a real tool registers itself.
func preflightTool(ctx context.Context, scene *harness.Scenario) (*results.Diagnosis, error) {
	f, err := usual(ctx, scene)
	if err != nil || came(f) {
		return nil, err // what is wrong with it, scenarios see as well
	}
	return &results.Diagnosis{
		Step: "registration", Sent: "openid_configuration and registration_token to the tool's registration URL", Seen: end(f), FlowID: f.ID,
		Problem: "The tool does not register itself once more.",
		LookAt:  "What the tool's page says: does the tool take several client_ids of one platform? Is a journey with does: " + string(config.Register) + " needed?",
	}, nil
}

// unseen keeps that nothing is seen of a requirement, since a valid registration did not come,
// and says whether that is so.
func unseen(scene *harness.Scenario, id requirements.ID, err error, f *harness.Flow) bool {
	switch {
	case err != nil:
		AllUnseen(scene, id, err, f)
	case came(f):
		return false
	default:
		for _, stimulus := range CasesOf(id) {
			scene.Observe(id, stimulus, results.Inconclusive, "", "No registration came: "+end(f)+".", f)
		}
	}
	return true
}

var _ = Describe("A tool that registers itself", func() {
	It("says of itself what the specification asks for", For("dr-tool-registration-request"), func(ctx SpecContext) {
		const id = "dr-tool-registration-request"
		scene := Scene()
		f, err := usual(ctx, scene)
		if unseen(scene, id, err, f) {
			return
		}
		wrong := wrongRegistration(seen(f), "")
		scene.Check(id, "with-registration-token", wrong == "", "", Seen(wrong), f)
		for _, fault := range fakeplatform.FaultsFor(id) {
			one, err := register(ctx, scene, harness.Registering{Fault: &fault})
			if scene.Unseen(id, fault.Name, err, one) {
				continue
			}
			query := ""
			if u, err := url.Parse(dynamicregistration.Of(one.Launch).ConfigurationURL()); err == nil {
				query = u.RawQuery
			}
			wrong := wrongRegistration(seen(one), query)
			if !came(one) {
				wrong = strings.TrimPrefix(wrong+"; no registration came: "+end(one), "; ")
			}
			scene.Check(id, fault.Name, wrong == "", "", Seen(wrong), f, one)
		}
	})

	It("checks what the platform says of itself", For("dr-tool-configuration-checked"), func(ctx SpecContext) {
		const id = "dr-tool-configuration-checked"
		scene := Scene()
		before, err := usual(ctx, scene)
		if unseen(scene, id, err, before) {
			return
		}
		fenced(ctx, scene, id, before, func(f *harness.Flow) (results.Verdict, string) {
			switch status := f.Trip.Page.Status; {
			case came(f):
				return results.Failed, "A registration came all the same."
			case status >= http.StatusInternalServerError, status == 0:
				return results.Warned, "No registration came, but the tool ended with a server error, or without an answer: " + end(f) + "."
			default:
				return results.Passed, "No registration came: " + end(f) + "."
			}
		})
	})

	It("tells that it was refused, and does not take itself for registered", For("dr-tool-registration-refused"), func(ctx SpecContext) {
		const id = "dr-tool-registration-refused"
		scene := Scene()
		before, err := usual(ctx, scene)
		if unseen(scene, id, err, before) {
			return
		}
		if _, taken := before.Registered(); !taken {
			for _, stimulus := range CasesOf(id) {
				scene.Observe(id, stimulus, results.Inconclusive, "", "The registration is none that could be taken, so that its refusal shows nothing.", before)
			}
			return
		}
		fenced(ctx, scene, id, before, func(f *harness.Flow) (results.Verdict, string) {
			status := f.Trip.Page.Status
			switch {
			case !came(f):
				return results.Inconclusive, "No registration came: " + end(f) + "."
			case launched(ctx, scene, before, f):
				return results.Failed, "The tool accepts a launch with the client_id of the registration that was refused."
			case status >= http.StatusInternalServerError, status == 0:
				return results.Failed, "The tool ended with a server error, or without an answer: " + end(f) + "."
			case status < http.StatusBadRequest && page(f) == page(before):
				return results.Failed, "The tool shows the page of a registration that was taken."
			default:
				return results.Passed, "The tool says something else than where it was registered: " + end(f) + "."
			}
		})
	})

	It("is launched as the platform has told it", For("dr-tool-uses-response"), func(ctx SpecContext) {
		const id = "dr-tool-uses-response"
		scene := Scene()
		before, err := usual(ctx, scene)
		if unseen(scene, id, err, before) {
			return
		}
		for _, fault := range fakeplatform.FaultsFor(id) {
			one, err := register(ctx, scene, harness.Registering{Fault: &fault})
			if scene.Unseen(id, fault.Name, err, one) {
				continue
			}
			if _, taken := one.Registered(); !taken {
				scene.Observe(id, fault.Name, results.Inconclusive, "", "No registration came that could be taken: "+end(one)+".", one)
				continue
			}
			mustBeLaunched(ctx, scene, id, fault.Name, one)
		}
	})

	It("closes its registration", For("dr-tool-close-message"), InBrowser, func(ctx SpecContext) {
		const id = "dr-tool-close-message"
		scene := Scene()
		for stimulus, in := range map[string]agent.Place{"popup": agent.Window, "frame": agent.Frame} {
			one, err := register(ctx, scene, harness.Registering{Title: "the tool registers itself in a " + string(in), In: in})
			if scene.Unseen(id, stimulus, err, one) {
				continue
			}
			var closings []dynamicregistration.Closing
			if came(one) {
				closings = scene.AwaitClosing(ctx, one)
			}
			_, taken := one.Registered()
			verdict, says := wrongClosing(closings)
			switch {
			case one.Trip.Ended == agent.Blocked:
				verdict, says = results.Skipped, "The tool does not show its page in a "+string(in)+": "+end(one)+"."
			case verdict != results.Passed && !taken:
				verdict, says = results.Inconclusive, "No registration came that was taken: "+end(one)+"."
			}
			scene.Observe(id, stimulus, verdict, "", says, one)
		}
	})

	It("names the message of reviews, where it has them", For("sr-tool-registers-message"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-registers-message", "registration-review-supported"
		scene := Scene()
		if scene.Skip(id, stimulus, config.SubmissionReview) {
			return
		}
		f, err := usual(ctx, scene)
		if unseen(scene, id, err, f) {
			return
		}
		named := slices.Contains(messagesOf(seen(f).Requests[0].Metadata), lti.SubmissionReviewRequest)
		scene.Check(id, stimulus, named, "", "messages are "+orNone(messagesOf(seen(f).Requests[0].Metadata))+".", f)
	})
})

// fenced makes each registration that has to end otherwise than a valid one, and judges it where a
// valid one comes afterwards, too.
func fenced(ctx context.Context, scene *harness.Scenario, id requirements.ID, before *harness.Flow, judge func(*harness.Flow) (results.Verdict, string)) {
	type attempt struct {
		stimulus string
		flow     *harness.Flow
		verdict  results.Verdict
		says     string
	}
	var tried []attempt
	for _, fault := range fakeplatform.FaultsFor(string(id)) {
		one, err := register(ctx, scene, harness.Registering{Fault: &fault})
		if scene.Unseen(id, fault.Name, err, one) {
			continue
		}
		verdict, says := judge(one)
		tried = append(tried, attempt{fault.Name, one, verdict, says})
	}
	after, err := usual(ctx, scene)
	for _, one := range tried {
		if one.verdict == results.Passed && (err != nil || !came(after)) {
			one.verdict, one.says = results.Inconclusive, "No valid registration comes after this one, so that this shows nothing."
		}
		flows := []*harness.Flow{before, one.flow}
		if after != nil {
			flows = append(flows, after)
		}
		scene.Observe(id, one.stimulus, one.verdict, "", one.says, flows...)
	}
}

// mustBeLaunched judges a registration by the launch that follows. Where that is not accepted, one of the first
// registration tells whether launches work at all.
func mustBeLaunched(ctx context.Context, scene *harness.Scenario, id requirements.ID, stimulus string, registered *harness.Flow) {
	of := dynamicregistration.Of(registered.Launch)
	l := harness.Launch{Title: stimulus + ": the launch that follows", ClientID: of.ClientID(), DeploymentID: of.DeploymentID()}
	if !scene.Run().KnowsAcceptance() { // launches of resource links are not judged
		l.Plan = func(*fakeplatform.Plan) {}
	}
	flow, err := scene.Launch(ctx, l)
	if scene.Unseen(id, stimulus, err, registered, flow) {
		return
	}
	if scene.Accepted(flow) {
		scene.Observe(id, stimulus, results.Passed, "", "The launch that follows is accepted: "+flow.Reaction.Why+".", registered, flow)
		return
	}
	l.Title, l.ClientID, l.DeploymentID = "a launch of the first registration", "", ""
	valid, err := scene.Launch(ctx, l)
	switch {
	case scene.Unseen(id, stimulus, err, registered, flow, valid):
	case !scene.Accepted(valid):
		scene.Observe(id, stimulus, results.Inconclusive, "", "No launch of the first registration is accepted either: "+end(valid)+".", registered, flow, valid)
	case flow.Reaction.Kind == harness.Unclear:
		scene.Observe(id, stimulus, results.Inconclusive, "", "Whether the launch that follows is accepted cannot be seen: "+flow.Reaction.Why+".", registered, flow, valid)
	default:
		scene.Observe(id, stimulus, results.Failed, "", "The launch that follows is not accepted: "+flow.Reaction.Why+". "+end(flow)+".", registered, flow, valid)
	}
}

// launched says whether the tool accepts a launch by the client_id of a registration that was
// refused: the platform is one that launches all the same.
func launched(ctx context.Context, scene *harness.Scenario, before, refused *harness.Flow) bool {
	valid, _ := before.Registered()
	of := dynamicregistration.Of(refused.Launch)
	known := *valid.Registered
	known.ClientID, known.DeploymentIDs = of.ClientID(), []string{of.DeploymentID()}
	if scene.Run().Platform().Register(known) != nil {
		return false
	}
	flow, err := scene.Launch(ctx, harness.Launch{Title: refused.Fault() + ": a launch all the same", ClientID: of.ClientID(), DeploymentID: of.DeploymentID()})
	return err == nil && flow.Reaction.Kind == harness.Accepted
}

// page is what a page says, whatever the names are that the tool has got.
func page(f *harness.Flow) string {
	of := dynamicregistration.Of(f.Launch)
	return strings.NewReplacer(of.ClientID(), "", of.DeploymentID(), "", "undefined", "").Replace(strings.Join(strings.Fields(f.Trip.Page.Text), " "))
}

// wrongRegistration says what is wrong with a registration, and with how its configuration was read:
// by an address with a query.
func wrongRegistration(r dynamicregistration.Record, query string) string {
	var wrong []string
	if i := slices.IndexFunc(r.Discoveries, func(q string) bool { return q != query }); i >= 0 {
		wrong = append(wrong, fmt.Sprintf("the configuration was asked for with the query %q instead of %q", results.Bounded(r.Discoveries[i], 200), query))
	}
	for _, q := range r.Requests {
		for _, problem := range q.Problems {
			if problem = results.Bounded(problem, 400); !slices.Contains(wrong, problem) {
				wrong = append(wrong, problem)
			}
		}
	}
	return strings.Join(wrong, "; ")
}

// wrongClosing judges the messages by which a registration was closed.
func wrongClosing(closings []dynamicregistration.Closing) (results.Verdict, string) {
	switch {
	case len(closings) == 0:
		return results.Failed, "No message with the subject " + lti.CloseSubject + " came."
	case slices.ContainsFunc(closings, func(c dynamicregistration.Closing) bool { return !c.Text }):
		return results.Passed, "The message came."
	default:
		return results.Failed, "The message came as a text instead of an object with a subject."
	}
}

// messagesOf are the types of the messages that a tool has named.
func messagesOf(metadata map[string]any) []string {
	tool, _ := metadata[lti.ToolConfiguration].(map[string]any)
	list, _ := tool["messages"].([]any)
	var types []string
	for _, one := range list {
		message, _ := one.(map[string]any)
		if kind, is := message["type"].(string); is {
			types = append(types, kind)
		}
	}
	return types
}

// orNone are texts in a sentence.
func orNone(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	return results.Bounded(strings.Join(texts, ", "), 400)
}
