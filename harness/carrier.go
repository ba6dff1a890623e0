package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// With the agent auto, a browser carries whatever it can tell a difference in, and plain
// HTTP the rest: once the run has shown, for this subject and each kind of flow, that the
// controls of that kind end alike in both. What plain HTTP sees stands only where it
// passes; all else is done again in the browser.

// A flowKind is a kind of flow that has controls of its own.
type flowKind string

// toolMessages is the profile of what tools sign in exams.
const toolMessages = "tool-messages"

// The kinds.
const (
	flowLaunch flowKind = "launch"
	flowExam   flowKind = "exam"
	flowWork   flowKind = "work that is handed in"
	flowReview flowKind = "review"
)

// flowKinds are, by side, the kinds of flow that the profiles of the catalogue are seen in.
// The services of a platform are asked by servers, whatever carried the launch.
var flowKinds = map[config.Side]map[string]flowKind{
	config.ToolSide: {
		requirements.Launch: flowLaunch, requirements.NamesAndRoles: flowLaunch,
		requirements.Proctoring: flowExam, toolMessages: flowExam,
		requirements.Grades: flowWork, requirements.Services: flowWork,
		requirements.SubmissionReview: flowReview,
	},
	config.PlatformSide: {
		requirements.Launch: flowLaunch, requirements.NamesAndRoles: flowLaunch, requirements.Grades: flowLaunch, requirements.Services: flowLaunch,
		requirements.Proctoring: flowExam, toolMessages: flowExam,
		requirements.SubmissionReview: flowReview,
	},
}

// A comparison is what the run has shown of a kind of flow. Its zero value is that nothing
// was shown yet.
type comparison struct {
	alike bool   // the controls end alike in both agents
	why   string // what shows that, or that they do not
}

// carrierOf says which agent carries a scenario: by the agent that is configured, by
// whether the scenario declares that a browser can tell a difference in it, by the kinds
// of its flows, and by what the run has shown of them.
func carrierOf(configured results.AgentKind, declared bool, kinds []flowKind, shown map[flowKind]comparison) results.AgentKind {
	unlike := func(kind flowKind) bool { return !shown[kind].alike }
	switch {
	case configured != results.Auto:
		return configured
	case declared, len(kinds) == 0, slices.ContainsFunc(kinds, unlike):
		return results.Browser
	default:
		return results.HTTP
	}
}

