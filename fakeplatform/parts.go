package fakeplatform

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"invigilator.example/fakeplatform/namesroles"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// parts are the services that have a package of their own.
var parts = []part.Part{namesroles.Part}

// Parts are the profiles of all services that a launch can offer by [Plan.Offers].
func Parts() []string {
	var profiles []string
	for _, one := range parts {
		profiles = append(profiles, one.Profile)
	}
	return profiles
}

// partFaults are the faults of parts.
func partFaults(parts []part.Part) []Fault {
	var all []Fault
	for _, one := range parts {
		for _, f := range one.Faults {
			all = append(all, Fault{
				Name: f.Name, Does: f.Does, Provokes: f.Provokes, Proves: f.Proves, Conduct: f.Provokes == "" && f.Proves == "",
				Permitted: f.Permitted, Part: Part(one.Profile), Effects: f.Effects, inMessage: f.InMessage,
			})
		}
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

// offersParts adds what a launch says of the services that it offers.
func (p *Platform) offersParts(plan Plan, claims lti.Claims) {
	for _, one := range parts {
		if plan.Context.ID != "" && slices.Contains(plan.Offers, one.Profile) {
			maps.Copy(claims, one.Claims(partCore{p}, part.Place{ClientID: plan.ClientID, Context: plan.Context.ID, ResourceLink: plan.ResourceLink.ID}))
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
	if !slices.ContainsFunc(known.people, func(u User) bool { return u.Sub == l.plan.User.Sub }) && len(known.people) < maxColumns {
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

// partCore is what parts may ask of a platform.
type partCore struct{ *Platform }

// ServerURL is where tools' servers reach the platform.
func (p partCore) ServerURL() string { return p.opts.ServerURL }

// Token reads the access token of a request.
func (p partCore) Token(r *http.Request) (part.Token, error) {
	c := credentialsOf(r)
	wrong := p.checkToken(r, &c, guard{})
	token := part.Token{ClientID: c.known.clientID, Scopes: c.known.scopes}
	if len(wrong) > 0 {
		return token, &part.Refusal{Status: wrong[0].status, Code: wrong[0].code, Says: wrong[0].says}
	}
	return token, nil
}

// Context returns the context where a tool was launched.
func (p partCore) Context(at part.Place) (part.Context, bool) {
	p.taught.mu.Lock()
	defer p.taught.mu.Unlock()
	known, _ := p.taught.at(part.Place{ClientID: at.ClientID, Context: at.Context})
	if known == nil {
		return part.Context{}, false
	}
	return part.Context(known.Context), true
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
	plan.User, plan.Grades, plan.Offers, plan.Fault = user, nil, nil, nil
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
	if known == nil || known.latest.plan.Fault == nil || len(known.latest.plan.Fault.Effects) == 0 {
		return p.carrier
	}
	return fault.Carry(slices.Concat(p.effects, known.latest.plan.Fault.Effects)...)
}

// Note keeps a request to the service of a part.
func (p partCore) Note(c part.Call) {
	p.taught.mu.Lock()
	defer p.taught.mu.Unlock()
	p.taught.calls = last(append(p.taught.calls, c), maxServiceRecord)
}
