package faketool

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/deeplinking"
	"invigilator.example/faketool/dynamicregistration"
	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/namesroles"
	"invigilator.example/faketool/part"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/faketool/review"
	"invigilator.example/faketool/storage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// parts are what the tool does with services in packages of their own, each behind those
// that it needs.
var parts = []part.Part{proctoring.Part, namesroles.Part, grades.Part, review.Part, deeplinking.Part, dynamicregistration.Part, storage.Part}

// Part returns what the package of a part gives to those who use the tool; nil where there
// is no such part. The package has a function that says of which type that is.
func (t *Tool) Part(profile string) any { return t.mounted[profile].Own }

// changesOfPart says whether a fault changes what a part sends.
func changesOfPart(f Fault, sent Sent) bool {
	return slices.ContainsFunc(parts, func(p part.Part) bool {
		return slices.ContainsFunc(p.Sends, func(s part.Sending) bool { return s.Sent == sent && s.Changed(f.Effects) })
	})
}

// takenByPart returns the type of messages that a part takes, where a message is of one.
func (t *Tool) takenByPart(c claims) (part.MessageType, bool) {
	of, profile := t.partOf(c)
	return of, profile != ""
}

// profileOf is the profile of the part that takes a message; empty where none does.
func (t *Tool) profileOf(c claims) string {
	_, profile := t.partOf(c)
	return profile
}

func (t *Tool) partOf(c claims) (of part.MessageType, profile string) {
	kind := t.kindOf(c)
	for _, one := range parts {
		for _, of := range t.mounted[one.Profile].Messages {
			if of.Type == kind {
				return of, one.Profile
			}
		}
	}
	return part.MessageType{}, ""
}

// forParts is what parts are told of a login.
func (begun *login) forParts(t *Tool) part.Begun {
	b := part.Begun{
		Platform: begun.registration, State: begun.state, Nonce: begun.nonce, Secret: begun.cookie, Request: begun.request.URL,
		ByCookie: func(w http.ResponseWriter, r *http.Request) { t.sendByCookie(w, r, begun) },
	}
	if begun.of != nil {
		b.Initiation, b.InFrame = begun.of.params, begun.of.initiation.InFrame
	}
	return b
}

// sentByPart is how a part sends a browser to the platform; nil where none does, as with logins
// that are held.
func (t *Tool) sentByPart(begun *login) http.HandlerFunc {
	if begun.of == nil || begun.of.held || begun.request.Method != http.MethodGet {
		return nil
	}
	for _, one := range parts {
		if sends := t.mounted[one.Profile].Sends; sends != nil {
			if by := sends(begun.forParts(t)); by != nil {
				return by
			}
		}
	}
	return nil
}

// askedByPart is how a part asks the browser that brings a response whether it has begun the login;
// nil where none has to.
func (t *Tool) askedByPart(q *response) http.HandlerFunc {
	t.mu.Lock()
	begun := t.ofState(q.state(), nil)
	t.mu.Unlock()
	if begun == nil || ownsLogin(q.r, begun) {
		return nil
	}
	for _, one := range parts {
		if asks := t.mounted[one.Profile].Asks; asks != nil {
			if by := asks(q.r, begun.forParts(t)); by != nil {
				return by
			}
		}
	}
	return nil
}

// ownedByPart says whether the browser has proved to a part that it has begun the login.
func (t *Tool) ownedByPart(q *response) bool {
	return slices.ContainsFunc(parts, func(one part.Part) bool {
		owns := t.mounted[one.Profile].Owns
		return owns != nil && owns(q.r, q.begun.forParts(t))
	})
}

// forParts is what parts are told of a response.
func (q *response) forParts() *part.Message {
	m := q.claims.forParts(q.form.Get(lti.ParamIDToken))
	if q.begun != nil {
		m.Platform, m.Target = q.begun.registration, q.begun.target
	}
	m.Request, m.Carrier = q.r, q.t.carrier
	m.Begin = func(w http.ResponseWriter) { q.t.startSession(w, q.t.launchOf(q)) }
	m.Open = func(w http.ResponseWriter) part.Launch {
		l := q.t.launchOf(q)
		l.ShownBy = q.t.profileOf(q.claims)
		return q.t.startSession(w, l).Launch
	}
	return m
}

func (c claims) forParts(token string) *part.Message {
	return &part.Message{Claims: c.members, Payload: c.payload, IDToken: token, Genuine: c.verified}
}

// Message reads the id_token of an answer as a message, without checking it. It fails where
// it cannot be read, and where there is no answer.
func (a *Answer) Message() (*part.Message, error) {
	if a == nil {
		return nil, errors.New("no message to answer")
	}
	_, c, err := decode(a.IDToken)
	m := c.forParts(a.IDToken)
	if a.Login != nil {
		m.Platform = a.Login.registration
	}
	if err != nil {
		return m, fmt.Errorf("%w: it cannot be read: %w", ErrUnusable, err)
	}
	return m, nil
}

