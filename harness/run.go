// Package harness is a run: the subject under test, the fake on the other
// side, the user agent between them, the evidence and the judgement. It knows
// nothing of how checks are organised; scenarios use it.
package harness

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/faketool"
	office "invigilator.example/faketool/dynamicregistration"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// embeddedToolURL is where the embedded fake tool is: on another site than the
// platform, as in production.
const embeddedToolURL = "https://tool.test"

// Run is one process's part of a run that judges a tool: a fake platform that
// launches it through a user agent. Its scenarios follow one another.
type Run struct {
	base
	tool     RegisteredTool // with everything that a real tool's configuration has
	platform *fakeplatform.Platform
	other    *fakeplatform.Platform // a second one; nil where the tool knows only one
	fakeTool *faketool.Tool         // where it is judged
	baseline baseline
	// redirectsAnew is set where the tool asks for its answer at another address in every
	// login, which nobody can have registered.
	redirectsAnew bool
	// loginByPost is set where the tool answers no login initiation by GET.
	loginByPost bool
	// keySetChanged is set where a launch since the last valid one met another
	// key set than is usual.
	keySetChanged bool
	proctors      map[agent.Agent]agent.User // signed in with the tool, by what carries them
	lastControl   *Flow                      // a valid launch, with nothing but valid ones since
	standing      *Work                      // that is there to be reviewed; nil until one is needed
	texts         []string                   // that learners have handed in
	meanwhile     func(wait func())          // lets other scenarios go on while one waits; nil where there are none
	// barred are the kinds of launch that the preflight has found not to work, with the
	// reason: they are not tried any further.
	barred map[launchKind]string
	// barredParts are the profiles of parts of which it has found that they cannot be judged.
	barredParts map[string]string

	// registrationFlows are those in which a real tool has registered itself when the run began.
	registrationFlows []*Flow

	// Guarded by base.mu:
	unplanned []fakeplatform.Unplanned
	firstStep time.Duration        // the longest that the first step of a check-in took in a valid launch
	asked     map[[2]string]string // the login that a state or nonce is of
}

// RegisteredTool is a tool under test, and what its registration of the fake platform says.
type RegisteredTool struct {
	config.Tool
	config.Registration
	// Messages are the types that a tool has named which has registered itself.
	Messages []string
}

