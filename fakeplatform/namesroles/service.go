// Package namesroles is the part of the fake platform that tells tools who the members of
// a context are (Names and Role Provisioning Services 2.0).
package namesroles

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "names-and-roles"

// Part is the service.
var Part = part.Part{
	Profile: Profile, Scopes: []string{lti.ScopeMembership}, Mount: mount, Claims: offer, Faults: slices.Concat(stimuli, defects),
}

// The parameters of a request (Names and Role Provisioning Services 2.0, "Role query
// parameter", "Limit query parameter" and "Resource Link Membership Service").
const (
	paramRole         = "role"
	paramLimit        = "limit"
	paramResourceLink = "rlid"
)

// pageSize is how many members the platform sends at once.
const pageSize = 50

func address(core part.Core, contextID string) string {
	return core.ServerURL() + part.ContextsPath + "/" + url.PathEscape(contextID) + "/memberships"
}

// claim is what offers the service.
var claim = &fault.Seam[map[string]any]{Name: "the claim of the service", InMessage: true, Clone: maps.Clone[map[string]any]}

func offer(core part.Core, plan part.Plan) lti.Claims {
	at := part.Place{ClientID: plan.ClientID, Context: plan.Context}
	return lti.Claims{lti.ClaimNamesRoles: claim.Pass(core.Carrier(at), map[string]any{
		"context_memberships_url": address(core, at.Context), "service_versions": []string{lti.NamesRolesVersion},
	})}
}

// A request is one for the members of a context.
type request struct {
	*http.Request
	query url.Values
	at    part.Place
	token part.Token
	// noToken is why the request has no access token that is good.
	noToken error
	context part.Context // none where the tool was not launched there
	known   bool         // the context, to the platform
	// linked is set where the resource link is one that the tool has in the context, and
	// others where it is another tool's.
	linked, others bool
	after          int // so many members were sent before; less than 0 where there is no such page
}

// isFirst says whether the request is for the first page.
func (q *request) isFirst() bool { return q.PathValue("after") == "" }

// The rules of requests ("Using the service", "Scope for access", "Access restriction").
var (
	isGet = &fault.Rule[*request]{Name: "members are read by GET", Broken: func(q *request) error {
		if q.Method == http.MethodGet || q.Method == http.MethodHead {
			return nil
		}
		return part.Refuse(http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, "members are read by GET")
	}}
	hasToken = &fault.Rule[*request]{Name: "the request has an access token", Broken: func(q *request) error { return q.noToken }}
	hasScope = &fault.Rule[*request]{Name: "the access token is for the service", Broken: func(q *request) error {
		if q.noToken != nil || slices.Contains(q.token.Scopes, lti.ScopeMembership) {
			return nil
		}
		return &part.Refusal{Status: http.StatusForbidden, Code: lti.ErrorInsufficientScope, Says: "the access token is not for " + lti.ScopeMembership, Scope: lti.ScopeMembership}
	}}
	isContext = &fault.Rule[*request]{Name: "there is such a context", Broken: func(q *request) error {
		if q.known {
			return nil
		}
		return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, "there is no such context")
	}}
	isToolsContext = &fault.Rule[*request]{Name: "the tool is available in the context", Broken: func(q *request) error {
		if !q.known || q.context.ID != "" {
			return nil
		}
		return part.Refuse(http.StatusForbidden, lti.ErrorInvalidRequest, "the tool is not available in this context")
	}}
	isToolsLink = &fault.Rule[*request]{Name: "the resource link is the tool's, and in the context", Broken: func(q *request) error {
		if q.linked || !q.query.Has(paramResourceLink) {
			return nil
		}
		return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, "the tool has no such resource link in this context")
	}}
	isPage = &fault.Rule[*request]{Name: "there is such a page", Broken: func(q *request) error {
		if q.after >= 0 {
			return nil
		}
		return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, "there is no such page")
	}}

	rules = &fault.List[*request]{Name: "requests for members", Rules: []*fault.Rule[*request]{
		isGet, hasToken, hasScope, isContext, isToolsContext, isToolsLink, isPage,
	}}
)

