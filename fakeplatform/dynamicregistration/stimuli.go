package dynamicregistration

import (
	"io"
	"net/http"
	"net/url"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// ConfigurationQuery is the query of the openid_configuration of the stimulus that has one.
const ConfigurationQuery = "tenant=7&from=registration"

// says changes what the configuration says.
func says(change func(configuration) configuration) []fault.Effect {
	return []fault.Effect{configurationSaid.ChangeWhen(always[configuration], change)}
}

// answers changes what a registration is answered with.
func answers(change func(answer) answer) []fault.Effect {
	return []fault.Effect{answered.ChangeWhen(always[answer], change)}
}

// refuses answers a registration with an error.
func refuses(status int, members map[string]any) []fault.Effect {
	return answers(func(a answer) answer {
		a.status, a.members = status, members
		return a
	})
}

// grants answers it with less than was asked for, and with more than the specification names.
func grants(status int) []fault.Effect {
	return answers(func(a answer) answer {
		if a.status >= http.StatusBadRequest {
			return a
		}
		a.status = status
		tool := toolIn(a.members)
		tool["messages"] = []any{map[string]any{"type": lti.ResourceLinkRequest}}
		tool["https://vendor.example/site"] = 7
		a.members["scope"], a.members["client_id_issued_at"], a.members["https://vendor.example/plan"] = "", 1, "school"
		return a
	})
}

func always[T any](T) bool { return true }

// elsewhere is the address of the same kind at another host.
func elsewhere(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Host = "registered-platform.example"
	return u.String()
}

// stimuli are what tools have to cope with, or to refuse, while they register.
var stimuli = []fault.Fault{
	{
		Name: "without-registration-token", Provokes: "dr-tool-registration-request", Permitted: true, Does: "gives no registration_token",
		Effects: []fault.Effect{sent.Change(func(i invited) invited {
			i.token = ""
			return i
		})},
	},
	{
		Name: "configuration-url-with-query", Provokes: "dr-tool-registration-request", Permitted: true, Does: "sends an openid_configuration with a query",
		Effects: []fault.Effect{sent.Change(func(i invited) invited {
			i.configuration += "?" + ConfigurationQuery
			return i
		})},
	},

	{
		Name: "issuer-on-other-host", Provokes: "dr-tool-configuration-checked", Does: "says in its configuration that it is a platform on another host",
		Effects: says(func(c configuration) configuration {
			c.members["issuer"] = elsewhere(c.Core().Issuer())
			return c
		}),
	},
	{
		Name: "registration-endpoint-missing", Provokes: "dr-tool-configuration-checked", Does: "leaves registration_endpoint out of its configuration",
		Effects: says(func(c configuration) configuration {
			delete(c.members, "registration_endpoint")
			return c
		}),
	},
	{
		Name: "configuration-not-json", Provokes: "dr-tool-configuration-checked", Does: "answers with a page instead of its configuration",
		Effects: says(func(c configuration) configuration {
			c.instead = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in</title><p>Please sign in.</p>")
			}
			return c
		}),
	},
	{
		Name: "configuration-500", Provokes: "dr-tool-configuration-checked", Does: "answers with an error instead of its configuration",
		Effects: says(func(c configuration) configuration {
			members := c.members
			c.instead = func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusInternalServerError, members) }
			return c
		}),
	},

	{Name: "response-200", Provokes: "dr-tool-uses-response", Permitted: true, Does: "grants fewer scopes and messages than were asked for, with status 200", Effects: grants(http.StatusOK)},
	{Name: "response-201", Provokes: "dr-tool-uses-response", Permitted: true, Does: "grants fewer scopes and messages than were asked for, with status 201", Effects: grants(http.StatusCreated)},

	{Name: "refused-400", Provokes: "dr-tool-registration-refused", Does: "refuses the registration with invalid_client_metadata", Effects: refuses(http.StatusBadRequest, map[string]any{"error": lti.ErrorInvalidClientMetadata, "error_description": "This tool is not welcome here."})},
	{Name: "refused-401", Provokes: "dr-tool-registration-refused", Does: "refuses the registration_token", Effects: refuses(http.StatusUnauthorized, map[string]any{"error": lti.ErrorInvalidToken})},
	{
		Name: "refused-500", Provokes: "dr-tool-registration-refused", Does: "answers the registration with what it would grant, and the status of a server error",
		Effects: answers(func(a answer) answer {
			a.status = http.StatusInternalServerError
			return a
		}),
	},
	{
		Name: "client-id-missing", Provokes: "dr-tool-registration-refused", Does: "answers the registration with status 200 and no client_id",
		Effects: answers(func(a answer) answer {
			delete(a.members, "client_id")
			return a
		}),
	},
}
