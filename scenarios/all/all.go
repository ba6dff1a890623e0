// Package all adds the specs of all parts to a program that imports it, and those of
// launches: a row for each.
package all

import (
	_ "invigilator.example/scenarios/backend"             // proctoring backends of edX
	_ "invigilator.example/scenarios/deeplinking"         // Deep Linking 2.0
	_ "invigilator.example/scenarios/dynamicregistration" // Dynamic Registration 1.0
	_ "invigilator.example/scenarios/grades"              // Assignment and Grade Services
	_ "invigilator.example/scenarios/namesroles"          // Names and Role Provisioning Services
	_ "invigilator.example/scenarios/platform"            // launches by a platform
	_ "invigilator.example/scenarios/proctoring"          // Proctoring Services
	_ "invigilator.example/scenarios/review"              // Submission Review Service
	_ "invigilator.example/scenarios/storage"             // LTI postMessage Storage
	_ "invigilator.example/scenarios/tokens"              // access tokens of services
	_ "invigilator.example/scenarios/tool"                // launches of a tool
)
