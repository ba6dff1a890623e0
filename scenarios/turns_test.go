package scenarios

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A played turn is a scenario whose end is known beforehand.
type playedTurn struct {
	name          string
	away, doubted bool
	contested     bool
	told          *[]string
	scene         // does nothing else
}

func (p *playedTurn) tells(what string) { *p.told = append(*p.told, p.name+" "+what) }

func (p *playedTurn) Settle(_ context.Context, again bool) bool { return p.away && !again }

func (p *playedTurn) Doubts(away bool) []harness.Doubt {
	if away || !p.doubted {
		return nil
	}
	return make([]harness.Doubt, 1)
}

func (p *playedTurn) Contested(doubts []harness.Doubt) bool { return p.contested && len(doubts) > 0 }

func (p *playedTurn) OnceMore(doubts []harness.Doubt) []harness.Doubt {
	p.tells("is held against the first")
	return doubts
}

func (p *playedTurn) HoldAgainst([]harness.Doubt, []string) { p.tells("counts") }

func (p *playedTurn) Drop() results.Fragment {
	p.tells("is dropped")
	return results.Fragment{}
}

// A scenario is done in plain HTTP, in the browser where there is doubt, and once more in plain
// HTTP where the browser has seen the contrary; what the browser has seen counts.
func TestTurns(t *testing.T) {
	for name, c := range map[string]struct {
		turns []playedTurn
		told  []string
	}{
		"passes":           {[]playedTurn{{}}, nil},
		"the same is seen": {[]playedTurn{{doubted: true}, {}}, []string{"1 is dropped", "2 counts"}},
		"the contrary is seen": {[]playedTurn{{doubted: true}, {contested: true}, {}},
			[]string{"1 is dropped", "3 is held against the first", "3 is dropped", "2 counts"}},
		"the subject is away in the first turn": {[]playedTurn{{away: true, doubted: true}, {contested: true}}, []string{"1 is dropped", "2 counts"}},
		"the subject is away in the third turn": {[]playedTurn{{doubted: true}, {contested: true}, {away: true}},
			[]string{"1 is dropped", "3 is dropped", "2 counts"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var told []string
			made := 0
			s := &spec{}
			s.turns(t.Context(), func() {
				p := &c.turns[made]
				made++
				p.name, p.told = string(rune('0'+made)), &told
				g.Expect(s.again).To(Equal(made > 1))
				s.scene = p
			}, []string{requirements.Launch}, func(results.Fragment) {})
			g.Expect(made).To(Equal(len(c.turns)))
			g.Expect(told).To(Equal(c.told))
			g.Expect(s.scene).To(BeIdenticalTo(scene(&c.turns[min(made, 2)-1])))
		})
	}
}
