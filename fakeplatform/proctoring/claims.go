package proctoring

import (
	"slices"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What faults make of the messages of proctoring.

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

// crashesOnReturn breaks down at a return URL.
func crashesOnReturn(when func(part.Return) bool) fault.Effect {
	return part.Returned.ChangeWhen(when, func(r part.Return) part.Return {
		r.Instead = crashed
		return r
	})
}

func set(d *part.Saying, claim, member string, value any) {
	part.SetMember(d.Claims, claim, member, value)
}

func presentation(member string, value any) saying.Change {
	return func(d *part.Saying) { set(d, lti.ClaimLaunchPresentation, member, value) }
}

// names are the claims of a person's name.
var names = []string{"name", "given_name", "middle_name", "family_name"}

// inACS changes the claim of the Assessment Control Service, where it is sent.
func inACS(member string, change func(value any) any) saying.Change {
	return func(d *part.Saying) {
		if acs, ok := d.Claims[lti.ClaimACS].(map[string]any); ok {
			set(d, lti.ClaimACS, member, change(acs[member]))
		}
	}
}

// controlURL changes the address of the Assessment Control Service.
func controlURL(change func(string) string) saying.Change {
	return inACS("assessment_control_url", func(value any) any {
		address, _ := value.(string)
		return change(address)
	})
}

// offers adds an action to those that the Assessment Control Service offers.
func offers(action lti.Action) saying.Change {
	return inACS("actions", func(value any) any {
		actions, _ := value.([]lti.Action)
		return append(slices.Clone(actions), action)
	})
}
