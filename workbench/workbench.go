// Package workbench keeps the fakes up behind a page on this machine, for people who want to look
// closer: they compose a message with any stimulus, send it by their own browser, watch what comes
// and goes at the fakes, and take along what repeats it. It judges nothing.
//
// What it shows comes from strangers: it is bounded, escaped, and without secrets.
package workbench

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness/config"
)

// Options say what to keep up.
type Options struct {
	// Config names the subject: a tool, which the fake platform launches, or a platform, which
	// launches the fake tool. In the demo both fakes face each other.
	Config config.Config
	// Listen is the host:port of the page. Everybody who reaches it can send messages.
	Listen string
	// Client fetches the key sets of the subject.
	Client *http.Client
	// ToolKey is the fake tool's key pair, which a platform knows.
	ToolKey jwk.Key
}

// A Workbench is a page with the fakes behind it.
type Workbench struct {
	config   config.Config
	url      string
	names    []string               // the hosts that the page is asked for by
	platform *fakeplatform.Platform // nil where a platform is looked at
	prober   *faketool.Tool         // that is launched by a platform, and holds each login; nil where a tool is looked at
	watched  exchanges
	token    string // that every form of the page has

	mu   sync.Mutex
	sent []*sending

	servers []*http.Server
}

// probingClient is the client_id of the tool that holds logins, in the demo.
const probingClient = "invigilator-2"

