package main

import (
	"fmt"
	"strings"

	"invigilator/harness"
	"invigilator/harness/config"
	"invigilator/scenarios"
	_ "invigilator/scenarios/tool" // the specs
)

type toolCommand struct {
	LoginURL     string `help:"The tool's login initiation endpoint." placeholder:"URL"`
	LaunchURL    string `help:"The tool's redirect URI, which is the target link URI too." placeholder:"URL"`
	ClientID     string `help:"The client_id in the tool's registration." placeholder:"ID"`
	DeploymentID string `help:"The deployment_id that the tool knows." placeholder:"ID"`
	judging      `embed:""`
}

// Run judges the tool and says what came of it.
func (t *toolCommand) Run() error {
	c, err := t.load(config.ToolSide, map[string]string{
		"tool.login_url": t.LoginURL, "tool.launch_url": t.LaunchURL,
		"tool.client_id": t.ClientID, "tool.deployment_id": t.DeploymentID,
	})
	if err != nil {
		return err
	}
	return t.judge(c, func(s scenarios.Subject) { introducePlatform(s.(*harness.Run)) })
}

// introducePlatform says what has to be registered in a real tool.
func introducePlatform(r *harness.Run) {
	tool := r.Tool()
	for i, known := range r.Registrations() {
		if i == 0 {
			fmt.Println("Register this platform in the tool:")
		} else {
			fmt.Println("Register as well, for the features that are declared:")
		}
		fmt.Printf(`  issuer                  %s
  client_id               %s
  deployment_id           %s
  authorization endpoint  %s
  key set (JWKS)          %s
  token endpoint          %s
`, known.Platform.Issuer(), known.ClientID, strings.Join(known.DeploymentIDs, ", "), known.AuthURL, known.JWKSURL, known.TokenURL)
	}
	fmt.Printf(`The tool is launched at
  login initiation        %s
  redirect URI            %s
  target link URI         %s

`, tool.LoginURL, tool.LaunchURL, tool.TargetLinkURI)
	if r.Has(config.Proctoring) {
		fmt.Printf("and for proctored exams at\n  target link URI         %s\n\n", tool.ProctoringURI)
	}
	if r.Has(config.SubmissionReview) {
		fmt.Printf("and for submission reviews at\n  target link URI         %s\n\n", tool.ReviewURI)
	}
}
