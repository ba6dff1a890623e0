package dynamicregistration

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// registers changes how the tool registers itself.
func registers(change func(*request)) []fault.Effect {
	return []fault.Effect{requestSaid.Change(func(q request) request {
		change(&q)
		return q
	})}
}

// says sends another member, and leaves one out that is nil.
func says(name string, value any) []fault.Effect {
	return registers(func(q *request) { part.Change(q.members, map[string]any{name: value}) })
}

// configures does so with a member of the tool's configuration.
func configures(name string, value func(*request) any) []fault.Effect {
	return registers(func(q *request) {
		part.Change(object(q.members, lti.ToolConfiguration), map[string]any{name: value(q)})
	})
}

// closes changes how the last page closes the registration.
func closes(change func(*closing)) []fault.Effect {
	return []fault.Effect{pageShown.Change(func(p page) page {
		how := *p.Closes
		change(&how)
		p.Closes = &how
		return p
	})}
}

// keeps changes what the tool keeps of a platform.
func keeps(change func(*part.Registration)) fault.Effect {
	return registrationKept.Change(func(k kept) kept {
		change(&k.Registration)
		return k
	})
}

// withoutReviews are the messages of a registration but that of reviews.
func withoutReviews(q *request) any {
	sent, _ := object(q.members, lti.ToolConfiguration)["messages"].([]map[string]any)
	return slices.DeleteFunc(slices.Clone(sent), func(m map[string]any) bool { return m["type"] == lti.SubmissionReviewRequest })
}

// typesOf are the types of the messages of a registration.
func typesOf(q *request) any {
	sent, _ := object(q.members, lti.ToolConfiguration)["messages"].([]map[string]any)
	types := []string{}
	for _, message := range sent {
		types = append(types, text(message, "type"))
	}
	return types
}

func always[T any](value any) func(T) any { return func(T) any { return value } }

const (
	asked   = "dr-tool-registration-request"
	checked = "dr-tool-configuration-checked"
	used    = "dr-tool-uses-response"
	closed  = "dr-tool-close-message"
	turned  = "dr-tool-registration-refused"
)

