package proctoring

import (
	"errors"
	"fmt"
	"maps"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A MessageProbe says how StartAssessment is sent.
type MessageProbe struct {
	// Fault is what differs from a valid message; nil for nothing.
	Fault *part.Stimulus
	// Other is the StartProctoring message that a fault with Borrows takes a value from.
	Other part.Received
	// Earlier is the message that a fault with Repeats takes a value from.
	Earlier *toolmessage.Message
	// With are further or other claims than those of a message that repeats what
	// StartProctoring said; a nil value takes the claim away.
	With lti.Claims
	// To is posted to instead of start_assessment_url, where it is not empty.
	To string
	// Key signs instead of the tool's own.
	Key jwk.Key
}

// startAssessment is the message that starts the assessment of a sitting
// (Proctoring Services 1.0, 4.3).
func (p *Proctor) startAssessment(s *sitting) toolmessage.Draft {
	d := toolmessage.New(p.core, s.registration, s.startURL, lti.Claims{
		lti.ClaimMessageType:         lti.StartAssessment,
		lti.ClaimVerifiedUser:        maps.Clone(s.verified),
		lti.ClaimEndAssessmentReturn: true,
	})
	for name, value := range s.raw {
		d.Claims[name] = value
	}
	return d
}

// StartAssessment prepares the message that answers a StartProctoring message,
// valid or not. Nothing is sent before a browser visits its address.
//
// It fails where the answer is none of StartProctoring, where the fault is none
// of a message or lacks what it needs, and with [part.ErrUnchanged].
func (p *Proctor) StartAssessment(to part.Received, probe MessageProbe) (*toolmessage.Message, error) {
	message, err := p.probe(to, probe)
	if err != nil {
		return nil, fmt.Errorf("proctoring: %w", err)
	}
	p.Outbox.Keep(message)
	return message, nil
}

func (p *Proctor) probe(to part.Received, probe MessageProbe) (*toolmessage.Message, error) {
	start, err := p.startProctoring(to)
	if err != nil {
		return nil, err
	}
	s := p.sittingOf(start)
	draft := p.startAssessment(s)
	d := &draft
	d.Answers, d.Earlier = start, probe.Earlier
	if probe.Other != nil {
		d.Other, _ = probe.Other.Message() // what cannot be read has nothing to borrow
	}
	if probe.Key != nil {
		d.Key = probe.Key
	}
	part.Change(d.Claims, probe.With)
	if probe.To != "" {
		d.To = probe.To
	}
	if f := probe.Fault; f != nil {
		if d, err = changeMessage(s, d, f); err != nil {
			return nil, err
		}
	}
	if !d.Sendable() {
		return nil, fmt.Errorf("%w: nothing can be posted to %q", part.ErrUnusable, clip(d.To, maxShown))
	}
	return p.Outbox.Message(d)
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
func changeMessage(s *sitting, d *toolmessage.Draft, f *part.Stimulus) (*toolmessage.Draft, error) {
	if err := d.Suits(f, startMessage); err != nil {
		return nil, err
	}
	said := starting{s, *d}
	err := f.Changes(func() string { return said.draft.Snapshot() }, func() error {
		said = startMessage.Pass(fault.Carry(f.Effects...), said)
		return said.draft.Err
	})
	return &said.draft, err
}
