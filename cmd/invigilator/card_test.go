package main_test

import (
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// A card is there before the configuration is complete, which needs what the platform shows
// when it has registered the tool.
func TestCards(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	write(t, dir, "invigilator.yaml", "platform: {issuer: https://moodle.example}\nfake_tool: {listen: '10.0.0.7:8766', url: 'https://tool.example'}\n")
	stdout, stderr, status := run(t, dir, "card", "moodle")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(stdout).To(And(MatchRegexp(`Initiate login URL +https://tool\.example/login\?tenant=7`), MatchRegexp(`Public keyset +https://tool\.example/jwks`),
		ContainSubstring("platform.auth_url is usually https://moodle.example/mod/lti/auth.php"), ContainSubstring("-----BEGIN PUBLIC KEY-----")))
	g.Expect(stdout).NotTo(Or(ContainSubstring(`"d":`), ContainSubstring("PRIVATE")))
	g.Expect(filepath.Join(dir, "invigilator-tool-key.json")).To(BeARegularFile(), "the key that is registered is that of the run")

	dir = t.TempDir()
	stdout, stderr, status = run(t, dir, "card", "ltijs", "--set", "registration.client_id=seven", "--set", "fake_platform.listen=10.0.0.7:8765")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(stdout).To(And(ContainSubstring("url: 'https://platform.test'"), ContainSubstring("clientId: 'seven'"), ContainSubstring("key: 'http://10.0.0.7:8765/jwks'")))
	stdout, _, status = run(t, dir, "card")
	g.Expect(status).To(Equal(0))
	g.Expect(stdout).To(And(ContainSubstring("schoology"), ContainSubstring("lti-php")))
	for args, says := range map[string]string{"moddle": "did you mean moodle?", "moodle --set=agent=lynx": "agent: ", "moodle --config=nowhere.yaml": "nowhere.yaml"} {
		_, stderr, status = run(t, dir, append([]string{"card"}, strings.Fields(args)...)...)
		g.Expect(status).To(Equal(3), args)
		g.Expect(stderr).To(ContainSubstring(says))
	}
}
