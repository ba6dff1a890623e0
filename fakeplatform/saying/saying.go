// Package saying is what faults of a part make of what a message says, and of how it is
// signed and sent.
package saying

import (
	"encoding/json"
	"fmt"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Change is one of what a message says. What it changes is its own.
type Change = func(*part.Saying)

// Effect changes what messages of such launches say.
func Effect(when func(part.Launch) bool, does Change) fault.Effect {
	return part.Said.Change(func(s part.Saying) part.Saying {
		if when(s.Launch) {
			does(&s)
		}
		return s
	})
}

// Signs has something else sign the messages of such launches.
func Signs(when func(part.Launch) bool, by part.Signer) fault.Effect {
	return part.Signed.ChangeWhen(func(s part.Signature) bool { return when(s.Launch) }, func(s part.Signature) part.Signature {
		s.By = by
		return s
	})
}

// Responds changes the answer to the authentication request of such launches.
func Responds(when func(part.Launch) bool, change func(*part.Answer)) fault.Effect {
	return part.Answered.Change(func(a part.Answer) part.Answer {
		if when(a.Launch) {
			change(&a)
		}
		return a
	})
}

// In says of launches whether their message has a type.
func In(messageType string) func(part.Launch) bool {
	return func(l part.Launch) bool { return l.Plan().Message == messageType }
}

// Always is all launches: those of a stimulus.
func Always(part.Launch) bool { return true }

// With sends a claim.
func With(claim string, value any) Change {
	return func(d *part.Saying) { d.Claims[claim] = value }
}

// Without leaves claims out.
func Without(claims ...string) Change {
	return func(d *part.Saying) {
		for _, claim := range claims {
			delete(d.Claims, claim)
		}
	}
}

// Changed changes a claim that is a string.
func Changed(claim string, change func(string) string) Change {
	return func(d *part.Saying) {
		if s, ok := d.Claims[claim].(string); ok {
			d.Claims[claim] = change(s)
		}
	}
}

// Both makes two changes.
func Both(one, other Change) Change {
	return func(d *part.Saying) {
		one(d)
		other(d)
	}
}

// At sets a time to so many seconds from now.
func At(claim string, seconds int64) Change {
	return func(d *part.Saying) { d.Claims[claim] = d.At.Unix() + seconds }
}

// Fraction sets a time to one between two seconds (RFC 7519, 2).
func Fraction(claim string, seconds int64) Change {
	return func(d *part.Saying) { d.Claims[claim] = float64(d.At.Unix()+seconds) + 0.375 }
}

// Roles sends these roles and no others.
func Roles(list ...string) Change { return With(lti.ClaimRoles, append([]string{}, list...)) }

// Object returns a copy of a claim that is an object, whatever its type in Go; an empty one
// where there is none.
func Object(d *part.Saying, claim string) map[string]any {
	members := map[string]any{}
	if encoded, err := json.Marshal(d.Claims[claim]); err == nil {
		_ = json.Unmarshal(encoded, &members) // no members where it is none
	}
	return members
}

// Reshaped changes the members of a claim that is an object.
func Reshaped(claim string, change func(members map[string]any)) Change {
	return func(d *part.Saying) {
		members := Object(d, claim)
		change(members)
		d.Claims[claim] = members
	}
}

// Member sends a member of a claim that is an object.
func Member(claim, name string, value any) Change {
	return Reshaped(claim, func(members map[string]any) { members[name] = value })
}

// WithoutMember leaves a member of a claim out.
func WithoutMember(claim, name string) Change {
	return Reshaped(claim, func(members map[string]any) { delete(members, name) })
}

// ChangedMember changes a member of a claim, where it is sent.
func ChangedMember(claim, name string, change func(any) any) Change {
	return func(d *part.Saying) {
		if value, sent := Object(d, claim)[name]; sent {
			Member(claim, name, change(value))(d)
		}
	}
}

// AsText writes a list as one string.
func AsText(value any) any {
	list, _ := value.([]any)
	return strings.Trim(fmt.Sprint(list), "[]")
}

// WithoutReturnURL leaves return_url out.
func WithoutReturnURL(d *part.Saying) {
	part.WithoutMember(d.Claims, lti.ClaimLaunchPresentation, "return_url")
}

// A Stimulus is a change of what messages say, by which a tool is tried.
type Stimulus struct {
	Name, Does string
	Says       Change
}

// Case is a stimulus.
func Case(name, does string, says Change) Stimulus { return Stimulus{name, does, says} }

// Refused are stimuli of such launches that a tool has to refuse.
func Refused(requirement string, when func(part.Launch) bool, stimuli ...Stimulus) []fault.Fault {
	var faults []fault.Fault
	for _, s := range stimuli {
		faults = append(faults, fault.Fault{
			Name: s.Name, Provokes: requirement, Does: s.Does, Effects: []fault.Effect{Effect(when, s.Says)},
		})
	}
	return faults
}

// Accepted are stimuli of such launches that it has to accept.
func Accepted(requirement string, when func(part.Launch) bool, stimuli ...Stimulus) []fault.Fault {
	faults := Refused(requirement, when, stimuli...)
	for i := range faults {
		faults[i].Permitted = true
	}
	return faults
}
