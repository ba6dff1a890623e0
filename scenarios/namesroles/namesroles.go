// Package namesroles holds the specs that judge tools and platforms by Names and Role
// Provisioning Services 2.0: platform*.go those of platforms, tool.go those of tools.
// Importing it adds them to the program.
//
// To add a check: a case in requirements/names-and-roles.yaml; a fault in
// fakeplatform/namesroles where a platform provokes it, or a request here where a tool
// does; and a fault of the judged side in faketool/namesroles or fakeplatform/namesroles.
package namesroles

import (
	"invigilator.example/harness"
	"invigilator.example/requirements"
)

// profile is that of the catalogue, and the feature that declares it.
const profile = requirements.NamesAndRoles

func init() {
	harness.AddPart(harness.Part{Profile: profile, Tool: preflightTool, Platform: preflightPlatform})
}
