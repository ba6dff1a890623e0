package config_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

const (
	proctoringTool = `
tool: {login_url: 'https://tool.example/login', launch_url: 'https://tool.example/launch', jwks_url: 'https://tool.example/keys'}
features: [proctoring, acs]
journeys:
  checks-in: {does: check-in, steps: [{click: text=Begin}]}
  flags: {does: flag, steps: [{open: "https://tool.example/proctor?who={candidate}"}, {click: text=Flag}]}
`
	proctoringPlatform = `
platform:
  issuer: https://lms.example
  auth_url: https://lms.example/auth
  jwks_url: https://lms.example/keys
  token_url: https://lms.example/token
  exam_started: {selector: "#exam"}
registration: {client_id: "7"}
features: [proctoring, acs]
journeys:
  opens-link: https://lms.example/course/7
  opens-exam: {launch: exam, steps: https://lms.example/exam/7}
  submits: {does: submit-exam, steps: [{click: text=Submit}]}
`
)

func TestProctoringOfATool(t *testing.T) {
	g := NewWithT(t)
	c, err := config.Load(config.Sources{File: file(t, proctoringTool)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Has(config.ToolMessages)).To(BeTrue(), "proctoring brings them along")
	g.Expect(c.Has(config.Services)).To(BeTrue(), "control needs a token")
	g.Expect(c.Has(config.EndAssessment)).To(BeFalse())

	for what, wrong := range map[string]struct {
		file string
		want []string
	}{
		"nothing said": {realTool + "features: [proctoring]\n", []string{
			"tool.jwks_url: is needed for the feature proctoring", "journeys: a journey with does: check-in is needed for the feature proctoring",
		}},
		"no proctor":             {realTool + "features: [acs]\n", []string{"features: acs needs the feature proctoring", "journeys: a journey with does: pause or resume or terminate or update or flag is needed for the feature acs"}},
		"a launch":               {proctoringTool + "  launches: {launch: exam, steps: https://tool.example}\n", []string{"journeys.launches.launch: is only for journeys in a platform"}},
		"a deed of platforms":    {proctoringTool + "  submits: {does: submit-exam, steps: https://tool.example}\n", []string{"journeys.submits.does: submit-exam is not possible in a tool; there are "}},
		"no wait for a human":    {proctoringTool + "browser: {headed: true}\nusers: {proctor: {sign_in: [{click: '#x', human: Show your face}]}}\n", []string{"users.proctor.sign_in.0.human: is only for a step with wait"}},
		"an unknown user":        {proctoringTool + "users: {invigilator: {sign_in: https://tool.example}}\n", []string{"users.invigilator: is unknown: where a tool is judged, the only user is"}},
		"an unknown placeholder": {proctoringTool + "  pauses: {does: pause, steps: [{open: 'https://tool.example/{student}'}]}\n", []string{"journeys.pauses.steps.0: {student} is unknown"}},
		"a human without screen": {proctoringTool + "users: {proctor: {sign_in: [{wait: '#x', human: Show your face}]}}\n", []string{"users.proctor.sign_in.0.human: needs a visible browser: set browser.headed to true"}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := config.Load(config.Sources{File: file(t, wrong.file)})
			expectProblems(NewWithT(t), err, wrong.want)
		})
	}
}

func TestProctoringOfAPlatform(t *testing.T) {
	g := NewWithT(t)
	c, err := loadPlatform(t, proctoringPlatform)
	g.Expect(err).NotTo(HaveOccurred())
	name, ok := c.JourneyTo(config.Learner, config.Exam)
	g.Expect([]any{name, ok}).To(Equal([]any{"opens-exam", true}))
	g.Expect(c.Has(config.Services)).To(BeTrue())

	_, err = loadPlatform(t, realPlatform+"features: [proctoring, acs]\njourneys: {opens-link: https://lms.example/course/7, flags: {does: flag, steps: https://lms.example}}\n")
	expectProblems(g, err, []string{
		"journeys.flags.does: flag is not possible in a platform",
		"journeys: a journey with user: learner and launch: exam is needed for the feature proctoring",
		"platform.exam_started: is needed for the feature proctoring", "platform.token_url: is needed for the feature acs",
	})
}
