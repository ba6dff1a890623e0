// Package deeplinking is the part of the fake platform that lets users choose content in a
// tool (Deep Linking 2.0): it sends LtiDeepLinkingRequest, takes LtiDeepLinkingResponse, and
// keeps what was chosen.
//
// A launch that asks for content has lti.DeepLinkingRequest as the message of its plan and is
// about a [Request]. [Of] returns what the platform has seen of it, and [On] what was chosen on
// a platform.
package deeplinking

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "deep-linking"

// Part is the service.
var Part = part.Part{
	Profile: Profile,
	Keep: func(core part.Core) any {
		return &Content{core: core, nonces: jwt.Ledger{}, shown: map[string]int{}}
	},
	Mount:    func(mux *http.ServeMux, core part.Core) { On(core).mount(mux) },
	Messages: []part.Message{{Type: lti.DeepLinkingRequest, Begin: begin}},
	Faults:   slices.Concat(stimuli, defects, conducts),
}

// Content is what was chosen on a platform. It is safe for concurrent use.
type Content struct {
	core part.Core

	mu     sync.Mutex
	nonces jwt.Ledger     // of the responses that were taken
	items  []Item         // the latest last
	shown  map[string]int // how often each was shown, by its id; only where a fault asks for it
}

// maxItems bounds what a platform keeps, and maxRecord the responses that a launch keeps.
const (
	maxItems  = 1000
	maxRecord = 20
)

// On returns what was chosen on a platform.
func On(platform interface{ Part(profile string) any }) *Content {
	return platform.Part(Profile).(*Content)
}

// Items returns what was chosen in a context, in that order, for a page that shows it.
func (c *Content) Items(contextID string) []Item {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := slices.DeleteFunc(slices.Clone(c.items), func(i Item) bool { return i.Context != contextID })
	return itemsShown.Pass(c.carrier(), shown{c, of}).items
}

// shown are items that a page shows, with the content locked.
type shown struct {
	content *Content
	items   []Item
}

var itemsShown = &fault.Seam[shown]{Name: "the items that a page shows"}

// Unpublished says of an item that is kept whether those who learn do not see it before somebody
// who teaches has published it.
var Unpublished = &fault.Step[Item]{Name: "an item that was chosen is unpublished at first"}

// A Request is what a launch with LtiDeepLinkingRequest asks for (Deep Linking 2.0, 4.4.1).
type Request struct {
	Types      []string // of items; links of the tool when nil
	Targets    []string // where items may be shown; iframe and window when nil
	MediaTypes string   // of files; any when empty
	Multiple   bool     // several items may be chosen
	LineItems  bool     // links may bring a line item
	AutoCreate bool     // the user is not asked again
	Title      string   // that the user has given the item already
	Text       string
	// Data come back with the response. They are made when empty, and not sent where NoData
	// is set.
	Data   string
	NoData bool
}

// A Launch is what the platform keeps of a launch that asks for content. It is safe for
// concurrent use.
type Launch struct {
	part.Launch
	content *Content
	request Request

	answered bool // by a response that was taken; guarded by the content's lock

	mu     sync.Mutex
	record Record
	said   statement // what the message said, or will say
}

// A Record is what a launch has seen so far of the choice.
type Record struct {
	// Responses are the requests to the launch's return URL.
	Responses []Response
}

// A Response is a request to the return URL of a launch (Deep Linking 2.0, 4.5).
type Response struct {
	Method, ContentType string
	// Target is the request target as it came.
	Target string
	JWT    string
	Claims map[string]any // of the JWT, with numbers as they are written; nil where it cannot be read
	// Problems say what the specification does not allow in it, and MessageProblems those of
	// them that concern it as a message, whatever was chosen (Security Framework 1.0, 5.2).
	Problems, MessageProblems []string
	// Taken are the items that were kept, of a response that was taken.
	Taken []Item
	// OK is set where it was taken: also one that has no items.
	OK bool
	At time.Time
}

// Of returns what the platform keeps of a launch, and nil where that asks for no content.
func Of(launch interface{ Part() any }) *Launch {
	l, _ := launch.Part().(*Launch)
	return l
}

