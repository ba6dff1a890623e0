package tokens

import (
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/proctoring"
	"invigilator.example/scenarios/services"
)

// ofRequestForm is the requirement that errors of the token endpoint have a form, too.
const ofRequestForm requirements.ID = "rfc6749-token-request-form"

var _ = Describe("A platform, asked for an access token,", func() {
	It("says what it grants", For("sec-token-response"), func(ctx SpecContext) {
		const id = "sec-token-response"
		scene := PlatformScene()
		scopes, err := services.Scopes(ctx, scene)
		if !scene.Unseen(id, "two-scopes", err) {
			judgeGrant(ctx, scene, id, "two-scopes", "an access token for two scopes", faketool.TokenProbe{Scopes: scopes[:min(len(scopes), 2)]})
		}
		scopes, err = services.AllScopes(ctx, scene)
		if !scene.Unseen(id, "all-scopes", err) {
			judgeGrant(ctx, scene, id, "all-scopes", "an access token for all scopes", faketool.TokenProbe{Scopes: scopes, With: lti.Claims{
				"https://vendor.example/deep": map[string]any{"a": []any{1, nil, map[string]any{"b": true}}},
				"vendor_note":                 strings.Repeat("Très bien – よくできました。", 20),
			}})
		}
	})

	It("grants the control of exams, alone and among other scopes", For("ap-acs-platform-token-scope-grantable"), func(ctx SpecContext) {
		const id = "ap-acs-platform-token-scope-grantable"
		scene := PlatformScene()
		for stimulus, asked := range map[string][]string{
			"control-scope-alone": {lti.ScopeControl}, "control-scope-among-others": {lti.ScopeScore, lti.ScopeControl},
		} {
			flow, token, err := scene.Grant(ctx, stimulus, faketool.TokenProbe{Scopes: asked})
			if scene.Unseen(id, stimulus, err, flow) {
				continue
			}
			wrong := services.WrongGrant(token)
			if wrong == "" && token.Scope != "" && !slices.Contains(strings.Fields(token.Scope), lti.ScopeControl) {
				wrong = fmt.Sprintf("granted were %q", results.Bounded(token.Scope, 300))
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
		}
	})

	It("grants no more than it was asked for, and may grant", For("sec-token-scope-limits"), func(ctx SpecContext) {
		const id = "sec-token-scope-limits"
		scene := PlatformScene()
		asked := knownScope(ctx, scene, id)
		if asked == nil {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			flow, token, err := scene.Grant(ctx, fault.Does, faketool.TokenProbe{Scopes: asked, Fault: &fault})
			if scene.Unseen(id, fault.Name, err, flow) {
				continue
			}
			may := fault.Name == "scope-known-and-unknown" && token.Error == lti.ErrorInvalidScope
			if fault.Permitted && !may {
				requested := asked
				if fault.Name == "scope-known-and-unknown" {
					requested = append(slices.Clone(asked), faketool.UnknownScope)
				}
				wrong := cmp.Or(services.WrongGrant(token), services.Beyond(token, asked, requested))
				scene.Check(id, fault.Name, wrong == "", "", Seen(wrong), flow)
				continue
			}
			verdict, says := services.TokenRefused(token)
			scene.Observe(id, fault.Name, verdict, "", says, flow)
		}
		const each = "scope-each"
		scopes, err := services.AllScopes(ctx, scene)
		if scene.Unseen(id, each, err) {
			return
		}
		granted := false
		for _, scope := range scopes {
			flow, token, err := scene.Grant(ctx, "an access token for "+scope, faketool.TokenProbe{Scopes: []string{scope}})
			if scene.Unseen(id, each, err, flow) || token.AccessToken == "" { // whether it can be had is judged elsewhere
				continue
			}
			granted = true
			wrong := services.Beyond(token, []string{scope}, []string{scope})
			scene.Check(id, each, wrong == "", "", Seen(wrong), flow)
		}
		if !granted {
			scene.Observe(id, each, results.Inconclusive, "", "Not seen: the platform grants no token for one scope.")
		}
	})

	// Each fault of the fake tool is one request for a token: permitted ones get
	// one, and the others do not.
	DescribeTable("looks at", func(ctx SpecContext, id requirements.ID) {
		scene := PlatformScene()
		type refusal struct {
			stimulus string
			verdict  results.Verdict
			seen     string
			flow     *harness.PlatformFlow
		}
		asked := knownScope(ctx, scene, id)
		if asked == nil {
			return
		}
		var refusals []refusal
		for _, fault := range faketool.FaultsFor(string(id)) {
			flow, token, err := scene.Grant(ctx, fault.Does, faketool.TokenProbe{Scopes: asked, Fault: &fault})
			if scene.Unseen(id, fault.Name, err, flow) {
				continue
			}
			if fault.Permitted {
				wrong := services.WrongGrant(token)
				scene.Check(id, fault.Name, wrong == "", "", Seen(wrong), flow)
				continue
			}
			verdict, says := services.TokenRefused(token)
			if id == ofRequestForm && (verdict == results.Passed || verdict == results.Warned) {
				if wrong := wrongErrorForm(token); wrong != "" {
					verdict, says = results.Failed, Seen(wrong)
				}
			}
			if verdict == results.Failed || verdict == results.Inconclusive {
				scene.Observe(id, fault.Name, verdict, "", says, flow)
				continue
			}
			refusals = append(refusals, refusal{fault.Name, verdict, says, flow})
		}
		genuine, token, err := scene.Grant(ctx, "control: an access token", faketool.TokenProbe{Scopes: asked})
		for _, r := range refusals {
			switch {
			case scene.Unseen(id, r.stimulus, err, r.flow):
			case token.AccessToken == "":
				scene.Observe(id, r.stimulus, results.Inconclusive, "", "A valid request gets no token either.", r.flow, genuine)
			default:
				scene.Observe(id, r.stimulus, r.verdict, "", r.seen, r.flow, genuine)
			}
		}
	},
		Entry("whom the assertion is for", For("sec-token-assertion-aud"), requirements.ID("sec-token-assertion-aud")),
		Entry("who makes the assertion", For("core-token-assertion-iss-sub"), requirements.ID("core-token-assertion-iss-sub")),
		Entry("when the assertion expires", For("sec-token-assertion-expired"), requirements.ID("sec-token-assertion-expired")),
		Entry("times in the assertion with a fraction", For("rfc7519-token-assertion-numeric-date"), requirements.ID("rfc7519-token-assertion-numeric-date")),
		Entry("whether the assertion was used before", For("sec-token-assertion-jti"), requirements.ID("sec-token-assertion-jti")),
		Entry("the assertion's signature", For("sec-token-assertion-signature"), requirements.ID("sec-token-assertion-signature")),
		Entry("the form of the request", For(ofRequestForm), ofRequestForm),
	)

	It("takes one of two requests that have the same assertion and come at the same time", For("sec-token-assertion-jti"), func(ctx SpecContext) {
		const id, stimulus, rounds = "sec-token-assertion-jti", "assertion-replayed-at-once", 3
		scene := PlatformScene()
		asked := knownScope(ctx, scene, id)
		if asked == nil {
			return
		}
		verdict, says, once := results.Passed, "", false
		var flows []*harness.PlatformFlow
		for range rounds {
			var tokens []*faketool.Token
			var err error
			flows, tokens, err = scene.GrantTogether(ctx, "one of two requests with the same assertion at the same time", 2, faketool.TokenProbe{Scopes: asked})
			if scene.Unseen(id, stimulus, err, flows...) {
				return
			}
			refused := slices.DeleteFunc(tokens, func(t *faketool.Token) bool { return t.AccessToken != "" })
			if len(refused) == 0 {
				scene.Observe(id, stimulus, results.Failed, "", "Both requests got an access token.", flows...)
				return
			}
			once = once || len(refused) == 1
			for _, token := range refused {
				if v, wrong := services.TokenRefused(token); v != results.Passed {
					verdict, says = v, "Refused was one by: "+wrong
				}
			}
			if verdict != results.Passed {
				break
			}
		}
		switch {
		case verdict != results.Passed:
			scene.Observe(id, stimulus, verdict, "", says, flows...)
		case !once:
			scene.Observe(id, stimulus, results.Inconclusive, "", "Neither request got an access token: "+flows[0].End()+"; "+flows[1].End()+".", flows...)
		default:
			scene.Observe(id, stimulus, results.Passed, "", fmt.Sprintf("In none of %d rounds did both requests get an access token.", rounds), flows...)
		}
	})

	It("knows a new key of the tool at once", For("sec-token-key-rotation"), func(ctx SpecContext) {
		const id, stimulus = "sec-token-key-rotation", "key-added"
		scene := PlatformScene()
		asked := knownScope(ctx, scene, id)
		if asked == nil {
			return
		}
		before, token, err := scene.Grant(ctx, "an access token, its assertion signed with the key that is known", faketool.TokenProbe{Scopes: asked})
		if scene.Unseen(id, stimulus, err, before) {
			return
		}
		if token.AccessToken == "" {
			scene.Observe(id, stimulus, results.Inconclusive, "", "The known key gets no token either.", before)
			return
		}
		forget, err := scene.AddToolKey()
		if scene.Unseen(id, stimulus, err, before) {
			return
		}
		defer forget()
		flow, token, err := scene.Grant(ctx, "an access token, its assertion signed with a new key", faketool.TokenProbe{Scopes: asked})
		if !scene.Unseen(id, stimulus, err, before, flow) {
			wrong := services.WrongGrant(token)
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), before, flow)
		}
	})

	It("wants it in each request of a service", For("rfc6750-access-token-enforced"), func(ctx SpecContext) {
		const id = "rfc6750-access-token-enforced"
		scene := PlatformScene()
		if scene.Undeclared("ap-acs-platform-authorisation") == "" {
			proctoring.JudgeControlTokens(ctx, proctoring.In(scene), id)
		} else {
			judgeGradeTokens(ctx, gradebook.In(scene), id)
		}
	})
})

