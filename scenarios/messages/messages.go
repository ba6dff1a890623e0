// Package messages judges what platforms and tools sign: what a message has to keep
// whatever its type, and how it has to come. What the messages of one part say besides is
// that part's.
package messages

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// A Check judges one requirement by a launch that worked. Wrong returns what is
// wrong, and nothing where all is right. It has no name of its own, so that tables of
// checks may leave out those of the fields.
type Check = struct {
	ID    requirements.ID
	Wrong func(*harness.PlatformRun, *harness.PlatformFlow) string
}

// Initiation is the login initiation of a launch.
func Initiation(f *harness.PlatformFlow) faketool.Initiation { return f.Login.Record().Initiation }

// WrongForm says what is wrong with the form that carried the answer (OAuth 2.0
// Form Post Response Mode, 2).
func WrongForm(f *harness.PlatformFlow) string {
	a := f.Answer
	content, _, _ := mime.ParseMediaType(a.ContentType)
	asked, _ := f.Requested()
	u, err := url.Parse(asked)
	switch {
	case a.Method != http.MethodPost:
		return "the answer came by " + a.Method
	case content != "application/x-www-form-urlencoded":
		return fmt.Sprintf("the answer's Content-Type is %q", a.ContentType)
	case len(a.Form[lti.ParamIDToken]) != 1 || len(a.Form[lti.ParamState]) != 1:
		return "id_token and state are not each one field of the form"
	case err != nil || a.Path != u.EscapedPath() || a.RawQuery != u.RawQuery:
		return fmt.Sprintf("the answer went to %s instead of %s", strings.TrimSuffix(a.Path+"?"+results.Bounded(a.RawQuery, 100), "?"), asked)
	}
	return ""
}

// WrongDeployment says what is wrong with the deployment that a launch names.
func WrongDeployment(r *harness.PlatformRun, f *harness.PlatformFlow) string {
	deployment := f.Message().Claims[lti.ClaimDeploymentID]
	if wrong := WrongIdentifier(deployment, "deployment_id"); wrong != "" {
		return wrong
	}
	if known := r.Platform().DeploymentID; known != "" && deployment != known {
		return fmt.Sprintf("deployment_id is %s instead of %q", lti.Wire(deployment), known)
	}
	return ""
}

// WrongTargetLink says whether a launch names another target link than its login
// initiation.
func WrongTargetLink(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
	claim, sent := f.Message().Claims[lti.ClaimTargetLinkURI], Initiation(f).Params.Get(lti.ParamTargetLinkURI)
	if claim != sent {
		return fmt.Sprintf("target_link_uri is %q in the login initiation and %s in the id_token", sent, lti.Wire(claim))
	}
	return ""
}

// maxIdentifier is the length of most identifiers of LTI.
const maxIdentifier = 255

// WrongIdentifier says what is wrong with a value that has to be a text of 1 to 255
// ASCII characters.
func WrongIdentifier(value any, name string) string {
	text, ok := value.(string)
	switch {
	case value == nil:
		return name + " is missing"
	case !ok:
		return fmt.Sprintf("%s is %s instead of a text", name, lti.Wire(value))
	case text == "":
		return name + " is empty"
	case strings.ContainsFunc(text, func(r rune) bool { return r > 127 }):
		return name + " has characters beyond ASCII"
	case len(text) > maxIdentifier:
		return fmt.Sprintf("%s has %d characters, more than %d", name, len(text), maxIdentifier)
	}
	return ""
}

// Constant wants a claim to have one value.
func Constant(claim, want string) func(*harness.PlatformRun, *harness.PlatformFlow) string {
	return func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if got := f.Message().Claims[claim]; got != want {
			return fmt.Sprintf("%s is %s instead of %q", claim, lti.Wire(got), want)
		}
		return ""
	}
}

// WrongSignature holds the signature of an id_token against the platform's key set.
func WrongSignature(f *harness.PlatformFlow, keys harness.KeySet, keysErr error) string {
	if keysErr != nil {
		return fmt.Sprintf("the key set cannot be read: %s", keysErr)
	}
	return keys.Verify(f.Signed())
}

// JudgeSigned keeps what is wrong with the signature of a message, if anything.
func JudgeSigned(scene *harness.PlatformScenario, id requirements.ID, wrong string, keysErr error, f *harness.PlatformFlow) {
	verdict := results.Passed
	if wrong != "" {
		verdict = harness.Unread(keysErr)
	}
	scene.Observe(id, "", verdict, "a signature by a key of the platform's", Seen(wrong), f)
}

// FirstOf returns what the first of some checks finds wrong.
func FirstOf(r *harness.PlatformRun, f *harness.PlatformFlow, checks ...func(*harness.PlatformRun, *harness.PlatformFlow) string) string {
	for _, check := range checks {
		if wrong := check(r, f); wrong != "" {
			return wrong
		}
	}
	return ""
}

// KeptOutOfURLs judges how a request for another response_mode is answered: by form POST
// all the same, as the only way that there is, or not at all (Security Framework 1.0,
// 5.1.1.2). What must not be is an id_token in a URL.
func KeptOutOfURLs(scene *harness.PlatformScenario, f *harness.PlatformFlow) (results.Verdict, string) {
	if f.Posted() && !InURL(f) {
		return results.Passed, "The id_token came by form POST nevertheless."
	}
	return scene.Refused(f)
}

// SameState judges whether the answer returns the state of its request.
func SameState(f *harness.PlatformFlow) (results.Verdict, string) {
	sent := f.Request.Params.Get(lti.ParamState)
	switch {
	case f.Answer == nil:
		return results.Passed, ""
	case !f.Answer.HasState:
		return results.Failed, "The answer has no state."
	case f.Answer.State != sent:
		return results.Failed, fmt.Sprintf("The state is %q instead of %q.", results.Bounded(f.Answer.State, 300), results.Bounded(sent, 300))
	default:
		return results.Passed, ""
	}
}

// SameNonce judges whether the id_token has the nonce of its request.
func SameNonce(f *harness.PlatformFlow) (results.Verdict, string) {
	sent := f.Request.Params.Get(lti.ParamNonce)
	nonce, ok := f.Message().Text("nonce")
	switch {
	case f.Message().Raw == "":
		return results.Passed, ""
	case !ok:
		return results.Failed, "The id_token has no nonce that is a text."
	case nonce != sent:
		return results.Failed, fmt.Sprintf("The nonce is %q instead of %q.", results.Bounded(nonce, 300), results.Bounded(sent, 300))
	default:
		return results.Passed, ""
	}
}

// InURL says whether an id_token stood in an address.
func InURL(f *harness.PlatformFlow) bool {
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool {
		u, err := url.Parse(s.URL)
		if err != nil {
			return false
		}
		fragment, _ := url.ParseQuery(u.Fragment)
		return u.Query().Has(lti.ParamIDToken) || fragment.Has(lti.ParamIDToken)
	})
}

// LinkOf is the id of the launch's resource link.
func LinkOf(f *harness.PlatformFlow) any { return f.Message().Object(lti.ClaimResourceLink)["id"] }

// Required are the claims that every launch has (Security Framework 1.0, 5.1.2;
// LTI Core 1.3, 5.3), but for the user's.
var Required = []string{
	"iss", "aud", "exp", "iat", "nonce", lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimDeploymentID, lti.ClaimTargetLinkURI,
	lti.ClaimResourceLink, lti.ClaimRoles,
}
