package namesroles

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// defects are those that a platform can have, and what it may do.
var defects = slices.Concat(claimDefects, accessDefects, containerDefects, personalDefects, roleDefects, pagingDefects, linkDefects)

func claims(change func(map[string]any)) []fault.Effect {
	return []fault.Effect{claim.Change(func(c map[string]any) map[string]any {
		change(c)
		return c
	})}
}

var claimDefects = []fault.Fault{
	{
		Name: "names-memberships-by-path", Proves: "nrps-claim-shape",
		Does: "names the address of the members without scheme and host",
		Effects: claims(func(c map[string]any) {
			if u, err := url.Parse(fmt.Sprint(c["context_memberships_url"])); err == nil {
				c["context_memberships_url"] = u.RequestURI()
			}
		}),
	}, {
		Name: "leaves-memberships-url-out", Proves: "nrps-claim-shape",
		Does: "sends a claim of the members that has no address", Effects: claims(func(c map[string]any) { delete(c, "context_memberships_url") }),
	}, {
		Name: "leaves-membership-versions-out", Proves: "nrps-claim-shape",
		Does: "sends a claim of the members without service_versions", Effects: claims(func(c map[string]any) { delete(c, "service_versions") }),
	}, {
		Name: "sends-membership-versions-as-text", Proves: "nrps-claim-shape",
		Does: "sends service_versions as text", Effects: claims(func(c map[string]any) { c["service_versions"] = lti.NamesRolesVersion }),
	}, {
		Name: "offers-memberships-1", Proves: "nrps-claim-shape",
		Does: "says that the service has version 1.0", Effects: claims(func(c map[string]any) { c["service_versions"] = []string{"1.0"} }),
	}, {
		Name: "offers-two-membership-versions", Permitted: true,
		Does: "says that the service has version 1.0, too", Effects: claims(func(c map[string]any) { c["service_versions"] = []string{"1.0", lti.NamesRolesVersion} }),
	}, {
		Name: "names-memberships-with-query", Permitted: true,
		Does: "names an address of the members that has a query",
		Effects: claims(func(c map[string]any) {
			c["context_memberships_url"] = fmt.Sprint(c["context_memberships_url"], "?view=list")
		}),
	},
}

// refuses changes the refusals of a status.
func refuses(from, to int) []fault.Effect {
	return []fault.Effect{refused.Change(func(r part.Refusal) part.Refusal {
		if r.Status == from {
			r.Status = to
		}
		return r
	})}
}

// expired says whether a request has an access token that was a good one.
func expired(q *request) bool { return q.noToken != nil && q.token.ClientID != "" }

var accessDefects = []fault.Fault{
	{
		Name: "lists-members-without-token", Proves: "nrps-access", Does: "lists members where there is no access token",
		Effects: []fault.Effect{hasToken.Lift(func(q *request) bool { return q.Header.Get("Authorization") == "" })},
	}, {
		Name: "lists-members-with-expired-token", Proves: "nrps-access", Does: "lists members where the access token has expired",
		Effects: []fault.Effect{hasToken.Lift(expired)},
	}, {
		Name: "lists-members-with-any-scope", Proves: "nrps-access", Does: "lists members whatever the access token is for",
		Effects: []fault.Effect{hasScope.Lift(nil)},
	}, {
		Name: "lists-members-to-other-tools", Proves: "nrps-access", Does: "lists members to tools that are not available in the context",
		Effects: []fault.Effect{isToolsContext.Lift(nil)},
	}, {
		Name: "lists-members-by-post", Proves: "nrps-access", Does: "lists members by POST",
		Effects: []fault.Effect{isGet.Lift(func(q *request) bool { return q.Method == http.MethodPost })},
	}, {
		Name: "lists-members-of-no-context", Proves: "nrps-access", Does: "answers with an empty list for a context that there is not",
		Effects: []fault.Effect{isContext.Lift(nil)},
	}, {
		Name: "crashes-on-unknown-contexts", Proves: "nrps-access", Does: "answers with 500 for a context that there is not",
		Effects: []fault.Effect{refused.Change(func(r part.Refusal) part.Refusal {
			if r.Status == http.StatusNotFound && strings.Contains(r.Says, "no such context") {
				r.Status = http.StatusInternalServerError
			}
			return r
		})},
	}, {
		Name: "forbids-without-membership-token", Proves: "nrps-access",
		Does: "answers with 403 where there is no access token for members", Effects: refuses(http.StatusUnauthorized, http.StatusForbidden),
	}, {
		Name: "refuses-post-for-members-with-400", Proves: "nrps-access",
		Does: "answers with 400 where members are asked for by POST", Effects: refuses(http.StatusMethodNotAllowed, http.StatusBadRequest),
	}, {
		Name: "says-unauthorized-for-membership-scope", Proves: "nrps-access",
		Does: "answers with 401 where the access token is not for members",
		Effects: []fault.Effect{refused.Change(func(r part.Refusal) part.Refusal {
			if r.Code == lti.ErrorInsufficientScope {
				r.Status = http.StatusUnauthorized
			}
			return r
		})},
	}, {
		Name: "hides-contexts-from-other-tools", Permitted: true,
		Does: "answers with 404 where a tool is not available in the context",
		Effects: []fault.Effect{refused.Change(func(r part.Refusal) part.Refusal {
			if r.Status == http.StatusForbidden && r.Code == lti.ErrorInvalidRequest {
				r.Status = http.StatusNotFound
			}
			return r
		})},
	},
}

