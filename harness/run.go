// Package harness is a run: the subject under test, the fake on the other
// side, the user agent between them, the evidence and the judgement. It knows
// nothing of how checks are organised; scenarios use it.
package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"invigilator/fakeplatform"
	"invigilator/faketool"
	"invigilator/harness/agent"
	"invigilator/harness/config"
	"invigilator/results"
)

// embeddedToolURL is where the embedded fake tool is: on another site than the
// platform, as in production.
const embeddedToolURL = "https://tool.test"

// Run is one process's part of a run: a fake platform that launches the tool
// under test through a user agent. Its scenarios follow one another.
type Run struct {
	process   int
	config    config.Config
	tool      config.Tool // with everything that a real tool's configuration has
	platform  *fakeplatform.Platform
	agent     agent.Agent
	transport *http.Transport // reaches the tool as the agent does
	hosts     agent.Hosts
	recorder  recorder
	baseline  baseline
	// loginByPost is set where the tool answers no login initiation by GET.
	loginByPost bool
	dead        int // valid launches in a row that got no answer

	mu        sync.Mutex
	unplanned []fakeplatform.Unplanned
	flows     int
	closers   []func()
}

// Start begins a run: the servers listen and the agent is ready. The number
// tells the processes of a parallel run apart. The context bounds the start only.
func Start(ctx context.Context, c config.Config, process int) (*Run, error) {
	r := &Run{config: c, tool: c.Tool, process: process}
	if err := r.start(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Run) start(ctx context.Context) error {
	platformURL, err := url.Parse(r.config.Platform.URL)
	if err != nil {
		return fmt.Errorf("platform.url: %w", err)
	}
	embedded := r.config.IsEmbedded()
	cert, err := newCertificate(platformURL.Hostname(), "tool.test")
	if err != nil {
		return err
	}
	hosts := cert.hosts()

	// The sites get their addresses first and their contents later, so that
	// the browser starts while keys are made.
	var platform, tool switchable
	if embedded || r.config.Platform.Private() {
		addr, err := r.serve("127.0.0.1:0", cert, &platform)
		if err != nil {
			return err
		}
		hosts.Addresses[platformURL.Hostname()] = addr.String()
	}
	if embedded {
		addr, err := r.serve("127.0.0.1:0", cert, &tool)
		if err != nil {
			return err
		}
		hosts.Addresses["tool.test"] = addr.String()
	} else {
		addr, err := r.serve(r.config.Platform.Listen, nil, &platform)
		if err != nil {
			return fmt.Errorf("platform.listen: %w; is another run going on? Another address will do if the tool knows the key set there", err)
		}
		r.config.Platform.Listen = addr.String() // port 0 is any that is free
	}
	r.transport, r.hosts = agent.Transport(hosts), hosts

	type started struct {
		agent agent.Agent
		err   error
	}
	opened := make(chan started, 1)
	go func() {
		a, err := r.startAgent(ctx, hosts)
		opened <- started{a, err}
	}()
	sitesErr := r.startSites(&platform, &tool)
	s := <-opened
	if s.err != nil {
		return s.err
	}
	r.agent = s.agent
	r.onClose(r.agent.Close)
	return sitesErr
}

func (r *Run) startAgent(ctx context.Context, hosts agent.Hosts) (agent.Agent, error) {
	if r.config.Agent == "http" {
		return agent.NewHTTP(hosts), nil
	}
	return agent.StartBrowser(ctx, agent.BrowserOptions{
		Path: r.config.Browser.Path, Remote: r.config.Browser.Remote, Headed: r.config.Browser.Headed, Hosts: hosts,
	})
}

// startSites makes the platform and, where it is the subject, the fake tool.
func (r *Run) startSites(platform, tool *switchable) error {
	p, err := fakeplatform.New(fakeplatform.Options{
		URL: r.config.Platform.URL,
		OnUnplanned: func(u fakeplatform.Unplanned) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.unplanned) <= maxFindings {
				r.unplanned = append(r.unplanned, u)
			}
		},
	})
	if err != nil {
		return err
	}
	r.platform = p
	platform.set(r.recorder.wrap("platform", r.config.Platform.URL, p))
	if r.config.IsEmbedded() {
		if err := r.startFakeTool(tool); err != nil {
			return err
		}
	}
	if r.tool.TargetLinkURI == "" {
		r.tool.TargetLinkURI = r.tool.LaunchURL
	}
	return p.Register(fakeplatform.Registration{
		ClientID: r.tool.ClientID, LoginURL: r.tool.LoginURL,
		RedirectURIs:  append([]string{r.tool.LaunchURL}, r.tool.RedirectURIs...),
		TargetLinkURI: r.tool.TargetLinkURI, DeploymentIDs: []string{r.tool.DeploymentID},
	})
}

