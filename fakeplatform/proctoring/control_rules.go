package proctoring

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What is checked of a request to the Assessment Control Service (Proctoring Services 1.0, 5),
// in the order in which it is told. The access token is checked after the method.
var (
	controlMethodRules    = &fault.List[*order]{Name: "the method of a control request", Rules: []*fault.Rule[*order]{controlByPost}}
	accessRules           = &fault.List[*order]{Name: "the access token of a control request", Rules: []*fault.Rule[*order]{hasToken, hasScope}}
	controlMediaTypeRules = &fault.List[*order]{Name: "the media type of a control request", Rules: []*fault.Rule[*order]{controlMediaType}}
	controlRules          = &fault.List[*order]{Name: "a control request", Rules: []*fault.Rule[*order]{
		controlReadable,
		userGiven, userIssuerGiven, userSubGiven, linkGiven, linkIDGiven, attemptNumberGiven,
		actionGiven, actionKnown,
		incidentTimeGiven, severityInRange, reasonCodeText, reasonMessageText,
		extraTimeGiven, extraTimeInRange,
	}}
	// The target is one of the tool that asks: of the others it is told as of what there is not.
	targetRules = &fault.List[*order]{Name: "what a control request is about", Rules: []*fault.Rule[*order]{attemptFound, actionOffered}}
	// Of an attempt that is locked.
	obeyedRules = &fault.List[*order]{Name: "what is done to an attempt", Rules: []*fault.Rule[*order]{extraTimeInAll}}
)

// The access token (Proctoring Services 1.0, 5; RFC 6750, 3.1).
var (
	hasToken = &fault.Rule[*order]{Name: "the request has an access token", Broken: func(o *order) error { return o.noToken }}
	hasScope = &fault.Rule[*order]{Name: "the access token is for the service", Broken: func(o *order) error {
		if o.noToken != nil || slices.Contains(o.token.Scopes, lti.ScopeControl) {
			return nil
		}
		return &part.Refusal{Status: http.StatusForbidden, Code: lti.ErrorInsufficientScope, Says: "the access token is not for " + lti.ScopeControl}
	}}
)

// How it is sent (Proctoring Services 1.0, 5.1).
var (
	controlByPost = &fault.Rule[*order]{Name: "the request is a POST", Broken: func(o *order) error {
		if o.Method != http.MethodPost {
			return &part.Refusal{Status: http.StatusMethodNotAllowed, Code: lti.ErrorInvalidRequest, Says: "the request is a " + o.Method + " instead of a POST"}
		}
		return nil
	}}
	controlMediaType = &fault.Rule[*order]{Name: "the media type is that of the service, or JSON", Broken: func(o *order) error {
		if name := part.MediaType(o.Request); name != lti.MediaTypeControl && name != jsonMediaType {
			return wrongControlType
		}
		return nil
	}}
	controlReadable = &fault.Rule[*order]{Name: "the body is a JSON object", Broken: func(o *order) error {
		if o.object == nil {
			return part.InvalidRequest("the body is no JSON object of at most %d bytes", maxServiceBody)
		}
		return nil
	}}
)

// jsonMediaType is that of any JSON.
const jsonMediaType = "application/json"

var wrongControlType error = &part.Refusal{Status: http.StatusUnsupportedMediaType, Code: lti.ErrorInvalidRequest, Says: "the content type is not " + lti.MediaTypeControl}

// What it is about (Proctoring Services 1.0, 5.1.1).
var (
	userGiven = &fault.Rule[*order]{Name: "user is given", Broken: func(o *order) error {
		if o.object != nil && o.objectNamed("user") == nil {
			return part.InvalidRequest("user is missing or no object")
		}
		return nil
	}}
	userIssuerGiven = hasText("user", "iss")
	userSubGiven    = hasText("user", "sub")
	linkGiven       = &fault.Rule[*order]{Name: "resource_link is given", Broken: func(o *order) error {
		if o.object != nil && o.objectNamed("resource_link") == nil {
			return part.InvalidRequest("resource_link is missing or no object")
		}
		return nil
	}}
	linkIDGiven        = hasText("resource_link", "id")
	attemptNumberGiven = &fault.Rule[*order]{Name: "attempt_number is an integer", Broken: func(o *order) error {
		if _, is := jwt.Integer(o.object["attempt_number"]); o.object != nil && !is {
			return part.InvalidRequest("attempt_number is missing or no integer")
		}
		return nil
	}}
)

