package harness

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/dynamicregistration"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Registering says how an administrator has the tool register itself with the fake platform
// (Dynamic Registration 1.0). Its zero value is a valid registration.
type Registering struct {
	// Title says what it is for, in the report.
	Title string
	// Fault is what differs from a valid registration.
	Fault *fakeplatform.Fault
	// In is where the tool's page is shown. It is a window when empty, or the tab itself where
	// the agent has no windows.
	In agent.Place

	at   *fakeplatform.Platform // the first one when nil
	with dynamicregistration.Invitation
}

// Registered is what the fake platform took of the tool in a flow, and false where it took
// nothing.
func (f *Flow) Registered() (dynamicregistration.Request, bool) {
	requests := dynamicregistration.Seen(f.Record.Part).Requests
	i := slices.IndexFunc(requests, func(q dynamicregistration.Request) bool { return q.Registered != nil })
	if i < 0 {
		return dynamicregistration.Request{}, false
	}
	return requests[i], true
}

// Register has the tool register itself, waits until it has, and keeps what came of it.
func (s *Scenario) Register(ctx context.Context, q Registering) (*Flow, error) {
	flow, err := s.Launch(ctx, s.run.registering(q))
	if err == nil {
		s.run.awaitRegistration(ctx, flow, s.run.config.Timeout.PageSign.Std())
	}
	return flow, err
}

// closePatience is how long the message may take that closes a registration.
const closePatience = 5 * time.Second

// AwaitClosing waits until the tool's page has closed the registration, and returns the messages
// by which it has.
func (s *Scenario) AwaitClosing(ctx context.Context, f *Flow) []dynamicregistration.Closing {
	ctx, cancel := context.WithTimeout(ctx, closePatience)
	defer cancel()
	record := dynamicregistration.Of(f.Launch).Await(ctx, func(r dynamicregistration.Record) bool { return len(r.Closings) > 0 })
	return record.Closings
}

// registering is the launch that opens the tool's registration URL.
func (r *Run) registering(q Registering) Launch {
	q.with.URL = r.tool.RegistrationURL
	q.with.AuthorizationEndpoint = cmp.Or(q.with.AuthorizationEndpoint, r.Registrations()[0].AuthURL)
	if q.In == "" && r.agent.About().Kind == results.Browser {
		q.In = agent.Window
	}
	l := Launch{Title: q.Title, Fault: q.Fault, In: q.In, User: Teacher, LoggedIn: true, At: q.at, Plan: func(p *fakeplatform.Plan) {
		p.Message, p.About, p.ClientID = dynamicregistration.Registering, q.with, q.with.ClientID
		p.Context, p.ResourceLink, p.Custom = fakeplatform.Context{}, fakeplatform.ResourceLink{}, nil
	}}
	if _, does := r.config.JourneyFor(config.Register); does {
		l.Does = config.Register
	}
	return l
}

// awaitRegistration waits for a registration that a tool sends after its page has loaded.
func (r *Run) awaitRegistration(ctx context.Context, f *Flow, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dynamicregistration.Of(f.Launch).Await(ctx, func(record dynamicregistration.Record) bool { return len(record.Requests) > 0 })
	f.Record = f.Launch.Record()
}

// registerTool has a real tool register itself with the fake platforms, as often as its features
// ask for, and takes over what it says of itself. The error is a [*results.Diagnosis] where it
// does not register.
func (r *Run) registerTool(ctx context.Context) error {
	mark := lti.RandomString()[:8]
	r.tool.ClientID += "-" + mark // one that the tool does not know yet
	r.tool.OtherClientID += "-" + mark
	if err := r.awaitServer(ctx, r.tool.RegistrationURL, min(r.config.Timeout.Restart.Std(), startPatience)); err != nil {
		return &results.Diagnosis{
			Problem: fmt.Sprintf("There is no answer at the tool's registration URL: %s.", err), Step: "registration", Sent: "GET " + results.URL(r.tool.RegistrationURL),
			LookAt: "Is the tool running, and is that its registration URL (tool.registration_url)?",
		}
	}
	for i, known := range r.Registrations() {
		flow, err := r.launch(ctx, r.registering(Registering{
			Title: "the tool registers itself", at: known.Platform,
			with: dynamicregistration.Invitation{ClientID: known.ClientID, DeploymentID: known.DeploymentIDs[0], AuthorizationEndpoint: known.AuthURL},
		}))
		if err != nil {
			return err
		}
		r.awaitRegistration(ctx, flow, r.config.Timeout.Step.Std())
		r.registrationFlows = append(r.registrationFlows, flow)
		registered, ok := flow.Registered()
		if !ok {
			return r.diagnoseRegistration(flow)
		}
		if i == 0 {
			r.takeOverOf(registered)
		}
	}
	return nil
}

