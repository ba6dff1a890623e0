package part

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Message is a type of message that a part launches tools with.
type Message struct {
	Type string
	// Memory is how long a launch with it is kept; an hour when 0.
	Memory time.Duration
	// Leads says where a launch with it leads; nil where it leads to the resource link of its
	// plan, as others do.
	Leads func(Core, Plan) (Destination, error)
	// Follows returns the launch that one about this follows: it goes as that one went, with
	// another message. It is nil where launches begin with the message.
	Follows func(about any) (Launch, error)
	// Unregistered is set where it is no message, and is not sent to a tool that is registered:
	// what the part keeps of such a launch is an [Opener].
	Unregistered bool
	// Begin begins a launch, and returns what the part keeps of it. It fails where there is
	// nothing that could be launched.
	Begin func(Core, Launch) (Kept, error)
}

// Kept is what a part keeps of a launch with a message of its own.
type Kept interface {
	// Claims adds what the message says, by a plan that is the launch's, but for a fault that
	// mixes launches up.
	Claims(Plan, lti.Claims)
	// Says is told what the message says in the end, whatever faults have made of it, and
	// before that what it is going to say.
	Says(lti.Claims)
	// Seen returns what the launch has seen of the part, for the records of the platform.
	Seen() any
}

// An Opener is what a part keeps of a launch that begins with no login.
type Opener interface {
	Kept
	// Opens is where the launch leads the browser.
	Opens() string
	// Beside is what the page has that shows the launch in a frame, or opens it in a window.
	Beside() template.HTML
}

// A Destination is where a launch leads, and what goes with it.
type Destination struct {
	ResourceLink  string // its id; empty for none
	TargetLinkURI string // what the registration says when empty
	Custom        map[string]string
	Offers        []string // the profiles of services that the launch offers
}

// A Plan is what a part may know of the plan of a launch.
type Plan struct {
	ClientID, DeploymentID string
	Message                string   // its type
	Sub                    string   // of the user; empty for nobody
	Roles                  []string // of the user
	Context                string   // its id; empty for none
	Destination
	Title    string   // of the resource link
	Scopes   []string // of the services that it offers, where it offers not all of them
	ReturnTo string   // the page of the application to go back to; none when empty
	Framed   bool     // it is shown in a frame of the platform's page
	Personal bool     // the tool is told who the user is
	Lenient  bool     // what has mistakes is answered all the same
	Faulty   bool     // the launch has a fault
	Needs    Needs    // of the tool
	About    any      // what the message is about, in the terms of its part
}

// Needs are what a tool has to be told in every launch to work at all, such as which of its
// resources a link opens: custom parameters, variables among them, and further claims.
// The members of a claim that is an object are added to those that the launch sends
// anyway. A launch with the required claims alone has them, too.
type Needs struct {
	Custom map[string]string
	Claims map[string]any
}

// Add adds the further claims.
func (n Needs) Add(claims lti.Claims) {
	for name, value := range n.Claims {
		needed, isObject := value.(map[string]any)
		if sent, both := claims[name].(map[string]any); both && isObject {
			merged := maps.Clone(sent)
			maps.Copy(merged, needed)
			value = merged
		}
		claims[name] = value
	}
}

// Keep puts back what the tool needs, where all else was left out.
func (n Needs) Keep(claims lti.Claims) {
	if len(n.Custom) > 0 {
		claims[lti.ClaimCustom] = maps.Clone(n.Custom)
	}
	n.Add(claims)
}

