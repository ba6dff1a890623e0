package main

import (
	"github.com/alecthomas/kong"

	"invigilator.example/edx"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/scenarios/backend"
)

type backendCommand struct {
	BaseURL  string `name:"base-url" help:"The root of the backend, without a slash at the end." placeholder:"URL" key:"backend.base_url"`
	ClientID string `help:"The client_id with which the backend is asked for tokens." placeholder:"ID" key:"backend.client_id"`
	named    `embed:""`
	judging  `embed:""`
}

// Run judges the backend and says what came of it.
func (b *backendCommand) Run(command *kong.Context) error {
	return b.named.judge(&b.judging, command, config.BackendSide, func(s scenarios.Subject) { introduceExamPlatform(s.(*backend.Run)) })
}

// introduceExamPlatform says what has to be entered in a real backend.
func introduceExamPlatform(r *backend.Run) {
	platform, subject := r.Platform(), r.Backend()
	say(`Enter this exam platform in the backend, where it has an account for its callbacks:
  address (lms_host)      %s
  token endpoint          %s
  client_id               %s
  client_secret           that of fake_exam_platform.client_secret

The backend is asked at
  base URL                %s
  client_id               %s

`, platform.URL, platform.URL+edx.TokenPath, platform.ClientID, results.URL(subject.BaseURL), subject.ClientID)
}
