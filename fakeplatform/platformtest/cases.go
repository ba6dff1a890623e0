package platformtest

import (
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/requirements"
)

// ExpectEveryCase holds the cases of a profile that bind tools, but some,
// against the stimuli.
func ExpectEveryCase(t *testing.T, profile string, but []string) {
	t.Helper()
	g := NewWithT(t)
	for _, r := range requirements.Default().All() {
		if r.Binds != requirements.Tool || r.Profile != profile {
			continue
		}
		var cases, stimuli []string
		for _, s := range r.Provoke {
			if !slices.Contains(but, s.Case) {
				cases = append(cases, s.Case)
			}
		}
		for _, f := range fakeplatform.FaultsFor(string(r.ID)) {
			stimuli = append(stimuli, f.Name)
		}
		g.Expect(stimuli).To(ConsistOf(cases), string(r.ID))
	}
}
