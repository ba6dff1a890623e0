package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// A subject that is down for maintenance, that restarts or has had too many requests
// refuses whatever it is sent, and accepts nothing. That says nothing of the
// requirements. So what a scenario observes stands only where a valid launch
// works afterwards, and where nothing showed meanwhile that the subject was away.

// away are the statuses by which servers say that they cannot answer now.
var away = []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// A trouble is something that showed that the subject was away.
type trouble struct {
	says string
	flow string // its id; empty where no flow shows it
}

// A part is a part of a subject that may stop working while others work on.
type part string

// The parts. Launches are what all others stand on.
const (
	partLaunches part = "launch"
	partKeySet   part = "key set"
	partTokens   part = "token endpoint"
)

// failed says that a valid use of a part did not work.
func (p part) failed(why string) string {
	if p == partLaunches {
		return "a valid launch did not work: " + why
	}
	return fmt.Sprintf("the %s did not work: %s", p, why)
}

// Gone says whether the subject has stopped working altogether. Without a preflight it
// need never have worked, and every scenario faces it all the same.
func (r *base) Gone() bool { return r.gone[partLaunches] != "" && !r.config.Embedded.SkipPreflight }

// WhyGone is what showed last that the subject does not work; empty while it is not gone.
func (r *base) WhyGone() string { return r.gone[partLaunches] }

// goes takes down why a part of the subject counts as gone for good. What showed it first
// stays.
func (r *base) goes(p part, why string) {
	if r.gone[p] == "" {
		r.gone[p] = results.Bounded(why, 500)
	}
}

// tellGone tells once in a run of each part that has stopped working; of launches a diagnosis
// does.
func (s *observer[F]) tellGone() {
	for p, why := range s.base.gone {
		if p == partLaunches || s.base.toldGone[p] {
			continue
		}
		s.base.toldGone[p] = true
		s.Tell("away", fmt.Sprintf("The %s of the %s does not work any more: %s. Checks that need it are inconclusive from then on.", p, s.base.config.Side, strings.TrimSuffix(why, ".")), "")
	}
}

// A partGone is the error of what needs a part of the subject that has stopped working. It
// is no launch that did not work, and ends a check as such a one does.
type partGone struct {
	of  part
	why string
}

func (p partGone) Error() string {
	return fmt.Sprintf("the %s has stopped working: %s", p.of, strings.TrimSuffix(p.why, "."))
}

// Is says whether an error stands for it: [ErrNoLaunch].
func (p partGone) Is(target error) bool { return target == ErrNoLaunch }

// there is an error that says why a part counts as gone; nil where it does not.
func (r *base) there(p part) error {
	if why := r.gone[p]; why != "" && !r.config.Embedded.SkipPreflight {
		return partGone{p, why}
	}
	return nil
}

// revive tries whether a part of the subject works again after it did not, as what came last
// of it and why say, and says whether it does. Where it stays away it counts as gone. A flow
// may show that it did not work.
func (s *observer[F]) revive(ctx context.Context, p part, why, flow string, last *agent.Trip, works func(context.Context) (*agent.Trip, bool)) bool {
	s.away(p.failed(why), flow)
	if s.base.awaitRecovery(ctx, last, works) {
		return true
	}
	s.lost = true
	s.base.goes(p, why)
	return false
}

// troubleOf says what in a flow shows that the subject was away; empty for nothing.
// Hosts are those of the subject.
func troubleOf(flow results.Flow, hosts []string) string {
	if ended := agent.Ending(flow.Ended); ended == agent.Dropped || ended == agent.TimedOut {
		return saidOf(flow.Title, deaths[ended])
	}
	for _, step := range flow.Steps {
		if slices.Contains(away, step.Status) && isAt(step.URL, hosts) {
			return saidOf(flow.Title, fmt.Sprintf("HTTP %d from %s", step.Status, hostOf(step.URL)))
		}
	}
	return ""
}

