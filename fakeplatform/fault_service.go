package fakeplatform

import (
	"net/http"
	"slices"

	"invigilator.example/lti"
)

// serviceFaults are those of what a tool's server asks for: access tokens, and the
// Assessment Control Service (Proctoring Services 1.0, 5).
var serviceFaults = slices.Concat(
	acceptedFor("ap-acs-tool-request-form",
		stimulus{"acs-url-with-query", "sends an assessment_control_url with a query", func(d *draft) {
			if acs, ok := d.claims[lti.ClaimACS].(map[string]any); ok {
				address, _ := acs["assessment_control_url"].(string)
				set(d, lti.ClaimACS, "assessment_control_url", address+"?tenant=7&course=a%20b")
			}
		}},
	),
	[]Fault{{
		Name: "no-scope-granted", Provokes: "ap-acs-tool-request-form", Permitted: true,
		Does:   "grants access tokens without any scope, and takes no earlier ones",
		tokens: func(a *application) { a.scopes = nil },
		control: func(c *controlAnswer) {
			c.why = &refusal{http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token has been revoked"}
		},
	}},
	acceptedFor("ap-acs-tool-request-body",
		stimulus{"ids-with-punctuation", "sends sub and the id of resource_link with slashes, spaces and quotes", func(d *draft) {
			changed("sub", punctuated)(d)
			set(d, lti.ClaimResourceLink, "id", punctuated(d.plan.ResourceLink.ID))
		}},
	),
	answers("status-none", "says that the attempt has not begun", func(c *controlAnswer) { c.status = lti.None }),
	answers("status-running", "says that the attempt is running", func(c *controlAnswer) { c.status = lti.Running }),
	answers("status-paused", "says that the attempt is paused", func(c *controlAnswer) { c.status = lti.Paused }),
	answers("status-terminated", "says that the attempt is terminated", func(c *controlAnswer) { c.status = lti.Terminated }),
	answers("status-complete", "says that the attempt is complete", func(c *controlAnswer) { c.status = lti.Complete }),
	answers("401-once", "answers the first control request with 401", func(c *controlAnswer) {
		if c.first {
			c.why = &refusal{http.StatusUnauthorized, lti.ErrorInvalidToken, "the access token has been revoked"}
		}
	}),
	answers("404", "answers control requests with 404", func(c *controlAnswer) {
		c.why = &refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "there is no such attempt"}
	}),
	answers("500", "answers control requests with 500", func(c *controlAnswer) {
		c.why = &refusal{http.StatusInternalServerError, lti.ErrorInvalidRequest, "the service does not work"}
	}),
	answers("reset", "closes the connection on control requests", func(c *controlAnswer) { c.reset = true }),
	answers("with-everything", "answers control requests with members that nobody knows", func(c *controlAnswer) {
		c.body = map[string]any{"status": lti.Running, "extra_time": 5, "https://vendor.example/answer": deep, "none": nil, "text": long("ö ")}
	}),
	answers("of-other-types", "answers control requests with members of other types", func(c *controlAnswer) {
		c.body = map[string]any{"status": 1, "extra_time": "5"}
	}),
	answers("array", "answers control requests with an array", func(c *controlAnswer) { c.body = []any{"running"} }),
	answers("204", "answers control requests with 204 and no body", func(c *controlAnswer) { c.empty = true }),
)

func punctuated(id string) string { return id + `/a b'c"d+e%20f` }

// answers is an answer of the Assessment Control Service that a tool copes with.
func answers(name, does string, control func(*controlAnswer)) []Fault {
	return []Fault{{Name: "answer-" + name, Provokes: "ap-acs-tool-handles-answers", Permitted: true, Does: does, control: control}}
}
