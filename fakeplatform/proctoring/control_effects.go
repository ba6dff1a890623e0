package proctoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// shortReason is the longest reason_msg that a fault takes.
const shortReason = 255

// What follows says of which control requests a fault makes a difference.

// unauthorized says whether the platform takes the access token for none that it has granted, or
// for one that has expired.
func (o *order) unauthorized() bool {
	why, is := errors.AsType[*part.Refusal](o.noToken)
	return is && why.Status == http.StatusUnauthorized
}

func hasBearer(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer")
}

// readsControl changes what is read of a request whose body can be read.
func readsControl(change func(o *order, object map[string]any)) fault.Effect {
	return controlRead.Change(func(r readOrder) readOrder {
		if r.object != nil {
			change(r.order, r.object)
		}
		return r
	})
}

// addsMissing adds a member that a request lacks.
func addsMissing(name string, value func(o *order) any) fault.Effect {
	return readsControl(func(o *order, object map[string]any) {
		if _, sent := object[name]; !sent {
			object[name] = value(o)
		}
	})
}

// guessedTarget is what a request lacks, from the tool's latest exam.
func guessedTarget(o *order, object map[string]any) {
	user, _ := object["user"].(map[string]any)
	link, _ := object["resource_link"].(map[string]any)
	number, hasNumber := object["attempt_number"]
	latest := o.exams.find(func(l *Launch, _ statement) bool { return l.Plan().ClientID == o.token.ClientID })
	if user["sub"] != nil && link["id"] != nil && hasNumber || len(latest) == 0 {
		return
	}
	if !hasNumber {
		number = json.Number(fmt.Sprint(latest[0].attempt.Number()))
	}
	object["user"] = map[string]any{"iss": o.exams.core.Issuer(), "sub": latest[0].Plan().Sub}
	object["resource_link"] = map[string]any{"id": latest[0].Plan().ResourceLink}
	object["attempt_number"] = number
}

// refusesControl refuses a request that nothing else is wrong with.
func refusesControl(says string, when func(*order) bool) fault.Effect {
	return controlRules.Add(func(o *order) error {
		if when(o) {
			return part.InvalidRequest("%s", says)
		}
		return nil
	})
}

// refusesType refuses a media type that is one of the service.
func refusesType(when func(name, sent string) bool) fault.Effect {
	return controlMediaTypeRules.Add(func(o *order) error {
		if when(part.MediaType(o.Request), o.Header.Get("Content-Type")) {
			return wrongControlType
		}
		return nil
	})
}

// asksFor are requests for an action that there is not.
func asksFor(is func(action lti.Action) bool) func(*order) bool {
	return func(o *order) bool { return !slices.Contains(lti.Actions, o.request.Action) && is(o.request.Action) }
}

var (
	emptyAction   = asksFor(func(action lti.Action) bool { return action == "" })
	unknownAction = asksFor(func(action lti.Action) bool { return action != "" })
)

// timeIs are requests whose incident_time is one like that.
func timeIs(is func(at string) bool) func(*order) bool {
	return func(o *order) bool {
		return incidentTimeGiven.Broken(o) == nil && o.object != nil && is(o.request.IncidentTime)
	}
}

// finds finds what a request is about among more exams, where nothing else is found.
func finds(which func(o *order, l *Launch, said statement) bool) fault.Effect {
	return controlTarget.Change(func(t targetedOrder) targetedOrder {
		if len(t.launches) == 0 {
			t.launches = t.exams.find(func(l *Launch, said statement) bool { return which(t.order, l, said) })
		}
		return t
	})
}

// refusesToObey refuses an action in a state of the attempt.
func refusesToObey(when func(o *order, status lti.Status) bool, why func(status lti.Status) error) fault.Effect {
	return obeyedRules.Add(func(o *order) error {
		if status := o.attempt.settled(); when(o, status) {
			return why(status)
		}
		return nil
	})
}

func conflict(status lti.Status) error {
	return &part.Refusal{Status: http.StatusConflict, Code: lti.ErrorInvalidRequest, Says: "the attempt is " + string(status)}
}

func anError(lti.Status) error { return &part.Failure }

// does changes what an action makes of an attempt.
func does(action lti.Action, to func(from lti.Status) lti.Status) fault.Effect {
	return attemptControlled.Change(func(c controlledAttempt) controlledAttempt {
		if c.action == action {
			c.to = to(c.from)
		}
		return c
	})
}

func nothing(from lti.Status) lti.Status { return from }

// tells tells another status of an attempt.
func tells(instead lti.Status, when func(o *order) bool, status lti.Status) fault.Effect {
	return statusTold.Change(func(t toldStatus) toldStatus {
		if t.status == status && when(t.order) {
			t.status = instead
		}
		return t
	})
}

// after are requests for an action.
func after(action lti.Action) func(*order) bool {
	return func(o *order) bool { return o.request.Action == action }
}

// refusesWith refuses with another status.
func refusesWith(status int, when func(o *order, why part.Refusal) bool) fault.Effect {
	return controlRefused.Change(func(r refusedOrder) refusedOrder {
		if when(r.order, r.wrong[0]) {
			r.wrong[0].Status = status
		}
		return r
	})
}

// forStatus are the requests that are refused with it.
func forStatus(status int) func(*order, part.Refusal) bool {
	return func(_ *order, why part.Refusal) bool { return why.Status == status }
}

func forMalformed(o *order, why part.Refusal) bool {
	return why.Status == http.StatusBadRequest && o.object == nil
}

// answersControl changes the answer to a request.
func answersControl(change func(a *answeredOrder)) fault.Effect {
	return controlAnswered.Change(func(a answeredOrder) answeredOrder {
		change(&a)
		return a
	})
}
