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

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// startPatience is how long a tool may take to be there.
const startPatience = 5 * time.Second

// Preflight makes sure that the tool can be judged: that valid launches work,
// and that acceptance can be told from refusal. The error is a [*results.Diagnosis]
// where the configuration is in the way, or valid launches do not work for a reason that
// cannot be told. What the tool breaks for certain is observed instead, and what does not
// work beside launches is left out of the run.
func (r *Run) Preflight(ctx context.Context) (results.Fragment, error) {
	if r.config.Embedded.SkipPreflight {
		return results.Fragment{}, nil
	}
	if !r.config.IsEmbedded() {
		if d := r.diagnoseReach(ctx); d != nil {
			return emptyFragment(), d
		}
		// A tool that is being started beside the run may take a moment. If it is
		// not there then, the first launch says so.
		_ = r.awaitServer(ctx, r.tool.LoginURL, min(r.config.Timeout.Restart.Std(), startPatience))
	}
	found, err := r.preflightAgain(ctx, r.hostsOfTool(), func(ctx context.Context) (results.Fragment, error) {
		r.baseline, r.loginByPost, r.redirectsAnew = baseline{}, false, false
		return r.preflight(ctx)
	})
	found.Strangers = r.takeStrangers()
	return found, err
}

// hostsOfTool are those of the tool under test.
func (r *Run) hostsOfTool() []string {
	return hostsOf(r.tool.LoginURL, r.tool.LaunchURL, r.tool.TargetLinkURI)
}

// preflight makes the launches of the preflight once.
func (r *Run) preflight(ctx context.Context) (results.Fragment, error) {
	s := r.preflightScenario(emptyFragment())
	var browsers []agent.User
	defer func() {
		for _, b := range browsers {
			b.Close()
		}
	}()
	one := func(l Launch) (*Flow, error) {
		browser, err := r.Open(ctx)
		if err != nil {
			return nil, err
		}
		browsers = append(browsers, browser)
		l.By = browser
		flow, err := r.travel(ctx, l)
		if err == nil {
			s.keep(flow)
		}
		return flow, err
	}
	for _, registered := range r.registrationFlows {
		s.keep(registered)
	}
	if !r.config.Launches() {
		return r.preflightParts(ctx, s.fragment)
	}
	control, err := one(Launch{Title: "preflight: a valid launch"})
	if err != nil {
		return s.fragment, err
	}
	if r.mayHoldOldKeys(control) && r.Pass(ctx, keyCooldown) == nil {
		control, err = one(Launch{Title: "preflight: a valid launch, after a while, since the tool did not look for the key"})
		if err != nil {
			return s.fragment, err
		}
	}
	if _, asked := control.Request(); !asked && control.Trip.Ended == agent.Settled && control.Trip.Page.Status >= 400 {
		// A tool that logs in by POST only lacks GET, and can be judged on the rest.
		r.loginByPost = true
		byPost, err := one(Launch{Title: "preflight: a valid launch, its login initiated by POST"})
		if err != nil {
			return s.fragment, err
		}
		if _, asked := byPost.Request(); asked {
			control = byPost
		} else {
			r.loginByPost = false
		}
	}
	if r.asksElsewhere(control) {
		again, err := one(Launch{Title: "preflight: another login, since the first asks for its answer at an address that is not registered"})
		if err != nil {
			return s.fragment, err
		}
		r.redirectsAnew = differInQuery(control.redirectURI(), again.redirectURI())
	}
	if d := r.diagnose(control); d != nil {
		return r.charge(control, s, d)
	}
	launched := []agent.User{browsers[len(browsers)-1]}
	second, err := one(Launch{Title: "preflight: a second valid launch"})
	if err != nil {
		return s.fragment, err
	}
	if d := r.diagnose(second); d != nil {
		d.Problem = "The first valid launch worked, the second did not. " + d.Problem
		return s.fragment, errors.Join(d, errUnsteady)
	}
	launched = append(launched, browsers[len(browsers)-1])
	contrast, err := one(Launch{Title: "preflight: an answer without id_token and state", Fault: new(fakeplatform.EmptyAnswer)})
	if err != nil {
		return s.fragment, err
	}
	forged, _ := fakeplatform.FaultNamed("signature-last-byte-changed")
	bad, err := one(Launch{Title: "preflight: an answer whose signature is bad", Fault: &forged})
	if err != nil {
		return s.fragment, err
	}
	r.baseline.learn(r.tool, control, second, contrast)
	if d := r.baseline.diagnose(contrast); d != nil {
		return s.fragment, d
	}
	err = r.learnSession(ctx, control, launched)
	if err == nil {
		err = r.learnHonesty(ctx, contrast, bad, browsers[len(browsers)-1])
	}
	if err != nil {
		return s.fragment, err
	}
	last, err := one(Launch{Title: "preflight: a valid launch at the end"})
	if err != nil {
		return s.fragment, err
	}
	s.fragment.Consulted = r.consulted()
	if d := r.baseline.doubt(bad); d != nil {
		return s.fragment, d
	}
	if d := r.lastOne(last); d != nil {
		return s.fragment, errors.Join(d, errUnsteady)
	}
	return r.preflightParts(ctx, s.fragment)
}

