package tokens

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	gradebook "invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/messages"
	"invigilator.example/scenarios/pages"
	exams "invigilator.example/scenarios/proctoring"
)

var _ = Describe("A tool, asking for access tokens and using them,", func() {
	It("proves each time anew who it is", For("sec-tool-assertion-claims"), func(ctx SpecContext) {
		const id, otherAudience = "sec-tool-assertion-claims", "audience-differs-from-token-url"
		scene := Scene()
		scene.Observe(id, otherAudience, results.Skipped, "", "Not tried: the run offers no audience of its own.")
		if scene.Undeclared(id) != "" {
			scene.SkipAll(id)
			return
		}
		run := scene.Run()
		keys, err := run.FetchKeySet(ctx, run.Tool().JWKSURL)
		if err != nil {
			scene.Observe(id, "", harness.Unread(err), "", fmt.Sprintf("The tool's key set cannot be read: %s.", err))
			return
		}
		asked := len(run.Platform().TokenRequests())
		var flows []*harness.Flow
		for range 3 { // a tool that has a token from before, and only renews it for its next request, asks in the second and the third
			var used []*harness.Flow
			used, err = usedToken(ctx, scene, new(PlatformFault(onceRefused(scene))))
			flows = append(flows, used...)
			if ctx.Err() != nil || len(run.Platform().TokenRequests()) >= asked+2 {
				break
			}
		}
		requests := run.Platform().TokenRequests()
		requests = requests[max(0, min(asked, len(requests)-1)):] // it may have kept the last one
		if len(requests) == 0 {
			if !scene.Unseen(id, "", err, flows...) {
				scene.Observe(id, "", results.Inconclusive, "", "No access token was asked for.", flows...)
			}
			return
		}
		jtis := map[string]bool{}
		var wrongs []string
		note, long := "", ""
		for _, request := range requests {
			assertion := harness.AssertionOf(request)
			wrong := wrongAssertion(run, request)
			if wrong == "" {
				wrong = keys.Verify(assertion)
			}
			jti, _ := assertion.Text("jti")
			if wrong == "" && jtis[jti] {
				wrong = "both assertions have the same jti"
			}
			jtis[jti] = true
			if _, sent := assertion.Claims[lti.ClaimDeploymentID]; !sent {
				note = " It has no deployment_id, which it should have."
			}
			if wrong != "" {
				wrongs = append(wrongs, fmt.Sprintf("%s; the request was answered with %d", wrong, request.Status))
			} else {
				long = cmp.Or(long, messages.LongLived(assertion))
			}
		}
		switch {
		case len(wrongs) > 0:
			scene.Observe(id, "", results.Failed, "", Seen(wrongs[0])+note, flows...)
		case len(requests) < 2:
			scene.Observe(id, "", results.Inconclusive, "", "The tool asked for no second access token, though the one that it had was refused.", flows...)
		case long != "":
			scene.Observe(id, "", results.Warned, "", Seen(long)+note, flows...)
		default:
			scene.Observe(id, "", results.Passed, "", Seen("")+note, flows...)
		}
	})

	It("sends them as they were granted, and asks for others in time", For("sec-tool-access-token-use"), func(ctx SpecContext) {
		const id = "sec-tool-access-token-use"
		scene := Scene()
		platform := scene.Run().Platform()
		asksLater := true // so far as is known, for another token when the next score is to be sent
		for _, f := range fakeplatform.FaultsFor(id) {
			if scene.Run().Has(config.ACS) {
				judgeControlToken(ctx, scene, f)
			}
			if !scene.Run().Has(config.Grades) {
				continue
			}
			asked := len(platform.TokenRequests())
			use := gradebook.RefusedScore
			switch f.Name {
			case "token-expires":
				use = outlastingToken
			case "scope-reduced":
				use = reducedToken
			}
			flow, err := use(ctx, scene, &f)
			if err == nil && asksLater && len(flow.Scores()) > 0 && len(platform.TokenRequests()) == asked { // it may ask for one the next time
				flow, err = use(ctx, scene, &f)
				asksLater = err != nil || len(flow.Scores()) == 0 || len(platform.TokenRequests()) > asked
			}
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			requests := len(platform.TokenRequests()) - asked
			if f.Name == "token-expires" {
				requests-- // before it expired
			}
			wrong := tokenElsewhere(flow.Calls())
			switch {
			case pages.Crashed(flow):
				wrong = "the user sees no page, or a server error: " + flow.End()
			case wrong != "":
			case len(flow.Calls()) > gradebook.MaxTries || requests > gradebook.MaxTries:
				wrong = fmt.Sprintf("%d requests came, and %d for access tokens", len(flow.Calls()), requests)
			case f.Name == "service-call-401-once" && len(flow.Scores()) > 0:
				if wrong = gradebook.NotRenewed(flow.Scores()); wrong != "" {
					if next := gradebook.RenewedLater(ctx, scene, flow); next != nil {
						scene.Observe(id, f.Name, results.Passed, "", "The next score came with a new access token.", flow, next)
						continue
					}
				}
			case requests == 0:
				scene.Observe(id, f.Name, results.Inconclusive, "", askedForNone(flow)+": "+flow.End()+".", flow)
				continue
			case f.Name == "scope-reduced", slices.Contains(noGrants, f.Name): // it need not get any further
			case !slices.ContainsFunc(flow.Scores(), wasAuthorized):
				wrong = "no score came with the access token that was granted: " + flow.End()
			}
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), flow)
		}
	})
})

