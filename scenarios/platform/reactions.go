package platform

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
)

// Each fault of the fake tool that provokes one of these requirements is one
// authentication request, for a login of its own. What a platform has to answer
// must be answered; what it has to refuse must be refused, between valid launches
// that work.
var _ = Describe("A platform, sent an authentication request that differs from a valid one in a single thing,", func() {
	of := func(id requirements.ID, what string) TableEntry { return Entry(what, For(id), id) }
	react := func(ctx SpecContext, id requirements.ID) { PlatformScene().React(ctx, id) }

	DescribeTable("answers by form POST, with the state,", func(ctx SpecContext, id requirements.ID) {
		PlatformScene().React(ctx, id, func(f *harness.PlatformFlow) (results.Verdict, string) {
			switch {
			case !f.Launched() || f.Posted() && f.Answer.HasState:
				return results.Passed, ""
			case !f.Posted():
				return results.Failed, "The id_token did not come by form POST."
			default:
				return results.Failed, "The answer has no state."
			}
		})
	},
		of("oidc-auth-endpoint-get", "a GET"),
		Entry("a form POST", For("oidc-auth-endpoint-post"), InBrowser, requirements.ID("oidc-auth-endpoint-post")), // with the cookies that a browser sends
	)

	DescribeTable("answers", react,
		of("rfc6749-auth-unknown-parameters-ignored", "parameters that it does not know"),
	)

	DescribeTable("refuses", react,
		of("sec-auth-redirect-uri-registered", "a redirect_uri at a stranger's site"),
		of("oidc-redirect-uri-exact-match", "a redirect_uri that nearly is the registered one"),
	)

	It("refuses parameters that occur twice, or takes one that would have been right alone", For("rfc6749-auth-duplicate-parameters"), func(ctx SpecContext) {
		const id = "rfc6749-auth-duplicate-parameters"
		scene := PlatformScene()
		scene.ReactBy(ctx, id, faketool.FaultsFor(id), func(_ faketool.Fault, f *harness.PlatformFlow) (results.Verdict, string) {
			nonce, _ := f.Message().Text("nonce")
			if f.Launched() && f.Posted() && !f.Strayed() && slices.Contains(f.Request.Params[lti.ParamNonce], nonce) {
				return results.Warned, "Answered as if the parameter had come once, and only at the registered redirect_uri."
			}
			return scene.Refused(f)
		})
	})

	It("refuses another lti_message_hint than it sent", For("practice-auth-message-hint-integrity"), func(ctx SpecContext) {
		const id, ofOtherLink = "practice-auth-message-hint-integrity", "message-hint-of-other-link"
		scene := PlatformScene()
		faults := faketool.FaultsFor(id)
		i := slices.IndexFunc(faults, func(f faketool.Fault) bool { return f.Name == ofOtherLink })
		mine, err := scene.Control(ctx, harness.PlatformLaunch{Title: "control: the user's own launch"})
		if err == nil && !messages.Initiation(mine).Params.Has(lti.ParamMessageHint) && !scene.Run().Has(config.MessageHint) {
			for _, fault := range faults {
				scene.Skip(id, fault.Name, config.MessageHint)
			}
			return
		}
		if err != nil {
			mine = nil
		}
		scene.ReactTo(ctx, id, slices.Delete(slices.Clone(faults), i, i+1), func(f *harness.PlatformFlow) (results.Verdict, string) {
			if mine == nil || !f.Launched() || same(f.Message().Claims["sub"], mine.Message().Claims["sub"]) {
				return results.Passed, ""
			}
			return harness.Breach, "The browser was launched as another user."
		})
		// The user may see the other link, too: what must not be is a mixture.
		alone := launches(ctx, scene, id, ofOtherLink, harness.PlatformLaunch{Title: "launch of the other link alone", Link: config.OtherLink})
		if alone == nil {
			return
		}
		flow, err := scene.Probe(ctx, faults[i])
		switch {
		case scene.Unseen(id, ofOtherLink, err, flow):
		case !flow.Launched():
			verdict, seen := scene.Refused(flow)
			conclude(ctx, scene, id, ofOtherLink, verdict, seen, flow)
		default:
			asAlone := same(flow.Message().Claims["sub"], alone[0].Message().Claims["sub"])
			scene.Check(id, ofOtherLink, asAlone, "", fmt.Sprintf("Answered for the user %s with the resource link %s.", lti.Wire(flow.Message().Claims["sub"]), lti.Wire(messages.LinkOf(flow))), flow, alone[0])
		}
	})

	DescribeTable("refuses, and says why,", func(ctx SpecContext, id requirements.ID, codes ...string) {
		PlatformScene().React(ctx, id, func(f *harness.PlatformFlow) (results.Verdict, string) {
			if f.Answer != nil && f.Answer.Error != "" && !slices.Contains(codes, f.Answer.Error) {
				return results.Failed, fmt.Sprintf("The error is %q instead of %s.", results.Bounded(f.Answer.Error, 100), strings.Join(codes, " or "))
			}
			return results.Passed, ""
		})
	},
		Entry("a nonce that is missing or empty", For("oidc-auth-missing-nonce"), requirements.ID("oidc-auth-missing-nonce"), lti.ErrorInvalidRequest),
		Entry("another response_type than id_token", For("oidc-auth-response-type"), requirements.ID("oidc-auth-response-type"), lti.ErrorInvalidRequest, lti.ErrorUnsupportedResponseType),
	)

	It("answers unknown clients and redirect URIs only on a page of its own", For("rfc6749-no-open-redirect-on-error"), func(ctx SpecContext) {
		PlatformScene().React(ctx, "rfc6749-no-open-redirect-on-error", func(f *harness.PlatformFlow) (results.Verdict, string) {
			if f.Strayed() {
				return results.Failed, "The browser was sent to the stranger's site."
			}
			return results.Passed, ""
		})
	})

	It("refuses another client_id than the one of the login", For("oidc-auth-unknown-client"), func(ctx SpecContext) {
		const id = "oidc-auth-unknown-client"
		scene := PlatformScene()
		faults := faketool.FaultsFor(id)
		for _, stimulus := range []string{"client-id-of-other-tool", "hints-of-other-tool"} {
			if scene.Unbound(id, stimulus) {
				faults = slices.DeleteFunc(faults, func(f faketool.Fault) bool { return f.Name == stimulus })
			}
		}
		scene.ReactTo(ctx, id, faults)
	})

	It("refuses a login_hint that is not that of the user who is signed in", For("sec-auth-login-hint-matches-session-user"), func(ctx SpecContext) {
		scene := PlatformScene()
		mine, err := scene.Control(ctx, harness.PlatformLaunch{})
		if err != nil {
			mine = nil
		}
		scene.React(ctx, "sec-auth-login-hint-matches-session-user", func(f *harness.PlatformFlow) (results.Verdict, string) {
			if mine == nil || f.Message().Claims == nil || same(f.Message().Claims["sub"], mine.Message().Claims["sub"]) {
				return results.Passed, ""
			}
			return results.Failed, "The browser was launched as another user."
		})
	})

	It("returns the nonce as it came", For("sec-id-token-nonce-passthrough"), func(ctx SpecContext) {
		PlatformScene().React(ctx, "sec-id-token-nonce-passthrough", messages.SameNonce)
	})

	It("returns the state as it came", For("oidc-auth-state-echo"), func(ctx SpecContext) {
		const id = "oidc-auth-state-echo"
		scene := PlatformScene()
		scene.React(ctx, id, messages.SameState)
		for _, fault := range faketool.FaultsFor("oidc-auth-error-response") {
			flow, err := scene.Probe(ctx, fault)
			if scene.Unseen(id, "", err, flow) || flow.Answer == nil || flow.Answer.Error == "" {
				continue // what is not reported has no state
			}
			verdict, says := messages.SameState(flow)
			scene.Observe(id, "", verdict, "the state, on an error too", cmp.Or(says, "The error came with the state."), flow)
		}
	})

	It("needs no state, and invents none", For("oidc-auth-state-optional"), func(ctx SpecContext) {
		PlatformScene().React(ctx, "oidc-auth-state-optional", func(f *harness.PlatformFlow) (results.Verdict, string) {
			if f.Answer != nil && f.Answer.State != "" {
				return results.Failed, fmt.Sprintf("The answer has a state, %q, that nobody sent.", results.Bounded(f.Answer.State, 100))
			}
			return results.Passed, ""
		})
	})

	It("needs the scope openid, and ignores others", For("oidc-auth-scope-openid"), func(ctx SpecContext) {
		PlatformScene().React(ctx, "oidc-auth-scope-openid")
	})

	It("never puts an id_token into a URL", For("sec-auth-response-mode-form-post"), func(ctx SpecContext) {
		const id = "sec-auth-response-mode-form-post"
		scene := PlatformScene()
		after := []*harness.PlatformFlow{}
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.PlatformLaunch{Title: "probe: " + fault.Does, Fault: &fault})
			if scene.Unseen(id, fault.Name, err, flow) {
				continue
			}
			verdict, seen := messages.KeptOutOfURLs(scene, flow)
			if verdict == results.Passed && len(after) == 0 {
				control, err := scene.Control(ctx, harness.PlatformLaunch{Title: "control: a valid launch afterwards"})
				if scene.Unseen(id, fault.Name, err, flow) {
					continue
				}
				after = append(after, control)
			}
			scene.Observe(id, fault.Name, verdict, "", seen, append([]*harness.PlatformFlow{flow}, after...)...)
		}
	})

	It("reports what is wrong to the redirect_uri", For("oidc-auth-error-response"), func(ctx SpecContext) {
		const id = "oidc-auth-error-response"
		scene := PlatformScene()
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.PlatformLaunch{Title: "probe: " + fault.Does, Fault: &fault})
			if scene.Unseen(id, fault.Name, err, flow) {
				continue
			}
			verdict, seen := reported(scene, flow)
			scene.Observe(id, fault.Name, verdict, "", seen, flow)
		}
	})

	It("never runs a value of the request as a script", For("practice-form-post-values-escaped"), InBrowser, func(ctx SpecContext) {
		const id = "practice-form-post-values-escaped"
		scene := PlatformScene()
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.PlatformLaunch{Title: "probe: " + fault.Does, Fault: &fault})
			if scene.Unseen(id, fault.Name, err, flow) {
				continue
			}
			verdict, seen := results.Passed, ""
			if fault.Permitted {
				if verdict, seen = scene.Answered(flow); verdict == results.Passed {
					verdict, seen = messages.SameState(flow)
				}
			}
			switch {
			case flow.ScriptRan():
				scene.Observe(id, fault.Name, results.Failed, "", "The markup ran as a script.", flow)
			case verdict != results.Passed:
				scene.Observe(id, fault.Name, verdict, "", seen, flow)
			case scene.Run().Agent().Kind != "browser":
				scene.Unseen(id, fault.Name, errNeedsBrowser, flow)
			case flow.Trip.Ended != "settled" || flow.Trip.Page.Status >= 500:
				scene.Observe(id, fault.Name, results.Inconclusive, "", "Not seen: "+flow.End()+".", flow)
			default:
				scene.Observe(id, fault.Name, results.Passed, "", "No script ran: "+flow.End()+".", flow)
			}
		}
	})
})

