package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// Preflight makes sure that the platform can be judged: that the learner can sign
// in and launch, and that a valid authentication request is answered. The error
// is a [*results.Diagnosis] where the platform or its configuration is in the way; a
// partial one where it is in the way of some profiles alone.
func (r *PlatformRun) Preflight(ctx context.Context) (results.Fragment, error) {
	if r.config.Embedded.SkipPreflight {
		return results.Fragment{}, nil
	}
	if !r.config.IsEmbedded() {
		if d := r.diagnoseReach(ctx); d != nil {
			return emptyFragment(), d
		}
		_ = r.awaitServer(ctx, r.platform.AuthURL, min(r.config.Timeout.Restart.Std(), startPatience))
	}
	found, err := r.preflightAgain(ctx, r.hostsOfPlatform(), func(ctx context.Context) (results.Fragment, error) {
		r.byPost, r.missing, r.partly = false, map[Need]string{}, nil
		return r.preflight(ctx)
	})
	if err == nil && r.partly != nil {
		err = r.partly
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
	scene := r.scene(observer[*PlatformFlow]{base: &r.base, tb: mustHold{}, text: preflightText, fragment: emptyFragment()})
	launch := PlatformLaunch{Title: "preflight: a valid launch", Link: r.FirstLink()}
	flow, err := r.launch(ctx, launch)
	if _, stuck := errors.AsType[*JourneyError](err); stuck && launch.Link != "" {
		if err := r.first().Tidy(ctx, scene, true); err != nil { // what an earlier run may have left
			return scene.fragment, err
		}
		flow, err = r.launch(ctx, launch)
	}
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		missing := []Need{launches}
		if launch.Link != "" {
			missing = append(missing, Need(r.first().Profile))
		}
		if scene.CutsShort(stuck, missing...) {
			return r.preflightParts(ctx, scene)
		}
		flow := r.stuckFlow(stuck)
		scene.Keep(flow)
		return scene.fragment, r.diagnoseStuck(stuck, flow)
	}
	if err != nil {
		return scene.fragment, err
	}
	scene.Keep(flow)
	if flow.mayLackGET() {
		r.byPost = true
		launch.Title += ", its authentication request by POST"
		byPost, err := r.launch(ctx, launch)
		if err != nil {
			return scene.fragment, err
		}
		scene.Keep(byPost)
		if r.byPost = byPost.Launched(); r.byPost {
			flow = byPost
		}
	}
	scene.fragment.Consulted = r.consulted(false)
	if !flow.Launched() {
		return scene.fragment, r.DiagnoseLaunch(ctx, flow)
	}
	if d := r.DiagnoseMessage(flow); d != nil {
		return scene.fragment, d
	}
	if d, err := r.diagnoseNames(ctx, scene, launch, flow); d != nil || err != nil {
		return scene.fragment, cmp.Or(err, error(d))
	}
	if d := r.diagnoseKeySet(ctx, flow); d != nil {
		return scene.fragment, d
	}
	return r.preflightParts(ctx, scene)
}

// FirstLink is what the preflight launches: the link of a part where launches of resource links
// are not judged, nor anything else that begins with one.
func (r *PlatformRun) FirstLink() config.LaunchKind {
	if p := r.first(); p != nil {
		return p.First
	}
	return ""
}

// ToolKeySet is where the fake tool's key set is, and whether anybody has fetched it.
func (r *PlatformRun) ToolKeySet() string {
	address := r.ToolRegistrations()[0].JWKSURL
	if r.KeysFetched() {
		return "key set " + address + "."
	}
	return "key set " + address + ", which has not been fetched." + r.aboutUnfetched(address)
}

