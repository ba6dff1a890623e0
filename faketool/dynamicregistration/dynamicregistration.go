// Package dynamicregistration is the part of the fake tool that registers it with a platform
// (Dynamic Registration 1.0): its registration page reads the platform's configuration, checks
// it, registers the tool, and closes the registration by a message to the platform's page.
package dynamicregistration

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "dynamic-registration"

// RegistrationPath is where a platform opens the tool to have it registered, below the tool's URL.
const RegistrationPath = "/register"

// Part is the registration page.
var Part = part.Part{Profile: Profile, Paths: []string{RegistrationPath}, Mount: mount, Faults: defects}

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	mux.HandleFunc("GET "+RegistrationPath, func(w http.ResponseWriter, r *http.Request) { serve(w, r, core) })
	return part.Mounted{}
}

// patience is how long each of the two requests to the platform may take.
const patience = 10 * time.Second

// A discovery is what a platform has answered where its configuration was asked for (Dynamic
// Registration 1.0, step 2).
type discovery struct {
	from   string // the openid_configuration
	answer part.Exchange
	said   map[string]any // nil where the answer is no JSON object
}

// text is a member that is text; empty where it is none.
func text(members map[string]any, name string) string {
	s, _ := members[name].(string)
	return s
}

func object(members map[string]any, name string) map[string]any {
	o, _ := members[name].(map[string]any)
	return o
}

func refused(format string, args ...any) error {
	return &part.Refusal{Status: http.StatusBadRequest, Why: fmt.Sprintf(format, args...)}
}

// trustworthy is what is checked of a configuration before the tool makes anything of it
// (Dynamic Registration 1.0, step 2).
var trustworthy = &fault.List[*discovery]{Name: "the OpenID configuration of a platform", Rules: []*fault.Rule[*discovery]{
	configurationAnswered, configurationReadable, issuerAtHome, endpointsNamed, registrationOffered,
}}

var (
	configurationAnswered = &fault.Rule[*discovery]{Name: "the configuration is answered", Broken: func(d *discovery) error {
		if err := d.answer.Failure(); err != nil {
			return refused("The platform's configuration cannot be read: %s.", err)
		}
		return nil
	}}
	configurationReadable = &fault.Rule[*discovery]{Name: "the configuration is a JSON object", Broken: func(d *discovery) error {
		if d.said == nil {
			return refused("The platform's configuration is no JSON object.")
		}
		return nil
	}}
	issuerAtHome = &fault.Rule[*discovery]{Name: "the issuer is on the host of the configuration", Broken: func(d *discovery) error {
		from, errFrom := url.Parse(d.from)
		issuer, err := url.Parse(text(d.said, "issuer"))
		if d.said != nil && (errFrom != nil || err != nil || issuer.Host == "" || !strings.EqualFold(issuer.Host, from.Host)) {
			return refused("The issuer %s is not on the host of the platform's configuration.", lti.Wire(d.said["issuer"]))
		}
		return nil
	}}
	endpointsNamed = &fault.Rule[*discovery]{Name: "the configuration names the endpoints of launches and tokens", Broken: func(d *discovery) error {
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
			if d.said != nil && !part.IsSecure(text(d.said, name)) {
				return refused("The platform's configuration has no %s that is an absolute https URL.", name)
			}
		}
		return nil
	}}
	registrationOffered = &fault.Rule[*discovery]{Name: "the configuration names a registration endpoint", Broken: func(d *discovery) error {
		if d.said != nil && !part.IsSecure(text(d.said, "registration_endpoint")) {
			return refused("The platform's configuration has no registration_endpoint that is an absolute https URL.")
		}
		return nil
	}}
)

// A request is what the tool says of itself to a platform (Dynamic Registration 1.0, step 3).
type request struct {
	core          part.Core
	from          string         // where its configuration is
	platform      map[string]any // the configuration
	token         string         // the registration_token; empty for none
	url           string
	mediaType     string
	authorization string // the header; none when empty
	members       map[string]any
}

var (
	configurationAsked = &fault.Seam[string]{Name: "the address that the configuration is read from"}
	requestSaid        = &fault.Seam[request]{Name: "the registration of the tool", Clone: func(q request) request {
		q.members = maps.Clone(q.members)
		q.members[lti.ToolConfiguration] = maps.Clone(object(q.members, lti.ToolConfiguration))
		return q
	}}
	registrationKept = &fault.Seam[kept]{Name: "what the tool keeps of a platform that it has registered with"}
	pageShown        = &fault.Seam[page]{Name: "the last page of a registration"}
)

// kept is what the tool keeps of a platform.
type kept struct {
	part.Registration
	refused bool // by the platform
}

// An outcome is what a platform has answered to a registration.
type outcome struct {
	asked  map[string]any // of it
	answer part.Exchange
	said   map[string]any // nil where the answer is no JSON object
}

// granted is what is checked of it (Dynamic Registration 1.0, step 3).
var granted = &fault.List[*outcome]{Name: "the answer to a registration", Rules: []*fault.Rule[*outcome]{registrationTaken, clientNamed}}

var (
	registrationTaken = &fault.Rule[*outcome]{Name: "the platform takes the registration", Broken: func(o *outcome) error {
		if err := o.answer.Failure(); err != nil {
			says := text(o.said, "error_description")
			return refused("The platform does not take the registration: %s. %s %s", err, text(o.said, "error"), says[:min(len(says), 300)])
		}
		return nil
	}}
	clientNamed = &fault.Rule[*outcome]{Name: "the answer has a client_id", Broken: func(o *outcome) error {
		if o.answer.Failure() == nil && text(o.said, "client_id") == "" {
			return refused("The platform's answer to the registration has no client_id.")
		}
		return nil
	}}
)

