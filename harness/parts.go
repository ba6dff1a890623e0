package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"invigilator.example/faketool"
	"invigilator.example/results"
)

// A Part is a service whose checks are in a package of their own, which adds it. What it
// has not is nil.
type Part struct {
	// Profile is that of the catalogue, and the feature by which a subject declares it.
	Profile string
	// Tool and Platform make sure that a real subject can be judged. They return what is in
	// the way; the error is one of the harness.
	Tool     func(context.Context, *Scenario) (*results.Diagnosis, error)
	Platform func(context.Context, *PlatformScenario) (*results.Diagnosis, error)
}

var parts []Part

// AddPart adds a part to those of every run. It is called before the first.
func AddPart(p Part) { parts = append(parts, p) }

// judgesParts says whether a part is judged of a subject that declares it.
func (r *base) judgesParts() bool {
	for _, p := range parts {
		if r.Has(p.Profile) && r.config.Judges(p.Profile) {
			return true
		}
	}
	return false
}

// preflightOfParts makes sure that those of a real tool can be judged. What is in the way
// of one is told, and keeps nothing else from being judged.
func (r *Run) preflightOfParts(ctx context.Context, found results.Fragment) (results.Fragment, error) {
	s := r.preflightScenario(found)
	for _, p := range parts {
		if !r.judgesPart(p.Profile) || p.Tool == nil {
			continue
		}
		d, err := p.Tool(ctx, s)
		switch {
		case err != nil:
			return s.fragment, err
		case d == nil:
		case len(r.config.Profiles) == 1: // nothing else is judged
			return s.fragment, d
		default:
			s.find("not-tried", d.Error(), d.FlowID)
			r.barredParts[p.Profile] = d.Problem
		}
	}
	return s.fragment, nil
}

// MayTry says why the preflight has found that a part cannot be judged; nil where it can.
func (r *Run) MayTry(profile string) error {
	if why := r.barredParts[profile]; why != "" {
		return fmt.Errorf("%w: %s", errBarred, why)
	}
	return nil
}

// preflightOfParts does so for those of a real platform.
func (r *PlatformRun) preflightOfParts(ctx context.Context, scene *PlatformScenario) error {
	for _, p := range parts {
		if !r.Has(p.Profile) || !r.config.Judges(p.Profile) || p.Platform == nil || r.missing[launches] != "" {
			continue
		}
		d, err := p.Platform(ctx, scene)
		if stuck, ok := r.stuckAt(scene, err, p.Profile); ok {
			d, err = stuck, nil
		}
		if errors.Is(err, errMissing) { // which has been told
			continue
		}
		if err != nil {
			return err
		}
		if d != nil {
			scene.misconfigured(d, []string{p.Profile}, need(p.Profile))
		}
	}
	return nil
}

// MayTry says why the preflight has found that a part cannot be judged; nil where it can.
func (r *PlatformRun) MayTry(profile string) error { return r.lacks(need(profile)) }

// A ServiceRequest is one of the fake tool's server to a service that a launch offers.
type ServiceRequest struct {
	// Title says what the request is for, in the report.
	Title string
	// Service is what the service is called there.
	Service string
	faketool.ServiceRequest
	// Scopes are those of the access token; none is sent where there is none and the
	// request has none.
	Scopes []string
	// Tool is the one that asks; the first when nil.
	Tool *faketool.Tool
	// Odd is set where the request differs from a valid one, so that its answer does not
	// tell whether the service works.
	Odd bool
}

// Offers takes down an address of a service that a launch has offered: the run sends
// requests to the sites of such addresses alone.
func (s *PlatformScenario) Offers(address string) {
	if u, err := url.Parse(address); err == nil && u.Host != "" && !s.isOffered(address) {
		s.offered = append(s.offered, siteOf(u))
	}
}

// IsOffered says whether an address is at the site of a service that a launch has offered.
func (s *PlatformScenario) IsOffered(address string) bool { return s.isOffered(address) }

// Ask sends a request to a service, and keeps what came of it; the error is [ErrNoLaunch]
// where no whole answer came.
func (s *PlatformScenario) Ask(ctx context.Context, q ServiceRequest) (*PlatformFlow, error) {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	if !s.isOffered(q.URL) {
		return nil, fmt.Errorf("%w: %q is not at the site of the services that a launch offers", faketool.ErrUnusable, results.Bounded(q.URL, 300))
	}
	if q.Token == "" && len(q.Scopes) > 0 {
		var err error
		if q.Token, err = s.access(ctx, q.Scopes...); err != nil {
			return nil, err
		}
	}
	tool := q.Tool
	if tool == nil {
		tool = s.run.tool
	}
	var odd *faketool.Fault
	if q.Odd {
		odd = &faketool.Fault{}
	}
	flow, err := s.exchange(ctx, part(q.Service), q.Title, odd, func(ctx context.Context) (*faketool.Exchange, error) {
		return tool.Ask(ctx, q.ServiceRequest, faketool.ServiceProbe{})
	})
	if err != nil {
		return flow, err
	}
	if !q.Odd && flow.Succeeded() && !isSick(flow.Exchange) {
		valid := q
		valid.Token = "" // which may be another by then
		s.run.valid[part(q.Service)] = valid
	}
	return flow, unanswered(flow.Exchange)
}

// asksWork repeats the last request to a service that was answered as it has to be.
func (s *PlatformScenario) asksWork(of part) func(context.Context) (*PlatformFlow, error) {
	return func(ctx context.Context) (*PlatformFlow, error) {
		q, known := s.run.valid[of]
		if !known {
			return nil, errUndeclared
		}
		s.Offers(q.URL)
		q.Title = "control: a valid request to the " + string(of)
		flow, err := s.Ask(ctx, q)
		if err == nil && (!flow.Succeeded() || isSick(flow.Exchange)) {
			err = fmt.Errorf("a valid request is not answered: %s", flow.Reply())
		}
		return flow, err
	}
}
