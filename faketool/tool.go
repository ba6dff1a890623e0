// Package faketool is a tool for the tests of LTI 1.3 platforms: it answers
// login initiations with authentication requests, validates launches in full
// and shows who was launched, or why it refused. Use it like
// net/http/httptest: make a [Tool], serve it, register your platform, and
// point a link of your platform at it. Package ltitest serves it in a test.
//
// What it does with services, beside launches of resource links, is in packages of their
// own, its parts: parts.go lists them.
//
// A tool may carry a [Fault], a single named defect, to see whether those who
// judge it find it. It can also judge a platform: it holds the logins that the
// platform initiates ([Tool.HoldLogins]), goes on with requests that a [Fault] makes
// differ in one thing ([Login.Continue]), and tells what came of them
// ([Tool.Answers]). It asks for access tokens ([Tool.Token]) and services ([Tool.Ask]) in the
// same way, and its parts have methods of their own to try a platform
// with.
package faketool

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// Paths of the tool's endpoints below its URL.
const (
	LoginPath    = "/login"
	LaunchPath   = part.LaunchPath
	ResourcePath = "/resource"
	JWKSPath     = "/jwks"
)

// Options say how a tool is set up. Only URL is required.
type Options struct {
	// URL is where browsers reach the tool, without a trailing slash.
	URL string
	// Client fetches the platform's key set; one with a timeout when nil.
	Client *http.Client
	// Now is the tool's clock; time.Now when nil.
	Now func() time.Time
	// Key is the tool's own key pair, which it publishes; one is made when nil.
	Key jwk.Key
	// Faults are the defects that the tool has, by name.
	Faults []string
	// Watch lets the tool note which defects would make a difference, for
	// [Tool.FaultsReached].
	Watch bool
	// OtherTool is another tool that is registered with the platform, for
	// requests and messages in its name.
	OtherTool OtherTool
	// Remembers bounds each of what the tool remembers: the latest logins, answers, launches,
	// messages, and what its parts remember; 1000 when 0.
	Remembers int
	// RemembersBytes bounds the logins, and the answers, in bytes as well; 16 MiB when 0.
	RemembersBytes int
}

// OtherTool is what the platform knows of another tool, and the key that it
// signs with.
type OtherTool = part.OtherTool

// A Registration is what the tool knows of a platform (LTI Core 1.3, 3.1.3).
type Registration = part.Registration

// A client is what the tool is to one platform.
type client = part.Client

// clientOf is the one of a registration, whatever the deployment.
func clientOf(r Registration) client { return client{Issuer: r.Issuer, ClientID: r.ClientID} }

// A Tool is a fake tool. It is an [http.Handler] and safe for concurrent use.
type Tool struct {
	opts    Options
	carrier *fault.Carrier // of the faults that it has, and watches
	mux     *http.ServeMux

	mu            sync.Mutex
	registrations []Registration
	keySets       map[string]keySet  // by URL
	firstKeys     map[string]jwk.Key // the first that was ever fetched, by URL
	unknownKeys   map[string]bool    // by kid, for a fault
	logins        map[string]*login  // by state
	byNonce       map[string]*login
	tookNoNonce   bool              // for a fault
	byCookie      map[string]*login // by what the browser proves itself with
	sent          []*login          // those that are known by state, nonce and cookie, the oldest first
	sendings      int
	sessions      map[string]Launch // by the id in the launch's URL
	began         []string          // the ids of those, the oldest first
	users, links  map[string]int    // numbers of accounts and of resource links
	counter       int               // for the faults that count instead of choosing at random
	events        int               // logins begun and launches accepted, in order
	last          Launch            // the last one that was accepted
	holdsLogins   bool              // instead of answering them
	initiated     []*Login          // the oldest first
	answers       []*Answer         // the oldest first
	keys          []jwk.Key         // the tool's own; the last one signs
	grants        map[grantKey]grant
	pairs         together.Pairs          // for faults: launches that come twice at the same time
	mounted       map[string]part.Mounted // parts, by profile
}

// A Launch is one that the tool accepted.
type Launch struct {
	part.Launch
	cookie string // what the launched browser proves itself with
	event  int    // when it was accepted
}

// login is a login that the tool has begun: an authentication request that
// waits for its answer.
type login struct {
	registration Registration
	state, nonce string
	target       string // the target_link_uri of the login initiation
	deployment   string // its lti_deployment_id; empty where it had none
	named        bool   // it had a client_id
	cookie       string // what the browser that began it proves itself with
	cookieName   string // see [Tool.cookieName]; the request's own state may be anything
	of           *Login // nil once that is forgotten
	request      Request
	sent         bool
	answered     bool
	sending      int // which of the tool's it was, when it was sent last
	index        int // of the request among those of its login
	event        int // when it was begun
	expires      time.Time
	used         bool
	usedWith     string // the nonce that it was used with
	gathers      *together.Gathering
}

// loginLifetime is how long a user may take from login to launch.
const loginLifetime = 10 * time.Minute