// Start begins to serve. Close ends it.
func Start(o Options) (*Workbench, error) {
	w := &Workbench{config: o.Config, watched: exchanges{changed: make(chan struct{})}, token: newToken()}
	if err := w.start(o); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *Workbench) start(o Options) error {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	var err error
	switch c := o.Config; {
	case c.IsEmbedded():
		err = w.startBoth(o)
	case c.Side == config.PlatformSide:
		err = w.startForPlatform(o)
	default:
		err = w.startForTool(o)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String()) // it listens there
	host, _, _ := net.SplitHostPort(o.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	w.url = "http://" + net.JoinHostPort(host, port)
	w.names = []string{net.JoinHostPort(host, port), "localhost:" + port, "127.0.0.1:" + port}
	w.serve(listener, w.page())
	return nil
}

// startBoth lets both fakes face each other.
func (w *Workbench) startBoth(o Options) error {
	atPlatform, platformURL, err := listen("127.0.0.1:0", "")
	if err != nil {
		return err
	}
	atTool, toolURL, err := listen("127.0.0.1:0", "")
	if err != nil {
		return err
	}
	atProber, proberURL, err := listen("127.0.0.1:0", "")
	if err != nil {
		return err
	}
	if w.platform, err = fakeplatform.New(fakeplatform.Options{URL: platformURL, Client: o.Client}); err != nil {
		return err
	}
	tool, err := faketool.New(faketool.Options{URL: toolURL, Client: o.Client, Faults: o.Config.Embedded.Faults})
	if err != nil {
		return err
	}
	if w.prober, err = faketool.New(faketool.Options{URL: proberURL, Client: o.Client}); err != nil {
		return err
	}
	w.prober.HoldLogins(true)
	for clientID, to := range map[string]*faketool.Tool{o.Config.Registration.ClientID: tool, probingClient: w.prober} {
		deployments := []string{o.Config.Registration.DeploymentID}
		err := errors.Join(
			w.platform.Register(fakeplatform.Registration{
				ClientID: clientID, LoginURL: to.LoginURL(), RedirectURIs: []string{to.LaunchURL()}, TargetLinkURI: to.LaunchURL(), DeploymentIDs: deployments, JWKSURL: to.JWKSURL(),
			}),
			to.Register(faketool.Registration{
				Issuer: w.platform.Issuer(), ClientID: clientID, AuthURL: w.platform.AuthURL(), JWKSURL: w.platform.JWKSURL(), DeploymentIDs: deployments, TokenURL: w.platform.TokenURL(),
			}))
		if err != nil {
			return err
		}
	}
	w.serve(atPlatform, w.watched.wrap("fake platform", platformURL, false, w.platform))
	w.serve(atTool, w.watched.wrap("fake tool", toolURL, false, tool))
	w.serve(atProber, w.watched.wrap("fake tool that waits", proberURL, true, w.prober))
	return nil
}

// startForTool keeps up the fake platform that a tool is launched by.
func (w *Workbench) startForTool(o Options) error {
	c := o.Config
	listener, address, err := listen(c.FakePlatform.Listen, c.FakePlatform.URL)
	if err != nil {
		return fmt.Errorf("fake_platform.listen: %w", err)
	}
	if w.platform, err = fakeplatform.New(fakeplatform.Options{URL: address, Client: o.Client}); err != nil {
		return err
	}
	err = w.platform.Register(fakeplatform.Registration{
		ClientID: c.Registration.ClientID, LoginURL: c.Tool.LoginURL, RedirectURIs: append([]string{c.Tool.LaunchURL}, c.Tool.RedirectURIs...),
		TargetLinkURI: cmp.Or(c.Tool.TargetLinkURI, c.Tool.LaunchURL), DeploymentIDs: []string{c.Registration.DeploymentID}, JWKSURL: c.Tool.JWKSURL,
	})
	w.serve(listener, w.watched.wrap("fake platform", address, false, w.platform))
	return err
}

// startForPlatform keeps up the fake tool that a platform launches.
func (w *Workbench) startForPlatform(o Options) error {
	c := o.Config
	listener, address, err := listen(c.FakeTool.Listen, c.FakeTool.URL)
	if err != nil {
		return fmt.Errorf("fake_tool.listen: %w", err)
	}
	if w.prober, err = faketool.New(faketool.Options{URL: address, Client: o.Client, Key: o.ToolKey}); err != nil {
		return err
	}
	w.prober.HoldLogins(true)
	err = w.prober.Register(faketool.Registration{
		Issuer: c.Platform.Issuer, ClientID: c.Registration.ClientID, AuthURL: c.Platform.AuthURL, JWKSURL: c.Platform.JWKSURL, TokenURL: c.Platform.TokenURL,
	})
	w.serve(listener, w.watched.wrap("fake tool", address, true, w.prober))
	return err
}

// listen begins to listen, and returns where browsers find that: at a public address, and else
// at localhost, which they trust with cookies of both sites.
func listen(at, public string) (net.Listener, string, error) {
	listener, err := net.Listen("tcp", at)
	if err != nil {
		return nil, "", err
	}
	if public != "" && !config.IsPrivate(public) {
		return listener, public, nil
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String()) // it listens there
	return listener, "http://localhost:" + port, nil
}

// serve answers until the workbench is closed.
func (w *Workbench) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 256 << 10}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }()
}

// URL is where the page is.
func (w *Workbench) URL() string { return w.url }

// Close ends it.
func (w *Workbench) Close() {
	for _, server := range slices.Backward(w.servers) {
		_ = server.Close()
	}
}

// A Fact is one that the other side has to know of a fake.
type Fact struct{ Name, Value string }

// Registration is what has to be registered in the subject, and nothing in the demo.
func (w *Workbench) Registration() []Fact {
	switch c := w.config; {
	case c.IsEmbedded():
		return nil
	case w.platform != nil:
		return []Fact{
			{"issuer", w.platform.Issuer()}, {"client_id", c.Registration.ClientID}, {"deployment_id", c.Registration.DeploymentID},
			{"authorization endpoint", w.platform.AuthURL()}, {"key set (JWKS)", w.platform.JWKSURL()}, {"token endpoint", w.platform.TokenURL()},
		}
	default:
		return []Fact{
			{"client_id", c.Registration.ClientID}, {"login initiation URL", w.prober.LoginURL()}, {"redirect URI", w.prober.LaunchURL()},
			{"target link URI", w.prober.LaunchURL()}, {"key set (JWKS) URL", w.prober.JWKSURL()},
		}
	}
}
