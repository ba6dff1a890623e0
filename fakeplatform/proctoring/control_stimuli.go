package proctoring

import (
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// controlStimuli are those of the Assessment Control Service (Proctoring Services 1.0, 5).
var controlStimuli = slices.Concat(
	saying.Accepted("ap-acs-tool-request-form", proctored,
		saying.Case("acs-url-with-query", "sends an assessment_control_url with a query", controlURL(func(address string) string {
			return address + "?tenant=7&course=a%20b"
		})),
	),
	[]fault.Fault{{
		Name: "no-scope-granted", Provokes: "ap-acs-tool-request-form", Permitted: true,
		Does: "grants access tokens without any scope, and takes no earlier ones",
		Effects: []fault.Effect{part.Granted.Change(func(g part.Grant) part.Grant {
			g.Scopes = nil
			return g
		}), serves(func(c *controlAnswer) { c.why = revoked })},
	}},
	saying.Accepted("ap-acs-tool-request-body", proctored,
		saying.Case("ids-with-punctuation", "sends sub and the id of resource_link with slashes, spaces and quotes", func(d *part.Saying) {
			saying.Changed("sub", punctuated)(d)
			set(d, lti.ClaimResourceLink, "id", punctuated(d.Plan.ResourceLink))
		}),
	),
	answers("status-none", "says that the attempt has not begun", func(c *controlAnswer) { c.status = lti.None }),
	answers("status-running", "says that the attempt is running", func(c *controlAnswer) { c.status = lti.Running }),
	answers("status-paused", "says that the attempt is paused", func(c *controlAnswer) { c.status = lti.Paused }),
	answers("status-terminated", "says that the attempt is terminated", func(c *controlAnswer) { c.status = lti.Terminated }),
	answers("status-complete", "says that the attempt is complete", func(c *controlAnswer) { c.status = lti.Complete }),
	answers("401-once", "answers the first control request with 401", func(c *controlAnswer) {
		if c.first {
			c.why = revoked
		}
	}),
	answers("404", "answers control requests with 404", func(c *controlAnswer) {
		c.why = &part.Refusal{Status: http.StatusNotFound, Code: lti.ErrorInvalidRequest, Says: "there is no such attempt"}
	}),
	answers("500", "answers control requests with 500", func(c *controlAnswer) {
		c.why = &part.Refusal{Status: http.StatusInternalServerError, Code: lti.ErrorInvalidRequest, Says: "the service does not work"}
	}),
	answers("reset", "closes the connection on control requests", func(c *controlAnswer) { c.reset = true }),
	answers("with-everything", "answers control requests with members that nobody knows", func(c *controlAnswer) {
		c.body = map[string]any{
			"status": lti.Running, "extra_time": 5, "https://vendor.example/answer": map[string]any{"weights": []any{1, 2.5, nil, map[string]any{"a": []any{true, []any{}}}}},
			"none": nil, "text": strings.Repeat("ö ", 100),
		}
	}),
	answers("of-other-types", "answers control requests with members of other types", func(c *controlAnswer) {
		c.body = map[string]any{"status": 1, "extra_time": "5"}
	}),
	answers("array", "answers control requests with an array", func(c *controlAnswer) { c.body = []any{"running"} }),
	answers("204", "answers control requests with 204 and no body", func(c *controlAnswer) { c.empty = true }),
)

func punctuated(id string) string { return id + `/a b'c"d+e%20f` }

// revoked is why an access token is not taken any more.
var revoked = &part.Refusal{Status: http.StatusUnauthorized, Code: lti.ErrorInvalidToken, Says: "the access token has been revoked"}

// serves changes how a control request is answered.
func serves(change func(*controlAnswer)) fault.Effect {
	return controlServed.Change(func(c controlAnswer) controlAnswer {
		change(&c)
		return c
	})
}

// answers is an answer of the Assessment Control Service that a tool copes with.
func answers(name, does string, control func(*controlAnswer)) []fault.Fault {
	return []fault.Fault{{Name: "answer-" + name, Provokes: "ap-acs-tool-handles-answers", Permitted: true, Does: does, Effects: []fault.Effect{serves(control)}}}
}
