package harness

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// base is what a run stands on, whichever side it judges: servers, a clock, the
// user agent and the record of what the servers saw.
type base struct {
	process   int
	config    config.Config
	main      agent.Agent             // that the configuration names; the browser for auto
	plain     agent.Agent             // plain HTTP, which carries crowds as well
	agent     agent.Agent             // of the two, the one that carries the users now
	shown     map[flowKind]comparison // of the two agents, with auto
	passed    time.Duration           // by which the clocks of the fakes have been put forward
	transport *http.Transport         // reaches the subject as the agent does
	hosts     agent.Hosts
	recorder  recorder
	door      *door     // where a real subject's server comes; nil for an embedded one
	keys      []jwk.Key // for the fakes; each makes its own when there are none
	takenOver *takeover // where a null peer takes the embedded subject's place

	keySets map[string]bool // the addresses of those that could be read
	// limited is set where a subject took no more requests for now, and took none in time.
	limited  bool
	gone     map[part]string // why parts of the subject count as gone for good
	toldGone map[part]bool   // those that the report tells of
	known    map[part]bool   // the parts that have been seen to work
	// troubles is how often a flow, or a valid launch that did not work, has shown that the
	// subject was away, and lastTrouble what was seen then.
	troubles    int
	lastTrouble string

	memory   memory   // of parts
	breaches breaches // of invariants
	sessions sessions // of the subject's, by its cookies
	ours     []string // the hosts of the run's own, where no cookie is the subject's

	mu            sync.Mutex
	evidenceBytes int // that were kept so far
	pictureBytes  int
	thinned       int // flows that there was no room for
	flows         int
	closers       []func()
}

func newBase(c config.Config, process int) base {
	return base{config: c, memory: memory{}, process: process, keySets: map[string]bool{}, shown: map[flowKind]comparison{}, gone: map[part]string{}, toldGone: map[part]bool{}, known: map[part]bool{}}
}

// startAgent starts the agent while other things go on, and tells when it is
// ready.
func (r *base) startAgent(ctx context.Context, hosts agent.Hosts) <-chan error {
	ready := make(chan error, 1)
	r.plain = agent.NewHTTP(hosts)
	r.onClose(r.plain.Close)
	go func() {
		var err error
		if r.configured() == results.HTTP {
			r.main = r.plain
		} else if r.main, err = agent.StartBrowser(ctx, agent.BrowserOptions{
			Path: r.config.Browser.Path, Remote: r.config.Remote(r.process), Headed: r.config.Browser.Headed, Hosts: hosts,
		}); err != nil {
			r.main = nil
		}
		if err == nil {
			r.agent = r.main
			r.onClose(r.main.Close)
		}
		ready <- err
	}()
	return ready
}

// embeddedKeys are the keys of the fakes where the subject is one of them. All such runs of
// a process have the same: it takes longer to make them than to make many launches.
var embeddedKeys = sync.OnceValues(func() ([]jwk.Key, error) {
	var keys []jwk.Key
	for range 3 { // two platforms and a tool, or a platform and two tools
		key, err := lti.NewKey()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
})

// ownKeys returns keys for the fakes of a run whose subject is embedded; none for others,
// whose fakes make their own.
func (r *base) ownKeys() ([]jwk.Key, error) {
	if !r.config.IsEmbedded() {
		return nil, nil
	}
	made, err := embeddedKeys()
	if err != nil {
		return nil, err
	}
	var keys []jwk.Key
	for _, key := range made {
		own, err := key.Clone()
		if err != nil {
			return nil, err
		}
		keys = append(keys, own)
	}
	return keys, nil
}

// takeKey returns one of the keys that are left, in a list; none where there
// is none.
func (r *base) takeKey() []jwk.Key {
	taken := r.keys[:min(1, len(r.keys))]
	r.keys = r.keys[len(taken):]
	return taken
}

// Has says whether the tool has an optional feature.
func (r *base) Has(feature string) bool { return r.config.Has(feature) }

// Undeclared returns the first feature that a requirement needs and the subject
// does not declare; empty where it declares them all.
func (r *base) Undeclared(of requirements.Requirement) string {
	for _, feature := range of.Features() {
		if !r.Has(feature) {
			return feature
		}
	}
	return ""
}

// Now is the clock of both fakes.
func (r *base) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.passed)
}

// ErrTooLong says that a check needs more time to pass than the user allows.
var ErrTooLong = errors.New("it needs more time to pass than timeout.expiry allows")

// MayPass says whether the user allows so much time to pass.
func (r *base) MayPass(d time.Duration) bool {
	return r.config.IsEmbedded() || d <= r.config.Timeout.Expiry.Std()
}

// Pass lets time pass. The clocks of the fakes are put forward; a real tool has
// a clock of its own, and is waited for.
func (r *base) Pass(ctx context.Context, d time.Duration) error {
	if !r.MayPass(d) {
		return ErrTooLong
	}
	return r.Wait(ctx, d)
}