// Start begins a run: the servers listen and the agent is ready. The number
// tells the processes of a parallel run apart. The context bounds the start only.
func Start(ctx context.Context, c config.Config, process int) (*Run, error) {
	r := &Run{base: newBase(c, process), tool: RegisteredTool{Tool: c.Tool, Registration: c.Registration}, barred: map[launchKind]string{}, barredParts: map[string]string{}, proctors: map[agent.Agent]agent.User{}}
	if err := r.start(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Run) start(ctx context.Context) error {
	platformURL, err := url.Parse(r.config.FakePlatform.URL)
	if err != nil {
		return fmt.Errorf("fake_platform.url: %w", err)
	}
	otherURL, err := url.Parse(r.config.FakePlatform.OtherURL)
	if err != nil {
		return fmt.Errorf("fake_platform.other_url: %w", err)
	}
	strangerURL, err := url.Parse(fakeplatform.Stranger)
	if err != nil {
		return err
	}
	cert, err := newCertificate(platformURL.Hostname(), otherURL.Hostname(), strangerURL.Hostname(), "tool.test")
	if err != nil {
		return err
	}
	hosts := cert.hosts()
	r.ours = []string{platformURL.Host, otherURL.Host, strangerURL.Host}

	// The sites get their addresses first and their contents later, so that
	// the browser starts while keys are made.
	var sites sites
	err = r.serveSites(cert, hosts, strangerURL.Hostname(), map[string]http.Handler{
		platformURL.Hostname(): &sites.platform, otherURL.Hostname(): &sites.other,
		strangerURL.Hostname(): http.HandlerFunc(serveStranger),
	})
	if err != nil {
		return err
	}
	if r.config.IsEmbedded() {
		if err := r.serveSubject(cert, hosts, "tool.test", &sites.tool, faketool.AcceptsOldTLS); err != nil {
			return err
		}
	} else {
		addr, err := r.serve(r.config.FakePlatform.Listen, nil, r.newDoor(
			platformDoorway(&sites.platform, r.config.FakePlatform.URL), r.secondDoorway(&sites.other), otherURL.Host))
		if err != nil {
			return fmt.Errorf("fake_platform.listen: %w; is another run going on? Another address will do if the tool knows the key set there", err)
		}
		r.config.FakePlatform.Listen = addr.String() // port 0 is any that is free
	}
	if err := r.trust(ctx, &hosts, r.addresses()...); err != nil {
		return err
	}
	r.transport, r.hosts = agent.Transport(hosts), hosts

	agentReady := r.startAgent(ctx, hosts)
	sitesErr := r.startSites(&sites)
	if err := <-agentReady; err != nil {
		return err
	}
	if sitesErr != nil {
		return sitesErr
	}
	if r.config.Registers() {
		if err := r.registerTool(ctx); err != nil {
			return err
		}
	}
	return r.knowTool()
}

// addresses are those of the tool, and the public ones of the run, to which browsers go.
func (r *Run) addresses() []string {
	t := r.tool
	list := append([]string{t.LoginURL, t.LaunchURL, t.TargetLinkURI, t.ProtectedURL, t.ProctoringTargetLinkURI, t.ReviewTargetLinkURI}, t.RedirectURIs...)
	for _, p := range r.publics() {
		list = append(list, p.url)
	}
	return append(list, r.config.Opened()...)
}

// startSites makes the platforms and, where it is the subject, the fake tool.
func (r *Run) startSites(sites *sites) error {
	var err error
	if r.keys, err = r.ownKeys(); err != nil {
		return err
	}
	if r.platform, err = r.startPlatform(&sites.platform, r.config.FakePlatform.URL, r.ServerURL()); err != nil {
		return err
	}
	if r.Has(config.MultiplePlatforms) {
		if r.other, err = r.startPlatform(&sites.other, r.config.FakePlatform.OtherURL, r.OtherServerURL()); err != nil {
			return err
		}
	} else {
		sites.other.set(http.NotFoundHandler())
	}
	if r.config.IsEmbedded() {
		if err := r.startFakeTool(&sites.tool); err != nil {
			return err
		}
	}
	return nil
}

// knowTool makes the tool known to the platforms.
func (r *Run) knowTool() error {
	r.tool.TargetLinkURI = cmp.Or(r.tool.TargetLinkURI, r.tool.LaunchURL)
	r.tool.ProctoringTargetLinkURI = cmp.Or(r.tool.ProctoringTargetLinkURI, r.tool.TargetLinkURI)
	r.tool.ReviewTargetLinkURI = cmp.Or(r.tool.ReviewTargetLinkURI, r.tool.TargetLinkURI)
	for _, known := range r.Registrations() {
		err := known.Platform.Register(fakeplatform.Registration{
			ClientID: known.ClientID, LoginURL: r.tool.LoginURL,
			RedirectURIs:  r.RedirectURIs(),
			TargetLinkURI: r.tool.TargetLinkURI, TargetLinkURIs: map[string]string{lti.SubmissionReviewRequest: r.tool.ReviewTargetLinkURI}, DeploymentIDs: known.DeploymentIDs, JWKSURL: r.tool.JWKSURL,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// secondDoorway leads to the second platform, where there is one.
func (r *Run) secondDoorway(site http.Handler) doorway {
	if !r.Has(config.MultiplePlatforms) {
		return doorway{}
	}
	return platformDoorway(site, r.config.FakePlatform.OtherURL)
}

func (r *Run) startPlatform(site *switchable, address, serverURL string) (*fakeplatform.Platform, error) {
	issuer := address
	if r.config.Registers() {
		issuer = serverURL // on the host of the configuration, as tools have to check
	}
	p, err := fakeplatform.New(fakeplatform.Options{
		URL: address, ServerURL: serverURL, Issuer: issuer, Now: r.Now, Keys: r.takeKey(),
		Client: &http.Client{Transport: r.transport, Timeout: r.Patience()},
		OnUnplanned: func(u fakeplatform.Unplanned) {
			if k := knockOf(u.Request); k != nil && !u.Known && u.Why != jwt.ErrNoKeySet.Error() {
				k.strange = true
				return
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.unplanned) <= maxFindings {
				r.unplanned = append(r.unplanned, u)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	site.set(r.recorder.wrap("platform", address, p))
	return p, nil
}

// toolJourneys are what candidates and proctors, learners and reviewers do in the
// embedded fake tool.
func toolJourneys() map[string]config.Journey {
	journeys := map[string]config.Journey{
		"checks-in": {Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}},
		"gives-up":  {Does: config.Cancel, Steps: config.Steps{{Click: "#cancel"}}},
		"hands-in": {Does: config.Submit, Steps: config.Steps{
			{Fill: "#submit-form textarea", With: "{work}"}, {Click: "#submit"}, {Wait: "#submitted"},
		}, Saved: savedSign, Failed: failedSign},
		"grades": {Does: config.Grade, Steps: config.Steps{
			{Fill: "#grade-form input", With: "{score}"}, {Click: "#grade"}, {Wait: "#graded"},
		}, Saved: savedSign, Failed: failedSign},
		"renames": {Does: config.RenameLineItem, Steps: config.Steps{
			{Fill: "#rename-form input", With: "{label}"}, {Click: "#rename"}, {Wait: "#renamed"},
		}, Saved: savedSign, Failed: failedSign},
		"reads-results":   {Does: config.ReadResults, Steps: config.Steps{{Click: "#read-results"}, {Wait: "#results"}}},
		"reads-members":   {Does: config.ReadMembers, Steps: config.Steps{{Click: "#members"}, {Wait: "#roster"}}},
		"chooses-content": {Does: config.ChooseContent, Steps: config.Steps{{Click: "input[name=item]"}, {Click: "#choose"}}},
	}
	for _, action := range config.Actions {
		journeys["proctor-"+string(action)] = config.Journey{Does: action, Steps: config.Steps{
			{Open: embeddedToolURL + proctoring.ProctorPath + "?candidate={candidate}"}, {Click: "." + string(action)}, {Wait: "#outcome"},
		}}
	}
	return journeys
}

// The signs of the embedded fake tool that the gradebook has taken what was sent to it,
// and that it has not.
var (
	savedSign  = config.Marker{Selector: "#outcome[data-saved=true]"}
	failedSign = config.Marker{Selector: "#outcome[data-saved=false]"}
)

// keyPatience is how long the embedded fake tool waits for a key set.
const keyPatience = time.Second

// startFakeTool puts the embedded fake tool, or a null peer, in the subject's place.
func (r *Run) startFakeTool(site *switchable) error {
	r.tool.RegistrationURL = embeddedToolURL + office.RegistrationPath
	r.tool.LoginURL = embeddedToolURL + faketool.LoginPath
	r.tool.LaunchURL = embeddedToolURL + faketool.LaunchPath
	r.tool.JWKSURL = embeddedToolURL + faketool.JWKSPath
	r.tool.InstructorView.Selector, r.tool.UserSelector, r.tool.ResourceSelector, r.tool.ReturnSelector = "#teacher", "#user", "#link", "#return"
	if slices.Contains(r.config.Embedded.Faults, faketool.NeedsResourceParameter) {
		r.tool.Custom = map[string]string{"resource": "$ResourceLink.id"}
	}
	if slices.Contains(r.config.Embedded.Faults, faketool.NeedsCourseNumber) {
		r.tool.Claims = map[string]any{lti.ClaimLIS: map[string]any{"course_offering_sourcedid": "AN-1"}}
	}
	r.config.Journeys = toolJourneys()
	// Its pages are whole when they have loaded, and it is there or it is not.
	r.config.Browser.IdleTime, r.config.Timeout.PageSign, r.config.Timeout.Restart = 0, 0, 0
	options := faketool.Options{
		URL: embeddedToolURL, Faults: r.config.Embedded.Faults, Now: r.Now,
		Watch:  len(r.config.Embedded.Faults) == 0, // the proof asks it of a tool without faults
		Client: &http.Client{Transport: r.transport, Timeout: keyPatience},
	}
	if keys := r.takeKey(); len(keys) > 0 {
		options.Key = keys[0]
	}
	tool, err := r.registeredTool(options)
	if err != nil {
		return err
	}
	r.fakeTool = tool
	faced, err := r.twoFaced(tool, func() (http.Handler, error) {
		options.Faults = nil
		return r.registeredTool(options)
	})
	if err != nil {
		return err
	}
	site.set(r.recorder.wrap("tool", embeddedToolURL, r.takeOver(faced)))
	return nil
}

// registeredTool makes an embedded fake tool that knows the platforms.
func (r *Run) registeredTool(options faketool.Options) (*faketool.Tool, error) {
	tool, err := faketool.New(options)
	if err != nil {
		return nil, err
	}
	for _, known := range r.Registrations() {
		err := tool.Register(faketool.Registration{
			Issuer: known.Platform.Issuer(), ClientID: known.ClientID, AuthURL: known.AuthURL,
			JWKSURL: known.JWKSURL, DeploymentIDs: known.DeploymentIDs, TokenURL: known.TokenURL,
		})
		if err != nil {
			return nil, err
		}
	}
	return tool, nil
}

// consulted returns the faults that would have made a difference to the
// embedded fake tool since it was last called.
func (r *Run) consulted() []string {
	if r.fakeTool == nil {
		return nil
	}
	return r.fakeTool.FaultsReached()
}

// Platform is the run's fake platform.
func (r *Run) Platform() *fakeplatform.Platform { return r.platform }

// Other is a second platform; nil where the tool knows only one.
func (r *Run) Other() *fakeplatform.Platform { return r.other }

// ServerURL is where the tool's server finds the platform.
func (r *Run) ServerURL() string {
	if r.config.IsEmbedded() {
		return r.config.FakePlatform.URL
	}
	return r.config.FakePlatform.ServerURL()
}

// OtherServerURL is where the tool's server finds the second platform.
func (r *Run) OtherServerURL() string {
	if r.config.IsEmbedded() {
		return r.config.FakePlatform.OtherURL
	}
	return r.config.FakePlatform.OtherServerURL()
}

// CrowdSize is how many users are launched at once.
func (r *Run) CrowdSize() int { return r.config.ConcurrentLaunches }

// Visit is a visit to a page, as patient as those of launches.
func (r *Run) Visit(address string) agent.Visit { return r.visit(address) }

// Tool is the tool under test, with the defaults filled in.
func (r *Run) Tool() RegisteredTool { return r.tool }

// Subject describes the tool under test for the report.
func (r *Run) Subject() results.Subject {
	return results.Subject{
		Name: r.config.SubjectName(), Side: string(config.ToolSide), URL: r.tool.LoginURL,
		Embedded: r.config.IsEmbedded(), Faults: r.config.Embedded.Faults,
	}
}

// takeUnplanned returns the unplanned requests since it was last asked.
func (r *Run) takeUnplanned() []fakeplatform.Unplanned {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.unplanned
	r.unplanned = nil
	return taken
}

// hashOf names an image by its content, so that the same one is kept once.
func hashOf(image []byte) string {
	sum := sha256.Sum256(image)
	return hex.EncodeToString(sum[:12])
}
