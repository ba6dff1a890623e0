package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
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

// partOfGrades is the service of an address of the grade services (Assignment and Grade Services
// 2.0, 3.2 to 3.4).
func partOfGrades(address string) part {
	switch path := withoutQuery(address); {
	case strings.HasSuffix(path, "/scores"):
		return partScores
	case strings.HasSuffix(path, "/results"):
		return partResults
	default:
		return partLineItems
	}
}

// belongsToLineItems says whether a service is of one piece with that of line items, as far as is
// known.
func belongsToLineItems(p part) bool { return p == partScores || p == partResults }

// hasWorked says whether a service is one that has worked in the run.
func (r *PlatformRun) hasWorked(p part) bool {
	return r.known[p] || belongsToLineItems(p) && r.known[partLineItems]
}

// maxLearning is how often it is tried in a run whether a service works at all, before it is used
// otherwise.
const maxLearning = 3

// mayLearn says whether to try now whether a service works that has not been seen to yet.
func (r *PlatformRun) mayLearn(p part) bool {
	if r.known[p] || r.recovering || r.learning[p] >= maxLearning || r.config.Embedded.SkipPreflight {
		return false
	}
	r.learning[p]++
	return true
}

// isPartGone says whether an error is that of a part of the subject that has stopped working.
func isPartGone(err error) bool {
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
	type service struct {
		of    part
		works func(context.Context) (*PlatformFlow, error)
	}
	services := []service{
		{partTokens, s.tokensWork}, {partLineItems, s.lineItemsWork}, {partScores, s.scoresWork}, {partResults, s.resultsWork}, {partControl, s.controlWorks},
	}
	for _, of := range slices.Sorted(maps.Keys(s.run.valid)) {
		services = append(services, service{of, s.asksWork(of)})
	}
	for _, c := range services {
		if !s.served[c.of] {
			continue
		}
		if belongsToLineItems(c.of) && !s.run.known[c.of] {
			c.of, c.works = partLineItems, s.lineItemsWork
		}
		if !s.run.known[c.of] {
			continue
		}
		if err := s.run.there(c.of); err != nil {
			return err.Error()
		}
		why := ""
		works := func(ctx context.Context) (*agent.Trip, bool) {
			flow, err := c.works(ctx)
			if belongsToLineItems(c.of) && errors.Is(err, errUndeclared) && s.run.known[partLineItems] { // there may be no line item for want of their service
				c.of, c.works = partLineItems, s.lineItemsWork
				flow, err = c.works(ctx)
			}
			if err == nil || isAny(err, errUndeclared, errReadOnly, ErrNoJourney, errMissing) { // what cannot be tried says nothing
				return nil, true
			}
			why = err.Error()
			if flow == nil {
				return nil, false
			}
			return flow.Trip, false
		}
		last, ok := works(ctx)
		if !ok && !s.revive(ctx, c.of, why, "", last, works) {
			return partGone{c.of, why}.Error()
		}
	}
	clear(s.served)
	return ""
}

// tokensWork asks for the access token that was granted last.
func (s *PlatformScenario) tokensWork(ctx context.Context) (*PlatformFlow, error) {
	if s.run.granted == nil { // the other tool's alone
		return nil, errUndeclared
	}
	flow, token, err := s.Grant(ctx, "control: an access token", *s.run.granted)
	if err == nil && token.AccessToken == "" {
		err = fmt.Errorf("no access token is granted any more: %s", flow.Reply())
	}
	return flow, err
}

// lineItemsWork lists line items.
func (s *PlatformScenario) lineItemsWork(ctx context.Context) (*PlatformFlow, error) {
	b, err := s.Gradebook(ctx, PlatformLaunch{Title: "control: a valid launch"})
	if err != nil {
		return b.Launch, err
	}
	return lists(s.LineItems(ctx, b, "control: the line items", ""))
}

// scoresWork sends a score to a line item of the run's own, or to that of the launch.
func (s *PlatformScenario) scoresWork(ctx context.Context) (*PlatformFlow, error) {
	item, err := s.controlItem(ctx)
	if err != nil {
		return nil, err
	}
	return s.Graded(ctx, item, item.Book.Sub(), Members{"scoreGiven": 5, "scoreMaximum": MaximumScore})
}

// resultsWork reads the results of such a line item.
func (s *PlatformScenario) resultsWork(ctx context.Context) (*PlatformFlow, error) {
	item, err := s.controlItem(ctx)
	if err != nil {
		return nil, err
	}
	return lists(s.Results(ctx, item, "control: the results", ""))
}

// controlItem is the line item that those use.
func (s *PlatformScenario) controlItem(ctx context.Context) (*LineItem, error) {
	b, err := s.Gradebook(ctx, PlatformLaunch{Title: "control: a valid launch"})
	if err != nil {
		return nil, notTried(err)
	}
	item, err := s.GradedItem(ctx, b, nil)
	return item, notTried(err)
}

// notTried is the error of what comes before a valid request to a service: it says nothing of
// that, unless a part has gone.
func notTried(err error) error {
	if err == nil || isPartGone(err) {
		return err
	}
	return fmt.Errorf("%w: %w", errUndeclared, err)
}

// controlWorks acts on an exam that is under way.
func (s *PlatformScenario) controlWorks(ctx context.Context) (*PlatformFlow, error) {
	exam, err := s.Running(ctx, "", nil)
	if err != nil && !isPartGone(err) && s.underWay != nil { // what is paused is in the way of a new start
		exam, err = s.underWay, nil
	}
	if err != nil {
		return exam, notTried(err)
	}
	call, offered := Harmless(exam)
	if !offered {
		return exam, errUndeclared
	}
	call.Title = "control: a valid request"
	flow, err := s.Act(ctx, exam, call)
	if err != nil {
		return flow, err
	}
	if _, wrong := flow.ControlAnswer(); wrong != nil {
		return flow, fmt.Errorf("a valid request is not answered: %s", flow.Reply())
	}
	return flow, s.tidy(ctx, "")
}

// OffersAction says whether a launch offers an action of the Assessment Control Service.
func (f *PlatformFlow) OffersAction(action lti.Action) bool {
	actions, _ := f.Message().Object(lti.ClaimACS)["actions"].([]any)
	return slices.Contains(actions, any(string(action)))
}

// Harmless is a call for an action that a launch offers and that the attempt survives; false
// where there is none.
func Harmless(exam *PlatformFlow) (Call, bool) {
	switch {
	case exam == nil:
		return Call{}, false
	case exam.OffersAction(lti.Flag):
		return Call{Action: lti.Flag}, true
	case exam.OffersAction(lti.Update):
		return Call{Action: lti.Update, ExtraTime: new(5)}, true
	case exam.OffersAction(lti.Pause):
		return Call{Action: lti.Pause}, true
	}
	return Call{}, false
}

// lists is the flow of the last page of a list, nil where there is none, and why the service
// does not work that lists: what is wrong with how pages are linked is another check's.
func lists(l *Listing, err error) (*PlatformFlow, error) {
	if l == nil || len(l.Flows) == 0 {
		return nil, err
	}
	last := l.Flows[len(l.Flows)-1]
	if _, isPage := last.listed(); isPage && isAny(err, errNotWhole, errManyPages) {
		return last, nil
	}
	return last, err
}
