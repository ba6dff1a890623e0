// Package toolmessage makes messages that the fake tool signs and browsers bring to a platform
// (Security Framework 1.0, 5.2): in the right way, and as faults and stimuli change them.
package toolmessage

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/together"
)

// A Message is one that is ready to be sent by a browser. Its maps are not to be changed.
type Message struct {
	// Address is the page of the tool that sends it; each visit sends the same.
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

// A Draft is a message that a fault may still change.
type Draft struct {
	Core   part.Core
	Issuer string // of the platform
	Claims lti.Claims
	Sign   signing.Way // nil for the right one
	Key    jwk.Key
	Field  string // the parameter that holds the token; none when empty
	Form   url.Values
	Method string
	To     string

	Answers, Other *part.Message // of the platform: the one that is answered, and another; nil for none
	Earlier        *Message      // of this tool; nil for none
	Err            error         // why a fault cannot change it
}

// New is a valid message to a platform, which says this beside what every message says
// (Security Framework 1.0, 5.2.2).
func New(core part.Core, platform part.Registration, to string, claims lti.Claims) Draft {
	now := core.Now()
	d := Draft{
		Core: core, Issuer: platform.Issuer, Key: core.SigningKey(), Field: lti.ParamJWT, Form: url.Values{}, Method: http.MethodPost, To: to,
		Claims: lti.Claims{
			"iss": platform.ClientID, "aud": platform.Issuer,
			"iat": now.Unix(), "exp": now.Add(signing.Lifetime).Unix(), "nonce": lti.RandomString(),
			lti.ClaimVersion: lti.Version,
		},
	}
	maps.Copy(d.Claims, claims)
	return d
}

// Clone copies what a fault may change.
func (d Draft) Clone() Draft {
	d.Claims, d.Form = maps.Clone(d.Claims), maps.Clone(d.Form)
	return d
}

// Snapshot is the same for the same message only.
func (d *Draft) Snapshot() string {
	claims, _ := json.Marshal(d.Claims) // signing tells of an error
	return fmt.Sprint(string(claims), d.Sign != nil, d.Key, d.Field, d.Form.Encode(), d.Method, d.To)
}

// Text returns a claim that is text, and nothing where it is none.
func (d *Draft) Text(name string) (text string) {
	d.Read(name, &text)
	return text
}

// Object returns a claim that is an object, to be changed at will.
func (d *Draft) Object(name string) (object map[string]any) {
	d.Read(name, &object)
	return object
}

// Read reads a claim, which may be as it came; what it is not stays empty.
func (d *Draft) Read(name string, into any) {
	if raw, err := json.Marshal(d.Claims[name]); err == nil {
		_ = json.Unmarshal(raw, into)
	}
}

// Answered reads the message of a platform that one is to answer, which has to be of a type. It
// does not check it.
func Answered(core part.Core, to part.Received, messageType string) (*part.Message, error) {
	if to == nil {
		return nil, errors.New("no message to answer")
	}
	m, err := to.Message()
	if err != nil {
		return nil, err
	}
	if m.Type() != messageType {
		return nil, fmt.Errorf("%w: it is none of %s", part.ErrUnusable, messageType)
	}
	if m.Platform.Issuer == "" { // nobody asked for it: it is of whom it names
		issuer, _ := m.Text("iss")
		clientID, _ := m.Text("aud")
		platform, known := core.Registered(issuer, clientID)
		if !known {
			return nil, errors.New("the message is of a platform that is not registered")
		}
		m.Platform = platform
	}
	return m, nil
}

// Vary applies a stimulus, nil for none, to what passes the seam of a message, whose draft is part
// of it. It fails where the stimulus is none of such a message or lacks what it needs, and with
// [part.ErrUnchanged].
func Vary[T any](seam *fault.Seam[T], f *fault.Fault, said T, draft func(*T) *Draft) (T, error) {
	d := draft(&said)
	switch {
	case f == nil:
		return said, nil
	case !seam.Changed(f.Effects):
		return said, fmt.Errorf("fault %s is none of a message of this type", f.Name)
	case f.Borrows != "" && d.Other == nil:
		return said, fmt.Errorf("fault %s needs another message to borrow from", f.Name)
	case f.Needs.Has(fault.EarlierMessage) && d.Earlier == nil:
		return said, fmt.Errorf("fault %s needs an earlier message to repeat", f.Name)
	}
	err := part.Apply(f, func() string { return draft(&said).Snapshot() }, func() error {
		said = seam.Pass(fault.Carry(f.Effects...), said)
		return draft(&said).Err
	})
	return said, err
}

// An Outbox is where the messages of a part wait for browsers. It is safe for concurrent use.
type Outbox struct {
	core part.Core
	path string

	mu       sync.Mutex
	messages []*Message // the oldest first
}

// NewOutbox makes the outbox of a part, and serves its messages at the path + "/" + id.
func NewOutbox(mux *http.ServeMux, core part.Core, path string) *Outbox {
	o := &Outbox{core: core, path: path}
	mux.HandleFunc("GET "+path+"/{id}", o.serve)
	return o
}

// Message signs what a draft says.
func (o *Outbox) Message(d *Draft) (*Message, error) {
	token, err := d.Sign.Sign(d.Claims, d.Key)
	if err != nil {
		return nil, err
	}
	if d.Field != "" {
		d.Form.Set(d.Field, token)
	}
	id := lti.RandomString()
	return &Message{
		Address: o.core.URL() + o.path + "/" + id, Method: d.Method, To: d.To, Form: d.Form, JWT: token, Claims: d.Claims, id: id,
	}, nil
}

// Keep keeps a message for the browsers that visit its address.
func (o *Outbox) Keep(m *Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.messages) == o.core.Remembers() {
		o.messages = slices.Delete(o.messages, 0, 1)
	}
	o.messages = append(o.messages, m)
}

// Sendable says whether a draft has an address that a browser can send it to.
func (d *Draft) Sendable() bool {
	u, err := url.Parse(d.To)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

//go:embed submission.html.tmpl
var submissionTemplate string

var pageOfSubmission = template.Must(template.New("submission").Parse(submissionTemplate))

// submission is a form that submits itself.
type submission struct {
	Action template.HTMLAttr
	Params url.Values
}

// Submit lets a browser send a message. The URL is written as it is: to make it anew would be
// to change it.
func (o *Outbox) Submit(w http.ResponseWriter, r *http.Request, m *Message) {
	if m.Method == http.MethodGet {
		http.Redirect(w, r, part.WithQuery(m.To, m.Form.Encode()), http.StatusSeeOther)
		return
	}
	o.core.Show(w, http.StatusOK, pageOfSubmission, submission{template.HTMLAttr(`action="` + template.HTMLEscapeString(m.To) + `"`), m.Form})
}

// serve submits a message that is kept.
func (o *Outbox) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	i := slices.IndexFunc(o.messages, func(m *Message) bool { return m.id == r.PathValue("id") })
	var m *Message
	var g *together.Gathering
	if i >= 0 {
		m, g = o.messages[i], o.messages[i].gathers
	}
	o.mu.Unlock()
	if m == nil {
		o.core.Nothing(w, r)
		return
	}
	if g != nil {
		g.Meet(r.Context())
	}
	o.Submit(w, r, m)
}

// Together makes the pages of messages wait for one another: the next visits to them, n in
// all, are answered when all of them have come, or after some seconds. So browsers send the
// messages, or one of them n times, at the same moment.
func (o *Outbox) Together(n int, messages ...*Message) {
	g := together.Gather(n)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range messages {
		m.gathers = g
	}
}
