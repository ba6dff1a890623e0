package part

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"invigilator.example/lti"
)

// A Refusal is why a request is refused: the HTTP status, the error code that goes with
// it, and what is wrong in words.
type Refusal struct {
	Status     int
	Code, Says string
	// Scope is what an access token has to be for; empty where that says nothing.
	Scope string
}

func (r *Refusal) Error() string { return r.Says }

// Refuse is a refusal as the error of a rule.
func Refuse(status int, code, says string) error {
	return &Refusal{Status: status, Code: code, Says: says}
}

// InvalidRequest is the refusal of a request that is not as it should be.
func InvalidRequest(format string, args ...any) error {
	return Refuse(http.StatusBadRequest, lti.ErrorInvalidRequest, fmt.Sprintf(format, args...))
}

// Failure is that of a fault which does not bear something.
var Failure = Refusal{Status: http.StatusInternalServerError, Code: lti.ErrorInvalidRequest, Says: "an error"}

// Refusals are those that rules have found.
type Refusals []Refusal

// RefusalsOf returns the refusals among what rules have found, each of which may be several.
func RefusalsOf(broken ...error) Refusals {
	var all Refusals
	for _, err := range broken {
		if joined, are := errors.AsType[interface {
			error
			Unwrap() []error
		}](err); are {
			all = append(all, RefusalsOf(joined.Unwrap()...)...)
		} else if why, is := errors.AsType[*Refusal](err); is {
			all = append(all, *why)
		}
	}
	return all
}

// Said returns what the refusals say.
func (all Refusals) Said() []string {
	var says []string
	for _, r := range all {
		says = append(says, r.Says)
	}
	return says
}

// Answer answers with the refusal, where only GET is allowed.
func (r *Refusal) Answer(w http.ResponseWriter) {
	if r.Status == http.StatusUnauthorized || r.Code == lti.ErrorInsufficientScope {
		w.Header().Set("WWW-Authenticate", Challenge(r.Code, r.Scope))
	}
	Fail(w, r.Status, r.Code, r.Says, http.MethodGet)
}

// Challenge is what a client is told that lacks an access token for some scopes, by the
// code of the error (RFC 6750, 3).
func Challenge(code, scope string) string {
	parameters := `Bearer realm="fakeplatform"`
	if code != lti.ErrorInvalidRequest { // it has sent one
		parameters += `, error="` + code + `"`
	}
	if code == lti.ErrorInsufficientScope {
		parameters += `, scope="` + scope + `"`
	}
	return parameters
}

// Fail answers with an error (RFC 6749, 5.2), where only those methods are allowed.
func Fail(w http.ResponseWriter, status int, code, says string, methods ...string) {
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", strings.Join(methods, ", "))
	}
	Send(w, status, "application/json", map[string]string{lti.ParamError: code, lti.ParamErrorDescription: says})
}

// Send answers with JSON, which nobody may keep, unless another Cache-Control is given.
func Send(w http.ResponseWriter, status int, mediaType string, value any, cache ...string) {
	w.Header().Set("Content-Type", mediaType)
	w.Header()["Cache-Control"] = append([]string{"no-store"}, cache...)[len(cache):]
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the tool has gone if this fails
}
