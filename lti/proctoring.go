package lti

// Claims of the proctoring messages (Proctoring Services 1.0, 4.2 to 4.4).
const (
	ClaimStartAssessmentURL  = "https://purl.imsglobal.org/spec/lti-ap/claim/start_assessment_url"
	ClaimSessionData         = "https://purl.imsglobal.org/spec/lti-ap/claim/session_data"
	ClaimAttemptNumber       = "https://purl.imsglobal.org/spec/lti-ap/claim/attempt_number"
	ClaimProctoringSettings  = "https://purl.imsglobal.org/spec/lti-ap/claim/proctoring_settings"
	ClaimACS                 = "https://purl.imsglobal.org/spec/lti-ap/claim/acs"
	ClaimVerifiedUser        = "https://purl.imsglobal.org/spec/lti-ap/claim/verified_user"
	ClaimEndAssessmentReturn = "https://purl.imsglobal.org/spec/lti-ap/claim/end_assessment_return"
	ClaimErrorMessage        = "https://purl.imsglobal.org/spec/lti-ap/claim/errormsg"
	ClaimErrorLog            = "https://purl.imsglobal.org/spec/lti-ap/claim/errorlog"
)

// Names of the Assessment Control Service (Proctoring Services 1.0, 5).
const (
	ScopeControl     = "https://purl.imsglobal.org/spec/lti-ap/scope/control.all"
	MediaTypeControl = "application/vnd.ims.lti-ap.v1.control+json"
)

// ACS is the claim by which a platform offers the Assessment Control Service
// (Proctoring Services 1.0, 4.2.2).
type ACS struct {
	Actions    []Action `json:"actions"`
	ControlURL string   `json:"assessment_control_url"`
}

// ProctoringSettings is the claim that holds what platform and tool have agreed
// on (Proctoring Services 1.0, 4.2.2).
type ProctoringSettings struct {
	Data string `json:"data"`
}

// An Action is what a proctor can do to an attempt.
type Action string

// The actions.
const (
	Pause     Action = "pause"
	Resume    Action = "resume"
	Terminate Action = "terminate"
	Update    Action = "update" // gives extra time
	Flag      Action = "flag"   // tells of an incident
)

// Actions are all of them.
var Actions = []Action{Pause, Resume, Terminate, Update, Flag}

// A Status is the state of an attempt.
type Status string

// The statuses.
const (
	None       Status = "none" // not started
	Running    Status = "running"
	Paused     Status = "paused"
	Terminated Status = "terminated"
	Complete   Status = "complete"
)

// Statuses are all of them.
var Statuses = []Status{None, Running, Paused, Terminated, Complete}

// A ControlRequest is what a tool sends to the Assessment Control Service.
type ControlRequest struct {
	User             ControlUser         `json:"user"`
	ResourceLink     ControlResourceLink `json:"resource_link"`
	AttemptNumber    int                 `json:"attempt_number"`
	Action           Action              `json:"action"`
	ExtraTime        *int                `json:"extra_time,omitempty"` // minutes, with Update
	IncidentTime     string              `json:"incident_time"`        // RFC 3339
	IncidentSeverity *float64            `json:"incident_severity,omitempty"`
	ReasonCode       string              `json:"reason_code,omitempty"`
	ReasonMessage    string              `json:"reason_msg,omitempty"`
}

// ControlUser is the candidate; Issuer is the platform's.
type ControlUser struct {
	Issuer string `json:"iss"`
	Sub    string `json:"sub"`
}

// ControlResourceLink is the assessment.
type ControlResourceLink struct {
	ID string `json:"id"`
}

// A ControlResponse is what the Assessment Control Service answers.
type ControlResponse struct {
	Status    Status `json:"status"`
	ExtraTime *int   `json:"extra_time,omitempty"` // minutes in all
}
