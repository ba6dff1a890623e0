package proctoring

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// controlTokenStimuli are requests whose access token is not where it belongs, or not what
// it was (RFC 6750, 2.1).
var controlTokenStimuli = []fault.Fault{
	{
		Name: "acs-without-token", Provokes: "ap-acs-platform-authorisation",
		Does: "sends no access token", Effects: order(func(d *controlDraft) { d.bearing.Token = "" }),
	}, {
		Name: "acs-altered-token", Provokes: "ap-acs-platform-authorisation",
		Does: "sends an access token that it has altered", Effects: order(func(d *controlDraft) { d.bearing.Token = signing.AlteredToken(d.bearing.Token) }),
	}, {
		Name: "acs-token-in-query", Provokes: "ap-acs-platform-authorisation",
		Does: "sends the access token in the query", Effects: order(func(d *controlDraft) { d.bearing.InURL = true }),
	},
}

// bodyStimuli are those of what a control request says (Proctoring Services 1.0, 5).
var bodyStimuli = []fault.Fault{
	{
		Name: "control-without-user", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves user out", Effects: order(missing("user")),
	}, {
		Name: "control-without-user-iss", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves user.iss out", Effects: order(missing("user", "iss")),
	}, {
		Name: "control-without-user-sub", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves user.sub out", Effects: order(missing("user", "sub")),
	}, {
		Name: "control-without-resource-link", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves resource_link out", Effects: order(missing("resource_link")),
	}, {
		Name: "control-without-resource-link-id", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves resource_link.id out", Effects: order(missing("resource_link", "id")),
	}, {
		Name: "control-without-attempt-number", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves attempt_number out", Effects: order(missing("attempt_number")),
	}, {
		Name: "control-without-action", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves action out", Effects: order(missing("action")),
	}, {
		Name: "control-without-incident-time", Provokes: "ap-acs-platform-validates-body",
		Does: "leaves incident_time out", Effects: order(missing("incident_time")),
	}, {
		Name: "incident-time-word", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a word as incident_time", Effects: order(says("incident_time", "yesterday")),
	}, {
		Name: "incident-time-impossible", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a date that there is not as incident_time", Effects: order(says("incident_time", "2026-13-45")),
	}, {
		Name: "incident-time-number", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a number as incident_time", Effects: order(says("incident_time", json.Number("1700000000"))),
	}, {
		Name: "severity-negative", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a negative incident_severity", Effects: order(says("incident_severity", json.Number("-0.1"))),
	}, {
		Name: "severity-above-one", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the incident_severity 1.1", Effects: order(says("incident_severity", json.Number("1.1"))),
	}, {
		Name: "severity-word", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a word as incident_severity", Effects: order(says("incident_severity", "high")),
	}, {
		Name: "extra-time-negative", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a negative extra_time", Effects: order(says("extra_time", json.Number("-5"))),
	}, {
		Name: "extra-time-fraction", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the extra_time 1.5", Effects: order(says("extra_time", json.Number("1.5"))),
	}, {
		Name: "extra-time-word", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a word as extra_time", Effects: order(says("extra_time", "ten")),
	}, {
		Name: "attempt-number-as-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends attempt_number as a string",
		Effects: order(func(d *controlDraft) {
			if n, ok := d.members["attempt_number"].(json.Number); ok {
				d.members["attempt_number"] = n.String()
			}
		}),
	}, {
		Name: "control-user-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a string as user", Effects: order(says("user", "candidate")),
	}, {
		Name: "control-link-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends resource_link in an array", Effects: order(saysInArray("resource_link")),
	}, {
		Name: "control-action-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends action in an array", Effects: order(saysInArray("action")),
	}, {
		Name: "attempt-number-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends attempt_number in an array", Effects: order(saysInArray("attempt_number")),
	}, {
		Name: "attempt-number-fraction", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an attempt_number with half an attempt more",
		Effects: order(func(d *controlDraft) {
			n, _ := d.members["attempt_number"].(json.Number)
			says("attempt_number", json.Number(n.String()+".5"))(d)
		}),
	}, {
		Name: "severity-true", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the incident_severity true", Effects: order(says("incident_severity", true)),
	}, {
		Name: "severity-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends incident_severity as a string", Effects: order(says("incident_severity", "0.5")),
	}, {
		Name: "extra-time-string", Provokes: "ap-acs-platform-validates-body",
		Does: "sends extra_time as a string", Effects: order(says("extra_time", "10")),
	}, {
		Name: "extra-time-true", Provokes: "ap-acs-platform-validates-body",
		Does: "sends the extra_time true", Effects: order(says("extra_time", true)),
	}, {
		Name: "reason-code-number", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a number as reason_code", Effects: order(says("reason_code", json.Number("1"))),
	}, {
		Name: "reason-msg-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an array of one string as reason_msg", Effects: order(says("reason_msg", []any{"A phone rang."})),
	}, {
		Name: "body-array", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an array", Effects: order(sends("[]")),
	}, {
		Name: "body-empty-object", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an empty object", Effects: order(sends("{}")),
	}, {
		Name: "body-not-json", Provokes: "ap-acs-platform-validates-body",
		Does: "sends a body that is no JSON", Effects: order(sends("{")),
	}, {
		Name: "body-empty", Provokes: "ap-acs-platform-validates-body",
		Does: "sends an empty body", Effects: order(sends("")),
	},
}