// defects are those of a tool that registers itself.
var defects = []fault.Fault{
	{Name: "sends-no-registration-token", Proves: asked, Does: "registers without the registration_token that it was given", Effects: registers(func(q *request) { q.authorization = "" })},
	{Name: "sends-registration-token-as-basic", Proves: asked, Does: "sends the registration_token by the scheme Basic", Effects: registers(func(q *request) {
		if q.token != "" {
			q.authorization = "Basic " + q.token
		}
	})},
	{Name: "sends-undefined-registration-token", Proves: asked, Does: "sends the bearer token undefined where it was given no registration_token", Effects: registers(func(q *request) {
		if q.token == "" {
			q.authorization = part.Bearer + " undefined"
		}
	})},
	{Name: "drops-configuration-query", Proves: asked, Does: "reads the configuration without the query of openid_configuration", Effects: []fault.Effect{configurationAsked.Change(func(address string) string {
		address, _, _ = strings.Cut(address, "?")
		return address
	})}},
	{Name: "registers-as-form", Proves: asked, Does: "sends its registration as application/x-www-form-urlencoded", Effects: registers(func(q *request) { q.mediaType = "application/x-www-form-urlencoded" })},
	{Name: "registers-without-redirect-uris", Proves: asked, Does: "leaves redirect_uris out of its registration", Effects: says("redirect_uris", nil)},
	{Name: "registers-without-key-set", Proves: asked, Does: "leaves jwks_uri out of its registration", Effects: says("jwks_uri", nil)},
	{Name: "registers-with-client-secret", Proves: asked, Does: "registers the token_endpoint_auth_method client_secret_basic", Effects: says("token_endpoint_auth_method", "client_secret_basic")},
	{Name: "registers-for-code", Proves: asked, Does: "registers the response_type code", Effects: says("response_types", []string{"code"})},
	{Name: "registers-without-implicit-grant", Proves: asked, Does: "registers the grant_type client_credentials alone", Effects: says("grant_types", []string{lti.GrantClientCredentials})},
	{Name: "registers-foreign-domain", Proves: asked, Does: "registers a domain that none of its addresses is on", Effects: configures("domain", always[*request]("tool.example"))},
	{Name: "registers-messages-as-texts", Proves: asked, Does: "registers messages as texts instead of objects with a type", Effects: configures("messages", typesOf)},

	{Name: "accepts-issuer-elsewhere", Proves: checked, Does: "registers with a platform whose issuer is on another host than its configuration", Effects: []fault.Effect{issuerAtHome.Lift(nil)}},
	{Name: "guesses-registration-endpoint", Proves: checked, Does: "registers beside the configuration where that names no registration_endpoint", Effects: append(registers(func(q *request) {
		if q.url == "" {
			q.url = q.from[:strings.LastIndex(q.from, "/")+1] + "clients"
		}
	}), registrationOffered.Lift(nil))},
	{Name: "ignores-configuration-status", Proves: checked, Does: "takes a configuration that comes with an error status", Effects: []fault.Effect{configurationAnswered.Lift(nil)}},
	{Name: "crashes-without-configuration", Proves: checked, Does: "breaks down where the configuration is no JSON", Effects: []fault.Effect{configurationReadable.Answer(nil, func(*discovery, error) error { return part.Crash{} })}},

	{Name: "needs-status-200-of-registration", Proves: used, Does: "takes its registration for refused where the status is another one than 200", Effects: []fault.Effect{granted.Add(func(o *outcome) error {
		if o.answer.Status != http.StatusOK {
			return refused("The platform answers with another status than 200.")
		}
		return nil
	})}},
	{Name: "needs-all-scopes", Proves: used, Does: "takes its registration for refused where not all of its scopes are granted", Effects: []fault.Effect{granted.Add(func(o *outcome) error {
		if text(o.asked, "scope") != text(o.said, "scope") {
			return refused("The platform does not grant all scopes.")
		}
		return nil
	})}},
	{Name: "expects-deployment-1", Proves: used, Does: "takes launches of the deployment 1 alone, whatever the platform has told", Effects: []fault.Effect{keeps(func(r *part.Registration) { r.DeploymentIDs = []string{"1"} })}},
	{Name: "keeps-host-as-client-id", Proves: used, Does: "keeps the client_id with the host of the platform before it", Effects: []fault.Effect{keeps(func(r *part.Registration) {
		if u, err := url.Parse(r.Issuer); err == nil {
			r.ClientID = u.Host + "-" + r.ClientID
		}
	})}},

	{Name: "never-closes-registration", Proves: closed, Needs: fault.Browser, Does: "posts no message when it has registered", Effects: []fault.Effect{pageShown.Change(func(p page) page {
		p.Closes = nil
		return p
	})}},
	{Name: "closes-opener-alone", Proves: closed, Needs: fault.Browser, Does: "tells the opener alone that it has registered", Effects: closes(func(c *closing) { c.To = "window.opener" })},
	{Name: "closes-parent-alone", Proves: closed, Needs: fault.Browser, Does: "tells the parent alone that it has registered", Effects: closes(func(c *closing) { c.To = "window.parent" })},
	{Name: "closes-with-text", Proves: closed, Needs: fault.Browser, Does: "tells that it has registered by JSON as text instead of by an object", Effects: closes(func(c *closing) { c.Message = `{"subject":"` + lti.CloseSubject + `"}` })},
	{Name: "closes-with-other-subject", Proves: closed, Needs: fault.Browser, Does: "tells that it has registered by another subject", Effects: closes(func(c *closing) { c.Message = map[string]string{"subject": "lti.close"} })},

	{Name: "takes-refused-registration", Proves: turned, Does: "takes itself for registered where the answer has a client_id, whatever its status", Effects: []fault.Effect{registrationTaken.Lift(func(o *outcome) bool { return text(o.said, "client_id") != "" })}},
	{Name: "registers-undefined-client-id", Proves: turned, Does: "keeps the client_id undefined where the answer has none", Effects: []fault.Effect{clientNamed.Lift(nil), keeps(func(r *part.Registration) {
		if r.ClientID == "" {
			r.ClientID = "undefined"
		}
	})}},
	{Name: "crashes-on-refused-registration", Proves: turned, Does: "breaks down where the platform refuses its registration", Effects: []fault.Effect{registrationTaken.Answer(nil, func(*outcome, error) error { return part.Crash{} })}},

	{Name: "registers-without-reviews", Proves: "sr-tool-registers-message", Does: "leaves LtiSubmissionReviewRequest out of the messages that it registers", Effects: configures("messages", withoutReviews)},

	{Name: "registers-with-more-members", Permitted: true, Does: "registers a logo, contacts and a member of a vendor", Effects: registers(func(q *request) {
		part.Change(q.members, map[string]any{"logo_uri": "", "contacts": []string{"help@tool.example"}, "https://vendor.example/plan": 7})
	})},
	{Name: "registers-misspelt-grant", Permitted: true, Does: "registers the grant_type implicit in the spelling that goes round in examples", Effects: says("grant_types", []string{lti.GrantImplicitMisspelt, lti.GrantClientCredentials})},
	{Name: "registers-without-scope", Permitted: true, Does: "asks for no scope when it registers", Effects: says("scope", nil)},
	{Name: "registers-domain-without-port", Permitted: true, Does: "registers its domain without a port, and in capital letters", Effects: configures("domain", func(q *request) any {
		u, err := url.Parse(q.core.URL())
		if err != nil {
			return ""
		}
		return strings.ToUpper(u.Hostname())
	})},
	{Name: "registers-with-charset", Permitted: true, Does: "sends its registration as application/json; charset=UTF-8", Effects: registers(func(q *request) { q.mediaType = "application/json; charset=UTF-8" })},
	{Name: "sends-registration-token-as-lower-case-bearer", Permitted: true, Does: "sends the registration_token by the scheme bearer in lower case", Effects: registers(func(q *request) {
		if q.token != "" {
			q.authorization = "bearer " + q.token
		}
	})},
}
