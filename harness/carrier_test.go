package harness

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// Which agent carries a scenario is decided in one place. It goes by what has been shown alone.
func TestCarrierOf(t *testing.T) {
	alike, unlike := comparison{alike: true, why: "both ended alike"}, comparison{why: "the launch needs scripts"}
	launches, both := []flowKind{flowLaunch}, []flowKind{flowLaunch, flowExam}
	for name, c := range map[string]struct {
		configured results.AgentKind
		declared   bool
		kinds      []flowKind
		shown      map[flowKind]comparison
		want       results.AgentKind
	}{
		"the browser, as configured":             {results.Browser, false, launches, map[flowKind]comparison{flowLaunch: alike}, results.Browser},
		"plain HTTP, as configured":              {results.HTTP, true, launches, nil, results.HTTP},
		"shown to be alike":                      {results.Auto, false, launches, map[flowKind]comparison{flowLaunch: alike}, results.HTTP},
		"a browser can tell a difference":        {results.Auto, true, launches, map[flowKind]comparison{flowLaunch: alike}, results.Browser},
		"nothing shown":                          {results.Auto, false, launches, nil, results.Browser},
		"shown to differ":                        {results.Auto, false, launches, map[flowKind]comparison{flowLaunch: unlike}, results.Browser},
		"shown of another kind":                  {results.Auto, false, launches, map[flowKind]comparison{flowExam: alike}, results.Browser},
		"two kinds, one of them shown":           {results.Auto, false, both, map[flowKind]comparison{flowLaunch: alike}, results.Browser},
		"two kinds, one of them shown to differ": {results.Auto, false, both, map[flowKind]comparison{flowLaunch: alike, flowExam: unlike}, results.Browser},
		"two kinds, both shown":                  {results.Auto, false, both, map[flowKind]comparison{flowLaunch: alike, flowExam: alike}, results.HTTP},
		"a kind that has no controls":            {results.Auto, false, []flowKind{""}, map[flowKind]comparison{flowLaunch: alike}, results.Browser},
		"no kind":                                {results.Auto, false, nil, map[flowKind]comparison{flowLaunch: alike}, results.Browser},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(carrierOf(c.configured, c.declared, c.kinds, c.shown)).To(Equal(c.want))
		})
	}
}

// Controls are alike where they end as they have to, by the same sign and on the same way.
func TestDiffer(t *testing.T) {
	good := Control{of: "a valid launch", ended: Accepted, sign: "HTTP 200", way: []string{"GET a", "POST b"}}
	bad := Control{of: "a forged launch", refused: true, ended: Refused, sign: "HTTP 401", way: []string{"GET a"}}
	but := func(c Control, change func(*Control)) Control { change(&c); return c }
	for name, c := range map[string]struct {
		browser, plain Control
		want           string
	}{
		"accepted alike":                       {good, good, ""},
		"refused alike":                        {bad, bad, ""},
		"in other flows":                       {good, but(good, func(c *Control) { c.flow = "01-0002" }), ""},
		"refused over plain HTTP":              {good, but(good, func(c *Control) { c.ended = Refused }), "ended in the browser as accepted"},
		"accepted over plain HTTP":             {bad, but(bad, func(c *Control) { c.ended = Accepted }), "over plain HTTP as accepted"},
		"by another sign":                      {bad, but(bad, func(c *Control) { c.sign = "HTTP 403" }), "HTTP 403"},
		"on another way":                       {good, but(good, func(c *Control) { c.way = []string{"GET a"} }), "went another way"},
		"both accept what has to be refused":   {but(bad, func(c *Control) { c.ended = Accepted }), but(bad, func(c *Control) { c.ended = Accepted }), "was not refused"},
		"both refuse what has to be accepted":  {but(good, func(c *Control) { c.ended = Refused }), but(good, func(c *Control) { c.ended = Refused }), "was not accepted"},
		"no sign speaks for either, in either": {but(bad, func(c *Control) { c.ended = Unclear }), but(bad, func(c *Control) { c.ended = Unclear }), "was not refused"},
	} {
		t.Run(name, func(t *testing.T) {
			got := differ(c.browser, c.plain)
			if c.want == "" {
				NewWithT(t).Expect(got).To(BeEmpty())
				return
			}
			NewWithT(t).Expect(got).To(ContainSubstring(c.want))
		})
	}
}

// autoRun is what a run with the agent auto stands on, whose launches have been shown to end
// alike in both agents.
func autoRun() *Run {
	c := config.Demo(config.ToolSide)
	c.Agent = string(results.Auto)
	run := &Run{base: newBase(c, 1)}
	run.main, run.plain = agent.NewHTTP(agent.Hosts{}), agent.NewHTTP(agent.Hosts{})
	run.shown[flowLaunch] = comparison{alike: true, why: "both ended alike"}
	run.carryBy(results.HTTP)
	return run
}

// turn is a scenario that has seen a flow of its own in each case. Verdicts are by case, of
// a requirement that has to be kept.
func turn(t *testing.T, run *Run, flow string, verdicts map[string]results.Verdict) *Scenario {
	s := &Scenario{run: run, observer: observer[*Flow]{base: &run.base, tb: t, text: "a scenario", fragment: emptyFragment()}}
	for stimulus, verdict := range verdicts {
		f := &Flow{evidence: results.Flow{ID: flow + stimulus}, Trip: &agent.Trip{}}
		s.observer.keep(f)
		s.Observe(doubtful, stimulus, verdict, "", "Seen so.", f)
	}
	return s
}