// page is the last page of a registration.
type page struct {
	part.Registration
	Closes *closing // nil for a page that does not close the registration
}

// closing is how a page closes the registration (Dynamic Registration 1.0, step 4).
type closing struct {
	To      template.JS // the window that is told
	Message any
}

//go:embed registered.html.tmpl
var registeredTemplate string

var registered = template.Must(template.New("registered").Parse(registeredTemplate))

func serve(w http.ResponseWriter, r *http.Request, core part.Core) {
	known, err := register(r.Context(), core, r.URL.Query().Get(lti.ParamOpenIDConfiguration), r.URL.Query().Get(lti.ParamRegistrationToken))
	if err != nil {
		core.Refuse(w, err)
		return
	}
	shown := pageShown.Pass(core.Carrier(), page{known, &closing{"window.opener || window.parent", map[string]string{"subject": lti.CloseSubject}}})
	core.Show(w, http.StatusOK, registered, shown)
}

// register registers the tool with the platform whose configuration is at an address.
func register(ctx context.Context, core part.Core, configuration, token string) (part.Registration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	carrier := core.Carrier()
	if !part.IsSecure(configuration) {
		return part.Registration{}, refused("The openid_configuration %s is no absolute https URL.", lti.Wire(configuration))
	}
	d := &discovery{from: configuration}
	d.answer = ask(ctx, core, http.MethodGet, configurationAsked.Pass(carrier, configuration), nil, nil)
	d.said = membersOf(d.answer)
	if err := trustworthy.First(carrier, d); err != nil {
		return part.Registration{}, err
	}
	q := request{core: core, from: configuration, platform: d.said, token: token, url: text(d.said, "registration_endpoint"), mediaType: "application/json", members: metadata(core, d.said)}
	if token != "" {
		q.authorization = part.Bearer + " " + token
	}
	q = requestSaid.Pass(carrier, q)
	header := http.Header{"Content-Type": {q.mediaType}}
	if q.authorization != "" {
		header.Set("Authorization", q.authorization)
	}
	o := &outcome{asked: q.members, answer: ask(ctx, core, http.MethodPost, q.url, header, q.members)}
	o.said = membersOf(o.answer)
	err := granted.First(carrier, o)
	made := registrationKept.Pass(carrier, kept{platformOf(d.said, o.said), err != nil})
	if err != nil {
		return part.Registration{}, err
	}
	if _, known := core.Registered(made.Issuer, made.ClientID); known {
		return part.Registration{}, refused("The client_id %s of that platform is registered already.", lti.Wire(made.ClientID))
	}
	if err := core.Register(made.Registration); err != nil {
		return part.Registration{}, refused("The platform cannot be registered: %s.", err)
	}
	return made.Registration, nil
}

// ask sends a request to the platform; a body as JSON.
func ask(ctx context.Context, core part.Core, method, address string, header http.Header, body any) part.Exchange {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return part.Exchange{Err: err}
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(string(sent)))
	if err != nil {
		return part.Exchange{Err: err}
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Accept", "application/json")
	return core.Send(r, address, string(sent))
}

// membersOf are those of an answer that is a JSON object; nil where it is none.
func membersOf(answer part.Exchange) map[string]any {
	var members map[string]any
	if json.Unmarshal(answer.Body, &members) != nil {
		return nil
	}
	return members
}

// messages are the types that the tool takes, and scopes those of the services that it uses.
var (
	messages = []string{lti.ResourceLinkRequest, lti.DeepLinkingRequest, lti.StartProctoring, lti.EndAssessment, lti.SubmissionReviewRequest}
	scopes   = append([]string{lti.ScopeControl, lti.ScopeMembership}, lti.GradeScopes...)
)

// metadata are what the tool says of itself: of messages and scopes those that the platform
// supports.
func metadata(core part.Core, platform map[string]any) map[string]any {
	var types []string
	supported, _ := object(platform, lti.PlatformConfiguration)["messages_supported"].([]any)
	for _, one := range supported {
		message, _ := one.(map[string]any)
		types = append(types, text(message, "type"))
	}
	taken := []map[string]any{}
	for _, of := range messages {
		if slices.Contains(types, of) {
			taken = append(taken, map[string]any{"type": of, "target_link_uri": core.LaunchURL()})
		}
	}
	known := part.Texts(platform["scopes_supported"])
	host := core.URL()
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	return map[string]any{
		"application_type": lti.ApplicationTypeWeb, "response_types": []string{lti.ResponseTypeIDToken},
		"grant_types":        []string{lti.GrantImplicit, lti.GrantClientCredentials},
		"initiate_login_uri": core.LoginURL(), "redirect_uris": []string{core.LaunchURL()}, "client_name": "Fake tool", "jwks_uri": core.JWKSURL(),
		"token_endpoint_auth_method": lti.AuthMethodPrivateKey,
		"scope":                      strings.Join(slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !slices.Contains(known, s) }), " "),
		lti.ToolConfiguration: map[string]any{
			"domain": host, "description": "A tool for tests.", "target_link_uri": core.LaunchURL(),
			"claims": []string{"iss", "sub", "name", "given_name", "family_name", "email"}, "messages": taken,
		},
	}
}

// platformOf is what the tool knows of the platform from then on. It is told of a deployment where
// there is one already.
func platformOf(said, answer map[string]any) part.Registration {
	known := part.Registration{
		Issuer: text(said, "issuer"), ClientID: text(answer, "client_id"), AuthURL: text(said, "authorization_endpoint"),
		JWKSURL: text(said, "jwks_uri"), TokenURL: text(said, "token_endpoint"), TokenAudience: text(said, "authorization_server"),
	}
	if deployment := text(object(answer, lti.ToolConfiguration), "deployment_id"); deployment != "" {
		known.DeploymentIDs = []string{deployment}
	}
	return known
}
