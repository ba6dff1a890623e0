package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Call is a request of the fake tool's server to a service of the platform.
// Its zero value flags an incident.
type Call struct {
	// Title says what the call is for, in the report.
	Title  string
	Action lti.Action
	// ExtraTime is sent with the action where it is set, in minutes.
	ExtraTime *int
	Severity  *float64
	// Reason is sent as reason_msg, with a code.
	Reason string
	// Fault is what differs from a valid request.
	Fault *faketool.Fault
	// Token is the access token; a valid one for control.all when empty.
	Token string
	// Change changes the request otherwise.
	Change func(*lti.ControlRequest)
	// Tool is the one that calls; the first when nil.
	Tool *faketool.Tool
	// URL is where the request goes; the assessment_control_url of the launch when empty.
	URL string
}

// Grant asks the platform's token endpoint for an access token, and keeps what
// came of it.
func (s *PlatformScenario) Grant(ctx context.Context, title string, p faketool.TokenProbe) (*PlatformFlow, *faketool.Token, error) {
	return s.grantTo(ctx, title, s.run.tool, s.run.platform.ClientID, p)
}

func (s *PlatformScenario) grantTo(ctx context.Context, title string, tool *faketool.Tool, clientID string, p faketool.TokenProbe) (*PlatformFlow, *faketool.Token, error) {
	if err := s.run.lacks(tokenEndpoint); err != nil {
		return nil, nil, err
	}
	if p.Fault != nil && s.run.mayLearn(partTokens) {
		if _, _, err := s.Grant(ctx, "control: an access token before others", faketool.TokenProbe{Scopes: p.Scopes}); err != nil {
			return nil, nil, err
		}
	}
	tokens := map[*faketool.Exchange]*faketool.Token{}
	flow, err := s.exchange(ctx, partTokens, title, p.Fault, func(ctx context.Context) (*faketool.Exchange, error) {
		token, err := tool.Token(ctx, s.run.platform.Issuer, clientID, p)
		if err != nil {
			return nil, err
		}
		tokens[&token.Exchange] = token
		return &token.Exchange, nil
	})
	if flow == nil {
		return nil, nil, err
	}
	token := tokens[flow.Exchange]
	if err == nil && token.AccessToken != "" && p.Fault == nil {
		s.proves(partTokens)
		if tool == s.run.tool {
			s.run.granted = &faketool.TokenProbe{Scopes: p.Scopes}
		}
	}
	return flow, token, err
}

// GrantTogether asks for an access token by n requests with one client assertion that are
// under way at the same time, and keeps what came of each.
func (s *PlatformScenario) GrantTogether(ctx context.Context, title string, n int, p faketool.TokenProbe) ([]*PlatformFlow, []*faketool.Token, error) {
	if err := s.run.lacks(tokenEndpoint); err != nil {
		return nil, nil, err
	}
	var tokens []*faketool.Token
	send := func(ctx context.Context) (made []*faketool.Exchange, err error) {
		tokens, err = s.run.tool.TokensTogether(ctx, s.run.platform.Issuer, s.run.platform.ClientID, n, p)
		for _, token := range tokens {
			made = append(made, &token.Exchange)
		}
		return made, err
	}
	flows, err := s.exchanges(ctx, partTokens, title, p.Fault, send)
	if err == nil && s.run.known[partTokens] && slices.ContainsFunc(flows, func(f *PlatformFlow) bool { return isSick(f.Exchange) }) { // it may be ill for a moment
		flows, err = s.exchanges(ctx, partTokens, title+", again", p.Fault, send)
	}
	s.afterSilence(ctx, flows...)
	return flows, tokens, err
}

// grant is an access token that is kept.
type grant struct {
	token string
	until time.Time
}

// access returns a token for scopes, which is asked for once in a scenario, and
// again when it has expired.
func (s *PlatformScenario) access(ctx context.Context, scopes ...string) (string, error) {
	wanted := strings.Join(scopes, " ")
	if kept, ok := s.tokens[wanted]; ok && s.run.now().Before(kept.until) {
		return kept.token, nil
	}
	if err := s.run.lacks(tokensFor(scopes)); err != nil {
		return "", err
	}
	flow, token, err := s.Grant(ctx, "an access token for "+wanted, faketool.TokenProbe{Scopes: scopes})
	if err != nil {
		return "", err
	}
	if token.AccessToken == "" {
		return "", noToken(fmt.Sprintf("the platform grants no access token for %s: %s", wanted, flow.Reply()))
	}
	s.tokens[wanted] = grant{token.AccessToken, s.run.now().Add(lifeOf(token) - tokenMargin)}
	return token.AccessToken, nil
}