// What is to be done, and why (Proctoring Services 1.0, 5.1.1 and 5.1.2).
var (
	actionGiven = &fault.Rule[*order]{Name: "action is given", Broken: func(o *order) error {
		if _, isText := o.object["action"].(string); o.object != nil && !isText {
			return part.InvalidRequest("action is missing or no string")
		}
		return nil
	}}
	actionKnown = &fault.Rule[*order]{Name: "action is one that there is", Broken: func(o *order) error {
		if action, isText := o.object["action"].(string); isText && !slices.Contains(lti.Actions, lti.Action(action)) {
			return part.InvalidRequest("there is no action %.100q", action)
		}
		return nil
	}}
	incidentTimeGiven = &fault.Rule[*order]{Name: "incident_time is a date-time with zone", Broken: func(o *order) error {
		if _, err := time.Parse(time.RFC3339, o.request.IncidentTime); o.object != nil && err != nil {
			return part.InvalidRequest("incident_time is missing or no date-time with zone")
		}
		return nil
	}}
	severityInRange = &fault.Rule[*order]{Name: "incident_severity is a number from 0 to 1", Broken: func(o *order) error {
		if _, sent := o.object["incident_severity"]; !sent {
			return nil
		}
		if severity, err := o.severity(); err != nil || severity < 0 || severity > 1 {
			return part.InvalidRequest("incident_severity is no number from 0 to 1")
		}
		return nil
	}}
	reasonCodeText    = textIfSent("reason_code")
	reasonMessageText = textIfSent("reason_msg")
	extraTimeGiven    = &fault.Rule[*order]{Name: "extra_time is given where time is added", Broken: func(o *order) error {
		if _, sent := o.object["extra_time"]; !sent && o.request.Action == lti.Update {
			return part.InvalidRequest("extra_time is missing")
		}
		return nil
	}}
	extraTimeInRange = &fault.Rule[*order]{Name: "extra_time is a number of minutes", Broken: func(o *order) error {
		value, sent := o.object["extra_time"]
		if minutes, is := jwt.Integer(value); sent && (!is || minutes < 0 || minutes > maxExtraTime) {
			return part.InvalidRequest("extra_time is no integer from 0 to %d", maxExtraTime)
		}
		return nil
	}}
)

// That there is such an attempt, and that its launch offered the action (Proctoring Services
// 1.0, 4.2.3 and 5).
var (
	targetIssuer = &fault.Rule[*order]{Name: "user.iss is this platform", Broken: func(o *order) error {
		if o.request.User.Issuer != o.exams.core.Issuer() {
			return noTarget("user.iss is not this platform")
		}
		return nil
	}}
	attemptFound = &fault.Rule[*order]{Name: "the attempt is one of the tool", Broken: func(o *order) error {
		if o.attempt == nil {
			return noTarget("no such attempt was launched with this tool")
		}
		return nil
	}}
	actionOffered = &fault.Rule[*order]{Name: "the launch offered the action", Broken: func(o *order) error {
		o.attempt.mu.Lock()
		defer o.attempt.mu.Unlock()
		if !slices.Contains(o.attempt.launch.exam.Actions, o.request.Action) {
			return part.InvalidRequest("the launch did not offer the action %s", o.request.Action)
		}
		return nil
	}}
	extraTimeInAll = &fault.Rule[*order]{Name: "there is a bound to the time that is added", Broken: func(o *order) error {
		if o.request.Action == lti.Update && o.attempt.extraTime+*o.request.ExtraTime > maxExtraTime {
			return part.InvalidRequest("extra_time makes more than %d minutes", maxExtraTime)
		}
		return nil
	}}
)

func noTarget(says string) error {
	return &part.Refusal{Status: http.StatusNotFound, Code: lti.ErrorInvalidRequest, Says: says}
}

// hasText is the rule that a member of an object is a text, where there is the object.
func hasText(object, member string) *fault.Rule[*order] {
	name := object + "." + member
	return &fault.Rule[*order]{Name: name + " is given", Broken: func(o *order) error {
		if text, _ := o.member(object, member).(string); o.objectNamed(object) != nil && text == "" {
			return part.InvalidRequest("%s is missing or no string", name)
		}
		return nil
	}}
}

