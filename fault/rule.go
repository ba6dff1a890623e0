package fault

// A Rule is one thing that a fake checks of what it receives.
type Rule[Q any] struct {
	// Name states the rule, in the field's words.
	Name string
	// Broken says how the rule is broken; nil where it is kept.
	Broken func(Q) error
}

// Lift returns the effect of not checking the rule where when says so; nowhere, when it
// is nil.
func (r *Rule[Q]) Lift(when func(Q) bool) Effect {
	if when == nil {
		when = func(Q) bool { return true }
	}
	return Effect{r, when}
}

// Answer returns the effect of answering otherwise to what breaks the rule, where when says
// so; always, when it is nil. The function is given how the rule is broken, and returns what
// is said of it instead; nil where it is taken as kept. It is called of a fault that is
// carried alone, so that it may do what is seen elsewhere: ask somebody, wait, remember.
func (r *Rule[Q]) Answer(when func(Q) bool, instead func(Q, error) error) Effect {
	if when == nil {
		when = func(Q) bool { return true }
	}
	return Effect{r, answer[Q]{when, instead}}
}

type answer[Q any] struct {
	when    func(Q) bool
	instead func(Q, error) error
}

// Check says how the rule is broken, unless a fault that is carried lifts it.
func (r *Rule[Q]) Check(c *Carrier, q Q) error {
	err := r.Broken(q)
	if err == nil {
		return nil
	}
	carried, watched := c.effects(r)
	for _, w := range watched {
		switch do := w.do.(type) {
		case func(Q) bool:
			if do(q) {
				c.reach(w.fault)
			}
		case answer[Q]:
			if do.when(q) {
				c.reach(w.fault)
			}
		}
	}
	for _, do := range carried {
		switch do := do.(type) {
		case func(Q) bool:
			if do(q) {
				return nil
			}
		case answer[Q]:
			if do.when(q) {
				err = do.instead(q, err)
			}
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// A List is what a fake checks of one thing, in this order.
type List[Q any] struct {
	// Name says of what, in the field's words.
	Name  string
	Rules []*Rule[Q]
}

// Add returns the effect of checking one rule more, after the others: of being too strict.
func (l *List[Q]) Add(broken func(Q) error) Effect { return Effect{l, broken} }

// First returns how the first rule that is broken is broken; nil where all are kept.
func (l *List[Q]) First(c *Carrier, q Q) error {
	for _, r := range l.Rules {
		if err := r.Check(c, q); err != nil {
			return err
		}
	}
	broken := l.added(c, q)
	if len(broken) == 0 {
		return nil
	}
	return broken[0]
}

// All returns how each rule that is broken is broken, in their order.
func (l *List[Q]) All(c *Carrier, q Q) []error {
	var broken []error
	for _, r := range l.Rules {
		if err := r.Check(c, q); err != nil {
			broken = append(broken, err)
		}
	}
	return append(broken, l.added(c, q)...)
}

// added returns how the rules that faults add are broken.
func (l *List[Q]) added(c *Carrier, q Q) []error {
	carried, watched := c.effects(l)
	for _, w := range watched {
		if w.do.(func(Q) error)(q) != nil {
			c.reach(w.fault)
		}
	}
	var broken []error
	for _, do := range carried {
		if err := do.(func(Q) error)(q); err != nil {
			broken = append(broken, err)
		}
	}
	return broken
}
