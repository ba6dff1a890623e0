// Package harnesstest serves the fakes as real subjects are, for tests of runs that judge them.
package harnesstest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	. "github.com/onsi/gomega"

	"invigilator.example/campus"
	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// Start begins a run, over HTTP, against a tool that is served elsewhere.
func Start(t *testing.T, tool string, change func(*config.Config)) *harness.Run {
	t.Helper()
	c := config.Default(config.ToolSide)
	c.Agent = "http"
	c.Tool.LoginURL, c.Tool.LaunchURL = tool+"/login", tool+"/launch"
	c.FakePlatform.Listen = "127.0.0.1:0"
	c.Timeout.Launch = config.Duration(2 * time.Second)
	c.Timeout.Restart = config.Duration(2 * time.Second)
	c.Timeout.Expiry = 0 // nothing is waited for
	if change != nil {
		change(&c)
	}
	run, err := harness.Start(t.Context(), c, 1)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	return run
}

// Late is a handler that gets its content after its server has started.
type Late struct{ handler atomic.Pointer[http.Handler] }

// Set gives it the content.
func (l *Late) Set(h http.Handler) { l.handler.Store(&h) }

func (l *Late) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*l.handler.Load()).ServeHTTP(w, r) }

// subjectKeys are those of the subjects, and of the fake tools that a real platform knows: it takes
// longer to make keys than to make many launches.
var subjectKeys = sync.OnceValues(func() (keys [4]jwk.Key, err error) {
	for i := range keys {
		if keys[i], err = lti.NewKey(); err != nil {
			return keys, err
		}
	}
	return keys, nil
})

// SubjectKey returns one of them.
func SubjectKey(t *testing.T, i int) jwk.Key {
	t.Helper()
	g := NewWithT(t)
	keys, err := subjectKeys()
	g.Expect(err).NotTo(HaveOccurred())
	key, err := keys[i].Clone()
	g.Expect(err).NotTo(HaveOccurred())
	return key
}

// KeyFile returns the file that holds the key pairs of the fake tools of a run, beside another.
func KeyFile(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	dir := t.TempDir()
	for i, name := range []string{"key.json", "key-2.json"} {
		text, err := json.Marshal(SubjectKey(t, 2+i))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(filepath.Join(dir, name), text, 0o600)).To(Succeed())
	}
	return filepath.Join(dir, "key.json")
}

// A Tool is a fake tool with faults that is served like a real one, behind
// whatever wraps it.
type Tool struct {
	Change func(*config.Config)
	Wrap   func(http.Handler) http.Handler
	Faults []string
	// register changes what the tool is told of each platform; it may be nil.
	Register func(*faketool.Registration)
}

// Start begins a run against the subject.
func (s Tool) Start(t *testing.T) *harness.Run {
	t.Helper()
	g := NewWithT(t)
	var content Late
	server := httptest.NewServer(&content)
	t.Cleanup(server.Close)
	run := Start(t, server.URL, s.Change)
	tool, err := faketool.New(faketool.Options{URL: server.URL, Faults: s.Faults, Key: SubjectKey(t, 0)})
	g.Expect(err).NotTo(HaveOccurred())
	for _, known := range run.Registrations() {
		registration := faketool.Registration{
			Issuer: known.Platform.Issuer(), ClientID: known.ClientID, AuthURL: known.AuthURL,
			JWKSURL: known.JWKSURL, DeploymentIDs: known.DeploymentIDs, TokenURL: known.TokenURL,
		}
		if s.Register != nil {
			s.Register(&registration)
		}
		g.Expect(tool.Register(registration)).To(Succeed())
	}
	if s.Wrap == nil {
		s.Wrap = func(h http.Handler) http.Handler { return h }
	}
	content.Set(s.Wrap(tool))
	return run
}

// Ready begins a run against the subject, which has passed the preflight.
func (s Tool) Ready(t *testing.T) *harness.Run {
	t.Helper()
	run := s.Start(t)
	_, err := run.Preflight(t.Context())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return run
}

// Password is the secret of the journeys: it has characters that URLs, JSON and
// HTML write in another way.
const Password = `pass"wörd & <more>+%41`

// A Campus is one that is served like a real platform, and its
// configuration.
type Campus struct {
	Wrap     func(http.Handler) http.Handler
	Change   func(*config.Config)
	Edit     func(yaml string) string
	Faults   []string
	Password string // of the journeys, where it is not the right one
	Redirect string // the redirect URI that the platform knows, where it is not the right one
	Keyless  bool   // the platform does not know the tool's key set
	ClientID string // that the platform knows, where it is not the right one
	Target   string // what its links open, where that is not the right address
}

// Start begins a run against the campus.
func (c Campus) Start(t *testing.T) *harness.PlatformRun {
	t.Helper()
	g := NewWithT(t)
	var content Late
	server := httptest.NewServer(&content)
	t.Cleanup(server.Close)
	text := string(campus.Configuration)
	if c.Edit != nil {
		text = c.Edit(text)
	}
	known := Password
	if c.Password != "" {
		known = c.Password
	}
	configured, err := config.Load(config.Sources{
		Side: config.PlatformSide, Text: []byte(text), Environ: []string{"CAMPUS_URL=" + server.URL, "CAMPUS_PASSWORD=" + known},
		Settings: map[string]string{
			"agent": "http", "fake_tool.listen": "127.0.0.1:0", "fake_tool.key_file": KeyFile(t),
			"timeout.launch": "2s", "timeout.restart": "1s", "timeout.step": "1s",
		},
	})
	g.Expect(err).NotTo(HaveOccurred())
	if c.Change != nil {
		c.Change(&configured)
	}
	run, err := harness.StartPlatform(t.Context(), configured, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	var tools []campus.Tool
	for _, known := range run.ToolRegistrations() {
		if c.Redirect != "" {
			known.RedirectURIs = []string{c.Redirect}
		}
		if c.Keyless {
			known.JWKSURL = ""
		}
		if c.ClientID != "" && len(tools) == 0 {
			known.ClientID = c.ClientID
		}
		if c.Target != "" {
			known.TargetLinkURI = c.Target
		}
		tools = append(tools, campus.Tool{ClientID: known.ClientID, LoginURL: known.LoginURL, RedirectURIs: known.RedirectURIs, TargetLinkURI: known.TargetLinkURI, JWKSURL: known.JWKSURL})
	}
	subject, err := campus.New(campus.Options{URL: server.URL, Password: Password, Tools: tools, Faults: c.Faults, Keys: []jwk.Key{SubjectKey(t, 1)}})
	g.Expect(err).NotTo(HaveOccurred())
	if c.Wrap == nil {
		c.Wrap = func(h http.Handler) http.Handler { return h }
	}
	content.Set(c.Wrap(subject))
	return run
}

// Ready begins a run against the campus, which has passed the preflight.
func (c Campus) Ready(t *testing.T) *harness.PlatformRun {
	t.Helper()
	run := c.Start(t)
	_, err := run.Preflight(t.Context())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return run
}

// Spoiled is a campus whose answers to some requests others take the place of.
func Spoiled(answer func(w http.ResponseWriter, r *http.Request, subject http.Handler)) func(http.Handler) http.Handler {
	return func(subject http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, subject) })
	}
}

// AtPath puts a handler in the place of a path of the tool.
func AtPath(prefix string, handler func(w http.ResponseWriter, r *http.Request, tool http.Handler)) func(http.Handler) http.Handler {
	return func(tool http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, prefix) {
				handler(w, r, tool)
				return
			}
			tool.ServeHTTP(w, r)
		})
	}
}
