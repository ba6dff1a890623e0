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
	// Needs are the profiles of other parts, which are mounted before it.
	Needs []string
	// Paths are those of its pages, below the tool's URL; where one ends with a slash, what
	// is below it.
	Paths []string
	// Cookies are what the names of its cookies begin with. A browser keeps the latest of each.
	Cookies []string
	// Mount adds its pages to those of a tool, and returns what else it does there.
	Mount func(*http.ServeMux, Core) Mounted
	// Actions are what the page of a launch offers its user.
	Actions func(Launch) []Action
	// Faults are its defects, and the stimuli of platforms.
	Faults []fault.Fault
	// Sends are the kinds of what it sends.
	Sends []Sending
}

// Mounted is what a part does in one tool.
type Mounted struct {
	// Messages are the types of messages that it takes.
	Messages []MessageType
	// Launched is told of each launch of a resource link that the tool has accepted, before
	// its user is sent on.
	Launched func(context.Context, Launch)
	// Sends returns how a browser is sent to the platform with a login that the part binds to it
	// in its own way; nil where it leaves that to the tool's cookie.
	Sends func(Begun) http.HandlerFunc
	// Asks returns how a browser that brings an answer, without that cookie, is asked to prove that
	// it has begun the login; nil where there is nothing to ask, or it has been asked.
	Asks func(*http.Request, Begun) http.HandlerFunc
	// Owns says whether the browser has proved that.
	Owns func(*http.Request, Begun) bool
	// Own is what its package gives to those who use the tool.
	Own any
}

// A Begun login is one that the tool has begun, and answers to which are to come in the browser
// that began it (Security Framework 1.0, 7.3.1).
type Begun struct {
	Platform     Registration
	Initiation   url.Values // the parameters of the login initiation
	InFrame      bool       // the browser says that it shows the login in a frame
	State, Nonce string
	Secret       string // what the browser can prove itself with; nobody can guess it
	// Request is the authentication request with its parameters, to be sent by GET.
	Request string
	// ByCookie sends the browser on with the tool's cookie.
	ByCookie http.HandlerFunc
}

// A Launch is one that the tool has accepted.
type Launch struct {
	ID           string // names it in addresses, and cannot be guessed
	Sub          string // empty when anonymous
	Name         string
	Roles        []string
	Teacher      bool   // may see the teacher's view
	ResourceLink string // its title, or its id where it has none
	Chapter      string // of the resource, where the target link names one
	ReturnURL    string
	User         int    // number of the user's account; 0 when anonymous
	Link         int    // number of the resource link
	Issuer       string // of the platform
	ClientID     string // of the tool there
	Claims       Claims // what it said
	At           time.Time
	// ShownBy is the profile of the part whose page shows it; empty for the tool's own.
	ShownBy string
}

// ChapterOf is the part of the resource that a target link names; empty for none.
func ChapterOf(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Query().Get("chapter")
}

// Client is what the tool is to the platform that has launched, whatever the deployment.
func (l Launch) Client() Client { return Client{Issuer: l.Issuer, ClientID: l.ClientID} }

// An Action is a form on the page of a launch, with its button.
type Action struct {
	ID, Title string // of the button; that of the form is the same with -form behind it
	Path      string // where it leads by POST, below the tool's URL
	Fields    []Field
}

// A Field is one of a form.
type Field struct {
	Name, Label string
	Long        bool // it has several lines
}

// Shown is what pages show of a launch.
type Shown struct {
	Name    any    // of the user
	Account string // of the user; empty when anonymous
	Exit    string // the way back to the platform; empty where it names none
}

// A Page is the page of a launch of a resource link.
type Page struct {
	Core  Core
	Of    Launch
	Texts []string // that it shows besides; none unless a fault adds some
}

// PageShown is a seam that the pages of launches of resource links pass.
var PageShown = &fault.Seam[Page]{Name: "what else the page of a launch shows"}

// A Going is where a user is sent who has been launched to a resource link.
type Going struct {
	Core Core
	Of   Launch
	URL  string
}

// UserSentTo is a seam that passes where users are sent who have been launched.
var UserSentTo = &fault.Seam[Going]{Name: "where a user is sent on from a resource link launch"}

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
	// LaunchURL is the redirect URI, which is the target link URI, too.
	LaunchURL() string
	// LoginURL is the login initiation endpoint, and JWKSURL where the tool publishes its key.
	LoginURL() string
	JWKSURL() string
	// Now tells the tool's time.
	Now() time.Time
	// Remembers bounds each of what is remembered.
	Remembers() int

	// Launch returns the launch of that id, or the last one where it is empty. It has to be
	// of the browser that sends the request.
	Launch(r *http.Request, id string) (Launch, error)
	// Account is the number of the account of the user whom claims name, who has one from
	// then on.
	Account(Claims) int
	// Registered returns the registration of a client_id with an issuer.
	Registered(issuer, clientID string) (Registration, bool)
	// Register makes a platform known. It fails when something that a launch needs is missing.
	Register(Registration) error
	// ClientID is one that a platform knows the tool by; empty where there is none.
	ClientID() string
	// OtherTool is another tool that is registered with the platform; it has no key where
	// none is known.
	OtherTool() OtherTool
	// SigningKey is the tool's own key, which signs.
	SigningKey() jwk.Key
	// StrangerKeysURL is where the key of [invigilator.example/faketool/signing.StrangerKey]
	// is found.
	StrangerKeysURL() string

	// Part is what the package of another part gives, which [Part.Needs] names.
	Part(profile string) any
	// Call calls a service of a platform. Where that does not take the access token any
	// more, the request is sent again with a new one, and where the service is not
	// available, once more in any case. It fails where nothing could be sent or no access
	// token is had; the answer may be one of failure.
	Call(context.Context, Call) (*Exchange, error)
	// KeptToken is the access token that the tool keeps for a client, whatever the scope;
	// empty where it keeps none.
	KeptToken(Client) string
	// NextPage returns where the page after one is that came from an address; false where
	// there is none (RFC 8288, 3).
	NextPage(header http.Header, from string) (string, bool)
	// AccessToken returns an access token of a platform for a scope: the one that is kept,
	// unless that is spent, or else a new one.
	AccessToken(ctx context.Context, of Registration, deployment, scope, spent string) (string, error)
	// Send sends a request and reads the beginning of the answer. It follows no redirect.
	// URL and body are kept as they are to be shown.
	Send(r *http.Request, shownURL, shownBody string) Exchange

	// Shown is what pages show of a launch.
	Shown(Launch) Shown
	// Show sends a page.
	Show(w http.ResponseWriter, status int, page *template.Template, data any)
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

// A WayBack is an error whose page leads back to the platform.
type WayBack struct {
	error
	Exit string // where the way back is
}

// LeadingBack is an error whose page leads back to the platform.
func LeadingBack(err error, exit string) *WayBack { return &WayBack{err, exit} }

// Unwrap returns the error itself.
func (b *WayBack) Unwrap() error { return b.error }

// Crash is the error of a tool that breaks down.
type Crash struct{}

func (Crash) Error() string { return "null" }

// LaunchPath is the path of the redirect URI, below the tool's URL.
const LaunchPath = "/launch"

// LeavePath is where a form leads, with the address as its parameter to, that goes back to
// the platform by way of the tool. There is nothing unless a fault takes [Leaves].
const LeavePath = "/leave"

// Leaves is a step of faults alone.
var Leaves = &fault.Step[string]{Name: "leads back to the platform by way of the tool"}
