// Package dynamicregistration is the part of the fake platform by which tools register
// themselves (Dynamic Registration 1.0): it opens a tool's registration URL, tells the tool of
// itself in its OpenID configuration, takes the registration, and listens for the message by
// which the tool closes it.
//
// A launch that has a tool registered has [Registering] as the message of its plan and is about
// an [Invitation]. [Of] returns what the platform has seen of it.
package dynamicregistration

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "dynamic-registration"

// Registering stands for the message of a launch that opens a tool's registration URL, and sends
// no message.
const Registering = "dynamic registration"

// serverPath begins the addresses that tools' servers ask for: that of the configuration, and of
// the registration endpoint.
const serverPath = "/registrations/"

// Part is the service.
var Part = part.Part{
	Profile:     Profile,
	ServerPaths: []string{serverPath},
	Mount:       mount,
	Messages:    []part.Message{{Type: Registering, Unregistered: true, Begin: begin}},
	Faults:      stimuli,
}

// An Invitation is what an administrator has a tool register itself by.
type Invitation struct {
	// URL is the tool's registration URL, with a query of its own where it has one.
	URL string
	// ClientID is what the tool is going to be known by; one is made when empty.
	ClientID string
	// DeploymentID is that of the deployment that is made at once; one is made up when empty.
	DeploymentID string
	// AuthorizationEndpoint is what the tool is told; the platform's when empty.
	AuthorizationEndpoint string
}

// A Launch is what the platform keeps of a registration. It is safe for concurrent use.
type Launch struct {
	part.Launch
	invitation Invitation
	sent       invited

	mu      sync.Mutex
	record  Record
	changed chan struct{} // closed when the record changes
}

// A Record is what a registration has seen so far.
type Record struct {
	// Discoveries are the queries of the requests for the configuration.
	Discoveries []string
	// Requests are those that came to the registration endpoint.
	Requests []Request
	// Closings are the messages by which the tool's page has closed the registration.
	Closings []Closing
}

// A Request is one that came to the registration endpoint (Dynamic Registration 1.0, step 3).
type Request struct {
	// Metadata are the members of the body as they came; nil where it is no JSON object.
	Metadata map[string]any
	// Problems say what the specifications do not allow in it.
	Problems []string
	// Registered is what the platform took of it; nil where it was refused.
	Registered *part.Registration
	// Status is that of the answer.
	Status int
}

// A Closing is a message that the course page got of a tool's page.
type Closing struct {
	// Origin is that of the page that has sent it, as browsers write it.
	Origin string
	// Text is set where it came as text instead of an object.
	Text bool
}

// Of returns what the platform keeps of a registration, and nil where a launch is none.
func Of(launch interface{ Part() any }) *Launch {
	l, _ := launch.Part().(*Launch)
	return l
}

// Seen returns the record in a record of the platform, and an empty one where the launch is no
// registration.
func Seen(part any) Record {
	record, _ := part.(Record)
	return record
}

// bounds of what is kept.
const maxRecord = 20

// invited is what a tool is sent with its administrator's browser.
type invited struct {
	*Launch
	configuration string // the address of the configuration
	token         string // empty for none
}

// sent is passed by what a tool is sent.
var sent = &fault.Seam[invited]{Name: "the registration initiation request"}

// begin begins a registration.
func begin(_ part.Core, launch part.Launch) (part.Kept, error) {
	invitation, is := launch.Plan().About.(Invitation)
	if !is {
		return nil, fmt.Errorf("fakeplatform: a registration is about a %T", launch.Plan().About)
	}
	if u, err := url.Parse(invitation.URL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("fakeplatform: the registration URL %q is no absolute URL", invitation.URL)
	}
	core := launch.Core()
	invitation.ClientID = cmp.Or(invitation.ClientID, "client-"+lti.RandomString()[:12])
	invitation.DeploymentID = cmp.Or(invitation.DeploymentID, "deployment-"+lti.RandomString()[:8])
	invitation.AuthorizationEndpoint = cmp.Or(invitation.AuthorizationEndpoint, core.AuthURL())
	l := &Launch{Launch: launch, invitation: invitation, changed: make(chan struct{})}
	l.sent = sent.Pass(launch.Carrier(), invited{l, l.serverURL() + "/openid-configuration", lti.RandomString()})
	return l, nil
}

// serverURL begins the addresses of the registration for the tool's server.
func (l *Launch) serverURL() string { return l.Core().ServerURL() + serverPath + l.ID() }

// registrationURL is the registration endpoint.
func (l *Launch) registrationURL() string { return l.serverURL() + "/clients" }

// ClientID is what the tool is going to be known by.
func (l *Launch) ClientID() string { return l.invitation.ClientID }

// DeploymentID is that of the deployment that the tool is told of.
func (l *Launch) DeploymentID() string { return l.invitation.DeploymentID }

// ConfigurationURL is the openid_configuration that the tool is sent.
func (l *Launch) ConfigurationURL() string { return l.sent.configuration }

// Opens is where the administrator's browser is sent: the tool's registration URL, whose own
// query is kept (Dynamic Registration 1.0, step 1).
func (l *Launch) Opens() string {
	query := url.Values{lti.ParamOpenIDConfiguration: {l.sent.configuration}}
	if l.sent.token != "" {
		query.Set(lti.ParamRegistrationToken, l.sent.token)
	}
	if strings.Contains(l.invitation.URL, "?") {
		return l.invitation.URL + "&" + query.Encode()
	}
	return l.invitation.URL + "?" + query.Encode()
}

