package fakeplatform

import (
	"errors"
	"fmt"
	"net/http"

	"invigilator.example/lti"
)

// A refusal is why something that a tool sent is not taken, with the HTTP status
// that says so and the error code, where the endpoint has codes.
type refusal struct {
	status int
	code   string
	says   string
}

// Error says why.
func (r refusal) Error() string { return r.says }

// invalidRequest is the refusal of a request that is not as it should be.
func invalidRequest(format string, args ...any) error {
	return refusal{http.StatusBadRequest, lti.ErrorInvalidRequest, fmt.Sprintf(format, args...)}
}

// several errors are what [errors.Join] makes.
type several interface {
	error
	Unwrap() []error
}

// refusalsOf returns the refusals among what rules have found, which all are, or several of
// them.
func refusalsOf(broken []error) refusals {
	var all refusals
	for _, err := range broken {
		if joined, are := errors.AsType[several](err); are {
			all = append(all, refusalsOf(joined.Unwrap())...)
		} else if why, is := errors.AsType[refusal](err); is {
			all = append(all, why)
		}
	}
	return all
}

// refusals are those that checks have found.
type refusals []refusal

// said returns what the refusals say.
func said(all []refusal) []string {
	var says []string
	for _, r := range all {
		says = append(says, r.says)
	}
	return says
}