// noGrants are the stimuli whose answers grant no access token as they should.
var noGrants = []string{"token-expiry-as-text", "token-a-number", "token-in-array"}

// judgeControlToken judges what a tool makes of an access token for the Assessment Control
// Service.
func judgeControlToken(ctx SpecContext, scene *harness.Scenario, f fakeplatform.Fault) {
	const id = "sec-tool-access-token-use"
	deed, ok := exams.AnyAction(scene)
	switch {
	case !ok || f.Name == "scope-reduced": // which is about scores
		if !scene.Run().Has(config.Grades) {
			scene.Observe(id, f.Name, results.Skipped, "", "Not tried: the tool sends no scores, or no journey of a proctor is configured.")
		}
		return
	case f.Name == "token-expires" && !scene.Run().MayPass(tokenLasts):
		scene.Unseen(id, f.Name, harness.ErrTooLong)
		return
	}
	exam, flow, err := exams.Acted(ctx, scene, deed, &f)
	if scene.Unseen(id, f.Name, err, exam, flow) || exams.NotStarted(scene, id, f.Name, exam) {
		return
	}
	controls := flow.AllControls()
	if f.Name == "token-expires" {
		if scene.Unseen(id, f.Name, scene.Pass(ctx, tokenLasts), exam, flow) {
			return
		}
		if flow, err = scene.Act(ctx, deed, exam); scene.Unseen(id, f.Name, err, exam, flow) {
			return
		}
		controls = flow.AllControls()
	}
	wrong := ""
	switch last := len(controls) - 1; {
	case pages.Crashed(flow):
		wrong = "the proctor sees no page, or a server error: " + flow.End()
	case slices.Contains(noGrants, f.Name): // it need not get any further
	case last < 0:
		scene.Observe(id, f.Name, results.Inconclusive, "", "No control request came: "+flow.End()+".", exam, flow)
		return
	case slices.ContainsFunc(controls, func(c proctoring.Control) bool { return c.Token == "" || strings.Contains(c.Target, "access_token=") }):
		wrong = "the access token came elsewhere than in the Authorization header"
	case len(controls) > gradebook.MaxTries:
		wrong = fmt.Sprintf("%d control requests came for one action", len(controls))
	case controls[last].Status == http.StatusUnauthorized:
		again, err := scene.Act(ctx, deed, exam) // it need not try the same again (RFC 6750, 3.1)
		if err != nil || len(again.Controls()) == 0 || again.Controls()[0].Token == controls[last].Token || again.Controls()[0].Status == http.StatusUnauthorized {
			wrong = "no control request came with another access token, or with the one that was granted"
		}
	}
	scene.Check(id, f.Name, wrong == "", "", Seen(wrong), exam, flow)
}

// wrongAssertion says what is wrong with the claims of a client assertion (Security
// Framework 1.0, 4.1.1).
func wrongAssertion(run *harness.Run, request fakeplatform.TokenRequest) string {
	m, known := harness.AssertionOf(request), run.Registrations()[0]
	if m.Problem != "" {
		return "the client assertion cannot be read: " + m.Problem
	}
	for _, name := range []string{"iss", "sub"} {
		if m.Claims[name] != known.ClientID {
			return fmt.Sprintf("%s is %s instead of the client_id %q", name, lti.Wire(m.Claims[name]), known.ClientID)
		}
	}
	audience, isList := m.Claims["aud"].([]any)
	if !isList {
		audience = []any{m.Claims["aud"]}
	}
	iat, iatIsNumber := m.Claims["iat"].(float64)
	exp, expIsNumber := m.Claims["exp"].(float64)
	jti, _ := m.Text("jti")
	at := float64(request.At.Unix())
	switch {
	case !slices.ContainsFunc(slices.Concat(request.Addresses, []string{known.TokenURL, known.Platform.TokenURL(), known.Platform.Issuer()}), func(own string) bool { return slices.Contains(audience, any(own)) }):
		return fmt.Sprintf("aud is %s, without the token endpoint %q", lti.Wire(m.Claims["aud"]), known.TokenURL)
	case !iatIsNumber || !expIsNumber:
		return fmt.Sprintf("iat is %s and exp %s: both have to be numbers", lti.Wire(m.Claims["iat"]), lti.Wire(m.Claims["exp"]))
	case iat-at > messages.AnyLifetime.Seconds():
		return fmt.Sprintf("iat is %.0f: it is not in seconds", iat)
	case iat-at > messages.ClockSkew.Seconds():
		return fmt.Sprintf("iat is %.0f seconds later than the time of receipt", iat-at)
	case exp <= iat || exp-iat > messages.AnyLifetime.Seconds():
		return fmt.Sprintf("exp is %.0f seconds after iat", exp-iat)
	case exp+messages.ClockSkew.Seconds() <= at:
		return fmt.Sprintf("it had expired %.0f seconds before it came", at-exp)
	case jti == "":
		return "jti is " + lti.Wire(m.Claims["jti"])
	}
	return ""
}