// saidOf says what was seen in a flow. The name of the flow stands last, since what follows one
// like key-set-hangs and a colon would be hidden as a secret.
func saidOf(title, seen string) string {
	name, _, _ := strings.Cut(title, ": ")
	return seen + ", in " + name
}

// hostsOf are the hosts of addresses.
func hostsOf(addresses ...string) []string {
	var hosts []string
	for _, address := range addresses {
		if host := hostOf(address); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// hostOf is the host of an address; empty where it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// isAt says whether an address is at one of some hosts.
func isAt(address string, hosts []string) bool { return slices.Contains(hosts, hostOf(address)) }

// troubled takes down what shows that the subject was away.
func (s *observer[F]) troubled(says, flow string) {
	if len(s.trouble) < maxFindings {
		s.trouble = append(s.trouble, trouble{results.Bounded(says, 500), flow})
	}
}

// away takes down that the subject was away for certain, which concerns whatever is under way.
func (s *observer[F]) away(says, flow string) {
	s.troubled(says, flow)
	if s.base != nil {
		s.base.troubles++
		s.base.lastTrouble = results.Bounded(says, 500)
	}
}

// uses takes down that a part was used; it is not known whether it works.
func (s *observer[F]) uses(p part) {
	if s.served == nil {
		s.served = map[part]bool{}
	}
	s.served[p] = true
}

// proves takes down that a part has just worked.
func (s *observer[F]) proves(p part) {
	delete(s.served, p)
	s.base.known[p] = true
}

// worked takes down that a valid launch has just worked: what was observed before it
// stands, unless the subject was away meanwhile.
func (s *observer[F]) worked() {
	s.moved = false
	if len(s.trouble) == 0 && len(s.served) == 0 {
		s.proved = len(s.fragment.Observations)
	}
}

// rests says whether a verdict rests on the subject's health since a valid launch
// worked.
func (s *observer[F]) rests() bool {
	return slices.ContainsFunc(s.fragment.Observations[s.proved:], func(o results.Observation) bool { return judges(o.Verdict) })
}

// seenSince says whether anything was seen of the subject since a valid launch worked:
// flows, or what verdicts without flows rest on.
func (s *observer[F]) seenSince() bool {
	return s.moved || slices.ContainsFunc(s.fragment.Observations[s.proved:], func(o results.Observation) bool {
		return judges(o.Verdict) && len(o.Flows) == 0
	})
}

// judges says whether a verdict says something of the subject.
func judges(v results.Verdict) bool {
	return v == results.Passed || v == results.Failed || v == results.Warned
}

// settle decides whether what was observed stands, now that the scenario has come to
// its end. It says whether the scenario is to be done again: the subject was away
// meanwhile, and is back. What goes wrong once more is taken for the subject's own
// doing, so nothing is done a third time. Works makes a valid launch and says why it did
// not work; empty where it did.
func (s *observer[F]) settle(again bool, works func() string) bool {
	if len(s.trouble) == 0 && !s.rests() {
		return false
	}
	wrong := s.base.gone[partLaunches]
	if wrong == "" && (s.seenSince() || len(s.served) > 0) {
		wrong = works()
	}
	switch {
	case wrong == "" && len(s.trouble) == 0:
		return false
	case !again && !s.lost && !s.base.Gone() && !s.base.config.Embedded.SkipPreflight:
		return true
	case wrong != "":
		s.unsettle(wrong)
	}
	return false
}

// unsettle takes back what was observed since a valid launch worked: what a subject
// does that has stopped working says nothing.
func (s *observer[F]) unsettle(wrong string) {
	for i := range s.fragment.Observations[s.proved:] {
		if o := &s.fragment.Observations[s.proved+i]; judges(o.Verdict) {
			o.Verdict = results.Inconclusive
			o.Seen = fmt.Sprintf("The %s stopped working in the meantime (%s), so this shows nothing: %s", s.base.config.Side, strings.TrimSuffix(wrong, "."), o.Seen)
		}
	}
}

// drop takes back everything that was observed, since it is tried again, and tells
// why.
func (s *observer[F]) drop() {
	s.base.breaches.takeBack(s.fragment.Observations)
	s.fragment.Observations, s.broken = nil, nil
	for _, t := range s.trouble {
		s.Tell("away", t.says+"; this was tried again when a valid launch worked", t.flow)
	}
}

// The pauses between two tries whether a valid launch works again.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// awaitRecovery tries whether the subject works again after what it did last, for as long
// as timeout.restart lasts, and says whether it does. An embedded subject does at once,
// or never.
func (r *base) awaitRecovery(ctx context.Context, last *agent.Trip, works func(context.Context) (*agent.Trip, bool)) bool {
	if r.config.IsEmbedded() {
		for range embeddedTries {
			if _, ok := works(ctx); ok {
				return true
			}
		}
		return false
	}
	end := time.Now().Add(r.config.Timeout.Restart.Std())
	pause := max(firstPause, retryAfter(last))
	for {
		pause = min(pause, time.Until(end))
		if pause <= 0 || ctx.Err() != nil {
			return false
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
		trip, ok := works(ctx)
		if ok {
			return true
		}
		pause = max(min(2*pause, lastPause), retryAfter(trip))
	}
}

// embeddedTries is how often a valid launch is tried once more with an embedded
// subject.
const embeddedTries = 2

// retryAfter is how long the subject asks to be left alone (RFC 9110, 10.2.3); 0 where
// it does not say.
func retryAfter(trip *agent.Trip) time.Duration {
	if trip == nil {
		return 0
	}
	var wait time.Duration
	for _, step := range trip.Steps {
		if !slices.Contains(away, step.Status) {
			continue
		}
		for _, field := range step.ResponseHeader {
			if !strings.EqualFold(field[0], "Retry-After") {
				continue
			}
			wait = max(wait, pauseOf(field[1]))
		}
	}
	return wait
}

// wentAway says whether the subject's server is there, and was away at some time, in what
// a preflight saw.
func wentAway(found results.Fragment, hosts []string) bool {
	answered, missed := false, false
	for _, flow := range found.Flows {
		missed = missed || troubleOf(flow, hosts) != ""
		answered = answered || slices.ContainsFunc(flow.Steps, func(step results.Step) bool { return step.Status > 0 && isAt(step.URL, hosts) })
	}
	return answered && missed
}

// errUnsteady says that a valid launch worked in the preflight and another did not.
var errUnsteady = errors.New("valid launches do not always work")

// preflightAgain makes a preflight, and again where the subject was away meanwhile: for
// as long as timeout.restart lasts.
func (r *base) preflightAgain(ctx context.Context, hosts []string, preflight func(context.Context) (results.Fragment, error)) (results.Fragment, error) {
	found, err := preflight(ctx)
	diagnosis, failed := errors.AsType[*results.Diagnosis](err)
	if failed && !r.config.IsEmbedded() && (errors.Is(err, errUnsteady) || wentAway(found, hosts)) {
		r.awaitRecovery(ctx, nil, func(ctx context.Context) (*agent.Trip, bool) {
			clear(r.gone)
			r.breaches.takeBack(found.Observations)
			seen := emptyFragment()
			maps.Copy(seen.Flows, found.Flows)
			maps.Copy(seen.Screenshots, found.Screenshots)
			found, err = preflight(ctx)
			maps.Copy(seen.Flows, found.Flows)
			maps.Copy(seen.Screenshots, found.Screenshots)
			found.Flows, found.Screenshots = seen.Flows, seen.Screenshots
			diagnosis, failed = errors.AsType[*results.Diagnosis](err)
			return nil, !failed
		})
	}
	if failed {
		return found, diagnosis
	}
	return found, err
}
