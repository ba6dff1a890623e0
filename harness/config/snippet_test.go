package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

// What a configuration lacks comes with YAML that adds it: with that, nothing is lacking.
func TestASnippetAddsWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		side config.Side
		text string
		says []string // of the snippet
	}{
		"a platform's addresses": {config.PlatformSide, "platform: {issuer: https://moodle.example}\n", []string{
			"auth_url: https://moodle.example/lti/auth", "jwks_url: https://moodle.example/lti/keys", "client_id:", "user: learner", "launch: resource-link", "- open: https://moodle.example/courses/7",
		}},
		"all of a platform": {config.PlatformSide, realPlatform + "features: [multiple-tools, multiple-deployments, course-copy, privacy-setting, anonymous-launch, custom-parameters, mentor-role, " +
			"proctoring, acs, grades, results, submission-review, learner-review, names-and-roles, tools-by-course, key-rotation]\n", nil},
		"all of a tool": {config.ToolSide, realTool + "features: [role-based-view, user-marker, resource-marker, tool-jwks, proctoring, acs, grades, line-item-management, results, submission-review, names-and-roles]\n", []string{
			"jwks_url: https://tool.example/keys", "does: submit", "does: check-in",
		}},
		"an address of a tool":  {config.ToolSide, "tool: {login_url: 'https://tool.example/login'}\n", []string{"launch_url: https://tool.example/launch"}},
		"a feature's own":       {config.ToolSide, realTool + "features: [acs]\n", []string{"- acs", "- proctoring"}},
		"how users sign in":     {config.PlatformSide, realPlatform + "users: {learner: {username: ada}}\njourneys: {opens: https://lms.example/7}\n", []string{"sign_in:", "- open: https://lms.example/login"}},
		"what a journey names":  {config.PlatformSide, realPlatform + "users: {learner: {}}\njourneys: {opens: 'https://lms.example/{user_id}/{learner}'}\n", []string{`id: "4711"`, "name: Ada Lovelace"}},
		"nothing that is wrong": {config.ToolSide, realTool + "agent: lynx\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			sources := config.Sources{Side: c.side, Text: []byte(c.text), Environ: []string{"ADA_PASSWORD=difference-engine"}}
			for range 5 { // what is added may need something itself
				_, err := config.Load(sources)
				invalid, ok := errors.AsType[*config.Invalid](err)
				if !ok {
					g.Expect(err).NotTo(HaveOccurred())
					return
				}
				for _, says := range c.says {
					g.Expect(invalid.Snippet).To(ContainSubstring(says))
				}
				if strings.Contains(c.text, "lynx") {
					g.Expect(invalid.Snippet).To(BeEmpty())
					return
				}
				c.says = nil
				g.Expect(invalid.Snippet).NotTo(BeEmpty(), err.Error())
				sources.Text = merged(g, sources.Text, []byte(invalid.Snippet))
			}
			t.Error("something is lacking all the same")
		})
	}
}

func TestASnippetSaysWhereItBelongs(t *testing.T) {
	g := NewWithT(t)
	_, err := config.Load(config.Sources{Side: config.PlatformSide, Text: []byte("# mine\nplatform:\n  issuer: https://moodle.example\n")})
	invalid, _ := errors.AsType[*config.Invalid](err)
	g.Expect(invalid.Snippet).To(And(HavePrefix("platform:   # add to platform in line 2\n  auth_url:"), ContainSubstring("\nregistration:\n  client_id:")))
}

// merged adds a snippet to a configuration, as its reader would.
func merged(g *WithT, text, snippet []byte) []byte {
	var have, adds map[string]any
	g.Expect(yaml.Unmarshal(text, &have)).To(Succeed())
	g.Expect(yaml.Unmarshal(snippet, &adds)).To(Succeed())
	g.Expect(adds).NotTo(BeEmpty(), string(text))
	join(have, adds)
	all, err := yaml.Marshal(have)
	g.Expect(err).NotTo(HaveOccurred())
	return all
}

func join(have, adds map[string]any) {
	for key, value := range adds {
		inner, isMap := value.(map[string]any)
		if present, ok := have[key].(map[string]any); ok && isMap {
			join(present, inner)
			continue
		}
		have[key] = value
	}
}