// Seen returns the record in a record of the platform, and an empty one where that asks for no
// content.
func Seen(part any) Record {
	record, _ := part.(Record)
	return record
}

// ReturnURL is the launch's deep_link_return_url.
func (l *Launch) ReturnURL() string { return l.URL() + "/content" }

// isAnswered says whether a response of the launch was taken.
func (l *Launch) isAnswered() bool {
	l.content.mu.Lock()
	defer l.content.mu.Unlock()
	return l.answered
}

// Record returns what the launch has seen so far.
func (l *Launch) Record() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Record{slices.Clone(l.record.Responses)}
}

// Seen returns the record for that of the platform.
func (l *Launch) Seen() any { return l.Record() }

// begin begins a launch that asks for content.
func begin(core part.Core, launch part.Launch) (part.Kept, error) {
	request, is := launch.Plan().About.(Request)
	if !is && launch.Plan().About != nil {
		return nil, fmt.Errorf("fakeplatform: a launch that asks for content is about a %T", launch.Plan().About)
	}
	if request.Types == nil {
		request.Types = []string{lti.ItemResourceLink}
	}
	if request.Targets == nil {
		request.Targets = []string{"iframe", "window"}
	}
	if request.NoData {
		request.Data = ""
	} else if request.Data == "" {
		request.Data = lti.RandomString()
	}
	return &Launch{Launch: launch, content: On(core), request: request}, nil
}

// settings are passed by what a request says of itself (Deep Linking 2.0, 4.4.1).
var settings = &fault.Seam[saidSettings]{Name: "the settings of LtiDeepLinkingRequest", Clone: func(s saidSettings) saidSettings {
	s.members = maps.Clone(s.members)
	return s
}}

type saidSettings struct {
	*Launch
	members map[string]any // nil for no claim
}

// Claims adds what the message says. It is about no link: there is none yet.
func (l *Launch) Claims(_ part.Plan, claims lti.Claims) {
	delete(claims, lti.ClaimResourceLink)
	said := settings.Pass(l.Carrier(), saidSettings{l, l.settings()}).members
	if said != nil {
		claims[lti.ClaimDeepLinkingSettings] = said
	}
}

func (l *Launch) settings() map[string]any {
	q := l.request
	members := map[string]any{
		"deep_link_return_url": l.ReturnURL(), "accept_types": slices.Clone(q.Types), "accept_presentation_document_targets": slices.Clone(q.Targets),
		"accept_multiple": q.Multiple, "accept_lineitem": q.LineItems, "auto_create": q.AutoCreate,
	}
	for name, text := range map[string]string{"accept_media_types": q.MediaTypes, "title": q.Title, "text": q.Text, "data": q.Data} {
		if text != "" {
			members[name] = text
		}
	}
	return members
}

// A statement is what a request has said, whatever a fault has made of it. Deployment and data
// are JSON, and empty where they are missing.
type statement struct {
	deployment, data, context string
	types                     []string
	multiple, lineItems       bool
}

// Says keeps what the launch's message says. What it says nothing of may be (Deep Linking 2.0,
// 4.4.1).
func (l *Launch) Says(claims lti.Claims) {
	raw, _ := json.Marshal(claims[lti.ClaimDeepLinkingSettings]) // it says nothing if this fails
	var said struct {
		Types     []string `json:"accept_types"`
		Multiple  any      `json:"accept_multiple"`
		LineItems any      `json:"accept_lineitem"`
	}
	_ = json.Unmarshal(raw, &said)
	context, _ := claims[lti.ClaimContext].(map[string]any)
	id, _ := context["id"].(string)
	settings, _ := claims[lti.ClaimDeepLinkingSettings].(map[string]any)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = statement{
		deployment: jwt.Member(claims, lti.ClaimDeploymentID), data: jwt.Member(settings, "data"), context: id,
		types: said.Types, multiple: said.Multiple != false, lineItems: said.LineItems != false,
	}
}

func (l *Launch) statement() statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said
}
