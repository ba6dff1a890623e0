package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

// yamlBlock is a block of YAML in the documentation, with the line that it begins with.
var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n((.*?)\n.*?)^```$")

// elided are the parts that the documentation leaves to its reader, and what could stand there.
var elided = strings.NewReplacer(
	"sign_in: ...", "sign_in: [{open: 'https://lms.example/login'}]",
	"instructor: ...", "instructor: {sign_in: [{open: 'https://lms.example/login'}]}",
	"learner: ...", "learner: {sign_in: [{open: 'https://lms.example/login'}]}",
)

func TestTheExamplesOfTheDocumentationAreConfigurations(t *testing.T) {
	tool := map[string]string{"tool.login_url": "http://localhost:3000/login", "tool.launch_url": "http://localhost:3000/launch"}
	headed := maps.Clone(tool)
	headed["browser.headed"] = "true"
	platform := map[string]string{
		"platform.issuer": "https://lms.example", "platform.auth_url": "https://lms.example/auth",
		"platform.jwks_url": "https://lms.example/keys", "registration.client_id": "1",
	}
	// How to read each block, by its first line. What is a whole file says so.
	blocks := map[string]struct {
		side   config.Side
		within string            // what the block is a part of
		beside map[string]string // the rest of the file
	}{
		"# invigilator.yaml":                            {side: config.ToolSide},
		"features: [multiple-deployments, user-marker]": {side: config.ToolSide, beside: tool},
		"# platform.yaml":                               {side: config.PlatformSide},
		"users:":                                        {side: config.PlatformSide, beside: platform},
		"# proctoring-tool.yaml":                        {side: config.ToolSide},
		"      - wait: text=You have been identified":   {side: config.ToolSide, within: "journeys:\n  checks-in:\n    does: check-in\n    steps:\n", beside: headed},
		"# assessment-platform.yaml":                    {side: config.PlatformSide},
		"# grading-tool.yaml":                           {side: config.ToolSide},
		"journeys:":                                     {side: config.ToolSide, beside: tool},
		"# gradebook-platform.yaml":                     {side: config.PlatformSide},
		"# roster-tool.yaml":                            {side: config.ToolSide},
		"# roster-platform.yaml":                        {side: config.PlatformSide},
		"# content-platform.yaml":                       {side: config.PlatformSide},
		"# content-tool.yaml":                           {side: config.ToolSide},
		"# behind-a-proxy.yaml":                         {side: config.ToolSide},
		"# self-registering.yaml":                       {side: config.ToolSide},
		"# registration-tool.yaml":                      {side: config.ToolSide},
		"# storage-tool.yaml":                           {side: config.ToolSide},
		"# storage-platform.yaml":                       {side: config.PlatformSide},
		"# backend.yaml":                                {side: config.BackendSide},
		"fail_on: [warned]":                             {side: config.ToolSide, beside: tool},
	}
	pages, err := filepath.Glob("../../docs/*.md")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var text strings.Builder
	for _, page := range append(pages, "../../README.md") {
		of, err := os.ReadFile(page)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		text.Write(of)
	}
	seen := map[string]bool{}
	for _, found := range yamlBlock.FindAllStringSubmatch(text.String(), -1) {
		first := found[2]
		seen[first] = true
		t.Run(strings.Trim(first, "# "), func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(blocks).To(HaveKey(first), "a block of YAML that is new in the documentation: add it here")
			block := blocks[first]
			_, err := config.Load(config.Sources{
				Side: block.side, Text: []byte(block.within + elided.Replace(found[1])), Settings: block.beside,
				Environ: []string{"ADA_PASSWORD=difference-engine", "GRACE_PASSWORD=harvard-mark", "PROCTOR_PASSWORD=argus", "BACKEND_SECRET=analytical", "CALLBACK_SECRET=engine"},
			})
			g.Expect(err).NotTo(HaveOccurred())
		})
	}
	for first := range blocks {
		NewWithT(t).Expect(seen).To(HaveKey(first), "a block of YAML that is no longer in the documentation")
	}
}