// judgeGrant judges the answer to a request for an access token that has to be granted.
func judgeGrant(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus, title string, p faketool.TokenProbe) {
	flow, token, err := scene.Grant(ctx, title, p)
	if scene.Unseen(id, stimulus, err, flow) {
		return
	}
	wrong := services.WrongGrant(token)
	if wrong == "" {
		wrong = wrongGrantForm(token)
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
	if wrong != "" {
		return
	}
	if token.Scope == "" {
		scene.Observe(id, stimulus, results.Warned, "", "The answer does not say what scope it grants.", flow)
	}
	if token.ExpiresIn == nil {
		scene.Observe(id, stimulus, results.Warned, "", "The answer does not say when the token expires: expires_in is RECOMMENDED (RFC 6749, 5.1).", flow)
	}
	if len(token.AccessToken) < 15 || strings.ContainsFunc(token.AccessToken, func(r rune) bool { return r > 126 || r <= ' ' }) {
		scene.Observe(id, stimulus, results.Warned, "", fmt.Sprintf("The access token has %d characters, or some that are not printable ASCII.", len(token.AccessToken)), flow)
	}
}

// knownScope is one that the platform grants, in a list. Where there is none, it keeps
// why no stimulus of the requirement could be judged, and returns nil.
func knownScope(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID) []string {
	scopes, err := services.Scopes(ctx, scene)
	if err == nil { // what is refused to everybody says nothing
		_, _, err = scene.Fresh(ctx, scopes[0])
	}
	if AllUnseen(scene, id, err) {
		return nil
	}
	return scopes[:1]
}

// judgeGradeTokens judges a requirement by requests to the grade services without the
// right token.
func judgeGradeTokens(ctx SpecContext, scene *gradebook.Scenario, id requirements.ID) {
	book := grades.Offered(ctx, scene, id)
	if book == nil {
		return
	}
	calls, err := grades.Guarded(ctx, scene, book)
	if AllUnseen(scene, id, err, book.Launch) {
		return
	}
	call := calls[0].Call
	works, err := scene.Call(ctx, book, call)
	if err == nil && !works.Succeeded() {
		err = fmt.Errorf("%w: a request with a valid access token is refused: HTTP %d", harness.ErrNoLaunch, works.Exchange.Status)
	}
	if AllUnseen(scene, id, err, book.Launch, works) {
		return
	}
	for _, stimulus := range CasesOf(id) {
		wrong, sent := services.WithoutToken, call
		sent.Title = stimulus
		switch stimulus {
		case "token-expired":
			token, err := services.Expired(ctx, scene.PlatformScenario, call.Scopes)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			sent.Token = token
		case "token-random":
			sent.Token = lti.RandomString()
		case "token-of-other-scope":
			other := slices.IndexFunc(book.Scope, func(scope string) bool {
				return scope != lti.ScopeLineItem && scope != lti.ScopeLineItemReadOnly && !slices.Contains(call.Scopes, scope)
			})
			if other < 0 {
				scene.Observe(id, stimulus, results.Skipped, "", "The launch offers no scope of another service.", book.Launch)
				continue
			}
			wrong, sent.Scopes = services.OfOtherScope, book.Scope[other:other+1]
		default:
			fault, _ := faketool.FaultNamed(stimulus)
			sent.Fault = &fault
		}
		flow, err := scene.Call(ctx, book, sent)
		if !scene.Unseen(id, stimulus, err, book.Launch, flow) && !services.AnswersToken(scene.PlatformScenario, id, stimulus, flow, book.Launch, works) {
			wrong.Observe(scene.PlatformScenario, id, stimulus, flow, book.Launch, works)
		}
	}
}

// wrongGrantForm says what is wrong with the form of an answer that grants a token (RFC
// 6749, 5.1).
func wrongGrantForm(t *faketool.Token) string {
	_, isNumber := t.ExpiresIn.(float64)
	switch {
	case notJSON(t) != "":
		return notJSON(t)
	case !strings.EqualFold(t.TokenType, "bearer"):
		return fmt.Sprintf("token_type is %q", results.Bounded(t.TokenType, 100))
	case t.ExpiresIn != nil && !isNumber:
		return fmt.Sprintf("expires_in is %s, which is not a number", lti.Wire(t.ExpiresIn))
	case !strings.Contains(strings.ToLower(strings.Join(t.Header.Values("Cache-Control"), ",")), "no-store"):
		return "the answer has no Cache-Control: no-store"
	}
	return ""
}

// notJSON says whether what a token endpoint answered is labelled as something else than
// JSON.
func notJSON(t *faketool.Token) string {
	if content, _, _ := mime.ParseMediaType(t.ContentType); content != "application/json" {
		return fmt.Sprintf("the Content-Type of the answer is %q", results.Bounded(t.ContentType, 100))
	}
	return ""
}

// tokenErrors are the codes that a token endpoint may answer (RFC 6749, 5.2).
var tokenErrors = []string{
	lti.ErrorInvalidRequest, lti.ErrorInvalidClient, "invalid_grant", "unauthorized_client", lti.ErrorUnsupportedGrantType, lti.ErrorInvalidScope,
}

// wrongErrorForm says what is wrong with the form of an error (RFC 6749, 5.2). What is
// answered to a GET may be no answer of the token endpoint.
func wrongErrorForm(t *faketool.Token) string {
	switch {
	case t.Method == http.MethodGet:
		return ""
	case !slices.Contains(tokenErrors, t.Error):
		return fmt.Sprintf("error is %q, which is not registered", results.Bounded(t.Error, 100))
	}
	return notJSON(t)
}
