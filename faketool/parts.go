package faketool

import (
	"context"
	"errors"
	"html/template"
	"net/http"

	"invigilator.example/faketool/namesroles"
	"invigilator.example/faketool/part"
	"invigilator.example/fault"
)

// parts are what the tool does with services in packages of their own.
var parts = []part.Part{namesroles.Part}

// partFaults are the faults of parts.
func partFaults(parts []part.Part) []Fault {
	var all []Fault
	for _, one := range parts {
		for _, f := range one.Faults {
			all = append(all, Fault{
				Name: f.Name, Does: f.Does, Provokes: f.Provokes, Proves: f.Proves,
				Permitted: f.Permitted, Part: Part(one.Profile), Effects: f.Effects,
			})
		}
	}
	return all
}

// actionsOf are what parts offer the user of a launch.
func (t *Tool) actionsOf(l Launch) []part.Action {
	var all []part.Action
	for _, one := range parts {
		for _, action := range one.Actions(l.forParts()) {
			action.Path = t.opts.URL + action.Path
			all = append(all, action)
		}
	}
	return all
}

// forParts is what parts are told of a launch.
func (l Launch) forParts() part.Launch {
	return part.Launch{ID: l.id, Teacher: l.Teacher, Claims: l.message}
}

// partCore is what parts may ask of a tool.
type partCore struct{ *Tool }

// Carrier carries the faults of the tool.
func (t partCore) Carrier() *fault.Carrier { return t.carrier }

// Launch returns a launch of the browser that sends a request.
func (t partCore) Launch(r *http.Request, id string) (part.Launch, error) {
	l, err := t.launchHere(r, id)
	return l.forParts(), err
}

// Get asks a service.
func (t partCore) Get(ctx context.Context, l part.Launch, r part.Request) (*part.Answer, error) {
	t.mu.Lock()
	of := t.sessions[l.ID].platform
	t.mu.Unlock()
	e, err := t.call(ctx, call{t.Tool, of, []string{r.Scope}, r.Scope, GradeRequest{Method: http.MethodGet, URL: r.URL, Accept: r.Accept}})
	if err != nil {
		return nil, err
	}
	return &part.Answer{Header: e.Header, Body: e.Body}, e.failure()
}

// NextPage returns where the page after one is that came from an address.
func (partCore) NextPage(header http.Header, from string) (string, bool) {
	return NextPage(header, from)
}

// Show sends a page.
func (t partCore) Show(w http.ResponseWriter, page *template.Template, data any) {
	t.show(w, http.StatusOK, page, data)
}

// Refuse says why there is no page.
func (t partCore) Refuse(w http.ResponseWriter, err error) {
	if says, is := errors.AsType[part.Forbidden](err); is {
		err = &refusal{http.StatusForbidden, string(says)}
	}
	t.refuse(w, err, "")
}

// Page is the address of the page of a launch.
func (t partCore) Page(l part.Launch) string { return t.opts.URL + ResourcePath + "?launch=" + l.ID }
