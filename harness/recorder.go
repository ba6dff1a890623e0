package harness

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"invigilator.example/capture"
	"invigilator.example/results"
)

// The bounds of what is kept of an exchange that a fake saw.
const (
	maxRecordedBody  = 8 << 10
	maxRecordedSteps = 4000
	maxRecordedBytes = 16 << 20
	maxStepsBetween  = 200 // of one journey
)

// recorder keeps the exchanges that the run's own servers saw. They are
// attributed to journeys by time.
type recorder struct {
	mu      sync.Mutex
	steps   []recorded
	bytes   int               // of those
	strange func(*knock) bool // says whether what came to the door is no evidence
}

type recorded struct {
	at, done time.Time // done is when it was added: later than all before
	step     results.Step
}

// wrap records what passes through a handler.
func (r *recorder) wrap(seenBy string, base string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		at := time.Now()
		body := capture.Request(request, maxRecordedBody)
		kept := capture.NewAnswer(w, maxRecordedBody)
		finish := func() {
			if k := knockOf(request); k != nil && r.strange(k) {
				return
			}
			r.add(at, results.Step{
				Note:   cameTo(knockOf(request), base),
				SeenBy: seenBy, Method: request.Method, URL: results.Bounded(base+request.URL.String(), maxRecordedBody),
				RequestHeader: results.Header(request.Header), RequestBody: textOf(body),
				Status: kept.Status, ResponseHeader: results.Header(w.Header()), ResponseBody: textOf(kept.Body),
			})
		}
		defer finish() // also where the handler hangs up by panicking
		handler.ServeHTTP(kept, request)
	})
}

// cameTo says where a request was sent to, where a proxy says so, and it is not the address
// that a fake has; empty where it is.
func cameTo(k *knock, base string) string {
	if k == nil || k.via == "" || k.via == base {
		return ""
	}
	return "sent to " + results.Bounded(k.via, 300) + ", as the proxy says"
}

func (r *recorder) add(at time.Time, step results.Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, recorded{at, time.Now(), step})
	r.bytes += step.Size()
	gone := 0
	for ; len(r.steps)-gone > maxRecordedSteps || r.bytes > maxRecordedBytes; gone++ {
		r.bytes -= r.steps[gone].step.Size()
	}
	clear(r.steps[:gone])
	r.steps = r.steps[gone:] // append moves the rest, now and then
}

// between returns the exchanges of a journey, in the order of time.
func (r *recorder) between(from, to time.Time) []results.Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	var steps []results.Step
	first, _ := slices.BinarySearchFunc(r.steps, from, func(s recorded, from time.Time) int { return s.done.Compare(from) })
	for _, s := range r.steps[first:] {
		if !s.at.Before(from) && !s.at.After(to) {
			s.step.At = s.at.Sub(from).Milliseconds()
			steps = append(steps, s.step)
			if len(steps) == maxStepsBetween {
				break
			}
		}
	}
	slices.SortStableFunc(steps, func(a, b results.Step) int { return int(a.At - b.At) })
	return steps
}

// textOf is what is shown of a body.
func textOf(b *capture.Body) string {
	text := results.Bounded(string(b.Bytes()), maxRecordedBody)
	if b.Cut() {
		text += " [cut]"
	}
	return text
}
