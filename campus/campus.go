// Package campus is a small learning platform with people, courses and links
// that open an LTI 1.3 tool. It is a real web application on top of
// [fakeplatform]: people sign in with a password, see the courses they belong
// to, and every click on a link begins a launch of its own. Everything is kept
// in memory.
//
// Configuration tells Invigilator how people find their way around here, and
// docs/platform.md walks through judging it.
package campus

import (
	"crypto/rand"
	_ "embed" // for Configuration
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fakeplatform/storage"
)

// Configuration is how Invigilator is told about the campus. It names the
// environment variables CAMPUS_URL and CAMPUS_PASSWORD.
//
//go:embed campus.yaml
var Configuration []byte

// Options say how a campus is set up. URL and Password are required.
type Options struct {
	// URL is where browsers reach the campus, without a trailing slash; its
	// issuer, too.
	URL string
	// Password is that of every account.
	Password string
	// Tools are registered; the first one is what the courses' links open.
	Tools []Tool
	// Now is the clock of the campus; time.Now when nil.
	Now func() time.Time
	// Keys sign the launches, the first one to begin with; one is made when
	// there is none.
	Keys []jwk.Key
	// Faults are the defects that the campus has, by name.
	Faults []string
	// Watch is set where it is asked which defects would have made a difference.
	Watch bool
	// Client fetches the tools' key sets; one with a timeout when nil.
	Client *http.Client
}

// A Tool is what the campus knows of a tool.
type Tool struct {
	ClientID      string
	LoginURL      string
	RedirectURIs  []string
	TargetLinkURI string
	// JWKSURL is the tool's key set. Without one the campus believes nothing that
	// the tool signs: no exam starts, and the services are closed to it.
	JWKSURL string
}

// A Campus is the application. It is an [http.Handler] and safe for concurrent
// use.
type Campus struct {
	opts     Options
	platform *fakeplatform.Platform
	mux      *http.ServeMux
	accounts map[string]*account // by user name
	secret   []byte              // what the tokens of forms are derived from

	sessionsMu sync.Mutex
	sessions   map[string]*session // by the value of their cookie

	mu        sync.Mutex
	courses   []*course
	copies    int // that were made of courses, removed ones as well
	tools     []Tool
	linksUse  string          // client_id of the tool that links open
	published map[string]bool // content by its id, where it is unpublished at first
}

// The two faculties have deployed every tool on their own.
const (
	deploymentOfMathematics = "1"
	deploymentOfAstronomy   = "2"
)

