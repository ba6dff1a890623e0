// Package deeplinking is the part of the fake tool that lets users choose content for a
// platform (Deep Linking 2.0): it takes LtiDeepLinkingRequest, shows what there is, and sends
// LtiDeepLinkingResponse with what was chosen.
package deeplinking

import (
	"crypto/subtle"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"sync"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "deep-linking"

// Paths of its pages, below the tool's URL.
const (
	// ContentPath is where a user chooses.
	ContentPath = "/content"
	// ResponsePath begins the address of the page that submits a response: ResponsePath + "/" + id.
	ResponsePath = "/content-response"
)

// Response is a kind of what the tool sends.
const Response part.Sent = "LtiDeepLinkingResponse message" // Library.Respond

// Part is the library.
var Part = part.Part{
	Profile: Profile,
	Paths:   []string{ContentPath, ContentPath + "/", ResponsePath + "/"},
	Cookies: []string{choiceCookie},
	Mount:   mount,
	Faults:  slices.Concat(defects, stimuli),
	Sends:   []part.Sending{{Sent: Response, Changed: responseSaid.Changed}},
}

// A Library is what a fake tool has to choose from. It is safe for concurrent use.
type Library struct {
	core part.Core
	// Outbox has the responses.
	Outbox *toolmessage.Outbox

	mu      sync.Mutex
	choices []*choice // the oldest first
}

// Of returns the library of a fake tool.
func Of(tool interface{ Part(profile string) any }) *Library {
	return tool.Part(Profile).(*Library)
}

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	l := &Library{core: core, Outbox: toolmessage.NewOutbox(mux, core, ResponsePath)}
	mux.HandleFunc("GET "+ContentPath, l.serveChoice)
	mux.HandleFunc("POST "+ContentPath+"/{id}", l.serveChosen)
	return part.Mounted{Own: l, Messages: []part.MessageType{{Type: lti.DeepLinkingRequest, Rules: asksForContent, Take: l.begin}}}
}

// choiceLifetime is how long a user may take to choose.
const choiceLifetime = 2 * time.Hour

const choiceCookie = "faketool_choice_"

// A choice is a user who is to choose, and what the tool keeps of the request (Deep Linking
// 2.0, 4.4).
type choice struct {
	id       string // unguessable; names the choice in URLs
	cookie   string // what the user's browser proves itself with
	platform part.Registration
	request  *part.Message
	settings settings
}

// settings are what a request says of what it takes (Deep Linking 2.0, 4.4.1). What is missing
// or of another type is empty; what may be left out is taken as its default.
type settings struct {
	returnURL string
	types     []string
	multiple  bool // true by default
	lineItems bool // true by default
	data      any  // as it came; nil for none
}

func settingsOf(m *part.Message) settings {
	said := m.Object(lti.ClaimDeepLinkingSettings)
	flag := func(name string) bool {
		value, isBool := said[name].(bool)
		return value || !isBool
	}
	s := settings{types: part.Texts(said["accept_types"]), multiple: flag("accept_multiple"), lineItems: flag("accept_lineitem"), data: said["data"]}
	s.returnURL, _ = said["deep_link_return_url"].(string)
	return s
}

// What a request has to keep (Deep Linking 2.0, 4.4.1).
var asksForContent = &fault.List[*part.Message]{Name: "the message that asks for content", Rules: []*fault.Rule[*part.Message]{
	settingsGiven, returnURLUsable, typesGiven, targetsGiven, flagsBoolean,
}}

