package namesroles

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// service is what the service is called in reports.
const service = "membership service"

// An offer is what a launch offers of the service.
type offer struct {
	launch *harness.PlatformFlow
	url    string
}

// contextID is the id of the context of the launch.
func (o offer) contextID() string {
	id, _ := o.launch.Message().Object(lti.ClaimContext)["id"].(string)
	return id
}

// link is the id of the resource link of the launch.
func (o offer) link() string {
	id, _ := o.launch.Message().Object(lti.ClaimResourceLink)["id"].(string)
	return id
}

// offered makes a launch that has to work, and reads what it offers. The error is
// [harness.ErrNoLaunch] where it offers nothing.
func offered(ctx context.Context, scene *harness.PlatformScenario, l harness.PlatformLaunch) (offer, error) {
	if err := scene.Run().MayTry(profile); err != nil {
		return offer{}, err
	}
	flow, err := scene.Control(ctx, l)
	if err != nil {
		return offer{launch: flow}, err
	}
	o := offer{launch: flow}
	o.url, _ = flow.Message().Object(lti.ClaimNamesRoles)["context_memberships_url"].(string)
	if o.url == "" {
		return o, fmt.Errorf("%w: it offers no %s", harness.ErrNoLaunch, service)
	}
	scene.Offers(o.url)
	return o, nil
}

// request is a valid one for members, with a query such as limit=1.
func (o offer) request(title, query string) harness.ServiceRequest {
	return harness.ServiceRequest{Title: title, Service: service, Scopes: []string{lti.ScopeMembership}, ServiceRequest: faketool.ServiceRequest{
		URL: harness.WithQuery(o.url, query), Accept: lti.MediaTypeMembershipContainer,
	}}
}

// A roster is a list of members, all of its pages together.
type roster struct {
	members []harness.Members
	flows   []*harness.PlatformFlow // of the pages
	// wrong says why it cannot be read to its end; empty where it can.
	wrong string
}

// maxPages bounds how many pages of a list are read.
const maxPages = 60

// list reads a list with all of its pages, as far as nothing is wrong with them.
func (o offer) list(ctx context.Context, scene *harness.PlatformScenario, title, query string) (*roster, error) {
	r := &roster{}
	seen := map[string]bool{}
	q := o.request(title, query)
	for q.URL != "" {
		switch {
		case seen[q.URL]:
			r.wrong = "the link to the next page leads to one that came before"
			return r, nil
		case len(seen) > 0 && !scene.IsOffered(q.URL):
			r.wrong = "the link to the next page leads elsewhere: " + results.Bounded(q.URL, 300)
			return r, nil
		case len(seen) >= maxPages:
			return r, fmt.Errorf("%w: the list has more pages than the %d that are read", harness.ErrNoLaunch, maxPages)
		}
		seen[q.URL] = true
		flow, err := scene.Ask(ctx, q)
		if err != nil {
			return r, err
		}
		r.flows = append(r.flows, flow)
		page, wrong := membersOf(flow)
		if wrong != "" {
			r.wrong = wrong
			return r, nil
		}
		r.members = append(r.members, page...)
		q.URL, _ = faketool.NextPage(flow.Exchange.Header, q.URL)
	}
	return r, nil
}

// whole is a list that has to be read to its end: the error is [harness.ErrNoLaunch] where
// it cannot be.
func (o offer) whole(ctx context.Context, scene *harness.PlatformScenario, title, query string) (*roster, error) {
	r, err := o.list(ctx, scene, title, query)
	if err == nil && r.wrong != "" {
		err = fmt.Errorf("%w: the list of members cannot be read: %s", harness.ErrNoLaunch, r.wrong)
	}
	return r, err
}

// membersOf are the members on a page, and what keeps them from being read.
func membersOf(f *harness.PlatformFlow) ([]harness.Members, string) {
	var container struct{ Members json.RawMessage }
	if f.Exchange.Status != http.StatusOK {
		return nil, f.Reply()
	}
	if err := json.Unmarshal(f.Exchange.Body, &container); err != nil {
		return nil, "the answer is no object: " + f.Reply()
	}
	var members []harness.Members
	if err := json.Unmarshal(container.Members, &members); err != nil || members == nil {
		return nil, "members is no array of objects: " + results.Bounded(string(container.Members), 200)
	}
	if slices.ContainsFunc(members, func(m harness.Members) bool { return m == nil }) {
		return nil, "members has null"
	}
	return members, ""
}