// lastOne says why the preflight's last launch is not accepted as the first ones were:
// then what was learned in between may be wrong.
func (r *Run) lastOne(last *Flow) *results.Diagnosis {
	last.control, last.Reaction = true, r.baseline.reaction(last)
	reaction := r.baseline.acceptance(last)
	if reaction.Kind == Accepted {
		return nil
	}
	return &results.Diagnosis{
		Problem: "The first valid launches worked, and the last one of the preflight did not: " + reaction.Why + ".",
		Step:    "launch", Sent: "a valid id_token, after one with a bad signature and an answer without one", Seen: describe(last.Trip), FlowID: last.ID,
		LookAt: "The tool's log at that time. Does it lock users out after a bad launch? Where the pages of valid launches differ, set tool.launch_accepted to what all of them have: a selector, a text or a part of the URL.",
	}
}

// charge says what becomes of a run whose valid launches do not work: nothing can be
// judged, but for what the tool has broken for certain on the way to that.
func (r *Run) charge(f *Flow, s *Scenario, d *results.Diagnosis) (results.Fragment, error) {
	asked := f.redirectURI()
	certain := r.redirectsAnew || slices.ContainsFunc(r.RedirectURIs(), func(uri string) bool { return fakeplatform.DifferInScheme(uri, asked) })
	if !r.config.Launches() || !certain {
		return s.fragment, d
	}
	s.Observe("sec-tool-auth-request-redirect-uri", "", results.Failed, "one of "+strings.Join(r.RedirectURIs(), ", "),
		fmt.Sprintf("redirect_uri %q.%s The launch did not work either, so nothing else was tried.", results.Bounded(asked, 300), r.AboutRedirectURI(f)), f)
	r.bar(s, d, plain, intoExam, withGrades, toReview)
	return s.fragment, nil
}

// preflightScenario is a scenario that adds to what the preflight has found.
func (r *Run) preflightScenario(found results.Fragment) *Scenario {
	s := r.ReviewScenario(mustHold{}, preflightText, "")
	s.fragment = found
	return s
}

// preflightText stands for the text of a spec, which the preflight is none of.
const preflightText = "preflight"

// mustHold is the test that the preflight is none of: what ends one is a mistake of the
// harness.
type mustHold struct{}

func (mustHold) Helper() {}

func (mustHold) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// errBarred says that the preflight has found launches of a kind not to work.
var errBarred = errors.New("such launches did not work in the preflight")

