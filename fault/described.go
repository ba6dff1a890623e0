package fault

import "slices"

// A Fault is one named deviation of a fake: a list of effects, and what is known of it.
// It changes one thing, and only just: a near miss shows what is checked, garbage only how
// something is parsed. It is chosen by name, never at random.
type Fault struct {
	Name string
	// Does says in one sentence what is different.
	Does string
	// Part is the profile of the part of the fake that has it; empty for launches of resource
	// links, and what all launches have in common. The fake sets it for the faults of its parts.
	Part string
	// Provokes is the id of the requirement whose reaction a stimulus provokes in the
	// other side; empty for any other fault.
	Provokes string
	// Proves is the id of the requirement that a fake with this defect is there to prove:
	// it does not keep it. What else it breaks is written down by the proof.
	Proves string
	// Conduct is set where a stimulus is a conduct, too. What neither provokes nor proves
	// anything is one anyway.
	Conduct bool
	// Permitted is set where the specification allows the deviation: what has it has to be
	// accepted.
	Permitted bool
	// AlsoAtLogin is set where the login initiation is as wrong as the message, so that the
	// other side may refuse that already.
	AlsoAtLogin bool
	// Needs is what it takes for the fault to show.
	Needs Need
	// Borrows is the launch that a stimulus takes a value from; empty for none.
	Borrows Lender
	// After is another fault, with which a launch has to be accepted right before. The launch
	// with this one borrows from that.
	After *Fault
	// Effects are what it does, at the rules, seams and steps of the fake.
	Effects []Effect
}

// A Kind is what a fault is there for. A stimulus can be a defect or a conduct as well.
type Kind uint8

// The kinds of faults.
const (
	// Stimulus is one by which a fake tries the other side.
	Stimulus Kind = 1 << iota
	// Defect is one that a fake can have, and that those who judge it have to find.
	Defect
	// Conduct is unusual, but allowed: those who judge a fake with it must not complain.
	Conduct
)

// Is says whether a fault is of one of these kinds.
func (f Fault) Is(kinds Kind) bool {
	var is Kind
	if f.Provokes != "" {
		is |= Stimulus
	}
	if f.Proves != "" {
		is |= Defect
	}
	if f.Conduct || is == 0 {
		is |= Conduct
	}
	return is&kinds != 0
}

// A Need is what it takes for a fault to show; several can be joined by |.
type Need uint8

// The needs of faults.
const (
	// Browser is one: nothing shows over plain HTTP.
	Browser Need = 1 << iota
	// State is one in the tool's authentication request: the fault is about which login it names.
	State
	// EarlierMessage is one of the tool, from which the fault takes a value.
	EarlierMessage
	// Patience is needed where the other side is kept waiting: it may take half a minute to answer.
	Patience
)

// Has says whether all of these are among them.
func (n Need) Has(needs Need) bool { return n&needs == needs }

// A Lender is the launch that a stimulus takes a value from. Parts have lenders of their own.
type Lender string

// The lenders of all launches.
const (
	OtherLaunch Lender = "other-launch" // one of another user, browser or link
	OpenLogin   Lender = "open-login"   // another login of the same browser, still open
)

// InMessage says whether the fault changes nothing but what a message says, or how it is
// signed: all that it does is at such seams ([Seam.InMessage]).
func (f Fault) InMessage() bool {
	return len(f.Effects) > 0 && !slices.ContainsFunc(f.Effects, func(e Effect) bool {
		seam, is := e.at.(interface{ inMessage() bool })
		return !is || !seam.inMessage()
	})
}

// Of returns those of some faults that are of one of these kinds.
func Of(faults []Fault, kinds Kind) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return !f.Is(kinds) })
}

// Provoking returns the stimuli among faults that provoke a requirement, in their order.
func Provoking(faults []Fault, requirement string) []Fault {
	return slices.DeleteFunc(Of(faults, Stimulus), func(f Fault) bool { return f.Provokes != requirement })
}

// Named returns the first of some faults that has a name, and false where none has.
func Named(faults []Fault, name string) (Fault, bool) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return faults[i], true
}

// InPart returns faults as those of the part with a profile.
func InPart(profile string, faults []Fault) []Fault {
	all := slices.Clone(faults)
	for i := range all {
		all[i].Part = profile
	}
	return all
}
