package part

import (
	"encoding/json"
	"net/http"
	"net/url"

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
	Genuine  bool         // signature, issuer and audience have been checked

	// These are of one that a browser has just brought, and nil for one that came before.
	Request *http.Request
	Carrier *fault.Carrier            // of the faults of the tool
	Begin   func(http.ResponseWriter) // begins a session of its user, as a resource link does
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
