package grades

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

// MaxTries are those of a tool that gets no score taken: more of them are a loop.
const MaxTries = 5

var _ = Describe("A tool, using the grade services,", func() {
	It("asks for what is offered, and where it is offered", For("ags-tool-requests-needed-scopes"), func(ctx SpecContext) {
		const id, scores, nothing = "ags-tool-requests-needed-scopes", "endpoint-scope-score-alone", "endpoint-not-announced"
		scene := Scene()
		platform := scene.Run().Platform()
		asked := len(platform.TokenRequests())
		_, flow, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{Fault: new(PlatformFault(scores))})
		if !scene.Unseen(id, scores, err, flow) {
			scene.Await(ctx, flow, harness.IsScore)
			wrong := wrongScopes(platform.TokenRequests()[asked:], lti.ScopeScore)
			for _, c := range flow.Calls() {
				if wrong == "" && !harness.IsScore(c) {
					wrong = fmt.Sprintf("%s %s came, which needs another scope", c.Method, results.Bounded(c.Target, 300))
				}
			}
			scene.Check(id, scores, wrong == "", "", Seen(wrong), flow)
		}

		asked = len(platform.TokenRequests())
		assignment := scene.Assign()
		flow, err = scene.Launch(ctx, harness.Launch{Title: nothing, Assignment: &assignment, User: harness.Newcomer(harness.Learner), Fault: new(PlatformFault(nothing)), Stays: true})
		switch {
		case scene.Unseen(id, nothing, err, flow):
		case !flow.Answered():
			scene.Observe(id, nothing, results.Inconclusive, "", "The launch did not get as far as the id_token: "+flow.End()+".", flow)
		case !scene.Accepted(flow):
			scene.Observe(id, nothing, results.Failed, "", "The launch does not work: "+flow.Reaction.Why+".", flow)
		default:
			wrong := ""
			if scene.Lingers(ctx, flow, func(grades.Call) bool { return true }) {
				wrong = fmt.Sprintf("%s %s came", flow.Calls()[0].Method, results.Bounded(flow.Calls()[0].Target, 300))
			} else if n := len(platform.TokenRequests()) - asked; n > 0 {
				wrong = fmt.Sprintf("%d requests for access tokens came", n)
			}
			scene.Check(id, nothing, wrong == "", "", Seen(wrong), flow)
		}
	})

	It("keeps an access token as long as it is good", For("ags-tool-renews-token", "sec-tool-token-request"), func(ctx SpecContext) {
		const id, stimulus, form = "ags-tool-renews-token", "grades-token-reused", "sec-tool-token-request"
		scene := Scene()
		platform := scene.Run().Platform()
		asked := len(platform.TokenRequests())
		var flows []*harness.Flow
		scores := 0
		assignment := scene.Assign()
		for range 3 {
			flow, err := handedIn(ctx, scene, assignment, nil)
			if scene.Unseen(id, stimulus, err, flow) {
				scene.Unseen(form, "", err, flow)
				return
			}
			flows, scores = append(flows, flow), scores+len(flow.Scores())
		}
		requests := platform.TokenRequests()
		n := len(requests) - asked
		seen := fmt.Sprintf("%d access tokens were asked for, and %d scores came.", n, scores)
		if scores < 2 {
			scene.Observe(id, stimulus, results.Inconclusive, "", seen, flows...)
		} else {
			scene.Check(id, stimulus, n < scores, "", seen, flows...)
		}
		if len(requests) == 0 {
			scene.Observe(form, "", results.Inconclusive, "", "The tool asked for no access token.", flows...)
			return
		}
		for _, request := range requests[min(asked, len(requests)-1):] { // it may have kept the last one
			scene.Check(form, "", len(request.FormProblems) == 0, "", Seen(strings.Join(request.FormProblems, "; ")), flows...)
		}
	})

	It("copes with a gradebook that does not take its scores", For("ags-tool-renews-token"), func(ctx SpecContext) {
		const id = "ags-tool-renews-token"
		scene := Scene()
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := RefusedScore(ctx, scene, &f)
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			scores := flow.Scores()
			wrong := ""
			switch {
			case pages.Crashed(flow):
				wrong = "the user sees no page, or a server error: " + flow.End()
			case len(flow.Calls()) == 0:
				scene.Observe(id, f.Name, results.Inconclusive, "", "No score came: "+flow.End()+".", flow)
				continue
			case len(flow.Calls()) > MaxTries:
				wrong = fmt.Sprintf("%d requests came for one score", len(flow.Calls()))
			case f.Name == "grades-token-refused-once":
				if wrong = NotRenewed(scores); wrong != "" {
					if next := RenewedLater(ctx, scene, flow); next != nil {
						scene.Observe(id, f.Name, results.Passed, "", "The next score came with a new access token.", flow, next)
						continue
					}
				}
			case f.Name == "grades-too-many-requests" && len(scores) > 1 && scores[1].At.Sub(scores[0].At) < time.Second/2:
				wrong = "the score was sent again at once, though Retry-After is a second"
			}
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), flow)
		}
	})
})

// wrongScopes says which scope was asked for that is none of those that a launch has
// announced.
func wrongScopes(asked []fakeplatform.TokenRequest, announced ...string) string {
	for _, request := range asked {
		for scope := range strings.FieldsSeq(request.Form.Get(lti.ParamScope)) {
			if !slices.Contains(announced, scope) {
				return "an access token was asked for with the scope " + results.Bounded(scope, 200)
			}
		}
	}
	return ""
}

// RefusedScore is work whose score is not taken, as far as the tool tries.
func RefusedScore(ctx SpecContext, scene *harness.Scenario, f *fakeplatform.Fault) (*harness.Flow, error) {
	flow, err := handedIn(ctx, scene, scene.Assign(), f)
	if toldOfFailure(flow) {
		err = nil // the user was told of the failure in other words than of success
	}
	if err == nil {
		scene.Lingers(ctx, flow, harness.IsTakenScore)
	}
	return flow, err
}

// RenewedLater is the next work that is handed in, where its score comes with another
// access token than that of a work whose score was refused for its token; nil where it
// does not. A tool need not send the same score again, least of all where the token was
// new: "The client MAY request a new access token and retry" (RFC 6750, 3.1).
func RenewedLater(ctx SpecContext, scene *harness.Scenario, refused *harness.Flow) *harness.Flow {
	if len(refused.Scores()) == 0 {
		return nil
	}
	next, err := handedIn(ctx, scene, scene.Assign(), nil)
	if err != nil || len(next.Scores()) == 0 || next.Scores()[0].Token == refused.Scores()[0].Token {
		return nil
	}
	return next
}

// NotRenewed says why a score that was refused for its token was not sent again with
// a new one.
func NotRenewed(scores []grades.Call) string {
	if len(scores) == 0 {
		return ""
	}
	renewed := slices.IndexFunc(scores, func(c grades.Call) bool { return c.Status != http.StatusUnauthorized })
	switch {
	case renewed < 0:
		return fmt.Sprintf("%d scores came, none with a new access token", len(scores))
	case renewed > 0 && scores[renewed].Token == scores[0].Token:
		return "the score came again with the token that had been refused"
	}
	return ""
}
