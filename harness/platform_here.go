package harness

import (
	"context"
	"time"

	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// ShowHere shows a page of the fake tool where a launch has ended, in the platform's frame or window, and
// keeps what is seen of it. The page is over when it has a mark, a CSS selector. The error is
// [agent.ErrNeedsBrowser] where there is none.
func (s *PlatformScenario) ShowHere(ctx context.Context, f *PlatformFlow, title, address, mark string, patience time.Duration) (*PlatformFlow, error) {
	if s.run.Agent().Kind == results.HTTP {
		return nil, agent.ErrNeedsBrowser // the page talks to the windows around it
	}
	visit := s.run.visit(address)
	visit.In = agent.Here
	visit.Markers, visit.MarkerWait = []agent.Marker{{Name: "over", Selector: mark}}, patience
	visit.Deadline += patience
	began := time.Now()
	trip, err := f.by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	shown := &PlatformFlow{ID: s.run.nextFlowID(), Login: f.Login, Trip: trip, by: f.by, picture: trip.Screenshot, shown: f.shown, link: f.link, tool: f.tool}
	shown.evidence = s.run.platformEvidence(shown, PlatformLaunch{Title: title}, began)
	s.keep(shown)
	return shown, nil
}
