package proctoring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A ControlProbe says how the Assessment Control Service is asked.
type ControlProbe struct {
	// Fault is what differs from a valid request; nil for nothing.
	Fault *fault.Fault
}

// controlDraft is a request of the Assessment Control Service that a fault may
// still change.
type controlDraft struct {
	core      part.Core
	members   map[string]any // numbers are of type [json.Number]
	body      []byte         // sent instead of the members where it is not nil
	method    string
	url       string
	mediaType string // no header when empty
	bearing   part.Bearing
}

// Control sends a request to the Assessment Control Service (Proctoring Services
// 1.0, 5). It fails only where nothing could be sent, and with [part.ErrUnchanged]; a
// refusal, or nobody's answer, is in what it returns.
func (p *Proctor) Control(ctx context.Context, controlURL, accessToken string, request lti.ControlRequest, probe ControlProbe) (*part.Exchange, error) {
	e, err := p.control(ctx, controlURL, accessToken, request, probe)
	if err != nil {
		return nil, fmt.Errorf("proctoring: %w", err)
	}
	return e, nil
}

func (p *Proctor) control(ctx context.Context, controlURL, accessToken string, request lti.ControlRequest, probe ControlProbe) (*part.Exchange, error) {
	d, err := p.draftControl(controlURL, accessToken, request)
	if err != nil {
		return nil, err
	}
	if f := probe.Fault; f != nil {
		if !changesControl(f.Effects) {
			return nil, fmt.Errorf("fault %s is none of a control request", f.Name)
		}
		apply := func() error { d = d.with(nil, fault.Carry(f.Effects...)); return nil }
		if err := part.Apply(f, func() string { return d.snapshot() }, apply); err != nil {
			return nil, err
		}
	}
	return p.sendControl(ctx, d)
}

// changesControl says whether one of these effects changes a control request.
func changesControl(by []fault.Effect) bool {
	return orderSaid.Changed(by) || part.TokenSent.Changed(by)
}

// with is what is sent instead where these faults are carried. The check-in is nil for a
// request that a proctor has not asked for.
func (d *controlDraft) with(s *checkIn, carried *fault.Carrier) *controlDraft {
	said := orderSaid.Pass(carried, ordering{s, *d})
	said.draft.bearing = part.TokenSent.Pass(carried, said.draft.bearing)
	return &said.draft
}

func (p *Proctor) draftControl(controlURL, accessToken string, request lti.ControlRequest) (*controlDraft, error) {
	members, err := part.Members(request)
	return &controlDraft{
		core: p.core, members: members, method: http.MethodPost, url: controlURL, mediaType: lti.MediaTypeControl, bearing: part.Bearing{Token: accessToken},
	}, err
}

// sendControl sends a request of the Assessment Control Service.
func (p *Proctor) sendControl(ctx context.Context, d *controlDraft) (*part.Exchange, error) {
	body := d.body
	if body == nil {
		var err error
		if body, err = json.Marshal(d.members); err != nil {
			return nil, err
		}
	}
	if u, err := url.Parse(d.url); err != nil {
		return nil, fmt.Errorf("%w: the URL of the control service is none", part.ErrUnusable)
	} else if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%w: nothing can be sent to %q", part.ErrUnusable, clip(d.url, maxShown))
	}
	r, err := http.NewRequestWithContext(ctx, d.method, d.bearing.Address(d.url), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if d.mediaType != "" {
		r.Header.Set("Content-Type", d.mediaType)
	}
	r.Header.Set("Accept", lti.MediaTypeControl)
	d.bearing.Authorize(r)
	e := p.core.Send(r, d.url, string(body))
	return &e, nil
}

// snapshot is the same for the same request only.
func (d *controlDraft) snapshot() string {
	members, _ := json.Marshal(d.members) // sending tells of an error
	return fmt.Sprintf("%s %q %t %q %q %q %#v", members, d.body, d.body == nil, d.method, d.url, d.mediaType, d.bearing)
}

// ReadAnswer returns what the Assessment Control Service said, and an error where it
// said nothing that is known (Proctoring Services 1.0, 5).
func ReadAnswer(e *part.Exchange) (lti.ControlResponse, error) {
	var answer lti.ControlResponse
	switch {
	case e.Status == 0:
		return answer, fmt.Errorf("nobody answered: %w", e.Err)
	case e.Status != http.StatusOK:
		return answer, fmt.Errorf("HTTP %d", e.Status)
	case e.Err != nil:
		return answer, fmt.Errorf("the answer broke off: %w", e.Err)
	}
	if err := json.Unmarshal(e.Body, &answer); err != nil {
		return lti.ControlResponse{}, errors.New("the answer is none of the service")
	}
	if !slices.Contains(lti.Statuses, answer.Status) {
		return lti.ControlResponse{}, errors.New("the answer has no status that is known")
	}
	return answer, nil
}

// How an order is sent.
var (
	orderSaid = &fault.Seam[ordering]{Name: "a control request", Clone: func(o ordering) ordering {
		o.draft.members = maps.Clone(o.draft.members)
		return o
	}}
	renewsToken   = &fault.Step[*part.Exchange]{Name: "asks for another access token where one is not taken", Honest: func(*part.Exchange) bool { return true }}
	tokenInstead  = &fault.Seam[renewing]{Name: "the access token that is sent after one that was not taken"}
	orderRepeated = &fault.Seam[ordered]{Name: "what came of an order that was sent"}
)

// ordering is a control request for a check-in.
type ordering struct {
	checkIn *checkIn
	draft   controlDraft
}

// renewing is the access token that is sent after one that was not taken.
type renewing struct {
	spent string
	renew func() (string, error)
}

// ordered is what came of an order.
type ordered struct {
	exchange *part.Exchange // nil where it could not be sent again
	err      error
	again    func() (*part.Exchange, error) // sends it once more
}

// order sends an order of a proctor to the platform. Where the platform does not
// take the access token any more, it is sent once more with a new one.
func (p *Proctor) order(ctx context.Context, s *checkIn, request lti.ControlRequest) (*part.Exchange, error) {
	token, err := p.controlToken(ctx, s, "")
	if err != nil {
		return nil, err
	}
	e, err := p.sendOrder(ctx, s, token, request)
	if err != nil {
		return nil, err
	}
	done := ordered{exchange: e, again: func() (*part.Exchange, error) { return p.sendOrder(ctx, s, token, request) }}
	if e.Status == http.StatusUnauthorized {
		if !renewsToken.Taken(p.core.Carrier(), e) {
			return e, nil
		}
		other, err := tokenInstead.Pass(p.core.Carrier(), renewing{token, func() (string, error) { return p.controlToken(ctx, s, token) }}).renew()
		if err == nil {
			return p.sendOrder(ctx, s, other, request)
		}
		done.exchange, done.err = nil, err
	}
	done = orderRepeated.Pass(p.core.Carrier(), done)
	return done.exchange, done.err
}

func (p *Proctor) controlToken(ctx context.Context, s *checkIn, spent string) (string, error) {
	return p.core.AccessToken(ctx, s.registration, s.deployment, lti.ScopeControl, spent)
}

// sendOrder sends an order with an access token.
func (p *Proctor) sendOrder(ctx context.Context, s *checkIn, token string, request lti.ControlRequest) (*part.Exchange, error) {
	d, err := p.draftControl(s.controlURL, token, request)
	if err != nil {
		return nil, err
	}
	return p.sendControl(ctx, d.with(s, p.core.Carrier()))
}
