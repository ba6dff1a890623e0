package config_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

// realPlatform is the least that a platform's configuration says.
const realPlatform = `
platform: {issuer: https://lms.example, auth_url: https://lms.example/auth, jwks_url: https://lms.example/keys}
registration: {client_id: "7"}
`

func loadPlatform(t *testing.T, text string, environ ...string) (config.Config, error) {
	t.Helper()
	return config.Load(config.Sources{Side: config.PlatformSide, File: file(t, text), Environ: environ})
}

func TestAnAddressIsAJourney(t *testing.T) {
	g := NewWithT(t)
	c, err := loadPlatform(t, realPlatform+"journeys: {learner-opens-link: https://lms.example/course/7}\n")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.IsEmbedded()).To(BeFalse())
	g.Expect(c.Journeys).To(Equal(map[string]config.Journey{
		"learner-opens-link": {User: "learner", Launch: config.ResourceLink, Steps: config.Steps{{Open: "https://lms.example/course/7"}}},
	}))
	name, ok := c.JourneyTo(config.Learner, config.ResourceLink)
	g.Expect([]any{name, ok}).To(Equal([]any{"learner-opens-link", true}))
	_, ok = c.JourneyTo(config.Learner, config.OtherLink)
	g.Expect(ok).To(BeFalse())
	g.Expect(c.ReportFolder()).To(Equal("invigilator-report/platform"))
}

func TestStepsAndUsers(t *testing.T) {
	g := NewWithT(t)
	c, err := loadPlatform(t, realPlatform+`
users:
  learner: {name: Ada Lovelace, sign_in: [{open: "${SITE}/login"}, {fill: "#pw", with: "${PASSWORD}"}, {click: text=Sign in}]}
  operator: {sign_in: https://lms.example/admin}
journeys:
  a-copy: {user: operator, does: copy-course, steps: https://lms.example/copy}
  opens: {steps: [{open: "${SITE}/c"}, {choose: "#l", option: English, frame: "iframe >> #in", within: 30s}, {wait: url=/c}]}
`, "SITE=https://lms.example", "PASSWORD=correct horse", "PASSWORD=battery $${staple}")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Users["learner"].SignIn).To(Equal(config.Steps{{Open: "https://lms.example/login"}, {Fill: "#pw", With: "battery $${staple}"}, {Click: "text=Sign in"}}))
	g.Expect(c.Users["operator"].SignIn).To(Equal(config.Steps{{Open: "https://lms.example/admin"}}))
	g.Expect(c.Journeys["opens"].Steps[1]).To(Equal(config.Step{Choose: "#l", Option: "English", Frame: "iframe >> #in", Within: "30s"}))
	g.Expect(c.Journeys["a-copy"].Launch).To(BeEmpty())
	g.Expect(c.Secrets).To(Equal(map[string]string{"battery $${staple}": "PASSWORD"}), "the last one wins; the address of a site is none")
	name, ok := c.JourneyOf("operator", config.CopyCourse)
	g.Expect([]any{name, ok}).To(Equal([]any{"a-copy", true}))
	_, ok = c.JourneyOf("learner", config.CopyCourse)
	g.Expect(ok).To(BeFalse())
}

func TestSecretsAreHidden(t *testing.T) {
	g := NewWithT(t)
	c := config.Config{Secrets: map[string]string{`a"b <c> ä`: "PASSWORD"}}
	for _, form := range []string{`a"b <c> ä`, `a\"b \u003cc\u003e ä`, "a%22b+%3Cc%3E+%C3%A4", "a%22b%20%3Cc%3E%20%C3%A4", "a&#34;b &lt;c&gt; ä"} {
		g.Expect(c.Hide("say " + form + " twice: " + form)).To(Equal("say ${PASSWORD} twice: ${PASSWORD}"))
	}
	g.Expect(c.Hide("nothing")).To(Equal("nothing"))
}

