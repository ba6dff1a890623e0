package fault_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"invigilator.example/fault"
)

type request struct{ nonce, state string }

var (
	nonceGiven = &fault.Rule[request]{Name: "a nonce is given", Broken: func(q request) error {
		if q.nonce == "" {
			return errors.New("no nonce")
		}
		return nil
	}}
	stateGiven = &fault.Rule[request]{Name: "a state is given", Broken: func(q request) error {
		if q.state == "" {
			return errors.New("no state")
		}
		return nil
	}}
	rules  = &fault.List[request]{Name: "an authentication request", Rules: []*fault.Rule[request]{nonceGiven, stateGiven}}
	claims = &fault.Seam[map[string]string]{Name: "the claims", Clone: maps.Clone[map[string]string]}
	retry  = &fault.Step[request]{Name: "sends it again"}
	answer = &fault.Step[request]{Name: "answers", Honest: func(request) bool { return true }}
)

func TestEffects(t *testing.T) {
	needsShortNonce := rules.Add(func(q request) error {
		if len(q.nonce) > 3 {
			return errors.New("a long nonce")
		}
		return nil
	})
	ofNobody := func(q request) bool { return q.state == "nobody" }
	for _, c := range []struct {
		name    string
		effects []fault.Effect
		q       request
		want    string // what is broken
	}{
		{"nothing is broken", nil, request{"n", "s"}, ""},
		{"all that is broken is told, in order", nil, request{}, "no nonce, no state"},
		{"a lifted rule is not checked", []fault.Effect{nonceGiven.Lift(nil)}, request{}, "no state"},
		{"a rule is lifted where the condition holds", []fault.Effect{nonceGiven.Lift(ofNobody)}, request{"", "nobody"}, ""},
		{"and is checked elsewhere", []fault.Effect{nonceGiven.Lift(ofNobody)}, request{"", "s"}, "no nonce"},
		{"a rule more is checked last", []fault.Effect{needsShortNonce}, request{"long", ""}, "no state, a long nonce"},
		{"two effects go together", []fault.Effect{needsShortNonce, stateGiven.Lift(nil)}, request{"long", ""}, "a long nonce"},
	} {
		t.Run(c.name, func(t *testing.T) {
			carrier := fault.Carry(c.effects...)
			var says []string
			for _, err := range rules.All(carrier, c.q) {
				says = append(says, err.Error())
			}
			if got := strings.Join(says, ", "); got != c.want {
				t.Errorf("All says %q instead of %q", got, c.want)
			}
			first, _, _ := strings.Cut(c.want, ", ")
			got := ""
			if err := rules.First(carrier, c.q); err != nil {
				got = err.Error()
			}
			if got != first {
				t.Errorf("First says %q instead of %q", got, first)
			}
		})
	}
}

func TestAChangeLeavesTheValueItself(t *testing.T) {
	own := map[string]string{"sub": "ann"}
	change := claims.Change(func(c map[string]string) map[string]string {
		c["sub"] = "bob"
		return c
	})
	if got := claims.Pass(fault.Carry(change), own); got["sub"] != "bob" {
		t.Errorf("the claim is %q", got["sub"])
	}
	if got := claims.Pass(nil, own); got["sub"] != "ann" {
		t.Errorf("without a fault, the claim is %q", got["sub"])
	}
}

func TestAChangeThatIsBoundToACaseIsMadeWhereItIsCarriedAlone(t *testing.T) {
	made := 0
	change := claims.ChangeWhen(func(c map[string]string) bool { return c["sub"] == "ann" }, func(c map[string]string) map[string]string {
		made++
		c["sub"] = "bob"
		return c
	})
	watching := fault.Carry().Watch(fault.Fault{Name: "mixes-users-up", Effects: []fault.Effect{change}})
	for sub, want := range map[string]struct {
		becomes string
		reached []string
	}{"ann": {"bob", []string{"mixes-users-up"}}, "eve": {"eve", nil}} {
		if got := claims.Pass(fault.Carry(change), map[string]string{"sub": sub}); got["sub"] != want.becomes {
			t.Errorf("%s becomes %q", sub, got["sub"])
		}
		before := made
		if got := claims.Pass(watching, map[string]string{"sub": sub}); got["sub"] != sub || made != before {
			t.Errorf("of a fault that is only watched, %s becomes %q", sub, got["sub"])
		}
		if got := watching.Reached(); !slices.Equal(got, want.reached) {
			t.Error(cmp.Diff(want.reached, got))
		}
	}
}