// registeredErrors are the codes of OAuth 2.0 and OpenID Connect that an
// authentication response may have (RFC 6749, 4.2.2.1; OpenID Connect Core 1.0,
// 3.1.2.6).
var registeredErrors = []string{
	"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error",
	"temporarily_unavailable", "interaction_required", "login_required", "account_selection_required", "consent_required",
	"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported", "registration_not_supported",
}

// reported judges how a request that cannot be served is answered.
func reported(scene *harness.PlatformScenario, f *harness.PlatformFlow) (results.Verdict, string) {
	verdict, seen := scene.Refused(f)
	switch {
	case verdict == results.Failed, verdict == results.Inconclusive:
		return verdict, seen
	case f.Answer != nil && f.Answer.Error != "":
		if f.Answer.Method != http.MethodPost {
			return results.Failed, fmt.Sprintf("The error came by %s instead of a form POST.", f.Answer.Method)
		}
		if !slices.Contains(registeredErrors, f.Answer.Error) {
			return results.Failed, fmt.Sprintf("The error %q is not defined by OAuth 2.0 or OpenID Connect.", results.Bounded(f.Answer.Error, 100))
		}
		if v, says := messages.SameState(f); v != results.Passed {
			return v, says
		}
		return results.Passed, fmt.Sprintf("The error %q came with the state.", f.Answer.Error)
	case f.Trip.Page.Status >= http.StatusInternalServerError, f.Trip.Ended != "settled":
		return results.Failed, "The platform broke down instead of reporting an error: " + f.End() + "."
	default:
		return results.Warned, "No error was reported to the redirect_uri: " + f.End() + "."
	}
}
