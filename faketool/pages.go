package faketool

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

//go:embed pages.html.tmpl
var pagesFS embed.FS

var pages = template.Must(template.ParseFS(pagesFS, "pages.html.tmpl"))

// What browsers are shown.
var (
	pageSent     = &fault.Seam[string]{Name: "the page that is sent"}
	headerSent   = &fault.Seam[http.Header]{Name: "the header of a page"}
	statusTold   = &fault.Seam[int]{Name: "the status of a refusal"}
	resourceSeen = &fault.Seam[showing]{Name: "what the page of a launch shows"}
	leavingSaid  = &fault.Seam[leaving]{Name: "what the platform is told of a user who leaves"}
	returnedTo   = &fault.Seam[returning]{Name: "the return URL with a message"}
)

// render shows one of the tool's own pages.
func (t *Tool) render(w http.ResponseWriter, status int, page string, data any) {
	t.show(w, status, pages.Lookup(pageSent.Pass(t.carrier, page)), data)
}

// show sends a page.
func (t *Tool) show(w http.ResponseWriter, status int, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	headerSent.Pass(t.carrier, w.Header())
	w.WriteHeader(status)
	_ = page.Execute(w, data) // the browser has gone if this fails
}

// refuse shows why, or tells the platform where a return URL is given.
func (t *Tool) refuse(w http.ResponseWriter, err error, returnURL string) {
	r := &part.Refusal{Status: http.StatusInternalServerError, Why: err.Error()}
	_ = errors.As(err, &r)
	if returnURL != "" {
		w.Header().Set("Location", t.returnWith(returnURL, url.Values{
			lti.ParamErrorMessage: {"The launch was refused."}, lti.ParamErrorLog: {r.Why},
		}))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	back := &part.WayBack{}
	_ = errors.As(err, &back)
	t.render(w, statusTold.Pass(t.carrier, r.Status), "refused", refusedPage{r.Why, back.Exit})
}

// refusedPage says why something is refused, and where the way back is.
type refusedPage struct {
	Why  any
	Exit string
}

// returning is a return URL, and what is told there.
type returning struct {
	own     url.URL // without the message
	message url.Values
	query   string // with the message
}

// returnWith adds a message to the return URL, and leaves what it has of its
// own as it is (LTI Core 1.3, 5.4.4).
func (t *Tool) returnWith(returnURL string, message url.Values) string {
	u, err := url.Parse(returnURL)
	if err != nil {
		return ""
	}
	query := message.Encode()
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = returnedTo.Pass(t.carrier, returning{*u, message, query}).query
	return u.String()
}

// page is what the resource's page shows of a launch.
type page struct {
	Launch
	ShownName  any // of the user
	Classmates []string
	Account    string
	Exit       string
	Leave      string        // where a form leads that goes back; a link does where it is empty
	Texts      []string      // that only faults show
	Actions    []part.Action // that parts offer
}

// showing is the page of a launch.
type showing struct {
	t    *Tool
	page page
}

// leaving is what the platform is told of a user who leaves.
type leaving struct {
	launch  Launch
	message url.Values
}

func (t *Tool) shown(l Launch) page {
	p := page{Launch: l, ShownName: l.Name}
	if l.User > 0 {
		p.Account = fmt.Sprintf("user-%d", l.User)
	}
	switch {
	case l.Name == "" && l.Sub == "":
		p.ShownName = "anonymous"
	case l.Name == "":
		p.ShownName = l.Sub
	}
	if l.ReturnURL != "" {
		said := leavingSaid.Pass(t.carrier, leaving{l, url.Values{lti.ParamMessage: {"You have left the tool."}}})
		p.Exit = t.returnWith(l.ReturnURL, said.message)
	}
	return resourceSeen.Pass(t.carrier, showing{t, p}).page
}

func (t *Tool) serveJWKS(w http.ResponseWriter, _ *http.Request) {
	body, err := t.publishedKeys()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", lti.MediaTypeJWKSet)
	_, _ = w.Write(body)
}

// What the tool publishes of its keys (Security Framework 1.0, 6.3).
var (
	keysPublished  = &fault.Seam[[]jwk.Key]{Name: "the keys whose public halves are published"}
	keySetDocument = &fault.Seam[keyDocument]{Name: "the key set that is published"}
)

// keyDocument is the key set that is published.
type keyDocument struct {
	keys     []jwk.Key // whole
	document any       // a [jwk.Set] as a rule
}

func (t *Tool) publishedKeys() ([]byte, error) {
	t.mu.Lock()
	keys := slices.Clone(t.keys)
	t.mu.Unlock()
	keys = keysPublished.Pass(t.carrier, keys)
	set, err := lti.PublicSet(keys...)
	if err != nil {
		return nil, err
	}
	return json.Marshal(keySetDocument.Pass(t.carrier, keyDocument{keys, set}).document)
}

// serveLeave leads back to the platform, for a fault.
func (t *Tool) serveLeave(w http.ResponseWriter, r *http.Request) {
	to := r.PostFormValue("to")
	switch {
	case !leaves.Taken(t.carrier, to):
		t.serveNothing(w, r)
	case to == "":
		http.Error(w, "null", http.StatusInternalServerError)
	default:
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	}
}

// leavePath is where the forms of faults lead back to the platform.
const leavePath = part.LeavePath

var leaves = part.Leaves
