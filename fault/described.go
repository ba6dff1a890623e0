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
	// Breaks are the ids of the requirements that a fake with this defect does not
	// keep: all of them, and no others; empty where it is allowed. Hides are those that
	// cannot be judged of it.
	Breaks, Hides []string
	// OnlyWarns is set where the defect is one that only warns.
	OnlyWarns bool
	// Grave is set where what it breaks fails, whatever the level of the requirement.
	Grave bool
	// Permitted is set where the specification allows the deviation.
	Permitted bool
	// InMessage is set where it changes nothing but what a message says.
	InMessage bool
	Effects   []Effect
}
