package fakeplatform

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"invigilator.example/fakeplatform/deeplinking"
	"invigilator.example/fakeplatform/dynamicregistration"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/namesroles"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/fakeplatform/storage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// parts are the services that have a package of their own.
var parts = []part.Part{grades.Part, review.Part, proctoring.Part, namesroles.Part, deeplinking.Part, dynamicregistration.Part, storage.Part}

// Parts are the profiles of all services that a launch can offer by [Plan.Offers].
func Parts() []string {
	var profiles []string
	for _, one := range parts {
		if one.Claims != nil || one.Initiates != nil {
			profiles = append(profiles, one.Profile)
		}
	}
	return profiles
}

// partFaults are the faults of parts.
func partFaults(parts []part.Part) []Fault {
	var all []Fault
	for _, one := range parts {
		all = append(all, fault.InPart(one.Profile, one.Faults)...)
	}
	return all
}

func scopesOf(parts []part.Part) []string {
	var scopes []string
	for _, one := range parts {
		scopes = append(scopes, one.Scopes...)
	}
	return scopes
}

func serverPathsOf(parts []part.Part) []string {
	var paths []string
	for _, one := range parts {
		paths = append(paths, one.ServerPaths...)
	}
	return paths
}

// keptBy is what parts keep of a platform, by their profiles.
func keptBy(parts []part.Part, core part.Core) map[string]any {
	kept := map[string]any{}
	for _, one := range parts {
		if one.Keep != nil {
			kept[one.Profile] = one.Keep(core)
		}
	}
	return kept
}

// messageOf is the message of a part that has a type; nil where no part has one.
func messageOf(messageType string) *part.Message {
	for _, one := range parts {
		for i := range one.Messages {
			if one.Messages[i].Type == messageType {
				return &one.Messages[i]
			}
		}
	}
	return nil
}

// offering are the launches by which parts have last offered a tool services.
func (p *Platform) offering(clientID string) []*Launch {
	var launches []*Launch
	for _, one := range parts {
		if one.Offering == nil {
			continue
		}
		if l, is := one.Offering(partCore{p}, clientID).(partLaunch); is {
			launches = append(launches, l.Launch)
		}
	}
	return launches
}

// offersParts adds what a launch says of the services that it offers.
func (p *Platform) offersParts(plan Plan, claims lti.Claims) {
	for _, one := range parts {
		if one.Claims != nil && plan.Context.ID != "" && slices.Contains(plan.Offers, one.Profile) {
			maps.Copy(claims, one.Claims(partCore{p}, plan.ofPart()))
		}
	}
}

// PartCalls returns the requests to the services of parts in a context, in order and at
// most a thousand.
func (p *Platform) PartCalls(contextID string) []part.Call {
	p.taught.mu.Lock()
	defer p.taught.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.taught.calls), func(c part.Call) bool { return c.Context != contextID })
}

// A shelf is what a tool has in a context.
type shelf struct{ clientID, contextID string }

// maxPeople bounds how many of those who were launched in a context are remembered.
const maxPeople = 1000

// taught is where tools have been launched.
type taught struct {
	mu       sync.Mutex
	contexts map[shelf]*taughtContext
	calls    []part.Call
}

// A taughtContext is a context where a tool has been launched.
type taughtContext struct {
	Context
	latest *Launch
	links  []*Launch // the latest of each resource link
	people []User    // who were launched there
}

