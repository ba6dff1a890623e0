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
		requirements.Launch: flowLaunch, requirements.NamesAndRoles: flowLaunch, requirements.DeepLinking: flowLaunch, requirements.DynamicRegistration: flowLaunch, requirements.PlatformStorage: flowLaunch,
		requirements.Proctoring: flowExam, toolMessages: flowExam,
		requirements.Grades: flowWork, requirements.Services: flowWork,
		requirements.SubmissionReview: flowReview,
	},
	config.PlatformSide: {
		requirements.Launch: flowLaunch, requirements.NamesAndRoles: flowLaunch, requirements.DeepLinking: flowLaunch, requirements.Grades: flowLaunch, requirements.Services: flowLaunch,
		requirements.PlatformStorage: flowLaunch,
		requirements.Proctoring:      flowExam, toolMessages: flowExam,
		requirements.SubmissionReview: flowReview,
	},
}

// needs are the features without which a subject has no flow of a kind.
var needs = map[flowKind]string{flowExam: config.Proctoring, flowWork: config.Grades, flowReview: config.SubmissionReview}

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
type controlling func(context.Context, flowKind) ([]Control, results.Fragment, error)

// carry chooses who carries the next scenario. Where it depends on what was not compared
// yet, the controls of that kind are made in both agents; what was seen of them is returned.
func (r *base) carry(ctx context.Context, declared bool, profiles []string, controls controlling) []results.Fragment {
	var found []results.Fragment
	kinds := r.kindsOf(profiles)
	if r.configured() == results.Auto && !declared {
		for _, kind := range kinds {
			if feature := needs[kind]; feature != "" && !r.config.Has(feature) {
				continue // no flow of the kind is judged
			}
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

// A Control is a flow of a kind that shows how such flows end.
type Control struct {
	of      string // what it is, in words
	refused bool   // it has to be
	ended   Kind   // Accepted, Refused and so on; Unclear where no sign speaks
	sign    string // what shows it
	way     []string
	flow    string // its id
}

// String says how a control ended.
func (c Control) String() string { return fmt.Sprintf("%s: %s (%s)", c.of, c.ended, c.sign) }

// compare makes the controls of a kind in both agents, the browser first, and takes down what
// they show. The flows are kept where they do not end alike.
func (r *base) compare(ctx context.Context, kind flowKind, controls controlling) results.Fragment {
	seen := observer[*Flow]{base: r, tb: mustHold{}, text: preflightText, fragment: emptyFragment()}
	unlike := func(why string, flows ...string) results.Fragment {
		r.shown[kind] = comparison{why: results.Bounded(why, maxSaid)}
		for _, flow := range flows {
			seen.Tell("agents", why, flow)
		}
		return seen.finish()
	}
	var made [2][]Control
	for i, by := range []results.AgentKind{results.Browser, results.HTTP} {
		r.carryBy(by)
		var fragment results.Fragment
		var err error
		made[i], fragment, err = controls(ctx, kind)
		if by == results.Browser {
			seen.fragment.Observations = append(seen.fragment.Observations, fragment.Observations...)
		} else { // it stands only where the browser sees it
			r.breaches.takeBack(fragment.Observations)
			for _, o := range fragment.Observations {
				for _, flow := range o.Flows {
					seen.Tell("agents", fmt.Sprintf("Over plain HTTP %s was %s in a control, which counts only where the browser sees it: %s", o.Requirement, o.Verdict, o.Seen), flow)
				}
			}
		}
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
func differ(browser, plain Control) string {
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

// carriedBy lets an agent carry what follows.
func (r *Run) carriedBy(kind results.AgentKind) {
	r.carryBy(kind)
	r.lastControl = nil // it shows nothing of what the other agent meets
}

// controls makes those of a kind of flow: a valid one, and one that has to be refused.
func (r *Run) controls(ctx context.Context, kind flowKind) ([]Control, results.Fragment, error) {
	s := r.preflightScenario(emptyFragment())
	s.kind = plain
	forged, _ := fakeplatform.FaultNamed("signature-last-byte-changed")
	valid, bad := Launch{}, Launch{Fault: &forged}
	switch kind {
	case flowExam:
		valid.Exam, bad.Exam = &proctoring.Exam{}, &proctoring.Exam{}
	case flowWork:
		a := s.Assign()
		valid.Assignment, bad.Assignment = &a, &a
	case flowReview:
		work, err := s.Standing(ctx)
		if err != nil {
			return nil, s.fragment, err
		}
		valid.Review, bad.Review = work, work
	}
	var made []Control
	for _, l := range []Launch{valid, bad} {
		c := Control{of: "a valid launch"}
		if l.Fault != nil {
			c = Control{of: "a launch whose signature is bad", refused: true}
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

// carriedBy lets an agent carry what follows.
func (r *PlatformRun) carriedBy(kind results.AgentKind) {
	r.carryBy(kind)
	r.works = false
}

// strangerRequest is an authentication request that every platform has to refuse: of a
// client that it does not know.
const strangerRequest = "client-id-unknown"

// controls makes those of a kind of flow: a valid one, and one that has to be refused.
func (r *PlatformRun) controls(ctx context.Context, kind flowKind) ([]Control, results.Fragment, error) {
	s := r.scene(observer[*PlatformFlow]{base: &r.base, tb: mustHold{}, text: preflightText, fragment: emptyFragment()})
	defer s.clear()
	var made []Control
	title := fmt.Sprintf("control of the agents: %s", kind)
	var err error
	switch kind {
	case flowLaunch:
		made, err = s.Controls(ctx, PlatformLaunch{Title: title, Link: r.FirstLink()})
	default:
		p := partOf(needs[kind])
		if p == nil || p.Controls == nil {
			return nil, s.fragment, errors.New("it has no controls")
		}
		made, err = p.Controls(ctx, s, title)
	}
	return made, s.fragment, err
}

// Controls are those of a launch: a valid one, and one that has to be refused.
func (s *PlatformScenario) Controls(ctx context.Context, l PlatformLaunch) ([]Control, error) {
	unknown, _ := faketool.FaultNamed(strangerRequest)
	valid, err := s.Launch(ctx, l)
	if err != nil {
		return nil, err
	}
	verdict, _ := s.Answered(valid)
	l.Fault = &unknown
	refused, err := s.Launch(ctx, l)
	if err != nil {
		return nil, err
	}
	made := []Control{{of: "a valid launch", ended: endOf(verdict, false), sign: valid.sign(), way: wayOf(valid.Trip), flow: valid.ID}}
	verdict, _ = s.Refused(refused)
	return append(made, Control{
		of: "an authentication request of an unknown client", refused: true, ended: endOf(verdict, true), sign: refused.sign(), way: wayOf(refused.Trip), flow: refused.ID,
	}), nil
}

// PageControl is one that a page shows the end of: a flow that came after others, which has to
// be refused or not, and was accepted or not.
func PageControl(of string, refused, accepted bool, flow *PlatformFlow, before ...*PlatformFlow) Control {
	c := Control{of: of, refused: refused, ended: Refused, sign: pageSign(flow.Trip), flow: flow.ID}
	if accepted {
		c.ended = Accepted
	}
	var trips []*agent.Trip
	for _, f := range append(before, flow) {
		trips = append(trips, f.Trip)
	}
	c.way = wayOf(trips...)
	return c
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
	flows                 []string
	again                 results.Verdict // of a further turn over plain HTTP; empty where none has seen it
}

// of says whether an observation is of the same case.
func (d Doubt) of(o results.Observation) bool {
	return o.Requirement == d.requirement && o.Case == d.stimulus
}

// isRed says whether a verdict tells of something wrong.
func isRed(v results.Verdict) bool { return v == results.Failed || v == results.Warned }

// doubtsOf are the doubts where plain HTTP has seen that.
func doubtsOf(observed []results.Observation) []Doubt {
	var doubts []Doubt
	for _, o := range observed {
		if o.Verdict != results.Passed && o.Verdict != results.Skipped {
			doubts = append(doubts, Doubt{requirement: o.Requirement, stimulus: o.Case, verdict: o.Verdict, seen: o.Seen, flows: o.Flows})
		}
	}
	return doubts
}

// verdictIn is the verdict on the case in a turn: the first that is not passed, and empty
// where nothing was observed of it.
func (d Doubt) verdictIn(turn []results.Observation) results.Verdict {
	var verdict results.Verdict
	for _, o := range turn {
		if d.of(o) && (verdict == "" || verdict == results.Passed) {
			verdict = o.Verdict
		}
	}
	return verdict
}

// name is the requirement and the stimulus.
func (d Doubt) name() string { return strings.TrimSpace(d.requirement + " " + d.stimulus) }

// Doubts says that the scenario is to be done again in the browser, which carries it from
// then on: plain HTTP has seen something else than what passes. It returns what was seen.
// Where the subject was away meanwhile that says nothing, and the browser carries the
// scenario when it is done again.
func (s *Scenario) Doubts(away bool) []Doubt { return s.doubts(away, s.run.carriedBy) }

// Doubts says that the scenario is to be done again in the browser; see [Scenario.Doubts].
func (s *PlatformScenario) Doubts(away bool) []Doubt { return s.doubts(away, s.run.carriedBy) }

func (s *observer[F]) doubts(away bool, carriedBy func(results.AgentKind)) []Doubt {
	if s.base.configured() != results.Auto || s.base.agent != s.base.plain {
		return nil
	}
	if away {
		carriedBy(results.Browser)
		return nil
	}
	doubts := doubtsOf(s.fragment.Observations)
	if len(doubts) > 0 {
		carriedBy(results.Browser)
	}
	s.stays(doubts)
	return doubts
}

// Contested says that the scenario is to be done once more over plain HTTP, which carries it
// from then on: something that was wrong over plain HTTP has passed in the browser. The turn
// in the browser is ended then.
func (s *Scenario) Contested(doubts []Doubt) bool {
	return s.contested(doubts, s.Finish, s.run.carriedBy)
}

// Contested says that the scenario is to be done once more; see [Scenario.Contested].
func (s *PlatformScenario) Contested(doubts []Doubt) bool {
	return s.contested(doubts, s.Finish, s.run.carriedBy)
}

func (s *observer[F]) contested(doubts []Doubt, finish func() results.Fragment, carriedBy func(results.AgentKind)) bool {
	contested := slices.ContainsFunc(doubts, func(d Doubt) bool {
		return isRed(d.verdict) && d.verdictIn(s.fragment.Observations) == results.Passed
	})
	if contested {
		finish()
		carriedBy(results.HTTP)
	}
	return contested
}

// OnceMore returns the doubts with what this further turn over plain HTTP has seen of them.
func (s *observer[F]) OnceMore(doubts []Doubt) []Doubt {
	doubts = slices.Clone(doubts)
	for i := range doubts {
		d := &doubts[i]
		d.again = d.verdictIn(s.fragment.Observations)
		for _, o := range s.fragment.Observations {
			if d.of(o) {
				d.flows = slices.Concat(d.flows, o.Flows)
			}
		}
	}
	s.stays(doubts)
	return doubts
}

// stays keeps the flows that have shown something wrong, whatever becomes of the observation.
func (s *observer[F]) stays(doubts []Doubt) {
	for _, d := range doubts {
		if isRed(d.verdict) {
			s.lasting = append(s.lasting, d.flows...)
		}
	}
}

// HoldAgainst holds what was seen in the browser against what plain HTTP has seen of the same.
// Where that went wrong, went wrong in a further turn as well, and passed in the browser, the
// subject tells the agents apart: neither says anything of it, nor does anything else that
// plain HTTP alone has seen of such flows, which the browser carries from then on. Where it
// passed in the further turn, it has gone wrong once all the same: a tool that takes an empty
// nonce, and knows it from then on, refuses it in every later turn.
func (s *observer[F]) HoldAgainst(doubts []Doubt, profiles []string) {
	var apart string
	for _, d := range doubts {
		if !isRed(d.verdict) {
			continue
		}
		seen := fmt.Sprintf("Over plain HTTP this was %s: %s", d.verdict, d.seen)
		switch inBrowser := d.verdictIn(s.fragment.Observations); {
		case inBrowser == "":
			s.Observe(requirements.ID(d.requirement), d.stimulus, results.Inconclusive, "", seen+" In the browser nothing was seen of it.")
			s.shows(d)
		case inBrowser != results.Passed: // that counts
			s.shows(d)
		case isRed(d.again):
			apart = d.name()
			s.becomes(d, results.Inconclusive, fmt.Sprintf("The %s tells the agents apart. %s In the browser it was not", s.base.config.Side, seen))
		case d.again == results.Passed: // what went wrong once has gone wrong, whoever carried it
			s.becomes(d, d.verdict, seen+" In the browser, and over plain HTTP once more, it was not so, though the same was done")
		default:
			s.becomes(d, results.Inconclusive, seen+" A further turn over plain HTTP has not shown whether it is so each time. In the browser it was not")
		}
	}
	if apart == "" {
		return
	}
	for _, kind := range s.base.kindsOf(profiles) {
		s.base.shown[kind] = comparison{why: results.Bounded(apart+" ended differently over plain HTTP", maxSaid)}
		s.fragment.Carriers = append(s.fragment.Carriers, s.base.carrierFor(kind))
	}
}

// becomes gives a case that passed in the browser another verdict, as seen begins to say.
func (s *observer[F]) becomes(d Doubt, verdict results.Verdict, seen string) {
	for i := range s.fragment.Observations {
		if o := &s.fragment.Observations[i]; d.of(*o) {
			o.Verdict, o.Seen = verdict, results.Bounded(seen+": "+o.Seen, maxSaid)
		}
	}
	s.shows(d)
}

// shows names the flows of a doubt in the observation of the same case.
func (s *observer[F]) shows(d Doubt) {
	if i := slices.IndexFunc(s.fragment.Observations, d.of); i >= 0 {
		s.fragment.Observations[i].Flows = slices.Concat(s.fragment.Observations[i].Flows, d.flows)
	}
}
