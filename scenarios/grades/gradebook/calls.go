package gradebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Call is a request of the fake tool's server to a grade service.
type Call struct {
	// Title says what the call is for, in the report.
	Title string
	faketool.ServiceRequest
	// Scopes are those of the access token; none is sent where there is none and the
	// request has none.
	Scopes []string
	// Fault is what differs from the request.
	Fault *faketool.Fault
	// Tool is the one that calls; the first when nil.
	Tool *faketool.Tool
}

// Call sends a request to a grade service, and keeps what came of it; the error is
// [harness.ErrNoLaunch] where no whole answer came. A line item that it makes goes away when
// the scenario ends, and so does a score in a line item that was there before.
func (s *Scenario) Call(ctx context.Context, b *Book, c Call) (*harness.PlatformFlow, error) {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if err := s.MayWrite(); err != nil && c.Method != http.MethodGet {
		return nil, err
	}
	if s.learned().wholeSeconds {
		c.Body = inWholeSeconds(c.Body)
	}
	ahead := isAhead(c.Body, s.Run().Now())
	flow, err := s.Ask(ctx, c.request())
	if whole := inWholeSeconds(c.Body); err == nil && c.Fault == nil && !ahead && flow.Exchange.Status == http.StatusBadRequest && !reflect.DeepEqual(whole, c.Body) {
		again := c
		again.Title, again.Body = c.Title+", in whole seconds", whole
		if taken, failed := s.Ask(ctx, again.request()); failed == nil && taken.Succeeded() {
			s.learned().wholeSeconds, flow = true, taken
		}
	}
	if flow != nil && c.Method == http.MethodPost {
		s.tidyLater(b, c, flow, errors.Is(err, harness.ErrMayBeDone) || endUnknown(flow))
	}
	return flow, err
}

// request is the call to the service that its address is of (Assignment and Grade Services
// 2.0, 3.2 to 3.4).
func (c Call) request() harness.ServiceRequest {
	q := harness.ServiceRequest{Title: c.Title, ServiceRequest: c.ServiceRequest, Scopes: c.Scopes, Fault: c.Fault, Tool: c.Tool}
	switch path := harness.WithoutQuery(c.URL); {
	case strings.HasSuffix(path, "/scores"):
		q.Service = scoreService
	case strings.HasSuffix(path, "/results"):
		q.Service = resultService
	default:
		q.Service = lineItemService
		if c.Method == http.MethodPost {
			q.Leaves = "The first request may have made a line item, which is left in the gradebook."
		}
	}
	return q
}

// WholeSeconds says whether the platform has refused scores for the fractions of seconds in
// their times, so that they are sent without since then.
func (s *Scenario) WholeSeconds() bool { return s.learned().wholeSeconds }

// fraction matches that of a second in a time of a score.
var fraction = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+`)

// isAhead says whether a score has a time that is still to come, for which it may be refused: cut
// to whole seconds it need not be.
func isAhead(body any, now time.Time) bool {
	score, _ := body.(harness.Members)
	text, _ := score["timestamp"].(string)
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && at.After(now)
}

// inWholeSeconds cuts the fractions of seconds that the times of a score have; other
// bodies stay as they are.
func inWholeSeconds(body any) any {
	score, ok := body.(harness.Members)
	if !ok || score["timestamp"] == nil {
		return body
	}
	cut := maps.Clone(score)
	for name, value := range score {
		switch value := value.(type) {
		case string:
			cut[name] = fraction.ReplaceAllString(value, "$1")
		case harness.Members: // submission
			inner := maps.Clone(value)
			for name, value := range value {
				if text, ok := value.(string); ok {
					inner[name] = fraction.ReplaceAllString(text, "$1")
				}
			}
			cut[name] = inner
		}
	}
	return cut
}

// tidyLater takes away, when the scenario ends, what a POST has made: a line item, or
// a score in a line item that is not the run's own. It may not be known whether it has.
func (s *Scenario) tidyLater(b *Book, c Call, made *harness.PlatformFlow, unknown bool) {
	var sent struct {
		Label  any
		UserID string
	}
	_ = json.Unmarshal([]byte(made.Exchange.RequestBody), &sent) // a body that is none says nothing
	switch ofItems := harness.WithoutQuery(c.URL) == harness.WithoutQuery(b.LineItems); {
	case ofItems && made.Succeeded():
		s.discardLater(b, c, made)
	case ofItems && unknown:
		s.Tell("left behind", fmt.Sprintf("It is not known whether the line item %s was made: it may be left in the gradebook.", lti.Wire(sent.Label)), made.ID)
	case !ofItems && strings.HasSuffix(harness.WithoutQuery(c.URL), "/scores") && sent.UserID != "" && (made.Succeeded() || unknown):
		s.clearLater(b, c, sent.UserID, made.ID)
	}
}

// endUnknown says whether a request may have had its effect though no answer of the
// service itself came.
func endUnknown(f *harness.PlatformFlow) bool {
	return slices.Contains([]int{0, http.StatusBadGateway, http.StatusGatewayTimeout}, f.Exchange.Status)
}

// discardLater takes away a line item that a request has made, when the scenario
// ends: as the tool that made it, which may be the only one that can.
func (s *Scenario) discardLater(b *Book, made Call, flow *harness.PlatformFlow) {
	remove := Call{
		Title: "the run takes away its line item", Tool: made.Tool, Scopes: []string{lti.ScopeLineItem},
		ServiceRequest: faketool.ServiceRequest{Method: http.MethodDelete, URL: ItemID(flow)},
	}
	if made.Tool != nil {
		remove.Token = made.Token
	}
	s.tidies(grades.Below(remove.URL, "scores"))
	s.AtEnd(func() {
		s.takeAway(b, remove, fmt.Sprintf("The line item %s could not be removed.", results.Bounded(remove.URL, 300)), flow.ID)
	})
}

// tidies notes what is taken away when the scenario ends.
func (s *Scenario) tidies(key string) {
	if s.tidied == nil {
		s.tidied = map[string]bool{}
	}
	s.tidied[key] = true
}

// clearLater takes away a user's score when the scenario ends, unless its line item
// goes away altogether: as the tool that sent it.
func (s *Scenario) clearLater(b *Book, sent Call, sub, flow string) {
	scores := sent.URL
	key := scores + " " + sub
	if s.tidied[scores] || s.tidied[key] {
		return
	}
	s.tidies(key)
	s.AtEnd(func() {
		none := newScore(sub, s.later(scores, sub)).With(harness.Members{"activityProgress": string(lti.Initialized), "gradingProgress": string(lti.NotReady)})
		clearing := Call{Title: "the run takes away its score", Tool: sent.Tool, Scopes: []string{lti.ScopeScore}, ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: scores, MediaType: lti.MediaTypeScore, Body: none,
		}}
		if sent.Tool != nil {
			clearing.Token = sent.Token
		}
		s.takeAway(b, clearing, fmt.Sprintf("A score could not be removed: %s.", results.Bounded(scores, 300)), flow)
	})
}

// takeAway makes a request that takes something away, and tells where it is left behind.
func (s *Scenario) takeAway(b *Book, c Call, left, made string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.Run().Patience())
	defer cancel()
	if flow, _ := s.Call(ctx, b, c); flow == nil || !flow.Succeeded() && flow.Exchange.Status != http.StatusNotFound {
		s.Tell("left behind", left, made)
	}
}
