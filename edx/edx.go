// Package edx is the vocabulary of the REST contract between edx-proctoring, the exams of
// Open edX, and a proctoring backend: paths, members and words, as the code of
// edx-proctoring speaks them (July 2025; docs/backends.rst where that agrees). It checks
// nothing. The fake backend and the fake exam platform share it, and nothing else.
package edx

import (
	"net/url"
	"slices"
)

// TokenPath is where both parties issue access tokens, below the backend's base URL and
// below the platform's own.
const TokenPath = "/oauth2/access_token"

// The form of a token request, and the members of its answer.
const (
	GrantType         = "grant_type"
	ClientCredentials = "client_credentials"
	ClientID          = "client_id"
	ClientSecret      = "client_secret"
	TokenType         = "token_type"
	JWT               = "jwt"
	AccessToken       = "access_token"
	ExpiresIn         = "expires_in"
)

// Scheme is the word before the token in the header Authorization: it is not Bearer.
const Scheme = "JWT"

// The paths of a backend, below its base URL. All but those of onboarding end with a slash.
const (
	ConfigPath     = "/api/v1/config/"
	ExamsPath      = "/api/v1/exam/"
	UsersPath      = "/api/v1/user/"
	CoursesPath    = "/api/v1/courses/"
	InstructorPath = "/api/v1/instructor/"
)

// ExamPath is that of an exam, by the backend's id of it.
func ExamPath(exam string) string { return ExamsPath + url.PathEscape(exam) + "/" }

// AttemptsPath is where attempts at an exam are registered.
func AttemptsPath(exam string) string { return ExamPath(exam) + "attempt/" }

// AttemptPath is that of an attempt, by the backend's id of it.
func AttemptPath(exam, attempt string) string {
	return AttemptsPath(exam) + url.PathEscape(attempt) + "/"
}

// UserPath is that of a user, by the pseudonym that the platform has for that backend.
func UserPath(user string) string { return UsersPath + url.PathEscape(user) + "/" }

// OnboardingPath is that of the onboarding statuses of a course.
func OnboardingPath(course string) string {
	return CoursesPath + url.PathEscape(course) + "/onboarding_statuses"
}

// DashboardPath is that of the dashboard for instructors.
func DashboardPath(client string) string { return InstructorPath + url.PathEscape(client) + "/" }

// CallbacksPath begins the paths of the platform to which a backend posts: it is followed by
// the id of an attempt, and by [Ready] or [Reviewed].
const CallbacksPath = "/api/edx_proctoring/v1/proctored_exam/attempt/"

// The ends of these paths.
const (
	Ready    = "ready"
	Reviewed = "reviewed"
)

// The statuses of an attempt of which a backend is told. StatusReady is what it says itself.
const (
	StatusCreated   = "created"
	StatusStarted   = "started"
	StatusSubmitted = "submitted"
	StatusError     = "error"
	StatusDeleted   = "deleted"
	StatusReady     = "ready"
)

// Refusals are the statuses by which a backend refuses to register an attempt of a learner.
func Refusals() []string {
	return []string{"onboarding_missing", "onboarding_pending", "onboarding_failed", "onboarding_expired"}
}

// IsRefusal says whether a status is one of [Refusals].
func IsRefusal(status string) bool { return slices.Contains(Refusals(), status) }

// ReviewStatuses are those of a review.
func ReviewStatuses() []string {
	return []string{"passed", "violation", "suspicious", "not_reviewed"}
}

// ProfileStatuses are those of a learner's onboarding.
func ProfileStatuses() []string {
	return []string{"no-profile", "approved-in-course", "approved-in-different-course", "rejected", "expired", "pending"}
}
