package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"invigilator/faketool"
	"invigilator/harness/agent"
	"invigilator/harness/config"
	"invigilator/results"
)

// Preflight makes sure that the platform can be judged: that the learner can sign
// in and launch, and that a valid authentication request is answered. The error
// is a [*results.Diagnosis] where the platform or its configuration is in the way.
func (r *PlatformRun) Preflight(ctx context.Context) (results.Fragment, error) {
	if r.config.Embedded.SkipPreflight {
		return results.Fragment{}, nil
	}
	if !r.config.IsEmbedded() {
		_ = r.awaitServer(ctx, r.platform.AuthURL, min(r.config.Patience.Restart.Std(), startPatience))
	}
	found, err := r.preflightAgain(ctx, r.hostsOfPlatform(), func(ctx context.Context) (results.Fragment, error) {
		r.byPost = false
		return r.preflight(ctx)
	})
	if err == nil {
		_, _ = r.FetchKeySet(ctx, r.platform.JWKSURL) // one that cannot be read is judged later
	}
	found.Strangers = r.takeStrangers()
	return found, err
}

// hostsOfPlatform are those of the platform under test.
func (r *PlatformRun) hostsOfPlatform() []string {
	return hostsOf(r.platform.Issuer, r.platform.AuthURL, r.platform.TokenURL)
}

// preflight makes the launches of the preflight once.
func (r *PlatformRun) preflight(ctx context.Context) (results.Fragment, error) {
	found := observer[*PlatformFlow]{base: &r.base, fragment: emptyFragment()}
	launch := PlatformLaunch{Title: "preflight: a valid launch", Link: r.firstLink()}
	flow, err := r.launch(ctx, launch)
	if _, stuck := errors.AsType[*JourneyError](err); stuck && launch.Link == config.Exam {
		// An earlier run may have left an attempt under way.
		r.underWay[config.Learner] = true
		if err := r.scene(found).tidy(ctx, config.Learner); err != nil {
			return found.fragment, err
		}
		flow, err = r.launch(ctx, launch)
	}
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		flow := r.stuckFlow(stuck)
		found.keep(flow)
		return found.fragment, r.diagnoseStuck(stuck, flow)
	}
	if err != nil {
		return found.fragment, err
	}
	found.keep(flow)
	if !flow.Launched() && flow.Trip.Page.Status >= http.StatusBadRequest {
		// A platform that answers POST only lacks GET, and can be judged on the rest.
		r.byPost = true
		launch.Title += ", its authentication request by POST"
		byPost, err := r.launch(ctx, launch)
		if err != nil {
			return found.fragment, err
		}
		found.keep(byPost)
		if r.byPost = byPost.Launched(); r.byPost {
			flow = byPost
		}
	}
	found.fragment.Consulted = r.consulted(false)
	if !flow.Launched() {
		return found.fragment, r.diagnoseLaunch(flow)
	}
	if d := r.diagnoseMessage(flow); d != nil {
		return found.fragment, d
	}
	if err := r.preflightExam(ctx, found.fragment); err != nil {
		return found.fragment, err
	}
	return found.fragment, r.preflightGrades(ctx, found.fragment)
}

