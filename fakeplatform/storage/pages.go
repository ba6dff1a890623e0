package storage

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"invigilator.example/fakeplatform/part"
)

//go:embed pages.html.tmpl
var pagesTemplate string

var pages = template.Must(template.New("storage").Parse(pagesTemplate))

//go:embed storage.js
var script []byte

//go:embed hostile.js
var hostileScript []byte

// Path is below which the storage is: its frame, its script and the address that its messages go
// to.
const Path = "/storage/"

// A Shown area is what a page has beside the tool's frame.
type Shown struct {
	// Name and Frame are the name and the address of the frame that keeps data; empty where the
	// page does itself.
	Name, Frame string
	// Script is the address of the page's script, which takes Messages as its data-messages.
	Script, Messages string
}

// Shown is what a page of the platform at an origin has.
func (a *Area) Shown(origin string) Shown {
	s := Shown{Script: scriptPath, Messages: Path + a.id + "/messages"}
	if a.offer.Target != Parent {
		s.Name, s.Frame = a.offer.Target, origin+Path+a.id
	}
	if a.offer.FrameElsewhere {
		s.Frame = elsewhere(s.Frame)
	}
	return s
}

const (
	scriptPath        = Path + "storage.js"
	hostileScriptPath = Path + "hostile.js"
)

func (s *Store) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+scriptPath, func(w http.ResponseWriter, _ *http.Request) { sendScript(w, script) })
	mux.HandleFunc("GET "+hostileScriptPath, func(w http.ResponseWriter, _ *http.Request) { sendScript(w, hostileScript) })
	mux.HandleFunc("GET "+Path+"{area}", s.withArea(serveFrame))
	mux.HandleFunc("GET "+Path+"{area}/hostile", s.withArea(serveHostile))
	mux.HandleFunc("GET "+Path+"{area}/silence", s.withArea(serveSilence))
	mux.HandleFunc("POST "+Path+"{area}/messages", s.withArea(serveMessages))
}

func sendScript(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, _ = w.Write(text) // the browser has gone if this fails
}

// withArea finds the area that the path names; nobody can guess one.
func (s *Store) withArea(serve func(http.ResponseWriter, *http.Request, *Area)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := s.area(r.PathValue("area"))
		if a == nil {
			s.core.Unplanned(r, "no storage of this platform has this address")
			http.NotFound(w, r)
			return
		}
		serve(w, r, a)
	}
}

// elsewherePort is the port of the other origin: where the platform's host is served whatever the
// port, it is another origin of the same site.
const elsewherePort = "444"

// elsewhere is an address at another origin.
func elsewhere(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Host = u.Hostname() + ":" + elsewherePort
	return u.String()
}

// isElsewhere says whether a document was asked for at the other origin, and keeps that it was.
func (a *Area) isElsewhere(r *http.Request, document string) bool {
	if (&url.URL{Host: r.Host}).Port() != elsewherePort {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Contains(a.record.Elsewhere, document) {
		a.record.Elsewhere = append(a.record.Elsewhere, document)
	}
	return true
}

// coursePage is the page around a tool. Hostile is the address of the hostile frame, and Silence that
// of what goes on where nothing is answered; empty for none.
type coursePage struct {
	Shown
	Title, Launch, Hostile, Silence string
}

// page is the page around a launch; nil where that is offered no storage.
func (s *Store) page(l part.Launch) http.HandlerFunc {
	if offerTo(l).Target == "" {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		a := s.ofLaunch(l)
		if here := a.isElsewhere(r, "page"); a.offer.PageElsewhere && !here {
			http.Redirect(w, r, elsewhere(l.URL()+"/frame"), http.StatusSeeOther)
			return
		}
		origin := l.URL()[:len(l.URL())-len("/launch/"+l.ID())]
		p := coursePage{Shown: a.Shown(origin), Title: l.Plan().Title, Launch: l.URL()}
		if a.offer.Hostile {
			p.Hostile = elsewhere(origin + Path + a.id + "/hostile")
		}
		if a.offer.Silent {
			p.Silence = Path + a.id + "/silence"
		}
		render(w, "page", p)
	}
}

func render(w http.ResponseWriter, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, name, data) // the browser has gone if this fails
}

func serveFrame(w http.ResponseWriter, r *http.Request, a *Area) {
	a.isElsewhere(r, "frame")
	render(w, "frame", a.Shown(""))
}

func serveHostile(w http.ResponseWriter, r *http.Request, a *Area) {
	if !a.offer.Hostile {
		http.NotFound(w, r)
		return
	}
	a.isElsewhere(r, "hostile")
	render(w, "frame", Shown{Script: hostileScriptPath})
}

// silence is how long a page that answers nothing keeps the browser from being taken for one
// where nothing goes on any more.
const silence = 10 * time.Second

// serveSilence answers when the tool has gone on, or has had its time.
func serveSilence(w http.ResponseWriter, r *http.Request, a *Area) {
	if !a.offer.Silent {
		http.NotFound(w, r)
		return
	}
	for end := time.After(silence); ; {
		select {
		case <-time.After(100 * time.Millisecond):
			if a.launch.IDToken() == "" {
				continue
			}
		case <-end:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
}

// serveMessages answers what a page or frame passes on.
func serveMessages(w http.ResponseWriter, r *http.Request, a *Area) {
	var c came
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, "the message cannot be read", http.StatusBadRequest)
		return
	}
	part.Send(w, http.StatusOK, "application/json", a.take(c))
}
