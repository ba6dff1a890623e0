package namesroles

import (
	"fmt"
	"net/http"
	"slices"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

const ofTools = "nrps-tool-tolerant"

// VendorRole is one that no vocabulary has, and Markup a name that is markup; a page that
// takes it for that has an element of the id that it names.
const (
	VendorRole = "https://vendor.example/roles#Ombudsperson"
	Markup     = `Ω<b id="invigilator-markup">`
)

// inThrees sends three members at once.
var inThrees = size.Change(func(p paging) paging {
	p.size = min(p.size, 3)
	return p
})

// asks refuses requests that do not bring along what an address has in its query.
func asks(name, value string, when func(*request) bool) fault.Effect {
	return rules.Add(func(q *request) error {
		if when(q) && q.query.Get(name) != value {
			return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, fmt.Sprintf("the query has no %s=%s", name, value))
		}
		return nil
	})
}

// everySecond changes what is told of every second member.
func everySecond(change func(map[string]any)) fault.Effect {
	return all.Change(func(r roster) roster {
		for i, m := range r.members {
			if i%2 == 1 {
				change(m)
			}
		}
		return r
	})
}

// stimuli are what a tool has to cope with. Those that are about one member are about the
// last one.
var stimuli = []fault.Fault{
	{
		Name: "roster-of-three-pages", Provokes: ofTools, Permitted: true, Does: "sends three members at once", Effects: []fault.Effect{inThrees},
	}, {
		Name: "roster-next-with-query", Provokes: ofTools, Permitted: true, Does: "leads to a next page by a query, which has to be as it was",
		Effects: []fault.Effect{inThrees, next.Change(func(l link) link {
			if l.to != "" {
				l.to = fmt.Sprintf("%s/after/%d?bookmark=a%%2Fb%%2Bc%%3D", l.base, l.after)
			}
			return l
		}), asks("bookmark", "a/b+c=", func(q *request) bool { return q.after > 0 })},
	}, {
		Name: "roster-next-relative", Provokes: ofTools, Permitted: true, Does: "names the next page by its path alone",
		Effects: []fault.Effect{inThrees, next.Change(byPath)},
	}, {
		Name: "roster-page-empty", Provokes: ofTools, Permitted: true, Does: "sends a first page without members, which leads to the next",
		Effects: []fault.Effect{size.Change(func(p paging) paging {
			if p.of.isFirst() {
				p.size = 0
			}
			return p
		})},
	}, {
		Name: "roster-url-with-query", Provokes: ofTools, Permitted: true, Does: "names an address of the members whose query has to be as it was",
		Effects: []fault.Effect{claim.Change(func(c map[string]any) map[string]any {
			c["context_memberships_url"] = fmt.Sprint(c["context_memberships_url"], "?group=all%2Fx")
			return c
		}), asks("group", "all/x", func(q *request) bool { return q.after == 0 })},
	}, {
		Name: "roster-members-without-names", Provokes: ofTools, Permitted: true, Does: "tells of every second member the user_id and roles alone",
		Effects: []fault.Effect{everySecond(func(m map[string]any) {
			for name := range m {
				if name != "user_id" && name != "roles" {
					delete(m, name)
				}
			}
		})},
	}, {
		Name: "roster-members-without-status", Provokes: ofTools, Permitted: true, Does: "tells no status of members",
		Effects: []fault.Effect{member.Change(func(e entry) entry {
			delete(e.said, "status")
			return e
		})},
	}, {
		Name: "roster-member-inactive", Provokes: ofTools, Permitted: true, Does: "lists a member who is not active",
		Effects: []fault.Effect{all.Change(lastly(func(m map[string]any) { m["status"] = string(lti.MemberInactive) }))},
	}, {
		Name: "roster-member-deleted", Provokes: ofTools, Permitted: true, Does: "lists a member who has been deleted",
		Effects: []fault.Effect{all.Change(lastly(func(m map[string]any) { m["status"] = string(lti.MemberDeleted) }))},
	}, {
		Name: "roster-role-of-no-vocabulary", Provokes: ofTools, Permitted: true, Does: "lists a member who has a role of no vocabulary beside that of a learner",
		Effects: []fault.Effect{all.Change(lastly(func(m map[string]any) {
			roles, _ := m["roles"].([]string)
			m["roles"] = append([]string{VendorRole}, slices.Clone(roles)...)
		}))},
	}, {
		Name: "roster-members-unknown", Provokes: ofTools, Permitted: true, Does: "tells of members what no specification knows, and null where it knows nothing",
		Effects: []fault.Effect{everySecond(func(m map[string]any) {
			m["https://vendor.example/group"], m["picture"], m["email"] = map[string]any{"id": 7}, nil, nil
		})},
	}, {
		Name: "roster-name-with-markup", Provokes: ofTools, Permitted: true, Does: "lists a member whose name is markup",
		Effects: []fault.Effect{all.Change(lastly(func(m map[string]any) {
			if name, told := m["name"]; told {
				m["name"] = fmt.Sprint(Markup, " ", name)
			}
		}))},
	},
}
