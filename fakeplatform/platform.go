// Package fakeplatform is a platform for the tests of LTI 1.3 tools: it begins
// launches, answers the tool's authentication requests and publishes its keys,
// as a learning platform would. Use it like net/http/httptest: make a
// [Platform], serve it, register your tool, [Platform.Begin] a launch and send
// a browser to its URL. Package ltitest does all of this in a test.
//
// A launch may carry one [Fault], a single named deviation from a valid
// launch, to see how the tool reacts.
//
// What the platform has beside launches of resource links is in packages of their own, by
// the services of LTI: fakeplatform/grades, review, proctoring and namesroles. A launch may
// offer their services ([Plan.Offers]), or be one with a message of theirs ([Plan.Message],
// [Plan.About]).
//
// The platform answers only launches that it began itself, each once: a
// stranger who finds its URL can launch nothing with it.
//
// It is also a platform to be judged: an application of its own may be built on
// it, whose sessions then decide who may launch what ([Options.SignedIn]), and
// it may carry faults ([Options.Faults]), to see whether those who judge it
// find them.
package fakeplatform

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// Paths of the platform's endpoints below its URL.
const (
	AuthPath = "/auth"
	JWKSPath = "/jwks"

	// TokenPath is where tools' servers ask for access tokens.
	TokenPath = "/token"

	// ContextsPath is below which the services of a context are, for tools' servers.
	ContextsPath = part.ContextsPath
)

// Options say how a platform is set up. Only URL is required.
type Options struct {
	// URL is where browsers reach the platform, without a trailing slash.
	URL string
	// ServerURL is where a tool's server reaches the platform; URL when empty.
	ServerURL string
	// Issuer is the issuer identifier; URL when empty.
	Issuer string
	// Keys sign the messages: all are published, the first one signs. One is
	// made when there is none.
	Keys []jwk.Key
	// Now is the platform's clock; time.Now when nil.
	Now func() time.Time
	// OnUnplanned is told of each request that no launch of this platform
	// accounts for. It may be called from several goroutines at once.
	OnUnplanned func(Unplanned)
	// SignedIn returns the account of the user who is signed in in the browser
	// that a request comes from, and "" for nobody. Where it is set, the
	// application's own sessions decide who may launch what, and the platform
	// sets no cookies of its own.
	SignedIn func(*http.Request) string
	// Members returns the people of a context, whose scores the gradebook takes;
	// those who have been launched there when nil.
	Members func(contextID string) []User
	// Faults are the defects that the platform has, by name.
	Faults []string
	// Watch is set where [Platform.FaultsReached] is asked for. It costs more than the launches
	// themselves.
	Watch bool
	// Client fetches the key sets of tools; one with a timeout when nil.
	Client *http.Client
}

// An Unplanned request is one that no launch of the platform accounts for.
type Unplanned struct {
	Method string
	URL    string
	Why    string
	// Known is set where the request comes from a browser that has begun a launch
	// of the platform, or from somebody who names a client of it. Whoever else
	// sends it may be anybody.
	Known bool
	// Request is the request itself, for those who serve the platform.
	Request *http.Request
}

// A Registration is what the platform knows of a tool (LTI Core 1.3, 3.1.3).
type Registration = part.Registration

// A Platform is a fake platform. It is an [http.Handler] and safe for
// concurrent use.
type Platform struct {
	opts     Options
	issuer   string // that tools were told, whatever the messages say
	mux      *http.ServeMux
	carrier  *fault.Carrier
	taught   taught         // where tools have been launched
	effects  []fault.Effect // of those that are carried
	toolKeys jwt.Keys
	parts    map[string]any // what parts keep of the platform, by their profiles
	requests atomic.Int64   // of services

	mu            sync.Mutex
	registrations map[string]Registration
	keys          []jwk.Key
	keySet        *keySet // what is published instead of keys, while a launch goes on
	keySetFetches int
	published     []jwk.Key // every RSA key that has been
	strangerAsked int
	strangerID    string             // in the URLs of the stranger's keys
	launches      map[string]*Launch // by id
	byHint        map[hint][]*Launch
	bySession     map[string]*Launch
	latest        map[string]*Launch // started last, by account
	lastStarted   *Launch
	entered       []*Launch      // for faults: those whose requests came last, two at most
	assertions    jwt.Ledger     // the jti of those that were taken
	pairs         together.Pairs // for faults: requests that come twice at the same time
	accessTokens  map[string]part.Token
	tokenRequests []TokenRequest
}

