package harness_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/dynamicregistration"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// registering serves a fake tool that knows no platform, behind whatever wraps it, and begins a run that
// knows nothing of the tool but its registration URL.
func registering(t *testing.T, wrap func(http.Handler) http.Handler, features ...string) (*harness.Run, error) {
	t.Helper()
	g := NewWithT(t)
	var content harnesstest.Late
	server := httptest.NewServer(&content)
	t.Cleanup(server.Close)
	tool, err := faketool.New(faketool.Options{URL: server.URL, Key: harnesstest.SubjectKey(t, 0)})
	g.Expect(err).NotTo(HaveOccurred())
	content.Set(tool)
	if wrap != nil {
		content.Set(wrap(tool))
	}
	c := config.Default(config.ToolSide)
	c.Agent, c.Features = "http", features
	c.Tool.RegistrationURL = server.URL + dynamicregistration.RegistrationPath + "?a=1"
	c.FakePlatform.Listen = "127.0.0.1:0"
	c.Timeout.Step, c.Timeout.Restart = config.Duration(50*time.Millisecond), config.Duration(50*time.Millisecond)
	run, err := harness.Start(t.Context(), c, 1)
	if err == nil {
		t.Cleanup(run.Close)
	}
	return run, err
}

func TestAToolIsJudgedByItsRegistrationURL(t *testing.T) {
	g := NewWithT(t)
	run, err := registering(t, nil, config.MultipleClients, config.MultiplePlatforms)
	g.Expect(err).NotTo(HaveOccurred())
	tool := run.Tool()
	for _, address := range []string{tool.LoginURL, tool.LaunchURL, tool.TargetLinkURI, tool.JWKSURL} {
		g.Expect(address).To(HavePrefix("http://127.0.0.1:"))
	}
	g.Expect(tool.Messages).To(ContainElements(lti.ResourceLinkRequest, lti.DeepLinkingRequest))
	found, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	titles := 0
	for _, flow := range found.Flows {
		if flow.Title == "the tool registers itself" {
			titles++
		}
	}
	g.Expect(titles).To(Equal(3), "what was seen of the registrations is kept")
	scene := run.Scenario(t, "test", "here:1")
	g.Expect(run.Registrations()).To(HaveLen(3))
	for _, known := range run.Registrations() {
		flow, err := scene.Launch(t.Context(), harness.Launch{At: known.Platform, ClientID: known.ClientID})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(scene.Accepted(flow)).To(BeTrue(), flow.End())
	}
}

// What keeps a tool from registering itself is a diagnosis, and says how far it came.
func TestAToolThatDoesNotRegisterItself(t *testing.T) {
	page := func(status int) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "<!DOCTYPE html><title>A page</title><p>Press the button.</p>")
			})
		}
	}
	then := func(more func(*http.Request, string)) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if address := r.URL.Query().Get(lti.ParamOpenIDConfiguration); address != "" {
					more(r, address)
				}
				_, _ = io.WriteString(w, "<!DOCTYPE html><title>A page</title><p>Registered.</p>")
			})
		}
	}
	get := func(address string) {
		if response, err := http.Get(address); err == nil {
			_ = response.Body.Close()
		}
	}
	for name, c := range map[string]struct {
		wrap func(http.Handler) http.Handler
		says string
	}{
		"nothing there":           {page(http.StatusNotFound), "nothing at its registration URL"},
		"a page that asks":        {page(http.StatusOK), "has not read the platform's configuration"},
		"the configuration alone": {then(func(_ *http.Request, address string) { get(address) }), "has not registered itself"},
		"what is no registration": {then(func(_ *http.Request, address string) {
			get(address)
			response, err := http.Post(address[:len(address)-len("openid-configuration")]+"clients", "application/json", nil)
			if err == nil {
				_ = response.Body.Close()
			}
		}), "has refused the tool's registration with HTTP 401"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := registering(t, c.wrap)
			d, is := errors.AsType[*results.Diagnosis](err)
			g.Expect(is).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.says))
			g.Expect(d.LookAt).NotTo(BeEmpty())
		})
	}
}

// What the tool's server asks for to register itself is served where it reaches the platform.
func TestRegistrationsAreForServers(t *testing.T) {
	g := NewWithT(t)
	g.Expect(fakeplatform.ForServers("/registrations/x/clients")).To(BeTrue())
	g.Expect(fakeplatform.ForServers("/registrations")).To(BeFalse())
	g.Expect(fakeplatform.ForServers("/launch/x/closed")).To(BeFalse())
}