// noToken says that the platform has granted no access token. What needs one is not seen,
// as if a launch had not worked.
type noToken string

func (n noToken) Error() string { return strings.TrimSpace(string(n)) }

// Is says whether an error stands for it: [ErrNoLaunch].
func (n noToken) Is(target error) bool { return target == ErrNoLaunch }

// tokenMargin is how long before its end a token is no longer used.
const tokenMargin = 10 * time.Second

// lifeOf is how long a token lasts; an hour where the platform does not say.
func lifeOf(t *faketool.Token) time.Duration {
	if seconds, ok := t.ExpiresIn.(float64); ok && seconds > 0 && seconds < 1e9 {
		return time.Duration(seconds) * time.Second
	}
	return time.Hour
}

// Fresh returns a new token for scopes, and how long it lasts.
func (s *PlatformScenario) Fresh(ctx context.Context, scopes ...string) (string, time.Duration, error) {
	wanted := strings.Join(scopes, " ")
	delete(s.tokens, wanted)
	token, err := s.access(ctx, scopes...)
	lives := s.tokens[wanted].until.Sub(s.run.now()) + tokenMargin
	delete(s.tokens, wanted)
	return token, lives, err
}

// AddToolKey makes the fake tool sign with a new key, until it is withdrawn.
func (s *PlatformScenario) AddToolKey() (withdraw func(), err error) { return s.run.tool.AddKey() }

// Pass lets time pass; see [Run.Pass].
func (s *PlatformScenario) Pass(ctx context.Context, d time.Duration) error {
	return s.run.Pass(ctx, d)
}

// HTTPClient is a user without a browser, and without its cookies. Close it after
// use.
func (r *PlatformRun) HTTPClient(ctx context.Context) (agent.User, error) {
	client := agent.NewHTTP(r.hosts)
	r.onClose(client.Close)
	return client.Open(ctx)
}

// ExamTime is how long an attempt at the exam lasts; 0 where that is not known.
func (r *PlatformRun) ExamTime() time.Duration { return r.platform.ExamDuration.Std() }

// Act sends a control request for the attempt of an exam, and keeps what came of it.
func (s *PlatformScenario) Act(ctx context.Context, exam *PlatformFlow, c Call) (*PlatformFlow, error) {
	m := exam.Message()
	address, _ := m.Object(lti.ClaimACS)["assessment_control_url"].(string)
	if address == "" {
		return nil, fmt.Errorf("%w: it has no assessment_control_url", ErrNoLaunch)
	}
	address = cmp.Or(c.URL, address)
	c.Action = cmp.Or(c.Action, lti.Flag)
	if err := s.learnControl(ctx, exam, c); err != nil {
		return nil, err
	}
	if c.Token == "" {
		var err error
		if c.Token, err = s.access(ctx, lti.ScopeControl); err != nil {
			return nil, err
		}
	}
	attempt, _ := m.Claims[lti.ClaimAttemptNumber].(float64)
	sub, _ := m.Text("sub")
	link, _ := m.Object(lti.ClaimResourceLink)["id"].(string)
	request := lti.ControlRequest{
		User: lti.ControlUser{Issuer: s.run.platform.Issuer, Sub: sub}, ResourceLink: lti.ControlResourceLink{ID: link},
		AttemptNumber: int(attempt), Action: c.Action, ExtraTime: c.ExtraTime,
		IncidentTime: s.run.now().UTC().Format(time.RFC3339), IncidentSeverity: c.Severity,
	}
	if c.Action != lti.Update && c.Severity == nil {
		request.IncidentSeverity = new(0.5)
		request.ReasonCode = "1"
	}
	if c.Reason != "" {
		request.ReasonCode, request.ReasonMessage = "1", c.Reason
	}
	if c.Change != nil {
		c.Change(&request)
	}
	tool := c.Tool
	if tool == nil {
		tool = s.run.tool
	}
	if c.Title == "" {
		c.Title = "control: " + string(c.Action)
	}
	flow, err := s.exchange(ctx, partControl, c.Title, c.Fault, func(ctx context.Context) (*faketool.Exchange, error) {
		return proctoring.Of(tool).Control(ctx, address, c.Token, request, proctoring.ControlProbe{Fault: c.Fault})
	})
	if err == nil {
		if answer, wrong := flow.ControlAnswer(); wrong == nil {
			s.underWay = nil
			if answer.Status == lti.Running || answer.Status == lti.Paused {
				s.underWay = exam
			}
		}
	}
	return flow, err
}

