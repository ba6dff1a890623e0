package services

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// Expired returns an access token that was good, and has expired.
func Expired(ctx context.Context, scene *harness.PlatformScenario, scopes []string) (string, error) {
	token, lives, err := scene.Fresh(ctx, scopes...)
	if err != nil {
		return "", err
	}
	return token, scene.Pass(ctx, lives+Leeway)
}

// TokenRefused says whether a request for an access token is refused as RFC 6749 has it,
// 5.2: "The authorization server responds with an HTTP 400 (Bad Request) status code
// (unless specified otherwise)", where 401 is specified for a client that cannot be
// authenticated, and error is REQUIRED. A client finds in another 4xx what it needs.
func TokenRefused(t *faketool.Token) (results.Verdict, string) {
	says := fmt.Sprintf("HTTP %d, %q.", t.Status, results.Bounded(t.Error, 100))
	switch {
	case t.Err != nil || t.Status == 0:
		return results.Inconclusive, fmt.Sprintf("No answer came: %s.", t.Err)
	case t.Status == http.StatusTooManyRequests:
		return results.Inconclusive, says
	case t.AccessToken != "":
		return results.Failed, "A token was granted."
	case t.Status/100 != 4:
		return results.Failed, says
	case t.Method == http.MethodGet: // it need not even be the token endpoint that answers
		return results.Passed, says
	case t.Error == "":
		return results.Failed, fmt.Sprintf("HTTP %d, and the answer has no error.", t.Status)
	case t.Status != http.StatusBadRequest && t.Status != http.StatusUnauthorized:
		return results.Warned, says
	}
	return results.Passed, says
}

// Leeway is how long after its end an access token may still be taken: clocks differ.
const Leeway = 2 * time.Minute

// AnswersToken judges the requests with an access token whose header is unusual, and says
// whether a stimulus is one of them: a platform has to take one of them, and may take the
// other.
func AnswersToken(scene *harness.PlatformScenario, id requirements.ID, stimulus string, flow *harness.PlatformFlow, flows ...*harness.PlatformFlow) bool {
	switch stimulus {
	case "token-scheme-lower-case":
		scene.Check(id, stimulus, flow.Succeeded(), "", AnsweredWith(flow), append(flows, flow)...)
	case "two-authorization-headers":
		if flow.Succeeded() {
			scene.Observe(id, stimulus, results.Passed, "", "Taken, as by a server that knows the first one alone.", append(flows, flow)...)
			return true
		}
		twoTokens.Observe(scene, id, stimulus, flow, flows...)
	default:
		return false
	}
	return true
}

// WrongGrant says what is wrong with an answer that has to grant a token for some of
// the scopes that were asked for. What it grants beside them is for [Beyond] to say.
func WrongGrant(t *faketool.Token) string {
	switch {
	case t.Err != nil:
		return "no answer came: " + t.Err.Error()
	case t.Status != http.StatusOK || t.AccessToken == "":
		return fmt.Sprintf("no token was granted: HTTP %d %s", t.Status, results.Bounded(t.Error, 200))
	}
	return ""
}

// Beyond says what an answer grants beside the scopes that it may; empty for nothing. One
// that does not say what it grants has granted all that was requested (RFC 6749, 5.1).
func Beyond(t *faketool.Token, may, requested []string) string {
	granted, says := strings.Fields(t.Scope), ""
	if len(granted) == 0 {
		granted, says = slices.Clone(requested), ", since the answer has no scope"
	}
	more := slices.DeleteFunc(granted, func(scope string) bool { return slices.Contains(may, scope) })
	if t.AccessToken == "" || len(more) == 0 {
		return ""
	}
	return fmt.Sprintf("besides %s the platform granted %s%s", strings.Join(may, " "), results.Bounded(strings.Join(more, " "), 300), says)
}
