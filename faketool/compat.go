package faketool

import (
	"context"

	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/part"
)

// What those who ask services still call it.
type (
	GradeRequest = part.ServiceRequest
	GradeProbe   = ServiceProbe
)

// GradeServiceRequest is [RequestOfService].
const GradeServiceRequest = RequestOfService

// Grade is [Tool.Ask].
func (t *Tool) Grade(ctx context.Context, r GradeRequest, p GradeProbe) (*Exchange, error) {
	return t.Ask(ctx, r, p)
}

// Below is [grades.Below].
func Below(lineItem, part string) string { return grades.Below(lineItem, part) }

// The names of faults of the client of the grade services.
const (
	SendsURLAsAssertionIssuer   = grades.SendsURLAsAssertionIssuer
	SignsAssertionAsUnpublished = grades.SignsAssertionAsUnpublished
	CrashesOnNoContent          = grades.CrashesOnNoContent
	NeedsOKForScores            = grades.NeedsOKForScores
	NeverSaysSaved              = grades.NeverSaysSaved
	OmitsActivityProgress       = grades.OmitsActivityProgress
	PassesAccessTokensOn        = grades.PassesAccessTokensOn
)
