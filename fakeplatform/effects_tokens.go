package fakeplatform

import (
	"net/http"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults of the services do, and of which requests they make a difference.

const (
	pageMediaType = "text/html; charset=utf-8"
	jsonMediaType = "application/json"
)

// What follows says of which requests for access tokens a fault makes a difference.

// needsWhole refuses an assertion with a time that has a fraction of a second.
func needsWhole(name string) fault.Effect {
	return assertionRules.Add(func(a *application) error {
		if a.assertion.HasFraction(name) {
			return invalidClient(name + " is no integer")
		}
		return nil
	})
}

// refusesClaim refuses an assertion that has a claim.
func refusesClaim(name, says string) fault.Effect {
	return clientRules.Add(func(a *application) error {
		if _, sent := a.assertion.Claims[name]; sent && a.assertion.Header != nil {
			return invalidClient(says)
		}
		return nil
	})
}

func byGet(a *application) bool { return a.Method == http.MethodGet }

// awaitsTwin waits for a request with the same client assertion. By itself that shows nowhere.
var awaitsTwin = tokenRequestRead.ChangeAll(func(readApplication) bool { return false }, func(r readApplication) readApplication {
	if r.assertion.Compact != "" {
		r.alone = !r.platform.pairs.Meet(r.Context(), r.assertion.Compact)
	}
	return r
})

// hasTwin are those whose assertion may have come twice at the same time: nobody knows where
// nobody has waited.
func hasTwin(a *application) bool { return !a.alone }

// refusesTokens answers in place of the platform where something is wrong.
func refusesTokens(when func(refusedApplication) bool, answer func(w http.ResponseWriter, why part.Refusal)) fault.Effect {
	return tokenRefused.ChangeWhen(when, func(r refusedApplication) refusedApplication {
		r.instead = func(w http.ResponseWriter, _ *http.Request) { answer(w, r.why) }
		return r
	})
}

func crashes(w http.ResponseWriter, _ part.Refusal) { crash(w) }

// errorOf is the body of an error without a description.
func errorOf(code string) map[string]string { return map[string]string{lti.ParamError: code} }
