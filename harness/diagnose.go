package harness

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// diagnose says where a valid launch went wrong, or nil when it did not.
func (r *Run) diagnose(f *Flow) *results.Diagnosis {
	request, asked := f.Request()
	started := f.Record.LoginInitiation != nil
	d := &results.Diagnosis{Seen: describe(f.Trip), FlowID: f.ID}
	switch {
	case !asked && f.Trip.Ended == agent.Dropped && !started:
		d.Problem = "The browser cannot reach the fake platform."
		d.LookAt = "Does fake_platform.url, " + r.config.FakePlatform.URL + ", lead to fake_platform.listen for the browser?"
	case !asked && strings.Contains(f.Trip.Why, "ERR_CERT"):
		d.Problem = "The browser does not trust the tool's certificate."
		d.LookAt = r.untrusted(r.tool.LoginURL)
	case !asked && f.Trip.Ended == agent.Dropped && r.certificateProblem(r.tool.LoginURL) != "":
		d.Problem = "The tool's certificate is not trusted."
		d.LookAt = r.certificateProblem(r.tool.LoginURL)
	case !asked && f.Trip.Ended == agent.Dropped && !answeredBy(f, r.tool.LoginURL):
		d.Problem = "The tool cannot be reached."
		d.LookAt = "Is the tool running, and is " + r.tool.LoginURL + " (tool.login_url) its login initiation endpoint?"
	case !asked && f.Trip.Ended != agent.Settled:
		d.Problem = "The tool did not answer the login initiation: " + deaths[f.Trip.Ended] + "."
		d.LookAt = "The tool's log at the time of the request to " + r.tool.LoginURL + "."
	case !asked && !sameSite(f.Trip.Page.URL, r.tool.LoginURL):
		d.Problem = "The tool sent the browser elsewhere than to the platform's authorization endpoint."
		d.LookAt = fmt.Sprintf("The tool's registration of the platform: issuer %s, authorization endpoint %s.", r.platform.Issuer(), r.Registrations()[0].AuthURL)
	case !asked && f.Trip.Page.Status == http.StatusNotFound:
		d.Problem = "The tool has nothing at the login URL."
		d.LookAt = "Is " + r.tool.LoginURL + " (tool.login_url) the tool's login initiation endpoint?"
	case !asked:
		d.Problem = "The tool answered the login initiation with a page of its own instead of an authentication request."
		d.LookAt = fmt.Sprintf("Is the platform registered in the tool? Issuer %s, client_id %s, deployment_id %s, authorization endpoint %s.",
			r.platform.Issuer(), r.tool.ClientID, r.tool.DeploymentID, r.Registrations()[0].AuthURL)
		d.LookAt += " If the page goes on by itself after a while, raise browser.idle_time."
	}
	if d.Problem != "" {
		d.Step = "login initiation"
		d.Sent = sentTo(f, r.tool.LoginURL)
		return d
	}
	redirectURI, registered := f.redirectURI(), r.RedirectURIs()
	if !f.Answered() {
		d.Step = "authentication request"
		d.Sent = "the login initiation"
		d.Seen = "authentication request with " + results.Bounded(request.Params.Encode(), 1000)
		d.Problem = fmt.Sprintf("The tool wants its answer at %q, which is not on the site of one of its redirect URIs.", redirectURI)
		d.LookAt = fmt.Sprintf("Add it to tool.redirect_uris if it is an address of the tool. The configuration has %s.%s", strings.Join(registered, ", "), r.AboutRedirectURI(f))
		return d
	}
	if r.asksElsewhere(f) && !r.redirectsAnew { // which is for a requirement to say
		d.Step, d.Sent = "authentication request", sentTo(f, r.tool.LoginURL)
		d.Seen = "redirect_uri " + redirectURI
		d.Problem = fmt.Sprintf("The tool wants its answer at %s, which is not one of its redirect URIs.", redirectURI)
		d.LookAt = fmt.Sprintf("The configuration has %s. Is tool.launch_url right, or is one missing in tool.redirect_uris?", strings.Join(registered, ", "))
		return d
	}
	b := baseline{tool: r.tool}
	reaction := b.reaction(f)
	if reaction.Kind == Accepted || reaction.Kind == Unclear && sound(f.Trip) {
		return nil
	}
	d.Step = "launch"
	d.Sent = "a valid id_token by form POST to " + answeredAt(f)
	d.Problem = "The tool does not accept a valid launch: " + reaction.Why + "."
	if reaction.Kind == Unclear {
		d.Problem = "The tool's answer to a valid launch does not show whether it accepts or refuses the launch."
	}
	d.LookAt = fmt.Sprintf("The tool's registration: issuer %s, client_id %s, deployment_id %s, key set %s.",
		r.platform.Issuer(), r.tool.ClientID, r.tool.DeploymentID, r.Registrations()[0].JWKSURL)
	if never := r.neverFetched(); never != "" {
		d.LookAt += never
		d.Problem += " Its server has not fetched the fake platform's key set, without which it cannot verify one."
	}
	client := request.Params.Get(lti.ParamClientID)
	switch {
	case r.hasNoSuchPage(f):
		d.Problem = fmt.Sprintf("The tool has nothing at its redirect URI: %s.", reaction.Why)
		d.LookAt = fmt.Sprintf("Is %s the tool's (tool.launch_url, tool.redirect_uris)? The key set was not fetched for this launch. If the page says that something is unknown, look at this as well: %s", answeredAt(f), d.LookAt)
	case f.Trip.Page.Status == http.StatusNotFound && SameURL(f.Trip.Page.URL, f.targetLinkURI()):
		d.Problem = fmt.Sprintf("The tool has nothing at the target link URI: %s.", reaction.Why)
		d.LookAt = "Is " + f.targetLinkURI() + " (tool.target_link_uri) what a resource link of the tool opens? " + d.LookAt
	case client != "" && client != f.Launch.Plan().ClientID:
		d.Problem = fmt.Sprintf("The tool has sent the client_id %q, but the login initiation named %q: %s.", results.Bounded(client, 100), f.Launch.Plan().ClientID, reaction.Why)
		d.LookAt = "Is registration.client_id the client_id that the tool has for this platform? " + d.LookAt
	}
	if !r.tool.LaunchAccepted.IsZero() && reaction.Kind == Refused && f.Trip.Page.Status < 400 {
		d.LookAt += " If the launch did work, the sign tool.launch_accepted does not fit this page."
	}
	return d
}