func contains(change func(map[string]any)) []fault.Effect {
	return []fault.Effect{container.Change(func(c map[string]any) map[string]any {
		change(c)
		return c
	})}
}

func says(change func(entry)) []fault.Effect {
	return []fault.Effect{member.Change(func(e entry) entry {
		change(e)
		return e
	})}
}

var containerDefects = []fault.Fault{
	{
		Name: "lists-members-as-json", Proves: "nrps-container", Does: "lists members as application/json",
		Effects: []fault.Effect{mediaType.Change(func(string) string { return "application/json" })},
	}, {
		Name: "lists-members-with-charset", Permitted: true, Does: "says that lists of members are in UTF-8, in capitals",
		Effects: []fault.Effect{mediaType.Change(func(t string) string { return strings.ToUpper(t) + ";charset=UTF-8" })},
	}, {
		Name: "leaves-membership-id-out", Proves: "nrps-container", Does: "sends a list of members without id",
		Effects: contains(func(c map[string]any) { delete(c, "id") }),
	}, {
		Name: "leaves-membership-context-out", Proves: "nrps-container", Does: "sends a list of members without context",
		Effects: contains(func(c map[string]any) { delete(c, "context") }),
	}, {
		Name: "names-context-of-members-by-label", Proves: "nrps-container", Does: "sends the label of the context for its id with lists of members",
		Effects: contains(func(c map[string]any) {
			if of, _ := c["context"].(map[string]any); of["label"] != nil {
				c["context"] = map[string]any{"id": of["label"]}
			}
		}),
	}, {
		Name: "sends-one-member-as-object", Proves: "nrps-container",
		Does: "sends an object instead of an array where there is one member",
		Effects: contains(func(c map[string]any) {
			if members, _ := c["members"].([]map[string]any); len(members) == 1 {
				c["members"] = members[0]
			}
		}),
	}, {
		Name: "leaves-user-id-out", Proves: "nrps-container", Does: "does not say the user_id of members",
		Effects: says(func(e entry) { delete(e.said, "user_id") }),
	}, {
		Name: "leaves-roles-out", Proves: "nrps-container", Does: "does not say the roles of members",
		Effects: says(func(e entry) { delete(e.said, "roles") }),
	}, {
		Name: "sends-roles-of-members-as-text", Proves: "nrps-container", Does: "sends the roles of a member as text",
		Effects: says(func(e entry) {
			roles, _ := e.said["roles"].([]string)
			e.said["roles"] = strings.Join(roles, ",")
		}),
	}, {
		Name: "sends-status-in-lower-case", Proves: "nrps-container", Does: "sends the status active",
		Effects: says(func(e entry) { e.said["status"] = "active" }),
	}, {
		Name: "lists-deleted-members", Proves: "nrps-container", Does: "sends the status Deleted in a list that is none of differences",
		Effects: []fault.Effect{all.Change(lastly(func(m map[string]any) { m["status"] = string(lti.MemberDeleted) }))},
	}, {
		Name: "says-no-status", Permitted: true, Does: "sends no status of members", Effects: says(func(e entry) { delete(e.said, "status") }),
	}, {
		Name: "lists-inactive-members", Permitted: true, Does: "lists a member who is not active",
		Effects: []fault.Effect{all.Change(lastly(func(m map[string]any) { m["status"] = string(lti.MemberInactive) }))},
	}, {
		Name: "says-more-of-members", Permitted: true, Does: "sends members of objects that no specification knows, a picture that launches do not have, and null where it knows no middle name",
		Effects: says(func(e entry) {
			e.said["https://vendor.example/group"], e.said["middle_name"] = map[string]any{"id": 7}, nil
			e.said["picture"] = "https://platform.example/pictures/7"
		}),
	}, {
		Name: "sends-roles-of-members-in-short", Permitted: true, Does: "sends the simple names of the members' roles in the context",
		Effects: says(func(e entry) {
			roles, _ := e.said["roles"].([]string)
			short := slices.Clone(roles)
			for i, role := range roles {
				short[i] = strings.TrimPrefix(role, lti.ContextRolePrefix)
			}
			e.said["roles"] = short
		}),
	},
}

