package faketool

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

	"invigilator.example/faketool/signing"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// MessagePath begins the address of the page that submits a message: MessagePath + "/" + id.
const MessagePath = "/message"

// tokenLifetime is how long what the tool signs may be used.
const tokenLifetime = signing.Lifetime

// A MessageProbe says how StartAssessment is sent.
type MessageProbe struct {
	// Fault is what differs from a valid message; nil for nothing.
	Fault *Fault
	// Other is the StartProctoring message that a fault with Borrows takes a value from.
	Other *Answer
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
	tool       *Tool
	issuer     string // of the platform
	claims     lti.Claims
	sign       signing.Way // nil for the right one
	key        jwk.Key     // the tool's own when nil
	field      string      // the parameter that holds the token; none when empty
	form       url.Values
	method, to string

	start, other *Answer      // of StartProctoring: the one that is answered, and another
	earlier      *ToolMessage // of this tool
}

// startAssessment is the message that starts the assessment of a sitting
// (Proctoring Services 1.0, 4.3; Security Framework 1.0, 5.2.2).
func (t *Tool) startAssessment(s *sitting) *messageDraft {
	now := t.opts.Now()
	d := &messageDraft{tool: t, issuer: s.registration.Issuer, field: lti.ParamJWT, form: url.Values{}, method: http.MethodPost, to: s.startURL, claims: lti.Claims{
		"iss": s.registration.ClientID, "aud": s.registration.Issuer,
		"iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix(), "nonce": lti.RandomString(),
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
func (t *Tool) message(d *messageDraft) (*ToolMessage, error) {
	token, err := t.sign(d.claims, d.key, d.sign)
	if err != nil {
		return nil, err
	}
	if d.field != "" {
		d.form.Set(d.field, token)
	}
	id := lti.RandomString()
	return &ToolMessage{
		Address: t.opts.URL + MessagePath + "/" + id, Method: d.method, To: d.to, Form: d.form, JWT: token, Claims: d.claims, id: id,
	}, nil
}

// StartAssessment prepares the message that answers a StartProctoring message,
// valid or not. Nothing is sent before a browser visits its address.
//
// It fails where the answer is none of StartProctoring, where the fault is none
// of a message or lacks what it needs, and with [ErrUnchanged].
func (t *Tool) StartAssessment(a *Answer, p MessageProbe) (*ToolMessage, error) {
	c, err := startProctoring(a)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	registration, ok := t.registrationOf(a, c)
	if !ok {
		return nil, errors.New("faketool: the message is of a platform that is not registered")
	}
	d := t.startAssessment(t.sittingOf(c, registration))
	d.start, d.other, d.earlier, d.key = a, p.Other, p.Earlier, p.Key
	change(d.claims, p.With)
	if p.To != "" {
		d.to = p.To
	}
	if p.Fault != nil {
		if err := p.Fault.changeMessage(d); err != nil {
			return nil, fmt.Errorf("faketool: %w", err)
		}
	}
	if u, err := url.Parse(d.to); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("faketool: %w: nothing can be posted to %q", ErrUnusable, clip(d.to))
	}
	message, err := t.message(d)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.messages) == t.opts.Remembers {
		t.messages = slices.Delete(t.messages, 0, 1)
	}
	t.messages = append(t.messages, message)
	return message, nil
}

// startProctoring reads a StartProctoring message without checking it.
func startProctoring(a *Answer) (claims, error) {
	if a == nil {
		return claims{}, errors.New("no message to answer")
	}
	_, c, err := decode(a.IDToken)
	if err != nil {
		return claims{}, fmt.Errorf("%w: it cannot be read: %w", ErrUnusable, err)
	}
	if c.messageType() != lti.StartProctoring {
		return claims{}, fmt.Errorf("%w: it is none of %s", ErrUnusable, lti.StartProctoring)
	}
	return c, nil
}

// registrationOf is the one that a message was asked for by, or else the one
// that it names.
func (t *Tool) registrationOf(a *Answer, c claims) (Registration, bool) {
	if a.Login != nil {
		return a.Login.registration, true
	}
	issuer, _ := c.text("iss")
	clientID, _ := c.text("aud")
	return t.registered(issuer, clientID)
}

// registered returns a registration by what it is known by.
func (t *Tool) registered(issuer, clientID string) (Registration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.registrations, func(r Registration) bool { return r.Issuer == issuer && r.ClientID == clientID })
	if i < 0 {
		return Registration{}, false
	}
	return t.registrations[i], true
}

// changeMessage applies the fault to a message.
func (f *Fault) changeMessage(d *messageDraft) error {
	switch {
	case f.message == nil:
		return fmt.Errorf("fault %s is none of a message", f.Name)
	case f.Borrows && d.other == nil:
		return fmt.Errorf("fault %s needs another message to borrow from", f.Name)
	case f.Repeats && d.earlier == nil:
		return fmt.Errorf("fault %s needs an earlier message to repeat", f.Name)
	}
	return f.changes(d.snapshot, func() error { return f.message(d) })
}

// changes applies the fault and holds what is sent against what it was before.
func (f *Fault) changes(snapshot func() string, apply func() error) error {
	before := snapshot()
	if err := apply(); err != nil {
		return fmt.Errorf("fault %s: %w", f.Name, err)
	}
	if snapshot() == before && !f.Permitted {
		return fmt.Errorf("fault %s: %w", f.Name, ErrUnchanged)
	}
	return nil
}

// snapshot is the same for the same message only.
func (d *messageDraft) snapshot() string {
	claims, _ := json.Marshal(d.claims) // signing tells of an error
	return fmt.Sprint(string(claims), d.sign != nil, d.key, d.field, d.form.Encode(), d.method, d.to)
}

// borrowed returns a claim of the other StartProctoring message as it came, and
// nil where there is none.
func (d *messageDraft) borrowed(name string) json.RawMessage {
	_, c, err := decode(d.other.IDToken)
	if err != nil {
		return nil
	}
	return c.raw(name)
}

// submission is a form that submits itself.
type submission struct {
	Action template.HTMLAttr
	Params url.Values
}

// submit lets a browser send a message. The URL is written as it is: to make it
// anew would be to change it.
func (t *Tool) submit(w http.ResponseWriter, r *http.Request, m *ToolMessage) {
	if m.Method == http.MethodGet {
		http.Redirect(w, r, withQuery(m.To, m.Form.Encode()), http.StatusSeeOther)
		return
	}
	t.render(w, http.StatusOK, "message", submission{template.HTMLAttr(`action="` + template.HTMLEscapeString(m.To) + `"`), m.Form})
}

// serveMessage submits a message that [Tool.StartAssessment] prepared.
func (t *Tool) serveMessage(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	i := slices.IndexFunc(t.messages, func(m *ToolMessage) bool { return m.id == r.PathValue("id") })
	var m *ToolMessage
	var g *together.Gathering
	if i >= 0 {
		m, g = t.messages[i], t.messages[i].gathers
	}
	t.mu.Unlock()
	if m == nil {
		t.serveNothing(w, r)
		return
	}
	if g != nil {
		g.Meet(r.Context())
	}
	t.submit(w, r, m)
}
