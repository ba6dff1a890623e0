package gradebook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// Results lists those of a line item, with a query such as limit=1.
func (s *Scenario) Results(ctx context.Context, item *LineItem, title, query string) (*Listing, error) {
	if !s.Run().Has(config.Results) {
		return nil, fmt.Errorf("%w: the feature %s", harness.ErrUndeclared, config.Results)
	}
	scope, err := s.ScopeOf(item.Book, lti.ScopeResultReadOnly)
	if err != nil {
		return nil, err
	}
	return s.List(ctx, item.Book, title, harness.WithQuery(grades.Below(item.ID, "results"), query), lti.MediaTypeResultContainer, scope)
}

// A Result is what a line item's results say of a user.
type Result struct {
	harness.Members        // nil where there is none
	Wrong           string // why the results could not be read
	Flow            *harness.PlatformFlow
}

// Fraction is the score as a part of the maximum, which is 1 where none is named
// (Assignment and Grade Services 2.0, 3.3.5), and false where there is no score.
func (r Result) Fraction() (float64, bool) {
	score, ok := r.Members["resultScore"].(float64)
	maximum, named := r.Members["resultMaximum"].(float64)
	if !named {
		maximum = 1
	}
	return score / maximum, ok && maximum > 0
}

// String says in words what the result is.
func (r Result) String() string {
	switch score, ok := r.Members["resultScore"]; {
	case r.Wrong != "":
		return "the results cannot be read: " + r.Wrong
	case r.Members == nil:
		return "there is no result"
	case !ok || score == nil:
		return "there is a result without a score"
	default:
		maximum, named := r.Members["resultMaximum"]
		if !named {
			maximum = "1, which is not said"
		}
		return fmt.Sprintf("the result is %s of %s", lti.Wire(score), lti.Wire(maximum))
	}
}

// ResultOf reads a user's result at a line item. A platform may take its time with
// scores: a real one is asked again until the result is what is awaited, or as
// long as for a sign on a page.
func (s *Scenario) ResultOf(ctx context.Context, item *LineItem, sub string, awaited func(Result) bool) (Result, error) {
	until := time.Now().Add(s.Run().PageWait(s.Run().Config().Timeout.PageSign.Std()))
	for {
		list, err := AsIs(s.Results(ctx, item, "the results", ""))
		if err != nil {
			return Result{}, err
		}
		r := Result{Wrong: list.Wrong, Flow: list.Flows[len(list.Flows)-1]}
		for _, element := range list.Elements {
			if element["userId"] == sub {
				r.Members = element
			}
		}
		if awaited(r) || !time.Now().Before(until) {
			return r, nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return r, context.Cause(ctx)
		}
	}
}

// askAgain is how long to wait before results are asked for again.
const askAgain = 250 * time.Millisecond

// Later returns the time of a user's next score at a line item: now, and a second or
// more after the one before, since a platform may keep whole seconds alone. The first
// is never ahead of the clock; further ones may be, where many come at once.
func (s *Scenario) Later(item *LineItem, sub string) time.Time {
	return s.later(grades.Below(item.ID, "scores"), sub)
}

func (s *Scenario) later(scores, sub string) time.Time {
	key, at := scores+" "+sub, s.Run().Now().UTC().Truncate(time.Millisecond)
	if next := s.learned().scored[key].Add(time.Second); at.Before(next) {
		at = next
	}
	s.learned().scored[key] = at
	return at
}

// Timestamp writes a time as scores have it (Assignment and Grade Services 2.0, 3.4).
func Timestamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") }

// NewScore are the members of a score of a user at a line item: later than all before,
// and the final one of a completed activity where they do not say otherwise. It has no
// points where they do not say how many.
func (s *Scenario) NewScore(item *LineItem, sub string, members harness.Members) harness.Members {
	if members["timestamp"] != nil {
		return newScore(sub, time.Time{}).With(members)
	}
	return newScore(sub, s.Later(item, sub)).With(members)
}

func newScore(sub string, at time.Time) harness.Members {
	return harness.Members{"userId": sub, "timestamp": Timestamp(at), "activityProgress": string(lti.Completed), "gradingProgress": string(lti.FullyGraded)}
}

// PostScore sends a score when its time has come, and keeps what came of it: a stimulus
// is wrong in one thing alone, and so not ahead of the clock.
func (s *Scenario) PostScore(ctx context.Context, item *LineItem, title string, score harness.Members, fault *faketool.Fault) (*harness.PlatformFlow, error) {
	text, _ := score["timestamp"].(string)
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.After(s.Run().Now()) {
		if err := s.Run().Wait(ctx, at.Sub(s.Run().Now())); err != nil {
			return nil, err
		}
	}
	return s.postScore(ctx, item, title, score, fault)
}

func (s *Scenario) postScore(ctx context.Context, item *LineItem, title string, score harness.Members, fault *faketool.Fault) (*harness.PlatformFlow, error) {
	scope, err := s.ScopeOf(item.Book, lti.ScopeScore)
	if err != nil {
		return nil, err
	}
	return s.Call(ctx, item.Book, Call{Title: title, Scopes: []string{scope}, Fault: fault, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: grades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore, Body: score,
	}})
}

// Score sends a score that a platform has to take, apart from what a fault changes. One
// that is refused may have come too early for the platform: its clock may be slow, or
// somebody may have scored the same work. It is sent again when the clock is past its
// time, and once more a little later; what is returned is how the last was answered.
func (s *Scenario) Score(ctx context.Context, item *LineItem, title, sub string, members harness.Members, fault *faketool.Fault) (*harness.PlatformFlow, error) {
	for _, pause := range s.patienceForScores() {
		at := s.Later(item, sub)
		flow, err := s.postScore(ctx, item, title, newScore(sub, at).With(members), fault)
		if err != nil && !errors.Is(err, harness.ErrMayBeDone) || !tooEarly(flow, at.After(s.Run().Now())) { // one that counts already comes too early as well
			return flow, err
		}
		if err := s.Run().Wait(ctx, max(0, at.Sub(s.Run().Now()))+pause); err != nil {
			return flow, err
		}
		title += ", later"
	}
	flow, err := s.PostScore(ctx, item, title, s.NewScore(item, sub, members), fault)
	if err == nil && tooEarly(flow, false) {
		s.learned().heedsNoTime = true
	}
	return flow, err
}

// patienceForScores is how long to wait before a score that was refused is sent again,
// each time. Where that has not helped before, it does not help.
func (s *Scenario) patienceForScores() []time.Duration {
	if s.learned().heedsNoTime {
		return nil
	}
	return []time.Duration{time.Second, 4 * time.Second}
}

// tooEarly says whether a score may have been refused for its time: the specification
// names no status but 409 for that, and one that is ahead of the clock may be taken for
// a mistake.
func tooEarly(f *harness.PlatformFlow, ahead bool) bool {
	status := f.Exchange.Status
	return status == http.StatusConflict || ahead && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity)
}

// Graded sends a score of so many points that a platform has to take. The error is
// [harness.ErrNoLaunch] where it does not.
func (s *Scenario) Graded(ctx context.Context, item *LineItem, sub string, members harness.Members) (*harness.PlatformFlow, error) {
	flow, err := s.Score(ctx, item, "a valid score", sub, members, nil)
	if err == nil && !flow.Succeeded() {
		err = fmt.Errorf("%w: a valid score is refused: %s", harness.ErrNoLaunch, flow.Reply())
	}
	return flow, err
}