// lastly changes what is told of the last of all members.
func lastly(change func(map[string]any)) func(roster) roster {
	return func(r roster) roster {
		if n := len(r.members); n > 0 {
			change(r.members[n-1])
		}
		return r
	}
}

var personalDefects = []fault.Fault{
	{
		Name: "gives-members-other-ids", Proves: "nrps-user-id-is-sub",
		Does: "sends a user_id of members that is not their sub", Effects: says(func(e entry) { e.said["user_id"] = fmt.Sprint("member-", e.said["user_id"]) }),
	}, {
		Name: "tells-withheld-names", Proves: "nrps-user-id-is-sub", Does: "tells the names of members where launches do not",
		Effects: says(func(e entry) { maps.Copy(e.said, personalIn(e.of.Withheld)) }),
	}, {
		Name: "tells-withheld-emails", Proves: "nrps-user-id-is-sub", Does: "tells the email of members where launches do not",
		Effects: says(func(e entry) {
			if email := e.of.Withheld["email"]; email != nil {
				e.said["email"] = email
			}
		}),
	}, {
		Name: "mixes-names-of-members", Proves: "nrps-user-id-is-sub", Does: "tells everybody's name of a member alike",
		Effects: says(func(e entry) {
			if e.said["name"] != nil {
				e.said["name"] = "Somebody"
			}
		}),
	}, {
		Name: "withholds-names-of-members", Proves: "nrps-user-id-is-sub", Does: "tells no names of members, though launches do",
		Effects: says(func(e entry) {
			for _, name := range personal {
				delete(e.said, name)
			}
		}),
	},
}

func isSimple(m match) bool { return !strings.Contains(m.role, ":") }

// isKnown says whether a role is one of the context that people have.
func isKnown(role string) bool {
	return slices.Contains([]string{lti.RoleLearner, lti.RoleInstructor, lti.ContextRolePrefix + "Mentor"}, whole(role))
}

