package faketool

import "invigilator.example/faketool/proctoring"

// Parts are those of a tool.
var Parts = parts

// Changes says what a stimulus changes.
func Changes(f Fault) string {
	switch {
	case f.Changes(AuthenticationRequest):
		return "request"
	case f.Changes(proctoring.StartAssessmentMessage):
		return "message"
	case f.Changes(AccessTokenRequest):
		return "assertion"
	case f.Changes(proctoring.ControlServiceRequest):
		return "control"
	case f.Changes(RequestOfService):
		return "service"
	default:
		return ""
	}
}
