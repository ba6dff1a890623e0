package fakeplatform

import (
	"maps"

	"invigilator.example/fault"
)

// The seams that a launch passes on its way to a tool.
var (
	loginPrepared = &fault.Seam[login]{Name: "a login initiation", Clone: func(l login) login {
		l.Params = maps.Clone(l.Params)
		return l
	}}
	keysOfLaunch = &fault.Seam[launchKeys]{Name: "the key set that is published from a launch on"}
	// Never, but for a fault.
	answeredUnasked = &fault.Step[*Launch]{Name: "an id_token is submitted that no tool has asked for"}
	claimsMade      = &fault.Seam[draft]{Name: "the claims of a message", InMessage: true, Clone: func(d draft) draft {
		d.claims = maps.Clone(d.claims)
		return d
	}}
	messageSigned = &fault.Seam[signedMessage]{Name: "how a message is signed", InMessage: true}
	formMade      = &fault.Seam[draft]{Name: "state and id_token", Clone: func(d draft) draft {
		d.form = maps.Clone(d.form)
		return d
	}}
	// Never, but for a fault.
	answerHeld = &fault.Step[*Launch]{Name: "the answer to an authentication request is kept back"}
)

// launchKeys is what is published from a launch on.
type launchKeys struct {
	launch *Launch
	set    *keySet // while the launch goes on; nil where nothing is special
	err    error   // why there is none
}

// withFaults are the launches whose messages the core's faults change: those of resource
// links where a platform carries the fault, and whichever has one itself.
func withFaults(l *Launch) bool { return l.opensLink() || l.plan.Fault != nil }

// initiates changes the login initiation before it is sent.
func initiates(change func(*login)) fault.Effect {
	return loginPrepared.Change(func(l login) login {
		if withFaults(l.launch) {
			change(&l)
		}
		return l
	})
}

// changesKeys changes the platform's keys for good when the launch is planned.
func changesKeys(change func(*Platform) error) fault.Effect {
	return keysOfLaunch.ChangeWhen(ofLaunch, func(k launchKeys) launchKeys {
		k.err = change(k.launch.platform)
		return k
	})
}

// publishes changes what is published while the launch goes on.
func publishes(change func(*Launch, *keySet) error) fault.Effect {
	return keysOfLaunch.ChangeWhen(ofLaunch, func(k launchKeys) launchKeys {
		k.set = &keySet{keys: k.launch.platform.Keys()}
		k.err = change(k.launch, k.set)
		return k
	})
}

func ofLaunch(launchKeys) bool { return true }

// answersUnasked answers without any authentication request.
var answersUnasked = answeredUnasked.Take(true, withFaults)

// says changes the claims before they are signed.
func says(change func(*draft)) fault.Effect {
	return claimsMade.Change(func(d draft) draft {
		if withFaults(d.launch) {
			change(&d)
		}
		return d
	})
}

// signs takes the place of the platform's own signature.
func signs(sign func(*draft) (string, error)) fault.Effect {
	return messageSigned.ChangeWhen(func(s signedMessage) bool { return withFaults(s.launch) }, func(s signedMessage) signedMessage {
		s.sign = sign
		return s
	})
}

// responds changes the fields of the answer before it is put together.
func responds(change func(*draft)) fault.Effect {
	return formMade.ChangeWhen(func(d draft) bool { return withFaults(d.launch) }, func(d draft) draft {
		change(&d)
		return d
	})
}

// submits changes how the answer is submitted.
func submits(change func(*answerForm)) fault.Effect {
	return formSent.ChangeWhen(func(s sentForm) bool { return withFaults(s.launch) }, func(s sentForm) sentForm {
		change(&s.answerForm)
		return s
	})
}
