package config_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

// A tool that registers itself says its addresses, and is given its client_id.
func TestAToolThatRegistersItself(t *testing.T) {
	const url = "https://tool.example/register"
	load := func(settings map[string]string) (config.Config, error) {
		settings["tool.registration_url"] = url
		return config.Load(config.Sources{Settings: settings})
	}
	g := NewWithT(t)
	c, err := load(map[string]string{"features": "tool-jwks", "tool.target_link_uri": "https://tool.example/exercise", "registration.deployment_id": "7"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Registers()).To(BeTrue())
	g.Expect(c.SubjectName()).To(Equal("tool.example"))
	g.Expect(config.Demo(config.ToolSide).Registers()).To(BeFalse())
	for key, value := range map[string]string{
		"tool.login_url": "https://tool.example/login", "tool.launch_url": "https://tool.example/launch", "tool.jwks_url": "https://tool.example/jwks",
		"registration.client_id": "client-7", "registration.other_client_id": "client-8",
	} {
		_, err := load(map[string]string{key: value})
		g.Expect(err).To(MatchError(And(ContainSubstring(key+": is "), ContainSubstring("tool.registration_url"))), key)
	}
	_, err = config.Load(config.Sources{Settings: map[string]string{"tool.registration_url": "/register"}})
	g.Expect(err).To(MatchError(ContainSubstring("tool.registration_url")))
}