var (
	settingsGiven = &fault.Rule[*part.Message]{Name: "there are settings", Broken: func(m *part.Message) error {
		if m.Object(lti.ClaimDeepLinkingSettings) == nil {
			return badRequest("The message has no deep_linking_settings.")
		}
		return nil
	}}
	returnURLUsable = &fault.Rule[*part.Message]{Name: "deep_link_return_url is an absolute https URL", Broken: func(m *part.Message) error {
		if said := m.Object(lti.ClaimDeepLinkingSettings); said != nil && !part.IsSecure(settingsOf(m).returnURL) {
			return badRequest("The deep_link_return_url %s is no https URL.", lti.Wire(said["deep_link_return_url"]))
		}
		return nil
	}}
	typesGiven = &fault.Rule[*part.Message]{Name: "accept_types has a type", Broken: func(m *part.Message) error {
		if said := m.Object(lti.ClaimDeepLinkingSettings); said != nil && len(settingsOf(m).types) == 0 {
			return badRequest("The platform accepts no type of content.")
		}
		return nil
	}}
	targetsGiven = &fault.Rule[*part.Message]{Name: "accept_presentation_document_targets has a target", Broken: func(m *part.Message) error {
		if said := m.Object(lti.ClaimDeepLinkingSettings); said != nil && len(part.Texts(said["accept_presentation_document_targets"])) == 0 {
			return badRequest("The platform shows content nowhere.")
		}
		return nil
	}}
	flagsBoolean = &fault.Rule[*part.Message]{Name: "accept_multiple, accept_lineitem and auto_create are booleans", Broken: func(m *part.Message) error {
		said := m.Object(lti.ClaimDeepLinkingSettings)
		for _, name := range []string{"accept_multiple", "accept_lineitem", "auto_create"} {
			value, sent := said[name]
			if _, isBool := value.(bool); sent && !isBool {
				return badRequest("%s is %s instead of a boolean.", name, lti.Wire(value))
			}
		}
		return nil
	}}
)

func badRequest(format string, args ...any) error {
	return &part.Refusal{Status: http.StatusBadRequest, Why: fmt.Sprintf(format, args...)}
}

// begin lets a user choose. Each choice has a cookie of its own, so that those in several tabs
// of one browser do not disturb each other.
func (l *Library) begin(m *part.Message) (func(http.ResponseWriter), error) {
	c := &choice{id: lti.RandomString(), cookie: lti.RandomString(), platform: m.Platform, request: m, settings: settingsOf(m)}
	return func(w http.ResponseWriter) {
		l.mu.Lock()
		if len(l.choices) == l.core.Remembers() {
			l.choices = slices.Delete(l.choices, 0, 1)
		}
		l.choices = append(l.choices, c)
		l.mu.Unlock()
		cookie := l.core.Cookie(choiceCookie+c.id, c.cookie)
		cookie.MaxAge = int(choiceLifetime.Seconds())
		http.SetCookie(w, cookie)
		http.Redirect(w, m.Request, l.core.URL()+ContentPath+"?choice="+c.id, http.StatusSeeOther)
	}, nil
}

// here returns the choice of that id that was begun in this browser.
func (l *Library) here(r *http.Request, id string) (*choice, error) {
	l.mu.Lock()
	i := slices.IndexFunc(l.choices, func(c *choice) bool { return c.id == id })
	var c *choice
	if i >= 0 {
		c = l.choices[i]
	}
	l.mu.Unlock()
	if c != nil {
		cookie, err := r.Cookie(choiceCookie + c.id)
		if err == nil && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(c.cookie)) == 1 {
			return c, nil
		}
	}
	return nil, &part.Refusal{Status: http.StatusUnauthorized, Why: "Nobody chooses content here in this browser."}
}

//go:embed content.html.tmpl
var contentTemplate string

var pageOfContent = template.Must(template.New("content").Parse(contentTemplate))

// contentPage is what a user chooses from.
type contentPage struct {
	Action   string
	Kind     string // of the inputs: checkbox, or radio where one item is taken at most
	Contents []content
}

func (l *Library) serveChoice(w http.ResponseWriter, r *http.Request) {
	c, err := l.here(r, r.URL.Query().Get("choice"))
	if err != nil {
		l.core.Refuse(w, err)
		return
	}
	page := contentPage{Action: l.core.URL() + ContentPath + "/" + c.id, Kind: "radio", Contents: l.offered(c)}
	if c.settings.multiple {
		page.Kind = "checkbox"
	}
	l.core.Show(w, http.StatusOK, pageOfContent, page)
}

// serveChosen sends what was chosen, through the user's browser (Deep Linking 2.0, 4.5).
func (l *Library) serveChosen(w http.ResponseWriter, r *http.Request) {
	c, err := l.here(r, r.PathValue("id"))
	if err != nil {
		l.core.Refuse(w, err)
		return
	}
	_ = r.ParseForm() // nothing is chosen if this fails
	said := responseSaid.Pass(l.core.Carrier(), responding{c, l.response(c, l.chosen(c, r.PostForm["item"]))})
	message, err := l.Outbox.Message(&said.draft)
	if err != nil {
		l.core.Refuse(w, err)
		return
	}
	l.Outbox.Submit(w, r, message)
}