var roleDefects = []fault.Fault{
	{
		Name: "ignores-role", Proves: "nrps-role-filter", Does: "lists all members whatever role is asked for",
		Effects: []fault.Effect{matches.Take(true, nil)},
	}, {
		Name: "knows-no-simple-roles", Proves: "nrps-role-filter", Does: "knows no role by its simple name",
		Effects: []fault.Effect{matches.Take(false, isSimple)},
	}, {
		Name: "knows-simple-roles-alone", Proves: "nrps-role-filter", Does: "knows no role by its URI",
		Effects: []fault.Effect{matches.Take(false, func(m match) bool { return !isSimple(m) })},
	}, {
		Name: "lists-all-for-unknown-roles", Proves: "nrps-role-filter", Does: "lists all members where it does not know the role that is asked for",
		Effects: []fault.Effect{matches.Take(true, func(m match) bool { return !isKnown(m.role) })},
	}, {
		Name: "takes-roles-of-institution-for-those-of-context", Proves: "nrps-role-filter",
		Does: "lists who has a role of that name in the institution alone",
		Effects: []fault.Effect{matches.Take(true, func(m match) bool {
			return slices.ContainsFunc(m.roles, func(has string) bool {
				_, name, _ := strings.Cut(whole(m.role), "#")
				return strings.HasSuffix(has, "/institution/person#"+name)
			})
		})},
	}, {
		Name: "forgets-role-on-next-page", Proves: "nrps-role-filter", Does: "leads to a next page of all members, whatever role is asked for",
		Effects: []fault.Effect{next.Change(func(l link) link {
			if u, err := url.Parse(l.to); err == nil && l.of.query.Has(paramRole) && l.to != "" {
				query := u.Query()
				query.Del(paramRole)
				u.RawQuery = query.Encode()
				l.to = u.String()
			}
			return l
		})},
	}, {
		Name: "crashes-on-unknown-roles", Proves: "nrps-role-filter", Does: "answers with 500 where it does not know the role that is asked for",
		Effects: []fault.Effect{rules.Add(func(q *request) error {
			if q.query.Has(paramRole) && !isKnown(q.query.Get(paramRole)) {
				return errors.New("null")
			}
			return nil
		})},
	}, {
		Name: "refuses-unknown-roles", Proves: "nrps-role-filter", Does: "answers with 400 where it does not know the role that is asked for",
		Effects: []fault.Effect{rules.Add(func(q *request) error {
			if q.query.Has(paramRole) && !isKnown(q.query.Get(paramRole)) {
				return part.InvalidRequest("there is no such role")
			}
			return nil
		})},
	}, {
		Name: "sends-null-for-no-members", Proves: "nrps-role-filter", Does: "sends null instead of an array where nobody has the role",
		Effects: contains(func(c map[string]any) {
			if members, _ := c["members"].([]map[string]any); len(members) == 0 {
				c["members"] = nil
			}
		}),
	},
}

// isOdd says whether a limit is none that a list can have.
func isOdd(q *request) bool {
	limit := q.query.Get(paramLimit)
	return q.query.Has(paramLimit) && (limit == "" || strings.Trim(limit, "0123456789") != "" || strings.Trim(limit, "0") == "")
}

// goesOnAfter changes how many members were sent before the next page.
func goesOnAfter(change int) []fault.Effect {
	return []fault.Effect{next.Change(func(l link) link {
		if l.to != "" {
			l.to = strings.Replace(l.to, fmt.Sprintf("/after/%d", l.after), fmt.Sprintf("/after/%d", l.after+change), 1)
		}
		return l
	})}
}

var pagingDefects = []fault.Fault{
	{
		Name: "ends-list-of-members-at-limit", Proves: "nrps-paging", Does: "does not say that a list of members goes on",
		Effects: []fault.Effect{next.Change(func(l link) link {
			l.to = ""
			return l
		})},
	}, {
		Name: "repeats-members-on-next-page", Proves: "nrps-paging", Does: "begins the next page with the last member of the one before",
		Effects: goesOnAfter(-1),
	}, {
		Name: "loses-members-between-pages", Proves: "nrps-paging", Does: "leaves a member out between two pages",
		Effects: goesOnAfter(1),
	}, {
		Name: "crashes-on-odd-limits", Proves: "nrps-paging", Does: "answers with 500 where limit is 0 or no number",
		Effects: []fault.Effect{rules.Add(func(q *request) error {
			if isOdd(q) {
				return errors.New("null")
			}
			return nil
		})},
	}, {
		Name: "sends-no-members-for-limit-0", Proves: "nrps-paging", Does: "sends no members, and none after them, where limit is 0",
		Effects: []fault.Effect{
			size.Change(func(p paging) paging {
				if p.limit == "0" {
					p.size = 0
				}
				return p
			}),
			next.Change(func(l link) link {
				if l.of.query.Get(paramLimit) == "0" {
					l.to = ""
				}
				return l
			}),
		},
	}, {
		Name: "refuses-odd-membership-limits", Permitted: true, Does: "answers with 400 where limit is 0 or no number",
		Effects: []fault.Effect{rules.Add(func(q *request) error {
			if isOdd(q) {
				return part.InvalidRequest("limit is no number above 0")
			}
			return nil
		})},
	}, {
		Name: "ignores-membership-limit", Permitted: true, Does: "sends as many members as it likes, whatever limit is",
		Effects: []fault.Effect{size.Change(func(p paging) paging {
			p.size = pageSize
			return p
		})},
	}, {
		Name: "sends-two-members-at-once", Permitted: true, Does: "sends two members at once, whatever limit is",
		Effects: []fault.Effect{size.Change(func(p paging) paging {
			p.size = 2
			return p
		})},
	}, {
		Name: "leads-to-pages-of-members-by-path", Permitted: true, Does: "names the next page of members by its path alone",
		Effects: []fault.Effect{next.Change(byPath)},
	}, {
		Name: "ends-with-empty-page-of-members", Permitted: true, Does: "leads to a last page that has no members",
		Effects: []fault.Effect{next.Change(func(l link) link {
			if l.to == "" && l.of.after < l.after {
				l.to = fmt.Sprintf("%s/after/%d", l.base, l.after)
				if l.of.URL.RawQuery != "" {
					l.to += "?" + l.of.URL.RawQuery
				}
			}
			return l
		})},
	},
}