// tokenElsewhere says where an access token came but in the Authorization header.
func tokenElsewhere(calls []grades.Call) string {
	for _, c := range calls {
		switch {
		case strings.Contains(c.Target, "access_token="):
			return "an access token came in the query of " + c.Method
		case c.Token == "":
			return c.Method + " came without an access token in the Authorization header"
		}
	}
	return ""
}

// askedForNone says that a tool asked for no access token, and whether it had to.
func askedForNone(flow *harness.Flow) string {
	const none = "The tool asked for no access token"
	if slices.ContainsFunc(flow.Scores(), func(c grades.Call) bool { return c.Status == http.StatusUnauthorized }) {
		return none + ", though the one that it has was refused"
	}
	return none
}

// wasAuthorized says whether a request came with an access token that was taken.
func wasAuthorized(c grades.Call) bool {
	return c.Authorized && c.Status != http.StatusUnauthorized
}

// tokenLasts is a little longer than the access token lasts that expires.
const tokenLasts = 6 * time.Second

// outlastingToken is work that is handed in when the access token has expired with
// which the score before it was sent.
func outlastingToken(ctx SpecContext, scene *harness.Scenario, f *fakeplatform.Fault) (*harness.Flow, error) {
	assignment := scene.Assign()
	var launched []*harness.Flow
	for range 3 { // a score, another where the first only showed that an earlier token is no good, and the one that it is about
		browser := scene.Open(ctx)
		defer browser.Close()
		flow, err := scene.Launch(ctx, harness.Launch{
			Title: f.Name + ": " + f.Does, By: browser, Assignment: &assignment, User: harness.Newcomer(harness.Learner), Fault: f, Stays: true,
		})
		if err != nil {
			return flow, err
		}
		launched = append(launched, flow)
	}
	handIn := func(title string, launched *harness.Flow) (*harness.Flow, error) {
		flow, err := scene.GoOn(ctx, title, launched, config.Submit, "{work}", "The answer is 42.")
		if err == nil {
			scene.Await(ctx, flow, func(c grades.Call) bool { return harness.IsScore(c) && wasAuthorized(c) })
		}
		return flow, err
	}
	flow, err := handIn("work is handed in", launched[0])
	if err == nil {
		err = scene.Run().Denied(lti.GradeScopes...)
	}
	if err == nil && !slices.ContainsFunc(flow.Scores(), wasAuthorized) {
		flow, err = handIn("work is handed in, after an access token was refused", launched[1])
	}
	if err == nil && !slices.ContainsFunc(flow.Scores(), wasAuthorized) {
		err = fmt.Errorf("%w, before the access token had expired: %s", harness.ErrNoScore, flow.End())
	}
	if err == nil {
		err = scene.Pass(ctx, tokenLasts)
	}
	if err != nil {
		return flow, err
	}
	return handIn("work is handed in, when the access token has expired", launched[2])
}

// reducedToken is work whose score cannot be sent with the access token that was
// granted, up to the time when the tool has to ask for another one.
func reducedToken(ctx SpecContext, scene *harness.Scenario, f *fakeplatform.Fault) (*harness.Flow, error) {
	if !scene.Run().MayPass(tokenLasts) {
		return nil, harness.ErrTooLong
	}
	flow, err := gradebook.RefusedScore(ctx, scene, f)
	if err == nil {
		err = scene.Pass(ctx, tokenLasts)
	}
	return flow, err
}

// onceRefused is the stimulus by which a service does not take an access token once.
func onceRefused(scene *harness.Scenario) string {
	if scene.Run().Has(config.Grades) {
		return "service-call-401-once"
	}
	return "answer-401-once"
}

// usedToken has the tool send a request with an access token to the service that it uses:
// a score, or what a proctor orders.
func usedToken(ctx SpecContext, scene *harness.Scenario, f *fakeplatform.Fault) ([]*harness.Flow, error) {
	if scene.Run().Has(config.Grades) {
		flow, err := gradebook.RefusedScore(ctx, scene, f)
		return []*harness.Flow{flow}, err
	}
	deed, ok := exams.AnyAction(scene)
	if !ok {
		return nil, fmt.Errorf("%w: of a proctor", harness.ErrNoJourney)
	}
	exam, flow, err := exams.Acted(ctx, scene, deed, f)
	return []*harness.Flow{exam, flow}, err
}