// refused is what is said of a request that breaks a rule.
var refused = &fault.Seam[part.Refusal]{Name: "a refusal"}

func mount(mux *http.ServeMux, core part.Core) {
	serve := func(w http.ResponseWriter, r *http.Request) { answer(w, r, core) }
	mux.HandleFunc(part.ContextsPath+"/{context}/memberships", serve)
	mux.HandleFunc(part.ContextsPath+"/{context}/memberships/after/{after}", serve)
}

// answer lists the members of a context, or says why not.
func answer(w http.ResponseWriter, r *http.Request, core part.Core) {
	q := read(r, core)
	c := core.Carrier(q.at)
	call := part.Call{
		Part: Profile, ClientID: q.token.ClientID, Context: r.PathValue("context"), Method: r.Method, Target: r.RequestURI,
		Accept: r.Header.Get("Accept"), Scopes: q.token.Scopes, Status: http.StatusOK, At: time.Now(),
	}
	if err := rules.First(c, q); err != nil {
		why := part.Refusal{Status: http.StatusInternalServerError, Code: "server_error", Says: err.Error()}
		if known, ok := errors.AsType[*part.Refusal](err); ok {
			why = *known
		}
		why = refused.Pass(c, why)
		call.Status = why.Status
		core.Note(call)
		why.Answer(w)
		return
	}
	core.Note(call)
	if q.context.ID == "" || q.noToken != nil { // of a fault: what any tool is told
		q.at.ClientID = ""
		q.context, _ = core.Context(q.at)
	}
	if !q.linked {
		q.at.ResourceLink = ""
	}
	people, _ := core.Members(q.at)
	send(w, q, c, core, list(q, c, people))
}

// read reads a request.
func read(r *http.Request, core part.Core) *request {
	q := &request{Request: r, query: r.URL.Query()}
	q.token, q.noToken = core.Token(r, part.Need{Part: Profile})
	q.at = part.Place{ClientID: q.token.ClientID, Context: r.PathValue("context"), ResourceLink: q.query.Get(paramResourceLink)}
	anybodys := part.Place{Context: q.at.Context, ResourceLink: q.at.ResourceLink}
	_, q.known = core.Context(anybodys)
	q.context, _ = core.Context(q.at)
	if q.at.ResourceLink != "" {
		_, q.linked = core.Members(q.at)
		_, q.others = core.Members(anybodys)
		q.others = q.others && !q.linked
	}
	if after := r.PathValue("after"); after != "" {
		var err error
		if q.after, err = strconv.Atoi(after); err != nil || q.after < 0 {
			q.after = -1
		}
	}
	return q
}

// member is what is told of one ("Sharing of personal data").
var member = &fault.Seam[entry]{Name: "a member", Clone: func(e entry) entry {
	e.said = maps.Clone(e.said)
	return e
}}

// An entry is what is told of a member, with whom it was made of.
type entry struct {
	said map[string]any
	of   part.Member
}

// personal are the members that are told where launches have the claims of the same names.
var personal = []string{"name", "given_name", "family_name", "middle_name", "email", "picture"}

// personalIn are the personal data that claims have.
func personalIn(claims lti.Claims) map[string]any {
	told := map[string]any{}
	for _, name := range personal {
		if value, has := claims[name]; has {
			told[name] = value
		}
	}
	if lis, has := claims[lti.ClaimLIS].(map[string]any); has {
		told["lis_person_sourcedid"] = lis["person_sourcedid"]
	}
	return told
}

// list is what is told of all members that the request asks for.
func list(q *request, c *fault.Carrier, people []part.Member) []map[string]any {
	members := []map[string]any{}
	for _, p := range people {
		roles, _ := p.Claims[lti.ClaimRoles].([]string)
		if role := q.query.Get(paramRole); q.query.Has(paramRole) && !matches.Taken(c, match{role, roles}) {
			continue
		}
		said := map[string]any{"user_id": p.Claims["sub"], "roles": roles, "status": string(lti.MemberActive)}
		maps.Copy(said, personalIn(p.Claims))
		if q.at.ResourceLink != "" {
			said["message"] = messages.Pass(c, message{of: p.Claims, said: messageOf(p.Claims)}).said
		}
		members = append(members, member.Pass(c, entry{said, p}).said)
	}
	return all.Pass(c, roster{members}).members
}

