package faketool_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
)

func TestALoginThatComesTwiceAtOnceIsUsedOnce(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string][]int{"": {http.StatusOK, http.StatusUnauthorized}, faketool.NotesUseLate: {http.StatusOK, http.StatusOK}} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, slices.DeleteFunc([]string{fault}, func(name string) bool { return name == "" })...)
			b := p.browser(t)
			tooltest.ExpectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL())) // the browser has a session
			held, _ := p.hold(b)
			statuses := make([]int, 2)
			var both sync.WaitGroup
			for i := range statuses {
				both.Go(func() { statuses[i] = b.open(held.DeliverURL()).Status })
			}
			both.Wait()
			NewWithT(t).Expect(statuses).To(ConsistOf(want))
			NewWithT(t).Expect(p.tool.FaultsReached()).To(ContainElement(faketool.NotesUseLate))
		})
	}
}

func TestAStateThatComesTwiceAtOnceIsUsedOnce(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string][]int{"": {http.StatusOK, http.StatusUnauthorized}, faketool.NotesStateLate: {http.StatusOK, http.StatusOK}} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := newPair(t, slices.DeleteFunc([]string{fault}, func(name string) bool { return name == "" })...)
			b := p.browser(t)
			tooltest.ExpectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL())) // the browser has a session
			one, _ := p.hold(b)
			f, _ := fakeplatform.FaultNamed("state-reused-at-once")
			other := p.begin(t, fakeplatform.Plan{Fault: &f, Other: one})
			b.open(other.URL())
			fakeplatform.Together(2, one, other)
			statuses := make([]int, 2)
			var both sync.WaitGroup
			for i, l := range []*fakeplatform.Launch{one, other} {
				both.Go(func() { statuses[i] = b.open(l.DeliverURL()).Status })
			}
			both.Wait()
			g.Expect(statuses).To(ConsistOf(want))
			g.Expect(b.open(one.DeliverURL()).Status).To(Equal(http.StatusUnauthorized), "one after the other it is not taken")
		})
	}
}

func TestManyCookiesAreRefusedWithAFault(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]int{"": http.StatusOK, faketool.ForgetsOldLogins: http.StatusOK, faketool.RefusesManyCookies: http.StatusRequestHeaderFieldsTooLarge} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, slices.DeleteFunc([]string{fault}, func(name string) bool { return name == "" })...)
			b := p.browser(t)
			for range 50 {
				b.open(p.begin(t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer}).URL())
			}
			NewWithT(t).Expect(b.open(p.begin(t, fakeplatform.Plan{}).URL()).Status).To(Equal(want))
		})
	}
}
