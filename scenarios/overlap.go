package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/requirements"
)

// Most of a run against a real tool is waiting: for a score that may still come, for a nonce
// to be forgotten. Where scenarios may overlap, others go on meanwhile. At any time one of
// them is at work and the others wait, so that each launch, and each valid one around it, is
// as undisturbed as if there were no others. Ginkgo says which specs there are and in which
// order; they are done at the end, when all are known.

// An overlap does specs beside each other.
type overlap struct {
	atOnce   int
	waiting  []*spec // to be begun
	underWay []*spec
	ready    []*spec // those under way whose wait is over
	events   chan event
	doing    bool
	aborted  string // why none is begun any more
}

// An event is something that a spec under way has come to.
type event struct {
	of *spec
	to stage
}

type stage int

const (
	waits stage = iota
	hasWaited
	isDone
)

// ended is the panic that ends a spec under way.
type ended struct {
	red bool
	why string
}

func newOverlap(atOnce int) *overlap { return &overlap{atOnce: atOnce, events: make(chan event)} }

// going says whether specs are done beside each other now.
func (o *overlap) going() bool { return o != nil && o.doing }

func (o *overlap) add(s *spec) {
	s.needs = needsOf(s.labels)
	o.waiting = append(o.waiting, s)
}

// abort begins no more specs, and ends the one that is at work.
func (o *overlap) abort(why string) {
	o.aborted = why
	panic(ended{red: true, why: why})
}

// besides names the other specs under way; empty where there are none.
func (o *overlap) besides(s *spec) string {
	if o == nil {
		return ""
	}
	var others []string
	for _, other := range o.underWay {
		if other != s {
			others = append(others, other.text)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return " (under way beside it, and waiting: " + strings.Join(others, "; ") + ")"
}

// Specs that were left for the end are done then.
var _ = AfterSuite(func(ctx SpecContext) {
	r, judgesTool := run.(*harness.Run)
	if beside == nil || !judgesTool {
		return
	}
	r.Overlap(beside.meanwhile)
	beside.do(ctx, func(s *spec) { s.doBeside(ctx) })
	if beside.aborted != "" {
		AbortSuite(inert(beside.aborted))
	}
}, untilStopped)

// do does all specs, each in a goroutine of its own. The context ends the run early: then no
// more are begun. Those that not all others may go on beside come first, so that there is
// something to go on with while they wait.
func (o *overlap) do(ctx context.Context, do func(*spec)) {
	o.doing = true
	defer func() { o.doing = false }()
	o.order()
	for {
		next := o.next(ctx, do)
		if next == nil && len(o.underWay) == 0 {
			return
		}
		if next == nil { // all of them wait
			o.heed(<-o.events)
			continue
		}
		now = next
		next.turn <- struct{}{}
		for o.heed(<-o.events) {
		}
	}
}

func (o *overlap) order() {
	particular := func(s *spec) int {
		if s.needs == (needs{}) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(o.waiting, func(a, b *spec) int { return particular(a) - particular(b) })
}

// heed takes down what a spec has come to, and says whether the one at work is still at work.
func (o *overlap) heed(e event) bool {
	switch e.to {
	case hasWaited:
		o.ready = append(o.ready, e.of)
		return true
	case isDone:
		o.underWay = slices.DeleteFunc(o.underWay, func(s *spec) bool { return s == e.of })
	}
	return false
}

// next is the spec that is to go on now: one whose wait is over, or else the first that can
// be begun; nil where there is none.
func (o *overlap) next(ctx context.Context, do func(*spec)) *spec {
	if len(o.ready) > 0 {
		s := o.ready[0]
		o.ready = o.ready[1:]
		return s
	}
	if ctx.Err() != nil || o.aborted != "" {
		o.waiting = nil
	}
	if len(o.underWay) >= o.atOnce {
		return nil
	}
	i := slices.IndexFunc(o.waiting, func(s *spec) bool {
		return !slices.ContainsFunc(o.underWay, func(other *spec) bool { return s.needs.disturb(other.needs) })
	})
	if i < 0 {
		return nil
	}
	s := o.waiting[i]
	o.waiting = slices.Delete(o.waiting, i, i+1)
	o.underWay = append(o.underWay, s)
	go func() {
		<-s.turn
		do(s)
		o.events <- event{s, isDone}
	}()
	return s
}

// doBeside does a spec whose turn has come, and ends its scenario.
func (s *spec) doBeside(ctx SpecContext) {
	begins(s.text)
	failed, red := caught(func() { s.do(ctx) })
	if s.scene != nil {
		if !red {
			failed = ""
		}
		_, redEnd := caught(func() { s.end(failed) })
		red = red || redEnd
	}
	ends(red)
}

// caught runs a function, and says why it has ended early, and whether that is for a failure.
func caught(f func()) (why string, red bool) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case ended:
			why, red = e.why, e.red
		default:
			why, red = fmt.Sprint(e), true
		}
	}()
	f()
	return "", false
}

// meanwhile lets other specs go on while the one at work waits.
func (o *overlap) meanwhile(wait func()) {
	s := now
	if s.alone {
		wait()
		return
	}
	o.events <- event{s, waits}
	wait()
	o.events <- event{s, hasWaited}
	<-s.turn
}

// needs are what a spec has to have for itself: the services of the platform, with its
// gradebook and its access tokens, and the platform's keys.
type needs struct{ services, keys bool }

// disturb says whether two specs need the same.
func (n needs) disturb(other needs) bool {
	return n.services && other.services || n.keys && other.keys
}

// needsOf are those of a spec with these labels.
func needsOf(labels []string) needs {
	var n needs
	for _, id := range named(labels) {
		r, _ := requirements.Default().Get(id)
		n.services = n.services || r.Profile != requirements.Launch
		n.keys = n.keys || slices.ContainsFunc(fakeplatform.FaultsFor(string(id)), fakeplatform.TouchesKeys)
	}
	return n
}
