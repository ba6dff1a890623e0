package fakeplatform

import (
	"context"
	"errors"
	"net/http"
	"time"

	"invigilator/lti"
)

// ContextsPath begins the addresses of the grade services (Assignment and Grade
// Services 2.0): ContextsPath + "/{context}/lineitems", and below it a line item,
// its scores and its results.
const ContextsPath = "/contexts"

// Grades say what a launch offers of the grade services (Assignment and Grade
// Services 2.0, 3.1).
type Grades struct {
	Scopes []string // all when nil
}

// A Review says whose work at which line item a launch opens (Submission Review
// Service 1.0).
type Review struct {
	LineItem string // its id
	Learner  User
}

// A Grade is what the gradebook holds of a learner at a line item.
type Grade struct {
	Progress lti.ActivityProgress // empty where no score has come
	Grading  lti.GradingProgress
	Points   *float64 // scaled to the line item's maximum; nil where there is none
	Final    bool     // the points are the grade
	Comment  string
}

// A Service is one of the grade services.
type Service string

// The grade services (Assignment and Grade Services 2.0, 3.2 to 3.4).
const (
	LineItems Service = "lineitems" // the container
	LineItem  Service = "lineitem"
	Scores    Service = "scores"
	Results   Service = "results"
)

// A GradeCall is a request to the grade services.
type GradeCall struct {
	Service                             Service
	ContextID, LineItem                 string // the latter is an id; empty for the container, and where there is no such item
	Method, Target, ContentType, Accept string
	// Authorized says whether the access token was one for what was asked. Token is
	// a secret while it lasts.
	Authorized bool
	Token      string
	Scopes     []string // of the access token
	Body       []byte   // at most 64 KiB
	Status     int      // of the answer; 0 where the connection was closed
	// Problems say what is not allowed in it.
	Problems []string
	At       time.Time
}

// AddLineItem adds a line item to the gradebook that a tool has in a context, as
// the platform's own, and returns it with its id.
func (p *Platform) AddLineItem(clientID, contextID string, item lti.LineItem) (lti.LineItem, error) {
	return item, errors.ErrUnsupported
}

// LineItems returns those that a tool has in a context, in the order in which
// they were made.
func (p *Platform) LineItems(clientID, contextID string) []lti.LineItem { return nil }

// Grade returns what the gradebook holds of a learner at a line item, by its id.
func (p *Platform) Grade(lineItem, sub string) Grade { return Grade{} }

// Reviewable says whether a learner's work at a line item is offered for review
// (Submission Review Service 1.0, on a per line item basis).
func (p *Platform) Reviewable(lineItem, sub string) bool { return false }

// GradeCalls returns the requests to the grade services of a context, in order and
// at most a thousand.
func (p *Platform) GradeCalls(contextID string) []GradeCall { return nil }

// AwaitGradeCalls waits until so many requests to the grade services of a context
// have been answered, and says whether they have: they have not when the context
// ends before.
func (p *Platform) AwaitGradeCalls(ctx context.Context, contextID string, n int) bool { return false }

// A gradeAnswer is the answer of a grade service before it is sent; the fault of
// the context's latest launch may change it.
type gradeAnswer struct {
	*http.Request
	platform *Platform
	service  Service
	nth      int      // of the calls of that service and method since that launch, from 1
	why      *refusal // the request is refused
	reset    bool     // the connection is closed instead
	status   int
	header   http.Header
	body     any // is sent as JSON; nil for none
}
