// Package grades is the part of the fake tool that uses the platform's grade services: it
// takes work from learners and tells the gradebook, makes and renames line items, and shows
// teachers the results (Assignment and Grade Services 2.0).
package grades

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"sync"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "grades"

// Part is the client of the grade services.
var Part = part.Part{Profile: Profile, Paths: []string{workPath + "/"}, Mount: mount, Actions: actions, Faults: slices.Concat(defects, stimuli)}

// Grades is what a fake tool does about grades. It is safe for concurrent use.
type Grades struct {
	core    part.Core
	carrier *fault.Carrier
	says    []func(*lti.LineItem) // of new line items, besides

	mu         sync.Mutex
	activities []Activity  // the oldest first
	works      []Work      // handed in, the oldest first
	last       part.Launch // of a resource link
}

// Of returns what a fake tool does about grades.
func Of(tool interface{ Part(profile string) any }) *Grades { return tool.Part(Profile).(*Grades) }

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	t := &Grades{core: core, carrier: core.Carrier()}
	mux.HandleFunc("POST "+workPath+"/{id}/submit", Patient(t.serveSubmit))
	mux.HandleFunc("POST "+workPath+"/{id}/rename", Patient(t.serveRename))
	mux.HandleFunc("POST "+workPath+"/{id}/results", Patient(t.serveResults))
	return part.Mounted{Own: t, Launched: t.launched}
}

// actions are what users can do about grades from a launch.
func actions(l part.Launch) (all []part.Action) {
	at := workPath + "/" + l.ID
	if handsIn(l) {
		all = append(all, part.Action{ID: "submit", Title: "Hand in", Path: at + "/submit", Fields: []part.Field{{Name: "work", Label: "Your work", Long: true}}})
	}
	if keepsGrades(l) {
		all = append(all,
			part.Action{ID: "rename", Title: "Rename", Path: at + "/rename", Fields: []part.Field{{Name: "label", Label: "Name in the gradebook"}}},
			part.Action{ID: "read-results", Title: "Read the results", Path: at + "/results"})
	}
	return all
}

//go:embed pages.html.tmpl
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages.html.tmpl"))

// show sends a page.
func (t *Grades) show(w http.ResponseWriter, page string, data any) {
	t.core.Show(w, http.StatusOK, pages.Lookup(page), data)
}

func badRequest(format string, args ...any) error {
	return &part.Refusal{Status: http.StatusBadRequest, Why: fmt.Sprintf(format, args...)}
}

// A Gradebook is what a platform offers of its grade services in a launch
// (Assignment and Grade Services 2.0, 3.1).
type Gradebook struct {
	Of                  part.Client
	Scopes              []string // that the platform announces, and the tool knows
	LineItems, LineItem string   // empty where the platform names none
}

// Offered reads the claim of a launch; nil where there is none.
func Offered(l part.Launch) *Gradebook {
	endpoint := l.Claims.Object(lti.ClaimAGS)
	if endpoint == nil {
		return nil
	}
	g := &Gradebook{Of: l.Client()}
	g.Of.Deployment, _ = l.Claims.Text(lti.ClaimDeploymentID)
	announced, _ := endpoint["scope"].([]any)
	for _, scope := range lti.GradeScopes {
		if slices.Contains(announced, any(scope)) {
			g.Scopes = append(g.Scopes, scope)
		}
	}
	for name, to := range map[string]*string{"lineitems": &g.LineItems, "lineitem": &g.LineItem} {
		if address, _ := endpoint[name].(string); part.IsSecure(address) {
			*to = address
		}
	}
	return g
}

// Offers says whether the platform announces one of the scopes.
func (g *Gradebook) Offers(scopes ...string) bool {
	return g != nil && slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(g.Scopes, scope) })
}

// With is the gradebook as if the platform had announced another scope, too.
func (g Gradebook) With(scope string) *Gradebook {
	g.Scopes = append(slices.Clone(g.Scopes), scope)
	return &g
}

// patience is how long a user waits for the platform's gradebook, however many
// requests it takes.
const patience = 30 * time.Second

// Patient bounds how long a page takes that asks the platform.
func Patient(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		serve(w, r.WithContext(ctx))
	}
}

// call sends a request to a grade service, with an access token for all that
// the platform announces: the tool needs one token only. It fails where the
// answer is none of success.
func (t *Grades) call(ctx context.Context, g *Gradebook, scope string, r part.ServiceRequest) (*part.Exchange, error) {
	if !g.Offers(scope) {
		return nil, fmt.Errorf("the platform does not offer the scope %s", scope)
	}
	asked := scopesAsked.Pass(t.carrier, scoping{scope, g.Scopes})
	r = requested.Pass(t.carrier, r)
	e, err := t.core.Call(ctx, part.Call{Of: g.Of, Scopes: asked.scopes, Needed: scope, ServiceRequest: r})
	if err != nil {
		return nil, err
	}
	return e, succeeded.First(t.carrier, answered{r, e})
}

// scoping is what a token is asked for where one is needed.
type scoping struct {
	needed string
	scopes []string // all that the platform announces
}

// answered is a request to a grade service with its answer.
type answered struct {
	request part.ServiceRequest
	*part.Exchange
}

// How a grade service is asked, and what its answer has to be.
var (
	scopesAsked   = &fault.Seam[scoping]{Name: "the scopes that an access token for the grade services is asked for"}
	requested     = &fault.Seam[part.ServiceRequest]{Name: "a request to a grade service, before it has its access token"}
	succeeded     = &fault.List[answered]{Name: "the answer of a grade service", Rules: []*fault.Rule[answered]{callSucceeded}}
	callSucceeded = &fault.Rule[answered]{Name: "a grade service has done what it was asked for", Broken: func(a answered) error { return a.Failure() }}
)