// takeOverOf takes over what the tool has said of itself, where the configuration says nothing else.
func (r *Run) takeOverOf(registered dynamicregistration.Request) {
	known := registered.Registered
	r.tool.LoginURL, r.tool.JWKSURL = known.LoginURL, known.JWKSURL
	r.tool.LaunchURL, r.tool.RedirectURIs = known.RedirectURIs[0], known.RedirectURIs[1:]
	r.tool.TargetLinkURI = cmp.Or(r.tool.TargetLinkURI, known.TargetLinkURI)
	r.tool.ProctoringTargetLinkURI = cmp.Or(r.tool.ProctoringTargetLinkURI, known.TargetLinkURIs[lti.StartProctoring])
	r.tool.ReviewTargetLinkURI = cmp.Or(r.tool.ReviewTargetLinkURI, known.TargetLinkURIs[lti.SubmissionReviewRequest])
	tool, _ := registered.Metadata[lti.ToolConfiguration].(map[string]any)
	custom := map[string]string{}
	said, _ := tool["custom_parameters"].(map[string]any)
	for name, value := range said {
		if text, is := value.(string); is {
			custom[name] = text
		}
	}
	maps.Copy(custom, r.tool.Custom)
	r.tool.Custom = custom
	for _, message := range objectsIn(tool["messages"]) {
		if kind, is := message["type"].(string); is && !slices.Contains(r.tool.Messages, kind) {
			r.tool.Messages = append(r.tool.Messages, kind)
		}
	}
}

// objectsIn are those of a list.
func objectsIn(value any) []map[string]any {
	list, _ := value.([]any)
	var all []map[string]any
	for _, one := range list {
		if object, is := one.(map[string]any); is {
			all = append(all, object)
		}
	}
	return all
}

// diagnoseRegistration says why the tool has not registered itself.
func (r *Run) diagnoseRegistration(f *Flow) *results.Diagnosis {
	record := dynamicregistration.Seen(f.Record.Part)
	d := &results.Diagnosis{
		Step: "registration", Sent: "GET " + results.URL(r.tool.RegistrationURL) + " with openid_configuration " + dynamicregistration.Of(f.Launch).ConfigurationURL(),
		Seen: f.End(), FlowID: f.ID,
	}
	if stuck := f.Stuck(); stuck != nil {
		d.Seen += "; " + stuck.Error()
	}
	status := f.Trip.Page.Status
	switch {
	case len(record.Requests) > 0:
		last := record.Requests[len(record.Requests)-1]
		d.Problem = fmt.Sprintf("The fake platform has refused the tool's registration with HTTP %d.", last.Status)
		d.Seen = strings.Join(last.Problems, "; ")
		d.LookAt = "What the tool sends to the registration endpoint."
	case f.Trip.Ended != agent.Settled:
		d.Problem = "The tool's registration page did not load: " + deaths[f.Trip.Ended] + "."
		d.LookAt = "The tool's log at that time."
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		d.Problem = "The tool has nothing at its registration URL."
		d.LookAt = "Is that the address (tool.registration_url) by which a platform's administrator has the tool register itself?"
	case len(record.Discoveries) == 0:
		d.Problem = "The tool has not read the platform's configuration."
		d.LookAt = "What the tool's page says. Can the tool's server reach " + r.ServerURL() + "? Where it takes https alone, set fake_platform.url to a public address that leads to fake_platform.listen. " + journeyNeeded
	default:
		d.Problem = "The tool has read the platform's configuration, and has not registered itself."
		d.LookAt = "What the tool's page says. Is there something in the configuration that the tool does not take, such as an address without https? " + journeyNeeded
	}
	return d
}

// journeyNeeded is what to look at where somebody may have to go on.
const journeyNeeded = "If an administrator has to go on from that page, configure a journey with does: " + string(config.Register) + "."

// Registers says whether the tool has registered itself when the run began.
func (r *Run) Registers() bool { return r.config.Registers() }
