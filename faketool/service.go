package faketool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
)

// A ServiceRequest is one to a service of a platform.
type ServiceRequest = part.ServiceRequest

// A ServiceProbe says how a service is asked.
type ServiceProbe struct {
	// Fault is what differs from the request; nil for nothing.
	Fault *Fault
}

// Ask sends a request to a service. It fails only where nothing could be sent, and with
// [ErrUnchanged]; a refusal, or nobody's answer, is in what it returns.
func (t *Tool) Ask(ctx context.Context, r ServiceRequest, p ServiceProbe) (*Exchange, error) {
	e, err := t.probeService(ctx, r, p)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	return e, nil
}

func (t *Tool) probeService(ctx context.Context, r ServiceRequest, p ServiceProbe) (*Exchange, error) {
	d := t.draftService(r)
	if f := p.Fault; f != nil {
		if !part.ChangesService(f.Effects) {
			return nil, fmt.Errorf("fault %s is none of a request of a service", f.Name)
		}
		if err := readMembers(&d); err != nil {
			return nil, err
		}
		carried := fault.Carry(f.Effects...)
		if err := part.Apply(f, func() string { return snapshot(d) }, func() error {
			d = part.ServiceSaid.Pass(carried, d)
			d.Bearing = part.TokenSent.Pass(carried, d.Bearing)
			return d.Err
		}); err != nil {
			return nil, err
		}
	}
	return t.sendService(ctx, d)
}

// draftService is a request to a service, as it is meant.
func (t *Tool) draftService(r ServiceRequest) part.ServiceDraft {
	return part.ServiceDraft{Core: partCore{t}, ServiceRequest: r, Bearing: part.Bearing{Token: r.Token}}
}

// readMembers takes the members of the body apart, so that a fault can change them.
func readMembers(d *part.ServiceDraft) error {
	raw, err := encoded(d.Body)
	if err != nil || len(raw) == 0 {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&d.Members) // there are none where it is no object
	return nil
}

func encoded(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	default:
		return json.Marshal(body)
	}
}

// snapshot is the same for the same request only.
func snapshot(d part.ServiceDraft) string {
	members, _ := json.Marshal(d.Members) // sending tells of an error
	return fmt.Sprintf("%#v %s %t %#v", d.ServiceRequest, members, d.Members == nil, d.Bearing)
}

// sendService sends a request to a service.
func (t *Tool) sendService(ctx context.Context, d part.ServiceDraft) (*Exchange, error) {
	if d.Members != nil {
		d.Body = d.Members
	}
	body, err := encoded(d.Body)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(d.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%w: nothing can be sent to %q", ErrUnusable, clip(d.URL))
	}
	r, err := http.NewRequestWithContext(ctx, d.Method, d.Bearing.Address(d.URL), bytes.NewReader(body))
	if err != nil {
		return nil, errors.Join(ErrUnusable, err)
	}
	maps.Copy(r.Header, d.Header)
	for name, value := range map[string]string{"Content-Type": d.MediaType, "Accept": d.Accept} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	d.Bearing.Authorize(r)
	e := t.exchange(r, d.URL, string(body))
	return &e, nil
}
