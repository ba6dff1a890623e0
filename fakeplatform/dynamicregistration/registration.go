package dynamicregistration

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A request is one to the registration endpoint while it is being judged.
type request struct {
	*http.Request
	launch   *Launch
	metadata map[string]any // nil where the body is no JSON object
	repeated bool           // the token was used before
}

// A refusal is why a registration is not taken (OpenID Connect Dynamic Client Registration 1.0, 3.3).
type refusal struct {
	status    int
	code, why string
}

func (r *refusal) Error() string { return r.why }

func invalid(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, lti.ErrorInvalidClientMetadata, fmt.Sprintf(format, args...)}
}

// admission is what a registration is refused for. All else is told alone, and what the platform
// does not know is left out (Dynamic Registration 1.0, step 3).
var admission = &fault.List[*request]{Name: "a registration", Rules: []*fault.Rule[*request]{
	tokenRight, tokenFresh, bodyReadable, redirectURIsUsable, loginURIUsable,
}}

var (
	tokenRight = &fault.Rule[*request]{Name: "it has the registration_token, where there is one", Broken: func(q *request) error {
		token := q.launch.sent.token
		if token != "" && subtle.ConstantTimeCompare([]byte(q.bearer()), []byte(token)) != 1 {
			return &refusal{http.StatusUnauthorized, lti.ErrorInvalidToken, "the Authorization header has not the registration_token as bearer token"}
		}
		return nil
	}}
	tokenFresh = &fault.Rule[*request]{Name: "the registration_token is used once", Broken: func(q *request) error {
		if q.repeated {
			return &refusal{http.StatusUnauthorized, lti.ErrorInvalidToken, "the registration_token has been used"}
		}
		return nil
	}}
	bodyReadable = &fault.Rule[*request]{Name: "the body is a JSON object", Broken: func(q *request) error {
		if q.metadata == nil {
			return invalid("the body is no JSON object")
		}
		return nil
	}}
	redirectURIsUsable = &fault.Rule[*request]{Name: "redirect_uris are absolute URLs", Broken: func(q *request) error {
		uris, are := texts(q.metadata["redirect_uris"])
		if q.metadata != nil && (!are || len(uris) == 0 || slices.ContainsFunc(uris, func(uri string) bool { return !isAbsolute(uri) })) {
			return &refusal{http.StatusBadRequest, lti.ErrorInvalidRedirectURI, "redirect_uris " + orMissing(q.metadata["redirect_uris"]) + " are no absolute URLs"}
		}
		return nil
	}}
	loginURIUsable = &fault.Rule[*request]{Name: "initiate_login_uri is an absolute URL", Broken: func(q *request) error {
		uri, _ := q.metadata["initiate_login_uri"].(string)
		if q.metadata != nil && !isAbsolute(uri) {
			return invalid("initiate_login_uri %s is no absolute URL", orMissing(q.metadata["initiate_login_uri"]))
		}
		return nil
	}}
)

