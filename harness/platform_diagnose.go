package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// DiagnoseLaunch says why a valid authentication request came to nothing.
func (r *PlatformRun) DiagnoseLaunch(ctx context.Context, f *PlatformFlow) *results.Diagnosis {
	known := r.ToolRegistrations()[0]
	d := &results.Diagnosis{
		Step: "authentication request", Sent: f.Request.Method + " " + results.Bounded(f.Request.URL, 1000),
		Seen: describe(f.Trip), FlowID: f.ID,
		LookAt: fmt.Sprintf("The platform's registration of the tool: client_id %s, redirect URI %s; and platform.auth_url, %s.",
			known.ClientID, known.RedirectURIs[0], r.platform.AuthURL),
	}
	switch {
	case f.Answer != nil && f.Answer.Error != "":
		d.Problem = fmt.Sprintf("The platform answers a valid authentication request with the error %q.", results.Bounded(f.Answer.Error, 200))
		d.Seen = results.Bounded(f.Answer.Form.Get("error_description"), 500)
	case f.Trip.Ended != agent.Settled:
		d.Problem = "The platform did not answer a valid authentication request: " + deaths[f.Trip.Ended] + "."
	case f.Trip.Page.Status == http.StatusNotFound && !r.isThere(ctx, f):
		d.Problem = "The platform has nothing at the authorization endpoint."
		d.LookAt = fmt.Sprintf("Is %s (platform.auth_url) the platform's authorization endpoint?", r.platform.AuthURL)
	case r.answersAlike(ctx, f, "redirect-uri-other-path"):
		d.Problem = fmt.Sprintf("The redirect URI %s is not registered: the platform answers a valid authentication request with a page of its own instead of an id_token. It answers a request with another redirect_uri in the same way.", known.RedirectURIs[0])
		if named := f.Login.Record().Initiation.Params.Get(lti.ParamClientID); named != known.ClientID && r.answersAlike(ctx, f, "client-id-unknown") {
			d.Problem = fmt.Sprintf("The redirect URI %s or the client_id %s is not registered: the platform answers a valid authentication request with a page of its own instead of an id_token. It answers a request with another redirect_uri or client_id in the same way.", known.RedirectURIs[0], known.ClientID)
		}
	default:
		d.Problem = "The platform answers a valid authentication request with a page of its own instead of an id_token."
	}
	return d
}

