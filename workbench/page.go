package workbench

import (
	"bytes"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

//go:embed page.html.tmpl page.css page.js
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page.html.tmpl"))

func newToken() string { return lti.RandomString() }

// policy lets the page have nothing but what this server has, and nobody show it in a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page serves the page. Other sites can neither read it nor send anything by it: they do not
// know its token, browsers say where a request comes from, and a name of theirs that leads here
// is none of the page's.
func (w *Workbench) page() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", w.serveHome)
	mux.HandleFunc("GET /events", w.serveEvents)
	mux.HandleFunc("GET /sent/{n}", w.serveSent)
	mux.HandleFunc("POST /send", w.ofPage(func(r *http.Request) (*sending, string, error) { return w.launch(read(r.PostForm)) }))
	mux.HandleFunc("POST /begin", w.ofPage(func(*http.Request) (*sending, string, error) {
		address, err := w.begin()
		return nil, address, err
	}))
	mux.HandleFunc("POST /go-on", w.ofPage(func(r *http.Request) (*sending, string, error) {
		return w.goOn(r.PostForm.Get("login"), read(r.PostForm))
	}))
	for _, name := range []string{"page.css", "page.js"} {
		mux.HandleFunc("GET /"+name, func(rw http.ResponseWriter, r *http.Request) { http.ServeFileFS(rw, r, files, name) })
	}
	safe := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !slices.Contains(w.names, r.Host) {
			http.Error(rw, "This page is at "+w.url+".", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, 64<<10)
		safe.ServeHTTP(rw, r)
	})
}

// ofPage answers a form of the page: it sends the browser where something begins.
func (w *Workbench) ofPage(begin func(*http.Request) (*sending, string, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(w.token)) != 1 {
			w.render(rw, http.StatusForbidden, "error", "This form is not of this page, or the page is an old one: load it again.")
			return
		}
		if w.platform == nil && (r.URL.Path == "/send" || r.URL.Path == "/begin") || w.prober == nil && r.URL.Path != "/send" {
			w.render(rw, http.StatusNotFound, "error", "There is no such fake here.")
			return
		}
		_, address, err := begin(r)
		if err != nil {
			w.render(rw, http.StatusUnprocessableEntity, "error", "Nothing was sent: "+err.Error()+".")
			return
		}
		// No redirect: a page's policy for forms would hold for all that follows as well.
		rw.Header().Set("Refresh", "0; url="+address)
		w.render(rw, http.StatusOK, "sent-on", template.URL(address))
	}
}

func (w *Workbench) render(rw http.ResponseWriter, status int, name string, data any) {
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name, data); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(text.Bytes()) // the browser has gone if this fails
}

// home is what the page shows.
type home struct {
	Token, Subject, Side string
	Demo, Launches       bool // the demo; a tool is launched here
	Holds                bool // logins are held here
	Kinds                []kind
	People, Places       []string
	Groups               []group
	Probes               []Choice
	Chosen               composed
	Held                 []held
	Sent                 []sent
	Registration         []Fact
	Exchanges            []Exchange
	Last                 int
}

// A group is the stimuli of one kind of message.
type group struct {
	Name    string
	Choices []Choice
}

// A held login waits for somebody to go on.
type held struct {
	ID, At, Refused string
	Params          []Field
}

// sent is one line of what was sent.
type sent struct {
	Number        int
	Does, Outcome string
}

func (w *Workbench) serveHome(rw http.ResponseWriter, r *http.Request) {
	h := home{
		Token: w.token, Subject: results.Bounded(w.config.SubjectName(), 200), Side: string(w.config.Side), Demo: w.config.IsEmbedded(), Launches: w.platform != nil, Holds: w.prober != nil,
		Kinds: w.kinds(), Places: places, Probes: probes(), Chosen: read(r.URL.Query()), Registration: w.Registration(),
	}
	if h.Demo {
		h.Subject = "the embedded fakes"
	}
	for _, p := range people {
		h.People = append(h.People, p.Name)
	}
	choices := w.choices()
	for _, k := range h.Kinds {
		g := group{Name: k.Name}
		for _, c := range choices {
			if c.Message == k.Message {
				g.Choices = append(g.Choices, c)
			}
		}
		h.Groups = append(h.Groups, g)
	}
	for _, l := range w.held() {
		record := l.Record()
		h.Held = append(h.Held, held{l.ID(), record.Initiation.At.Format("15:04:05"), results.Bounded(record.Refused, 300), fieldsOf(record.Initiation.Params)})
	}
	for _, s := range w.sendings() {
		h.Sent = append(h.Sent, sent{s.number, s.title(), s.outcome()})
	}
	h.Exchanges, _ = w.watched.since(0)
	if n := len(h.Exchanges); n > 0 {
		h.Last = h.Exchanges[n-1].ID
	}
	slices.Reverse(h.Exchanges)
	w.render(rw, http.StatusOK, "home", h)
}

// title says what was sent.
func (s *sending) title() string {
	what := "a valid " + s.composed.Message
	if s.login != nil {
		what = "a valid authentication request"
	}
	if s.does == "" {
		return what
	}
	return s.composed.Stimulus + ": " + s.does
}

