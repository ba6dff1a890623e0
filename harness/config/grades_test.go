package config_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

const (
	gradingTool = `
tool: {login_url: 'https://tool.example/login', launch_url: 'https://tool.example/launch', jwks_url: 'https://tool.example/keys'}
features: [submission-review, line-item-management, results, submission-object, learner-review]
journeys:
  submits: {does: submit, steps: [{fill: "#answer", with: "{work}"}, {click: text=Hand in}]}
  grades: {does: grade, steps: [{fill: "#points", with: "{score}"}, {click: text=Save}]}
  renames: {does: rename-line-item, steps: [{fill: "#label", with: "{label}"}, {click: text=Rename}]}
  reads: {does: read-results, steps: [{click: text=Results}]}
`
	gradingPlatform = `
platform:
  issuer: https://lms.example
  auth_url: https://lms.example/auth
  jwks_url: https://lms.example/keys
  token_url: https://lms.example/token
  allow_writes: true
  grading_pending: {selector: "tr[title='{line_item}'] .waiting"}
registration: {client_id: "7"}
features: [submission-review, line-item-management, unattached-line-items, learner-review]
users: {learner: {name: Ada Lovelace}, instructor: {}}
journeys:
  opens-link: https://lms.example/course/7
  reviews: {user: instructor, launch: review, steps: [{open: https://lms.example/grades}, {click: "a[title='{line_item} {learner}']"}]}
  learner-reviews: {launch: review, steps: [{open: https://lms.example/grades}, {click: "a[title='{line_item}']"}]}
  grades: {does: open-grades, steps: https://lms.example/grades}
`
)

func TestGradesOfATool(t *testing.T) {
	g := NewWithT(t)
	c, err := config.Load(config.Sources{File: file(t, gradingTool)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Has(config.Grades)).To(BeTrue(), "a review ends in a grade")
	g.Expect(c.Has(config.Services)).To(BeTrue(), "a score needs a token")
	g.Expect(c.Has(config.Proctoring)).To(BeFalse())

	for what, wrong := range map[string]struct {
		file string
		want []string
	}{
		"nothing said": {realTool + "features: [submission-review]\n", []string{
			"tool.jwks_url: is needed for the feature submission-review",
			"journeys: a journey with does: submit is needed for the feature submission-review", "journeys: a journey with does: grade is needed for the feature submission-review",
		}},
		"a part of grades": {realTool + "features: [results]\n", []string{
			"features: results needs the feature grades, which is not declared", "journeys: a journey with does: read-results is needed for the feature results",
		}},
		"a part of reviews":   {realTool + "features: [learner-review]\n", []string{"features: learner-review needs the feature submission-review, which is not declared"}},
		"a deed of platforms": {gradingTool + "  looks: {does: open-grades, steps: https://tool.example}\n", []string{"journeys.looks.does: open-grades is not possible in a tool; there are "}},
		"an unknown choice":   {gradingTool + "  tries: {does: grade, steps: [{choose: '#points', option: '{points}'}]}\n", []string{"journeys.tries.steps.0: {points} is unknown; there are {candidate}, {assessment}, {work}, {score}, {label}, {user_id}, {unique}"}},
		"work and points of one's own": {
			strings.NewReplacer(`{work}`, "Hello", `fill: "#points", with: "{score}"`, `choose: "#points", option: "7"`).Replace(gradingTool),
			[]string{
				"journeys.submits.steps: have to fill in {work}, because the run looks for it later. It is needed for the feature submission-review",
				"journeys.grades.steps: have to fill in {score}, because the run looks for it later. It is needed for the feature submission-review",
			},
		},
		"an unknown placeholder": {gradingTool + "  tries: {does: submit, steps: [{fill: '#answer', with: '{essay}'}]}\n", []string{"journeys.tries.steps.0: {essay} is unknown; there are {candidate}, {assessment}, {work}, {score}, {label}, {user_id}, {unique}"}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := config.Load(config.Sources{File: file(t, wrong.file)})
			expectProblems(NewWithT(t), err, wrong.want)
		})
	}
}

func TestGradesOfAPlatform(t *testing.T) {
	g := NewWithT(t)
	c, err := loadPlatform(t, gradingPlatform)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Platform.AllowWrites).To(BeTrue())
	name, ok := c.JourneyTo(config.Instructor, config.Review)
	g.Expect([]any{name, ok}).To(Equal([]any{"reviews", true}))
	g.Expect(c.Has(config.Grades)).To(BeTrue())
	g.Expect(c.Has(config.Services)).To(BeTrue())

	_, err = loadPlatform(t, gradingPlatform+"  looks: {does: open-grades, steps: 'https://lms.example/{lineitem}'}\n")
	expectProblems(g, err, []string{"journeys.looks.steps.0: {lineitem} is unknown; there are {line_item}, {title}, {learner}, {user_id}, {unique}"})
	_, err = loadPlatform(t, realPlatform+"features: [submission-review, learner-review, line-item-management]\njourneys: {opens-link: https://lms.example/course/7, grades: {does: grade, steps: https://lms.example}}\n")
	expectProblems(g, err, []string{
		"journeys.grades.does: grade is not possible in a platform; there are ",
		"journeys: a journey with user: instructor and launch: review is needed for the feature submission-review",
		"journeys: a journey with user: learner and launch: review is needed for the feature learner-review",
		"platform.token_url: is needed for the feature submission-review",
	})
}