// bearer is the token of a request; empty for none.
func (q *request) bearer() string {
	scheme, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

func isAbsolute(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// texts returns a list of texts, and false where it is none.
func texts(value any) ([]string, bool) {
	list, is := value.([]any)
	var all []string
	for _, one := range list {
		text, isText := one.(string)
		if !isText {
			return nil, false
		}
		all = append(all, text)
	}
	return all, is
}

func orMissing(value any) string {
	if value == nil {
		return "(missing)"
	}
	return lti.Wire(value)
}

// toolIn is what the tool says of itself for LTI; nil where that is no object.
func toolIn(metadata map[string]any) map[string]any {
	o, _ := metadata[lti.ToolConfiguration].(map[string]any)
	return o
}

// problems say what the specifications do not allow in a registration: how it was sent, and what
// the tool says of itself (Dynamic Registration 1.0, step 3; OpenID Connect Dynamic Client
// Registration 1.0, 2). What is more than they name is allowed.
func (q *request) problems() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if media := part.MediaType(q.Request); media != "application/json" {
		say("Content-Type is %q instead of application/json", q.Header.Get("Content-Type"))
	}
	switch header, token := q.Header.Get("Authorization"), q.launch.sent.token; {
	case token == "" && header != "":
		say("there is an Authorization header, though the platform has given no registration_token")
	case token != "" && header == "":
		say("there is no Authorization header, though the platform has given a registration_token")
	case token != "" && q.bearer() != token:
		say("the Authorization header has not the registration_token as bearer token")
	}
	if q.metadata == nil {
		say("the body is no JSON object")
		return all
	}
	want := func(members map[string]any, name string, values ...string) {
		if text, is := members[name].(string); !is || text == "" || len(values) > 0 && !slices.Contains(values, text) {
			wanted := "a text"
			if len(values) > 0 {
				wanted = strings.Join(values, " or ")
			}
			say("%s is %s instead of %s", name, orMissing(members[name]), wanted)
		}
	}
	lists := func(members map[string]any, name string, needed ...string) {
		list, are := texts(members[name])
		if !are || slices.ContainsFunc(needed, func(value string) bool { return !slices.Contains(list, value) }) {
			wanted := "a list of texts"
			if len(needed) > 0 {
				wanted = "a list with " + strings.Join(needed, " and ")
			}
			say("%s is %s instead of %s", name, orMissing(members[name]), wanted)
		}
	}
	want(q.metadata, "application_type", lti.ApplicationTypeWeb)
	lists(q.metadata, "response_types", lti.ResponseTypeIDToken)
	lists(q.metadata, "grant_types", lti.GrantClientCredentials)
	if grants, are := texts(q.metadata["grant_types"]); are && !slices.Contains(grants, lti.GrantImplicit) && !slices.Contains(grants, lti.GrantImplicitMisspelt) {
		say("grant_types is %s instead of a list with %s", lti.Wire(q.metadata["grant_types"]), lti.GrantImplicit)
	}
	want(q.metadata, "client_name")
	want(q.metadata, "token_endpoint_auth_method", lti.AuthMethodPrivateKey)
	if scope, sent := q.metadata["scope"]; sent {
		if _, is := scope.(string); !is {
			say("scope is %s instead of a text with scopes that spaces separate", lti.Wire(scope))
		}
	}
	for _, err := range []error{redirectURIsUsable.Broken(q), loginURIUsable.Broken(q)} {
		if err != nil {
			say("%s", err)
		}
	}
	if keys, is := q.metadata["jwks_uri"].(string); !is || !isAbsolute(keys) {
		say("jwks_uri %s is no absolute URL", orMissing(q.metadata["jwks_uri"]))
	}
	tool := toolIn(q.metadata)
	if tool == nil {
		say("%s is %s instead of an object", lti.ToolConfiguration, orMissing(q.metadata[lti.ToolConfiguration]))
		return all
	}
	want(tool, "domain")
	lists(tool, "claims")
	target, _ := tool["target_link_uri"].(string)
	if !isAbsolute(target) {
		say("target_link_uri %s is no absolute URL", orMissing(tool["target_link_uri"]))
	}
	messages, are := tool["messages"].([]any)
	for _, one := range messages {
		message, is := one.(map[string]any)
		if kind, named := message["type"].(string); !is || !named || kind == "" {
			say("a message is %s instead of an object with a type", lti.Wire(one))
		}
		if to, sent := message["target_link_uri"]; sent {
			if uri, isText := to.(string); !isText || !isAbsolute(uri) {
				say("the target_link_uri of a message is %s, which is no absolute URL", lti.Wire(to))
			}
		}
	}
	if !are {
		say("messages is %s instead of a list", orMissing(tool["messages"]))
	}
	return append(all, q.offDomain(tool, target)...)
}

// offDomain are the addresses that are on none of the tool's domains.
func (q *request) offDomain(tool map[string]any, target string) []string {
	domain, _ := tool["domain"].(string)
	if domain == "" {
		return nil // which is told
	}
	more, _ := texts(tool["secondary_domains"])
	uris, _ := texts(q.metadata["redirect_uris"])
	var all []string
	for _, uri := range append(uris, target) {
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" || slices.ContainsFunc(append(more, domain), func(of string) bool { return covers(of, u) }) {
			continue
		}
		if says := fmt.Sprintf("%q is not on the domain %q", uri, domain); !slices.Contains(all, says) {
			all = append(all, says)
		}
	}
	return all
}

// covers says whether a URL is on a domain, or on one below. Tools write the port, or leave it out.
func covers(domain string, u *url.URL) bool {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	host := strings.ToLower(u.Hostname())
	return domain == strings.ToLower(u.Host) || domain == host || strings.HasSuffix(host, "."+domain)
}

