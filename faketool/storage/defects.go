package storage

import (
	"invigilator.example/fault"
)

// talks changes how pages talk to the platform.
func talks(change func(*Talk)) []fault.Effect {
	return []fault.Effect{talked.Change(func(t Talk) Talk {
		change(&t)
		return t
	})}
}

// defects are those that a tool can have, and what it may do.
var defects = []fault.Fault{
	{
		Name: "stores-no-state", Proves: "cs-oidc-tool-works-without-cookies", Needs: fault.Browser,
		Does: "stores the nonce and not the state", Effects: talks(func(t *Talk) {
			if len(t.Put) > 1 {
				t.Put = t.Put[1:]
			}
		}),
	}, {
		Name: "ignores-storage-frame", Proves: "cs-oidc-tool-works-without-cookies", Needs: fault.Browser,
		Does: "looks for the storage in the window around its frame alone, and breaks down where that has none", Effects: talks(func(t *Talk) {
			t.ParentAlone = true
			if t.Without != "" {
				t.Without += "-lost" // where there is nothing
			}
		}),
	},

	{
		Name: "posts-state-to-any-origin", Proves: "cs-oidc-tool-target-origin", Needs: fault.Browser,
		Does: "posts lti.put_data and lti.get_data with the target origin *", Effects: talks(func(t *Talk) { t.TargetOrigin = "*" }),
	}, {
		Name: "posts-state-where-capabilities-come-from", Proves: "cs-oidc-tool-target-origin", Needs: fault.Browser,
		Does: "posts lti.put_data and lti.get_data to the origin that has answered lti.capabilities", Effects: talks(func(t *Talk) { t.OriginAsHeard = true }),
	},

	{
		Name: "hears-any-origin", Proves: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does: "takes the response of any origin", Effects: talks(func(t *Talk) { t.AnyOrigin = true }),
	}, {
		Name: "hears-any-message-id", Proves: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does: "takes a response with any message_id", Effects: talks(func(t *Talk) { t.AnyID = true }),
	}, {
		Name: "hears-any-subject", Proves: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does: "takes a response of any subject", Effects: talks(func(t *Talk) { t.AnySubject = true }),
	}, {
		Name: "hears-any-response", Proves: "cs-oidc-tool-checks-response", Needs: fault.Browser,
		Does: "takes a response of any origin and message_id", Effects: talks(func(t *Talk) { t.AnyOrigin, t.AnyID = true, true }),
	},

	{
		Name: "accepts-other-stored-state", Proves: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "takes whatever it finds for what it has stored", Effects: []fault.Effect{stateKept.Lift(nil), nonceKept.Lift(nil)},
	}, {
		Name: "accepts-missing-stored-state", Proves: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "goes on where it finds nothing", Effects: []fault.Effect{stateFound.Lift(nil)},
	}, {
		Name: "accepts-storage-error", Proves: "cs-oidc-tool-state-mismatch", Needs: fault.Browser,
		Does: "goes on where the storage answers with an error", Effects: []fault.Effect{storageAnswered.Lift(nil)},
	},

	{
		Name: "waits-for-storage", Proves: "cs-oidc-tool-fallback", Needs: fault.Browser,
		Does: "waits for the storage without end", Effects: talks(func(t *Talk) { t.Millis = 0 }),
	},

	{
		Name: "tells-that-storage-fails", Permitted: true, Needs: fault.Browser,
		Does: "says that the storage does not answer, instead of going on with a cookie", Effects: talks(func(t *Talk) { t.Without = "" }),
	},
}