func TestAChangeOfAllIsMadeOfAllAndShowsWhereItSaysSo(t *testing.T) {
	seen := 0
	change := claims.ChangeAll(func(c map[string]string) bool { return c["sub"] == "ann" }, func(c map[string]string) map[string]string {
		seen++
		return c
	})
	carrier, watching := fault.Carry(change), fault.Carry().Watch(fault.Fault{Name: "mixes-users-up", Effects: []fault.Effect{change}})
	for _, sub := range []string{"ann", "eve"} {
		claims.Pass(carrier, map[string]string{"sub": sub})
	}
	if seen != 2 {
		t.Errorf("of two that passed, %d were seen", seen)
	}
	claims.Pass(watching, map[string]string{"sub": "eve"})
	if got := watching.Reached(); len(got) > 0 {
		t.Errorf("%q would have made a difference to eve", got)
	}
	claims.Pass(watching, map[string]string{"sub": "ann"})
	if got := watching.Reached(); len(got) != 1 || seen != 2 {
		t.Errorf("%q would have made a difference to ann, and %d were seen", got, seen)
	}
}

func TestAStepIsTakenOrLeft(t *testing.T) {
	carrier := fault.Carry(retry.Take(true, nil), answer.Take(false, func(q request) bool { return q.state == "" }))
	if !retry.Taken(carrier, request{}) || retry.Taken(nil, request{}) {
		t.Error("what only a fault does is done without one, or not with it")
	}
	if answer.Taken(carrier, request{}) || !answer.Taken(carrier, request{state: "s"}) || !answer.Taken(nil, request{}) {
		t.Error("what a fault leaves at times is left at others, or not then")
	}
}

func TestAnAnswerIsGivenWhereItIsCarriedAlone(t *testing.T) {
	done := 0
	ofNobody := func(q request) bool { return q.state == "nobody" }
	says := nonceGiven.Answer(ofNobody, func(request, error) error { done++; return errors.New("nobody") })
	takes := nonceGiven.Answer(nil, func(request, error) error { done++; return nil })
	watching := fault.Carry().Watch(fault.Fault{Name: "says", Effects: []fault.Effect{says}}, fault.Fault{Name: "takes", Effects: []fault.Effect{takes}})
	if err := nonceGiven.Check(watching, request{}); err == nil || err.Error() != "no nonce" {
		t.Errorf("without a fault it says %v", err)
	}
	if got, want := watching.Reached(), []string{"takes"}; !slices.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if done > 0 {
		t.Errorf("%d things were done without a fault", done)
	}
	if err := nonceGiven.Check(fault.Carry(says), request{state: "nobody"}); err == nil || err.Error() != "nobody" {
		t.Errorf("it says %v", err)
	}
	if err := nonceGiven.Check(fault.Carry(says), request{}); err == nil || err.Error() != "no nonce" {
		t.Errorf("elsewhere it says %v", err)
	}
	if err := nonceGiven.Check(fault.Carry(takes), request{}); err != nil {
		t.Errorf("it is not taken: %v", err)
	}
}

func TestASeamKnowsTheEffectsThatChangeWhatPasses(t *testing.T) {
	change := claims.Change(func(c map[string]string) map[string]string { return c })
	if !claims.Changed([]fault.Effect{nonceGiven.Lift(nil), change}) {
		t.Error("an effect on what passes is not found")
	}
	if other := (&fault.Seam[map[string]string]{Name: "the claims"}); other.Changed([]fault.Effect{change}) || claims.Changed(nil) {
		t.Error("an effect at another seam is found, or none is")
	}
}

func TestAlterChangesOneCharacterAndKeepsTheKind(t *testing.T) {
	for s, want := range map[string]string{"": "", "1234": "1244", "99": "91", "az": "ay", "-..-": "-.x-", "é1é": "é2é"} {
		if got := fault.Alter(s); got != want {
			t.Errorf("%q becomes %q instead of %q", s, got, want)
		}
	}
}