// listener tells the platform of the message that closes a registration, and the administrator
// as well.
var listener = template.Must(template.New("listener").Parse(`<p id="registration" role="status">The tool is being registered.</p>
<script>addEventListener("message", e => {
  let said = e.data
  const text = typeof said === "string"
  if (text) try { said = JSON.parse(said) } catch { return }
  if (!said || said.subject !== {{.Subject}}) return
  fetch({{.Told}}, {method: "POST", body: new URLSearchParams({origin: e.origin, text})})
  document.querySelector("#registration").textContent = "The tool has closed the registration."
})</script>`))

// Beside is what the page has that shows the tool's: it listens.
func (l *Launch) Beside() template.HTML {
	var page strings.Builder
	_ = listener.Execute(&page, map[string]string{"Subject": lti.CloseSubject, "Told": l.URL() + "/closed"}) // a builder takes all
	return template.HTML(page.String())
}

// Claims adds nothing: there is no message.
func (*Launch) Claims(part.Plan, lti.Claims) {}

// Says does nothing.
func (*Launch) Says(lti.Claims) {}

// Seen returns the record for that of the platform.
func (l *Launch) Seen() any { return l.Record() }

// Record returns what the registration has seen so far.
func (l *Launch) Record() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Record{slices.Clone(l.record.Discoveries), slices.Clone(l.record.Requests), slices.Clone(l.record.Closings)}
}

// Await returns the record as soon as it is so, or when the context ends.
func (l *Launch) Await(ctx context.Context, is func(Record) bool) Record {
	for {
		l.mu.Lock()
		changed := l.changed
		l.mu.Unlock()
		if record := l.Record(); is(record) {
			return record
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return l.Record()
		}
	}
}

// note changes the record.
func (l *Launch) note(change func(*Record)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.record)
	close(l.changed)
	l.changed = make(chan struct{})
}

func mount(mux *http.ServeMux, core part.Core) {
	of := func(serve func(http.ResponseWriter, *http.Request, *Launch)) http.HandlerFunc {
		return core.WithLaunch(func(w http.ResponseWriter, r *http.Request, launch part.Launch) {
			l, is := launch.Kept().(*Launch)
			if !is {
				core.Unplanned(r, "this launch is no registration")
				core.Refuse(w, http.StatusNotFound, "This launch is no registration.")
				return
			}
			serve(w, r, l)
		})
	}
	mux.HandleFunc("GET "+serverPath+"{id}/openid-configuration", of(serveConfiguration))
	mux.HandleFunc("POST "+serverPath+"{id}/clients", of(serveRegistration))
	mux.HandleFunc("POST /launch/{id}/closed", of(serveClosed))
}

// serveClosed takes down that the course page got the message that closes the registration.
func serveClosed(w http.ResponseWriter, r *http.Request, l *Launch) {
	l.note(func(record *Record) {
		if len(record.Closings) < maxRecord {
			record.Closings = append(record.Closings, Closing{Origin: r.PostFormValue("origin"), Text: r.PostFormValue("text") == "true"})
		}
	})
	w.WriteHeader(http.StatusNoContent)
}

// configuration is what is answered where the configuration is asked for.
type configuration struct {
	*Launch
	members map[string]any
	instead http.HandlerFunc // in place of them
}

// configurationSaid is passed by it (Dynamic Registration 1.0, step 2).
var configurationSaid = &fault.Seam[configuration]{Name: "the OpenID configuration", Clone: func(c configuration) configuration {
	c.members = maps.Clone(c.members)
	return c
}}

// Variables are those that the platform substitutes in custom parameters, as far as it tells.
var variables = []string{"ResourceLink.id", "ResourceLink.title", "Context.id", "Context.title", "User.id", "Person.name.full"}

// claimsSupported are those that messages may have.
var claimsSupported = []string{"iss", "sub", "aud", "name", "given_name", "family_name", "middle_name", "email", "locale"}

// configuration is what the platform says of itself (OpenID Connect Discovery 1.0, 3; Dynamic
// Registration 1.0, step 2).
func (l *Launch) configuration() map[string]any {
	core := l.Core()
	var messages []map[string]any
	for _, message := range core.MessageTypes() {
		messages = append(messages, map[string]any{"type": message})
	}
	return map[string]any{
		"issuer":                                core.Issuer(),
		"authorization_endpoint":                l.invitation.AuthorizationEndpoint,
		"token_endpoint":                        core.TokenURL(),
		"token_endpoint_auth_methods_supported": []string{lti.AuthMethodPrivateKey},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256"},
		"jwks_uri":                              core.JWKSURL(),
		"registration_endpoint":                 l.registrationURL(),
		"scopes_supported":                      append([]string{lti.ScopeOpenID}, core.Scopes()...),
		"response_types_supported":              []string{lti.ResponseTypeIDToken},
		"subject_types_supported":               []string{"public", "pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported":                      claimsSupported,
		lti.PlatformConfiguration: map[string]any{
			"product_family_code": "invigilator", "version": "1", "messages_supported": messages, "variables": variables,
		},
	}
}

func serveConfiguration(w http.ResponseWriter, r *http.Request, l *Launch) {
	l.note(func(record *Record) {
		if len(record.Discoveries) < maxRecord {
			record.Discoveries = append(record.Discoveries, r.URL.RawQuery)
		}
	})
	said := configurationSaid.Pass(l.Carrier(), configuration{Launch: l, members: l.configuration()})
	if said.instead != nil {
		said.instead(w, r)
		return
	}
	answerJSON(w, http.StatusOK, said.members)
}
