package proctoring

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// controlDefects are the defects of the Assessment Control Service, and what is unusual, but allowed.
var controlDefects = []fault.Fault{

	// Access tokens for it.
	{Name: "grants-more-scopes", Proves: "sec-token-scope-limits", Does: "says that it grants scopes that nobody asked for", Effects: []fault.Effect{
		part.SaysOfGrant(func(a part.Application, members map[string]any) {
			if asked := a.Asked(); slices.Contains(asked, lti.ScopeControl) && !slices.Contains(asked, lti.ScopeScore) {
				members[lti.ParamScope] = strings.Join(append(asked, lti.ScopeScore), " ")
			}
		}),
	}},
	{Name: "grants-control-with-scores", Proves: "sec-token-scope-limits", Does: "grants the control of exams to who asks for scores", Effects: []fault.Effect{
		part.Grants(func(a part.Application) []string {
			if slices.Equal(a.Scopes, []string{lti.ScopeScore}) {
				return append(a.Scopes, lti.ScopeControl)
			}
			return a.Scopes
		}),
	}},
	{Name: "drops-control-among-others", Proves: "ap-acs-platform-token-scope-grantable", Does: "does not grant the control of exams among other scopes", Effects: []fault.Effect{
		part.SaysOfGrant(func(a part.Application, members map[string]any) {
			if len(a.Scopes) > 1 {
				members[lti.ParamScope] = lti.ScopeScore
			}
		}),
	}},

	// The Assessment Control Service: access.
	{Name: "controls-without-token", Proves: "ap-acs-platform-authorisation", Does: "obeys control requests without an access token", Effects: []fault.Effect{
		hasToken.Lift(func(o *order) bool { return o.token.Value == "" }),
		finds(func(o *order, _ *Launch, said statement) bool {
			return o.token.ClientID == "" && o.token.Value == "" && o.names().sameAttempt(said)
		}),
	}},
	{Name: "takes-unknown-access-tokens", Proves: "ap-acs-platform-authorisation", Does: "takes any text for an access token", Effects: []fault.Effect{
		hasToken.Lift(func(o *order) bool { return o.unauthorized() && o.token.Value != "" && o.token.ClientID == "" }),
		finds(func(o *order, _ *Launch, said statement) bool {
			return o.token.ClientID == "" && o.token.Value != "" && o.names().sameAttempt(said)
		}),
	}},
	{Name: "takes-expired-access-tokens", Proves: "ap-acs-platform-authorisation", Does: "takes access tokens that have expired", Effects: []fault.Effect{hasToken.Lift(func(o *order) bool { return o.unauthorized() && o.token.ClientID != "" })}},
	{Name: "ignores-token-scope", Proves: "ap-acs-platform-authorisation", Does: "takes access tokens of any scope", Effects: []fault.Effect{hasScope.Lift(nil)}},
	{Name: "takes-access-token-in-query", Proves: "ap-acs-platform-authorisation", Does: "takes an access token from the query", Effects: []fault.Effect{
		controlCame.ChangeWhen(func(r *http.Request) bool {
			return r.URL.Query().Get("access_token") != "" && !hasBearer(r)
		}, func(r *http.Request) *http.Request {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+r.URL.Query().Get("access_token"))
			return r
		}),
	}},
	{Name: "forbids-without-access-token", Proves: "ap-acs-platform-authorisation", Does: "answers 403 instead of 401 to a control request without the right access token", Effects: []fault.Effect{refusesWith(http.StatusForbidden, forStatus(http.StatusUnauthorized))}},
	{Name: "says-unauthorized-for-scope", Proves: "ap-acs-platform-authorisation", Does: "answers 401 instead of 403 to an access token of another scope", Effects: []fault.Effect{refusesWith(http.StatusUnauthorized, forStatus(http.StatusForbidden))}},
	{Name: "challenges-nobody", Proves: "ap-acs-platform-authorisation", Does: "answers 401 without WWW-Authenticate", Effects: []fault.Effect{challenged.Take(false, nil)}},
	{Name: "controls-exams-of-other-tools", Proves: "ap-acs-platform-tool-isolation", Does: "lets each tool control the exams of all", Effects: []fault.Effect{finds(func(o *order, _ *Launch, said statement) bool {
		return o.token.ClientID != "" && o.names().sameAttempt(said)
	})}},

	// The Assessment Control Service: what it does.
	{Name: "pauses-nothing", Proves: "ap-acs-platform-pause-resume", Does: "says paused, and lets the candidate go on", Effects: []fault.Effect{does(lti.Pause, nothing), tells(lti.Paused, after(lti.Pause), lti.Running)}},
	{Name: "says-running-when-paused", Proves: "ap-acs-platform-pause-resume", Does: "pauses an attempt, and says that it is running", Effects: []fault.Effect{tells(lti.Running, after(lti.Pause), lti.Paused)}},
	{Name: "says-paused-when-resumed", Proves: "ap-acs-platform-pause-resume", Does: "resumes an attempt, and says that it is paused", Effects: []fault.Effect{tells(lti.Paused, after(lti.Resume), lti.Running)}},
	{Name: "crashes-on-second-pause", Proves: "ap-acs-platform-pause-resume", Does: "answers 500 when an attempt is paused that is", Effects: []fault.Effect{refusesToObey(func(o *order, status lti.Status) bool { return status == lti.Paused && o.request.Action == lti.Pause }, anError)}},
	{Name: "refuses-needless-resume", Proves: "ap-acs-platform-pause-resume", Does: "refuses to resume an attempt that is running", Effects: []fault.Effect{refusesToObey(func(o *order, status lti.Status) bool { return status == lti.Running && o.request.Action == lti.Resume }, conflict)}},
	{Name: "terminates-nothing", Proves: "ap-acs-platform-terminate", Does: "says terminated, and lets the candidate go on", Effects: []fault.Effect{does(lti.Terminate, nothing), tells(lti.Terminated, after(lti.Terminate), lti.Running)}},
	{Name: "resumes-terminated", Proves: "ap-acs-platform-terminate", Does: "resumes an attempt that was terminated", Effects: []fault.Effect{
		does(lti.Resume, func(from lti.Status) lti.Status {
			if from == lti.Terminated || from == lti.Paused {
				return lti.Running
			}
			return from
		}),
	}},
	{Name: "starts-terminated", Proves: "ap-acs-platform-terminate", Does: "starts an attempt again that was terminated", Effects: []fault.Effect{attemptRestarts.Take(true, func(a *Attempt) bool { return a.status == lti.Terminated })}},
	{Name: "leaves-extra-time-out", Proves: "ap-acs-platform-update-extra-time", Does: "does not say how much time was added", Effects: []fault.Effect{answersControl(func(a *answeredOrder) { delete(a.members, "extra_time") })}},
	{Name: "refuses-no-extra-time", Proves: "ap-acs-platform-update-extra-time", Does: "refuses to add 0 minutes", Effects: []fault.Effect{
		refusesControl("extra_time is 0", func(o *order) bool {
			minutes, is := jwt.Integer(o.object["extra_time"])
			return is && minutes == 0
		}),
	}},
	{Name: "crashes-without-extra-time", Proves: "ap-acs-platform-update-extra-time", Does: "answers 500 to an update without extra_time", Effects: []fault.Effect{
		extraTimeGiven.Lift(nil),
		refusesToObey(func(o *order, _ lti.Status) bool { return extraTimeGiven.Broken(o) != nil }, anError),
	}},
	{Name: "terminates-flagged", Proves: "ap-acs-platform-flag", Does: "terminates an attempt with an incident", Effects: []fault.Effect{
		does(lti.Flag, func(from lti.Status) lti.Status {
			if from == lti.Running || from == lti.Paused {
				return lti.Terminated
			}
			return from
		}),
	}},
	{Name: "says-paused-when-flagged", Proves: "ap-acs-platform-flag", Does: "says that an attempt with a most severe incident is paused", Effects: []fault.Effect{
		tells(lti.Paused, func(o *order) bool {
			return o.request.Action == lti.Flag && o.request.IncidentSeverity != nil && *o.request.IncidentSeverity >= 1
		}, lti.Running),
	}},
	{Name: "refuses-long-reasons", Proves: "ap-acs-platform-flag", Does: "refuses a reason_msg of more than 255 bytes", Effects: []fault.Effect{refusesControl("reason_msg is too long", func(o *order) bool { return len(o.request.ReasonMessage) > shortReason })}},
	{Name: "controls-unoffered", Proves: "ap-acs-platform-advertised-actions", Does: "does what the launch did not offer", Effects: []fault.Effect{actionOffered.Lift(nil)}},
	{Name: "takes-unknown-actions", Proves: "ap-acs-platform-advertised-actions", Does: "answers 200 to an action that does not exist", Effects: []fault.Effect{actionKnown.Lift(unknownAction), actionOffered.Lift(unknownAction)}},
	{Name: "ignores-action-case", Proves: "ap-acs-platform-advertised-actions", Does: "ignores the case of action", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			action, _ := object["action"].(string)
			if lower := strings.ToLower(action); slices.Contains(lti.Actions, lti.Action(lower)) {
				object["action"] = lower
			}
		}),
	}},
	{Name: "takes-empty-action", Proves: "ap-acs-platform-advertised-actions", Does: "answers 200 to an empty action", Effects: []fault.Effect{actionKnown.Lift(emptyAction), actionOffered.Lift(emptyAction)}},
	{Name: "says-running-before-start", Proves: "ap-acs-platform-unknown-target", Does: "says that an attempt is running which has not begun", Effects: []fault.Effect{tells(lti.Running, func(*order) bool { return true }, lti.None)}},

	// The Assessment Control Service: what it is asked.
	{Name: "guesses-control-target", Proves: "ap-acs-platform-validates-body", Does: "takes the tool's latest exam where a request does not say which one", Effects: []fault.Effect{readsControl(guessedTarget)}},
	{Name: "takes-missing-control-issuer", Proves: "ap-acs-platform-validates-body", Does: "obeys a control request without user.iss", Effects: []fault.Effect{
		readsControl(func(o *order, object map[string]any) {
			if user, is := object["user"].(map[string]any); is && user["iss"] == nil {
				user["iss"] = o.exams.core.Issuer()
			}
		}),
	}},
	{Name: "takes-missing-action", Proves: "ap-acs-platform-validates-body", Does: "takes a control request without action for a flag", Effects: []fault.Effect{addsMissing("action", func(*order) any { return string(lti.Flag) })}},
	{Name: "takes-missing-incident-time", Proves: "ap-acs-platform-validates-body", Does: "obeys a control request without incident_time", Effects: []fault.Effect{addsMissing("incident_time", func(o *order) any { return o.exams.core.Now().Format(time.RFC3339) })}},
	{Name: "takes-any-incident-time", Proves: "ap-acs-platform-validates-body", Does: "takes any text for incident_time", Effects: []fault.Effect{
		incidentTimeGiven.Lift(func(o *order) bool {
			_, isText := o.object["incident_time"].(string)
			return isText
		}),
	}},
	{Name: "takes-incident-time-numbers", Proves: "ap-acs-platform-validates-body", Does: "takes a number for incident_time", Effects: []fault.Effect{
		incidentTimeGiven.Lift(func(o *order) bool {
			value, sent := o.object["incident_time"]
			_, isText := value.(string)
			return sent && !isText
		}),
	}},
	{Name: "takes-any-severity", Proves: "ap-acs-platform-validates-body", Does: "takes any incident_severity", Effects: []fault.Effect{severityInRange.Lift(nil)}},
	{Name: "takes-any-extra-time", Proves: "ap-acs-platform-validates-body", Does: "takes any extra_time", Effects: []fault.Effect{extraTimeInRange.Lift(nil)}},
	{Name: "takes-text-attempt-numbers", Proves: "ap-acs-platform-validates-body", Does: "takes an attempt_number that is a string from the tool's server", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			text, _ := object["attempt_number"].(string)
			if _, is := jwt.Integer(json.Number(text)); is {
				object["attempt_number"] = json.Number(text)
			}
		}),
	}},
	{Name: "takes-arrays-of-one-in-control", Proves: "ap-acs-platform-validates-body", Does: "takes an array of one in a control request for what is in it", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			for name, value := range object {
				if list, _ := value.([]any); len(list) == 1 {
					object[name] = list[0]
				}
			}
		}),
	}},
	{Name: "truncates-attempt-numbers", Proves: "ap-acs-platform-validates-body", Does: "takes an attempt_number with a fraction for the number before the point", Effects: []fault.Effect{
		readsControl(func(_ *order, object map[string]any) {
			if number, is := object["attempt_number"].(json.Number); is {
				whole, _, _ := strings.Cut(number.String(), ".")
				object["attempt_number"] = json.Number(whole)
			}
		}),
	}},
	{Name: "takes-any-reason", Proves: "ap-acs-platform-validates-body", Does: "takes a reason_code and a reason_msg that are no strings", Effects: []fault.Effect{reasonCodeText.Lift(nil), reasonMessageText.Lift(nil)}},
	{Name: "crashes-on-arrays-in-control", Proves: "ap-acs-platform-validates-body", Does: "answers 500 to a control request with an array in it", Effects: []fault.Effect{
		controlChecked.Change(func(c checkedOrder) checkedOrder {
			for _, value := range c.object {
				if _, isArray := value.([]any); isArray {
					c.wrong = append(part.Refusals{part.Failure}, c.wrong...)
					break
				}
			}
			return c
		}),
	}},
	{Name: "refuses-reasons-of-updates", Proves: "ap-acs-platform-update-extra-time", Does: "refuses an update that has a reason", Effects: []fault.Effect{refusesControl("reason_msg does not belong there", func(o *order) bool { return o.request.ReasonMessage != "" && o.request.Action == lti.Update })}},
	{Name: "crashes-on-malformed-control", Proves: "ap-acs-platform-validates-body", Does: "answers 500 to a control request that is no JSON object", Effects: []fault.Effect{refusesWith(http.StatusInternalServerError, forMalformed)}},
	{Name: "hides-malformed-control", Proves: "ap-acs-platform-validates-body", Does: "answers 404 to a control request that is no JSON object", Effects: []fault.Effect{refusesWith(http.StatusNotFound, forMalformed)}},
	{Name: "needs-whole-incident-times", Proves: "ap-acs-platform-incident-time", Does: "refuses an incident_time with a fraction of a second", Effects: []fault.Effect{refusesControl("incident_time has a fraction", timeIs(func(at string) bool { return strings.Contains(at, ".") }))}},
	{Name: "needs-incident-times-in-utc", Proves: "ap-acs-platform-incident-time", Does: "refuses an incident_time with an offset", Effects: []fault.Effect{refusesControl("incident_time is not in UTC", timeIs(func(at string) bool { return !strings.HasSuffix(at, "Z") }))}},
	{Name: "says-unprocessable", Permitted: true, Does: "answers 422 to a control request that lacks something", Effects: []fault.Effect{
		refusesWith(http.StatusUnprocessableEntity, func(o *order, why part.Refusal) bool {
			return why.Status == http.StatusBadRequest && o.object != nil && o.attempt == nil
		}),
	}},
	{Name: "ignores-control-issuer", Proves: "ap-acs-platform-unknown-target", Does: "does not look at user.iss", Effects: []fault.Effect{targetIssuer.Lift(nil)}},
	{Name: "ignores-control-link", Proves: "ap-acs-platform-unknown-target", Does: "does not look at resource_link of a control request", Effects: []fault.Effect{
		finds(func(o *order, l *Launch, said statement) bool {
			asked := o.names()
			return l.Plan().ClientID == o.token.ClientID && said.sub == asked.sub && said.attemptNumber == asked.attemptNumber
		}),
	}},
	{Name: "ignores-control-attempt", Proves: "ap-acs-platform-unknown-target", Does: "does not look at attempt_number of a control request", Effects: []fault.Effect{
		finds(func(o *order, l *Launch, said statement) bool {
			asked := o.names()
			return l.Plan().ClientID == o.token.ClientID && said.sub == asked.sub && said.linkID == asked.linkID
		}),
	}},
	{Name: "answers-unknown-targets", Proves: "ap-acs-platform-unknown-target", Does: "answers 200 for an attempt that does not exist", Effects: []fault.Effect{
		controlRefused.Change(func(r refusedOrder) refusedOrder {
			if r.wrong[0].Status == http.StatusNotFound {
				r.wrong, r.response.Status = nil, lti.None
			}
			return r
		}),
	}},
	{Name: "crashes-on-unknown-target", Proves: "ap-acs-platform-unknown-target", Does: "answers 500 for an attempt that does not exist", Effects: []fault.Effect{refusesWith(http.StatusInternalServerError, forStatus(http.StatusNotFound))}},
	{Name: "says-bad-request-for-target", Permitted: true, Does: "answers 400 for an attempt that does not exist", Effects: []fault.Effect{refusesWith(http.StatusBadRequest, forStatus(http.StatusNotFound))}},
	{Name: "refuses-control-of-ended", Permitted: true, Does: "answers 409 for an attempt that is not under way", Effects: []fault.Effect{refusesToObey(func(_ *order, status lti.Status) bool { return status != lti.Running && status != lti.Paused }, conflict)}},

	// The Assessment Control Service: form.
	{Name: "answers-control-as-json", Proves: "ap-acs-platform-response-form", Does: "answers control requests as application/json", Effects: []fault.Effect{answersControl(func(a *answeredOrder) { a.mediaType = jsonMediaType })}},
	{Name: "answers-control-as-text", Proves: "ap-acs-platform-response-form", Does: "answers control requests as text/plain", Effects: []fault.Effect{answersControl(func(a *answeredOrder) { a.mediaType = "text/plain" })}},
	{Name: "says-suspended", Proves: "ap-acs-platform-response-form", Does: "says that an attempt is suspended which is paused", Effects: []fault.Effect{
		answersControl(func(a *answeredOrder) {
			if a.members["status"] == lti.Paused {
				a.members["status"] = "suspended"
			}
		}),
	}},
	{Name: "says-extra-time-as-text", Proves: "ap-acs-platform-response-form", Does: "sends extra_time as a string", Effects: []fault.Effect{
		answersControl(func(a *answeredOrder) {
			if minutes, sent := a.members["extra_time"]; sent {
				a.members["extra_time"] = fmt.Sprint(minutes)
			}
		}),
	}},
	{Name: "refuses-control-charset", Proves: "ap-acs-platform-accepts-media-type", Does: "refuses a control request whose media type has a charset", Effects: []fault.Effect{refusesType(func(name, sent string) bool { return name == lti.MediaTypeControl && strings.Contains(sent, ";") })}},
	{Name: "compares-media-type-case", Proves: "ap-acs-platform-accepts-media-type", Does: "refuses a control request whose media type is in upper case", Effects: []fault.Effect{refusesType(func(name, sent string) bool {
		return name == lti.MediaTypeControl && sent != name && !strings.Contains(sent, ";")
	})}},
	{Name: "refuses-control-as-json", Permitted: true, Does: "refuses a control request that is application/json", Effects: []fault.Effect{refusesType(func(name, _ string) bool { return name == jsonMediaType })}},
	{Name: "takes-any-media-type", Proves: "ap-acs-platform-accepts-media-type", Does: "takes a control request of any media type", Effects: []fault.Effect{controlMediaType.Lift(nil)}},
	{Name: "says-bad-request-for-media-type", Proves: "ap-acs-platform-accepts-media-type", Does: "answers 400 instead of 415 to another media type", Effects: []fault.Effect{refusesWith(http.StatusBadRequest, forStatus(http.StatusUnsupportedMediaType))}},
	{Name: "controls-by-put", Proves: "ap-acs-platform-accepts-media-type", Does: "takes a control request by PUT", Effects: []fault.Effect{controlByPost.Lift(func(o *order) bool { return o.Method == http.MethodPut })}},
	{Name: "hides-control-by-method", Proves: "ap-acs-platform-accepts-media-type", Does: "answers 404 to control requests by other methods", Effects: []fault.Effect{refusesWith(http.StatusNotFound, func(o *order, _ part.Refusal) bool { return o.Method != http.MethodPost })}},
}