// bar leaves launches of those kinds out of the run, and tells why.
func (r *Run) bar(s *Scenario, d *results.Diagnosis, kinds ...launchKind) {
	for _, kind := range kinds {
		r.barred[kind] = strings.TrimSuffix(d.Problem, ".")
	}
	s.Tell("not-tried", fmt.Sprintf("%s Seen: %s. %s", d.Problem, strings.TrimSuffix(d.Seen, "."), d.LookAt), d.FlowID)
}

// mayLaunch says why launches of a kind are left out; nil where they are not.
func (r *Run) mayLaunch(kind launchKind) error {
	if why := r.barred[kind]; why != "" {
		return fmt.Errorf("%w: %s", errBarred, why)
	}
	return nil
}

// judgesPart says whether an optional part of the tool is judged.
func (r *Run) judgesPart(feature string) bool { return r.Has(feature) && r.config.Judges(feature) }

// preflightParts makes sure that what a real tool does beside launches can be judged.
func (r *Run) preflightParts(ctx context.Context, found results.Fragment) (results.Fragment, error) {
	if r.config.IsEmbedded() {
		_, _ = r.fetchKeySetOnce(ctx, r.tool.JWKSURL) // what is wrong with it, scenarios see as well
		return found, nil
	}
	if d := r.diagnoseKeySet(ctx); d != nil {
		return found, d
	}
	found, err := r.preflightExam(ctx, found)
	if err != nil {
		return found, err
	}
	if found, err = r.preflightGrades(ctx, found); err != nil {
		return found, err
	}
	return r.preflightOfParts(ctx, found)
}

// preflightExam makes sure that a real tool which has proctoring takes a candidate
// through its check-in. One that refuses a candidate is judged on the rest.
func (r *Run) preflightExam(ctx context.Context, found results.Fragment) (results.Fragment, error) {
	if !r.judgesPart(config.Proctoring) {
		return found, nil
	}
	browser, err := r.Open(ctx)
	if err != nil {
		return found, err
	}
	defer browser.Close()
	flow, err := r.launch(ctx, Launch{Title: "preflight: a valid launch into a proctored exam", By: browser, Exam: &proctoring.Exam{}})
	if err != nil {
		return found, err
	}
	s := r.preflightScenario(found)
	s.keep(flow)
	if flow.Reaction.Kind == Accepted {
		return s.fragment, nil
	}
	if _, asked := flow.Request(); !asked || !flow.Answered() {
		if d := r.diagnose(flow); d != nil {
			return s.fragment, d
		}
	}
	d := r.diagnoseExam(flow)
	rest := r.config.Launches() || r.judgesPart(config.Grades) || r.judgesPart(config.SubmissionReview) || r.judgesParts()
	if _, refused := flow.refusal(); !refused || !rest { // else the journey is the matter
		return s.fragment, d
	}
	r.bar(s, d, intoExam)
	return s.fragment, nil
}

// diagnoseKeySet says that the tool's key set is not where the configuration says. One
// that is there, and cannot be read or used, is judged, and needed for what the tool signs
// alone.
func (r *Run) diagnoseKeySet(ctx context.Context) *results.Diagnosis {
	if r.tool.JWKSURL == "" {
		return nil
	}
	_, err := r.FetchKeySet(ctx, r.tool.JWKSURL)
	if !isAny(err, errAway, errNothing) {
		return nil
	}
	return &results.Diagnosis{
		Problem: fmt.Sprintf("The tool's key set cannot be read: %s.", err), Step: "key set", Sent: "GET " + r.tool.JWKSURL, Seen: err.Error(),
		LookAt: cmp.Or(aboutCertificate(err, r.config.CAFile), "Is "+r.tool.JWKSURL+" (tool.jwks_url) where the tool publishes its keys?"),
	}
}