func textIfSent(name string) *fault.Rule[*order] {
	return &fault.Rule[*order]{Name: name + " is a string", Broken: func(o *order) error {
		value, sent := o.object[name]
		if _, isText := value.(string); sent && !isText {
			return part.InvalidRequest("%s is no string", name)
		}
		return nil
	}}
}

func (o *order) objectNamed(name string) map[string]any {
	object, _ := o.object[name].(map[string]any)
	return object
}

// member is what the body says, or one of its objects.
func (o *order) member(name string, members ...string) any {
	if len(members) == 0 {
		return o.object[name]
	}
	return o.objectNamed(name)[members[0]]
}

func (o *order) severity() (float64, error) {
	number, _ := o.object["incident_severity"].(json.Number)
	return number.Float64()
}

// What passes the seams of the Assessment Control Service.
type (
	readOrder struct {
		*order
		object map[string]any
	}
	checkedOrder struct {
		*order
		wrong part.Refusals
	}
	// targetedOrder is what a request is about: the launches, the latest first.
	targetedOrder struct {
		*order
		launches []*Launch
	}
	// toldStatus is what is told of the attempt, which is locked.
	toldStatus struct {
		*order
		status lti.Status
	}
	refusedOrder struct {
		*order
		wrong    part.Refusals
		response lti.ControlResponse
	}
	answeredOrder struct {
		*order
		members   map[string]any
		mediaType string
	}
	// controlledAttempt is what an action makes of the status of an attempt.
	controlledAttempt struct {
		action   lti.Action
		from, to lti.Status
	}
)

var (
	controlRead = &fault.Seam[readOrder]{Name: "a control request as it is read", Clone: func(r readOrder) readOrder {
		r.object = maps.Clone(r.object)
		for name, value := range r.object {
			if object, is := value.(map[string]any); is {
				r.object[name] = maps.Clone(object)
			}
		}
		return r
	}}
	controlChecked    = &fault.Seam[checkedOrder]{Name: "what is wrong with a control request"}
	controlTarget     = &fault.Seam[targetedOrder]{Name: "what a control request is about"}
	attemptControlled = &fault.Seam[controlledAttempt]{Name: "what an action makes of an attempt"}
	statusTold        = &fault.Seam[toldStatus]{Name: "the status that is told"}
	controlRefused    = &fault.Seam[refusedOrder]{Name: "the refusal of a control request", Clone: func(r refusedOrder) refusedOrder {
		r.wrong = slices.Clone(r.wrong)
		return r
	}}
	controlAnswered = &fault.Seam[answeredOrder]{Name: "the answer to a control request", Clone: func(a answeredOrder) answeredOrder {
		a.members = maps.Clone(a.members)
		return a
	}}
	// Who lacks an access token is told so by WWW-Authenticate (RFC 6750, 3).
	challenged    = &fault.Step[*order]{Name: "who lacks an access token for control is told so", Honest: func(*order) bool { return true }}
	controlCame   = &fault.Seam[*http.Request]{Name: "a control request as it comes"}
	controlServed = &fault.Seam[controlAnswer]{Name: "whether the Assessment Control Service serves a request, and how"}
)

// A controlAnswer is the answer to a control request before it is made; the fault
// of a launch may change it.
type controlAnswer struct {
	first  bool          // to a request about the attempt
	why    *part.Refusal // the request is refused
	status lti.Status    // is told in place of the attempt's
	empty  bool          // nothing is told
	body   any           // is told instead; nil for nothing
	reset  bool          // the connection is closed instead
}

// stimulated is what the fault of the launch that a request is about makes of the
// answer.
func (e *Exams) stimulated(o *order) controlAnswer {
	if o.attempt == nil {
		return controlAnswer{}
	}
	o.attempt.mu.Lock()
	defer o.attempt.mu.Unlock()
	carrier, first := o.attempt.launch.Carrier(), o.attempt.controls == 0
	o.attempt.controls++
	served := part.Served.Pass(carrier, part.Serving{First: first, Fresh: o.attempt.launch.Granted(o.token.Value)})
	return controlServed.Pass(carrier, controlAnswer{first: first, why: served.Why})
}