// New makes a platform. It fails when URL is no absolute URL, when a fault is no
// defect of a platform or when no key can be made.
func New(opts Options) (*Platform, error) {
	var errs []error
	if u, err := url.Parse(opts.URL); err != nil || u.Host == "" || u.Scheme == "" {
		errs = append(errs, fmt.Errorf("fakeplatform: URL %q is not an absolute URL", opts.URL))
	}
	var effects []fault.Effect
	for _, name := range opts.Faults {
		f, ok := FaultNamed(name)
		if !ok || !f.Is(carried) {
			errs = append(errs, fmt.Errorf("fakeplatform: no platform can have the fault %q", name))
		}
		effects = append(effects, f.Effects...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if opts.Issuer == "" {
		opts.Issuer = opts.URL
	}
	if opts.ServerURL == "" {
		opts.ServerURL = opts.URL
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.OnUnplanned == nil {
		opts.OnUnplanned = func(Unplanned) {}
	}
	if opts.Client == nil {
		opts.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if len(opts.Keys) == 0 {
		key, err := lti.NewKey()
		if err != nil {
			return nil, fmt.Errorf("fakeplatform: %w", err)
		}
		opts.Keys = []jwk.Key{key}
	}
	p := &Platform{
		opts:          opts,
		carrier:       fault.Carry(effects...),
		effects:       effects,
		taught:        taught{contexts: map[shelf]*taughtContext{}},
		latest:        map[string]*Launch{},
		registrations: map[string]Registration{},
		keys:          slices.Clone(opts.Keys),
		launches:      map[string]*Launch{},
		byHint:        map[hint][]*Launch{},
		bySession:     map[string]*Launch{},
		assertions:    jwt.Ledger{},
		accessTokens:  map[string]part.Token{},
		strangerID:    lti.RandomString(),
	}
	p.issuer = p.opts.Issuer
	p.opts.Issuer = issuerSaid.Pass(p.carrier, p.issuer) // settled before anybody watches
	if opts.Watch {
		p.carrier = p.carrier.Watch(Defects()...)
	}
	p.toolKeys = jwt.Keys{Client: opts.Client, Now: opts.Now, Carrier: p.carrier, Tools: p.keySetsOfTools}
	p.parts = keptBy(parts, partCore{p})
	p.mux = p.routes()
	return p, nil
}

// ServeHTTP answers browsers and tools.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	if p.putsOff(w, r) {
		return
	}
	p.mux.ServeHTTP(w, r)
}

// URL returns where browsers reach the platform.
func (p *Platform) URL() string { return p.opts.URL }

// Issuer returns the issuer identifier.
func (p *Platform) Issuer() string { return p.opts.Issuer }

// AuthURL returns the authorization endpoint.
func (p *Platform) AuthURL() string { return p.opts.URL + AuthPath }

// JWKSURL returns where the platform publishes its keys, for a tool's server.
func (p *Platform) JWKSURL() string { return p.opts.ServerURL + JWKSPath }

// TokenURL returns the token endpoint.
func (p *Platform) TokenURL() string { return p.opts.ServerURL + TokenPath }

// Register makes a tool known, or changes what is known under its client_id.
// It fails when something that a launch needs is missing.
func (p *Platform) Register(r Registration) error {
	var errs []error
	for name, value := range map[string]string{
		"client_id": r.ClientID, "login URL": r.LoginURL, "target_link_uri": r.TargetLinkURI,
	} {
		if value == "" {
			errs = append(errs, fmt.Errorf("fakeplatform: registration without %s", name))
		}
	}
	if len(r.RedirectURIs) == 0 {
		errs = append(errs, errors.New("fakeplatform: registration without redirect URIs"))
	}
	if len(r.DeploymentIDs) == 0 {
		errs = append(errs, errors.New("fakeplatform: registration without deployment"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.registrations[r.ClientID] = r
	return nil
}

// keySetsOfTools are where tools publish their keys, by client_id.
func (p *Platform) keySetsOfTools() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	addresses := map[string]string{}
	for clientID, r := range p.registrations {
		addresses[clientID] = r.JWKSURL
	}
	return addresses
}

// LostKeySets is how often a tool's key set could not be fetched that had been fetched before.
func (p *Platform) LostKeySets() int { return p.toolKeys.Lost() }

// rotatedKeys are the old keys that stay published beside a new one.
type rotatedKeys struct {
	key jwk.Key
	old []jwk.Key
}

var (
	issuerSaid  = &fault.Seam[string]{Name: "the issuer identifier in messages"}
	keysRotated = &fault.Seam[rotatedKeys]{Name: "the keys that stay beside a new one"}
)

// AddKey publishes a new key next to the old ones and signs with it from now on
// (Security Framework 1.0, 6.4).
func (p *Platform) AddKey() error {
	key, err := lti.NewKey()
	if err != nil {
		return fmt.Errorf("fakeplatform: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append([]jwk.Key{key}, keysRotated.Pass(p.carrier, rotatedKeys{key, slices.Clone(p.keys)}).old...)
	return nil
}

// RemoveOldKeys withdraws every key but the one that signs.
func (p *Platform) RemoveOldKeys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = p.keys[:1]
}

// Keys returns the keys that are published, the one that signs first.
func (p *Platform) Keys() []jwk.Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.keys)
}

// SetKeys publishes these keys and no others; the first one signs. Without any
// it does nothing.
func (p *Platform) SetKeys(keys []jwk.Key) {
	if len(keys) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = slices.Clone(keys)
}

// KeySetFetches says how often the key set has been fetched.
func (p *Platform) KeySetFetches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keySetFetches
}

// StrangerAsked says how often the stranger's keys have been asked for, to
// which the headers of some forged tokens point.
func (p *Platform) StrangerAsked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.strangerAsked
}

// FaultsReached returns the names of the faults that would have made a difference
// to what the platform was asked since it was last called. Where a fault is not
// among them, a platform with it would have answered the same. Nothing is known
// without [Options.Watch].
func (p *Platform) FaultsReached() []string {
	return p.carrier.Reached()
}

func (p *Platform) unplanned(r *http.Request, why string) {
	p.opts.OnUnplanned(Unplanned{Method: r.Method, URL: r.URL.String(), Why: why, Known: p.knowsBrowser(r), Request: r})
}

// knowsBrowser says whether a request comes from a browser that has begun a launch.
func (p *Platform) knowsBrowser(r *http.Request) bool {
	sessions := sessionsOf(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(sessions, func(session string) bool { return p.bySession[session] != nil })
}

// ForServers says whether tools' servers ask for a path, relative to the platform's
// URL: that of the key set, of the token endpoint, of a service, or one that only the
// header of a forged token names. All others are for browsers.
func ForServers(path string) bool {
	ofPart := func(own string) bool {
		return path == own || strings.HasSuffix(own, "/") && strings.HasPrefix(path, own)
	}
	return path == JWKSPath || path == TokenPath || slices.ContainsFunc(serverPathsOf(parts), ofPart) ||
		strings.HasPrefix(path, part.ContextsPath+"/") || strings.HasPrefix(path, strangerPath)
}

// strangerPath begins the paths of a stranger's keys, which no tool may ask for. What
// follows is unguessable: whoever asks has read it in a token.
const strangerPath = "/stranger/"

// strangerKeysURL and strangerCertificateURL are where the stranger's keys are.
func (p *Platform) strangerKeysURL() string {
	return p.opts.ServerURL + strangerPath + p.strangerID + "/jwks"
}
func (p *Platform) strangerCertificateURL() string {
	return p.opts.ServerURL + strangerPath + p.strangerID + "/certificate"
}
