package gradebook

import (
	"cmp"
	"context"
	"time"

	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
)

// OpenGrades lets a user look at the gradebook, and says whether it shows that a
// learner's work waits for grading, where the configuration tells how it does. The
// error is [harness.ErrNoJourney] where no journey of the user leads there.
func (s *Scenario) OpenGrades(ctx context.Context, user string, item *LineItem, learner string) (*harness.PlatformFlow, error) {
	subject := s.Run().Platform()
	d := harness.Doing{
		Title: "the gradebook", User: user, Does: config.OpenGrades, Words: s.WordsOf(item, learner),
		Markers: harness.Marker(waitingMarker, subject.GradingPending),
	}
	if s.ShowsPoints() {
		d.Read = map[string]agent.Reading{pointsReading: {Selector: subject.PointsSelector}}
	}
	return s.Perform(ctx, d)
}

// WordsOf are the words of a journey that is about a learner's work: the learner's when empty.
func (s *Scenario) WordsOf(item *LineItem, learner string) []string {
	return append([]string{"{line_item}", item.Label}, s.Run().WordsOf(cmp.Or(learner, config.Learner))...)
}

const waitingMarker = "needs-grading"

// ShowsWaiting says whether the configuration tells how the gradebook shows that work
// waits for grading.
func (s *Scenario) ShowsWaiting() bool { return !s.Run().Platform().GradingPending.IsZero() }

// Waiting says whether the gradebook shows that the work waits for grading.
func Waiting(f *harness.PlatformFlow) bool { return f.Trip.Markers[waitingMarker] }

// Ago writes a time so long ago as scores have it.
func (s *Scenario) Ago(d time.Duration) string { return Timestamp(s.Run().Now().UTC().Add(-d)) }

const pointsReading = "points"

// ShowsPoints says whether the configuration tells where the gradebook shows points.
func (s *Scenario) ShowsPoints() bool { return s.Run().Platform().PointsSelector != "" }

// PointsShown lets a user look at the gradebook, and returns what it shows as the points
// of the learner at a line item; nothing where it shows none. A platform may take its
// time: the gradebook of a real one is opened again until it shows what is awaited, or as
// long as for a sign on a page.
func (s *Scenario) PointsShown(ctx context.Context, user string, item *LineItem, awaited func(string) bool) (string, *harness.PlatformFlow, error) {
	until := time.Now().Add(s.Run().PageWait(s.Run().Config().Timeout.PageSign.Std()))
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