// outcome says how far a message has come.
func (s *sending) outcome() string {
	if s.login != nil {
		switch answers := s.login.Record().Answers; {
		case len(answers) == 0:
			return "no answer has come yet"
		case answers[len(answers)-1].Error != "":
			return "answered with the error " + results.Bounded(answers[len(answers)-1].Error, 100)
		default:
			return "answered"
		}
	}
	switch record := s.launch.Record(); {
	case record.IDToken != "":
		return "the tool has asked to log in, and was sent the id_token"
	case len(record.AuthenticationRequests) > 0:
		return "the tool has asked to log in"
	case record.LoginInitiation != nil:
		return "the login was initiated; the tool has not asked to log in"
	}
	return "no browser has opened it yet"
}

// details are all that is known of a message that was sent.
type details struct {
	Number            int
	Title, Outcome    string
	Does              string
	Requirement       string
	Statement, Expect string // of the requirement
	Parts             []piece
	Repeats           []Fact
}

// A piece is one message of a flow.
type piece struct {
	Name, Says string
	Fields     []Field
	Problems   []string
}

func (w *Workbench) serveSent(rw http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("n"))
	list := w.sendings()
	i := slices.IndexFunc(list, func(s *sending) bool { return s.number == n })
	if i < 0 {
		w.render(rw, http.StatusNotFound, "error", "No such message is remembered.")
		return
	}
	s := list[i]
	d := details{Number: s.number, Title: s.title(), Outcome: s.outcome(), Does: s.does, Requirement: s.requirement, Repeats: w.repeats(s)}
	if r, known := requirements.Default().Get(requirements.ID(s.requirement)); known {
		d.Statement, d.Expect = r.Statement, r.Expect
	}
	if s.login != nil {
		d.Parts = piecesOfLogin(s.login.Record())
	} else {
		d.Parts = piecesOfLaunch(s)
	}
	w.render(rw, http.StatusOK, "details", d)
}

func piecesOfLaunch(s *sending) (list []piece) {
	record := s.launch.Record()
	if l := record.LoginInitiation; l != nil {
		bare, _, _ := strings.Cut(l.URL, "?")
		list = append(list, piece{Name: "Login initiation, sent", Says: l.Method + " " + results.Bounded(bare, 1000), Fields: fieldsOf(l.Params)})
	}
	for _, a := range record.AuthenticationRequests {
		var problems []string
		for _, p := range a.Problems {
			problems = append(problems, results.Text(results.Bounded(p, 300)))
		}
		list = append(list, piece{Name: "Authentication request, received", Says: a.Method + " " + results.Bounded(a.Path, 300), Fields: fieldsOf(a.Params), Problems: problems})
	}
	if to, fields, err := s.launch.Answer(); err == nil {
		list = append(list, piece{Name: "Authentication response, sent", Says: "to " + results.Bounded(to, 1000), Fields: fieldsOf(fields)})
	}
	for _, back := range record.Returns {
		list = append(list, piece{Name: "Return to the platform, received", Fields: []Field{
			fieldOf("lti_msg", back.Message), fieldOf("lti_errormsg", back.ErrorMessage), fieldOf("lti_log", back.Log), fieldOf("lti_errorlog", back.ErrorLog),
		}})
	}
	return list
}

func piecesOfLogin(record faketool.LoginRecord) (list []piece) {
	list = append(list, piece{Name: "Login initiation, received", Says: record.Initiation.Method + " " + results.Bounded(record.Initiation.Path, 300), Fields: fieldsOf(record.Initiation.Params)})
	for _, q := range record.Requests {
		bare, _, _ := strings.Cut(q.URL, "?")
		list = append(list, piece{Name: "Authentication request, sent", Says: q.Method + " " + results.Bounded(bare, 1000), Fields: fieldsOf(q.Params)})
	}
	for _, a := range record.Answers {
		list = append(list, piece{Name: "Authentication response, received", Fields: fieldsOf(a.Form)})
	}
	return list
}

// ping is how often a stream says that it is there.
const ping = 20 * time.Second

// serveEvents tells of exchanges as they come (Server-Sent Events), each as the part of the page
// that shows it.
func (w *Workbench) serveEvents(rw http.ResponseWriter, r *http.Request) {
	last, _ := strconv.Atoi(r.URL.Query().Get("after"))
	if id, err := strconv.Atoi(r.Header.Get("Last-Event-ID")); err == nil {
		last = id
	}
	out := http.NewResponseController(rw)
	_ = out.SetReadDeadline(time.Time{}) // it goes on for as long as the page is open
	rw.Header().Set("Content-Type", "text/event-stream")
	ticker := time.NewTicker(ping)
	defer ticker.Stop()
	_, _ = fmt.Fprint(rw, ": here\n\n")
	for {
		list, more := w.watched.since(last)
		for _, x := range list {
			var text bytes.Buffer
			if err := pages.ExecuteTemplate(&text, "exchange", x); err != nil {
				return
			}
			line, _ := json.Marshal(text.String()) // a text can be written
			if _, err := fmt.Fprintf(rw, "id: %d\ndata: %s\n\n", x.ID, line); err != nil {
				return
			}
			last = x.ID
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-more:
		case <-ticker.C:
			if _, err := fmt.Fprint(rw, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