// diagnoseExam says why a candidate did not get through the check-in.
func (r *Run) diagnoseExam(flow *Flow) *results.Diagnosis {
	d := &results.Diagnosis{
		Problem: "A valid launch into a proctored exam did not lead to LtiStartAssessment: " + flow.Reaction.Why + ".",
		Step:    "check-in", Sent: "LtiStartProctoring, with start_assessment_url " + proctoring.Of(flow.Launch).StartAssessmentURL(), Seen: describe(flow.Trip),
		LookAt: "The journey that does check-in: do its steps lead through the tool's pages up to the start of the assessment?",
		FlowID: flow.ID,
	}
	if len(flow.Trip.Screenshot) > 0 {
		d.LookAt = "The picture in the report. " + d.LookAt
	}
	if n := len(flow.Record.Returns); n > 0 {
		d.Seen = fmt.Sprintf("the candidate was returned to the platform; lti_errormsg %q, lti_errorlog %q",
			results.Bounded(flow.Record.Returns[n-1].ErrorMessage, 300), results.Bounded(flow.Record.Returns[n-1].ErrorLog, 300))
		d.LookAt = fmt.Sprintf("The tool's registration of the platform, and whether it may proctor for it: issuer %s, client_id %s, deployment_id %s.", r.platform.Issuer(), r.tool.ClientID, r.tool.DeploymentID) + r.neverFetched()
	}
	if !flow.Attended() && flow.Trip.Page.Status >= http.StatusBadRequest {
		d.LookAt = r.whereRegistered()
	}
	for _, step := range slices.Backward(flow.Trip.Steps) {
		if strings.HasPrefix(step.Note, "cookie ") {
			d.LookAt = "The browser says: " + results.Bounded(step.Note, 300) + ". " + d.LookAt
			break
		}
	}
	return d
}

// learnHonesty finds out whether the tool refuses with error statuses. One that
// accepts even a bad signature is judged for that later, not here.
func (r *Run) learnHonesty(ctx context.Context, contrast, bad *Flow, browser agent.User) error {
	accepted := r.baseline.reaction(bad).Kind == Accepted && !r.tool.LaunchAccepted.IsZero()
	if r.baseline.sessionURL != "" {
		trip, err := browser.Visit(ctx, r.visit(r.baseline.sessionURL))
		if err != nil {
			return err
		}
		accepted = accepted || r.baseline.session(trip) == shown
	}
	r.baseline.honest = contrast.Trip.Page.Status >= 400 && (bad.Trip.Page.Status >= 400 || accepted)
	return nil
}

// mayHoldOldKeys says whether a real tool has not looked for the platform's key:
// it may have the keys of an earlier run, and look again only after a while.
func (r *Run) mayHoldOldKeys(control *Flow) bool {
	b := baseline{tool: r.tool}
	fetched, _ := r.FetchedSince(nil)
	return !r.config.IsEmbedded() && !r.hasNoSuchPage(control) && control.Answered() && b.reaction(control).Kind == Refused && fetched == 0
}

// learnSession finds out whether a page tells browsers that were launched from
// others. One that shows the resource to the control's browser alone does not.
func (r *Run) learnSession(ctx context.Context, control *Flow, launched []agent.User) error {
	sessionURL := r.tool.ProtectedURL
	if sessionURL == "" {
		sessionURL, _, _ = strings.Cut(control.Trip.Page.URL, "#")
		sessionURL, _, _ = strings.Cut(sessionURL, "?")
	}
	stranger, err := r.Open(ctx)
	if err != nil {
		return err
	}
	defer stranger.Close()
	fresh, err := stranger.Visit(ctx, r.visit(sessionURL))
	if err != nil {
		return err
	}
	r.baseline.stranger = likenessOf(fresh)
	if r.baseline.session(fresh) != nobody {
		return nil
	}
	for _, user := range launched {
		again, err := user.Visit(ctx, r.visit(sessionURL))
		if err != nil {
			return err
		}
		if r.baseline.session(again) != shown {
			return nil
		}
	}
	r.baseline.sessionURL = sessionURL
	return nil
}