// note notes where a launch is one, and whose it is.
func (t *taught) note(l *Launch) {
	if l.plan.Context.ID == "" || l.plan.Anonymous {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := shelf{l.plan.ClientID, l.plan.Context.ID}
	known := t.contexts[at]
	if known == nil {
		known = &taughtContext{}
		t.contexts[at] = known
	}
	known.Context, known.latest = l.plan.Context, l
	known.links = append(slices.DeleteFunc(known.links, func(other *Launch) bool { return other.plan.ResourceLink.ID == l.plan.ResourceLink.ID }), l)
	if !slices.ContainsFunc(known.people, func(u User) bool { return u.Sub == l.plan.User.Sub }) && len(known.people) < maxPeople {
		known.people = append(known.people, l.plan.User)
	}
}

// at finds what is known of a place, while it is locked, and the launch by which the tool
// knows it: of a context, the latest that says who the user is, if there is any.
func (t *taught) at(place part.Place) (*taughtContext, *Launch) {
	for at, known := range t.contexts {
		if at.contextID != place.Context || place.ClientID != "" && at.clientID != place.ClientID {
			continue
		}
		var found *Launch
		for _, l := range known.links {
			switch {
			case place.ResourceLink != "" && l.plan.ResourceLink.ID != place.ResourceLink:
			case found == nil || found.plan.HidePersonalData || !l.plan.HidePersonalData:
				found = l
			}
		}
		if found != nil {
			return known, found
		}
	}
	return nil, nil
}

// Part returns what the part with a profile keeps of the platform, and nil for nothing.
func (p *Platform) Part(profile string) any { return p.parts[profile] }

// partLaunch is what parts may ask of a launch.
type partLaunch struct{ *Launch }

func (l partLaunch) ID() string                 { return l.id }
func (l partLaunch) Planned() time.Time         { return l.planned }
func (l partLaunch) Plan() part.Plan            { return l.plan.ofPart() }
func (l partLaunch) Core() part.Core            { return partCore{l.platform} }
func (l partLaunch) Registration() Registration { return l.registration }
func (l partLaunch) Kept() part.Kept            { return l.kept }
func (l partLaunch) Carrier() *fault.Carrier    { return l.carrier() }
func (l partLaunch) IDToken() string            { return l.Record().IDToken }

// OfBrowser says whether a request comes from the browser of the launch's user.
func (l partLaunch) OfBrowser(r *http.Request) bool {
	if l.platform.opts.SignedIn != nil {
		return l.platform.opts.SignedIn(r) == l.plan.Account
	}
	return slices.Contains(sessionsOf(r), l.session)
}

// Answered are the fields that the launch was answered with.
func (l partLaunch) Answered() url.Values {
	_, fields, _ := l.Answer() // none before
	return fields
}

// Other are the parameters of the authentication request of the launch that the fault
// borrows from.
func (l partLaunch) Other() url.Values {
	if l.plan.Other == nil {
		return nil
	}
	params, _ := l.plan.Other.Request()
	return params
}

// OtherIDToken is what that launch was answered with.
func (l partLaunch) OtherIDToken() string {
	if l.plan.Other == nil {
		return ""
	}
	return l.plan.Other.Record().IDToken
}

// Granted says whether an access token was granted since.
func (l partLaunch) Granted(accessToken string) bool {
	_, granted := l.granted.Load(accessToken)
	return granted
}

// ofPart is what a part may know of a plan.
func (plan Plan) ofPart() part.Plan {
	known := part.Plan{
		ClientID: plan.ClientID, DeploymentID: plan.DeploymentID, Message: plan.Message, Sub: plan.User.Sub, Roles: plan.User.Roles, Context: plan.Context.ID,
		Destination: part.Destination{ResourceLink: plan.ResourceLink.ID, TargetLinkURI: plan.TargetLinkURI, Custom: plan.Custom, Offers: plan.Offers},
		Title:       plan.ResourceLink.Title, Scopes: plan.Scopes, ReturnTo: plan.ReturnTo, Framed: plan.Target == IFrame,
		Personal: !plan.HidePersonalData && !plan.Anonymous, Lenient: plan.Lenient, Faulty: plan.Fault != nil, Needs: plan.Needs, About: plan.About,
	}
	if plan.Anonymous {
		known.Sub = ""
	}
	return known
}

// partCore is what parts may ask of a platform.
type partCore struct{ *Platform }

// ServerURL is where tools' servers reach the platform.
func (p partCore) ServerURL() string { return p.opts.ServerURL }

// Issuer is the identifier that tools know the platform by, whatever a message says.
func (p partCore) Issuer() string { return p.issuer }

// MessageTypes are those of the messages that the platform launches tools with.
func (partCore) MessageTypes() []string {
	types := []string{lti.ResourceLinkRequest}
	for _, one := range parts {
		for _, message := range one.Messages {
			if !message.Unregistered {
				types = append(types, message.Type)
			}
		}
	}
	return types
}

// Scopes are those of the services that the platform offers.
func (partCore) Scopes() []string { return scopesOf(parts) }

func (p partCore) Now() time.Time { return p.opts.Now() }

// Registration is what is known of a tool.
func (p partCore) Registration(clientID string) (Registration, bool) {
	return p.registrationOf(clientID)
}

// Account is that of the user who is signed in, where the platform has sessions.
func (p partCore) Account(r *http.Request) (string, bool) {
	if p.opts.SignedIn == nil {
		return "", false
	}
	return p.opts.SignedIn(r), true
}

// WithLaunch serves what is below the URL of a launch.
func (p partCore) WithLaunch(serve func(http.ResponseWriter, *http.Request, part.Launch)) http.HandlerFunc {
	return p.withLaunch(func(w http.ResponseWriter, r *http.Request, l *Launch) { serve(w, r, partLaunch{l}) })
}

// Begin begins a launch that follows another one.
func (p partCore) Begin(message string, about any) (part.Launch, error) {
	l, err := p.Platform.Begin(Plan{Message: message, About: about})
	if err != nil {
		return nil, err
	}
	return partLaunch{l}, nil
}

// Verify checks that a message is signed by a tool.
func (p partCore) Verify(ctx context.Context, message jwt.Token, clientID string) error {
	return p.toolKeys.Verify(ctx, jwt.Message, message, clientID)
}

// Unplanned tells of a request that no launch accounts for.
func (p partCore) Unplanned(r *http.Request, why string) { p.unplanned(r, why) }

// Refuse answers a browser with a page.
func (p partCore) Refuse(w http.ResponseWriter, status int, says string) { refuse(w, status, says) }

// Token reads the access token of a request.
func (p partCore) Token(r *http.Request, need part.Need) (part.Token, error) {
	presented := part.TokenPresented.Pass(p.carrier, part.Present(r, need, p))
	err := part.CredentialRules.First(p.carrier, &presented)
	if err == nil && presented.Bearer {
		p.mu.Lock()
		known, there := p.accessTokens[presented.Value]
		p.mu.Unlock()
		if presented.Known = there; there {
			presented.Token = known
		}
		presented = part.TokenLookedUp.Pass(p.carrier, presented)
		err = part.TokenRules.First(p.carrier, &presented)
	}
	return presented.Token, part.TokenRefused.Pass(p.carrier, part.TokenRefusal{Presented: &presented, Why: err}).Why
}

// TokenLike finds an access token by its value.
func (p partCore) TokenLike(is func(value string) bool) (part.Token, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for value, known := range p.accessTokens {
		if is(value) {
			return known, true
		}
	}
	return part.Token{}, false
}

// Context returns the context where a tool was launched.
func (p partCore) Context(at part.Place) (part.Context, bool) {
	p.taught.mu.Lock()
	defer p.taught.mu.Unlock()
	known, _ := p.taught.at(part.Place{ClientID: at.ClientID, Context: at.Context})
	if known == nil {
		return part.Context{}, false
	}
	return known.Context, true
}

// People returns the people of a context, where the application says who they are.
func (p partCore) People(contextID string) ([]User, bool) {
	if p.opts.Members == nil {
		return nil, false
	}
	return p.opts.Members(contextID), true
}

// Members returns the people who have access to a place.
func (p partCore) Members(at part.Place) ([]part.Member, bool) {
	p.taught.mu.Lock()
	known, by := p.taught.at(at)
	var people []User
	if known != nil {
		people = slices.Clone(known.people)
	}
	p.taught.mu.Unlock()
	if known == nil {
		return nil, false
	}
	switch {
	case p.opts.Members != nil:
		people = p.opts.Members(at.Context)
	case by.plan.Members != nil:
		people = by.plan.Members
	}
	var members []part.Member
	for _, user := range people {
		members = append(members, p.memberBy(by, user))
	}
	return members, true
}

// memberBy is a member as the launch of another user shows everybody.
func (p partCore) memberBy(by *Launch, user User) part.Member {
	plan := by.plan
	plan.User, plan.Offers, plan.Fault = user, nil, nil
	claims := by.claims(plan, url.Values{}, p.opts.Now())
	p.substitute(claims)
	plan.HidePersonalData = false
	withheld := by.claims(plan, url.Values{}, p.opts.Now())
	for name := range claims {
		delete(withheld, name)
	}
	return part.Member{Claims: claims, Withheld: withheld}
}

// Carrier carries the faults of the platform, and those of the tool's latest launch in a
// context.
func (p partCore) Carrier(at part.Place) *fault.Carrier {
	p.taught.mu.Lock()
	defer p.taught.mu.Unlock()
	known := p.taught.contexts[shelf{at.ClientID, at.Context}]
	if known == nil {
		return p.carrier
	}
	return known.latest.carrier()
}

// with carries the faults of the platform, and one of a launch; nil for none.
func (p *Platform) with(f *Fault) *fault.Carrier {
	if f == nil || len(f.Effects) == 0 {
		return p.carrier
	}
	return fault.Carry(slices.Concat(p.effects, f.Effects)...)
}

// Note keeps a request to the service of a part.
func (p partCore) Note(c part.Call) {
	p.taught.mu.Lock()
	defer p.taught.mu.Unlock()
	p.taught.calls = last(append(p.taught.calls, c), maxServiceRecord)
}