// incidentTimeStimuli are forms of incident_time (Proctoring Services 1.0, 5).
var incidentTimeStimuli = []fault.Fault{
	{
		Name: "incident-time-utc", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time in UTC, in whole seconds", Effects: order(incidentAt(time.RFC3339, 0)),
	}, {
		Name: "incident-time-milliseconds", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time with three digits of a fraction", Effects: order(incidentAt("2006-01-02T15:04:05.000Z07:00", 0)),
	}, {
		Name: "incident-time-microseconds", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time with six digits of a fraction", Effects: order(incidentAt("2006-01-02T15:04:05.000000Z07:00", 0)),
	}, {
		Name: "incident-time-ahead", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time in a zone east of UTC", Effects: order(incidentAt(time.RFC3339, 5*time.Hour+45*time.Minute)),
	}, {
		Name: "incident-time-behind", Provokes: "ap-acs-platform-incident-time", Permitted: true,
		Does: "sends an incident_time in a zone west of UTC", Effects: order(incidentAt(time.RFC3339, -3*time.Hour-30*time.Minute)),
	},
}

// incidentAt sends the time of the tool's clock, less a second, as incident_time.
func incidentAt(format string, offset time.Duration) func(*controlDraft) {
	return func(d *controlDraft) {
		at := d.core.Now().Add(-time.Second).In(time.FixedZone("", int(offset.Seconds())))
		says("incident_time", at.Format(format))(d)
	}
}

// mediaTypeStimuli are those of how a control request is sent (Proctoring
// Services 1.0, 5).
var mediaTypeStimuli = []fault.Fault{
	{
		Name: "media-type-exact", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the control media type", Effects: order(typed(lti.MediaTypeControl)),
	}, {
		Name: "media-type-charset", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the control media type with a charset", Effects: order(typed(lti.MediaTypeControl + "; charset=UTF-8")),
	}, {
		Name: "media-type-upper-case", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the control media type in upper case", Effects: order(typed(strings.ToUpper(lti.MediaTypeControl))),
	}, {
		Name: "media-type-json", Provokes: "ap-acs-platform-accepts-media-type", Permitted: true,
		Does: "sends the media type application/json", Effects: order(typed("application/json")),
	}, {
		Name: "media-type-text", Provokes: "ap-acs-platform-accepts-media-type",
		Does: "sends the media type text/plain", Effects: order(typed("text/plain")),
	}, {
		Name: "acs-by-get", Provokes: "ap-acs-platform-accepts-media-type",
		Does:    "sends a GET request without body",
		Effects: order(func(d *controlDraft) { d.method, d.body = http.MethodGet, []byte{} }),
	}, {
		Name: "acs-by-put", Provokes: "ap-acs-platform-accepts-media-type",
		Does: "sends the request by PUT", Effects: order(func(d *controlDraft) { d.method = http.MethodPut }),
	},
}

// missing leaves out a member, or one of a member.
func missing(path ...string) func(*controlDraft) {
	return func(d *controlDraft) {
		members := d.members
		for _, name := range path[:len(path)-1] {
			members, _ = members[name].(map[string]any)
		}
		delete(members, path[len(path)-1])
	}
}

// says sends another member.
func says(name string, value any) func(*controlDraft) {
	return func(d *controlDraft) { d.members[name] = value }
}

// saysInArray sends a member in an array.
func saysInArray(name string) func(*controlDraft) {
	return func(d *controlDraft) { says(name, []any{d.members[name]})(d) }
}

// sends sends something else instead of all members.
func sends(body string) func(*controlDraft) {
	return func(d *controlDraft) { d.body = []byte(body) }
}

func typed(mediaType string) func(*controlDraft) {
	return func(d *controlDraft) { d.mediaType = mediaType }
}

// order changes a control request.
func order(change func(*controlDraft)) []fault.Effect {
	return []fault.Effect{orderSaid.ChangeWhen(always, func(o ordering) ordering {
		change(&o.draft)
		return o
	})}
}
