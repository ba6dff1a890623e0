// Package namesroles is the part of the fake tool that shows teachers who the members of
// their course are (Names and Role Provisioning Services 2.0).
package namesroles

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "names-and-roles"

// Part is the roster.
var Part = part.Part{Profile: Profile, Paths: []string{path + "/"}, Mount: mount, Actions: actions, Faults: defects}

// path begins the addresses of the rosters of launches.
const path = "/members"

//go:embed roster.html.tmpl
var text string

var page = template.Must(template.New("roster").Parse(text))

// actions offers the roster to teachers, where the platform offers the service.
func actions(l part.Launch) []part.Action {
	if !l.Teacher || offered(l) == "" {
		return nil
	}
	return []part.Action{{ID: "members", Title: "Who belongs to this course", Path: path + "/" + l.ID}}
}

// offered is the address of the members that a launch names; empty where it names none
// that is safe ("Claim for inclusion in LTI messages").
func offered(l part.Launch) string {
	claim, _ := l.Claims[lti.ClaimNamesRoles].(map[string]any)
	versions, _ := claim["service_versions"].([]any)
	address, _ := claim["context_memberships_url"].(string)
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !slices.Contains(versions, any(lti.NamesRolesVersion)) {
		return ""
	}
	return address
}

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	mux.HandleFunc("POST "+path+"/{id}", func(w http.ResponseWriter, r *http.Request) { show(w, r, core) })
	return part.Mounted{}
}

// patience is how long a teacher waits, however many pages there are.
const patience = 30 * time.Second

// show shows who belongs to the course of a launch.
func show(w http.ResponseWriter, r *http.Request, core part.Core) {
	l, err := core.Launch(r, r.PathValue("id"))
	if err == nil && len(actions(l)) == 0 {
		err = &part.Refusal{Status: http.StatusForbidden, Why: "This is not for you."}
	}
	if err != nil {
		core.Refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	members, err := read(ctx, l, core)
	if errors.As(err, new(part.Crash)) {
		core.Refuse(w, err)
		return
	}
	shown := struct {
		Rows          []row
		Problem, Back string
	}{Back: core.Page(l)}
	if err != nil {
		shown.Problem = fmt.Sprintf("The members cannot be read: %s.", err)
	}
	for _, m := range members {
		if one := rows.Pass(core.Carrier(), rowOf(m)); !one.Hidden {
			shown.Rows = append(shown.Rows, one)
		}
	}
	core.Show(w, http.StatusOK, page, shown)
}

// A member is what the platform tells of one, as it came: what the tool does not know it
// leaves alone.
type member map[string]any

func (m member) text(name string) string {
	value, _ := m[name].(string)
	return value
}

func (m member) roles() (roles []string) {
	listed, _ := m["roles"].([]any)
	for _, role := range listed {
		if name, ok := role.(string); ok {
			roles = append(roles, name)
		}
	}
	return roles
}

// A row is what is shown of a member.
type row struct {
	of     member
	Name   any // or the user_id, where the platform tells no name
	Roles  []string
	Note   string // empty where the member is active
	Hidden bool
}

// rows are what is shown.
var rows = &fault.Seam[row]{Name: "what is shown of a member"}

// rowOf says what is shown of a member ("Membership status": one without is active).
func rowOf(m member) row {
	one := row{of: m, Name: m.text("name"), Roles: m.roles()}
	if one.Name == "" {
		one.Name = m.text("user_id")
	}
	switch status := lti.MembershipStatus(m.text("status")); status {
	case "", lti.MemberActive:
	case lti.MemberDeleted:
		one.Hidden = true
	default:
		one.Note = "not active"
	}
	return one
}

// maxPages and maxMembers bound what is read.
const (
	maxPages   = 100
	maxMembers = 10_000
)

var (
	// requests are those for a page; the first is that of the address in the launch.
	requests = &fault.Seam[request]{Name: "a request for members"}
	// isMember is what has to be told of somebody ("Sharing of personal data").
	isMember = &fault.Rule[member]{Name: "a member has a user_id and roles", Broken: func(m member) error {
		if _, told := m["roles"].([]any); m.text("user_id") == "" || !told {
			return errors.New("the platform tells of a member without user_id or roles")
		}
		return nil
	}}
	members = &fault.List[member]{Name: "members", Rules: []*fault.Rule[member]{isMember}}
	// counted says whether a member goes onto the roster.
	counted = &fault.Step[member]{Name: "a member is taken down", Honest: func(member) bool { return true }}
	// goesOn says whether the next page is read.
	goesOn = &fault.Step[progress]{Name: "the next page is read", Honest: func(p progress) bool { return p.next != "" }}
)

// A request is one for a page.
type request struct {
	part.ServiceRequest
	scope  string // of the access token
	launch part.Launch
	first  bool
}

// progress is how far the list was read.
type progress struct {
	next  string // where the next page is; none when empty
	said  string // the same as the platform says it
	pages int    // that were read
	found int    // members on the last of them
}

// read reads the members, page by page to the end ("Limit query parameter"). The access
// token goes to no other site than the list's.
func read(ctx context.Context, l part.Launch, core part.Core) ([]member, error) {
	c, list := core.Carrier(), offered(l)
	var all []member
	seen := map[string]bool{}
	for at := list; ; {
		seen[at] = true
		asked := requests.Pass(c, request{part.ServiceRequest{Method: http.MethodGet, URL: at, Accept: lti.MediaTypeMembershipContainer}, lti.ScopeMembership, l, at == list})
		answer, err := core.Call(ctx, part.Call{Of: l.Client(), Scopes: []string{asked.scope}, Needed: asked.scope, ServiceRequest: asked.ServiceRequest})
		if err == nil {
			err = answer.Failure()
		}
		if err != nil {
			return all, err
		}
		var container struct{ Members []member }
		if err := json.Unmarshal(answer.Body, &container); err != nil {
			return all, errors.New("the platform's list of members is none")
		}
		for _, m := range container.Members {
			if err := members.First(c, m); err != nil {
				return all, err
			}
			if counted.Taken(c, m) {
				all = append(all, m)
			}
		}
		p := progress{said: answer.Header.Get("Link"), pages: len(seen), found: len(container.Members)}
		p.next, _ = core.NextPage(answer.Header, at)
		switch {
		case !goesOn.Taken(c, p):
			return all, nil
		case seen[p.next]:
			return all, errors.New("the platform's list leads back to where it was")
		case siteOf(p.next) != siteOf(list):
			return all, errors.New("the platform's list goes on at another site")
		case len(seen) >= maxPages || len(all) >= maxMembers:
			return all, errors.New("the platform's list is too long")
		}
		at = p.next
	}
}

// siteOf is the beginning of an address, up to its path.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
