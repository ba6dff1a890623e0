package harness

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
)

func done(page string, verb agent.Verb, target, value string) agent.Recorded {
	return agent.Recorded{Action: agent.Action{Verb: verb, Target: target, Value: value}, Page: page}
}

func TestARecordingIsAConfiguration(t *testing.T) {
	g := NewWithT(t)
	password := done("https://lms.example/login", agent.Fill, "label=Pass word", "Pass word")
	password.Secret = true
	inFrame := done("https://lms.example/7", agent.Click, "text=Costs nothing", "")
	inFrame.Frame = `iframe[name="c"]`
	made := recordedOf([]agent.Recorded{
		done("https://lms.example/", agent.Open, "https://lms.example/", ""),
		done("https://lms.example/", agent.Click, "text=Sign in", ""),
		done("https://lms.example/login", agent.Fill, "label=User", "ada"),
		password,
		done("https://lms.example/login", agent.Click, "text=Go", ""),
		done("https://lms.example/home", agent.Choose, "label=Language", "English"),
		done("https://lms.example/home", agent.Fill, "#code", "analytical"),
		inFrame,
	}, func(text string) string {
		if text == "analytical" {
			return "${CODE}"
		}
		return text
	})
	text, err := made.YAML("learner-opens-link", "learner", config.ResourceLink)
	g.Expect(err).NotTo(HaveOccurred())
	c, err := config.Load(config.Sources{
		Side: config.PlatformSide, Text: []byte("platform: {issuer: 'https://lms.example', auth_url: 'https://lms.example/a', jwks_url: 'https://lms.example/k'}\nregistration: {client_id: '7'}\n" + text),
		Environ: []string{"PASS_WORD=difference-engine", "CODE=analytical"},
	})
	g.Expect(err).NotTo(HaveOccurred(), text)
	g.Expect(c.Users["learner"].SignIn).To(Equal(config.Steps{
		{Open: "https://lms.example/"}, {Click: "text=Sign in"}, {Fill: "label=User", With: "ada"}, {Fill: "label=Pass word", With: "difference-engine"}, {Click: "text=Go"},
	}), text)
	g.Expect(c.Journeys["learner-opens-link"]).To(Equal(config.Journey{User: "learner", Launch: config.ResourceLink, Steps: config.Steps{
		{Open: "https://lms.example/home"}, {Choose: "label=Language", Option: "English"}, {Fill: "#code", With: "analytical"},
		{Click: "text=Costs nothing", Frame: `iframe[name="c"]`},
	}}), text)
	g.Expect(c.Secrets).To(HaveKeyWithValue("difference-engine", "PASS_WORD"))
}

func TestARecordingWithoutASignIn(t *testing.T) {
	g := NewWithT(t)
	made := recordedOf([]agent.Recorded{done("a", agent.Open, "https://lms.example/", ""), done("a", agent.Click, "text=Go", "")}, func(text string) string { return text })
	text, err := made.YAML("opens", "learner", config.OtherLink)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text).To(Equal("journeys:\n  opens:\n    user: learner\n    launch: other-link\n    steps:\n      - open: https://lms.example/\n      - click: text=Go\n"))
	plain := stepOf(agent.Action{Verb: agent.Click, Target: "text=${HOME}"}, func(text string) string { return text })
	g.Expect(plain.Click).To(Equal("text=$${HOME}"), "what a page shows names no variable")
	for field, variable := range map[string]string{"Password": "PASSWORD", "2nd Passwort:": "PASSWORD_2ND_PASSWORT", "***": "PASSWORD", "Ihr Kennwort": "IHR_KENNWORT"} {
		g.Expect(variableOf(field)).To(Equal(variable))
	}
}
