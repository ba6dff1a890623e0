package config_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// A report shows what is set, and no secret.
func TestOwnSettingsAreShownWithoutSecrets(t *testing.T) {
	g := NewWithT(t)
	c := config.Default(config.ToolSide)
	g.Expect(c.Own()).To(BeEmpty())
	c.Secrets = map[string]string{"correct-horse": "PASSWORD"}
	c.Tool.LoginURL, c.Tool.Custom = "https://tool.example/login", map[string]string{"chapter": "correct-horse"}
	c.Tool.RedirectURIs = []string{"https://tool.example/a", "https://tool.example/b"}
	c.Agent = "http"
	c.Users = map[string]config.User{"proctor": {Name: "Grace", SignIn: config.Steps{{Fill: "#password", With: "correct-horse"}}}}
	g.Expect(c.Own()).To(Equal([]results.Setting{
		{Key: "agent", Value: "http"}, {Key: "tool.custom.chapter", Value: "${PASSWORD}"}, {Key: "tool.login_url", Value: "https://tool.example/login"},
		{Key: "tool.redirect_uris", Value: "https://tool.example/a, https://tool.example/b"}, {Key: "users", Value: "proctor"},
	}))
}
