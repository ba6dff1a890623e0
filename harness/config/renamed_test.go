package config_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

// An old key is answered with its new name, wherever it is used, and all of them at once.
func TestAnOldKeyIsAnsweredWithItsNewName(t *testing.T) {
	for name, c := range map[string]struct {
		side config.Side
		from config.Sources
		want []string
	}{
		"a file of a tool": {config.ToolSide, config.Sources{Text: []byte(`tool:
  login_url: https://tool.example/login
  launch_url: https://tool.example/launch
  client_id: abc
  accepts:
    text: Welcome
  refuses: {url: /error}
platform: {listen: "127.0.0.1:80", url: "https://lms.example"}
patience:
  visit: 5s
  quiet: 50ms
crowd: 7
only: [sec-tool-aud]
`)}, []string{
			"tool.client_id: is now called registration.client_id (line 4)", "tool.accepts: is now called tool.launch_accepted (line 5)",
			"tool.refuses: is now called tool.launch_refused (line 7)", "platform.listen: is now called fake_platform.listen (line 8)",
			"platform.url: is now called fake_platform.url (line 8)", "patience.visit: is now called timeout.launch (line 10)",
			"patience.quiet: is now called browser.idle_time (line 11)", "crowd: is now called concurrent_launches (line 12)",
			"only: is now called requirements (line 13)",
		}},
		"a file of a platform": {config.PlatformSide, config.Sources{Text: []byte(realPlatform + `
tool:
  listen: 127.0.0.1:80
  key: key.json
journeys: {opens: https://lms.example/course/7}
`), Settings: map[string]string{"platform.points": ".points", "platform.needs_grading.text": "waiting"}}, []string{
			"tool.listen: is now called fake_tool.listen (line ", "tool.key: is now called fake_tool.key_file (line ",
			"platform.points: is now called platform.points_selector (command line)",
			"platform.needs_grading.text: is now called platform.grading_pending.text (command line)",
		}},
		"variables": {config.ToolSide, config.Sources{Text: []byte(realTool), Environ: []string{
			"INVIGILATOR_TOOL_OTHER_CLIENT_ID=x", "INVIGILATOR_TOOL_ACCEPTS_TEXT=Welcome", "INVIGILATOR_PATIENCE_RUN=5m",
		}}, []string{
			"environment variable INVIGILATOR_TOOL_OTHER_CLIENT_ID: is now called INVIGILATOR_REGISTRATION_OTHER_CLIENT_ID",
			"environment variable INVIGILATOR_TOOL_ACCEPTS_TEXT: is now called INVIGILATOR_TOOL_LAUNCH_ACCEPTED_TEXT",
			"environment variable INVIGILATOR_PATIENCE_RUN: is now called INVIGILATOR_TIMEOUT_RUN",
		}},
		"the rest is checked with them": {config.ToolSide, config.Sources{Text: []byte(realTool + "crowd: many\npatience: {visit: 5, sit: 1s}\nfeatures: [multiple-deployments]\n"), Settings: map[string]string{"tool.other_deployment_id": "deployment-1"}}, []string{
			"crowd: is now called concurrent_launches (line 2)", "concurrent_launches: is text instead of a whole number (line 2)",
			"patience.visit: is now called timeout.launch (line 3)", "timeout.launch: has no unit: write a duration such as 20s or 1m30s (line 3)", "patience: unknown key (line 3)",
			"tool.other_deployment_id: is now called registration.other_deployment_id (command line)",
			"registration.other_deployment_id: is the same as the first one",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c.from.Side = c.side
			_, err := config.Load(c.from)
			expectProblems(NewWithT(t), err, c.want)
		})
	}
}

// The new name wins over the old one where both are given.
func TestANewNameWinsOverTheOldOne(t *testing.T) {
	for _, s := range []config.Sources{
		{Text: []byte("report: r\ntool: {name: new, user_mark: old, user_selector: new}\n")},
		{Environ: []string{"INVIGILATOR_TOOL_USER_MARK=old", "INVIGILATOR_TOOL_USER_SELECTOR=new"}},
		{Settings: map[string]string{"tool.user_mark": "old", "tool.user_selector": "new"}},
	} {
		c, err := load(s)
		expectProblems(NewWithT(t), err, []string{""})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("is now called ")))
		NewWithT(t).Expect(c.Tool.UserSelector).To(Equal("new"))
	}
}