// New makes a campus. It fails without a password, and where the platform or a
// tool cannot be set up.
func New(opts Options) (*Campus, error) {
	if opts.Password == "" {
		return nil, errors.New("campus: the accounts need a password")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Campus{
		opts:      opts,
		accounts:  map[string]*account{},
		secret:    make([]byte, 32),
		sessions:  map[string]*session{},
		courses:   firstCourses(),
		published: map[string]bool{},
	}
	_, _ = rand.Read(c.secret) // never fails: crypto/rand.Read ends the program instead
	for _, a := range people() {
		c.accounts[a.name] = a
	}
	var err error
	c.platform, err = fakeplatform.New(fakeplatform.Options{
		URL: opts.URL, Keys: opts.Keys, Now: opts.Now, Faults: opts.Faults, SignedIn: c.signedInAs,
		Members: c.membersOf, Client: opts.Client, Watch: opts.Watch,
	})
	if err != nil {
		return nil, fmt.Errorf("campus: %w", err)
	}
	for _, tool := range opts.Tools {
		if err := c.register(tool); err != nil {
			return nil, fmt.Errorf("campus: %w", err)
		}
	}
	c.mux = c.routes()
	return c, nil
}

// Platform returns the platform that the campus is built on.
func (c *Campus) Platform() *fakeplatform.Platform { return c.platform }

// platformPaths are those that the platform answers, beside the ones of launches
// and of the grade services.
var platformPaths = []string{
	fakeplatform.AuthPath, fakeplatform.JWKSPath, fakeplatform.TokenPath, proctoring.ACSPath,
}

// ServeHTTP answers browsers and tools.
func (c *Campus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch path := r.URL.Path; {
	case slices.Contains(platformPaths, path), strings.HasPrefix(path, "/launch/"), strings.HasPrefix(path, storage.Path), strings.HasPrefix(path, fakeplatform.ContextsPath+"/"):
		c.platform.ServeHTTP(w, r)
	default:
		c.mux.ServeHTTP(w, r)
	}
}

func (c *Campus) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /style.css", serveAsset)
	mux.HandleFunc("GET /slow.js", serveAsset)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })

	mux.HandleFunc("GET /login", c.serveLogin)
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /logout", c.posted(c.logout))

	mux.HandleFunc("GET /{$}", c.signedIn(func(w http.ResponseWriter, r *http.Request, s *session) {
		redirect(w, r, s.account.home())
	}))
	mux.HandleFunc("GET /courses", c.signedIn(c.serveCourses))
	mux.HandleFunc("GET /course/{course}", c.signedIn(c.inCourse(c.serveCourse)))
	mux.HandleFunc("GET /course/{course}/slow", c.signedIn(c.inCourse(c.serveSlow)))
	mux.HandleFunc("GET /course/{course}/link/{link}/frame", c.signedIn(c.inCourse(c.serveFrame)))
	mux.HandleFunc("POST /course/{course}/copy", c.posted(c.inCourse(c.copyCourse)))
	mux.HandleFunc("POST /course/{course}/remove", c.posted(c.inCourse(c.removeCopy)))
	mux.HandleFunc("GET /course/{course}/exam/{exam}", c.signedIn(c.inCourse(c.ofExam(c.serveExam))))
	mux.HandleFunc("POST /course/{course}/exam/{exam}", c.posted(c.inCourse(c.ofExam(c.takeExam))))
	mux.HandleFunc("GET /course/{course}/grades", c.signedIn(c.inCourse(c.serveGrades)))
	mux.HandleFunc("GET /course/{course}/review/{item}/{learner}", c.signedIn(c.inCourse(c.review)))
	mux.HandleFunc("GET /pictures/{sub}", c.servePicture)
	mux.HandleFunc("GET /course/{course}/content", c.signedIn(c.inCourse(c.chooseContent)))
	mux.HandleFunc("POST /course/{course}/content", c.posted(c.inCourse(c.publishContent)))
	mux.HandleFunc("GET /launch-content/{course}/{item}", c.signedIn(c.inCourse(c.launchContent)))
	mux.HandleFunc("GET /launch-link/{course}/{link}", c.signedIn(c.inCourse(c.launch)))

	mux.HandleFunc("GET /admin", c.signedIn(c.asAdmin(c.serveAdmin)))
	mux.HandleFunc("GET /admin/course/{course}/content", c.signedIn(c.asAdmin(c.chooseAsAdmin)))
	mux.HandleFunc("POST /admin/keys", c.posted(c.asAdmin(c.makeKey)))
	mux.HandleFunc("POST /admin/tools", c.posted(c.asAdmin(c.registerTool)))
	mux.HandleFunc("POST /admin/links", c.posted(c.asAdmin(c.useForLinks)))

	// For GET alone, so that another method at a known path is answered 405.
	mux.HandleFunc("GET /", c.signedIn(func(w http.ResponseWriter, _ *http.Request, s *session) {
		c.refuse(w, s, http.StatusNotFound, "There is nothing here.")
	}))
	return mux
}

// noTool is why nothing can be launched.
const noTool = "No tool is registered yet."

// toolOfLinks returns the client_id of the tool that links and exams open, and
// nothing where there is none.
func (c *Campus) toolOfLinks() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.linksUse
}

// toolOf returns the client_id of the tool that a link opens, and nothing where there is
// none.
func (c *Campus) toolOf(l link) string {
	if !l.otherTool {
		return c.toolOfLinks()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.tools, func(t Tool) bool { return t.ClientID != c.linksUse }); i >= 0 {
		return c.tools[i].ClientID
	}
	return ""
}

// register makes a tool known, or changes what is known under its client_id.
func (c *Campus) register(t Tool) error {
	if err := c.platform.Register(fakeplatform.Registration{
		ClientID: t.ClientID, LoginURL: t.LoginURL, RedirectURIs: t.RedirectURIs, TargetLinkURI: t.TargetLinkURI,
		DeploymentIDs: []string{deploymentOfMathematics, deploymentOfAstronomy}, JWKSURL: t.JWKSURL,
	}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.tools, func(known Tool) bool { return known.ClientID == t.ClientID }); i >= 0 {
		c.tools[i] = t
		return nil
	}
	c.tools = append(c.tools, t)
	if c.linksUse == "" {
		return c.use(t.ClientID)
	}
	return nil
}
