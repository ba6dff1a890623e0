package proctoring

import (
	"errors"
	"fmt"
	"net/http"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// invalidRequest is the refusal of a request that is not as it should be.
func invalidRequest(format string, args ...any) error {
	return &part.Refusal{Status: http.StatusBadRequest, Code: lti.ErrorInvalidRequest, Says: fmt.Sprintf(format, args...)}
}

// refusals are those that rules have found.
type refusals []part.Refusal

func refusalsOf(broken ...error) refusals {
	var all refusals
	for _, err := range broken {
		if why, is := errors.AsType[*part.Refusal](err); is {
			all = append(all, *why)
		}
	}
	return all
}

// said returns what the refusals say.
func (all refusals) said() []string {
	var says []string
	for _, r := range all {
		says = append(says, r.Says)
	}
	return says
}

// failure is that of a fault which does not bear something.
var failure = part.Refusal{Status: http.StatusInternalServerError, Code: lti.ErrorInvalidRequest, Says: "an error"}
