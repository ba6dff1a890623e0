package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/campus"
	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// PlatformRun is one process's part of a run that judges a platform: journeys
// make it launch a fake tool, which holds each login and then probes the platform
// with an authentication request. Its scenarios follow one another.
type PlatformRun struct {
	base
	platform   RegisteredPlatform // with everything that a real platform's configuration has
	users      map[string]config.User
	journeys   map[string]config.Journey
	tool       *faketool.Tool
	other      *faketool.Tool          // a second one; nil where the platform knows only one
	toolKeys   [2]jwk.Key              // of the two tools
	campus     *campus.Campus          // where it is judged
	seats      map[place]*Seat         // of users who stay signed in
	copied     string                  // what {unique} stood for when the course was copied last
	missing    map[Need]string         // what the preflight has found missing, and why
	partly     *results.Diagnosis      // why some profiles cannot be judged; nil where nothing says so
	granted    *faketool.TokenProbe    // a request for an access token that the platform has granted
	learning   map[part]int            // how often it was tried whether a service works
	valid      map[part]ServiceRequest // that were answered last as they have to be
	recovering bool                    // it is being tried whether one works again
	works      bool                    // the last launch was a valid one, and worked
	// byPost is set where the platform answers no authentication request by GET.
	byPost bool
}

// RegisteredPlatform is a platform under test, what its registration of the fake tool
// says, and the target link URIs that its links and reviews were given.
type RegisteredPlatform struct {
	config.Platform
	config.Registration
	TargetLinkURI, ReviewTargetLinkURI string
}

// registered returns the platform under test as a configuration describes it.
func registered(c config.Config) RegisteredPlatform {
	return RegisteredPlatform{c.Platform, c.Registration, c.FakeTool.TargetLinkURI, c.FakeTool.ReviewTargetLinkURI}
}

