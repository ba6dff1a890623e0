package fakebackend_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/edx/fakebackend"
	"invigilator.example/requirements"
)

func TestFaultsAreDefectsOrPermitted(t *testing.T) {
	g := NewWithT(t)
	known := map[string]bool{}
	for _, f := range fakebackend.Faults() {
		g.Expect(known).NotTo(HaveKey(f.Name))
		known[f.Name] = true
		g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
		g.Expect(f.Effects).NotTo(BeEmpty(), f.Name)
		g.Expect(f.Proves == "").To(Equal(f.Permitted), f.Name)
		if f.Proves != "" {
			r, ok := requirements.Default().Get(requirements.ID(f.Proves))
			g.Expect(ok && r.Binds == requirements.Backend).To(BeTrue(), "%s proves %s", f.Name, f.Proves)
		}
	}
}

func TestAFaultThatThereIsNot(t *testing.T) {
	_, err := fakebackend.New(fakebackend.Options{URL: "https://backend.test", Faults: []string{"forgets-everything"}})
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring(`"forgets-everything"`)))
}
