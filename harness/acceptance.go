package harness

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// Accepted says whether a launch that has to be accepted was.
func (s *Scenario) Accepted(f *Flow) bool {
	return f != nil && s.run.baseline.acceptance(f).Kind == Accepted
}

// KnowsAcceptance says whether the preflight has learned what an accepted launch of a resource
// link looks like.
func (r *Run) KnowsAcceptance() bool { return r.baseline.known }

// MustAccept judges a stimulus by a launch that the tool has to accept.
func (s *Scenario) MustAccept(ctx context.Context, id requirements.ID, stimulus string, l Launch) *Flow {
	s.tb.Helper()
	l.Title = cmp.Or(l.Title, stimulus)
	var flow *Flow
	var err error
	if l.Fault != nil && fakeplatform.NewKey(*l.Fault) {
		var asked bool
		flow, asked, err = s.withNewKey(ctx, l)
		if err == nil && !s.Accepted(flow) && !informs(id, stimulus) && l.Fault.Borrows == "" && !asked {
			err = ErrNotAsked
		}
	} else {
		flow, err = s.Launch(ctx, l)
	}
	if s.Unseen(id, stimulus, err, flow) || !s.MustBeAccepted(ctx, id, stimulus, flow) {
		return nil
	}
	return flow
}

// keyCooldown is how long libraries commonly wait before they fetch a key set
// again, however new the kid: long enough that a flood of unknown kids is none
// of fetches.
const keyCooldown = 31 * time.Second

// LaunchWithNewKey makes a launch that is signed with a key that the tool has
// not seen yet. Where the tool refuses it without having looked for that key,
// it is given the time after which it would.
func (s *Scenario) LaunchWithNewKey(ctx context.Context, l Launch) (*Flow, error) {
	flow, _, err := s.withNewKey(ctx, l)
	return flow, err
}

// withNewKey is [Scenario.LaunchWithNewKey], and says whether the tool may have looked
// for the key.
func (s *Scenario) withNewKey(ctx context.Context, l Launch) (flow *Flow, asked bool, err error) {
	l.Title = cmp.Or(l.Title, l.Fault.Name+": "+l.Fault.Does)
	fetches := s.run.KeySetFetches()
	flow, err = s.Launch(ctx, l)
	if launched := s.run.flowsSoFar(); err == nil && flow.Reaction.Kind != Accepted && s.waitToLook(ctx, fetches) {
		if s.run.flowsSoFar() != launched { // it may have looked for the sake of these
			fetches = s.run.KeySetFetches()
		}
		l.Title += " (again, after a while, since the tool did not look for the key)"
		flow, err = s.Launch(ctx, l)
	}
	return flow, s.run.LookedForKey(fetches), err
}

// Acquaint makes a launch with a new key, after which the tool knows the key. The error
// says why it does not.
func (s *Scenario) Acquaint(ctx context.Context, newKey fakeplatform.Fault) (*Flow, error) {
	flow, asked, err := s.withNewKey(ctx, Launch{Fault: &newKey})
	switch {
	case err != nil || s.Accepted(flow):
		return flow, err
	case !asked:
		return flow, ErrNotAsked
	default:
		return flow, ErrNoLogin
	}
}

// waitToLook gives a tool that has not asked for the key set, as far as is known,
// since it had been fetched so often, the time after which it would, and says whether it is worth
// another launch. The fake tool has no such habit.
func (s *Scenario) waitToLook(ctx context.Context, fetches KeySetFetches) bool {
	fetched, _ := s.run.FetchedSince(fetches)
	return !s.run.config.IsEmbedded() && fetched == 0 && s.coolDown(ctx) == nil
}

// mostCoolDowns bounds how often a tool is given time anew, since it has fetched the key set
// meanwhile, for the sake of others.
const mostCoolDowns = 5

// coolDown gives a tool that has not looked for a key the time after which it would: so long
// after it has fetched the key set last, where that is known. Others may go on meanwhile,
// once a valid launch has shown that the tool still knows the usual keys.
func (s *Scenario) coolDown(ctx context.Context) error {
	if !s.run.MayPass(keyCooldown) {
		return ErrTooLong
	}
	if s.run.meanwhile != nil && s.run.keySetChanged {
		control, err := s.tryControl(ctx, "control: a valid launch, before the tool is given time to look for the key")
		if err != nil {
			return err
		}
		s.run.keySetChanged = !s.Accepted(control)
	}
	left := keyCooldown
	if since := s.run.sinceKeySet(); since < keyCooldown {
		left = keyCooldown - since
	}
	for range mostCoolDowns {
		if err := s.Pass(ctx, left); err != nil {
			return err
		}
		if left = keyCooldown - s.run.sinceKeySet(); left <= 0 {
			break
		}
	}
	return nil
}

// MustBeAccepted judges a stimulus by a launch that was made with it, and says
// whether it was accepted. Where it was not, a plain valid launch tells whether
// that is the stimulus's doing.
func (s *Scenario) MustBeAccepted(ctx context.Context, id requirements.ID, stimulus string, flow *Flow) bool {
	s.tb.Helper()
	switch reaction := s.run.baseline.acceptance(flow); reaction.Kind {
	case Accepted:
		s.Observe(id, stimulus, results.Passed, "", "Accepted: "+reaction.Why+".", flow)
		return true
	case Unclear:
		s.Observe(id, stimulus, results.Inconclusive, "", reaction.Why, flow)
	default:
		seen := fmt.Sprintf("Not accepted: %s. %s.", reaction.Why, describe(flow.Trip))
		control, err := s.control(ctx)
		switch {
		case s.Unseen(id, stimulus, err, flow):
		case s.run.baseline.acceptance(control).Kind != Accepted:
			s.Observe(id, stimulus, results.Inconclusive, "", seen+" A plain valid launch is not accepted either: "+control.Reaction.Why+".", flow, control)
		case flow.Trip.Page.Status == http.StatusTooManyRequests:
			s.Observe(id, stimulus, results.Inconclusive, "", "The tool has had too many requests: "+seen, flow, control)
		case informs(id, stimulus) && reaction.Kind == Refused && !reaction.Crashed:
			s.Observe(id, stimulus, results.Passed, "", "Refused, as a tool may: "+reaction.Why+".", flow, control)
		default:
			s.Observe(id, stimulus, results.Failed, "", seen, flow, control)
		}
	}
	return false
}

// informs says whether a stimulus is only for the reader's information: a tool
// may accept or refuse it, as long as it does so in good order.
func informs(id requirements.ID, stimulus string) bool {
	r, _ := requirements.Default().Get(id)
	st, _ := r.Stimulus(stimulus)
	return st.Weight == requirements.Information
}
