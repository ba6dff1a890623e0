package tool

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/guess"
)

var _ = Describe("A tool, answering a login initiation,", func() {
	// Each fault of the fake platform that provokes the requirement sends
	// another hint.
	DescribeTable("returns as it was sent", func(ctx SpecContext, id requirements.ID, param string) {
		scene := Scene()
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			request, asked := flow.Request()
			if !asked {
				scene.Observe(id, f.Name, results.Inconclusive, "", "No authentication request. The launch ended at "+flow.End()+".", flow)
				continue
			}
			sent, got := flow.Record.LoginInitiation.Params[param], request.Params[param]
			// An empty parameter says the same as none.
			same := slices.Equal(sent, got) || len(sent) == 0 && strings.Join(got, "") == ""
			scene.Check(id, f.Name, same, fmt.Sprintf("%s %s", param, Quoted(sent)), fmt.Sprintf("%s %s", param, Quoted(got)), flow)
		}
	},
		Entry("lti_message_hint", For("core-tool-message-hint-returned-unaltered"), requirements.ID("core-tool-message-hint-returned-unaltered"), lti.ParamMessageHint),
		Entry("login_hint", For("sec-tool-login-hint-returned-unaltered"), requirements.ID("sec-tool-login-hint-returned-unaltered"), lti.ParamLoginHint),
	)

	It("asks for an id_token by form_post, without a prompt, each parameter once", For("sec-tool-auth-request-parameters"), func(ctx SpecContext) {
		const id = "sec-tool-auth-request-parameters"
		scene := Scene()
		flow, request, asked := authenticationRequest(ctx, scene, id)
		if !asked {
			return
		}
		var wrong []string
		for _, want := range []struct{ name, value string }{
			{lti.ParamScope, lti.ScopeOpenID},
			{lti.ParamResponseType, lti.ResponseTypeIDToken},
			{lti.ParamResponseMode, lti.ResponseModeFormPost},
			{lti.ParamPrompt, lti.PromptNone},
			{lti.ParamClientID, scene.Run().Tool().ClientID},
		} {
			got := request.Params[want.name]
			fits := len(got) == 1 && got[0] == want.value
			if want.name == lti.ParamScope { // may ask for more
				fits = len(got) == 1 && slices.Contains(strings.Fields(got[0]), want.value)
			}
			if !fits {
				wrong = append(wrong, fmt.Sprintf("%s is %s instead of %q", want.name, Quoted(got), want.value))
			}
		}
		seen := "All as expected."
		if len(wrong) > 0 {
			seen = strings.Join(wrong, "; ")
		}
		scene.Check(id, "", len(wrong) == 0, "", seen, flow)
	})

	It("asks to be answered at a registered redirect URI", For("sec-tool-auth-request-redirect-uri"), func(ctx SpecContext) {
		const id = "sec-tool-auth-request-redirect-uri"
		scene := Scene()
		registered := scene.Run().RedirectURIs()
		check := func(stimulus string, flow *harness.Flow, request fakeplatform.AuthenticationRequest) {
			got := request.Params[lti.ParamRedirectURI]
			scene.Check(id, stimulus, len(got) == 1 && slices.Contains(registered, got[0]),
				"one of "+strings.Join(registered, ", "), "redirect_uri "+Quoted(got)+"."+scene.Run().AboutRedirectURI(flow), flow)
		}
		plain, request, asked := authenticationRequest(ctx, scene, id)
		if asked {
			check("", plain, request)
		}
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			request, asked := flow.Request()
			if !asked {
				// A tool may refuse a link that it does not know.
				verdict := results.Inconclusive
				if scene.Accepted(plain) && flow.Reaction.Kind == harness.Refused && !flow.Reaction.Crashed {
					verdict = results.Passed
				}
				scene.Observe(id, f.Name, verdict, "", "No authentication request: "+flow.Reaction.Why+". The launch ended at "+flow.End()+".", plain, flow)
				continue
			}
			check(f.Name, flow, request)
		}
	})

	It("sends a fresh nonce and a fresh state that nobody can guess", For("sec-tool-auth-request-nonce", "sec-tool-auth-request-state"), func(ctx SpecContext) {
		const nonceID, stateID = "sec-tool-auth-request-nonce", "sec-tool-auth-request-state"
		// That a tool bears many open logins in one browser is another requirement.
		const logins, inOneBrowser = 50, 10
		scene := Scene()
		var browser agent.User
		var nonces, states []string
		var first, last *harness.Flow
		for i := range logins {
			if i%inOneBrowser == 0 {
				var err error
				if browser, err = scene.LoginsByHTTP(ctx); scene.Unseen(nonceID, "", err) {
					scene.Unseen(stateID, "", err)
					return
				}
				defer browser.Close()
			}
			flow, err := scene.Launch(ctx, harness.Launch{
				Title: fmt.Sprintf("login %d of %d", i+1, logins), By: browser, LoggedIn: true, Fault: new(fakeplatform.HeldAnswer),
			})
			if scene.Unseen(nonceID, "", err, flow) {
				scene.Unseen(stateID, "", err, flow)
				return
			}
			if first == nil {
				first = flow
			}
			last = flow
			request, asked := flow.Request()
			if !asked {
				seen := fmt.Sprintf("Login %d brought no authentication request. It ended at %s.", i+1, flow.End())
				scene.Observe(nonceID, "", results.Inconclusive, "", seen, flow)
				scene.Observe(stateID, "", results.Inconclusive, "", seen, flow)
				return
			}
			nonces = append(nonces, request.Params.Get(lti.ParamNonce))
			states = append(states, request.Params.Get(lti.ParamState))
		}

		problem := guess.Problem(nonces)
		for i := range nonces {
			if problem == "" && nonces[i] == states[i] {
				problem = "the nonce is the state"
			}
		}
		scene.Check(nonceID, "", problem == "", "", guess.Spread(nonces, problem), first, last)

		problem = guess.Problem(states)
		if problem == "" && !hasCookie(first, scene.Run().Platform().URL()) {
			// A page in between may have kept it otherwise. What counts is that it is good
			// in no other browser.
			scene.MustRefuse(ctx, stateID, harness.Attempt{Make: func(ctx context.Context) (*harness.Flow, error) {
				f := PlatformFault("form-submitted-in-other-browser")
				held, err := heldBack(ctx, scene, harness.Launch{Title: "a login without a cookie of the tool, its answer held back", Fault: &f})
				if err != nil {
					return held, err
				}
				return scene.Launch(ctx, harness.Launch{Title: "the answer, submitted in another browser", Fault: &f, Other: held, Again: true})
			}})
			return
		}
		scene.Check(stateID, "", problem == "", "", guess.Spread(states, problem), first, last)
	})
})