func idOf(m harness.Members) string {
	id, _ := m["user_id"].(string)
	return id
}

// rolesOf are the roles of a member, and false where they cannot be read.
func rolesOf(m harness.Members) (roles []string, ok bool) {
	listed, ok := m["roles"].([]any)
	for _, role := range listed {
		text, is := role.(string)
		roles, ok = append(roles, text), ok && is
	}
	return roles, ok
}

// of is the member of a user; nil where there is none.
func (r *roster) of(sub string) harness.Members {
	i := slices.IndexFunc(r.members, func(m harness.Members) bool { return idOf(m) == sub })
	if i < 0 {
		return nil
	}
	return r.members[i]
}

// ids are those of the members, in their order.
func (r *roster) ids() []string {
	var ids []string
	for _, m := range r.members {
		ids = append(ids, idOf(m))
	}
	return ids
}

// unread says why nothing can be made of who the members are and what they are there for.
func (r *roster) unread() error {
	for _, m := range r.members {
		if idOf(m) == "" {
			return fmt.Errorf("%w: a member has no user_id", harness.ErrNoLaunch)
		}
	}
	return nil
}

// difference says how a list differs from the one that it has to be, whatever its order.
func difference(got *roster, want []string) string {
	seen := map[string]bool{}
	for _, id := range got.ids() {
		switch {
		case seen[id]:
			return fmt.Sprintf("the member %s comes twice", lti.Wire(id))
		case !slices.Contains(want, id):
			return fmt.Sprintf("the member %s is listed, who does not belong there", lti.Wire(id))
		}
		seen[id] = true
	}
	for _, id := range want {
		if !seen[id] {
			return fmt.Sprintf("the member %s is missing: %d of %d came", lti.Wire(id), len(seen), len(want))
		}
	}
	return ""
}

// statuses are those of members in a list that is none of differences.
var statuses = []any{nil, string(lti.MemberActive), string(lti.MemberInactive)}

// contextRoles are the simple names of the roles in a context (LTI Core 1.3, A.2.3).
var contextRoles = strings.Fields("Administrator ContentDeveloper Instructor Learner Mentor Manager Member Officer")

// wrongContainer says what is wrong with a page ("Membership container media type",
// "Sharing of personal data" and "Membership status"), and what is only unusual.
func wrongContainer(f *harness.PlatformFlow, contextID string) (wrong, odd string) {
	kind, _, err := mime.ParseMediaType(f.Exchange.Header.Get("Content-Type"))
	if err != nil || kind != lti.MediaTypeMembershipContainer {
		return fmt.Sprintf("the media type is %q", results.Bounded(f.Exchange.ContentType, 200)), ""
	}
	members, unreadable := membersOf(f)
	if unreadable != "" {
		return unreadable, ""
	}
	said := f.Said()
	if id, _ := said["id"].(string); id == "" {
		return "id is " + lti.Wire(said["id"]), ""
	}
	of, _ := said["context"].(map[string]any)
	if id, _ := of["id"].(string); id != contextID {
		return fmt.Sprintf("context.id is %s instead of %s, the one of the launch", lti.Wire(of["id"]), lti.Wire(contextID)), ""
	}
	for _, m := range members {
		who, _ := m["user_id"].(string)
		roles, ok := rolesOf(m)
		status, told := m["status"]
		switch {
		case who == "":
			return "user_id of a member is " + lti.Wire(m["user_id"]), ""
		case !ok:
			return "roles of a member is " + lti.Wire(m["roles"]), ""
		case told && !slices.Contains(statuses[1:], status):
			return "status of a member is " + lti.Wire(status), ""
		case len(roles) == 0:
			odd = fmt.Sprintf("The member %s has no role.", lti.Wire(who))
		}
		for _, role := range roles {
			if !strings.Contains(role, ":") && !slices.Contains(contextRoles, role) {
				return fmt.Sprintf("a role is %s, which is neither a URI nor the name of a role in contexts", lti.Wire(role)), ""
			}
		}
	}
	return "", odd
}

// has says whether somebody with these roles has a role of the context, by its URI or its
// simple name; may, whether a filter may take a sub-role for it.
func has(roles []string, name string) (is, may bool) {
	is = slices.Contains(roles, name) || slices.Contains(roles, lti.ContextRolePrefix+name)
	sub := strings.TrimSuffix(lti.ContextRolePrefix, "#") + "/" + name + "#"
	return is, is || slices.ContainsFunc(roles, func(role string) bool { return strings.HasPrefix(role, sub) })
}
