// Package fault says how a fake goes wrong on purpose, without its honest code naming a
// single fault.
//
// Honest code checks [Rule]s and passes values through [Seam]s. A fault is a list of
// [Effect]s: it lifts a rule, adds one, or changes what passes a seam. A [Carrier] holds
// the faults of one fake. It also computes which other faults would have made a
// difference to what the fake was asked, so that the proof need not try the rest.
//
//	var nonceIsOfLogin = &fault.Rule[answer]{Name: "nonce is that of the login", Broken: func(a answer) error { … }}
//
//	{Name: "accepts-any-nonce", Effects: []fault.Effect{nonceIsOfLogin.Lift(nil)}}
//
//	if err := rulesOfIDToken.First(t.carrier, a); err != nil { … }
package fault

import (
	"maps"
	"reflect"
	"slices"
	"sync"
)

// An Effect is one thing that a fault does, at one place of honest code. The methods
// of [Rule], [List], [Seam] and [Step] make it.
type Effect struct {
	at any // the *Rule, *List, *Seam or *Step
	do any // what is done there, of a type that goes with that of at
}

// A Carrier holds the effects of the faults that a fake has, and watches others. A nil
// Carrier carries nothing, watches nothing and costs nothing. It is safe for concurrent
// use once it is made.
type Carrier struct {
	carried map[any][]any
	watched map[any][]watched

	mu      sync.Mutex
	reached map[string]bool
}

type watched struct {
	fault string
	do    any
}

// Carry returns a carrier of these effects; nil for none.
func Carry(effects ...Effect) *Carrier {
	if len(effects) == 0 {
		return nil
	}
	c := &Carrier{carried: map[any][]any{}}
	for _, e := range effects {
		c.carried[e.at] = append(c.carried[e.at], e.do)
	}
	return c
}

// Watch returns a carrier that carries the same and notes as well which of these faults
// would make a difference.
func (c *Carrier) Watch(faults ...Fault) *Carrier {
	w := &Carrier{watched: map[any][]watched{}, reached: map[string]bool{}}
	if c != nil {
		w.carried = c.carried
	}
	for _, f := range faults {
		for _, e := range f.Effects {
			w.watched[e.at] = append(w.watched[e.at], watched{f.Name, e.do})
		}
	}
	return w
}

// Reached returns, sorted, the names of the watched faults that would have made a
// difference since it was last called. Where a fault is not among them, a fake that has
// it would have done the same.
func (c *Carrier) Reached() []string {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	names := slices.Sorted(maps.Keys(c.reached))
	clear(c.reached)
	return names
}

func (c *Carrier) reach(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reached[name] = true
}

// effects returns what carried faults do at a place, and what watched ones would.
func (c *Carrier) effects(at any) ([]any, []watched) {
	if c == nil {
		return nil, nil
	}
	return c.carried[at], c.watched[at]
}

// A Seam is a place where a value leaves a fake, or where one is decided on.
type Seam[T any] struct {
	// Name says what passes here, in the field's words.
	Name string
	// InMessage is set where nothing passes but what a message says, or how it is signed.
	InMessage bool
	// Clone copies a value so deep that a change of the copy leaves the value alone. It
	// may be nil where a change makes a new value anyway.
	Clone func(T) T
}

// Change returns the effect of changing what passes. The function is given a copy, keeps
// nothing between its calls, and may be called without its outcome being used.
func (s *Seam[T]) Change(f func(T) T) Effect { return Effect{s, change[T]{f: f}} }

// ChangeWhen returns the effect of changing what passes where when says so. The function is
// called only of a fault that is carried: it may wait for something, cost much, make
// something up and keep what it has seen.
func (s *Seam[T]) ChangeWhen(when func(T) bool, f func(T) T) Effect {
	return Effect{s, change[T]{when, f, false}}
}

// ChangeAll returns the effect of a function that is called of all that passes, since it
// has to see it: it may wait for another request, and keep what it has seen. As with
// ChangeWhen, it is called only of a fault that is carried; shows says of what it makes a
// difference.
func (s *Seam[T]) ChangeAll(shows func(T) bool, f func(T) T) Effect {
	return Effect{s, change[T]{shows, f, true}}
}

// Changed says whether one of these effects changes what passes.
func (s *Seam[T]) Changed(by []Effect) bool { return changed(s, by) }

// changed says whether one of these effects is at a place.
func changed(at any, by []Effect) bool {
	return slices.ContainsFunc(by, func(e Effect) bool { return e.at == at })
}

func (s *Seam[T]) inMessage() bool { return s.InMessage }

// change is what a fault makes of what passes a seam, and when; nil where the outcome tells.
type change[T any] struct {
	when func(T) bool
	f    func(T) T
	all  bool // f is called whatever when says
}

// Pass returns what leaves the fake instead of v: v itself where no fault is carried that
// changes it.
func (s *Seam[T]) Pass(c *Carrier, v T) T {
	carried, watched := c.effects(s)
	for _, w := range watched {
		does := w.do.(change[T])
		if does.when != nil && does.when(v) || does.when == nil && !reflect.DeepEqual(does.f(s.clone(v)), v) {
			c.reach(w.fault)
		}
	}
	for _, do := range carried {
		if does := do.(change[T]); does.all || does.when == nil || does.when(v) {
			v = does.f(s.clone(v))
		}
	}
	return v
}

func (s *Seam[T]) clone(v T) T {
	if s.Clone == nil {
		return v
	}
	return s.Clone(v)
}

// A Step is something that a fake does or leaves, where no value tells the two apart: it
// waits, stores, sends once more.
type Step[Q any] struct {
	// Name says what is done, in the field's words.
	Name string
	// Honest says whether it is done where no fault is carried; never when nil.
	Honest func(Q) bool
}

// Take returns the effect of taking the step, or of leaving it, where when says so.
func (s *Step[Q]) Take(take bool, when func(Q) bool) Effect {
	return Effect{s, func(q Q, taken bool) bool {
		if when == nil || when(q) {
			return take
		}
		return taken
	}}
}

// Changed says whether one of these effects takes or leaves the step.
func (s *Step[Q]) Changed(by []Effect) bool { return changed(s, by) }

// Taken says whether the step is taken.
func (s *Step[Q]) Taken(c *Carrier, q Q) bool {
	taken := s.Honest != nil && s.Honest(q)
	carried, watched := c.effects(s)
	for _, w := range watched {
		if w.do.(func(Q, bool) bool)(q, taken) != taken {
			c.reach(w.fault)
		}
	}
	for _, do := range carried {
		taken = do.(func(Q, bool) bool)(q, taken)
	}
	return taken
}
