// Package services judges what every service of a platform has to do, whichever it is:
// how it refuses requests, what its access tokens are, and what its addresses look like.
package services

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A Mistake is one kind of request to a service that a platform has to refuse. However
// it is made, and of whichever service, the same answer gets the same verdict: the
// right status is passed, another refusal (4xx) is warned of, and everything else is
// failed: what is taken, and what breaks down.
type Mistake struct {
	// Right are the statuses that say what is wrong; any 4xx does where there is none.
	Right []int
	// source is the sentence that asks for the right status, or why any will do.
	source string
	// challenged is set where the answer has to say how to get in.
	challenged bool
}

// The mistakes. No sentence makes one status a MUST: RFC 6750 says SHOULD, and RFC 9110
// lets a server answer any of its client's errors with 400.
var (
	WithoutToken = Mistake{Right: []int{http.StatusUnauthorized}, challenged: true,
		source: `RFC 6750, 3.1, invalid_token: "The resource SHOULD respond with the HTTP 401 (Unauthorized) status code"`}
	OfOtherScope = Mistake{Right: []int{http.StatusForbidden},
		source: `RFC 6750, 3.1, insufficient_scope: "The resource server SHOULD respond with the HTTP 403 (Forbidden) status code"`}
	twoTokens = Mistake{
		source: `RFC 6750, 3.1, invalid_request, for a request that "uses more than one method for including an access token, or is otherwise malformed"`}
	// OfOthers is about things that another tool, or another context, has.
	OfOthers = Mistake{Right: []int{http.StatusForbidden, http.StatusNotFound},
		source: "RFC 9110, 15.5.4: an origin server that wishes to hide a forbidden resource MAY respond with 404 instead of 403"}
	Malformed = Mistake{Right: []int{http.StatusBadRequest, http.StatusUnprocessableEntity},
		source: "RFC 9110, 15.5.1 and 15.5.21: 400 is for what the client got wrong, 422 for content whose syntax is right"}
	OfOtherType = Mistake{Right: []int{http.StatusUnsupportedMediaType},
		source: "RFC 9110, 15.5.16: 415 is for content in a format that the method does not support"}
	NotAcceptable = Mistake{Right: []int{http.StatusNotAcceptable},
		source: "RFC 9110, 15.5.7: 406 is for want of a representation that the client accepts"}
	ByOtherMethod = Mistake{Right: []int{http.StatusMethodNotAllowed},
		source: "RFC 9110, 15.5.6: 405 is for a method that the resource does not support"}
	// Nowhere is an address at which there is nothing.
	Nowhere = Mistake{Right: []int{http.StatusNotFound, http.StatusGone},
		source: "RFC 9110, 15.5.5: 404 is for want of a current representation of the resource"}
	// OfNothing names in its body somebody, or something, that there is not.
	OfNothing   = Mistake{source: "no specification says which 4xx it is"}
	OfOtherLink = Mistake{Right: []int{http.StatusNotFound, http.StatusBadRequest},
		source: `Assignment and Grade Services 2.0, 3.2.9: "MUST fail with a response code of Not Found 404"; 3.2.5: the platform may "treat it as a bad request"`}
)

// Judge judges how a request with the mistake was answered.
func (m Mistake) Judge(f *harness.PlatformFlow) (results.Verdict, string) {
	status, says := f.Exchange.Status, AnsweredWith(f)
	switch {
	case status == 0, status == http.StatusTooManyRequests:
		return results.Inconclusive, says
	case status/100 != 4:
		return results.Failed, says
	case len(m.Right) > 0 && !slices.Contains(m.Right, status):
		return results.Warned, fmt.Sprintf("HTTP %d instead of %d. %s.", status, m.Right[0], strings.TrimSuffix(m.source, "."))
	case m.challenged && !challenges(f.Exchange.Header):
		return results.Warned, says + " The answer has no WWW-Authenticate: Bearer (RFC 6750, 3), which no tool needs to be kept out."
	}
	return results.Passed, says
}

// challenges says whether an answer asks for a bearer token, among the ways in that it names:
// each may be a field of its own, and several be in one (RFC 9110, 11.6.1).
func challenges(answer http.Header) bool {
	for _, field := range answer.Values("WWW-Authenticate") {
		for part := range strings.SplitSeq(field, ",") {
			if scheme := strings.Fields(part); len(scheme) > 0 && strings.EqualFold(scheme[0], "Bearer") {
				return true
			}
		}
	}
	return false
}

// Observe keeps how a request with the mistake was answered.
func (m Mistake) Observe(scene *harness.PlatformScenario, id requirements.ID, stimulus string, flow *harness.PlatformFlow, flows ...*harness.PlatformFlow) {
	verdict, says := m.Judge(flow)
	scene.Observe(id, stimulus, verdict, "", says, append(flows, flow)...)
}

// AnsweredWith says what the status of an answer was.
func AnsweredWith(f *harness.PlatformFlow) string {
	if f.Exchange.Status == 0 {
		return fmt.Sprintf("No answer came: %s.", f.Exchange.Err)
	}
	return fmt.Sprintf("HTTP %d.", f.Exchange.Status)
}