// New makes a tool. It fails when URL is no absolute URL, when a fault is
// unknown or when no key can be made.
func New(opts Options) (*Tool, error) {
	var errs []error
	if u, err := url.Parse(opts.URL); err != nil || u.Host == "" || u.Scheme == "" {
		errs = append(errs, fmt.Errorf("faketool: URL %q is not an absolute URL", opts.URL))
	}
	var effects []fault.Effect
	for _, name := range opts.Faults {
		f, known := fault.Named(defects, name)
		if !known {
			errs = append(errs, fmt.Errorf("faketool: no fault %q", name))
			continue
		}
		effects = append(effects, f.Effects...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Remembers = cmp.Or(opts.Remembers, 1000)
	opts.RemembersBytes = cmp.Or(opts.RemembersBytes, 16<<20)
	if opts.Client == nil {
		opts.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if opts.Key == nil {
		key, err := lti.NewKey()
		if err != nil {
			return nil, fmt.Errorf("faketool: %w", err)
		}
		opts.Key = key
	}
	t := &Tool{
		opts: opts, carrier: fault.Carry(effects...),
		keySets: map[string]keySet{}, firstKeys: map[string]jwk.Key{},
		unknownKeys: map[string]bool{},
		logins:      map[string]*login{},
		byNonce:     map[string]*login{},
		byCookie:    map[string]*login{},
		sessions:    map[string]Launch{},
		users:       map[string]int{},
		links:       map[string]int{},
		keys:        []jwk.Key{opts.Key},
		grants:      map[grantKey]grant{},
		mounted:     map[string]part.Mounted{},
	}
	if opts.Watch {
		t.carrier = t.carrier.Watch(defects...)
	}
	t.mux = http.NewServeMux()
	t.mux.HandleFunc("GET "+LoginPath, t.serveLogin)
	t.mux.HandleFunc("POST "+LoginPath, t.serveLogin)
	t.mux.HandleFunc("GET "+LaunchPath, t.serveLaunch)
	t.mux.HandleFunc("POST "+LaunchPath, t.serveLaunch)
	t.mux.HandleFunc("GET "+ResourcePath, t.serveResource)
	t.mux.HandleFunc("GET "+JWKSPath, t.serveJWKS)
	t.mux.HandleFunc("GET "+HeldPath+"/{id}", t.serveHeld)
	t.mux.HandleFunc("GET "+HeldPath+"/{id}/go/{n}", t.serveContinue)
	for _, one := range parts {
		t.mounted[one.Profile] = one.Mount(t.mux, partCore{t})
	}
	t.mux.HandleFunc("POST "+leavePath, t.serveLeave)
	t.mux.HandleFunc("GET "+strangerKeysPath, serveStrangerKeys)
	t.mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	t.mux.HandleFunc("/", t.serveNothing)
	return t, nil
}

// ServeHTTP answers browsers and platforms.
func (t *Tool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	t.noteAnswer(r)
	if err := anyRequest.First(t.carrier, r); err != nil {
		t.refuse(w, err, "")
		return
	}
	anyAnswer.Pass(t.carrier, reply{t, w})
	t.mux.ServeHTTP(w, r)
}

// What holds of all requests and answers.
var (
	anyRequest = &fault.List[*http.Request]{Name: "a request, whatever it is for"}
	anyAnswer  = &fault.Seam[reply]{Name: "an answer before it is begun, whatever is asked for"}
)

// reply is an answer that is yet to be begun.
type reply struct {
	t *Tool
	w http.ResponseWriter
}

func (t *Tool) serveNothing(w http.ResponseWriter, r *http.Request) {
	err := &part.Refusal{Status: http.StatusNotFound, Why: "There is nothing at " + r.URL.EscapedPath() + "."}
	t.judged(r, err)
	t.refuse(w, err, "")
}

// LoginURL returns the login initiation endpoint.
func (t *Tool) LoginURL() string { return t.opts.URL + LoginPath }

// LaunchURL returns the redirect URI, which is the target link URI too.
func (t *Tool) LaunchURL() string { return t.opts.URL + LaunchPath }

// JWKSURL returns where the tool publishes its key.
func (t *Tool) JWKSURL() string { return t.opts.URL + JWKSPath }

// Register makes a platform known, or changes what is known of its client_id
// there. It fails when something that a launch needs is missing.
func (t *Tool) Register(r Registration) error {
	for name, value := range map[string]string{
		"issuer": r.Issuer, "client_id": r.ClientID, "authorization endpoint": r.AuthURL, "key set URL": r.JWKSURL,
	} {
		if value == "" {
			return fmt.Errorf("faketool: registration without %s", name)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.registrations = append(slices.DeleteFunc(t.registrations, func(known Registration) bool {
		return known.Issuer == r.Issuer && known.ClientID == r.ClientID
	}), r)
	return nil
}

// FaultsReached returns the names of the faults that would have made a difference
// to what the tool was asked since it was last called. Where a fault is not
// among them, a tool with it would have answered the same. Without [Options.Watch]
// there are none.
func (t *Tool) FaultsReached() []string { return t.carrier.Reached() }