var _ = Describe("A tool, launched in a browser where many logins were begun and given up,", func() {
	It("goes on working", For("practice-tool-abandoned-logins"), func(ctx SpecContext) {
		const id, stimulus, logins = "practice-tool-abandoned-logins", "fifty-abandoned-logins", 50
		scene := Scene()
		browser := scene.Open(ctx)
		defer browser.Close()
		var first, last *harness.Flow
		for i := range logins {
			flow, err := scene.Launch(ctx, harness.Launch{
				Title: fmt.Sprintf("login %d of %d, which is given up", i+1, logins), By: browser, LoggedIn: true, Fault: new(fakeplatform.HeldAnswer),
			})
			if scene.Unseen(id, stimulus, err, first, flow) {
				return
			}
			if _, asked := flow.Request(); !asked && first == nil {
				scene.Observe(id, stimulus, results.Inconclusive, "", "No authentication request. The login ended at "+flow.End()+".", flow)
				return
			} else if !asked {
				scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("Login %d in one browser brought no authentication request. It ended at %s.", i+1, flow.End()), first, flow)
				return
			}
			if last = flow; first == nil {
				first = flow
			}
		}
		flow, err := scene.Launch(ctx, harness.Launch{Title: "a valid launch after all these", By: browser})
		if !scene.Unseen(id, stimulus, err, first, last, flow) {
			scene.MustBeAccepted(ctx, id, stimulus, flow)
		}
	})
})

// authenticationRequest makes a valid launch and returns its authentication
// request. Where none comes it says so in the name of the requirement.
func authenticationRequest(ctx SpecContext, scene *harness.Scenario, id requirements.ID) (*harness.Flow, fakeplatform.AuthenticationRequest, bool) {
	flow, err := scene.Launch(ctx, harness.Launch{Title: "a valid launch"})
	if scene.Unseen(id, "", err, flow) {
		return nil, fakeplatform.AuthenticationRequest{}, false
	}
	request, asked := flow.Request()
	if !asked {
		scene.Observe(id, "", results.Inconclusive, "", "No authentication request. The launch ended at "+flow.End()+".", flow)
	}
	return flow, request, asked
}

// hasCookie says whether a cookie of the tool accompanied the login: one that it
// set on the way to the authentication request, or had set before.
func hasCookie(f *harness.Flow, platform string) bool {
	names := func(fields [][2]string, header string) bool {
		return slices.ContainsFunc(fields, func(field [2]string) bool {
			return http.CanonicalHeaderKey(field[0]) == header && !strings.Contains(field[1], "=[0 characters]")
		})
	}
	return slices.ContainsFunc(f.Trip.Steps, func(s results.Step) bool {
		return !strings.HasPrefix(s.URL, platform) && (names(s.ResponseHeader, "Set-Cookie") || names(s.RequestHeader, "Cookie"))
	})
}