func TestReachedAreThoseThatWouldMakeADifference(t *testing.T) {
	carrier := fault.Carry(stateGiven.Lift(nil)).Watch(
		fault.Fault{Name: "accepts-no-nonce", Effects: []fault.Effect{nonceGiven.Lift(nil)}},
		fault.Fault{Name: "accepts-no-state", Effects: []fault.Effect{stateGiven.Lift(nil)}},
		fault.Fault{Name: "refuses-nobody", Effects: []fault.Effect{rules.Add(func(q request) error {
			if q.state == "nobody" {
				return errors.New("nobody")
			}
			return nil
		})}},
		fault.Fault{Name: "drops-sub", Effects: []fault.Effect{claims.Change(func(c map[string]string) map[string]string {
			delete(c, "sub")
			return c
		})}},
		fault.Fault{Name: "sends-again", Effects: []fault.Effect{retry.Take(true, nil)}},
		fault.Fault{Name: "answers-always", Effects: []fault.Effect{answer.Take(true, nil)}},
	)
	for _, c := range []struct {
		name string
		do   func()
		want []string
	}{
		{"a request that keeps all", func() { rules.All(carrier, request{"n", "s"}) }, nil},
		{"one without a nonce", func() { rules.All(carrier, request{"", "s"}) }, []string{"accepts-no-nonce"}},
		{"one without a state, which is accepted here", func() { rules.All(carrier, request{"n", ""}) }, []string{"accepts-no-state"}},
		{"one that only a strict peer refuses", func() { _ = rules.First(carrier, request{"n", "nobody"}) }, []string{"refuses-nobody"}},
		{"claims without what would be dropped", func() { claims.Pass(carrier, map[string]string{"iss": "x"}) }, nil},
		{"claims with it", func() { claims.Pass(carrier, map[string]string{"sub": "x"}) }, []string{"drops-sub"}},
		{"a step that is never taken", func() { retry.Taken(carrier, request{}) }, []string{"sends-again"}},
		{"one that is always taken", func() { answer.Taken(carrier, request{}) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.do()
			if got := carrier.Reached(); !slices.Equal(got, c.want) {
				t.Error(cmp.Diff(c.want, got))
			}
			if again := carrier.Reached(); len(again) > 0 {
				t.Errorf("%q are told again", again)
			}
		})
	}
}

func TestNoFaultCostsNothing(t *testing.T) {
	q := request{"n", "s"}
	if n := testing.AllocsPerRun(100, func() {
		_ = rules.First(nil, q)
		retry.Taken(nil, q)
	}); n > 0 {
		t.Errorf("%v allocations without a fault", n)
	}
}

func TestWhatAFaultIsThereFor(t *testing.T) {
	stimulus := fault.Fault{Name: "nonce-missing", Provokes: "nonce"}
	both := fault.Fault{Name: "nonce-empty", Provokes: "nonce", Proves: "sends-nonce"}
	allowed := fault.Fault{Name: "nonce-long", Provokes: "nonce-kept", Conduct: true, Permitted: true}
	defect := fault.Fault{Name: "accepts-no-nonce", Proves: "nonce"}
	conduct := fault.Fault{Name: "answers-late", Permitted: true}
	all := []fault.Fault{stimulus, both, allowed, defect, conduct}
	for kind, want := range map[fault.Kind][]string{
		fault.Stimulus:               {"nonce-missing", "nonce-empty", "nonce-long"},
		fault.Defect:                 {"nonce-empty", "accepts-no-nonce"},
		fault.Conduct:                {"nonce-long", "answers-late"},
		fault.Defect | fault.Conduct: {"nonce-empty", "nonce-long", "accepts-no-nonce", "answers-late"},
	} {
		if got := names(fault.Of(all, kind)); !slices.Equal(got, want) {
			t.Errorf("of kind %b: %s", kind, cmp.Diff(want, got))
		}
	}
	if got, want := names(fault.Provoking(all, "nonce")), []string{"nonce-missing", "nonce-empty"}; !slices.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := names(fault.Provoking(all, "")); len(got) > 0 {
		t.Errorf("%q provoke nothing, and are told of", got)
	}
	for name, want := range map[string]bool{"answers-late": true, "answers": false} {
		if f, found := fault.Named(all, name); found != want || found && f.Name != name {
			t.Errorf("%s: %q, %v", name, f.Name, found)
		}
	}
	own := fault.InPart("grades", all)
	if own[0].Part != "grades" || all[0].Part != "" {
		t.Errorf("of the parts %q and %q", own[0].Part, all[0].Part)
	}
}

func names(faults []fault.Fault) (names []string) {
	for _, f := range faults {
		names = append(names, f.Name)
	}
	return names
}

func TestAFaultInAMessageAlone(t *testing.T) {
	same := func(c map[string]string) map[string]string { return c }
	said := (&fault.Seam[map[string]string]{Name: "what a message says", InMessage: true}).Change(same)
	for _, c := range []struct {
		name    string
		effects []fault.Effect
		want    bool
	}{
		{"nothing", nil, false},
		{"what a message says", []fault.Effect{said, said}, true},
		{"another seam", []fault.Effect{claims.Change(same)}, false},
		{"another seam as well", []fault.Effect{said, claims.Change(same)}, false},
		{"a rule", []fault.Effect{nonceGiven.Lift(nil)}, false},
		{"a step as well", []fault.Effect{said, retry.Take(true, nil)}, false},
	} {
		if got := (fault.Fault{Effects: c.effects}).InMessage(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