// StartPlatform begins a run: the servers listen and the agent is ready. The
// number tells the processes of a parallel run apart. The context bounds the
// start only.
func StartPlatform(ctx context.Context, c config.Config, process int) (*PlatformRun, error) {
	r := &PlatformRun{
		base:     newBase(c, process),
		platform: registered(c), users: c.Users, journeys: c.Journeys, seats: map[place]*Seat{},
		learning: map[part]int{}, valid: map[part]ServiceRequest{},
	}
	if err := r.start(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// stranger names the site that nothing is to be sent to, as a witness.
const stranger = "stranger"

// platformSites are those that the run itself serves.
type platformSites struct{ tool, other, platform switchable }

func (r *PlatformRun) start(ctx context.Context) error {
	toolURL, err := url.Parse(r.config.FakeTool.URL)
	if err != nil {
		return fmt.Errorf("fake_tool.url: %w", err)
	}
	otherURL, err := url.Parse(r.config.FakeTool.OtherURL)
	if err != nil {
		return fmt.Errorf("fake_tool.other_url: %w", err)
	}
	platformURL, err := url.Parse(r.config.FakePlatform.URL)
	if err != nil {
		return fmt.Errorf("fake_platform.url: %w", err)
	}
	strangerURL, err := url.Parse(faketool.Stranger)
	if err != nil {
		return err
	}
	cert, err := newCertificate(toolURL.Hostname(), otherURL.Hostname(), strangerURL.Hostname(), platformURL.Hostname())
	if err != nil {
		return err
	}
	hosts := cert.hosts()
	r.ours = []string{toolURL.Host, otherURL.Host, strangerURL.Host}
	var sites platformSites
	strangerSite := r.recorder.wrap(stranger, faketool.Stranger, http.HandlerFunc(serveStranger))
	err = r.serveSites(cert, hosts, strangerURL.Hostname(), map[string]http.Handler{
		toolURL.Hostname(): &sites.tool, otherURL.Hostname(): &sites.other, strangerURL.Hostname(): strangerSite,
	})
	if err != nil {
		return err
	}
	if r.config.IsEmbedded() {
		if err := r.serveSubject(cert, hosts, platformURL.Hostname(), &sites.platform, fakeplatform.AcceptsOldTLS); err != nil {
			return err
		}
	} else {
		addr, err := r.serve(r.config.FakeTool.Listen, nil, r.newDoor(
			toolDoorway(&sites.tool, r.config.FakeTool.URL), r.secondDoorway(&sites.other), otherURL.Host))
		if err != nil {
			return fmt.Errorf("fake_tool.listen: %w; is another run going on?", err)
		}
		r.config.FakeTool.Listen = addr.String() // port 0 is any that is free
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
	return sitesErr
}

// addresses are those of the platform, and the public ones of the run, to which browsers go.
func (r *PlatformRun) addresses() []string {
	list := []string{r.platform.Issuer, r.platform.AuthURL}
	for _, p := range r.publics() {
		list = append(list, p.url)
	}
	return append(list, r.config.Opened()...)
}

// startSites makes the tools and, where it is the subject, the campus.
func (r *PlatformRun) startSites(sites *platformSites) error {
	var err error
	if r.keys, err = r.ownKeys(); err != nil {
		return err
	}
	if r.config.IsEmbedded() {
		if err := r.startCampus(&sites.platform); err != nil {
			return err
		}
	}
	r.platform.TargetLinkURI = r.ToolRegistrations()[0].TargetLinkURI
	for i := range r.toolKeys {
		if i > 0 && !r.Has(config.MultipleTools) {
			break
		}
		if keys := r.takeKey(); len(keys) > 0 {
			r.toolKeys[i] = keys[0]
		} else if r.toolKeys[i], err = r.toolKey(i); err != nil {
			return err
		}
	}
	if r.tool, err = r.startTool(&sites.tool, r.config.FakeTool.URL, r.platform.ClientID, r.toolKeys[0]); err != nil {
		return err
	}
	if !r.Has(config.MultipleTools) {
		sites.other.set(http.NotFoundHandler())
		return nil
	}
	r.other, err = r.startTool(&sites.other, r.config.FakeTool.OtherURL, r.platform.OtherClientID, r.toolKeys[1])
	return err
}

// startCampus puts the embedded campus, or a null peer, in the subject's place.
func (r *PlatformRun) startCampus(site *switchable) error {
	address, password := r.config.FakePlatform.URL, lti.RandomString()
	known, err := config.Load(config.Sources{
		Side: config.PlatformSide, Text: campus.Configuration,
		Environ: []string{"CAMPUS_URL=" + address, "CAMPUS_PASSWORD=" + password},
	})
	if err != nil {
		return fmt.Errorf("configuration of the campus: %w", err)
	}
	r.platform, r.users, r.journeys = registered(known), known.Users, known.Journeys
	r.config.Secrets = known.Secrets
	// Its pages are whole when they have loaded, and it is there or it is not.
	r.config.Browser.IdleTime, r.config.Timeout.Restart = 0, 0
	var tools []campus.Tool
	for _, known := range r.ToolRegistrations() {
		tools = append(tools, campus.Tool{
			ClientID: known.ClientID, LoginURL: known.LoginURL, RedirectURIs: known.RedirectURIs, TargetLinkURI: known.TargetLinkURI, JWKSURL: known.JWKSURL,
		})
	}
	options := campus.Options{
		URL: address, Password: password, Tools: tools, Now: r.Now, Keys: r.takeKey(), Faults: r.config.Embedded.Faults,
		// The proof asks it of a campus without faults.
		Watch:  len(r.config.Embedded.Faults) == 0,
		Client: &http.Client{Transport: r.transport, Timeout: keyPatience},
	}
	c, err := campus.New(options)
	if err != nil {
		return err
	}
	r.campus = c
	faced, err := r.twoFaced(c, func() (http.Handler, error) {
		options.Faults = nil
		return campus.New(options)
	})
	if err != nil {
		return err
	}
	site.set(r.recorder.wrap("platform", address, r.takeOver(faced)))
	return nil
}

// secondDoorway leads to the second tool, where there is one.
func (r *PlatformRun) secondDoorway(site http.Handler) doorway {
	if !r.Has(config.MultipleTools) {
		return doorway{}
	}
	return toolDoorway(site, r.config.FakeTool.OtherURL)
}

func (r *PlatformRun) startTool(site *switchable, address, clientID string, key jwk.Key) (*faketool.Tool, error) {
	options := faketool.Options{
		URL: address, Now: r.Now, Key: key, Client: &http.Client{Transport: r.transport, Timeout: r.Patience()},
	}
	if address == r.config.FakeTool.URL {
		other := r.ToolRegistrations()[1]
		options.OtherTool = faketool.OtherTool{ClientID: other.ClientID, RedirectURI: other.RedirectURIs[0], Key: other.Key}
	}
	tool, err := faketool.New(options)
	if err != nil {
		return nil, err
	}
	tool.HoldLogins(true)
	site.set(r.recorder.wrap("tool", address, ofTool(tool)))
	return tool, tool.Register(faketool.Registration{
		Issuer: r.platform.Issuer, ClientID: clientID, AuthURL: r.platform.AuthURL, JWKSURL: r.platform.JWKSURL, TokenURL: r.platform.TokenURL,
	})
}

// toolKey returns the key pair of one of the fake tools that a real platform knows.
func (r *PlatformRun) toolKey(i int) (jwk.Key, error) {
	path := r.config.FakeTool.KeyFile
	if i > 0 {
		path = strings.TrimSuffix(path, filepath.Ext(path)) + "-2" + filepath.Ext(path)
	}
	return ToolKey(path)
}

// ToolKey returns the fake tool's key pair, which a file keeps, so that a
// platform needs to be told only once. It makes one where there is no file.
func ToolKey(path string) (jwk.Key, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeToolKey(path); err != nil {
			return nil, fmt.Errorf("fake_tool.key_file: %w", err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("fake_tool.key_file: %w", err)
	}
	key, err := jwk.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("fake_tool.key_file: %s holds no key pair: %w", path, err)
	}
	if private, err := jwk.IsPrivateKey(key); err != nil || !private {
		return nil, fmt.Errorf("fake_tool.key_file: %s holds no key pair", path)
	}
	return key, nil
}

// makeToolKey writes a new key pair into a file, unless somebody else has done so
// meanwhile: of two runs that begin together both go on with the key of one. The file
// appears whole.
func makeToolKey(path string) error {
	key, err := lti.NewKey()
	if err != nil {
		return err
	}
	text, err := json.Marshal(key)
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), ".*-"+filepath.Base(path)) // for its owner alone
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(fresh.Name()) }()
	_, err = fresh.Write(text)
	if err := errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	err = os.Link(fresh.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// A file system without links: there they could get in each other's way.
	return os.Rename(fresh.Name(), path)
}

// A ToolRegistration is what the platform has to know of a fake tool.
type ToolRegistration struct {
	ClientID      string
	LoginURL      string // with a query of its own, which the platform has to keep
	RedirectURIs  []string
	TargetLinkURI string
	JWKSURL       string // where the platform's server reaches it
	Key           jwk.Key
}

// resource is the query of the target link URI, which a platform has to keep.
const resource = "chapter=1"

// ToolRegistrations are those of the fake tool and of the second one, which the
// feature multiple-tools needs.
func (r *PlatformRun) ToolRegistrations() []ToolRegistration {
	known := ToolRegistrations(r.config, r.platform.Registration)
	for i := range known {
		known[i].Key = r.toolKeys[i]
	}
	return known
}

// ToolRegistrations are those of the fake tool of a configuration and of the second one, where
// the platform gives them the client_ids of a registration. They have no keys.
func ToolRegistrations(c config.Config, p config.Registration) []ToolRegistration {
	at := func(clientID, address, query, keys string) ToolRegistration {
		return ToolRegistration{
			ClientID: clientID, LoginURL: address + faketool.LoginPath + query, RedirectURIs: []string{address + faketool.LaunchPath},
			TargetLinkURI: cmp.Or(c.FakeTool.TargetLinkURI, address+faketool.LaunchPath+"?"+resource), JWKSURL: keys + faketool.JWKSPath,
		}
	}
	server, otherServer := c.FakeTool.ServerURL(), c.FakeTool.OtherServerURL()
	if c.IsEmbedded() {
		server, otherServer = c.FakeTool.URL, c.FakeTool.OtherURL
	}
	first := at(p.ClientID, c.FakeTool.URL, "?"+Tenant+"="+FirstTenant, server)
	if c.Has(config.RedirectURIQuery) {
		first.RedirectURIs = append(first.RedirectURIs, first.RedirectURIs[0]+"?from=platform")
	}
	other := at(p.OtherClientID, c.FakeTool.OtherURL, "", otherServer)
	other.TargetLinkURI = other.RedirectURIs[0]
	return []ToolRegistration{first, other}
}

// consulted returns the faults that would have made a difference to the embedded
// campus since it was last called. Those of what an id_token says make none to
// scenarios that read no id_token.
func (r *PlatformRun) consulted(readMessage bool) []string {
	if r.campus == nil {
		return nil
	}
	return slices.DeleteFunc(r.campus.Platform().FaultsReached(), func(name string) bool {
		fault, _ := fakeplatform.FaultNamed(name)
		return !readMessage && fault.InMessage()
	})
}

// Tool is the run's fake tool.
func (r *PlatformRun) Tool() *faketool.Tool { return r.tool }

// Platform is the platform under test, with the defaults filled in.
func (r *PlatformRun) Platform() RegisteredPlatform { return r.platform }

// User is what the platform's records say of a user, and false where the user is
// not configured.
func (r *PlatformRun) User(name string) (config.User, bool) {
	user, ok := r.users[name]
	return user, ok
}

// Users are the names of those who are configured, in alphabetical order.
func (r *PlatformRun) Users() []string { return slices.Sorted(maps.Keys(r.users)) }

// Journeys are the names of those that are configured, in alphabetical order.
func (r *PlatformRun) Journeys() []string { return slices.Sorted(maps.Keys(r.journeys)) }

// Subject describes the platform under test for the report.
func (r *PlatformRun) Subject() results.Subject {
	return results.Subject{
		Name: r.config.SubjectName(), Side: string(config.PlatformSide), URL: r.platform.Issuer,
		Embedded: r.config.IsEmbedded(), Faults: r.config.Embedded.Faults,
	}
}

// Close ends the run's servers, its users' browsers and its agent.
func (r *PlatformRun) Close() {
	r.tidy()
	for _, seat := range r.seats {
		seat.Close()
	}
	clear(r.seats)
	r.base.Close()
}

// tidy ends what the last scenarios have left under way in a real platform, so that the next
// run finds none.
func (r *PlatformRun) tidy() {
	if r.config.IsEmbedded() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.config.Timeout.Restart.Std())
	defer cancel()
	scene := r.scene(observer[*PlatformFlow]{base: &r.base, tb: mustHold{}, fragment: emptyFragment()})
	for _, p := range parts {
		if p.Tidy != nil {
			_ = p.Tidy(ctx, scene, false) // the run is over: there is nowhere to tell of it
		}
	}
}

// visit returns what every visit has in common.
func (r *PlatformRun) visit(address string) agent.Visit {
	p := r.config.Timeout
	return agent.Visit{
		URL: address, Quiet: r.config.Browser.IdleTime.Std(), Deadline: p.Launch.Std(), Screenshot: true,
		Also: []agent.Marker{{Name: signInMarker, Selector: "input[type=password]"}},
	}
}

// signInMarker names the sign of a page that asks the user to log in.
const signInMarker = "sign-in"
