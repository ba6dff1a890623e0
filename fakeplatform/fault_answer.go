package fakeplatform

import (
	"maps"
	"net/http"
	"net/url"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// answerFaults are those of the form that carries the answer, and of who
// submits it when.
var answerFaults = []Fault{
	{
		Name: "state-dropped", Provokes: "sec-tool-state-missing", Needs: fault.State,
		Proves:  "oidc-auth-endpoint-get",
		Does:    "leaves the state out of the answer",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Del(lti.ParamState) })},
	}, {
		Name: "state-empty", Provokes: "sec-tool-state-missing", Needs: fault.State,
		Does:    "sends an empty state",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, "") })},
	}, {
		Name: "state-random", Provokes: "sec-tool-state-foreign", Needs: fault.State,
		Does:    "sends a state that nobody issued",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, lti.RandomString()) })},
	}, {
		Name: "state-altered", Provokes: "sec-tool-state-foreign", Needs: fault.State,
		Proves:  "oidc-auth-state-echo",
		Does:    "sends the state with one character changed",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, part.Alter(d.form.Get(lti.ParamState))) })},
	}, {
		Name: "state-of-other-browser", Provokes: "sec-tool-state-foreign", Needs: fault.State, Borrows: fault.OtherLaunch,
		Does:    "sends the state that the tool issued to another browser",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, d.borrowed().Get(lti.ParamState)) })},
	}, {
		Name: "form-submitted-in-other-browser", Provokes: "sec-tool-login-csrf", Effects: []fault.Effect{answerHeld.Take(true, nil)},
		Does: "has a browser that never logged in submit the answer to another browser's login",
	}, {
		Name: "form-submitted-after-login", Provokes: "sec-tool-login-csrf", Effects: []fault.Effect{answerHeld.Take(true, nil)},
		Does: "has a browser that was launched before submit the answer to another browser's login",
	}, {
		Name: "form-submitted-during-login", Provokes: "sec-tool-login-csrf", Effects: []fault.Effect{answerHeld.Take(true, nil)},
		Does: "has a browser whose own login is under way submit the answer to another browser's login",
	}, {
		Name: "unsolicited-id-token", Provokes: "sec-tool-login-csrf",
		Effects: []fault.Effect{answersUnasked},
		Does:    "submits an id_token out of the blue, with an invented state and nonce",
	}, {
		Name: "replayed-with-same-state", Provokes: "sec-tool-nonce-replayed",
		Does: "submits the same id_token and state twice from the same browser",
		// Its first answer is an ordinary one; the second comes from DeliverURL.
	}, {
		Name: "replayed-in-new-login", Provokes: "sec-tool-nonce-replayed", Borrows: fault.OtherLaunch,
		Does:    "answers a second login with the first one's id_token and the second one's state",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamIDToken, d.launch.plan.Other.Record().IDToken) })},
	}, {
		Name: "replayed-in-next-login", Provokes: "sec-tool-nonce-replayed", Borrows: fault.OtherLaunch,
		Does:    "answers the next login of the same browser with the first one's id_token and its own state",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamIDToken, d.launch.plan.Other.Record().IDToken) })},
	}, {
		Name: "replayed-later", Provokes: "sec-tool-nonce-replayed",
		Does: "submits the same id_token and state again after a while, while the token is still valid",
	}, {
		Name: "replayed-in-other-browser", Provokes: "sec-tool-nonce-replayed",
		Does: "submits an id_token and state that were used from another browser",
	}, {
		Name: "replayed-at-once", Provokes: "sec-tool-nonce-replayed",
		Does: "submits the same id_token and state from two tabs at the same time",
	}, {
		Name: "state-reused", Provokes: "practice-tool-state-single-use", Needs: fault.State, Borrows: fault.OtherLaunch,
		Does:    "answers a second login in the same browser with the state of the first, which was used",
		Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, d.borrowed().Get(lti.ParamState)) })},
	}, {
		Name: "state-reused-at-once", Provokes: "practice-tool-state-single-use", Needs: fault.State, Borrows: fault.OpenLogin, Effects: []fault.Effect{responds(func(d *draft) { d.form.Set(lti.ParamState, d.borrowed().Get(lti.ParamState)) }), answerHeld.Take(true, nil)},
		Does: "answers a second login in the same browser with the state of the first, which is answered at the same time",
	}, {
		Name: "token-of-other-platform", Provokes: "sec-tool-issuer-mix-up", Borrows: fault.OtherLaunch,
		Does:    "answers with a token that another platform, which the tool knows too, has signed for this login",
		Effects: []fault.Effect{signs(signedForOther)},
	}, {
		Name: "aud-other-registration", Provokes: "sec-tool-aud", Borrows: fault.OtherLaunch,
		Does:    "answers with a token for another registration of the tool, signed for this login",
		Effects: []fault.Effect{signs(signedForOther)},
	}, {
		Name: "response-by-get", Provokes: "practice-tool-id-token-only-by-post",
		Proves:  "formpost-response-form",
		Does:    "sends id_token and state in the query of a GET request",
		Effects: []fault.Effect{submits(func(f *answerForm) { f.method, f.inQuery = http.MethodGet, true })},
	}, {
		Name: "response-in-query-of-post", Provokes: "practice-tool-id-token-only-by-post",
		Proves:  "formpost-response-form",
		Does:    "sends id_token and state in the query of a POST request with an empty body",
		Effects: []fault.Effect{submits(func(f *answerForm) { f.inQuery = true })},
	}, {
		Name: "error-with-state", Provokes: "oidc-tool-error-response",
		Does: "answers with an error, whose description holds markup, and the right state",
		Effects: []fault.Effect{responds(func(d *draft) {
			d.form.Del(lti.ParamIDToken)
			loginRequired(d.form)
		})},
	}, {
		Name: "error-without-state", Provokes: "oidc-tool-error-response",
		Does: "answers with an error, whose description holds markup, and no state",
		Effects: []fault.Effect{responds(func(d *draft) {
			d.form = url.Values{}
			loginRequired(d.form)
		})},
	}, {
		Name: "error-with-id-token", Provokes: "oidc-tool-error-response",
		Does:    "answers with an error and a valid id_token",
		Effects: []fault.Effect{responds(func(d *draft) { loginRequired(d.form) })},
	},
}

func loginRequired(form url.Values) {
	form.Set(lti.ParamError, lti.ErrorLoginRequired)
	form.Set(lti.ParamErrorDescription, Markup)
}

// signedForOther is a token for the login that says what one for the other launch would.
func signedForOther(d *draft) (string, error) {
	other := d.launch.plan.Other
	request := maps.Clone(d.request)
	request.Set(lti.ParamClientID, other.plan.ClientID)
	return lti.Sign(other.claims(other.plan, request, d.now), other.signingKey())
}
