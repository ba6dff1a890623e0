package main

import (
	"strings"

	"github.com/alecthomas/kong"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

type toolCommand struct {
	Register     string `help:"The tool's registration URL: the tool registers itself there (Dynamic Registration), and says its addresses." placeholder:"URL" key:"tool.registration_url"`
	LoginURL     string `help:"The tool's login initiation endpoint." placeholder:"URL" key:"tool.login_url"`
	LaunchURL    string `help:"The tool's redirect URI, which is the target link URI too." placeholder:"URL" key:"tool.launch_url"`
	ClientID     string `help:"The client_id in the tool's registration." placeholder:"ID" key:"registration.client_id"`
	DeploymentID string `help:"The deployment_id that the tool knows." placeholder:"ID" key:"registration.deployment_id"`
	PublicURL    string `help:"The address at which a tunnel or proxy leads browsers and the tool's server to this run. Default: only the run's own browser finds it." placeholder:"URL" key:"fake_platform.url"`
	named        `embed:""`
	judging      `embed:""`
}

// Run judges the tool and says what came of it.
func (t *toolCommand) Run(command *kong.Context) error {
	return t.named.judge(&t.judging, command, config.ToolSide, func(s scenarios.Subject) { introducePlatform(s.(*harness.Run)) })
}

// introducePlatform says what has to be registered in a real tool.
func introducePlatform(r *harness.Run) {
	tool := r.Tool()
	for i, known := range r.Registrations() {
		switch {
		case r.Registers():
			say("The tool has registered itself with this platform:\n")
		case i == 0:
			say("Register this platform in the tool:\n")
		default:
			say("Register this, too, for the declared features:\n")
		}
		say(`  issuer                  %s
  client_id               %s
  deployment_id           %s
  authorization endpoint  %s
  key set (JWKS)          %s
  token endpoint          %s
`, known.Platform.Issuer(), known.ClientID, strings.Join(known.DeploymentIDs, ", "), known.AuthURL, known.JWKSURL, known.TokenURL)
	}
	if !r.Registers() {
		say("'invigilator card' has this in the words of ltijs, PyLTI1p3 and others.\n")
	}
	say(`The tool is launched at
  login initiation        %s
  redirect URI            %s
  target link URI         %s

`, results.URL(tool.LoginURL), results.URL(tool.LaunchURL), results.URL(tool.TargetLinkURI))
	if len(tool.Messages) > 0 {
		say("and it has registered for these messages: %s\n\n", results.Text(strings.Join(tool.Messages, ", ")))
	}
	if r.Has(config.Proctoring) {
		say("and for proctored exams at\n  target link URI         %s\n\n", results.URL(tool.ProctoringTargetLinkURI))
	}
	if r.Has(config.SubmissionReview) {
		say("and for submission reviews at\n  target link URI         %s\n\n", results.URL(tool.ReviewTargetLinkURI))
	}
}
