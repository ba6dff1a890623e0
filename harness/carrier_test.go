package harness

import (
	"testing"

	. "github.com/onsi/gomega"

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
	good := control{of: "a valid launch", ended: Accepted, sign: "HTTP 200", way: []string{"GET a", "POST b"}}
	bad := control{of: "a forged launch", refused: true, ended: Refused, sign: "HTTP 401", way: []string{"GET a"}}
	but := func(c control, change func(*control)) control { change(&c); return c }
	for name, c := range map[string]struct {
		browser, plain control
		want           string
	}{
		"accepted alike":                       {good, good, ""},
		"refused alike":                        {bad, bad, ""},
		"in other flows":                       {good, but(good, func(c *control) { c.flow = "01-0002" }), ""},
		"refused over plain HTTP":              {good, but(good, func(c *control) { c.ended = Refused }), "ended in the browser as accepted"},
		"accepted over plain HTTP":             {bad, but(bad, func(c *control) { c.ended = Accepted }), "over plain HTTP as accepted"},
		"by another sign":                      {bad, but(bad, func(c *control) { c.sign = "HTTP 403" }), "HTTP 403"},
		"on another way":                       {good, but(good, func(c *control) { c.way = []string{"GET a"} }), "went another way"},
		"both accept what has to be refused":   {but(bad, func(c *control) { c.ended = Accepted }), but(bad, func(c *control) { c.ended = Accepted }), "was not refused"},
		"both refuse what has to be accepted":  {but(good, func(c *control) { c.ended = Refused }), but(good, func(c *control) { c.ended = Refused }), "was not accepted"},
		"no sign speaks for either, in either": {but(bad, func(c *control) { c.ended = Unclear }), but(bad, func(c *control) { c.ended = Unclear }), "was not refused"},
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