// Wait is [base.Pass] for what has to pass whatever the user allows.
func (r *base) Wait(ctx context.Context, d time.Duration) error {
	if r.config.IsEmbedded() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.passed += d
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *base) onClose(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closers = append(r.closers, f)
}

// Close ends the run's servers and its agent.
func (r *base) Close() {
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

// Transport reaches the tool as the agent does.
func (r *base) Transport() *http.Transport { return r.transport }

// Config is what users have configured, with the defaults filled in.
func (r *base) Config() config.Config { return r.config }

// Patience is how long one visit may take.
func (r *base) Patience() time.Duration { return r.config.Timeout.Launch.Std() }

// Hosts are the sites that only the run knows, for a browser of one's own.
func (r *base) Hosts() agent.Hosts { return r.hosts }

// AgentGone says whether the browser has gone away by itself.
func (r *base) AgentGone() bool { return r.main.Gone() }

// Agent says what carries the users of the current scenario.
func (r *base) Agent() results.Agent { return r.agent.About() }

// Agents says what carries the users of the run: as the configuration names it, and the
// browser where there is one.
func (r *base) Agents() results.Agent {
	about := r.main.About()
	about.Kind = r.configured()
	return about
}

// Open returns a user with a fresh browser. Close it after use.
func (r *base) Open(ctx context.Context) (agent.User, error) {
	user, err := r.agent.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a browser for a user: %w", err)
	}
	return user, nil
}

// takeThinned returns of how many flows not everything was kept, for want of room,
// since it was last asked.
func (r *base) takeThinned() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.thinned
	r.thinned = 0
	return n
}

// flowsSoFar is how many flows there were in the run.
func (r *base) flowsSoFar() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flows
}

func (r *base) nextFlowID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flows++
	id := fmt.Sprintf("%02d-%04d", r.process, r.flows)
	r.takenOver.ended(id)
	return id
}

// serveSites serves those sites, by host, that only the run knows: all of them
// where the subject is embedded, else the stranger's and those that no resolver
// knows. A public address leads to where the run listens for the subject.
func (r *base) serveSites(cert *certificate, hosts agent.Hosts, stranger string, sites map[string]http.Handler) error {
	for host, site := range sites {
		if !r.config.IsEmbedded() && !strings.HasSuffix(host, ".test") && host != stranger {
			continue
		}
		addr, err := r.serve("127.0.0.1:0", cert.config(tls.VersionTLS12), site)
		if err != nil {
			return err
		}
		hosts.Addresses[host] = addr.String()
	}
	return nil
}

// serveSubject serves the embedded subject, over old versions of TLS as well where
// it has the fault of that name.
func (r *base) serveSubject(cert *certificate, hosts agent.Hosts, host string, site http.Handler, acceptsOldTLS string) error {
	oldest := uint16(tls.VersionTLS12)
	if slices.Contains(r.config.Embedded.Faults, acceptsOldTLS) {
		oldest = tls.VersionTLS10
	}
	addr, err := r.serve("127.0.0.1:0", cert.config(oldest), site)
	if err != nil {
		return err
	}
	hosts.Addresses[host] = addr.String()
	return nil
}

// serve answers on an address until the run is closed: over TLS where it is
// configured, and else what comes to the door.
func (r *base) serve(address string, secure *tls.Config, handler http.Handler) (net.Addr, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler: patiently(handler), ReadHeaderTimeout: bodyPatience, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxRequestHeader,
		// Some faults keep the subject waiting as long as a visit lasts, and longer.
		WriteTimeout: time.Minute + 3*r.Patience(),
		// What browsers and tools do wrong on the wire shows in the evidence.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	addr := listener.Addr()
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	} else {
		listener = plainListener{listener, &r.door.speaksTLS}
	}
	go func() { _ = server.Serve(listener) }()
	r.onClose(func() { _ = server.Close() })
	return addr, nil
}

// The bounds of a request to the run's own servers.
const (
	bodyPatience     = 10 * time.Second // for its header, and for its body
	maxRequestHeader = 256 << 10
	maxRequestBody   = 8 << 20
)

// patiently bounds the time in which the body of a request has to come, and its size.
// The server's own timeout for reading would end the waiting of handlers as well.
func patiently(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			connection := http.NewResponseController(w)
			_ = connection.SetReadDeadline(time.Now().Add(bodyPatience)) // without one there is nothing to bound
			r.Body = &timedBody{http.MaxBytesReader(w, r.Body, maxRequestBody), connection}
		}
		handler.ServeHTTP(w, r)
	})
}

// timedBody is a body that has to be read within a time, after which the connection
// may wait for its answer.
type timedBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.connection.SetReadDeadline(time.Time{}) // see above
	}
	return n, err
}
