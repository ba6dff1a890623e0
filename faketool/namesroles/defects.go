package namesroles

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// asks changes the requests for members.
func asks(change func(*request)) []fault.Effect {
	return []fault.Effect{requests.Change(func(r request) request {
		change(&r)
		return r
	})}
}

// withQuery adds to the query of the address that the launch names.
func withQuery(name string, value func(request) string) []fault.Effect {
	return asks(func(r *request) {
		if u, err := url.Parse(r.URL); err == nil && r.first {
			separator := "?"
			if u.RawQuery != "" {
				separator = "&"
			}
			r.URL += separator + url.Values{name: {value(*r)}}.Encode()
		}
	})
}

func withoutQuery(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path
}

// reads stops where a page is the last that is read.
func reads(last func(progress) bool) []fault.Effect {
	return []fault.Effect{goesOn.Take(false, last)}
}

// dies breaks down at a member.
func dies(of func(member) bool) []fault.Effect {
	return []fault.Effect{members.Add(func(m member) error {
		if of(m) {
			return part.Crash{}
		}
		return nil
	})}
}

// shows changes what is shown of a member.
func shows(change func(*row)) []fault.Effect {
	return []fault.Effect{rows.Change(func(r row) row {
		change(&r)
		return r
	})}
}

// asActive shows members of a status as if they were active.
func asActive(status lti.MembershipStatus) []fault.Effect {
	return shows(func(r *row) {
		if r.of.text("status") == string(status) {
			r.Note, r.Hidden = "", false
		}
	})
}

// hasUnknownRole says whether a member has a role that no vocabulary has.
func hasUnknownRole(m member) bool {
	return slices.ContainsFunc(m.roles(), func(role string) bool {
		return strings.Contains(role, "://") && !strings.HasPrefix(role, "http://purl.imsglobal.org/vocab/")
	})
}

var defects = []fault.Fault{
	{Name: "asks-for-members-as-json", Proves: "nrps-tool-tolerant", Does: "asks for members as application/json", Effects: asks(func(r *request) { r.Accept = "application/json" })},
	{Name: "asks-for-members-without-accept", Proves: "nrps-tool-tolerant", Does: "does not say what it accepts where it asks for members", Effects: asks(func(r *request) { r.Accept = "" })},
	{Name: "asks-for-members-with-other-scope", Proves: "nrps-tool-tolerant", Does: "asks for members with an access token for line items", Effects: asks(func(r *request) { r.scope = lti.ScopeLineItem })},
	{Name: "reads-first-page-of-members", Proves: "nrps-tool-tolerant", Does: "reads the first page of a list of members alone", Effects: reads(func(p progress) bool { return p.pages == 1 })},
	{Name: "reads-two-pages-of-members", Proves: "nrps-tool-tolerant", Does: "reads two pages of a list of members at most", Effects: reads(func(p progress) bool { return p.pages == 2 })},
	{Name: "stops-at-empty-page-of-members", Proves: "nrps-tool-tolerant", Does: "takes an empty page for the end of a list of members", Effects: reads(func(p progress) bool { return p.found == 0 })},
	{Name: "needs-whole-address-of-next-page", Proves: "nrps-tool-tolerant", Does: "does not follow a link to the next page that is relative", Effects: reads(func(p progress) bool { return strings.HasPrefix(p.said, "</") })},
	{Name: "drops-query-of-members-url", Proves: "nrps-tool-tolerant", Does: "asks for members without the query of the address that the launch names", Effects: asks(func(r *request) {
		if r.first {
			r.URL = withoutQuery(r.URL)
		}
	})},
	{Name: "drops-query-of-next-page", Proves: "nrps-tool-tolerant", Does: "asks for the next page of members without the query of its address", Effects: asks(func(r *request) {
		if !r.first {
			r.URL = withoutQuery(r.URL)
		}
	})},
	{Name: "decodes-query-of-next-page", Proves: "nrps-tool-tolerant", Does: "decodes the query of the address of the next page", Effects: asks(func(r *request) {
		if query, err := url.QueryUnescape(strings.TrimPrefix(r.URL, withoutQuery(r.URL))); err == nil && !r.first {
			r.URL = withoutQuery(r.URL) + query
		}
	})},
	{Name: "dies-of-members-without-names", Proves: "nrps-tool-tolerant", Does: "dies of a member of whom it is told no name", Effects: dies(func(m member) bool { return m.text("name") == "" })},
	{Name: "needs-emails-of-members", Proves: "nrps-tool-tolerant", Does: "reads no list with a member of whom it is told no email", Effects: []fault.Effect{members.Add(func(m member) error {
		if _, told := m["email"]; !told {
			return fmt.Errorf("the platform tells no email of %q", m.text("user_id"))
		}
		return nil
	})}},
	{Name: "dies-of-null-in-members", Proves: "nrps-tool-tolerant", Does: "dies of a member of whom it is told null", Effects: dies(func(m member) bool {
		for _, value := range m {
			if value == nil {
				return true
			}
		}
		return false
	})},
	{Name: "dies-of-unknown-roles-of-members", Proves: "nrps-tool-tolerant", Does: "dies of a member with a role that it does not know", Effects: dies(hasUnknownRole)},
	{Name: "leaves-members-of-unknown-roles-out", Proves: "nrps-tool-tolerant", Does: "leaves out a member who has a role that it does not know", Effects: []fault.Effect{counted.Take(false, hasUnknownRole)}},
	{Name: "shows-inactive-members-as-active", Proves: "nrps-tool-tolerant", Does: "shows a member who is not active as if the member were", Effects: asActive(lti.MemberInactive)},
	{Name: "shows-deleted-members-as-active", Proves: "nrps-tool-tolerant", Does: "shows a member who has been deleted as if the member had not", Effects: asActive(lti.MemberDeleted)},
	{Name: "shows-names-of-members-unescaped", Proves: "nrps-tool-tolerant", Does: "takes the name of a member for markup", Effects: shows(func(r *row) {
		if name, ok := r.Name.(string); ok && template.HTMLEscapeString(name) != name {
			r.Name = template.HTML(name)
		}
	})},
	{Name: "needs-status-of-members", Proves: "nrps-tool-tolerant", Does: "takes a member without status for one who is not active, and leaves out who is not", Effects: shows(func(r *row) {
		r.Hidden = r.of.text("status") != string(lti.MemberActive)
	})},
	{Name: "asks-for-two-members-at-once", Permitted: true, Does: "asks for two members at once", Effects: withQuery("limit", func(request) string { return "2" })},
	{Name: "asks-for-learners-alone", Permitted: true, Does: "asks for learners alone", Effects: withQuery("role", func(request) string { return "Learner" })},
	{Name: "asks-for-members-of-link", Permitted: true, Does: "asks for the members who have access to the resource link", Effects: withQuery("rlid", func(r request) string {
		link, _ := r.launch.Claims[lti.ClaimResourceLink].(map[string]any)
		return fmt.Sprint(link["id"])
	})},
	{Name: "leaves-inactive-members-out", Permitted: true, Does: "does not show who is not active", Effects: shows(func(r *row) { r.Hidden = r.Hidden || r.Note != "" })},
	{Name: "shows-members-by-id", Permitted: true, Does: "shows the user_id of members alone", Effects: shows(func(r *row) { r.Name = r.of.text("user_id") })},
}