// startFakeTool puts the embedded fake tool, or a null peer, in the subject's place.
func (r *Run) startFakeTool(site *switchable) error {
	if r.tool.Name == "" {
		r.tool.Name = "embedded fake tool"
	}
	r.tool.LoginURL = embeddedToolURL + faketool.LoginPath
	r.tool.LaunchURL = embeddedToolURL + faketool.LaunchPath
	r.config.Patience.Quiet, r.config.Patience.Marker = 0, 0 // its pages are whole when they have loaded
	if name := r.config.Embedded.NullPeer; name != "" {
		r.tool.Name = "null peer " + name
		site.set(r.recorder.wrap("tool", embeddedToolURL, nullPeer(name)))
		return nil
	}
	tool, err := faketool.New(faketool.Options{
		URL: embeddedToolURL, Faults: r.config.Embedded.Faults, Client: &http.Client{Transport: r.transport},
	})
	if err != nil {
		return err
	}
	site.set(r.recorder.wrap("tool", embeddedToolURL, tool))
	return tool.Register(faketool.Registration{
		Issuer: r.platform.Issuer(), ClientID: r.tool.ClientID, AuthURL: r.platform.AuthURL(),
		JWKSURL: r.JWKSURL(), DeploymentIDs: []string{r.tool.DeploymentID},
	})
}

func (r *Run) onClose(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closers = append(r.closers, f)
}

// Close ends the run's servers and its agent.
func (r *Run) Close() {
	r.mu.Lock()
	closers := slices.Clone(r.closers)
	r.closers = nil
	r.mu.Unlock()
	for _, f := range slices.Backward(closers) {
		f()
	}
	if r.transport != nil {
		r.transport.CloseIdleConnections()
	}
}

// Platform is the run's fake platform.
func (r *Run) Platform() *fakeplatform.Platform { return r.platform }

// JWKSURL is where the tool's server finds the platform's key set.
func (r *Run) JWKSURL() string {
	if r.config.IsEmbedded() {
		return r.config.Platform.URL + fakeplatform.JWKSPath
	}
	return r.config.Platform.JWKSURL()
}

// Tool is the tool under test, with the defaults filled in.
func (r *Run) Tool() config.Tool { return r.tool }

// Hosts are the sites that only the run knows, for a browser of one's own.
func (r *Run) Hosts() agent.Hosts { return r.hosts }

// Agent says what carries the users.
func (r *Run) Agent() results.Agent { return r.agent.About() }

// Subject describes the tool under test for the report.
func (r *Run) Subject() results.Subject {
	name := r.tool.Name
	if name == "" {
		if u, err := url.Parse(r.tool.LoginURL); err == nil {
			name = u.Host
		}
	}
	return results.Subject{
		Name: name, Side: "tool", URL: r.tool.LoginURL, Embedded: r.config.IsEmbedded(), Faults: r.config.Embedded.Faults,
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

// dial reaches a server as the agent does.
func (r *Run) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return r.transport.DialContext(ctx, network, address)
}

// switchable is a handler whose content comes later.
type switchable struct {
	ready   chan struct{}
	once    sync.Once
	handler http.Handler
}

func (s *switchable) init() { s.once.Do(func() { s.ready = make(chan struct{}) }) }

func (s *switchable) set(h http.Handler) {
	s.init()
	s.handler = h
	close(s.ready)
}

// ServeHTTP waits for the content.
func (s *switchable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	select {
	case <-s.ready:
		s.handler.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
}

// hashOf names an image by its content, so that the same one is kept once.
func hashOf(image []byte) string {
	sum := sha256.Sum256(image)
	return hex.EncodeToString(sum[:12])
}