// A roster is what is told of all members.
type roster struct{ members []map[string]any }

// all is what is told of all members, of all pages together.
var all = &fault.Seam[roster]{Name: "all members", Clone: func(r roster) roster {
	members := make([]map[string]any, 0, len(r.members))
	for _, m := range r.members {
		members = append(members, maps.Clone(m))
	}
	return roster{members}
}}

// A message is what a member's launch of the resource link would say beside ("Message
// section").
type message struct {
	of   lti.Claims
	said any
}

var messages = &fault.Seam[message]{Name: "the message section of a member"}

func messageOf(claims lti.Claims) any {
	said := map[string]any{lti.ClaimMessageType: lti.ResourceLinkRequest}
	if custom, told := claims[lti.ClaimCustom]; told {
		said[lti.ClaimCustom] = custom
	}
	return []any{said}
}

// A match is that of a role that is asked for with the roles of a member.
type match struct {
	role  string
	roles []string
}

// matches says whether a member has the role, by its URI or, of a context, by its simple
// name ("Role query parameter").
var matches = &fault.Step[match]{Name: "a member has the role", Honest: func(m match) bool {
	return slices.ContainsFunc(m.roles, func(has string) bool { return whole(has) == whole(m.role) })
}}

// whole is the URI of a role in a context that is given by its simple name.
func whole(role string) string {
	if strings.Contains(role, ":") {
		return role
	}
	return lti.ContextRolePrefix + role
}

// The answer: how many members a page has, where the next one is, the object and its
// media type.
var (
	size      = &fault.Seam[paging]{Name: "how many members a page has"}
	next      = &fault.Seam[link]{Name: "the link to the next page"}
	container = &fault.Seam[map[string]any]{Name: "the membership container", Clone: maps.Clone[map[string]any]}
	mediaType = &fault.Seam[string]{Name: "the media type of the answer"}
)

// paging is how much of the members goes into a page.
type paging struct {
	of    *request
	limit string // that was asked for; empty for none
	after int    // members that were sent before
	rest  int    // that were not
	size  int
}

// A link is where the next page is; none when empty.
type link struct {
	of       *request
	base, to string // base is the address of the first page without its query
	after    int
	rest     int // members from there on
}

// send sends a page.
func send(w http.ResponseWriter, q *request, c *fault.Carrier, core part.Core, members []map[string]any) {
	from := min(q.after, len(members))
	p := paging{of: q, limit: q.query.Get(paramLimit), after: from, rest: len(members) - from, size: pageSize}
	if asked, err := strconv.Atoi(p.limit); err == nil && asked > 0 {
		p.size = min(p.size, asked)
	}
	p = size.Pass(c, p)
	to := from + min(p.size, p.rest)
	base := address(core, q.at.Context)
	l := link{of: q, base: base, after: to, rest: len(members) - to}
	if l.rest > 0 {
		l.to = base + "/after/" + strconv.Itoa(to)
		if q.URL.RawQuery != "" {
			l.to += "?" + q.URL.RawQuery
		}
	}
	if l = next.Pass(c, l); l.to != "" {
		w.Header().Add("Link", fmt.Sprintf(`<%s>; rel="next"`, l.to))
	}
	described := map[string]any{"id": q.context.ID}
	for name, value := range map[string]string{"label": q.context.Label, "title": q.context.Title} {
		if value != "" {
			described[name] = value
		}
	}
	object := container.Pass(c, map[string]any{
		"id": core.ServerURL() + q.URL.RequestURI(), "context": described, "members": members[from:to],
	})
	part.Send(w, http.StatusOK, mediaType.Pass(c, lti.MediaTypeMembershipContainer), object)
}