func TestProblemsOfAPlatform(t *testing.T) {
	for text, want := range map[string][]string{
		"platform: {issuer: https://lms.example}\n": {
			"platform.auth_url: is needed", "platform.jwks_url: is needed", "registration.client_id: is needed", "journeys: a journey with user: learner and launch: resource-link is needed",
		},
		"journeys: {a: https://lms.example}\n":                                                              {"platform.issuer: is needed"},
		realPlatform + "journeys: {a: {steps: [{click: a, wait: b}]}}\n":                                    {"journeys.a.steps.0: a step has exactly one of open, fill, click, choose and wait; this one has 2"},
		realPlatform + "journeys: {a: {steps: [{}]}}\n":                                                     {"journeys.a.steps.0: a step has exactly one of", "this one has 0"},
		realPlatform + "journeys: {a: {steps: []}}\n":                                                       {"journeys.a.steps: are needed"},
		realPlatform + "journeys: {a: /course}\n":                                                           {"journeys.a.steps.0.open: is not an absolute URL"},
		realPlatform + "journeys: {a: {launch: nothing, steps: https://x.example}}\n":                       {"journeys.a"},
		realPlatform + "journeys: {a: {launch: resource-link, does: sign-out, steps: https://x.example}}\n": {"journeys.a: has both launch and does"},
		realPlatform + "journeys: {a: {saved: {text: Saved}, steps: https://x.example}}\n":                  {"journeys.a: saved and failed are only for journeys with does: submit, grade or rename-line-item"},
		realPlatform + "journeys: {a: {steps: [{click: a, with: b, option: c, within: soon}]}}\n": {
			"journeys.a.steps.0.with: is only for a step with fill", "journeys.a.steps.0.option: is only for a step with choose", "journeys.a.steps.0.within: \"soon\" is not a duration",
		},
		realPlatform + "journeys: {a: {steps: [{open: https://x.example, agent: http}]}}\n":  {"journeys.a.steps: have no step for the agent browser"},
		realPlatform + "journeys: {a: {steps: [{open: https://x.example, agent: human}]}}\n": {"journeys.a"},
		realPlatform + "users: {learner: {sign_in: [{open: 'https://x.example/{user_id}'}]}, instructor: {id: m}}\njourneys: {a: {user: instructor, launch: review, steps: [{open: 'https://x.example/{user_id}'}, {click: 'text={learner}'}]}, b: {user: instructor, steps: [{open: 'https://x.example/{user_id}/{unique}'}]}}\n": {
			"users.learner.id: is needed for {user_id} in users.learner.sign_in.0", "users.learner.id: is needed for {user_id} in journeys.a.steps.0", "users.learner.name: is needed for {learner} in journeys.a.steps.1",
		},
		realPlatform + "users: {learner: {sign_in: [{fill: '#pw', with: '${PW}'}]}}\njourneys: {a: https://x.example}\n": {"users.learner.sign_in.0.with: the environment variable PW is not set"},
		realPlatform + "users: {learner: {sign_in: [{fill: '#pw', with: '${SHORT}'}]}}\njourneys: {a: https://x.example}\n": {
			"users.learner.sign_in.0.with: the value of SHORT has fewer than 4 characters",
		},
		realPlatform + "users: {learner: {sign_in: [{fill: '#pw', with: x}, {fill: '#password', with: abc}]}}\njourneys: {a: {steps: [{fill: label=Your PIN, with: '123'}]}}\n": {
			"users.learner.sign_in.1.with: the secret for the field #password has fewer than 4 characters", "journeys.a.steps.0.with: the secret for the field label=Your PIN has fewer",
		},
		realPlatform + "journeys: {a: {user: mary, steps: https://x.example}, b: https://x.example}\nusers: {learner: {}}\n": {`journeys.a.user: there is no user "mary"; there are learner`},
		realPlatform + "journeys: {a: https://x.example}\nfeatures: [course-copy, tool-jwks, key-rotation, mentor-role]\n": {
			"journeys: a journey with user: learner and launch: copied-link is needed for the feature course-copy", `features.1: there is no feature "tool-jwks" of a platform`,
			"journeys: a journey with does: rotate-keys is needed for the feature key-rotation", "journeys: a journey with user: mentor",
		},
	} {
		g := NewWithT(t)
		_, err := loadPlatform(t, text, "SHORT=abc")
		g.Expect(err).To(HaveOccurred(), text)
		for _, part := range want {
			g.Expect(err.Error()).To(ContainSubstring(part), strings.TrimPrefix(text, realPlatform))
		}
	}
}

func TestPasswordsInTheFileAreSecretsToo(t *testing.T) {
	g := NewWithT(t)
	c, err := loadPlatform(t, realPlatform+`
users: {learner: {sign_in: [{open: "${LINK}"}, {fill: label=User name, with: ada-lovelace}, {fill: "#password", with: literal-one}]}}
journeys: {opens: "${SITE}/course"}
`, "LINK=https://lms.example/login/abc", "SITE=https://lms.example/base")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Secrets).To(Equal(map[string]string{"literal-one": "secret", "https://lms.example/login/abc": "LINK"}), "a magic link is one, the beginning of an address is none")
}

