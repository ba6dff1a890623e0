package proctoring

import (
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
	Fault *fault.Fault
	// Other is the StartProctoring message that a fault with Borrows takes a value from.
	Other part.Received
	// Earlier is the message that a fault that needs one takes a value from.
	Earlier *toolmessage.Message
	// With are further or other claims than those of a message that repeats what
	// StartProctoring said; a nil value takes the claim away.
	With lti.Claims
	// To is posted to instead of start_assessment_url, where it is not empty.
	To string
	// Key signs instead of the tool's own.
	Key jwk.Key
}

// startAssessment is the message that starts the assessment of a check-in
// (Proctoring Services 1.0, 4.3).
func (p *Proctor) startAssessment(s *checkIn) toolmessage.Draft {
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
	start, err := toolmessage.Answered(p.core, to, lti.StartProctoring)
	if err != nil {
		return nil, err
	}
	s := p.checkInOf(start)
	said := starting{s, p.startAssessment(s)}
	d := &said.draft
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
	if said, err = toolmessage.Vary(startMessage, probe.Fault, said, func(s *starting) *toolmessage.Draft { return &s.draft }); err != nil {
		return nil, err
	}
	if !said.draft.Sendable() {
		return nil, fmt.Errorf("%w: nothing can be posted to %q", part.ErrUnusable, clip(said.draft.To, maxShown))
	}
	return p.Outbox.Message(&said.draft)
}
