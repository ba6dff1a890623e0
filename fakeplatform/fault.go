package fakeplatform

import (
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fault"
)

// A Fault is one named deviation from what is ordinary and valid. It serves twice: a launch
// that has it ([Plan.Fault]) is a stimulus for a tool, and a platform that carries it
// ([Options.Faults]) has it in every launch.
type Fault = fault.Fault

// AccessTokens is the [fault.Fault.Part] of what is about access tokens, which several services
// need.
const AccessTokens = "access-tokens"

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
func Stimuli() []Fault { return fault.Of(faults, fault.Stimulus) }

// carried are the kinds of faults that a platform can have.
const carried = fault.Defect | fault.Conduct

// Defects returns the faults that a platform can carry, the unusual but allowed
// ones included.
func Defects() []Fault { return fault.Of(faults, carried) }

// FaultsFor returns the faults that provoke a requirement, in order.
func FaultsFor(requirement string) []Fault { return fault.Provoking(faults, requirement) }

// FaultNamed returns the fault of that name, and false when there is none.
func FaultNamed(name string) (Fault, bool) { return fault.Named(faults, name) }

// HoldsAnswer says whether a fault keeps the answer to the authentication request back, to be
// submitted from [Launch.DeliverURL].
func HoldsAnswer(f Fault) bool { return answerHeld.Changed(f.Effects) }

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
