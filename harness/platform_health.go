package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
)

// A platform's services may stop working while launches go on. So a scenario that has used one
// ends with a valid request to it, where a valid one is not what came last, and what was observed
// counts only where that works as it has before in the run. A service that has never worked may
// be a broken one.

// isSick says whether an answer is one that no service gives that works: none, a server error,
// that there are too many requests, or nothing, a page for people or the way to one instead of an
// answer.
func isSick(e *faketool.Exchange) bool {
	isEmpty := e.Method == http.MethodGet && e.Status/100 == 2 && len(e.Body) == 0
	isPage := isEmpty || e.Status/100 == 3 || e.Status < http.StatusBadRequest && bytes.HasPrefix(bytes.TrimSpace(e.Body), []byte("<"))
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError || isPage
}

// hasWorked says whether a service is one that has worked in the run.
func (r *PlatformRun) hasWorked(p part) bool {
	known, _ := serviceOf(p)
	return r.known[p] || known.With != "" && r.known[part(known.With)]
}

// maxLearning is how often it is tried in a run whether a service works at all, before it is used
// otherwise.
const maxLearning = 3

// MayLearn says whether to try now whether a service works that has not been seen to yet.
func (r *PlatformRun) MayLearn(service string) bool {
	p := part(service)
	if r.known[p] || r.recovering || r.learning[p] >= maxLearning || r.config.Embedded.SkipPreflight {
		return false
	}
	r.learning[p]++
	return true
}

// IsGone says whether an error is that of a part of the subject that has stopped working.
func IsGone(err error) bool {
	_, gone := errors.AsType[partGone](err)
	return gone
}

// servicesWork makes sure that the services which the scenario has used still work, and says why
// one does not; empty where all do.
func (s *PlatformScenario) servicesWork(ctx context.Context) string {
	if s.run.config.Embedded.SkipPreflight {
		clear(s.served)
		return ""
	}
	services := []Service{{Name: string(partTokens), Works: tokensWork}}
	for _, p := range parts {
		services = append(services, p.Services...)
	}
	for _, of := range slices.Sorted(maps.Keys(s.run.valid)) {
		services = append(services, Service{Name: string(of), Works: asksWork(of)})
	}
	for _, c := range services {
		if !s.served[part(c.Name)] {
			continue
		}
		whole, ofOnePiece := serviceOf(part(c.With))
		if ofOnePiece && !s.run.known[part(c.Name)] {
			c = whole
		}
		of := part(c.Name)
		if !s.run.known[of] {
			continue
		}
		if err := s.run.there(of); err != nil {
			return err.Error()
		}
		why := ""
		works := func(ctx context.Context) (*agent.Trip, bool) {
			flow, err := c.Works(ctx, s)
			if errors.Is(err, ErrUndeclared) && c.With != "" && s.run.known[part(whole.Name)] { // there may be nothing to try it with for want of that
				c, of = whole, part(whole.Name)
				flow, err = c.Works(ctx, s)
			}
			if isWithheld(err) || err == nil || isAny(err, ErrUndeclared, ErrNoJourney, ErrMissing) { // what cannot be tried says nothing
				return nil, true
			}
			why = err.Error()
			if flow == nil {
				return nil, false
			}
			return flow.Trip, false
		}
		last, ok := works(ctx)
		if !ok && !s.revive(ctx, of, why, "", last, works) {
			return partGone{of, why}.Error()
		}
	}
	clear(s.served)
	return ""
}

// tokensWork asks for the access token that was granted last.
func tokensWork(ctx context.Context, s *PlatformScenario) (*PlatformFlow, error) {
	if s.run.granted == nil { // the other tool's alone
		return nil, ErrUndeclared
	}
	flow, token, err := s.Grant(ctx, "control: an access token", *s.run.granted)
	if err == nil && token.AccessToken == "" {
		err = fmt.Errorf("no access token is granted any more: %s", flow.Reply())
	}
	return flow, err
}

// NotTried is the error of what comes before a valid request to a service: it says nothing of
// that, unless a part has gone.
func NotTried(err error) error {
	if err == nil || IsGone(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUndeclared, err)
}

// asksWork repeats the last request to a service that was answered as it has to be.
func asksWork(of part) func(context.Context, *PlatformScenario) (*PlatformFlow, error) {
	return func(ctx context.Context, s *PlatformScenario) (*PlatformFlow, error) {
		q, known := s.run.valid[of]
		if !known {
			return nil, ErrUndeclared
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
