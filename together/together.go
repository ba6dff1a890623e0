// Package together lets what comes from several sides go on at the same time.
package together

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Gathering lets those go on at the same time who have come to it. It is safe for
// concurrent use.
type Gathering struct {
	mu      sync.Mutex
	missing int
	all     chan struct{} // is closed when nobody is missing any more
}

// Gather begins a gathering of n.
func Gather(n int) *Gathering { return &Gathering{missing: n, all: make(chan struct{})} }

// Arrive counts one more who has come, or who will not. What comes after the last one
// counts no more.
func (g *Gathering) Arrive() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.missing--; g.missing == 0 {
		close(g.all)
	}
}

// Wait waits until all have arrived. The error is that of the context.
func (g *Gathering) Wait(ctx context.Context) error {
	select {
	case <-g.all:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Do does n things at the same time, and returns what each has made, in their order. The
// errors are joined.
func Do[T any](n int, do func(i int) (T, error)) ([]T, error) {
	made, errs := make([]T, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { made[i], errs[i] = do(i) })
	}
	all.Wait()
	return made, errors.Join(errs...)
}

// pagePatience is how long a page waits for others.
const pagePatience = 5 * time.Second

// Meet arrives and waits as a page does: for some seconds, since who does not come is not
// waited for.
func (g *Gathering) Meet(ctx context.Context) {
	g.Arrive()
	ctx, cancel := context.WithTimeout(ctx, pagePatience)
	defer cancel()
	_ = g.Wait(ctx)
}

// Pairs are requests about the same value that come at the same time: for those who look
// whether a value was used, and note only a while later that it was. Its zero value is ready
// to be used, and safe for concurrent use.
type Pairs struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// twinPatience is how long one of a pair waits for the other.
const twinPatience = 500 * time.Millisecond

// Meet waits for another request about a value, half a second at most, and says whether one
// has come.
func (p *Pairs) Meet(ctx context.Context, value string) bool {
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
	ctx, cancel := context.WithTimeout(ctx, twinPatience)
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
