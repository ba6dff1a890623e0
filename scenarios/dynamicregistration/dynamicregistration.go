// Package dynamicregistration holds the specs that judge tools by Dynamic Registration 1.0.
// Importing it adds them to the program.
//
// To add a check: a case of a dr- requirement in requirements/core.yaml; a stimulus in
// fakeplatform/dynamicregistration; and a fault of the judged side in faketool/dynamicregistration.
package dynamicregistration

import (
	"invigilator.example/harness"
	"invigilator.example/requirements"
)

// profile is that of the catalogue, and the feature that declares it.
const profile = requirements.DynamicRegistration

func init() {
	harness.AddPart(harness.Part{Profile: profile, Tool: preflightTool})
}
