package lti

// The subjects of messages that a tool sends to windows of the platform (LTI Client Side
// postMessages 0.1; LTI postMessage Storage 0.1). Each is answered with its own subject and
// [ResponseSuffix].
const (
	SubjectCapabilities = "lti.capabilities"
	SubjectPutData      = "lti.put_data"
	SubjectGetData      = "lti.get_data"

	ResponseSuffix = ".response"
)
