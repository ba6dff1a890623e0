package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/results"
)

// A subject may take only so many requests in a while. It says so by 429, or by 503 with
// Retry-After (RFC 6585, 4; RFC 9110, 10.2.3 and 15.6.4). A run makes more requests than
// people do, so that is never a defect: what was asked for is tried again, and is not seen
// where the subject takes nothing in time.

// errLimited says that a subject takes no more requests for now.
var errLimited = errors.New("it accepts no more requests for now")

// limits says whether an answer is that there are too many requests.
func limits(e *faketool.Exchange) bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable && e.Header.Get("Retry-After") != ""
}

// raiseLimit says what to do about a subject that limits requests.
const raiseLimit = "raise its limit for the run, or give it more time with timeout.restart"

// patiently sends requests of the fake tool's server, and sends them again as long as the
// platform does not take all of them for now: when Retry-After says, for as long as timeout.restart
// lasts. Once that was in vain, each further request is sent once.
func (s *PlatformScenario) patiently(ctx context.Context, send func(context.Context) ([]*faketool.Exchange, error)) ([]*faketool.Exchange, error) {
	embedded := s.run.config.IsEmbedded()
	end, pause := time.Now().Add(s.run.config.Timeout.Restart.Std()), firstPause
	for tries := 0; ; tries++ {
		made, err := s.once(ctx, send)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(made, limits)
		if i < 0 {
			s.run.limited = false
			return made, nil
		}
		exchange := made[i]
		asked := pauseOf(exchange.Header.Get("Retry-After"))
		wait := min(max(asked, pause), time.Until(end))
		if embedded { // it takes the next request at once, or never
			wait = 0
		}
		spent := embedded && tries == embeddedTries || !embedded && (wait <= 0 || asked > wait)
		if s.run.limited || spent {
			s.run.limited = true
			return made, nil
		}
		s.Tell("limited", fmt.Sprintf("%s answers that there are too many requests (HTTP %d); the request is tried again. If that takes long, %s.", hostOf(exchange.URL), exchange.Status, raiseLimit), "")
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return made, nil
		}
		pause = min(2*pause, lastPause)
	}
}

// once sends requests, whose answers have to come in time.
func (s *PlatformScenario) once(ctx context.Context, send func(context.Context) ([]*faketool.Exchange, error)) ([]*faketool.Exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, s.run.Patience())
	defer cancel()
	return send(ctx)
}

// takesNoMore is an [ErrNoLaunch] where an answer is that there are too many requests.
func takesNoMore(made []*faketool.Exchange) error {
	i := slices.IndexFunc(made, limits)
	if i < 0 {
		return nil
	}
	e := made[i]
	return fmt.Errorf("%w: %s: %w (HTTP %d): %s", ErrNoLaunch, hostOf(e.URL), errLimited, e.Status, raiseLimit)
}

// limitedIn says which host of a subject answered in a flow that there are too many
// requests; empty where none did.
func limitedIn(flow results.Flow, hosts []string) string {
	for _, step := range flow.Steps {
		if step.Status == http.StatusTooManyRequests && isAt(step.URL, hosts) {
			return hostOf(step.URL)
		}
	}
	return ""
}

// pauseOf is how long a value of Retry-After asks to be left alone (RFC 9110, 10.2.3), an
// hour at most; 0 where it does not say.
func pauseOf(value string) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		return time.Duration(max(0, min(seconds, 3600))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, min(time.Until(date), time.Hour))
	}
	return 0
}
