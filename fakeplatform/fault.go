package fakeplatform

import (
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fault"
)

// A Fault is one named deviation from an ordinary valid launch. It changes one
// thing, and only just: a near miss shows what a tool checks, garbage only how
// it parses. Faults are chosen by name, never at random.
//
// A fault serves twice: a launch that has it is a stimulus for a tool, and a
// platform that carries it ([Options.Faults]) has it in every launch.
type Fault struct {
	Name string
	// Provokes is the id of the requirement whose reaction it provokes in a tool.
	// It is empty where the fault is a platform's defect alone.
	Provokes string
	// Does says in one sentence what is different.
	Does string
	// Proves is the id of the requirement that a platform with this defect is there to
	// prove: it does not keep it. What else it breaks is written down by the proof.
	Proves string
	// Conduct is set where a platform may do so, though it is unusual: it is there to
	// prove that nobody raises a false alarm.
	Conduct bool
	// NeedsBrowser is set where only a browser shows the defect.
	NeedsBrowser bool
	// Permitted is set where the specification allows the deviation, so that a
	// tool has to accept the launch.
	Permitted bool
	// Borrows is set where the fault takes a value from another launch, named
	// by Plan.Other.
	Borrows bool
	// SameBrowser is set where that other launch is one of the same browser, still open.
	SameBrowser bool
	// AlsoAtLogin is set where the login initiation is changed as well, so that a tool may
	// refuse that already.
	AlsoAtLogin bool
	// After, where set, is a valid launch that the tool has to accept right before, with
	// Plan.Other naming it: the tool then knows the key set that the fault is about. A token
	// that names no key gives it no reason to fetch one.
	After *Fault
	// NeedsState is set where the fault is about which login the state names, so that it says
	// something only of a tool whose authentication request had one.
	NeedsState bool
	// Part is what the fault is about.
	Part Part
	// Slow is set where the platform keeps a tool waiting, which may take half a minute to answer.
	Slow bool
	// Effects are what a platform that carries the fault does otherwise.
	Effects []fault.Effect
	// inMessage is set where they change nothing but what a message says.
	inMessage bool
}

// Carried says whether a platform can have the fault: as a defect, or as a conduct.
func (f Fault) Carried() bool { return f.Proves != "" || f.Conduct }

// A Part is a part of what the platform does that may be judged on its own: a
// profile of the requirements.
type Part string

// What is not of a package of its own. Access tokens are judged with the profile that has needed
// them first.
const (
	OfLaunches Part = "" // of resource links, and what all launches have in common
	OfTokens   Part = "proctoring"
)

// HeldAnswer keeps the answer to the authentication request back: the login
// stays open, and [Launch.DeliverURL] submits the answer.
var HeldAnswer = Fault{
	Name: "answer-held", Permitted: true,
	Does:    "keeps the answer to the authentication request back",
	Effects: []fault.Effect{answerHeld.Take(true, nil)},
}

// EmptyAnswer is a launch that no tool accepts, to see what refusal looks like.
var EmptyAnswer = Fault{
	Name:    "answer-empty",
	Does:    "answers the authentication request with neither id_token nor state",
	Effects: []fault.Effect{responds(func(d *draft) { d.form = url.Values{} })},
}

// Faults returns every fault of the platform: first the stimuli of tools, by the
// requirement that they provoke and in the order in which they are meant to be
// tried, then what is only a defect of a platform.
func Faults() []Fault { return slices.Clone(faults) }

// Stimuli returns the faults that provoke a tool.
func Stimuli() []Fault {
	return slices.DeleteFunc(Faults(), func(f Fault) bool { return f.Provokes == "" })
}

// Defects returns the faults that a platform can carry, the unusual but allowed
// ones included.
func Defects() []Fault {
	return slices.DeleteFunc(Faults(), func(f Fault) bool { return !f.Carried() })
}

// FaultsFor returns the faults that provoke a requirement, in order.
func FaultsFor(requirement string) []Fault {
	var found []Fault
	for _, f := range faults {
		if f.Provokes == requirement {
			found = append(found, f)
		}
	}
	return found
}

// HoldsAnswer says whether a fault keeps the answer to the authentication request back, to be
// submitted from [Launch.DeliverURL].
func HoldsAnswer(f Fault) bool { return answerHeld.Changed(f.Effects) }

// OnlyInToken says whether a fault changes nothing but what the id_token says,
// or how it is signed.
func OnlyInToken(f Fault) bool {
	inToken := claimsMade.Changed(f.Effects) || messageSigned.Changed(f.Effects) || f.inMessage
	elsewhere := loginPrepared.Changed(f.Effects) || formMade.Changed(f.Effects) || formSent.Changed(f.Effects) || ChangesKeySet(f)
	return inToken && !elsewhere
}

// NewKey says whether a launch that a tool may accept is signed with a key that
// no tool can know yet.
func NewKey(f Fault) bool { return f.Permitted && ChangesKeySet(f) }

// ChangesKeySet says whether a fault publishes another key set than is usual, for good or
// while the launch goes on.
func ChangesKeySet(f Fault) bool { return keysOfLaunch.Changed(f.Effects) }

// TouchesKeys says whether it does so, or needs a launch before that does.
func TouchesKeys(f Fault) bool {
	return ChangesKeySet(f) || f.After != nil && ChangesKeySet(*f.After)
}

// FaultNamed returns the fault of that name, and false when there is none.
func FaultNamed(name string) (Fault, bool) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return faults[i], true
}

// faults are the stimuli of the catalogue, by the part of a launch that they
// change, and after them the defects that are no stimuli.
var faults = slices.Concat(loginFaults, answerFaults, signatureFaults, keyFaults, claimFaults,
	messageDefects, conductDefects, tokenDefects, partFaults(parts))

// borrowed returns the authentication request of the launch that the fault
// borrows from. Where none has come, the borrowed values are empty.
func (d *draft) borrowed() url.Values {
	params, _ := d.launch.plan.Other.Request()
	return params
}

func upperCaseHost(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return strings.ToUpper(s)
	}
	if host := strings.ToUpper(u.Host); host != u.Host {
		u.Host = host
		return u.String()
	}
	return strings.ToUpper(u.Scheme) + strings.TrimPrefix(s, u.Scheme) // a host without letters
}

func otherScheme(s string) string {
	if rest, ok := strings.CutPrefix(s, "https:"); ok {
		return "http:" + rest
	}
	return "https:" + strings.TrimPrefix(s, "http:")
}

// otherCase changes the case of the first letter; a name without a letter gets one.
func otherCase(s string) string {
	for i, r := range s {
		if upper := strings.ToUpper(string(r)); upper != string(r) {
			return s[:i] + upper + s[i+len(string(r)):]
		}
		if lower := strings.ToLower(string(r)); lower != string(r) {
			return s[:i] + lower + s[i+len(string(r)):]
		}
	}
	return s + "X"
}
