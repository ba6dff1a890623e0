package harness

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"invigilator.example/fakeplatform"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// An invariant holds in every flow of a run, whatever the flow is there for: a tool that
// mixes up two users does so where nobody looks for it. Each belongs to a requirement that
// a scenario of its own judges, too; here it is kept only where a flow does not keep it.

// A breach is an invariant that a flow does not keep.
type breach struct {
	id   requirements.ID
	says string
}

// maxBreaches is how often the same one is told in a process's part of a run.
const maxBreaches = 3

// breaches counts those that were told.
type breaches struct {
	mu   sync.Mutex
	told map[requirements.ID]int
}

// tells says whether a breach is to be told, and counts it.
func (b *breaches) tells(id requirements.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told == nil {
		b.told = map[requirements.ID]int{}
	}
	b.told[id]++
	return b.told[id] <= maxBreaches
}

// takeBack takes back that they were told, since the scenario is done again.
func (b *breaches) takeBack(observed []results.Observation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range observed {
		if id := requirements.ID(o.Requirement); o.Expected == inEveryFlow && b.told[id] > 0 {
			b.told[id]--
		}
	}
}

// inEveryFlow is what is expected of an invariant.
const inEveryFlow = "The same in every flow of the run, whatever it is there for."

// breach keeps the breaches of a flow, each once in a scenario, and in the preflight.
func (s *observer[F]) breach(found []breach, f F) {
	s.tb.Helper()
	for _, b := range found {
		s.broken = append(s.broken, b.id)
		told := slices.ContainsFunc(s.fragment.Observations, func(o results.Observation) bool {
			return o.Requirement == string(b.id) && o.Expected == inEveryFlow
		})
		if !told && s.base.breaches.tells(b.id) {
			s.Observe(b.id, "", results.Failed, inEveryFlow, b.says, f)
		}
	}
}

// ofTool are the breaches of a tool: each authentication request answers the login
// initiation that its own browser brought, with a nonce and a state that no other login
// has had.
func (r *Run) ofTool(f *Flow) []breach {
	var found []breach
	for _, login := range loginsOn(f) {
		for _, hint := range []struct {
			param string
			id    requirements.ID
		}{{lti.ParamLoginHint, "sec-tool-login-hint-returned-unaltered"}, {lti.ParamMessageHint, "core-tool-message-hint-returned-unaltered"}} {
			sent, got := login.initiation[hint.param], login.request[hint.param]
			if len(sent) < 2 && strings.Join(sent, "") != strings.Join(got, "") { // an empty one says the same as none
				found = append(found, breach{hint.id, fmt.Sprintf("%s is %q in the authentication request, and was %q in the login initiation of this browser.",
					hint.param, results.Bounded(strings.Join(got, " and "), 300), results.Bounded(strings.Join(sent, " and "), 300))})
			}
		}
		for _, once := range []struct {
			param string
			id    requirements.ID
		}{{lti.ParamNonce, "sec-tool-auth-request-nonce"}, {lti.ParamState, "sec-tool-auth-request-state"}} {
			if value := login.request.Get(once.param); value != "" && !r.isFresh(once.param, value, login.initiation) {
				found = append(found, breach{once.id, fmt.Sprintf("The %s %q is also that of another login.", once.param, results.Bounded(value, 300))})
			}
		}
	}
	return found
}

// isFresh says whether no other login has sent the value of a parameter, and remembers it.
func (r *Run) isFresh(param, value string, initiation url.Values) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked == nil {
		r.asked = map[[2]string]string{}
	}
	key, by := [2]string{param, value}, initiation.Get(lti.ParamLoginHint)+" "+initiation.Get(lti.ParamMessageHint)
	before, known := r.asked[key]
	if !known && len(r.asked) < maxAsked {
		r.asked[key] = by
	}
	return !known || before == by
}

// maxAsked bounds how many states and nonces are remembered.
const maxAsked = 20_000

// A loginOnWay is what a browser began a login with, and what the tool sent it on with.
type loginOnWay struct{ initiation, request url.Values }