// isThere says whether the authorization endpoint, which answers that it is not found,
// answers otherwise than an address at which there is nothing.
func (r *PlatformRun) isThere(ctx context.Context, f *PlatformFlow) bool {
	u, err := url.Parse(r.platform.AuthURL)
	if err != nil {
		return false
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "-" + strings.ToLower(lti.RandomString()[:8])
	nothing, err := f.by.Visit(ctx, r.visit(u.String()))
	return err == nil && nothing.Ended == agent.Settled && !alike(f.Trip.Page, nothing.Page, f.Request.URL, nothing.Page.URL)
}

// answersAlike says whether the platform answers a request that differs in one thing
// just like a valid one, so that it may take that thing for wrong there, too.
func (r *PlatformRun) answersAlike(ctx context.Context, f *PlatformFlow, stimulus string) bool {
	if f.Trip.Page.Status < http.StatusBadRequest {
		return false // a page that asks for something
	}
	fault, _ := faketool.FaultNamed(stimulus)
	other, err := r.send(ctx, f, PlatformLaunch{Title: "preflight: a request that " + fault.Does, Fault: &fault})
	if err != nil || other.Answer != nil || other.Trip.Ended != agent.Settled {
		return false
	}
	asked, _ := f.Requested()
	instead, _ := other.Requested()
	return alike(f.Trip.Page, other.Trip.Page, asked, instead)
}

// alike says whether two pages show the same, but for what each of them was asked with.
func alike(a, b results.Page, ofA, ofB string) bool {
	shown := func(p results.Page, asked string) string {
		text := p.Title + "\n" + p.Text
		for _, part := range []string{asked, p.URL} {
			if u, err := url.Parse(part); err == nil && u.Path != "" {
				text = strings.NewReplacer(part, "", u.RequestURI(), "", u.Path, "").Replace(text)
			}
		}
		return strings.Join(strings.Fields(text), " ")
	}
	return a.Status == b.Status && shown(a, ofA) == shown(b, ofB)
}

// diagnoseNames says where the configuration names the platform, the registration or
// the link otherwise than all launches do, in the login initiation and in the id_token
// alike; nil where it does not. Where the two differ, or one launch from another, that
// is judged.
func (r *PlatformRun) diagnoseNames(ctx context.Context, scene *PlatformScenario, l PlatformLaunch, f *PlatformFlow) (*results.Diagnosis, error) {
	if r.config.IsEmbedded() {
		return nil, nil
	}
	differs := r.namesDiffer(f)
	if len(differs) == 0 {
		return nil, nil
	}
	l.Title = "preflight: another valid launch, since the first does not match the configuration"
	again, err := r.launch(ctx, l)
	if _, stuck := errors.AsType[*JourneyError](err); stuck || err == nil && !again.Launched() {
		return nil, nil // which scenarios see as well
	}
	if err != nil {
		return nil, err
	}
	scene.Keep(again)
	if !slices.Equal(differs, r.namesDiffer(again)) {
		return nil, nil
	}
	return &results.Diagnosis{
		Problem: "The configuration does not match the platform's launches: " + strings.Join(differs, "; ") + ".",
		Step:    "login initiation", Seen: results.Bounded(f.Login.Record().Initiation.Params.Encode(), 1000), FlowID: f.ID,
		LookAt: "Compare the configuration with the platform's registration of the tool, letter by letter. If the configuration is right, all launches of the platform are wrong.",
	}, nil
}

// namesDiffer says what a launch names otherwise than the configuration. A platform that
// says http instead of https, or drops a query, is not one that is configured otherwise.
func (r *PlatformRun) namesDiffer(f *PlatformFlow) []string {
	begun, m := f.Login.Record().Initiation.Params, f.Message()
	text := func(claim string) string { value, _ := m.Text(claim); return value }
	of := func(address string) string { _, rest, _ := strings.Cut(WithoutQuery(address), "://"); return rest }
	var differs []string
	differ := func(key, known, says string) {
		differs = append(differs, fmt.Sprintf("%s is %q, but the launches say %q", key, known, results.Bounded(says, 300)))
	}
	p := r.platform
	if iss := begun.Get(lti.ParamIssuer); iss != "" && iss == text("iss") && of(iss) != of(p.Issuer) {
		differ("platform.issuer", p.Issuer, iss)
	}
	audience, _ := m.Audience()
	if id := begun.Get(lti.ParamClientID); id != "" && id != p.ClientID && slices.Contains(audience, id) {
		differ("registration.client_id", p.ClientID, id)
	}
	id, named := text(lti.ClaimDeploymentID), begun.Get(lti.ParamLTIDeploymentID)
	if p.DeploymentID != "" && id != "" && id != p.DeploymentID && (named == "" || named == id) {
		differ("registration.deployment_id", p.DeploymentID, id)
	}
	if target := begun.Get(lti.ParamTargetLinkURI); f.link != "" && target != "" && target == text(lti.ClaimTargetLinkURI) && of(target) != of(p.TargetLinkURI) {
		differ("fake_tool.target_link_uri", p.TargetLinkURI, target)
	}
	return differs
}

// diagnoseKeySet says why a real platform's keys are not where the configuration says;
// nil where something is there that may be meant for a key set, which is judged.
func (r *PlatformRun) diagnoseKeySet(ctx context.Context, f *PlatformFlow) *results.Diagnosis {
	_, err := r.FetchKeySet(ctx, r.platform.JWKSURL)
	if r.config.IsEmbedded() || !isAny(err, errAway, errNothing, errPage) {
		return nil
	}
	return &results.Diagnosis{
		Problem: fmt.Sprintf("There is no key set at platform.jwks_url: %s.", err), Step: "key set", Sent: "GET " + r.platform.JWKSURL, FlowID: f.ID,
		LookAt: cmp.Or(aboutCertificate(err, r.config.CAFile), "Is "+r.platform.JWKSURL+" (platform.jwks_url) where the platform publishes its keys, and can this machine reach it?"),
	}
}
