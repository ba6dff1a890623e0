// Package part is what the fake platform and a part of it know of each other. A part is a
// service in a package of its own, such as the members of a context; it asks nothing of
// the platform but what a [Core] answers, and the platform knows it by one row in a table.
package part

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// ContextsPath is below which the services of a context are: ContextsPath + "/{context}/",
// the id escaped, and what the service is called.
const ContextsPath = "/contexts"

// A Part is one service. What it has not is nil.
type Part struct {
	// Profile is that of the catalogue. It names the part.
	Profile string
	// Scopes are those that the token endpoint grants for it.
	Scopes []string
	// Mount adds its endpoints to those of a platform.
	Mount func(*http.ServeMux, Core)
	// ServerPaths are those of its endpoints that tools' servers ask for, where they are not
	// below [ContextsPath].
	ServerPaths []string
	// Keep makes what the part keeps of a platform, which [Core.Part] returns.
	Keep func(Core) any
	// Claims are those that a message has which offers it.
	Claims func(Core, Place) lti.Claims
	// Messages are those that it launches tools with.
	Messages []Message
	// Faults are its defects and the stimuli of tools.
	Faults []fault.Fault
}

// A Place is where a tool is launched: a resource link in a context. ResourceLink is
// empty where any of the tool's in the context will do, and ClientID where any tool's.
type Place struct{ ClientID, Context, ResourceLink string }

// A Context is a course (LTI Core 1.3, 5.4.1).
type Context struct{ ID, Label, Title string }

// A Member is a person who belongs to a context, by what a launch of that person says.
// Withheld are the personal data that such a launch does not have, as claims.
type Member struct{ Claims, Withheld lti.Claims }

// A Token is what the platform knows of the access token of a request.
type Token struct {
	Value    string // as it came; a secret while it lasts
	ClientID string // of the tool that it was granted to; empty where the platform does not know it
	Scopes   []string
}

// A Call is a request to a service, for those who judge the tool that sends it.
type Call struct {
	Part                   string // its profile
	ClientID, Context      string
	Method, Target, Accept string
	Scopes                 []string // of the access token
	Status                 int      // of the answer; 0 where the connection was closed
	At                     time.Time
}

// A Core is all that a part may ask of the platform.
type Core interface {
	// ServerURL is where tools' servers reach the platform, without a trailing slash.
	ServerURL() string
	// Issuer is the identifier that tools know the platform by, whatever a message says.
	Issuer() string
	Now() time.Time
	// Part returns what the part with a profile keeps of the platform.
	Part(profile string) any
	// Known says whether a tool is registered.
	Known(clientID string) bool
	// Account is that of the user who is signed in in the browser that a request comes from,
	// and false where the platform has no such sessions.
	Account(*http.Request) (string, bool)
	// WithLaunch serves what is below the URL of a launch: the path has its "{id}".
	WithLaunch(func(http.ResponseWriter, *http.Request, Launch)) http.HandlerFunc
	// Begin begins a launch that follows another one ([Message.Follows]).
	Begin(message string, about any) (Launch, error)
	// Verify checks that a message is signed by a tool.
	Verify(ctx context.Context, message jwt.Token, clientID string) error
	// Unplanned tells of a request that no launch accounts for.
	Unplanned(r *http.Request, why string)
	// Refuse answers a browser with a page.
	Refuse(w http.ResponseWriter, status int, says string)
	// Token reads the access token of a request. The error is a [*Refusal] where it has
	// none that is good.
	Token(*http.Request) (Token, error)
	// Context returns the context where a tool was launched; false where it was not, or
	// there is none.
	Context(Place) (Context, bool)
	// Members returns the people who have access to a place, in a lasting order; false
	// where the tool has no such place.
	Members(Place) ([]Member, bool)
	// Carrier carries the faults of the platform, and those of the tool's latest launch in
	// the context, if there is one.
	Carrier(Place) *fault.Carrier
	// Note keeps a request for those who ask the platform for it.
	Note(Call)
}

// A Refusal is why a request is refused: the HTTP status, the error code that goes with
// it, and what is wrong in words.
type Refusal struct {
	Status     int
	Code, Says string
	// Scope is what an access token has to be for; empty where that says nothing.
	Scope string
}

func (r *Refusal) Error() string { return r.Says }

// Refuse answers with an error, where only GET is allowed.
func (r *Refusal) Refuse(w http.ResponseWriter) {
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
