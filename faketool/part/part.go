// Package part is what the fake tool and a part of it know of each other. A part is what
// the tool does with one service, in a package of its own; it asks nothing of the tool but
// what a [Core] answers, and the tool knows it by one row in a table.
package part

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fault"
)

// A Part is what the tool does with one service. What it has not is nil.
type Part struct {
	// Profile is that of the catalogue. It names the part.
	Profile string
	// Paths are those of its pages, below the tool's URL; where one ends with a slash, what
	// is below it.
	Paths []string
	// Cookies are what the names of its cookies begin with. A browser keeps the latest of each.
	Cookies []string
	// Mount adds its pages to those of a tool, and returns what else it does there.
	Mount func(*http.ServeMux, Core) Mounted
	// Actions are what the page of a launch offers its user.
	Actions func(Launch) []Action
	// Faults are its defects.
	Faults []fault.Fault
	// Stimuli are what it can send to a platform instead of what is valid.
	Stimuli []Stimulus
	// Sends are the kinds of what it sends.
	Sends []Sending
}

// Mounted is what a part does in one tool.
type Mounted struct {
	// Messages are the types of messages that it takes.
	Messages []MessageType
	// Own is what its package gives to those who use the tool.
	Own any
}

// A Launch is one that the tool has accepted.
type Launch struct {
	ID       string // names it in addresses, and cannot be guessed
	Teacher  bool   // may see the teacher's view
	Issuer   string // of the platform
	ClientID string // of the tool there
	Claims   map[string]any
}

// An Action is a button on the page of a launch.
type Action struct {
	ID, Title string
	Path      string // where it leads by POST, below the tool's URL
}

// A Request is one to a service, by GET.
type Request struct {
	URL, Accept string
	Scope       string // of the access token
}

// An Answer is what a service has answered with success.
type Answer struct {
	Header http.Header
	Body   []byte
}

// A Registration is what the tool knows of a platform (LTI Core 1.3, 3.1.3).
type Registration struct {
	Issuer        string
	ClientID      string
	AuthURL       string   // the platform's authorization endpoint
	JWKSURL       string   // the platform's key set
	TokenURL      string   // the platform's token endpoint; services need it
	TokenAudience string   // the audience of assertions; TokenURL when empty
	DeploymentIDs []string // any when there is none
}

// OtherTool is what the platform knows of another tool, and the key that it
// signs with.
type OtherTool struct {
	ClientID, RedirectURI string
	Key                   jwk.Key
}

// A Core is all that a part may ask of the tool.
type Core interface {
	// Carrier carries the faults of the tool.
	Carrier() *fault.Carrier
	// URL is where browsers reach the tool, without a trailing slash.
	URL() string
	// Now tells the tool's time.
	Now() time.Time
	// Remembers bounds each of what is remembered.
	Remembers() int

	// Launch returns the launch of that id, or the last one where it is empty. It has to be
	// of the browser that sends the request.
	Launch(r *http.Request, id string) (Launch, error)
	// Registered returns the registration of a client_id with an issuer.
	Registered(issuer, clientID string) (Registration, bool)
	// OtherTool is another tool that is registered with the platform; it has no key where
	// none is known.
	OtherTool() OtherTool
	// SigningKey is the tool's own key, which signs.
	SigningKey() jwk.Key
	// StrangerKeysURL is where the key of [invigilator.example/faketool/signing.StrangerKey]
	// is found.
	StrangerKeysURL() string

	// Get asks a service of the platform that has launched. It fails where the answer is
	// none of success.
	Get(context.Context, Launch, Request) (*Answer, error)
	// NextPage returns where the page after one is that came from an address; false where
	// there is none (RFC 8288, 3).
	NextPage(header http.Header, from string) (string, bool)
	// AccessToken returns an access token of a platform for a scope: the one that is kept,
	// unless that is spent, or else a new one.
	AccessToken(ctx context.Context, of Registration, deployment, scope, spent string) (string, error)
	// Send sends a request and reads the beginning of the answer. It follows no redirect.
	// URL and body are kept as they are to be shown.
	Send(r *http.Request, shownURL, shownBody string) Exchange

	// Show sends a page.
	Show(w http.ResponseWriter, page *template.Template, data any)
	// Refuse says why there is none; see [Refusal] and [Crash].
	Refuse(http.ResponseWriter, error)
	// Nothing says that there is nothing at an address.
	Nothing(http.ResponseWriter, *http.Request)
	// Page is the address of the page of a launch.
	Page(Launch) string
	// Return is a return URL with a message for the platform (LTI Core 1.3, 5.4.4).
	Return(to string, message url.Values) string
	// Cookie makes one that comes back in a cross-site frame as well.
	Cookie(name, value string) *http.Cookie
}

// A Refusal says why something is refused, with the HTTP status that tells so.
type Refusal struct {
	Status int
	Why    string
}

func (r *Refusal) Error() string { return r.Why }

// Crash is the error of a tool that breaks down.
type Crash struct{}

func (Crash) Error() string { return "null" }

// LeavePath is where a form leads, with the address as its parameter to, that goes back to
// the platform by way of the tool. There is nothing unless a fault takes [Leaves].
const LeavePath = "/leave"

// Leaves is a step of faults alone.
var Leaves = &fault.Step[string]{Name: "leads back to the platform by way of the tool"}