// byPath names the next page by its path (RFC 8288, 3.1: a reference may be relative).
func byPath(l link) link {
	if u, err := url.Parse(l.to); err == nil && l.to != "" {
		l.to = u.RequestURI()
	}
	return l
}

func tells(change func(message) any) []fault.Effect {
	return []fault.Effect{messages.Change(func(m message) message {
		m.said = change(m)
		return m
	})}
}

// first is the first message of a member, of which a change leaves the honest one alone.
func first(m message) map[string]any {
	said, _ := m.said.([]any)
	if len(said) == 0 {
		return map[string]any{}
	}
	one, _ := said[0].(map[string]any)
	return maps.Clone(one)
}

// ofUser changes the custom parameters of a message that say who the member is.
func ofUser(instead string) []fault.Effect {
	return tells(func(m message) any {
		one := first(m)
		custom, _ := one[lti.ClaimCustom].(map[string]any)
		changed := maps.Clone(custom)
		for name, value := range custom {
			if value == m.of["sub"] {
				changed[name] = instead
			}
		}
		if custom != nil {
			one[lti.ClaimCustom] = changed
		}
		return []any{one}
	})
}

var linkDefects = []fault.Fault{
	{
		Name: "lists-members-of-unknown-links", Proves: "nrps-resource-link-membership", Does: "lists the members of the context where it does not know the resource link",
		Effects: []fault.Effect{isToolsLink.Lift(func(q *request) bool { return !q.others })},
	}, {
		Name: "lists-members-of-other-tools-links", Proves: "nrps-resource-link-membership", Does: "lists the members of the context where the resource link is another tool's",
		Effects: []fault.Effect{isToolsLink.Lift(func(q *request) bool { return q.others })},
	}, {
		Name: "says-bad-request-for-unknown-links", Proves: "nrps-resource-link-membership", Does: "answers with 400 where it does not know the resource link",
		Effects: []fault.Effect{refused.Change(func(r part.Refusal) part.Refusal {
			if r.Status == http.StatusNotFound && strings.Contains(r.Says, "resource link") {
				r.Status = http.StatusBadRequest
			}
			return r
		})},
	}, {
		Name: "leaves-message-section-out", Proves: "nrps-resource-link-membership", Does: "sends no message section with the members of a resource link",
		Effects: says(func(e entry) { delete(e.said, "message") }),
	}, {
		Name: "sends-message-section-as-object", Proves: "nrps-resource-link-membership", Does: "sends a message section that is no array",
		Effects: tells(func(m message) any { return first(m) }),
	}, {
		Name: "leaves-message-type-out-of-section", Proves: "nrps-resource-link-membership", Does: "sends a message section that does not say the message type",
		Effects: tells(func(m message) any {
			one := first(m)
			delete(one, lti.ClaimMessageType)
			return []any{one}
		}),
	}, {
		Name: "leaves-variables-in-message-section", Proves: "nrps-resource-link-membership", Does: "does not substitute what says who a member is in a message section",
		Effects: ofUser("$User.id"),
	}, {
		Name: "sends-one-message-section-for-all", Proves: "nrps-resource-link-membership", Does: "sends the custom parameters of one member in the message section of all",
		Effects: ofUser("somebody"),
	}, {
		Name: "says-more-in-message-section", Permitted: true, Does: "sends further claims in a message section",
		Effects: tells(func(m message) any {
			one := first(m)
			one["locale"], one["https://vendor.example/login"] = "en", "ada"
			return []any{one}
		}),
	},
}