// ControlAnswer is what the Assessment Control Service has said, and an error where it said
// nothing that is known.
func (f *PlatformFlow) ControlAnswer() (lti.ControlResponse, error) {
	return proctoring.ReadAnswer(f.Exchange)
}

// learnControl acts on an exam by a valid request, where it is not known whether the control
// service works at all and the call that follows would not tell.
func (s *PlatformScenario) learnControl(ctx context.Context, exam *PlatformFlow, c Call) error {
	valid, offered := Harmless(exam)
	if exam.OffersAction(lti.Resume) { // an attempt that goes on anyway stays what it is
		valid, offered = Call{Action: lti.Resume}, true
	}
	// A valid request of any action tells by itself. Another one before it might change what it finds.
	tells := c.Fault == nil && c.Change == nil && c.Token == "" && c.URL == "" && c.Tool == nil
	if !offered || valid.Action == lti.Pause || tells || !s.run.mayLearn(partControl) {
		return nil
	}
	valid.Title = "control: a valid request before others"
	_, err := s.Act(ctx, exam, valid)
	if isAny(err, ErrNoLaunch, errUndeclared, errMissing) { // the call that follows shows it as well
		return nil
	}
	return err
}

// exchange lets the fake tool's server send a request to a service, and keeps what came of it.
// Where one came that a service does not give that has worked before, the request is sent once
// more: the service may be ill for a moment. The error is [ErrNoLaunch] where the platform takes
// no more requests for now, and where it refuses the second of two for what the first may have done.
func (s *PlatformScenario) exchange(ctx context.Context, to part, title string, fault *faketool.Fault, send func(context.Context) (*faketool.Exchange, error)) (*PlatformFlow, error) {
	flow, err := s.exchangeOnce(ctx, to, title, fault, send)
	if err == nil && s.run.hasWorked(to) && !s.run.recovering && isSick(flow.Exchange) {
		again, failed := s.exchangeOnce(ctx, to, title+", again", fault, send)
		err = failed
		if err == nil && !isSick(again.Exchange) {
			if fault == nil && to != partTokens && flow.Exchange.Method != http.MethodGet && again.Exchange.Status/100 == 4 {
				err = fmt.Errorf("%w: %s; when it was sent once more: %s", errMayBeDone, flow.Reply(), again.Reply())
			}
			left := ""
			if err == nil && to == partLineItems && flow.Exchange.Method == http.MethodPost {
				left = " The first request may have made a line item, which is left in the gradebook."
			}
			s.find("away", fmt.Sprintf("The %s did not work for a moment: %s. The same request was answered when it was sent once more.%s", to, flow.Reply(), left), flow.ID)
			flow = again
		}
	}
	if err == nil {
		s.afterSilence(ctx, flow)
	}
	return flow, err
}

// errMayBeDone says that a valid request was refused which had come before, without an answer
// that tells whether it had its effect.
var errMayBeDone = fmt.Errorf("%w: a request may have had an effect although its answer was wrong", ErrNoLaunch)

// afterSilence makes a valid launch where no answer came: it tells whether the platform is still
// there.
func (s *PlatformScenario) afterSilence(ctx context.Context, flows ...*PlatformFlow) {
	silent := slices.ContainsFunc(flows, func(f *PlatformFlow) bool { return f.Exchange.Status == 0 && f.Exchange.Err != nil })
	if silent && !s.run.recovering && !s.run.config.Embedded.SkipPreflight {
		_, _ = s.ordinary(ctx, "control: a valid launch, since no answer came") // one that does not work tells so
	}
}

func (s *PlatformScenario) exchangeOnce(ctx context.Context, to part, title string, fault *faketool.Fault, send func(context.Context) (*faketool.Exchange, error)) (*PlatformFlow, error) {
	flows, err := s.exchanges(ctx, to, title, fault, func(ctx context.Context) ([]*faketool.Exchange, error) {
		exchange, err := send(ctx)
		return []*faketool.Exchange{exchange}, err
	})
	if len(flows) == 0 {
		return nil, err
	}
	return flows[0], err
}

