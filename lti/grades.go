package lti

// SubmissionReviewRequest is the message type that opens a learner's work for
// review (Submission Review Service 1.0).
const SubmissionReviewRequest = "LtiSubmissionReviewRequest"

// Claims of the grade services and of submission review (Assignment and Grade
// Services 2.0, 3.1; Submission Review Service 1.0).
const (
	ClaimAGS     = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
	ClaimForUser = "https://purl.imsglobal.org/spec/lti/claim/for_user"
)

// Scopes of the grade services (Assignment and Grade Services 2.0, 3.2 to 3.4).
const (
	ScopeLineItem         = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
	ScopeLineItemReadOnly = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
	ScopeResultReadOnly   = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
	ScopeScore            = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
)

// GradeScopes are all of them.
var GradeScopes = []string{ScopeLineItem, ScopeLineItemReadOnly, ScopeResultReadOnly, ScopeScore}

// Media types of the grade services (Assignment and Grade Services 2.0, 3.2 to 3.4).
const (
	MediaTypeLineItem          = "application/vnd.ims.lis.v2.lineitem+json"
	MediaTypeLineItemContainer = "application/vnd.ims.lis.v2.lineitemcontainer+json"
	MediaTypeResultContainer   = "application/vnd.ims.lis.v2.resultcontainer+json"
	MediaTypeScore             = "application/vnd.ims.lis.v1.score+json"
)

// An ActivityProgress is how far a learner has come with an activity.
type ActivityProgress string

// The values of activityProgress, in their order.
const (
	Initialized ActivityProgress = "Initialized"
	Started     ActivityProgress = "Started"
	InProgress  ActivityProgress = "InProgress"
	Submitted   ActivityProgress = "Submitted"
	Completed   ActivityProgress = "Completed"
)

// ActivityProgresses are all of them.
var ActivityProgresses = []ActivityProgress{Initialized, Started, InProgress, Submitted, Completed}

// ReviewableNone stands, among the values of activityProgress in
// reviewableStatus, for a learner of whom no score has come.
const ReviewableNone = "None"

// A GradingProgress is how far the grading of an activity has come.
type GradingProgress string

// The values of gradingProgress.
const (
	FullyGraded   GradingProgress = "FullyGraded"
	Pending       GradingProgress = "Pending"
	PendingManual GradingProgress = "PendingManual"
	GradingFailed GradingProgress = "Failed"
	NotReady      GradingProgress = "NotReady"
)

// GradingProgresses are all of them.
var GradingProgresses = []GradingProgress{FullyGraded, Pending, PendingManual, GradingFailed, NotReady}

// AGSEndpoint is the claim by which a platform offers its grade services.
type AGSEndpoint struct {
	Scope     []string `json:"scope"`
	LineItems string   `json:"lineitems,omitempty"`
	LineItem  string   `json:"lineitem,omitempty"`
}

// ForUser is the claim that names the learner whose work is reviewed.
type ForUser struct {
	UserID          string   `json:"user_id"`
	PersonSourcedID string   `json:"person_sourcedid,omitempty"`
	GivenName       string   `json:"given_name,omitempty"`
	FamilyName      string   `json:"family_name,omitempty"`
	Name            string   `json:"name,omitempty"`
	Email           string   `json:"email,omitempty"`
	Roles           []string `json:"roles,omitempty"`
}

// SubmissionReview is the member of a line item that says how its submissions are
// reviewed (Submission Review Service 1.0).
type SubmissionReview struct {
	ReviewableStatus []string          `json:"reviewableStatus,omitempty"`
	Label            string            `json:"label,omitempty"`
	URL              string            `json:"url,omitempty"`
	Custom           map[string]string `json:"custom,omitempty"`
}

// A LineItem is a column of the gradebook.
type LineItem struct {
	ID               string            `json:"id,omitempty"` // a URL
	Label            string            `json:"label"`
	ScoreMaximum     float64           `json:"scoreMaximum"`
	ResourceID       string            `json:"resourceId,omitempty"`
	Tag              string            `json:"tag,omitempty"`
	ResourceLinkID   string            `json:"resourceLinkId,omitempty"`
	StartDateTime    string            `json:"startDateTime,omitempty"` // ISO 8601
	EndDateTime      string            `json:"endDateTime,omitempty"`
	GradesReleased   *bool             `json:"gradesReleased,omitempty"`
	SubmissionReview *SubmissionReview `json:"submissionReview,omitempty"`
}

// A Score is what a tool tells of a learner's work at a line item.
type Score struct {
	UserID           string           `json:"userId"`
	Timestamp        string           `json:"timestamp"` // ISO 8601, finer than a second
	ActivityProgress ActivityProgress `json:"activityProgress"`
	GradingProgress  GradingProgress  `json:"gradingProgress"`
	ScoreGiven       *float64         `json:"scoreGiven,omitempty"`
	ScoreMaximum     *float64         `json:"scoreMaximum,omitempty"`
	Comment          string           `json:"comment,omitempty"`
	ScoringUserID    string           `json:"scoringUserId,omitempty"`
	Submission       *Submission      `json:"submission,omitempty"`
}

// A Submission says when work was begun and handed in.
type Submission struct {
	StartedAt   string `json:"startedAt,omitempty"` // ISO 8601
	SubmittedAt string `json:"submittedAt,omitempty"`
}

// A Result is what the gradebook holds of a learner at a line item.
type Result struct {
	ID            string   `json:"id"`      // a URL
	ScoreOf       string   `json:"scoreOf"` // the line item's id
	UserID        string   `json:"userId"`
	ResultScore   *float64 `json:"resultScore,omitempty"`
	ResultMaximum *float64 `json:"resultMaximum,omitempty"`
	Comment       string   `json:"comment,omitempty"`
	ScoringUserID string   `json:"scoringUserId,omitempty"`
}
