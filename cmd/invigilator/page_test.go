package main

import (
	"bytes"
	"os"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/proof"
	"invigilator.example/requirements"
	"invigilator.example/scenarios"
)

func TestThePageOfTheCatalogueIsUpToDate(t *testing.T) {
	g := NewWithT(t)
	var page bytes.Buffer
	g.Expect(writeCatalogue(&page, requirements.Default().All(), scenarios.Covered())).To(Succeed())
	written, err := os.ReadFile("../../docs/catalogue.md")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(written) == page.String()).To(BeTrue(), "run make docs")
}

// A check that no fault turns red has not been shown to be one.
func TestEveryRequirementIsTurnedRedByAFault(t *testing.T) {
	g := NewWithT(t)
	proved := map[string]bool{}
	expected := proof.Expected()
	for side, faults := range expected {
		for fault := range faults {
			for _, id := range expected.Turns(side, fault) {
				proved[id] = true
			}
		}
	}
	for id := range scenarios.Covered() {
		g.Expect(proved).To(HaveKey(string(id)))
	}
}
