package proctoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// A MessageProbe says how StartAssessment is sent.
type MessageProbe struct {
	// Fault is what differs from a valid message; nil for nothing.
	Fault *part.Stimulus
	// Other is the StartProctoring message that a fault with Borrows takes a value from.
	Other part.Received
	// Earlier is the message that a fault with Repeats takes a value from.
	Earlier *ToolMessage
	// With are further or other claims than those of a message that repeats what
	// StartProctoring said; a nil value takes the claim away.
	With lti.Claims
	// To is posted to instead of start_assessment_url, where it is not empty.
	To string
	// Key signs instead of the tool's own.
	Key jwk.Key
}

// A ToolMessage is a message that is ready to be sent by a browser. Its maps are
// not to be changed.
type ToolMessage struct {
	// Address is the page of this tool that sends it; each visit sends the same.
	// The tool remembers the last 1000.
	Address string
	// Method, To and Form are what the browser sends: JWT is a parameter of Form,
	// as a rule.
	Method, To string
	Form       url.Values
	JWT        string
	Claims     lti.Claims // as they were signed

	id      string
	gathers *together.Gathering // of pages that wait for one another; nil for none
}

// messageDraft is a message that a fault may still change.
type messageDraft struct {
	core       part.Core
	issuer     string // of the platform
	claims     lti.Claims
	sign       signing.Way // nil for the right one
	key        jwk.Key
	field      string // the parameter that holds the token; none when empty
	form       url.Values
	method, to string

	start, other *part.Message // of StartProctoring: the one that is answered, and another; nil for none
	earlier      *ToolMessage  // of this tool
	err          error         // why a fault cannot change it
}

// startAssessment is the message that starts the assessment of a sitting
// (Proctoring Services 1.0, 4.3; Security Framework 1.0, 5.2.2).
func (p *Proctor) startAssessment(s *sitting) *messageDraft {
	now := p.core.Now()
	d := &messageDraft{core: p.core, key: p.core.SigningKey(), issuer: s.registration.Issuer, field: lti.ParamJWT, form: url.Values{}, method: http.MethodPost, to: s.startURL, claims: lti.Claims{
		"iss": s.registration.ClientID, "aud": s.registration.Issuer,
		"iat": now.Unix(), "exp": now.Add(signing.Lifetime).Unix(), "nonce": lti.RandomString(),
		lti.ClaimMessageType:         lti.StartAssessment,
		lti.ClaimVersion:             lti.Version,
		lti.ClaimVerifiedUser:        maps.Clone(s.verified),
		lti.ClaimEndAssessmentReturn: true,
	}}
	for name, value := range s.raw {
		d.claims[name] = value
	}
	return d
}

// message signs what a draft says.
func (p *Proctor) message(d *messageDraft) (*ToolMessage, error) {
	token, err := d.sign.Sign(d.claims, d.key)
	if err != nil {
		return nil, err
	}
	if d.field != "" {
		d.form.Set(d.field, token)
	}
	id := lti.RandomString()
	return &ToolMessage{
		Address: p.core.URL() + MessagePath + "/" + id, Method: d.method, To: d.to, Form: d.form, JWT: token, Claims: d.claims, id: id,
	}, nil
}

// StartAssessment prepares the message that answers a StartProctoring message,
// valid or not. Nothing is sent before a browser visits its address.
//
// It fails where the answer is none of StartProctoring, where the fault is none
// of a message or lacks what it needs, and with [part.ErrUnchanged].
func (p *Proctor) StartAssessment(to part.Received, probe MessageProbe) (*ToolMessage, error) {
	message, err := p.probe(to, probe)
	if err != nil {
		return nil, fmt.Errorf("proctoring: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.messages) == p.core.Remembers() {
		p.messages = slices.Delete(p.messages, 0, 1)
	}
	p.messages = append(p.messages, message)
	return message, nil
}

func (p *Proctor) probe(to part.Received, probe MessageProbe) (*ToolMessage, error) {
	start, err := p.startProctoring(to)
	if err != nil {
		return nil, err
	}
	s := p.sittingOf(start)
	d := p.startAssessment(s)
	d.start, d.earlier = start, probe.Earlier
	if probe.Other != nil {
		d.other, _ = probe.Other.Message() // what cannot be read has nothing to borrow
	}
	if probe.Key != nil {
		d.key = probe.Key
	}
	part.Change(d.claims, probe.With)
	if probe.To != "" {
		d.to = probe.To
	}
	if f := probe.Fault; f != nil {
		if d, err = changeMessage(s, d, f); err != nil {
			return nil, err
		}
	}
	if u, err := url.Parse(d.to); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%w: nothing can be posted to %q", part.ErrUnusable, clip(d.to, maxShown))
	}
	return p.message(d)
}

