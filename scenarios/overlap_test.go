package scenarios

import (
	"context"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/requirements"
)

// played does specs that are played, and returns in which order what came about. Each tells
// when it begins, ends, and goes on after it has waited for another to end.
func played(t *testing.T, atOnce int, specs []*spec, waitsFor map[string]string) []string {
	t.Helper()
	g := NewWithT(t)
	o := newOverlap(atOnce)
	ends := map[string]chan struct{}{}
	for _, s := range specs {
		s.turn = make(chan struct{})
		ends[s.text] = make(chan struct{})
	}
	o.waiting = slices.Clone(specs)
	var told []string // by who is at work alone: the race detector finds two
	o.do(t.Context(), func(s *spec) {
		told = append(told, s.text+" begins")
		if other, waits := waitsFor[s.text]; waits {
			o.meanwhile(func() {
				if other != "" {
					<-ends[other]
				}
			})
			told = append(told, s.text+" goes on")
		}
		told = append(told, s.text+" ends")
		close(ends[s.text])
	})
	g.Expect(o.underWay).To(BeEmpty())
	now = nil
	return told
}

func TestSpecsGoOnWhileOthersWait(t *testing.T) {
	g := NewWithT(t)
	told := played(t, 2, []*spec{{text: "a"}, {text: "b"}, {text: "c"}}, map[string]string{"a": "c"})
	g.Expect(told).To(Equal([]string{"a begins", "b begins", "b ends", "c begins", "c ends", "a goes on", "a ends"}))
}

func TestSpecsAreUnderWayUpToTheNumber(t *testing.T) {
	g := NewWithT(t)
	told := played(t, 2, []*spec{{text: "a"}, {text: "b"}, {text: "c"}}, map[string]string{"a": "b", "b": ""})
	g.Expect(slices.Index(told, "c begins")).To(BeNumerically(">", slices.Index(told, "b ends")), "%v", told)
}

func TestSpecsThatDisturbEachOtherDoNotOverlap(t *testing.T) {
	for name, c := range map[string]struct{ a, b, c needs }{
		"services": {needs{services: true}, needs{services: true}, needs{}},
		"keys":     {needs{keys: true}, needs{keys: true, services: true}, needs{services: true}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			told := played(t, 20, []*spec{{text: "c", needs: c.c}, {text: "a", needs: c.a}, {text: "b", needs: c.b}}, map[string]string{"a": "c"})
			g.Expect(slices.Index(told, "b begins")).To(BeNumerically(">", slices.Index(told, "a ends")), "%v", told)
			g.Expect(slices.Index(told, "c begins")).To(BeNumerically("<", slices.Index(told, "a ends")), "%v", told)
		})
	}
}

func TestASpecThatIsDoneAgainIsAlone(t *testing.T) {
	g := NewWithT(t)
	told := played(t, 2, []*spec{{text: "a", alone: true}, {text: "b"}}, map[string]string{"a": ""})
	g.Expect(told).To(Equal([]string{"a begins", "a goes on", "a ends", "b begins", "b ends"}))
}

func TestNoSpecIsBegunWhenTheRunEnds(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := newOverlap(2)
	o.waiting = []*spec{{text: "a", turn: make(chan struct{})}, {text: "b", turn: make(chan struct{})}}
	begun := 0
	o.do(ctx, func(*spec) { begun++; cancel() })
	g.Expect(begun).To(Equal(1))
	now = nil
}

func TestWhatSpecsNeed(t *testing.T) {
	for label, want := range map[string]needs{
		"sec-tool-aud": {}, "sec-tool-nonce-replayed": {},
		"oidc-tool-key-rotation": {keys: true}, "sec-tool-jwks-unavailable": {keys: true}, "practice-tool-removed-key": {keys: true},
		"ags-tool-score-url": {services: true}, "sec-tool-access-token-use": {services: true},
	} {
		g := NewWithT(t)
		_, known := requirements.Default().Get(requirements.ID(label))
		g.Expect(known).To(BeTrue(), label)
		g.Expect(needsOf([]string{label})).To(Equal(want), label)
	}
}