// RedirectURIs are those that are registered for the tool.
func (r *Run) RedirectURIs() []string {
	return append([]string{r.tool.LaunchURL}, r.tool.RedirectURIs...)
}

// redirectURI is where the tool asks to be answered; empty where it has not asked.
func (f *Flow) redirectURI() string {
	request, _ := f.Request()
	return request.Params.Get(lti.ParamRedirectURI)
}

// asksElsewhere says whether the tool asks to be answered at an address that is none of
// those registered, but for what a requirement is to say in any case.
func (r *Run) asksElsewhere(f *Flow) bool {
	asked := f.redirectURI()
	return asked != "" && !slices.ContainsFunc(r.RedirectURIs(), func(uri string) bool {
		return SameURL(uri, asked) || fakeplatform.DifferInScheme(uri, asked)
	})
}

// differInQuery says whether two addresses are the same but for their queries.
func differInQuery(a, b string) bool { return a != b && WithoutQuery(a) == WithoutQuery(b) }

// AboutRedirectURI says what to look at where a launch's redirect_uri is not registered;
// empty where it is, or where nothing is known.
func (r *Run) AboutRedirectURI(f *Flow) string {
	asked := f.redirectURI()
	u, err := url.Parse(asked)
	if err != nil || slices.Contains(r.RedirectURIs(), asked) || f.Record.LoginInitiation == nil {
		return ""
	}
	var carried []string
	for name, values := range f.Record.LoginInitiation.Params {
		if value := u.Query().Get(name); value != "" && slices.Contains(values, value) {
			carried = append(carried, name)
		}
	}
	slices.Sort(carried)
	switch {
	case len(carried) > 0:
		return fmt.Sprintf(" It has %s of its own login initiation in its query. Does the tool use the whole address of its login request as its redirect URI?", strings.Join(carried, ", "))
	case r.redirectsAnew:
		return " Its query changes with every login, so it cannot be registered."
	}
	return r.BehindProxy(asked)
}

// BehindProxy says what to look at where a redirect_uri is one of the tool's own but for
// its scheme or its host; empty where it is not.
func (r *Run) BehindProxy(redirectURI string) string {
	asked, err := url.Parse(redirectURI)
	if err != nil || slices.Contains(r.RedirectURIs(), redirectURI) {
		return ""
	}
	for _, uri := range r.RedirectURIs() {
		if fakeplatform.DifferInScheme(uri, redirectURI) {
			return fmt.Sprintf(" It differs from %s only in the scheme. Behind a proxy that ends TLS a tool sees plain HTTP: does the proxy send X-Forwarded-Proto, and does the tool trust it, or does it know its own public address?", uri)
		}
		if u, err := url.Parse(uri); err == nil && strings.HasPrefix(asked.Scheme, "http") && u.Host != asked.Host && u.Path == asked.Path && u.Path != "" && u.Path != "/" {
			return fmt.Sprintf(" It differs from %s only in the host. Behind a proxy a tool sees another host: does the proxy send Host or X-Forwarded-Host, and does the tool trust it, or does it know its own public address?", uri)
		}
	}
	return ""
}

// neverFetched is what to look at besides where the tool has not fetched the
// platform's key set, and cannot know what its tokens are signed with.
func (r *Run) neverFetched() string {
	if r.LookedForKey(nil) {
		return ""
	}
	return " That key set has not been fetched." + r.aboutUnfetched(r.Registrations()[0].JWKSURL) + " Or does the tool still use the keys of an earlier run? Then restart it."
}

// hasNoSuchPage says whether the tool's server knows no launches where the answer was sent:
// it says so without having looked for the key that the token is signed with.
func (r *Run) hasNoSuchPage(f *Flow) bool {
	statuses := f.Statuses()
	return len(statuses) > 0 && slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, statuses[0]) && !r.LookedForKey(nil)
}

// targetLinkURI is what the launch is to open.
func (f *Flow) targetLinkURI() string {
	target, _ := f.Sent().Text(lti.ClaimTargetLinkURI)
	return target
}

// sound says whether a page can be that of a launch at all.
func sound(t *agent.Trip) bool {
	return t.Ended == agent.Settled && t.Page.Status/100 == 2 && (t.Page.Text != "" || t.Page.Title != "" || strings.Count(t.Skeleton, " ") > 3)
}

func answeredBy(f *Flow, rawURL string) bool {
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool {
		return strings.HasPrefix(s.URL, rawURL) && s.Status != 0
	})
}

// answeredAt is where the platform's answer was sent.
func answeredAt(f *Flow) string {
	action, _, _ := f.Launch.Answer() // there is one
	return action
}

func sentTo(f *Flow, rawURL string) string {
	for _, s := range f.Trip.Steps {
		if strings.HasPrefix(s.URL, rawURL) {
			return s.Method + " " + results.Bounded(s.URL, 1000)
		}
	}
	return "the login initiation to " + rawURL
}

func sameSite(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Hostname() == ub.Hostname()
}
