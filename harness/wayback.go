package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"invigilator.example/harness/agent"
)

// A way is something on a page that may lead its user back to the platform.
type way struct {
	marker, target string
	named          bool // by the configuration, or by its address: it has to lead back
}

// wayBackMarker is the sign that a page leads to the return URL of a launch.
const (
	wayBackMarker = "way-back"
	exitMarker    = "way-back-exit"
)

// waysBack are those of a page that a launch has led to, in the order in which they are
// looked for: what tool.return_selector names, what leads to the return URL by its address, and else
// the page's first button or link.
func (r *Run) waysBack(returnURL string) []way {
	ways := []way{
		{wayBackMarker + "-link", fmt.Sprintf(`a[href^="%s"]`, returnURL), true},
		{wayBackMarker + "-form", fmt.Sprintf(`form[action^="%s"] button, form[action^="%[1]s"] input[type="submit"]`, returnURL), true},
		{wayBackMarker + "-button", `button, input[type="submit"], input[type="image"], input[type="button"], [role="button"]`, false},
		{wayBackMarker + "-other", `a[href]`, false},
	}
	if r.tool.ReturnSelector != "" {
		ways = append([]way{{exitMarker, r.tool.ReturnSelector, true}}, ways...)
	}
	return ways
}

// marksWaysBack are the signs of what may lead back from a page to the return URL.
func (r *Run) marksWaysBack(returnURL string) []agent.Marker {
	markers := []agent.Marker{{Name: wayBackMarker, Selector: fmt.Sprintf(`a[href^="%s"], form[action^="%[1]s"]`, returnURL)}}
	for _, w := range r.waysBack(returnURL) {
		markers = append(markers, agent.Marker{Name: w.marker, Selector: w.target})
	}
	return markers
}

// LeadsBack says whether the page has a link or form that leads to the return
// URL, or the browser was led there.
func (f *Flow) LeadsBack() bool { return f.Trip.Markers[wayBackMarker] || f.Returned() }

// OffersExit says whether the page has what tool.return_selector names.
func (f *Flow) OffersExit() bool { return f.Trip.Markers[exitMarker] }

// Returned says whether the browser was led to the return URL.
func (f *Flow) Returned() bool { return len(f.Record.Returns) > 0 }

// TakeWayBack lets a user whose browser is on the page of a flow take the way back that it
// offers, and keeps what came of it. Where no way is known to be one and guess is set, that
// is the first button, or else the first link. The flow is nil where the page offers none,
// and the error [agent.ErrNeedsBrowser] where only a browser can take what it offers.
//
// Wrong says that the way ended in an error: any where it is known to be the way back, and
// else one of the server.
func (s *Scenario) TakeWayBack(ctx context.Context, title string, f *Flow, guess bool) (back *Flow, wrong string, err error) {
	for _, w := range s.run.waysBack(f.Launch.ReturnURL()) {
		if !f.Trip.Markers[w.marker] || !w.named && !guess {
			continue
		}
		began := time.Now()
		trip, err := s.run.makeJourney(ctx, f.by, title, agent.Journey{
			In: agent.Here, Actions: []agent.Action{{Verb: agent.Click, Target: w.target}}, Screenshot: true, Also: s.run.marksWaysBack(f.Launch.ReturnURL()),
		})
		if stuck, isStuck := errors.AsType[*JourneyError](err); isStuck && trip.Ended == agent.Settled {
			if s.run.Agent().Kind != "browser" {
				return nil, "", fmt.Errorf("%w: %s", agent.ErrNeedsBrowser, stuck.Why)
			}
			return nil, "", nil
		} else if err != nil && !isStuck {
			return nil, "", err
		}
		back = &Flow{ID: s.run.nextFlowID(), Launch: f.Launch, Record: f.Launch.Record(), Trip: trip, by: f.by, review: f.review, texts: f.texts, account: f.account}
		back.evidence = s.run.evidence(back, Launch{Title: title}, began)
		s.keep(back)
		status := trip.Page.Status
		ours := strings.HasPrefix(trip.Page.URL, f.Launch.PlatformURL()+"/") // what our platform says is not the tool's doing
		if !back.Returned() && !ours && (trip.Ended != agent.Settled || status >= http.StatusInternalServerError || w.named && status >= http.StatusBadRequest) {
			wrong = "the way back, " + w.target + ", ends in an error: " + back.End()
		}
		return back, wrong, nil
	}
	return nil, "", nil
}
