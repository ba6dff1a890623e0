package proctoring

import (
	"slices"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults make of the messages of proctoring.

// A change is one of what a message says.
type change = func(*part.Saying)

// own is what is kept of a launch of this part; nil of others.
func own(l part.Launch) *Launch {
	kept, _ := l.Kept().(*Launch)
	return kept
}

func proctored(l part.Launch) bool { return own(l) != nil }

// starts says whether a launch is one into an exam, and ends whether it tells of an end.
func starts(l part.Launch) bool { return proctored(l) && own(l).Plan().Message == lti.StartProctoring }
func ends(l part.Launch) bool   { return proctored(l) && own(l).Plan().Message == lti.EndAssessment }

// fails says whether a launch tells of a problem.
func fails(l part.Launch) bool { return proctored(l) && own(l).problem != nil }

// says changes what messages of proctoring say.
func says(when func(part.Launch) bool, does change) fault.Effect {
	return part.Said.Change(func(s part.Saying) part.Saying {
		if when(s.Launch) {
			does(&s)
		}
		return s
	})
}

// signs has something else sign the messages of proctoring.
func signs(by part.Signer) fault.Effect {
	return part.Signed.ChangeWhen(func(s part.Signature) bool { return proctored(s.Launch) }, func(s part.Signature) part.Signature {
		s.By = by
		return s
	})
}

// responds changes the answer to an authentication request.
func responds(change func(*part.Answer)) fault.Effect {
	return part.Answered.Change(func(a part.Answer) part.Answer {
		if proctored(a.Launch) {
			change(&a)
		}
		return a
	})
}

// crashesOnReturn breaks down at a return URL.
func crashesOnReturn(when func(part.Return) bool) fault.Effect {
	return part.Returned.ChangeWhen(when, func(r part.Return) part.Return {
		r.Instead = crashed
		return r
	})
}

func with(claim string, value any) change {
	return func(d *part.Saying) { d.Claims[claim] = value }
}

func without(claims ...string) change {
	return func(d *part.Saying) {
		for _, claim := range claims {
			delete(d.Claims, claim)
		}
	}
}

func changed(claim string, change func(string) string) change {
	return func(d *part.Saying) {
		if s, ok := d.Claims[claim].(string); ok {
			d.Claims[claim] = change(s)
		}
	}
}

func set(d *part.Saying, claim, member string, value any) {
	part.SetMember(d.Claims, claim, member, value)
}

func both(one, other change) change {
	return func(d *part.Saying) {
		one(d)
		other(d)
	}
}

// at sets a time to so many seconds from now, and fraction to one between two seconds.
func at(claim string, seconds int64) change {
	return func(d *part.Saying) { d.Claims[claim] = d.At.Unix() + seconds }
}

func fraction(claim string, seconds int64) change {
	return func(d *part.Saying) { d.Claims[claim] = float64(d.At.Unix()+seconds) + 0.375 }
}

func roles(list ...string) change { return with(lti.ClaimRoles, append([]string{}, list...)) }

func presentation(member string, value any) change {
	return func(d *part.Saying) { set(d, lti.ClaimLaunchPresentation, member, value) }
}

// names are the claims of a person's name.
var names = []string{"name", "given_name", "middle_name", "family_name"}

// inACS changes the claim of the Assessment Control Service, where it is sent.
func inACS(member string, change func(value any) any) change {
	return func(d *part.Saying) {
		if acs, ok := d.Claims[lti.ClaimACS].(map[string]any); ok {
			set(d, lti.ClaimACS, member, change(acs[member]))
		}
	}
}

// controlURL changes the address of the Assessment Control Service.
func controlURL(change func(string) string) change {
	return inACS("assessment_control_url", func(value any) any {
		address, _ := value.(string)
		return change(address)
	})
}

// offers adds an action to those that the Assessment Control Service offers.
func offers(action lti.Action) change {
	return inACS("actions", func(value any) any {
		actions, _ := value.([]lti.Action)
		return append(slices.Clone(actions), action)
	})
}
