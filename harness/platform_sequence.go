package harness

import (
	"context"
	"time"

	"invigilator.example/harness/agent"
)

// Ago writes a time so long ago as scores have it.
func (r *PlatformRun) Ago(d time.Duration) string { return Timestamp(r.now().UTC().Add(-d)) }

const pointsReading = "points"

// ShowsPoints says whether the configuration tells where the gradebook shows points.
func (r *PlatformRun) ShowsPoints() bool { return r.platform.PointsSelector != "" }

// pointsOf is where the gradebook shows the points of what the words stand for; nothing
// where the configuration does not tell.
func (r *PlatformRun) pointsOf(given words) map[string]agent.Reading {
	if !r.ShowsPoints() {
		return nil
	}
	return map[string]agent.Reading{pointsReading: {Selector: given.inTarget(r.platform.PointsSelector)}}
}

// PointsShown lets a user look at the gradebook, and returns what it shows as the points
// of the learner at a line item; nothing where it shows none. A platform may take its
// time: the gradebook of a real one is opened again until it shows what is awaited, or as
// long as for a sign on a page.
func (s *PlatformScenario) PointsShown(ctx context.Context, user string, item *LineItem, awaited func(string) bool) (string, *PlatformFlow, error) {
	until := time.Now().Add(s.run.markerWait(s.run.config.Timeout.PageSign.Std()))
	for {
		page, err := s.OpenGrades(ctx, user, item, "")
		if err != nil {
			return "", page, err
		}
		shown := page.Trip.Read[pointsReading]
		if awaited(shown) || !time.Now().Before(until) {
			return shown, page, nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return shown, page, context.Cause(ctx)
		}
	}
}