// kindsOf are the kinds of flow that requirements of those profiles are seen in; a profile
// that has none is one of which nothing can be shown.
func (r *base) kindsOf(profiles []string) []flowKind {
	var kinds []flowKind
	for _, profile := range profiles {
		if kind := flowKinds[r.config.Side][profile]; !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// controlling makes the controls of a kind of flow in the agent that carries the users, and
// returns what was seen of them as well.
type controlling func(context.Context, flowKind) ([]control, results.Fragment, error)

// carry chooses who carries the next scenario. Where it depends on what was not compared
// yet, the controls of that kind are made in both agents; what was seen of them is returned.
func (r *base) carry(ctx context.Context, declared bool, profiles []string, controls controlling) []results.Fragment {
	var found []results.Fragment
	kinds := r.kindsOf(profiles)
	if r.configured() == results.Auto && !declared {
		for _, kind := range kinds {
			if _, tried := r.shown[kind]; !tried {
				seen := r.compare(ctx, kind, controls)
				seen.Carriers = []results.Carrier{r.carrierFor(kind)}
				found = append(found, seen)
			}
		}
	}
	r.carryBy(carrierOf(r.configured(), declared, kinds, r.shown))
	return found
}

// configured is the agent that the configuration names.
func (r *base) configured() results.AgentKind { return results.AgentKind(r.config.Agent) }

// carryBy lets an agent carry the users from now on.
func (r *base) carryBy(kind results.AgentKind) {
	r.agent = r.main
	if kind == results.HTTP {
		r.agent = r.plain
	}
}

// carrierFor is what the document says of who carries a kind of flow.
func (r *base) carrierFor(kind flowKind) results.Carrier {
	c := results.Carrier{Flows: string(kind), Agent: results.Browser, Why: r.shown[kind].why}
	if r.shown[kind].alike {
		c.Agent = results.HTTP
	}
	for profile, of := range flowKinds[r.config.Side] {
		if of == kind {
			c.Profiles = append(c.Profiles, profile)
		}
	}
	slices.Sort(c.Profiles)
	return c
}

// A control is a flow of a kind that shows how such flows end.
type control struct {
	of      string // what it is, in words
	refused bool   // it has to be
	ended   Kind   // Accepted, Refused and so on; Unclear where no sign speaks
	sign    string // what shows it
	way     []string
	flow    string // its id
}

// String says how a control ended.
func (c control) String() string { return fmt.Sprintf("%s: %s (%s)", c.of, c.ended, c.sign) }

// compare makes the controls of a kind in both agents, the browser first, and takes down what
// they show. The flows are kept where they do not end alike.
func (r *base) compare(ctx context.Context, kind flowKind, controls controlling) results.Fragment {
	seen := observer[*Flow]{base: r, tb: mustHold{}, text: preflightText, fragment: emptyFragment()}
	unlike := func(why string, flows ...string) results.Fragment {
		r.shown[kind] = comparison{why: results.Bounded(why, maxSaid)}
		for _, flow := range flows {
			seen.find("agents", why, flow)
		}
		return seen.finish()
	}
	var made [2][]control
	for i, by := range []results.AgentKind{results.Browser, results.HTTP} {
		r.carryBy(by)
		var fragment results.Fragment
		var err error
		made[i], fragment, err = controls(ctx, kind)
		seen.fragment.Observations = append(seen.fragment.Observations, fragment.Observations...)
		seen.fragment.Findings = append(seen.fragment.Findings, fragment.Findings...)
		maps.Copy(seen.fragment.Flows, fragment.Flows)
		maps.Copy(seen.fragment.Screenshots, fragment.Screenshots)
		if err != nil {
			return unlike(fmt.Sprintf("the controls could not be made in the agent %s: %s", by, strings.TrimSuffix(err.Error(), ".")))
		}
	}
	if len(made[0]) == 0 || len(made[0]) != len(made[1]) {
		return unlike("there are no controls to compare")
	}
	var ended []string
	for i, browser := range made[0] {
		if why := differ(browser, made[1][i]); why != "" {
			return unlike(why, browser.flow, made[1][i].flow)
		}
		ended = append(ended, browser.String())
	}
	r.shown[kind] = comparison{alike: true, why: results.Bounded("both agents ended alike: "+strings.Join(ended, "; "), maxSaid)}
	return seen.finish()
}

// differ says in what a control did not end in the browser as it did over plain HTTP, or as
// controls have to; empty where they are alike.
func differ(browser, plain control) string {
	want := Accepted
	if browser.refused {
		want = Refused
	}
	switch {
	case browser.ended != plain.ended || browser.sign != plain.sign:
		return fmt.Sprintf("%s ended in the browser as %s (%s), and over plain HTTP as %s (%s)", browser.of, browser.ended, browser.sign, plain.ended, plain.sign)
	case browser.ended != want:
		return fmt.Sprintf("%s was not %s, but %s (%s)", browser.of, want, browser.ended, browser.sign)
	case !slices.Equal(browser.way, plain.way):
		return fmt.Sprintf("%s went another way: in the browser %s; over plain HTTP %s", browser.of, strings.Join(browser.way, ", "), strings.Join(plain.way, ", "))
	default:
		return ""
	}
}

// wayOf is what two agents have in common on the same way: which servers they asked for
// documents, the names of what they sent, and the statuses. How many cookies they have is
// a matter of what they did before.
func wayOf(trips ...*agent.Trip) []string {
	var way []string
	for _, trip := range trips {
		for _, s := range trip.Steps {
			u, err := url.Parse(s.URL)
			if err != nil {
				u = &url.URL{}
			}
			form, _ := url.ParseQuery(s.RequestBody)
			names := slices.Sorted(maps.Keys(u.Query()))
			way = append(way, results.Bounded(fmt.Sprintf("%s %s [%s] [%s] %d", s.Method, u.Host, strings.Join(names, " "), strings.Join(slices.Sorted(maps.Keys(form)), " "), s.Status), 500))
		}
	}
	return way
}

// Carry chooses who carries the users of the next scenario, of requirements of those
// profiles. InBrowser says that a browser can tell a difference in it. What was seen of
// controls that were compared for it is returned.
func (r *Run) Carry(ctx context.Context, inBrowser bool, profiles []string) []results.Fragment {
	before := r.agent
	found := r.carry(ctx, inBrowser, profiles, r.controls)
	if r.agent != before {
		r.lastControl = nil // it shows nothing of what the other agent meets
	}
	return found
}

// inBrowser lets the browser carry what follows.
func (r *Run) inBrowser() {
	r.carryBy(results.Browser)
	r.lastControl = nil
}

// controls makes those of a kind of flow: a valid one, and one that has to be refused.
func (r *Run) controls(ctx context.Context, kind flowKind) ([]control, results.Fragment, error) {
	s := r.preflightScenario(emptyFragment())
	s.kind = plain
	forged, _ := fakeplatform.FaultNamed("signature-last-byte-changed")
	valid, bad := Launch{}, Launch{Fault: &forged}
	feature := ""
	switch kind {
	case flowExam:
		feature = config.Proctoring
		valid.Exam, bad.Exam = &proctoring.Exam{}, &proctoring.Exam{}
	case flowWork:
		feature = config.Grades
		a := s.Assign()
		valid.Assignment, bad.Assignment = &a, &a
	case flowReview:
		feature = config.SubmissionReview
		work, err := s.Standing(ctx)
		if err != nil {
			return nil, s.fragment, err
		}
		valid.Review, bad.Review = work, work
	}
	if feature != "" && !r.Has(feature) {
		return nil, s.fragment, fmt.Errorf("the tool does not declare the feature %s", feature)
	}
	var made []control
	for _, l := range []Launch{valid, bad} {
		c := control{of: "a valid launch"}
		if l.Fault != nil {
			c = control{of: "a launch whose signature is bad", refused: true}
		}
		l.Title = fmt.Sprintf("control of the agents, %s: %s", kind, c.of)
		var flow *Flow
		var err error
		if kind == flowWork && l.Fault == nil {
			_, flow, err = s.HandIn(ctx, *l.Assignment, l)
		} else {
			flow, err = s.Launch(ctx, l)
		}
		if err != nil {
			return nil, s.fragment, err
		}
		reaction := r.baseline.acceptance(flow)
		if c.refused {
			reaction = r.baseline.refusal(flow)
		}
		c.ended, c.sign, c.way, c.flow = reaction.Kind, reaction.Why, wayOf(flow.Trip), flow.ID
		made = append(made, c)
	}
	return made, s.fragment, nil
}

// Carry chooses who carries the users of the next scenario; see [Run.Carry].
func (r *PlatformRun) Carry(ctx context.Context, inBrowser bool, profiles []string) []results.Fragment {
	before := r.agent
	found := r.carry(ctx, inBrowser, profiles, r.controls)
	if r.agent != before {
		r.works = false
	}
	return found
}

func (r *PlatformRun) inBrowser() {
	r.carryBy(results.Browser)
	r.works = false
}

// strangerRequest is an authentication request that every platform has to refuse: of a
// client that it does not know.
const strangerRequest = "client-id-unknown"

// forgedStart is an LtiStartAssessment that every platform has to refuse.
const forgedStart = "start-payload-altered"

// controls makes those of a kind of flow: a valid one, and one that has to be refused.
func (r *PlatformRun) controls(ctx context.Context, kind flowKind) ([]control, results.Fragment, error) {
	s := r.scene(observer[*PlatformFlow]{base: &r.base, tb: mustHold{}, text: preflightText, fragment: emptyFragment()})
	defer s.clear()
	var made []control
	add := func(of string, flow *PlatformFlow, refused bool, ended Kind, sign string, trips ...*agent.Trip) {
		made = append(made, control{of: of, refused: refused, ended: ended, sign: sign, way: wayOf(trips...), flow: flow.ID})
	}
	unknown, _ := faketool.FaultNamed(strangerRequest)
	launches := func(l PlatformLaunch) error {
		flow, err := s.Launch(ctx, l)
		if err != nil {
			return err
		}
		verdict, _ := s.Answered(flow)
		add("a valid launch", flow, false, endOf(verdict, false), flow.sign(), flow.Trip)
		l.Fault = &unknown
		if flow, err = s.Launch(ctx, l); err != nil {
			return err
		}
		verdict, _ = s.Refused(flow)
		add("an authentication request of an unknown client", flow, true, endOf(verdict, true), flow.sign(), flow.Trip)
		return nil
	}
	title := fmt.Sprintf("control of the agents: %s", kind)
	var err error
	switch kind {
	case flowLaunch:
		err = launches(PlatformLaunch{Title: title, Link: r.firstLink()})
	case flowReview:
		if !r.Has(config.SubmissionReview) {
			return nil, s.fragment, errUndeclared
		}
		var book *Gradebook
		var item *LineItem
		if book, err = s.Gradebook(ctx, PlatformLaunch{Title: title}); err == nil {
			if item, err = s.Reviewed(ctx, book, nil, book.Sub()); err == nil {
				err = launches(s.launchOf(Review{Title: title, Item: item}))
			}
		}
	case flowExam:
		if !r.Has(config.Proctoring) {
			return nil, s.fragment, errUndeclared
		}
		altered, _ := faketool.FaultNamed(forgedStart)
		for _, start := range []StartMessage{{Title: title + ", refused", Fault: &altered}, {Title: title}} {
			var exam, flow *PlatformFlow
			if exam, err = s.Exam(ctx, PlatformLaunch{Title: title}); err != nil {
				break
			}
			if flow, err = s.Start(ctx, exam, start); err != nil {
				break
			}
			of, ended := "a valid LtiStartAssessment", Refused
			if start.Fault != nil {
				of = "an LtiStartAssessment whose signature is bad"
			}
			if flow.Started() {
				ended = Accepted
				_, _ = s.End(ctx, exam, Ending{Silent: true}) // the next exam ends what is under way
			}
			add(of, flow, start.Fault != nil, ended, pageSign(flow.Trip), exam.Trip, flow.Trip)
		}
	default:
		err = errors.New("it has no controls")
	}
	return made, s.fragment, err
}

// sign is what shows how the flow ended, without what differs each time.
func (f *PlatformFlow) sign() string {
	switch {
	case f.Launched():
		return "an id_token came"
	case f.Answer != nil && f.Answer.Error != "":
		return fmt.Sprintf("the error %q came", results.Bounded(f.Answer.Error, 100))
	default:
		return pageSign(f.Trip)
	}
}

// pageSign is what shows of the page that a trip ended on how it did.
func pageSign(t *agent.Trip) string {
	return strings.TrimSpace(fmt.Sprintf("%s, HTTP %d %s", t.Ended, t.Page.Status, results.Bounded(t.Page.Title, 100)))
}

// endOf is how a flow ended that was judged by what has to become of it.
func endOf(verdict results.Verdict, refused bool) Kind {
	switch {
	case verdict == results.Passed && refused, verdict == results.Failed && !refused:
		return Refused
	case verdict == results.Passed, verdict == results.Failed:
		return Accepted
	default:
		return Unclear
	}
}

// A Doubt is a verdict that plain HTTP has come to alone, and that does not stand.
type Doubt struct {
	requirement, stimulus string
	verdict               results.Verdict
	seen                  string
}

// Doubts says that the scenario is to be done again in the browser, which carries it from
// then on: plain HTTP has seen something else than what passes. It returns what was seen.
func (s *Scenario) Doubts() []Doubt { return s.doubts(s.run.inBrowser) }

// Doubts says that the scenario is to be done again in the browser; see [Scenario.Doubts].
func (s *PlatformScenario) Doubts() []Doubt { return s.doubts(s.run.inBrowser) }

func (s *observer[F]) doubts(inBrowser func()) []Doubt {
	if s.base.configured() != results.Auto || s.base.agent != s.base.plain {
		return nil
	}
	var doubts []Doubt
	for _, o := range s.fragment.Observations {
		if o.Verdict != results.Passed && o.Verdict != results.Skipped {
			doubts = append(doubts, Doubt{o.Requirement, o.Case, o.Verdict, o.Seen})
		}
	}
	if len(doubts) > 0 {
		inBrowser()
	}
	return doubts
}

// HoldAgainst holds what was seen in the browser against what plain HTTP has seen of the same.
// Where that failed and this passed, neither says anything of the subject, which
// tells the agents apart; nor does anything else that plain HTTP alone has seen of such flows.
func (s *observer[F]) HoldAgainst(doubts []Doubt, profiles []string) {
	var apart string
	for _, d := range doubts {
		if d.verdict != results.Failed && d.verdict != results.Warned {
			continue
		}
		same := func(o results.Observation) bool { return o.Requirement == d.requirement && o.Case == d.stimulus }
		if slices.ContainsFunc(s.fragment.Observations, func(o results.Observation) bool { return same(o) && o.Verdict != results.Passed }) {
			continue
		}
		seen := fmt.Sprintf("The %s tells the agents apart. Over plain HTTP this %s: %s In the browser it did not", s.base.config.Side, d.verdict, d.seen)
		if !slices.ContainsFunc(s.fragment.Observations, same) {
			s.Observe(requirements.ID(d.requirement), d.stimulus, results.Inconclusive, "", seen+".")
		}
		for i := range s.fragment.Observations {
			if o := &s.fragment.Observations[i]; same(*o) {
				o.Verdict, o.Seen = results.Inconclusive, results.Bounded(seen+": "+o.Seen, maxSaid)
			}
		}
		apart = strings.TrimSpace(d.requirement + " " + d.stimulus)
	}
	if apart == "" {
		return
	}
	for _, kind := range s.base.kindsOf(profiles) {
		c := s.base.carrierFor(kind)
		c.Agent, c.Why = results.Browser, apart+" "+"ended differently over plain HTTP"
		s.fragment.Carriers = append(s.fragment.Carriers, c)
	}
}
