package draft_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/draft"
	"invigilator.example/harness/config"
)

const keySet = `{"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}]}`

// answering is a server that answers paths with bodies.
func answering(t *testing.T, bodies map[string]string) string {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if to, is := strings.CutPrefix(body, "to "); is {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		_, _ = fmt.Fprint(w, strings.ReplaceAll(body, "SITE", server.URL))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func load(g *WithT, side config.Side, text string, environ ...string) config.Config {
	c, err := config.Load(config.Sources{Side: side, Text: []byte(text), Environ: environ})
	g.Expect(err).NotTo(HaveOccurred(), text)
	return c
}

func TestATool(t *testing.T) {
	const issuer = "https://platform.test"
	request := url.Values{"redirect_uri": {"http://tool.internal/launch"}, "client_id": {"seven"}}.Encode()
	for name, c := range map[string]struct{ login, told string }{
		"a redirect":     {"to " + issuer + "/auth?tenant=7&" + request, "The tool has answered a login initiation"},
		"a form":         {`<form method=post action="https://platform.test/auth?tenant=7"><input name=redirect_uri value="http://tool.internal/launch"><input name=client_id value=seven></form>`, "The tool has answered a login initiation"},
		"not registered": {"Who is that?", "was answered with HTTP 200, and no authentication request"},
		"somebody else":  {"to https://elsewhere.example/auth?" + request, "was answered with HTTP 302"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			site := answering(t, map[string]string{"/login": c.login, "/lti/jwks": keySet})
			tool := draft.Tool{Schema: "./s.json", LoginURL: site + "/login", ClientID: "invigilator", DeploymentID: "deployment-1"}
			tool.Look(t.Context(), issuer)
			g.Expect(tool.Told).To(ContainElement(ContainSubstring(c.told)))
			g.Expect(tool.JWKSURL).To(Equal(site + "/lti/jwks"))
			text, err := tool.Write()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(text).To(HavePrefix("# yaml-language-server: $schema=./s.json\n"))
			if !tool.Registered() {
				g.Expect(text).To(ContainSubstring("\n  # launch_url: http://localhost:3000/launch"), "says what to enter")
				_, err := config.Load(config.Sources{Text: []byte(text)})
				g.Expect(err).To(MatchError(HavePrefix("tool.launch_url: is needed")))
				return
			}
			found := load(g, config.ToolSide, text)
			g.Expect(found.Tool.LaunchURL).To(Equal("http://tool.internal/launch"))
			g.Expect(found.Registration.ClientID).To(Equal("seven"))
			g.Expect(found.Features).To(Equal([]string{config.ToolJWKS}))
		})
	}
}

func TestAPlatform(t *testing.T) {
	g := NewWithT(t)
	site := answering(t, map[string]string{
		"/.well-known/openid-configuration": `{"issuer": "SITE/lms", "authorization_endpoint": "SITE/auth", "jwks_uri": "SITE/certs", "token_endpoint": "SITE/token",
			"https://purl.imsglobal.org/spec/lti-platform-configuration": {"product_family_code": "${HOME}: \u001b[2J\n#"}}`,
		"/certs": keySet,
		"/login": `<form><label for=u>Your name *</label><input id=u><input type=password name='p"w'><button type=button>Show</button><button>Go in</button></form>`,
	})
	p := draft.Platform{Issuer: site, ClientID: "7", Username: "ada", Password: "ADA_PASSWORD", Page: site + "/7", Link: "Exercise: 1"}
	g.Expect(p.Look(t.Context(), "", site+"/login")).To(Succeed())
	p.Learn(map[string]string{"lti_message_hint": "x"}, map[string]any{
		"name": "Ada\n- x: ${HOME}", "https://purl.imsglobal.org/spec/lti/claim/deployment_id": "${HOME}",
		"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint":          map[string]any{"scope": []any{"https://purl.imsglobal.org/spec/lti-ags/scope/score"}},
		"https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": "none",
	})
	text, err := p.Write()
	g.Expect(err).NotTo(HaveOccurred())
	c := load(g, config.PlatformSide, text, "ADA_PASSWORD=difference-engine", "HOME=/root")
	g.Expect([]string{c.Platform.Issuer, c.Platform.AuthURL, c.Platform.JWKSURL, c.Platform.TokenURL}).To(Equal([]string{site + "/lms", site + "/auth", site + "/certs", site + "/token"}))
	g.Expect(c.Features).To(Equal([]string{config.MessageHint, config.Grades}))
	g.Expect(c.Registration.DeploymentID).To(Equal("${HOME}"), "what the platform says names no variable")
	g.Expect(c.Platform.Name).To(HavePrefix("${HOME}: "))
	g.Expect(text).NotTo(ContainSubstring("\x1b"))
	g.Expect(c.Users["learner"].SignIn).To(Equal(config.Steps{
		{Open: site + "/login"}, {Fill: "label=Your name", With: "ada"}, {Fill: `input[name="p\"w"]`, With: "difference-engine"}, {Click: "text=Go in"},
	}))
	g.Expect(c.Users["learner"].Name).To(BeEmpty(), "what a launch says is compared with itself only if somebody says so")
	g.Expect(c.Journeys["learner-opens-link"].Steps).To(Equal(config.Steps{{Open: site + "/7"}, {Click: "text=Exercise: 1"}}))
}

func TestAProductHasItsAddresses(t *testing.T) {
	g := NewWithT(t)
	site := answering(t, map[string]string{"/mod/lti/certs.php": keySet})
	p := draft.Platform{Issuer: site}
	g.Expect(p.Look(t.Context(), "", "")).To(Succeed())
	g.Expect(p.AuthURL).To(Equal(site + "/mod/lti/auth.php"))
	p = draft.Platform{Issuer: site}
	g.Expect(p.Look(t.Context(), "canvas", "")).To(Succeed())
	g.Expect(p.AuthURL).To(Equal(site + "/api/lti/authorize_redirect"))
	g.Expect(p.Issuer).To(Equal("https://canvas.instructure.com"))
	g.Expect(p.Look(t.Context(), "moodel", "")).To(MatchError(ContainSubstring("did you mean moodle?")))
}

// What nothing is known of are comments that say what to enter.
func TestNothingIsKnown(t *testing.T) {
	g := NewWithT(t)
	tool, err := draft.Tool{ClientID: "invigilator", DeploymentID: "deployment-1"}.Write()
	g.Expect(err).NotTo(HaveOccurred())
	platform, err := draft.Platform{}.Write()
	g.Expect(err).NotTo(HaveOccurred())
	for key, text := range map[string]string{"login_url": tool, "launch_url": tool, "jwks_url": tool + platform, "issuer": platform, "auth_url": platform, "client_id": platform, "deployment_id": platform, "sign_in": platform, "journeys": platform} {
		g.Expect(text).To(MatchRegexp(`(?m)^ *# `+key+`:`), key)
	}
	for side, text := range map[config.Side]string{config.ToolSide: tool, config.PlatformSide: platform} {
		_, err = config.Load(config.Sources{Side: side, Text: []byte(text)})
		g.Expect(config.OnlyLacks(err)).To(BeTrue(), "%v", err)
	}
}