// exchanges lets it send some at the same time.
func (s *PlatformScenario) exchanges(ctx context.Context, to part, title string, fault *faketool.Fault, send func(context.Context) ([]*faketool.Exchange, error)) ([]*PlatformFlow, error) {
	if s.run.Gone() {
		return nil, errPlatformGone
	}
	if err := s.run.there(to); err != nil {
		return nil, err
	}
	began := time.Now()
	made, err := s.patiently(ctx, send)
	if err != nil {
		return nil, err
	}
	s.uses(to)
	var flows []*PlatformFlow
	for _, exchange := range made {
		if fault == nil && exchange.Status/100 == 2 && !isSick(exchange) && to != partTokens { // that proves itself by a token
			s.proves(to)
		}
		flows = append(flows, s.exchanged(title, fault, exchange, began))
	}
	return flows, takesNoMore(made)
}

// exchanged keeps a request of the fake tool's server as a flow.
func (s *PlatformScenario) exchanged(title string, fault *faketool.Fault, e *faketool.Exchange, began time.Time) *PlatformFlow {
	step := results.Step{
		SeenBy: "tool", Method: e.Method, URL: e.URL, RequestBody: results.Bounded(e.RequestBody, maxRecordedBody),
		RequestHeader: results.Header(e.RequestHeader),
		Status:        e.Status, ResponseHeader: results.Header(e.Header), ResponseBody: results.Bounded(string(e.Body), maxRecordedBody),
	}
	trip := &agent.Trip{Ended: agent.Settled, Steps: []results.Step{step}, Page: results.Page{URL: e.URL, Status: e.Status}, Took: e.Took}
	trip.Says = agent.Says(string(e.Body))
	if e.Err != nil {
		trip.Ended, trip.Why = agent.Dropped, results.Bounded(e.Err.Error(), 300)
	}
	flow := &PlatformFlow{ID: s.run.nextFlowID(), Trip: trip, Exchange: e, tool: s.run.tool}
	l := PlatformLaunch{Title: title}
	flow.evidence = s.run.platformEvidence(flow, l, began)
	flow.evidence.Steps = []results.Step{step}
	if fault != nil {
		flow.evidence.Fault = fault.Name
	}
	s.keep(flow)
	return flow
}

// Reply says how a service has answered a request: with its status, and the part of its
// answer that tells a reader something.
func (f *PlatformFlow) Reply() string {
	if f.Exchange.Status == 0 {
		return "no answer came: " + f.Trip.Why
	}
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", f.Exchange.Status, f.Trip.Says))
}

// OtherTool is the second fake tool with an access token of its own for scopes; the
// error is [ErrNoLaunch] where the platform grants none.
func (s *PlatformScenario) OtherTool(ctx context.Context, scopes ...string) (*faketool.Tool, string, error) {
	flow, token, err := s.grantTo(ctx, "an access token of another tool", s.run.other, s.run.platform.OtherClientID, faketool.TokenProbe{Scopes: scopes})
	if err != nil {
		return nil, "", err
	}
	if token.AccessToken == "" {
		return nil, "", fmt.Errorf("%w: the platform grants the other tool no access token: %s", ErrNoLaunch, flow.Reply())
	}
	return s.run.other, token.AccessToken, nil
}

// AllScopes are those, and all others that the learner's launch offers where the
// platform declares grade services.
func (s *PlatformScenario) AllScopes(ctx context.Context) ([]string, error) {
	scopes, err := s.ServiceScopes(ctx)
	if err != nil || !s.run.Has(config.ACS) || !s.run.Has(config.Grades) {
		return scopes, err
	}
	b, err := s.Gradebook(ctx, PlatformLaunch{Title: "the learner's launch"})
	if errors.Is(err, ErrNoJourney) {
		return scopes, nil
	}
	for _, scope := range b.Scope {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, err
}

// ServiceScopes are some that the platform grants: those of the Assessment Control
// Service and of scores where the platform has the former, else those that the
// learner's launch offers.
func (s *PlatformScenario) ServiceScopes(ctx context.Context) ([]string, error) {
	if s.run.Has(config.ACS) {
		return []string{lti.ScopeControl, lti.ScopeScore}, nil
	}
	b, err := s.Gradebook(ctx, PlatformLaunch{Title: "the learner's launch"})
	if err == nil && len(b.Scope) == 0 {
		err = fmt.Errorf("%w: it offers no scopes", ErrNoLaunch)
	}
	return b.Scope, err
}