// preflightExam makes sure that a real platform's exam can be judged: that a genuine
// message starts it, and that there is a token where the platform has services.
func (r *PlatformRun) preflightExam(ctx context.Context, found results.Fragment) error {
	if r.config.IsEmbedded() || !r.Has(config.Proctoring) || !r.config.Judges(config.Proctoring) {
		return nil
	}
	scene := r.scene(observer[*PlatformFlow]{base: &r.base, fragment: found})
	exam, err := scene.Exam(ctx, PlatformLaunch{Title: "preflight: a valid launch into an exam"})
	if errors.Is(err, ErrNoLaunch) && exam != nil {
		return r.diagnoseLaunch(exam)
	}
	if err != nil {
		return r.diagnoseExam(scene, err)
	}
	if d := r.diagnoseMessage(exam); d != nil {
		return d
	}
	if keys, err := r.FetchKeySet(ctx, r.platform.JWKSURL); err != nil || len(keys.Keys) == 0 {
		return &results.Diagnosis{
			Problem: "The platform's key set cannot be read, or has no keys.", Step: "key set", Sent: "GET " + r.platform.JWKSURL, Seen: fmt.Sprint(err), FlowID: exam.ID,
			LookAt: "Is " + r.platform.JWKSURL + " (platform.jwks_url) where the platform publishes its keys?",
		}
	}
	before, err := scene.look(ctx, config.Learner, "preflight: the exam's page before the exam has started")
	if err != nil {
		return r.diagnoseExam(scene, err)
	}
	if before != nil && before.Started() {
		return &results.Diagnosis{
			Problem: "The page before the exam shows what platform.exam_started names, too, so that nothing tells when an exam has started.",
			Step:    "start of the assessment", Seen: inWords(before.Trip.Page), FlowID: before.ID,
			LookAt: "Choose a sign under platform.exam_started that only the page of an exam has that the candidate can take.",
		}
	}
	// The candidate is sent to the check-in again: looking may have led away from it.
	if before != nil {
		if exam, err = scene.Exam(ctx, PlatformLaunch{Title: "preflight: a valid launch into an exam"}); err != nil {
			return r.diagnoseExam(scene, err)
		}
	}
	flow, err := scene.Start(ctx, exam, StartMessage{Title: "preflight: LtiStartAssessment"})
	if errors.Is(err, faketool.ErrUnusable) {
		return &results.Diagnosis{
			Problem: "LtiStartProctoring cannot be answered: " + err.Error() + ".", Step: "LtiStartProctoring", Seen: inWords(exam.Trip.Page), FlowID: exam.ID,
			LookAt: "The message's start_assessment_url, in the report.",
		}
	}
	if err != nil {
		return err
	}
	keys := r.ToolRegistrations()[0].JWKSURL
	if flow.Trip.Ended != agent.Settled {
		return &results.Diagnosis{
			Problem: "The platform did not answer LtiStartAssessment: " + deaths[flow.Trip.Ended] + ".",
			Step:    "start of the assessment", Sent: "LtiStartAssessment to " + flow.Sent().To, Seen: describe(flow.Trip), FlowID: flow.ID,
			LookAt: "The platform's log at that time.",
		}
	}
	if !flow.Started() {
		return &results.Diagnosis{
			Problem: "A genuine LtiStartAssessment does not start the exam, or nothing shows that it has started.",
			Step:    "start of the assessment", Sent: "LtiStartAssessment to " + flow.Sent().To, Seen: inWords(flow.Trip.Page), FlowID: flow.ID,
			LookAt: fmt.Sprintf("Does the platform know the fake tool's key (key set %s)? And does the page of an exam that has started show what platform.exam_started names?", keys),
		}
	}
	if _, err := scene.End(ctx, exam, Ending{Silent: true}); err != nil {
		return r.diagnoseExam(scene, err)
	}
	if !r.Has(config.ACS) {
		return nil
	}
	asked, token, err := scene.Grant(ctx, "preflight: an access token for control.all", faketool.TokenProbe{})
	if err != nil {
		return err
	}
	if token.AccessToken == "" {
		return &results.Diagnosis{
			Problem: "The platform grants the fake tool no access token for the Assessment Control Service.",
			Step:    "access token", Sent: "a token request to " + r.platform.TokenURL, Seen: fmt.Sprintf("HTTP %d %s", token.Status, results.Bounded(results.Text(string(token.Body)), 500)), FlowID: asked.ID,
			LookAt: fmt.Sprintf("Is %s (platform.token_url) the token endpoint, does the platform know the fake tool's key (key set %s), and may this client_id have the scope?", r.platform.TokenURL, keys),
		}
	}
	return nil
}

// diagnoseExam is why an exam does not go on: a diagnosis where a journey got stuck.
func (r *PlatformRun) diagnoseExam(scene *PlatformScenario, err error) error {
	stuck, ok := errors.AsType[*JourneyError](err)
	if !ok {
		return err
	}
	flow := r.stuckFlow(stuck)
	scene.keep(flow)
	return r.diagnoseStuck(stuck, flow)
}

// launch makes a launch from its beginning.
func (r *PlatformRun) launch(ctx context.Context, l PlatformLaunch) (*PlatformFlow, error) {
	held, err := r.hold(ctx, l)
	if err != nil {
		return nil, err
	}
	return r.send(ctx, held, l)
}