// loginsOn are the logins that a flow's browser has begun on its way. Which request
// belongs to which login is told by the browser: the hints do not, which may be mixed up.
func loginsOn(f *Flow) []loginOnWay {
	var logins []loginOnWay
	var initiation url.Values
	for _, step := range f.Trip.Steps {
		u, err := url.Parse(step.URL)
		if err != nil || strings.Contains(step.URL+step.RequestBody, " [cut: ") {
			initiation = nil // which may have been this one
			continue
		}
		params, _ := url.ParseQuery(step.RequestBody) // what of it can be read
		for name, values := range u.Query() {
			params[name] = append(params[name], values...)
		}
		switch {
		case strings.HasPrefix(step.URL, f.Launch.PlatformURL()+fakeplatform.AuthPath) && initiation != nil:
			logins = append(logins, loginOnWay{initiation, params})
		case params.Has(lti.ParamIssuer) && params.Has(lti.ParamTargetLinkURI):
			initiation = params
		case params.Has(lti.ParamIDToken):
			initiation = nil // what comes now is nobody's answer
		}
	}
	return logins
}

// ofPlatform are the breaches of a platform: each answer is that of its own request, and nothing comes that
// no request asked for.
func (r *PlatformRun) ofPlatform(f *PlatformFlow) []breach {
	var found []breach
	if says := r.shortcut(f.Trip.Steps); says != "" && f.journey != "" {
		found = append(found, breach{r.throughLoginBy(f.journey), cutShort(f.journey, says)})
	}
	for _, came := range f.arrivals {
		if came.IDToken != "" && came.Login == nil && !came.Strange {
			found = append(found, breach{"sec-every-launch-starts-with-login", "An id_token came by " + came.Method + " to " + came.Path + " that no authentication request had asked for."})
		}
	}
	for _, came := range f.arrivals {
		nonce, _ := readMessage(came.IDToken).Text("nonce")
		if sent := f.Request.Params; came != f.Answer && came.IDToken != "" && nonce != "" && nonce == sent.Get(lti.ParamNonce) && came.State != sent.Get(lti.ParamState) {
			found = append(found, breach{"oidc-auth-state-echo", fmt.Sprintf("The id_token with this request's nonce came with the state %q instead of %q.",
				results.Bounded(came.State, 300), results.Bounded(sent.Get(lti.ParamState), 300))})
		}
	}
	if f.Answer == nil || f.Answer.Cut {
		return found
	}
	if states := f.Request.Params[lti.ParamState]; len(states) == 1 && f.Answer.State != states[0] {
		found = append(found, breach{"oidc-auth-state-echo", fmt.Sprintf("The state is %q instead of %q.", results.Bounded(f.Answer.State, 300), results.Bounded(states[0], 300))})
	}
	if !f.Launched() {
		return found
	}
	nonce, _ := f.message.Text("nonce")
	if nonces := f.Request.Params[lti.ParamNonce]; f.message.Problem == "" && len(nonces) == 1 && nonces[0] != "" && nonce != nonces[0] {
		found = append(found, breach{"sec-id-token-nonce-passthrough", fmt.Sprintf("The nonce is %q instead of %q.", results.Bounded(nonce, 300), results.Bounded(nonces[0], 300))})
	}
	if f.Answer.InURL {
		found = append(found, breach{"sec-auth-response-mode-form-post", "The id_token came in an address."})
	}
	if asked := f.Request.Params[lti.ParamRedirectURI]; len(asked) == 1 {
		to, err := url.Parse(asked[0])
		if err == nil && (!strings.EqualFold(to.Host, f.Answer.Host) || to.EscapedPath() != f.Answer.Path) {
			found = append(found, breach{"formpost-response-form", fmt.Sprintf("The id_token came to %s%s, though %s was asked for.",
				results.Bounded(f.Answer.Host, 100), results.Bounded(f.Answer.Path, 300), results.Bounded(asked[0], 300))})
		}
	}
	return found
}
