package fault

// A Fault is one named deviation of a fake: a list of effects, and what is known of it.
// It is chosen by name, never at random. One that provokes a requirement is a stimulus,
// by which a fake tries the other side; any other is a defect that a fake can have, which
// those who judge it have to find, or a conduct that is unusual and allowed, of which they
// must not complain.
type Fault struct {
	Name string
	// Does says in one sentence what is different.
	Does string
	// Provokes is the id of the requirement whose reaction a stimulus provokes in the
	// other side; empty for a defect.
	Provokes string
	// Proves is the id of the requirement that a fake with this defect is there to prove:
	// it does not keep it. It is empty for a stimulus and for a conduct that is allowed.
	Proves string
	// Permitted is set where the specification allows the deviation.
	Permitted bool
	// InMessage is set where it changes nothing but what a message says.
	InMessage bool
	// Borrows is set where a stimulus takes a value from another launch.
	Borrows bool
	// NeedsState is set where a stimulus is about which login the state names, so that it says
	// something only of a tool that has sent one.
	NeedsState bool
	// NeedsBrowser is set where only a browser shows the defect.
	NeedsBrowser bool
	Effects      []Effect
}
