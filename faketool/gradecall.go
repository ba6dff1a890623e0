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
)

// A GradeRequest is one to a grade service of a platform (Assignment and Grade
// Services 2.0, 3.2 to 3.4).
type GradeRequest struct {
	Method, URL string
	Token       string      // none is sent when empty
	MediaType   string      // of the body; no header when empty
	Accept      string      // no header when empty
	Header      http.Header // further headers
	// Body is sent as JSON, and as it is where it is a []byte; nothing when nil.
	Body any
}

// A GradeProbe says how a grade service is asked.
type GradeProbe struct {
	// Fault is what differs from the request; nil for nothing.
	Fault *Fault
}

// gradeDraft is a request to a grade service that a fault may still change.
type gradeDraft struct {
	tool *Tool
	GradeRequest
	// members are those of a body that is an object; numbers are of type
	// [json.Number]. They are sent instead of the body where they are not nil.
	members       map[string]any
	authorization []string // are sent instead of the token where there are any
	tokenInURL    bool     // instead of the header
}

// Grade sends a request to a grade service. It fails only where nothing could be
// sent, and with [ErrUnchanged]; a refusal, or nobody's answer, is in what it
// returns.
func (t *Tool) Grade(ctx context.Context, r GradeRequest, p GradeProbe) (*Exchange, error) {
	e, err := t.grade(ctx, r, p)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	return e, nil
}

func (t *Tool) grade(ctx context.Context, r GradeRequest, p GradeProbe) (*Exchange, error) {
	d := &gradeDraft{tool: t, GradeRequest: r}
	if f := p.Fault; f != nil {
		if f.grade == nil {
			return nil, fmt.Errorf("fault %s is none of a request to a grade service", f.Name)
		}
		if err := d.read(); err != nil {
			return nil, err
		}
		if err := f.changes(d.snapshot, func() error { return f.grade(d) }); err != nil {
			return nil, err
		}
	}
	return t.sendGrade(ctx, d)
}

// read takes the members of the body apart, so that a fault can change them.
func (d *gradeDraft) read() error {
	raw, err := d.encoded()
	if err != nil || len(raw) == 0 {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&d.members) // there are none where it is no object
	return nil
}

func (d *gradeDraft) encoded() ([]byte, error) {
	switch body := d.Body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	default:
		return json.Marshal(body)
	}
}

// snapshot is the same for the same request only.
func (d *gradeDraft) snapshot() string {
	members, _ := json.Marshal(d.members) // sending tells of an error
	return fmt.Sprintf("%#v %s %t %q %t", d.GradeRequest, members, d.members == nil, d.authorization, d.tokenInURL)
}

// sendGrade sends a request to a grade service.
func (t *Tool) sendGrade(ctx context.Context, d *gradeDraft) (*Exchange, error) {
	if d.members != nil {
		d.Body = d.members
	}
	body, err := d.encoded()
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(d.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%w: nothing can be sent to %q", ErrUnusable, clip(d.URL))
	}
	to := d.URL
	if d.tokenInURL {
		to = withQuery(to, "access_token="+url.QueryEscape(d.Token))
	}
	r, err := http.NewRequestWithContext(ctx, d.Method, to, bytes.NewReader(body))
	if err != nil {
		return nil, errors.Join(ErrUnusable, err)
	}
	maps.Copy(r.Header, d.Header)
	for name, value := range map[string]string{"Content-Type": d.MediaType, "Accept": d.Accept} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	authorize(r, d.authorization, d.Token, d.tokenInURL)
	e := t.exchange(r, d.URL, string(body))
	return &e, nil
}