const doubtful = requirements.ID("sec-tool-aud")

// One turn that went wrong over plain HTTP does not tell the agents apart: it has to pass in the
// browser, and to go wrong over plain HTTP once more.
func TestHoldAgainst(t *testing.T) {
	failed, passed, none := results.Failed, results.Passed, results.Verdict("")
	for name, c := range map[string]struct {
		browser, again results.Verdict
		apart          bool
		want           results.Verdict
	}{
		"passes in the browser, and goes wrong again":        {passed, failed, true, results.Inconclusive},
		"passes in the browser, and in a further turn":       {passed, passed, false, failed},
		"passes in the browser, and is not seen again":       {passed, none, false, results.Inconclusive},
		"passes in the browser, and shows nothing after all": {passed, results.Inconclusive, false, results.Inconclusive},
		"goes wrong in the browser":                          {failed, none, false, failed},
		"is not seen in the browser":                         {none, none, false, results.Inconclusive},
		"shows nothing in the browser":                       {results.Inconclusive, none, false, results.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			run := autoRun()
			cases := func(v results.Verdict) map[string]results.Verdict {
				if v == none {
					return nil
				}
				return map[string]results.Verdict{"": v}
			}
			first := turn(t, run, "http-1", cases(failed))
			doubts := first.Doubts(false)
			g.Expect(doubts).To(HaveLen(1))
			g.Expect(run.agent).To(BeIdenticalTo(run.main), "the browser carries the next turn")
			first.drop()
			g.Expect(first.finish().Flows).To(HaveKey("http-1"), "the evidence stays")

			browser := turn(t, run, "browser", cases(c.browser))
			contested := c.browser == passed
			g.Expect(browser.contested(doubts, browser.finish, run.carriedBy)).To(Equal(contested))
			if contested {
				g.Expect(run.agent).To(BeIdenticalTo(run.plain), "plain HTTP carries a further turn")
				further := turn(t, run, "http-2", cases(c.again))
				doubts = further.OnceMore(doubts)
				further.drop()
				if c.again != none {
					g.Expect(further.finish().Flows).To(HaveKey("http-2"), "the evidence stays")
				}
			}
			browser.HoldAgainst(doubts, []string{requirements.Launch})
			seen := browser.finish()
			g.Expect(seen.Observations).To(ConsistOf(HaveField("Verdict", c.want)))
			g.Expect(seen.Findings).To(BeEmpty())
			g.Expect(seen.Observations[0].Flows).To(ContainElement("http-1"))
			g.Expect(run.shown[flowLaunch].alike).To(Equal(!c.apart))
			g.Expect(seen.Carriers).To(HaveLen(map[bool]int{true: 1}[c.apart]))
			run.Carry(t.Context(), false, []string{requirements.Launch})
			want := run.plain
			if c.apart {
				want = run.main
			}
			g.Expect(run.agent).To(BeIdenticalTo(want), "who carries the next scenario of the kind")
		})
	}
}

// Other cases of a scenario keep what the browser has seen of them.
func TestHoldAgainstGoesByCase(t *testing.T) {
	g := NewWithT(t)
	run := autoRun()
	doubts := turn(t, run, "http-1", map[string]results.Verdict{"a": results.Failed, "b": results.Passed}).Doubts(false)
	browser := turn(t, run, "browser", map[string]results.Verdict{"a": results.Passed, "b": results.Passed})
	doubts = turn(t, run, "http-2", map[string]results.Verdict{"a": results.Passed, "b": results.Failed}).OnceMore(doubts)
	browser.HoldAgainst(doubts, []string{requirements.Launch})
	g.Expect(browser.finish().Observations).To(ConsistOf(
		And(HaveField("Case", "a"), HaveField("Verdict", results.Failed)), And(HaveField("Case", "b"), HaveField("Verdict", results.Passed))))
	g.Expect(run.shown[flowLaunch].alike).To(BeTrue())
}

// Where the subject was away, the browser carries the scenario when it is done again.
func TestTheBrowserCarriesWhatIsDoneAgain(t *testing.T) {
	g := NewWithT(t)
	run := autoRun()
	g.Expect(turn(t, run, "http-1", map[string]results.Verdict{"": results.Passed}).Doubts(true)).To(BeEmpty())
	g.Expect(run.agent).To(BeIdenticalTo(run.main))
}

// What plain HTTP sees in a control is told, and does not stand.
func TestCompareKeepsWhatTheBrowserHasSeen(t *testing.T) {
	g := NewWithT(t)
	run := autoRun()
	seen := run.compare(t.Context(), flowExam, func(context.Context, flowKind) ([]Control, results.Fragment, error) {
		made := []Control{{of: "a valid launch", ended: Accepted, sign: "HTTP 200"}}
		if run.agent == run.main {
			return made, turn(t, run, "browser", map[string]results.Verdict{"": results.Passed}).fragment, nil
		}
		return made, turn(t, run, "http-1", map[string]results.Verdict{"": results.Failed}).fragment, nil
	})
	g.Expect(run.shown[flowExam].alike).To(BeTrue())
	g.Expect(seen.Observations).To(ConsistOf(HaveField("Verdict", results.Passed)))
	g.Expect(seen.Findings).To(ConsistOf(HaveField("Flow", "http-1")))
	g.Expect(seen.Flows).To(HaveKey("http-1"))
}