// diagnoseStuck says where a journey did not go on.
func (r *PlatformRun) diagnoseStuck(e *JourneyError, flow *PlatformFlow) *results.Diagnosis {
	d := &results.Diagnosis{Problem: strings.ToUpper(e.Error()[:1]) + e.Error()[1:] + ".", Step: e.Journey, FlowID: flow.ID}
	again := strings.TrimPrefix(e.Journey, "the journey ")
	if strings.Contains(again, " ") {
		var ok bool // any that signs in first
		if again, ok = r.journeyTo(config.Learner, config.ResourceLink); !ok {
			again, _ = r.journeyTo(config.Learner, config.Exam)
		}
	}
	command := "invigilator journey " + again
	if r.config.File != "" {
		command += " --config " + r.config.File
	}
	switch {
	case e.page.Status == 0 && e.ended != agent.Settled:
		d.LookAt = fmt.Sprintf("Is the platform running, and can this machine reach %s?", e.page.URL)
	case e.Step > e.Of && e.signIn:
		d.LookAt = "The page asks to log in: say how under users, as sign_in, and name the user in the journey."
	case e.Step > e.Of:
		d.LookAt = fmt.Sprintf("Does the link open the tool? The platform's registration of it: login initiation URL %s.", r.ToolRegistrations()[0].LoginURL)
	case strings.HasPrefix(e.Journey, "the sign-in"):
		d.LookAt = "The picture in the report: are name and password right, and are the steps those of this page? To see it again: " + command
	default:
		d.LookAt = "The picture in the report. To see it again: " + command
	}
	return d
}

// diagnoseMessage says why nothing can be judged of a launch whose id_token cannot be
// read; nil where it can.
func (r *PlatformRun) diagnoseMessage(f *PlatformFlow) *results.Diagnosis {
	if f.message.Problem == "" {
		return nil
	}
	problem := "The platform answers a valid authentication request with an id_token that cannot be read: " + f.message.Problem + "."
	if f.message.Cut {
		problem = "The platform's id_token is longer than Invigilator reads: " + f.message.Problem + "."
	}
	return &results.Diagnosis{
		Problem: problem, Step: "id_token", Sent: f.Request.Method + " " + results.Bounded(f.Request.URL, 1000),
		Seen: "id_token=" + results.Bounded(f.message.Raw, 300), FlowID: f.ID,
		LookAt: "An id_token is a JWT that is signed, in compact form: header, payload and signature, each in base64url, with dots between. One that is encrypted cannot be judged.",
	}
}

// inWords says what a page is and shows.
func inWords(p results.Page) string {
	return fmt.Sprintf("HTTP %d, %q: %s", p.Status, p.Title, results.Bounded(strings.Join(strings.Fields(p.Text), " "), 300))
}

// diagnoseLaunch says why a valid authentication request came to nothing.
func (r *PlatformRun) diagnoseLaunch(f *PlatformFlow) *results.Diagnosis {
	known := r.ToolRegistrations()[0]
	d := &results.Diagnosis{
		Step: "authentication request", Sent: f.Request.Method + " " + results.Bounded(f.Request.URL, 1000),
		Seen: inWords(f.Trip.Page), FlowID: f.ID,
		LookAt: fmt.Sprintf("The platform's registration of the tool: client_id %s, redirect URI %s; and platform.auth_url, %s.",
			known.ClientID, known.RedirectURIs[0], r.platform.AuthURL),
	}
	switch {
	case f.Answer != nil && f.Answer.Error != "":
		d.Problem = fmt.Sprintf("The platform answers a valid authentication request with the error %q.", results.Bounded(f.Answer.Error, 200))
		d.Seen = results.Bounded(f.Answer.Form.Get("error_description"), 500)
	case f.Trip.Page.Status == http.StatusNotFound:
		d.Problem = "The platform has nothing at the authorization endpoint."
		d.LookAt = fmt.Sprintf("Is %s (platform.auth_url) the platform's authorization endpoint?", r.platform.AuthURL)
	case f.Trip.Ended != agent.Settled:
		d.Problem = "The platform did not answer a valid authentication request: " + deaths[f.Trip.Ended] + "."
	default:
		d.Problem = "The platform answers a valid authentication request with a page of its own instead of an id_token."
	}
	return d
}
