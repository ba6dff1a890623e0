// Package proctoring is the part of the fake tool that takes part in proctored exams: it
// checks candidates in, asks the platform to start their assessments, learns that they are
// over, and lets teachers control the attempts (Proctoring Services 1.0).
package proctoring

import (
	"embed"
	"html/template"
	"net/http"
	"slices"
	"sync"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "proctoring"

// Paths of its pages, below the tool's URL.
const (
	// CheckInPath is where a candidate checks in.
	CheckInPath = "/check-in"
	// ProctorPath is where teachers see who is proctored. Its parameter candidate
	// narrows the list down.
	ProctorPath = "/proctor"
	// MessagePath begins the address of the page that submits a message: MessagePath + "/" + id.
	MessagePath = "/message"
	// picturesPath begins the address of a picture that the tool took.
	picturesPath = "/pictures"
)

// Kinds of what the tool sends.
const (
	StartAssessmentMessage part.Sent = "LtiStartAssessment message"                // Proctor.StartAssessment
	ControlServiceRequest  part.Sent = "request of the Assessment Control Service" // Proctor.Control
)

// Part is the proctor.
var Part = part.Part{
	Profile: Profile,
	Paths:   []string{CheckInPath, CheckInPath + "/", picturesPath + "/", ProctorPath, ProctorPath + "/", MessagePath + "/"},
	Cookies: []string{checkInCookie},
	Mount:   mount,
	Faults:  slices.Concat(defects, stimuli),
	Sends: []part.Sending{
		{Sent: StartAssessmentMessage, Changed: startMessage.Changed},
		{Sent: ControlServiceRequest, Changed: changesControl},
	},
}

// A Proctor is what a fake tool does about proctored exams. It is safe for concurrent use.
type Proctor struct {
	core part.Core

	// Outbox has the messages that start assessments.
	Outbox *toolmessage.Outbox

	mu       sync.Mutex
	checkIns []*checkIn // the oldest first
}

// Of returns the proctor of a fake tool.
func Of(tool interface{ Part(profile string) any }) *Proctor {
	return tool.Part(Profile).(*Proctor)
}

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	p := &Proctor{core: core, Outbox: toolmessage.NewOutbox(mux, core, MessagePath)}
	mux.HandleFunc("GET "+CheckInPath, p.serveCheckIn)
	mux.HandleFunc("POST "+CheckInPath+"/{id}/start", p.serveStart)
	mux.HandleFunc("POST "+CheckInPath+"/{id}/cancel", p.serveCancel)
	mux.HandleFunc("GET "+picturesPath+"/{id}", servePicture)
	mux.HandleFunc("GET "+ProctorPath, p.serveProctor)
	mux.HandleFunc("POST "+ProctorPath+"/{id}/{action}", p.serveAction)
	return part.Mounted{Own: p, Messages: []part.MessageType{
		{Type: lti.StartProctoring, Rules: startsExam, Take: p.beginCheckIn},
		{Type: lti.EndAssessment, Rules: endsExam, Take: p.end},
	}}
}

//go:embed pages.html.tmpl
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages.html.tmpl"))

// show sends a page.
func (p *Proctor) show(w http.ResponseWriter, page string, data any) {
	p.core.Show(w, http.StatusOK, pages.Lookup(page), data)
}

// A rule is one thing that is checked of a message, and checks are those of one type.
type (
	rule   = fault.Rule[*part.Message]
	checks = fault.List[*part.Message]
)
