package faketool

import (
	"invigilator.example/faketool/deeplinking"
	"invigilator.example/faketool/proctoring"
)

// Parts are those of a tool.
var Parts = parts

// Changed says what a stimulus changes.
func Changed(f Fault) string {
	switch {
	case Changes(f, AuthenticationRequest):
		return "request"
	case Changes(f, proctoring.StartAssessmentMessage):
		return "message"
	case Changes(f, deeplinking.Response):
		return "content"
	case Changes(f, AccessTokenRequest):
		return "assertion"
	case Changes(f, proctoring.ControlServiceRequest):
		return "control"
	case Changes(f, RequestOfService):
		return "service"
	default:
		return ""
	}
}