// What is done alike in the tool and its parts.
var (
	change    = part.Change
	withQuery = part.WithQuery
)

// partFaults are the faults of parts.
func partFaults(parts []part.Part) []Fault {
	var all []Fault
	for _, one := range parts {
		all = append(all, fault.InPart(one.Profile, one.Faults)...)
	}
	return all
}

// actionsOf are what parts offer the user of a launch.
func (t *Tool) actionsOf(l Launch) []part.Action {
	var all []part.Action
	for _, one := range parts {
		if one.Actions == nil {
			continue
		}
		for _, action := range one.Actions(l.Launch) {
			action.Path = t.opts.URL + action.Path
			all = append(all, action)
		}
	}
	return all
}

// partCore is what parts may ask of a tool.
type partCore struct{ *Tool }

// Carrier carries the faults of the tool.
func (t partCore) Carrier() *fault.Carrier { return t.carrier }

// Launch returns a launch of the browser that sends a request.
func (t partCore) Launch(r *http.Request, id string) (part.Launch, error) {
	l, err := t.launchHere(r, id)
	return l.Launch, err
}

// Call calls a service.
func (t partCore) Call(ctx context.Context, c part.Call) (*Exchange, error) { return t.call(ctx, c) }

// KeptToken is an access token that is kept for a client; empty for none.
func (t partCore) KeptToken(of part.Client) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, kept := range t.grants {
		if key.of == of {
			return kept.token
		}
	}
	return ""
}

// NextPage returns where the page after one is that came from an address.
func (partCore) NextPage(header http.Header, from string) (string, bool) {
	return NextPage(header, from)
}

// Shown is what pages show of a launch.
func (t partCore) Shown(l part.Launch) part.Shown {
	t.mu.Lock()
	launch := t.sessions[l.ID]
	t.mu.Unlock()
	p := t.shown(launch)
	return part.Shown{Name: p.ShownName, Account: p.Account, Exit: p.Exit}
}

// Show sends a page.
func (t partCore) Show(w http.ResponseWriter, status int, page *template.Template, data any) {
	t.show(w, status, page, data)
}

// Refuse says why there is no page.
func (t partCore) Refuse(w http.ResponseWriter, err error) { t.refuse(w, err, "") }

// Nothing says that there is nothing at an address.
func (t partCore) Nothing(w http.ResponseWriter, r *http.Request) { t.serveNothing(w, r) }

// Page is the address of the page of a launch.
func (t partCore) Page(l part.Launch) string { return t.opts.URL + ResourcePath + "?launch=" + l.ID }

// LaunchURL is the redirect URI.
func (t partCore) LaunchURL() string { return t.Tool.LaunchURL() }

// ClientID is one that a platform knows the tool by.
func (t partCore) ClientID() string { return t.clientID() }

// URL is where browsers reach the tool.
func (t partCore) URL() string { return t.opts.URL }

// Now tells the tool's time.
func (t partCore) Now() time.Time { return t.opts.Now() }

// Remembers bounds each of what is remembered.
func (t partCore) Remembers() int { return t.opts.Remembers }

// Account is the number of a user's account.
func (t partCore) Account(c part.Claims) int { return t.number(t.users, t.userKey(claims{members: c})) }

// Registered returns a registration by what it is known by.
func (t partCore) Registered(issuer, clientID string) (Registration, bool) {
	return t.registered(issuer, clientID)
}

// OtherTool is another tool that is registered with the platform.
func (t partCore) OtherTool() OtherTool { return t.opts.OtherTool }

// SigningKey is the tool's own key, which signs.
func (t partCore) SigningKey() jwk.Key { return t.signingKey() }

// StrangerKeysURL is where the stranger's key set is.
func (t partCore) StrangerKeysURL() string { return t.opts.URL + strangerKeysPath }

// AccessToken returns an access token of a platform for a scope.
func (t partCore) AccessToken(ctx context.Context, of Registration, deployment, scope, spent string) (string, error) {
	return t.accessToken(ctx, client{Issuer: of.Issuer, ClientID: of.ClientID, Deployment: deployment}, []string{scope}, scope, spent)
}

// Send sends a request and reads the beginning of the answer.
func (t partCore) Send(r *http.Request, shownURL, shownBody string) part.Exchange {
	return t.exchange(r, shownURL, shownBody)
}

// Return is a return URL with a message for the platform.
func (t partCore) Return(to string, message url.Values) string { return t.returnWith(to, message) }

// Cookie makes one that comes back in a cross-site frame as well.
func (t partCore) Cookie(name, value string) *http.Cookie { return t.cookie(name, value) }