func TestTokensInURLsAreSecrets(t *testing.T) {
	g := NewWithT(t)
	c, err := config.Load(config.Sources{
		Text:    []byte(`tool: {login_url: "https://tool.example/login?api_token=tok%2Den&page=abcd", launch_url: "https://tool.example/launch?key=1&token_type=bearer#sid=abcdefg"}`),
		Environ: []string{"INVIGILATOR_TOOL_PROTECTED_URL=https://tool.example/?PHPSESSID=session-7"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Secrets).To(Equal(map[string]string{"tok-en": "api_token", "abcdefg": "sid", "session-7": "PHPSESSID"}))
	g.Expect(c.Hide("see tok%2den at https://tool.example/login?api_token=tok%2Den&other_token=12345")).To(HavePrefix("see ${api_token} at https://tool.example/login?api_token=${api_token}&other_token=[5+characters,+"))
	g.Expect(c.Hiding().Holds("dG9rLWVu")).To(BeTrue())
	g.Expect(c.Hiding().Holds("token")).To(BeFalse())
}

func TestFieldsOfSecretsAreKnownByTheirNames(t *testing.T) {
	for selector, secret := range map[string]bool{
		"#password": true, "label=Password": true, "input[name=pass]": true, "#login_pass": true, "#userPass": true, "#passField": true, "label=PIN": true,
		"#pwd2": true, "label=Passwort": true, "#api-token": true, "#passphrase": true,
		"#passport-country": false, "label=Passing points": false, "#compass": true, "#spinner": false, "label=Answer": false,
	} {
		g := NewWithT(t)
		c, err := config.Load(config.Sources{Side: config.PlatformSide, Text: []byte(fmt.Sprintf(`
platform: {issuer: "https://lms.example", auth_url: "https://lms.example/auth", jwks_url: "https://lms.example/keys"}
registration: {client_id: "1"}
journeys:
  learner-opens-link:
    steps:
      - fill: %q
        with: open sesame
`, selector))})
		g.Expect(err).NotTo(HaveOccurred(), selector)
		g.Expect(c.Hide("open sesame") != "open sesame").To(Equal(secret), selector)
	}
}

// What all users do to sign in stands in the file once.
func TestUsersShareTheirSignIn(t *testing.T) {
	g := NewWithT(t)
	c, err := loadPlatform(t, realPlatform+`
sign_in:
  - open: "${SITE}/login"
  - {fill: label=Name, with: "{username}"}
  - {fill: "#word", with: "{password}"}
  - click: text=Sign in
users:
  learner: {username: ada, password: "${ADA}"}
  second-learner: {username: grace, password: "${GRACE}"}
  operator: {username: root, password: babbage, sign_in: [{open: https://lms.example/admin}, {fill: "#who", with: "{username}"}, {fill: "#word", with: "{password}"}]}
  guest: {}
journeys: {opens: https://lms.example/7}
`, "SITE=https://lms.example", "ADA={unique} {staple}", "GRACE=cobol cobol")
	g.Expect(err).NotTo(HaveOccurred())
	signIn := func(name, password string) config.Steps {
		return config.Steps{{Open: "https://lms.example/login"}, {Fill: "label=Name", With: name}, {Fill: "#word", With: password}, {Click: "text=Sign in"}}
	}
	g.Expect(c.Users["learner"].SignIn).To(Equal(signIn("ada", "{unique} {staple}")), "a password may have braces")
	g.Expect(c.Users["second-learner"].SignIn).To(Equal(signIn("grace", "cobol cobol")))
	g.Expect(c.Users["operator"].SignIn).To(Equal(config.Steps{{Open: "https://lms.example/admin"}, {Fill: "#who", With: "root"}, {Fill: "#word", With: "babbage"}}))
	g.Expect(c.Users["guest"].SignIn).To(BeEmpty(), "who has no name to sign in with does not sign in")
	g.Expect(c.Secrets).To(Equal(map[string]string{"{unique} {staple}": "ADA", "cobol cobol": "GRACE", "babbage": "password"}))
}

func TestWhatIsWrongWithASharedSignInIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text, says string
	}{
		"a step":        {"sign_in: [{open: /login}]\nusers: {learner: {username: ada}, second-learner: {username: grace}}", "sign_in.0.open: is not an absolute URL"},
		"no steps":      {"users: {learner: {username: ada}}", "sign_in: is needed: users.learner has a username, and no steps say where to use it"},
		"no password":   {"sign_in: [{open: 'https://lms.example'}, {fill: '#p', with: '{password}'}]\nusers: {learner: {username: ada}}", "users.learner.password: is needed for {password} in sign_in"},
		"a short one":   {"sign_in: [{open: 'https://lms.example'}, {fill: '#p', with: '{password}'}]\nusers: {learner: {username: ada, password: abc}}", "users.learner.password: has fewer than 4 characters"},
		"no name":       {"users: {learner: {sign_in: [{open: 'https://lms.example'}, {fill: '#p', with: '{username}'}]}}", "users.learner.username: is needed for {username} in users.learner.sign_in"},
		"not a word":    {"sign_in: [{open: 'https://lms.example'}, {fill: '#p', with: '{pasword}'}]\nusers: {learner: {username: ada}}", "{pasword} is unknown"},
		"a short fixed": {"sign_in: [{open: 'https://lms.example'}, {fill: '#password', with: abc}]\nusers: {learner: {username: ada}, second-learner: {username: grace}}", "sign_in.1.with: the secret for the field #password has fewer than 4 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := loadPlatform(t, realPlatform+c.text+"\njourneys: {opens: https://lms.example/7}\n")
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
			g.Expect(strings.Count(err.Error(), c.says)).To(Equal(1))
		})
	}
}
