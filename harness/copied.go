package harness

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator/harness/agent"
	"invigilator/lti"
	"invigilator/results"
)

// GivesCookies says whether the tool has set cookies since the id_token reached it: where it
// has not, it knows the browser by those of its login, or by addresses alone.
func (f *Flow) GivesCookies() bool {
	launched := false
	return slices.ContainsFunc(f.Trip.Steps, func(step results.Step) bool {
		launched = launched || strings.Contains(step.RequestBody, lti.ParamIDToken+"=")
		return launched && slices.ContainsFunc(step.ResponseHeader, func(h [2]string) bool {
			cookie, err := http.ParseSetCookie(h[1])
			return strings.EqualFold(h[0], "Set-Cookie") && err == nil && cookie.Value != "" && cookie.MaxAge >= 0
		})
	})
}

// SentCookies says whether the candidate's browser sent cookies to the platform: where it
// sent none, the platform knows the candidate by addresses alone.
func (f *PlatformFlow) SentCookies() bool {
	ended, err := url.Parse(f.Trip.Page.URL)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(f.Trip.Steps, func(step results.Step) bool {
		u, err := url.Parse(step.URL)
		return err == nil && u.Host == ended.Host && slices.ContainsFunc(step.RequestHeader, func(h [2]string) bool { return strings.EqualFold(h[0], "Cookie") })
	})
}

// OpenExam opens the address of an exam's page, and keeps what came of it.
func (s *PlatformScenario) OpenExam(ctx context.Context, title string, exam *PlatformFlow, by agent.User) (*PlatformFlow, error) {
	visit := s.run.visit(exam.Trip.Page.URL)
	visit.Markers, visit.Screenshot = s.run.examMarkers(), true
	visit.MarkerWait = s.run.markerWait(s.run.config.Patience.Marker.Std())
	began := time.Now()
	trip, err := by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{ID: s.run.nextFlowID(), Trip: trip, by: exam.by, link: exam.link, tool: exam.tool, picture: trip.Screenshot}
	flow.evidence = s.run.platformEvidence(flow, PlatformLaunch{Title: title}, began)
	s.keep(flow)
	return flow, nil
}
