package fakeplatform

import (
	"context"
	"sync"
	"time"
)

// lingers is how long, with a fault, the platform waits at most for the twin of a request.
const lingers = 500 * time.Millisecond

// Pairs are requests about the same value that come at the same time. A platform with the
// fault of looking whether a value was used, and noting a while later that it was, has both
// of them under way before it notes anything. Its zero value is ready to be used.
type pairs struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// meet waits for another request about a value, and says whether one came.
func (p *pairs) meet(ctx context.Context, value string) bool {
	p.mu.Lock()
	if twin, there := p.waiting[value]; there {
		delete(p.waiting, value)
		p.mu.Unlock()
		close(twin)
		return true
	}
	came := make(chan struct{})
	if p.waiting == nil {
		p.waiting = map[string]chan struct{}{}
	}
	p.waiting[value] = came
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, lingers)
	defer cancel()
	select {
	case <-came:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[value] != came {
		return true
	}
	delete(p.waiting, value)
	return false
}

// carriesAny says whether the platform has one of several faults, which this does not ask
// for: what it leads to makes no difference by itself.
func (p *Platform) carriesAny(faults ...string) bool {
	for _, name := range faults {
		if p.faults[name] {
			return true
		}
	}
	return false
}
