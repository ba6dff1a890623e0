package part

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Claims are those of an id_token. Nothing in them is to be trusted before it has been
// verified.
type Claims map[string]any

// Text returns a claim that is text, and false where it is none.
func (c Claims) Text(name string) (string, bool) {
	s, ok := c[name].(string)
	return s, ok
}

// Has says whether there is a claim, whatever it is.
func (c Claims) Has(name string) bool {
	_, ok := c[name]
	return ok
}

// Object returns a claim that is an object; nil where it is none.
func (c Claims) Object(name string) map[string]any {
	o, _ := c[name].(map[string]any)
	return o
}

// Type is the message_type; empty where there is none.
func (c Claims) Type() string {
	s, _ := c.Text(lti.ClaimMessageType)
	return s
}

// ReturnURL is where the platform wants users back; empty where it names no such place.
func (c Claims) ReturnURL() string {
	s, _ := c.Object(lti.ClaimLaunchPresentation)["return_url"].(string)
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}

// Roles are those that are text.
func (c Claims) Roles() []string { return Texts(c[lti.ClaimRoles]) }

// Texts returns what is text in a list.
func Texts(value any) []string {
	list, _ := value.([]any)
	var texts []string
	for _, one := range list {
		if s, ok := one.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// A Message is one of a platform that has come to the tool (LTI Core 1.3, 5.3).
type Message struct {
	Claims
	Payload  json.RawMessage // the claims as they came
	IDToken  string
	Platform Registration // that it was asked of; empty where it was not asked for
	Target   string       // the target_link_uri of the login that it was asked for with
	Genuine  bool         // signature, issuer and audience have been checked

	// These are of one that a browser has just brought, and nil for one that came before.
	Request *http.Request
	Carrier *fault.Carrier            // of the faults of the tool
	Begin   func(http.ResponseWriter) // begins a session of its user, as a resource link does
	// Open begins a session of its user that a page of the part shows.
	Open func(http.ResponseWriter) Launch
}

// Raw returns a claim as the JSON that it came as, and nil where there is none.
func (m *Message) Raw(name string) json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(m.Payload, &members) // it has been read before
	return members[name]
}

// A Received is a message that the tool has received. An Answer of the fake tool is one.
type Received interface {
	// Message reads it without checking it. It fails where it cannot be read.
	Message() (*Message, error)
}

// A MessageType is one that a part takes.
type MessageType struct {
	Type string // as message_type names it
	// Rules are what a message of this type has to keep, beside what all of them have to.
	Rules *fault.List[*Message]
	// Take does what a valid message asks for. It returns how the browser is answered, and
	// fails where the message is refused for what the tool knows.
	Take func(*Message) (answer func(http.ResponseWriter), err error)
}

// What the tool makes of messages, whatever their types.
var (
	TypeTaken = &fault.Seam[Typed]{Name: "the type that a message is taken for"}
	Judged    = &fault.Seam[Judgement]{Name: "what becomes of a message"}
)

// Typed is a message, and the type that the tool takes it for.
type Typed struct {
	Claims
	As string
}

// A Judgement is what becomes of a message.
type Judgement struct {
	*Message
	As  string // the type that it is taken for
	Err error  // that it is refused for; nil where it is taken
	// Return is where the browser goes to be told so; empty for a page of the tool's own.
	Return string
}

// A Breach is a message that breaks a rule of all messages.
type Breach struct {
	*Message
	As   string // the type that it is taken for
	Rule Rule
}

// A Rule is one that all messages have to keep (Security Framework 1.0, 5.1.1.4 and 5.1.3).
type Rule string

// The rules of all messages that faults of parts may lift.
const (
	SignedByPlatform Rule = "the platform has signed it"
	IssuedByPlatform Rule = "iss is that of the platform"
	MeantForTool     Rule = "aud is this client, and nobody else"
	AuthorizedParty  Rule = "azp, where it is given, is this client"
	ExpiryGiven      Rule = "exp is a time"
	NotExpired       Rule = "exp is not past"
	IssuedByNow      Rule = "iat is a time that is not to come"
	NotBefore        Rule = "nbf, where it is given, is a time that is not to come"
	NonceOfLogin     Rule = "the nonce is the one that this login sent"
	DeploymentKnown  Rule = "the deployment is registered"
	LoginOfBrowser   Rule = "the login was begun in this browser"
	LoginUnused      Rule = "the login has not been used before"
)

// Excused is a step of faults alone: a message is taken all the same. The tool may hold a
// lock meanwhile.
var Excused = &fault.Step[Breach]{Name: "takes a message that breaks a rule of all messages"}

// Excuses takes messages that break one of these rules, where they are such ones.
func Excuses(such func(Breach) bool, rules ...Rule) fault.Effect {
	return Excused.Take(true, func(b Breach) bool { return slices.Contains(rules, b.Rule) && such(b) })
}

// An Answering is a message whose nonce belongs to another login than its state, if that
// belongs to any.
type Answering struct {
	*Message
	As       string // the type that it is taken for
	HasState bool
	Known    bool // the state belongs to a login
	ByNonce  bool // it is taken as the answer to the login of its nonce; only faults set it
}

// LoginFound is a seam that the logins pass which messages answer.
var LoginFound = &fault.Seam[Answering]{Name: "the login that a message answers, where state and nonce do not agree"}

// A Taking is what the tool takes from a launch.
type Taking struct {
	Launch
	Core Core
}

// LaunchTaken is a seam that launches pass, whatever the types of their messages.
var LaunchTaken = &fault.Seam[Taking]{Name: "a launch, as the tool has taken it"}

// A Visit is somebody who asks for the page of a launch, in a browser that was not launched.
type Visit struct {
	Of     Launch
	Known  bool // there is such a launch
	Method string
}

// LetsIn is a step of faults alone.
var LetsIn = &fault.Step[Visit]{Name: "shows the page of a launch to any browser"}