// PreflightToken makes sure that the platform grants the fake tool an access token for
// scopes, and says whether it does. What is in the way is told.
func (s *PlatformScenario) PreflightToken(ctx context.Context, scopes []string) (bool, error) {
	r, of := s.run, TokensFor(scopes)
	if r.missing[tokenEndpoint] != "" {
		return false, nil
	}
	ask := func(ctx context.Context, scopes []string) (*PlatformFlow, *faketool.Token, error) {
		flow, token, err := s.Grant(ctx, "preflight: an access token for "+string(of)[len("access tokens for "):], faketool.TokenProbe{Scopes: scopes})
		if errors.Is(err, errLimited) {
			err = nil // the diagnosis tells so
		}
		return flow, token, err
	}
	asked, token, err := ask(ctx, scopes)
	if err == nil && token.AccessToken == "" && isAway(token.Status) {
		r.awaitRecovery(ctx, asked.Trip, func(ctx context.Context) (*agent.Trip, bool) {
			if asked, token, err = ask(ctx, scopes); err != nil {
				return nil, true // which ends the waiting
			}
			return asked.Trip, !isAway(token.Status)
		})
	}
	if err == nil && token.AccessToken == "" && len(scopes) > 1 && !isAway(token.Status) { // one alone may be granted
		asked, token, err = ask(ctx, scopes[:1])
	}
	if err != nil || token.AccessToken != "" {
		return err == nil, err
	}
	d := &results.Diagnosis{
		Problem: fmt.Sprintf("The platform grants the fake tool no %s.", of), Step: "access token", FlowID: asked.ID, Seen: asked.Reply(),
		Sent: fmt.Sprintf("a token request to %s for %s", r.platform.TokenURL, results.Bounded(strings.Join(scopes, " "), 500)),
		LookAt: fmt.Sprintf("Is %s (platform.token_url) the token endpoint, may this client_id have the scopes, and does the platform know the fake tool's key? It is in the %s",
			r.platform.TokenURL, r.ToolKeySet()),
	}
	switch {
	case token.Status == http.StatusTooManyRequests:
		d.Problem += " Its token endpoint has had too many requests."
		d.LookAt = "How many requests per minute may this client_id send? Please " + raiseLimit + "."
	case isAway(token.Status):
		d.Problem += " Its token endpoint cannot be reached."
	case isNoEndpoint(token):
		d.Problem += " There is nothing at its token endpoint."
	case token.Error == lti.ErrorInvalidClient && !r.KeysFetched():
		d.Problem += " It seems not to know the tool's key: the key set has not been fetched."
	default: // which the requirements about access tokens judge
		s.Obstructed(d, of)
		return false, nil
	}
	s.Misconfigured(d, r.ofServices(), append(tokensOfParts(), tokenEndpoint)...)
	return false, nil
}

// isAway says whether a status says that the server gives no answer for now.
func isAway(status int) bool { return status == 0 || slices.Contains(away, status) }

// isNoEndpoint says whether something answers as a token endpoint does not: nothing is
// there, or a page for people.
func isNoEndpoint(t *faketool.Token) bool {
	isPage := t.Status < http.StatusBadRequest && bytes.HasPrefix(bytes.TrimSpace(t.Body), []byte("<"))
	return isPage || t.Status/100 == 3 || slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone}, t.Status)
}

// KeysFetched says whether anybody has fetched the fake tool's key set.
func (r *PlatformRun) KeysFetched() bool {
	r.door.mu.Lock()
	defer r.door.mu.Unlock()
	for _, c := range r.door.callers {
		if c.keySets > 0 {
			return true
		}
	}
	return false
}

// StuckAt is the diagnosis where a journey got stuck, of those profiles; of all without any.
func (s *PlatformScenario) StuckAt(err error, profiles ...string) (*results.Diagnosis, bool) {
	stuck, ok := errors.AsType[*JourneyError](err)
	if !ok {
		return nil, false
	}
	flow := s.run.stuckFlow(stuck)
	s.Keep(flow)
	d := s.run.diagnoseStuck(stuck, flow)
	d.Profiles = profiles
	return d, true
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
		if again, ok = r.JourneyTo(config.Learner, config.ResourceLink); !ok {
			for _, p := range parts {
				again = cmp.Or(again, r.firstOf(p))
			}
		}
	}
	command := "invigilator journey " + config.Quote(again)
	switch {
	case r.config.IsEmbedded():
		command = "invigilator demo journey " + config.Quote(again)
	case r.config.File != "":
		command += " --config " + config.Quote(config.FromHere(r.config.File))
	}
	switch {
	case e.page.Status == 0 && e.ended != agent.Settled && r.certificateProblem(e.page.URL) != "":
		d.LookAt = r.certificateProblem(e.page.URL)
	case e.page.Status == 0 && strings.Contains(e.Why, "ERR_CERT"):
		d.LookAt = r.untrusted(e.page.URL)
	case e.page.Status == 0 && e.ended != agent.Settled:
		d.LookAt = fmt.Sprintf("Is the platform running, and can this machine reach %s?", e.page.URL)
	case e.Step > e.Of && e.signIn:
		d.LookAt = "The page asks the user to log in: write the steps of that under users, as sign_in, and name the user in the journey."
	case e.Step > e.Of:
		d.LookAt = fmt.Sprintf("Does the link open the tool? The platform's registration of it: login initiation URL %s.", r.ToolRegistrations()[0].LoginURL)
	case strings.HasPrefix(e.Journey, "the sign-in"):
		d.LookAt = "The picture in the report: are name and password right, and do the steps fit this page? To see it again: " + command
	default:
		d.LookAt = "The picture in the report. To see it again: " + command
	}
	return d
}

// DiagnoseMessage says why nothing can be judged of a launch whose id_token cannot be
// read; nil where it can.
func (r *PlatformRun) DiagnoseMessage(f *PlatformFlow) *results.Diagnosis {
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
