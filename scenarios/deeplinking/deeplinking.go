// Package deeplinking holds the specs that judge tools and platforms by Deep Linking 2.0: tool.go
// those of tools, platform.go those of platforms. Importing it adds them to the program.
//
// To add a check: a case in requirements/deep-linking.yaml; a stimulus in
// fakeplatform/deeplinking or faketool/deeplinking; and a fault of the judged side in the other.
package deeplinking

import (
	"invigilator.example/harness"
	"invigilator.example/requirements"
)

// profile is that of the catalogue, and the feature that declares it.
const profile = requirements.DeepLinking

func init() {
	harness.AddPart(harness.Part{Profile: profile, Tool: preflightTool, Platform: preflightPlatform})
}