// A Launch is what a part may ask of a launch.
type Launch interface {
	// ID names it in URLs, and nobody can guess it.
	ID() string
	// URL begins it in a browser. What is below belongs to the launch.
	URL() string
	// Planned is when it was begun.
	Planned() time.Time
	Plan() Plan
	// Core is the platform's, and Registration that of the tool.
	Core() Core
	Registration() Registration
	// Kept is what the part keeps of it; nil for none.
	Kept() Kept
	// OfBrowser says whether a request comes from the browser of its user: that in which the
	// user is signed in or, where the platform has no such sessions, the one that began it.
	OfBrowser(*http.Request) bool
	// IDToken is what it was answered with, and Answered the fields; none before.
	IDToken() string
	Answered() url.Values
	// Other are the parameters of the authentication request of the launch that its fault
	// borrows from, and OtherIDToken what that was answered with; none where none has come.
	Other() url.Values
	OtherIDToken() string
	// Granted says whether an access token was granted since.
	Granted(accessToken string) bool
	// Carrier carries the faults of the platform, and that of the launch.
	Carrier() *fault.Carrier
}

// Saying is what a message says.
type Saying struct {
	Launch
	Plan   Plan // by which it is made: the launch's, but for a fault that mixes launches up
	Claims lti.Claims
	At     time.Time
}

// A Variable is one in a message, with what is sent for it, if anything is.
type Variable struct {
	Name      string
	Claims    lti.Claims // of the message
	Supported bool
	Value     string
	Sent      bool
}

// A Signature is how a message is signed.
type Signature struct {
	Launch
	By Signer
}

// A Signer is what signs a message.
type Signer int

// The platform signs with its key. Faults sign with a key that was never published, under the
// kid of the published one, or with nothing: the header says alg none.
const (
	ByPlatform Signer = iota
	ByUnpublishedKey
	ByNothing
)

// An Answer is what an authentication request is answered with.
type Answer struct {
	Launch
	Fields  url.Values
	InQuery bool // of a fault: by GET
}

// A Login is a login initiation.
type Login struct {
	Launch
	Params url.Values
}

// A Return is a visit to a return URL, and what is answered in place of a page.
type Return struct {
	Launch
	ErrorMessage string
	Instead      http.HandlerFunc
}

// A Planned launch is one that is about to begin.
type Planned struct {
	Core Core
	Plan
}

// The seams of a launch.
var (
	LaunchPlanned  = &fault.Seam[Planned]{Name: "where a launch leads"}
	LoginInitiated = &fault.Seam[Login]{Name: "the parameters of a login initiation", Clone: func(l Login) Login {
		l.Params = maps.Clone(l.Params)
		return l
	}}
	// Never, but for a fault.
	OpenedForOthers = &fault.Step[Launch]{Name: "a launch is opened for whoever is signed in"}
	// A platform that knows both versions may take the older one where nobody has looked.
	OpenedAsLTI11 = &fault.Step[Launch]{Name: "a launch is opened as one of LTI 1.1"}
	Said          = &fault.Seam[Saying]{Name: "what a message says", InMessage: true, Clone: func(s Saying) Saying {
		s.Claims = maps.Clone(s.Claims)
		return s
	}}
	Signed   = &fault.Seam[Signature]{Name: "what signs a message", InMessage: true}
	Answered = &fault.Seam[Answer]{Name: "the fields of an authentication response", Clone: func(a Answer) Answer {
		a.Fields = maps.Clone(a.Fields)
		return a
	}}
	// Of each variable among the custom parameters.
	Resolved = &fault.Seam[Variable]{Name: "what is sent for a variable"}
	Returned = &fault.Seam[Return]{Name: "the answer at a return URL"}
)

// Serving is a request to a service about a launch, before it is answered: it is refused where
// there is a reason.
type Serving struct {
	First bool // about the launch
	Fresh bool // the access token was granted since
	Why   *Refusal
}

// Asking is a request to a service for what belongs to another tool.
type Asking struct {
	*http.Request
	ClientID string // of the tool that asks
}

// The seams of services.
var (
	Served = &fault.Seam[Serving]{Name: "whether a service serves a request"}
	// Never, but for a fault.
	OthersServed = &fault.Step[Asking]{Name: "a service gives a tool what belongs to another"}
)
