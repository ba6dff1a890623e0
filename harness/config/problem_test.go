package config_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

func TestAMisspeltKeyIsAnsweredWithTheOneThatWasMeant(t *testing.T) {
	for key, meant := range map[string]string{
		"tool.loginurl": "tool.login_url", "tool.launch-url": "tool.launch_url", "tool.jwk_url": "tool.jwks_url", "Tool": "tool",
		"fake_tol": "fake_tool", "login_url": "tool.login_url", "platform.client": "", "tool.listen_": "fake_exam_platform.listen or fake_platform.listen or fake_tool.listen", "listen": "fake_exam_platform.listen or fake_platform.listen or fake_tool.listen",
		"timeouts": "timeout", "tool.issuer": "platform.issuer", "colour": "", "tool.launch_accepted.select": "tool.launch_accepted.selector",
		"journeys.opens.step": "journeys.opens.steps", "journeys.opens.userr": "journeys.opens.user", "users.learner.signin": "users.learner.sign_in",
	} {
		t.Run(key, func(t *testing.T) {
			path := strings.Split(key, ".")
			text := strings.Join(path, ": {") + ": x" + strings.Repeat("}", len(path)-1) + "\n"
			_, err := load(config.Sources{Text: []byte(text)})
			want := key + ": unknown key (line 1)"
			if meant != "" {
				want = key + ": unknown key; did you mean " + meant + "? (line 1)"
			}
			NewWithT(t).Expect(strings.Split(err.Error(), "\n")).To(ContainElement(want))
		})
	}
	_, err := load(config.Sources{Environ: []string{"INVIGILATOR_TOOL_LOGINURL=x"}})
	NewWithT(t).Expect(err).To(MatchError("environment variable INVIGILATOR_TOOL_LOGINURL: unknown key; did you mean INVIGILATOR_TOOL_LOGIN_URL?"))
}

// A mistake in a list or in steps is told like any other.
func TestAMistakeIsToldOnceWithItsLine(t *testing.T) {
	for text, want := range map[string][]string{
		"journeys:\n  a:\n    steps:\n      - click: a\n        within: 7\n": {"journeys.a.steps.0.within: has no unit: write a duration such as 20s or 1m30s (line 5)"},
		"journeys: {a: {steps: 7}}\n":                                        {"journeys.a.steps: is a number instead of text or a list (line 1)"},
		"features:\n  - tls\n  - user-markers\n":                             {`features.1: there is no feature "user-markers" of a tool; did you mean user-marker? There are `},
		"profiles: [grade]\n":                                                {`profiles.0: there is no profile "grade"; did you mean grades? There are `},
		"tool: {launch_accepted: '#resource'}\n":                             {"tool.launch_accepted: is text instead of a section with selector, text, url (line 1)"},
		"browser: {path: '${NOWHERE}', headed: '${NO}'}\n":                   {"browser.path: the environment variable NOWHERE is not set (line 1)", "browser.headed: the environment variable NO is not set (line 1)"},
		"tool: {name: '${NO}', protected_url: '${NO}'}\n":                    {"tool.name: the environment variable NO is not set; 2 keys name it (line 1)"},
		"tool: {protected_url: '${EMPTY}/me'}\n":                             {`tool.protected_url: "/me" is not a valid http or https URL (line 1; the environment variable EMPTY is empty)`},
	} {
		_, err := load(config.Sources{Text: []byte(text), Environ: []string{"EMPTY="}})
		expectProblems(NewWithT(t), err, want)
	}
}
