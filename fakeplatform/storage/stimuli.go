package storage

import (
	"maps"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// offers offers storage to a launch in a frame in another way.
func offers(o Offer) fault.Effect {
	return offered.Change(func(was offering) offering {
		if was.Framed {
			was.Offer = o
		}
		return was
	})
}

// answers offers storage in the usual way, and says something else where a tool gets what it has
// stored before.
func answers(o Offer, change func(*answer)) []fault.Effect {
	return []fault.Effect{offers(o), answered.Change(func(a answer) answer {
		if a.asking != nil && a.Subject == lti.SubjectGetData && a.Returned != nil {
			change(&a)
		}
		return a
	})}
}

// forges has a forged response come before one that has no value.
func forges(by Reply, change func(forged map[string]any)) []fault.Effect {
	return answers(Offer{Target: FrameName, Hostile: by.Forged}, func(a *answer) {
		forged := map[string]any{}
		maps.Copy(forged, a.members)
		change(forged)
		by.Data, by.To = forged, a.Origin
		delete(a.members, "value")
		a.replies = []Reply{by, a.reply()}
	})
}

var hostile = Reply{Forged: true}

// stimuli are what a tool has to cope with that uses the storage of platforms (LTI OIDC Login with
// LTI Client Side postMessages 0.1).
var stimuli = []fault.Fault{
	{
		Name: "storage-target-parent", Provokes: "cs-oidc-tool-works-without-cookies", Permitted: true, Needs: fault.Browser,
		Does: "offers storage in the window around the tool's frame", Effects: []fault.Effect{offers(Offer{Target: Parent})},
	}, {
		Name: "storage-target-named-frame", Provokes: "cs-oidc-tool-works-without-cookies", Permitted: true, Needs: fault.Browser,
		Does: "offers storage in a frame beside the tool's", Effects: []fault.Effect{offers(usual)},
	},

	{
		Name: "parent-of-other-origin", Provokes: "cs-oidc-tool-target-origin", Needs: fault.Browser,
		Does: "offers storage in the window around the tool's frame, whose origin is not that of the authorization endpoint", Effects: []fault.Effect{offers(Offer{Target: Parent, PageElsewhere: true})},
	}, {
		Name: "frame-of-other-origin", Provokes: "cs-oidc-tool-target-origin", Needs: fault.Browser,
		Does: "offers storage in a frame whose origin is not that of the authorization endpoint", Effects: []fault.Effect{offers(Offer{Target: FrameName, FrameElsewhere: true})},
	},

	{
		Name: "forged-response-right-message-id", Provokes: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does:    "has a frame of another origin send the value that the tool has stored, before the platform answers without one",
		Effects: forges(hostile, func(map[string]any) {}),
	}, {
		Name: "forged-response-wrong-message-id", Provokes: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does:    "has a frame of another origin send the value that the tool has stored with another message_id, before the platform answers without one",
		Effects: forges(hostile, func(forged map[string]any) { forged["message_id"] = lti.RandomString() }),
	}, {
		Name: "response-with-other-message-id", Provokes: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does: "sends the value that the tool has stored with another message_id, before it answers without one",
		Effects: forges(Reply{}, func(forged map[string]any) {
			forged["message_id"] = "another-" + part.Alter(forged["message_id"].(string))
		}),
	}, {
		Name: "response-of-other-subject", Provokes: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does:    "sends the value that the tool has stored as the response to lti.put_data, before it answers without one",
		Effects: forges(Reply{}, func(forged map[string]any) { forged["subject"] = lti.SubjectPutData + lti.ResponseSuffix }),
	},

	{
		Name: "stored-state-other", Provokes: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "answers lti.get_data with another value than was stored",
		Effects: answers(usual, func(a *answer) {
			if text, is := a.Returned.(string); is {
				a.members["value"] = part.Alter(text)
			} else {
				a.members["value"] = "another"
			}
		}),
	}, {
		Name: "stored-state-missing", Provokes: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "answers lti.get_data without a value", Effects: answers(usual, func(a *answer) { delete(a.members, "value") }),
	}, {
		Name: "stored-state-null", Provokes: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "answers lti.get_data with null", Effects: answers(usual, func(a *answer) { a.members["value"] = nil }),
	}, {
		Name: "stored-state-error", Provokes: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "answers lti.get_data with an error",
		Effects: answers(usual, func(a *answer) {
			delete(a.members, "value")
			a.members["error"] = map[string]any{"code": BadRequest, "message": "there is no such key"}
		}),
	},

	{
		Name: "storage-silent", Provokes: "cs-oidc-tool-fallback", Needs: fault.Browser,
		Does: "says that there is storage, and answers nothing", Effects: []fault.Effect{offers(Offer{Target: Parent, Silent: true})},
	},
}
