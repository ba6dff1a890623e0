package storage

import (
	"maps"
	"slices"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// offersAs changes how storage is offered, where it is.
func offersAs(change func(*Offer)) []fault.Effect {
	return []fault.Effect{offered.Change(func(o offering) offering {
		if o.Target != "" {
			change(&o.Offer)
		}
		return o
	})}
}

// says changes what messages of some subjects are answered.
func says(subjects []string, change func(*answer)) []fault.Effect {
	return []fault.Effect{answered.Change(func(a answer) answer {
		if !a.silent && (subjects == nil || slices.Contains(subjects, a.Subject)) {
			change(&a)
		}
		return a
	})}
}

// saysOfError changes the answers that say an error.
func saysOfError(change func(*answer)) []fault.Effect {
	return says(nil, func(a *answer) {
		if a.members["error"] != nil {
			change(a)
		}
	})
}

// lists changes what is said of the messages that are supported.
func lists(change func(listed []any) any) []fault.Effect {
	return says([]string{lti.SubjectCapabilities}, func(a *answer) {
		if listed, is := a.members["supported_messages"].([]any); is {
			a.members["supported_messages"] = change(slices.Clone(listed))
		}
	})
}

var (
	gets = []string{lti.SubjectGetData}
	puts = []string{lti.SubjectPutData}
)

// siteOf is the scheme and host of an origin, without its port.
func siteOf(origin string) string {
	if i := strings.LastIndex(origin, ":"); i > len("https:") {
		return origin[:i]
	}
	return origin
}

// defects are those that a platform can have, and what it may do.
var defects = []fault.Fault{
	{
		Name: "hides-storage", Proves: "cs-oidc-storage-target-announced", Needs: fault.Browser,
		Does: "sends no lti_storage_target", Effects: offersAs(func(o *Offer) { o.Announced = Nowhere }),
	}, {
		Name: "announces-missing-frame", Proves: "cs-oidc-storage-target-announced", Needs: fault.Browser,
		Does: "names a frame in lti_storage_target that is not there", Effects: offersAs(func(o *Offer) { o.Announced = "lti_store" }),
	},

	{
		Name: "ignores-capabilities", Proves: "cs-pm-capabilities", Needs: fault.Browser,
		Does: "does not answer lti.capabilities", Effects: says([]string{lti.SubjectCapabilities}, func(a *answer) { a.silent = true }),
	}, {
		Name: "lists-no-storage", Proves: "cs-pm-capabilities", Needs: fault.Browser,
		Does: "does not list lti.put_data and lti.get_data among what it supports", Effects: lists(func(listed []any) any { return listed[:1] }),
	}, {
		Name: "lists-subjects-as-text", Proves: "cs-pm-capabilities", Needs: fault.Browser,
		Does: "lists what it supports as texts", Effects: lists(func(listed []any) any {
			for i := range listed {
				listed[i] = listed[i].(map[string]any)["subject"]
			}
			return listed
		}),
	}, {
		Name: "lists-missing-frame", Proves: "cs-pm-capabilities", Needs: fault.Browser,
		Does: "lists the storage with a frame that is not there", Effects: lists(func(listed []any) any {
			for i := range listed {
				one := maps.Clone(listed[i].(map[string]any))
				if _, named := one["frame"]; named {
					one["frame"] = "lti_store"
				}
				listed[i] = one
			}
			return listed
		}),
	},

	{
		Name: "answers-without-message-id", Proves: "cs-pm-response-envelope", Needs: fault.Browser,
		Does: "sends responses without message_id", Effects: says(slices.Concat(gets, puts), func(a *answer) { delete(a.members, "message_id") }),
	}, {
		Name: "answers-with-own-message-id", Proves: "cs-pm-response-envelope", Needs: fault.Browser,
		Does: "sends responses with a message_id of its own", Effects: says(slices.Concat(gets, puts), func(a *answer) { a.members["message_id"] = "response-" + a.ID }),
	}, {
		Name: "answers-with-subject-of-request", Proves: "cs-pm-response-envelope", Needs: fault.Browser,
		Does: "sends responses with the subject of the request", Effects: says(slices.Concat(gets, puts), func(a *answer) { a.members["subject"] = a.Subject }),
	}, {
		Name: "answers-twice", Proves: "cs-pm-response-envelope", Needs: fault.Browser,
		Does: "sends each response twice", Effects: says(slices.Concat(gets, puts), func(a *answer) { a.replies = []Reply{a.reply(), a.reply()} }),
	}, {
		Name: "answers-in-every-frame", Proves: "cs-pm-response-envelope", Needs: fault.Browser,
		Does: "sends responses to every frame of the page", Effects: says(slices.Concat(gets, puts), func(a *answer) { a.replies = []Reply{{Data: a.members, To: "*", Spread: true}} }),
	}, {
		Name: "says-errors-as-text", Proves: "cs-pm-response-envelope", Needs: fault.Browser,
		Does: "sends an error as text", Effects: saysOfError(func(a *answer) {
			failed, _ := a.members["error"].(map[string]any)
			a.members["error"] = failed["code"]
		}),
	},

	{
		Name: "forgets-data", Proves: "cs-storage-put-get", Needs: fault.Browser,
		Does: "finds nothing that was stored", Effects: []fault.Effect{found.Change(func(f finding) finding { f.value = nil; return f })},
	}, {
		Name: "forgets-data-at-launch", Proves: "cs-storage-put-get", Needs: fault.Browser,
		Does: "finds nothing under a key that another page of the tool has stored", Effects: []fault.Effect{found.ChangeWhen(func(f finding) bool { return f.value != nil && f.older() }, func(f finding) finding { f.value = nil; return f })},
	}, {
		Name: "stores-values-in-upper-case", Proves: "cs-storage-put-get", Needs: fault.Browser,
		Does: "stores values in capital letters", Effects: []fault.Effect{kept.Change(func(s storing) storing {
			if text, is := s.value.(string); is {
				s.value = strings.ToUpper(text)
			}
			return s
		})},
	}, {
		Name: "answers-put-without-value", Proves: "cs-storage-put-get", Needs: fault.Browser,
		Does: "leaves key and value out of the response to lti.put_data", Effects: says(puts, func(a *answer) { delete(a.members, "key"); delete(a.members, "value") }),
	}, {
		Name: "finds-any-value", Proves: "cs-storage-put-get", Needs: fault.Browser,
		Does: "finds another value under a key that is not known", Effects: []fault.Effect{found.Change(func(f finding) finding {
			for _, key := range slices.Sorted(maps.Keys(f.of)) {
				if f.value == nil {
					f.value = f.of[key]
				}
			}
			return f
		})},
	},

	{
		Name: "keeps-data-by-key-alone", Proves: "cs-storage-origin-isolation", Needs: fault.Browser,
		Does: "keeps the data of all origins together", Effects: []fault.Effect{keptFor.Change(func(k keeping) keeping { k.by = "everybody"; return k })},
	}, {
		Name: "keeps-data-by-host", Proves: "cs-storage-origin-isolation", Needs: fault.Browser,
		Does: "keeps the data of all origins of a host together", Effects: []fault.Effect{keptFor.Change(func(k keeping) keeping { k.by = siteOf(k.by); return k })},
	},

	{
		Name: "keeps-19-keys", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "has no room for a twentieth key", Effects: []fault.Effect{ofStorage.Add(func(q *asking) error {
			if q.puts() && !q.known && q.keys >= 19 {
				return &problem{StorageExhaustion, "there is no room for more"}
			}
			return nil
		})},
	}, {
		Name: "keeps-removed-keys", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "keeps a key whose value is null", Effects: []fault.Effect{kept.Change(func(s storing) storing { s.dropped = s.dropped || s.value == nil; return s })},
	}, {
		Name: "drops-large-values", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "says that a value is stored for which there is no room", Effects: []fault.Effect{roomLeft.Lift(nil), kept.Change(func(s storing) storing { s.dropped = s.dropped || s.size > maxSize; return s })},
	}, {
		Name: "ignores-unknown-subjects", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "answers nothing to an unknown subject", Effects: saysOfError(func(a *answer) {
			a.silent = a.silent || a.Subject != "" && !a.aboutData() && a.Subject != lti.SubjectCapabilities
		}),
	}, {
		Name: "finds-nothing-without-key", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "answers a message without key as one with a key that is not known", Effects: []fault.Effect{keyGiven.Lift(nil)},
	}, {
		Name: "dies-of-messages-that-are-none", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "answers nothing any more once a message was no object", Effects: []fault.Effect{answered.ChangeWhen(func(a answer) bool { return a.area.confused }, func(a answer) answer { a.silent = true; return a })},
	}, {
		Name: "dies-of-missing-message-id", Proves: "cs-storage-limits-and-errors", Needs: fault.Browser,
		Does: "answers nothing any more once a message had no message_id", Effects: []fault.Effect{answered.ChangeWhen(func(a answer) bool { return a.area.unnamed }, func(a answer) answer { a.silent = true; return a })},
	},

	{
		Name: "keeps-data-at-other-origin", Proves: "cs-oidc-storage-frame-origin", Needs: fault.Browser,
		Does: "has the frame that keeps data at another origin than the authorization endpoint", Effects: offersAs(func(o *Offer) { o.FrameElsewhere = true }),
	},

	{
		Name: "keeps-data-around-tool", Permitted: true, Needs: fault.Browser,
		Does: "keeps data in the window around the tool's frame", Effects: offersAs(func(o *Offer) { o.Target = Parent }),
	}, {
		Name: "is-silent-without-message-id", Permitted: true, Needs: fault.Browser,
		Does: "answers nothing to a message without message_id", Effects: saysOfError(func(a *answer) { a.silent = a.silent || a.ID == "" }),
	}, {
		Name: "says-more-in-responses", Permitted: true, Needs: fault.Browser,
		Does: "sends further members in responses", Effects: says(nil, func(a *answer) { a.members["x_version"] = "1" }),
	}, {
		Name: "leaves-value-out-of-nothing", Permitted: true, Needs: fault.Browser,
		Does: "leaves value out where nothing is found", Effects: says(gets, func(a *answer) {
			if a.members["value"] == nil {
				delete(a.members, "value")
			}
		}),
	},
}
