package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// Grant asks the platform's token endpoint for an access token, and keeps what
// came of it.
func (s *PlatformScenario) Grant(ctx context.Context, title string, p faketool.TokenProbe) (*PlatformFlow, *faketool.Token, error) {
	return s.grantTo(ctx, title, s.run.tool, s.run.platform.ClientID, p)
}

func (s *PlatformScenario) grantTo(ctx context.Context, title string, tool *faketool.Tool, clientID string, p faketool.TokenProbe) (*PlatformFlow, *faketool.Token, error) {
	if err := s.run.Lacks(tokenEndpoint); err != nil {
		return nil, nil, err
	}
	if p.Fault != nil && s.run.MayLearn(string(partTokens)) {
		if _, _, err := s.Grant(ctx, "control: an access token before others", faketool.TokenProbe{Scopes: p.Scopes}); err != nil {
			return nil, nil, err
		}
	}
	tokens := map[*faketool.Exchange]*faketool.Token{}
	flow, err := s.Exchange(ctx, Sending{Title: title, Service: string(partTokens), Fault: p.Fault, Send: func(ctx context.Context) (*faketool.Exchange, error) {
		token, err := tool.Token(ctx, s.run.platform.Issuer, clientID, p)
		if err != nil {
			return nil, err
		}
		tokens[&token.Exchange] = token
		return &token.Exchange, nil
	}})
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
	if err := s.run.Lacks(tokenEndpoint); err != nil {
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

// Access returns a token for scopes, which is asked for once in a scenario, and
// again when it has expired.
func (s *PlatformScenario) Access(ctx context.Context, scopes ...string) (string, error) {
	wanted := strings.Join(scopes, " ")
	if kept, ok := s.tokens[wanted]; ok && s.run.Now().Before(kept.until) {
		return kept.token, nil
	}
	if err := s.run.Lacks(TokensFor(scopes)); err != nil {
		return "", err
	}
	flow, token, err := s.Grant(ctx, "an access token for "+wanted, faketool.TokenProbe{Scopes: scopes})
	if err != nil {
		return "", err
	}
	if token.AccessToken == "" {
		return "", noToken(fmt.Sprintf("the platform grants no access token for %s: %s", wanted, flow.Reply()))
	}
	s.tokens[wanted] = grant{token.AccessToken, s.run.Now().Add(lifeOf(token) - tokenMargin)}
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
	token, err := s.Access(ctx, scopes...)
	lives := s.tokens[wanted].until.Sub(s.run.Now()) + tokenMargin
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

// A Sending is a request of the fake tool's server to a service.
type Sending struct {
	// Title says what it is for, in the report, and Service what the service is called there.
	Title, Service string
	// Fault is what differs from a valid request.
	Fault *faketool.Fault
	// Leaves says what may be left behind where it is not known whether the request had its
	// effect, and it is sent again; empty for nothing.
	Leaves string
	Send   func(context.Context) (*faketool.Exchange, error)
}

// Exchange lets the fake tool's server send a request to a service, and keeps what came of it.
// Where one came that a service does not give that has worked before, the request is sent once
// more: the service may be ill for a moment. The error is [ErrNoLaunch] where the platform takes
// no more requests for now, and where it refuses the second of two for what the first may have done.
func (s *PlatformScenario) Exchange(ctx context.Context, q Sending) (*PlatformFlow, error) {
	to := part(q.Service)
	flow, err := s.exchangeOnce(ctx, to, q.Title, q.Fault, q.Send)
	if err == nil && s.run.hasWorked(to) && !s.run.recovering && isSick(flow.Exchange) {
		again, failed := s.exchangeOnce(ctx, to, q.Title+", again", q.Fault, q.Send)
		err = failed
		if err == nil && !isSick(again.Exchange) {
			if q.Fault == nil && to != partTokens && flow.Exchange.Method != http.MethodGet && again.Exchange.Status/100 == 4 {
				err = fmt.Errorf("%w: %s; when it was sent once more: %s", ErrMayBeDone, flow.Reply(), again.Reply())
			}
			left := ""
			if err == nil && q.Leaves != "" {
				left = " " + q.Leaves
			}
			s.Tell("away", fmt.Sprintf("The %s did not work for a moment: %s. The same request was answered when it was sent once more.%s", to, flow.Reply(), left), flow.ID)
			flow = again
		}
	}
	if err == nil {
		s.afterSilence(ctx, flow)
	}
	return flow, err
}

// ErrMayBeDone says that a valid request was refused which had come before, without an answer
// that tells whether it had its effect.
var ErrMayBeDone = fmt.Errorf("%w: a request may have had an effect although its answer was wrong", ErrNoLaunch)

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
	s.Keep(flow)
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

// Members are those of an object, as JSON has them.
type Members map[string]any

// With returns the members with others instead of some of them; those that are nil
// are left out.
func (m Members) With(others Members) Members {
	all := maps.Clone(m)
	maps.Copy(all, others)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// Succeeded says whether a request of the fake tool's server was answered with a
// status of success.
func (f *PlatformFlow) Succeeded() bool { return f.Exchange.Status/100 == 2 }

// Said returns the members of the answer to a request of the fake tool's server;
// none where it is no object.
func (f *PlatformFlow) Said() Members {
	var m Members
	_ = json.Unmarshal(f.Exchange.Body, &m)
	return m
}

// unanswered is an [ErrNoLaunch] where a request got no answer that says anything of
// the service: none, or the beginning of one.
func unanswered(e *faketool.Exchange) error {
	switch {
	case e.Status == 0, e.Status/100 == 2 && e.Err != nil:
		return fmt.Errorf("%w: no complete answer came from the service: %w", ErrNoLaunch, e.Err)
	}
	return nil
}

// WithQuery adds to the query of a URL, which stays as it is.
func WithQuery(address, query string) string {
	switch {
	case query == "":
		return address
	case strings.Contains(address, "?"):
		return address + "&" + query
	default:
		return address + "?" + query
	}
}

// A ServiceRequest is one of the fake tool's server to a service that a launch offers.
type ServiceRequest struct {
	// Title says what the request is for, in the report.
	Title string
	// Service is what the service is called there.
	Service string
	faketool.ServiceRequest
	// Scopes are those of the access token; none is sent where there is none and the
	// request has none.
	Scopes []string
	// Tool is the one that asks; the first when nil.
	Tool *faketool.Tool
	// Fault is what differs from a valid request by a stimulus of the fake tool.
	Fault *faketool.Fault
	// Leaves says what may be left behind where it is not known whether the request had its
	// effect, and it is sent again; empty for nothing.
	Leaves string
	// Odd is set where the request differs from a valid one, so that its answer does not
	// tell whether the service works.
	Odd bool
}

// Offers takes down an address of a service that a launch has offered: the run sends
// requests to the sites of such addresses alone.
func (s *PlatformScenario) Offers(address string) {
	if u, err := url.Parse(address); err == nil && u.Host != "" && !s.IsOffered(address) {
		s.offered = append(s.offered, siteOf(u))
	}
}

// OffersServices says whether a launch has offered any.
func (s *PlatformScenario) OffersServices() bool { return len(s.offered) > 0 }

// IsOffered says whether an address is at the site of a service that a launch has offered.
func (s *PlatformScenario) IsOffered(address string) bool {
	u, err := url.Parse(address)
	return err == nil && slices.Contains(s.offered, siteOf(u))
}

func siteOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// Ask sends a request to a service, and keeps what came of it; the error is [ErrNoLaunch]
// where no whole answer came.
func (s *PlatformScenario) Ask(ctx context.Context, q ServiceRequest) (*PlatformFlow, error) {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	if !s.IsOffered(q.URL) {
		return nil, fmt.Errorf("%w: %q is not at the site of the services that a launch offers", faketool.ErrUnusable, results.Bounded(q.URL, 300))
	}
	if q.Token == "" && len(q.Scopes) > 0 {
		var err error
		if q.Token, err = s.Access(ctx, q.Scopes...); err != nil {
			return nil, err
		}
	}
	tool := q.Tool
	if tool == nil {
		tool = s.run.tool
	}
	differs := q.Fault
	if q.Odd && differs == nil {
		differs = &faketool.Fault{}
	}
	flow, err := s.Exchange(ctx, Sending{Title: q.Title, Service: q.Service, Leaves: q.Leaves, Fault: differs, Send: func(ctx context.Context) (*faketool.Exchange, error) {
		return tool.Ask(ctx, q.ServiceRequest, faketool.ServiceProbe{Fault: q.Fault})
	}})
	if err != nil {
		return flow, err
	}
	if _, shows := serviceOf(part(q.Service)); !shows && differs == nil && flow.Succeeded() && !isSick(flow.Exchange) {
		valid := q
		valid.Token = "" // which may be another by then
		s.run.valid[part(q.Service)] = valid
	}
	return flow, unanswered(flow.Exchange)
}
