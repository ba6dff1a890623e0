package ltitest

import (
	"slices"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// An earlier launch is one that a fault takes something from.
type earlier int

const (
	none  earlier = iota
	over          // what it has sent is used
	stays         // its answer is held back, so that its login is still open
)

// fault is what the earlier launch carries.
func (e earlier) fault() *fakeplatform.Fault {
	if e == stays {
		return &fakeplatform.HeldAnswer
	}
	return nil
}

// steps say how a fault that is about several launches is made.
type steps struct {
	first earlier
	// sameBrowser makes the second launch in the browser of the first.
	sameBrowser bool
	// again submits the first launch's answer once more, instead of a second launch.
	again bool
	// own is a launch that the browser which does that has made of its own.
	own earlier
}

// stepsOf are those of the faults that use what was used, or belongs to another browser.
// Whatever else borrows does so from a login that is still open.
var stepsOf = map[string]steps{
	"replayed-with-same-state":        {first: over, sameBrowser: true, again: true},
	"replayed-in-other-browser":       {first: over, again: true},
	"replayed-in-new-login":           {first: over},
	"replayed-in-next-login":          {first: over, sameBrowser: true},
	"state-reused":                    {first: over, sameBrowser: true},
	"form-submitted-in-other-browser": {first: stays, again: true},
	"form-submitted-after-login":      {first: stays, again: true, own: over},
	"form-submitted-during-login":     {first: stays, again: true, own: stays},
}

// lenders are the launches that some faults borrow from, and that only a test can make.
var lenders = map[string]string{
	"token-of-other-platform":      "one of another platform, with the same state and nonce",
	"aud-other-registration":       "one of another registration, with the same state and nonce",
	"removed-key-after-5-seconds":  "one that was signed with the key that is withdrawn",
	"removed-key-after-15-minutes": "one that was signed with the key that is withdrawn",
	"key-set-good-again":           "one whose key set could not be had",
	"lineitem-of-other-context":    "one of another context that offers a line item",
	"lineitem-of-other-platform":   "one of another platform that offers a line item",
	"lineitem-of-other-link":       "one of another resource link that offers a line item",
}

// byHand are faults that are about when an answer is submitted, which a test has to do itself.
var byHand = map[string]string{
	"replayed-later":       "submits the answer again after a while",
	"replayed-at-once":     "submits the answer in two tabs at the same time",
	"state-reused-at-once": "submits two answers with the same state at the same time",
}

// Faults returns the faults that LaunchFaulty needs no help with, for one kind of launch, by
// the profile of its part: a proctored exam, one that offers grade services, or a submission
// review; a plain launch when empty. A tool may take half a minute over those that need
// [fault.Patience].
func Faults(profile string) []fakeplatform.Fault {
	return slices.DeleteFunc(fakeplatform.Stimuli(), func(f fakeplatform.Fault) bool {
		return f.Part != profile || byHand[f.Name] != "" || lenders[f.Name] != "" || isOfEnd(f)
	})
}

// LaunchFaulty launches a tool with one thing that differs from a valid launch: with the
// fault of that name among [fakeplatform.Stimuli]. The fault says what it Does, and whether
// it is Permitted: then a tool has to accept the launch, else it has to refuse. The id of
// the requirement is in Provokes; invigilator explain shows what the specification says.
//
// Where a fault is about two launches, LaunchFaulty makes the first one too, unless
// Plan.Other is that. A fault of proctoring, grades or submission review needs a plan for a
// launch of that kind.
func (p *Platform) LaunchFaulty(t TB, name string, plan fakeplatform.Plan) *Launch {
	t.Helper()
	f, ok := stimulus(name)
	switch {
	case !ok:
		fatalf(t, "no launch can have the fault %q%s", name, others(name))
	case isOfEnd(f):
		fatalf(t, "the fault %s is one of LtiEndAssessment: Platform.LaunchEnd makes it", name)
	case byHand[name] != "":
		fatalf(t, "the fault %s %s; do so with Platform.Launch, and Browser.Open of its DeliverURL", name, byHand[name])
	case plan.Other == nil && lenders[name] != "":
		fatalf(t, "the fault %s borrows from another launch, %s; name it in Plan.Other", name, lenders[name])
	case f.Part == proctoring.Profile && plan.Message != lti.StartProctoring:
		fatalf(t, "the fault %s is one of proctored exams: Plan.Message has to be lti.StartProctoring", name)
	case f.Part == grades.Profile && !slices.Contains(plan.Offers, grades.Profile) && plan.Message != lti.SubmissionReviewRequest:
		fatalf(t, "the fault %s is one of grade services: Plan.Offers has to name grades.Profile, and Plan.Context to name a course", name)
	case f.Part == review.Profile && plan.Message != lti.SubmissionReviewRequest:
		fatalf(t, "the fault %s is one of submission review: Plan.Message has to be lti.SubmissionReviewRequest", name)
	}
	browser := NewBrowser(t)
	way := stepsOf[name]
	if f.Borrows != "" && way.first == none {
		way = steps{first: stays, sameBrowser: f.Borrows == fault.OpenLogin}
	}
	plan.Fault = way.first.fault()
	if f.After != nil {
		way.first, plan.Fault = over, f.After
	}
	if way.first != none && plan.Other == nil {
		before := p.LaunchIn(t, browser, plan)
		defer before.End()
		if _, asked := before.Request(); !asked {
			fatalf(t, "the fault %s needs a launch before, and the tool has not answered that with an authentication request. %s", name, before)
		}
		plan.Other = before.Launch
		if !way.sameBrowser {
			browser = NewBrowser(t)
		}
		if way.again {
			return p.submitAgain(t, browser, before, way.own, plan)
		}
	}
	plan.Fault = &f
	l := p.LaunchIn(t, browser, plan)
	l.End()
	if request, asked := l.Request(); f.Needs.Has(fault.State) && asked && request.Get(lti.ParamState) == "" {
		fatalf(t, "the fault %s is about the state, and the tool's authentication request has none", name)
	}
	return l
}

// submitAgain submits the answer to a launch in a browser, which may have launched on its own.
func (p *Platform) submitAgain(t TB, b *Browser, l *Launch, own earlier, plan fakeplatform.Plan) *Launch {
	t.Helper()
	if own != none {
		plan.Fault, plan.Other = own.fault(), nil
		p.LaunchIn(t, b, plan)
	}
	return &Launch{Launch: l.Launch, Browser: b, Page: b.Open(t, l.DeliverURL())}
}

// LaunchEnd tells the tool, in the browser of a proctored exam, that the attempt has ended
// (Proctoring Services 1.0, 4.4), and why where there was a problem. The fault is empty, or
// the name of one of [fakeplatform.Stimuli] that begins with "end-".
func (p *Platform) LaunchEnd(t TB, exam *Launch, problem *proctoring.Problem, fault string) *Launch {
	t.Helper()
	if proctoring.Of(exam).Attempt() == nil {
		fatalf(t, "tell of the end of an exam: the launch is none of an exam; its Plan.Message has to be lti.StartProctoring")
	}
	var carried *fakeplatform.Fault
	if fault != "" {
		f, ok := stimulus(fault)
		if !ok || !isOfEnd(f) {
			fatalf(t, "tell of the end of an exam: LtiEndAssessment cannot have the fault %q%s", fault, others(fault))
		}
		carried = &f
	}
	l, err := p.Begin(fakeplatform.Plan{
		Message: lti.EndAssessment, About: proctoring.End{Attempt: proctoring.Of(exam).Attempt(), Problem: problem}, Fault: carried,
	})
	if err != nil {
		fatalf(t, "tell of the end of an exam: %v", err)
	}
	return &Launch{Launch: l, Browser: exam.Browser, Page: exam.Browser.Open(t, l.URL())}
}

func stimulus(name string) (fakeplatform.Fault, bool) {
	f, ok := fakeplatform.FaultNamed(name)
	return f, ok && f.Provokes != ""
}

// isOfEnd says whether a fault is one of the message that tells of an exam's end.
func isOfEnd(f fakeplatform.Fault) bool {
	return f.Part == proctoring.Profile && strings.HasPrefix(f.Name, "end-")
}

// others says which faults there are, when there is none of a name.
func others(name string) string {
	var names []string
	for _, f := range fakeplatform.Stimuli() {
		names = append(names, f.Name)
	}
	return likeliest(name, names) + " fakeplatform.Stimuli returns all"
}