// An answer is what a registration is answered with.
type answer struct {
	*Launch
	status  int
	members map[string]any
}

// answered is passed by it.
var answered = &fault.Seam[answer]{Name: "the answer to a registration", Clone: func(a answer) answer {
	a.members = maps.Clone(a.members)
	return a
}}

func serveRegistration(w http.ResponseWriter, r *http.Request, l *Launch) {
	q := &request{Request: r, launch: l, repeated: l.registered()}
	body, err := io.ReadAll(r.Body)
	if err == nil && json.Unmarshal(body, &q.metadata) != nil {
		q.metadata = nil
	}
	came := Request{Metadata: q.metadata, Problems: q.problems()}
	a := answer{Launch: l, status: http.StatusOK}
	if err := admission.First(l.Carrier(), q); err != nil {
		refused := &refusal{http.StatusBadRequest, lti.ErrorInvalidClientMetadata, err.Error()}
		errors.As(err, &refused)
		a.status, a.members = refused.status, map[string]any{"error": refused.code, "error_description": refused.why}
	} else {
		made := l.registration(q.metadata)
		came.Registered = &made
		a.members = l.taken(q.metadata)
	}
	a = answered.Pass(l.Carrier(), a)
	if came.Registered != nil && a.status < http.StatusBadRequest {
		if err := l.Core().Register(*came.Registered); err != nil {
			a.status, a.members = http.StatusBadRequest, map[string]any{"error": lti.ErrorInvalidClientMetadata, "error_description": err.Error()}
		}
	}
	if came.Status = a.status; a.status >= http.StatusBadRequest {
		came.Registered = nil
	}
	l.note(func(record *Record) {
		if len(record.Requests) < maxRecord {
			record.Requests = append(record.Requests, came)
		}
	})
	answerJSON(w, a.status, a.members)
}

// registered says whether a registration was taken already.
func (l *Launch) registered() bool {
	return slices.ContainsFunc(l.Record().Requests, func(q Request) bool { return q.Registered != nil })
}

// registration is what the platform knows of the tool from then on.
func (l *Launch) registration(metadata map[string]any) part.Registration {
	text := func(members map[string]any, name string) string {
		s, _ := members[name].(string)
		return s
	}
	tool := toolIn(metadata)
	r := part.Registration{
		ClientID: l.invitation.ClientID, LoginURL: text(metadata, "initiate_login_uri"), TargetLinkURI: text(tool, "target_link_uri"),
		TargetLinkURIs: map[string]string{}, DeploymentIDs: []string{l.invitation.DeploymentID}, JWKSURL: text(metadata, "jwks_uri"),
	}
	r.RedirectURIs, _ = texts(metadata["redirect_uris"])
	if r.TargetLinkURI == "" && len(r.RedirectURIs) > 0 {
		r.TargetLinkURI = r.RedirectURIs[0] // without one nothing could be launched
	}
	messages, _ := tool["messages"].([]any)
	for _, one := range messages {
		message, _ := one.(map[string]any)
		kind, to := text(message, "type"), text(message, "target_link_uri")
		if _, known := r.TargetLinkURIs[kind]; !known && isAbsolute(to) {
			r.TargetLinkURIs[kind] = to
		}
	}
	return r
}

// taken is what the platform answers: what it took, and the names that the tool has there.
// Scopes and messages that it does not know are left out (Dynamic Registration 1.0, step 3).
func (l *Launch) taken(metadata map[string]any) map[string]any {
	members := maps.Clone(metadata)
	members["client_id"] = l.invitation.ClientID
	if scope, is := metadata["scope"].(string); is {
		known := append(l.Core().Scopes(), lti.ScopeOpenID)
		members["scope"] = strings.Join(slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return !slices.Contains(known, s) }), " ")
	}
	tool := maps.Clone(toolIn(metadata))
	if tool == nil {
		tool = map[string]any{}
	}
	tool["deployment_id"] = l.invitation.DeploymentID
	if messages, are := tool["messages"].([]any); are {
		tool["messages"] = slices.DeleteFunc(slices.Clone(messages), func(one any) bool {
			message, _ := one.(map[string]any)
			kind, _ := message["type"].(string)
			return !slices.Contains(l.Core().MessageTypes(), kind)
		})
	}
	members[lti.ToolConfiguration] = tool
	return members
}

// answerJSON answers a server.
func answerJSON(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members) // the tool has gone if this fails
}
