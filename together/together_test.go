package together_test

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/together"
)

func TestAGatheringWaitsForAllAndForNobodyElse(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	gathering := together.Gather(2)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	gathering.Arrive()
	g.Expect(errors.Is(gathering.Wait(gone), context.Canceled)).To(BeTrue())
	met := make(chan struct{})
	go func() { gathering.Meet(t.Context()); close(met) }()
	g.Eventually(met).Should(BeClosed())
	gathering.Arrive()
	g.Expect(gathering.Wait(t.Context())).To(Succeed())
}

func TestOnlyTwoRequestsAboutOneValueArePaired(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var pairs together.Pairs
	said := make(chan bool, 3)
	for _, value := range []string{"a", "a", "b"} {
		go func() { said <- pairs.Meet(t.Context(), value) }()
	}
	var met []bool
	for range 3 {
		met = append(met, <-said)
	}
	g.Expect(met).To(Equal([]bool{true, true, false}))
	g.Expect(pairs.Meet(t.Context(), "a")).To(BeFalse(), "the pair has gone on")
}

func TestThingsAreDoneAtTheSameTime(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	gathering, odd := together.Gather(3), errors.New("odd")
	made, err := together.Do(3, func(i int) (int, error) {
		gathering.Arrive()
		if err := gathering.Wait(t.Context()); err != nil || i == 1 {
			return i, errors.Join(err, odd)
		}
		return i, nil
	})
	g.Expect(made).To(Equal([]int{0, 1, 2}))
	g.Expect(err).To(MatchError(odd))
}