// startProctoring reads a StartProctoring message without checking it.
func (p *Proctor) startProctoring(to part.Received) (*part.Message, error) {
	if to == nil {
		return nil, errors.New("no message to answer")
	}
	start, err := to.Message()
	if err != nil {
		return nil, err
	}
	if start.Type() != lti.StartProctoring {
		return nil, fmt.Errorf("%w: it is none of %s", part.ErrUnusable, lti.StartProctoring)
	}
	if start.Platform.Issuer == "" { // nobody asked for it: it is of whom it names
		issuer, _ := start.Text("iss")
		clientID, _ := start.Text("aud")
		platform, known := p.core.Registered(issuer, clientID)
		if !known {
			return nil, errors.New("the message is of a platform that is not registered")
		}
		start.Platform = platform
	}
	return start, nil
}

// changeMessage applies a fault to a message.
func changeMessage(s *sitting, d *messageDraft, f *part.Stimulus) (*messageDraft, error) {
	switch {
	case !startMessage.Changed(f.Effects):
		return nil, fmt.Errorf("fault %s is none of a message", f.Name)
	case f.Borrows && d.other == nil:
		return nil, fmt.Errorf("fault %s needs another message to borrow from", f.Name)
	case f.Repeats && d.earlier == nil:
		return nil, fmt.Errorf("fault %s needs an earlier message to repeat", f.Name)
	}
	said := starting{s, *d}
	err := f.Changes(func() string { return said.draft.snapshot() }, func() error {
		said = startMessage.Pass(fault.Carry(f.Effects...), said)
		return said.draft.err
	})
	return &said.draft, err
}

// snapshot is the same for the same message only.
func (d *messageDraft) snapshot() string {
	claims, _ := json.Marshal(d.claims) // signing tells of an error
	return fmt.Sprint(string(claims), d.sign != nil, d.key, d.field, d.form.Encode(), d.method, d.to)
}

// borrowed returns a claim of the other StartProctoring message as it came, and
// nil where there is none.
func (d *messageDraft) borrowed(name string) json.RawMessage { return d.other.Raw(name) }

// submission is a form that submits itself.
type submission struct {
	Action template.HTMLAttr
	Params url.Values
}

// submit lets a browser send a message. The URL is written as it is: to make it
// anew would be to change it.
func (p *Proctor) submit(w http.ResponseWriter, r *http.Request, m *ToolMessage) {
	if m.Method == http.MethodGet {
		http.Redirect(w, r, part.WithQuery(m.To, m.Form.Encode()), http.StatusSeeOther)
		return
	}
	p.show(w, "message", submission{template.HTMLAttr(`action="` + template.HTMLEscapeString(m.To) + `"`), m.Form})
}

// serveMessage submits a message that [Proctor.StartAssessment] prepared.
func (p *Proctor) serveMessage(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	i := slices.IndexFunc(p.messages, func(m *ToolMessage) bool { return m.id == r.PathValue("id") })
	var m *ToolMessage
	var g *together.Gathering
	if i >= 0 {
		m, g = p.messages[i], p.messages[i].gathers
	}
	p.mu.Unlock()
	if m == nil {
		p.core.Nothing(w, r)
		return
	}
	if g != nil {
		g.Meet(r.Context())
	}
	p.submit(w, r, m)
}

// Together makes the pages of messages wait for one another: the next visits to them, n in
// all, are answered when all of them have come, or after some seconds. So browsers send the
// messages, or one of them n times, at the same moment.
func (p *Proctor) Together(n int, messages ...*ToolMessage) {
	g := together.Gather(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range messages {
		m.gathers = g
	}
}
