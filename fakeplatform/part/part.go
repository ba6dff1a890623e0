// Package part is what the fake platform and a part of it know of each other. A part is a
// service in a package of its own, such as the members of a context; it asks nothing of
// the platform but what a [Core] answers, and the platform knows it by one row in a table.
package part

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
	// below [ContextsPath]; where one ends with a slash, what is below it.
	ServerPaths []string
	// Keep makes what the part keeps of a platform, which [Core.Part] returns.
	Keep func(Core) any
	// Claims are those that a message has which offers it.
	Claims func(Core, Plan) lti.Claims
	// Initiates adds what the part has to say to the parameters of a login initiation.
	Initiates func(Core, Launch, url.Values)
	// Frames returns the page that shows a launch in a frame, and nil where the usual one does.
	Frames func(Core, Launch) http.HandlerFunc
	// Launched is told of each launch that begins, with whatever message.
	Launched func(Core, Launch)
	// Offering returns the launch that has last offered a tool the service, and nil where none
	// has: while it goes on, it has a part in how access tokens are granted to the tool.
	Offering func(core Core, clientID string) Launch
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

// A User is a person with an account on the platform. Empty fields are not sent.
type User struct {
	Sub        string
	Name       string
	GivenName  string
	MiddleName string
	FamilyName string
	Email      string
	Locale     string
	SourcedID  string // LIS identifier of the person
	Roles      []string
	// Mentees are the subs of the users whose mentor this one is (LTI Core 1.3,
	// 5.4.3). They are sent only with the role of a mentor.
	Mentees []string
}

// A Registration is what the platform knows of a tool (LTI Core 1.3, 3.1.3).
type Registration struct {
	ClientID      string
	LoginURL      string   // the tool's login initiation endpoint
	RedirectURIs  []string // where the tool may ask to be answered
	TargetLinkURI string   // what a resource link opens unless it says otherwise
	// TargetLinkURIs are what other messages open, by their types; TargetLinkURI for those
	// that are missing.
	TargetLinkURIs map[string]string
	DeploymentIDs  []string // at least one
	// JWKSURL is where the tool publishes its keys. Without one the platform takes
	// nothing that the tool signs, and grants it no access token.
	JWKSURL string
}

// Target is what a message of a type opens.
func (r Registration) Target(messageType string) string {
	return cmp.Or(r.TargetLinkURIs[messageType], r.TargetLinkURI)
}

// Owns says whether a URL is one at which the tool was registered: at one of its
// hosts, and by HTTPS unless the tool was registered without.
func (r Registration) Owns(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	known := append(slices.Collect(maps.Values(r.TargetLinkURIs)), r.LoginURL, r.TargetLinkURI)
	return slices.ContainsFunc(append(known, r.RedirectURIs...), func(known string) bool {
		own, err := url.Parse(known)
		return err == nil && strings.EqualFold(own.Host, u.Host) && (u.Scheme == "https" || u.Scheme == "http" && own.Scheme == "http")
	})
}

// A Member is a person who belongs to a context, by what a launch of that person says.
// Withheld are the personal data that such a launch does not have, as claims.
type Member struct{ Claims, Withheld lti.Claims }

// A Token is what the platform knows of the access token of a request.
type Token struct {
	Value    string // as it came; a secret while it lasts
	ClientID string // of the tool that it was granted to; empty where the platform does not know it
	Scopes   []string
	Expires  time.Time
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
	// AuthURL, TokenURL and JWKSURL are its endpoints.
	AuthURL() string
	TokenURL() string
	JWKSURL() string
	// MessageTypes are the types of the messages that it launches tools with, and Scopes those
	// of the services that it offers.
	MessageTypes() []string
	Scopes() []string
	// Register makes a tool known. It fails when something that a launch needs is missing.
	Register(Registration) error
	Now() time.Time
	// Part returns what the part with a profile keeps of the platform.
	Part(profile string) any
	// Registration is what is known of a tool; false for none that is registered.
	Registration(clientID string) (Registration, bool)
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
	Token(*http.Request, Need) (Token, error)
	// TokenLike finds an access token by its value, for faults.
	TokenLike(func(value string) bool) (Token, bool)
	// Context returns the context where a tool was launched; false where it was not, or
	// there is none.
	Context(Place) (Context, bool)
	// Members returns the people who have access to a place, in a lasting order; false
	// where the tool has no such place.
	Members(Place) ([]Member, bool)
	// People returns the people of a context; false where these are all who have been
	// launched there.
	People(contextID string) ([]User, bool)
	// Carrier carries the faults of the platform, and those of the tool's latest launch in
	// the context, if there is one.
	Carrier(Place) *fault.Carrier
	// Note keeps a request for those who ask the platform for it.
	Note(Call)
}
