// Package part is what the fake tool and a part of it know of each other. A part is what
// the tool does with one service, in a package of its own; it asks nothing of the tool but
// what a [Core] answers, and the tool knows it by one row in a table.
package part

import (
	"context"
	"html/template"
	"net/http"

	"invigilator.example/fault"
)

// A Part is what the tool does with one service. What it has not is nil.
type Part struct {
	// Profile is that of the catalogue. It names the part.
	Profile string
	// Mount adds its pages to those of a tool.
	Mount func(*http.ServeMux, Core)
	// Actions are what the page of a launch offers its user.
	Actions func(Launch) []Action
	// Faults are its defects.
	Faults []fault.Fault
}

// A Launch is one that the tool has accepted.
type Launch struct {
	ID      string // names it in addresses, and cannot be guessed
	Teacher bool   // may see the teacher's view
	Claims  map[string]any
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

// A Core is all that a part may ask of the tool.
type Core interface {
	// Carrier carries the faults of the tool.
	Carrier() *fault.Carrier
	// Launch returns the launch of that id, where it is one of the browser that sends the
	// request.
	Launch(r *http.Request, id string) (Launch, error)
	// Get asks a service of the platform that has launched. It fails where the answer is
	// none of success.
	Get(context.Context, Launch, Request) (*Answer, error)
	// NextPage returns where the page after one is that came from an address; false where
	// there is none (RFC 8288, 3).
	NextPage(header http.Header, from string) (string, bool)
	// Show sends a page.
	Show(w http.ResponseWriter, page *template.Template, data any)
	// Refuse says why there is none; see [Crash].
	Refuse(http.ResponseWriter, error)
	// Page is the address of the page of a launch.
	Page(Launch) string
}

// Crash is the error of a tool that breaks down.
type Crash struct{}

func (Crash) Error() string { return "null" }

// A Forbidden is the error of what the user may not do.
type Forbidden string

func (f Forbidden) Error() string { return string(f) }
